//! Pull requests of the local forge.
//!
//! ```text
//! +++
//! title = "Parse empty input"
//! state = "open"                  # or "closed" or "merged"; open where it is missing
//! branch = "parse-empty-input"
//! target = "main"
//! author = "ann"
//! head = "0123..."                # of a closed or merged one: where the branch was
//! commit = "4567..."              # the commit that brings it to the target
//! by = "ann"                      # who closed or merged it
//! +++
//!
//! What it is about.
//! ```
//!
//! The head of an open one is its branch in the bare repository; `refs/pull/<n>/head` keeps the last one seen, as
//! forges do. The repository has the last word: an open one that the target contains is merged, whoever did it, and
//! one whose branch is gone is closed. A merge is written down before it is done, so that one that was ended half way
//! is known for what it is.
//!
//! A review's front matter has `by`, `at`, `verdict` (`approved`, `changes-requested`, `commented`, `dismissed`),
//! `head`, and remarks on single places as `[[note]]` tables with `path`, `line` and `text`.

mod merge;
mod repo_pulls;

pub use merge::Method;

use std::fs;

use super::files::{self, ReadError, failed};
use super::folders::{RepoDir, Room, Scan, ids, leading_number, next_review};
use super::text::pull::{self as pull_text, NewReview, PullFile, ReviewFile, Stated};
use super::text::{self, Flaw};
use super::{Loaded, LocalForge, TRIES, load, load_all};
use crate::adapters::git::bare::{RefChange, is_branch};
use crate::domain::model::{
    Comment, Oid, Person, PullRequest, PullState, RepoId, Review, ReviewNote, ReviewVerdict, UnixTime,
};
use crate::ports::{BrokenIssue, Forge as _, Hosting as _, NewPull, PortError, PortResult, PullRequests};
use repo_pulls::{RepoPulls, head_ref, nothing_new};

/// A pull request with everything about it, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholePull {
    pub pull: PullRequest,
    pub author: Option<String>,
    pub reviews: Vec<Review>,
    pub comments: Vec<Comment>,
}

/// Everything in a repo's folder of pull requests, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllPulls {
    pub pulls: Vec<PullRequest>,
    pub broken: Vec<BrokenIssue>,
}

impl LocalForge {
    /// Every pull request of a repo, open, closed and merged.
    pub fn list_pulls(&self, repo: &RepoId) -> PortResult<AllPulls> {
        let desk = self.repo_pulls(repo)?;
        let (files, mut broken) = Self::pull_files(&desk.dir)?;
        let mut pulls = Vec::new();
        for (number, path, file) in files {
            match desk.view(number, &path, &file, &self.actor) {
                Ok(pull) => pulls.push(self.kept(&desk, pull)),
                // One file's trouble does not stop the others.
                Err(error) => broken.push(BrokenIssue { number: Some(number), what: error.to_string() }),
            }
        }
        Ok(AllPulls { pulls, broken })
    }

    /// One pull request with its reviews and comments.
    pub fn show_pull(&self, repo: &RepoId, number: u64) -> PortResult<WholePull> {
        let desk = self.repo_pulls(repo)?;
        let loaded = load(&desk.dir, Room::Pulls, number, PullFile::parse)?;
        let pull = desk.view(number, &loaded.path, &loaded.file, &self.actor)?;
        let reviews = self.reviews(repo, number)?;
        let comments = self.comments(repo, number)?;
        Ok(WholePull { pull: self.kept(&desk, pull), author: loaded.file.author, reviews, comments })
    }

    /// Opens one in somebody's name.
    pub fn open_pull_as(&self, repo: &RepoId, new: &NewPull, who: &str) -> PortResult<PullRequest> {
        let NewPull { title, body, branch, target } = new;
        let doing = format!("opening a pull request in {repo}");
        let text = pull_text::new_pull(title, branch, target, who, body);
        if text.len() > text::MAX_BYTES {
            return Err(PortError::refused(format!("{doing}: its text is larger than 1 MB; shorten it")));
        }
        for name in [branch, target] {
            if !is_branch(name) {
                return Err(PortError::refused(format!(
                    "{doing}: {} is no name that git allows a branch; choose another one",
                    name.escape_debug()
                )));
            }
        }
        // What could not be read again is not written.
        PullFile::parse(text.clone().into_bytes())
            .map_err(|flaw| PortError::refused(flaw.sentence(&doing)))?;
        let mut desk = self.repo_pulls(repo)?;
        let mut lock = desk.dir.lock()?;
        desk.refresh()?;
        let head = self.may_open(&desk, &doing, branch, target)?;
        let number = Self::new_file(&desk.dir, Room::Pulls, &text, &mut lock)?;
        desk.bare.change_refs(&[RefChange::Set(head_ref(number), head)])?;
        desk.refresh()?;
        let loaded = load(&desk.dir, Room::Pulls, number, PullFile::parse)?;
        desk.view(number, &loaded.path, &loaded.file, &self.actor)
    }

