//! Rows about CI that is not red.

use super::Row;
use crate::domain::model::{HandBack, Landing, MergeBy};
use crate::domain::run::{CI_START_SECONDS, CiSeen, Evidence, Policy, ReviewSeen, Run, Wait, Why};

pub(super) fn about_ci(run: &Run, seen: &Evidence, policy: &Policy) -> Row {
    match &seen.ci {
        CiSeen::Unreadable => Row::Wait(Wait::Unreadable),
        // The reading itself ends what is pending, by the run's own clock; a pushed head is never seen as not pushed.
        // Red was looked at before.
        CiSeen::NotPushed | CiSeen::Pending | CiSeen::Red { .. } => Row::Wait(Wait::Ci),
        // These follow from the time a stage was waited for, and for a stage that has just come up that clock was
        // another stage's. The clock begins anew, and the next look decides.
        CiSeen::NoChecks | CiSeen::TimedOut | CiSeen::Green { none_required: true }
            if seen.ci_stage > run.ci_stage =>
        {
            Row::Wait(Wait::Ci)
        }
        CiSeen::NotStarted { stage }
            if seen.ci_stage <= run.ci_stage && run.ci_seconds > CI_START_SECONDS =>
        {
            Row::HandBack(HandBack::CiTimeout, Why::StageNotStarted(stage.clone()))
        }
        CiSeen::NotStarted { stage } => match &run.pushed {
            Some(oid) if !seen.switch_on => {
                Row::StartCi { stage: stage.clone(), oid: oid.clone(), rerun: false }
            }
            Some(_) => Row::Wait(Wait::Switch),
            None => Row::Wait(Wait::Ci),
        },
        CiSeen::NoChecks => Row::HandBack(HandBack::NoChecks, Why::NoChecks),
        CiSeen::NeedsPerson => Row::Wait(Wait::CheckNeedsPerson),
        CiSeen::TimedOut => Row::HandBack(HandBack::CiTimeout, Why::CiSilent),
        CiSeen::Green { .. } => about_green(run, seen, policy),
    }
}

/// CI is green: by push it is done; a pull request is merged by us or by a person.
fn about_green(run: &Run, seen: &Evidence, policy: &Policy) -> Row {
    let (pull, head) = match (run.landing, run.pull, &run.pushed) {
        (Landing::PullRequest, Some(pull), Some(head)) => (pull, head),
        (Landing::PullRequest | Landing::Push, _, _) => return Row::Done,
    };
    match (policy.merge, &seen.review) {
        (MergeBy::WhenGreen, ReviewSeen::Unreadable) => return Row::Wait(Wait::Unreadable),
        (MergeBy::WhenGreen, ReviewSeen::Nothing) => {
            return if seen.switch_on {
                Row::Wait(Wait::Switch)
            } else if seen.merge_open {
                Row::Merge { pull, head: head.clone() }
            } else {
                Row::Wait(Wait::MergeHours)
            };
        }
        (MergeBy::WhenGreen, ReviewSeen::Changes(_) | ReviewSeen::Standing) | (MergeBy::Person, _) => {}
    }
    // A slot that was taken for work which is not wanted any more is given up again.
    if run.reviewing && !run.holds_slot { Row::Wait(Wait::Review) } else { Row::AwaitReview }
}
