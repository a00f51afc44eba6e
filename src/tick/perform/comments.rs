//! The run's two comments on its issue: the progress, edited in place, and the end.

use super::super::env::Env;
use super::out::done;
use crate::domain::model::Outcome;
use crate::domain::run::Phase;
use crate::engine::EffectOutcome;
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::RunRow;
use crate::store::Store;
use crate::text;

/// Finds a comment of ours whose id was not recorded, by its hidden marker. The oldest counts: a forged one is younger.
pub(in crate::tick) fn find_comment(env: &Env, row: &RunRow, what: &str) -> PortResult<Option<String>> {
    let issue = &row.run.issue;
    let marker = text::marker(&row.run.id, what);
    env.forge(&issue.repo)?.find_comment(&issue.repo, issue.number, &marker)
}

fn put(env: &Env, row: &RunRow, id: Option<&str>, body: &str) -> PortResult<String> {
    let issue = &row.run.issue;
    env.forge(&issue.repo)?.put_comment(&issue.repo, issue.number, id, body)
}

pub(super) fn progress(
    env: &Env,
    store: &mut Store,
    row: &RunRow,
    body: &str,
    tried: bool,
) -> Result<PortResult<EffectOutcome>, Error> {
    let known = match (&row.comment_id, tried) {
        (Some(id), _) => Some(id.clone()),
        (None, true) => match find_comment(env, row, "progress") {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        },
        (None, false) => None,
    };
    // A dispatch that fails again and again is one comment.
    let inherited = match &known {
        Some(_) => None,
        None => earlier(store, row)?,
    };
    // A state file put back from before the run's end ends it again, otherwise: what was told first stays.
    if row.run.phase == Phase::Ending && row.end_comment_id.is_none() {
        match find_comment(env, row, "end") {
            Ok(Some(id)) => {
                store.set_end_comment(&row.run.id, &id)?;
                return Ok(done("the end was told before"));
            }
            Ok(None) => {}
            Err(PortError::Gone { what }) => return Ok(done(format!("issue gone: {what}"))),
            Err(error) => return Ok(Err(error)),
        }
    }
    let before_start = row.run.phase == Phase::Ending && row.run.outcome == Some(Outcome::NotStarted);
    if known.is_none() && before_start {
        return Ok(done("there was none"));
    }
    let written = match put(env, row, known.as_deref().or(inherited.as_deref()), body) {
        // Somebody deleted the earlier one.
        Err(PortError::Gone { .. }) if inherited.is_some() => put(env, row, None, body),
        other => other,
    };
    match written {
        Ok(id) => {
            store.set_progress_comment(&row.run.id, &id)?;
            Ok(done(id))
        }
        Err(PortError::Gone { what }) => Ok(done(format!("gone: {what}"))),
        Err(error) => Ok(Err(error)),
    }
}

/// The newest progress comment of the runs of the issue right before this one of which nothing came.
fn earlier(store: &Store, row: &RunRow) -> Result<Option<String>, Error> {
    let newest_first = store.runs_of(&row.run.issue)?.into_iter();
    let before = newest_first.skip_while(|one| one.run.id != row.run.id).skip(1);
    let mut in_vain =
        before.take_while(|one| matches!(one.run.outcome, Some(Outcome::NotStarted | Outcome::ClaimLost)));
    Ok(in_vain.find_map(|one| one.comment_id))
}

/// Looks first even if this was not tried: a state file from an older copy does not know that it was said.
pub(super) fn say(
    env: &Env,
    store: &mut Store,
    row: &RunRow,
    body: &str,
) -> Result<PortResult<EffectOutcome>, Error> {
    match find_comment(env, row, "end") {
        Ok(Some(id)) => {
            store.set_end_comment(&row.run.id, &id)?;
            return Ok(done(id));
        }
        Ok(None) => {}
        Err(PortError::Gone { what }) => return Ok(done(format!("issue gone: {what}"))),
        Err(error) => return Ok(Err(error)),
    }
    let body = format!("{body}{}", row.salvage.as_deref().unwrap_or_default());
    match put(env, row, None, &body) {
        Ok(id) => {
            store.set_end_comment(&row.run.id, &id)?;
            Ok(done(id))
        }
        Err(PortError::Gone { what }) => Ok(done(format!("issue gone: {what}"))),
        Err(error) => Ok(Err(error)),
    }
}
