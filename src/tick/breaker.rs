//! Runners that fail to start in the same way again and again are parked.

use super::env::Env;
use super::log::Log;
use super::policy::HostPolicy;
use crate::domain::escape::sanitize;
use crate::error::Error;
use crate::store::{Park, RunRow, Store};

/// What of a failure is the same each time: its words, without numbers, dates and the like.
fn normalize_error(why: &str) -> String {
    let words = why.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 2);
    words.collect::<Vec<_>>().join(" ")
}

/// Counts a failure to start; as many equal ones as `breaker` says park the account instead of using up every issue.
pub(super) fn note_start_failure(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    why: &str,
) -> Result<(), Error> {
    let count = store.start_failed(&row.account, &normalize_error(why))?;
    if count >= host.breaker {
        let now = env.now();
        let detail = format!(
            "the runner {} failed to start {count} times in the same way: {}. Mend it, then `offhours resume`",
            row.account,
            sanitize(why, 300)
        );
        let park = Park { kind: "breaker".to_owned(), detail: detail.clone(), since: now, until: None };
        store.park(&row.account, &park)?;
        log.alarm(env, store, &format!("runner-parked:{}", row.account), &detail)?;
    }
    Ok(())
}
