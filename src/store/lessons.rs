//! The journal: its rows, how they are read, and what people write into it.

use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};

use super::ask::Ask as _;
use super::{Store, StoreError, StoreResult, to_u32};
use crate::domain::lesson::{Attribution, Lesson, Record, Status};
use crate::domain::model::UnixTime;

/// What a person writes down.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ByHand {
    pub lesson_type: String,
    pub work_item_id: Option<String>,
    pub task_id: Option<String>,
    pub turn: Option<u32>,
    pub stage: Option<String>,
    pub agent: Option<String>,
    pub repo: Option<String>,
    pub change: LessonChange,
}

/// What may be changed afterwards. `None` leaves it; an empty text takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LessonChange {
    pub status: Option<Status>,
    pub root_cause: Option<String>,
    pub suggestion: Option<String>,
    pub detail: Option<String>,
    pub related_task: Option<String>,
    pub attribution: Option<Attribution>,
    pub target_repo: Option<String>,
    pub target_domain: Option<String>,
}

/// Which lessons are read. All that are named have to hold.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LessonFilter {
    pub lesson_type: Option<String>,
    pub status: Option<Status>,
    pub repo: Option<String>,
    pub work_item_id: Option<String>,
}

/// How many there are.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LessonCounts {
    pub total: u64,
    pub by_type: Vec<(String, u64)>,
    pub by_status: Vec<(String, u64)>,
}

/// Runs that ended in a repo since a lesson was there: `(outcome, how many)`, with the lesson and without.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LessonOutcomes {
    pub with: Vec<(String, u64)>,
    pub without: Vec<(String, u64)>,
}

pub(super) const COLUMNS: &str = "id, created_at, updated_at, lesson_type, work_item_id, task_id, turn, stage, agent, repo, \
    root_cause, suggestion, detail, status, related_task, source, attribution, target_repo, target_domain, occurrences, \
    last_seen_at, approved_at, expires_at, untrusted";

pub(super) fn read(row: &Row<'_>) -> StoreResult<Record> {
    let time = |at: &str| row.get::<_, Option<i64>>(at).map(|t| t.map(UnixTime));
    let odd = |what: &str, value: &str| StoreError::Row { what: format!("{what} `{value}` of a lesson") };
    let status: String = row.get("status")?;
    let attribution = row.get::<_, Option<String>>("attribution")?;
    let attribution = attribution.map(|text| text.parse().map_err(|_unknown| odd("attribution", &text)));
    Ok(Record {
        id: row.get("id")?,
        created_at: UnixTime(row.get("created_at")?),
        updated_at: time("updated_at")?,
        lesson_type: row.get("lesson_type")?,
        work_item_id: row.get("work_item_id")?,
        task_id: row.get("task_id")?,
        turn: row.get::<_, Option<i64>>("turn")?.map(to_u32),
        stage: row.get("stage")?,
        agent: row.get("agent")?,
        repo: row.get("repo")?,
        root_cause: row.get("root_cause")?,
        suggestion: row.get("suggestion")?,
        detail: row.get("detail")?,
        status: status.parse().map_err(|_unknown| odd("status", &status))?,
        related_task: row.get("related_task")?,
        source: row.get("source")?,
        attribution: attribution.transpose()?,
        target_repo: row.get("target_repo")?,
        target_domain: row.get("target_domain")?,
        occurrences: to_u32(row.get("occurrences")?),
        last_seen_at: UnixTime(row.get("last_seen_at")?),
        approved_at: time("approved_at")?,
        expires_at: time("expires_at")?,
        untrusted: row.get("untrusted")?,
    })
}

impl LessonFilter {
    /// The conditions as SQL, with their values.
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut sql = "1".to_owned();
        let mut values = vec![];
        let parts = [
            ("lesson_type", self.lesson_type.clone()),
            ("status", self.status.map(|s| s.code().to_owned())),
            ("repo", self.repo.clone()),
            ("work_item_id", self.work_item_id.clone()),
        ];
        for (column, value) in parts {
            if let Some(value) = value {
                values.push(Value::Text(value));
                sql.push_str(&format!(" AND {column} = ?{}", values.len()));
            }
        }
        (sql, values)
    }

    /// The query for a page: newest first, from below a place on.
    pub(super) fn query(&self, after: Option<(UnixTime, i64)>, limit: u32) -> (String, Vec<Value>) {
        let (mut conditions, mut values) = self.conditions();
        if let Some((at, id)) = after {
            values.extend([Value::Integer(at.0), Value::Integer(id)]);
            conditions.push_str(&format!(
                " AND (created_at, id) < (?{}, ?{})",
                values.len() - 1,
                values.len()
            ));
        }
        values.push(Value::Integer(i64::from(limit)));
        let query = format!(
            "SELECT {COLUMNS} FROM lessons WHERE {conditions} ORDER BY created_at DESC, id DESC LIMIT ?{}",
            values.len()
        );
        (query, values)
    }
}

