//! Batches of upgrades: recipes, their effects and turns, and what came of them.

mod notes;
mod pulls;

pub use pulls::{OwnPull, PullStanding};

use rusqlite::{Row, params};

use super::ask::Ask as _;
use super::upgrade_rows::{EffectRow, RecipeRow};
use super::{Intent, IntentState, Store, StoreError, StoreResult, insert_event};
use crate::domain::escape::sanitize;
use crate::domain::event::{Event, Facts, Happening, Subject};
use crate::domain::model::{RepoId, UnixTime};
use crate::domain::upgrade::{Batch, BatchState, Effect, Ending, Recipe};
use pulls::write_pull;

/// A new batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
    pub with_tests: bool,
    pub scheduled: bool,
    pub recipes: Vec<String>,
    /// Jobs of an aborted batch that have to be over before this one begins: their folder and id.
    pub leftovers: Vec<(String, String)>,
}

/// An effect of an upgrade that is to be carried out.
pub type UpgradeIntent = Intent<Effect>;

const BATCH: &str =
    "id, state, with_tests, scheduled, started_at, progress_at, backoff_until, ended_at, halted";

fn batch(row: &Row<'_>) -> StoreResult<Batch> {
    let state: String = row.get(1)?;
    Ok(Batch {
        id: row.get(0)?,
        state: state.parse().unwrap_or(BatchState::Aborted),
        with_tests: row.get(2)?,
        scheduled: row.get(3)?,
        started_at: UnixTime(row.get(4)?),
        progress_at: UnixTime(row.get(5)?),
        backoff_until: row.get::<_, Option<i64>>(6)?.map(UnixTime),
        ended_at: row.get::<_, Option<i64>>(7)?.map(UnixTime),
        halted: row.get(8)?,
    })
}

/// That a recipe's upgrade failed, once in its batch. The reason may have words from outside.
fn failed(batch: i64, recipe: &Recipe, repo: &RepoId, now: UnixTime) -> Event {
    let detail = recipe.ending.as_ref().map_or("", Ending::detail);
    Event {
        key: format!("upgrade:{batch}:{}:failed", recipe.name),
        at: now,
        kind: Happening::UpgradeFailed.into(),
        repo: Some(repo.to_string()),
        number: None,
        run: None,
        facts: Facts {
            detail: sanitize(detail, 2000),
            turn: Some(recipe.turns),
            subject: Some(Subject::Recipe(recipe.name.clone())),
            ..Facts::default()
        },
    }
}

impl Store {
    /// The newest batch, whatever its state.
    pub fn newest_batch(&self) -> StoreResult<Option<Batch>> {
        let text = format!("SELECT {BATCH} FROM upgrade_batches ORDER BY id DESC LIMIT 1");
        self.conn.row(&text, [], batch)
    }

    pub fn batch(&self, id: i64) -> StoreResult<Option<Batch>> {
        let text = format!("SELECT {BATCH} FROM upgrade_batches WHERE id = ?1");
        self.conn.row(&text, [id], batch)
    }

    /// Begins a batch; one that is active is aborted in the same transaction.
    pub fn begin_batch(&mut self, new: &NewBatch, now: UnixTime) -> StoreResult<i64> {
        let leftovers = serde_json::to_string(&new.leftovers)
            .map_err(|e| StoreError::Row { what: format!("leftovers: {e}") })?;
        self.transact("state.batch", |tx| {
            tx.write(
                "UPDATE upgrade_batches SET state = 'aborted', ended_at = ?1 WHERE state = 'active'",
                [now.0],
            )?;
            tx.write(
                "INSERT INTO upgrade_batches (state, with_tests, scheduled, started_at, progress_at, leftovers) \
                 VALUES ('active', ?1, ?2, ?3, ?3, ?4)",
                params![new.with_tests, new.scheduled, now.0, leftovers],
            )?;
            let id = tx.last_insert_rowid();
            for (position, name) in (0i64..).zip(&new.recipes) {
                let data = RecipeRow::text(&Recipe::new(name, now))?;
                tx.write(
                    "INSERT INTO upgrade_recipes (batch, name, position, step, data) VALUES (?1, ?2, ?3, 'queued', ?4)",
                    params![id, name, position, data],
                )?;
            }
            Ok(id)
        })
    }

