use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::domain::model::{Permission, UnixTime};
use crate::ports::Hosting as _;

struct At(Cell<i64>);

impl Clock for At {
    fn now(&self) -> UnixTime {
        self.0.set(self.0.get() + 1);
        UnixTime(self.0.get())
    }
}

fn forge_at(root: &Path) -> LocalForge {
    LocalForge::new(root.to_owned(), Rc::new(At(Cell::new(1_782_907_200))), "offhours")
}

struct World {
    root: TempDir,
    forge: LocalForge,
    repo: RepoId,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("ann/tool/issues")).unwrap();
        let forge = forge_at(root.path());
        Self { forge, root, repo: RepoId::parse("here:ann/tool", None).unwrap() }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("ann/tool/issues").join(name)
    }
    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
    /// Numbers, sentences about broken files, and the etag.
    fn list(&self, label: &str, etag: Option<&str>) -> (Vec<u64>, Vec<String>, Option<String>) {
        match self.forge.list(&self.repo, label, etag).unwrap() {
            Listing::NotModified => (vec![], vec!["not modified".to_owned()], None),
            Listing::Issues { issues, etag, broken } => {
                let numbers = issues.iter().map(|i| i.number).collect();
                (numbers, broken.into_iter().map(|b| b.what).collect(), etag)
            }
        }
    }
}

fn an_issue(title: &str) -> NewIssue {
    NewIssue {
        title: title.to_owned(),
        body: "Do it.\n".to_owned(),
        labels: vec!["ready".to_owned()],
        priority: Some(5),
        blocked_by: vec![2, 9],
        by: "ann".to_owned(),
    }
}

#[test]
fn an_issue_goes_round() {
    let w = World::new();
    assert_eq!(w.forge.new_issue(&w.repo, &an_issue("First")).unwrap(), 1);
    let issue = w.forge.issue(&w.repo, 1).unwrap();
    assert_eq!((issue.title.as_str(), issue.body.as_str(), issue.open), ("First", "Do it.\n", true));
    assert_eq!((issue.priority, issue.author.as_ref().unwrap().login.as_str()), (Some(5), "ann"));
    assert_eq!(issue.text_hash, super::super::text_hash("First", "Do it.\n"));
    assert_eq!(w.list("READY", None).0, [1]);
    assert_eq!(w.list("other", None).0, [0_u64; 0]);

    let evidence = w.forge.approval(&w.repo, &issue, "ready").unwrap();
    let labelled = evidence.labelled.unwrap();
    assert_eq!((labelled.by.unwrap().login.as_str(), labelled.at), ("ann", UnixTime(1_782_907_201)));
    assert_eq!(evidence.edits, EditHistory::Complete(vec![]));
    let ann = Person { login: "ann".to_owned(), bot: false };
    assert_eq!(w.forge.permission(&w.repo, &ann).unwrap(), Permission::Write);

    w.forge.set_open(&w.repo, 1, false).unwrap();
    assert!(!w.forge.issue(&w.repo, 1).unwrap().open);
    assert_eq!(w.list("ready", None).0, [0_u64; 0]);
    w.forge.set_open(&w.repo, 1, true).unwrap();
    w.forge.set_label(&w.repo, 1, "ready", false).unwrap();
    assert_eq!(w.forge.approval(&w.repo, &issue, "ready").unwrap().labelled, None);
    w.forge.set_label(&w.repo, 1, "ready", true).unwrap();
    let again = w.forge.approval(&w.repo, &issue, "ready").unwrap().labelled.unwrap();
    assert_ne!(again.event_id, labelled.event_id);
    assert_eq!(again.by.unwrap().login, "offhours");
}

