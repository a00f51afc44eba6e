//! Where things lie: private repositories, scratch folders, and paths that must stay below the workspace root.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::names;
use crate::boundary;
use crate::domain::model::{Oid, RepoId};
use crate::ports::{PortError, PortResult};

const PRIVATE_CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";

/// A ref, HEAD or alternates file is a line.
pub(super) const SMALL_BYTES: u64 = 16 * 1024;

/// Left by a killed process; nothing of ours lives this long.
const STALE_SCRATCH: Duration = Duration::from_secs(24 * 3600);

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A name that no other process or thread uses at the moment.
pub(super) fn unique() -> String {
    format!("{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed))
}

/// A sentence for a file operation that failed. Full disks and the like pass: later.
pub(super) fn io_later(doing: &str, path: &Path, error: &io::Error) -> PortError {
    PortError::later(format!(
        "{doing} {}: {error}. Check the disk and the folder's owner; the next tick tries again.",
        path.display()
    ))
}

/// Creates a folder and its parents, readable by nobody else.
pub(super) fn create_private(dir: &Path) -> PortResult<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| io_later("creating the folder", dir, &error))
}

/// Writes the files of an empty repository at `git_dir`; cheaper than `git init`, and without its templates.
pub(super) fn write_repository(git_dir: &Path, head: &str, config: &str) -> PortResult<()> {
    for sub in ["objects/info", "objects/pack", "refs/heads"] {
        create_private(&git_dir.join(sub))?;
    }
    write(&git_dir.join("HEAD"), head)?;
    write(&git_dir.join("config"), config)
}

pub(super) fn write(path: &Path, text: &str) -> PortResult<()> {
    fs::write(path, text).map_err(|error| io_later("writing", path, &error))
}

/// A name of our own beside `path`, for what is renamed to it once it is whole.
pub(super) fn beside(path: &Path) -> PortResult<PathBuf> {
    clear_beside(path)?;
    Ok(path.with_file_name(format!("{}-{}", half(path), unique())))
}

fn half(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    format!(".{name}-new")
}

