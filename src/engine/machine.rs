//! What the engine drives.

use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::Intent;

/// Whether an intent may be tried now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// Not now; the machine has said why.
    Shut,
    /// The machine took another way: what is pending is not what it was.
    Turned,
}

/// What came of carrying an effect out; a [`PortError`] beside it is a no, or no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectOutcome<B = String> {
    Done(B),
    /// It did not happen, will not under this record, and may be decided anew.
    Again(String),
    /// The same, and not before the next tick: somebody else has what it wants.
    NotNow(String),
    /// Under way; looked at again by the next tick.
    UnderWay,
}

/// How an intent ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement<B> {
    Done(B),
    Refused(String),
    Cancelled(String),
}

/// Something whose effects are recorded in an order: a run is one.
pub trait Machine {
    /// What the intents belong to, as it stands right before each of them.
    type State;
    type Effect;
    /// What a done effect brought, for its settlement.
    type Brought;

    /// `None` where there is nothing to drive.
    fn state(&mut self) -> Result<Option<Self::State>, Error>;
    /// The first intent that is pending.
    fn pending(&mut self, state: &Self::State) -> Result<Option<Intent<Self::Effect>>, Error>;
    fn gate(&mut self, state: &Self::State, intent: &Intent<Self::Effect>) -> Result<Gate, Error>;
    /// Records that the intent is tried, before it is.
    fn trying(&mut self, intent: &Intent<Self::Effect>) -> Result<(), Error>;
    fn perform(
        &mut self,
        state: &Self::State,
        intent: &Intent<Self::Effect>,
    ) -> Result<PortResult<EffectOutcome<Self::Brought>>, Error>;
    /// Records how the intent ended, and what it brought.
    fn settle(&mut self, intent: &Intent<Self::Effect>, how: Settlement<Self::Brought>) -> Result<(), Error>;
    /// How many times the world may say no before that is the last word.
    fn patience(&self, effect: &Self::Effect) -> u32;
    /// Unwinds where what was begun is not to go on without this effect: other intents are pending then. Whether it did.
    fn unwind(
        &mut self,
        state: &Self::State,
        intent: &Intent<Self::Effect>,
        error: &PortError,
    ) -> Result<bool, Error>;
    /// The last word on the intent was no: it is settled as refused, and the rest goes on.
    fn refused(
        &mut self,
        state: &Self::State,
        intent: &Intent<Self::Effect>,
        error: &PortError,
    ) -> Result<(), Error>;
    /// There was no last word: the intent stays pending.
    fn later(&mut self, state: &Self::State, error: &PortError) -> Result<(), Error>;
    /// Nothing is pending any more.
    fn settled(&mut self, state: &Self::State) -> Result<(), Error>;
}
