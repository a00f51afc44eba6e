//! The supervisor: one small process per job, in its own session, that holds the job's lock while anything of it runs.
//!
//! It makes `started` exclusively before it runs anything, gathers orphans as a subreaper, ends everything that carries
//! the job's cookie before it looks at what was done, and writes its result by rename.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use super::files::{self, AgentWord, Profile, PromptBy, Spec, SpecTurn, SpecWork};
use super::usage::{LONGEST_LINE, Reader};
use crate::adapters::process::{self, COOKIE};
use crate::boundary;
use crate::domain::message;
use crate::domain::model::{JobResult, Oid, RepoId, TurnEnd, Usage, VerifyResult};
use crate::ports::{Clock, Git, RunFolder};

const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Of each output stream two files of this size are kept: the newest part, and the one before it.
const LOG_BYTES: u64 = 4 << 20;
/// Exit code by which a check says that it is not decided yet.
const UNDECIDED: i32 = 75;
const ASK_AGAIN: Duration = Duration::from_secs(5);
const TAIL_LINES: usize = 60;
const TAIL_BYTES: usize = 8 << 10;

/// Reads the job's spec, so that the caller can make the git port for it.
pub fn spec(dir: &Path) -> io::Result<Spec> {
    let spec: Option<Spec> = files::read_json(&dir.join("spec.json")).map_err(io::Error::other)?;
    spec.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no spec.json"))
}

/// Runs the job to its end. The lock is this process's standard input.
pub fn run(dir: &Path, spec: &Spec, git: &dyn Git, clock: &dyn Clock) -> io::Result<()> {
    if rustix::process::setsid().is_err() {
        // It leads a group of its own already, which is as good.
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mine = rustix::fs::fstat(rustix::stdio::stdin())?;
    let lock = fs::metadata(dir.join("lock"))?;
    if mine.st_ino != lock.ino()
        || flock(rustix::stdio::stdin(), FlockOperation::NonBlockingLockExclusive).is_err()
    {
        return Err(io::Error::other("the job's lock was not handed over; start jobs through a tick"));
    }
    boundary::pass("supervisor.started");
    let started_at = clock.now();
    match OpenOptions::new().write(true).create_new(true).open(dir.join("started")) {
        Ok(mut file) => file.write_all(started_at.0.to_string().as_bytes())?,
        // Somebody had it: it ran, or runs.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(e) => return Err(e),
    }
    boundary::pass("supervisor.started");
    let job = Job { dir: dir.to_owned(), spec, git, tmp: dir.join("tmp") };
    fs::create_dir_all(&job.tmp)?;
    fs::create_dir_all(&job.spec.home)?;
    let mut result = match &spec.work {
        SpecWork::Turn(turn) => job.turn(turn)?,
        SpecWork::Check { oid, argv } => job.check(oid, argv),
        SpecWork::Command { cwd, argv } => job.command(cwd, argv),
    };
    job.end_everything();
    result.started_at = started_at;
    result.ended_at = clock.now();
    boundary::pass("supervisor.result");
    files::write_result(dir, &result)?;
    drop(fs::remove_dir_all(&job.tmp));
    Ok(())
}

struct Job<'a> {
    dir: PathBuf,
    spec: &'a Spec,
    git: &'a dyn Git,
    tmp: PathBuf,
}

/// How a child came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Exit(ExitStatus),
    TimedOut,
    Stalled,
    Stopped,
}

/// A child that is to be run: where, for how long, and where its output goes.
struct Task<'t> {
    argv: &'t [String],
    cwd: &'t Path,
    stdin: Option<&'t Path>,
    name: &'t str,
    timeout: Duration,
    stall: Option<Duration>,
    extra: &'t [(&'t str, String)],
}

/// What is left of a child's output.
struct Output {
    tail: Vec<String>,
    reader: Option<Reader>,
}

fn blank(end: TurnEnd) -> JobResult {
    JobResult {
        started_at: crate::domain::model::UnixTime(0),
        ended_at: crate::domain::model::UnixTime(0),
        end,
        exit_code: None,
        usage: Usage::default(),
        verify: None,
        hook_notes: vec![],
        summary: None,
    }
}

