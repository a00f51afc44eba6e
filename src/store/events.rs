//! What happened. A row is written once and never changed.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::ask::Ask as _;
use super::{Store, StoreError, StoreResult, to_i64};
use crate::domain::event::{Ends, Event, EventKind, Facts, Red, Subject};
use crate::domain::model::UnixTime;

/// What is told with an event. What is not there, or is something else, is not known.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct FactsWire {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<String>,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merges: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    red: Option<RedWire>,
    /// A recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turns: Option<u32>,
    /// Of a template: what an event about one is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct RedWire {
    checks: Vec<String>,
    later: bool,
    stage: String,
}

fn data(facts: &Facts) -> StoreResult<String> {
    let wire = FactsWire {
        agent: facts.agent.clone(),
        attempt: facts.attempt,
        detail: facts.detail.clone(),
        ends: facts.ends.map(|ends| ends.code().to_owned()),
        merges: Some(facts.merges).filter(|merges| *merges > 0),
        red: facts.red.clone().map(|r| RedWire { checks: r.checks, later: r.later, stage: r.stage }),
        turns: facts.turn,
        ..FactsWire::default()
    };
    let wire = match facts.subject.clone() {
        Some(Subject::Recipe(name)) => FactsWire { subject: Some(name), ..wire },
        Some(Subject::Version { template, label, canary }) => {
            FactsWire { template: Some(template), version: Some(label), canary, ..wire }
        }
        None => wire,
    };
    serde_json::to_string(&wire).map_err(|e| StoreError::Row { what: format!("an event: {e}") })
}

fn facts(data: &str) -> Facts {
    let wire: FactsWire = serde_json::from_str(data).unwrap_or_default();
    let version = |label| {
        let (template, canary) = (wire.template.clone().unwrap_or_default(), wire.canary.clone());
        Subject::Version { template, label, canary }
    };
    Facts {
        subject: wire.subject.map(Subject::Recipe).or_else(|| wire.version.map(version)),
        detail: wire.detail,
        turn: wire.turns,
        attempt: wire.attempt,
        agent: wire.agent,
        red: wire.red.map(|r| Red { stage: r.stage, later: r.later, checks: r.checks }),
        ends: wire.ends.and_then(|code| code.parse::<Ends>().ok()),
        merges: wire.merges.unwrap_or(0),
    }
}

pub(super) const NEWS: &str =
    "SELECT key, at, kind, repo, number, run, data, id FROM events WHERE id > ?1 ORDER BY id LIMIT ?2";

fn read(row: &Row<'_>) -> StoreResult<Event> {
    let Ok(kind) = row.get::<_, String>(2)?.parse::<EventKind>();
    Ok(Event {
        key: row.get(0)?,
        at: UnixTime(row.get(1)?),
        kind,
        repo: row.get(3)?,
        number: row.get::<_, Option<i64>>(4)?.and_then(|n| u64::try_from(n).ok()),
        run: row.get(5)?,
        facts: facts(&row.get::<_, String>(6)?),
    })
}

/// At most `most` events behind the cursor, each with its id.
pub(super) fn news(conn: &Connection, cursor: i64, most: u32) -> StoreResult<Vec<(i64, Event)>> {
    conn.rows(NEWS, params![cursor, most], |row| Ok((row.get(7)?, read(row)?)))
}

pub(crate) fn insert_event(conn: &Connection, event: &Event) -> StoreResult<()> {
    conn.write(
        "INSERT OR IGNORE INTO events (key, at, kind, repo, number, run, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            event.key,
            event.at.0,
            event.kind.code(),
            event.repo,
            event.number.map(to_i64),
            event.run,
            data(&event.facts)?
        ],
    )
}

impl Store {
    /// An event happens once: a second one with the same key changes nothing.
    pub fn event(&mut self, event: &Event) -> StoreResult<()> {
        insert_event(&self.conn, event)
    }

    /// Whether an event of this key happened.
    pub fn has_event(&self, key: &str) -> StoreResult<bool> {
        self.conn.one("SELECT EXISTS (SELECT 1 FROM events WHERE key = ?1)", [key], |row| Ok(row.get(0)?))
    }

    /// The events of one run, oldest first.
    pub fn events_of(&self, run: &str) -> StoreResult<Vec<Event>> {
        self.conn.rows(
            "SELECT key, at, kind, repo, number, run, data FROM events WHERE run = ?1 ORDER BY id",
            [run],
            read,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_back() {
        let version = |canary| Subject::Version { template: "t".into(), label: "t@2".into(), canary };
        let red = Red { stage: "build".into(), later: true, checks: vec!["unit".into()] };
        for told in [
            Facts::default(),
            Facts { detail: "words".into(), turn: Some(2), attempt: Some(1), ..Facts::default() },
            Facts { agent: Some("a".into()), red: Some(red), merges: 3, ..Facts::default() },
            Facts {
                ends: Some(Ends::Frozen),
                subject: Some(Subject::Recipe("curl".into())),
                ..Facts::default()
            },
            Facts { subject: Some(version(None)), ..Facts::default() },
            Facts { subject: Some(version(Some("c1".into()))), ..Facts::default() },
        ] {
            assert_eq!(facts(&data(&told).unwrap()), told);
        }
        for odd in ["", "not JSON", "[]", r#"{"detail":1}"#, r#"{"ends":"of-tomorrow"}"#] {
            assert_eq!(facts(odd), Facts::default(), "{odd}");
        }
    }
}
