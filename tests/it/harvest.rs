//! What became of runs, whose work it was, and what follows for a version that is tried out: the whole chain through the
//! binary, from a ready issue to a decided canary. Nothing is written into the state by hand, but where it is said.

use std::fs;
use std::path::Path;

use offhours::domain::canary::place;
use rusqlite::Connection;
use serde_json::Value;

use super::world::{GOOD_AGENT, World, acted, git};

const DAY: i64 = 86_400;

/// The parameters of these stories: two canary runs, in two blocks, are enough.
const TRIAL: &str = "[canary]\nfraction = 0.25\nmin_canary = 2\nmax_canary = 4\nalpha_rollback = 0.3\nmargin = 0.8\nalpha_graduate = 0.3\n";

/// Days pass here in which nothing is started: that silence is not what these stories are about.
const TOP: &str = "verify = []\nmax_runs_per_day = 100\nbudget_usd = 0.0\nschedule_alarm_minutes = 0\n";

const TEXT: &str =
    "You work on {{ issue.name }} in this repository.\nversion two\n{{ issue.body }}\n{{ failure }}\n";

/// Issues that the first canary gets at a fraction of 0.25.
fn is_canary(number: u64) -> bool {
    place("c1", "implementer", &format!("home:me/app#{number}")) < 0.25
}

/// A world in which `implementer@2` is the canary; `with` is appended to the agent, and to the configuration.
fn trial(agent: &str, config: &str) -> World {
    let world = World::new();
    world.agent(agent);
    world.configure(&["home:me/app"], &format!("{TOP}---\n{config}"));
    fs::write(world.path("two.md"), TEXT).unwrap();
    let path = world.path("two.md").display().to_string();
    world.offhours(&["template", "add", "implementer", "--file", &path]).ok();
    let begun = world.offhours(&["template", "canary", "implementer@2"]).ok();
    assert!(begun.stdout.contains("implementer@2 is the canary c1 beside implementer@1"), "{}", begun.stdout);
    world
}

