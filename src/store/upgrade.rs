//! Batches of upgrades: recipes, their effects, the pull requests and commits that are ours, tags and when they were seen.

use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::upgrade_rows::{EffectRow, RecipeRow};
use super::{Event, IntentState, Store, StoreError, StoreResult, insert_event, sql, to_i64};
use crate::domain::message;
use crate::domain::model::{Oid, RepoId, UnixTime};
use crate::domain::upgrade::guard::Bump;
use crate::domain::upgrade::version::SeenTag;
use crate::domain::upgrade::{Batch, BatchState, Effect, Ending, Recipe};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeIntent {
    pub id: i64,
    pub effect: Effect,
    pub tries: u32,
}

/// A pull request that an intent of ours opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPull {
    pub repo: RepoId,
    pub number: u64,
    pub recipe: String,
    pub version: String,
    pub branch: String,
    pub head: Oid,
    pub bumps: Vec<Bump>,
    pub tests: bool,
    pub state: PullStanding,
    pub batch: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullStanding {
    Open,
    /// Closed by us.
    Closed,
    /// Closed by a person: its version stays closed.
    Refused,
    Merged,
}

impl PullStanding {
    fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Merged => "merged",
        }
    }

    fn parse(code: &str) -> StoreResult<Self> {
        [Self::Open, Self::Closed, Self::Refused, Self::Merged]
            .into_iter()
            .find(|s| s.code() == code)
            .ok_or_else(|| StoreError::Row { what: format!("pull request state `{code}`") })
    }
}

#[derive(Serialize, Deserialize)]
struct BumpWire {
    file: String,
    service: String,
    image: String,
    from: String,
    to: String,
}

pub(super) fn bumps_json(bumps: &[Bump]) -> String {
    let wire: Vec<serde_json::Value> = bumps
        .iter()
        .map(|b| serde_json::json!({ "file": b.file, "service": b.service, "image": b.image, "from": b.from, "to": b.to }))
        .collect();
    serde_json::Value::Array(wire).to_string()
}

fn parse_bumps(text: &str) -> StoreResult<Vec<Bump>> {
    let wire: Vec<BumpWire> =
        serde_json::from_str(text).map_err(|e| StoreError::Row { what: format!("bumps: {e}") })?;
    let bump =
        |b: BumpWire| Bump { file: b.file, service: b.service, image: b.image, from: b.from, to: b.to };
    Ok(wire.into_iter().map(bump).collect())
}

const BATCH: &str =
    "id, state, with_tests, scheduled, started_at, progress_at, backoff_until, ended_at, halted";

fn batch(row: &Row<'_>) -> rusqlite::Result<(String, Batch)> {
    let state: String = row.get(1)?;
    let found = Batch {
        id: row.get(0)?,
        state: BatchState::parse(&state).unwrap_or(BatchState::Aborted),
        with_tests: row.get(2)?,
        scheduled: row.get(3)?,
        started_at: UnixTime(row.get(4)?),
        progress_at: UnixTime(row.get(5)?),
        backoff_until: row.get::<_, Option<i64>>(6)?.map(UnixTime),
        ended_at: row.get::<_, Option<i64>>(7)?.map(UnixTime),
        halted: row.get(8)?,
    };
    Ok((state, found))
}

/// That a recipe's upgrade failed, once in its batch. The reason may have words from outside.
fn failed(batch: i64, recipe: &Recipe, repo: &RepoId, now: UnixTime) -> Event {
    let detail = recipe.ending.as_ref().map_or("", Ending::detail);
    Event {
        key: format!("upgrade:{batch}:{}:failed", recipe.name),
        at: now,
        kind: "upgrade_failed".to_owned(),
        repo: Some(repo.to_string()),
        number: None,
        run: None,
        data: serde_json::json!({ "detail": message::plain(detail, 2000), "subject": recipe.name, "turns": recipe.turns })
            .to_string(),
    }
}

