//! A turn in a tmux session of its own: a person can attach to it while it runs, and it ends like any other.
//!
//! The server is started by the supervisor, on a socket that belongs to this turn alone, and ends with the agent. What
//! the agent prints goes through two pipes: to the pane, for people, and to the supervisor, which keeps and reads it.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::process::Pid;

use super::child::{Listener, Pumps, Step, how};
use super::job::Job;
use super::output::{CappedLog, log_tail};
use super::usage::ProcessEnd;
use crate::adapters::process;

/// How long tmux may take to answer.
const CLIENT: Duration = Duration::from_secs(20);
/// A path of a socket has at most 107 bytes.
pub(super) const LONGEST_SOCKET: usize = 107;

/// What the pane runs. The exit code is written before the pipes are empty, because what an agent leaves in the background
/// may hold them. An interrupt typed by whoever is attached is the agent's, not the shell's.
const PANE: &str = r#"trap : INT
unset TMUX TMUX_PANE
cd "$at" || exit 1
tee out.pipe < out.agent &
tee err.pipe < err.agent >&2 &
(cd "$work" && exec "#;

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The pane's whole script. `input` is the agent's standard input; none: the pane itself, so that people can answer.
fn script(step: &Step<'_>, at: &Path, input: Option<&Path>) -> String {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let mut text = format!("at={}\nwork={}\n{PANE}", path(at), path(step.cwd));
    for word in &step.argv {
        write!(text, "{} ", quoted(word)).unwrap_or_default();
    }
    text.push(')');
    if let Some(input) = input {
        write!(text, " < {}", path(input)).unwrap_or_default();
    }
    text.push_str(" > out.agent 2> err.agent\necho $? > code.new\nmv code.new code\nwait\n");
    text
}

/// A pipe with a name, opened where it is read: that waits for the other side.
struct Pipe(PathBuf, Option<File>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.1 {
            Some(file) => file,
            none => none.insert(File::open(&self.0)?),
        };
        file.read(buffer)
    }
}

impl Job<'_> {
    /// The agent in a session on this socket, to its end.
    pub(super) fn run_in_tmux(
        &self,
        socket: &Path,
        step: &Step<'_>,
        input: Option<&Path>,
        listener: Option<Listener>,
        pumps: &mut Pumps,
    ) -> ProcessEnd {
        let at = self.folder.path("pane");
        let end = match self.open_pane(socket, step, input, &at, listener, pumps) {
            Err(error) => ProcessEnd::NotStarted(format!("The tmux session could not be made: {error:#}.")),
            Ok(server) => {
                // One that ended while its client was waited for was collected then, and is not seen again.
                let end = if process::find(server.as_raw_pid()).is_some() {
                    self.watch(server, step.timeout, step.stall.map(|stall| (stall, step.cwd)), pumps)
                } else {
                    ProcessEnd::Exit(0)
                };
                let code =
                    std::fs::read_to_string(at.join("code")).ok().and_then(|code| code.trim().parse().ok());
                match (end, code) {
                    // The server ended, and with it the session: the agent's own code counts.
                    (ProcessEnd::Exit(_) | ProcessEnd::Signal(_), Some(code)) => exit(code),
                    (ProcessEnd::Exit(_), None) => ProcessEnd::Signal(0),
                    (end @ ProcessEnd::Signal(_), None)
                    | (
                        end @ (ProcessEnd::TimedOut
                        | ProcessEnd::Stalled
                        | ProcessEnd::Stopped
                        | ProcessEnd::NotStarted(_)),
                        _,
                    ) => end,
                }
            }
        };
        // Whoever still waits for a pipe to be opened is let go.
        for pipe in ["out.pipe", "err.pipe"] {
            let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
            OpenOptions::new().write(true).custom_flags(flags).open(at.join(pipe)).ok();
        }
        end
    }

    /// Starts the server with the agent in it; its process is a child of ours, because we collect what loses its parent.
    fn open_pane(
        &self,
        socket: &Path,
        step: &Step<'_>,
        input: Option<&Path>,
        at: &Path,
        listener: Option<Listener>,
        pumps: &mut Pumps,
    ) -> anyhow::Result<Pid> {
        std::fs::remove_dir_all(at).ok();
        std::fs::create_dir(at)?;
        for pipe in ["out.agent", "err.agent", "out.pipe", "err.pipe"] {
            rustix::fs::mknodat(CWD, at.join(pipe), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        }
        std::fs::write(at.join("script"), script(step, at, input))?;
        pumps.add(
            Pipe(at.join("out.pipe"), None),
            CappedLog::open(&self.folder.path("stdout.log"), false)?,
            listener,
        );
        pumps.add(
            Pipe(at.join("err.pipe"), None),
            CappedLog::open(&self.folder.path("stderr.log"), false)?,
            None,
        );
        let (script, cwd) = (at.join("script"), step.cwd.to_string_lossy());
        let script = script.to_string_lossy();
        // Told by the same command that starts it: a quick agent is over before a second one could ask.
        let words =
            ["new-session", "-d", "-P", "-F", "#{pid}", "-s", "turn", "-x", "160", "-y", "48", "-c", &cwd];
        let pid = self.client(socket, step, &[&words[..], &["sh", &script]].concat())?;
        pid.trim().parse().ok().and_then(Pid::from_raw).context("tmux did not tell its process")
    }

    /// One command of tmux; what it prints.
    fn client(&self, socket: &Path, step: &Step<'_>, words: &[&str]) -> anyhow::Result<String> {
        let socket = socket.to_string_lossy();
        // Without anybody's own configuration.
        let own = ["tmux", "-f", "/dev/null", "-S", &socket];
        let argv: Vec<String> = own.iter().chain(words).map(|word| (*word).to_owned()).collect();
        let (out, err) = (self.folder.path("pane/client.out"), self.folder.path("pane/client.err"));
        let (to, to_err) = (File::create(&out)?, File::create(&err)?);
        let pid = self.spawn(&argv, step.cwd, Stdio::null(), &step.env, to.into(), to_err.into())?;
        let end = self.watch(pid, CLIENT, None, &Pumps::new());
        if end != ProcessEnd::Exit(0) {
            bail!("tmux {}: {}", how(&end), log_tail(&err));
        }
        Ok(std::fs::read_to_string(out)?)
    }
}

/// As a shell counts: above 128 it is the number of a signal.
fn exit(code: i32) -> ProcessEnd {
    if code > 128 { ProcessEnd::Signal(code - 128) } else { ProcessEnd::Exit(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_agent_as_they_are() {
        for word in ["", "a b", "it's", "$(touch x)", "`x`", "\\", "\n", "'", "-n"] {
            let told = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(told.stdout).unwrap(), if word == "-n" { "-n" } else { word });
        }
    }
}
