//! Scores what became of runs, credits the versions that told them, and decides canaries by it.
//!
//! Only runs whose outcome can still change are looked at, and only landed ones cost a question to the forge; a branch
//! that work landed on is read once for all of its runs. What cannot be read decides nothing.

use super::canary::CanaryReport;
use super::env::Env;
use super::event::event;
use super::log::{Item, Log};
use super::policy::{HostPolicy, RepoPolicy};
use std::collections::BTreeMap;

use super::{observe, templates};
use crate::domain::canary::{self, Arm, Decision};
use crate::domain::checks::{self, CiVerdict};
use crate::domain::effect::{NoticeKind, TurnKind};
use crate::domain::event::Happening;
use crate::domain::harvest::{self, After, Arms, Facts, Stage, Standing, Why};
use crate::domain::model::{Oid, Outcome, PullState, RepoId, TurnEnding, UnixTime};
use crate::domain::run::{Phase, Wait};
use crate::domain::template::State;
use crate::error::Error;
use crate::ports::{Notice, PortError, PortResult, Wanted};
use crate::store::{BranchRow, CanaryRow, RunRow, Store, StoreResult, Verdict};
use crate::text::canary as words;

/// Landed work is looked at again after this; what could not be read, sooner.
const LOOK_SECONDS: i64 = 3600;
const LOOK_AGAIN_SECONDS: i64 = 600;
/// A branch is read for so long after work landed on it.
const READ_SECONDS: i64 = 90 * 86_400;
/// More commits than this are not read at once; work that was taken back further down is not found.
const MAX_COMMITS: usize = 2000;
/// The cause of the alarm about a graduated version whose work was taken back begins so.
const ALARM: &str = "graduated-reverted:";

pub fn tick(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    if !host.harvest.enabled {
        return Ok(());
    }
    templates::sync(env, store, log)?;
    let mut read = BTreeMap::new();
    attribute(env, host, store, log, &mut read)?;
    read_due_branches(env, store, log, &mut read)?;
    late_reverts(env, store, log)?;
    for row in store.live_canaries()? {
        decide(env, host, store, log, &row)?;
    }
    Ok(())
}

/// Whether a repo's branches could be read in this tick.
type Read = BTreeMap<RepoId, bool>;

fn attribute(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    read: &mut Read,
) -> Result<(), Error> {
    for run in store.outcomes_due(env.now())? {
        if (env.past_deadline)() {
            log.left.push("harvest".to_owned());
            break;
        }
        let Some(row) = store.run(&run)? else { continue };
        let facts = facts(env, host, store, log, &row, read)?;
        let now = env.now();
        let standing = harvest::settle(&facts, host.harvest.rules, now);
        let look_at = look_at(&facts, standing, host.harvest.rules, now);
        let news = store.put_outcome(&run, standing, look_at, now)?;
        if let (true, Some(scored)) = (news, words::scored(standing)) {
            log.items.push(Item {
                issue: row.run.issue.to_string(),
                run: Some(run),
                handle: None,
                reason: standing.why().code().to_owned(),
                sentence: format!("{scored} for {}", row.template),
                acted: standing.why().after_landing(),
            });
        }
    }
    Ok(())
}

/// A run in flight is looked at by every tick: that costs nothing. Landed work is asked about less often.
fn look_at(facts: &Facts, standing: Standing, rules: harvest::Rules, now: UnixTime) -> UnixTime {
    match (facts.stage, standing.why()) {
        (Stage::Ended { .. }, Why::Unreadable) => now.plus(LOOK_AGAIN_SECONDS),
        (Stage::Ended { at, .. }, _) => now.plus(LOOK_SECONDS).min(at.plus(rules.survival_seconds)),
        (Stage::Working | Stage::Review | Stage::Parked | Stage::Unreadable, _) => now,
    }
}

