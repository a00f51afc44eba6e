//! How a run goes from one phase to the next where no row of the table decides it: when its dispatch is complete or failed,
//! when its end is over, and when it turns out to be over already. Anything else is an error.

use super::{Phase, Run, Wait};
use crate::domain::effect::Effect;
use crate::domain::model::{Outcome, UnixTime};

/// A state that the machine must never be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run {run} is {phase:?} and cannot take a step")]
pub struct IllegalTransition {
    pub run: String,
    pub phase: Phase,
}

impl Run {
    pub(super) fn required(self, phase: Phase) -> Result<Self, IllegalTransition> {
        if self.phase == phase { Ok(self) } else { Err(self.out_of_place()) }
    }

    fn out_of_place(self) -> IllegalTransition {
        IllegalTransition { phase: self.phase, run: self.id }
    }
}

/// Every effect of the dispatch is done: the agent is at work.
pub fn started(run: Run, now: UnixTime) -> Result<Run, IllegalTransition> {
    let run = run.required(Phase::Starting)?;
    Ok(Run { phase: Phase::Active, wait: Some(Wait::Working), last_seen: now, ..run })
}

/// A dispatch that did not come to a started turn: what is to be undone. `may_work`: nobody heard what became of the
/// attempt to start an agent, so that one may be at work; it is ended, and what it did kept, before the issue is free.
pub fn dispatch_failed(
    run: Run,
    outcome: Outcome,
    may_work: bool,
    now: UnixTime,
) -> Result<(Run, Vec<Effect>), IllegalTransition> {
    let run = run.required(Phase::Starting)?;
    let mut effects = vec![];
    if may_work {
        effects.extend([Effect::StopTurn { turn: 1 }, Effect::Salvage { push: false }]);
    }
    if outcome != Outcome::ClaimLost {
        effects.push(Effect::Release);
    }
    effects.push(Effect::RemoveWorkspace);
    Ok((Run { phase: Phase::Ending, outcome: Some(outcome), wait: None, last_seen: now, ..run }, effects))
}

/// The run ended before, and its end was told: nothing is started or said for it, it only gives up what it holds.
pub fn ended_before(
    run: Run,
    outcome: Outcome,
    now: UnixTime,
) -> Result<(Run, Vec<Effect>), IllegalTransition> {
    let run = run.required(Phase::Active)?;
    let run = Run { phase: Phase::Ending, outcome: Some(outcome), wait: None, last_seen: now, ..run };
    Ok((run, vec![Effect::Release, Effect::RemoveWorkspace]))
}

/// Every effect of the end is done.
pub fn ended(run: Run, now: UnixTime) -> Result<Run, IllegalTransition> {
    let run = run.required(Phase::Ending)?;
    Ok(Run { phase: Phase::Ended, ended_at: Some(now), wait: None, ..run })
}

/// What there is of the run is not on this machine: it is over, whatever it was about to do.
pub fn left_behind(run: Run, now: UnixTime) -> Result<Run, IllegalTransition> {
    match run.phase {
        Phase::Starting | Phase::Active | Phase::Ending => Ok(Run {
            phase: Phase::Ended,
            outcome: Some(Outcome::Stopped),
            wait: None,
            ended_at: Some(now),
            ..run
        }),
        Phase::Ended => Err(run.out_of_place()),
    }
}

/// Another run holds the repo's slot.
pub fn waits_for_slot(run: Run) -> Result<Run, IllegalTransition> {
    let run = run.required(Phase::Active)?;
    Ok(Run { wait: Some(Wait::Slot), ..run })
}
