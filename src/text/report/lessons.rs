//! What went wrong, by type: how often, and of each type the lessons that were met most and last.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::draw::{html, put};
use super::look::Look;
use crate::domain::lesson::Record;
use crate::domain::moment::format_duration;

/// More of one type than this nobody reads on a page; `lessons list` has them all.
const MAX_OF_A_TYPE: usize = 3;

pub(super) fn lessons(out: &mut String, look: &Look) {
    let Some(counts) = &look.lessons else { return };
    out.push_str("<h2>Lessons</h2>\n");
    if counts.is_empty() {
        out.push_str("<p>None yet.</p>\n");
        return;
    }
    out.push_str("<p>of each type those that were met most often, then those met last</p>\n");
    for (kind, count) in counts {
        let mut of_kind: Vec<&Record> = look.met.iter().filter(|r| r.lesson_type == *kind).collect();
        of_kind.sort_by_key(|r| (Reverse(r.occurrences), Reverse(r.last_seen_at.0), Reverse(r.id)));
        put(out, format_args!("<h3>{}: {count} written down</h3>\n", html(kind)));
        if of_kind.is_empty() {
            continue;
        }
        out.push_str("<div class=\"wide\"><table class=\"words\">\n");
        for lesson in of_kind.into_iter().take(MAX_OF_A_TYPE) {
            row(out, look, lesson);
        }
        out.push_str("</table></div>\n");
    }
}

fn row(out: &mut String, look: &Look, lesson: &Record) {
    let times =
        if lesson.occurrences > 1 { format!("{} times, ", lesson.occurrences) } else { String::new() };
    let place = lesson.work_item_id.as_deref().or(lesson.repo.as_deref()).unwrap_or("-");
    let words = [lesson.root_cause.as_deref(), lesson.suggestion.as_deref()];
    let mut said = String::new();
    for part in words.into_iter().flatten().filter(|part| !part.trim().is_empty()) {
        let gap = if said.is_empty() { "" } else { "<br>" };
        said.write_fmt(format_args!("{gap}{}", html(part))).unwrap_or_default();
    }
    put(
        out,
        format_args!(
            "<tr><td class=\"date\">#{}</td><td class=\"date\">{times}{} ago</td><td class=\"name\">{}</td><td>{said}</td></tr>\n",
            lesson.id,
            format_duration(look.now.since(lesson.last_seen_at)),
            html(place),
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lesson::Status;
    use crate::domain::model::UnixTime;

    fn met(id: i64, kind: &str, occurrences: u32, cause: &str) -> Record {
        Record {
            id,
            created_at: UnixTime(0),
            updated_at: None,
            lesson_type: kind.to_owned(),
            work_item_id: Some(format!("home:me/app#{id}")),
            task_id: None,
            turn: None,
            stage: None,
            agent: None,
            repo: Some("home:me/app".to_owned()),
            root_cause: Some(cause.to_owned()),
            suggestion: Some("run <i>them</i> first".to_owned()),
            detail: None,
            status: Status::New,
            related_task: None,
            source: "auto".to_owned(),
            attribution: None,
            target_repo: None,
            target_domain: None,
            occurrences,
            last_seen_at: UnixTime(3600 * id),
            approved_at: None,
            expires_at: None,
            untrusted: false,
        }
    }

    #[test]
    fn the_most_met_stand_first_and_words_are_no_markup() {
        let look = Look {
            now: UnixTime(90_000),
            lessons: Some(vec![("gate_failure".to_owned(), 9), ("frozen".to_owned(), 1)]),
            met: vec![
                met(1, "gate_failure", 1, "old"),
                met(2, "gate_failure", 7, "<b>often</b>"),
                met(3, "gate_failure", 1, "newer"),
                met(4, "gate_failure", 1, "newest"),
            ],
            ..Look::default()
        };
        let mut out = String::new();
        lessons(&mut out, &look);
        assert!(out.contains("gate_failure: 9 written down") && out.contains("frozen: 1 written down"));
        let at = |word: &str| out.find(word).unwrap_or_else(|| panic!("{word}: {out}"));
        assert!(at("7 times, 23h 0m ago") < at("newest") && at("newest") < at("newer<"), "{out}");
        assert!(!out.contains("old") && !out.contains("<b>") && !out.contains("<i>"), "{out}");
        assert!(at("&lt;b&gt;often") < at("run &lt;i&gt;them"));
    }
}
