//! The table of SPEC section 6: which row fits the evidence.

use super::{
    BaseSeen, CI_START_SECONDS, CONFLICT_TRIES, CiSeen, Evidence, Failure, GuardSeen, IssueSeen,
    MOST_CONTINUES, Policy, PullSeen, ReviewAsk, ReviewSeen, Run, SPARE_VERIFIES, TargetSeen, TurnSeen,
    VerifySeen, Wait, WorkSeen,
};
use crate::domain::effect::TurnKind;
use crate::domain::message;
use crate::domain::model::{Freeze, HandBack, Landing, MergeBy, Oid, TurnEnd};

impl Row {
    /// A stable word for events and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HandBack(code, _) => code.code(),
            Self::Freeze(code, _) => code.code(),
            Self::OnTarget => "on-target",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::NotStarted(_) => "not-started",
            Self::Wait(wait) => wait.code(),
            Self::Continue { .. } => "continue",
            Self::FixForward(_) => "fix-forward",
            Self::BringUpToDate { .. } => "bring-up-to-date",
            Self::Verify(_) => "verify",
            Self::Review(_) => "review-turn",
            Self::TakeSlot => "take-slot",
            Self::Land { .. } => "land",
            Self::PushBranch { .. } => "push",
            Self::OpenPull => "open-pr",
            Self::EditPull { .. } => "update-pr",
            Self::Merge { .. } => "merge",
            Self::AwaitReview => "await-review",
            Self::StartCi { rerun: true, .. } => "rerun",
            Self::StartCi { rerun: false, .. } => "start-ci",
            Self::Done => "done",
            Self::Ended => "ended",
        }
    }

    /// What people are told beside the code; empty where the code says it all.
    pub fn why(&self) -> String {
        match self {
            Self::HandBack(_, why) | Self::Freeze(_, why) | Self::NotStarted(why) => why.clone(),
            Self::FixForward(failure) => failure.checks.join(", "),
            Self::Wait(_)
            | Self::OnTarget
            | Self::Withdrawn
            | Self::Stopped
            | Self::Continue { .. }
            | Self::BringUpToDate { .. }
            | Self::Verify(_)
            | Self::Review(_)
            | Self::TakeSlot
            | Self::Land { .. }
            | Self::PushBranch { .. }
            | Self::OpenPull
            | Self::EditPull { .. }
            | Self::Merge { .. }
            | Self::AwaitReview
            | Self::StartCi { .. }
            | Self::Done
            | Self::Ended => String::new(),
        }
    }
}

/// The rows of SPEC section 6. Exactly one fits any evidence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    HandBack(HandBack, String),
    Freeze(Freeze, String),
    /// The work is on the target, by other than our own push landing: a person, a queue, our merge.
    OnTarget,
    Withdrawn,
    Stopped,
    NotStarted(String),
    Wait(Wait),
    /// Another turn in the same workspace; `new_attempt` if it uses one up.
    Continue {
        new_attempt: bool,
    },
    FixForward(Failure),
    /// A turn that is told what reviewers asked for.
    Review(ReviewAsk),
    /// What comes next needs the repo's slot, which the run gave up.
    TakeSlot,
    BringUpToDate {
        head: Oid,
        target: Oid,
    },
    Verify(Oid),
    Land {
        head: Oid,
        expected: Oid,
    },
    PushBranch {
        head: Oid,
        expected: Option<Oid>,
    },
    OpenPull,
    /// The pull request's text tells of an older head.
    EditPull {
        pull: u64,
        head: Oid,
    },
    Merge {
        pull: u64,
        head: Oid,
    },
    AwaitReview,
    StartCi {
        stage: String,
        oid: Oid,
        rerun: bool,
    },
    Done,
    /// The end's effects are done.
    Ended,
}

