//! One tick is a straight line: observe, decide, record intent, perform, record outcome.
//!
//! `env` is what a tick touches, `policy` what it decides by, `log` what it tells. `poll` (with `listing`) and `watch` observe
//! and decide, `leftovers` ends what dead supervisors left before `observe` looks at a run, `record` writes down what that
//! found, `drive` has the engine carry out what is pending, by `perform`, `outbox` sends notices, `lessons` writes down what went wrong, `templates` says by
//! which text an agent is told, `harvest` what became of it, `adopt` takes up what a lost state file knew of. Leaves that many
//! need: `event`, `trust`, `breaker`, `canary`.

pub mod adopt;
mod breaker;
pub mod canary;
pub mod control;
pub mod drive;
pub mod env;
mod event;
pub mod harvest;
mod leftovers;
pub mod lessons;
mod listing;
pub mod log;
pub mod observe;
pub mod outbox;
mod perform;
pub mod policy;
pub mod poll;
mod record;
pub mod retention;
pub mod silence;
pub mod templates;
mod trust;
pub mod upgrade;
pub mod watch;

pub use env::Env;
pub use log::{Item, Log, TickOutcome};
pub use policy::{HostPolicy, RepoPolicy, StagePolicy};