impl Store {
    /// The newest batch, whatever its state.
    pub fn newest_batch(&self) -> StoreResult<Option<Batch>> {
        let text = format!("SELECT {BATCH} FROM upgrade_batches ORDER BY id DESC LIMIT 1");
        let found = self.conn.query_row(&text, [], batch).optional().map_err(sql("read"))?;
        Ok(found.map(|(_, batch)| batch))
    }

    pub fn batch(&self, id: i64) -> StoreResult<Option<Batch>> {
        let text = format!("SELECT {BATCH} FROM upgrade_batches WHERE id = ?1");
        let found = self.conn.query_row(&text, [id], batch).optional().map_err(sql("read"))?;
        Ok(found.map(|(_, batch)| batch))
    }

    /// Begins a batch; one that is active is aborted in the same transaction.
    pub fn begin_batch(&mut self, new: &NewBatch, now: UnixTime) -> StoreResult<i64> {
        let leftovers = serde_json::to_string(&new.leftovers)
            .map_err(|e| StoreError::Row { what: format!("leftovers: {e}") })?;
        self.transact("state.batch", |tx| {
            tx.execute(
                "UPDATE upgrade_batches SET state = 'aborted', ended_at = ?1 WHERE state = 'active'",
                [now.0],
            )
            .map_err(sql("written"))?;
            tx.execute(
                "INSERT INTO upgrade_batches (state, with_tests, scheduled, started_at, progress_at, leftovers) \
                 VALUES ('active', ?1, ?2, ?3, ?3, ?4)",
                params![new.with_tests, new.scheduled, now.0, leftovers],
            )
            .map_err(sql("written"))?;
            let id = tx.last_insert_rowid();
            for (position, name) in (0i64..).zip(&new.recipes) {
                let data = RecipeRow::text(&Recipe::new(name, now))?;
                tx.execute(
                    "INSERT INTO upgrade_recipes (batch, name, position, step, data) VALUES (?1, ?2, ?3, 'queued', ?4)",
                    params![id, name, position, data],
                )
                .map_err(sql("written"))?;
            }
            Ok(id)
        })
    }

    pub fn leftovers(&self, batch: i64) -> StoreResult<Vec<(String, String)>> {
        let text: String = self
            .conn
            .query_row("SELECT leftovers FROM upgrade_batches WHERE id = ?1", [batch], |row| row.get(0))
            .map_err(sql("read"))?;
        serde_json::from_str(&text).map_err(|e| StoreError::Row { what: format!("leftovers: {e}") })
    }

