//! `lessons list|show|add|update|snapshot|search|approve|export`. Off, they answer in their shapes and touch nothing.

mod args;
mod change;
mod journal;
mod look;

pub use args::{LessonsArgs, LessonsCommand};
pub use look::snapshot_of;

use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::lesson::Rules;
use crate::error::Error;
use change::{add, done, update};
use journal::{read, say, unknown, write};
use look::{export, filtered, limited, show, snapshot, tell};
use serde_json::json;

pub fn run(app: &App, command: &LessonsCommand) -> Result<u8, Error> {
    if !app.config.lessons.enabled {
        off(app, command);
        return Ok(0);
    }
    match command {
        LessonsCommand::List { filter, limit } => {
            let filter = filtered(app, filter)?;
            let found = read(app, |store| store.lessons(&filter, None, limited(app, *limit)))?;
            tell(app, &found.unwrap_or_default(), "no lessons");
        }
        LessonsCommand::Search { words, limit } => {
            let words = words.join(" ");
            let found = read(app, |store| store.search_lessons(&words, limited(app, *limit)))?;
            let found = found.unwrap_or_else(|| Some(vec![])).ok_or_else(|| {
                Error::usage(format!("there is no word to look for in `{}`", sanitize(&words, 80)))
                    .hint("name letters or digits")
            })?;
            tell(app, &found, "nothing found");
        }
        LessonsCommand::Show(id) => show(app, id.id)?,
        LessonsCommand::Add(args) => add(app, args)?,
        LessonsCommand::Update { id, change } => update(app, id.id, change)?,
        LessonsCommand::Approve(id) => {
            let now = app.now();
            if !write(app, |store| store.approve_lesson(id.id, now))? {
                return Err(unknown(id.id));
            }
            done(app, id.id, "is approved: it may be given to agents");
        }
        LessonsCommand::Snapshot => return snapshot(app),
        LessonsCommand::Export { filter } => export(app, filter)?,
    }
    Ok(0)
}

impl App {
    /// What the configuration says about the journal.
    pub fn lesson_rules(&self) -> Rules {
        let l = &self.config.lessons;
        Rules {
            enabled: l.enabled,
            in_prompts: l.in_prompts,
            window_seconds: crate::app::seconds(l.dedup_window_seconds),
            expire_seconds: i64::from(l.expire_days) * 86_400,
        }
    }
}

/// The journal is off: shapes without content, and nothing is opened.
fn off(app: &App, command: &LessonsCommand) {
    let shape = match command {
        LessonsCommand::List { .. } | LessonsCommand::Search { .. } | LessonsCommand::Export { .. } => {
            json!({ "enabled": false, "lessons": [] })
        }
        LessonsCommand::Show(_)
        | LessonsCommand::Add(_)
        | LessonsCommand::Update { .. }
        | LessonsCommand::Approve(_)
        | LessonsCommand::Snapshot => json!({ "enabled": false }),
    };
    say(app, "the journal of lessons is off (`lessons.enabled = false`)\n", &shape);
}
