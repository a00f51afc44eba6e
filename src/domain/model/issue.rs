//! Issues as a forge tells them, and the people around them.

use super::{Seen, UnixTime};

/// An account on a forge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Person {
    pub login: String,
    pub bot: bool,
}

/// What a person may do in a repository, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    None,
    Read,
    Write,
    Admin,
}

/// An issue as the forge told it. Every text is data from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub open: bool,
    pub labels: Vec<String>,
    pub author: Option<Person>,
    pub updated_at: UnixTime,
    /// A priority the forge keeps besides labels (the local forge does). Larger goes first.
    pub priority: Option<i64>,
    /// SHA-256 over title and body, lower-case hex: what an approval is of.
    pub text_hash: String,
}

impl Issue {
    /// Labels are compared without regard to case, as forges do.
    pub fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|l| l.eq_ignore_ascii_case(label))
    }
}

/// Who put the ready label on, and what is known of later edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalEvidence {
    /// The latest application of the label that was not followed by its removal.
    pub labelled: Option<Labelled>,
    pub edits: EditHistory,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Identifies this application of the label, so that a new one is known as new.
    pub event_id: String,
    pub by: Option<Person>,
    pub at: UnixTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditHistory {
    /// The forge keeps every edit of title and body: those after the label.
    Complete(Vec<Edit>),
    /// The forge keeps edits of the title only: those after the label. Who changed the body is not told; who may are
    /// its author and the people who may write. `counted`: the server counts changes of bodies, and of this one there
    /// were some.
    Titles { renames: Vec<Edit>, author: Option<Person>, counted: bool },
}

impl EditHistory {
    /// Everybody who changed the text or may have, as far as they are named.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        let (edits, author) = match self {
            Self::Complete(edits) => (edits, None),
            Self::Titles { renames, author, .. } => (renames, author.as_ref()),
        };
        edits.iter().filter_map(|edit| edit.by.as_ref()).chain(author)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub by: Option<Person>,
    pub at: UnixTime,
}

/// An issue that another one waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// As people would write it: `#7` or `owner/name#7`.
    pub name: String,
    pub open: Seen<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: String,
    pub author: Option<Person>,
    pub at: UnixTime,
    pub body: String,
    /// Its words are not, or may not be, those that its author wrote: it was changed later, nobody says by whom.
    pub edited: bool,
}
