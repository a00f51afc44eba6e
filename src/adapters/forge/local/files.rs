//! One file of the local forge: read with limits, and written so that nobody's edit is lost.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Gid, Mode, OFlags};
use rustix::io::Errno;

use super::text::{Flaw, Hand, MAX_BYTES};
use crate::boundary;
use crate::domain::model::UnixTime;
use crate::ports::{PortError, PortResult};

/// Name of the one unfinished file of a repo; the lock makes it ours.
pub(super) const UNFINISHED: &str = ".offhours.tmp";
/// A file changed less than this long ago may change again without its times showing it.
const SETTLED: Duration = Duration::from_secs(2);
/// For a writer that had the file open when it was replaced, and writes a moment later.
const LINGER: Duration = Duration::from_millis(2);

pub(super) fn failed(doing: &str, path: &Path, error: &io::Error) -> PortError {
    let what = format!("{doing} {} failed: {error}", path.display());
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound {
        PortError::gone(format!("{what}; look whether it was moved or deleted"))
    } else if kind == io::ErrorKind::PermissionDenied {
        PortError::refused(format!("{what}; give the user that runs offhours access to it"))
    } else if kind == io::ErrorKind::ReadOnlyFilesystem {
        PortError::refused(format!("{what}; keep the forge where it can be written"))
    } else if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        PortError::later(format!("{what}; make room on that disk, then it goes on by itself"))
    } else {
        PortError::later(format!("{what}; it is tried again by the next tick"))
    }
}

/// Held by the one process of ours that writes to a repo. Its file remembers the largest number given out.
pub(super) struct RepoLock {
    file: File,
    path: PathBuf,
}

impl RepoLock {
    pub(super) fn of(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    pub(super) fn largest_number(&mut self) -> u64 {
        let mut text = String::new();
        let read = self.file.rewind().and_then(|()| (&mut self.file).take(32).read_to_string(&mut text));
        // An unreadable memory is none: the files' own numbers count.
        read.ok().and_then(|_| text.trim().parse::<u64>().ok()).filter(|n| *n < 1 << 62).unwrap_or(0)
    }

    /// Where a file that is to be at `path` is written first: in the repo's folder, so that no more than one is ever
    /// left; beside it where that is another file system.
    fn unfinished(&self, path: &Path) -> PathBuf {
        let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
        let (own, there) = (self.path.parent(), path.parent());
        if own.and_then(device).is_some() && own.and_then(device) == there.and_then(device) {
            return self.path.with_file_name(UNFINISHED);
        }
        path.with_file_name(UNFINISHED)
    }

    pub(super) fn remember(&mut self, number: u64) -> PortResult<()> {
        let mut write = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            writeln!(self.file, "{number}")
        };
        write().map_err(|error| failed("writing", &self.path, &error))
    }
}

