//! Stories on simulated forges over the network: the whole loop through the binary, with real git over HTTP.

use std::fs;

use super::forge::{Dialect, Fault, Model, Sim, Wrong};
use super::world::{GOOD_AGENT, START, World, git, reasons};

/// The token of the account that offhours has.
pub const TOKEN: &str = "hub-token-4f1d7c";

/// A world whose forge is a server.
pub struct Hub {
    pub world: World,
    pub sim: Sim,
}

impl Hub {
    /// The repository `me/app` with its owner `ada`, the account `helper` that offhours has, and a stranger.
    pub fn new(dialect: Dialect) -> Self {
        let world = World::in_memory();
        let mut model = Model::new(dialect, world.path("clock"), world.path("tracker"));
        model.person("ada", Some("ada-token"));
        model.person("helper", Some(TOKEN));
        model.person("mallory", Some("mallory-token"));
        model.person("robot[bot]", None);
        model.add_repo("me/app", &[("ada", "admin"), ("helper", dialect.tool_permission())]);
        model.close_by_words("me/app", "nobody");
        let sim = Sim::start(model);
        let hub = Self { world, sim };
        hub.world.agent(GOOD_AGENT);
        hub.configure(&["me/app"], "");
        hub
    }

    /// Armed for these repos; `extra` as in [`World::configure`].
    pub fn configure(&self, repos: &[&str], extra: &str) {
        let (top, tables) = extra.split_once("---\n").unwrap_or(("", extra));
        let kind = self.sim.model.lock().dialect.kind();
        let token = self.world.path("token");
        fs::write(&token, format!("{TOKEN}\n")).unwrap();
        let notices = self.world.path("notices").display().to_string();
        let sink =
            self.world.script("notify.sh", &format!("#!/bin/sh\ncat >> {notices}\necho >> {notices}\n"));
        let list: Vec<String> = repos.iter().map(|r| format!("\"{r}\"")).collect();
        let verify = if top.contains("verify =") { "" } else { "verify = [\"sh\", \"test.sh\"]\n" };
        let landing = if top.contains("landing =") { "" } else { "landing = \"push\"\n" };
        let ci = if tables.contains("[ci]") { "" } else { "[ci]\ngrace_seconds = 0\n" };
        let text = format!(
            "kill_switch = false\nallowlist = [{}]\n{landing}machine = \"test\"\n{verify}{top}\n\
             [forge.hub]\nkind = \"{kind}\"\nurl = \"{}\"\ntoken = {{ file = \"{}\" }}\n\
             [runner.agent]\nargv = [\"{}\"]\n\
             [notify.sink]\nkind = \"command\"\nargv = [\"{}\"]\n\
             {ci}[[ci.stage]]\nname = \"forge\"\nkind = \"forge\"\n{tables}",
            list.join(", "),
            self.sim.url,
            token.display(),
            self.world.path("agent.sh").display(),
            sink.display(),
        );
        fs::write(self.world.path("config.toml"), text).unwrap();
    }

    /// So many ticks, a minute apart, with their jobs at their ends. Returns what was done.
    pub fn rounds(&self, count: usize) -> Vec<String> {
        let mut told = vec![];
        for _ in 0..count {
            told.extend(self.world.tick());
            self.world.jobs_end();
            self.world.advance(60);
        }
        told
    }

    /// A ready issue by the owner.
    pub fn ready(&self, title: &str) -> u64 {
        self.ready_in("me/app", title)
    }

    /// A ready issue by the owner, in another repository than the first.
    pub fn ready_in(&self, repo: &str, title: &str) -> u64 {
        let mut model = self.sim.model.lock();
        let number = model.open(repo, "ada", title, "Please.", &[]);
        model.label(repo, number, "ready-for-agent", Some("ada"), true);
        number
    }

    /// Another repository of the owner.
    pub fn add(&self, repo: &str) {
        self.world.repo(repo);
        let mut model = self.sim.model.lock();
        let may = model.dialect.tool_permission();
        model.add_repo(repo, &[("ada", "admin"), ("helper", may)]);
        model.close_by_words(repo, "nobody");
    }

    pub fn labels(&self, number: u64) -> Vec<String> {
        self.sim.model.lock().issue("me/app", number).labels.clone()
    }

