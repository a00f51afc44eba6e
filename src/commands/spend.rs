//! `spend`: what was spent and what is reserved, against the limits, and on what.

use super::output;
use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::moment::format_time;
use crate::error::Error;
use crate::store::{SpendBy, SpendRow};
use crate::tick::poll::day_and_month;
use clap::{Args, ValueEnum};
use serde_json::json;

#[derive(Debug, Clone, Args)]
pub struct SpendArgs {
    /// Of this month instead of today
    #[arg(long)]
    pub month: bool,
    /// By what it is summed up
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = SpendByArg::Repo)]
    pub by: SpendByArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SpendByArg {
    Repo,
    Runner,
    Template,
}

pub fn run(app: &App, args: &SpendArgs) -> Result<u8, Error> {
    let now = app.now();
    let (day, month) = day_and_month(now);
    let since = if args.month { month } else { day };
    let g = &app.config.global;
    let (limit, key) = if args.month {
        (g.monthly_budget_usd, "monthly_budget_usd")
    } else {
        (g.daily_budget_usd, "daily_budget_usd")
    };
    let by = match args.by {
        SpendByArg::Repo => SpendBy::Repo,
        SpendByArg::Runner => SpendBy::Runner,
        SpendByArg::Template => SpendBy::Template,
    };
    let store = app.existing_store()?;
    let (all, rows, adopted) = match &store {
        Some(store) => (store.spend_since(since)?, store.spend_by(since, by)?, store.adopted_at()?),
        None => Default::default(),
    };
    let period = if args.month { "this month" } else { "today" };
    let mut text = format!(
        "spent {period}, since {}\n  known     {:>10}\n  reserved  {:>10}   in flight, or of runs that did not tell\n  limit     {:>10}   {key}\n",
        format_time(since),
        usd(all.known_usd),
        usd(all.reserved_usd),
        usd(limit)
    );
    if let Some(at) = adopted.filter(|at| *at > since) {
        text.push_str(&format!(
            "  before {} there may be more: the state file was put back or taken over\n",
            format_time(at)
        ));
    }
    text.push_str(&table(&rows, args.by));
    let mut items = vec![json!({
        "since": since.0, "known_usd": all.known_usd, "reserved_usd": all.reserved_usd, "limit_usd": limit,
        "complete": adopted.is_none_or(|at| at <= since),
    })];
    items.extend(rows.iter().map(|r| {
        json!({ "name": r.name, "runs": r.runs, "known_usd": r.spend.known_usd, "reserved_usd": r.spend.reserved_usd })
    }));
    output::answer(&app.global, "spend", &text, &items);
    Ok(0)
}

fn usd(amount: f64) -> String {
    format!("${amount:.2}")
}

fn table(rows: &[SpendRow], by: SpendByArg) -> String {
    if rows.is_empty() {
        return "\nno run was begun in this time\n".to_owned();
    }
    let word = match by {
        SpendByArg::Repo => "repo",
        SpendByArg::Runner => "runner",
        SpendByArg::Template => "template",
    };
    let mut text =
        format!("\n{:<42} {:>5} {:>12} {:>12}\n", format!("by {word}"), "runs", "known", "reserved");
    for row in rows {
        text.push_str(&format!(
            "{:<42} {:>5} {:>12} {:>12}\n",
            sanitize(&row.name, 42),
            row.runs,
            usd(row.spend.known_usd),
            usd(row.spend.reserved_usd)
        ));
    }
    text
}
