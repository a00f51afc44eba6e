//! The turn: whether it is at work, and how it ended.

use super::super::breaker::note_start_failure;
use super::super::env::Env;
use super::super::log::Log;
use super::super::policy::HostPolicy;
use super::super::templates;
use crate::domain::backoff::parked_until;
use crate::domain::effect::NoticeKind;
use crate::domain::escape::plain;
use crate::domain::model::{JobResult, JobState, TurnEnd, TurnEnding, UnixTime};
use crate::domain::moment::moment;
use crate::domain::run::TurnSeen;
use crate::error::Error;
use crate::ports::PortResult;
use crate::store::{Park, RunRow, Store, TurnRow};

pub(super) fn turn(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
) -> Result<TurnSeen, Error> {
    let run = &row.run;
    let id = run.turn_job(run.turns);
    if let Some(detail) = store.refusal(&run.id, &format!("turn-{}", run.turns))? {
        // What does not render now will not render at the next try.
        let end = if templates::failed(store, &run.id, run.turns)? {
            TurnEnd::Error { detail }
        } else {
            TurnEnd::FailedToStart { detail }
        };
        return Ok(TurnSeen::Over(end));
    }
    let dir = env.folder(run).job(&id);
    let state = match env.runner.state(&dir) {
        Ok(state) => state,
        Err(error) => {
            log.failed(env, store, &format!("run {}", run.id), &error)?;
            return Ok(TurnSeen::Unreadable);
        }
    };
    Ok(match state {
        JobState::Running { asks: Some(link), .. } => {
            let title = format!("{}: the agent asks", run.issue);
            let text = format!("Answer it in {link}");
            env.notify(store, &format!("{id}:asks"), NoticeKind::NeedsHuman, &title, &text, Some(link))?;
            TurnSeen::NeedsInput
        }
        JobState::Running { verifying: false, .. } => TurnSeen::Running,
        JobState::Running { verifying: true, .. } => TurnSeen::Verifying,
        JobState::Over(result) => {
            turn_over(env, host, store, log, row, &result)?;
            TurnSeen::Over(result.end)
        }
        JobState::NotStarted | JobState::Orphaned => match end_leftovers(env, host, &dir, &id) {
            Ok(()) => {
                let ended = TurnRow {
                    turn: run.turns,
                    kind: run.turn_kind,
                    started_at: run.created_at,
                    ended_at: Some(env.now()),
                    ending: Some(TurnEnding::Orphaned.code().to_owned()),
                    detail: Some("the supervisor died".to_owned()),
                    usage: crate::domain::model::Usage::default(),
                    summary: None,
                };
                store.turn_ended(&run.id, &ended)?;
                TurnSeen::Orphaned
            }
            Err(error) => {
                log.failed(env, store, &format!("run {}", run.id), &error)?;
                TurnSeen::Unreadable
            }
        },
    })
}

pub(super) fn end_leftovers(env: &Env, host: &HostPolicy, dir: &std::path::Path, id: &str) -> PortResult<()> {
    if host.dry {
        return Ok(());
    }
    env.runner.stop(dir, id)
}

/// Records a turn's end once: usage, and what it says about the runner's account.
pub(in crate::tick) fn turn_over(
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
    let detail = plain(detail, 300);
    store.park(
        account,
        &Park { kind: kind.to_owned(), detail: detail.clone(), since: now, until: Some(until) },
    )?;
    let text = format!(
        "the runner {account} is parked ({kind}: {detail}) until {}; its runs go on then",
        moment(until)
    );
    log.alarm(env, store, &format!("runner-parked:{account}"), &text)
}

/// A stable word and the detail of a turn's end.
pub fn end_words(end: &TurnEnd) -> (&'static str, String) {
    let detail = match end {
        TurnEnd::Finished | TurnEnd::TimedOut | TurnEnd::Stalled | TurnEnd::Stopped => String::new(),
        TurnEnd::ResultUnreadable { why } => format!("the result file {why}"),
        TurnEnd::Blocked { reason: detail }
        | TurnEnd::Error { detail }
        | TurnEnd::CutOff { detail, .. }
        | TurnEnd::PermissionDenied { detail }
        | TurnEnd::Quota { detail, .. }
        | TurnEnd::LoginRefused { detail }
        | TurnEnd::FailedToStart { detail } => detail.clone(),
    };
    (end.ending().code(), detail)
}
