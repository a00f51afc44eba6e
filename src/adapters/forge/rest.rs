//! What GitHub and Gitea have in common: repositories below `/repos/OWNER/NAME`, known by their numbers, and what is
//! remembered of them in a process.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{moved, permission_told, same_repo, wire};
use crate::adapters::http::{Answer, Client, encoded};
use crate::domain::escape::sanitize;
use crate::domain::model::{Permission, Person, RepoId, UnixTime};
use crate::ports::{PortError, PortResult, Remote};

/// What a repository or a permission was is asked again after this long, in a process that lives so long.
const REMEMBERED_SECONDS: i64 = 60;

/// What was asked, and when.
type Remembered<K, V> = RefCell<BTreeMap<K, (UnixTime, V)>>;

pub(super) struct Rest {
    pub(super) client: Client,
    /// As a browser knows it; no slash at its end.
    web: String,
    /// Git's address with `{owner}` and `{name}`.
    git: String,
    remotes: Remembered<RepoId, Remote>,
    permissions: Remembered<(RepoId, String), Permission>,
    /// Lists of ready issues that were asked for together with others.
    pub(super) ahead: RefCell<BTreeMap<RepoId, PortResult<Answer>>>,
    /// Who the token is.
    pub(super) own_login: RefCell<Option<String>>,
}

pub(super) fn repo_path(repo: &RepoId) -> String {
    format!("/repos/{}/{}", encoded(&repo.owner), encoded(&repo.name))
}

pub(super) fn issue_path(repo: &RepoId, number: u64) -> String {
    format!("{}/issues/{number}", repo_path(repo))
}

pub(super) fn pull_path(repo: &RepoId, number: u64) -> String {
    format!("{}/pulls/{number}", repo_path(repo))
}

/// A write that was answered with "not there", for an issue that can be read all the same, is to be tried again.
pub(super) fn really_gone<T>(
    error: PortError,
    repo: &RepoId,
    number: u64,
    read: impl FnOnce() -> PortResult<T>,
) -> PortError {
    match error {
        PortError::Gone { what } => match read() {
            Ok(_) => {
                PortError::later(format!("{what} But {repo}#{number} is there; the next tick tries again."))
            }
            Err(error) => error,
        },
        PortError::Later { .. }
        | PortError::Refused { .. }
        | PortError::Credentials { .. }
        | PortError::Broken { .. } => error,
    }
}

/// The id of a comment as trials compare them.
pub(super) fn comment_number(id: &str, repo: &RepoId, number: u64) -> PortResult<u64> {
    id.parse().map_err(|_odd| {
        PortError::broken(format!("a comment on {repo}#{number} got the id `{id}`, which is no number"))
    })
}

impl Rest {
    pub(super) fn new(client: Client, web: String, git: String) -> Self {
        Self {
            client,
            web,
            git,
            remotes: RefCell::default(),
            permissions: RefCell::default(),
            ahead: RefCell::default(),
            own_login: RefCell::default(),
        }
    }

    /// What the server says of the repository; refused where it moved, or where another one stands there now.
    pub(super) fn look(&self, repo: &RepoId) -> PortResult<wire::Repository> {
        let doing = format!("looking at {repo}");
        let answer = self.client.get_any(&doing, &repo_path(repo))?;
        if (300..400).contains(&answer.status) {
            return Err(moved(repo));
        }
        let found: wire::Repository = answer.good(&doing)?.json(&doing)?;
        same_repo(self.client.http.book(), repo, &found.full_name, found.id)?;
        Ok(found)
    }

    pub(super) fn login(&self) -> PortResult<String> {
        if let Some(login) = self.own_login.borrow().as_ref() {
            return Ok(login.clone());
        }
        let doing = format!("asking {} whose token this is", self.client.name());
        let user: wire::User = self.client.get(&doing, "/user")?.json(&doing)?;
        *self.own_login.borrow_mut() = Some(user.login.clone());
        Ok(user.login)
    }

    fn remembered<K: Ord, V: Clone>(
        &self,
        known: &Remembered<K, V>,
        key: K,
        ask: impl FnOnce() -> PortResult<V>,
    ) -> PortResult<V> {
        let now = self.client.http.now();
        if let Some((at, value)) = known.borrow().get(&key)
            && now.since(*at) < REMEMBERED_SECONDS
        {
            return Ok(value.clone());
        }
        let value = ask()?;
        known.borrow_mut().insert(key, (now, value.clone()));
        Ok(value)
    }

    pub(super) fn remote(&self, repo: &RepoId) -> PortResult<Remote> {
        self.remembered(&self.remotes, repo.clone(), || {
            let found = self.look(repo)?;
            let url = self.git.replace("{owner}", &repo.owner).replace("{name}", &repo.name);
            Ok(Remote { url, default_branch: found.default_branch })
        })
    }

    /// What somebody may do: `ask` gets the answer, `read` knows the server's words.
    pub(super) fn permission(
        &self,
        repo: &RepoId,
        person: &Person,
        ask: impl FnOnce(&str, &str) -> PortResult<Answer>,
        read: impl FnOnce(&str) -> Option<Permission>,
    ) -> PortResult<Permission> {
        self.remembered(&self.permissions, (repo.clone(), person.login.to_ascii_lowercase()), || {
            let doing = format!("asking what {} may do in {repo}", sanitize(&person.login, 60));
            let path = format!("{}/collaborators/{}/permission", repo_path(repo), encoded(&person.login));
            let told = permission_told(&ask(&doing, &path)?, &doing, &person.login)?;
            read(&told).ok_or_else(|| {
                let shown = sanitize(&told, 40);
                PortError::broken(format!("{doing}: `{shown}` is no permission that is known"))
            })
        })
    }

    /// Why a page cannot be read; `None` where it can.
    pub(super) fn locked(&self, what: &str, path: &str) -> PortResult<Option<String>> {
        match self.client.get(&format!("reading {what}"), path) {
            Ok(_) => Ok(None),
            Err(PortError::Refused { what } | PortError::Gone { what }) => Ok(Some(what)),
            Err(other) => Err(other),
        }
    }

    pub(super) fn read_ahead(&self, repos: Vec<RepoId>, requests: &[(String, Option<String>)]) {
        let doing = format!("reading the ready issues on {}", self.client.name());
        let answers = self.client.get_many(&doing, requests);
        self.ahead.borrow_mut().extend(repos.into_iter().zip(answers));
    }

    /// As a browser knows the repository, or an issue of it.
    pub(super) fn page(&self, repo: &RepoId, issue: Option<u64>) -> String {
        let page = format!("{}/{}", self.web, repo.path());
        issue.map_or(page.clone(), |number| format!("{page}/issues/{number}"))
    }
}
