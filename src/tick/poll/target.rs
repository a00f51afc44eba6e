//! Where work of a repo begins.

use super::super::env::Env;
use super::super::policy::RepoPolicy;
use crate::domain::model::Oid;
use crate::ports::{PortResult, Remote};

/// The head of the branch that work lands on.
pub(super) fn target(env: &Env, policy: &RepoPolicy) -> PortResult<(Remote, Oid)> {
    let remote = env.forge(&policy.repo)?.remote(&policy.repo)?;
    let branch = policy.branch.clone().unwrap_or_else(|| remote.default_branch.clone());
    let head = env.git.fetch_branch(&policy.repo, &remote, &branch)?;
    Ok((remote, head))
}
