//! `upgrade stop`, `fresh` and `cleanup`: what a batch left running is ended, what it put up is taken down, and what it opened
//! is closed.

use super::act::closing;
use super::{Job, UpgradeWorld};
use crate::domain::model::{JobState, PullState};
use crate::domain::upgrade::{Batch, Step};
use crate::error::Error;
use crate::ports::{PortError, PortResult, Pushed};
use crate::store::{OwnPull, PullStanding};
use crate::text::upgrade as text;

/// Ends every process of a batch, and starts the teardown of a recipe that was triggered. Answers the teardowns that run
/// now: their folders and ids.
pub fn end(world: &mut UpgradeWorld, batch: &Batch) -> Result<Vec<(String, String)>, Error> {
    let mut running = vec![];
    for recipe in world.store.recipes(batch.id)? {
        let turns = (1..=recipe.turns).map(Job::Turn);
        for job in turns.chain([Job::Check, Job::Verify]) {
            let (dir, id) = world.job(batch.id, &recipe.name, job);
            if matches!(world.env.runner.state(&dir), Ok(JobState::Running { .. } | JobState::Orphaned))
                && let Err(error) = world.env.runner.stop(&dir, &id)
            {
                world.log.failed(&world.env, &mut world.store, &format!("recipe {}", recipe.name), &error)?;
            }
        }
        let triggered = !recipe.trials.is_empty() && recipe.step != Step::Done;
        if !triggered || world.policy.teardown.is_empty() {
            continue;
        }
        let argv = world.policy.teardown.clone();
        match world.start_command(batch.id, &recipe, Job::Teardown, &argv, &[]) {
            Ok(()) => {
                let (dir, id) = world.job(batch.id, &recipe.name, Job::Teardown);
                running.push((dir.display().to_string(), id));
                world.acted(&recipe.name, "teardown", "started");
            }
            Err(error) => {
                world.log.failed(&world.env, &mut world.store, &format!("recipe {}", recipe.name), &error)?;
            }
        }
    }
    Ok(running)
}

/// Closes the open pull requests of ours and removes their branches. A branch with commits of a person is left alone.
pub fn clean(world: &mut UpgradeWorld, batch: Option<i64>) -> Result<(), Error> {
    for pull in world.store.own_pulls(batch)? {
        match one(world, &pull) {
            Ok(None) => {}
            Ok(Some(closed)) => {
                world.store.set_own_pull(&closed)?;
                world.acted(
                    &closed.recipe,
                    "cleanup",
                    &format!("pull request {} of {}", closed.number, closed.repo),
                );
            }
            Err(error) => {
                world.log.failed(
                    &world.env,
                    &mut world.store,
                    &format!("pull request {} of {}", pull.number, pull.repo),
                    &error,
                )?;
            }
        }
    }
    // Branches that were pushed and got no pull request: known by commits that an intent of ours recorded.
    for recipe in world.recipes.clone() {
        for repo in std::iter::once(recipe.mirror.clone()).chain(recipe.tests.clone()) {
            if batch.is_none()
                && let Err(error) = branches(world, &repo, &recipe.name)?
            {
                world.log.failed(&world.env, &mut world.store, &format!("branches of {repo}"), &error)?;
            }
        }
    }
    Ok(())
}

/// What was closed or removed; nothing where there was nothing to do.
fn one(world: &UpgradeWorld, pull: &OwnPull) -> PortResult<Option<OwnPull>> {
    let forge = world.forge(&pull.repo)?;
    let remote = forge.remote(&pull.repo)?;
    let head = world.env.git.remote_head(&pull.repo, &remote, &pull.branch)?;
    if let Some(head) = &head {
        let ours = world
            .store
            .is_own_commit(&pull.repo, head)
            .map_err(|error| PortError::later(error.to_string()))?;
        if !ours {
            return Ok(None);
        }
    }
    let there = forge.pull(&pull.repo, pull.number)?;
    let open = there.state == PullState::Open;
    if !open && head.is_none() {
        return Ok(None);
    }
    if open {
        let body = text::cleaned_up(pull.batch, &pull.recipe, pull.number, &world.policy.trigger);
        closing(
            world,
            &pull.repo,
            pull.number,
            &text::marker(pull.batch, &pull.recipe, &format!("cleanup-{}", pull.number)),
            &body,
        )?;
    }
    if let Some(head) = head
        && world.push.delete_upgrade(&pull.repo, &remote, &pull.branch, &head)? == Pushed::Raced
    {
        return Err(PortError::later(format!("the branch {} moved while it was to be removed", pull.branch)));
    }
    let state = if pull.state == PullStanding::Open { PullStanding::Closed } else { pull.state };
    Ok(Some(OwnPull { state, ..pull.clone() }))
}

fn branches(
    world: &mut UpgradeWorld,
    repo: &crate::domain::model::RepoId,
    recipe: &str,
) -> Result<PortResult<()>, Error> {
    let answer = world.forge(repo).and_then(|forge| forge.remote(repo)).and_then(|remote| {
        let found = world.git.remote_branches(repo, &remote.url, &format!("upgrade/{recipe}/"))?;
        Ok((remote, found))
    });
    let (remote, found) = match answer {
        Ok(answer) => answer,
        Err(error) => return Ok(Err(error)),
    };
    for (branch, head) in found {
        if world.store.is_own_commit(repo, &head)? {
            match world.push.delete_upgrade(repo, &remote, &branch, &head) {
                Ok(_) => world.acted(recipe, "cleanup", &format!("branch {branch}")),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
    Ok(Ok(()))
}
