use super::*;
use crate::ports::{Merged, PortError, Pushed};

#[test]
fn work_is_counted_compared_and_taken() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    let nothing = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    assert_eq!((nothing.new_commits, nothing.changes_tree, nothing.uncommitted), (0, false, false));
    assert_eq!(git(&work, &["remote"]), "");
    assert_eq!(git(&work, &["status", "--porcelain"]), "");
    assert_eq!(git(&work, &["branch", "--show-current"]), "offhours/issue-1-r1");

    fs::write(work.join("x.log"), "ignored").unwrap();
    fs::write(work.join("new.txt"), "new").unwrap();
    assert!(world.rooms.work(&world.repo, &folder, "r1", &base).unwrap().uncommitted);
    let first = commit(&work, "one");
    git(&work, &["commit", "-q", "--allow-empty", "-m", "two"]);
    let done = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    assert_eq!((done.new_commits, done.changes_tree, done.uncommitted), (2, true, false));
    assert!(world.rooms.is_ancestor(&world.repo, &first, &done.head).unwrap());
    assert!(!world.rooms.is_ancestor(&world.repo, &done.head, &first).unwrap());

    git(&work, &["revert", "--no-edit", first.as_str()]);
    let undone = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    assert_eq!((undone.new_commits, undone.changes_tree), (3, false));

    git(&work, &["pack-refs", "--all"]);
    git(&work, &["gc", "-q"]);
    assert_eq!(world.rooms.work(&world.repo, &folder, "r1", &base).unwrap(), undone);
    git(&work, &["checkout", "-q", "--detach"]);
    assert_eq!(world.rooms.work(&world.repo, &folder, "r1", &base).unwrap(), undone);
}

#[test]
fn a_prepared_workspace_is_kept_and_a_half_one_is_made_again() {
    let world = World::new();
    let base = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let folder = world.folder("r1");
    // A kill in the middle leaves the sibling.
    fs::create_dir_all(folder.dir.join(".work-new/.git")).unwrap();
    fs::create_dir_all(folder.work()).unwrap();
    world.rooms.prepare(&world.repo, &folder, &base, "b").unwrap();
    fs::write(folder.work().join("mine"), "x").unwrap();
    world.rooms.prepare(&world.repo, &folder, &base, "b").unwrap();
    assert!(folder.work().join("mine").exists());
    assert!(!folder.dir.join(".work-new").exists());
    let unknown = Oid::parse(&"1".repeat(40)).unwrap();
    assert!(world.rooms.prepare(&world.repo, &world.folder("r2"), &unknown, "b").is_err());
    assert!(!world.folder("r2").work().exists());
}

#[test]
fn history_rewritten_below_the_base_is_refused() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    git(&work, &["commit", "-q", "--amend", "-m", "another start"]);
    let error = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("rewrote history below the base")));
}

#[test]
fn a_push_is_a_fast_forward_at_the_expected_place() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("x"), "x").unwrap();
    commit(&work, "x");
    let head = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap().head;
    let push = |branch, expected, head| world.rooms.push(&world.repo, &world.remote, branch, expected, head);

    assert_eq!(push("offhours/issue-1", None, &head).unwrap(), Pushed::Done);
    assert_eq!(push("offhours/issue-1", None, &head).unwrap(), Pushed::Done, "a repeat finds it done");
    assert_eq!(push("main", None, &head).unwrap(), Pushed::Raced, "the branch was to be new");
    let moved = world.person_pushes("a.txt", "other\n");
    assert_eq!(push("main", Some(&base), &head).unwrap(), Pushed::Raced);
    assert_eq!(world.rooms.remote_head(&world.repo, &world.remote, "main").unwrap(), Some(moved.clone()));
    world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let error = push("main", Some(&moved), &head).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("never forces")), "{error}");
    assert_eq!(world.rooms.remote_head(&world.repo, &world.remote, "main").unwrap(), Some(moved));
    assert_eq!(
        world.rooms.remote_head(&world.repo, &world.remote, "issue-1").unwrap(),
        None,
        "no tail matches"
    );
}

