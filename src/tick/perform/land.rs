//! Landing by push.

use super::super::env::Env;
use super::super::event::event;
use super::super::log::Log;
use super::out::{done, remote};
use crate::domain::event::Happening;
use crate::domain::model::Oid;
use crate::domain::run::{self};
use crate::engine::EffectOutcome;
use crate::error::Error;
use crate::ports::{PortResult, Pushed};
use crate::store::{RunRow, Store};

pub(super) fn land(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    head: &Oid,
    expected: &Oid,
    tried: bool,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let answer = remote(env, row)
        .and_then(|remote| env.git.push(&run.issue.repo, &remote, &run.target_branch, Some(expected), head));
    match answer {
        Ok(Pushed::Done) => landed(env, store, log, run, head),
        // The first try may have pushed without telling us, and somebody built on it since.
        Ok(Pushed::Raced) if tried => match on_target(env, row, head) {
            Ok(true) => landed(env, store, log, run, head),
            Ok(false) => Ok(Ok(EffectOutcome::Again("the target moved".to_owned()))),
            Err(error) => Ok(Err(error)),
        },
        Ok(Pushed::Raced) => Ok(Ok(EffectOutcome::Again("the target moved".to_owned()))),
        Err(error) => Ok(Err(error)),
    }
}

fn on_target(env: &Env, row: &RunRow, head: &Oid) -> PortResult<bool> {
    let repo = &row.run.issue.repo;
    let target = env.git.fetch_branch(repo, &remote(env, row)?, &row.run.target_branch)?;
    env.git.is_ancestor(repo, head, &target)
}

fn landed(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    run: &run::Run,
    head: &Oid,
) -> Result<PortResult<EffectOutcome>, Error> {
    let now = env.now();
    let landed = run::landed(run.clone(), head.clone());
    let event = event(run, &format!("pushed:{head}"), Happening::Pushed, now, run.target_branch.as_str());
    store.step(&landed, &[], &[event])?;
    log.acted(&landed, "pushed", &format!("{} is on {}", head.short(), run.target_branch));
    Ok(done("pushed"))
}
