//! `why`: not started or what now, because, what happens next by itself, what it passed, history.

use super::{App, output, run::state_word};
use crate::adapters::host::SystemClock;
use crate::cli::{IssueTarget, WhyArgs};
use crate::domain::message::{moment, plain, what_to_do};
use crate::domain::model::{IssueRef, RepoId};
use crate::domain::run::Phase;
use crate::error::Error;
use crate::ports::Clock as _;
use crate::store::Store;
use crate::tick::poll;
use serde_json::{Value, json};

pub fn run(app: &App, args: &WhyArgs) -> Result<u8, Error> {
    let target = args.target.as_deref();
    let mut store = app.existing_store()?;
    if args.live {
        store = Some(live(app, store)?);
    }
    let mut items = vec![];
    let text = match target {
        None => {
            let mut text = host(app, store.as_ref())?;
            for repo in &app.config.allowlist {
                text.push_str(&repo_lines(repo, store.as_ref(), &mut items)?);
            }
            text
        }
        Some(name) => match IssueTarget::parse(name) {
            Ok(found) => {
                let issue = IssueRef { repo: app.repo(&found.repo)?, number: found.number };
                issue_lines(app, &issue, store.as_ref(), &mut items)?
            }
            Err(_) => repo_lines(&app.repo(name)?, store.as_ref(), &mut items)?,
        },
    };
    output::answer(&app.global, "why", &text, &items);
    Ok(0)
}

/// Asks afresh, in a world that cannot be written.
fn live(app: &App, store: Option<Store>) -> Result<Store, Error> {
    drop(store);
    let mut global = app.global.clone();
    global.dry_run = true;
    let dry = App::load(&global)?;
    let mut world = dry.world(dry.store()?, false, false)?;
    poll::tick(&mut world)?;
    for failure in &world.report.errors {
        output::err(&format!("offhours why: {}: {}", plain(&failure.subject, 120), failure.what));
    }
    Ok(world.store)
}

fn host(app: &App, store: Option<&Store>) -> Result<String, Error> {
    let mut text = String::new();
    for by in &app.switch.because {
        text.push_str(&format!("nothing starts: {}\n", by.sentence()));
    }
    if app.config.allowlist.is_empty() {
        text.push_str("nothing starts: the allowlist is empty; `offhours arm REPO` names a repo\n");
    }
    let now = SystemClock.now();
    if let Some(store) = store
        && let Some(until) = store.paused("*", now)?
    {
        let until = until.map_or("until `offhours resume`".to_owned(), |u| format!("until {}", moment(u)));
        text.push_str(&format!("nothing starts: paused {until}\n"));
    }
    if text.is_empty() {
        text.push_str("the host is armed\n");
    }
    Ok(text)
}

fn repo_lines(repo: &RepoId, store: Option<&Store>, items: &mut Vec<Value>) -> Result<String, Error> {
    let Some(store) = store else { return Ok(format!("{repo}: never looked at; no tick has run\n")) };
    let mut text = format!("{repo}\n");
    for hold in store.holds(repo)? {
        text.push_str(&format!(
            "  held as {} since {}; `offhours resume {repo}` clears it\n",
            hold.kind,
            moment(hold.since)
        ));
    }
    let issues = store.listing(repo)?;
    if issues.is_empty() {
        text.push_str("  no ready issue was there at the last look\n");
    }
    for issue in issues {
        let name = IssueRef { repo: repo.clone(), number: issue.number };
        let reason = store.ledger_of(&name, 1)?.into_iter().next();
        let words = reason
            .as_ref()
            .map_or("not looked at yet".to_owned(), |r| format!("{}: {}", r.reason, r.sentence));
        text.push_str(&format!("  #{} {}\n    {words}\n", issue.number, plain(&issue.title, 60)));
        items.push(json!({ "issue": name.to_string(), "reason": reason.map(|r| r.reason) }));
    }
    Ok(text)
}

fn issue_lines(
    app: &App,
    issue: &IssueRef,
    store: Option<&Store>,
    items: &mut Vec<Value>,
) -> Result<String, Error> {
    let Some(store) = store else { return Ok(format!("{issue}: never looked at; no tick has run\n")) };
    let runs = store.runs_of(issue)?;
    let ledger = store.ledger_of(issue, 20)?;
    let mut text = String::new();
    match runs.first() {
        Some(row) if row.run.phase != Phase::Ended => {
            text.push_str(&format!("{issue}: {} (run {})\n", state_word(row), row.run.id));
            let next = row.run.wait.map_or("the next tick takes its next step", |w| w.next_step());
            text.push_str(&format!("  next: {next}\n"));
        }
        Some(row) => {
            text.push_str(&format!("{issue}: {} (run {})\n", state_word(row), row.run.id));
            if let Some(outcome) = &row.run.outcome {
                text.push_str(&format!("  next: {}\n", what_to_do(outcome)));
            }
        }
        None => text.push_str(&format!("{issue}: not started\n")),
    }
    let over = runs.first().filter(|r| r.run.phase == Phase::Ended);
    let newer = |at: i64| over.and_then(|r| r.run.ended_at).is_none_or(|end| at > end.0);
    if let Some(row) = over
        && !ledger.first().is_some_and(|l| newer(l.at.0))
    {
        let said = store.events_of(&row.run.id)?;
        let code = state_word(row);
        let words = said
            .iter()
            .rev()
            .filter(|e| e.kind == code)
            .filter_map(|e| serde_json::from_str::<Value>(&e.data).ok())
            .filter_map(|v| v.get("detail").and_then(Value::as_str).map(str::to_owned))
            .find(|words| !words.is_empty())
            .unwrap_or_default();
        if !words.is_empty() {
            text.push_str(&format!("  because: {}\n", plain(&words, 400)));
        }
        if let Some(kept) = &row.salvage {
            text.push_str(
                &kept.trim_start().lines().map(|l| format!("  {l}\n")).collect::<Vec<_>>().concat(),
            );
        }
    } else if let Some(last) = ledger.first() {
        text.push_str(&format!("  because: {}: {}\n", last.reason, last.sentence));
        if !last.passed.is_empty() {
            text.push_str(&format!("  passed: {}\n", last.passed.join(", ")));
        }
    } else if runs.is_empty() {
        let listed = app.config.allowlist.contains(&issue.repo);
        let why = if listed {
            "it was not a ready issue at the last look"
        } else {
            "its repo is not in the allowlist"
        };
        text.push_str(&format!("  because: {why}\n"));
    }
    if ledger.len() > 1 || !runs.is_empty() {
        text.push_str("  history:\n");
        let mut lines: Vec<(i64, String)> =
            ledger.iter().rev().map(|l| (l.at.0, format!("{}: {}", l.reason, l.sentence))).collect();
        lines.extend(runs.iter().filter_map(|r| {
            r.run.ended_at.map(|at| (at.0, format!("run {} ended: {}", r.run.id, state_word(r))))
        }));
        lines.sort_by_key(|(at, _)| *at);
        for (at, line) in lines {
            text.push_str(&format!("    {}  {line}\n", moment(crate::domain::model::UnixTime(at))));
        }
    }
    items.push(json!({
        "issue": issue.to_string(),
        "run": runs.first().map(|r| r.run.id.clone()),
        "reason": runs.first().filter(|r| r.run.phase != Phase::Ended).map(|r| state_word(r).to_owned()).or_else(|| ledger.first().map(|l| l.reason.clone())),
        "passed": ledger.first().map(|l| l.passed.clone()).unwrap_or_default(),
    }));
    Ok(text)
}
