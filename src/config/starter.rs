//! The configuration that `init` writes: short, commented, switched off, with what could be found out filled in.

use std::fmt::Write as _;
use std::path::PathBuf;

use toml_edit::{Array, Value};

use crate::domain::model::Landing;

/// What was found out about this machine and the repository that somebody stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    pub landing: Landing,
    /// `owner/repo`, for the words that tell what comes next.
    pub repo: Option<String>,
    pub tracker: Tracker,
    pub agent: Agent,
    /// How the repository's tests are run; empty where that is not known.
    pub tests: Vec<String>,
    /// Write the forge as a comment: this version does not know its kind.
    pub forge_later: bool,
}

/// Where the issues are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tracker {
    Local(PathBuf),
    /// `kind` as the key spells it; the URL of the server where it is not the kind's own.
    Network {
        kind: &'static str,
        url: Option<String>,
    },
}

/// Which agent is on the PATH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    Claude,
    Codex,
    Opencode,
    None,
}

impl Agent {
    /// In the order in which they are looked for.
    pub const ALL: [Self; 3] = [Self::Claude, Self::Codex, Self::Opencode];

    /// The program's name.
    pub fn program(self) -> Option<&'static str> {
        match self {
            Self::Claude => Some("claude"),
            Self::Codex => Some("codex"),
            Self::Opencode => Some("opencode"),
            Self::None => None,
        }
    }
}

/// A remote of a git repository: the host and the repo on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteGuess {
    /// `https://host/owner/repo.git`, `git@host:owner/repo`, `ssh://git@host:22/owner/repo`. `web` is where a browser
    /// would find the server.
    Host { host: String, web: String, owner: String, name: String },
    /// A bare repository in a local forge: the forge's folder.
    Folder { root: PathBuf, owner: String, name: String },
}

/// Reads what a remote's URL says; `None` where it is nothing that offhours could work with.
pub fn guess_remote(url: &str) -> Option<RemoteGuess> {
    let good = |word: &str| {
        !word.is_empty()
            && !word.starts_with('.')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if url.starts_with('/') {
        let mut parts = url.trim_end_matches('/').rsplitn(4, '/');
        let (repo, name, owner, root) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let ours = repo == "repo.git" && good(owner) && good(name) && !root.is_empty();
        return ours.then(|| RemoteGuess::Folder {
            root: PathBuf::from(root),
            owner: owner.to_owned(),
            name: name.to_owned(),
        });
    }
    let (scheme, (place, path)) = match url.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => (scheme, rest.split_once('/')?),
        Some(("ssh" | "git+ssh", rest)) => ("ssh", rest.split_once('/')?),
        Some(_) => return None,
        None => ("ssh", url.split_once(':')?),
    };
    let place = place.rsplit('@').next()?;
    let (host, port) = place.split_once(':').unwrap_or((place, ""));
    // The port of SSH says nothing about the web.
    let web = match scheme {
        "ssh" => format!("https://{host}"),
        _ if port.is_empty() => format!("{scheme}://{host}"),
        _ => format!("{scheme}://{host}:{port}"),
    };
    let path = path.trim_matches('/');
    let (owner, name) = path.strip_suffix(".git").unwrap_or(path).rsplit_once('/')?;
    let port = port.chars().all(|c| c.is_ascii_digit());
    (good(host) && port && good(owner) && good(name)).then(|| RemoteGuess::Host {
        host: host.to_owned(),
        web,
        owner: owner.to_owned(),
        name: name.to_owned(),
    })
}

/// The kind of forge behind a host's name, where the name says it.
pub fn guess_kind(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    [("github", "github"), ("codeberg.org", "forgejo"), ("forgejo", "forgejo"), ("gitea", "gitea")]
        .into_iter()
        .find(|(word, _)| host.contains(word))
        .map(|(_, kind)| kind)
}

fn list(words: &[String]) -> String {
    Value::from(words.iter().collect::<Array>()).decorated("", "").to_string()
}

fn quoted(word: &str) -> String {
    Value::from(word).decorated("", "").to_string()
}

/// One line: the setting, and its meaning in a column of its own.
fn line(out: &mut String, setting: &str, meaning: &str) {
    out.write_fmt(format_args!("{setting:<38} # {meaning}\n")).unwrap_or_default();
}

