//! The answer on an issue that somebody trusted labelled and that does not start all the same: on the forge's page nothing
//! else would be seen of it.

use super::super::env::Env;
use super::super::log::Item;
use super::super::log::Log;
use super::super::policy::HostPolicy;
use crate::domain::dispatch::{Reason, Verdict};
use crate::domain::model::IssueRef;
use crate::domain::trust::Untold;
use crate::domain::{answer, backoff};
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::Store;
use crate::text;

/// Answers what was not started because the forge does not tell whose text it is.
pub(super) fn give(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    verdicts: &[Verdict],
) -> Result<(), Error> {
    for verdict in verdicts {
        if let Reason::NotTrusted(why) = &verdict.reason
            && let Some(untold) = why.untold()
        {
            one(env, host, store, log, &verdict.issue, untold)?;
        }
    }
    Ok(())
}

fn one(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    issue: &IssueRef,
    untold: &Untold,
) -> Result<(), Error> {
    let (text, now) = (text::answer(untold), env.now());
    let given = store.answer(issue)?;
    let Some(tries) = answer::due(given.as_ref(), &text, now) else { return Ok(()) };
    if host.dry {
        log.effects.push(format!("{issue}: say on the issue why it does not start"));
        return Ok(());
    }
    if (env.past_deadline)() {
        log.left.push(issue.to_string());
        return Ok(());
    }
    let wait = backoff::delay(tries, host.backoff_seconds, host.backoff_max_seconds);
    store.answering(issue, &text, tries, now.plus(wait))?;
    let subject = format!("answer on {issue}");
    match put(env, issue, given.and_then(|given| given.comment), &text) {
        Ok(comment) => {
            store.answered(issue, &comment)?;
            store.outage_over(&subject)?;
            log.items.push(Item {
                issue: issue.to_string(),
                run: None,
                handle: None,
                reason: "answered".to_owned(),
                sentence: "a comment on the issue says why it does not start".to_owned(),
                acted: true,
            });
            Ok(())
        }
        Err(error) => log.failed(env, store, &subject, &error),
    }
}

/// Looks first even if this was never tried: another state file may have answered.
fn put(env: &Env, issue: &IssueRef, known: Option<String>, text: &str) -> PortResult<String> {
    let (repo, number) = (&issue.repo, issue.number);
    let forge = env.forge(repo)?;
    let known = match known {
        Some(id) => Some(id),
        None => forge.find_comment(repo, number, &text::answer_marker())?,
    };
    match (forge.put_comment(repo, number, known.as_deref(), text), known) {
        // Somebody deleted it. What was said once is not said a second time.
        (Err(PortError::Gone { .. }), Some(id)) => Ok(id),
        (written, _) => written,
    }
}
