//! What a person who labelled an issue reads on it, where their label does not start it.

use super::mark::MARK;
use crate::domain::escape::markdown;
use crate::domain::trust::Untold;

/// Hidden mark of the answer. It is one an issue, whichever run, state file or machine it came from.
pub fn answer_marker() -> String {
    format!("{MARK}answer -->")
}

/// Why the issue does not start, and how to go on.
pub fn answer(untold: &Untold) -> String {
    format!(
        "{}\n**offhours** does not start this issue.\n\n{}.\n\n{}.\n",
        answer_marker(),
        begun(&markdown(&untold.what(), 500)),
        begun(&markdown(untold.help(), 500))
    )
}

/// As it stands at the beginning of a sentence.
fn begun(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_why_and_what_to_do() {
        let author = |login: Option<&str>| Untold::Author { login: login.map(str::to_owned) };
        for (untold, why, how) in [
            (Untold::Editor, "The issue was edited", "Read it and apply the label again."),
            (
                author(Some("mallory")),
                "The forge does not say",
                "To go on, somebody trusted opens an issue of their own",
            ),
            (
                author(None),
                "The forge says neither",
                "To go on, somebody trusted opens an issue of their own",
            ),
            (
                Untold::Writers { counted: true },
                "The body was changed",
                "To go on, open a new issue with the text",
            ),
            (Untold::Writers { counted: false }, "The forge does not say", "No issue starts there before"),
        ] {
            let text = answer(&untold);
            let begins =
                format!("<!-- offhours:answer -->\n**offhours** does not start this issue.\n\n{why}");
            assert!(text.starts_with(&begins) && text.contains(&format!("\n\n{how}")), "{text}");
            assert!(!text.contains('@') && text.ends_with(".\n"), "{text}");
        }
        let text = answer(&author(Some("@all](http://x)<!-- #1\n# x")));
        for bad in ["@all", "](http", "://x", "(<!--", "#1", "\n# x"] {
            assert!(!text.contains(bad), "{bad}: {text}");
        }
    }
}
