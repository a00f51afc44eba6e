//! Looks at each run in flight and takes its next steps, until it waits for something.

use super::drive::drive;
use super::env::Env;
use super::event::event;
use super::log::{Log, illegal};
use super::perform::find_comment;
use super::policy::HostPolicy;
use super::poll::resume;
use super::{adopt, leftovers, lessons, observe, record};

use crate::domain::event::Happening;
use crate::domain::model::{JobState, Outcome};
use crate::domain::run::{self, Phase, Row, Wait};
use crate::error::Error;
use crate::store::{RunRow, Store};
use crate::text;

/// A run that has not come to a wait after this many steps is looked at again by the next tick.
const MAX_STEPS: u32 = 12;

pub fn tick(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    // A change that is being taken back, where the command that asked for it was ended in the middle.
    for id in store.ended_with_pending()? {
        drive(env, host, store, log, &id)?;
    }
    for row in store.runs_in_flight()? {
        if (env.past_deadline)() {
            log.left.push(format!("run {}", row.run.id));
            continue;
        }
        one(env, host, store, log, &row.run.id)?;
    }
    Ok(())
}

/// One run, and its record beside its work.
pub fn one(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log, id: &str) -> Result<(), Error> {
    count_anew(env, store, id)?;
    if let Some(row) = store.run(id)?
        && !resume::may_go_on(env, host, store, log, &row)?
    {
        return Ok(());
    }
    steps(env, host, store, log, id)?;
    adopt::record(env, host, store, log, id)
}

/// A run that an older version counted from a commit which its work does not contain would be taken for one whose agent
/// rewrote history. Where its first turn began is known, and so is what the target had of that.
fn count_anew(env: &Env, store: &mut Store, id: &str) -> Result<(), Error> {
    let Some(row) = store.run(id)?.filter(|row| row.run.base_is_in_doubt()) else { return Ok(()) };
    let (repo, run) = (&row.run.issue.repo, &row.run);
    // What cannot be read stays as it is: reading the work says why.
    if let Ok(Some(base)) = env.git.common(repo, &run.base, &run.turn_head)
        && base != run.base
    {
        store.touch(&row.run.counted_from(base))?;
    }
    Ok(())
}

/// What is pending first, then step after step.
fn steps(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log, id: &str) -> Result<(), Error> {
    for _ in 0..MAX_STEPS {
        if !drive(env, host, store, log, id)? {
            return Ok(());
        }
        let Some(mut row) = store.run(id)? else { return Ok(()) };
        match row.run.phase {
            Phase::Ended => return Ok(()),
            Phase::Active | Phase::Ending | Phase::Starting => {}
        }
        let Some(policy) = (host.repo)(&row.run.issue.repo) else { return Ok(()) };
        let policy = policy.with_runner(&row.runner);
        if ended_before(env, host, store, log, &row)? {
            continue;
        }
        let now = env.now();
        let waited_for = row.run.wait;
        row.run = run::advance(row.run, now);
        let jobs = leftovers::end(env, host, store, &row)?;
        let turn = observe::turn(store, &row, jobs.turn)?;
        record::found(env, host, store, log, &row, &turn.found)?;
        let seen = observe::evidence(env, host, store, &row, &policy, turn.seen, jobs.verify)?;
        record::found(env, host, store, log, &row, &seen.found)?;
        let seen = seen.evidence;
        let step = run::next(row.run, &seen, &policy.run).map_err(illegal)?;
        // That a landing has to wait is told once, when it begins to.
        let held = step.row == Row::Wait(Wait::MergeHours) && waited_for != Some(Wait::MergeHours);
        if matches!(step.row, Row::Wait(_)) && step.effects.is_empty() && !held {
            store.touch(&step.run)?;
            return Ok(());
        }
        let kind = step.row.event();
        let key = format!(
            "{}:{}.{}.{}.{}.{}",
            kind.code(),
            step.run.turns,
            step.run.verifies,
            step.run.conflict_tries,
            step.run.reruns,
            step.run.round
        );
        let why = text::why(&step.row.why());
        let effects = text::worded(step.effects.clone(), &step.run, &seen.receipt);
        let event = event(&step.run, &key, kind.clone(), now, &why);
        let event = lessons::told(event, &step, &seen, &row.runner);
        let checked = observe::checked(&step.run, &seen, now);
        store.step(&step.run, &effects, &[Some(event), checked].into_iter().flatten().collect::<Vec<_>>())?;
        if !host.dry && !matches!(step.row, Row::Wait(_)) {
            log.acted(&step.run, kind.code(), &why);
        }
    }
    Ok(())
}

/// A state file that was put back from an older copy holds runs that ended since: their folder is gone, and their end is
/// told on the issue. Such a run is only closed; nothing is started or said for it.
fn ended_before(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
) -> Result<bool, Error> {
    let run = &row.run;
    let dir = env.folder(run).job(&run.turn_job(run.turns));
    let asked = run.phase == Phase::Active && row.end_comment_id.is_none() && !host.dry;
    if !asked || !matches!(env.runner.state(&dir), Ok(JobState::NotStarted)) {
        return Ok(false);
    }
    let Ok(Some(comment)) = find_comment(env, row, "end") else { return Ok(false) };
    let repo = &run.issue.repo;
    let closed =
        env.forge(repo).and_then(|forge| forge.issue(repo, run.issue.number)).is_ok_and(|issue| !issue.open);
    let outcome = if closed && run.pushed.is_some() { Outcome::Landed } else { Outcome::Withdrawn };
    let now = env.now();
    let (ending, effects) = run::ended_before(run.clone(), outcome, now).map_err(illegal)?;
    let why = "its end stands on the issue; the state file is an older copy";
    let event = event(&ending, "ended-before", Happening::EndedBefore, now, why);
    store.set_end_comment(&run.id, &comment)?;
    store.step(&ending, &effects, &[event])?;
    log.acted(&ending, "ended-before", why);
    Ok(true)
}
