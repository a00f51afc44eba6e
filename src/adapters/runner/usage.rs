//! What agents say of themselves: cost, tokens, session, and how it went wrong. Pure, fed line by line.
//!
//! Exit 0 is not success and exit 1 is not "nothing done", so the output is read; but all of it is data from outside:
//! it can only choose among the kinds of [`TurnEnd`], fill bounded texts, and name a session that is checked.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::{AgentFile, Answer, cost, session_name};
use super::output::shorten;
pub use super::profile::Profile;
use crate::domain::model::{CutBy, TurnEnd, UnixTime, Usage};

/// US dollars per million tokens, for agents that do not tell their cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    pub input: f64,
    /// Input that the provider had cached; counted as `input` where not given.
    pub cached_input: Option<f64>,
    pub output: f64,
}

const DETAIL_BYTES: usize = 500;

/// What went wrong, by the agent's own words, before it is known how the process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    text: String,
    status: Option<u64>,
    /// The provider's own word on when to ask again.
    retry_after_seconds: Option<i64>,
    /// It is no error: the program kept a bound that it was given.
    cut: Option<CutBy>,
}

impl Trouble {
    fn new(text: String, status: Option<u64>) -> Self {
        Self { text, status, retry_after_seconds: None, cut: None }
    }
}

/// Tokens that a session has used, all its turns together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tokens {
    pub input: u64,
    /// Of these, what the provider had cached.
    pub cached: u64,
    pub output: u64,
}

/// A session as it stood when an earlier turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub session: String,
    pub tokens: Tokens,
}

/// The provider refuses for now, and until when where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limited {
    resets_at: Option<UnixTime>,
}

/// Reads one agent's output.
#[derive(Clone, Debug)]
pub struct Reader {
    profile: Profile,
    prices: Option<Prices>,
    /// What was counted in earlier turns, for agents that count a whole session.
    before: Option<Counted>,
    total: Tokens,
    usage: Usage,
    trouble: Option<Trouble>,
    limited: Option<Limited>,
    denied: Vec<String>,
    /// The line that closes a successful or failed turn was seen.
    closed: bool,
}

impl Reader {
    pub fn new(profile: Profile, prices: Option<Prices>, before: Option<Counted>) -> Self {
        Self {
            profile,
            prices,
            before,
            total: Tokens::default(),
            usage: Usage::default(),
            trouble: None,
            limited: None,
            denied: Vec::new(),
            closed: false,
        }
    }

    /// Whether lines are looked at at all.
    pub fn listens(&self) -> bool {
        self.profile != Profile::Script
    }

    /// Takes one line of standard output. What is not JSON says nothing.
    pub fn line(&mut self, line: &[u8]) {
        if !self.listens() || line.trim_ascii_start().first() != Some(&b'{') {
            return;
        }
        let Ok(value) = serde_json::from_slice::<Value>(line) else { return };
        match self.profile {
            Profile::Script => {}
            Profile::Claude => self.claude(&value),
            Profile::Codex => self.codex(&value),
            Profile::OpenCode => self.opencode(&value),
        }
    }

    /// The session as far as it is known, with all that was counted in it.
    pub fn counted(&self) -> Option<Counted> {
        Some(Counted { session: self.usage.session.clone()?, tokens: self.total })
    }

    /// The agent's own words about what went wrong, as far as it has said any.
    pub fn said(&self) -> &str {
        self.trouble.as_ref().map_or("", |trouble| &trouble.text)
    }

    fn session(&mut self, value: &Value) {
        if let Some(session) = value.as_str().and_then(session_name) {
            self.usage.session = Some(session);
        }
    }

    fn claude(&mut self, value: &Value) {
        match value["type"].as_str() {
            Some("system") => {
                self.session(&value["session_id"]);
                // Told while it retries; an answer or the result takes it back.
                if value["subtype"].as_str() == Some("api_retry") {
                    let text = value["error"].as_str().unwrap_or("the provider refuses").to_owned();
                    self.trouble = Some(Trouble::new(text, value["error_status"].as_u64()));
                }
            }
            Some("assistant") if value["error"].is_null() && !self.closed => self.trouble = None,
            Some("rate_limit_event") => {
                let info = &value["rate_limit_info"];
                if info["status"].as_str() == Some("rejected") {
                    self.limited = Some(Limited { resets_at: info["resetsAt"].as_i64().map(UnixTime) });
                }
            }
            Some("result") => self.claude_result(value),
            _ => {}
        }
    }

