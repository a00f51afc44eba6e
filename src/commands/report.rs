//! `report --html FILE`: the look back as one page.

use super::output;
use crate::app::App;
use crate::app::files::write_whole;
use crate::domain::model::UnixTime;
use crate::domain::{canary, harvest};
use crate::error::Error;
use crate::store::{LessonFilter, Store};
use crate::text::report::{Look, Past, Tried, Upgraded, page};
use crate::tick::harvest::look as look_at;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Write one page with charts to this file
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// How far back it looks
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
}

/// More runs than a page can be read with.
const MAX_RUNS: u32 = 100_000;
/// Newest first; what is older than these was met long ago.
const MAX_LESSONS: u32 = 2000;

pub fn run(app: &App, args: &ReportArgs) -> Result<u8, Error> {
    let look = match app.existing_store()? {
        Some(store) => look(app, &store, args.days)?,
        None => Look { now: app.now(), days: args.days, ..Look::default() },
    };
    let text = page(&look);
    if !app.global.dry_run {
        write_whole(&args.html, text.as_bytes())
            .map_err(|e| Error::later(format!("{} could not be written: {e}", args.html.display())))?;
    }
    let verb = if app.global.dry_run { "would be written" } else { "is written" };
    let words = format!("{} {verb}: {} runs of {} days\n", args.html.display(), look.runs.len(), args.days);
    output::answer(&app.global, "report", &words, &[json!({ "path": args.html, "runs": look.runs.len() })]);
    Ok(0)
}

fn look(app: &App, store: &Store, days: u32) -> Result<Look, Error> {
    let now = app.now();
    let rows = store.figures(now.plus(-i64::from(days) * 86_400), MAX_RUNS)?;
    let runs = rows
        .into_iter()
        .map(|row| Past {
            repo: row.repo,
            template: row.template,
            outcome: row.outcome,
            created_at: row.created_at,
            ended_at: row.ended_at,
            turns: row.turns,
            cost_usd: row.cost_usd,
            cost_unknown: row.cost_unknown,
        })
        .collect();
    let since = now.plus(-i64::from(days) * 86_400);
    let canaries = canaries(store, since)?;
    let upgrades = upgrades(store, since)?;
    // The journal is an observer: a broken one is left out, never in the way.
    let lessons = app.config.lessons.enabled.then(|| store.lesson_counts().ok()).flatten();
    let lessons = lessons.map(|counts| counts.by_type);
    let met = lessons.as_ref().and_then(|_| store.lessons(&LessonFilter::default(), None, MAX_LESSONS).ok());
    let met = met.unwrap_or_default();
    Ok(Look { now, days, runs, alarms: store.alarms()?, lessons, met, canaries, upgrades })
}

/// Those that lived in this time, with the evidence after each closed block.
fn canaries(store: &Store, since: UnixTime) -> Result<Vec<Tried>, Error> {
    let mut found = vec![];
    for row in store.canaries(None)? {
        if row.ended_at.is_some_and(|at| at < since) {
            continue;
        }
        let seen = look_at(store, &row)?;
        let entries = store.canary_entries(&row.id)?;
        let log = harvest::log(&harvest::counted(&entries));
        let reading = canary::decide(&row.params, row.history, &log);
        let sentence = match (row.verdict, &row.detail) {
            (Some(verdict), Some(detail)) => format!("{}: {detail}", verdict.code().replace('_', " ")),
            (Some(verdict), None) => verdict.code().replace('_', " "),
            (None, _) => seen.sentence,
        };
        found.push(Tried {
            title: format!("{}: {} against {}", row.id, seen.version.label(), seen.champion.label()),
            since: row.started_at,
            sentence,
            rollback: reading.ln_e_rollback,
            graduate: reading.ln_e_graduate,
            rollback_bound: seen.rollback.bound,
            graduate_bound: seen.graduate.bound,
        });
    }
    found.sort_by_key(|tried| tried.since);
    Ok(found)
}

/// What the summaries of batches say of each recipe.
fn upgrades(store: &Store, since: UnixTime) -> Result<Vec<Upgraded>, Error> {
    let mut found = vec![];
    for (ended_at, summary) in store.summaries(since)? {
        let summary: Value = serde_json::from_str(&summary).unwrap_or(Value::Null);
        for recipe in summary.get("recipes").and_then(Value::as_array).into_iter().flatten() {
            let word = |key: &str| recipe.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            found.push(Upgraded {
                at: ended_at,
                recipe: word("recipe"),
                version: word("version"),
                result: word("result"),
                line: word("line"),
            });
        }
    }
    Ok(found)
}
