//! What `poll` starts, and what it leaves alone and why.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::world::{BINARY, World, find};

/// An agent that waits until the file `go` is there: its run is in flight.
fn patient(world: &World) {
    let go = world.path("go");
    world.agent(&format!("while [ ! -e {} ]; do sleep 0.02; done\n", go.display()));
}

/// Lets the patient agent end, so that no process is left behind.
fn let_go(world: &World) {
    world.touch("go");
    world.jobs_end();
}

#[test]
fn the_default_config_starts_nothing_and_says_nothing() {
    let world = World::new();
    world.ready("me/app", "Ready", &[]);
    let tracker = world.path("tracker");
    for text in ["", "allowlist = []\n", "[forge.home]\nkind = \"local\"\npath = \"tracker\"\n"] {
        fs::write(world.path("config.toml"), text).unwrap();
        let mut locked = fs::metadata(&tracker).unwrap().permissions();
        locked.set_mode(0o000);
        fs::set_permissions(&tracker, locked.clone()).unwrap();
        let answer = world.offhours(&["poll"]);
        locked.set_mode(0o755);
        fs::set_permissions(&tracker, locked).unwrap();
        assert_eq!((answer.code, answer.stdout.as_str(), answer.stderr.as_str()), (0, "", ""), "{text}");
        assert!(!world.path("one").exists());
    }
}

