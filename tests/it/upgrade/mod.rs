//! `upgrade`: recipes brought up to date, with CI's verdict as the gate. Real git, real processes, the local forge; the registry
//! is simulated.

mod crash;
mod example;
mod hub;
mod place;
mod registry;
mod rows;
mod schedule;

pub use hub::a_whole_upgrade;
