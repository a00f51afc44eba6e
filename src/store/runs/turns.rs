//! The turns of a run: when each began, how it ended, and what it used.

use rusqlite::params;

use super::super::codes::word;
use super::super::{Store, StoreResult, to_i64, to_u32};
use crate::domain::effect::TurnKind;
use crate::domain::model::{UnixTime, Usage};
use crate::store::ask::Ask as _;

#[derive(Clone, Debug, PartialEq)]
pub struct TurnRow {
    pub turn: u32,
    pub kind: TurnKind,
    pub started_at: UnixTime,
    pub ended_at: Option<UnixTime>,
    pub ending: Option<String>,
    pub detail: Option<String>,
    pub usage: Usage,
    pub summary: Option<String>,
}

impl Store {
    /// A turn was started. A second call for the same turn changes nothing.
    pub fn turn_started(&mut self, run: &str, turn: u32, kind: TurnKind, at: UnixTime) -> StoreResult<()> {
        self.conn.write(
            "INSERT OR IGNORE INTO turns (run, turn, kind, started_at) VALUES (?1, ?2, ?3, ?4)",
            params![run, turn, kind.code(), at.0],
        )
    }

    /// A turn's end and what it used. Returns whether it was news.
    pub fn turn_ended(&mut self, run: &str, turn: &TurnRow) -> StoreResult<bool> {
        let changed = self.conn.change(
            "UPDATE turns SET ended_at = ?3, ending = ?4, detail = ?5, cost_usd = ?6, input_tokens = ?7, \
             output_tokens = ?8, session = ?9, summary = ?10 WHERE run = ?1 AND turn = ?2 AND ended_at IS NULL",
            params![
                run,
                turn.turn,
                turn.ended_at.map(|t| t.0),
                turn.ending,
                turn.detail,
                turn.usage.cost_usd.filter(|c| c.is_finite()),
                turn.usage.input_tokens.map(to_i64),
                turn.usage.output_tokens.map(to_i64),
                turn.usage.session,
                turn.summary,
            ],
        )?;
        Ok(changed > 0)
    }

    pub fn turns_of(&self, run: &str) -> StoreResult<Vec<TurnRow>> {
        self.conn.rows(
            "SELECT turn, kind, started_at, ended_at, ending, detail, cost_usd, input_tokens, output_tokens, session, \
             summary FROM turns WHERE run = ?1 ORDER BY turn",
            [run],
            |row| {
                let count = |at| row.get::<_, Option<i64>>(at).map(|n| n.and_then(|n| u64::try_from(n).ok()));
                Ok(
                    TurnRow {
                        turn: to_u32(row.get(0)?),
                        kind: word("turn kind", &row.get::<_, String>(1)?)?,
                        started_at: UnixTime(row.get(2)?),
                        ended_at: row.get::<_, Option<i64>>(3)?.map(UnixTime),
                        ending: row.get(4)?,
                        detail: row.get(5)?,
                        usage: Usage {
                            cost_usd: row.get(6)?,
                            input_tokens: count(7)?,
                            output_tokens: count(8)?,
                            session: row.get(9)?,
                        },
                        summary: row.get(10)?,
                    })
            },
        )
    }

    /// How each turn of a run ended, a word each.
    pub fn turn_ends(&self, run: &str) -> StoreResult<Vec<String>> {
        let turns = self.turns_of(run)?;
        Ok(turns.into_iter().map(|turn| turn.ending.unwrap_or_else(|| "not over".to_owned())).collect())
    }
}
