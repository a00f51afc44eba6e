//! The command line as types. The doc comments are the help: they say what a command does, not how.
#![allow(clippy::doc_markdown, reason = "the comments are shown in a terminal, where backticks are noise")]

pub mod desk;
pub mod lessons;

use std::path::PathBuf;

use desk::{
    CompletionsArgs, DoctorArgs, InitArgs, ManArgs, ReportArgs, ScheduleCommand, SpendArgs, StatusArgs,
    UninstallArgs,
};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// A control plane for coding agents that work while you are away from the keyboard.
#[derive(Debug, Parser)]
#[command(name = "offhours", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

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

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read ready issues, choose what may start, claim it and dispatch it
    Poll(PollArgs),
    /// Look at each run in flight and take its next step
    Watch,
    /// Score what became of runs, and decide about versions that are tried out
    Harvest,
    /// Write down what went wrong, or look at what was
    Lessons(lessons::LessonsArgs),
    /// Do what watch, harvest, lessons and poll do, in one process
    Tick(TickArgs),
    /// Write a first configuration: short, commented, switched off
    Init(InitArgs),
    /// Bring recipes up to date, with CI's verdict as the gate; alone: advance the batch by as much as can be done now
    Upgrade(UpgradeArgs),
    /// Check, show or explain the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show what would start in a repo, and put the repo on the allowlist
    Arm(ArmArgs),
    /// Put the kill switch on
    Off(OffArgs),
    /// Start nothing new; what runs is landed
    Pause(PauseArgs),
    /// End a pause, or take the kill switch file away
    Resume(ResumeArgs),
    /// Show what runs, what waits and what needs you
    Status(StatusArgs),
    /// Write what happened as one page with charts
    Report(ReportArgs),
    /// Say what is wrong with the installation, and what to do
    Doctor(DoctorArgs),
    /// Show what was spent and what is reserved, against the limits
    Spend(SpendArgs),
    /// Say why an issue has not started or what it waits for
    Why(WhyArgs),
    /// Look at runs and steer them
    #[command(subcommand)]
    Run(RunCommand),
    /// Print the prompt that would be sent for an issue
    Prompt(IssueArg),
    /// Keep versions of prompts, and say which one is used
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Open a pull request that takes back what was landed for an issue, and open the issue again
    Revert(IssueArg),
    /// Write and read issues of a local forge
    #[command(subcommand)]
    Issue(IssueCommand),
    /// Review, merge and close pull requests of a local forge
    #[command(subcommand)]
    Pr(PullCommand),
    /// Check, copy, put back or take over the state file
    #[command(subcommand)]
    State(StateCommand),
    /// Let cron or systemd start the ticks
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Take the schedule out and say what is left
    Uninstall(UninstallArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
    /// Hold one job to its end; started by a tick, not by hand
    #[command(hide = true)]
    Supervise(SuperviseArgs),
}

#[derive(Debug, Clone, Args)]
pub struct PollArgs {
    /// With --dry-run: plan as if the kill switch were off
    #[arg(long, requires = "dry_run")]
    pub assume_armed: bool,
}

#[derive(Debug, Clone, Args)]
pub struct TickArgs {
    /// With --dry-run: plan as if the kill switch were off
    #[arg(long, requires = "dry_run")]
    pub assume_armed: bool,
    /// Hold the turns to their end, for places where a background process is ended with its job
    #[arg(long)]
    pub foreground: bool,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read the configuration and say what is wrong with it
    Check,
    /// Print the configuration file
    Show {
        /// Print every value that holds, also those that the file leaves out
        #[arg(long)]
        effective: bool,
    },
    /// Explain every key: type, default and meaning
    Reference,
}

#[derive(Debug, Clone, Args)]
pub struct ArmArgs {
    /// The repo, as NAME:owner/repo or owner/repo
    #[arg(value_name = "REPO")]
    pub repo: String,
    /// Also start on issues that carried the ready label before
    #[arg(long)]
    pub include_existing: bool,
}

