//! What a tick works with: the ports, the store, and the policy as plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::domain::dispatch::{Labels, Parked, RunnerSeen};
use crate::domain::harvest;
use crate::domain::lesson::Rules;
use crate::domain::model::{Issue, IssueRef, Landing, RepoId, UnixTime};
use crate::domain::priority::Order;
use crate::domain::run::{Policy, Run};
use crate::domain::trust::TrustPolicy;
use crate::error::{Error, Kind};
use crate::ports::{
    Ci, Clock, Folders, Forge, Git, Notice, Notifier, PortError, PortResult, Prompter, RunFolder, Runner,
    SwitchFile,
};
use crate::store::Store;

use super::report::{Failure, Item, Report, kind_of};

#[derive(Clone, Debug, PartialEq)]
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
    /// Salvaged work and finished CI jobs are kept this long.
    pub keep_seconds: i64,
    pub backoff_seconds: i64,
    pub backoff_max_seconds: i64,
    pub salvage_dir: PathBuf,
    pub switch_on: bool,
    /// Why it is on, as sentences.
    pub switch_because: Vec<String>,
    pub dispatch_open: bool,
    pub merge_open: bool,
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

pub struct Sender {
    pub name: String,
    /// Kinds it is sent; empty: all.
    pub kinds: Vec<String>,
    /// Until when a notice of a kind has to wait because of quiet hours, if it has to.
    pub quiet: Quiet,
    pub port: Box<dyn Notifier>,
}

/// Kind and moment to the end of the quiet hours.
pub type Quiet = Box<dyn Fn(&str, UnixTime) -> Option<UnixTime>>;
/// Whether and by which rules runs are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HarvestPolicy {
    /// Off: nothing is routed, scored or decided.
    pub enabled: bool,
    pub rules: harvest::Rules,
}

pub struct World {
    pub store: Store,
    pub clock: Box<dyn Clock>,
    pub forges: BTreeMap<String, Rc<dyn Forge>>,
    pub git: Box<dyn Git>,
    pub runner: Box<dyn Runner>,
    pub ci: Box<dyn Ci>,
    pub senders: Vec<Sender>,
    pub prompter: Box<dyn Prompter>,
    pub folders: Box<dyn Folders>,
    pub host: HostPolicy,
    pub harvest: HarvestPolicy,
    pub lessons: Rules,
    /// The control issue, where there is one.
    pub control: Option<IssueRef>,
    pub switch_file: Box<dyn SwitchFile>,
    /// Allowlisted repos, in their order.
    pub repos: Vec<RepoId>,
    pub policy: Box<dyn Fn(&RepoId) -> Option<RepoPolicy>>,
    pub new_id: Box<dyn Fn() -> String>,
    /// Whether the deadline is near: nothing new is begun then.
    pub late: Box<dyn Fn() -> bool>,
    /// Effects are planned and told, not carried out.
    pub dry: bool,
    pub report: Report,
}

impl World {
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub fn forge(&self, repo: &RepoId) -> PortResult<&dyn Forge> {
        self.forges.get(&repo.forge).map(AsRef::as_ref).ok_or_else(|| {
            PortError::refused(format!(
                "the forge `{}` of {repo} is not in the config any more; put it back",
                repo.forge
            ))
        })
    }

    pub fn folder(&self, run: &Run) -> RunFolder {
        self.folders.of(&run.issue, &run.id)
    }

    /// A runner as it stands now: its room, and whether its account is parked.
    pub fn runner_seen(&self, runner: &RunnerPolicy) -> Result<RunnerSeen, Error> {
        let parked = self.store.parked(&runner.account, self.now())?;
        let unfinished = self.store.runs_in_flight()?;
        // A run that waits for a person's review keeps nobody busy.
        let running =
            unfinished.iter().filter(|row| row.runner == runner.name && row.run.in_flight()).count();
        Ok(RunnerSeen {
            name: runner.name.clone(),
            parked: parked.map(|park| Parked { until: park.until, why: park.detail }),
            running: u32::try_from(running).unwrap_or(u32::MAX),
            max: runner.max_running,
        })
    }

