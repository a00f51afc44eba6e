//! The hidden `supervise`: holds one job to its end. Started by a tick, with the job's lock as standard input.

use std::path::Path;
use std::time::Duration;

use crate::adapters::git::GitRooms;
use crate::adapters::host::SystemClock;
use crate::adapters::runner::supervise;
use crate::error::Error;

const GIT_TIMEOUT: Duration = Duration::from_secs(600);

pub fn run(dir: &Path) -> Result<u8, Error> {
    let trouble = |e: std::io::Error| Error::internal(format!("the job {}: {e}", dir.display()));
    let spec = supervise::spec(dir).map_err(trouble)?;
    let git = GitRooms::new(spec.private_root.clone(), spec.workspace_root.clone(), GIT_TIMEOUT);
    supervise::run(dir, &spec, &git, &SystemClock).map_err(trouble)?;
    Ok(0)
}
