//! A canary and what became of its runs, in JSON.

use crate::domain::canary::Decision;
use crate::domain::harvest::{Arms, Distance, Entry, EntryState};
use crate::store::Verdict;
use crate::tick::canary::CanaryReport;
use serde_json::{Value, json};

/// What became of one run.
pub(super) fn entry(entry: &Entry) -> Value {
    let (state, score) = match entry.state {
        EntryState::Pending => ("pending", None),
        EntryState::Resolved(score) => ("resolved", Some(score)),
        EntryState::Excluded => ("excluded", None),
    };
    json!({
        "run": entry.run, "issue": entry.subject, "arm": entry.arm.code(), "dispatched_at": entry.dispatched_at.0,
        "state": state, "score": score, "why": entry.why.code(),
    })
}

fn arm(label: &str, arm: &Arms) -> Value {
    json!({
        "version": label, "runs": arm.runs, "resolved": arm.resolved, "pending": arm.pending, "excluded": arm.excluded,
        "mean": arm.mean(),
    })
}

fn distance(distance: Distance) -> Value {
    json!({ "ln_e": distance.ln_e, "bound": distance.bound, "canary_runs_needed": distance.runs_needed })
}

fn word(seen: &CanaryReport) -> &'static str {
    match (seen.row.verdict, seen.decision) {
        (Some(verdict), _) => verdict.code(),
        (None, Decision::Hold) => "hold",
        (None, Decision::RollBack) => Verdict::RolledBack.code(),
        (None, Decision::Graduate) => Verdict::Graduated.code(),
        (None, Decision::Inconclusive) => Verdict::Inconclusive.code(),
    }
}

/// A canary with all its numbers.
pub(super) fn canary(seen: &CanaryReport) -> Value {
    let row = &seen.row;
    json!({
        "kind": "canary", "canary": row.id, "template": row.name, "decision": word(seen),
        "sentence": row.detail.as_ref().unwrap_or(&seen.sentence), "fails": seen.fails,
        "decided_by": seen.decided_by, "started_at": row.started_at.0, "ended_at": row.ended_at.map(|t| t.0),
        "fraction": row.fraction, "min_canary": row.params.min_canary, "max_canary": row.params.max_canary,
        "margin": row.params.margin, "alpha_rollback": row.params.alpha_rollback,
        "alpha_graduate": row.params.alpha_graduate,
        "history": { "runs": row.history.count, "sum": row.history.sum },
        "champion": arm(&seen.champion.label(), &seen.champion_arm),
        "canary_arm": arm(&seen.version.label(), &seen.canary_arm),
        "roll_back": distance(seen.rollback), "graduate": distance(seen.graduate), "blocks": seen.blocks,
        "pending": seen.pending.iter().map(entry).collect::<Vec<_>>(),
    })
}
