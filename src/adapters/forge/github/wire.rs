//! GitHub's own JSON, as far as it is read. What is missing or null where GitHub may leave it out has a default.

use serde::Deserialize;
use serde_json::Value;

use crate::adapters::forge::wire::User;
use crate::adapters::forge::{moment, text_hash};
use crate::domain::model::{self, Person, UnixTime};

#[derive(Debug, Deserialize)]
pub(super) struct LabelFacts {
    pub(super) name: String,
}

/// Labels are objects, or, from old servers, words.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Label {
    Object { name: String },
    Word(String),
}

impl Label {
    pub(super) fn name(self) -> String {
        match self {
            Self::Object { name } | Self::Word(name) => name,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    title: String,
    body: Option<String>,
    pub(super) state: String,
    #[serde(default)]
    labels: Vec<Label>,
    user: Option<User>,
    updated_at: String,
    pub(super) pull_request: Option<Value>,
    #[serde(rename = "issue_dependencies_summary")]
    pub(super) dependencies: Option<Value>,
}

impl Issue {
    pub(super) fn issue(self) -> model::Issue {
        let body = self.body.unwrap_or_default();
        model::Issue {
            number: self.number,
            text_hash: text_hash(&self.title, &body),
            title: self.title,
            body,
            open: self.state == "open",
            labels: self.labels.into_iter().map(Label::name).collect(),
            author: self.user.and_then(User::person),
            updated_at: moment(&self.updated_at).unwrap_or_default(),
            priority: None,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    number: u64,
    pub(super) state: String,
    #[serde(default)]
    repository_url: String,
}

impl Dependency {
    /// `#7`, or `owner/name#7` where it is of another repository than `own`, which is `/repos/owner/name/`.
    pub(super) fn name(&self, own: &str) -> String {
        let mut parts = self.repository_url.rsplit('/');
        let (name, owner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let here = own.eq_ignore_ascii_case(&format!("/repos/{owner}/{name}/"));
        if here || self.repository_url.is_empty() {
            format!("#{}", self.number)
        } else {
            format!("{owner}/{name}#{}", self.number)
        }
    }
}

/// An entry of an issue's timeline. Comments have a user, other entries an actor.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "event", default)]
    pub(super) kind: String,
    id: Option<Value>,
    actor: Option<User>,
    user: Option<User>,
    created_at: Option<String>,
    submitted_at: Option<String>,
    label: Option<LabelFacts>,
}

impl Event {
    pub(super) fn is_of(&self, label: &str) -> bool {
        self.label.as_ref().is_some_and(|l| l.name.eq_ignore_ascii_case(label))
    }

    pub(super) fn at(&self) -> Option<UnixTime> {
        self.created_at.as_deref().or(self.submitted_at.as_deref()).and_then(moment)
    }

    pub(super) fn id(&self) -> String {
        match &self.id {
            Some(Value::String(id)) => id.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    pub(super) fn who(self) -> Option<Person> {
        self.actor.or(self.user).and_then(User::person)
    }
}
