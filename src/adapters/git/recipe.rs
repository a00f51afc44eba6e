//! Git work of upgrades: reading manifests, making commits that are the same whenever they are made, and the four pushes.
//!
//! The commits' times are handed in, so that a repeat after a kill makes the same commit. Nothing pushes but the four
//! functions of [`RecipePush`]: an upgrade branch, its deletion, the mirror's main (only to the commit that was fetched from
//! upstream), and a backup branch. No tag is ever pushed.

use std::path::PathBuf;

use super::GitRooms;
use super::child::{Answer, Call};
use super::names;
use super::places::Scratch;
use crate::domain::model::{Oid, RepoId, UnixTime};
use crate::domain::upgrade::recipe::ManifestFile;
use crate::ports::{History as _, PortError, PortResult, Pushed, RecipeGit, RecipePush, Remote, RunFolder};

/// What upstream's branch was when it was fetched last.
const UPSTREAM: &str = "refs/offhours/upstream";
const BRANCHES: &str = "upgrade/";
const BACKUPS: &str = "upgrade-backup/";
/// Manifests and tests that are read; what is larger is refused.
const MAX_FILE_BYTES: usize = 1024 * 1024;

impl GitRooms {
    fn scratch_index(&self, repo: &RepoId, parent: &Oid, doing: &str) -> PortResult<(Scratch, PathBuf)> {
        let scratch = self.scratch()?;
        let index = self.index_of(repo, &scratch, parent, doing)?;
        Ok((scratch, index))
    }

    /// A commit of the index's tree on top of `parent`; `None` where nothing changed.
    fn commit_index(
        &self,
        repo: &RepoId,
        index: &PathBuf,
        parent: &Oid,
        message: &str,
        at: UnixTime,
        doing: &str,
    ) -> PortResult<Option<Oid>> {
        let private = self.private(repo)?;
        let call = Call::new("git.write-tree", &private).env("GIT_INDEX_FILE", index);
        let tree = self.children.run(&call)?.local(doing)?.text();
        if tree.trim() == self.tree_of(repo, parent, doing)? {
            return Ok(None);
        }
        let date = format!("@{} +0000", at.0.max(0));
        let call = Call::new("git.commit-tree", &private)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .args([tree.trim(), "-p", parent.as_str(), "-F", "-"])
            .stdin(format!("{}\n", message.trim_end()));
        let oid = names::oid(&self.children.run(&call)?.local(doing)?.text(), doing)?;
        Ok(Some(oid))
    }

    fn tree_of(&self, repo: &RepoId, commit: &Oid, doing: &str) -> PortResult<String> {
        let call =
            Call::new("git.rev-parse", self.private(repo)?).arg(format!("{commit}^{{tree}}")).lasting();
        Ok(self.children.run(&call)?.local(doing)?.text().trim().to_owned())
    }

    /// One push with a lease, and a look at what stands there, whatever it said.
    fn push_leased(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        expected: Option<&Oid>,
        head: Option<&Oid>,
    ) -> PortResult<Pushed> {
        let branch = names::branch(branch)?;
        let doing = format!("pushing to the branch {branch} of {repo}");
        if self.remote_head(repo, remote, branch)?.as_ref() == head {
            return Ok(Pushed::Done);
        }
        let lease = expected.map(Oid::as_str).unwrap_or_default();
        let what = head.map(Oid::as_str).unwrap_or_default();
        let call = Call::new("git.push", self.private(repo)?)
            .args(["--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--quiet"])
            .arg(format!("--force-with-lease=refs/heads/{branch}:{lease}"))
            .arg("--")
            .arg(names::url(&remote.url)?)
            .arg(format!("{what}:refs/heads/{branch}"));
        let failure = match self.run_at(repo, &remote.url, call) {
            Ok(answer) if answer.good() => return Ok(Pushed::Done),
            Ok(answer) => refusal(&answer, &doing),
            Err(error) => error,
        };
        let now = self.remote_head(repo, remote, branch)?;
        if now.as_ref() == head {
            return Ok(Pushed::Done);
        }
        if now.as_ref() == expected { Err(failure) } else { Ok(Pushed::Raced) }
    }
}

