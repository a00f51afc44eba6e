//! Issue and comment files as text: read strictly, changed by splicing. Pull requests and reviews: `text/pull.rs`.
//!
//! A file belongs to the person who edits it. So a change replaces only the bytes it is about: the spans come from
//! the parser, everything else (comments, order, unknown keys, line ends, the body) stays byte for byte.

pub(super) mod pull;

use std::ops::Range;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml_edit::{Document, Item, TableLike, Value};

use crate::domain::model::UnixTime;

/// Largest issue or comment file, in bytes: what is larger is no text that anybody reads.
pub(super) const MAX_BYTES: usize = 1_000_000;

const FENCE: &str = "+++";

/// What is wrong with a file: where, and a clause that ends with what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) line: Option<usize>,
    pub(super) what: String,
}

impl Flaw {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }
    fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), what: what.into() }
    }
    /// The whole sentence about the file shown as `file`.
    pub(super) fn sentence(&self, file: &str) -> String {
        match self.line {
            Some(line) => format!("{file}, line {line}: {}", self.what),
            None => format!("{file}: {}", self.what),
        }
    }
}

/// One entry of the label history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) label: String,
    pub(super) by: String,
    pub(super) at: UnixTime,
    pub(super) added: bool,
}

/// Who wrote what stands in the file without a history entry: its owner, at its modification time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hand {
    pub(super) by: String,
    pub(super) at: UnixTime,
}

/// Where the parts of a file are.
struct Parts {
    front: Range<usize>,
    /// End of the closing fence's line.
    fence_end: usize,
    /// After the fence and at most one empty line.
    body: usize,
    newline: &'static str,
}

fn split(text: &str) -> Result<Parts, Flaw> {
    let begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let blank_end = |line: &str| line.trim_end_matches([' ', '\t', '\r', '\n']).len();
    let mut position = begin;
    let mut front = None;
    for (index, line) in text[begin..].split_inclusive('\n').enumerate() {
        let is_fence = &line[..blank_end(line)] == FENCE;
        match front {
            None if is_fence => front = Some(position + line.len()),
            None => {
                let yaml = line[..blank_end(line)] == *"---";
                let found = if yaml { "this looks like YAML" } else { "there is no front matter" };
                return Err(Flaw::at(
                    index + 1,
                    format!("{found}; begin the file with a line +++, a line title = \"...\" and a line +++"),
                ));
            }
            Some(start) if is_fence => {
                let fence_end = position + line.len();
                let rest = &text[fence_end..];
                let empty = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
                return Ok(Parts {
                    front: start..position,
                    fence_end,
                    body: fence_end + empty,
                    newline: if text[..start].ends_with("\r\n") { "\r\n" } else { "\n" },
                });
            }
            Some(_) => {}
        }
        position += line.len();
    }
    Err(match front {
        None => Flaw::new("the file is empty; give it a line +++, a line title = \"...\" and a line +++"),
        Some(_) => Flaw::at(1, "the front matter is not closed; put a line +++ after it"),
    })
}

fn utf8(bytes: Vec<u8>) -> Result<String, Flaw> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Flaw::at(count_lines(good) + 1, "there are bytes that are not UTF-8; save the file as UTF-8")
    })
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.split(|b| *b == b'\n').count() - 1
}

/// The front matter while it is read: knows the line of everything.
struct Front<'a> {
    text: &'a str,
}

