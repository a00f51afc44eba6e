//! Notifiers that are programs: any command, and `sendmail` for mail.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::mail::mail;
use super::post::short_hash;
use super::{TIMEOUT, payload};
use crate::boundary;
use crate::domain::effect::NoticeKind;
use crate::domain::escape::sanitize;
use crate::ports::{Notice, Notifier, PortError, PortResult};
use crate::text::notice::{link, told};

/// A program and the little that it gets from our environment.
pub struct Program {
    pub argv: Vec<String>,
    pub path: String,
    pub home: Option<OsString>,
}

impl Program {
    /// Runs it with `input`, to its end or its time-out.
    fn run(&self, what: &str, kind: NoticeKind, input: &[u8]) -> PortResult<()> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(PortError::refused(format!("{what} names no program")));
        };
        let shown = sanitize(program, 100);
        let failed =
            |doing: &str, e: std::io::Error| PortError::refused(format!("{what} `{shown}`: {doing}: {e}"));
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", &self.path).env("OFFHOURS_KIND", kind.code());
        if let Some(home) = &self.home {
            command.env("HOME", home);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        boundary::pass("notify.command");
        let mut child = command.spawn().map_err(|e| failed("could not be started", e))?;
        let mut stdin = child.stdin.take();
        let input = input.to_vec();
        // In a thread of its own: a program that does not read must not hold us up. That it does not is no failure.
        let writer = std::thread::spawn(move || {
            if let Some(stdin) = &mut stdin {
                drop(stdin.write_all(&input));
            }
        });
        let started = Instant::now();
        let answer = loop {
            match child.try_wait().map_err(|e| failed("waiting", e))? {
                Some(status) if status.success() => break Ok(()),
                // sendmail and its like: try again later.
                Some(status) if status.code() == Some(75) => {
                    break Err(PortError::later(format!(
                        "{what} `{shown}` asks to be tried later ({status})"
                    )));
                }
                Some(status) => {
                    break Err(PortError::refused(format!("{what} `{shown}` ended with {status}")));
                }
                None if started.elapsed() > TIMEOUT => {
                    drop(child.kill());
                    drop(child.wait());
                    break Err(PortError::later(format!(
                        "{what} did not end within {} seconds",
                        TIMEOUT.as_secs()
                    )));
                }
                None => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        };
        drop(writer);
        boundary::pass("notify.command");
        answer
    }
}

pub struct CommandNotifier(pub Program);

impl Notifier for CommandNotifier {
    fn send(&self, notice: &Notice) -> PortResult<()> {
        self.0.run("the notifier command", notice.kind, payload(notice).to_string().as_bytes())
    }
}

pub struct MailNotifier {
    pub sendmail: Program,
    pub from: String,
    pub to: Vec<String>,
}

impl Notifier for MailNotifier {
    fn send(&self, notice: &Notice) -> PortResult<()> {
        let told = told(notice.kind, &notice.title, &notice.body, notice.possible_repeat);
        let thread = notice.topic.as_deref().map(short_hash);
        let link = link(notice.link.as_deref());
        // The same key makes the same id: a mail program shows a repeat once.
        let text = mail(&told, &self.from, &self.to, link, &short_hash(&notice.key), thread.as_deref());
        self.sendmail.run("the mail program", notice.kind, text.as_bytes())
    }
}