    /// An API error says `subtype: success` and `is_error: true`; a limit says another subtype. Both are errors.
    fn claude_result(&mut self, value: &Value) {
        self.closed = true;
        self.trouble = None;
        self.session(&value["session_id"]);
        self.usage.cost_usd = value["total_cost_usd"].as_f64().and_then(cost);
        let usage = &value["usage"];
        let input = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
        self.usage.input_tokens = sum(input.iter().map(|key| usage[*key].as_u64()));
        self.usage.output_tokens = usage["output_tokens"].as_u64();
        let subtype = value["subtype"].as_str().unwrap_or_default();
        let is_error = value["is_error"].as_bool().unwrap_or(false);
        if is_error || (!subtype.is_empty() && subtype != "success") {
            let words = value["result"].as_str().or_else(|| value["errors"][0].as_str());
            let text = match (subtype, words) {
                ("" | "success", words) => words.unwrap_or("no reason given").to_owned(),
                (subtype, Some(words)) => format!("{subtype}: {words}"),
                (subtype, None) => subtype.to_owned(),
            };
            let cut = bound(subtype);
            self.trouble = Some(Trouble { cut, ..Trouble::new(text, value["api_error_status"].as_u64()) });
        }
        for denial in value["permission_denials"].as_array().into_iter().flatten().take(5) {
            self.denied.push(denial["tool_name"].as_str().unwrap_or("a tool").to_owned());
        }
    }

    fn codex(&mut self, value: &Value) {
        match value["type"].as_str() {
            Some("thread.started") => self.session(&value["thread_id"]),
            Some("turn.completed") => {
                self.closed = true;
                self.trouble = None;
                self.codex_usage(&value["usage"]);
            }
            Some("turn.failed") => {
                self.closed = true;
                self.codex_trouble(&value["error"]["message"]);
            }
            // Stands in successful runs too, so that a completed turn takes it back.
            Some("error") => self.codex_trouble(&value["message"]),
            _ => {}
        }
    }

    fn codex_trouble(&mut self, message: &Value) {
        let text = message.as_str().unwrap_or("no reason given").to_owned();
        // "unexpected status 401 Unauthorized", "last status: 429 Too Many Requests"
        let named = |code: &&&str| {
            text.contains(&format!("status {code}")) || text.contains(&format!("status: {code}"))
        };
        let status = ["401", "403", "429"].iter().find(named).and_then(|code| code.parse().ok());
        self.trouble = Some(Trouble::new(text, status));
    }

    /// The counts are those of the whole thread so far, earlier turns included: what was counted before is taken off.
    fn codex_usage(&mut self, usage: &Value) {
        let (Some(input), Some(output)) = (usage["input_tokens"].as_u64(), usage["output_tokens"].as_u64())
        else {
            return;
        };
        let cached = usage["cached_input_tokens"].as_u64().unwrap_or(0).min(input);
        self.total = Tokens { input, cached, output };
        let before =
            self.before.as_ref().filter(|before| Some(&before.session) == self.usage.session.as_ref());
        // A count that went back is no count of the whole thread.
        let before = before.map(|before| before.tokens).filter(|t| t.input <= input && t.output <= output);
        let before = before.unwrap_or_default();
        let used = Tokens {
            input: input - before.input,
            cached: cached.saturating_sub(before.cached).min(input - before.input),
            output: output - before.output,
        };
        self.usage.input_tokens = Some(used.input);
        self.usage.output_tokens = Some(used.output);
        self.usage.cost_usd = self.price(used);
    }

    fn price(&self, used: Tokens) -> Option<f64> {
        let prices = self.prices?;
        let fresh = million(used.input - used.cached) * prices.input;
        let known = million(used.cached) * prices.cached_input.unwrap_or(prices.input);
        cost(fresh + known + million(used.output) * prices.output)
    }

