//! A run: its claim, its text, how its work lands, and why it ended.

use strum::{EnumString, IntoStaticStr, VariantArray};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Landing {
    Push,
    PullRequest,
}

impl Landing {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// Who merges a pull request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MergeBy {
    Person,
    /// offhours does, as soon as CI is green and no trusted person asks for changes.
    WhenGreen,
}

/// Why a run ended. The codes are stable words: they stand in the ledger, in JSON and in comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Outcome {
    Landed,
    #[strum(transparent)]
    HandedBack(HandBack),
    #[strum(transparent)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum HandBack {
    Moved,
    HumanTookOver,
    #[strum(serialize = "agent-blocked")]
    Blocked,
    ResultUnreadable,
    NothingDone,
    #[strum(serialize = "agent-failed")]
    Failed,
    #[strum(serialize = "turn-timeout")]
    TimedOut,
    #[strum(serialize = "turn-stalled")]
    Stalled,
    PermissionDenied,
    #[strum(serialize = "turn-orphaned")]
    Orphaned,
    GuardRefused,
    PushRefused,
    Conflict,
    BaseRed,
    NoChecks,
    CiTimeout,
    WorkspaceUnreadable,
    #[strum(serialize = "pr-closed")]
    PullClosed,
    MergeRefused,
    ReviewTurnsUsed,
    ReviewTooOld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Freeze {
    SameFailure,
    #[strum(serialize = "fix-turns-used")]
    TurnsUsed,
    #[strum(serialize = "fix-time-used")]
    TimeUsed,
    #[strum(serialize = "fix-turn-failed")]
    CorrectiveTurnFailed,
    BudgetUsed,
}

impl HandBack {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

impl Freeze {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

impl Outcome {
    /// Every outcome that there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let single =
            [Self::Landed, Self::Withdrawn, Self::Stopped, Self::ClaimLost, Self::NotStarted].into_iter();
        let handed = HandBack::VARIANTS.iter().copied().map(Self::HandedBack);
        let frozen = Freeze::VARIANTS.iter().copied().map(Self::Frozen);
        single.chain(handed).chain(frozen)
    }

    /// The outcome that has this code, as the store and JSON spell it.
    pub fn parse(code: &str) -> Option<Self> {
        Self::all().find(|outcome| outcome.code() == code)
    }

    pub fn code(&self) -> &'static str {
        self.into()
    }
}
