//! `revert REPO#N`: a pull request that takes back what offhours landed for an issue, and the issue open again.

use super::output;
use super::target::IssueArg;
use crate::app::App;
use crate::domain::model::{IssueRef, Outcome};
use crate::domain::receipt::ReceiptFacts;
use crate::domain::run::{Phase, undo_effects};
use crate::error::Error;
use crate::text::worded;
use crate::tick::{Log, drive, outbox};
use serde_json::json;

pub fn run(app: &App, args: &IssueArg) -> Result<u8, Error> {
    let issue = IssueRef { repo: app.repo(&args.issue.repo)?, number: args.issue.number };
    if app.switch.on {
        let why: Vec<&str> = app.switch.because.iter().map(|b| b.sentence()).collect();
        return Err(Error::later(format!("{issue} is not reverted: {}", why.join("; ")))
            .hint("a revert pushes a branch; clear the switch first, or revert by hand"));
    }
    let _lock = super::hand::lock(app, "revert")?;
    let (mut store, mut log) = (app.store()?, Log::default());
    let (env, host) = app.equip(&store, false, None)?;
    let runs = store.runs_of(&issue)?;
    let Some(row) = runs.into_iter().find(|row| row.run.outcome == Some(Outcome::Landed)) else {
        return Err(Error::usage(format!("offhours landed nothing for {issue}"))
            .hint("`offhours run list` shows what it did"));
    };
    let run = row.run;
    if run.phase != Phase::Ended {
        return Err(Error::later(format!("run {} is still being ended", run.id))
            .hint("the next tick brings it to its end; ask again then"));
    }
    let effects = worded(undo_effects(&run), &run, &ReceiptFacts::default());
    if app.global.dry_run {
        let lines: Vec<String> = effects.iter().map(|e| format!("{issue}: would {}", e.line())).collect();
        let text = format!("{}\n", lines.join("\n"));
        output::answer(
            &app.global,
            "revert",
            &text,
            &[json!({ "issue": issue.to_string(), "effects": lines })],
        );
        return Ok(0);
    }
    store.step(&run, &effects, &[])?;
    drive::drive(&env, &host, &mut store, &mut log, &run.id)?;
    outbox::flush(&env, &host, &mut store, &mut log)?;
    let pull = store.done(&run.id, "undo-pull")?;
    let Some(pull) = pull else {
        let why: Vec<String> = log.errors.iter().map(|e| e.what.clone()).collect();
        return Err(Error::later(format!("{issue} is not reverted: {}", why.join("; "))).hint(
            "what can be tried again is tried by the next tick; else take it back by hand as the sentence says",
        ));
    };
    let text =
        format!("{issue}: pull request {pull} takes run {} back, and the issue is open again\n", run.id);
    let item = json!({ "issue": issue.to_string(), "run": run.id, "pull": pull });
    output::answer(&app.global, "revert", &text, &[item]);
    Ok(log.exit_code())
}