/// What the server said no to will be said no to again; a busy one is asked later.
fn refusal(answer: &Answer, doing: &str) -> PortError {
    let text = answer.text();
    let Some(line) = text.lines().find(|line| line.starts_with('!')) else {
        return answer.remote_error(doing);
    };
    let said = names::cleaned(line.rsplit('\t').next().unwrap_or(line).as_bytes());
    let busy = ["lock", "failed to update ref", "stale info", "remote failure", "transaction"];
    if said.starts_with("[remote rejected]") && !busy.iter().any(|b| said.contains(b)) {
        return PortError::refused(format!(
            "{doing}: the server refused it: {said}. Look at its rules and at the account's rights."
        ));
    }
    PortError::later(format!("{doing}: it ended with {said}. The next tick tries again."))
}

impl RecipeGit for GitRooms {
    fn fetch_branch(
        &self,
        repo: &RepoId,
        url: &str,
        branch: &str,
        upstream: bool,
    ) -> PortResult<Option<Oid>> {
        let branch = names::branch(branch)?;
        let kept = if upstream {
            UPSTREAM.to_owned()
        } else {
            format!("refs/offhours/recipe/{}", branch.replace('/', "%"))
        };
        let doing = format!("fetching the branch {branch} for {repo}");
        let private = self.private(repo)?;
        let call = Call::new("git.fetch", &private)
            .args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet", "--"])
            .arg(names::url(url)?)
            .arg(format!("+refs/heads/{branch}:{kept}"));
        let answer = self.run_at(repo, url, call)?;
        if !answer.good() {
            if answer.stderr.contains("couldn't find remote ref") {
                return Ok(None);
            }
            return Err(answer.remote_error(&doing));
        }
        self.fetched(&private, &kept, &doing).map(Some)
    }

    fn remote_tags(&self, repo: &RepoId, url: &str) -> PortResult<Vec<String>> {
        let doing = format!("reading the tags of upstream for {repo}");
        let call = Call::new("git.ls-remote", self.private(repo)?)
            .args(["--tags", "--refs", "--"])
            .arg(names::url(url)?);
        let answer = self.run_at(repo, url, call)?;
        if !answer.good() {
            return Err(answer.remote_error(&doing));
        }
        let text = answer.text();
        Ok(text
            .lines()
            .filter_map(|line| line.split_once("\trefs/tags/"))
            .map(|(_, t)| t.to_owned())
            .collect())
    }

    fn remote_branches(&self, repo: &RepoId, url: &str, prefix: &str) -> PortResult<Vec<(String, Oid)>> {
        let doing = format!("reading the branches of {repo}");
        let call = Call::new("git.ls-remote", self.private(repo)?)
            .args(["--heads", "--refs", "--"])
            .arg(names::url(url)?);
        let answer = self.run_at(repo, url, call)?;
        if !answer.good() {
            return Err(answer.remote_error(&doing));
        }
        let text = answer.text();
        let lines = text.lines().filter_map(|line| line.split_once("\trefs/heads/"));
        lines
            .filter(|(_, branch)| branch.starts_with(prefix))
            .map(|(oid, branch)| Ok((branch.to_owned(), names::oid(oid, &doing)?)))
            .collect()
    }

