//! What each row does: the new state and the effects, and what the outcomes of effects tell the machine.

use super::why::{Continued, Said, ToAgent, Why};
use super::{
    Evidence, GuardSeen, IssueSeen, Phase, Policy, Row, Run, TargetComparison, TurnSeen, Wait, WorkSeen,
};
use crate::domain::effect::{Effect, NoticeKind, OnNo, TurnKind};
use crate::domain::model::{Landing, Oid, Outcome};

pub(super) fn act(run: &mut Run, row: &Row, seen: &Evidence, policy: &Policy) -> Vec<Effect<Said>> {
    run.wait = None;
    let mut effects = act_on(run, row, seen, policy);
    // Work goes on where a review was waited for: the marks say so again, once it has begun.
    if run.reviewing && row.works() {
        run.reviewing = false;
        effects.push(label(&policy.in_progress_label, true, run.round));
        effects.push(label(&policy.review_label, false, run.round));
    }
    effects
}

fn label(label: &str, present: bool, round: u32) -> Effect<Said> {
    Effect::Label { label: label.to_owned(), present, round }
}

fn act_on(run: &mut Run, row: &Row, seen: &Evidence, policy: &Policy) -> Vec<Effect<Said>> {
    match row {
        Row::Wait(wait) => {
            run.wait = Some(*wait);
            vec![]
        }
        Row::HandBack(code, why) => end(run, seen, policy, Outcome::HandedBack(*code), why),
        Row::Freeze(code, why) => end(run, seen, policy, Outcome::Frozen(*code), why),
        Row::Withdrawn => end(run, seen, policy, Outcome::Withdrawn, &Why::TakenBack),
        Row::Stopped => end(run, seen, policy, Outcome::Stopped, &Why::StoppedByHand),
        Row::NotStarted(why) => end(run, seen, policy, Outcome::NotStarted, why),
        Row::OnTarget => {
            if run.pushed.is_none()
                && let WorkSeen::Commits { head, .. } = &seen.work
            {
                run.pushed = Some(head.clone());
            }
            let why = run.pull.map_or(Why::PutThere, Why::PullMerged);
            let mut effects = end(run, seen, policy, Outcome::Landed, &why);
            let release = effects.iter().position(|e| *e == Effect::Release).unwrap_or(effects.len());
            effects.insert(release, Effect::WatchTarget);
            effects
        }
        Row::Done => end(run, seen, policy, Outcome::Landed, &Why::Plain),
        Row::Continue { new_attempt } => {
            run.attempt += u32::from(*new_attempt);
            let told = told_to_go_on(run, seen);
            vec![start_turn(run, seen, TurnKind::Continue, told)]
        }
        Row::FixForward(failure) => {
            run.fix_forward += 1;
            run.last_fix = Some(failure.clone());
            run.ci_stage = 0;
            run.ci_seconds = 0;
            let told = ToAgent::Failed(failure.clone());
            vec![start_turn(run, seen, TurnKind::FixForward, told)]
        }
        Row::Review(ask) => {
            run.review_turns += 1;
            run.reviews_done.extend(ask.reviews.iter().cloned());
            run.asked = Some(ask.text.clone());
            run.review_seconds = 0;
            run.ci_stage = 0;
            run.ci_seconds = 0;
            let told = ToAgent::Asked(ask.text.clone());
            vec![start_turn(run, seen, TurnKind::Review, told)]
        }
        Row::TakeSlot => vec![Effect::TakeSlot { round: run.round }],
        Row::BringUpToDate { head, target } => {
            run.conflict_tries += 1;
            run.turn_seconds = 0;
            vec![Effect::BringUpToDate {
                head: head.clone(),
                target: target.clone(),
                number: run.conflict_tries,
            }]
        }
        Row::Verify(oid) => {
            run.verifies += 1;
            run.turn_seconds = 0;
            run.wait = Some(Wait::Working);
            vec![Effect::Verify { oid: oid.clone(), number: run.verifies }]
        }
        Row::Land { head, expected } => vec![Effect::Land { head: head.clone(), expected: expected.clone() }],
        Row::PushBranch { head, expected } => {
            // The agent may have merged the target itself.
            if let WorkSeen::Commits { target: TargetComparison::FastForward, target_oid, .. } = &seen.work {
                run.up_to = target_oid.clone();
            }
            vec![Effect::PushBranch { head: head.clone(), expected: expected.clone() }]
        }
        Row::OpenPull => vec![Effect::OpenPull { said: Said::Pull }],
        Row::EditPull { pull, head } => {
            vec![Effect::EditPull { pull: *pull, head: head.clone(), said: Said::Pull }]
        }
        Row::Merge { pull, head } => vec![Effect::Merge { pull: *pull, head: head.clone() }],
        Row::AwaitReview => await_review(run, policy),
        Row::StartCi { stage, oid, rerun } => {
            if *rerun {
                run.reruns += 1;
                run.ci_seconds = 0;
            }
            run.wait = Some(Wait::Ci);
            let attempt = if Some(oid) == run.pushed.as_ref() { run.reruns + 1 } else { 1 };
            vec![Effect::StartCi { stage: stage.clone(), oid: oid.clone(), attempt }]
        }
    }
}

