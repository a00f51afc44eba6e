//! The straight line: pending effects first, then a look, a decision, a transaction, and again, until the world has to change.

use serde_json::json;

use super::UpgradeWorld;
use super::act::{self, Acted};
use super::look::{self, Look};
use crate::domain::effect::NoticeKind;
use crate::domain::model::RepoId;
use crate::domain::upgrade::{self, Batch, BatchState, Ending, Next, Recipe, Step};
use crate::error::Error;
use crate::ports::PortError;
use crate::text::{self, upgrade::Told};

/// Decisions of one tick: more would be a circle.
const MAX_STEPS: u32 = 400;

/// What came of leading one recipe on.
enum Led {
    /// It waits, for the world or for a time that was named.
    Waits,
    Over,
}

/// Leads the active batch on, and the bridge.
pub fn tick(world: &mut UpgradeWorld) -> Result<(), Error> {
    super::bridge::tick(world)?;
    let Some(batch) = world.store.newest_batch()?.filter(|b| b.state == BatchState::Active) else {
        return Ok(());
    };
    if let Some(until) = batch.backoff_until {
        if until > world.now() {
            return Ok(());
        }
        world.store.batch_backoff(batch.id, None)?;
    }
    lead(world, &batch)
}

fn lead(world: &mut UpgradeWorld, batch: &Batch) -> Result<(), Error> {
    let mut halted = batch.halted.clone();
    for recipe in world.store.recipes(batch.id)? {
        if recipe.step == Step::Done {
            continue;
        }
        if halted.is_some() {
            skip(world, batch, recipe)?;
            continue;
        }
        match one(world, batch, recipe)? {
            Led::Waits => return Ok(()),
            Led::Over => {
                halted = world.store.batch(batch.id)?.and_then(|b| b.halted);
            }
        }
    }
    finish(world, batch)
}

fn skip(world: &mut UpgradeWorld, batch: &Batch, mut recipe: Recipe) -> Result<(), Error> {
    let now = world.now();
    recipe.ending.get_or_insert_with(|| Ending::Skipped("environment not clean".to_owned()));
    recipe.step = Step::Done;
    recipe.since = now;
    let repo = repo_of(world, &recipe);
    world.store.recipe_step(batch.id, &recipe, &[], &repo, now)?;
    world.acted(&recipe.name, "skipped", "environment not clean");
    Ok(())
}

/// Of a recipe that left the configuration nothing is pushed any more; any name will do.
fn repo_of(world: &UpgradeWorld, recipe: &Recipe) -> RepoId {
    world.recipe(&recipe.name).map_or(
        RepoId { forge: "gone".to_owned(), owner: "gone".to_owned(), name: recipe.name.clone() },
        |policy| policy.mirror,
    )
}

fn one(world: &mut UpgradeWorld, batch: &Batch, mut recipe: Recipe) -> Result<Led, Error> {
    for _ in 0..MAX_STEPS {
        if (world.env.past_deadline)() {
            world.log.left.push(format!("recipe {}", recipe.name));
            return Ok(Led::Waits);
        }
        // `stop` and `off --now` wait for no lock: whoever drives looks whether it still may.
        let active = world.store.batch(batch.id)?.is_some_and(|b| b.state == BatchState::Active);
        if !active {
            return Ok(Led::Waits);
        }
        match act::pending(world, batch, &mut recipe)? {
            Acted::Done => {}
            Acted::Again => continue,
            Acted::Later(error) => return later(world, batch, &recipe, &error),
        }
        if recipe.step == Step::Done {
            return Ok(Led::Over);
        }
        let evidence = match look::evidence(world, batch, &mut recipe)? {
            Look::Seen(evidence) => evidence,
            Look::Later(error) => return later(world, batch, &recipe, &error),
        };
        let now = world.now();
        let policy = world.machine(batch);
        let next = upgrade::next(&recipe, &evidence, &policy, now).map_err(|e| {
            Error::internal(format!("the recipe {} cannot go on from {}", recipe.name, e.step.code()))
        })?;
        let (to, effects, why) = match next {
            Next::Stay => return Ok(Led::Waits),
            Next::Go(to, effects) => (*to, effects, None),
            Next::Halt(to, why) => (*to, vec![], Some(why)),
        };
        let repo = repo_of(world, &to);
        if world.host.dry {
            world.told(&recipe.name, &effects);
        }
        if let Some(why) = why {
            world.store.batch_halted(batch.id, &why)?;
        }
        world.store.recipe_step(batch.id, &to, &effects, &repo, now)?;
        if to.step != recipe.step {
            let line = to.ending.as_ref().map(Ending::line).unwrap_or_default();
            world.acted(&to.name, to.step.code(), &line);
        }
        if to.ending.is_some() && recipe.ending.is_none() {
            world.store.outage_over(&format!("recipe {}", to.name))?;
        }
        recipe = to;
        if world.host.dry && !effects.is_empty() {
            return Ok(Led::Waits);
        }
    }
    Err(Error::internal(format!("the recipe {} goes in a circle at {}", recipe.name, recipe.step.code())))
}