    pub fn acted(&mut self, run: &Run, reason: &str, sentence: &str) {
        let handle = (run.turns > 0).then(|| run.turn_job(run.turns));
        self.report.items.push(Item {
            issue: run.issue.to_string(),
            run: Some(run.id.clone()),
            handle,
            reason: reason.to_owned(),
            sentence: crate::domain::message::plain(sentence, 300),
            acted: true,
        });
    }

    /// A failure that concerns one subject only. A lasting one is said at doubling intervals.
    pub fn failed(&mut self, subject: &str, error: &PortError) -> Result<(), Error> {
        let now = self.now();
        let quiet = !self.store.outage(subject, now)?;
        self.report.errors.push(Failure {
            subject: subject.to_owned(),
            what: crate::domain::message::plain(&error.to_string(), 600),
            kind: kind_of(error),
            quiet,
        });
        Ok(())
    }

    /// The subject answers again.
    pub fn answers(&mut self, subject: &str) -> Result<(), Error> {
        self.store.outage_over(subject)?;
        Ok(())
    }

    /// Raises an alarm once: the first time its cause is met, a notice goes out.
    pub fn alarm(&mut self, cause: &str, detail: &str) -> Result<(), Error> {
        let now = self.now();
        let key = format!("alarm:{cause}:{}", now.0);
        let notice = self.about_cause(cause, key, "alarm", detail.to_owned());
        let wanted = self.wanted("alarm");
        if self.store.raise(cause, detail, now, &wanted, &notice)? {
            self.report.errors.push(Failure {
                subject: cause.to_owned(),
                what: crate::domain::message::plain(detail, 600),
                kind: Kind::TryLater,
                quiet: false,
            });
        }
        Ok(())
    }

    /// The cause of an alarm is gone: said once, if the alarm stood.
    pub fn recovered(&mut self, cause: &str) -> Result<(), Error> {
        let now = self.now();
        let wanted = self.wanted("recovered");
        let notice = self.about_cause(cause, String::new(), "recovered", String::new());
        self.store.clear_alarm(cause, now, &wanted, |since| {
            let stood = crate::domain::message::span(now.since(since));
            Notice {
                key: format!("recovered:{cause}:{}", since.0),
                body: format!("the cause of the alarm is gone; it stood for {stood}"),
                ..notice
            }
        })?;
        Ok(())
    }

    /// The notifiers that are sent a kind.
    pub fn wanted(&self, kind: &str) -> Vec<String> {
        let asked = |s: &&Sender| s.kinds.is_empty() || s.kinds.iter().any(|k| k == kind);
        self.senders.iter().filter(asked).map(|s| s.name.clone()).collect()
    }

    pub fn notify(
        &mut self,
        key: &str,
        kind: &str,
        title: &str,
        body: &str,
        link: Option<String>,
    ) -> Result<(), Error> {
        let wanted = self.wanted(kind);
        if wanted.is_empty() {
            return Ok(());
        }
        let notice = Notice {
            key: key.to_owned(),
            kind: kind.to_owned(),
            title: title.to_owned(),
            body: body.to_owned(),
            link,
            topic: None,
            possible_repeat: false,
        };
        let now = self.now();
        self.store.enqueue(&wanted, &notice, now)?;
        Ok(())
    }

    /// A notice about the cause of an alarm, or about its end. The link leads to what it is about.
    fn about_cause(&self, cause: &str, key: String, kind: &str, body: String) -> Notice {
        let (repo, issue) = subject_of(cause);
        Notice {
            key,
            kind: kind.to_owned(),
            title: format!("{kind}: {cause}"),
            body,
            link: repo.and_then(|repo| self.page(&repo, issue)),
            topic: Some(cause.to_owned()),
            possible_repeat: false,
        }
    }

    /// Where a person looks at it.
    pub fn page(&self, repo: &RepoId, issue: Option<u64>) -> Option<String> {
        self.forges.get(&repo.forge)?.page(repo, issue)
    }
}

/// The repo and the issue that a cause names, as `code:forge:owner/name#n`.
fn subject_of(cause: &str) -> (Option<RepoId>, Option<u64>) {
    let about = cause.split_once(':').map_or("", |(_, about)| about);
    match about.split_once('#') {
        Some((repo, number)) => (RepoId::parse(repo, None), number.parse().ok()),
        None => (RepoId::parse(about, None), None),
    }
}