    /// Each step tells its own tokens and cost; a refused permission stands in a tool's error, and the exit code is 0.
    fn opencode(&mut self, value: &Value) {
        self.session(&value["sessionID"]);
        match value["type"].as_str() {
            Some("step_finish") => {
                let part = &value["part"];
                self.opencode_usage(part);
                if part["reason"].as_str() == Some("stop") {
                    self.closed = true;
                    self.trouble = None;
                }
            }
            Some("tool_use") => {
                let state = &value["part"]["state"];
                let refused =
                    state["error"].as_str().is_some_and(|text| text.contains("rejected permission"));
                if refused && self.denied.len() < 5 {
                    self.denied.push(value["part"]["tool"].as_str().unwrap_or("a tool").to_owned());
                }
            }
            Some("error") => self.opencode_trouble(&value["error"]),
            _ => {}
        }
    }

    fn opencode_usage(&mut self, part: &Value) {
        let tokens = &part["tokens"];
        let count = |value: &Value| value.as_u64().unwrap_or(0);
        let (read, written) = (count(&tokens["cache"]["read"]), count(&tokens["cache"]["write"]));
        let total = &mut self.total;
        total.cached = total.cached.saturating_add(read);
        total.input =
            total.input.saturating_add(count(&tokens["input"])).saturating_add(read).saturating_add(written);
        total.output =
            total.output.saturating_add(count(&tokens["output"])).saturating_add(count(&tokens["reasoning"]));
        let told = self.usage.cost_usd.unwrap_or(0.0) + part["cost"].as_f64().and_then(cost).unwrap_or(0.0);
        self.usage.input_tokens = Some(self.total.input);
        self.usage.output_tokens = Some(self.total.output);
        // A model without a price in opencode's list costs 0 there, which says nothing.
        self.usage.cost_usd = if told > 0.0 { Some(told) } else { self.price(self.total) };
    }

    fn opencode_trouble(&mut self, error: &Value) {
        let name = error["name"].as_str().unwrap_or_default();
        let data = &error["data"];
        let text = data["message"].as_str().unwrap_or(if name.is_empty() { "no reason given" } else { name });
        let status = if name == "ProviderAuthError" { Some(401) } else { data["statusCode"].as_u64() };
        let wait = data["responseHeaders"]["retry-after"].as_str().and_then(|text| text.trim().parse().ok());
        self.trouble = Some(Trouble { retry_after_seconds: wait, ..Trouble::new(text.to_owned(), status) });
    }

    /// What the output says, all of it read.
    pub fn finish(self, now: UnixTime) -> Reading {
        let refused_for_now = if self.closed { None } else { self.limited };
        let end = match (self.trouble, refused_for_now) {
            (Some(trouble), _) => Some(classify(&trouble, self.limited, now)),
            (None, Some(Limited { resets_at })) => {
                Some(TurnEnd::Quota { resets_at, detail: "the provider's limit was reached".to_owned() })
            }
            (None, None) if !self.denied.is_empty() => Some(TurnEnd::PermissionDenied {
                detail: shorten(&format!("not permitted: {}", self.denied.join(", ")), DETAIL_BYTES),
            }),
            (None, None) => None,
        };
        Reading { usage: self.usage, end }
    }
}

/// Usage, and the end that the output tells of; `None`: the output knows of no trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub usage: Usage,
    pub end: Option<TurnEnd>,
}

/// The bound that ended a turn of claude's, by the word it has for it.
pub(super) fn bound(subtype: &str) -> Option<CutBy> {
    match subtype {
        "error_max_budget_usd" => Some(CutBy::Budget),
        "error_max_turns" => Some(CutBy::Steps),
        _ => None,
    }
}

