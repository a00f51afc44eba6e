//! `uninstall`: takes the schedule out and says what is left; with `--purge` that goes, too.

use std::fs;

use super::{output, schedule};
use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::upgrade::BatchState;
use crate::error::Error;
use clap::Args;
use serde_json::json;

#[derive(Debug, Clone, Args)]
pub struct UninstallArgs {
    /// Also remove the state folder with its history and its kept work, and the configuration
    #[arg(long)]
    pub purge: bool,
}

pub fn run(app: &App, args: &UninstallArgs) -> Result<u8, Error> {
    let store = app.existing_store()?;
    let (flying, batch) = match &store {
        Some(store) => (store.runs_in_flight()?, store.newest_batch()?),
        None => (vec![], None),
    };
    let unknown = app.left_behind(store.as_ref())?;
    if !unknown.is_empty() {
        let list: Vec<String> = unknown
            .iter()
            .map(|found| format!("{} (run {})", found.issue, sanitize(&found.run, 20)))
            .collect();
        return Err(Error::usage(format!(
            "these were in work when the state file was lost, and may hold claims and labels on the forge: {}",
            list.join(", ")
        ))
        .hint("`offhours tick` goes on with what it can; `offhours run release REPO#N` frees the others; then run this again"));
    }
    if !flying.is_empty() {
        let list: Vec<String> =
            flying.iter().map(|r| format!("{} (run {})", r.run.issue, r.run.id)).collect();
        return Err(Error::usage(format!(
            "these are in work, and hold claims and labels on the forge: {}",
            list.join(", ")
        ))
        .hint("`offhours pause` and wait until they are done, or `offhours run stop RUN` and one tick; then run this again"));
    }
    if let Some(batch) = batch.filter(|batch| batch.state == BatchState::Active) {
        return Err(Error::usage(format!("the batch {} of upgrades is at work", batch.id)).hint(
            "`offhours upgrade stop` ends it, and `offhours upgrade cleanup` closes what it opened; then run this again",
        ));
    }
    let dry = app.global.dry_run;
    let mut lines = schedule::remove(app)?;
    let ours = ["repos", "work", "ci", "salvage", "logs", "homes", "upgrade"];
    let mut kept = vec![app.config.path.clone()];
    let beside = |suffix: &str| {
        let mut name = app.state.as_os_str().to_owned();
        name.push(suffix);
        std::path::PathBuf::from(name)
    };
    kept.extend(["", "-wal", "-shm", ".lock", ".upgrade.lock"].map(beside));
    kept.extend(ours.iter().map(|name| app.state_dir.join(name)));
    kept.push(app.config.workspace_root(&app.state_dir));
    kept.extend(app.switch_files());
    kept.sort();
    kept.dedup();
    kept.retain(|path| path.exists());
    let mut left = vec![];
    for path in &kept {
        if !args.purge {
            left.push(path.display().to_string());
            continue;
        }
        if !dry {
            let gone = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            gone.map_err(|e| Error::later(format!("removing {}: {e}", path.display())))?;
        }
        lines.push(format!("{} is removed", path.display()));
    }
    let mut text = if lines.is_empty() {
        "nothing was installed\n".to_owned()
    } else {
        format!("{}\n", lines.join("\n"))
    };
    if !left.is_empty() {
        text.push_str(&format!("left, because it is yours (--purge removes it):\n  {}\n", left.join("\n  ")));
    }
    if let Ok(plan) = app.plan(2) {
        text.push_str(&format!("the program itself: rm {}\n", plan.program));
    }
    output::done(&app.global, "uninstall", &text, &[json!({ "done": lines, "left": left })]);
    Ok(0)
}
