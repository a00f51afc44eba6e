//! The configuration as plain data: what a tick decides by.

use std::path::PathBuf;

use crate::domain::dispatch::Labels;
use crate::domain::harvest;
use crate::domain::lesson::Rules;
use crate::domain::model::{Issue, IssueRef, Landing, RepoId};
use crate::domain::priority::Order;
use crate::domain::run::Policy;
use crate::domain::trust::TrustPolicy;

/// What the configuration says of this host and of every repo.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read from somewhere else")]
pub struct HostPolicy {
    pub labels: Labels,
    pub human_label: String,
    pub trust: TrustPolicy,
    pub priority_words: Vec<(String, i64)>,
    pub priority_order: Order,
    pub max_running: u32,
    pub max_runs_per_day: u32,
    pub daily_budget_usd: f64,
    pub monthly_budget_usd: f64,
    pub max_attempts: u32,
    pub max_awaiting_review_total: u32,
    pub breaker: u32,
    /// Ready issues of which none can start raise an alarm after this long.
    pub alarm_after_seconds: i64,
    /// A command that was not started for this long is missed; 0: none is.
    pub schedule_alarm_seconds: i64,
    /// Salvaged work and finished CI jobs are kept this long, in days on which ticks were seen.
    pub keep_days: u32,
    pub backoff_seconds: i64,
    pub backoff_max_seconds: i64,
    pub salvage_dir: PathBuf,
    pub switch_on: bool,
    /// Why it is on, as sentences.
    pub switch_because: Vec<String>,
    pub dispatch_open: bool,
    pub merge_open: bool,
    pub harvest: HarvestPolicy,
    pub lessons: Rules,
    /// The control issue, where there is one.
    pub control: Option<IssueRef>,
    /// Allowlisted repos, in their order.
    pub repos: Vec<RepoId>,
    /// Of one repo; `None` where its forge is not in the configuration any more.
    pub repo: Box<dyn Fn(&RepoId) -> Option<RepoPolicy>>,
    /// Effects are planned and told, not carried out.
    pub dry: bool,
}

/// Whether and by which rules runs are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HarvestPolicy {
    /// Off: nothing is routed, scored or decided.
    pub enabled: bool,
    pub rules: harvest::Rules,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StagePolicy {
    pub name: String,
    /// A stage that offhours starts itself.
    pub ours: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RepoPolicy {
    pub repo: RepoId,
    pub allowed: bool,
    pub landing: Landing,
    /// Commits on the run's branch that carry its trailer are the run's, whoever pushed them.
    pub agent_pushes: bool,
    pub branch: Option<String>,
    pub verify: Vec<String>,
    pub verify_timeout_seconds: u64,
    pub stages: Vec<StagePolicy>,
    pub required: Option<Vec<String>>,
    pub ci_grace_seconds: i64,
    pub ci_timeout_seconds: i64,
    pub allow_paths: Vec<String>,
    pub max_awaiting_review: u32,
    /// The repo's own runner; of a run: its runner.
    pub runner: RunnerPolicy,
    /// Runners that a label of an issue can ask for.
    pub others: Vec<RunnerPolicy>,
    pub budget_usd: f64,
    pub before_remove: Vec<String>,
    /// The name of the template that its agents are told by.
    pub template: String,
    pub hook_timeout_seconds: u64,
    pub run: Policy,
}

/// A runner as it works in one repo.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerPolicy {
    pub name: String,
    /// Whose quota it uses.
    pub account: String,
    /// Runs that it works on at the same time, over all repos.
    pub max_running: Option<u32>,
    /// Labels of issues that ask for it.
    pub labels: Vec<String>,
    pub turn_timeout_seconds: u64,
    pub stall_seconds: Option<u64>,
    /// The longest a turn with its hooks and verify can take by its own limits.
    pub turn_limit_seconds: i64,
}

impl RunnerPolicy {
    fn asked_by(&self, issue: &Issue) -> bool {
        self.labels.iter().any(|label| issue.has_label(label))
    }
}

impl RepoPolicy {
    /// Every label that offhours puts on issues of this repo or looks for there; the ready one first.
    pub fn labels(&self) -> Vec<String> {
        let run = &self.run;
        let mut labels =
            vec![run.ready_label.clone(), run.in_progress_label.clone(), run.human_label.clone()];
        if self.landing == Landing::PullRequest {
            labels.push(run.review_label.clone());
        }
        labels
    }

    /// The runner that an issue's labels ask for; `None` where they ask for none, or for the repo's own.
    pub fn asked_for(&self, issue: &Issue) -> Option<&RunnerPolicy> {
        if self.runner.asked_by(issue) {
            return None;
        }
        self.others.iter().find(|runner| runner.asked_by(issue))
    }

    /// The policy for a run of this issue.
    #[must_use]
    pub fn for_issue(self, issue: &Issue) -> Self {
        match self.asked_for(issue).map(|runner| runner.name.clone()) {
            Some(asked) => self.with_runner(&asked),
            None => self,
        }
    }

    /// The policy for a run that this runner works on. One that is not in the configuration any more is replaced by the
    /// repo's.
    #[must_use]
    pub fn with_runner(mut self, name: &str) -> Self {
        if self.runner.name != name
            && let Some(at) = self.others.iter().position(|runner| runner.name == name)
        {
            self.runner = self.others.swap_remove(at);
        }
        self.run.turn_limit_seconds = self.runner.turn_limit_seconds;
        self
    }
}
