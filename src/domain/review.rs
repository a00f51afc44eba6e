//! What the reviews of a pull request ask for, and of whom it counts.

use std::collections::BTreeMap;

use super::escape::{fenced, sanitize};
use super::model::{Comment, Person, Review, ReviewVerdict, Seen};
use super::run::{ReviewAsk, ReviewSeen};

/// The most of reviewers' words that goes into one turn, in characters.
const MAX_CHARS: usize = 40_000;

/// A review or a comment, and whether its author is trusted on the repo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<T> {
    pub said: T,
    pub trusted: Seen<bool>,
}

/// What a comment is known by among the things a turn was told of; reviews go by their own id.
pub fn comment_key(id: &str) -> String {
    format!("comment {id}")
}

/// The newest verdict of each author counts: an approval takes their request for changes back, a comment does not.
/// `done`: what earlier turns were told of. Words of people who are not trusted count for nothing and are not handed on.
pub fn judge(reviews: &[Judged<Review>], comments: &[Judged<Comment>], done: &[String]) -> ReviewSeen {
    let mut newest: BTreeMap<&str, &Judged<Review>> = BTreeMap::new();
    for review in reviews {
        let Some(author) = &review.said.author else { continue };
        match review.said.verdict {
            ReviewVerdict::Approved | ReviewVerdict::ChangesRequested | ReviewVerdict::Dismissed => {
                newest.insert(&author.login, review);
            }
            ReviewVerdict::Commented => {}
        }
    }
    let standing: Vec<&Judged<Review>> = newest
        .into_values()
        .filter(|review| review.said.verdict == ReviewVerdict::ChangesRequested)
        .filter(|review| review.trusted != Seen::Known(false))
        .collect();
    // Whose word it is could not be asked: neither merged over it nor acted on.
    if standing.iter().any(|review| review.trusted.known().is_none()) {
        return ReviewSeen::Unreadable;
    }
    let new = |id: &str| !done.iter().any(|told| told == id);
    if !standing.iter().any(|review| new(&review.said.id)) {
        return if standing.is_empty() { ReviewSeen::Nothing } else { ReviewSeen::Standing };
    }
    let mut ask = ReviewAsk { reviews: vec![], text: String::new() };
    for review in reviews.iter().filter(|r| r.trusted == Seen::Known(true) && new(&r.said.id)) {
        let words = match (&review.said.author, review.said.verdict) {
            (Some(author), ReviewVerdict::ChangesRequested) => {
                words(author, "asks for changes", &review.said)
            }
            (Some(author), ReviewVerdict::Commented) => words(author, "remarks", &review.said),
            (Some(_), ReviewVerdict::Approved | ReviewVerdict::Dismissed) | (None, _) => continue,
        };
        ask.take(review.said.id.clone(), &words);
    }
    for comment in comments.iter().filter(|c| c.trusted == Seen::Known(true)) {
        let key = comment_key(&comment.said.id);
        if let (Some(author), true) = (&comment.said.author, new(&key)) {
            ask.take(key, &quoted(author, "wrote", &comment.said.body));
        }
    }
    ReviewSeen::Changes(ask)
}

impl ReviewAsk {
    /// What does not fit any more is told by a later turn, if it still stands then.
    fn take(&mut self, id: String, words: &str) {
        let length = self.text.chars().count() + words.chars().count();
        if length <= MAX_CHARS {
            self.text.push_str(words);
            self.reviews.push(id);
        } else if self.text.is_empty() {
            self.text.extend(words.chars().take(MAX_CHARS));
            self.reviews.push(id);
        }
    }
}

fn words(author: &Person, what: &str, review: &Review) -> String {
    let mut text = review.body.trim().to_owned();
    for note in &review.notes {
        let place = match (&note.path, note.line) {
            (Some(path), Some(line)) => format!("{}:{line}", sanitize(path, 200)),
            (Some(path), None) => sanitize(path, 200),
            (None, _) => "in general".to_owned(),
        };
        text.push_str(&format!("\n\n{place}: {}", note.body.trim()));
    }
    if text.trim().is_empty() {
        "(without words)".clone_into(&mut text);
    }
    quoted(author, what, text.trim())
}

/// One review or comment, as the agent reads it.
fn quoted(author: &Person, what: &str, text: &str) -> String {
    format!("{} {what}:\n{}\n\n", sanitize(&author.login, 60), fenced(text))
}
