//! What an agent says in its result file. A file that is there has to be understood: what was to be `blocked`, and is
//! spelled otherwise, must not count as done.
//!
//! The file holds one JSON object in UTF-8; a byte order mark before it and a code fence around it are read over. Its
//! `outcome` is `done` or `blocked`, in any case, and its `reason` a text. Without an outcome it may hold `summary`,
//! `cost_usd` and `session` and nothing else: then it only tells more about a turn that is done. Those three are good to
//! know and decide nothing, so that one of them which makes no sense is as if it were not there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::output::shorten;
use crate::domain::model::Asked;

/// More than this no turn costs: a number that makes no sense would stand against every budget.
const MAX_COST_USD: f64 = 1_000_000.0;

const SUMMARY_BYTES: usize = 4000;
/// Of what was not understood.
const QUOTE_BYTES: usize = 120;
const WHY_BYTES: usize = 500;

/// What a file may hold that says no outcome.
const TELLS_MORE: [&str; 3] = ["summary", "cost_usd", "session"];
/// What an agent may say that was asked about a red upgrade. Whoever asked reads the rest himself.
const OF_UPGRADES: [&str; 5] = ["repaired", "stale_test", "upgrade_broken", "infra", "give_up"];

/// What is in the place of the result file.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Nothing,
    Read(AgentFile),
    /// What is wrong with it, in words that go on from "the result file".
    Unreadable(String),
}

/// A result file that was understood.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AgentFile {
    /// `Some` where the agent stopped on purpose; the text is its reason.
    pub blocked: Option<String>,
    pub summary: Option<String>,
    /// `None` also where it makes no sense: then it is not known.
    pub cost_usd: Option<f64>,
    pub session: Option<String>,
}

impl Answer {
    pub fn file(&self) -> Option<&AgentFile> {
        match self {
            Self::Read(file) => Some(file),
            Self::Nothing | Self::Unreadable(_) => None,
        }
    }
}

/// What decides. A key that stands twice is an error.
#[derive(Deserialize)]
struct Decisive {
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    summary: String,
}

#[derive(Deserialize)]
struct Cost {
    cost_usd: f64,
}

#[derive(Deserialize)]
struct Session {
    session: String,
}

/// Understands what was read from the place of the result file; an error there is what was wrong with it.
pub fn answer(read: Result<Option<Vec<u8>>, String>, asked: Asked) -> Answer {
    let parsed = match read {
        Ok(None) => return Answer::Nothing,
        Ok(Some(bytes)) => parse(&bytes, asked),
        Err(what) => Err(what),
    };
    match parsed {
        Ok(file) => Answer::Read(file),
        Err(what) => Answer::Unreadable(shorten(&what, WHY_BYTES)),
    }
}

fn parse(bytes: &[u8], asked: Asked) -> Result<AgentFile, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!("is not UTF-8 text ({error}); it begins {}", quoted(&String::from_utf8_lossy(bytes)))
    })?;
    let text = unwrapped(text);
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let broken = |error: serde_json::Error| {
        format!("is no JSON that fits ({}); it begins {}", shorten(&error.to_string(), 200), quoted(text))
    };
    let keys: BTreeMap<String, Option<IgnoredAny>> = serde_json::from_str(text).map_err(broken)?;
    let said: Decisive = serde_json::from_str(text).map_err(broken)?;
    let known = "a turn's outcome is \"done\" or \"blocked\"";
    let Some(outcome) = said.outcome else {
        let odd = keys.keys().filter(|key| !TELLS_MORE.contains(&key.as_str()));
        let odd: Vec<String> = odd.take(5).map(|key| quoted(key)).collect();
        return match (odd.is_empty(), keys.is_empty()) {
            (false, _) => Err(format!("says no outcome, and has {}; {known}", odd.join(", "))),
            (true, true) => Err(format!("says no outcome; {known}")),
            (true, false) => Ok(more(text, None)),
        };
    };
    let word = outcome.trim().to_ascii_lowercase();
    match word.as_str() {
        "done" => Ok(more(text, None)),
        "blocked" => {
            let reason = shorten(said.reason.as_deref().unwrap_or_default(), SUMMARY_BYTES);
            Ok(more(text, Some(if reason.is_empty() { "no reason given".to_owned() } else { reason })))
        }
        word if asked == Asked::Upgrade && OF_UPGRADES.contains(&word) => Ok(more(text, None)),
        _ => Err(format!("says the outcome {}; {known}", quoted(&outcome))),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", shorten(text, QUOTE_BYTES))
}

