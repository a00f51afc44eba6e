//! A dispatch that was cut short is looked at again before it goes on: what was true when it was recorded may be so no
//! more. A run whose agent may be at work is left to its effects.

use super::super::drive::give_up;
use super::super::env::Env;
use super::super::log::Log;
use super::super::policy::HostPolicy;
use super::gather::gather;
use super::seen::{candidate, host_seen, repo_state};
use crate::domain::dispatch::{self, Reason};
use crate::domain::effect::Part;
use crate::domain::model::Issue;
use crate::domain::run::Phase;
use crate::domain::trust::TrustReason;
use crate::error::Error;
use crate::ports::PortError;
use crate::store::{RunRow, Store};

/// Whether what is pending for the run may be tried. Where it may not for good, the dispatch is undone.
pub(in crate::tick) fn may_go_on(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
) -> Result<bool, Error> {
    let pending = store.pending(&row.run.id)?;
    let begun = pending.first().map(|intent| (intent.effect.nature().part, intent.tries));
    let before_the_agent = match begun {
        Some((Part::Claims | Part::Prepares, _) | (Part::StartsAgent, 0)) => true,
        Some((Part::StartsAgent | Part::After, _)) | None => false,
    };
    // The switch is the effects' own gate, and undoes the dispatch whether or not its forge answers.
    if row.run.phase != Phase::Starting || !before_the_agent || host.dry || host.switch_on {
        return Ok(true);
    }
    let (subject, issue) = (format!("run {}", row.run.id), &row.run.issue);
    let read = env.forge(&issue.repo).and_then(|forge| forge.issue(&issue.repo, issue.number));
    let why = match read {
        Ok(found) => match changed(env, host, store, log, row, found)? {
            None => return Ok(true),
            // Who cannot be asked now may be asked later; until then nothing begins.
            Some(Why::NotNow(what)) => {
                log.failed(env, store, &subject, &PortError::later(what))?;
                return Ok(false);
            }
            Some(Why::NotAnyMore(why)) => why,
        },
        Err(error) if error.is_no() => error.to_string(),
        Err(error) => {
            log.failed(env, store, &subject, &error)?;
            return Ok(false);
        }
    };
    give_up(env, host, store, log, row, &why)?;
    Ok(true)
}

enum Why {
    NotNow(String),
    NotAnyMore(String),
}

/// What keeps the dispatch from going on.
fn changed(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    found: Issue,
) -> Result<Option<Why>, Error> {
    // Without its forge in the configuration the effects say so themselves.
    let Some(policy) = (host.repo)(&row.run.issue.repo) else { return Ok(None) };
    let text = store.run_text(&row.run.id)?;
    if text.is_some_and(|text| (text.title, text.body) != (found.title.clone(), found.body.clone())) {
        return Ok(Some(Why::NotAnyMore("its text changed before it began".to_owned())));
    }
    let state = repo_state(env, host, store, log, &policy, &[])?;
    let mut candidate = candidate(env, host, store, &policy, found)?;
    gather(env, host, store, &mut candidate)?;
    let seen = host_seen(env, host, store)?;
    let reason = dispatch::goes_on(&candidate, policy.allowed.then_some(&state), &seen, &host.labels);
    let later = matches!(
        reason,
        Reason::NeedsEvidence
            | Reason::BlockerUnreadable { .. }
            | Reason::NotTrusted(
                TrustReason::EvidenceUnreadable { .. } | TrustReason::PermissionUnreadable { .. }
            )
    );
    Ok(if reason == Reason::Dispatch {
        None
    } else if later {
        Some(Why::NotNow(reason.sentence()))
    } else {
        Some(Why::NotAnyMore(reason.sentence()))
    })
}
