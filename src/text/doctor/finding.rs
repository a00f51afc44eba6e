//! What a check says.

use strum::IntoStaticStr;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Level {
    Good,
    /// Works, and is worth knowing.
    Note,
    /// Does not work.
    Bad,
}

impl Level {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: a stable word.
    pub check: &'static str,
    pub level: Level,
    pub what: String,
    /// What to do; for everything that is not good.
    pub remedy: Option<String>,
}

pub(super) fn good(check: &'static str, what: impl Into<String>) -> Finding {
    Finding { check, level: Level::Good, what: what.into(), remedy: None }
}

pub(super) fn note(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { check, level: Level::Note, what: what.into(), remedy: Some(remedy.into()) }
}

pub(super) fn bad(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { check, level: Level::Bad, what: what.into(), remedy: Some(remedy.into()) }
}