#[cfg(test)]
thread_local! {
    /// How far the clock that files are compared with is ahead, in seconds.
    pub(super) static AHEAD: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

/// Whether the newest time (seconds) is long enough ago. A time in the future is not.
#[expect(clippy::disallowed_methods, reason = "compared with times that the kernel's clock gave the files")]
pub(super) fn settled(newest: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    #[cfg(test)]
    let now = now + AHEAD.get();
    now.saturating_sub(newest) > i64::try_from(SETTLED.as_secs()).unwrap_or(i64::MAX)
}

/// A file as it was read.
pub(super) struct Raw {
    pub(super) bytes: Vec<u8>,
    pub(super) meta: Metadata,
}

impl Raw {
    pub(super) fn hand(&self) -> Hand {
        Hand { by: user_name(self.meta.uid()), at: UnixTime(self.meta.mtime()) }
    }
    /// Changed so short a time ago that somebody may be in the middle of writing it.
    pub(super) fn is_fresh(&self) -> bool {
        !settled(self.meta.ctime())
    }
}

/// Why a file could not be read.
pub(super) enum ReadError {
    Gone,
    /// For a person to correct.
    Flaw(Flaw),
    Port(PortError),
}

pub(super) fn read(path: &Path) -> Result<Raw, ReadError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(Errno::NOENT) => return Err(ReadError::Gone),
        Err(Errno::LOOP) => {
            let what = "it is a symbolic link, and those are not followed; put the file itself here";
            return Err(ReadError::Flaw(Flaw::new(what)));
        }
        Err(Errno::ACCESS | Errno::PERM) => {
            let what = "this user may not read it; give the user that runs offhours access to it";
            return Err(ReadError::Flaw(Flaw::new(what)));
        }
        Err(Errno::NXIO | Errno::OPNOTSUPP) => return Err(ReadError::Flaw(no_file())),
        Err(error) => return Err(ReadError::Port(failed("opening", path, &error.into()))),
    };
    let port = |error: io::Error| ReadError::Port(failed("reading", path, &error));
    let meta = file.metadata().map_err(port)?;
    if !meta.is_file() {
        return Err(ReadError::Flaw(no_file()));
    }
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(limit)).unwrap_or(0) + 1);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(port)?;
    if bytes.len() > MAX_BYTES {
        let what = format!("it is {} bytes, and 1 MB is the most that is read; shorten it", meta.len());
        return Err(ReadError::Flaw(Flaw::new(what)));
    }
    Ok(Raw { bytes, meta })
}

fn no_file() -> Flaw {
    Flaw::new("it is no regular file; move it away, or put a text file in its place")
}

/// Writes `bytes` under a name that does not exist yet, whole or not at all. False where the name is taken.
pub(super) fn create(path: &Path, bytes: &[u8], lock: &RepoLock) -> PortResult<bool> {
    let error = |error: io::Error| failed("writing", path, &error);
    let (unfinished, _file) = write_unfinished(&lock.unfinished(path), bytes).map_err(error)?;
    boundary::pass("local forge: before create");
    let linked = match fs::hard_link(&unfinished, path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // A file system without hard links: the name is taken first and filled then.
        Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(_) => fs::rename(&unfinished, path).map(|()| true),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(e) => Err(e),
            }
        }
        Err(e) => Err(e),
    };
    boundary::pass("local forge: after create");
    forget(&unfinished).map_err(error)?;
    linked.map_err(error)
}

/// Puts `bytes` at a path, whatever is there.
pub(super) fn put(path: &Path, bytes: &[u8], lock: &RepoLock) -> PortResult<()> {
    let error = |error: io::Error| failed("writing", path, &error);
    let (unfinished, _file) = write_unfinished(&lock.unfinished(path), bytes).map_err(error)?;
    boundary::pass("local forge: before rename");
    fs::rename(&unfinished, path).map_err(error)?;
    boundary::pass("local forge: after rename");
    Ok(())
}

/// What became of a replacement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    Done,
    /// Somebody changed the file since it was read: nothing was replaced.
    Changed,
}

/// Puts `bytes` in the place of a file that still is what was read as `old`.
///
/// The comparison comes before the rename; and because a person may save between the two, the rename is an exchange
/// where the system has it: what was taken out is compared too, and put back if it is somebody's edit.
pub(super) fn replace(
    path: &Path,
    old: &Raw,
    bytes: &[u8],
    before_rename: &dyn Fn(&Path),
    lock: &RepoLock,
) -> PortResult<Replaced> {
    let error = |error: io::Error| failed("writing", path, &error);
    if bytes.len() > MAX_BYTES {
        return Err(PortError::refused(format!(
            "{} would grow over 1 MB with this change; shorten it",
            path.display()
        )));
    }
    let (unfinished, file) = write_unfinished(&lock.unfinished(path), bytes).map_err(error)?;
    if file.metadata().map_err(error)?.gid() != old.meta.gid() {
        // A group that we may not give files to stays as it is; the mode below matters more.
        rustix::fs::fchown(&file, None, Some(Gid::from_raw(old.meta.gid()))).ok();
    }
    file.set_permissions(Permissions::from_mode(old.meta.mode() & 0o7777)).map_err(error)?;
    boundary::pass("local forge: before rename");
    let answer = if same(path, &old.bytes) {
        before_rename(path);
        exchange(path, &unfinished, old, bytes)
    } else {
        Ok(Replaced::Changed)
    };
    boundary::pass("local forge: after rename");
    forget(&unfinished).map_err(error)?;
    answer
}

