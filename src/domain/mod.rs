//! Pure: no clock, no I/O, no randomness, no hash, no serde.

pub mod backoff;
pub mod batch;
pub mod canary;
pub mod checks;
pub mod control;
pub mod dispatch;
pub mod effect;
pub mod guard;
pub mod lesson;
pub mod message;
pub mod message_lessons;
pub mod message_upgrade;
pub mod model;
pub mod priority;
pub mod recipe;
pub mod review;
pub mod run;
pub mod schedule;
pub mod template;
pub mod trust;
pub mod upgrade;
pub mod upgrade_effect;
pub mod upgrade_evidence;
pub mod upgrade_guard;
pub mod verdict;
pub mod version;
