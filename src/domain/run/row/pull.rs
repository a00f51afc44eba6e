//! Rows about the pull request and its review.

use super::Row;
use super::work::conflicted;
use crate::domain::model::{Freeze, HandBack, Landing};
use crate::domain::run::{Evidence, Policy, PullSeen, ReviewSeen, Run, Wait, Why, WorkSeen};

/// The pull request of the pushed head: opened, told of the head, not closed, not in conflict.
pub(super) fn about_the_pull(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let head = match (run.landing, &run.pushed) {
        (Landing::PullRequest, Some(head)) => head,
        (Landing::PullRequest, None) | (Landing::Push, _) => return None,
    };
    if let Some(why) = &run.push_refused {
        return Some(Row::HandBack(HandBack::PushRefused, Why::Said(why.clone())));
    }
    let Some(pull) = run.pull else {
        return Some(if seen.switch_on { Row::Wait(Wait::Switch) } else { Row::OpenPull });
    };
    match seen.pull {
        PullSeen::Unreadable | PullSeen::None => return Some(Row::Wait(Wait::Unreadable)),
        PullSeen::Closed => {
            return Some(Row::HandBack(HandBack::PullClosed, Why::PullClosed(pull)));
        }
        PullSeen::Open | PullSeen::Merged => {}
    }
    if let Some(why) = &run.merge_refused {
        return Some(Row::HandBack(HandBack::MergeRefused, Why::Said(why.clone())));
    }
    if matches!(seen.review, ReviewSeen::Changes(_)) && run.review_turns >= policy.review_max_turns {
        let why = Why::ReviewTurnsUsed(policy.review_max_turns);
        return Some(Row::HandBack(HandBack::ReviewTurnsUsed, why));
    }
    if run.review_seconds > policy.review_max_seconds {
        let why = Why::NotReviewed { pull, seconds: policy.review_max_seconds };
        return Some(Row::HandBack(HandBack::ReviewTooOld, why));
    }
    if let Some(paths) = &run.conflict {
        return Some(Row::HandBack(HandBack::Conflict, Why::Said(paths.clone())));
    }
    if let (false, WorkSeen::Commits { target_oid, .. }) = (seen.conflicts.is_empty(), &seen.work) {
        return Some(conflicted(run, seen, head, target_oid));
    }
    (run.pull_head.as_ref() != Some(head)).then(|| Row::EditPull { pull, head: head.clone() })
}

/// What a trusted reviewer asks for, once CI is not red.
pub(super) fn about_the_review(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let ReviewSeen::Changes(ask) = &seen.review else { return None };
    if run.pull.is_none() || run.review_turns >= policy.review_max_turns {
        return None;
    }
    Some(if !seen.budget_left {
        Row::Freeze(Freeze::BudgetUsed, Why::ReviewBudgetUsed)
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else if seen.parked {
        Row::Wait(Wait::Parked)
    } else {
        Row::Review(ask.clone())
    })
}