    /// The recipes of a batch in their order.
    pub fn recipes(&self, batch: i64) -> StoreResult<Vec<Recipe>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT data FROM upgrade_recipes WHERE batch = ?1 ORDER BY position")
            .map_err(sql("read"))?;
        let rows = statement.query_map([batch], |row| row.get::<_, String>(0)).map_err(sql("read"))?;
        rows.map(|row| RecipeRow::parse(&row.map_err(sql("read"))?)).collect()
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
                tx.execute(
                    "INSERT INTO upgrade_intents (batch, recipe, key, payload, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (batch, recipe, key) DO UPDATE SET state = 'pending', done_at = NULL WHERE state = 'cancelled'",
                    params![batch, recipe.name, effect.key(), EffectRow::text(effect)?, now.0],
                )
                .map_err(sql("written"))?;
                if let Effect::Push { head, .. } | Effect::PushTests { head } = effect {
                    tx.execute(
                        "INSERT OR IGNORE INTO upgrade_commits (repo, oid) VALUES (?1, ?2)",
                        params![repo.to_string(), head.as_str()],
                    )
                    .map_err(sql("written"))?;
                }
            }
            Ok(())
        })
    }

    /// The effects of a recipe that are still to be carried out, in their order.
    pub fn upgrade_pending(&self, batch: i64, recipe: &str) -> StoreResult<Vec<UpgradeIntent>> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT id, payload, tries FROM upgrade_intents WHERE batch = ?1 AND recipe = ?2 AND state = 'pending' \
                 ORDER BY id",
            )
            .map_err(sql("read"))?;
        let rows = statement
            .query_map(params![batch, recipe], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?))
            })
            .map_err(sql("read"))?;
        rows.map(|row| {
            let (id, payload, tries) = row.map_err(sql("read"))?;
            Ok(UpgradeIntent { id, effect: EffectRow::parse(&payload)?, tries })
        })
        .collect()
    }

    pub fn upgrade_trying(&mut self, intent: i64) -> StoreResult<()> {
        self.transact("state.trying", |tx| {
            tx.execute("UPDATE upgrade_intents SET tries = tries + 1 WHERE id = ?1", [intent])
                .map_err(sql("written"))?;
            Ok(())
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
            tx.execute(
                "UPDATE upgrade_intents SET state = ?2, outcome = ?3, done_at = ?4 WHERE id = ?1",
                params![intent, state.code(), outcome, now.0],
            )
            .map_err(sql("written"))?;
            write_recipe(tx, batch, recipe, now)?;
            if let Some(pull) = pull {
                write_pull(tx, pull)?;
            }
            Ok(())
        })
    }

    /// Why an effect of the recipe was refused for good, if one was.
    pub fn upgrade_refusal(&self, batch: i64, recipe: &str) -> StoreResult<Option<String>> {
        self.conn
            .query_row(
                "SELECT outcome FROM upgrade_intents WHERE batch = ?1 AND recipe = ?2 AND state = 'refused' ORDER BY id DESC LIMIT 1",
                params![batch, recipe],
                |row| row.get::<_, Option<String>>(0),
            )
            .optional()
            .map(Option::flatten)
            .map_err(sql("read"))
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
        self.conn
            .execute(
                "INSERT OR IGNORE INTO upgrade_turns (batch, recipe, turn, started_at, budget_usd) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![batch, recipe, turn, now.0, budget_usd],
            )
            .map_err(sql("written"))?;
        Ok(())
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
        self.conn
            .execute(
                "UPDATE upgrade_turns SET ended_at = ?4, cost_usd = ?5 WHERE batch = ?1 AND recipe = ?2 AND turn = ?3 AND ended_at IS NULL",
                params![batch, recipe, turn, ended_at.0, cost_usd],
            )
            .map_err(sql("written"))?;
        Ok(())
    }

    pub fn batch_backoff(&mut self, batch: i64, until: Option<UnixTime>) -> StoreResult<()> {
        self.conn
            .execute(
                "UPDATE upgrade_batches SET backoff_until = ?2 WHERE id = ?1",
                params![batch, until.map(|u| u.0)],
            )
            .map_err(sql("written"))?;
        Ok(())
    }

    pub fn batch_halted(&mut self, batch: i64, why: &str) -> StoreResult<()> {
        self.conn
            .execute("UPDATE upgrade_batches SET halted = ?2 WHERE id = ?1", params![batch, why])
            .map_err(sql("written"))?;
        Ok(())
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
            tx.execute(
                "UPDATE upgrade_batches SET state = ?2, summary = ?3, summary_json = ?4, ended_at = ?5 \
                 WHERE id = ?1 AND state = 'active'",
                params![batch, state.code(), summary, json, now.0],
            )
            .map_err(sql("written"))?;
            Ok(())
        })
    }

    /// When each batch since `since` ended, and its summary as JSON; oldest first.
    pub fn summaries(&self, since: UnixTime) -> StoreResult<Vec<(UnixTime, String)>> {
        let mut statement = self
            .conn
            .prepare(
                "SELECT ended_at, summary_json FROM upgrade_batches \
                 WHERE ended_at >= ?1 AND summary_json IS NOT NULL ORDER BY ended_at, id",
            )
            .map_err(sql("read"))?;
        let rows = statement
            .query_map([since.0], |row| Ok((UnixTime(row.get(0)?), row.get(1)?)))
            .map_err(sql("read"))?;
        rows.collect::<Result<_, _>>().map_err(sql("read"))
    }

    /// The text and the JSON of a batch's summary.
    pub fn summary(&self, batch: i64) -> StoreResult<Option<(String, String)>> {
        self.conn
            .query_row(
                "SELECT summary, summary_json FROM upgrade_batches WHERE id = ?1 AND summary IS NOT NULL",
                [batch],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(sql("read"))
    }

    /// Scheduled batches that began in a span of time, with whether they have a summary.
    pub fn scheduled_batches(&self, from: UnixTime, to: UnixTime) -> StoreResult<Vec<(i64, bool)>> {
        let mut statement = self
            .conn
            .prepare(
                "SELECT id, summary IS NOT NULL FROM upgrade_batches WHERE scheduled AND started_at BETWEEN ?1 AND ?2 ORDER BY id",
            )
            .map_err(sql("read"))?;
        let rows =
            statement.query_map([from.0, to.0], |row| Ok((row.get(0)?, row.get(1)?))).map_err(sql("read"))?;
        rows.collect::<Result<_, _>>().map_err(sql("read"))
    }

    pub fn own_pulls(&self, batch: Option<i64>) -> StoreResult<Vec<OwnPull>> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT repo, number, recipe, version, branch, head, bumps, tests, state, batch FROM upgrade_pulls \
                 WHERE ?1 IS NULL OR batch = ?1 ORDER BY repo, number",
            )
            .map_err(sql("read"))?;
        let rows = statement
            .query_map([batch], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    (row.get::<_, String>(2)?, row.get::<_, String>(3)?, row.get::<_, String>(4)?),
                    row.get::<_, String>(5)?,
                    row.get::<_, String>(6)?,
                    row.get::<_, bool>(7)?,
                    row.get::<_, String>(8)?,
                    row.get::<_, i64>(9)?,
                ))
            })
            .map_err(sql("read"))?;
        rows.map(|row| {
            let (repo, number, (recipe, version, branch), head, bumps, tests, state, batch) =
                row.map_err(sql("read"))?;
            let broken = |what: &str| StoreError::Row { what: format!("pull request {number}: {what}") };
            Ok(OwnPull {
                repo: RepoId::parse(&repo, None).ok_or_else(|| broken("its repo"))?,
                number: u64::try_from(number).map_err(|_odd| broken("its number"))?,
                recipe,
                version,
                branch,
                head: Oid::parse(&head).ok_or_else(|| broken("its head"))?,
                bumps: parse_bumps(&bumps)?,
                tests,
                state: PullStanding::parse(&state)?,
                batch,
            })
        })
        .collect()
    }

    pub fn set_own_pull(&mut self, pull: &OwnPull) -> StoreResult<()> {
        self.transact("state.pull", |tx| write_pull(tx, pull))
    }

    /// Whether a commit was recorded before we pushed it.
    pub fn is_own_commit(&self, repo: &RepoId, oid: &Oid) -> StoreResult<bool> {
        self.conn
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM upgrade_commits WHERE repo = ?1 AND oid = ?2)",
                params![repo.to_string(), oid.as_str()],
                |row| row.get(0),
            )
            .map_err(sql("read"))
    }

    /// The commits of a repo that were recorded as ours: what cleanup may delete.
    pub fn own_commits(&self, repo: &RepoId) -> StoreResult<Vec<Oid>> {
        let mut statement =
            self.conn.prepare("SELECT oid FROM upgrade_commits WHERE repo = ?1").map_err(sql("read"))?;
        let rows =
            statement.query_map([repo.to_string()], |row| row.get::<_, String>(0)).map_err(sql("read"))?;
        rows.map(|row| {
            let text = row.map_err(sql("read"))?;
            Oid::parse(&text).ok_or_else(|| StoreError::Row { what: format!("commit `{text}`") })
        })
        .collect()
    }

    /// The tags with the moment of the first sight of each; new ones are seen now.
    pub fn see_tags(&mut self, image: &str, tags: &[String], now: UnixTime) -> StoreResult<Vec<SeenTag>> {
        self.transact("state.tags", |tx| {
            let mut insert = tx
                .prepare_cached(
                    "INSERT OR IGNORE INTO upgrade_tags (image, tag, first_seen) VALUES (?1, ?2, ?3)",
                )
                .map_err(sql("written"))?;
            let mut read = tx
                .prepare_cached("SELECT first_seen FROM upgrade_tags WHERE image = ?1 AND tag = ?2")
                .map_err(sql("read"))?;
            tags.iter()
                .map(|tag| {
                    insert.execute(params![image, tag, now.0]).map_err(sql("written"))?;
                    let at = read.query_row(params![image, tag], |row| row.get(0)).map_err(sql("read"))?;
                    Ok(SeenTag { tag: tag.clone(), first_seen: UnixTime(at) })
                })
                .collect()
        })
    }

    /// Small facts of an installation: the schedule, when the bridge was first on, a trigger by hand.
    pub fn upgrade_note(&self, key: &str) -> StoreResult<Option<String>> {
        self.conn
            .query_row("SELECT value FROM upgrade_notes WHERE key = ?1", [key], |row| row.get(0))
            .optional()
            .map_err(sql("read"))
    }

    pub fn set_upgrade_note(&mut self, key: &str, value: Option<&str>) -> StoreResult<()> {
        self.transact("state.note", |tx| {
            match value {
                Some(value) => tx.execute(
                    "INSERT INTO upgrade_notes (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
                    params![key, value],
                ),
                None => tx.execute("DELETE FROM upgrade_notes WHERE key = ?1", [key]),
            }
            .map_err(sql("written"))?;
            Ok(())
        })
    }

    /// Every fact whose key begins so, in order.
    pub fn upgrade_notes(&self, prefix: &str) -> StoreResult<Vec<(String, String)>> {
        let mut statement = self
            .conn
            .prepare(
                "SELECT key, value FROM upgrade_notes WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
            )
            .map_err(sql("read"))?;
        let rows =
            statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?))).map_err(sql("read"))?;
        rows.collect::<Result<_, _>>().map_err(sql("read"))
    }
}