#[test]
fn a_push_that_the_server_forbids_is_refused() {
    let world = World::new();
    let (_, _, base) = world.workspace();
    let hook = Path::new(&world.remote.url).join("hooks/pre-receive");
    fs::write(&hook, "#!/bin/sh\nprintf 'protected \\033[31mbranch\\n' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let error = world.rooms.push(&world.repo, &world.remote, "new", None, &base).unwrap_err();
    let PortError::Refused { what } = error else { panic!("{error}") };
    assert!(what.contains("protected") && !what.contains('\u{1b}'), "{what}");
}

#[test]
fn the_target_is_merged_into_the_work() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("x"), "x").unwrap();
    let head = commit(&work, "x");
    world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    let merge = |head: &Oid, target: &Oid| {
        world.rooms.bring_up_to_date(&world.repo, &folder, head, target, "bring up to date")
    };
    assert_eq!(merge(&head, &base).unwrap(), Merged::UpToDate(head.clone()), "nothing to do");

    fs::remove_file(world.person().join("b.txt")).unwrap();
    fs::create_dir(world.person().join("sub")).unwrap();
    fs::write(world.person().join("sub/c.txt"), "c").unwrap();
    let moved = world.person_pushes("a.txt", "newer\n");
    let target = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    assert_eq!(target, moved);
    fs::write(work.join("loose"), "kept").unwrap();
    let Merged::UpToDate(merged) = merge(&head, &target).unwrap() else { panic!("no conflict") };
    assert_eq!(git(&work, &["rev-parse", "offhours/issue-1-r1"]), merged.as_str());
    assert_eq!(
        git(&work, &["log", "-1", "--format=%P%n%B%an"]),
        format!("{target} {head}\nbring up to date\noffhours")
    );
    assert_eq!(git(&work, &["status", "--porcelain"]), "?? loose");
    assert_eq!(fs::read_to_string(work.join("a.txt")).unwrap(), "newer\n");
    assert!(!work.join("b.txt").exists() && work.join("sub/c.txt").exists());
    // Killed before it was recorded: asked again with the old head, and then with the new one.
    assert_eq!(merge(&head, &target).unwrap(), Merged::UpToDate(merged.clone()));
    assert_eq!(merge(&merged, &target).unwrap(), Merged::UpToDate(merged.clone()));
    let done = world.rooms.work(&world.repo, &folder, "r1", &target).unwrap();
    assert_eq!((done.head, done.new_commits), (merged, 2));
}

#[test]
fn a_merge_that_was_killed_half_way_goes_on() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("x"), "x").unwrap();
    let head = commit(&work, "x");
    world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    fs::remove_file(world.person().join("b.txt")).unwrap();
    fs::write(world.person().join("c.txt"), "c").unwrap();
    world.person_pushes("a.txt", "newer\n");
    let target = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    // The first files of the merge are there, its branch and index are not.
    fs::write(work.join("a.txt"), "newer\n").unwrap();
    fs::write(work.join("c.txt"), "c").unwrap();
    fs::remove_file(work.join("b.txt")).unwrap();
    let merged = world.rooms.bring_up_to_date(&world.repo, &folder, &head, &target, "m").unwrap();
    let Merged::UpToDate(merged) = merged else { panic!("no conflict") };
    assert_eq!(git(&work, &["rev-parse", "HEAD"]), merged.as_str());
    assert_eq!(git(&work, &["status", "--porcelain"]), "");
}

#[test]
fn conflicts_and_loose_files_in_the_way_change_nothing() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("a.txt"), "mine\n").unwrap();
    let head = commit(&work, "mine");
    world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    world.person_pushes("a.txt", "theirs\n");
    let target = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let merge =
        |head: &Oid, target: &Oid| world.rooms.bring_up_to_date(&world.repo, &folder, head, target, "m");
    assert_eq!(merge(&head, &target).unwrap(), Merged::Conflict(vec!["a.txt".into()]));
    assert_eq!(git(&work, &["rev-parse", "HEAD"]), head.as_str());

    git(&work, &["reset", "-q", "--hard", base.as_str()]);
    fs::write(work.join("y"), "y").unwrap();
    let head = commit(&work, "y");
    world.rooms.work(&world.repo, &folder, "r1", &base).unwrap();
    fs::write(work.join("a.txt"), "not committed\n").unwrap();
    let error = merge(&head, &target).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("not committed")), "{error}");
    assert_eq!(fs::read_to_string(work.join("a.txt")).unwrap(), "not committed\n");
    assert_eq!(git(&work, &["rev-parse", "HEAD"]), head.as_str());
    // Another head than the one that was looked at is not moved.
    git(&work, &["commit", "-q", "-am", "later"]);
    assert!(matches!(merge(&head, &target).unwrap_err(), PortError::Refused { .. }));
}

#[test]
fn a_change_is_told_whole() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("a.txt"), "a\n@@ -1,9 +1,9 @@\ndiff --git a/x b/x\n+++ b/x").unwrap();
    fs::remove_file(work.join("b.txt")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", work.join("b.txt")).unwrap();
    fs::write(work.join(".gitattributes"), "secret -diff\n").unwrap();
    fs::write(work.join("secret"), "hidden?\n").unwrap();
    fs::write(work.join("bin"), b"\0\x01").unwrap();
    fs::write(work.join("with space\nand line"), "ü\n").unwrap();
    commit(&work, "first\n\nwith a body");
    git(&work, &["rm", "-q", ".gitignore"]);
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"odd\xff");
    fs::write(work.join(odd), "o\n").unwrap();
    commit(&work, "second");
    let head = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap().head;
    // The target went on: what it brings is not part of the change.
    world.person_pushes("other.txt", "other\n");
    let target = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let change = world.rooms.change(&world.repo, &target, &head).unwrap();
    assert_eq!(change.messages, ["first\n\nwith a body\n", "second\n"]);
    let file = |path: &str| change.files.iter().find(|f| f.path == path).unwrap();
    assert_eq!(change.files.len(), 8, "{:?}", change.files);
    assert_eq!(file("a.txt").added_lines, ["@@ -1,9 +1,9 @@", "diff --git a/x b/x", "+++ b/x"]);
    assert_eq!(file("a.txt").old_mode, 0o100_644);
    let link = file("b.txt");
    assert_eq!((link.new_mode, link.link_target.as_deref()), (0o120_000, Some("/etc/passwd")));
    assert_eq!(link.added_lines, ["/etc/passwd"]);
    assert_eq!(file("secret").added_lines, ["hidden?"], "attributes hide nothing");
    assert_eq!((file("bin").new_size, file("bin").added_lines.len()), (2, 0));
    assert_eq!(file("with space\nand line").added_lines, ["ü"]);
    assert_eq!((file(".gitignore").new_mode, file(".gitignore").new_size), (0, 0));
    assert!(file("odd\u{fffd}").odd_path && !link.odd_path);
    let none = world.rooms.change(&world.repo, &target, &target).unwrap();
    assert_eq!(none, crate::domain::model::Change::default());
}

