//! Merging the target into the work, and pushing.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::child::{Answer, Call};
use super::workspace::Workspace;
use super::{GitRooms, names, places};
use crate::domain::model::{Oid, RepoId};
use crate::ports::{History as _, Merged, PortError, PortResult, Pushed, Remote, RunFolder};

impl GitRooms {
    pub(super) fn merge_target(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        head: &Oid,
        target: &Oid,
        message: &str,
    ) -> PortResult<Merged> {
        let doing = format!("merging {} into the work of {repo}", target.short());
        let space = self.inspect(repo, folder)?;
        let merged = if self.is_ancestor(repo, target, head)? {
            head.clone()
        } else {
            match self.merge_trees(repo, head, target, &doing)? {
                Ok(tree) => {
                    self.dated_commit(repo, &tree, &[target, head], &[target, head], message, &doing)?
                }
                Err(conflicts) => return Ok(Merged::Conflict(conflicts)),
            }
        };
        // A repeat after a kill: the same commit is made again, and the workspace may stand on it already.
        if space.head == merged {
            return Ok(Merged::UpToDate(merged));
        }
        if space.head != *head {
            return Err(PortError::refused(format!(
                "{doing}: the workspace stands on {} now and not on {}. Read its work again first.",
                space.head.short(),
                head.short()
            )));
        }
        self.move_workspace(repo, &space, head, &merged, &doing)?;
        Ok(Merged::UpToDate(merged))
    }

    /// The tree of both sides merged, or the paths that conflict.
    pub(super) fn merge_trees(
        &self,
        repo: &RepoId,
        head: &Oid,
        target: &Oid,
        doing: &str,
    ) -> PortResult<Result<String, Vec<String>>> {
        let call = Call::new("git.merge-tree", self.private(repo)?)
            .args(["--write-tree", "-z", "--name-only", "--no-messages"])
            .args([head.as_str(), target.as_str()]);
        let answer = self.children.run(&call)?;
        let text = answer.text();
        let mut parts = text.split('\0').filter(|part| !part.is_empty());
        match answer.code {
            Some(0) => Ok(Ok(parts.next().unwrap_or_default().trim().to_owned())),
            // A commit that is not here ends with 1, too, and prints nothing.
            Some(1) if !text.is_empty() => {
                let paths: BTreeSet<String> = parts.skip(1).map(str::to_owned).collect();
                Ok(Err(paths.into_iter().collect()))
            }
            _ if answer.stderr.contains("unrelated histories") => Err(PortError::refused(format!(
                "{doing}: the two share no history. Start the work from the target branch."
            ))),
            _ => answer.local(doing).map(|_| Ok(String::new())),
        }
    }

    /// A commit dated as the newest of `known`: the same input gives the same commit, so that a repeat makes no second
    /// one.
    pub(super) fn dated_commit(
        &self,
        repo: &RepoId,
        tree: &str,
        parents: &[&Oid],
        known: &[&Oid],
        message: &str,
        doing: &str,
    ) -> PortResult<Oid> {
        let private = self.private(repo)?;
        let call = Call::new("git.log", &private)
            .args(["--no-walk", "--no-show-signature", "--format=%ct"])
            .args(known.iter().map(|oid| oid.as_str()))
            .lasting();
        let times = self.children.run(&call)?.local(doing)?.text();
        let newest = times.lines().filter_map(|time| time.parse::<i64>().ok()).max().unwrap_or(0);
        let date = format!("@{} +0000", newest.max(0));
        let call = Call::new("git.commit-tree", &private)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .arg(tree)
            .args(parents.iter().map(|parent| format!("-p{parent}")))
            .args(["-F", "-"])
            .stdin(format!("{}\n", message.trim_end()));
        names::oid(&self.children.run(&call)?.local(doing)?.text(), doing)
    }

    /// Moves files, index and branch of the workspace from `from` to `to`. Files with other changes are kept; where
    /// they are in the way nothing is touched. Can be repeated after a kill at any point.
    fn move_workspace(
        &self,
        repo: &RepoId,
        space: &Workspace,
        from: &Oid,
        to: &Oid,
        doing: &str,
    ) -> PortResult<()> {
        let scratch = self.scratch()?;
        let index = self.index_of(repo, &scratch, from, doing)?;
        self.mark_moved(repo, space, from, to, &index, doing)?;
        // Its exit code only says that some files differ.
        let call = self.in_work("git.update-index", repo, &space.work, &index)?.args(["-q", "--refresh"]);
        self.children.run(&call)?;
        let call = self.in_work("git.read-tree", repo, &space.work, &index)?.args([
            "-m",
            "-u",
            "--no-recurse-submodules",
            from.as_str(),
            to.as_str(),
        ]);
        let answer = self.children.run(&call)?;
        if !answer.good() {
            return Err(PortError::refused(format!(
                "{doing}: files in the workspace {} that are not committed are in the way: {}. Commit or remove them.",
                space.work.display(),
                answer.said()
            )));
        }
        let git_dir = space.git_dir();
        let bytes = fs::read(&index).map_err(|error| places::io_later("reading", &index, &error))?;
        let new = git_dir.join("offhours-new");
        places::write_new(&new, &bytes)?;
        places::put(&new, &git_dir.join("index"))?;
        places::write_new(&new, format!("{to}\n").as_bytes())?;
        let reference = match &space.branch {
            None => git_dir.join("HEAD"),
            Some(branch) => branch_file(&git_dir, branch)?,
        };
        places::put(&new, &reference)
    }