    /// What a pull request would bring to its target, as a diff; of a merged one, what it brought.
    pub fn pull_diff(&self, repo: &RepoId, pull: &PullRequest) -> PortResult<String> {
        let desk = self.repo_pulls(repo)?;
        let target = desk.branch(&pull.target).ok_or_else(|| {
            PortError::gone(format!("{repo} has no branch {} (any more); push it first", pull.target))
        })?;
        match &pull.state {
            // In each way of merging the target was at its first parent, or at work of this one.
            PullState::Merged { commit: Some(commit), .. } => {
                desk.bare.diff(&format!("{commit}^1"), &pull.head)
            }
            PullState::Merged { commit: None, .. } | PullState::Open | PullState::Closed => {
                desk.bare.diff(target.as_str(), &pull.head)
            }
        }
    }

    /// The branch that work is taken into unless another one is named.
    pub fn default_branch(&self, repo: &RepoId) -> PortResult<String> {
        Ok(self.remote(repo)?.default_branch)
    }

    /// Says something of a pull request in somebody's name; returns the review's id.
    pub fn review_as(&self, repo: &RepoId, number: u64, new: &NewReview, who: &str) -> PortResult<String> {
        let pull = self.pull(repo, number)?;
        let text = pull_text::new_review(new, &pull.head, who, self.clock.now());
        let about = format!("a review of {repo}#{number}");
        if text.len() > text::MAX_BYTES {
            return Err(PortError::refused(format!("{about} is larger than 1 MB; shorten it")));
        }
        // What could not be read again is not written.
        ReviewFile::parse(text.clone().into_bytes())
            .map_err(|flaw| PortError::refused(flaw.sentence(&about)))?;
        let dir = RepoDir::open(&self.root, repo)?;
        let folder = dir.reviews(number);
        let lock = dir.lock()?;
        fs::create_dir_all(&folder).map_err(|error| failed("making", &folder, &error))?;
        for _ in 0..TRIES {
            let id = format!("{:04}", next_review(&folder, &ids(&folder)?, &lock)?);
            if files::create(&folder.join(format!("{id}.md")), text.as_bytes(), &lock)? {
                return Ok(id);
            }
        }
        Err(PortError::later(format!("finding a free number in {} failed; try again", folder.display())))
    }

    /// Closes it unmerged in somebody's name. True where that changed anything.
    pub fn close_as(&self, repo: &RepoId, number: u64, who: &str) -> PortResult<bool> {
        let desk = self.repo_pulls(repo)?;
        let lock = desk.dir.lock()?;
        let loaded = load(&desk.dir, Room::Pulls, number, PullFile::parse)?;
        if loaded.file.state != Stated::Open {
            return Ok(false);
        }
        let pull = desk.view(number, &loaded.path, &loaded.file, &self.actor)?;
        if let PullState::Merged { .. } = pull.state {
            self.settle(&desk.dir, &pull, &loaded, &lock)?;
            return Ok(false);
        }
        desk.bare.change_refs(&[RefChange::Set(head_ref(number), pull.head.clone())])?;
        let closed = [("state", Stated::Closed.word()), ("head", pull.head.as_str()), ("by", who)];
        self.state(&desk.dir, number, &closed, &lock)
    }

    /// Opens a closed one again. True where that changed anything.
    pub fn reopen_pull(&self, repo: &RepoId, number: u64) -> PortResult<bool> {
        let desk = self.repo_pulls(repo)?;
        let lock = desk.dir.lock()?;
        let loaded = load(&desk.dir, Room::Pulls, number, PullFile::parse)?;
        let doing = format!("opening {repo}#{number} again");
        let pull = desk.view(number, &loaded.path, &loaded.file, &self.actor)?;
        match pull.state {
            PullState::Open => return Ok(false),
            PullState::Closed => {}
            PullState::Merged { .. } => {
                return Err(PortError::refused(format!(
                    "{doing}: it is merged; open a new one for new work"
                )));
            }
        }
        self.may_open(&desk, &doing, &pull.branch, &pull.target)?;
        self.state(&desk.dir, number, &[("state", Stated::Open.word())], &lock)
    }

    fn pull_files(dir: &RepoDir) -> PortResult<(Vec<(u64, std::path::PathBuf, PullFile)>, Vec<BrokenIssue>)> {
        let Scan { entries, mut broken, .. } = dir.scan(Room::Pulls, "")?;
        let good = load_all(dir, Room::Pulls, &entries, &mut broken, PullFile::parse);
        let path = |number: u64| {
            let name = entries.iter().find(|e| e.number == number).map(|e| e.name.as_str());
            dir.folder(Room::Pulls).join(name.unwrap_or_default())
        };
        Ok((good.into_iter().map(|(number, _, file)| (number, path(number), file)).collect(), broken))
    }

