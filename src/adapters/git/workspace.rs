//! Workspaces: made, looked at as something hostile, and checked out clean.
//!
//! An agent may have done anything to its clone. So no git process ever reads the clone's configuration: HEAD is read
//! as a file, objects are borrowed by a shadow repository that we write ourselves, and the files are compared with an
//! index of ours under the private repository's configuration.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::child::Call;
use super::places::{self, Scratch};
use super::{GitRooms, locks, names};
use crate::domain::model::{Oid, RepoId};
use crate::ports::{PortError, PortResult, RunFolder, Work};

/// Packed refs are a list.
const PACKED_BYTES: u64 = 16 * 1024 * 1024;

/// The agent's identity, so that its commits work with an empty home; no maintenance behind our back.
const CLONE_CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\
    \tlogallrefupdates = true\n[user]\n\tname = offhours-agent\n\temail = offhours-agent@localhost\n\
    [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

/// The shadow trusts no shortcut file of the clone, only objects.
const SHADOW_CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tcommitGraph = false\n\
    \tmultiPackIndex = false\n[uploadpack]\n\tallowFilter = false\n";

/// A workspace that was looked at and found to be the clone we made.
pub(super) struct Workspace {
    /// Symlinks resolved.
    pub(super) work: PathBuf,
    /// What HEAD names: a branch, or nothing where it is detached.
    pub(super) branch: Option<String>,
    pub(super) head: Oid,
}

impl Workspace {
    pub(super) fn git_dir(&self) -> PathBuf {
        self.work.join(".git")
    }
}

/// Files of a workspace that no commit holds, as paths below it.
#[derive(Debug, Default)]
pub(super) struct Loose {
    /// Tracked, changed, still there.
    pub(super) changed: Vec<PathBuf>,
    /// Tracked, no longer there.
    pub(super) deleted: Vec<PathBuf>,
    /// Not tracked and not ignored; a nested repository is one entry, its folder.
    pub(super) untracked: Vec<PathBuf>,
}

impl Loose {
    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.deleted.is_empty() && self.untracked.is_empty()
    }
}

impl GitRooms {
    pub(super) fn prepare_workspace(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        base: &Oid,
        branch: &str,
    ) -> PortResult<()> {
        let doing = format!("preparing the workspace {}", folder.work().display());
        let branch = names::branch(branch)?;
        let private = self.private(repo)?;
        let dir = self.folder(&folder.dir)?;
        let work = dir.join("work");
        match fs::symlink_metadata(&work) {
            Ok(meta) if !meta.is_dir() => {
                return Err(PortError::refused(format!(
                    "{doing}: something that is no folder stands there. Remove it."
                )));
            }
            Ok(_) if fs::symlink_metadata(work.join(".git")).is_ok() => return Ok(()),
            // Only an empty folder can be renamed over; anything else is not ours to overwrite.
            Ok(_) if fs::read_dir(&work).is_ok_and(|mut entries| entries.next().is_some()) => {
                return Err(PortError::refused(format!(
                    "{doing}: a folder with files but without `.git` stands there. Keep what is needed, then remove it."
                )));
            }
            Ok(_) | Err(_) => {}
        }
        places::create_private(&dir)?;
        let new = places::beside(&work)?;
        self.clone_at(&private, &new, base, &format!("ref: refs/heads/{branch}\n"), &doing)?;
        let reference = new.join(".git/refs/heads").join(branch);
        if let Some(parent) = reference.parent() {
            places::create_private(parent)?;
        }
        places::write(&reference, &format!("{base}\n"))?;
        places::put(&new, &work)
    }

