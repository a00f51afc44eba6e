//! What people see of how far a run is.

use super::{Phase, Run};
use crate::domain::model::Outcome;

/// What the progress comment shows; the comment is edited only when this changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub working: bool,
    pub verified: bool,
    pub pushed: bool,
    pub fix_forward: u32,
    pub review_turns: u32,
    /// The pull request, and how often its review was waited for.
    pub pull: Option<u64>,
    pub reviewing: Option<u32>,
    pub stage: u32,
    pub over: Option<Outcome>,
}

impl Progress {
    pub fn of(run: &Run) -> Self {
        Self {
            working: run.turns > 0,
            verified: run.verifies > 0 || run.conflict_tries > 0,
            pushed: run.pushed.is_some(),
            fix_forward: run.fix_forward,
            review_turns: run.review_turns,
            pull: run.pull,
            reviewing: run.reviewing.then_some(run.round),
            stage: run.ci_stage,
            over: match run.phase {
                Phase::Starting | Phase::Active => None,
                Phase::Ending | Phase::Ended => run.outcome,
            },
        }
    }
}
