//! What is remembered of the servers that forges and CI are: their limits, and by what they know a repository.
//!
//! Written at once and on its own, not with a run's step: a limit that is learnt in the middle of one holds even if the
//! tick is ended right after.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::ask::Ask as _;
use super::{Store, StoreResult, sql};
use crate::boundary;
use crate::domain::model::{RepoId, UnixTime};
use crate::ports::{PortError, PortResult, RateLimit, RateLimitStore};

/// A connection of its own beside the store's; for a dry run one to a copy in memory.
pub struct ServerBook {
    conn: Connection,
}

impl Store {
    /// For a dry run what is learnt is not kept, and the file is not touched.
    pub fn server_book(&self, dry: bool) -> StoreResult<ServerBook> {
        if !dry {
            let conn = Connection::open(&self.path).map_err(sql("opened"))?;
            conn.busy_timeout(crate::boundary::busy(super::BUSY)).map_err(sql("set up"))?;
            return Ok(ServerBook { conn });
        }
        let conn = Connection::open_in_memory().map_err(sql("opened"))?;
        conn.execute_batch(super::migrations::SERVERS).map_err(sql("set up"))?;
        for (read, write) in [
            (
                "SELECT server, until, why, times FROM server_limits",
                "INSERT INTO server_limits VALUES (?1, ?2, ?3, ?4)",
            ),
            ("SELECT repo, identity FROM repo_identities", "INSERT INTO repo_identities VALUES (?1, ?2)"),
        ] {
            let mut rows = self.conn.prepare(read).map_err(sql("read"))?;
            let columns = rows.column_count();
            let mut rows = rows.query([]).map_err(sql("read"))?;
            while let Some(row) = rows.next().map_err(sql("read"))? {
                let values: Vec<rusqlite::types::Value> =
                    (0..columns).map(|at| row.get(at)).collect::<Result<_, _>>().map_err(sql("read"))?;
                conn.execute(write, rusqlite::params_from_iter(values)).map_err(sql("copied"))?;
            }
        }
        Ok(ServerBook { conn })
    }

    /// What stands under the repo's name from now on is taken for it.
    pub fn forget_repo_identity(&mut self, repo: &RepoId) -> StoreResult<()> {
        self.conn.write("DELETE FROM repo_identities WHERE repo = ?1", [repo.to_string()])
    }
}

impl ServerBook {
    fn stored(&self, server: &str) -> rusqlite::Result<Option<RateLimit>> {
        self.conn
            .prepare_cached("SELECT until, why, times FROM server_limits WHERE server = ?1")?
            .query_row([server], |row| {
                Ok(RateLimit {
                    until: UnixTime(row.get(0)?),
                    why: row.get(1)?,
                    times: u32::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                })
            })
            .optional()
    }
}

fn port(error: &rusqlite::Error) -> PortError {
    PortError::later(format!("what is remembered of servers could not be read or written: {error}"))
}

impl RateLimitStore for ServerBook {
    fn limit(&self, server: &str) -> PortResult<Option<RateLimit>> {
        self.stored(server).map_err(|error| port(&error))
    }

    fn put_limit(&self, server: &str, limit: Option<&RateLimit>) -> PortResult<()> {
        boundary::pass("state.server");
        let written = match limit {
            Some(limit) => self.conn.execute(
                "INSERT OR REPLACE INTO server_limits (server, until, why, times) VALUES (?1, ?2, ?3, ?4)",
                params![server, limit.until.0, limit.why, limit.times],
            ),
            None => self.conn.execute("DELETE FROM server_limits WHERE server = ?1", [server]),
        };
        boundary::pass("state.server");
        written.map(drop).map_err(|error| port(&error))
    }

    fn repo_identity(&self, repo: &RepoId) -> PortResult<Option<String>> {
        self.conn
            .query_row("SELECT identity FROM repo_identities WHERE repo = ?1", [repo.to_string()], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| port(&error))
    }

    fn put_repo_identity(&self, repo: &RepoId, identity: &str) -> PortResult<()> {
        self.conn
            .execute(
                "INSERT OR IGNORE INTO repo_identities (repo, identity) VALUES (?1, ?2)",
                [&repo.to_string(), identity],
            )
            .map(drop)
            .map_err(|error| port(&error))
    }
}
