//! A batch of upgrades: whether it works, stands still or is over, and what a new start does with it.

use strum::{EnumString, IntoStaticStr};

use crate::domain::model::UnixTime;

/// A batch as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub id: i64,
    pub state: BatchState,
    pub with_tests: bool,
    pub scheduled: bool,
    pub started_at: UnixTime,
    /// When something last happened.
    pub progress_at: UnixTime,
    /// A limit that the other side named: waiting, not wedged.
    pub backoff_until: Option<UnixTime>,
    pub ended_at: Option<UnixTime>,
    pub halted: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum BatchState {
    Active,
    Done,
    Stopped,
    Aborted,
}

impl BatchState {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// What is known of the recipe that an active batch works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Working {
    /// In `wait`, and its deadline has not come.
    pub waiting: bool,
    /// A job holds its lock.
    pub job_runs: bool,
    /// A turn was started, its lock is free, and there is no result.
    pub turn_orphaned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Standing {
    Running,
    Idle,
    Wedged,
    Stopped,
}

impl Standing {
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// Whether a batch works, stands still, or is over.
pub fn standing(
    batch: Option<&Batch>,
    working: Working,
    wedge_after_seconds: i64,
    now: UnixTime,
) -> Standing {
    let Some(batch) = batch else { return Standing::Idle };
    match batch.state {
        BatchState::Done | BatchState::Aborted => Standing::Idle,
        BatchState::Stopped => Standing::Stopped,
        BatchState::Active => {
            let backing_off = batch.backoff_until.is_some_and(|until| until > now);
            let fresh = now.since(batch.progress_at) < wedge_after_seconds;
            if backing_off || working.waiting || working.job_runs {
                Standing::Running
            } else if working.turn_orphaned || !fresh {
                Standing::Wedged
            } else {
                Standing::Running
            }
        }
    }
}

/// What `start` and `fresh` do with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Leave,
    Begin,
    /// End it first: its processes, its environment.
    AbortAndBegin,
}

pub fn on_start(standing: Standing, active: bool, fresh: bool) -> Start {
    match standing {
        Standing::Running if fresh => Start::AbortAndBegin,
        Standing::Running => Start::Leave,
        Standing::Wedged => Start::AbortAndBegin,
        Standing::Idle | Standing::Stopped if active => Start::AbortAndBegin,
        Standing::Idle | Standing::Stopped => Start::Begin,
    }
}
