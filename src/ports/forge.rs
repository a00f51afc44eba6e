//! The tracker and the pull requests of one forge.

use std::path::PathBuf;

use super::error::PortResult;
use crate::domain::doctor::{Access, TokenFacts};
use crate::domain::model::{
    ApprovalEvidence, Blocker, Comment, Issue, Oid, Permission, Person, PullRequest, RepoId, Review, UnixTime,
};

/// What a forge can do, as data, so that no caller asks which forge it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Keeps who edited title and body, and when.
    pub edit_history: bool,
    /// Answers conditional requests.
    pub conditional: bool,
    /// Writing the tracker needs rights on the machine itself: whoever labels is trusted.
    pub writers_are_trusted: bool,
}

/// The listing of a repo's ready issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The stored set still stands.
    NotModified,
    Issues {
        issues: Vec<Issue>,
        etag: Option<String>,
        broken: Vec<BrokenIssue>,
    },
}

/// An issue that could not be read; the others of its repo go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenIssue {
    pub number: Option<u64>,
    /// A sentence: what was wrong and what to do.
    pub what: String,
}

/// Where repositories are, and who may do what there.
pub trait Hosting {
    /// Where the repository's git is, and which branch work lands on unless the config names one.
    fn remote(&self, repo: &RepoId) -> PortResult<Remote>;
    fn permission(&self, repo: &RepoId, person: &Person) -> PortResult<Permission>;
    /// Locks of git that stand in the repository; a server looks after its own.
    fn locks(&self, _repo: &RepoId) -> PortResult<Vec<LockFile>> {
        Ok(vec![])
    }
}

/// The issue tracker of one forge. Reads tell what is; writes are idempotent: what is already so is success.
pub trait Forge: Hosting {
    fn capabilities(&self) -> Capabilities;
    /// Where the list of issues is read from: what was stored of another place or by another account is read anew.
    /// Asks nobody.
    fn place(&self, repo: &RepoId) -> PortResult<String> {
        Ok(self.remote(repo)?.url)
    }
    /// Reads several repos' lists at once, ahead of [`Forge::list`], where that saves time.
    fn read_ahead(&self, _asked: &[(RepoId, Option<String>)], _label: &str) {}
    /// Open issues that carry `label`. The caller filters again.
    fn list(&self, repo: &RepoId, label: &str, etag: Option<&str>) -> PortResult<Listing>;
    /// `Gone` where the issue does not exist (any more).
    fn issue(&self, repo: &RepoId, number: u64) -> PortResult<Issue>;
    fn approval(&self, repo: &RepoId, issue: &Issue, label: &str) -> PortResult<ApprovalEvidence>;
    /// The forge's own dependencies of the issue, and the state of the issues named in `also`.
    fn blockers(&self, repo: &RepoId, issue: &Issue, also: &[u64]) -> PortResult<Vec<Blocker>>;
    fn comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Comment>>;
    /// The oldest comment that begins with `marker` and can only be by ourselves.
    fn find_comment(&self, repo: &RepoId, number: u64, marker: &str) -> PortResult<Option<String>> {
        let comments = self.comments(repo, number)?;
        Ok(comments.into_iter().find(|c| c.body.starts_with(marker)).map(|c| c.id))
    }
    /// Adds (`id` none) or rewrites a comment; returns its id.
    fn put_comment(&self, repo: &RepoId, number: u64, id: Option<&str>, body: &str) -> PortResult<String>;
    fn set_label(&self, repo: &RepoId, number: u64, label: &str, present: bool) -> PortResult<()>;
    /// `open` false closes, true opens again.
    fn set_open(&self, repo: &RepoId, number: u64, open: bool) -> PortResult<()>;
    /// Rewrites an issue's own text.
    fn set_body(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<()>;
    /// Its pull requests. `None`: this forge cannot; the config refuses landing by pull request there.
    fn pulls(&self) -> Option<&dyn Merging>;
    /// What it tells of our token and of a repo's labels. `None`: it has neither.
    fn admin(&self) -> Option<&dyn ForgeAdmin> {
        None
    }
    /// The address at which a person looks at a repository, or at one of its issues; none where there is no such page.
    fn page(&self, _repo: &RepoId, _issue: Option<u64>) -> Option<String> {
        None
    }
}

/// What `doctor`, `arm` and the alarms about silence ask of a forge.
pub trait ForgeAdmin {
    /// Whose the token is, and until when.
    fn token(&self) -> PortResult<TokenFacts>;
    /// What the token may do in one repo, as far as that can be asked without writing.
    fn access(&self, repo: &RepoId) -> PortResult<Access>;
    /// The names of all labels that issues of this repo can be given.
    fn labels(&self, repo: &RepoId) -> PortResult<Vec<String>>;
    /// Makes a label; there already is success. `colour` is six hex digits.
    fn make_label(&self, repo: &RepoId, name: &str, colour: &str, meaning: &str) -> PortResult<()>;
}

/// A pull request that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPull {
    pub title: String,
    pub body: String,
    pub branch: String,
    pub target: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeAnswer {
    /// Merged now, or before; the commit by which it came to the target, where the forge says so.
    Merged(Option<Oid>),
    /// The branch is not at the head that was to be merged (any more): nothing was done.
    HeadMoved,
}

/// The pull requests of one forge. Every act is looked for by the caller before it is repeated.
pub trait PullRequests {
    /// The newest pull request from `branch` of this very repository, an open one before any other; `None` where there
    /// is none. One from a fork's branch of the same name is never taken for it.
    fn pull_of(&self, repo: &RepoId, branch: &str) -> PortResult<Option<PullRequest>>;
    /// `Gone` where it does not exist (any more).
    fn pull(&self, repo: &RepoId, number: u64) -> PortResult<PullRequest>;
    /// `Refused` where an open one from that branch exists, or the branch has nothing that the target has not.
    fn open_pull(&self, repo: &RepoId, new: &NewPull) -> PortResult<PullRequest>;
    fn edit_pull(&self, repo: &RepoId, number: u64, title: &str, body: &str) -> PortResult<()>;
    /// Every review, oldest first. What its author said later takes an earlier verdict of theirs back.
    fn reviews(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Review>>;
    /// Closes it unmerged; what is closed or merged already is left as it is.
    fn close_pull(&self, repo: &RepoId, number: u64) -> PortResult<()>;
}

/// Merging, apart: what is given pull requests only cannot merge.
pub trait Merging: PullRequests {
    /// Merges at exactly this head. `Refused` where a rule or a conflict forbids it.
    fn merge_pull(&self, repo: &RepoId, number: u64, head: &Oid) -> PortResult<MergeAnswer>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// A URL or path that git understands. Never contains a secret.
    pub url: String,
    pub default_branch: String,
}

/// A lock file of git that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    pub path: PathBuf,
    /// When it was made.
    pub made: UnixTime,
}
