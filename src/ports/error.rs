//! Why a port did not do or tell what it was asked.

use crate::domain::model::UnixTime;

/// Why a port did not do or tell what it was asked.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum PortError {
    /// Unreachable, limited or busy. Tried again by a later tick; `after` where the other side named a time.
    #[error("{what}")]
    Later { what: String, after: Option<UnixTime> },
    /// The other side said no, and will say so again (permission, rule, conflict).
    #[error("{what}")]
    Refused { what: String },
    /// The credentials were refused.
    #[error("{what}")]
    Credentials { what: String },
    /// It is not there (any more).
    #[error("{what}")]
    Gone { what: String },
    /// The answer makes no sense. Handled like `Later`, and said.
    #[error("{what}")]
    Broken { what: String },
}

impl PortError {
    /// The other side was asked, and its answer stays what it is.
    pub fn is_no(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Gone { .. } => true,
            Self::Later { .. } | Self::Credentials { .. } | Self::Broken { .. } => false,
        }
    }
    pub fn later(what: impl Into<String>) -> Self {
        Self::Later { what: what.into(), after: None }
    }
    pub fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into() }
    }
    pub fn broken(what: impl Into<String>) -> Self {
        Self::Broken { what: what.into() }
    }
    pub fn gone(what: impl Into<String>) -> Self {
        Self::Gone { what: what.into() }
    }
}

pub type PortResult<T> = Result<T, PortError>;
