//! What a git leaves locked that was killed: ours goes away by itself, another's is told with its path, and after an hour
//! it is an alarm.

use std::fs;
use std::path::{Path, PathBuf};

use super::world::{GOOD_AGENT, World, git_program, kill};

const ISSUE: &str = "me/app#1";

/// A lock as a git leaves it that was ended.
fn plant(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

fn private(world: &World) -> PathBuf {
    world.path("one/repos/home/me/app.git")
}

/// The only run's folder.
fn run_folder(world: &World) -> PathBuf {
    world.path("one/work/home/me/app").join(world.run_of(ISSUE)["run"].as_str().unwrap())
}

/// Everything below a folder that looks like a lock.
fn locks(root: &Path) -> Vec<String> {
    let mut found = vec![];
    let mut left = vec![root.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|e| e == "lock") || path.ends_with("packed-refs.new") {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// An agent that works until `go` is there.
fn waiting_agent(world: &World) {
    world.agent(&format!(
        "{GOOD_AGENT}\n: > {0}\nwhile [ ! -e {1} ]; do sleep 0.05; done\n",
        world.path("ready").display(),
        world.path("go").display()
    ));
}

fn alarms(world: &World) -> Vec<String> {
    let titles = world.notices().into_iter().map(|n| n["title"].as_str().unwrap_or_default().to_owned());
    titles.filter(|t| t.contains("lock")).collect()
}

#[test]
fn a_run_is_stopped_although_a_git_was_killed_while_keeping_its_work() {
    let world = World::new();
    world.agent(&format!("{GOOD_AGENT}\n: > {}\nsleep 600\n", world.path("ready").display()));
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("ready");
    let run = world.run_of(ISSUE)["run"].as_str().unwrap().to_owned();
    let to = world.path(&format!("one/salvage/home/me/app/1-{run}"));
    for left in [".work.bundle-new", ".work.bundle-new.lock", ".files.tar-new"] {
        plant(&to.join(left));
    }
    world.offhours(&["run", "stop", ISSUE]).ok();
    world.until_idle();
    assert_eq!(world.run_of(ISSUE)["reason"], "stopped");
    let mut kept: Vec<_> = fs::read_dir(&to).unwrap().map(|e| e.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["README.txt", "work.bundle"]);
    assert_eq!(world.claims("me/app"), Vec::<String>::new());
}

/// A git that makes its lock and hangs, the first time that it is asked for this.
fn hanging_git(world: &mut World, verb: &str, lock: &str) {
    let bin = world.path("bin");
    fs::create_dir(&bin).unwrap();
    world.script(
        "bin/git",
        &format!(
            "#!/bin/sh\ncase \" $* \" in *' {verb} '*) if [ ! -e {tried} ]; then : > {tried}\n{lock}\nsleep 600; fi ;; esac\n\
             exec {git} \"$@\"\n",
            tried = world.path("hung").display(),
            git = git_program().display()
        ),
    );
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    world.env = vec![("PATH".to_owned(), path), ("OFFHOURS_NETWORK_MILLIS".to_owned(), "3000".to_owned())];
}

#[test]
fn what_our_own_bound_ends_is_not_in_our_way_afterwards() {
    let mut world = World::new();
    // What a bundle is written to stands before the ref that it is made of.
    let lock = "for word; do case \"$word\" in */.work.bundle-new*) : > \"$word.lock\" ;; esac; done";
    hanging_git(&mut world, "bundle", lock);
    world.agent(&format!("{GOOD_AGENT}\n: > {}\nsleep 600\n", world.path("ready").display()));
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("ready");
    world.offhours(&["run", "stop", ISSUE]).ok();
    let first = world.offhours(&["tick"]);
    assert!(first.stderr.contains("gave no answer within"), "{}", first.stderr);
    world.until_idle();
    assert_eq!(world.run_of(ISSUE)["reason"], "stopped");
    assert_eq!(locks(&world.path("one/salvage")), Vec::<String>::new());
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// Where a git can leave a lock in a bare repository.
const IN_BARE: [&str; 12] = [
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "packed-refs.new",
    "shallow.lock",
    "index.lock",
    "refs/offhours/target/main.lock",
    "refs/offhours/work/r0000000.lock",
    "objects/info/commit-graphs/commit-graph-chain.lock",
    "objects/info/alternates.lock",
    "objects/pack/multi-pack-index.lock",
    "worktrees/x/index.lock",
];

#[test]
fn the_private_repository_is_freed_before_it_is_used() {
    let world = World::new();
    waiting_agent(&world);
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("ready");
    for lock in IN_BARE {
        plant(&private(&world).join(lock));
    }
    let run = world.run_of(ISSUE)["run"].as_str().unwrap().to_owned();
    plant(&private(&world).join(format!("refs/offhours/work/{run}.lock")));
    world.touch("go");
    world.jobs_end();
    let told = world.offhours(&["tick"]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{}", told.stdout);
    world.until_idle();
    assert_eq!(world.run_of(ISSUE)["reason"], "landed");
    assert_eq!(locks(&private(&world)), Vec::<String>::new());
}

#[test]
fn a_git_that_lives_keeps_its_locks() {
    let world = World::new();
    waiting_agent(&world);
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("ready");
    let lock = private(&world).join("refs/offhours/target/main.lock");
    plant(&lock);
    let mut living = std::process::Command::new(git_program())
        .args(["cat-file", "--batch"])
        .current_dir(private(&world))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    world.touch("go");
    world.jobs_end();
    let told = world.offhours(&["tick"]);
    assert!(told.stderr.contains(&format!("rm {}", lock.display())), "{}", told.stderr);
    assert!(lock.exists());
    living.kill().unwrap();
    living.wait().unwrap();
    world.until_idle();
    assert_eq!(world.run_of(ISSUE)["reason"], "landed");
    assert!(!lock.exists());
}

#[test]
fn the_clone_is_freed_before_the_next_turn() {
    let world = World::new();
    world.agent(&format!(
        "if [ ! -e {tried} ]; then : > {tried}\n\
         echo half > half.txt; git add half.txt; git commit -q -m Half\n\
         mkdir -p .git/objects/info/commit-graphs .git/worktrees/x\n\
         : > .git/index.lock; : > .git/HEAD.lock; : > .git/config.lock; : > \".git/$(git symbolic-ref HEAD).lock\"\n\
         : > .git/logs/HEAD.lock; : > .git/objects/info/commit-graphs/x.lock; : > .git/worktrees/x/index.lock\n\
         : > {ready}\nsleep 600; fi\n{GOOD_AGENT}",
        tried = world.path("tried").display(),
        ready = world.path("ready").display(),
    ));
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("ready");
    kill(world.supervisors()[0]);
    world.until_idle();
    assert_eq!(world.run_of(ISSUE)["reason"], "landed");
    let mut files = world.files("me/app");
    files.sort();
    assert_eq!(files, ["done-1.txt", "half.txt", "test.sh"]);
}

#[test]
fn work_is_read_and_kept_where_a_killed_git_left_the_clone_locked() {
    let world = World::new();
    waiting_agent(&world);
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("ready");
    let clone = run_folder(&world).join("work/.git");
    plant(&clone.join("index.lock"));
    plant(&clone.join("HEAD.lock"));
    world.touch("go");
    world.until_idle();
    assert_eq!(world.run_of(ISSUE)["reason"], "landed");
}

#[test]
fn what_only_offhours_writes_on_the_forge_is_freed() {
    let world = World::new();
    let bare = world.bare("me/app");
    for lock in ["refs/offhours/slot.lock", "refs/offhours/claim/1.lock", "refs/heads/offhours/slot.lock"] {
        plant(&bare.join(lock));
    }
    world.configure(&["home:me/app"], "landing = \"pull-request\"\nmerge = \"when-green\"\n---\n");
    waiting_agent(&world);
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("ready");
    let run = world.run_of(ISSUE)["run"].as_str().unwrap().to_owned();
    plant(&bare.join(format!("refs/heads/offhours/issue-1-{run}.lock")));
    plant(&bare.join("refs/pull/2/head.lock"));
    world.touch("go");
    world.until_idle();
    assert_eq!(world.run_of(ISSUE)["reason"], "landed");
    plant(&bare.join("refs/offhours/slot.lock"));
    plant(&bare.join("refs/offhours/claim/3.lock"));
    world.ready("me/app", "Write another", &[]);
    world.until_idle();
    assert_eq!(world.run_of("me/app#3")["reason"], "landed");
    assert_eq!(locks(&bare), Vec::<String>::new());
}

#[test]
fn the_lock_of_another_is_told_and_after_an_hour_it_is_an_alarm() {
    for name in ["refs/heads/main.lock", "packed-refs.lock"] {
        let world = World::new();
        waiting_agent(&world);
        world.ready("me/app", "Write a file", &[]);
        world.tick();
        world.wait_for("ready");
        let lock = world.bare("me/app").join(name);
        plant(&lock);
        world.touch("go");
        world.jobs_end();
        let mut told = String::new();
        for _ in 0..4 {
            told.push_str(&world.offhours(&["tick"]).stderr);
            world.jobs_end();
            world.advance(60);
        }
        assert!(told.contains(&format!("rm {}", lock.display())), "{name}: {told}");
        assert!(lock.exists(), "{name}");
        assert_eq!(alarms(&world), Vec::<String>::new(), "{name}");
        let doctor = world.offhours(&["doctor"]);
        assert!(doctor.stdout.contains(&format!("rm {}", lock.display())), "{name}: {}", doctor.stdout);
        world.advance(3600 - 4 * 60 - 1);
        world.tick();
        assert_eq!(alarms(&world), Vec::<String>::new(), "{name}: an hour is not over");
        world.advance(1);
        world.tick();
        assert_eq!(alarms(&world), ["alarm: locked:home:me/app"], "{name}");
        let body = world.notices().pop().unwrap()["body"].as_str().unwrap().to_owned();
        assert!(body.contains(&format!("rm {}", lock.display())), "{name}: {body}");
        fs::remove_file(&lock).unwrap();
        world.until_idle();
        assert_eq!(alarms(&world), ["alarm: locked:home:me/app", "recovered: locked:home:me/app"], "{name}");
        assert_eq!(world.run_of(ISSUE)["reason"], "landed", "{name}");
    }
}
