//! Turns in T3 Code, against a simulated one that behaves as the real one was seen to: it takes a command once for each
//! command id, calls a turn completed whose model failed, and says 500 to whoever has no token.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::BufReader;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::model::{Request, request, send};
use super::world::{World, acted};

const TOKEN: &str = "t3-s3cr3t";

/// What becomes of a turn, when it is looked at a second time.
#[derive(Clone)]
enum Turn {
    /// The agent runs this in the worktree.
    Works(&'static str),
    /// It runs this, and then a person ends the turn.
    Interrupted(&'static str),
    /// The model's API failed: T3 calls that completed, without an error.
    ModelFails,
    /// The instance is unknown: taken, and never begun.
    NeverBegins,
    Asks,
    Hangs,
}

#[derive(Default)]
struct Sim {
    protocol: Option<u64>,
    receipts: BTreeMap<String, u64>,
    /// Commands that were done, by their kinds.
    done: Vec<String>,
    projects: Vec<Value>,
    threads: Vec<Value>,
    plan: VecDeque<Turn>,
    /// By thread: what the current turn is, and how often it was looked at.
    current: BTreeMap<String, (Turn, u32)>,
    prompts: Vec<String>,
    /// The next command of this kind is done, and its answer is lost on the way.
    lose: Option<&'static str>,
    over: bool,
    open: Vec<TcpStream>,
}

struct T3 {
    port: u16,
    sim: Arc<Mutex<Sim>>,
    listener: Option<JoinHandle<()>>,
}

impl T3 {
    fn new(plan: impl IntoIterator<Item = Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sim = Arc::new(Mutex::new(Sim { plan: plan.into_iter().collect(), ..Sim::default() }));
        let shared = Arc::clone(&sim);
        let accept = std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let mut held = shared.lock().unwrap();
                if held.over {
                    return;
                }
                held.open.push(stream.try_clone().unwrap());
                drop(held);
                let sim = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut stream = stream;
                    while let Some(request) = request(&mut reader) {
                        let (status, body) = sim.lock().unwrap().answer(&request);
                        if send(&mut stream, status, &[], "application/json", &body.to_string()).is_none() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, sim, listener: Some(accept) }
    }

    /// A world with this T3 as its runner.
    fn world(&self) -> World {
        let world = World::in_memory();
        fs::write(world.path("token"), TOKEN).unwrap();
        let runner = format!(
            "[runner.t3]\nkind = \"t3\"\nurl = \"http://127.0.0.1:{}/\"\ntoken = {{ file = \"token\" }}\n\
             instance = \"codex\"\nmodel = \"gpt\"\n",
            self.port
        );
        world.configure(&["home:me/app"], &runner);
        world
    }

    fn done(&self) -> Vec<String> {
        self.sim.lock().unwrap().done.clone()
    }
}

impl Drop for T3 {
    fn drop(&mut self) {
        if let Ok(mut sim) = self.sim.lock() {
            sim.over = true;
            for stream in sim.open.drain(..) {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

impl Sim {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        if request.path == "/.well-known/t3/environment" {
            let mut told = json!({ "environmentId": "env-1", "label": "here" });
            if let Some(version) = self.protocol {
                told["orchestrationProtocolVersion"] = json!(version);
            }
            return (200, told);
        }
        if request.authorization != format!("Bearer {TOKEN}") {
            return (500, json!({ "error": "internal" }));
        }
        if request.path == "/api/orchestration/shell" {
            for id in self.current.keys().cloned().collect::<Vec<_>>() {
                self.looked_at(&id);
            }
            return (
                200,
                json!({ "snapshotSequence": 1, "projects": self.projects, "threads": self.threads }),
            );
        }
        if let Some(id) = request.path.strip_prefix("/api/orchestration/threads/") {
            let thread = self.threads.iter().find(|thread| thread["id"] == id);
            return thread
                .map_or((404, json!({ "error": "no thread" })), |thread| (200, json!({ "thread": thread })));
        }
        let command: Value = serde_json::from_slice(&request.body).unwrap();
        let id = command["commandId"].as_str().unwrap().to_owned();
        if let Some(sequence) = self.receipts.get(&id) {
            return (200, json!({ "sequence": sequence }));
        }
        if let Err(why) = self.perform(&command) {
            return (400, json!({ "error": why }));
        }
        let kind = command["type"].as_str().unwrap();
        self.done.push(kind.to_owned());
        if self.lose.take_if(|lost| *lost == kind).is_some() {
            self.receipts.insert(id, 0);
            return (502, json!("<html>Bad gateway</html>"));
        }
        let sequence = u64::try_from(self.receipts.len()).unwrap() + 1;
        self.receipts.insert(id, sequence);
        (200, json!({ "sequence": sequence }))
    }

    fn perform(&mut self, command: &Value) -> Result<(), String> {
        let thread = command["threadId"].as_str().unwrap_or_default().to_owned();
        let position = self.threads.iter().position(|known| known["id"] == thread.as_str());
        match command["type"].as_str().unwrap() {
            "project.create" => {
                if !fs::metadata(command["workspaceRoot"].as_str().unwrap()).is_ok_and(|m| m.is_dir()) {
                    return Err("no such workspace".into());
                }
                self.projects.push(json!({ "id": command["projectId"], "title": command["title"] }));
            }
            "thread.create" => {
                if position.is_some() || !self.projects.iter().any(|p| p["id"] == command["projectId"]) {
                    return Err("thread cannot be made".into());
                }
                self.threads.push(json!({
                    "id": thread, "worktreePath": command["worktreePath"], "branch": command["branch"],
                    "latestTurn": null, "session": null, "activities": [],
                    "hasPendingApprovals": false, "hasPendingUserInput": false,
                }));
            }
            "thread.turn.start" if !command["bootstrap"].is_null() => return Err("bootstrap".into()),
            "thread.turn.start" => {
                let Some(at) = position else { return Err("no such thread".into()) };
                self.prompts.push(command["message"]["text"].as_str().unwrap().to_owned());
                let turn =
                    if self.plan.len() > 1 { self.plan.pop_front() } else { self.plan.front().cloned() };
                let turn = turn.unwrap();
                if matches!(turn, Turn::NeverBegins) {
                    let failed = json!({ "kind": "provider.turn.start.failed", "summary": "no such instance",
                        "payload": { "detail": "the instance codex is not known" }, "createdAt": command["createdAt"] });
                    self.threads[at]["activities"].as_array_mut().unwrap().push(failed);
                } else {
                    self.current.insert(thread, (turn, 0));
                }
            }
            "thread.turn.interrupt" => {
                if let Some(at) = position.filter(|_| self.current.remove(&thread).is_some()) {
                    self.threads[at]["latestTurn"]["state"] = json!("error");
                }
            }
            "thread.session.stop" => {
                let Some(at) = position else { return Err("no such thread".into()) };
                self.threads[at]["latestTurn"] = Value::Null;
                self.threads[at]["session"] = json!({ "status": "stopped", "lastError": null });
            }
            other => return Err(format!("unknown command {other}")),
        }
        Ok(())
    }

    /// First it has not begun, then it runs, then it is over.
    fn looked_at(&mut self, id: &str) {
        let number = self.prompts.len();
        let (turn, looks) = self.current.get_mut(id).unwrap();
        *looks += 1;
        let (turn, looks) = (turn.clone(), *looks);
        let thread = self.threads.iter_mut().find(|thread| thread["id"] == id).unwrap();
        if looks < 2 {
            return;
        }
        thread["latestTurn"] = json!({ "turnId": format!("turn-{number}"), "state": "running" });
        thread["session"] = json!({ "status": "running", "lastError": null });
        thread["hasPendingUserInput"] = json!(matches!(turn, Turn::Asks));
        if looks < 3 {
            return;
        }
        match turn {
            Turn::Hangs | Turn::Asks => return,
            Turn::Works(script) => {
                let work = thread["worktreePath"].as_str().unwrap();
                let ran = Command::new("sh").args(["-c", script]).current_dir(work).output().unwrap();
                assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            }
            Turn::Interrupted(script) => {
                let work = thread["worktreePath"].as_str().unwrap();
                let ran = Command::new("sh").args(["-c", script]).current_dir(work).output().unwrap();
                assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
                thread["latestTurn"]["state"] = json!("error");
                thread["session"] = json!({ "status": "ready", "lastError": "Interrupted by user" });
                self.current.remove(id);
                return;
            }
            Turn::ModelFails | Turn::NeverBegins => {}
        }
        thread["latestTurn"]["state"] = json!("completed");
        thread["session"] = json!({ "status": "ready", "lastError": null });
        self.current.remove(id);
    }
}

const GOOD: Turn =
    Turn::Works("echo x > done.txt; git add done.txt; git commit -qm 'Solve it' -m 'Closes #1'");

#[test]
fn red_tests_are_mended_in_the_same_thread() {
    let red = Turn::Works("echo 'expected 3, got 4' > red; git add red; git commit -qm 'Turn one'");
    let t3 = T3::new([
        red,
        Turn::Works("git rm -q red; echo x > done.txt; git add done.txt; git commit -qm 'Turn two'"),
    ]);
    let world = t3.world();
    world.ready("me/app", "Do the sum right", &[]);
    let told = world.until_idle();
    assert!(told.contains(&"me/app#1 done".to_owned()), "{told:?}");
    assert_eq!(t3.done(), ["project.create", "thread.create", "thread.turn.start", "thread.turn.start"]);
    let sim = t3.sim.lock().unwrap();
    assert!(sim.prompts[0].contains("Do the sum right") && sim.prompts[0].contains("agent/result.json"));
    assert!(sim.prompts[1].contains("expected 3, got 4"));
    let work = sim.threads[0]["worktreePath"].as_str().unwrap();
    assert!(work.starts_with(world.path("one/work").to_str().unwrap()), "{work}");
    assert!(sim.threads[0]["branch"].as_str().unwrap().starts_with("offhours/issue-1-"));
    drop(sim);
    // The token stands in no file of ours, but for its own.
    let leak = Command::new("grep").args(["-rl", TOKEN]).arg(world.path("one")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&leak.stdout), "");
}

/// Ended before and after each request of the dispatch: still one project, one thread, one turn.
#[test]
fn a_dispatch_that_is_ended_between_two_requests_is_one_thread() {
    let mut cases = 0;
    for number in 1.. {
        let t3 = T3::new([GOOD]);
        let world = t3.world();
        world.ready("me/app", "Some work", &[]);
        let crash = format!("tick:t3.request#{number}");
        let output = world.command(&["tick"]).env("OFFHOURS_CRASH", crash).output().unwrap();
        let ended = output.status.code().is_none();
        let told = world.until_idle();
        assert!(told.contains(&"me/app#1 done".to_owned()), "{number}: {told:?}");
        assert_eq!(t3.done(), ["project.create", "thread.create", "thread.turn.start"], "{number}");
        assert_eq!(t3.sim.lock().unwrap().threads.len(), 1);
        assert_eq!(world.comments("me/app", 1).len(), 2, "{number}");
        if !ended {
            break;
        }
        cases = number;
    }
    // Five requests, each with a before and an after; more where the same tick looks at the turn.
    assert!(cases >= 10, "{cases}");
}

/// What T3 was asked for and did not answer may be at work there: it is ended before anything else begins.
#[test]
fn a_start_whose_answer_is_lost_leaves_no_second_agent() {
    for lost in ["project.create", "thread.create", "thread.turn.start"] {
        let t3 = T3::new([Turn::Hangs, GOOD]);
        if lost != "thread.turn.start" {
            t3.sim.lock().unwrap().plan.pop_front();
        }
        t3.sim.lock().unwrap().lose = Some(lost);
        let world = t3.world();
        world.ready("me/app", "Some work", &[]);
        world.tick();
        assert_eq!(world.run_of("me/app#1")["reason"], "not-started", "{lost}");
        assert!(world.claims("me/app").is_empty(), "{lost}");
        world.advance(120);
        let told = world.until_idle();
        assert!(told.contains(&"me/app#1 done".to_owned()), "{lost}: {told:?}");
        let done = t3.done();
        let starts = done.iter().filter(|kind| *kind == "thread.turn.start").count();
        let first = |wanted: &str| done.iter().position(|kind| kind == wanted);
        if lost == "thread.turn.start" {
            assert!(first("thread.session.stop") < done.iter().rposition(|k| k == lost), "{done:?}");
            assert_eq!(starts, 2, "{done:?}");
        } else {
            assert_eq!(starts, 1, "{done:?}");
        }
        assert!(t3.sim.lock().unwrap().current.is_empty(), "{lost}: an agent is left at work");
    }
}

#[test]
fn completed_is_not_success_and_taken_is_not_begun() {
    let t3 = T3::new([Turn::ModelFails]);
    let world = t3.world();
    world.ready("me/app", "Some work", &[]);
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "nothing-done");

    let t3 = T3::new([Turn::NeverBegins]);
    let world = t3.world();
    world.ready("me/app", "Some work", &[]);
    world.tick();
    world.tick();
    assert_eq!(world.run_of("me/app#1")["reason"], "not-started");
    let shown = world.offhours(&["run", "show", "me/app#1"]).ok().stdout;
    assert!(shown.contains("the instance codex is not known"), "{shown}");
    // As often as the breaker says; then the runner is parked.
    world.advance(120);
    world.tick();
    world.tick();
    world.advance(400);
    world.tick();
    assert_eq!(world.reason("me/app#1"), "parked");
}

#[test]
fn a_turn_that_was_interrupted_goes_on_in_its_thread() {
    let half = Turn::Interrupted("echo x > half.txt; git add half.txt; git commit -qm 'Half of it'");
    let t3 = T3::new([half, GOOD]);
    let world = t3.world();
    world.ready("me/app", "Some work", &[]);
    let told = world.until_idle();
    assert_eq!(told[..3], ["me/app#1 dispatched", "me/app#1 continue", "me/app#1 dispatched"], "{told:?}");
    assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{told:?}");
    assert_eq!(world.files("me/app"), ["done.txt", "half.txt", "test.sh"]);
    assert_eq!(t3.done(), ["project.create", "thread.create", "thread.turn.start", "thread.turn.start"]);
    assert!(t3.sim.lock().unwrap().prompts[1].contains("was cut off before it was done"));
    let receipt = world.comments("me/app", 1).pop().unwrap();
    assert!(receipt.contains("| turns | 2 (0 fix-forward): interrupted, finished |"), "{receipt}");
}

#[test]
fn a_question_is_a_wait_with_a_link_that_is_told_once() {
    let t3 = T3::new([Turn::Asks]);
    let world = t3.world();
    world.ready("me/app", "Some work", &[]);
    for _ in 0..4 {
        world.tick();
    }
    assert_eq!(world.reason("me/app#1"), "needs-input");
    let run = world.run_of("me/app#1")["run"].as_str().unwrap().to_owned();
    let asked: Vec<Value> = world
        .notices()
        .into_iter()
        .filter(|n| n["title"].as_str().unwrap().contains("the agent asks"))
        .collect();
    assert_eq!(asked.len(), 1);
    let link = format!("http://127.0.0.1:{}/env-1/offhours-{run}", t3.port);
    assert!(asked[0]["body"].as_str().unwrap().contains(&link), "{asked:?}");
    // Answered in T3: it goes on.
    t3.sim.lock().unwrap().current.values_mut().for_each(|(turn, looks)| (*turn, *looks) = (GOOD, 1));
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}

/// T3 tells nobody that a turn is over: it is asked anew each time the forge is.
#[test]
fn a_tick_that_holds_its_turns_asks_t3_anew() {
    let t3 = T3::new([GOOD]);
    let world = t3.world();
    world.ready("me/app", "Some work", &[]);
    let told = acted(&world.offhours(&["tick", "--foreground", "--every", "1", "--json"]).ok());
    assert_eq!(told.last().map(String::as_str), Some("me/app#1 done"), "{told:?}");
    assert_eq!(t3.done(), ["project.create", "thread.create", "thread.turn.start"]);
}

#[test]
fn a_stop_interrupts_the_turn_and_stops_its_session() {
    let t3 = T3::new([Turn::Hangs]);
    let world = t3.world();
    world.ready("me/app", "Some work", &[]);
    for _ in 0..3 {
        world.tick();
    }
    world.offhours(&["run", "stop", "me/app#1"]);
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "stopped");
    assert_eq!(t3.done()[3..], ["thread.turn.interrupt", "thread.session.stop"]);
    assert_eq!(t3.sim.lock().unwrap().threads[0]["session"]["status"], "stopped");
}

#[test]
fn another_protocol_or_token_starts_nothing() {
    let t3 = T3::new([GOOD]);
    t3.sim.lock().unwrap().protocol = Some(2);
    let world = t3.world();
    world.ready("me/app", "Some work", &[]);
    let answer = world.offhours(&["tick"]);
    assert!(answer.stderr.contains("speaks orchestration protocol 2"), "{}", answer.stderr);
    assert_eq!(t3.done(), Vec::<String>::new());
    assert_eq!(world.labels("me/app", 1), ["ready-for-agent"]);

    t3.sim.lock().unwrap().protocol = Some(1);
    fs::write(world.path("token"), "wrong").unwrap();
    world.advance(300);
    let answer = world.offhours(&["tick"]);
    assert!(answer.stderr.contains("Without a valid token it says 500"), "{}", answer.stderr);
    assert_eq!(t3.done(), Vec::<String>::new());
    fs::write(world.path("token"), TOKEN).unwrap();
    world.advance(3600);
    world.offhours(&["resume"]);
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}