/// The text of the file.
pub fn text(starter: &Starter) -> String {
    let repo = starter.repo.as_deref().unwrap_or("REPO");
    let mut out = format!(
        "# offhours works while you are away. It is off: `offhours arm {repo}` switches it on.\n\
         # A line with # in front shows a default. `offhours config reference` explains every key.\n\
         kill_switch = true\n\
         allowlist = []\n\n"
    );
    match starter.landing {
        Landing::Push => line(&mut out, "landing = \"push\"", "tested work goes straight to the branch"),
        Landing::PullRequest => line(&mut out, "landing = \"pull-request\"", "a person reviews and merges"),
    }
    if starter.tests.is_empty() {
        line(&mut out, "# verify = [\"make\", \"test\"]", "your tests, run before anything is pushed");
    } else {
        line(
            &mut out,
            &format!("verify = {}", list(&starter.tests)),
            "your tests, run before anything is pushed",
        );
    }
    line(&mut out, "# budget_usd = 10", "what one run may cost");
    line(&mut out, "# daily_budget_usd = 40", "what all runs of a day may cost");
    line(&mut out, "# max_running = 2", "runs at the same time");
    line(&mut out, "# dispatch_hours = [\"22:00-06:00\"]", "when work may start; always, if not set");
    line(&mut out, "# ready_label = \"ready-for-agent\"", "you put it on an issue that is ready");
    line(&mut out, "# human_label = \"needs-human\"", "offhours puts it on what comes back to you");
    out.push('\n');
    forge(&mut out, starter);
    out.push('\n');
    runner(&mut out, starter.agent);
    out.push('\n');
    match (&starter.tracker, starter.tests.is_empty()) {
        (Tracker::Local(_), false) => {
            line(&mut out, "[[ci.stage]]", "what has to be green after the push");
            out.push_str(&format!("name = \"test\"\nargv = {}\n", list(&starter.tests)));
        }
        (Tracker::Local(_), true) => {
            line(&mut out, "# [[ci.stage]]", "what has to be green: without one, work is handed back");
            out.push_str("# name = \"test\"\n# argv = [\"make\", \"test\"]\n");
        }
        (Tracker::Network { .. }, _) => {
            line(&mut out, "[[ci.stage]]", "the checks that the server shows have to be green");
            out.push_str("name = \"ci\"\nkind = \"forge\"\n\n");
            line(&mut out, "# [notify.phone]", "where hand-backs and alarms go");
            out.push_str("# kind = \"webhook\"\n# url = { file = \"webhook-url\" }\n");
        }
    }
    out
}

fn forge(out: &mut String, starter: &Starter) {
    match &starter.tracker {
        Tracker::Local(root) => {
            line(out, "[forge.home]", "issues as files, beside bare repositories");
            out.push_str(&format!("kind = \"local\"\npath = {}\n", quoted(&root.display().to_string())));
        }
        Tracker::Network { kind, url } => {
            let mut lines = format!("[forge.{kind}]\nkind = \"{kind}\"\n");
            if let Some(url) = url {
                lines.push_str(&format!("url = {}\n", quoted(url)));
            }
            lines.push_str(&format!("token = {{ file = \"{kind}-token\" }}\n"));
            if starter.forge_later {
                out.push_str("# This version does not know this kind of forge yet.\n");
                for text in lines.lines() {
                    out.push_str(&format!("# {text}\n"));
                }
            } else {
                out.push_str(&lines);
            }
        }
    }
}

