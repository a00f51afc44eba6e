//! What keeps a repo back, and when that is over.

use super::super::env::Env;
use super::super::event::event;
use super::super::log::Log;
use super::super::observe;
use super::super::policy::{HostPolicy, RepoPolicy};
use super::target::target;
use crate::domain::checks::{self, CiVerdict};
use crate::domain::escape::sanitize;
use crate::domain::event::Happening;
use crate::domain::model::{Check, Oid};
use crate::error::Error;
use crate::ports::Wanted;
use crate::store::{Hold, HoldKind, Store};

/// Looks whether what a repo is held for is over: the branch moved on from the red commit, or is green now. A branch that
/// turned red by what came to it otherwise is told, and holds the repo.
pub(super) fn lift(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    policy: &RepoPolicy,
) -> Result<(), Error> {
    let cause = format!("default-branch-red:{}", policy.repo);
    for hold in store.holds(&policy.repo)? {
        let Ok((_, head)) = target(env, policy) else { continue };
        let moved = hold.oid.as_ref() != Some(&head);
        let watched = hold.kind == HoldKind::Watched;
        if watched && moved {
            // Another commit, another time to wait for its checks.
            let now = env.now();
            store.put_hold(&policy.repo, &Hold { oid: Some(head.clone()), since: now, ..hold.clone() })?;
        }
        let waited = if watched && !moved { env.now().since(hold.since) } else { 0 };
        let seen = observe::stages(env, policy, &head, (0, waited), Wanted::Verdict { rules_of: None });
        let verdict = checks::fold(&seen, policy.ci_grace_seconds, policy.ci_timeout_seconds);
        let over = match &verdict {
            CiVerdict::Green { .. } => {
                env.recovered(store, &cause)?;
                true
            }
            CiVerdict::Red { checks, .. } if watched => {
                // It is watched on, until it is green again.
                red_by_merge(env, store, log, policy, &hold, (&head, checks), &cause)?;
                false
            }
            CiVerdict::Red { .. } => false,
            CiVerdict::NoChecks { .. } | CiVerdict::TimedOut { .. } => {
                watched || hold.kind == HoldKind::BaseRed && moved
            }
            CiVerdict::Unreadable { .. }
            | CiVerdict::NotStarted { .. }
            | CiVerdict::Pending { .. }
            | CiVerdict::NeedsPerson { .. } => hold.kind == HoldKind::BaseRed && moved,
        };
        if over {
            store.clear_hold(&policy.repo, hold.kind)?;
        } else if let CiVerdict::NotStarted { stage } = &verdict
            && !host.switch_on
            && !host.dry
            && let Err(error) = env.ci.start(&policy.repo, stage, &head, 1)
        {
            log.failed(env, store, &format!("CI of {}", policy.repo), &error)?;
        }
    }
    Ok(())
}

fn red_by_merge(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    policy: &RepoPolicy,
    hold: &Hold,
    (head, checks): (&Oid, &[Check]),
    cause: &str,
) -> Result<(), Error> {
    let names: Vec<String> = checks.iter().map(|c| sanitize(&c.name, 80)).collect();
    let run = hold.run.as_deref().unwrap_or("(unknown)");
    let detail = format!(
        "the default branch of {} is red at {} ({}) after run {run} was merged; mend it, or take the change back with \
         `offhours revert`",
        policy.repo,
        head.short(),
        names.join(", ")
    );
    log.alarm(env, store, cause, &detail)?;
    let now = env.now();
    let red = Hold { kind: HoldKind::BaseRed, oid: Some(head.clone()), run: hold.run.clone(), since: now };
    store.put_hold(&policy.repo, &red)?;
    // The run is over; what became of its work is not.
    if let Some(row) = hold.run.as_deref().map(|run| store.run(run)).transpose()?.flatten() {
        let event = event(&row.run, "red-afterwards", Happening::RedAfterwards, now, &names.join(", "));
        store.event(&event)?;
    }
    Ok(())
}
