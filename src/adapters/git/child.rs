//! One git process: its environment, its bounds, and what came back.
//!
//! A child gets nothing of our environment but `PATH`, an empty home and no configuration files. Hooks, fsmonitor,
//! automatic maintenance and the `ext` transport are off for every command; submodules are never entered.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, test_kill_process_group};

use super::credentials::GitCredentials;
use super::locks;
use super::names::cleaned;
use crate::adapters::{probe, process};
use crate::boundary;
use crate::ports::{PortError, PortResult};

/// No answer that we ask for is larger; what is, is refused instead of held in memory.
const STDOUT_BYTES: usize = 64 * 1024 * 1024;
const STDERR_BYTES: usize = 16 * 1024;
/// Between two looks where nothing can be waited for.
const PAUSE: Duration = Duration::from_micros(500);
/// What is larger is asked again rather than kept.
const KEPT_BYTES: usize = 16 * 1024;

/// Settings of every child, stronger than any file.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.sshCommand=ssh -oBatchMode=yes",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "protocol.ext.allow=never",
    "protocol.file.allow=always",
    "credential.helper=",
    "advice.detachedHead=false",
    "safe.directory=*",
];

/// A git command about to be run.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Call {
    /// `git.<verb>`: the boundary's name; the verb is the command.
    name: &'static str,
    args: Vec<OsString>,
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
    env: Vec<(&'static str, OsString)>,
    settings: Vec<&'static str>,
    stdin: Vec<u8>,
    lasting: bool,
    /// What may not be in anything that it says.
    hidden: Vec<String>,
}

impl Call {
    /// `name` is `git.<verb>`.
    pub(super) fn new(name: &'static str, git_dir: impl Into<PathBuf>) -> Self {
        Self {
            name,
            args: Vec::new(),
            git_dir: git_dir.into(),
            work_tree: None,
            env: Vec::new(),
            settings: Vec::new(),
            stdin: Vec::new(),
            lasting: false,
            hidden: Vec::new(),
        }
    }

    pub(super) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(super) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    pub(super) fn work_tree(mut self, dir: impl Into<PathBuf>) -> Self {
        self.work_tree = Some(dir.into());
        self
    }

    /// For talking to a remote: the token, in this child's environment and nowhere else, for this remote only.
    pub(super) fn credentials(mut self, credentials: Option<&GitCredentials>) -> Self {
        let Some(credentials) = credentials else { return self };
        self.hidden = [&credentials.token, &credentials.header]
            .map(|secret| secret.reveal().rsplit(' ').next().unwrap_or_default().to_owned())
            .to_vec();
        self.env("GIT_CONFIG_COUNT", "2")
            .env("GIT_CONFIG_KEY_0", format!("http.{}.extraHeader", credentials.origin))
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: {}", credentials.header.reveal()))
            .env("GIT_CONFIG_KEY_1", "http.followRedirects")
            .env("GIT_CONFIG_VALUE_1", "false")
    }

    pub(super) fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// A setting for this command only, stronger than those of every child.
    pub(super) fn setting(mut self, setting: &'static str) -> Self {
        self.settings.push(setting);
        self
    }

    /// For a question about objects by their ids, which never has another answer: it is asked once.
    pub(super) fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }

    pub(super) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }
}

/// Answers to [lasting](Call::lasting) questions, shared by everything of one process that asks.
pub(super) type Known = Rc<RefCell<HashMap<Call, Answer>>>;

/// What a git command said. A non-zero exit is an answer; only a child that did not run to its end is an error.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    /// Cleaned of control characters, at most about 400 bytes.
    pub(super) stderr: String,
    /// The lock that was in its way, as a sentence.
    pub(super) lock: Option<String>,
}

impl Answer {
    pub(super) fn good(&self) -> bool {
        self.code == Some(0)
    }