impl Front<'_> {
    /// Line in the file: the front matter begins on its second one.
    fn line(&self, span: Option<Range<usize>>) -> usize {
        let end = span.map_or(0, |s| s.start.min(self.text.len()));
        count_lines(&self.text.as_bytes()[..end]) + 2
    }

    fn flaw(&self, item: &Item, what: impl Into<String>) -> Flaw {
        Flaw::at(self.line(item.span()), what)
    }

    fn parse(&self) -> Result<Document<String>, Flaw> {
        Document::parse(self.text.to_owned()).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            Flaw::at(
                self.line(error.span()),
                format!("the front matter is not valid TOML ({message}); correct that line"),
            )
        })
    }

    fn string(&self, table: &dyn TableLike, key: &str, example: &str) -> Result<Option<String>, Flaw> {
        let Some(item) = table.get(key) else { return Ok(None) };
        match item.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.flaw(item, format!("{key} is {}; write it as {key} = {example}", a_kind(item)))),
        }
    }

    fn title(&self, table: &dyn TableLike) -> Result<String, Flaw> {
        let title = self.string(table, "title", "\"what is to be done\"")?;
        let title = title.ok_or_else(|| {
            Flaw::at(1, "there is no title; add a line title = \"what is to be done\" to the front matter")
        })?;
        if title.trim().is_empty() || title.chars().any(char::is_control) {
            let line = self.line(table.get("title").and_then(Item::span));
            return Err(Flaw::at(line, "title is not one line of text; write one line that says the task"));
        }
        Ok(title)
    }

    /// The elements of an array of plain values; none where the key is missing.
    fn values<'d>(&self, table: &'d dyn TableLike, key: &str, example: &str) -> Result<Vec<&'d Value>, Flaw> {
        let Some(item) = table.get(key) else { return Ok(Vec::new()) };
        match item.as_array() {
            Some(array) => Ok(array.iter().collect()),
            None => Err(self.flaw(item, format!("{key} is {}; write it as {key} = {example}", a_kind(item)))),
        }
    }

    fn time(&self, table: &dyn TableLike, key: &str) -> Result<Option<UnixTime>, Flaw> {
        let Some(item) = table.get(key) else { return Ok(None) };
        let text = item.as_str().map(str::to_owned).or_else(|| item.as_datetime().map(ToString::to_string));
        let parsed = text.and_then(|t| OffsetDateTime::parse(&t.replace(' ', "T"), &Rfc3339).ok());
        match parsed {
            Some(at) => Ok(Some(UnixTime(at.unix_timestamp()))),
            None => Err(self.flaw(
                item,
                format!(
                    "{key} is no moment with date, time and zone; write it as {key} = 2026-07-01T12:00:00Z"
                ),
            )),
        }
    }

    fn history(&self, table: &dyn TableLike) -> Result<Vec<Applied>, Flaw> {
        let Some(item) = table.get("labelled") else { return Ok(Vec::new()) };
        let wrong = |item: &Item| {
            self.flaw(item, "labelled is no list of tables; write each entry under a line [[labelled]]")
        };
        let mut entries: Vec<(&dyn TableLike, Option<Range<usize>>)> = Vec::new();
        if let Some(tables) = item.as_array_of_tables() {
            entries.extend(tables.iter().map(|t| (t as &dyn TableLike, t.span())));
        } else {
            for value in item.as_array().ok_or_else(|| wrong(item))? {
                let table = value.as_inline_table().ok_or_else(|| wrong(item))?;
                entries.push((table, table.span()));
            }
        }
        let mut history = Vec::with_capacity(entries.len());
        for (entry, span) in entries {
            let missing = |key: &str| {
                Flaw::at(
                    self.line(span.clone()),
                    format!("this [[labelled]] entry has no {key}; add it or delete the entry"),
                )
            };
            let added = match entry.get("added") {
                None => true,
                Some(item) => item.as_bool().ok_or_else(|| {
                    self.flaw(item, format!("added is {}; write it as true or false", a_kind(item)))
                })?,
            };
            history.push(Applied {
                label: self.string(entry, "label", "\"a-label\"")?.ok_or_else(|| missing("label"))?,
                by: self.string(entry, "by", "\"a-name\"")?.ok_or_else(|| missing("by"))?,
                at: self.time(entry, "at")?.ok_or_else(|| missing("at"))?,
                added,
            });
        }
        Ok(history)
    }
}

