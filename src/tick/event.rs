//! Events of a run, as they are recorded.

use crate::domain::escape::plain;
use crate::domain::model::UnixTime;
use crate::domain::run::Run;
use crate::store::Event;

/// An event of a run. The key makes it one: the same thing recorded twice is one row.
pub(super) fn event(run: &Run, key: &str, kind: &str, at: UnixTime, data: &str) -> Event {
    Event {
        key: format!("{}:{key}", run.id),
        at,
        kind: kind.to_owned(),
        repo: Some(run.issue.repo.to_string()),
        number: Some(run.issue.number),
        run: Some(run.id.clone()),
        data: serde_json::json!({ "detail": plain(data, 2000), "turns": run.turns, "attempt": run.attempt })
            .to_string(),
    }
}
