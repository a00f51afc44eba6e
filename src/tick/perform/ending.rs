//! What is left of a run when it ends: kept work, given up claims, marks on its repo and issue, and no folder.

use super::super::env::Env;
use super::super::log::Log;
use super::super::policy::{HostPolicy, RepoPolicy};
use super::out::{done, remote};
use crate::domain::backoff;
use crate::domain::model::{Freeze, HandBack, JobState, Landing, Outcome, UnixTime};
use crate::engine::EffectOutcome;
use crate::error::Error;
use crate::ports::{JobKind, JobSpec, PortError, PortResult, Pushed};
use crate::store::{Hold, HoldKind, RunRow, Store};
use crate::text;

pub(super) fn salvage(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    row: &RunRow,
    push: bool,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let to = host
        .salvage_dir
        .join(&run.issue.repo.forge)
        .join(&run.issue.repo.owner)
        .join(&run.issue.repo.name)
        .join(format!("{}-{}", run.issue.number, run.id));
    let folder = env.folder(run);
    let kept = match env.git.salvage(&run.issue.repo, &folder, &run.id, &run.base, &to) {
        Ok(kept) => kept,
        Err(error) => return Ok(Err(error)),
    };
    let mut notes = kept.notes.clone();
    if kept.is_cut {
        let work = folder.work();
        notes.insert(
            0,
            format!("not all loose files fit into an archive: the workspace stays, {}", work.display()),
        );
    }
    let mut branch = None;
    if let (Some(head), true, false) = (&kept.head, push, host.switch_on) {
        let name = run.salvage_branch();
        match remote(env, row).and_then(|r| env.git.push(&run.issue.repo, &r, &name, None, head)) {
            Ok(Pushed::Done) => branch = Some(name),
            Ok(Pushed::Raced) => {
                notes.push("the salvage branch exists already with other commits".to_owned());
            }
            Err(error) => notes.push(format!("the salvage branch could not be pushed: {error}")),
        }
    }
    let path = |p: &std::path::PathBuf| p.display().to_string();
    let lines = text::salvage_lines(
        kept.bundle.as_ref().map(|b| format!("{} refs/offhours/work/{}", path(b), run.id)).as_deref(),
        kept.archive.as_ref().map(path).as_deref(),
        branch.as_deref(),
        &notes,
    );
    store.set_salvage(&run.id, &lines)?;
    if kept.is_cut {
        return Ok(Err(PortError::refused("not all loose files fit into an archive")));
    }
    Ok(done(to.display().to_string()))
}

/// Gives up claim and slot, and leaves the marks that a run's end leaves on its repo and issue.
pub(super) fn release(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    row: &RunRow,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let now = env.now();
    leave_marks(host, store, row, now)?;
    let answer = (|| {
        let remote = remote(env, row)?;
        let repo = &run.issue.repo;
        let claim = match &row.claim {
            Some(claim) => Some(claim.clone()),
            // The answer to our claim was lost: ours is the one that names this run.
            None => env
                .git
                .claims(repo, &remote)?
                .issues
                .into_iter()
                .find(|(_, holder)| {
                    holder.run.as_deref() == Some(run.id.as_str())
                        && holder.installation.as_deref() == Some(store.installation.as_str())
                })
                .map(|(_, holder)| holder.oid),
        };
        match claim {
            Some(oid) => env.git.release(repo, &remote, run.issue.number, &oid),
            None => Ok(()),
        }
    })();
    Ok(match answer {
        Ok(()) => done("released"),
        // Without the repository there is no claim.
        Err(PortError::Gone { what }) => done(format!("gone: {what}")),
        Err(error) => Err(error),
    })
}

