use proptest::prelude::*;
use serde_json::Value;

use super::*;

const PARAMS: Params =
    Params { alpha_rollback: 0.05, alpha_graduate: 0.1, margin: 0.15, min_canary: 5, max_canary: 100 };

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/canary.json")).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn number(value: &Value, key: &str) -> f64 {
    value.get(key).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn count(value: &Value, key: &str) -> usize {
    value.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no {key} in {value}"))
}

#[track_caller]
fn close(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() <= 1e-9, "{what}: {found} and not {wanted}");
}

/// A log as the vectors spell it: `A` is the champion, `B` the canary.
fn log(runs: &str, scores: &[Option<f64>]) -> Vec<Sample> {
    assert_eq!(runs.len(), scores.len());
    let arm = |c| if c == 'A' { Arm::Champion } else { Arm::Canary };
    runs.chars().zip(scores).map(|(c, score)| Sample { arm: arm(c), score: *score }).collect()
}

fn check_vector(vector: &Value) {
    let name = text(vector, "name");
    let given = vector.get("params").unwrap();
    let params = Params {
        alpha_rollback: number(given, "alpha_rollback"),
        alpha_graduate: number(given, "alpha_graduate"),
        margin: number(given, "margin"),
        min_canary: count(given, "min_canary"),
        max_canary: count(given, "max_canary"),
    };
    let scores: Vec<Option<f64>> = list(vector, "scores").iter().map(Value::as_f64).collect();
    let history = History { sum: number(vector, "hist_sum"), count: number(vector, "hist_n") };
    let reading = decide(&params, history, &log(text(vector, "runs"), &scores));
    let decision = match reading.decision {
        Decision::Hold => "hold",
        Decision::RollBack => "rollback",
        Decision::Graduate => "graduate",
        Decision::Inconclusive => "inconclusive",
    };
    assert_eq!(decision, text(vector, "decision"), "{name}");
    let at = vector.get("decided_at_run_index").and_then(Value::as_u64);
    assert_eq!(reading.decided_at.map(|at| at as u64), at, "{name}");
    if let Some(closed) = vector.get("blocks_closed_at").and_then(Value::as_array) {
        let closed: Vec<usize> =
            closed.iter().map(|n| usize::try_from(n.as_u64().unwrap()).unwrap()).collect();
        assert_eq!(reading.closed_at, closed, "{name}");
    }
    let mut compared = 0;
    for (key, found) in [("ln_e_rollback", &reading.ln_e_rollback), ("ln_e_graduate", &reading.ln_e_graduate)]
    {
        for key in [key.to_owned(), format!("{key}_imputed")] {
            if let Some(wanted) = vector.get(&key).and_then(Value::as_array) {
                assert_eq!(found.len(), wanted.len(), "{name} {key}");
                for (at, (found, wanted)) in found.iter().zip(wanted).enumerate() {
                    close(*found, wanted.as_f64().unwrap(), &format!("{name} {key} {at}"));
                }
            }
            if let Some(wanted) = vector.get(format!("{key}_final")).and_then(Value::as_f64) {
                close(found.last().copied().unwrap_or(0.0), wanted, &format!("{name} {key} final"));
                compared += 1;
            }
            if let Some(wanted) = vector.get(format!("{key}_max")).and_then(Value::as_f64) {
                let most = found.iter().copied().reduce(f64::max).unwrap_or(0.0);
                close(most, wanted, &format!("{name} {key} max"));
            }
        }
    }
    assert_eq!(compared, 2, "{name}: both questions are compared");
}

#[test]
fn every_vector_is_reproduced() {
    let vectors = vectors();
    let all = list(&vectors, "vectors");
    assert_eq!(all.len(), 21);
    all.iter().for_each(check_vector);
}

#[test]
fn the_vectors_are_of_this_test() {
    let vectors = vectors();
    let grid: Vec<f64> = list(&vectors, "grid").iter().map(|v| v.as_f64().unwrap()).collect();
    assert_eq!(grid, GRID);
    let block: Vec<usize> =
        list(&vectors, "block").iter().map(|v| usize::try_from(v.as_u64().unwrap()).unwrap()).collect();
    assert_eq!(block, [BLOCK.0, BLOCK.1]);
    close(number(&vectors, "hist_cap"), HISTORY_CAP, "hist_cap");
}

