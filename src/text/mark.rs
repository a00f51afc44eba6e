//! What texts of ours are known by, and who is spoken to.

use crate::domain::run::Run;

/// How the hidden mark of a text of ours begins.
pub const MARK: &str = "<!-- offhours:";

/// Hidden mark by which a comment of ours is known again, together with its recorded id.
pub fn marker(run: &str, what: &str) -> String {
    format!("{MARK}{run}:{what} -->")
}

/// The one who asked is told; a name that is no login of a person is not bent into somebody else's.
pub(super) fn mention(run: &Run) -> String {
    let login = run.asked_by.as_str();
    let good = !login.is_empty() && login.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if good { format!("@{login} ") } else { String::new() }
}
