//! Silence is an alarm: a schedule that does not fire, CI that never answers. What `poll` sees of it is raised there.

use std::path::Path;

use super::env::Env;
use super::log::Log;
use super::policy::HostPolicy;
use crate::domain::model::{HandBack, Outcome, RepoId, UnixTime};
use crate::domain::moment::{format_duration, format_time};
use crate::domain::silence::{self, Heard};
use crate::domain::{doctor, lock};
use crate::error::Error;
use crate::store::Store;
use crate::text;

/// How many runs are looked back at, for the newest of each repo.
const LOOK_BACK: u32 = 200;

/// Looks at when each command ran before this tick, and whether one of them has fallen silent.
pub fn schedule(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    command: &str,
    before: &[(String, UnixTime, Option<UnixTime>, Option<String>)],
) -> Result<(), Error> {
    let now = env.now();
    let heard: Vec<Heard> =
        before.iter().map(|(command, at, _, _)| Heard { command: command.clone(), at: *at }).collect();
    let found = silence::schedule(&heard, command, now, host.schedule_alarm_seconds, host.switch_on);
    for silent in &found {
        log.alarm(env, store, &format!("schedule:{}", silent.command), &silent.sentence)?;
    }
    for (cause, _, _) in store.alarms()? {
        let gone = cause
            .strip_prefix("schedule:")
            .is_some_and(|name| !found.iter().any(|silent| silent.command == name));
        if gone {
            env.recovered(store, &cause)?;
        }
    }
    Ok(())
}

/// A repo whose newest run was handed back because CI never came to an end: until one comes to an end there.
pub fn ci(env: &Env, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    let mut seen = vec![];
    for row in store.recent_runs(LOOK_BACK)? {
        let repo = row.run.issue.repo.clone();
        // What never got as far as CI says nothing about it.
        let Some(outcome) = row.run.outcome.filter(|_| row.run.pushed.is_some()) else { continue };
        if seen.contains(&repo) {
            continue;
        }
        let cause = format!("ci-pending:{repo}");
        if outcome == Outcome::HandedBack(HandBack::CiTimeout) {
            let detail = format!(
                "CI of {repo} never came to an end for run {}; look whether its runners live, or raise ci.timeout_seconds",
                row.run.id
            );
            log.alarm(env, store, &cause, &detail)?;
        } else {
            env.recovered(store, &cause)?;
        }
        seen.push(repo);
    }
    Ok(())
}

/// Locks of git that are not ours to take away, or that a git stands behind which does not end.
pub fn locks(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    let now = env.now();
    for repo in &host.repos {
        let asked = env.forge(repo).and_then(|forge| {
            let mut found = forge.locks(repo)?;
            found.extend(env.git.locks(repo)?);
            Ok(found)
        });
        // What cannot be looked at is told by whoever needs it.
        let Ok(found) = asked else { continue };
        let seen_at = format!("locks-seen:{repo}");
        let before = lock::read(&store.meta(&seen_at)?.unwrap_or_default());
        let found = found.into_iter().map(|lock| (lock.path.display().to_string(), lock.made)).collect();
        let standing = lock::standing(&before, found, now);
        if standing != before {
            store.set_meta(&seen_at, &lock::kept(&standing))?;
        }
        let overdue: Vec<String> = standing
            .iter()
            .filter(|one| one.too_long(now))
            .map(|one| text::lock::stands(Path::new(&one.path), now.since(one.since)))
            .collect();
        let cause = format!("locked:{repo}");
        if overdue.is_empty() {
            env.recovered(store, &cause)?;
        } else {
            log.alarm(env, store, &cause, &format!("{repo}: {}", overdue.join("; ")))?;
        }
    }
    for (cause, _, _) in store.alarms()? {
        let listed = |name: &str| host.repos.iter().any(|repo| repo.to_string() == name);
        if cause.strip_prefix("locked:").is_some_and(|name| !listed(name)) {
            env.recovered(store, &cause)?;
        }
    }
    Ok(())
}

/// What was seen of a repo's labels when they were last looked at.
fn seen_at(repo: &RepoId) -> String {
    format!("labels-seen:{repo}")
}

/// Labels that are not there any more, and tokens that end soon: once a day, and at every tick while such an alarm stands.
pub fn forges(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    if host.dry {
        return Ok(());
    }
    let now = env.now();
    let today = store.first_today("forges-looked-at", now)?;
    let standing = store.alarms()?;
    for name in env.forges.keys().cloned().collect::<Vec<_>>() {
        let used = host.repos.iter().any(|repo| repo.forge == name);
        let cause = format!("token-ends:{name}");
        if used && (today || standing.iter().any(|(c, _, _)| *c == cause)) && !(env.past_deadline)() {
            token(env, store, log, &name, &cause)?;
        }
    }
    for repo in host.repos.clone() {
        let cause = format!("label-gone:{repo}");
        if (today || standing.iter().any(|(c, _, _)| *c == cause)) && !(env.past_deadline)() {
            labels(env, host, store, log, &repo, &cause)?;
        }
    }
    Ok(())
}

fn token(env: &Env, store: &mut Store, log: &mut Log, name: &str, cause: &str) -> Result<(), Error> {
    let Some(forge) = env.forges.get(name).cloned() else { return Ok(()) };
    let Some(desk) = forge.admin() else { return Ok(()) };
    let now = env.now();
    // One that is refused is told by whoever needs it.
    let Ok(token) = desk.token() else { return Ok(()) };
    match token.expires_at.filter(|end| doctor::near(*end, now)) {
        Some(end) => {
            let detail = format!(
                "the token of {name} ends on {}, in {}; renew it, and put it where forge.{name}.token points",
                format_time(end),
                format_duration(end.since(now).max(0))
            );
            log.alarm(env, store, cause, &detail)
        }
        None => env.recovered(store, cause),
    }
}

fn labels(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    repo: &RepoId,
    cause: &str,
) -> Result<(), Error> {
    let Some(policy) = (host.repo)(repo) else { return Ok(()) };
    // A forge without labels of its own; one that does not answer is told by whoever needs it.
    let asked = env.forge(repo).map(|forge| forge.admin().map(|desk| desk.labels(repo)));
    let Ok(Some(Ok(found))) = asked else { return Ok(()) };
    let before = store.meta(&seen_at(repo))?.unwrap_or_default();
    let before: Vec<String> = before.lines().map(str::to_owned).collect();
    let wanted = policy.labels();
    let missing = silence::missing(&wanted, &found);
    // Those that offhours puts on are made when they are first needed; without the ready one nobody can ask for anything.
    let gone: Vec<String> = missing
        .iter()
        .filter(|name| **name == policy.run.ready_label || before.contains(name))
        .cloned()
        .collect();
    // What was there once stays known while it is gone.
    let seen: Vec<String> =
        wanted.iter().filter(|name| !missing.contains(name) || before.contains(name)).cloned().collect();
    store.set_meta(&seen_at(repo), &seen.join("\n"))?;
    if gone.is_empty() {
        return env.recovered(store, cause);
    }
    let detail = format!(
        "{repo} has no label {}: nobody can put it on an issue; `offhours doctor --fix` makes it, or name another one",
        gone.join(", ")
    );
    log.alarm(env, store, cause, &detail)
}
