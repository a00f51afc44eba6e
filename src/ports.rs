//! What the tick asks of the world. One trait a counterpart; everything that comes back is plain domain data.
//!
//! An answer is one of three things: it worked, it was refused (asking again will not help), or it has to be tried
//! later. Nobody may take "later" for "no".

use std::path::{Path, PathBuf};

use crate::domain::doctor::{Access, TokenFacts};
use crate::domain::model::{
    ApprovalEvidence, Blocker, Change, ClaimHolder, Comment, Issue, IssueRef, JobState, Oid, Permission,
    Person, PullRequest, RepoId, Review, RunText, StageReading, UnixTime,
};
use crate::domain::recipe::{Edit, ImageName, Manifest, ManifestFile};
use crate::domain::run::Run;
use crate::domain::verdict::{Said, Status};

/// Why a port did not do or tell what it was asked.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum PortError {
    /// Unreachable, limited or busy. Tried again by a later tick; `after` where the other side named a time.
    #[error("{what}")]
    Later { what: String, after: Option<UnixTime> },
    /// The other side said no, and will say so again (permission, rule, conflict).
    #[error("{what}")]
    Refused { what: String },
    /// The credentials were refused.
    #[error("{what}")]
    Credentials { what: String },
    /// It is not there (any more).
    #[error("{what}")]
    Gone { what: String },
    /// The answer makes no sense. Handled like `Later`, and said.
    #[error("{what}")]
    Broken { what: String },
}

impl PortError {
    pub fn later(what: impl Into<String>) -> Self {
        Self::Later { what: what.into(), after: None }
    }
    pub fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into() }
    }
    pub fn broken(what: impl Into<String>) -> Self {
        Self::Broken { what: what.into() }
    }
    pub fn gone(what: impl Into<String>) -> Self {
        Self::Gone { what: what.into() }
    }
}

pub type PortResult<T> = Result<T, PortError>;

pub trait Clock {
    fn now(&self) -> UnixTime;
}

/// A server that asked not to be asked for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLimit {
    pub until: UnixTime,
    pub why: String,
    /// How often in a row it limited us.
    pub times: u32,
}

/// What is remembered between ticks of the servers that are asked, by the names that the config gives them.
pub trait HostBook {
    fn limit(&self, server: &str) -> PortResult<Option<HostLimit>>;
    /// `None`: it answers again.
    fn put_limit(&self, server: &str, limit: Option<&HostLimit>) -> PortResult<()>;
    /// By what the forge itself knows this repository, so that another one under its name is not taken for it.
    fn repo_identity(&self, repo: &RepoId) -> PortResult<Option<String>>;
    fn put_repo_identity(&self, repo: &RepoId, identity: &str) -> PortResult<()>;
}

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

/// The issue tracker of one forge. Reads tell what is; writes are idempotent: what is already so is success.
pub trait Forge {
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
    fn permission(&self, repo: &RepoId, person: &Person) -> PortResult<Permission>;
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
    /// Where the repository's git is, and which branch work lands on unless the config names one.
    fn remote(&self, repo: &RepoId) -> PortResult<Remote>;
    /// Its pull requests. `None`: this forge cannot; the config refuses landing by pull request there.
    fn pulls(&self) -> Option<&dyn PullRequests>;
    /// What it tells of our token and of a repo's labels. `None`: it has neither.
    fn desk(&self) -> Option<&dyn Desk> {
        None
    }
    /// The address at which a person looks at a repository, or at one of its issues; none where there is no such page.
    fn page(&self, _repo: &RepoId, _issue: Option<u64>) -> Option<String> {
        None
    }
}

/// What `doctor`, `arm` and the alarms about silence ask of a forge.
pub trait Desk {
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
    /// Merges at exactly this head. `Refused` where a rule or a conflict forbids it.
    fn merge_pull(&self, repo: &RepoId, number: u64, head: &Oid) -> PortResult<MergeAnswer>;
    /// Closes it unmerged; what is closed or merged already is left as it is.
    fn close_pull(&self, repo: &RepoId, number: u64) -> PortResult<()>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// A URL or path that git understands. Never contains a secret.
    pub url: String,
    pub default_branch: String,
}

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

