//! A repo's folders in the local forge: which file has which number, and who may write now.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::files::{self, RepoLock, UNFINISHED, failed, settled};
use crate::boundary;
use crate::domain::model::RepoId;
use crate::ports::{BrokenIssue, PortError, PortResult};

/// How long one write waits for another process of ours. Writes take milliseconds, merges a few seconds.
const LOCK_WAIT: Duration = Duration::from_secs(30);

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
                        files::forget(&folder.join(UNFINISHED)).ok();
                    }
                    return Ok(RepoLock::of(file, path));
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
    files::put(&memory, format!("{next}\n").as_bytes(), lock)?;
    Ok(next)
}
