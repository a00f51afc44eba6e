//! The lists of ready issues: read, several repos at once, into the store; every tick decides over what stands there.

use super::report::Failure;
use super::world::World;
use crate::domain::message;
use crate::domain::model::{Issue, RepoId};
use crate::error::{Error, Kind};
use crate::ports::{Listing, PortError};

/// Repos whose lists are read at once.
pub(super) const READ_AHEAD: usize = 64;
/// The first repo that a tick had no time for.
const FIRST_LEFT: &str = "poll-first-left";

/// What the last tick had no time for comes first, so that every repo has its turn.
pub(super) fn rotate(world: &mut World, repos: &mut [RepoId]) -> Result<(), Error> {
    let first = world.store.meta(FIRST_LEFT)?.filter(|name| !name.is_empty());
    if let Some(first) = first {
        if let Some(at) = repos.iter().position(|repo| repo.to_string() == first) {
            repos.rotate_left(at);
        }
        world.store.set_meta(FIRST_LEFT, "")?;
    }
    Ok(())
}

/// Lets each forge read the lists of the next repos at once, where it can.
pub(super) fn read_ahead(world: &World, repos: &[RepoId]) {
    let next = repos.get(..READ_AHEAD).unwrap_or(repos);
    let label = &world.host.labels.ready;
    for (name, forge) in &world.forges {
        let asked: Vec<(RepoId, Option<String>)> = next
            .iter()
            .filter(|repo| repo.forge == *name)
            .filter_map(|repo| {
                let place = forge.place(repo).ok()?;
                Some((repo.clone(), world.store.etag(repo, &place, label).ok().flatten()))
            })
            .collect();
        if asked.len() > 1 {
            forge.read_ahead(&asked, label);
        }
    }
}

/// Which repo the next tick begins with.
pub(super) fn begin_with(world: &mut World, repo: &RepoId) -> Result<(), Error> {
    Ok(world.store.set_meta(FIRST_LEFT, &repo.to_string())?)
}

/// The repo's ready issues as they are now; `None` where they could not be read (and that was noted).
pub(super) fn read_repo(world: &mut World, repo: &RepoId) -> Result<Option<Vec<Issue>>, Error> {
    let subject = repo.to_string();
    let label = world.host.labels.ready.clone();
    let asked = world.forge(repo).and_then(|forge| {
        let place = forge.place(repo)?;
        let etag = world.store.etag(repo, &place, &label).ok().flatten();
        Ok((forge.list(repo, &label, etag.as_deref())?, place))
    });
    match asked {
        Ok((Listing::NotModified, _)) => {
            readable(world, repo)?;
            Ok(Some(world.store.listing(repo)?))
        }
        Ok((Listing::Issues { issues, etag, broken }, place)) => {
            let now = world.now();
            // A file that cannot be read is told each time it may have changed: its listing has no ETag.
            let etag = etag.filter(|_| broken.is_empty());
            world.store.put_listing(repo, &place, &label, etag.as_deref(), &issues, now)?;
            readable(world, repo)?;
            for issue in broken {
                let name = issue.number.map_or_else(|| subject.clone(), |n| format!("{subject}#{n}"));
                let quiet = !world.store.outage(&format!("broken {name} {}", issue.what), now)?;
                let what = message::plain(&issue.what, 600);
                world.report.errors.push(Failure { subject: name, what, kind: Kind::TryLater, quiet });
            }
            Ok(Some(world.store.listing(repo)?))
        }
        Err(error) => {
            unreadable(world, repo, &error)?;
            Ok(None)
        }
    }
}

/// A repo's list could not be read. What is the whole server's trouble is said once for all of its repos.
fn unreadable(world: &mut World, repo: &RepoId, error: &PortError) -> Result<(), Error> {
    match error {
        PortError::Later { after: Some(_), .. } | PortError::Credentials { .. } => {
            let subject = format!("forge {}", repo.forge);
            if world.report.errors.iter().any(|told| told.subject == subject) {
                return Ok(());
            }
            world.failed(&subject, error)
        }
        PortError::Gone { .. } => {
            world.failed(&repo.to_string(), error)?;
            let said = world.report.errors.len();
            world.alarm(&format!("repo-gone:{repo}"), &error.to_string())?;
            // The line before says it already.
            world.report.errors.truncate(said);
            Ok(())
        }
        PortError::Later { after: None, .. } | PortError::Refused { .. } | PortError::Broken { .. } => {
            world.failed(&repo.to_string(), error)
        }
    }
}

/// The repo and its server answer.
fn readable(world: &mut World, repo: &RepoId) -> Result<(), Error> {
    world.answers(&repo.to_string())?;
    world.answers(&format!("forge {}", repo.forge))?;
    world.recovered(&format!("repo-gone:{repo}"))
}
