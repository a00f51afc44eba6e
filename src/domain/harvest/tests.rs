use strum::VariantArray as _;

use super::*;
use crate::domain::canary::decide;
use crate::domain::model::{Freeze, HandBack};

const DAY: i64 = 86_400;
const RULES: Rules = Rules { survival_seconds: 3 * DAY, horizon_seconds: 14 * DAY };
const START: UnixTime = UnixTime(1_000_000);

fn landed() -> Facts {
    Facts {
        dispatched_at: START,
        stage: Stage::Ended { outcome: Outcome::Landed, at: START.plus(3600) },
        first_turn_over: true,
        corrections: 0,
        checked: true,
        template_failed: false,
        reverted: false,
        after: After::Seen { reopened: false, red: false },
    }
}

fn with(stage: Stage) -> Facts {
    Facts { stage, ..landed() }
}

fn ended(outcome: Outcome) -> Facts {
    with(Stage::Ended { outcome, at: START.plus(3600) })
}

fn after(days: i64) -> UnixTime {
    START.plus(3600 + days * DAY)
}

#[track_caller]
fn is(facts: &Facts, now: UnixTime, wanted: Standing) {
    let found = settle(facts, RULES, now);
    match (found, wanted) {
        (Standing::Resolved(a, why), Standing::Resolved(b, other)) => {
            assert!((a - b).abs() < 1e-12 && why == other, "{found:?} {wanted:?}");
        }
        _ => assert_eq!(found, wanted),
    }
}

#[test]
fn landed_work_counts_once_it_stood() {
    is(&landed(), after(2), Standing::Pending(Why::Surviving));
    is(&landed(), after(3), Standing::Resolved(1.0, Why::Survived));
    for (corrections, score) in [(1, 0.85), (2, 0.7), (3, 0.55), (4, 0.4), (5, 0.4), (1000, 0.4)] {
        is(&Facts { corrections, ..landed() }, after(3), Standing::Resolved(score, Why::Survived));
    }
    let unchecked = Facts { checked: false, corrections: 2, ..landed() };
    is(&unchecked, after(2), Standing::Pending(Why::Surviving));
    is(&unchecked, after(3), Standing::Resolved(0.6, Why::Unchecked));
}

#[test]
fn what_was_taken_back_is_worth_nothing_at_once() {
    is(&Facts { reverted: true, ..landed() }, after(0), Standing::Resolved(0.0, Why::Reverted));
    for (reopened, red, why) in
        [(true, false, Why::Reopened), (false, true, Why::Red), (true, true, Why::Reopened)]
    {
        let facts = Facts { after: After::Seen { reopened, red }, ..landed() };
        is(&facts, after(0), Standing::Resolved(0.0, why));
    }
}

#[test]
fn what_cannot_be_read_holds_however_long() {
    let facts = Facts { after: After::Unreadable, ..landed() };
    is(&facts, after(400), Standing::Pending(Why::Unreadable));
    is(&with(Stage::Unreadable), after(400), Standing::Pending(Why::Unreadable));
    // A revert is known from elsewhere.
    is(&Facts { reverted: true, ..facts }, after(0), Standing::Resolved(0.0, Why::Reverted));
}

#[test]
fn every_other_end_is_worth_nothing() {
    for outcome in HandBack::VARIANTS.iter().copied().map(Outcome::HandedBack) {
        is(&ended(outcome), after(0), Standing::Resolved(0.0, Why::Ended(outcome)));
    }
    for outcome in Freeze::VARIANTS.iter().copied().map(Outcome::Frozen) {
        is(&ended(outcome), after(0), Standing::Resolved(0.0, Why::Ended(outcome)));
    }
}

#[test]
fn what_says_nothing_about_the_prompt_is_left_out() {
    for outcome in [Outcome::Withdrawn, Outcome::Stopped] {
        let early = Facts { first_turn_over: false, ..ended(outcome) };
        is(&early, after(0), Standing::Excluded(Why::Withdrawn));
        is(&ended(outcome), after(0), Standing::Resolved(0.0, Why::Ended(outcome)));
    }
    is(&ended(Outcome::NotStarted), after(0), Standing::Excluded(Why::Outage));
    is(&ended(Outcome::ClaimLost), after(0), Standing::Excluded(Why::ClaimLost));
    for outcome in [Outcome::NotStarted, Outcome::HandedBack(HandBack::Failed)] {
        let failed = Facts { template_failed: true, ..ended(outcome) };
        is(&failed, after(0), Standing::Resolved(0.0, Why::TemplateFailed));
    }
}

