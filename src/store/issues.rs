//! The stored set of ready issues, approvals at first sight, and the reason ledger.

use rusqlite::{Connection, params};

use super::ask::Ask as _;
use super::{Store, StoreError, StoreResult, to_i64};
use crate::domain::model::{Issue, IssueRef, Person, RepoId, UnixTime};

/// The text that a trusted person's label was first seen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstSightRow {
    pub event_id: String,
    pub text_hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    pub at: UnixTime,
    pub reason: String,
    pub sentence: String,
    /// The gates that were passed, in their order.
    pub passed: Vec<String>,
}

impl Store {
    /// The ETag under which the repo's stored set was fetched, if it was by this identity from this place.
    pub fn etag(&self, repo: &RepoId, url: &str, identity: &str) -> StoreResult<Option<String>> {
        self.conn
            .row(
                "SELECT etag FROM forge_cache WHERE repo = ?1 AND url = ?2 AND identity = ?3",
                [&repo.to_string(), url, identity],
                |row| Ok(row.get::<_, Option<String>>(0)?),
            )
            .map(Option::flatten)
    }

    /// Replaces a repo's stored set; the ETag and the issues stand or fall together.
    pub fn put_listing(
        &mut self,
        repo: &RepoId,
        url: &str,
        identity: &str,
        etag: Option<&str>,
        issues: &[Issue],
        now: UnixTime,
    ) -> StoreResult<()> {
        let name = repo.to_string();
        self.transact("state.listing", |tx| {
            tx.write("DELETE FROM issues WHERE repo = ?1", [&name])?;
            for issue in issues {
                let labels =
                    serde_json::to_string(&issue.labels).map_err(|e| StoreError::Row { what: format!("labels: {e}") })?;
                tx.write(
                    "INSERT OR REPLACE INTO issues (repo, number, title, body, open, labels, author, author_bot, updated_at, \
                     priority, text_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                    params![
                        name,
                        to_i64(issue.number),
                        issue.title,
                        issue.body,
                        issue.open,
                        labels,
                        issue.author.as_ref().map(|a| &a.login),
                        issue.author.as_ref().is_some_and(|a| a.bot),
                        issue.updated_at.0,
                        issue.priority,
                        issue.text_hash
                    ],
                )?;
            }
            tx.write(
                "INSERT OR REPLACE INTO forge_cache (repo, url, identity, etag, fetched_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![name, url, identity, etag, now.0],
            )
        })
    }

    /// The stored set of one repo, by number.
    pub fn listing(&self, repo: &RepoId) -> StoreResult<Vec<Issue>> {
        self.conn.rows(
            "SELECT number, title, body, open, labels, author, author_bot, updated_at, priority, text_hash FROM issues \
             WHERE repo = ?1 ORDER BY number",
            [repo.to_string()],
            |row| {
                let labels: String = row.get(4)?;
                let bot: bool = row.get(6)?;
                Ok(Issue {
                    number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                    title: row.get(1)?,
                    body: row.get(2)?,
                    open: row.get(3)?,
                    labels: serde_json::from_str(&labels)
                        .map_err(|e| StoreError::Row { what: format!("labels: {e}") })?,
                    author: row.get::<_, Option<String>>(5)?.map(|login| Person { login, bot }),
                    updated_at: UnixTime(row.get(7)?),
                    priority: row.get(8)?,
                    text_hash: row.get(9)?,
                })
            },
        )
    }

    pub fn first_sight(&self, issue: &IssueRef) -> StoreResult<Option<FirstSightRow>> {
        self.conn.row(
            "SELECT event_id, text_hash FROM approvals WHERE repo = ?1 AND number = ?2",
            params![issue.repo.to_string(), to_i64(issue.number)],
            |row| Ok(FirstSightRow { event_id: row.get(0)?, text_hash: row.get(1)? }),
        )
    }

    /// Pins the text an approval was first seen on. Only a new application of the label changes it.
    pub fn put_first_sight(
        &mut self,
        issue: &IssueRef,
        sight: &FirstSightRow,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.conn.write(
            "INSERT INTO approvals (repo, number, event_id, text_hash, at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (repo, number) DO UPDATE SET event_id = excluded.event_id, text_hash = excluded.text_hash, \
             at = excluded.at WHERE event_id <> excluded.event_id",
            params![issue.repo.to_string(), to_i64(issue.number), sight.event_id, sight.text_hash, now.0],
        )
    }

    /// Writes why an issue was or was not started; a row only when the reason is another one than before.
    pub fn ledger(&mut self, issue: &IssueRef, row: &LedgerRow) -> StoreResult<()> {
        let newest = self.ledger_of(issue, 1)?;
        if newest.first().is_some_and(|last| last.reason == row.reason && last.sentence == row.sentence) {
            return Ok(());
        }
        insert_ledger(&self.conn, issue, row)
    }

    /// The newest `limit` ledger rows of an issue, newest first.
    pub fn ledger_of(&self, issue: &IssueRef, limit: u32) -> StoreResult<Vec<LedgerRow>> {
        self.conn.rows(
            "SELECT at, reason, sentence, passed FROM ledger WHERE repo = ?1 AND number = ?2 ORDER BY id DESC LIMIT ?3",
            params![issue.repo.to_string(), to_i64(issue.number), limit],
            |row| {
                let passed: String = row.get(3)?;
                Ok(LedgerRow {
                    at: UnixTime(row.get(0)?),
                    reason: row.get(1)?,
                    sentence: row.get(2)?,
                    passed: passed.split(',').filter(|p| !p.is_empty()).map(str::to_owned).collect(),
                })
            },
        )
    }
}

pub(super) fn insert_ledger(conn: &Connection, issue: &IssueRef, row: &LedgerRow) -> StoreResult<()> {
    conn.write(
        "INSERT INTO ledger (repo, number, at, reason, sentence, passed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            issue.repo.to_string(),
            to_i64(issue.number),
            row.at.0,
            row.reason,
            row.sentence,
            row.passed.join(",")
        ],
    )
}
