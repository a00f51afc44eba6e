//! Runs: how one begins, takes its steps and is found again.

mod rows;
mod spend;
mod turns;

pub use rows::RunRow;
pub use spend::Spend;
pub use turns::TurnRow;

use super::ask::Ask as _;
use super::intents::{cancel_pending, insert_intents};
use super::issues::{LedgerRow, insert_ledger};
use super::outcomes::insert_pending;
use super::routes::{Route, insert_route};
use super::{Store, StoreResult, insert_event, to_i64, to_u32};
use crate::domain::effect::Effect;
use crate::domain::event::Event;
use crate::domain::model::{IssueRef, Oid, RepoId, RunText, UnixTime};
use crate::domain::run::Run;
pub(super) use rows::update_run;
use rows::{RUN_COLUMNS, read_row};
use rusqlite::{Connection, params};

fn write_step(conn: &Connection, run: &Run, effects: &[Effect], events: &[Event]) -> StoreResult<()> {
    update_run(conn, run)?;
    insert_intents(conn, &run.id, effects, run.last_seen)?;
    for event in events {
        insert_event(conn, event)?;
    }
    Ok(())
}

impl Store {
    /// A new run, its text, what it is told by, its first effects, its event and the reason in the ledger: one
    /// transaction.
    pub fn begin_run(
        &mut self,
        row: &RunRow,
        text: &RunText,
        route: &Route,
        effects: &[Effect],
        event: &Event,
        ledger: &LedgerRow,
    ) -> StoreResult<()> {
        let run = &row.run;
        let landing = run.landing.code();
        self.transact("state.begin", |tx| {
            tx.write(
                "INSERT INTO runs (id, repo, number, asked_by, approval, title, body, comments, runner, account, template, \
                 budget_usd, attempt, phase, landing, target_branch, base, turns, turn_kind, turn_head, fix_forward, \
                 verifies, conflict_tries, reruns, ci_stage, ci_seconds, fix_seconds, turn_seconds, last_seen, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'starting', ?14, ?15, ?16, 0, 'first', ?16, \
                 0, 0, 0, 0, 0, 0, 0, 0, ?17, ?17)",
                params![
                    run.id,
                    run.issue.repo.to_string(),
                    to_i64(run.issue.number),
                    run.asked_by,
                    row.approval,
                    text.title,
                    text.body,
                    text.comments,
                    row.runner,
                    row.account,
                    row.template,
                    row.budget_usd,
                    run.attempt,
                    landing,
                    run.target_branch,
                    run.base.as_str(),
                    run.created_at.0,
                ],
            )?;
            update_run(tx, run)?;
            insert_route(tx, run, route)?;
            if route.scored {
                insert_pending(tx, &run.id, &run.issue.to_string(), run.created_at, route)?;
            }
            insert_intents(tx, &run.id, effects, run.created_at)?;
            insert_ledger(tx, &run.issue, ledger)?;
            insert_event(tx, event)
        })
    }

    /// The machine's new state, its effects and its events, in one transaction.
    pub fn step(&mut self, run: &Run, effects: &[Effect], events: &[Event]) -> StoreResult<()> {
        self.transact("state.step", |tx| write_step(tx, run, effects, events))
    }

    /// The same in the place of what is pending, which is given up.
    pub fn step_instead(&mut self, run: &Run, effects: &[Effect], events: &[Event]) -> StoreResult<()> {
        self.transact("state.step", |tx| {
            cancel_pending(tx, &run.id, run.last_seen)?;
            write_step(tx, run, effects, events)
        })
    }

    /// The clocks and the wait of a run that takes no step.
    pub fn touch(&mut self, run: &Run) -> StoreResult<()> {
        update_run(&self.conn, run)
    }

    pub fn runs_in_flight(&self) -> StoreResult<Vec<RunRow>> {
        self.runs_where("phase <> 'ended' ORDER BY created_at, id", &[])
    }

    /// Runs that are over and have something recorded that is still to be done: a change that is taken back.
    pub fn ended_with_pending(&self) -> StoreResult<Vec<String>> {
        self.conn.rows(
            "SELECT DISTINCT run FROM intents WHERE state = 'pending' \
                 AND run IN (SELECT id FROM runs WHERE phase = 'ended') ORDER BY run",
            [],
            |row| Ok(row.get(0)?),
        )
    }

