//! Reads ready issues, chooses what may start, claims and dispatches.

use super::env::Env;
use super::log::Log;
use super::policy::{HostPolicy, RepoPolicy};
use crate::store::{HoldKind, RunRow, Store};
use gather::gather;
use note::note;
use start::dispatch_one;
use std::collections::BTreeMap;

mod answer;
mod earlier;
mod gather;
mod holds;
mod note;
mod start;
mod target;

use super::drive::drive;
use super::{adopt, listing, templates};
use crate::domain::dispatch::{
    self, Candidate, ClaimSeen, Host, Limits, Reason, RepoState, RunSeen, Verdict,
};
use crate::domain::model::{Issue, IssueRef, Oid, RepoId, UnixTime};
use crate::domain::moment::format_time;
use crate::domain::priority::{self};
use crate::domain::run::{Phase, Run, Wait};
use crate::error::Error;
use crate::ports::PortResult;

/// Of the monthly budget, from here on an alarm is raised.
const MONTH_ALARM_SHARE: f64 = 0.8;

pub fn tick(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    templates::sync(env, store, log)?;
    // What an earlier tick left half done comes first: it holds slots.
    for row in store.runs_in_flight()? {
        if row.run.phase == Phase::Starting {
            drive(env, host, store, log, &row.run.id)?;
            adopt::record(env, host, store, log, &row.run.id)?;
        }
    }
    let mut repos = host.repos.clone();
    let mut last = BTreeMap::new();
    for repo in &repos {
        last.insert(repo.clone(), store.last_dispatch(repo)?);
    }
    repos.sort_by_key(|repo| (last.get(repo).copied().flatten(), repo.clone()));

    listing::rotate(store, &mut repos)?;
    let mut candidates = vec![];
    let mut states = vec![];
    let mut left = None;
    for (index, repo) in repos.iter().enumerate() {
        if (env.past_deadline)() {
            left.get_or_insert_with(|| repo.clone());
            log.left.push(repo.to_string());
            continue;
        }
        if index % listing::READ_AHEAD == 0 {
            listing::read_ahead(env, host, store, repos.get(index..).unwrap_or_default());
        }
        let repo = repo.clone();
        let Some(policy) = (host.repo)(&repo) else { continue };
        match listing::read_repo(env, host, store, log, &repo) {
            Ok(Some(issues)) => {
                let state = repo_state(env, host, store, log, &policy, &issues)?;
                for issue in issues {
                    candidates.push(candidate(env, host, store, &policy, issue)?);
                }
                states.push(state);
            }
            Ok(None) => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(left) = left {
        listing::begin_with(store, &left)?;
    }
    let verdicts = decide(env, host, store, log, &mut candidates, &mut states)?;
    for verdict in &verdicts {
        if verdict.reason == Reason::Dispatch {
            if (env.past_deadline)() {
                log.left.push(verdict.issue.to_string());
                continue;
            }
            let found = candidates.iter().find(|c| c.name() == verdict.issue);
            if let Some(candidate) = found {
                dispatch_one(env, host, store, log, candidate, verdict)?;
            }
        } else {
            note(
                env,
                store,
                log,
                &verdict.issue,
                verdict.reason.code(),
                &verdict.reason.sentence(),
                &verdict.passed,
            )?;
        }
    }
    answer::give(env, host, store, log, &verdicts)?;
    alarms(env, host, store, log, &verdicts, &states)?;
    let waiting: Vec<&Verdict> = verdicts.iter().filter(|v| v.reason != Reason::Dispatch).collect();
    log.parked = !waiting.is_empty() && waiting.iter().all(|v| matches!(v.reason, Reason::Parked { .. }));
    Ok(())
}

/// Silence is an alarm: claims and labels that nobody stands behind, money that runs out, nothing that can start.
fn alarms(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    verdicts: &[Verdict],
    read: &[RepoState],
) -> Result<(), Error> {
    for verdict in verdicts {
        for (reason, code) in [(Reason::OrphanLabel, "orphan-label"), (Reason::StaleClaim, "stale-claim")] {
            let cause = format!("{code}:{}", verdict.issue);
            if verdict.reason == reason {
                log.alarm(env, store, &cause, &format!("{}: {}", verdict.issue, verdict.reason.sentence()))?;
            } else {
                env.recovered(store, &cause)?;
            }
        }
    }
    // Of an issue that is not ready any more nothing is left over, either.
    for (cause, _, _) in store.alarms()? {
        let about = cause.strip_prefix("orphan-label:").or_else(|| cause.strip_prefix("stale-claim:"));
        let over = about.is_some_and(|issue| {
            let repo = issue.rsplit_once('#').map_or("", |(repo, _)| repo);
            read.iter().any(|state| state.repo.to_string() == repo)
                && !verdicts.iter().any(|v| v.issue.to_string() == issue)
        });
        if over {
            env.recovered(store, &cause)?;
        }
    }
    let now = env.now();
    for (account, park) in store.parks()? {
        if park.until.is_some_and(|until| until <= now) {
            store.unpark(&account)?;
            env.recovered(store, &format!("runner-parked:{account}"))?;
        }
    }
    let stuck = !verdicts.is_empty() && verdicts.iter().all(|v| !v.reason.chosen());
    match store.standing("nothing-starts", stuck, now)? {
        Some(since) if now.since(since) >= host.alarm_after_seconds => {
            let why = verdicts.first().map_or("", |v| v.reason.code());
            let detail = format!(
                "issues are ready and none could start since {} ({why}); see `offhours why`",
                format_time(since)
            );
            log.alarm(env, store, "nothing-starts", &detail)?;
        }
        Some(_) => {}
        None => env.recovered(store, "nothing-starts")?,
    }
    let (_, month) = day_and_month(now);
    let (spent, budget) = (store.spend_since(month)?.total(), host.monthly_budget_usd);
    let cause = format!("monthly-budget:{}", month.0);
    if budget > 0.0 && spent >= budget * MONTH_ALARM_SHARE {
        log.alarm(
            env,
            store,
            &cause,
            &format!("{spent:.2} of monthly_budget_usd = {budget:.2} are spent or reserved"),
        )?;
    } else {
        env.recovered(store, &cause)?;
    }
    Ok(())
}

/// One issue by hand: the same gates, but no other issue of its repo is considered.
pub fn one(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    issue: &IssueRef,
) -> Result<(), Error> {
    templates::sync(env, store, log)?;
    let Some(policy) = (host.repo)(&issue.repo) else { return Ok(()) };
    let Some(issues) = listing::read_repo(env, host, store, log, &issue.repo)? else { return Ok(()) };
    let state = repo_state(env, host, store, log, &policy, &issues)?;
    let mut candidates = vec![];
    for found in issues.into_iter().filter(|i| i.number == issue.number) {
        candidates.push(candidate(env, host, store, &policy, found)?);
    }
    let verdicts = decide(env, host, store, log, &mut candidates, &mut [state])?;
    for verdict in &verdicts {
        match candidates.iter().find(|c| c.name() == verdict.issue) {
            Some(candidate) if verdict.reason == Reason::Dispatch => {
                dispatch_one(env, host, store, log, candidate, verdict)?;
            }
            Some(_) | None => {
                note(
                    env,
                    store,
                    log,
                    &verdict.issue,
                    verdict.reason.code(),
                    &verdict.reason.sentence(),
                    &verdict.passed,
                )?;
            }
        }
    }
    Ok(())
}

/// A run that is not one, to show what would be sent.
pub fn sample_run(issue: IssueRef, branch: &str) -> Option<Run> {
    let nothing = Oid::parse(&"0".repeat(40))?;
    Some(Run::begin("r0000000".to_owned(), issue, branch, &nothing, UnixTime(0)))
}

fn repo_state(
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

fn candidate(
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

/// Selects, gathers the evidence that selection asks for, and selects again until it asks for none.
fn decide(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    candidates: &mut [Candidate],
    states: &mut [RepoState],
) -> Result<Vec<Verdict>, Error> {
    let seen = host_seen(env, host, store)?;
    let mut held: BTreeMap<RepoId, PortResult<crate::ports::Claims>> = BTreeMap::new();
    loop {
        let verdicts = dispatch::select(candidates, states, &seen, &host.labels);
        let asked: Vec<IssueRef> =
            verdicts.iter().filter(|v| v.reason == Reason::NeedsEvidence).map(|v| v.issue.clone()).collect();
        let starting: Vec<RepoId> = verdicts
            .iter()
            .filter(|v| v.reason == Reason::Dispatch || may_be_orphan(v, candidates, &host.labels))
            .filter(|v| !held.contains_key(&v.issue.repo))
            .map(|v| v.issue.repo.clone())
            .collect();
        if asked.is_empty() && starting.is_empty() {
            return Ok(verdicts);
        }
        for candidate in candidates.iter_mut().filter(|c| asked.contains(&c.name())) {
            gather(env, host, store, candidate)?;
        }
        // Claims are asked for only where something would start or a label may be left over: one look a repo.
        for repo in starting {
            let claims = env
                .forge(&repo)
                .and_then(|forge| forge.remote(&repo))
                .and_then(|remote| env.git.claims(&repo, &remote));
            apply_claims(env, store, log, &repo, &claims, candidates, states)?;
            held.insert(repo, claims);
        }
    }
}

/// Whether the issue locks its repo by its own in-progress label, which no run of ours explains.
fn may_be_orphan(verdict: &Verdict, candidates: &[Candidate], labels: &dispatch::Labels) -> bool {
    verdict.reason == Reason::RepoLocked(dispatch::LockedBy::Label)
        && candidates.iter().any(|c| c.name() == verdict.issue && c.issue.has_label(&labels.in_progress))
}

fn apply_claims(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    repo: &RepoId,
    claims: &PortResult<crate::ports::Claims>,
    candidates: &mut [Candidate],
    states: &mut [RepoState],
) -> Result<(), Error> {
    let ours = store.installation.clone();
    let whose = |holder: Option<&crate::domain::model::ClaimHolder>| match holder {
        None => ClaimSeen::Free,
        Some(h) if h.installation.as_deref() == Some(ours.as_str()) => ClaimSeen::Ours,
        Some(_) => ClaimSeen::Other,
    };
    // A subject of its own: that the issues could be read ends no trouble with git.
    let subject = format!("claims of {repo}");
    match claims {
        Ok(claims) => {
            store.outage_over(&subject)?;
            for candidate in candidates.iter_mut().filter(|c| c.repo == *repo) {
                candidate.claim =
                    whose(claims.issues.iter().find(|(n, _)| *n == candidate.issue.number).map(|(_, h)| h));
            }
            for state in states.iter_mut().filter(|s| s.repo == *repo) {
                state.slot = whose(claims.slot.as_ref());
            }
        }
        Err(error) => {
            // What cannot be asked is not free.
            log.failed(env, store, &subject, error)?;
            for state in states.iter_mut().filter(|s| s.repo == *repo) {
                state.slot = ClaimSeen::Other;
            }
        }
    }
    Ok(())
}

fn host_seen(env: &Env, host: &HostPolicy, store: &Store) -> Result<Host, Error> {
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