/// A turn that goes on is told how the last one was cut off, and a corrective one again what it is to correct.
fn told_to_go_on(run: &Run, seen: &Evidence) -> ToAgent {
    let told = match (run.turn_kind, &run.last_fix, &run.asked) {
        (TurnKind::FixForward, Some(failure), _) => ToAgent::Failed(failure.clone()),
        (TurnKind::Review, _, Some(asked)) => ToAgent::Asked(asked.clone()),
        (TurnKind::First | TurnKind::Continue | TurnKind::FixForward | TurnKind::Review, _, _) => {
            ToAgent::Nothing
        }
    };
    let cut_off = match &seen.turn {
        TurnSeen::Over(end) => end.cut_off(),
        TurnSeen::Unreadable
        | TurnSeen::Running
        | TurnSeen::Verifying
        | TurnSeen::NeedsInput
        | TurnSeen::Orphaned
        | TurnSeen::RunnerDown => None,
    };
    match cut_off {
        Some(how) => ToAgent::CutOff(how, Box::new(told)),
        None => told,
    }
}

/// Label and slot are given up, the claim on the issue is kept, and a person is asked.
fn await_review(run: &mut Run, policy: &Policy) -> Vec<Effect<Said>> {
    run.round += 1;
    run.reviewing = true;
    run.holds_slot = false;
    run.review_seconds = 0;
    run.wait = Some(Wait::Review);
    let round = run.round;
    vec![
        label(&policy.review_label, true, round),
        label(&policy.in_progress_label, false, round),
        Effect::ReleaseSlot { round },
        Effect::Notify { kind: NoticeKind::Review, round, said: Said::ReviewWanted },
    ]
}

fn start_turn(run: &mut Run, seen: &Evidence, kind: TurnKind, told: ToAgent) -> Effect<Said> {
    run.turns += 1;
    run.turn_kind = match (kind, run.turn_kind) {
        // A corrective turn that was ended from outside is still corrective when it goes on.
        (TurnKind::Continue, TurnKind::FixForward | TurnKind::Review) => run.turn_kind,
        (TurnKind::Continue, TurnKind::First | TurnKind::Continue)
        | (TurnKind::First | TurnKind::FixForward | TurnKind::Review, _) => kind,
    };
    if kind != TurnKind::Continue
        && let WorkSeen::Commits { head, .. } = &seen.work
    {
        run.turn_head = head.clone();
    }
    run.turn_seconds = 0;
    run.wait = Some(Wait::Working);
    Effect::StartTurn { turn: run.turns, kind, told: Said::ToAgent(told) }
}

/// The outcome of a successful push, told to the machine.
#[must_use]
pub fn landed(mut run: Run, head: Oid) -> Run {
    run.pushed = Some(head);
    run.reruns = 0;
    run.ci_seconds = 0;
    run.ci_stage = 0;
    run
}

/// The target was merged into the work.
#[must_use]
pub fn up_to_date(mut run: Run, target: Oid) -> Run {
    run.up_to = target;
    run
}

/// The run's pull request is there; `told`: its text tells of the pushed head.
#[must_use]
pub fn pull_opened(mut run: Run, pull: u64, told: bool) -> Run {
    run.pull = Some(pull);
    run.pull_head = if told { run.pushed.clone() } else { None };
    run
}

/// The pull request's text tells of this head.
#[must_use]
pub fn pull_told(mut run: Run, head: Oid) -> Run {
    run.pull_head = Some(head);
    run
}

/// The repo's slot is the run's again.
#[must_use]
pub fn slot_taken(mut run: Run) -> Run {
    run.holds_slot = true;
    run
}

/// The world said no to an effect, for good. `None`: that changes nothing of the run.
#[must_use]
pub fn refused(mut run: Run, effect: &Effect, why: &str) -> Option<Run> {
    let noted = match effect.nature().on_no {
        OnNo::PushRefused => &mut run.push_refused,
        OnNo::MergeRefused => &mut run.merge_refused,
        OnNo::Conflict => &mut run.conflict,
        OnNo::Nothing => return None,
    };
    *noted = Some(why.to_owned());
    Some(run)
}