/// Not now. Where the other side named a time, the batch waits for it, and is not wedged meanwhile.
fn later(world: &mut UpgradeWorld, batch: &Batch, recipe: &Recipe, error: &PortError) -> Result<Led, Error> {
    if let PortError::Later { after: Some(after), .. } = error {
        world.store.batch_backoff(batch.id, Some(*after))?;
    }
    world.log.failed(&world.env, &mut world.store, &format!("recipe {}", recipe.name), error)?;
    Ok(Led::Waits)
}

/// Every recipe is done: the summary is written down, and told once.
fn finish(world: &mut UpgradeWorld, batch: &Batch) -> Result<(), Error> {
    let recipes = world.store.recipes(batch.id)?;
    let batch = world.store.batch(batch.id)?.unwrap_or_else(|| batch.clone());
    let (text, json) = summarize(world, &batch, &recipes);
    let now = world.now();
    // First the notice, whose key makes it one; then the end, after which nobody comes here again.
    let title = format!("upgrade batch {} is done", batch.id);
    world.env.notify(
        &mut world.store,
        &format!("upgrade-summary:{}", batch.id),
        NoticeKind::UpgradeSummary,
        &title,
        &text,
        None,
    )?;
    world.store.end_batch(batch.id, BatchState::Done, &text, &json, now)?;
    world.log.items.push(crate::tick::log::Item {
        issue: format!("batch {}", batch.id),
        run: None,
        handle: None,
        reason: "summary".to_owned(),
        sentence: String::new(),
        acted: true,
    });
    Ok(())
}

/// The summary of a batch as text and as JSON.
pub fn summarize(world: &UpgradeWorld, batch: &Batch, recipes: &[Recipe]) -> (String, String) {
    let link = |repo: Option<RepoId>, number: Option<u64>| {
        number.map(|n| repo.map_or(format!("#{n}"), |repo| format!("{}#{n}", repo.path())))
    };
    let told: Vec<Told<'_>> = recipes
        .iter()
        .map(|recipe| {
            let policy = world.recipe(&recipe.name).ok();
            Told {
                recipe,
                pull: link(policy.as_ref().map(|p| p.mirror.clone()), recipe.pull),
                tests: link(policy.and_then(|p| p.tests), recipe.test.as_ref().and_then(|t| t.pull)),
            }
        })
        .collect();
    let text = text::upgrade::summary(batch.id, batch.halted.as_deref(), &told);
    let items: Vec<serde_json::Value> =
        told.iter().map(|t| recipe_json(t.recipe, t.pull.as_deref(), t.tests.as_deref())).collect();
    (text, json!({ "batch": batch.id, "halted": batch.halted, "recipes": items }).to_string())
}

/// A recipe for scripts.
pub fn recipe_json(recipe: &Recipe, pull: Option<&str>, tests: Option<&str>) -> serde_json::Value {
    let trials: Vec<serde_json::Value> = recipe
        .trials
        .iter()
        .map(|t| {
            json!({
                "trial": t.number, "verdict": t.verdict.as_ref().map_or("PENDING", |v| v.word()), "build": t.mark.url,
                "head": t.mark.head.as_str(), "void": t.void
            })
        })
        .collect();
    let bumps: Vec<serde_json::Value> = recipe
        .plan
        .iter()
        .flat_map(|p| &p.bumps)
        .map(|b| json!({ "service": b.service, "image": b.image, "from": b.from, "to": b.to }))
        .collect();
    json!({
        "recipe": recipe.name,
        "step": recipe.step.code(),
        "result": recipe.ending.as_ref().map(Ending::code),
        "line": recipe.ending.as_ref().map(Ending::line),
        "version": recipe.plan.as_ref().map(|p| p.version.clone()),
        "pull": pull,
        "tests_pull": tests,
        "trials": trials,
        "bumps": bumps,
        "stale_tests": recipe.stale.iter().map(|s| json!({ "path": s.path, "test": s.test, "why": s.why })).collect::<Vec<_>>(),
        "notes": recipe.notes,
    })
}
