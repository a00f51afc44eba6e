//! Effects that were decided.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::ask::Ask as _;
use super::codes::word;
use super::{Store, StoreError, StoreResult};
use crate::domain::effect::{Effect, Words};
use crate::domain::model::{Oid, UnixTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum IntentState {
    Done,
    /// The world said no; it is not tried again.
    Refused,
    /// Not wanted any more.
    Cancelled,
}

impl IntentState {
    pub(super) fn code(self) -> &'static str {
        self.into()
    }
}

/// An effect that is to be carried out. `tries` above 0: it may have happened already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent<E = Effect> {
    pub id: i64,
    pub effect: E,
    pub tries: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Wire {
    Claim,
    Prepare,
    StartTurn {
        turn: u32,
        kind: String,
        failure: String,
    },
    StopTurn {
        turn: u32,
    },
    Label {
        label: String,
        present: bool,
        #[serde(default)]
        round: u32,
    },
    Progress {
        body: String,
    },
    Say {
        body: String,
    },
    BringUpToDate {
        head: String,
        target: String,
        number: u32,
    },
    Verify {
        oid: String,
        number: u32,
    },
    Land {
        head: String,
        expected: String,
    },
    PushBranch {
        head: String,
        expected: Option<String>,
    },
    OpenPull {
        title: String,
        body: String,
    },
    EditPull {
        pull: u64,
        head: String,
        body: String,
    },
    Merge {
        pull: u64,
        head: String,
    },
    ReleaseSlot {
        round: u32,
    },
    TakeSlot {
        round: u32,
    },
    Undo {
        branch: String,
    },
    OpenUndo {
        branch: String,
        title: String,
        body: String,
    },
    Reopen,
    WatchTarget,
    StartCi {
        stage: String,
        oid: String,
        attempt: u32,
    },
    Salvage {
        push: bool,
    },
    Close,
    Release,
    RemoveWorkspace,
    Notify {
        kind: String,
        #[serde(default)]
        round: u32,
        title: String,
        body: String,
    },
}

fn to_wire(effect: &Effect) -> Wire {
    match effect.clone() {
        Effect::Claim => Wire::Claim,
        Effect::Prepare => Wire::Prepare,
        Effect::StartTurn { turn, kind, told } => {
            Wire::StartTurn { turn, kind: kind.code().to_owned(), failure: told.body }
        }
        Effect::StopTurn { turn } => Wire::StopTurn { turn },
        Effect::Label { label, present, round } => Wire::Label { label, present, round },
        Effect::Progress { said } => Wire::Progress { body: said.body },
        Effect::Say { said } => Wire::Say { body: said.body },
        Effect::BringUpToDate { head, target, number } => {
            Wire::BringUpToDate { head: head.to_string(), target: target.to_string(), number }
        }
        Effect::Verify { oid, number } => Wire::Verify { oid: oid.to_string(), number },
        Effect::Land { head, expected } => {
            Wire::Land { head: head.to_string(), expected: expected.to_string() }
        }
        Effect::PushBranch { head, expected } => {
            Wire::PushBranch { head: head.to_string(), expected: expected.map(|oid| oid.to_string()) }
        }
        Effect::OpenPull { said: Words { title, body } } => Wire::OpenPull { title, body },
        Effect::EditPull { pull, head, said } => {
            Wire::EditPull { pull, head: head.to_string(), body: said.body }
        }
        Effect::Merge { pull, head } => Wire::Merge { pull, head: head.to_string() },
        Effect::ReleaseSlot { round } => Wire::ReleaseSlot { round },
        Effect::TakeSlot { round } => Wire::TakeSlot { round },
        Effect::Undo { branch } => Wire::Undo { branch },
        Effect::OpenUndo { branch, said: Words { title, body } } => Wire::OpenUndo { branch, title, body },
        Effect::Reopen => Wire::Reopen,
        Effect::WatchTarget => Wire::WatchTarget,
        Effect::StartCi { stage, oid, attempt } => Wire::StartCi { stage, oid: oid.to_string(), attempt },
        Effect::Salvage { push } => Wire::Salvage { push },
        Effect::Close => Wire::Close,
        Effect::Release => Wire::Release,
        Effect::RemoveWorkspace => Wire::RemoveWorkspace,
        Effect::Notify { kind, round, said: Words { title, body } } => {
            Wire::Notify { kind: kind.code().to_owned(), round, title, body }
        }
    }
}

