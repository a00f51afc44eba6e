//! One file a command. What a command works with is built by [`crate::app`].

pub mod arm;
pub mod config;
pub mod doctor;
mod hand;
pub mod history;
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
pub mod template;
pub mod tick;
pub mod uninstall;
pub mod upgrade;
mod upgrade_schedule;
pub mod why;

pub use hand::by_hand;

use crate::app::App;
use crate::cli::desk::StatusFormat;
use crate::cli::{Cli, Command};
use crate::error::Error;

/// Runs a command; the exit code where nothing failed.
pub fn run(cli: &Cli) -> Result<u8, Error> {
    let global = &cli.global;
    match &cli.command {
        Command::Supervise(args) => supervise::run(args),
        Command::Config(command) => config::run(global, command),
        Command::Poll(args) => tick::run(&App::load(global)?, tick::Parts::Poll, args.assume_armed, false),
        Command::Harvest => tick::run(&App::load(global)?, tick::Parts::Harvest, false, false),
        Command::Watch => tick::run(&App::load(global)?, tick::Parts::Watch, false, false),
        Command::Lessons(args) => match &args.command {
            Some(command) => lessons::run(&App::load(global)?, command),
            None => tick::run(&App::load(global)?, tick::Parts::Lessons, false, false),
        },
        Command::Tick(args) => {
            tick::run(&App::load(global)?, tick::Parts::All, args.assume_armed, args.foreground)
        }
        Command::Upgrade(args) => upgrade::run(&App::load(global)?, args),
        Command::Arm(args) => arm::run(&App::load(global)?, args),
        Command::Init(args) => init::run(global, args),
        Command::Off(args) => switch::off_whatever_happens(global, args.now),
        Command::Pause(args) => switch::pause(&App::load(global)?, args.repo.as_deref(), args.seconds),
        Command::Resume(args) => switch::resume(&App::load(global)?, args.repo.as_deref()),
        Command::Status(args) => match args.format {
            StatusFormat::Text => status::run(&App::load(global)?),
            StatusFormat::Prometheus => prometheus::run(&App::load(global)?),
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
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(global, args),
        Command::State(command) => state::run(&App::load(global)?, command),
    }
}
