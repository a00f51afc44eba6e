//! One verdict from the checks of one commit, over all CI stages.

use super::model::{Check, CheckState, Seen, StageReading};

/// One CI stage as it was read for one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageSeen {
    pub name: String,
    pub reading: Seen<StageReading>,
    /// Names of the checks that decide; the others are only shown.
    ///
    /// `None`: whatever shows up decides, and there has to be something. Empty: whatever shows up decides, and
    /// nothing at all is good too.
    pub required: Option<Vec<String>>,
    /// Seconds since this stage could begin: since the push, or since the previous stage was green.
    pub waited_seconds: i64,
}

/// What CI says of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CiVerdict {
    Unreadable {
        stage: String,
        why: String,
    },
    /// The stage has to be started by us.
    NotStarted {
        stage: String,
    },
    Pending {
        stage: String,
    },
    /// Nothing reported although the grace is over. Not green.
    NoChecks {
        stage: String,
    },
    /// A person has to act before this check goes on.
    NeedsPerson {
        stage: String,
        check: Check,
    },
    /// These checks failed.
    Red {
        stage: String,
        checks: Vec<Check>,
    },
    /// All stages are green; every check that was seen. `none_required`: a stage was let through without any.
    Green {
        checks: Vec<Check>,
        none_required: bool,
    },
    TimedOut {
        stage: String,
    },
}

/// Goes through the stages in order; the first that is not green is the answer, green is green in all.
///
/// Grace: a stage without a check is pending while `waited < grace`. Time-out: a stage is pending while
/// `waited <= timeout`; a check that waits for a person does not time out. No stage at all is no check at all.
pub fn fold(stages: &[StageSeen], grace_seconds: i64, timeout_seconds: i64) -> CiVerdict {
    if stages.is_empty() {
        return CiVerdict::NoChecks { stage: String::new() };
    }
    let mut seen = Vec::new();
    let mut none_required = false;
    for stage in stages {
        let name = || stage.name.clone();
        let checks = match &stage.reading {
            Seen::Unreadable(why) => return CiVerdict::Unreadable { stage: name(), why: why.clone() },
            Seen::Known(StageReading::NotStarted) => return CiVerdict::NotStarted { stage: name() },
            Seen::Known(StageReading::Checks(checks)) => checks,
        };
        match one(checks, stage.required.as_deref()) {
            Stage::Empty if stage.waited_seconds < grace_seconds => {
                return CiVerdict::Pending { stage: name() };
            }
            Stage::Empty if stage.required.as_ref().is_some_and(Vec::is_empty) => none_required = true,
            Stage::Empty => return CiVerdict::NoChecks { stage: name() },
            Stage::Red(checks) => return CiVerdict::Red { stage: name(), checks },
            Stage::NeedsPerson(check) => return CiVerdict::NeedsPerson { stage: name(), check },
            Stage::Pending if stage.waited_seconds > timeout_seconds => {
                return CiVerdict::TimedOut { stage: name() };
            }
            Stage::Pending => return CiVerdict::Pending { stage: name() },
            Stage::Green => seen.extend(checks.iter().cloned()),
        }
    }
    CiVerdict::Green { checks: seen, none_required }
}

/// Whether a stage with these checks is green as far as no rules are known that ask for more.
pub fn is_green(checks: &[Check]) -> bool {
    matches!(one(checks, None), Stage::Green)
}

/// A check that the rules of a branch require.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Its name; `*` in it stands for anything where `pattern` says so.
    pub name: String,
    pub pattern: bool,
}

/// What stands for the required checks that are not green: pending ones of their names.
pub fn missing(checks: &[Check], required: Vec<Required>) -> Vec<Check> {
    let is_met = |one: &Required| {
        let named =
            |check: &Check| if one.pattern { fits(&one.name, &check.name) } else { one.name == check.name };
        checks.iter().any(|check| check.state == CheckState::Green && named(check))
    };
    let pending = |one: Required| Check {
        name: one.name,
        state: CheckState::Pending,
        link: None,
        log_tail: String::new(),
        fingerprint: String::new(),
    };
    required.into_iter().filter(|one| !is_met(one)).map(pending).collect()
}

/// Whether a name is of a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(left) = name.strip_prefix(start) else { return false };
    (0..=left.len()).any(|at| left.get(at..).is_some_and(|end| fits(rest, end)))
}

enum Stage {
    Empty,
    Red(Vec<Check>),
    NeedsPerson(Check),
    Pending,
    Green,
}

