//! What upgrades ask of the world.

use std::path::Path;

use super::error::PortResult;
use super::forge::{Hosting, PullRequests, Remote};
use super::git::Pushed;
use super::job::RunFolder;
use crate::domain::model::{Oid, Person, PullRequest, RepoId, UnixTime};
use crate::domain::upgrade::recipe::{Edit, ImageName, Manifest, ManifestFile};
use crate::domain::upgrade::verdict::{Said, Status};

/// A recipe's manifest as text. Answers are sentences where something is refused.
pub trait Manifests {
    /// Every image and every place of the version label.
    fn scan(&self, files: &[ManifestFile], label: &str) -> Result<Manifest, String>;
    /// Changes these tokens and nothing else, and reads the result again to prove it.
    fn edit(&self, files: &[ManifestFile], label: &str, edits: &[Edit]) -> Result<Vec<ManifestFile>, String>;
}

/// A registry of images.
pub trait Registry {
    /// Every tag of an image. A list that is not whole is an error, never a short list.
    fn tags(&self, image: &ImageName) -> PortResult<Vec<String>>;
}

/// What upgrades read of git, and commits that are the same whenever they are made. All in the mirror's private repository.
pub trait RecipeGit {
    /// Fetches a branch of any address; `None` where there is none. Upstream's is kept apart: only it may go to the mirror.
    fn fetch_branch(&self, repo: &RepoId, url: &str, branch: &str, upstream: bool)
    -> PortResult<Option<Oid>>;
    fn remote_tags(&self, repo: &RepoId, url: &str) -> PortResult<Vec<String>>;
    /// Branches whose names begin so, with their heads.
    fn remote_branches(&self, repo: &RepoId, url: &str, prefix: &str) -> PortResult<Vec<(String, Oid)>>;
    /// Every path of a commit.
    fn tree(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<String>>;
    /// A file's text; `None` where it is not there. Links are not followed.
    fn read_file(&self, repo: &RepoId, commit: &Oid, path: &str) -> PortResult<Option<String>>;
    /// `None` where nothing would change.
    fn commit_files(
        &self,
        repo: &RepoId,
        parent: &Oid,
        files: &[ManifestFile],
        message: &str,
        at: UnixTime,
    ) -> PortResult<Option<Oid>>;
    /// What an agent left in its workspace, whether it committed it or not, as one commit of ours.
    fn commit_work(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        parent: &Oid,
        message: &str,
        at: UnixTime,
    ) -> PortResult<Option<Oid>>;
    /// A patch as a commit; `Refused` where it does not apply.
    fn commit_patch(
        &self,
        repo: &RepoId,
        parent: &Oid,
        patch: &str,
        message: &str,
        at: UnixTime,
    ) -> PortResult<Option<Oid>>;
    /// Whether merging `head` into upstream would change nothing there.
    fn adds_nothing(&self, repo: &RepoId, upstream: &Oid, head: &Oid) -> PortResult<bool>;
    /// Commits of `head` that `base` has not.
    fn commits(&self, repo: &RepoId, base: &Oid, head: &Oid) -> PortResult<Vec<Oid>>;
}

/// The four pushes of upgrades. There is no other, none without a lease, and none of tags.
pub trait RecipePush {
    /// To a branch below `upgrade/`, which has to be at `expected` (`None`: not there).
    fn push_upgrade(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        expected: Option<&Oid>,
        head: &Oid,
    ) -> PortResult<Pushed>;
    /// Deletes such a branch while it is at `head`.
    fn delete_upgrade(&self, repo: &RepoId, remote: &Remote, branch: &str, head: &Oid) -> PortResult<Pushed>;
    /// The mirror's main branch to exactly the commit that was fetched from upstream, from what was seen there.
    fn sync_mirror(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        seen: Option<&Oid>,
        upstream: &Oid,
    ) -> PortResult<Pushed>;
    /// Keeps what a sync drops, as `upgrade-backup/<date>-<oid8>`.
    fn push_backup(&self, repo: &RepoId, remote: &Remote, date: &str, head: &Oid) -> PortResult<Pushed>;
}

/// A comment on a pull request, with what a trigger is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullComment {
    pub said: Said,
    pub author: Option<Person>,
    pub at: UnixTime,
    /// Its text is not the one that it was created with.
    pub edited: bool,
}

/// A commit status that is to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStatus {
    pub context: String,
    /// pending, success, failure or error.
    pub state: &'static str,
    pub description: String,
    pub url: Option<String>,
}

/// A run of a workflow that was asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatched {
    /// Rises with each new one of a repository.
    pub id: u64,
    /// How it ended; `None`: it has not.
    pub green: Option<bool>,
}

/// What a trial is asked for and answered by on a pull request, and the runs of workflows that are started for it.
pub trait Trials {
    fn open_pulls(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>>;
    fn pull_comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<PullComment>>;
    /// Posts a comment; its id.
    fn say(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<u64>;
    /// A sign on a comment that it was seen; a second one of the same is none.
    fn react(&self, repo: &RepoId, number: u64, comment: u64) -> PortResult<()>;
    fn statuses(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<Status>>;
    fn set_status(&self, repo: &RepoId, commit: &Oid, new: &NewStatus) -> PortResult<u64>;
    /// Asks for a run of a workflow on a branch. Whether it was heard only [`Trials::dispatched`] tells.
    fn dispatch(&self, repo: &RepoId, workflow: &str, branch: &str) -> PortResult<()>;
    /// The runs of a workflow on a commit that were asked for so, in no order.
    fn dispatched(&self, repo: &RepoId, workflow: &str, commit: &Oid) -> PortResult<Vec<Dispatched>>;
}

/// The forge of a mirror, as upgrades know it. Nothing here can merge.
pub trait RecipeForge: Hosting + PullRequests + Trials {}

impl<T: Hosting + PullRequests + Trials + ?Sized> RecipeForge for T {}

/// What lies between a tick and the agent of an upgrade, in the job's folder.
pub trait Bench {
    /// Puts a file where the job's agent finds it, beside its result file.
    fn put(&self, job: &Path, name: &str, text: &str) -> PortResult<()>;
    /// The agent's result file; `None` where there is none.
    fn answer(&self, job: &Path) -> PortResult<Option<String>>;
    /// The end of a command's output.
    fn log_tail(&self, job: &Path) -> String;
}
