//! The processes of a job: started with a clean environment, read without a bound on what they print and with one on what
//! is kept, watched, and ended with all that they left.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use rustix::process::{Pid, WaitOptions};

use super::job::{Job, log};
use super::output::CappedLog;
use super::usage::ProcessEnd;
use crate::adapters::process::{self, COOKIE, Proc};
use crate::boundary;

/// A line longer than this is not looked at.
const LINE_BYTES: usize = 4 * 1024 * 1024;
/// Entries of a workspace that are looked at to see whether anything changes.
const LOOK_ENTRIES: usize = 2000;

/// One process that a job runs.
pub(super) struct Step<'a> {
    pub(super) argv: Vec<String>,
    pub(super) cwd: &'a Path,
    pub(super) stdin: Stdio,
    pub(super) env: Vec<(String, OsString)>,
    pub(super) timeout: Duration,
    pub(super) stall: Option<Duration>,
}

/// Is told each line of a stream.
pub(super) type Listener = Box<dyn FnMut(&[u8]) + Send>;

/// Threads that read a step's output.
pub(super) struct Pumps {
    pulse: Arc<AtomicU64>,
    begun: Instant,
    over: Vec<mpsc::Receiver<()>>,
}

impl Pumps {
    pub(super) fn new() -> Self {
        Self { pulse: Arc::new(AtomicU64::new(0)), begun: Instant::now(), over: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        pipe: impl Read + Send + 'static,
        log: CappedLog,
        listener: Option<Listener>,
    ) {
        let (done, over) = mpsc::channel();
        let (pulse, begun) = (Arc::clone(&self.pulse), self.begun);
        std::thread::spawn(move || {
            pump(pipe, log, listener, || {
                let now = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                pulse.store(now, Ordering::Relaxed);
            });
            done.send(()).ok();
        });
        self.over.push(over);
    }

    fn last_output(&self) -> Duration {
        Duration::from_millis(self.pulse.load(Ordering::Relaxed))
    }

    /// With all its processes ended a pipe ends too; one that escaped must not hold the supervisor.
    pub(super) fn finish(&self, bound: Duration) {
        let until = Instant::now() + bound;
        for over in &self.over {
            over.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
        }
    }
}

fn pump(mut pipe: impl Read, mut log: CappedLog, mut listener: Option<Listener>, beat: impl Fn()) {
    let mut buffer = vec![0; 64 * 1024];
    let mut line = Vec::new();
    let listens = listener.is_some();
    let mut say = |line: &mut Vec<u8>| {
        if line.len() <= LINE_BYTES
            && let Some(listener) = &mut listener
        {
            listener(line);
        }
        line.clear();
    };
    while let Ok(count) = pipe.read(&mut buffer) {
        if count == 0 {
            break;
        }
        beat();
        log.write(&buffer[..count]);
        if !listens {
            continue;
        }
        for part in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
            // One byte too many marks a line as too long; more of it is not kept.
            let room = (LINE_BYTES + 1).saturating_sub(line.len()).min(part.len());
            line.extend_from_slice(&part[..room]);
            if part.last() == Some(&b'\n') {
                say(&mut line);
            }
        }
    }
    say(&mut line);
}

