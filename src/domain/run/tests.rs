//! The table written down a second time, over the product of all evidence; bounds; random worlds; liveness.

use strum::VariantArray as _;

use super::*;
use crate::domain::effect::{TurnKind, Words};
use crate::domain::model::{CutBy, CutOff, IssueRef, Landing, MergeBy, Oid, Outcome, RepoId, TurnEnd};
use proptest::prelude::*;
use std::collections::HashSet;

fn oid(n: u64) -> Oid {
    Oid::parse(&format!("{n:040x}")).unwrap()
}

const BASE: u64 = 0xba5e;
const HEAD: u64 = 0xaaaa;
const OLD: u64 = 0x01d;

fn failure(print: &str) -> Failure {
    Failure { checks: vec!["unit".into()], fingerprint: print.into(), log_tail: "boom".into() }
}

fn policy() -> Policy {
    Policy {
        ready_label: "ready".into(),
        in_progress_label: "busy".into(),
        human_label: "human".into(),
        review_label: "review".into(),
        merge: MergeBy::Person,
        review_max_turns: 3,
        review_max_seconds: 14 * 86_400,
        max_attempts: 2,
        ci_rerun: 1,
        fix_max_turns: 3,
        fix_max_seconds: 14_400,
        turn_limit_seconds: 5_000,
    }
}

fn fresh() -> Run {
    let issue = IssueRef { repo: RepoId::parse("home:o/r", None).unwrap(), number: 7 };
    Run {
        asked_by: "ada".into(),
        phase: Phase::Active,
        landing: Landing::Push,
        created_at: UnixTime(0),
        ..Run::begin("r1".into(), issue, "main", &oid(BASE), UnixTime(1000))
    }
}

/// A run whose pull request is open and tells of the pushed head.
fn with_pull() -> Run {
    Run {
        landing: Landing::PullRequest,
        pushed: Some(oid(HEAD)),
        pull: Some(12),
        pull_head: Some(oid(HEAD)),
        wait: Some(Wait::Ci),
        ..fresh()
    }
}

/// One that waits for a person's review.
fn reviewing() -> Run {
    Run { reviewing: true, holds_slot: false, round: 1, wait: Some(Wait::Review), ..with_pull() }
}

/// One whose review turn is out or over.
fn reviewed() -> Run {
    Run {
        turns: 2,
        turn_kind: TurnKind::Review,
        turn_head: oid(OLD),
        pushed: Some(oid(OLD)),
        pull_head: Some(oid(OLD)),
        review_turns: 1,
        round: 1,
        reviews_done: vec!["1".into()],
        asked: Some("more".into()),
        ..with_pull()
    }
}

/// A run whose first landing is red and whose corrective turn is out.
fn corrective() -> Run {
    Run {
        turns: 2,
        turn_kind: TurnKind::FixForward,
        turn_head: oid(OLD),
        fix_forward: 1,
        reruns: 1,
        pushed: Some(oid(OLD)),
        last_fix: Some(failure("one")),
        ..fresh()
    }
}

fn pushed() -> Run {
    Run { pushed: Some(oid(HEAD)), wait: Some(Wait::Ci), ..fresh() }
}

/// Both sides of every bound, in every kind of turn.
fn runs() -> Vec<Run> {
    let p = policy();
    let last = Some(failure("two"));
    let fixed = Run { pushed: Some(oid(HEAD)), ..corrective() };
    let mut all = vec![
        fresh(),
        corrective(),
        pushed(),
        Run { turn_kind: TurnKind::Continue, turns: 2, attempt: 2, ..fresh() },
        Run { turn_head: oid(HEAD), turn_kind: TurnKind::FixForward, fix_forward: 1, turns: 2, ..fresh() },
        Run { turn_head: oid(HEAD), pushed: Some(oid(HEAD)), ..corrective() },
        Run { attempt: 2, ..corrective() },
        Run { push_refused: Some("protected".into()), ..fresh() },
        Run { conflict: Some("a.rs".into()), ..fresh() },
        Run { reruns: p.ci_rerun, ..pushed() },
        Run { reruns: p.ci_rerun, ci_seconds: CI_START_SECONDS + 1, ..pushed() },
        Run { ci_seconds: CI_START_SECONDS, ..pushed() },
        Run { ci_stage: 1, ..fixed.clone() },
    ];
    for run in [fresh(), corrective(), fixed] {
        let turns = run.fix_forward + MAX_CONTINUES;
        all.extend([
            Run { turns, ..run.clone() },
            Run { turns: turns + 1, ..run.clone() },
            Run { conflict_tries: CONFLICT_TRIES - 1, ..run.clone() },
            Run { conflict_tries: CONFLICT_TRIES, ..run.clone() },
            Run { verifies: run.turns + SPARE_VERIFIES - 1, ..run.clone() },
            Run { verifies: run.turns + SPARE_VERIFIES, ..run.clone() },
            Run { turn_seconds: p.turn_limit_seconds, ..run.clone() },
            Run { turn_seconds: p.turn_limit_seconds + 1, ..run.clone() },
            Run { last_fix: last.clone(), ..run.clone() },
            Run { fix_forward: p.fix_max_turns - 1, turns: 5, ..run.clone() },
            Run { fix_forward: p.fix_max_turns, turns: 5, ..run.clone() },
            Run { fix_seconds: p.fix_max_seconds - 1, ..run.clone() },
            Run { fix_seconds: p.fix_max_seconds, ..run },
        ]);
    }
    all
}

/// Both sides of every bound that only a pull request has.
fn pull_runs() -> Vec<Run> {
    let p = policy();
    let mut all = vec![
        with_pull(),
        reviewing(),
        reviewed(),
        Run { landing: Landing::PullRequest, ..fresh() },
        Run { landing: Landing::PullRequest, ..corrective() },
        Run { holds_slot: true, ..reviewing() },
        Run { pull: None, pull_head: None, ..with_pull() },
        Run { push_refused: Some("no".into()), pull: None, ..with_pull() },
        Run { pull_head: Some(oid(OLD)), ..with_pull() },
        Run { merge_refused: Some("rule".into()), ..with_pull() },
        Run { conflict: Some("a.rs".into()), ..with_pull() },
        Run { conflict_tries: CONFLICT_TRIES - 1, ..with_pull() },
        Run { conflict_tries: CONFLICT_TRIES, ..with_pull() },
        Run { conflict_tries: CONFLICT_TRIES, ..Run { landing: Landing::PullRequest, ..fresh() } },
        Run { review_turns: p.review_max_turns - 1, ..reviewing() },
        Run { review_turns: p.review_max_turns, ..reviewing() },
        Run { review_seconds: p.review_max_seconds, ..reviewing() },
        Run { review_seconds: p.review_max_seconds + 1, ..reviewing() },
        Run { reruns: p.ci_rerun, ..with_pull() },
        Run { reruns: p.ci_rerun, ..reviewing() },
        Run { reruns: p.ci_rerun, last_fix: Some(failure("two")), ..reviewing() },
        Run { turns: 1 + MAX_CONTINUES, review_turns: 1, ..reviewed() },
        Run { turns: 2 + MAX_CONTINUES, review_turns: 1, ..reviewed() },
        // Goes on with an earlier run's branch.
        Run { turn_head: oid(HEAD), ..with_pull() },
        Run { ci_stage: 1, ..with_pull() },
    ];
    // A run without the slot meets every kind of work, too.
    let free: Vec<Run> = all.iter().map(|run| Run { holds_slot: !run.holds_slot, ..run.clone() }).collect();
    all.extend(free);
    all
}

fn ends() -> Vec<TurnEnd> {
    let detail = || "why".to_owned();
    vec![
        TurnEnd::Finished,
        TurnEnd::Error { detail: detail() },
        TurnEnd::TimedOut,
        TurnEnd::Stalled,
        TurnEnd::PermissionDenied { detail: detail() },
        TurnEnd::Blocked { reason: detail() },
        TurnEnd::Quota { resets_at: None, detail: detail() },
        TurnEnd::LoginRefused { detail: detail() },
        TurnEnd::FailedToStart { detail: detail() },
        TurnEnd::Stopped,
        TurnEnd::ResultUnreadable { why: detail() },
        TurnEnd::CutOff { by: CutBy::Budget, detail: detail() },
    ]
}

fn turns() -> Vec<TurnSeen> {
    let mut all: Vec<TurnSeen> = ends().into_iter().map(TurnSeen::Over).collect();
    all.extend([
        TurnSeen::Unreadable,
        TurnSeen::Running,
        TurnSeen::Verifying,
        TurnSeen::NeedsInput,
        TurnSeen::Orphaned,
        TurnSeen::RunnerDown,
    ]);
    all
}

fn commits(verify: VerifySeen, guard: GuardSeen, target: TargetComparison) -> WorkSeen {
    WorkSeen::Commits { head: oid(HEAD), verify, guard, target, target_oid: oid(0x7a) }
}

fn works() -> Vec<WorkSeen> {
    let mut all = vec![WorkSeen::Unreadable, WorkSeen::Broken("gone".into()), WorkSeen::Nothing];
    let verifies = [
        VerifySeen::NotConfigured,
        VerifySeen::Missing,
        VerifySeen::Running,
        VerifySeen::Green,
        VerifySeen::Red(failure("two")),
    ];
    for verify in verifies {
        for guard in [GuardSeen::Passed, GuardSeen::Refused("ci.yml".into())] {
            for target in
                [TargetComparison::Contains, TargetComparison::FastForward, TargetComparison::Diverged]
            {
                all.push(commits(verify.clone(), guard.clone(), target));
            }
        }
    }
    all
}

