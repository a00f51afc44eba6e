//! The local forge: a tracker made of files, for working offline and for being understood in a minute.
//!
//! ```text
//! <root>/<owner>/<name>/issues/0003.md               an issue (3.md and 0003-some-words.md are issue 3 too)
//! <root>/<owner>/<name>/issues/0003.comments/0001.md a comment
//! <root>/<owner>/<name>/pulls/0004.md                a pull request; both share their numbers (see `pulls.rs`)
//! <root>/<owner>/<name>/pulls/0004.comments/0001.md  a comment
//! <root>/<owner>/<name>/pulls/0004.reviews/0001.md   a review
//! <root>/<owner>/<name>/repo.git                     the repository, bare
//! ```
//!
//! An issue is Markdown below TOML front matter:
//!
//! ```text
//! +++
//! title = "Parse empty input"
//! state = "open"                  # or "closed"; open where it is missing
//! labels = ["ready-for-agent"]
//! priority = 5                    # larger goes first
//! blocked_by = [1, 2]
//! author = "ann"
//!
//! [[labelled]]                    # who labelled when; offhours keeps it
//! label = "ready-for-agent"
//! by = "ann"
//! at = 2026-07-01T12:00:00Z
//! added = true
//! +++
//!
//! The text of the issue.
//! ```
//!
//! Only `title` is needed. A label written into `labels` by hand counts as put there by the file's owner at its
//! modification time, and is recorded so with the first change that offhours makes. Whoever may write the folder is
//! trusted: its permissions are the gate. Every change replaces a file only while it still is what was read.

mod comments;
mod files;
mod folders;
mod hosting;
mod pulls;
mod text;
mod trials;

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::adapters::git::bare::{Bare, Memory};
use crate::boundary;
use crate::domain::model::{
    ApprovalEvidence, Blocker, Comment, EditHistory, Issue, Labelled, Person, PullState, RepoId, Seen,
};
use crate::ports::{
    BrokenIssue, Capabilities, Clock, Forge, Listing, Merging, PortError, PortResult, PullRequests as _,
};

use files::{Raw, ReadError, Replaced, RepoLock, failed};
use folders::{Entry, RepoDir, Room, Scan};
pub use pulls::{AllPulls, Method, WholePull};
pub use text::NewIssue;
pub use text::pull::NewReview;
use text::{Applied, Flaw, IssueFile};

/// How often a change is tried again after somebody else's came first.
const TRIES: u32 = 5;
/// Between those tries, and before a file that is being written is read again.
const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
type Hook = Box<dyn Fn(&Path)>;

/// A directory of repositories with their issues.
pub struct LocalForge {
    root: PathBuf,
    clock: Rc<dyn Clock>,
    /// Who the changes through the port are by.
    actor: String,
    /// Also what a forge does on its own is left, such as keeping the head of a pull request.
    looking_only: bool,
    memory: Memory,
    /// Called between the comparison and the rename of every replacement.
    #[cfg(test)]
    before_rename: Option<Hook>,
}

/// An issue with everything about it, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeIssue {
    pub issue: Issue,
    pub blockers: Vec<Blocker>,
    pub comments: Vec<Comment>,
}

/// Everything in a repo's issue folder, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllIssues {
    pub issues: Vec<Issue>,
    pub broken: Vec<BrokenIssue>,
}

/// A file read and understood.
struct Loaded<T> {
    path: PathBuf,
    raw: Raw,
    file: T,
}

/// How the bytes of a file are understood.
type Parse<T> = fn(Vec<u8>) -> Result<T, Flaw>;

impl LocalForge {
    /// `root` need not exist yet. `actor` signs the comments and labels of the port's own writes.
    pub fn new(root: PathBuf, clock: Rc<dyn Clock>, actor: &str) -> Self {
        Self {
            root,
            clock,
            actor: actor.to_owned(),
            looking_only: false,
            memory: Memory::default(),
            #[cfg(test)]
            before_rename: None,
        }
    }

    /// For a dry run: a read writes nothing at all.
    #[must_use]
    pub fn looking_only(mut self) -> Self {
        self.looking_only = true;
        self
    }

