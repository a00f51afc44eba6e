//! Effects on the run's branch, its pull request and the repo's slot.

use super::super::env::Env;
use super::super::event::event;
use super::super::log::{Log, illegal};
use super::super::policy::RepoPolicy;
use super::out::{done, remote};
use crate::domain::effect::Words;
use crate::domain::event::Happening;
use crate::domain::model::{Oid, PullState};
use crate::domain::run;
use crate::engine::EffectOutcome;
use crate::error::Error;
use crate::ports::{ClaimAnswer, MergeAnswer, NewPull, PortError, PortResult, Pushed};
use crate::store::{RunRow, Store};
use crate::text;

/// Pushes to the run's own branch. Where somebody else pushed there meanwhile, the next look sees their commit.
pub(super) fn push(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    policy: &RepoPolicy,
    head: &Oid,
    expected: Option<&Oid>,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let answer = remote(env, row).and_then(|remote| {
        let there = if policy.agent_pushes { agents_head(env, row, head)? } else { None };
        match env.git.push(repo, &remote, &run.branch, there.as_ref().or(expected), head)? {
            Pushed::Done => Ok(true),
            // The first try may have pushed without telling us.
            Pushed::Raced => Ok(env.git.remote_head(repo, &remote, &run.branch)?.as_ref() == Some(head)),
        }
    });
    match answer {
        Ok(true) => {
            let now = env.now();
            let event = event(run, &format!("pushed:{head}"), Happening::Pushed, now, &run.branch);
            store.step(&run::landed(run.clone(), head.clone()), &[], &[event])?;
            log.acted(run, "pushed", &format!("{} is on {}", head.short(), run.branch));
            Ok(done("pushed"))
        }
        Ok(false) => {
            // Told to the machine as what it is: the branch is not ours alone any more.
            let taken =
                PortError::refused(format!("the branch {} has commits that are not ours", run.branch));
            if expected.is_none() { Ok(Err(taken)) } else { Ok(Ok(EffectOutcome::NotNow(taken.to_string()))) }
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Where the agent left the branch by itself: only what the work to be pushed contains counts.
fn agents_head(env: &Env, row: &RunRow, head: &Oid) -> PortResult<Option<Oid>> {
    let repo = &row.run.issue.repo;
    let remote = remote(env, row)?;
    let Some(there) = env.git.remote_head(repo, &remote, &row.run.branch)? else { return Ok(None) };
    // A commit that is not in the work is not known here.
    Ok(env.git.is_ancestor(repo, &there, head).is_ok_and(|within| within).then_some(there))
}

/// Opens the pull request, or adopts the one that is there: an earlier try may have opened it without telling us.
pub(super) fn open(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    said: &Words,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let answer = env.pulls(&run.issue.repo).and_then(|pulls| {
        if let Some(found) = pulls.pull_of(repo, &run.branch)? {
            let told = found.body.contains(&said.body);
            return Ok((found, told));
        }
        let new = NewPull {
            title: said.title.clone(),
            body: said.body.clone(),
            branch: run.branch.clone(),
            target: run.target_branch.clone(),
        };
        Ok((pulls.open_pull(repo, &new)?, true))
    });
    let (pull, told) = match answer {
        Ok(answer) => answer,
        Err(error) => return Ok(Err(error)),
    };
    let now = env.now();
    let number = pull.number;
    let event = event(run, &format!("pull:{number}"), Happening::PullOpened, now, &format!("#{number}"));
    store.step(&run::pull_opened(run.clone(), number, told), &[], &[event])?;
    log.acted(run, "pull-opened", &format!("pull request #{number}"));
    Ok(done(format!("#{number}")))
}

/// Brings our part of the text up to date. What a person made of it otherwise stays.
pub(super) fn edit(
    env: &Env,
    store: &mut Store,
    row: &RunRow,
    number: u64,
    head: &Oid,
    body: &str,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let answer = env.pulls(&run.issue.repo).and_then(|pulls| {
        let pull = pulls.pull(repo, number)?;
        match text::pull_text(run, &pull.body, body) {
            Some(text) if pull.state == PullState::Open => pulls.edit_pull(repo, number, &pull.title, &text),
            Some(_) | None => Ok(()),
        }
    });
    match answer {
        // A text that cannot be written holds nothing else up.
        Ok(()) | Err(PortError::Refused { .. } | PortError::Gone { .. }) => {
            store.touch(&run::pull_told(run.clone(), head.clone()))?;
            Ok(done("told"))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Merges at exactly this head; looked for first, because the answer to an earlier try may have been lost.
pub(super) fn merge(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    number: u64,
    head: &Oid,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let answer = env.pulls(&run.issue.repo).and_then(|pulls| {
        let pull = pulls.pull(repo, number)?;
        match pull.state {
            PullState::Merged { .. } => Ok(MergeAnswer::Merged(None)),
            PullState::Closed => Ok(MergeAnswer::HeadMoved),
            PullState::Open if pull.head != *head => Ok(MergeAnswer::HeadMoved),
            PullState::Open => pulls.merge_pull(repo, number, head),
        }
    });
    match answer {
        Ok(MergeAnswer::Merged(_)) => {
            let now = env.now();
            let event = event(run, &format!("merged:{head}"), Happening::Merged, now, &format!("#{number}"));
            store.step(run, &[], &[event])?;
            log.acted(run, "merged", &format!("pull request #{number} at {}", head.short()));
            Ok(done("merged"))
        }
        Ok(MergeAnswer::HeadMoved) => {
            Ok(Ok(EffectOutcome::NotNow("it is not at that head any more".to_owned())))
        }
        Err(error) => Ok(Err(error)),
    }
}

pub(super) fn release_slot(env: &Env, row: &RunRow) -> PortResult<EffectOutcome> {
    let Some(claim) = &row.claim else { return done("there was no claim") };
    let remote = remote(env, row)?;
    env.git.release_slot(&row.run.issue.repo, &remote, claim)?;
    done("given up")
}

pub(super) fn take_slot(
    env: &Env,
    store: &mut Store,
    row: &RunRow,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let Some(claim) = &row.claim else {
        return Ok(Err(PortError::refused("the run has no claim with which to take the slot")));
    };
    let answer = remote(env, row)
        .and_then(|remote| env.git.take_slot(&run.issue.repo, &remote, run.issue.number, claim));
    match answer {
        Ok(ClaimAnswer::Won(_)) => {
            store.touch(&run::slot_taken(run.clone()))?;
            Ok(done("taken"))
        }
        // It stays claimed for a review; whoever holds the slot gives it up one day.
        Ok(ClaimAnswer::Lost(who)) => {
            store.touch(&run::waits_for_slot(run.clone()).map_err(illegal)?)?;
            Ok(Ok(EffectOutcome::NotNow(who)))
        }
        Err(error) => Ok(Err(error)),
    }
}
