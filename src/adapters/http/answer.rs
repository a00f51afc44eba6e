//! What came back, and what it means.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::adapters::secret::Token;
use crate::domain::escape::sanitize;
use crate::domain::model::UnixTime;
use crate::ports::{PortError, PortResult, RateLimit};

/// Longest part of an error's body that is shown, in characters.
const MAX_SHOWN: usize = 300;

/// Of a body that cannot be read, in characters.
const MAX_OF_A_START: usize = 60;

/// An answer as it arrived.
pub(super) struct Raw {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    pub(super) link: Option<String>,
    pub(super) location: Option<String>,
    pub(super) retry_after: Option<i64>,
    pub(super) remaining: Option<i64>,
    pub(super) reset: Option<i64>,
    pub(super) date: Option<String>,
    pub(super) scopes: Option<String>,
    pub(super) expires: Option<String>,
    pub(super) total: Option<usize>,
    pub(super) body: Vec<u8>,
}

impl Raw {
    /// Whether this request itself was turned away because there were too many.
    pub(super) fn is_limited(&self) -> bool {
        match self.status {
            429 => true,
            403 => self.retry_after.is_some() || self.remaining == Some(0) || self.says_limit(),
            // A query language that answers 200 and says it in the body.
            200 => self.body.starts_with(b"{\"errors\"") && self.says_limit(),
            _ => false,
        }
    }

    fn says_limit(&self) -> bool {
        let start = self.body.get(..self.body.len().min(4096)).unwrap_or_default();
        let text = String::from_utf8_lossy(start).to_ascii_lowercase();
        ["rate limit", "rate_limit", "abuse detection"].iter().any(|word| text.contains(word))
    }

    /// Until when the server is to be left alone, where it says or means so.
    pub(super) fn limit(&self, now: UnixTime, times: u32, first: i64, most: i64) -> Option<RateLimit> {
        let named = self.retry_after.filter(|n| *n >= 0).map(|n| now.plus(n.min(most.saturating_mul(24))));
        let reset = (self.remaining == Some(0)).then_some(self.reset).flatten().map(UnixTime);
        // A reset further away than a day is a clock that is wrong, here or there.
        let reset = reset.filter(|at| *at > now && at.since(now) <= 86_400);
        if self.is_limited() {
            let why = "too many requests".to_owned();
            return Some(match named.or(reset) {
                Some(until) => RateLimit { until, why, times: times.saturating_add(1) },
                None => RateLimit::backed_off(now, times, first, most, why),
            });
        }
        reset.map(|until| RateLimit {
            until,
            why: "the last request of this hour was used".to_owned(),
            times,
        })
    }

    pub(super) fn answer(self, server: &str, secret: &str, hide: Option<&Token>) -> Answer {
        let clean = |text: &str| {
            let text = hide.map_or_else(|| text.to_owned(), |token| token.hidden_in(text));
            sanitize(&text, MAX_SHOWN)
        };
        let start = String::from_utf8_lossy(self.body.get(..self.body.len().min(1024)).unwrap_or_default());
        let start = hide.map_or_else(|| start.to_string(), |token| token.hidden_in(&start));
        Answer {
            status: self.status,
            start: sanitize(&start, MAX_OF_A_START),
            said: if self.status >= 400 { clean(&words(&self.body)) } else { String::new() },
            etag: self.etag,
            next: self.link.as_deref().and_then(next_link),
            location: self.location,
            date: self.date,
            scopes: self.scopes,
            expires: self.expires,
            total: self.total,
            server: server.to_owned(),
            secret: secret.to_owned(),
            body: self.body,
        }
    }
}

/// An answer below 500 that is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    /// The address of the next page.
    pub next: Option<String>,
    /// Where a redirect points.
    pub location: Option<String>,
    /// When the server answered, by its own clock and in its own spelling.
    pub date: Option<String>,
    /// What the token was given, where the server says so: names with commas between them.
    pub scopes: Option<String>,
    /// Until when the token is good, where the server says so.
    pub expires: Option<String>,
    /// How many entries a list has over all its pages.
    pub total: Option<usize>,
    pub body: Vec<u8>,
    /// Of an error: what the body says, cleaned and cut, without the token.
    said: String,
    /// The first words of the body, cleaned and cut, without the token.
    start: String,
    server: String,
    /// Where the config has the token.
    secret: String,
}

