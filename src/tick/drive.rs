//! A run as the machine that the engine drives: when its effects may be tried, what a no means to it, and what holds when
//! none is left.

use super::breaker::note_start_failure;
use super::env::Env;
use super::event::event;
use super::log::{Log, illegal};
use super::perform::perform;
use super::policy::{HostPolicy, RepoPolicy};
use super::templates;
use crate::domain::effect::{Effect, Part};
use crate::domain::event::{EventKind, Happening};
use crate::domain::model::Outcome;
use crate::domain::run::{self, Phase};
use crate::engine::{self, EffectOutcome, Gate, Machine, Settlement};
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::{Intent, IntentState, LedgerRow, RunRow, Store};

/// Ticks in which the world may say no to what people see of a run, before it is left out.
const MAX_REFUSALS: u32 = 3;

/// Carries out what is pending for a run, in order. Returns whether nothing is left.
pub fn drive(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    id: &str,
) -> Result<bool, Error> {
    engine::drive(&mut Driven { env, host, store, log, id })
}

/// A dispatch whose agent was not started is undone, for a reason that came up since it was recorded.
pub fn give_up(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    why: &str,
) -> Result<(), Error> {
    Driven { env, host, store, log, id: &row.run.id }.fail_dispatch(row, Outcome::NotStarted, why, false)
}

struct Driven<'a> {
    env: &'a Env,
    host: &'a HostPolicy,
    store: &'a mut Store,
    log: &'a mut Log,
    id: &'a str,
}

