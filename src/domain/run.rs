//! The run machine: what became of an issue that was started, and what is done next.
//!
//! [`row`] reads the evidence top down as SPEC section 6 lists it; the first match wins. [`next`] turns the row into the
//! new state and the effects. Clocks are counters that [`advance`] moves, so that they can stand still.

use super::effect::{Effect, NoticeKind, TurnKind};
use super::message;
use super::model::{Freeze, HandBack, IssueRef, Landing, Oid, Outcome, TurnEnd, UnixTime};

/// No single gap between two ticks counts for more than this: a machine that slept, or a clock that jumped, must not
/// run out a run's time.
pub const LONGEST_GAP_SECONDS: i64 = 3600;
/// How often the target may move away under a landing before a person is asked.
pub const CONFLICT_TRIES: u32 = 3;
/// How often a run may go on where a turn was ended from outside (quota, a start that failed, `off --now`): an agent
/// that names a reset in the past, or fails to start with another sentence each time, is parked by nobody.
pub const MOST_CONTINUES: u32 = 20;
/// How many verify jobs a run may start beyond one for each turn and each merge: those lost a supervisor.
pub const SPARE_VERIFIES: u32 = 3;
/// A CI stage that cannot be got to start, or a base that gives no answer, is not waited for longer than this.
pub const CI_START_SECONDS: i64 = 4 * 3600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The effects of the dispatch are under way.
    Starting,
    Active,
    /// The outcome is decided; its effects are under way.
    Ending,
    Ended,
}

/// What a run waits for. Every wait has a name that people see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    Working,
    NeedsInput,
    Ci,
    CheckNeedsPerson,
    Parked,
    Switch,
    MergeHours,
    Unreadable,
}

impl Wait {
    pub const ALL: [Self; 8] = [
        Self::Working,
        Self::NeedsInput,
        Self::Ci,
        Self::CheckNeedsPerson,
        Self::Parked,
        Self::Switch,
        Self::MergeHours,
        Self::Unreadable,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::NeedsInput => "needs-input",
            Self::Ci => "ci",
            Self::CheckNeedsPerson => "check-needs-person",
            Self::Parked => "parked",
            Self::Switch => "switch",
            Self::MergeHours => "merge-hours",
            Self::Unreadable => "unreadable",
        }
    }

    /// What happens next by itself, or who has to do what.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::Working => "the agent works; its time-out ends it at the latest",
            Self::NeedsInput => "a person has to answer the agent",
            Self::Ci => "CI decides; its time-out ends the wait at the latest",
            Self::CheckNeedsPerson => "a person has to act on the check",
            Self::Parked => "goes on in the same session when the runner is back",
            Self::Switch => "goes on when the kill switch is cleared (`offhours resume`)",
            Self::MergeHours => "lands when the merge hours begin",
            Self::Unreadable => "tried again each tick; nothing is concluded from what cannot be read",
        }
    }
}

/// A red check or verify, as it is remembered to know it again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// Names of the failed checks, sorted.
    pub checks: Vec<String>,
    pub fingerprint: String,
    /// For the next turn's prompt and for people; data.
    pub log_tail: String,
}

impl Failure {
    fn same_as(&self, other: &Self) -> bool {
        self.checks == other.checks && self.fingerprint == other.fingerprint
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: String,
    pub issue: IssueRef,
    /// Who applied the ready label: is told of the end.
    pub asked_by: String,
    pub attempt: u32,
    pub phase: Phase,
    pub outcome: Option<Outcome>,
    pub landing: Landing,
    pub target_branch: String,
    /// The commit the run started from.
    pub base: Oid,
    pub turns: u32,
    pub turn_kind: TurnKind,
    /// The work's head when the last turn began: without a newer one that turn brought nothing.
    pub turn_head: Oid,
    pub fix_forward: u32,
    pub verifies: u32,
    pub conflict_tries: u32,
    /// Reruns asked for on the pushed head.
    pub reruns: u32,
    pub pushed: Option<Oid>,
    pub last_fix: Option<Failure>,
    /// Paths or words of a merge conflict or refused push, when one was met.
    pub conflict: Option<String>,
    pub push_refused: Option<String>,
    pub ci_stage: u32,
    /// Seconds waited for the current CI stage of the pushed head.
    pub ci_seconds: i64,
    /// Seconds in fix-forward without the time that CI took.
    pub fix_seconds: i64,
    /// Seconds the current turn was seen working.
    pub turn_seconds: i64,
    pub last_seen: UnixTime,
    pub wait: Option<Wait>,
    pub created_at: UnixTime,
    pub ended_at: Option<UnixTime>,
}

impl Run {
    /// The branch name in the workspace.
    pub fn branch(&self) -> String {
        format!("offhours/issue-{}-{}", self.issue.number, self.id)
    }

