//! What upgrades know of GitHub: pull requests with their comments, commit statuses, and who may write. No merge.
//!
//! Comments and statuses have ids that rise over everything there, so that a later one has a greater id.

use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use crate::adapters::forge::moment;
use crate::adapters::forge::rest::{comment_number, issue_path, repo_path};
use crate::adapters::forge::wire::{Comment, Made, User, read_all};
use crate::adapters::http::{Method, encoded};
use crate::domain::escape::sanitize;
use crate::domain::model::{Oid, PullRequest, RepoId};
use crate::domain::upgrade::verdict::Status;
use crate::ports::{Dispatched, Forge as _, NewStatus, PortResult, PullComment, Trials};

/// The sign that a trigger was seen.
const SEEN: &str = "eyes";
/// The event of runs that were asked for by name.
const ASKED_FOR: &str = "workflow_dispatch";

#[derive(Debug, Deserialize)]
struct StatusOf {
    id: u64,
    #[serde(default)]
    context: String,
    state: String,
    target_url: Option<String>,
    creator: Option<User>,
    created_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RunOf {
    id: u64,
    #[serde(default)]
    event: String,
    #[serde(default)]
    head_sha: String,
    #[serde(default)]
    status: String,
    conclusion: Option<String>,
}

impl Trials for GitHub {
    fn open_pulls(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>> {
        self.open_pulls_of(repo)
    }

    fn pull_comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<PullComment>> {
        let doing = format!("reading the comments of {repo}#{number}");
        let path = format!("{}/comments?per_page=100", issue_path(repo, number));
        let all: Vec<Comment> = read_all(self.rest.client.pages(&doing, &path)?, &doing)?;
        Ok(all.into_iter().map(|c| c.pull_comment(0)).collect())
    }

    fn say(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<u64> {
        let id = self.put_comment(repo, number, None, body)?;
        comment_number(&id, repo, number)
    }

    fn react(&self, repo: &RepoId, _number: u64, comment: u64) -> PortResult<()> {
        let doing = format!("answering a comment in {repo}");
        let path = format!("{}/issues/comments/{comment}/reactions", repo_path(repo));
        self.rest.client.write(&doing, Method::Post, &path, Some(&json!({ "content": SEEN }))).map(drop)
    }

    fn statuses(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<Status>> {
        let doing = format!("reading the statuses of {} in {repo}", commit.short());
        let path = format!("{}/commits/{commit}/statuses?per_page=100", repo_path(repo));
        let all: Vec<StatusOf> = read_all(self.rest.client.pages(&doing, &path)?, &doing)?;
        Ok(all
            .into_iter()
            .map(|status| Status {
                id: status.id,
                commit: commit.clone(),
                context: status.context,
                state: status.state,
                creator: status.creator.map(|user| user.login),
                url: status.target_url.filter(|url| !url.is_empty()),
                at: status.created_at.as_deref().and_then(moment).unwrap_or_default(),
            })
            .collect())
    }

    fn set_status(&self, repo: &RepoId, commit: &Oid, new: &NewStatus) -> PortResult<u64> {
        let doing = format!("setting a status of {} in {repo}", commit.short());
        let path = format!("{}/statuses/{commit}", repo_path(repo));
        let body = json!({
            "state": new.state, "context": new.context, "description": new.description, "target_url": new.url,
        });
        let made: Made = self.rest.client.write(&doing, Method::Post, &path, Some(&body))?.json(&doing)?;
        Ok(made.id)
    }

    fn dispatch(&self, repo: &RepoId, workflow: &str, branch: &str) -> PortResult<()> {
        let doing = format!("starting the workflow {} in {repo}", sanitize(workflow, 60));
        let path = format!("{}/actions/workflows/{}/dispatches", repo_path(repo), encoded(workflow));
        self.rest.client.write(&doing, Method::Post, &path, Some(&json!({ "ref": branch }))).map(drop)
    }

    fn dispatched(&self, repo: &RepoId, workflow: &str, commit: &Oid) -> PortResult<Vec<Dispatched>> {
        let doing = format!("reading the runs of the workflow {} in {repo}", sanitize(workflow, 60));
        let path = format!(
            "{}/actions/workflows/{}/runs?event={ASKED_FOR}&head_sha={commit}&per_page=100",
            repo_path(repo),
            encoded(workflow)
        );
        let all: Vec<RunOf> = read_all(self.rest.client.pages_of(&doing, &path, "workflow_runs")?, &doing)?;
        // A filter is not trusted.
        let own = all.into_iter().filter(|r| r.event == ASKED_FOR && r.head_sha == commit.as_str());
        Ok(own
            .map(|run| Dispatched {
                id: run.id,
                green: (run.status == "completed").then(|| run.conclusion.as_deref() == Some("success")),
            })
            .collect())
    }
}
