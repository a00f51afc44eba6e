//! The machine of one recipe within a batch: what is done next, by what was seen. And the batch around it: whether it works,
//! stands still, or may be begun anew.
//!
//! | step | evidence | next |
//! |---|---|---|
//! | queued | the environment's check | reconcile; skipped |
//! | reconcile | own pull requests, mirror against upstream | close what is settled, bring main up to date; scan; skipped |
//! | scan | the plan | planned; done |
//! | planned | the branch was pushed | pr-open |
//! | pr-open | the pull request is there | trigger |
//! | trigger | 3 used? the branch's head, newest ids | wait; teardown |
//! | wait | the verdict of this trial | teardown; triage; trigger (void) |
//! | triage | the agent's answer | repair; stale; trigger (infra); teardown |
//! | repair | the guard and the commit | trigger; teardown |
//! | stale | with tests? | teardown; test-pr |
//! | test-pr | the guard, the commit, both together | teardown |
//! | teardown | its command, then its check | done |
//!
//! Nothing here merges, and no answer of an agent makes a verdict.

mod batch;
mod effect;
mod evidence;
pub mod guard;
pub mod recipe;
pub mod schedule;
mod state;
#[cfg(test)]
mod tests;
pub mod verdict;
pub mod version;

pub use batch::{Batch, BatchState, Standing, Start, Working, on_start, standing};
pub use effect::{Effect, Settled};
pub use evidence::{
    BeforeTrigger, Evidence, JobSeen, Mirror, Reconciled, Scanned, TestSeen, TurnSeen, WaitSeen, WorkSeen,
};
pub use state::{AgentAnswer, Ending, MAX_TRIALS, Plan, Recipe, StaleTest, Step, TestChange, Trial, branch};

use super::model::{Oid, UnixTime};
use crate::domain::escape::sanitize;
use crate::domain::moment::format_duration;
use verdict::{Mark, Verdict};

/// What the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub with_tests: bool,
    pub wait_seconds: i64,
}

/// Evidence of another step than the recipe's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal {
    pub step: Step,
}

/// What comes of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing to do until the world changes.
    Stay,
    /// The recipe's new state and what is to be done, in order.
    Go(Box<Recipe>, Vec<Effect>),
    /// Its environment could not be taken down: the batch halts behind it.
    Halt(Box<Recipe>, String),
}

/// Decides.
///
/// # Errors
/// Evidence that does not belong to the recipe's step.
pub fn next(recipe: &Recipe, evidence: &Evidence, policy: &Policy, now: UnixTime) -> Result<Next, Illegal> {
    let illegal = Illegal { step: recipe.step };
    let mut to = recipe.clone();
    match (recipe.step, evidence) {
        (Step::Done, _) => Err(illegal),
        (Step::Teardown, Evidence::Teardown { command, check }) => Ok(teardown(to, command, check, now)),
        (Step::Teardown, Evidence::EffectRefused(why)) => {
            Ok(halt(to, &format!("teardown could not be started: {why}"), now))
        }
        // From anywhere else a refusal for good ends it.
        (_, Evidence::EffectRefused(why) | Evidence::Impossible(why)) => {
            Ok(end(to, Ending::Failed(why.clone()), vec![], now))
        }
        (Step::Queued, Evidence::Environment(job)) => Ok(match job {
            JobSeen::None | JobSeen::Good => go(to, Step::Reconcile, vec![], now),
            JobSeen::NotStarted => {
                to.checked = true;
                Next::Go(Box::new(to), vec![Effect::StartCheck])
            }
            JobSeen::Running => Next::Stay,
            JobSeen::Bad(_) => end(to, Ending::Skipped("environment not clean".to_owned()), vec![], now),
        }),
        (Step::Reconcile, Evidence::Reconcile(seen)) => Ok(reconcile(to, seen, now)),
        (Step::Scan, Evidence::Scan(scanned)) => Ok(scan(to, scanned, now)),
        (Step::Planned, Evidence::Pushed) => Ok(go(to, Step::PrOpen, vec![Effect::OpenPull], now)),
        (Step::PrOpen, Evidence::Opened) => {
            let effects = to.supersedes.iter().map(|pull| Effect::Supersede { pull: *pull }).collect();
            Ok(go(to, Step::Trigger, effects, now))
        }
        (Step::Trigger, Evidence::Trigger(before)) => Ok(trigger(to, before, now)),
        (Step::Wait, Evidence::Wait(WaitSeen::Reading { verdict, branch })) => {
            Ok(wait(to, verdict, branch.as_ref(), policy, now))
        }
        (Step::Triage, Evidence::Turn(turn)) => Ok(triage(to, turn, now)),
        (Step::Stale, Evidence::StaleChecked(wrong)) => Ok(stale(to, wrong.as_deref(), policy, now)),
        (Step::Repair, Evidence::Work(work)) => Ok(repair(to, work, now)),
        (Step::TestPr, Evidence::Test(seen)) => Ok(test_pr(to, seen, now)),
        (
            Step::Queued
            | Step::Reconcile
            | Step::Scan
            | Step::Planned
            | Step::PrOpen
            | Step::Trigger
            | Step::Wait
            | Step::Triage
            | Step::Repair
            | Step::Stale
            | Step::TestPr
            | Step::Teardown,
            _,
        ) => Err(illegal),
    }
}

