//! HTTP with the servers of forges and CI: one agent, bounds on everything, no redirects followed, and answers sorted into
//! what the ports know: gone, refused, limited, later, broken.
//!
//! A [`Client`] speaks to one server with one token. It asks nobody before the time that was named, also across ticks
//! ([`RateLimitStore`]); spaces its writes; and stays below a ceiling of requests per minute. An [`Http`] that was made to read
//! knows GET and a closed set of queries: a dry run is handed that one.

mod answer;
mod pages;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::{Request, Uri};

use crate::adapters::host::network_bound;
use crate::adapters::secret::Token;
use crate::boundary;
use crate::domain::model::UnixTime;
use crate::domain::moment::format_time;
use crate::ports::{Clock, PortError, PortResult, RateLimit, RateLimitStore};

pub use answer::Answer;
use answer::{Raw, Trouble};
pub use pages::numbered;

/// One request from first to last byte. Below a tick's deadline; a log of CI is the largest thing that is read.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A page of a hundred issues with their texts has room in it; an endless body does not.
const MAX_BODY_BYTES: u64 = 24 * 1024 * 1024;
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Reads under way at once.
const MAX_AT_ONCE: usize = 8;
const MINUTE: Duration = Duration::from_secs(60);
/// A server that limits us without saying for how long is left alone for this long, then for twice as long.
const LIMIT_SECONDS: i64 = 60;
const MAX_LIMIT_SECONDS: i64 = 3600;

/// What is shared by all clients of a process.
pub struct Http {
    agent: ureq::Agent,
    clock: Rc<dyn Clock>,
    book: Rc<dyn RateLimitStore>,
    /// False in a dry run: what would write is refused before it is sent.
    writes: bool,
    per_minute: usize,
    pause: fn(Duration),
    recent: RefCell<VecDeque<Instant>>,
    /// When something was last written, by server.
    written: RefCell<BTreeMap<String, Instant>>,
}

impl Http {
    /// `pause` waits; tests hand in one that does not.
    pub fn new(
        clock: Rc<dyn Clock>,
        book: Rc<dyn RateLimitStore>,
        writes: bool,
        per_minute: u32,
        pause: fn(Duration),
    ) -> Self {
        let agent = agent(network_bound(TIMEOUT));
        let per_minute = usize::try_from(per_minute).unwrap_or(usize::MAX).max(1);
        Self {
            agent,
            clock,
            book,
            writes,
            per_minute,
            pause,
            recent: RefCell::default(),
            written: RefCell::default(),
        }
    }

    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub fn book(&self) -> &dyn RateLimitStore {
        self.book.as_ref()
    }

    /// Counts one request, after waiting until the last minute has room for it.
    fn count(&self) {
        let mut recent = self.recent.borrow_mut();
        while recent.front().is_some_and(|at| at.elapsed() >= MINUTE) {
            recent.pop_front();
        }
        if recent.len() >= self.per_minute
            && let Some(oldest) = recent.pop_front()
        {
            (self.pause)(MINUTE.saturating_sub(oldest.elapsed()));
        }
        recent.push_back(Instant::now());
    }
}

/// Who has the token, asked at each request: it may be renewed meanwhile.
pub trait Authorize {
    fn token(&self) -> PortResult<Option<Token>>;
    /// Whether there is another one in place of one that the server refused.
    fn renewed(&self, _refused: &Token) -> bool {
        false
    }
}

impl<F: Fn() -> PortResult<Option<Token>>> Authorize for F {
    fn token(&self) -> PortResult<Option<Token>> {
        self()
    }
}

pub type Authorization = Rc<dyn Authorize>;

/// What differs between servers.
pub struct Server {
    /// Under which limits are remembered, and what it is called in sentences: the forge's name.
    pub name: String,
    /// Scheme, host and path before every path asked for; no slash at its end.
    pub base: String,
    /// Where the config has its token, for sentences about one that was refused: `forge.NAME.token`.
    pub secret: String,
    pub headers: Vec<(&'static str, String)>,
    pub authorization: Authorization,
    /// Between two writes.
    pub write_gap: Duration,
}

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One server with one token.
pub struct Client {
    pub http: Rc<Http>,
    server: Rc<Server>,
    /// See [`Client::owed`].
    owed: bool,
}

impl Client {
    pub fn new(http: Rc<Http>, server: Server) -> Self {
        Self { http, server: Rc::new(server), owed: false }
    }

