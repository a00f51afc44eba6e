//! What CI says of a commit.

use super::error::PortResult;
use crate::domain::model::{Oid, RepoId, StageReading};

/// What a reading of CI is for.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// What has reported by now.
    Reported,
    /// That, and what is known of the commit besides its checks.
    Everything,
    /// Whether all is green, also by what is still to report and, with a branch, by what its rules require.
    Verdict { rules_of: Option<&'a str> },
}

/// CI of one repo's commits, by stage name.
pub trait Ci {
    fn read(&self, repo: &RepoId, stage: &str, oid: &Oid, wanted: Wanted<'_>) -> PortResult<StageReading>;
    /// Starts a stage that offhours runs itself, or asks for the failed checks to run again.
    /// `attempt` counts from 1 and is part of the idempotency key.
    fn start(&self, repo: &RepoId, stage: &str, oid: &Oid, attempt: u32) -> PortResult<()>;
}
