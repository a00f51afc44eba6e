//! How the tables spell what the domain names.

use super::error::{StoreError, StoreResult};
use crate::domain::canary::Arm;
use crate::domain::effect::TurnKind;
use crate::domain::model::{Oid, RepoId};
use crate::domain::run::Phase;

pub(super) fn phase_code(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Active => "active",
        Phase::Ending => "ending",
        Phase::Ended => "ended",
    }
}

pub(super) fn turn_kind_code(kind: TurnKind) -> &'static str {
    match kind {
        TurnKind::First => "first",
        TurnKind::Continue => "continue",
        TurnKind::FixForward => "fix-forward",
        TurnKind::Review => "review",
    }
}

pub(super) fn parse_turn_kind(code: &str) -> StoreResult<TurnKind> {
    [TurnKind::First, TurnKind::Continue, TurnKind::FixForward, TurnKind::Review]
        .into_iter()
        .find(|kind| turn_kind_code(*kind) == code)
        .ok_or_else(|| odd("turn kind", code))
}

pub(super) fn odd(what: &str, value: &str) -> StoreError {
    StoreError::Row { what: format!("{what} `{value}`") }
}

pub(super) fn oid(text: &str) -> StoreResult<Oid> {
    Oid::parse(text).ok_or_else(|| odd("object name", text))
}

/// Reads a repo's name as the store spells it.
pub(super) fn repo_id(text: &str) -> StoreResult<RepoId> {
    RepoId::parse(text, None).ok_or_else(|| odd("repo", text))
}

pub(super) fn parse_arm(code: &str) -> StoreResult<Arm> {
    [Arm::Champion, Arm::Canary]
        .into_iter()
        .find(|arm| arm.code() == code)
        .ok_or(StoreError::Row { what: format!("arm `{code}`") })
}
