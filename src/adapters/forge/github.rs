//! GitHub, on github.com and on a company's own server.
//!
//! REST for everything, and one query of GraphQL for who labelled and who edited. A server without GraphQL keeps no
//! edits that could be read; then it counts who may have edited.
//!
//! What is read here is data: labels are compared again, a redirect is never followed (a repository or an issue that
//! moved is `Gone`), and a repository is known by its number, so that another one under its old name is not taken for it.

mod admin;
mod app;
mod approval;
mod checks;
mod pulls;
mod trials;
mod wire;

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::adapters::forge::rest::{Rest, issue_path, really_gone, repo_path};
use crate::adapters::forge::wire::{Comment as CommentWire, Made};
use crate::adapters::http::{Answer, Client, Method, encoded};
use crate::domain::model::{ApprovalEvidence, Blocker, Comment, Issue, Permission, Person, RepoId, Seen};
use crate::ports::{
    BrokenIssue, Capabilities, Forge, ForgeAdmin, Hosting, Listing, Merging, PortError, PortResult, Remote,
};

pub use app::{App, AppConfig, Proofs};

/// Where a GitHub is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// As a browser knows it; no slash at its end.
    pub web: String,
    /// Git's address with `{owner}` and `{name}`.
    pub git: String,
}

pub struct GitHub {
    rest: Rest,
    /// GraphQL has an address of its own on a company's server.
    graphql: Client,
    /// What the token is of, where it is no account's.
    app: Option<Rc<App>>,
    no_graphql: Cell<bool>,
    no_dependencies: Cell<bool>,
}

impl GitHub {
    /// `graphql` has GraphQL's address as its base.
    pub fn new(client: Client, graphql: Client, places: Places) -> Self {
        Self {
            rest: Rest::new(client, places.web, places.git),
            graphql,
            app: None,
            no_graphql: Cell::new(false),
            no_dependencies: Cell::new(false),
        }
    }

    /// The same with the token of an app.
    #[must_use]
    pub fn by_app(self, app: Rc<App>) -> Self {
        Self { app: Some(app), ..self }
    }

    /// Headers that every request to GitHub has.
    pub fn headers() -> Vec<(&'static str, String)> {
        vec![
            ("accept", "application/vnd.github+json".to_owned()),
            ("x-github-api-version", "2022-11-28".to_owned()),
        ]
    }

    fn list_path(repo: &RepoId, label: &str) -> String {
        format!(
            "{}/issues?state=open&labels={}&per_page=100&sort=created&direction=asc",
            repo_path(repo),
            encoded(label)
        )
    }

    /// The ETag to ask with, where the stored one was given to this token.
    fn own_etag(&self, stored: Option<&str>) -> PortResult<Option<String>> {
        let Some((identity, etag)) = stored.and_then(|s| s.split_once(' ')) else { return Ok(None) };
        Ok((self.rest.client.identity()? == identity).then(|| etag.to_owned()))
    }

    /// A write whose answer says what came of it. One that says nothing is somebody else's.
    fn write(&self, doing: &str, method: Method, path: &str, body: Option<&Value>) -> PortResult<Answer> {
        let answer = self.rest.client.write(doing, method, path, body)?;
        if matches!(answer.status, 200 | 201) {
            answer.json::<serde::de::IgnoredAny>(doing)?;
        }
        Ok(answer)
    }

    /// Who the token acts as.
    fn login(&self) -> PortResult<String> {
        match &self.app {
            Some(app) => app.login(),
            None => self.rest.login(),
        }
    }

    fn fetch_issue(&self, repo: &RepoId, number: u64) -> PortResult<wire::Issue> {
        let doing = format!("reading {repo}#{number}");
        let path = issue_path(repo, number);
        let found: wire::Issue = self.rest.client.get(&doing, &path)?.json(&doing)?;
        if found.pull_request.is_some() {
            return Err(PortError::gone(format!("{doing}: it is a pull request and no issue")));
        }
        Ok(found)
    }

    fn really_gone(&self, repo: &RepoId, number: u64, error: PortError) -> PortError {
        really_gone(error, repo, number, || self.fetch_issue(repo, number))
    }

