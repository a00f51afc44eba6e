//! What starts: the issue is read again, the run is recorded and driven.

use super::super::drive::drive;
use super::super::env::Env;
use super::super::event::event;
use super::super::log::Log;
use super::super::policy::{HostPolicy, RepoPolicy};
use super::super::trust::{overwritten, trusted};
use super::super::{adopt, observe, templates};
use super::earlier::{self, Found};
use super::note::note;
use super::target::target;
use crate::domain::checks::{self, CiVerdict};
use crate::domain::dispatch::{Candidate, Reason, Verdict};
use crate::domain::escape::{fenced, sanitize};
use crate::domain::event::Happening;
use crate::domain::model::{Comment, Issue, IssueRef, Oid, Person, RepoId, RunText, Seen, UnixTime};
use crate::domain::receipt::ReceiptFacts;
use crate::domain::run::{self, Run};
use crate::domain::trust::Approval;
use crate::error::Error;
use crate::ports::{PortError, PortResult, Remote, Wanted};
use crate::store::{Hold, HoldKind, LedgerRow, RunRow, Store};
use crate::text;

/// Comments handed to the agent: at most this many characters of them.
const MAX_COMMENT_CHARS: usize = 20_000;

/// What is read afresh right before an issue is taken.
pub(super) struct Fresh {
    issue: Issue,
    remote: Remote,
    base: Oid,
    branch: String,
    comments: String,
    earlier: Found,
}

pub(super) fn dispatch_one(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    candidate: &Candidate,
    verdict: &Verdict,
) -> Result<(), Error> {
    let name = candidate.name();
    let Some(policy) = (host.repo)(&candidate.repo) else { return Ok(()) };
    let Some(Approval::Approved { event_id, by, .. }) = &candidate.approval else { return Ok(()) };
    let fresh = match fresh(env, host, store, candidate, &policy) {
        Ok(fresh) => {
            store.outage_over(&name.to_string())?;
            fresh
        }
        Err(error) => {
            log.failed(env, store, &name.to_string(), &error)?;
            let why = error.to_string();
            return note(env, store, log, &name, "not-readable", &why, &verdict.passed);
        }
    };
    let labels = host.labels.clone();
    let issue = &fresh.issue;
    if issue.text_hash != candidate.issue.text_hash
        || !issue.open
        || !issue.has_label(&labels.ready)
        || issue.has_label(&labels.in_progress)
    {
        return note(
            env,
            store,
            log,
            &name,
            "changed-meanwhile",
            "it changed while it was being chosen; the next tick looks again",
            &verdict.passed,
        );
    }
    let seen = observe::stages(env, &policy, &fresh.base, (0, 0), Wanted::Reported);
    if let CiVerdict::Red { checks, .. } =
        checks::fold(&seen, policy.ci_grace_seconds, policy.ci_timeout_seconds)
    {
        let now = env.now();
        let hold = Hold { kind: HoldKind::BaseRed, oid: Some(fresh.base.clone()), run: None, since: now };
        store.put_hold(&candidate.repo, &hold)?;
        let names: Vec<&str> = checks.iter().map(|c| c.name.as_str()).collect();
        let why = format!("the default branch is red at {} ({})", fresh.base.short(), names.join(", "));
        return note(env, store, log, &name, Reason::BaseRed.code(), &why, &verdict.passed);
    }
    let (template, route) = match templates::route(host, store, &policy.template, &name)? {
        Ok(chosen) => chosen,
        Err(why) => return note(env, store, log, &name, "no-template", &why, &verdict.passed),
    };
    let now = env.now();
    // By the labels that were chosen on: a slot of that runner was given to it.
    let policy = policy.for_issue(&candidate.issue);
    let run = new_run(env, candidate, &policy, &fresh, by.as_ref(), now);
    let row = RunRow {
        approval: event_id.clone(),
        runner: policy.runner.name.clone(),
        account: policy.runner.account.clone(),
        template: template.full_label(),
        budget_usd: policy.budget_usd,
        claim: None,
        comment_id: None,
        end_comment_id: None,
        salvage: None,
        stop_asked: false,
        run,
    };
    let text = RunText {
        title: fresh.issue.title.clone(),
        body: fresh.issue.body.clone(),
        comments: fresh.comments,
    };
    let told = fresh.earlier.told();
    let effects = run::dispatch_effects(&policy.run, told);
    let effects = text::worded(effects, &row.run, &ReceiptFacts::default());
    let event = event(&row.run, "chosen", Happening::Chosen, now, &fresh.remote.url);
    if host.dry {
        log.effects.extend(effects.iter().map(|e| format!("{name}: {}", e.line())));
        return note(env, store, log, &name, Reason::Dispatch.code(), "it would start now", &verdict.passed);
    }
    let ledger = LedgerRow {
        at: now,
        reason: "dispatched".to_owned(),
        sentence: format!("run {}{}", row.run.id, fresh.earlier.said()),
        passed: verdict.passed.iter().map(|p| (*p).to_owned()).collect(),
    };
    // Written with the run: a tick that is ended in the middle of the dispatch leaves the reason, too.
    store.begin_run(&row, &text, &route, &effects, &event, &ledger)?;
    drive(env, host, store, log, &row.run.id)?;
    adopt::record(env, host, store, log, &row.run.id)
}