fn write_recipe(
    tx: &rusqlite::Transaction<'_>,
    batch: i64,
    recipe: &Recipe,
    now: UnixTime,
) -> StoreResult<()> {
    tx.execute(
        "UPDATE upgrade_recipes SET step = ?3, ending = ?4, data = ?5 WHERE batch = ?1 AND name = ?2",
        params![
            batch,
            recipe.name,
            recipe.step.code(),
            recipe.ending.as_ref().map(crate::domain::upgrade::Ending::code),
            RecipeRow::text(recipe)?
        ],
    )
    .map_err(sql("written"))?;
    tx.execute("UPDATE upgrade_batches SET progress_at = ?2 WHERE id = ?1", params![batch, now.0])
        .map_err(sql("written"))?;
    Ok(())
}

fn write_pull(tx: &rusqlite::Transaction<'_>, pull: &OwnPull) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO upgrade_pulls (repo, number, recipe, version, branch, head, bumps, tests, state, batch) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT (repo, number) DO UPDATE SET head = ?6, bumps = ?7, state = ?9, batch = ?10",
        params![
            pull.repo.to_string(),
            to_i64(pull.number),
            pull.recipe,
            pull.version,
            pull.branch,
            pull.head.as_str(),
            bumps_json(&pull.bumps),
            pull.tests,
            pull.state.code(),
            pull.batch
        ],
    )
    .map_err(sql("written"))?;
    Ok(())
}
