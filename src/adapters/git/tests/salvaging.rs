use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use super::*;

fn entries(tar: &Path) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(fs::File::open(tar).unwrap());
    let read = |entry: std::io::Result<tar::Entry<'_, fs::File>>| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let link = entry.link_name().unwrap().map(|l| format!("-> {}", l.display()));
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
        (path, link.unwrap_or(text))
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn salvaged_work_can_be_restored() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("done.txt"), "done").unwrap();
    let head = commit(&work, "done");
    fs::write(work.join("a.txt"), "changed\n").unwrap();
    fs::remove_file(work.join("b.txt")).unwrap();
    fs::write(work.join("x.log"), "ignored").unwrap();
    let deep = format!("deep/{}", "x".repeat(150));
    fs::create_dir(work.join("deep")).unwrap();
    fs::write(work.join(&deep), "long").unwrap();
    symlink("/etc/passwd", work.join("link")).unwrap();
    fs::create_dir(work.join("nested")).unwrap();
    git(&work.join("nested"), &["init", "-q"]);
    fs::write(work.join("nested/f"), "f").unwrap();
    fs::write(work.join("closed"), "x").unwrap();
    let fifo = Command::new("mkfifo").arg(work.join("pipe")).status().unwrap();
    assert!(fifo.success());
    let to = world.path().join("salvage/r1");
    let kept = world.rooms.salvage(&world.repo, &folder, "r1", &base, &to).unwrap();
    assert_eq!(world.rooms.salvage(&world.repo, &folder, "r1", &base, &to).unwrap(), kept);

    assert_eq!(kept.head.as_ref(), Some(&head));
    let files = entries(kept.archive.as_ref().unwrap());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["a.txt", "closed", &deep, "link", "nested/f"]);
    assert_eq!((files["a.txt"].as_str(), files["link"].as_str()), ("changed\n", "-> /etc/passwd"));
    assert!(kept.notes.iter().any(|n| n.contains("nested is a repository of its own")), "{:?}", kept.notes);

    let bundle = kept.bundle.unwrap();
    let person = world.person();
    git(&person, &["fetch", "-q", bundle.to_str().unwrap(), "refs/offhours/work/r1:salvaged"]);
    assert_eq!(git(&person, &["rev-parse", "salvaged"]), head.as_str());
    let readme = fs::read_to_string(to.join("README.txt")).unwrap();
    assert!(readme.contains("refs/offhours/work/r1:salvaged") && readme.contains("    b.txt\n"), "{readme}");
    assert_eq!(fs::read_dir(&to).unwrap().count(), 3, "nothing half is left");
}

#[test]
fn nothing_to_keep_is_said() {
    let world = World::new();
    let (folder, _, base) = world.workspace();
    let to = world.path().join("salvage");
    let kept = world.rooms.salvage(&world.repo, &folder, "r1", &base, &to).unwrap();
    assert_eq!((kept.bundle, kept.archive, kept.head), (None, None, Some(base)));
    assert!(to.join("README.txt").exists());
}

#[test]
fn a_repeat_after_the_workspace_went_finds_what_was_kept() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::write(work.join("done.txt"), "done").unwrap();
    commit(&work, "done");
    fs::write(work.join("loose"), "loose").unwrap();
    let to = world.path().join("salvage");
    let first = world.rooms.salvage(&world.repo, &folder, "r1", &base, &to).unwrap();
    world.rooms.remove(&folder).unwrap();
    let again = world.rooms.salvage(&world.repo, &folder, "r1", &base, &to).unwrap();
    assert_eq!((&again.bundle, &again.archive, &again.head), (&first.bundle, &first.archive, &first.head));
    assert!(again.notes[0].contains("gone"));
}

#[test]
fn rewritten_history_and_tampered_clones_are_kept_too() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    git(&work, &["commit", "-q", "--amend", "-m", "another start"]);
    let to = world.path().join("salvage");
    let kept = world.rooms.salvage(&world.repo, &folder, "r1", &base, &to).unwrap();
    assert!(kept.bundle.is_some() && kept.notes[0].contains("rewrote history"));

    fs::write(work.join("x.log"), "ignored").unwrap();
    fs::create_dir(work.join("sub")).unwrap();
    symlink(world.path(), work.join("sub/out")).unwrap();
    fs::write(work.join(".git/objects/info/alternates"), "/\n").unwrap();
    let kept = world.rooms.salvage(&world.repo, &folder, "r1", &base, &to).unwrap();
    let files = entries(&kept.archive.unwrap());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, [".gitignore", "a.txt", "b.txt", "sub/out", "x.log"]);
    assert!(kept.bundle.is_some(), "the commits that were seen before");
}
