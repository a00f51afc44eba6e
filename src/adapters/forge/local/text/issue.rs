//! Issue files as text.

use std::ops::Range;

use toml_edit::{Document, Item};

use super::front::{
    Applied, FENCE, Flaw, Front, Hand, Parts, a_kind, put_body, rfc3339, split, toml_string, utf8,
};
use super::splice::{Splice, apply, array_grown, array_shrunk};
use crate::domain::model::UnixTime;

/// An issue file that could be read.
pub(crate) struct IssueFile {
    text: String,
    front: Range<usize>,
    fence_end: usize,
    body: usize,
    newline: &'static str,
    doc: Document<String>,
    pub(crate) title: String,
    pub(crate) open: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) priority: Option<i64>,
    pub(crate) blocked_by: Vec<u64>,
    pub(crate) author: Option<String>,
    applied: Vec<Applied>,
}

impl IssueFile {
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Flaw> {
        let text = utf8(bytes)?;
        let parts = split(&text)?;
        let front = Front { text: &text[parts.front.clone()] };
        let doc = front.parse()?;
        let table = doc.as_table();

        let title = front.title(table)?;
        let open = match front.string(table, "state", "\"open\"")?.as_deref() {
            None | Some("open") => true,
            Some("closed") => false,
            Some(other) => {
                let line = front.line(table.get("state").and_then(Item::span));
                let what = format!("state is {}; write \"open\" or \"closed\"", toml_string(other));
                return Err(Flaw::at(line, what));
            }
        };
        let mut labels = Vec::new();
        for value in front.values(table, "labels", "[\"a-label\"]")? {
            let label = value.as_str().ok_or_else(|| {
                Flaw::at(front.line(value.span()), "a label is not a string; put it in double quotes")
            })?;
            labels.push(label.to_owned());
        }
        let priority = match table.get("priority") {
            None => None,
            Some(item) => Some(item.as_integer().ok_or_else(|| {
                front.flaw(item, format!("priority is {}; write a whole number without quotes", a_kind(item)))
            })?),
        };
        let mut blocked_by = Vec::new();
        for value in front.values(table, "blocked_by", "[1, 2]")? {
            let number = value.as_integer().and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
            blocked_by.push(number.ok_or_else(|| {
                let line = front.line(value.span());
                Flaw::at(line, "blocked_by holds something else than issue numbers; write it as [1, 2]")
            })?);
        }
        let author = front.string(table, "author", "\"a-name\"")?;
        let applied = front.history(table)?;
        let Parts { front, fence_end, body, newline } = parts;
        Ok(Self {
            text,
            front,
            fence_end,
            body,
            newline,
            doc,
            title,
            open,
            labels,
            priority,
            blocked_by,
            author,
            applied,
        })
    }

    pub(crate) fn body(&self) -> &str {
        &self.text[self.body..]
    }

    pub(crate) fn has(&self, label: &str) -> bool {
        self.labels.iter().any(|l| l.eq_ignore_ascii_case(label))
    }

    /// The application of `label` that holds now, with the name that it keeps for ever.
    ///
    /// The name counts the applications of this label, so that one by hand is called the same before and after
    /// it was recorded.
    pub(crate) fn labelled(&self, label: &str, hand: &Hand) -> Option<(String, Applied)> {
        if !self.has(label) {
            return None;
        }
        let mut history = self.applied.iter().filter(|a| a.label.eq_ignore_ascii_case(label));
        let count = history.clone().filter(|a| a.added).count();
        let (count, applied) = match history.next_back().filter(|a| a.added) {
            Some(last) => (count, last.clone()),
            None => (count + 1, self.by_hand(label, hand, true)),
        };
        let id = format!("{}/{count}/{}/{}", label.to_ascii_lowercase(), applied.at.0, applied.by);
        Some((id, applied))
    }

    /// The text with the label there or not; `None` where it is so already.
    pub(crate) fn with_label(&self, present: bool, change: &Applied, hand: &Hand) -> Option<String> {
        if self.has(&change.label) == present {
            return None;
        }
        let mut splices =
            if present { self.label_added(&change.label) } else { self.label_removed(&change.label) };
        let mut entries = self.unrecorded(hand);
        entries.push(change.clone());
        splices.extend(self.recorded(&entries));
        Some(self.spliced(splices))
    }

    /// The text with the issue open or closed; `None` where it is so already.
    pub(crate) fn with_open(&self, open: bool, hand: &Hand) -> Option<String> {
        if self.open == open {
            return None;
        }
        let state = if open { "\"open\"" } else { "\"closed\"" };
        let mut splices = match self.doc.get("state").and_then(Item::span) {
            Some(span) => vec![(span, state.to_owned())],
            None => vec![self.new_line(&format!("state = {state}"))],
        };
        splices.extend(self.recorded(&self.unrecorded(hand)));
        Some(self.spliced(splices))
    }

    /// The text with another body; `None` where it is the same.
    pub(crate) fn with_body(&self, body: &str, hand: &Hand) -> Option<String> {
        if self.body() == body {
            return None;
        }
        // The fence is the end of what is spliced: what lies behind it keeps its length.
        let spliced = self.spliced(self.recorded(&self.unrecorded(hand)));
        let fence_end = spliced.len() - (self.text.len() - self.fence_end);
        Some(put_body(&spliced[..fence_end], self.newline, body))
    }

