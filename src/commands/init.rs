//! `init`: writes a first configuration out of what it finds, and never over one that is there.
#![allow(
    clippy::disallowed_methods,
    reason = "it looks at the environment of the person who sits in front of it"
)]

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::output;
use crate::app::{files, probe};
use crate::cli::Global;
use crate::config::{self as cfg, Agent, Config, RemoteGuess, Starter, Tracker};
use crate::domain::escape::sanitize;
use crate::domain::model::{Landing, RepoId};
use crate::error::Error;
use clap::{Args, ValueEnum};
use serde_json::json;

/// Kinds of forges on a network, as the configuration spells them.
const FORGES: [&str; 3] = ["github", "forgejo", "gitea"];

#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// How finished work reaches the branch; asked for on a terminal
    #[arg(long, value_name = "HOW", value_enum)]
    pub landing: Option<LandingArg>,
    /// The repo to begin with, as owner/repo [default: what the remotes of this folder name]
    #[arg(long, value_name = "REPO")]
    pub repo: Option<String>,
    /// The folder of a local forge: issues as files beside bare repositories
    #[arg(long, value_name = "DIR")]
    pub local: Option<PathBuf>,
    /// What kind of server the remote is on, where its name does not say it
    #[arg(long, value_name = "KIND", value_parser = FORGES, conflicts_with = "local")]
    pub forge: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LandingArg {
    /// A person reviews and merges
    PullRequest,
    /// Tested work goes straight to the branch; the tests are the gate
    Push,
}

pub fn run(global: &Global, args: &InitArgs) -> Result<u8, Error> {
    let path = cfg::place(global.config.as_deref(), &|name| std::env::var_os(name))?;
    if path.exists() {
        return Err(Error::usage(format!("{} is there already; `init` writes over nothing", path.display()))
            .hint("`offhours config check` looks at it; name another file with --config"));
    }
    let here = std::env::current_dir()
        .map_err(|e| Error::later(format!("the folder that you are in cannot be looked at: {e}")))?;
    let remote =
        probe::remotes(&here).into_iter().find_map(|(name, url)| Some((name, cfg::guess_remote(&url)?)));
    let landing = landing(args)?;
    let mut starter = Starter {
        landing,
        repo: repo(args, remote.as_ref().map(|(_, r)| r))?,
        tracker: tracker(args, remote.as_ref().map(|(_, r)| r), &here)?,
        agent: agent(),
        tests: tests(&here),
        forge_later: false,
    };
    let mut text = cfg::starter_text(&starter);
    // What is written has to be a good config. A kind of forge that is not known yet stays a comment.
    if Config::load(&path, &text, None).is_err() {
        starter.forge_later = true;
        text = cfg::starter_text(&starter);
        Config::load(&path, &text, None)?;
    }
    if !global.dry_run {
        write(&path, &text)?;
    }
    let from = remote.map(|(name, _)| format!(" (from the remote {})", sanitize(&name, 40)));
    let words = told(&path, &starter, &from.unwrap_or_default(), global.dry_run, &text);
    let item = json!({ "path": path, "repo": starter.repo, "text": text });
    output::answer(global, "init", &words, &[item]);
    Ok(0)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let trouble = |e: std::io::Error| {
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            Error::usage(format!("{} is there already; `init` writes over nothing", path.display()))
        } else {
            Error::later(format!("{} could not be written: {e}", path.display()))
        }
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(trouble)?;
    }
    files::create_whole(path, text.as_bytes()).map_err(trouble)
}

/// By the flag, or by a question to the person at the terminal.
fn landing(args: &InitArgs) -> Result<Landing, Error> {
    match args.landing {
        Some(LandingArg::Push) => return Ok(Landing::Push),
        Some(LandingArg::PullRequest) => return Ok(Landing::PullRequest),
        None => {}
    }
    let undecided = || {
        Error::usage("how finished work reaches the branch is yours to decide")
            .hint("--landing push: tested work goes straight to it; --landing pull-request: a person merges")
    };
    if !std::io::stdin().is_terminal() {
        return Err(undecided());
    }
    let mut terminal = std::io::stderr().lock();
    terminal
        .write_all(
            b"How does finished work reach your branch?\n  \
              1  pull request: a person reviews and merges\n  \
              2  push: tested work goes straight to the branch; your tests are the gate\n[1/2] ",
        )
        .and_then(|()| terminal.flush())
        .map_err(|e| Error::later(format!("asking on the terminal: {e}")))?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|e| Error::later(format!("reading the answer from the terminal: {e}")))?;
    match answer.trim() {
        "1" => Ok(Landing::PullRequest),
        "2" => Ok(Landing::Push),
        _ => Err(undecided()),
    }
}

