//! The folders and files of the local forge: scanned, read with limits, and written so that nobody's edit is lost.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, Gid, Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::text::{Flaw, Hand, MAX_BYTES};
use crate::boundary;
use crate::domain::model::{RepoId, UnixTime};
use crate::ports::{BrokenIssue, PortError, PortResult};

/// How long one write waits for another process of ours. Writes take milliseconds, merges a few seconds.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// A file changed less than this long ago may change again without its times showing it.
const SETTLED: Duration = Duration::from_secs(2);
/// For a writer that had the file open when it was replaced, and writes a moment later.
const LINGER: Duration = Duration::from_millis(2);
/// Name of the one unfinished file of a repo; the lock makes it ours.
const UNFINISHED: &str = ".offhours.tmp";

/// Which of a repo's two folders of numbered files. They share their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Issues,
    Pulls,
}

impl Room {
    fn folder(self) -> &'static str {
        match self {
            Self::Issues => "issues",
            Self::Pulls => "pulls",
        }
    }
    fn noun(self) -> &'static str {
        match self {
            Self::Issues => "issue",
            Self::Pulls => "pull request",
        }
    }
    fn other(self) -> Self {
        match self {
            Self::Issues => Self::Pulls,
            Self::Pulls => Self::Issues,
        }
    }
}

/// `<root>/<owner>/<name>`: one repo's folder.
#[derive(Clone, Debug)]
pub(super) struct RepoDir {
    dir: PathBuf,
    /// `owner/name`, for sentences.
    shown: String,
}

/// A regular or other file that is named like an issue or a pull request.
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) name: String,
}

/// One look at a repo's issue folder.
pub(super) struct Scan {
    /// By number.
    pub(super) entries: Vec<Entry>,
    /// Files that are none by their name.
    pub(super) broken: Vec<BrokenIssue>,
    /// Stands for the names, sizes, times and inodes of everything in the folder; `None` while a file changed so
    /// short a time ago that another change might not show.
    pub(super) fingerprint: Option<String>,
}

enum Named {
    Number(u64),
    Wrong(&'static str),
    Ignored,
}

fn named(name: &str) -> Named {
    let Some(stem) = name.strip_suffix(".md") else { return Named::Ignored };
    if name.starts_with('.') || name.starts_with('#') || name.eq_ignore_ascii_case("readme.md") {
        return Named::Ignored;
    }
    let digits = stem.split_once('-').map_or(stem, |(digits, _)| digits);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Named::Wrong(
            "its name does not begin with a number; rename it like 0007.md or 0007-some-words.md",
        );
    }
    match digits.parse::<u64>() {
        Ok(0) => Named::Wrong("numbers begin at 1; give it another number"),
        // TOML and other forges have signed numbers.
        Ok(number) if i64::try_from(number).is_ok() => Named::Number(number),
        Ok(_) | Err(_) => Named::Wrong("its number is too large; give it a smaller one"),
    }
}

