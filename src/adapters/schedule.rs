//! Hands a crontab or units to the machine: the `crontab` and `systemctl` programs on the PATH.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{files, process};
use crate::boundary;
use crate::domain::escape::sanitize;
use crate::domain::model::UnixTime;
use crate::ports::{PortError, PortResult};

const TIMEOUT: Duration = Duration::from_secs(30);
/// A dry run asks registries and fetches.
const REHEARSAL: Duration = Duration::from_secs(300);
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The PATH on which the programs are looked for, and where a user's units are.
pub struct Scheduler {
    pub path: OsString,
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`, and what a user's systemd needs.
    pub session: Vec<(&'static str, OsString)>,
}

impl Scheduler {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", &self.path).env("LC_ALL", "C");
        command.envs(self.session.iter().map(|(name, value)| (*name, value)));
        if let Some(home) = &self.home {
            command.env("HOME", home);
        }
        command
    }

    /// The crontab as it is now; empty where there is none. What cannot be read is never taken for empty.
    pub fn crontab(&self) -> PortResult<String> {
        let done = process::run(self.command("crontab").arg("-l"), TIMEOUT, MAX_BYTES).map_err(|e| {
            PortError::refused(format!(
                "`crontab -l` could not be started: {e}; install cron, or use systemd"
            ))
        })?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        if done.success() {
            return String::from_utf8(done.stdout)
                .map_err(|_bytes| PortError::refused("the crontab is not UTF-8 text; it is left alone"));
        }
        let none =
            said.contains("no crontab for") || (said.contains("can't open") && said.contains("No such file"));
        if none {
            return Ok(String::new());
        }
        Err(PortError::refused(format!("`crontab -l` {}: {}", done.how(), sanitize(&said, 300))))
    }

    /// An instant as `MM HH D` in the system's time zone, which is a cron daemon's, or in a named one.
    pub fn local_time(&self, at: UnixTime, zone: Option<&str>) -> PortResult<String> {
        let mut command = self.command("date");
        if let Some(zone) = zone {
            command.env("TZ", zone);
        }
        command.arg("-d").arg(format!("@{}", at.0)).arg("+%M %H %w");
        let done = process::run(&mut command, TIMEOUT, MAX_BYTES)
            .map_err(|e| PortError::refused(format!("`date` could not be started: {e}")))?;
        if done.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        Err(PortError::refused(format!("`date` {}", done.how())))
    }

    /// Runs a command as a scheduler would: with this PATH and HOME, and nothing else.
    pub fn rehearse(
        &self,
        words: &[&str],
        path: &str,
        home: &str,
        more: &[(&str, OsString)],
    ) -> PortResult<()> {
        let Some((program, arguments)) = words.split_first() else { return Ok(()) };
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", home).args(arguments);
        command.envs(more.iter().map(|(name, value)| (*name, value)));
        let done = process::run(&mut command, REHEARSAL, MAX_BYTES)
            .map_err(|e| PortError::refused(format!("`{program}` could not be started: {e}")))?;
        if done.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(PortError::refused(format!(
            "the command does not work as a scheduler would start it: it {}: {}",
            done.how(),
            sanitize(&said, 400)
        )))
    }

    /// Replaces the crontab as a whole.
    pub fn set_crontab(&self, text: &str) -> PortResult<()> {
        let trouble = |e: std::io::Error| PortError::refused(format!("`crontab -` could not be run: {e}"));
        boundary::pass("schedule.crontab");
        let mut child = self
            .command("crontab")
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(trouble)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(text.as_bytes()).map_err(trouble)?;
        }
        let done = child.wait_with_output().map_err(trouble)?;
        boundary::pass("schedule.crontab");
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(PortError::refused(format!("`crontab -` {}: {}", done.status, sanitize(&said, 300))))
    }

    /// The folder of a user's units, or the system's.
    pub fn unit_folder(&self, system: bool) -> PortResult<PathBuf> {
        if system {
            return Ok(PathBuf::from("/etc/systemd/system"));
        }
        let named = self
            .session
            .iter()
            .find(|(name, _)| *name == "XDG_CONFIG_HOME")
            .map(|(_, dir)| PathBuf::from(dir));
        named
            .or_else(|| self.home.as_ref().map(|home| home.join(".config")))
            .map(|dir| dir.join("systemd/user"))
            .ok_or_else(|| PortError::refused("there is no place for a user's units: HOME is not set"))
    }

    /// `systemctl`, for the user or the system.
    pub fn systemctl(&self, system: bool, words: &[&str]) -> PortResult<()> {
        let mut command = self.command("systemctl");
        if !system {
            command.arg("--user");
        }
        command.args(words);
        boundary::pass("schedule.systemctl");
        let shown = words.join(" ");
        let done = process::run(&mut command, TIMEOUT, MAX_BYTES)
            .map_err(|e| PortError::refused(format!("`systemctl {shown}` could not be started: {e}")))?;
        boundary::pass("schedule.systemctl");
        if done.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(PortError::refused(format!("`systemctl {shown}` {}: {}", done.how(), sanitize(&said, 300))))
    }

    /// A file's text; `None` where there is none.
    pub fn read(path: &Path) -> PortResult<Option<String>> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(PortError::refused(format!("reading {}: {e}", path.display()))),
        }
    }

    pub fn write(path: &Path, text: &str) -> PortResult<()> {
        let trouble = |e: std::io::Error| PortError::refused(format!("writing {}: {e}", path.display()));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(trouble)?;
        }
        files::write_whole(path, text.as_bytes()).map_err(trouble)
    }

    pub fn remove(path: &Path) -> PortResult<()> {
        match fs::remove_file(path) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(PortError::refused(format!("removing {}: {e}", path.display()))),
        }
    }
}
