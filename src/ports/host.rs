//! This machine and what is remembered of servers.

use super::error::PortResult;
use crate::domain::model::{RepoId, UnixTime};

pub trait Clock {
    fn now(&self) -> UnixTime;
}

/// A server that asked not to be asked for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub until: UnixTime,
    pub why: String,
    /// How often in a row it limited us.
    pub times: u32,
}

/// What is remembered between ticks of the servers that are asked, by the names that the config gives them.
pub trait RateLimitStore {
    fn limit(&self, server: &str) -> PortResult<Option<RateLimit>>;
    /// `None`: it answers again.
    fn put_limit(&self, server: &str, limit: Option<&RateLimit>) -> PortResult<()>;
    /// By what the forge itself knows this repository, so that another one under its name is not taken for it.
    fn repo_identity(&self, repo: &RepoId) -> PortResult<Option<String>>;
    fn put_repo_identity(&self, repo: &RepoId, identity: &str) -> PortResult<()>;
}

/// The kill switch's file on this machine.
pub trait SwitchFile {
    /// Makes it; there already is success.
    fn put_on(&self) -> PortResult<()>;
}
