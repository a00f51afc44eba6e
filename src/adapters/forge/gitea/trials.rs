//! What upgrades know of Gitea and Forgejo: pull requests with their comments, commit statuses, and who may write. No merge.
//!
//! Ids of comments rise over everything there, those of statuses over a commit, which is what trials are compared by.

use serde::Deserialize;
use serde_json::json;

use super::{Gitea, PAGE};
use crate::adapters::forge::moment;
use crate::adapters::forge::rest::{comment_number, issue_path, repo_path};
use crate::adapters::forge::wire::{Comment, Made, User, read};
use crate::adapters::http::{Method, encoded};
use crate::domain::escape::sanitize;
use crate::domain::model::{Oid, PullRequest, RepoId};
use crate::domain::upgrade::verdict::Status;
use crate::ports::{Dispatched, Forge as _, NewStatus, PortResult, PullComment, Trials};

/// The sign that a trigger was seen.
const SEEN: &str = "eyes";
/// The server looks at its clock twice for a new comment: for when it was made, and for when it was changed.
const SAME_MOMENT_SECONDS: i64 = 1;

#[derive(Debug, Deserialize)]
struct StatusOf {
    id: u64,
    #[serde(default)]
    context: String,
    #[serde(rename = "status", default)]
    word: String,
    target_url: Option<String>,
    creator: Option<User>,
    #[serde(default)]
    created_at: String,
}

impl Trials for Gitea {
    fn open_pulls(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>> {
        self.open_pulls_of(repo)
    }

    fn pull_comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<PullComment>> {
        let doing = format!("reading the comments of {repo}#{number}");
        let path = format!("{}/comments", issue_path(repo, number));
        let entries = self.rest.client.get(&doing, &path)?.list(&doing, "")?;
        let read = |entry| read::<Comment>(entry, &doing).map(|c| c.pull_comment(SAME_MOMENT_SECONDS));
        entries.into_iter().map(read).collect()
    }

    fn say(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<u64> {
        let id = self.put_comment(repo, number, None, body)?;
        comment_number(&id, repo, number)
    }

    fn react(&self, repo: &RepoId, _number: u64, comment: u64) -> PortResult<()> {
        let doing = format!("answering a comment in {repo}");
        let path = format!("{}/issues/comments/{comment}/reactions", repo_path(repo));
        self.write(&doing, Method::Post, &path, &json!({ "content": SEEN })).map(drop)
    }

    fn statuses(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<Status>> {
        let doing = format!("reading the statuses of {} in {repo}", commit.short());
        let path = format!("{}/commits/{commit}/statuses", repo_path(repo));
        let mut found = vec![];
        for entry in self.rest.client.pages_counted(&doing, &path, PAGE)? {
            let status: StatusOf = read(entry, &doing)?;
            found.push(Status {
                id: status.id,
                commit: commit.clone(),
                context: status.context,
                state: status.word,
                creator: status.creator.map(|user| user.login).filter(|login| !login.is_empty()),
                url: status.target_url.filter(|url| !url.is_empty()),
                at: moment(&status.created_at).unwrap_or_default(),
            });
        }
        Ok(found)
    }

    fn set_status(&self, repo: &RepoId, commit: &Oid, new: &NewStatus) -> PortResult<u64> {
        let doing = format!("setting a status of {} in {repo}", commit.short());
        let path = format!("{}/statuses/{commit}", repo_path(repo));
        let body = json!({
            "state": new.state, "context": new.context, "description": new.description, "target_url": new.url,
        });
        let made: Made = self.write(&doing, Method::Post, &path, &body)?.json(&doing)?;
        Ok(made.id)
    }

    fn dispatch(&self, repo: &RepoId, workflow: &str, branch: &str) -> PortResult<()> {
        let doing = format!("starting the workflow {} in {repo}", sanitize(workflow, 60));
        let path = format!("{}/actions/workflows/{}/dispatches", repo_path(repo), encoded(workflow));
        let body = json!({ "ref": format!("refs/heads/{branch}") });
        self.write_silent(&doing, Method::Post, &path, Some(&body)).map(drop)
    }

    fn dispatched(&self, repo: &RepoId, workflow: &str, commit: &Oid) -> PortResult<Vec<Dispatched>> {
        self.asked_for(repo, workflow, commit)
    }
}