    pub fn is_open(&self, number: u64) -> bool {
        self.sim.model.lock().issue("me/app", number).open
    }

    pub fn comments(&self, number: u64) -> Vec<String> {
        self.sim.model.lock().issue("me/app", number).comments.iter().map(|c| c.body.clone()).collect()
    }

    pub fn is_merged(&self) -> bool {
        self.sim.model.lock().repos["me/app"].pulls.iter().any(|pull| pull.merged.is_some())
    }

    pub fn reason(&self, number: u64) -> String {
        self.world.reason(&format!("hub:me/app#{number}"))
    }
}

pub const ALL: [Dialect; 3] = [Dialect::Github, Dialect::Gitea, Dialect::Forgejo];

#[test]
fn a_ready_issue_becomes_landed_code() {
    for dialect in ALL {
        let hub = Hub::new(dialect);
        let number = hub.ready("Solve it");
        let told = hub.world.until_idle();
        let requests = hub.sim.requests();
        let all = format!("{told:#?}\n{requests:#?}");
        assert!(hub.world.files("me/app").contains(&"done-1.txt".to_owned()), "{all}");
        assert!(!hub.is_open(number), "{all}");
        assert_eq!(hub.labels(number), Vec::<String>::new(), "{all}");
        assert_eq!(hub.comments(number).len(), 2, "{all}");
        assert_eq!(hub.world.claims("me/app"), Vec::<String>::new(), "{all}");
        assert!(
            hub.comments(number)[1].contains("build"),
            "the receipt names the check: {:?}",
            hub.comments(number)
        );
    }
}

/// A dialect, and whether it tells who edited: GitHub with GraphQL and without, Gitea that counts edits and that does
/// not, Forgejo.
const HISTORIES: [(Dialect, bool); 5] = [
    (Dialect::Github, true),
    (Dialect::Github, false),
    (Dialect::Gitea, true),
    (Dialect::Gitea, false),
    (Dialect::Forgejo, false),
];

impl Hub {
    fn telling(dialect: Dialect, history: bool) -> Self {
        let hub = Self::new(dialect);
        {
            let mut model = hub.sim.model.lock();
            model.graphql = history;
            model.content_version = history;
        }
        hub
    }
}

