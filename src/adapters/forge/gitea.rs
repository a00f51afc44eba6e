//! Gitea and Forgejo: one API, with the differences between them and from version to version as data.
//!
//! What bites here: a label filter with a name that does not exist filters nothing; adding a label that does not exist
//! is answered with success; pages of a timeline run short and end with an empty one or `null`; a body can be edited
//! without a trace; who may do what may be asked by few. None of it is taken for the harmless case.

mod admin;
mod approval;
mod checks;
mod pulls;
mod trials;
mod wire;

use serde_json::{Value, json};

use crate::adapters::forge::rest::{Rest, issue_path, really_gone, repo_path};
use crate::adapters::forge::wire::{Comment as CommentWire, Made, read};
use crate::adapters::http::{Answer, Client, Method, encoded, numbered};
use crate::domain::model::{ApprovalEvidence, Blocker, Comment, Issue, Permission, Person, RepoId, Seen};
use crate::ports::{
    BrokenIssue, Capabilities, Forge, ForgeAdmin, Hosting, Listing, Merging, PortError, PortResult, Remote,
};

/// The most that every server gives in a page.
const PAGE: usize = 50;
/// Pages of one list of ready issues.
const MAX_LIST_PAGES: usize = 50;
/// Of a label that we make.
const LABEL_COLOUR: &str = "ededed";

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Gitea,
    Forgejo,
}

pub struct Gitea {
    rest: Rest,
    flavour: Flavour,
}

impl Gitea {
    /// `web` is what a browser knows, without a slash at its end; `git` git's address with `{owner}` and `{name}`.
    pub fn new(client: Client, flavour: Flavour, web: String, git: String) -> Self {
        Self { rest: Rest::new(client, web, git), flavour }
    }

    fn list_path(repo: &RepoId, label: &str) -> String {
        format!("{}/issues?state=open&type=issues&labels={}", repo_path(repo), encoded(label))
    }

    /// A write whose answer says what came of it. One that says nothing is somebody else's.
    fn write(&self, doing: &str, method: Method, path: &str, body: &Value) -> PortResult<Answer> {
        let answer = self.rest.client.write(doing, method, path, Some(body))?;
        answer.json::<serde::de::IgnoredAny>(doing)?;
        Ok(answer)
    }

