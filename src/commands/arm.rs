//! `arm REPO`: shows what would start, and puts the repo on the allowlist with the switch off.

use super::{App, by_hand, output};
use crate::cli::ArmArgs;
use crate::error::Error;
use crate::ports::{Forge as _, Listing};
use serde_json::json;
use toml_edit::{Array, DocumentMut, Item, Value};

pub fn run(app: &App, args: &ArmArgs) -> Result<u8, Error> {
    let repo = app.repo(&args.repo)?;
    let forge = app.local_forge(&repo)?;
    forge.remote(&repo).map_err(|e| by_hand(&e))?;
    let label = &app.config.global.ready_label;
    let listing = forge.list(&repo, label, None).map_err(|e| by_hand(&e))?;
    let ready = match listing {
        Listing::Issues { issues, .. } => issues,
        Listing::NotModified => vec![],
    };
    let existing: Vec<String> = ready
        .iter()
        .map(|i| format!("#{} {}", i.number, crate::domain::message::plain(&i.title, 70)))
        .collect();
    if !existing.is_empty() && !args.include_existing && !app.config.allowlist.contains(&repo) {
        let list = existing.join("\n  ");
        return Err(Error::usage(format!(
            "these issues carry `{label}` already and would start at once:\n  {list}"
        ))
        .hint("take the label off those that shall not start, then arm with --include-existing"));
    }
    let text = crate::config::read(&app.config.path)?;
    let mut document: DocumentMut =
        text.parse().map_err(|e| Error::config(format!("{}: {e}", app.config.path.display())))?;
    if let Some(list) = document.get_mut("allowlist").and_then(Item::as_array_mut) {
        let name = repo.to_string();
        if !list
            .iter()
            .filter_map(Value::as_str)
            .any(|have| app.config.repo_id(have).ok() == Some(repo.clone()))
        {
            list.push(name);
        }
    } else {
        let mut list = Array::new();
        list.push(repo.to_string());
        document.insert("allowlist", Item::Value(Value::Array(list)));
    }
    // What stands around the old value, a comment say, stays there.
    match document.get_mut("kill_switch").and_then(Item::as_value_mut) {
        Some(value) => {
            let decor = value.decor().clone();
            *value = Value::from(false);
            *value.decor_mut() = decor;
        }
        None => {
            document.insert("kill_switch", Item::Value(Value::from(false)));
        }
    }
    let changed = document.to_string();
    // What is written has to be a good config: the whole of it is checked before the file is touched.
    crate::config::Config::load(&app.config.path, &changed, None)?;
    if !app.global.dry_run {
        crate::adapters::files::write_whole(&app.config.path, changed.as_bytes())
            .map_err(|e| Error::later(format!("{} could not be written: {e}", app.config.path.display())))?;
    }
    let file = app.config.kill_switch_file(&app.state_dir);
    let mut text = format!("{repo} is armed in {}\n", app.config.path.display());
    for line in &existing {
        text.push_str(&format!("  would start: {line}\n"));
    }
    if file.exists() {
        text.push_str("the kill switch file stands still; `offhours resume` removes it\n");
    }
    output::answer(&app.global, "arm", &text, &[json!({ "repo": repo.to_string(), "ready": existing })]);
    Ok(0)
}
