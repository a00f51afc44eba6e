//! What can be found out about this machine without changing anything: programs on a PATH, remotes of a folder.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process;

/// A look at the machine takes no longer than this.
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 256 * 1024;

/// The program of this name in the folders of a PATH, or itself where it is a path.
pub fn on_path(program: &str, path: &OsStr) -> Option<PathBuf> {
    let runs = |file: &Path| {
        std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|f| runs(f));
    }
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(program))
        .find(|file| !program.is_empty() && runs(file))
}

/// Names and URLs of the remotes of the repository that `dir` is in; `origin` first.
pub fn remotes(dir: &Path) -> Vec<(String, String)> {
    let told =
        tell(Command::new("git").args(["config", "--get-regexp", r"^remote\..*\.url$"]).current_dir(dir));
    let mut found: Vec<(String, String)> = told
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(key, url)| {
            let name = key.strip_prefix("remote.")?.strip_suffix(".url")?;
            Some((name.to_owned(), url.to_owned()))
        })
        .collect();
    found.sort_by_key(|(name, _)| name != "origin");
    found
}

/// What a command prints, where it ends well in time.
pub fn tell(command: &mut Command) -> Option<String> {
    let done = process::run(command, TIMEOUT, MAX_BYTES).ok()?;
    done.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

/// A command with nothing of our environment but a PATH and a home.
pub fn quietly(file: &Path, path: &str, home: Option<OsString>) -> Command {
    let mut command = Command::new(file);
    command.env_clear().env("PATH", path);
    if let Some(home) = home {
        command.env("HOME", home);
    }
    command
}

/// Whether a command ends well; else what it came to.
pub fn answer(command: &mut Command) -> Result<(), String> {
    let done = process::run(command, TIMEOUT, MAX_BYTES).map_err(|e| format!("could not be started: {e}"))?;
    if done.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    Err(format!("{}: {}", done.how(), said.trim()))
}

/// What a user may still write on the disk that holds this path.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_one_that_can_be_run() {
        let dir = tempfile::tempdir().unwrap();
        let (good, plain) = (dir.path().join("good"), dir.path().join("plain"));
        std::fs::write(&good, "").unwrap();
        std::fs::write(&plain, "").unwrap();
        std::fs::set_permissions(&good, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = dir.path().as_os_str();
        assert_eq!(on_path("good", path), Some(good.clone()));
        assert_eq!(on_path(good.to_str().unwrap(), OsStr::new("")), Some(good));
        for name in ["plain", "gone", "", "../good"] {
            assert_eq!(on_path(name, path), None, "{name}");
        }
    }
}
