//! Fetches secrets from where the configuration says they are. Called on every tick, so that a changed secret needs
//! no restart. No error here holds any part of a value.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use rustix::process::{Pid, Signal, kill_process_group};
use sha2::{Digest as _, Sha256};

use crate::domain::secret::{Secret, SecretSource};
use crate::error::Error;

/// Whoever asks git with a token may have any name.
pub const GIT_USER: &str = "x-access-token";

/// A secret as requests present it: in a header of HTTP, and to git.
#[derive(Clone, Debug)]
pub struct Token {
    secret: Secret,
    /// The word before it in the header: `Bearer`, `token`.
    scheme: &'static str,
    /// Whose it is, where tokens of the same account follow each other.
    whose: Option<String>,
}

impl Token {
    pub fn new(secret: Secret, scheme: &'static str) -> Self {
        Self { secret, scheme, whose: None }
    }

    /// One of many that stand for the same account.
    #[must_use]
    pub fn of(self, whose: String) -> Self {
        Self { whose: Some(whose), ..self }
    }

    /// Value of the header `Authorization`.
    pub fn header(&self) -> String {
        format!("{} {}", self.scheme, self.secret.reveal())
    }

    /// The same for git, which knows names and passwords.
    pub fn basic(&self) -> String {
        format!("Basic {}", self.pair())
    }

    fn pair(&self) -> String {
        base64::prelude::BASE64_STANDARD.encode(format!("{GIT_USER}:{}", self.secret.reveal()))
    }

    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Differs between tokens of different accounts, and does not give them away.
    pub fn fingerprint(&self, salt: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(salt);
        hash.update("\n");
        hash.update(self.whose.as_deref().unwrap_or(self.secret.reveal()));
        let start = hash.finalize().iter().take(6).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        format!("{start:012x}")
    }

    /// A text from outside without the token in it.
    pub fn hidden_in(&self, text: &str) -> String {
        text.replace(self.secret.reveal(), "(hidden)").replace(&self.pair(), "(hidden)")
    }
}

/// A key file with a comment fits; a log or a disk does not.
const MAX_BYTES: u64 = 64 * 1024;
/// A password manager that waits for a person must not hold up the tick.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);

/// The secret's value. `wanted_by` names the key for the error, as in `notify.phone.url`.
///
/// # Errors
/// Kind `Config` where the source is not there or is empty; `TryLater` where a command fails or takes too long.
pub fn resolve(
    source: &SecretSource,
    wanted_by: &str,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Secret, Error> {
    resolve_within(source, wanted_by, env, COMMAND_LIMIT)
}

/// The same for a private key, which has lines.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_key(
    source: &SecretSource,
    wanted_by: &str,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Secret, Error> {
    text(source, wanted_by, env, COMMAND_LIMIT).map(|(value, _)| Secret::new(value))
}

fn resolve_within(
    source: &SecretSource,
    wanted_by: &str,
    env: &dyn Fn(&str) -> Option<OsString>,
    limit: Duration,
) -> Result<Secret, Error> {
    let (value, place) = text(source, wanted_by, env, limit)?;
    // It ends in a header or a URL, where a line break would start something else.
    if value.chars().any(char::is_control) {
        return Err(Error::config(format!(
            "the secret {wanted_by}, {place}, has more than one line, or a control character in it"
        )));
    }
    Ok(Secret::new(value))
}

/// What stands at the source, and how that place is called.
fn text(
    source: &SecretSource,
    wanted_by: &str,
    env: &dyn Fn(&str) -> Option<OsString>,
    limit: Duration,
) -> Result<(String, String), Error> {
    let (bytes, place) = match source {
        SecretSource::Env(name) => {
            let value = env(name).ok_or_else(|| {
                Error::config(format!("the secret {wanted_by} is in the variable {name}, which is not set"))
                    .hint(format!("set {name} where offhours is started; cron does not read your profile"))
            })?;
            (value.into_encoded_bytes(), format!("the variable {name}"))
        }
        SecretSource::File(path) => (read(path, wanted_by)?, path.display().to_string()),
        SecretSource::Credential(name) => {
            let dir = env("CREDENTIALS_DIRECTORY").filter(|dir| !dir.is_empty()).ok_or_else(|| {
                Error::config(format!(
                    "the secret {wanted_by} is the credential {name}, and CREDENTIALS_DIRECTORY is not set"
                ))
                .hint("credentials are there only in a systemd unit with LoadCredential=")
            })?;
            let path = Path::new(&dir).join(name);
            (read(&path, wanted_by)?, format!("the credential {name}"))
        }
        SecretSource::Command(argv) => (run(argv, wanted_by, limit)?, "what its command prints".to_owned()),
    };
    let refuse = |why: &str| Error::config(format!("the secret {wanted_by}, {place}, {why}"));
    let text = String::from_utf8(bytes).map_err(|_bytes_are_secret| refuse("is not UTF-8 text"))?;
    let value = text.trim_end_matches(['\n', '\r']);
    if value.trim().is_empty() {
        return Err(refuse("is empty"));
    }
    Ok((value.to_owned(), place))
}

fn read(path: &Path, wanted_by: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| Error::config(format!("reading the secret {wanted_by} from {}: {e}", path.display())))?;
    refuse_large(&bytes, wanted_by)?;
    Ok(bytes)
}

