//! Claims: which host works on which issue, decided by one atomic push that only one of them can win.
//!
//! A claim is a commit with an empty tree whose message names run, installation, issue and time. It stands at
//! `refs/offhours/claim/<n>` and `refs/offhours/slot`, or below `refs/heads/` where the server takes no other refs.
//! Nothing that a push says is believed: after each one the refs are read back, and only what stands there counts.
//! Both places are read, and whoever finds somebody else in the other one steps back, so that two hosts that chose
//! different places never both win.
//!
//! A run that waits for people keeps its issue and gives the slot up; see `slot.rs`.

mod probe;
mod slot;
mod written;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use super::child::{Answer, Call};
use super::{GitRooms, names};
use crate::domain::model::{ClaimHolder, Oid, RepoId, UnixTime};
use crate::ports::{ClaimAnswer, ClaimRequest, Claims, PortError, PortResult, Remote};
use written::{Written, message};

/// Where claims may stand, in the order in which they are tried.
const PLACES: [&str; 2] = ["refs/offhours", "refs/heads/offhours"];

/// Two hosts that push at the same instant may both be told to try again; more than a few times is an outage.
const ROUNDS: u32 = 5;

type Refs = BTreeMap<String, Oid>;
/// What the commits say that stand there; `None` for what is not a claim of ours.
type Holders = BTreeMap<Oid, Option<Written>>;

fn slot_at(place: &str) -> String {
    format!("{place}/slot")
}

fn claim_at(place: &str, number: u64) -> String {
    format!("{place}/claim/{number}")
}

/// How the refs of an issue and the slot stand towards one request.
enum Standing {
    Free,
    Ours(Oid),
    /// Ours in one place, somebody else's in the other.
    Split(Oid),
    Taken(String),
}

/// Why a claim's push was not accepted.
pub(super) enum Rejection {
    /// Somebody was faster, or is at it right now; the lock that says so, as a sentence.
    Contended(Option<String>),
    /// The server does not want refs of this kind.
    Place(String),
    Other(PortError),
}

impl GitRooms {
    pub(super) fn take_claim(
        &self,
        repo: &RepoId,
        remote: &Remote,
        request: &ClaimRequest,
    ) -> PortResult<ClaimAnswer> {
        let doing = format!("claiming {repo}#{}", request.number);
        let message = message(request, &doing)?;
        let mut places = PLACES.iter();
        let mut place = PLACES[0];
        places.next();
        let mut failure: Option<PortError> = None;
        let mut lock = None;
        for round in 0..ROUNDS {
            let (refs, holders) = self.look(repo, remote, Some(request.number))?;
            match standing(&refs, &holders, request) {
                Standing::Ours(oid) => return Ok(ClaimAnswer::Won(oid)),
                Standing::Split(oid) => {
                    self.drop_claim(repo, remote, request.number, &oid)?;
                    return Ok(ClaimAnswer::Lost(format!(
                        "{repo}#{}: another host claimed it in the other place of claims at the same time",
                        request.number
                    )));
                }
                Standing::Taken(by) => return Ok(ClaimAnswer::Lost(by)),
                Standing::Free => {}
            }
            if let Some(failure) = failure {
                return Err(failure);
            }
            let oid = self.empty_commit(repo, &message, request.at, &doing)?;
            failure = match self.push_claim(repo, remote, place, request.number, &oid, &doing)? {
                // Also a push that says it worked is read back: the other place may have been taken meanwhile.
                None => None,
                Some(Rejection::Contended(by)) => {
                    lock = by;
                    None
                }
                Some(Rejection::Place(said)) => match places.next() {
                    Some(next) => {
                        place = next;
                        None
                    }
                    None => Some(PortError::refused(format!(
                        "{doing}: the server takes neither refs/offhours/ nor refs/heads/offhours/: {said}. Allow \
                         the account to push one of them."
                    ))),
                },
                Some(Rejection::Other(error)) => Some(error),
            };
            thread::sleep(Duration::from_millis(u64::from(round) * 20));
        }
        Err(PortError::later(format!(
            "{doing}: the claim was pushed {ROUNDS} times and never stood there{}. The next tick tries again.",
            named(lock.as_deref())
        )))
    }

    pub(super) fn read_claims(&self, repo: &RepoId, remote: &Remote) -> PortResult<Claims> {
        let (refs, holders) = self.look(repo, remote, None)?;
        let mut claims = Claims::default();
        for place in PLACES {
            if claims.slot.is_none() {
                claims.slot = refs.get(&slot_at(place)).map(|oid| holder(&holders, oid));
            }
            let below = format!("{place}/claim/");
            for (name, oid) in &refs {
                let number = name.strip_prefix(&below).and_then(|n| n.parse::<u64>().ok());
                if let Some(number) = number.filter(|n| claim_at(place, *n) == *name) {
                    claims.issues.push((number, holder(&holders, oid)));
                }
            }
        }
        claims.issues.sort_by_key(|(number, _)| *number);
        Ok(claims)
    }

