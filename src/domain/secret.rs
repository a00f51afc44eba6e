//! Secrets: a value that cannot be shown by accident, and where it comes from.

use std::fmt;
use std::path::PathBuf;

/// A secret's value. Neither `Debug` nor `Display` shows it, so that no log, error or row can hold it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: only for the request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Where a secret comes from. Read again on every tick, by `adapters::secret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// The content of a file, without the line break at its end.
    File(PathBuf),
    /// A file of this name in `$CREDENTIALS_DIRECTORY`, as systemd gives it.
    Credential(String),
    /// What a command prints, without the line break at its end.
    Command(Vec<String>),
}

impl SecretSource {
    /// What is accepted in a configuration.
    pub const ACCEPTED: &'static str =
        "{ env = \"NAME\" }, { file = \"PATH\" }, { credential = \"NAME\" } or { command = [\"PROGRAM\"] }";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {secret}"), "Secret(hidden) (hidden)");
        assert_eq!(secret.reveal(), "hunter2");
    }
}
