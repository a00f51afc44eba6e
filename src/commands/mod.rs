//! One file a command, with its arguments: their comments are the help, and say what a command does, not how. What a command works with is built by [`crate::app`].

#![allow(clippy::doc_markdown, reason = "the comments are shown in a terminal, where backticks are noise")]

pub mod arm;
mod canary;
pub mod config;
pub mod doctor;
mod hand;
pub mod history;
pub mod hold;
pub mod init;
pub mod issue;
pub mod lessons;
pub mod manual;
pub mod once;
pub mod output;
pub mod pr;
pub mod prometheus;
pub mod prompt;
pub mod report;
pub mod revert;
pub mod run;
pub mod schedule;
pub mod spend;
pub mod state;
pub mod status;
pub mod supervise;
pub mod switch;
pub mod target;
pub mod template;
pub mod tick;
pub mod uninstall;
pub mod upgrade;
mod upgrade_schedule;
pub mod why;

pub use hand::by_hand;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::app::App;
use crate::cli::Global;
use crate::error::Error;

/// A control plane for coding agents that work while you are away from the keyboard.
#[derive(Debug, Parser)]
#[command(name = "offhours", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read ready issues, choose what may start, claim it and dispatch it
    Poll(tick::PollArgs),
    /// Look at each run in flight and take its next step
    Watch,
    /// Score what became of runs, and decide about versions that are tried out
    Harvest,
    /// Write down what went wrong, or look at what was
    Lessons(lessons::LessonsArgs),
    /// Do what watch, harvest, lessons and poll do, in one process
    Tick(tick::TickArgs),
    /// Write a first configuration: short, commented, switched off
    Init(init::InitArgs),
    /// Bring recipes up to date, with CI's verdict as the gate; alone: advance the batch by as much as can be done now
    Upgrade(upgrade::UpgradeArgs),
    /// Check, show or explain the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Show what would start in a repo, and put the repo on the allowlist
    Arm(arm::ArmArgs),
    /// Put the kill switch on
    Off(switch::OffArgs),
    /// Start nothing new; what runs is landed
    Pause(switch::PauseArgs),
    /// End a pause, or take the kill switch file away
    Resume(switch::ResumeArgs),
    /// Show what runs, what waits and what needs you
    Status(status::StatusArgs),
    /// Write what happened as one page with charts
    Report(report::ReportArgs),
    /// Say what is wrong with the installation, and what to do
    Doctor(doctor::DoctorArgs),
    /// Show what was spent and what is reserved, against the limits
    Spend(spend::SpendArgs),
    /// Say why an issue has not started or what it waits for
    Why(why::WhyArgs),
    /// Look at runs and steer them
    #[command(subcommand)]
    Run(run::RunCommand),
    /// Print the prompt that would be sent for an issue
    Prompt(target::IssueArg),
    /// Keep versions of prompts, and say which one is used
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// Open a pull request that takes back what was landed for an issue, and open the issue again
    Revert(target::IssueArg),
    /// Write and read issues of a local forge
    #[command(subcommand)]
    Issue(issue::IssueCommand),
    /// Review, merge and close pull requests of a local forge
    #[command(subcommand)]
    Pr(pr::PullCommand),
    /// Check, copy, put back or take over the state file
    #[command(subcommand)]
    State(state::StateCommand),
    /// Let cron or systemd start the ticks
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Take the schedule out and say what is left
    Uninstall(uninstall::UninstallArgs),
    /// Print a completion script for a shell
    Completions(manual::CompletionsArgs),
    /// Print the manual page
    Man(manual::ManArgs),
    /// Hold one job to its end; started by a tick, not by hand
    #[command(hide = true)]
    Supervise(supervise::SuperviseArgs),
}

/// Runs a command; the exit code where nothing failed.
pub fn run(cli: &Cli) -> Result<u8, Error> {
    let global = &cli.global;
    match &cli.command {
        Command::Supervise(args) => supervise::run(args),
        Command::Config(command) => config::run(global, command),
        Command::Poll(args) => tick::run(&App::load(global)?, tick::Parts::Poll, args.assume_armed, None),
        Command::Harvest => tick::run(&App::load(global)?, tick::Parts::Harvest, false, None),
        Command::Watch => tick::run(&App::load(global)?, tick::Parts::Watch, false, None),
        Command::Lessons(args) => match &args.command {
            Some(command) => lessons::run(&App::load(global)?, command),
            None => tick::run(&App::load(global)?, tick::Parts::Lessons, false, None),
        },
        Command::Tick(args) => tick::run(
            &App::load(global)?,
            tick::Parts::All,
            args.assume_armed,
            args.foreground.then_some(&args.every),
        ),
        Command::Upgrade(args) => upgrade::run(&App::load(global)?, args),
        Command::Arm(args) => arm::run(&App::load(global)?, args),
        Command::Init(args) => init::run(global, args),
        Command::Off(args) => switch::off_whatever_happens(global, args.now),
        Command::Pause(args) => switch::pause(&App::load(global)?, args.repo.as_deref(), args.seconds),
        Command::Resume(args) => switch::resume(&App::load(global)?, args.repo.as_deref()),
        Command::Status(args) => match args.format {
            status::StatusFormat::Text => status::run(&App::load(global)?),
            status::StatusFormat::Prometheus => prometheus::run(&App::load(global)?),
        },
        Command::Report(args) => report::run(&App::load(global)?, args),
        Command::Doctor(args) => doctor::run(&App::load(global)?, args),
        Command::Spend(args) => spend::run(&App::load(global)?, args),
        Command::Why(args) => why::run(&App::load(global)?, args),
        Command::Run(command) => run::run(&App::load(global)?, command),
        Command::Prompt(args) => prompt::run(&App::load(global)?, args),
        Command::Template(command) => template::run(&App::load(global)?, command),
        Command::Revert(args) => revert::run(&App::load(global)?, args),
        Command::Issue(command) => issue::run(&App::load(global)?, command),
        Command::Pr(command) => pr::run(&App::load(global)?, command),
        Command::Schedule(command) => schedule::run(&App::load(global)?, command),
        Command::Uninstall(args) => uninstall::run(&App::load(global)?, args),
        Command::Completions(args) => manual::completions(args, Cli::command()),
        Command::Man(args) => manual::man(global, args, Cli::command()),
        Command::State(command) => state::run(&App::load(global)?, command),
    }
}