#[test]
fn null_points_are_reproduced() {
    let vectors = vectors();
    let all = list(&vectors, "null_points");
    assert_eq!(all.len(), 6);
    for point in all {
        let found = null_point(
            number(point, "ta"),
            number(point, "tb"),
            count(point, "na"),
            count(point, "nb"),
            number(point, "d"),
        );
        close(found, number(point, "a_star"), &point.to_string());
    }
}

#[test]
fn routing_is_reproduced() {
    let vectors = vectors();
    let all = list(&vectors, "routing");
    assert_eq!(all.len(), 3);
    for case in all {
        let (canary, template, subject) =
            (text(case, "canary_id"), text(case, "template"), text(case, "subject"));
        let raw = fnv1a64(["canary-v1", canary, template, subject].join("\u{1f}").as_bytes());
        assert_eq!(format!("{raw:016x}"), text(case, "fnv1a64"));
        assert_eq!(format!("{:016x}", mix(raw)), text(case, "mixed"));
        let u = place(canary, template, subject);
        close(u, number(case, "u"), subject);
        assert_eq!(if u < 0.2 { "B" } else { "A" }, text(case, "arm_p20"), "{subject}");
    }
}

#[test]
fn neighbours_are_routed_apart() {
    // A fifth of a thousand consecutive issues, and no long row of the same arm.
    let arms: Vec<bool> =
        (1..=1000).map(|n| place("c1", "implementer", &format!("f:o/r#{n}")) < 0.2).collect();
    let canaries = arms.iter().filter(|c| **c).count();
    assert!((160..240).contains(&canaries), "{canaries}");
    let longest = arms.chunk_by(|a, b| a == b).filter(|row| row[0]).map(<[bool]>::len).max();
    assert!(longest.unwrap() <= 5, "{longest:?}");
}

/// Every outcome of a block of failures and successes, with its probability.
fn outcomes(na: usize, nb: usize, a: f64, b: f64) -> Vec<(f64, Vec<Sample>)> {
    (0..1_u32 << (na + nb))
        .map(|bits| {
            let mut probability = 1.0;
            let block = (0..na + nb)
                .map(|at| {
                    let arm = if at < na { Arm::Champion } else { Arm::Canary };
                    let theta = if at < na { a } else { b };
                    let good = bits >> at & 1 == 1;
                    probability *= if good { theta } else { 1.0 - theta };
                    Sample { arm, score: Some(f64::from(u8::from(good))) }
                })
                .collect();
            (probability, block)
        })
        .collect()
}

/// What makes it valid at every peek: under what is to be refuted a block is a fair game at best.
#[test]
fn a_block_wins_nothing_on_average_under_its_null_hypothesis() {
    for (na, nb) in [(2, 1), (5, 1), (2, 4)] {
        for step in 1..20 {
            let a = f64::from(step) / 20.0;
            let expected = |ln_e: fn(&Reading) -> &Vec<f64>, b: f64| {
                outcomes(na, nb, a, b)
                    .iter()
                    .map(|(p, block)| p * ln_e(&decide(&PARAMS, History::default(), block))[0].exp())
                    .sum::<f64>()
            };
            // Equal arms must not be rolled back; a canary that is worse by the margin must not graduate.
            let rollback = expected(|r| &r.ln_e_rollback, a);
            assert!(rollback <= 1.0 + 1e-9, "{na} {nb} {a}: {rollback}");
            if a > PARAMS.margin {
                let graduate = expected(|r| &r.ln_e_graduate, a - PARAMS.margin);
                assert!(graduate <= 1.0 + 1e-9, "{na} {nb} {a}: {graduate}");
            }
        }
    }
}

fn some_score() -> impl Strategy<Value = f64> {
    prop_oneof![3 => Just(0.0), 3 => Just(1.0), 1 => Just(0.6), 1 => 0.4..1.0]
}

