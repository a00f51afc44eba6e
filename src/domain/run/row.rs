//! The table of SPEC section 6: which row fits the evidence.

mod ci;
mod kind;
mod pull;
mod red;
mod turn;
mod work;

pub use kind::Row;

use super::{Evidence, IssueSeen, Policy, Run, Wait};
use crate::domain::model::HandBack;
use ci::about_ci;
use pull::{about_the_pull, about_the_review};
use red::about_red;
use turn::{about_the_turn, before_the_turn};
use work::about_the_work;

/// The first row of the table that fits. Total: every evidence falls on exactly one row.
///
/// While the issue cannot be read nobody knows whether the first rows hold, so nothing below them acts: waits keep their
/// name, and a person's `run stop` and a repo taken off the allowlist need no issue.
pub fn row(run: &Run, seen: &Evidence, policy: &Policy) -> Row {
    let first = before_the_turn(run, seen)
        .or_else(|| about_the_turn(run, seen, policy))
        .or_else(|| about_the_work(run, seen, policy))
        .or_else(|| about_the_pull(run, seen, policy))
        .or_else(|| about_red(run, seen, policy))
        .or_else(|| about_the_review(run, seen, policy))
        .unwrap_or_else(|| about_ci(run, seen, policy));
    let needs_no_issue = matches!(first, Row::Wait(_) | Row::Stopped | Row::HandBack(HandBack::Moved, _));
    if seen.issue == IssueSeen::Unreadable && !needs_no_issue {
        Row::Wait(Wait::Unreadable)
    } else if !run.holds_slot && first.works() {
        if seen.slot_free { Row::TakeSlot } else { Row::Wait(Wait::Slot) }
    } else {
        first
    }
}