    pub fn leftovers(&self, batch: i64) -> StoreResult<Vec<(String, String)>> {
        let text: String =
            self.conn
                .one("SELECT leftovers FROM upgrade_batches WHERE id = ?1", [batch], |row| Ok(row.get(0)?))?;
        serde_json::from_str(&text).map_err(|e| StoreError::Row { what: format!("leftovers: {e}") })
    }

    /// The recipes of a batch in their order.
    pub fn recipes(&self, batch: i64) -> StoreResult<Vec<Recipe>> {
        self.conn.rows(
            "SELECT data FROM upgrade_recipes WHERE batch = ?1 ORDER BY position",
            [batch],
            |row| RecipeRow::parse(&row.get::<_, String>(0)?),
        )
    }

    /// A recipe's new state with what is to be done, in one transaction. Commits that are about to be pushed are ours
    /// from here on.
    pub fn recipe_step(
        &mut self,
        batch: i64,
        recipe: &Recipe,
        effects: &[Effect],
        repo: &RepoId,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.recipe", |tx| {
            write_recipe(tx, batch, recipe, now)?;
            if let Some(Ending::NotGreen | Ending::Failed(_)) = recipe.ending {
                insert_event(tx, &failed(batch, recipe, repo, now))?;
            }
            for effect in effects {
                tx.write(
                    "INSERT INTO upgrade_intents (batch, recipe, key, payload, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (batch, recipe, key) DO UPDATE SET state = 'pending', done_at = NULL WHERE state = 'cancelled'",
                    params![batch, recipe.name, effect.key(), EffectRow::text(effect)?, now.0],
                )?;
                if let Effect::Push { head, .. } | Effect::PushTests { head } = effect {
                    tx.write(
                        "INSERT OR IGNORE INTO upgrade_commits (repo, oid) VALUES (?1, ?2)",
                        params![repo.to_string(), head.as_str()],
                    )?;
                }
            }
            Ok(())
        })
    }

    /// The effects of a recipe that are still to be carried out, in their order.
    pub fn upgrade_pending(&self, batch: i64, recipe: &str) -> StoreResult<Vec<UpgradeIntent>> {
        self.conn.rows(
            "SELECT id, payload, tries FROM upgrade_intents WHERE batch = ?1 AND recipe = ?2 AND state = 'pending' \
             ORDER BY id",
            params![batch, recipe],
            |row| {
                let effect = EffectRow::parse(&row.get::<_, String>(1)?)?;
                Ok(UpgradeIntent { id: row.get(0)?, effect, tries: row.get(2)? })
            },
        )
    }

    pub fn upgrade_trying(&mut self, intent: i64) -> StoreResult<()> {
        self.transact("state.trying", |tx| {
            tx.write("UPDATE upgrade_intents SET tries = tries + 1 WHERE id = ?1", [intent])
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one transaction, and each part of it is named")]
    /// What came of an effect, with what it changed of the recipe and of the pull requests that are ours.
    pub fn upgrade_settle(
        &mut self,
        batch: i64,
        intent: i64,
        state: IntentState,
        outcome: &str,
        recipe: &Recipe,
        pull: Option<&OwnPull>,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.settle", |tx| {
            tx.write(
                "UPDATE upgrade_intents SET state = ?2, outcome = ?3, done_at = ?4 WHERE id = ?1",
                params![intent, state.code(), outcome, now.0],
            )?;
            write_recipe(tx, batch, recipe, now)?;
            if let Some(pull) = pull {
                write_pull(tx, pull)?;
            }
            Ok(())
        })
    }

    /// Why an effect of the recipe was refused for good, if one was.
    pub fn upgrade_refusal(&self, batch: i64, recipe: &str) -> StoreResult<Option<String>> {
        self.conn.row(
            "SELECT outcome FROM upgrade_intents WHERE batch = ?1 AND recipe = ?2 AND state = 'refused' ORDER BY id DESC LIMIT 1",
            params![batch, recipe],
            |row| Ok(row.get::<_, Option<String>>(0)?),
        ).map(Option::flatten)
    }

    /// A turn is about to be started: its budget is reserved.
    pub fn upgrade_turn(
        &mut self,
        batch: i64,
        recipe: &str,
        turn: u32,
        budget_usd: f64,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.conn.write(
            "INSERT OR IGNORE INTO upgrade_turns (batch, recipe, turn, started_at, budget_usd) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![batch, recipe, turn, now.0, budget_usd],
        )
    }

    /// A turn is over; without a cost its budget stays counted.
    pub fn upgrade_turn_cost(
        &mut self,
        batch: i64,
        recipe: &str,
        turn: u32,
        cost_usd: Option<f64>,
        ended_at: UnixTime,
    ) -> StoreResult<()> {
        self.conn.write(
            "UPDATE upgrade_turns SET ended_at = ?4, cost_usd = ?5 WHERE batch = ?1 AND recipe = ?2 AND turn = ?3 AND ended_at IS NULL",
            params![batch, recipe, turn, ended_at.0, cost_usd],
        )
    }

    pub fn batch_backoff(&mut self, batch: i64, until: Option<UnixTime>) -> StoreResult<()> {
        self.conn.write(
            "UPDATE upgrade_batches SET backoff_until = ?2 WHERE id = ?1",
            params![batch, until.map(|u| u.0)],
        )
    }

    pub fn batch_halted(&mut self, batch: i64, why: &str) -> StoreResult<()> {
        self.conn.write("UPDATE upgrade_batches SET halted = ?2 WHERE id = ?1", params![batch, why])
    }

    /// Ends a batch; its summary stays readable.
    pub fn end_batch(
        &mut self,
        batch: i64,
        state: BatchState,
        summary: &str,
        json: &str,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.batch", |tx| {
            tx.write(
                "UPDATE upgrade_batches SET state = ?2, summary = ?3, summary_json = ?4, ended_at = ?5 \
                 WHERE id = ?1 AND state = 'active'",
                params![batch, state.code(), summary, json, now.0],
            )
        })
    }

    /// When each batch since `since` ended, and its summary as JSON; oldest first.
    pub fn summaries(&self, since: UnixTime) -> StoreResult<Vec<(UnixTime, String)>> {
        self.conn.rows(
            "SELECT ended_at, summary_json FROM upgrade_batches \
                 WHERE ended_at >= ?1 AND summary_json IS NOT NULL ORDER BY ended_at, id",
            [since.0],
            |row| Ok((UnixTime(row.get(0)?), row.get(1)?)),
        )
    }

    /// The text and the JSON of a batch's summary.
    pub fn summary(&self, batch: i64) -> StoreResult<Option<(String, String)>> {
        self.conn.row(
            "SELECT summary, summary_json FROM upgrade_batches WHERE id = ?1 AND summary IS NOT NULL",
            [batch],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Scheduled batches that began in a span of time, with whether they have a summary.
    pub fn scheduled_batches(&self, from: UnixTime, to: UnixTime) -> StoreResult<Vec<(i64, bool)>> {
        self.conn.rows(
            "SELECT id, summary IS NOT NULL FROM upgrade_batches WHERE scheduled AND started_at BETWEEN ?1 AND ?2 ORDER BY id",
            [from.0, to.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}

fn write_recipe(
    tx: &rusqlite::Transaction<'_>,
    batch: i64,
    recipe: &Recipe,
    now: UnixTime,
) -> StoreResult<()> {
    tx.write(
        "UPDATE upgrade_recipes SET step = ?3, ending = ?4, data = ?5 WHERE batch = ?1 AND name = ?2",
        params![
            batch,
            recipe.name,
            recipe.step.code(),
            recipe.ending.as_ref().map(crate::domain::upgrade::Ending::code),
            RecipeRow::text(recipe)?
        ],
    )?;
    tx.write("UPDATE upgrade_batches SET progress_at = ?2 WHERE id = ?1", params![batch, now.0])
}
