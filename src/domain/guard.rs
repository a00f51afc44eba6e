//! The push guard: what an agent's work may not bring to the target, whatever the tests say.
//!
//! The agent commits, offhours pushes with rights the agent does not have. So the change is looked at as it would be
//! pushed: its paths, modes, sizes, added lines and messages. `allow_paths` lifts the rules about paths and content; the
//! rules about messages and about `.git` are never lifted.

use super::model::{Change, FileChange};

/// Larger files are refused.
pub const MAX_FILE_BYTES: u64 = 20 << 20;

const SYMLINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

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
    let folded: Vec<String> = file.path.split('/').map(fold).collect();
    if folded.iter().any(|part| matches!(part.as_str(), ".git" | "" | "." | ".." | "git~1")) {
        refuse("git-path", "it would lie inside git's own folder, or outside of the tree");
        return;
    }
    if allowed(&file.path, &policy.allow_paths) {
        return;
    }
    if is_ci(&folded) {
        refuse("ci-config", "it changes CI configuration");
    }
    if folded.last().is_some_and(|name| name == ".gitmodules") {
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

/// As a file system that ignores case and invisible characters would see the name.
fn fold(part: &str) -> String {
    part.chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .trim_end_matches(['.', ' '])
        .to_owned()
}

/// Folders of CI configuration, at the top of the tree.
const CI_FOLDERS: [&str; 9] = [
    ".forgejo",
    ".gitea",
    ".circleci",
    ".buildkite",
    ".woodpecker",
    ".drone",
    ".ci",
    ".teamcity",
    ".semaphore",
];
/// Files of CI configuration; the second half of a pair has to match, too.
const CI_FILES: [&str; 16] = [
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    ".woodpecker.yml",
    ".woodpecker.yaml",
    ".drone.yml",
    ".drone.yaml",
    ".drone.star",
    ".drone.jsonnet",
    "jenkinsfile",
    "azure-pipelines.yml",
    "azure-pipelines.yaml",
    ".travis.yml",
    "bitbucket-pipelines.yml",
    "appveyor.yml",
    ".appveyor.yml",
    ".cirrus.yml",
];
/// Below `.github`, what runs or decides something; the rest of it is prose.
const GITHUB: [&str; 5] = ["workflows", "actions", "dependabot.yml", "dependabot.yaml", "codeowners"];

fn is_ci(parts: &[String]) -> bool {
    let part = |at: usize| parts.get(at).map_or("", String::as_str);
    if part(0) == ".github" && GITHUB.contains(&part(1)) {
        return true;
    }
    if parts.len() > 1 && CI_FOLDERS.contains(&part(0)) || part(0) == ".ci" {
        return true;
    }
    // CI servers look for their file at the top; a copy elsewhere may be what an include names.
    parts.last().is_some_and(|name| CI_FILES.contains(&name.as_str()))
}

/// Whether a link at `path` points out of the tree, into `.git`, or nowhere that can be told.
fn leaves(path: &str, to: &str) -> bool {
    if to.is_empty() || to.starts_with('/') || to.contains('\\') || to.chars().any(char::is_control) {
        return true;
    }
    let mut depth = path.split('/').count() - 1;
    for part in to.split('/') {
        match fold(part).as_str() {
            ".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            },
            // `fold` cuts trailing dots, so `..` itself is seen before, in the part.
            "" if part == ".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            },
            "" => {}
            ".git" => return true,
            _ => depth += 1,
        }
    }
    false
}

fn allowed(path: &str, patterns: &[String]) -> bool {
    let have: Vec<&str> = path.split('/').collect();
    patterns.iter().any(|pattern| {
        let dir = pattern.strip_suffix('/');
        let want: Vec<&str> = dir.unwrap_or(pattern).split('/').collect();
        let deep = if dir.is_some() { have.len() > want.len() } else { have.len() == want.len() };
        deep && want.iter().zip(&have).all(|(w, h)| matches(w, h))
    })
}

/// One name against one with `*`.
fn matches(pattern: &str, name: &str) -> bool {
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
const TOKENS: [(&str, usize, &str); 16] = [
    ("ghp_", 36, "it looks like a GitHub token"),
    ("gho_", 36, "it looks like a GitHub token"),
    ("ghu_", 36, "it looks like a GitHub token"),
    ("ghs_", 36, "it looks like a GitHub token"),
    ("ghr_", 36, "it looks like a GitHub token"),
    ("github_pat_", 40, "it looks like a GitHub token"),
    ("glpat-", 20, "it looks like a GitLab token"),
    ("xoxb-", 20, "it looks like a Slack token"),
    ("xoxp-", 20, "it looks like a Slack token"),
    ("xoxa-", 20, "it looks like a Slack token"),
    ("sk-ant-", 20, "it looks like an Anthropic key"),
    ("sk-proj-", 20, "it looks like an OpenAI key"),
    ("AIza", 35, "it looks like a Google key"),
    ("npm_", 36, "it looks like an npm token"),
    ("AKIA", 16, "it looks like an AWS key"),
    ("ASIA", 16, "it looks like an AWS key"),
];

fn secret(line: &str) -> Option<&'static str> {
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY") {
        return Some("it looks like a private key");
    }
    let token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    TOKENS.iter().find_map(|(prefix, least, why)| {
        line.match_indices(prefix).find_map(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let rest: String = line.get(at + prefix.len()..)?.chars().take_while(|c| token(*c)).collect();
            // A real token is not one character over and over, as a place holder is.
            let varied = rest.chars().collect::<std::collections::BTreeSet<char>>().len() >= 6;
            let aws = !prefix.ends_with("IA")
                || rest.chars().take(*least).all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            (!before.is_some_and(|c| c.is_ascii_alphanumeric()) && rest.len() >= *least && varied && aws)
                .then_some(*why)
        })
    })
}

