//! `result.json`: what the supervisor tells the tick.

use serde::{Deserialize, Serialize};

use crate::adapters::runner::usage::{BY_SIGNAL, bound};
use crate::domain::model::{CutBy, TurnEnd, UnixTime};

/// Of `result.json`: the second knows `result_unreadable` and `cut_off`.
pub(super) const RESULT_SCHEMA: u32 = 2;

#[derive(Serialize, Deserialize)]
pub(super) struct ResultFile {
    pub(super) schema: u32,
    pub(super) started_at: i64,
    pub(super) ended_at: i64,
    pub(super) end: EndFile,
    pub(super) exit_code: Option<i32>,
    pub(super) cost_usd: Option<f64>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    pub(super) session: Option<String>,
    pub(super) verify: Option<VerifyFile>,
    #[serde(default)]
    pub(super) hook_notes: Vec<String>,
    pub(super) summary: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct VerifyFile {
    pub(super) oid: String,
    pub(super) green: bool,
    pub(super) log_tail: String,
    pub(super) fingerprint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum EndFile {
    Finished,
    Blocked { reason: String },
    ResultUnreadable { why: String },
    Error { detail: String },
    TimedOut,
    Stalled,
    CutOff { by: CutByFile, detail: String },
    PermissionDenied { detail: String },
    Quota { resets_at: Option<i64>, detail: String },
    LoginRefused { detail: String },
    FailedToStart { detail: String },
    Stopped,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CutByFile {
    Budget,
    Steps,
    Outside,
}

impl From<CutBy> for CutByFile {
    fn from(by: CutBy) -> Self {
        match by {
            CutBy::Budget => Self::Budget,
            CutBy::Steps => Self::Steps,
            CutBy::Outside => Self::Outside,
        }
    }
}

impl From<CutByFile> for CutBy {
    fn from(by: CutByFile) -> Self {
        match by {
            CutByFile::Budget => Self::Budget,
            CutByFile::Steps => Self::Steps,
            CutByFile::Outside => Self::Outside,
        }
    }
}

/// The first schema had no word of its own for a turn that was cut off: it stands in the detail of an error.
pub(super) fn told_as_error(detail: &str) -> Option<CutBy> {
    let first = detail.split(':').next().unwrap_or_default();
    bound(first).or_else(|| detail.starts_with(BY_SIGNAL).then_some(CutBy::Outside))
}

impl From<&TurnEnd> for EndFile {
    fn from(end: &TurnEnd) -> Self {
        match end.clone() {
            TurnEnd::Finished => Self::Finished,
            TurnEnd::Blocked { reason } => Self::Blocked { reason },
            TurnEnd::ResultUnreadable { why } => Self::ResultUnreadable { why },
            TurnEnd::Error { detail } => Self::Error { detail },
            TurnEnd::TimedOut => Self::TimedOut,
            TurnEnd::Stalled => Self::Stalled,
            TurnEnd::CutOff { by, detail } => Self::CutOff { by: by.into(), detail },
            TurnEnd::PermissionDenied { detail } => Self::PermissionDenied { detail },
            TurnEnd::Quota { resets_at, detail } => Self::Quota { resets_at: resets_at.map(|t| t.0), detail },
            TurnEnd::LoginRefused { detail } => Self::LoginRefused { detail },
            TurnEnd::FailedToStart { detail } => Self::FailedToStart { detail },
            TurnEnd::Stopped => Self::Stopped,
        }
    }
}

impl From<EndFile> for TurnEnd {
    fn from(end: EndFile) -> Self {
        match end {
            EndFile::Finished => Self::Finished,
            EndFile::Blocked { reason } => Self::Blocked { reason },
            EndFile::ResultUnreadable { why } => Self::ResultUnreadable { why },
            EndFile::Error { detail } => Self::Error { detail },
            EndFile::TimedOut => Self::TimedOut,
            EndFile::Stalled => Self::Stalled,
            EndFile::CutOff { by, detail } => Self::CutOff { by: by.into(), detail },
            EndFile::PermissionDenied { detail } => Self::PermissionDenied { detail },
            EndFile::Quota { resets_at, detail } => {
                Self::Quota { resets_at: resets_at.map(UnixTime), detail }
            }
            EndFile::LoginRefused { detail } => Self::LoginRefused { detail },
            EndFile::FailedToStart { detail } => Self::FailedToStart { detail },
            EndFile::Stopped => Self::Stopped,
        }
    }
}
