//! `status`: in 80 columns, whether it works, what it costs, and who has to do what.

use super::output;
use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::model::{IssueRef, Outcome, UnixTime};
use crate::domain::moment::{format_duration, format_time};
use crate::domain::run::Wait;
use crate::error::Error;
use crate::store::{HoldKind, Store};
use crate::text::what_to_do;
use crate::tick::harvest::look;
use crate::tick::poll::day_and_month;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// How it is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = StatusFormat::Text)]
    pub format: StatusFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people; with --json for scripts
    Text,
    /// For a textfile collector of Prometheus
    Prometheus,
}

/// An ended run needs somebody for this long, then it is history.
const NEEDS_YOU_SECONDS: i64 = 14 * 86_400;

pub fn run(app: &App) -> Result<u8, Error> {
    let now = app.now();
    let store = app.existing_store()?;
    let mut items =
        vec![json!({ "section": "host", "off": app.switch.on, "allowlist": app.config.allowlist.len() })];
    let mut text = head(app, store.as_ref(), now, &mut items)?;
    if let Some(store) = &store {
        text.push_str(&money(app, store, now, &mut items)?);
        for (title, lines) in [
            ("NEEDS YOU", needs_you(app, store, now, &mut items)?),
            ("RUNNING", running(store, now, &mut items)?),
            ("WAITING", waiting(app, store, &mut items)?),
            ("PARKED", parked(store, now, &mut items)?),
            ("CANARY", canaries(store, &mut items)?),
            ("ALARM", alarms(store, now, &mut items)?),
        ] {
            if !lines.is_empty() {
                text.push_str(&format!("\n{title}\n"));
                for line in lines {
                    text.push_str(&wrapped(&line));
                }
            }
        }
    }
    if store.is_none() {
        let lost = left_behind(app, None, &mut items)?;
        if !lost.is_empty() {
            text.push_str(&format!(
                "\nNEEDS YOU\n  the state file {} is gone: `offhours state restore FILE` puts a backup in its place\n",
                app.state.display()
            ));
        }
        for line in &lost {
            text.push_str(&wrapped(line));
        }
    }
    let mut journal = super::lessons::snapshot_of(app, store.as_ref());
    if let Value::Object(map) = &mut journal {
        map.insert("section".to_owned(), json!("lessons"));
    }
    items.push(journal);
    output::answer(&app.global, "status", &text, &items);
    Ok(0)
}

