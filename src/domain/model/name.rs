//! What things are called, and when: moments, repositories, issues, git objects.

use std::fmt;

/// Seconds since 1970-01-01 UTC. Handed in everywhere: the domain knows no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// The moment `seconds` later; saturates at the ends of the scale.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Whole seconds since `earlier`; never negative, because a clock may jump back.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// A repository: `forge:owner/name`. Compared exactly, as the allowlist names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoId {
    pub forge: String,
    pub owner: String,
    pub name: String,
}

impl RepoId {
    /// Reads `forge:owner/name`, or `owner/name` where `default_forge` is given.
    pub fn parse(text: &str, default_forge: Option<&str>) -> Option<Self> {
        let (forge, path) = match text.split_once(':') {
            Some((forge, path)) => (forge, path),
            None => (default_forge?, text),
        };
        let (owner, name) = path.split_once('/')?;
        let plain = |s: &str| {
            !s.is_empty()
                && s != "."
                && s != ".."
                && s.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        (plain(forge) && plain(owner) && plain(name)).then(|| Self {
            forge: forge.to_owned(),
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// `owner/name`, as people write it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.forge, self.owner, self.name)
    }
}

/// One issue of one repository. Shown as `forge:owner/name#n`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssueRef {
    pub repo: RepoId,
    pub number: u64,
}

impl fmt::Display for IssueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repo, self.number)
    }
}

/// A git object name: 40 or 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(String);

impl Oid {
    pub fn parse(text: &str) -> Option<Self> {
        let good = matches!(text.len(), 40 | 64)
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        good.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