impl Job<'_> {
    pub(super) fn spawn(
        &self,
        argv: &[String],
        cwd: &Path,
        stdin: Stdio,
        extra: &[(String, OsString)],
        out: Stdio,
        err: Stdio,
    ) -> anyhow::Result<Pid> {
        let (program, words) = argv.split_first().context("the command is empty")?;
        let mut command = Command::new(program);
        command.args(words).current_dir(cwd).env_clear().process_group(0);
        let passed = self.spec.env.iter().map(String::as_str);
        for name in ["PATH", "LANG", "USER", "LOGNAME"].into_iter().chain(passed) {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", &self.spec.home).env("TMPDIR", self.folder.path("tmp")).env("TERM", "dumb");
        command.env("OFFHOURS_REPO", &self.spec.repo);
        command.envs(extra.iter().map(|(name, value)| (name, value)));
        command.env(COOKIE, &self.spec.id);
        command.stdin(stdin).stdout(out).stderr(err);
        boundary::pass("job process spawn: before");
        let child = command.spawn().with_context(|| format!("`{program}`"))?;
        boundary::pass("job process spawn: after");
        i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("the process has no id")
    }

    /// Waits for one process and collects every other that ends meanwhile.
    pub(super) fn watch(
        &self,
        main: Pid,
        timeout: Duration,
        stall: Option<(Duration, &Path)>,
        pumps: &Pumps,
    ) -> ProcessEnd {
        let mut pause = Duration::from_millis(2);
        let mut looked = (Duration::ZERO, None);
        let mut changed = Duration::ZERO;
        loop {
            if let Some(end) = collect(Some(main)) {
                return end;
            }
            let now = pumps.begun.elapsed();
            if self.folder.has("stop") {
                return ProcessEnd::Stopped;
            }
            if now >= timeout {
                return ProcessEnd::TimedOut;
            }
            if let Some((limit, workspace)) = stall {
                let every = (limit / 4).clamp(Duration::from_millis(100), Duration::from_secs(15));
                if now >= looked.0 + every {
                    let seen = newest_change(workspace);
                    if looked.1.is_some() && looked.1 != Some(seen) {
                        changed = now;
                    }
                    looked = (now, Some(seen));
                }
                if now.saturating_sub(changed.max(pumps.last_output())) >= limit {
                    return ProcessEnd::Stalled;
                }
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Ends everything below this process and everything with the job's cookie, and collects it.
    pub(super) fn end_everything(&self) {
        let own = rustix::process::getpid().as_raw_pid();
        let left = process::end(|| {
            collect(None);
            let all: HashSet<Proc> =
                process::descendants(own).into_iter().chain(process::find_by_cookie(&self.spec.id)).collect();
            all.into_iter().collect()
        });
        collect(None);
        for survivor in left {
            log(&format!("process {} could not be ended", survivor.pid));
        }
    }
}

pub(super) fn exit_code(end: &ProcessEnd) -> Option<i32> {
    match end {
        ProcessEnd::Exit(code) => Some(*code),
        ProcessEnd::Signal(_)
        | ProcessEnd::TimedOut
        | ProcessEnd::Stalled
        | ProcessEnd::Stopped
        | ProcessEnd::NotStarted(_) => None,
    }
}

/// How a process ended, as the end of a sentence.
pub(super) fn how(end: &ProcessEnd) -> String {
    match end {
        ProcessEnd::Exit(code) => format!("exited with code {code}"),
        ProcessEnd::Signal(signal) => format!("was ended by signal {signal}"),
        ProcessEnd::TimedOut => "was ended because its time was up".to_owned(),
        ProcessEnd::Stalled => "was ended because nothing moved any more".to_owned(),
        ProcessEnd::Stopped => "was stopped".to_owned(),
        ProcessEnd::NotStarted(why) => why.trim_end_matches('.').to_owned(),
    }
}

/// Collects every child that has ended; tells how `main` ended if it is among them.
///
/// Nothing in this process may wait for a child in another way while this is called: it takes them all.
fn collect(main: Option<Pid>) -> Option<ProcessEnd> {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if Some(pid) == main => {
                let signal = || ProcessEnd::Signal(status.terminating_signal().unwrap_or(0));
                return Some(status.exit_status().map_or_else(signal, ProcessEnd::Exit));
            }
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return None,
            // No child at all: the main one was collected by somebody else, and how it ended is lost.
            Err(_) => return main.map(|_| ProcessEnd::Signal(0)),
        }
    }
}

/// The newest change in the two upper levels of a workspace and in what git writes on a commit. Bounded.
fn newest_change(workspace: &Path) -> Option<SystemTime> {
    let mut newest = None;
    let mut budget = LOOK_ENTRIES;
    let mut see = |path: &Path| {
        let meta = path.symlink_metadata().ok();
        newest = newest.max(meta.as_ref().and_then(|meta| meta.modified().ok()));
        meta.is_some_and(|meta| meta.is_dir())
    };
    for inside in [".git/HEAD", ".git/index", ".git/logs/HEAD", ".git/COMMIT_EDITMSG"] {
        see(&workspace.join(inside));
    }
    let mut open = vec![(workspace.to_owned(), 0)];
    while let Some((dir, depth)) = open.pop() {
        see(&dir);
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if budget == 0 {
                return newest;
            }
            budget -= 1;
            if see(&entry.path()) && depth < 1 {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    newest
}
