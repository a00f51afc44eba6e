//! Polls that start in the same moment: on one state file, and on two hosts with one forge. Never two dispatches for one
//! issue, never two in one repo, and no claim is left over.
//!
//! The races are real, so that more rounds see more: `OFFHOURS_ROUNDS=200 cargo test --features testing --test it races`.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use super::world::{World, acted, answer};

fn rounds() -> u64 {
    std::env::var("OFFHOURS_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(40)
}

const ENDLESS: &str = "max_runs_per_day = 100000\nbudget_usd = 0\n";

/// An agent that leaves a line and nothing else; the first issue.
fn world() -> World {
    let world = World::new();
    let starts = world.path("starts");
    world.agent(&format!("echo \"$number\" >> {}\n", starts.display()));
    fs::write(&starts, "").unwrap();
    add(&world, 1);
    world
}

/// A ready issue, written as a person with an editor would.
fn add(world: &World, number: u64) {
    let text = format!(
        "+++\ntitle = \"Issue {number}\"\nstate = \"open\"\nlabels = [\"ready-for-agent\"]\npriority = {number}\n+++\n"
    );
    fs::write(world.path(&format!("tracker/me/app/issues/{number:04}.md")), text).unwrap();
}

/// Starts them in the same moment; what each acted on.
fn together(commands: [Command; 2]) -> Vec<Vec<String>> {
    let children = commands.map(|mut c| c.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let answers = children.map(|c| answer(&c.wait_with_output().unwrap()));
    let told = answers.iter().map(|a| {
        assert!(a.code == 0 && a.stderr.is_empty(), "{}: {}{}", a.code, a.stdout, a.stderr);
        acted(a)
    });
    told.collect()
}

fn race(world: &World, host: impl Fn(usize, &str) -> Command) {
    let mut seen = BTreeSet::new();
    for round in 1..=rounds() {
        add(world, round + 1);
        let told = together([host(0, "poll"), host(1, "poll")]);
        let dispatched = told.iter().flatten().filter(|t| t.ends_with(" dispatched")).count();
        assert_eq!(dispatched, 1, "round {round}: {told:?}");
        world.jobs_end();
        let starts = fs::read_to_string(world.path("starts")).unwrap();
        assert_eq!(u64::try_from(starts.lines().count()).unwrap(), round, "round {round}: {told:?}");
        let number = starts.lines().last().unwrap().to_owned();
        assert_eq!(
            world.claims("me/app"),
            [format!("refs/offhours/claim/{number}"), "refs/offhours/slot".to_owned()],
            "round {round}: {told:?}"
        );
        assert!(seen.insert(number.clone()), "{number} was started twice");
        let told = together([host(0, "watch"), host(1, "watch")]);
        assert_eq!(told.concat(), [format!("me/app#{number} nothing-done")], "round {round}");
        assert_eq!(world.refs("me/app"), ["refs/heads/main"], "round {round}");
        world.advance(60);
    }
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn two_polls_on_one_state_file_start_one_run() {
    let world = world();
    world.configure(&["home:me/app"], &format!("{ENDLESS}---\n"));
    race(&world, |_, verb| world.command(&[verb, "--json"]));
}

#[test]
fn two_hosts_on_one_forge_start_one_run() {
    let world = world();
    // The second host begins at the other end, so that they also meet over the repo's slot with different issues.
    for (order, name) in [("smallest-first", "other.toml"), ("largest-first", "config.toml")] {
        world.configure(&["home:me/app"], &format!("{ENDLESS}priority_order = \"{order}\"\n---\n"));
        if name != "config.toml" {
            fs::rename(world.path("config.toml"), world.path(name)).unwrap();
        }
    }
    let calls = std::cell::Cell::new(0_u64);
    race(&world, |host, verb| {
        // In every other pair of polls both choose the same issue.
        let call = calls.replace(calls.get() + 1);
        let config = if host == 1 && call % 8 < 4 { "other.toml" } else { "config.toml" };
        let state = if host == 0 { "one/state.db" } else { "two/state.db" };
        // A flag that is given twice is an error, so the command is made anew.
        let mut command = renew(&world.command(&[]));
        command.args(["--json", verb, "--config", config, "--state", state]);
        command
    });
}

/// The same program with the same environment, without arguments.
fn renew(command: &Command) -> Command {
    let mut new = Command::new(command.get_program());
    new.env_clear().stdin(Stdio::null()).current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            new.env(name, value);
        }
    }
    new
}
