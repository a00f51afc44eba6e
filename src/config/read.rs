//! Walks the TOML document by the key table and collects what is wrong with it, with lines.

use std::path::Path;

use toml_edit::{Item, TableLike};

use super::row::Row;
use super::value::{Bad, Setting};

/// A table of the file: what the schema calls it (`repo.*`), and what the file calls it (`repo."home:a/b"`).
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) pattern: &'static str,
    pub(super) shown: String,
    /// The table changes settings that stand elsewhere, so that no key of it is required.
    pub(super) overriding: bool,
    /// Line of the table's header.
    pub(super) line: usize,
}

impl Place {
    pub(super) fn top() -> Self {
        Self { pattern: "", shown: String::new(), overriding: false, line: 1 }
    }

    /// ` in [ci]`, or nothing at the top.
    pub(super) fn within(&self) -> String {
        if self.shown.is_empty() { String::new() } else { format!(" in [{}]", self.shown) }
    }
}

/// What is wrong, and on which line.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    /// Where relative paths start.
    pub(super) folder: &'a Path,
    pub(super) problems: Vec<(usize, String)>,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push((line, what.into()));
    }

    /// The line of a key of the table, else of the table itself.
    pub(super) fn line_of(&self, table: &dyn TableLike, key: &str, place: &Place) -> usize {
        let span = table.get_key_value(key).and_then(|(key, item)| key.span().or_else(|| item.span()));
        span.map_or(place.line, |span| line_at(self.text, span.start))
    }

    /// Reads one key; `None` where the base stands: it is not there, or it is wrong and that was noted.
    pub(super) fn take<T: Setting>(&mut self, table: &dyn TableLike, place: &Place, row: &Row) -> Option<T> {
        let Some(item) = table.get(row.name) else {
            if row.required && !place.overriding {
                let what = format!("`{}` is missing{}: it wants {}", row.name, place.within(), T::accepts());
                self.problem(place.line, what);
            }
            return None;
        };
        let line = self.line_of(table, row.name, place);
        let (name, within) = (row.name, place.within());
        match T::read(item, self.folder) {
            Ok(value) => {
                let Some((low, high)) = row.bounds.filter(|(low, high)| !value.within(*low, *high)) else {
                    return Some(value);
                };
                let accepted = T::accepts();
                self.problem(
                    line,
                    format!("`{name}`{within} is out of bounds: it wants {accepted} from {low} to {high}"),
                );
            }
            Err(Bad::Type) => {
                let accepted = T::accepts();
                self.problem(
                    line,
                    format!("`{name}`{within} wants {accepted}, and this is {}", type_of(item)),
                );
            }
            Err(Bad::Says(what)) => self.problem(line, format!("`{name}`{within} {what}")),
        }
        None
    }

    /// The table below `key`; notes it if something else stands there.
    pub(super) fn table<'t>(
        &mut self,
        parent: &'t dyn TableLike,
        place: &Place,
        key: &str,
        pattern: &'static str,
    ) -> Option<(&'t dyn TableLike, Place)> {
        let item = parent.get(key)?;
        let line = self.line_of(parent, key, place);
        let quoted = toml_edit::Key::new(key).to_string();
        let shown = if place.shown.is_empty() { quoted } else { format!("{}.{quoted}", place.shown) };
        let Some(table) = item.as_table_like() else {
            self.problem(
                line,
                format!("`{key}`{} wants a table [{shown}], and this is {}", place.within(), type_of(item)),
            );
            return None;
        };
        Some((table, Place { pattern, shown, overriding: place.overriding, line }))
    }

    /// The tables below `[forge]`, `[runner]` and the like, which the user names.
    pub(super) fn named<'t>(
        &mut self,
        top: &'t dyn TableLike,
        group: &str,
        pattern: &'static str,
    ) -> Vec<(String, &'t dyn TableLike, Place)> {
        let Some((tables, parent)) = self.table(top, &Place::top(), group, "") else { return Vec::new() };
        let mut found = Vec::new();
        for (name, item) in tables.iter() {
            if item.as_table_like().is_some() {
                found.extend(
                    self.table(tables, &parent, name, pattern).map(|(t, place)| (name.to_owned(), t, place)),
                );
                continue;
            }
            let line = self.line_of(tables, name, &parent);
            self.problem(line, format!(
                "`{name}` stands directly in [{group}], which only holds tables that you name: write [{pattern}] with a \
                 name in place of the star, and `{name}` below it"
            ));
        }
        found
    }

    /// The tables of an array of tables.
    pub(super) fn array<'t>(
        &mut self,
        parent: &'t dyn TableLike,
        place: &Place,
        key: &str,
        pattern: &'static str,
    ) -> Option<Vec<(&'t dyn TableLike, Place)>> {
        let item = parent.get(key)?;
        let line = self.line_of(parent, key, place);
        let shown = format!("{}.{key}", place.shown);
        let tables: Option<Vec<&dyn TableLike>> = match item {
            Item::ArrayOfTables(tables) => Some(tables.iter().map(|t| t as &dyn TableLike).collect()),
            Item::Value(toml_edit::Value::Array(values)) => {
                values.iter().map(|v| v.as_inline_table().map(|t| t as &dyn TableLike)).collect()
            }
            Item::None | Item::Value(_) | Item::Table(_) => None,
        };
        let Some(tables) = tables else {
            self.problem(line, format!("`{key}`{} wants tables, each below [[{shown}]]", place.within()));
            return None;
        };
        let with_place = |table: &'t dyn TableLike| {
            let line = table
                .iter()
                .filter_map(|(key, _)| table.key(key).and_then(toml_edit::Key::span))
                .map(|span| line_at(self.text, span.start))
                .min()
                .unwrap_or(line);
            // Its keys are required, also where the list stands in a [repo] table: it replaces, it does not change.
            (table, Place { pattern, shown: shown.clone(), overriding: false, line })
        };
        Some(tables.into_iter().map(with_place).collect())
    }
}

/// What stands there, with its article.
pub(super) fn type_of(item: &Item) -> &'static str {
    match item {
        Item::None => "nothing",
        Item::Table(_) | Item::Value(toml_edit::Value::InlineTable(_)) => "a table",
        Item::ArrayOfTables(_) => "an array of tables",
        Item::Value(value) => match value {
            toml_edit::Value::String(_) => "a string",
            toml_edit::Value::Integer(_) => "a whole number",
            toml_edit::Value::Float(_) => "a number with a fraction",
            toml_edit::Value::Boolean(_) => "true or false",
            toml_edit::Value::Datetime(_) => "a date or time",
            toml_edit::Value::Array(_) => "an array",
            toml_edit::Value::InlineTable(_) => "a table",
        },
    }
}

/// The line, counted from 1, of a byte of the text.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    let before = &text.as_bytes()[..byte.min(text.len())];
    1 + before.iter().map(|b| usize::from(*b == b'\n')).sum::<usize>()
}