/// Who labelled, who edited: each case with the reason it is left alone for, where edits are told and where not.
#[expect(clippy::too_many_lines, reason = "a table")]
#[test]
fn what_nobody_trusted_asked_for_is_left_alone() {
    type Prepare = fn(&mut Model);
    let cases: [(&str, Prepare, &str, &str); 9] = [
        (
            "labelled by its reporter through a form",
            |m| assert_eq!(m.open("me/app", "mallory", "t", "b", &["ready-for-agent"]), 1),
            "untrusted-labeller",
            "untrusted-labeller",
        ),
        (
            "labelled by a stranger",
            |m| {
                m.open("me/app", "ada", "t", "b", &[]);
                m.label("me/app", 1, "ready-for-agent", Some("mallory"), true);
            },
            "untrusted-labeller",
            "untrusted-labeller",
        ),
        (
            "labelled by a bot that is not named",
            |m| {
                m.open("me/app", "ada", "t", "b", &[]);
                m.label("me/app", 1, "ready-for-agent", Some("robot[bot]"), true);
            },
            "bot-not-named",
            "bot-not-named",
        ),
        (
            "labelled by somebody whose permission cannot be read",
            |m| {
                m.unreadable.insert("ada".into());
                m.open("me/app", "ada", "t", "b", &["ready-for-agent"]);
            },
            "permission-unreadable",
            "permission-unreadable",
        ),
        (
            "labelled by nobody that the forge names",
            |m| {
                m.open("me/app", "ada", "t", "b", &[]);
                m.label("me/app", 1, "ready-for-agent", None, true);
            },
            "unattributed",
            "unattributed",
        ),
        (
            "labelled by somebody trusted, then by a stranger",
            |m| {
                m.open("me/app", "ada", "t", "b", &["ready-for-agent"]);
                m.label("me/app", 1, "ready-for-agent", Some("mallory"), false);
                m.label("me/app", 1, "ready-for-agent", Some("mallory"), true);
            },
            "untrusted-labeller",
            "untrusted-labeller",
        ),
        (
            "edited by its author after the label",
            |m| {
                m.open("me/app", "mallory", "t", "b", &[]);
                m.label("me/app", 1, "ready-for-agent", Some("ada"), true);
                let later = m.now() + 60;
                std::fs::write(&m.clock, later.to_string()).unwrap();
                m.edit("me/app", 1, Some("mallory"), "run this");
            },
            "approval-void",
            "edited-unattributed",
        ),
        (
            "renamed by its author after the label",
            |m| {
                m.open("me/app", "mallory", "t", "b", &[]);
                m.label("me/app", 1, "ready-for-agent", Some("ada"), true);
                m.rename("me/app", 1, "mallory", "run this");
            },
            "approval-void",
            "approval-void",
        ),
        (
            "edited by a stranger, then by somebody trusted",
            |m| {
                m.open("me/app", "mallory", "t", "b", &[]);
                m.label("me/app", 1, "ready-for-agent", Some("ada"), true);
                let later = m.now() + 60;
                std::fs::write(&m.clock, later.to_string()).unwrap();
                m.edit("me/app", 1, Some("mallory"), "run this");
                m.edit("me/app", 1, Some("ada"), "run this, please");
            },
            "approval-void",
            "edited-unattributed",
        ),
    ];
    for (what, prepare, with, without) in cases {
        for (dialect, history) in HISTORIES {
            let hub = Hub::telling(dialect, history);
            prepare(&mut hub.sim.model.lock());
            let answer = hub.world.offhours(&["poll", "--dry-run", "--json"]);
            // Gitea's count says that it was edited, not by whom.
            let wanted = if history && dialect == Dialect::Github { with } else { without };
            let requests = hub.sim.requests();
            assert_eq!(
                reasons(&answer).join(" "),
                format!("hub:me/app#1 {wanted}"),
                "{what} on {dialect:?}, told {history}: {requests:#?} {}",
                answer.stderr
            );
            let writes = requests.iter().filter(|r| !r.starts_with("GET ") && !r.contains("/graphql "));
            assert_eq!(writes.count(), 0, "a dry run writes nothing: {requests:#?}");
        }
    }
}

/// An issue that was seen as approved and could not start yet is looked at again when it can.
#[test]
fn an_edit_after_the_first_sight_voids_the_approval() {
    // Without a history of bodies a stranger's issue is approved only while the server counts no change.
    for (dialect, wanted) in [(Dialect::Github, "approval-void"), (Dialect::Gitea, "edited-unattributed")] {
        let hub = Hub::telling(dialect, true);
        {
            let mut model = hub.sim.model.lock();
            model.open("me/app", "mallory", "t", "b", &[]);
            model.open("me/app", "mallory", "the other", "b", &[]);
            model.label("me/app", 1, "ready-for-agent", Some("ada"), true);
            model.issue("me/app", 1).blocked_by = vec![2];
        }
        hub.world.offhours(&["poll"]);
        assert_eq!(hub.reason(1), "blocked");
        hub.world.advance(60);
        {
            let mut model = hub.sim.model.lock();
            model.issue("me/app", 2).open = false;
            model.edit("me/app", 1, Some("mallory"), "run this");
        }
        hub.world.offhours(&["poll"]);
        assert_eq!(hub.reason(1), wanted);
        assert_eq!(hub.world.claims("me/app"), Vec::<String>::new());
        // The label applied again is a fresh approval, of the text as it is now, where it is told when that changes.
        hub.world.advance(60);
        {
            let mut model = hub.sim.model.lock();
            model.label("me/app", 1, "ready-for-agent", Some("ada"), false);
            model.label("me/app", 1, "ready-for-agent", Some("ada"), true);
        }
        hub.world.until_idle();
        assert_eq!(hub.is_open(1), dialect == Dialect::Gitea, "{}", hub.reason(1));
    }
}

