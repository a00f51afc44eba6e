//! Every pair of states against a second rule, and what is shown besides.

use super::*;
use proptest::prelude::*;

const STATES: [CheckState; 6] = [
    CheckState::Pending,
    CheckState::Green,
    CheckState::Red,
    CheckState::Skipped,
    CheckState::Superseded,
    CheckState::NeedsPerson,
];

fn check(name: &str, state: CheckState) -> Check {
    Check {
        name: name.to_owned(),
        source: "ci".to_owned(),
        state,
        link: None,
        log_tail: String::new(),
        fingerprint: String::new(),
    }
}

fn stage(checks: Vec<Check>, required: Option<&[&str]>, waited_seconds: i64) -> StageSeen {
    StageSeen {
        name: "build".into(),
        reading: Seen::Known(StageReading::Checks(checks)),
        required: required.map(|r| r.iter().map(|n| (*n).to_owned()).collect()),
        waited_seconds,
    }
}

fn word(verdict: &CiVerdict) -> &'static str {
    match verdict {
        CiVerdict::Unreadable { .. } => "unreadable",
        CiVerdict::NotStarted { .. } => "not-started",
        CiVerdict::Pending { .. } => "pending",
        CiVerdict::NoChecks { .. } => "no-checks",
        CiVerdict::NeedsPerson { .. } => "needs-person",
        CiVerdict::Red { .. } => "red",
        CiVerdict::Green { none_required: true, .. } => "green-none",
        CiVerdict::Green { .. } => "green",
        CiVerdict::TimedOut { .. } => "timed-out",
    }
}

fn say(checks: Vec<Check>, required: Option<&[&str]>, waited: i64) -> &'static str {
    word(&fold(&[stage(checks, required, waited)], 600, 7200))
}

#[test]
fn no_stage_is_not_green() {
    assert_eq!(fold(&[], 0, 0), CiVerdict::NoChecks { stage: String::new() });
}

#[test]
fn nothing_reported() {
    for (required, waited, want) in [
        (None, 0, "pending"),
        (None, 599, "pending"),
        (None, 600, "no-checks"),
        (None, 99_999, "no-checks"),
        (Some(&["a"][..]), 599, "pending"),
        (Some(&["a"][..]), 600, "no-checks"),
        (Some(&[][..]), 599, "pending"),
        (Some(&[][..]), 600, "green-none"),
    ] {
        assert_eq!(say(vec![], required, waited), want, "{required:?} {waited}");
    }
}

/// Two checks in every pair of states, under the same and under different names, by one source and by two, every way to
/// require, on both sides of the grace and of the time-out, against the rule written down a second time.
#[test]
fn every_pair_of_states() {
    let ways: [Option<&[&str]>; 5] = [None, Some(&[]), Some(&["a"]), Some(&["a", "b"]), Some(&["a", "c"])];
    for (x, y) in STATES.iter().flat_map(|x| STATES.iter().map(move |y| (*x, *y))) {
        for (second, source) in [("a", "ci"), ("a", "other"), ("b", "ci")] {
            for required in ways {
                for waited in [0, 599, 600, 7200, 7201] {
                    let want = expected((x, y), (second, source), required, waited);
                    let checks = vec![check("a", x), by(source, check(second, y))];
                    assert_eq!(
                        say(checks, required, waited),
                        want,
                        "{x:?} {y:?} {second} {source} {required:?} {waited}"
                    );
                }
            }
        }
    }
}

fn by(source: &str, check: Check) -> Check {
    Check { source: source.to_owned(), ..check }
}