fn go(mut to: Recipe, step: Step, effects: Vec<Effect>, now: UnixTime) -> Next {
    to.step = step;
    to.since = now;
    Next::Go(Box::new(to), effects)
}

/// The end is known; what a trial may have put up is taken down first.
fn end(mut to: Recipe, ending: Ending, effects: Vec<Effect>, now: UnixTime) -> Next {
    to.ending = Some(ending);
    let step = if to.trials.is_empty() { Step::Done } else { Step::Teardown };
    go(to, step, effects, now)
}

fn halt(mut to: Recipe, why: &str, now: UnixTime) -> Next {
    to.notes.push(format!("the environment could not be taken down: {why}"));
    to.step = Step::Done;
    to.since = now;
    Next::Halt(Box::new(to), why.to_owned())
}

fn teardown(mut to: Recipe, command: &JobSeen, check: &JobSeen, now: UnixTime) -> Next {
    match command {
        JobSeen::NotStarted => Next::Go(Box::new(to), vec![Effect::StartTeardown]),
        JobSeen::Running => Next::Stay,
        JobSeen::Bad(why) => halt(to, why, now),
        JobSeen::None | JobSeen::Good => match check {
            JobSeen::NotStarted => {
                to.torn_down = true;
                Next::Go(Box::new(to), vec![Effect::StartTeardownCheck])
            }
            JobSeen::Running => Next::Stay,
            JobSeen::Bad(why) => halt(to, why, now),
            JobSeen::None | JobSeen::Good => go(to, Step::Done, vec![], now),
        },
    }
}

fn reconcile(mut to: Recipe, seen: &Reconciled, now: UnixTime) -> Next {
    if let Some(pull) = seen.human {
        to.notes.push(format!("pull request {pull} has commits of a person"));
        return end(to, Ending::Skipped("human commits".to_owned()), vec![], now);
    }
    if !seen.settled.is_empty() {
        let effects =
            seen.settled.iter().map(|(pull, how)| Effect::Settle { pull: *pull, how: *how }).collect();
        return Next::Go(Box::new(to), effects);
    }
    match &seen.mirror {
        Mirror::Equal(base) => {
            to.base = Some(base.clone());
            to.supersedes.clone_from(&seen.open);
            go(to, Step::Scan, vec![], now)
        }
        Mirror::Behind { seen, upstream } => Next::Go(
            Box::new(to),
            vec![Effect::SyncMirror { seen: seen.clone(), upstream: upstream.clone(), force: false }],
        ),
        Mirror::Diverged { seen, upstream } => Next::Go(
            Box::new(to),
            vec![
                Effect::Backup { head: seen.clone() },
                Effect::SyncMirror { seen: Some(seen.clone()), upstream: upstream.clone(), force: true },
            ],
        ),
    }
}

fn scan(mut to: Recipe, scanned: &Scanned, now: UnixTime) -> Next {
    match scanned {
        Scanned::Plan(plan) => {
            let branch = plan.branch(&to.name);
            to.head = Some(plan.head.clone());
            to.notes.extend(plan.notes.iter().cloned());
            let push = Effect::Push { branch, head: plan.head.clone(), expected: None };
            to.plan = Some(plan.clone());
            go(to, Step::Planned, vec![push], now)
        }
        Scanned::UpToDate => end(to, Ending::UpToDate, vec![], now),
        Scanned::Held(why) => {
            to.notes.extend(why.iter().cloned());
            end(to, Ending::Held(why.join("; ")), vec![], now)
        }
        Scanned::Unreadable(why) => end(to, Ending::Unreadable(why.clone()), vec![], now),
        Scanned::Refused(ending) => end(to, ending.clone(), vec![], now),
    }
}

