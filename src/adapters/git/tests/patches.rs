use super::*;
use crate::ports::{Merged, PortError};

const BRANCH: &str = "offhours/issue-1-r1";

/// A run that pushed its work, and the person who merges it in one way or another.
struct Story {
    world: World,
    folder: RunFolder,
    work: PathBuf,
    from: Oid,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        let lines: Vec<String> = (1..=20).map(|n| format!("line {n}\n")).collect();
        world.person_pushes("long.txt", &lines.concat());
        let (folder, work, from) = world.workspace();
        Self { world, folder, work, from }
    }

    fn edit(&self, file: &str, old: &str, new: &str) {
        edit(&self.work, file, old, new);
    }

    /// What the workspace holds, taken and pushed to its branch.
    fn pushes(&self) -> Oid {
        let world = &self.world;
        let head = world.rooms.work(&world.repo, &self.folder, "r1", &self.from).unwrap().head;
        let there = world.rooms.remote_head(&world.repo, &world.remote, BRANCH).unwrap();
        world.rooms.push(&world.repo, &world.remote, BRANCH, there.as_ref(), &head).unwrap();
        git(&world.person(), &["fetch", "-q", &world.remote.url, BRANCH]);
        head
    }

    /// The person's `main`, pushed and fetched.
    fn target(&self) -> Oid {
        git(&self.world.person(), &["push", "-q", "-f", &self.world.remote.url, "main"]);
        self.world.rooms.fetch_branch(&self.world.repo, &self.world.remote, "main").unwrap()
    }

    fn carries(&self, target: &Oid, head: &Oid) -> bool {
        self.world.rooms.carries(&self.world.repo, target, &self.from, head).unwrap()
    }

    fn undo(&self, target: &Oid, head: &Oid) -> Result<Merged, PortError> {
        self.world.rooms.undo(&self.world.repo, target, &self.from, head, "take it back\n\nbody")
    }

    /// What an undo leaves of the person's files.
    fn undone(&self, target: &Oid, head: &Oid) -> Oid {
        let Merged::UpToDate(oid) = self.undo(target, head).unwrap() else { panic!("a conflict") };
        assert_eq!(
            self.undo(target, head).unwrap(),
            Merged::UpToDate(oid.clone()),
            "a repeat gives the same"
        );
        let world = &self.world;
        world.rooms.push(&world.repo, &world.remote, "undo", None, &oid).unwrap();
        let person = world.person();
        git(&person, &["fetch", "-q", &world.remote.url, "undo"]);
        git(&person, &["push", "-q", &world.remote.url, ":undo"]);
        assert_eq!(
            git(&person, &["log", "-1", "--format=%P%n%B%an", oid.as_str()]),
            format!("{target}\ntake it back\n\nbody\noffhours")
        );
        oid
    }
}

fn edit(dir: &Path, file: &str, old: &str, new: &str) {
    let text = fs::read_to_string(dir.join(file)).unwrap();
    assert!(text.contains(old));
    fs::write(dir.join(file), text.replace(old, new)).unwrap();
}

/// Two commits: a text, and a mode with a file that is not text.
fn two_commits(story: &Story) -> Oid {
    story.edit("long.txt", "line 10\n", "line ten\n");
    commit(&story.work, "one");
    fs::write(story.work.join("bin"), b"\0\x01\x02").unwrap();
    fs::set_permissions(story.work.join("b.txt"), fs::Permissions::from_mode(0o755)).unwrap();
    commit(&story.work, "two");
    story.pushes()
}

/// The person changes something else first, two lines away from what the run changed.
fn meanwhile(story: &Story) -> Oid {
    edit(&story.world.person(), "long.txt", "line 12\n", "line twelve\n");
    commit(&story.world.person(), "meanwhile")
}