fn refuse_large(bytes: &[u8], wanted_by: &str) -> Result<(), Error> {
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= MAX_BYTES) {
        return Ok(());
    }
    Err(Error::config(format!("the secret {wanted_by} has more than {MAX_BYTES} bytes: that is no secret")))
}

/// What the command prints, with its whole process group ended at the limit.
fn run(argv: &[String], wanted_by: &str, limit: Duration) -> Result<Vec<u8>, Error> {
    let doing = format!("running the command for the secret {wanted_by}");
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Error::config(format!("{doing}: it names no program")));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|e| Error::config(format!("{doing}: {program} could not be started: {e}")))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        // A thread, because something that the command left behind may hold the pipe open for ever.
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(MAX_BYTES + 1).read_to_end(&mut bytes).map(|_len| bytes);
            drop(sender.send(read));
        });
    }
    let deadline = Instant::now() + limit;
    let output = receiver.recv_timeout(limit);
    let end = || group.is_some_and(|group| kill_process_group(group, Signal::KILL).is_ok());
    if output.is_err() {
        // Before the child is waited for: until then its id, which is the group's, cannot be somebody else's.
        end();
    }
    let status = loop {
        match child.try_wait() {
            Ok(None) if output.is_ok() && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => break other,
        }
    };
    if !matches!(status, Ok(Some(_))) {
        end();
        drop(child.wait());
    }
    match (output, status) {
        (Ok(Ok(bytes)), Ok(Some(status))) if status.success() => {
            refuse_large(&bytes, wanted_by)?;
            Ok(bytes)
        }
        (Ok(Err(e)), _) | (_, Err(e)) => Err(Error::later(format!("{doing}: {e}"))),
        (Ok(Ok(_)), Ok(Some(status))) => {
            Err(Error::later(format!("{doing}: {program} ended with {status}"))
                .hint("run it by hand to see why"))
        }
        (Err(_), Ok(_)) | (_, Ok(None)) => Err(Error::later(format!(
            "{doing}: {program} was not done after {} s and was ended",
            limit.as_secs()
        ))
        .hint("a command that asks a person cannot be used here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn no_env(_name: &str) -> Option<OsString> {
        None
    }

    fn command(script: &str) -> SecretSource {
        SecretSource::Command(["sh", "-c", script].map(str::to_owned).to_vec())
    }

    #[test]
    fn every_source_gives_the_value_without_its_line_break() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "hunter2\n").unwrap();
        let env = |name: &str| match name {
            "TOKEN" => Some(OsString::from("hunter2")),
            "CREDENTIALS_DIRECTORY" => Some(dir.path().as_os_str().to_owned()),
            _ => None,
        };
        for source in [
            SecretSource::Env("TOKEN".to_owned()),
            SecretSource::File(dir.path().join("token")),
            SecretSource::Credential("token".to_owned()),
            command("echo hunter2"),
        ] {
            assert_eq!(resolve(&source, "x", &env).unwrap().reveal(), "hunter2", "{source:?}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            std::fs::write(dir.path().join(name), content).unwrap();
            SecretSource::File(dir.path().join(name))
        };
        let table = [
            (SecretSource::Env("TOKEN".to_owned()), Kind::Config, "which is not set"),
            (SecretSource::Credential("t".to_owned()), Kind::Config, "CREDENTIALS_DIRECTORY"),
            (
                SecretSource::File(dir.path().join("none")),
                Kind::Config,
                "reading the secret notify.x.url from",
            ),
            (file("empty", b" \n"), Kind::Config, "is empty"),
            (file("two", b"hunter2\nhunter2"), Kind::Config, "more than one line"),
            (file("bytes", b"hunter2\xff"), Kind::Config, "not UTF-8"),
            (file("large", &vec![b'x'; 70_000]), Kind::Config, "no secret"),
            (command("echo hunter2; exit 3"), Kind::TryLater, "exit status: 3"),
            (command("yes hunter2"), Kind::TryLater, "running the command"),
            (SecretSource::Command(vec!["/nowhere/at-all".to_owned()]), Kind::Config, "could not be started"),
        ];
        for (source, kind, part) in table {
            let error = resolve(&source, "notify.x.url", &no_env).unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.what.contains(part), "{error}");
            assert!(!error.what.contains("hunter2") || matches!(source, SecretSource::Command(_)), "{error}");
            assert!(error.what.contains("notify.x.url"), "{error}");
        }
    }

    #[test]
    fn a_command_is_ended_at_its_limit_with_what_it_started() {
        for script in ["sleep 60", "sleep 60 & sleep 60", "sleep 60 & echo x"] {
            let before = Instant::now();
            let error =
                resolve_within(&command(script), "x", &no_env, Duration::from_millis(200)).unwrap_err();
            assert_eq!(error.kind, Kind::TryLater);
            assert!(before.elapsed() < Duration::from_secs(10), "{script}");
        }
    }
}
