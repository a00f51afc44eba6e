//! What reading and writing share: the journal itself, its answers, and how words of the command line become its own.

use super::super::output;
use super::super::target::IssueTarget;
use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::lesson::is_slug;
use crate::error::Error;
use crate::store::{Store, StoreResult};
use serde_json::Value;

/// Longer texts are kept elsewhere and linked.
pub(super) const MAX_CHARS: usize = 10_000;

pub(super) fn say(app: &App, text: &str, shape: &Value) {
    output::out(&if app.global.json { shape.to_string() } else { text.to_owned() });
}

/// Something with the journal itself: never answered with an empty list.
pub(super) fn broken<T>(result: StoreResult<T>) -> Result<T, Error> {
    result.map_err(|error| {
        let what = format!("the journal of lessons cannot be used: {error}");
        // A full disk or a file that another process holds has its own way out.
        let way_out = Error::from(error).hint.unwrap_or_else(|| {
            "everything else works without it; put a backup in its place (`offhours state backup` makes them), or set \
             `lessons.enabled = false`"
                .to_owned()
        });
        Error::later(what).hint(way_out)
    })
}

/// `None` where no tick has made a state file yet.
pub(super) fn read<T>(app: &App, work: impl FnOnce(&Store) -> StoreResult<T>) -> Result<Option<T>, Error> {
    app.existing_store()?.map(|store| broken(work(&store))).transpose()
}

pub(super) fn write<T>(app: &App, work: impl FnOnce(&mut Store) -> StoreResult<T>) -> Result<T, Error> {
    broken(work(&mut app.store()?))
}

pub(super) fn unknown(id: i64) -> Error {
    Error::usage(format!("there is no lesson {id}; nothing was changed"))
        .hint("`offhours lessons list` shows them")
}

/// A repo as everything else spells it. Lessons may be about repos that are not in the config: those stay as written.
pub(super) fn repo(app: &App, text: &str) -> String {
    app.config.repo_id(text).map_or_else(|_| text.to_owned(), |id| id.to_string())
}

pub(super) fn work_item(app: &App, text: &str) -> String {
    match IssueTarget::parse(text) {
        Ok(target) => format!("{}#{}", repo(app, &target.repo), target.number),
        Err(_) => text.to_owned(),
    }
}

pub(super) fn slug(what: &str, text: &str) -> Result<(), Error> {
    if is_slug(text) {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is no {what}", sanitize(text, 80)))
        .hint("write it in lower-case letters, digits, _ and -, at most 60 of them"))
}
