//! The push guard: what an agent's work may not bring to the target, whatever the tests say.
//!
//! The agent commits, offhours pushes with rights the agent does not have. So the change is looked at as it would be
//! pushed: its paths, modes, sizes, added lines and messages. `allow_paths` lifts the rules about paths and content; the
//! rules about messages and about `.git` are never lifted.

use super::model::{Change, FileChange};

/// Larger files are refused.
pub const MAX_FILE_BYTES: u64 = 20 << 20;

pub(super) const SYMLINK: u32 = 0o120_000;
pub(super) const SUBMODULE: u32 = 0o160_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardPolicy {
    /// Exact paths, `dir/` for all below it, and `*` for any run of characters within one name.
    pub allow_paths: Vec<String>,
    /// The only issue that commit messages may close.
    pub own_issue: u64,
    pub max_file_bytes: u64,
    /// `owner/name`: how the own issue may be named in full.
    pub repo: String,
}

/// One thing that was refused. `why` never repeats what looked like a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    /// A path, `path:line`, or which commit message. Data.
    pub place: String,
    pub why: &'static str,
}

/// Everything that is refused about a change; empty: it may be pushed.
pub fn judge(change: &Change, policy: &GuardPolicy) -> Vec<Refusal> {
    let mut found = vec![];
    for file in &change.files {
        about_path(file, policy, &mut found);
        if !allowed(&file.path, &policy.allow_paths) {
            about_content(file, policy, &mut found);
        }
    }
    for (at, message) in change.messages.iter().enumerate() {
        about_message(at + 1, message, policy, &mut found);
    }
    found
}

fn about_path(file: &FileChange, policy: &GuardPolicy, found: &mut Vec<Refusal>) {
    let mut refuse = |code, why| found.push(Refusal { code, place: file.path.clone(), why });
    if file.odd_path || file.path.chars().any(char::is_control) {
        refuse("odd-path", "its name is not plain text");
        return;
    }
    let folded: Vec<String> = file.path.split(['/', '\\']).map(fold).collect();
    if folded.iter().any(|part| part.is_empty() || is_git(part)) {
        refuse("git-path", "it would lie inside git's own folder, or outside of the tree");
        return;
    }
    if allowed(&file.path, &policy.allow_paths) {
        return;
    }
    if is_ci(&folded, file.new_mode == SYMLINK) {
        refuse("ci-config", "it changes CI configuration");
    }
    if folded.last().is_some_and(|name| name == ".gitmodules" || name.starts_with("gitmod~")) {
        refuse("gitmodules", "it changes which submodules there are");
    }
    if file.old_mode == SUBMODULE || file.new_mode == SUBMODULE {
        refuse("submodule", "it adds, changes or removes a submodule");
    }
    if file.new_mode == SYMLINK && file.link_target.as_deref().is_none_or(|to| leaves(&file.path, to)) {
        refuse("symlink", "it is a link that leaves the tree");
    }
    if file.new_size > policy.max_file_bytes {
        refuse("too-large", "it is larger than 20 MB");
    }
}