impl Answer {
    /// What an error's body says, as the rest of a sentence.
    pub fn said(&self) -> String {
        if self.said.is_empty() { String::new() } else { format!(": {}", self.said.trim_end_matches('.')) }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Itself where it is a success; else what the status means.
    pub fn good(self, doing: &str) -> PortResult<Self> {
        if self.is_success() { Ok(self) } else { Err(self.error(doing)) }
    }

    /// A success of a write has JSON in it, or nothing: a page of HTML is somebody else's answer.
    pub(super) fn believed(self, doing: &str) -> PortResult<Self> {
        if self.is_success() && !self.body.is_empty() {
            self.json::<serde::de::IgnoredAny>(doing)?;
        }
        Ok(self)
    }

    pub fn error(&self, doing: &str) -> PortError {
        let start = format!("{doing}: {} answered {}{}", self.server, self.status, self.said());
        match self.status {
            401 => PortError::Credentials {
                what: format!("{start}. Check {}: it may have expired or been taken back.", self.secret),
            },
            301 | 302 | 303 | 307 | 308 => PortError::gone(format!(
                "{doing}: {} says that it moved ({}). A redirect is not followed; name it as it is called now.",
                self.server, self.status
            )),
            404 | 410 => PortError::gone(format!("{start}. It is gone, or the token may not see it.")),
            403 => PortError::refused(format!("{start}. Check the rights of {}.", self.secret)),
            _ => PortError::refused(format!("{start}.")),
        }
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self, doing: &str) -> PortResult<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            PortError::broken(format!(
                "{doing}: {} answered {} with something that cannot be read ({error}); it begins with `{}`. The next \
                 tick tries again.",
                self.server,
                self.status,
                self.start
            ))
        })
    }

    /// The body as a list, or the list under `key` in it; `null` is an empty one.
    pub fn list(&self, doing: &str, key: &str) -> PortResult<Vec<Value>> {
        if key.is_empty() {
            return Ok(self.json::<Option<Vec<Value>>>(doing)?.unwrap_or_default());
        }
        let mut whole: Value = self.json(doing)?;
        match whole.get_mut(key).map(Value::take) {
            Some(Value::Array(entries)) => Ok(entries),
            Some(Value::Null) => Ok(Vec::new()),
            Some(_) | None => Err(PortError::broken(format!(
                "{doing}: {} answered {} without `{key}`. The next tick tries again.",
                self.server, self.status
            ))),
        }
    }
}

impl Answer {
    /// How many entries a list has over all its pages, where the server says so: beside the list under `key`, or in a
    /// header. A count that cannot be read is of more than can be had.
    pub(super) fn count(&self, key: &str) -> Option<usize> {
        if key.is_empty() {
            return self.total;
        }
        let whole: Value = serde_json::from_slice(&self.body).ok()?;
        let told = whole.get("total_count").filter(|told| !told.is_null())?;
        Some(told.as_u64().and_then(|told| usize::try_from(told).ok()).unwrap_or(usize::MAX))
    }
}

/// What an error's body says: the messages of JSON, the words of HTML.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..body.len().min(16 * 1024)).unwrap_or_default());
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let mut parts: Vec<String> =
            value.get("message").and_then(Value::as_str).map(str::to_owned).into_iter().collect();
        let errors = value.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
        for error in errors.iter().take(5) {
            let word = |key: &str| error.get(key).and_then(Value::as_str);
            let said = word("message").or_else(|| word("code")).or_else(|| error.as_str());
            parts.extend(said.map(str::to_owned));
        }
        return parts.join("; ");
    }
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The address with `rel="next"` of a Link header.
fn next_link(header: &str) -> Option<String> {
    header.split(',').find_map(|part| {
        let (address, rest) = part.trim().strip_prefix('<')?.split_once('>')?;
        let next = rest.split(';').any(|p| matches!(p.trim(), "rel=\"next\"" | "rel=next"));
        next.then(|| address.to_owned())
    })
}

/// Why there is no answer.
pub(super) enum Trouble {
    TimedOut,
    TooLarge,
    Unreachable(String),
}

impl From<ureq::Error> for Trouble {
    fn from(error: ureq::Error) -> Self {
        if matches!(error, ureq::Error::Timeout(_)) {
            Self::TimedOut
        } else if matches!(error, ureq::Error::BodyExceedsLimit(_)) {
            Self::TooLarge
        } else {
            Self::Unreachable(error.to_string())
        }
    }
}

impl Trouble {
    pub(super) fn error(&self, doing: &str, server: &str) -> PortError {
        match self {
            Self::TimedOut => PortError::later(format!(
                "{doing}: {server} did not answer in time. It is tried again by the next tick."
            )),
            Self::TooLarge => PortError::broken(format!(
                "{doing}: {server} answered with more than can be taken in. The next tick tries again."
            )),
            Self::Unreachable(why) => PortError::later(format!(
                "{doing}: {server} could not be asked, or its answer broke off: {}. It is tried again by the next \
                 tick.",
                sanitize(why, 200)
            )),
        }
    }
}