    /// A write that is answered by 201 or 204 and maybe nothing more. A bare 200 is somebody else's.
    fn write_silent(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> PortResult<Answer> {
        let answer = self.rest.client.write(doing, method, path, body)?;
        if answer.status == 200 {
            return Err(PortError::later(format!(
                "{doing}: {} said yes in another way than it does. The next tick tries again.",
                self.rest.client.name()
            )));
        }
        Ok(answer)
    }

    fn fetch_issue(&self, repo: &RepoId, number: u64) -> PortResult<wire::Issue> {
        let doing = format!("reading {repo}#{number}");
        let found: wire::Issue = self.rest.client.get(&doing, &issue_path(repo, number))?.json(&doing)?;
        if found.pull_request.is_some() {
            return Err(PortError::gone(format!("{doing}: it is a pull request and no issue")));
        }
        if found.number != number {
            return Err(PortError::gone(format!("{doing}: it moved")));
        }
        Ok(found)
    }

    fn really_gone(&self, repo: &RepoId, number: u64, error: PortError) -> PortError {
        really_gone(error, repo, number, || self.fetch_issue(repo, number))
    }

    /// The issues that the forge itself says this one waits for. Closed ones stay in that list.
    fn dependencies(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Blocker>> {
        let doing = format!("reading what {repo}#{number} waits for");
        let path = format!("{}/dependencies", issue_path(repo, number));
        let entries = match self.rest.client.pages_counted(&doing, &path, PAGE) {
            Ok(entries) => entries,
            // Dependencies can be switched off for a repository: then there are none.
            Err(PortError::Gone { .. }) => {
                self.fetch_issue(repo, number)?;
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let mut blockers = Vec::new();
        for entry in entries {
            blockers.push(match serde_json::from_value::<wire::Issue>(entry) {
                Ok(found) => Blocker { name: found.name(repo), open: Seen::Known(found.state != "closed") },
                Err(error) => Blocker {
                    name: "an issue it depends on".to_owned(),
                    open: Seen::Unreadable(format!("it cannot be read: {error}")),
                },
            });
        }
        Ok(blockers)
    }

    /// The id of a label that issues of the repository can be given. There may be several of a name.
    fn label_of(&self, repo: &RepoId, label: &str) -> PortResult<Option<u64>> {
        let found = |labels: Vec<wire::Label>| {
            labels.into_iter().find(|known| known.name.eq_ignore_ascii_case(label)).map(|known| known.id)
        };
        match found(self.own_labels(repo)?) {
            Some(id) => Ok(Some(id)),
            None => Ok(found(self.shared_labels(repo)?)),
        }
    }

    fn add_label(&self, repo: &RepoId, number: u64, label: &str) -> PortResult<()> {
        let doing = format!("adding the label {label} to {repo}#{number}");
        let path = format!("{}/labels", issue_path(repo, number));
        let add = |what: Value| -> PortResult<bool> {
            let answer = self.write(&doing, Method::Post, &path, &json!({ "labels": [what] }));
            let answer = answer.map_err(|e| self.really_gone(repo, number, e))?;
            let mut there = false;
            for entry in answer.list(&doing, "")? {
                there |= read::<wire::Label>(entry, &doing)?.name.eq_ignore_ascii_case(label);
            }
            Ok(there)
        };
        // A name that does not exist is left out without a word, so it is looked for first, and made.
        let mut id = self.label_of(repo, label)?;
        if id.is_none() {
            self.make_label(repo, label, LABEL_COLOUR, "")?;
            id = self.label_of(repo, label)?;
        }
        if let Some(id) = id
            && add(json!(id))?
        {
            return Ok(());
        }
        Err(PortError::later(format!(
            "{doing}: {} says yes, and it is not there. The next tick tries again.",
            self.rest.client.name()
        )))
    }

    fn drop_label(&self, repo: &RepoId, number: u64, label: &str) -> PortResult<()> {
        let doing = format!("taking the label {label} from {repo}#{number}");
        let found = self.fetch_issue(repo, number)?;
        let Some(id) = found.label_id(label) else { return Ok(()) };
        // Only one of the two takes a name here.
        let path = format!("{}/labels/{id}", issue_path(repo, number));
        let answer = self.rest.client.write_any(&doing, Method::Delete, &path, None)?;
        if answer.status == 204 {
            return Ok(());
        }
        let gone = answer.is_success() || answer.status == 404;
        if gone && !self.issue(repo, number)?.has_label(label) {
            return Ok(());
        }
        if answer.is_success() {
            return Err(PortError::later(format!(
                "{doing}: {} says yes, and it is still there. The next tick tries again.",
                self.rest.client.name()
            )));
        }
        Err(self.really_gone(repo, number, answer.error(&doing)))
    }
}

impl Hosting for Gitea {
    fn remote(&self, repo: &RepoId) -> PortResult<Remote> {
        self.rest.remote(repo)
    }

    fn permission(&self, repo: &RepoId, person: &Person) -> PortResult<Permission> {
        let ask = |doing: &str, path: &str| {
            let answer = self.rest.client.get_any(doing, path)?;
            if answer.status == 403 {
                return Err(PortError::refused(format!(
                    "{doing}: {} answered 403{}. Only an administrator of the repository may ask that: make the token's \
                     account one, or name the people in `trust.people`.",
                    self.rest.client.name(),
                    answer.said()
                )));
            }
            answer.good(doing)
        };
        self.rest.permission(repo, person, ask, |word| match word {
            "owner" | "admin" => Some(Permission::Admin),
            "write" => Some(Permission::Write),
            "read" => Some(Permission::Read),
            "none" | "" => Some(Permission::None),
            _ => None,
        })
    }
}

impl Forge for Gitea {
    fn capabilities(&self) -> Capabilities {
        Capabilities { edit_history: false, conditional: false, writers_are_trusted: false }
    }

    fn place(&self, repo: &RepoId) -> PortResult<String> {
        Ok(self.rest.page(repo, None))
    }

    fn read_ahead(&self, asked: &[(RepoId, Option<String>)], label: &str) {
        let repos: Vec<RepoId> = asked.iter().map(|(repo, _)| repo.clone()).collect();
        let request = |repo| (numbered(&Self::list_path(repo, label), PAGE, 1), None);
        self.rest.read_ahead(repos.clone(), &repos.iter().map(request).collect::<Vec<_>>());
    }

    fn list(&self, repo: &RepoId, label: &str, _etag: Option<&str>) -> PortResult<Listing> {
        let doing = format!("reading the ready issues of {repo}");
        let (mut issues, mut broken, mut seen) = (Vec::new(), Vec::new(), 0);
        for page in 1..=MAX_LIST_PAGES {
            let ahead = if page == 1 { self.rest.ahead.borrow_mut().remove(repo) } else { None };
            let answer = match ahead {
                Some(answer) => answer?.good(&doing)?,
                None => self.rest.client.get(&doing, &numbered(&Self::list_path(repo, label), PAGE, page))?,
            };
            let entries = answer.list(&doing, "")?;
            seen += entries.len();
            let last = entries.is_empty() || answer.total.is_some_and(|total| seen >= total);
            let mut unfiltered = false;
            for entry in entries {
                let number = entry.get("number").and_then(Value::as_u64);
                match serde_json::from_value::<wire::Issue>(entry) {
                    Ok(found) if found.pull_request.is_some() => {}
                    Ok(found) => {
                        let issue = found.issue();
                        unfiltered |= !issue.has_label(label);
                        issues.push(issue);
                    }
                    Err(error) => broken.push(BrokenIssue {
                        number,
                        what: format!("an issue of {repo} cannot be understood: {error}"),
                    }),
                }
            }
            // With a name that no label has the filter is left out, and every open issue comes.
            if unfiltered && self.label_of(repo, label)?.is_none() {
                let what =
                    format!("{repo} has no label {label}: make it, or set `ready_label` to the one you use");
                let broken = vec![BrokenIssue { number: None, what }];
                return Ok(Listing::Issues { issues: Vec::new(), etag: None, broken });
            }
            if last {
                issues.retain(|issue| issue.open && issue.has_label(label));
                return Ok(Listing::Issues { issues, etag: None, broken });
            }
        }
        Err(PortError::broken(format!(
            "{doing}: {} gave more than {MAX_LIST_PAGES} pages. That is not believed to end; the next tick tries again.",
            self.rest.client.name()
        )))
    }

    fn issue(&self, repo: &RepoId, number: u64) -> PortResult<Issue> {
        Ok(self.fetch_issue(repo, number)?.issue())
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

    /// All of them come at once: this list has no pages.
    fn comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Comment>> {
        let doing = format!("reading the comments of {repo}#{number}");
        let path = format!("{}/comments", issue_path(repo, number));
        let entries = self.rest.client.get(&doing, &path)?.list(&doing, "")?;
        entries.into_iter().map(|entry| read(entry, &doing).map(CommentWire::comment)).collect()
    }

    fn find_comment(&self, repo: &RepoId, number: u64, marker: &str) -> PortResult<Option<String>> {
        super::own_comment(&self.comments(repo, number)?, marker, || self.rest.login())
    }

    fn put_comment(&self, repo: &RepoId, number: u64, id: Option<&str>, body: &str) -> PortResult<String> {
        let text = json!({ "body": body });
        let Some(id) = id else {
            let doing = format!("commenting on {repo}#{number}");
            let path = format!("{}/comments", issue_path(repo, number));
            let made = self.write(&doing, Method::Post, &path, &text);
            let made: Made = made.map_err(|e| self.really_gone(repo, number, e))?.json(&doing)?;
            return Ok(made.id.to_string());
        };
        let doing = format!("editing a comment on {repo}#{number}");
        let path = format!("{}/issues/comments/{}", repo_path(repo), encoded(id));
        // A comment that is no plain one is answered by 204.
        let edited = self.rest.client.write(&doing, Method::Patch, &path, Some(&text))?;
        if edited.status != 204 {
            edited.json::<serde::de::IgnoredAny>(&doing)?;
        }
        Ok(id.to_owned())
    }

    fn set_label(&self, repo: &RepoId, number: u64, label: &str, present: bool) -> PortResult<()> {
        if present { self.add_label(repo, number, label) } else { self.drop_label(repo, number, label) }
    }

    fn set_open(&self, repo: &RepoId, number: u64, open: bool) -> PortResult<()> {
        let doing = format!("{} {repo}#{number}", if open { "opening" } else { "closing" });
        let body = json!({ "state": if open { "open" } else { "closed" } });
        let answer =
            self.rest.client.write_any(&doing, Method::Patch, &issue_path(repo, number), Some(&body))?;
        if answer.status == 412 {
            return Err(PortError::refused(format!(
                "{doing}: it depends on issues that are open, and {} does not close it before them. Close those, or \
                 take the dependency away.",
                self.rest.client.name()
            )));
        }
        let answer = answer.good(&doing).map_err(|e| self.really_gone(repo, number, e))?;
        answer.json::<serde::de::IgnoredAny>(&doing).map(drop)
    }

    fn set_body(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<()> {
        let doing = format!("editing {repo}#{number}");
        let body = json!({ "body": body });
        let changed = self.write(&doing, Method::Patch, &issue_path(repo, number), &body);
        changed.map(drop).map_err(|e| self.really_gone(repo, number, e))
    }

    fn admin(&self) -> Option<&dyn ForgeAdmin> {
        Some(self)
    }

    fn page(&self, repo: &RepoId, issue: Option<u64>) -> Option<String> {
        Some(self.rest.page(repo, issue))
    }

    fn pulls(&self) -> Option<&dyn Merging> {
        Some(self)
    }
}
