//! Processes: what `/proc` tells of them, how everything that carries a job's cookie is ended, and a bounded run of
//! one child.
//!
//! There are no pid files. A process is known by its pid *and* its start time, so that a pid which was given to
//! another process in the meantime is never signalled. Everything read here may vanish while it is read.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal};

/// The environment variable that marks everything a job starts; its value is the job's id.
pub const COOKIE: &str = "OFFHOURS_TURN";

/// Time between TERM and KILL.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long KILL is repeated before what is left counts as a survivor.
const KILL_BOUND: Duration = Duration::from_secs(8);

/// A process as `/proc/<pid>/stat` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proc {
    pub pid: i32,
    pub parent: i32,
    /// Clock ticks since boot; together with the pid it names one process for ever.
    pub started: u64,
    /// Ended, and waiting to be collected by its parent: nothing of it runs any more.
    pub zombie: bool,
}

fn stat(pid: i32) -> Option<Proc> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(pid, &String::from_utf8_lossy(&text))
}

/// The command name stands in parentheses and may contain anything, so that reading begins after the last one.
fn parse_stat(pid: i32, text: &str) -> Option<Proc> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Proc { pid, parent, started, zombie: matches!(state, "Z" | "X") })
}

/// Every process that can be seen now.
pub fn all() -> Vec<Proc> {
    pids().filter_map(stat).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether /proc tells of the processes that we may have started. Where it does not, nobody can say what lives: it is
/// not there, or it shows another pid namespace.
pub fn readable() -> bool {
    let itself = std::fs::read_link("/proc/self").ok();
    let itself = itself.and_then(|link| link.to_str()?.parse::<i32>().ok());
    itself == Some(own_pid()) && all().iter().any(|process| process.pid == own_pid())
}

/// Whether this very process still runs.
pub fn lives(process: Proc) -> bool {
    stat(process.pid).is_some_and(|now| now.started == process.started && !now.zombie)
}

/// The living process with this pid.
pub fn find(pid: i32) -> Option<Proc> {
    stat(pid).filter(|process| !process.zombie)
}

fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_pid()
}

fn nul_separated(file: &str, pid: i32) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

/// Everything alive of which `tells` is true; never this process, never init.
fn alive(tells: impl Fn(i32) -> bool) -> Vec<Proc> {
    let own = own_pid();
    pids()
        .filter(|pid| *pid != own && *pid > 1 && tells(*pid))
        .filter_map(find)
        // Asked again with the start time known: the number may have come to mean another process in between.
        .filter(|process| tells(process.pid))
        .collect()
}

/// Everything alive whose environment holds exactly `OFFHOURS_TURN=<id>`; never this process, never init.
pub fn find_by_cookie(id: &str) -> Vec<Proc> {
    if id.is_empty() {
        return Vec::new();
    }
    let wanted = format!("{COOKIE}={id}").into_bytes();
    alive(|pid| nul_separated("environ", pid).contains(&wanted))
}

/// Everything alive below `root` in the tree of processes, without `root` itself.
pub fn descendants(root: i32) -> Vec<Proc> {
    let mut children: HashMap<i32, Vec<Proc>> = HashMap::new();
    for process in all() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            open.push(child.pid);
            if !child.zombie {
                found.push(child);
            }
        }
    }
    found
}

/// The supervisors of a job folder, known by their command line: `<program> supervise <dir>`.
pub fn supervisors(dir: &Path) -> Vec<Proc> {
    let wanted = dir.as_os_str().as_encoded_bytes();
    alive(|pid| {
        let words = nul_separated("cmdline", pid);
        words.get(1).is_some_and(|w| w == b"supervise") && words.get(2).is_some_and(|w| w == wanted)
    })
}

/// Every living git that is at work in a folder: it stands there, or was started with its name.
pub fn gits_at(folder: &Path) -> Vec<Proc> {
    let mut paths = vec![folder.to_owned()];
    paths.extend(folder.canonicalize().ok().filter(|real| real != folder));
    let named = |word: &[u8]| {
        paths
            .iter()
            .map(|path| path.as_os_str().as_encoded_bytes())
            .any(|name| !name.is_empty() && word.windows(name.len()).any(|part| part == name))
    };
    alive(|pid| {
        let comm = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        let stands = || {
            std::fs::read_link(format!("/proc/{pid}/cwd"))
                .is_ok_and(|dir| named(dir.as_os_str().as_encoded_bytes()))
        };
        let told = || {
            ["cmdline", "environ"].iter().any(|file| nul_separated(file, pid).iter().any(|word| named(word)))
        };
        comm.starts_with(b"git") && (stands() || told())
    })
}

/// Sends a signal to this very process; one that is gone meanwhile is left alone.
pub fn signal(process: Proc, signal: Signal) {
    let Some(pid) = Pid::from_raw(process.pid).filter(|pid| !pid.is_init()) else { return };
    if process.pid == own_pid() {
        return;
    }
    // With the descriptor open the pid cannot come to mean another process between the look and the signal.
    let handle = rustix::process::pidfd_open(pid, PidfdFlags::empty());
    if !lives(process) {
        return;
    }
    // A process that ended by itself is what was wanted, so an error here says nothing.
    let _: Option<()> = match handle {
        Ok(handle) => rustix::process::pidfd_send_signal(handle, signal).ok(),
        Err(_) => rustix::process::kill_process(pid, signal).ok(),
    };
}