fn red_with(base: BaseSeen) -> CiSeen {
    CiSeen::Red { stage: "build".into(), failure: failure("two"), base }
}

fn cis() -> Vec<CiSeen> {
    let mut all = vec![
        CiSeen::NotPushed,
        red_with(BaseSeen::Green),
        CiSeen::Green { none_required: false },
        CiSeen::Unreadable,
        CiSeen::NotStarted { stage: "build".into() },
        CiSeen::Pending,
        CiSeen::NoChecks,
        CiSeen::NeedsPerson,
        CiSeen::TimedOut,
        CiSeen::Green { none_required: true },
    ];
    all.extend(
        [BaseSeen::CannotTell, BaseSeen::Unreadable, BaseSeen::NotStarted, BaseSeen::Pending, BaseSeen::Red]
            .map(red_with),
    );
    all
}

const ISSUES: [IssueSeen; 5] = [
    IssueSeen::Open { ready: true },
    IssueSeen::Open { ready: false },
    IssueSeen::Unreadable,
    IssueSeen::Gone,
    IssueSeen::Closed,
];

fn good() -> Evidence {
    Evidence {
        issue: IssueSeen::Open { ready: true },
        allowed: true,
        stop_asked: false,
        foreign_commit: false,
        pull: PullSeen::None,
        patch_on_target: false,
        conflicts: vec![],
        review: ReviewSeen::Nothing,
        slot_free: true,
        turn: TurnSeen::Over(TurnEnd::Finished),
        work: commits(VerifySeen::Green, GuardSeen::Passed, TargetComparison::FastForward),
        ci: CiSeen::NotPushed,
        ci_stage: 0,
        switch_on: false,
        merge_open: true,
        parked: false,
        budget_left: true,
        receipt: crate::domain::receipt::ReceiptFacts::default(),
    }
}

/// Calls `look` with the whole product of the evidence. What CI says is varied in full where a turn is plainly over
/// (nowhere else is it looked at), and what people did is crossed with the work but not again with all of CI.
fn product(mut look: impl FnMut(&Evidence)) {
    let (turns, works, cis) = (turns(), works(), cis());
    let mut seen = good();
    for people in 0..40_usize {
        seen.issue = ISSUES[people / 8];
        seen.allowed = people & 1 == 0;
        seen.stop_asked = people & 2 != 0;
        seen.foreign_commit = people & 4 != 0;
        for (number, turn) in turns.iter().enumerate() {
            seen.turn = turn.clone();
            for work in works.iter().step_by(if people == 0 { 1 } else { 7 }) {
                seen.work = work.clone();
                let ci_count =
                    if people == 0 && number < 5 { cis.len() } else { 3 - usize::from(people != 0) };
                for ci in cis.iter().take(ci_count) {
                    seen.ci = ci.clone();
                    for flags in 0..32 {
                        seen.switch_on = flags & 1 != 0;
                        seen.merge_open = flags & 2 == 0;
                        seen.parked = flags & 4 != 0;
                        seen.budget_left = flags & 8 == 0;
                        seen.ci_stage = u32::from(flags & 16 != 0);
                        if people != 0 && flags % 5 > 1 {
                            continue;
                        }
                        look(&seen);
                    }
                }
            }
        }
    }
}

fn changes() -> ReviewSeen {
    ReviewSeen::Changes(ReviewAsk { reviews: vec!["2".into()], text: "please".into() })
}

/// What only a pull request brings, crossed with what its rows look at beside it.
fn pull_product(mut look: impl FnMut(&Evidence)) {
    let turns = [
        TurnSeen::Over(TurnEnd::Finished),
        TurnSeen::Over(TurnEnd::Blocked { reason: "why".into() }),
        TurnSeen::Over(TurnEnd::TimedOut),
        TurnSeen::Over(TurnEnd::Quota { resets_at: None, detail: "why".into() }),
        TurnSeen::Over(TurnEnd::FailedToStart { detail: "why".into() }),
        TurnSeen::Orphaned,
        TurnSeen::Running,
    ];
    let mut works = works();
    works.retain(|work| !matches!(work, WorkSeen::Commits { guard: GuardSeen::Refused(_), verify, .. } if *verify != VerifySeen::Green));
    let pulls = [PullSeen::Open, PullSeen::None, PullSeen::Unreadable, PullSeen::Closed, PullSeen::Merged];
    let reviews = [ReviewSeen::Nothing, changes(), ReviewSeen::Standing, ReviewSeen::Unreadable];
    let cis = cis();
    let mut seen = good();
    let mut count = 0_usize;
    for turn in &turns {
        seen.turn = turn.clone();
        for work in &works {
            seen.work = work.clone();
            for ci in &cis {
                seen.ci = ci.clone();
                for pull in pulls {
                    seen.pull = pull;
                    for review in &reviews {
                        seen.review = review.clone();
                        for flags in 0..64_usize {
                            count += 1;
                            // The plain case in full; of the rest an even share.
                            let plain = *turn == turns[0] && pull == PullSeen::Open;
                            if !count.is_multiple_of(if plain { 3 } else { 29 }) {
                                continue;
                            }
                            seen.switch_on = flags & 1 != 0;
                            seen.merge_open = flags & 2 == 0;
                            seen.parked = flags & 4 != 0;
                            seen.budget_left = flags & 8 == 0;
                            seen.slot_free = flags & 16 == 0;
                            seen.conflicts = if flags & 32 == 0 { vec![] } else { vec!["a.rs".into()] };
                            seen.patch_on_target = count.is_multiple_of(31);
                            seen.issue = ISSUES[if count.is_multiple_of(7) { count / 7 % 5 } else { 0 }];
                            seen.ci_stage = u32::from(count.is_multiple_of(11));
                            look(&seen);
                        }
                    }
                }
            }
        }
    }
}

// ---- The table, written down again: predicates in order, the first that holds names the row. ----

struct Case<'a> {
    run: &'a Run,
    seen: &'a Evidence,
    policy: &'a Policy,
}

type Line = (fn(&Case<'_>) -> bool, &'static str);

impl Case<'_> {
    fn work(&self) -> Option<(&Oid, &VerifySeen, &GuardSeen, TargetComparison)> {
        match &self.seen.work {
            WorkSeen::Commits { head, verify, guard, target, .. } => Some((head, verify, guard, *target)),
            WorkSeen::Unreadable | WorkSeen::Broken(_) | WorkSeen::Nothing => None,
        }
    }
    fn target(&self, of: TargetComparison) -> bool {
        self.work().is_some_and(|w| w.3 == of)
    }
    fn end(&self, test: fn(&TurnEnd) -> bool) -> bool {
        matches!(&self.seen.turn, TurnSeen::Over(end) if test(end))
    }
    /// Ended before it was done, with work that is not pushed.
    fn cut_off(&self) -> bool {
        let cut =
            |end: &TurnEnd| matches!(end, TurnEnd::TimedOut | TurnEnd::Stalled | TurnEnd::CutOff { .. });
        self.end(cut) && self.work().is_some() && !self.nothing_new() && !self.at_ci()
    }
    fn cut_off_for_good(&self) -> bool {
        self.cut_off() && (self.run.attempt >= self.policy.max_attempts || !self.seen.budget_left)
    }
    fn account_refused(&self) -> bool {
        self.end(|e| matches!(e, TurnEnd::Quota { .. } | TurnEnd::LoginRefused { .. }))
    }
    fn not_started(&self) -> bool {
        self.end(|e| matches!(e, TurnEnd::FailedToStart { .. }))
    }
    /// The turn was ended from outside and may go on.
    fn goes_on(&self) -> bool {
        self.account_refused()
            || self.not_started()
            || self.end(|e| *e == TurnEnd::Stopped)
            || self.seen.turn == TurnSeen::Orphaned && self.run.attempt < self.policy.max_attempts
    }
    /// Those of them that stand above a person's commit in the table.
    fn goes_on_first(&self) -> bool {
        self.account_refused() || self.not_started()
    }
    fn went_on_too_often(&self) -> bool {
        self.run.turns.saturating_sub(self.run.fix_forward + self.run.review_turns) > MAX_CONTINUES
    }
    fn by_pull(&self) -> bool {
        self.run.landing == Landing::PullRequest
    }
    /// The pushed head is the work, and a pull request lands it.
    fn at_pull(&self) -> bool {
        self.at_ci() && self.by_pull()
    }
    fn conflicts(&self) -> bool {
        self.by_pull() && !self.seen.conflicts.is_empty() && self.work().is_some()
    }
    fn changes(&self) -> bool {
        self.at_pull() && matches!(self.seen.review, ReviewSeen::Changes(_))
    }
    fn green(&self) -> bool {
        self.ci(&CiSeen::Green { none_required: false })
            || self.ci(&CiSeen::Green { none_required: true }) && !self.new_stage()
    }
    fn we_merge(&self) -> bool {
        self.at_pull() && self.green() && self.policy.merge == MergeBy::WhenGreen
    }
    fn untouched(&self) -> bool {
        self.run.turn_kind == TurnKind::First
            && (matches!(self.seen.work, WorkSeen::Nothing)
                || self.work().is_some_and(|w| *w.0 == self.run.turn_head))
    }
    /// Verified and let through, and not pushed yet.
    fn to_push(&self) -> bool {
        !self.at_ci() && !self.red()
    }
    fn alive(&self) -> bool {
        matches!(self.seen.turn, TurnSeen::Running | TurnSeen::Verifying)
    }
    fn late(&self) -> bool {
        self.run.turn_seconds > self.policy.turn_limit_seconds
    }
    fn corrective(&self) -> bool {
        self.run.pushed.is_some() && self.run.turn_kind != TurnKind::First
    }
    fn at_ci(&self) -> bool {
        self.work().is_some_and(|w| self.run.pushed.as_ref() == Some(w.0))
    }
    fn nothing_new(&self) -> bool {
        self.work().is_none_or(|w| {
            *w.0 == self.run.turn_head
                || w.3 == TargetComparison::Contains && self.run.pushed.as_ref() != Some(w.0)
        })
    }
    fn verify(&self, of: &VerifySeen) -> bool {
        !self.at_ci() && self.work().is_some_and(|w| w.1 == of)
    }
    fn verifies_used(&self) -> bool {
        self.verify(&VerifySeen::Missing)
            && self.run.verifies >= self.run.turns + self.run.conflict_tries + SPARE_VERIFIES
    }
    fn verify_late(&self) -> bool {
        self.verify(&VerifySeen::Running) && self.late()
    }
    fn base(&self, of: &BaseSeen) -> bool {
        self.at_ci() && matches!(&self.seen.ci, CiSeen::Red { base, .. } if base == of)
    }
    fn ci(&self, of: &CiSeen) -> bool {
        self.at_ci() && self.seen.ci == *of
    }
    fn new_stage(&self) -> bool {
        self.seen.ci_stage > self.run.ci_stage
    }
    fn start_late(&self) -> bool {
        !self.new_stage() && self.run.ci_seconds > CI_START_SECONDS
    }
    fn unstarted(&self) -> bool {
        self.at_ci() && matches!(self.seen.ci, CiSeen::NotStarted { .. })
    }
    fn ci_red(&self) -> bool {
        self.at_ci() && matches!(self.seen.ci, CiSeen::Red { .. })
    }
    fn rerun(&self) -> bool {
        self.ci_red() && self.run.reruns < self.policy.ci_rerun
    }
    fn red(&self) -> bool {
        self.ci_red() || !self.at_ci() && self.work().is_some_and(|w| matches!(w.1, VerifySeen::Red(_)))
    }
}

