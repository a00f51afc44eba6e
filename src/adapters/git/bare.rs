//! A bare repository that is ours to write: what the local forge does in place of a server.
//!
//! Merges happen without a work tree. Refs change only from a value that was read before, several of them at once or
//! none.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::child::{Answer, Call, Children, Known};
use super::names;
use crate::domain::model::{Oid, UnixTime};
use crate::ports::{PortError, PortResult};

/// Merges of large repositories take their time.
const TIMEOUT: Duration = Duration::from_secs(120);
/// More commits than this are not replayed one by one.
const MAX_REPLAYED: usize = 1000;

/// Whether git allows this as the name of a branch.
pub fn is_branch(name: &str) -> bool {
    names::good_branch(name)
}

/// Who makes a commit, and when.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    pub name: &'a str,
    pub at: UnixTime,
}

/// A commit that brings work to a target, or the paths that are in its way.
pub type Made = Result<Oid, Vec<String>>;

/// One ref of a change of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefChange {
    /// Has to be there.
    Verify(String, Oid),
    /// From the first to the second.
    Move(String, Oid, Oid),
    /// From whatever it is.
    Set(String, Oid),
}

/// What was asked before and never has another answer.
#[derive(Clone, Default)]
pub struct Memory(Known);

pub struct Bare {
    dir: PathBuf,
    children: Children,
}

impl Bare {
    /// The repository at `dir`, which is not looked at yet.
    pub fn at(dir: PathBuf, memory: &Memory) -> Self {
        // Nothing of git's configuration is in a repository's own folder.
        let children = Children { known: memory.0.clone(), ..Children::new(dir.clone(), TIMEOUT) };
        Self { dir, children }
    }

    /// Makes the repository, with `main` as its branch; one that is there stays as it is.
    pub fn init(&self) -> PortResult<()> {
        if self.dir.join("HEAD").exists() {
            return Ok(());
        }
        let doing = format!("making the repository {}", self.dir.display());
        std::fs::create_dir_all(&self.dir)
            .map_err(|error| PortError::refused(format!("{doing} failed: {error}. Look at that folder.")))?;
        let call = Call::new("git.init", &self.dir).args([
            "--quiet",
            "--bare",
            "--template=",
            "--initial-branch=main",
        ]);
        self.good(self.children.run(&call)?, &doing)?;
        Ok(())
    }

    /// Every ref below these names, or of these names.
    pub fn refs(&self, names: &[&str]) -> PortResult<BTreeMap<String, Oid>> {
        let doing = format!("reading the refs of {}", self.dir.display());
        if !self.dir.is_dir() {
            return Err(PortError::gone(format!(
                "{doing}: there is no repository. Make one with git init --bare, or put it there."
            )));
        }
        let call = Call::new("git.for-each-ref", &self.dir)
            .arg("--format=%(objectname) %(refname)")
            .arg("--")
            .args(names);
        let text = self.good(self.children.run(&call)?, &doing)?.text();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        lines.map(|(oid, name)| Ok((name.to_owned(), names::oid(oid, &doing)?))).collect()
    }

    /// Whether `ancestor` is in the history of `of`. A commit that is not there is in nobody's.
    pub fn contains(&self, of: &Oid, ancestor: &Oid) -> PortResult<bool> {
        let call = Call::new("git.merge-base", &self.dir)
            .arg("--is-ancestor")
            .args([ancestor.as_str(), of.as_str()])
            .lasting();
        let answer = self.children.run(&call)?;
        let unknown = answer.stderr.contains("Not a valid") || answer.stderr.contains("not a valid");
        if answer.code == Some(1) || unknown {
            return Ok(false);
        }
        let doing = format!("asking whether {} contains {}", of.short(), ancestor.short());
        self.good(answer, &doing)?;
        Ok(true)
    }

    /// First lines of the commits that are in `head` and not in `base`, oldest first.
    pub fn subjects(&self, base: &Oid, head: &Oid) -> PortResult<Vec<String>> {
        let doing = format!("reading the commits of {}", head.short());
        let call = Call::new("git.log", &self.dir)
            .args(["--no-show-signature", "--no-merges", "--reverse", "--format=%s"])
            .arg(format!("{base}..{head}"))
            .lasting();
        let text = self.good(self.children.run(&call)?, &doing)?.text();
        Ok(text.lines().map(|line| names::cleaned(line.as_bytes())).collect())
    }

    /// What `head` changed since it and `base` parted, for people to read.
    pub fn diff(&self, base: &str, head: &Oid) -> PortResult<String> {
        let doing = format!("comparing {} with its target", head.short());
        let call = Call::new("git.diff", &self.dir)
            .args(["--no-color", "--no-ext-diff", "--no-textconv", "--merge-base"])
            .args([base, head.as_str()]);
        Ok(self.good(self.children.run(&call)?, &doing)?.text())
    }

