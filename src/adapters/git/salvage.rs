//! Keeping work before a workspace goes: commits as a bundle, loose files as an archive, and a text that says how to
//! use both. Written beside and renamed, so that a repeat finds either the old or the new, and never half of one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::child::Call;
use super::workspace::Loose;
use super::{GitRooms, names, places};
use crate::domain::model::{Oid, RepoId};
use crate::ports::{PortError, PortResult, RunFolder, Salvaged};

/// More than this is not an agent's work but something that it downloaded or built.
const ARCHIVE_BYTES: u64 = 200 * 1024 * 1024;
const ARCHIVE_FILES: usize = 20_000;

/// A list for people ends here.
const LISTED: usize = 200;

impl GitRooms {
    pub(super) fn keep_work(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        run: &str,
        base: &Oid,
        to: &Path,
    ) -> PortResult<Salvaged> {
        let doing = format!("keeping the work of run {run}");
        places::create_private(to)?;
        let to = to.canonicalize().map_err(|error| places::io_later("reading", to, &error))?;
        for name in ["work.bundle", "files.tar", "README.txt"] {
            places::clear_beside(&to.join(name))?;
        }
        let mut kept = Salvaged::default();
        let mut deleted = Vec::new();
        let space =
            self.inspect(repo, folder).and_then(|space| self.fetch_work(repo, &space, run).map(|()| space));
        match space {
            Ok(space) => {
                kept.head = Some(space.head.clone());
                self.keep_commits(repo, run, base, &space.head, &to, &mut kept)?;
                let loose = self.loose(repo, &space.work, &space.head)?;
                deleted.clone_from(&loose.deleted);
                archive(&space.work, paths_of(&space.work, &loose, &mut kept.notes), &to, &mut kept)?;
            }
            Err(PortError::Gone { what }) => {
                kept.notes.push(what);
                self.keep_fetched(repo, run, base, &to, &mut kept, &doing)?;
                let before = to.join("files.tar");
                kept.archive = before.is_file().then_some(before);
            }
            Err(PortError::Refused { what }) => {
                kept.notes.push(what);
                kept.notes.push("The archive holds all files of the workspace except `.git`.".to_owned());
                self.keep_fetched(repo, run, base, &to, &mut kept, &doing)?;
                self.archive_everything(folder, &to, &mut kept)?;
            }
            Err(other) => return Err(other),
        }
        if kept.notes.len() > LISTED {
            kept.notes.truncate(LISTED);
            kept.notes.push("There are more notes of this kind.".to_owned());
        }
        let text = readme(run, base, &kept, &deleted);
        write_by_rename(&to.join("README.txt"), |file| io::Write::write_all(file, text.as_bytes()))?;
        Ok(kept)
    }

    /// The bundle of what `refs/offhours/work/<run>` has beyond `base`.
    fn keep_commits(
        &self,
        repo: &RepoId,
        run: &str,
        base: &Oid,
        head: &Oid,
        to: &Path,
        kept: &mut Salvaged,
    ) -> PortResult<()> {
        let doing = format!("bundling the commits of run {run}");
        let (behind, new_commits) = self.distance(repo, base, head, &doing)?;
        if behind > 0 {
            kept.notes.push(format!("The agent rewrote history below the base {}.", base.short()));
        }
        if new_commits == 0 {
            return Ok(());
        }
        let bundle = to.join("work.bundle");
        let new = places::beside(&bundle)?;
        let call = Call::new("git.bundle", self.private(repo)?)
            .args(["create", "--quiet"])
            .arg(&new)
            .arg(format!("refs/offhours/work/{}", names::run(run)?))
            .arg(format!("^{base}"));
        self.children.run(&call)?.local(&doing)?;
        places::put(&new, &bundle)?;
        kept.bundle = Some(bundle);
        Ok(())
    }

