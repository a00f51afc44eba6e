//! How a run is written down, and read again.

use rusqlite::{Connection, Row, named_params};
use serde::{Deserialize, Serialize};

use super::super::codes::{self, odd, oid, repo_id, word};
use super::super::error::StoreResult;
use super::super::{to_i64, to_u32};
use crate::domain::model::{IssueRef, Oid, Outcome, UnixTime};
use crate::domain::run::{Failure, Run, Wait};
use crate::store::ask::Ask as _;

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

#[derive(Serialize, Deserialize)]
struct FailureWire {
    checks: Vec<String>,
    fingerprint: String,
    log_tail: String,
}

pub(super) const RUN_COLUMNS: &str = "id, repo, number, asked_by, approval, runner, account, template, budget_usd, attempt, phase, \
    outcome, landing, target_branch, base, turns, turn_kind, turn_head, fix_forward, verifies, conflict_tries, reruns, \
    pushed, last_fix, conflict, push_refused, ci_stage, ci_seconds, fix_seconds, turn_seconds, last_seen, wait, created_at, \
    ended_at, claim, comment_id, end_comment_id, salvage, stop_asked, branch, up_to, merge_refused, pull, pull_head, \
    holds_slot, reviewing, round, review_turns, reviews_done, asked, review_seconds";

fn read_failure(json: &str) -> StoreResult<Failure> {
    let wire: FailureWire = serde_json::from_str(json).map_err(|e| odd("failure", &e.to_string()))?;
    Ok(Failure { checks: wire.checks, fingerprint: wire.fingerprint, log_tail: wire.log_tail })
}

pub(super) fn read_row(row: &Row<'_>) -> StoreResult<RunRow> {
    let text = |at: &str| row.get::<_, String>(at);
    let maybe = |at: &str| row.get::<_, Option<String>>(at);
    let count = |at: &str| row.get::<_, i64>(at).map(to_u32);
    let name = |at: &str| oid(&text(at)?);
    let maybe_name = |at: &str| maybe(at)?.as_deref().map(oid).transpose();
    let run = Run {
        id: text("id")?,
        issue: IssueRef {
            repo: repo_id(&text("repo")?)?,
            number: u64::try_from(row.get::<_, i64>("number")?).unwrap_or(0),
        },
        asked_by: text("asked_by")?,
        attempt: count("attempt")?,
        phase: word("phase", &text("phase")?)?,
        outcome: maybe("outcome")?.as_deref().map(codes::outcome).transpose()?,
        landing: word("landing", &text("landing")?)?,
        target_branch: text("target_branch")?,
        base: name("base")?,
        turns: count("turns")?,
        turn_kind: word("turn kind", &text("turn_kind")?)?,
        turn_head: name("turn_head")?,
        fix_forward: count("fix_forward")?,
        verifies: count("verifies")?,
        conflict_tries: count("conflict_tries")?,
        reruns: count("reruns")?,
        pushed: maybe_name("pushed")?,
        last_fix: maybe("last_fix")?.as_deref().map(read_failure).transpose()?,
        conflict: maybe("conflict")?,
        push_refused: maybe("push_refused")?,
        ci_stage: count("ci_stage")?,
        ci_seconds: row.get("ci_seconds")?,
        fix_seconds: row.get("fix_seconds")?,
        turn_seconds: row.get("turn_seconds")?,
        last_seen: UnixTime(row.get("last_seen")?),
        wait: maybe("wait")?.map(|code| word("wait", &code)).transpose()?,
        created_at: UnixTime(row.get("created_at")?),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(UnixTime),
        branch: text("branch")?,
        up_to: name("up_to")?,
        merge_refused: maybe("merge_refused")?,
        pull: row.get::<_, Option<i64>>("pull")?.and_then(|n| u64::try_from(n).ok()),
        pull_head: maybe_name("pull_head")?,
        holds_slot: row.get("holds_slot")?,
        reviewing: row.get("reviewing")?,
        round: count("round")?,
        review_turns: count("review_turns")?,
        reviews_done: serde_json::from_str(&text("reviews_done")?)
            .map_err(|e| odd("reviews", &e.to_string()))?,
        asked: maybe("asked")?,
        review_seconds: row.get("review_seconds")?,
    };
    Ok(RunRow {
        run,
        approval: text("approval")?,
        runner: text("runner")?,
        account: text("account")?,
        template: text("template")?,
        budget_usd: row.get("budget_usd")?,
        claim: maybe_name("claim")?,
        comment_id: maybe("comment_id")?,
        end_comment_id: maybe("end_comment_id")?,
        salvage: maybe("salvage")?,
        stop_asked: row.get("stop_asked")?,
    })
}

/// Writes the machine's part of a run.
pub(in crate::store) fn update_run(conn: &Connection, run: &Run) -> StoreResult<()> {
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
    conn.write(
        "UPDATE runs SET attempt = :attempt, phase = :phase, outcome = :outcome, turns = :turns, turn_kind = :turn_kind, \
         turn_head = :turn_head, fix_forward = :fix_forward, verifies = :verifies, conflict_tries = :conflict_tries, \
         reruns = :reruns, pushed = :pushed, last_fix = :last_fix, conflict = :conflict, push_refused = :push_refused, \
         ci_stage = :ci_stage, ci_seconds = :ci_seconds, fix_seconds = :fix_seconds, turn_seconds = :turn_seconds, \
         last_seen = :last_seen, wait = :wait, ended_at = :ended_at, branch = :branch, base = :base, up_to = :up_to, \
         merge_refused = :merge_refused, pull = :pull, pull_head = :pull_head, holds_slot = :holds_slot, \
         reviewing = :reviewing, round = :round, review_turns = :review_turns, reviews_done = :reviews_done, \
         asked = :asked, review_seconds = :review_seconds WHERE id = :id",
        named_params! {
            ":id": run.id, ":attempt": run.attempt, ":phase": run.phase.code(),
            ":outcome": run.outcome.as_ref().map(Outcome::code), ":turns": run.turns,
            ":turn_kind": run.turn_kind.code(), ":turn_head": run.turn_head.as_str(),
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
}