    /// A merge commit of `head` into `target`.
    pub fn merged(&self, target: &Oid, head: &Oid, message: &str, maker: Maker<'_>) -> PortResult<Made> {
        let doing = format!("merging {} into {}", head.short(), target.short());
        let tree = match self.trees(None, target, head, &doing)? {
            Ok(tree) => tree,
            Err(paths) => return Ok(Err(paths)),
        };
        let call = self.commit_call(&tree, &[target, head], maker).stdin(ended(message));
        self.commit(&call, &doing).map(Ok)
    }

    /// All of `head` as one commit on `target`, by the author of `head`.
    pub fn squashed(&self, target: &Oid, head: &Oid, message: &str, maker: Maker<'_>) -> PortResult<Made> {
        let doing = format!("squashing {} onto {}", head.short(), target.short());
        let tree = match self.trees(None, target, head, &doing)? {
            Ok(tree) => tree,
            Err(paths) => return Ok(Err(paths)),
        };
        let author = self.author(head, &doing)?;
        let call = author.put(self.commit_call(&tree, &[target], maker)).stdin(ended(message));
        self.commit(&call, &doing).map(Ok)
    }

    /// The commits of `head`, but merges, one by one on `target`. What brings nothing (any more) is left out.
    pub fn rebased(&self, target: &Oid, head: &Oid, maker: Maker<'_>) -> PortResult<Made> {
        let doing = format!("putting the commits of {} onto {}", head.short(), target.short());
        let call = Call::new("git.rev-list", &self.dir)
            .args(["--reverse", "--topo-order", "--no-merges", "--parents"])
            .arg(format!("{target}..{head}"));
        let list = self.good(self.children.run(&call)?, &doing)?.text();
        if list.lines().count() > MAX_REPLAYED {
            return Err(PortError::refused(format!(
                "{doing}: these are more than {MAX_REPLAYED}. Merge with a merge commit or squash them."
            )));
        }
        let mut tip = target.clone();
        for line in list.lines() {
            let mut oids = line.split(' ');
            let oid = names::oid(oids.next().unwrap_or_default(), &doing)?;
            let Some(parent) = oids.next() else {
                return Err(PortError::refused(format!(
                    "{doing}: {} has no parent. Merge with a merge commit.",
                    oid.short()
                )));
            };
            let parent = names::oid(parent, &doing)?;
            let tree = match self.trees(Some(&parent), &tip, &oid, &doing)? {
                Ok(tree) => tree,
                Err(paths) => return Ok(Err(paths)),
            };
            if tree == self.tree_of(&tip, &doing)? {
                continue;
            }
            let author = self.author(&oid, &doing)?;
            let call = author.put(self.commit_call(&tree, &[&tip], maker)).stdin(author.message.clone());
            tip = self.commit(&call, &doing)?;
        }
        Ok(Ok(tip))
    }

    /// Changes all of these refs or none. False where one is not what it was read as (any more).
    pub fn change_refs(&self, changes: &[RefChange]) -> PortResult<bool> {
        let mut lines = String::new();
        for change in changes {
            let line = match change {
                RefChange::Verify(name, oid) => format!("verify {name} {oid}\n"),
                RefChange::Move(name, old, new) => format!("update {name} {new} {old}\n"),
                RefChange::Set(name, new) => format!("update {name} {new}\n"),
            };
            lines.push_str(&line);
        }
        let call = Call::new("git.update-ref", &self.dir).arg("--stdin").stdin(lines);
        let answer = self.children.run(&call)?;
        if answer.good() {
            return Ok(true);
        }
        let names: Vec<&str> = changes
            .iter()
            .map(|change| match change {
                RefChange::Verify(name, _) | RefChange::Move(name, ..) | RefChange::Set(name, _) => {
                    name.as_str()
                }
            })
            .collect();
        // What git says of it depends on its version; what stands there does not.
        let now = self.refs(&names)?;
        let moved = changes.iter().any(|change| match change {
            RefChange::Verify(name, oid) | RefChange::Move(name, oid, _) => now.get(name) != Some(oid),
            RefChange::Set(..) => false,
        });
        if moved {
            return Ok(false);
        }
        Err(PortError::later(format!(
            "changing refs of {}: git ended with {} and said: {}. It is tried again by the next tick.",
            self.dir.display(),
            answer.ending(),
            answer.said()
        )))
    }

