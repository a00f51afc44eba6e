//! An OCI registry, read only: every tag of an image, or a sentence why that is not known.
//!
//! A list that was cut short must never look like a whole one: pages are followed to the end, a full page without a link is
//! asked for what follows it, and what makes no sense is an error.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use ureq::http::Uri;

use crate::adapters::http::{self, encoded};
use crate::boundary;
use crate::domain::escape::sanitize;
use crate::domain::model::UnixTime;
use crate::domain::upgrade::recipe::ImageName;
use crate::ports::{Clock, PortError, PortResult, Registry};

/// Tags asked for in one page. A server may give fewer, or all.
const PAGE: usize = 500;
const MAX_PAGES: usize = 400;
const MAX_TAGS: usize = 100_000;
const MAX_BODY_BYTES: u64 = 8 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(20);
/// Where names without a host are, and how one-part names are called there.
const DEFAULT_HOST: &str = "registry-1.docker.io";
const DEFAULT_OWNER: &str = "library";

pub struct OciRegistry {
    agent: ureq::Agent,
    clock: Box<dyn Clock>,
    /// Hosts that are spoken to without TLS.
    plain_http: BTreeSet<String>,
    /// By scope; good for this process only.
    tokens: RefCell<BTreeMap<String, String>>,
}

struct Page {
    status: u16,
    link: Option<String>,
    challenge: Option<String>,
    retry_after: Option<String>,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct TagList {
    /// `null` where an image has none.
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl OciRegistry {
    pub fn new(clock: Box<dyn Clock>, plain_http: &[String]) -> Self {
        let agent = http::agent(TIMEOUT);
        Self {
            agent,
            clock,
            plain_http: plain_http.iter().cloned().collect(),
            tokens: RefCell::new(BTreeMap::new()),
        }
    }

    fn get(&self, url: &str, token: Option<&str>, doing: &str) -> PortResult<Page> {
        let mut request = self.agent.get(url);
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        boundary::pass("registry");
        let answer = request.call();
        boundary::pass("registry");
        let mut answer = answer.map_err(|error| {
            PortError::later(format!("{doing}: it could not be reached: {error}. It is tried again."))
        })?;
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (link, challenge, retry_after) =
            (header("link"), header("www-authenticate"), header("retry-after"));
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec().map_err(|error| {
            PortError::later(format!("{doing}: its answer broke off: {error}. It is tried again."))
        })?;
        Ok(Page { status, link, challenge, retry_after, body })
    }

    /// A page, with the token flow where the server asks for it.
    fn page(&self, url: &str, scope: &str, doing: &str) -> PortResult<Page> {
        let known = self.tokens.borrow().get(scope).cloned();
        let first = self.get(url, known.as_deref(), doing)?;
        if first.status != 401 {
            return self.sorted(first, doing);
        }
        let token = self.token(first.challenge.as_deref(), url, doing)?;
        let second = self.get(url, Some(&token), doing)?;
        if second.status == 401 {
            return Err(PortError::refused(format!("{doing}: it refused the token that it gave.")));
        }
        self.tokens.borrow_mut().insert(scope.to_owned(), token);
        self.sorted(second, doing)
    }

    fn sorted(&self, page: Page, doing: &str) -> PortResult<Page> {
        match page.status {
            200 => Ok(page),
            429 => {
                let seconds = page.retry_after.and_then(|text| text.trim().parse::<i64>().ok());
                let after: UnixTime = self.clock.now().plus(seconds.unwrap_or(60).clamp(1, 86_400));
                Err(PortError::Later { what: format!("{doing}: it limits us for now"), after: Some(after) })
            }
            404 => Err(PortError::gone(format!("{doing}: it has no such image"))),
            401 | 403 => Err(PortError::refused(format!(
                "{doing}: it wants credentials, and offhours has none for it"
            ))),
            500..=599 => {
                Err(PortError::later(format!("{doing}: it answered {}. It is tried again.", page.status)))
            }
            other => {
                Err(PortError::broken(format!("{doing}: it answered {other}, which is no list of tags")))
            }
        }
    }

    /// `Bearer realm="..",service="..",scope=".."`: asks the realm for a token.
    fn token(&self, challenge: Option<&str>, asked: &str, doing: &str) -> PortResult<String> {
        let wrong = |what: &str| PortError::refused(format!("{doing}: it wants a login, and {what}"));
        let challenge = challenge.ok_or_else(|| wrong("does not say how"))?;
        let fields = bearer(challenge).ok_or_else(|| wrong("names another way than a bearer token"))?;
        let realm = fields.get("realm").ok_or_else(|| wrong("does not say where"))?;
        let uri: Uri = realm.parse().map_err(|_odd| wrong("names a place that is no address"))?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let encrypted = uri.scheme_str() == Some("https");
        if !(encrypted || uri.scheme_str() == Some("http") && self.plain_http.contains(&host)) {
            return Err(wrong("names a place that is not spoken to with TLS"));
        }
        let mut request = self.agent.get(realm.as_str());
        for name in ["service", "scope"] {
            if let Some(value) = fields.get(name) {
                request = request.query(name, value);
            }
        }
        boundary::pass("registry");
        let answer = request.call();
        boundary::pass("registry");
        let later = |what: String| {
            PortError::later(format!("{doing}: asking {} for a token: {what}", sanitize(&host, 100)))
        };
        let mut answer = answer.map_err(|error| later(error.to_string()))?;
        let status = answer.status().as_u16();
        if status == 429 {
            let after = Some(self.clock.now().plus(60));
            return Err(PortError::Later {
                what: format!("{doing}: its token service limits us for now"),
                after,
            });
        }
        if status != 200 {
            return Err(later(format!("it answered {status}")));
        }
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_BODY_BYTES)
            .read_to_vec()
            .map_err(|error| later(error.to_string()))?;
        let told: TokenAnswer = serde_json::from_slice(&body).map_err(|error| later(error.to_string()))?;
        let token = told
            .token
            .or(told.access_token)
            .filter(|t| !t.is_empty() && t.chars().all(|c| c.is_ascii_graphic()));
        token.ok_or_else(|| later(format!("the answer for {} holds none", sanitize(asked, 120))))
    }

    /// The address of the next page, if it is on the same server.
    fn next(link: &str, current: &Uri, doing: &str) -> PortResult<Option<String>> {
        let Some(target) = next_link(link) else { return Ok(None) };
        let elsewhere = || {
            PortError::broken(format!(
                "{doing}: its next page is on another server ({}), and is not followed",
                sanitize(&target, 120)
            ))
        };
        let origin =
            |uri: &Uri| (uri.scheme_str().map(str::to_owned), uri.authority().map(ToString::to_string));
        let (scheme, host) = origin(current);
        let base = format!("{}://{}", scheme.clone().unwrap_or_default(), host.clone().unwrap_or_default());
        let absolute = if target.starts_with("//") {
            return Err(elsewhere());
        } else if target.starts_with('/') {
            format!("{base}{target}")
        } else if target.starts_with('?') {
            format!("{base}{}{target}", current.path())
        } else {
            target.clone()
        };
        let uri: Uri = absolute.parse().map_err(|_odd| elsewhere())?;
        if origin(&uri) != (scheme, host) {
            return Err(elsewhere());
        }
        Ok(Some(absolute))
    }
}

impl Registry for OciRegistry {
    fn tags(&self, image: &ImageName) -> PortResult<Vec<String>> {
        let host = image.registry.clone().unwrap_or_else(|| DEFAULT_HOST.to_owned());
        let path = match &image.registry {
            None if !image.path.contains('/') => format!("{DEFAULT_OWNER}/{}", image.path),
            None | Some(_) => image.path.clone(),
        };
        let doing = format!("reading the tags of {path} from {host}");
        let scheme = if self.plain_http.contains(&host) { "http" } else { "https" };
        let list = format!("{scheme}://{host}/v2/{path}/tags/list");
        let mut url = format!("{list}?n={PAGE}");
        let (mut all, mut asked): (Vec<String>, BTreeSet<String>) = (vec![], BTreeSet::new());
        let mut known: BTreeSet<String> = BTreeSet::new();
        let broken = |what: &str| PortError::broken(format!("{doing}: {what}; the list is not whole"));
        for _ in 0..MAX_PAGES {
            if !asked.insert(url.clone()) {
                return Err(broken("its pages lead in a circle"));
            }
            let page = self.page(&url, &format!("{host}/{path}"), &doing)?;
            let told: TagList =
                serde_json::from_slice(&page.body).map_err(|_odd| broken("its answer is no list of tags"))?;
            let tags = told.tags.unwrap_or_default();
            let before = known.len();
            let newest = tags.last().cloned();
            let count = tags.len();
            for tag in tags {
                if known.insert(tag.clone()) {
                    all.push(tag);
                }
            }
            if known.len() > MAX_TAGS {
                return Err(broken("it has more than a hundred thousand tags"));
            }
            let current: Uri = url.parse().map_err(|_odd| broken("its address makes no sense"))?;
            let next = match &page.link {
                Some(link) => Self::next(link, &current, &doing)?,
                None => None,
            };
            if let Some(next) = next {
                url = next;
                continue;
            }
            // A full page without a link may be all, or all that the server wanted to give: it is asked what follows.
            let grew = known.len() > before;
            match newest {
                Some(after) if count >= PAGE && grew => {
                    url = format!("{list}?n={PAGE}&last={}", encoded(&after));
                }
                Some(_) | None => return Ok(all),
            }
        }
        Err(broken("it has more pages than are read"))
    }
}

/// The target of `rel="next"` in a Link header.
fn next_link(header: &str) -> Option<String> {
    header.split(',').find_map(|part| {
        let (target, parameters) = part.trim().strip_prefix('<')?.split_once('>')?;
        let next = parameters.split(';').map(str::trim).any(|p| {
            p.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
            })
        });
        next.then(|| target.to_owned())
    })
}

