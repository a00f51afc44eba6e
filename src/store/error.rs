//! What goes wrong with the state file.

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