const TABLE: &[Line] = &[
    (|c| c.seen.issue == IssueSeen::Gone || !c.seen.allowed, "moved"),
    (|c| c.run.pushed.is_some() && (c.seen.patch_on_target || c.seen.pull == PullSeen::Merged), "on-target"),
    (|c| c.run.pushed.is_none() && c.target(TargetComparison::Contains), "on-target"),
    (|c| c.seen.issue == IssueSeen::Open { ready: false }, "withdrawn"),
    (|c| c.seen.issue == IssueSeen::Closed && c.seen.pull == PullSeen::Unreadable, "unreadable"),
    (|c| c.seen.issue == IssueSeen::Closed && (c.run.pushed.is_none() || c.by_pull()), "withdrawn"),
    (|c| c.seen.stop_asked, "stopped"),
    (|c| c.seen.turn == TurnSeen::RunnerDown, "parked"),
    (|c| c.account_refused() && c.seen.parked, "parked"),
    (|c| c.not_started() && c.untouched(), "not-started"),
    (|c| c.not_started() && matches!(c.seen.work, WorkSeen::Unreadable), "unreadable"),
    (|c| c.not_started() && matches!(c.seen.work, WorkSeen::Broken(_)), "workspace-unreadable"),
    (|c| c.goes_on_first() && c.went_on_too_often() && c.corrective(), "fix-turn-failed"),
    (|c| c.goes_on_first() && c.went_on_too_often(), "agent-failed"),
    (|c| c.goes_on_first() && c.seen.switch_on, "switch"),
    (|c| c.goes_on_first() && c.seen.parked, "parked"),
    (|c| c.goes_on_first(), "continue"),
    (|c| c.seen.foreign_commit, "human-took-over"),
    (|c| c.seen.turn == TurnSeen::NeedsInput, "needs-input"),
    (|c| c.seen.turn == TurnSeen::Unreadable, "unreadable"),
    (|c| c.alive() && c.late() && c.corrective(), "fix-turn-failed"),
    (|c| c.alive() && c.late(), "turn-timeout"),
    (|c| c.alive(), "working"),
    (|c| c.end(|e| matches!(e, TurnEnd::Blocked { .. })), "agent-blocked"),
    (|c| c.end(|e| matches!(e, TurnEnd::ResultUnreadable { .. })), "result-unreadable"),
    (|c| c.goes_on() && c.went_on_too_often() && c.corrective(), "fix-turn-failed"),
    (|c| c.goes_on() && c.went_on_too_often(), "agent-failed"),
    (|c| c.goes_on() && c.seen.switch_on, "switch"),
    (|c| c.goes_on() && c.seen.parked, "parked"),
    (|c| c.goes_on(), "continue"),
    (|c| c.seen.turn == TurnSeen::Orphaned && c.corrective(), "fix-turn-failed"),
    (|c| c.seen.turn == TurnSeen::Orphaned, "turn-orphaned"),
    (|c| matches!(c.seen.work, WorkSeen::Unreadable), "unreadable"),
    (|c| matches!(c.seen.work, WorkSeen::Broken(_)), "workspace-unreadable"),
    (|c| c.nothing_new() && c.corrective(), "fix-turn-failed"),
    (
        |c| c.nothing_new() && c.end(|e| matches!(e, TurnEnd::Error { .. } | TurnEnd::CutOff { .. })),
        "agent-failed",
    ),
    (|c| c.nothing_new() && c.end(|e| *e == TurnEnd::TimedOut), "turn-timeout"),
    (|c| c.nothing_new() && c.end(|e| *e == TurnEnd::Stalled), "turn-stalled"),
    (|c| c.nothing_new() && c.end(|e| matches!(e, TurnEnd::PermissionDenied { .. })), "permission-denied"),
    (|c| c.nothing_new(), "nothing-done"),
    (|c| c.cut_off_for_good() && c.corrective(), "fix-turn-failed"),
    (|c| c.cut_off_for_good() && c.end(|e| *e == TurnEnd::TimedOut), "turn-timeout"),
    (|c| c.cut_off_for_good() && c.end(|e| *e == TurnEnd::Stalled), "turn-stalled"),
    (|c| c.cut_off_for_good(), "agent-failed"),
    (|c| c.cut_off() && c.went_on_too_often() && c.corrective(), "fix-turn-failed"),
    (|c| c.cut_off() && c.went_on_too_often(), "agent-failed"),
    (|c| c.cut_off() && c.seen.switch_on, "switch"),
    (|c| c.cut_off() && c.seen.parked, "parked"),
    (|c| c.cut_off(), "continue"),
    (|c| (c.verifies_used() || c.verify_late()) && c.corrective(), "fix-turn-failed"),
    (|c| c.verifies_used(), "agent-failed"),
    (|c| c.verify(&VerifySeen::Missing) && c.seen.switch_on, "switch"),
    (|c| c.verify(&VerifySeen::Missing), "verify"),
    (|c| c.verify_late(), "turn-timeout"),
    (|c| c.verify(&VerifySeen::Running), "working"),
    (|c| c.to_push() && matches!(c.work(), Some((_, _, GuardSeen::Refused(_), _))), "guard-refused"),
    (|c| c.to_push() && c.run.push_refused.is_some(), "push-refused"),
    (|c| c.to_push() && c.run.conflict.is_some(), "conflict"),
    (
        |c| {
            let used = c.run.conflict_tries >= CONFLICT_TRIES;
            let meets = if c.by_pull() { c.conflicts() } else { c.target(TargetComparison::Diverged) };
            c.to_push() && used && meets
        },
        "conflict",
    ),
    (|c| c.to_push() && c.seen.switch_on, "switch"),
    (|c| c.to_push() && c.conflicts(), "bring-up-to-date"),
    (|c| c.to_push() && c.by_pull(), "push"),
    (|c| c.to_push() && !c.seen.merge_open, "merge-hours"),
    (|c| c.to_push() && c.target(TargetComparison::Diverged), "bring-up-to-date"),
    (|c| c.to_push(), "land"),
    (|c| c.at_pull() && c.run.push_refused.is_some(), "push-refused"),
    (|c| c.at_pull() && c.run.pull.is_none() && c.seen.switch_on, "switch"),
    (|c| c.at_pull() && c.run.pull.is_none(), "open-pr"),
    (|c| c.at_pull() && matches!(c.seen.pull, PullSeen::Unreadable | PullSeen::None), "unreadable"),
    (|c| c.at_pull() && c.seen.pull == PullSeen::Closed, "pr-closed"),
    (|c| c.at_pull() && c.run.merge_refused.is_some(), "merge-refused"),
    (|c| c.changes() && c.run.review_turns >= c.policy.review_max_turns, "review-turns-used"),
    (|c| c.at_pull() && c.run.review_seconds > c.policy.review_max_seconds, "review-too-old"),
    (|c| c.at_pull() && c.run.conflict.is_some(), "conflict"),
    (|c| c.at_pull() && c.conflicts() && c.run.conflict_tries >= CONFLICT_TRIES, "conflict"),
    (|c| c.at_pull() && c.conflicts() && c.seen.switch_on, "switch"),
    (|c| c.at_pull() && c.conflicts(), "bring-up-to-date"),
    (|c| c.at_pull() && c.run.pull_head != c.run.pushed, "update-pr"),
    (|c| c.base(&BaseSeen::Red), "base-red"),
    (|c| c.base(&BaseSeen::Unreadable), "unreadable"),
    (|c| c.base(&BaseSeen::Pending) && !c.start_late(), "ci"),
    (|c| c.base(&BaseSeen::NotStarted) && !c.start_late() && c.seen.switch_on, "switch"),
    (|c| c.base(&BaseSeen::NotStarted) && !c.start_late(), "start-ci"),
    (|c| c.rerun() && c.seen.switch_on, "switch"),
    (|c| c.rerun(), "rerun"),
    (|c| c.red() && c.run.last_fix == Some(failure("two")), "same-failure"),
    (|c| c.red() && c.run.fix_forward >= c.policy.fix_max_turns, "fix-turns-used"),
    (|c| c.red() && c.run.fix_seconds >= c.policy.fix_max_seconds, "fix-time-used"),
    (|c| c.red() && !c.seen.budget_left, "budget-used"),
    (|c| c.red() && c.seen.switch_on, "switch"),
    (|c| c.red() && c.seen.parked, "parked"),
    (|c| c.red(), "fix-forward"),
    (|c| c.changes() && !c.seen.budget_left, "budget-used"),
    (|c| c.changes() && c.seen.switch_on, "switch"),
    (|c| c.changes() && c.seen.parked, "parked"),
    (|c| c.changes(), "review-turn"),
    (|c| c.green() && !c.by_pull(), "done"),
    (|c| c.we_merge() && c.seen.review == ReviewSeen::Unreadable, "unreadable"),
    (|c| c.we_merge() && c.seen.review == ReviewSeen::Nothing && c.seen.switch_on, "switch"),
    (|c| c.we_merge() && c.seen.review == ReviewSeen::Nothing && !c.seen.merge_open, "merge-hours"),
    (|c| c.we_merge() && c.seen.review == ReviewSeen::Nothing, "merge"),
    (|c| c.green() && c.run.reviewing && !c.run.holds_slot, "review"),
    (|c| c.green(), "await-review"),
    (|c| c.ci(&CiSeen::NoChecks) && !c.new_stage(), "no-checks"),
    (|c| c.ci(&CiSeen::NeedsPerson), "check-needs-person"),
    (|c| c.ci(&CiSeen::TimedOut) && !c.new_stage(), "ci-timeout"),
    (|c| c.ci(&CiSeen::Unreadable), "unreadable"),
    (|c| c.unstarted() && c.start_late(), "ci-timeout"),
    (|c| c.unstarted() && c.seen.switch_on, "switch"),
    (|c| c.unstarted(), "start-ci"),
    (|c| c.at_ci(), "ci"),
];

