//! Versions of templates, and which run was told by which. A version's text never changes: it is known by its hash.

use rusqlite::{Connection, Row, params};

use super::ask::Ask as _;
use super::codes::word;
use super::{Store, StoreError, StoreResult, insert_event};
use crate::domain::event::{Event, Facts, Happening, Subject};
use crate::domain::model::UnixTime;
use crate::domain::template::{State, VersionName, Which};
use crate::ports::{TemplateContent, TemplateText};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRow {
    pub id: i64,
    pub name: String,
    /// Counts from 1 within the name.
    pub version: u32,
    pub hash: String,
    pub body: String,
    /// Where the text came from first, for people.
    pub origin: String,
    pub state: State,
    pub created_at: UnixTime,
    pub changed_at: UnixTime,
}

impl TemplateRow {
    /// `name@version`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The label with the beginning of the hash, for receipts.
    pub fn full_label(&self) -> String {
        format!("{} ({})", self.label(), self.hash.get(..8).unwrap_or(&self.hash))
    }
}

const COLUMNS: &str = "id, name, version, hash, body, origin, state, created_at, changed_at";

fn read_row(row: &Row<'_>) -> StoreResult<TemplateRow> {
    let state: String = row.get("state")?;
    Ok(TemplateRow {
        id: row.get("id")?,
        name: row.get("name")?,
        version: row.get("version")?,
        hash: row.get("hash")?,
        body: row.get("body")?,
        origin: row.get("origin")?,
        state: word("template state", &state)?,
        created_at: UnixTime(row.get("created_at")?),
        changed_at: UnixTime(row.get("changed_at")?),
    })
}