    pub(super) fn fresh_checkout(&self, repo: &RepoId, oid: &Oid, dir: &Path) -> PortResult<()> {
        let doing = format!("checking out {} of {repo} at {}", oid.short(), dir.display());
        let private = self.private(repo)?;
        let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
            return Err(PortError::refused(format!(
                "{doing}: this is no folder that can be made. Name another one."
            )));
        };
        places::create_private(parent)?;
        let parent = parent.canonicalize().map_err(|error| places::io_later("reading", parent, &error))?;
        let dir = parent.join(name);
        if fs::symlink_metadata(&dir).is_ok() {
            let ours = read_alternates(&dir.join(".git")).is_some_and(|bytes| bytes == alternates(&private));
            let below = places::create_private(&self.workspace_root)
                .and_then(|()| places::inside(&self.workspace_root, &dir));
            let link = fs::symlink_metadata(&dir).is_ok_and(|m| !m.is_dir());
            if link || (!ours && below.is_err()) {
                return Err(PortError::refused(format!(
                    "{doing}: what stands there was not made by offhours. Remove it by hand."
                )));
            }
            places::remove_tree(&dir).map_err(|error| places::io_later("removing", &dir, &error))?;
        }
        let new = places::beside(&dir)?;
        self.clone_at(&private, &new, oid, &format!("{oid}\n"), &doing)?;
        places::put(&new, &dir)
    }

    /// A clone at `new` that borrows the private repository's objects, with the files of `oid` and no remote at all.
    fn clone_at(&self, private: &Path, new: &Path, oid: &Oid, head: &str, doing: &str) -> PortResult<()> {
        let git_dir = new.join(".git");
        places::write_repository(&git_dir, head, CLONE_CONFIG)?;
        borrow_from(&git_dir, private)?;
        let call = Call::new("git.read-tree", &git_dir)
            .work_tree(new)
            .args(["--reset", "-u", "--no-recurse-submodules"])
            .arg(oid.as_str());
        self.children.run(&call)?.local(doing)?;
        Ok(())
    }

    pub(super) fn read_work(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        run: &str,
        base: &Oid,
    ) -> PortResult<Work> {
        let doing = format!("reading the work of run {run}");
        let space = self.inspect(repo, folder)?;
        self.fetch_work(repo, &space, run)?;
        let head = space.head.clone();
        let (behind, new_commits) = self.distance(repo, base, &head, &doing)?;
        if behind > 0 {
            return Err(PortError::refused(format!(
                "{doing}: the agent rewrote history below the base {}. Look at the workspace, and put its commits on \
                 top of the base by hand.",
                base.short()
            )));
        }
        let changes_tree = !self.same_files(repo, &head, base, &doing)?;
        let uncommitted = !self.loose(repo, &space.work, &head)?.is_empty();
        Ok(Work { head, new_commits, changes_tree, uncommitted })
    }

    /// Whether two commits hold the same files.
    pub(super) fn same_files(&self, repo: &RepoId, one: &Oid, other: &Oid, doing: &str) -> PortResult<bool> {
        let call = Call::new("git.rev-parse", self.private(repo)?)
            .args([format!("{one}^{{tree}}"), format!("{other}^{{tree}}")])
            .lasting();
        let trees = self.children.run(&call)?.local(doing)?.text();
        let mut trees = trees.lines();
        Ok(trees.next() == trees.next())
    }

    /// Commits of `base` that `head` lacks, and the other way round.
    pub(super) fn distance(
        &self,
        repo: &RepoId,
        base: &Oid,
        head: &Oid,
        doing: &str,
    ) -> PortResult<(u32, u32)> {
        let call = Call::new("git.rev-list", self.private(repo)?)
            .args(["--count", "--left-right"])
            .arg(format!("{base}...{head}"))
            .lasting();
        let text = self.children.run(&call)?.local(doing)?.text();
        let counts = text.trim().split_once('\t').and_then(|(l, r)| Some((l.parse().ok()?, r.parse().ok()?)));
        counts.ok_or_else(|| {
            PortError::broken(format!(
                "{doing}: git counted commits as `{}`. The next tick tries again.",
                names::cleaned(text.as_bytes())
            ))
        })
    }

    /// Looks whether the workspace is still the clone that we made, and where its HEAD stands.
    pub(super) fn inspect(&self, repo: &RepoId, folder: &RunFolder) -> PortResult<Workspace> {
        let private = self.private(repo)?;
        let dir = self.folder(&folder.dir)?;
        let work = dir.join("work");
        let tampered = |what: &str| {
            PortError::refused(format!(
                "reading the workspace {}: {what}, so it is no longer the clone that offhours made. Nothing was taken \
                 from it; look at it by hand.",
                work.display()
            ))
        };
        match fs::symlink_metadata(&work) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Err(tampered("it is not a folder")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(PortError::gone(format!(
                    "reading the workspace {}: it is gone. Its unpushed work is lost unless a salvage has it.",
                    work.display()
                )));
            }
            Err(error) => return Err(places::io_later("reading", &work, &error)),
        }
        let git_dir = work.join(".git");
        // No slash at the end of a path: it would follow a symlink.
        for sub in [".git", ".git/objects", ".git/objects/info", ".git/refs"] {
            if !fs::symlink_metadata(work.join(sub)).is_ok_and(|m| m.is_dir()) {
                return Err(tampered(&format!("`{sub}` is not a folder of its own")));
            }
        }
        for foreign in ["commondir", "objects/info/http-alternates"] {
            if fs::symlink_metadata(git_dir.join(foreign)).is_ok() {
                return Err(tampered(&format!("it has a file `.git/{foreign}`")));
            }
        }
        let lender = self.lender(repo)?.unwrap_or(private);
        if read_alternates(&git_dir).as_deref() != Some(&alternates(&lender)) {
            return Err(tampered("`.git/objects/info/alternates` was changed"));
        }
        if let Some(link) = link_among_objects(&git_dir.join("objects")) {
            return Err(tampered(&format!(
                "`.git/objects` holds `{link}`, which is neither file nor folder"
            )));
        }
        if self.lent.is_none() {
            free_workspace(&work)?;
        }
        let (branch, head) = read_head(&git_dir).map_err(|what| tampered(&what))?;
        Ok(Workspace { work, branch, head })
    }

    /// Copies the commits of the workspace's HEAD to `refs/offhours/work/<run>` of the private repository.
    pub(super) fn fetch_work(&self, repo: &RepoId, space: &Workspace, run: &str) -> PortResult<()> {
        let doing = format!("taking the commits of run {run} from its workspace");
        let run = names::run(run)?;
        let private = self.private(repo)?;
        // Only a fetch writes that ref, and last of all: what it names is here and was looked through.
        if places::loose_ref(&private, &format!("refs/offhours/work/{run}")).as_ref() == Some(&space.head) {
            return Ok(());
        }
        let scratch = self.scratch()?;
        let shadow = scratch.path().join("shadow");
        places::write_repository(&shadow, "ref: refs/heads/work\n", SHADOW_CONFIG)?;
        places::write(&shadow.join("refs/heads/work"), &format!("{}\n", space.head))?;
        let borrowed = shadow.join("objects/info/alternates");
        let mut list = alternates(&space.git_dir());
        list.extend(alternates(&private));
        fs::write(&borrowed, list).map_err(|error| places::io_later("writing", &borrowed, &error))?;
        let call = Call::new("git.fetch", &private)
            .setting("fetch.fsckObjects=true")
            .args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet", "--"])
            .arg(&shadow)
            .arg(format!("+refs/heads/work:refs/offhours/work/{run}"));
        let answer = self.children.run(&call)?;
        if answer.good() {
            return Ok(());
        }
        let passing =
            ["No space left", "unable to write", "cannot lock ref", "Cannot allocate", "Too many open"];
        if passing.iter().any(|sign| answer.stderr.contains(sign)) {
            return Err(PortError::later(format!("{doing}: {}. The next tick tries again.", answer.said())));
        }
        Err(PortError::refused(format!(
            "{doing}: git would not take them: {}. Look at the workspace {} with `git fsck`.",
            answer.said(),
            space.work.display()
        )))
    }

    /// What no commit of `head` holds. The clone's own index, configuration and exclude file are not asked.
    pub(super) fn loose(&self, repo: &RepoId, work: &Path, head: &Oid) -> PortResult<Loose> {
        let doing = format!("looking for uncommitted work in {}", work.display());
        let scratch = self.scratch()?;
        let index = self.index_of(repo, &scratch, head, &doing)?;
        let mut loose = Loose::default();
        let call = self
            .in_work("git.diff", repo, work, &index)?
            .args(["--name-status", "-z", "--no-renames", "--ignore-submodules=all", "--no-ext-diff"])
            .arg("--no-textconv");
        let bytes = self.children.run(&call)?.local(&doing)?.stdout;
        let mut parts = bytes.split(|b| *b == 0);
        while let (Some(status), Some(path)) = (parts.next(), parts.next()) {
            let list = if status == b"D" { &mut loose.deleted } else { &mut loose.changed };
            list.push(path_of(path));
        }
        let call =
            self.in_work("git.ls-files", repo, work, &index)?.args(["-z", "--others", "--exclude-standard"]);
        let bytes = self.children.run(&call)?.local(&doing)?.stdout;
        loose.untracked.extend(bytes.split(|b| *b == 0).filter(|p| !p.is_empty()).map(path_of));
        Ok(loose)
    }

    /// An index of ours with the tree of `oid`.
    pub(super) fn index_of(
        &self,
        repo: &RepoId,
        scratch: &Scratch,
        oid: &Oid,
        doing: &str,
    ) -> PortResult<PathBuf> {
        let index = scratch.path().join(format!("index-{oid}"));
        let call =
            Call::new("git.read-tree", self.private(repo)?).env("GIT_INDEX_FILE", &index).arg(oid.as_str());
        self.children.run(&call)?.local(doing)?;
        Ok(index)
    }

    /// A command on the workspace's files with the private repository and an index of ours.
    pub(super) fn in_work(
        &self,
        name: &'static str,
        repo: &RepoId,
        work: &Path,
        index: &Path,
    ) -> PortResult<Call> {
        Ok(Call::new(name, self.private(repo)?).work_tree(work).env("GIT_INDEX_FILE", index))
    }
}