fn expected(case: &Case<'_>) -> &'static str {
    let code = TABLE.iter().find(|(holds, _)| holds(case)).expect("a line for every evidence").1;
    let waits = Wait::VARIANTS.iter().any(|w| w.code() == code);
    if case.seen.issue == IssueSeen::Unreadable && !waits && !["stopped", "moved"].contains(&code) {
        return "unreadable";
    }
    let works = ["continue", "fix-forward", "review-turn", "bring-up-to-date", "verify", "land", "push"];
    match (works.contains(&code) && !case.run.holds_slot, case.seen.slot_free) {
        (true, true) => "take-slot",
        (true, false) => "slot",
        (false, _) => code,
    }
}

/// Compares the machine with the table over a product; returns the rows that were met.
fn compare(
    runs: &[Run],
    policies: &[Policy],
    product: fn(&mut dyn FnMut(&Evidence)),
) -> HashSet<&'static str> {
    let share = runs.len().div_ceil(4);
    std::thread::scope(|scope| {
        let workers: Vec<_> = runs
            .chunks(share)
            .map(|runs| {
                scope.spawn(move || {
                    let mut met = HashSet::new();
                    let mut count = 0_usize;
                    product(&mut |seen| {
                        for (at, run) in runs.iter().enumerate() {
                            count += 1;
                            // Every run meets a third of the evidence, the two first of a share meet all of it.
                            if at > 1 && !(count + at).is_multiple_of(3) {
                                continue;
                            }
                            let p = &policies[count % policies.len()];
                            let got = row(run, seen, p);
                            let want = expected(&Case { run, seen, policy: p });
                            assert_eq!(got.event().code(), want, "{got:?}\n{run:?}\n{seen:?}");
                            met.insert(want);
                            let telling = matches!(got, Row::Done | Row::Land { .. } | Row::Merge { .. });
                            if count.is_multiple_of(29) || telling {
                                step_keeps_its_promises(run, seen, p);
                            }
                        }
                    });
                    met
                })
            })
            .collect();
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    })
}

/// Words that tell any two facts apart.
fn shown(said: &Said) -> Words {
    Words { title: String::new(), body: format!("{said:?}") }
}

#[test]
fn every_evidence_falls_on_the_row_of_the_table() {
    let when_green = Policy { merge: MergeBy::WhenGreen, ..policy() };
    let mut met = compare(&runs(), &[policy()], |look| product(look));
    met.extend(compare(&pull_runs(), &[policy(), when_green], |look| pull_product(look)));
    let unmet: Vec<_> = TABLE.iter().map(|(_, code)| *code).filter(|code| !met.contains(code)).collect();
    assert!(unmet.is_empty(), "no evidence leads to {unmet:?}");
}

/// What holds of every step, whatever the evidence.
fn step_keeps_its_promises(run: &Run, seen: &Evidence, policy: &Policy) {
    let step = next(run.clone(), seen, policy).unwrap();
    let told = || format!("{:?}\n{run:?}\n{seen:?}\n{:?}", step.row, step.effects);
    let keys: HashSet<String> =
        step.effects.iter().cloned().map(|e| e.map(|said| shown(&said)).key()).collect();
    assert_eq!(keys.len(), step.effects.len(), "keys differ: {}", told());
    let lands = |e: &Effect<Said>| {
        matches!(e, Effect::Land { .. } | Effect::PushBranch { .. } | Effect::Verify { .. })
    };
    if step.effects.iter().any(lands) {
        let by_itself = matches!(
            &seen.turn,
            TurnSeen::Over(TurnEnd::Finished | TurnEnd::Error { .. } | TurnEnd::PermissionDenied { .. })
        );
        assert!(by_itself, "what was cut off lands: {}", told());
    }
    for effect in &step.effects {
        match effect {
            Effect::StartTurn { turn, .. } => {
                assert!(!seen.switch_on && !seen.parked, "{}", told());
                assert_eq!((*turn, step.run.turns), (run.turns + 1, run.turns + 1));
            }
            Effect::Verify { .. } | Effect::BringUpToDate { .. } | Effect::StartCi { .. } => {
                assert!(!seen.switch_on, "{}", told());
            }
            Effect::PushBranch { head, expected } => {
                assert!(!seen.switch_on && expected == &run.pushed, "{}", told());
                let fit = matches!(
                    &seen.work,
                    WorkSeen::Commits {
                        head: h,
                        verify: VerifySeen::Green | VerifySeen::NotConfigured,
                        guard: GuardSeen::Passed,
                        ..
                    } if h == head
                );
                assert!(fit && seen.conflicts.is_empty(), "{}", told());
            }
            Effect::OpenPull { .. } => assert!(!seen.switch_on && run.pull.is_none(), "{}", told()),
            Effect::Merge { head, .. } => {
                assert!(
                    !seen.switch_on && seen.merge_open && run.pushed.as_ref() == Some(head),
                    "{}",
                    told()
                );
                assert!(matches!(seen.ci, CiSeen::Green { .. }), "{}", told());
                assert_eq!((seen.pull, &seen.review), (PullSeen::Open, &ReviewSeen::Nothing), "{}", told());
                assert_eq!(policy.merge, MergeBy::WhenGreen, "{}", told());
            }
            Effect::TakeSlot { .. } => assert!(!run.holds_slot && seen.slot_free, "{}", told()),
            Effect::ReleaseSlot { .. } => {
                assert!(!step.run.holds_slot && step.run.reviewing, "{}", told());
            }
            Effect::Land { head, .. } => {
                let fit = matches!(
                    &seen.work,
                    WorkSeen::Commits {
                        head: h,
                        verify: VerifySeen::Green | VerifySeen::NotConfigured,
                        guard: GuardSeen::Passed,
                        target: TargetComparison::FastForward,
                        ..
                    } if h == head
                );
                assert!(fit && !seen.switch_on && seen.merge_open, "{}", told());
                assert!(matches!(seen.turn, TurnSeen::Over(_)) && seen.allowed, "{}", told());
            }
            Effect::Close => {
                let by_checks = matches!(seen.ci, CiSeen::Green { .. }) && run.pushed.is_some();
                assert!(by_checks || step.row == Row::OnTarget, "{}", told());
            }
            Effect::Undo { .. } | Effect::OpenUndo { .. } | Effect::Reopen => {
                panic!("only a person takes a change back: {}", told());
            }
            Effect::Claim | Effect::Prepare => panic!("only a dispatch does this: {}", told()),
            Effect::StopTurn { .. }
            | Effect::Label { .. }
            | Effect::Progress { .. }
            | Effect::EditPull { .. }
            | Effect::WatchTarget
            | Effect::Say { .. }
            | Effect::Salvage { .. }
            | Effect::Release
            | Effect::RemoveWorkspace
            | Effect::Notify { .. } => {}
        }
    }
    if step.row.works() {
        assert!(run.holds_slot, "work without the slot: {}", told());
        assert!(!step.run.reviewing, "{}", told());
    }
    match (&step.row, &step.run.outcome) {
        (Row::Wait(wait), None) => {
            assert!(step.effects.iter().all(|e| matches!(e, Effect::Progress { .. })), "{}", told());
            assert_eq!(step.run.wait, Some(*wait));
        }
        (_, None) => assert!(!step.effects.is_empty(), "an act acts: {}", told()),
        (_, Some(outcome)) => end_keeps_its_promises(&step, *outcome, seen, policy),
    }
    let phase = if step.run.outcome.is_some() { Phase::Ending } else { Phase::Active };
    assert_eq!(step.run.phase, phase, "{}", told());
}

