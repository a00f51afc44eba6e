//! Input that nobody meant: each gets a sentence that says what to do and a fitting exit code, and the others go on.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use super::world::{Answer, GOOD_AGENT, World, answer, find};

/// Nothing of it went to standard output, and the sentence holds all of these.
#[track_caller]
fn refused(answer: &Answer, code: i32, parts: &[&str]) {
    assert_eq!(answer.code, code, "{}\n{}", answer.stdout, answer.stderr);
    for part in parts {
        assert!(answer.stderr.contains(part), "`{part}` is not in: {}", answer.stderr);
    }
    assert!(!answer.stderr.contains('\u{1b}'), "{}", answer.stderr);
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
}

#[test]
fn a_config_with_a_mistake_names_it() {
    let world = World::new();
    let good = fs::read_to_string(world.path("config.toml")).unwrap();
    let table: &[(&str, &str, &[&str])] = &[
        ("kil_switch = true\n", "top", &["kil_switch", "kill_switch"]),
        ("kill_switch = \"no\"\n", "replace", &["kill_switch", "line 1"]),
        ("max_running = \"two\"\n", "top", &["max_running", "line 1"]),
        ("max_running = 0\n", "top", &["max_running", "1"]),
        ("turn_timeout_seconds = 5\n", "top", &["turn_timeout_seconds", "runner"]),
        ("agent_pushes = true\n", "top", &["agent_pushes", "landing = \"pull-request\""]),
        ("[workspace]\nmax_running = 2\n", "end", &["max_running", "top"]),
        ("[runner.agent2]\n", "end", &["argv"]),
        ("x = [\n", "end", &["line"]),
        ("", "empty", &[]),
    ];
    for (text, how, parts) in table {
        let whole = match *how {
            "top" => format!("{text}{good}"),
            "replace" => good.replace("kill_switch = false\n", text),
            "end" => format!("{good}{text}"),
            _ => String::new(),
        };
        fs::write(world.path("config.toml"), whole).unwrap();
        for args in [&["tick"][..], &["poll"], &["config", "check"], &["status"]] {
            let got = world.offhours(args);
            if *how == "empty" {
                // Nothing is armed, and nothing is wrong.
                assert_eq!(got.code, 0, "{args:?} {}", got.stderr);
            } else {
                refused(&got, 78, parts);
                assert_eq!(got.stdout, "");
            }
        }
    }
    let path = world.path("config.toml");
    fs::write(&path, b"kill_switch = true # \xff\n").unwrap();
    refused(&world.offhours(&["tick"]), 78, &["UTF-8"]);
    fs::remove_file(&path).unwrap();
    refused(&world.offhours(&["tick"]), 78, &["config.toml"]);
    fs::create_dir(&path).unwrap();
    refused(&world.offhours(&["tick"]), 78, &["config.toml"]);
    fs::remove_dir(&path).unwrap();
    fs::write(&path, &good).unwrap();
    let odd = world.command(&["tick"]).env("OFFHOURS_KILL_SWITCH", "perhaps").output().unwrap();
    refused(&answer(&odd), 78, &["OFFHOURS_KILL_SWITCH"]);
    let odd = world
        .command(&["tick"])
        .env("OFFHOURS_KILL_SWITCH", std::ffi::OsStr::from_bytes(b"\xff"))
        .output()
        .unwrap();
    refused(&answer(&odd), 78, &["OFFHOURS_KILL_SWITCH"]);
    assert!(!world.state().exists(), "a refused config made a state file");
}