/// Takes away the locks that a killed git left in a clone: with them nothing can be committed there. While a git is at
/// work what it does is half done.
pub(super) fn free_workspace(work: &Path) -> PortResult<()> {
    let git_dir = work.join(".git");
    if !fs::symlink_metadata(&git_dir).is_ok_and(|m| m.is_dir()) {
        return Ok(());
    }
    match locks::free(locks::Place { folder: work, below: &[".git"], shared: false }).first() {
        None => Ok(()),
        Some(lock) => Err(PortError::later(format!(
            "using the workspace {}: {}. The next tick tries again.",
            work.display(),
            locks::told(&lock.path)
        ))),
    }
}

/// Without the slash that git puts behind a nested repository.
fn path_of(bytes: &[u8]) -> PathBuf {
    Path::new(std::ffi::OsStr::from_bytes(bytes)).components().collect()
}

/// Lets the repository at `git_dir` read the objects of another one.
pub(super) fn borrow_from(git_dir: &Path, lender: &Path) -> PortResult<()> {
    let path = git_dir.join("objects/info/alternates");
    if read_alternates(git_dir).is_some_and(|there| there == alternates(lender)) {
        return Ok(());
    }
    fs::write(&path, alternates(lender)).map_err(|error| places::io_later("writing", &path, &error))
}

