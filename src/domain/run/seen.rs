//! What a run's decision looks at: everything that was observed, as plain data.

use super::Failure;
use crate::domain::model::{Oid, TurnEnd};
use crate::domain::receipt::ReceiptFacts;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueSeen {
    Unreadable,
    /// Moved or deleted while its repo can be read.
    Gone,
    Open {
        ready: bool,
    },
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TurnSeen {
    Unreadable,
    Running,
    /// The agent is done; its verify runs.
    Verifying,
    NeedsInput,
    Over(TurnEnd),
    Orphaned,
    /// The turn is not over and nobody can be asked about it.
    RunnerDown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VerifySeen {
    NotConfigured,
    /// Not run on this commit yet.
    Missing,
    Running,
    Green,
    Red(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetComparison {
    /// The target contains the work.
    Contains,
    /// The work contains the target: a fast-forward lands it.
    FastForward,
    Diverged,
}

/// The work as it was fetched. Only looked at when no turn is running.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WorkSeen {
    Unreadable,
    /// Gone or tampered with.
    Broken(String),
    Nothing,
    Commits {
        head: Oid,
        verify: VerifySeen,
        guard: GuardSeen,
        target: TargetComparison,
        target_oid: Oid,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GuardSeen {
    Passed,
    /// What was refused and why, a line each.
    Refused(String),
}

/// What the same checks say of the commit the run started from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BaseSeen {
    /// Nobody can tell (a verify has no base reading).
    CannotTell,
    Unreadable,
    NotStarted,
    Pending,
    Green,
    /// The same checks are red there.
    Red,
}

/// The run's pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PullSeen {
    /// None was opened, or the landing is by push.
    None,
    Unreadable,
    Open,
    /// Closed without being merged.
    Closed,
    Merged,
}

/// What trusted people say of the run's pull request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReviewSeen {
    Unreadable,
    /// Nobody asks for changes.
    Nothing,
    /// Changes are asked for since the last review turn.
    Changes(ReviewAsk),
    /// A request for changes that a review turn has answered still stands.
    Standing,
}

/// What reviewers asked for, ready for the agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReviewAsk {
    /// Ids of the reviews that ask.
    pub reviews: Vec<String>,
    /// Their words and those of trusted comments, fenced.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CiSeen {
    NotPushed,
    Unreadable,
    NotStarted { stage: String },
    Pending,
    NoChecks,
    NeedsPerson,
    TimedOut,
    Red { stage: String, failure: Failure, base: BaseSeen },
    Green { none_required: bool },
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read from somewhere else")]
pub struct Evidence {
    pub issue: IssueSeen,
    pub allowed: bool,
    /// `run stop` was asked for.
    pub stop_asked: bool,
    /// Our branch has a commit that no intent of ours pushed.
    pub foreign_commit: bool,
    pub pull: PullSeen,
    /// The patch of our last pushed head is on the target; only asked where a pull request lands it.
    pub patch_on_target: bool,
    /// Paths on which the pushed head and the target conflict; empty: none.
    pub conflicts: Vec<String>,
    pub review: ReviewSeen,
    /// No other run of ours holds the repo's slot.
    pub slot_free: bool,
    pub turn: TurnSeen,
    pub work: WorkSeen,
    pub ci: CiSeen,
    pub ci_stage: u32,
    pub switch_on: bool,
    pub merge_open: bool,
    /// The runner's account is parked now.
    pub parked: bool,
    /// Known cost so far is below the run's budget.
    pub budget_left: bool,
    pub receipt: ReceiptFacts,
}