    /// Enters the paths that a killed move already brought to `to`, so that the move accepts them as they are.
    fn mark_moved(
        &self,
        repo: &RepoId,
        space: &Workspace,
        from: &Oid,
        to: &Oid,
        index: &Path,
        doing: &str,
    ) -> PortResult<()> {
        let private = self.private(repo)?;
        let scratch = self.scratch()?;
        let new_index = self.index_of(repo, &scratch, to, doing)?;
        let call = self
            .in_work("git.diff", repo, &space.work, &new_index)?
            .args(["--name-only", "-z", "--no-renames", "--ignore-submodules=all", "--no-ext-diff"])
            .arg("--no-textconv");
        let differs = self.children.run(&call)?.local(doing)?.stdout;
        let differs: BTreeSet<&[u8]> = differs.split(|b| *b == 0).collect();

        let call = Call::new("git.diff-tree", &private)
            .args(["-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-commit-id"])
            .args([from.as_str(), to.as_str()]);
        let raw = self.children.run(&call)?.local(doing)?.stdout;
        let mut parts = raw.split(|b| *b == 0);
        let mut entries = Vec::new();
        while let (Some(head), Some(path)) = (parts.next(), parts.next()) {
            let head = String::from_utf8_lossy(head);
            let words: Vec<&str> = head.split(' ').collect();
            let (Some(mode), Some(oid)) = (words.get(1), words.get(3)) else { continue };
            let here = fs::symlink_metadata(space.work.join(std::ffi::OsStr::from_bytes(path))).is_ok();
            let moved = if *mode == "000000" { !here } else { here && !differs.contains(path) };
            if moved {
                entries.extend_from_slice(format!("{mode} {oid}\t").as_bytes());
                entries.extend_from_slice(path);
                entries.push(0);
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let call = self
            .in_work("git.update-index", repo, &space.work, index)?
            .args(["-z", "--index-info"])
            .stdin(entries);
        self.children.run(&call)?.local(doing)?;
        Ok(())
    }

    pub(super) fn push_branch(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        expected: Option<&Oid>,
        head: &Oid,
    ) -> PortResult<Pushed> {
        let branch = names::branch(branch)?;
        let doing = format!("pushing {} to the branch {branch} of {repo}", head.short());
        let private = self.private(repo)?;
        if let Some(expected) = expected
            && !self.is_ancestor(repo, expected, head)?
        {
            return Err(PortError::refused(format!(
                "{doing}: it does not contain {}, where the branch stands, and offhours never forces. Bring the work \
                 up to date.",
                expected.short()
            )));
        }
        let lease = expected.map(Oid::as_str).unwrap_or_default();
        let call = Call::new("git.push", &private)
            .args(["--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--quiet"])
            .arg(format!("--force-with-lease=refs/heads/{branch}:{lease}"))
            .arg("--")
            .arg(names::url(&remote.url)?)
            .arg(format!("{head}:refs/heads/{branch}"));
        let failure = match self.run_remote(repo, call) {
            Ok(answer) if answer.good() => return Ok(Pushed::Done),
            Ok(answer) => push_error(&answer, &doing),
            Err(error @ PortError::Later { .. }) => error,
            Err(error) => return Err(error),
        };
        // Whatever the push said or did not say: what stands there counts.
        let now = self.remote_head(repo, remote, branch)?;
        if now.as_ref() == Some(head) {
            return Ok(Pushed::Done);
        }
        if now.as_ref() == expected { Err(failure) } else { Ok(Pushed::Raced) }
    }
}

fn push_error(answer: &Answer, doing: &str) -> PortError {
    let text = answer.text();
    let Some(line) = text.lines().find(|line| line.starts_with('!')) else {
        return answer.remote_error(doing);
    };
    let said = names::cleaned(line.rsplit('\t').next().unwrap_or(line).as_bytes());
    let busy =
        ["lock", "failed to update ref", "stale info", "remote failure", "already exists", "transaction"];
    if said.starts_with("[remote rejected]") && !busy.iter().any(|b| said.contains(b)) {
        return PortError::refused(format!(
            "{doing}: the server refused it: {said}; {}. Look at the branch's protection rules and the account's \
             rights.",
            answer.said()
        ));
    }
    let lock = answer.lock.as_ref().map_or_else(String::new, |lock| format!(": {lock}"));
    PortError::later(format!("{doing}: it ended with {said}{lock}. The next tick tries again."))
}

/// The file of a branch, below folders that are folders of their own.
fn branch_file(git_dir: &Path, branch: &str) -> PortResult<std::path::PathBuf> {
    let mut path = git_dir.join("refs/heads");
    let mut parts = branch.split('/').peekable();
    while let Some(part) = parts.next() {
        let meta = fs::symlink_metadata(&path);
        if meta.as_ref().is_ok_and(|m| !m.is_dir()) {
            return Err(PortError::refused(format!(
                "moving the workspace's branch {branch}: {} is not a folder of its own. Look at the workspace by hand.",
                path.display()
            )));
        }
        if meta.is_err() {
            places::create_private(&path)?;
        }
        path.push(part);
        if parts.peek().is_none() {
            break;
        }
    }
    Ok(path)
}