impl Machine for Driven<'_> {
    type State = RunRow;
    type Effect = Effect;
    type Brought = String;

    fn state(&mut self) -> Result<Option<RunRow>, Error> {
        Ok(self.store.run(self.id)?)
    }

    fn pending(&mut self, _: &RunRow) -> Result<Option<Intent>, Error> {
        Ok(self.store.pending(self.id)?.into_iter().next())
    }

    fn gate(&mut self, row: &RunRow, intent: &Intent) -> Result<Gate, Error> {
        if let Err(error) = self.policy(row) {
            self.later(row, &error)?;
            return Ok(Gate::Shut);
        }
        if self.host.dry {
            let pending = self.store.pending(self.id)?;
            let lines = pending.iter().map(|i| format!("{}: {}", row.run.issue, i.effect.line()));
            self.log.effects.extend(lines);
            return Ok(Gate::Shut);
        }
        let nature = intent.effect.nature();
        if !nature.starts_work || !self.host.switch_on {
            return Ok(Gate::Open);
        }
        if row.run.phase != Phase::Starting {
            return Ok(Gate::Shut);
        }
        let may_work = nature.part == Part::StartsAgent && intent.tries > 0;
        self.fail_dispatch(row, Outcome::NotStarted, "the kill switch was put on", may_work)?;
        Ok(Gate::Turned)
    }

    fn trying(&mut self, intent: &Intent) -> Result<(), Error> {
        Ok(self.store.trying(intent.id)?)
    }

    fn perform(&mut self, row: &RunRow, intent: &Intent) -> Result<PortResult<EffectOutcome>, Error> {
        match self.policy(row) {
            Ok(policy) => perform(self.env, self.host, self.store, self.log, row, &policy, intent),
            Err(error) => Ok(Err(error)),
        }
    }

    fn settle(&mut self, intent: &Intent, how: Settlement<String>) -> Result<(), Error> {
        let now = self.env.now();
        match how {
            Settlement::Done(what) => {
                self.store.settle(intent.id, IntentState::Done, &what, now)?;
                self.store.outage_over(&self.subject())?;
            }
            Settlement::Refused(why) => self.store.settle(intent.id, IntentState::Refused, &why, now)?,
            Settlement::Cancelled(why) => self.store.settle(intent.id, IntentState::Cancelled, &why, now)?,
        }
        Ok(())
    }

    fn patience(&self, effect: &Effect) -> u32 {
        if effect.nature().is_retryable { MAX_REFUSALS } else { 1 }
    }

    /// A dispatch that does not come to an agent is undone.
    fn unwind(&mut self, row: &RunRow, intent: &Intent, error: &PortError) -> Result<bool, Error> {
        let part = intent.effect.nature().part;
        if row.run.phase != Phase::Starting || part == Part::After {
            return Ok(false);
        }
        let outcome = if part == Part::Claims && error.is_no() {
            Outcome::ClaimLost
        } else {
            self.later(row, error)?;
            Outcome::NotStarted
        };
        // A no of the runner's is heard; an answer that did not come says nothing, and neither does one after it.
        let may_work = part == Part::StartsAgent && (intent.tries > 0 || !error.is_no());
        self.fail_dispatch(row, outcome, &error.to_string(), may_work)?;
        Ok(true)
    }

    fn refused(&mut self, row: &RunRow, intent: &Intent, error: &PortError) -> Result<(), Error> {
        let run = &row.run;
        if let Some(told) = run::refused(run.clone(), &intent.effect, &error.to_string()) {
            return Ok(self.store.touch(&told)?);
        }
        let Effect::StartTurn { turn, .. } = &intent.effect else { return self.later(row, error) };
        // That a template does not render is no fault of the runner's.
        if templates::failed(self.store, &run.id, *turn)? {
            return Ok(());
        }
        note_start_failure(self.env, self.host, self.store, self.log, row, &error.to_string())
    }

    fn later(&mut self, _: &RunRow, error: &PortError) -> Result<(), Error> {
        self.log.failed(self.env, self.store, &self.subject(), error)
    }

    /// A dispatch is complete, an end is over.
    fn settled(&mut self, row: &RunRow) -> Result<(), Error> {
        let now = self.env.now();
        match row.run.phase {
            Phase::Starting => {
                let run = run::started(row.run.clone(), now).map_err(illegal)?;
                self.store.step(&run, &[], &[])?;
            }
            Phase::Ending => {
                let run = run::ended(row.run.clone(), now).map_err(illegal)?;
                let kind = run.outcome.map_or(Happening::Ended.into(), EventKind::Outcome);
                let event = event(&run, &format!("ended:{}", kind.code()), kind.clone(), now, "");
                self.store.step(&run, &[], &[event])?;
            }
            Phase::Active | Phase::Ended => {}
        }
        Ok(())
    }
}

impl Driven<'_> {
    fn subject(&self) -> String {
        format!("run {}", self.id)
    }

    fn policy(&self, row: &RunRow) -> PortResult<RepoPolicy> {
        let policy = (self.host.repo)(&row.run.issue.repo).ok_or_else(|| {
            PortError::refused(format!(
                "the forge of {} is not in the config any more; put it back so that the run can end",
                row.run.issue
            ))
        })?;
        Ok(policy.with_runner(&row.runner))
    }

    /// A dispatch that did not come to an agent: everything is undone, and the issue is ready again after a back-off.
    fn fail_dispatch(
        &mut self,
        row: &RunRow,
        outcome: Outcome,
        why: &str,
        may_work: bool,
    ) -> Result<(), Error> {
        let now = self.env.now();
        let (run, effects) =
            run::dispatch_failed(row.run.clone(), outcome, may_work, now).map_err(illegal)?;
        let code = outcome.code();
        let event = event(&run, "dispatch-failed", outcome, now, why);
        self.store.step_instead(&run, &effects, &[event])?;
        let passed = self.store.ledger_of(&run.issue, 1)?.pop().map_or_else(Vec::new, |row| row.passed);
        let sentence = format!("run {} did not start; see `offhours run show {}`", run.id, run.id);
        let row = LedgerRow { at: now, reason: code.to_owned(), sentence, passed };
        self.store.ledger(&run.issue, &row)?;
        self.log.acted(&run, code, why);
        Ok(())
    }
}
