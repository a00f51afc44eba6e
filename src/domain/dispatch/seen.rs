//! What selection looks at: the issues, the repositories, the runners, the host, and its bounds.

use crate::domain::model::{Blocker, Issue, IssueRef, RepoId, UnixTime};
use crate::domain::trust::Approval;

/// What the state file knows of runs of this issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunSeen {
    None,
    Unfinished,
    Finished,
}

/// What the forge's git says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClaimSeen {
    Free,
    Ours,
    Other,
    /// Not looked up; taking the claim decides.
    NotAsked,
}

/// A runner as it stands now, over all repos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerSeen {
    pub name: String,
    pub parked: Option<Parked>,
    /// Runs that it works on.
    pub running: u32,
    pub max: Option<u32>,
}

/// One issue that the forge listed as ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub repo: RepoId,
    /// The runner that one of its labels asks for; `None`: the repo's.
    pub runner: Option<RunnerSeen>,
    pub issue: Issue,
    /// Larger goes first.
    pub priority: i64,
    pub own_run: RunSeen,
    pub claim: ClaimSeen,
    /// `None`: not yet gathered.
    pub approval: Option<Approval>,
    /// `None`: not yet gathered.
    pub blockers: Option<Vec<Blocker>>,
    /// Attempts since the standing application of the ready label.
    pub attempts_used: u32,
    pub backoff_until: Option<UnixTime>,
}

impl Candidate {
    pub fn name(&self) -> IssueRef {
        IssueRef { repo: self.repo.clone(), number: self.issue.number }
    }
}

/// A runner account that starts nothing for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// `None`: until a person or a probe ends it.
    pub until: Option<UnixTime>,
    pub why: String,
}

/// An allowlisted repository; a candidate of any other one is not allowlisted. One a repository.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one observation, independent of the others")]
pub struct RepoState {
    pub repo: RepoId,
    /// A claimed run of ours is in flight.
    pub in_flight: bool,
    /// A run of ours that waited for a review has work to do, and goes before anything new.
    pub wants_slot: bool,
    /// Who holds the repo's slot on the forge.
    pub slot: ClaimSeen,
    pub paused: bool,
    pub frozen: bool,
    pub base_red: bool,
    /// A ready issue carries the in-progress label (also one that is not among the candidates).
    pub in_progress_label_seen: bool,
    /// Runs that wait for a person's review.
    pub awaiting_review: u32,
    pub max_awaiting_review: u32,
    pub runner: RunnerSeen,
    /// What one dispatch reserves.
    pub budget_usd: f64,
    /// For the fair rotation: least recently served first.
    pub last_dispatch: Option<UnixTime>,
}

/// What holds for the whole installation.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    pub now: UnixTime,
    /// The kill switch.
    pub switch_on: bool,
    pub hours_open: bool,
    pub paused: bool,
    pub running: u32,
    pub runs_today: u32,
    /// Spent and reserved.
    pub spent_today_usd: f64,
    /// Spent and reserved.
    pub spent_month_usd: f64,
    pub awaiting_review_total: u32,
    pub limits: Limits,
}

/// The configured bounds; each may be reached and not passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    pub max_running: u32,
    pub max_runs_per_day: u32,
    pub daily_budget_usd: f64,
    pub monthly_budget_usd: f64,
    pub max_awaiting_review_total: u32,
    pub max_attempts_per_issue: u32,
}

/// The configured label names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    pub ready: String,
    pub in_progress: String,
}
