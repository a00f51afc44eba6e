//! The home of a repository's jobs, and what is copied into it.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

pub(super) fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Copies one file into a home that an agent may write: through no link, and only over something older, because
/// agents renew the credentials that were copied.
pub(super) fn copy_home_file(from: &Path, home: &Path, name: &Path) -> io::Result<()> {
    let plain = name.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain || name.as_os_str().is_empty() {
        return Err(io::Error::other("it is not a path below the home directory"));
    }
    let (source, target) = (from.join(name), home.join(name));
    let parent = target.parent().unwrap_or(home);
    private_dir(parent)?;
    if !parent.canonicalize()?.starts_with(home.canonicalize()?) {
        return Err(io::Error::other("a link in the repository's home leads out of it"));
    }
    let wanted = source.metadata()?;
    let there = target.symlink_metadata().ok().filter(std::fs::Metadata::is_file);
    if there.is_some_and(|there| matches!((there.modified(), wanted.modified()), (Ok(a), Ok(b)) if a >= b)) {
        return Ok(());
    }
    let temp = parent.join(format!(".{}.offhours-new", target.file_name().unwrap_or_default().display()));
    // Made new, so that a link which was planted under this name is not followed.
    if let Err(error) = std::fs::remove_file(&temp)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    io::copy(&mut File::open(&source)?, &mut File::options().write(true).create_new(true).open(&temp)?)?;
    std::fs::set_permissions(&temp, wanted.permissions())?;
    std::fs::rename(&temp, &target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_files_do_not_follow_links_and_do_not_overwrite_what_is_newer() {
        let dir = tempfile::tempdir().unwrap();
        let (from, home, out) = (dir.path().join("from"), dir.path().join("home"), dir.path().join("out"));
        for dir in [&from.join(".a"), &home, &out] {
            std::fs::create_dir_all(dir).unwrap();
        }
        std::fs::write(from.join(".a/key"), "one").unwrap();
        copy_home_file(&from, &home, Path::new(".a/key")).unwrap();
        assert_eq!(std::fs::read_to_string(home.join(".a/key")).unwrap(), "one");
        std::fs::write(home.join(".a/key"), "renewed").unwrap();
        copy_home_file(&from, &home, Path::new(".a/key")).unwrap();
        assert_eq!(std::fs::read_to_string(home.join(".a/key")).unwrap(), "renewed");

        std::fs::remove_dir_all(home.join(".a")).unwrap();
        std::os::unix::fs::symlink(&out, home.join(".a")).unwrap();
        assert!(copy_home_file(&from, &home, Path::new(".a/key")).is_err());
        assert!(copy_home_file(&from, &home, Path::new("../x")).is_err());
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
    }
}