    pub(super) fn drop_claim(
        &self,
        repo: &RepoId,
        remote: &Remote,
        number: u64,
        oid: &Oid,
    ) -> PortResult<()> {
        let doing = format!("releasing the claim on {repo}#{number}");
        let wanted: Vec<String> = PLACES.iter().flat_map(|p| [claim_at(p, number), slot_at(p)]).collect();
        self.drop_refs(repo, remote, &wanted, oid, &doing)
    }

    /// Deletes those of the `wanted` refs that are `oid`, all or none.
    fn drop_refs(
        &self,
        repo: &RepoId,
        remote: &Remote,
        wanted: &[String],
        oid: &Oid,
        doing: &str,
    ) -> PortResult<()> {
        let private = self.private(repo)?;
        let url = names::url(&remote.url)?;
        let mut failure = None;
        let mut lock = None;
        for round in 0..ROUNDS {
            let refs = self.list_remote(repo, remote, wanted)?;
            let ours: Vec<&String> = wanted.iter().filter(|name| refs.get(*name) == Some(oid)).collect();
            if ours.is_empty() {
                return Ok(());
            }
            let call = Call::new("git.push", &private)
                .args(["--porcelain", "--no-verify", "--atomic", "--no-signed", "--quiet"])
                .args(ours.iter().map(|name| format!("--force-with-lease={name}:{oid}")))
                .arg("--")
                .arg(url)
                .args(ours.iter().map(|name| format!(":{name}")));
            let answer = self.run_remote(repo, call)?;
            if answer.good() {
                return Ok(());
            }
            failure = match rejection(&answer, doing)
                .unwrap_or_else(|| Rejection::Other(answer.remote_error(doing)))
            {
                Rejection::Contended(by) => {
                    lock = by;
                    None
                }
                Rejection::Place(said) => Some(PortError::refused(format!(
                    "{doing}: the server does not let us delete it: {said}. Allow the account to delete refs below \
                     {}, or delete them by hand.",
                    PLACES.join(" and ")
                ))),
                Rejection::Other(error) => Some(error),
            };
            if failure.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(u64::from(round) * 20));
        }
        // The answer may have been lost after the server acted.
        let refs = self.list_remote(repo, remote, wanted)?;
        if wanted.iter().all(|name| refs.get(name) != Some(oid)) {
            return Ok(());
        }
        Err(failure.unwrap_or_else(|| {
            PortError::later(format!(
                "{doing}: the server stayed busy with the same refs{}. The next tick tries again.",
                named(lock.as_deref())
            ))
        }))
    }

    /// The remote's refs of these exact names or patterns (`*` at the end only).
    pub(super) fn list_remote<S: AsRef<str>>(
        &self,
        repo: &RepoId,
        remote: &Remote,
        wanted: &[S],
    ) -> PortResult<Refs> {
        let doing = format!("reading the refs of {repo}");
        let url = names::url(&remote.url)?;
        let ask = |wanted: &[&str]| -> PortResult<String> {
            let call =
                Call::new("git.ls-remote", self.private(repo)?).args(["--quiet", "--"]).arg(url).args(wanted);
            let answer = self.run_remote(repo, call)?;
            if answer.good() { Ok(answer.text()) } else { Err(answer.remote_error(&doing)) }
        };
        let patterns: Vec<&str> = wanted.iter().map(AsRef::as_ref).chain(["HEAD"]).collect();
        let mut text = ask(&patterns)?;
        // To git any page of HTML is a repository without refs. One that names its HEAD is one; of another all refs are
        // asked for, and it is that answer which counts.
        let is_web = remote.url.starts_with("http");
        if is_web && !text.lines().any(|line| line.ends_with("\tHEAD")) {
            text = ask(&[])?;
        }
        if is_web && text.trim().is_empty() {
            return Err(PortError::later(format!(
                "{doing}: the server named no ref at all, which is not believed. The next tick tries again."
            )));
        }
        // Patterns of ls-remote match the tail of a name: `x/refs/offhours/slot` as well.
        let asked = |name: &str| {
            wanted.iter().any(|w| {
                let w = w.as_ref();
                w.strip_suffix('*').map_or(name == w, |start| name.starts_with(start))
            })
        };
        let mut refs = Refs::new();
        for line in text.lines() {
            let Some((oid, name)) = line.split_once('\t') else {
                return Err(PortError::broken(format!(
                    "{doing}: `{}` is no line of ls-remote. The next tick tries again.",
                    names::cleaned(line.as_bytes())
                )));
            };
            if asked(name) {
                refs.insert(name.to_owned(), names::oid(oid, &doing)?);
            }
        }
        Ok(refs)
    }

    /// The claim refs (of one issue, or of all) and the slot, with what their commits say.
    fn look(&self, repo: &RepoId, remote: &Remote, number: Option<u64>) -> PortResult<(Refs, Holders)> {
        let private = self.private(repo)?;
        let doing = format!("reading the claims of {repo}");
        let wanted: Vec<String> = PLACES
            .iter()
            .flat_map(|p| {
                [number.map_or_else(|| format!("{p}/claim/*"), |number| claim_at(p, number)), slot_at(p)]
            })
            .collect();
        for last in [false, false, true] {
            let refs = self.list_remote(repo, remote, &wanted)?;
            let mut known = self.written(repo, &refs, &doing)?;
            let missing: Vec<&String> =
                refs.iter().filter(|(_, oid)| !known.contains_key(*oid)).map(|(name, _)| name).collect();
            if missing.is_empty() {
                return Ok((refs, known));
            }
            let call = Call::new("git.fetch", &private)
                .args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet", "--"])
                .arg(names::url(&remote.url)?)
                .args(missing);
            let answer = self.run_remote(repo, call)?;
            if !answer.good() && !answer.stderr.contains("couldn't find remote ref") {
                return Err(answer.remote_error(&doing));
            }
            known = self.written(repo, &refs, &doing)?;
            if last || refs.values().all(|oid| known.contains_key(oid)) {
                return Ok((refs, known));
            }
            // The refs moved between the two questions: look again.
        }
        Err(PortError::later(format!("{doing}: they kept changing. The next tick tries again.")))
    }

    /// What the commits say that are already here; `None` for what is not a claim of ours.
    fn written(&self, repo: &RepoId, refs: &Refs, doing: &str) -> PortResult<Holders> {
        let mut known = BTreeMap::new();
        if refs.is_empty() {
            return Ok(known);
        }
        let mut oids: Vec<&Oid> = refs.values().collect();
        oids.sort();
        oids.dedup();
        for (oid, object) in oids.iter().zip(self.objects(repo, oids.iter().copied(), doing)?) {
            if let Some((kind, bytes)) = object {
                let text = (kind == "commit").then(|| String::from_utf8(bytes).ok()).flatten();
                known.insert((*oid).clone(), text.and_then(|text| Written::parse(&text)));
            }
        }
        Ok(known)
    }

    /// A commit without files. The same claim gives the same commit: a repeat after a crash looks for no other.
    fn empty_commit(&self, repo: &RepoId, message: &str, at: UnixTime, doing: &str) -> PortResult<Oid> {
        let private = self.private(repo)?;
        let tree = self.children.run(&Call::new("git.mktree", &private))?.local(doing)?.text();
        let date = format!("@{} +0000", at.0.max(0));
        let call = Call::new("git.commit-tree", &private)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .args([tree.trim(), "-F", "-"])
            .stdin(message);
        names::oid(&self.children.run(&call)?.local(doing)?.text(), doing)
    }

    pub(super) fn push_claim(
        &self,
        repo: &RepoId,
        remote: &Remote,
        place: &str,
        number: u64,
        oid: &Oid,
        doing: &str,
    ) -> PortResult<Option<Rejection>> {
        self.push_refs(repo, remote, &[claim_at(place, number), slot_at(place)], oid, doing)
    }

    /// Creates all of the refs or none; `None` where the server says that it did.
    fn push_refs(
        &self,
        repo: &RepoId,
        remote: &Remote,
        refs: &[String],
        oid: &Oid,
        doing: &str,
    ) -> PortResult<Option<Rejection>> {
        let private = self.private(repo)?;
        let call = Call::new("git.push", &private)
            .args(["--porcelain", "--no-verify", "--atomic", "--no-signed", "--quiet"])
            .args(refs.iter().map(|name| format!("--force-with-lease={name}:")))
            .arg("--")
            .arg(names::url(&remote.url)?)
            .args(refs.iter().map(|name| format!("{oid}:{name}")));
        let answer = match self.run_remote(repo, call) {
            Ok(answer) => answer,
            // It may have arrived all the same: the next look tells.
            Err(error @ PortError::Later { .. }) => return Ok(Some(Rejection::Other(error))),
            Err(error) => return Err(error),
        };
        if answer.good() {
            return Ok(None);
        }
        let rejection = rejection(&answer, doing);
        Ok(Some(rejection.unwrap_or_else(|| Rejection::Other(atomic_or_remote(&answer, doing)))))
    }
}

