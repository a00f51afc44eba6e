//! Seeing how it stands: `doctor`, `spend`, metrics; and that silence is an alarm, each cause once and with its end.

use std::fs;

use serde_json::{Value, json};

use super::world::{START, World, git};

/// Titles of the notices about alarms so far.
fn alarms(world: &World) -> Vec<String> {
    let titles = world.notices().into_iter().filter_map(|n| n["title"].as_str().map(str::to_owned));
    titles.filter(|t| t.starts_with("alarm: ") || t.starts_with("recovered: ")).collect()
}

#[test]
fn a_repo_that_is_not_there_any_more_is_an_alarm() {
    let world = World::new();
    world.offhours(&["tick"]).ok();
    fs::rename(world.path("tracker/me/app"), world.path("tracker/me/moved")).unwrap();
    for _ in 0..3 {
        world.offhours(&["tick"]);
    }
    assert_eq!(alarms(&world), ["alarm: repo-gone:home:me/app"], "once");
    fs::rename(world.path("tracker/me/moved"), world.path("tracker/me/app")).unwrap();
    world.offhours(&["tick"]);
    assert_eq!(alarms(&world).last().unwrap(), "recovered: repo-gone:home:me/app");
}

#[test]
fn ready_issues_of_which_none_can_start_are_an_alarm_after_a_while() {
    let world = World::new();
    world.edit_config("landing =", "max_attempts_per_issue = 1\nlanding =");
    world.agent("exit 0\n");
    world.ready("me/app", "Comes back", &[]);
    world.until_idle();
    // A person puts the label back by hand in the file: no fresh approval, so the attempts stay used.
    let file = world.path("tracker/me/app/issues/0001.md");
    let text = fs::read_to_string(&file).unwrap();
    let before = alarms(&world).len();
    assert!(text.contains("needs-human"), "{text}");
    world.ready("me/app", "Left over", &["--label", "agent-in-progress"]);
    world.offhours(&["tick"]);
    world.advance(179 * 60);
    world.offhours(&["tick"]);
    assert!(!alarms(&world)[before..].iter().any(|t| t.contains("nothing-starts")));
    world.advance(120);
    world.offhours(&["tick"]);
    assert!(alarms(&world).contains(&"alarm: nothing-starts".to_owned()), "{:?}", alarms(&world));
    world.offhours(&["run", "release", "me/app#2"]).ok();
    world.offhours(&["tick"]);
    assert_eq!(alarms(&world).last().unwrap(), "recovered: nothing-starts");
    world.jobs_end();
}

/// What somebody chose is no alarm, however long it lasts.
#[test]
fn hours_and_budgets_are_no_alarm() {
    for top in ["dispatch_hours = [\"03:00-04:00\"]", "daily_budget_usd = 1", "max_runs_per_day = 0"] {
        let world = World::new();
        world.edit_config("landing =", &format!("{top}\nlanding ="));
        world.ready("me/app", "Waits", &[]);
        for _ in 0..3 {
            world.offhours(&["tick"]);
            world.advance(4 * 3600);
        }
        assert_eq!(alarms(&world), Vec::<String>::new(), "{top}");
    }
}

#[test]
fn a_runner_that_never_starts_is_an_alarm() {
    let world = World::new();
    world.repo("me/lib");
    world.configure(&["home:me/app", "home:me/lib"], "[runner.agent]\nargv = [\"/nowhere/agent\"]\n");
    world.ready("me/app", "One", &[]);
    world.ready("me/lib", "Two", &[]);
    for _ in 0..4 {
        world.offhours(&["tick"]);
        world.jobs_end();
        world.advance(120);
    }
    let told = alarms(&world);
    assert_eq!(told.iter().filter(|t| *t == "alarm: runner-parked:agent").count(), 1, "{told:?}");
}

