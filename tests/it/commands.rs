//! What commands answer by hand and to scripts: texts, the envelope, exit codes; and that one broken repo is alone with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::world::{Answer, GOOD_AGENT, World, acted, git};

/// Every file below a folder with its content.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(tree(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

/// One JSON document in the one shape, and nothing beside it.
#[track_caller]
fn envelope(answer: &Answer, command: &str) -> Value {
    assert_eq!(answer.stdout.trim().lines().count(), 1, "{command}: {}", answer.stdout);
    let json = answer.json();
    assert_eq!(json["schema"], 1, "{command}");
    let outcomes = ["acted", "idle", "locked", "parked", "off", "partial"];
    assert!(json["outcome"].as_str().is_some_and(|o| outcomes.contains(&o)), "{command}: {json}");
    assert!(json["items"].is_array() && json["errors"].is_array(), "{command}: {json}");
    assert!(json["command"].is_string(), "{command}: {json}");
    json
}

#[test]
fn every_command_answers_in_the_one_envelope() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.until_idle();
    for (line, command) in [
        ("poll", "poll"),
        ("watch", "watch"),
        ("tick", "tick"),
        ("tick --dry-run", "tick"),
        ("poll --dry-run --assume-armed", "poll"),
        ("status", "status"),
        ("why", "why"),
        ("why me/app", "why"),
        ("why me/app#1", "why"),
        ("why me/app#1 --live", "why"),
        ("run list", "run list"),
        ("run list --all", "run list"),
        ("run show me/app#1", "run show"),
        ("run log me/app#1", "run log"),
        ("run release me/app#1", "run release"),
        ("config check", "config"),
        ("config show", "config"),
        ("config show --effective", "config"),
        ("config reference", "config"),
        ("prompt me/app#1", "prompt"),
        ("issue list me/app --all", "issue"),
        ("issue show me/app#1", "issue"),
        ("issue comment me/app#1 hello", "issue"),
        ("issue label me/app#1 --add x", "issue"),
        ("issue reopen me/app#1", "issue"),
        ("issue close me/app#1", "issue"),
        ("issue new me/app --title T", "issue"),
        ("pr list me/app", "pr"),
        ("state check", "state"),
        ("pause --for 1h", "pause"),
        ("resume", "resume"),
        ("off", "off"),
        ("poll", "poll"),
        ("arm me/app", "arm"),
        ("resume", "resume"),
        ("run once me/app#1", "run once"),
    ] {
        let mut args: Vec<&str> = line.split(' ').collect();
        args.push("--json");
        let answer = world.offhours(&args);
        assert!(matches!(answer.code, 0 | 75), "{line}: {} {}", answer.code, answer.stderr);
        assert_eq!(envelope(&answer, line)["command"], command, "{line}");
    }
}

#[test]
fn failures_are_in_the_envelope_too() {
    let world = World::new();
    for line in ["run show me/app#9", "run stop r0000000", "run show nobody", "state check"] {
        let mut args: Vec<&str> = line.split(' ').collect();
        args.push("--json");
        let answer = world.offhours(&args);
        assert_eq!(answer.code, 64, "{line}: {}", answer.stderr);
        let json = envelope(&answer, line);
        assert_eq!(json["errors"][0]["exit_code"], 64, "{line}");
    }
}

#[test]
fn unknown_things_are_a_usage_error() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    for line in [
        "frobnicate",
        "poll --frob",
        "run show rffffff1",
        "run log me/app#77",
        "run stop rffffff1",
        "run retry me/app#77",
        "issue show me/app#77",
        "prompt me/app#77",
        "why nowhere/x#1 --nope",
        "pause --for soon",
        "prompt me/app",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let answer = world.offhours(&args);
        assert_eq!(answer.code, 64, "{line}: {}", answer.stderr);
        assert!(!answer.stderr.is_empty(), "{line}");
    }
    for issue in ["#1", "me/app#", "me/app#x", "me/app#0", "me/app#99999999999999999999"] {
        let answer = world.offhours(&["why", issue]);
        assert_eq!(answer.code, 64, "{issue}: {}", answer.stderr);
        assert!(answer.stderr.contains("write the issue as REPO#N"), "{issue}: {}", answer.stderr);
    }
}