#[derive(Debug, Clone, Args)]
pub struct OffArgs {
    /// Also end the turns that run
    #[arg(long)]
    pub now: bool,
}

#[derive(Debug, Clone, Args)]
pub struct PauseArgs {
    /// Only this repo [default: all]
    #[arg(value_name = "REPO")]
    pub repo: Option<String>,
    /// End by itself after this time: 30m, 12h, 2d
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub seconds: Option<u64>,
}

#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// Only this repo [default: all, and the kill switch file]
    #[arg(value_name = "REPO")]
    pub repo: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// A repo or an issue, as REPO or REPO#N [default: this host]
    #[arg(value_name = "REPO[#N]")]
    pub target: Option<String>,
    /// Ask the forge afresh instead of reading what the last tick stored
    #[arg(long)]
    pub live: bool,
}

#[derive(Debug, Subcommand)]
pub enum RunCommand {
    /// List runs, newest first
    List {
        /// Only runs of this repo
        #[arg(value_name = "REPO")]
        repo: Option<String>,
        /// Also runs that are over
        #[arg(long)]
        all: bool,
    },
    /// Show one run: its state, turns, checks and cost
    Show(RunArg),
    /// Print the output of a run's latest turn
    Log {
        #[command(flatten)]
        run: RunArg,
        /// Go on printing until the turn is over
        #[arg(short, long)]
        follow: bool,
    },
    /// End a run, keep its work and release the issue
    Stop(RunArg),
    /// Release a claim whose holder is gone
    Release(IssueArg),
    /// Take up a run again that was handed back or frozen
    Retry(RunArg),
    /// Work on one issue now, whatever else is ready
    Once {
        #[command(flatten)]
        issue: IssueArg,
        /// Hold the turns to their end
        #[arg(long)]
        foreground: bool,
    },
}

#[derive(Debug, Clone, Args)]
pub struct RunArg {
    /// The run's id, or the issue's REPO#N for its latest run
    #[arg(value_name = "RUN")]
    pub run: String,
}

#[derive(Debug, Clone, Args)]
pub struct IssueArg {
    /// The issue, as NAME:owner/repo#N or owner/repo#N
    #[arg(value_name = "REPO#N", value_parser = IssueTarget::parse)]
    pub issue: IssueTarget,
}

/// `REPO#N` with the repo as it was written; the configuration knows which forge it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueTarget {
    pub repo: String,
    pub number: u64,
}

impl IssueTarget {
    /// # Errors
    /// A sentence where the text is not `REPO#N`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = text.rsplit_once('#').and_then(|(repo, number)| {
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let number = number.parse::<u64>().ok().filter(|n| digits && *n > 0)?;
            (!repo.is_empty()).then(|| Self { repo: repo.to_owned(), number })
        });
        read.ok_or_else(|| "write the issue as REPO#N, for example home:me/project#7".to_owned())
    }
}