    /// The newest pull request of a branch, an open one before any other.
    fn newest(&self, desk: &RepoPulls, branch: &str) -> PortResult<Option<PullRequest>> {
        let (files, broken) = Self::pull_files(&desk.dir)?;
        let mut newest = None;
        for (number, path, file) in files.iter().rev().filter(|(_, _, file)| file.branch == branch) {
            match desk.view(*number, path, file, &self.actor) {
                Ok(pull) if pull.state == PullState::Open => return Ok(Some(pull)),
                Ok(pull) => drop(newest.get_or_insert(pull)),
                // What is over and has lost its commits says nothing of this branch.
                Err(PortError::Broken { .. }) if file.state != Stated::Open => {}
                Err(error) => return Err(error),
            }
        }
        // One that cannot be read may be the open one: then "none" would be a guess.
        for BrokenIssue { number, what } in &broken {
            let Some(number) = number else { continue };
            let name = desk.dir.find(Room::Pulls, *number).unwrap_or_default();
            let text = files::read(&desk.dir.folder(Room::Pulls).join(name)).map(|raw| raw.bytes);
            if text.is_ok_and(|text| String::from_utf8_lossy(&text).contains(branch)) {
                return Err(PortError::broken(format!(
                    "looking for the pull request of the branch {branch}: it may be one that cannot be read: {what}"
                )));
            }
        }
        Ok(newest)
    }

    /// Refuses where a pull request from `branch` into `target` would make no sense.
    fn may_open(&self, desk: &RepoPulls, doing: &str, branch: &str, target: &str) -> PortResult<Oid> {
        let there = |name: &str| {
            desk.branch(name).ok_or_else(|| {
                PortError::refused(format!("{doing}: there is no branch {name}; push it first"))
            })
        };
        let (head, onto) = (there(branch)?, there(target)?);
        if desk.bare.contains(onto, head)? {
            return Err(nothing_new(doing, branch, target));
        }
        match self.newest(desk, branch)? {
            Some(open) if open.state == PullState::Open => Err(PortError::refused(format!(
                "{doing}: {}#{} from the branch {branch} is open already",
                desk.repo, open.number
            ))),
            Some(_) | None => Ok(head.clone()),
        }
    }
}

impl PullRequests for LocalForge {
    fn pull_of(&self, repo: &RepoId, branch: &str) -> PortResult<Option<PullRequest>> {
        let desk = self.repo_pulls(repo)?;
        Ok(self.newest(&desk, branch)?.map(|pull| self.kept(&desk, pull)))
    }

    fn pull(&self, repo: &RepoId, number: u64) -> PortResult<PullRequest> {
        let desk = self.repo_pulls(repo)?;
        let loaded = load(&desk.dir, Room::Pulls, number, PullFile::parse)?;
        let pull = desk.view(number, &loaded.path, &loaded.file, &self.actor)?;
        Ok(self.kept(&desk, pull))
    }

    fn open_pull(&self, repo: &RepoId, new: &NewPull) -> PortResult<PullRequest> {
        self.open_pull_as(repo, new, &self.actor)
    }

    fn edit_pull(&self, repo: &RepoId, number: u64, title: &str, body: &str) -> PortResult<()> {
        let dir = RepoDir::open(&self.root, repo)?;
        let lock = dir.lock()?;
        let edit = |loaded: &Loaded<PullFile>| loaded.file.with_text(title, body);
        self.change(&dir, Room::Pulls, number, PullFile::parse, &edit, &lock).map(drop)
    }

    /// A review that cannot be read is given without an author, so that nobody trusts it.
    fn reviews(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Review>> {
        let dir = RepoDir::open(&self.root, repo)?;
        dir.find(Room::Pulls, number)?;
        crate::boundary::pass("local forge: read");
        let folder = dir.reviews(number);
        let mut reviews = Vec::new();
        for id in ids(&folder)? {
            let unreadable = |id: String, at: UnixTime, flaw: &Flaw| Review {
                body: flaw.sentence(&dir.show(Room::Pulls, &format!("{number:04}.reviews/{id}.md"))),
                id,
                author: None,
                at,
                verdict: ReviewVerdict::Commented,
                notes: Vec::new(),
            };
            let raw = match files::read(&folder.join(format!("{id}.md"))) {
                Ok(raw) => raw,
                Err(ReadError::Gone) => continue,
                Err(ReadError::Flaw(flaw)) => {
                    reviews.push(unreadable(id, UnixTime(0), &flaw));
                    continue;
                }
                Err(ReadError::Port(error)) => return Err(error),
            };
            let hand = raw.hand();
            reviews.push(match ReviewFile::parse(raw.bytes) {
                Ok(file) => {
                    let author = Some(Person {
                        bot: file.by.as_ref() == Some(&self.actor),
                        login: file.by.clone().unwrap_or(hand.by),
                    });
                    let body = file.body().to_owned();
                    // A review is one file, of one person.
                    let own = |note| ReviewNote { author: author.clone(), ..note };
                    let notes = file.notes.into_iter().map(own).collect();
                    let at = file.at.unwrap_or(hand.at);
                    Review { author, at, verdict: file.verdict, body, notes, id }
                }
                Err(flaw) => unreadable(id, hand.at, &flaw),
            });
        }
        reviews.sort_by_key(|review| (review.at, leading_number(&review.id)));
        Ok(reviews)
    }

    fn close_pull(&self, repo: &RepoId, number: u64) -> PortResult<()> {
        self.close_as(repo, number, &self.actor).map(drop)
    }
}