    /// Writes a new issue and returns its number.
    pub fn new_issue(&self, repo: &RepoId, new: &NewIssue) -> PortResult<u64> {
        let dir = RepoDir::open(&self.root, repo)?;
        let text = text::new_issue(new, self.clock.now());
        if text.len() > text::MAX_BYTES {
            return Err(PortError::refused("the new issue is larger than 1 MB; shorten it"));
        }
        // What could not be read again is not written.
        IssueFile::parse(text.clone().into_bytes())
            .map_err(|flaw| PortError::refused(flaw.sentence("the new issue")))?;
        let mut lock = dir.lock()?;
        Self::new_file(&dir, Room::Issues, &text, &mut lock)
    }

    /// Writes a file under the next free number.
    fn new_file(dir: &RepoDir, room: Room, text: &str, lock: &mut RepoLock) -> PortResult<u64> {
        let folder = dir.folder(room);
        fs::create_dir_all(&folder).map_err(|error| failed("making", &folder, &error))?;
        for _ in 0..TRIES {
            let number = dir.next_number(lock)?;
            if files::create(&folder.join(format!("{number:04}.md")), text.as_bytes(), lock)? {
                return Ok(number);
            }
        }
        Err(PortError::later(format!("finding a free number in {} failed; try again", folder.display())))
    }

    /// Where a new issue's file is.
    pub fn new_issue_path(&self, repo: &RepoId, number: u64) -> PortResult<PathBuf> {
        Ok(RepoDir::open(&self.root, repo)?.folder(Room::Issues).join(format!("{number:04}.md")))
    }

    /// Every issue of a repo, open and closed.
    pub fn list_all(&self, repo: &RepoId) -> PortResult<AllIssues> {
        let dir = RepoDir::open(&self.root, repo)?;
        let scan = dir.scan(Room::Issues, "")?;
        Ok(all_issues(&dir, scan))
    }

    /// One issue with its blockers and comments.
    pub fn show(&self, repo: &RepoId, number: u64) -> PortResult<WholeIssue> {
        let issue = self.issue(repo, number)?;
        let blockers = self.blockers(repo, &issue, &[])?;
        let comments = self.comments(repo, number)?;
        Ok(WholeIssue { issue, blockers, comments })
    }

    /// Puts a label on or takes it off, in somebody's name. True where that changed anything.
    pub fn label_as(
        &self,
        repo: &RepoId,
        number: u64,
        label: &str,
        present: bool,
        who: &str,
    ) -> PortResult<bool> {
        if label.trim().is_empty() || label.chars().any(char::is_control) {
            return Err(PortError::refused("a label has to be one line of text; name another one"));
        }
        let change =
            Applied { label: label.to_owned(), by: who.to_owned(), at: self.clock.now(), added: present };
        self.update(repo, number, &|loaded| loaded.file.with_label(present, &change, &loaded.raw.hand()))
    }

    /// Closes an issue or opens it again. True where that changed anything.
    pub fn change_open(&self, repo: &RepoId, number: u64, open: bool) -> PortResult<bool> {
        self.update(repo, number, &|loaded| loaded.file.with_open(open, &loaded.raw.hand()))
    }

    /// Changes an issue's file; `edit` answers none where it is already so.
    fn update(
        &self,
        repo: &RepoId,
        number: u64,
        edit: &dyn Fn(&Loaded<IssueFile>) -> Option<String>,
    ) -> PortResult<bool> {
        let dir = RepoDir::open(&self.root, repo)?;
        let lock = dir.lock()?;
        self.change(&dir, Room::Issues, number, IssueFile::parse, edit, &lock)
    }

