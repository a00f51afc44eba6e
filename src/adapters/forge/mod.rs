//! The trackers.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::adapters::http::Answer;
use crate::adapters::runner::output;
use crate::domain::checks::Required;
use crate::domain::escape::sanitize;
use crate::domain::model::{Blocker, Check, CheckState, Comment, Oid, RepoId, Seen, UnixTime};
use crate::ports::{Forge, Merging, PortError, PortResult, RateLimitStore, RecipeForge, Trials};

pub mod gitea;
pub mod github;
pub mod local;
mod rest;
mod wire;

/// A forge, whole: each story is given its part of it.
pub trait AnyForge: Forge + Merging + Trials + RecipeForge {}

impl<T: Forge + Merging + Trials> AnyForge for T {}

/// What a forge knows of the checks of a commit.
pub trait Checks {
    /// All that reported, each once and the older of one source first, with the ends of the logs of what failed where they
    /// can be had.
    fn checks(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>>;
    /// Has what failed run again. `attempt` counts from 1, the first run; what was run so often already is left alone.
    /// False where nothing of it can be run again.
    fn rerun(&self, repo: &RepoId, oid: &Oid, attempt: u32) -> PortResult<bool>;
    /// What of a commit on which nothing that reported holds it up is known to be still to report, or has ended badly without
    /// a report.
    fn to_come(&self, _repo: &RepoId, _oid: &Oid) -> PortResult<Vec<Check>> {
        Ok(vec![])
    }
    /// What the rules of a branch require to be green. What is no forge has no rules.
    fn required(&self, _repo: &RepoId, _branch: &str) -> PortResult<Vec<Required>> {
        Ok(vec![])
    }
}

/// What a branch requires, as `doctor` tells it; rules that cannot be read are among what is lacking.
fn rules_told(
    of: &dyn Checks,
    repo: &RepoId,
    branch: &str,
    lacks: &mut Vec<String>,
) -> PortResult<Option<String>> {
    match of.required(repo, branch) {
        Ok(required) => {
            let names: Vec<&str> = required.iter().map(|one| one.name.as_str()).collect();
            Ok((!names.is_empty()).then(|| format!("{branch} requires {}", names.join(", "))))
        }
        Err(PortError::Refused { what } | PortError::Gone { what } | PortError::Credentials { what }) => {
            lacks.push(what);
            Ok(None)
        }
        Err(error @ (PortError::Later { .. } | PortError::Broken { .. })) => Err(error),
    }
}

/// Issues named by words of a body: a person writes a few.
const MAX_NAMED_BLOCKERS: usize = 30;

/// What is refused or not there may be one answer out of a moment of disorder: where much is given up for it, it is
/// asked for a second time.
fn twice<T>(act: impl Fn() -> PortResult<T>) -> PortResult<T> {
    match act() {
        Err(PortError::Refused { .. } | PortError::Gone { .. }) => act(),
        other => other,
    }
}

fn moved(repo: &RepoId) -> PortError {
    PortError::refused(format!(
        "looking at {repo}: the repository was renamed, or another one has its name now. Name it in the config as it is \
         called now; if this one is meant, `offhours resume {repo}`."
    ))
}

/// Whether what stands under the repository's name is the one that stood there before; a new one is remembered.
fn same_repo(book: &dyn RateLimitStore, repo: &RepoId, full_name: &str, id: u64) -> PortResult<()> {
    if !full_name.eq_ignore_ascii_case(&repo.path()) {
        return Err(moved(repo));
    }
    let identity = id.to_string();
    match book.repo_identity(repo)? {
        Some(known) if known != identity => Err(moved(repo)),
        Some(_) => Ok(()),
        None => book.put_repo_identity(repo, &identity),
    }
}

/// The forge's own blockers, and the issues of the same repository that are named in words and not among them.
fn with_named(
    mut blockers: Vec<Blocker>,
    also: &[u64],
    is_open: impl Fn(u64) -> PortResult<bool>,
) -> Vec<Blocker> {
    let mut named: Vec<u64> = also.to_vec();
    named.sort_unstable();
    named.dedup();
    if named.len() > MAX_NAMED_BLOCKERS {
        named.truncate(MAX_NAMED_BLOCKERS);
        blockers.push(Blocker {
            name: format!("more than {MAX_NAMED_BLOCKERS} issues"),
            open: Seen::Unreadable("so many are not looked at; name fewer".to_owned()),
        });
    }
    for number in named {
        let name = format!("#{number}");
        if !blockers.iter().any(|known| known.name == name) {
            let open = match is_open(number) {
                Ok(open) => Seen::Known(open),
                Err(error) => Seen::Unreadable(error.to_string()),
            };
            blockers.push(Blocker { name, open });
        }
    }
    blockers
}

/// The oldest comment that begins with `marker` and is by the account that the token is of.
fn own_comment(
    comments: &[Comment],
    marker: &str,
    login: impl FnOnce() -> PortResult<String>,
) -> PortResult<Option<String>> {
    let candidates: Vec<&Comment> = comments.iter().filter(|c| c.body.starts_with(marker)).collect();
    if candidates.is_empty() {
        return Ok(None);
    }
    let own = login()?;
    let by_us = |c: &&&Comment| c.author.as_ref().is_some_and(|a| a.login.eq_ignore_ascii_case(&own));
    Ok(candidates.iter().find(by_us).map(|c| c.id.clone()))
}

/// A check; of one that is red, with the end of what it said.
pub(super) fn red_check(
    source: String,
    name: String,
    state: CheckState,
    link: Option<String>,
    text: &str,
) -> Check {
    let log_tail = if state == CheckState::Red { output::tail(&output::clean(text)) } else { String::new() };
    let fingerprint =
        if state == CheckState::Red { output::fingerprint(&log_tail, &[]) } else { String::new() };
    Check { name, source, state, link, log_tail, fingerprint }
}

/// What is told of a run of a workflow that ended badly, and no check of it says why.
fn ended_as(word: &str) -> String {
    format!("the workflow ended as {}, and no check of it says why", sanitize(word, 40))
}

/// An Actions log up to its last error, without the time at the start of each line: what comes after it is tidying up.
fn cut_at_error(log: &str) -> String {
    let last = log.rfind("##[error]");
    let end = last.map_or(log.len(), |at| log[at..].find('\n').map_or(log.len(), |to| at + to));
    let timeless = |line: &str| match line.split_once(' ') {
        Some((time, rest)) if time.len() > 19 && time.ends_with('Z') && moment(time).is_some() => {
            rest.to_owned()
        }
        Some(_) | None => line.to_owned(),
    };
    log[..end].lines().map(timeless).collect::<Vec<_>>().join("\n")
}

/// A moment as forges write it.
fn moment(text: &str) -> Option<UnixTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(|at| UnixTime(at.unix_timestamp()))
}

