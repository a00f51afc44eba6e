//! How a performed effect came out.

use super::super::env::Env;
use crate::engine::EffectOutcome;
use crate::ports::{PortResult, Remote};
use crate::store::RunRow;

#[expect(clippy::unnecessary_wraps, reason = "every arm of perform answers in the same way")]
pub(super) fn done(what: impl Into<String>) -> PortResult<EffectOutcome> {
    Ok(EffectOutcome::Done(what.into()))
}

/// Where the run's repository is.
pub(super) fn remote(env: &Env, row: &RunRow) -> PortResult<Remote> {
    env.forge(&row.run.issue.repo)?.remote(&row.run.issue.repo)
}