#[test]
fn a_bad_config_says_what_to_do() {
    let world = World::new();
    let good = fs::read_to_string(world.path("config.toml")).unwrap();
    for (text, words) in [
        (format!("kill_swich = true\n{good}"), vec!["kill_swich", "kill_switch"]),
        (good.replace("kill_switch = false", "kill_switch = \"perhaps\""), vec!["kill_switch", "line 1"]),
        (format!("{good}\n[trust]\nverify = [\"x\"]\n"), vec!["verify", "trust", "top of the file"]),
        (format!("{good}\n[lessons]\nenabled = \"yes\"\n"), vec!["lessons", "true or false"]),
        ("kill_switch = = 3".to_owned(), vec!["line 1"]),
    ] {
        fs::write(world.path("config.toml"), &text).unwrap();
        for line in [["config", "check"], ["tick", "-v"]] {
            let answer = world.offhours(&line);
            assert_eq!(answer.code, 78, "{}", answer.stderr);
            for word in &words {
                assert!(answer.stderr.contains(word), "{word}: {}", answer.stderr);
            }
            assert!(!world.path("one").exists());
        }
    }
}

/// Whatever a command would do, as a dry run it does nothing, and does not say that it did.
#[test]
fn a_dry_run_of_what_is_done_by_hand_changes_nothing_and_says_so() {
    let world = World::new();
    fs::write(world.path("better.md"), "Do {{issue.title}} better.\n").unwrap();
    world.ready("me/app", "Some", &[]);
    world.until_idle();
    world.offhours(&["template", "add", "implementer", "--file", "better.md"]).ok();
    world.ready("me/app", "Another", &[]);
    let before = tree(&world.path(""));
    for line in [
        "pause",
        "pause me/app",
        "resume",
        "template reject implementer@2",
        "uninstall --purge",
        "state backup copy.db",
        "run once me/app#2",
        "revert me/app#1",
        "off",
    ] {
        let mut args: Vec<&str> = line.split(' ').collect();
        args.push("--dry-run");
        let answer = world.offhours(&args);
        let says = ["dry run", "would"].iter().any(|words| answer.stdout.contains(words));
        assert!(says || answer.code != 0, "{line}: {}", answer.stdout);
        assert_eq!(tree(&world.path("")), before, "{line}: {} {}", answer.stdout, answer.stderr);
    }
}

#[test]
fn a_dry_run_tells_the_plan_and_changes_nothing() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    let before = tree(&world.path(""));
    let answer = world.offhours(&["poll", "--dry-run"]).ok();
    insta::assert_snapshot!(world.plain(&answer.stdout), @"
    home:me/app#1 dispatch: it would start now
    plan:
      home:me/app#1: claim the issue and the repo's slot
      home:me/app#1: make a workspace
      home:me/app#1: start turn 1
      home:me/app#1: add label agent-in-progress
      home:me/app#1: write the progress comment
    ");
    let json = world.offhours(&["tick", "--dry-run", "--json"]).ok().json();
    assert_eq!(json["effects"].as_array().map(Vec::len), Some(5));
    assert_eq!(tree(&world.path("")), before);

    // With a run in flight, too: what its agent left in its workspace is looked at.
    world.tick();
    world.jobs_end();
    let before = tree(&world.path(""));
    let answer = world.offhours(&["tick", "--dry-run"]);
    insta::assert_snapshot!(world.plain(&answer.stdout), @"
    home:me/app#1 already-running: a run of this issue is not finished
    plan:
      home:me/app#1: push <commit> to the target branch
    ");
    let after = tree(&world.path(""));
    let changed: Vec<&String> =
        before.keys().chain(after.keys()).filter(|k| before.get(*k) != after.get(*k)).collect();
    assert_eq!(changed, Vec::<&String>::new());
}

#[test]
fn a_dry_run_may_assume_that_it_is_armed() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.edit_config("kill_switch = false", "kill_switch = true");
    let before = tree(&world.path(""));
    let off = world.offhours(&["poll", "--dry-run"]).ok();
    assert!(off.stdout.contains("nothing would be done"), "{}", off.stdout);
    let on = world.offhours(&["poll", "--dry-run", "--assume-armed"]).ok();
    assert!(on.stdout.contains("claim the issue"), "{}", on.stdout);
    assert_eq!(tree(&world.path("")), before);
    assert_eq!(world.offhours(&["poll", "--assume-armed"]).code, 64);
}

#[test]
fn a_tick_with_nothing_to_say_says_nothing() {
    let world = World::new();
    for _ in 0..3 {
        let answer = world.offhours(&["tick"]).ok();
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
    }
    world.ready("me/app", "Some", &[]);
    for _ in 0..4 {
        let answer = world.offhours(&["tick"]).ok();
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
        world.jobs_end();
    }
    assert!(world.files("me/app").contains(&"done-1.txt".to_owned()));
}