    pub fn run(&self, id: &str) -> StoreResult<Option<RunRow>> {
        Ok(self.runs_where("id = ?1", &[&id])?.into_iter().next())
    }

    /// Every run of an issue, newest first.
    pub fn runs_of(&self, issue: &IssueRef) -> StoreResult<Vec<RunRow>> {
        let number = to_i64(issue.number);
        self.runs_where(
            "repo = ?1 AND number = ?2 ORDER BY created_at DESC, rowid DESC",
            &[&issue.repo.to_string(), &number],
        )
    }

    /// The newest runs, newest first.
    pub fn recent_runs(&self, limit: u32) -> StoreResult<Vec<RunRow>> {
        self.runs_where("1 ORDER BY created_at DESC, rowid DESC LIMIT ?1", &[&limit])
    }

    fn runs_where(&self, condition: &str, values: &[&dyn rusqlite::ToSql]) -> StoreResult<Vec<RunRow>> {
        let query = format!("SELECT {RUN_COLUMNS} FROM runs WHERE {condition}");
        self.conn.rows(&query, values, read_row)
    }

    pub fn run_text(&self, id: &str) -> StoreResult<Option<RunText>> {
        self.conn.row("SELECT title, body, comments FROM runs WHERE id = ?1", [id], |row| {
            Ok(RunText { title: row.get(0)?, body: row.get(1)?, comments: row.get(2)? })
        })
    }

    /// Attempts used since the label was applied by `approval`. Runs in which nothing started do not count.
    pub fn attempts(&self, issue: &IssueRef, approval: &str) -> StoreResult<u32> {
        self.conn.one(
            "SELECT COALESCE(MAX(attempt), 0) FROM runs WHERE repo = ?1 AND number = ?2 AND approval = ?3 \
             AND COALESCE(outcome, '') NOT IN ('claim-lost', 'not-started')",
            params![issue.repo.to_string(), to_i64(issue.number), approval],
            |row| Ok(row.get::<_, i64>(0)?),
        )
            .map(to_u32)
    }

    /// Runs begun since `since`, without those in which nothing started.
    pub fn runs_since(&self, since: UnixTime) -> StoreResult<u32> {
        self.conn.one(
            "SELECT COUNT(*) FROM runs WHERE created_at >= ?1 AND COALESCE(outcome, '') NOT IN ('claim-lost', 'not-started')",
            [since.0],
            |row| Ok(row.get::<_, i64>(0)?),
        )
            .map(to_u32)
    }

    pub fn last_dispatch(&self, repo: &RepoId) -> StoreResult<Option<UnixTime>> {
        self.conn
            .one("SELECT MAX(created_at) FROM runs WHERE repo = ?1", [repo.to_string()], |row| {
                Ok(row.get::<_, Option<i64>>(0)?)
            })
            .map(|at| at.map(UnixTime))
    }

    pub fn set_claim(&mut self, run: &str, claim: &Oid) -> StoreResult<()> {
        self.set_text(run, "UPDATE runs SET claim = ?2 WHERE id = ?1", claim.as_str())
    }

    pub fn set_progress_comment(&mut self, run: &str, id: &str) -> StoreResult<()> {
        self.set_text(run, "UPDATE runs SET comment_id = ?2 WHERE id = ?1", id)
    }

    pub fn set_end_comment(&mut self, run: &str, id: &str) -> StoreResult<()> {
        self.set_text(run, "UPDATE runs SET end_comment_id = ?2 WHERE id = ?1", id)
    }

    pub fn set_salvage(&mut self, run: &str, lines: &str) -> StoreResult<()> {
        self.set_text(run, "UPDATE runs SET salvage = ?2 WHERE id = ?1", lines)
    }

    fn set_text(&mut self, run: &str, statement: &str, value: &str) -> StoreResult<()> {
        self.conn.write(statement, [run, value])
    }

    /// `run stop`: a marker that the next tick acts on. Returns whether there was such a run in flight.
    pub fn ask_stop(&mut self, run: &str) -> StoreResult<bool> {
        let changed =
            self.conn.change("UPDATE runs SET stop_asked = 1 WHERE id = ?1 AND phase <> 'ended'", [run])?;
        Ok(changed > 0)
    }
}
