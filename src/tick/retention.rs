//! Once a day: what was kept long enough, and is named on no open issue, goes.

use std::collections::BTreeMap;

use super::env::Env;
use super::log::Log;
use super::policy::HostPolicy;
use crate::domain::model::IssueRef;
use crate::domain::retention::{self, Naming};
use crate::error::Error;
use crate::store::Store;

pub fn tick(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    let today = store.day_seen(env.now())?;
    let kept = env.folders.kept();
    let paths: Vec<_> = kept.iter().map(|one| (one.path.display().to_string(), one.written)).collect();
    let since = store.kept_since(&paths, today)?;
    let mut known = BTreeMap::new();
    for (one, since) in kept.iter().zip(since) {
        if (env.past_deadline)() {
            return Ok(());
        }
        if !retention::is_due(since, today, host.keep_days) {
            continue;
        }
        let named = |issue| *known.entry(issue).or_insert_with(|| naming(env, issue));
        if one.issue.as_ref().map(named).is_some_and(|naming| !retention::is_forgotten(naming)) {
            continue;
        }
        if let Err(error) = env.folders.discard(one) {
            return log.failed(env, store, "kept work", &error);
        }
    }
    Ok(())
}

fn naming(env: &Env, issue: &IssueRef) -> Naming {
    match env.forge(&issue.repo).and_then(|forge| forge.issue(&issue.repo, issue.number)) {
        Ok(seen) if seen.open => Naming::Open,
        Ok(_) => Naming::Closed,
        Err(_) => Naming::Unreadable,
    }
}
