//! The journal's part of a tick. It observes: whatever goes wrong here is logged, and nothing else waits for it or reads it.

use super::env::Env;
use super::log::{Failure, Item, Log};
use super::policy::HostPolicy;
use crate::domain::escape::sanitize;
use crate::domain::event::{Event, Facts, Red};
use crate::domain::lesson::{self, Given, Lesson, MAX_GIVEN, Rules};
use crate::domain::model::{Freeze, RepoId, UnixTime};
use crate::domain::run::{CiSeen, Evidence, Row, Run, Step, VerifySeen, WorkSeen};
use crate::error::Kind;
use crate::store::{Store, StoreError, StoreResult};

/// Events that are read in one transaction.
const BATCH: u32 = 500;
const SUBJECT: &str = "lessons";
/// A subject of its own: that events could be read ends no trouble with prompts.
const PROMPTS: &str = "lessons in prompts";

/// Reads what happened since the last time, and writes down what is to be learned from it.
pub fn tick(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Failure> {
    if !host.lessons.enabled {
        return Ok(());
    }
    let result = learn(env, host, store, log);
    settle(env, store, log, SUBJECT, "reading events into the journal of lessons", result)
}

/// Every tick of any kind, where the journal is off: the cursor is to stand still, and to skip when it is on again.
pub fn stand_still(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Failure> {
    if host.lessons.enabled {
        return Ok(());
    }
    let result = store.lessons_are_off();
    settle(env, store, log, SUBJECT, "noting that the journal of lessons is off", result)
}

fn learn(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> StoreResult<()> {
    let rules = host.lessons;
    if let Some(skipped) = store.lessons_are_on()? {
        let what = format!("the journal is on again; it skips what happened meanwhile ({skipped} events)");
        log.logged.push(Failure { subject: SUBJECT.to_owned(), what, kind: Kind::TryLater, quiet: false });
    }
    loop {
        let learned = store.learn(&rules, BATCH)?;
        for found in &learned.new {
            log.items.push(item(found));
            if host.dry {
                log.effects.push(format!("write down a lesson: {}", found.root_cause));
            }
        }
        if learned.events < BATCH {
            break;
        }
        if (env.past_deadline)() {
            log.left.push(SUBJECT.to_owned());
            break;
        }
    }
    let now = env.now();
    store.expire_lessons(&rules, now)?;
    Ok(())
}

fn item(found: &Lesson) -> Item {
    Item {
        issue: found.work_item.clone().or_else(|| found.repo.clone()).unwrap_or_default(),
        run: found.task.clone(),
        handle: None,
        reason: found.kind.code().to_owned(),
        sentence: sanitize(&found.root_cause, 300),
        acted: false,
    }
}

/// A failure is told once, then at doubling intervals, and once only in one process.
fn settle<T>(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    subject: &str,
    doing: &str,
    result: StoreResult<T>,
) -> Result<T, Failure> {
    let now = env.now();
    match result {
        Ok(value) => {
            // Whether it can be noted that all is well again is nobody's failure.
            drop(store.outage_over(subject));
            Ok(value)
        }
        Err(error) => {
            let before = log.logged.iter().chain(&log.errors).any(|f| f.subject.starts_with(SUBJECT));
            let said = before || store.outage(subject, now).is_ok_and(|say| !say);
            Err(Failure {
                subject: subject.to_owned(),
                what: sentence(doing, &error),
                kind: Kind::TryLater,
                quiet: said,
            })
        }
    }
}

fn sentence(doing: &str, error: &StoreError) -> String {
    format!(
        "{doing} failed: {}; everything else goes on. A backup has the journal (`offhours state backup`), and \
         `lessons.enabled = false` does without it",
        sanitize(&error.to_string(), 400)
    )
}

/// What the run is to be told of earlier ones: chosen for its first turn, the same for each later one.
pub fn to_give(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    run: &Run,
    turn: u32,
) -> Given {
    if !host.lessons.enabled || !host.lessons.in_prompts {
        return Given::default();
    }
    let result = choose(env, host, store, run, turn);
    settle(env, store, log, PROMPTS, "choosing lessons for a prompt", result).unwrap_or_else(|failure| {
        log.logged.push(failure);
        Given::default()
    })
}

fn choose(env: &Env, host: &HostPolicy, store: &Store, run: &Run, turn: u32) -> StoreResult<Given> {
    let (repo, now, rules) = (run.issue.repo.to_string(), env.now(), host.lessons);
    if let Some(given) = store.given(&run.id)? {
        return Ok(given);
    }
    if turn > 1 {
        return Ok(Given::default());
    }
    if let Some(given) = store.given_beside(&run.id, &repo)? {
        return Ok(given);
    }
    Ok(lesson::choose(&store.lessons_to_give(&repo, &rules, now, MAX_GIVEN)?))
}

/// Records what is in the prompt of a run's first turn, before it is sent. A template may have no place for it: then nothing was given.
pub fn give(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    run: &Run,
    given: &Given,
    prompt: &str,
) {
    if !host.lessons.enabled || !host.lessons.in_prompts {
        return;
    }
    let told = prompt.contains(given.text.trim());
    let (repo, now) = (run.issue.repo.to_string(), env.now());
    let result = store.give(&run.id, &repo, given, told, now);
    if let Err(failure) = settle(env, store, log, PROMPTS, "noting what a run was told", result) {
        log.logged.push(failure);
    }
}

/// What a run that started now would be told; nothing is recorded. Nothing where it cannot be read.
pub fn would_give(store: &Store, rules: &Rules, repo: &RepoId, now: UnixTime) -> String {
    if !rules.enabled || !rules.in_prompts {
        return String::new();
    }
    let found = store.lessons_to_give(&repo.to_string(), rules, now, MAX_GIVEN);
    found.map_or_else(|_| String::new(), |records| lesson::choose(&records).text)
}

/// The lessons that a run was given, for its receipt. Nothing hangs on it.
pub fn ids(store: &Store, run: &str) -> Vec<i64> {
    store.given(run).ok().flatten().map(|given| given.ids).unwrap_or_default()
}

/// Adds to the event of a decision what the detectors read: who worked, what was red, whether it ends the run.
#[must_use]
pub fn told(event: Event, step: &Step, seen: &Evidence, agent: &str) -> Event {
    let event = by(event, agent);
    let facts =
        Facts { merges: step.run.conflict_tries, red: red(step, seen), ends: step.row.ends(), ..event.facts };
    Event { facts, ..event }
}

/// Adds to an event who worked.
#[must_use]
pub fn by(event: Event, agent: &str) -> Event {
    Event { facts: Facts { agent: Some(agent.to_owned()), ..event.facts }, ..event }
}

/// The red verdict that a row was decided over.
fn red(step: &Step, seen: &Evidence) -> Option<Red> {
    let over_red = matches!(
        step.row,
        Row::FixForward(_)
            | Row::StartCi { rerun: true, .. }
            | Row::Freeze(Freeze::SameFailure | Freeze::TurnsUsed | Freeze::TimeUsed | Freeze::BudgetUsed, _)
    );
    if !over_red {
        return None;
    }
    if let WorkSeen::Commits { verify: VerifySeen::Red(failure), head, .. } = &seen.work
        && step.run.pushed.as_ref() != Some(head)
    {
        return Some(Red { stage: "verify".to_owned(), later: false, checks: failure.checks.clone() });
    }
    let CiSeen::Red { stage, failure, .. } = &seen.ci else { return None };
    Some(Red { stage: stage.clone(), later: seen.ci_stage > 0, checks: failure.checks.clone() })
}
