//! Supervised jobs, and the folders of the runs that they are of.

use std::path::{Path, PathBuf};

use super::error::PortResult;
use crate::domain::model::{Asked, IssueRef, JobState, Oid, RepoId, UnixTime};
use crate::domain::run::Run;

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
    pub asked: Asked,
}

/// Starts and reads supervised jobs. The job's id is the idempotency key: starting twice starts once.
pub trait Runner {
    /// `Refused` where the runner cannot start this at all (its program does not exist).
    fn start(&self, job: &JobSpec) -> PortResult<()>;
    fn state(&self, dir: &Path) -> PortResult<JobState>;
    /// Ends everything that carries the job's cookie; returns once nothing of it is left.
    fn stop(&self, dir: &Path, id: &str) -> PortResult<()>;
    /// Blocks until the job's lock is free.
    fn wait(&self, dir: &Path) -> PortResult<()>;
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

/// A folder that outlives its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub path: PathBuf,
    /// As the disk has it: good for seeing that it was written again, and no measure of its age.
    pub written: UnixTime,
    /// Whose work it is. `None`: output of a turn, or a CI job, which no comment names.
    pub issue: Option<IssueRef>,
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
    /// Salvaged work, kept output and finished CI jobs.
    fn kept(&self) -> Vec<Kept>;
    fn discard(&self, kept: &Kept) -> PortResult<()>;
}