#[test]
fn work_is_found_on_the_target_however_it_was_merged() {
    type Way = fn(&Path, &Oid);
    let ways: [(&str, Way); 5] = [
        ("fast-forward or merge", |person, head| {
            git(person, &["merge", "-q", "--no-edit", head.as_str()]);
        }),
        ("rebase", |person, head| {
            git(person, &["cherry-pick", &format!("{head}~2..{head}")]);
        }),
        ("squash", |person, head| {
            git(person, &["merge", "-q", "--squash", head.as_str()]);
            git(person, &["commit", "-q", "-m", "squashed"]);
        }),
        ("rebase, then a merge without fast-forward", |person, head| {
            git(person, &["checkout", "-q", "-b", "side"]);
            git(person, &["cherry-pick", &format!("{head}~2..{head}")]);
            git(person, &["checkout", "-q", "main"]);
            git(person, &["merge", "-q", "--no-ff", "--no-edit", "side"]);
        }),
        ("a merge that holds the whole of a rewritten history", |person, head| {
            git(person, &["checkout", "-q", "-b", "side"]);
            git(person, &["merge", "-q", "--squash", head.as_str()]);
            git(person, &["reset", "-q", "b.txt"]);
            git(person, &["commit", "-q", "-m", "first half"]);
            commit(person, "second half");
            git(person, &["checkout", "-q", "main"]);
            git(person, &["merge", "-q", "--no-ff", "--no-edit", "side"]);
        }),
    ];
    for (way, merge) in ways {
        for moved in [false, true] {
            let story = Story::new();
            let head = two_commits(&story);
            assert!(!story.carries(&story.from, &head), "{way}: not merged yet");
            if moved {
                let target = meanwhile(&story);
                story.target();
                assert!(!story.carries(&target, &head), "{way}: not merged yet");
            }
            let person = story.world.person();
            merge(&person, &head);
            let target = story.target();
            assert!(story.carries(&target, &head), "{way}, moved {moved}");
            // What was built on it does not hide it.
            edit(&person, "long.txt", "line ten", "line 10!");
            commit(&person, "later");
            assert!(story.carries(&story.target(), &head), "{way}, moved {moved}, later");
        }
    }
}

#[test]
fn a_part_of_the_work_is_not_the_work() {
    let story = Story::new();
    let head = two_commits(&story);
    let person = story.world.person();
    git(&person, &["cherry-pick", &format!("{head}~1")]);
    assert!(!story.carries(&story.target(), &head), "one of two commits");
    // The other one with another content of the same file.
    fs::write(person.join("bin"), b"\0\x01\x03").unwrap();
    fs::set_permissions(person.join("b.txt"), fs::Permissions::from_mode(0o755)).unwrap();
    commit(&person, "two");
    assert!(!story.carries(&story.target(), &head), "another binary file");
    fs::write(person.join("bin"), b"\0\x01\x02").unwrap();
    git(&person, &["commit", "-q", "--amend", "-a", "-m", "two"]);
    assert!(story.carries(&story.target(), &head), "now both");
    // The run went on.
    story.edit("long.txt", "line 20\n", "line twenty\n");
    commit(&story.work, "three");
    let further = story.pushes();
    assert!(!story.carries(&story.target(), &further), "the newest commit is missing");
}

#[test]
fn a_commit_there_and_back_is_counted() {
    let story = Story::new();
    story.edit("a.txt", "a", "A");
    let first = commit(&story.work, "there");
    git(&story.work, &["revert", "--no-edit", first.as_str()]);
    story.edit("a.txt", "a", "A");
    commit(&story.work, "there again");
    fs::write(story.work.join("x"), "x\n").unwrap();
    commit(&story.work, "x");
    let head = story.pushes();
    let person = story.world.person();
    edit(&person, "b.txt", "b", "B");
    commit(&person, "meanwhile");
    git(&person, &["cherry-pick", &format!("{head}~3"), &format!("{head}~2"), head.as_str()]);
    assert!(!story.carries(&story.target(), &head), "`there again` is missing");
    git(&person, &["cherry-pick", &format!("{head}~1")]);
    assert!(story.carries(&story.target(), &head));
    // Two of them as they are, the others picked.
    git(&person, &["reset", "-q", "--hard", &format!("{head}~2")]);
    edit(&person, "b.txt", "b", "B");
    commit(&person, "meanwhile");
    assert!(!story.carries(&story.target(), &head));
    git(&person, &["cherry-pick", &format!("{head}~1"), head.as_str()]);
    assert!(story.carries(&story.target(), &head));
}

