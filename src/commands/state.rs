//! `state check`, `state backup`, `state restore`, `state adopt`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::output;
use crate::app::App;
use crate::app::{self, Locked, TickLock};
use crate::error::Error;
use crate::store::{Adopted, Store};
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Check that the state file is whole
    Check,
    /// Copy the state file, also while it is in use
    Backup {
        /// Where to; the file must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a copy in the place of the state file; the old one is set aside
    Restore {
        /// A file that `state backup` made
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take over a state file that was made on another machine
    Adopt,
}

/// A tick in another process is waited for as long as a person waits.
const LOCK_WAIT: Duration = Duration::from_secs(5);

pub fn run(app: &App, command: &StateCommand) -> Result<u8, Error> {
    match command {
        StateCommand::Check => check(app),
        StateCommand::Backup { file } => backup(app, file),
        StateCommand::Restore { file } => restore(app, file),
        StateCommand::Adopt => adopt(app),
    }
}

fn existing(app: &App) -> Result<Store, Error> {
    app.existing_store()?.ok_or_else(|| no_file(app))
}

fn no_file(app: &App) -> Error {
    Error::usage(format!("there is no state file at {}", app.state.display()))
        .hint("the first armed tick makes it; name another with --state")
}

fn check(app: &App) -> Result<u8, Error> {
    let store = existing(app)?;
    sound(&store, &app.state)?;
    let text = format!("{} is sound (installation {})\n", app.state.display(), store.installation);
    output::answer(&app.global, "state", &text, &[json!({ "path": app.state, "sound": true })]);
    Ok(0)
}

fn sound(store: &Store, path: &Path) -> Result<(), Error> {
    let found = store.check()?;
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::later(format!("{} is damaged: {}", path.display(), found.join("; ")))
        .hint("put a backup in its place with `offhours state restore FILE`"))
}

fn backup(app: &App, file: &Path) -> Result<u8, Error> {
    let store = existing(app)?;
    if file.exists() {
        return Err(Error::usage(format!("{} exists already", file.display())).hint("name a new file"));
    }
    if !app.global.dry_run {
        store.backup(file)?;
    }
    let text = format!("copied to {}\n", file.display());
    output::done(&app.global, "state", &text, &[json!({ "path": file })]);
    Ok(0)
}

/// No tick runs while the file is put in place.
fn lock(app: &App) -> Result<TickLock, Error> {
    match app::lock(&app.state, "state", LOCK_WAIT).map_err(|e| super::hand::lock_trouble(app, &e))? {
        Locked::Ours(lock) => Ok(lock),
        Locked::Same { .. } | Locked::Other { .. } => {
            Err(Error::later("a tick is running: the state file is in use").hint("try again in a moment"))
        }
    }
}

fn restore(app: &App, file: &Path) -> Result<u8, Error> {
    const HINT: &str = "name a file that `offhours state backup` made";
    if !file.is_file() {
        return Err(Error::usage(format!("there is no file {}", file.display())).hint(HINT));
    }
    let given = Store::open_copy(file, app.now()).map_err(|error| {
        let found = Error::from(error);
        Error::new(found.kind, format!("{} cannot be put back: {}", file.display(), found.what)).hint(HINT)
    })?;
    sound(&given, file)?;
    if given.installation == "dry-run" {
        return Err(Error::usage(format!("{} is not a state file of offhours", file.display())).hint(HINT));
    }
    if app.global.dry_run {
        let text = format!("would put {} in the place of {}\n", file.display(), app.state.display());
        output::answer(&app.global, "state", &text, &[]);
        return Ok(0);
    }
    let _lock = lock(app)?;
    // Made whole beside the place, from what was checked, before the old one is moved.
    let fresh = beside(&app.state, "restoring");
    drop(fs::remove_file(&fresh));
    given.backup(&fresh)?;
    let aside = app.state.exists().then(|| beside(&app.state, &format!("before-restore-{}", app.now().0)));
    if let Some(aside) = &aside {
        for suffix in ["", "-wal", "-shm"] {
            move_file(&with(&app.state, suffix), &with(aside, suffix))?;
        }
    }
    move_file(&fresh, &app.state)?;
    let (_store, adopted) = app.adopt()?;
    let mut text = format!("{} is in the place of {}\n", file.display(), app.state.display());
    if let Some(aside) = &aside {
        text.push_str(&format!("the old one is {}\n", aside.display()));
    }
    text.push_str(&told(&adopted));
    let item = json!({ "path": app.state, "aside": aside, "unsent": adopted.unsent, "left": adopted.left });
    output::answer(&app.global, "state", &text, &[item]);
    Ok(0)
}

fn adopt(app: &App) -> Result<u8, Error> {
    if !app.state.exists() {
        return Err(no_file(app));
    }
    if app.global.dry_run {
        let text = format!("would make {} this machine's own\n", app.state.display());
        output::answer(&app.global, "state", &text, &[]);
        return Ok(0);
    }
    let _lock = lock(app)?;
    let (store, adopted) = app.adopt()?;
    sound(&store, &app.state)?;
    let text = format!("{} is this machine's own now\n{}", app.state.display(), told(&adopted));
    let item = json!({ "path": app.state, "unsent": adopted.unsent, "left": adopted.left });
    output::answer(&app.global, "state", &text, &[item]);
    Ok(0)
}

fn told(adopted: &Adopted) -> String {
    let mut text = String::new();
    if adopted.unsent > 0 {
        text.push_str(&format!("{} old notices are not sent\n", adopted.unsent));
    }
    for issue in &adopted.left {
        text.push_str(&format!(
            "{issue} was in work, and its folder is not here: if nobody works on it, `offhours run release {issue}`\n"
        ));
    }
    text.push_str(
        "the next tick only looks; what was spent since the copy was made is not known to the budgets\n",
    );
    text
}

fn beside(path: &Path, word: &str) -> PathBuf {
    path.with_extension(word)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A side file of SQLite that is not there is nothing to move.
fn move_file(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::rename(from, to) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::later(format!("moving {} to {}: {e}", from.display(), to.display()))),
    }
}
