//! When a tag was first seen, and small facts of an installation.

use rusqlite::{OptionalExtension as _, params};

use super::super::{Store, StoreResult, sql};
use crate::domain::model::UnixTime;
use crate::domain::upgrade::version::SeenTag;

impl Store {
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
