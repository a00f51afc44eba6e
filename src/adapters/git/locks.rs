//! The lock files of a git that was ended before it could take them away. Git waits for nobody: whoever comes next fails
//! on them, for ever.
//!
//! A list is made first, and then it is asked who lives: whoever made a lock on the list and is not alive any more never
//! comes back to it. Two that do this at once would be in each other's way, so it is done under a lock on the folder.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;

use crate::adapters::{host, process};
use crate::boundary;
use crate::domain::lock::{Fate, Seen, fate};
use crate::domain::model::UnixTime;
use crate::ports::LockFile;
use crate::text;

/// Every lock below a repository's folder, or below some of its folders.
pub fn standing(folder: &Path) -> Vec<LockFile> {
    let mut found = vec![];
    let mut left = vec![folder.to_owned()];
    while let Some(dir) = left.pop() {
        // What is gone meanwhile, and what nobody may read, holds none that could be taken away.
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let (name, Ok(kind)) = (entry.file_name(), entry.file_type()) else { continue };
            // A symlink may lead anywhere, and is no lock.
            if kind.is_dir() && !holds_objects(&dir, &name) {
                left.push(entry.path());
            } else if kind.is_file() && is_lock(&name) {
                let Ok(meta) = entry.metadata() else { continue };
                found.push(LockFile { path: entry.path(), made: UnixTime(meta.mtime()) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Many files and never a lock.
fn holds_objects(dir: &Path, name: &OsStr) -> bool {
    dir.ends_with("objects") && name.len() == 2
}

fn is_lock(name: &OsStr) -> bool {
    // Made under `packed-refs.lock`, and as much in the way.
    Path::new(name).extension().is_some_and(|e| e == "lock") || name == "packed-refs.new"
}

/// The lock that git says is in its way, if it lies in one of the places that the command named: a server may say
/// whatever it likes.
pub(super) fn in_the_way<'a>(said: &[u8], places: impl IntoIterator<Item = &'a OsStr>) -> Option<PathBuf> {
    let said = String::from_utf8_lossy(said);
    let quoted = said.split_once("nable to create '").and_then(|(_, rest)| rest.split_once("': File exists"));
    let bare =
        || said.split_once("nable to create file ").and_then(|(_, rest)| rest.split_once(": File exists"));
    let path = PathBuf::from(quoted.or_else(bare)?.0.replace("/./", "/"));
    let ours = |place: &OsStr| {
        place.as_bytes().starts_with(b"/") && path.as_os_str().as_bytes().starts_with(place.as_bytes())
    };
    let stands = is_lock(path.file_name()?) && fs::symlink_metadata(&path).is_ok_and(|m| m.is_file());
    let upwards = path.components().any(|part| part == Component::ParentDir);
    (stands && !upwards && places.into_iter().any(ours)).then_some(path)
}

/// What people are told of it.
pub(super) fn told(path: &Path) -> String {
    text::lock::stands(path, fs::symlink_metadata(path).map_or(0, |meta| age(&meta)))
}

/// How old a file is, in seconds.
fn age(meta: &Metadata) -> i64 {
    let age = meta.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
    i64::try_from(age.as_secs()).unwrap_or(i64::MAX)
}

/// A folder of which all or some is written by offhours only.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The repository, or the folder that git was told to write to: whoever is at work there names it.
    pub folder: &'a Path,
    /// Where in it only offhours writes; empty: everywhere.
    pub below: &'a [&'a str],
    /// Whether other machines may write there.
    pub shared: bool,
}

/// Takes away what no living git stands behind. What is left may be somebody's.
pub fn free(place: Place<'_>) -> Vec<LockFile> {
    let list = || match place.below {
        [] => standing(place.folder),
        below => below.iter().flat_map(|part| standing(&place.folder.join(part))).collect(),
    };
    let found = list();
    let Some(_one_at_a_time) = (!found.is_empty()).then(|| alone(place.folder)).flatten() else {
        return found;
    };
    let locks = list().into_iter();
    let mut locks: Vec<(PathBuf, Metadata)> =
        locks.filter_map(|lock| Some((lock.path.clone(), fs::symlink_metadata(lock.path).ok()?))).collect();
    let mut waited = 0;
    while !locks.is_empty() {
        let git_lives = process::readable().then(|| !process::gits_at(place.folder).is_empty());
        let mut wait = 0;
        locks.retain(|(path, meta)| {
            let own = meta.uid() == rustix::process::geteuid().as_raw();
            let age_seconds = age(meta).saturating_add(waited);
            match fate(Seen { own, git_lives, shared: place.shared, age_seconds }) {
                Fate::TakeAway => take_away(path, meta),
                Fate::Wait(seconds) => {
                    wait = wait.max(seconds);
                    return true;
                }
                Fate::Leave => {}
            }
            false
        });
        if wait > 0 {
            host::pause(Duration::from_secs(u64::try_from(wait).unwrap_or_default()));
        }
        waited += wait;
    }
    list()
}

/// Held by one of ours at a time; none where another has it, or the folder is not there.
fn alone(folder: &Path) -> Option<File> {
    let dir = File::open(folder).ok()?;
    rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(dir)
}

fn take_away(path: &Path, seen: &Metadata) {
    let same = |now: Metadata| {
        (now.ino(), now.mtime(), now.mtime_nsec()) == (seen.ino(), seen.mtime(), seen.mtime_nsec())
    };
    if fs::symlink_metadata(path).is_ok_and(same) {
        boundary::pass("unlock");
        // Where it cannot go whoever needs it fails, and says so.
        fs::remove_file(path).ok();
        boundary::pass("unlock");
    }
}
