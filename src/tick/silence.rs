//! Silence is an alarm: a schedule that does not fire, CI that never answers. What `poll` sees of it is raised there.

use super::world::World;
use crate::domain::model::{HandBack, Outcome, UnixTime};
use crate::domain::silence::{self, Heard};
use crate::error::Error;

/// How many runs are looked back at, for the newest of each repo.
const LOOK_BACK: u32 = 200;

/// Looks at when each command ran before this tick, and whether one of them has fallen silent.
pub fn schedule(
    world: &mut World,
    command: &str,
    before: &[(String, UnixTime, Option<UnixTime>, Option<String>)],
) -> Result<(), Error> {
    let now = world.now();
    let heard: Vec<Heard> =
        before.iter().map(|(command, at, _, _)| Heard { command: command.clone(), at: *at }).collect();
    let found =
        silence::schedule(&heard, command, now, world.host.schedule_alarm_seconds, world.host.switch_on);
    for silent in &found {
        world.alarm(&format!("schedule:{}", silent.command), &silent.sentence)?;
    }
    for (cause, _, _) in world.store.alarms()? {
        let gone = cause
            .strip_prefix("schedule:")
            .is_some_and(|name| !found.iter().any(|silent| silent.command == name));
        if gone {
            world.recovered(&cause)?;
        }
    }
    Ok(())
}

/// A repo whose newest run was handed back because CI never came to an end: until one comes to an end there.
pub fn ci(world: &mut World) -> Result<(), Error> {
    let mut seen = vec![];
    for row in world.store.recent_runs(LOOK_BACK)? {
        let repo = row.run.issue.repo.clone();
        // What never got as far as CI says nothing about it.
        let Some(outcome) = row.run.outcome.filter(|_| row.run.pushed.is_some()) else { continue };
        if seen.contains(&repo) {
            continue;
        }
        let cause = format!("ci-pending:{repo}");
        if outcome == Outcome::HandedBack(HandBack::CiTimeout) {
            let detail = format!(
                "CI of {repo} never came to an end for run {}; look whether its runners live, or raise ci.timeout_seconds",
                row.run.id
            );
            world.alarm(&cause, &detail)?;
        } else {
            world.recovered(&cause)?;
        }
        seen.push(repo);
    }
    Ok(())
}