fn repo(args: &InitArgs, remote: Option<&RemoteGuess>) -> Result<Option<String>, Error> {
    if let Some(named) = &args.repo {
        let id = RepoId::parse(named, Some("any")).ok_or_else(|| {
            Error::usage(format!("\"{}\" is not a repo: write owner/repo", sanitize(named, 80)))
        })?;
        return Ok(Some(id.path()));
    }
    Ok(remote.map(|r| match r {
        RemoteGuess::Host { owner, name, .. } | RemoteGuess::Folder { owner, name, .. } => {
            format!("{owner}/{name}")
        }
    }))
}

fn tracker(args: &InitArgs, remote: Option<&RemoteGuess>, here: &Path) -> Result<Tracker, Error> {
    if let Some(folder) = &args.local {
        return Ok(Tracker::Local(here.join(folder)));
    }
    match remote {
        Some(RemoteGuess::Folder { root, .. }) => Ok(Tracker::Local(root.clone())),
        Some(RemoteGuess::Host { host, web, .. }) => {
            let told = FORGES.into_iter().find(|kind| args.forge.as_deref() == Some(*kind));
            match told.or_else(|| cfg::guess_kind(host)) {
                Some(kind) => {
                    let own = host == "github.com";
                    Ok(Tracker::Network { kind, url: (!own).then(|| web.clone()) })
                }
                None => Err(Error::usage(format!(
                    "what kind of forge {host} is cannot be told from its name"
                ))
                .hint(
                    "say it with --forge github, forgejo or gitea; or name a local forge with --local DIR",
                )),
            }
        }
        None => {
            let home = std::env::var_os("HOME").map(PathBuf::from).filter(|h| h.is_absolute());
            let home = home.ok_or_else(|| {
                Error::usage("there is no remote here to tell where the issues are")
                    .hint("name a folder with --local DIR")
            })?;
            Ok(Tracker::Local(home.join("offhours/tracker")))
        }
    }
}

fn agent() -> Agent {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |agent: &Agent| agent.program().is_some_and(|name| probe::on_path(name, &path).is_some());
    Agent::ALL.into_iter().find(there).unwrap_or(Agent::None)
}

/// How the tests of the repository in this folder are usually run.
fn tests(here: &Path) -> Vec<String> {
    let made = |name: &str| {
        std::fs::read_to_string(here.join(name))
            .is_ok_and(|text| text.lines().any(|l| l.starts_with("test:")))
    };
    let usual: &[(&str, &[&str])] = &[
        ("Cargo.toml", &["cargo", "test"]),
        ("go.mod", &["go", "test", "./..."]),
        ("package.json", &["npm", "test"]),
        ("pyproject.toml", &["python3", "-m", "pytest"]),
        ("test.sh", &["sh", "test.sh"]),
    ];
    let words: &[&str] = if made("Makefile") {
        &["make", "test"]
    } else {
        usual.iter().find(|(file, _)| here.join(file).is_file()).map_or(&[], |(_, words)| words)
    };
    words.iter().map(|w| (*w).to_owned()).collect()
}

fn told(path: &Path, starter: &Starter, from: &str, dry: bool, text: &str) -> String {
    let written = if dry { "would be written" } else { "is written" };
    let mut out = format!("{} {written}, switched off\n\n", path.display());
    let repo = starter.repo.as_deref().unwrap_or("REPO");
    let forge = match &starter.tracker {
        Tracker::Local(root) => format!("local, {}", root.display()),
        Tracker::Network { kind, .. } if starter.forge_later => format!("{kind}: not in this version yet"),
        Tracker::Network { kind, .. } => format!("{kind}; put its token into {kind}-token beside the file"),
    };
    let agent = starter
        .agent
        .program()
        .map_or("none on your PATH; name yours in the file".to_owned(), |p| format!("{p}, on your PATH"));
    let tests = if starter.tests.is_empty() {
        "not known; set `verify` in the file".to_owned()
    } else {
        starter.tests.join(" ")
    };
    for (name, value) in
        [("repo", format!("{repo}{from}")), ("forge", forge), ("agent", agent), ("tests", tests)]
    {
        out.push_str(&format!("  {name:<7} {value}\n"));
    }
    if dry {
        out.push_str(&format!("\n{text}"));
        return out;
    }
    out.push_str("\nnext:\n");
    let next = [
        ("offhours doctor".to_owned(), "say what is missing, with a remedy each"),
        (format!("offhours arm {repo} --dry-run"), "show what would start"),
        (format!("offhours arm {repo}"), "switch it on"),
        ("offhours schedule install".to_owned(), "have cron start a tick every two minutes"),
    ];
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, meaning) in next {
        out.push_str(&format!("  {command:<width$}  {meaning}\n"));
    }
    out
}