pub(super) fn templates_where(
    conn: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> StoreResult<Vec<TemplateRow>> {
    let query = format!("SELECT {COLUMNS} FROM templates WHERE {condition}");
    conn.rows(&query, values, read_row)
}

/// Moves a version that stands in `from`; whether it did.
pub(super) fn set_state(
    conn: &Connection,
    id: i64,
    from: State,
    to: State,
    now: UnixTime,
) -> StoreResult<bool> {
    let changed = conn.change(
        "UPDATE templates SET state = ?3, changed_at = ?4 WHERE id = ?1 AND state = ?2",
        params![id, from.code(), to.code(), now.0],
    )?;
    Ok(changed > 0)
}

/// What a person did to a version by hand, as an event.
pub(super) fn by_hand_event(row: &TemplateRow, state: State, kind: Happening, now: UnixTime) -> Event {
    let version = Subject::Version { template: row.name.clone(), label: row.label(), canary: None };
    Event {
        key: format!("template:{}:{}:{}", row.label(), state.code(), now.0),
        at: now,
        kind: kind.into(),
        repo: None,
        number: None,
        run: None,
        facts: Facts {
            detail: format!("{} by hand", row.label()),
            subject: Some(version),
            ..Facts::default()
        },
    }
}

impl Store {
    /// Keeps a text. One that is known already is the version it was; a new one is a candidate, or `first` where its
    /// template has no version yet. Returns the version and whether it is new.
    pub fn add_template(
        &mut self,
        name: &str,
        content: &TemplateContent,
        origin: &str,
        first: State,
        now: UnixTime,
    ) -> StoreResult<(TemplateRow, bool)> {
        // Most ticks find nothing new: no transaction for them.
        if let Some(row) = known(&self.conn, name, &content.hash)? {
            return Ok((row, false));
        }
        self.transact("state.template", |tx| {
            if let Some(row) = known(tx, name, &content.hash)? {
                return Ok((row, false));
            }
            let newest: u32 =
                tx.one("SELECT COALESCE(MAX(version), 0) FROM templates WHERE name = ?1", [name], |row| {
                    Ok(row.get(0)?)
                })?;
            let state = if newest == 0 { first } else { State::Candidate };
            tx.write(
                "INSERT INTO templates (name, version, hash, body, origin, state, created_at, changed_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                params![name, newest + 1, content.hash, content.body, origin, state.code(), now.0],
            )?;
            let row = known(tx, name, &content.hash)?;
            row.map(|row| (row, true)).ok_or(StoreError::Row { what: "a new template is gone".to_owned() })
        })
    }

    /// Every version, by name, oldest first; of one template where a name is given.
    pub fn templates(&self, name: Option<&str>) -> StoreResult<Vec<TemplateRow>> {
        match name {
            Some(name) => templates_where(&self.conn, "name = ?1 ORDER BY version", &[&name]),
            None => templates_where(&self.conn, "1 ORDER BY name, version", &[]),
        }
    }

    /// The versions that a person's word fits: none, one, or several where the hash is too short.
    pub fn find_templates(&self, wanted: &VersionName) -> StoreResult<Vec<TemplateRow>> {
        match &wanted.which {
            Which::Champion => {
                templates_where(&self.conn, "name = ?1 AND state = 'champion'", &[&wanted.name])
            }
            Which::Number(number) => {
                templates_where(&self.conn, "name = ?1 AND version = ?2", &[&wanted.name, number])
            }
            Which::Hash(start) => templates_where(
                &self.conn,
                "name = ?1 AND substr(hash, 1, length(?2)) = ?2 ORDER BY version",
                &[&wanted.name, start],
            ),
        }
    }

    pub fn template(&self, id: i64) -> StoreResult<Option<TemplateRow>> {
        Ok(templates_where(&self.conn, "id = ?1", &[&id])?.into_iter().next())
    }

    pub fn champion(&self, name: &str) -> StoreResult<Option<TemplateRow>> {
        let found = templates_where(&self.conn, "name = ?1 AND state = 'champion'", &[&name])?;
        Ok(found.into_iter().next())
    }

    /// Makes a version champion; the one before is retired. `false` where the champion is being compared with a canary.
    pub fn promote_template(&mut self, row: &TemplateRow, now: UnixTime) -> StoreResult<bool> {
        self.transact("state.template", |tx| {
            let compared: bool = tx.one(
                "SELECT EXISTS (SELECT 1 FROM canaries WHERE name = ?1 AND verdict IS NULL)",
                [&row.name],
                |row| Ok(row.get(0)?),
            )?;
            if compared {
                return Ok(false);
            }
            tx.write(
                "UPDATE templates SET state = 'retired', changed_at = ?2 WHERE name = ?1 AND state = 'champion'",
                params![row.name, now.0],
            )?;
            let moved = set_state(tx, row.id, row.state, State::Champion, now)?;
            if !moved {
                return Err(StoreError::Row {
                    what: format!("{} changed while it was being promoted; try again", row.label()),
                });
            }
            insert_event(tx, &by_hand_event(row, State::Champion, Happening::TemplateChampion, now))?;
            Ok(moved)
        })
    }

    /// Puts a candidate or a retired version away for good. `false` where it is not in the state it was seen in.
    pub fn reject_template(&mut self, row: &TemplateRow, now: UnixTime) -> StoreResult<bool> {
        self.transact("state.template", |tx| {
            let moved = set_state(tx, row.id, row.state, State::Rejected, now)?;
            if moved {
                insert_event(tx, &by_hand_event(row, State::Rejected, Happening::TemplateRejected, now))?;
            }
            Ok(moved)
        })
    }

    /// The text that a run is told by; none for a run from before texts were kept.
    pub fn template_of(&self, run: &str) -> StoreResult<Option<TemplateText>> {
        let found =
            templates_where(&self.conn, "id = (SELECT template FROM routes WHERE run = ?1)", &[&run])?;
        Ok(found.into_iter().next().map(|row| TemplateText { label: row.label(), body: row.body }))
    }
}

fn known(conn: &Connection, name: &str, hash: &str) -> StoreResult<Option<TemplateRow>> {
    Ok(templates_where(conn, "name = ?1 AND hash = ?2", &[&name, &hash])?.into_iter().next())
}