/// The effects of every way out. The order matters: work is kept before anything is said or removed, labels are off
/// before the claim is, and the workspace goes last.
fn end(run: &mut Run, seen: &Evidence, policy: &Policy, outcome: Outcome, why: &Why) -> Vec<Effect<Said>> {
    let label = |name: &str, present| label(name, present, 0);
    let mut effects = vec![];
    let turn_alive = !matches!(seen.turn, TurnSeen::Over(_));
    if turn_alive && run.turns > 0 {
        effects.push(Effect::StopTurn { turn: run.turns });
    }
    run.phase = Phase::Ending;
    run.outcome = Some(outcome);
    run.wait = None;
    let keep_workspace = matches!(outcome, Outcome::Frozen(_));
    // A merge by somebody else while a turn is at work, or with its work not yet pushed, has not all of it.
    let is_all_landed = outcome == Outcome::Landed
        && (!turn_alive || run.turns == 0)
        && !matches!(&seen.work, WorkSeen::Commits { head, .. } if run.pushed.as_ref() != Some(head));
    if !is_all_landed && !matches!(outcome, Outcome::NotStarted | Outcome::ClaimLost) {
        let guard_passed = matches!(&seen.work, WorkSeen::Commits { guard: GuardSeen::Passed, .. });
        // What the run's own branch has needs no other.
        let on_branch = run.landing == Landing::PullRequest
            && matches!(&seen.work, WorkSeen::Commits { head, .. } if run.pushed.as_ref() == Some(head));
        let push = guard_passed && !seen.switch_on && !on_branch && outcome != Outcome::Landed;
        effects.push(Effect::Salvage { push });
    }
    if run.round > 0 && seen.issue != IssueSeen::Gone {
        effects.push(label(&policy.review_label, false));
    }
    let tell = |kind| Effect::Notify { kind, round: 0, said: Said::EndNotice(why.clone()) };
    match outcome {
        Outcome::Landed => {
            effects.push(Effect::Progress { said: Said::Progress });
            effects.push(Effect::Say { said: Said::Landed(why.clone()) });
            effects.push(label(&policy.in_progress_label, false));
            effects.push(label(&policy.ready_label, false));
            effects.push(Effect::Close);
            effects.push(Effect::Release);
            effects.push(tell(NoticeKind::Done));
        }
        Outcome::HandedBack(_) | Outcome::Frozen(_) | Outcome::Stopped => {
            // A moved issue may answer under its old name: it is not ours to label.
            let gone = seen.issue == IssueSeen::Gone;
            effects.push(Effect::Progress { said: Said::Progress });
            if !gone {
                effects.push(label(&policy.ready_label, false));
                effects.push(label(&policy.human_label, true));
            }
            effects.push(label(&policy.in_progress_label, false));
            effects.push(Effect::Say { said: Said::Ended(why.clone()) });
            effects.push(Effect::Release);
            let kind = if keep_workspace { NoticeKind::Frozen } else { NoticeKind::NeedsHuman };
            effects.push(tell(kind));
        }
        Outcome::Withdrawn => {
            effects.push(Effect::Progress { said: Said::Progress });
            effects.push(label(&policy.in_progress_label, false));
            effects.push(Effect::Say { said: Said::Ended(why.clone()) });
            effects.push(Effect::Release);
        }
        Outcome::NotStarted | Outcome::ClaimLost => {
            effects.push(Effect::Progress { said: Said::Progress });
            effects.push(label(&policy.in_progress_label, false));
            effects.push(Effect::Release);
        }
    }
    if !keep_workspace {
        effects.push(Effect::RemoveWorkspace);
    }
    effects
}

/// The effects of a dispatch, in the order that keeps promises: the label only once an agent was started.
///
/// `earlier`: the work that this run continues.
pub fn dispatch_effects(policy: &Policy, earlier: Option<Continued>) -> Vec<Effect<Said>> {
    let told = earlier.map_or(ToAgent::Nothing, |earlier| ToAgent::Continued(Box::new(earlier)));
    vec![
        Effect::Claim,
        Effect::Prepare,
        Effect::StartTurn { turn: 1, kind: TurnKind::First, told: Said::ToAgent(told) },
        label(&policy.in_progress_label, true, 0),
        Effect::Progress { said: Said::Progress },
    ]
}

/// What takes a landed run's change back: a branch, a pull request that a person merges, and the issue open again.
pub fn undo_effects(run: &Run) -> Vec<Effect<Said>> {
    let branch = format!("offhours/revert-{}-{}", run.issue.number, run.id);
    vec![
        Effect::Undo { branch: branch.clone() },
        Effect::OpenUndo { branch, said: Said::Undo },
        Effect::Reopen,
    ]
}