/// The fields of a bearer challenge.
fn bearer(challenge: &str) -> Option<BTreeMap<String, String>> {
    let rest = challenge.trim();
    let (scheme, mut rest) = rest.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut fields = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        let Some((name, after)) = rest.split_once('=') else { return Some(fields) };
        let (value, more) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.insert(name.trim().to_ascii_lowercase(), value.to_owned());
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_and_links() {
        let fields = bearer(
            r#"Bearer realm="https://a.example/token?x=1,2",service="b c",scope="repository:a/b:pull""#,
        )
        .unwrap();
        assert_eq!(fields["realm"], "https://a.example/token?x=1,2");
        assert_eq!(fields["service"], "b c");
        assert_eq!(fields["scope"], "repository:a/b:pull");
        assert_eq!(bearer("Basic realm=\"x\""), None);
        assert_eq!(bearer("Bearer realm=\"x"), None);
        assert_eq!(
            next_link(r#"</v2/a/tags/list?last=x&n=2>; rel="next""#).as_deref(),
            Some("/v2/a/tags/list?last=x&n=2")
        );
        assert_eq!(next_link(r#"<a>; rel="prev", <b>; rel=next"#).as_deref(), Some("b"));
        assert_eq!(next_link("<a>; rel=last"), None);
        assert_eq!(next_link("garbage"), None);
        assert_eq!(encoded("1.0 +x"), "1.0%20%2Bx");
    }
}
