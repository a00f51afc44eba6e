//! A state file that is taken over from another machine, or put back from a copy: what it says is old. Nothing old is
//! sent, nothing is started because of it, and money spent since is not known.

use std::path::Path;

use super::ask::Ask as _;
use super::intents::cancel_pending;
use super::runs::update_run;
use super::{Store, StoreError, StoreResult, insert_event, sql};
use crate::domain::event::{Event, Facts, Happening};
use crate::domain::model::UnixTime;
use crate::domain::run;

/// What taking over did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Adopted {
    /// Notices that were still to be sent.
    pub unsent: usize,
    /// Runs that were in flight and whose folder is not on this machine: ended here, as issues.
    pub left: Vec<String>,
}

impl Store {
    /// Opens a file that may belong to another machine and makes it this machine's own, with a new identity: claims of
    /// the old one are another host's from now on, so that two machines with copies of one file cannot both have them.
    ///
    /// `here` tells whether a run's folder is on this machine.
    pub fn adopt(
        path: &Path,
        machine: &str,
        fresh_id: &str,
        now: UnixTime,
        here: &dyn Fn(&super::RunRow) -> bool,
    ) -> StoreResult<(Self, Adopted)> {
        let mut store = Self::open_unidentified(path, now)?;
        let mut adopted = Adopted::default();
        let rows = store.runs_in_flight()?;
        let left: Vec<_> = rows.into_iter().filter(|row| !here(row)).collect();
        adopted.unsent = store.transact("state.adopt", |tx| {
            for (key, value) in [
                ("machine", machine),
                ("installation", fresh_id),
                ("adopting", "yes"),
                ("adopted_at", now.0.to_string().as_str()),
            ] {
                tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [key, value])
                    .map_err(sql("taken over"))?;
            }
            for row in &left {
                let run = &row.run;
                let over = run::left_behind(run.clone(), now)
                    .map_err(|e| StoreError::Row { what: e.to_string() })?;
                update_run(tx, &over)?;
                cancel_pending(tx, &run.id, now)?;
                let event = Event {
                    key: format!("{}:left-behind", run.id),
                    at: now,
                    kind: Happening::LeftBehind.into(),
                    repo: Some(run.issue.repo.to_string()),
                    number: Some(run.issue.number),
                    run: Some(run.id.clone()),
                    facts: Facts {
                        detail: "the state file was taken over, and the run's folder is not on this machine"
                            .to_owned(),
                        ..Facts::default()
                    },
                };
                insert_event(tx, &event)?;
            }
            tx.execute("UPDATE outbox SET state = 'given-up', done_at = ?1 WHERE state = 'pending'", [now.0])
                .map_err(sql("taken over"))
        })?;
        adopted.left = left.iter().map(|row| row.run.issue.to_string()).collect();
        fresh_id.clone_into(&mut store.installation);
        Ok((store, adopted))
    }

    /// A file that was made because the one before is gone: as after taking one over, the next tick only looks, and money
    /// spent before is not known.
    pub fn begin_after_loss(&mut self, now: UnixTime) -> StoreResult<()> {
        self.set_meta("adopting", "yes")?;
        self.set_meta("adopted_at", &now.0.to_string())
    }

    /// Whether the next tick is the first after the file was taken over. Asked once: it starts nothing then.
    pub fn first_after_adoption(&mut self) -> StoreResult<bool> {
        let gone = self.conn.change("DELETE FROM meta WHERE key = 'adopting'", [])?;
        Ok(gone > 0)
    }

    /// Since when the file has been this machine's own, where it was taken over or put back: what was spent in the time
    /// before may be more than it knows.
    pub fn adopted_at(&self) -> StoreResult<Option<UnixTime>> {
        Ok(self.meta("adopted_at")?.and_then(|text| text.parse().ok()).map(UnixTime))
    }
}