/// What was in the way, at the end of a sentence.
fn named(lock: Option<&str>) -> String {
    lock.map_or_else(String::new, |lock| format!(": {lock}"))
}

fn atomic_or_remote(answer: &Answer, doing: &str) -> PortError {
    if answer.stderr.contains("does not support --atomic") {
        return PortError::refused(format!(
            "{doing}: the server does not support atomic pushes, without which two hosts could win the same issue. \
             Use a forge whose git has them."
        ));
    }
    answer.remote_error(doing)
}

/// Reads the porcelain lines of a push that failed: `!<tab>from:to<tab>[summary] (reason)`.
fn rejection(answer: &Answer, doing: &str) -> Option<Rejection> {
    const BUSY: &[&str] = &[
        "stale info",
        "atomic push fail",
        "transaction failed",
        "failed to update ref",
        "failed to lock",
        "cannot lock ref",
        "already exists",
        "incorrect old value",
        "fetch first",
        "non-fast-forward",
    ];
    let mut found = None;
    for line in answer.text().lines().filter(|line| line.starts_with('!')) {
        let said = names::cleaned(line.rsplit('\t').next().unwrap_or(line).as_bytes());
        if BUSY.iter().any(|busy| said.contains(busy)) {
            found.get_or_insert(Rejection::Contended(answer.lock.clone()));
        } else if said.starts_with("[remote rejected]") || said.starts_with("[rejected]") {
            return Some(Rejection::Place(said));
        } else {
            found = Some(Rejection::Other(PortError::later(format!(
                "{doing}: the push ended with {said}. The next tick tries again."
            ))));
        }
    }
    found
}