/// A line of a section, folded at 80 columns; what follows is set in.
fn wrapped(line: &str) -> String {
    let inner = line.len() - line.trim_start().len();
    let (mut text, mut column) = (String::new(), 0);
    for word in sanitize(line, 2000).split_whitespace() {
        let wide = word.chars().count();
        if column > 0 && column + 1 + wide > 80 {
            text.push('\n');
            column = 0;
        }
        let indent = if text.is_empty() { 2 + inner } else { 4 + inner };
        if column == 0 {
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += wide;
    }
    text.push('\n');
    text
}

fn head(app: &App, store: Option<&Store>, now: UnixTime, items: &mut Vec<Value>) -> Result<String, Error> {
    let mut text = if app.switch.on {
        let because = app.switch.because.first().map_or("", |b| b.sentence());
        format!("off: {because}\n")
    } else if app.config.allowlist.is_empty() {
        "off: the allowlist is empty; `offhours arm REPO` names a repo\n".to_owned()
    } else {
        let n = app.config.allowlist.len();
        format!("armed for {n} repo{}\n", if n == 1 { "" } else { "s" })
    };
    let ticks = store.map_or(Ok(vec![]), Store::ticks)?;
    match ticks.first() {
        Some((command, at, _, outcome)) => {
            let outcome = outcome.as_deref().unwrap_or("not ended");
            text.push_str(&format!(
                "last tick: {command} {} ago ({outcome})\n",
                format_duration(now.since(*at))
            ));
        }
        None => text.push_str("last tick: none yet; put `offhours tick` into your crontab\n"),
    }
    if let Some(store) = store {
        let names = ["*".to_owned()].into_iter().chain(app.config.allowlist.iter().map(ToString::to_string));
        for scope in names {
            if let Some(until) = store.paused(&scope, now)? {
                items.push(json!({ "section": "paused", "scope": scope, "until": until.map(|u| u.0) }));
                let what = if scope == "*" { "everything".to_owned() } else { scope };
                let until = until
                    .map_or("until `offhours resume`".to_owned(), |u| format!("until {}", format_time(u)));
                text.push_str(&format!("paused: {what} {until}\n"));
            }
        }
    }
    Ok(text)
}

fn money(app: &App, store: &Store, now: UnixTime, items: &mut Vec<Value>) -> Result<String, Error> {
    let (day, month) = day_and_month(now);
    let (today, this_month) = (store.spend_since(day)?, store.spend_since(month)?);
    let g = &app.config.global;
    let runs = store.runs_since(day)?;
    items.push(json!({
        "section": "spend",
        "today_usd": today.known_usd,
        "today_reserved_usd": today.reserved_usd,
        "daily_budget_usd": g.daily_budget_usd,
        "month_usd": this_month.total(),
        "monthly_budget_usd": g.monthly_budget_usd,
        "runs_today": runs,
        "max_runs_per_day": g.max_runs_per_day,
    }));
    Ok(format!(
        "spend: today ${:.2} + ${:.2} reserved of ${:.2}; month ${:.2} of ${:.2}; runs today {} of {}\n",
        today.known_usd,
        today.reserved_usd,
        g.daily_budget_usd,
        this_month.total(),
        g.monthly_budget_usd,
        runs,
        g.max_runs_per_day
    ))
}

/// Runs of a state file that is gone: their claims stay until somebody frees them.
fn left_behind(app: &App, store: Option<&Store>, items: &mut Vec<Value>) -> Result<Vec<String>, Error> {
    let mut lines = vec![];
    for found in app.left_behind(store)? {
        let (issue, dir) = (&found.issue, found.dir.display());
        lines.push(format!(
            "{issue} left behind by a state file that is gone (run {})",
            sanitize(&found.run, 20)
        ));
        lines.push(match &found.record {
            Ok(_) => format!(
                "  {} goes on with it, if its claim still stands. Its work lies in {dir}.",
                if app.switch.on { "The next tick after `offhours resume`" } else { "The next tick" }
            ),
            Err(why) => format!(
                "  It is not gone on with: {}. Its work lies in {dir}. When nobody works on it any more, `offhours run \
                 release {issue}`",
                sanitize(why, 200)
            ),
        });
        items.push(json!({ "section": "needs-you", "issue": issue.to_string(), "run": found.run, "reason": "left-behind" }));
    }
    Ok(lines)
}

fn needs_you(app: &App, store: &Store, now: UnixTime, items: &mut Vec<Value>) -> Result<Vec<String>, Error> {
    let mut lines = left_behind(app, Some(store), items)?;
    let mut seen: Vec<IssueRef> = vec![];
    for row in store.recent_runs(200)? {
        // Only the newest run of an issue says how it stands.
        if seen.contains(&row.run.issue) {
            continue;
        }
        seen.push(row.run.issue.clone());
        if row.run.wait == Some(Wait::Review) {
            let pull = row.run.pull.map_or_else(String::new, |n| format!(" of pull request #{n}"));
            lines.push(format!(
                "{} review{pull} for {} (run {})",
                row.run.issue,
                format_duration(row.run.review_seconds + now.since(row.run.last_seen)),
                row.run.id
            ));
            items.push(json!({ "section": "needs-you", "issue": row.run.issue.to_string(), "run": row.run.id, "pull": row.run.pull, "reason": "review" }));
            continue;
        }
        let (Some(outcome), Some(ended)) = (&row.run.outcome, row.run.ended_at) else { continue };
        let needs = matches!(outcome, Outcome::HandedBack(_) | Outcome::Frozen(_) | Outcome::Stopped);
        if needs && now.since(ended) < NEEDS_YOU_SECONDS {
            lines.push(format!(
                "{} {} {} ago (run {})",
                row.run.issue,
                outcome.code(),
                format_duration(now.since(ended)),
                row.run.id
            ));
            lines.push(format!("  {}", what_to_do(outcome)));
            items.push(json!({ "section": "needs-you", "issue": row.run.issue.to_string(), "run": row.run.id, "reason": outcome.code() }));
        }
    }
    Ok(lines)
}

fn running(store: &Store, now: UnixTime, items: &mut Vec<Value>) -> Result<Vec<String>, Error> {
    let mut lines = vec![];
    for row in store.runs_in_flight()?.into_iter().filter(|row| row.run.wait != Some(Wait::Review)) {
        let run = &row.run;
        lines.push(format!(
            "{} {} turn {}, {} (run {})",
            run.issue,
            row.state_word(),
            run.turns,
            format_duration(now.since(run.created_at)),
            run.id
        ));
        items.push(json!({ "section": "running", "issue": run.issue.to_string(), "run": run.id, "reason": row.state_word() }));
    }
    Ok(lines)
}

fn waiting(app: &App, store: &Store, items: &mut Vec<Value>) -> Result<Vec<String>, Error> {
    let mut lines = vec![];
    for repo in &app.config.allowlist {
        for hold in store.holds(repo)?.into_iter().filter(|hold| hold.kind != HoldKind::Watched) {
            lines.push(format!("{repo} {}: `offhours resume {repo}` clears it by hand", hold.kind.code()));
        }
        for issue in store.listing(repo)? {
            let name = IssueRef { repo: repo.clone(), number: issue.number };
            let running = store.runs_in_flight()?.iter().any(|r| r.run.issue == name);
            if running {
                continue;
            }
            if let Some(last) = store.ledger_of(&name, 1)?.first() {
                lines.push(format!("{name} {}: {}", last.reason, last.sentence));
                items.push(json!({ "section": "waiting", "issue": name.to_string(), "reason": last.reason }));
            }
        }
    }
    Ok(lines)
}

fn parked(store: &Store, now: UnixTime, items: &mut Vec<Value>) -> Result<Vec<String>, Error> {
    let mut lines = vec![];
    for (account, park) in store.parks()? {
        if park.until.is_some_and(|until| until <= now) {
            continue;
        }
        let until =
            park.until.map_or("until `offhours resume`".to_owned(), |u| format!("until {}", format_time(u)));
        lines.push(format!("{account} {until} ({})", park.kind));
        items.push(json!({ "section": "parked", "account": account, "until": park.until.map(|u| u.0), "reason": park.kind }));
    }
    Ok(lines)
}

fn canaries(store: &Store, items: &mut Vec<Value>) -> Result<Vec<String>, Error> {
    let mut lines = vec![];
    for row in store.live_canaries()? {
        let seen = look(store, &row)?;
        lines.push(format!("{} {}", seen.version.label(), seen.sentence));
        items.push(json!({ "section": "canary", "canary": row.id, "version": seen.version.label(), "sentence": seen.sentence }));
    }
    Ok(lines)
}

fn alarms(store: &Store, now: UnixTime, items: &mut Vec<Value>) -> Result<Vec<String>, Error> {
    let mut lines = vec![];
    for (cause, since, detail) in store.alarms()? {
        lines.push(format!("{cause} for {}: {detail}", format_duration(now.since(since))));
        items.push(json!({ "section": "alarm", "cause": cause, "since": since.0, "detail": detail }));
    }
    Ok(lines)
}