#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Keep the text of a file as a version; it becomes a candidate
    Add {
        /// The template's name
        #[arg(value_name = "NAME")]
        name: String,
        /// The file with the text
        #[arg(long, value_name = "F")]
        file: PathBuf,
    },
    /// List every version and its state
    List {
        /// Only this template
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Print the text of a version
    Show(VersionArg),
    /// Show what changed between two versions
    Diff {
        /// The one, as NAME@V; without @V the champion
        #[arg(value_name = "A")]
        old: String,
        /// The other
        #[arg(value_name = "B")]
        new: String,
    },
    /// Try a candidate out beside the champion, on a part of the new issues
    Canary {
        #[command(flatten)]
        version: VersionArg,
        /// The part of new issues that it gets, above 0 and below 1 [default: canary.fraction]
        #[arg(long, value_name = "F")]
        fraction: Option<f64>,
    },
    /// Show what became of each version's runs, and of each canary
    History {
        /// Only this template
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Make a version the champion
    Promote(VersionArg),
    /// Put a version away for good
    Reject(VersionArg),
}

#[derive(Debug, Clone, Args)]
pub struct VersionArg {
    /// The version, as NAME@NUMBER or NAME@HASH; without one the champion
    #[arg(value_name = "NAME@V")]
    pub version: String,
}

#[derive(Debug, Subcommand)]
pub enum IssueCommand {
    /// Open an issue
    New(IssueNew),
    /// List issues
    List {
        /// The repo, as NAME:owner/repo or owner/repo
        #[arg(value_name = "REPO")]
        repo: String,
        /// Only issues with this label; with several, all of them
        #[arg(long = "label", value_name = "L")]
        labels: Vec<String>,
        /// Also closed issues
        #[arg(long)]
        all: bool,
    },
    /// Show an issue with its comments
    Show(IssueArg),
    /// Put labels on an issue, or take them away
    Label(IssueLabel),
    /// Comment on an issue
    Comment {
        #[command(flatten)]
        issue: IssueArg,
        /// The comment; - reads it from standard input
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Close an issue
    Close(IssueArg),
    /// Open a closed issue again
    Reopen(IssueArg),
}

#[derive(Debug, Clone, Args)]
pub struct IssueNew {
    /// The repo, as NAME:owner/repo or owner/repo
    #[arg(value_name = "REPO")]
    pub repo: String,
    /// The title
    #[arg(long, value_name = "T")]
    pub title: String,
    /// File with the body; - reads it from standard input
    #[arg(long, value_name = "F")]
    pub body_file: Option<PathBuf>,
    /// A label; may be given more than once
    #[arg(long = "label", value_name = "L")]
    pub labels: Vec<String>,
    /// Priority; larger goes first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<i64>,
    /// Number of an issue that has to be closed first; may be given more than once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub blocked_by: Vec<u64>,
}

#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["add", "remove"]))]
pub struct IssueLabel {
    #[command(flatten)]
    pub issue: IssueArg,
    /// A label to put on; may be given more than once
    #[arg(long, value_name = "L")]
    pub add: Vec<String>,
    /// A label to take away; may be given more than once
    #[arg(long, value_name = "L")]
    pub remove: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum PullCommand {
    /// Ask for a branch to be taken into another
    New(PullNew),
    /// List pull requests
    List {
        /// The repo, as NAME:owner/repo or owner/repo
        #[arg(value_name = "REPO")]
        repo: String,
        /// Also closed and merged ones
        #[arg(long)]
        all: bool,
    },
    /// Show a pull request with its reviews and comments
    Show {
        #[command(flatten)]
        pull: PullTarget,
        /// Also what it would change
        #[arg(long)]
        diff: bool,
    },
    /// Approve a pull request, ask for changes, or remark on it
    Review(PullReview),
    /// Take a pull request's branch into its target
    Merge {
        #[command(flatten)]
        pull: PullTarget,
        /// As one commit [default: by a merge commit]
        #[arg(long, conflicts_with = "rebase")]
        squash: bool,
        /// Commit by commit on top of the target
        #[arg(long)]
        rebase: bool,
        /// Only if its branch is at this commit
        #[arg(long, value_name = "COMMIT")]
        head: Option<String>,
    },
    /// Comment on a pull request
    Comment {
        #[command(flatten)]
        pull: PullTarget,
        /// The comment; - reads it from standard input
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Close a pull request without merging it
    Close(PullTarget),
    /// Open a closed pull request again
    Reopen(PullTarget),
}

#[derive(Debug, Clone, Args)]
pub struct PullTarget {
    /// The pull request, as NAME:owner/repo#N or owner/repo#N
    #[arg(value_name = "REPO#N", value_parser = IssueTarget::parse)]
    pub pull: IssueTarget,
}

#[derive(Debug, Clone, Args)]
pub struct PullNew {
    /// The repo, as NAME:owner/repo or owner/repo
    #[arg(value_name = "REPO")]
    pub repo: String,
    /// The branch
    #[arg(value_name = "BRANCH")]
    pub branch: String,
    /// The title
    #[arg(long, value_name = "T")]
    pub title: String,
    /// File with the body; - reads it from standard input
    #[arg(long, value_name = "F")]
    pub body_file: Option<PathBuf>,
    /// The branch that it is to be taken into [default: the repository's own]
    #[arg(long, value_name = "BRANCH")]
    pub into: Option<String>,
}

#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("verdict").required(true).args(["approve", "request_changes", "comment"]))]
pub struct PullReview {
    #[command(flatten)]
    pub pull: PullTarget,
    /// It is good as it is
    #[arg(long)]
    pub approve: bool,
    /// It has to be changed
    #[arg(long)]
    pub request_changes: bool,
    /// Neither; only remarks
    #[arg(long)]
    pub comment: bool,
    /// What is to be said; - reads it from standard input
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,
    /// A remark on one place; may be given more than once
    #[arg(long, num_args = 2, value_names = ["FILE:LINE", "TEXT"], action = ArgAction::Append)]
    pub on: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Check that the state file is whole
    Check,
    /// Copy the state file, also while it is in use
    Backup {
        /// Where to; the file must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a copy in the place of the state file; the old one is set aside
    Restore {
        /// A file that `state backup` made
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take over a state file that was made on another machine
    Adopt,
}

#[derive(Debug, Clone, Args)]
pub struct UpgradeArgs {
    #[command(subcommand)]
    pub command: Option<UpgradeCommand>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum UpgradeCommand {
    /// Begin a batch, unless one is at work
    Start(UpgradeStart),
    /// Begin a batch, and end the one that is at work
    Fresh(UpgradeStart),
    /// End the batch and take its environment down; pull requests stay open
    Stop,
    /// Say whether a batch is at work and where it is, and print the newest summary
    Status,
    /// Print CI's verdict on a pull request of a recipe
    Testme {
        /// The recipe's name
        #[arg(value_name = "RECIPE")]
        recipe: String,
        /// The pull request's number in the mirror
        #[arg(value_name = "PR", value_parser = clap::value_parser!(u64).range(1..))]
        pull: u64,
        /// Post the trigger first
        #[arg(long)]
        post: bool,
    },
    /// Print or install the weekly batch, and say whether it fired
    #[command(subcommand)]
    Schedule(UpgradeSchedule),
    /// Close what was opened, take environments down and remove the branches; may be repeated
    Cleanup {
        /// Only what this batch opened
        #[arg(long, value_name = "ID")]
        batch: Option<i64>,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub enum UpgradeSchedule {
    /// Print the lines
    Print(UpgradeScheduleArgs),
    /// Run the command once as a dry run, then put the lines in their place
    Install(UpgradeScheduleArgs),
    /// Say whether the first batch began in time and has a summary
    Verify,
}

#[derive(Debug, Clone, Args)]
pub struct UpgradeScheduleArgs {
    /// What starts it
    #[arg(value_name = "KIND", value_enum, default_value_t = UpgradeScheduler::Crontab)]
    pub kind: UpgradeScheduler,
    /// The cron daemon's time zone [default: the system's]
    #[arg(long, value_name = "TZ")]
    pub zone: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UpgradeScheduler {
    Crontab,
    SystemdUser,
}

#[derive(Debug, Clone, Args)]
pub struct UpgradeStart {
    /// Only this recipe; may be given more than once
    #[arg(long = "only", value_name = "RECIPE")]
    pub only: Vec<String>,
    /// Also change tests that are stale, in a pull request of their own
    #[arg(long)]
    pub with_tests: bool,
    /// This is the scheduled batch
    #[arg(long)]
    pub scheduled: bool,
}

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

/// Reads `30m`, `12h` or `2d` as seconds.
///
/// # Errors
/// A sentence where it is none of these, zero, or longer than ten years.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let units = [('m', 60), ('h', 3600), ('d', 86_400)];
    let seconds = units.into_iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?;
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        digits.then_some(())?;
        number.parse::<u64>().ok()?.checked_mul(seconds)
    });
    let ten_years = 3650 * 86_400;
    seconds
        .filter(|seconds| (1..=ten_years).contains(seconds))
        .ok_or_else(|| "write a time like 30m, 12h or 2d, up to 3650d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

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
