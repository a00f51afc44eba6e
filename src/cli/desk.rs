//! Arguments of the commands around the loop: those that set offhours up and look after it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
    /// What kind of server the remote is on, where its name does not say it
    #[arg(long, value_name = "KIND", value_enum, conflicts_with = "local")]
    pub forge: Option<ForgeArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ForgeArg {
    Github,
    Forgejo,
    Gitea,
}

impl ForgeArg {
    /// As the configuration spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Forgejo => "forgejo",
            Self::Gitea => "gitea",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LandingArg {
    /// A person reviews and merges
    PullRequest,
    /// Tested work goes straight to the branch; the tests are the gate
    Push,
}

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Print what would be installed, and what can be used elsewhere
    Print(ScheduleArgs),
    /// Install it, once: what is there already is brought up to date
    Install(ScheduleArgs),
    /// Take out what was installed, and nothing else
    Remove,
    /// Say whether it is installed, up to date and firing
    Verify,
}

#[derive(Debug, Clone, Args)]
pub struct ScheduleArgs {
    /// What starts the ticks
    #[arg(value_name = "KIND", value_enum, default_value_t = ScheduleKind::Crontab)]
    pub kind: ScheduleKind,
    /// Minutes between ticks: a number that divides an hour
    #[arg(long, value_name = "MINUTES", default_value_t = 2)]
    pub every: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScheduleKind {
    /// A marked block in your crontab
    Crontab,
    /// A service and a timer of your user
    SystemdUser,
    /// A service and a timer of the system, for a user `offhours`
    SystemdSystem,
    /// A Kubernetes CronJob, to print
    Kubernetes,
    /// A GitHub workflow, to print
    Github,
    /// A Forgejo workflow, to print
    Forgejo,
}

#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder, instead of printing the first one
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct UninstallArgs {
    /// Also remove the state folder with its history and its kept work, and the configuration
    #[arg(long)]
    pub purge: bool,
}

#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// How it is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = StatusFormat::Text)]
    pub format: StatusFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people; with --json for scripts
    Text,
    /// For a textfile collector of Prometheus
    Prometheus,
}

#[derive(Debug, Clone, Args)]
pub struct SpendArgs {
    /// Of this month instead of today
    #[arg(long)]
    pub month: bool,
    /// By what it is summed up
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = SpendByArg::Repo)]
    pub by: SpendByArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SpendByArg {
    Repo,
    Runner,
    Template,
}

#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Look with the PATH and the variables that cron gives
    #[arg(long)]
    pub as_cron: bool,
    /// Make the labels that a repo has not
    #[arg(long)]
    pub fix: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Write one page with charts to this file
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// How far back it looks
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
}
