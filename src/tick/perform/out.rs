//! How a performed effect came out.

use super::super::env::Env;
use crate::ports::{PortResult, Remote};
use crate::store::RunRow;

/// How a performed effect came out; `Err(PortError)` beside it means refused or later.
pub(super) enum Out {
    Done(String),
    /// It did not happen, will not under this record, and may be decided anew.
    Again(String),
    /// The same, and not before the next tick: somebody else has what it wants.
    NotNow(String),
    /// Under way; looked at again by the next tick.
    UnderWay,
}

#[expect(clippy::unnecessary_wraps, reason = "every arm of perform answers in the same way")]
pub(super) fn done(what: impl Into<String>) -> PortResult<Out> {
    Ok(Out::Done(what.into()))
}

/// Where the run's repository is.
pub(super) fn remote(env: &Env, row: &RunRow) -> PortResult<Remote> {
    env.forge(&row.run.issue.repo)?.remote(&row.run.issue.repo)
}
