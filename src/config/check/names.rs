//! Which names, addresses and programs are good by themselves.

/// Names become file names, parts of ids and words in messages.
pub(super) const NAME_RULE: &str = "names have 1 to 40 letters, digits, - and _";

pub(super) fn good_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

pub(super) fn no_program(argv: &[String]) -> bool {
    argv.first().is_none_or(String::is_empty)
}

/// An address that a token may be sent to.
pub(super) fn safe_address(url: &str) -> bool {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return false,
    };
    let host = rest.split('/').next().unwrap_or_default();
    let bare = host.strip_prefix('[').map_or_else(
        || host.split(':').next().unwrap_or_default(),
        |rest| rest.split(']').next().unwrap_or_default(),
    );
    let here = matches!(bare, "localhost" | "::1")
        || bare.strip_prefix("127.").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'));
    let plain = !bare.is_empty()
        && !url.ends_with('/')
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || "@?#\\".contains(c));
    plain && (secure || here)
}

/// The part of git's rules that keeps a name from being an option, a range or a path out of `refs/heads`.
pub(super) fn good_branch(name: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.chars().any(strange)
        && !["..", "//", "@{", "/."].iter().any(|part| name.contains(part))
        && name.rsplit('.').next() != Some("lock")
}