fn from_wire(wire: Wire) -> StoreResult<Effect> {
    let oid =
        |text: String| Oid::parse(&text).ok_or(StoreError::Row { what: format!("object name `{text}`") });
    let words = |body| Words { title: String::new(), body };
    Ok(match wire {
        Wire::Claim => Effect::Claim,
        Wire::Prepare => Effect::Prepare,
        Wire::StartTurn { turn, kind, failure } => {
            Effect::StartTurn { turn, kind: word("turn kind", &kind)?, told: words(failure) }
        }
        Wire::StopTurn { turn } => Effect::StopTurn { turn },
        Wire::Label { label, present, round } => Effect::Label { label, present, round },
        Wire::Progress { body } => Effect::Progress { said: words(body) },
        Wire::Say { body } => Effect::Say { said: words(body) },
        Wire::BringUpToDate { head, target, number } => {
            Effect::BringUpToDate { head: oid(head)?, target: oid(target)?, number }
        }
        Wire::Verify { oid: at, number } => Effect::Verify { oid: oid(at)?, number },
        Wire::Land { head, expected } => Effect::Land { head: oid(head)?, expected: oid(expected)? },
        Wire::PushBranch { head, expected } => {
            Effect::PushBranch { head: oid(head)?, expected: expected.map(oid).transpose()? }
        }
        Wire::OpenPull { title, body } => Effect::OpenPull { said: Words { title, body } },
        Wire::EditPull { pull, head, body } => Effect::EditPull { pull, head: oid(head)?, said: words(body) },
        Wire::Merge { pull, head } => Effect::Merge { pull, head: oid(head)? },
        Wire::ReleaseSlot { round } => Effect::ReleaseSlot { round },
        Wire::TakeSlot { round } => Effect::TakeSlot { round },
        Wire::Undo { branch } => Effect::Undo { branch },
        Wire::OpenUndo { branch, title, body } => Effect::OpenUndo { branch, said: Words { title, body } },
        Wire::Reopen => Effect::Reopen,
        Wire::WatchTarget => Effect::WatchTarget,
        Wire::StartCi { stage, oid: at, attempt } => Effect::StartCi { stage, oid: oid(at)?, attempt },
        Wire::Salvage { push } => Effect::Salvage { push },
        Wire::Close => Effect::Close,
        Wire::Release => Effect::Release,
        Wire::RemoveWorkspace => Effect::RemoveWorkspace,
        Wire::Notify { kind, round, title, body } => {
            Effect::Notify { kind: word("notice kind", &kind)?, round, said: Words { title, body } }
        }
    })
}

/// An effect whose key is known for the run was decided before: it is not recorded twice. One that was cancelled (a push
/// that lost a race) may be wanted again.
pub(super) fn insert_intents(
    conn: &Connection,
    run: &str,
    effects: &[Effect],
    now: UnixTime,
) -> StoreResult<()> {
    for effect in effects {
        let payload = serde_json::to_string(&to_wire(effect))
            .map_err(|e| StoreError::Row { what: format!("effect: {e}") })?;
        let line = effect.line();
        conn.write(
            "INSERT INTO intents (run, key, kind, payload, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (run, key) DO UPDATE SET state = 'pending', done_at = NULL WHERE state = 'cancelled'",
            params![run, effect.key(), line, payload, now.0],
        )?;
    }
    Ok(())
}