/// Works issues off, one after the other, so that their order is their dispatch order.
fn work(world: &World, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        assert_eq!(world.ready("me/app", "Write a file", &[]), number);
        world.until_idle();
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn float(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn items(value: &Value) -> Vec<Value> {
    value.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The canary's numbers, as `harvest --json` tells them.
fn harvest(world: &World) -> (Vec<String>, Option<Value>) {
    let answer = world.offhours(&["harvest", "--json"]);
    assert!([0, 75].contains(&answer.code), "{}", answer.stderr);
    let canary = items(&answer.json()).into_iter().find(|i| text(i, "/kind") == "canary");
    (acted(&answer), canary)
}

/// What became of every run, as `issue state score why`, of all versions.
fn outcomes(world: &World) -> Vec<String> {
    let json = world.offhours(&["template", "history", "--json"]).ok().json();
    let mut lines = vec![];
    for version in items(&json).iter().filter(|i| text(i, "/kind") == "version") {
        for outcome in version.pointer("/outcomes").and_then(Value::as_array).unwrap() {
            let score =
                outcome.pointer("/score").and_then(Value::as_f64).map_or("-".to_owned(), |s| s.to_string());
            lines.push(format!(
                "{} {} {score} {} {}",
                text(outcome, "/issue").trim_start_matches("home:"),
                text(outcome, "/state"),
                text(outcome, "/why"),
                text(version, "/label"),
            ));
        }
    }
    lines.sort();
    lines
}

/// Events about canaries in the state file.
fn events(state: &Path) -> Vec<String> {
    let conn = Connection::open(state).unwrap();
    let mut rows = conn.prepare("SELECT kind FROM events WHERE key LIKE 'canary:%' ORDER BY id").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn notices(world: &World, kind: &str) -> usize {
    world.notices().iter().filter(|n| text(n, "/kind") == kind).count()
}

/// Every run is told by its arm's version, and says so in the persisted run.
fn assert_arms(world: &World, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        let run = world.run_of(&format!("me/app#{number}"));
        let (arm, version) =
            if is_canary(number) { ("canary", "implementer@2") } else { ("champion", "implementer@1") };
        assert_eq!(text(&run, "/route/arm"), arm, "issue {number}: {run}");
        assert_eq!(text(&run, "/route/canary"), "c1", "issue {number}");
        assert!((float(&run, "/route/fraction") - 0.25).abs() < 1e-12);
        assert!(text(&run, "/template").starts_with(&format!("{version} (")), "issue {number}: {run}");
    }
}

/// The canary's agents do nothing; the champion's work lands and stays.
fn failing_canary(config: &str) -> World {
    trial(&format!("case \"$prompt\" in *\"version two\"*) exit 0;; esac\n{GOOD_AGENT}"), config)
}

#[test]
fn a_worse_canary_is_rolled_back_once_the_champions_work_stood() {
    let world = failing_canary(&TRIAL.replace("min_canary = 2", "min_canary = 1"));
    let canaries: Vec<u64> = (1..=6).filter(|n| is_canary(*n)).collect();
    assert_eq!(canaries, [2, 6], "both arms are there");
    work(&world, 1..=3);
    // Fast failures do not outrun slow successes: what is pending counts as the worst.
    let (_, held) = harvest(&world);
    let held = held.unwrap();
    assert_eq!(text(&held, "/decision"), "hold", "{held}");
    assert_eq!(float(&held, "/canary_arm/mean").to_string(), "0");
    assert_eq!((float(&held, "/champion/pending"), float(&held, "/champion/resolved")), (2.0, 0.0));
    assert_eq!(held.pointer("/pending").and_then(Value::as_array).unwrap().len(), 2);
    assert!((float(&held, "/roll_back/bound") - (1.0_f64 / 0.3).ln()).abs() < 1e-9);
    assert!(float(&held, "/roll_back/ln_e") < 0.0, "{held}");
    // Worse as far as one can tell, but one block is not evidence enough: the bound is what decides.
    world.advance(3 * DAY);
    let (_, held) = harvest(&world);
    let held = held.unwrap();
    assert_eq!(text(&held, "/decision"), "hold", "{held}");
    let ln_e = float(&held, "/roll_back/ln_e");
    assert!(ln_e > 0.5 && ln_e < float(&held, "/roll_back/bound"), "{held}");
    assert_eq!(float(&held, "/roll_back/canary_runs_needed").to_string(), "1");
    work(&world, 4..=6);
    assert_arms(&world, 1..=6);
    // A later run of the same issue keeps its arm; it is recorded, and not counted.
    world.offhours(&["run", "retry", "me/app#2"]).ok();
    world.until_idle();
    assert_eq!(text(&world.run_of("me/app#2"), "/route/arm"), "canary");
    let (_, held) = harvest(&world);
    assert_eq!(float(&held.unwrap(), "/canary_arm/runs").to_string(), "2");
    assert_eq!(outcomes(&world).iter().filter(|o| o.starts_with("me/app#2 ")).count(), 2);

    world.advance(3 * DAY);
    let (told, decided) = harvest(&world);
    assert!(told.contains(&"implementer@2 rolled_back".to_owned()), "{told:?}");
    let decided = decided.unwrap();
    assert!(float(&decided, "/roll_back/ln_e") >= float(&decided, "/roll_back/bound"), "{decided}");
    assert_eq!(float(&decided, "/champion/mean").to_string(), "1");
    assert!(text(&decided, "/sentence").contains("implementer@2 is worse and is rolled back"), "{decided}");
    assert_eq!(world.versions(), ["implementer@1 champion", "implementer@2 rejected"]);
    assert_eq!(events(&world.state()), ["canary_started", "rolled_back"]);
    world.offhours(&["tick"]).ok();
    let (told, none) = harvest(&world);
    assert_eq!((told, none), (vec![], None), "it is over");
    assert_eq!(events(&world.state()), ["canary_started", "rolled_back"]);
    assert_eq!(notices(&world, "rolled_back"), 1);
    // The journal has it, too.
    let journal = world.offhours(&["lessons", "list", "--type", "rolled_back", "--json"]).ok().json();
    let lessons = journal.pointer("/lessons").and_then(Value::as_array).cloned().unwrap();
    assert_eq!(lessons.len(), 1, "{lessons:?}");
    assert_eq!(text(&lessons[0], "/work_item_id"), "implementer@2");
    assert!(text(&lessons[0], "/detail").contains("implementer@2 is worse and is rolled back"));
    // The issue that was the canary's goes to the champion now.
    world.offhours(&["run", "retry", "me/app#2"]).ok();
    world.until_idle();
    let run = world.run_of("me/app#2");
    assert_eq!(text(&run, "/reason"), "landed", "{run}");
    assert!(text(&run, "/template").starts_with("implementer@1 ("));
    assert_eq!(run.pointer("/route/canary"), Some(&Value::Null));
    let history = world.offhours(&["template", "history", "implementer"]).ok().stdout;
    assert!(history.contains("canary c1") && history.contains("rolled_back"), "{history}");
}

#[test]
fn a_deciding_harvest_ended_anywhere_decides_and_tells_once() {
    let world = failing_canary(TRIAL);
    work(&world, 1..=6);
    world.advance(3 * DAY);
    let kept = world.path("kept");
    fs::create_dir(&kept).unwrap();
    let copy = |from: &Path, to: &Path| {
        for name in ["state.db", "state.db-wal", "state.db-shm"] {
            drop(fs::remove_file(to.join(name)));
            if from.join(name).exists() {
                fs::copy(from.join(name), to.join(name)).unwrap();
            }
        }
    };
    let state = world.state();
    let live = state.parent().unwrap();
    copy(live, &kept);
    let mut ended = 0;
    for number in 1..200 {
        copy(&kept, live);
        drop(fs::remove_file(world.path("notices")));
        let first =
            world.command(&["harvest"]).env("OFFHOURS_CRASH", format!("tick:{number}")).output().unwrap();
        let killed = first.status.code().is_none();
        for _ in 0..2 {
            world.offhours(&["harvest"]).ok();
        }
        assert_eq!(events(&state), ["canary_started", "rolled_back"], "ended at boundary {number}");
        let told = world.notices();
        let keys: std::collections::BTreeSet<&str> =
            told.iter().filter(|n| text(n, "/kind") == "rolled_back").map(|n| text(n, "/key")).collect();
        assert_eq!(keys.len(), 1, "ended at boundary {number}: {told:?}");
        // The receiver cannot be asked: a second one is the same, and marked as a possible repeat.
        let again = told.iter().filter(|n| text(n, "/kind") == "rolled_back").skip(1);
        assert!(
            again.into_iter().all(|n| n.pointer("/possible_repeat") == Some(&Value::Bool(true))),
            "ended at boundary {number}: {told:?}"
        );
        assert_eq!(world.versions(), ["implementer@1 champion", "implementer@2 rejected"]);
        if !killed {
            break;
        }
        ended += 1;
    }
    assert!((10..190).contains(&ended), "{ended}");
}

#[test]
fn a_good_canary_graduates_and_a_later_revert_is_an_alarm() {
    let world = trial(GOOD_AGENT, &TRIAL.replace("alpha_graduate = 0.3", "alpha_graduate = 0.5"));
    work(&world, 1..=3);
    world.advance(3 * DAY);
    // The numbers would do, but so few runs decide nothing.
    let (_, held) = harvest(&world);
    let held = held.unwrap();
    assert_eq!(text(&held, "/decision"), "hold", "{held}");
    assert!(float(&held, "/graduate/ln_e") > float(&held, "/graduate/bound"), "{held}");
    work(&world, 4..=6);
    assert_arms(&world, 1..=6);
    world.advance(3 * DAY);
    let (told, decided) = harvest(&world);
    assert!(told.contains(&"implementer@2 graduated".to_owned()), "{told:?} {decided:?}");
    assert_eq!(world.versions(), ["implementer@1 retired", "implementer@2 champion"]);
    assert_eq!(events(&world.state()), ["canary_started", "graduated"]);
    world.offhours(&["tick"]).ok();
    assert_eq!(notices(&world, "graduated"), 1);
    assert!(outcomes(&world).contains(&"me/app#2 resolved 1 survived implementer@2".to_owned()));
    work(&world, 7..=7);
    assert!(text(&world.run_of("me/app#7"), "/template").starts_with("implementer@2 ("));

    // A person takes back what the canary made, days after it was scored.
    world.advance(5 * DAY);
    let pushed = text(&world.run_of("me/app#2"), "/pushed").to_owned();
    revert(&world, &pushed);
    world.advance(2 * 3600);
    let (told, _) = harvest(&world);
    assert!(told.contains(&"me/app#2 reverted".to_owned()), "{told:?}");
    assert!(outcomes(&world).contains(&"me/app#2 resolved 1 survived implementer@2".to_owned()), "frozen");
    let status = world.offhours(&["status"]).ok().stdout;
    assert!(status.contains("graduated-reverted:implementer@2"), "{status}");
    let history = world.offhours(&["template", "history"]).ok().stdout;
    assert!(history.contains("1 taken back after they were scored"), "{history}");
    assert_eq!(notices(&world, "alarm"), 1);
    world.advance(2 * 3600);
    assert_eq!(harvest(&world).0, Vec::<String>::new(), "told once");
    world.offhours(&["template", "promote", "implementer@1"]).ok();
    harvest(&world);
    assert_eq!(notices(&world, "recovered"), 1);
}

fn revert(world: &World, oid: &str) {
    let clone = world.path("reverter");
    drop(fs::remove_dir_all(&clone));
    git(&world.path(""), &["clone", "-q", world.bare("me/app").to_str().unwrap(), clone.to_str().unwrap()]);
    git(&clone, &["revert", "--no-edit", oid]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
}

#[test]
fn it_is_held_then_inconclusive_and_off_means_off() {
    // One canary run is all there may be, and one decides nothing.
    let config =
        TRIAL.replace("max_canary = 4", "max_canary = 1").replace("min_canary = 2", "min_canary = 1");
    let world = trial(GOOD_AGENT, &config);
    work(&world, 1..=3);
    assert_arms(&world, 1..=3);
    world.advance(3 * DAY);
    // Off: nothing is scored or decided, and the next issue that the canary would get goes to the champion unrouted.
    world.configure(&["home:me/app"], &format!("{TOP}---\n{config}[harvest]\nenabled = false\n"));
    let off = world.offhours(&["harvest", "--json"]).ok().json();
    assert_eq!(text(&off, "/outcome"), "off");
    work(&world, 4..=4);
    assert_eq!(world.run_of("me/app#4").pointer("/route/canary"), Some(&Value::Null));
    assert!(
        outcomes(&world).iter().all(|o| !o.starts_with("me/app#4") && o.contains(" pending ")),
        "{:?}",
        outcomes(&world)
    );
    assert_eq!(world.versions(), ["implementer@1 champion", "implementer@2 canary"]);
    let refused = world.offhours(&["template", "canary", "implementer@1"]);
    assert_eq!(refused.code, 64);
    // On again: it goes on where it was. Beyond `max_canary` new issues are the champion's.
    world.configure(&["home:me/app"], &format!("{TOP}---\n{config}"));
    assert_eq!(world.ready("me/app", "Five", &[]), 5);
    assert_eq!(world.ready("me/app", "Six", &[]), 6);
    assert!(is_canary(6));
    assert!(world.tick().contains(&"implementer@2 inconclusive".to_owned()));
    assert_eq!(world.versions(), ["implementer@1 champion", "implementer@2 candidate"]);
    world.until_idle();
    assert_eq!(events(&world.state()), ["canary_started", "inconclusive"]);
    assert!(text(&world.run_of("me/app#6"), "/template").starts_with("implementer@1 ("));
    // Kept with its evidence, and may be tried again: other issues are its guinea pigs.
    let again = world.offhours(&["template", "canary", "implementer@2", "--fraction", "0.5"]).ok();
    assert!(again.stdout.contains("the canary c2"), "{}", again.stdout);
}

#[test]
fn a_canary_that_does_not_render_goes_at_once() {
    let world = World::new();
    world.configure(&["home:me/app"], "[canary]\nfraction = 0.25\n");
    let text = format!("{TEXT}{{% if issue.number == 2 %}}{{{{ issue.title|nope }}}}{{% endif %}}");
    fs::write(world.path("two.md"), text).unwrap();
    let path = world.path("two.md").display().to_string();
    world.offhours(&["template", "add", "implementer", "--file", &path]).ok();
    world.offhours(&["template", "canary", "implementer@2"]).ok();
    world.ready("me/app", "One", &[]);
    world.until_idle();
    world.ready("me/app", "Two", &[]);
    world.offhours(&["tick"]);
    let run = world.run_of("me/app#2");
    assert_eq!(self::text(&run, "/reason"), "not-started", "no fall back to the champion: {run}");
    let (told, decided) = harvest(&world);
    assert!(told.contains(&"implementer@2 rolled_back".to_owned()), "{told:?}");
    assert_eq!(decided.unwrap().pointer("/fails"), Some(&Value::Bool(true)));
    assert!(outcomes(&world).contains(&"me/app#2 resolved 0 template-failed implementer@2".to_owned()));
    world.advance(4000);
    world.until_idle();
    assert_eq!(self::text(&world.run_of("me/app#2"), "/reason"), "landed", "the champion takes it up");
}

#[test]
fn every_run_has_an_outcome_and_what_says_nothing_is_left_out() {
    let world = World::new();
    world.configure(&["home:me/app", "home:me/bare"], "verify = []\nmax_runs_per_day = 100\ndaily_budget_usd = 1000.0\n---\n[repo.\"me/bare\".ci]\nstage = []\nrequired = []\ngrace_seconds = 0\n");
    world.repo("me/bare");
    world.agent(&format!(
        r#"case "$number" in
          2) if [ ! -e once ]; then echo x > once; echo bad > red; git add once red; else git rm -q red; fi;;
          3) echo '{{"outcome": "blocked", "reason": "unclear"}}' > "$OFFHOURS_RESULT"; exit 0;;
          4) sleep 600;;
          5) exit 3;;
        esac
        {GOOD_AGENT}"#
    ));
    for number in 1..=3 {
        world.ready("me/app", "Some", &[]);
        if number == 1 {
            world.ready("me/bare", "Some", &[]);
        }
        world.until_idle();
    }
    world.ready("me/app", "Withdrawn", &[]);
    world.tick();
    world.offhours(&["issue", "close", "me/app#4"]).ok();
    for _ in 0..2 {
        world.until_idle();
        world.ready("me/app", "Some", &[]);
    }
    world.until_idle();
    let known = |line: &str| {
        let all = outcomes(&world);
        assert!(all.contains(&format!("{line} implementer@1")), "{line}: {all:?}");
    };
    known("me/app#1 pending - surviving");
    known("me/app#3 resolved 0 agent-blocked");
    known("me/app#4 excluded - withdrawn-early");
    known("me/app#5 resolved 0 agent-failed");
    // Before they stood long enough one is taken back by a person's commit.
    revert(&world, text(&world.run_of("me/app#6"), "/pushed"));
    world.advance(2 * 3600);
    let told = harvest(&world).0;
    assert!(told.contains(&"me/app#6 reverted".to_owned()), "{told:?}");
    known("me/app#6 resolved 0 reverted");
    // What cannot be read holds, however long; then it is asked again.
    world.advance(4 * DAY);
    let (there, away) = (world.path("tracker/me/app"), world.path("away"));
    fs::rename(&there, &away).unwrap();
    let answer = world.offhours(&["harvest"]);
    assert_eq!(answer.code, 75, "{}", answer.stderr);
    assert!(answer.stderr.contains("commits on main of home:me/app: "), "{}", answer.stderr);
    known("me/app#1 pending - unreadable");
    known("me/bare#1 resolved 0.6 survived-unchecked");
    fs::rename(&away, &there).unwrap();
    world.offhours(&["issue", "reopen", "me/app#1"]).ok();
    world.advance(3600);
    harvest(&world);
    known("me/app#1 resolved 0 reopened");
    known("me/app#2 resolved 0.85 survived");
}

