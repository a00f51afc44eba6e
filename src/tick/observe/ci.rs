//! What CI says of a commit, and of the one that the run started from.

use super::super::env::Env;
use super::super::policy::{RepoPolicy, StagePolicy};
use crate::domain::checks::{self, CiVerdict, StageSeen};
use crate::domain::model::{Check, CheckState, Landing, Oid, Seen, StageReading};
use crate::domain::run::{BaseSeen, CiSeen, Failure, Run};
use crate::ports::{PortError, Wanted};
use crate::store::RunRow;
use crate::store::Store;

/// CI's stages as they are read for one commit, up to the first that is not green. `at`: the stage that was waited for
/// last, and for how many seconds; a later one has only just come up.
pub fn stages(
    env: &Env,
    policy: &RepoPolicy,
    oid: &Oid,
    at: (u32, i64),
    wanted: Wanted<'_>,
) -> Vec<StageSeen> {
    stages_or_why(env, policy, oid, at, wanted).0
}

/// The same, and what kept the last one from being read.
fn stages_or_why(
    env: &Env,
    policy: &RepoPolicy,
    oid: &Oid,
    at: (u32, i64),
    aim: Wanted<'_>,
) -> (Vec<StageSeen>, Option<PortError>) {
    let (current, waited) = at;
    // Where the config names what is required, what else is to come decides nothing.
    let named = policy.required.as_ref().is_some_and(|names| !names.is_empty());
    let aim = if named { Wanted::Reported } else { aim };
    if policy.stages.is_empty() {
        let reading = Seen::Known(StageReading::Checks(vec![]));
        let required = policy.required.clone();
        let none = StageSeen { name: "ci".to_owned(), reading, required, waited_seconds: waited };
        return (vec![none], None);
    }
    let (mut seen, mut why) = (vec![], None);
    for (number, stage) in (0_u32..).zip(&policy.stages) {
        let reading = match env.ci.read(&policy.repo, &stage.name, oid, aim) {
            Ok(reading) => Seen::Known(reading),
            Err(error) => {
                let told = Seen::Unreadable(error.to_string());
                why = Some(error);
                told
            }
        };
        let required = required(policy, stage);
        let waited_seconds = if number > current { 0 } else { waited };
        let one = StageSeen { name: stage.name.clone(), reading, required, waited_seconds };
        let (grace, timeout) = (policy.ci_grace_seconds, policy.ci_timeout_seconds);
        let green =
            matches!(checks::fold(std::slice::from_ref(&one), grace, timeout), CiVerdict::Green { .. });
        seen.push(one);
        if !green {
            break;
        }
    }
    (seen, why)
}

/// The checks that decide in one stage. A stage that offhours runs has one check, of its own name; the names that are
/// required have to show up in the other stages.
fn required(policy: &RepoPolicy, stage: &StagePolicy) -> Option<Vec<String>> {
    let names = policy.required.as_ref()?;
    if names.is_empty() {
        return Some(vec![]);
    }
    if stage.ours {
        return None;
    }
    let ours = |name: &String| policy.stages.iter().any(|s| s.ours && s.name == *name);
    Some(names.iter().filter(|name| !ours(name)).cloned().collect())
}