fn some_sample() -> impl Strategy<Value = Sample> {
    let arm = prop_oneof![3 => Just(Arm::Champion), 1 => Just(Arm::Canary)];
    (arm, some_score()).prop_map(|(arm, score)| Sample { arm, score: Some(score) })
}

fn some_history() -> impl Strategy<Value = History> {
    (0..60_u32).prop_flat_map(|count| {
        (0.0..=1.0)
            .prop_map(move |mean: f64| History { sum: mean * f64::from(count), count: f64::from(count) })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever looks earlier and finds a decision finds the one that stands later.
    #[test]
    fn the_first_decision_is_final(log in proptest::collection::vec(some_sample(), 0..150), history in some_history()) {
        let params = Params { max_canary: 20, ..PARAMS };
        let whole = decide(&params, history, &log);
        let mut found = None;
        for upto in 0..=log.len() {
            let reading = decide(&params, history, &log[..upto]);
            if reading.decision != Decision::Hold {
                found.get_or_insert((reading.decision, reading.decided_at));
                prop_assert_eq!(found, Some((reading.decision, reading.decided_at)));
            }
        }
        prop_assert_eq!(found.unwrap_or((Decision::Hold, None)), (whole.decision, whole.decided_at));
    }

    /// A pending run counts as the worst: whatever becomes of it, neither ln E falls.
    #[test]
    fn pending_is_the_worst_case(
        log in proptest::collection::vec(some_sample(), 0..80),
        hidden in proptest::collection::vec(any::<bool>(), 80),
        history in some_history(),
    ) {
        let masked: Vec<Sample> = log
            .iter()
            .zip(&hidden)
            .map(|(s, hide)| Sample { score: s.score.filter(|_| !hide), ..*s })
            .collect();
        let (before, after) = (decide(&PARAMS, history, &masked), decide(&PARAMS, history, &log));
        prop_assert_eq!(&before.closed_at, &after.closed_at);
        for (low, high) in before.ln_e_rollback.iter().zip(&after.ln_e_rollback) {
            prop_assert!(low <= &(high + 1e-9), "{low} {high}");
        }
        for (low, high) in before.ln_e_graduate.iter().zip(&after.ln_e_graduate) {
            prop_assert!(low <= &(high + 1e-9), "{low} {high}");
        }
    }

    /// Any numbers at all: finite, and the gate holds.
    #[test]
    fn nothing_is_decided_below_the_gate(
        log in proptest::collection::vec(some_sample(), 0..200),
        history in some_history(),
        margin in 0.01..0.95_f64,
        min_canary in 0..12_usize,
        max_canary in 0..30_usize,
    ) {
        let params = Params { margin, min_canary, max_canary, ..PARAMS };
        let reading = decide(&params, history, &log);
        prop_assert!(reading.ln_e_rollback.iter().chain(&reading.ln_e_graduate).all(|e| e.is_finite()));
        let canaries = |upto: usize| log[..=upto].iter().filter(|s| s.arm == Arm::Canary).count();
        if let (Decision::RollBack | Decision::Graduate, Some(at)) = (reading.decision, reading.decided_at) {
            prop_assert!(canaries(at) >= min_canary && canaries(at) <= max_canary.max(1));
        }
    }

    #[test]
    fn a_place_is_between_zero_and_one(canary in ".{0,20}", template in ".{0,20}", subject in ".{0,40}") {
        prop_assert!((0.0..1.0).contains(&place(&canary, &template, &subject)));
    }
}

#[test]
fn a_canary_that_always_fails_goes_at_its_fifth_to_seventh_run() {
    let history = History { sum: 32.0, count: 40.0 };
    for champion in [0.8, 1.0] {
        let scores = |n: usize| {
            (0..n).map(|at| if at % 5 == 4 { 0.0 } else { champion }).map(Some).collect::<Vec<_>>()
        };
        let reading = decide(&PARAMS, history, &log(&"AAAAB".repeat(10), &scores(50)));
        assert_eq!(reading.decision, Decision::RollBack);
        let canaries = reading.decided_at.unwrap() / 5 + 1;
        assert!((5..=7).contains(&canaries), "{canaries}");
    }
}