impl Job<'_> {
    fn turn(&self, turn: &SpecTurn) -> io::Result<JobResult> {
        let work = turn.folder.join("work");
        let hook_timeout = Duration::from_secs(turn.hook_timeout_seconds);
        let mut hook_notes = vec![];
        for (name, argv, wanted) in
            [("after_create", &turn.after_create, turn.first), ("before_turn", &turn.before_turn, true)]
        {
            if wanted && let Some(why) = self.hook(name, argv, &work, hook_timeout) {
                return Ok(blank(TurnEnd::FailedToStart { detail: why }));
            }
        }
        let prompt = self.dir.join("prompt.md");
        let mut argv = turn.argv.clone();
        match turn.prompt {
            PromptBy::Stdin => {}
            PromptBy::File => argv.push(prompt.display().to_string()),
            PromptBy::Argument => argv.push(fs::read_to_string(&prompt)?),
        }
        let extra = [
            ("OFFHOURS_RESULT", self.dir.join("agent").join("result.json").display().to_string()),
            ("OFFHOURS_PROMPT_FILE", prompt.display().to_string()),
            ("OFFHOURS_SESSION", turn.session.clone().unwrap_or_default()),
            ("OFFHOURS_RUN", turn.run.clone()),
            ("OFFHOURS_BUDGET_USD", format!("{:.2}", turn.budget_usd)),
        ];
        let reader = Reader::new(turn.profile, (turn.price_input, turn.price_output));
        let task = Task {
            argv: &argv,
            cwd: &work,
            stdin: (turn.prompt == PromptBy::Stdin).then_some(&prompt),
            name: "agent",
            timeout: Duration::from_secs(self.spec.timeout_seconds),
            stall: (self.spec.stall_seconds)
                .filter(|_| turn.profile != Profile::Script)
                .map(Duration::from_secs),
            extra: &extra,
        };
        let (ended, output) = match self.run_child(&task, Some(reader)) {
            Ok(pair) => pair,
            Err(e) => {
                let program = argv.first().map_or("", String::as_str);
                return Ok(blank(TurnEnd::FailedToStart {
                    detail: format!("`{program}` could not be started: {e}"),
                }));
            }
        };
        self.end_everything();
        let mut result = self.judge_turn(ended, &output);
        if let Some(why) = self.hook("after_turn", &turn.after_turn, &work, hook_timeout) {
            hook_notes.push(why);
        }
        result.hook_notes.extend(hook_notes);
        let tested = !matches!(
            result.end,
            TurnEnd::Stopped
                | TurnEnd::FailedToStart { .. }
                | TurnEnd::Quota { .. }
                | TurnEnd::LoginRefused { .. }
        );
        if tested && !turn.verify.is_empty() {
            result.verify = self.verify_work(turn)?;
        }
        Ok(result)
    }

    /// Joins exit code, output and the agent's own result file into one end.
    fn judge_turn(&self, ended: Ended, output: &Output) -> JobResult {
        let (word, odd) = match files::read_agent_word(&self.dir) {
            Ok(word) => (word.unwrap_or_default(), None),
            Err(odd) => (AgentWord::default(), Some(odd)),
        };
        let mut result = blank(TurnEnd::Finished);
        let said = output.reader.as_ref().and_then(|r| r.end.clone());
        if let Some(reader) = &output.reader {
            result.usage = reader.usage.clone();
        }
        result.usage.cost_usd =
            result.usage.cost_usd.or(word.cost_usd).filter(|c| c.is_finite() && *c >= 0.0);
        result.usage.session = result.usage.session.take().or(word.session);
        result.summary = word.summary.map(|s| message::plain(&s, 2000));
        result.hook_notes.extend(odd);
        let tail = || {
            message::plain(
                &output.tail.iter().rev().take(5).rev().cloned().collect::<Vec<_>>().join(" / "),
                400,
            )
        };
        result.end = match (ended, said) {
            (Ended::Stopped, _) => TurnEnd::Stopped,
            (Ended::TimedOut, _) => TurnEnd::TimedOut,
            (Ended::Stalled, _) => TurnEnd::Stalled,
            (Ended::Exit(_), _) if word.outcome.as_deref() == Some("blocked") => {
                let reason = word.reason.unwrap_or_else(|| "the agent gave no reason".to_owned());
                TurnEnd::Blocked { reason: reason.chars().take(4000).collect() }
            }
            (Ended::Exit(_), Some(said)) => said,
            (Ended::Exit(status), None) if status.success() => TurnEnd::Finished,
            (Ended::Exit(status), None) => TurnEnd::Error {
                detail: format!("the agent ended with {}: {}", status_words(status), tail()),
            },
        };
        if let Ended::Exit(status) = ended {
            result.exit_code = status.code();
        }
        result
    }

    /// The repo's own tests on a clean checkout of what the agent committed; `None` where it committed nothing.
    fn verify_work(&self, turn: &SpecTurn) -> io::Result<Option<VerifyResult>> {
        let (Some(repo), Some(base)) = (RepoId::parse(&self.spec.repo, None), Oid::parse(&turn.base)) else {
            return Ok(None);
        };
        let folder = RunFolder { dir: turn.folder.clone() };
        // A workspace that cannot be read is looked at by the tick, which says so.
        let Ok(work) = self.git.work(&repo, &folder, &turn.run, &base) else { return Ok(None) };
        if work.new_commits == 0 {
            return Ok(None);
        }
        File::create(self.dir.join("verifying"))?;
        let timeout = Duration::from_secs(turn.verify_timeout_seconds);
        let verify = match self.on_checkout(&repo, &work.head, &turn.verify, timeout) {
            Ok((Ended::Exit(status), output)) => Some(verdict(work.head, status.success(), &output.tail)),
            Ok((Ended::Stopped, _)) => None,
            Ok((Ended::TimedOut | Ended::Stalled, output)) => {
                let mut tail = output.tail;
                tail.push(format!("verify did not end within {} seconds", turn.verify_timeout_seconds));
                Some(verdict(work.head, false, &tail))
            }
            Err(e) => Some(verdict(work.head, false, &[format!("verify could not be run: {e}")])),
        };
        drop(fs::remove_file(self.dir.join("verifying")));
        Ok(verify)
    }

    fn on_checkout(
        &self,
        repo: &RepoId,
        oid: &Oid,
        argv: &[String],
        timeout: Duration,
    ) -> io::Result<(Ended, Output)> {
        let dir = self.dir.join("checkout");
        self.git.checkout(repo, oid, &dir).map_err(io::Error::other)?;
        let started = Instant::now();
        loop {
            let left = timeout.saturating_sub(started.elapsed());
            let task =
                Task { argv, cwd: &dir, stdin: None, name: "check", timeout: left, stall: None, extra: &[] };
            let ended = self.run_child(&task, None);
            self.end_everything();
            let undecided =
                matches!(&ended, Ok((Ended::Exit(status), _)) if status.code() == Some(UNDECIDED));
            if !undecided || self.dir.join("stop").exists() || started.elapsed() + ASK_AGAIN > timeout {
                drop(fs::remove_dir_all(&dir));
                return ended;
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    /// Exit 0 is green, anything else red; 75 is not decided yet, and is asked again until the time-out.
    fn check(&self, oid: &str, argv: &[String]) -> JobResult {
        let (Some(repo), Some(oid)) = (RepoId::parse(&self.spec.repo, None), Oid::parse(oid)) else {
            return blank(TurnEnd::FailedToStart { detail: "the job names no commit".to_owned() });
        };
        let timeout = Duration::from_secs(self.spec.timeout_seconds);
        match self.on_checkout(&repo, &oid, argv, timeout) {
            Ok((Ended::Exit(status), output)) => {
                let mut result = blank(TurnEnd::Finished);
                result.exit_code = status.code();
                result.verify = Some(verdict(oid, status.success(), &output.tail));
                result
            }
            Ok((Ended::TimedOut | Ended::Stalled, output)) => {
                let mut tail = output.tail;
                tail.push(format!("the check did not end within {} seconds", self.spec.timeout_seconds));
                JobResult { verify: Some(verdict(oid, false, &tail)), ..blank(TurnEnd::TimedOut) }
            }
            Ok((Ended::Stopped, _)) => blank(TurnEnd::Stopped),
            Err(e) => {
                let why = format!("the check could not be run: {e}");
                JobResult {
                    verify: Some(verdict(oid, false, std::slice::from_ref(&why))),
                    ..blank(TurnEnd::FailedToStart { detail: why })
                }
            }
        }
    }

    fn command(&self, cwd: &Path, argv: &[String]) -> JobResult {
        let timeout = Duration::from_secs(self.spec.timeout_seconds);
        match self.hook("before_remove", argv, cwd, timeout) {
            None => blank(TurnEnd::Finished),
            Some(why) => blank(TurnEnd::Error { detail: why }),
        }
    }

    /// Runs a hook of the config. `Some`: it failed, in words.
    fn hook(&self, name: &str, argv: &[String], cwd: &Path, timeout: Duration) -> Option<String> {
        if argv.is_empty() {
            return None;
        }
        let task = Task { argv, cwd, stdin: None, name, timeout, stall: None, extra: &[] };
        let ended = self.run_child(&task, None);
        self.end_everything();
        match ended {
            Ok((Ended::Exit(status), _)) if status.success() => None,
            Ok((Ended::Exit(status), output)) => {
                let tail =
                    output.tail.last().map_or(String::new(), |l| format!(": {}", message::plain(l, 200)));
                Some(format!("the hook {name} ended with {}{tail}", status_words(status)))
            }
            Ok((Ended::TimedOut | Ended::Stalled, _)) => {
                Some(format!("the hook {name} did not end within {} seconds", timeout.as_secs()))
            }
            Ok((Ended::Stopped, _)) => Some(format!("the hook {name} was stopped")),
            Err(e) => Some(format!("the hook {name} could not be started: {e}")),
        }
    }

    /// Ends whatever the job started: descendants (orphans come to us) and whoever carries its cookie.
    fn end_everything(&self) {
        let me = rustix::process::getpid().as_raw_nonzero().get();
        let ended = process::end_all(&|| {
            process::reap();
            let mut found = process::descendants(me);
            found.extend(process::carrying(&self.spec.id));
            found.sort_unstable();
            found.dedup();
            found
        });
        if !ended {
            self.log("something the job started does not end");
        }
    }

    fn log(&self, line: &str) {
        if let Ok(mut file) =
            OpenOptions::new().create(true).append(true).open(self.dir.join("supervisor.log"))
        {
            drop(writeln!(file, "{line}"));
        }
    }

    fn run_child(&self, task: &Task<'_>, reader: Option<Reader>) -> io::Result<(Ended, Output)> {
        let (program, arguments) =
            task.argv.split_first().ok_or_else(|| io::Error::other("no program is named"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(task.cwd)
            .env_clear()
            .env("PATH", &self.spec.path)
            .env("HOME", &self.spec.home)
            .env("TMPDIR", &self.tmp)
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("USER", "offhours-agent")
            .env("LOGNAME", "offhours-agent")
            .env(COOKIE, &self.spec.id)
            .envs(task.extra.iter().map(|(name, value)| (*name, value)))
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(match task.stdin {
                Some(path) => Stdio::from(File::open(path)?),
                None => Stdio::null(),
            });
        for name in &self.spec.pass {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        boundary::pass("agent.start");
        let mut child = command.spawn()?;
        boundary::pass("agent.start");
        let activity = Arc::new(AtomicU64::new(0));
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let reader = Arc::new(Mutex::new(reader));
        let (done, finished) = mpsc::channel::<()>();
        let streams: [(Option<Box<dyn Read + Send>>, &str); 2] = [
            (child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>), "stdout.log"),
            (child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>), "stderr.log"),
        ];
        for (stream, name) in streams {
            let Some(stream) = stream else { continue };
            let name = if task.name == "agent" { name.to_owned() } else { format!("{}-{name}", task.name) };
            let sink = Sink {
                log: CappedLog::new(self.dir.join(name)),
                activity: Arc::clone(&activity),
                tail: Arc::clone(&tail),
                reader: Arc::clone(&reader),
            };
            let done = done.clone();
            std::thread::spawn(move || {
                sink.drain(stream);
                drop(done);
            });
        }
        drop(done);
        let ended = self.wait_child(&mut child, task, &activity)?;
        self.end_everything();
        // Both streams are closed once nobody holds them; whoever escaped everything may still hold one.
        finished.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
        let tail = tail.lock().map(|t| t.iter().cloned().collect()).unwrap_or_default();
        let reader = reader.lock().ok().and_then(|mut r| r.take());
        Ok((ended, Output { tail, reader }))
    }

    fn wait_child(&self, child: &mut Child, task: &Task<'_>, activity: &AtomicU64) -> io::Result<Ended> {
        let started = Instant::now();
        let (mut last, mut last_at) = (0, Instant::now());
        let mut looked_at = None;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Ended::Exit(status));
            }
            let over = if self.dir.join("stop").exists() {
                Some(Ended::Stopped)
            } else if started.elapsed() > task.timeout {
                Some(Ended::TimedOut)
            } else {
                task.stall.and_then(|stall| {
                    let seen = activity.load(Ordering::Relaxed);
                    if seen != last {
                        (last, last_at) = (seen, Instant::now());
                    }
                    if last_at.elapsed() <= stall {
                        return None;
                    }
                    let newest = newest_change(task.cwd);
                    if looked_at != newest {
                        (looked_at, last_at) = (newest, Instant::now());
                        return None;
                    }
                    Some(Ended::Stalled)
                })
            };
            if let Some(over) = over {
                self.end_everything();
                drop(child.wait());
                return Ok(over);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// The newest change in the upper two levels of a folder and in what git keeps there.
fn newest_change(dir: &Path) -> Option<(i64, i64)> {
    let mut newest = None;
    let mut look = |path: &Path| {
        if let Ok(meta) = fs::symlink_metadata(path) {
            newest = newest.max(Some((meta.mtime(), meta.mtime_nsec())));
        }
    };
    let list = |path: &Path| {
        fs::read_dir(path).into_iter().flatten().take(2000).filter_map(Result::ok).collect::<Vec<_>>()
    };
    look(dir);
    for entry in list(dir) {
        look(&entry.path());
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            for inner in list(&entry.path()) {
                look(&inner.path());
            }
        }
    }
    newest
}

fn status_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

/// A verdict with the end of the output, and the hash by which the same failure is known again.
fn verdict(oid: Oid, green: bool, tail: &[String]) -> VerifyResult {
    let mut log_tail = tail.iter().map(|l| message::plain(l, 500)).collect::<Vec<_>>().join("\n");
    if log_tail.len() > TAIL_BYTES {
        let mut from = log_tail.len() - TAIL_BYTES;
        while !log_tail.is_char_boundary(from) {
            from += 1;
        }
        log_tail = log_tail.split_off(from);
    }
    VerifyResult { oid, green, fingerprint: fingerprint(&log_tail), log_tail }
}

/// Numbers, times and object names change from run to run; what is left is the failure.
fn fingerprint(log: &str) -> String {
    let mut normal = String::new();
    for word in log.split_whitespace() {
        let hex = word.len() >= 7 && word.chars().all(|c| c.is_ascii_hexdigit());
        let path = word.contains("/checkout") || word.starts_with("/tmp");
        if hex || path {
            normal.push('#');
        } else {
            let mut number = false;
            for c in word.chars() {
                if c.is_ascii_digit() {
                    if !number {
                        normal.push('#');
                    }
                    number = true;
                } else {
                    normal.push(c);
                    number = false;
                }
            }
        }
        normal.push(' ');
    }
    let digest = Sha256::digest(normal.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Keeps the beginning of the newest part of a stream: two files, the older one replaced when the newer is full.
struct CappedLog {
    path: PathBuf,
    file: Option<File>,
    written: u64,
}

impl CappedLog {
    fn new(path: PathBuf) -> Self {
        let file = File::create(&path).ok();
        Self { path, file, written: 0 }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.written > LOG_BYTES {
            let mut older = self.path.clone().into_os_string();
            older.push(".1");
            drop(fs::rename(&self.path, older));
            self.file = File::create(&self.path).ok();
            self.written = 0;
        }
        if let Some(file) = &mut self.file
            && file.write_all(bytes).is_ok()
        {
            self.written += u64::try_from(bytes.len()).unwrap_or(0);
        }
    }
}

/// Where a stream goes: the log, the tail, the reader of usage.
struct Sink {
    log: CappedLog,
    activity: Arc<AtomicU64>,
    tail: Arc<Mutex<VecDeque<String>>>,
    reader: Arc<Mutex<Option<Reader>>>,
}

impl Sink {
    fn drain(mut self, mut stream: Box<dyn Read + Send>) {
        let mut buffer = vec![0u8; 64 << 10];
        let mut line: Vec<u8> = vec![];
        loop {
            let count = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            self.activity.fetch_add(u64::try_from(count).unwrap_or(1), Ordering::Relaxed);
            self.log.write(bytes);
            for part in bytes.split_inclusive(|b| *b == b'\n') {
                if line.len() < LONGEST_LINE {
                    line.extend_from_slice(part);
                }
                if part.ends_with(b"\n") {
                    self.line(&line);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            self.line(&line);
        }
    }

    fn line(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        if let Ok(mut reader) = self.reader.lock()
            && let Some(reader) = reader.as_mut()
        {
            reader.line(&text);
        }
        if let Ok(mut tail) = self.tail.lock() {
            tail.push_back(text.trim_end().chars().take(2000).collect());
            if tail.len() > TAIL_LINES {
                tail.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn the_same_failure_is_known_whatever_its_numbers() {
        let a = fingerprint(
            "test x failed in 0.31s at 2026-11-20 10:01 commit deadbeef01 /tmp/abc/checkout/x.rs",
        );
        let b = fingerprint(
            "test x failed in 12.5s at 2026-11-21 23:59 commit 0123abcdef /tmp/zzz/checkout/x.rs",
        );
        assert_eq!(a, b);
        assert_ne!(
            a,
            fingerprint("test y failed in 0.31s at 2026-11-20 10:01 commit deadbeef01 /tmp/q/checkout/x.rs")
        );
    }
}
