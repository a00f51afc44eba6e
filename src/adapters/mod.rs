//! The only rooms that touch the world: files, processes, git, HTTP.
#![allow(
    clippy::disallowed_methods,
    reason = "an I/O room: files, processes and the environment are its work"
)]

pub mod forge;
pub mod git;
pub mod process;
pub mod runner;
pub mod secret;
