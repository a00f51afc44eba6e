//! Pull request and review files as text.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use super::front::{FENCE, Flaw, Front, Parts, a_kind, put_body, rfc3339, split, toml_string, utf8};
use super::splice::{Splice, apply};
use crate::adapters::git::bare::is_branch;
use crate::domain::model::{Oid, ReviewNote, ReviewVerdict, UnixTime};

/// What the file says; what came of it may have happened in the repository alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Stated {
    Open,
    Closed,
    Merged,
}

impl Stated {
    pub(in super::super) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// A pull request's file that could be read.
pub(in super::super) struct PullFile {
    text: String,
    front: Range<usize>,
    fence_end: usize,
    body: usize,
    newline: &'static str,
    doc: Document<String>,
    pub(in super::super) title: String,
    pub(in super::super) state: Stated,
    pub(in super::super) branch: String,
    pub(in super::super) target: String,
    pub(in super::super) author: Option<String>,
    /// Where the branch was when it was closed or merged.
    pub(in super::super) head: Option<Oid>,
    /// The commit that brings it to the target; written down before it does.
    pub(in super::super) commit: Option<Oid>,
    /// Who closed or merged it.
    pub(in super::super) by: Option<String>,
}

/// Keys of a pull request's front matter and what they are to be.
pub(in super::super) type Changes<'a> = [(&'static str, &'a str)];

impl PullFile {
    pub(in super::super) fn parse(bytes: Vec<u8>) -> Result<Self, Flaw> {
        let text = utf8(bytes)?;
        let parts = split(&text)?;
        let front = Front { text: &text[parts.front.clone()] };
        let doc = front.parse()?;
        let table = doc.as_table();
        let line = |key: &str| front.line(table.get(key).and_then(Item::span));

        let title = front.title(table)?;
        let state = match front.string(table, "state", "\"open\"")?.as_deref() {
            None | Some("open") => Stated::Open,
            Some("closed") => Stated::Closed,
            Some("merged") => Stated::Merged,
            Some(other) => {
                let what =
                    format!("state is {}; write \"open\", \"closed\" or \"merged\"", toml_string(other));
                return Err(Flaw::at(line("state"), what));
            }
        };
        let branch = |key: &str| -> Result<String, Flaw> {
            let name = front.string(table, key, "\"a-branch\"")?.ok_or_else(|| {
                Flaw::at(1, format!("there is no {key}; add a line {key} = \"a-branch\" to the front matter"))
            })?;
            if is_branch(&name) {
                return Ok(name);
            }
            Err(Flaw::at(line(key), format!("{key} is no name that git allows a branch; correct it")))
        };
        let oid = |key: &str| -> Result<Option<Oid>, Flaw> {
            let text = front.string(table, key, "\"a commit's name\"")?;
            let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
            let oid = Oid::parse(&text).ok_or_else(|| {
                Flaw::at(
                    line(key),
                    format!("{key} is no whole name of a commit; correct it or delete the line"),
                )
            })?;
            Ok(Some(oid))
        };
        let (branch, target) = (branch("branch")?, branch("target")?);
        let author = front.string(table, "author", "\"a-name\"")?;
        let by = front.string(table, "by", "\"a-name\"")?.filter(|by| !by.is_empty());
        let (head, commit) = (oid("head")?, oid("commit")?);
        let Parts { front, fence_end, body, newline } = parts;
        Ok(Self {
            text,
            front,
            fence_end,
            body,
            newline,
            doc,
            title,
            state,
            branch,
            target,
            author,
            head,
            commit,
            by,
        })
    }

    pub(in super::super) fn body(&self) -> &str {
        &self.text[self.body..]
    }

    /// The text with these strings in its front matter; `None` where it is so already.
    pub(in super::super) fn with(&self, changes: &Changes<'_>) -> Option<String> {
        let front = &self.text[self.front.clone()];
        // Below the title is before every table.
        let title = self.doc.get("title").and_then(Item::span).map_or(0, |s| s.end);
        let below = front[title..].find('\n').map_or(front.len(), |n| title + n + 1);
        let mut splices: Vec<Splice> = Vec::new();
        for (key, value) in changes {
            match self.doc.get(key) {
                Some(item) if item.as_str() == Some(value) => {}
                Some(item) => splices.extend(item.span().map(|span| (span, toml_string(value)))),
                None => {
                    splices.push((below..below, format!("{key} = {}{}", toml_string(value), self.newline)));
                }
            }
        }
        if splices.is_empty() {
            return None;
        }
        let (head, tail) = (&self.text[..self.front.start], &self.text[self.front.end..]);
        Some(format!("{head}{}{tail}", apply(front, splices)))
    }

