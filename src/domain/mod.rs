//! Pure: no clock, no I/O, no randomness, no hash, no serde.

pub mod answer;
pub mod backoff;
pub mod canary;
pub mod checks;
pub mod control;
pub mod dispatch;
pub mod doctor;
pub mod earlier;
pub mod effect;
pub mod escape;
pub mod event;
pub mod guard;
pub mod harvest;
pub mod lesson;
pub mod lock;

pub mod model;
pub mod moment;
pub mod priority;
pub mod receipt;
pub mod retention;

pub mod review;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod silence;
pub mod template;
pub mod trust;
pub mod upgrade;
pub mod workflow;
