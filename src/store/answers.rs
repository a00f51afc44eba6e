//! What was said on issues that do not start.

use rusqlite::params;

use super::ask::Ask as _;
use super::{Store, StoreResult, to_i64, to_u32};
use crate::domain::answer::Given;
use crate::domain::model::{IssueRef, UnixTime};

impl Store {
    pub fn answer(&self, issue: &IssueRef) -> StoreResult<Option<Given>> {
        self.conn.row(
            "SELECT comment, text, tries, not_before FROM answers WHERE repo = ?1 AND number = ?2",
            params![issue.repo.to_string(), to_i64(issue.number)],
            |row| {
                Ok(Given {
                    comment: row.get(0)?,
                    text: row.get(1)?,
                    tries: to_u32(row.get(2)?),
                    not_before: UnixTime(row.get(3)?),
                })
            },
        )
    }

    /// Marks the answer as being given, before it is.
    pub fn answering(
        &mut self,
        issue: &IssueRef,
        text: &str,
        tries: u32,
        not_before: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.answer", |tx| {
            tx.write(
                "INSERT INTO answers (repo, number, text, tries, not_before) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (repo, number) DO UPDATE SET text = excluded.text, tries = excluded.tries, \
                 not_before = excluded.not_before",
                params![issue.repo.to_string(), to_i64(issue.number), text, tries, not_before.0],
            )
        })
    }

    /// The comment says what it was to say.
    pub fn answered(&mut self, issue: &IssueRef, comment: &str) -> StoreResult<()> {
        self.transact("state.answer", |tx| {
            tx.write(
                "UPDATE answers SET comment = ?3, tries = 0 WHERE repo = ?1 AND number = ?2",
                params![issue.repo.to_string(), to_i64(issue.number), comment],
            )
        })
    }
}