fn facts(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    read: &mut Read,
) -> Result<Facts, Error> {
    let run = &row.run;
    let stage = match (run.phase, run.outcome, run.wait) {
        (Phase::Ended, Some(outcome), _) => {
            Stage::Ended { outcome, at: run.ended_at.unwrap_or(run.last_seen) }
        }
        (_, _, Some(Wait::Parked)) => Stage::Parked,
        // What is asked for in a review waits for its slot, too.
        (_, _, Some(Wait::Review | Wait::Slot)) => Stage::Review,
        (_, _, Some(Wait::Unreadable)) => Stage::Unreadable,
        (Phase::Starting | Phase::Active | Phase::Ending | Phase::Ended, _, _) => Stage::Working,
    };
    let turns = store.turns_of(&run.id)?;
    let first = turns.first().and_then(|turn| turn.ending.as_deref());
    // An ending of another version of offhours is one all the same.
    let first_turn_over = first.is_some_and(|code| code.parse().map_or(true, TurnEnding::told_something));
    let corrections = turns.iter().filter(|t| corrects(t.kind)).count();
    let events = store.events_of(&run.id)?;
    let happened = |kind: Happening| events.iter().any(|e| e.is(kind));
    let (checked, template_failed) = (happened(Happening::Checked), happened(Happening::TemplateFailed));
    let red_since = happened(Happening::RedAfterwards);
    let landed = matches!(stage, Stage::Ended { outcome: Outcome::Landed, .. });
    let after = match (landed, red_since) {
        (true, true) => After::Seen { reopened: false, red: true },
        (true, false) => after(env, host, store, log, row, read)?,
        (false, _) => After::Unreadable,
    };
    Ok(Facts {
        dispatched_at: run.created_at,
        stage,
        first_turn_over,
        corrections: u32::try_from(corrections).unwrap_or(u32::MAX),
        checked,
        template_failed,
        reverted: store.taken_back(&run.id)?,
        after,
    })
}

fn corrects(kind: TurnKind) -> bool {
    match kind {
        TurnKind::FixForward | TurnKind::Review => true,
        TurnKind::First | TurnKind::Continue => false,
    }
}

/// What became of landed work since: its branch, its issue, and its checks.
fn after(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    read: &mut Read,
) -> Result<After, Error> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let subject = format!("what became of {}", run.issue);
    let (Some(policy), Some(head)) = ((host.repo)(repo), run.pushed.clone()) else {
        return Ok(After::Unreadable);
    };
    let known = remember_commits(env, store, row, &head)?;
    // An outage is told once, for the branch, and not for every run that landed there.
    if !read_branches(env, store, log, repo, read)? && known.is_ok() {
        return Ok(After::Unreadable);
    }
    let seen = known.and_then(|()| {
        let open_again = reopened(env, store, row)?;
        Ok(After::Seen { reopened: open_again, red: red(env, &policy, &head)? })
    });
    match seen {
        Ok(found) => {
            store.outage_over(&subject)?;
            Ok(found)
        }
        Err(error) => {
            log.failed(env, store, &subject, &error)?;
            Ok(After::Unreadable)
        }
    }
}