    fn tree(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<String>> {
        let doing = format!("listing the files of {} in {repo}", commit.short());
        let call = Call::new("git.ls-tree", self.private(repo)?)
            .args(["-r", "-z", "--name-only", "--full-tree"])
            .arg(commit.as_str());
        let bytes = self.children.run(&call)?.local(&doing)?.stdout;
        let names = bytes.split(|b| *b == 0).filter(|n| !n.is_empty());
        Ok(names.map(|n| String::from_utf8_lossy(n).into_owned()).collect())
    }

    fn read_file(&self, repo: &RepoId, commit: &Oid, path: &str) -> PortResult<Option<String>> {
        let doing = format!("reading {} of {repo}", names::cleaned(path.as_bytes()));
        let call = Call::new("git.ls-tree", self.private(repo)?)
            .args(["-z", "--full-tree", commit.as_str(), "--"])
            .arg(path);
        let listed = self.children.run(&call)?.local(&doing)?.text();
        let Some((head, _)) = listed.split_once('\t') else { return Ok(None) };
        let words: Vec<&str> = head.split(' ').collect();
        let [mode, "blob", oid] = words[..] else { return Ok(None) };
        if mode == "120000" {
            return Err(PortError::refused(format!(
                "{doing}: it is a symbolic link, which is not followed."
            )));
        }
        let oid = names::oid(oid, &doing)?;
        let object = self.objects(repo, std::iter::once(&oid), &doing)?.pop().flatten();
        let (_, bytes) =
            object.ok_or_else(|| PortError::broken(format!("{doing}: its content is not there.")))?;
        if bytes.len() > MAX_FILE_BYTES {
            return Err(PortError::refused(format!("{doing}: it is larger than 1 MB.")));
        }
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_odd| PortError::refused(format!("{doing}: it is not UTF-8 text.")))
    }

    fn commit_files(
        &self,
        repo: &RepoId,
        parent: &Oid,
        files: &[ManifestFile],
        message: &str,
        at: UnixTime,
    ) -> PortResult<Option<Oid>> {
        let doing = format!("committing to {repo}");
        let private = self.private(repo)?;
        let (_scratch, index) = self.scratch_index(repo, parent, &doing)?;
        for file in files {
            let call =
                Call::new("git.hash-object", &private).args(["-w", "--stdin"]).stdin(file.text.as_bytes());
            let blob = names::oid(&self.children.run(&call)?.local(&doing)?.text(), &doing)?;
            let call = Call::new("git.ls-files", &private)
                .env("GIT_INDEX_FILE", &index)
                .args(["-s", "-z", "--"])
                .arg(&file.path);
            let listed = self.children.run(&call)?.local(&doing)?.text();
            let mode = listed.split(' ').next().filter(|m| m.len() == 6).unwrap_or("100644").to_owned();
            let call = Call::new("git.update-index", &private)
                .env("GIT_INDEX_FILE", &index)
                .args(["-z", "--index-info"])
                .stdin(format!("{mode} {blob}\t{}\0", file.path));
            self.children.run(&call)?.local(&doing)?;
        }
        self.commit_index(repo, &index, parent, message, at, &doing)
    }

    fn commit_work(
        &self,
        repo: &RepoId,
        folder: &RunFolder,
        parent: &Oid,
        message: &str,
        at: UnixTime,
    ) -> PortResult<Option<Oid>> {
        let doing = format!("taking the agent's work on {repo}");
        let space = self.inspect(repo, folder)?;
        let (_scratch, index) = self.scratch_index(repo, parent, &doing)?;
        let call = self.in_work("git.add", repo, &space.work, &index)?.args(["--all", "--", "."]);
        let answer = self.children.run(&call)?;
        if !answer.good() {
            return Err(PortError::refused(format!("{doing}: git would not take it: {}.", answer.said())));
        }
        self.commit_index(repo, &index, parent, message, at, &doing)
    }

    fn commit_patch(
        &self,
        repo: &RepoId,
        parent: &Oid,
        patch: &str,
        message: &str,
        at: UnixTime,
    ) -> PortResult<Option<Oid>> {
        let doing = format!("applying the change of tests to {repo}");
        let (_scratch, index) = self.scratch_index(repo, parent, &doing)?;
        let call = Call::new("git.apply", self.private(repo)?)
            .env("GIT_INDEX_FILE", &index)
            .args(["--cached", "--whitespace=nowarn", "-"])
            .stdin(patch.as_bytes());
        let answer = self.children.run(&call)?;
        if !answer.good() {
            return Err(PortError::refused(format!("{doing}: it does not apply: {}.", answer.said())));
        }
        self.commit_index(repo, &index, parent, message, at, &doing)
    }

