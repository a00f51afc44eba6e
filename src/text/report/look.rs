//! What the page is made from.

use crate::domain::lesson::Record;
use crate::domain::model::{Outcome, UnixTime};

/// A run, as it is looked back on.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    pub repo: String,
    pub template: String,
    /// Its end; none while it is in flight.
    pub outcome: Option<Outcome>,
    pub created_at: UnixTime,
    pub ended_at: Option<UnixTime>,
    pub turns: u32,
    pub cost_usd: f64,
    pub cost_unknown: bool,
}

/// What the page is made from.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Look {
    pub now: UnixTime,
    pub days: u32,
    pub runs: Vec<Past>,
    /// Cause, since when, detail.
    pub alarms: Vec<(String, UnixTime, String)>,
    /// Type and how many; none where the journal is off.
    pub lessons: Option<Vec<(String, u64)>>,
    /// The newest of them.
    pub met: Vec<Record>,
    /// Versions that were tried out, oldest first.
    pub canaries: Vec<Tried>,
    /// Upgrades, oldest first.
    pub upgrades: Vec<Upgraded>,
}

/// A version of a template that is or was tried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// `c1: implementer@2 against implementer@1`.
    pub title: String,
    pub since: UnixTime,
    /// How it stands or ended.
    pub sentence: String,
    /// ln E after each closed block, for the two questions.
    pub rollback: Vec<f64>,
    pub graduate: Vec<f64>,
    /// The ln E at which each of them is answered.
    pub rollback_bound: f64,
    pub graduate_bound: f64,
}

/// What became of one recipe in a batch of upgrades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    pub at: UnixTime,
    pub recipe: String,
    pub version: String,
    /// The code of its end.
    pub result: String,
    pub line: String,
}