fn classify(trouble: &Trouble, limited: Option<Limited>, now: UnixTime) -> TurnEnd {
    let detail = shorten(&trouble.text, DETAIL_BYTES);
    if let Some(by) = trouble.cut {
        return TurnEnd::CutOff { by, detail };
    }
    let lower = trouble.text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // A provider that asks for a moment's patience names no end of a quota.
    let asked = trouble.retry_after_seconds.filter(|seconds| (60..=40 * 86_400).contains(seconds));
    let resets_at = limited
        .and_then(|limited| limited.resets_at)
        .or_else(|| asked.map(|seconds| now.plus(seconds)))
        .or_else(|| reset_time(&trouble.text, now));
    let hit = lower
        .split("hit your ")
        .nth(1)
        .is_some_and(|rest| rest.split_whitespace().take(3).any(|w| w == "limit"));
    let limit_named =
        hit || says(&["usage limit"]) || (says(&["rate limit", "limit reached"]) && resets_at.is_some());
    if trouble.status == Some(429) || limited.is_some() || limit_named {
        return TurnEnd::Quota { resets_at, detail };
    }
    let login = ["please run /login", "invalid api key", "oauth token has expired", "401 unauthorized"];
    if matches!(trouble.status, Some(401 | 403)) || says(&login) {
        return TurnEnd::LoginRefused { detail };
    }
    TurnEnd::Error { detail }
}

fn million(tokens: u64) -> f64 {
    f64::from(u32::try_from(tokens).unwrap_or(u32::MAX)) / 1_000_000.0
}

fn sum(counts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    counts.flatten().fold(None, |sum, count| Some(sum.unwrap_or(0) + count))
}

/// The moment a limit is lifted, in the ways agents write it: `|1768000000`, an RFC 3339 time, `try again in 2 hours
/// 5 minutes`, `resets 3pm (UTC)`. More than 40 days ahead is not believed.
fn reset_time(text: &str, now: UnixTime) -> Option<UnixTime> {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "|,;()\"".contains(c)).collect();
    let absolute = words.iter().find_map(|word| {
        let word = word.trim_end_matches('.');
        let epoch = word.parse().ok().filter(|at: &i64| (1_500_000_000..10_000_000_000).contains(at));
        epoch.or_else(|| OffsetDateTime::parse(word, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp))
    });
    let at = absolute.or_else(|| relative(&words, now)).or_else(|| clock_time(&words, now))?;
    (now.0..=now.0 + 40 * 86_400).contains(&at).then_some(UnixTime(at))
}

fn relative(words: &[&str], now: UnixTime) -> Option<i64> {
    let mut found = None;
    for pair in words.windows(2) {
        let unit = match pair[1].trim_end_matches('.').trim_end_matches('s') {
            "day" => 86_400,
            "hour" => 3600,
            "minute" | "min" => 60,
            "second" | "sec" => 1,
            _ => continue,
        };
        if let Ok(count) = pair[0].parse::<u32>() {
            found = Some(found.unwrap_or(0) + i64::from(count) * unit);
        }
    }
    // "5-hour limit" and the like are no such pair; and only after "in" is it a time to come.
    words.iter().any(|word| word.eq_ignore_ascii_case("in")).then_some(())?;
    Some(now.0 + found?)
}

/// `3pm` or `3:30pm`, the next one, and only where the text says that it is UTC.
fn clock_time(words: &[&str], now: UnixTime) -> Option<i64> {
    words.contains(&"UTC").then_some(())?;
    words.iter().find_map(|word| {
        let lower = word.to_lowercase();
        let (time, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
            (Some(time), _) => (time, 0),
            (None, Some(time)) => (time, 12),
            (None, None) => return None,
        };
        let (hour, minute) = time.split_once(':').unwrap_or((time, "0"));
        let hour: i64 = hour.parse().ok().filter(|hour| (1..=12).contains(hour))?;
        let minute: i64 = minute.parse().ok().filter(|minute| (0..60).contains(minute))?;
        let at = now.0 - now.0.rem_euclid(86_400) + (hour % 12 + half) * 3600 + minute * 60;
        Some(if at < now.0 { at + 86_400 } else { at })
    })
}

/// How the agent's process ended, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    Exit(i32),
    Signal(i32),
    TimedOut,
    Stalled,
    Stopped,
    NotStarted(String),
}

/// The number of the signal follows.
pub(super) const BY_SIGNAL: &str = "the agent was ended by signal ";