    pub fn salvage_branch(&self) -> String {
        format!("offhours/salvage/{}-{}", self.issue.number, self.id)
    }

    pub fn turn_job(&self, turn: u32) -> String {
        format!("{}-t{turn}", self.id)
    }

    pub fn verify_job(&self, number: u32) -> String {
        format!("{}-v{number}", self.id)
    }

    /// Holds the repo's slot.
    pub fn in_flight(&self) -> bool {
        self.phase != Phase::Ended
    }
}

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
pub enum TargetSeen {
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
        target: TargetSeen,
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

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read from somewhere else")]
pub struct Evidence {
    pub issue: IssueSeen,
    pub allowed: bool,
    /// `run stop` was asked for.
    pub stop_asked: bool,
    /// Our branch has a commit that no intent of ours pushed.
    pub foreign_commit: bool,
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
    /// For the receipt: prepared words about checks and cost.
    pub receipt: message::ReceiptFacts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub ready_label: String,
    pub in_progress_label: String,
    pub human_label: String,
    pub max_attempts: u32,
    pub ci_rerun: u32,
    pub fix_max_turns: u32,
    pub fix_max_seconds: i64,
    /// The longest a turn with its hooks and verify can take by its own limits.
    pub turn_limit_seconds: i64,
}

impl Row {
    /// A stable word for events and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HandBack(code, _) => code.code(),
            Self::Freeze(code, _) => code.code(),
            Self::LandedByOther => "landed-by-other",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::NotStarted(_) => "not-started",
            Self::Wait(wait) => wait.code(),
            Self::Continue { .. } => "continue",
            Self::FixForward(_) => "fix-forward",
            Self::BringUpToDate { .. } => "bring-up-to-date",
            Self::Verify(_) => "verify",
            Self::Land { .. } => "land",
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
            | Self::LandedByOther
            | Self::Withdrawn
            | Self::Stopped
            | Self::Continue { .. }
            | Self::BringUpToDate { .. }
            | Self::Verify(_)
            | Self::Land { .. }
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
    LandedByOther,
    Withdrawn,
    Stopped,
    NotStarted(String),
    Wait(Wait),
    /// Another turn in the same workspace; `new_attempt` if it uses one up.
    Continue {
        new_attempt: bool,
    },
    FixForward(Failure),
    BringUpToDate {
        head: Oid,
        target: Oid,
    },
    Verify(Oid),
    Land {
        head: Oid,
        expected: Oid,
    },
    StartCi {
        stage: String,
        oid: Oid,
        rerun: bool,
    },
    Done,
    /// The end's effects are done.
    Ended,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub run: Run,
    pub row: Row,
    pub effects: Vec<Effect>,
}

/// A state that the machine must never be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run {run} is {phase:?} and cannot take a step")]
pub struct IllegalTransition {
    pub run: String,
    pub phase: Phase,
}

/// Moves the run's clocks to `now`. They stand still in every wait but those that have a bound of their own.
#[must_use]
pub fn advance(mut run: Run, now: UnixTime) -> Run {
    let gap = now.since(run.last_seen).min(LONGEST_GAP_SECONDS);
    match run.wait {
        Some(Wait::Ci) => run.ci_seconds += gap,
        Some(Wait::Working) => {
            run.turn_seconds += gap;
            if run.fix_forward > 0 {
                run.fix_seconds += gap;
            }
        }
        Some(
            Wait::NeedsInput
            | Wait::CheckNeedsPerson
            | Wait::Parked
            | Wait::Switch
            | Wait::MergeHours
            | Wait::Unreadable,
        )
        | None => {}
    }
    run.last_seen = now;
    run
}

/// The first row of the table that fits. Total: every evidence falls on exactly one row.
///
/// While the issue cannot be read nobody knows whether the first rows hold, so nothing below them acts: waits keep their
/// name, and a person's `run stop` and a repo taken off the allowlist need no issue.
pub fn row(run: &Run, seen: &Evidence, policy: &Policy) -> Row {
    let first = before_the_turn(run, seen)
        .or_else(|| about_the_turn(run, seen, policy))
        .or_else(|| about_the_work(run, seen, policy))
        .unwrap_or_else(|| about_ci(run, seen, policy));
    let needs_no_issue = matches!(first, Row::Wait(_) | Row::Stopped | Row::HandBack(HandBack::Moved, _));
    if seen.issue == IssueSeen::Unreadable && !needs_no_issue { Row::Wait(Wait::Unreadable) } else { first }
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
    // After a landing of our own the target contains that work by our hand: whoever puts the workspace back to an
    // earlier commit of it has landed nothing, and the checks decide.
    if let WorkSeen::Commits { head, target: TargetSeen::Contains, .. } = &seen.work
        && run.pushed.is_none()
        && *head != run.base
    {
        return Some(Row::LandedByOther);
    }
    let withdrawn = match seen.issue {
        IssueSeen::Closed => run.pushed.is_none(),
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

fn about_the_turn(run: &Run, seen: &Evidence, policy: &Policy) -> Option<Row> {
    let again = |new_attempt: bool| {
        // Turns that neither began the run nor were told of a failure went on from another.
        if run.turns.saturating_sub(run.fix_forward) > MOST_CONTINUES {
            let why = format!("the agent was ended from outside and went on {MOST_CONTINUES} times");
            nothing_came(run, HandBack::Failed, why)
        } else if seen.switch_on {
            Row::Wait(Wait::Switch)
        } else if seen.parked {
            Row::Wait(Wait::Parked)
        } else {
            Row::Continue { new_attempt }
        }
    };
    match &seen.turn {
        TurnSeen::Over(TurnEnd::Quota { .. } | TurnEnd::LoginRefused { .. }) => {
            return Some(if seen.parked { Row::Wait(Wait::Parked) } else { again(false) });
        }
        TurnSeen::RunnerDown => return Some(Row::Wait(Wait::Parked)),
        TurnSeen::Over(TurnEnd::FailedToStart { detail }) => {
            return Some(match &seen.work {
                WorkSeen::Nothing if run.turn_kind == TurnKind::First => Row::NotStarted(detail.clone()),
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
    // A landing repeats itself under no evidence: done, it is the pushed head; refused, it says so above; raced, the target
    // has moved and the work has diverged from it, which is counted.
    Some(match target {
        TargetSeen::Contains => without_commit(run, seen),
        TargetSeen::Diverged if run.conflict_tries >= CONFLICT_TRIES => Row::HandBack(
            HandBack::Conflict,
            format!("the target moved {CONFLICT_TRIES} times while the work was to land"),
        ),
        TargetSeen::Diverged | TargetSeen::FastForward if seen.switch_on => Row::Wait(Wait::Switch),
        TargetSeen::Diverged | TargetSeen::FastForward if !seen.merge_open => Row::Wait(Wait::MergeHours),
        TargetSeen::Diverged => Row::BringUpToDate { head: head.clone(), target: target_oid.clone() },
        TargetSeen::FastForward => Row::Land { head: head.clone(), expected: target_oid.clone() },
    })
}

/// A turn that is over and brought no commit.
fn without_commit(run: &Run, seen: &Evidence) -> Row {
    let (code, why) = match &seen.turn {
        TurnSeen::Over(TurnEnd::Error { detail }) => (HandBack::Failed, detail.clone()),
        TurnSeen::Over(TurnEnd::TimedOut) => {
            (HandBack::TimedOut, "the turn ran into its time-out".to_owned())
        }
        TurnSeen::Over(TurnEnd::Stalled) => {
            (HandBack::Stalled, "the agent stood still for longer than the stall limit".to_owned())
        }
        TurnSeen::Over(TurnEnd::PermissionDenied { detail }) => (HandBack::PermissionDenied, detail.clone()),
        TurnSeen::Over(_)
        | TurnSeen::Orphaned
        | TurnSeen::Unreadable
        | TurnSeen::Running
        | TurnSeen::Verifying
        | TurnSeen::NeedsInput
        | TurnSeen::RunnerDown => (HandBack::NothingDone, "the agent ended without a commit".to_owned()),
    };
    nothing_came(run, code, why)
}

/// The end of a run whose turn came to nothing. A corrective turn leaves a red commit of ours on the target: frozen, so
/// that nothing more starts on top of it.
fn nothing_came(run: &Run, code: HandBack, why: String) -> Row {
    if run.pushed.is_some() && run.turn_kind != TurnKind::First {
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
        CiSeen::NotPushed | CiSeen::Pending => Row::Wait(Wait::Ci),
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
        CiSeen::Red { stage, failure, base } => about_red(run, seen, policy, stage, failure, base),
        CiSeen::Green { .. } => Row::Done,
    }
}

/// CI red on the pushed head: was it red before, is it red again, and then as every red.
fn about_red(
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

/// One step. `Starting` and `Ending` runs are driven by their pending effects; the caller asks only when none is left.
pub fn next(run: Run, seen: &Evidence, policy: &Policy, now: UnixTime) -> Result<Step, IllegalTransition> {
    match run.phase {
        Phase::Active => {}
        Phase::Ending => {
            let ended = Run { phase: Phase::Ended, ended_at: Some(now), wait: None, ..run };
            return Ok(Step { run: ended, row: Row::Ended, effects: vec![] });
        }
        Phase::Starting | Phase::Ended => return Err(IllegalTransition { run: run.id, phase: run.phase }),
    }
    let mut run = run;
    let row = row(&run, seen, policy);
    let before = message::Progress::of(&run);
    let just_pushed = run.wait.is_none() && run.pushed.is_some();
    // Stages only go up until the next landing: an earlier one that cannot be read for a moment must not set the clock
    // of the current one back, or it would never run out.
    if seen.ci_stage > run.ci_stage && seen.ci != CiSeen::Unreadable {
        run.ci_stage = seen.ci_stage;
        run.ci_seconds = 0;
    }
    let mut effects = act(&mut run, &row, seen, policy);
    let after = message::Progress::of(&run);
    // A landing is told to the machine between two steps, so the first wait after it is where it shows.
    let show = after != before || just_pushed && run.wait == Some(Wait::Ci);
    if show && run.phase == Phase::Active {
        effects.push(Effect::Progress { body: after.body(&run) });
    }
    Ok(Step { run, row, effects })
}

fn act(run: &mut Run, row: &Row, seen: &Evidence, policy: &Policy) -> Vec<Effect> {
    run.wait = None;
    match row {
        Row::Wait(wait) => {
            run.wait = Some(*wait);
            vec![]
        }
        Row::HandBack(code, why) => end(run, seen, policy, Outcome::HandedBack(*code), why),
        Row::Freeze(code, why) => end(run, seen, policy, Outcome::Frozen(*code), why),
        Row::Withdrawn => end(run, seen, policy, Outcome::Withdrawn, "a person took the issue back"),
        Row::Stopped => end(run, seen, policy, Outcome::Stopped, "stopped by `offhours run stop`"),
        Row::NotStarted(why) => end(run, seen, policy, Outcome::NotStarted, why),
        Row::LandedByOther => {
            if let WorkSeen::Commits { head, .. } = &seen.work {
                run.pushed = Some(head.clone());
            }
            end(run, seen, policy, Outcome::Landed, "the work is on the target, put there by somebody else")
        }
        Row::Done => end(run, seen, policy, Outcome::Landed, ""),
        Row::Continue { new_attempt } => {
            run.attempt += u32::from(*new_attempt);
            // A corrective turn that goes on is told again what it is to correct.
            let told = match (run.turn_kind, &run.last_fix) {
                (TurnKind::FixForward, Some(failure)) => message::failure_for_agent(failure),
                (TurnKind::First | TurnKind::Continue | TurnKind::FixForward, _) => String::new(),
            };
            vec![start_turn(run, seen, TurnKind::Continue, told)]
        }
        Row::FixForward(failure) => {
            run.fix_forward += 1;
            run.last_fix = Some(failure.clone());
            run.ci_stage = 0;
            run.ci_seconds = 0;
            let told = message::failure_for_agent(failure);
            vec![start_turn(run, seen, TurnKind::FixForward, told)]
        }
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
        Row::StartCi { stage, oid, rerun } => {
            if *rerun {
                run.reruns += 1;
                run.ci_seconds = 0;
            }
            run.wait = Some(Wait::Ci);
            let attempt = if Some(oid) == run.pushed.as_ref() { run.reruns + 1 } else { 1 };
            vec![Effect::StartCi { stage: stage.clone(), oid: oid.clone(), attempt }]
        }
        Row::Ended => vec![],
    }
}

fn start_turn(run: &mut Run, seen: &Evidence, kind: TurnKind, failure: String) -> Effect {
    run.turns += 1;
    run.turn_kind = match (kind, run.turn_kind) {
        // A corrective turn that was ended from outside is still corrective when it goes on.
        (TurnKind::Continue, TurnKind::FixForward) => TurnKind::FixForward,
        (TurnKind::Continue, TurnKind::First | TurnKind::Continue)
        | (TurnKind::First | TurnKind::FixForward, _) => kind,
    };
    if kind != TurnKind::Continue
        && let WorkSeen::Commits { head, .. } = &seen.work
    {
        run.turn_head = head.clone();
    }
    run.turn_seconds = 0;
    run.wait = Some(Wait::Working);
    Effect::StartTurn { turn: run.turns, kind, failure }
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

/// The effects of every way out. The order matters: work is kept before anything is said or removed, labels are off
/// before the claim is, and the workspace goes last.
fn end(run: &mut Run, seen: &Evidence, policy: &Policy, outcome: Outcome, why: &str) -> Vec<Effect> {
    let label = |label: &str, present| Effect::Label { label: label.to_owned(), present };
    let mut effects = vec![];
    let turn_alive = !matches!(seen.turn, TurnSeen::Over(_));
    if turn_alive && run.turns > 0 {
        effects.push(Effect::StopTurn { turn: run.turns });
    }
    run.phase = Phase::Ending;
    run.outcome = Some(outcome);
    run.wait = None;
    let keep_workspace = matches!(outcome, Outcome::Frozen(_));
    if !matches!(outcome, Outcome::Landed | Outcome::NotStarted | Outcome::ClaimLost) {
        let guard_passed = matches!(&seen.work, WorkSeen::Commits { guard: GuardSeen::Passed, .. });
        effects.push(Effect::Salvage { push: guard_passed && !seen.switch_on });
    }
    let tell = |kind, run: &Run| Effect::Notify {
        kind,
        title: message::notice_title(run, &outcome),
        body: message::notice_body(run, &outcome, why),
    };
    match outcome {
        Outcome::Landed => {
            effects.push(Effect::Progress { body: message::Progress::of(run).body(run) });
            effects.push(Effect::Say { body: message::receipt(run, &seen.receipt, why) });
            effects.push(label(&policy.in_progress_label, false));
            effects.push(label(&policy.ready_label, false));
            effects.push(Effect::Close);
            effects.push(Effect::Release);
            effects.push(tell(NoticeKind::Done, run));
        }
        Outcome::HandedBack(_) | Outcome::Frozen(_) | Outcome::Stopped => {
            // A moved issue may answer under its old name: it is not ours to label.
            let gone = seen.issue == IssueSeen::Gone;
            effects.push(Effect::Progress { body: message::Progress::of(run).body(run) });
            if !gone {
                effects.push(label(&policy.ready_label, false));
                effects.push(label(&policy.human_label, true));
            }
            effects.push(label(&policy.in_progress_label, false));
            effects.push(Effect::Say { body: message::end_comment(run, &outcome, why) });
            effects.push(Effect::Release);
            let kind = if keep_workspace { NoticeKind::Frozen } else { NoticeKind::NeedsHuman };
            effects.push(tell(kind, run));
        }
        Outcome::Withdrawn => {
            effects.push(Effect::Progress { body: message::Progress::of(run).body(run) });
            effects.push(label(&policy.in_progress_label, false));
            effects.push(Effect::Say { body: message::end_comment(run, &outcome, why) });
            effects.push(Effect::Release);
        }
        Outcome::NotStarted | Outcome::ClaimLost => {
            effects.push(Effect::Progress { body: message::Progress::of(run).body(run) });
            effects.push(label(&policy.in_progress_label, false));
            effects.push(Effect::Release);
        }
    }
    if !keep_workspace {
        effects.push(Effect::RemoveWorkspace);
    }
    effects
}

/// A dispatch that did not come to a started turn: what is to be undone.
#[must_use]
pub fn dispatch_failed(mut run: Run, outcome: Outcome) -> (Run, Vec<Effect>) {
    run.phase = Phase::Ending;
    run.wait = None;
    let effects = if outcome == Outcome::ClaimLost {
        vec![Effect::RemoveWorkspace]
    } else {
        vec![Effect::Release, Effect::RemoveWorkspace]
    };
    run.outcome = Some(outcome);
    (run, effects)
}

/// The effects of a dispatch, in the order that keeps promises: the label only once an agent was started.
pub fn dispatch_effects(run: &Run, policy: &Policy) -> Vec<Effect> {
    vec![
        Effect::Claim,
        Effect::Prepare,
        Effect::StartTurn { turn: 1, kind: TurnKind::First, failure: String::new() },
        Effect::Label { label: policy.in_progress_label.clone(), present: true },
        Effect::Progress { body: message::Progress::of(run).body(run) },
    ]
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