/// What a repository can be like; beside each stands a good one, which lands.
#[test]
fn a_broken_repository_leaves_the_others_alone() {
    let world = World::new();
    let all = ["home:me/app", "home:me/empty", "home:me/gone", "home:me/junk", "home:me/never"];
    for name in ["me/empty", "me/gone", "me/junk"] {
        world.repo(name);
    }
    world.configure(&all, "");
    for name in ["me/app", "me/empty", "me/gone", "me/junk"] {
        world.ready(name, "Write a file", &[]);
    }
    // Without commits.
    let bare = world.bare("me/empty");
    fs::remove_dir_all(&bare).unwrap();
    super::world::git(
        &world.path(""),
        &["init", "-q", "--bare", "--initial-branch=main", bare.to_str().unwrap()],
    );
    fs::remove_dir_all(world.bare("me/gone")).unwrap();
    let issues = world.path("tracker/me/junk/issues");
    fs::write(issues.join("0002.md"), "+++\ntitle = \n+++\n").unwrap();
    fs::write(issues.join("0003.md"), "no front matter").unwrap();
    fs::write(issues.join("0004.md"), b"+++\ntitle = \"\xff\"\n+++\n").unwrap();
    fs::write(issues.join("0005.md"), "+++\ntitle = \"x\"\nlabels = 3\n+++\n").unwrap();
    let first = world.offhours(&["tick"]);
    refused(
        &first,
        75,
        &[
            "me/empty",
            "first commit",
            "me/gone",
            "me/never",
            "me/junk#2",
            "me/junk#3",
            "me/junk#4",
            "me/junk#5",
        ],
    );
    world.jobs_end();
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "landed");
    assert_eq!(world.run_of("me/junk#1")["reason"], "landed");
    // Mended, they go on by themselves.
    world.repo("me/empty");
    world.repo("me/gone");
    world.advance(7200);
    world.until_idle();
    assert_eq!(world.run_of("me/empty#1")["reason"], "landed");
    assert_eq!(world.run_of("me/gone#1")["reason"], "landed");
}

#[test]
fn an_agent_that_cannot_start_parks_its_runner_and_no_other() {
    let world = World::new();
    for name in ["me/b", "me/c", "me/good"] {
        world.repo(name);
    }
    let runners = |program: &str| {
        world.configure(
            &["home:me/app", "home:me/b", "home:me/c", "home:me/good"],
            &format!(
                "default_runner = \"broken\"\nmax_running = 9\n---\n[runner.broken]\nargv = [\"{program}\"]\n\
                 [runner.fine]\nargv = [\"{}\"]\n[repo.\"home:me/good\"]\nrunner = \"fine\"\n",
                world.path("agent.sh").display()
            ),
        );
    };
    runners("no-such-agent-anywhere");
    for name in ["me/app", "me/b", "me/c", "me/good"] {
        world.ready(name, "Write a file", &[]);
    }
    let first = world.offhours(&["tick"]);
    refused(&first, 75, &["no-such-agent-anywhere", "nstall it"]);
    world.jobs_end();
    for _ in 0..4 {
        world.advance(3600);
        world.tick();
        world.jobs_end();
    }
    world.until_idle();
    assert_eq!(world.run_of("me/good#1")["reason"], "landed");
    assert_eq!(world.labels("me/app", 1), ["ready-for-agent"], "nothing was handed back");
    assert_eq!(world.refs("me/app"), ["refs/heads/main"], "no claim is left");
    assert!(
        world
            .notices()
            .iter()
            .any(|n| n["kind"] == "alarm" && n["body"].as_str().unwrap().contains("no-such-agent"))
    );
    let script = world.path("agent.sh");
    runners(script.to_str().unwrap());
    world.offhours(&["resume"]).ok();
    world.advance(7200);
    world.until_idle();
    world.advance(7200);
    world.until_idle();
    for name in ["me/app", "me/b", "me/c"] {
        assert_eq!(world.run_of(&format!("{name}#1"))["reason"], "landed", "{name}");
    }
}

/// A program of the config that is not there is told before a turn is paid for, or costs none.
#[test]
fn a_missing_verify_or_check_costs_no_turn() {
    let world = World::new();
    let count = world.path("count");
    world.agent(&format!("echo turn >> {}\n{GOOD_AGENT}", count.display()));
    world.configure(&["home:me/app"], "verify = [\"no-such-tests\"]\n---\n");
    world.ready("me/app", "Write a file", &[]);
    refused(&world.offhours(&["tick"]), 75, &["no-such-tests", "verify"]);
    assert!(!count.exists());
    world.configure(&["home:me/app"], "[[ci.stage]]\nname = \"test\"\nargv = [\"no-such-check\"]\n");
    world.advance(7200);
    let mut said = String::new();
    for _ in 0..6 {
        let got = world.offhours(&["tick"]);
        assert!([0, 75].contains(&got.code), "{}", got.stderr);
        said.push_str(&got.stderr);
        world.jobs_end();
        world.advance(60);
    }
    assert!(said.contains("no-such-check"), "{said}");
    assert_eq!(fs::read_to_string(&count).unwrap().lines().count(), 1, "{said}");
    let run = world.run_of("me/app#1");
    assert_eq!(run["reason"], "no-checks", "{said}");
    assert!(run["events"].as_array().unwrap().len() < 15, "it went round in circles\n{said}");
    assert_eq!(world.labels("me/app", 1), ["needs-human"]);
}