/// The first row of the table that fits. Total: every evidence falls on exactly one row.
///
/// While the issue cannot be read nobody knows whether the first rows hold, so nothing below them acts: waits keep their
/// name, and a person's `run stop` and a repo taken off the allowlist need no issue.
pub fn row(run: &Run, seen: &Evidence, policy: &Policy) -> Row {
    let first = before_the_turn(run, seen)
        .or_else(|| about_the_turn(run, seen, policy))
        .or_else(|| about_the_work(run, seen, policy))
        .or_else(|| about_the_pull(run, seen, policy))
        .or_else(|| about_red(run, seen, policy))
        .or_else(|| about_the_review(run, seen, policy))
        .unwrap_or_else(|| about_ci(run, seen, policy));
    let needs_no_issue = matches!(first, Row::Wait(_) | Row::Stopped | Row::HandBack(HandBack::Moved, _));
    if seen.issue == IssueSeen::Unreadable && !needs_no_issue {
        Row::Wait(Wait::Unreadable)
    } else if !run.holds_slot && first.works() {
        if seen.slot_free { Row::TakeSlot } else { Row::Wait(Wait::Slot) }
    } else {
        first
    }
}

impl Row {
    /// Works in the run's workspace: for this a run has to hold the repo's slot.
    pub fn works(&self) -> bool {
        match self {
            Self::Continue { .. }
            | Self::FixForward(_)
            | Self::Review(_)
            | Self::BringUpToDate { .. }
            | Self::Verify(_)
            | Self::Land { .. }
            | Self::PushBranch { .. } => true,
            Self::HandBack(..)
            | Self::Freeze(..)
            | Self::OnTarget
            | Self::Withdrawn
            | Self::Stopped
            | Self::NotStarted(_)
            | Self::Wait(_)
            | Self::TakeSlot
            | Self::OpenPull
            | Self::EditPull { .. }
            | Self::Merge { .. }
            | Self::AwaitReview
            | Self::StartCi { .. }
            | Self::Done
            | Self::Ended => false,
        }
    }
}