    /// The same for what the token is there to read: there "forbidden" is not about one person or rule, it is a refusal
    /// of the token.
    #[must_use]
    pub fn owed(&self) -> Self {
        Self { http: Rc::clone(&self.http), server: Rc::clone(&self.server), owed: true }
    }

    pub fn name(&self) -> &str {
        &self.server.name
    }

    /// Something short that differs between tokens and does not give them away: an `ETag` is of one token only.
    pub fn identity(&self) -> PortResult<String> {
        let token = self.server.authorization.token()?;
        Ok(token.map_or_else(|| "nobody".to_owned(), |t| t.fingerprint(&self.server.base)))
    }

    /// Reads `path`, which begins with a slash.
    pub fn get(&self, doing: &str, path: &str) -> PortResult<Answer> {
        self.judged(self.settled(doing, path)?, doing)
    }

    /// The same, with answers of any status below 500 that are no limit. Work is given up where something is gone; one
    /// answer out of a moment of disorder is not enough for that, so it is asked for a second time.
    pub fn settled(&self, doing: &str, path: &str) -> PortResult<Answer> {
        let answer = self.get_any(doing, path)?;
        if answer.status == 404 { self.get_any(doing, path) } else { Ok(answer) }
    }

    /// An answer of any status as [`Client::get`] takes it.
    pub fn judged(&self, answer: Answer, doing: &str) -> PortResult<Answer> {
        let status = answer.status;
        match answer.good(doing) {
            Err(PortError::Refused { what }) if self.owed && status == 403 => {
                Err(PortError::Credentials { what })
            }
            judged => judged,
        }
    }

    /// One answer, of any status below 500 that is no limit.
    pub fn get_any(&self, doing: &str, path: &str) -> PortResult<Answer> {
        self.ready(doing)?;
        self.asked("http.get", doing, "GET", path, None, None)
    }

    /// `None`: it is still what it was under this `ETag`.
    pub fn get_if_changed(&self, doing: &str, path: &str, etag: Option<&str>) -> PortResult<Option<Answer>> {
        self.ready(doing)?;
        let answer = self.asked("http.get", doing, "GET", path, etag, None)?;
        if answer.status == 304 && etag.is_some() { Ok(None) } else { answer.good(doing).map(Some) }
    }

    /// Several conditional reads, a few at a time. Their answers come in the same order.
    pub fn get_many(&self, doing: &str, asked: &[(String, Option<String>)]) -> Vec<PortResult<Answer>> {
        let mut answers = Vec::with_capacity(asked.len());
        for some in asked.chunks(MAX_AT_ONCE) {
            if let Err(error) = self.ready(doing) {
                answers.extend(some.iter().map(|_| Err(error.clone())));
                continue;
            }
            let token = self.server.authorization.token();
            let requests: Vec<_> =
                some.iter().map(|(path, etag)| self.request("GET", path, etag.as_deref(), None)).collect();
            for _ in &requests {
                self.http.count();
            }
            boundary::pass("http.get");
            let agent = &self.http.agent;
            let raw: Vec<PortResult<Result<Raw, Trouble>>> = std::thread::scope(|scope| {
                let under_way: Vec<_> = requests
                    .into_iter()
                    .map(|request| request.map(|request| scope.spawn(move || fetch(agent, request))))
                    .collect();
                let ended = |thread: std::thread::ScopedJoinHandle<'_, Result<Raw, Trouble>>| {
                    thread
                        .join()
                        .unwrap_or_else(|_panic| Err(Trouble::Unreachable("it broke off".to_owned())))
                };
                under_way.into_iter().map(|thread| thread.map(ended)).collect()
            });
            boundary::pass("http.get");
            let sorted = raw.into_iter().map(|raw| raw.and_then(|raw| self.sorted(doing, raw)));
            answers.extend(sorted.zip(some).map(|(answer, (path, etag))| match &answer {
                Ok(refused) if refused.status == 401 && self.renewed(&token) => {
                    self.asked("http.get", doing, "GET", path, etag.as_deref(), None)
                }
                Ok(_) | Err(_) => answer,
            }));
        }
        answers
    }