#[test]
fn whatever_stands_where_the_result_file_should_be() {
    let world = World::new();
    let table = [
        ("link", "ln -s /etc/passwd \"$OFFHOURS_RESULT\"", "result-unreadable"),
        ("fifo", "mkfifo \"$OFFHOURS_RESULT\"", "result-unreadable"),
        ("folder", "mkdir \"$OFFHOURS_RESULT\"", "result-unreadable"),
        ("money", "echo '{\"cost_usd\": -5e300}' > \"$OFFHOURS_RESULT\"", "landed"),
        (
            "blocked",
            "printf '{\"outcome\": \"blocked\", \"reason\": \"no @ada \\\\u001b[31m\\\\u0000 way\"}' > \"$OFFHOURS_RESULT\"",
            "agent-blocked",
        ),
    ];
    let names: Vec<String> = table.iter().map(|(name, ..)| format!("me/{name}")).collect();
    let list: Vec<String> = names.iter().map(|n| format!("home:{n}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    world.configure(&list, "max_running = 20\nmax_runs_per_day = 100\ndaily_budget_usd = 9999.0\n---\n");
    let mut script = "case \"$prompt\" in\n".to_owned();
    for (name, act, _) in &table {
        world.repo(&format!("me/{name}"));
        script.push_str(&format!("*me/{name}#*) {act} ;;\n"));
    }
    world.agent(&format!("{script}esac\n{GOOD_AGENT}"));
    for name in &names {
        world.ready(name, "Write a file", &[]);
    }
    let told = world.until_idle();
    for (name, _, expected) in table {
        assert_eq!(world.run_of(&format!("me/{name}#1"))["reason"], expected, "{name}: {told:?}");
        let comments = world.comments(&format!("me/{name}"), 1).join("\n");
        assert!(!comments.contains("root:"), "{comments}");
        assert!(!comments.chars().any(|c| c.is_control() && c != '\n'), "{name}: {comments:?}");
    }
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn hooks_that_fail() {
    for (key, reason) in [
        ("after_create", "not-started"),
        ("before_turn", "not-started"),
        ("after_turn", "landed"),
        ("before_remove", "landed"),
    ] {
        let world = World::new();
        world.configure(
            &["home:me/app"],
            &format!("[workspace]\n{key} = [\"sh\", \"-c\", \"echo hook says why; exit 3\"]\n"),
        );
        world.ready("me/app", "Write a file", &[]);
        let mut said = String::new();
        for _ in 0..8 {
            let got = world.offhours(&["tick", "-v"]);
            said.push_str(&got.stderr);
            said.push_str(&got.stdout);
            world.jobs_end();
        }
        let run = world.run_of("me/app#1");
        assert_eq!(run["reason"], reason, "{key}: {said}");
        if reason == "not-started" {
            let shown = world.offhours(&["run", "show", "me/app#1"]).ok().stdout;
            assert!(shown.contains("hook says why"), "{key}: {shown}");
            assert_eq!(world.refs("me/app"), ["refs/heads/main"], "{key}");
            assert_eq!(world.labels("me/app", 1), ["ready-for-agent"], "{key}");
        }
        assert_eq!(find(&world.path("one/work"), "run.json").len(), 0, "{key}: the workspace stays");
    }
}

#[test]
fn every_way_to_hand_the_prompt_and_home_files() {
    let world = World::new();
    let script = world.path("agent.sh");
    fs::write(world.path("home/.key"), "the key").unwrap();
    for (number, by) in [(1, "file"), (2, "argument")] {
        world.script(
            "agent.sh",
            &format!(
                "#!/bin/sh\nset -e\n{}\nnumber={number}\ncase \"$prompt\" in *\"me/app#{number}\"*) ;; *) exit 4 ;; esac\n\
                 [ \"$(cat \"$HOME/.key\")\" = \"the key\" ]\n\
                 ln -sf {victim} \"$HOME/.key\"\n{GOOD_AGENT}",
                if by == "file" { "prompt=$(cat \"$1\")" } else { "prompt=$1" },
                victim = world.path("victim").display(),
            ),
        );
        fs::write(world.path("victim"), "mine").unwrap();
        world.configure(
            &["home:me/app"],
            &format!(
                "[runner.agent]\nargv = [\"{}\"{}]\nprompt = \"{by}\"\nhome_files = [\".key\"]\n",
                script.display(),
                if by == "file" { ", \"{prompt_file}\"" } else { "" }
            ),
        );
        // Longer than the kernel takes as one argument, with what no argument can hold.
        let long = format!("{}\u{1b}[31m", "x".repeat(if by == "argument" { 200_000 } else { 10 }));
        world.ready("me/app", "Write a file", &[]);
        let path = world.path(&format!("tracker/me/app/issues/{number:04}.md"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("title = \"", "title = \"\\u0000\\u001b[31m", 1)).unwrap();
        refused(&world.offhours(&["tick"]), 75, &[&format!("me/app#{number}"), "title"]);
        fs::write(&path, format!("{text}\n{long}\n")).unwrap();
        let told = world.until_idle();
        assert_eq!(world.run_of(&format!("me/app#{number}"))["reason"], "landed", "{by}: {told:?}");
        // Written through no link that an agent left in its home.
        assert_eq!(fs::read_to_string(world.path("victim")).unwrap(), "mine");
    }
    for args in [
        &["status"][..],
        &["why", "me/app"],
        &["issue", "list", "me/app"],
        &["run", "show", "me/app#1"],
        &["run", "list", "--all"],
    ] {
        let got = world.offhours(args);
        assert!(!got.stdout.contains('\u{1b}') && !got.stdout.contains('\0'), "{args:?}: {:?}", got.stdout);
    }
}

#[test]
fn state_files_that_are_none() {
    let world = World::new();
    world.ready("me/app", "Write a file", &[]);
    let state = world.state();
    fs::create_dir_all(&state).unwrap();
    refused(&world.offhours(&["tick"]), 75, &["state.db", "is not a file", "--state"]);
    fs::remove_dir(&state).unwrap();
    let junk = "this is no database ".repeat(500);
    fs::write(&state, &junk).unwrap();
    refused(&world.offhours(&["tick"]), 75, &["damaged", "set aside", "backup"]);
    let aside: Vec<String> = fs::read_dir(world.path("one"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.to_string_lossy().contains("corrupt"))
        .map(|p| fs::read_to_string(p).unwrap_or_default())
        .collect();
    assert_eq!(aside, [junk]);
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "landed");
    // Of another machine.
    let config = fs::read_to_string(world.path("config.toml")).unwrap();
    fs::write(world.path("config.toml"), config.replace("machine = \"test\"", "machine = \"other\""))
        .unwrap();
    let before = fs::read(&state).unwrap();
    refused(&world.offhours(&["tick"]), 78, &["another machine", "machine = "]);
    assert_eq!(fs::read(&state).unwrap(), before);
    // Cut in the middle.
    fs::write(world.path("config.toml"), config).unwrap();
    fs::write(&state, &before[..before.len() / 2]).unwrap();
    let got = world.offhours(&["tick"]);
    assert!([0, 75].contains(&got.code), "{} {}", got.code, got.stderr);
}

/// A small file system of its own, taken away again at the end.
struct Small(std::path::PathBuf);

impl Small {
    fn new(at: std::path::PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at).output();
        mounted.is_ok_and(|out| out.status.success()).then_some(Self(at))
    }

    fn again(&self, options: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn a_full_or_read_only_disk_loses_nothing() {
    let world = World::new();
    let Some(disk) = Small::new(world.path("one"), "size=48k,mode=0700") else {
        println!("skipped: mounting a small file system is not permitted here");
        return;
    };
    world.ready("me/app", "Write a file", &[]);
    let got = world.offhours(&["tick"]);
    refused(&got, 75, &["full"]);
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    for size in ["size=120k", "size=300k", "size=360k"] {
        disk.again(size);
        for _ in 0..3 {
            let got = world.offhours(&["tick"]);
            assert!([0, 75].contains(&got.code), "{size}: {} {}", got.code, got.stderr);
            assert!(got.code == 0 || !got.stderr.is_empty(), "{size}");
            world.jobs_end();
            world.advance(3600);
        }
    }
    disk.again("size=64m,ro");
    let got = world.offhours(&["tick"]);
    refused(&got, 75, &["Read-only", "check the disk"]);
    disk.again("size=64m,rw");
    world.advance(7200);
    let told = world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{told:?}");
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    assert_eq!(world.processes(), Vec::<String>::new());
}