    /// Changes a numbered file; `edit` answers none where it is already so.
    fn change<T>(
        &self,
        dir: &RepoDir,
        room: Room,
        number: u64,
        parse: Parse<T>,
        edit: &dyn Fn(&Loaded<T>) -> Option<String>,
        lock: &RepoLock,
    ) -> PortResult<bool> {
        for _ in 0..TRIES {
            let loaded = load(dir, room, number, parse)?;
            let Some(text) = edit(&loaded) else { return Ok(false) };
            parse(text.clone().into_bytes()).map_err(|flaw| {
                let shown = flaw.sentence(&loaded.path.display().to_string());
                PortError::refused(format!(
                    "changing the front matter would break it ({shown}); change it by hand"
                ))
            })?;
            match self.replace(&loaded.path, &loaded.raw, text.as_bytes(), lock)? {
                Replaced::Done => return Ok(true),
                Replaced::Changed => std::thread::sleep(PAUSE),
            }
        }
        Err(contended(&dir.show(room, &format!("{number:04}.md"))))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests put something between comparison and rename")]
    fn replace(&self, path: &Path, old: &Raw, bytes: &[u8], lock: &RepoLock) -> PortResult<Replaced> {
        files::replace(path, old, bytes, &|_| {}, lock)
    }

    #[cfg(test)]
    fn replace(&self, path: &Path, old: &Raw, bytes: &[u8], lock: &RepoLock) -> PortResult<Replaced> {
        match &self.before_rename {
            Some(hook) => files::replace(path, old, bytes, hook, lock),
            None => files::replace(path, old, bytes, &|_| {}, lock),
        }
    }
}

fn contended(what: &str) -> PortError {
    PortError::later(format!(
        "changing {what} was put off: its file was saved by somebody else {TRIES} times in a row; it is tried again \
         by the next tick"
    ))
}

/// Reads a file that may be just being written: what is wrong and fresh gets a second look.
fn load_file<T>(path: &Path, parse: Parse<T>) -> Result<(Raw, T), ReadError> {
    let raw = files::read(path)?;
    match parse(raw.bytes.clone()) {
        Ok(file) => Ok((raw, file)),
        Err(flaw) if !raw.is_fresh() => Err(ReadError::Flaw(flaw)),
        Err(_) => {
            std::thread::sleep(PAUSE);
            let raw = files::read(path)?;
            parse(raw.bytes.clone()).map(|file| (raw, file)).map_err(ReadError::Flaw)
        }
    }
}

fn load<T>(dir: &RepoDir, room: Room, number: u64, parse: Parse<T>) -> PortResult<Loaded<T>> {
    boundary::pass("local forge: read");
    let mut last = None;
    // A file that was renamed between finding and reading is found again.
    for _ in 0..TRIES {
        let name = dir.find(room, number)?;
        let path = dir.folder(room).join(&name);
        match load_file(&path, parse) {
            Ok((raw, file)) => return Ok(Loaded { path, raw, file }),
            Err(ReadError::Flaw(flaw)) => {
                return Err(PortError::broken(flaw.sentence(&dir.show(room, &name))));
            }
            Err(ReadError::Port(error)) => return Err(error),
            Err(ReadError::Gone) => last = Some(name),
        }
    }
    let name = last.unwrap_or_default();
    Err(PortError::later(format!("reading {} failed: it comes and goes; try again", dir.show(room, &name))))
}

/// Reads every entry; what cannot be read is told beside the others.
fn load_all<T>(
    dir: &RepoDir,
    room: Room,
    entries: &[Entry],
    broken: &mut Vec<BrokenIssue>,
    parse: Parse<T>,
) -> Vec<(u64, Raw, T)> {
    let mut good = Vec::new();
    for same_number in entries.chunk_by(|a, b| a.number == b.number) {
        let [entry] = same_number else {
            let names: Vec<String> = same_number.iter().map(|e| e.name.clone()).collect();
            broken.extend(
                same_number
                    .iter()
                    .map(|e| BrokenIssue { number: Some(e.number), what: dir.twice(room, e.number, &names) }),
            );
            continue;
        };
        match load_file(&dir.folder(room).join(&entry.name), parse) {
            Ok((raw, file)) => good.push((entry.number, raw, file)),
            Err(ReadError::Gone) => {}
            Err(ReadError::Flaw(flaw)) => broken.push(BrokenIssue {
                number: Some(entry.number),
                what: flaw.sentence(&dir.show(room, &entry.name)),
            }),
            // One file's trouble does not stop the others.
            Err(ReadError::Port(error)) => {
                broken.push(BrokenIssue { number: Some(entry.number), what: error.to_string() });
            }
        }
    }
    good
}

fn all_issues(dir: &RepoDir, scan: Scan) -> AllIssues {
    let mut broken = scan.broken;
    let good = load_all(dir, Room::Issues, &scan.entries, &mut broken, IssueFile::parse);
    AllIssues {
        issues: good.into_iter().map(|(number, raw, file)| issue(number, &raw, file)).collect(),
        broken,
    }
}

fn issue(number: u64, raw: &Raw, file: IssueFile) -> Issue {
    let body = file.body().to_owned();
    Issue {
        number,
        text_hash: super::text_hash(&file.title, &body),
        title: file.title,
        body,
        open: file.open,
        labels: file.labels,
        author: file.author.map(|login| Person { login, bot: false }),
        updated_at: raw.hand().at,
        priority: file.priority,
    }
}

impl Forge for LocalForge {
    fn capabilities(&self) -> Capabilities {
        Capabilities { edit_history: false, conditional: true, writers_are_trusted: true }
    }

