//! Executors of supervised jobs.
//!
//! [`command`] is the tick's side: it starts, reads and stops jobs. [`supervise`] is the other process: it holds a
//! job's lock, runs what the job says, and leaves a result. Both meet in the job's `folder` and nowhere else.
//! `child` is how the supervisor starts and watches a process, `profile` and [`usage`] are what is particular to each agent.

pub mod answer;
pub mod bench;
mod child;
pub mod command;
mod folder;
mod job;
pub(in crate::adapters) mod output;
mod profile;
pub mod supervise;
pub mod t3;
mod tmux;
pub mod usage;
