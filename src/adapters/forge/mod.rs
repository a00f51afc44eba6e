//! The trackers.
pub mod local;
