//! `prompt REPO#N`: what would be sent. Reads only.

use super::target::IssueArg;
use super::{by_hand, output};
use crate::app::App;
use crate::domain::model::{IssueRef, RunText};
use crate::domain::template::BUILT_IN;
use crate::error::Error;
use crate::ports::{Prompter as _, TemplateText};
use crate::tick::{lessons, poll};
use serde_json::json;

pub fn run(app: &App, args: &IssueArg) -> Result<u8, Error> {
    let repo = app.repo(&args.issue.repo)?;
    let forge = app.forge_to_look(&repo)?;
    let issue = forge.issue(&repo, args.issue.number).map_err(|e| by_hand(&e))?;
    let branch = forge.remote(&repo).map_err(|e| by_hand(&e))?.default_branch;
    let text = RunText { title: issue.title, body: issue.body, comments: String::new() };
    let template = template(app, &app.config.repo(&repo).template)?;
    let name = IssueRef { repo, number: args.issue.number };
    let run =
        poll::sample_run(name, &branch).ok_or_else(|| Error::internal("a sample run could not be made"))?;
    let lessons = match app.existing_store()? {
        Some(store) => lessons::would_give(&store, &app.lesson_rules(), &run.issue.repo, app.now()),
        None => String::new(),
    };
    let prompt = app.prompts().render(&template, &run, &text, &lessons, "").map_err(|e| by_hand(&e))?;
    output::answer(
        &app.global,
        "prompt",
        &prompt,
        &[json!({ "template": template.label, "prompt": prompt })],
    );
    Ok(0)
}

/// The champion's text; the built-in one where nothing was kept yet.
fn template(app: &App, name: &str) -> Result<TemplateText, Error> {
    if let Some(row) = app.existing_store()?.map(|s| s.champion(name)).transpose()?.flatten() {
        return Ok(TemplateText { label: row.label(), body: row.body });
    }
    let built_in = app.prompts().sources().into_iter().find(|s| s.name == BUILT_IN && name == BUILT_IN);
    let content = built_in.map(|s| s.content).transpose().map_err(|e| by_hand(&e))?;
    content.map(|c| TemplateText { label: BUILT_IN.to_owned(), body: c.body }).ok_or_else(|| {
        Error::usage(format!("the template {name} has no champion")).hint(
            "`offhours template list` shows its versions, `offhours template promote` makes one champion",
        )
    })
}
