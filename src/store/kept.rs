//! How old what is kept is, in days on which ticks were seen.

use rusqlite::params;

use super::ask::Ask as _;
use super::{Store, StoreResult, to_u32};
use crate::domain::model::UnixTime;

impl Store {
    /// Counts the day, once however often the clock comes back to it. Returns how many days there were.
    pub fn day_seen(&mut self, now: UnixTime) -> StoreResult<u32> {
        let day = now.0.div_euclid(86_400);
        self.conn.write("INSERT OR IGNORE INTO tick_days (day) VALUES (?1)", [day])?;
        self.conn.one("SELECT COUNT(*) FROM tick_days", [], |row| Ok(row.get::<_, i64>(0)?)).map(to_u32)
    }

    /// On which day each of these began to be kept, in their order. `(path, when it was last written)`: what is new or was
    /// written since begins today; what is not among them is forgotten.
    pub fn kept_since(&mut self, kept: &[(String, UnixTime)], today: u32) -> StoreResult<Vec<u32>> {
        self.transact("state.kept", |tx| {
            let mut since = Vec::with_capacity(kept.len());
            for (path, written) in kept {
                tx.write(
                    "INSERT INTO kept (path, written, since, seen) VALUES (?1, ?2, ?3, ?3) ON CONFLICT (path) DO UPDATE SET \
                     since = CASE WHEN written = excluded.written THEN since ELSE excluded.since END, \
                     written = excluded.written, seen = excluded.seen",
                    params![path, written.0, today],
                )?;
                let began = tx.one("SELECT since FROM kept WHERE path = ?1", [path], |row| {
                    Ok(row.get::<_, i64>(0)?)
                })?;
                since.push(to_u32(began));
            }
            tx.write("DELETE FROM kept WHERE seen <> ?1", [today])?;
            Ok(since)
        })
    }
}
