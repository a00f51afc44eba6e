//! A job's folder on disk: what the tick and the supervisor tell each other, as files with a schema.
//!
//! `lock` (held while the job lives, never unlinked), `spec.json`, `prompt.md`, `started`, `verifying`, `stop`,
//! `result.json`, `agent/result.json` (written by the agent), `stdout.log`, `stderr.log`, `hooks.log`, `verify.log`,
//! `supervisor.log`, `session.json`; `tmp`, `checkout` and `pane` while it runs.

mod result;
mod spec;

pub use spec::{Hooks, PromptPassing};
pub(super) use spec::{SCHEMA, SessionFile, SpecFile, TurnFile, WorkFile};

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use serde::{Deserialize, Serialize};

use result::{RESULT_SCHEMA, ResultFile, VerifyFile, told_as_error};

use crate::boundary;
use crate::domain::model::{JobResult, Oid, TurnEnd, UnixTime, Usage, VerifyResult};

const AGENT_FILE_BYTES: u64 = 256 * 1024;
const OWN_FILE_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct StartedFile {
    schema: u32,
    at: i64,
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// Paths of one job.
#[derive(Clone, Debug)]
pub(super) struct JobFiles {
    pub(super) dir: PathBuf,
}

impl JobFiles {
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
    use crate::domain::model::CutBy;

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
        let folder = JobFiles::new(dir.path());
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
        let folder = JobFiles::new(dir.path());
        std::fs::write(folder.path("result.json"), br#"{"schema":9}"#).unwrap();
        assert!(folder.read_result().unwrap_err().contains("has schema 9"));
    }

    #[test]
    fn a_result_of_the_first_schema_is_read_on() {
        let dir = tempfile::tempdir().unwrap();
        let folder = JobFiles::new(dir.path());
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
        let folder = JobFiles::new(dir.path());
        assert!(folder.mark_started(UnixTime(7)).unwrap() && !folder.mark_started(UnixTime(8)).unwrap());
        assert_eq!(folder.started_at(), UnixTime(7));
    }

    #[test]
    fn an_agent_file_behind_a_link_or_too_large_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = JobFiles::new(dir.path());
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