/// Ends whatever `find` finds, again and again until it finds nothing: TERM first, KILL after [`GRACE`].
///
/// What comes back could not be ended within the bound; empty is success.
pub fn end(mut find: impl FnMut() -> Vec<Proc>) -> Vec<Proc> {
    let begun = Instant::now();
    let mut asked = HashSet::new();
    let mut empty = 0;
    loop {
        let alive = find();
        // Twice, because a process between fork and exec does not carry its environment yet.
        empty = if alive.is_empty() { empty + 1 } else { 0 };
        if empty == 2 {
            return Vec::new();
        }
        let hard = begun.elapsed() >= GRACE;
        if begun.elapsed() >= GRACE + KILL_BOUND {
            return alive;
        }
        for process in alive {
            if hard {
                signal(process, Signal::KILL);
            } else if asked.insert((process.pid, process.started)) {
                signal(process, Signal::TERM);
            }
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// Ends everything that carries the cookie. What comes back survived.
pub fn end_by_cookie(id: &str) -> Vec<Proc> {
    end(|| find_by_cookie(id))
}

/// What a bounded child left.
#[derive(Clone, Debug)]
pub struct Captured {
    /// `None` where the child was ended because its time was up.
    pub status: Option<std::process::ExitStatus>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// More was printed than `max_bytes` of one stream; the rest was read and thrown away.
    pub truncated: bool,
}

impl Captured {
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// How it ended, as the end of a sentence.
    pub fn how(&self) -> String {
        match self.status {
            None => "was ended because its time was up".to_owned(),
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("exited with code {code}"),
                (None, Some(signal)) => format!("was ended by signal {signal}"),
                (None, None) => "ended in an unknown way".to_owned(),
            },
        }
    }
}

/// Runs a child to its end or to `timeout`, keeping the first `max_bytes` of each stream.
///
/// The child gets its own process group, which is killed when time is up. Standard input is /dev/null.
pub fn run(command: &mut Command, timeout: Duration, max_bytes: usize) -> io::Result<Captured> {
    let deadline = Instant::now() + timeout;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let streams = [
        child.stdout.take().map(|pipe| collect(pipe, max_bytes)),
        child.stderr.take().map(|pipe| collect(pipe, max_bytes)),
    ];
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= deadline {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                rustix::process::kill_process_group(group, Signal::KILL).ok();
            }
            child.wait()?;
            break None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(25));
    };
    let mut kept = streams.into_iter().map(|stream| stream.map_or_else(Default::default, Kept::take));
    let (stdout, cut_out) = kept.next().unwrap_or_default();
    let (stderr, cut_err) = kept.next().unwrap_or_default();
    Ok(Captured { status, stdout, stderr, truncated: cut_out || cut_err })
}

/// A stream that is being read in a thread of its own.
struct Kept {
    bytes: Arc<Mutex<(Vec<u8>, bool)>>,
    over: mpsc::Receiver<()>,
}

impl Kept {
    /// A process left in the background may hold the pipe for ever, so the end of the stream is waited for briefly.
    fn take(self) -> (Vec<u8>, bool) {
        self.over.recv_timeout(Duration::from_secs(1)).ok();
        self.bytes.lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default()
    }
}

fn collect(mut pipe: impl Read + Send + 'static, max_bytes: usize) -> Kept {
    let bytes = Arc::new(Mutex::new((Vec::new(), false)));
    let (done, over) = mpsc::channel();
    let shared = Arc::clone(&bytes);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count) = pipe.read(&mut buffer) {
            if count == 0 {
                break;
            }
            if let Ok(mut kept) = shared.lock() {
                let room = max_bytes.saturating_sub(kept.0.len()).min(count);
                kept.0.extend_from_slice(&buffer[..room]);
                kept.1 |= room < count;
            }
        }
        done.send(()).ok();
    });
    Kept { bytes, over }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_stat_line_is_read_after_the_last_parenthesis() {
        let line = "7 (a) Z (b) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        let read = parse_stat(7, line).unwrap();
        assert_eq!(read, Proc { pid: 7, parent: 3, started: 4242, zombie: false });
        assert_eq!(parse_stat(7, "7 (gone"), None);
    }

    #[test]
    fn a_child_is_captured_and_its_exit_told() {
        let got = run(&mut sh("echo out; echo err >&2; exit 3"), Duration::from_secs(20), 100).unwrap();
        assert_eq!((got.stdout.as_slice(), got.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(got.how(), "exited with code 3");
        assert!(!got.success() && !got.truncated);
    }

    #[test]
    fn a_child_that_never_ends_is_ended_and_a_flood_is_cut() {
        let got = run(&mut sh("yes"), Duration::from_millis(300), 1000).unwrap();
        assert_eq!((got.stdout.len(), got.status, got.truncated), (1000, None, true));
    }

    #[test]
    fn the_cookie_is_matched_whole_and_ends_only_its_own() {
        let id = format!("cookie-test-{}", std::process::id());
        let mut mine = sh("trap '' TERM; while :; do sleep 60; done").env(COOKIE, &id).spawn().unwrap();
        let mut other = sh("sleep 60").env(COOKIE, format!("{id}1")).spawn().unwrap();
        assert_eq!(end_by_cookie(""), []);
        while !find_by_cookie(&id).iter().any(|p| p.pid == i32::try_from(mine.id()).unwrap()) {
            std::thread::yield_now();
        }
        assert_eq!(end_by_cookie(&id), []);
        assert_eq!(mine.wait().unwrap().code(), None);
        assert!(other.try_wait().unwrap().is_none(), "another job's process was ended");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
