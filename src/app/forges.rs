//! The part of the composition root that builds the forges: their HTTP, their tokens, and what git shows their servers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::surroundings::env;
use crate::adapters::ci::Elsewhere;
use crate::adapters::ci::pipelines::{self, Pipelines};
use crate::adapters::dry::DryForge;
use crate::adapters::forge::gitea::{Flavour, Gitea};
use crate::adapters::forge::github::{App as GitHubApp, AppConfig, GitHub, Places, Proofs};
use crate::adapters::forge::local::LocalForge;
use crate::adapters::forge::{AnyForge, Checks};
use crate::adapters::git::{Credentials, GitCredentials};
use crate::adapters::host::{SystemClock, pause};
use crate::adapters::http::{Authorization, Client, Http, Server};
use crate::adapters::secret::{Token, resolve, resolve_key};
use crate::config::{self as cfg, Config, ForgeKind, StageKind};
use crate::domain::model::RepoId;
use crate::domain::secret::{Secret, SecretSource};
use crate::error::Error;
use crate::ports::{Forge, PortError, PortResult, RecipeForge};
use crate::store::Store;

/// GitHub asks for a second between writes.
const GITHUB_WRITE_GAP: Duration = Duration::from_secs(1);
/// In a process that lives long a token is fetched again after this long.
const TOKEN_KEPT: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Forges {
    pub(super) all: BTreeMap<String, Rc<dyn AnyForge>>,
    pub(super) checks: BTreeMap<String, Rc<dyn Checks>>,
    pub(super) credentials: Credentials,
    pub(super) http: Rc<Http>,
}

impl Forges {
    pub(super) fn trackers(&self) -> BTreeMap<String, Rc<dyn Forge>> {
        self.all.iter().map(|(name, forge)| (name.clone(), Rc::clone(forge) as Rc<dyn Forge>)).collect()
    }

    /// The same, as upgrades know them.
    pub(super) fn mirrors(&self) -> BTreeMap<String, Rc<dyn RecipeForge>> {
        self.all.iter().map(|(name, forge)| (name.clone(), Rc::clone(forge) as Rc<dyn RecipeForge>)).collect()
    }
}

/// With `--dry-run` HTTP knows reading only, and every forge refuses to be written.
pub(super) fn build(config: &Config, dry: bool, store: &Store) -> Result<Forges, Error> {
    let http = http(config, dry, store)?;
    let mut all: BTreeMap<String, Rc<dyn AnyForge>> = BTreeMap::new();
    let mut checks: BTreeMap<String, Rc<dyn Checks>> = BTreeMap::new();
    let mut git = BTreeMap::new();
    for (name, forge) in &config.forges {
        let built: Rc<dyn AnyForge> = match forge.kind {
            ForgeKind::Local => {
                let path = forge.path.clone().unwrap_or_default();
                let local = LocalForge::new(path, Rc::new(SystemClock), "offhours");
                Rc::new(if dry { local.looking_only() } else { local })
            }
            ForgeKind::Github => {
                let (made, token) = github(config, name, forge, &http);
                let made = Rc::new(made);
                git.insert(name.clone(), (origin(&git_address(forge)), token));
                checks.insert(name.clone(), Rc::clone(&made) as Rc<dyn Checks>);
                made
            }
            ForgeKind::Gitea | ForgeKind::Forgejo => {
                let token = token(forge.token.clone(), format!("forge.{name}.token"), "token");
                let made = Rc::new(gitea(name, forge, &http, &token));
                git.insert(name.clone(), (origin(&git_address(forge)), token));
                checks.insert(name.clone(), Rc::clone(&made) as Rc<dyn Checks>);
                made
            }
        };
        all.insert(name.clone(), if dry { Rc::new(DryForge(built)) } else { built });
    }
    Ok(Forges { all, checks, credentials: credentials(git), http })
}

/// Who says whether a stage is green, where it is no command.
pub(super) fn checks_elsewhere(
    config: Rc<Config>,
    forges: BTreeMap<String, Rc<dyn Checks>>,
    http: Rc<Http>,
) -> Elsewhere {
    let servers: RefCell<BTreeMap<(RepoId, String), Rc<dyn Checks>>> = RefCell::default();
    Box::new(move |repo, name| {
        let Some(stage) = config.repo(repo).stages.into_iter().find(|stage| stage.name == name) else {
            return Ok(None);
        };
        let flavour = match stage.kind {
            StageKind::Command => return Ok(None),
            StageKind::Forge => {
                let found = forges.get(&repo.forge).map(Rc::clone);
                return found.map(Some).ok_or_else(|| {
                    PortError::refused(format!(
                        "the forge `{}` of {repo} has no checks of its own; use a CI stage of kind \"command\"",
                        repo.forge
                    ))
                });
            }
            StageKind::Woodpecker => pipelines::Flavour::Woodpecker,
            StageKind::Drone => pipelines::Flavour::Drone,
        };
        let made = || -> Rc<dyn Checks> {
            let url = stage.url.unwrap_or_default();
            let server = Server {
                name: format!("the CI server {url}"),
                base: url,
                secret: format!("ci.stage.{name}.token"),
                headers: vec![("accept", "application/json".to_owned())],
                authorization: token(stage.token, format!("ci.stage.{name}.token"), "Bearer"),
                write_gap: Duration::ZERO,
            };
            Rc::new(Pipelines::new(Client::new(Rc::clone(&http), server), flavour))
        };
        let mut servers = servers.borrow_mut();
        let found = servers.entry((repo.clone(), name.to_owned())).or_insert_with(made);
        Ok(Some(Rc::clone(found)))
    })
}

