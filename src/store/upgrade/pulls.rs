//! The pull requests and commits that are ours.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::super::codes::word;
use super::super::{Store, StoreError, StoreResult, to_i64};
use crate::domain::model::{Oid, RepoId};
use crate::domain::upgrade::guard::Bump;
use crate::store::ask::Ask as _;

/// A pull request that an intent of ours opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPull {
    pub repo: RepoId,
    pub number: u64,
    pub recipe: String,
    pub version: String,
    pub branch: String,
    pub head: Oid,
    pub bumps: Vec<Bump>,
    pub tests: bool,
    pub state: PullStanding,
    pub batch: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum PullStanding {
    Open,
    /// Closed by us.
    Closed,
    /// Closed by a person: its version stays closed.
    Refused,
    Merged,
}

impl PullStanding {
    fn code(self) -> &'static str {
        self.into()
    }
}

#[derive(Serialize, Deserialize)]
struct BumpWire {
    file: String,
    service: String,
    image: String,
    from: String,
    to: String,
}

fn bumps_json(bumps: &[Bump]) -> String {
    let wire: Vec<serde_json::Value> = bumps
        .iter()
        .map(|b| serde_json::json!({ "file": b.file, "service": b.service, "image": b.image, "from": b.from, "to": b.to }))
        .collect();
    serde_json::Value::Array(wire).to_string()
}

fn parse_bumps(text: &str) -> StoreResult<Vec<Bump>> {
    let wire: Vec<BumpWire> =
        serde_json::from_str(text).map_err(|e| StoreError::Row { what: format!("bumps: {e}") })?;
    let bump =
        |b: BumpWire| Bump { file: b.file, service: b.service, image: b.image, from: b.from, to: b.to };
    Ok(wire.into_iter().map(bump).collect())
}

impl Store {
    pub fn own_pulls(&self, batch: Option<i64>) -> StoreResult<Vec<OwnPull>> {
        let query = "SELECT repo, number, recipe, version, branch, head, bumps, tests, state, batch FROM upgrade_pulls \
                     WHERE ?1 IS NULL OR batch = ?1 ORDER BY repo, number";
        self.conn.rows(query, [batch], |row| {
            let text = |at: usize| row.get::<_, String>(at);
            let number: i64 = row.get(1)?;
            let broken = |what: &str| StoreError::Row { what: format!("pull request {number}: {what}") };
            Ok(OwnPull {
                repo: RepoId::parse(&text(0)?, None).ok_or_else(|| broken("its repo"))?,
                number: u64::try_from(number).map_err(|_odd| broken("its number"))?,
                recipe: text(2)?,
                version: text(3)?,
                branch: text(4)?,
                head: Oid::parse(&text(5)?).ok_or_else(|| broken("its head"))?,
                bumps: parse_bumps(&text(6)?)?,
                tests: row.get(7)?,
                state: word("pull request state", &text(8)?)?,
                batch: row.get(9)?,
            })
        })
    }

    pub fn set_own_pull(&mut self, pull: &OwnPull) -> StoreResult<()> {
        self.transact("state.pull", |tx| write_pull(tx, pull))
    }

    /// Whether a commit was recorded before we pushed it.
    pub fn is_own_commit(&self, repo: &RepoId, oid: &Oid) -> StoreResult<bool> {
        self.conn.one(
            "SELECT EXISTS (SELECT 1 FROM upgrade_commits WHERE repo = ?1 AND oid = ?2)",
            params![repo.to_string(), oid.as_str()],
            |row| Ok(row.get(0)?),
        )
    }
}

pub(super) fn write_pull(tx: &rusqlite::Transaction<'_>, pull: &OwnPull) -> StoreResult<()> {
    tx.write(
        "INSERT INTO upgrade_pulls (repo, number, recipe, version, branch, head, bumps, tests, state, batch) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT (repo, number) DO UPDATE SET head = ?6, bumps = ?7, state = ?9, batch = ?10",
        params![
            pull.repo.to_string(),
            to_i64(pull.number),
            pull.recipe,
            pull.version,
            pull.branch,
            pull.head.as_str(),
            bumps_json(&pull.bumps),
            pull.tests,
            pull.state.code(),
            pull.batch
        ],
    )
}
