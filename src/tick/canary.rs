//! How a canary stands, for people and scripts.

use crate::domain::canary::Decision;
use crate::domain::harvest::{Arms, Distance, Entry};
use crate::store::{CanaryRow, TemplateRow};

/// How a canary stands, for people and scripts.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryReport {
    pub row: CanaryRow,
    pub version: TemplateRow,
    pub champion: TemplateRow,
    pub decision: Decision,
    /// The version fails whatever the issue: no numbers are needed.
    pub fails: bool,
    pub champion_arm: Arms,
    pub canary_arm: Arms,
    pub rollback: Distance,
    pub graduate: Distance,
    pub blocks: usize,
    /// The run that decided it.
    pub decided_by: Option<String>,
    pub pending: Vec<Entry>,
    pub sentence: String,
}