#[test]
fn what_becomes_of_pull_requests_is_known() {
    let world = World::new();
    let config =
        "landing = \"pull-request\"\nverify = []\nmax_runs_per_day = 100\ndaily_budget_usd = 1000.0\n---\n";
    world.configure(&["home:me/app"], config);
    world.agent("echo \"a step\" >> \"done-$number.txt\"\ngit add \"done-$number.txt\"\ngit commit -q -m \"Work on $number\" -m \"Closes #$number\"\n");
    let begun = || {
        let issue = world.ready("me/app", "Write a file", &[]);
        world.until_idle();
        (issue, format!("me/app#{}", issue + 1))
    };
    let known = |issue: u64, line: &str| {
        let all = outcomes(&world);
        assert!(all.contains(&format!("me/app#{issue} {line} implementer@1")), "{issue} {line}: {all:?}");
    };
    // A person asks for more, is answered, and merges.
    let (reviewed, pull) = begun();
    known(reviewed, "pending - review");
    world.offhours(&["pr", "review", &pull, "--request-changes", "-m", "More, please."]).ok();
    world.until_idle();
    world.offhours(&["pr", "merge", &pull]).ok();
    world.until_idle();
    assert_eq!(text(&world.run_of(&format!("me/app#{reviewed}")), "/reason"), "landed");
    known(reviewed, "pending - surviving");
    // Closed unmerged.
    let (closed, pull) = begun();
    world.offhours(&["pr", "close", &pull]).ok();
    world.until_idle();
    known(closed, "resolved 0 pr-closed");
    // Merged, then taken back with the tool's own hand.
    let (reverted, pull) = begun();
    world.offhours(&["pr", "merge", &pull]).ok();
    world.until_idle();
    known(reverted, "pending - surviving");
    world.offhours(&["revert", &format!("me/app#{reverted}")]).ok();
    world.advance(3600);
    harvest(&world);
    known(reverted, "resolved 0 reverted");
    world.advance(3 * DAY);
    harvest(&world);
    known(reviewed, "resolved 0.85 survived");
    // A review may take its time: a waiting one is not an unresolved one.
    let (waiting, _) = begun();
    world.advance(13 * DAY);
    harvest(&world);
    known(waiting, "pending - review");
}

