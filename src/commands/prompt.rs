//! `prompt REPO#N`: what would be sent. Reads only.

use super::{App, by_hand, output};
use crate::adapters::host::SystemClock;
use crate::adapters::prompt::BuiltIn;
use crate::cli::IssueArg;
use crate::domain::model::{IssueRef, RunText};
use crate::error::Error;
use crate::ports::{Clock as _, Forge as _, Prompter as _};
use crate::tick::{lessons, poll};
use serde_json::json;

pub fn run(app: &App, args: &IssueArg) -> Result<u8, Error> {
    let repo = app.repo(&args.issue.repo)?;
    let forge = app.local_forge(&repo)?;
    let issue = forge.issue(&repo, args.issue.number).map_err(|e| by_hand(&e))?;
    let branch = forge.remote(&repo).map_err(|e| by_hand(&e))?.default_branch;
    let text = RunText { title: issue.title, body: issue.body, comments: String::new() };
    let name = IssueRef { repo, number: args.issue.number };
    let run =
        poll::sample_run(name, &branch).ok_or_else(|| Error::internal("a sample run could not be made"))?;
    let lessons = match app.existing_store()? {
        Some(store) => lessons::would_give(&store, &app.lesson_rules(), &run.issue.repo, SystemClock.now()),
        None => String::new(),
    };
    let prompt = BuiltIn.render(&run, &text, &lessons, "").map_err(|e| by_hand(&e))?;
    output::answer(
        &app.global,
        "prompt",
        &prompt,
        &[json!({ "template": BuiltIn.template(), "prompt": prompt })],
    );
    Ok(0)
}
