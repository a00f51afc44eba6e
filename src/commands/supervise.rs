//! The hidden `supervise`: holds one job to its end. Started by a tick, with the job's lock as standard input.

use std::time::Duration;

use crate::adapters::git::GitRooms;
use crate::adapters::host::SystemClock;
use crate::adapters::runner::supervise;
use crate::cli::SuperviseArgs;
use crate::error::Error;

/// A supervisor is not held to a tick's deadline.
const GIT_TIMEOUT: Duration = Duration::from_secs(600);

pub fn run(args: &SuperviseArgs) -> Result<u8, Error> {
    let git = GitRooms::new(args.repos.clone(), args.work.clone(), GIT_TIMEOUT);
    supervise::run(&args.dir, &git, &SystemClock)
        .map_err(|e| Error::internal(format!("the job {}: {e:#}", args.dir.display())))?;
    Ok(0)
}
