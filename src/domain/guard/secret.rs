//! What looks like a secret.

use super::{GuardPolicy, Refusal};
use crate::domain::model::FileChange;

pub(super) fn about_content(file: &FileChange, _policy: &GuardPolicy, found: &mut Vec<Refusal>) {
    for (at, line) in file.added_lines.iter().enumerate() {
        if let Some(why) = secret(line) {
            // The number counts added lines: the guard knows no others.
            let place = format!("{} (added line {})", file.path, at + 1);
            found.push(Refusal { code: "secret", place, why });
        }
    }
}

/// Prefixes of tokens that services hand out, with the least number of token characters that follow.
const TOKENS: [(&str, usize, &str); 31] = [
    ("ghp_", 36, "it looks like a GitHub token"),
    ("gho_", 36, "it looks like a GitHub token"),
    ("ghu_", 36, "it looks like a GitHub token"),
    ("ghs_", 36, "it looks like a GitHub token"),
    ("ghr_", 36, "it looks like a GitHub token"),
    ("github_pat_", 40, "it looks like a GitHub token"),
    ("glpat-", 20, "it looks like a GitLab token"),
    ("glrt-", 20, "it looks like a GitLab runner token"),
    ("xoxb-", 20, "it looks like a Slack token"),
    ("xoxp-", 20, "it looks like a Slack token"),
    ("xoxa-", 20, "it looks like a Slack token"),
    ("xoxr-", 20, "it looks like a Slack token"),
    ("xoxs-", 20, "it looks like a Slack token"),
    ("xapp-", 20, "it looks like a Slack token"),
    ("hooks.slack.com/services/", 20, "it looks like a Slack webhook"),
    ("sk-ant-", 20, "it looks like an Anthropic key"),
    ("sk-proj-", 20, "it looks like an OpenAI key"),
    ("sk-svcacct-", 20, "it looks like an OpenAI key"),
    ("sk-or-v1-", 20, "it looks like an OpenRouter key"),
    ("sk_live_", 20, "it looks like a Stripe key"),
    ("rk_live_", 20, "it looks like a Stripe key"),
    ("AIza", 35, "it looks like a Google key"),
    ("ya29.", 30, "it looks like a Google access token"),
    ("npm_", 36, "it looks like an npm token"),
    ("pypi-AgEIcHlwaS5vcmc", 40, "it looks like a PyPI token"),
    ("hf_", 34, "it looks like a Hugging Face token"),
    ("dop_v1_", 60, "it looks like a DigitalOcean token"),
    ("shpat_", 32, "it looks like a Shopify token"),
    ("AGE-SECRET-KEY-1", 50, "it looks like an age key"),
    ("AKIA", 16, "it looks like an AWS key"),
    ("ASIA", 16, "it looks like an AWS key"),
];

/// How far a token is looked at: a line may have millions of characters, and as many prefixes.
const TOKEN_LOOK: usize = 128;

/// The key of AWS's own documentation ends so.
const AWS_EXAMPLE: &str = "EXAMPLE";

pub(super) fn secret(line: &str) -> Option<&'static str> {
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY") {
        return Some("it looks like a private key");
    }
    if line.starts_with("PuTTY-User-Key-File-") {
        return Some("it looks like a private key");
    }
    let found = TOKENS.iter().find_map(|(prefix, least, why)| {
        // Underscores and dashes would join the words of a name such as `npm_config_registry` to a token.
        let joined = match *prefix {
            "github_pat_" => "_",
            "hooks.slack.com/services/" => "/",
            _ if prefix.ends_with('_') || prefix.ends_with("IA") => "",
            _ => "_-",
        };
        let token = |c: &char| c.is_ascii_alphanumeric() || joined.contains(*c);
        let real = |tail: &str| {
            let rest: String = tail.chars().take(TOKEN_LOOK).take_while(token).collect();
            rest.len() >= *least && varied(&rest) && (!prefix.ends_with("IA") || is_aws(&rest))
        };
        tails(line, prefix).any(real).then_some(*why)
    });
    found.or_else(|| plain_sk(line)).or_else(|| web_token(line))
}

/// What follows each appearance of `prefix` that does not stand within a word.
fn tails<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(prefix).filter_map(move |(at, _)| {
        let before = line.get(..at)?.chars().next_back();
        let inside = before.is_some_and(|c| c.is_ascii_alphanumeric());
        line.get(at + prefix.len()..).filter(|_| !inside)
    })
}

/// A real token is not one character over and over, as a place holder is.
fn varied(token: &str) -> bool {
    token.chars().collect::<std::collections::BTreeSet<char>>().len() >= 6
}

/// Exactly sixteen capitals and digits.
fn is_aws(rest: &str) -> bool {
    rest.len() == 16
        && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && !rest.ends_with(AWS_EXAMPLE)
}

/// `sk-` and one long word of letters of both kinds and digits; words joined by dashes are style classes.
fn plain_sk(line: &str) -> Option<&'static str> {
    tails(line, "sk-")
        .any(|tail| {
            let rest: String =
                tail.chars().take(TOKEN_LOOK).take_while(char::is_ascii_alphanumeric).collect();
            let has = |kind: fn(&char) -> bool| rest.chars().any(|c| kind(&c));
            rest.len() >= 32 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic) && varied(&rest)
        })
        .then_some("it looks like an API key")
}

/// Header, claims and signature of a signed web token.
fn web_token(line: &str) -> Option<&'static str> {
    let part = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
    // Long enough for claims of the usual size; the look stays bounded.
    let run = |text: &str| text.chars().take(4096).take_while(part).count();
    let mut skip_to = 0;
    for (at, _) in line.match_indices("eyJ") {
        if at < skip_to {
            continue;
        }
        let Some(text) = line.get(at..) else { continue };
        let header = run(text);
        skip_to = at + header;
        let Some(claims) = text.get(header..).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let body = run(claims);
        let Some(signature) = claims.get(body..).and_then(|rest| rest.strip_prefix('.')) else { continue };
        if header >= 16 && body >= 16 && claims.starts_with("eyJ") && run(signature) >= 32 {
            return Some("it looks like a signed web token");
        }
    }
    None
}