fn end_keeps_its_promises(step: &Step, outcome: Outcome, seen: &Evidence, policy: &Policy) {
    let effects = &step.effects;
    let at = |test: fn(&Effect<Said>) -> bool| effects.iter().position(test);
    let release = at(|e| *e == Effect::Release).expect("every end releases the claim");
    let remove = at(|e| *e == Effect::RemoveWorkspace);
    let salvage = at(|e| matches!(e, Effect::Salvage { .. }));
    let frozen = matches!(outcome, Outcome::Frozen(_));
    if frozen {
        assert_eq!(remove, None, "a frozen run keeps its workspace");
    } else {
        assert_eq!(remove, Some(effects.len() - 1), "the workspace goes last: {effects:?}");
    }
    let spoken =
        |e: &Effect<Said>| matches!(e, Effect::Say { .. } | Effect::Label { .. } | Effect::Progress { .. });
    let first_word = effects.iter().position(spoken).expect("an end shows");
    match outcome {
        Outcome::NotStarted => assert_eq!(salvage, None),
        Outcome::Landed => {
            let at_work = !matches!(seen.turn, TurnSeen::Over(_));
            let more = matches!(&seen.work, WorkSeen::Commits { head, .. } if step.run.pushed.as_ref() != Some(head));
            assert_eq!(salvage.is_some(), at_work || more, "what has not landed is kept: {effects:?}");
            assert!(salvage.is_none_or(|at| at < first_word), "{effects:?}");
        }
        Outcome::HandedBack(_) | Outcome::Frozen(_) | Outcome::Withdrawn | Outcome::Stopped => {
            assert!(salvage.expect("work is kept") < first_word, "{effects:?}");
        }
        Outcome::ClaimLost => panic!("a run at work cannot lose its claim so"),
    }
    if let Some(Effect::Salvage { push: true }) = salvage.map(|i| &effects[i]) {
        assert!(!seen.switch_on);
        assert!(matches!(&seen.work, WorkSeen::Commits { guard: GuardSeen::Passed, .. }));
    }
    for (i, effect) in effects.iter().enumerate() {
        match effect {
            Effect::Notify { .. } => assert!(release < i, "{effects:?}"),
            Effect::Label { .. } | Effect::Say { .. } | Effect::Close => assert!(i < release, "{effects:?}"),
            Effect::StopTurn { .. } => assert_eq!(i, 0, "the turn is ended first: {effects:?}"),
            Effect::WatchTarget => assert!(i < release && outcome == Outcome::Landed, "{effects:?}"),
            Effect::Salvage { .. } | Effect::Progress { .. } | Effect::Release | Effect::RemoveWorkspace => {}
            Effect::Undo { .. } | Effect::OpenUndo { .. } | Effect::Reopen => panic!("{effects:?}"),
            Effect::Claim
            | Effect::Prepare
            | Effect::StartTurn { .. }
            | Effect::BringUpToDate { .. }
            | Effect::Verify { .. }
            | Effect::Land { .. }
            | Effect::PushBranch { .. }
            | Effect::OpenPull { .. }
            | Effect::EditPull { .. }
            | Effect::Merge { .. }
            | Effect::ReleaseSlot { .. }
            | Effect::TakeSlot { .. }
            | Effect::StartCi { .. } => panic!("an end begins nothing: {effects:?}"),
        }
    }
    let stopped = matches!(effects.first(), Some(Effect::StopTurn { .. }));
    assert_eq!(stopped, !matches!(seen.turn, TurnSeen::Over(_)), "{effects:?}");
    let set =
        |name: &str, present| effects.contains(&Effect::Label { label: name.to_owned(), present, round: 0 });
    assert!(set(&policy.in_progress_label, false), "the lock goes: {effects:?}");
    match outcome {
        Outcome::HandedBack(_) | Outcome::Frozen(_) | Outcome::Stopped => {
            let here = seen.issue != IssueSeen::Gone;
            assert_eq!(set(&policy.ready_label, false), here, "{effects:?}");
            assert_eq!(set(&policy.human_label, true), here, "{effects:?}");
        }
        Outcome::Landed => assert!(set(&policy.ready_label, false) && effects.contains(&Effect::Close)),
        Outcome::Withdrawn | Outcome::NotStarted | Outcome::ClaimLost => {
            assert!(!set(&policy.human_label, true) && !set(&policy.ready_label, false));
        }
    }
}

// ---- Single stories. ----

fn code(run: &Run, seen: &Evidence) -> String {
    row(run, seen, &policy()).event().code().to_owned()
}

#[test]
fn both_sides_of_every_bound() {
    let alive = Evidence { turn: TurnSeen::Running, work: WorkSeen::Unreadable, ..good() };
    let verifying = Evidence {
        work: commits(VerifySeen::Running, GuardSeen::Passed, TargetComparison::FastForward),
        ..good()
    };
    let missing = Evidence {
        work: commits(VerifySeen::Missing, GuardSeen::Passed, TargetComparison::FastForward),
        ..good()
    };
    let diverged = Evidence {
        work: commits(VerifySeen::Green, GuardSeen::Passed, TargetComparison::Diverged),
        ..good()
    };
    let red = Evidence { ci: red_with(BaseSeen::Green), ..good() };
    let unstarted = Evidence { ci: CiSeen::NotStarted { stage: "build".into() }, ..good() };
    let base_silent = Evidence { ci: red_with(BaseSeen::Pending), ..good() };
    let orphan = Evidence { turn: TurnSeen::Orphaned, work: WorkSeen::Unreadable, ..good() };
    let stopped = Evidence { turn: TurnSeen::Over(TurnEnd::Stopped), ..good() };
    let again = Run { reruns: 1, ..pushed() };
    let late = Evidence { turn: TurnSeen::Over(TurnEnd::TimedOut), ..good() };
    let poor = Evidence { budget_left: false, ..late.clone() };
    for (run, seen, want) in vec![
        (Run { turn_seconds: 5000, ..fresh() }, &alive, "working"),
        (Run { turn_seconds: 5001, ..fresh() }, &alive, "turn-timeout"),
        (Run { turn_seconds: 5001, ..corrective() }, &alive, "fix-turn-failed"),
        (Run { turn_seconds: 5000, ..fresh() }, &verifying, "working"),
        (Run { turn_seconds: 5001, ..fresh() }, &verifying, "turn-timeout"),
        (Run { verifies: 3, ..fresh() }, &missing, "verify"),
        (Run { verifies: 4, ..fresh() }, &missing, "agent-failed"),
        (Run { verifies: 6, conflict_tries: 3, ..fresh() }, &missing, "verify"),
        (Run { verifies: 7, conflict_tries: 3, ..fresh() }, &missing, "agent-failed"),
        (Run { conflict_tries: 2, ..fresh() }, &diverged, "bring-up-to-date"),
        (Run { conflict_tries: 3, ..fresh() }, &diverged, "conflict"),
        (Run { conflict_tries: 3, ..fresh() }, &good(), "land"),
        (pushed(), &red, "rerun"),
        (again.clone(), &red, "fix-forward"),
        (Run { fix_forward: 2, ..again.clone() }, &red, "fix-forward"),
        (Run { fix_forward: 3, ..again.clone() }, &red, "fix-turns-used"),
        (Run { fix_seconds: 14_399, ..again.clone() }, &red, "fix-forward"),
        (Run { fix_seconds: 14_400, ..again }, &red, "fix-time-used"),
        (Run { ci_seconds: 14_400, ..pushed() }, &unstarted, "start-ci"),
        (Run { ci_seconds: 14_401, ..pushed() }, &unstarted, "ci-timeout"),
        (Run { ci_seconds: 14_400, ..pushed() }, &base_silent, "ci"),
        (Run { ci_seconds: 14_401, ..pushed() }, &base_silent, "rerun"),
        (Run { attempt: 1, ..fresh() }, &orphan, "continue"),
        (Run { attempt: 2, ..fresh() }, &orphan, "turn-orphaned"),
        (Run { attempt: 2, ..corrective() }, &orphan, "fix-turn-failed"),
        (fresh(), &late, "continue"),
        (Run { attempt: 2, ..fresh() }, &late, "turn-timeout"),
        (Run { attempt: 2, ..corrective() }, &late, "fix-turn-failed"),
        (fresh(), &poor, "turn-timeout"),
        (corrective(), &poor, "fix-turn-failed"),
        (Run { turn_head: oid(HEAD), ..fresh() }, &late, "turn-timeout"),
        (Run { turns: 21, ..fresh() }, &late, "agent-failed"),
        (Run { turns: 20, ..fresh() }, &stopped, "continue"),
        (Run { turns: 21, ..fresh() }, &stopped, "agent-failed"),
    ] {
        assert_eq!(code(&run, seen), want, "{run:?}");
    }
}

