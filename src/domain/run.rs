//! The run machine: what became of an issue that was started, and what is done next.
//!
//! [`row`] reads the evidence top down as SPEC section 6 lists it; the first match wins. [`next`] turns the row into the
//! new state and the effects. Clocks are counters that [`advance`] moves, so that they can stand still.
//!
//! `seen` is what it looks at, `row` the table, `act` what each row does.

mod act;
mod progress;
mod row;
mod seen;
mod state;
mod why;

pub use act::{
    dispatch_effects, dispatch_failed, landed, pull_opened, pull_told, slot_taken, undo_effects, up_to_date,
};
pub use progress::Progress;
pub use row::{Row, row};
pub use seen::{
    BaseSeen, CiSeen, Evidence, GuardSeen, IssueSeen, PullSeen, ReviewAsk, ReviewSeen, TargetSeen, TurnSeen,
    VerifySeen, WorkSeen,
};
pub use state::{
    CI_START_SECONDS, CONFLICT_TRIES, Failure, LONGEST_GAP_SECONDS, LONGEST_REVIEW_GAP_SECONDS,
    MOST_CONTINUES, Phase, Policy, Run, SPARE_VERIFIES, Wait,
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

/// A state that the machine must never be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run {run} is {phase:?} and cannot take a step")]
pub struct IllegalTransition {
    pub run: String,
    pub phase: Phase,
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

/// One step. `Starting` and `Ending` runs are driven by their pending effects; the caller asks only when none is left.
pub fn next(run: Run, seen: &Evidence, policy: &Policy, now: UnixTime) -> Result<Step, IllegalTransition> {
    match run.phase {
        Phase::Active => {}
        Phase::Ending => {
            let ended = Run { phase: Phase::Ended, ended_at: Some(now), wait: None, ..run };
            return Ok(Step { run: ended, row: Row::Ended, effects: vec![] });
        }
        Phase::Starting | Phase::Ended => return Err(IllegalTransition { run: run.id, phase: run.phase }),
    }
    let mut run = run;
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
