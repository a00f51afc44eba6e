//! One SQLite file: what neither the tracker nor CI can remember. Concrete; tests use real SQLite.
#![allow(clippy::disallowed_methods, reason = "the state file is this room's work")]

mod adopt;
mod answers;
mod ask;
mod canaries;
mod codes;
mod copy;
mod error;
mod events;
mod figures;
mod host;
mod intents;
mod issues;
mod kept;
mod learning;
mod lessons;
#[cfg(test)]
mod lessons_tests;
mod migrations;
mod outbox;
mod outcomes;
mod record;
mod routes;
mod runs;
mod servers;
mod templates;
#[cfg(test)]
mod tests;
mod upgrade;
mod upgrade_rows;

pub use adopt::Adopted;
pub use canaries::{CanaryRow, Verdict};
pub(crate) use error::sql;
pub use error::{StoreError, StoreResult};
pub(crate) use events::insert_event;
pub use figures::{RunFigures, SpendBy, SpendRow};
pub use host::{Hold, HoldKind, Park};
pub use intents::{Intent, IntentState};
pub use issues::{FirstSightRow, LedgerRow};
pub use learning::Learned;
pub use lessons::{ByHand, LessonChange, LessonCounts, LessonFilter, LessonOutcomes};
pub use outbox::{OutboxRow, topic_of};
pub use outcomes::{BranchRow, LateRevert};
pub use routes::{CanaryRoute, Route};
pub use runs::{RunRow, Spend, TurnRow};
pub use servers::ServerBook;
pub use templates::TemplateRow;
pub use upgrade::{NewBatch, OwnPull, PullStanding, UpgradeIntent};

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use self::ask::Ask as _;
use crate::boundary;
use crate::domain::model::UnixTime;

pub struct Store {
    conn: Connection,
    /// Identifies this state file, made when it was.
    pub installation: String,
    pub path: PathBuf,
}

/// A state file that another process writes to is waited for so long.
pub(crate) const BUSY: Duration = Duration::from_secs(20);

/// Magic numbers of file systems on which SQLite's locks do not hold (statfs(2)).
const NETWORK_FILE_SYSTEMS: [(u64, &str); 6] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0102_1997, "9p"),
    (0x7461_636f, "OCFS2"),
];

impl Store {
    /// Opens or makes the state file: mode 0600, WAL, foreign keys, every migration applied.
    ///
    /// `machine` is this machine's identity; a file that was made elsewhere is refused. `fresh_id` names a new
    /// installation, if one has to be made.
    pub fn open(path: &Path, machine: &str, fresh_id: &str, now: UnixTime) -> StoreResult<Self> {
        Self::open_or(path, machine, fresh_id, now, true)
    }

    /// The same for a command that only looks: a file that is damaged, or none of ours, stays as it is.
    pub fn open_to_look(path: &Path, machine: &str, now: UnixTime) -> StoreResult<Self> {
        let fresh_id = uuid::Uuid::new_v4().to_string();
        Self::open_or(path, machine, &fresh_id, now, false)
    }

