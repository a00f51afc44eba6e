//! Notifiers that speak HTTP: a webhook, Slack, ntfy.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{TIMEOUT, payload};
use crate::adapters::http;
use crate::boundary;
use crate::domain::escape::sanitize;
use crate::domain::secret::Secret;
use crate::ports::{Notice, Notifier, PortError, PortResult};
use crate::text::notice::{cut, link, slack, told};

/// A secret, asked for at each message: it may be renewed.
pub type Ask = Box<dyn Fn() -> PortResult<Secret>>;

/// Of an answer no more is read.
const MAX_ANSWER: u64 = 16 * 1024;

/// Sends a body and reads the answer's first bytes. No error here names the URL, which is a secret.
fn post(who: &str, url: &str, headers: &[(&str, String)], body: &Value) -> PortResult<String> {
    let agent = http::agent(TIMEOUT);
    let mut request = agent.post(url).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    boundary::pass("notify.post");
    let answer = request.send(body.to_string().as_bytes());
    boundary::pass("notify.post");
    let mut response = match answer {
        Ok(response) => response,
        Err(ureq::Error::Timeout(_)) => {
            return Err(PortError::later(format!("{who} did not answer in time")));
        }
        Err(ureq::Error::BadUri(_)) => {
            return Err(PortError::refused(format!("the URL of {who} is not one")));
        }
        Err(_) => return Err(PortError::later(format!("{who} could not be reached"))),
    };
    let status = response.status();
    let said = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().unwrap_or_default();
    if status.is_success() {
        return Ok(said);
    }
    // The words of the answer say what is wrong; they are somebody else's.
    let words = sanitize(said.trim(), 120);
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(PortError::later(format!("{who} answered {status}{words}")));
    }
    if matches!(status.as_u16(), 401 | 403) {
        return Err(PortError::Credentials {
            what: format!("{who} answered {status}{words}; check its token and URL"),
        });
    }
    Err(PortError::refused(format!(
        "{who} answered {status}{words}; check its URL (a redirect is not followed)"
    )))
}

pub struct WebhookNotifier {
    pub url: Ask,
}

impl Notifier for WebhookNotifier {
    fn send(&self, notice: &Notice) -> PortResult<()> {
        let url = (self.url)()?;
        let key = [("idempotency-key", notice.key.clone())];
        post("the webhook", url.reveal(), &key, &payload(notice)).map(drop)
    }
}

pub struct SlackNotifier {
    pub url: Ask,
}

/// What Slack is sent: blocks of plain text, in which nothing is markup, and a fallback in which it is escaped.
fn slack_body(notice: &Notice) -> Value {
    let told = told(notice.kind, &notice.title, &notice.body, notice.possible_repeat);
    let sign = format!(":{}:", told.manner.sign);
    let headline = format!("{sign} {}", told.headline);
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": cut(&headline, 150), "emoji": true } }),
    ];
    if !told.text.is_empty() {
        blocks.push(json!({
            "type": "section",
            "text": { "type": "plain_text", "text": cut(&told.text, 2900), "emoji": false },
        }));
    }
    if let Some(link) = link(notice.link.as_deref()) {
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": format!("<{}|Open>", slack(link)) } }));
    }
    json!({ "text": slack(&cut(&told.headline, 2900)), "blocks": blocks })
}

impl Notifier for SlackNotifier {
    fn send(&self, notice: &Notice) -> PortResult<()> {
        let url = (self.url)()?;
        let said = post("Slack", url.reveal(), &[], &slack_body(notice))?;
        if said.trim() == "ok" {
            return Ok(());
        }
        Err(PortError::refused(format!(
            "Slack answered 200 and not `ok`, but `{}`; check that the URL is one of an incoming webhook",
            sanitize(&said, 80)
        )))
    }
}

pub struct NtfyNotifier {
    /// The topic's URL: `https://ntfy.example.org/topic`.
    pub url: Ask,
    pub token: Option<Ask>,
}

/// A message above 4096 bytes becomes an attachment that a phone does not show.
const MAX_NTFY: usize = 3900;

