//! What keeps a repo back, and when that is over.

use super::super::observe;
use super::super::world::{RepoPolicy, World};
use super::target;
use crate::domain::checks::{self, CiVerdict};
use crate::domain::message;
use crate::domain::model::{Check, Oid};
use crate::error::Error;
use crate::ports::Wanted;
use crate::store::Hold;

/// Looks whether what a repo is held for is over: the branch moved on from the red commit, or is green now. A branch that
/// turned red by what came to it otherwise is told, and holds the repo.
pub(super) fn lift(world: &mut World, policy: &RepoPolicy) -> Result<(), Error> {
    let cause = format!("default-branch-red:{}", policy.repo);
    for hold in world.store.holds(&policy.repo)? {
        let Ok((_, head)) = target(world, policy) else { continue };
        let moved = hold.oid.as_ref() != Some(&head);
        let watched = hold.kind == Hold::WATCHED;
        if watched && moved {
            // Another commit, another time to wait for its checks.
            let now = world.now();
            world
                .store
                .put_hold(&policy.repo, &Hold { oid: Some(head.clone()), since: now, ..hold.clone() })?;
        }
        let waited = if watched && !moved { world.now().since(hold.since) } else { 0 };
        let seen = observe::stages(world, policy, &head, (0, waited), Wanted::Verdict { rules_of: None });
        let verdict = checks::fold(&seen, policy.ci_grace_seconds, policy.ci_timeout_seconds);
        let over = match &verdict {
            CiVerdict::Green { .. } => {
                world.recovered(&cause)?;
                true
            }
            CiVerdict::Red { checks, .. } if watched => {
                // It is watched on, until it is green again.
                red_by_merge(world, policy, &hold, &head, checks, &cause)?;
                false
            }
            CiVerdict::Red { .. } => false,
            CiVerdict::NoChecks { .. } | CiVerdict::TimedOut { .. } => {
                watched || hold.kind == "base-red" && moved
            }
            CiVerdict::Unreadable { .. }
            | CiVerdict::NotStarted { .. }
            | CiVerdict::Pending { .. }
            | CiVerdict::NeedsPerson { .. } => hold.kind == "base-red" && moved,
        };
        if over {
            world.store.clear_hold(&policy.repo, &hold.kind)?;
        } else if let CiVerdict::NotStarted { stage } = &verdict
            && !world.host.switch_on
            && !world.dry
            && let Err(error) = world.ci.start(&policy.repo, stage, &head, 1)
        {
            world.failed(&format!("CI of {}", policy.repo), &error)?;
        }
    }
    Ok(())
}

fn red_by_merge(
    world: &mut World,
    policy: &RepoPolicy,
    hold: &Hold,
    head: &Oid,
    checks: &[Check],
    cause: &str,
) -> Result<(), Error> {
    let names: Vec<String> = checks.iter().map(|c| message::plain(&c.name, 80)).collect();
    let run = hold.run.as_deref().unwrap_or("(unknown)");
    let detail = format!(
        "the default branch of {} is red at {} ({}) after run {run} was merged; mend it, or take the change back with \
         `offhours revert`",
        policy.repo,
        head.short(),
        names.join(", ")
    );
    world.alarm(cause, &detail)?;
    let now = world.now();
    let red =
        Hold { kind: "base-red".to_owned(), oid: Some(head.clone()), run: hold.run.clone(), since: now };
    world.store.put_hold(&policy.repo, &red)?;
    // The run is over; what became of its work is not.
    if let Some(row) = hold.run.as_deref().map(|run| world.store.run(run)).transpose()?.flatten() {
        let event = observe::event(&row.run, "red-afterwards", "red-afterwards", now, &names.join(", "));
        world.store.event(&event)?;
    }
    Ok(())
}
