//! Who put the label on, and who edited the text since.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{GitHub, wire};
use crate::adapters::forge::moment;
use crate::adapters::forge::rest::issue_path;
use crate::domain::escape::sanitize;
use crate::domain::model::{ApprovalEvidence, Edit, EditHistory, Issue, Labelled, Person, RepoId, UnixTime};
use crate::ports::{PortError, PortResult};

/// Everything at once, so that no edit lies between two answers. Fixed: a dry run may ask it, too.
const QUERY: &str = "query($owner: String!, $name: String!, $number: Int!, $before: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      createdAt
      lastEditedAt
      editor { login __typename }
      userContentEdits(first: 100) {
        pageInfo { hasNextPage }
        nodes { editedAt editor { login __typename } }
      }
      timelineItems(last: 100, before: $before, itemTypes: [LABELED_EVENT, UNLABELED_EVENT, RENAMED_TITLE_EVENT]) {
        pageInfo { hasPreviousPage startCursor }
        nodes {
          __typename
          ... on LabeledEvent { id createdAt actor { login __typename } label { name } }
          ... on UnlabeledEvent { id createdAt label { name } }
          ... on RenamedTitleEvent { id createdAt actor { login __typename } }
        }
      }
    }
  }
}";

/// Pages of a hundred label changes and renames; more than that is somebody's mischief.
const MAX_PAGES: usize = 20;

#[derive(Debug, Deserialize)]
struct Reply {
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<Flaw>,
}

#[derive(Debug, Deserialize)]
struct Flaw {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    message: String,
}

#[derive(Debug, Deserialize)]
struct Data {
    viewer: Option<Actor>,
    repository: Option<Repository>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    issue: Option<Found>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    created_at: String,
    last_edited_at: Option<String>,
    editor: Option<Actor>,
    user_content_edits: Option<ContentEdits>,
    timeline_items: Timeline,
}

#[derive(Debug, Deserialize)]
struct Actor {
    login: String,
    #[serde(rename = "__typename", default)]
    kind: String,
}

