//! Pull requests and their reviews as a forge tells them.

use super::{Oid, Person, UnixTime};

/// A request to take one branch into another, as the forge told it. Every text is data from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub title: String,
    pub body: String,
    /// The branch that is to be taken over; of this very repository, never of a fork.
    pub branch: String,
    /// The branch it is to be taken into.
    pub target: String,
    /// The newest commit of `branch` as the forge has it; of a merged or closed one, as it was then.
    pub head: Oid,
    pub state: PullState,
    /// Where people read it: a URL or a path.
    pub link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullState {
    Open,
    /// Closed without being merged.
    Closed,
    Merged {
        /// The commit by which it came to the target, where the forge says so.
        commit: Option<Oid>,
        by: Option<Person>,
    },
}

/// What one person said of a pull request in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Never used again by the forge for another review.
    pub id: String,
    pub author: Option<Person>,
    pub at: UnixTime,
    pub verdict: ReviewVerdict,
    pub body: String,
    /// Remarks on single places.
    pub notes: Vec<ReviewNote>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewVerdict {
    Approved,
    ChangesRequested,
    Commented,
    /// Was taken back: counts for nothing.
    Dismissed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewNote {
    /// The path as the forge told it; shown, never opened.
    pub path: Option<String>,
    pub line: Option<u64>,
    pub body: String,
    /// Anybody may answer below somebody's review.
    pub author: Option<Person>,
    /// It was changed since it was written, or may have been.
    pub edited: bool,
}
