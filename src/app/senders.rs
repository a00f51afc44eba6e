//! Builds what messages leave by: notifiers and heartbeats, out of their tables in the configuration.
#![allow(clippy::disallowed_methods, reason = "part of the composition root: it reads the environment")]

use super::App;
use super::surroundings::{env, path_variable};
use crate::adapters::notify::{
    Ask, Beat, CommandNotifier, HeartBeat, MailNotifier, NtfyNotifier, Program, SlackNotifier,
    WebhookNotifier,
};
use crate::config::{self as cfg, NotifyKind};
use crate::domain::secret::SecretSource;
use crate::ports::{Notifier, PortError, PortResult};
use crate::tick::env::{Quiet, Sender};

/// Where mail programs are on every system that has one.
const SENDMAIL: [&str; 3] = ["/usr/sbin/sendmail", "-t", "-i"];

/// A secret that is asked for when it is needed.
fn ask(source: Option<&SecretSource>, wanted: String) -> Ask {
    let source = source.cloned();
    Box::new(move || {
        let source = source.as_ref().ok_or_else(|| PortError::refused(format!("{wanted} is not set")))?;
        crate::adapters::secret::resolve(source, &wanted, &env)
            .map_err(|e| PortError::Credentials { what: e.to_string() })
    })
}

fn program(argv: Vec<String>) -> Program {
    Program { argv, path: path_variable(), home: env("HOME") }
}

fn quiet(notify: &cfg::Notify) -> Quiet {
    let hours = notify.quiet_hours.clone();
    let urgent = notify.urgent.clone();
    Box::new(move |kind, at| if urgent.contains(&kind) { None } else { cfg::window_end(&hours, at) })
}

impl App {
    pub(super) fn senders(&self) -> Vec<Sender> {
        let make = |(name, notify): (&String, &cfg::Notify)| {
            let url = || ask(notify.url.as_ref(), format!("notify.{name}.url"));
            let port: Box<dyn Notifier> = match notify.kind {
                NotifyKind::Command => Box::new(CommandNotifier(program(notify.argv.clone()))),
                NotifyKind::Webhook => Box::new(WebhookNotifier { url: url() }),
                NotifyKind::Slack => Box::new(SlackNotifier { url: url() }),
                NotifyKind::Ntfy => Box::new(NtfyNotifier {
                    url: url(),
                    token: notify
                        .token
                        .as_ref()
                        .map(|token| ask(Some(token), format!("notify.{name}.token"))),
                }),
                NotifyKind::Email => {
                    let usual = || SENDMAIL.map(str::to_owned).to_vec();
                    let argv = if notify.argv.is_empty() { usual() } else { notify.argv.clone() };
                    Box::new(MailNotifier {
                        sendmail: program(argv),
                        from: notify.from.clone(),
                        to: notify.to.clone(),
                    })
                }
            };
            Sender { name: name.clone(), kinds: notify.kinds.clone(), quiet: quiet(notify), port }
        };
        self.config.notifiers.iter().map(make).collect()
    }

    /// What is pinged around this command; none where nothing is configured, and none in a dry run.
    pub fn heart(&self, command: &str) -> Heart {
        let beats = &self.config.heartbeat;
        let source = match command {
            "tick" => beats.tick.as_ref(),
            "poll" => beats.poll.as_ref(),
            "watch" => beats.watch.as_ref(),
            "lessons" => beats.lessons.as_ref(),
            _ => None,
        };
        let source = source.filter(|_| !self.global.dry_run);
        let beat = source.map(|source| HeartBeat {
            url: ask(Some(source), format!("heartbeat.{command}")),
            id: uuid::Uuid::new_v4().to_string(),
        });
        Heart { beat, subject: format!("heartbeat of {command}") }
    }
}

/// A command's heartbeat, if it has one.
pub struct Heart {
    beat: Option<HeartBeat>,
    /// By which its failures are known again.
    pub subject: String,
}

impl Heart {
    fn ping(&self, beat: Beat) -> PortResult<()> {
        self.beat.as_ref().map_or(Ok(()), |heart| heart.ping(beat))
    }

    pub fn start(&self) -> PortResult<()> {
        self.ping(Beat::Start)
    }

    /// The end of a tick that ran, or the failure of one that could not.
    pub fn end(&self, good: bool) -> PortResult<()> {
        self.ping(if good { Beat::End } else { Beat::Fail })
    }

    pub fn is_set(&self) -> bool {
        self.beat.is_some()
    }
}
