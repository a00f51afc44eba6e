//! Executors of supervised jobs.

pub mod command;
pub mod files;
pub mod supervise;
pub mod usage;