/// What ntfy is sent. A further message about the same cause takes the place of the one before, on servers that know how.
fn ntfy_body(notice: &Notice, topic: &str) -> Value {
    let told = told(notice.kind, &notice.title, &notice.body, notice.possible_repeat);
    let message = if told.text.is_empty() { &told.headline } else { &told.text };
    let mut body = json!({
        "topic": topic,
        "title": cut(&told.headline, 250),
        "message": cut(message, MAX_NTFY),
        "priority": told.manner.urgency,
        "tags": [told.manner.sign],
    });
    if let Value::Object(map) = &mut body {
        if let Some(link) = link(notice.link.as_deref()) {
            map.insert("click".to_owned(), json!(link));
        }
        if let Some(topic) = &notice.topic {
            map.insert("sequence_id".to_owned(), json!(short_hash(topic)));
        }
    }
    body
}

/// A word of letters and digits that stands for a text.
pub(super) fn short_hash(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    hash.iter().take(12).flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl Notifier for NtfyNotifier {
    fn send(&self, notice: &Notice) -> PortResult<()> {
        let url = (self.url)()?;
        let (root, topic) = url
            .reveal()
            .trim_end_matches('/')
            .rsplit_once('/')
            .filter(|(root, topic)| root.contains("://") && !root.ends_with('/') && !topic.is_empty())
            .ok_or_else(|| {
                PortError::refused("the URL of ntfy has to end in a topic: https://SERVER/TOPIC")
            })?;
        let mut headers = vec![];
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("Bearer {}", token()?.reveal())));
        }
        post("ntfy", &format!("{root}/"), &headers, &ntfy_body(notice, topic)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::effect::NoticeKind;

    fn notice(kind: NoticeKind, link: Option<&str>) -> Notice {
        Notice {
            key: "r1:done".to_owned(),
            kind,
            title: format!("{}: <!here> & co", kind.code()),
            body: "first\nsecond".to_owned(),
            link: link.map(str::to_owned),
            topic: Some("cause".to_owned()),
            possible_repeat: false,
        }
    }

    #[test]
    fn slack_reads_no_markup_in_words_from_outside() {
        let body = slack_body(&notice(NoticeKind::Alarm, Some("https://forge/me/app/issues/1?a=1&b=2")));
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
        {
          "blocks": [
            {
              "text": {
                "emoji": true,
                "text": ":rotating_light: Alarm: <!here> & co",
                "type": "plain_text"
              },
              "type": "header"
            },
            {
              "text": {
                "emoji": false,
                "text": "first\nsecond",
                "type": "plain_text"
              },
              "type": "section"
            },
            {
              "text": {
                "text": "<https://forge/me/app/issues/1?a=1&amp;b=2|Open>",
                "type": "mrkdwn"
              },
              "type": "section"
            }
          ],
          "text": "Alarm: &lt;!here&gt; &amp; co"
        }
        "#);
        assert_eq!(
            slack_body(&notice(NoticeKind::Done, Some("javascript:x")))["blocks"].as_array().unwrap().len(),
            2
        );
    }

    #[test]
    fn ntfy_has_priority_tag_click_and_one_message_a_cause() {
        let body = ntfy_body(&notice(NoticeKind::Alarm, Some("https://forge/1")), "nights");
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
        {
          "click": "https://forge/1",
          "message": "first\nsecond",
          "priority": 5,
          "sequence_id": "6a7ef1ed9f15c2f59ab7bfaf",
          "tags": [
            "rotating_light"
          ],
          "title": "Alarm: <!here> & co",
          "topic": "nights"
        }
        "#);
        let same = ntfy_body(&notice(NoticeKind::Recovered, None), "nights");
        assert_eq!(body["sequence_id"], same["sequence_id"], "recovered takes the alarm's place");
        let long = Notice { body: "ü".repeat(9000), ..notice(NoticeKind::Done, None) };
        assert!(ntfy_body(&long, "nights")["message"].as_str().unwrap().len() <= MAX_NTFY);
    }
}
