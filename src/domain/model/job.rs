//! Jobs: what they are asked, how they end, and what they used.

use strum::{EnumString, IntoStaticStr};

use super::{Oid, UnixTime};

/// What the agent used, as far as its output tells. `None`: not told, which counts as the reservation.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Usage {
    pub cost_usd: Option<f64>,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub session: Option<String>,
}

/// How a turn's agent ended. Exit 0 alone is not success: agents exit 0 after doing nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TurnEnd {
    /// The process ended by itself with success.
    Finished,
    /// The result file says that the agent stopped on purpose.
    Blocked {
        reason: String,
    },
    /// There is a result file, and nobody can say what it means: it may have been to stop on purpose.
    ResultUnreadable {
        /// Goes on from "the result file"; quotes the agent.
        why: String,
    },
    /// Ended with an error: exit code, signal, or an error told in its output.
    Error {
        detail: String,
    },
    TimedOut,
    Stalled,
    /// Cut off before it was done, and not by a limit of ours.
    CutOff {
        by: CutBy,
        detail: String,
    },
    PermissionDenied {
        detail: String,
    },
    Quota {
        resets_at: Option<UnixTime>,
        detail: String,
    },
    LoginRefused {
        detail: String,
    },
    /// The argv could not be started at all, or a fatal hook failed: nothing was tried.
    FailedToStart {
        detail: String,
    },
    /// Ended by `run stop`, `off --now`, or a step of the run machine.
    Stopped,
}

/// What cut a turn off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutBy {
    /// The bound on money that the agent's program keeps.
    Budget,
    /// The bound on steps that it keeps.
    Steps,
    /// A signal, or somebody who interrupted it where it ran.
    Outside,
}

/// How a turn was cut off before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutOff {
    TimedOut,
    Stalled,
    By(CutBy),
}

/// How a turn ended, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum TurnEnding {
    Finished,
    Blocked,
    ResultUnreadable,
    Error,
    TimedOut,
    Stalled,
    BudgetUsed,
    StepsUsed,
    Interrupted,
    PermissionDenied,
    Quota,
    LoginRefused,
    FailedToStart,
    Stopped,
    /// Its supervisor died.
    Orphaned,
}

impl TurnEnding {
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// Whether it says anything about the work: what quota, a person or a start that failed ended does not.
    pub fn told_something(self) -> bool {
        match self {
            Self::Stopped | Self::Quota | Self::LoginRefused | Self::FailedToStart => false,
            Self::Finished
            | Self::Blocked
            | Self::ResultUnreadable
            | Self::Error
            | Self::TimedOut
            | Self::Stalled
            | Self::BudgetUsed
            | Self::StepsUsed
            | Self::Interrupted
            | Self::PermissionDenied
            | Self::Orphaned => true,
        }
    }
}

impl TurnEnd {
    pub fn ending(&self) -> TurnEnding {
        match self {
            Self::Finished => TurnEnding::Finished,
            Self::Blocked { .. } => TurnEnding::Blocked,
            Self::ResultUnreadable { .. } => TurnEnding::ResultUnreadable,
            Self::Error { .. } => TurnEnding::Error,
            Self::TimedOut => TurnEnding::TimedOut,
            Self::Stalled => TurnEnding::Stalled,
            Self::CutOff { by: CutBy::Budget, .. } => TurnEnding::BudgetUsed,
            Self::CutOff { by: CutBy::Steps, .. } => TurnEnding::StepsUsed,
            Self::CutOff { by: CutBy::Outside, .. } => TurnEnding::Interrupted,
            Self::PermissionDenied { .. } => TurnEnding::PermissionDenied,
            Self::Quota { .. } => TurnEnding::Quota,
            Self::LoginRefused { .. } => TurnEnding::LoginRefused,
            Self::FailedToStart { .. } => TurnEnding::FailedToStart,
            Self::Stopped => TurnEnding::Stopped,
        }
    }

    /// How the turn was cut off before it was done, where it was: what it had committed by then is a beginning.
    pub fn cut_off(&self) -> Option<CutOff> {
        match self {
            Self::TimedOut => Some(CutOff::TimedOut),
            Self::Stalled => Some(CutOff::Stalled),
            Self::CutOff { by, .. } => Some(CutOff::By(*by)),
            Self::Finished
            | Self::Blocked { .. }
            | Self::ResultUnreadable { .. }
            | Self::Error { .. }
            | Self::PermissionDenied { .. }
            | Self::Quota { .. }
            | Self::LoginRefused { .. }
            | Self::FailedToStart { .. }
            | Self::Stopped => None,
        }
    }
}

/// What a turn's agent was asked, and so the words that its result file may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To work on an issue.
    Work,
    /// To repair a red upgrade, or to judge it.
    Upgrade,
}

/// The repo's own tests on a clean checkout of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyResult {
    pub oid: Oid,
    pub green: bool,
    /// Cleaned end of the output, for the next turn's prompt.
    pub log_tail: String,
    pub fingerprint: String,
}

/// A finished job as its result file tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobResult {
    pub started_at: UnixTime,
    pub ended_at: UnixTime,
    /// For turns; a job without an agent (verify, CI stage, hook) has `Finished` or `FailedToStart`.
    pub end: TurnEnd,
    pub exit_code: Option<i32>,
    pub usage: Usage,
    pub verify: Option<VerifyResult>,
    /// Hooks that failed, as lines for the log.
    pub hook_notes: Vec<String>,
    /// What an agent wrote into its result file as summary; data, shown escaped.
    pub summary: Option<String>,
}

/// What is known of a job from its folder and its lock.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// No `started` file and the lock is free: nothing ran; it may be started.
    NotStarted,
    /// The lock is held.
    Running {
        started_at: UnixTime,
        verifying: bool,
        /// It waits for a person's answer: where that is given.
        asks: Option<String>,
    },
    Over(Box<JobResult>),
    /// Started, the lock is free, and there is no result: the supervisor died.
    Orphaned,
}
