//! `state check` and `state backup`.

use super::{App, output};
use crate::cli::StateCommand;
use crate::error::Error;
use serde_json::json;

pub fn run(app: &App, command: &StateCommand) -> Result<u8, Error> {
    let Some(store) = app.existing_store()? else {
        return Err(Error::usage(format!("there is no state file at {}", app.state.display()))
            .hint("the first armed tick makes it; name another with --state"));
    };
    match command {
        StateCommand::Check => {
            let found = store.check()?;
            if !found.is_empty() {
                return Err(Error::later(format!(
                    "{} is damaged: {}",
                    app.state.display(),
                    found.join("; ")
                ))
                .hint("put a backup in its place"));
            }
            let text = format!("{} is sound (installation {})\n", app.state.display(), store.installation);
            output::answer(&app.global, "state", &text, &[json!({ "path": app.state, "sound": true })]);
        }
        StateCommand::Backup { file } => {
            if file.exists() {
                return Err(
                    Error::usage(format!("{} exists already", file.display())).hint("name a new file")
                );
            }
            store.backup(file)?;
            let text = format!("copied to {}\n", file.display());
            output::answer(&app.global, "state", &text, &[json!({ "path": file })]);
        }
    }
    Ok(0)
}