    /// A question that is asked by POST and changes nothing. Only the adapters' own fixed queries are handed in here.
    pub fn query(&self, doing: &str, path: &str, body: &Value) -> PortResult<Answer> {
        self.ready(doing)?;
        self.asked("http.query", doing, "POST", path, None, Some(body))
    }

    /// Writes; answers of any status below 500 that are no limit.
    pub fn write_any(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> PortResult<Answer> {
        if !self.http.writes {
            return Err(PortError::refused("a dry run writes nothing"));
        }
        self.ready(doing)?;
        let last = self.http.written.borrow().get(&self.server.base).copied();
        if let Some(last) = last {
            (self.http.pause)(self.server.write_gap.saturating_sub(last.elapsed()));
        }
        let answer = self
            .asked("http.write", doing, method.word(), path, None, body)
            .and_then(|answer| answer.believed(doing));
        self.http.written.borrow_mut().insert(self.server.base.clone(), Instant::now());
        answer
    }

    pub fn write(&self, doing: &str, method: Method, path: &str, body: Option<&Value>) -> PortResult<Answer> {
        self.write_any(doing, method, path, body)?.good(doing)
    }

    /// Reads what a redirect names, once and without the token: the logs of CI lie in another place.
    pub fn get_elsewhere(&self, doing: &str, location: &str) -> PortResult<Answer> {
        let safe =
            location.starts_with("https://") || is_loopback(location) && is_loopback(&self.server.base);
        if !safe {
            return Err(PortError::refused(format!(
                "{doing}: the log lies at no https address; it is not read"
            )));
        }
        let request = Request::builder().method("GET").uri(location).body(Vec::new());
        let request = request.map_err(|_no_uri| {
            PortError::broken(format!("{doing}: what the server gave as the log's place is no address"))
        })?;
        self.send("http.get", doing, request)?.good(doing)
    }

    /// Nobody is asked before the time that was named.
    fn ready(&self, doing: &str) -> PortResult<()> {
        let now = self.http.clock.now();
        match self.http.book.limit(&self.server.name)? {
            Some(limit) if limit.until > now => Err(PortError::Later {
                what: format!(
                    "{doing}: {} asked to be left alone until {} ({}); it is asked again then",
                    self.server.name,
                    format_time(limit.until),
                    limit.why
                ),
                after: Some(limit.until),
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        etag: Option<&str>,
        body: Option<&Value>,
    ) -> PortResult<Request<Vec<u8>>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.server.base));
        for (name, value) in &self.server.headers {
            request = request.header(*name, value);
        }
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        if let Some(token) = self.server.authorization.token()? {
            request = request.header("authorization", token.header());
        }
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                body.to_string().into_bytes()
            }
            None => Vec::new(),
        };
        // The error may show the header with the token in it.
        request.body(bytes).map_err(|_hidden| {
            PortError::refused(format!(
                "asking {}: its address or its token has characters that cannot be sent; check both",
                self.server.name
            ))
        })
    }

    /// One request. Of a token that was refused and can be had anew the second is tried, too: the first did nothing.
    fn asked(
        &self,
        boundary: &'static str,
        doing: &str,
        method: &str,
        path: &str,
        etag: Option<&str>,
        body: Option<&Value>,
    ) -> PortResult<Answer> {
        let token = self.server.authorization.token();
        let answer = self.send(boundary, doing, self.request(method, path, etag, body)?)?;
        if answer.status == 401 && self.renewed(&token) {
            return self.send(boundary, doing, self.request(method, path, etag, body)?);
        }
        Ok(answer)
    }

    fn renewed(&self, used: &PortResult<Option<Token>>) -> bool {
        matches!(used, Ok(Some(token)) if self.server.authorization.renewed(token))
    }

    fn send(&self, boundary: &'static str, doing: &str, request: Request<Vec<u8>>) -> PortResult<Answer> {
        self.http.count();
        boundary::pass(boundary);
        let raw = fetch(&self.http.agent, request);
        boundary::pass(boundary);
        self.sorted(doing, raw)
    }

    /// Learns limits from an answer, and tells what no caller can do anything about.
    fn sorted(&self, doing: &str, raw: Result<Raw, Trouble>) -> PortResult<Answer> {
        let raw = raw.map_err(|trouble| trouble.error(doing, &self.server.name))?;
        let now = self.http.clock.now();
        let known = self.http.book.limit(&self.server.name)?;
        let times = known.as_ref().map_or(0, |limit| limit.times);
        if let Some(limit) = raw.limit(now, times, LIMIT_SECONDS, MAX_LIMIT_SECONDS) {
            self.http.book.put_limit(&self.server.name, Some(&limit))?;
            if raw.is_limited() {
                return Err(PortError::Later {
                    what: format!(
                        "{doing}: {} limits us ({}): {}. It is asked again at {}.",
                        self.server.name,
                        raw.status,
                        limit.why,
                        format_time(limit.until)
                    ),
                    after: Some(limit.until),
                });
            }
        } else if known.is_some() && raw.status < 400 {
            self.http.book.put_limit(&self.server.name, None)?;
        }
        let hide = self.server.authorization.token()?;
        let answer = raw.answer(&self.server.name, &self.server.secret, hide.as_ref());
        if answer.status >= 500 || answer.status == 408 {
            return Err(PortError::later(format!(
                "{doing}: {} answered {}{}. It is tried again by the next tick.",
                self.server.name,
                answer.status,
                answer.said()
            )));
        }
        Ok(answer)
    }
}

