//! Whose words count on a repo.

use super::env::Env;
use super::policy::HostPolicy;
use crate::domain::model::{Comment, Person, RepoId, Seen};
use crate::domain::trust;
use crate::ports::PortResult;

/// Whether somebody's words count on a repo; unreadable where the forge could not be asked.
pub(super) fn trusted(env: &Env, host: &HostPolicy, repo: &RepoId, who: &Person) -> Seen<bool> {
    let forge = match env.forge(repo) {
        Ok(forge) => forge,
        Err(error) => return Seen::Unreadable(error.to_string()),
    };
    let permission = match forge.permission(repo, who) {
        Ok(permission) => Seen::Known(permission),
        Err(error) => Seen::Unreadable(error.to_string()),
    };
    let writers = forge.capabilities().writers_are_trusted;
    match trust::person(who, &permission, &host.trust, writers) {
        Ok(()) => Seen::Known(true),
        Err(trust::TrustReason::PermissionUnreadable { why, .. }) => Seen::Unreadable(why),
        Err(_) => Seen::Known(false),
    }
}

/// Whether a comment may be of other words than its author's: whoever may write may change it, and is not trusted.
pub(super) fn overwritten(
    env: &Env,
    host: &HostPolicy,
    repo: &RepoId,
) -> PortResult<impl Fn(&Comment) -> bool + use<>> {
    let voids = changing_voids(env, host, repo)?;
    Ok(move |comment: &Comment| voids && comment.edited)
}

/// Whether what was changed may be of somebody who is not trusted.
pub(super) fn changing_voids(env: &Env, host: &HostPolicy, repo: &RepoId) -> PortResult<bool> {
    let trusted = env.forge(repo)?.capabilities().writers_are_trusted;
    Ok(!trust::writers(&host.trust, trusted))
}
