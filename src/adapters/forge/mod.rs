//! The trackers.

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::adapters::runner::output;
use crate::domain::model::{Check, CheckState, Oid, RepoId, UnixTime};
use crate::ports::PortResult;

pub mod github;
pub mod local;

/// What a forge knows of the checks of a commit.
pub trait Checks {
    /// All that reported, each once, with the ends of the logs of what failed where they can be had.
    fn checks(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>>;
    /// Has what failed run again. `attempt` counts from 1, the first run; what was run so often already is left alone.
    /// False where nothing of it can be run again.
    fn rerun(&self, repo: &RepoId, oid: &Oid, attempt: u32) -> PortResult<bool>;
}

/// A check; of one that is red, with the end of what it said.
fn red_check(name: String, state: CheckState, link: Option<String>, text: &str) -> Check {
    let log_tail = if state == CheckState::Red { output::tail(&output::clean(text)) } else { String::new() };
    let fingerprint =
        if state == CheckState::Red { output::fingerprint(&log_tail, &[]) } else { String::new() };
    Check { name, state, link, log_tail, fingerprint }
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
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).collect()
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
