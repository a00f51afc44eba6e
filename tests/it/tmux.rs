//! Turns in a tmux session: a person can look in and type while one runs, and nothing is different afterwards.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::world::{GOOD_AGENT, World, find, kill};

/// Skipped where there is no tmux.
fn world(more: &str) -> Option<World> {
    if Command::new("tmux").arg("-V").output().is_err() {
        std::io::stderr().write_all(b"skipped: tmux is not installed\n").unwrap();
        return None;
    }
    let world = World::new();
    let script = world.path("agent.sh");
    world.configure(
        &["home:me/app"],
        &format!(
            "[runner.agent]\nargv = [\"{}\", \"it's $HOME\"]\nsession = \"tmux\"\n{more}",
            script.display()
        ),
    );
    Some(world)
}

fn socket(world: &World) -> PathBuf {
    let mut sockets: Vec<PathBuf> =
        fs::read_dir(world.path("one/tmux")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(sockets.len(), 1, "{sockets:?}");
    sockets.remove(0)
}

fn tmux(world: &World, words: &[&str]) -> String {
    let output = Command::new("tmux").arg("-S").arg(socket(world)).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_person_looks_in_while_it_runs_and_the_log_is_whole_afterwards() {
    let Some(world) = world("") else { return };
    world.agent(&format!(
        "echo \"told: $1\"; echo trouble >&2; seq 200\n[ -t 1 ] && exit 9; [ -z \"${{TMUX:-}}\" ] || exit 9\n\
         touch {0}/looked; while [ ! -e {0}/go ]; do sleep 0.02; done\necho at last\n{GOOD_AGENT}",
        world.path("").display()
    ));
    world.ready("me/app", "Some work", &[]);
    world.tick();
    world.wait_for("looked");
    // The tick is over, the session lives.
    for _ in 0..200 {
        if tmux(&world, &["capture-pane", "-p", "-S", "-500"]).contains("\n200\n") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let seen = tmux(&world, &["capture-pane", "-p", "-S", "-500"]);
    for line in ["told: it's $HOME", "trouble", "1", "200"] {
        assert!(seen.lines().any(|l| l == line), "{line}: {seen}");
    }
    let told = world.offhours(&["run", "show", "me/app#1"]).ok().stdout;
    assert!(told.contains(&format!("attach    tmux -S {} attach", socket(&world).display())), "{told}");
    // Whoever attaches is a client of that server.
    let mut person = Command::new("tmux")
        .arg("-C")
        .arg("-S")
        .arg(socket(&world))
        .args(["attach", "-t", "turn"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    std::io::Read::read_exact(person.stdout.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(tmux(&world, &["list-clients"]).lines().count(), 1);
    world.touch("go");
    world.jobs_end();
    person.wait().unwrap();
    let log = world.offhours(&["run", "log", "me/app#1"]).ok().stdout;
    let wanted: Vec<String> = (1..=200).map(|n| n.to_string()).collect();
    assert!(log.contains(&format!("told: it's $HOME\n{}\nat last\n", wanted.join("\n"))), "{log}");
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
    assert_eq!(fs::read_dir(world.path("one/tmux")).unwrap().count(), 0);
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn a_session_ends_as_a_whole() {
    let Some(world) = world("turn_timeout_seconds = 2\n") else { return };
    world.agent("echo begun; trap '' TERM HUP; (trap '' TERM HUP; while :; do sleep 600; done) & while :; do sleep 600; done");
    world.ready("me/app", "Endless work", &[]);
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "turn-timeout");
    assert_eq!(world.processes(), Vec::<String>::new());
    assert_eq!(fs::read_dir(world.path("one/tmux")).unwrap().count(), 0);
}

#[test]
fn an_agents_own_exit_counts() {
    let Some(world) = world("") else { return };
    world.agent("echo one; echo no more words >&2; exit 3");
    world.ready("me/app", "Some work", &[]);
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "agent-failed");
    let told = world.comments("me/app", 1).pop().unwrap();
    assert!(told.contains("exited with code 3: no more words"), "{told}");
}

#[test]
fn a_killed_supervisor_leaves_no_session() {
    let Some(world) = world("") else { return };
    world.agent(&format!(
        "if [ ! -e {0}/first ]; then touch {0}/first; while :; do sleep 600; done; fi\n{GOOD_AGENT}",
        world.path("").display()
    ));
    world.ready("me/app", "Some work", &[]);
    world.tick();
    world.wait_for("first");
    for supervisor in world.supervisors() {
        kill(supervisor);
    }
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
    assert_eq!(find(&world.path("one/work"), "code").len(), 0);
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// With the prompt in a file, the agent's input is the pane: a person can answer it.
#[test]
fn a_person_can_type_to_the_agent() {
    let Some(world) = world("prompt = \"file\"\n") else { return };
    let head = "#!/bin/sh\nset -eu\nprompt=$(cat \"$OFFHOURS_PROMPT_FILE\")\nnumber=1\n";
    world.script(
        "agent.sh",
        &format!(
            "{head}touch {}/asked\nread answer\n[ \"$answer\" = yes ]\n{GOOD_AGENT}",
            world.path("").display()
        ),
    );
    world.ready("me/app", "Some work", &[]);
    world.tick();
    world.wait_for("asked");
    tmux(&world, &["send-keys", "-t", "turn", "yes", "Enter"]);
    world.jobs_end();
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}
