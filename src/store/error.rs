//! What goes wrong with the state file.

use crate::error::{Error, Kind};

/// Why the state file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the state file {path} {what}")]
    Unusable { path: String, what: String },
    /// It belongs to another machine or a newer offhours.
    #[error("the state file {path} {what}")]
    Foreign { path: String, what: String },
    #[error("the state file could not be {doing}: {source}")]
    Sql { doing: &'static str, source: rusqlite::Error },
    #[error("a row of the state file makes no sense: {what}")]
    Row { what: String },
}

pub type StoreResult<T> = Result<T, StoreError>;

/// Turns a database error into one that says what was being done.
pub(crate) fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sql { doing, source }
}

/// What goes wrong while a row is read.
impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        sql("read")(source)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Foreign { .. } => Kind::Config,
            StoreError::Unusable { .. } | StoreError::Sql { .. } => Kind::TryLater,
            StoreError::Row { .. } => Kind::Internal,
        };
        let hint = match &error {
            StoreError::Sql { source, .. } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => {
                    Some("the disk is full: make room; nothing was lost, and the next tick goes on")
                }
                Some(
                    rusqlite::ErrorCode::ReadOnly
                    | rusqlite::ErrorCode::CannotOpen
                    | rusqlite::ErrorCode::PermissionDenied,
                ) => Some("check the owner and the rights of the state file and of its folder"),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                    Some("another process holds it; the next tick tries again")
                }
                _ => None,
            },
            StoreError::Unusable { .. } | StoreError::Foreign { .. } | StoreError::Row { .. } => None,
        };
        let out = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => out.hint(hint),
            None => out,
        }
    }
}