#[test]
fn a_change_too_large_to_read_is_refused() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("big"), "x\n".repeat(200_001)).unwrap();
    commit(&work, "big");
    let head = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap().head;
    let error = world.rooms.change(&world.repo, &base, &head).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("200000 lines")), "{error}");
}

#[test]
fn a_checkout_is_clean_whatever_stood_there() {
    let world = World::new();
    let (_, _, base) = world.workspace();
    let dir = world.folder("r1").dir.join("jobs/v1/tree");
    world.rooms.checkout(&world.repo, &base, &dir).unwrap();
    fs::write(dir.join("a.txt"), "dirty").unwrap();
    fs::write(dir.join("left.log"), "x").unwrap();
    world.rooms.checkout(&world.repo, &base, &dir).unwrap();
    assert_eq!(git(&dir, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(git(&dir, &["rev-parse", "HEAD"]), base.as_str());
    // Outside of the root too, but only over what we made.
    let outside = world.path().join("ci/tree");
    world.rooms.checkout(&world.repo, &base, &outside).unwrap();
    world.rooms.checkout(&world.repo, &base, &outside).unwrap();
    let foreign = world.person();
    assert!(matches!(world.rooms.checkout(&world.repo, &base, &foreign), Err(PortError::Refused { .. })));
    assert!(foreign.join("a.txt").exists());
}

#[test]
fn a_dry_run_reads_workspaces_and_writes_to_nothing_of_theirs() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("x"), "x\n").unwrap();
    let head = commit(&work, "x");
    fs::write(work.join("loose"), "loose").unwrap();
    world.person_pushes("a.txt", "newer\n");
    let before = files_below(&world.path().join("host"));
    assert!(before.len() > 20);

    let host = world.path().join("host");
    let dry = |work: PathBuf| {
        GitRooms::reading(world.path().join("scratch"), host.join("private"), work, Duration::from_secs(60))
    };
    let rooms = dry(host.join("work"));
    let (repo, remote) = (&world.repo, &world.remote);
    let seen = rooms.work(repo, &folder, "r1", &base).unwrap();
    assert_eq!((&seen.head, seen.new_commits, seen.uncommitted), (&head, 1, true));
    let target = rooms.fetch_branch(repo, remote, "main").unwrap();
    assert!(!rooms.is_ancestor(repo, &target, &head).unwrap());
    assert_eq!(rooms.change(repo, &target, &head).unwrap().messages, ["x\n"]);
    assert!(rooms.conflicts(repo, &head, &target).unwrap().is_empty());
    assert_eq!(rooms.new_commits(repo, &head, &[&base, &target]).unwrap(), 1);
    assert_eq!(files_below(&host), before);

    // A clone that borrows from elsewhere is foreign from here, too.
    fs::write(work.join(".git/objects/info/alternates"), "/\n").unwrap();
    let error = rooms.work(repo, &folder, "r1", &base).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("was changed")), "{error}");
    // Where nothing was ever made, nothing is made.
    let nowhere = dry(world.path().join("nowhere"));
    assert!(nowhere.work(repo, &RunFolder { dir: world.path().join("nowhere/n/r1") }, "r1", &base).is_err());
    assert!(!world.path().join("nowhere").exists());
    assert!(rooms.fetch_branch(&RepoId { name: "other".into(), ..repo.clone() }, remote, "main").is_ok());
    assert!(!host.join("private/f/o/other.git").exists());
}

/// Every file below `dir` with its content and when it was written.
fn files_below(dir: &Path) -> std::collections::BTreeMap<PathBuf, (std::time::SystemTime, Vec<u8>)> {
    let mut found = std::collections::BTreeMap::new();
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_file() { fs::read(&path).unwrap() } else { vec![] };
            if meta.is_dir() {
                left.push(path.clone());
            }
            found.insert(path, (meta.modified().unwrap(), bytes));
        }
    }
    found
}
