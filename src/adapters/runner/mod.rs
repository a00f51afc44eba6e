//! Executors of supervised jobs.
//!
//! [`command`] is the tick's side: it starts, reads and stops jobs. [`supervise`] is the other process: it holds a
//! job's lock, runs what the job says, and leaves a result. Both meet in the job's `folder` and nowhere else.

pub mod command;
mod folder;
mod output;
pub mod supervise;
pub mod usage;