    /// Commits that an earlier look at the workspace brought here; the workspace itself can no longer be read.
    fn keep_fetched(
        &self,
        repo: &RepoId,
        run: &str,
        base: &Oid,
        to: &Path,
        kept: &mut Salvaged,
        doing: &str,
    ) -> PortResult<()> {
        let call = Call::new("git.rev-parse", self.private(repo)?)
            .args(["--verify", "--quiet"])
            .arg(format!("refs/offhours/work/{}", names::run(run)?));
        let answer = self.children.run(&call)?;
        if !answer.good() {
            return Ok(());
        }
        let head = names::oid(&answer.text(), doing)?;
        kept.notes.push(format!("Commits up to {} are what was last seen of the workspace.", head.short()));
        self.keep_commits(repo, run, base, &head, to, kept)?;
        kept.head = Some(head);
        Ok(())
    }

    fn archive_everything(&self, folder: &RunFolder, to: &Path, kept: &mut Salvaged) -> PortResult<()> {
        let Ok(work) = self.folder(&folder.dir).map(|dir| dir.join("work")) else {
            kept.notes
                .push("The run's folder leads out of the workspace root; nothing was read there.".to_owned());
            return Ok(());
        };
        if !fs::symlink_metadata(&work).is_ok_and(|m| m.is_dir()) {
            kept.notes.push("The workspace is no folder; there are no files to keep.".to_owned());
            return Ok(());
        }
        let mut paths = Vec::new();
        walk(&work, Path::new(""), &mut paths, &mut kept.notes);
        archive(&work, paths, to, kept)
    }
}

/// Loose files one by one: a nested repository's folder is walked, without its `.git`.
fn paths_of(work: &Path, loose: &Loose, notes: &mut Vec<String>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for path in loose.changed.iter().chain(&loose.untracked) {
        if fs::symlink_metadata(work.join(path)).is_ok_and(|m| m.is_dir()) {
            notes.push(format!(
                "{} is a repository of its own: its files are in the archive, its history is not.",
                path.display()
            ));
            walk(work, path, &mut paths, notes);
        } else {
            paths.push(path.clone());
        }
    }
    paths
}

/// Every file below `work/start`, symlinks as themselves, nothing named `.git`, in a stable order.
fn walk(work: &Path, start: &Path, paths: &mut Vec<PathBuf>, notes: &mut Vec<String>) {
    let mut left = vec![start.to_owned()];
    while let Some(dir) = left.pop() {
        let entries = match fs::read_dir(work.join(&dir)) {
            Ok(entries) => entries,
            Err(error) => {
                notes.push(format!("{} could not be read: {error}.", dir.display()));
                continue;
            }
        };
        let mut entries: Vec<_> = entries.flatten().filter(|e| e.file_name() != ".git").collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = dir.join(entry.file_name());
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                left.push(path);
            } else if paths.len() <= ARCHIVE_FILES {
                paths.push(path);
            }
        }
    }
}

/// Writes `files.tar` with these paths. What has to be left out is noted.
fn archive(work: &Path, mut paths: Vec<PathBuf>, to: &Path, kept: &mut Salvaged) -> PortResult<()> {
    if paths.is_empty() {
        return Ok(());
    }
    if paths.len() > ARCHIVE_FILES {
        paths.truncate(ARCHIVE_FILES);
        kept.is_cut = true;
        kept.notes.push(format!("There are more than {ARCHIVE_FILES} loose files; the archive ends there."));
    }
    let path = to.join("files.tar");
    write_by_rename(&path, |file| {
        let mut tar = tar::Builder::new(file);
        let mut left = ARCHIVE_BYTES;
        for path in &paths {
            if let Err(error) = append(&mut tar, work, path, &mut left, kept) {
                // A full disk shows when the archive is finished; a file that cannot be read is only noted.
                if error.kind() == io::ErrorKind::StorageFull {
                    return Err(error);
                }
                kept.notes.push(format!("{} was not kept: {error}.", path.display()));
            }
        }
        tar.finish()
    })?;
    kept.archive = Some(path);
    Ok(())
}

