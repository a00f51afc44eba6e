//! A run as it stands beside its work, so that it can be gone on with when the state file is lost.
//!
//! The rows are taken as they are, by the names of their columns: a record of an older offhours lacks columns, which then
//! have their defaults, and what this one does not know of a newer one is left out.

use std::path::Path;

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, params, params_from_iter};
use serde_json::{Map, Value, json};

use super::ask::Ask as _;
use super::{RunRow, Store, StoreError, StoreResult, insert_event, sql};
use crate::domain::event::{Event, Facts, Happening};
use crate::domain::model::{IssueRef, UnixTime};
use crate::domain::template::State;
use crate::ports::TemplateContent;

/// The tables that tell of a run, and the column that names it.
const TABLES: [(&str, &str); 4] = [("runs", "id"), ("turns", "run"), ("intents", "run"), ("holds", "run")];
/// What changes with every look; it begins anew.
const CLOCKS: [&str; 4] = ["ci_seconds", "fix_seconds", "turn_seconds", "review_seconds"];

type Columns = Map<String, Value>;

impl Store {
    /// All that the state knows of a run, as JSON; the same text as long as nothing but clocks moved.
    pub fn record(&self, run: &str) -> StoreResult<Option<String>> {
        let mut tables = Map::new();
        for (table, key) in TABLES {
            let rows = rows_of(&self.conn, table, key, run)?;
            if table == "runs" && rows.is_empty() {
                return Ok(None);
            }
            // What holds a repo after a run's end may be lifted, and nobody would take it out of the record.
            if table == "holds" && tables["runs"].pointer("/0/phase").is_some_and(|phase| phase == "ended") {
                continue;
            }
            tables.insert(table.to_owned(), Value::Array(rows.into_iter().map(Value::Object).collect()));
        }
        let told_by = self.route_of(run)?.map(|route| self.template(route.template)).transpose()?.flatten();
        let template =
            told_by.map(|t| json!({ "name": t.name, "hash": t.hash, "body": t.body, "origin": t.origin }));
        Ok(Some(json!({ "tables": tables, "template": template }).to_string()))
    }

    /// What a record says, tried out in an empty state: an error where not all of it can be read back.
    pub fn try_record(record: &str, issue: &IssueRef, run: &str, now: UnixTime) -> StoreResult<RunRow> {
        let mut trial = Self::open_copy(Path::new(""), now)?;
        trial.take_up(record, issue, run, now)?;
        trial.pending(run)?;
        trial.turns_of(run)?;
        trial.run(run)?.ok_or_else(|| damaged("there is no run in it"))
    }

