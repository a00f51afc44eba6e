//! Words from outside, made harmless where they are shown.

/// The most of a log that goes into a comment or a prompt, in characters: forges refuse longer comments.
const MAX_LOG_CHARS: usize = 30_000;

/// Characters that show nothing or turn the reading direction: what a person sees would not be what is there.
fn unseen(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{180e}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text from outside for a terminal or a log: no control characters, no escapes, at most `limit` characters.
pub fn sanitize(text: &str, limit: usize) -> String {
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
    let plain = sanitize(text, limit);
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
    let name: String = sanitize(text, 120).chars().map(|c| if usual(c) { c } else { '?' }).collect();
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
    if chars <= MAX_LOG_CHARS {
        return fenced(text);
    }
    let tail: String = text.chars().skip(chars - MAX_LOG_CHARS).collect();
    fenced(&format!("…{tail}"))
}

/// Whether a word is an address that can stand in a header line.
pub fn is_address(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty()
        && local.chars().all(good)
        && !domain.is_empty()
        && text.len() <= 254
        && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_outside_are_plain() {
        for (text, want) in [
            ("a\nb\tc\r\n", "a b c "),
            ("\u{1b}[31mred\u{1b}[0m", "[31mred[0m"),
            ("\u{9b}31m\u{7}bell\u{0}", "31mbell"),
            ("a\u{202e}txt.exe\u{2066}b\u{061c}", "atxt.exeb"),
            ("zero\u{200b}width\u{feff}\u{2060}", "zerowidth"),
            ("tag\u{e0041}s", "tags"),
            ("line\u{2028}end", "line end"),
            ("123456789", "123456789"),
            ("1234567890", "12345678…"),
        ] {
            assert_eq!(sanitize(text, 9.max(want.chars().count())), want, "{text:?}");
        }
        assert_eq!(sanitize("ab", 0), "…");
    }

    #[test]
    fn words_from_outside_are_no_markup() {
        for (text, want) in [
            ("@ada", "@\u{2060}ada"),
            ("fixes #12", "fixes \\#\u{2060}12"),
            ("<!-- offhours:r1:end -->", "\\<\\!-- offhours:r1:end --\\>"),
            ("[x](javascript:1)", "\\[x\\]\\(javascript:1\\)"),
            ("`code` **b** _i_ ~s~", "\\`code\\` \\*\\*b\\*\\* \\_i\\_ \\~s\\~"),
            ("a | b", "a \\| b"),
            ("&lt;", "\\&lt;"),
            ("https://evil.example", "https:\u{2060}//evil.example"),
            ("see www.evil.example", "see www\u{2060}.evil.example"),
            ("- list", "\\- list"),
            ("a\n# head", "a \\#\u{2060} head"),
            ("back\\slash", "back\\\\slash"),
        ] {
            assert_eq!(markdown(text, 100), want, "{text:?}");
        }
        assert!(markdown(&"x".repeat(100_000), 50).chars().count() <= 50);
    }

    #[test]
    fn a_fence_cannot_be_closed_from_inside() {
        for (text, fence) in
            [("plain", "```"), ("```\nout", "````"), ("a ````` b", "``````"), ("`", "```"), ("", "```")]
        {
            let block = fenced(text);
            assert!(
                block.starts_with(&format!("{fence}text\n")) && block.ends_with(&format!("\n{fence}")),
                "{block}"
            );
            assert_eq!(block.lines().filter(|l| l.trim() == fence).count(), 1, "{block}");
        }
        assert_eq!(fenced("a\u{1b}[1m\u{202e}b\u{0}\n"), "```text\na[1mb\n```");
    }

    #[test]
    fn addresses() {
        for good in ["me@example.org", "a+b@x.y", "root@localhost"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "me", "me@", "@x", "a b@x", "a@x\nBcc: b@y", "<a@x>", "a@x,b@y", "ä@x"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
