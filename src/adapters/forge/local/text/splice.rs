//! Changing a text by the bytes that the change is about.

use std::ops::Range;

use toml_edit::Value;

/// A range of the front matter and what comes in its place.
pub(super) type Splice = (Range<usize>, String);

pub(super) fn apply(front: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| range.start);
    let mut text = front.to_owned();
    for (range, with) in splices.into_iter().rev() {
        text.replace_range(range, &with);
    }
    text
}

/// One more element at the end of an array, in the array's own style.
pub(super) fn array_grown(front: &str, array: &toml_edit::Array, value: &str, newline: &str) -> Vec<Splice> {
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
pub(super) fn array_shrunk(
    front: &str,
    array: &toml_edit::Array,
    unwanted: impl Fn(&Value) -> bool,
) -> Vec<Splice> {
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