/// Every word of a search is looked for as it is, at the beginning of a word; none of it is a query language.
fn search_words(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .take(20)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

pub(super) const SEARCH: &str = "SELECT lessons.* FROM lessons_text JOIN lessons ON lessons.id = lessons_text.rowid \
    WHERE lessons_text MATCH ?1 ORDER BY lessons_text.rank, lessons.id DESC LIMIT ?2";

impl Store {
    fn lessons_where(&self, query: &str, values: Vec<Value>) -> StoreResult<Vec<Record>> {
        self.conn.rows(query, params_from_iter(values), read)
    }

    /// Newest first; `after` goes on below the last one of the page before.
    pub fn lessons(
        &self,
        filter: &LessonFilter,
        after: Option<(UnixTime, i64)>,
        limit: u32,
    ) -> StoreResult<Vec<Record>> {
        let (query, values) = filter.query(after, limit);
        self.lessons_where(&query, values)
    }

    pub fn lesson(&self, id: i64) -> StoreResult<Option<Record>> {
        let query = format!("SELECT {COLUMNS} FROM lessons WHERE id = ?1");
        Ok(self.lessons_where(&query, vec![Value::Integer(id)])?.pop())
    }

    /// The best matches first. `None` where the text has no word to look for.
    pub fn search_lessons(&self, text: &str, limit: u32) -> StoreResult<Option<Vec<Record>>> {
        let Some(words) = search_words(text) else { return Ok(None) };
        self.lessons_where(SEARCH, vec![Value::Text(words), Value::Integer(i64::from(limit))]).map(Some)
    }

    pub fn lesson_counts(&self) -> StoreResult<LessonCounts> {
        let mut counts = LessonCounts::default();
        let add = |list: &mut Vec<(String, u64)>, name: String, many| match list
            .iter_mut()
            .find(|(n, _)| *n == name)
        {
            Some((_, n)) => *n += many,
            None => list.push((name, many)),
        };
        for (lesson_type, status, many) in self.conn.rows(
            "SELECT lesson_type, status, COUNT(*) FROM lessons GROUP BY lesson_type, status",
            [],
            |row| {
                let many = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, many))
            },
        )? {
            counts.total += many;
            add(&mut counts.by_type, lesson_type, many);
            add(&mut counts.by_status, status, many);
        }
        Ok(counts)
    }

    /// Writes a lesson by hand; never one with another. Returns its id.
    pub fn add_lesson(&mut self, new: &ByHand, now: UnixTime) -> StoreResult<i64> {
        let text = |field: &Option<String>| field.clone().filter(|t| !t.is_empty());
        let change = &new.change;
        self.transact("state.lesson", |tx| {
            tx.write(
                "INSERT INTO lessons (created_at, lesson_type, work_item_id, task_id, turn, stage, agent, repo, root_cause, \
                 suggestion, detail, status, related_task, source, attribution, target_repo, target_domain, last_seen_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'manual', ?14, ?15, ?16, ?1)",
                params![
                    now.0,
                    new.lesson_type,
                    text(&new.work_item_id),
                    text(&new.task_id),
                    new.turn,
                    text(&new.stage),
                    text(&new.agent),
                    text(&new.repo),
                    text(&change.root_cause),
                    text(&change.suggestion),
                    text(&change.detail),
                    change.status.unwrap_or(Status::New).code(),
                    text(&change.related_task),
                    change.attribution.map(Attribution::code),
                    text(&change.target_repo),
                    text(&change.target_domain),
                ],
            )?;
            Ok(tx.last_insert_rowid())
        })
    }

    /// Changes what is named. Returns whether there is such a lesson.
    pub fn update_lesson(&mut self, id: i64, change: &LessonChange, now: UnixTime) -> StoreResult<bool> {
        let fields = [
            ("status", change.status.map(|s| s.code().to_owned())),
            ("root_cause", change.root_cause.clone()),
            ("suggestion", change.suggestion.clone()),
            ("detail", change.detail.clone()),
            ("related_task", change.related_task.clone()),
            ("attribution", change.attribution.map(|a| a.code().to_owned())),
            ("target_repo", change.target_repo.clone()),
            ("target_domain", change.target_domain.clone()),
        ];
        let mut sets = "updated_at = ?2".to_owned();
        let mut values = vec![Value::Integer(id), Value::Integer(now.0)];
        for (column, value) in fields {
            let Some(value) = value else { continue };
            values.push(if value.is_empty() { Value::Null } else { Value::Text(value) });
            sets.push_str(&format!(", {column} = ?{}", values.len()));
        }
        self.transact("state.lesson", |tx| {
            let query = format!("UPDATE lessons SET {sets} WHERE id = ?1");
            Ok(tx.change(&query, params_from_iter(values))? > 0)
        })
    }

    /// A person has read it: it may be given. Its time begins anew. Returns whether there is such a lesson.
    pub fn approve_lesson(&mut self, id: i64, now: UnixTime) -> StoreResult<bool> {
        self.transact("state.lesson", |tx| {
            let changed = tx.change(
                "UPDATE lessons SET approved_at = ?2, updated_at = ?2, expires_at = NULL WHERE id = ?1",
                params![id, now.0],
            )?;
            Ok(changed > 0)
        })
    }

    /// How runs ended that were given a lesson, and those in its repo that were not, since it was there.
    pub fn lesson_outcomes(&self, record: &Record) -> StoreResult<LessonOutcomes> {
        let count = |query: &str, values: &[&dyn rusqlite::ToSql]| -> StoreResult<Vec<(String, u64)>> {
            self.conn.rows(query, values, |row| {
                Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
            })
        };
        let repo = record.target_repo.as_ref().or(record.repo.as_ref());
        Ok(LessonOutcomes {
            with: count(
                "SELECT r.outcome, COUNT(*) FROM given_lessons g JOIN runs r ON r.id = g.run \
                 WHERE g.lesson = ?1 AND g.place > 0 AND r.outcome IS NOT NULL AND r.outcome NOT IN ('claim-lost', 'not-started') \
                 GROUP BY r.outcome",
                &[&record.id],
            )?,
            without: count(
                "SELECT r.outcome, COUNT(*) FROM runs r WHERE r.repo = ?2 AND r.created_at >= ?3 AND r.outcome IS NOT NULL \
                 AND r.outcome NOT IN ('claim-lost', 'not-started') \
                 AND NOT EXISTS (SELECT 1 FROM given_lessons g \
                 WHERE g.lesson = ?1 AND g.run = r.id AND g.place > 0) GROUP BY r.outcome",
                &[&record.id, &repo, &record.created_at.0],
            )?,
        })
    }
}