#[test]
fn a_broken_repo_is_alone_with_it() {
    let world = World::new();
    let all = ["me/app", "me/front", "me/gone", "me/empty", "me/last"];
    for name in &all[1..] {
        world.repo(name);
    }
    for name in all {
        world.ready(name, "Some", &[]);
    }
    fs::write(world.path("tracker/me/front/issues/0002.md"), "+++\ntitle = \n+++\n").unwrap();
    fs::remove_dir_all(world.bare("me/gone")).unwrap();
    fs::remove_dir_all(world.bare("me/empty")).unwrap();
    git(
        &world.path(""),
        &["init", "-q", "--bare", "--initial-branch=main", world.bare("me/empty").to_str().unwrap()],
    );
    let list: Vec<String> = all.iter().map(|n| format!("home:{n}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    world.configure(&list, "max_running = 9\ndaily_budget_usd = 900\n---\n");
    let answer = world.offhours(&["tick", "--json"]);
    assert_eq!(answer.code, 75);
    let mut told = acted(&answer);
    told.sort();
    assert_eq!(told, ["me/app#1 dispatched", "me/front#1 dispatched", "me/last#1 dispatched"]);
    insta::assert_snapshot!(world.plain(&answer.stderr), @"
    offhours tick: home:me/front#2: me/front/issues/0002.md, line 2: the front matter is not valid TOML (string values must be quoted, expected literal string); correct that line
    offhours tick: home:me/gone: home:me/gone has no repository at <world>/tracker/me/gone/repo.git; make one with git init --bare, or put it there
    offhours tick: home:me/empty#1: fetching the branch main of home:me/empty: the repository has no such branch, or no commits yet. Push a first commit to it, or name the branch to work on in the configuration.
    ");
    assert_eq!(answer.json()["outcome"], "partial");
    assert_eq!(answer.json()["errors"].as_array().map(Vec::len), Some(3));
    world.jobs_end();

    // Mended, they go on.
    fs::remove_file(world.path("tracker/me/front/issues/0002.md")).unwrap();
    fs::remove_dir_all(world.bare("me/empty")).unwrap();
    for name in ["me/gone", "me/empty"] {
        world.repo(name);
    }
    let told = world.until_idle();
    for name in all {
        let why = world.offhours(&["why", &format!("{name}#1")]).ok().stdout;
        assert!(told.contains(&format!("{name}#1 done")), "{told:?} {why}");
    }
}

#[test]
fn a_lasting_error_is_said_at_doubling_intervals() {
    let world = World::new();
    let said = |ticks: u32| -> Vec<u32> {
        (1..=ticks)
            .filter(|_| {
                world.advance(60);
                let answer = world.offhours(&["tick"]);
                assert_eq!(answer.code, 75);
                !answer.stderr.is_empty()
            })
            .collect()
    };
    world.ready("me/app", "Some", &[]);
    // The forge answers, git does not: no commit is on the branch.
    let away = world.path("away");
    fs::rename(world.bare("me/app"), &away).unwrap();
    git(
        &world.path(""),
        &["init", "-q", "--bare", "--initial-branch=main", world.bare("me/app").to_str().unwrap()],
    );
    assert_eq!(said(9), [1, 2, 4, 8]);
    // Git does not answer at all: nobody can say who holds a claim.
    fs::remove_dir_all(world.bare("me/app").join("objects")).unwrap();
    assert_eq!(said(9), [1, 2, 4, 8]);
    // The whole repository is gone: another trouble, another count.
    fs::remove_dir_all(world.bare("me/app")).unwrap();
    assert_eq!(said(5), [1, 2, 4]);
    fs::rename(&away, world.bare("me/app")).unwrap();
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
    // After it was good, the same trouble is news again.
    world.ready("me/app", "More", &[]);
    fs::rename(world.bare("me/app"), &away).unwrap();
    assert_eq!(said(3), [1, 2]);
}

#[test]
fn arming_shows_what_would_start_and_keeps_the_rest_of_the_file() {
    let world = World::new();
    world.configure(&[], "kill_switch = true # not yet\n---\n# the end\n");
    world.ready("me/app", "Lies there", &[]);
    let before = fs::read_to_string(world.path("config.toml")).unwrap();
    let answer = world.offhours(&["arm", "me/app"]);
    assert_eq!(answer.code, 64);
    assert!(
        answer.stderr.contains("#1 Lies there") && answer.stderr.contains("--include-existing"),
        "{}",
        answer.stderr
    );
    assert_eq!(fs::read_to_string(world.path("config.toml")).unwrap(), before);
    world.offhours(&["arm", "me/app", "--include-existing", "--dry-run"]).ok();
    assert_eq!(fs::read_to_string(world.path("config.toml")).unwrap(), before);
    let answer = world.offhours(&["arm", "me/app", "--include-existing"]).ok();
    assert!(answer.stdout.contains("starts with the next tick: #1 Lies there"), "{}", answer.stdout);
    let after = fs::read_to_string(world.path("config.toml")).unwrap();
    assert!(after.contains("# the end") && after.contains("# not yet"), "{after}");
    assert!(
        after.contains("allowlist = [\"home:me/app\"]") && after.contains("kill_switch = false"),
        "{after}"
    );
    assert_eq!(world.poll(), ["me/app#1 dispatched"]);
    world.jobs_end();
    assert_eq!(world.offhours(&["arm", "me/nothing"]).code, 64);
}

#[test]
fn runs_are_listed_shown_and_their_output_read() {
    let world = World::new();
    world.agent("echo 'looking around'; exit 0");
    world.ready("me/app", "Some", &[]);
    assert!(world.offhours(&["run", "list"]).ok().stdout.contains("nothing is running"));
    world.tick();
    world.jobs_end();
    assert!(world.offhours(&["run", "log", "me/app#1"]).ok().stdout.contains("looking around"));
    assert_eq!(world.offhours(&["run", "show", "me/app#1", "--exit-code"]).code, 75);
    insta::assert_snapshot!(world.plain(&world.offhours(&["run", "list"]).ok().stdout), @"<run>  home:me/app#1                working            2026-03-02 10:00 UTC");
    world.until_idle();
    assert_eq!(world.offhours(&["run", "show", "me/app#1", "--exit-code"]).code, 1);
    insta::assert_snapshot!(world.plain(&world.offhours(&["run", "show", "me/app#1"]).ok().stdout), @"
    run <run> on home:me/app#1: nothing-done
      title     Some
      asked by  ada
      begun     2026-03-02 10:00 UTC
      base      <commit> on main
      runner    agent
      template  implementer@1 (<commit>)
      cost      not told by the agent
      turn 1    finished after 0s
      2026-03-02 10:00 UTC  chosen: <world>/tracker/me/app/repo.git
      2026-03-02 10:00 UTC  nothing-done: the agent ended without a commit
      2026-03-02 10:00 UTC  nothing-done
    ");
    assert!(world.offhours(&["run", "list", "--all"]).ok().stdout.contains("nothing-done"));
}

#[test]
fn run_once_works_on_one_issue_to_its_end() {
    let world = World::new();
    world.ready("me/app", "First", &["--priority", "9"]);
    world.ready("me/app", "Second", &[]);
    let answer = world.offhours(&["run", "once", "me/app#2", "--foreground", "--exit-code"]).ok();
    assert!(answer.stdout.contains("is landed"), "{}", answer.stdout);
    assert!(world.files("me/app").contains(&"done-2.txt".to_owned()));
    assert!(!world.files("me/app").contains(&"done-1.txt".to_owned()));
    let answer = world.offhours(&["run", "once", "me/app#77", "--exit-code"]);
    assert_eq!(answer.code, 75, "{}", answer.stdout);
}

#[test]
fn a_foreground_tick_holds_its_turns_to_their_end() {
    let world = World::new();
    world.ready("me/app", "First", &[]);
    let told = acted(&world.offhours(&["tick", "--foreground", "--json"]).ok());
    assert_eq!(told.last().map(String::as_str), Some("me/app#1 done"));
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn the_reference_names_every_key_and_show_gives_what_holds() {
    let world = World::new();
    let reference = world.offhours(&["config", "reference"]).ok().stdout;
    for key in
        ["kill_switch", "allowlist", "max_running", "fix_forward", "turn_timeout_seconds", "ready_label"]
    {
        assert!(reference.contains(key), "{key}");
    }
    let shown = world.offhours(&["config", "show", "--effective"]).ok().stdout;
    assert!(shown.contains("max_running = 2"), "{shown}");
    assert!(world.offhours(&["config", "check"]).ok().stdout.contains("armed, 1 repo on the allowlist"));
}

#[test]
fn a_state_file_of_another_machine_is_refused_with_the_way_out() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.offhours(&["watch"]).ok();
    world.edit_config("machine = \"test\"", "machine = \"another\"");
    let answer = world.offhours(&["tick"]);
    assert_eq!(answer.code, 78, "{}", answer.stderr);
    assert!(answer.stderr.contains("machine"), "{}", answer.stderr);
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
}

/// On Monday there is something to read of a run that was over on Saturday.
#[test]
fn what_an_agent_printed_can_be_read_after_its_run_ended() {
    let world = World::in_memory();
    world.agent(&format!("echo 'I looked around first'\n{GOOD_AGENT}"));
    world.ready("me/app", "Solve it", &[]);
    world.until_idle();
    let work = tree(&world.path("one/work"));
    assert!(!work.keys().any(|file| file.ends_with("stdout.log")), "the run's folder is gone: {work:?}");
    let log = world.offhours(&["run", "log", "me/app#1"]).ok().stdout;
    assert!(log.contains("I looked around first"), "{log}");
    let json = world.offhours(&["run", "log", "me/app#1", "--json"]).ok().stdout;
    assert!(json.contains("I looked around first"), "{json}");
}