    fn list(&self, repo: &RepoId, label: &str, etag: Option<&str>) -> PortResult<Listing> {
        let dir = RepoDir::open(&self.root, repo)?;
        let scan = dir.scan(Room::Issues, label)?;
        if etag.is_some() && etag == scan.fingerprint.as_deref() {
            return Ok(Listing::NotModified);
        }
        let etag = scan.fingerprint.clone();
        let AllIssues { mut issues, broken } = all_issues(&dir, scan);
        issues.retain(|issue| issue.open && issue.has_label(label));
        Ok(Listing::Issues { issues, etag, broken })
    }

    fn issue(&self, repo: &RepoId, number: u64) -> PortResult<Issue> {
        let dir = RepoDir::open(&self.root, repo)?;
        let loaded = load(&dir, Room::Issues, number, IssueFile::parse)?;
        Ok(issue(number, &loaded.raw, loaded.file))
    }

    /// Nobody edits who is not trusted here, so the history of edits by others is complete and empty.
    fn approval(&self, repo: &RepoId, issue: &Issue, label: &str) -> PortResult<ApprovalEvidence> {
        let dir = RepoDir::open(&self.root, repo)?;
        let loaded = load(&dir, Room::Issues, issue.number, IssueFile::parse)?;
        let labelled = loaded.file.labelled(label, &loaded.raw.hand()).map(|(event_id, applied)| Labelled {
            event_id,
            by: Some(Person { login: applied.by, bot: false }),
            at: applied.at,
        });
        Ok(ApprovalEvidence { labelled, edits: EditHistory::Complete(Vec::new()) })
    }

    /// Everybody who shows up in a file could write it: the folder's permissions are the gate.
    fn blockers(&self, repo: &RepoId, issue: &Issue, also: &[u64]) -> PortResult<Vec<Blocker>> {
        let dir = RepoDir::open(&self.root, repo)?;
        let mut numbers = load(&dir, Room::Issues, issue.number, IssueFile::parse)?.file.blocked_by;
        numbers.extend(also);
        numbers.sort_unstable();
        numbers.dedup();
        let seen = |number| {
            let open = match load(&dir, Room::Issues, number, IssueFile::parse) {
                Ok(loaded) => Ok(loaded.file.open),
                // A pull request can be waited for, too.
                Err(PortError::Gone { .. }) if dir.room_of(number) == Ok(Room::Pulls) => {
                    self.pull(repo, number).map(|pull| pull.state == PullState::Open)
                }
                Err(error) => Err(error),
            };
            open.map_or_else(|error| Seen::Unreadable(error.to_string()), Seen::Known)
        };
        Ok(numbers.into_iter().map(|n| Blocker { name: format!("#{n}"), open: seen(n) }).collect())
    }

    fn comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Comment>> {
        self.comments_of(repo, number)
    }

    fn put_comment(&self, repo: &RepoId, number: u64, id: Option<&str>, body: &str) -> PortResult<String> {
        match id {
            None => self.comment_as(repo, number, body, &self.actor),
            Some(id) => self.rewrite_comment(repo, number, id, body).map(|()| id.to_owned()),
        }
    }

    fn set_label(&self, repo: &RepoId, number: u64, label: &str, present: bool) -> PortResult<()> {
        self.label_as(repo, number, label, present, &self.actor).map(drop)
    }

    fn set_open(&self, repo: &RepoId, number: u64, open: bool) -> PortResult<()> {
        self.change_open(repo, number, open).map(drop)
    }

    fn set_body(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<()> {
        self.update(repo, number, &|loaded| loaded.file.with_body(body, &loaded.raw.hand())).map(drop)
    }

    fn pulls(&self) -> Option<&dyn Merging> {
        Some(self)
    }
}

/// Makes a repo's folders, and its bare repository where there is none. What is there already stays as it is.
pub fn init_repo(root: &Path, owner: &str, name: &str) -> PortResult<()> {
    let dir = RepoDir::at(root, owner, name)?;
    let issues = dir.folder(Room::Issues);
    fs::create_dir_all(&issues).map_err(|error| failed("making", &issues, &error))?;
    Bare::at(dir.git(), &Memory::default()).init()
}

#[cfg(test)]
mod pulls_tests;
#[cfg(test)]
mod tests;
