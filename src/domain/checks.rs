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
    /// Nothing reported that really ran, although the grace is over. Not green.
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
    /// All stages are green; every check that was seen. `none_required`: a stage was let through without any that ran.
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
/// Green is positive evidence: in each stage at least one check really ran and succeeded. Those that were skipped neither help
/// nor hurt: a stage with no other ones is as one without a check, and a required one among them has not reported.
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
            Stage::Empty if stage.required.as_ref().is_some_and(Vec::is_empty) => {
                none_required = true;
                seen.extend(checks.iter().cloned());
            }
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

/// Whether nothing of these checks holds a commit up: what is left is whether there are enough of them.
pub fn hold_nothing_up(checks: &[Check]) -> bool {
    matches!(one(checks, None), Stage::Green | Stage::Empty)
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
        source: "rules".to_owned(),
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
    if checks.iter().all(|check| check.state == CheckState::Skipped) {
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
    let green = |name: &str| checks.iter().any(|c| c.name == name && c.state == CheckState::Green);
    let open = |(at, check): (usize, &Check)| match check.state {
        CheckState::Pending => true,
        CheckState::Superseded => !is_replaced(check, checks.get(at + 1..).unwrap_or_default()),
        CheckState::Green | CheckState::Red | CheckState::Skipped | CheckState::NeedsPerson => false,
    };
    let missing = named.is_some_and(|names| names.iter().any(|name| !green(name)));
    let ran = checks.iter().filter(decides).any(|check| check.state == CheckState::Green);
    let held_up = checks.iter().enumerate().filter(|(_, check)| decides(check)).any(open);
    if missing || held_up || !ran { Stage::Pending } else { Stage::Green }
}

/// Whether a newer check took the place of one that was cancelled: of the same name by the same source, and good.
fn is_replaced(check: &Check, newer: &[Check]) -> bool {
    newer.iter().any(|other| {
        other.name == check.name && other.source == check.source && other.state == CheckState::Green
    })
}

#[cfg(test)]
mod tests;