/// Rows that hold whatever the turn does: the issue, and people.
fn before_the_turn(run: &Run, seen: &Evidence) -> Option<Row> {
    if seen.issue == IssueSeen::Gone || !seen.allowed {
        let why = if seen.allowed {
            "the issue is not there any more"
        } else {
            "the repo is not in the allowlist any more"
        };
        return Some(Row::HandBack(HandBack::Moved, why.to_owned()));
    }
    if run.pushed.is_some() && (seen.pull == PullSeen::Merged || seen.patch_on_target) {
        return Some(Row::OnTarget);
    }
    // After a landing of our own the target contains that work by our hand: whoever puts the workspace back to an
    // earlier commit of it has landed nothing, and the checks decide.
    if let WorkSeen::Commits { head, target: TargetSeen::Contains, .. } = &seen.work
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
    if run.turns.saturating_sub(run.fix_forward + run.review_turns) > MOST_CONTINUES {
        let why = format!("the agent was ended from outside and went on {MOST_CONTINUES} times");
        nothing_came(run, HandBack::Failed, why)
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else if seen.parked {
        Row::Wait(Wait::Parked)
    } else {
        Row::Continue { new_attempt }
    }
}

fn about_the_turn(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let again = |new_attempt| go_on(run, seen, new_attempt);
    match &seen.turn {
        TurnSeen::Over(TurnEnd::Quota { .. } | TurnEnd::LoginRefused { .. }) => {
            return Some(if seen.parked { Row::Wait(Wait::Parked) } else { again(false) });
        }
        TurnSeen::RunnerDown => return Some(Row::Wait(Wait::Parked)),
        TurnSeen::Over(TurnEnd::FailedToStart { detail }) => {
            return Some(match &seen.work {
                WorkSeen::Nothing if run.turn_kind == TurnKind::First => Row::NotStarted(detail.clone()),
                // A run that continues earlier work begins with commits.
                WorkSeen::Commits { head, .. }
                    if run.turn_kind == TurnKind::First && *head == run.turn_head =>
                {
                    Row::NotStarted(detail.clone())
                }
                WorkSeen::Unreadable => Row::Wait(Wait::Unreadable),
                // An agent cannot be started in what is no workspace.
                WorkSeen::Broken(why) => Row::HandBack(HandBack::WorkspaceUnreadable, why.clone()),
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
        let why = "somebody else committed to the run's branch";
        return Some(Row::HandBack(HandBack::HumanTookOver, why.to_owned()));
    }
    match &seen.turn {
        TurnSeen::Unreadable => Some(Row::Wait(Wait::Unreadable)),
        TurnSeen::NeedsInput => Some(Row::Wait(Wait::NeedsInput)),
        TurnSeen::Running | TurnSeen::Verifying => Some(if run.turn_seconds > policy.turn_limit_seconds {
            nothing_came(run, HandBack::TimedOut, "the turn did not end within its own limits".to_owned())
        } else {
            Row::Wait(Wait::Working)
        }),
        TurnSeen::Over(TurnEnd::Blocked { reason }) => Some(Row::HandBack(HandBack::Blocked, reason.clone())),
        TurnSeen::Over(TurnEnd::ResultUnreadable { why }) => {
            let why = format!("the agent's result file {why}");
            Some(Row::HandBack(HandBack::ResultUnreadable, why))
        }
        TurnSeen::Orphaned if run.attempt < policy.max_attempts => Some(again(true)),
        TurnSeen::Orphaned => {
            let why = "the supervisor of the turn died and no attempt is left";
            Some(nothing_came(run, HandBack::Orphaned, why.to_owned()))
        }
        // Ended from outside in the middle of its work: half a change is not to land, so the turn goes on.
        TurnSeen::Over(TurnEnd::Stopped) => Some(again(false)),
        TurnSeen::Over(_) | TurnSeen::RunnerDown => None,
    }
}

fn about_the_work(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let (head, verify, guard, target, target_oid) = match &seen.work {
        WorkSeen::Unreadable => return Some(Row::Wait(Wait::Unreadable)),
        WorkSeen::Broken(why) => return Some(Row::HandBack(HandBack::WorkspaceUnreadable, why.clone())),
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
    if *target == TargetSeen::Contains {
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
                let why = format!("the tests were started {} times and came to no result", run.verifies);
                nothing_came(run, HandBack::Failed, why)
            } else if seen.switch_on {
                Row::Wait(Wait::Switch)
            } else {
                Row::Verify(head.clone())
            });
        }
        VerifySeen::Running => {
            return Some(if run.turn_seconds > policy.turn_limit_seconds {
                nothing_came(
                    run,
                    HandBack::TimedOut,
                    "the tests did not end within their own limit".to_owned(),
                )
            } else {
                Row::Wait(Wait::Working)
            });
        }
        VerifySeen::Red(failure) => return Some(red(run, seen, policy, failure)),
        VerifySeen::Green | VerifySeen::NotConfigured => {}
    }
    if let GuardSeen::Refused(why) = guard {
        return Some(Row::HandBack(HandBack::GuardRefused, why.clone()));
    }
    if let Some(why) = &run.push_refused {
        return Some(Row::HandBack(HandBack::PushRefused, why.clone()));
    }
    if let Some(paths) = &run.conflict {
        return Some(Row::HandBack(HandBack::Conflict, paths.clone()));
    }
    Some(match run.landing {
        Landing::Push => land(run, seen, head, *target, target_oid),
        Landing::PullRequest => push_branch(run, seen, head, target_oid),
    })
}

/// A turn that was cut off has left a beginning, which is not to land: it is gone on with, or it comes back to a person.
fn cut_off(run: &Run, seen: &Evidence, policy: &Policy, end: &TurnEnd, how: &str) -> Row {
    let why = if run.attempt >= policy.max_attempts {
        "no attempt is left"
    } else if !seen.budget_left {
        "the run's budget is used"
    } else {
        return go_on(run, seen, true);
    };
    let (code, _) = nothing_by(end);
    if is_corrective(run) {
        let code = code.code();
        let why = format!("the corrective turn was cut off ({code}: {how}), and {why}");
        Row::Freeze(Freeze::CorrectiveTurnFailed, why)
    } else {
        Row::HandBack(code, format!("the turn was cut off ({how}), and {why}"))
    }
}

/// A landing repeats itself under no evidence: done, it is the pushed head; refused, it says so above; raced, the target
/// has moved and the work has diverged from it, which is counted.
fn land(run: &Run, seen: &Evidence, head: &Oid, target: TargetSeen, target_oid: &Oid) -> Row {
    match target {
        TargetSeen::Contains => without_commit(run, seen),
        TargetSeen::Diverged if run.conflict_tries >= CONFLICT_TRIES => tries_used(),
        TargetSeen::Diverged | TargetSeen::FastForward if seen.switch_on => Row::Wait(Wait::Switch),
        TargetSeen::Diverged | TargetSeen::FastForward if !seen.merge_open => Row::Wait(Wait::MergeHours),
        TargetSeen::Diverged => Row::BringUpToDate { head: head.clone(), target: target_oid.clone() },
        TargetSeen::FastForward => Row::Land { head: head.clone(), expected: target_oid.clone() },
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
fn conflicted(run: &Run, seen: &Evidence, head: &Oid, target: &Oid) -> Row {
    if run.conflict_tries >= CONFLICT_TRIES {
        tries_used()
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else {
        Row::BringUpToDate { head: head.clone(), target: target.clone() }
    }
}

fn tries_used() -> Row {
    let why = format!("the target moved {CONFLICT_TRIES} times while the work was to land");
    Row::HandBack(HandBack::Conflict, why)
}

/// The pull request of the pushed head: opened, told of the head, not closed, not in conflict.
fn about_the_pull(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let head = match (run.landing, &run.pushed) {
        (Landing::PullRequest, Some(head)) => head,
        (Landing::PullRequest, None) | (Landing::Push, _) => return None,
    };
    if let Some(why) = &run.push_refused {
        return Some(Row::HandBack(HandBack::PushRefused, why.clone()));
    }
    let Some(pull) = run.pull else {
        return Some(if seen.switch_on { Row::Wait(Wait::Switch) } else { Row::OpenPull });
    };
    match seen.pull {
        PullSeen::Unreadable | PullSeen::None => return Some(Row::Wait(Wait::Unreadable)),
        PullSeen::Closed => {
            let why = format!("pull request #{pull} was closed without being merged");
            return Some(Row::HandBack(HandBack::PullClosed, why));
        }
        PullSeen::Open | PullSeen::Merged => {}
    }
    if let Some(why) = &run.merge_refused {
        return Some(Row::HandBack(HandBack::MergeRefused, why.clone()));
    }
    if matches!(seen.review, ReviewSeen::Changes(_)) && run.review_turns >= policy.review_max_turns {
        let why = format!("changes are asked for, and all {} review turns are used", policy.review_max_turns);
        return Some(Row::HandBack(HandBack::ReviewTurnsUsed, why));
    }
    if run.review_seconds > policy.review_max_seconds {
        let days = message::span(policy.review_max_seconds);
        let why = format!("nobody reviewed pull request #{pull} within {days}");
        return Some(Row::HandBack(HandBack::ReviewTooOld, why));
    }
    if let Some(paths) = &run.conflict {
        return Some(Row::HandBack(HandBack::Conflict, paths.clone()));
    }
    if let (false, WorkSeen::Commits { target_oid, .. }) = (seen.conflicts.is_empty(), &seen.work) {
        return Some(conflicted(run, seen, head, target_oid));
    }
    (run.pull_head.as_ref() != Some(head)).then(|| Row::EditPull { pull, head: head.clone() })
}

/// What a trusted reviewer asks for, once CI is not red.
fn about_the_review(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let ReviewSeen::Changes(ask) = &seen.review else { return None };
    if run.pull.is_none() || run.review_turns >= policy.review_max_turns {
        return None;
    }
    Some(if !seen.budget_left {
        Row::Freeze(
            Freeze::BudgetUsed,
            "changes are asked for in the review and the run's budget is used".to_owned(),
        )
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else if seen.parked {
        Row::Wait(Wait::Parked)
    } else {
        Row::Review(ask.clone())
    })
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

/// A turn that is over and brought no commit.
fn without_commit(run: &Run, seen: &Evidence) -> Row {
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
fn nothing_by(end: &TurnEnd) -> (HandBack, String) {
    match end {
        TurnEnd::Error { detail } => (HandBack::Failed, detail.clone()),
        TurnEnd::CutOff { detail, .. } => {
            let how = end.cut_off().unwrap_or_default();
            (HandBack::Failed, format!("the turn was cut off ({how}): {detail}"))
        }
        TurnEnd::TimedOut => (HandBack::TimedOut, "the turn ran into its time-out".to_owned()),
        TurnEnd::Stalled => {
            (HandBack::Stalled, "the agent stood still for longer than the stall limit".to_owned())
        }
        TurnEnd::PermissionDenied { detail } => (HandBack::PermissionDenied, detail.clone()),
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Quota { .. }
        | TurnEnd::LoginRefused { .. }
        | TurnEnd::FailedToStart { .. }
        | TurnEnd::Stopped => (HandBack::NothingDone, "the agent ended without a commit".to_owned()),
    }
}

/// A turn that mends what was pushed before.
fn is_corrective(run: &Run) -> bool {
    run.pushed.is_some() && run.turn_kind != TurnKind::First
}

/// The end of a run whose turn came to nothing. A corrective turn leaves a red commit of ours on the target: frozen, so
/// that nothing more starts on top of it.
fn nothing_came(run: &Run, code: HandBack, why: String) -> Row {
    if is_corrective(run) {
        Row::Freeze(
            Freeze::CorrectiveTurnFailed,
            format!("the corrective turn brought nothing ({}: {why})", code.code()),
        )
    } else {
        Row::HandBack(code, why)
    }
}

fn about_ci(run: &Run, seen: &Evidence, policy: &Policy) -> Row {
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
            Row::HandBack(HandBack::CiTimeout, format!("the CI stage {stage} could not be got to start"))
        }
        CiSeen::NotStarted { stage } => match &run.pushed {
            Some(oid) if !seen.switch_on => {
                Row::StartCi { stage: stage.clone(), oid: oid.clone(), rerun: false }
            }
            Some(_) => Row::Wait(Wait::Switch),
            None => Row::Wait(Wait::Ci),
        },
        CiSeen::NoChecks => {
            let why = "no check reported on the pushed commit; no checks is not green (`ci.required = []` says that none are needed)";
            Row::HandBack(HandBack::NoChecks, why.to_owned())
        }
        CiSeen::NeedsPerson => Row::Wait(Wait::CheckNeedsPerson),
        CiSeen::TimedOut => {
            Row::HandBack(HandBack::CiTimeout, "CI did not answer within `ci.timeout_seconds`".to_owned())
        }
        CiSeen::Green { .. } => about_green(run, seen, policy),
    }
}

/// CI red on the pushed head: was it red before, is it red again, and then as every red.
fn about_red(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
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
            let why = format!(
                "{} is red on {} too, where the run started",
                failure.checks.join(", "),
                run.base.short()
            );
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
fn red(run: &Run, seen: &Evidence, policy: &Policy, failure: &Failure) -> Row {
    let named = failure.checks.join(", ");
    if run.last_fix.as_ref().is_some_and(|last| last.same_as(failure)) {
        Row::Freeze(Freeze::SameFailure, format!("{named} failed in the same way as before the last fix"))
    } else if run.fix_forward >= policy.fix_max_turns {
        Row::Freeze(
            Freeze::TurnsUsed,
            format!("{named} is red and all {} fix-forward turns are used", policy.fix_max_turns),
        )
    } else if run.fix_seconds >= policy.fix_max_seconds {
        Row::Freeze(Freeze::TimeUsed, format!("{named} is red and the time for fix-forward is used"))
    } else if !seen.budget_left {
        Row::Freeze(Freeze::BudgetUsed, format!("{named} is red and the run's budget is used"))
    } else if seen.switch_on {
        Row::Wait(Wait::Switch)
    } else if seen.parked {
        Row::Wait(Wait::Parked)
    } else {
        Row::FixForward(failure.clone())
    }
}
