use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::domain::model::UnixTime;
use crate::domain::model::{Oid, PullRequest, PullState, Review, ReviewNote, ReviewVerdict};
use crate::ports::{MergeAnswer, NewPull};

struct At(Cell<i64>);

impl Clock for At {
    fn now(&self) -> UnixTime {
        self.0.set(self.0.get() + 1);
        UnixTime(self.0.get())
    }
}

/// A repository with `main` and the branches that a test wants.
struct World {
    root: TempDir,
    forge: LocalForge,
    repo: RepoId,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        init_repo(root.path(), "ann", "tool").unwrap();
        let forge =
            LocalForge::new(root.path().to_owned(), Rc::new(At(Cell::new(1_782_907_200))), "offhours");
        let world = Self { forge, root, repo: RepoId::parse("here:ann/tool", None).unwrap() };
        world.commit("main", None, "a.txt", "one\n", "first");
        world
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("ann/tool")
    }

    fn git(&self, args: &[&str], stdin: &str) -> String {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(self.dir().join("repo.git")).args(args);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", "/nowhere");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ann Author")
                .env(format!("GIT_{role}_EMAIL"), "ann@there");
            command.env(format!("GIT_{role}_DATE"), "@1782900000 +0200");
        }
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// One more commit on a branch, which begins at `from` where it is new: a file with this text.
    fn commit(&self, branch: &str, from: Option<&str>, file: &str, text: &str, message: &str) -> Oid {
        let blob = self.git(&["hash-object", "-w", "--stdin"], text);
        let parent = from.map(str::to_owned).or_else(|| {
            let refs =
                self.git(&["for-each-ref", "--format=%(refname:short)", &format!("refs/heads/{branch}")], "");
            (!refs.is_empty()).then_some(refs)
        });
        let mut tree = String::new();
        if let Some(parent) = &parent {
            let old = self.git(&["ls-tree", parent], "");
            for line in old.lines().filter(|l| !l.ends_with(&format!("\t{file}"))) {
                tree.push_str(&format!("{line}\n"));
            }
        }
        tree.push_str(&format!("100644 blob {blob}\t{file}\n"));
        let tree = self.git(&["mktree"], &tree);
        let mut args = vec!["commit-tree", &tree, "-m", message];
        if let Some(parent) = &parent {
            args.extend(["-p", parent]);
        }
        let oid = self.git(&args, "");
        self.git(&["update-ref", &format!("refs/heads/{branch}"), &oid], "");
        Oid::parse(&oid).unwrap()
    }

    fn at(&self, name: &str) -> Option<Oid> {
        Oid::parse(&self.git(&["for-each-ref", "--format=%(objectname)", name], ""))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir().join("pulls").join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn open(&self, branch: &str) -> PullRequest {
        self.forge.open_pull(&self.repo, &new_pull(branch)).unwrap()
    }

    fn pull(&self, number: u64) -> PullRequest {
        self.forge.pull(&self.repo, number).unwrap()
    }

    fn merge(&self, number: u64, head: &Oid) -> PortResult<MergeAnswer> {
        self.forge.merge_pull(&self.repo, number, head)
    }
}

fn new_pull(branch: &str) -> NewPull {
    NewPull {
        title: format!("Take {branch}"),
        body: "Because.\n".to_owned(),
        branch: branch.to_owned(),
        target: "main".to_owned(),
    }
}

