//! `lessons list|show|add|update|snapshot|search|approve|export`. Off, they answer in their shapes and touch nothing.

use super::output;
use super::target::IssueTarget;
use crate::app::App;
use crate::domain::lesson::{Attribution, Record, Rules, Status, is_slug};
use crate::domain::message::{markdown, moment, plain};
use crate::domain::model::UnixTime;
use crate::error::{Error, Kind};
use crate::store::{ByHand, LessonChange, LessonCounts, LessonFilter, LessonOutcomes, Store, StoreResult};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

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
    #[arg(long, value_enum, value_name = "STATUS")]
    pub status: Option<StatusWord>,
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
    #[arg(long, value_enum, value_name = "STATUS")]
    pub status: Option<StatusWord>,
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
    #[arg(long, value_enum, value_name = "WHO")]
    pub attribution: Option<AttributionWord>,
    /// The repo that is to learn from it, if it is another
    #[arg(long, value_name = "REPO")]
    pub target_repo: Option<String>,
    /// What it is about: quality, reliability, security, speed, process, or a word of yours
    #[arg(long, value_name = "DOMAIN")]
    pub target_domain: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusWord {
    New,
    #[value(name = "in_progress")]
    InProgress,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AttributionWord {
    Platform,
    Project,
    Both,
}

/// Longer texts are kept elsewhere and linked.
const MOST_CHARS: usize = 10_000;
/// An export reads so many at once.
const PAGE: u32 = 1000;

pub fn run(app: &App, command: &LessonsCommand) -> Result<u8, Error> {
    if !app.config.lessons.enabled {
        off(app, command);
        return Ok(0);
    }
    match command {
        LessonsCommand::List { filter, limit } => {
            let filter = filtered(app, filter)?;
            let found = read(app, |store| store.lessons(&filter, None, limited(app, *limit)))?;
            tell(app, &found.unwrap_or_default(), "no lessons");
        }
        LessonsCommand::Search { words, limit } => {
            let words = words.join(" ");
            let found = read(app, |store| store.search_lessons(&words, limited(app, *limit)))?;
            let found = found.unwrap_or_else(|| Some(vec![])).ok_or_else(|| {
                Error::usage(format!("there is no word to look for in `{}`", plain(&words, 80)))
                    .hint("name letters or digits")
            })?;
            tell(app, &found, "nothing found");
        }
        LessonsCommand::Show(id) => show(app, id.id)?,
        LessonsCommand::Add(args) => add(app, args)?,
        LessonsCommand::Update { id, change } => update(app, id.id, change)?,
        LessonsCommand::Approve(id) => {
            let now = app.now();
            if !write(app, |store| store.approve_lesson(id.id, now))? {
                return Err(unknown(id.id));
            }
            done(app, id.id, "is approved: it may be given to agents");
        }
        LessonsCommand::Snapshot => return snapshot(app),
        LessonsCommand::Export { filter } => export(app, filter)?,
    }
    Ok(0)
}

impl App {
    /// What the configuration says about the journal.
    pub fn lesson_rules(&self) -> Rules {
        let l = &self.config.lessons;
        Rules {
            enabled: l.enabled,
            in_prompts: l.in_prompts,
            window_seconds: crate::app::seconds(l.dedup_window_seconds),
            expire_seconds: i64::from(l.expire_days) * 86_400,
        }
    }
}

/// The journal is off: shapes without content, and nothing is opened.
fn off(app: &App, command: &LessonsCommand) {
    let shape = match command {
        LessonsCommand::List { .. } | LessonsCommand::Search { .. } | LessonsCommand::Export { .. } => {
            json!({ "enabled": false, "lessons": [] })
        }
        LessonsCommand::Show(_)
        | LessonsCommand::Add(_)
        | LessonsCommand::Update { .. }
        | LessonsCommand::Approve(_)
        | LessonsCommand::Snapshot => json!({ "enabled": false }),
    };
    say(app, "the journal of lessons is off (`lessons.enabled = false`)\n", &shape);
}

fn say(app: &App, text: &str, shape: &Value) {
    output::out(&if app.global.json { shape.to_string() } else { text.to_owned() });
}

/// Something with the journal itself: never answered with an empty list.
fn broken<T>(result: StoreResult<T>) -> Result<T, Error> {
    result.map_err(|error| {
        let what = format!("the journal of lessons cannot be used: {error}");
        // A full disk or a file that another process holds has its own way out.
        let way_out = Error::from(error).hint.unwrap_or_else(|| {
            "everything else works without it; put a backup in its place (`offhours state backup` makes them), or set \
             `lessons.enabled = false`"
                .to_owned()
        });
        Error::later(what).hint(way_out)
    })
}

/// `None` where no tick has made a state file yet.
fn read<T>(app: &App, work: impl FnOnce(&Store) -> StoreResult<T>) -> Result<Option<T>, Error> {
    app.existing_store()?.map(|store| broken(work(&store))).transpose()
}

fn write<T>(app: &App, work: impl FnOnce(&mut Store) -> StoreResult<T>) -> Result<T, Error> {
    broken(work(&mut app.store()?))
}

fn unknown(id: i64) -> Error {
    Error::usage(format!("there is no lesson {id}; nothing was changed"))
        .hint("`offhours lessons list` shows them")
}

fn limited(app: &App, limit: Option<u32>) -> u32 {
    limit.unwrap_or(app.config.lessons.query_limit_default)
}

/// A repo as everything else spells it. Lessons may be about repos that are not in the config: those stay as written.
fn repo(app: &App, text: &str) -> String {
    app.config.repo_id(text).map_or_else(|_| text.to_owned(), |id| id.to_string())
}

fn work_item(app: &App, text: &str) -> String {
    match IssueTarget::parse(text) {
        Ok(target) => format!("{}#{}", repo(app, &target.repo), target.number),
        Err(_) => text.to_owned(),
    }
}

fn status(word: StatusWord) -> Status {
    match word {
        StatusWord::New => Status::New,
        StatusWord::InProgress => Status::InProgress,
        StatusWord::Closed => Status::Closed,
    }
}

fn slug(what: &str, text: &str) -> Result<(), Error> {
    if is_slug(text) {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is no {what}", plain(text, 80)))
        .hint("write it in lower-case letters, digits, _ and -, at most 60 of them"))
}

fn short(name: &str, text: Option<&String>) -> Result<(), Error> {
    match text.map(|t| t.chars().count()) {
        Some(many) if many > MOST_CHARS => Err(Error::usage(format!(
            "--{name} has {many} characters, and {MOST_CHARS} are the most; nothing was written"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn filtered(app: &App, filter: &LessonsFilter) -> Result<LessonFilter, Error> {
    filter.lesson_type.as_deref().map_or(Ok(()), |t| slug("type", t))?;
    Ok(LessonFilter {
        lesson_type: filter.lesson_type.clone(),
        status: filter.status.map(status),
        repo: filter.repo.as_deref().map(|r| repo(app, r)),
        work_item_id: filter.work_item.as_deref().map(|w| work_item(app, w)),
    })
}

fn changed(app: &App, change: &LessonsChange) -> Result<LessonChange, Error> {
    let texts = [
        ("root-cause", &change.root_cause),
        ("suggestion", &change.suggestion),
        ("detail", &change.detail),
        ("related-task", &change.related_task),
        ("target-repo", &change.target_repo),
    ];
    for (name, text) in texts {
        short(name, text.as_ref())?;
    }
    change.target_domain.as_deref().filter(|d| !d.is_empty()).map_or(Ok(()), |d| slug("domain", d))?;
    let named = |text: &String| if text.is_empty() { String::new() } else { repo(app, text) };
    Ok(LessonChange {
        status: change.status.map(status),
        root_cause: change.root_cause.clone(),
        suggestion: change.suggestion.clone(),
        detail: change.detail.clone(),
        related_task: change.related_task.clone(),
        attribution: change.attribution.map(|word| match word {
            AttributionWord::Platform => Attribution::Platform,
            AttributionWord::Project => Attribution::Project,
            AttributionWord::Both => Attribution::Both,
        }),
        target_repo: change.target_repo.as_ref().map(named),
        target_domain: change.target_domain.clone(),
    })
}

fn add(app: &App, args: &LessonsAdd) -> Result<(), Error> {
    slug("type", &args.lesson_type)?;
    let names = [
        ("repo", &args.repo),
        ("work-item", &args.work_item),
        ("task", &args.task),
        ("stage", &args.stage),
        ("agent", &args.agent),
    ];
    for (name, text) in names {
        short(name, text.as_ref())?;
    }
    let new = ByHand {
        lesson_type: args.lesson_type.clone(),
        work_item_id: args.work_item.as_deref().map(|w| work_item(app, w)),
        task_id: args.task.clone(),
        turn: args.turn,
        stage: args.stage.clone(),
        agent: args.agent.clone(),
        repo: args.repo.as_deref().map(|r| repo(app, r)),
        change: changed(app, &args.change)?,
    };
    let now = app.now();
    let id = write(app, |store| store.add_lesson(&new, now))?;
    done(app, id, "is written down");
    Ok(())
}

fn update(app: &App, id: i64, change: &LessonsChange) -> Result<(), Error> {
    let change = changed(app, change)?;
    if change == LessonChange::default() {
        return Err(Error::usage(format!("no field is named; lesson {id} is as it was"))
            .hint("`offhours lessons update --help` names them"));
    }
    let now = app.now();
    if !write(app, |store| store.update_lesson(id, &change, now))? {
        return Err(unknown(id));
    }
    done(app, id, "is changed");
    Ok(())
}

fn done(app: &App, id: i64, what: &str) {
    let dry = if app.global.dry_run { "dry run, nothing is kept: " } else { "" };
    say(app, &format!("{dry}lesson {id} {what}\n"), &json!({ "enabled": true, "id": id }));
}

/// On a broken journal the shape is what is known; what is wrong is said beside it.
fn snapshot(app: &App) -> Result<u8, Error> {
    match read(app, Store::lesson_counts) {
        Ok(counts) => {
            let counts = counts.unwrap_or_default();
            let mut text = format!("{} lessons\n", counts.total);
            for (what, list) in [("type", &counts.by_type), ("status", &counts.by_status)] {
                for (name, many) in list {
                    text.push_str(&format!("  {what} {:<18} {many}\n", plain(name, 60)));
                }
            }
            say(app, &text, &snapshot_shape(&counts));
            Ok(0)
        }
        Err(error) if error.kind == Kind::TryLater => {
            if app.global.json {
                output::out(&json!({ "enabled": true }).to_string());
            }
            output::err(&format!("offhours: {error}"));
            Ok(error.kind.exit_code())
        }
        Err(error) => Err(error),
    }
}

/// The same inside another answer: nothing of it is an error there.
pub fn snapshot_of(app: &App, store: Option<&Store>) -> Value {
    if !app.config.lessons.enabled {
        return json!({ "enabled": false });
    }
    let counts = store.map_or_else(|| Ok(LessonCounts::default()), Store::lesson_counts);
    counts.map_or_else(|_| json!({ "enabled": true }), |counts| snapshot_shape(&counts))
}

fn snapshot_shape(counts: &LessonCounts) -> Value {
    json!({
        "enabled": true,
        "total": counts.total,
        "by_type": pairs(&counts.by_type),
        "by_status": pairs(&counts.by_status),
    })
}

fn pairs(list: &[(String, u64)]) -> Value {
    Value::Object(list.iter().map(|(name, many)| (name.clone(), json!(many))).collect::<Map<_, _>>())
}

fn shape(record: &Record) -> Value {
    let time = |t: Option<UnixTime>| t.map(|t| t.0);
    json!({
        "id": record.id,
        "created_at": record.created_at.0,
        "updated_at": time(record.updated_at),
        "lesson_type": record.lesson_type,
        "work_item_id": record.work_item_id,
        "task_id": record.task_id,
        "turn": record.turn,
        "stage": record.stage,
        "agent": record.agent,
        "repo": record.repo,
        "root_cause": record.root_cause,
        "suggestion": record.suggestion,
        "detail": record.detail,
        "status": record.status.code(),
        "related_task": record.related_task,
        "source": record.source,
        "attribution": record.attribution.map(Attribution::code),
        "target_repo": record.target_repo,
        "target_domain": record.target_domain,
        "occurrences": record.occurrences,
        "last_seen_at": record.last_seen_at.0,
        "approved_at": time(record.approved_at),
        "expires_at": time(record.expires_at),
        "untrusted": record.untrusted,
    })
}

fn tell(app: &App, found: &[Record], none: &str) {
    let mut text = String::new();
    for record in found {
        let about = record.work_item_id.as_deref().or(record.repo.as_deref()).unwrap_or("-");
        let times = if record.occurrences > 1 { format!(" x{}", record.occurrences) } else { String::new() };
        text.push_str(&format!(
            "{}  {}  {} {} {}{times}{}\n",
            record.id,
            moment(record.created_at),
            plain(&record.lesson_type, 60),
            record.status.code(),
            plain(about, 120),
            if waits(record) { ", to be approved" } else { "" },
        ));
        if let Some(cause) = record.root_cause.as_deref().or(record.detail.as_deref()) {
            text.push_str(&format!("   {}\n", plain(cause, 200)));
        }
    }
    if text.is_empty() {
        text = format!("{none}\n");
    }
    say(app, &text, &json!({ "enabled": true, "lessons": found.iter().map(shape).collect::<Vec<_>>() }));
}

fn waits(record: &Record) -> bool {
    record.untrusted && record.approved_at.is_none()
}

fn show(app: &App, id: i64) -> Result<(), Error> {
    let found = read(app, |store| {
        let Some(record) = store.lesson(id)? else { return Ok(None) };
        let outcomes = store.lesson_outcomes(&record)?;
        Ok(Some((record, outcomes)))
    })?;
    let Some((record, outcomes)) = found.flatten() else { return Err(unknown(id)) };
    let mut value = json!({ "enabled": true, "lesson": shape(&record) });
    if let Value::Object(map) = &mut value {
        let both = json!({ "with": pairs(&outcomes.with), "without": pairs(&outcomes.without) });
        map.insert("outcomes".to_owned(), both);
    }
    say(app, &page(&record, &outcomes), &value);
    Ok(())
}

fn page(record: &Record, outcomes: &LessonOutcomes) -> String {
    let mut text = format!(
        "lesson {}: {} ({}, {})\n",
        record.id,
        plain(&record.lesson_type, 60),
        record.status.code(),
        record.source
    );
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            text.push_str(&format!("  {name:<14} {value}\n"));
        }
    };
    let words = |field: &Option<String>| field.as_deref().map(|t| plain(t, MOST_CHARS));
    line("repo", words(&record.repo));
    line("work item", words(&record.work_item_id));
    line("run", words(&record.task_id));
    line("turn", record.turn.map(|t| t.to_string()));
    line("stage", words(&record.stage));
    line("agent", words(&record.agent));
    line("root cause", words(&record.root_cause));
    line("suggestion", words(&record.suggestion));
    line("detail", words(&record.detail));
    line("met", Some(format!("{} times", record.occurrences)).filter(|_| record.occurrences > 1));
    line("first", Some(moment(record.created_at)));
    line("last", Some(moment(record.last_seen_at)));
    line("changed", record.updated_at.map(moment));
    line("related task", words(&record.related_task));
    line("attribution", record.attribution.map(|a| a.code().to_owned()));
    line("target repo", words(&record.target_repo));
    line("target domain", words(&record.target_domain));
    let approval = match record.approved_at {
        Some(at) => Some(moment(at)),
        None if record.untrusted => {
            Some(format!("no: it has words from outside; `offhours lessons approve {}`", record.id))
        }
        None => None,
    };
    line("approved", approval);
    line("expired", record.expires_at.map(moment));
    let counted = |list: &[(String, u64)]| {
        let parts: Vec<String> =
            list.iter().map(|(name, many)| format!("{many} {}", plain(name, 60))).collect();
        Some(if parts.is_empty() { "none".to_owned() } else { parts.join(", ") })
    };
    line("runs with it", counted(&outcomes.with));
    line("runs without", counted(&outcomes.without));
    text
}

/// Page after page, so that a large journal does not have to fit into memory.
fn export(app: &App, filter: &LessonsFilter) -> Result<(), Error> {
    let filter = filtered(app, filter)?;
    let store = app.existing_store()?;
    let mut after = None;
    let mut first = true;
    let json = app.global.json;
    loop {
        let page = match &store {
            Some(store) => broken(store.lessons(&filter, after, PAGE))?,
            None => vec![],
        };
        let mut text = String::new();
        if first {
            text.push_str(if json { "{\"enabled\":true,\"lessons\":[" } else { "# Lessons\n" });
        }
        for record in &page {
            if json {
                text.push_str(if first { "\n" } else { ",\n" });
                text.push_str(&shape(record).to_string());
            } else {
                text.push_str(&entry(record));
            }
            first = false;
        }
        let last = page.len() < PAGE as usize;
        if last && json {
            text.push_str("]}");
        }
        output::out(&text);
        if last {
            return Ok(());
        }
        after = page.last().map(|record| (record.created_at, record.id));
        first = false;
    }
}

fn entry(record: &Record) -> String {
    let mut text = format!("\n## {} {}\n\n", record.id, markdown(&record.lesson_type, 60));
    let about = record.work_item_id.as_deref().or(record.repo.as_deref()).unwrap_or("-");
    text.push_str(&format!(
        "{}, {}, {}, met {} time{}\n",
        markdown(about, 200),
        record.status.code(),
        moment(record.last_seen_at),
        record.occurrences,
        if record.occurrences == 1 { "" } else { "s" }
    ));
    for (name, field) in
        [("Cause", &record.root_cause), ("Suggestion", &record.suggestion), ("Detail", &record.detail)]
    {
        if let Some(words) = field {
            text.push_str(&format!("\n{name}: {}\n", markdown(words, MOST_CHARS)));
        }
    }
    text
}
