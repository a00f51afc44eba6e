//! Reads ready issues, chooses what may start, claims and dispatches.

use super::env::Env;
use super::log::Log;
use super::policy::HostPolicy;
use crate::store::Store;
use gather::gather;
use note::note;
pub use seen::day_and_month;
use seen::{candidate, host_seen, repo_state};
use start::dispatch_one;
use std::collections::BTreeMap;

mod answer;
mod earlier;
mod gather;
mod holds;
mod note;
pub(super) mod resume;
mod seen;
mod start;
mod target;

use super::drive::drive;
use super::{adopt, listing, templates};
use crate::domain::dispatch::{self, Candidate, ClaimSeen, Reason, RepoState, Verdict};
use crate::domain::model::{IssueRef, Oid, RepoId, UnixTime};
use crate::domain::moment::format_time;

use crate::domain::run::{Phase, Run};
use crate::error::Error;
use crate::ports::PortResult;

/// Of the monthly budget, from here on an alarm is raised.
const MONTH_ALARM_SHARE: f64 = 0.8;

pub fn tick(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    templates::sync(env, store, log)?;
    // What an earlier tick left half done comes first: it holds slots.
    for row in store.runs_in_flight()? {
        if row.run.phase == Phase::Starting && resume::may_go_on(env, host, store, log, &row)? {
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
