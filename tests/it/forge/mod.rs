//! Simulated forges: one stateful model behind real HTTP on loopback, one dialect a forge, git by smart HTTP over real
//! repositories. They refuse what the real ones refuse, record every request, and fail on demand.
#![allow(
    clippy::too_many_lines,
    clippy::struct_excessive_bools,
    reason = "an API is one table of requests, an issue one row of facts"
)]

mod actions;
pub mod app;
pub mod gitea;
pub mod github;
mod server;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

use crate::world::git_program;

pub use actions::{Flow, Own};
pub use server::{Replay, Sim};

/// Which API it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Github,
    Gitea,
    Forgejo,
}

impl Dialect {
    /// As the config calls it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitea => "gitea",
            Self::Forgejo => "forgejo",
        }
    }

    /// Where its API is, below its address.
    pub fn api(self) -> &'static str {
        match self {
            Self::Github => "/api/v3",
            Self::Gitea | Self::Forgejo => "/api/v1",
        }
    }

    /// What an account needs there to ask for others' permissions.
    pub fn tool_permission(self) -> &'static str {
        match self {
            Self::Github => "write",
            Self::Gitea | Self::Forgejo => "admin",
        }
    }
}

/// What goes wrong, once or several times, at requests that fit.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Part of `METHOD /path?query`.
    pub at: String,
    /// Requests that fit and are left alone before.
    pub skip: u32,
    pub times: u32,
    pub what: Wrong,
}

#[derive(Clone, Debug)]
pub enum Wrong {
    /// This answer, without doing anything.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The act is done, and nobody is told.
    LoseAnswer,
    /// The answer breaks off in the middle.
    Truncate,
    /// The answer begins, and does not end before whoever asked hangs up.
    Slow,
}

/// A request as it was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET /path?query`.
    pub line: String,
    pub status: u16,
    pub git: bool,
    /// What came with it, and what it was answered with.
    pub body: Vec<u8>,
    pub reply: Reply,
}

