//! Rows about the turn: what holds whatever it does, how it ended, and what it is called that it brought nothing.

use super::Row;
use crate::domain::effect::TurnKind;
use crate::domain::model::{CutOff, Freeze, HandBack, Landing, TurnEnd};
use crate::domain::run::{
    Evidence, IssueSeen, MAX_CONTINUES, Policy, PullSeen, Run, TargetComparison, TurnSeen, Used, Wait, Why,
    WorkSeen,
};

/// Rows that hold whatever the turn does: the issue, and people.
pub(super) fn before_the_turn(run: &Run, seen: &Evidence) -> Option<Row> {
    if seen.issue == IssueSeen::Gone || !seen.allowed {
        let why = if seen.allowed { Why::NoIssue } else { Why::NotAllowed };
        return Some(Row::HandBack(HandBack::Moved, why));
    }
    if run.pushed.is_some() && (seen.pull == PullSeen::Merged || seen.patch_on_target) {
        return Some(Row::OnTarget);
    }
    // After a landing of our own the target contains that work by our hand: whoever puts the workspace back to an
    // earlier commit of it has landed nothing, and the checks decide.
    if let WorkSeen::Commits { head, target: TargetComparison::Contains, .. } = &seen.work
        && run.pushed.is_none()
        && *head != run.base
    {
        return Some(Row::OnTarget);
    }
    // A merge closes the issue: whether that is what happened has to be seen first.
    if seen.issue == IssueSeen::Closed && seen.pull == PullSeen::Unreadable {
        return Some(Row::Wait(Wait::Unreadable));
    }
    let withdrawn = match seen.issue {
        IssueSeen::Closed => run.pushed.is_none() || run.landing == Landing::PullRequest,
        IssueSeen::Open { ready } => !ready,
        IssueSeen::Unreadable | IssueSeen::Gone => false,
    };
    if withdrawn {
        return Some(Row::Withdrawn);
    }
    if seen.stop_asked {
        return Some(Row::Stopped);
    }
    None
}

