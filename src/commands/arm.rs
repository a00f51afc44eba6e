//! `arm REPO`: shows what would start, and puts the repo on the allowlist with the switch off.

use super::{by_hand, output};
use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::model::{Permission, RepoId};
use crate::error::{Error, Kind};
use crate::ports::{Forge, Listing};
use crate::tick::log::Item;
use crate::tick::{Log, poll};
use clap::Args;
use serde_json::json;
use toml_edit::{Array, DocumentMut, Item as Entry, Value};

#[derive(Debug, Clone, Args)]
pub struct ArmArgs {
    /// The repo, as NAME:owner/repo or owner/repo
    #[arg(value_name = "REPO")]
    pub repo: String,
    /// Also start on issues that carried the ready label before
    #[arg(long)]
    pub include_existing: bool,
}

pub fn run(app: &App, args: &ArmArgs) -> Result<u8, Error> {
    let repo = app.repo(&args.repo)?;
    let forge = app.forge_to_look(&repo)?;
    // Whether the repo is there and can be read.
    forge.remote(&repo).map_err(|e| by_hand(&e))?;
    let label = &app.config.global.ready_label;
    let listing = forge.list(&repo, label, None).map_err(|e| by_hand(&e))?;
    let ready = match listing {
        Listing::Issues { issues, .. } => issues,
        Listing::NotModified => vec![],
    };
    let lacks = checked(app, forge.as_ref(), &repo)?;
    let existing: Vec<String> =
        ready.iter().map(|i| format!("#{} {}", i.number, sanitize(&i.title, 70))).collect();
    if !existing.is_empty() && !args.include_existing && !app.config.allowlist.contains(&repo) {
        let list = existing.join("\n  ");
        return Err(Error::usage(format!(
            "these issues carry `{label}` already and would start at once:\n  {list}"
        ))
        .hint("take the label off those that shall not start, then arm with --include-existing"));
    }
    let changed = armed(app, &repo)?;
    // What is written has to be a good config: the whole of it is checked before the file is touched.
    let config = crate::config::Config::load(&app.config.path, &changed, None)?;
    let preview = preview(&app.imagine(config), &repo)?;
    if !app.global.dry_run {
        // A link is followed: what it leads to is the configuration.
        let place = app.config.path.canonicalize().unwrap_or_else(|_| app.config.path.clone());
        crate::app::files::write_whole(&place, changed.as_bytes())
            .map_err(|e| Error::later(format!("{} could not be written: {e}", app.config.path.display())))?;
    }
    let verb = if app.global.dry_run { "would be armed" } else { "is armed" };
    let mut text = format!("{repo} {verb} in {}\n", app.config.path.display());
    text.push_str(&lines(&repo, &preview, &existing));
    if !lacks.is_empty() {
        let names = lacks.join(", ");
        text.push_str(&format!("  it has no label {names}: `offhours doctor --fix` makes them\n"));
    }
    for file in app.switch_files().iter().filter(|f| f.exists()) {
        text.push_str(&format!("{} stands still; `offhours resume` removes it\n", file.display()));
    }
    let items: Vec<_> = preview.iter().map(|i| json!({ "issue": i.issue, "reason": i.reason })).collect();
    let item =
        json!({ "repo": repo.to_string(), "ready": existing, "preview": items, "missing_labels": lacks });
    output::answer(&app.global, "arm", &text, &[item]);
    Ok(0)
}

/// Refuses a repo in which offhours could not work; the labels that it has not.
fn checked(app: &App, forge: &dyn Forge, repo: &RepoId) -> Result<Vec<String>, Error> {
    let Some(desk) = forge.admin() else { return Ok(vec![]) };
    let access = desk.access(repo).map_err(|e| by_hand(&e))?;
    if access.held < Permission::Write {
        return Err(Error::new(
            Kind::Refused,
            format!("the account of forge.{}.token may read {repo}, and not write there", repo.forge),
        )
        .hint("give it write permission: it comments, labels, claims and pushes"));
    }
    if let Some(why) = access.lacks.first() {
        return Err(Error::new(Kind::Refused, format!("{repo}: {}", sanitize(why, 300)))
            .hint("the README tells for each kind of forge what the token needs"));
    }
    let mut wanted = vec![app.config.global.ready_label.clone()];
    wanted.extend([&app.config.global.in_progress_label, &app.config.global.human_label].map(Clone::clone));
    let have = desk.labels(repo).map_err(|e| by_hand(&e))?;
    Ok(crate::domain::silence::missing(&wanted, &have))
}

/// The file with the repo on the list and the switch off; everything else in it stays, comments too.
fn armed(app: &App, repo: &RepoId) -> Result<String, Error> {
    let text = crate::config::read(&app.config.path)?;
    let mut document: DocumentMut =
        text.parse().map_err(|e| Error::config(format!("{}: {e}", app.config.path.display())))?;
    if let Some(list) = document.get_mut("allowlist").and_then(Entry::as_array_mut) {
        let there = list
            .iter()
            .filter_map(Value::as_str)
            .any(|have| app.config.repo_id(have).ok().as_ref() == Some(repo));
        if !there {
            list.push(repo.to_string());
        }
    } else {
        let mut list = Array::new();
        list.push(repo.to_string());
        document.insert("allowlist", Entry::Value(Value::Array(list)));
    }
    // What stands around the old value, a comment say, stays there.
    match document.get_mut("kill_switch").and_then(Entry::as_value_mut) {
        Some(value) => {
            let decor = value.decor().clone();
            *value = Value::from(false);
            *value.decor_mut() = decor;
        }
        None => {
            document.insert("kill_switch", Entry::Value(Value::from(false)));
        }
    }
    Ok(document.to_string())
}

/// What the next poll would do in this repo, asked in a world that cannot be written.
fn preview(app: &App, repo: &RepoId) -> Result<Vec<Item>, Error> {
    let (mut store, mut log) = (app.store()?, Log::default());
    let (env, host) = app.equip(&store, true, None)?;
    poll::tick(&env, &host, &mut store, &mut log)?;
    for failure in &log.errors {
        output::err(&format!("offhours arm: {}: {}", sanitize(&failure.subject, 120), failure.what));
    }
    let below = format!("{repo}#");
    Ok(log.items.into_iter().filter(|i| i.issue.starts_with(&below)).collect())
}

fn lines(repo: &RepoId, preview: &[Item], titles: &[String]) -> String {
    let mut text = String::new();
    let title = |issue: &str| {
        let number = issue.rsplit('#').next().unwrap_or_default();
        let with = format!("#{number} ");
        titles.iter().find(|t| t.starts_with(&with)).cloned().unwrap_or_else(|| format!("#{number}"))
    };
    for item in preview.iter().filter(|i| i.reason == "dispatch") {
        text.push_str(&format!("  starts with the next tick: {}\n", title(&item.issue)));
    }
    for item in preview.iter().filter(|i| i.reason != "dispatch") {
        text.push_str(&format!(
            "  does not start: {}\n    {}: {}\n",
            title(&item.issue),
            item.reason,
            item.sentence
        ));
    }
    if preview.is_empty() {
        text.push_str(&format!("  nothing is ready in {repo}\n"));
    }
    text
}
