//! The hidden `supervise`: holds one job to its end. Started by a tick, with the job's lock as standard input.

use crate::app;
use crate::cli::SuperviseArgs;
use crate::error::Error;

pub fn run(args: &SuperviseArgs) -> Result<u8, Error> {
    app::supervise(args).map_err(|e| Error::internal(format!("the job {}: {e:#}", args.dir.display())))?;
    Ok(0)
}