/// A run's folder: everything a run has on disk lies below `dir`.
///
/// `dir/run.json` (adoption marker), `dir/work` (the clone the agent works in), `dir/jobs/<job>/` (lock, started,
/// result and output of each supervised job; outside `work`, never unlinked while the run lives).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    pub dir: PathBuf,
}

impl RunFolder {
    pub fn work(&self) -> PathBuf {
        self.dir.join("work")
    }
    pub fn job(&self, job: &str) -> PathBuf {
        self.dir.join("jobs").join(job)
    }
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

/// A supervised job: at most one process tree, started in one tick and read in a later one.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// Unique for ever: `<run>-t<k>` for turns, `<run>-v<k>` for verify, `ci-<oid>-<stage>-<k>` for CI stages.
    /// It is the idempotency key, the cookie (`OFFHOURS_TURN`) and the folder's name.
    pub id: String,
    pub repo: RepoId,
    pub dir: PathBuf,
    pub kind: JobKind,
    pub timeout_seconds: u64,
    /// Without output or change in the workspace for this long the job is ended. `None`: no stall limit.
    pub stall_seconds: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum JobKind {
    /// An agent in the workspace, hooks around it, then verify on what it committed.
    Turn(Box<TurnSpec>),
    /// A command on a clean checkout of `oid`: verify after a merge, or a CI stage.
    Check { oid: Oid, argv: Vec<String> },
    /// A command in a directory (hook `before_remove`, teardown).
    Command { cwd: PathBuf, argv: Vec<String> },
}

#[derive(Clone, Debug, PartialEq)]
pub struct TurnSpec {
    pub run: String,
    pub folder: RunFolder,
    pub base: Oid,
    pub runner: String,
    pub prompt: String,
    /// Session of the run's earlier turns, where the agent can continue one.
    pub session: Option<String>,
    pub budget_usd: f64,
    /// First turn of this workspace: `after_create` runs.
    pub first: bool,
    pub verify: Vec<String>,
}

/// Starts and reads supervised jobs. The job's id is the idempotency key: starting twice starts once.
pub trait Runner {
    /// `Refused` where the runner cannot start this at all (its program does not exist).
    fn start(&self, job: &JobSpec) -> PortResult<()>;
    fn state(&self, dir: &Path) -> PortResult<JobState>;
    /// Ends everything that carries the job's cookie; returns once nothing of it is left.
    fn stop(&self, dir: &Path, id: &str) -> PortResult<()>;
    /// Blocks until the job's lock is free. For `--foreground` only.
    fn wait(&self, dir: &Path) -> PortResult<()>;
}

/// CI of one repo's commits, by stage name.
/// What a reading of CI is for.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// What has reported by now.
    Reported,
    /// Whether all is green: what is known to be still to report is pending, too; so is, with a branch, what its rules
    /// require.
    Verdict { rules_of: Option<&'a str> },
}

pub trait Ci {
    fn read(&self, repo: &RepoId, stage: &str, oid: &Oid, wanted: Wanted<'_>) -> PortResult<StageReading>;
    /// Starts a stage that offhours runs itself, or asks for the failed checks to run again.
    /// `attempt` counts from 1 and is part of the idempotency key.
    fn start(&self, repo: &RepoId, stage: &str, oid: &Oid, attempt: u32) -> PortResult<()>;
}

/// A message for people, on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub key: String,
    pub kind: String,
    pub title: String,
    pub body: String,
    pub link: Option<String>,
    /// The cause that an alarm and its end are about: of one cause only the newest is of interest.
    pub topic: Option<String>,
    /// Sent before, perhaps, without an answer: the receiver cannot be asked.
    pub possible_repeat: bool,
}

pub trait Notifier {
    fn send(&self, notice: &Notice) -> PortResult<()>;
}

/// The version of a template by which a run's agent is told what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateText {
    /// `name@version`, for people.
    pub label: String,
    pub body: String,
}

/// A template as it stands in its file now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateContent {
    pub body: String,
    /// SHA-256 of the body, lower-case hex.
    pub hash: String,
}