    /// The issues that the forge itself says this one waits for.
    fn dependencies(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Blocker>> {
        if self.no_dependencies.get() {
            return Ok(Vec::new());
        }
        let doing = format!("reading what {repo}#{number} waits for");
        let path = format!("{}/dependencies/blocked_by?per_page=100", issue_path(repo, number));
        let first = self.rest.client.get_any(&doing, &path)?;
        if first.status == 404 {
            // A server that knows no dependencies does not mention them with an issue either.
            if self.fetch_issue(repo, number)?.dependencies.is_none() {
                self.no_dependencies.set(true);
                return Ok(Vec::new());
            }
            return Err(first.error(&doing));
        }
        let entries = self.rest.client.rest(&doing, &first.good(&doing)?, "")?;
        let own = format!("/repos/{}/", repo.path());
        Ok(entries
            .into_iter()
            .map(|entry| match serde_json::from_value::<wire::Dependency>(entry) {
                Ok(found) => Blocker {
                    name: found.name(&own),
                    open: match found.state.as_str() {
                        "open" => Seen::Known(true),
                        "closed" => Seen::Known(false),
                        _ => Seen::Unreadable("its state is not known".to_owned()),
                    },
                },
                Err(error) => Blocker {
                    name: "an issue it depends on".to_owned(),
                    open: Seen::Unreadable(format!("it cannot be read: {error}")),
                },
            })
            .collect())
    }
}

impl Hosting for GitHub {
    fn remote(&self, repo: &RepoId) -> PortResult<Remote> {
        self.rest.remote(repo)
    }

    fn permission(&self, repo: &RepoId, person: &Person) -> PortResult<Permission> {
        let ask = |doing: &str, path: &str| self.rest.client.get(doing, path);
        self.rest.permission(repo, person, ask, |word| match word {
            "admin" => Some(Permission::Admin),
            "write" | "push" | "maintain" => Some(Permission::Write),
            "read" | "pull" | "triage" => Some(Permission::Read),
            "none" => Some(Permission::None),
            _ => None,
        })
    }
}

impl Forge for GitHub {
    fn capabilities(&self) -> Capabilities {
        Capabilities { edit_history: !self.no_graphql.get(), conditional: true, writers_are_trusted: false }
    }

    fn place(&self, repo: &RepoId) -> PortResult<String> {
        Ok(self.rest.page(repo, None))
    }

    fn read_ahead(&self, asked: &[(RepoId, Option<String>)], label: &str) {
        let (repos, requests): (Vec<_>, Vec<_>) = asked
            .iter()
            .map(|(repo, etag)| {
                let own = self.own_etag(etag.as_deref()).ok().flatten();
                (repo.clone(), (Self::list_path(repo, label), own))
            })
            .unzip();
        self.rest.read_ahead(repos, &requests);
    }

    fn list(&self, repo: &RepoId, label: &str, etag: Option<&str>) -> PortResult<Listing> {
        let doing = format!("reading the ready issues of {repo}");
        let own = self.own_etag(etag)?;
        let ahead = self.rest.ahead.borrow_mut().remove(repo);
        let first = match ahead {
            Some(answer) => {
                let answer = answer?;
                if answer.status == 304 && own.is_some() { None } else { Some(answer.good(&doing)?) }
            }
            None => self.rest.client.get_if_changed(&doing, &Self::list_path(repo, label), own.as_deref())?,
        };
        let Some(first) = first else { return Ok(Listing::NotModified) };
        let entries = self.rest.client.rest(&doing, &first, "")?;
        let (mut issues, mut broken) = (Vec::new(), Vec::new());
        for entry in entries {
            let number = entry.get("number").and_then(Value::as_u64);
            match serde_json::from_value::<wire::Issue>(entry) {
                Ok(found) if found.pull_request.is_some() => {}
                Ok(found) => issues.push(found.issue()),
                Err(error) => broken.push(BrokenIssue {
                    number,
                    what: format!("an issue of {repo} cannot be understood: {error}"),
                }),
            }
        }
        issues.retain(|issue| issue.open && issue.has_label(label));
        // Of several pages the first can stay what it was while a later one changes.
        let etag = match (&first.etag, &first.next) {
            (Some(etag), None) => Some(format!("{} {etag}", self.rest.client.identity()?)),
            (Some(_) | None, _) => None,
        };
        Ok(Listing::Issues { issues, etag, broken })
    }

    fn issue(&self, repo: &RepoId, number: u64) -> PortResult<Issue> {
        let found = self.fetch_issue(repo, number)?;
        if found.number != number {
            return Err(PortError::gone(format!("reading {repo}#{number}: it moved")));
        }
        Ok(found.issue())
    }

    fn approval(&self, repo: &RepoId, issue: &Issue, label: &str) -> PortResult<ApprovalEvidence> {
        self.evidence(repo, issue, label)
    }

