//! What people are told of a lock of git that is in the way.

use std::path::Path;

use crate::domain::moment::format_duration;

/// The file, how old it is, and how it goes.
pub fn stands(path: &Path, age_seconds: i64) -> String {
    format!(
        "{} locks it since {}; where no git is at work any more, remove it with `{}`",
        path.display(),
        format_duration(age_seconds),
        remove(path)
    )
}

/// The command that takes it away.
pub fn remove(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%:,=".contains(c);
    if path.chars().all(plain) {
        format!("rm {path}")
    } else {
        format!("rm '{}'", path.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted() {
        assert_eq!(remove(Path::new("/a-b/refs/x%y.lock")), "rm /a-b/refs/x%y.lock");
        assert_eq!(remove(Path::new("/it's here/x.lock")), r"rm '/it'\''s here/x.lock'");
        assert_eq!(
            stands(Path::new("/a/x.lock"), 7_500),
            "/a/x.lock locks it since 2h 5m; where no git is at work any more, remove it with `rm /a/x.lock`"
        );
    }
}
