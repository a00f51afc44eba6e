//! A GitHub App in place of a token: it signs a short-lived proof of who it is, and gets a token of one installation for
//! an hour in return.
//!
//! That token is kept in memory only and by nobody but this process: state and files hold no secrets. Each tick that asks
//! the server anything begins with one request for it (two, where the installation is not named).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapters::forge::rest::repo_path;
use crate::adapters::forge::{http_date, moment};
use crate::adapters::http::{Answer, Authorize, Client};
use crate::adapters::secret::Token;
use crate::domain::escape::sanitize;
use crate::domain::model::{RepoId, UnixTime};
use crate::domain::moment::format_duration;
use crate::domain::secret::Secret;
use crate::ports::{PortError, PortResult};

/// A proof is dated back by this much, for clocks that do not quite agree.
const DATED_BACK_SECONDS: i64 = 60;
/// And good for so long; GitHub takes ten minutes at most.
const PROOF_SECONDS: i64 = 9 * 60;
/// A proof is used again within this time.
const PROOF_KEPT_SECONDS: i64 = 60;
/// A token is given up this long before its end, so that none ends on its way.
const SPARE_SECONDS: i64 = 5 * 60;
/// A token that is refused before its end is replaced, but not over and over.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(60);
/// A token that could not be had is not asked for again within this time: each try may take as long as a request may.
const BETWEEN_TRIES: Duration = Duration::from_secs(60);

/// What offhours needs an app to have, by GitHub's names.
const NEEDED: [(&str, &str); 6] = [
    ("contents", "write"),
    ("issues", "write"),
    ("pull_requests", "write"),
    ("checks", "read"),
    ("statuses", "read"),
    ("metadata", "read"),
];
/// What some use needs: running failed checks again, and changes to workflows that `landing.allow_paths` lets through.
const USEFUL: [(&str, &str); 2] = [("actions", "write"), ("workflows", "write")];

/// Which app, and where it is installed.
pub struct AppConfig {
    /// The forge's name.
    pub forge: String,
    /// The app's id, or its client id.
    pub id: String,
    pub installation: Option<u64>,
    /// Whose repositories are worked in; an installation belongs to one owner.
    pub owners: BTreeSet<String>,
}

pub struct App {
    config: AppConfig,
    /// Asks as the app itself.
    client: Client,
    found: Cell<Option<u64>>,
    minted: RefCell<Option<Minted>>,
    failed: RefCell<Option<(Instant, PortError)>>,
    login: RefCell<Option<String>>,
    renewed: Cell<Option<Instant>>,
}