#[test]
fn a_workspace_put_back_to_an_older_commit_of_ours_lands_nothing() {
    let run = Run { turns: 2, pushed: Some(oid(0xcc)), turn_head: oid(0xcc), ..corrective() };
    let seen = Evidence {
        work: commits(VerifySeen::Green, GuardSeen::Passed, TargetComparison::Contains),
        ..good()
    };
    assert_eq!(code(&run, &seen), "fix-turn-failed");
}

#[test]
fn the_switch_does_not_hold_back_a_freeze() {
    let run = Run { reruns: 1, last_fix: Some(failure("two")), ..pushed() };
    let seen = Evidence { ci: red_with(BaseSeen::Green), switch_on: true, ..good() };
    assert_eq!(code(&run, &seen), "same-failure");
    assert_eq!(code(&Run { last_fix: None, ..run }, &seen), "switch");
}

#[test]
fn nothing_is_done_for_an_issue_that_cannot_be_read() {
    let seen = Evidence { issue: IssueSeen::Unreadable, ..good() };
    assert_eq!(code(&fresh(), &seen), "unreadable");
    let stop = Evidence { stop_asked: true, ..seen };
    assert_eq!(code(&fresh(), &stop), "stopped");
}

#[test]
fn a_repo_taken_off_the_allowlist_is_handed_back_with_its_labels() {
    let seen = Evidence { allowed: false, ..good() };
    let step = next(fresh(), &seen, &policy()).unwrap();
    assert!(step.effects.contains(&Effect::Label { label: "ready".into(), present: false, round: 0 }));
    assert!(step.effects.contains(&Effect::Label { label: "human".into(), present: true, round: 0 }));
}

#[test]
fn the_clock_moves_only_in_waits_that_have_a_bound() {
    for wait in Wait::VARIANTS.iter().copied() {
        let run = advance(Run { wait: Some(wait), last_seen: UnixTime(100), ..corrective() }, UnixTime(160));
        let moved = (run.turn_seconds, run.fix_seconds, run.ci_seconds);
        let want = match wait {
            Wait::Working => (60, 60, 0),
            Wait::Ci => (0, 0, 60),
            Wait::NeedsInput
            | Wait::CheckNeedsPerson
            | Wait::Parked
            | Wait::Switch
            | Wait::MergeHours
            | Wait::Unreadable
            | Wait::Review
            | Wait::Slot => (0, 0, 0),
        };
        assert_eq!(moved, want, "{wait:?}");
        assert_eq!(run.review_seconds, if wait == Wait::Review { 60 } else { 0 }, "{wait:?}");
        assert_eq!(run.last_seen, UnixTime(160));
    }
    let first = advance(fresh(), UnixTime(1060));
    assert_eq!((first.turn_seconds, first.fix_seconds), (60, 0), "the first turn is no fix-forward");
}

#[test]
fn a_clock_that_jumps_runs_out_nothing() {
    for (to, want) in [
        (1000 + LONGEST_GAP_SECONDS - 1, LONGEST_GAP_SECONDS - 1),
        (1000 + LONGEST_GAP_SECONDS, LONGEST_GAP_SECONDS),
        (1000 + LONGEST_GAP_SECONDS + 1, LONGEST_GAP_SECONDS),
        (i64::MAX, LONGEST_GAP_SECONDS),
        (999, 0),
        (i64::MIN, 0),
    ] {
        let run = advance(fresh(), UnixTime(to));
        assert_eq!((run.turn_seconds, run.last_seen), (want, UnixTime(to)));
    }
}

#[test]
fn a_stage_that_came_up_is_not_judged_by_the_clock_of_the_one_before() {
    let run = Run { ci_seconds: 7000, ..pushed() };
    for ci in [CiSeen::NoChecks, CiSeen::TimedOut, CiSeen::Green { none_required: true }] {
        let seen = Evidence { ci, ci_stage: 1, ..good() };
        let step = next(run.clone(), &seen, &policy()).unwrap();
        assert_eq!((step.row, step.run.ci_stage, step.run.ci_seconds), (Row::Wait(Wait::Ci), 1, 0));
        // The stage before, unreadable or slow for a moment, does not set the clock back.
        let back = Evidence { ci: CiSeen::Pending, ci_stage: 0, ..good() };
        let step = next(Run { ci_seconds: 50, ..step.run }, &back, &policy()).unwrap();
        assert_eq!((step.run.ci_stage, step.run.ci_seconds), (1, 50));
    }
    let blind = Evidence { ci: CiSeen::Unreadable, ci_stage: 1, ..good() };
    let step = next(run, &blind, &policy()).unwrap();
    assert_eq!((step.run.ci_stage, step.run.ci_seconds), (0, 7000), "clocks stand still");
}

#[test]
fn the_first_wait_after_a_landing_shows_the_push_once() {
    let run = landed(Run { wait: None, ..fresh() }, oid(HEAD));
    let seen = Evidence { ci: CiSeen::Pending, ..good() };
    let step = next(run, &seen, &policy()).unwrap();
    assert!(Progress::of(&step.run).pushed);
    assert_eq!(step.effects, [Effect::Progress { said: Said::Progress }]);
    assert_eq!(next(step.run, &seen, &policy()).unwrap().effects, vec![]);
}

/// An agent that merges the target itself changes what is counted as its work; the target's own changes are not.
#[test]
fn what_is_pushed_on_top_of_the_target_is_counted_from_there() {
    let at = |target| {
        let work = WorkSeen::Commits {
            head: oid(HEAD),
            verify: VerifySeen::Green,
            guard: GuardSeen::Passed,
            target,
            target_oid: oid(0xdd),
        };
        let run = Run { landing: Landing::PullRequest, ..fresh() };
        let step = next(run, &Evidence { work, ..good() }, &policy()).unwrap();
        assert!(matches!(step.row, Row::PushBranch { .. }), "{:?}", step.row);
        step.run.up_to
    };
    assert_eq!(at(TargetComparison::FastForward), oid(0xdd));
    assert_eq!(at(TargetComparison::Diverged), fresh().up_to);
}

#[test]
fn only_a_run_that_went_on_from_older_work_may_be_counted_wrongly() {
    let begun = fresh();
    assert!(!begun.base_is_in_doubt(), "it began at its base");
    assert!(!corrective().base_is_in_doubt(), "its work contains no newer target");
    assert!(!Run { up_to: oid(0xdd), ..begun.clone() }.base_is_in_doubt(), "brought up to date");
    let older = Run { up_to: oid(0xdd), turn_head: oid(OLD), ..begun };
    assert!(older.base_is_in_doubt());
    assert!(!Run { phase: Phase::Ended, ..older.clone() }.base_is_in_doubt());
    let counted = older.counted_from(oid(0xee));
    assert_eq!((&counted.base, &counted.up_to, &counted.turn_head), (&oid(0xee), &oid(0xee), &oid(OLD)));
    assert!(!counted.base_is_in_doubt());
}

#[test]
fn a_turn_that_goes_on_is_told_how_the_last_one_was_cut_off() {
    let told = |run: Run, turn: TurnSeen| {
        let step = next(run, &Evidence { turn, ..good() }, &policy()).unwrap();
        match step.effects.into_iter().next() {
            Some(Effect::StartTurn { kind: TurnKind::Continue, told: Said::ToAgent(told), .. }) => {
                (step.run.attempt, told)
            }
            other => panic!("no turn begins: {other:?}"),
        }
    };
    let after = |how, then| ToAgent::CutOff(how, Box::new(then));
    assert_eq!(
        told(fresh(), TurnSeen::Over(TurnEnd::TimedOut)),
        (2, after(CutOff::TimedOut, ToAgent::Nothing))
    );
    for by in [CutBy::Budget, CutBy::Steps, CutBy::Outside] {
        let turn = TurnSeen::Over(TurnEnd::CutOff { by, detail: "of the agent's".into() });
        assert_eq!(told(fresh(), turn).1, after(CutOff::By(by), ToAgent::Nothing));
    }
    let before = corrective().last_fix.expect("it mends something");
    let (_, words) = told(corrective(), TurnSeen::Over(TurnEnd::Stalled));
    assert_eq!(words, after(CutOff::Stalled, ToAgent::Failed(before)));
    assert_eq!(told(fresh(), TurnSeen::Over(TurnEnd::Stopped)), (1, ToAgent::Nothing));
}

#[test]
fn a_corrective_turn_that_goes_on_stays_one() {
    let seen = Evidence { turn: TurnSeen::Over(TurnEnd::Stopped), ..good() };
    let step = next(corrective(), &seen, &policy()).unwrap();
    assert_eq!(step.run.turn_kind, TurnKind::FixForward);
    assert_eq!(step.run.turn_head, oid(OLD), "what it has done so far still counts as its work");
    assert!(matches!(step.effects[0], Effect::StartTurn { turn: 3, kind: TurnKind::Continue, .. }));
}

const PHASES: [Phase; 4] = [Phase::Starting, Phase::Active, Phase::Ending, Phase::Ended];

/// What a transition makes of a run in each phase; `None`: it is an error that names run and phase.
fn in_each_phase(transition: impl Fn(Run) -> Result<Run, IllegalTransition>) -> [Option<Phase>; 4] {
    PHASES.map(|phase| match transition(Run { phase, ..fresh() }) {
        Ok(run) => Some(run.phase),
        Err(error) => {
            assert_eq!(error, IllegalTransition { run: "r1".into(), phase });
            None
        }
    })
}