/// The first check is `a` by `ci`; the second is newer.
fn expected(
    (x, y): (CheckState, CheckState),
    (second, source): (&str, &str),
    required: Option<&[&str]>,
    waited: i64,
) -> &'static str {
    use CheckState::{Green, NeedsPerson, Red, Skipped, Superseded};
    let names = required.unwrap_or_default();
    let b_counts = second == "a" || names.is_empty() || names.contains(&"b");
    let either = |state| x == state || b_counts && y == state;
    // Nothing ran: as if nothing had reported.
    if (x, y) == (Skipped, Skipped) {
        return match (waited < 600, required) {
            (true, _) => "pending",
            (false, Some([])) => "green-none",
            (false, _) => "no-checks",
        };
    }
    if either(Red) {
        return "red";
    }
    if either(NeedsPerson) {
        return "needs-person";
    }
    let replaced = x == Superseded && (second, source, y) == ("a", "ci", Green);
    let first = x == Green || x == Skipped || replaced;
    let last = !b_counts || y == Green || y == Skipped;
    let reported = names.iter().all(|name| match *name {
        "a" => x == Green || second == "a" && y == Green,
        "b" => second == "b" && y == Green,
        _ => false,
    });
    match (first && last && reported && either(Green), waited > 7200) {
        (true, _) => "green",
        (false, true) => "timed-out",
        (false, false) => "pending",
    }
}

/// What took the place of a cancelled one has to be newer, good, and of its name and source.
#[test]
fn only_a_newer_one_of_its_identity_takes_its_place() {
    let old = check("a", CheckState::Superseded);
    let new = check("a", CheckState::Green);
    assert_eq!(say(vec![old.clone(), new.clone()], None, 0), "green");
    assert_eq!(say(vec![new.clone(), old.clone()], None, 0), "pending");
    assert_eq!(say(vec![old.clone(), by("other", new.clone())], None, 0), "pending");
    assert_eq!(say(vec![old.clone(), check("b", CheckState::Green)], None, 0), "pending");
    assert_eq!(say(vec![old.clone(), by("other", new)], Some(&["a"]), 7201), "timed-out");
    let skipped = vec![old, check("a", CheckState::Skipped), check("b", CheckState::Green)];
    assert_eq!(say(skipped, None, 0), "pending");
}

/// Where none is needed, what was skipped is shown.
#[test]
fn skipped_ones_are_shown_and_no_evidence() {
    let skipped = check("a", CheckState::Skipped);
    let seen = fold(&[stage(vec![skipped.clone()], Some(&[]), 600)], 600, 7200);
    assert_eq!(seen, CiVerdict::Green { checks: vec![skipped.clone()], none_required: true });
    let both = vec![skipped, check("b", CheckState::Green)];
    let seen = fold(&[stage(both.clone(), None, 0)], 600, 7200);
    assert_eq!(seen, CiVerdict::Green { checks: both, none_required: false });
}

#[test]
fn red_names_only_what_decides() {
    let checks = vec![check("a", CheckState::Red), check("b", CheckState::Red), check("c", CheckState::Red)];
    let CiVerdict::Red { checks: red, stage: at } =
        fold(&[stage(checks, Some(&["a", "c", "d"]), 0)], 600, 7200)
    else {
        panic!("not red");
    };
    assert_eq!(
        (red.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), at.as_str()),
        (vec!["a", "c"], "build")
    );
}