#[test]
fn bad_input_about_canaries_is_a_sentence_and_changes_nothing() {
    let world = World::new();
    fs::write(world.path("two.md"), TEXT).unwrap();
    fs::write(world.path("three.md"), TEXT.replace("two", "three")).unwrap();
    for (name, file) in [("implementer", "two.md"), ("implementer", "three.md"), ("lonely", "two.md")] {
        let path = world.path(file).display().to_string();
        world.offhours(&["template", "add", name, "--file", &path]).ok();
    }
    let before = world.versions();
    let refused = |line: &[&str], wanted: &str| {
        let answer = world.offhours(line);
        assert_eq!(answer.code, 64, "{line:?}: {} {}", answer.stdout, answer.stderr);
        assert!(answer.stderr.contains(wanted), "{line:?}: {}", answer.stderr);
    };
    refused(&["template", "canary", "lonely@1"], "lonely has no champion to compare lonely@1 with");
    for fraction in ["0", "1", "1.5", "-0.2", "NaN", "inf"] {
        let fraction = format!("--fraction={fraction}");
        refused(&["template", "canary", "implementer@2", &fraction], "has to be above 0 and below 1");
    }
    refused(&["template", "canary", "implementer@1"], "is the champion: there is nothing to try out");
    assert_eq!(world.versions(), before);
    world.offhours(&["template", "canary", "implementer@2"]).ok();
    let before = world.versions();
    refused(&["template", "canary", "implementer@3"], "implementer has a canary already: implementer@2");
    refused(&["template", "canary", "implementer@2"], "is the canary already");
    refused(&["template", "promote", "implementer@2"], "`harvest` decides about it");
    refused(&["template", "promote", "implementer@3"], "is being compared with a canary");
    assert_eq!(world.versions(), before);
    let rejected = world.offhours(&["template", "reject", "implementer@2"]).ok();
    assert!(rejected.stdout.contains("the canary c1 is over"), "{}", rejected.stdout);
    assert_eq!(events(&world.state()), ["canary_started", "rolled_back"]);
    world.offhours(&["template", "promote", "implementer@3"]).ok();
    let config = fs::read_to_string(world.path("config.toml")).unwrap();
    for (table, wanted) in [
        ("[canary]\nfraction = 0.0\n", "`fraction` in [canary] is 0: it has to be above 0 and below 1"),
        ("[canary]\nfraction = 1.0\n", "`fraction` in [canary] is 1"),
        ("[canary]\nmargin = -0.1\n", "`margin` in [canary] is -0.1"),
        (
            "[canary]\nmin_canary = 9\nmax_canary = 3\n",
            "`max_canary` in [canary] is 3, below `min_canary`, 9",
        ),
        ("[harvest]\nhorizon_days = 2\n", "`horizon_days` in [harvest] is 2, below `survival_days`, 3"),
    ] {
        fs::write(world.path("config.toml"), format!("{config}{table}")).unwrap();
        let answer = world.offhours(&["config", "check"]);
        assert_eq!(answer.code, 78, "{table}");
        assert!(answer.stderr.contains(wanted), "{table}: {}", answer.stderr);
    }
}

