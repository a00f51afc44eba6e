//! The only rooms that touch the world: files, processes, git, HTTP.
#![allow(
    clippy::disallowed_methods,
    reason = "an I/O room: files, processes and the environment are its work"
)]

pub mod ci;
pub mod dry;
pub mod files;
pub mod forge;
pub mod git;
pub mod host;
pub mod http;
pub mod manifest;
pub mod notify;
pub mod probe;
pub mod process;
pub mod prompt;
pub mod registry;
pub mod runner;
pub mod schedule;
pub mod secret;
pub mod wake;
