//! What a receipt tells, as it was observed.

use crate::domain::model::CheckState;

/// What one check said of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    pub name: String,
    pub state: CheckState,
}

/// What the repo's own tests said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Verified {
    NotConfigured,
    Green,
    Red,
    #[default]
    NotSeen,
}

/// What a run's turns cost.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Cost {
    pub known_usd: f64,
    /// Turns that did not tell are beside it.
    pub unknown: bool,
}

/// Facts for the receipt, as they were observed.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReceiptFacts {
    /// The title as it was approved.
    pub title: String,
    pub checks: Vec<Reported>,
    pub verify: Verified,
    pub cost: Cost,
    pub template: String,
    /// Seen after the landing: the target contains the pushed head.
    pub on_target: bool,
    /// The config says that no checks are needed.
    pub none_required: bool,
    /// Numbers of the lessons that the run was told of.
    pub lessons: Vec<i64>,
    /// How each turn ended, a stable word each.
    pub turn_ends: Vec<String>,
}

impl ReceiptFacts {
    /// A check really ran and succeeded.
    pub fn ran(&self) -> bool {
        self.checks.iter().any(|check| check.state == CheckState::Green)
    }
}
