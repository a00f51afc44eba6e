//! `why`: not started or what now, because, what happens next by itself, what it passed, history.

use super::output;
use super::target::IssueTarget;
use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::model::{IssueRef, Outcome, RepoId};
use crate::domain::moment::format_time;
use crate::domain::run::Phase;
use crate::error::Error;
use crate::store::{RunRow, Store};
use crate::text::what_to_do;
use crate::tick::{Log, poll};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// A repo or an issue, as REPO or REPO#N [default: this host]
    #[arg(value_name = "REPO[#N]")]
    pub target: Option<String>,
    /// Ask the forge afresh instead of reading what the last tick stored
    #[arg(long)]
    pub live: bool,
}

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
                text.push_str(&repo_lines(app, repo, store.as_ref(), &mut items)?);
            }
            text
        }
        Some(name) => match IssueTarget::parse(name) {
            Ok(found) => {
                let issue = IssueRef { repo: app.repo(&found.repo)?, number: found.number };
                issue_lines(app, &issue, store.as_ref(), &mut items)?
            }
            Err(why) if name.contains('#') => return Err(Error::usage(why)),
            Err(_) => repo_lines(app, &app.repo(name)?, store.as_ref(), &mut items)?,
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
    let (mut store, mut log) = (dry.store()?, Log::default());
    let (env, host) = dry.equip(&store, false, None)?;
    poll::tick(&env, &host, &mut store, &mut log)?;
    for failure in &log.errors {
        output::err(&format!("offhours why: {}: {}", sanitize(&failure.subject, 120), failure.what));
    }
    Ok(store)
}

fn host(app: &App, store: Option<&Store>) -> Result<String, Error> {
    let mut text = String::new();
    for by in &app.switch.because {
        text.push_str(&format!("nothing starts: {}\n", by.sentence()));
    }
    if app.config.allowlist.is_empty() {
        text.push_str("nothing starts: the allowlist is empty; `offhours arm REPO` names a repo\n");
    }
    let now = app.now();
    if let Some(store) = store
        && let Some(until) = store.paused("*", now)?
    {
        let until =
            until.map_or("until `offhours resume`".to_owned(), |u| format!("until {}", format_time(u)));
        text.push_str(&format!("nothing starts: paused {until}\n"));
    }
    if text.is_empty() {
        text.push_str("the host is armed\n");
    }
    Ok(text)
}

fn repo_lines(
    app: &App,
    repo: &RepoId,
    store: Option<&Store>,
    items: &mut Vec<Value>,
) -> Result<String, Error> {
    if !app.config.allowlist.contains(repo) {
        return Ok(format!("{repo}: not in the allowlist; `offhours arm {repo}` puts it there\n"));
    }
    let Some(store) = store else { return Ok(format!("{repo}: never looked at; no tick has run\n")) };
    let mut text = format!("{repo}\n");
    for hold in store.holds(repo)? {
        text.push_str(&format!(
            "  held as {} since {}; `offhours resume {repo}` clears it\n",
            hold.kind.code(),
            format_time(hold.since)
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
        text.push_str(&format!("  #{} {}\n    {words}\n", issue.number, sanitize(&issue.title, 60)));
        items.push(json!({ "issue": name.to_string(), "reason": reason.map(|r| r.reason) }));
    }
    Ok(text)
}

/// What was said of a run's end beside its code.
fn end_words(store: &Store, row: &RunRow) -> Result<String, Error> {
    let code = row.state_word();
    let events = store.events_of(&row.run.id)?;
    let mut said = events.iter().rev().filter(|e| e.kind.code() == code).map(|e| &e.facts.detail);
    Ok(said.find(|detail| !detail.is_empty()).map_or_else(String::new, |detail| sanitize(detail, 300)))
}

fn issue_lines(
    app: &App,
    issue: &IssueRef,
    store: Option<&Store>,
    items: &mut Vec<Value>,
) -> Result<String, Error> {
    let mut text = String::new();
    for found in app.left_behind(store)?.into_iter().filter(|found| found.issue == *issue) {
        text.push_str(&format!(
            "{issue}: left behind by a state file that is gone (run {})\n  its work lies in {}\n",
            sanitize(&found.run, 20),
            found.dir.display()
        ));
        text.push_str(&match &found.record {
            Ok(_) => "  next: the next tick goes on with it, if its claim still stands\n".to_owned(),
            Err(why) => format!(
                "  it is not gone on with: {}\n  next: put a backup back with `offhours state restore FILE`, or \
                 `offhours run release {issue}` when nobody works on it any more\n",
                sanitize(why, 200)
            ),
        });
    }
    let Some(store) = store else {
        text.push_str(&format!("{issue}: never looked at; no tick has run\n"));
        return Ok(text);
    };
    let runs = store.runs_of(issue)?;
    let ledger = store.ledger_of(issue, 20)?;
    match runs.first() {
        Some(row) if row.run.phase != Phase::Ended => {
            text.push_str(&format!("{issue}: {} (run {})\n", row.state_word(), row.run.id));
            let next = row.run.wait.map_or("the next tick takes its next step", |w| w.next_step());
            text.push_str(&format!("  next: {next}\n"));
        }
        Some(row) => {
            text.push_str(&format!("{issue}: {} (run {})\n", row.state_word(), row.run.id));
            if let Some(outcome) = &row.run.outcome {
                text.push_str(&format!("  next: {}\n", what_to_do(outcome)));
            }
        }
        None => text.push_str(&format!("{issue}: not started\n")),
    }
    let over = runs.first().filter(|r| r.run.phase == Phase::Ended);
    // What was found since the run's end says more than the end; before it, less. That it ran says nothing.
    let since = over.and_then(|r| r.run.ended_at).map_or(i64::MIN, |end| end.0);
    let says = |reason: &str| reason != "already-running" && (over.is_none() || reason != "dispatched");
    let last = ledger.iter().find(|l| says(&l.reason)).filter(|l| l.at.0 >= since);
    let end = over.map(|row| Ok::<_, Error>((row.state_word(), end_words(store, row)?))).transpose()?;
    if let (None, Some((code, words))) = (last, &end) {
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        text.push_str(&format!("  because: {code}{words}\n"));
    } else if let Some(last) = last {
        text.push_str(&format!("  because: {}: {}\n", last.reason, last.sentence));
        let did_not = over.is_some_and(|row| row.run.outcome == Some(Outcome::NotStarted));
        if let Some((_, words)) = end.as_ref().filter(|(_, words)| did_not && !words.is_empty()) {
            text.push_str(&format!("  it did not start: {words}\n"));
        }
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
            r.run.ended_at.map(|at| (at.0, format!("run {} ended: {}", r.run.id, r.state_word())))
        }));
        lines.sort_by_key(|(at, _)| *at);
        for (at, line) in lines {
            text.push_str(&format!("    {}  {line}\n", format_time(crate::domain::model::UnixTime(at))));
        }
    }
    items.push(json!({
        "issue": issue.to_string(),
        "run": runs.first().map(|r| r.run.id.clone()),
        "reason": runs
            .first()
            .filter(|r| r.run.phase != Phase::Ended || last.is_none())
            .map(|r| r.state_word().to_owned())
            .or_else(|| last.map(|l| l.reason.clone())),
        "passed": ledger.first().map(|l| l.passed.clone()).unwrap_or_default(),
    }));
    Ok(text)
}
