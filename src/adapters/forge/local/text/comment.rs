//! Comment files as text.

use super::front::{FENCE, Flaw, Front, put_body, rfc3339, split, toml_string, utf8};
use crate::domain::model::UnixTime;

/// A comment file.
pub(crate) struct CommentFile {
    text: String,
    /// End of the header; 0 where a person wrote the file without one.
    header: usize,
    body: usize,
    pub(crate) by: Option<String>,
    pub(crate) at: Option<UnixTime>,
    /// Its text is not the one that it was created with.
    pub(crate) edited: bool,
}

impl CommentFile {
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Flaw> {
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

    pub(crate) fn body(&self) -> &str {
        &self.text[self.body..]
    }

    /// The file with another body; `None` where it is the same.
    pub(crate) fn with_body(&self, body: &str, by: &str, at: UnixTime) -> Option<String> {
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
pub(crate) fn new_comment(body: &str, by: &str, at: UnixTime) -> String {
    format!("{FENCE}\nby = {}\nat = {}\n{FENCE}\n\n{body}", toml_string(by), rfc3339(at))
}
