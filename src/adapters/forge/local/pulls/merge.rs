//! Merging: the commit is made, written down, and then the target moves.

use super::repo_pulls::{RepoPulls, branch_ref, head_ref, nothing_new};
use crate::adapters::forge::local::files::RepoLock;
use crate::adapters::forge::local::folders::Room;
use crate::adapters::forge::local::text::pull::{PullFile, Stated};
use crate::adapters::forge::local::{LocalForge, TRIES, load};
use crate::adapters::git::bare::{Bare, Made, Maker, RefChange};
use crate::domain::model::{Oid, PullRequest, PullState, RepoId};
use crate::ports::{MergeAnswer, Merging, PortError, PortResult};

/// How work comes to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    MergeCommit,
    Squash,
    Rebase,
}

impl LocalForge {
    /// Merges in somebody's name, at exactly `head` where one is given.
    pub fn merge_as(
        &self,
        repo: &RepoId,
        number: u64,
        head: Option<&Oid>,
        method: Method,
        who: &str,
    ) -> PortResult<MergeAnswer> {
        let mut desk = self.repo_pulls(repo)?;
        let lock = desk.dir.lock()?;
        let mut first = None;
        for _ in 0..TRIES {
            desk.refresh()?;
            let loaded = load(&desk.dir, Room::Pulls, number, PullFile::parse)?;
            let pull = desk.view(number, &loaded.path, &loaded.file, &self.actor)?;
            match &pull.state {
                PullState::Merged { commit, .. } => {
                    self.settle(&desk.dir, &pull, &loaded, &lock)?;
                    return Ok(MergeAnswer::Merged(commit.clone()));
                }
                PullState::Closed => {
                    return Err(PortError::refused(format!(
                        "merging {repo}#{number}: it is closed; open it again first"
                    )));
                }
                PullState::Open => {}
            }
            let wanted = head.unwrap_or_else(|| first.get_or_insert_with(|| pull.head.clone()));
            if pull.head != *wanted {
                return Ok(MergeAnswer::HeadMoved);
            }
            if let Some(commit) = self.try_merge(&desk, &pull, method, who, &lock)? {
                self.state(&desk.dir, number, &[("state", Stated::Merged.word())], &lock)?;
                return Ok(MergeAnswer::Merged(Some(commit)));
            }
        }
        Err(PortError::later(format!(
            "merging {repo}#{number} was put off: its branches moved {TRIES} times in a row; it is tried again by the \
             next tick"
        )))
    }

    /// Makes the commit, writes down that it is to be merged so, and moves the target. None where a branch moved.
    fn try_merge(
        &self,
        desk: &RepoPulls,
        pull: &PullRequest,
        method: Method,
        who: &str,
        lock: &RepoLock,
    ) -> PortResult<Option<Oid>> {
        let (number, head) = (pull.number, &pull.head);
        let doing = format!("merging {}#{number}", desk.repo);
        let target = desk.branch(&pull.target).ok_or_else(|| {
            PortError::refused(format!("{doing}: there is no branch {}; push it first", pull.target))
        })?;
        if desk.bare.contains(target, head)? {
            return Err(nothing_new(&doing, &pull.branch, &pull.target));
        }
        let maker = Maker { name: who, at: self.clock.now() };
        let commit = match make(&desk.bare, method, target, pull, maker)? {
            Ok(commit) => commit,
            Err(paths) => {
                let shown: Vec<String> =
                    paths.iter().take(10).map(|p| p.escape_debug().to_string()).collect();
                let more = if paths.len() > 10 { " and more" } else { "" };
                return Err(PortError::refused(format!(
                    "{doing}: {} and {} conflict in {}{more}; bring {} up to date by hand",
                    pull.branch,
                    pull.target,
                    shown.join(", "),
                    pull.branch
                )));
            }
        };
        if commit == *target {
            return Err(nothing_new(&doing, &pull.branch, &pull.target));
        }
        let intent = [("head", head.as_str()), ("commit", commit.as_str()), ("by", who)];
        self.state(&desk.dir, number, &intent, lock)?;
        let done = desk.bare.change_refs(&[
            RefChange::Verify(branch_ref(&pull.branch), head.clone()),
            RefChange::Move(branch_ref(&pull.target), target.clone(), commit.clone()),
            RefChange::Set(head_ref(number), head.clone()),
        ])?;
        Ok(done.then_some(commit))
    }
}

fn make(bare: &Bare, method: Method, target: &Oid, pull: &PullRequest, maker: Maker<'_>) -> PortResult<Made> {
    let (number, title) = (pull.number, &pull.title);
    match method {
        Method::MergeCommit => {
            let message = format!("Merge pull request #{number} from {}\n\n{title}", pull.branch);
            bare.merged(target, &pull.head, &message, maker)
        }
        Method::Squash => {
            let subjects = bare.subjects(target, &pull.head)?;
            let list: Vec<String> = subjects.iter().map(|subject| format!("* {subject}")).collect();
            bare.squashed(target, &pull.head, &format!("{title} (#{number})\n\n{}", list.join("\n")), maker)
        }
        Method::Rebase => bare.rebased(target, &pull.head, maker),
    }
}

impl Merging for LocalForge {
    fn merge_pull(&self, repo: &RepoId, number: u64, head: &Oid) -> PortResult<MergeAnswer> {
        self.merge_as(repo, number, Some(head), Method::MergeCommit, &self.actor)
    }
}