#[derive(Clone, Debug, Default)]
pub struct Account {
    pub id: u64,
    pub bot: bool,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: u64,
    /// `labeled`, `unlabeled`, `renamed`, `commented`, `closed`, `reopened`.
    pub kind: &'static str,
    pub by: Option<String>,
    pub at: i64,
    pub label: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Comment {
    pub id: u64,
    pub by: String,
    pub at: i64,
    pub body: String,
    /// When it was edited last.
    pub edited: Option<i64>,
    /// Logins and their signs.
    pub reactions: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Issue {
    pub id: u64,
    pub number: u64,
    pub title: String,
    pub body: String,
    pub open: bool,
    pub reason: Option<String>,
    /// Empty where the account is gone.
    pub by: String,
    pub created: i64,
    pub updated: i64,
    pub labels: Vec<String>,
    pub comments: Vec<Comment>,
    pub events: Vec<Event>,
    /// Edits of the body: by whom, when.
    pub edits: Vec<(Option<String>, i64)>,
    /// Numbers of issues of the same repo.
    pub blocked_by: Vec<u64>,
    /// A pull request in the list of issues.
    pub pull: bool,
    /// It was moved to another repository, or deleted.
    pub moved: bool,
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub struct Pull {
    pub number: u64,
    pub branch: String,
    pub target: String,
    pub merged: Option<(String, String, i64)>,
    /// The head when it was closed or merged.
    pub last_head: Option<String>,
    pub reviews: Vec<Review>,
    /// From a fork's branch of that name.
    pub fork: bool,
    /// Whether it can be merged was worked out: Gitea and Forgejo do that some time after it was opened.
    pub checked: bool,
}

#[derive(Clone, Debug)]
pub struct Review {
    pub id: u64,
    pub by: String,
    pub state: &'static str,
    pub body: String,
    pub at: i64,
    pub notes: Vec<(String, u64, String)>,
    /// Answers to its notes, of anybody.
    pub replies: Vec<Comment>,
}

#[derive(Clone, Debug)]
pub struct CheckRun {
    pub id: u64,
    pub sha: String,
    pub name: String,
    pub status: &'static str,
    pub conclusion: Option<&'static str>,
    pub log: String,
    pub attempt: u32,
    /// The app that reports it, and the file of its workflow where that app is Actions.
    pub app: &'static str,
    pub workflow: &'static str,
}

#[derive(Clone, Debug)]
pub struct Status {
    pub id: u64,
    pub sha: String,
    pub context: String,
    pub state: String,
    pub by: String,
    pub url: Option<String>,
    pub at: i64,
}

/// A run of the workflow `test.yml` that was asked for.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub id: u64,
    pub sha: String,
    /// How it ended.
    pub green: Option<bool>,
    /// None of its jobs was to run.
    pub skipped: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Repo {
    pub dispatches: Vec<Dispatch>,
    /// Requests for a run are answered well, and forgotten.
    pub deaf: bool,
    pub id: u64,
    pub issues: Vec<Issue>,
    pub labels: Vec<(u64, String)>,
    /// Login and permission: `admin`, `write`, `read`.
    pub people: BTreeMap<String, &'static str>,
    pub checks: Vec<CheckRun>,
    pub statuses: Vec<Status>,
    /// Whether pushes are tested: red where a file `red` is in the tree.
    pub ci: bool,
    /// What its check is called, where it is not `build`.
    pub ci_name: Option<String>,
    /// What each commit is given besides, or instead.
    pub own: Own,
    /// Runs end as failed although their statuses are good.
    pub quiet_failure: bool,
    /// Runs of workflows that have no check.
    pub flows: Vec<Flow>,
    /// Actions has jobs to come that need those which are over.
    pub more_to_come: bool,
    /// A workflow without a job has to be allowed by somebody.
    pub asks_first: bool,
    /// Commits that were seen by CI.
    pub tested: BTreeSet<String>,
    /// The first run of each commit fails for no reason.
    pub flaky: bool,
    pub renamed: bool,
    pub pulls: Vec<Pull>,
    /// A rule of the repository.
    pub no_merge_commits: bool,
    /// Checks that its default branch requires, and whether that is said the older way.
    pub required: Vec<&'static str>,
    pub protected: bool,
    /// Nobody may read what it requires.
    pub hides_rules: bool,
    /// A rule that only an approval would lift.
    pub wants_approval: bool,
    /// The default branch when it was last looked at for closing words.
    pub seen_main: Option<String>,
}

/// All of it.
#[derive(Debug)]
pub struct Model {
    pub dialect: Dialect,
    pub clock: PathBuf,
    /// `owner/name/repo.git` below it.
    pub git: PathBuf,
    pub repos: BTreeMap<String, Repo>,
    pub people: BTreeMap<String, Account>,
    /// Token and login.
    pub tokens: BTreeMap<String, String>,
    pub app: Option<app::App>,
    pub log: Vec<Seen>,
    pub faults: Vec<Fault>,
    pub graphql: bool,
    /// Issues say how often their bodies were edited, as Gitea 1.26 does.
    pub content_version: bool,
    pub dependencies: bool,
    /// Logins whose permission nobody may ask for.
    pub unreadable: BTreeSet<String>,
    /// What the server says of tokens: scopes, and when they end.
    pub scopes: Option<&'static str>,
    pub token_ends: Option<i64>,
    /// Seconds by which the server's clock is behind.
    pub slow_clock: i64,
    /// Entries of a page at most, whatever is asked for.
    pub most_per_page: usize,
    next: u64,
}

/// An answer of a dialect.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        let json = ("content-type".to_owned(), "application/json; charset=utf-8".to_owned());
        Self { status, headers: vec![json], body: body.to_string().into_bytes() }
    }

    pub fn error(status: u16, message: &str) -> Self {
        Self::json(status, &serde_json::json!({ "message": message }))
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![] }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A request of a dialect, without the base of its API.
#[derive(Debug)]
pub struct Ask<'a> {
    pub method: &'a str,
    pub path: Vec<String>,
    pub query: BTreeMap<String, String>,
    pub body: Value,
    /// Who asks.
    pub login: &'a str,
    /// The API's own address.
    pub base: String,
    /// Entries of a page at most.
    pub most: usize,
    pub raw: &'a str,
}

impl Model {
    pub fn new(dialect: Dialect, clock: PathBuf, git: PathBuf) -> Self {
        Self {
            dialect,
            clock,
            git,
            repos: BTreeMap::new(),
            people: BTreeMap::new(),
            tokens: BTreeMap::new(),
            app: None,
            log: vec![],
            faults: vec![],
            graphql: true,
            content_version: dialect == Dialect::Gitea,
            dependencies: true,
            unreadable: BTreeSet::new(),
            scopes: None,
            token_ends: None,
            slow_clock: 0,
            most_per_page: 100,
            next: 1000,
        }
    }

    pub fn now(&self) -> i64 {
        fs::read_to_string(&self.clock).unwrap().trim().parse().unwrap()
    }

