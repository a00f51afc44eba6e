//! What stands behind `lessons` on the command line.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use strum::VariantArray as _;

use crate::domain::lesson::{Attribution, Status};

#[derive(Debug, Clone, Args)]
pub struct LessonsArgs {
    #[command(subcommand)]
    pub command: Option<LessonsCommand>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum LessonsCommand {
    /// List lessons, newest first
    List {
        #[command(flatten)]
        filter: LessonsFilter,
        /// At most this many [default: lessons.query_limit_default]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: Option<u32>,
    },
    /// Show one lesson, and how runs ended with it and without
    Show(LessonId),
    /// Write a lesson down by hand
    Add(LessonsAdd),
    /// Change a lesson; an empty text takes a field away
    Update {
        #[command(flatten)]
        id: LessonId,
        #[command(flatten)]
        change: LessonsChange,
    },
    /// Count lessons by type and status
    Snapshot,
    /// Find lessons by words in them, the best match first
    Search {
        /// The words; each is looked for at the beginning of a word
        #[arg(value_name = "WORD", required = true)]
        words: Vec<String>,
        /// At most this many [default: lessons.query_limit_default]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: Option<u32>,
    },
    /// Allow a lesson with words from outside to be given to agents
    Approve(LessonId),
    /// Print every lesson, newest first, as Markdown or as JSON
    Export {
        #[command(flatten)]
        filter: LessonsFilter,
    },
}

#[derive(Debug, Clone, Args)]
pub struct LessonId {
    /// The lesson's number
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    pub id: i64,
}

#[derive(Debug, Clone, Default, Args)]
pub struct LessonsFilter {
    /// Only this type
    #[arg(long = "type", value_name = "TYPE")]
    pub lesson_type: Option<String>,
    /// Only this status
    #[arg(long, value_parser = status(), value_name = "STATUS")]
    pub status: Option<Status>,
    /// Only this repo
    #[arg(long, value_name = "REPO")]
    pub repo: Option<String>,
    /// Only this issue, as REPO#N, or other work item
    #[arg(long, value_name = "ITEM")]
    pub work_item: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct LessonsAdd {
    /// What kind of lesson: lower-case letters, digits, _ and -
    #[arg(long = "type", value_name = "TYPE")]
    pub lesson_type: String,
    /// The repo it happened in
    #[arg(long, value_name = "REPO")]
    pub repo: Option<String>,
    /// The issue it happened on, as REPO#N, or another name
    #[arg(long, value_name = "ITEM")]
    pub work_item: Option<String>,
    /// The run it happened in
    #[arg(long, value_name = "RUN")]
    pub task: Option<String>,
    /// The turn it happened in
    #[arg(long, value_name = "N")]
    pub turn: Option<u32>,
    /// The stage it happened in
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// The runner that worked
    #[arg(long, value_name = "RUNNER")]
    pub agent: Option<String>,
    #[command(flatten)]
    pub change: LessonsChange,
}

#[derive(Debug, Clone, Default, Args)]
pub struct LessonsChange {
    /// Where it stands with people
    #[arg(long, value_parser = status(), value_name = "STATUS")]
    pub status: Option<Status>,
    /// Why it happened
    #[arg(long, value_name = "TEXT")]
    pub root_cause: Option<String>,
    /// What to do instead
    #[arg(long, value_name = "TEXT")]
    pub suggestion: Option<String>,
    /// Anything else
    #[arg(long, value_name = "TEXT")]
    pub detail: Option<String>,
    /// What is being done about it: an issue, a run
    #[arg(long, value_name = "NAME")]
    pub related_task: Option<String>,
    /// Whose fault it was
    #[arg(long, value_parser = attribution(), value_name = "WHO")]
    pub attribution: Option<Attribution>,
    /// The repo that is to learn from it, if it is another
    #[arg(long, value_name = "REPO")]
    pub target_repo: Option<String>,
    /// What it is about: quality, reliability, security, speed, process, or a word of yours
    #[arg(long, value_name = "DOMAIN")]
    pub target_domain: Option<String>,
}

fn status() -> impl TypedValueParser<Value = Status> {
    let known = |word: String| word.parse::<Status>().map_err(|_unknown| "it is no status");
    PossibleValuesParser::new(Status::VARIANTS.iter().map(|known| known.code())).try_map(known)
}

fn attribution() -> impl TypedValueParser<Value = Attribution> {
    let known = |word: String| word.parse::<Attribution>().map_err(|_unknown| "it is nobody");
    PossibleValuesParser::new(Attribution::VARIANTS.iter().map(|known| known.code())).try_map(known)
}
