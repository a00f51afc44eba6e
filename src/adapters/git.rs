//! All git work: private bare repositories with the remotes, and the workspaces that agents work in.
//!
//! Two repositories a run, so that nothing an agent plants runs with our rights to push. The *private* one is where
//! fetches, merges and pushes happen. The *workspace* is a clone that shares its objects; git is never started on its
//! configuration. What is needed from there (where HEAD stands) is read as plain files, its objects are read through
//! a shadow repository with a configuration of ours, and its files through the private repository with an index of
//! ours.
//!
//! No object is ever dropped, because workspaces borrow from the private repository; many small files become one.

pub mod bare;
mod change;
mod child;
mod claim;
mod compact;
mod credentials;
mod land;
pub mod locks;
mod names;
mod patch;
mod places;
mod recipe;
mod rooms;
mod salvage;
#[cfg(test)]
mod tests;
mod undo;
mod workspace;

use std::path::{Path, PathBuf};

use crate::domain::model::{Change, Oid, RepoId};
use crate::ports::{
    ClaimAnswer, ClaimPlace, ClaimRequest, Claiming, Claims, History, LockFile, Merged, PortError,
    PortResult, Pushed, Remote, RunFolder, Salvaged, Work, Workspaces,
};
pub use credentials::{Credentials, GitCredentials};
pub use rooms::GitRooms;

use child::{Answer, Call};

impl GitRooms {
    /// Runs a command of the private repository that talks to the remote.
    fn run_remote(&self, repo: &RepoId, call: Call) -> PortResult<Answer> {
        let credentials = (self.credentials)(repo)?;
        self.children.run(&call.credentials(credentials.as_ref()))
    }

    /// The same for an address that need not be on the repo's forge, whose token is shown to nobody else.
    fn run_at(&self, repo: &RepoId, url: &str, call: Call) -> PortResult<Answer> {
        let own = (self.credentials)(repo)?.is_some_and(|known| url.starts_with(&known.origin));
        if own { self.run_remote(repo, call) } else { self.children.run(&call) }
    }

    /// What a ref of the private repository names.
    fn fetched(&self, private: &Path, name: &str, doing: &str) -> PortResult<Oid> {
        if let Some(oid) = places::loose_ref(private, name) {
            return Ok(oid);
        }
        let call = Call::new("git.rev-parse", private).args(["--verify", "--quiet"]).arg(name);
        names::oid(&self.children.run(&call)?.local(doing)?.text(), doing)
    }

    /// The repo's private repository, made if it is not there.
    fn private(&self, repo: &RepoId) -> PortResult<PathBuf> {
        if !self.children.home.is_dir() {
            places::create_private(&self.children.home)?;
        }
        let private = places::private(&self.private_root, repo)?;
        if let Some(lender) = self.lender(repo)? {
            workspace::borrow_from(&private, &lender)?;
        }
        self.children.free(&private);
        Ok(private)
    }

    /// The repository that workspaces of the repo borrow from, where that is not the private one.
    fn lender(&self, repo: &RepoId) -> PortResult<Option<PathBuf>> {
        self.lent.as_ref().map_or(Ok(None), |root| places::existing(root, repo))
    }

    /// The run's folder with symlinks resolved, below the workspace root.
    fn folder(&self, dir: &Path) -> PortResult<PathBuf> {
        if self.lent.is_none() {
            places::create_private(&self.workspace_root)?;
        }
        places::inside(&self.workspace_root, dir)
    }

    fn scratch(&self) -> PortResult<places::Scratch> {
        places::Scratch::new(&self.private_root)
    }
}

/// Where the objects lie that a repo's workspaces borrow, below the root of all private repositories.
pub fn borrowed_objects(private_root: &Path, repo: &RepoId) -> PortResult<PathBuf> {
    let path = names::folders(repo)?.iter().fold(private_root.to_owned(), |path, part| path.join(part));
    Ok(path.canonicalize().unwrap_or(path).join("objects"))
}

