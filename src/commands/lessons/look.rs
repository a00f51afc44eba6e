//! `lessons list|show|snapshot|search|export`: what is read from the journal, and how it is told.

use super::super::output;
use super::args::LessonsFilter;
use super::journal::{MAX_CHARS, broken, read, repo, say, slug, unknown, work_item};
use crate::app::App;
use crate::domain::escape::{markdown, sanitize};
use crate::domain::lesson::{Attribution, Record};
use crate::domain::model::UnixTime;
use crate::domain::moment::format_time;
use crate::error::{Error, Kind};
use crate::store::{LessonCounts, LessonFilter, LessonOutcomes, Store};
use serde_json::{Map, Value, json};

/// An export reads so many at once.
const PAGE: u32 = 1000;

pub(super) fn limited(app: &App, limit: Option<u32>) -> u32 {
    limit.unwrap_or(app.config.lessons.query_limit_default)
}

pub(super) fn filtered(app: &App, filter: &LessonsFilter) -> Result<LessonFilter, Error> {
    filter.lesson_type.as_deref().map_or(Ok(()), |t| slug("type", t))?;
    Ok(LessonFilter {
        lesson_type: filter.lesson_type.clone(),
        status: filter.status,
        repo: filter.repo.as_deref().map(|r| repo(app, r)),
        work_item_id: filter.work_item.as_deref().map(|w| work_item(app, w)),
    })
}

/// On a broken journal the shape is what is known; what is wrong is said beside it.
pub(super) fn snapshot(app: &App) -> Result<u8, Error> {
    match read(app, Store::lesson_counts) {
        Ok(counts) => {
            let counts = counts.unwrap_or_default();
            let mut text = format!("{} lessons\n", counts.total);
            for (what, list) in [("type", &counts.by_type), ("status", &counts.by_status)] {
                for (name, many) in list {
                    text.push_str(&format!("  {what} {:<18} {many}\n", sanitize(name, 60)));
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

pub(super) fn tell(app: &App, found: &[Record], none: &str) {
    let mut text = String::new();
    for record in found {
        let about = record.work_item_id.as_deref().or(record.repo.as_deref()).unwrap_or("-");
        let times = if record.occurrences > 1 { format!(" x{}", record.occurrences) } else { String::new() };
        text.push_str(&format!(
            "{}  {}  {} {} {}{times}{}\n",
            record.id,
            format_time(record.created_at),
            sanitize(&record.lesson_type, 60),
            record.status.code(),
            sanitize(about, 120),
            if waits(record) { ", to be approved" } else { "" },
        ));
        if let Some(cause) = record.root_cause.as_deref().or(record.detail.as_deref()) {
            text.push_str(&format!("   {}\n", sanitize(cause, 200)));
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

pub(super) fn show(app: &App, id: i64) -> Result<(), Error> {
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
        sanitize(&record.lesson_type, 60),
        record.status.code(),
        record.source
    );
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            text.push_str(&format!("  {name:<14} {value}\n"));
        }
    };
    let words = |field: &Option<String>| field.as_deref().map(|t| sanitize(t, MAX_CHARS));
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
    line("first", Some(format_time(record.created_at)));
    line("last", Some(format_time(record.last_seen_at)));
    line("changed", record.updated_at.map(format_time));
    line("related task", words(&record.related_task));
    line("attribution", record.attribution.map(|a| a.code().to_owned()));
    line("target repo", words(&record.target_repo));
    line("target domain", words(&record.target_domain));
    let approval = match record.approved_at {
        Some(at) => Some(format_time(at)),
        None if record.untrusted => {
            Some(format!("no: it has words from outside; `offhours lessons approve {}`", record.id))
        }
        None => None,
    };
    line("approved", approval);
    line("expired", record.expires_at.map(format_time));
    let counted = |list: &[(String, u64)]| {
        let parts: Vec<String> =
            list.iter().map(|(name, many)| format!("{many} {}", sanitize(name, 60))).collect();
        Some(if parts.is_empty() { "none".to_owned() } else { parts.join(", ") })
    };
    line("runs with it", counted(&outcomes.with));
    line("runs without", counted(&outcomes.without));
    text
}

/// Page after page, so that a large journal does not have to fit into memory.
pub(super) fn export(app: &App, filter: &LessonsFilter) -> Result<(), Error> {
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
        format_time(record.last_seen_at),
        record.occurrences,
        if record.occurrences == 1 { "" } else { "s" }
    ));
    for (name, field) in
        [("Cause", &record.root_cause), ("Suggestion", &record.suggestion), ("Detail", &record.detail)]
    {
        if let Some(words) = field {
            text.push_str(&format!("\n{name}: {}\n", markdown(words, MAX_CHARS)));
        }
    }
    text
}
