//! The rows themselves.

use crate::domain::event::{Ends, EventKind, Happening};
use crate::domain::model::{Freeze, HandBack, Oid, Outcome};
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
}

impl Row {
    /// What it is recorded as.
    pub fn event(&self) -> EventKind {
        match self {
            Self::HandBack(why, _) => (*why).into(),
            Self::Freeze(why, _) => (*why).into(),
            Self::Withdrawn => Outcome::Withdrawn.into(),
            Self::Stopped => Outcome::Stopped.into(),
            Self::NotStarted(_) => Outcome::NotStarted.into(),
            Self::Wait(wait) => (*wait).into(),
            Self::OnTarget => Happening::OnTarget.into(),
            Self::Continue { .. } => Happening::Continue.into(),
            Self::FixForward(_) => Happening::FixForward.into(),
            Self::BringUpToDate { .. } => Happening::BringUpToDate.into(),
            Self::Verify(_) => Happening::Verify.into(),
            Self::Review(_) => Happening::ReviewTurn.into(),
            Self::TakeSlot => Happening::TakeSlot.into(),
            Self::Land { .. } => Happening::Land.into(),
            Self::PushBranch { .. } => Happening::Push.into(),
            Self::OpenPull => Happening::OpenPr.into(),
            Self::EditPull { .. } => Happening::UpdatePr.into(),
            Self::Merge { .. } => Happening::Merge.into(),
            Self::AwaitReview => Happening::AwaitReview.into(),
            Self::StartCi { rerun: true, .. } => Happening::Rerun.into(),
            Self::StartCi { rerun: false, .. } => Happening::StartCi.into(),
            Self::Done => Happening::Done.into(),
        }
    }

    /// Whether and how it ends the run for a person to look at.
    pub fn ends(&self) -> Option<Ends> {
        match self {
            Self::HandBack(..) => Some(Ends::HandedBack),
            Self::Freeze(..) => Some(Ends::Frozen),
            Self::OnTarget
            | Self::Withdrawn
            | Self::Stopped
            | Self::NotStarted(_)
            | Self::Wait(_)
            | Self::Continue { .. }
            | Self::FixForward(_)
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
            | Self::Done => None,
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
            | Self::Done => Why::Plain,
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
            | Self::Done => false,
        }
    }
}
