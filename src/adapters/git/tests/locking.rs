use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::super::child::{Call, Children};
use super::super::locks::{Place, free, in_the_way, standing};
use super::*;

fn plant(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

fn left(folder: &Path) -> Vec<String> {
    let found = standing(folder).into_iter();
    found.map(|lock| lock.path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
}

/// All of a folder of ours.
fn all(folder: &Path) -> Place<'_> {
    Place { folder, below: &[], shared: false }
}

#[test]
fn only_lock_files_of_the_place_itself_go() {
    let dir = tempfile::tempdir().unwrap();
    let (repo, outside) = (dir.path().join("repo"), dir.path().join("outside"));
    let locks = [
        "HEAD.lock",
        "objects/info/commit-graphs/x.lock",
        "packed-refs.new",
        "refs/heads/a/b.lock",
        "worktrees/x/index.lock",
    ];
    for lock in locks {
        plant(&repo.join(lock));
    }
    plant(&outside.join("HEAD.lock"));
    for other in ["HEAD", "refs/heads/lock", "objects/ab/cd.lock", "packed-refs.newer", "gc.pid"] {
        plant(&repo.join(other));
    }
    symlink(&outside, repo.join("refs/elsewhere")).unwrap();
    symlink(outside.join("HEAD.lock"), repo.join("index.lock")).unwrap();
    fs::create_dir(repo.join("refs/folder.lock")).unwrap();
    assert_eq!(left(&repo), locks);
    let here = Place { below: &["refs", "gone"], ..all(&repo) };
    assert!(free(here).is_empty());
    assert_eq!(left(&repo), ["HEAD.lock", locks[1], locks[2], locks[4]]);
    assert!(free(all(&repo)).is_empty());
    assert_eq!(left(&repo), Vec::<String>::new());
    assert_eq!(left(&outside), ["HEAD.lock"]);
    assert!(free(all(&dir.path().join("gone"))).is_empty());
}

#[test]
fn while_a_git_is_at_work_there_nothing_goes() {
    let world = World::new();
    let private = world.rooms.private(&world.repo).unwrap();
    let lock = private.join("refs/offhours/target/main.lock");
    // It stands there, or it was told of it.
    for (dir, told) in [(private.as_path(), ""), (Path::new("/"), private.to_str().unwrap())] {
        world.person_pushes("a.txt", &format!("{told} is new\n"));
        plant(&lock);
        let mut command = Command::new("git");
        command.args(["-c", &format!("x.y={told}"), "hash-object", "--stdin"]).current_dir(dir);
        let mut living = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        // Between fork and exec it is not known as a git yet.
        assert!(soon(|| !crate::adapters::process::gits_at(&private).is_empty()));
        assert_eq!(free(all(&private)).len(), 1);
        let shut = rooms(&world.path(), "host").fetch_branch(&world.repo, &world.remote, "main").unwrap_err();
        assert!(shut.to_string().contains(&format!("`rm {}`", lock.display())), "{shut}");
        living.kill().unwrap();
        living.wait().unwrap();
        assert!(rooms(&world.path(), "host").fetch_branch(&world.repo, &world.remote, "main").is_ok());
        assert!(!lock.exists());
    }
}

#[test]
fn a_git_that_is_ended_takes_its_locks_away() {
    let world = World::new();
    let private = world.rooms.private(&world.repo).unwrap();
    let head = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let name = "refs/offhours/held";
    let lock = private.join(format!("{name}.lock"));
    // What it is told holds it up with the lock in its hand.
    let hook = private.join("held-hooks/reference-transaction");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\n[ \"$1\" != prepared ] || sleep 600\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let children = Children::new(world.path().join("home"), Duration::from_millis(1500));
    let call = Call::new("git.update-ref", &private)
        .args([name, head.as_str()])
        .setting("core.hooksPath=held-hooks");
    let ended = children.run(&call).err().unwrap();
    assert!(ended.to_string().contains("gave no answer within"), "{ended}");
    assert!(!lock.exists());
}

#[test]
fn a_lock_is_named_only_where_the_command_was_at_work() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repo.git");
    let lock = repo.join("refs/heads/main.lock");
    plant(&lock);
    plant(&repo.join("packed-refs.new"));
    plant(&repo.join("config"));
    plant(&dir.path().join("other/Cargo.lock"));
    let place = repo.as_os_str();
    let asked = |said: &str| in_the_way(said.as_bytes(), [OsStr::new("--quiet"), place]);
    let root = repo.display();
    let quoted =
        |path: &str| format!("remote: error: cannot lock ref 'x': Unable to create '{path}': File exists.\n");
    assert_eq!(asked(&quoted(&format!("{root}/./refs/heads/main.lock"))), Some(lock));
    let bare = format!("remote: error: unable to create file {root}/./packed-refs.new: File exists   \n");
    assert_eq!(asked(&bare), Some(repo.join("packed-refs.new")));
    for other in [
        format!("{root}/refs/heads/gone.lock"),
        format!("{root}/config"),
        format!("{root}/../other/Cargo.lock"),
        dir.path().join("other/Cargo.lock").display().to_string(),
        String::new(),
    ] {
        assert_eq!(asked(&quoted(&other)), None, "{other}");
    }
    assert_eq!(asked("Unable to create '"), None);
}

#[test]
fn what_locks_the_forge_is_named_in_what_people_are_told() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    let remote = Path::new(&world.remote.url);
    let named = |error: String, lock: &Path| {
        assert!(error.contains(&format!("`rm {}`", lock.display())), "{error}");
        fs::remove_file(lock).unwrap();
    };
    let slot = remote.join("refs/offhours/slot.lock");
    plant(&slot);
    named(world.rooms.claim(&world.repo, &world.remote, &request(1, "r1")).unwrap_err().to_string(), &slot);
    let Ok(crate::ports::ClaimAnswer::Won(oid)) =
        world.rooms.claim(&world.repo, &world.remote, &request(1, "r1"))
    else {
        panic!("it is free");
    };
    let packed = remote.join("packed-refs.lock");
    plant(&packed);
    named(world.rooms.release_slot(&world.repo, &world.remote, &oid).unwrap_err().to_string(), &packed);
    world.rooms.release_slot(&world.repo, &world.remote, &oid).unwrap();
    plant(&slot);
    named(world.rooms.take_slot(&world.repo, &world.remote, 1, &oid).unwrap_err().to_string(), &slot);
    fs::write(work.join("done.txt"), "done").unwrap();
    let head = commit(&work, "done");
    world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    let main = remote.join("refs/heads/main.lock");
    plant(&main);
    let push = || world.rooms.push(&world.repo, &world.remote, "main", Some(&base), &head);
    named(push().unwrap_err().to_string(), &main);
    push().unwrap();
}