fn refused<T: std::fmt::Debug>(answer: PortResult<T>) -> String {
    match answer {
        Err(PortError::Refused { what }) => what,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_pull_request_goes_round() {
    let w = World::new();
    let first = w.commit("work", Some("main"), "b.txt", "b\n", "b");
    assert_eq!(w.forge.pull_of(&w.repo, "work").unwrap(), None);
    let opened = w.open("work");
    assert_eq!(
        (opened.number, opened.state.clone(), opened.head.clone()),
        (1, PullState::Open, first.clone())
    );
    assert_eq!(opened.link.as_deref(), w.path("0001.md").to_str());
    assert_eq!(w.at("refs/pull/1/head"), Some(first.clone()));
    assert_eq!(w.forge.pull_of(&w.repo, "work").unwrap(), Some(opened.clone()));
    assert_eq!(w.pull(1), opened);

    let second = w.commit("work", None, "b.txt", "bb\n", "more");
    assert_eq!(w.pull(1).head, second);
    assert_eq!(w.at("refs/pull/1/head"), Some(second.clone()), "kept at the look");
    assert_eq!(w.merge(1, &first).unwrap(), MergeAnswer::HeadMoved);
    assert_eq!(w.pull(1).state, PullState::Open);

    let MergeAnswer::Merged(Some(commit)) = w.merge(1, &second).unwrap() else { panic!("not merged") };
    assert_eq!(w.at("refs/heads/main"), Some(commit.clone()));
    let merged = w.pull(1);
    let by = Some(Person { login: "offhours".to_owned(), bot: true });
    assert_eq!(merged.state, PullState::Merged { commit: Some(commit.clone()), by });
    assert_eq!(merged.head, second);
    assert_eq!(w.merge(1, &second).unwrap(), MergeAnswer::Merged(Some(commit.clone())), "and again");
    assert_eq!(w.at("refs/heads/main"), Some(commit.clone()));
    w.forge.close_pull(&w.repo, 1).unwrap();
    assert_eq!(w.pull(1).state, merged.state, "what is merged is not closed");
    // The branch may go.
    w.git(&["update-ref", "-d", "refs/heads/work"], "");
    assert_eq!(w.pull(1), merged);
    let log = w.git(&["log", "-1", "--format=%an <%ae> %cn %ct %P%n%B", commit.as_str()], "");
    let log = log.replace(second.as_str(), "SECOND");
    insta::assert_snapshot!(log, @r"
    offhours <offhours@localhost> offhours 1782907201 dd8bc267adadcef52e519328b08057730dc08b69 SECOND
    Merge pull request #1 from work

    Take work
    ");
}

#[test]
fn text_is_edited_and_left_alone_where_it_is_so() {
    let w = World::new();
    w.commit("work", Some("main"), "b.txt", "b\n", "b");
    w.open("work");
    let before = fs::metadata(w.path("0001.md")).unwrap().modified().unwrap();
    w.forge.edit_pull(&w.repo, 1, "Take work", "Because.\n").unwrap();
    assert_eq!(fs::metadata(w.path("0001.md")).unwrap().modified().unwrap(), before);
    w.forge.edit_pull(&w.repo, 1, "A \"quoted\" title", "\nbegins empty").unwrap();
    let pull = w.pull(1);
    assert_eq!((pull.title.as_str(), pull.body.as_str()), ("A \"quoted\" title", "\nbegins empty"));
    refused(w.forge.edit_pull(&w.repo, 1, "two\nlines", ""));
    assert!(matches!(w.forge.edit_pull(&w.repo, 9, "x", ""), Err(PortError::Gone { .. })));
}

#[test]
fn a_body_of_an_issue_is_rewritten_and_its_labels_keep_their_history() {
    let w = World::new();
    let path = w.dir().join("issues/0001.md");
    fs::write(&path, "+++\r\ntitle = \"x\"\r\nlabels = [\"ready\"] # mine\r\n+++").unwrap();
    let issue = w.forge.issue(&w.repo, 1).unwrap();
    let before = w.forge.approval(&w.repo, &issue, "ready").unwrap();
    w.forge.set_body(&w.repo, 1, "").unwrap();
    assert!(!fs::read_to_string(&path).unwrap().contains("labelled"), "nothing changed");
    w.forge.set_body(&w.repo, 1, "\nnew").unwrap();
    assert_eq!(w.forge.issue(&w.repo, 1).unwrap().body, "\nnew");
    assert_eq!(w.forge.approval(&w.repo, &issue, "ready").unwrap(), before);
    w.forge.set_body(&w.repo, 1, "newer\n").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("# mine") && text.ends_with("+++\r\n\r\nnewer\n"), "{text:?}");
    assert!(matches!(w.forge.set_body(&w.repo, 2, "x"), Err(PortError::Gone { .. })));
}

#[test]
fn what_makes_no_sense_is_not_opened() {
    let w = World::new();
    w.commit("work", Some("main"), "b.txt", "b\n", "b");
    let try_open = |branch: &str, target: &str, title: &str| {
        let new = NewPull { target: target.to_owned(), title: title.to_owned(), ..new_pull(branch) };
        refused(w.forge.open_pull(&w.repo, &new))
    };
    assert!(try_open("none", "main", "x").contains("there is no branch none"));
    assert!(try_open("work", "none", "x").contains("there is no branch none"));
    assert!(try_open("main", "main", "x").contains("main has nothing that main has not"));
    assert!(try_open("main", "work", "x").contains("main has nothing that work has not"));
    assert!(try_open("work\u{1b}[2J", "main", "x").contains("is no name that git allows"));
    assert!(try_open("--upload-pack=x", "main", "x").contains("is no name that git allows"));
    assert!(try_open("../../x", "main", "x").contains("is no name that git allows"));
    assert!(try_open("work", "main", "two\nlines").contains("title is not one line"));
    assert!(!w.path("").exists() || fs::read_dir(w.path("")).unwrap().count() == 0);
    w.open("work");
    assert!(try_open("work", "main", "x").ends_with("here:ann/tool#1 from the branch work is open already"));
    w.forge.close_pull(&w.repo, 1).unwrap();
    assert_eq!(w.open("work").number, 2, "a new one for a closed one's branch");
    assert_eq!(w.forge.pull_of(&w.repo, "work").unwrap().unwrap().number, 2);
    let again = refused(w.forge.reopen_pull(&w.repo, 1));
    assert!(again.contains("#2 from the branch work is open already"), "{again}");
}

#[test]
fn numbers_are_shared_with_issues() {
    let w = World::new();
    let issue = NewIssue { title: "x".to_owned(), by: "ann".to_owned(), ..NewIssue::default() };
    assert_eq!(w.forge.new_issue(&w.repo, &issue).unwrap(), 1);
    w.commit("work", Some("main"), "b.txt", "b\n", "b");
    assert_eq!(w.open("work").number, 2);
    assert_eq!(w.forge.new_issue(&w.repo, &issue).unwrap(), 3);
    w.write("0007.md", "+++\ntitle = \"by hand\"\nbranch = \"work\"\ntarget = \"main\"\n+++\n");
    assert_eq!(w.forge.new_issue(&w.repo, &issue).unwrap(), 8);
    w.write("0020.reviews/0001.md", "left of one that was deleted");
    assert_eq!(w.forge.new_issue(&w.repo, &issue).unwrap(), 21);

    let Err(PortError::Gone { what }) = w.forge.issue(&w.repo, 2) else { panic!("an issue") };
    assert_eq!(
        what,
        "ann/tool has no issue 2: that is the number of the pull request ann/tool/pulls/0002.md"
    );
    assert!(matches!(w.forge.pull(&w.repo, 1), Err(PortError::Gone { .. })));
    for number in [1, 2] {
        assert_eq!(w.forge.put_comment(&w.repo, number, None, "hello").unwrap(), "0001");
        w.forge.put_comment(&w.repo, number, Some("0001"), "changed").unwrap();
        assert_eq!(w.forge.comments(&w.repo, number).unwrap()[0].body, "changed");
    }
    assert!(w.path("0002.comments/0001.md").exists());
    assert!(matches!(w.forge.comments(&w.repo, 9), Err(PortError::Gone { .. })));
}

#[test]
fn an_issue_can_wait_for_a_pull_request() {
    let w = World::new();
    let head = w.commit("work", Some("main"), "b.txt", "b\n", "b");
    w.open("work");
    let waiting =
        NewIssue { title: "x".to_owned(), blocked_by: vec![1], by: "ann".to_owned(), ..NewIssue::default() };
    w.forge.new_issue(&w.repo, &waiting).unwrap();
    let issue = w.forge.issue(&w.repo, 2).unwrap();
    let open = || w.forge.blockers(&w.repo, &issue, &[]).unwrap().remove(0).open;
    assert_eq!(open(), Seen::Known(true));
    w.merge(1, &head).unwrap();
    assert_eq!(open(), Seen::Known(false));
}

#[test]
fn a_conflict_is_refused_and_nothing_moves() {
    let w = World::new();
    let head = w.commit("work", Some("main"), "a.txt", "theirs\n", "theirs");
    w.open("work");
    let main = w.commit("main", None, "a.txt", "ours\n", "ours");
    let file = w.read("0001.md");
    for method in [Method::MergeCommit, Method::Squash, Method::Rebase] {
        let what = refused(w.forge.merge_as(&w.repo, 1, Some(&head), method, "ann"));
        assert_eq!(
            what,
            "merging here:ann/tool#1: work and main conflict in a.txt; bring work up to date by hand"
        );
    }
    assert_eq!((w.at("refs/heads/main"), w.read("0001.md")), (Some(main), file));
    w.forge.close_pull(&w.repo, 1).unwrap();
    assert_eq!(w.pull(1).state, PullState::Closed);
    let closed = w.read("0001.md");
    w.forge.close_pull(&w.repo, 1).unwrap();
    assert_eq!(w.read("0001.md"), closed);
    assert!(refused(w.merge(1, &head)).contains("it is closed"));
}

#[test]
fn three_ways_to_merge() {
    for method in [Method::MergeCommit, Method::Squash, Method::Rebase] {
        let w = World::new();
        w.commit("work", Some("main"), "b.txt", "b\n", "add b");
        let head = w.commit("work", None, "c.txt", "c\n", "add c\n\nwith a body");
        w.commit("main", None, "d.txt", "d\n", "meanwhile");
        w.open("work");
        w.forge.merge_as(&w.repo, 1, None, method, "bob").unwrap();
        assert_eq!(w.git(&["ls-tree", "--name-only", "main"], ""), "a.txt\nb.txt\nc.txt\nd.txt");
        let log = w.git(&["log", "--format=%an/%cn/%at %p|%B", "--first-parent", "main~1..main"], "");
        let log = log.replace(head.short().get(..7).unwrap(), "HEAD");
        let parents = w.git(&["rev-list", "--parents", "-1", "main"], "").split(' ').count() - 1;
        match method {
            Method::MergeCommit => {
                assert_eq!(parents, 2);
                assert!(log.contains("Merge pull request #1 from work\n\nTake work"), "{log}");
                assert!(log.starts_with("bob/bob/"), "{log}");
            }
            Method::Squash => {
                assert_eq!(parents, 1);
                assert!(log.starts_with("Ann Author/bob/1782900000 "), "{log}");
                assert!(log.contains("Take work (#1)\n\n* add b\n* add c"), "{log}");
            }
            Method::Rebase => {
                assert_eq!(w.git(&["rev-list", "--count", "main"], ""), "4");
                assert!(log.starts_with("Ann Author/bob/1782900000 "), "{log}");
                assert!(log.ends_with("|add c\n\nwith a body"), "{log}");
            }
        }
        let state = w.pull(1).state;
        assert_eq!(
            state,
            PullState::Merged {
                commit: w.at("refs/heads/main"),
                by: Some(Person { login: "bob".to_owned(), bot: false })
            }
        );
        assert_eq!(w.forge.pull_of(&w.repo, "work").unwrap().unwrap().state, state);
    }
}

#[test]
fn what_people_do_with_git_alone_is_seen() {
    let w = World::new();
    let head = w.commit("work", Some("main"), "b.txt", "b\n", "b");
    w.open("work");
    // Set back to before the work: open, with nothing to merge.
    let main = w.at("refs/heads/main").unwrap();
    w.git(&["update-ref", "refs/heads/work", main.as_str()], "");
    assert_eq!((w.pull(1).state, w.pull(1).head), (PullState::Open, main.clone()));
    assert!(refused(w.merge(1, &main)).contains("work has nothing that main has not"));
    assert_eq!(w.at("refs/pull/1/head"), Some(head.clone()), "the work is kept");
    // Deleted: closed. There again: open.
    w.git(&["update-ref", "-d", "refs/heads/work"], "");
    assert_eq!((w.pull(1).state, w.pull(1).head), (PullState::Closed, head.clone()));
    w.git(&["update-ref", "refs/heads/work", head.as_str()], "");
    assert_eq!(w.pull(1).state, PullState::Open);
    // Merged by hand; the branch may go, and nothing is merged a second time.
    w.git(&["update-ref", "refs/heads/main", head.as_str()], "");
    let merged = PullState::Merged { commit: None, by: None };
    assert_eq!(w.pull(1).state, merged);
    w.git(&["update-ref", "-d", "refs/heads/work"], "");
    assert_eq!((w.pull(1).state, w.pull(1).head), (merged.clone(), head.clone()));
    assert_eq!(w.merge(1, &head).unwrap(), MergeAnswer::Merged(None));
    assert!(w.read("0001.md").contains("state = \"merged\""), "written down by then");
    assert_eq!(w.pull(1).state, merged);
    // A branch that goes on after it was merged is open with the rest.
    let next = w.commit("next", Some("main"), "c.txt", "c\n", "c");
    w.open("next");
    w.git(&["update-ref", "refs/heads/main", next.as_str()], "");
    let more = w.commit("next", None, "c.txt", "cc\n", "cc");
    assert_eq!((w.pull(2).state, w.pull(2).head), (PullState::Open, more));
}

#[test]
fn a_look_for_a_dry_run_writes_nothing() {
    let w = World::new();
    let first = w.commit("work", Some("main"), "b.txt", "b\n", "b");
    w.open("work");
    w.commit("work", None, "b.txt", "bb\n", "more");
    let clock = Rc::new(At(Cell::new(1_782_907_200)));
    let dry = LocalForge::new(w.root.path().to_owned(), clock, "offhours").looking_only();
    assert_ne!(dry.pull(&w.repo, 1).unwrap().head, first);
    dry.pull_of(&w.repo, "work").unwrap();
    assert_eq!(w.at("refs/pull/1/head"), Some(first));
}

fn review(verdict: ReviewVerdict, body: &str) -> NewReview {
    NewReview { verdict, body: body.to_owned(), notes: vec![] }
}

#[test]
fn reviews_come_back_oldest_first_and_never_share_an_id() {
    let w = World::new();
    let head = w.commit("work", Some("main"), "b.txt", "b\n", "b");
    w.open("work");
    let (path, body) = (Some("b.txt".to_owned()), "why\n\"so\"?".to_owned());
    let author = Some(Person { login: "bob".to_owned(), bot: false });
    let note = ReviewNote { path, line: Some(1), body, author, edited: false };
    let asked = NewReview { notes: vec![note], ..review(ReviewVerdict::ChangesRequested, "Not yet.\n") };
    assert_eq!(w.forge.review_as(&w.repo, 1, &asked, "bob").unwrap(), "0001");
    let good = review(ReviewVerdict::Approved, "");
    assert_eq!(w.forge.review_as(&w.repo, 1, &good, "ann").unwrap(), "0002");
    let all = w.forge.reviews(&w.repo, 1).unwrap();
    let [first, second] = all.as_slice() else { panic!("{all:?}") };
    let Review { id, author, verdict, body, notes, .. } = first;
    assert_eq!(
        (id.as_str(), author.as_ref().unwrap().login.as_str(), *verdict),
        ("0001", "bob", asked.verdict)
    );
    assert_eq!((body, notes), (&asked.body, &asked.notes));
    assert!(w.read("0001.reviews/0001.md").contains(head.as_str()), "what was looked at is written down");
    assert_eq!((second.verdict, second.body.as_str()), (ReviewVerdict::Approved, ""));
    assert!(first.at < second.at);

    fs::remove_file(w.path("0001.reviews/0002.md")).unwrap();
    assert_eq!(w.forge.review_as(&w.repo, 1, &good, "ann").unwrap(), "0003");
    w.write("0001.reviews/0004.md", "by hand");
    w.write("0001.reviews/0005.md", "+++\nverdict = \"maybe\"\n+++\n");
    w.write(
        "0001.reviews/0006.md",
        "+++\nby = \"eve\"\nat = 2020-01-01T00:00:00Z\n\n[[note]]\nline = 3\n+++\n",
    );
    symlink("0004.md", w.path("0001.reviews/0007.md")).unwrap();
    let all = w.forge.reviews(&w.repo, 1).unwrap();
    let of = |id: &str| all.iter().find(|r| r.id == id).unwrap();
    assert!(of("0004").author.is_some());
    assert_eq!(of("0004").verdict, ReviewVerdict::Commented);
    for (id, what) in [("0005", "verdict is \"maybe\""), ("0006", "has no text"), ("0007", "symbolic link")] {
        assert_eq!((&of(id).author, of(id).verdict), (&None, ReviewVerdict::Commented));
        assert!(of(id).body.contains(what), "{}", of(id).body);
    }
    assert!(matches!(w.forge.reviews(&w.repo, 9), Err(PortError::Gone { .. })));
    assert!(matches!(w.forge.review_as(&w.repo, 9, &good, "ann"), Err(PortError::Gone { .. })));
}

#[test]
fn broken_files_are_told_and_the_others_go_on() {
    let w = World::new();
    w.commit("work", Some("main"), "b.txt", "b\n", "b");
    w.commit("other", Some("main"), "c.txt", "c\n", "c");
    w.open("work");
    w.write("0002.md", "no front matter");
    w.write("0003.md", "+++\ntitle = \"x\"\n+++\n");
    w.write("0004.md", "+++\ntitle = \"x\"\nbranch = \"a..b\"\ntarget = \"main\"\n+++\n");
    w.write("0005.md", "+++\ntitle = \"x\"\nbranch = \"gone\"\ntarget = \"main\"\nstate = \"done\"\n+++\n");
    w.write("0006.md", "+++\ntitle = \"x\"\nbranch = \"gone\"\ntarget = \"main\"\nhead = \"abc\"\n+++\n");
    w.write("0007.md", "+++\ntitle = \"x\"\nbranch = \"gone\"\ntarget = \"main\"\n+++\n");
    w.write("words.md", "words");
    symlink("0001.md", w.path("0008.md")).unwrap();
    let all = w.forge.list_pulls(&w.repo).unwrap();
    assert_eq!(all.pulls.iter().map(|p| p.number).collect::<Vec<_>>(), [1]);
    let told: Vec<String> = all.broken.into_iter().map(|b| b.what).collect();
    insta::assert_snapshot!(told.join("\n").replace(w.root.path().to_str().unwrap(), "ROOT"), @r#"
    ann/tool/pulls/words.md: its name does not begin with a number; rename it like 0007.md or 0007-some-words.md
    ann/tool/pulls/0002.md, line 1: there is no front matter; begin the file with a line +++, a line title = "..." and a line +++
    ann/tool/pulls/0003.md, line 1: there is no branch; add a line branch = "a-branch" to the front matter
    ann/tool/pulls/0004.md, line 3: branch is no name that git allows a branch; correct it
    ann/tool/pulls/0005.md, line 5: state is "done"; write "open", "closed" or "merged"
    ann/tool/pulls/0006.md, line 5: head is no whole name of a commit; correct it or delete the line
    ann/tool/pulls/0008.md: it is a symbolic link, and those are not followed; put the file itself here
    ann/tool/pulls/0007.md: its branch gone is not in ROOT/ann/tool/repo.git; push it, or delete the file
    "#);
    // What cannot be read and names the branch may be its pull request.
    assert_eq!(w.forge.pull_of(&w.repo, "work").unwrap().unwrap().number, 1);
    assert_eq!(w.forge.pull_of(&w.repo, "other").unwrap(), None);
    w.write("0009.md", "+++\ntitle = \"x\nbranch = \"other\"\ntarget = \"main\"\n+++\n");
    assert!(matches!(w.forge.pull_of(&w.repo, "other"), Err(PortError::Broken { .. })));
    assert!(matches!(w.forge.open_pull(&w.repo, &new_pull("other")), Err(PortError::Broken { .. })));
    assert!(matches!(w.forge.pull(&w.repo, 9), Err(PortError::Broken { .. })));
    fs::remove_file(w.path("0009.md")).unwrap();
    assert_eq!(w.open("other").number, 9);
}

#[test]
fn a_persons_line_survives_every_write() {
    let mut w = World::new();
    w.commit("work", Some("main"), "b.txt", "b\n", "b");
    let head = w.open("work").head;
    let times = Rc::new(Cell::new(0));
    let counted = Rc::clone(&times);
    w.forge.before_rename = Some(Box::new(move |path| {
        counted.set(counted.get() + 1);
        if counted.get() % 2 == 1 {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"a person's line\n").unwrap();
        }
    }));
    w.forge.close_pull(&w.repo, 1).unwrap();
    assert!(w.forge.reopen_pull(&w.repo, 1).unwrap());
    let MergeAnswer::Merged(Some(_)) = w.merge(1, &head).unwrap() else { panic!("not merged") };
    assert_eq!(times.get(), 8, "each of the four writes was tried twice");
    assert_eq!(w.read("0001.md").matches("a person's line\n").count(), 4);
}

#[test]
fn a_merge_that_was_ended_half_way_is_finished() {
    for method in [Method::MergeCommit, Method::Squash, Method::Rebase] {
        let w = World::new();
        let head = w.commit("work", Some("main"), "b.txt", "b\n", "b");
        w.commit("main", None, "d.txt", "d\n", "meanwhile");
        w.open("work");
        w.forge.merge_as(&w.repo, 1, None, method, "bob").unwrap();
        let main = w.at("refs/heads/main");
        // As it is when the process ends between moving the target and saying so.
        let whole = w.read("0001.md");
        w.write("0001.md", &whole.replace("\"merged\"", "\"open\""));
        let PullState::Merged { commit, by } = w.pull(1).state else { panic!("not merged") };
        assert_eq!((&commit, by.unwrap().login.as_str()), (&main, "bob"));
        assert_eq!(w.forge.merge_as(&w.repo, 1, None, method, "eve").unwrap(), MergeAnswer::Merged(commit));
        assert_eq!((w.at("refs/heads/main"), w.read("0001.md")), (main, whole));
        let pull = w.pull(1);
        assert_eq!(pull.head, head);
    }
}

#[test]
fn two_at_once_merge_once() {
    let w = World::new();
    let head = w.commit("work", Some("main"), "b.txt", "b\n", "b");
    w.open("work");
    let answers: Vec<MergeAnswer> = std::thread::scope(|scope| {
        let one = || {
            let clock = Rc::new(At(Cell::new(1_782_907_200)));
            let forge = LocalForge::new(w.root.path().to_owned(), clock, "offhours");
            forge.merge_pull(
                &RepoId::parse("here:ann/tool", None).unwrap(),
                1,
                &Oid::parse(head.as_str()).unwrap(),
            )
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|t| t.join().unwrap().unwrap()).collect()
    });
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
    assert_eq!(w.git(&["rev-list", "--count", "main"], ""), "3");
}