impl RateLimit {
    /// The first time for so long, then doubling.
    fn backed_off(now: UnixTime, times: u32, first: i64, most: i64, why: String) -> Self {
        let wait = first.saturating_mul(1_i64 << times.min(20)).min(most);
        Self { until: now.plus(wait), why, times: times.saturating_add(1) }
    }
}

/// How everything here speaks HTTP: bounded, without following anybody anywhere, every answer read.
pub(super) fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_response_header_size(MAX_HEADER_BYTES)
        .user_agent(concat!("offhours/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn fetch(agent: &ureq::Agent, request: Request<Vec<u8>>) -> Result<Raw, Trouble> {
    let bare = matches!(request.method().as_str(), "GET" | "DELETE");
    let answer = if bare { agent.run(request.map(|_nothing| ())) } else { agent.run(request) };
    let mut response = answer.map_err(Trouble::from)?;
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let number = |name: &str| header(name).and_then(|value| value.trim().parse::<i64>().ok());
    let mut raw = Raw {
        status: response.status().as_u16(),
        etag: header("etag"),
        link: header("link"),
        location: header("location"),
        retry_after: number("retry-after"),
        remaining: number("x-ratelimit-remaining"),
        reset: number("x-ratelimit-reset"),
        date: header("date"),
        scopes: header("x-oauth-scopes"),
        expires: header("github-authentication-token-expiration"),
        total: number("x-total-count").and_then(|total| usize::try_from(total).ok()),
        body: Vec::new(),
    };
    raw.body =
        response.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec().map_err(Trouble::from)?;
    Ok(raw)
}

/// Whether an address is on this machine, where plain http gives nothing away.
pub fn is_loopback(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let here = uri.host().is_some_and(|host| {
        host == "localhost"
            || host == "[::1]"
            || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
    });
    uri.scheme_str() == Some("http") && here
}

/// One part of a path, or a value in a query: everything but the plainest characters is encoded.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // A part that is only dots would be taken for a step upwards.
    if matches!(out.as_str(), "." | "..") { out.replace('.', "%2E") } else { out }
}