/// Writes a lesson that an event held.
pub(super) fn insert(conn: &rusqlite::Connection, lesson: &Lesson) -> StoreResult<i64> {
    conn.write(
        "INSERT INTO lessons (created_at, lesson_type, work_item_id, task_id, turn, stage, agent, repo, root_cause, \
         suggestion, detail, source, last_seen_at, untrusted) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'auto', ?1, ?12)",
        params![
            lesson.at.0,
            lesson.kind.code(),
            lesson.work_item,
            lesson.task,
            lesson.turn,
            lesson.stage,
            lesson.agent,
            lesson.repo,
            lesson.root_cause,
            lesson.suggestion,
            lesson.detail,
            lesson.untrusted,
        ],
    )?;
    Ok(conn.last_insert_rowid())
}

/// The newest automatic lesson that is like this one, with the time of the event that made it.
pub(super) fn alike(conn: &rusqlite::Connection, lesson: &Lesson) -> StoreResult<Option<(i64, UnixTime)>> {
    let values = params![lesson.kind.code(), lesson.repo, lesson.work_item, lesson.stage];
    conn.row(ALIKE, values, |row| Ok((row.get(0)?, UnixTime(row.get(1)?))))
}

pub(super) const ALIKE: &str = "SELECT id, created_at FROM lessons WHERE source = 'auto' AND lesson_type = ?1 AND repo IS ?2 \
    AND work_item_id IS ?3 AND stage IS ?4 ORDER BY created_at DESC, id DESC LIMIT 1";

/// The same was met again.
pub(super) fn repeat(conn: &rusqlite::Connection, id: i64, at: UnixTime) -> StoreResult<()> {
    conn.write(
        "UPDATE lessons SET occurrences = occurrences + 1, last_seen_at = MAX(last_seen_at, ?2) WHERE id = ?1",
        params![id, at.0],
    )
}
