//! Events of a run, as they are recorded.

use crate::domain::escape::sanitize;
use crate::domain::event::{Event, EventKind, Facts};
use crate::domain::model::UnixTime;
use crate::domain::run::Run;

/// An event of a run. The key makes it one: the same thing recorded twice is one row.
pub(super) fn event(run: &Run, key: &str, kind: impl Into<EventKind>, at: UnixTime, detail: &str) -> Event {
    Event {
        key: format!("{}:{key}", run.id),
        at,
        kind: kind.into(),
        repo: Some(run.issue.repo.to_string()),
        number: Some(run.issue.number),
        run: Some(run.id.clone()),
        facts: Facts {
            detail: sanitize(detail, 2000),
            turn: Some(run.turns),
            attempt: Some(run.attempt),
            ..Facts::default()
        },
    }
}
