//! Stories with CI servers of their own, Woodpecker and Drone: simulated as one list of numbered pipelines, with one HTTP
//! dialect each. They test what is pushed, answer as the real ones do, and refuse who has no token.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine as _;
use serde_json::{Value, json};

use super::forge::{Dialect, Fault, Wrong, run};
use super::network_forge::Hub;
use super::world::World;

const TOKEN: &str = "ci-token-77aa";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Woodpecker,
    Drone,
}

#[derive(Clone, Debug)]
struct Build {
    number: u64,
    sha: String,
    status: &'static str,
    log: String,
}

#[derive(Default)]
struct State {
    builds: Vec<Build>,
    seen: BTreeSet<String>,
    /// The first pipeline of each commit is red for no reason.
    flaky: bool,
    /// What a pipeline shows instead: its own status, and its parts with theirs.
    shows: Option<(&'static str, Vec<(&'static str, &'static str)>)>,
    /// The token is good, and may see nothing here.
    forbids: bool,
    log: Vec<String>,
}

/// A running server; it ends with this value.
struct Server {
    state: Arc<Mutex<State>>,
    url: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Server {
    fn start(kind: Kind, bare: PathBuf, flaky: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { flaky, ..State::default() }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                drop(serve(kind, &bare, &shared, &stream.unwrap()));
            }
        });
        Self { state, url, stop, thread: Some(thread) }
    }
}

