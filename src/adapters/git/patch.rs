//! Whether a patch is on the target, however it was merged.
//!
//! Patches are compared by git's stable patch ids, which leave out line numbers and white space, with one line around
//! each change: the smallest surrounding that a merge without a conflict cannot have altered. Binary files count with
//! their content. Only commits that touch the very same paths are read whole, so that a target with large commits of
//! its own costs little.

use std::collections::{BTreeMap, BTreeSet};

use super::GitRooms;
use super::change::lines;
use super::child::Call;
use crate::domain::model::{Oid, RepoId};
use crate::ports::{History as _, PortError, PortResult};

/// Newest commits of the target that are looked at. A merge that is older was seen by an earlier tick.
const COMMITS: usize = 500;

/// How a patch is written for `patch-id`.
const WRITTEN: [&str; 7] =
    ["-p", "-U1", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv"];

/// How many commits have a patch of this id.
type Patches = BTreeMap<String, u32>;

/// A commit and the paths that it changes against its first parent, as git quotes them.
struct Touching {
    oid: Oid,
    parents: Vec<Oid>,
    paths: BTreeSet<String>,
}

impl GitRooms {
    pub(super) fn has_patch(&self, repo: &RepoId, target: &Oid, from: &Oid, head: &Oid) -> PortResult<bool> {
        let doing =
            format!("asking in {repo} whether {} is on the target at {}", head.short(), target.short());
        if !self.is_ancestor(repo, from, head)? {
            return Err(PortError::broken(format!(
                "{doing}: the work does not contain {}, from which it is said to start. Fetch both again.",
                from.short()
            )));
        }
        // The target went on from where the work did and has nothing that the work lacks: what differs is the work.
        if (from == target || self.is_ancestor(repo, from, target)?)
            && self.is_ancestor(repo, target, head)?
            && !self.same_files(repo, head, target, &doing)?
        {
            return Ok(false);
        }
        let Some((whole, paths)) = self.whole_patch(repo, from, head, &doing)? else { return Ok(false) };
        if self.is_ancestor(repo, head, target)? {
            return Ok(true);
        }
        let theirs = self.touching(repo, target, &[head], COMMITS, &doing)?;
        // What the target has by name needs no other there. One more than is compared: more are never taken for a rebase.
        let ours = self.touching(repo, head, &[from, target], COMMITS + 1, &doing)?;
        let mut wanted: BTreeSet<&BTreeSet<String>> = ours.iter().map(|commit| &commit.paths).collect();
        wanted.insert(&paths);
        let candidates = theirs.iter().filter(|commit| wanted.contains(&commit.paths));
        let there = self.patches(repo, candidates, &doing)?;
        if there.contains_key(&whole) {
            return Ok(true);
        }
        if ours.len() > COMMITS {
            return Ok(false);
        }
        for merge in ours.iter().filter(|commit| commit.parents.len() > 1) {
            if !self.merged_by_itself(repo, merge, &doing)? {
                return Ok(false);
            }
        }
        let needed = self.patches(repo, ours.iter().filter(|commit| commit.parents.len() == 1), &doing)?;
        Ok(needed.iter().all(|(id, times)| there.get(id).is_some_and(|found| found >= times)))
    }

    /// The id of everything that `head` has more than `from`, and its paths; nothing where their files are the same.
    fn whole_patch(
        &self,
        repo: &RepoId,
        from: &Oid,
        head: &Oid,
        doing: &str,
    ) -> PortResult<Option<(String, BTreeSet<String>)>> {
        let private = self.private(repo)?;
        let ends = [from.as_str(), head.as_str()];
        let call = Call::new("git.diff-tree", &private)
            .args(["-r", "--name-only", "--no-renames"])
            .args(ends)
            .lasting();
        let names = self.children.run(&call)?.local(doing)?.text();
        let paths: BTreeSet<String> = names.lines().map(str::to_owned).collect();
        if paths.is_empty() {
            return Ok(None);
        }
        let call = Call::new("git.diff-tree", &private).arg("-r").args(WRITTEN).args(ends).lasting();
        let patch = self.children.run(&call)?.local(doing)?.stdout;
        match self.ids(repo, patch, doing)?.into_keys().next() {
            Some(id) => Ok(Some((id, paths))),
            None => Err(unreadable(doing, "the whole patch")),
        }
    }

    /// The newest commits that `head` has and none of `known`.
    fn touching(
        &self,
        repo: &RepoId,
        head: &Oid,
        known: &[&Oid],
        most: usize,
        doing: &str,
    ) -> PortResult<Vec<Touching>> {
        let call = Call::new("git.log", self.private(repo)?)
            .args(["--no-show-signature", "--no-color", "--diff-merges=first-parent", "--name-only"])
            .args(["--no-renames", "--format=%x00%H %P"])
            .arg(format!("--max-count={most}"))
            .args([head.as_str(), "--not"])
            .args(known.iter().map(|oid| oid.as_str()))
            .lasting();
        let text = self.children.run(&call)?.local(doing)?.text();
        let read = |part: &str| {
            let mut rows = part.lines();
            let mut oids = rows.next()?.split(' ').filter(|word| !word.is_empty()).map(Oid::parse);
            Some(Touching {
                oid: oids.next()??,
                parents: oids.collect::<Option<_>>()?,
                paths: rows.filter(|row| !row.is_empty()).map(str::to_owned).collect(),
            })
        };
        let commits: Option<Vec<Touching>> = text.split('\0').skip(1).map(read).collect();
        commits.ok_or_else(|| unreadable(doing, "the list of commits"))
    }

    /// The patches of these commits against their first parents. One that changes nothing has none.
    fn patches<'a>(
        &self,
        repo: &RepoId,
        commits: impl Iterator<Item = &'a Touching>,
        doing: &str,
    ) -> PortResult<Patches> {
        let list = lines(commits.map(|commit| &commit.oid));
        if list.is_empty() {
            return Ok(Patches::new());
        }
        let call = Call::new("git.log", self.private(repo)?)
            .args(["--no-walk=unsorted", "--stdin", "--no-show-signature", "--no-color", "--format=%H"])
            .arg("--diff-merges=first-parent")
            .args(WRITTEN)
            .stdin(list)
            .lasting();
        let patches = self.children.run(&call)?.local(doing)?.stdout;
        self.ids(repo, patches, doing)
    }

    fn ids(&self, repo: &RepoId, patches: Vec<u8>, doing: &str) -> PortResult<Patches> {
        if patches.is_empty() {
            return Ok(Patches::new());
        }
        let call = Call::new("git.patch-id", self.private(repo)?).arg("--stable").stdin(patches).lasting();
        let text = self.children.run(&call)?.local(doing)?.text();
        let mut found = Patches::new();
        for line in text.lines() {
            let id = line.split(' ').next().and_then(Oid::parse);
            let id = id.ok_or_else(|| unreadable(doing, "the id of a patch"))?;
            *found.entry(id.to_string()).or_default() += 1;
        }
        Ok(found)
    }

    /// Whether a merge in the work holds nothing but what git makes of its two sides: then a rebase may leave it out.
    fn merged_by_itself(&self, repo: &RepoId, merge: &Touching, doing: &str) -> PortResult<bool> {
        let [one, other] = merge.parents.as_slice() else { return Ok(false) };
        let call =
            Call::new("git.rev-parse", self.private(repo)?).arg(format!("{}^{{tree}}", merge.oid)).lasting();
        let tree = self.children.run(&call)?.local(doing)?.text();
        match self.merge_trees(repo, one, other, doing) {
            Ok(made) => Ok(made.is_ok_and(|made| made == tree.trim())),
            // Two histories that know nothing of each other, joined by the agent.
            Err(PortError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn unreadable(doing: &str, what: &str) -> PortError {
    PortError::broken(format!(
        "{doing}: git's answer about {what} could not be read. The next tick tries again."
    ))
}