/// As a file system that ignores case, widths, invisible characters and trailing dots would see the name. `.` and
/// `..` become empty.
pub(super) fn fold(part: &str) -> String {
    part.chars()
        .filter(|c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
        .map(|c| match c {
            // Compatibility forms of ASCII, and the letters that fold into it.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{17f}' => 's',
            '\u{130}' | '\u{131}' => 'i',
            _ => c,
        })
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .trim_end_matches(['.', ' '])
        .to_owned()
}

/// git's own folder under any of its names: as it is, its short name, or a stream of it.
fn is_git(folded: &str) -> bool {
    matches!(folded.split(':').next(), Some(".git" | "git~1"))
}

/// Folders of CI configuration, at the top of the tree.
const CI_FOLDERS: [&str; 14] = [
    ".azure-pipelines",
    ".buildkite",
    ".builds",
    ".ci",
    ".circleci",
    ".codefresh",
    ".drone",
    ".forgejo",
    ".gitea",
    ".harness",
    ".semaphore",
    ".teamcity",
    ".tekton",
    ".woodpecker",
];
/// Files of CI configuration without their extension. CI servers look for them at the top; a copy elsewhere may be
/// what an include names.
const CI_FILES: [&str; 18] = [
    ".appveyor",
    ".build",
    ".cirrus",
    ".drone",
    ".gitlab-ci",
    ".gocd",
    ".mergify",
    ".semaphore",
    ".travis",
    ".woodpecker",
    "appveyor",
    "azure-pipelines",
    "bitbucket-pipelines",
    "bitrise",
    "buildspec",
    "cloudbuild",
    "codemagic",
    "wercker",
];
/// Extensions under which CI servers read them.
const CI_EXTENSIONS: [&str; 5] = ["yml", "yaml", "star", "jsonnet", "json"];
/// Below `.github`, what runs or decides something; the rest of it is prose.
const GITHUB: [&str; 5] = ["workflows", "actions", "dependabot.yml", "dependabot.yaml", "codeowners"];

fn is_ci(parts: &[String], link: bool) -> bool {
    let part = |at: usize| parts.get(at).map_or("", String::as_str);
    let (top, name) = (part(0), parts.last().map_or("", String::as_str));
    let whole = parts.len() == 1 && link;
    if top == ".github" && (whole || GITHUB.contains(&part(1))) {
        return true;
    }
    if (top == ".gitlab" && part(1) == "ci") || top == ".ci" {
        return true;
    }
    // A link in place of such a folder brings in all that it points to.
    if CI_FOLDERS.contains(&top) && (whole || parts.len() > 1) {
        return true;
    }
    if name == "jenkinsfile" || name.ends_with(".jenkinsfile") {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    // `azure-pipelines-release.yml`, `.woodpecker-test.yml` and the like are read by the same servers.
    let known = |file: &str| {
        stem.strip_prefix(file).is_some_and(|more| more.is_empty() || more.starts_with(['-', '.', '_']))
    };
    CI_EXTENSIONS.contains(&extension) && CI_FILES.iter().any(|file| known(file))
        || (stem == "jenkinsfile" && matches!(extension, "groovy" | "yml" | "yaml"))
}

/// Whether a link at `path` points out of the tree, into `.git`, or nowhere that can be told.
///
/// `..` counts only at the start, where it climbs real folders: after a name it may climb from wherever another
/// link leads, and what that is cannot be told from the text.
fn leaves(path: &str, to: &str) -> bool {
    if to.is_empty() || to.starts_with('/') || to.contains(['\\', ':']) || to.chars().any(char::is_control) {
        return true;
    }
    let depth = path.split('/').count() - 1;
    let parts: Vec<&str> = to.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let climbs = parts.iter().take_while(|part| **part == "..").count();
    let down = parts.get(climbs..).unwrap_or_default();
    climbs > depth || down.iter().any(|part| *part == ".." || is_git(&fold(part)))
}

pub(super) fn allowed(path: &str, patterns: &[String]) -> bool {
    let have: Vec<&str> = path.split('/').collect();
    patterns.iter().any(|pattern| {
        let dir = pattern.strip_suffix('/');
        let want: Vec<&str> = dir.unwrap_or(pattern).split('/').collect();
        let deep = if dir.is_some() { have.len() > want.len() } else { have.len() == want.len() };
        deep && want.iter().zip(&have).all(|(w, h)| matches(w, h))
    })
}

/// One name against one with `*`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

fn about_content(file: &FileChange, _policy: &GuardPolicy, found: &mut Vec<Refusal>) {
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

fn secret(line: &str) -> Option<&'static str> {
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

/// Words by which one forge or another closes issues, or opens them again.
const CLOSING: [&str; 20] = [
    "close",
    "closes",
    "closed",
    "closing",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "resolve",
    "resolves",
    "resolved",
    "resolving",
    "implement",
    "implements",
    "implemented",
    "implementing",
    "reopen",
    "reopens",
    "reopened",
    "reopening",
];

fn about_message(number: usize, message: &str, policy: &GuardPolicy, found: &mut Vec<Refusal>) {
    let mut refuse = |code, why| found.push(Refusal { code, place: format!("commit message {number}"), why });
    if reverts(message) {
        refuse("revert", "it says that it reverts a commit");
    }
    if closes_another(message, policy) {
        refuse("foreign-close", "it would close another issue");
    }
    if message.lines().any(mentions) {
        refuse("mention", "it mentions somebody");
    }
    if let Some(why) = message.lines().find_map(secret) {
        refuse("secret", why);
    }
}

/// git's own words, however they are spaced, and GitHub's for a reverted pull request.
fn reverts(message: &str) -> bool {
    let words: Vec<String> = message.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").contains("this reverts commit")
        || message.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("reverts"))
                && words.next().is_some_and(|word| reference(word).is_some())
        })
}