fn serve(
    kind: Kind,
    bare: &std::path::Path,
    state: &Mutex<State>,
    stream: &TcpStream,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut known, mut length) = (false, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        known |= line.trim_end().eq_ignore_ascii_case(&format!("authorization: Bearer {TOKEN}"));
        if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, body) = {
        let mut state = state.lock().unwrap();
        state.log.push(format!("{method} {target}"));
        state.look(bare);
        if known && state.forbids {
            (403, json!({ "message": "Forbidden" }))
        } else if known {
            state.answer(kind, method, target.split('?').next().unwrap_or_default())
        } else {
            (401, json!({ "message": "Unauthorized" }))
        }
    };
    let body = body.to_string();
    let mut out = stream;
    write!(
        out,
        "HTTP/1.1 {status} Simulated\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

impl State {
    /// Tests every branch that moved.
    fn look(&mut self, bare: &std::path::Path) {
        for sha in run(bare, &["for-each-ref", "--format=%(objectname)", "refs/heads"]).1.lines() {
            if self.seen.insert(sha.to_owned()) {
                let (red, log) = run(bare, &["show", &format!("{sha}:red")]);
                let (red, log) = if self.flaky { (true, "a flake\n".to_owned()) } else { (red, log) };
                self.add(sha, red, log);
            }
        }
    }

    fn add(&mut self, sha: &str, red: bool, log: String) {
        let number = self.builds.len() as u64 + 1;
        let status = if red { "failure" } else { "success" };
        self.builds.push(Build { number, sha: sha.to_owned(), status, log });
    }

    fn answer(&mut self, kind: Kind, method: &str, path: &str) -> (u16, Value) {
        let path: Vec<&str> = path.trim_start_matches("/api/repos/").split('/').collect();
        let build = |number: &str| self.builds.iter().find(|b| b.number.to_string() == number).cloned();
        match (kind, method, path.as_slice()) {
            (Kind::Woodpecker, "GET", ["lookup", "me", "app"]) => {
                (200, json!({ "id": 7, "full_name": "me/app", "active": true }))
            }
            (Kind::Woodpecker, "GET", ["7", "pipelines"]) | (Kind::Drone, "GET", ["me", "app", "builds"]) => {
                let status = self.shows.as_ref().map(|(status, _)| *status);
                let seen = |b: &Build| {
                    shown(kind, &Build { status: status.unwrap_or(b.status), ..b.clone() }, false)
                };
                (200, self.builds.iter().rev().map(seen).collect())
            }
            (Kind::Woodpecker, "GET", ["7", "pipelines", number])
            | (Kind::Drone, "GET", ["me", "app", "builds", number]) => {
                build(number).map_or((404, Value::Null), |b| (200, self.told(kind, &b)))
            }
            (Kind::Woodpecker, "GET", ["7", "logs", number, step]) if *step == format!("{number}1") => {
                let lines = |b: Build| -> Value {
                    let data = |l: &str| json!({ "data": base64::prelude::BASE64_STANDARD.encode(l) });
                    b.log.lines().map(data).collect()
                };
                build(number).map_or((404, Value::Null), |b| (200, lines(b)))
            }
            (Kind::Drone, "GET", ["me", "app", "builds", number, "logs", "1", "2"]) => {
                let lines = |b: Build| -> Value {
                    b.log.lines().map(|l| json!({ "pos": 0, "out": format!("{l}\n"), "time": 0 })).collect()
                };
                build(number).map_or((404, Value::Null), |b| (200, lines(b)))
            }
            (Kind::Woodpecker, "POST", ["7", "pipelines", number])
            | (Kind::Drone, "POST", ["me", "app", "builds", number]) => match build(number) {
                None => (404, Value::Null),
                Some(b) => {
                    let red = b.status == "failure" && !self.flaky;
                    self.add(&b.sha, red, b.log);
                    (200, shown(kind, self.builds.last().unwrap(), true))
                }
            },
            _ => (404, json!({ "message": "Not Found" })),
        }
    }

    /// A pipeline read for itself.
    fn told(&self, kind: Kind, build: &Build) -> Value {
        let mut value = shown(kind, build, true);
        let Some((status, parts)) = &self.shows else { return value };
        let numbered = (1_u64..).zip(parts);
        value["status"] = json!(status);
        let (key, parts): (&str, Vec<Value>) = match kind {
            Kind::Woodpecker => {
                let part = |(n, (name, state)): (u64, &(&str, &str))| json!({ "id": n, "pid": n, "name": name, "state": state, "children": [] });
                ("workflows", numbered.map(part).collect())
            }
            Kind::Drone => {
                let part = |(n, (name, status)): (u64, &(&str, &str))| json!({ "number": n, "name": name, "status": status, "steps": [] });
                ("stages", numbered.map(part).collect())
            }
        };
        value[key] = json!(parts);
        value
    }
}

fn shown(kind: Kind, build: &Build, whole: bool) -> Value {
    let mut value = json!({ "number": build.number, "status": build.status, "event": "push" });
    match kind {
        Kind::Woodpecker => {
            value["commit"] = json!(build.sha);
            if whole {
                let step =
                    json!({ "id": build.number * 10 + 1, "pid": 2, "name": "test", "state": build.status });
                value["workflows"] = json!([{ "id": 1, "pid": 1, "name": "build", "state": build.status, "children": [step] }]);
            }
        }
        Kind::Drone => {
            value["after"] = json!(build.sha);
            if whole {
                let clone = json!({ "number": 1, "name": "clone", "status": "success" });
                let step = json!({ "number": 2, "name": "test", "status": build.status });
                value["stages"] =
                    json!([{ "number": 1, "name": "build", "status": build.status, "steps": [clone, step] }]);
            }
        }
    }
    value
}

fn configure(world: &World, kind: Kind, server: &Server, ci: &str) {
    let named = if kind == Kind::Drone { "drone" } else { "woodpecker" };
    fs::write(world.path("ci-token"), TOKEN).unwrap();
    world.configure(
        &["home:me/app"],
        &format!(
            "verify = []\n---\n[ci]\ngrace_seconds = 0\n{ci}[[ci.stage]]\nname = \"tests\"\nkind = \"{named}\"\nurl = \"{}\"\n\
             token = {{ file = \"{}\" }}\n",
            server.url,
            world.path("ci-token").display()
        ),
    );
}

/// Red: run again once; still red, its log goes to the agent, who mends it.
#[test]
fn red_pipelines_are_run_again_and_then_mended() {
    for kind in [Kind::Woodpecker, Kind::Drone] {
        let world = World::in_memory();
        let server = Server::start(kind, world.bare("me/app"), false);
        configure(&world, kind, &server, "required = [\"push/build\"]\n");
        let prompts = world.path("prompts");
        world.agent(&format!(
            "printf '%s' \"$prompt\" >> {}\n\
             if [ -e red ]; then git rm -q red; git commit -q -m 'Mend it'; else \
             echo 'assertion failed: left == right' > red; git add red; git commit -q -m 'Break it'; fi\n",
            prompts.display()
        ));
        world.ready("me/app", "Solve it", &[]);
        let told = world.until_idle();
        let state = server.state.lock().unwrap();
        let all = format!("{kind:?} {told:?} {:#?}", state.log);
        assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{all}");
        assert_eq!(state.log.iter().filter(|l| l.starts_with("POST ")).count(), 1, "{all}");
        let text = fs::read_to_string(prompts).unwrap();
        assert!(text.contains("assertion failed: left == right"), "{text}");
        assert!(world.comments("me/app", 1)[1].contains("push/build"), "{:?}", world.comments("me/app", 1));
        assert!(state.log.iter().all(|l| !l.contains(TOKEN)), "{all}");
    }
}

/// A flake costs a pipeline and no turn; a required part that never reports is waited for; a refused token is told.
#[test]
fn flakes_missing_parts_and_refused_tokens() {
    for kind in [Kind::Woodpecker, Kind::Drone] {
        let world = World::in_memory();
        let server = Server::start(kind, world.bare("me/app"), true);
        let base = run(&world.bare("me/app"), &["rev-parse", "main"]).1.trim().to_owned();
        server.state.lock().unwrap().seen.insert(base);
        configure(&world, kind, &server, "required = [\"push/build\", \"push/lint\"]\n");
        world.ready("me/app", "Solve it", &[]);
        let mut told = vec![];
        for _ in 0..8 {
            told.extend(world.tick());
            world.jobs_end();
            world.advance(60);
        }
        assert!(!told.iter().any(|t| t.ends_with("fix-forward")), "{kind:?} {told:?}");
        assert_eq!(world.reason("me/app#1"), "ci", "{kind:?} {told:?}");
        let posts = server.state.lock().unwrap().log.iter().filter(|l| l.starts_with("POST ")).count();
        assert_eq!(posts, 1, "{kind:?} {told:?}");
        fs::write(world.path("ci-token"), "another").unwrap();
        world.advance(60);
        let refused = world.offhours(&["tick"]);
        assert_eq!(refused.code, 77, "{kind:?} {}", refused.stderr);
        let told =
            format!("the CI server {} answered 401: Unauthorized. Check ci.stage.tests.token", server.url);
        assert!(refused.stderr.contains(&told), "{kind:?} {}", refused.stderr);
        // One that may not look at this repo is refused, too.
        server.state.lock().unwrap().forbids = true;
        fs::write(world.path("ci-token"), TOKEN).unwrap();
        world.advance(7200);
        let refused = world.offhours(&["tick"]);
        assert_eq!(refused.code, 77, "{kind:?} {}", refused.stderr);
        let told = format!("the CI server {} answered 403", server.url);
        assert!(refused.stderr.contains(&told), "{kind:?} {}", refused.stderr);
        assert!(refused.stderr.contains("Check the rights of ci.stage.tests.token"), "{}", refused.stderr);
        server.state.lock().unwrap().forbids = false;
        configure(&world, kind, &server, "required = [\"push/build\"]\n");
        world.advance(60);
        world.until_idle();
        assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{kind:?}");
    }
}

/// Green is what ran and was good, as a whole and in each part; what was skipped is told as skipped, and is no check.
#[test]
fn a_pipeline_is_green_by_what_really_ran() {
    type Parts = &'static [(&'static str, &'static str)];
    let cases: [(&str, Parts, &str); 12] = [
        ("success", &[("build", "success"), ("deploy", "skipped")], "landed"),
        ("success", &[("build", "skipped"), ("deploy", "skipped")], "no-checks"),
        ("success", &[], "landed"),
        ("skipped", &[], "no-checks"),
        ("skipped", &[("build", "skipped")], "no-checks"),
        // Parts of one name: one that was ended is not replaced by its twin.
        ("success", &[("build", "killed"), ("build", "success")], "ci"),
        ("running", &[("build", "success")], "ci"),
        ("splendid", &[("build", "success")], "ci"),
        ("killed", &[("build", "success")], "ci"),
        ("blocked", &[("build", "success")], "check-needs-person"),
        ("declined", &[("build", "success")], "red"),
        ("error", &[("build", "skipped")], "red"),
    ];
    for kind in [Kind::Woodpecker, Kind::Drone] {
        for (status, parts, wanted) in cases {
            let world = World::in_memory();
            let server = Server::start(kind, world.bare("me/app"), false);
            let base = run(&world.bare("me/app"), &["rev-parse", "main"]).1.trim().to_owned();
            server.state.lock().unwrap().seen.insert(base);
            server.state.lock().unwrap().shows = Some((status, parts.to_vec()));
            configure(&world, kind, &server, "");
            world.ready("me/app", "Solve it", &[]);
            let mut told = vec![];
            for _ in 0..5 {
                told.extend(world.tick());
                world.jobs_end();
                world.advance(60);
            }
            let why = format!("{kind:?} {status} {parts:?} {told:?}");
            if wanted == "red" {
                assert!(server.state.lock().unwrap().log.iter().any(|l| l.starts_with("POST ")), "{why}");
                continue;
            }
            let (now, end) = (world.reason("me/app#1"), world.run_of("me/app#1"));
            let reason =
                if now == wanted { now } else { end["reason"].as_str().unwrap_or_default().to_owned() };
            assert_eq!(reason, wanted, "{why}");
            if parts.len() == 2 && wanted == "landed" {
                let receipt = world.comments("me/app", 1).concat();
                assert!(receipt.contains("push/build: green, push/deploy: skipped"), "{receipt}");
            }
        }
    }
}

/// A token of the forge that may not read checks, or is not known any more, is refused credentials with its name; nothing
/// is handed back for it.
#[test]
fn a_forge_that_does_not_show_its_checks_refuses_the_token() {
    for (dialect, path) in [(Dialect::Github, "/check-runs"), (Dialect::Gitea, "/statuses")] {
        let hub = Hub::new(dialect);
        hub.ready("Solve it");
        for (status, advice) in [
            (403, "Check the rights of forge.hub.token"),
            (401, "Check forge.hub.token: it may have expired"),
        ] {
            let what = Wrong::Answer(status, vec![], "{\"message\":\"No\"}".to_owned());
            hub.sim.model.lock().faults.push(Fault { at: path.to_owned(), skip: 0, times: 1000, what });
            let told = loop {
                let told = hub.world.offhours(&["tick"]);
                hub.world.jobs_end();
                hub.world.advance(7200);
                if !told.stderr.is_empty() {
                    break told;
                }
                assert_ne!(hub.reason(1), "landed", "{dialect:?} {status}");
            };
            hub.sim.model.lock().faults.clear();
            assert_eq!(told.code, 77, "{dialect:?} {}", told.stderr);
            let wanted = format!("hub answered {status}: No. {advice}");
            assert!(told.stderr.contains(&wanted), "{dialect:?} {}", told.stderr);
        }
        hub.world.until_idle();
        assert!(!hub.is_open(1), "{dialect:?} {:?}", hub.comments(1));
    }
}

/// A job that needs another has no check run before that one is over: green so far is not green.
#[test]
fn green_is_not_believed_while_a_workflow_has_more_jobs_to_come() {
    for landing in ["push", "pull-request\"\nmerge = \"when-green"] {
        let hub = Hub::new(Dialect::Github);
        hub.configure(&["me/app"], &format!("landing = \"{landing}\"\n---\n[ci]\ngrace_seconds = 0\n"));
        hub.sim.model.lock().repo("me/app").more_to_come = true;
        hub.ready("Solve it");
        let told = hub.rounds(5);
        assert_eq!(hub.reason(1), "ci", "{told:?}");
        // A token that sees the jobs and not their workflow is refused, and not taken at its word.
        let what = Wrong::Answer(403, vec![], "{\"message\":\"No\"}".to_owned());
        hub.sim.model.lock().faults.push(Fault { at: "/actions/runs".to_owned(), skip: 0, times: 10, what });
        let refused = hub.world.offhours(&["tick"]);
        assert_eq!(refused.code, 77, "{}", refused.stderr);
        assert!(refused.stderr.contains("more checks of"), "{}", refused.stderr);
        assert_eq!(hub.reason(1), "unreadable");
        let mut model = hub.sim.model.lock();
        model.faults.clear();
        (model.repo("me/app").more_to_come, model.repo("me/app").asks_first) = (false, true);
        drop(model);
        hub.world.advance(60);
        hub.world.tick();
        assert_eq!(hub.reason(1), "check-needs-person", "somebody has to let a workflow run");
        hub.sim.model.lock().repo("me/app").asks_first = false;
        hub.world.advance(60);
        let told = hub.world.until_idle();
        assert_eq!(hub.reason(1), "landed", "{told:?}");
    }
}

/// What the rules of the branch require is waited for, although all that reported is green; as told by rule sets, by the
/// older protections, and by patterns. What the config says stands in their place. Rules that cannot be read are no rules
/// that are kept: it waits, with the reason.
#[test]
fn what_the_rules_of_the_branch_require_is_waited_for() {
    for (dialect, protected, build, missing) in [
        (Dialect::Github, false, "build", "lint"),
        (Dialect::Github, true, "build", "lint"),
        (Dialect::Gitea, true, "ci.yml / *", "li*t"),
        (Dialect::Forgejo, true, "ci.yml / build (push)", "lint"),
    ] {
        let hub = Hub::new(dialect);
        hub.configure(
            &["me/app"],
            "landing = \"pull-request\"\nmerge = \"when-green\"\n---\n[ci]\ngrace_seconds = 0\n",
        );
        {
            let mut model = hub.sim.model.lock();
            let repo = model.repo("me/app");
            (repo.required, repo.protected) = (vec![build, missing], protected);
            repo.ci_name = Some("build".to_owned());
        }
        hub.ready("Solve it");
        let told = hub.rounds(5);
        let why = format!("{dialect:?} {told:?} {:#?}", hub.sim.requests());
        assert_eq!(hub.reason(1), "ci", "{why}");
        let doctor = hub.world.offhours(&["doctor"]).stdout;
        assert!(doctor.contains(&format!("main requires {build}, {missing}")), "{doctor}");

        hub.sim.model.lock().repo("me/app").hides_rules = true;
        let refused = hub.world.offhours(&["tick"]);
        assert_eq!(refused.code, 77, "{dialect:?} {}", refused.stderr);
        assert!(refused.stderr.contains("of main in hub:me/app require"), "{dialect:?} {}", refused.stderr);
        assert_eq!(hub.reason(1), "unreadable", "{why}");
        hub.sim.model.lock().repo("me/app").hides_rules = false;

        hub.world.advance(60);
        if protected && dialect == Dialect::Github {
            hub.world.edit_config("[ci]\n", "[ci]\nrequired = [\"build\"]\n");
        } else {
            let mut model = hub.sim.model.lock();
            let pull = model.repo("me/app").pulls[0].clone();
            let head = model.head_of("me/app", &pull);
            model.status("me/app", &head, "lint", "success", "ada", None);
        }
        hub.world.until_idle();
        assert_eq!(hub.reason(1), "landed", "{why}");
    }
}

/// What is pushed to the branch past its rules has no pull request that they could speak of; nor do they make a commit that
/// nothing tests wait for longer than the grace.
#[test]
fn the_rules_of_the_branch_are_about_pull_requests_with_checks() {
    let hub = Hub::new(Dialect::Github);
    hub.sim.model.lock().repo("me/app").required = vec!["lint"];
    hub.ready("Solve it");
    let told = hub.world.until_idle();
    assert_eq!(hub.reason(1), "landed", "{told:?}");

    let hub = Hub::new(Dialect::Github);
    let reviewed = "landing = \"pull-request\"\nverify = []\n---\n[ci]\ngrace_seconds = 0\n";
    hub.configure(&["me/app"], reviewed);
    {
        let mut model = hub.sim.model.lock();
        model.repo("me/app").required = vec!["lint"];
        model.repo("me/app").ci = false;
    }
    hub.ready("Solve it");
    let told = hub.world.until_idle();
    assert_eq!(hub.reason(1), "no-checks", "{told:?}");
}