/// Gives up whatever of the run is still pending.
pub(super) fn cancel_pending(conn: &Connection, run: &str, now: UnixTime) -> StoreResult<()> {
    conn.write(
        "UPDATE intents SET state = 'cancelled', done_at = ?2 WHERE run = ?1 AND state = 'pending'",
        params![run, now.0],
    )
}

impl Store {
    /// A run's effects that are still to be carried out, in their order.
    pub fn pending(&self, run: &str) -> StoreResult<Vec<Intent>> {
        self.conn.rows(
            "SELECT id, payload, tries FROM intents WHERE run = ?1 AND state = 'pending' ORDER BY id",
            [run],
            |row| {
                let (id, payload) = (row.get(0)?, row.get::<_, String>(1)?);
                let wire: Wire = serde_json::from_str(&payload)
                    .map_err(|e| StoreError::Row { what: format!("effect {id}: {e}") })?;
                Ok(Intent { id, effect: from_wire(wire)?, tries: row.get(2)? })
            },
        )
    }

    /// What a run was told to land and did, in that order: `(head, expected)` of each push to the target.
    pub fn landings(&self, run: &str) -> StoreResult<Vec<(Oid, Oid)>> {
        let mut landed = vec![];
        for text in self.conn.rows(
            "SELECT payload FROM intents WHERE run = ?1 AND state = 'done' AND key LIKE 'land-%' ORDER BY done_at, id",
            [run],
            |row| Ok(row.get::<_, String>(0)?),
        )? {
            let wire =
                serde_json::from_str(&text).map_err(|e| StoreError::Row { what: format!("effect: {e}") })?;
            if let Effect::Land { head, expected } = from_wire(wire)? {
                landed.push((head, expected));
            }
        }
        Ok(landed)
    }

    /// Marks an effect as being tried, before it is.
    pub fn trying(&mut self, intent: i64) -> StoreResult<()> {
        self.transact("state.trying", |tx| {
            tx.write("UPDATE intents SET tries = tries + 1 WHERE id = ?1", [intent])
        })
    }

    pub fn settle(
        &mut self,
        intent: i64,
        state: IntentState,
        outcome: &str,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.settle", |tx| {
            tx.write(
                "UPDATE intents SET state = ?2, outcome = ?3, done_at = ?4 WHERE id = ?1",
                params![intent, state.code(), outcome, now.0],
            )
        })
    }

    /// Gives up whatever of the run is still pending.
    pub fn cancel_pending(&mut self, run: &str, now: UnixTime) -> StoreResult<()> {
        cancel_pending(&self.conn, run, now)
    }

    /// The effect that the run recorded under a key, whatever became of it.
    pub fn effect(&self, run: &str, key: &str) -> StoreResult<Option<Effect>> {
        let payload =
            self.conn.row("SELECT payload FROM intents WHERE run = ?1 AND key = ?2", [run, key], |row| {
                Ok(row.get::<_, String>(0)?)
            })?;
        payload
            .map(|text| {
                let wire = serde_json::from_str(&text)
                    .map_err(|e| StoreError::Row { what: format!("effect: {e}") })?;
                from_wire(wire)
            })
            .transpose()
    }

    /// What came of an effect that was done; `None` where it was not.
    pub fn done(&self, run: &str, key: &str) -> StoreResult<Option<String>> {
        self.conn.row(
            "SELECT COALESCE(outcome, '') FROM intents WHERE run = ?1 AND key = ?2 AND state = 'done'",
            [run, key],
            |row| Ok(row.get(0)?),
        )
    }

    /// Why the run's newest refused effect of a kind was refused.
    pub fn refusal(&self, run: &str, key: &str) -> StoreResult<Option<String>> {
        self.conn
            .row(
                "SELECT outcome FROM intents WHERE run = ?1 AND key = ?2 AND state = 'refused'",
                [run, key],
                |row| Ok(row.get::<_, Option<String>>(0)?),
            )
            .map(Option::flatten)
    }
}
