//! All git work of one repo.

use std::path::{Path, PathBuf};

use super::error::PortResult;
use super::forge::{LockFile, Remote};
use super::job::RunFolder;
use crate::domain::model::{Change, ClaimHolder, Oid, RepoId, UnixTime};

/// Result of trying to take an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimAnswer {
    Won(Oid),
    /// Somebody else holds the issue or the repo's slot.
    Lost(String),
}

/// What is to be claimed, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    pub number: u64,
    pub run: String,
    pub installation: String,
    pub at: UnixTime,
}

/// What the workspace holds, after its commits were fetched into the private repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    pub head: Oid,
    /// Commits that are in the head and not in the base; those of a newer target that was merged or fast-forwarded to
    /// are among them ([`History::new_commits`] leaves them out).
    pub new_commits: u32,
    /// The tree differs from the base's (an empty change is no work).
    pub changes_tree: bool,
    /// Tracked files with changes that are not committed, or untracked ones that are not ignored.
    pub uncommitted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// This commit has both sides; it contains the target. The workspace's branch, where one was named, stands on it.
    UpToDate(Oid),
    /// These paths conflict.
    Conflict(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    Done,
    /// The target is not what it was expected to be (any more).
    Raced,
}

/// Where work was kept.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Bundle of the run's commits; `None` where there were none.
    pub bundle: Option<PathBuf>,
    /// Archive of files that were not committed; `None` where there were none.
    pub archive: Option<PathBuf>,
    pub head: Option<Oid>,
    /// What could not be kept, as sentences.
    pub notes: Vec<String>,
    /// The archive reached its bounds: not all of what is there is in it.
    pub is_cut: bool,
}

/// Who works on what, decided by refs of the forge's git that only one can create.
pub trait Claiming {
    /// Takes issue and slot in one atomic create-only push; a lost answer is read back.
    fn claim(&self, repo: &RepoId, remote: &Remote, request: &ClaimRequest) -> PortResult<ClaimAnswer>;
    /// Who holds the repo's slot, and who which issue. An issue can be held without the slot: a run that awaits review.
    fn claims(&self, repo: &RepoId, remote: &Remote) -> PortResult<Claims>;
    /// Deletes claim and slot if they are `oid` (with a lease). Already gone, or another's by now, is success.
    fn release(&self, repo: &RepoId, remote: &Remote, number: u64, oid: &Oid) -> PortResult<()>;
    /// Deletes the repo's slot if it is `oid` (with a lease); the claim on the issue stays. Already gone, or another's
    /// by now, is success.
    fn release_slot(&self, repo: &RepoId, remote: &Remote, oid: &Oid) -> PortResult<()>;
    /// A run that kept its claim `oid` on the issue takes the slot again, in a create-only push. `Won(oid)` where the
    /// slot is its own afterwards, also after a lost answer; `Lost` where another holds it, or the claim is gone.
    fn take_slot(&self, repo: &RepoId, remote: &Remote, number: u64, oid: &Oid) -> PortResult<ClaimAnswer>;
    /// Where claims can stand, by creating a ref and deleting it again: nothing is left. `Refused` where the server
    /// takes none.
    fn try_places(&self, repo: &RepoId, remote: &Remote) -> PortResult<ClaimPlace>;
}

/// Where a server lets claims stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPlace {
    /// `refs/offhours`, or what is used instead.
    pub place: String,
    /// What the server said of the first choice, where it refuses it.
    pub refused: Option<String>,
}

/// The clones that agents work in, and clean checkouts.
pub trait Workspaces {
    /// Makes the run's clone on a new branch at `base`, any commit that was fetched: the target's head, or the head of
    /// an earlier branch of ours that is continued. An existing clone of this run is kept as it is.
    fn prepare(&self, repo: &RepoId, folder: &RunFolder, base: &Oid, branch: &str) -> PortResult<()>;
    /// Takes away the locks that a killed git left in the workspace. For a moment at which no agent is at work there;
    /// `Later` where a git is all the same.
    fn unlock(&self, repo: &RepoId, folder: &RunFolder) -> PortResult<()>;
    /// Fetches the workspace's HEAD by path and looks at it. `Refused` where the workspace was tampered with or is gone.
    fn work(&self, repo: &RepoId, folder: &RunFolder, run: &str, base: &Oid) -> PortResult<Work>;
    /// Merges the target into the work in the private repository and moves the workspace's branch there.
    fn bring_up_to_date(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        head: &Oid,
        target: &Oid,
        message: &str,
    ) -> PortResult<Merged>;
    /// A clean checkout of a commit at `dir`, made fresh; for verify and CI commands.
    fn checkout(&self, repo: &RepoId, oid: &Oid, dir: &Path) -> PortResult<()>;
    /// Keeps commits as a bundle and everything not committed and not ignored as an archive, below `to`.
    fn salvage(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        run: &str,
        base: &Oid,
        to: &Path,
    ) -> PortResult<Salvaged>;
    /// Removes the run's folder. Refuses a path that is not below the workspace root.
    fn remove(&self, folder: &RunFolder) -> PortResult<()>;
}