/// A closing word, however it is set off, and then an issue that is not the own one.
fn closes_another(message: &str, policy: &GuardPolicy) -> bool {
    // Only ASCII is folded, so that offsets stay what they are.
    let folded = message.to_ascii_lowercase();
    let mut from = 0;
    for word in folded.split(|c: char| !c.is_ascii_alphanumeric()) {
        let end = from + word.len();
        if CLOSING.contains(&word) && message.get(end..).is_some_and(|rest| names_another(rest, policy)) {
            return true;
        }
        from = end + folded.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    false
}

/// "closes #1, #2 and #3": every reference up to the next plain word.
fn names_another(mut rest: &str, policy: &GuardPolicy) -> bool {
    const BETWEEN: [&str; 7] = ["and", "or", "also", "issue", "issues", "pr", "mr"];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || "*_`\"'()[]<>{},;:&+-".contains(c));
        if let Some(found) = reference(rest) {
            if !found.is_own(policy) {
                return true;
            }
            rest = rest.get(found.len..).unwrap_or("");
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("");
        if word.is_empty() || !BETWEEN.iter().any(|between| word.eq_ignore_ascii_case(between)) {
            return false;
        }
        rest = rest.get(end..).unwrap_or("");
    }
}

/// What a closing word may close.
struct Reference<'a> {
    /// Repository (empty for the same one) and number of `#7` and `owner/name#7`. Of `!7`, `GH-7` and an address,
    /// which may name any host, it is enough that they are there.
    named: Option<(&'a str, &'a str)>,
    len: usize,
}

impl Reference<'_> {
    fn is_own(&self, policy: &GuardPolicy) -> bool {
        self.named.is_some_and(|(of, digits)| {
            digits.parse() == Ok(policy.own_issue) && (of.is_empty() || of.eq_ignore_ascii_case(&policy.repo))
        })
    }
}

/// An address or a name is not looked at further than this.
const REFERENCE_LOOK: usize = 512;

/// The reference at the start of a text.
fn reference(text: &str) -> Option<Reference<'_>> {
    let within = |c: char| c.is_ascii_alphanumeric() || "-_./:~%@?=".contains(c);
    let end: usize = text.chars().take(REFERENCE_LOOK).take_while(|c| within(*c)).map(char::len_utf8).sum();
    let of = text.get(..end)?;
    let rest = text.get(end..)?;
    if let Some(sign @ ('#' | '!')) = rest.chars().next() {
        let digits = leading_digits(rest.get(1..)?);
        let plausible = of.is_empty() || of.contains('/') || of.chars().any(|c| c.is_ascii_alphabetic());
        if !digits.is_empty() && plausible {
            let named = (sign == '#').then_some((of, digits));
            return Some(Reference { named, len: end + 1 + digits.len() });
        }
    }
    let folded = of.to_ascii_lowercase();
    let number = |text: &str| !leading_digits(text).is_empty();
    let short = folded.strip_prefix("gh-").is_some_and(number);
    let address = ["/issues/", "/pull/", "/pulls/", "/merge_requests/", "/work_items/"]
        .iter()
        .any(|kind| folded.split_once(kind).is_some_and(|(_, after)| number(after)));
    (short || address).then_some(Reference { named: None, len: end })
}

fn leading_digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

/// `@name` as forges read it: not in an address, not in code, not a part of a path.
fn mentions(line: &str) -> bool {
    let mut rest = line;
    while let Some((text, after)) = rest.split_once('`') {
        if mentioned(text) {
            return true;
        }
        // A backtick that is never closed opens no code.
        match after.split_once('`') {
            Some((_code, after)) => rest = after,
            None => return mentioned(after),
        }
    }
    mentioned(rest)
}

