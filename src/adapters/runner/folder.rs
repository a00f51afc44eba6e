//! A job's folder on disk: what the tick and the supervisor tell each other, as files with a schema.
//!
//! `lock` (held while the job lives, never unlinked), `spec.json`, `prompt.md`, `started`, `verifying`, `stop`,
//! `result.json`, `agent/result.json` (written by the agent), `stdout.log`, `stderr.log`, `hooks.log`, `verify.log`,
//! `supervisor.log`, `session.json`; `tmp`, `checkout` and `pane` while it runs.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use serde::{Deserialize, Serialize};

use super::answer::session_name;
use super::usage::{BY_SIGNAL, Counted, Prices, Profile, Tokens, bound};
use crate::boundary;
use crate::domain::model::{CutBy, JobResult, Oid, TurnEnd, UnixTime, Usage, VerifyResult};

/// Of every file here but the result. A reader knows this one and all before it.
pub(super) const SCHEMA: u32 = 1;

/// Of `result.json`: the second knows `result_unreadable` and `cut_off`.
const RESULT_SCHEMA: u32 = 2;

const AGENT_FILE_BYTES: u64 = 256 * 1024;
const OWN_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// How the prompt reaches the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptPassing {
    /// On standard input.
    Stdin,
    /// In the file that `OFFHOURS_PROMPT_FILE` and the placeholder `{prompt_file}` name.
    File,
    /// As the last word of the argv.
    Argument,
}