fn one(checks: &[Check], required: Option<&[String]>) -> Stage {
    if checks.is_empty() {
        return Stage::Empty;
    }
    let named = required.filter(|names| !names.is_empty());
    let decides = |check: &&Check| named.is_none_or(|names| names.contains(&check.name));
    let red: Vec<Check> =
        checks.iter().filter(decides).filter(|c| c.state == CheckState::Red).cloned().collect();
    if !red.is_empty() {
        return Stage::Red(red);
    }
    if let Some(check) = checks.iter().filter(decides).find(|c| c.state == CheckState::NeedsPerson) {
        return Stage::NeedsPerson(check.clone());
    }
    let green =
        |name: &str| checks.iter().any(|other| other.name == name && other.state == CheckState::Green);
    let open = |check: &Check| match check.state {
        CheckState::Pending => true,
        // The run that replaced it has to speak under the same name.
        CheckState::Superseded => !green(&check.name),
        CheckState::Green | CheckState::Red | CheckState::NeedsPerson => false,
    };
    let missing = named.is_some_and(|names| names.iter().any(|name| !green(name)));
    if missing || checks.iter().filter(decides).any(open) { Stage::Pending } else { Stage::Green }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [CheckState; 5] = [
        CheckState::Pending,
        CheckState::Green,
        CheckState::Red,
        CheckState::Superseded,
        CheckState::NeedsPerson,
    ];

    fn check(name: &str, state: CheckState) -> Check {
        Check {
            name: name.to_owned(),
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

    /// Two checks in every pair of states, under the same and under different names, every way to require, on
    /// both sides of the time-out, against the rule written down a second time.
    #[test]
    fn every_pair_of_states() {
        let ways: [Option<&[&str]>; 5] =
            [None, Some(&[]), Some(&["a"]), Some(&["a", "b"]), Some(&["a", "c"])];
        for (x, y) in STATES.iter().flat_map(|x| STATES.iter().map(move |y| (*x, *y))) {
            for second in ["a", "b"] {
                for required in ways {
                    for waited in [0, 7200, 7201] {
                        let want = expected(x, y, second, required, waited);
                        let checks = vec![check("a", x), check(second, y)];
                        assert_eq!(
                            say(checks, required, waited),
                            want,
                            "{x:?} {y:?} {second} {required:?} {waited}"
                        );
                    }
                }
            }
        }
    }

    fn expected(
        x: CheckState,
        y: CheckState,
        second: &str,
        required: Option<&[&str]>,
        waited: i64,
    ) -> &'static str {
        let b_counts = second == "a" || required.is_none_or(|r| r.is_empty() || r.contains(&"b"));
        let counted = if b_counts { vec![x, y] } else { vec![x] };
        let all = |good: &dyn Fn(CheckState) -> bool| counted.iter().all(|s| good(*s));
        let one_name = second == "a";
        let replaced = one_name && counted.contains(&CheckState::Green);
        let b_missing = one_name && required.is_some_and(|r| r.contains(&"b"));
        let c_missing = required.is_some_and(|r| r.contains(&"c"));
        if counted.contains(&CheckState::Red) {
            "red"
        } else if counted.contains(&CheckState::NeedsPerson) {
            "needs-person"
        } else if !b_missing
            && !c_missing
            && all(&|s| s == CheckState::Green || (replaced && s == CheckState::Superseded))
        {
            "green"
        } else if waited > 7200 {
            "timed-out"
        } else {
            "pending"
        }
    }

    #[test]
    fn red_names_only_what_decides() {
        let checks =
            vec![check("a", CheckState::Red), check("b", CheckState::Red), check("c", CheckState::Red)];
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
        let words = [
            "green",
            "unreadable",
            "not-started",
            "pending",
            "no-checks",
            "red",
            "needs-person",
            "green-none",
        ];
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
            picks in prop::collection::vec((0_usize..3, 0_usize..5), 0..6),
            required in prop::option::of(prop::collection::vec(0_usize..4, 0..3)),
            waited in 0_i64..9000,
        ) {
            let names = ["a", "b", "c", "d"];
            let checks: Vec<Check> = picks.iter().map(|(n, s)| check(names[*n], STATES[*s])).collect();
            let required: Option<Vec<&str>> = required.map(|r| r.into_iter().map(|n| names[n]).collect());
            let verdict = fold(&[stage(checks.clone(), required.as_deref(), waited)], 600, 7200);
            if let CiVerdict::Green { none_required, .. } = verdict {
                prop_assert_eq!(none_required, checks.is_empty());
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
        assert!(!is_green(&[]), "nothing at all is not green");
        // One that a newer run replaced is as good as that one.
        let replaced = [check("a", CheckState::Superseded), check("a", CheckState::Green)];
        assert!(is_green(&replaced) && missing(&replaced, vec![named("a")]).is_empty());
        assert_eq!(missing(&replaced, vec![named("c")]).len(), 1);
    }
}
