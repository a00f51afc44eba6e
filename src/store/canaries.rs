//! Canaries: each begins once, is decided once, and what follows from the decision is written with it.

use super::ask::Ask as _;
use super::codes::word;
use super::outbox::insert_notice;
use super::outcomes::{entries_of_canary, entries_of_template};
use super::routes::CanaryRoute;
use super::templates::{TemplateRow, set_state};
use super::{Store, StoreError, StoreResult, insert_event, to_u32};
use crate::domain::canary::{Arm, History, Params};
use crate::domain::event::{Event, Facts, Happening, Subject};
use crate::domain::harvest::{Entry, counted, history};
use crate::domain::model::UnixTime;
use crate::domain::template::State;
use crate::ports::Notice;
use rusqlite::{Connection, Row, params};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// How a canary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    Graduated,
    RolledBack,
    Inconclusive,
}

impl Verdict {
    pub fn code(self) -> &'static str {
        self.into()
    }

    fn happening(self) -> Happening {
        match self {
            Self::Graduated => Happening::Graduated,
            Self::RolledBack => Happening::RolledBack,
            Self::Inconclusive => Happening::Inconclusive,
        }
    }

    /// What becomes of the version.
    pub fn leaves(self) -> State {
        match self {
            Self::Graduated => State::Champion,
            Self::RolledBack => State::Rejected,
            Self::Inconclusive => State::Candidate,
        }
    }
}

/// A canary with what it was begun with: changes of the configuration do not reach into it.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryRow {
    /// `c1`, `c2` and so on.
    pub id: String,
    /// The template's name.
    pub name: String,
    pub template: i64,
    pub champion: i64,
    pub fraction: f64,
    pub params: Params,
    pub history: History,
    pub started_at: UnixTime,
    pub ended_at: Option<UnixTime>,
    pub verdict: Option<Verdict>,
    /// Why, for people.
    pub detail: Option<String>,
}

const COLUMNS: &str = "id, name, template, champion, fraction, min_canary, max_canary, margin, alpha_rollback, \
    alpha_graduate, history_sum, history_count, started_at, ended_at, verdict, detail";

fn read_row(row: &Row<'_>) -> StoreResult<CanaryRow> {
    let count = |at: &str| row.get::<_, i64>(at).map(|n| usize::try_from(n).unwrap_or(0));
    Ok(CanaryRow {
        id: row.get("id")?,
        name: row.get("name")?,
        template: row.get("template")?,
        champion: row.get("champion")?,
        fraction: row.get("fraction")?,
        params: Params {
            alpha_rollback: row.get("alpha_rollback")?,
            alpha_graduate: row.get("alpha_graduate")?,
            margin: row.get("margin")?,
            min_canary: count("min_canary")?,
            max_canary: count("max_canary")?,
        },
        history: History { sum: row.get("history_sum")?, count: row.get("history_count")? },
        started_at: UnixTime(row.get("started_at")?),
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(UnixTime),
        verdict: row
            .get::<_, Option<String>>("verdict")?
            .as_deref()
            .map(|code| word("verdict", code))
            .transpose()?,
        detail: row.get("detail")?,
    })
}

