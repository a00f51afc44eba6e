//! Executors of supervised jobs.
pub mod command;
pub mod usage;
