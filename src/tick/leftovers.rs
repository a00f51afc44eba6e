//! What supervisors that died left running is ended before anybody looks at the workspace. How the jobs stood is what the
//! look at the run goes by: nobody asks again in between.

use super::env::Env;
use super::policy::HostPolicy;
use crate::domain::model::JobState;
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::{RunRow, Store};

/// How the job of a run's turn stands.
#[derive(Debug)]
pub(super) enum TurnJob {
    /// It was not to be started, and why.
    Refused(String),
    /// It cannot be read; or it is dead, and what is left of it could not be ended.
    Unreadable(PortError),
    Stands(JobState),
}

impl TurnJob {
    /// Nothing of it works in the workspace.
    fn is_over(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Stands(state) => match state {
                JobState::Over(_) | JobState::NotStarted | JobState::Orphaned => true,
                JobState::Running { .. } => false,
            },
            Self::Unreadable(_) => false,
        }
    }
}

/// The jobs of a run that work in its workspace, or on what came of it.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) turn: TurnJob,
    /// The newest job that verifies; not looked at while the turn is at work.
    pub(super) verify: Option<PortResult<JobState>>,
}

pub(super) fn end(env: &Env, host: &HostPolicy, store: &Store, row: &RunRow) -> Result<Jobs, Error> {
    let run = &row.run;
    let turn = match store.refusal(&run.id, &format!("turn-{}", run.turns))? {
        Some(detail) => TurnJob::Refused(detail),
        None => match ended(env, host, row, &run.turn_job(run.turns), true) {
            Ok(state) => TurnJob::Stands(state),
            Err(error) => TurnJob::Unreadable(error),
        },
    };
    let verify = (turn.is_over() && run.verifies > 0)
        .then(|| ended(env, host, row, &run.verify_job(run.verifies), false));
    Ok(Jobs { turn, verify })
}

/// How a job stood, with what was left of it ended. `is_due`: it was started, so that there may be something of it even
/// where nothing tells of that.
fn ended(env: &Env, host: &HostPolicy, row: &RunRow, id: &str, is_due: bool) -> PortResult<JobState> {
    let dir = env.folder(&row.run).job(id);
    let state = env.runner.state(&dir)?;
    let is_dead = match state {
        JobState::Orphaned => true,
        JobState::NotStarted => is_due,
        JobState::Running { .. } | JobState::Over(_) => false,
    };
    if is_dead && !host.dry {
        env.runner.stop(&dir, id)?;
    }
    Ok(state)
}