    fn blockers(&self, repo: &RepoId, issue: &Issue, also: &[u64]) -> PortResult<Vec<Blocker>> {
        let own = self.dependencies(repo, issue.number)?;
        Ok(super::with_named(own, also, |number| {
            self.fetch_issue(repo, number).map(|found| found.state != "closed")
        }))
    }

    fn comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Comment>> {
        let doing = format!("reading the comments of {repo}#{number}");
        let path = format!("{}/comments?per_page=100", issue_path(repo, number));
        let entries = self.rest.client.pages(&doing, &path)?;
        let read = |entry| serde_json::from_value::<CommentWire>(entry).map(CommentWire::comment);
        entries
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|error| PortError::broken(format!("{doing}: one of them cannot be understood: {error}")))
    }

    fn find_comment(&self, repo: &RepoId, number: u64, marker: &str) -> PortResult<Option<String>> {
        super::own_comment(&self.comments(repo, number)?, marker, || self.login())
    }

    fn put_comment(&self, repo: &RepoId, number: u64, id: Option<&str>, body: &str) -> PortResult<String> {
        let text = json!({ "body": body });
        let Some(id) = id else {
            let doing = format!("commenting on {repo}#{number}");
            let path = format!("{}/comments", issue_path(repo, number));
            let made = self.write(&doing, Method::Post, &path, Some(&text));
            let made: Made = made.map_err(|e| self.really_gone(repo, number, e))?.json(&doing)?;
            return Ok(made.id.to_string());
        };
        let doing = format!("editing a comment on {repo}#{number}");
        let path = format!("{}/issues/comments/{}", repo_path(repo), encoded(id));
        self.write(&doing, Method::Patch, &path, Some(&text))?;
        Ok(id.to_owned())
    }

    fn set_label(&self, repo: &RepoId, number: u64, label: &str, present: bool) -> PortResult<()> {
        let path = format!("{}/labels", issue_path(repo, number));
        if present {
            let doing = format!("adding the label {label} to {repo}#{number}");
            let added = self.write(&doing, Method::Post, &path, Some(&json!({ "labels": [label] })));
            let added = added.map_err(|e| self.really_gone(repo, number, e))?;
            let labels: Vec<wire::Label> = added.json(&doing)?;
            if labels.into_iter().any(|l| l.name().eq_ignore_ascii_case(label)) {
                return Ok(());
            }
            return Err(PortError::later(format!(
                "{doing}: the server said that it was done, and it is not there; the next tick tries again"
            )));
        }
        let doing = format!("taking the label {label} from {repo}#{number}");
        let path = format!("{path}/{}", encoded(label));
        let answer = self.rest.client.write_any(&doing, Method::Delete, &path, None)?;
        if answer.status != 404 {
            let left: Vec<wire::Label> = answer.good(&doing)?.json(&doing)?;
            if left.into_iter().all(|l| !l.name().eq_ignore_ascii_case(label)) {
                return Ok(());
            }
            return Err(PortError::later(format!(
                "{doing}: the server said that it was done, and it is still there; the next tick tries again"
            )));
        }
        // Not there is what was wanted, where it is the label that is not there.
        if answer.said().contains("Label does not exist") || !self.issue(repo, number)?.has_label(label) {
            return Ok(());
        }
        Err(PortError::later(format!(
            "{doing}: the server said it is not there, and it is; the next tick tries again"
        )))
    }

    fn set_body(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<()> {
        let doing = format!("editing {repo}#{number}");
        let body = json!({ "body": body });
        let changed = self.write(&doing, Method::Patch, &issue_path(repo, number), Some(&body));
        changed.map(drop).map_err(|e| self.really_gone(repo, number, e))
    }

    fn set_open(&self, repo: &RepoId, number: u64, open: bool) -> PortResult<()> {
        let doing = format!("{} {repo}#{number}", if open { "opening" } else { "closing" });
        let body = if open {
            json!({ "state": "open", "state_reason": "reopened" })
        } else {
            json!({ "state": "closed", "state_reason": "completed" })
        };
        let changed = self.write(&doing, Method::Patch, &issue_path(repo, number), Some(&body));
        changed.map(drop).map_err(|e| self.really_gone(repo, number, e))
    }

    fn pulls(&self) -> Option<&dyn Merging> {
        Some(self)
    }

    fn admin(&self) -> Option<&dyn ForgeAdmin> {
        Some(self)
    }

    fn page(&self, repo: &RepoId, issue: Option<u64>) -> Option<String> {
        Some(self.rest.page(repo, issue))
    }
}
