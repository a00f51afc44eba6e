//! Pull requests on Gitea and Forgejo.

use serde::Deserialize;
use serde_json::json;

use super::{Gitea, PAGE};
use crate::adapters::forge::rest::{pull_path, repo_path};
use crate::adapters::forge::wire::{Pull, User, read};
use crate::adapters::forge::{is_edited, moment, twice};
use crate::adapters::http::{Method, numbered};
use crate::domain::model::{Oid, PullRequest, PullState, RepoId, Review, ReviewNote, ReviewVerdict};
use crate::ports::{MergeAnswer, Merging, NewPull, PortError, PortResult, PullRequests};

/// Of pull requests, newest first, this many pages are looked through for the one of a branch.
const MAX_PAGES: usize = 20;

#[derive(Debug, Deserialize)]
struct Said {
    id: u64,
    user: Option<User>,
    #[serde(default)]
    state: String,
    body: Option<String>,
    submitted_at: Option<String>,
    #[serde(default)]
    dismissed: bool,
    #[serde(default)]
    comments_count: u64,
}

#[derive(Debug, Deserialize)]
struct Note {
    path: Option<String>,
    position: Option<u64>,
    original_position: Option<u64>,
    body: Option<String>,
    user: Option<User>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl Gitea {
    /// Those from branches of this very repository: a fork's head is on no branch of it.
    pub(super) fn open_pulls_of(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>> {
        let doing = format!("listing the open pull requests of {repo}");
        let path = format!("{}/pulls?state=open", repo_path(repo));
        let mut found = Vec::new();
        for entry in self.rest.client.pages_counted(&doing, &path, PAGE)? {
            let pull: Pull = read(entry, &doing)?;
            let branch = pull.head.name.clone();
            if pull.is_from(repo, &branch) && pull.state == "open" {
                found.push(pull.pull(&doing)?);
            }
        }
        Ok(found)
    }

    /// The newest of the branch among those of a state. The server's own filter is not there on all of them.
    fn newest_of(&self, repo: &RepoId, branch: &str, state: &str) -> PortResult<Option<PullRequest>> {
        let doing = format!("looking for a pull request from {branch} in {repo}");
        let path = format!("{}/pulls?state={state}&sort=recentupdate", repo_path(repo));
        let (mut best, mut seen) = (None::<PullRequest>, 0);
        for page in 1..=MAX_PAGES {
            let answer = self.rest.client.get(&doing, &numbered(&path, PAGE, page))?;
            let entries = answer.list(&doing, "")?;
            seen += entries.len();
            let last = entries.is_empty() || answer.total.is_some_and(|total| seen >= total);
            for entry in entries {
                let pull: Pull = read(entry, &doing)?;
                if pull.is_from(repo, branch) && best.as_ref().is_none_or(|b| b.number < pull.number) {
                    best = Some(pull.pull(&doing)?);
                }
            }
            if last || best.is_some() {
                return Ok(best);
            }
        }
        if state == "open" {
            return Err(PortError::broken(format!(
                "{doing}: {} gave more than {MAX_PAGES} pages of open ones. The next tick tries again.",
                self.rest.client.name()
            )));
        }
        // Whatever is further back is not of a run that is in flight.
        Ok(None)
    }

    fn notes(&self, repo: &RepoId, number: u64, review: u64) -> PortResult<Vec<ReviewNote>> {
        let doing = format!("reading the reviews of {repo}#{number}");
        let path = format!("{}/reviews/{review}/comments", pull_path(repo, number));
        let mut notes = Vec::new();
        for entry in self.rest.client.get(&doing, &path)?.list(&doing, "")? {
            let note: Note = read(entry, &doing)?;
            let line = note.position.filter(|line| *line > 0).or(note.original_position);
            notes.push(ReviewNote {
                path: note.path,
                line: line.filter(|line| *line > 0),
                body: note.body.unwrap_or_default(),
                author: note.user.and_then(User::person),
                edited: is_edited(note.created_at.as_deref(), note.updated_at.as_deref()),
            });
        }
        Ok(notes)
    }
}

impl PullRequests for Gitea {
    fn pull_of(&self, repo: &RepoId, branch: &str) -> PortResult<Option<PullRequest>> {
        match self.newest_of(repo, branch, "open")? {
            Some(pull) => Ok(Some(pull)),
            None => self.newest_of(repo, branch, "closed"),
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
        let body = json!({ "title": new.title, "body": new.body, "head": new.branch, "base": new.target });
        let path = format!("{}/pulls", repo_path(repo));
        let pull: Pull = self.write(&doing, Method::Post, &path, &body)?.json(&doing)?;
        pull.pull(&doing)
    }

    fn edit_pull(&self, repo: &RepoId, number: u64, title: &str, body: &str) -> PortResult<()> {
        let doing = format!("editing the pull request {repo}#{number}");
        let body = json!({ "title": title, "body": body });
        self.write(&doing, Method::Patch, &pull_path(repo, number), &body).map(drop)
    }

    fn reviews(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Review>> {
        let doing = format!("reading the reviews of {repo}#{number}");
        let path = format!("{}/reviews", pull_path(repo, number));
        let mut reviews = Vec::new();
        for entry in self.rest.client.pages_counted(&doing, &path, PAGE)? {
            let said: Said = read(entry, &doing)?;
            let verdict = match said.state.as_str() {
                _ if said.dismissed => ReviewVerdict::Dismissed,
                "APPROVED" => ReviewVerdict::Approved,
                "REQUEST_CHANGES" => ReviewVerdict::ChangesRequested,
                // Not sent yet; and what only asks somebody to review.
                "PENDING" | "REQUEST_REVIEW" => continue,
                _ => ReviewVerdict::Commented,
            };
            let notes = if said.comments_count > 0 { self.notes(repo, number, said.id)? } else { Vec::new() };
            reviews.push(Review {
                id: said.id.to_string(),
                author: said.user.and_then(User::person),
                at: said.submitted_at.as_deref().and_then(moment).unwrap_or_default(),
                verdict,
                body: said.body.unwrap_or_default(),
                notes,
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
        self.write(&doing, Method::Patch, &pull_path(repo, number), &body).map(drop)
    }
}

impl Merging for Gitea {
    fn merge_pull(&self, repo: &RepoId, number: u64, head: &Oid) -> PortResult<MergeAnswer> {
        let doing = format!("merging {repo}#{number}");
        let path = format!("{}/merge", pull_path(repo, number));
        let mut refused = PortError::later(format!("{doing}: it was not merged"));
        // A repository may forbid some of the ways.
        for how in ["merge", "squash", "rebase", "rebase-merge", "fast-forward-only"] {
            let body = json!({ "Do": how, "head_commit_id": head.as_str() });
            let mut answer = self.rest.client.write_any(&doing, Method::Post, &path, Some(&body))?;
            if matches!(answer.status, 403 | 404) {
                // It ends a run; what forbids it for good answers the same again.
                answer = self.rest.client.write_any(&doing, Method::Post, &path, Some(&body))?;
            }
            if answer.is_success() {
                // Yes is said without a word, as by anybody: whether it is merged is read.
                break;
            }
            refused = answer.error(&doing);
            let said = answer.said();
            if answer.status == 405 && said.contains("try again later") {
                // Whether it can be merged is being worked out.
                refused = PortError::later(format!(
                    "{doing}: {} cannot tell yet whether it can be merged{said}. The next tick tries again.",
                    self.rest.client.name()
                ));
            }
            if !(answer.status == 405 && said.contains("allowed merge style")) {
                break;
            }
        }
        // It may have been merged before, by an answer that was lost or by somebody else.
        let now = self.pull(repo, number)?;
        match now.state {
            PullState::Merged { commit, .. } => Ok(MergeAnswer::Merged(commit)),
            PullState::Open if now.head != *head => Ok(MergeAnswer::HeadMoved),
            PullState::Open | PullState::Closed => Err(refused),
        }
    }
}