    fn by_hand(&self, label: &str, hand: &Hand, added: bool) -> Applied {
        let label = self.labels.iter().find(|l| l.eq_ignore_ascii_case(label)).map_or(label, String::as_str);
        Applied { label: label.to_owned(), by: hand.by.clone(), at: hand.at, added }
    }

    /// What people did to `labels` by hand since the history's last entry. It has to be written down with our
    /// first change, because that change moves the file's modification time.
    pub(super) fn unrecorded(&self, hand: &Hand) -> Vec<Applied> {
        let mut seen: Vec<&str> = Vec::new();
        let mut entries = Vec::new();
        for label in self.labels.iter().chain(self.applied.iter().map(|a| &a.label)) {
            if seen.iter().any(|s| s.eq_ignore_ascii_case(label)) {
                continue;
            }
            seen.push(label);
            let last = self.applied.iter().rfind(|a| a.label.eq_ignore_ascii_case(label));
            let present = self.has(label);
            if last.is_some_and(|a| a.added) != present {
                entries.push(self.by_hand(label, hand, present));
            }
        }
        entries
    }

    fn recorded(&self, entries: &[Applied]) -> Vec<Splice> {
        if entries.is_empty() {
            return Vec::new();
        }
        let front = &self.text[self.front.clone()];
        let nl = self.newline;
        if let Some(array) = self.doc.get("labelled").and_then(Item::as_array) {
            let tables = entries.iter().map(|e| format!("{{ {} }}", fields(e).join(", ")));
            return array_grown(front, array, &tables.collect::<Vec<_>>().join(", "), nl);
        }
        let mut text = String::new();
        for (index, entry) in entries.iter().enumerate() {
            let separated = index == 0 && (front.ends_with("\n\n") || front.ends_with("\n\r\n"));
            if !separated {
                text.push_str(nl);
            }
            text.push_str("[[labelled]]");
            text.push_str(nl);
            for field in fields(entry) {
                text.push_str(&field);
                text.push_str(nl);
            }
        }
        vec![(front.len()..front.len(), text)]
    }

    fn label_added(&self, label: &str) -> Vec<Splice> {
        let value = toml_string(label);
        match self.doc.get("labels").and_then(Item::as_array) {
            Some(array) => array_grown(&self.text[self.front.clone()], array, &value, self.newline),
            None => vec![self.new_line(&format!("labels = [{value}]"))],
        }
    }

    fn label_removed(&self, label: &str) -> Vec<Splice> {
        let Some(array) = self.doc.get("labels").and_then(Item::as_array) else { return Vec::new() };
        array_shrunk(&self.text[self.front.clone()], array, |value| {
            value.as_str().is_some_and(|l| l.eq_ignore_ascii_case(label))
        })
    }

    /// A new key, on a line of its own below the title: there it is before every table.
    fn new_line(&self, line: &str) -> Splice {
        let front = &self.text[self.front.clone()];
        let title = self.doc.get("title").and_then(Item::span).map_or(0, |s| s.end);
        let end = front[title..].find('\n').map_or(front.len(), |n| title + n + 1);
        (end..end, format!("{line}{}", self.newline))
    }

    fn spliced(&self, splices: Vec<Splice>) -> String {
        let front = apply(&self.text[self.front.clone()], splices);
        let mut text = String::with_capacity(self.text.len() + 200);
        text.push_str(&self.text[..self.front.start]);
        text.push_str(&front);
        text.push_str(&self.text[self.front.end..]);
        text
    }
}

fn fields(entry: &Applied) -> [String; 4] {
    [
        format!("label = {}", toml_string(&entry.label)),
        format!("by = {}", toml_string(&entry.by)),
        format!("at = {}", rfc3339(entry.at)),
        format!("added = {}", entry.added),
    ]
}

/// What a new issue is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewIssue {
    pub title: String,
    pub body: String,
    pub labels: Vec<String>,
    /// Larger goes first.
    pub priority: Option<i64>,
    /// Numbers of issues in the same repo that have to be closed first.
    pub blocked_by: Vec<u64>,
    /// Who writes it.
    pub by: String,
}

/// The text of a new issue's file.
pub(crate) fn new_issue(new: &NewIssue, at: UnixTime) -> String {
    let mut labels: Vec<&String> = Vec::new();
    for label in &new.labels {
        if !labels.iter().any(|l| l.eq_ignore_ascii_case(label)) {
            labels.push(label);
        }
    }
    let quoted: Vec<String> = labels.iter().map(|l| toml_string(l)).collect();
    let mut lines = vec![
        FENCE.to_owned(),
        format!("title = {}", toml_string(&new.title)),
        "state = \"open\"".to_owned(),
        format!("labels = [{}]", quoted.join(", ")),
    ];
    lines.extend(new.priority.map(|p| format!("priority = {p}")));
    if !new.blocked_by.is_empty() {
        let numbers: Vec<String> = new.blocked_by.iter().map(ToString::to_string).collect();
        lines.push(format!("blocked_by = [{}]", numbers.join(", ")));
    }
    lines.push(format!("author = {}", toml_string(&new.by)));
    for label in labels {
        let entry = Applied { label: label.clone(), by: new.by.clone(), at, added: true };
        lines.extend([String::new(), "[[labelled]]".to_owned()]);
        lines.extend(fields(&entry));
    }
    lines.push(FENCE.to_owned());
    format!("{}\n\n{}", lines.join("\n"), new.body)
}
