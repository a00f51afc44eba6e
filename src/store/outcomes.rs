//! What became of runs: a row for each run that is scored, from its dispatch on, and what was found out later.

use rusqlite::{Connection, params};

use super::ask::Ask as _;
use super::codes::{odd, oid, repo_id, word};
use super::routes::Route;
use super::{Store, StoreError, StoreResult, insert_event};
use crate::domain::canary::Arm;
use crate::domain::event::Event;
use crate::domain::harvest::{Entry, EntryState, Standing, Why};
use crate::domain::model::{Oid, RepoId, UnixTime};

/// A branch that is read for commits that take work back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchRow {
    pub repo: RepoId,
    pub branch: String,
    /// Read up to here.
    pub oid: Oid,
}

/// Scored work that was taken back after its score was frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateRevert {
    pub run: String,
    pub template: i64,
}

pub(super) fn insert_pending(
    conn: &Connection,
    run: &str,
    subject: &str,
    at: UnixTime,
    route: &Route,
) -> StoreResult<()> {
    let canary = route.canary.as_ref();
    conn.write(
        "INSERT INTO outcomes (run, source, template, canary, arm, subject, dispatched_at, state, why, first_seen_at, \
         changed_at, look_at) VALUES (?1, 'run', ?2, ?3, ?4, ?5, ?6, 'pending', 'working', ?6, ?6, ?6)",
        params![run, route.template, canary.map(|c| &c.id), canary.map(|c| c.arm.code()), subject, at.0],
    )
}

fn entries_where(conn: &Connection, condition: &str, value: &dyn rusqlite::ToSql) -> StoreResult<Vec<Entry>> {
    let query = format!(
        "SELECT run, subject, arm, dispatched_at, state, score, why FROM outcomes \
         WHERE source = 'run' AND {condition} ORDER BY rowid"
    );
    conn.rows(&query, [value], |row| {
        let run: String = row.get(0)?;
        let state = match (row.get::<_, String>(4)?.as_str(), row.get(5)?) {
            ("pending", _) => EntryState::Pending,
            ("resolved", Some(score)) => EntryState::Resolved(score),
            ("excluded", _) => EntryState::Excluded,
            (state, _) => {
                return Err(StoreError::Row { what: format!("outcome state `{state}` of run {run}") });
            }
        };
        let arm = row.get::<_, Option<String>>(2)?.map(|code| word("arm", &code)).transpose()?;
        let why: String = row.get(6)?;
        Ok(Entry {
            run,
            subject: row.get(1)?,
            arm: arm.unwrap_or(Arm::Champion),
            dispatched_at: UnixTime(row.get(3)?),
            state,
            why: Why::parse(&why).ok_or_else(|| odd("reason of a score", &why))?,
        })
    })
}

pub(super) fn entries_of_canary(conn: &Connection, canary: &str) -> StoreResult<Vec<Entry>> {
    entries_where(conn, "canary = ?1", &canary)
}

pub(super) fn entries_of_template(conn: &Connection, template: i64) -> StoreResult<Vec<Entry>> {
    entries_where(conn, "template = ?1", &template)
}

impl Store {
    /// Runs whose outcome can still change and that are to be looked at now, in dispatch order.
    pub fn outcomes_due(&self, now: UnixTime) -> StoreResult<Vec<String>> {
        self.conn.rows(
            "SELECT run FROM outcomes WHERE state = 'pending' AND look_at <= ?1 ORDER BY rowid",
            [now.0],
            |row| Ok(row.get(0)?),
        )
    }

    /// Every scored run of a version, in dispatch order.
    pub fn template_entries(&self, template: i64) -> StoreResult<Vec<Entry>> {
        entries_of_template(&self.conn, template)
    }

    /// Runs of a version that were taken back after their score was frozen.
    pub fn late_reverts_of(&self, template: i64) -> StoreResult<Vec<String>> {
        self.conn.rows(
            "SELECT run FROM outcomes WHERE template = ?1 AND state = 'late' ORDER BY rowid",
            [template],
            |row| Ok(row.get(0)?),
        )
    }

    /// Where a run stands now. A score that is frozen stays as it is. Returns whether it was news.
    pub fn put_outcome(
        &mut self,
        run: &str,
        standing: Standing,
        look_at: UnixTime,
        now: UnixTime,
    ) -> StoreResult<bool> {
        let why = standing.why().code();
        let (state, score) = match standing {
            Standing::Pending(_) => ("pending", None),
            Standing::Resolved(score, _) => ("resolved", Some(score)),
            Standing::Excluded(_) => ("excluded", None),
        };
        self.transact("state.outcome", |tx| {
            let changed = tx.change(
                "UPDATE outcomes SET state = ?2, score = ?3, why = ?4, changed_at = ?5 \
                     WHERE run = ?1 AND source = 'run' AND state = 'pending' AND (state <> ?2 OR why <> ?4)",
                params![run, state, score, why, now.0],
            )?;
            tx.write(
                "UPDATE outcomes SET look_at = ?2 WHERE run = ?1 AND source = 'run' AND state = 'pending'",
                params![run, look_at.0],
            )?;
            Ok(changed > 0)
        })
    }