/// The word for what somebody may do, out of an object that is about nobody else.
fn permission_told(answer: &Answer, doing: &str, login: &str) -> PortResult<String> {
    let told: Map<String, Value> = answer.json(doing)?;
    let about = match told.get("user") {
        None | Some(Value::Null) => None,
        Some(user) => Some(user.get("login").and_then(Value::as_str).unwrap_or_default()),
    };
    match (told.get("permission").and_then(Value::as_str), about) {
        (Some(word), None) => Ok(word.to_owned()),
        (Some(word), Some(about)) if about.eq_ignore_ascii_case(login) => Ok(word.to_owned()),
        (Some(_), Some(about)) => Err(PortError::broken(format!(
            "{doing}: the answer is about `{}`. The next tick tries again.",
            sanitize(about, 60)
        ))),
        (None, _) => Err(PortError::broken(format!(
            "{doing}: the answer names no permission. The next tick tries again."
        ))),
    }
}

/// Whether a text was changed since it was written. Whose moments cannot be read may have been.
fn is_edited(created_at: Option<&str>, updated_at: Option<&str>) -> bool {
    let at = created_at.and_then(moment);
    at.is_none() || updated_at.and_then(moment) != at
}

/// A moment as HTTP's Date header spells it.
fn http_date(text: &str) -> Option<UnixTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok().map(|at| UnixTime(at.unix_timestamp()))
}

/// SHA-256 over title, an empty line and body, as lower-case hex: the text that an approval is of.
///
/// Every forge uses this one, so that an approval means the same text everywhere.
pub fn text_hash(title: &str, body: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(title);
    hash.update("\n\n");
    hash.update(body);
    output::lower_hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::text_hash;

    #[test]
    fn the_text_hash_is_that_of_the_written_out_text() {
        // printf 'a title\n\na body' | sha256sum
        assert_eq!(
            text_hash("a title", "a body"),
            "cac2d37de35be0180458a35026b10ad69c78fffea9d51e7a984a4d741f37fbd8"
        );
        assert_ne!(text_hash("a", "b"), text_hash("a", "b\n"));
    }
}
