//! Runs and their turns.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};
use serde::{Deserialize, Serialize};

use super::codes::{odd, oid, parse_turn_kind, phase_code, repo_id, turn_kind_code};
use super::intents::insert_intents;
use super::issues::{LedgerRow, insert_ledger};
use super::outcomes::insert_pending;
use super::routes::{Route, insert_route};
use super::{Event, Store, StoreResult, insert_event, sql, to_i64, to_u32};
use crate::domain::effect::{Effect, TurnKind};
use crate::domain::model::{IssueRef, Landing, Oid, Outcome, RepoId, RunText, UnixTime, Usage};
use crate::domain::run::{Failure, Phase, Run, Wait};

/// A run with what is kept beside its state.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub run: Run,
    /// The event by which the ready label was applied: attempts are counted from it.
    pub approval: String,
    pub runner: String,
    pub account: String,
    pub template: String,
    pub budget_usd: f64,
    pub claim: Option<Oid>,
    pub comment_id: Option<String>,
    pub end_comment_id: Option<String>,
    /// Lines about where the work was kept.
    pub salvage: Option<String>,
    pub stop_asked: bool,
}

impl RunRow {
    /// The state of a run in a word: its outcome, or what it waits for.
    pub fn state_word(&self) -> &'static str {
        match (&self.run.outcome, self.run.wait) {
            (Some(outcome), _) => outcome.code(),
            (None, Some(wait)) => wait.code(),
            (None, None) => "in-step",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TurnRow {
    pub turn: u32,
    pub kind: TurnKind,
    pub started_at: UnixTime,
    pub ended_at: Option<UnixTime>,
    pub ending: Option<String>,
    pub detail: Option<String>,
    pub usage: Usage,
    pub summary: Option<String>,
}

/// Money since a moment. What is not known counts as what was reserved.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Spend {
    pub known_usd: f64,
    pub reserved_usd: f64,
}

impl Spend {
    pub fn total(self) -> f64 {
        self.known_usd + self.reserved_usd
    }
}

#[derive(Serialize, Deserialize)]
struct FailureWire {
    checks: Vec<String>,
    fingerprint: String,
    log_tail: String,
}

const RUN_COLUMNS: &str = "id, repo, number, asked_by, approval, runner, account, template, budget_usd, attempt, phase, \
    outcome, landing, target_branch, base, turns, turn_kind, turn_head, fix_forward, verifies, conflict_tries, reruns, \
    pushed, last_fix, conflict, push_refused, ci_stage, ci_seconds, fix_seconds, turn_seconds, last_seen, wait, created_at, \
    ended_at, claim, comment_id, end_comment_id, salvage, stop_asked, branch, up_to, merge_refused, pull, pull_head, \
    holds_slot, reviewing, round, review_turns, reviews_done, asked, review_seconds";

fn read_failure(json: &str) -> StoreResult<Failure> {
    let wire: FailureWire = serde_json::from_str(json).map_err(|e| odd("failure", &e.to_string()))?;
    Ok(Failure { checks: wire.checks, fingerprint: wire.fingerprint, log_tail: wire.log_tail })
}

/// The columns as SQLite has them, before they are made sense of.
fn read_row(row: &Row<'_>) -> rusqlite::Result<StoreResult<RunRow>> {
    let text = |at: &str| row.get::<_, String>(at);
    let maybe = |at: &str| row.get::<_, Option<String>>(at);
    let count = |at: &str| row.get::<_, i64>(at).map(to_u32);
    let (repo, phase, landing, base, turn_kind, turn_head) = (
        text("repo")?,
        text("phase")?,
        text("landing")?,
        text("base")?,
        text("turn_kind")?,
        text("turn_head")?,
    );
    let (outcome, pushed, last_fix, wait, claim) =
        (maybe("outcome")?, maybe("pushed")?, maybe("last_fix")?, maybe("wait")?, maybe("claim")?);
    let number = u64::try_from(row.get::<_, i64>("number")?).unwrap_or(0);
    let (id, asked_by, target_branch) = (text("id")?, text("asked_by")?, text("target_branch")?);
    let counts = [
        count("attempt")?,
        count("turns")?,
        count("fix_forward")?,
        count("verifies")?,
        count("conflict_tries")?,
        count("reruns")?,
        count("ci_stage")?,
    ];
    let seconds = [
        row.get::<_, i64>("ci_seconds")?,
        row.get("fix_seconds")?,
        row.get("turn_seconds")?,
        row.get("last_seen")?,
        row.get("created_at")?,
    ];
    let ended_at = row.get::<_, Option<i64>>("ended_at")?;
    let review = read_review(row)?;
    let (conflict, push_refused) = (maybe("conflict")?, maybe("push_refused")?);
    let rest = RunRowRest {
        approval: text("approval")?,
        runner: text("runner")?,
        account: text("account")?,
        template: text("template")?,
        budget_usd: row.get("budget_usd")?,
        comment_id: maybe("comment_id")?,
        end_comment_id: maybe("end_comment_id")?,
        salvage: maybe("salvage")?,
        stop_asked: row.get("stop_asked")?,
    };
    Ok((|| {
        let [attempt, turns, fix_forward, verifies, conflict_tries, reruns, ci_stage] = counts;
        let [ci_seconds, fix_seconds, turn_seconds, last_seen, created_at] = seconds;
        let issue = IssueRef { repo: repo_id(&repo)?, number };
        let base = oid(&base)?;
        let begun = Run::begin(id.clone(), issue.clone(), &target_branch, &base, UnixTime(created_at));
        let reviewed = review.put_into(begun)?;
        let run = Run {
            id,
            issue,
            asked_by,
            attempt,
            phase: [Phase::Starting, Phase::Active, Phase::Ending, Phase::Ended]
                .into_iter()
                .find(|p| phase_code(*p) == phase)
                .ok_or_else(|| odd("phase", &phase))?,
            outcome: outcome.map(|o| Outcome::parse(&o).ok_or_else(|| odd("outcome", &o))).transpose()?,
            landing: match landing.as_str() {
                "push" => Landing::Push,
                "pull-request" => Landing::PullRequest,
                other => return Err(odd("landing", other)),
            },
            target_branch,
            base,
            turns,
            turn_kind: parse_turn_kind(&turn_kind)?,
            turn_head: oid(&turn_head)?,
            fix_forward,
            verifies,
            conflict_tries,
            reruns,
            pushed: pushed.as_deref().map(oid).transpose()?,
            last_fix: last_fix.as_deref().map(read_failure).transpose()?,
            conflict,
            push_refused,
            ci_stage,
            ci_seconds,
            fix_seconds,
            turn_seconds,
            last_seen: UnixTime(last_seen),
            wait: wait
                .map(|w| Wait::ALL.into_iter().find(|x| x.code() == w).ok_or_else(|| odd("wait", &w)))
                .transpose()?,
            created_at: UnixTime(created_at),
            ended_at: ended_at.map(UnixTime),
            ..reviewed
        };
        let claim = claim.as_deref().map(oid).transpose()?;
        Ok(rest.with(run, claim))
    })())
}

/// The columns about branch, pull request and review.
struct ReviewColumns {
    branch: String,
    up_to: String,
    merge_refused: Option<String>,
    pull: Option<u64>,
    pull_head: Option<String>,
    holds_slot: bool,
    reviewing: bool,
    round: u32,
    review_turns: u32,
    reviews_done: String,
    asked: Option<String>,
    review_seconds: i64,
}

impl ReviewColumns {
    fn put_into(self, run: Run) -> StoreResult<Run> {
        Ok(Run {
            branch: self.branch,
            up_to: oid(&self.up_to)?,
            merge_refused: self.merge_refused,
            pull: self.pull,
            pull_head: self.pull_head.as_deref().map(oid).transpose()?,
            holds_slot: self.holds_slot,
            reviewing: self.reviewing,
            round: self.round,
            review_turns: self.review_turns,
            reviews_done: serde_json::from_str(&self.reviews_done)
                .map_err(|e| odd("reviews", &e.to_string()))?,
            asked: self.asked,
            review_seconds: self.review_seconds,
            ..run
        })
    }
}

fn read_review(row: &Row<'_>) -> rusqlite::Result<ReviewColumns> {
    Ok(ReviewColumns {
        branch: row.get("branch")?,
        up_to: row.get("up_to")?,
        merge_refused: row.get("merge_refused")?,
        pull: row.get::<_, Option<i64>>("pull")?.and_then(|n| u64::try_from(n).ok()),
        pull_head: row.get("pull_head")?,
        holds_slot: row.get("holds_slot")?,
        reviewing: row.get("reviewing")?,
        round: row.get::<_, i64>("round").map(to_u32)?,
        review_turns: row.get::<_, i64>("review_turns").map(to_u32)?,
        reviews_done: row.get("reviews_done")?,
        asked: row.get("asked")?,
        review_seconds: row.get("review_seconds")?,
    })
}

struct RunRowRest {
    approval: String,
    runner: String,
    account: String,
    template: String,
    budget_usd: f64,
    comment_id: Option<String>,
    end_comment_id: Option<String>,
    salvage: Option<String>,
    stop_asked: bool,
}

impl RunRowRest {
    fn with(self, run: Run, claim: Option<Oid>) -> RunRow {
        RunRow {
            run,
            approval: self.approval,
            runner: self.runner,
            account: self.account,
            template: self.template,
            budget_usd: self.budget_usd,
            claim,
            comment_id: self.comment_id,
            end_comment_id: self.end_comment_id,
            salvage: self.salvage,
            stop_asked: self.stop_asked,
        }
    }
}

/// Writes the machine's part of a run.
fn update_run(conn: &Connection, run: &Run) -> StoreResult<()> {
    let last_fix = run
        .last_fix
        .as_ref()
        .map(|f| {
            let wire = FailureWire {
                checks: f.checks.clone(),
                fingerprint: f.fingerprint.clone(),
                log_tail: f.log_tail.clone(),
            };
            serde_json::to_string(&wire).map_err(|e| odd("failure", &e.to_string()))
        })
        .transpose()?;
    let reviews_done =
        serde_json::to_string(&run.reviews_done).map_err(|e| odd("reviews", &e.to_string()))?;
    conn.execute(
        "UPDATE runs SET attempt = :attempt, phase = :phase, outcome = :outcome, turns = :turns, turn_kind = :turn_kind, \
         turn_head = :turn_head, fix_forward = :fix_forward, verifies = :verifies, conflict_tries = :conflict_tries, \
         reruns = :reruns, pushed = :pushed, last_fix = :last_fix, conflict = :conflict, push_refused = :push_refused, \
         ci_stage = :ci_stage, ci_seconds = :ci_seconds, fix_seconds = :fix_seconds, turn_seconds = :turn_seconds, \
         last_seen = :last_seen, wait = :wait, ended_at = :ended_at, branch = :branch, base = :base, up_to = :up_to, \
         merge_refused = :merge_refused, pull = :pull, pull_head = :pull_head, holds_slot = :holds_slot, \
         reviewing = :reviewing, round = :round, review_turns = :review_turns, reviews_done = :reviews_done, \
         asked = :asked, review_seconds = :review_seconds WHERE id = :id",
        named_params! {
            ":id": run.id, ":attempt": run.attempt, ":phase": phase_code(run.phase),
            ":outcome": run.outcome.as_ref().map(Outcome::code), ":turns": run.turns,
            ":turn_kind": turn_kind_code(run.turn_kind), ":turn_head": run.turn_head.as_str(),
            ":fix_forward": run.fix_forward, ":verifies": run.verifies, ":conflict_tries": run.conflict_tries,
            ":reruns": run.reruns, ":pushed": run.pushed.as_ref().map(Oid::as_str), ":last_fix": last_fix,
            ":conflict": run.conflict, ":push_refused": run.push_refused, ":ci_stage": run.ci_stage,
            ":ci_seconds": run.ci_seconds, ":fix_seconds": run.fix_seconds, ":turn_seconds": run.turn_seconds,
            ":last_seen": run.last_seen.0, ":wait": run.wait.map(Wait::code), ":ended_at": run.ended_at.map(|t| t.0),
            ":branch": run.branch, ":base": run.base.as_str(), ":up_to": run.up_to.as_str(), ":merge_refused": run.merge_refused,
            ":pull": run.pull.map(to_i64), ":pull_head": run.pull_head.as_ref().map(Oid::as_str),
            ":holds_slot": run.holds_slot, ":reviewing": run.reviewing, ":round": run.round,
            ":review_turns": run.review_turns, ":reviews_done": reviews_done, ":asked": run.asked,
            ":review_seconds": run.review_seconds,
        },
    )
    .map_err(sql("written"))?;
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
        let landing = match run.landing {
            Landing::Push => "push",
            Landing::PullRequest => "pull-request",
        };
        self.transact("state.begin", |tx| {
            tx.execute(
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
            )
            .map_err(sql("written"))?;
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
        self.transact("state.step", |tx| {
            update_run(tx, run)?;
            insert_intents(tx, &run.id, effects, run.last_seen)?;
            for event in events {
                insert_event(tx, event)?;
            }
            Ok(())
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
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT DISTINCT run FROM intents WHERE state = 'pending' \
                 AND run IN (SELECT id FROM runs WHERE phase = 'ended') ORDER BY run",
            )
            .map_err(sql("read"))?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(sql("read"))?;
        rows.collect::<Result<_, _>>().map_err(sql("read"))
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
        let mut statement = self.conn.prepare_cached(&query).map_err(sql("read"))?;
        let rows = statement.query_map(values, read_row).map_err(sql("read"))?;
        rows.map(|row| row.map_err(sql("read"))?).collect()
    }

    pub fn run_text(&self, id: &str) -> StoreResult<Option<RunText>> {
        self.conn
            .query_row("SELECT title, body, comments FROM runs WHERE id = ?1", [id], |row| {
                Ok(RunText { title: row.get(0)?, body: row.get(1)?, comments: row.get(2)? })
            })
            .optional()
            .map_err(sql("read"))
    }

    /// Attempts used since the label was applied by `approval`. Runs in which nothing started do not count.
    pub fn attempts(&self, issue: &IssueRef, approval: &str) -> StoreResult<u32> {
        self.conn
            .query_row(
                "SELECT COALESCE(MAX(attempt), 0) FROM runs WHERE repo = ?1 AND number = ?2 AND approval = ?3 \
                 AND COALESCE(outcome, '') NOT IN ('claim-lost', 'not-started')",
                params![issue.repo.to_string(), to_i64(issue.number), approval],
                |row| row.get::<_, i64>(0),
            )
            .map(to_u32)
            .map_err(sql("read"))
    }

    /// Runs begun since `since`, without those in which nothing started.
    pub fn runs_since(&self, since: UnixTime) -> StoreResult<u32> {
        self.conn
            .query_row(
                "SELECT COUNT(*) FROM runs WHERE created_at >= ?1 AND COALESCE(outcome, '') NOT IN ('claim-lost', 'not-started')",
                [since.0],
                |row| row.get::<_, i64>(0),
            )
            .map(to_u32)
            .map_err(sql("read"))
    }

    /// Money of the runs begun since `since`: of a run that is over and told all its costs, those; else its reservation.
    pub fn spend_since(&self, since: UnixTime) -> StoreResult<Spend> {
        self.conn
            .query_row(
                "SELECT COALESCE(SUM(MIN(known, 1e9)), 0), \
                        COALESCE(SUM(CASE WHEN open OR unknown THEN MAX(budget_usd - known, 0) ELSE 0 END), 0) FROM ( \
                   SELECT r.budget_usd, r.phase <> 'ended' AS open, \
                     COALESCE((SELECT SUM(t.cost_usd) FROM turns t WHERE t.run = r.id), 0) AS known, \
                     EXISTS (SELECT 1 FROM turns t WHERE t.run = r.id AND t.cost_usd IS NULL) AS unknown \
                   FROM runs r WHERE r.created_at >= ?1 AND COALESCE(r.outcome, '') NOT IN ('claim-lost', 'not-started') \
                   UNION ALL SELECT u.budget_usd, u.ended_at IS NULL, COALESCE(u.cost_usd, 0), u.cost_usd IS NULL \
                   FROM upgrade_turns u WHERE u.started_at >= ?1)",
                [since.0],
                |row| Ok(Spend { known_usd: row.get(0)?, reserved_usd: row.get(1)? }),
            )
            .map_err(sql("read"))
    }

    /// Known cost of a run, and whether a turn did not tell its own.
    pub fn cost_of(&self, run: &str) -> StoreResult<(f64, bool)> {
        self.conn
            .query_row(
                "SELECT COALESCE(SUM(cost_usd), 0), COALESCE(MAX(cost_usd IS NULL), 0) FROM turns WHERE run = ?1",
                [run],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(sql("read"))
    }

    pub fn last_dispatch(&self, repo: &RepoId) -> StoreResult<Option<UnixTime>> {
        self.conn
            .query_row("SELECT MAX(created_at) FROM runs WHERE repo = ?1", [repo.to_string()], |row| {
                row.get::<_, Option<i64>>(0)
            })
            .map(|at| at.map(UnixTime))
            .map_err(sql("read"))
    }

    /// A turn was started. A second call for the same turn changes nothing.
    pub fn turn_started(&mut self, run: &str, turn: u32, kind: TurnKind, at: UnixTime) -> StoreResult<()> {
        self.conn
            .execute(
                "INSERT OR IGNORE INTO turns (run, turn, kind, started_at) VALUES (?1, ?2, ?3, ?4)",
                params![run, turn, turn_kind_code(kind), at.0],
            )
            .map_err(sql("written"))?;
        Ok(())
    }

    /// A turn's end and what it used. Returns whether it was news.
    pub fn turn_ended(&mut self, run: &str, turn: &TurnRow) -> StoreResult<bool> {
        let changed = self
            .conn
            .execute(
                "UPDATE turns SET ended_at = ?3, ending = ?4, detail = ?5, cost_usd = ?6, input_tokens = ?7, \
                 output_tokens = ?8, session = ?9, summary = ?10 WHERE run = ?1 AND turn = ?2 AND ended_at IS NULL",
                params![
                    run,
                    turn.turn,
                    turn.ended_at.map(|t| t.0),
                    turn.ending,
                    turn.detail,
                    turn.usage.cost_usd.filter(|c| c.is_finite()),
                    turn.usage.input_tokens.map(to_i64),
                    turn.usage.output_tokens.map(to_i64),
                    turn.usage.session,
                    turn.summary,
                ],
            )
            .map_err(sql("written"))?;
        Ok(changed > 0)
    }

    pub fn turns_of(&self, run: &str) -> StoreResult<Vec<TurnRow>> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT turn, kind, started_at, ended_at, ending, detail, cost_usd, input_tokens, output_tokens, session, \
                 summary FROM turns WHERE run = ?1 ORDER BY turn",
            )
            .map_err(sql("read"))?;
        let rows = statement
            .query_map([run], |row| {
                let count = |at| row.get::<_, Option<i64>>(at).map(|n| n.and_then(|n| u64::try_from(n).ok()));
                Ok((
                    row.get::<_, String>(1)?,
                    TurnRow {
                        turn: to_u32(row.get(0)?),
                        kind: TurnKind::First,
                        started_at: UnixTime(row.get(2)?),
                        ended_at: row.get::<_, Option<i64>>(3)?.map(UnixTime),
                        ending: row.get(4)?,
                        detail: row.get(5)?,
                        usage: Usage {
                            cost_usd: row.get(6)?,
                            input_tokens: count(7)?,
                            output_tokens: count(8)?,
                            session: row.get(9)?,
                        },
                        summary: row.get(10)?,
                    },
                ))
            })
            .map_err(sql("read"))?;
        rows.map(|row| {
            let (kind, turn) = row.map_err(sql("read"))?;
            Ok(TurnRow { kind: parse_turn_kind(&kind)?, ..turn })
        })
        .collect()
    }

    /// How each turn of a run ended, a word each.
    pub fn turn_ends(&self, run: &str) -> StoreResult<Vec<String>> {
        let turns = self.turns_of(run)?;
        Ok(turns.into_iter().map(|turn| turn.ending.unwrap_or_else(|| "not over".to_owned())).collect())
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
        self.conn.execute(statement, [run, value]).map_err(sql("written"))?;
        Ok(())
    }

    /// `run stop`: a marker that the next tick acts on. Returns whether there was such a run in flight.
    pub fn ask_stop(&mut self, run: &str) -> StoreResult<bool> {
        let changed = self
            .conn
            .execute("UPDATE runs SET stop_asked = 1 WHERE id = ?1 AND phase <> 'ended'", [run])
            .map_err(sql("written"))?;
        Ok(changed > 0)
    }
}
