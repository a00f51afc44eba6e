//! The state file's content for those who only look, without leaving a trace beside it.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags};

use super::error::{StoreResult, sql};

/// Copies the file into a database in memory.
///
/// A reader of a file in WAL mode makes the log and its index beside it and cannot take them away again. Where neither
/// is there nobody has the file open, and it is read as one that does not change; if somebody came meanwhile that copy
/// is thrown away.
pub(super) fn into_memory(path: &Path, conn: &mut Connection) -> StoreResult<()> {
    if let Some(before) = at_rest(path) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let whole = Connection::open_with_flags(unchanging(path), flags).and_then(|from| copy(&from, conn));
        if whole.is_ok() && at_rest(path) == Some(before) {
            return Ok(());
        }
    }
    let from = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(sql("opened for reading"))?;
    copy(&from, conn).map_err(sql("copied to memory"))
}

fn copy(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    rusqlite::backup::Backup::new(from, to)?.run_to_completion(1000, Duration::from_millis(1), None)
}

/// When the file was written last and how long it is, where no process has it open.
fn at_rest(path: &Path) -> Option<(SystemTime, u64)> {
    // Where SQLite puts the log of a file that is reached by a symlink.
    let real = path.canonicalize().ok()?;
    let beside = |suffix: &str| {
        let mut name = real.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let open = ["-wal", "-shm", "-journal"].iter().any(|s| beside(s).symlink_metadata().is_ok());
    let meta = real.metadata().ok()?;
    if open { None } else { Some((meta.modified().ok()?, meta.len())) }
}

/// The path as SQLite's name of a file that nobody changes.
fn unchanging(path: &Path) -> String {
    let mut name = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                name.push(char::from(*byte));
            }
            other => drop(write!(name, "%{other:02x}")),
        }
    }
    name.push_str("?immutable=1");
    name
}
