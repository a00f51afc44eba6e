//! The turn: whether it is at work, and how it ended.

use super::super::leftovers::TurnJob;
use super::super::templates;
use super::found::Found;

use crate::domain::model::{JobState, TurnEnd};

use crate::domain::run::TurnSeen;
use crate::error::Error;
use crate::store::{RunRow, Store};

/// The turn as it was seen, and what of that is to be written down before anything else is read.
pub(in crate::tick) struct Turn {
    pub(in crate::tick) seen: TurnSeen,
    pub(in crate::tick) found: Vec<Found>,
}

/// Made of how its job stands; nothing of it may be left by a supervisor that died.
pub(in crate::tick) fn turn(store: &Store, row: &RunRow, job: TurnJob) -> Result<Turn, Error> {
    let run = &row.run;
    let told = |seen, found| Turn { seen, found: vec![found] };
    Ok(match job {
        TurnJob::Refused(detail) => {
            // What does not render now will not render at the next try.
            let end = if templates::failed(store, &run.id, run.turns)? {
                TurnEnd::Error { detail }
            } else {
                TurnEnd::FailedToStart { detail }
            };
            Turn { seen: TurnSeen::Over(end), found: vec![] }
        }
        TurnJob::Unreadable(error) => told(TurnSeen::Unreadable, Found::Failed(error)),
        TurnJob::Stands(state) => match state {
            JobState::Running { asks: Some(link), .. } => told(TurnSeen::NeedsInput, Found::Asks { link }),
            JobState::Running { verifying: false, .. } => Turn { seen: TurnSeen::Running, found: vec![] },
            JobState::Running { verifying: true, .. } => Turn { seen: TurnSeen::Verifying, found: vec![] },
            JobState::Over(result) => told(TurnSeen::Over(result.end.clone()), Found::Over(result)),
            JobState::NotStarted | JobState::Orphaned => told(TurnSeen::Orphaned, Found::Orphaned),
        },
    })
}

/// A stable word and the detail of a turn's end.
pub fn end_words(end: &TurnEnd) -> (&'static str, String) {
    let detail = match end {
        TurnEnd::Finished | TurnEnd::TimedOut | TurnEnd::Stalled | TurnEnd::Stopped => String::new(),
        TurnEnd::ResultUnreadable { why } => format!("the result file {why}"),
        TurnEnd::Blocked { reason: detail }
        | TurnEnd::Error { detail }
        | TurnEnd::CutOff { detail, .. }
        | TurnEnd::PermissionDenied { detail }
        | TurnEnd::Quota { detail, .. }
        | TurnEnd::LoginRefused { detail }
        | TurnEnd::FailedToStart { detail } => detail.clone(),
    };
    (end.ending().code(), detail)
}