    /// Yes or no without a complaint, such as one about an object that is not here yet.
    fn is_plain(&self) -> bool {
        matches!(self.code, Some(0 | 1)) && self.stderr.is_empty() && self.stdout.len() <= KEPT_BYTES
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The answer of a command that works on local files only and has no reason to fail.
    pub(super) fn local(self, doing: &str) -> PortResult<Self> {
        if self.good() {
            return Ok(self);
        }
        Err(PortError::broken(format!(
            "{doing}: git ended with {} and said: {}. Look at the private repository with `git fsck`; the next tick \
             tries again.",
            self.ending(),
            self.said()
        )))
    }

    /// What went wrong in talking to a remote. What is not plainly a refusal is tried again later.
    pub(super) fn remote_error(&self, doing: &str) -> PortError {
        let said = self.said();
        let lower = said.to_ascii_lowercase();
        let credentials = [
            "authentication failed",
            "could not read username",
            "could not read password",
            "permission denied (",
            "terminal prompts disabled",
            "returned error: 401",
            "returned error: 403",
        ];
        if credentials.iter().any(|c| lower.contains(c)) {
            return PortError::Credentials {
                what: format!(
                    "{doing}: the remote refused the credentials: {said}. Check the forge's token and its rights."
                ),
            };
        }
        if lower.contains("transport '") && lower.contains("not allowed") {
            return PortError::refused(format!(
                "{doing}: {said}. Only https, http, ssh, git and local paths are used."
            ));
        }
        PortError::later(format!(
            "{doing}: the remote could not be used: {said}. It is tried again by the next tick; check its address if \
             this stays."
        ))
    }

    pub(super) fn said(&self) -> String {
        if let Some(lock) = &self.lock {
            return lock.clone();
        }
        let said = self.stderr.trim_end_matches('.');
        if said.is_empty() { "(nothing)".to_owned() } else { said.to_owned() }
    }

    pub(super) fn ending(&self) -> String {
        self.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
    }
}

/// Runs git children, one at a time.
#[derive(Clone)]
pub(super) struct Children {
    /// An empty directory of ours.
    pub(super) home: PathBuf,
    pub(super) timeout: Duration,
    pub(super) known: Known,
    /// Repositories of ours that no killed git holds locked; shared by everything of one process.
    pub(super) freed: Rc<RefCell<HashSet<PathBuf>>>,
}

impl Children {
    pub(super) fn new(home: PathBuf, timeout: Duration) -> Self {
        Self { home, timeout, known: Known::default(), freed: Rc::default() }
    }

    /// Takes the locks away that a killed git left in a repository of ours.
    pub(super) fn free(&self, private: &Path) {
        if !self.freed.borrow().contains(private)
            && locks::free(locks::Place { folder: private, below: &[], shared: false }).is_empty()
        {
            self.freed.borrow_mut().insert(private.to_owned());
        }
    }

    pub(super) fn run(&self, call: &Call) -> PortResult<Answer> {
        let kept = call.lasting && call.stdin.len() <= KEPT_BYTES;
        if kept && let Some(answer) = self.known.borrow().get(call) {
            return Ok(answer.clone());
        }
        boundary::pass(call.name);
        let answer = self.run_inner(call);
        boundary::pass(call.name);
        if let Ok(answer) = &answer
            && kept
            && answer.is_plain()
        {
            self.known.borrow_mut().insert(call.clone(), answer.clone());
        }
        answer
    }

    fn run_inner(&self, call: &Call) -> PortResult<Answer> {
        let deadline = Instant::now() + self.timeout;
        let mut child = self.command(call).spawn().map_err(|error| not_started(call.name, &error))?;
        if let Some(mut stdin) = child.stdin.take() {
            let bytes = call.stdin.clone();
            // A child that ends early closes the pipe; its exit code tells why.
            thread::spawn(move || drop(stdin.write_all(&bytes)));
        }
        let mut streams = [
            Stream::new(child.stdout.take().map(OwnedFd::from), STDOUT_BYTES, true),
            Stream::new(child.stderr.take().map(OwnedFd::from), STDERR_BYTES, false),
        ];
        let ended = if read_whole(&mut streams, deadline) { wait(&mut child, deadline) } else { None };
        let Some(status) = ended else {
            end_group(&mut child);
            self.freed.borrow_mut().remove(&call.git_dir);
            return Err(PortError::later(format!(
                "running {}: it gave no answer within {} s and was ended. It is tried again by the next tick.",
                call.name.replace('.', " "),
                self.timeout.as_secs()
            )));
        };
        let [Stream { kept: stdout, overflow, .. }, Stream { kept: stderr, .. }] = streams;
        if overflow {
            return Err(PortError::refused(format!(
                "running {}: its answer is larger than {} MB, which is more than offhours reads. Look at the \
                 repository by hand.",
                call.name.replace('.', " "),
                STDOUT_BYTES / 1024 / 1024
            )));
        }
        let (stdout, stderr) = (without(stdout, &call.hidden), without(stderr, &call.hidden));
        let places = call.args.iter().map(OsString::as_os_str).chain([call.git_dir.as_os_str()]);
        let lock = locks::in_the_way(&stderr, places).map(|path| locks::told(&path));
        Ok(Answer { code: status.code(), stdout, stderr: cleaned(&stderr), lock })
    }

