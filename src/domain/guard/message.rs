//! The rules about commit messages: what they close, revert, mention and give away.

use super::secret::secret;
use super::{GuardPolicy, Refusal};

/// Words by which one forge or another closes issues, or opens them again.
const CLOSING: [&str; 20] = [
    "close",
    "closes",
    "closed",
    "closing",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "resolve",
    "resolves",
    "resolved",
    "resolving",
    "implement",
    "implements",
    "implemented",
    "implementing",
    "reopen",
    "reopens",
    "reopened",
    "reopening",
];

pub(super) fn about_message(number: usize, message: &str, policy: &GuardPolicy, found: &mut Vec<Refusal>) {
    let mut refuse = |code, why| found.push(Refusal { code, place: format!("commit message {number}"), why });
    if reverts(message) {
        refuse("revert", "it says that it reverts a commit");
    }
    if closes_another(message, policy) {
        refuse("foreign-close", "it would close another issue");
    }
    if message.lines().any(mentions) {
        refuse("mention", "it mentions somebody");
    }
    if let Some(why) = message.lines().find_map(secret) {
        refuse("secret", why);
    }
}

/// git's own words, however they are spaced, and GitHub's for a reverted pull request.
fn reverts(message: &str) -> bool {
    let words: Vec<String> = message.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").contains("this reverts commit")
        || message.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("reverts"))
                && words.next().is_some_and(|word| reference(word).is_some())
        })
}

/// A closing word, however it is set off, and then an issue that is not the own one.
fn closes_another(message: &str, policy: &GuardPolicy) -> bool {
    // Only ASCII is folded, so that offsets stay what they are.
    let folded = message.to_ascii_lowercase();
    let mut from = 0;
    for word in folded.split(|c: char| !c.is_ascii_alphanumeric()) {
        let end = from + word.len();
        if CLOSING.contains(&word) && message.get(end..).is_some_and(|rest| names_another(rest, policy)) {
            return true;
        }
        from = end + folded.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    false
}

/// "closes #1, #2 and #3": every reference up to the next plain word.
fn names_another(mut rest: &str, policy: &GuardPolicy) -> bool {
    const BETWEEN: [&str; 7] = ["and", "or", "also", "issue", "issues", "pr", "mr"];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || "*_`\"'()[]<>{},;:&+-".contains(c));
        if let Some(found) = reference(rest) {
            if !found.is_own(policy) {
                return true;
            }
            rest = rest.get(found.len..).unwrap_or("");
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("");
        if word.is_empty() || !BETWEEN.iter().any(|between| word.eq_ignore_ascii_case(between)) {
            return false;
        }
        rest = rest.get(end..).unwrap_or("");
    }
}

/// What a closing word may close.
struct Reference<'a> {
    /// Repository (empty for the same one) and number of `#7` and `owner/name#7`. Of `!7`, `GH-7` and an address,
    /// which may name any host, it is enough that they are there.
    named: Option<(&'a str, &'a str)>,
    len: usize,
}

impl Reference<'_> {
    fn is_own(&self, policy: &GuardPolicy) -> bool {
        self.named.is_some_and(|(of, digits)| {
            digits.parse() == Ok(policy.own_issue) && (of.is_empty() || of.eq_ignore_ascii_case(&policy.repo))
        })
    }
}

/// An address or a name is not looked at further than this.
const REFERENCE_LOOK: usize = 512;

/// The reference at the start of a text.
fn reference(text: &str) -> Option<Reference<'_>> {
    let within = |c: char| c.is_ascii_alphanumeric() || "-_./:~%@?=".contains(c);
    let end: usize = text.chars().take(REFERENCE_LOOK).take_while(|c| within(*c)).map(char::len_utf8).sum();
    let of = text.get(..end)?;
    let rest = text.get(end..)?;
    if let Some(sign @ ('#' | '!')) = rest.chars().next() {
        let digits = leading_digits(rest.get(1..)?);
        let plausible = of.is_empty() || of.contains('/') || of.chars().any(|c| c.is_ascii_alphabetic());
        if !digits.is_empty() && plausible {
            let named = (sign == '#').then_some((of, digits));
            return Some(Reference { named, len: end + 1 + digits.len() });
        }
    }
    let folded = of.to_ascii_lowercase();
    let number = |text: &str| !leading_digits(text).is_empty();
    let short = folded.strip_prefix("gh-").is_some_and(number);
    let address = ["/issues/", "/pull/", "/pulls/", "/merge_requests/", "/work_items/"]
        .iter()
        .any(|kind| folded.split_once(kind).is_some_and(|(_, after)| number(after)));
    (short || address).then_some(Reference { named: None, len: end })
}

fn leading_digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

/// `@name` as forges read it: not in an address, not in code, not a part of a path.
fn mentions(line: &str) -> bool {
    let mut rest = line;
    while let Some((text, after)) = rest.split_once('`') {
        if mentioned(text) {
            return true;
        }
        // A backtick that is never closed opens no code.
        match after.split_once('`') {
            Some((_code, after)) => rest = after,
            None => return mentioned(after),
        }
    }
    mentioned(rest)
}

fn mentioned(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.match_indices('@').any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let address = before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/'));
        let name = text.get(at + 1..).unwrap_or("").trim_start_matches(['_', '-']);
        !address && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}
