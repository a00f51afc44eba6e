//! What a job came to.

use crate::adapters::runner::child::{exit_code, how};
use crate::adapters::runner::usage::ProcessEnd;
use crate::domain::model::{JobResult, TurnEnd, UnixTime, Usage, VerifyResult};

/// What a job came to, without its times.
pub(super) struct Outcome {
    pub(super) end: TurnEnd,
    pub(super) exit_code: Option<i32>,
    pub(super) usage: Usage,
    pub(super) verify: Option<VerifyResult>,
    pub(super) notes: Vec<String>,
    pub(super) summary: Option<String>,
}

impl Outcome {
    pub(super) fn of(end: TurnEnd) -> Self {
        Self { end, exit_code: None, usage: Usage::default(), verify: None, notes: Vec::new(), summary: None }
    }

    pub(super) fn failed_to_start(detail: impl Into<String>) -> Self {
        Self::of(TurnEnd::FailedToStart { detail: detail.into() })
    }

    pub(super) fn into_result(self, started_at: UnixTime, ended_at: UnixTime) -> JobResult {
        JobResult {
            started_at,
            ended_at,
            end: self.end,
            exit_code: self.exit_code,
            usage: self.usage,
            verify: self.verify,
            hook_notes: self.notes,
            summary: self.summary,
        }
    }
}

/// For jobs without an agent: their exit code says all, so an exit is `Finished` whatever the code.
pub(super) fn plain_outcome(end: &ProcessEnd) -> Outcome {
    let turn_end = match end {
        ProcessEnd::Exit(_) => TurnEnd::Finished,
        ProcessEnd::Signal(_) => TurnEnd::Error { detail: format!("the command {}", how(end)) },
        ProcessEnd::TimedOut => TurnEnd::TimedOut,
        ProcessEnd::Stalled => TurnEnd::Stalled,
        ProcessEnd::Stopped => TurnEnd::Stopped,
        ProcessEnd::NotStarted(_) => TurnEnd::FailedToStart { detail: format!("The command {}.", how(end)) },
    };
    Outcome { exit_code: exit_code(end), ..Outcome::of(turn_end) }
}