    fn open_or(
        path: &Path,
        machine: &str,
        fresh_id: &str,
        now: UnixTime,
        sets_aside: bool,
    ) -> StoreResult<Self> {
        let unusable = |what: String| StoreError::Unusable { path: path.display().to_string(), what };
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|e| {
                unusable(format!(
                    "has no folder, and making it failed: {e}; make it or name another with --state"
                ))
            })?;
            refuse_network(parent, path)?;
        }
        let existed = path.exists();
        if existed {
            let meta = fs::metadata(path).map_err(|e| unusable(format!("cannot be looked at: {e}")))?;
            if !meta.is_file() {
                return Err(unusable("is not a file; name another with --state".to_owned()));
            }
            if !sets_aside && meta.len() > 0 && begins_otherwise(path) {
                return Err(unusable(
                    "is no state file, or damaged; name another with --state, or put a backup in its place with `offhours \
                     state restore`. A tick sets it aside and begins anew"
                        .to_owned(),
                ));
            }
        } else {
            fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(
                |e| unusable(format!("cannot be made: {e}; check the folder's owner and the disk")),
            )?;
        }
        match Self::open_file(path, machine, fresh_id, now) {
            Err(StoreError::Sql { source, .. }) if is_corrupt(&source) && sets_aside => {
                let aside = path.with_extension(format!("corrupt-{}", now.0));
                fs::rename(path, &aside)
                    .map_err(|e| unusable(format!("is damaged, and setting it aside failed: {e}")))?;
                for suffix in ["-wal", "-shm"] {
                    let mut side = path.as_os_str().to_owned();
                    side.push(suffix);
                    let mut to = aside.as_os_str().to_owned();
                    to.push(suffix);
                    if Path::new(&side).exists() {
                        drop(fs::rename(&side, &to));
                    }
                }
                Err(unusable(format!(
                    "is damaged ({source}); it was set aside as {}. Put a backup in its place, or run again to begin \
                     with an empty one: claims on the forge keep issues that were in work from being started twice",
                    aside.display()
                )))
            }
            other => other,
        }
    }

    fn open_file(path: &Path, machine: &str, fresh_id: &str, now: UnixTime) -> StoreResult<Self> {
        let conn = Connection::open(path).map_err(sql("opened"))?;
        let mut store = Self { conn, installation: String::new(), path: path.to_owned() };
        store.prepare()?;
        store.migrate(now)?;
        store.identify(path, machine, fresh_id)?;
        Ok(store)
    }

    /// Opens a file whoever it belongs to; only for taking it over.
    fn open_unidentified(path: &Path, now: UnixTime) -> StoreResult<Self> {
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            refuse_network(parent, path)?;
        }
        let conn = Connection::open(path).map_err(sql("opened"))?;
        let mut store = Self { conn, installation: String::new(), path: path.to_owned() };
        store.prepare()?;
        store.migrate(now)?;
        Ok(store)
    }

    /// A copy in memory: what is written to it is gone with it. For dry runs; a missing file is an empty one.
    pub fn open_copy(path: &Path, now: UnixTime) -> StoreResult<Self> {
        let mut conn = Connection::open_in_memory().map_err(sql("copied to memory"))?;
        if path.exists() {
            copy::into_memory(path, &mut conn)?;
        }
        let mut store = Self { conn, installation: "dry-run".to_owned(), path: path.to_owned() };
        store.refuse_others()?;
        store.conn.pragma_update(None, "foreign_keys", true).map_err(sql("set up"))?;
        store.migrate(now)?;
        if let Some(id) = store.meta("installation")? {
            store.installation = id;
        }
        Ok(store)
    }

    /// Copies the whole file elsewhere while it may be in use.
    pub fn backup(&self, to: &Path) -> StoreResult<()> {
        // Made empty first, so that nobody else can read it while it is written.
        let unusable = |e: std::io::Error| StoreError::Unusable {
            path: to.display().to_string(),
            what: format!("cannot be made as a copy: {e}"),
        };
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(unusable)?;
        self.conn.execute("VACUUM INTO ?1", [to.display().to_string()]).map_err(sql("backed up"))?;
        Ok(())
    }

    /// A database of another program is not taken over. Looked at before anything is set in it.
    fn refuse_others(&self) -> StoreResult<()> {
        let count = |of: &str| {
            self.conn.query_row(&format!("SELECT COUNT(*) FROM sqlite_schema {of}"), [], |row| {
                row.get::<_, i64>(0)
            })
        };
        if count("").map_err(sql("read"))? > 0 && count("WHERE name = 'meta'").map_err(sql("read"))? == 0 {
            return Err(StoreError::Foreign {
                path: self.path.display().to_string(),
                what: "is a database of another program; name another file with --state".to_owned(),
            });
        }
        Ok(())
    }

    /// The file and what `SQLite` puts beside it, which takes its rights from it as they were before.
    fn close_to_others(&self) -> StoreResult<()> {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = self.path.clone().into_os_string();
            file.push(suffix);
            let closed = match fs::metadata(&file) {
                Ok(meta) if meta.mode() & 0o077 != 0 => {
                    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
                }
                Ok(_) => Ok(()),
                Err(e) => Err(e),
            };
            // What is beside it goes away with the last process that has it open.
            if let Err(e) = closed
                && e.kind() != ErrorKind::NotFound
            {
                return Err(StoreError::Unusable {
                    path: file.to_string_lossy().into_owned(),
                    what: format!("is readable by others and cannot be closed to them: {e}"),
                });
            }
        }
        Ok(())
    }

    fn prepare(&self) -> StoreResult<()> {
        self.conn.busy_timeout(crate::boundary::busy(BUSY)).map_err(sql("set up"))?;
        self.refuse_others()?;
        self.close_to_others()?;
        self.conn.pragma_update(None, "foreign_keys", true).map_err(sql("set up"))?;
        self.conn.pragma_update(None, "synchronous", "FULL").map_err(sql("set up"))?;
        let mode: String =
            self.conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sql("set up"))?;
        if mode != "wal" {
            return Err(StoreError::Row { what: format!("journal mode is {mode}, not wal") });
        }
        Ok(())
    }

    fn migrate(&mut self, now: UnixTime) -> StoreResult<()> {
        let version =
            |conn: &Connection| conn.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
        let at = version(&self.conn).map_err(sql("read"))?;
        let newest = i64::try_from(migrations::MIGRATIONS.len()).unwrap_or(i64::MAX);
        if at > newest {
            return Err(StoreError::Foreign {
                path: self.path.display().to_string(),
                what: format!(
                    "was written by a newer offhours (format {at}; this one knows {newest}); use that one"
                ),
            });
        }
        if at == newest {
            return Ok(());
        }
        if at > 0 {
            let copy = self.path.with_extension(format!("before-{newest}-{}", now.0));
            self.backup(&copy)?;
        }
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql("upgraded"))?;
        // Another process may have done it between the look and the lock.
        let at = version(&tx).map_err(sql("read"))?;
        for (number, text) in (1i64..).zip(migrations::MIGRATIONS) {
            if number > at {
                tx.execute_batch(text).map_err(sql("upgraded"))?;
                tx.pragma_update(None, "user_version", number).map_err(sql("upgraded"))?;
            }
        }
        tx.commit().map_err(sql("upgraded"))
    }

    fn identify(&mut self, path: &Path, machine: &str, fresh_id: &str) -> StoreResult<()> {
        if self.meta("installation")?.is_none() {
            let tx =
                self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql("set up"))?;
            for (key, value) in [("installation", fresh_id), ("machine", machine)] {
                tx.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?1, ?2)", [key, value])
                    .map_err(sql("set up"))?;
            }
            tx.commit().map_err(sql("set up"))?;
        }
        self.installation = self.meta("installation")?.unwrap_or_default();
        let owner = self.meta("machine")?.unwrap_or_default();
        if owner != machine {
            return Err(StoreError::Foreign {
                path: path.display().to_string(),
                what: "was made on another machine. Two machines on one state lose each other's work: use a state file of \
                       this machine's own; or, if the other one is gone for good, take this file over with `offhours state \
                       adopt`; or set `machine = \"NAME\"` in the config on both where hosts are ephemeral"
                    .to_owned(),
            });
        }
        Ok(())
    }

    pub fn meta(&self, key: &str) -> StoreResult<Option<String>> {
        self.conn.row("SELECT value FROM meta WHERE key = ?1", [key], |row| Ok(row.get(0)?))
    }

    pub fn set_meta(&mut self, key: &str, value: &str) -> StoreResult<()> {
        self.conn.write("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [key, value])
    }

    /// Runs `work` in one transaction; the boundary before its end and after it are where a kill is tested.
    pub(crate) fn transact<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> StoreResult<T>,
    ) -> StoreResult<T> {
        let tx =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql("locked"))?;
        let value = work(&tx)?;
        boundary::pass(name);
        tx.commit().map_err(sql("written"))?;
        boundary::pass(name);
        Ok(value)
    }

    /// Whether every page and reference is sound; a list of what is not.
    pub fn check(&self) -> StoreResult<Vec<String>> {
        let mut statement = self.conn.prepare("PRAGMA integrity_check").map_err(sql("checked"))?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(sql("checked"))?;
        let mut found = vec![];
        for row in rows {
            let line = row.map_err(sql("checked"))?;
            if line != "ok" {
                found.push(line);
            }
        }
        Ok(found)
    }
}

