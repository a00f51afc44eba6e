//! The configuration as the plain data that ticks decide by.

use std::rc::Rc;

use super::App;
use crate::config::{self as cfg, Config};
use crate::domain::dispatch::Labels;
use crate::domain::harvest;
use crate::domain::model::{RepoId, UnixTime};
use crate::domain::priority::Order;
use crate::domain::run::Policy;
use crate::domain::trust::TrustPolicy;
use crate::tick::policy::{HarvestPolicy, HostPolicy, RepoPolicy, RunnerPolicy, StagePolicy};

/// A failed dispatch is tried again after an hour at the latest.
const LONGEST_BACKOFF_SECONDS: i64 = 3600;
/// A turn's own limits and what ending it takes.
const TURN_MARGIN_SECONDS: u64 = 120;

impl App {
    fn harvest_policy(&self) -> HarvestPolicy {
        let h = &self.config.harvest;
        let days = |n: u32| i64::from(n) * 86_400;
        let rules =
            harvest::Rules { survival_seconds: days(h.survival_days), horizon_seconds: days(h.horizon_days) };
        HarvestPolicy { enabled: h.enabled, rules }
    }

    pub(super) fn host_policy(&self, now: UnixTime, assume_armed: bool) -> HostPolicy {
        let config = Rc::clone(&self.config);
        let g = &self.config.global;
        HostPolicy {
            labels: Labels { ready: g.ready_label.clone(), in_progress: g.in_progress_label.clone() },
            human_label: g.human_label.clone(),
            trust: TrustPolicy {
                permission: self.config.trust.permission.permission(),
                people: self.config.trust.people.clone(),
            },
            priority_words: g.priority.iter().map(|(word, n)| (word.clone(), *n)).collect(),
            priority_order: match g.priority_order {
                cfg::PriorityOrder::LargestFirst => Order::LargestFirst,
                cfg::PriorityOrder::SmallestFirst => Order::SmallestFirst,
            },
            max_running: g.max_running,
            max_runs_per_day: g.max_runs_per_day,
            daily_budget_usd: g.daily_budget_usd,
            monthly_budget_usd: g.monthly_budget_usd,
            max_attempts: self.config.run.max_attempts_per_issue,
            max_awaiting_review_total: g.max_awaiting_review_total,
            breaker: g.breaker,
            alarm_after_seconds: i64::from(g.alarm_after_minutes) * 60,
            schedule_alarm_seconds: i64::from(g.schedule_alarm_minutes) * 60,
            keep_days: self.config.retention.salvage_keep_days,
            backoff_seconds: i64::try_from(g.retry_backoff_seconds).unwrap_or(LONGEST_BACKOFF_SECONDS),
            backoff_max_seconds: LONGEST_BACKOFF_SECONDS,
            salvage_dir: self.state_dir.join("salvage"),
            switch_on: self.switch.on && !assume_armed,
            switch_because: self.switch.because.iter().map(|b| b.sentence().to_owned()).collect(),
            dispatch_open: cfg::is_open(&g.dispatch_hours, now),
            merge_open: cfg::is_open(&g.merge_hours, now),
            harvest: self.harvest_policy(),
            lessons: self.lesson_rules(),
            control: self.config.control_issue(),
            repos: self.config.allowlisted(),
            repo: Box::new(move |repo| repo_policy(&config, repo)),
            dry: self.global.dry_run,
        }
    }
}

/// Whether a label can bring this runner into the repo, beside the repo's own.
pub(super) fn asked_for(repo: &cfg::RepoConfig, name: &str, runner: &cfg::Runner) -> bool {
    *name != repo.runner_name && !runner.labels.is_empty()
}

pub fn seconds(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn repo_policy(config: &Config, repo: &RepoId) -> Option<RepoPolicy> {
    config.forges.get(&repo.forge)?;
    let g = &config.global;
    let r = config.repo(repo);
    let others = config.runners.iter().filter(|(name, runner)| asked_for(&r, name, runner));
    let others = others.map(|(name, runner)| runner_policy(config, &r, name, &runner.settings)).collect();
    let own = runner_policy(config, &r, &r.runner_name, &r.runner);
    Some(RepoPolicy {
        allowed: config.allowlist.contains(repo),
        landing: r.run.landing.mode,
        agent_pushes: r.run.agent_pushes,
        branch: r.run.branch.clone(),
        verify: r.run.verify.clone(),
        verify_timeout_seconds: r.run.verify_timeout_seconds,
        stages: r
            .stages
            .iter()
            .map(|s| StagePolicy { name: s.name.clone(), ours: s.kind == cfg::StageKind::Command })
            .collect(),
        required: r.ci.required.clone(),
        ci_grace_seconds: seconds(r.ci.grace_seconds),
        ci_timeout_seconds: seconds(r.ci.timeout_seconds),
        allow_paths: r.run.landing.allow_paths.clone(),
        max_awaiting_review: r.run.max_awaiting_review,
        budget_usd: r.run.budget_usd,
        before_remove: r.hooks.before_remove.clone(),
        template: r.template.clone(),
        hook_timeout_seconds: r.hooks.hook_timeout_seconds,
        run: Policy {
            ready_label: g.ready_label.clone(),
            in_progress_label: g.in_progress_label.clone(),
            human_label: g.human_label.clone(),
            review_label: g.review_label.clone(),
            merge: r.run.merge.by(),
            review_max_turns: r.run.review_max_turns,
            review_max_seconds: i64::from(r.run.review_max_age_days) * 86_400,
            max_attempts: r.run.max_attempts_per_issue,
            ci_rerun: r.ci.rerun,
            fix_max_turns: r.fix_forward.max_turns,
            fix_max_seconds: seconds(r.fix_forward.max_seconds),
            turn_limit_seconds: own.turn_limit_seconds,
        },
        runner: own,
        others,
        repo: repo.clone(),
    })
}

fn runner_policy(
    config: &Config,
    repo: &cfg::RepoConfig,
    name: &str,
    settings: &cfg::RunnerSettings,
) -> RunnerPolicy {
    let turn = settings.turn_timeout_seconds
        + repo.run.verify_timeout_seconds
        + 3 * repo.hooks.hook_timeout_seconds
        + TURN_MARGIN_SECONDS;
    let basics = config.runners.get(name);
    RunnerPolicy {
        name: name.to_owned(),
        account: settings.account.clone().unwrap_or_else(|| name.to_owned()),
        max_running: basics.and_then(|runner| runner.max_running),
        labels: basics.map(|runner| runner.labels.clone()).unwrap_or_default(),
        turn_timeout_seconds: settings.turn_timeout_seconds,
        // Only an agent that streams its output can be told to stand still.
        stall_seconds: (settings.profile != cfg::Profile::Script).then_some(settings.stall_seconds),
        turn_limit_seconds: seconds(turn),
    }
}