    /// The tree of both sides merged, from `base` or from where they parted, or the paths that conflict.
    fn trees(
        &self,
        base: Option<&Oid>,
        ours: &Oid,
        theirs: &Oid,
        doing: &str,
    ) -> PortResult<Result<String, Vec<String>>> {
        let mut call = Call::new("git.merge-tree", &self.dir).args([
            "--write-tree",
            "-z",
            "--name-only",
            "--no-messages",
        ]);
        if let Some(base) = base {
            call = call.arg(format!("--merge-base={base}"));
        }
        let answer = self.children.run(&call.args([ours.as_str(), theirs.as_str()]))?;
        let text = answer.text();
        let mut parts = text.split('\0').filter(|part| !part.is_empty());
        match answer.code {
            Some(0) => Ok(Ok(parts.next().unwrap_or_default().trim().to_owned())),
            Some(1) => {
                let mut paths: Vec<String> = parts.skip(1).map(str::to_owned).collect();
                paths.sort();
                paths.dedup();
                Ok(Err(paths))
            }
            _ if answer.stderr.contains("unrelated histories") => {
                Err(PortError::refused(format!("{doing}: the two share no history.")))
            }
            _ if base.is_some() && answer.code == Some(129) => Err(PortError::refused(format!(
                "{doing}: this git cannot do it. Install git 2.40 or newer, or merge with a merge commit."
            ))),
            _ => self.good(answer, doing).map(|_| Ok(String::new())),
        }
    }

    fn tree_of(&self, oid: &Oid, doing: &str) -> PortResult<String> {
        let call = Call::new("git.rev-parse", &self.dir)
            .args(["--verify", "--quiet"])
            .arg(format!("{oid}^{{tree}}"))
            .lasting();
        Ok(self.good(self.children.run(&call)?, doing)?.text().trim().to_owned())
    }

    fn commit_call(&self, tree: &str, parents: &[&Oid], maker: Maker<'_>) -> Call {
        let date = format!("@{} +0000", maker.at.0.max(0));
        let plain = |c: &char| !c.is_control() && !"<>".contains(*c);
        let name: String = maker.name.chars().filter(plain).take(100).collect();
        // An account's name without anything that an address cannot hold.
        let word: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        let word = if word.is_empty() { "offhours" } else { word.as_str() };
        let name = if name.chars().any(char::is_alphanumeric) { name.as_str() } else { "offhours" };
        let mut call = Call::new("git.commit-tree", &self.dir)
            .env("GIT_AUTHOR_NAME", name)
            .env("GIT_AUTHOR_EMAIL", format!("{word}@localhost"))
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", name)
            .env("GIT_COMMITTER_EMAIL", format!("{word}@localhost"))
            .env("GIT_COMMITTER_DATE", &date)
            .arg(tree);
        for parent in parents {
            call = call.arg("-p").arg(parent.as_str());
        }
        call.args(["-F", "-"])
    }

    fn commit(&self, call: &Call, doing: &str) -> PortResult<Oid> {
        names::oid(&self.good(self.children.run(call)?, doing)?.text(), doing)
    }

    /// Author and message of a commit, byte for byte.
    fn author(&self, oid: &Oid, doing: &str) -> PortResult<Author> {
        let call = Call::new("git.log", &self.dir)
            .args(["-1", "--no-show-signature", "--date=raw", "--format=format:%an%x00%ae%x00%ad%x00%B"])
            .arg(oid.as_str());
        let bytes = self.good(self.children.run(&call)?, doing)?.stdout;
        let mut parts = bytes.splitn(4, |b| *b == 0).map(<[u8]>::to_vec);
        let mut next = || parts.next().unwrap_or_default();
        Ok(Author { name: next(), email: next(), date: next(), message: next() })
    }

    fn good(&self, answer: Answer, doing: &str) -> PortResult<Answer> {
        if answer.good() {
            return Ok(answer);
        }
        Err(PortError::broken(format!(
            "{doing}: git ended with {} and said: {}. Look at {} with git fsck; it is tried again by the next tick.",
            answer.ending(),
            answer.said(),
            self.dir.display()
        )))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

struct Author {
    name: Vec<u8>,
    email: Vec<u8>,
    date: Vec<u8>,
    message: Vec<u8>,
}

impl Author {
    fn put(&self, call: Call) -> Call {
        let name = if self.name.is_empty() { b"unknown".as_slice() } else { &self.name };
        let date = [b"@", self.date.as_slice()].concat();
        call.env("GIT_AUTHOR_NAME", OsStr::from_bytes(name))
            .env("GIT_AUTHOR_EMAIL", OsStr::from_bytes(&self.email))
            .env("GIT_AUTHOR_DATE", OsStr::from_bytes(&date))
    }
}

fn ended(message: &str) -> String {
    format!("{}\n", message.trim_end())
}
