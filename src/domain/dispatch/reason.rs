//! Why an issue starts or does not: the reasons, their words and their sentences.

use strum::{IntoStaticStr, VariantNames};

use crate::domain::model::UnixTime;
use crate::domain::trust::TrustReason;

/// Who keeps a repository locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockedBy {
    OwnRun,
    ReviewFirst,
    OwnSlot,
    OtherHost,
    Label,
}

/// Which pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Host,
    Repo,
}

/// Why an issue starts, or exactly why not.
#[derive(Clone, Debug, PartialEq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Reason {
    Dispatch,
    NeedsEvidence,
    SwitchOn,
    OutsideHours,
    Paused(Scope),
    NotAllowlisted,
    Closed,
    LabelMissing,
    AlreadyRunning,
    OrphanLabel,
    StaleClaim,
    Claimed,
    RepoLocked(LockedBy),
    #[strum(transparent)]
    NotTrusted(TrustReason),
    Blocked {
        by: Vec<String>,
    },
    BlockerUnreadable {
        which: Vec<String>,
    },
    AttemptsUsed {
        used: u32,
        max: u32,
    },
    BackOff {
        until: UnixTime,
    },
    LowerPriority {
        first: u64,
    },
    RunsPerDay {
        max: u32,
    },
    DailyBudget {
        spent_usd: f64,
        reserve_usd: f64,
        budget_usd: f64,
    },
    MonthlyBudget {
        spent_usd: f64,
        reserve_usd: f64,
        budget_usd: f64,
    },
    MaxRunning {
        max: u32,
    },
    RunnerFull {
        runner: String,
        max: u32,
    },
    ReviewBackpressure {
        scope: Scope,
        waiting: u32,
        max: u32,
    },
    Parked {
        runner: String,
        until: Option<UnixTime>,
        why: String,
    },
    Frozen,
    BaseRed,
}

impl Reason {
    /// The stable word for ledger and JSON.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// What it means, and what ends it. Times are left to the caller, who knows the time zone.
    pub fn sentence(&self) -> String {
        match self {
            Self::Dispatch => "it starts now".into(),
            Self::NeedsEvidence => "who asked for it and what it waits for has still to be read".into(),
            Self::SwitchOn => "the kill switch is on".into(),
            Self::OutsideHours => "it is outside dispatch_hours".into(),
            Self::Paused(Scope::Host) => "dispatching is paused; `resume` ends it".into(),
            Self::Paused(Scope::Repo) => "the repository is paused; `resume` with its name ends it".into(),
            Self::NotAllowlisted => "the repository is not in the allowlist".into(),
            Self::Closed => "the issue is closed".into(),
            Self::LabelMissing => "the forge listed it, but it does not carry the ready label".into(),
            Self::AlreadyRunning => "a run of this issue is not finished".into(),
            Self::OrphanLabel => "it carries the in-progress label, and nobody claims it; `run release` with its name takes the label away".into(),
            Self::StaleClaim => "our claim stands although no run is left; `run release` with its name takes claim and label away".into(),
            Self::Claimed => "another host has claimed it".into(),
            Self::RepoLocked(LockedBy::OwnRun) => "another run is in flight in this repository".into(),
            Self::RepoLocked(LockedBy::ReviewFirst) => "a run of this repository that was reviewed goes on first".into(),
            Self::RepoLocked(LockedBy::OwnSlot) => "our claim on the repository's slot still stands".into(),
            Self::RepoLocked(LockedBy::OtherHost) => "another host is working in this repository".into(),
            Self::RepoLocked(LockedBy::Label) => "a ready issue of this repository carries the in-progress label".into(),
            Self::NotTrusted(why) => why.sentence(),
            Self::Blocked { by } => format!("it is blocked by {}", by.join(", ")),
            Self::BlockerUnreadable { which } => format!("whether {} is still open could not be read", which.join(", ")),
            Self::AttemptsUsed { used, max } => format!("{used} of {max} attempts are used; applying the ready label again starts anew"),
            Self::BackOff { .. } => "the last dispatch failed; it is tried again after a back-off".into(),
            Self::LowerPriority { first } => format!("#{first} goes first in this repository"),
            Self::RunsPerDay { max } => format!("the {max} runs of this day are used (max_runs_per_day)"),
            Self::DailyBudget { spent_usd, reserve_usd, budget_usd } => money("daily_budget_usd", *spent_usd, *reserve_usd, *budget_usd),
            Self::MonthlyBudget { spent_usd, reserve_usd, budget_usd } => money("monthly_budget_usd", *spent_usd, *reserve_usd, *budget_usd),
            Self::MaxRunning { max } => format!("{max} runs are in flight already (max_running)"),
            Self::RunnerFull { runner, max } => format!("the runner {runner} has its {max} runs already (its max_running)"),
            Self::ReviewBackpressure { scope: Scope::Repo, waiting, max } => format!("{waiting} runs of this repository wait for review, {max} may (max_awaiting_review)"),
            Self::ReviewBackpressure { scope: Scope::Host, waiting, max } => format!("{waiting} runs wait for review, {max} may (max_awaiting_review_total)"),
            Self::Parked { runner, why, .. } => format!("the runner {runner} is parked: {why}"),
            Self::Frozen => "the repository is frozen until its default branch is green or a person clears it".into(),
            Self::BaseRed => "the default branch is red".into(),
        }
    }

    /// Whether somebody chose it, so that it is no cause for an alarm however long it lasts.
    pub fn chosen(&self) -> bool {
        match self {
            Self::Dispatch
            | Self::SwitchOn
            | Self::OutsideHours
            | Self::Paused(_)
            | Self::NotAllowlisted
            | Self::Closed
            | Self::AlreadyRunning
            | Self::Blocked { .. }
            | Self::LowerPriority { .. }
            | Self::RunsPerDay { .. }
            | Self::DailyBudget { .. }
            | Self::MonthlyBudget { .. } => true,
            Self::NeedsEvidence
            | Self::LabelMissing
            | Self::OrphanLabel
            | Self::StaleClaim
            | Self::Claimed
            | Self::RepoLocked(_)
            | Self::NotTrusted(_)
            | Self::BlockerUnreadable { .. }
            | Self::AttemptsUsed { .. }
            | Self::BackOff { .. }
            | Self::MaxRunning { .. }
            | Self::RunnerFull { .. }
            | Self::ReviewBackpressure { .. }
            | Self::Parked { .. }
            | Self::Frozen
            | Self::BaseRed => false,
        }
    }
}

fn money(key: &str, spent: f64, reserve: f64, budget: f64) -> String {
    format!("{spent:.2} USD are spent or reserved, {reserve:.2} more would pass {key} = {budget:.2}")
}