#[test]
fn work_that_merged_the_target_is_found_and_its_own_resolutions_are_not_lost() {
    for resolved in [false, true] {
        let mut story = Story::new();
        story.edit("long.txt", "line 10\n", "line ten\n");
        commit(&story.work, "one");
        let person = story.world.person();
        let theirs = if resolved { "line 10\n" } else { "line 2\n" };
        edit(&person, "long.txt", theirs, "by a person\n");
        commit(&person, "meanwhile");
        let target = story.target();
        let before = story.pushes();
        let conflicts = story.world.rooms.conflicts(&story.world.repo, &before, &target).unwrap();
        if resolved {
            assert_eq!(conflicts, ["long.txt"]);
            // The agent merges and resolves in a commit of its own.
            git(&story.work, &["fetch", "-q", &story.world.remote.url, "main"]);
            git(&story.work, &["merge", "-q", "-s", "ours", "-m", "resolved", "FETCH_HEAD"]);
        } else {
            assert!(conflicts.is_empty());
            let head = &before;
            let world = &story.world;
            world.rooms.bring_up_to_date(&world.repo, &story.folder, head, &target, "m").unwrap();
        }
        fs::write(story.work.join("y"), "y\n").unwrap();
        commit(&story.work, "two");
        let head = story.pushes();
        story.from = target;
        // Rebased: the merge goes, its two neighbours are picked.
        edit(&person, "b.txt", "b", "B");
        commit(&person, "more");
        if resolved {
            git(&person, &["cherry-pick", "-X", "theirs", before.as_str(), head.as_str()]);
            let same = git(&person, &["diff", "--name-only", head.as_str()]);
            assert_eq!(same, "b.txt", "the content is there, but not by the patches of the commits");
        } else {
            git(&person, &["cherry-pick", before.as_str(), head.as_str()]);
        }
        let target = story.target();
        assert_eq!(story.carries(&target, &head), !resolved, "rebased");
        // Squashed it is found in both cases.
        git(&person, &["reset", "-q", "--hard", story.from.as_str()]);
        git(&person, &["merge", "-q", "--squash", head.as_str()]);
        commit(&person, "squashed");
        assert!(story.carries(&story.target(), &head), "squashed");
    }
}

#[test]
fn what_an_agent_hid_in_a_merge_has_to_be_there_too() {
    let mut story = Story::new();
    story.edit("long.txt", "line 10\n", "line ten\n");
    let first = commit(&story.work, "one");
    let person = story.world.person();
    edit(&person, "a.txt", "a", "A");
    commit(&person, "meanwhile");
    story.from = story.target();
    git(&story.work, &["fetch", "-q", &story.world.remote.url, "main"]);
    git(&story.work, &["merge", "-q", "--no-commit", "FETCH_HEAD"]);
    story.edit("b.txt", "b", "hidden");
    git(&story.work, &["commit", "-q", "-a", "-m", "merged"]);
    fs::write(story.work.join("y"), "y\n").unwrap();
    commit(&story.work, "two");
    let head = story.pushes();
    edit(&person, "a.txt", "A", "AA");
    commit(&person, "more");
    git(&person, &["cherry-pick", first.as_str(), head.as_str()]);
    assert!(!story.carries(&story.target(), &head), "`hidden` is missing");
}

#[test]
fn an_empty_patch_is_never_carried_and_what_is_unknown_is_an_error() {
    let story = Story::new();
    git(&story.work, &["commit", "-q", "--allow-empty", "-m", "nothing"]);
    let head = story.pushes();
    let person = story.world.person();
    git(&person, &["merge", "-q", head.as_str()]);
    let target = story.target();
    assert_eq!(target, head);
    assert!(!story.carries(&target, &head));
    assert!(!story.carries(&target, &story.from));

    fs::write(story.work.join("x"), "x").unwrap();
    commit(&story.work, "x");
    let head = story.pushes();
    let unknown = Oid::parse(&"1".repeat(40)).unwrap();
    let ask = |target: &Oid, from: &Oid, head: &Oid| {
        story.world.rooms.carries(&story.world.repo, target, from, head).unwrap_err()
    };
    for error in [
        ask(&unknown, &story.from, &head),
        ask(&target, &unknown, &head),
        ask(&target, &story.from, &unknown),
        ask(&target, &head, &story.from),
    ] {
        assert!(matches!(error, PortError::Broken { .. }), "{error}");
    }
    assert!(story.world.rooms.conflicts(&story.world.repo, &head, &unknown).is_err());
    let (rooms, repo) = (&story.world.rooms, &story.world.repo);
    assert!(rooms.bring_up_to_date(repo, &story.folder, &head, &unknown, "m").is_err());
    assert!(story.world.rooms.new_commits(&story.world.repo, &unknown, &[&head]).is_err());
    assert!(story.undo(&unknown, &head).is_err());
}

