//! Looks at each run in flight and takes its next steps, until it waits for something.

use super::perform::{drive, find_comment};
use super::world::World;
use super::{adopt, lessons, observe};
use crate::domain::effect::Effect;
use crate::domain::model::{JobState, Outcome};
use crate::domain::run::{self, Phase, Row, Wait};
use crate::error::Error;
use crate::store::RunRow;

/// A run that has not come to a wait after this many steps is looked at again by the next tick.
const MOST_STEPS: u32 = 12;

pub fn tick(world: &mut World) -> Result<(), Error> {
    // A change that is being taken back, where the command that asked for it was ended in the middle.
    for id in world.store.ended_with_pending()? {
        drive(world, &id)?;
    }
    for row in world.store.runs_in_flight()? {
        if (world.late)() {
            world.report.left.push(format!("run {}", row.run.id));
            continue;
        }
        one(world, &row.run.id)?;
    }
    Ok(())
}

/// One run, and its record beside its work.
pub fn one(world: &mut World, id: &str) -> Result<(), Error> {
    count_anew(world, id)?;
    steps(world, id)?;
    adopt::record(world, id)
}

/// A run that an older version counted from a commit which its work does not contain would be taken for one whose agent
/// rewrote history. Where its first turn began is known, and so is what the target had of that.
fn count_anew(world: &mut World, id: &str) -> Result<(), Error> {
    let Some(row) = world.store.run(id)?.filter(|row| row.run.base_is_in_doubt()) else { return Ok(()) };
    let (repo, run) = (&row.run.issue.repo, &row.run);
    // What cannot be read stays as it is: reading the work says why.
    if let Ok(Some(base)) = world.git.common(repo, &run.base, &run.turn_head)
        && base != run.base
    {
        world.store.touch(&row.run.counted_from(base))?;
    }
    Ok(())
}

/// What is pending first, then step after step.
fn steps(world: &mut World, id: &str) -> Result<(), Error> {
    for _ in 0..MOST_STEPS {
        if !drive(world, id)? {
            return Ok(());
        }
        let Some(mut row) = world.store.run(id)? else { return Ok(()) };
        match row.run.phase {
            Phase::Ended => return Ok(()),
            Phase::Active | Phase::Ending | Phase::Starting => {}
        }
        let Some(policy) = (world.policy)(&row.run.issue.repo) else { return Ok(()) };
        let policy = policy.with_runner(&row.runner);
        if ended_before(world, &row)? {
            continue;
        }
        let now = world.now();
        let waited_for = row.run.wait;
        row.run = run::advance(row.run, now);
        let seen = observe::evidence(world, &row, &policy)?;
        let step = run::next(row.run, &seen, &policy.run, now).map_err(|e| Error::internal(e.to_string()))?;
        // That a landing has to wait is told once, when it begins to.
        let held = step.row == Row::Wait(Wait::MergeHours) && waited_for != Some(Wait::MergeHours);
        if matches!(step.row, Row::Wait(_)) && step.effects.is_empty() && !held {
            world.store.touch(&step.run)?;
            return Ok(());
        }
        let key = format!(
            "{}:{}.{}.{}.{}.{}",
            step.row.code(),
            step.run.turns,
            step.run.verifies,
            step.run.conflict_tries,
            step.run.reruns,
            step.run.round
        );
        let why = step.row.why();
        let event = observe::event(&step.run, &key, step.row.code(), now, &why);
        let event = lessons::told(event, &step, &seen, &row.runner);
        let checked = observe::checked(&step.run, &seen, now);
        world.store.step(
            &step.run,
            &step.effects,
            &[Some(event), checked].into_iter().flatten().collect::<Vec<_>>(),
        )?;
        if !world.dry && !matches!(step.row, Row::Wait(_)) {
            world.acted(&step.run, step.row.code(), &why);
        }
    }
    Ok(())
}

/// A state file that was put back from an older copy holds runs that ended since: their folder is gone, and their end is
/// told on the issue. Such a run is only closed; nothing is started or said for it.
fn ended_before(world: &mut World, row: &RunRow) -> Result<bool, Error> {
    let run = &row.run;
    let dir = world.folder(run).job(&run.turn_job(run.turns));
    let asked = run.phase == Phase::Active && row.end_comment_id.is_none() && !world.dry;
    if !asked || !matches!(world.runner.state(&dir), Ok(JobState::NotStarted)) {
        return Ok(false);
    }
    let Ok(Some(comment)) = find_comment(world, row, "end") else { return Ok(false) };
    let repo = &run.issue.repo;
    let closed = world
        .forge(repo)
        .and_then(|forge| forge.issue(repo, run.issue.number))
        .is_ok_and(|issue| !issue.open);
    let outcome = if closed && run.pushed.is_some() { Outcome::Landed } else { Outcome::Withdrawn };
    let now = world.now();
    let ending =
        run::Run { phase: Phase::Ending, outcome: Some(outcome), wait: None, last_seen: now, ..run.clone() };
    let why = "its end stands on the issue; the state file is an older copy";
    let event = observe::event(&ending, "ended-before", "ended-before", now, why);
    world.store.set_end_comment(&run.id, &comment)?;
    world.store.step(&ending, &[Effect::Release, Effect::RemoveWorkspace], &[event])?;
    world.acted(&ending, "ended-before", why);
    Ok(true)
}
