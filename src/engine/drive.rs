//! The loop: take the next pending intent, try it, settle it.

use super::machine::{EffectOutcome, Gate, Machine, Settlement};
use crate::error::Error;
use crate::ports::PortError;
use crate::store::Intent;

/// Carries out what is pending, in order. Returns whether nothing is left.
pub fn drive<M: Machine>(machine: &mut M) -> Result<bool, Error> {
    loop {
        let Some(state) = machine.state()? else { return Ok(true) };
        let Some(intent) = machine.pending(&state)? else {
            machine.settled(&state)?;
            return Ok(true);
        };
        match machine.gate(&state, &intent)? {
            Gate::Open => {}
            Gate::Shut => return Ok(false),
            Gate::Turned => continue,
        }
        machine.trying(&intent)?;
        let answer = machine.perform(&state, &intent)?;
        let goes_on = match answer {
            Ok(EffectOutcome::Done(brought)) => {
                machine.settle(&intent, Settlement::Done(brought))?;
                true
            }
            Ok(EffectOutcome::Again(why)) => {
                machine.settle(&intent, Settlement::Cancelled(why))?;
                true
            }
            Ok(EffectOutcome::NotNow(why)) => {
                machine.settle(&intent, Settlement::Cancelled(why))?;
                false
            }
            Ok(EffectOutcome::UnderWay) => false,
            Err(error) => failed(machine, &state, &intent, &error)?,
        };
        if !goes_on {
            return Ok(false);
        }
    }
}

/// Whether what is pending goes on.
fn failed<M: Machine>(
    machine: &mut M,
    state: &M::State,
    intent: &Intent<M::Effect>,
    error: &PortError,
) -> Result<bool, Error> {
    if machine.unwind(state, intent, error)? {
        return Ok(true);
    }
    // This try is not counted in the intent, which was read before it.
    let is_last_word = error.is_no() && intent.tries + 1 >= machine.patience(&intent.effect);
    if is_last_word {
        machine.settle(intent, Settlement::Refused(error.to_string()))?;
        machine.refused(state, intent, error)?;
    } else {
        machine.later(state, error)?;
    }
    Ok(is_last_word)
}
