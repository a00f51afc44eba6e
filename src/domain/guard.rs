//! The push guard: what an agent's work may not bring to the target, whatever the tests say.
//!
//! The agent commits, offhours pushes with rights the agent does not have. So the change is looked at as it would be
//! pushed: its paths, modes, sizes, added lines and messages. `allow_paths` lifts the rules about paths and content; the
//! rules about messages and about `.git` are never lifted.

mod message;
mod path;
mod refusal;
mod secret;

pub(super) use path::{SYMLINK, allowed, fold, matches};
pub use refusal::{GuardPolicy, Refusal};

use super::model::Change;
use message::about_message;
use path::about_path;
use secret::about_content;

/// Larger files are refused.
pub const MAX_FILE_BYTES: u64 = 20 << 20;

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

#[cfg(test)]
mod tests {
    use super::path::{SUBMODULE, leaves};
    use super::*;
    use crate::domain::model::FileChange;
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
