//! `run once REPO#N`: work on one issue now, whatever else is ready.

use std::time::Duration;

use super::hold::{self, EveryArg, Hold};
use super::output;
use super::target::IssueArg;
use crate::app::App;
use crate::domain::model::{IssueRef, Outcome};
use crate::error::Error;
use crate::store::Store;
use crate::tick::{Log, outbox, poll, watch};
use serde_json::json;

pub fn run(app: &App, args: &IssueArg, foreground: bool, every: &EveryArg) -> Result<u8, Error> {
    let repo = app.repo(&args.issue.repo)?;
    let issue = IssueRef { repo, number: args.issue.number };
    if app.switch.on {
        let why: Vec<&str> = app.switch.because.iter().map(|b| b.sentence()).collect();
        return Err(Error::later(format!("{issue} is not started: {}", why.join("; ")))
            .hint("clear the switch first"));
    }
    let _lock = super::hand::lock(app, "run once")?;
    let (mut store, mut log) = (app.store()?, Log::default());
    // Nothing else moves the run while somebody waits for its verdict here.
    let mut hold =
        (foreground || app.global.wait.is_some()).then(|| Hold::new("run once", every)).transpose()?;
    let (env, host) = app.equip(&store, false, hold.as_ref().map(|hold| &hold.waker))?;
    if !host.repos.contains(&issue.repo) {
        return Err(Error::usage(format!("{} is not in the allowlist", issue.repo))
            .hint("`offhours arm` puts it there"));
    }
    poll::one(&env, &host, &mut store, &mut log, &issue)?;
    if let Some(hold) = &mut hold {
        outbox::flush(&env, &host, &mut store, &mut log)?;
        hold_on(app, hold, &issue, &mut store, &mut log)?;
    }
    let newest = store.runs_of(&issue)?.into_iter().next();
    let (code, text, item) = if let Some(row) = &newest {
        let state = row.state_word();
        let code = match (&row.run.outcome, app.global.exit_code) {
            (_, false) | (Some(Outcome::Landed), true) => 0,
            (Some(_), true) => 1,
            (None, true) => 75,
        };
        let item = json!({ "issue": issue.to_string(), "run": row.run.id, "state": state });
        (code, format!("{issue}: run {} is {state}\n", row.run.id), item)
    } else {
        let why = store.ledger_of(&issue, 1)?.into_iter().next();
        let failed = log.errors.first().map(|failure| failure.what.clone());
        let told = failed.or_else(|| why.map(|l| format!("{}: {}", l.reason, l.sentence)));
        let why = told.unwrap_or_else(|| "it is not a ready issue".to_owned());
        (75, format!("{issue} did not start: {why}\n"), json!({ "issue": issue.to_string(), "why": why }))
    };
    output::logged(&app.global, "run once", &log);
    output::answer(&app.global, "run once", &text, &[item]);
    let ended = hold.as_ref().map_or(0, |hold| {
        hold.left(app, &log);
        hold.code(&log)
    });
    Ok(code.max(log.exit_code()).max(ended))
}

/// Until nothing is at work for the issue any more, or `--wait` is over.
fn hold_on(
    app: &App,
    hold: &mut Hold,
    issue: &IssueRef,
    store: &mut Store,
    log: &mut Log,
) -> Result<(), Error> {
    let most = app.global.wait.map(Duration::from_secs);
    loop {
        hold.tell_lines(app, log);
        let working = hold::working(store.runs_of(issue)?);
        let rest = most.map(|most| most.saturating_sub(app.started.elapsed()));
        if working.is_empty() || rest == Some(Duration::ZERO) || !hold.wait(log, &working, rest) {
            return Ok(());
        }
        let now = App::load(&app.global)?;
        let (env, host) = now.equip(store, false, Some(&hold.waker))?;
        let mut look = Log::default();
        watch::tick(&env, &host, store, &mut look)?;
        hold.look(log, look);
        outbox::flush(&env, &host, store, log)?;
    }
}
