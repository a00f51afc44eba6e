//! The front matter of a file: where it is, and how it is read and written strictly.

use std::ops::Range;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml_edit::{Document, Item, TableLike, Value};

use crate::domain::model::UnixTime;

/// Largest issue or comment file, in bytes: what is larger is no text that anybody reads.
pub(crate) const MAX_BYTES: usize = 1_000_000;
pub(super) const FENCE: &str = "+++";

/// What is wrong with a file: where, and a clause that ends with what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
}

impl Flaw {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }
    pub(super) fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), what: what.into() }
    }
    /// The whole sentence about the file shown as `file`.
    pub(crate) fn sentence(&self, file: &str) -> String {
        match self.line {
            Some(line) => format!("{file}, line {line}: {}", self.what),
            None => format!("{file}: {}", self.what),
        }
    }
}

/// One entry of the label history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) label: String,
    pub(crate) by: String,
    pub(crate) at: UnixTime,
    pub(crate) added: bool,
}

/// Who wrote what stands in the file without a history entry: its owner, at its modification time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hand {
    pub(crate) by: String,
    pub(crate) at: UnixTime,
}

/// Where the parts of a file are.
pub(super) struct Parts {
    pub(super) front: Range<usize>,
    /// End of the closing fence's line.
    pub(super) fence_end: usize,
    /// After the fence and at most one empty line.
    pub(super) body: usize,
    pub(super) newline: &'static str,
}

pub(super) fn split(text: &str) -> Result<Parts, Flaw> {
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

pub(super) fn utf8(bytes: Vec<u8>) -> Result<String, Flaw> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Flaw::at(count_lines(good) + 1, "there are bytes that are not UTF-8; save the file as UTF-8")
    })
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.split(|b| *b == b'\n').count() - 1
}

/// The front matter while it is read: knows the line of everything.
pub(super) struct Front<'a> {
    pub(super) text: &'a str,
}

impl Front<'_> {
    /// Line in the file: the front matter begins on its second one.
    pub(super) fn line(&self, span: Option<Range<usize>>) -> usize {
        let end = span.map_or(0, |s| s.start.min(self.text.len()));
        count_lines(&self.text.as_bytes()[..end]) + 2
    }

    pub(super) fn flaw(&self, item: &Item, what: impl Into<String>) -> Flaw {
        Flaw::at(self.line(item.span()), what)
    }

    pub(super) fn parse(&self) -> Result<Document<String>, Flaw> {
        Document::parse(self.text.to_owned()).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            Flaw::at(
                self.line(error.span()),
                format!("the front matter is not valid TOML ({message}); correct that line"),
            )
        })
    }

    pub(super) fn string(
        &self,
        table: &dyn TableLike,
        key: &str,
        example: &str,
    ) -> Result<Option<String>, Flaw> {
        let Some(item) = table.get(key) else { return Ok(None) };
        match item.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.flaw(item, format!("{key} is {}; write it as {key} = {example}", a_kind(item)))),
        }
    }

    pub(super) fn title(&self, table: &dyn TableLike) -> Result<String, Flaw> {
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
    pub(super) fn values<'d>(
        &self,
        table: &'d dyn TableLike,
        key: &str,
        example: &str,
    ) -> Result<Vec<&'d Value>, Flaw> {
        let Some(item) = table.get(key) else { return Ok(Vec::new()) };
        match item.as_array() {
            Some(array) => Ok(array.iter().collect()),
            None => Err(self.flaw(item, format!("{key} is {}; write it as {key} = {example}", a_kind(item)))),
        }
    }

    pub(super) fn time(&self, table: &dyn TableLike, key: &str) -> Result<Option<UnixTime>, Flaw> {
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

    pub(super) fn history(&self, table: &dyn TableLike) -> Result<Vec<Applied>, Flaw> {
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

pub(super) fn a_kind(item: &Item) -> String {
    let kind = match item.type_name() {
        "array of tables" => "list of tables",
        "array" => "list",
        other => other,
    };
    format!("{} {kind}", if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

/// Everything to the closing fence, and a body below it. The empty line keeps a body that begins with one unambiguous.
pub(super) fn put_body(head: &str, newline: &str, body: &str) -> String {
    let end = if head.ends_with('\n') { "" } else { newline };
    format!("{head}{end}{newline}{body}")
}

/// A text as a TOML string on one line.
pub(crate) fn toml_string(text: &str) -> String {
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

pub(crate) fn rfc3339(at: UnixTime) -> String {
    OffsetDateTime::from_unix_timestamp(at.0)
        .ok()
        .and_then(|t| t.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}
