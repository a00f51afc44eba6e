//! A build that a trigger asked for, and its state on the forge.

use super::{RecipePolicy, UpgradeWorld};
use crate::domain::model::Oid;
use crate::ports::{NewStatus, PortResult};

/// A build that a trigger asked for.
pub(super) struct Asked {
    pub(super) head: Oid,
    pub(super) pull: u64,
    pub(super) comment: u64,
    pub(super) url: String,
}

/// Sets a state of the build, once.
pub(super) fn tell(
    world: &UpgradeWorld,
    recipe: &RecipePolicy,
    asked: &Asked,
    state: &'static str,
    description: &str,
) -> PortResult<()> {
    let forge = world.forge(&recipe.mirror)?;
    let there = forge.statuses(&recipe.mirror, &asked.head)?;
    if there.iter().any(|s| s.url.as_ref() == Some(&asked.url) && s.state == state) {
        return Ok(());
    }
    let new = NewStatus {
        context: world.policy.verdict.context.clone(),
        state,
        description: description.to_owned(),
        url: Some(asked.url.clone()),
    };
    forge.set_status(&recipe.mirror, &asked.head, &new).map(drop)
}
