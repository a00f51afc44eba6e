//! The pull requests and commits that are ours.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::super::{Store, StoreError, StoreResult, sql, to_i64};
use crate::domain::model::{Oid, RepoId};
use crate::domain::upgrade::guard::Bump;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Merged => "merged",
        }
    }

    fn parse(code: &str) -> StoreResult<Self> {
        [Self::Open, Self::Closed, Self::Refused, Self::Merged]
            .into_iter()
            .find(|s| s.code() == code)
            .ok_or_else(|| StoreError::Row { what: format!("pull request state `{code}`") })
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
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT repo, number, recipe, version, branch, head, bumps, tests, state, batch FROM upgrade_pulls \
                 WHERE ?1 IS NULL OR batch = ?1 ORDER BY repo, number",
            )
            .map_err(sql("read"))?;
        let rows = statement
            .query_map([batch], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    (row.get::<_, String>(2)?, row.get::<_, String>(3)?, row.get::<_, String>(4)?),
                    row.get::<_, String>(5)?,
                    row.get::<_, String>(6)?,
                    row.get::<_, bool>(7)?,
                    row.get::<_, String>(8)?,
                    row.get::<_, i64>(9)?,
                ))
            })
            .map_err(sql("read"))?;
        rows.map(|row| {
            let (repo, number, (recipe, version, branch), head, bumps, tests, state, batch) =
                row.map_err(sql("read"))?;
            let broken = |what: &str| StoreError::Row { what: format!("pull request {number}: {what}") };
            Ok(OwnPull {
                repo: RepoId::parse(&repo, None).ok_or_else(|| broken("its repo"))?,
                number: u64::try_from(number).map_err(|_odd| broken("its number"))?,
                recipe,
                version,
                branch,
                head: Oid::parse(&head).ok_or_else(|| broken("its head"))?,
                bumps: parse_bumps(&bumps)?,
                tests,
                state: PullStanding::parse(&state)?,
                batch,
            })
        })
        .collect()
    }

    pub fn set_own_pull(&mut self, pull: &OwnPull) -> StoreResult<()> {
        self.transact("state.pull", |tx| write_pull(tx, pull))
    }

    /// Whether a commit was recorded before we pushed it.
    pub fn is_own_commit(&self, repo: &RepoId, oid: &Oid) -> StoreResult<bool> {
        self.conn
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM upgrade_commits WHERE repo = ?1 AND oid = ?2)",
                params![repo.to_string(), oid.as_str()],
                |row| row.get(0),
            )
            .map_err(sql("read"))
    }

    /// The commits of a repo that were recorded as ours: what cleanup may delete.
    pub fn own_commits(&self, repo: &RepoId) -> StoreResult<Vec<Oid>> {
        let mut statement =
            self.conn.prepare("SELECT oid FROM upgrade_commits WHERE repo = ?1").map_err(sql("read"))?;
        let rows =
            statement.query_map([repo.to_string()], |row| row.get::<_, String>(0)).map_err(sql("read"))?;
        rows.map(|row| {
            let text = row.map_err(sql("read"))?;
            Oid::parse(&text).ok_or_else(|| StoreError::Row { what: format!("commit `{text}`") })
        })
        .collect()
    }
}

pub(super) fn write_pull(tx: &rusqlite::Transaction<'_>, pull: &OwnPull) -> StoreResult<()> {
    tx.execute(
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
    .map_err(sql("written"))?;
    Ok(())
}
