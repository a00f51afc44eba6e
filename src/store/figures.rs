//! Sums over runs, for people and for machines that watch.

use rusqlite::params;

use super::ask::Ask as _;
use super::{Spend, Store, StoreResult, codes, to_u32};
use crate::domain::model::{Outcome, UnixTime};

/// By what money is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendBy {
    Repo,
    Runner,
    Template,
}

/// Runs of one repo, runner or template, and what they cost.
#[derive(Clone, Debug, PartialEq)]
pub struct SpendRow {
    pub name: String,
    pub runs: u32,
    pub spend: Spend,
}

/// A run as a report looks back on it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFigures {
    pub repo: String,
    pub number: u64,
    pub template: String,
    /// Its end; none while it is in flight.
    pub outcome: Option<Outcome>,
    pub created_at: UnixTime,
    pub ended_at: Option<UnixTime>,
    pub turns: u32,
    pub cost_usd: f64,
    /// A turn did not tell what it cost.
    pub cost_unknown: bool,
}

impl Store {
    /// Money of the runs begun since `since`, the dearest first; as [`Store::spend_since`] counts it.
    pub fn spend_by(&self, since: UnixTime, by: SpendBy) -> StoreResult<Vec<SpendRow>> {
        let column = match by {
            SpendBy::Repo => "repo",
            SpendBy::Runner => "runner",
            SpendBy::Template => "template",
        };
        let text = format!(
            "SELECT name, COUNT(*), COALESCE(SUM(MIN(known, 1e9)), 0) AS told, \
                    COALESCE(SUM(CASE WHEN open OR unknown THEN MAX(budget_usd - known, 0) ELSE 0 END), 0) AS kept FROM ( \
               SELECT r.{column} AS name, r.budget_usd, r.phase <> 'ended' AS open, \
                 COALESCE((SELECT SUM(t.cost_usd) FROM turns t WHERE t.run = r.id), 0) AS known, \
                 EXISTS (SELECT 1 FROM turns t WHERE t.run = r.id AND t.cost_usd IS NULL) AS unknown \
               FROM runs r WHERE r.created_at >= ?1 AND COALESCE(r.outcome, '') NOT IN ('claim-lost', 'not-started')) \
             GROUP BY name ORDER BY told + kept DESC, name"
        );
        self.conn.rows(&text, [since.0], |row| {
            Ok(SpendRow {
                name: row.get(0)?,
                runs: to_u32(row.get(1)?),
                spend: Spend { known_usd: row.get(2)?, reserved_usd: row.get(3)? },
            })
        })
    }

    /// How many runs ended how, over all time: `(code, count)`.
    pub fn outcomes(&self) -> StoreResult<Vec<(String, u32)>> {
        self.conn.rows(
            "SELECT outcome, COUNT(*) FROM runs WHERE phase = 'ended' AND outcome IS NOT NULL GROUP BY outcome ORDER BY outcome",
            [],
            |row| Ok((row.get(0)?, to_u32(row.get(1)?))),
        )
    }

    /// Runs begun since `since`, oldest first, at most `limit` of the newest.
    pub fn figures(&self, since: UnixTime, limit: u32) -> StoreResult<Vec<RunFigures>> {
        let mut all = self.conn.rows(
            "SELECT r.repo, r.number, r.template, CASE WHEN r.phase = 'ended' THEN r.outcome END, r.created_at, r.ended_at, r.turns, \
             COALESCE((SELECT SUM(MIN(t.cost_usd, 1e9)) FROM turns t WHERE t.run = r.id), 0), \
             EXISTS (SELECT 1 FROM turns t WHERE t.run = r.id AND t.cost_usd IS NULL) \
             FROM runs r WHERE r.created_at >= ?1 ORDER BY r.created_at DESC, r.id LIMIT ?2",
            params![since.0, limit],
            |row| {
                let outcome = row.get::<_, Option<String>>(3)?;
                Ok(RunFigures {
                    repo: row.get(0)?,
                    number: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                    template: row.get(2)?,
                    outcome: outcome.as_deref().map(codes::outcome).transpose()?,
                    created_at: UnixTime(row.get(4)?),
                    ended_at: row.get::<_, Option<i64>>(5)?.map(UnixTime),
                    turns: to_u32(row.get(6)?),
                    cost_usd: row.get(7)?,
                    cost_unknown: row.get(8)?,
                })
            },
        )?;
        all.reverse();
        Ok(all)
    }
}