/// Issue numbers and counts are far below 2^63; one that is not is kept as the largest there is.
pub(crate) fn to_i64(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn to_u32(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(0)
}

/// Whether it is no database, by its first bytes (<https://www.sqlite.org/fileformat.html>, 1.3.1); of what cannot be
/// opened that is not known.
fn begins_otherwise(path: &Path) -> bool {
    use std::io::Read as _;
    let Ok(mut file) = fs::File::open(path) else { return false };
    let mut start = [0_u8; 16];
    file.read_exact(&mut start).is_err() || start != *b"SQLite format 3\0"
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn refuse_network(folder: &Path, path: &Path) -> StoreResult<()> {
    let stat = rustix::fs::statfs(folder).map_err(|e| StoreError::Unusable {
        path: path.display().to_string(),
        what: format!("lies in a folder that cannot be looked at: {e}"),
    })?;
    #[allow(
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "a bit pattern; its type differs by platform"
    )]
    let magic = (stat.f_type as u64) & 0xffff_ffff;
    match NETWORK_FILE_SYSTEMS.iter().find(|(number, _)| *number == magic) {
        Some((_, name)) => Err(StoreError::Unusable {
            path: path.display().to_string(),
            what: format!("lies on {name}, where file locks do not hold; name a local path with --state"),
        }),
        None => Ok(()),
    }
}
