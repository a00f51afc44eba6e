//! Where a repo's bare repository is, who may write there, and what locks it: what a killed git left where only offhours
//! writes goes away, what may be a person's stays and is told.

use std::fs;

use super::LocalForge;
use super::files::{self, ReadError, failed};
use super::folders::RepoDir;
use crate::adapters::git::bare::is_branch;
use crate::adapters::git::locks::{Place, free, standing};
use crate::boundary;
use crate::domain::model::{Permission, Person, RepoId};
use crate::ports::{Hosting, LockFile, PortError, PortResult, Remote};

/// Claims and slots, branches of runs, and the heads of pull requests. All others are also a person's to move.
const OURS: [&str; 3] = ["refs/offhours", "refs/heads/offhours", "refs/pull"];

impl LocalForge {
    /// The repo's folder, whose refs are about to be read or written.
    pub(super) fn freed(&self, repo: &RepoId) -> PortResult<RepoDir> {
        let dir = RepoDir::open(&self.root, repo)?;
        if !self.looking_only {
            free(Place { folder: &dir.git(), below: &OURS, shared: true });
        }
        Ok(dir)
    }
}

impl Hosting for LocalForge {
    fn remote(&self, repo: &RepoId) -> PortResult<Remote> {
        let git = self.freed(repo)?.git();
        let git = std::path::absolute(&git).map_err(|error| failed("finding", &git, &error))?;
        let head = git.join("HEAD");
        boundary::pass("local forge: read");
        let raw = files::read(&head).map_err(|error| match error {
            ReadError::Gone => PortError::gone(format!(
                "{repo} has no repository at {}; make one with git init --bare, or put it there",
                git.display()
            )),
            ReadError::Flaw(flaw) => PortError::refused(flaw.sentence(&head.display().to_string())),
            ReadError::Port(error) => error,
        })?;
        let text = String::from_utf8_lossy(&raw.bytes);
        let default_branch = text
            .trim_end_matches(['\n', '\r'])
            .strip_prefix("ref: refs/heads/")
            .filter(|branch| is_branch(branch))
            .ok_or_else(|| {
                PortError::refused(format!(
                    "{} names no branch; set it with git -C {} symbolic-ref HEAD refs/heads/main",
                    head.display(),
                    git.display()
                ))
            })?
            .to_owned();
        let url = git.to_str().ok_or_else(|| {
            PortError::refused(format!("the path {} is not UTF-8; keep the forge elsewhere", git.display()))
        })?;
        Ok(Remote { url: url.to_owned(), default_branch })
    }

    fn locks(&self, repo: &RepoId) -> PortResult<Vec<LockFile>> {
        let git = self.freed(repo)?.git();
        Ok(standing(&std::path::absolute(&git).unwrap_or(git)))
    }

    fn permission(&self, repo: &RepoId, person: &Person) -> PortResult<Permission> {
        let file = self.root.join(&repo.owner).join(&repo.name).join("members");
        match fs::read_to_string(&file) {
            Ok(text) => {
                let member = text.lines().any(|line| line.trim() == person.login && !person.login.is_empty());
                Ok(if member { Permission::Write } else { Permission::Read })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Permission::Write),
            Err(error) => Err(failed("reading", &file, &error)),
        }
    }
}
