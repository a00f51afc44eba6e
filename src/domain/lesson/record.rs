//! A lesson as it is kept.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::model::UnixTime;

/// Where a lesson stands with people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    New,
    InProgress,
    Closed,
}

/// Whose fault it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Attribution {
    Platform,
    Project,
    Both,
}

/// A lesson as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: i64,
    pub created_at: UnixTime,
    pub updated_at: Option<UnixTime>,
    pub lesson_type: String,
    pub work_item_id: Option<String>,
    pub task_id: Option<String>,
    pub turn: Option<u32>,
    pub stage: Option<String>,
    pub agent: Option<String>,
    pub repo: Option<String>,
    pub root_cause: Option<String>,
    pub suggestion: Option<String>,
    pub detail: Option<String>,
    pub status: Status,
    pub related_task: Option<String>,
    pub source: String,
    pub attribution: Option<Attribution>,
    pub target_repo: Option<String>,
    pub target_domain: Option<String>,
    pub occurrences: u32,
    pub last_seen_at: UnixTime,
    pub approved_at: Option<UnixTime>,
    pub expires_at: Option<UnixTime>,
    pub untrusted: bool,
}

impl Status {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

impl Attribution {
    pub fn code(self) -> &'static str {
        self.into()
    }
}