#[test]
fn a_template_taken_out_of_the_config_while_its_canary_lives_goes_on_as_it_was_kept() {
    let world = World::new();
    fs::write(world.path("careful.md"), TEXT).unwrap();
    let listed = "[template.careful]\nfile = \"careful.md\"\n[repo.\"me/app\"]\ntemplate = \"careful\"\n";
    world.configure(&["home:me/app"], listed);
    world.tick();
    world.offhours(&["template", "promote", "careful@1"]).ok();
    fs::write(world.path("careful.md"), TEXT.replace("two", "three")).unwrap();
    world.tick();
    world.offhours(&["template", "canary", "careful@2"]).ok();
    world.configure(&["home:me/app"], "[repo.\"me/app\"]\ntemplate = \"careful\"\n");
    let answer = world.offhours(&["harvest", "--json"]).ok().json();
    let said = items(&answer).into_iter().find(|i| text(i, "/reason") == "template-unlisted").unwrap();
    assert!(text(&said, "/sentence").contains("[template.careful] is not in the config any more"), "{said}");
    assert_eq!(world.versions(), ["careful@1 champion", "careful@2 canary", "implementer@1 champion"]);
    world.ready("me/app", "One", &[]);
    world.until_idle();
    let run = world.run_of("me/app#1");
    assert_eq!(text(&run, "/reason"), "landed");
    assert_eq!(text(&run, "/route/canary"), "c1");
}

