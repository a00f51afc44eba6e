//! Rows about the work: tested, guarded, and brought to where it lands.

use super::Row;
use super::red::red;
use super::turn::{cut_off, nothing_came, without_commit};
use crate::domain::model::{HandBack, Landing, Oid};
use crate::domain::run::{
    CONFLICT_TRIES, Evidence, GuardSeen, Policy, Run, SPARE_VERIFIES, TargetComparison, TurnSeen, VerifySeen,
    Wait, Why, WorkSeen,
};

pub(super) fn about_the_work(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let (head, verify, guard, target, target_oid) = match &seen.work {
        WorkSeen::Unreadable => return Some(Row::Wait(Wait::Unreadable)),
        WorkSeen::Broken(why) => {
            return Some(Row::HandBack(HandBack::WorkspaceUnreadable, Why::Said(why.clone())));
        }
        WorkSeen::Nothing => return Some(without_commit(run, seen)),
        WorkSeen::Commits { head, verify, guard, target, target_oid } => {
            (head, verify, guard, target, target_oid)
        }
    };
    if *head == run.turn_head {
        return Some(without_commit(run, seen));
    }
    if run.pushed.as_ref() == Some(head) {
        return None;
    }
    // What the target has already is no new commit.
    if *target == TargetComparison::Contains {
        return Some(without_commit(run, seen));
    }
    if let TurnSeen::Over(end) = &seen.turn
        && let Some(how) = end.cut_off()
    {
        return Some(cut_off(run, seen, policy, end, how));
    }
    match verify {
        VerifySeen::Missing => {
            return Some(if run.verifies >= run.turns + run.conflict_tries + SPARE_VERIFIES {
                nothing_came(run, HandBack::Failed, Why::NoResult(run.verifies))
            } else if seen.switch_on {
                Row::Wait(Wait::Switch)
            } else {
                Row::Verify(head.clone())
            });
        }
        VerifySeen::Running => {
            return Some(if run.turn_seconds > policy.turn_limit_seconds {
                nothing_came(run, HandBack::TimedOut, Why::TestsTooLong)
            } else {
                Row::Wait(Wait::Working)
            });
        }
        VerifySeen::Red(failure) => return Some(red(run, seen, policy, failure)),
        VerifySeen::Green | VerifySeen::NotConfigured => {}
    }
    if let GuardSeen::Refused(why) = guard {
        return Some(Row::HandBack(HandBack::GuardRefused, Why::Said(why.clone())));
    }
    if let Some(why) = &run.push_refused {
        return Some(Row::HandBack(HandBack::PushRefused, Why::Said(why.clone())));
    }
    if let Some(paths) = &run.conflict {
        return Some(Row::HandBack(HandBack::Conflict, Why::Said(paths.clone())));
    }
    Some(match run.landing {
        Landing::Push => land(run, seen, head, *target, target_oid),
        Landing::PullRequest => push_branch(run, seen, head, target_oid),
    })
}

/// A landing repeats itself under no evidence: done, it is the pushed head; refused, it says so above; raced, the target
/// has moved and the work has diverged from it, which is counted.
fn land(run: &Run, seen: &Evidence, head: &Oid, target: TargetComparison, target_oid: &Oid) -> Row {
    match target {
        TargetComparison::Contains => without_commit(run, seen),
        TargetComparison::Diverged if run.conflict_tries >= CONFLICT_TRIES => tries_used(),
        TargetComparison::Diverged | TargetComparison::FastForward if seen.switch_on => {
            Row::Wait(Wait::Switch)
        }
        TargetComparison::Diverged | TargetComparison::FastForward if !seen.merge_open => {
            Row::Wait(Wait::MergeHours)
        }
        TargetComparison::Diverged => Row::BringUpToDate { head: head.clone(), target: target_oid.clone() },
        TargetComparison::FastForward => Row::Land { head: head.clone(), expected: target_oid.clone() },
    }
}

fn push_branch(run: &Run, seen: &Evidence, head: &Oid, target_oid: &Oid) -> Row {
    if seen.conflicts.is_empty() {
        if seen.switch_on {
            return Row::Wait(Wait::Switch);
        }
        return Row::PushBranch { head: head.clone(), expected: run.pushed.clone() };
    }
    conflicted(run, seen, head, target_oid)
}

/// The work and the target changed the same places.
pub(super) fn conflicted(run: &Run, seen: &Evidence, head: &Oid, target: &Oid) -> Row {
    if run.conflict_tries >= CONFLICT_TRIES {
        tries_used()
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else {
        Row::BringUpToDate { head: head.clone(), target: target.clone() }
    }
}

fn tries_used() -> Row {
    Row::HandBack(HandBack::Conflict, Why::TargetMoved(CONFLICT_TRIES))
}
