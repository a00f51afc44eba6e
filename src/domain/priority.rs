//! What goes first, and what an issue's text says it waits for.

/// Which written number goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    LargestFirst,
    SmallestFirst,
}

/// An issue named after the words "blocked by".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ref {
    /// `#n`: an issue of the same repository.
    Here(u64),
    /// `owner/repo#n`, as it was written: not to be read through this repository, so it blocks.
    Elsewhere(String),
    /// A number that no issue can have, as it was written (cut): it blocks.
    Unreadable(String),
}

/// The priority; the larger result goes first, 0 where nothing says otherwise.
///
/// `priority:<n>` is n, `own` is a number the forge keeps, `words` are the configured labels with their numbers:
/// with [`Order::SmallestFirst`] these are turned round. `P0` to `P9` are 1000 down to 991 in either order, since
/// they say themselves which goes first. Of several the one that goes first counts; labels are compared without
/// regard to case, and what is not a number is ignored.
pub fn priority(labels: &[String], own: Option<i64>, words: &[(String, i64)], order: Order) -> i64 {
    let turn = |n: i64| match order {
        Order::LargestFirst => n,
        Order::SmallestFirst => n.checked_neg().unwrap_or(i64::MAX),
    };
    let from_label = |label: &String| {
        let label = label.trim();
        let written = numbered(label).map(turn);
        let word = words.iter().filter(|(w, _)| w.trim().eq_ignore_ascii_case(label)).map(|(_, n)| turn(*n));
        word.chain(written).chain(ladder(label)).max()
    };
    labels.iter().filter_map(from_label).chain(own.map(turn)).max().unwrap_or(0)
}

/// `priority:<n>`.
fn numbered(label: &str) -> Option<i64> {
    let (word, number) = label.split_once(':')?;
    if !word.trim().eq_ignore_ascii_case("priority") {
        return None;
    }
    number.trim().parse().ok()
}

/// `P0` to `P9`.
fn ladder(label: &str) -> Option<i64> {
    match label.as_bytes() {
        [b'p' | b'P', digit @ b'0'..=b'9'] => Some(1000 - i64::from(digit - b'0')),
        _ => None,
    }
}

/// Every issue named after the words "blocked by" up to the end of that line: anywhere in the body, in any case,
/// in the order of their first appearance, each once.
pub fn blocked_by_words(body: &str) -> Vec<Ref> {
    let mut found = Vec::new();
    for line in body.split(['\n', '\r']) {
        if let Some(rest) = after_words(line) {
            collect(rest, &mut found);
        }
    }
    found
}

/// What stands after the first "blocked by" of the line. Only ASCII is folded, which keeps byte offsets as they are.
fn after_words(line: &str) -> Option<&str> {
    let folded = line.to_ascii_lowercase();
    let is_word = |c: char| c.is_ascii_alphanumeric();
    for (at, _) in folded.match_indices("blocked") {
        if folded.get(..at)?.chars().next_back().is_some_and(is_word) {
            continue;
        }
        let gap = folded.get(at + "blocked".len()..)?;
        let Some(tail) = gap.trim_start().strip_prefix("by") else { continue };
        if gap.starts_with(char::is_whitespace) && !tail.starts_with(is_word) {
            return line.get(line.len() - tail.len()..);
        }
    }
    None
}

fn collect(rest: &str, found: &mut Vec<Ref>) {
    let mut from = 0;
    for (at, _) in rest.match_indices('#') {
        let digits: &str = rest.get(at + 1..).map_or("", leading_digits);
        if digits.is_empty() {
            continue;
        }
        let before = rest.get(from..at).unwrap_or("");
        let named = match path_at_end(before) {
            Some(path) => Ref::Elsewhere(format!("{path}#{}", cut(digits))),
            None => digits
                .parse()
                .map_or_else(|_overflow| Ref::Unreadable(format!("#{}", cut(digits))), Ref::Here),
        };
        if !found.contains(&named) {
            found.push(named);
        }
        from = at + 1 + digits.len();
    }
}

fn leading_digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

/// Keeps hostile numbers out of reports at full length.
fn cut(digits: &str) -> String {
    digits.chars().take(24).collect()
}