impl Claiming for GitRooms {
    fn claim(&self, repo: &RepoId, remote: &Remote, request: &ClaimRequest) -> PortResult<ClaimAnswer> {
        self.take_claim(repo, remote, request)
    }

    fn claims(&self, repo: &RepoId, remote: &Remote) -> PortResult<Claims> {
        self.read_claims(repo, remote)
    }

    fn release(&self, repo: &RepoId, remote: &Remote, number: u64, oid: &Oid) -> PortResult<()> {
        self.drop_claim(repo, remote, number, oid)
    }

    fn release_slot(&self, repo: &RepoId, remote: &Remote, oid: &Oid) -> PortResult<()> {
        self.drop_slot(repo, remote, oid)
    }

    fn try_places(&self, repo: &RepoId, remote: &Remote) -> PortResult<ClaimPlace> {
        self.try_places(repo, remote)
    }

    fn take_slot(&self, repo: &RepoId, remote: &Remote, number: u64, oid: &Oid) -> PortResult<ClaimAnswer> {
        self.retake_slot(repo, remote, number, oid)
    }
}

impl Workspaces for GitRooms {
    fn prepare(&self, repo: &RepoId, folder: &RunFolder, base: &Oid, branch: &str) -> PortResult<()> {
        self.prepare_workspace(repo, folder, base, branch)
    }

    fn unlock(&self, _: &RepoId, folder: &RunFolder) -> PortResult<()> {
        workspace::free_workspace(&self.folder(&folder.dir)?.join("work"))
    }

    fn work(&self, repo: &RepoId, folder: &RunFolder, run: &str, base: &Oid) -> PortResult<Work> {
        self.read_work(repo, folder, run, base)
    }

    fn bring_up_to_date(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        head: &Oid,
        target: &Oid,
        message: &str,
    ) -> PortResult<Merged> {
        self.merge_target(repo, folder, head, target, message)
    }

    fn checkout(&self, repo: &RepoId, oid: &Oid, dir: &Path) -> PortResult<()> {
        self.fresh_checkout(repo, oid, dir)
    }

    fn salvage(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        run: &str,
        base: &Oid,
        to: &Path,
    ) -> PortResult<Salvaged> {
        self.keep_work(repo, folder, run, base, to)
    }

    fn remove(&self, folder: &RunFolder) -> PortResult<()> {
        // Without a slash at its end, which would follow a symlink.
        let dir: &Path = &folder.dir.components().collect::<PathBuf>();
        if std::fs::symlink_metadata(dir).is_ok_and(|m| m.is_symlink()) {
            return Err(PortError::refused(format!(
                "removing the folder {}: it is a symlink, and its target is not known to be ours. Remove it by hand.",
                dir.display()
            )));
        }
        let real = self.folder(dir)?;
        crate::boundary::pass("remove");
        let removed = places::remove_tree(&real)
            .map_err(|error| places::io_later("removing the folder", &real, &error));
        crate::boundary::pass("remove");
        removed
    }
}

impl History for GitRooms {
    fn locks(&self, repo: &RepoId) -> PortResult<Vec<LockFile>> {
        let root = self.lent.as_ref().unwrap_or(&self.private_root);
        let Some(private) = places::existing(root, repo)? else { return Ok(vec![]) };
        if self.lent.is_none() {
            self.children.free(&private);
        }
        Ok(locks::standing(&private))
    }

    fn compact(&self, repo: &RepoId) -> PortResult<()> {
        self.pack_up(repo)
    }

