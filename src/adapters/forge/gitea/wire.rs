//! The JSON of Gitea and Forgejo alone, as far as it is read. What is missing or null where a server may leave it out has a
//! default.

use serde::Deserialize;
use serde_json::Value;

use crate::adapters::forge::wire::{OfRepo, User};
use crate::adapters::forge::{moment, text_hash};
use crate::domain::model::{self, Person, RepoId};

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) id: u64,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    title: String,
    body: Option<String>,
    pub(super) state: String,
    labels: Option<Vec<Label>>,
    user: Option<User>,
    #[serde(default)]
    updated_at: String,
    pub(super) pull_request: Option<Value>,
    repository: Option<OfRepo>,
    /// How often its body was edited; from Gitea 1.26 on.
    pub(super) content_version: Option<u64>,
}

impl Issue {
    /// `#7`, or `owner/name#7` where it is of another repository.
    pub(super) fn name(&self, own: &RepoId) -> String {
        match &self.repository {
            Some(of) if !of.full_name.is_empty() && !of.full_name.eq_ignore_ascii_case(&own.path()) => {
                format!("{}#{}", of.full_name, self.number)
            }
            Some(_) | None => format!("#{}", self.number),
        }
    }

    pub(super) fn label_id(&self, label: &str) -> Option<u64> {
        let same = |l: &&Label| l.name.eq_ignore_ascii_case(label);
        self.labels.iter().flatten().find(same).map(|l| l.id)
    }

    pub(super) fn issue(self) -> model::Issue {
        let body = self.body.unwrap_or_default();
        model::Issue {
            number: self.number,
            text_hash: text_hash(&self.title, &body),
            title: self.title,
            body,
            open: self.state == "open",
            labels: self.labels.unwrap_or_default().into_iter().map(|l| l.name).collect(),
            author: self.user.and_then(User::person),
            updated_at: moment(&self.updated_at).unwrap_or_default(),
            priority: None,
        }
    }
}

/// An entry of an issue's timeline. Of a label the body says whether it was put on ("1") or taken off ("").
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) id: u64,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    user: Option<User>,
    #[serde(default)]
    pub(super) created_at: String,
    label: Option<Label>,
    body: Option<String>,
}

impl Event {
    pub(super) fn is_of(&self, label: &str) -> bool {
        self.label.as_ref().is_some_and(|l| l.name.eq_ignore_ascii_case(label))
    }

    pub(super) fn puts_on(&self) -> bool {
        self.body.as_deref() == Some("1")
    }

    pub(super) fn who(self) -> Option<Person> {
        self.user.and_then(User::person)
    }
}