fn holder(holders: &Holders, oid: &Oid) -> ClaimHolder {
    let written = holders.get(oid).and_then(Option::as_ref);
    ClaimHolder {
        oid: oid.clone(),
        run: written.map(|w| w.run.clone()),
        installation: written.map(|w| w.installation.clone()),
        at: written.map(|w| w.at),
    }
}

fn held(what: &str, holders: &Holders, oid: &Oid) -> String {
    let holder = holder(holders, oid);
    let known = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    let (run, installation) = (known(holder.run), known(holder.installation));
    format!("the {what} is held by run {run} of installation {installation}")
}

fn standing(refs: &Refs, holders: &Holders, request: &ClaimRequest) -> Standing {
    let pairs = PLACES.map(|p| (refs.get(&claim_at(p, request.number)), refs.get(&slot_at(p))));
    let ours = |pair: &(Option<&Oid>, Option<&Oid>)| match pair {
        (Some(claim), Some(slot)) if claim == slot => {
            let written = holders.get(*claim).and_then(Option::as_ref);
            written.is_some_and(|w| w.is(request)).then(|| (*claim).clone())
        }
        (Some(_) | None, Some(_) | None) => None,
    };
    let standing: Vec<Option<Oid>> = pairs.iter().map(ours).collect();
    let foreign = pairs
        .iter()
        .zip(&standing)
        .filter(|(_, ours)| ours.is_none())
        .find_map(|((claim, slot), _)| claim.map(|oid| ("issue", oid)).or(slot.map(|oid| ("slot", oid))));
    match (standing.into_iter().flatten().next(), foreign) {
        (Some(oid), None) => Standing::Ours(oid),
        (Some(oid), Some(_)) => Standing::Split(oid),
        (None, Some((what, oid))) => Standing::Taken(held(what, holders, oid)),
        (None, None) => Standing::Free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejections_are_told_apart() {
        let answer = |stdout: String| Answer {
            code: Some(1),
            stdout: stdout.into_bytes(),
            stderr: String::new(),
            lock: Some("a lock".to_owned()),
        };
        let line = |said: &str| answer(format!("To x\n!\ta:refs/offhours/slot\t{said}\nDone\n"));
        let is_contended =
            |said: &str| matches!(rejection(&line(said), "x"), Some(Rejection::Contended(Some(_))));
        assert!(is_contended("[rejected] (stale info)"));
        assert!(is_contended(
            "[remote rejected] (cannot lock ref 'refs/offhours/slot': reference already exists)"
        ));
        for place in ["(deny updating a hidden ref)", "(pre-receive hook declined)", "(funny refname)"] {
            let said = format!("[remote rejected] {place}");
            assert!(matches!(rejection(&line(&said), "x"), Some(Rejection::Place(_))), "{place}");
        }
        assert!(rejection(&answer("fatal: x".to_owned()), "x").is_none());
    }
}