/// Puts together what the process, its output and its result file say.
///
/// In this order: a stop from outside; a block on purpose, or a result file that may be one; a quota or a login, which also
/// lead into time-outs when the agent retries; a limit of ours; then exit codes and errors. That the file says `done`
/// outweighs none of them.
pub fn conclude(process: &ProcessEnd, told: Option<TurnEnd>, answer: &Answer) -> TurnEnd {
    // A shell, and most sandboxes, say so of what a signal ended inside them.
    let by_signal = match process {
        ProcessEnd::Signal(signal) => Some(*signal),
        ProcessEnd::Exit(code @ 129..=159) => Some(code - 128),
        ProcessEnd::Exit(_)
        | ProcessEnd::TimedOut
        | ProcessEnd::Stalled
        | ProcessEnd::Stopped
        | ProcessEnd::NotStarted(_) => None,
    };
    let lasting = matches!(told, Some(TurnEnd::Quota { .. } | TurnEnd::LoginRefused { .. }));
    match (process, told) {
        (ProcessEnd::Stopped, _) => TurnEnd::Stopped,
        (ProcessEnd::NotStarted(detail), _) => TurnEnd::FailedToStart { detail: detail.clone() },
        (_, told) => {
            match answer {
                Answer::Read(AgentFile { blocked: Some(reason), .. }) => {
                    return TurnEnd::Blocked { reason: reason.clone() };
                }
                Answer::Unreadable(why) => return TurnEnd::ResultUnreadable { why: why.clone() },
                Answer::Read(AgentFile { blocked: None, .. }) | Answer::Nothing => {}
            }
            if let (Some(signal), None | Some(TurnEnd::Error { .. })) = (by_signal, &told) {
                // Whatever it was about to say: it did not come to an end of its own.
                return TurnEnd::CutOff { by: CutBy::Outside, detail: format!("{BY_SIGNAL}{signal}") };
            }
            match (process, told) {
                (_, Some(told)) if lasting => told,
                (ProcessEnd::TimedOut, _) => TurnEnd::TimedOut,
                (ProcessEnd::Stalled, _) => TurnEnd::Stalled,
                (_, Some(told)) => told,
                (ProcessEnd::Exit(0), None) => TurnEnd::Finished,
                (ProcessEnd::Exit(code), None) => {
                    TurnEnd::Error { detail: format!("the agent exited with code {code}") }
                }
                (ProcessEnd::Stopped | ProcessEnd::NotStarted(_) | ProcessEnd::Signal(_), None) => {
                    TurnEnd::Stopped
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_763_700_000); // 2025-11-21 04:40 UTC

    fn read(profile: Profile, lines: &[&str]) -> Reading {
        let prices = Prices { input: 2.0, cached_input: Some(0.5), output: 10.0 };
        let mut reader = Reader::new(profile, Some(prices), None);
        for line in lines {
            reader.line(line.as_bytes());
        }
        reader.finish(NOW)
    }

    fn claude(result: &str) -> Reading {
        read(
            Profile::Claude,
            &[
                r#"{"type":"system","subtype":"init","session_id":"aa-1"}"#,
                "not json at all",
                r#"{"type":"assistant","message":{"content":[{"type":"text","text":"usage limit 429"}]}}"#,
                result,
            ],
        )
    }

    #[test]
    fn claude_success_with_usage() {
        let got = claude(
            r#"{"type":"result","subtype":"success","is_error":false,"num_turns":3,"result":"ok","session_id":"bb-2","total_cost_usd":0.25,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":100,"output_tokens":7},"permission_denials":[]}"#,
        );
        let usage = Usage {
            cost_usd: Some(0.25),
            input_tokens: Some(115),
            output_tokens: Some(7),
            session: Some("bb-2".into()),
        };
        assert_eq!(got, Reading { usage, end: None });
    }

    #[test]
    fn claude_troubles() {
        let error = |detail: &str| TurnEnd::Error { detail: detail.into() };
        let cut = |by, detail: &str| TurnEnd::CutOff { by, detail: detail.into() };
        let quota = |at: Option<i64>, detail: &str| TurnEnd::Quota {
            resets_at: at.map(UnixTime),
            detail: detail.into(),
        };
        let table = [
            (r#""subtype":"success","is_error":true,"result":"API Error: 500"}"#, error("API Error: 500")),
            (r#""subtype":"error_max_turns","is_error":true}"#, cut(CutBy::Steps, "error_max_turns")),
            (
                r#""subtype":"error_max_budget_usd","is_error":false}"#,
                cut(CutBy::Budget, "error_max_budget_usd"),
            ),
            (
                r#""subtype":"success","is_error":true,"api_error_status":401,"result":"no"}"#,
                TurnEnd::LoginRefused { detail: "no".into() },
            ),
            (
                r#""subtype":"success","is_error":true,"result":"Invalid API key \u00b7 Please run /login"}"#,
                TurnEnd::LoginRefused { detail: "Invalid API key \u{b7} Please run /login".into() },
            ),
            (r#""subtype":"success","is_error":true,"api_error_status":429,"result":"x"}"#, quota(None, "x")),
            (
                r#""subtype":"success","is_error":true,"result":"Claude AI usage limit reached|1763710000"}"#,
                quota(Some(1_763_710_000), "Claude AI usage limit reached|1763710000"),
            ),
            (
                r#""subtype":"success","is_error":true,"result":"5-hour limit reached, resets 6am (UTC)"}"#,
                quota(Some(1_763_704_800), "5-hour limit reached, resets 6am (UTC)"),
            ),
            (
                r#""subtype":"success","is_error":false,"permission_denials":[{"tool_name":"Bash"}]}"#,
                TurnEnd::PermissionDenied { detail: "not permitted: Bash".into() },
            ),
        ];
        for (rest, end) in table {
            assert_eq!(claude(&format!(r#"{{"type":"result",{rest}"#)).end, Some(end), "{rest}");
        }
    }

    #[test]
    fn a_claude_that_waits_for_its_limit_is_known_without_a_result() {
        let rejected =
            r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1763710000}}"#;
        let got = read(Profile::Claude, &[rejected]);
        let at = Some(UnixTime(1_763_710_000));
        assert!(matches!(&got.end, Some(TurnEnd::Quota { resets_at, .. }) if *resets_at == at));
        assert!(matches!(conclude(&ProcessEnd::TimedOut, got.end, &Answer::Nothing), TurnEnd::Quota { .. }));
        let good = r#"{"type":"result","subtype":"success","is_error":false}"#;
        assert_eq!(read(Profile::Claude, &[rejected, good]).end, None);
    }

    #[test]
    fn a_claude_that_is_ended_while_it_retries_is_known_by_what_it_was_refused_for() {
        let retry = |status: u32| {
            format!(
                r#"{{"type":"system","subtype":"api_retry","attempt":1,"error_status":{status},"error":"e","session_id":"s"}}"#
            )
        };
        let answer = r#"{"type":"assistant","message":{"content":[]},"session_id":"s"}"#;
        let ended = |lines: &[&str]| {
            conclude(&ProcessEnd::Stalled, read(Profile::Claude, lines).end, &Answer::Nothing)
        };
        assert!(matches!(ended(&[&retry(401)]), TurnEnd::LoginRefused { .. }));
        assert!(matches!(ended(&[&retry(429)]), TurnEnd::Quota { .. }));
        assert_eq!(ended(&[&retry(529)]), TurnEnd::Stalled);
        assert_eq!(ended(&[&retry(429), answer]), TurnEnd::Stalled);
    }

    #[test]
    fn opencode_adds_up_its_steps_and_tells_its_troubles() {
        let step = r#"{"type":"step_finish","sessionID":"ses_1","part":{"reason":"REASON","tokens":{"input":100,"output":20,"reasoning":5,"cache":{"write":10,"read":40}},"cost":COST}}"#;
        let of = |reason: &str, cost: &str| step.replace("REASON", reason).replace("COST", cost);
        let got = read(Profile::OpenCode, &[&of("tool-calls", "0.25"), &of("stop", "0.5")]);
        let usage = Usage {
            cost_usd: Some(0.75),
            input_tokens: Some(300),
            output_tokens: Some(50),
            session: Some("ses_1".into()),
        };
        assert_eq!(got, Reading { usage, end: None });
        // A model that opencode has no price for costs 0 there: the prices of the config count.
        let million = of("stop", "0").replace("100,", "999950,");
        let cost = read(Profile::OpenCode, &[&million]).usage.cost_usd.unwrap();
        assert!((cost - (0.99996 * 2.0 + 0.00004 * 0.5 + 0.000_025 * 10.0)).abs() < 1e-9, "{cost}");

        let error = |data: &str| {
            let line = format!(
                r#"{{"type":"error","sessionID":"ses_1","error":{{"name":"APIError","data":{{{data}}}}}}}"#
            );
            read(Profile::OpenCode, &[&line]).end.unwrap()
        };
        let refused = error(r#""message":"no","statusCode":401"#);
        assert_eq!(refused, TurnEnd::LoginRefused { detail: "no".into() });
        let limited = error(r#""message":"slow","statusCode":429,"responseHeaders":{"retry-after":"7200"}"#);
        assert_eq!(limited, TurnEnd::Quota { resets_at: Some(NOW.plus(7200)), detail: "slow".into() });
        assert_eq!(error(r#""message":"boom","statusCode":500"#), TurnEnd::Error { detail: "boom".into() });
        let rejected = r#"{"type":"tool_use","part":{"tool":"bash","state":{"status":"error","error":"The user rejected permission to use this specific tool call."}}}"#;
        let end = read(Profile::OpenCode, &[rejected]).end;
        assert_eq!(end, Some(TurnEnd::PermissionDenied { detail: "not permitted: bash".into() }));
    }

    #[test]
    fn codex_counts_a_whole_session_and_each_turn_is_paid_once() {
        let lines = [
            r#"{"type":"thread.started","thread_id":"t1"}"#,
            r#"{"type":"turn.completed","usage":{"input_tokens":3000000,"cached_input_tokens":1000000,"output_tokens":200000}}"#,
        ];
        let cost = |before: Option<Counted>| {
            let prices = Prices { input: 2.0, cached_input: Some(0.5), output: 10.0 };
            let mut reader = Reader::new(Profile::Codex, Some(prices), before);
            for line in lines {
                reader.line(line.as_bytes());
            }
            (reader.counted().unwrap().tokens.input, reader.finish(NOW).usage.cost_usd.unwrap())
        };
        let before = |session: &str, input| {
            Some(Counted {
                session: session.into(),
                tokens: Tokens { input, cached: 500_000, output: 100_000 },
            })
        };
        let close = |(total, usd): (u64, f64), want: f64| {
            assert_eq!(total, 3_000_000);
            assert!((usd - want).abs() < 1e-9, "{usd} {want}");
        };
        close(cost(None), 2.0 * 2.0 + 0.5 + 2.0);
        close(cost(before("t1", 1_000_000)), 1.5 * 2.0 + 0.5 * 0.5 + 1.0);
        // Another session's counts, and counts that went back, say nothing.
        close(cost(before("t2", 1_000_000)), 2.0 * 2.0 + 0.5 + 2.0);
        close(cost(before("t1", 9_000_000)), 2.0 * 2.0 + 0.5 + 2.0);
    }

    #[test]
    fn codex_is_priced_and_its_errors_are_taken_back_by_a_completed_turn() {
        let got = read(
            Profile::Codex,
            &[
                r#"{"type":"thread.started","thread_id":"0199-ab"}"#,
                r#"{"type":"turn.started"}"#,
                r#"{"type":"item.completed","item":{"id":"i0","type":"error","message":"a warning"}}"#,
                r#"{"type":"error","message":"stream disconnected, retrying"}"#,
                r#"{"type":"turn.completed","usage":{"input_tokens":1000000,"cached_input_tokens":400000,"output_tokens":100000}}"#,
            ],
        );
        assert_eq!(got.end, None);
        assert_eq!(got.usage.session.as_deref(), Some("0199-ab"));
        assert!((got.usage.cost_usd.unwrap() - 2.4).abs() < 1e-9);
    }

    #[test]
    fn codex_troubles() {
        let failed = |text: &str| {
            let line = format!(r#"{{"type":"turn.failed","error":{{"message":"{text}"}}}}"#);
            read(Profile::Codex, &[&line]).end.unwrap()
        };
        assert!(matches!(failed("boom"), TurnEnd::Error { detail } if detail == "boom"));
        assert!(matches!(failed("unexpected status 401 Unauthorized"), TurnEnd::LoginRefused { .. }));
        let retried = "exceeded retry limit, last status: 429 Too Many Requests";
        assert!(matches!(failed(retried), TurnEnd::Quota { resets_at: None, .. }));
        let text = "You've hit your usage limit. Try again in 1 day 2 hours 5 minutes.";
        let at = NOW.plus(86_400 + 7200 + 300);
        assert!(matches!(failed(text), TurnEnd::Quota { resets_at: Some(seen), .. } if seen == at));
    }

    #[test]
    fn a_session_that_looks_like_an_option_is_not_believed() {
        for bad in ["--dangerous", "", "a b", "../x", "a\u{0}"] {
            assert_eq!(session_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_wins() {
        let blocked = Answer::Read(AgentFile { blocked: Some("r".into()), ..AgentFile::default() });
        let odd = Answer::Unreadable("is empty".into());
        let unreadable = || TurnEnd::ResultUnreadable { why: "is empty".into() };
        let (done, none) = (Answer::Read(AgentFile::default()), Answer::Nothing);
        let budget = || Some(TurnEnd::CutOff { by: CutBy::Budget, detail: "e".into() });
        let killed =
            || TurnEnd::CutOff { by: CutBy::Outside, detail: "the agent was ended by signal 9".into() };
        let quota = || Some(TurnEnd::Quota { resets_at: None, detail: "e".into() });
        let error = || Some(TurnEnd::Error { detail: "e".into() });
        let table = [
            (ProcessEnd::Stopped, error(), &blocked, TurnEnd::Stopped),
            (ProcessEnd::Stopped, None, &odd, TurnEnd::Stopped),
            (ProcessEnd::TimedOut, None, &blocked, TurnEnd::Blocked { reason: "r".into() }),
            (ProcessEnd::Exit(0), None, &odd, unreadable()),
            (ProcessEnd::Exit(3), error(), &odd, unreadable()),
            (ProcessEnd::TimedOut, None, &odd, unreadable()),
            (ProcessEnd::Exit(0), quota(), &odd, unreadable()),
            (ProcessEnd::TimedOut, error(), &none, TurnEnd::TimedOut),
            (ProcessEnd::TimedOut, None, &done, TurnEnd::TimedOut),
            (ProcessEnd::Stalled, None, &none, TurnEnd::Stalled),
            (ProcessEnd::Signal(9), None, &none, killed()),
            (ProcessEnd::Signal(9), None, &done, killed()),
            (ProcessEnd::Signal(9), error(), &none, killed()),
            (ProcessEnd::Exit(137), None, &done, killed()),
            (ProcessEnd::Exit(137), error(), &none, killed()),
            (ProcessEnd::Exit(137), budget(), &none, budget().unwrap()),
            (ProcessEnd::Exit(137), quota(), &none, quota().unwrap()),
            (ProcessEnd::Signal(9), None, &blocked, TurnEnd::Blocked { reason: "r".into() }),
            (ProcessEnd::Exit(1), budget(), &done, budget().unwrap()),
            (ProcessEnd::Exit(0), budget(), &none, budget().unwrap()),
            (ProcessEnd::TimedOut, budget(), &none, TurnEnd::TimedOut),
            (ProcessEnd::Exit(0), error(), &none, TurnEnd::Error { detail: "e".into() }),
            (ProcessEnd::Exit(0), None, &none, TurnEnd::Finished),
            (ProcessEnd::Exit(0), None, &done, TurnEnd::Finished),
            (
                ProcessEnd::Exit(3),
                None,
                &none,
                TurnEnd::Error { detail: "the agent exited with code 3".into() },
            ),
        ];
        for (process, told, file, end) in table {
            assert_eq!(conclude(&process, told, file), end, "{process:?}");
        }
    }
}