/// Commands of the config around turns; an empty argv is no hook.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hooks {
    pub after_create: Vec<String>,
    /// Its failure is fatal to the turn.
    pub before_turn: Vec<String>,
    pub after_turn: Vec<String>,
    /// Not run by the supervisor of a turn: it is a job of its own (`JobKind::Command`).
    pub before_remove: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SpecFile {
    pub(super) schema: u32,
    pub(super) id: String,
    pub(super) repo: String,
    pub(super) timeout_seconds: u64,
    pub(super) stall_seconds: Option<u64>,
    pub(super) home: PathBuf,
    /// Names of environment variables that are passed on; never values.
    pub(super) env: Vec<String>,
    pub(super) wrap: Vec<String>,
    /// The objects that the repo's workspaces borrow: a sandbox has to show them.
    #[serde(default)]
    pub(super) objects: PathBuf,
    pub(super) work: WorkFile,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum WorkFile {
    Turn(Box<TurnFile>),
    Check { oid: String, argv: Vec<String> },
    Command { cwd: PathBuf, argv: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TurnFile {
    pub(super) run: String,
    pub(super) folder: PathBuf,
    pub(super) base: String,
    pub(super) profile: ProfileFile,
    pub(super) prices: Option<PricesFile>,
    pub(super) argv: Vec<String>,
    pub(super) prompt: PromptPassing,
    pub(super) session: Option<String>,
    pub(super) first: bool,
    pub(super) hooks: Hooks,
    pub(super) hook_timeout_seconds: u64,
    pub(super) verify: Vec<String>,
    pub(super) verify_timeout_seconds: u64,
    /// The agent was asked about a red upgrade: its result file may say other words.
    #[serde(default)]
    pub(super) of_upgrade: bool,
    /// The argv without its session, for where that one is not there any more; empty: there is no other way.
    #[serde(default)]
    pub(super) fresh_argv: Vec<String>,
    /// Variables of the profile, with their values; none of them is a secret.
    #[serde(default)]
    pub(super) set: Vec<(String, String)>,
    /// What the session had counted before.
    #[serde(default)]
    pub(super) before: Option<SessionFile>,
    /// The socket of the tmux server that the turn runs in, where it does.
    #[serde(default)]
    pub(super) tmux: Option<PathBuf>,
}

/// `session.json`: written as soon as an agent has named its session, so that a later turn can continue it also where
/// this one's supervisor died, and once more with what was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SessionFile {
    schema: u32,
    pub(super) profile: ProfileFile,
    session: String,
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
}

impl SessionFile {
    pub(super) fn new(profile: Profile, Counted { session, tokens }: Counted) -> Self {
        Self {
            schema: SCHEMA,
            profile: profile.into(),
            session,
            input_tokens: tokens.input,
            cached_input_tokens: tokens.cached,
            output_tokens: tokens.output,
        }
    }

    /// `None` where the name is not one: an agent without a sandbox can write this file.
    pub(super) fn counted(&self) -> Option<Counted> {
        let tokens =
            Tokens { input: self.input_tokens, cached: self.cached_input_tokens, output: self.output_tokens };
        Some(Counted { session: session_name(&self.session)?, tokens })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProfileFile {
    Script,
    Claude,
    Codex,
    OpenCode,
}

impl From<Profile> for ProfileFile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Script => Self::Script,
            Profile::Claude => Self::Claude,
            Profile::Codex => Self::Codex,
            Profile::OpenCode => Self::OpenCode,
        }
    }
}

impl From<ProfileFile> for Profile {
    fn from(profile: ProfileFile) -> Self {
        match profile {
            ProfileFile::Script => Self::Script,
            ProfileFile::Claude => Self::Claude,
            ProfileFile::Codex => Self::Codex,
            ProfileFile::OpenCode => Self::OpenCode,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PricesFile {
    input: f64,
    cached_input: Option<f64>,
    output: f64,
}

impl From<Prices> for PricesFile {
    fn from(Prices { input, cached_input, output }: Prices) -> Self {
        Self { input, cached_input, output }
    }
}

impl From<PricesFile> for Prices {
    fn from(PricesFile { input, cached_input, output }: PricesFile) -> Self {
        Self { input, cached_input, output }
    }
}

#[derive(Serialize, Deserialize)]
struct StartedFile {
    schema: u32,
    at: i64,
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

#[derive(Serialize, Deserialize)]
struct ResultFile {
    schema: u32,
    started_at: i64,
    ended_at: i64,
    end: EndFile,
    exit_code: Option<i32>,
    cost_usd: Option<f64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    session: Option<String>,
    verify: Option<VerifyFile>,
    #[serde(default)]
    hook_notes: Vec<String>,
    summary: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct VerifyFile {
    oid: String,
    green: bool,
    log_tail: String,
    fingerprint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum EndFile {
    Finished,
    Blocked { reason: String },
    ResultUnreadable { why: String },
    Error { detail: String },
    TimedOut,
    Stalled,
    CutOff { by: CutByFile, detail: String },
    PermissionDenied { detail: String },
    Quota { resets_at: Option<i64>, detail: String },
    LoginRefused { detail: String },
    FailedToStart { detail: String },
    Stopped,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CutByFile {
    Budget,
    Steps,
    Outside,
}

impl From<CutBy> for CutByFile {
    fn from(by: CutBy) -> Self {
        match by {
            CutBy::Budget => Self::Budget,
            CutBy::Steps => Self::Steps,
            CutBy::Outside => Self::Outside,
        }
    }
}

impl From<CutByFile> for CutBy {
    fn from(by: CutByFile) -> Self {
        match by {
            CutByFile::Budget => Self::Budget,
            CutByFile::Steps => Self::Steps,
            CutByFile::Outside => Self::Outside,
        }
    }
}

/// The first schema had no word of its own for a turn that was cut off: it stands in the detail of an error.
fn told_as_error(detail: &str) -> Option<CutBy> {
    let first = detail.split(':').next().unwrap_or_default();
    bound(first).or_else(|| detail.starts_with(BY_SIGNAL).then_some(CutBy::Outside))
}

impl From<&TurnEnd> for EndFile {
    fn from(end: &TurnEnd) -> Self {
        match end.clone() {
            TurnEnd::Finished => Self::Finished,
            TurnEnd::Blocked { reason } => Self::Blocked { reason },
            TurnEnd::ResultUnreadable { why } => Self::ResultUnreadable { why },
            TurnEnd::Error { detail } => Self::Error { detail },
            TurnEnd::TimedOut => Self::TimedOut,
            TurnEnd::Stalled => Self::Stalled,
            TurnEnd::CutOff { by, detail } => Self::CutOff { by: by.into(), detail },
            TurnEnd::PermissionDenied { detail } => Self::PermissionDenied { detail },
            TurnEnd::Quota { resets_at, detail } => Self::Quota { resets_at: resets_at.map(|t| t.0), detail },
            TurnEnd::LoginRefused { detail } => Self::LoginRefused { detail },
            TurnEnd::FailedToStart { detail } => Self::FailedToStart { detail },
            TurnEnd::Stopped => Self::Stopped,
        }
    }
}

impl From<EndFile> for TurnEnd {
    fn from(end: EndFile) -> Self {
        match end {
            EndFile::Finished => Self::Finished,
            EndFile::Blocked { reason } => Self::Blocked { reason },
            EndFile::ResultUnreadable { why } => Self::ResultUnreadable { why },
            EndFile::Error { detail } => Self::Error { detail },
            EndFile::TimedOut => Self::TimedOut,
            EndFile::Stalled => Self::Stalled,
            EndFile::CutOff { by, detail } => Self::CutOff { by: by.into(), detail },
            EndFile::PermissionDenied { detail } => Self::PermissionDenied { detail },
            EndFile::Quota { resets_at, detail } => {
                Self::Quota { resets_at: resets_at.map(UnixTime), detail }
            }
            EndFile::LoginRefused { detail } => Self::LoginRefused { detail },
            EndFile::FailedToStart { detail } => Self::FailedToStart { detail },
            EndFile::Stopped => Self::Stopped,
        }
    }
}

/// Paths of one job.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) dir: PathBuf,
}

impl Folder {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Opens the lock file, made where it is missing; close-on-exec.
    pub(super) fn open_lock(&self) -> io::Result<File> {
        File::options().create(true).read(true).append(true).open(self.path("lock"))
    }

    /// Writes by temp file, fsync and rename, so that a reader sees all of it or nothing.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temp = self.path(&format!("{name}.new"));
        let mut file = File::create(&temp)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        boundary::pass("job file rename: before");
        std::fs::rename(&temp, self.path(name))?;
        boundary::pass("job file rename: after");
        File::open(&self.dir)?.sync_all()
    }

    /// Without waiting for the disk: what it is good for is lost with the machine anyway.
    pub(super) fn write_session(&self, file: &SessionFile) -> io::Result<()> {
        std::fs::write(self.path("session.json.new"), serde_json::to_vec(file)?)?;
        std::fs::rename(self.path("session.json.new"), self.path("session.json"))
    }

    /// One that cannot be read is none.
    pub(super) fn read_session(&self) -> Option<SessionFile> {
        parse(&self.path("session.json"), SCHEMA).ok().flatten()
    }

    /// Makes `started`; false where it was there: a job is started once in its life.
    pub(super) fn mark_started(&self, now: UnixTime) -> io::Result<bool> {
        boundary::pass("started: before");
        let made = File::options().write(true).create_new(true).open(self.path("started"));
        let mut file = match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            made => made?,
        };
        file.write_all(&serde_json::to_vec(&StartedFile { schema: SCHEMA, at: now.0 })?)?;
        file.sync_all()?;
        boundary::pass("started: after");
        Ok(true)
    }

    /// When the job was started. Until `started` is written, the age of the lock file stands for it.
    pub(super) fn started_at(&self) -> UnixTime {
        let read = || serde_json::from_slice::<StartedFile>(&std::fs::read(self.path("started")).ok()?).ok();
        if let Some(started) = read() {
            return UnixTime(started.at);
        }
        let modified = self.path("lock").metadata().and_then(|meta| meta.modified()).ok();
        let age = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        UnixTime(age.and_then(|age| i64::try_from(age.as_secs()).ok()).unwrap_or(0))
    }

    pub(super) fn read_spec(&self) -> Result<SpecFile, String> {
        parse(&self.path("spec.json"), SCHEMA)?.ok_or_else(|| "The job has no spec.json.".to_owned())
    }

    /// `None`: no result yet. The error is a sentence.
    pub(super) fn read_result(&self) -> Result<Option<JobResult>, String> {
        let path = self.path("result.json");
        let Some(file) = parse::<ResultFile>(&path, RESULT_SCHEMA)? else { return Ok(None) };
        let verify = match file.verify {
            None => None,
            Some(verify) => Some(VerifyResult {
                oid: Oid::parse(&verify.oid)
                    .ok_or_else(|| format!("The job's result {} names no git object.", path.display()))?,
                green: verify.green,
                log_tail: verify.log_tail,
                fingerprint: verify.fingerprint,
            }),
        };
        let end = match (file.schema, TurnEnd::from(file.end)) {
            (1, TurnEnd::Error { detail }) => match told_as_error(&detail) {
                Some(by) => TurnEnd::CutOff { by, detail },
                None => TurnEnd::Error { detail },
            },
            (_, end) => end,
        };
        Ok(Some(JobResult {
            started_at: UnixTime(file.started_at),
            ended_at: UnixTime(file.ended_at),
            end,
            exit_code: file.exit_code,
            usage: Usage {
                cost_usd: file.cost_usd,
                input_tokens: file.input_tokens,
                output_tokens: file.output_tokens,
                session: file.session,
            },
            verify,
            hook_notes: file.hook_notes,
            summary: file.summary,
        }))
    }

    pub(super) fn write_result(&self, result: &JobResult) -> io::Result<()> {
        let verify = result.verify.as_ref().map(|verify| VerifyFile {
            oid: verify.oid.as_str().to_owned(),
            green: verify.green,
            log_tail: verify.log_tail.clone(),
            fingerprint: verify.fingerprint.clone(),
        });
        let file = ResultFile {
            schema: RESULT_SCHEMA,
            started_at: result.started_at.0,
            ended_at: result.ended_at.0,
            end: (&result.end).into(),
            exit_code: result.exit_code,
            cost_usd: result.usage.cost_usd,
            input_tokens: result.usage.input_tokens,
            output_tokens: result.usage.output_tokens,
            session: result.usage.session.clone(),
            verify,
            hook_notes: result.hook_notes.clone(),
            summary: result.summary.clone(),
        };
        self.replace("result.json", &serde_json::to_vec_pretty(&file)?)
    }

    /// The agent's own result file: not through links, not from a pipe or device, not without a bound. The error is what
    /// is wrong with it.
    pub(super) fn read_agent_file(&self) -> Result<Option<Vec<u8>>, String> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let agent = rustix::fs::open(self.path("agent"), flags | OFlags::DIRECTORY, Mode::empty());
        let opened = agent.and_then(|dir| rustix::fs::openat(dir, "result.json", flags, Mode::empty()));
        let file = match opened {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(format!("could not be opened ({error})")),
            Ok(file) => File::from(file),
        };
        match file.metadata() {
            Ok(meta) if !meta.is_file() => return Err("is no regular file".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(format!("could not be looked at ({error})")),
        }
        let mut bytes = Vec::new();
        // One more than is taken, so that what is longer is not cut and then read as if it were whole.
        match file.take(AGENT_FILE_BYTES + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > AGENT_FILE_BYTES => Err("is larger than 256 KB".to_owned()),
            Ok(_) => Ok(Some(bytes)),
            Err(error) => Err(format!("could not be read ({error})")),
        }
    }
}

/// Gives the job's lock up when it goes. That the file is closed is not enough: a process that was forked a moment ago has
/// a copy of it until it runs its own program.
pub(super) struct GivenUp<'a>(pub &'a File);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        // What cannot be given up goes with the file.
        let _: Option<()> = flock(self.0, FlockOperation::Unlock).ok();
    }
}

/// Whether the lock could be taken; an error other than "held" is an error.
pub(super) fn try_lock(file: &File, exclusive: bool) -> io::Result<bool> {
    let operation = if exclusive {
        FlockOperation::NonBlockingLockExclusive
    } else {
        FlockOperation::NonBlockingLockShared
    };
    loop {
        match flock(file, operation) {
            Ok(()) => return Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(false),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn parse<T: for<'a> Deserialize<'a>>(path: &Path, newest: u32) -> Result<Option<T>, String> {
    let shown = path.display();
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("The job file {shown} could not be opened: {error}.")),
        Ok(file) => file,
    };
    let mut bytes = Vec::new();
    file.take(OWN_FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("The job file {shown} could not be read: {error}."))?;
    let broken = |error: serde_json::Error| format!("The job file {shown} makes no sense: {error}.");
    let SchemaOnly { schema } = serde_json::from_slice(&bytes).map_err(broken)?;
    if schema == 0 || schema > newest {
        return Err(format!(
            "The job file {shown} has schema {schema}, and this offhours knows schema {newest}: another version wrote it. Run that version, or a newer one."
        ));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(end: TurnEnd) -> JobResult {
        JobResult {
            started_at: UnixTime(10),
            ended_at: UnixTime(20),
            end,
            exit_code: Some(0),
            usage: Usage { cost_usd: Some(0.5), session: Some("s".into()), ..Usage::default() },
            verify: Some(VerifyResult {
                oid: Oid::parse(&"a".repeat(40)).unwrap(),
                green: false,
                log_tail: "t".into(),
                fingerprint: "f".into(),
            }),
            hook_notes: vec!["n".into()],
            summary: None,
        }
    }

    #[test]
    fn every_end_comes_back_from_disk() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        assert_eq!(folder.read_result(), Ok(None));
        let detail = || "d".to_owned();
        for end in [
            TurnEnd::Finished,
            TurnEnd::Blocked { reason: detail() },
            TurnEnd::ResultUnreadable { why: detail() },
            TurnEnd::Error { detail: detail() },
            TurnEnd::TimedOut,
            TurnEnd::Stalled,
            TurnEnd::CutOff { by: CutBy::Budget, detail: detail() },
            TurnEnd::CutOff { by: CutBy::Steps, detail: detail() },
            TurnEnd::CutOff { by: CutBy::Outside, detail: detail() },
            TurnEnd::Error { detail: "error_max_turns".into() },
            TurnEnd::PermissionDenied { detail: detail() },
            TurnEnd::Quota { resets_at: Some(UnixTime(5)), detail: detail() },
            TurnEnd::LoginRefused { detail: detail() },
            TurnEnd::FailedToStart { detail: detail() },
            TurnEnd::Stopped,
        ] {
            folder.write_result(&result(end.clone())).unwrap();
            assert_eq!(folder.read_result(), Ok(Some(result(end))));
        }
    }

    #[test]
    fn an_unknown_schema_is_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        std::fs::write(folder.path("result.json"), br#"{"schema":9}"#).unwrap();
        assert!(folder.read_result().unwrap_err().contains("has schema 9"));
    }

    #[test]
    fn a_result_of_the_first_schema_is_read_on() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        let text = |end: &str| {
            format!(
                r#"{{"schema":1,"started_at":10,"ended_at":20,"end":{end},"exit_code":0,"cost_usd":null,"input_tokens":null,"output_tokens":null,"session":null,"verify":null,"hook_notes":[],"summary":null}}"#
            )
        };
        let cut = |by, detail: &str| TurnEnd::CutOff { by, detail: detail.into() };
        for (end, want) in [
            (r#"{"kind":"finished"}"#, TurnEnd::Finished),
            (r#"{"kind":"timed_out"}"#, TurnEnd::TimedOut),
            (r#"{"kind":"error","detail":"d"}"#, TurnEnd::Error { detail: "d".into() }),
            (
                r#"{"kind":"error","detail":"error_max_budget_usd: all of it: said last"}"#,
                cut(CutBy::Budget, "error_max_budget_usd: all of it: said last"),
            ),
            (r#"{"kind":"error","detail":"error_max_turns"}"#, cut(CutBy::Steps, "error_max_turns")),
            (
                r#"{"kind":"error","detail":"the agent was ended by signal 9"}"#,
                cut(CutBy::Outside, "the agent was ended by signal 9"),
            ),
            (
                r#"{"kind":"error","detail":"error_max_turns_of_mine"}"#,
                TurnEnd::Error { detail: "error_max_turns_of_mine".into() },
            ),
        ] {
            std::fs::write(folder.path("result.json"), text(end)).unwrap();
            assert_eq!(folder.read_result().unwrap().map(|result| result.end), Some(want), "{end}");
        }
    }

    #[test]
    fn started_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        assert!(folder.mark_started(UnixTime(7)).unwrap() && !folder.mark_started(UnixTime(8)).unwrap());
        assert_eq!(folder.started_at(), UnixTime(7));
    }

    #[test]
    fn an_agent_file_behind_a_link_or_too_large_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        assert_eq!(folder.read_agent_file(), Ok(None));
        std::fs::create_dir(folder.path("agent")).unwrap();
        std::fs::write(folder.path("secret"), "{}").unwrap();
        std::os::unix::fs::symlink("../secret", folder.path("agent/result.json")).unwrap();
        assert!(folder.read_agent_file().is_err());
        std::fs::remove_file(folder.path("agent/result.json")).unwrap();
        std::fs::write(folder.path("agent/result.json"), vec![b' '; 300_000]).unwrap();
        assert!(folder.read_agent_file().unwrap_err().contains("larger"));
        std::fs::write(folder.path("agent/result.json"), vec![b' '; 262_144]).unwrap();
        assert_eq!(folder.read_agent_file().unwrap().map(|bytes| bytes.len()), Some(262_144));
    }
}
