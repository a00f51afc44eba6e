//! What the tick does with the journal: read events from a cursor on, let lessons expire, and give them to runs.

use super::ask::Ask as _;
use super::events::news;
use super::lessons::{COLUMNS, alike, insert, read, repeat};
use super::{Store, StoreError, StoreResult};
use crate::domain::lesson::{self, Decision, Given, Lesson, Record, Rules};
use crate::domain::model::UnixTime;
use rusqlite::{Connection, params};

/// The id of the last event that was read.
const CURSOR: &str = "lessons_cursor";
/// There while a tick last found the journal switched off.
const OFF: &str = "lessons_off";

/// What one batch came to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Learned {
    /// Events that were read.
    pub events: u32,
    /// New lessons, as they were written.
    pub new: Vec<Lesson>,
    pub repeats: u32,
}

fn put_meta(conn: &Connection, key: &str, value: &str) -> StoreResult<()> {
    conn.write(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, value],
    )
}

fn cursor(conn: &Connection) -> StoreResult<i64> {
    let text =
        conn.row("SELECT value FROM meta WHERE key = ?1", [CURSOR], |row| Ok(row.get::<_, String>(0)?))?;
    let odd = |text: &str| StoreError::Row { what: format!("the cursor of the journal `{text}`") };
    text.map_or(Ok(0), |t| t.parse().map_err(|_e| odd(&t)))
}

/// Lessons that nobody met or approved for long; the moment that they went stays.
pub(super) const STALE: &str = "SELECT id FROM lessons WHERE status <> 'closed' AND expires_at IS NULL \
    AND MAX(last_seen_at, COALESCE(approved_at, 0)) <= ?1 ORDER BY MAX(last_seen_at, COALESCE(approved_at, 0)) LIMIT 500";

/// One look at the newest is enough: a run of the same canary in the same repo is among the last ones.
pub(super) const BESIDE: &str = "SELECT g.run FROM (SELECT run, at FROM given WHERE repo = ?2 ORDER BY at DESC LIMIT 20) g \
    JOIN routes r ON r.run = g.run WHERE r.canary = (SELECT canary FROM routes WHERE run = ?1) ORDER BY g.at DESC LIMIT 1";

/// Open, allowed, not expired; most recurrent first, then most recent.
pub(super) fn to_give_query() -> String {
    format!(
        "SELECT {COLUMNS} FROM lessons WHERE COALESCE(target_repo, repo) = ?1 AND status <> 'closed' AND expires_at IS NULL \
         AND (untrusted = 0 OR approved_at IS NOT NULL) AND MAX(last_seen_at, COALESCE(approved_at, 0)) > ?2 \
         ORDER BY occurrences DESC, last_seen_at DESC, id DESC LIMIT ?3"
    )
}

impl Store {
    /// The journal was found switched off: from now on the cursor stands still, until it is told to skip. Touches no
    /// table of the journal.
    pub fn lessons_are_off(&mut self) -> StoreResult<()> {
        if self.meta(OFF)?.is_none() {
            put_meta(&self.conn, OFF, "yes")?;
        }
        Ok(())
    }

