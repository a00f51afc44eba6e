//! Pure: no clock, no I/O, no randomness, no hash, no serde.

pub mod dispatch;
pub mod guard;
pub mod model;
pub mod trust;
