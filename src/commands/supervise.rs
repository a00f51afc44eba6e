//! The hidden `supervise`: holds one job to its end. Started by a tick, with the job's lock as standard input.

use crate::app;
use crate::error::Error;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub struct SuperviseArgs {
    /// The job's folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Where the private repositories are
    #[arg(long, value_name = "DIR")]
    pub repos: PathBuf,
    /// Where the workspaces are
    #[arg(long, value_name = "DIR")]
    pub work: PathBuf,
}

pub fn run(args: &SuperviseArgs) -> Result<u8, Error> {
    app::supervise(&args.dir, args.repos.clone(), args.work.clone())
        .map_err(|e| Error::internal(format!("the job {}: {e:#}", args.dir.display())))?;
    Ok(0)
}