/// Seeded by hand: the state of a long life. Ten thousand runs are over and fifty can still change.
#[test]
fn a_harvest_asks_only_about_what_can_still_change() {
    let world = World::new();
    world.ready("me/app", "Write a file", &[]);
    world.until_idle();
    for _ in 2..=50 {
        world.offhours(&["issue", "new", "me/app", "--title", "Done, then opened again"]).ok();
    }
    world.offhours(&["issue", "reopen", "me/app#1"]).ok();
    let conn = Connection::open(world.state()).unwrap();
    // The first run, forty-nine times on issues that are open: each that is asked about is found to be reopened. And ten
    // thousand times in a repo that is not there: each that is asked about would be an error.
    conn.execute_batch(
        "CREATE TEMP TABLE copies AS WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
           SELECT i, CASE WHEN i <= 50 THEN 'home:me/app' ELSE 'home:me/gone' END AS repo FROM n;
         CREATE TEMP TABLE one AS SELECT * FROM runs;
         UPDATE one SET id = 'x';
         INSERT INTO runs SELECT * FROM (SELECT r.* FROM runs r) WHERE 0;",
    )
    .unwrap();
    let columns: Vec<String> = conn
        .prepare("SELECT name FROM pragma_table_info('runs')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let copied: Vec<String> = columns
        .iter()
        .map(|c| match c.as_str() {
            "id" => "'s' || i".to_owned(),
            "repo" => "copies.repo".to_owned(),
            "number" => "i".to_owned(),
            other => format!("runs.{other}"),
        })
        .collect();
    conn.execute_batch(&format!(
        "BEGIN;
         INSERT INTO runs ({}) SELECT {} FROM runs, copies WHERE runs.number = 1;
         INSERT INTO routes SELECT 's' || i, routes.template, NULL, NULL, NULL FROM routes, copies;
         INSERT INTO outcomes (run, source, template, subject, dispatched_at, state, score, why, first_seen_at, changed_at, look_at)
           SELECT 's' || i, 'run', outcomes.template, copies.repo || '#' || i, outcomes.dispatched_at,
             CASE WHEN i <= 50 THEN 'pending' ELSE 'resolved' END, CASE WHEN i <= 50 THEN NULL ELSE 1.0 END,
             'surviving', 0, 0, 0 FROM outcomes, copies;
         INSERT INTO landed_commits SELECT copies.repo, 'c' || i, 's' || i FROM copies;
         COMMIT;",
        columns.join(", "),
        copied.join(", ")
    ))
    .unwrap();
    drop(conn);
    world.advance(3600);
    // A git that counts itself.
    let real = std::env::var("PATH").unwrap();
    let bin = world.path("bin");
    fs::create_dir(&bin).unwrap();
    world.script(
        "bin/git",
        &format!("#!/bin/sh\necho git >> {}\nPATH='{real}' exec git \"$@\"\n", world.path("calls").display()),
    );
    let output = world
        .command(&["harvest", "--json"])
        .env("PATH", format!("{}:{real}", bin.display()))
        .output()
        .unwrap();
    let answer = super::world::answer(&output).ok();
    let reopened = items(&answer.json()).iter().filter(|i| text(i, "/reason") == "reopened").count();
    assert_eq!(reopened, 50, "each of the fifty was asked about");
    assert_eq!(answer.stderr, "", "and none of the ten thousand");
    let calls = fs::read_to_string(world.path("calls")).unwrap().lines().count();
    assert!((1..=6).contains(&calls), "a branch is read once for all of its runs: {calls} git processes");
}