#[derive(Clone)]
struct Minted {
    token: Token,
    ends: UnixTime,
    rights: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Made {
    token: String,
    expires_at: String,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
    account: Option<Account>,
    #[serde(default)]
    suspended_at: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    #[serde(default)]
    login: String,
}

#[derive(Deserialize)]
struct About {
    slug: String,
}

/// What the server says of the app.
pub(super) struct Told {
    pub(super) login: String,
    pub(super) server_time: Option<UnixTime>,
}

/// Proofs of who the app is, each used for a minute.
pub struct Proofs {
    id: String,
    key: Box<dyn Fn() -> PortResult<Secret>>,
    /// Where the config has the key, for sentences.
    wanted: String,
    now: Box<dyn Fn() -> UnixTime>,
    kept: RefCell<Option<(UnixTime, Token)>>,
}

impl Proofs {
    /// `key` gives the text of the private key, whenever it is asked.
    pub fn new(
        id: String,
        wanted: String,
        key: impl Fn() -> PortResult<Secret> + 'static,
        now: impl Fn() -> UnixTime + 'static,
    ) -> Self {
        Self { id, key: Box::new(key), wanted, now: Box::new(now), kept: RefCell::default() }
    }
}

impl Authorize for Proofs {
    fn token(&self) -> PortResult<Option<Token>> {
        let now = (self.now)();
        if let Some((at, proof)) = self.kept.borrow().as_ref()
            && (0..PROOF_KEPT_SECONDS).contains(&now.since(*at))
        {
            return Ok(Some(proof.clone()));
        }
        let text = (self.key)()?;
        let proof = key(text.reveal())
            .and_then(|key| proof(&key, &self.id, now))
            .map_err(|why| PortError::Credentials { what: format!("{} {why}", self.wanted) })?;
        let proof = Token::new(Secret::new(proof), "Bearer");
        *self.kept.borrow_mut() = Some((now, proof.clone()));
        Ok(Some(proof))
    }
}

/// The key in a PEM text as GitHub hands it out (PKCS#1), or turned into PKCS#8. An error is the rest of a sentence that
/// begins with the key's place.
fn key(text: &str) -> Result<RsaKeyPair, String> {
    const REMEDY: &str = "download a new private key from the app's settings, and put the whole file there";
    let bad = |why: &str| format!("{why}: {REMEDY}");
    // In a variable line breaks are often written out.
    let text = text.replace("\\n", "\n");
    let Some((_, rest)) = text.split_once("-----BEGIN ") else {
        return Err(bad("is no private key in PEM form (\"-----BEGIN RSA PRIVATE KEY-----\")"));
    };
    let cut = rest.split_once("-----").and_then(|(kind, rest)| {
        let (body, _) = rest.split_once(&format!("-----END {kind}-----"))?;
        Some((kind.to_owned(), body.split_whitespace().collect::<String>()))
    });
    let Some((kind, body)) = cut else { return Err(bad("is a private key that was cut off")) };
    let der = BASE64_STANDARD.decode(body).map_err(|_hidden| bad("has something in it that is no base64"))?;
    let key = match kind.as_str() {
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
        "ENCRYPTED PRIVATE KEY" => {
            return Err(bad("is protected by a pass phrase, which nobody is there to type"));
        }
        _ => return Err(bad("is no RSA private key")),
    };
    key.map_err(|why| bad(&format!("is no RSA private key that can be used ({why})")))
}

/// A JSON web token, signed with RS256.
fn proof(key: &RsaKeyPair, id: &str, now: UnixTime) -> Result<String, String> {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "alg": "RS256", "typ": "JWT" }));
    // An older server takes the number for a number only.
    let issuer = id.parse::<u64>().map_or_else(|_client_id| json!(id), |number| json!(number));
    let claims =
        json!({ "iat": now.plus(-DATED_BACK_SECONDS).0, "exp": now.plus(PROOF_SECONDS).0, "iss": issuer });
    let text = format!("{head}.{}", part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_unspecified| "could not be signed with; try again".to_owned())?;
    Ok(format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

fn rank(word: Option<&str>) -> u8 {
    match word {
        Some("read") => 1,
        Some("write") => 2,
        Some("admin") => 3,
        Some(_) | None => 0,
    }
}

impl App {
    /// `client` presents [`Proofs`].
    pub fn new(config: AppConfig, client: Client) -> Rc<Self> {
        Rc::new(Self {
            config,
            client,
            found: Cell::default(),
            minted: RefCell::default(),
            failed: RefCell::default(),
            login: RefCell::default(),
            renewed: Cell::default(),
        })
    }

    fn now(&self) -> UnixTime {
        self.client.http.now()
    }

    /// What of the app's answers means the same everywhere: a proof that was refused, or is by an app that nobody knows.
    fn heard(&self, doing: &str, answer: Answer, asked_of_itself: bool) -> PortResult<Answer> {
        if answer.status != 401 && !(asked_of_itself && matches!(answer.status, 403 | 404)) {
            return Ok(answer);
        }
        let forge = &self.config.forge;
        let start = format!("{doing}: {forge} refused the app's signature{}", answer.said());
        let theirs = answer.date.as_deref().and_then(http_date);
        let ahead = theirs.map_or(0, |theirs| self.now().0.saturating_sub(theirs.0));
        let what = if ahead.abs() >= DATED_BACK_SECONDS {
            let word = if ahead > 0 { "ahead of" } else { "behind" };
            format!(
                "{start}. The clock here is {} {word} the server's: let the machine set it by the network (timedatectl \
                 set-ntp true).",
                format_duration(ahead.abs())
            )
        } else {
            format!(
                "{start}. Check that forge.{forge}.app_id is the app's, and forge.{forge}.app_key a private key of it \
                 that was not deleted."
            )
        };
        Err(PortError::Credentials { what })
    }

    fn ask(&self, doing: &str, path: &str) -> PortResult<Answer> {
        self.heard(doing, self.client.get_any(doing, path)?, path.starts_with("/app"))
    }

    /// The app's own account, and the server's clock.
    pub(super) fn about(&self) -> PortResult<Told> {
        let doing = format!("asking {} which app this is", self.config.forge);
        let answer = self.ask(&doing, "/app")?.good(&doing)?;
        let about: About = answer.json(&doing)?;
        let login = format!("{}[bot]", about.slug);
        *self.login.borrow_mut() = Some(login.clone());
        Ok(Told { login, server_time: answer.date.as_deref().and_then(http_date) })
    }

    /// Under which name its comments stand. `/user` knows people only.
    pub(super) fn login(&self) -> PortResult<String> {
        if let Some(login) = self.login.borrow().as_ref() {
            return Ok(login.clone());
        }
        Ok(self.about()?.login)
    }

    /// The installation that is worked with. Where several fit none is guessed.
    fn installation(&self) -> PortResult<u64> {
        if let Some(id) = self.config.installation.or(self.found.get()) {
            return Ok(id);
        }
        let forge = &self.config.forge;
        let doing = format!("looking where the app of forge.{forge} is installed");
        let first = self.ask(&doing, "/app/installations?per_page=100")?.good(&doing)?;
        let mut all = vec![];
        for entry in self.client.rest(&doing, &first, "")? {
            let one: Installation = serde_json::from_value(entry).map_err(|error| {
                PortError::broken(format!("{doing}: one of them cannot be understood: {error}"))
            })?;
            let owner = one.account.map(|account| account.login).unwrap_or_default();
            let wanted = self.config.owners.is_empty()
                || self.config.owners.iter().any(|name| name.eq_ignore_ascii_case(&owner));
            if wanted && one.suspended_at.is_none() {
                all.push((one.id, owner));
            }
        }
        let what = match all.as_slice() {
            [(id, _)] => {
                self.found.set(Some(*id));
                return Ok(*id);
            }
            [] => {
                let owners: Vec<&str> = self.config.owners.iter().map(String::as_str).collect();
                let whose =
                    if owners.is_empty() { String::new() } else { format!(" for {}", owners.join(", ")) };
                format!("{doing}: nowhere{whose}. Install it for the repositories that agents shall work in.")
            }
            several => {
                let named: Vec<String> =
                    several.iter().map(|(id, owner)| format!("{id} for {}", sanitize(owner, 60))).collect();
                format!(
                    "{doing}: {} fit ({}). Name one as forge.{forge}.app_installation; for several owners have a forge \
                     each.",
                    named.len(),
                    named.join(", ")
                )
            }
        };
        Err(PortError::Credentials { what })
    }

    fn mint(&self) -> PortResult<Minted> {
        if let Some(minted) = self.minted.borrow().as_ref()
            && minted.ends.since(self.now()) > SPARE_SECONDS
        {
            return Ok(minted.clone());
        }
        if let Some((at, error)) = self.failed.borrow().as_ref()
            && at.elapsed() < BETWEEN_TRIES
        {
            return Err(error.clone());
        }
        let minted = self.mint_now();
        *self.failed.borrow_mut() = minted.as_ref().err().map(|error| (Instant::now(), error.clone()));
        minted
    }

    fn mint_now(&self) -> PortResult<Minted> {
        let id = self.installation()?;
        let forge = &self.config.forge;
        let doing = format!("getting a token for installation {id} of the app of forge.{forge}");
        let path = format!("/app/installations/{id}/access_tokens");
        let answer = self.heard(&doing, self.client.query(&doing, &path, &json!({}))?, false)?;
        if !answer.is_success() {
            return Err(PortError::Credentials {
                what: format!(
                    "{doing}: {forge} answered {}{}. It may have been suspended or taken back; check \
                     forge.{forge}.app_id and app_installation, and where the app is installed.",
                    answer.status,
                    answer.said()
                ),
            });
        }
        // Nothing of this body is shown: the token is in it.
        let made = serde_json::from_slice::<Made>(&answer.body).ok();
        let made = made.and_then(|made| Some((moment(&made.expires_at)?, made)));
        let Some((ends, made)) = made.filter(|(_, made)| made.token.bytes().all(|b| b.is_ascii_graphic()))
        else {
            return Err(PortError::broken(format!(
                "{doing}: {forge} answered with something that cannot be read. The next tick tries again."
            )));
        };
        let token = Token::new(Secret::new(made.token), "Bearer").of(format!("app {} {id}", self.config.id));
        let minted = Minted { token, ends, rights: made.permissions };
        *self.minted.borrow_mut() = Some(minted.clone());
        Ok(minted)
    }

    /// What it may do where it is installed, as `issues write`, and what it has not that some use needs.
    pub(super) fn rights(&self) -> PortResult<(Vec<String>, Vec<String>)> {
        let held = self.mint()?.rights;
        let known = NEEDED.iter().chain(&USEFUL).map(|(name, _)| *name);
        let has = known.filter_map(|name| Some(format!("{name} {}", sanitize(held.get(name)?, 20))));
        Ok((has.collect(), without(&held, &USEFUL)))
    }

    /// What it needs and has not.
    pub(super) fn missing(&self) -> PortResult<Vec<String>> {
        Ok(without(&self.mint()?.rights, &NEEDED))
    }

    /// Why it cannot work in this repository, as far as that is a matter of where it is installed.
    pub(super) fn not_installed(&self, repo: &RepoId) -> PortResult<Option<String>> {
        let doing = format!("looking whether the app is installed for {repo}");
        let answer = self.ask(&doing, &format!("{}/installation", repo_path(repo)))?;
        if answer.status == 404 {
            return Ok(Some("the app is not installed for it".to_owned()));
        }
        let found: Installation = answer.good(&doing)?.json(&doing)?;
        let own = self.installation()?;
        Ok((found.id != own).then(|| format!("it belongs to installation {}, not to {own}", found.id)))
    }
}

/// What of `wanted` is not held, as `issues: write`.
fn without(held: &BTreeMap<String, String>, wanted: &[(&str, &str)]) -> Vec<String> {
    let lacks = |(name, level): &&(&str, &str)| {
        // Everybody who may see a repository may see that it is there.
        *name != "metadata" && rank(held.get(*name).map(String::as_str)) < rank(Some(level))
    };
    wanted.iter().filter(lacks).map(|(name, level)| format!("{name}: {level}")).collect()
}

impl Authorize for App {
    fn token(&self) -> PortResult<Option<Token>> {
        Ok(Some(self.mint()?.token))
    }

    fn renewed(&self, refused: &Token) -> bool {
        let current = self.minted.borrow().as_ref().map(|minted| minted.token.clone());
        if current.is_some_and(|token| token.secret() != refused.secret()) {
            return true;
        }
        if self.renewed.get().is_some_and(|at| at.elapsed() < BETWEEN_RENEWALS) {
            return false;
        }
        self.renewed.set(Some(Instant::now()));
        *self.minted.borrow_mut() = None;
        true
    }
}