    /// Who has this token.
    pub fn who(&self, token: &str) -> Option<String> {
        let app = self.app.as_ref();
        let by_app = app.filter(|app| app.installation_of(token, self.now()).is_some()).map(app::App::login);
        self.tokens.get(token).cloned().or(by_app)
    }

    pub fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn person(&mut self, login: &str, token: Option<&str>) {
        let id = self.id();
        self.people.insert(login.to_owned(), Account { id, bot: login.ends_with("[bot]") });
        if let Some(token) = token {
            self.tokens.insert(token.to_owned(), login.to_owned());
        }
    }

    pub fn repo(&mut self, name: &str) -> &mut Repo {
        self.repos.get_mut(name).unwrap_or_else(|| panic!("no repo {name}"))
    }

    pub fn add_repo(&mut self, name: &str, people: &[(&str, &'static str)]) {
        let id = self.id();
        let mut labels = vec![];
        for label in ["ready-for-agent", "agent-in-progress", "needs-human"] {
            labels.push((self.id(), label.to_owned()));
        }
        let people = people.iter().map(|(login, may)| ((*login).to_owned(), *may)).collect();
        self.repos.insert(name.to_owned(), Repo { id, people, labels, ci: true, ..Repo::default() });
    }

    pub fn permission(&self, repo: &str, login: &str) -> &'static str {
        self.repos[repo].people.get(login).copied().unwrap_or("read")
    }

    pub fn may_write(&self, repo: &str, login: &str) -> bool {
        matches!(self.permission(repo, login), "write" | "admin")
    }

    pub fn issue(&mut self, repo: &str, number: u64) -> &mut Issue {
        self.repo(repo).issues.iter_mut().find(|i| i.number == number).unwrap()
    }

    /// A person opens an issue. Labels given with it are recorded as that person's own, as forms do.
    pub fn open(&mut self, repo: &str, by: &str, title: &str, body: &str, labels: &[&str]) -> u64 {
        let (id, now) = (self.id(), self.now());
        let number = self.repos[repo].issues.len() as u64 + 1;
        self.repo(repo).issues.push(Issue {
            id,
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            open: true,
            reason: None,
            by: by.to_owned(),
            created: now,
            updated: now,
            labels: vec![],
            comments: vec![],
            events: vec![],
            edits: vec![],
            blocked_by: vec![],
            pull: false,
            moved: false,
            deleted: false,
        });
        for label in labels {
            self.label(repo, number, label, Some(by), true);
        }
        number
    }

    pub fn happened(
        &mut self,
        repo: &str,
        number: u64,
        kind: &'static str,
        by: Option<&str>,
        label: Option<&str>,
    ) {
        let (id, at) = (self.id(), self.now());
        let issue = self.issue(repo, number);
        issue.updated = at;
        issue.events.push(Event { id, kind, by: by.map(str::to_owned), at, label: label.map(str::to_owned) });
    }

    pub fn label(&mut self, repo: &str, number: u64, label: &str, by: Option<&str>, on: bool) {
        let issue = self.issue(repo, number);
        let has = issue.labels.iter().any(|l| l.eq_ignore_ascii_case(label));
        if has == on {
            return;
        }
        if on {
            issue.labels.push(label.to_owned());
        } else {
            issue.labels.retain(|l| !l.eq_ignore_ascii_case(label));
        }
        self.happened(repo, number, if on { "labeled" } else { "unlabeled" }, by, Some(label));
    }

    /// Somebody changes the body.
    pub fn edit(&mut self, repo: &str, number: u64, by: Option<&str>, body: &str) {
        let now = self.now();
        let issue = self.issue(repo, number);
        body.clone_into(&mut issue.body);
        issue.updated = now;
        issue.edits.push((by.map(str::to_owned), now));
    }

    pub fn rename(&mut self, repo: &str, number: u64, by: &str, title: &str) {
        title.clone_into(&mut self.issue(repo, number).title);
        self.happened(repo, number, "renamed", Some(by), None);
    }

    pub fn comment(&mut self, repo: &str, number: u64, by: &str, body: &str) -> u64 {
        let (id, at) = (self.id(), self.now());
        self.issue(repo, number).comments.push(Comment {
            id,
            by: by.to_owned(),
            at,
            body: body.to_owned(),
            edited: None,
            reactions: BTreeSet::new(),
        });
        self.happened(repo, number, "commented", Some(by), None);
        id
    }

    /// CI sets a status.
    pub fn status(
        &mut self,
        repo: &str,
        sha: &str,
        context: &str,
        state: &str,
        by: &str,
        url: Option<&str>,
    ) -> u64 {
        let (id, at) = (self.id(), self.now());
        let (context, state, by) = (context.to_owned(), state.to_owned(), by.to_owned());
        self.repo(repo).statuses.push(Status {
            id,
            sha: sha.to_owned(),
            context,
            state,
            by,
            url: url.map(str::to_owned),
            at,
        });
        id
    }

    /// Somebody asks for a run of a workflow; false where there is none of that name or no such branch.
    pub fn dispatch(&mut self, repo: &str, workflow: &str, branch: &str) -> bool {
        let bare = self.git.join(repo).join("repo.git");
        let Some(sha) = tip(&bare, branch).filter(|_| workflow == "test.yml") else { return false };
        let id = self.id();
        if !self.repo(repo).deaf {
            self.repo(repo).dispatches.push(Dispatch { id, sha, green: None, skipped: false });
        }
        true
    }

    /// Somebody opens a pull request, which is an issue, too.
    pub fn open_pull(
        &mut self,
        repo: &str,
        by: &str,
        branch: &str,
        target: &str,
        title: &str,
        body: &str,
    ) -> u64 {
        let number = self.open(repo, by, title, body, &[]);
        self.issue(repo, number).pull = true;
        self.repo(repo).pulls.push(Pull {
            number,
            branch: branch.to_owned(),
            target: target.to_owned(),
            merged: None,
            last_head: None,
            reviews: vec![],
            fork: false,
            checked: false,
        });
        number
    }

    pub fn review(
        &mut self,
        repo: &str,
        number: u64,
        by: &str,
        state: &'static str,
        body: &str,
        notes: &[(&str, u64, &str)],
    ) {
        let (id, at) = (self.id(), self.now());
        let notes = notes.iter().map(|(p, l, b)| ((*p).to_owned(), *l, (*b).to_owned())).collect();
        let pull = self.repo(repo).pulls.iter_mut().find(|p| p.number == number).unwrap();
        pull.reviews.push(Review {
            id,
            by: by.to_owned(),
            state,
            body: body.to_owned(),
            at,
            notes,
            replies: vec![],
        });
    }

    /// Somebody answers below the newest review's notes, and the answer is changed at `edited`.
    pub fn reply(&mut self, repo: &str, number: u64, by: &str, body: &str, edited: Option<i64>) {
        let (id, at) = (self.id(), self.now());
        let pull = self.repo(repo).pulls.iter_mut().find(|p| p.number == number).unwrap();
        let (by, body, reactions) = (by.to_owned(), body.to_owned(), BTreeSet::new());
        let reply = Comment { id, by, at, body, edited, reactions };
        pull.reviews.last_mut().unwrap().replies.push(reply);
    }

    /// Somebody closes it without merging it.
    pub fn close_pull(&mut self, repo: &str, number: u64, by: &str) {
        let pull = self.repos[repo].pulls.iter().find(|p| p.number == number).unwrap().clone();
        let head = self.head_of(repo, &pull);
        self.repo(repo).pulls.iter_mut().find(|p| p.number == number).unwrap().last_head = Some(head);
        self.issue(repo, number).open = false;
        self.happened(repo, number, "closed", Some(by), None);
    }

    pub fn head_of(&self, repo: &str, pull: &Pull) -> String {
        let bare = self.git.join(repo).join("repo.git");
        pull.last_head.clone().or_else(|| tip(&bare, &pull.branch)).unwrap_or_default()
    }

    /// Merges with a merge commit. False: it conflicts.
    pub fn merge(&mut self, repo: &str, number: u64, by: &str) -> bool {
        let bare = self.git.join(repo).join("repo.git");
        let pull = self.repos[repo].pulls.iter().find(|p| p.number == number).unwrap().clone();
        let head = self.head_of(repo, &pull);
        let onto = tip(&bare, &pull.target).unwrap();
        let (clean, tree) = run(&bare, &["merge-tree", "--write-tree", &onto, &head]);
        if !clean {
            return false;
        }
        let text = format!("Merge pull request #{number}");
        let commit = run(
            &bare,
            &[
                "-c",
                "user.name=Forge",
                "-c",
                "user.email=forge@example.test",
                "commit-tree",
                tree.trim(),
                "-p",
                &onto,
                "-p",
                &head,
                "-m",
                &text,
            ],
        );
        let commit = commit.1.trim().to_owned();
        assert!(run(&bare, &["update-ref", &format!("refs/heads/{}", pull.target), &commit]).0);
        let now = self.now();
        let pull = self.repo(repo).pulls.iter_mut().find(|p| p.number == number).unwrap();
        pull.merged = Some((by.to_owned(), commit, now));
        pull.last_head = Some(head);
        self.issue(repo, number).open = false;
        self.happened(repo, number, "closed", Some(by), None);
        self.test_pushes();
        self.close_by_words(repo, by);
        true
    }

    /// Commits that came to the default branch close the issues that they name.
    pub fn close_by_words(&mut self, repo: &str, by: &str) {
        let bare = self.git.join(repo).join("repo.git");
        let main = tip(&bare, "main").unwrap();
        let before = self.repo(repo).seen_main.replace(main.clone());
        let Some(before) = before else { return };
        let messages = run(&bare, &["log", "--format=%B", &format!("{before}..{main}")]).1;
        for number in 1..=self.repos[repo].issues.len() as u64 {
            let named = messages.lines().any(|l| l.trim() == format!("Closes #{number}"));
            if named && self.issue(repo, number).open {
                self.issue(repo, number).open = false;
                self.happened(repo, number, "closed", Some(by), None);
            }
        }
    }

    /// What failed is run once more.
    pub fn rerun(&mut self, repo: &str, id: u64) {
        let bare = self.git.join(repo).join("repo.git");
        if let Some(flow) = self.repo(repo).flows.iter_mut().find(|f| f.id == id) {
            flow.attempt += 1;
            flow.conclusion = "success";
            return;
        }
        let check = self.repo(repo).checks.iter_mut().find(|c| c.id == id).unwrap();
        let (red, log) = run(&bare, &["show", &format!("{}:red", check.sha)]);
        check.attempt += 1;
        check.conclusion = Some(if red { "failure" } else { "success" });
        check.log = log;
    }

    /// CI looks at every branch that moved.
    pub fn test_pushes(&mut self) {
        let names: Vec<String> = self.repos.iter().filter(|(_, r)| r.ci).map(|(n, _)| n.clone()).collect();
        for name in names {
            let bare = self.git.join(&name).join("repo.git");
            for sha in heads(&bare) {
                if !self.repo(&name).tested.insert(sha.clone()) {
                    continue;
                }
                let (red, log) = run(&bare, &["show", &format!("{sha}:red")]);
                let (flaky, called) = (self.repo(&name).flaky, self.repo(&name).ci_name.clone());
                let good = if red || flaky { "failure" } else { "success" };
                let checks = self.repo(&name).own.checks.clone();
                let usual = vec![("github-actions", "ci.yml", good)];
                for (app, workflow, conclusion) in if checks.is_empty() { usual } else { checks } {
                    let id = self.id();
                    self.repo(&name).checks.push(CheckRun {
                        id,
                        sha: sha.clone(),
                        name: called.clone().unwrap_or_else(|| "build".to_owned()),
                        status: "completed",
                        conclusion: Some(conclusion),
                        log: if flaky { "a flake".to_owned() } else { log.clone() },
                        attempt: 1,
                        app,
                        workflow,
                    });
                }
                self.give(&name, &sha);
            }
        }
    }
}

/// The commit of a branch, where there is one.
pub fn tip(bare: &Path, branch: &str) -> Option<String> {
    // Without a process: each answer about a pull request names two.
    let loose = fs::read_to_string(bare.join("refs/heads").join(branch));
    let packed = || run(bare, &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{branch}")]);
    let (known, sha) = loose.map_or_else(|_| packed(), |sha| (true, sha));
    known.then(|| sha.trim().to_owned())
}

/// The commits of all branches.
fn heads(bare: &Path) -> Vec<String> {
    if bare.join("packed-refs").exists() {
        let told = run(bare, &["for-each-ref", "--format=%(objectname)", "refs/heads"]).1;
        return told.lines().map(str::to_owned).collect();
    }
    let mut found = vec![];
    let mut left = vec![bare.join("refs/heads")];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                left.push(entry);
            } else if entry.extension().is_none_or(|e| e != "lock") {
                // It may have gone since it was listed.
                found.extend(fs::read_to_string(entry).map(|sha| sha.trim().to_owned()));
            }
        }
    }
    found
}

/// Runs git; whether it was good, and what it printed.
pub fn run(dir: &Path, args: &[&str]) -> (bool, String) {
    let out = Command::new(git_program())
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Shared between the test and its server.
#[derive(Clone, Debug)]
pub struct Shared(pub Arc<Mutex<Model>>);

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
