//! What commands by hand have in common: the lock beside the state file, and what a refusal is to a person.

use std::time::Duration;

use crate::app::App;
use crate::app::{self, Locked};
use crate::error::{Error, Kind};
use crate::ports::PortError;

/// A tick in another process is waited for as long as a person waits.
const LONGEST_WAIT_BY_HAND: Duration = Duration::from_secs(30);

/// The ticks' lock, for a command by hand that does a tick's work; a dry run needs none, and leaves no file of it.
pub(super) fn lock(app: &App, command: &str) -> Result<Option<app::TickLock>, Error> {
    if app.global.dry_run {
        return Ok(None);
    }
    match app::lock(&app.state, command, LONGEST_WAIT_BY_HAND).map_err(|e| lock_trouble(app, &e))? {
        Locked::Ours(lock) => Ok(Some(lock)),
        Locked::Same { .. } | Locked::Other { .. } => {
            Err(Error::later("a tick holds the lock; try again when it is over"))
        }
    }
}

/// The lock file beside the state file could not be made or taken.
pub(super) fn lock_trouble(app: &App, error: &std::io::Error) -> Error {
    Error::later(format!("taking the lock beside {}: {error}", app.state.display()))
        .hint("check the disk, and the owner and the rights of the folder; the next tick tries again, and nothing is lost")
}

/// The error that a port's answer is to a person who asked by hand.
pub fn by_hand(error: &PortError) -> Error {
    let kind = match error {
        PortError::Later { .. } | PortError::Broken { .. } => Kind::TryLater,
        PortError::Refused { .. } | PortError::Gone { .. } => Kind::Usage,
        PortError::Credentials { .. } => Kind::Refused,
    };
    Error::new(kind, error.to_string())
}
