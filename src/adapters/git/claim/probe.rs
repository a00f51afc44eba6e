//! Where claims can stand, found out by writing: a ref that is created and deleted again. What a server refuses below
//! `refs/offhours/` it tells only to a push that means it.
//!
//! The commit is the same everywhere, so a probe that a killed process left, or one of another host at the same instant,
//! is ours to delete as well.

use super::{PLACES, Rejection};
use crate::adapters::git::GitRooms;
use crate::domain::model::{RepoId, UnixTime};
use crate::ports::{ClaimPlace, PortError, PortResult, Remote};

impl GitRooms {
    pub(in super::super) fn try_places(&self, repo: &RepoId, remote: &Remote) -> PortResult<ClaimPlace> {
        let doing = format!("trying where claims of {repo} can stand");
        let oid = self.empty_commit(repo, "offhours probe\n", UnixTime(0), &doing)?;
        let mut refused: Option<String> = None;
        for place in PLACES {
            let name = format!("{place}/probe");
            match self.push_refs(repo, remote, std::slice::from_ref(&name), &oid, &doing)? {
                None => {}
                Some(Rejection::Place(said)) => {
                    refused.get_or_insert(said);
                    continue;
                }
                Some(Rejection::Contended(_)) => {
                    let stands = self.list_remote(repo, remote, &[&name])?;
                    if stands.get(&name) != Some(&oid) {
                        let what = format!("{doing}: {name} could not be created just now. Try again.");
                        return Err(PortError::later(what));
                    }
                }
                Some(Rejection::Other(error)) => {
                    // It may have arrived: nothing of it is to stay.
                    drop(self.drop_refs(repo, remote, &[name], &oid, &doing));
                    return Err(error);
                }
            }
            self.drop_refs(repo, remote, std::slice::from_ref(&name), &oid, &format!("{doing}: {name}"))?;
            return Ok(ClaimPlace { place: place.to_owned(), refused });
        }
        Err(PortError::refused(format!(
            "the server takes neither refs/offhours/ nor refs/heads/offhours/: {}",
            refused.unwrap_or_default()
        )))
    }
}