    /// The commits by which a run's work is on its branch. From now on that branch is read, until `until`.
    pub fn put_landed(
        &mut self,
        run: &str,
        branch: &BranchRow,
        names: &[String],
        until: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.landed", |tx| {
            for name in names {
                tx.write(
                    "INSERT OR IGNORE INTO landed_commits (repo, name, run) VALUES (?1, ?2, ?3)",
                    params![branch.repo.to_string(), name, run],
                )?;
            }
            tx.write(
                "INSERT INTO read_branches (repo, branch, oid, look_at, until) VALUES (?1, ?2, ?3, 0, ?4) \
                 ON CONFLICT (repo, branch) DO UPDATE SET until = max(until, excluded.until)",
                params![branch.repo.to_string(), branch.branch, branch.oid.as_str(), until.0],
            )
        })
    }

    pub fn landed_known(&self, run: &str) -> StoreResult<bool> {
        self.conn
            .one("SELECT EXISTS (SELECT 1 FROM landed_commits WHERE run = ?1)", [run], |row| Ok(row.get(0)?))
    }

    /// Branches that are to be read: those that are due, and all of one repo where it is named.
    pub fn branches_to_read(&self, repo: Option<&RepoId>, now: UnixTime) -> StoreResult<Vec<BranchRow>> {
        self.conn.rows(
            "SELECT repo, branch, oid FROM read_branches \
             WHERE until > ?2 AND (repo = ?1 OR (?1 IS NULL AND look_at <= ?2)) ORDER BY repo, branch",
            params![repo.map(ToString::to_string), now.0],
            |row| {
                let (repo, name) = (row.get::<_, String>(0)?, row.get::<_, String>(2)?);
                Ok(BranchRow { repo: repo_id(&repo)?, branch: row.get(1)?, oid: oid(&name)? })
            },
        )
    }

    /// A branch was read up to `branch.oid`, and this is what its commits take back.
    pub fn put_branch_read(
        &mut self,
        branch: &BranchRow,
        taken_back: &[String],
        look_at: UnixTime,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.branch", |tx| {
            for name in taken_back {
                tx.write(
                    "INSERT OR IGNORE INTO taken_back (repo, name, at) VALUES (?1, ?2, ?3)",
                    params![branch.repo.to_string(), name, now.0],
                )?;
            }
            tx.write(
                "UPDATE read_branches SET oid = ?3, look_at = ?4 WHERE repo = ?1 AND branch = ?2",
                params![branch.repo.to_string(), branch.branch, branch.oid.as_str(), look_at.0],
            )
        })
    }

    /// Whether work of a run was taken back, as far as its branch was read.
    pub fn taken_back(&self, run: &str) -> StoreResult<bool> {
        self.conn.one(
            "SELECT EXISTS (SELECT 1 FROM landed_commits l JOIN taken_back t ON t.repo = l.repo AND t.name = l.name \
             WHERE l.run = ?1) OR EXISTS (SELECT 1 FROM events WHERE run = ?1 AND kind = 'reverted')",
            [run],
            |row| Ok(row.get(0)?),
        )
    }

    /// Work that was taken back after its score was frozen, and was not noted yet.
    pub fn new_late_reverts(&self) -> StoreResult<Vec<LateRevert>> {
        self.conn.rows(
            "SELECT o.run, o.template FROM outcomes o WHERE o.source = 'run' AND o.state = 'resolved' \
             AND o.why <> 'reverted' AND o.run IN ( \
             SELECT l.run FROM taken_back t JOIN landed_commits l ON l.repo = t.repo AND l.name = t.name \
             UNION SELECT run FROM events WHERE kind = 'reverted' AND run IS NOT NULL) \
             AND NOT EXISTS (SELECT 1 FROM outcomes x WHERE x.run = o.run AND x.source = 'revert') ORDER BY o.rowid",
            [],
            |row| Ok(LateRevert { run: row.get(0)?, template: row.get(1)? }),
        )
    }

    /// Notes that frozen work was taken back; the score stays. Returns whether it was news.
    pub fn put_late_revert(&mut self, run: &str, event: &Event, now: UnixTime) -> StoreResult<bool> {
        self.transact("state.outcome", |tx| {
            let changed = tx.change(
                "INSERT OR IGNORE INTO outcomes (run, source, template, canary, arm, subject, dispatched_at, state, why, \
                 first_seen_at, changed_at) \
                 SELECT run, 'revert', template, canary, arm, subject, dispatched_at, 'late', 'reverted', ?2, ?2 \
                 FROM outcomes WHERE run = ?1 AND source = 'run'",
                params![run, now.0],
            )?;
            insert_event(tx, event)?;
            Ok(changed > 0)
        })
    }
}