/// Whether a text may be one component of a path. `RepoId::parse` asks the same; a `RepoId` can be made without it.
fn plain(component: &str) -> bool {
    !component.is_empty()
        && !component.starts_with('.')
        && component.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

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

impl RepoDir {
    pub(super) fn at(root: &Path, owner: &str, name: &str) -> PortResult<Self> {
        let shown = format!("{owner}/{name}");
        for part in [owner, name] {
            if !plain(part) {
                return Err(PortError::refused(format!(
                    "{shown:.200} cannot be a repository of a local forge: use letters, digits, '-', '_' and '.' \
                     (not first) in both parts"
                )));
            }
        }
        Ok(Self { dir: root.join(owner).join(name), shown })
    }

    pub(super) fn open(root: &Path, repo: &RepoId) -> PortResult<Self> {
        let found = Self::at(root, &repo.owner, &repo.name)?;
        match fs::metadata(&found.dir) {
            Ok(meta) if meta.is_dir() => Ok(found),
            Ok(_) => Err(PortError::broken(format!(
                "the local forge {} should hold the repository {} in a folder, and {} is none; move that file away",
                repo.forge,
                found.shown,
                found.dir.display()
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(PortError::gone(format!(
                "the local forge {} has no repository {}: there is no folder {}; make it, or correct the allowlist",
                repo.forge,
                found.shown,
                found.dir.display()
            ))),
            Err(error) => Err(failed("looking for", &found.dir, &error)),
        }
    }

    pub(super) fn folder(&self, room: Room) -> PathBuf {
        self.dir.join(room.folder())
    }
    pub(super) fn comments(&self, room: Room, number: u64) -> PathBuf {
        self.folder(room).join(format!("{number:04}.comments"))
    }
    pub(super) fn reviews(&self, number: u64) -> PathBuf {
        self.folder(Room::Pulls).join(format!("{number:04}.reviews"))
    }
    pub(super) fn git(&self) -> PathBuf {
        self.dir.join("repo.git")
    }
    /// How sentences call a file of one of the folders.
    pub(super) fn show(&self, room: Room, name: &str) -> String {
        format!("{}/{}/{}", self.shown, room.folder(), name.escape_debug())
    }

    fn names(&self, room: Room) -> PortResult<Vec<fs::DirEntry>> {
        let folder = self.folder(room);
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("listing", &folder, &error)),
        };
        listed.collect::<Result<_, _>>().map_err(|error| failed("listing", &folder, &error))
    }

    /// A folder's files, without opening one. `salt` becomes part of the fingerprint.
    pub(super) fn scan(&self, room: Room, salt: &str) -> PortResult<Scan> {
        boundary::pass("local forge: list");
        let mut entries = Vec::new();
        let mut broken = Vec::new();
        let mut prints = Vec::new();
        let mut newest = 0;
        for file in self.names(room)? {
            let name = file.file_name().to_string_lossy().into_owned();
            match named(&name) {
                Named::Ignored => continue,
                Named::Number(number) => entries.push(Entry { number, name: name.clone() }),
                Named::Wrong(why) => {
                    broken.push(BrokenIssue {
                        number: None,
                        what: format!("{}: {why}", self.show(room, &name)),
                    });
                }
            }
            // Gone since it was listed: the next look sees it.
            let Ok(meta) = file.metadata() else { continue };
            newest = newest.max(meta.ctime()).max(meta.mtime());
            prints.push((name, meta));
        }
        entries.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
        broken.sort_by(|a, b| a.what.cmp(&b.what));
        let fingerprint = settled(newest).then(|| fingerprint(salt, prints));
        Ok(Scan { entries, broken, fingerprint })
    }

    fn named(&self, room: Room, number: u64) -> PortResult<Vec<String>> {
        let mut names: Vec<String> = self
            .names(room)?
            .into_iter()
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .filter(|name| matches!(named(name), Named::Number(n) if n == number))
            .collect();
        names.sort();
        Ok(names)
    }

    /// The file name of one issue or pull request.
    pub(super) fn find(&self, room: Room, number: u64) -> PortResult<String> {
        let names = self.named(room, number)?;
        match names.as_slice() {
            [name] => Ok(name.clone()),
            [] if !self.named(room.other(), number)?.is_empty() => Err(PortError::gone(format!(
                "{} has no {} {number}: that is the number of the {} {}",
                self.shown,
                room.noun(),
                room.other().noun(),
                self.show(room.other(), &format!("{number:04}.md"))
            ))),
            [] => Err(PortError::gone(format!(
                "{} has no {} {number}: there is no file {}",
                self.shown,
                room.noun(),
                self.show(room, &format!("{number:04}.md"))
            ))),
            [..] => Err(PortError::broken(self.twice(room, number, &names))),
        }
    }

    /// Whether a number is an issue's or a pull request's; an issue's where it is nobody's.
    pub(super) fn room_of(&self, number: u64) -> PortResult<Room> {
        let is = |room| Ok::<_, PortError>(!self.named(room, number)?.is_empty());
        Ok(if !is(Room::Issues)? && is(Room::Pulls)? { Room::Pulls } else { Room::Issues })
    }

    pub(super) fn twice(&self, room: Room, number: u64, names: &[String]) -> String {
        let shown: Vec<String> = names.iter().map(|n| self.show(room, n)).collect();
        format!("{} are all {} {number}; rename all but one of them", shown.join(" and "), room.noun())
    }

    /// Waits until no other process of ours writes to this repo.
    pub(super) fn lock(&self) -> PortResult<RepoLock> {
        let path = self.dir.join(".lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(|error| failed("opening the lock", &path, &error))?;
        let mut waited = Duration::ZERO;
        let step = Duration::from_millis(5);
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    // What a writer left that was ended. Where it cannot go it is in nobody's way.
                    for folder in [self.dir.clone(), self.folder(Room::Issues), self.folder(Room::Pulls)] {
                        forget(&folder.join(UNFINISHED)).ok();
                    }
                    return Ok(RepoLock { file, path });
                }
                Err(Errno::WOULDBLOCK | Errno::INTR) if waited < LOCK_WAIT => {
                    std::thread::sleep(step);
                    waited += step;
                }
                Err(Errno::WOULDBLOCK | Errno::INTR) => {
                    return Err(PortError::later(format!(
                        "another process has held {} for {} seconds; it is tried again by the next tick",
                        path.display(),
                        LOCK_WAIT.as_secs()
                    )));
                }
                Err(error) => return Err(failed("locking", &path, &error.into())),
            }
        }
    }

    /// The next number: larger than every file's in both folders, and than every one given out before, so that a
    /// deleted issue's number does not come back with another meaning.
    pub(super) fn next_number(&self, lock: &mut RepoLock) -> PortResult<u64> {
        let mut largest = lock.largest_number();
        for file in self.names(Room::Issues)?.into_iter().chain(self.names(Room::Pulls)?) {
            let name = file.file_name().to_string_lossy().into_owned();
            let stem = name.strip_suffix(".comments").or_else(|| name.strip_suffix(".reviews"));
            let as_file = stem.map_or(name.clone(), |stem| format!("{stem}.md"));
            if let Named::Number(number) = named(&as_file) {
                largest = largest.max(number);
            }
        }
        let next = largest + 1;
        lock.remember(next)?;
        Ok(next)
    }
}