#[test]
fn the_default_config_opens_no_state_file_and_no_connection() {
    let world = World::new();
    fs::write(world.path("config.toml"), "").unwrap();
    let trace = world.path("trace");
    let traced = Command::new("strace")
        .args(["-f", "-e", "trace=%network,openat,open,mkdir,mkdirat", "-o"])
        .arg(&trace)
        .arg(BINARY)
        .arg("--config")
        .arg(world.path("config.toml"))
        .arg("--state")
        .arg(world.state())
        .arg("poll")
        .output();
    // Not every machine has the tool, or may use it; the test before this one holds there.
    let Ok(true) = traced.map(|t| t.status.success()) else { return };
    let text = fs::read_to_string(&trace).unwrap();
    assert!(text.contains("config.toml"), "{text}");
    for word in ["socket(", "connect(", "state.db", "mkdir"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn nothing_starts_while_the_switch_is_on() {
    let world = World::new();
    let number = world.ready("me/app", "Ready", &[]);
    world.edit_config("kill_switch = false", "kill_switch = true");
    assert_eq!(world.offhours(&["poll", "--json"]).ok().json()["outcome"], "off");
    world.edit_config("kill_switch = true", "kill_switch = false");
    let by_variable = world.command(&["poll"]).env("OFFHOURS_KILL_SWITCH", "on").output().unwrap();
    assert!(by_variable.status.success() && by_variable.stdout.is_empty());
    world.offhours(&["off"]).ok();
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.labels("me/app", number), ["ready-for-agent"]);
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    world.offhours(&["resume"]).ok();
    assert_eq!(world.poll(), ["me/app#1 dispatched"]);
    world.jobs_end();
}

#[test]
fn a_switch_that_cannot_be_read_is_an_error() {
    let world = World::new();
    let answer = world.command(&["poll"]).env("OFFHOURS_KILL_SWITCH", "perhaps").output().unwrap();
    assert_eq!(answer.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("OFFHOURS_KILL_SWITCH"));
}

#[test]
fn nothing_starts_with_an_empty_allowlist() {
    let world = World::new();
    world.ready("me/app", "Ready", &[]);
    world.configure(&[], "");
    let answer = world.offhours(&["poll"]).ok();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
    assert!(!world.path("one").exists());
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
}

#[test]
fn the_label_comes_after_the_dispatch_with_the_configured_name() {
    let world = World::new();
    world.configure(&["home:me/app"], "in_progress_label = \"robot\"\n---\n");
    patient(&world);
    let number = world.ready("me/app", "Ready", &[]);
    assert_eq!(world.poll(), ["me/app#1 dispatched"]);
    assert_eq!(world.labels("me/app", number), ["ready-for-agent", "robot"]);
    assert_eq!(world.claims("me/app"), ["refs/offhours/claim/1", "refs/offhours/slot"]);
    let_go(&world);
}

#[test]
fn the_prompt_names_the_issue_with_its_repo() {
    let world = World::new();
    patient(&world);
    world.ready_saying("me/app", "Count the stars", "All of them.");
    let shown = world.offhours(&["prompt", "me/app#1"]).ok().stdout;
    assert!(
        shown.contains("me/app#1") && shown.contains("Count the stars") && shown.contains("All of them.")
    );
    world.poll();
    let sent = find(&world.path("one"), "prompt.md");
    assert_eq!(sent.len(), 1);
    let sent = fs::read_to_string(&sent[0]).unwrap();
    assert!(sent.contains("me/app#1") && sent.contains("Count the stars") && sent.contains("All of them."));
    let_go(&world);
}

#[test]
fn a_repo_with_an_issue_in_progress_is_locked_while_another_goes_ahead() {
    let world = World::new();
    world.repo("me/lib");
    world.configure(&["home:me/app", "home:me/lib"], "max_running = 9\n---\n");
    patient(&world);
    world.ready("me/app", "First", &[]);
    assert_eq!(world.poll(), ["me/app#1 dispatched"]);
    world.ready("me/app", "Second", &[]);
    world.ready("me/lib", "Other", &[]);
    assert_eq!(world.poll(), ["me/app#1 already-running", "me/app#2 repo-locked", "me/lib#1 dispatched"]);
    let_go(&world);
}

#[test]
fn a_ready_issue_with_a_foreign_in_progress_label_locks_its_repo() {
    let world = World::new();
    world.ready("me/app", "Somebody works on it", &["--label", "agent-in-progress"]);
    world.ready("me/app", "Another", &[]);
    assert_eq!(world.poll(), ["me/app#1 orphan-label", "me/app#2 repo-locked"]);
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
}

#[test]
fn of_priorities_one_nine_and_five_nine_goes_first() {
    let world = World::new();
    patient(&world);
    for priority in ["1", "9", "5"] {
        world.ready("me/app", "Some", &["--priority", priority]);
    }
    assert_eq!(world.poll(), ["me/app#1 lower-priority", "me/app#2 dispatched", "me/app#3 lower-priority"]);
    let_go(&world);
}

#[test]
fn priorities_are_read_from_labels_too() {
    let world = World::new();
    patient(&world);
    for label in ["priority:1", "P1", "priority:900", "priority:lots"] {
        world.ready("me/app", "Some", &["--label", label]);
    }
    assert!(world.poll().contains(&"me/app#2 dispatched".to_owned()));
    let_go(&world);
}

#[test]
fn a_blocked_issue_waits_for_its_blocker() {
    let world = World::new();
    world.agent("exit 0");
    world.repo("me/lib");
    world.configure(&["home:me/app", "home:me/lib"], "");
    for repo in ["me/app", "me/lib"] {
        world.offhours(&["issue", "new", repo, "--title", "The blocker"]).ok();
    }
    world.ready("me/app", "By its front matter", &["--blocked-by", "1", "--priority", "9"]);
    world.ready_saying("me/lib", "By its words", "Do it.\n\nBLOCKED BY #1, please.\n");
    assert_eq!(world.poll(), ["me/app#2 blocked", "me/lib#2 blocked"]);
    world.offhours(&["issue", "close", "me/app#1"]).ok();
    assert_eq!(world.poll(), ["me/app#2 dispatched", "me/lib#2 blocked"]);
    world.offhours(&["issue", "close", "me/lib#1"]).ok();
    assert!(world.poll().contains(&"me/lib#2 dispatched".to_owned()));
    world.jobs_end();
}

#[test]
fn a_blocker_that_cannot_be_read_blocks() {
    let world = World::new();
    world.ready_saying("me/app", "Gone", "Blocked by #77");
    world.ready_saying("me/app", "Elsewhere", "Blocked by other/repo#3");
    assert_eq!(world.poll(), ["me/app#1 blocker-unreadable", "me/app#2 blocker-unreadable"]);
}

#[test]
fn only_allowlisted_repos_are_read() {
    let world = World::new();
    world.repo("me/lib");
    world.ready("me/lib", "Not asked for", &[]);
    fs::remove_dir_all(world.bare("me/lib")).unwrap();
    fs::write(world.path("tracker/me/lib/issues/0002.md"), "broken").unwrap();
    assert_eq!(world.poll(), Vec::<String>::new());
    assert_eq!(world.offhours(&["tick"]).ok().stderr, "");
    assert!(world.offhours(&["why", "me/lib#1"]).ok().stdout.contains("not in the allowlist"));
}

#[test]
fn a_failed_dispatch_leaves_nothing_and_is_tried_again_until_the_breaker_parks_the_runner() {
    let world = World::new();
    world.configure(&["home:me/app"], "[runner.agent]\nargv = [\"no-such-agent\"]\n");
    let number = world.ready("me/app", "Ready", &[]);
    let first = world.offhours(&["poll"]);
    assert_eq!(first.code, 75);
    assert!(
        first.stderr.contains("no-such-agent") && first.stderr.contains("Install it"),
        "{}",
        first.stderr
    );
    assert_eq!(world.labels("me/app", number), ["ready-for-agent"]);
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    assert_eq!(world.comments("me/app", number), Vec::<String>::new());
    assert_eq!(world.poll(), ["me/app#1 back-off"]);

    // After the back-off it is tried again; the second equal failure parks the runner.
    world.advance(61);
    assert_eq!(world.poll(), ["me/app#1 not-started"]);
    world.advance(3600);
    assert_eq!(world.poll(), ["me/app#1 parked"]);
    let kinds: Vec<_> = world.notices().iter().map(|n| n["kind"].clone()).collect();
    assert_eq!(kinds, ["alarm"]);
    assert!(world.offhours(&["status"]).ok().stdout.contains("agent until `offhours resume` (breaker)"));
    assert_eq!(world.offhours(&["poll", "--json"]).ok().json()["outcome"], "parked");

    // Not mended: the alarm is raised anew.
    world.offhours(&["resume"]).ok();
    assert!(!world.offhours(&["status"]).ok().stdout.contains("ALARM"));
    for _ in 0..2 {
        assert_eq!(world.poll(), ["me/app#1 not-started"]);
        world.advance(3600);
    }
    assert_eq!(world.poll(), ["me/app#1 parked"]);
    let kinds: Vec<_> = world.notices().iter().map(|n| n["kind"].clone()).collect();
    assert_eq!(kinds, ["alarm", "recovered", "alarm"]);

    // Mended: no attempt was used, nothing was handed back.
    world.configure(&["home:me/app"], "");
    world.offhours(&["resume"]).ok();
    assert_eq!(world.poll(), ["me/app#1 dispatched"]);
    assert_eq!(world.run_of("me/app#1")["attempt"], 1);
    world.jobs_end();
    world.until_idle();
    assert!(world.labels("me/app", number).is_empty());
}

#[test]
fn a_hook_that_fails_before_the_agent_is_a_failed_dispatch() {
    let world = World::new();
    world.configure(&["home:me/app"], "[workspace]\nbefore_turn = [\"false\"]\n");
    let number = world.ready("me/app", "Ready", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.jobs_end();
    assert_eq!(world.tick(), ["me/app#1 not-started"]);
    assert_eq!(world.labels("me/app", number), ["ready-for-agent"]);
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    assert_eq!(world.reason("me/app#1"), "back-off");
}

/// The failure ends in other words each time, as one with a dated path does; it is the same, and it is told in one comment.
#[test]
fn a_hook_that_fails_all_night_is_one_comment_and_an_alarm() {
    let world = World::new();
    let hook = "[workspace]\nbefore_turn = [\"sh\", \"-c\", \"date +%s%N; exit 3\"]\n";
    world.configure(&["home:me/app"], &format!("breaker = 4\n---\n{hook}"));
    world.ready("me/app", "Ready", &[]);
    for _ in 0..12 {
        world.tick();
        world.jobs_end();
        world.advance(1800);
    }
    assert_eq!(world.reason("me/app#1"), "parked");
    assert_eq!(world.comments("me/app", 1).len(), 1, "{:#?}", world.comments("me/app", 1));
    let alarms = world.notices().iter().filter(|n| n["kind"] == "alarm").count();
    assert_eq!(alarms, 1);
    // Mended, the work is told in the same comment, and its end in another.
    world.configure(&["home:me/app"], "");
    world.offhours(&["resume"]).ok();
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
    assert_eq!(world.comments("me/app", 1).len(), 2, "{:#?}", world.comments("me/app", 1));
}

#[test]
fn a_handed_back_issue_waits_for_a_fresh_label() {
    let world = World::new();
    world.agent("exit 0");
    world.configure(&["home:me/app"], "max_attempts_per_issue = 2\n---\n");
    let number = world.ready("me/app", "Hopeless", &[]);
    assert_eq!(world.until_idle(), ["me/app#1 dispatched", "me/app#1 nothing-done"]);
    assert_eq!(world.labels("me/app", number), ["needs-human"]);
    world.advance(86_400);
    assert_eq!(world.until_idle(), Vec::<String>::new());
    let before = world.issue_text("me/app", number);
    let told = world.offhours(&["run", "retry", "me/app#1", "--dry-run"]).ok().stdout;
    assert_eq!(
        (told.as_str(), world.issue_text("me/app", number)),
        ("dry run: would make ready again home:me/app#1\n", before)
    );
    world.offhours(&["run", "retry", "me/app#1"]).ok();
    assert_eq!(world.labels("me/app", number), ["ready-for-agent"]);
    assert!(world.issue_text("me/app", number).contains("by = \"ada\""), "by the person at the keyboard");
    assert_eq!(world.poll(), ["me/app#1 dispatched"]);
    assert_eq!(world.run_of("me/app#1")["attempt"], 1);
    world.jobs_end();
}

#[test]
fn no_more_runs_at_once_than_max_running() {
    let world = World::new();
    for repo in ["me/b", "me/c"] {
        world.repo(repo);
        world.ready(repo, "Some", &[]);
    }
    world.ready("me/app", "Some", &[]);
    patient(&world);
    world.configure(&["home:me/app", "home:me/b", "home:me/c"], "");
    assert_eq!(world.poll(), ["me/app#1 dispatched", "me/b#1 dispatched", "me/c#1 max-running"]);
    let_go(&world);
    assert!(world.until_idle().contains(&"me/c#1 dispatched".to_owned()));
}

#[test]
fn the_runs_of_a_day_are_bounded_and_the_next_day_begins_anew() {
    let world = World::new();
    world.configure(&["home:me/app"], "max_runs_per_day = 1\n---\n");
    world.ready("me/app", "Today", &[]);
    world.ready("me/app", "Tomorrow", &[]);
    world.until_idle();
    assert_eq!(world.reason("me/app#2"), "runs-per-day");
    world.advance(86_400);
    assert_eq!(world.poll(), ["me/app#2 dispatched"]);
    world.jobs_end();
}

#[test]
fn the_daily_budget_counts_unknown_cost_as_reserved() {
    let world = World::new();
    world.configure(&["home:me/app"], "budget_usd = 10.0\ndaily_budget_usd = 19.0\n---\n");
    world.ready("me/app", "Today", &[]);
    world.ready("me/app", "Tomorrow", &[]);
    world.until_idle();
    assert_eq!(world.reason("me/app#2"), "daily-budget");
    world.advance(86_400);
    assert_eq!(world.poll(), ["me/app#2 dispatched"]);
    world.jobs_end();
}

#[test]
fn known_cost_is_what_counts_against_the_daily_budget() {
    let world = World::new();
    world.configure(&["home:me/app"], "budget_usd = 10.0\ndaily_budget_usd = 19.0\n---\n");
    world.agent("printf '{\"cost_usd\": 0.5}' > \"$OFFHOURS_RESULT\"\n");
    world.ready("me/app", "Cheap", &[]);
    world.ready("me/app", "Also today", &[]);
    assert!(world.until_idle().contains(&"me/app#2 dispatched".to_owned()));
}

#[test]
fn the_monthly_budget_ends_with_the_month() {
    let world = World::new();
    world.configure(&["home:me/app"], "budget_usd = 10.0\nmonthly_budget_usd = 15.0\n---\n");
    world.ready("me/app", "This month", &[]);
    world.ready("me/app", "Next month", &[]);
    world.until_idle();
    assert_eq!(world.reason("me/app#2"), "monthly-budget");
    world.advance(10 * 86_400);
    assert_eq!(world.poll(), ["me/app#2 monthly-budget"]);
    world.advance(21 * 86_400);
    assert_eq!(world.poll(), ["me/app#2 dispatched"]);
    world.jobs_end();
}

#[test]
fn work_starts_in_the_dispatch_hours_only() {
    let world = World::new();
    world.configure(&["home:me/app"], "dispatch_hours = [\"22:00-06:00\"]\n---\n");
    world.ready("me/app", "At night", &[]);
    assert_eq!(world.poll(), ["me/app#1 outside-hours"]);
    world.advance(13 * 3600);
    assert_eq!(world.poll(), ["me/app#1 dispatched"]);
    world.jobs_end();
}

#[test]
fn pauses_hold_the_host_or_one_repo_until_their_end() {
    let world = World::new();
    world.repo("me/lib");
    world.configure(&["home:me/app", "home:me/lib"], "");
    patient(&world);
    world.ready("me/app", "Some", &[]);
    world.ready("me/lib", "Some", &[]);
    world.offhours(&["pause", "--for", "2h"]).ok();
    assert_eq!(world.poll(), ["me/app#1 paused", "me/lib#1 paused"]);
    assert!(
        world.offhours(&["status"]).ok().stdout.contains("paused: everything until 2026-03-02 12:00 UTC")
    );
    world.offhours(&["pause", "me/app"]).ok();
    world.advance(7200);
    assert_eq!(world.poll(), ["me/app#1 paused", "me/lib#1 dispatched"]);
    world.offhours(&["resume", "me/app"]).ok();
    assert!(world.poll().contains(&"me/app#1 dispatched".to_owned()));
    let_go(&world);
}

#[test]
fn what_runs_is_landed_during_a_pause() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.offhours(&["pause"]).ok();
    world.jobs_end();
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}

#[test]
fn nothing_starts_in_a_repo_whose_base_is_red() {
    let world = World::new();
    world.configure(
        &["home:me/app"],
        "[ci]\nrerun = 0\n[[ci.stage]]\nname = \"deep\"\nargv = [\"sh\", \"-c\", \"[ ! -e broken ]\"]\n",
    );
    // A person's commit is red under a stage that verify does not know; a run finds out.
    world.person_pushes("me/app", "broken", "yes\n");
    world.ready("me/app", "First", &[]);
    assert_eq!(world.until_idle().last().map(String::as_str), Some("me/app#1 base-red"));
    let second = world.ready("me/app", "Second", &[]);
    assert_eq!(world.poll(), ["me/app#2 base-red"]);
    assert_eq!(world.labels("me/app", second), ["ready-for-agent"]);
    world.offhours(&["resume", "me/app"]).ok();
    world.jobs_end();
    assert_eq!(world.poll(), ["me/app#2 base-red"]);
}