fn fresh(
    env: &Env,
    host: &HostPolicy,
    store: &Store,
    candidate: &Candidate,
    policy: &RepoPolicy,
) -> PortResult<Fresh> {
    let repo = &candidate.repo;
    let forge = env.forge(repo)?;
    let issue = forge.issue(repo, candidate.issue.number)?;
    let (remote, base) = target(env, policy)?;
    let branch = policy.branch.clone().unwrap_or_else(|| remote.default_branch.clone());
    let comments = trusted_comments(env, host, store, repo, candidate.issue.number)?;
    let name = candidate.name();
    let onto = earlier::Onto { landing: policy.landing, remote: &remote, branch: &branch, target: &base };
    let earlier = earlier::find(env, store, &name, &onto)?;
    Ok(Fresh { issue, remote, base, branch, comments, earlier })
}

/// Comments by trusted people, fenced; ours are left out, by the ids we recorded, and by their mark where those are lost.
fn trusted_comments(
    env: &Env,
    host: &HostPolicy,
    store: &Store,
    repo: &RepoId,
    number: u64,
) -> PortResult<String> {
    let forge = env.forge(repo)?;
    let comments = forge.comments(repo, number)?;
    let name = IssueRef { repo: repo.clone(), number };
    let runs = store.runs_of(&name).map_err(|e| PortError::later(e.to_string()))?;
    let ours: Vec<&String> =
        runs.iter().flat_map(|r| r.comment_id.iter().chain(r.end_comment_id.iter())).collect();
    let mut text = String::new();
    let overwritten = overwritten(env, host, repo)?;
    let is_ours = |c: &Comment| ours.contains(&&c.id) || c.body.starts_with(text::MARK);
    for comment in comments.iter().filter(|c| !is_ours(c) && !overwritten(c)) {
        let Some(author) = &comment.author else { continue };
        if trusted(env, host, repo, author) != Seen::Known(true) || text.chars().count() > MAX_COMMENT_CHARS {
            continue;
        }
        let body: String = comment.body.chars().take(MAX_COMMENT_CHARS).collect();
        text.push_str(&format!("{} wrote:\n{}\n\n", sanitize(&author.login, 60), fenced(&body)));
    }
    Ok(text)
}

pub(super) fn new_run(
    env: &Env,
    candidate: &Candidate,
    policy: &RepoPolicy,
    fresh: &Fresh,
    by: Option<&Person>,
    now: UnixTime,
) -> Run {
    let run = Run {
        asked_by: by.map_or_else(String::new, |p| p.login.clone()),
        attempt: candidate.attempts_used + 1,
        landing: policy.landing,
        ..Run::begin((env.new_id)(), candidate.name(), &fresh.branch, &fresh.base, now)
    };
    fresh.earlier.begun(run)
}
