//! One repo's pull requests at one moment: what their files say and what the repository says of them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::adapters::forge::local::files::RepoLock;
use crate::adapters::forge::local::folders::{RepoDir, Room};
use crate::adapters::forge::local::text::pull::{Changes, PullFile, Stated};
use crate::adapters::forge::local::{Loaded, LocalForge};
use crate::adapters::git::bare::{Bare, RefChange};
use crate::domain::model::{Oid, Person, PullRequest, PullState, RepoId};
use crate::ports::{PortError, PortResult};

type Refs = BTreeMap<String, Oid>;

pub(super) fn head_ref(number: u64) -> String {
    format!("refs/pull/{number}/head")
}

pub(super) fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// One repo's pull requests at one moment.
pub(super) struct RepoPulls {
    pub(super) dir: RepoDir,
    pub(super) bare: Bare,
    pub(super) repo: RepoId,
    pub(super) refs: Refs,
}

impl RepoPulls {
    pub(super) fn refresh(&mut self) -> PortResult<()> {
        self.refs = self.bare.refs(&["refs/heads/", "refs/pull/"])?;
        Ok(())
    }

    pub(super) fn branch(&self, name: &str) -> Option<&Oid> {
        self.refs.get(&branch_ref(name))
    }

    pub(super) fn in_target(&self, target: Option<&Oid>, commit: Option<&Oid>) -> PortResult<bool> {
        match (target, commit) {
            (Some(target), Some(commit)) => self.bare.contains(target, commit),
            (None, _) | (_, None) => Ok(false),
        }
    }

    /// What became of an open one in the repository.
    pub(super) fn open_state(&self, number: u64, file: &PullFile) -> PortResult<(PullState, Option<Oid>)> {
        let (branch, target) = (self.branch(&file.branch), self.branch(&file.target));
        let kept = self.refs.get(&head_ref(number));
        if self.in_target(target, file.commit.as_ref())? {
            let merged = PullState::Merged { commit: file.commit.clone(), by: None };
            return Ok((merged, file.head.clone().or_else(|| kept.cloned())));
        }
        // A branch that has more by now goes on; one that was set back to before the work is not merged by that.
        let more = branch.is_some() && branch != kept && !self.in_target(target, branch)?;
        if !more && self.in_target(target, kept)? {
            return Ok((PullState::Merged { commit: None, by: None }, kept.cloned()));
        }
        match branch {
            Some(head) => Ok((PullState::Open, Some(head.clone()))),
            None => Ok((PullState::Closed, kept.cloned())),
        }
    }

    pub(super) fn view(
        &self,
        number: u64,
        path: &Path,
        file: &PullFile,
        actor: &str,
    ) -> PortResult<PullRequest> {
        let kept = || self.refs.get(&head_ref(number)).cloned();
        let by = || file.by.clone().map(|login| Person { bot: login == actor, login });
        let past = || file.head.clone().or_else(kept).or_else(|| self.branch(&file.branch).cloned());
        let (state, head) = match file.state {
            Stated::Open => match self.open_state(number, file)? {
                (PullState::Merged { commit: Some(commit), .. }, head) => {
                    (PullState::Merged { commit: Some(commit), by: by() }, head)
                }
                other => other,
            },
            Stated::Closed => (PullState::Closed, past()),
            Stated::Merged => (PullState::Merged { commit: file.commit.clone(), by: by() }, past()),
        };
        let head = head.ok_or_else(|| {
            PortError::broken(format!(
                "{}: its branch {} is not in {}; push it, or delete the file",
                self.dir.show(Room::Pulls, &format!("{number:04}.md")),
                file.branch,
                self.bare.dir().display()
            ))
        })?;
        let link = std::path::absolute(path).unwrap_or_else(|_gone| path.to_owned());
        Ok(PullRequest {
            number,
            title: file.title.clone(),
            body: file.body().to_owned(),
            branch: file.branch.clone(),
            target: file.target.clone(),
            head,
            state,
            link: Some(link.display().to_string()),
        })
    }
}

impl LocalForge {
    pub(super) fn repo_pulls(&self, repo: &RepoId) -> PortResult<RepoPulls> {
        let dir = self.freed(repo)?;
        let bare = Bare::at(dir.git(), &self.memory);
        let mut desk = RepoPulls { bare, dir, repo: repo.clone(), refs: Refs::new() };
        desk.refresh()?;
        Ok(desk)
    }

    /// Changes the front matter of a pull request. True where that changed anything.
    pub(super) fn state(
        &self,
        dir: &RepoDir,
        number: u64,
        to: &Changes<'_>,
        lock: &RepoLock,
    ) -> PortResult<bool> {
        self.change(dir, Room::Pulls, number, PullFile::parse, &|loaded| loaded.file.with(to), lock)
    }

    /// Writes down what became of one that is open by its file and merged in the repository.
    pub(super) fn settle(
        &self,
        dir: &RepoDir,
        pull: &PullRequest,
        loaded: &Loaded<PullFile>,
        lock: &RepoLock,
    ) -> PortResult<()> {
        if loaded.file.state != Stated::Open {
            return Ok(());
        }
        let mut merged = vec![("state", Stated::Merged.word()), ("head", pull.head.as_str())];
        if matches!(pull.state, PullState::Merged { commit: None, .. }) && loaded.file.commit.is_some() {
            // Somebody else merged it than who had begun to.
            merged.extend([("commit", ""), ("by", "")]);
        }
        self.state(dir, pull.number, &merged, lock).map(drop)
    }

    /// Keeps the head of an open one under its own ref, as a forge does when somebody pushes.
    pub(super) fn kept(&self, desk: &RepoPulls, pull: PullRequest) -> PullRequest {
        let name = head_ref(pull.number);
        if self.looking_only || pull.state != PullState::Open || desk.refs.get(&name) == Some(&pull.head) {
            return pull;
        }
        // The next look tries again; nobody waits for it.
        if desk.in_target(desk.branch(&pull.target), Some(&pull.head)) == Ok(false) {
            desk.bare.change_refs(&[RefChange::Set(name, pull.head.clone())]).ok();
        }
        pull
    }
}

pub(super) fn nothing_new(doing: &str, branch: &str, target: &str) -> PortError {
    PortError::refused(format!("{doing}: {branch} has nothing that {target} has not"))
}