#[test]
fn what_is_so_already_leaves_the_file_alone() {
    let w = World::new();
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    let before = fs::metadata(w.path("0001.md")).unwrap();
    w.forge.set_label(&w.repo, 1, "Ready", true).unwrap();
    w.forge.set_label(&w.repo, 1, "absent", false).unwrap();
    w.forge.set_open(&w.repo, 1, true).unwrap();
    let after = fs::metadata(w.path("0001.md")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    let id = w.forge.put_comment(&w.repo, 1, None, "same").unwrap();
    let comment = w.path("0001.comments/0001.md");
    let before = fs::metadata(&comment).unwrap().modified().unwrap();
    w.forge.put_comment(&w.repo, 1, Some(&id), "same").unwrap();
    assert_eq!(fs::metadata(&comment).unwrap().modified().unwrap(), before);
}

#[test]
fn any_spelling_of_a_number_is_that_issue() {
    let w = World::new();
    for name in ["3.md", "0004.md", "0005-some-words.md", "12345-x.md"] {
        w.write(name, "+++\ntitle = \"x\"\nlabels = [\"ready\"]\n+++\n");
    }
    for ignored in [".0006.md", "0007.md~", "#0008.md#", "README.md", "0009.txt", "notes"] {
        w.write(ignored, "words");
    }
    assert_eq!(w.list("ready", None), (vec![3, 4, 5, 12345], vec![], None));
    w.forge.set_label(&w.repo, 5, "busy", true).unwrap();
    assert!(w.read("0005-some-words.md").contains("\"busy\""));
    assert_eq!(w.forge.new_issue(&w.repo, &an_issue("x")).unwrap(), 12346);
    assert!(matches!(w.forge.issue(&w.repo, 77), Err(PortError::Gone { .. })));
}

#[test]
fn broken_files_are_told_and_the_others_go_on() {
    let w = World::new();
    w.write("0001.md", "+++\ntitle = \"good\"\nlabels = [\"ready\"]\n+++\n");
    w.write("0002.md", "no front matter");
    w.write("0003.md", "+++\ntitle = \"x\"\n+++\n");
    w.write("3-again.md", "+++\ntitle = \"y\"\n+++\n");
    w.write("fix.md", "words");
    w.write("0000.md", "words");
    w.write("99999999999999999999999.md", "words");
    w.write("0004.md", vec![b'x'; text::MAX_BYTES + 1]);
    w.write("outside.txt", "+++\ntitle = \"secret\"\nlabels = [\"ready\"]\n+++\n");
    symlink("outside.txt", w.path("0005.md")).unwrap();
    symlink("nowhere", w.path("0006.md")).unwrap();
    fs::create_dir(w.path("0007.md")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, w.path("0008.md"), rustix::fs::Mode::RUSR).unwrap();
    let (numbers, broken, _) = w.list("ready", None);
    assert_eq!(numbers, [1]);
    insta::assert_snapshot!(broken.join("\n"), @r#"
    ann/tool/issues/0000.md: numbers begin at 1; give it another number
    ann/tool/issues/99999999999999999999999.md: its number is too large; give it a smaller one
    ann/tool/issues/fix.md: its name does not begin with a number; rename it like 0007.md or 0007-some-words.md
    ann/tool/issues/0002.md, line 1: there is no front matter; begin the file with a line +++, a line title = "..." and a line +++
    ann/tool/issues/0003.md and ann/tool/issues/3-again.md are all issue 3; rename all but one of them
    ann/tool/issues/0003.md and ann/tool/issues/3-again.md are all issue 3; rename all but one of them
    ann/tool/issues/0004.md: it is 1000001 bytes, and 1 MB is the most that is read; shorten it
    ann/tool/issues/0005.md: it is a symbolic link, and those are not followed; put the file itself here
    ann/tool/issues/0006.md: it is a symbolic link, and those are not followed; put the file itself here
    ann/tool/issues/0007.md: it is no regular file; move it away, or put a text file in its place
    ann/tool/issues/0008.md: it is no regular file; move it away, or put a text file in its place
    "#);
    for number in 2..=8 {
        assert!(matches!(w.forge.issue(&w.repo, number), Err(PortError::Broken { .. })), "{number}");
        let write = w.forge.set_label(&w.repo, number, "x", true);
        assert!(matches!(write, Err(PortError::Broken { .. })), "{number}");
    }
    assert!(fs::symlink_metadata(w.path("0005.md")).unwrap().is_symlink());
}

#[test]
fn a_repo_that_is_not_there_is_gone_and_a_path_is_no_repo() {
    let w = World::new();
    let none = RepoId::parse("here:ann/none", None).unwrap();
    let Err(PortError::Gone { what }) = w.forge.list(&none, "ready", None) else { panic!("not gone") };
    assert!(
        what.starts_with("the local forge here has no repository ann/none: there is no folder "),
        "{what}"
    );
    for (owner, name) in [("..", "x"), ("a/b", "x"), ("a", ""), ("a", ".git"), ("a", "b\0")] {
        let repo = RepoId { forge: "here".to_owned(), owner: owner.to_owned(), name: name.to_owned() };
        assert!(
            matches!(w.forge.list(&repo, "ready", None), Err(PortError::Refused { .. })),
            "{owner}/{name}"
        );
        assert!(init_repo(w.root.path(), owner, name).is_err());
    }
    fs::remove_dir(w.path("")).unwrap();
    let (numbers, broken, etag) = w.list("ready", None);
    assert_eq!((numbers.len(), broken.len(), etag.is_some()), (0, 0, true));
}

#[test]
fn blockers_are_open_closed_or_unreadable() {
    let w = World::new();
    w.write("0001.md", "+++\ntitle = \"x\"\nblocked_by = [3, 2, 3]\n+++\n");
    w.write("0002.md", "+++\ntitle = \"x\"\nstate = \"closed\"\n+++\n");
    w.write("0003.md", "+++\ntitle = \"x\"\n+++\n");
    w.write("0004.md", "broken");
    let issue = w.forge.issue(&w.repo, 1).unwrap();
    let blockers = w.forge.blockers(&w.repo, &issue, &[4, 9, 2]).unwrap();
    let known: Vec<_> = blockers.iter().map(|b| (b.name.as_str(), b.open.known().copied())).collect();
    assert_eq!(known, [("#2", Some(false)), ("#3", Some(true)), ("#4", None), ("#9", None)]);
    assert!(matches!(&blockers[3].open, Seen::Unreadable(why) if why.contains("has no issue 9")));
}

#[test]
fn comments_are_found_again_by_id_and_marker() {
    let w = World::new();
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    let body = "\n<!-- offhours:run:r1 -->\r\n+++\nno end";
    let id = w.forge.put_comment(&w.repo, 1, None, body).unwrap();
    assert_eq!(
        (id.as_str(), w.forge.comment_as(&w.repo, 1, "hm", "bob").unwrap().as_str()),
        ("0001", "0002")
    );
    w.write("0001.comments/0010.md", "by hand\n");
    w.write("0001.comments/9.md", "+++\nby = 3\n+++\nx");
    symlink("9.md", w.path("0001.comments/0011.md")).unwrap();
    let all = w.forge.comments(&w.repo, 1).unwrap();
    let ids: Vec<_> = all.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["0001", "0002", "9", "0010", "0011"]);
    assert_eq!(all[0].body, body);
    assert_eq!(all[0].author, Some(Person { login: "offhours".to_owned(), bot: true }));
    assert_eq!(all[1].author, Some(Person { login: "bob".to_owned(), bot: false }));
    assert!(all[3].author.is_some());
    assert_eq!((&all[2].author, &all[4].author), (&None, &None));
    assert!(all[4].body.contains("symbolic link"));

    w.forge.put_comment(&w.repo, 1, Some("0001"), "new").unwrap();
    let first = w.forge.comments(&w.repo, 1).unwrap().remove(0);
    assert_eq!((first.body.as_str(), first.at), ("new", all[0].at));
    assert_eq!(w.forge.put_comment(&w.repo, 1, None, "next").unwrap(), "0012");
    assert!(matches!(w.forge.put_comment(&w.repo, 1, Some("0099"), "x"), Err(PortError::Gone { .. })));
    assert!(matches!(w.forge.put_comment(&w.repo, 1, Some("../1"), "x"), Err(PortError::Refused { .. })));
    assert!(matches!(w.forge.put_comment(&w.repo, 7, None, "x"), Err(PortError::Gone { .. })));
    assert!(matches!(w.forge.comments(&w.repo, 7), Err(PortError::Gone { .. })));
}

#[test]
fn an_unchanged_folder_is_not_read_and_a_changed_one_is() {
    let w = World::new();
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    assert_eq!(w.list("ready", None).2, None, "just written: no promise");
    files::AHEAD.set(4);
    let etag = w.list("ready", None).2.expect("settled");
    assert_eq!(w.list("ready", Some(&etag)).1, ["not modified"]);
    assert_eq!(w.list("other", Some(&etag)).0, [0_u64; 0]);
    assert_eq!(w.list("ready", Some("nonsense")).0, [1]);
    w.forge.put_comment(&w.repo, 1, None, "comments are not part of it").unwrap();
    assert_eq!(w.list("ready", Some(&etag)).1, ["not modified"]);
    // Same size, and the modification time put back: the inode's own time tells.
    files::AHEAD.set(0);
    let modified = fs::metadata(w.path("0001.md")).unwrap().modified().unwrap();
    let text = w.read("0001.md").replace("state = \"open\"", "state = 'open'");
    w.write("0001.md", text);
    OpenOptions::new().write(true).open(w.path("0001.md")).unwrap().set_modified(modified).unwrap();
    assert_eq!(w.list("ready", Some(&etag)), (vec![1], vec![], None));
    // A time in the future is never taken for settled.
    let future = SystemTime::now() + Duration::from_secs(90_000);
    OpenOptions::new().write(true).open(w.path("0001.md")).unwrap().set_modified(future).unwrap();
    files::AHEAD.set(8);
    assert_eq!(w.list("ready", None).2, None);
}

#[test]
fn an_edit_between_reading_and_renaming_is_kept() {
    type Edit = fn(&Path);
    let edits: [Edit; 3] = [
        |path| {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"a person's line\n").unwrap();
        },
        |path| {
            let text = fs::read_to_string(path).unwrap() + "a person's line\n";
            let beside = path.with_extension("swp");
            fs::write(&beside, text).unwrap();
            fs::rename(&beside, path).unwrap();
        },
        |path| {
            let text = fs::read_to_string(path).unwrap() + "a person's line\n";
            fs::write(path, text).unwrap();
        },
    ];
    for edit in edits {
        let mut w = World::new();
        w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
        let times = Rc::new(Cell::new(0));
        let counted = Rc::clone(&times);
        w.forge.before_rename = Some(Box::new(move |path| {
            counted.set(counted.get() + 1);
            if counted.get() <= 2 {
                edit(path);
            }
        }));
        w.forge.set_label(&w.repo, 1, "busy", true).unwrap();
        assert_eq!(times.get(), 3);
        let text = w.read("0001.md");
        assert_eq!(text.matches("a person's line\n").count(), 2, "{text}");
        assert!(w.forge.issue(&w.repo, 1).unwrap().has_label("busy"));
        assert_eq!(text.matches("label = \"busy\"").count(), 1);
    }
}