/// Another turn that goes on from the last one.
fn go_on(run: &Run, seen: &Evidence, new_attempt: bool) -> Row {
    // Turns that neither began the run nor were told of a failure went on from another.
    if run.turns.saturating_sub(run.fix_forward + run.review_turns) > MAX_CONTINUES {
        nothing_came(run, HandBack::Failed, Why::WentOn(MAX_CONTINUES))
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else if seen.parked {
        Row::Wait(Wait::Parked)
    } else {
        Row::Continue { new_attempt }
    }
}

pub(super) fn about_the_turn(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let again = |new_attempt| go_on(run, seen, new_attempt);
    match &seen.turn {
        TurnSeen::Over(TurnEnd::Quota { .. } | TurnEnd::LoginRefused { .. }) => {
            return Some(if seen.parked { Row::Wait(Wait::Parked) } else { again(false) });
        }
        TurnSeen::RunnerDown => return Some(Row::Wait(Wait::Parked)),
        TurnSeen::Over(TurnEnd::FailedToStart { detail }) => {
            return Some(match &seen.work {
                WorkSeen::Nothing if run.turn_kind == TurnKind::First => {
                    Row::NotStarted(Why::Said(detail.clone()))
                }
                // A run that continues earlier work begins with commits.
                WorkSeen::Commits { head, .. }
                    if run.turn_kind == TurnKind::First && *head == run.turn_head =>
                {
                    Row::NotStarted(Why::Said(detail.clone()))
                }
                WorkSeen::Unreadable => Row::Wait(Wait::Unreadable),
                // An agent cannot be started in what is no workspace.
                WorkSeen::Broken(why) => Row::HandBack(HandBack::WorkspaceUnreadable, Why::Said(why.clone())),
                WorkSeen::Nothing | WorkSeen::Commits { .. } => again(false),
            });
        }
        TurnSeen::Running
        | TurnSeen::Verifying
        | TurnSeen::NeedsInput
        | TurnSeen::Over(_)
        | TurnSeen::Orphaned
        | TurnSeen::Unreadable => {}
    }
    if seen.foreign_commit {
        return Some(Row::HandBack(HandBack::HumanTookOver, Why::SomebodyCommitted));
    }
    match &seen.turn {
        TurnSeen::Unreadable => Some(Row::Wait(Wait::Unreadable)),
        TurnSeen::NeedsInput => Some(Row::Wait(Wait::NeedsInput)),
        TurnSeen::Running | TurnSeen::Verifying => Some(if run.turn_seconds > policy.turn_limit_seconds {
            nothing_came(run, HandBack::TimedOut, Why::TurnTooLong)
        } else {
            Row::Wait(Wait::Working)
        }),
        TurnSeen::Over(TurnEnd::Blocked { reason }) => {
            Some(Row::HandBack(HandBack::Blocked, Why::Said(reason.clone())))
        }
        TurnSeen::Over(TurnEnd::ResultUnreadable { why }) => {
            Some(Row::HandBack(HandBack::ResultUnreadable, Why::ResultFile(why.clone())))
        }
        TurnSeen::Orphaned if run.attempt < policy.max_attempts => Some(again(true)),
        TurnSeen::Orphaned => Some(nothing_came(run, HandBack::Orphaned, Why::NoAttempt)),
        // Ended from outside in the middle of its work: half a change is not to land, so the turn goes on.
        TurnSeen::Over(TurnEnd::Stopped) => Some(again(false)),
        TurnSeen::Over(_) | TurnSeen::RunnerDown => None,
    }
}

/// A turn that was cut off has left a beginning, which is not to land: it is gone on with, or it comes back to a person.
pub(super) fn cut_off(run: &Run, seen: &Evidence, policy: &Policy, end: &TurnEnd, how: CutOff) -> Row {
    let used = if run.attempt >= policy.max_attempts {
        Used::Attempts
    } else if !seen.budget_left {
        Used::Budget
    } else {
        return go_on(run, seen, true);
    };
    let (code, _) = nothing_by(end);
    if is_corrective(run) {
        Row::Freeze(Freeze::CorrectiveTurnFailed, Why::CorrectiveCutOff { code, how, end: used })
    } else {
        Row::HandBack(code, Why::CutOff { how, end: used })
    }
}

/// A turn that is over and brought no commit.
pub(super) fn without_commit(run: &Run, seen: &Evidence) -> Row {
    let (code, why) = match &seen.turn {
        TurnSeen::Over(end) => nothing_by(end),
        TurnSeen::Orphaned
        | TurnSeen::Unreadable
        | TurnSeen::Running
        | TurnSeen::Verifying
        | TurnSeen::NeedsInput
        | TurnSeen::RunnerDown => nothing_by(&TurnEnd::Finished),
    };
    nothing_came(run, code, why)
}

/// What it is called that a turn with this end brought nothing good.
fn nothing_by(end: &TurnEnd) -> (HandBack, Why) {
    match end {
        TurnEnd::Error { detail } => (HandBack::Failed, Why::Said(detail.clone())),
        TurnEnd::CutOff { by, detail } => {
            (HandBack::Failed, Why::Broken { how: CutOff::By(*by), detail: detail.clone() })
        }
        TurnEnd::TimedOut => (HandBack::TimedOut, Why::TimedOut),
        TurnEnd::Stalled => (HandBack::Stalled, Why::Stalled),
        TurnEnd::PermissionDenied { detail } => (HandBack::PermissionDenied, Why::Said(detail.clone())),
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Quota { .. }
        | TurnEnd::LoginRefused { .. }
        | TurnEnd::FailedToStart { .. }
        | TurnEnd::Stopped => (HandBack::NothingDone, Why::NoCommit),
    }
}

/// A turn that mends what was pushed before.
fn is_corrective(run: &Run) -> bool {
    run.pushed.is_some() && run.turn_kind != TurnKind::First
}

/// The end of a run whose turn came to nothing. A corrective turn leaves a red commit of ours on the target: frozen, so
/// that nothing more starts on top of it.
pub(super) fn nothing_came(run: &Run, code: HandBack, why: Why) -> Row {
    if is_corrective(run) {
        Row::Freeze(Freeze::CorrectiveTurnFailed, Why::CorrectiveNothing { code, why: Box::new(why) })
    } else {
        Row::HandBack(code, why)
    }
}