#[test]
fn each_transition_leads_from_its_phase_to_the_next() {
    let now = UnixTime(9);
    let step =
        |run| next(run, &Evidence { turn: TurnSeen::Running, ..good() }, &policy()).map(|step| step.run);
    assert_eq!(in_each_phase(step), [None, Some(Phase::Active), None, None]);
    assert_eq!(in_each_phase(|run| started(run, now)), [Some(Phase::Active), None, None, None]);
    let failed = |run| dispatch_failed(run, Outcome::NotStarted, false, now).map(|(run, _)| run);
    assert_eq!(in_each_phase(failed), [Some(Phase::Ending), None, None, None]);
    let before = |run| ended_before(run, Outcome::Landed, now).map(|(run, _)| run);
    assert_eq!(in_each_phase(before), [None, Some(Phase::Ending), None, None]);
    assert_eq!(in_each_phase(|run| ended(run, now)), [None, None, Some(Phase::Ended), None]);
    let over = Some(Phase::Ended);
    assert_eq!(in_each_phase(|run| left_behind(run, now)), [over, over, over, None]);
    assert_eq!(in_each_phase(waits_for_slot), [None, Some(Phase::Active), None, None]);
}

#[test]
fn what_a_transition_leaves_behind() {
    let now = UnixTime(9);
    let starting = Run { phase: Phase::Starting, wait: None, ..fresh() };
    let run = started(starting.clone(), now).unwrap();
    assert_eq!((run.wait, run.last_seen, run.ended_at), (Some(Wait::Working), now, None));
    assert_eq!(run, Run { phase: Phase::Active, wait: Some(Wait::Working), last_seen: now, ..starting });

    let (ending, effects) = ended_before(fresh(), Outcome::Withdrawn, now).unwrap();
    assert_eq!((ending.outcome, ending.wait, ending.last_seen), (Some(Outcome::Withdrawn), None, now));
    assert_eq!(effects, vec![Effect::Release, Effect::RemoveWorkspace], "nothing is started or said");
    let run = ended(ending.clone(), now).unwrap();
    assert_eq!(run, Run { phase: Phase::Ended, ended_at: Some(now), ..ending });

    let landed = Run { phase: Phase::Ending, outcome: Some(Outcome::Landed), ..fresh() };
    let left = left_behind(landed, now).unwrap();
    assert_eq!((left.outcome, left.wait, left.ended_at), (Some(Outcome::Stopped), None, Some(now)));
    assert_eq!(waits_for_slot(fresh()).unwrap(), Run { wait: Some(Wait::Slot), ..fresh() });
}

#[test]
fn a_no_is_noted_where_the_table_reads_it() {
    let noted = |effect: &Effect| refused(fresh(), effect, "no");
    let no = || Some("no".to_owned());
    let (head, expected) = (oid(HEAD), oid(OLD));
    let pushes = [
        Effect::Land { head: head.clone(), expected: expected.clone() },
        Effect::PushBranch { head: head.clone(), expected: None },
        Effect::OpenPull { said: Words::default() },
    ];
    for push in pushes {
        assert_eq!(noted(&push), Some(Run { push_refused: no(), ..fresh() }), "{push:?}");
    }
    let merge = Effect::Merge { pull: 1, head: head.clone() };
    assert_eq!(noted(&merge), Some(Run { merge_refused: no(), ..fresh() }));
    let bring = Effect::BringUpToDate { head, target: expected, number: 1 };
    assert_eq!(noted(&bring), Some(Run { conflict: no(), ..fresh() }));
    for other in [
        Effect::Claim,
        Effect::Close,
        Effect::StartTurn { turn: 2, kind: TurnKind::Continue, told: Words::default() },
    ] {
        assert_eq!(noted(&other), None, "{other:?}");
    }
}

#[test]
fn a_dispatch_labels_last_and_a_failed_one_leaves_nothing() {
    let kinds: Vec<String> = dispatch_effects(&policy(), None).iter().map(Effect::line).collect();
    insta::assert_snapshot!(kinds.join("; "), @"claim the issue and the repo's slot; make a workspace; start turn 1; add label busy; write the progress comment");
    let failed = |outcome, may_work| {
        let starting = Run { phase: Phase::Starting, ..fresh() };
        dispatch_failed(starting, outcome, may_work, UnixTime(9)).unwrap()
    };
    let (run, effects) = failed(Outcome::NotStarted, false);
    assert_eq!((run.phase, effects), (Phase::Ending, vec![Effect::Release, Effect::RemoveWorkspace]));
    assert_eq!((run.outcome, run.wait, run.last_seen), (Some(Outcome::NotStarted), None, UnixTime(9)));
    let (_, effects) = failed(Outcome::ClaimLost, false);
    assert_eq!(effects, vec![Effect::RemoveWorkspace], "a claim of somebody else is not released");
    let (_, effects) = failed(Outcome::NotStarted, true);
    let kinds: Vec<String> = effects.iter().map(Effect::line).collect();
    insta::assert_snapshot!(kinds.join("; "), @"end turn 1; keep the work; release claim and slot; remove the workspace");
}

// ---- Liveness. ----

/// The same evidence for ever, and time that passes: an end, or a wait that a named person or the world outside ends.
#[test]
fn no_state_acts_for_ever() {
    let p = policy();
    let runs = [fresh(), corrective(), pushed(), Run { turn_kind: TurnKind::Continue, ..fresh() }];
    let mut count = 0_usize;
    product(|seen| {
        count += 1;
        if !count.is_multiple_of(5) || seen.foreign_commit || seen.stop_asked {
            return;
        }
        settles(&runs[count / 5 % runs.len()], seen, &p);
    });
    let runs = pull_runs();
    let when_green = Policy { merge: MergeBy::WhenGreen, ..policy() };
    pull_product(|seen| {
        count += 1;
        if count.is_multiple_of(5) {
            settles(
                &runs[count / 5 % runs.len()],
                seen,
                if count.is_multiple_of(2) { &p } else { &when_green },
            );
        }
    });
}

fn settles(run: &Run, seen: &Evidence, policy: &Policy) {
    let mut run = run.clone();
    let mut now = run.last_seen;
    for _ in 0..1000 {
        run = advance(run, now);
        let step = next(run, seen, policy).unwrap();
        run = step.run;
        now = now.plus(1800);
        let settled = match step.row {
            // CI's own reading, made with the run's clock, ends what is pending.
            Row::Wait(Wait::Ci) => matches!(seen.ci, CiSeen::Pending | CiSeen::NotPushed),
            // A person reviews, or the age of the review ends it.
            Row::Wait(Wait::Working | Wait::Review)
            | Row::Continue { .. }
            | Row::FixForward(_)
            | Row::Review(_)
            | Row::BringUpToDate { .. }
            | Row::Verify(_)
            | Row::AwaitReview
            | Row::StartCi { .. } => false,
            Row::OpenPull => {
                run = pull_opened(run, 12, true);
                false
            }
            Row::EditPull { head, .. } => {
                run = pull_told(run, head);
                false
            }
            Row::TakeSlot => {
                run = slot_taken(run);
                false
            }
            // A landing changes the evidence, whatever comes of it.
            Row::Land { .. }
            | Row::PushBranch { .. }
            | Row::Merge { .. }
            | Row::Wait(
                Wait::Slot
                | Wait::NeedsInput
                | Wait::CheckNeedsPerson
                | Wait::Parked
                | Wait::Switch
                | Wait::MergeHours
                | Wait::Unreadable,
            )
            | Row::HandBack(..)
            | Row::Freeze(..)
            | Row::OnTarget
            | Row::Withdrawn
            | Row::Stopped
            | Row::NotStarted(_)
            | Row::Done => true,
        };
        if settled {
            return;
        }
    }
    panic!("it never settles: {seen:?}\n{run:?}");
}

// ---- Random worlds. ----

/// A small world: what the machine would see, and what its effects do to it.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a small world")]
struct Model {
    run: Run,
    seen: Evidence,
    now: UnixTime,
    head: u64,
    target_moved: bool,
    verify: VerifySeen,
    guard: GuardSeen,
    conflicts: bool,
    turns_started: HashSet<u32>,
    keys: HashSet<String>,
    released: bool,
    slot: bool,
}

impl Model {
    fn new() -> Self {
        Self {
            run: fresh(),
            seen: Evidence { turn: TurnSeen::Running, work: WorkSeen::Unreadable, ..good() },
            now: UnixTime(1000),
            head: BASE,
            target_moved: false,
            verify: VerifySeen::Missing,
            guard: GuardSeen::Passed,
            conflicts: false,
            turns_started: HashSet::from([1]),
            keys: HashSet::new(),
            released: false,
            slot: true,
        }
    }

    /// The same world, where a pull request lands the work.
    fn by_pull() -> Self {
        let mut model = Self::new();
        model.run.landing = Landing::PullRequest;
        model
    }

    fn turn_ends(&mut self, end: TurnSeen, commit: bool) {
        let open = matches!(
            self.seen.turn,
            TurnSeen::Running | TurnSeen::Verifying | TurnSeen::NeedsInput | TurnSeen::RunnerDown
        );
        if !open {
            return;
        }
        self.seen.turn = end;
        if commit {
            self.head += 1;
            self.verify = VerifySeen::Missing;
        }
    }

