//! The bridge to a CI that is a workflow of the forge. Such a request can be neither confirmed nor denied: it is written down,
//! sent once, and looked for; what is not found in time is told as an error, and never asked for a second time.

use serde_json::{Map, Value, json};

use super::build::{Asked, tell};
use super::{RecipePolicy, UpgradeWorld};
use crate::domain::model::UnixTime;
use crate::error::Error;
use crate::ports::{PortError, PortResult};

/// A run that was asked for is looked for so long.
const GRACE_SECONDS: i64 = 600;

/// What the note of a build says of it: when it was asked for, and the newest run that was there before.
struct Sent {
    at: UnixTime,
    after: u64,
}

fn sent(note: &Map<String, Value>) -> Option<Sent> {
    let at = note.get("asked_at").and_then(Value::as_i64)?;
    Some(Sent { at: UnixTime(at), after: note.get("after").and_then(Value::as_u64).unwrap_or(0) })
}

/// The final state, once there is one. `limits`: the workflow and its time-out.
pub(super) fn build(
    world: &mut UpgradeWorld,
    limits: (&str, u64),
    recipe: &RecipePolicy,
    asked: &Asked,
    (key, note): (&str, &mut Map<String, Value>),
) -> Result<PortResult<Option<&'static str>>, Error> {
    if let Some(sent) = sent(note) {
        return Ok(look(world, limits, recipe, asked, &sent));
    }
    let branch = match prepare(world, limits.0, recipe, asked) {
        Ok(Ok((branch, after))) => {
            note.insert("asked_at".to_owned(), json!(world.now().0));
            note.insert("after".to_owned(), json!(after));
            branch
        }
        Ok(Err(state)) => return Ok(Ok(Some(state))),
        Err(error) => return Ok(Err(error)),
    };
    world.store.set_upgrade_note(key, Some(&Value::Object(note.clone()).to_string()))?;
    Ok(ask(world, limits.0, recipe, asked, &branch))
}

/// The branch to run on and the newest run so far; or a state, where there is nothing to be asked for.
fn prepare(
    world: &UpgradeWorld,
    workflow: &str,
    recipe: &RecipePolicy,
    asked: &Asked,
) -> PortResult<Result<(String, u64), &'static str>> {
    let forge = world.forge(&recipe.mirror)?;
    let there = forge.pull(&recipe.mirror, asked.pull)?;
    forge.react(&recipe.mirror, asked.pull, asked.comment)?;
    if there.head != asked.head {
        tell(world, recipe, asked, "error", "the branch moved before the workflow began")?;
        return Ok(Err("error"));
    }
    let runs = match forge.dispatched(&recipe.mirror, workflow, &asked.head) {
        Ok(runs) => runs,
        Err(PortError::Gone { .. }) => {
            tell(world, recipe, asked, "error", "there is no such workflow")?;
            return Ok(Err("error"));
        }
        Err(error) => return Err(error),
    };
    tell(world, recipe, asked, "pending", "asked for")?;
    Ok(Ok((there.branch, runs.iter().map(|run| run.id).max().unwrap_or(0))))
}

fn ask(
    world: &UpgradeWorld,
    workflow: &str,
    recipe: &RecipePolicy,
    asked: &Asked,
    branch: &str,
) -> PortResult<Option<&'static str>> {
    match world.forge(&recipe.mirror)?.dispatch(&recipe.mirror, workflow, branch) {
        Ok(()) => Ok(None),
        Err(PortError::Refused { .. } | PortError::Gone { .. }) => {
            tell(world, recipe, asked, "error", "the forge refused to start the workflow")?;
            Ok(Some("error"))
        }
        Err(error) => Err(error),
    }
}

fn look(
    world: &UpgradeWorld,
    (workflow, timeout): (&str, u64),
    recipe: &RecipePolicy,
    asked: &Asked,
    sent: &Sent,
) -> PortResult<Option<&'static str>> {
    let runs = world.forge(&recipe.mirror)?.dispatched(&recipe.mirror, workflow, &asked.head)?;
    let own = runs.iter().filter(|run| run.id > sent.after).min_by_key(|run| run.id);
    let waited = world.now().since(sent.at);
    let (state, why) = match own.map(|run| run.green) {
        Some(Some(true)) => ("success", "finished"),
        Some(Some(false)) => ("failure", "finished"),
        Some(None) if waited > i64::try_from(timeout).unwrap_or(i64::MAX) => ("error", "it took too long"),
        None if waited > GRACE_SECONDS => {
            ("error", "nobody can tell whether the workflow began; say the trigger again")
        }
        Some(None) | None => return Ok(None),
    };
    tell(world, recipe, asked, state, why)?;
    Ok(Some(state))
}