#[cfg(test)]
mod tests {
    use super::switch::parse_duration;
    use super::target::IssueTarget;
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("offhours").chain(line.split(' ')))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn good_lines() {
        for line in [
            "poll",
            "poll --dry-run --assume-armed",
            "watch --json --deadline 10",
            "lessons",
            "lessons list --type gate_failure --status in_progress --repo me/a --work-item me/a#3 --limit 20",
            "lessons show 3",
            "lessons add --type slow_tests --repo me/a --detail x --attribution project",
            "lessons update 3 --status closed",
            "lessons snapshot --json",
            "lessons search slow tests",
            "lessons approve 3",
            "lessons export --repo me/a",
            "tick --foreground -vv --color never",
            "tick --foreground --every 5",
            "config check",
            "config show --effective",
            "config reference",
            "arm home:me/a --include-existing",
            "off --now",
            "pause",
            "pause me/a --for 12h",
            "resume me/a",
            "status --json",
            "status --format prometheus",
            "doctor --as-cron --exit-code",
            "report --html page.html --days 30",
            "spend --month --by template",
            "why",
            "why me/a#3 --live",
            "run list",
            "run show r1 --exit-code --wait 60",
            "run log me/a#3 -f",
            "run stop r1",
            "run release me/a#3",
            "run retry r1",
            "run once me/a#3 --foreground",
            "run once me/a#3 --wait 60 --every 5",
            "prompt home:me/a#3",
            "issue new me/a --title T --body-file - --label x --label y --priority -3 --blocked-by 1 --blocked-by 2",
            "issue list me/a --label x",
            "issue show me/a#3",
            "issue label me/a#3 --add x --remove y",
            "issue comment me/a#3 -",
            "issue close me/a#3",
            "issue reopen me/a#3",
            "template add careful --file careful.md",
            "template list",
            "template list careful",
            "template show implementer@1",
            "template diff implementer careful@deadbeef",
            "harvest --json",
            "template canary careful@2 --fraction 0.35",
            "template history careful",
            "template promote careful@v2",
            "template reject careful@2",
            "pr new me/a work --title T --body-file - --into next",
            "pr list me/a --all",
            "pr show me/a#3 --diff",
            "pr review me/a#3 --approve",
            "pr review me/a#3 --request-changes -m no --on a.rs:3 why --on b.rs so",
            "pr review me/a#3 --comment --message -",
            "pr merge me/a#3 --squash --head abc",
            "pr merge me/a#3 --rebase",
            "pr comment me/a#3 -",
            "pr close me/a#3",
            "pr reopen me/a#3",
            "state check",
            "state backup copy.db",
            "state restore copy.db",
            "state adopt",
            "schedule print kubernetes",
            "schedule install systemd-user --every 5",
            "schedule remove",
            "schedule verify --exit-code --wait 60",
            "uninstall --purge",
            "completions zsh",
            "man --dir out",
            "init --landing push --repo me/a --local tracker --dry-run",
            "supervise dir --repos a --work b",
            "--config c.toml --state s.db poll",
        ] {
            parse(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }

    #[test]
    fn bad_lines() {
        for line in [
            "harvest now",
            "lessons add",
            "lessons list --limit 0",
            "lessons list --status open",
            "lessons show 0",
            "lessons search",
            "poll --assume-armed",
            "poll -v -q",
            "poll --deadline 0",
            "tick --foreground --every 0",
            "arm",
            "pause --for 12",
            "prompt me/a",
            "issue label me/a#3",
            "issue new me/a",
            "issue new me/a --title T --blocked-by 0",
            "run once me/a",
            "template add",
            "pr review me/a#3",
            "pr review me/a#3 --approve --request-changes",
            "pr review me/a#3 --comment --on a.rs:3",
            "pr merge me/a#3 --squash --rebase",
            "pr new me/a --title T",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_supervisor_is_not_in_the_help() {
        assert!(!Cli::command().render_long_help().to_string().contains("supervise"));
    }

    #[test]
    fn durations() {
        for (text, seconds) in [("30m", 1800), ("12h", 43_200), ("2d", 172_800)] {
            assert_eq!(parse_duration(text), Ok(seconds));
        }
        for text in ["", "m", "0h", "-1h", "+1h", "1.5h", "12", "3651d", "99999999999999999999d", "1w", "1ü"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn issues() {
        let target = IssueTarget::parse("home:me/a#12").unwrap();
        assert_eq!((target.repo.as_str(), target.number), ("home:me/a", 12));
        for text in
            ["", "#1", "a/b", "a/b#", "a/b#0", "a/b#-1", "a/b#+1", "a/b#x", "a/b#99999999999999999999"]
        {
            assert!(IssueTarget::parse(text).is_err(), "{text}");
        }
    }
}
