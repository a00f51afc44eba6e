//! Notifiers: programs, and services that speak HTTP. Each asks for its secrets at each message.

mod heartbeat;
mod mail;
mod post;
mod program;

use std::time::Duration;

use serde_json::{Value, json};

pub use heartbeat::{Beat, HeartBeat};
pub use post::{Ask, NtfyNotifier, SlackNotifier, WebhookNotifier};
pub use program::{CommandNotifier, MailNotifier, Program};

use crate::ports::Notice;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A notice for programs to read.
fn payload(notice: &Notice) -> Value {
    json!({
        "schema": 1,
        "key": notice.key,
        "kind": notice.kind.code(),
        "title": notice.title,
        "body": notice.body,
        "link": notice.link,
        "topic": notice.topic,
        "possible_repeat": notice.possible_repeat,
    })
}