/// Words by which forges close issues.
const CLOSING: [&str; 9] =
    ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];

fn about_message(number: usize, message: &str, policy: &GuardPolicy, found: &mut Vec<Refusal>) {
    let mut refuse = |code, why| found.push(Refusal { code, place: format!("commit message {number}"), why });
    if message.to_lowercase().contains("this reverts commit") {
        refuse("revert", "it says that it reverts a commit");
    }
    if closes_another(message, policy) {
        refuse("foreign-close", "it would close another issue");
    }
    if message.lines().any(mentions) {
        refuse("mention", "it mentions somebody");
    }
}

/// A closing word, with or without a colon, and then an issue that is not the own one.
fn closes_another(message: &str, policy: &GuardPolicy) -> bool {
    let words: Vec<&str> = message
        .split(|c: char| c.is_whitespace() || ",;()[]<>".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    words.iter().enumerate().any(|(at, word)| {
        let bare = word.trim_end_matches(':').trim_matches(['*', '_', '`']).to_lowercase();
        CLOSING.contains(&bare.as_str())
            // "closes #1, #2 and #3": every reference up to the next plain word.
            && words
                .iter()
                .skip(at + 1)
                .take_while(|w| is_reference(w) || matches!(**w, "and" | "&" | "+" | "or" | "issue" | "issues"))
                .any(|w| is_reference(w) && !is_own(w, policy))
    })
}

fn trimmed(word: &str) -> &str {
    word.trim_matches(['*', '_', '`', '"', '\'']).trim_end_matches(['.', '!', '?', ':'])
}

fn is_reference(word: &str) -> bool {
    let word = trimmed(word);
    let after_hash = |text: &str| {
        text.rsplit_once('#').is_some_and(|(_, n)| n.chars().next().is_some_and(|c| c.is_ascii_digit()))
    };
    after_hash(word)
        || word.to_lowercase().starts_with("gh-")
        || (word.contains("://") && (word.contains("/issues/") || word.contains("/pull")))
}

fn is_own(word: &str, policy: &GuardPolicy) -> bool {
    let word = trimmed(word);
    word == format!("#{}", policy.own_issue)
        || word.eq_ignore_ascii_case(&format!("{}#{}", policy.repo, policy.own_issue))
}

/// `@name` as forges read it: not in an address, not in code.
fn mentions(line: &str) -> bool {
    let mut code = false;
    let mut before = ' ';
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '`' {
            code = !code;
        }
        let name = chars.peek().is_some_and(char::is_ascii_alphanumeric);
        if c == '@' && name && !code && !before.is_alphanumeric() && !"._%+-/".contains(before) {
            return true;
        }
        before = c;
    }
    false
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