#[test]
fn ci_that_never_comes_to_an_end_is_an_alarm() {
    let world = World::new();
    let go = world.path("ci-goes");
    world.configure(
        &["home:me/app"],
        &format!(
            "[ci]\ntimeout_seconds = 600\n[[ci.stage]]\nname = \"slow\"\nargv = [\"sh\", \"-c\", \"while [ ! -e {} ]; do sleep 0.05; done\"]\n",
            go.display()
        ),
    );
    world.ready("me/app", "Waits for CI", &[]);
    for _ in 0..6 {
        world.offhours(&["tick"]);
        if world.run_of("me/app#1")["reason"] == "ci" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    for _ in 0..4 {
        world.advance(400);
        world.offhours(&["tick"]);
    }
    assert_eq!(world.run_of("me/app#1")["reason"], "ci-timeout");
    world.offhours(&["tick"]);
    assert!(alarms(&world).contains(&"alarm: ci-pending:home:me/app".to_owned()), "{:?}", alarms(&world));
    fs::write(&go, "").unwrap();
    world.jobs_end();
    world.ready("me/app", "Lands", &[]);
    world.until_idle();
    assert!(alarms(&world).contains(&"recovered: ci-pending:home:me/app".to_owned()), "{:?}", alarms(&world));
}

#[test]
fn a_schedule_that_does_not_fire_is_an_alarm_when_somebody_notices() {
    let world = World::new();
    world.offhours(&["tick"]).ok();
    world.advance(13 * 3600);
    world.offhours(&["tick"]);
    assert_eq!(alarms(&world), ["alarm: schedule:tick"]);
    world.advance(120);
    world.offhours(&["tick"]);
    assert_eq!(alarms(&world), ["alarm: schedule:tick", "recovered: schedule:tick"]);

    // Two lines in the crontab, one of which does not fire.
    let two = World::new();
    two.edit_config("landing =", "schedule_alarm_minutes = 60\nlanding =");
    two.offhours(&["poll"]).ok();
    for _ in 0..4 {
        two.offhours(&["watch"]);
        two.advance(1800);
    }
    assert_eq!(alarms(&two), ["alarm: schedule:poll"]);
    two.offhours(&["poll"]);
    two.offhours(&["watch"]);
    assert_eq!(alarms(&two).last().unwrap(), "recovered: schedule:poll");
}

#[test]
fn doctor_finds_what_is_wrong_and_names_one_remedy_each() {
    let world = World::new();
    world.offhours(&["tick"]).ok();
    let fine = world.offhours(&["doctor", "--exit-code"]);
    assert_eq!(fine.code, 0, "{}", fine.stdout);
    assert!(fine.stdout.contains("-> set `wrap` in [runner.agent]"), "{}", fine.stdout);
    let long: Vec<&str> = fine.stdout.lines().filter(|l| l.chars().count() > 160).collect();
    assert!(long.is_empty(), "{long:?}");

    fs::remove_dir_all(world.bare("me/app")).unwrap();
    world.configure(
        &["home:me/app"],
        "[runner.agent]\nargv = [\"no-such-agent\"]\n[heartbeat]\ntick = { env = \"NOT_SET\" }\n",
    );
    let wrong = world.offhours(&["doctor", "--json", "--exit-code"]);
    assert_eq!(wrong.code, 1, "{}", wrong.stdout);
    let json = wrong.json();
    let bad: Vec<&str> = json["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["level"] == "bad")
        .map(|f| {
            assert!(f["remedy"].as_str().is_some_and(|r| !r.is_empty()), "{f}");
            f["check"].as_str().unwrap()
        })
        .collect();
    assert_eq!(bad, ["runner", "repo", "secret"], "{json}");
}

/// With cron's PATH: what only your shell finds is missing.
#[test]
fn doctor_looks_as_cron_would() {
    let world = World::new();
    world.configure(&["home:me/app"], "[runner.agent]\nargv = [\"my-agent\"]\nenv = [\"MY_KEY\"]\n");
    fs::create_dir_all(world.path("bin")).unwrap();
    world.script("bin/my-agent", "#!/bin/sh\n");
    let run = |args: &[&str]| {
        let path = format!("{}:/usr/bin:/bin", world.path("bin").display());
        super::world::answer(&world.command(args).env("PATH", path).env("MY_KEY", "x").output().unwrap())
    };
    assert_eq!(run(&["doctor", "--exit-code"]).code, 0);
    let cron = run(&["doctor", "--as-cron", "--exit-code"]);
    assert_eq!(cron.code, 1, "{}", cron.stdout);
    assert!(cron.stdout.contains("`my-agent` is not on the PATH that cron has"), "{}", cron.stdout);

    // Installed from a shell that finds it: the line brings its PATH.
    world.script(
        "bin/crontab",
        "#!/bin/sh\ncase \"$1\" in -l) cat \"$HOME/crontab\" 2>/dev/null || { echo no crontab for me >&2; exit 1; } ;; -) cat > \"$HOME/crontab\" ;; esac\n",
    );
    run(&["schedule", "install"]).ok();
    let cron = run(&["doctor", "--as-cron", "--exit-code"]);
    assert_eq!(cron.code, 0, "{}", cron.stdout);
    assert!(cron.stdout.contains("MY_KEY, which is not set where cron starts it"), "{}", cron.stdout);
}

#[test]
fn spend_is_told_by_repo_and_after_a_restore_as_incomplete() {
    let world = World::new();
    let nothing = world.offhours(&["spend"]).ok();
    assert!(nothing.stdout.contains("no run was begun"), "{}", nothing.stdout);
    world.agent(&format!(
        "{}\necho '{{\"outcome\":\"done\",\"cost_usd\":1.5}}' > \"$OFFHOURS_RESULT\"\n",
        super::world::GOOD_AGENT
    ));
    world.ready("me/app", "Costs", &[]);
    world.until_idle();
    insta::assert_snapshot!(world.offhours(&["spend"]).ok().stdout, @"
    spent today, since 2026-03-02 00:00 UTC
      known          $1.50
      reserved       $0.00   in flight, or of runs that did not tell
      limit         $40.00   daily_budget_usd

    by repo                                     runs        known     reserved
    home:me/app                                    1        $1.50        $0.00
    ");
    let json = world.offhours(&["spend", "--month", "--by", "runner", "--json"]).ok().json();
    assert_eq!(json["items"][0]["known_usd"], 1.5);
    assert_eq!(json["items"][0]["complete"], true);
    assert_eq!(json["items"][1]["name"], "agent");
    world.offhours(&["state", "backup", "copy.db"]).ok();
    world.offhours(&["state", "restore", "copy.db"]).ok();
    let after = world.offhours(&["spend", "--json"]).ok().json();
    assert_eq!(after["items"][0]["complete"], false);
}

#[test]
fn metrics_are_good_exposition_text() {
    let world = World::new();
    world.ready("me/app", "Lands", &[]);
    world.until_idle();
    let text = world.offhours(&["status", "--format", "prometheus"]).ok().stdout;
    for line in [
        "offhours_switch_on 0",
        "offhours_repos 1",
        "offhours_runs_ended_total{outcome=\"landed\"} 1",
        "offhours_runs_in_flight 0",
        "offhours_budget_usd{period=\"day\"} 40",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}:\n{text}");
    }
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("offhours_") && value.parse::<f64>().is_ok(), "{line}");
    }
    let off = World::new();
    off.offhours(&["off"]).ok();
    assert!(off.offhours(&["status", "--format", "prometheus"]).ok().stdout.contains("offhours_switch_on 1"));
}

