//! Notifiers: a command that gets the message as JSON on its standard input, and a webhook that gets it as a POST.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::boundary;
use crate::domain::message;
use crate::ports::{Notice, Notifier, PortError, PortResult};

const TIMEOUT: Duration = Duration::from_secs(20);

fn payload(notice: &Notice) -> Value {
    json!({
        "schema": 1,
        "key": notice.key,
        "kind": notice.kind,
        "title": notice.title,
        "body": notice.body,
        "link": notice.link,
        "possible_repeat": notice.possible_repeat,
    })
}

pub struct CommandNotifier {
    pub argv: Vec<String>,
    pub path: String,
    pub home: Option<std::ffi::OsString>,
}

impl Notifier for CommandNotifier {
    fn send(&self, notice: &Notice) -> PortResult<()> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(PortError::refused("the notifier names no program"));
        };
        let failed = |doing: &str, e: std::io::Error| {
            PortError::refused(format!(
                "the notifier command `{}`: {doing}: {e}",
                message::plain(program, 100)
            ))
        };
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", &self.path).env("OFFHOURS_KIND", &notice.kind);
        if let Some(home) = &self.home {
            command.env("HOME", home);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        boundary::pass("notify.command");
        let mut child = command.spawn().map_err(|e| failed("could not be started", e))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input is no failure.
            drop(stdin.write_all(payload(notice).to_string().as_bytes()));
        }
        let started = Instant::now();
        loop {
            match child.try_wait().map_err(|e| failed("waiting", e))? {
                Some(status) if status.success() => break,
                Some(status) => {
                    return Err(PortError::refused(format!(
                        "the notifier command `{}` ended with {status}",
                        message::plain(program, 100)
                    )));
                }
                None if started.elapsed() > TIMEOUT => {
                    drop(child.kill());
                    drop(child.wait());
                    return Err(PortError::later(format!(
                        "the notifier command did not end within {} seconds",
                        TIMEOUT.as_secs()
                    )));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        boundary::pass("notify.command");
        Ok(())
    }
}

pub struct WebhookNotifier {
    /// Asked for at each message: the URL is a secret and may be renewed.
    pub url: Box<dyn Fn() -> PortResult<crate::config::Secret>>,
}

impl Notifier for WebhookNotifier {
    fn send(&self, notice: &Notice) -> PortResult<()> {
        let url = (self.url)()?;
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        boundary::pass("notify.webhook");
        let answer = agent
            .post(url.reveal())
            .header("content-type", "application/json")
            .header("idempotency-key", &notice.key)
            .send(payload(notice).to_string().as_bytes());
        boundary::pass("notify.webhook");
        match answer {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) if response.status().is_server_error() || response.status().as_u16() == 429 => {
                Err(PortError::later(format!("the webhook answered {}", response.status())))
            }
            Ok(response) => Err(PortError::refused(format!(
                "the webhook answered {}; check its URL (a redirect is not followed)",
                response.status()
            ))),
            // The error may name the URL, which is a secret.
            Err(ureq::Error::Timeout(_)) => Err(PortError::later("the webhook did not answer in time")),
            Err(ureq::Error::BadUri(_)) => Err(PortError::refused("the webhook's URL is not one")),
            Err(_) => Err(PortError::later("the webhook could not be reached")),
        }
    }
}
