//! Taking a landed change back: commits on a branch of their own, and a pull request that a person merges.

use super::super::env::Env;
use super::super::event::event;
use super::super::lessons;
use super::super::log::Log;
use super::out::{done, remote};
use crate::domain::effect::Words;
use crate::domain::escape::sanitize;
use crate::domain::event::Happening;
use crate::domain::model::{Landing, Oid};
use crate::domain::run::Run;
use crate::engine::EffectOutcome;
use crate::error::Error;
use crate::ports::{Merged, NewPull, PortError, PortResult, Pushed};
use crate::store::{RunRow, Store};
use crate::text;

/// What the run brought to the target, oldest first: each from a commit of the target to a head of the run's.
fn landed(store: &Store, run: &Run) -> Result<Vec<(Oid, Oid)>, Error> {
    Ok(match (run.landing, &run.pushed) {
        (Landing::Push, _) => {
            store.landings(&run.id)?.into_iter().map(|(head, expected)| (expected, head)).collect()
        }
        (Landing::PullRequest, Some(head)) => vec![(run.up_to.clone(), head.clone())],
        (Landing::PullRequest, None) => vec![],
    })
}

pub(super) fn push(
    env: &Env,
    store: &mut Store,
    row: &RunRow,
    branch: &str,
) -> Result<PortResult<EffectOutcome>, Error> {
    let changes = landed(store, &row.run)?;
    let answer = push_changes(env, row, branch, &changes);
    if answer.is_ok() {
        let event = event(&row.run, "reverted", Happening::Reverted, env.now(), branch);
        store.step(&row.run, &[], &[lessons::by(event, &row.runner)])?;
    }
    Ok(answer)
}

/// Where the world says no, nothing of it stays recorded, and a person may ask again.
pub(super) fn or_give_up(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    run: &Run,
    answer: PortResult<EffectOutcome>,
) -> Result<PortResult<EffectOutcome>, Error> {
    match answer {
        Err(error @ (PortError::Refused { .. } | PortError::Gone { .. })) => {
            let now = env.now();
            store.cancel_pending(&run.id, now)?;
            log.failed(env, store, &format!("revert of {}", run.issue), &error)?;
            Ok(Ok(EffectOutcome::Again(error.to_string())))
        }
        other => Ok(other),
    }
}

fn push_changes(env: &Env, row: &RunRow, branch: &str, changes: &[(Oid, Oid)]) -> PortResult<EffectOutcome> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let remote = remote(env, row)?;
    // An earlier try may have pushed it without telling us, on an older target.
    if let Some(there) = env.git.remote_head(repo, &remote, branch)? {
        return done(there.to_string());
    }
    if changes.is_empty() {
        return Err(PortError::refused(format!(
            "what run {} landed is not recorded: revert it by hand",
            run.id
        )));
    }
    let mut head = env.git.fetch_branch(repo, &remote, &run.target_branch)?;
    for (from, to) in changes.iter().rev() {
        let text = text::undo_commit(run, to);
        head = match env.git.undo(repo, &head, from, to, &text)? {
            Merged::UpToDate(oid) => oid,
            Merged::Conflict(paths) => {
                return Err(PortError::refused(format!(
                    "later changes touch the same places ({}): revert {} by hand",
                    sanitize(&paths.join(", "), 400),
                    to.short()
                )));
            }
        };
    }
    match env.git.push(repo, &remote, branch, None, &head)? {
        Pushed::Done => done(head.to_string()),
        // Somebody made it meanwhile; it is only ever made by this.
        Pushed::Raced => Err(PortError::later(format!("the branch {branch} was just made by somebody else"))),
    }
}

pub(super) fn open(env: &Env, row: &RunRow, branch: &str, said: &Words) -> PortResult<EffectOutcome> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let pulls = env.pulls(&run.issue.repo)?;
    let pull = match pulls.pull_of(repo, branch)? {
        Some(pull) => pull,
        None => pulls.open_pull(
            repo,
            &NewPull {
                title: said.title.clone(),
                body: said.body.clone(),
                branch: branch.to_owned(),
                target: run.target_branch.clone(),
            },
        )?,
    };
    done(format!("#{}", pull.number))
}
