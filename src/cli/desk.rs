//! Arguments of the commands around the loop: those that set offhours up and look after it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// How finished work reaches the branch; asked for on a terminal
    #[arg(long, value_name = "HOW", value_enum)]
    pub landing: Option<LandingArg>,
    /// The repo to begin with, as owner/repo [default: what the remotes of this folder name]
    #[arg(long, value_name = "REPO")]
    pub repo: Option<String>,
    /// The folder of a local forge: issues as files beside bare repositories
    #[arg(long, value_name = "DIR")]
    pub local: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LandingArg {
    /// A person reviews and merges
    PullRequest,
    /// Tested work goes straight to the branch; the tests are the gate
    Push,
}