/// After a lost state file nobody knows how a stranger's text stood when it was labelled, unless the server keeps its
/// history. What only trusted people can change needs no memory.
#[test]
fn a_lost_state_file_makes_strangers_texts_unknown_where_edits_have_no_history() {
    for (dialect, history) in HISTORIES {
        let hub = Hub::telling(dialect, history);
        hub.ready("The first");
        hub.world.until_idle();
        hub.ready("The second");
        {
            let mut model = hub.sim.model.lock();
            model.open("me/app", "mallory", "The third", "b", &[]);
            model.label("me/app", 3, "ready-for-agent", Some("ada"), true);
        }
        hub.world.advance(60);
        hub.world.lose_state();
        assert_eq!(hub.world.tick(), Vec::<String>::new(), "the first tick only looks");
        hub.world.advance(60);
        let told = hub.world.until_idle();
        assert!(!hub.is_open(2), "{dialect:?} {told:?} {}", hub.reason(2));
        assert_eq!(hub.is_open(3), !history, "{dialect:?} {told:?} {}", hub.reason(3));
        if !history {
            assert_eq!(hub.reason(3), "approval-unknown", "{dialect:?} {told:?}");
        }
    }
}

/// While its forge cannot say that the claim still stands, nothing is done with a run, and nothing else is started.
#[test]
fn a_run_is_taken_up_once_its_forge_answers() {
    let hub = Hub::new(Dialect::Github);
    hub.ready("Solve it");
    hub.world.tick();
    hub.world.jobs_end();
    hub.world.lose_state();
    let gone = Wrong::Answer(502, vec![], "<html><h1>Bad gateway</h1></html>".to_owned());
    hub.sim.model.lock().faults.push(Fault { at: " /".to_owned(), skip: 0, times: 1000, what: gone });
    for _ in 0..2 {
        assert_eq!(hub.world.tick(), Vec::<String>::new());
        hub.world.advance(60);
    }
    hub.sim.model.lock().faults.clear();
    hub.world.advance(3600);
    assert_eq!(hub.world.tick(), ["hub:me/app#1 taken-up"]);
    hub.world.until_idle();
    assert_eq!(hub.reason(1), "landed");
    assert_eq!(hub.comments(1).len(), 2, "{:?}", hub.comments(1));
}

/// Red in CI: the log reaches the agent, after one rerun of what failed.
#[test]
fn red_checks_are_run_again_and_then_mended() {
    for dialect in ALL {
        let hub = Hub::new(dialect);
        hub.configure(&["me/app"], "verify = []\n---\n");
        let prompts = hub.world.path("prompts");
        hub.world.agent(&format!(
            "printf '%s' \"$prompt\" >> {}\n\
         if [ -e red ]; then git rm -q red; git commit -q -m 'Mend it'; else \
         echo 'assertion failed: left == right' > red; git add red; git commit -q -m 'Break it'; fi\n",
            prompts.display()
        ));
        let number = hub.ready("Solve it");
        let told = hub.world.until_idle();
        let requests = hub.sim.requests();
        let reruns = requests.iter().filter(|r| r.starts_with("POST ") && r.contains("/rerun")).count();
        assert_eq!(reruns, 1, "{told:?} {requests:#?}");
        assert!(!hub.is_open(number), "{told:?} {requests:#?}");
        assert!(fs::read_to_string(prompts).unwrap().contains("assertion failed: left == right"));
        assert!(told.iter().any(|t| t.ends_with("fix-forward")), "{told:?}");
    }
}

#[test]
fn a_flake_costs_no_turn() {
    let hub = Hub::new(Dialect::Github);
    let base = git(&hub.world.bare("me/app"), &["rev-parse", "main"]).trim().to_owned();
    {
        let mut model = hub.sim.model.lock();
        model.repo("me/app").flaky = true;
        model.repo("me/app").tested.insert(base);
    }
    let number = hub.ready("Solve it");
    let told = hub.world.until_idle();
    assert!(!hub.is_open(number), "{told:?}");
    assert!(!told.iter().any(|t| t.ends_with("fix-forward")), "{told:?}");
}