fn a_kind(item: &Item) -> String {
    let kind = match item.type_name() {
        "array of tables" => "list of tables",
        "array" => "list",
        other => other,
    };
    format!("{} {kind}", if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

/// An issue file that could be read.
pub(super) struct IssueFile {
    text: String,
    front: Range<usize>,
    fence_end: usize,
    body: usize,
    newline: &'static str,
    doc: Document<String>,
    pub(super) title: String,
    pub(super) open: bool,
    pub(super) labels: Vec<String>,
    pub(super) priority: Option<i64>,
    pub(super) blocked_by: Vec<u64>,
    pub(super) author: Option<String>,
    applied: Vec<Applied>,
}

impl IssueFile {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Flaw> {
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

    pub(super) fn body(&self) -> &str {
        &self.text[self.body..]
    }

    pub(super) fn has(&self, label: &str) -> bool {
        self.labels.iter().any(|l| l.eq_ignore_ascii_case(label))
    }

    /// The application of `label` that holds now, with the name that it keeps for ever.
    ///
    /// The name counts the applications of this label, so that one by hand is called the same before and after
    /// it was recorded.
    pub(super) fn labelled(&self, label: &str, hand: &Hand) -> Option<(String, Applied)> {
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
    pub(super) fn with_label(&self, present: bool, change: &Applied, hand: &Hand) -> Option<String> {
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
    pub(super) fn with_open(&self, open: bool, hand: &Hand) -> Option<String> {
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
    pub(super) fn with_body(&self, body: &str, hand: &Hand) -> Option<String> {
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
    fn unrecorded(&self, hand: &Hand) -> Vec<Applied> {
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

/// Everything to the closing fence, and a body below it. The empty line keeps a body that begins with one unambiguous.
fn put_body(head: &str, newline: &str, body: &str) -> String {
    let end = if head.ends_with('\n') { "" } else { newline };
    format!("{head}{end}{newline}{body}")
}

/// A range of the front matter and what comes in its place.
type Splice = (Range<usize>, String);

fn apply(front: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| range.start);
    let mut text = front.to_owned();
    for (range, with) in splices.into_iter().rev() {
        text.replace_range(range, &with);
    }
    text
}

/// One more element at the end of an array, in the array's own style.
fn array_grown(front: &str, array: &toml_edit::Array, value: &str, newline: &str) -> Vec<Splice> {
    let Some(last) = array.iter().last().and_then(Value::span) else {
        let inside = array.span().map_or(0, |s| s.start + 1);
        return vec![(inside..inside, value.to_owned())];
    };
    let line_start = front[..last.start].rfind('\n').map_or(0, |n| n + 1);
    let indent = &front[line_start..last.start];
    if !indent.chars().all(|c| c == ' ' || c == '\t') {
        return vec![(last.end..last.end, format!(", {value}"))];
    }
    let line_rest = front[last.end..].lines().next().unwrap_or_default();
    if line_rest.contains('#') {
        // The comment belongs to the last element: the new one goes before it.
        return vec![(last.start..last.start, format!("{value},{newline}{indent}"))];
    }
    vec![(last.end..last.end, format!(",{newline}{indent}{value}"))]
}

/// An array without the elements that `unwanted` names; comments stay.
fn array_shrunk(front: &str, array: &toml_edit::Array, unwanted: impl Fn(&Value) -> bool) -> Vec<Splice> {
    let spans: Vec<(Range<usize>, bool)> =
        array.iter().filter_map(|v| v.span().map(|s| (s, unwanted(v)))).collect();
    let mut splices = Vec::new();
    // The comma before the next kept element at the end; where the tail goes, this one goes too.
    let mut tail_comma: Option<usize> = None;
    for (index, (span, gone)) in spans.iter().enumerate() {
        let end = spans.get(index + 1).map_or_else(
            || array.span().map_or(span.end, |s| s.end.saturating_sub(1)),
            |(next, _)| next.start,
        );
        let comma = comma_in(front, span.end..end);
        if !gone {
            tail_comma = comma;
            continue;
        }
        match comma {
            Some(comma) => {
                let blank = &front[comma + 1..end];
                let spaces = blank.len() - blank.trim_start_matches([' ', '\t']).len();
                let mut cut = span.start..span.end;
                if comma == span.end {
                    cut.end = comma + 1 + spaces;
                } else {
                    splices.push((comma..comma + 1, String::new()));
                }
                splices.push((whole_line(front, cut), String::new()));
            }
            None => {
                // The last element, without a comma behind it.
                match tail_comma {
                    Some(comma) if front[comma + 1..span.start].trim().is_empty() => {
                        splices.push((comma..span.end, String::new()));
                    }
                    Some(comma) if !splices.iter().any(|(r, _)| r.contains(&comma)) => {
                        splices.push((comma..comma + 1, String::new()));
                        splices.push((span.clone(), String::new()));
                    }
                    Some(_) | None => splices.push((span.clone(), String::new())),
                }
            }
        }
    }
    splices
}

/// The cut grown to its whole line, where nothing else is on it.
fn whole_line(front: &str, cut: Range<usize>) -> Range<usize> {
    let start = front[..cut.start].rfind('\n').map_or(0, |n| n + 1);
    let Some(end) = front[cut.end..].find('\n').map(|n| cut.end + n + 1) else { return cut };
    let alone = front[start..cut.start].trim().is_empty() && front[cut.end..end].trim().is_empty();
    if alone { start..end } else { cut }
}

/// The first comma in a stretch between array elements, which holds only blanks and comments besides.
fn comma_in(front: &str, range: Range<usize>) -> Option<usize> {
    let mut comment = false;
    for (offset, byte) in front.get(range.clone())?.bytes().enumerate() {
        match byte {
            b'\n' => comment = false,
            b'#' => comment = true,
            b',' if !comment => return Some(range.start + offset),
            _ => {}
        }
    }
    None
}

fn fields(entry: &Applied) -> [String; 4] {
    [
        format!("label = {}", toml_string(&entry.label)),
        format!("by = {}", toml_string(&entry.by)),
        format!("at = {}", rfc3339(entry.at)),
        format!("added = {}", entry.added),
    ]
}

/// A text as a TOML string on one line.
pub(super) fn toml_string(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Writing to a String does not fail.
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).unwrap_or_default(),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

pub(super) fn rfc3339(at: UnixTime) -> String {
    OffsetDateTime::from_unix_timestamp(at.0)
        .ok()
        .and_then(|t| t.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
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
pub(super) fn new_issue(new: &NewIssue, at: UnixTime) -> String {
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

/// A comment file.
pub(super) struct CommentFile {
    text: String,
    /// End of the header; 0 where a person wrote the file without one.
    header: usize,
    body: usize,
    pub(super) by: Option<String>,
    pub(super) at: Option<UnixTime>,
    /// Its text is not the one that it was created with.
    pub(super) edited: bool,
}

impl CommentFile {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Flaw> {
        let text = utf8(bytes)?;
        if !text.trim_start_matches('\u{feff}').starts_with(FENCE) {
            return Ok(Self { text, header: 0, body: 0, by: None, at: None, edited: false });
        }
        let parts = split(&text)?;
        let front = Front { text: &text[parts.front.clone()] };
        let doc = front.parse()?;
        let by = front.string(doc.as_table(), "by", "\"a-name\"")?;
        let at = front.time(doc.as_table(), "at")?;
        let edited = doc.as_table().get("edited").and_then(toml_edit::Item::as_bool).unwrap_or(false);
        Ok(Self { header: parts.fence_end, body: parts.body, text, by, at, edited })
    }

    pub(super) fn body(&self) -> &str {
        &self.text[self.body..]
    }

    /// The file with another body; `None` where it is the same.
    pub(super) fn with_body(&self, body: &str, by: &str, at: UnixTime) -> Option<String> {
        if self.body() == body {
            return None;
        }
        Some(match &self.text[..self.header] {
            "" => new_comment(body, by, at),
            header => put_body(header, "\n", body),
        })
    }
}

/// The text of a comment's file. The empty line keeps a body that begins with one unambiguous.
pub(super) fn new_comment(body: &str, by: &str, at: UnixTime) -> String {
    format!("{FENCE}\nby = {}\nat = {}\n{FENCE}\n\n{body}", toml_string(by), rfc3339(at))
}

#[cfg(test)]
mod tests;