fn reopened(env: &Env, store: &Store, row: &RunRow) -> PortResult<bool> {
    let issue = &row.run.issue;
    let forge = env.forge(&issue.repo)?;
    // Where it could not be closed it was never opened again.
    let refused = store.refusal(&row.run.id, "close").map_err(|e| PortError::later(e.to_string()))?;
    match forge.issue(&issue.repo, issue.number) {
        Ok(seen) => Ok(seen.open && refused.is_none()),
        // Gone only counts while its repo can be read.
        Err(PortError::Gone { .. }) if forge.remote(&issue.repo).is_ok() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the landed commit is red now.
fn red(env: &Env, policy: &RepoPolicy, head: &Oid) -> PortResult<bool> {
    let seen = observe::stages(env, policy, head, (0, 0), Wanted::Reported);
    match checks::fold(&seen, policy.ci_grace_seconds, policy.ci_timeout_seconds) {
        CiVerdict::Red { .. } => Ok(true),
        CiVerdict::Unreadable { stage, why } => {
            Err(PortError::later(format!("reading {stage} of {}: {why}", head.short())))
        }
        CiVerdict::NotStarted { .. }
        | CiVerdict::Pending { .. }
        | CiVerdict::NoChecks { .. }
        | CiVerdict::NeedsPerson { .. }
        | CiVerdict::Green { .. }
        | CiVerdict::TimedOut { .. } => Ok(false),
    }
}

/// Keeps the names of the commits that a run brought, so that one that takes them back is known.
fn remember_commits(env: &Env, store: &mut Store, row: &RunRow, head: &Oid) -> Result<PortResult<()>, Error> {
    let run = &row.run;
    if store.landed_known(&run.id)? {
        return Ok(Ok(()));
    }
    let mut landings = store.landings(&run.id)?;
    if landings.is_empty() {
        landings.push((head.clone(), run.up_to.clone()));
    }
    let found = (|| {
        let mut names = vec![];
        for (to, from) in &landings {
            let commits = env.git.commits(&run.issue.repo, from, to, MAX_COMMITS)?;
            names.extend(commits.into_iter().map(|(oid, _)| oid.to_string()));
            names.push(to.to_string());
        }
        if let Some(number) = run.pull {
            names.push(format!("#{number}"));
            // Squashed or merged, it is on the target under a name of its own.
            match env.pulls(&run.issue.repo)?.pull(&run.issue.repo, number)?.state {
                PullState::Merged { commit, .. } => names.extend(commit.map(|oid| oid.to_string())),
                PullState::Open | PullState::Closed => {}
            }
        }
        Ok(names)
    })();
    let names = match found {
        Ok(names) => names,
        // A pull request that is gone says no more; the branch is read all the same.
        Err(PortError::Gone { .. }) => vec![head.to_string()],
        Err(error) => return Ok(Err(error)),
    };
    let branch =
        BranchRow { repo: run.issue.repo.clone(), branch: run.target_branch.clone(), oid: head.clone() };
    let until = env.now().plus(READ_SECONDS);
    store.put_landed(&run.id, &branch, &names, until)?;
    Ok(Ok(()))
}

/// Reads a repo's branches up to their newest commits, once a tick.
fn read_branches(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    repo: &RepoId,
    read: &mut Read,
) -> Result<bool, Error> {
    if let Some(good) = read.get(repo) {
        return Ok(*good);
    }
    let mut good = true;
    for branch in store.branches_to_read(Some(repo), env.now())? {
        good &= read_branch(env, store, log, &branch)?;
    }
    read.insert(repo.clone(), good);
    Ok(good)
}

fn read_due_branches(env: &Env, store: &mut Store, log: &mut Log, read: &mut Read) -> Result<(), Error> {
    for branch in store.branches_to_read(None, env.now())? {
        if (env.past_deadline)() {
            return Ok(());
        }
        read_branches(env, store, log, &branch.repo, read)?;
    }
    Ok(())
}

fn read_branch(env: &Env, store: &mut Store, log: &mut Log, branch: &BranchRow) -> Result<bool, Error> {
    let repo = &branch.repo;
    let subject = format!("commits on {} of {repo}", branch.branch);
    let seen = env.forge(repo).and_then(|forge| {
        let remote = forge.remote(repo)?;
        let head = env.git.fetch_branch(repo, &remote, &branch.branch)?;
        let commits = if head == branch.oid {
            vec![]
        } else {
            env.git.commits(repo, &branch.oid, &head, MAX_COMMITS)?
        };
        Ok((head, commits))
    });
    let now = env.now();
    match seen {
        Ok((head, commits)) => {
            let path = repo.path();
            let taken: Vec<String> =
                commits.iter().flat_map(|(_, message)| harvest::takes_back(message, &path)).collect();
            let upto = BranchRow { oid: head, ..branch.clone() };
            store.put_branch_read(&upto, &taken, now.plus(LOOK_SECONDS), now)?;
            store.outage_over(&subject)?;
            Ok(true)
        }
        Err(error) => {
            store.put_branch_read(branch, &[], now.plus(LOOK_AGAIN_SECONDS), now)?;
            log.failed(env, store, &subject, &error)?;
            Ok(false)
        }
    }
}

/// Work that was taken back: an event each, and an alarm where the version that told it graduated.
fn late_reverts(env: &Env, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    for late in store.new_late_reverts()? {
        let Some(row) = store.run(&late.run)? else { continue };
        let now = env.now();
        let event = event(&row.run, "reverted", Happening::Reverted, now, "its commits were taken back");
        if !store.put_late_revert(&late.run, &event, now)? {
            continue;
        }
        let version = store.template(late.template)?;
        if let Some(version) = version.filter(|v| v.state == State::Champion)
            && store.graduated(version.id)?
        {
            let detail = words::late_revert(&version.label(), &row.run.issue.to_string());
            log.alarm(env, store, &format!("{ALARM}{}", version.label()), &detail)?;
        }
        log.acted(&row.run, "reverted", "taken back after it was scored; the score stays");
    }
    // The alarm is over once another version tells the agents.
    for (cause, _, _) in store.alarms()? {
        if let Some(label) = cause.strip_prefix(ALARM)
            && !store.templates(None)?.iter().any(|t| t.state == State::Champion && t.label() == label)
        {
            env.recovered(store, &cause)?;
        }
    }
    Ok(())
}

/// Reads how a canary stands. Changes nothing.
pub fn look(store: &Store, row: &CanaryRow) -> StoreResult<CanaryReport> {
    let missing = || crate::store::StoreError::Row { what: format!("a version of the canary {}", row.id) };
    let version = store.template(row.template)?.ok_or_else(missing)?;
    let champion = store.template(row.champion)?.ok_or_else(missing)?;
    let entries = store.canary_entries(&row.id)?;
    let counted = harvest::counted(&entries);
    let log = harvest::log(&counted);
    let reading = canary::decide(&row.params, row.history, &log);
    let fails = counted.iter().any(|e| e.arm == Arm::Canary && e.why == Why::TemplateFailed);
    let decision = if fails { Decision::RollBack } else { reading.decision };
    let (rollback, graduate) = harvest::distances(&row.params, &reading, &log);
    let (champion_arm, canary_arm) =
        (Arms::of(Arm::Champion, &entries, &counted), Arms::of(Arm::Canary, &entries, &counted));
    let sentence = words::standing(&words::Told {
        version: &version.label(),
        champion: &champion.label(),
        canary: &row.id,
        decision,
        fails,
        champion_arm: &champion_arm,
        canary_arm: &canary_arm,
        rollback,
        graduate,
        max_canary: row.params.max_canary,
    });
    let pending = counted.iter().filter(|e| e.state == harvest::EntryState::Pending);
    Ok(CanaryReport {
        pending: pending.map(|e| (*e).clone()).collect(),
        decided_by: reading.decided_at.and_then(|at| counted.get(at)).map(|e| e.run.clone()),
        row: row.clone(),
        version,
        champion,
        decision,
        fails,
        champion_arm,
        canary_arm,
        rollback,
        graduate,
        blocks: reading.closed_at.len(),
        sentence,
    })
}

fn decide(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &CanaryRow,
) -> Result<(), Error> {
    let seen = look(store, row)?;
    still_listed(env, log, &seen);
    let verdict = match seen.decision {
        Decision::Hold => None,
        Decision::RollBack => Some(Verdict::RolledBack),
        Decision::Graduate => Some(Verdict::Graduated),
        Decision::Inconclusive => Some(Verdict::Inconclusive),
    };
    let mut acted = false;
    if let Some(verdict) = verdict {
        if host.dry {
            log.effects.push(format!("{}: {}", seen.version.label(), seen.sentence));
        } else {
            acted = conclude(env, store, &seen, verdict)?;
        }
    }
    log.items.push(Item {
        issue: seen.version.label(),
        run: None,
        handle: Some(row.id.clone()),
        reason: verdict.map_or("hold", Verdict::code).to_owned(),
        sentence: seen.sentence.clone(),
        acted,
    });
    log.canaries.push(seen);
    Ok(())
}

/// Verdict, states, event and notice in one transaction; somebody else may have been first.
fn conclude(env: &Env, store: &mut Store, seen: &CanaryReport, verdict: Verdict) -> Result<bool, Error> {
    let kind = match verdict {
        Verdict::Graduated => Some(NoticeKind::Graduated),
        Verdict::RolledBack => Some(NoticeKind::RolledBack),
        // Nobody is called for what leaves everything as it was; `status` and `template history` show it.
        Verdict::Inconclusive => None,
    };
    let notice = kind.map(|kind| Notice {
        key: format!("canary:{}:{}", seen.row.id, kind.code()),
        kind,
        title: words::title(&seen.version.label(), verdict.code()),
        body: seen.sentence.clone(),
        link: None,
        topic: None,
        possible_repeat: false,
    });
    let wanted = kind.map(|kind| env.wanted(kind)).unwrap_or_default();
    let now = env.now();
    let notice = notice.as_ref().map(|notice| (wanted.as_slice(), notice));
    Ok(store.end_canary(&seen.row, verdict, &seen.sentence, notice, now)?)
}

/// A canary goes on with the text that was kept, also when its file is not listed any more. That is said.
fn still_listed(env: &Env, log: &mut Log, seen: &CanaryReport) {
    let from_config = seen.version.origin.starts_with(templates::LISTED);
    let listed = env.prompter.sources().iter().any(|s| s.name == seen.row.name);
    if from_config && !listed {
        log.items.push(Item {
            issue: seen.version.label(),
            run: None,
            handle: Some(seen.row.id.clone()),
            reason: "template-unlisted".to_owned(),
            sentence: words::unlisted(&seen.version.label(), &seen.row.name, &seen.row.id),
            acted: false,
        });
    }
}