/// The content of an alternates file that borrows from the repository at `git_dir`.
fn alternates(git_dir: &Path) -> Vec<u8> {
    let mut line = git_dir.join("objects").as_os_str().as_bytes().to_vec();
    line.push(b'\n');
    line
}

fn read_alternates(git_dir: &Path) -> Option<Vec<u8>> {
    places::read_plain(&git_dir.join("objects/info/alternates"), places::SMALL_BYTES).ok()
}

/// The first thing below the object store that is neither a file nor a folder: it could lead elsewhere.
fn link_among_objects(objects: &Path) -> Option<String> {
    let mut left = vec![objects.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).ok()?.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() => {}
                Ok(_) | Err(_) => return Some(names::cleaned(entry.file_name().as_bytes())),
            }
        }
    }
    None
}

/// Where HEAD stands, read without git: `(branch, commit)`, or what is wrong with it.
fn read_head(git_dir: &Path) -> Result<(Option<String>, Oid), String> {
    let head = places::read_line(&git_dir.join("HEAD")).ok_or("`.git/HEAD` cannot be read")?;
    let Some(name) = head.strip_prefix("ref: ") else {
        let oid = Oid::parse(&head).ok_or("`.git/HEAD` names neither a branch nor a commit")?;
        return Ok((None, oid));
    };
    let branch = name.strip_prefix("refs/heads/").filter(|b| names::good_branch(b));
    let branch = branch.ok_or("`.git/HEAD` does not name a branch in a form that offhours reads")?;
    let mut folder = git_dir.join("refs");
    let (parents, _) = name.rsplit_once('/').ok_or("`.git/HEAD` names no branch")?;
    for part in parents.split('/').skip(1) {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(meta) if !meta.is_dir() => return Err(format!("the folder of `{name}` leads elsewhere")),
            Ok(_) | Err(_) => {}
        }
    }
    if fs::symlink_metadata(git_dir.join(name)).is_ok() {
        let oid = places::loose_ref(git_dir, name);
        return oid.map(|oid| (Some(branch.to_owned()), oid)).ok_or(format!("`{name}` holds no commit"));
    }
    let packed = places::read_plain(&git_dir.join("packed-refs"), PACKED_BYTES).unwrap_or_default();
    let found = String::from_utf8_lossy(&packed)
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, packed)| *packed == name)
        .and_then(|(oid, _)| Oid::parse(oid));
    found.map(|oid| (Some(branch.to_owned()), oid)).ok_or(format!("its branch `{name}` has no commit"))
}
