//! A run: its claim, its text, how its work lands, and why it ended.

use super::{Oid, UnixTime};

/// A claim that was read from the forge's git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHolder {
    pub oid: Oid,
    /// From the claim commit's message; `None` where it cannot be read.
    pub run: Option<String>,
    pub installation: Option<String>,
    pub at: Option<UnixTime>,
}

/// The approved text, as the agent is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunText {
    pub title: String,
    pub body: String,
    /// Comments by trusted people, prepared for the prompt.
    pub comments: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Landing {
    Push,
    PullRequest,
}

/// Who merges a pull request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MergeBy {
    Person,
    /// offhours does, as soon as CI is green and no trusted person asks for changes.
    WhenGreen,
}

/// Why a run ended. The codes are stable words: they stand in the ledger, in JSON and in comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Landed,
    HandedBack(HandBack),
    Frozen(Freeze),
    /// A person took the issue back (closed it, or took the ready label away).
    Withdrawn,
    /// `run stop` or `off --now`.
    Stopped,
    /// Another host holds the claim.
    ClaimLost,
    /// Nothing started; the issue is ready again after a back-off.
    NotStarted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandBack {
    Moved,
    HumanTookOver,
    Blocked,
    ResultUnreadable,
    NothingDone,
    Failed,
    TimedOut,
    Stalled,
    PermissionDenied,
    Orphaned,
    GuardRefused,
    PushRefused,
    Conflict,
    BaseRed,
    NoChecks,
    CiTimeout,
    WorkspaceUnreadable,
    PullClosed,
    MergeRefused,
    ReviewTurnsUsed,
    ReviewTooOld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freeze {
    SameFailure,
    TurnsUsed,
    TimeUsed,
    CorrectiveTurnFailed,
    BudgetUsed,
}

impl HandBack {
    pub const ALL: [Self; 21] = [
        Self::Moved,
        Self::HumanTookOver,
        Self::Blocked,
        Self::ResultUnreadable,
        Self::NothingDone,
        Self::Failed,
        Self::TimedOut,
        Self::Stalled,
        Self::PermissionDenied,
        Self::Orphaned,
        Self::GuardRefused,
        Self::PushRefused,
        Self::Conflict,
        Self::BaseRed,
        Self::NoChecks,
        Self::CiTimeout,
        Self::WorkspaceUnreadable,
        Self::PullClosed,
        Self::MergeRefused,
        Self::ReviewTurnsUsed,
        Self::ReviewTooOld,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::HumanTookOver => "human-took-over",
            Self::Blocked => "agent-blocked",
            Self::ResultUnreadable => "result-unreadable",
            Self::NothingDone => "nothing-done",
            Self::Failed => "agent-failed",
            Self::TimedOut => "turn-timeout",
            Self::Stalled => "turn-stalled",
            Self::PermissionDenied => "permission-denied",
            Self::Orphaned => "turn-orphaned",
            Self::GuardRefused => "guard-refused",
            Self::PushRefused => "push-refused",
            Self::Conflict => "conflict",
            Self::BaseRed => "base-red",
            Self::NoChecks => "no-checks",
            Self::CiTimeout => "ci-timeout",
            Self::WorkspaceUnreadable => "workspace-unreadable",
            Self::PullClosed => "pr-closed",
            Self::MergeRefused => "merge-refused",
            Self::ReviewTurnsUsed => "review-turns-used",
            Self::ReviewTooOld => "review-too-old",
        }
    }
}

impl Freeze {
    pub const ALL: [Self; 5] =
        [Self::SameFailure, Self::TurnsUsed, Self::TimeUsed, Self::CorrectiveTurnFailed, Self::BudgetUsed];

    pub fn code(self) -> &'static str {
        match self {
            Self::SameFailure => "same-failure",
            Self::TurnsUsed => "fix-turns-used",
            Self::TimeUsed => "fix-time-used",
            Self::CorrectiveTurnFailed => "fix-turn-failed",
            Self::BudgetUsed => "budget-used",
        }
    }
}

impl Outcome {
    /// The outcome that has this code, as the store and JSON spell it.
    pub fn parse(code: &str) -> Option<Self> {
        let single =
            [Self::Landed, Self::Withdrawn, Self::Stopped, Self::ClaimLost, Self::NotStarted].into_iter();
        let handed = HandBack::ALL.into_iter().map(Self::HandedBack);
        let frozen = Freeze::ALL.into_iter().map(Self::Frozen);
        single.chain(handed).chain(frozen).find(|outcome| outcome.code() == code)
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::Landed => "landed",
            Self::HandedBack(why) => why.code(),
            Self::Frozen(why) => why.code(),
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::ClaimLost => "claim-lost",
            Self::NotStarted => "not-started",
        }
    }
}
