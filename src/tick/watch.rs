//! Looks at each run in flight and takes its next steps, until it waits for something.

use super::observe;
use super::perform::drive;
use super::world::World;
use crate::domain::run::{self, Phase, Row};
use crate::error::Error;

/// A run that has not come to a wait after this many steps is looked at again by the next tick.
const MOST_STEPS: u32 = 12;

pub fn tick(world: &mut World) -> Result<(), Error> {
    for row in world.store.runs_in_flight()? {
        if (world.late)() {
            world.report.left.push(format!("run {}", row.run.id));
            continue;
        }
        one(world, &row.run.id)?;
    }
    Ok(())
}

/// One run: what is pending first, then step after step.
pub fn one(world: &mut World, id: &str) -> Result<(), Error> {
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
        let now = world.now();
        row.run = run::advance(row.run, now);
        let seen = observe::evidence(world, &row, &policy)?;
        let step = run::next(row.run, &seen, &policy.run, now).map_err(|e| Error::internal(e.to_string()))?;
        if matches!(step.row, Row::Wait(_)) && step.effects.is_empty() {
            world.store.touch(&step.run)?;
            return Ok(());
        }
        let key = format!(
            "{}:{}.{}.{}.{}",
            step.row.code(),
            step.run.turns,
            step.run.verifies,
            step.run.conflict_tries,
            step.run.reruns
        );
        let why = step.row.why();
        let event = observe::event(&step.run, &key, step.row.code(), now, &why);
        world.store.step(&step.run, &step.effects, &[event])?;
        if !world.dry {
            world.acted(&step.run, step.row.code(), &why);
        }
    }
    Ok(())
}