/// The first stage that is not green is the answer, whatever the later ones say.
#[test]
fn stages_in_order() {
    let make = |name: &str, kind: usize| {
        let mut s = stage(vec![check(name, CheckState::Green)], None, 600);
        s.name = name.to_owned();
        match kind {
            0 => {}
            1 => s.reading = Seen::Unreadable("503".into()),
            2 => s.reading = Seen::Known(StageReading::NotStarted),
            3 => s.reading = Seen::Known(StageReading::Checks(vec![check(name, CheckState::Pending)])),
            4 => s.reading = Seen::Known(StageReading::Checks(vec![])),
            5 => s.reading = Seen::Known(StageReading::Checks(vec![check(name, CheckState::Red)])),
            6 => {
                s.reading = Seen::Known(StageReading::Checks(vec![check(name, CheckState::NeedsPerson)]));
            }
            _ => {
                s.reading = Seen::Known(StageReading::Checks(vec![]));
                s.required = Some(vec![]);
            }
        }
        s
    };
    let words =
        ["green", "unreadable", "not-started", "pending", "no-checks", "red", "needs-person", "green-none"];
    for x in 0..8 {
        for y in 0..8 {
            for z in 0..8 {
                let verdict = fold(&[make("1", x), make("2", y), make("3", z)], 600, 7200);
                let good = |k: usize| k == 0 || k == 7;
                let first = [x, y, z].into_iter().find(|k| !good(*k));
                let none = [x, y, z].contains(&7);
                let want = first.map_or(if none { "green-none" } else { "green" }, |k| words[k]);
                assert_eq!(word(&verdict), want, "{x} {y} {z}");
                if let CiVerdict::Green { checks, .. } = verdict {
                    assert_eq!(checks.len(), [x, y, z].iter().filter(|k| **k == 0).count());
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn green_only_if_nothing_is_open(
        picks in prop::collection::vec((0_usize..3, 0_usize..6, any::<bool>()), 0..6),
        required in prop::option::of(prop::collection::vec(0_usize..4, 0..3)),
        waited in 0_i64..9000,
    ) {
        let names = ["a", "b", "c", "d"];
        let checks: Vec<Check> = picks
            .iter()
            .map(|(n, s, own)| by(if *own { "ci" } else { "other" }, check(names[*n], STATES[*s])))
            .collect();
        let required: Option<Vec<&str>> = required.map(|r| r.into_iter().map(|n| names[n]).collect());
        let verdict = fold(&[stage(checks.clone(), required.as_deref(), waited)], 600, 7200);
        if let CiVerdict::Green { none_required, .. } = verdict {
            let ran = checks.iter().any(|c| c.state != CheckState::Skipped);
            prop_assert_eq!(none_required, !ran);
            prop_assert_eq!(ran, checks.iter().any(|c| c.state == CheckState::Green));
            for name in required.unwrap_or_default() {
                prop_assert!(checks.iter().any(|c| c.name == name && c.state == CheckState::Green));
            }
        }
    }
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, name, wanted) in [
        ("build", "build", true),
        ("build", "builds", false),
        ("ci/*", "ci/test", true),
        ("ci/*", "cj/test", false),
        ("*", "", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("*ü", "üü", true),
    ] {
        assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
    }
}

/// Over two checks in all states: rules hold up what is green without them, and only what they name and is not green.
#[test]
fn rules_hold_up_what_is_green_and_misses_one_of_theirs() {
    let named = |name: &str| Required { name: name.to_owned(), pattern: false };
    for a in STATES {
        for b in STATES {
            let checks = vec![check("a", a), check("b", b)];
            let without = say(checks.clone(), None, 0);
            assert_eq!(is_green(&checks), without == "green", "{a:?} {b:?}");
            let nothing_ran = (a, b) == (CheckState::Skipped, CheckState::Skipped);
            assert_eq!(hold_nothing_up(&checks), nothing_ran || without == "green", "{a:?} {b:?}");
            for (required, met) in
                [("a", a == CheckState::Green), ("b", b == CheckState::Green), ("c", false)]
            {
                let mut held = checks.clone();
                held.extend(missing(&checks, vec![named(required)]));
                let wanted = if met || without != "green" { without } else { "pending" };
                assert_eq!(say(held, None, 0), wanted, "{a:?} {b:?} {required}");
            }
        }
    }
    assert!(!is_green(&[]) && hold_nothing_up(&[]), "nothing at all is not green");
    // One that a newer run replaced is as good as that one.
    let replaced = [check("a", CheckState::Superseded), check("a", CheckState::Green)];
    assert!(is_green(&replaced) && missing(&replaced, vec![named("a")]).is_empty());
    assert_eq!(missing(&replaced, vec![named("c")]).len(), 1);
}
