//! Rows about red: on the pushed head, and on the work.

use super::Row;
use crate::domain::model::{Freeze, HandBack, Oid};
use crate::domain::run::{BaseSeen, CI_START_SECONDS, CiSeen, Evidence, Failure, Policy, Run, Wait, Why};

/// CI red on the pushed head: was it red before, is it red again, and then as every red.
pub(super) fn about_red(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let CiSeen::Red { stage, failure, base } = &seen.ci else { return None };
    Some(red_on_pushed(run, seen, policy, stage, failure, base))
}

fn red_on_pushed(
    run: &Run,
    seen: &Evidence,
    policy: &Policy,
    stage: &str,
    failure: &Failure,
    base: &BaseSeen,
) -> Row {
    let start = |oid: &Oid, rerun| {
        if seen.switch_on {
            Row::Wait(Wait::Switch)
        } else {
            Row::StartCi { stage: stage.to_owned(), oid: oid.clone(), rerun }
        }
    };
    // The clock of a stage that has just come up is another stage's.
    let base_in_time = seen.ci_stage > run.ci_stage || run.ci_seconds <= CI_START_SECONDS;
    match base {
        BaseSeen::Red => {
            let why = Why::BaseRed { checks: failure.checks.clone(), base: run.base.clone() };
            return Row::HandBack(HandBack::BaseRed, why);
        }
        BaseSeen::Unreadable => return Row::Wait(Wait::Unreadable),
        BaseSeen::Pending if base_in_time => return Row::Wait(Wait::Ci),
        BaseSeen::NotStarted if base_in_time => return start(&run.base, false),
        BaseSeen::Pending | BaseSeen::NotStarted | BaseSeen::Green | BaseSeen::CannotTell => {}
    }
    match &run.pushed {
        Some(oid) if run.reruns < policy.ci_rerun => start(oid, true),
        Some(_) | None => red(run, seen, policy, failure),
    }
}

/// Red on the work: the same failure again, the bounds, or a fix-forward turn.
pub(super) fn red(run: &Run, seen: &Evidence, policy: &Policy, failure: &Failure) -> Row {
    let checks = failure.checks.clone();
    if run.last_fix.as_ref().is_some_and(|last| last.same_as(failure)) {
        Row::Freeze(Freeze::SameFailure, Why::SameFailure(checks))
    } else if run.fix_forward >= policy.fix_max_turns {
        Row::Freeze(Freeze::TurnsUsed, Why::FixTurnsUsed { checks, turns: policy.fix_max_turns })
    } else if run.fix_seconds >= policy.fix_max_seconds {
        Row::Freeze(Freeze::TimeUsed, Why::FixTimeUsed(checks))
    } else if !seen.budget_left {
        Row::Freeze(Freeze::BudgetUsed, Why::FixBudgetUsed(checks))
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else if seen.parked {
        Row::Wait(Wait::Parked)
    } else {
        Row::FixForward(failure.clone())
    }
}