fn http(config: &Config, dry: bool, store: &Store) -> Result<Rc<Http>, Error> {
    let book = Rc::new(store.server_book(dry)?);
    let per_minute = config.global.max_requests_per_minute;
    Ok(Rc::new(Http::new(Rc::new(SystemClock), book, !dry, per_minute, pause)))
}

/// A token, fetched when it is first needed and kept for a moment.
fn token(source: Option<SecretSource>, wanted: String, scheme: &'static str) -> Authorization {
    let kept: RefCell<Option<(Instant, Token)>> = RefCell::default();
    Rc::new(move || {
        let mut kept = kept.borrow_mut();
        if let Some((at, token)) = kept.as_ref()
            && at.elapsed() < TOKEN_KEPT
        {
            return Ok(Some(token.clone()));
        }
        let Some(source) = &source else { return Ok(None) };
        let secret = resolve(source, &wanted, &env)
            .map_err(|error| PortError::Credentials { what: error.to_string() })?;
        let token = Token::new(secret, scheme);
        *kept = Some((Instant::now(), token.clone()));
        Ok(Some(token))
    })
}

fn web(forge: &cfg::Forge) -> String {
    forge.url.clone().unwrap_or_else(|| "https://github.com".to_owned())
}

fn git_address(forge: &cfg::Forge) -> String {
    forge.git_url.clone().unwrap_or_else(|| format!("{}/{{owner}}/{{name}}.git", web(forge)))
}

/// With what it is asked by, which git shows, too.
fn github(config: &Config, name: &str, forge: &cfg::Forge, http: &Rc<Http>) -> (GitHub, Authorization) {
    let web = web(forge);
    let public = web == "https://github.com";
    let base = match (&forge.api_url, public) {
        (Some(url), _) => url.clone(),
        (None, true) => "https://api.github.com".to_owned(),
        (None, false) => format!("{web}/api/v3"),
    };
    // A company's server has it beside the API of version 3.
    let graphql = base.strip_suffix("/v3").unwrap_or(&base).to_owned() + "/graphql";
    let client = |base: &str, secret: String, authorization: &Authorization| {
        let server = Server {
            name: name.to_owned(),
            base: base.to_owned(),
            secret,
            headers: GitHub::headers(),
            authorization: Rc::clone(authorization),
            write_gap: GITHUB_WRITE_GAP,
        };
        Client::new(Rc::clone(http), server)
    };
    let places = Places { web, git: git_address(forge) };
    let secret = format!("forge.{name}.token");
    let Some(id) = forge.app_id.clone() else {
        let token = token(forge.token.clone(), secret.clone(), "Bearer");
        let clients = (client(&base, secret.clone(), &token), client(&graphql, secret, &token));
        return (GitHub::new(clients.0, clients.1, places), token);
    };
    let (wanted, key) = (format!("forge.{name}.{}", cfg::APP_KEY), forge.app_key.clone());
    let of_key = wanted.clone();
    let key = move || {
        let missing = || PortError::Credentials { what: format!("{of_key} is missing") };
        let source = key.as_ref().ok_or_else(missing)?;
        resolve_key(source, &of_key, &env).map_err(|error| PortError::Credentials { what: error.to_string() })
    };
    let clock = Rc::clone(http);
    let proofs: Authorization = Rc::new(Proofs::new(id.clone(), wanted.clone(), key, move || clock.now()));
    let mirrors = config.recipes.values().filter_map(|recipe| RepoId::parse(&recipe.mirror, None));
    let control = config.control_issue().map(|issue| issue.repo);
    let worked_in = config.allowlist.iter().cloned().chain(mirrors).chain(control);
    let owners = worked_in.filter(|repo| repo.forge == name).map(|repo| repo.owner).collect();
    let installation = forge.app_installation;
    let config = AppConfig { forge: name.to_owned(), id, installation, owners };
    let minting = GitHubApp::new(config, client(&base, wanted, &proofs));
    let token: Authorization = Rc::<GitHubApp>::clone(&minting);
    let secret = format!("the app of forge.{name}");
    let clients = (client(&base, secret.clone(), &token), client(&graphql, secret, &token));
    (GitHub::new(clients.0, clients.1, places).by_app(minting), token)
}

fn gitea(name: &str, forge: &cfg::Forge, http: &Rc<Http>, token: &Authorization) -> Gitea {
    let web = web(forge);
    let client = Client::new(
        Rc::clone(http),
        Server {
            name: name.to_owned(),
            base: forge.api_url.clone().unwrap_or_else(|| format!("{web}/api/v1")),
            secret: format!("forge.{name}.token"),
            headers: vec![("accept", "application/json".to_owned())],
            authorization: Rc::clone(token),
            write_gap: Duration::ZERO,
        },
    );
    let flavour = match forge.kind {
        ForgeKind::Forgejo => Flavour::Forgejo,
        ForgeKind::Gitea | ForgeKind::Github | ForgeKind::Local => Flavour::Gitea,
    };
    Gitea::new(client, flavour, web, git_address(forge))
}

/// Scheme, host and a slash of an http address; none for anything else, which gets no token.
fn origin(address: &str) -> Option<String> {
    let (scheme, rest) =
        address.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    Some(format!("{scheme}://{}/", rest.split('/').next().unwrap_or_default()))
}

fn credentials(git: BTreeMap<String, (Option<String>, Authorization)>) -> Credentials {
    Rc::new(move |repo: &RepoId| -> PortResult<Option<GitCredentials>> {
        let Some((Some(origin), token)) = git.get(&repo.forge) else { return Ok(None) };
        let of = |token: Token| GitCredentials {
            origin: origin.clone(),
            header: Secret::new(token.basic()),
            token: token.secret().clone(),
        };
        Ok(token.token()?.map(of))
    })
}
