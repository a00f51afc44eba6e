//! Names and texts from outside: which are safe to hand to git, and how they are shown.

use std::path::{Component, Path};

use crate::domain::model::{Oid, RepoId};
use crate::ports::{PortError, PortResult};

/// Longest text of a child that goes into an error, in bytes.
const SHOWN_BYTES: usize = 400;

/// One line without control characters, cut to what a person reads.
pub(super) fn cleaned(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.len() > SHOWN_BYTES {
        let mut end = SHOWN_BYTES;
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line.push_str("...");
    }
    line
}

/// The rules of `git check-ref-format` for a name below `refs/heads/`, and no name that looks like an option.
pub(super) fn good_branch(name: &str) -> bool {
    let bad = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    !name.is_empty()
        && name.len() <= 200
        && name != "@"
        && name != "HEAD"
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.chars().any(bad)
        && name.split('/').all(|part| {
            let lock = part.to_ascii_lowercase().ends_with(".lock");
            !part.is_empty() && !part.starts_with('.') && !lock
        })
}

/// `name` if it can be a branch, else a sentence.
pub(super) fn branch(name: &str) -> PortResult<&str> {
    if good_branch(name) {
        return Ok(name);
    }
    Err(PortError::refused(format!(
        "using the branch name `{}`: git does not allow such a name. Choose another one in the configuration.",
        cleaned(name.as_bytes())
    )))
}

/// A run's id as the last part of a ref.
pub(super) fn run(id: &str) -> PortResult<&str> {
    if good_branch(id) && !id.contains('/') {
        return Ok(id);
    }
    Err(PortError::broken(format!(
        "using the run id `{}`: it cannot be part of a ref name. The state file holds a damaged row; see `state check`.",
        cleaned(id.as_bytes())
    )))
}

/// The repository's parts as folder names.
pub(super) fn folders(repo: &RepoId) -> PortResult<[String; 3]> {
    let plain = |s: &str| {
        let mut parts = Path::new(s).components();
        matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == s)
    };
    if plain(&repo.forge) && plain(&repo.owner) && plain(&repo.name) {
        return Ok([repo.forge.clone(), repo.owner.clone(), format!("{}.git", repo.name)]);
    }
    Err(PortError::refused(format!(
        "using the repository `{repo}`: its name cannot be a folder. Correct it."
    )))
}

/// An address that git takes for an address and not for an option.
pub(super) fn url(text: &str) -> PortResult<&str> {
    if !text.is_empty() && !text.starts_with('-') && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    Err(PortError::refused(
        "using the remote's address: it is empty, begins with a dash or holds control characters. Correct it in the \
         configuration.",
    ))
}

/// An object name that git printed.
pub(super) fn oid(text: &str, doing: &str) -> PortResult<Oid> {
    Oid::parse(text.trim()).ok_or_else(|| {
        PortError::broken(format!(
            "{doing}: git printed `{}` where an object name was expected. The next tick tries again.",
            cleaned(text.as_bytes())
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_names_follow_git() {
        for good in ["main", "a/b", "offhours/issue-3-x", "v1.0", "a-b_c", "ünï"] {
            assert!(good_branch(good), "{good}");
        }
        let bad = [
            "", "@", "HEAD", "-x", "a..b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "/a",
            "a/", "a//b", ".a", "a/.b", "a.lock", "a.LOCK/b", "a.", "a@{b", "a\nb", "a\x7fb",
        ];
        for bad in bad {
            assert!(!good_branch(bad), "{bad}");
        }
    }

    #[test]
    fn texts_of_children_are_one_clean_line() {
        assert_eq!(cleaned(b"fatal: \x1b[31mno\x07\n\nremote: x\r\n"), "fatal: [31mno remote: x");
        assert!(cleaned(&[b'x'; 5000]).len() < 410);
    }

    #[test]
    fn a_repository_is_three_folders_and_never_a_way_out() {
        let repo = |o: &str| RepoId { forge: "f".into(), owner: o.into(), name: "n".into() };
        assert!(folders(&repo("o")).is_ok());
        for bad in ["", ".", "..", "a/b", "/", "a/"] {
            assert!(folders(&repo(bad)).is_err(), "{bad}");
        }
    }
}
