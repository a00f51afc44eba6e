//! What runs cost, and what is reserved for them.

use super::super::{Store, StoreResult};
use crate::domain::model::UnixTime;
use crate::store::ask::Ask as _;

/// Money since a moment. What is not known counts as what was reserved.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Spend {
    pub known_usd: f64,
    pub reserved_usd: f64,
}

impl Spend {
    pub fn total(self) -> f64 {
        self.known_usd + self.reserved_usd
    }
}

impl Store {
    /// Money of the runs begun since `since`: of a run that is over and told all its costs, those; else its reservation.
    pub fn spend_since(&self, since: UnixTime) -> StoreResult<Spend> {
        self.conn.one(
            "SELECT COALESCE(SUM(MIN(known, 1e9)), 0), \
             COALESCE(SUM(CASE WHEN open OR unknown THEN MAX(budget_usd - known, 0) ELSE 0 END), 0) FROM ( \
             SELECT r.budget_usd, r.phase <> 'ended' AS open, \
             COALESCE((SELECT SUM(t.cost_usd) FROM turns t WHERE t.run = r.id), 0) AS known, \
             EXISTS (SELECT 1 FROM turns t WHERE t.run = r.id AND t.cost_usd IS NULL) AS unknown \
             FROM runs r WHERE r.created_at >= ?1 AND COALESCE(r.outcome, '') NOT IN ('claim-lost', 'not-started') \
             UNION ALL SELECT u.budget_usd, u.ended_at IS NULL, COALESCE(u.cost_usd, 0), u.cost_usd IS NULL \
             FROM upgrade_turns u WHERE u.started_at >= ?1)",
            [since.0],
            |row| Ok(Spend { known_usd: row.get(0)?, reserved_usd: row.get(1)? }),
        )
    }

    /// Known cost of a run, and whether a turn did not tell its own.
    pub fn cost_of(&self, run: &str) -> StoreResult<(f64, bool)> {
        self.conn.one(
            "SELECT COALESCE(SUM(cost_usd), 0), COALESCE(MAX(cost_usd IS NULL), 0) FROM turns WHERE run = ?1",
            [run],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }
}
