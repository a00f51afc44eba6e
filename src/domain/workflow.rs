//! What the runs of a forge's own workflows say of a commit besides their checks: a run that was cancelled before its first
//! job, or could not be started, leaves no check at all.

use super::model::CheckState;

/// A run as its forge tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Rises from run to run.
    pub number: u64,
    /// The workflow, by what does not change between its runs.
    pub workflow: String,
    pub event: String,
    pub branch: String,
    /// `Superseded`: it was cancelled, for whatever reason.
    pub state: CheckState,
}

/// How each run stands that still says something, in the order in which they are given.
///
/// Of one workflow, event and branch the newest counts. A run that is not over counts always. One that was skipped takes
/// nobody's place. One that was cancelled is over where the commit has a newer run of its workflow that the commit itself
/// caused, by whichever event: a push and a pull request of the same commit often cancel each other. Where it has none, it is
/// red if the commit caused it, and says nothing if it did not: what somebody asked for, or a clock, or a comment, tests
/// the commit by chance, and speaks by its checks.
pub fn standing(runs: &[Run]) -> Vec<(usize, CheckState)> {
    let counts = |run: &Run| match run.state {
        CheckState::Pending => Some(CheckState::Pending),
        CheckState::Superseded if !is_caused(&run.event) => None,
        CheckState::Superseded => (!is_replaced(runs, run)).then_some(CheckState::Red),
        CheckState::Green | CheckState::Red | CheckState::Skipped | CheckState::NeedsPerson => {
            let same = |other: &Run| other.event == run.event && other.branch == run.branch;
            (!newer(runs, run).any(same)).then_some(run.state)
        }
    };
    runs.iter().enumerate().filter_map(|(at, run)| counts(run).map(|state| (at, state))).collect()
}

/// Whether the commit caused a newer run of the workflow, which takes the place of one that was cancelled.
pub fn is_replaced(runs: &[Run], run: &Run) -> bool {
    newer(runs, run).any(|other| is_caused(&other.event))
}

/// Newer runs of the same workflow that are or were to do something.
fn newer<'a>(runs: &'a [Run], run: &'a Run) -> impl Iterator<Item = &'a Run> {
    runs.iter().filter(|other| {
        other.workflow == run.workflow && other.number > run.number && other.state != CheckState::Skipped
    })
}

/// Whether a run of this event is there for the commit. What is not known is.
pub fn is_caused(event: &str) -> bool {
    !matches!(
        event,
        "schedule"
            | "workflow_dispatch"
            | "repository_dispatch"
            | "workflow_run"
            | "check_run"
            | "check_suite"
            | "status"
            | "deployment_status"
            | "issues"
            | "issue_comment"
            | "discussion"
            | "discussion_comment"
            | "label"
            | "milestone"
            | "fork"
            | "watch"
            | "gollum"
            | "public"
            | "branch_protection_rule"
            | "registry_package"
    )
}

#[cfg(test)]
mod tests;
