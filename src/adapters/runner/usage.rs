//! What an agent's output tells of cost, session, quota and errors. Fed line by line; its words choose nothing else.
//!
//! Seen of the CLIs (November 2026): claude ends an API error with `subtype:"success"` and `is_error:true`; a turn in the
//! default permission mode exits 0 with nothing done and `permission_denials` filled; codex tells tokens but no cost.

use serde_json::Value;

use super::files::Profile;
use crate::domain::model::{TurnEnd, UnixTime, Usage};

/// Lines longer than this are not looked into.
pub const LONGEST_LINE: usize = 1 << 20;

#[derive(Debug)]
pub struct Reader {
    profile: Profile,
    price: (Option<f64>, Option<f64>),
    pub usage: Usage,
    /// How the output says the turn ended, where it says more than the exit code.
    pub end: Option<TurnEnd>,
}

impl Reader {
    /// `price`: dollars per million input and output tokens, where the agent tells no cost.
    pub fn new(profile: Profile, price: (Option<f64>, Option<f64>)) -> Self {
        Self { profile, price, usage: Usage::default(), end: None }
    }

    pub fn line(&mut self, line: &str) {
        let line = line.trim();
        if self.profile == Profile::Script || !line.starts_with('{') || line.len() > LONGEST_LINE {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(line) else { return };
        match self.profile {
            Profile::Claude => self.claude(&value),
            Profile::Codex => self.codex(&value),
            Profile::Script => {}
        }
    }

    fn claude(&mut self, value: &Value) {
        if let Some(session) = value.get("session_id").and_then(Value::as_str) {
            self.usage.session = Some(session.to_owned());
        }
        if value.get("type").and_then(Value::as_str) != Some("result") {
            return;
        }
        if let Some(cost) = value.get("total_cost_usd").and_then(Value::as_f64) {
            self.usage.cost_usd = Some(cost);
        }
        let tokens = |name: &str| value.pointer(&format!("/usage/{name}")).and_then(Value::as_u64);
        self.usage.input_tokens = tokens("input_tokens");
        self.usage.output_tokens = tokens("output_tokens");
        let words = value.get("result").and_then(Value::as_str).unwrap_or_default();
        let subtype = value.get("subtype").and_then(Value::as_str).unwrap_or_default();
        let failed =
            value.get("is_error").and_then(Value::as_bool).unwrap_or(false) || subtype.starts_with("error");
        let denied = value.get("permission_denials").and_then(Value::as_array).is_some_and(|d| !d.is_empty());
        self.end = if failed {
            let status = value.get("api_error_status").and_then(Value::as_u64);
            Some(classify(status, if words.is_empty() { subtype } else { words }))
        } else if denied {
            Some(TurnEnd::PermissionDenied {
                detail: "the agent was refused the tools it wanted; allow them in the runner's argv"
                    .to_owned(),
            })
        } else {
            None
        };
    }

    fn codex(&mut self, value: &Value) {
        match value.get("type").and_then(Value::as_str).unwrap_or_default() {
            "thread.started" => {
                self.usage.session = value.get("thread_id").and_then(Value::as_str).map(str::to_owned);
            }
            "turn.completed" => {
                let tokens = |name: &str| value.pointer(&format!("/usage/{name}")).and_then(Value::as_u64);
                let add = |sum: Option<u64>, more: Option<u64>| match (sum, more) {
                    (None, None) => None,
                    (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
                };
                self.usage.input_tokens = add(self.usage.input_tokens, tokens("input_tokens"));
                self.usage.output_tokens = add(self.usage.output_tokens, tokens("output_tokens"));
                self.usage.cost_usd = self.priced();
                // An earlier error was got over.
                self.end = None;
            }
            "turn.failed" | "error" => {
                let words = value
                    .pointer("/error/message")
                    .or_else(|| value.get("message"))
                    .and_then(Value::as_str)
                    .unwrap_or("the agent reported an error");
                self.end = Some(classify(None, words));
            }
            _ => {}
        }
    }

    fn priced(&self) -> Option<f64> {
        let (input, output) = (self.price.0?, self.price.1?);
        #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
        let cost =
            (self.usage.input_tokens? as f64 * input + self.usage.output_tokens? as f64 * output) / 1e6;
        Some(cost)
    }
}

/// What an error's status and words say about the account.
fn classify(status: Option<u64>, words: &str) -> TurnEnd {
    let lower = words.to_lowercase();
    let detail: String = words.chars().take(400).collect();
    let quota = [
        "usage limit",
        "rate limit",
        "rate_limit",
        "quota",
        "429",
        "credit balance is too low",
        "overloaded",
    ];
    let login = [
        "invalid api key",
        "401",
        "403",
        "not logged in",
        "please run /login",
        "authentication",
        "unauthorized",
    ];
    match status {
        Some(429 | 529) => return TurnEnd::Quota { resets_at: reset_time(&lower), detail },
        Some(401 | 403) => return TurnEnd::LoginRefused { detail },
        Some(_) | None => {}
    }
    if quota.iter().any(|w| lower.contains(w)) {
        TurnEnd::Quota { resets_at: reset_time(&lower), detail }
    } else if login.iter().any(|w| lower.contains(w)) {
        TurnEnd::LoginRefused { detail }
    } else {
        TurnEnd::Error { detail }
    }
}

/// A reset told as seconds since 1970 (`...|1763700000`), as claude's limit message does.
fn reset_time(words: &str) -> Option<UnixTime> {
    words
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| digits.len() == 10)
        .find_map(|digits| digits.parse().ok())
        .map(UnixTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(profile: Profile, lines: &[&str]) -> Reader {
        let mut reader = Reader::new(profile, (Some(1.0), Some(10.0)));
        for line in lines {
            reader.line(line);
        }
        reader
    }

    #[test]
    fn claude_success_tells_cost_and_session() {
        let r = read(
            Profile::Claude,
            &[
                r#"{"type":"system","subtype":"init","session_id":"s-1"}"#,
                r#"{"type":"result","subtype":"success","is_error":false,"total_cost_usd":0.25,"session_id":"s-1","usage":{"input_tokens":10,"output_tokens":4},"permission_denials":[]}"#,
            ],
        );
        assert_eq!(r.end, None);
        assert_eq!(r.usage.cost_usd, Some(0.25));
        assert_eq!(r.usage.session.as_deref(), Some("s-1"));
        assert_eq!(r.usage.output_tokens, Some(4));
    }

    #[test]
    fn an_error_under_a_success_subtype_is_an_error() {
        let error = |extra: &str| {
            read(
                Profile::Claude,
                &[&format!(r#"{{"type":"result","subtype":"success","is_error":true{extra}}}"#)],
            )
            .end
        };
        assert!(matches!(error(r#","result":"API Error: 500""#), Some(TurnEnd::Error { .. })));
        assert!(matches!(
            error(r#","api_error_status":401,"result":"x""#),
            Some(TurnEnd::LoginRefused { .. })
        ));
        assert!(matches!(error(r#","result":"Invalid API key""#), Some(TurnEnd::LoginRefused { .. })));
        assert_eq!(
            error(r#","result":"Claude AI usage limit reached|1763700000""#),
            Some(TurnEnd::Quota {
                resets_at: Some(UnixTime(1_763_700_000)),
                detail: "Claude AI usage limit reached|1763700000".to_owned()
            })
        );
    }

    #[test]
    fn denied_tools_and_limits_are_seen() {
        let denied = r#"{"type":"result","subtype":"success","is_error":false,"permission_denials":[{"tool_name":"Bash"}]}"#;
        assert!(matches!(read(Profile::Claude, &[denied]).end, Some(TurnEnd::PermissionDenied { .. })));
        let limit = r#"{"type":"result","subtype":"error_max_turns","is_error":false}"#;
        assert!(matches!(read(Profile::Claude, &[limit]).end, Some(TurnEnd::Error { .. })));
    }

    #[test]
    fn codex_is_priced_by_the_config() {
        let r = read(
            Profile::Codex,
            &[
                r#"{"type":"thread.started","thread_id":"t-9"}"#,
                r#"{"type":"error","message":"stream disconnected"}"#,
                r#"{"type":"turn.completed","usage":{"input_tokens":1000000,"output_tokens":100000}}"#,
            ],
        );
        assert_eq!(r.usage.cost_usd, Some(2.0));
        assert_eq!(r.usage.session.as_deref(), Some("t-9"));
        assert_eq!(r.end, None);
    }

    #[test]
    fn odd_lines_are_passed_over() {
        let long = format!("{{\"type\":\"result\",\"x\":\"{}\"}}", "a".repeat(LONGEST_LINE));
        let r = read(Profile::Claude, &["", "not json", "{", "[]", "{\"type\":3}", &long]);
        assert_eq!(r.end, None);
        assert_eq!(r.usage, Usage::default());
    }
}
