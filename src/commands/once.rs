//! `run once REPO#N`: work on one issue now, whatever else is ready.

use super::target::IssueArg;
use super::{output, tick};
use crate::app::App;
use crate::domain::model::{IssueRef, Outcome};
use crate::domain::run::Wait;
use crate::error::Error;
use crate::tick::{Log, outbox, poll, watch};
use serde_json::json;

pub fn run(app: &App, args: &IssueArg, foreground: bool) -> Result<u8, Error> {
    let repo = app.repo(&args.issue.repo)?;
    let issue = IssueRef { repo, number: args.issue.number };
    if app.switch.on {
        let why: Vec<&str> = app.switch.because.iter().map(|b| b.sentence()).collect();
        return Err(Error::later(format!("{issue} is not started: {}", why.join("; ")))
            .hint("clear the switch first"));
    }
    let _lock = super::hand::lock(app, "run once")?;
    let (mut store, mut log) = (app.store()?, Log::default());
    let (env, host) = app.equip(&store, false, foreground)?;
    if !host.repos.contains(&issue.repo) {
        return Err(Error::usage(format!("{} is not in the allowlist", issue.repo))
            .hint("`offhours arm` puts it there"));
    }
    poll::one(&env, &host, &mut store, &mut log, &issue)?;
    // Nothing else moves the run while somebody waits for its verdict here.
    let until = app.global.wait.and_then(|most| i64::try_from(most).ok()).map(|most| app.now().plus(most));
    if foreground || until.is_some() {
        loop {
            let busy =
                store.runs_of(&issue)?.iter().any(|r| matches!(r.run.wait, Some(Wait::Working | Wait::Ci)));
            if !busy || until.is_some_and(|until| app.now() >= until) {
                break;
            }
            tick::pause();
            watch::tick(&env, &host, &mut store, &mut log)?;
        }
        outbox::flush(&env, &host, &mut store, &mut log)?;
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
    Ok(code.max(log.exit_code()))
}
