//! Who put the label on, and what is known of later edits: of titles who and when, of bodies next to nothing.

use super::{Gitea, PAGE, wire};
use crate::adapters::forge::moment;
use crate::adapters::forge::rest::issue_path;
use crate::adapters::forge::wire::read;
use crate::domain::escape::sanitize;
use crate::domain::model::{ApprovalEvidence, Edit, EditHistory, Issue, Labelled, RepoId, UnixTime};
use crate::ports::{PortError, PortResult};

impl Gitea {
    pub(super) fn evidence(&self, repo: &RepoId, issue: &Issue, label: &str) -> PortResult<ApprovalEvidence> {
        let doing = format!("reading the timeline of {repo}#{}", issue.number);
        // Read again: what stands in the list may be older than the timeline.
        let now = self.fetch_issue(repo, issue.number)?;
        let path = format!("{}/timeline", issue_path(repo, issue.number));
        let mut labelled: Option<Labelled> = None;
        let mut renames = Vec::new();
        // Its pages run short, and the count that comes with them is that of the page.
        for entry in self.rest.client.pages_until_empty(&doing, &path, PAGE)? {
            let event: wire::Event = read(entry, &doing)?;
            let at = moment(&event.created_at).ok_or_else(|| {
                PortError::broken(format!("{doing}: `{}` is no moment", sanitize(&event.created_at, 40)))
            })?;
            match event.kind.as_str() {
                "label" if event.is_of(label) && event.puts_on() => {
                    labelled = Some(Labelled { event_id: event.id.to_string(), at, by: event.who() });
                }
                "label" if event.is_of(label) => labelled = None,
                "change_title" => renames.push(Edit { at, by: event.who() }),
                _ => {}
            }
        }
        let (never_edited, counted) = (now.content_version == Some(0), now.content_version.is_some());
        let now = now.issue();
        if now.text_hash != issue.text_hash {
            return Err(PortError::later(format!(
                "{doing}: its text changed meanwhile; the next tick looks again"
            )));
        }
        // In the same second may be after it.
        let since = labelled.as_ref().map_or(UnixTime(0), |l| l.at);
        renames.retain(|edit| edit.at >= since);
        let edits = if never_edited {
            EditHistory::Complete(renames)
        } else {
            EditHistory::Titles { renames, author: now.author, counted }
        };
        Ok(ApprovalEvidence { labelled, edits })
    }
}
