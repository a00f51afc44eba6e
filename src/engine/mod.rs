//! The durable saga: what was recorded is tried in its order, one effect after another, and what came of each is recorded
//! before the next is looked at.
//!
//! An intent is an effect that the store has. It is pending until it is settled: done, refused, or cancelled, of which only
//! the last may be wanted again under the same key. That it is tried is recorded before it is; so whoever meets one with
//! `tries` above 0 knows that it may have happened, and looks for it first. A process that is ended anywhere leaves a
//! pending intent, and the next one goes on from there.
//!
//! The engine knows no forge, no git and no job: it drives a [`Machine`], which has the intents, carries out what they say,
//! and is told what came of it. Where an effect fails the machine either unwinds (what was begun is taken back by other
//! intents) or goes on without it.

mod drive;
mod machine;
#[cfg(test)]
mod tests;

pub use drive::drive;
pub use machine::{EffectOutcome, Gate, Machine, Settlement};
