//! Pull requests on GitHub.

use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use crate::adapters::forge::rest::{pull_path, repo_path};
use crate::adapters::forge::wire::{Pull, User, read};
use crate::adapters::forge::{is_edited, moment, twice};
use crate::adapters::http::{Answer, Method, encoded};
use crate::domain::model::{Oid, PullRequest, PullState, RepoId, Review, ReviewNote, ReviewVerdict};
use crate::ports::{MergeAnswer, Merging, NewPull, PortError, PortResult, PullRequests};

#[derive(Debug, Deserialize)]
struct Said {
    id: u64,
    user: Option<User>,
    #[serde(default)]
    state: String,
    body: Option<String>,
    submitted_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Note {
    pull_request_review_id: Option<u64>,
    path: Option<String>,
    line: Option<u64>,
    original_line: Option<u64>,
    body: Option<String>,
    user: Option<User>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl GitHub {
    /// Those from branches of this very repository: a fork's head is on no branch of it.
    pub(super) fn open_pulls_of(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>> {
        let doing = format!("listing the open pull requests of {repo}");
        let path = format!("{}/pulls?state=open&per_page=100", repo_path(repo));
        let mut found = Vec::new();
        for entry in self.rest.client.pages(&doing, &path)? {
            let pull: Pull = read(entry, &doing)?;
            if pull.is_of(repo) && pull.state == "open" {
                found.push(pull.pull(&doing)?);
            }
        }
        Ok(found)
    }

    fn merge_by(&self, doing: &str, repo: &RepoId, number: u64, head: &Oid, how: &str) -> PortResult<Answer> {
        let path = format!("{}/merge", pull_path(repo, number));
        let body = json!({ "sha": head.as_str(), "merge_method": how });
        self.rest.client.write_any(doing, Method::Put, &path, Some(&body))
    }
}

impl PullRequests for GitHub {
    fn pull_of(&self, repo: &RepoId, branch: &str) -> PortResult<Option<PullRequest>> {
        let doing = format!("looking for a pull request from {branch} in {repo}");
        let path = format!(
            "{}/pulls?head={}&state=all&sort=created&direction=desc&per_page=100",
            repo_path(repo),
            encoded(&format!("{}:{branch}", repo.owner))
        );
        let mut found = Vec::new();
        for entry in self.rest.client.pages(&doing, &path)? {
            let pull: Pull = read(entry, &doing)?;
            // The filter is not trusted: a fork may have a branch of this name.
            if pull.is_of(repo) && pull.head.name == branch {
                found.push(pull.pull(&doing)?);
            }
        }
        let best = found.into_iter().max_by_key(|pull| (pull.state == PullState::Open, pull.number));
        match best {
            // Who merged it is told for the single one only.
            Some(pull) if matches!(pull.state, PullState::Merged { .. }) => {
                self.pull(repo, pull.number).map(Some)
            }
            other => Ok(other),
        }
    }

    fn pull(&self, repo: &RepoId, number: u64) -> PortResult<PullRequest> {
        let doing = format!("reading the pull request {repo}#{number}");
        let path = pull_path(repo, number);
        // A merge is given up for it.
        let answer = twice(|| self.rest.client.get(&doing, &path))?;
        let pull: Pull = answer.json(&doing)?;
        pull.pull(&doing)
    }

    fn open_pull(&self, repo: &RepoId, new: &NewPull) -> PortResult<PullRequest> {
        let doing = format!("opening a pull request from {} in {repo}", new.branch);
        let body = json!({
            "title": new.title, "body": new.body, "head": new.branch, "base": new.target,
            "maintainer_can_modify": false,
        });
        let path = format!("{}/pulls", repo_path(repo));
        let pull: Pull = self.write(&doing, Method::Post, &path, Some(&body))?.json(&doing)?;
        pull.pull(&doing)
    }

    fn edit_pull(&self, repo: &RepoId, number: u64, title: &str, body: &str) -> PortResult<()> {
        let doing = format!("editing the pull request {repo}#{number}");
        let body = json!({ "title": title, "body": body });
        self.write(&doing, Method::Patch, &pull_path(repo, number), Some(&body)).map(drop)
    }

    fn reviews(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Review>> {
        let doing = format!("reading the reviews of {repo}#{number}");
        let path = pull_path(repo, number);
        let said = self.rest.client.pages(&doing, &format!("{path}/reviews?per_page=100"))?;
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let mut notes = Vec::new();
        for entry in self.rest.client.pages(&doing, &format!("{path}/comments?per_page=100"))? {
            notes.push(read::<Note>(entry, &doing)?);
        }
        let mut reviews = Vec::new();
        for entry in said {
            let said: Said = read(entry, &doing)?;
            let verdict = match said.state.as_str() {
                "APPROVED" => ReviewVerdict::Approved,
                "CHANGES_REQUESTED" => ReviewVerdict::ChangesRequested,
                "DISMISSED" => ReviewVerdict::Dismissed,
                // Not sent yet: nobody but its author sees it.
                "PENDING" => continue,
                _ => ReviewVerdict::Commented,
            };
            let own = notes.iter().filter(|n| n.pull_request_review_id == Some(said.id));
            reviews.push(Review {
                id: said.id.to_string(),
                author: said.user.and_then(User::person),
                at: said.submitted_at.as_deref().and_then(moment).unwrap_or_default(),
                verdict,
                body: said.body.unwrap_or_default(),
                notes: own
                    .map(|n| ReviewNote {
                        path: n.path.clone(),
                        line: n.line.or(n.original_line),
                        body: n.body.clone().unwrap_or_default(),
                        author: n.user.clone().and_then(User::person),
                        edited: is_edited(n.created_at.as_deref(), n.updated_at.as_deref()),
                    })
                    .collect(),
            });
        }
        reviews.sort_by_key(|review| review.at);
        Ok(reviews)
    }

    fn close_pull(&self, repo: &RepoId, number: u64) -> PortResult<()> {
        let doing = format!("closing the pull request {repo}#{number}");
        if self.pull(repo, number)?.state != PullState::Open {
            return Ok(());
        }
        let body = json!({ "state": "closed" });
        self.write(&doing, Method::Patch, &pull_path(repo, number), Some(&body)).map(drop)
    }
}

impl Merging for GitHub {
    fn merge_pull(&self, repo: &RepoId, number: u64, head: &Oid) -> PortResult<MergeAnswer> {
        let doing = format!("merging {repo}#{number}");
        let mut refused = None;
        // A repository may forbid some of the ways.
        for how in ["merge", "squash", "rebase"] {
            let mut answer = self.merge_by(&doing, repo, number, head, how)?;
            if matches!(answer.status, 403 | 404) {
                // It ends a run; a rule that forbids it answers otherwise.
                answer = self.merge_by(&doing, repo, number, head, how)?;
            }
            match answer.status {
                200 => {
                    let merged: Value = answer.json(&doing)?;
                    return Ok(MergeAnswer::Merged(
                        merged.get("sha").and_then(Value::as_str).and_then(Oid::parse),
                    ));
                }
                405 if answer.said().contains("not allowed") => refused = Some(answer.error(&doing)),
                _ => {
                    refused = Some(answer.error(&doing));
                    break;
                }
            }
        }
        // It may have been merged before, by an answer that was lost or by somebody else.
        let now = self.pull(repo, number)?;
        match now.state {
            PullState::Merged { commit, .. } => Ok(MergeAnswer::Merged(commit)),
            PullState::Open if now.head != *head => Ok(MergeAnswer::HeadMoved),
            PullState::Open | PullState::Closed => {
                Err(refused.unwrap_or_else(|| PortError::later(format!("{doing}: it was not merged"))))
            }
        }
    }
}