#[test]
fn conflicts_name_their_paths_and_touch_nothing() {
    let story = Story::new();
    story.edit("long.txt", "line 10\n", "line ten\n");
    fs::remove_file(story.work.join("a.txt")).unwrap();
    fs::write(story.work.join("with space"), "mine").unwrap();
    commit(&story.work, "mine");
    let head = story.pushes();
    let person = story.world.person();
    edit(&person, "long.txt", "line 10\n", "line X\n");
    edit(&person, "a.txt", "a", "A");
    edit(&person, "b.txt", "b", "B");
    fs::write(person.join("with space"), "theirs").unwrap();
    commit(&person, "theirs");
    let target = story.target();
    let ask = |head: &Oid, target: &Oid| story.world.rooms.conflicts(&story.world.repo, head, target);
    assert_eq!(ask(&head, &target).unwrap(), ["a.txt", "long.txt", "with space"]);
    assert!(ask(&head, &story.from).unwrap().is_empty());
    assert!(ask(&story.from, &target).unwrap().is_empty());
    assert_eq!(git(&story.work, &["rev-parse", "HEAD"]), head.as_str());
    assert_eq!(git(&story.work, &["status", "--porcelain"]), "");

    git(&person, &["checkout", "-q", "--orphan", "stranger"]);
    commit(&person, "stranger");
    git(&person, &["push", "-q", &story.world.remote.url, "stranger"]);
    let stranger =
        story.world.rooms.fetch_branch(&story.world.repo, &story.world.remote, "stranger").unwrap();
    let error = ask(&head, &stranger).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("share no history")), "{error}");
}

#[test]
fn what_landed_is_taken_back_however_it_was_merged() {
    for way in ["merge", "squash", "rebase"] {
        let story = Story::new();
        let head = two_commits(&story);
        let person = story.world.person();
        meanwhile(&story);
        match way {
            "merge" => drop(git(&person, &["merge", "-q", "--no-edit", head.as_str()])),
            "squash" => {
                git(&person, &["merge", "-q", "--squash", head.as_str()]);
                git(&person, &["commit", "-q", "-m", "squashed"]);
            }
            _ => drop(git(&person, &["cherry-pick", &format!("{head}~2..{head}")])),
        }
        edit(&person, "a.txt", "a", "A");
        commit(&person, "later");
        // Its date is the newest of what it knows and not the clock's.
        git(&person, &["commit", "-q", "--amend", "--no-edit", "--date=@4000000000 +0000"]);
        git(&person, &["rebase", "-q", "--force-rebase", "--committer-date-is-author-date", "HEAD~1"]);
        let target = story.target();
        let oid = story.undone(&target, &head);
        let dates = git(&person, &["log", "-1", "--format=%at %ct", oid.as_str()]);
        assert_eq!(dates, "4000000000 4000000000");
        let show = |what: &str| git(&person, &["show", &format!("{oid}:{what}")]);
        let long = show("long.txt");
        assert!(long.contains("line 10\n") && long.contains("line twelve\n"), "{way}: {long}");
        assert_eq!(show("a.txt"), "A", "{way}");
        assert!(!git(&person, &["ls-tree", "--name-only", oid.as_str()]).contains("bin"), "{way}");
        assert!(git(&person, &["ls-tree", oid.as_str(), "b.txt"]).starts_with("100644"), "{way}");

        // Taken back already: nothing is left of it.
        git(&person, &["merge", "-q", oid.as_str()]);
        let error = story.undo(&story.target(), &head).unwrap_err();
        assert!(
            matches!(&error, PortError::Refused { what } if what.contains("nothing of it is left")),
            "{error}"
        );
    }
}

