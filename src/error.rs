//! Every way a command can fail, with the exit code and the hint. sysexits: 64 usage, 70 internal, 75 try again
//! later, 77 credentials refused, 78 configuration.

use std::fmt;

/// What kind of failure; several at once: the largest code wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Usage,
    Internal,
    TryLater,
    Refused,
    Config,
}

impl Kind {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 64,
            Self::Internal => 70,
            Self::TryLater => 75,
            Self::Refused => 77,
            Self::Config => 78,
        }
    }
}

/// A sentence for the person at the other end: what was being done and what came back; and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    pub what: String,
    pub hint: Option<String>,
}

impl Error {
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), hint: None }
    }
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Kind::Usage, what)
    }
    pub fn config(what: impl Into<String>) -> Self {
        Self::new(Kind::Config, what)
    }
    pub fn later(what: impl Into<String>) -> Self {
        Self::new(Kind::TryLater, what)
    }
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(Kind::Internal, what)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