fn trigger(mut to: Recipe, before: &BeforeTrigger, now: UnixTime) -> Next {
    let Some(head) = to.head.clone() else {
        return end(to, Ending::Failed("the head that was pushed is not known".to_owned()), vec![], now);
    };
    if before.branch.as_ref() != Some(&head) {
        return end(to, moved(), vec![], now);
    }
    if to.left() == 0 {
        return end(to, Ending::NotGreen, vec![], now);
    }
    let number = to.used() + 1;
    to.trials.push(Trial {
        number,
        mark: Mark {
            head,
            newest_comment: before.newest_comment,
            newest_status: before.newest_status,
            url: None,
        },
        at: now,
        trigger: None,
        verdict: None,
        void: false,
    });
    go(to, Step::Wait, vec![Effect::Trigger { trial: number }], now)
}

fn moved() -> Ending {
    Ending::Skipped("human commits".to_owned())
}

fn wait(mut to: Recipe, verdict: &Verdict, branch: Option<&Oid>, policy: &Policy, now: UnixTime) -> Next {
    let head = to.head.clone();
    let Some(trial) = to.trials.last_mut() else {
        return end(to, Ending::Failed("there is no trial to wait for".to_owned()), vec![], now);
    };
    let number = trial.number;
    if branch != head.as_ref() {
        // Somebody else's commit: this trial says nothing, and the branch is not ours any more.
        trial.void = true;
        return end(to, moved(), vec![Effect::SayTrial { trial: number }], now);
    }
    let waited = now.since(trial.at) >= policy.wait_seconds;
    let first_url = trial.mark.url.is_none() && verdict.url().is_some();
    match verdict {
        Verdict::Pending { url } if !waited => {
            if first_url {
                trial.mark.url.clone_from(url);
                return Next::Go(Box::new(to), vec![]);
            }
            Next::Stay
        }
        Verdict::Pending { .. } => {
            trial.verdict = Some(verdict.clone());
            let why = format!(
                "no verdict within {} (trial {number} of {MAX_TRIALS})",
                format_duration(policy.wait_seconds)
            );
            end(to, Ending::Failed(why), vec![Effect::SayTrial { trial: number }], now)
        }
        Verdict::Green { url } => {
            trial.mark.url.get_or_insert_with(|| url.clone());
            trial.verdict = Some(verdict.clone());
            end(to, Ending::Success, vec![Effect::SayTrial { trial: number }], now)
        }
        Verdict::Red { url } => {
            trial.mark.url.get_or_insert_with(|| url.clone());
            trial.verdict = Some(verdict.clone());
            go(to, Step::Triage, vec![Effect::SayTrial { trial: number }], now)
        }
    }
}

fn triage(mut to: Recipe, turn: &TurnSeen, now: UnixTime) -> Next {
    match turn {
        TurnSeen::NoAgent => {
            let why = format!("red, no repair command ({} of {MAX_TRIALS} runs used)", to.used());
            end(to, Ending::Failed(why), vec![], now)
        }
        TurnSeen::NotStarted => {
            to.turns = to.used();
            let turn = to.turns;
            Next::Go(Box::new(to), vec![Effect::StartTurn { turn }])
        }
        TurnSeen::Running => Next::Stay,
        TurnSeen::Over(answer) => match answer {
            AgentAnswer::Repaired { summary } => {
                to.notes.push(format!("turn {}: {summary}", to.turns));
                go(to, Step::Repair, vec![], now)
            }
            AgentAnswer::Stale { summary, tests, patch, .. } => {
                to.notes.push(format!("turn {}: {summary}", to.turns));
                to.stale.clone_from(tests);
                to.patch.clone_from(patch);
                go(to, Step::Stale, vec![], now)
            }
            AgentAnswer::Infra { summary } => {
                to.notes.push(format!("turn {}: trouble of the infrastructure: {summary}", to.turns));
                go(to, Step::Trigger, vec![], now)
            }
            AgentAnswer::Broken { summary } => {
                end(to, Ending::Failed(format!("the upgrade is broken: {summary}")), vec![], now)
            }
            AgentAnswer::GiveUp { summary } => {
                end(to, Ending::Failed(format!("the agent gave up: {summary}")), vec![], now)
            }
        },
    }
}

