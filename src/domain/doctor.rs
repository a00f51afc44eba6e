//! What is known of an installation before it is judged.

use crate::domain::model::{Permission, UnixTime};

/// A token that ends within these days is near its end.
const NEAR_SECONDS: i64 = 14 * 86_400;

pub fn near(end: UnixTime, now: UnixTime) -> bool {
    end.since(now) <= NEAR_SECONDS
}

/// What could be found out. Nothing in here was judged yet.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Facts {
    pub now: UnixTime,
    /// Why it is off, as sentences; empty where it is armed.
    pub off: Vec<String>,
    pub repos: Vec<RepoFacts>,
    pub runners: Vec<RunnerFacts>,
    /// Programs besides agents, and what they are for.
    pub programs: Vec<ProgramFacts>,
    /// `git --version`.
    pub git: Option<(u32, u32)>,
    pub disks: Vec<DiskFacts>,
    /// Forges with tokens.
    pub forges: Vec<ForgeFacts>,
    pub state: StateFacts,
    pub schedule: ScheduleFacts,
    /// Each secret's key, and why it cannot be had, if it cannot.
    pub secrets: Vec<(String, Option<String>)>,
    pub notifiers: usize,
    pub heartbeats: usize,
    /// The home files of the agents hold a git configuration that signs commits.
    pub signs_commits: bool,
    pub as_cron: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoFacts {
    pub name: String,
    /// `None`: this forge has no tokens.
    pub access: Option<Result<Access, String>>,
    /// `None`: this forge has no labels of its own.
    pub labels: Option<LabelFacts>,
    /// Why it cannot be read, if it cannot.
    pub unreadable: Option<String>,
    /// Path and age in seconds of each lock of git that stands there.
    pub locks: Vec<(String, i64)>,
    /// Why its claims cannot be read.
    pub claims: Option<String>,
    pub namespace: Namespace,
    pub verify: bool,
    /// There is a CI stage, or the config says that none is needed.
    pub checks: bool,
}

/// Where a repo's claims can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Why it was not tried.
    NotTried(&'static str),
    /// The place, and what the server said of the first choice where it refuses that.
    At {
        place: String,
        refused: Option<String>,
    },
    Trouble(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerFacts {
    pub name: String,
    pub program: String,
    pub found: bool,
    pub start: Start,
    pub wrapped: bool,
    /// Variables that the agent is to get and that are not set.
    pub unset: Vec<String>,
}

/// What starting the program with `--version` came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    NotTried,
    Good,
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFacts {
    pub program: String,
    pub purpose: String,
    pub found: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskFacts {
    pub what: &'static str,
    pub path: String,
    pub free_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StateFacts {
    pub path: String,
    pub exists: bool,
    /// Why it cannot be used.
    pub trouble: Option<String>,
    pub adopted_at: Option<UnixTime>,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ScheduleFacts {
    /// Kind, minutes between ticks, and whether it is older than what would be installed now.
    pub installed: Vec<(String, u32, bool)>,
    pub trouble: Option<String>,
    pub last_tick_ago: Option<i64>,
}

/// What a forge tells of the token that it is asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// Who it acts as.
    pub login: String,
    /// As the forge names them; `None` where it tells none.
    pub scopes: Option<Vec<String>>,
    /// What it has not, and only some uses need.
    pub without: Vec<String>,
    /// `None`: never, or not told.
    pub expires_at: Option<UnixTime>,
    /// The forge's own clock.
    pub server_time: Option<UnixTime>,
}

/// What a token may do in one repo, as far as that can be asked without writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub held: Permission,
    /// What is missing for offhours' work, each a sentence.
    pub lacks: Vec<String>,
    /// What the rules of its default branch require, as a part of a sentence.
    pub requires: Option<String>,
}

impl Access {
    /// Whether it is what offhours' work takes.
    pub fn enough(&self) -> bool {
        self.held >= Permission::Write && self.lacks.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgeFacts {
    pub name: String,
    /// Its tokens are those of an app.
    pub app: bool,
    /// Why the token cannot be asked about, if it cannot.
    pub token: Result<TokenFacts, String>,
    /// The moment at which it was asked, by our clock.
    pub asked_at: UnixTime,
}

/// The labels that a repo needs, against those that it has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LabelFacts {
    pub missing: Vec<String>,
    /// The one that people mark an issue with is among them.
    pub ready_missing: bool,
    /// Made a moment ago.
    pub made: Vec<String>,
    pub trouble: Option<String>,
}