    fn happens(&mut self, what: u8, detail: u8) {
        let print = format!("print {}", detail % 4);
        let commit = detail.is_multiple_of(2);
        match what {
            0..=5 => self.turn_ends(TurnSeen::Over(TurnEnd::Finished), !detail.is_multiple_of(4)),
            6 => {
                let ends = ends();
                let end = ends[usize::from(detail) % ends.len()].clone();
                if matches!(end, TurnEnd::Quota { .. } | TurnEnd::LoginRefused { .. }) {
                    self.seen.parked = detail < 128;
                }
                self.turn_ends(TurnSeen::Over(end), commit);
            }
            7 => self.turn_ends(TurnSeen::Orphaned, commit),
            8 => self.turn_ends(TurnSeen::NeedsInput, false),
            9 => self.turn_ends(if commit { TurnSeen::RunnerDown } else { TurnSeen::Running }, false),
            10 => self.target_moved = true,
            11..=14 if self.verify == VerifySeen::Running => self.verify = VerifySeen::Green,
            15 if self.verify == VerifySeen::Running => self.verify = VerifySeen::Red(failure(&print)),
            16 if self.verify == VerifySeen::Running => self.verify = VerifySeen::Missing,
            17 => self.guard = GuardSeen::Refused("x".into()),
            18..=22 => {
                let cis = cis();
                self.seen.ci = match usize::from(detail) % (cis.len() + 4) {
                    n if n < cis.len() => cis[n].clone(),
                    _ => CiSeen::Red { stage: "b".into(), failure: failure(&print), base: BaseSeen::Green },
                };
                self.seen.ci_stage = u32::from(detail) % 2;
            }
            23 => self.seen.switch_on = commit,
            24 => self.seen.parked = commit,
            25 => self.seen.merge_open = commit,
            26 if detail < 40 => self.seen.issue = ISSUES[usize::from(detail) % 5],
            26 => self.seen.issue = IssueSeen::Open { ready: true },
            27 if detail < 20 => self.seen.stop_asked = true,
            28 => self.now = UnixTime(self.now.0 + i64::from(detail) * 500 - 20_000),
            29 => self.conflicts = commit,
            30 => self.seen.budget_left = commit,
            31 => self.seen.slot_free = commit,
            32 if self.seen.pull == PullSeen::Open && detail < 30 => self.seen.pull = PullSeen::Closed,
            33 if self.seen.pull == PullSeen::Open && detail < 60 => self.seen.pull = PullSeen::Merged,
            34 | 35 => {
                self.seen.review = match detail % 4 {
                    0 => ReviewSeen::Nothing,
                    1 => ReviewSeen::Standing,
                    2 => ReviewSeen::Unreadable,
                    _ => changes(),
                };
            }
            _ => {}
        }
        self.now = self.now.plus(i64::from(detail));
    }

    fn look(&mut self) {
        if self.run.landing == Landing::PullRequest {
            self.seen.conflicts =
                if self.target_moved && self.conflicts { vec!["a.rs".into()] } else { vec![] };
        }
        let over = matches!(self.seen.turn, TurnSeen::Over(_) | TurnSeen::Orphaned);
        let pushed = self.run.pushed == Some(oid(self.head));
        self.seen.work = match (over, self.head) {
            (false, _) => WorkSeen::Unreadable,
            (true, BASE) => WorkSeen::Nothing,
            (true, head) => WorkSeen::Commits {
                head: oid(head),
                verify: self.verify.clone(),
                guard: self.guard.clone(),
                target: match (pushed && self.run.landing == Landing::Push, self.target_moved) {
                    (true, _) => TargetComparison::Contains,
                    (false, true) => TargetComparison::Diverged,
                    (false, false) => TargetComparison::FastForward,
                },
                target_oid: oid(0x7a),
            },
        };
    }

    fn step(&mut self, policy: &Policy) {
        self.look();
        let run = advance(self.run.clone(), self.now);
        match run.phase {
            Phase::Active => step_keeps_its_promises(&run, &self.seen, policy),
            Phase::Ending => {
                self.run = ended(run, self.now).unwrap();
                return self.bounds(policy);
            }
            Phase::Starting | Phase::Ended => {
                assert_eq!(self.run.phase, Phase::Ended);
                return;
            }
        }
        let step = next(run, &self.seen, policy).unwrap();
        if step.run.phase == Phase::Ending {
            assert!(step.run.outcome.is_some());
        }
        self.run = step.run;
        for effect in &step.effects {
            self.perform(effect);
        }
        self.bounds(policy);
    }

    fn perform(&mut self, effect: &Effect<Said>) {
        assert!(
            !self.released || matches!(effect, Effect::Notify { .. } | Effect::RemoveWorkspace),
            "{effect:?}"
        );
        let new = self.keys.insert(effect.clone().map(|said| shown(&said)).key());
        let ends = self.run.phase != Phase::Active;
        match effect {
            Effect::StartTurn { turn, .. } => {
                assert!(self.turns_started.insert(*turn), "turn {turn} began twice");
                assert!(!ends);
                self.seen.turn = TurnSeen::Running;
            }
            Effect::Verify { .. } => {
                assert!(new && !ends);
                self.verify = VerifySeen::Running;
            }
            Effect::BringUpToDate { .. } if self.conflicts => self.run.conflict = Some("a.rs".into()),
            Effect::BringUpToDate { .. } => {
                assert!(new && !ends);
                self.head += 1;
                self.verify = VerifySeen::Missing;
                self.target_moved = false;
            }
            Effect::Land { head, .. } => {
                assert!(!ends, "landed after the end");
                self.run = landed(self.run.clone(), head.clone());
                self.seen.ci = CiSeen::Pending;
                self.seen.ci_stage = 0;
            }
            Effect::StartCi { .. } => self.seen.ci = CiSeen::Pending,
            Effect::PushBranch { head, expected } => {
                assert!(!ends && *expected == self.run.pushed, "pushed over something else");
                self.run = landed(self.run.clone(), head.clone());
                self.seen.ci = CiSeen::Pending;
                self.seen.ci_stage = 0;
            }
            Effect::OpenPull { .. } => {
                assert!(new && !ends, "a second pull request");
                self.run = pull_opened(self.run.clone(), 12, true);
                self.seen.pull = PullSeen::Open;
            }
            Effect::EditPull { head, .. } => self.run = pull_told(self.run.clone(), head.clone()),
            Effect::Merge { .. } => {
                assert!(self.seen.pull == PullSeen::Open, "merged twice");
                self.seen.pull = PullSeen::Merged;
            }
            Effect::ReleaseSlot { .. } => {
                assert!(new && self.slot, "gave up what it had not");
                self.slot = false;
            }
            Effect::TakeSlot { .. } => {
                assert!(!self.slot, "took what it had");
                self.slot = true;
                self.run = slot_taken(self.run.clone());
            }
            Effect::Release => self.released = true,
            Effect::Claim
            | Effect::Prepare
            | Effect::StopTurn { .. }
            | Effect::Label { .. }
            | Effect::Progress { .. }
            | Effect::Say { .. }
            | Effect::Salvage { .. }
            | Effect::Close
            | Effect::Undo { .. }
            | Effect::OpenUndo { .. }
            | Effect::Reopen
            | Effect::WatchTarget
            | Effect::RemoveWorkspace
            | Effect::Notify { .. } => {}
        }
    }

    fn bounds(&self, policy: &Policy) {
        let run = &self.run;
        assert!(run.fix_forward <= policy.fix_max_turns);
        assert!(run.attempt <= policy.max_attempts);
        assert!(run.conflict_tries <= CONFLICT_TRIES);
        assert!(run.reruns <= policy.ci_rerun);
        assert!(run.review_turns <= policy.review_max_turns);
        assert_eq!(run.holds_slot, self.slot, "{run:?}");
        assert!(run.turns <= 1 + MAX_CONTINUES + policy.fix_max_turns + policy.review_max_turns);
        assert!(run.verifies <= run.turns + run.conflict_tries + SPARE_VERIFIES);
        assert!(run.ci_seconds >= 0 && run.turn_seconds >= 0 && run.fix_seconds >= 0);
        assert_eq!(run.phase == Phase::Active, run.outcome.is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_promises_hold(
        events in prop::collection::vec((0_u8..36, any::<u8>()), 1..80),
        way in 0_u8..3,
    ) {
        let merge = if way == 2 { MergeBy::WhenGreen } else { MergeBy::Person };
        let policy = Policy { merge, ..policy() };
        let mut model = if way == 0 { Model::new() } else { Model::by_pull() };
        for (what, detail) in events {
            model.happens(what, detail);
            for _ in 0..4 {
                model.step(&policy);
            }
        }
    }
}

/// The random worlds come to good and bad ends alike, or they would show nothing.
#[test]
fn the_random_worlds_reach_the_ends() {
    let mut ends = HashSet::new();
    let mut seed = 7_u64;
    for world in 0..4000 {
        let merge = if world % 3 == 2 { MergeBy::WhenGreen } else { MergeBy::Person };
        let policy = Policy { merge, ..policy() };
        let mut model = if world % 3 == 0 { Model::new() } else { Model::by_pull() };
        for _ in 0..60 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [a, b, ..] = (seed >> 32).to_be_bytes()[4..] else { unreachable!() };
            model.happens(a % 36, b);
            for _ in 0..4 {
                model.step(&policy);
            }
        }
        ends.extend(model.run.outcome.as_ref().map(Outcome::code));
    }
    for code in [
        "landed",
        "withdrawn",
        "stopped",
        "conflict",
        "guard-refused",
        "same-failure",
        "nothing-done",
        "pr-closed",
        "review-turns-used",
    ] {
        assert!(ends.contains(code), "{code} is not among {ends:?}");
    }
}