#[test]
fn a_file_that_never_rests_puts_the_change_off() {
    let mut w = World::new();
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    w.forge.before_rename = Some(Box::new(|path| {
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"more\n").unwrap();
    }));
    let Err(PortError::Later { what, .. }) = w.forge.set_label(&w.repo, 1, "busy", true) else {
        panic!("done")
    };
    assert!(what.contains("saved by somebody else 5 times in a row"), "{what}");
    assert_eq!(w.read("0001.md").matches("more\n").count(), 5);
    assert_eq!(fs::read_dir(w.path("")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_file_deleted_meanwhile_stays_deleted() {
    let mut w = World::new();
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    w.forge.before_rename = Some(Box::new(|path| fs::remove_file(path).unwrap()));
    assert!(matches!(w.forge.set_label(&w.repo, 1, "busy", true), Err(PortError::Gone { .. })));
    assert!(!w.path("0001.md").exists());
    w.forge.before_rename = None;
    assert_eq!(w.forge.new_issue(&w.repo, &an_issue("y")).unwrap(), 2, "its number does not come back");
}

#[test]
fn a_person_appending_all_the_while_loses_nothing() {
    let w = World::new();
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    let path = w.path("0001.md");
    let over = AtomicBool::new(false);
    let (written, done) = std::thread::scope(|scope| {
        let person = scope.spawn(|| {
            let mut written = 0;
            while !over.load(Ordering::SeqCst) {
                let mut file = OpenOptions::new().append(true).open(&path).unwrap();
                file.write_all(format!("line {written} of a person\n").as_bytes()).unwrap();
                written += 1;
                std::thread::sleep(Duration::from_micros(2_500));
            }
            written
        });
        let mut done = 0;
        for flip in 0..200 {
            match w.forge.set_label(&w.repo, 1, "busy", flip % 2 == 0) {
                Ok(()) => done += 1,
                Err(PortError::Later { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        over.store(true, Ordering::SeqCst);
        (person.join().unwrap(), done)
    });
    let mut all = String::new();
    for file in fs::read_dir(w.path("")).unwrap() {
        all.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for number in 0..written {
        assert!(all.contains(&format!("line {number} of a person\n")), "line {number} of {written}");
    }
    assert!(done > 0, "no change got through beside {written} lines");
}

#[test]
fn writers_of_our_own_never_share_a_number() {
    let w = World::new();
    let root = w.root.path();
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let repo = w.repo.clone();
                scope.spawn(move || {
                    let forge = forge_at(root);
                    let new = |n| forge.new_issue(&repo, &an_issue(&format!("{thread}-{n}"))).unwrap();
                    (0..25).map(new).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    assert_eq!(w.list("ready", None).0.len(), 100);
}

#[test]
fn two_writers_of_one_file_within_a_second_both_get_through() {
    let w = World::new();
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    let root = w.root.path();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let repo = w.repo.clone();
            scope.spawn(move || {
                let forge = forge_at(root);
                for n in 0..8 {
                    forge.set_label(&repo, 1, &format!("l{thread}-{n}"), true).unwrap();
                }
            });
        }
    });
    let issue = w.forge.issue(&w.repo, 1).unwrap();
    assert_eq!(issue.labels.len(), 1 + 32, "{:?}", issue.labels);
    assert_eq!(w.read("0001.md").matches("[[labelled]]").count(), 1 + 32, "each is in the history once");
}

#[test]
fn what_an_ended_writer_left_goes_with_the_next_write() {
    let w = World::new();
    let number = w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    let left = w.root.path().join("ann/tool/.offhours.tmp");
    fs::write(&left, "half").unwrap();
    fs::write(w.path(".offhours.tmp"), "half, of an older version").unwrap();
    w.forge.set_label(&w.repo, number, "ready", true).unwrap();
    assert!(!left.exists() && !w.path(".offhours.tmp").exists(), "also where nothing was to be written");
    w.forge.put_comment(&w.repo, number, None, "x").unwrap();
    assert!(!left.exists());
    assert_eq!(fs::read_dir(w.path("0001.comments")).unwrap().count(), 1);
}

#[test]
fn mode_and_strangers_survive_a_change() {
    let w = World::new();
    w.write("0001.md", "+++\ntitle = \"x\"\nextra = 1 # mine\n+++\nbody, no end");
    fs::set_permissions(w.path("0001.md"), fs::Permissions::from_mode(0o664)).unwrap();
    w.write(".offhours.tmp", "left by a process that was ended");
    w.forge.set_label(&w.repo, 1, "busy", true).unwrap();
    assert_eq!(fs::metadata(w.path("0001.md")).unwrap().permissions().mode() & 0o777, 0o664);
    let text = w.read("0001.md");
    assert!(text.starts_with("+++\ntitle = \"x\"\nlabels = [\"busy\"]\nextra = 1 # mine\n"), "{text}");
    assert!(text.ends_with("+++\nbody, no end"));
    assert!(!w.path(".offhours.tmp").exists());
}

#[test]
fn the_remote_is_the_bare_repository_and_its_head() {
    let w = World::new();
    let Err(PortError::Gone { .. }) = w.forge.remote(&w.repo) else { panic!("not gone") };
    init_repo(w.root.path(), "ann", "tool").unwrap();
    let remote = w.forge.remote(&w.repo).unwrap();
    let git = w.root.path().join("ann/tool/repo.git");
    assert_eq!((Path::new(&remote.url), remote.default_branch.as_str()), (git.as_path(), "main"));
    fs::write(git.join("HEAD"), "ref: refs/heads/work/next\n").unwrap();
    init_repo(w.root.path(), "ann", "tool").unwrap();
    assert_eq!(w.forge.remote(&w.repo).unwrap().default_branch, "work/next");
    for bad in [
        "",
        "0123456789012345678901234567890123456789\n",
        "ref: refs/heads/\n",
        "ref: refs/heads/-x\n",
        "ref: refs/heads/a..b\n",
        "ref: refs/heads/a\nb\n",
        "ref: refs/tags/x\n",
        "ref: refs/heads/x.lock\n",
    ] {
        fs::write(git.join("HEAD"), bad).unwrap();
        let Err(PortError::Refused { what }) = w.forge.remote(&w.repo) else { panic!("{bad}") };
        assert!(what.contains("symbolic-ref"), "{what}");
    }
}

#[test]
fn what_cannot_be_read_again_is_not_written() {
    let w = World::new();
    let bad = NewIssue { title: "two\nlines".to_owned(), ..an_issue("") };
    assert!(matches!(w.forge.new_issue(&w.repo, &bad), Err(PortError::Refused { .. })));
    let large = NewIssue { body: "x".repeat(text::MAX_BYTES), ..an_issue("x") };
    assert!(matches!(w.forge.new_issue(&w.repo, &large), Err(PortError::Refused { .. })));
    w.forge.new_issue(&w.repo, &an_issue("x")).unwrap();
    assert!(w.forge.put_comment(&w.repo, 1, None, &"x".repeat(text::MAX_BYTES)).is_err());
    assert!(w.forge.label_as(&w.repo, 1, "a\nb", true, "ann").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_folder_of_noise_is_listed(name in "[0-9a-z.#~ -]{1,8}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let w = World::new();
        prop_assume!(name != "." && name != "..");
        w.write(&format!("{name}.md"), &bytes);
        w.write("0001.md", "+++\ntitle = \"x\"\nlabels = [\"ready\"]\n+++\n");
        let (_, broken, _) = w.list("ready", None);
        for sentence in broken {
            prop_assert!(sentence.contains("; "), "{}", sentence);
        }
    }
}