/// Removes what was left half beside `path`, with what a killed git left beside that.
pub(super) fn clear_beside(path: &Path) -> PortResult<()> {
    let start = half(path);
    for entry in path.parent().and_then(|dir| fs::read_dir(dir).ok()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&start) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a file, or a folder with everything in it. Already gone is success.
fn remove(path: &Path) -> PortResult<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => remove_tree(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_later("removing", path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Renames a finished folder or file to its name.
pub(super) fn put(from: &Path, to: &Path) -> PortResult<()> {
    boundary::pass("rename");
    let renamed = fs::rename(from, to).map_err(|error| io_later("putting in place", to, &error));
    boundary::pass("rename");
    renamed
}

/// The private bare repository of `repo`, if it was made. Resolved, because workspaces keep it as the place that they
/// borrow from.
pub(super) fn existing(root: &Path, repo: &RepoId) -> PortResult<Option<PathBuf>> {
    let [forge, owner, name] = names::folders(repo)?;
    let path = root.join(forge).join(owner).join(name);
    if !path.join("HEAD").is_file() {
        return Ok(None);
    }
    path.canonicalize().map(Some).map_err(|error| io_later("reading", &path, &error))
}

/// The private bare repository of `repo`, made if it is not there.
pub(super) fn private(root: &Path, repo: &RepoId) -> PortResult<PathBuf> {
    if let Some(path) = existing(root, repo)? {
        return Ok(path);
    }
    let [forge, owner, name] = names::folders(repo)?;
    let parent = root.join(forge).join(owner);
    let path = parent.join(&name);
    create_private(&parent)?;
    let new = parent.join(format!(".new-{}", unique()));
    write_repository(&new, "ref: refs/heads/offhours-has-no-branches\n", PRIVATE_CONFIG)?;
    let placed = put(&new, &path);
    if placed.is_err() {
        drop(fs::remove_dir_all(&new));
    }
    // Another process may have been first; its repository is as good.
    if !path.join("HEAD").is_file() {
        placed?;
    }
    path.canonicalize().map_err(|error| io_later("reading", &path, &error))
}

/// A folder of ours that goes away with the value.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(root: &Path) -> PortResult<Self> {
        let parent = root.join(".scratch");
        create_private(&parent)?;
        sweep(&parent);
        let dir = parent.join(unique());
        if dir.exists() {
            // A process with our number died and left it.
            fs::remove_dir_all(&dir).map_err(|error| io_later("removing", &dir, &error))?;
        }
        create_private(&dir)?;
        Ok(Self(dir))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|m| m.modified()).map(|at| at.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > STALE_SCRATCH) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// `path` with symlinks resolved, if that lies below `root`. What does not exist yet may be missing at the end.
pub(super) fn inside(root: &Path, path: &Path) -> PortResult<PathBuf> {
    let refused = |why: &str| {
        PortError::refused(format!(
            "using the folder {}: {why}. Folders of runs have to lie below workspace.root, {}.",
            path.display(),
            root.display()
        ))
    };
    if !path.is_absolute() || path.components().any(|c| matches!(c, Component::ParentDir)) {
        return Err(refused("the path is relative or goes upwards"));
    }
    let root_real = root.canonicalize().map_err(|error| io_later("reading workspace.root", root, &error))?;
    let mut existing = path;
    let mut missing = Vec::new();
    while fs::symlink_metadata(existing).is_err() {
        let (Some(parent), Some(name)) = (existing.parent(), existing.file_name()) else {
            return Err(refused("it has no parent that exists"));
        };
        missing.push(name);
        existing = parent;
    }
    let mut real =
        existing.canonicalize().map_err(|error| refused(&format!("it cannot be resolved ({error})")))?;
    real.extend(missing.iter().rev());
    if real == root_real || !real.starts_with(&root_real) {
        return Err(refused(&format!("it leads to {}", real.display())));
    }
    Ok(real)
}

/// Opens a regular file without following a symlink at its end and without waiting for a pipe's other side.
pub(super) fn open_plain(path: &Path) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// A small regular file's bytes; larger than `limit` is an error.
pub(super) fn read_plain(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_plain(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(io::Error::other("it is too large")) } else { Ok(bytes) }
}

/// The line of a small file, such as `HEAD`.
pub(super) fn read_line(path: &Path) -> Option<String> {
    let text = String::from_utf8(read_plain(path, SMALL_BYTES).ok()?).ok()?;
    Some(text.trim_end_matches('\n').to_owned())
}

/// What a ref names that has a file of its own. Those that git packed have none.
pub(super) fn loose_ref(git_dir: &Path, name: &str) -> Option<Oid> {
    Oid::parse(&read_line(&git_dir.join(name))?)
}

/// Creates a file that does not exist yet (a symlink in its place is removed, not followed) and fills it.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> PortResult<()> {
    if fs::symlink_metadata(path).is_ok() {
        fs::remove_file(path).map_err(|error| io_later("removing", path, &error))?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| io_later("writing", path, &error))
}

/// Removes a folder with everything in it, folders without write permission included. Symlinks are removed, not
/// followed. Already gone is success.
pub(super) fn remove_tree(dir: &Path) -> io::Result<()> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    match gone(fs::remove_dir_all(dir)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(dir);
            gone(fs::remove_dir_all(dir))
        }
        other => other,
    }
}

/// Gives us read, write and search on every folder below `dir`. Goes as far as it can: the removal after it tells.
fn open_up(dir: &Path) {
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        if fs::symlink_metadata(&dir).is_ok_and(|m| m.is_dir()) {
            drop(fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)));
            let Ok(entries) = fs::read_dir(&dir) else { continue };
            left.extend(
                entries.flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir())).map(|e| e.path()),
            );
        }
    }
}