fn mentioned(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.match_indices('@').any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let address = before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/'));
        let name = text.get(at + 1..).unwrap_or("").trim_start_matches(['_', '-']);
        !address && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(allow: &[&str]) -> GuardPolicy {
        GuardPolicy {
            allow_paths: allow.iter().map(|p| (*p).to_owned()).collect(),
            own_issue: 7,
            max_file_bytes: MAX_FILE_BYTES,
            repo: "me/app".to_owned(),
        }
    }

    fn file(path: &str) -> FileChange {
        FileChange {
            path: path.to_owned(),
            odd_path: false,
            old_mode: 0,
            new_mode: 0o100_644,
            new_size: 10,
            link_target: None,
            added_lines: vec![],
        }
    }

    fn codes(files: Vec<FileChange>, messages: &[&str], allow: &[&str]) -> Vec<&'static str> {
        let messages = messages.iter().map(|m| (*m).to_owned()).collect();
        judge(&Change { files, messages }, &policy(allow)).iter().map(|r| r.code).collect()
    }

    #[test]
    fn hostile_paths_are_refused_each_with_its_reason() {
        for (path, code) in [
            (".github/workflows/ci.yml", "ci-config"),
            (".github/workflows/deep/er.yml", "ci-config"),
            (".GitHub/Workflows/ci.yml", "ci-config"),
            (".github/actions/x/action.yml", "ci-config"),
            (".github/dependabot.yml", "ci-config"),
            (".github/CODEOWNERS", "ci-config"),
            (".gitlab-ci.yml", "ci-config"),
            (".forgejo/workflows/a.yml", "ci-config"),
            (".gitea/workflows/a.yml", "ci-config"),
            (".woodpecker.yml", "ci-config"),
            (".woodpecker/a.yml", "ci-config"),
            (".drone.yml", "ci-config"),
            (".circleci/config.yml", "ci-config"),
            ("Jenkinsfile", "ci-config"),
            ("JENKINSFILE", "ci-config"),
            ("sub/Jenkinsfile", "ci-config"),
            ("azure-pipelines.yml", "ci-config"),
            (".travis.yml", "ci-config"),
            (".buildkite/pipeline.yml", "ci-config"),
            (".ci/run", "ci-config"),
            (".github\u{200b}/workflows/x.yml", "ci-config"),
            (".gitmodules", "gitmodules"),
            (".GITMODULES", "gitmodules"),
            (".git/config", "git-path"),
            ("a/.GIT/hooks/pre-push", "git-path"),
            ("a/.g\u{200d}it/x", "git-path"),
            (".git./x", "git-path"),
            ("GIT~1/x", "git-path"),
            ("a//b", "git-path"),
            ("../x", "git-path"),
            ("a\nb", "odd-path"),
            ("a\u{1b}[31m", "odd-path"),
        ] {
            assert_eq!(codes(vec![file(path)], &[], &[]), [code], "{path:?}");
        }
    }

    #[test]
    fn modes_links_and_sizes() {
        let link = |path: &str, to: &str| FileChange {
            new_mode: SYMLINK,
            link_target: Some(to.to_owned()),
            ..file(path)
        };
        for (change, code) in [
            (link("a", "/etc/passwd"), "symlink"),
            (link("a", "../x"), "symlink"),
            (link("a/b/c", "../../../x"), "symlink"),
            (link("a/b", "x/../../../y"), "symlink"),
            (link("a", ".git/config"), "symlink"),
            (link("a", ".GIT/config"), "symlink"),
            (link("a", ""), "symlink"),
            (FileChange { link_target: None, ..link("a", "b") }, "symlink"),
            (FileChange { new_mode: SUBMODULE, ..file("lib") }, "submodule"),
            (FileChange { old_mode: SUBMODULE, new_mode: 0, ..file("lib") }, "submodule"),
            (FileChange { new_size: MAX_FILE_BYTES + 1, ..file("big") }, "too-large"),
            (FileChange { odd_path: true, ..file("x") }, "odd-path"),
        ] {
            assert_eq!(codes(vec![change.clone()], &[], &[]), [code], "{change:?}");
        }
        for fine in [
            link("a", "b"),
            link("a/b/c", "../../x"),
            link("a/b", "./c"),
            link("a/b", "../a/./c"),
            FileChange { new_size: MAX_FILE_BYTES, ..file("big") },
        ] {
            assert_eq!(codes(vec![fine.clone()], &[], &[]), [""; 0], "{fine:?}");
        }
    }

    #[test]
    fn innocent_paths_pass() {
        for path in [
            "src/main.rs",
            "README.md",
            ".gitignore",
            ".gitattributes",
            "docs/github/workflows.md",
            ".github/ISSUE_TEMPLATE/bug.md",
            ".github/PULL_REQUEST_TEMPLATE.md",
            "ci/notes.md",
            "tests/ci.rs",
            "src/git/config.rs",
            "a/git",
            "Jenkinsfile.md",
            "src/.hidden",
            "ünïcode/ß.txt",
            "a b/c d.txt",
            "workflows/x.yml",
        ] {
            assert_eq!(codes(vec![file(path)], &[], &[]), [""; 0], "{path}");
        }
    }

    #[test]
    fn allow_paths_lift_paths_and_content_but_never_git_or_messages() {
        assert_eq!(codes(vec![file(".ci/run")], &[], &[".ci/"]), [""; 0]);
        assert_eq!(codes(vec![file(".github/workflows/a.yml")], &[], &[".github/workflows/*.yml"]), [""; 0]);
        assert_eq!(
            codes(vec![file(".github/workflows/b/a.yml")], &[], &[".github/workflows/*.yml"]),
            ["ci-config"]
        );
        assert_eq!(codes(vec![file(".git/config")], &[], &["*/*", ".git/"]), ["git-path"]);
        assert_eq!(codes(vec![file("x")], &["Fixes #8"], &["x"]), ["foreign-close"]);
        let key = FileChange {
            added_lines: vec!["-----BEGIN RSA PRIVATE KEY-----".to_owned()],
            ..file("tests/key.pem")
        };
        assert_eq!(codes(vec![key.clone()], &[], &["tests/"]), [""; 0]);
        assert_eq!(codes(vec![key], &[], &["test/"]), ["secret"]);
    }

    #[test]
    fn secrets_are_seen_and_never_repeated() {
        // Put together here, so that this file holds nothing that looks like one.
        let body = "Ab3dEf9hIj2lMn5pQr8tUv1xYz4Bc7eFg0iJ";
        for line in [
            format!("token = \"{}{body}\"", "ghp_"),
            format!("{}{body}{body}", "github_pat_"),
            format!("x={}{body}", "glpat-"),
            format!("{}{body}", "xoxb-"),
            format!("KEY={}{body}", "sk-ant-"),
            format!("aws {}{}", "AKIA", "Z3X5C7V9B1N2M4Q6"),
            format!("{}{body}", "AIza"),
            format!("-----BEGIN {} PRIVATE KEY-----", "OPENSSH"),
        ] {
            let change = FileChange { added_lines: vec!["fine".to_owned(), line.clone()], ..file("a.txt") };
            let found = judge(&Change { files: vec![change], messages: vec![] }, &policy(&[]));
            assert_eq!(found.len(), 1, "{line}");
            assert!(found[0].place.ends_with("(added line 2)"));
            assert!(!format!("{:?}", found[0]).contains(body), "{line}");
        }
        for line in [
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ghp_short",
            "task-ant-hills-and-other-things",
            "MAKIAVELLI0000000000000",
            "-----BEGIN CERTIFICATE-----",
            "the private key is not here",
            "sk-ant-...",
        ] {
            let change = FileChange { added_lines: vec![line.to_owned()], ..file("a.txt") };
            assert_eq!(codes(vec![change], &[], &[]), [""; 0], "{line}");
        }
    }

    #[test]
    fn messages_close_only_the_own_issue_and_mention_nobody() {
        for (message, code) in [
            ("Fixes #8", "foreign-close"),
            ("closes: #70", "foreign-close"),
            ("CLOSED other/repo#7", "foreign-close"),
            ("resolve https://forge.test/me/app/issues/9", "foreign-close"),
            ("Closes #7, #9", "foreign-close"),
            ("Closes #7 and #9", "foreign-close"),
            ("fix GH-12", "foreign-close"),
            ("(fixes #8)", "foreign-close"),
            ("thanks @ada", "mention"),
            ("cc:@ada", "mention"),
            ("(@team/core)", "mention"),
            ("This reverts commit abcdef.", "revert"),
            ("this REVERTS commit 1", "revert"),
        ] {
            assert_eq!(codes(vec![], &[message], &[]), [code], "{message}");
        }
        for message in [
            "Closes #7",
            "fixes: #7.",
            "Closes me/app#7",
            "Resolves Me/App#7",
            "fix the parser, see #8",
            "Closes the door. #8 is another thing",
            "Co-authored-by: Ada <ada@example.test>",
            "use `@decorator` here",
            "the user@host form",
            "path/@scope/pkg",
            "an @ alone",
            "revert to the old behaviour",
        ] {
            assert_eq!(codes(vec![], &[message], &[]), [""; 0], "{message}");
        }
    }

    #[test]
    fn tricks_with_names_are_seen() {
        for (path, code) in [
            ("a\\.git\\config", "git-path"),
            (".git::$INDEX_ALLOCATION/config", "git-path"),
            ("\u{ff0e}git/config", "git-path"),
            (".g\u{131}t/config", "git-path"),
            (".git /x", "git-path"),
            ("/etc/passwd", "git-path"),
            ("a/./b", "git-path"),
            (".github\\workflows\\x.yml", "ci-config"),
            (".github/wor\u{212a}flows/x.yml", "ci-config"),
            (".github/workflow\u{17f}/x.yml", "ci-config"),
            (".github/workflows", "ci-config"),
            (".woodpecker-release.yml", "ci-config"),
            ("azure-pipelines.release.yaml", "ci-config"),
            (".azure-pipelines/a.yml", "ci-config"),
            (".gitlab/ci/test.yml", "ci-config"),
            (".cirrus.star", "ci-config"),
            (".tekton/push.yaml", "ci-config"),
            (".builds/alpine.yml", "ci-config"),
            ("deploy/Release.Jenkinsfile", "ci-config"),
            ("Jenkinsfile.groovy", "ci-config"),
            ("gitmod~1", "gitmodules"),
        ] {
            assert_eq!(codes(vec![file(path)], &[], &[]), [code], "{path}");
        }
        for path in [
            ".gitlab/issue_templates/bug.md",
            "docs/azure-pipelines.md",
            "src/appveyor_client.rs",
            "travis.yml.txt",
            ".github",
            ".drone",
            "git~1.txt",
            "a/.gitkeep",
            "src/build.rs",
            "\u{1f600}/x.txt",
        ] {
            assert_eq!(codes(vec![file(path)], &[], &[]), [""; 0], "{path}");
        }
        for (path, allow) in [(".GitHub/workflows/a.yml", ".github/"), (".ci/run", ".ci"), (".ci/run", "*")] {
            assert_eq!(codes(vec![file(path)], &[], &[allow, "", "/"]), ["ci-config"], "{path} {allow}");
        }
    }

    #[test]
    fn links_through_links_and_in_place_of_folders() {
        for (path, to, code) in [
            ("a/b/e", "d/../secret", "symlink"),
            ("a", "GIT~1/hooks", "symlink"),
            ("a", "C:/x", "symlink"),
            ("a", "b\\c", "symlink"),
            ("a/b", "./../../x", "symlink"),
            (".github", "tools", "ci-config"),
            (".forgejo", "tools", "ci-config"),
        ] {
            let link = FileChange { new_mode: SYMLINK, link_target: Some(to.to_owned()), ..file(path) };
            assert_eq!(codes(vec![link], &[], &[]), [code], "{path} -> {to}");
        }
    }

    #[test]
    fn more_secrets_and_more_that_only_looks_like_one() {
        let body = "Ab3dEf9hIj2lMn5pQr8tUv1xYz4Bc7eFg0iJ";
        for line in [
            format!("key: {}{body}", "sk-"),
            format!("{}{body}", "npm_"),
            format!("{}{body}", "hf_"),
            format!("{}{body}", "sk_live_"),
            format!("https://{}T0ABCDEF/B0ABCDEF/{body}", "hooks.slack.com/services/"),
            format!("{}{body}.{}{body}.{body}", "eyJ", "eyJ"),
            format!("{}3: ssh-ed25519", "PuTTY-User-Key-File-"),
        ] {
            let change = FileChange { added_lines: vec![line.clone()], ..file("a.txt") };
            assert_eq!(codes(vec![change], &[], &[]), ["secret"], "{line}");
            assert_eq!(codes(vec![], &[&format!("say it\n\n{line}")], &["a.txt"]), ["secret"], "{line}");
        }
        for line in [
            "npm_config_registry_of_the_package_manager_in_use",
            "hf_hub_download_with_a_rather_long_function_name",
            ".sk-circle-fade-dot-and-many-other-words-of-style",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9",
            "sha256-Ab3dEf9hIj2lMn5pQr8tUv1xYz4Bc7eFg0iJ",
            "0123456789abcdef0123456789abcdef01234567",
            "disk-Ab3dEf9hIj2lMn5pQr8tUv1xYz4Bc7eFg0iJ",
        ] {
            let change = FileChange { added_lines: vec![line.to_owned()], ..file("a.txt") };
            assert_eq!(codes(vec![change], &[], &[]), [""; 0], "{line}");
        }
    }

    #[test]
    fn more_ways_to_say_it() {
        for (message, code) in [
            ("**Fixes:** #8", "foreign-close"),
            ("\"Fixes #8\"", "foreign-close"),
            ("fix:#8", "foreign-close"),
            ("fixes#8", "foreign-close"),
            ("bug-fix #8", "foreign-close"),
            ("closes [#8](x)", "foreign-close"),
            ("Closes #7 #8", "foreign-close"),
            ("Closes #7/#8", "foreign-close"),
            ("closes !8", "foreign-close"),
            ("Closing issues #7 and also #8", "foreign-close"),
            ("Reopens #8", "foreign-close"),
            ("closes #99999999999999999999999", "foreign-close"),
            ("closes other/app#7", "foreign-close"),
            ("closes https://forge.test/me/app/-/merge_requests/7", "foreign-close"),
            ("fixes\n#8", "foreign-close"),
            ("\u{130}\u{130} fixes #8", "foreign-close"),
            ("`@ada", "mention"),
            ("thanks.@ada", "mention"),
            ("a `b` @ada", "mention"),
            ("\u{e9}@ada", "mention"),
            ("Co-authored-by: @ada <ada@example.test>", "mention"),
            ("This  reverts\ncommit abc", "revert"),
            ("Reverts other/app#3", "revert"),
            ("Reverts #3", "revert"),
        ] {
            assert_eq!(codes(vec![], &[message], &[]), [code], "{message}");
        }
        for message in [
            "prefix #8",
            "hotfix #8 is next",
            "Fixes: 54a4f0239f2e (\"x\")",
            "closes 3 of #8",
            "Closes #7.",
            "closes #007",
            "Fixes #7: the parser",
            "Closes #7 (follow-up in #8)",
            "fix gh-pages",
            "Fixed-width columns, #8",
            "stash@{0} and HEAD@{1}",
            "see https://forge.test/@ada/x",
            "foo@1.2.3",
            "Reverts to the old parser",
        ] {
            assert_eq!(codes(vec![], &[message], &[]), [""; 0], "{message}");
        }
    }

    /// A line of many beginnings takes no longer than its length says.
    #[test]
    fn a_long_line_is_looked_at_once() {
        for start in ["sk-ant-", "eyJ", "eyJ.", "hf_", "xoxb-", "AKIA", "a@", "`", "fix "] {
            let line = start.repeat(20_000);
            let change = FileChange { added_lines: vec![line.clone()], ..file("a") };
            judge(&Change { files: vec![change], messages: vec![line] }, &policy(&["*a*a*a*b"]));
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(path in ".{0,40}", to in ".{0,40}", line in ".{0,80}", message in ".{0,80}", pattern in ".{0,12}", mode in 0u32..0o200_000) {
            let change = FileChange { new_mode: mode, link_target: Some(to), added_lines: vec![line], ..file(&path) };
            judge(&Change { files: vec![change], messages: vec![message] }, &policy(&[&pattern]));
        }

        #[test]
        fn a_link_that_climbs_out_is_always_seen(depth in 0usize..5, more in 1usize..4) {
            let path = format!("{}x", "d/".repeat(depth));
            let to = format!("{}y", "../".repeat(depth + more));
            prop_assert!(leaves(&path, &to));
            let inside = format!("{}y", "../".repeat(depth));
            prop_assert!(!leaves(&path, &inside));
        }
    }
}