    /// The journal is on. If it was off, the cursor skips to now: how many events that were; `None` if it was on before.
    pub fn lessons_are_on(&mut self) -> StoreResult<Option<u32>> {
        if self.meta(OFF)?.is_none() {
            return Ok(None);
        }
        self.transact("state.lessons", |tx| {
            let from = cursor(tx)?;
            let (last, skipped) =
                tx.one("SELECT COALESCE(MAX(id), ?1), COUNT(*) FROM events WHERE id > ?1", [from], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))
                })?;
            put_meta(tx, CURSOR, &last.to_string())?;
            tx.write("DELETE FROM meta WHERE key = ?1", [OFF])?;
            Ok(Some(skipped))
        })
    }

    /// Reads at most `most` events behind the cursor, writes the lessons in them and moves the cursor, in one transaction.
    /// Without news nothing is written; without a lesson in it only the cursor.
    pub fn learn(&mut self, rules: &Rules, most: u32) -> StoreResult<Learned> {
        let from = cursor(&self.conn)?;
        let events = news(&self.conn, from, most)?;
        let Some((last, _)) = events.last() else { return Ok(Learned::default()) };
        let read = u32::try_from(events.len()).unwrap_or(u32::MAX);
        if events.iter().all(|(_, event)| lesson::detect(event).is_empty()) {
            self.conn.write(
                "UPDATE meta SET value = ?2 WHERE key = ?1 AND value = ?3",
                [CURSOR, &last.to_string(), &from.to_string()],
            )?;
            return Ok(Learned { events: read, ..Learned::default() });
        }
        self.transact("state.lessons", |tx| {
            // Read again under the lock: whoever came first has moved it.
            let events = news(tx, cursor(tx)?, most)?;
            let read = u32::try_from(events.len()).unwrap_or(u32::MAX);
            let mut learned = Learned { events: read, ..Learned::default() };
            for found in events.iter().flat_map(|(_, event)| lesson::detect(event)) {
                match lesson::decide(alike(tx, &found)?, found.at, rules) {
                    Decision::New => {
                        insert(tx, &found)?;
                        learned.new.push(found);
                    }
                    Decision::Repeat(id) => {
                        repeat(tx, id, found.at)?;
                        learned.repeats += 1;
                    }
                }
            }
            if let Some((last, _)) = events.last() {
                put_meta(tx, CURSOR, &last.to_string())?;
            }
            Ok(learned)
        })
    }

    /// Stamps lessons whose time is over, a bounded number of them. Returns how many.
    pub fn expire_lessons(&mut self, rules: &Rules, now: UnixTime) -> StoreResult<usize> {
        let before = now.0.saturating_sub(rules.expire_seconds);
        let stale: Vec<i64> = self.conn.rows(STALE, [before], |row| Ok(row.get(0)?))?;
        if stale.is_empty() {
            return Ok(0);
        }
        self.transact("state.lessons", |tx| {
            for id in &stale {
                tx.write(
                    "UPDATE lessons SET expires_at = MAX(last_seen_at, COALESCE(approved_at, 0)) + ?2 WHERE id = ?1",
                    params![id, rules.expire_seconds],
                )?;
            }
            Ok(())
        })?;
        Ok(stale.len())
    }

    /// The lessons that may be given to work in a repo, the weightiest first.
    pub fn lessons_to_give(
        &self,
        repo: &str,
        rules: &Rules,
        now: UnixTime,
        most: u32,
    ) -> StoreResult<Vec<Record>> {
        self.conn.rows(
            &to_give_query(),
            params![repo, now.0.saturating_sub(rules.expire_seconds), most],
            read,
        )
    }

    /// What a run was told; `None` if nothing was ever chosen for it.
    pub fn given(&self, run: &str) -> StoreResult<Option<Given>> {
        let untold = self.conn.one(
            "SELECT EXISTS (SELECT 1 FROM given_lessons WHERE run = ?1 AND place < 0)",
            [run],
            |row| Ok(row.get::<_, bool>(0)?),
        )?;
        if untold { Ok(Some(Given::default())) } else { self.chosen(run) }
    }

    /// What was chosen for a run, whether its prompt had a place for it or not: places of what was not told are below 0.
    fn chosen(&self, run: &str) -> StoreResult<Option<Given>> {
        let text = self.conn.row("SELECT text FROM given WHERE run = ?1", [run], |row| Ok(row.get(0)?))?;
        let Some(text) = text else { return Ok(None) };
        let ids = self.conn.rows(
            "SELECT lesson FROM given_lessons WHERE run = ?1 ORDER BY ABS(place)",
            [run],
            |row| Ok(row.get(0)?),
        )?;
        Ok(Some(Given { ids, text }))
    }

    /// What was chosen for an earlier run in the repo under the canary that this run takes part in: as long as it lives, both
    /// arms are told the same, or it would be the lessons that are compared.
    pub fn given_beside(&self, run: &str, repo: &str) -> StoreResult<Option<Given>> {
        let other = self.conn.row(BESIDE, [run, repo], |row| Ok(row.get::<_, String>(0)?))?;
        other.map_or(Ok(None), |other| self.chosen(&other))
    }

    /// Records what was chosen for a run, once, and whether it is told: its later turns and a repeated start are told the
    /// same.
    pub fn give(
        &mut self,
        run: &str,
        repo: &str,
        given: &Given,
        told: bool,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.given", |tx| {
            let news = tx.change(
                "INSERT OR IGNORE INTO given (run, repo, at, text) VALUES (?1, ?2, ?3, ?4)",
                params![run, repo, now.0, given.text],
            )?;
            if news > 0 {
                for (place, id) in (1_i64..).zip(&given.ids) {
                    tx.write(
                        "INSERT INTO given_lessons (run, place, lesson) VALUES (?1, ?2, ?3)",
                        params![run, if told { place } else { -place }, id],
                    )?;
                }
            }
            Ok(())
        })
    }
}