/// `owner/repo` directly before the `#`.
fn path_at_end(before: &str) -> Option<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let start = before.len() - before.chars().rev().take_while(|c| part(*c)).count();
    let path = before.get(start..)?;
    let (owner, name) = path.rsplit_once('/')?;
    (!owner.is_empty() && !name.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(all: &[&str]) -> Vec<String> {
        all.iter().map(|l| (*l).to_owned()).collect()
    }

    #[test]
    fn labels_to_numbers() {
        let words = [("urgent".to_owned(), 50), ("later".to_owned(), -50)];
        let cases: &[(&[&str], Option<i64>, i64, i64)] = &[
            (&[], None, 0, 0),
            (
                &["bug", "priority", "priority:", "priority:high", "priority:1.5", "P", "P10", "Px"],
                None,
                0,
                0,
            ),
            (&["priority:7"], None, 7, -7),
            (&["Priority: 7 "], None, 7, -7),
            (&["priority:-3"], None, -3, 3),
            (&["priority:7", "priority:9", "priority:1"], None, 9, -1),
            (&["priority:99999999999999999999"], None, 0, 0),
            (&["priority:-9223372036854775808"], None, i64::MIN, i64::MAX),
            (&["P0"], None, 1000, 1000),
            (&["p1"], None, 999, 999),
            (&["P9"], None, 991, 991),
            (&["P3", "P2"], None, 998, 998),
            (&["URGENT"], None, 50, -50),
            (&["later"], None, -50, 50),
            (&["later", "urgent"], None, 50, 50),
            (&["priority:7"], Some(8), 8, -7),
            (&[], Some(-4), -4, 4),
            (&["priority:x"], Some(3), 3, -3),
        ];
        for (given, own, largest, smallest) in cases {
            let given = labels(given);
            assert_eq!(priority(&given, *own, &words, Order::LargestFirst), *largest, "{given:?}");
            assert_eq!(priority(&given, *own, &words, Order::SmallestFirst), *smallest, "{given:?}");
        }
    }

    #[test]
    fn words_to_references() {
        let here = |n: &[u64]| n.iter().map(|n| Ref::Here(*n)).collect::<Vec<_>>();
        let cases: Vec<(&str, Vec<Ref>)> = vec![
            ("", vec![]),
            ("#3", vec![]),
            ("blocked by #3", here(&[3])),
            ("BLOCKED BY: #3, #4 and #5.\n#6", here(&[3, 4, 5])),
            ("text\r\n- **Blocked by** (#3)\rsee #9", here(&[3])),
            ("bLoCkEd \t by#3#4", here(&[3, 4])),
            ("blocked\nby #3", vec![]),
            ("unblocked by #3", vec![]),
            ("blocked bypass #3", vec![]),
            ("unblocked by #3, blocked by #4", here(&[4])),
            ("blocked by #3 #3 and blocked by #3", here(&[3])),
            ("#1 is blocked by #2", here(&[2])),
            ("blocked by # 3, #x, #", vec![]),
            ("blocked by #7 \u{3068}#8\u{3002}", here(&[7, 8])),
            ("\u{130}\u{130} blocked by \u{1e9e}#5", here(&[5])),
            ("bloc\u{212a}ed by #5", vec![]),
            ("blocked by o/r#4 and #5", vec![Ref::Elsewhere("o/r#4".into()), Ref::Here(5)]),
            ("blocked by https://x.example/o/r#4", vec![Ref::Elsewhere("//x.example/o/r#4".into())]),
            ("blocked by either/#4", here(&[4])),
            ("blocked by #18446744073709551615", here(&[u64::MAX])),
            ("blocked by #18446744073709551616", vec![Ref::Unreadable("#18446744073709551616".into())]),
            ("blocked by #007", here(&[7])),
        ];
        for (body, want) in cases {
            assert_eq!(blocked_by_words(body), want, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(body in "\\PC*", tail in any::<String>()) {
            blocked_by_words(&body);
            blocked_by_words(&format!("{body} Blocked by {tail}"));
        }

        #[test]
        fn every_number_of_the_line_is_found(before in "[^\n\r]*", numbers in prop::collection::vec(any::<u64>(), 1..6)) {
            let list: Vec<String> = numbers.iter().map(|n| format!("#{n}")).collect();
            let found = blocked_by_words(&format!("{before} blocked by {}\n#1", list.join(", ")));
            for n in numbers {
                prop_assert!(found.contains(&Ref::Here(n)));
            }
        }

        #[test]
        fn label_order_does_not_matter(mut all in prop::collection::vec("(priority:-?[0-9]{1,3}|P[0-9]|bug)", 0..6)) {
            let one = priority(&all, None, &[], Order::SmallestFirst);
            all.reverse();
            prop_assert_eq!(one, priority(&all, None, &[], Order::SmallestFirst));
        }
    }
}
