//! `report --html FILE`: the look back as one page.

use super::{App, output};
use crate::adapters::files::write_whole;
use crate::cli::desk::ReportArgs;
use crate::domain::report::{Look, Past, page};
use crate::error::Error;
use crate::store::Store;
use serde_json::json;

/// More runs than a page can be read with.
const MOST_RUNS: u32 = 100_000;

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
    let rows = store.figures(now.plus(-i64::from(days) * 86_400), MOST_RUNS)?;
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
    // The journal is an observer: a broken one is left out, never in the way.
    let lessons = app.config.lessons.enabled.then(|| store.lesson_counts().ok()).flatten();
    Ok(Look { now, days, runs, alarms: store.alarms()?, lessons: lessons.map(|counts| counts.by_type) })
}
