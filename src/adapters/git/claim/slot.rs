//! The slot without the issue: given up while a run waits for people, and taken again for its next turn.
//!
//! The claim on the issue stays all the while, so no other run can start on it. Its commit is what stands at the slot,
//! too, in the place where the claim stands.

use std::thread;
use std::time::Duration;

use super::{Holders, PLACES, ROUNDS, Refs, Rejection, claim_at, held, named, slot_at};
use crate::adapters::git::GitRooms;
use crate::domain::model::{Oid, RepoId};
use crate::ports::{ClaimAnswer, PortError, PortResult, Remote};

/// How the slot stands towards a claim that is known.
enum Slot {
    Ours,
    /// Free; the claim stands in this place.
    Free(&'static str),
    /// Another's, or it may not be ours: whatever of it is ours has to go.
    Lost(String),
}

impl GitRooms {
    pub(in super::super) fn drop_slot(&self, repo: &RepoId, remote: &Remote, oid: &Oid) -> PortResult<()> {
        let doing = format!("giving up the slot of {repo}");
        self.drop_refs(repo, remote, &PLACES.map(slot_at), oid, &doing)
    }

    pub(in super::super) fn retake_slot(
        &self,
        repo: &RepoId,
        remote: &Remote,
        number: u64,
        oid: &Oid,
    ) -> PortResult<ClaimAnswer> {
        let doing = format!("taking the slot of {repo} for #{number}");
        let mut failure: Option<PortError> = None;
        let mut lock = None;
        for round in 0..ROUNDS {
            let (refs, holders) = self.look(repo, remote, Some(number))?;
            let place = match slot(&refs, &holders, number, oid) {
                Slot::Ours => return Ok(ClaimAnswer::Won(oid.clone())),
                Slot::Lost(why) => {
                    // Left by a push of ours that met another host's, or a person's release.
                    if PLACES.iter().any(|p| refs.get(&slot_at(p)) == Some(oid)) {
                        self.drop_slot(repo, remote, oid)?;
                    }
                    return Ok(ClaimAnswer::Lost(why));
                }
                Slot::Free(place) => place,
            };
            if let Some(failure) = failure {
                return Err(failure);
            }
            failure = match self.push_refs(repo, remote, &[slot_at(place)], oid, &doing)? {
                // What a push says is not believed: the other place may have been taken, or the claim released.
                None => None,
                Some(Rejection::Contended(by)) => {
                    lock = by;
                    None
                }
                Some(Rejection::Place(said)) => Some(PortError::refused(format!(
                    "{doing}: the server does not let us create it: {said}. Allow the account to push to {}.",
                    slot_at(place)
                ))),
                Some(Rejection::Other(error)) => Some(error),
            };
            thread::sleep(Duration::from_millis(u64::from(round) * 20));
        }
        Err(PortError::later(format!(
            "{doing}: it was pushed {ROUNDS} times and never stood there{}. The next tick tries again.",
            named(lock.as_deref())
        )))
    }
}

fn slot(refs: &Refs, holders: &Holders, number: u64, oid: &Oid) -> Slot {
    let claims = PLACES.map(|place| (place, refs.get(&claim_at(place, number))));
    let Some(place) = claims.iter().find(|(_, claim)| *claim == Some(oid)).map(|(place, _)| *place) else {
        return Slot::Lost(match claims.iter().find_map(|(_, claim)| *claim) {
            Some(other) => held("issue", holders, other),
            None => "the claim on the issue is gone: it was released".to_owned(),
        });
    };
    let slots = PLACES.map(|place| refs.get(&slot_at(place)));
    if let Some(other) = slots.iter().flatten().find(|slot| **slot != oid) {
        return Slot::Lost(held("slot", holders, other));
    }
    if slots.iter().flatten().next().is_some() { Slot::Ours } else { Slot::Free(place) }
}