fn same(path: &Path, bytes: &[u8]) -> bool {
    read(path).is_ok_and(|raw| raw.bytes == bytes)
}

fn exchange(path: &Path, unfinished: &Path, old: &Raw, bytes: &[u8]) -> PortResult<Replaced> {
    let error = |error: Errno| failed("replacing", path, &error.into());
    match swap(path, unfinished) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(Replaced::Changed),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            // No exchange here: the shortest way from comparison to rename.
            if !same(path, &old.bytes) {
                return Ok(Replaced::Changed);
            }
            fs::rename(unfinished, path).map_err(|e| failed("replacing", path, &e))?;
            return Ok(Replaced::Done);
        }
        Err(e) => return Err(error(e)),
    }
    std::thread::sleep(LINGER);
    if same(unfinished, &old.bytes) {
        return Ok(Replaced::Done);
    }
    // What came out is somebody's edit: back with it.
    match swap(path, unfinished) {
        Ok(()) if same(unfinished, bytes) => return Ok(Replaced::Changed),
        // Somebody edited ours in that moment as well: the newer one stays, the other is kept beside it. Where this
        // fails, the two are the other way round, and both are there all the same.
        Ok(()) => {
            swap(path, unfinished).ok();
        }
        Err(Errno::NOENT) => {
            // Deleted meanwhile, in the belief that it was this edit. A file too many is better than one too few.
            fs::rename(unfinished, path).map_err(|e| failed("replacing", path, &e))?;
            return Ok(Replaced::Changed);
        }
        // The edit must not go with the unfinished file's name.
        Err(_) => {}
    }
    let kept = kept_name(path);
    fs::rename(unfinished, &kept).map_err(|e| failed("keeping an edit of", path, &e))?;
    Err(PortError::later(format!(
        "{} was saved by somebody in the moment in which it was rewritten; one of the two versions is kept as {}: \
         merge it by hand, then delete it",
        path.display(),
        kept.display()
    )))
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn swap(one: &Path, other: &Path) -> rustix::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn swap(_one: &Path, _other: &Path) -> rustix::io::Result<()> {
    Err(Errno::NOSYS)
}

/// A free name beside `path` that is none of an issue or pull request.
fn kept_name(path: &Path) -> PathBuf {
    let stem = path.file_name().unwrap_or(OsStr::new("issue")).to_string_lossy();
    (1..1000)
        .map(|n| path.with_file_name(format!("{stem}.kept-{n}")))
        .find(|kept| !kept.exists())
        .unwrap_or_else(|| path.with_file_name(format!("{stem}.kept")))
}

fn write_unfinished(unfinished: &Path, bytes: &[u8]) -> io::Result<(PathBuf, File)> {
    forget(unfinished)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // The first error is the one to tell.
        drop(forget(unfinished));
        return Err(error);
    }
    Ok((unfinished.to_owned(), file))
}

pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The account's name, or `uid-1000` where it has none.
fn user_name(uid: u32) -> String {
    let accounts = fs::read("/etc/passwd").unwrap_or_default();
    let accounts = String::from_utf8_lossy(&accounts);
    let wanted = uid.to_string();
    accounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, fields.nth(1)?))
        })
        .find(|(name, id)| *id == wanted && !name.is_empty())
        .map_or_else(|| format!("uid-{uid}"), |(name, _)| name.to_owned())
}
