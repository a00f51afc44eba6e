//! The JSON that GitHub and Gitea spell alike, as far as it is read. What is missing or null where a server may leave it
//! out has a default.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{is_edited, moment};
use crate::domain::escape::sanitize;
use crate::domain::model::{self, Oid, Person, PullRequest, PullState, RepoId};
use crate::domain::upgrade::verdict::Said;
use crate::ports::{PortError, PortResult, PullComment};

pub(super) fn read<T: DeserializeOwned>(entry: Value, doing: &str) -> PortResult<T> {
    serde_json::from_value(entry).map_err(|error| {
        PortError::broken(format!(
            "{doing}: an entry cannot be understood: {error}. The next tick tries again."
        ))
    })
}

pub(super) fn read_all<T: DeserializeOwned>(entries: Vec<Value>, doing: &str) -> PortResult<Vec<T>> {
    entries.into_iter().map(|entry| read(entry, doing)).collect()
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    id: i64,
    pub(super) login: String,
    /// Only GitHub says it.
    #[serde(rename = "type", default)]
    kind: String,
}

impl User {
    /// Accounts below zero are Gitea's own: -1 stands for somebody who was deleted, the others for programs.
    pub(super) fn person(self) -> Option<Person> {
        let nobody = self.id == -1 || self.login.is_empty();
        let bot = self.kind == "Bot" || self.id < 0 || self.login.ends_with("[bot]");
        (!nobody).then_some(Person { bot, login: self.login })
    }
}

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "as the servers tell it")]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) full_name: String,
    pub(super) default_branch: String,
    #[serde(default)]
    pub(super) private: bool,
    #[serde(default)]
    pub(super) archived: bool,
    /// Only Gitea says it.
    #[serde(default)]
    pub(super) mirror: bool,
    /// A server that says nothing of it has them.
    #[serde(default = "yes")]
    pub(super) has_issues: bool,
    /// What the asker may do, where the server says so.
    pub(super) permissions: Option<Rights>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
pub(super) struct Rights {
    #[serde(default)]
    pub(super) admin: bool,
    #[serde(default)]
    pub(super) push: bool,
    #[serde(default)]
    pub(super) pull: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    id: u64,
    user: Option<User>,
    #[serde(default)]
    created_at: String,
    updated_at: Option<String>,
    body: Option<String>,
}

impl Comment {
    pub(super) fn comment(self) -> model::Comment {
        model::Comment {
            id: self.id.to_string(),
            at: moment(&self.created_at).unwrap_or_default(),
            edited: is_edited(Some(&self.created_at), self.updated_at.as_deref()),
            author: self.user.and_then(User::person),
            body: self.body.unwrap_or_default(),
        }
    }

    /// As trials know it. What was changed so many seconds after it was made counts as edited.
    pub(super) fn pull_comment(self, same_moment_seconds: i64) -> PullComment {
        let at = moment(&self.created_at);
        // Whose moment cannot be read may have been edited.
        let edited = match (at, self.updated_at.as_deref().and_then(moment)) {
            (Some(at), Some(changed)) => !(0..=same_moment_seconds).contains(&changed.since(at)),
            (_, _) => true,
        };
        let author = self.user.and_then(User::person);
        PullComment {
            said: Said {
                id: self.id,
                author: author.as_ref().map(|a| a.login.clone()),
                body: self.body.unwrap_or_default(),
            },
            author,
            at: at.unwrap_or_default(),
            edited,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Made {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    title: String,
    body: Option<String>,
    pub(super) state: String,
    html_url: Option<String>,
    /// Gitea says it so, also in a list; GitHub has only the moment there.
    #[serde(default)]
    merged: bool,
    merged_at: Option<String>,
    merge_commit_sha: Option<String>,
    merged_by: Option<User>,
    pub(super) head: End,
    base: End,
}

#[derive(Debug, Deserialize)]
pub(super) struct End {
    /// On Gitea, of a branch that is gone: `refs/pull/<n>/head`.
    #[serde(rename = "ref")]
    pub(super) name: String,
    /// On Gitea the branch's name also then; on GitHub with its owner before it.
    #[serde(default)]
    label: String,
    #[serde(default)]
    sha: String,
    repo: Option<OfRepo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfRepo {
    #[serde(default)]
    pub(super) full_name: String,
}

impl Pull {
    /// Whether it is from this very repository: a fork may have a branch of the same name.
    pub(super) fn is_of(&self, repo: &RepoId) -> bool {
        self.head.repo.as_ref().is_some_and(|r| r.full_name.eq_ignore_ascii_case(&repo.path()))
    }

    pub(super) fn is_from(&self, repo: &RepoId, branch: &str) -> bool {
        self.is_of(repo) && (self.head.name == branch || self.head.label == branch)
    }

    pub(super) fn pull(self, doing: &str) -> PortResult<PullRequest> {
        let head = Oid::parse(&self.head.sha).ok_or_else(|| {
            PortError::broken(format!("{doing}: `{}` is no commit", sanitize(&self.head.sha, 50)))
        })?;
        let state = match (self.state.as_str(), self.merged || self.merged_at.is_some()) {
            (_, true) => PullState::Merged {
                commit: self.merge_commit_sha.as_deref().and_then(Oid::parse),
                by: self.merged_by.and_then(User::person),
            },
            ("open", false) => PullState::Open,
            (_, false) => PullState::Closed,
        };
        let gone = self.head.name.starts_with("refs/pull/") && !self.head.label.is_empty();
        Ok(PullRequest {
            number: self.number,
            title: self.title,
            body: self.body.unwrap_or_default(),
            branch: if gone { self.head.label } else { self.head.name },
            target: self.base.name,
            head,
            state,
            link: self.html_url,
        })
    }
}
