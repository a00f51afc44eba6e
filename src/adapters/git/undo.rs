//! Questions and commits made without any work tree: would it conflict, and what takes it back.

use super::GitRooms;
use super::child::Call;
use super::names;
use crate::domain::model::{Oid, RepoId};
use crate::ports::{Merged, PortError, PortResult};

impl GitRooms {
    pub(super) fn read_conflicts(&self, repo: &RepoId, head: &Oid, target: &Oid) -> PortResult<Vec<String>> {
        let doing = format!("asking in {repo} whether {} merges into {}", target.short(), head.short());
        Ok(self.merge_trees(repo, head, target, &doing)?.err().unwrap_or_default())
    }

    /// Merges `from` into `target` as if `head` were where the two parted: what `head` has more than `from` goes away.
    pub(super) fn take_back(
        &self,
        repo: &RepoId,
        target: &Oid,
        from: &Oid,
        head: &Oid,
        message: &str,
    ) -> PortResult<Merged> {
        let doing = format!("taking back {} on {} of {repo}", head.short(), target.short());
        // Three commits that know nothing else: every git that merges trees finds their base by itself, while naming
        // one needs git 2.40.
        let base = self.bare_commit(repo, head, None, &doing)?;
        let ours = self.bare_commit(repo, target, Some(&base), &doing)?;
        let theirs = self.bare_commit(repo, from, Some(&base), &doing)?;
        let tree = match self.merge_trees(repo, &ours, &theirs, &doing)? {
            Ok(tree) => tree,
            Err(conflicts) => return Ok(Merged::Conflict(conflicts)),
        };
        let call = Call::new("git.rev-parse", self.private(repo)?).arg(format!("{target}^{{tree}}"));
        if self.children.run(&call)?.local(&doing)?.text().trim() == tree {
            return Err(PortError::refused(format!(
                "{doing}: nothing of it is left there. It was taken back already, or never landed."
            )));
        }
        self.dated_commit(repo, &tree, &[target], &[target, head], message, &doing).map(Merged::UpToDate)
    }

    /// The files of a commit as a commit of its own: fixed dates, so the same one every time.
    fn bare_commit(&self, repo: &RepoId, of: &Oid, parent: Option<&Oid>, doing: &str) -> PortResult<Oid> {
        let call = Call::new("git.commit-tree", self.private(repo)?)
            .env("GIT_AUTHOR_DATE", "@0 +0000")
            .env("GIT_COMMITTER_DATE", "@0 +0000")
            .arg(format!("{of}^{{tree}}"))
            .args(parent.map(|parent| format!("-p{parent}")))
            .args(["-F", "-"])
            .stdin("files\n");
        names::oid(&self.children.run(&call)?.local(doing)?.text(), doing)
    }
}