impl Actor {
    /// GraphQL leaves out the `[bot]` that everybody else writes behind a bot's name; without it a person of that
    /// name would be taken for it.
    fn person(&self) -> Person {
        let bot = self.kind == "Bot";
        let bare = bot && !self.login.ends_with("[bot]");
        Person { login: if bare { format!("{}[bot]", self.login) } else { self.login.clone() }, bot }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContentEdits {
    page_info: Page,
    nodes: Option<Vec<Option<ContentEdit>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContentEdit {
    edited_at: String,
    editor: Option<Actor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timeline {
    page_info: Page,
    nodes: Option<Vec<Option<Item>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Page {
    #[serde(rename = "hasNextPage")]
    more_after: bool,
    #[serde(rename = "hasPreviousPage")]
    more_before: bool,
    start_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(rename = "__typename")]
    kind: String,
    #[serde(default)]
    id: String,
    created_at: Option<String>,
    actor: Option<Actor>,
    label: Option<LabelName>,
}

#[derive(Debug, Deserialize)]
struct LabelName {
    name: String,
}

impl GitHub {
    pub(super) fn evidence(&self, repo: &RepoId, issue: &Issue, label: &str) -> PortResult<ApprovalEvidence> {
        if !self.no_graphql.get() {
            if let Some(evidence) = self.asked_by_query(repo, issue.number, label)? {
                return Ok(evidence);
            }
            self.no_graphql.set(true);
        }
        self.read_from_timeline(repo, issue, label)
    }

    /// `None`: the server has no GraphQL.
    fn asked_by_query(
        &self,
        repo: &RepoId,
        number: u64,
        label: &str,
    ) -> PortResult<Option<ApprovalEvidence>> {
        let doing = format!("asking who approved {repo}#{number}");
        let mut before = Value::Null;
        let mut items = Vec::new();
        for _ in 0..MAX_PAGES {
            let variables =
                json!({ "owner": repo.owner, "name": repo.name, "number": number, "before": before });
            let answer =
                self.graphql.query(&doing, "", &json!({ "query": QUERY, "variables": variables }))?;
            if matches!(answer.status, 404 | 405 | 501) {
                return Ok(None);
            }
            let reply: Reply = answer.good(&doing)?.json(&doing)?;
            let mut found = self.found(reply, &doing)?;
            let page = std::mem::take(&mut found.timeline_items.page_info);
            let mut nodes = found.timeline_items.nodes.take().unwrap_or_default();
            nodes.append(&mut items);
            items = nodes;
            let known = items.iter().flatten().any(|item| item.changes(label));
            if known || !page.more_before {
                let items: Vec<Item> = items.into_iter().flatten().collect();
                return evidence(&found, &items, label, &doing).map(Some);
            }
            before = page.start_cursor.map_or(Value::Null, Value::String);
            if before.is_null() {
                break;
            }
        }
        Err(PortError::broken(format!(
            "{doing}: its history of labels has no end; take the label off and on again"
        )))
    }

    fn found(&self, reply: Reply, doing: &str) -> PortResult<Found> {
        if let Some(flaw) = reply.errors.first() {
            let said = sanitize(&flaw.message, 200);
            return Err(match flaw.kind.as_deref() {
                Some("NOT_FOUND") => PortError::gone(format!("{doing}: it is not there (any more): {said}")),
                Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => PortError::refused(format!(
                    "{doing}: the token may not ask this: {said}. Check its rights."
                )),
                Some(_) | None => {
                    PortError::later(format!("{doing}: the query failed: {said}. The next tick tries again."))
                }
            });
        }
        let data = reply.data.ok_or_else(|| PortError::broken(format!("{doing}: the answer is empty")))?;
        // An app's name is spelt in more than one way here.
        if let Some(viewer) = data.viewer.as_ref().filter(|_| self.app.is_none()) {
            *self.rest.own_login.borrow_mut() = Some(viewer.login.clone());
        }
        let issue = data.repository.and_then(|r| r.issue);
        issue.ok_or_else(|| PortError::gone(format!("{doing}: it is not there (any more)")))
    }

    /// Without GraphQL: who labelled is known and who renamed, edits of the body are not.
    fn read_from_timeline(&self, repo: &RepoId, issue: &Issue, label: &str) -> PortResult<ApprovalEvidence> {
        let doing = format!("reading the timeline of {repo}#{}", issue.number);
        // Read again: what stands in the list may be older than the timeline.
        let now = self.fetch_issue(repo, issue.number)?;
        let path = format!("{}/timeline?per_page=100", issue_path(repo, issue.number));
        let mut labelled: Option<Labelled> = None;
        let mut renames = Vec::new();
        for entry in self.rest.client.pages(&doing, &path)? {
            let event: wire::Event = serde_json::from_value(entry).map_err(|error| {
                PortError::broken(format!("{doing}: an entry cannot be understood: {error}"))
            })?;
            match event.kind.as_str() {
                "labeled" if event.is_of(label) => {
                    let at = event.at().ok_or_else(|| {
                        PortError::broken(format!("{doing}: when the label was put on cannot be read"))
                    })?;
                    labelled = Some(Labelled { event_id: event.id(), at, by: event.who() });
                }
                "unlabeled" if event.is_of(label) => labelled = None,
                "renamed" => {
                    let at = event.at().unwrap_or(UnixTime(i64::MAX));
                    renames.push(Edit { at, by: event.who() });
                }
                _ => {}
            }
        }
        let now = now.issue();
        if now.text_hash != issue.text_hash {
            return Err(PortError::later(format!(
                "{doing}: its text changed meanwhile; the next tick looks again"
            )));
        }
        let since = labelled.as_ref().map_or(UnixTime(0), |l| l.at);
        renames.retain(|edit| edit.at >= since);
        let edits = EditHistory::Titles { renames, author: now.author, counted: false };
        Ok(ApprovalEvidence { labelled, edits })
    }
}

impl Item {
    fn changes(&self, label: &str) -> bool {
        matches!(self.kind.as_str(), "LabeledEvent" | "UnlabeledEvent")
            && self.label.as_ref().is_some_and(|l| l.name.eq_ignore_ascii_case(label))
    }
}

fn evidence(found: &Found, items: &[Item], label: &str, doing: &str) -> PortResult<ApprovalEvidence> {
    let at = |text: &str| {
        moment(text).ok_or_else(|| {
            PortError::broken(format!("{doing}: `{}` is no moment in time", sanitize(text, 40)))
        })
    };
    let last = items.iter().rev().find(|item| item.changes(label)).filter(|item| item.kind == "LabeledEvent");
    let Some(item) = last else {
        return Ok(ApprovalEvidence { labelled: None, edits: EditHistory::Complete(Vec::new()) });
    };
    let labelled = Labelled {
        event_id: item.id.clone(),
        at: at(item.created_at.as_deref().unwrap_or_default())?,
        by: item.actor.as_ref().map(Actor::person),
    };
    let mut edits = Vec::new();
    for item in items.iter().filter(|item| item.kind == "RenamedTitleEvent") {
        let moment = at(item.created_at.as_deref().unwrap_or_default())?;
        edits.push(Edit { by: item.actor.as_ref().map(Actor::person), at: moment });
    }
    let known = found.user_content_edits.as_ref();
    for edit in known.and_then(|e| e.nodes.as_ref()).into_iter().flatten().flatten() {
        // The first one is the writing of the text itself.
        if edit.edited_at != found.created_at {
            edits.push(Edit { by: edit.editor.as_ref().map(Actor::person), at: at(&edit.edited_at)? });
        }
    }
    if let Some(last) = &found.last_edited_at {
        let last = at(last)?;
        if !edits.iter().any(|edit| edit.at == last) {
            edits.push(Edit { by: found.editor.as_ref().map(Actor::person), at: last });
        }
        if known.is_some_and(|e| e.page_info.more_after) {
            edits.push(Edit { by: None, at: last });
        }
    }
    // In the same second may be after it.
    edits.retain(|edit| edit.at >= labelled.at);
    edits.sort_by_key(|edit| edit.at);
    Ok(ApprovalEvidence { labelled: Some(labelled), edits: EditHistory::Complete(edits) })
}