fn runner(out: &mut String, agent: Agent) {
    let found = "found on your PATH";
    match agent {
        Agent::Claude => {
            line(out, "[runner.claude]", found);
            out.push_str(
                "profile = \"claude\"\n\
                 argv = [\"claude\", \"-p\", \"--output-format\", \"stream-json\", \"--verbose\", \
                 \"--permission-mode\", \"bypassPermissions\"]\nenv = [\"ANTHROPIC_API_KEY\"]\n",
            );
        }
        Agent::Codex => {
            line(out, "[runner.codex]", found);
            out.push_str(
                "profile = \"codex\"\n\
                 argv = [\"codex\", \"exec\", \"--json\", \"--dangerously-bypass-approvals-and-sandbox\"]\n\
                 home_files = [\".codex/config.toml\", \".codex/auth.json\"]\n",
            );
        }
        Agent::Opencode => {
            line(out, "[runner.opencode]", found);
            out.push_str(
                "profile = \"opencode\"\nargv = [\"opencode\", \"run\", \"--format\", \"json\", \"--auto\"]\n\
                 home_files = [\".config/opencode/opencode.json\", \".local/share/opencode/auth.json\"]\n",
            );
        }
        Agent::None => {
            line(out, "# [runner.agent]", "no agent was found on your PATH: name yours");
            out.push_str("# argv = [\"my-agent\"]\n");
        }
    }
    line(out, "# wrap = [\"bwrap\", \"...\"]", "a sandbox; without one the agent is your user");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn starter() -> Starter {
        Starter {
            landing: Landing::Push,
            repo: Some("me/project".to_owned()),
            tracker: Tracker::Local(PathBuf::from("/home/me/tracker")),
            agent: Agent::Claude,
            tests: vec!["cargo".to_owned(), "test".to_owned()],
            forge_later: false,
        }
    }

    #[test]
    fn every_starter_is_a_good_configuration_that_is_off() {
        // A way to land that this version refuses is refused at `init`, too.
        let known = |landing: &Landing| {
            *landing == Landing::Push
                || Config::load(Path::new("/c.toml"), "landing = \"pull-request\"\n", None).is_ok()
        };
        for landing in [Landing::Push, Landing::PullRequest].into_iter().filter(known) {
            for agent in [Agent::Claude, Agent::Codex, Agent::Opencode, Agent::None] {
                for tests in [vec![], vec!["sh".to_owned(), "a \"b\".sh".to_owned()]] {
                    for tracker in [
                        Tracker::Local(PathBuf::from("/a \"quoted\" place")),
                        Tracker::Network { kind: "github", url: None },
                    ] {
                        let forge_later = matches!(tracker, Tracker::Network { .. });
                        let made = Starter {
                            landing,
                            agent,
                            tests: tests.clone(),
                            tracker,
                            forge_later,
                            ..starter()
                        };
                        let text = text(&made);
                        let config = Config::load(Path::new("/c.toml"), &text, None);
                        let config = config.unwrap_or_else(|e| panic!("{e}\n{text}"));
                        assert!(config.global.kill_switch && config.allowlist.is_empty());
                        assert_eq!(config.run.landing.mode, landing);
                        assert_eq!(config.run.verify, tests);
                        let width = text.lines().map(|l| l.chars().count()).max().unwrap();
                        assert!(width <= 120 && text.lines().count() <= 36, "{width}\n{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn read_aloud() {
        insta::assert_snapshot!(text(&starter()), @r#"
        # offhours works while you are away. It is off: `offhours arm me/project` switches it on.
        # A line with # in front shows a default. `offhours config reference` explains every key.
        kill_switch = true
        allowlist = []

        landing = "push"                       # tested work goes straight to the branch
        verify = ["cargo", "test"]             # your tests, run before anything is pushed
        # budget_usd = 10                      # what one run may cost
        # daily_budget_usd = 40                # what all runs of a day may cost
        # max_running = 2                      # runs at the same time
        # dispatch_hours = ["22:00-06:00"]     # when work may start; always, if not set
        # ready_label = "ready-for-agent"      # you put it on an issue that is ready
        # human_label = "needs-human"          # offhours puts it on what comes back to you

        [forge.home]                           # issues as files, beside bare repositories
        kind = "local"
        path = "/home/me/tracker"

        [runner.claude]                        # found on your PATH
        profile = "claude"
        argv = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions"]
        env = ["ANTHROPIC_API_KEY"]
        # wrap = ["bwrap", "..."]              # a sandbox; without one the agent is your user

        [[ci.stage]]                           # what has to be green after the push
        name = "test"
        argv = ["cargo", "test"]
        "#);
    }

    #[test]
    fn remotes_are_told_apart() {
        let host = |url: &str| match guess_remote(url) {
            Some(RemoteGuess::Host { host: _, web, owner, name }) => format!("{web} {owner}/{name}"),
            Some(RemoteGuess::Folder { root, owner, name }) => format!("{} {owner}/{name}", root.display()),
            None => String::new(),
        };
        for (url, told) in [
            ("https://github.com/me/app.git", "https://github.com me/app"),
            ("https://user:secret@github.com/me/app", "https://github.com me/app"),
            ("git@codeberg.org:me/app.git", "https://codeberg.org me/app"),
            ("ssh://git@git.example.org:2222/me/app.git", "https://git.example.org me/app"),
            ("http://127.0.0.1:3000/me/app", "http://127.0.0.1:3000 me/app"),
            ("https://user:pw@git.example.org:8443/me/app", "https://git.example.org:8443 me/app"),
            ("https://host:80x/me/app", ""),
            ("/srv/tracker/me/app/repo.git", "/srv/tracker me/app"),
            ("/srv/git/app.git", ""),
            ("../elsewhere", ""),
            ("file:///srv/x/y", ""),
            ("https://github.com/app", ""),
            ("", ""),
            ("ext::sh -c evil", ""),
            ("https://host/me/$(evil)", ""),
        ] {
            assert_eq!(host(url), told, "{url}");
        }
        assert_eq!(guess_kind("github.com"), Some("github"));
        assert_eq!(guess_kind("codeberg.org"), Some("forgejo"));
        assert_eq!(guess_kind("git.example.org"), None);
    }
}