#[test]
fn a_run_that_comes_to_no_end_is_worth_nothing_after_the_horizon() {
    let horizon = START.plus(14 * DAY);
    is(&with(Stage::Working), horizon.plus(-1), Standing::Pending(Why::Working));
    is(&with(Stage::Working), horizon, Standing::Resolved(0.0, Why::Unresolved));
    is(&with(Stage::Review), horizon.plus(99 * DAY), Standing::Pending(Why::Review));
    is(&with(Stage::Parked), horizon.plus(-1), Standing::Pending(Why::Outage));
    is(&with(Stage::Parked), horizon, Standing::Excluded(Why::Outage));
    // A clock that jumped back ends nothing.
    is(&with(Stage::Working), UnixTime(0), Standing::Pending(Why::Working));
    is(&landed(), UnixTime(0), Standing::Pending(Why::Surviving));
}

fn entry(subject: &str, arm: Arm, state: EntryState) -> Entry {
    Entry {
        run: format!("run of {subject}"),
        subject: subject.to_owned(),
        arm,
        dispatched_at: START,
        state,
        why: Why::Working,
    }
}

#[test]
fn of_each_subject_the_first_counts_that_is_not_excluded() {
    use EntryState::{Excluded, Pending, Resolved};
    let entries = [
        entry("a", Arm::Canary, Excluded),
        entry("b", Arm::Champion, Pending),
        entry("a", Arm::Canary, Resolved(0.0)),
        entry("b", Arm::Champion, Resolved(1.0)),
        entry("a", Arm::Canary, Resolved(1.0)),
        entry("c", Arm::Champion, Resolved(0.85)),
    ];
    let counted = counted(&entries);
    let samples: Vec<(Arm, Option<f64>)> = log(&counted).iter().map(|s| (s.arm, s.score)).collect();
    assert_eq!(samples, [(Arm::Champion, None), (Arm::Canary, Some(0.0)), (Arm::Champion, Some(0.85))]);
    let champion = Arms::of(Arm::Champion, &entries, &counted);
    assert_eq!((champion.runs, champion.resolved, champion.pending, champion.excluded), (2, 1, 1, 0));
    assert_eq!(champion.mean(), Some(0.85));
    let canary = Arms::of(Arm::Canary, &entries, &counted);
    assert_eq!((canary.runs, canary.resolved, canary.pending, canary.excluded), (1, 1, 0, 1));
    assert_eq!(Arms::default().mean(), None);
    let told = history(&counted);
    assert_eq!((told.sum, told.count), (0.85, 2.0));
}

#[test]
fn how_far_it_is() {
    let params =
        Params { alpha_rollback: 0.05, alpha_graduate: 0.1, margin: 0.15, min_canary: 5, max_canary: 100 };
    let log = |scores: &[(Arm, f64)]| {
        scores.iter().map(|(arm, score)| Sample { arm: *arm, score: Some(*score) }).collect::<Vec<_>>()
    };
    let at = |log: &[Sample]| distances(&params, &decide(&params, History::default(), log), log);
    let (rollback, graduate) = at(&[]);
    assert_eq!((rollback.ln_e, rollback.runs_needed, graduate.runs_needed), (0.0, None, None));
    assert!((rollback.bound - 20.0_f64.ln()).abs() < 1e-12 && (graduate.bound - 10.0_f64.ln()).abs() < 1e-12);
    // Three failures of a canary beside a champion that never fails: nearer to one end, farther from the other.
    let block = [(Arm::Champion, 1.0), (Arm::Champion, 1.0), (Arm::Canary, 0.0)];
    let (rollback, graduate) = at(&log(&block.repeat(2)));
    assert!(rollback.runs_needed.is_some_and(|n| n >= 3), "{rollback:?}");
    assert_eq!(graduate.runs_needed, None);
    let (rollback, _) = at(&log(&block.repeat(9)));
    assert_eq!(rollback.runs_needed, Some(0), "{rollback:?}");
}

#[test]
fn what_a_commit_takes_back() {
    let oid = "0123456789abcdef0123456789abcdef01234567";
    let taken = |message: &str| takes_back(message, "Me/App");
    assert_eq!(taken(&format!("Revert \"x\"\n\nThis reverts commit {oid}.")), [oid]);
    assert_eq!(
        taken(&format!("Revert \"x\"\n\nThis reverts commit {oid}, reversing\nchanges made to {oid}.")),
        [oid]
    );
    assert_eq!(taken(&format!("This reverts commit {}.", oid.to_ascii_uppercase())), [oid]);
    assert_eq!(taken("Reverts me/app#12"), ["#12"]);
    assert_eq!(taken("Reverts #12, and more"), ["#12"]);
    for nothing in [
        "",
        "Revert it",
        "This reverts commit 0123456.",
        "reverts commit ",
        "Reverts other/app#12",
        "reverts #",
        "reverts #1x",
        "Add reverting",
        "ſreverts commit ǅ",
    ] {
        assert_eq!(taken(nothing), Vec::<String>::new(), "{nothing}");
    }
}
