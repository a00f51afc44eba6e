//! Why an issue starts or not, in the ledger and for people.

use super::super::env::Env;
use super::super::log::Item;
use super::super::log::Log;
use crate::domain::escape::sanitize;
use crate::domain::model::IssueRef;
use crate::error::Error;
use crate::store::LedgerRow;
use crate::store::Store;

/// Writes the ledger and the report's item.
pub(super) fn note(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    issue: &IssueRef,
    reason: &str,
    sentence: &str,
    passed: &[&'static str],
) -> Result<(), Error> {
    let row = LedgerRow {
        at: env.now(),
        reason: reason.to_owned(),
        sentence: sanitize(sentence, 500),
        passed: passed.iter().map(|p| (*p).to_owned()).collect(),
    };
    store.ledger(issue, &row)?;
    log.items.push(Item {
        issue: issue.to_string(),
        run: None,
        handle: None,
        reason: row.reason,
        sentence: row.sentence,
        acted: false,
    });
    Ok(())
}
