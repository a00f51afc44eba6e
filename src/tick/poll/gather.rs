//! The evidence that selection asks for: who approved, and what blocks.

use super::super::env::Env;
use super::super::policy::HostPolicy;
use crate::domain::dispatch::Candidate;
use crate::domain::model::{Blocker, Issue, IssueRef, Permission, Person, RepoId, Seen};
use crate::domain::priority::{self, Ref};
use crate::domain::trust::{self, Approval, FirstSight};
use crate::error::Error;
use crate::store::FirstSightRow;
use crate::store::Store;

/// Who asked for it, and what it waits for.
pub(super) fn gather(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    candidate: &mut Candidate,
) -> Result<(), Error> {
    let name = candidate.name();
    let approval = approval(env, host, store, &candidate.repo, &candidate.issue)?;
    if let Approval::Approved { event_id, .. } = &approval {
        candidate.attempts_used = store.attempts(&name, event_id)?;
    }
    candidate.approval = Some(approval);
    candidate.blockers = Some(blockers(env, &candidate.repo, &candidate.issue));
    Ok(())
}

pub(super) fn approval(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    repo: &RepoId,
    issue: &Issue,
) -> Result<Approval, Error> {
    let name = IssueRef { repo: repo.clone(), number: issue.number };
    let label = host.labels.ready.clone();
    let first = store.first_sight(&name)?;
    let first = first.map(|f| FirstSight { event_id: f.event_id, text_hash: f.text_hash });
    // How the text stood when it was labelled was known to a file that is gone.
    let lost_at = store.adopted_at()?;
    let judged = {
        let forge = match env.forge(repo) {
            Ok(forge) => forge,
            Err(error) => {
                return Ok(Approval::Not(trust::TrustReason::EvidenceUnreadable { why: error.to_string() }));
            }
        };
        let evidence = match forge.approval(repo, issue, &label) {
            Ok(evidence) => Seen::Known(evidence),
            Err(error) => Seen::Unreadable(error.to_string()),
        };
        let ask = |person: &Person| -> Seen<Permission> {
            match forge.permission(repo, person) {
                Ok(permission) => Seen::Known(permission),
                Err(error) => Seen::Unreadable(error.to_string()),
            }
        };
        let labelled_at = evidence.known().and_then(|e| e.labelled.as_ref()).map(|l| l.at);
        let lost = lost_at.is_some_and(|lost_at| labelled_at.is_some_and(|at| at <= lost_at));
        let (mut permission, mut editors) = (Seen::Unreadable("nobody labelled it".to_owned()), vec![]);
        if let Seen::Known(evidence) = &evidence {
            if let Some(person) = evidence.labelled.as_ref().and_then(|l| l.by.as_ref()) {
                permission = ask(person);
            }
            editors = evidence.edits.people().map(|person| (person.clone(), ask(person))).collect();
        }
        trust::judge(&trust::Question {
            evidence: &evidence,
            permission: &permission,
            editors: &editors,
            writers_are_trusted: forge.capabilities().writers_are_trusted,
            first_sight: first.as_ref(),
            current_hash: &issue.text_hash,
            policy: &host.trust,
            installation_lost_state: lost,
        })
    };
    if let Approval::Approved { event_id, record_first_sight: true, .. } = &judged {
        let sight = FirstSightRow { event_id: event_id.clone(), text_hash: issue.text_hash.clone() };
        let now = env.now();
        store.put_first_sight(&name, &sight, now)?;
    }
    Ok(judged)
}

pub(super) fn blockers(env: &Env, repo: &RepoId, issue: &Issue) -> Vec<Blocker> {
    let mut also = vec![];
    let mut found = vec![];
    for reference in priority::blocked_by_words(&issue.body) {
        match reference {
            Ref::Here(number) => also.push(number),
            Ref::Elsewhere(text) | Ref::Unreadable(text) => {
                found.push(Blocker {
                    name: text,
                    open: Seen::Unreadable("it is not an issue of this repo".to_owned()),
                });
            }
        }
    }
    match env.forge(repo).and_then(|forge| forge.blockers(repo, issue, &also)) {
        Ok(blockers) => found.extend(blockers),
        Err(error) => {
            found.push(Blocker {
                name: "what it depends on".to_owned(),
                open: Seen::Unreadable(error.to_string()),
            });
        }
    }
    found
}