/// Where a template comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSource {
    pub name: String,
    /// The path of its file, or that it is built in.
    pub origin: String,
    pub built_in: bool,
    pub content: PortResult<TemplateContent>,
}

/// Renders what an agent is told; strict, so that nothing half is ever sent.
pub trait Prompter {
    /// `lessons` and `failure` are prepared; each may be empty. `Refused` where it does not render, or to nothing.
    fn render(
        &self,
        template: &TemplateText,
        run: &Run,
        text: &RunText,
        lessons: &str,
        failure: &str,
    ) -> PortResult<String>;
    /// The built-in template, and those whose files the configuration lists.
    fn sources(&self) -> Vec<TemplateSource>;
}

/// The kill switch's file on this machine.
pub trait SwitchFile {
    /// Makes it; there already is success.
    fn put_on(&self) -> PortResult<()>;
}

/// A run by the marker in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    pub run: String,
    pub issue: IssueRef,
    pub dir: PathBuf,
    /// What the state had of it; or why this machine's state may not take it up.
    pub record: Result<String, String>,
}

/// Where on this machine a run's folder is, and the marker in it.
pub trait Folders {
    fn of(&self, issue: &IssueRef, run: &str) -> RunFolder;
    /// Writes `run.json`, by which a run is gone on with when the state is lost: `record` is what the state has of it. Where
    /// there is no folder one is made for a run that `begins`; else it went with the run's end, or with its agent.
    fn mark(&self, run: &Run, record: &str, begins: bool) -> PortResult<()>;
    /// What the run's turns printed, put where it stays when its folder goes. As much as can be: work is worth more.
    fn keep_logs(&self, run: &Run);
    /// The folder with a turn's output: the run's own while it is there, else what was kept.
    fn output(&self, run: &Run, turn: &str) -> PathBuf;
    /// Removes salvaged work, kept output and finished CI jobs that were last written before this moment.
    fn prune(&self, before: UnixTime) -> PortResult<()>;
}

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

/// The forge of a mirror, as upgrades know it. Nothing here can merge.
pub trait RecipeForge {
    fn remote(&self, repo: &RepoId) -> PortResult<Remote>;
    fn permission(&self, repo: &RepoId, person: &Person) -> PortResult<Permission>;
    fn pull(&self, repo: &RepoId, number: u64) -> PortResult<PullRequest>;
    fn open_pulls(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>>;
    /// The newest of this branch, an open one before any other.
    fn pull_of(&self, repo: &RepoId, branch: &str) -> PortResult<Option<PullRequest>>;
    fn open_pull(&self, repo: &RepoId, new: &NewPull) -> PortResult<PullRequest>;
    fn close_pull(&self, repo: &RepoId, number: u64) -> PortResult<()>;
    fn comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<PullComment>>;
    /// Posts a comment; its id.
    fn say(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<u64>;
    /// A sign on a comment that it was seen; a second one of the same is none.
    fn react(&self, repo: &RepoId, number: u64, comment: u64) -> PortResult<()>;
    fn statuses(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<Status>>;
    fn set_status(&self, repo: &RepoId, commit: &Oid, new: &NewStatus) -> PortResult<u64>;
    /// Asks for a run of a workflow on a branch. Whether it was heard only [`RecipeForge::dispatched`] tells.
    fn dispatch(&self, repo: &RepoId, workflow: &str, branch: &str) -> PortResult<()>;
    /// The runs of a workflow on a commit that were asked for so, in no order.
    fn dispatched(&self, repo: &RepoId, workflow: &str, commit: &Oid) -> PortResult<Vec<Dispatched>>;
}

/// What lies between a tick and the agent of an upgrade, in the job's folder.
pub trait Bench {
    /// Puts a file where the job's agent finds it, beside its result file.
    fn put(&self, job: &Path, name: &str, text: &str) -> PortResult<()>;
    /// The agent's result file; `None` where there is none.
    fn answer(&self, job: &Path) -> PortResult<Option<String>>;
    /// The end of a command's output.
    fn log_tail(&self, job: &Path) -> String;
}
