//! By which version of a template each run is told, and on which arm of a canary.

use rusqlite::{Connection, params};

use super::ask::Ask as _;
use super::codes::word;
use super::{Store, StoreResult};
use crate::domain::canary::Arm;
use crate::domain::run::Run;

/// By which version a run is told, decided once at its dispatch.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub template: i64,
    pub canary: Option<CanaryRoute>,
    /// Its outcome is credited to the version.
    pub scored: bool,
}

/// While a canary lives every run belongs to one of its arms.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryRoute {
    pub id: String,
    pub arm: Arm,
    pub fraction: f64,
}

pub(super) fn insert_route(conn: &Connection, run: &Run, route: &Route) -> StoreResult<()> {
    let canary = route.canary.as_ref();
    conn.write(
        "INSERT INTO routes (run, template, arm, canary, fraction) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            run.id,
            route.template,
            canary.map(|c| c.arm.code()),
            canary.map(|c| &c.id),
            canary.map(|c| c.fraction)
        ],
    )
}

impl Store {
    pub fn route_of(&self, run: &str) -> StoreResult<Option<Route>> {
        let found = self.conn.row(
            "SELECT template, arm, canary, fraction, EXISTS (SELECT 1 FROM outcomes o WHERE o.run = routes.run) \
             FROM routes WHERE run = ?1",
            [run],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, Option<String>>(1)?,
                    row.get::<_, Option<String>>(2)?,
                    row.get::<_, Option<f64>>(3)?,
                    row.get::<_, bool>(4)?,
                ))
            },
        )?;
        found
            .map(|(template, arm, canary, fraction, scored)| {
                let canary = match (arm, canary, fraction) {
                    (Some(arm), Some(id), Some(fraction)) => {
                        Some(CanaryRoute { id, arm: word("arm", &arm)?, fraction })
                    }
                    _ => None,
                };
                Ok(Route { template, canary, scored })
            })
            .transpose()
    }
}
