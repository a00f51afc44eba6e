//! The lists of ready issues: read, several repos at once, into the store; every tick decides over what stands there.

use super::env::Env;
use super::log::Failure;
use super::log::Log;
use super::policy::HostPolicy;
use crate::domain::escape::sanitize;
use crate::domain::model::{Issue, RepoId};
use crate::error::{Error, Kind};
use crate::ports::{Listing, PortError};
use crate::store::Store;

/// Repos whose lists are read at once.
pub(super) const READ_AHEAD: usize = 64;
/// The first repo that a tick had no time for.
const FIRST_LEFT: &str = "poll-first-left";

/// What the last tick had no time for comes first, so that every repo has its turn.
pub(super) fn rotate(store: &mut Store, repos: &mut [RepoId]) -> Result<(), Error> {
    let first = store.meta(FIRST_LEFT)?.filter(|name| !name.is_empty());
    if let Some(first) = first {
        if let Some(at) = repos.iter().position(|repo| repo.to_string() == first) {
            repos.rotate_left(at);
        }
        store.set_meta(FIRST_LEFT, "")?;
    }
    Ok(())
}

/// Lets each forge read the lists of the next repos at once, where it can.
pub(super) fn read_ahead(env: &Env, host: &HostPolicy, store: &Store, repos: &[RepoId]) {
    let next = repos.get(..READ_AHEAD).unwrap_or(repos);
    let label = &host.labels.ready;
    for (name, forge) in &env.forges {
        let asked: Vec<(RepoId, Option<String>)> = next
            .iter()
            .filter(|repo| repo.forge == *name)
            .filter_map(|repo| {
                let place = forge.place(repo).ok()?;
                Some((repo.clone(), store.etag(repo, &place, label).ok().flatten()))
            })
            .collect();
        if asked.len() > 1 {
            forge.read_ahead(&asked, label);
        }
    }
}

/// Which repo the next tick begins with.
pub(super) fn begin_with(store: &mut Store, repo: &RepoId) -> Result<(), Error> {
    Ok(store.set_meta(FIRST_LEFT, &repo.to_string())?)
}

/// The repo's ready issues as they are now; `None` where they could not be read (and that was noted).
pub(super) fn read_repo(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    repo: &RepoId,
) -> Result<Option<Vec<Issue>>, Error> {
    let subject = repo.to_string();
    let label = host.labels.ready.clone();
    let asked = env.forge(repo).and_then(|forge| {
        let place = forge.place(repo)?;
        let etag = store.etag(repo, &place, &label).ok().flatten();
        Ok((forge.list(repo, &label, etag.as_deref())?, place))
    });
    match asked {
        Ok((Listing::NotModified, _)) => {
            readable(env, store, repo)?;
            Ok(Some(store.listing(repo)?))
        }
        Ok((Listing::Issues { issues, etag, broken }, place)) => {
            let now = env.now();
            // A file that cannot be read is told each time it may have changed: its listing has no ETag.
            let etag = etag.filter(|_| broken.is_empty());
            store.put_listing(repo, &place, &label, etag.as_deref(), &issues, now)?;
            readable(env, store, repo)?;
            for issue in broken {
                let name = issue.number.map_or_else(|| subject.clone(), |n| format!("{subject}#{n}"));
                let quiet = !store.outage(&format!("broken {name} {}", issue.what), now)?;
                let what = sanitize(&issue.what, 600);
                log.errors.push(Failure { subject: name, what, kind: Kind::TryLater, quiet });
            }
            Ok(Some(store.listing(repo)?))
        }
        Err(error) => {
            unreadable(env, store, log, repo, &error)?;
            Ok(None)
        }
    }
}

/// A repo's list could not be read. What is the whole server's trouble is said once for all of its repos.
fn unreadable(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    repo: &RepoId,
    error: &PortError,
) -> Result<(), Error> {
    match error {
        PortError::Later { after: Some(_), .. } | PortError::Credentials { .. } => {
            let subject = format!("forge {}", repo.forge);
            if log.errors.iter().any(|told| told.subject == subject) {
                return Ok(());
            }
            log.failed(env, store, &subject, error)
        }
        PortError::Gone { .. } => {
            log.failed(env, store, &repo.to_string(), error)?;
            let said = log.errors.len();
            log.alarm(env, store, &format!("repo-gone:{repo}"), &error.to_string())?;
            // The line before says it already.
            log.errors.truncate(said);
            Ok(())
        }
        PortError::Later { after: None, .. } | PortError::Refused { .. } | PortError::Broken { .. } => {
            log.failed(env, store, &repo.to_string(), error)
        }
    }
}

/// The repo and its server answer.
fn readable(env: &Env, store: &mut Store, repo: &RepoId) -> Result<(), Error> {
    store.outage_over(&repo.to_string())?;
    store.outage_over(&format!("forge {}", repo.forge))?;
    env.recovered(store, &format!("repo-gone:{repo}"))
}
