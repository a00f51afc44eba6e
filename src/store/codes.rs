//! How the tables spell what the domain names.

use std::str::FromStr;

use super::error::{StoreError, StoreResult};
use crate::domain::model::{Oid, Outcome, RepoId};

/// Reads a closed enum's word.
pub(super) fn word<T: FromStr>(what: &str, code: &str) -> StoreResult<T> {
    code.parse().map_err(|_unknown| odd(what, code))
}

pub(super) fn odd(what: &str, value: &str) -> StoreError {
    StoreError::Row { what: format!("{what} `{value}`") }
}

pub(super) fn outcome(code: &str) -> StoreResult<Outcome> {
    Outcome::parse(code).ok_or_else(|| odd("outcome", code))
}

pub(super) fn oid(text: &str) -> StoreResult<Oid> {
    Oid::parse(text).ok_or_else(|| odd("object name", text))
}

/// Reads a repo's name as the store spells it.
pub(super) fn repo_id(text: &str) -> StoreResult<RepoId> {
    RepoId::parse(text, None).ok_or_else(|| odd("repo", text))
}