/// Off, paused and resumed from anywhere, in the order in which a person would.
#[test]
fn off_pause_and_resume_in_a_persons_order() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.offhours(&["pause", "--for", "12h"]).ok();
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.reason("me/app#1"), "paused");
    let json = world.offhours(&["status", "--json"]).ok().json();
    let of = |section: &str| {
        let items = json["items"].as_array().unwrap();
        items.iter().find(|i| i["section"] == section).unwrap().clone()
    };
    let until = START + 12 * 3600;
    assert_eq!(of("paused"), json!({ "section": "paused", "scope": "*", "until": until }));
    assert_eq!((&of("spend")["runs_today"], &of("spend")["today_usd"]), (&json!(0), &json!(0.0)));
    assert_eq!(of("spend")["max_runs_per_day"], json!(15));
    world.offhours(&["off"]).ok();
    world.offhours(&["resume"]).ok();
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.jobs_end();
    let json = world.offhours(&["status", "--json"]).ok().json();
    assert!(
        json["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|i| i["section"] == "host" && i["off"] == Value::Bool(false))
    );
    assert!(git(&world.bare("me/app"), &["rev-parse", "main"]).len() > 30);

    let typo = world.offhours(&["pause", "me/ap"]);
    assert_eq!(typo.code, 64, "a pause of nothing is none: {}", typo.stdout);
    world.offhours(&["pause", "me/app"]).ok();
    let told = world.offhours(&["resume"]).ok().stdout;
    assert_eq!(told, "home:me/app is still paused: `offhours resume home:me/app` ends that\n");
    world.offhours(&["resume", "me/app"]).ok();
    assert_eq!(world.offhours(&["resume"]).ok().stdout, "there was nothing to resume\n");
}

#[test]
fn the_report_is_one_page_with_what_happened() {
    let world = World::new();
    world.ready("me/app", "Lands", &[]);
    world.until_idle();
    world.agent("exit 0\n");
    world.ready("me/app", "Comes back", &[]);
    world.until_idle();
    let told = world.offhours(&["report", "--html", "page.html", "--days", "30"]).ok();
    assert!(told.stdout.contains("page.html is written: 2 runs of 30 days"), "{}", told.stdout);
    let page = fs::read_to_string(world.path("page.html")).unwrap();
    assert!(page.contains("<td>home:me/app</td><td>2</td><td>50%</td>"), "{page}");
    assert!(!page.contains("http://") && !page.contains("<script"));
    world.offhours(&["report", "--html", "other.html", "--dry-run"]).ok();
    assert!(!world.path("other.html").exists());
}