pub(super) fn ci(
    env: &Env,
    store: &Store,
    row: &RunRow,
    policy: &RepoPolicy,
    notes: &mut Vec<PortError>,
) -> (CiSeen, u32, Vec<Check>) {
    let run = &row.run;
    let Some(head) = &run.pushed else { return (CiSeen::NotPushed, 0, vec![]) };
    // The config says what is required, or the rules of the branch that a pull request is for do. Of other commits, also of
    // those that are pushed to it past its rules, no rule is kept: a
    // workflow for pull requests never reports on the branch itself.
    let ruled = policy.required.is_none() && run.landing == Landing::PullRequest;
    let wanted = Wanted::Verdict { rules_of: ruled.then_some(run.target_branch.as_str()) };
    let at = (run.ci_stage, run.ci_seconds);
    let (stages, error) = stages_or_why(env, policy, head, at, wanted);
    let index =
        |name: &str| u32::try_from(stages.iter().position(|s| s.name == name).unwrap_or(0)).unwrap_or(0);
    match checks::fold(&stages, policy.ci_grace_seconds, policy.ci_timeout_seconds) {
        CiVerdict::Unreadable { stage, why } => {
            let at = index(&stage);
            let what = format!("CI stage {stage} could not be read: {why}");
            // Only a refused token is anybody's to mend.
            notes.push(match error {
                Some(PortError::Credentials { .. }) => PortError::Credentials { what },
                Some(PortError::Later { after, .. }) => PortError::Later { what, after },
                Some(PortError::Refused { .. } | PortError::Gone { .. } | PortError::Broken { .. })
                | None => PortError::later(what),
            });
            (CiSeen::Unreadable, at, vec![])
        }
        CiVerdict::NotStarted { stage } => {
            let at = index(&stage);
            // The stage's program does not exist: no check will ever report.
            match start_refused(store, run, &stage, head) {
                Some(why) => {
                    notes.push(PortError::refused(format!("CI stage {stage} could not be started: {why}")));
                    (CiSeen::NoChecks, at, vec![])
                }
                None => (CiSeen::NotStarted { stage }, at, vec![]),
            }
        }
        CiVerdict::Pending { stage } => (CiSeen::Pending, index(&stage), vec![]),
        CiVerdict::NoChecks { stage } => (CiSeen::NoChecks, index(&stage), vec![]),
        CiVerdict::NeedsPerson { stage, .. } => (CiSeen::NeedsPerson, index(&stage), vec![]),
        CiVerdict::TimedOut { stage } => (CiSeen::TimedOut, index(&stage), vec![]),
        CiVerdict::Red { stage, checks } => {
            let at = index(&stage);
            let failure = failure(&checks);
            let base = base(env, store, run, policy, &stage, &failure);
            (CiSeen::Red { stage, failure, base }, at, vec![])
        }
        CiVerdict::Green { checks, none_required } => {
            let last = u32::try_from(policy.stages.len().saturating_sub(1)).unwrap_or(0);
            (CiSeen::Green { none_required }, last, checks)
        }
    }
}

fn start_refused(store: &Store, run: &Run, stage: &str, oid: &Oid) -> Option<String> {
    let attempts = 1..=run.reruns + 1;
    attempts.rev().find_map(|k| store.refusal(&run.id, &format!("ci-{stage}-{oid}-{k}")).ok().flatten())
}

pub(super) fn failure(red: &[Check]) -> Failure {
    let mut checks: Vec<String> = red.iter().map(|c| c.name.clone()).collect();
    checks.sort();
    let prints: Vec<&str> = red.iter().map(|c| c.fingerprint.as_str()).collect();
    let logs: Vec<String> = red.iter().map(|c| format!("== {} ==\n{}", c.name, c.log_tail)).collect();
    Failure { checks, fingerprint: prints.join(" "), log_tail: logs.join("\n") }
}

/// What the same checks say of the commit the run started from.
fn base(
    env: &Env,
    store: &Store,
    run: &Run,
    policy: &RepoPolicy,
    stage: &str,
    failure: &Failure,
) -> BaseSeen {
    match env.ci.read(&policy.repo, stage, &run.base, Wanted::Everything) {
        Err(_) => BaseSeen::Unreadable,
        Ok(StageReading::NotStarted) if start_refused(store, run, stage, &run.base).is_some() => {
            BaseSeen::CannotTell
        }
        Ok(StageReading::NotStarted) => BaseSeen::NotStarted,
        Ok(StageReading::Checks(checks)) => {
            let same: Vec<&Check> = checks.iter().filter(|c| failure.checks.contains(&c.name)).collect();
            if same.iter().any(|c| c.state == CheckState::Pending) {
                BaseSeen::Pending
            } else if !same.is_empty()
                && same.iter().all(|c| c.state == CheckState::Red)
                && same.len() == failure.checks.len()
            {
                BaseSeen::Red
            } else {
                BaseSeen::Green
            }
        }
    }
}
