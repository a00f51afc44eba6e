//! Setting up and switching off: `init`, `arm`, `off` with a broken configuration, a state file that is put back or taken
//! over, and what is left over by a holder that is gone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use super::world::{Answer, BINARY, World, answer, find, git};

/// A folder with a git repository whose remote lies in a local forge, and a PATH with one agent.
struct Fresh {
    temp: tempfile::TempDir,
}

impl Fresh {
    fn new() -> Self {
        let fresh = Self { temp: tempfile::Builder::new().prefix("offhours-it-").tempdir().unwrap() };
        for dir in ["home", "project", "bin"] {
            fs::create_dir_all(fresh.path(dir)).unwrap();
        }
        git(&fresh.path("project"), &["init", "-q", "--initial-branch=main"]);
        fresh
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.temp.path().join(below)
    }

    fn remote(&self, url: &str) {
        git(&self.path("project"), &["remote", "add", "origin", url]);
    }

    fn program(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(self.path("bin").join(name), "#!/bin/sh\n").unwrap();
        fs::set_permissions(self.path("bin").join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn offhours(&self, args: &[&str]) -> Answer {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let output = Command::new(BINARY)
            .args(args)
            .current_dir(self.path("project"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        answer(&output)
    }

    fn plain(&self, text: &str) -> String {
        text.replace(self.temp.path().to_str().unwrap(), "<here>")
    }

    fn config(&self) -> String {
        fs::read_to_string(self.path("home/.config/offhours/config.toml")).unwrap()
    }
}

#[test]
fn init_finds_out_what_it_can_and_writes_a_config_that_is_off() {
    let fresh = Fresh::new();
    fresh.remote(&format!("{}/tracker/me/project/repo.git", fresh.temp.path().display()));
    fresh.program("claude");
    fs::write(fresh.path("project/test.sh"), "").unwrap();
    let made = fresh.offhours(&["init", "--landing", "push"]).ok();
    insta::assert_snapshot!(fresh.plain(&made.stdout), @"
    <here>/home/.config/offhours/config.toml is written, switched off

      repo    me/project (from the remote origin)
      forge   local, <here>/tracker
      agent   claude, on your PATH
      tests   sh test.sh

    next:
      offhours doctor                    say what is missing, with a remedy each
      offhours arm me/project --dry-run  show what would start
      offhours arm me/project            switch it on
      offhours schedule install          have cron start a tick every two minutes
    ");
    insta::assert_snapshot!(fresh.plain(&fresh.config()), @r#"
    # offhours works while you are away. It is off: `offhours arm me/project` switches it on.
    # A line with # in front shows a default. `offhours config reference` explains every key.
    kill_switch = true
    allowlist = []

    landing = "push"                       # tested work goes straight to the branch
    verify = ["sh", "test.sh"]             # your tests, run before anything is pushed
    # budget_usd = 10                      # what one run may cost
    # daily_budget_usd = 40                # what all runs of a day may cost
    # max_running = 2                      # runs at the same time
    # dispatch_hours = ["22:00-06:00"]     # when work may start; always, if not set
    # ready_label = "ready-for-agent"      # you put it on an issue that is ready
    # human_label = "needs-human"          # offhours puts it on what comes back to you

    [forge.home]                           # issues as files, beside bare repositories
    kind = "local"
    path = "<here>/tracker"

    [runner.claude]                        # found on your PATH
    profile = "claude"
    argv = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions"]
    env = ["ANTHROPIC_API_KEY"]
    # wrap = ["bwrap", "..."]              # a sandbox; without one the agent is your user

    [[ci.stage]]                           # what has to be green after the push
    name = "test"
    argv = ["sh", "test.sh"]
    "#);
    let check = fresh.offhours(&["config", "check"]).ok();
    assert!(check.stdout.contains("off (the kill switch is on), 0 repos"), "{}", check.stdout);
    assert_eq!(fresh.offhours(&["poll"]).ok().stdout, "");
}

#[test]
fn init_writes_over_nothing_and_asks_what_it_cannot_know() {
    let fresh = Fresh::new();
    let unasked = fresh.offhours(&["init", "--local", "tracker"]);
    assert_eq!(unasked.code, 64, "{}", unasked.stderr);
    assert!(unasked.stderr.contains("--landing push"), "{}", unasked.stderr);
    assert!(!fresh.path("home/.config").exists());

    let dry = fresh.offhours(&["init", "--landing", "push", "--local", "tracker", "--dry-run"]).ok();
    assert!(dry.stdout.contains("kill_switch = true"), "{}", dry.stdout);
    assert!(!fresh.path("home/.config").exists(), "a dry run writes nothing");

    fresh.offhours(&["init", "--landing", "push", "--local", "tracker", "--repo", "me/a"]).ok();
    assert!(fresh.config().contains("/project/tracker\""), "a folder is written whole: {}", fresh.config());
    let before = fresh.config();
    let again = fresh.offhours(&["init", "--landing", "pull-request", "--local", "elsewhere"]);
    assert_eq!(again.code, 64);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    assert_eq!(fresh.config(), before);
    let left = find(&fresh.path("home"), "config.part");
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

#[test]
fn init_of_a_clone_from_a_host_names_its_kind() {
    let fresh = Fresh::new();
    fresh.remote("git@github.com:me/project.git");
    fresh.offhours(&["init", "--landing", "push"]).ok();
    assert!(fresh.config().contains("[forge.github]"), "{}", fresh.config());
    fresh.offhours(&["config", "check"]).ok();

    let other = Fresh::new();
    other.remote("https://git.example.org/me/project");
    let unknown = other.offhours(&["init", "--landing", "push"]);
    assert_eq!(unknown.code, 64);
    assert!(unknown.stderr.contains("git.example.org"), "{}", unknown.stderr);
    other.offhours(&["init", "--landing", "push", "--forge", "github"]).ok();
    let text = other.config();
    assert!(
        text.contains("url = \"https://git.example.org\"") && text.contains("kind = \"forge\""),
        "{text}"
    );
}

/// The config keeps its comments; what would start is told with its reason, also before anything is armed.
#[test]
fn arm_shows_what_would_start_and_keeps_every_comment() {
    let world = World::new();
    world.edit_config(
        "kill_switch = false\nallowlist = [\"home:me/app\"]",
        "kill_switch = true # mine\n# a list\nallowlist = [] # empty",
    );
    let first = world.ready("me/app", "Goes first", &["--priority", "5"]);
    let second = world.ready("me/app", "Waits", &[]);
    let before = fs::read_to_string(world.path("config.toml")).unwrap();

    let refused = world.offhours(&["arm", "me/app"]);
    assert_eq!(refused.code, 64, "labels older than arming are not taken up unasked");
    assert!(
        refused.stderr.contains("#1 Goes first") && refused.stderr.contains("--include-existing"),
        "{}",
        refused.stderr
    );

    let dry = world.offhours(&["arm", "me/app", "--include-existing", "--dry-run"]).ok();
    insta::assert_snapshot!(world.plain(&dry.stdout), @"
    home:me/app would be armed in <world>/config.toml
      starts with the next tick: #1 Goes first
      does not start: #2 Waits
        lower-priority: #1 goes first in this repository
    ");
    assert_eq!(fs::read_to_string(world.path("config.toml")).unwrap(), before);
    assert!(!world.path("one").exists(), "a preview makes no state file");

    world.offhours(&["arm", "me/app", "--include-existing"]).ok();
    let after = fs::read_to_string(world.path("config.toml")).unwrap();
    assert!(
        after.contains("kill_switch = false # mine\n# a list\nallowlist = [\"home:me/app\"] # empty\n"),
        "{after}"
    );
    assert_eq!((first, second), (1, 2));
    assert_eq!(world.tick(), ["me/app#1 dispatched"], "it starts what the preview said");
    world.jobs_end();
    let twice = world.offhours(&["arm", "me/app"]).ok();
    assert!(twice.stdout.contains("is armed"), "{}", twice.stdout);
    assert_eq!(fs::read_to_string(world.path("config.toml")).unwrap(), after, "arming twice changes nothing");

    // A configuration that is a link into somebody's dotfiles stays one.
    world.repo("me/lib");
    fs::rename(world.path("config.toml"), world.path("dotfile.toml")).unwrap();
    symlink("dotfile.toml", world.path("config.toml")).unwrap();
    world.offhours(&["arm", "me/lib"]).ok();
    assert_eq!(fs::read_link(world.path("config.toml")).unwrap(), Path::new("dotfile.toml"));
    assert!(fs::read_to_string(world.path("dotfile.toml")).unwrap().contains("\"home:me/lib\""));
}

/// Whatever the configuration looks like: first the file, then the sentence.
#[test]
fn off_works_with_any_configuration() {
    let good = {
        let world = World::new();
        fs::read_to_string(world.path("config.toml")).unwrap()
    };
    for (what, text) in [
        ("no TOML", "kill_switch = = false\n[[[".to_owned()),
        ("an unknown key", format!("kill_swich = false\n{good}")),
        ("no text", "\u{0}".to_owned()),
        ("empty", "allowlist = [\"nowhere:a/b\"]".to_owned()),
    ] {
        let world = World::new();
        fs::write(world.path("config.toml"), text).unwrap();
        let off = world.offhours(&["off"]);
        assert_eq!(off.code, 78, "{what}: {}", off.stderr);
        assert!(world.path("one/off").exists(), "{what}: {}", off.stderr);
        assert!(
            off.stderr.contains("it is off, but the configuration cannot be used"),
            "{what}: {}",
            off.stderr
        );
        // Mended, it is off.
        world.configure(&["home:me/app"], "");
        world.ready("me/app", "Ready", &[]);
        assert_eq!(world.tick(), Vec::<String>::new(), "{what}");
        world.offhours(&["resume"]).ok();
        assert_eq!(world.tick(), ["me/app#1 dispatched"], "{what}");
        world.jobs_end();
    }
    let world = World::new();
    fs::remove_file(world.path("config.toml")).unwrap();
    let off = world.offhours(&["off"]);
    assert_eq!(off.code, 78, "{}", off.stderr);
    assert!(world.path("one/off").exists(), "without any configuration, too");
}

#[test]
fn off_now_ends_turns_with_a_broken_configuration() {
    let world = World::new();
    world.configure(
        &["home:me/app"],
        "kill_switch = false\nkill_switch_file = \"elsewhere/off\"\n---\n[workspace]\nroot = \"runs\"\n",
    );
    world.agent("sleep 600\n");
    world.ready("me/app", "Something long", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.edit_config("landing =", "landing = = ");
    let off = world.offhours(&["off", "--now"]);
    assert_eq!(off.code, 78, "{}", off.stderr);
    assert!(off.stdout.contains("ended: home:me/app#1 turn 1"), "{}{}", off.stdout, off.stderr);
    assert!(world.path("elsewhere/off").exists(), "the file that the broken config names");
    world.jobs_end();
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// The file that `off` makes without a configuration counts beside one that is put elsewhere.
#[test]
fn the_usual_switch_file_always_counts() {
    let world = World::new();
    world.configure(&["home:me/app"], "kill_switch = false\nkill_switch_file = \"elsewhere/off\"\n---\n");
    world.ready("me/app", "Ready", &[]);
    fs::create_dir_all(world.path("one")).unwrap();
    world.touch("one/off");
    assert_eq!(world.tick(), Vec::<String>::new());
    let resumed = world.offhours(&["resume"]).ok();
    assert!(resumed.stdout.contains("is removed"), "{}", resumed.stdout);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.jobs_end();
}

fn move_to_another_machine(world: &World) {
    world.edit_config("machine = \"test\"", "machine = \"other\"");
}

/// Yesterday's state file on another machine: refused, taken over on demand, nothing started twice, nothing old sent.
#[test]
fn yesterdays_state_file_on_another_machine() {
    let world = World::new();
    world.agent("sleep 600\n");
    world.ready("me/app", "In work when the copy is made", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    let copy = world.path("yesterday.db");
    world.offhours(&["state", "backup", copy.to_str().unwrap()]).ok();
    // A notice that was still to be sent then.
    rusqlite::Connection::open(&copy)
        .unwrap()
        .execute(
            "INSERT INTO outbox (key, notifier, kind, title, body, created_at) VALUES ('old', 'sink', 'done', 'old news', '', 1)",
            [],
        )
        .unwrap();

    let other = "two";
    fs::create_dir_all(world.path(other)).unwrap();
    fs::copy(&copy, world.path("two/state.db")).unwrap();
    let before = fs::read_to_string(world.path("config.toml")).unwrap();
    move_to_another_machine(&world);
    let on_two = |args: &[&str]| {
        let mut line = vec!["--state", "two/state.db"];
        line.extend(args);
        let mut command = Command::new(BINARY);
        command.args(["--config", "config.toml"]).args(&line).current_dir(world.path(""));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", world.path("home"));
        command.env("OFFHOURS_CLOCK_FILE", world.path("clock")).stdin(Stdio::null());
        answer(&command.output().unwrap())
    };
    let refused = on_two(&["tick"]);
    assert_eq!(refused.code, 78, "{}", refused.stderr);
    assert!(refused.stderr.contains("offhours state adopt"), "the way out is named: {}", refused.stderr);

    let adopted = on_two(&["state", "adopt"]).ok();
    assert!(adopted.stdout.contains("1 old notices are not sent"), "{}", adopted.stdout);
    assert!(adopted.stdout.contains("offhours run release home:me/app#1"), "{}", adopted.stdout);
    for _ in 0..3 {
        let tick = on_two(&["tick", "--json"]);
        assert_eq!(tick.code, 0, "{}", tick.stderr);
        assert!(super::world::acted(&tick).is_empty(), "{}", tick.stdout);
    }
    assert!(!world.notices().iter().any(|n| n["title"] == "old news"));
    assert_eq!(find(&world.path("two"), "started"), Vec::<std::path::PathBuf>::new(), "no second turn");
    let why = on_two(&["why", "me/app#1"]).ok();
    assert!(why.stdout.contains("claimed: another host has claimed it"), "{}", why.stdout);

    // The first machine goes on with what is its own.
    fs::write(world.path("config.toml"), before).unwrap();
    world.offhours(&["off", "--now"]).ok();
    world.jobs_end();
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn a_copy_is_put_back_by_restore_and_the_first_tick_only_looks() {
    let world = World::new();
    world.ready("me/app", "Landed before", &[]);
    world.until_idle();
    let copy = world.path("copy.db");
    world.offhours(&["state", "backup", copy.to_str().unwrap()]).ok();
    world.ready("me/app", "Landed since", &[]);
    world.until_idle();
    let sent = world.notices().len();

    let restored = world.offhours(&["state", "restore", copy.to_str().unwrap()]).ok();
    assert!(restored.stdout.contains("the old one is "), "{}", restored.stdout);
    world.ready("me/app", "New", &[]);
    assert_eq!(world.tick(), Vec::<String>::new(), "the first tick starts nothing");
    assert_eq!(world.tick(), ["me/app#3 dispatched"]);
    world.jobs_end();
    world.until_idle();
    let told: Vec<String> =
        world.notices()[sent..].iter().map(|n| n["title"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["me/app#3: landed"], "nothing of before is told again");

    for (file, words) in [
        ("gone.db", "there is no file gone.db"),
        ("config.toml", "config.toml cannot be put back: "),
        ("config.toml", "not a database"),
    ] {
        let refused = world.offhours(&["state", "restore", file]);
        assert!(matches!(refused.code, 64 | 75), "{}", refused.stderr);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("name a file that `offhours state backup` made"),
            "{}",
            refused.stderr
        );
        assert_eq!(world.run_of("me/app#3")["reason"], "landed", "and nothing was changed");
    }
}

/// An in-progress label that nobody stands behind: said as it is, and taken away by `run release`.
#[test]
fn a_label_left_over_is_told_and_released() {
    let world = World::new();
    world.ready("me/app", "Left over", &["--label", "agent-in-progress"]);
    world.ready("me/app", "Locked out", &[]);
    world.offhours(&["tick"]);
    let why = world.offhours(&["why", "me/app#1"]).ok();
    assert!(why.stdout.contains("orphan-label"), "{}", why.stdout);
    assert!(why.stdout.contains("nobody claims it"), "{}", why.stdout);
    assert_eq!(world.reason("me/app#2"), "repo-locked");
    assert!(world.notices().iter().any(|n| n["title"] == "alarm: orphan-label:home:me/app#1"));

    let released = world.offhours(&["run", "release", "me/app#1"]).ok();
    assert!(released.stdout.contains("the label agent-in-progress is taken away"), "{}", released.stdout);
    assert_eq!(world.labels("me/app", 1), ["ready-for-agent"]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    assert!(world.notices().iter().any(|n| n["title"] == "recovered: orphan-label:home:me/app#1"));
    world.jobs_end();
}

#[test]
fn a_new_issue_tells_its_file() {
    let world = World::new();
    let new = world.offhours(&["issue", "new", "me/app", "--title", "Where am I?"]).ok();
    let path = new.stdout.lines().nth(1).unwrap();
    assert!(fs::read_to_string(Path::new(path)).unwrap().contains("Where am I?"), "{}", new.stdout);
}

/// The state file is gone while an agent works: both screens say what becomes of it, the first tick only takes the run up,
/// and nothing is started or said twice.
#[test]
fn a_lost_state_file_is_told_and_what_was_in_work_is_taken_up() {
    let world = World::new();
    world.agent("sleep 600\n");
    world.ready("me/app", "In work when the file is lost", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    let copy = world.path("copy.db");
    world.offhours(&["state", "backup", copy.to_str().unwrap()]).ok();
    world.lose_state();
    // An empty file is none. Both screens say it before anything has run, and what to do.
    fs::write(world.state(), "").unwrap();
    for args in [&["status"][..], &["why", "me/app#1"]] {
        let screen = world.offhours(args).ok().stdout.replace("\n    ", " ");
        for words in ["left behind by a state file", "next tick goes on with it, if its claim still stands"] {
            assert!(screen.contains(words), "{words}: {screen}");
        }
    }
    assert!(world.offhours(&["status"]).stdout.contains("offhours state restore FILE"));
    assert_eq!(fs::read(world.state()).unwrap(), b"", "looking makes none");
    // Whoever makes the new file, it is known that one was lost.
    world.offhours(&["pause", "me/app", "--for", "1h"]).ok();
    world.offhours(&["resume", "me/app"]).ok();
    assert_eq!(world.tick(), ["me/app#1 taken-up"]);
    for _ in 0..2 {
        let next = world.offhours(&["tick", "--json"]).ok();
        assert!(
            super::world::acted(&next).is_empty() && next.stderr.is_empty(),
            "{} {}",
            next.stdout,
            next.stderr
        );
    }
    assert_eq!(world.reason("me/app#1"), "working");
    assert!(world.notices().is_empty());
    let spend = world.offhours(&["spend", "--json"]).ok().json();
    assert_eq!(spend["items"][0]["complete"], false, "what was spent before is not known");
    // Put back, the older file knows its own run as well.
    world.offhours(&["state", "restore", copy.to_str().unwrap()]).ok();
    world.offhours(&["off", "--now"]).ok();
    world.jobs_end();
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// What stops everything works without a state file, too, and nothing is thrown away that was in work.
#[test]
fn without_its_state_file_a_turn_can_be_ended_and_no_work_is_purged() {
    let world = World::new();
    world.agent("sleep 600\n");
    world.ready("me/app", "In work when the file is lost", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.lose_state();
    let refused = world.offhours(&["uninstall", "--purge"]);
    assert_eq!(refused.code, 64, "{}", refused.stdout);
    assert!(refused.stderr.contains("in work when the state file was lost"), "{}", refused.stderr);
    assert_ne!(world.processes(), Vec::<String>::new());
    let told = world.offhours(&["off", "--now"]).ok();
    assert!(told.stdout.contains("ended: home:me/app#1 turn 1"), "{}", told.stdout);
    world.jobs_end();
    assert_eq!(world.processes(), Vec::<String>::new());
    let status = world.offhours(&["status"]).ok().stdout.replace("\n    ", " ");
    assert!(status.contains("The next tick after `offhours resume` goes on with it"), "{status}");
    world.offhours(&["resume"]).ok();
    assert_eq!(world.tick(), ["me/app#1 taken-up"]);
    world.agent(super::world::GOOD_AGENT);
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "landed");
}
