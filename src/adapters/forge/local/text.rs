//! Issue and comment files as text: read strictly, changed by splicing. Pull requests and reviews: `text/pull.rs`.
//!
//! A file belongs to the person who edits it. So a change replaces only the bytes it is about: the spans come from
//! the parser, everything else (comments, order, unknown keys, line ends, the body) stays byte for byte.

mod comment;
mod front;
mod issue;
pub(super) mod pull;
mod splice;

pub(super) use comment::{CommentFile, new_comment};
pub(super) use front::{Applied, Flaw, Hand, MAX_BYTES};
pub use issue::NewIssue;
pub(super) use issue::{IssueFile, new_issue};

#[cfg(test)]
mod tests;
