//! The run machine: what became of an issue that was started, and what is done next.
//!
//! [`row`] reads the evidence top down as SPEC section 6 lists it; the first match wins. [`next`] turns the row into the
//! new state and the effects. Clocks are counters that [`advance`] moves, so that they can stand still.
//!
//! `seen` is what it looks at, `row` the table, `act` what each row does, `phase` what leads from one phase to the next
//! beside the table.

mod act;
mod phase;
mod progress;
mod row;
mod seen;
mod state;
mod why;

pub use act::{
    dispatch_effects, landed, pull_opened, pull_told, refused, slot_taken, undo_effects, up_to_date,
};
pub use phase::{
    IllegalTransition, dispatch_failed, ended, ended_before, left_behind, started, waits_for_slot,
};
pub use progress::Progress;
pub use row::{Row, row};
pub use seen::{
    BaseSeen, CiSeen, Evidence, GuardSeen, IssueSeen, PullSeen, ReviewAsk, ReviewSeen, TargetComparison,
    TurnSeen, VerifySeen, WorkSeen,
};
pub use state::{
    CI_START_SECONDS, CONFLICT_TRIES, Failure, LONGEST_GAP_SECONDS, LONGEST_REVIEW_GAP_SECONDS,
    MAX_CONTINUES, Phase, Policy, Run, SPARE_VERIFIES, Wait,
};
pub use why::{Continued, Said, ToAgent, Used, Why};

use super::effect::Effect;
use super::model::UnixTime;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub run: Run,
    pub row: Row,
    pub effects: Vec<Effect<Said>>,
}

/// Moves the run's clocks to `now`. They stand still in every wait but those that have a bound of their own.
#[must_use]
pub fn advance(mut run: Run, now: UnixTime) -> Run {
    let gap = now.since(run.last_seen).min(LONGEST_GAP_SECONDS);
    match run.wait {
        Some(Wait::Ci) => run.ci_seconds += gap,
        Some(Wait::Working) => {
            run.turn_seconds += gap;
            if run.fix_forward > 0 {
                run.fix_seconds += gap;
            }
        }
        Some(Wait::Review) => {
            run.review_seconds += now.since(run.last_seen).min(LONGEST_REVIEW_GAP_SECONDS);
        }
        Some(
            Wait::NeedsInput
            | Wait::CheckNeedsPerson
            | Wait::Parked
            | Wait::Switch
            | Wait::MergeHours
            | Wait::Unreadable
            | Wait::Slot,
        )
        | None => {}
    }
    run.last_seen = now;
    run
}

/// One step of a run that is at work: one that starts or ends is driven by its pending effects, to [`started`] and [`ended`].
pub fn next(run: Run, seen: &Evidence, policy: &Policy) -> Result<Step, IllegalTransition> {
    let mut run = run.required(Phase::Active)?;
    let row = row(&run, seen, policy);
    let before = Progress::of(&run);
    let just_pushed = run.wait.is_none() && run.pushed.is_some();
    // Stages only go up until the next landing: an earlier one that cannot be read for a moment must not set the clock
    // of the current one back, or it would never run out.
    if seen.ci_stage > run.ci_stage && seen.ci != CiSeen::Unreadable {
        run.ci_stage = seen.ci_stage;
        run.ci_seconds = 0;
    }
    let mut effects = act::act(&mut run, &row, seen, policy);
    let after = Progress::of(&run);
    // A landing is told to the machine between two steps, so the first wait after it is where it shows.
    let show = after != before || just_pushed && run.wait == Some(Wait::Ci);
    if show && run.phase == Phase::Active {
        effects.push(Effect::Progress { said: Said::Progress });
    }
    Ok(Step { run, row, effects })
}

#[cfg(test)]
mod tests;
