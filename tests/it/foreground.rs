//! `tick --foreground` and `run once --wait` wait like ticks: they sleep until a job of ours is over or the forge is due.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::forge::Dialect;
use super::network_forge::Hub;

use super::world::{Answer, GOOD_AGENT, World, acted, answer};

/// An agent that says that it is up, and works on once it is let go.
fn held(world: &World) {
    let made = Command::new("mkfifo").arg(world.path("go")).status().unwrap();
    assert!(made.success());
    let (up, go) = (world.path("up"), world.path("go"));
    world.agent(&format!("touch {}\nread -r word < {}\n{GOOD_AGENT}", up.display(), go.display()));
}

/// Blocks until the agent reads it.
fn let_go(world: &World) {
    std::fs::write(world.path("go"), "on\n").unwrap();
}

fn start(world: &World, args: &[&str]) -> Child {
    world.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Answer {
    answer(&child.wait_with_output().unwrap())
}

/// How often the run's issue was looked at.
fn looks(hub: &Hub) -> usize {
    let log = &hub.sim.model.lock().log;
    log.iter().filter(|seen| seen.line.starts_with("GET ") && seen.line.ends_with("/issues/1")).count()
}

/// Blocks until it was looked at so often.
fn looked(hub: &Hub, wanted: usize) {
    for _ in 0..1500 {
        if looks(hub) >= wanted {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{} looks, not {wanted}: {:#?}", looks(hub), hub.sim.requests());
}

/// The items of the only document on standard output, each of which tells something new.
fn items(told: &Answer) -> Vec<Value> {
    let json = told.json();
    let items = json["items"].as_array().unwrap().clone();
    let different: BTreeSet<String> = items.iter().map(Value::to_string).collect();
    assert_eq!(different.len(), items.len(), "{items:#?}");
    items
}

/// A turn of forty seconds in a minute, with a look every thirty: as many looks, in less time.
#[test]
fn while_a_turn_works_the_forge_is_asked_when_it_is_due() {
    let hub = Hub::new(Dialect::Github);
    held(&hub.world);
    hub.ready("Solve it");
    let child = start(&hub.world, &["tick", "--foreground", "--every", "1", "--json"]);
    hub.world.wait_for("up");
    looked(&hub, 1);
    let dispatched = hub.sim.requests();
    looked(&hub, 2);
    let due = hub.sim.requests();
    assert!(due.len() <= 6, "two looks, and a part of one: {due:#?}");
    let_go(&hub.world);
    let told = end(child).ok();
    let over = hub.sim.requests();
    assert!(hub.world.files("me/app").contains(&"done-1.txt".to_owned()), "{dispatched:#?}");
    assert!(items(&told).len() <= 5, "one that waits, and what was done: {}", told.stdout);
    // Its end is what a tick after it asks, and one that sees it green.
    assert!(over.len() <= 20, "{over:#?}");
}

/// No forge is due for an hour: that the turn is over is known at once, and until then nobody is asked.
#[test]
fn the_end_of_a_turn_wakes_the_tick() {
    let hub = Hub::new(Dialect::Github);
    hub.world
        .edit_config("name = \"forge\"\nkind = \"forge\"", "name = \"test\"\nargv = [\"sh\", \"test.sh\"]");
    held(&hub.world);
    hub.ready("Solve it");
    let mut child = start(&hub.world, &["tick", "--foreground", "--every", "3600", "--json"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    out.read_line(&mut told).unwrap();
    assert!(told.contains("dispatched"), "told while the turn works: {told}");
    hub.world.wait_for("up");
    hub.sim.requests();
    let_go(&hub.world);
    out.read_to_string(&mut told).unwrap();
    let told = Answer { stdout: told, ..end(child).ok() };
    let reasons: Vec<Value> = items(&told).iter().map(|item| item["reason"].clone()).collect();
    assert_eq!(reasons, ["dispatched", "land", "pushed", "start-ci", "done"]);
    assert_eq!(told.json()["outcome"], "acted");
    let asked = hub.sim.requests();
    assert!(asked.len() <= 20, "a look at each end, of the turn and of CI: {asked:#?}");
}

#[test]
fn people_are_told_as_it_happens() {
    let world = World::in_memory();
    held(&world);
    world.ready("me/app", "Some", &[]);
    for args in
        [["tick", "--foreground", "-v"].as_slice(), &["run", "once", "me/app#2", "--foreground", "-v"]]
    {
        let mut child = start(&world, &[args, &["--every", "3600"]].concat());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.contains("dispatched"), "{args:?}: {line}");
        let_go(&world);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        end(child).ok();
        assert!(rest.contains(" done\n") && !rest.contains("dispatched"), "{args:?}: {rest}");
        world.ready("me/app", "Another", &[]);
    }
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn a_signal_ends_the_wait_and_leaves_the_work() {
    let once = ["run", "once", "me/app#1", "--wait", "3600", "--json"];
    for args in [["tick", "--foreground", "--json"].as_slice(), &once] {
        for signal in [Signal::TERM, Signal::INT] {
            let world = World::in_memory();
            held(&world);
            world.ready("me/app", "Some", &[]);
            let child = start(&world, args);
            world.wait_for("up");
            // It sleeps once the run is told to be at work.
            assert!((0..1500).any(|_| world.reason("me/app#1") == "working"));
            kill_process(Pid::from_child(&child), signal).unwrap();
            let told = end(child);
            assert_eq!(told.code, 75, "{}", told.stderr);
            let run = world.run_of("me/app#1")["run"].as_str().unwrap().to_owned();
            let left =
                format!("ended by a signal; left for the next tick: run {run} of home:me/app#1 (working)");
            assert!(told.stderr.contains(&left), "{args:?}: {}", told.stderr);
            assert_eq!(items(&told).len(), 1, "one whole document: {}", told.stdout);
            let_go(&world);
            world.jobs_end();
            assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
        }
    }
}

/// What people change meanwhile holds from the next look on.
#[test]
fn the_switch_is_looked_at_each_time() {
    let world = World::in_memory();
    held(&world);
    world.ready("me/app", "Some", &[]);
    let child = start(&world, &["tick", "--foreground", "--every", "3600", "--json"]);
    world.wait_for("up");
    world.offhours(&["off"]).ok();
    let_go(&world);
    assert_eq!(acted(&end(child)), ["me/app#1 dispatched"]);
    assert!(!world.files("me/app").contains(&"done-1.txt".to_owned()));
}
