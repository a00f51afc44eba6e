//! The environment that the program was started in.
#![allow(clippy::disallowed_methods, reason = "part of the composition root: it reads the environment")]

use std::collections::BTreeSet;

/// A variable of the environment.
pub fn env(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// PATH, each folder once, where it stands first.
pub fn path_variable() -> String {
    let Some(path) = env("PATH").and_then(|p| p.into_string().ok()) else {
        return "/usr/local/bin:/usr/bin:/bin".to_owned();
    };
    let mut seen = BTreeSet::new();
    path.split(':').filter(|dir| seen.insert(*dir)).collect::<Vec<_>>().join(":")
}
