//! Keys that the schema does not have where they stand, and what was meant by them.

use toml_edit::TableLike;

use super::read::{Place, Reader};
use super::schema::{TABLES, rows};

impl Reader<'_> {
    /// Refuses every key of the table that the schema does not have there.
    pub(super) fn unknown(&mut self, table: &dyn TableLike, place: &Place) {
        let known = keys_of(place.pattern);
        for (key, item) in table.iter() {
            if known.contains(&key) {
                continue;
            }
            let line = self.line_of(table, key, place);
            let what = unknown_sentence(key, place, &known, item.is_table_like());
            self.problem(line, what);
        }
    }
}

fn unknown_sentence(key: &str, place: &Place, known: &[&'static str], is_table: bool) -> String {
    let within = place.within();
    let homes: Vec<String> = tables_with(key).map(home).collect();
    if !homes.is_empty() {
        let whereto = homes.join(" or ");
        return format!(
            "`{key}` is not a key{}: it belongs {whereto}",
            if within.is_empty() { " at the top" } else { &within }
        );
    }
    let start = format!("`{key}`{within} is not a key that is known");
    if let Some(near) = nearest(key, known.iter().copied()) {
        return format!("{start}: did you mean `{near}`?");
    }
    // Who wrote a table did not mean a key.
    let keys = rows().filter(|_| !is_table).map(|(row, _)| row.name);
    if let Some(near) = nearest(key, keys.chain(TABLES.iter().map(|(table, _)| last(table)))) {
        let homes: Vec<String> = tables_with(near).map(home).collect();
        return format!("{start}: did you mean `{near}`, which belongs {}?", homes.join(" or "));
    }
    format!("{start}: here are {}", known.join(", "))
}

/// Where a key belongs, as words.
fn home(table: &'static str) -> String {
    match table {
        "" => "at the top of the file, above the first [table]".to_owned(),
        "ci.stage" | "repo.*.ci.stage" => format!("under [[{table}]]"),
        _ => format!("under [{}]", table.replace('*', "NAME")),
    }
}

/// Tables in which the key is known, without those that only override others.
fn tables_with(key: &str) -> impl Iterator<Item = &'static str> {
    let owned = key.to_owned();
    let has = move |table: &&'static str| keys_of(table).contains(&owned.as_str());
    let all: Vec<&'static str> =
        std::iter::once("").chain(TABLES.iter().map(|(table, _)| *table)).filter(has).collect();
    let repo_only = all.iter().all(|table| table.starts_with("repo."));
    all.into_iter().filter(move |table| repo_only || !table.starts_with("repo."))
}

/// Every key and table that may stand directly in a table of this pattern.
fn keys_of(pattern: &str) -> Vec<&'static str> {
    let mut keys: Vec<&'static str> =
        rows().filter(|(_, tables)| tables.contains(&pattern)).map(|(row, _)| row.name).collect();
    for (table, _) in TABLES {
        let below = match pattern {
            "" => Some(*table),
            _ => table.strip_prefix(pattern).and_then(|rest| rest.strip_prefix('.')),
        };
        let child = below.filter(|rest| !rest.is_empty()).and_then(|rest| rest.split('.').next());
        keys.extend(child.filter(|child| *child != "*"));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The last name of a pattern that is not a star.
fn last(table: &'static str) -> &'static str {
    table.trim_end_matches(".*").rsplit('.').next().unwrap_or(table)
}

/// The known key that is most like the one written, if one is alike at all.
fn nearest(key: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // Comparing costs the product of the lengths; a key that long is no typing error.
    if key.len() > 64 {
        return None;
    }
    let likeness = |name: &'static str| (strsim::normalized_damerau_levenshtein(key, name), name);
    known
        .map(likeness)
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
