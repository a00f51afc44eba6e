//! Processes: found by what they carry and by whom they descend from, and ended as a whole. No pid files.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// The variable by which everything that a job starts is known again.
pub const COOKIE: &str = "OFFHOURS_TURN";

const TERM_GRACE: Duration = Duration::from_secs(2);
const KILL_GRACE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(15);

fn pids() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return vec![] };
    entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// `(parent, state)` from /proc/PID/stat; the command's name in it may hold any character, so it is cut at the last `)`.
fn parent_and_state(pid: i32) -> Option<(i32, char)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&stat).into_owned();
    let rest = text.get(text.rfind(')')? + 1..)?;
    let mut words = rest.split_whitespace();
    let state = words.next()?.chars().next()?;
    Some((words.next()?.parse().ok()?, state))
}

/// Living processes whose environment holds `OFFHOURS_TURN=<id>`, but for this one.
pub fn carrying(id: &str) -> Vec<i32> {
    let wanted = format!("{COOKIE}={id}").into_bytes();
    let me = getpid().as_raw_nonzero().get();
    pids()
        .into_iter()
        .filter(|pid| *pid != me && *pid > 1)
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|env| env.split(|b| *b == 0).any(|entry| entry == wanted))
        })
        .filter(|pid| parent_and_state(*pid).is_some_and(|(_, state)| state != 'Z'))
        .collect()
}

/// Living descendants of a process.
pub fn descendants(of: i32) -> Vec<i32> {
    let all: Vec<(i32, i32, char)> = pids()
        .into_iter()
        .filter_map(|pid| parent_and_state(pid).map(|(parent, state)| (pid, parent, state)))
        .collect();
    let mut found = vec![of];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(
            all.iter()
                .filter(|(pid, p, _)| *p == parent && !found.contains(pid))
                .map(|(pid, _, _)| *pid)
                .collect::<Vec<_>>(),
        );
        at += 1;
    }
    let alive = |pid: &i32| all.iter().any(|(p, _, state)| p == pid && *state != 'Z');
    found.into_iter().skip(1).filter(alive).collect()
}

fn signal(pids: &[i32], signal: Signal) {
    for pid in pids {
        if let Some(pid) = Pid::from_raw(*pid) {
            // It may be gone already, which is what is wanted.
            kill_process(pid, signal).unwrap_or_default();
        }
    }
}

/// Ends whatever `find` finds, asking first. Returns whether nothing is left.
pub fn end_all(find: &dyn Fn() -> Vec<i32>) -> bool {
    let started = Instant::now();
    let mut told = vec![];
    loop {
        let left = find();
        if left.is_empty() {
            return true;
        }
        let waited = started.elapsed();
        if waited > TERM_GRACE + KILL_GRACE {
            return false;
        }
        if waited > TERM_GRACE {
            signal(&left, Signal::KILL);
        } else {
            let news: Vec<i32> = left.iter().filter(|pid| !told.contains(*pid)).copied().collect();
            signal(&news, Signal::TERM);
            told.extend(news);
        }
        reap();
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Takes leave of children that ended, so that they do not stay as zombies.
pub fn reap() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// Supervisors of a job folder, by their command line.
pub fn supervisors_of(dir: &Path) -> Vec<i32> {
    let wanted = dir.as_os_str().as_encoded_bytes();
    let me = getpid().as_raw_nonzero().get();
    pids()
        .into_iter()
        .filter(|pid| *pid != me)
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                let words: Vec<&[u8]> = line.split(|b| *b == 0).collect();
                words.get(1).is_some_and(|w| *w == b"supervise") && words.get(2).is_some_and(|w| *w == wanted)
            })
        })
        .filter(|pid| parent_and_state(*pid).is_some_and(|(_, state)| state != 'Z'))
        .collect()
}

pub fn kill(pids: &[i32]) {
    signal(pids, Signal::KILL);
}