fn append(
    tar: &mut tar::Builder<&mut File>,
    work: &Path,
    path: &Path,
    left: &mut u64,
    kept: &mut Salvaged,
) -> io::Result<()> {
    let full = work.join(path);
    // No folder on the way may be a symlink: what lies behind it is not the workspace's.
    let parent = full.parent().unwrap_or(work);
    if parent.canonicalize()? != parent {
        return Err(io::Error::other("its folder leads elsewhere"));
    }
    let meta = fs::symlink_metadata(&full)?;
    let mut header = tar::Header::new_gnu();
    header.set_mtime(u64::try_from(meta.mtime()).unwrap_or(0));
    if meta.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        return tar.append_link(&mut header, path, fs::read_link(&full)?);
    }
    if !meta.is_file() {
        return Err(io::Error::other("it is a special file"));
    }
    let file = places::open_plain(&full)?;
    let size = file.metadata()?.len();
    if size > *left {
        kept.is_cut = true;
        kept.notes.push(format!(
            "{} was not kept: the archive would hold more than {} MB.",
            path.display(),
            ARCHIVE_BYTES / 1024 / 1024
        ));
        return Ok(());
    }
    *left -= size;
    header.set_mode(meta.permissions().mode() & 0o777);
    header.set_size(size);
    tar.append_data(&mut header, path, Exactly { inner: file, left: size })
}

/// As many bytes as were announced: a file that shrinks is filled up, one that grows is cut.
struct Exactly {
    inner: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if room == 0 {
            return Ok(0);
        }
        let mut count = self.inner.read(&mut buffer[..room]).unwrap_or(0);
        if count == 0 {
            buffer[..room].fill(0);
            count = room;
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Writes a file beside its place and renames it there.
fn write_by_rename(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> PortResult<()> {
    let new = places::beside(path)?;
    let written = File::create(&new).and_then(|mut file| {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        fill(&mut file)?;
        file.sync_all()
    });
    written.map_err(|error| places::io_later("writing", &new, &error))?;
    places::put(&new, path)
}

fn readme(run: &str, base: &Oid, kept: &Salvaged, deleted: &[PathBuf]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("Work of the offhours run {run}, kept before its workspace was removed.\n\n");
    // Writing to a string does not fail.
    let mut line = |args: std::fmt::Arguments<'_>| text.write_fmt(args).unwrap_or_default();
    if kept.bundle.is_some() {
        line(format_args!(
            "work.bundle: the run's commits. It builds on commit {base}. In a clone of the repository:\n\n    \
             git fetch /path/to/work.bundle refs/offhours/work/{run}:salvaged\n    git switch salvaged\n\n"
        ));
    } else {
        line(format_args!("There is no work.bundle: no commits beyond {base} were found.\n\n"));
    }
    if kept.archive.is_some() {
        line(format_args!(
            "files.tar: files that were changed or new and not committed. Look first, then unpack over a checkout:\n\n    \
             tar -tvf /path/to/files.tar\n    tar -xf /path/to/files.tar\n\nSymlinks in it are as the agent made \
             them.\n\n"
        ));
    } else {
        line(format_args!(
            "There is no files.tar: everything was committed, or there was nothing to keep.\n\n"
        ));
    }
    if !deleted.is_empty() {
        line(format_args!("Deleted in the workspace, and not committed:\n"));
        for path in deleted.iter().take(LISTED) {
            line(format_args!("    {}\n", names::cleaned(path.as_os_str().as_encoded_bytes())));
        }
        if deleted.len() > LISTED {
            line(format_args!("    and {} more\n", deleted.len() - LISTED));
        }
        line(format_args!("\n"));
    }
    for note in &kept.notes {
        line(format_args!("Note: {note}\n"));
    }
    text
}