    /// The text with another title and body; `None` where it is so already.
    pub(in super::super) fn with_text(&self, title: &str, body: &str) -> Option<String> {
        let titled = self.with(&[("title", title)]);
        if self.body() == body {
            return titled;
        }
        let text = titled.as_ref().unwrap_or(&self.text);
        let fence_end = text.len() - (self.text.len() - self.fence_end);
        Some(put_body(&text[..fence_end], self.newline, body))
    }
}

/// The text of a new pull request's file.
pub(in super::super) fn new_pull(title: &str, branch: &str, target: &str, by: &str, body: &str) -> String {
    let lines = [
        FENCE.to_owned(),
        format!("title = {}", toml_string(title)),
        "state = \"open\"".to_owned(),
        format!("branch = {}", toml_string(branch)),
        format!("target = {}", toml_string(target)),
        format!("author = {}", toml_string(by)),
        FENCE.to_owned(),
    ];
    format!("{}\n\n{body}", lines.join("\n"))
}

/// A review's file.
pub(in super::super) struct ReviewFile {
    text: String,
    body: usize,
    pub(in super::super) by: Option<String>,
    pub(in super::super) at: Option<UnixTime>,
    pub(in super::super) verdict: ReviewVerdict,
    pub(in super::super) notes: Vec<ReviewNote>,
}

impl ReviewFile {
    /// A file without front matter is a person's remark.
    pub(in super::super) fn parse(bytes: Vec<u8>) -> Result<Self, Flaw> {
        let text = utf8(bytes)?;
        if !text.trim_start_matches('\u{feff}').starts_with(FENCE) {
            let verdict = ReviewVerdict::Commented;
            return Ok(Self { text, body: 0, by: None, at: None, verdict, notes: Vec::new() });
        }
        let parts = split(&text)?;
        let front = Front { text: &text[parts.front.clone()] };
        let doc = front.parse()?;
        let table = doc.as_table();
        let by = front.string(table, "by", "\"a-name\"")?;
        let at = front.time(table, "at")?;
        let verdict = match front.string(table, "verdict", "\"commented\"")? {
            None => ReviewVerdict::Commented,
            Some(word) => parsed(&word).ok_or_else(|| {
                let line = front.line(table.get("verdict").and_then(Item::span));
                let words = "\"approved\", \"changes-requested\", \"commented\" or \"dismissed\"";
                Flaw::at(line, format!("verdict is {}; write {words}", toml_string(&word)))
            })?,
        };
        let notes = front.notes(table)?;
        Ok(Self { body: parts.body, text, by, at, verdict, notes })
    }

    pub(in super::super) fn body(&self) -> &str {
        &self.text[self.body..]
    }
}

impl Front<'_> {
    fn notes(&self, table: &dyn TableLike) -> Result<Vec<ReviewNote>, Flaw> {
        let Some(item) = table.get("note") else { return Ok(Vec::new()) };
        let Some(tables) = item.as_array_of_tables() else {
            return Err(self.flaw(item, "note is no list of tables; write each remark under a line [[note]]"));
        };
        let mut notes = Vec::with_capacity(tables.len());
        for entry in tables {
            let body = self.string(entry, "text", "\"what is to be said\"")?.ok_or_else(|| {
                Flaw::at(
                    self.line(entry.span()),
                    "this [[note]] entry has no text; add it or delete the entry",
                )
            })?;
            let line = match entry.get("line") {
                None => None,
                Some(item) => {
                    let number = item.as_integer().and_then(|n| u64::try_from(n).ok());
                    Some(number.ok_or_else(|| {
                        self.flaw(
                            item,
                            format!("line is {}; write a whole number without quotes", a_kind(item)),
                        )
                    })?)
                }
            };
            let path = self.string(entry, "path", "\"src/main.rs\"")?;
            notes.push(ReviewNote { path, line, body, author: None, edited: false });
        }
        Ok(notes)
    }
}

pub(in super::super) fn word(verdict: ReviewVerdict) -> &'static str {
    match verdict {
        ReviewVerdict::Approved => "approved",
        ReviewVerdict::ChangesRequested => "changes-requested",
        ReviewVerdict::Commented => "commented",
        ReviewVerdict::Dismissed => "dismissed",
    }
}

fn parsed(text: &str) -> Option<ReviewVerdict> {
    use ReviewVerdict as V;
    [V::Approved, V::ChangesRequested, V::Commented, V::Dismissed].into_iter().find(|v| word(*v) == text)
}

/// What a person says of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReview {
    pub verdict: ReviewVerdict,
    pub body: String,
    pub notes: Vec<ReviewNote>,
}

/// The text of a review's file. `head` is what was looked at.
pub(in super::super) fn new_review(new: &NewReview, head: &Oid, by: &str, at: UnixTime) -> String {
    let mut lines = vec![
        FENCE.to_owned(),
        format!("by = {}", toml_string(by)),
        format!("at = {}", rfc3339(at)),
        format!("verdict = {}", toml_string(word(new.verdict))),
        format!("head = {}", toml_string(head.as_str())),
    ];
    for note in &new.notes {
        lines.extend([String::new(), "[[note]]".to_owned()]);
        lines.extend(note.path.as_ref().map(|path| format!("path = {}", toml_string(path))));
        lines.extend(note.line.map(|line| format!("line = {line}")));
        lines.push(format!("text = {}", toml_string(&note.body)));
    }
    lines.push(FENCE.to_owned());
    format!("{}\n\n{}", lines.join("\n"), new.body)
}
