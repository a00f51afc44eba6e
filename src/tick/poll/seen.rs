//! How the host, a repo and an issue stand before it is selected what starts.

use super::super::env::Env;
use super::super::log::Log;
use super::super::policy::{HostPolicy, RepoPolicy};
use super::holds;
use crate::domain::dispatch::{Candidate, ClaimSeen, Host, Limits, RepoState, RunSeen};
use crate::domain::model::{Issue, IssueRef, UnixTime};
use crate::domain::priority;
use crate::domain::run::{Phase, Wait};
use crate::error::Error;
use crate::store::{HoldKind, RunRow, Store};

pub(super) fn repo_state(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    policy: &RepoPolicy,
    issues: &[Issue],
) -> Result<RepoState, Error> {
    let repo = &policy.repo;
    let now = env.now();
    let unfinished = store.runs_in_flight()?;
    let here: Vec<&RunRow> = unfinished.iter().filter(|r| r.run.issue.repo == *repo).collect();
    let in_flight = here.iter().any(|r| r.run.in_flight());
    let wants_slot = here.iter().any(|r| r.run.wait == Some(Wait::Slot));
    let awaiting_review = count(here.iter().filter(|r| r.run.reviewing));
    holds::lift(env, host, store, log, policy)?;
    let holds = store.holds(repo)?;
    Ok(RepoState {
        repo: repo.clone(),
        in_flight,
        wants_slot,
        slot: ClaimSeen::NotAsked,
        paused: store.paused(&repo.to_string(), now)?.is_some(),
        frozen: holds.iter().any(|h| h.kind == HoldKind::Frozen),
        base_red: holds.iter().any(|h| h.kind == HoldKind::BaseRed),
        in_progress_label_seen: issues.iter().any(|i| i.open && i.has_label(&host.labels.in_progress)),
        awaiting_review,
        max_awaiting_review: policy.max_awaiting_review,
        runner: env.runner_seen(store, &policy.runner)?,
        budget_usd: policy.budget_usd,
        last_dispatch: store.last_dispatch(repo)?,
    })
}

fn count<T>(found: impl Iterator<Item = T>) -> u32 {
    u32::try_from(found.count()).unwrap_or(u32::MAX)
}

pub(super) fn candidate(
    env: &Env,
    host: &HostPolicy,
    store: &Store,
    policy: &RepoPolicy,
    issue: Issue,
) -> Result<Candidate, Error> {
    let repo = &policy.repo;
    let name = IssueRef { repo: repo.clone(), number: issue.number };
    let runs = store.runs_of(&name)?;
    let own_run = match runs.first() {
        None => RunSeen::None,
        Some(_) if runs.iter().any(|r| r.run.phase != Phase::Ended) => RunSeen::Unfinished,
        Some(_) => RunSeen::Finished,
    };
    Ok(Candidate {
        repo: repo.clone(),
        runner: policy.asked_for(&issue).map(|runner| env.runner_seen(store, runner)).transpose()?,
        priority: priority::priority(
            &issue.labels,
            issue.priority,
            &host.priority_words,
            host.priority_order,
        ),
        own_run,
        claim: ClaimSeen::NotAsked,
        approval: None,
        blockers: None,
        attempts_used: 0,
        backoff_until: store.backoff(&name)?.map(|(_, until)| until),
        issue,
    })
}

pub(super) fn host_seen(env: &Env, host: &HostPolicy, store: &Store) -> Result<Host, Error> {
    let now = env.now();
    let (day, month) = day_and_month(now);
    let in_flight = store.runs_in_flight()?;
    Ok(Host {
        now,
        switch_on: host.switch_on,
        hours_open: host.dispatch_open,
        paused: store.paused("*", now)?.is_some(),
        running: count(in_flight.iter().filter(|r| r.run.in_flight())),
        runs_today: store.runs_since(day)?,
        spent_today_usd: store.spend_since(day)?.total(),
        spent_month_usd: store.spend_since(month)?.total(),
        awaiting_review_total: count(in_flight.iter().filter(|r| r.run.reviewing)),
        limits: Limits {
            max_running: host.max_running,
            max_runs_per_day: host.max_runs_per_day,
            daily_budget_usd: host.daily_budget_usd,
            monthly_budget_usd: host.monthly_budget_usd,
            max_awaiting_review_total: host.max_awaiting_review_total,
            max_attempts_per_issue: host.max_attempts,
        },
    })
}

/// The beginnings of the day and of the month, UTC.
pub fn day_and_month(now: UnixTime) -> (UnixTime, UnixTime) {
    let day = UnixTime(now.0 - now.0.rem_euclid(86_400));
    let in_month = time::OffsetDateTime::from_unix_timestamp(now.0).map_or(0, |t| i64::from(t.day()) - 1);
    (day, UnixTime(day.0 - in_month * 86_400))
}
