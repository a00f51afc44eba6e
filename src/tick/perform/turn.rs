//! Starting a turn.

use super::super::breaker::note_start_failure;
use super::super::env::Env;
use super::super::log::Log;
use super::super::policy::{HostPolicy, RepoPolicy};
use super::super::{lessons, templates};
use super::out::done;
use crate::domain::effect::TurnKind;
use crate::domain::model::{Asked, JobState};
use crate::domain::run::Phase;
use crate::engine::EffectOutcome;
use crate::error::Error;
use crate::ports::{JobKind, JobSpec, PortError, PortResult, TurnSpec};
use crate::store::{RunRow, Store};
use crate::text;

/// The turn that is to be started, and what its agent is told beside the issue.
#[derive(Clone, Copy)]
pub(super) struct Next<'a> {
    pub(super) turn: u32,
    pub(super) kind: TurnKind,
    pub(super) told: &'a str,
}

pub(super) fn start_turn(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    policy: &RepoPolicy,
    next: Next<'_>,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let Next { turn, kind, told } = next;
    let Some(text) = store.run_text(&run.id)? else {
        return Ok(Err(PortError::refused("the run's text is not in the state file")));
    };
    let given = lessons::to_give(env, host, store, log, run, turn);
    let template = templates::of(env, store, run)?;
    let prompt = match env.prompter.render(&template, run, &text, &given.text, told) {
        Ok(prompt) if policy.agent_pushes => prompt + &text::push_yourself(run),
        Ok(prompt) => prompt,
        Err(error) => return templates::does_not_render(env, store, log, run, turn, error).map(Err),
    };
    if turn == 1 {
        lessons::give(env, host, store, log, run, &given, &prompt);
    }
    let session = store.turns_of(&run.id)?.into_iter().rev().find_map(|t| t.usage.session);
    let (known, _) = store.cost_of(&run.id)?;
    let id = run.turn_job(turn);
    let folder = env.folder(run);
    let job = JobSpec {
        dir: folder.job(&id),
        id: id.clone(),
        repo: run.issue.repo.clone(),
        kind: JobKind::Turn(Box::new(TurnSpec {
            run: run.id.clone(),
            folder,
            base: run.base.clone(),
            runner: policy.runner.name.clone(),
            prompt,
            session,
            // Nothing is for runs that cost nothing; of a budget that is used up there is always a last cent.
            budget_usd: if row.budget_usd > 0.0 { (row.budget_usd - known).max(0.01) } else { 0.0 },
            first: turn == 1,
            verify: policy.verify.clone(),
            asked: Asked::Work,
        })),
        timeout_seconds: policy.runner.turn_timeout_seconds,
        stall_seconds: policy.runner.stall_seconds,
    };
    // A turn that was started is at work in the clone by now.
    if matches!(env.runner.state(&job.dir), Ok(JobState::NotStarted))
        && let Err(error) = env.git.unlock(&job.repo, &env.folder(run))
    {
        return Ok(Err(error));
    }
    match env.runner.start(&job) {
        Ok(()) => {
            let now = env.now();
            store.turn_started(&run.id, turn, kind, now)?;
            log.acted(run, "dispatched", &format!("turn {turn} was given to runner {}", policy.runner.name));
            Ok(done(id))
        }
        Err(error) => {
            if matches!(error, PortError::Refused { .. }) && run.phase == Phase::Starting {
                note_start_failure(env, host, store, log, row, &error.to_string())?;
            }
            Ok(Err(error))
        }
    }
}
