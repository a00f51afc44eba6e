//! Writes down what a look at a run found, before anything is decided by it: a turn's end and cost, what that says about the
//! runner's account and the issue, and what could not be read.

use super::breaker::note_start_failure;
use super::env::Env;
use super::log::Log;
use super::observe::{Found, end_words};
use super::policy::HostPolicy;
use crate::domain::backoff::parked_until;
use crate::domain::effect::NoticeKind;
use crate::domain::escape::sanitize;
use crate::domain::model::{JobResult, TurnEnd, TurnEnding, UnixTime, Usage};
use crate::domain::moment::format_time;
use crate::error::Error;
use crate::store::{Park, RunRow, Store, TurnRow};

pub(super) fn found(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    found: &[Found],
) -> Result<(), Error> {
    let run = &row.run;
    for one in found {
        match one {
            Found::Over(result) => turn_over(env, host, store, log, row, result)?,
            Found::Asks { link } => {
                let key = format!("{}:asks", run.turn_job(run.turns));
                let title = format!("{}: the agent asks", run.issue);
                let text = format!("Answer it in {link}");
                env.notify(store, &key, NoticeKind::NeedsHuman, &title, &text, Some(link.clone()))?;
            }
            Found::Orphaned => orphaned(env, store, row)?,
            Found::Failed(error) => log.failed(env, store, &format!("run {}", run.id), error)?,
        }
    }
    Ok(())
}

/// The turn ended without telling what it used.
fn orphaned(env: &Env, store: &mut Store, row: &RunRow) -> Result<(), Error> {
    let run = &row.run;
    let ended = TurnRow {
        turn: run.turns,
        kind: run.turn_kind,
        started_at: run.created_at,
        ended_at: Some(env.now()),
        ending: Some(TurnEnding::Orphaned.code().to_owned()),
        detail: Some("the supervisor died".to_owned()),
        usage: Usage::default(),
        summary: None,
    };
    store.turn_ended(&run.id, &ended)?;
    Ok(())
}

/// Records a turn's end once: usage, and what it says about the runner's account.
pub(super) fn turn_over(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    result: &JobResult,
) -> Result<(), Error> {
    let run = &row.run;
    let (ending, detail) = end_words(&result.end);
    let ended = TurnRow {
        turn: run.turns,
        kind: run.turn_kind,
        started_at: result.started_at,
        ended_at: Some(result.ended_at),
        ending: Some(ending.to_owned()),
        detail: Some(detail.clone()),
        usage: result.usage.clone(),
        summary: result.summary.clone(),
    };
    if !store.turn_ended(&run.id, &ended)? {
        return Ok(());
    }
    let now = env.now();
    match &result.end {
        TurnEnd::Quota { resets_at, .. } => {
            park(env, store, log, &row.account, "quota", &detail, parked_until(*resets_at, now))?;
        }
        TurnEnd::LoginRefused { .. } => {
            park(env, store, log, &row.account, "login", &detail, parked_until(None, now))?;
        }
        TurnEnd::FailedToStart { detail } => {
            note_start_failure(env, host, store, log, row, detail)?;
        }
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Error { .. }
        | TurnEnd::TimedOut
        | TurnEnd::Stalled
        | TurnEnd::CutOff { .. }
        | TurnEnd::PermissionDenied { .. }
        | TurnEnd::Stopped => {
            store.start_worked(&row.account)?;
            store.clear_backoff(&run.issue)?;
            env.recovered(store, &format!("runner-parked:{}", row.account))?;
        }
    }
    Ok(())
}

fn park(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    account: &str,
    kind: &str,
    detail: &str,
    until: UnixTime,
) -> Result<(), Error> {
    let now = env.now();
    let detail = sanitize(detail, 300);
    store.park(
        account,
        &Park { kind: kind.to_owned(), detail: detail.clone(), since: now, until: Some(until) },
    )?;
    let text = format!(
        "the runner {account} is parked ({kind}: {detail}) until {}; its runs go on then",
        format_time(until)
    );
    log.alarm(env, store, &format!("runner-parked:{account}"), &text)
}
