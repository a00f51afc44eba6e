//! The rows themselves.

use crate::domain::model::{Freeze, HandBack, Oid};
use crate::domain::run::{Failure, ReviewAsk, Wait, Why};

/// The rows of SPEC section 6. Exactly one fits any evidence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    HandBack(HandBack, Why),
    Freeze(Freeze, Why),
    /// The work is on the target, by other than our own push landing: a person, a queue, our merge.
    OnTarget,
    Withdrawn,
    Stopped,
    NotStarted(Why),
    Wait(Wait),
    /// Another turn in the same workspace; `new_attempt` if it uses one up.
    Continue {
        new_attempt: bool,
    },
    FixForward(Failure),
    /// A turn that is told what reviewers asked for.
    Review(ReviewAsk),
    /// What comes next needs the repo's slot, which the run gave up.
    TakeSlot,
    BringUpToDate {
        head: Oid,
        target: Oid,
    },
    Verify(Oid),
    Land {
        head: Oid,
        expected: Oid,
    },
    PushBranch {
        head: Oid,
        expected: Option<Oid>,
    },
    OpenPull,
    /// The pull request's text tells of an older head.
    EditPull {
        pull: u64,
        head: Oid,
    },
    Merge {
        pull: u64,
        head: Oid,
    },
    AwaitReview,
    StartCi {
        stage: String,
        oid: Oid,
        rerun: bool,
    },
    Done,
    /// The end's effects are done.
    Ended,
}

impl Row {
    /// A stable word for events and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HandBack(code, _) => code.code(),
            Self::Freeze(code, _) => code.code(),
            Self::OnTarget => "on-target",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::NotStarted(_) => "not-started",
            Self::Wait(wait) => wait.code(),
            Self::Continue { .. } => "continue",
            Self::FixForward(_) => "fix-forward",
            Self::BringUpToDate { .. } => "bring-up-to-date",
            Self::Verify(_) => "verify",
            Self::Review(_) => "review-turn",
            Self::TakeSlot => "take-slot",
            Self::Land { .. } => "land",
            Self::PushBranch { .. } => "push",
            Self::OpenPull => "open-pr",
            Self::EditPull { .. } => "update-pr",
            Self::Merge { .. } => "merge",
            Self::AwaitReview => "await-review",
            Self::StartCi { rerun: true, .. } => "rerun",
            Self::StartCi { rerun: false, .. } => "start-ci",
            Self::Done => "done",
            Self::Ended => "ended",
        }
    }

    /// What people are told beside the code.
    pub fn why(&self) -> Why {
        match self {
            Self::HandBack(_, why) | Self::Freeze(_, why) | Self::NotStarted(why) => why.clone(),
            Self::FixForward(failure) => Why::Red(failure.checks.clone()),
            Self::Wait(_)
            | Self::OnTarget
            | Self::Withdrawn
            | Self::Stopped
            | Self::Continue { .. }
            | Self::BringUpToDate { .. }
            | Self::Verify(_)
            | Self::Review(_)
            | Self::TakeSlot
            | Self::Land { .. }
            | Self::PushBranch { .. }
            | Self::OpenPull
            | Self::EditPull { .. }
            | Self::Merge { .. }
            | Self::AwaitReview
            | Self::StartCi { .. }
            | Self::Done
            | Self::Ended => Why::Plain,
        }
    }

    /// Works in the run's workspace: for this a run has to hold the repo's slot.
    pub fn works(&self) -> bool {
        match self {
            Self::Continue { .. }
            | Self::FixForward(_)
            | Self::Review(_)
            | Self::BringUpToDate { .. }
            | Self::Verify(_)
            | Self::Land { .. }
            | Self::PushBranch { .. } => true,
            Self::HandBack(..)
            | Self::Freeze(..)
            | Self::OnTarget
            | Self::Withdrawn
            | Self::Stopped
            | Self::NotStarted(_)
            | Self::Wait(_)
            | Self::TakeSlot
            | Self::OpenPull
            | Self::EditPull { .. }
            | Self::Merge { .. }
            | Self::AwaitReview
            | Self::StartCi { .. }
            | Self::Done
            | Self::Ended => false,
        }
    }
}