    fn adds_nothing(&self, repo: &RepoId, upstream: &Oid, head: &Oid) -> PortResult<bool> {
        let doing = format!("merging {} into upstream of {repo}, to look only", head.short());
        let call = Call::new("git.merge-tree", self.private(repo)?)
            .args(["--write-tree", "--no-messages"])
            .args([upstream.as_str(), head.as_str()]);
        let answer = self.children.run(&call)?;
        if answer.code == Some(1) || answer.stderr.contains("unrelated histories") {
            return Ok(false);
        }
        let merged = answer.local(&doing)?.text();
        Ok(merged.trim() == self.tree_of(repo, upstream, &doing)?)
    }

    fn commits(&self, repo: &RepoId, base: &Oid, head: &Oid) -> PortResult<Vec<Oid>> {
        let doing = format!("listing the commits of {} in {repo}", head.short());
        let call = Call::new("git.rev-list", self.private(repo)?).arg(format!("{base}..{head}")).lasting();
        let text = self.children.run(&call)?.local(&doing)?.text();
        text.lines().map(|line| names::oid(line, &doing)).collect()
    }
}

impl RecipePush for GitRooms {
    fn push_upgrade(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        expected: Option<&Oid>,
        head: &Oid,
    ) -> PortResult<Pushed> {
        below(branch, BRANCHES)?;
        self.push_leased(repo, remote, branch, expected, Some(head))
    }

    fn delete_upgrade(&self, repo: &RepoId, remote: &Remote, branch: &str, head: &Oid) -> PortResult<Pushed> {
        below(branch, BRANCHES)?;
        self.push_leased(repo, remote, branch, Some(head), None)
    }

    fn sync_mirror(
        &self,
        repo: &RepoId,
        remote: &Remote,
        branch: &str,
        seen: Option<&Oid>,
        upstream: &Oid,
    ) -> PortResult<Pushed> {
        let doing = format!("bringing {branch} of {repo} to upstream");
        let call = Call::new("git.rev-parse", self.private(repo)?).args(["--verify", "--quiet", UPSTREAM]);
        let fetched = self.children.run(&call)?.text();
        if fetched.trim() != upstream.as_str() {
            return Err(PortError::later(format!(
                "{doing}: {} is not the commit that was fetched from upstream last. The next tick looks again.",
                upstream.short()
            )));
        }
        if branch.starts_with(BRANCHES) || branch.starts_with(BACKUPS) {
            return Err(PortError::refused(format!("{doing}: this branch is no main branch.")));
        }
        self.push_leased(repo, remote, branch, seen, Some(upstream))
    }

    fn push_backup(&self, repo: &RepoId, remote: &Remote, date: &str, head: &Oid) -> PortResult<Pushed> {
        let branch = format!("{BACKUPS}{date}-{}", head.short());
        self.push_leased(repo, remote, &branch, None, Some(head))
    }
}

fn below(branch: &str, prefix: &str) -> PortResult<()> {
    if branch.starts_with(prefix) {
        return Ok(());
    }
    Err(PortError::refused(format!(
        "pushing to the branch {}: upgrades push to {prefix} only. This is a fault of offhours; please report it.",
        names::cleaned(branch.as_bytes())
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_branches_are_pushed() {
        assert!(below("upgrade/app/1.0.0+1", BRANCHES).is_ok());
        for bad in ["main", "upgrade", "upgrades/x", "x/upgrade/y", "refs/heads/upgrade/x"] {
            assert!(below(bad, BRANCHES).is_err(), "{bad}");
        }
    }
}