    fn fetch_branch(&self, repo: &RepoId, remote: &Remote, branch: &str) -> PortResult<Oid> {
        let private = self.private(repo)?;
        let url = names::url(&remote.url)?;
        let branch = names::branch(branch)?;
        // Encoded, so that a branch `a` that became `a/b` does not stand in its own way.
        let kept = format!("refs/offhours/target/{}", branch.replace('/', "%"));
        let doing = format!("fetching the branch {branch} of {repo}");
        let call = Call::new("git.fetch", &private)
            .args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet", "--"])
            .arg(url)
            .arg(format!("+refs/heads/{branch}:{kept}"));
        let answer = self.run_remote(repo, call)?;
        if !answer.good() {
            if answer.stderr.contains("couldn't find remote ref") {
                return Err(PortError::gone(format!(
                    "{doing}: the repository has no such branch, or no commits yet. Push a first commit to it, or \
                     name the branch to work on in the configuration."
                )));
            }
            return Err(answer.remote_error(&doing));
        }
        self.fetched(&private, &kept, &doing)
    }

    fn remote_head(&self, repo: &RepoId, remote: &Remote, branch: &str) -> PortResult<Option<Oid>> {
        let branch = names::branch(branch)?;
        let wanted = format!("refs/heads/{branch}");
        let refs = self.list_remote(repo, remote, &[&wanted])?;
        Ok(refs.get(&wanted).cloned())
    }

    fn push(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        expected: Option<&Oid>,
        head: &Oid,
    ) -> PortResult<Pushed> {
        self.push_branch(repo, remote, branch, expected, head)
    }

    fn is_ancestor(&self, repo: &RepoId, ancestor: &Oid, of: &Oid) -> PortResult<bool> {
        let private = self.private(repo)?;
        let call = Call::new("git.merge-base", &private)
            .arg("--is-ancestor")
            .arg(ancestor.as_str())
            .arg(of.as_str())
            .lasting();
        let answer = self.children.run(&call)?;
        if answer.code == Some(1) {
            return Ok(false);
        }
        answer.local(&format!("asking in {repo} whether {} contains {}", of.short(), ancestor.short()))?;
        Ok(true)
    }

    fn common(&self, repo: &RepoId, one: &Oid, other: &Oid) -> PortResult<Option<Oid>> {
        let doing = format!("looking in {repo} for where {} and {} parted", one.short(), other.short());
        let private = self.private(repo)?;
        for commit in [one, other] {
            let call = Call::new("git.cat-file", &private).args(["-e", commit.as_str()]);
            let answer = self.children.run(&call)?;
            if answer.code == Some(1) {
                return Ok(None);
            }
            answer.local(&doing)?;
        }
        self.parted(&private, one, other, &doing)
    }

    fn new_commits(&self, repo: &RepoId, head: &Oid, known: &[&Oid]) -> PortResult<u32> {
        let doing = format!("counting the new commits of {} in {repo}", head.short());
        let call = Call::new("git.rev-list", self.private(repo)?)
            .args(["--count", head.as_str(), "--not"])
            .args(known.iter().map(|oid| oid.as_str()))
            .lasting();
        let text = self.children.run(&call)?.local(&doing)?.text();
        text.trim().parse().map_err(|_odd| {
            PortError::broken(format!(
                "{doing}: git counted them as `{}`. The next tick tries again.",
                names::cleaned(text.as_bytes())
            ))
        })
    }

    fn commits(&self, repo: &RepoId, after: &Oid, upto: &Oid, most: usize) -> PortResult<Vec<(Oid, String)>> {
        self.read_commits(repo, after, upto, most)
    }

    fn change(&self, repo: &RepoId, base: &Oid, head: &Oid) -> PortResult<Change> {
        self.read_change(repo, base, head)
    }

    fn conflicts(&self, repo: &RepoId, head: &Oid, target: &Oid) -> PortResult<Vec<String>> {
        self.read_conflicts(repo, head, target)
    }

    fn carries(&self, repo: &RepoId, target: &Oid, from: &Oid, head: &Oid) -> PortResult<bool> {
        self.has_patch(repo, target, from, head)
    }

    fn undo(&self, repo: &RepoId, target: &Oid, from: &Oid, head: &Oid, message: &str) -> PortResult<Merged> {
        self.take_back(repo, target, from, head, message)
    }
}
