//! One tick is a straight line: observe, decide, record intent, perform, record outcome.
//!
//! `world` is what a tick works with, `poll` (with `listing`) and `watch` observe and decide, `perform` carries effects
//! out, `outbox` sends notices, `lessons` writes down what went wrong, `templates` says by which text an agent is told,
//! `harvest` what became of it,
//! `adopt` takes up what a lost state file knew of; `report` is what people and scripts are told.

pub mod adopt;
pub mod control;
pub mod harvest;
pub mod lessons;
mod listing;
pub mod observe;
pub mod outbox;
pub mod perform;
pub mod poll;
pub mod report;
pub mod silence;
pub mod templates;
pub mod upgrade;
pub mod watch;
pub mod world;

pub use report::{Item, Report, TickOutcome};
pub use world::{HostPolicy, RepoPolicy, StagePolicy, World};
