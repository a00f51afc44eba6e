//! When a tag was first seen, and small facts of an installation.

use rusqlite::params;

use super::super::{Store, StoreResult, sql};
use crate::domain::model::UnixTime;
use crate::domain::upgrade::version::SeenTag;
use crate::store::ask::Ask as _;

impl Store {
    /// The tags with the moment of the first sight of each; new ones are seen now.
    pub fn see_tags(&mut self, image: &str, tags: &[String], now: UnixTime) -> StoreResult<Vec<SeenTag>> {
        self.transact("state.tags", |tx| {
            tags.iter()
                .map(|tag| {
                    tx.write(
                        "INSERT OR IGNORE INTO upgrade_tags (image, tag, first_seen) VALUES (?1, ?2, ?3)",
                        params![image, tag, now.0],
                    )?;
                    let at = tx.one(
                        "SELECT first_seen FROM upgrade_tags WHERE image = ?1 AND tag = ?2",
                        params![image, tag],
                        |row| Ok(row.get(0)?),
                    )?;
                    Ok(SeenTag { tag: tag.clone(), first_seen: UnixTime(at) })
                })
                .collect()
        })
    }

    /// Small facts of an installation: the schedule, when the bridge was first on, a trigger by hand.
    pub fn upgrade_note(&self, key: &str) -> StoreResult<Option<String>> {
        self.conn.row("SELECT value FROM upgrade_notes WHERE key = ?1", [key], |row| Ok(row.get(0)?))
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
        self.conn.rows(
            "SELECT key, value FROM upgrade_notes WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
            [prefix],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}