    fn command(&self, call: &Call) -> Command {
        let path = absolute_path();
        // Named by its path it is started without a copy of this process being made first, which is half of the time of
        // a short command.
        let program = probe::on_path("git", &path).unwrap_or_else(|| PathBuf::from("git"));
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_CEILING_DIRECTORIES", "/")
            .env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
            .env("LC_ALL", "C")
            .env("GIT_AUTHOR_NAME", "offhours")
            .env("GIT_AUTHOR_EMAIL", "offhours@localhost")
            .env("GIT_COMMITTER_NAME", "offhours")
            .env("GIT_COMMITTER_EMAIL", "offhours@localhost")
            .envs(call.env.iter().map(|(name, value)| (name, value)));
        command.arg("--git-dir").arg(&call.git_dir);
        if let Some(dir) = &call.work_tree {
            command.arg("--work-tree").arg(dir).current_dir(dir);
        } else {
            command.current_dir(&call.git_dir);
        }
        for setting in SETTINGS.iter().chain(&call.settings) {
            command.arg("-c").arg(setting);
        }
        command.arg(call.name.strip_prefix("git.").unwrap_or(call.name)).args(&call.args);
        let stdin = if call.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }
}

/// Our `PATH` without relative parts: a child may stand in a workspace.
fn absolute_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::join_paths(std::env::split_paths(&path).filter(|part| part.is_absolute())).unwrap_or_default()
}

/// A server may say again what it was shown.
fn without(bytes: Vec<u8>, hidden: &[String]) -> Vec<u8> {
    let said = |secret: &String| {
        !secret.is_empty() && bytes.windows(secret.len()).any(|part| part == secret.as_bytes())
    };
    if !hidden.iter().any(said) {
        return bytes;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let hide = |text: String, secret: &String| text.replace(secret, "(hidden)");
    hidden.iter().filter(|secret| !secret.is_empty()).fold(text, hide).into_bytes()
}

fn not_started(name: &str, error: &std::io::Error) -> PortError {
    let name = name.replace('.', " ");
    if error.kind() == std::io::ErrorKind::NotFound {
        return PortError::later(format!(
            "starting {name}: no git was found on PATH, or the folder to run it in is gone. Install git 2.38 or newer \
             (`apt install git`, `dnf install git`, `brew install git`) and see that cron's PATH names its folder."
        ));
    }
    PortError::later(format!("starting {name}: {error}. It is tried again by the next tick."))
}

/// What a child writes to one of its pipes.
struct Stream {
    /// Until its end.
    pipe: Option<File>,
    kept: Vec<u8>,
    limit: usize,
    /// Whether nothing is read beyond the limit; else the rest is dropped.
    stops: bool,
    overflow: bool,
}

impl Stream {
    fn new(pipe: Option<OwnedFd>, limit: usize, stops: bool) -> Self {
        Self { pipe: pipe.map(File::from), kept: Vec::new(), limit, stops, overflow: false }
    }

    /// Takes what is there now.
    fn take_in(&mut self, buffer: &mut [u8]) {
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.read(buffer) {
            Ok(count) if count > 0 => {
                let room = self.limit.saturating_sub(self.kept.len()).min(count);
                self.kept.extend_from_slice(&buffer[..room]);
                self.overflow |= room < count;
                if self.overflow && self.stops {
                    self.pipe = None;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => self.pipe = None,
        }
    }
}

/// Reads pipes to their ends. False when the deadline comes first.
fn read_whole(streams: &mut [Stream], deadline: Instant) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let mut open: Vec<&mut Stream> = streams.iter_mut().filter(|stream| stream.pipe.is_some()).collect();
        if open.is_empty() {
            return true;
        }
        let mut fds: Vec<PollFd<'_>> = open
            .iter()
            .filter_map(|stream| stream.pipe.as_ref())
            .map(|pipe| PollFd::new(pipe, PollFlags::IN))
            .collect();
        if !until(deadline, &mut fds) {
            return false;
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for (stream, _) in open.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            stream.take_in(&mut buffer);
        }
    }
}

/// Waits until something happens to one of these, or for no reason. False when the deadline came.
fn until(deadline: Instant, fds: &mut [PollFd<'_>]) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    let time = Timespec::try_from(left).ok();
    if poll(fds, time.as_ref()).is_err_and(|error| error != Errno::INTR) {
        thread::sleep(PAUSE);
    }
    !left.is_zero()
}

/// How the child ended, once it is gone; `None` when the deadline comes first.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    let mut handle = None;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        // Only a child that takes its time after its last word is worth a handle.
        let handle = handle.get_or_insert_with(|| {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
            pidfd_open(pid, PidfdFlags::empty()).ok()
        });
        let in_time = if let Some(handle) = handle {
            until(deadline, &mut [PollFd::new(handle, PollFlags::IN)])
        } else {
            thread::sleep(PAUSE);
            Instant::now() < deadline
        };
        if !in_time {
            return None;
        }
    }
}

/// Ends the child and everything it started in its process group. It is asked first: git takes its locks away then.
fn end_group(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        kill_process_group(group, Signal::TERM).ok();
        let hard = Instant::now() + process::GRACE;
        while Instant::now() < hard {
            drop(child.try_wait());
            if test_kill_process_group(group).is_err() {
                return;
            }
            thread::sleep(PAUSE);
        }
        // All of it may be gone by itself.
        kill_process_group(group, Signal::KILL).ok();
    }
    drop(child.wait());
}
