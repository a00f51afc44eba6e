//! Comments of issues and pull requests, a file each.

use std::fs;

use super::files::{self, ReadError, Replaced, failed};
use super::folders::{RepoDir, ids, leading_number};
use super::text::{self, CommentFile, Flaw};
use super::{LocalForge, PAUSE, TRIES, contended};
use crate::boundary;
use crate::domain::model::{Comment, Person, RepoId, UnixTime};
use crate::ports::{PortError, PortResult};

impl LocalForge {
    /// Adds a comment in somebody's name; returns its id.
    pub fn comment_as(&self, repo: &RepoId, number: u64, body: &str, who: &str) -> PortResult<String> {
        let dir = RepoDir::open(&self.root, repo)?;
        let room = dir.room_of(number)?;
        dir.find(room, number)?;
        let text = text::new_comment(body, who, self.clock.now());
        if text.len() > text::MAX_BYTES {
            return Err(PortError::refused(format!(
                "a comment on {repo}#{number} is larger than 1 MB; shorten it"
            )));
        }
        let lock = dir.lock()?;
        let folder = dir.comments(room, number);
        fs::create_dir_all(&folder).map_err(|error| failed("making", &folder, &error))?;
        for _ in 0..TRIES {
            let largest = ids(&folder)?.iter().filter_map(|id| leading_number(id)).max();
            let id = format!("{:04}", largest.unwrap_or(0).saturating_add(1));
            if files::create(&folder.join(format!("{id}.md")), text.as_bytes(), &lock)? {
                return Ok(id);
            }
        }
        Err(PortError::later(format!(
            "finding a free comment number in {} failed; try again",
            folder.display()
        )))
    }

    pub(super) fn rewrite_comment(&self, repo: &RepoId, number: u64, id: &str, body: &str) -> PortResult<()> {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if id.is_empty() || id.starts_with('.') || !id.chars().all(good) {
            return Err(PortError::refused(format!(
                "{} is no comment of {repo}#{number}; ids are made of letters, digits, '-', '_' and '.'",
                id.escape_debug()
            )));
        }
        let dir = RepoDir::open(&self.root, repo)?;
        let room = dir.room_of(number)?;
        dir.find(room, number)?;
        let path = dir.comments(room, number).join(format!("{id}.md"));
        let lock = dir.lock()?;
        for _ in 0..TRIES {
            boundary::pass("local forge: read");
            let raw = match files::read(&path) {
                Ok(raw) => raw,
                Err(ReadError::Gone) => {
                    return Err(PortError::gone(format!(
                        "{repo}#{number} has no comment {id} (any more): there is no file {}",
                        path.display()
                    )));
                }
                Err(ReadError::Flaw(flaw)) => {
                    return Err(PortError::refused(flaw.sentence(&path.display().to_string())));
                }
                Err(ReadError::Port(error)) => return Err(error),
            };
            let comment = CommentFile::parse(raw.bytes.clone())
                .map_err(|flaw| PortError::refused(flaw.sentence(&path.display().to_string())))?;
            let Some(text) = comment.with_body(body, &self.actor, self.clock.now()) else { return Ok(()) };
            match self.replace(&path, &raw, text.as_bytes(), &lock)? {
                Replaced::Done => return Ok(()),
                Replaced::Changed => std::thread::sleep(PAUSE),
            }
        }
        Err(contended(&format!("comment {id} of {repo}#{number}")))
    }

    /// A comment that cannot be read is given without an author, so that nobody trusts it.
    pub(super) fn comments_of(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Comment>> {
        let dir = RepoDir::open(&self.root, repo)?;
        let room = dir.room_of(number)?;
        dir.find(room, number)?;
        boundary::pass("local forge: read");
        let folder = dir.comments(room, number);
        let mut comments = Vec::new();
        for id in ids(&folder)? {
            let unreadable = |id: &str, at: UnixTime, flaw: &Flaw| Comment {
                id: id.to_owned(),
                author: None,
                at,
                body: flaw.sentence(&dir.show(room, &format!("{number:04}.comments/{id}.md"))),
                edited: false,
            };
            let raw = match files::read(&folder.join(format!("{id}.md"))) {
                Ok(raw) => raw,
                Err(ReadError::Gone) => continue,
                Err(ReadError::Flaw(flaw)) => {
                    comments.push(unreadable(&id, UnixTime(0), &flaw));
                    continue;
                }
                Err(ReadError::Port(error)) => return Err(error),
            };
            let hand = raw.hand();
            match CommentFile::parse(raw.bytes) {
                Ok(file) => comments.push(Comment {
                    author: Some(Person {
                        bot: file.by.as_ref() == Some(&self.actor),
                        login: file.by.clone().unwrap_or(hand.by),
                    }),
                    at: file.at.unwrap_or(hand.at),
                    body: file.body().to_owned(),
                    edited: false,
                    id,
                }),
                Err(flaw) => comments.push(unreadable(&id, hand.at, &flaw)),
            }
        }
        Ok(comments)
    }
}
