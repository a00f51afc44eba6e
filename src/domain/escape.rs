//! Words from outside, made harmless where they are shown.

/// The most of a log that goes into a comment or a prompt, in characters: forges refuse longer comments.
const MOST_LOG_CHARS: usize = 30_000;

/// Characters that show nothing or turn the reading direction: what a person sees would not be what is there.
fn unseen(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{180e}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text from outside for a terminal or a log: no control characters, no escapes, at most `limit` characters.
pub fn plain(text: &str, limit: usize) -> String {
    let cleaned: String = text
        .chars()
        .map(|c| if matches!(c, '\n' | '\t' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .filter(|c| !c.is_control() && !unseen(*c))
        .collect();
    if cleaned.chars().count() <= limit {
        return cleaned;
    }
    let cut: String = cleaned.chars().take(limit.saturating_sub(1)).collect();
    format!("{cut}…")
}

/// Text from outside inside Markdown: no markup, no mentions, no links, no HTML. At most `limit` characters of it.
pub fn markdown(text: &str, limit: usize) -> String {
    // A word joiner keeps a mention, a reference or an address from being one; a backslash alone does not, because
    // forges look for them in the rendered text.
    const JOINER: char = '\u{2060}';
    let plain = plain(text, limit);
    let mut out = String::with_capacity(plain.len());
    for (at, c) in plain.char_indices() {
        let before = plain.get(..at).unwrap_or_default();
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' | '<' | '>'
            | '&' => {
                out.push('\\');
                out.push(c);
            }
            '#' => out.extend(['\\', c, JOINER]),
            '@' => out.extend([c, JOINER]),
            '/' if before.ends_with(':') => out.extend([JOINER, c]),
            '.' if before.ends_with("www") || before.ends_with("WWW") => out.extend([JOINER, c]),
            // A list or a rule at the start of a line.
            '-' | '+' | '=' if before.is_empty() => out.extend(['\\', c]),
            other => out.push(other),
        }
    }
    out
}

/// A name as code: what forges would make of it in running text, a mention say, it is not there.
pub fn code(text: &str) -> String {
    let usual = |c: char| c.is_alphanumeric() || "-_.@:/() ".contains(c);
    let name: String = plain(text, 120).chars().map(|c| if usual(c) { c } else { '?' }).collect();
    format!("`{name}`")
}

/// A block of text from outside, fenced with a fence that it cannot close.
pub fn fenced(text: &str) -> String {
    let cleaned: String =
        text.chars().filter(|c| (*c == '\n' || *c == '\t' || !c.is_control()) && !unseen(*c)).collect();
    let longest = cleaned.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", cleaned.trim_end())
}

/// The end of a log, fenced: the last lines say what failed.
pub fn fenced_log(text: &str) -> String {
    let text = text.trim_end();
    let chars = text.chars().count();
    if chars <= MOST_LOG_CHARS {
        return fenced(text);
    }
    let tail: String = text.chars().skip(chars - MOST_LOG_CHARS).collect();
    fenced(&format!("…{tail}"))
}
