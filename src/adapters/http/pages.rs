//! Lists that come in pages: read to their end or not at all, by the links of one server or the count of another.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Answer, Client};
use crate::ports::{PortError, PortResult};

/// Of an endless list: more pages are an error, never "that was all".
const MAX_PAGES: usize = 50;

impl Client {
    /// Every page of a list, by the links to the next one. A list that does not end is an error, never a short list.
    pub fn pages(&self, doing: &str, path: &str) -> PortResult<Vec<Value>> {
        self.pages_of(doing, path, "")
    }

    /// The same where each page is an object that holds its entries under `key`.
    pub fn pages_of(&self, doing: &str, path: &str, key: &str) -> PortResult<Vec<Value>> {
        let first = self.get(doing, path)?;
        self.rest(doing, &first, key)
    }

    /// The same, and not fewer than the server says there are.
    pub fn whole_of(&self, doing: &str, path: &str, key: &str) -> PortResult<Vec<Value>> {
        let first = self.get(doing, path)?;
        let (entries, told) = self.linked(doing, &first, key)?;
        self.whole(doing, entries, told)
    }

    /// The entries of a first page and of those that follow it.
    pub fn rest(&self, doing: &str, first: &Answer, key: &str) -> PortResult<Vec<Value>> {
        self.linked(doing, first, key).map(|(entries, _)| entries)
    }

    /// The same, with the most entries that a page told of.
    fn linked(&self, doing: &str, first: &Answer, key: &str) -> PortResult<(Vec<Value>, Option<usize>)> {
        let mut entries = first.list(doing, key)?;
        let mut told = first.count(key);
        let mut next = first.next.clone();
        for _ in 1..MAX_PAGES {
            let Some(path) = self.next_path(doing, next.as_deref())? else { return Ok((entries, told)) };
            let page = self.get(doing, &path)?;
            entries.extend(page.list(doing, key)?);
            told = told.max(page.count(key));
            next = page.next;
        }
        match self.next_path(doing, next.as_deref())? {
            None => Ok((entries, told)),
            Some(_) => Err(self.endless(doing)),
        }
    }

    /// Every page of a list from a server that counts instead of linking, and may grant shorter pages than asked for: not
    /// fewer entries than it says there are.
    pub fn whole_counted(
        &self,
        doing: &str,
        path: &str,
        key: &str,
        per_page: usize,
    ) -> PortResult<Vec<Value>> {
        let (mut entries, mut told) = (Vec::new(), None);
        for page in 1..=MAX_PAGES {
            let answer = self.get(doing, &numbered(path, per_page, page))?;
            let found = answer.list(doing, key)?;
            // The most that was told: where an entry went meanwhile, another one moved to a page that was read.
            told = told.max(answer.count(key));
            let is_over = found.is_empty();
            entries.extend(found);
            if is_over || told.is_some_and(|told| distinct(&entries) >= told) {
                return self.whole(doing, entries, told);
            }
        }
        Err(self.endless(doing))
    }

    fn whole(&self, doing: &str, entries: Vec<Value>, told: Option<usize>) -> PortResult<Vec<Value>> {
        let had = distinct(&entries);
        match told {
            Some(told) if had < told => Err(PortError::broken(format!(
                "{doing}: {} says that there are {told}, and gave {had}. The next tick tries again.",
                self.server.name
            ))),
            Some(_) | None => Ok(entries),
        }
    }

    fn endless(&self, doing: &str) -> PortError {
        PortError::broken(format!(
            "{doing}: {} gave more than {MAX_PAGES} pages. That is not believed to end; the next tick tries again.",
            self.server.name
        ))
    }

    /// Every page of a list from a server that counts instead of linking: until as many entries came as it says there
    /// are, or until a page is empty (or `null`) where it does not say.
    pub fn pages_counted(&self, doing: &str, path: &str, per_page: usize) -> PortResult<Vec<Value>> {
        self.pages_numbered(doing, path, per_page, true)
    }

    /// The same for lists whose count cannot be believed: until a page is empty, or `null`.
    pub fn pages_until_empty(&self, doing: &str, path: &str, per_page: usize) -> PortResult<Vec<Value>> {
        self.pages_numbered(doing, path, per_page, false)
    }

    fn pages_numbered(
        &self,
        doing: &str,
        path: &str,
        per_page: usize,
        counted: bool,
    ) -> PortResult<Vec<Value>> {
        let mut entries = Vec::new();
        for page in 1..=MAX_PAGES {
            let answer = self.get(doing, &numbered(path, per_page, page))?;
            let found = answer.list(doing, "")?;
            if found.is_empty() {
                return Ok(entries);
            }
            entries.extend(found);
            if counted && answer.total.is_some_and(|total| entries.len() >= total) {
                return Ok(entries);
            }
        }
        Err(self.endless(doing))
    }

    /// The part of a link to the next page that is asked for here. A link to somewhere else is not followed.
    fn next_path(&self, doing: &str, next: Option<&str>) -> PortResult<Option<String>> {
        let Some(next) = next else { return Ok(None) };
        match next.strip_prefix(&self.server.base) {
            Some(path) if path.starts_with('/') => Ok(Some(path.to_owned())),
            Some(_) | None => Err(PortError::broken(format!(
                "{doing}: {} names a next page that is not below {}. It is not followed; check the forge's `url`.",
                self.server.name, self.server.base
            ))),
        }
    }
}

/// How many entries there are. One that came twice, since the pages moved meanwhile, is one.
fn distinct(entries: &[Value]) -> usize {
    let ids: BTreeSet<String> =
        entries.iter().filter_map(|entry| entry.get("id")).map(Value::to_string).collect();
    ids.len() + entries.iter().filter(|entry| entry.get("id").is_none()).count()
}

/// The address of one page of a list.
pub fn numbered(path: &str, per_page: usize, page: usize) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}limit={per_page}&page={page}")
}