fn leave_marks(host: &HostPolicy, store: &mut Store, row: &RunRow, now: UnixTime) -> Result<(), Error> {
    let run = &row.run;
    let hold = |kind| Hold { kind, oid: Some(run.base.clone()), run: Some(run.id.clone()), since: now };
    match &run.outcome {
        Some(Outcome::Frozen(
            Freeze::SameFailure
            | Freeze::TurnsUsed
            | Freeze::TimeUsed
            | Freeze::CorrectiveTurnFailed
            | Freeze::BudgetUsed,
        )) if run.landing == Landing::Push && run.pushed.is_some() => {
            store.put_hold(&run.issue.repo, &hold(HoldKind::Frozen))?;
        }
        Some(Outcome::HandedBack(HandBack::BaseRed)) => {
            store.put_hold(&run.issue.repo, &hold(HoldKind::BaseRed))?;
        }
        Some(Outcome::NotStarted) => {
            let failures = store.backoff(&run.issue)?.map_or(0, |(n, _)| n) + 1;
            let wait = backoff::delay(failures, host.backoff_seconds, host.backoff_max_seconds);
            store.put_backoff(&run.issue, failures, now.plus(wait))?;
        }
        Some(
            Outcome::Frozen(_)
            | Outcome::HandedBack(_)
            | Outcome::Landed
            | Outcome::Withdrawn
            | Outcome::Stopped
            | Outcome::ClaimLost,
        )
        | None => {}
    }
    Ok(())
}

/// Whatever came to the target by other hands than our push: if it turns red by that, people hear of it.
pub(super) fn watch_target(
    env: &Env,
    store: &mut Store,
    row: &RunRow,
) -> Result<PortResult<EffectOutcome>, Error> {
    let repo = &row.run.issue.repo;
    let read =
        remote(env, row).and_then(|remote| env.git.fetch_branch(repo, &remote, &row.run.target_branch));
    match read {
        Ok(oid) => {
            let hold = Hold {
                kind: HoldKind::Watched,
                oid: Some(oid.clone()),
                run: Some(row.run.id.clone()),
                since: env.now(),
            };
            store.put_hold(repo, &hold)?;
            Ok(done(oid.to_string()))
        }
        Err(PortError::Gone { what }) => Ok(done(format!("gone: {what}"))),
        Err(error) => Ok(Err(error)),
    }
}

/// Removes the workspace; not where keeping the work failed. The hook `before_remove` runs as a job first.
pub(super) fn remove(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    policy: &RepoPolicy,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let folder = env.folder(run);
    // What is still verified for a run that people ended is of no use to anybody.
    for number in 1..=run.verifies {
        let id = run.verify_job(number);
        let dir = folder.job(&id);
        let ended = match env.runner.state(&dir) {
            Ok(JobState::Running { .. } | JobState::Orphaned) => env.runner.stop(&dir, &id),
            Ok(JobState::NotStarted | JobState::Over(_)) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            return Ok(Err(error));
        }
    }
    if let Some(why) = store.refusal(&run.id, "salvage")? {
        return Ok(done(format!("kept, because the work could not be saved elsewhere: {why}")));
    }
    if !policy.before_remove.is_empty() {
        let id = format!("{}-remove", run.id);
        let job = JobSpec {
            dir: folder.job(&id),
            id: id.clone(),
            repo: run.issue.repo.clone(),
            kind: JobKind::Command { cwd: folder.work(), argv: policy.before_remove.clone() },
            timeout_seconds: policy.hook_timeout_seconds,
            stall_seconds: None,
        };
        match env.runner.state(&job.dir) {
            Ok(JobState::NotStarted) if !host.switch_on => {
                // A hook that cannot be started is told and passed over.
                match env.runner.start(&job) {
                    Ok(()) => return Ok(Ok(EffectOutcome::UnderWay)),
                    Err(error) => log.failed(env, store, &format!("run {}", run.id), &error)?,
                }
            }
            Ok(JobState::Running { .. }) => return Ok(Ok(EffectOutcome::UnderWay)),
            Ok(JobState::Orphaned) => {
                if let Err(error) = env.runner.stop(&job.dir, &id) {
                    return Ok(Err(error));
                }
            }
            Ok(JobState::NotStarted | JobState::Over(_)) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    env.folders.keep_logs(run);
    Ok(env.git.remove(&folder).and_then(|()| done("removed")))
}