    /// Takes a run up from its record, which was tried, as the run of this id on this issue. The state must not know it
    /// yet.
    pub fn take_up(&mut self, record: &str, issue: &IssueRef, run: &str, now: UnixTime) -> StoreResult<()> {
        let record: Value = serde_json::from_str(record).map_err(|e| damaged(&e.to_string()))?;
        let template = match record.get("template") {
            Some(Value::Object(told_by)) => {
                let word = |key: &str| {
                    let word = told_by.get(key).and_then(Value::as_str).filter(|w| !w.is_empty());
                    word.map(str::to_owned).ok_or_else(|| damaged(&format!("its template has no {key}")))
                };
                let content = TemplateContent { body: word("body")?, hash: word("hash")? };
                Some(self.add_template(&word("name")?, &content, &word("origin")?, State::Candidate, now)?.0)
            }
            Some(_) | None => None,
        };
        let number = super::to_i64(issue.number);
        self.transact("state.take-up", |tx| {
            for (table, key) in TABLES {
                let Some(Value::Array(rows)) = record.pointer(&format!("/tables/{table}")) else { continue };
                for row in rows {
                    let Value::Object(row) = row else { return Err(damaged("a row of it is none")) };
                    let mut row = row.clone();
                    row.insert(key.to_owned(), json!(run));
                    match table {
                        "runs" => {
                            row.insert("repo".to_owned(), json!(issue.repo.to_string()));
                            row.insert("number".to_owned(), json!(number));
                            row.insert("last_seen".to_owned(), json!(now.0));
                            row.extend(CLOCKS.map(|clock| (clock.to_owned(), json!(0))));
                            if let Some(template) = &template {
                                row.insert("template".to_owned(), json!(template.full_label()));
                            }
                        }
                        // It may have been tried since: each is looked for first.
                        "intents" if row.get("tries") == Some(&json!(0)) => {
                            row.insert("tries".to_owned(), json!(1));
                        }
                        "holds" => drop(row.insert("repo".to_owned(), json!(issue.repo.to_string()))),
                        _ => {}
                    }
                    insert(tx, table, &row)?;
                }
            }
            if let Some(template) = &template {
                // Its arm and what it would have been scored as are gone with the file.
                tx.write("INSERT INTO routes (run, template) VALUES (?1, ?2)", params![run, template.id])?;
            }
            insert_event(
                tx,
                &Event {
                    key: format!("{run}:taken-up"),
                    at: now,
                    kind: Happening::TakenUp.into(),
                    repo: Some(issue.repo.to_string()),
                    number: Some(issue.number),
                    run: Some(run.to_owned()),
                    facts: Facts {
                        detail: "the state file was lost; it goes on from the record beside its work"
                            .to_owned(),
                        ..Facts::default()
                    },
                },
            )
        })
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Row { what: format!("the run's record: {what}") }
}

fn rows_of(conn: &Connection, table: &str, key: &str, run: &str) -> StoreResult<Vec<Columns>> {
    let mut statement = conn
        .prepare_cached(&format!("SELECT * FROM {table} WHERE {key} = ?1 ORDER BY rowid"))
        .map_err(sql("read"))?;
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    // An intent is numbered by its file; here its place in the list is enough.
    let kept = |name: &str| {
        name != key && !(table == "intents" && name == "id") && name != "last_seen" && !CLOCKS.contains(&name)
    };
    let rows = statement
        .query_map([run], |row| {
            let mut columns = Columns::new();
            for (at, name) in names.iter().enumerate().filter(|(_, name)| kept(name)) {
                let value = match row.get_ref(at)? {
                    ValueRef::Null | ValueRef::Blob(_) => Value::Null,
                    ValueRef::Integer(number) => json!(number),
                    ValueRef::Real(number) => json!(number),
                    ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                };
                columns.insert(name.clone(), value);
            }
            Ok(columns)
        })
        .map_err(sql("read"))?;
    rows.collect::<Result<_, _>>().map_err(sql("read"))
}

/// Only columns that the table has: their names are never taken from the record.
fn insert(conn: &Connection, table: &str, row: &Columns) -> StoreResult<()> {
    let known =
        conn.rows("SELECT name FROM pragma_table_info(?1)", [table], |row| Ok(row.get::<_, String>(0)?))?;
    let (mut names, mut cells) = (vec![], vec![]);
    for name in known {
        let cell = match row.get(&name) {
            None => continue,
            Some(Value::Null) => Cell::Null,
            Some(Value::String(text)) => Cell::Text(text.clone()),
            Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Cell::Integer(number),
                (None, Some(number)) => Cell::Real(number),
                (None, None) => return Err(damaged(&format!("{name} is out of range"))),
            },
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(damaged(&format!("{name} is of another kind")));
            }
        };
        names.push(name);
        cells.push(cell);
    }
    // A repo is held once for each reason, whoever said so first.
    let or = if table == "holds" { "OR IGNORE" } else { "" };
    let marks = vec!["?"; names.len()].join(", ");
    conn.write(
        &format!("INSERT {or} INTO {table} ({}) VALUES ({marks})", names.join(", ")),
        params_from_iter(cells),
    )
}