#[test]
fn a_server_that_limits_is_not_asked_before_its_time() {
    let limited = |headers: Vec<(&'static str, String)>, status| {
        let hub = Hub::new(Dialect::Github);
        hub.ready("Solve it");
        let what = Wrong::Answer(
            status,
            headers,
            r#"{"message":"You have exceeded a secondary rate limit"}"#.to_owned(),
        );
        hub.sim.model.lock().faults.push(Fault { at: "/issues?".into(), skip: 0, times: 1, what });
        let first = hub.world.offhours(&["poll"]);
        assert_eq!(first.code, 75, "{}", first.stderr);
        assert!(first.stderr.contains("limits us"), "{}", first.stderr);
        hub.sim.requests();
        hub
    };
    let reset = START + 500;
    for (headers, status, seconds) in [
        (vec![("retry-after", "100".to_owned())], 429, 100),
        (vec![("retry-after", "100".to_owned())], 403, 100),
        (vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", reset.to_string())], 403, 500),
        (vec![], 403, 60),
    ] {
        let hub = limited(headers, status);
        hub.world.advance(seconds - 1);
        hub.world.offhours(&["tick"]);
        assert_eq!(hub.sim.requests(), Vec::<String>::new(), "asked before its time");
        hub.world.advance(1);
        hub.world.offhours(&["poll", "--dry-run"]);
        assert!(!hub.sim.requests().is_empty(), "not asked at its time");
    }
}

/// Two hundred repos without news: one request each, and none of them counts against a limit.
#[test]
fn an_idle_tick_asks_each_repo_once() {
    let hub = Hub::new(Dialect::Github);
    let names: Vec<String> = (0..200).map(|n| format!("me/r{n}")).collect();
    {
        let mut model = hub.sim.model.lock();
        for name in &names {
            model.add_repo(name, &[("ada", "admin"), ("helper", "write")]);
        }
    }
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    hub.configure(&list, "");
    hub.world.offhours(&["tick"]).ok();
    hub.sim.requests();
    hub.world.advance(120);
    hub.world.offhours(&["tick"]).ok();
    let requests = hub.sim.requests();
    assert_eq!(requests.len(), 200, "{requests:#?}");
    assert_eq!(requests.iter().collect::<std::collections::BTreeSet<_>>().len(), 200);
    assert!(requests.iter().all(|r| r.starts_with("GET ") && r.ends_with(" 304")), "{requests:#?}");
}

#[test]
fn a_dispatch_costs_at_most_twelve_requests() {
    let hub = Hub::new(Dialect::Github);
    hub.ready("The first");
    hub.world.until_idle();
    hub.ready("The second");
    hub.sim.model.lock().comment("me/app", 2, "ada", "Mind the gap.");
    hub.sim.requests();
    hub.world.advance(600);
    let polled = hub.world.offhours(&["poll", "--json"]);
    let requests = hub.sim.requests();
    assert_eq!(polled.code, 0, "{} {requests:#?}", polled.stdout);
    assert!(requests.iter().any(|r| r.starts_with("POST ") && r.contains("/comments ")), "{requests:#?}");
    assert!(requests.len() <= 12, "{} requests: {requests:#?}", requests.len());
    hub.world.until_idle();
    assert!(!hub.is_open(2));
}

/// Tool and owner under one account: what is ours is what was recorded.
#[test]
fn one_account_for_tool_and_owner_changes_nothing() {
    for dialect in ALL {
        let hub = Hub::new(dialect);
        hub.sim.model.lock().tokens.insert(TOKEN.to_owned(), "ada".to_owned());
        let number = hub.ready("Solve it");
        hub.sim.model.lock().comment("me/app", number, "ada", "Mind the gap.");
        let told = hub.world.until_idle();
        assert!(!hub.is_open(number), "{dialect:?} {told:?}");
        assert_eq!(hub.comments(number).len(), 3, "{dialect:?}");
    }
}

#[test]
fn an_issue_that_moved_is_handed_back() {
    let cases = [
        (Dialect::Github, false),
        (Dialect::Github, true),
        (Dialect::Gitea, true),
        (Dialect::Forgejo, false),
    ];
    for (dialect, renamed) in cases {
        let hub = Hub::new(dialect);
        hub.world.agent("sleep 60\n");
        hub.ready("Solve it");
        hub.world.tick();
        assert_eq!(hub.world.claims("me/app").len(), 2);
        {
            let mut model = hub.sim.model.lock();
            if renamed {
                model.repo("me/app").renamed = true;
            } else {
                model.issue("me/app", 1).moved = true;
            }
        }
        hub.world.advance(60);
        for _ in 0..3 {
            hub.world.tick();
            hub.world.advance(60);
        }
        let run = hub.world.run_of("hub:me/app#1");
        assert_eq!(run["reason"], "moved", "{run:#}");
        assert_eq!(hub.world.supervisors(), Vec::<i32>::new());
    }
}