#[test]
fn what_was_built_upon_cannot_be_taken_back_by_itself() {
    let story = Story::new();
    let head = two_commits(&story);
    let person = story.world.person();
    git(&person, &["merge", "-q", head.as_str()]);
    edit(&person, "long.txt", "line ten\n", "line ten and more\n");
    commit(&person, "later");
    let target = story.target();
    assert_eq!(story.undo(&target, &head).unwrap(), Merged::Conflict(vec!["long.txt".into()]));
}

#[test]
fn only_commits_of_the_runs_own_are_new() {
    let story = Story::new();
    let (rooms, repo) = (&story.world.rooms, &story.world.repo);
    let person = story.world.person();
    meanwhile(&story);
    let target = story.target();
    let base = &story.from;
    // The agent only went on to the newer target.
    git(&story.work, &["fetch", "-q", &story.world.remote.url, "main"]);
    git(&story.work, &["merge", "-q", "FETCH_HEAD"]);
    let work = rooms.work(repo, &story.folder, "r1", base).unwrap();
    assert_eq!((&work.head, work.new_commits), (&target, 1));
    assert_eq!(rooms.new_commits(repo, &work.head, &[base, &target]).unwrap(), 0);
    assert_eq!(rooms.new_commits(repo, &work.head, &[base]).unwrap(), 1);
    fs::write(story.work.join("x"), "x").unwrap();
    commit(&story.work, "x");
    edit(&person, "b.txt", "b", "B");
    commit(&person, "more");
    let target = story.target();
    let head = story.pushes();
    assert_eq!(rooms.new_commits(repo, &head, &[base, &target]).unwrap(), 1);
    assert_eq!(rooms.new_commits(repo, &head, &[]).unwrap(), 4);
}

#[test]
fn an_earlier_branch_of_ours_is_continued() {
    let story = Story::new();
    let earlier = two_commits(&story);
    meanwhile(&story);
    let target = story.target();
    // Another host, on which the first run never was.
    let (repo, remote) = (&story.world.repo, &story.world.remote);
    let rooms = rooms(&story.world.path(), "two");
    let base = rooms.fetch_branch(repo, remote, BRANCH).unwrap();
    assert_eq!(base, earlier);
    assert_eq!(rooms.fetch_branch(repo, remote, "main").unwrap(), target);
    let folder = RunFolder { dir: story.world.path().join("two/work/n/r2") };
    rooms.prepare(repo, &folder, &base, "offhours/issue-1-r2").unwrap();
    let work = folder.work();
    assert_eq!(git(&work, &["status", "--porcelain", "--branch"]), "## offhours/issue-1-r2");
    assert!(work.join("bin").exists());
    let nothing = rooms.work(repo, &folder, "r2", &base).unwrap();
    assert_eq!((&nothing.head, nothing.new_commits), (&earlier, 0));

    fs::write(work.join("more"), "more\n").unwrap();
    let head = commit(&work, "more");
    let seen = rooms.work(repo, &folder, "r2", &base).unwrap();
    assert_eq!((&seen.head, seen.new_commits, seen.changes_tree), (&head, 1, true));
    assert_eq!(rooms.new_commits(repo, &head, &[&base, &target]).unwrap(), 1);
    let merged = rooms.bring_up_to_date(repo, &folder, &head, &target, "m").unwrap();
    let Merged::UpToDate(merged) = merged else { panic!("no conflict") };
    // Onto the old branch, as if it had never been left.
    assert_eq!(
        rooms.push(repo, remote, BRANCH, Some(&earlier), &merged).unwrap(),
        crate::ports::Pushed::Done
    );
    assert_eq!(rooms.change(repo, &target, &merged).unwrap().messages.len(), 4);
    assert!(!rooms.carries(repo, &target, &target, &merged).unwrap());
    let error = rooms.fetch_branch(repo, remote, "offhours/issue-1-r9").unwrap_err();
    assert!(matches!(error, PortError::Gone { .. }), "{error}");
}