fn repair(mut to: Recipe, work: &WorkSeen, now: UnixTime) -> Next {
    match work {
        WorkSeen::Nothing => {
            end(to, Ending::Failed("the agent says it repaired, and changed nothing".to_owned()), vec![], now)
        }
        WorkSeen::Refused(why) => {
            end(to, Ending::Failed(format!("the guard refused the repair: {why}")), vec![], now)
        }
        WorkSeen::Commit(head) => {
            let Some(branch) = to.branch() else {
                return end(to, Ending::Failed("there is no plan to repair".to_owned()), vec![], now);
            };
            let push = Effect::Push { branch, head: head.clone(), expected: to.head.clone() };
            to.head = Some(head.clone());
            // Its three runs are used: the work is kept on the branch, and nobody says that it is good.
            if to.left() == 0 {
                return end(to, Ending::NotGreen, vec![push], now);
            }
            go(to, Step::Trigger, vec![push], now)
        }
    }
}

fn stale(to: Recipe, wrong: Option<&str>, policy: &Policy, now: UnixTime) -> Next {
    match wrong {
        Some(why) => {
            end(to, Ending::Failed(format!("the tests are not shown to be stale: {why}")), vec![], now)
        }
        None if policy.with_tests => go(to, Step::TestPr, vec![], now),
        None => end(to, Ending::SuccessPendingTests, vec![Effect::SayStale], now),
    }
}

fn test_pr(mut to: Recipe, seen: &TestSeen, now: UnixTime) -> Next {
    match seen {
        TestSeen::Work(WorkSeen::Nothing) => {
            end(to, Ending::Failed("the change of tests is empty".to_owned()), vec![], now)
        }
        TestSeen::Work(WorkSeen::Refused(why)) => {
            end(to, Ending::Failed(format!("the guard refused the change of tests: {why}")), vec![], now)
        }
        TestSeen::Work(WorkSeen::Commit(head)) => {
            to.test = Some(TestChange { head: head.clone(), pull: None });
            let effects =
                vec![Effect::PushTests { head: head.clone() }, Effect::OpenTestPull, Effect::StartVerify];
            Next::Go(Box::new(to), effects)
        }
        TestSeen::Verify(JobSeen::NotStarted) => Next::Go(Box::new(to), vec![Effect::StartVerify]),
        TestSeen::Verify(JobSeen::Running) => Next::Stay,
        TestSeen::Verify(JobSeen::None) => end(
            to,
            Ending::Failed("there is no verify_command to test both together".to_owned()),
            vec![],
            now,
        ),
        TestSeen::Verify(JobSeen::Bad(why)) => {
            let ending = Ending::Failed(format!("upgrade and tests are not green together: {why}"));
            end(to, ending, vec![Effect::CrossNotes { green: false }], now)
        }
        TestSeen::Verify(JobSeen::Good) => {
            end(to, Ending::SuccessTestPr, vec![Effect::CrossNotes { green: true }], now)
        }
    }
}

/// Why stale tests are not believed. `exists`: whether the tests repository has the path.
pub fn doubt_stale(
    tests: &[StaleTest],
    all_failures: &[String],
    trial: &Trial,
    tests_repo: Option<&str>,
    exists: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let Some(repo) = tests_repo else { return Some("no repository of tests is configured".to_owned()) };
    if tests.is_empty() {
        return Some("no test is named".to_owned());
    }
    for test in tests {
        let name = sanitize(&test.test, 120);
        if Some(&test.build_url) != trial.mark.url.as_ref() {
            return Some(format!("{name}: the build it names is not this red trial's"));
        }
        if test.repo != repo {
            return Some(format!("{name}: it lies in another repository"));
        }
        if test.why.trim().is_empty() {
            return Some(format!("{name}: why it is stale is not said"));
        }
        if !exists(&test.path) {
            return Some(format!("{name}: there is no such file"));
        }
    }
    if all_failures.is_empty() {
        return Some("the failures of the build are not listed".to_owned());
    }
    let unexplained = all_failures.iter().find(|failure| !tests.iter().any(|test| test.test == **failure));
    unexplained.map(|failure| format!("{} failed as well, and is not explained", sanitize(failure, 120)))
}