/// Commits and branches: what is where, what a change is, and bringing it there.
pub trait History {
    /// The branch's newest commit, fetched into the private repository. `Gone` where there is no such branch.
    fn fetch_branch(&self, repo: &RepoId, remote: &Remote, branch: &str) -> PortResult<Oid>;
    /// The remote branch as it is now, not fetched; `None` where there is none.
    fn remote_head(&self, repo: &RepoId, remote: &Remote, branch: &str) -> PortResult<Option<Oid>>;
    /// Pushes `head` to the branch, which must be at `expected` (`None`: must not exist). Never forced beyond that lease.
    fn push(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        expected: Option<&Oid>,
        head: &Oid,
    ) -> PortResult<Pushed>;
    fn is_ancestor(&self, repo: &RepoId, ancestor: &Oid, of: &Oid) -> PortResult<bool>;
    /// The newest commit that both contain; `None` where there is none, or where one of them is not here at all.
    fn common(&self, repo: &RepoId, one: &Oid, other: &Oid) -> PortResult<Option<Oid>>;
    /// How many commits `head` has that none of `known` has: with base and newest target, what the run itself brought.
    /// Nothing where the target contains the head, and only then or where it stands on the base.
    fn new_commits(&self, repo: &RepoId, head: &Oid, known: &[&Oid]) -> PortResult<u32>;
    /// Name and message of the commits that `upto` has and `after` has not, newest first; at most `most`.
    fn commits(&self, repo: &RepoId, after: &Oid, upto: &Oid, most: usize) -> PortResult<Vec<(Oid, String)>>;
    /// What pushing `head` would bring to a target at `base`.
    fn change(&self, repo: &RepoId, base: &Oid, head: &Oid) -> PortResult<Change>;
    /// The paths on which merging `target` into `head` conflicts, sorted; none where it merges cleanly. Makes no commit.
    fn conflicts(&self, repo: &RepoId, head: &Oid, target: &Oid) -> PortResult<Vec<String>>;
    /// Whether the patch of `from..head` is on `target`: by a merge of `head`, by commits with the same patches (a
    /// rebase), or by one commit with the whole patch (a squash), whoever brought it there. An empty patch never is.
    ///
    /// `from` is the newest commit of the target that the work contains. Only the newest 500 commits that `target` has
    /// and `head` has not are looked at. That it was taken back later does not change that it was there.
    fn carries(&self, repo: &RepoId, target: &Oid, from: &Oid, head: &Oid) -> PortResult<bool>;
    /// Locks of git that stand in the private repository.
    fn locks(&self, repo: &RepoId) -> PortResult<Vec<LockFile>>;
    /// Puts the many small files of the private repository together once there are too many. Drops no object, whoever
    /// may borrow it; can be ended at any instant. Does nothing most of the time.
    fn compact(&self, repo: &RepoId) -> PortResult<()>;
    /// A commit on top of `target` that takes back what `from..head` changed, however it was merged. The same question
    /// gives the same commit. `Refused` where nothing is left to take back.
    fn undo(&self, repo: &RepoId, target: &Oid, from: &Oid, head: &Oid, message: &str) -> PortResult<Merged>;
}

/// All git work of one repo: the private bare repository and the workspaces cut from it.
///
/// Only this port's implementation runs git. Pushes happen from the private repository, and only through the
/// functions here; a workspace is read without secrets and without its own configuration.
pub trait Git: Claiming + Workspaces + History {}

impl<T: Claiming + Workspaces + History> Git for T {}

/// What the forge's git says about claims.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Claims {
    pub slot: Option<ClaimHolder>,
    pub issues: Vec<(u64, ClaimHolder)>,
}
