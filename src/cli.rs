//! The flags that every command takes.
#![allow(clippy::doc_markdown, reason = "the comments are shown in a terminal, where backticks are noise")]

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global flags")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Global {
    /// The configuration file [default: $OFFHOURS_CONFIG, then the usual places]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]
    #[arg(long, global = true, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Print what would be done, and do nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Print one JSON document on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer a verdict by the exit code: 0 good, 1 bad, 75 pending
    #[arg(long, global = true)]
    pub exit_code: bool,
    /// Wait this long for a verdict
    #[arg(long, global = true, value_name = "SECONDS")]
    pub wait: Option<u64>,
    /// Say more; twice: everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Start no new work when this much of a tick is over
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 240,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub deadline: u64,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}