fn more(text: &str, blocked: Option<String>) -> AgentFile {
    let summary = serde_json::from_str(text).ok().map(|Summary { summary }| shorten(&summary, SUMMARY_BYTES));
    AgentFile {
        blocked,
        summary: summary.filter(|text| !text.is_empty()),
        cost_usd: serde_json::from_str(text).ok().and_then(|Cost { cost_usd }| cost(cost_usd)),
        session: serde_json::from_str(text).ok().and_then(|Session { session }| session_name(&session)),
    }
}

/// Without a byte order mark, and without a code fence around all of it.
pub(super) fn unwrapped(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    let inside = || {
        let (info, body) = text.strip_prefix("```")?.split_once('\n')?;
        let plain = info.trim().bytes().all(|byte| byte.is_ascii_alphanumeric());
        body.strip_suffix("```").filter(|_| plain)
    };
    inside().unwrap_or(text).trim()
}

pub(super) fn cost(usd: f64) -> Option<f64> {
    (0.0..=MAX_COST_USD).contains(&usd).then_some(usd)
}

/// A session's name goes back into an argv, so it may not look like an option or a path.
pub(super) fn session_name(text: &str) -> Option<String> {
    let good = (1..=200).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    good.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Answer {
        answer(Ok(Some(bytes.to_vec())), Asked::Work)
    }

    fn done() -> Answer {
        Answer::Read(AgentFile::default())
    }

    #[test]
    fn a_file_that_is_understood() {
        let all = br#"{"outcome":"blocked","reason":"no \u001b[31mkey","summary":"s","cost_usd":1.5,"session":"s1"}"#;
        let want = AgentFile {
            blocked: Some("no key".into()),
            summary: Some("s".into()),
            cost_usd: Some(1.5),
            session: Some("s1".into()),
        };
        assert_eq!(read(all), Answer::Read(want));
        assert_eq!(answer(Ok(None), Asked::Work), Answer::Nothing);
        let nothing =
            Answer::Read(AgentFile { blocked: Some("no reason given".into()), ..AgentFile::default() });
        for text in [
            r#"{"outcome":"blocked"}"#,
            r#"{"outcome":"Blocked","reason":null}"#,
            r#"{"outcome":" BLOCKED\n","reason":" "}"#,
            "\u{feff}{\"outcome\":\"blocked\"}",
            "```json\n{\"outcome\":\"blocked\"}\n```\n",
            "\u{feff}\n```\r\n{\"outcome\":\"blocked\"}```",
        ] {
            assert_eq!(read(text.as_bytes()), nothing, "{text}");
        }
    }

    /// What is only good to know decides nothing.
    #[test]
    fn an_odd_cost_is_unknown() {
        for text in [
            r#"{"outcome":"done","cost_usd":-1}"#,
            r#"{"outcome":"done","cost_usd":1e999}"#,
            r#"{"outcome":"done","cost_usd":1e300}"#,
            r#"{"outcome":"done","cost_usd":"1.5"}"#,
            r#"{"outcome":"Done","cost_usd":null,"cost_usd":3}"#,
            r#"{"cost_usd":[]}"#,
            r#"{"summary":["a"],"session":"--rm"}"#,
            r#"{"outcome":"done","status":"blocked","more":1e999}"#,
        ] {
            assert_eq!(read(text.as_bytes()), done(), "{text}");
        }
        assert_eq!(read(br#"{"cost_usd":2,"summary":3}"#).file().and_then(|f| f.cost_usd), Some(2.0));
        let deep = format!(r#"{{"outcome":"done","x":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(deep.as_bytes()), done());
    }

    #[test]
    fn a_file_that_is_not_understood_says_what_is_wrong() {
        let table: [(&[u8], &str); 29] = [
            (b"", "is empty"),
            (b"\xef\xbb\xbf \n", "is empty"),
            (b"```json\n```", "is empty"),
            (b"{", "EOF"),
            (br#"{"outcome":"blocked","rea"#, "\"blocked\",\"rea"),
            (b"not json", "not json"),
            (b"[]", "begins \"[]\""),
            (b"null", "begins \"null\""),
            (b"\"blocked\"", "blocked"),
            (b"{}", "says no outcome;"),
            (br#"{"outcome":null}"#, "has \"outcome\""),
            (br#"{"outcome":3}"#, "invalid type: integer `3`"),
            (br#"{"outcome":["blocked"]}"#, "sequence"),
            (br#"{"outcome":"failed"}"#, "\"failed\""),
            (br#"{"outcome":""}"#, "outcome \"\""),
            (br#"{"outcome":"give_up"}"#, "\"give_up\""),
            (br#"{"outcome":"blocked","reason":["a"]}"#, "sequence"),
            (br#"{"outcome":"done","reason":{}}"#, "map"),
            (br#"{"reason":"no key"}"#, "has \"reason\""),
            (br#"{"status":"blocked"}"#, "has \"status\""),
            (br#"{"Outcome":"blocked"}"#, "has \"Outcome\""),
            (br#"{"summary":"s","result":"blocked"}"#, "has \"result\""),
            (br#"{"outcome":"done","outcome":"blocked"}"#, "duplicate field"),
            (br#"{"outcome":"done"} {"outcome":"blocked"}"#, "trailing"),
            (br#"{"outcome":"done"}."#, "trailing"),
            (br#"{"outcome":"done","cost_usd":NaN}"#, "expected value"),
            (b"{\"outcome\":\"done\"}\0\0", "trailing"),
            (b"{\"outcome\":\"blocked\",\"reason\":\"caf\xe9\"}", "is not UTF-8"),
            (b"\xff\xfe{\0\"\0o\0", "is not UTF-8"),
        ];
        for (bytes, part) in table {
            let shown = String::from_utf8_lossy(bytes);
            match read(bytes) {
                Answer::Unreadable(why) => assert!(why.contains(part), "{shown}: {why}"),
                other @ (Answer::Nothing | Answer::Read(_)) => panic!("{shown}: {other:?}"),
            }
        }
        let long = format!(r#"{{"outcome":"{}\u001b[31m"}}"#, "x".repeat(100_000));
        let Answer::Unreadable(why) = read(long.as_bytes()) else { panic!("it is no outcome") };
        assert!(why.len() <= WHY_BYTES && !why.contains('\u{1b}'), "{why}");
        let deep = format!(r#"{{"outcome":{}"#, "[".repeat(200_000));
        assert!(matches!(read(deep.as_bytes()), Answer::Unreadable(_)));
        let gone = answer(Err("is no regular file".into()), Asked::Work);
        assert_eq!(gone, Answer::Unreadable("is no regular file".into()));
    }

    #[test]
    fn the_words_of_an_upgrade_are_no_end_of_a_run() {
        for word in OF_UPGRADES {
            let text = format!(r#"{{"outcome":"{word}","reason":"r"}}"#);
            let of = |asked| answer(Ok(Some(text.clone().into_bytes())), asked);
            assert_eq!(of(Asked::Upgrade), done(), "{word}");
            assert!(matches!(of(Asked::Work), Answer::Unreadable(_)), "{word}");
        }
        assert!(matches!(answer(Ok(Some(b"{}".to_vec())), Asked::Upgrade), Answer::Unreadable(_)));
    }
}
