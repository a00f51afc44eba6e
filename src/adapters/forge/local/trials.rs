//! What upgrades know of the local forge: pull requests with their comments, commit statuses, and who is a member. No merge.
//!
//! ```text
//! <root>/<owner>/<name>/statuses/<commit>/0007.toml   a commit status; numbers rise over the whole repository
//! <root>/<owner>/<name>/members                       who may write, a name a line; without it everybody may
//! <root>/<owner>/<name>/pulls/0004.comments/0002.seen  a sign that comment 2 was seen
//! ```
//!
//! A status is `context`, `state` (pending, success, failure, error), and where known `by`, `url`, `description` and `at`.
//! A comment with `edited = true` in its front matter is none that can trigger anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LocalForge;
use super::files::{self, ReadError, failed};
use super::folders::{RepoDir, Room, leading_number};
use super::text::CommentFile;
use crate::boundary;
use crate::domain::model::{Oid, PullRequest, PullState, RepoId, UnixTime};
use crate::domain::upgrade::verdict::{Said, Status};
use crate::ports::{Dispatched, Forge as _, NewStatus, PortError, PortResult, PullComment, Trials};

/// The sign on a comment that it was seen.
const SEEN: &str = "seen";

#[derive(Serialize, Deserialize)]
struct StatusFile {
    context: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Seconds since 1970.
    #[serde(default)]
    at: i64,
}

impl LocalForge {
    fn statuses_dir(&self, repo: &RepoId) -> PathBuf {
        self.root.join(&repo.owner).join(&repo.name).join("statuses")
    }
}

/// The names in a folder; none where it is not there.
fn names(dir: &Path) -> PortResult<Vec<String>> {
    match fs::read_dir(dir) {
        Ok(entries) => {
            let mut names = vec![];
            for entry in entries {
                let name = entry.map_err(|error| failed("listing", dir, &error))?.file_name();
                names.extend(name.to_str().map(str::to_owned));
            }
            names.sort();
            Ok(names)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(failed("listing", dir, &error)),
    }
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(".toml").and_then(|stem| stem.parse().ok())
}

fn no_workflows(repo: &RepoId, workflow: &str) -> PortError {
    PortError::refused(format!(
        "starting the workflow {} of {repo}: a local forge has none; name a program as `argv` in [upgrade.bridge]",
        crate::domain::escape::sanitize(workflow, 60)
    ))
}

impl Trials for LocalForge {
    fn open_pulls(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>> {
        let all = self.list_pulls(repo)?;
        Ok(all.pulls.into_iter().filter(|p| p.state == PullState::Open).collect())
    }

    fn pull_comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<PullComment>> {
        let dir = RepoDir::open(&self.root, repo)?;
        let folder = dir.comments(Room::Pulls, number);
        let mut edited = BTreeSet::new();
        let all = crate::ports::Forge::comments(self, repo, number)?;
        for comment in &all {
            match files::read(&folder.join(format!("{}.md", comment.id))) {
                Ok(raw) => {
                    if CommentFile::parse(raw.bytes).map_or(true, |file| file.edited) {
                        edited.insert(comment.id.clone());
                    }
                }
                Err(ReadError::Gone | ReadError::Flaw(_)) => drop(edited.insert(comment.id.clone())),
                Err(ReadError::Port(error)) => return Err(error),
            }
        }
        Ok(all
            .into_iter()
            .map(|comment| PullComment {
                said: Said {
                    id: leading_number(&comment.id).unwrap_or(0),
                    author: comment.author.as_ref().map(|a| a.login.clone()),
                    body: comment.body.trim_end_matches('\n').to_owned(),
                },
                edited: edited.contains(&comment.id),
                author: comment.author,
                at: comment.at,
            })
            .collect())
    }

    fn say(&self, repo: &RepoId, number: u64, body: &str) -> PortResult<u64> {
        let id = self.put_comment(repo, number, None, body)?;
        leading_number(&id)
            .ok_or_else(|| PortError::broken(format!("a comment got the id `{id}`, which is no number")))
    }

    fn react(&self, repo: &RepoId, number: u64, comment: u64) -> PortResult<()> {
        let dir = RepoDir::open(&self.root, repo)?;
        let lock = dir.lock()?;
        let sign = dir.comments(Room::Pulls, number).join(format!("{comment:04}.{SEEN}"));
        files::create(&sign, format!("{}\n", self.actor).as_bytes(), &lock).map(drop)
    }

    fn statuses(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<Status>> {
        boundary::pass("local forge: read");
        let dir = self.statuses_dir(repo).join(commit.as_str());
        let mut found = vec![];
        for name in names(&dir)? {
            let Some(id) = number_of(&name) else { continue };
            let path = dir.join(&name);
            let text = fs::read_to_string(&path).map_err(|error| failed("reading", &path, &error))?;
            let file: StatusFile = toml::from_str(&text).map_err(|error| {
                PortError::broken(format!(
                    "the status {} makes no sense: {}",
                    path.display(),
                    error.message().replace('\n', " ")
                ))
            })?;
            found.push(Status {
                id,
                commit: commit.clone(),
                context: file.context,
                state: file.state,
                creator: file.by,
                url: file.url,
                at: UnixTime(file.at),
            });
        }
        Ok(found)
    }

    fn dispatch(&self, repo: &RepoId, workflow: &str, _branch: &str) -> PortResult<()> {
        Err(no_workflows(repo, workflow))
    }

    fn dispatched(&self, repo: &RepoId, workflow: &str, _commit: &Oid) -> PortResult<Vec<Dispatched>> {
        Err(no_workflows(repo, workflow))
    }

    fn set_status(&self, repo: &RepoId, commit: &Oid, new: &NewStatus) -> PortResult<u64> {
        let all = self.statuses_dir(repo);
        let lock = RepoDir::open(&self.root, repo)?.lock()?;
        let mut largest = 0;
        for of in names(&all)? {
            for name in names(&all.join(of))? {
                largest = largest.max(number_of(&name).unwrap_or(0));
            }
        }
        let dir = all.join(commit.as_str());
        fs::create_dir_all(&dir).map_err(|error| failed("making", &dir, &error))?;
        let file = StatusFile {
            context: new.context.clone(),
            state: new.state.to_owned(),
            by: Some(self.actor.clone()),
            url: new.url.clone(),
            description: Some(new.description.clone()),
            at: self.clock.now().0,
        };
        let text = toml::to_string(&file)
            .map_err(|error| PortError::refused(format!("a status cannot be written: {error}")))?;
        let id = largest.saturating_add(1);
        if files::create(&dir.join(format!("{id:04}.toml")), text.as_bytes(), &lock)? {
            return Ok(id);
        }
        Err(PortError::later("another status got the same number; it is tried again"))
    }
}