#[cfg(test)]
thread_local! {
    /// How far the clock that files are compared with is ahead, in seconds.
    pub(super) static AHEAD: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

/// Whether the newest time (seconds) is long enough ago. A time in the future is not.
#[expect(clippy::disallowed_methods, reason = "compared with times that the kernel's clock gave the files")]
fn settled(newest: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    #[cfg(test)]
    let now = now + AHEAD.get();
    now.saturating_sub(newest) > i64::try_from(SETTLED.as_secs()).unwrap_or(i64::MAX)
}

fn fingerprint(salt: &str, mut files: Vec<(String, Metadata)>) -> String {
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let mut hash = Sha256::new();
    // The number stands for what is read out of the files: raised with it, so that a stored set is read afresh.
    hash.update("1\0");
    hash.update(salt);
    for (name, meta) in files {
        hash.update([0]);
        hash.update(name);
        hash.update([0]);
        for number in [meta.ino(), meta.size(), u64::from(meta.mode())] {
            hash.update(number.to_le_bytes());
        }
        for number in [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()] {
            hash.update(number.to_le_bytes());
        }
    }
    crate::adapters::runner::output::lower_hex(&hash.finalize())
}

/// Held by the one process of ours that writes to a repo. Its file remembers the largest number given out.
pub(super) struct RepoLock {
    file: File,
    path: PathBuf,
}

impl RepoLock {
    fn largest_number(&mut self) -> u64 {
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

    fn remember(&mut self, number: u64) -> PortResult<()> {
        let mut write = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            writeln!(self.file, "{number}")
        };
        write().map_err(|error| failed("writing", &self.path, &error))
    }
}

/// The ids of comments or reviews in a folder, in their order.
pub(super) fn ids(folder: &Path) -> PortResult<Vec<String>> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("listing", folder, &error)),
    };
    let mut ids = Vec::new();
    for file in listed {
        let name = file.map_err(|error| failed("listing", folder, &error))?.file_name();
        let Some(id) = name.to_str().and_then(|n| n.strip_suffix(".md")) else { continue };
        if !id.is_empty() && !id.starts_with('.') {
            ids.push(id.to_owned());
        }
    }
    ids.sort_by(|a, b| {
        let key = |id: &str| leading_number(id).unwrap_or(u64::MAX);
        (key(a), a).cmp(&(key(b), b))
    });
    Ok(ids)
}

pub(super) fn leading_number(id: &str) -> Option<u64> {
    id.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The next number in a folder of reviews: larger than every one there and than every one given out before, so that a
/// deleted review's name does not come back with another meaning.
pub(super) fn next_review(folder: &Path, ids: &[String], lock: &RepoLock) -> PortResult<u64> {
    let memory = folder.join(".last");
    let remembered = match fs::read(&memory) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim().parse::<u64>().ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed("reading", &memory, &error)),
    };
    let there = ids.iter().filter_map(|id| leading_number(id)).max();
    let next = there.max(remembered).unwrap_or(0).saturating_add(1);
    let error = |error: io::Error| failed("writing", &memory, &error);
    let (unfinished, _file) =
        write_unfinished(&lock.unfinished(&memory), format!("{next}\n").as_bytes()).map_err(error)?;
    boundary::pass("local forge: before rename");
    fs::rename(&unfinished, &memory).map_err(error)?;
    boundary::pass("local forge: after rename");
    Ok(next)
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

fn forget(path: &Path) -> io::Result<()> {
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