fn canaries_where(
    conn: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> StoreResult<Vec<CanaryRow>> {
    let query = format!("SELECT {COLUMNS} FROM canaries WHERE {condition}");
    conn.rows(&query, values, read_row)
}

fn event(
    canary: &CanaryRow,
    key: &str,
    kind: Happening,
    version: &TemplateRow,
    at: UnixTime,
    detail: &str,
) -> Event {
    let (template, id) = (canary.name.clone(), Some(canary.id.clone()));
    Event {
        key: format!("canary:{}:{key}", canary.id),
        at,
        kind: kind.into(),
        repo: None,
        number: None,
        run: None,
        facts: Facts {
            detail: detail.to_owned(),
            subject: Some(Subject::Version { template, label: version.label(), canary: id }),
            ..Facts::default()
        },
    }
}

impl Store {
    /// Begins to try a candidate out beside the champion; the champion's scores so far are frozen with it. `None` where
    /// it is no candidate any more, or another canary of the template lives.
    pub fn start_canary(
        &mut self,
        version: &TemplateRow,
        champion: &TemplateRow,
        fraction: f64,
        params: Params,
        now: UnixTime,
    ) -> StoreResult<Option<CanaryRow>> {
        self.transact("state.canary", |tx| {
            let alive = !canaries_where(tx, "name = ?1 AND verdict IS NULL", &[&version.name])?.is_empty();
            if alive || !set_state(tx, version.id, State::Candidate, State::Canary, now)? {
                return Ok(None);
            }
            let before: u32 = tx.one("SELECT COUNT(*) FROM canaries", [], |row| Ok(row.get::<_, i64>(0)?))
                .map(to_u32)?;
            let row = CanaryRow {
                id: format!("c{}", before + 1),
                name: version.name.clone(),
                template: version.id,
                champion: champion.id,
                fraction,
                params,
                history: history(&counted(&entries_of_template(tx, champion.id)?)),
                started_at: now,
                ended_at: None,
                verdict: None,
                detail: None,
            };
            let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            tx.write(
                "INSERT INTO canaries (id, name, template, champion, fraction, min_canary, max_canary, margin, alpha_rollback, \
                 alpha_graduate, history_sum, history_count, started_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                params![
                    row.id,
                    row.name,
                    row.template,
                    row.champion,
                    row.fraction,
                    count(params.min_canary),
                    count(params.max_canary),
                    params.margin,
                    params.alpha_rollback,
                    params.alpha_graduate,
                    row.history.sum,
                    row.history.count,
                    now.0
                ],
            )?;
            let detail = format!("{} beside {}", version.label(), champion.label());
            insert_event(tx, &event(&row, "started", Happening::CanaryStarted, version, now, &detail))?;
            Ok(Some(row))
        })
    }

    /// Ends a canary: its verdict, what becomes of both versions, the event and the notice are one transaction.
    /// `false` where it had ended before: then nothing is changed, and nothing told.
    pub fn end_canary(
        &mut self,
        canary: &CanaryRow,
        verdict: Verdict,
        detail: &str,
        notice: Option<(&[String], &Notice)>,
        now: UnixTime,
    ) -> StoreResult<bool> {
        self.transact("state.canary", |tx| {
            let changed = tx.change(
                "UPDATE canaries SET verdict = ?2, detail = ?3, ended_at = ?4 WHERE id = ?1 AND verdict IS NULL",
                params![canary.id, verdict.code(), detail, now.0],
            )?;
            if changed == 0 {
                return Ok(false);
            }
            if verdict == Verdict::Graduated {
                set_state(tx, canary.champion, State::Champion, State::Retired, now)?;
            }
            set_state(tx, canary.template, State::Canary, verdict.leaves(), now)?;
            let version = super::templates::templates_where(tx, "id = ?1", &[&canary.template])?;
            let version =
                version.first().ok_or(StoreError::Row { what: "a canary without its version".to_owned() })?;
            insert_event(tx, &event(canary, "ended", verdict.happening(), version, now, detail))?;
            if let Some((notifiers, notice)) = notice {
                insert_notice(tx, notifiers, notice, now)?;
            }
            Ok(true)
        })
    }

    pub fn live_canary(&self, name: &str) -> StoreResult<Option<CanaryRow>> {
        Ok(canaries_where(&self.conn, "name = ?1 AND verdict IS NULL", &[&name])?.into_iter().next())
    }

    /// Those that live, oldest first.
    pub fn live_canaries(&self) -> StoreResult<Vec<CanaryRow>> {
        canaries_where(&self.conn, "verdict IS NULL ORDER BY rowid", &[])
    }

    /// Every canary of a template, newest first; of all where no name is given.
    pub fn canaries(&self, name: Option<&str>) -> StoreResult<Vec<CanaryRow>> {
        match name {
            Some(name) => canaries_where(&self.conn, "name = ?1 ORDER BY rowid DESC", &[&name]),
            None => canaries_where(&self.conn, "1 ORDER BY rowid DESC", &[]),
        }
    }

    /// What became of a canary's runs, in dispatch order.
    pub fn canary_entries(&self, canary: &str) -> StoreResult<Vec<Entry>> {
        entries_of_canary(&self.conn, canary)
    }

    /// The arm in which a subject is, if it had a run in this canary.
    pub fn arm_of(&self, canary: &str, subject: &str) -> StoreResult<Option<Arm>> {
        let code = self.conn.row(
            "SELECT arm FROM outcomes WHERE canary = ?1 AND subject = ?2 AND source = 'run' ORDER BY rowid LIMIT 1",
            [canary, subject],
            |row| Ok(row.get::<_, String>(0)?),
        )?;
        code.map(|code| word("arm", &code)).transpose()
    }

    /// How many subjects a canary's own version was given, without those that do not count.
    pub fn canary_subjects(&self, canary: &str) -> StoreResult<usize> {
        self.conn
            .one(
                "SELECT COUNT(DISTINCT subject) FROM outcomes \
                 WHERE canary = ?1 AND arm = 'canary' AND source = 'run' AND state <> 'excluded'",
                [canary],
                |row| Ok(row.get::<_, i64>(0)?),
            )
            .map(|n| usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// Whether a version became champion by a canary.
    pub fn graduated(&self, template: i64) -> StoreResult<bool> {
        self.conn.one(
            "SELECT EXISTS (SELECT 1 FROM canaries WHERE template = ?1 AND verdict = 'graduated')",
            [template],
            |row| Ok(row.get(0)?),
        )
    }
}

impl CanaryRow {
    pub fn route(&self, arm: Arm) -> CanaryRoute {
        CanaryRoute { id: self.id.clone(), arm, fraction: self.fraction }
    }

    /// The version that an arm's runs are told by.
    pub fn version_of(&self, arm: Arm) -> i64 {
        match arm {
            Arm::Champion => self.champion,
            Arm::Canary => self.template,
        }
    }
}

#[cfg(test)]
#[path = "canaries_tests.rs"]
mod tests;
