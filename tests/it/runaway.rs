//! Supervisors and agents that die, run away, or do not end: one ended turn per try, never two agents in a workspace,
//! the work kept, nothing waiting for a pid.

use std::fs;
use std::path::Path;

use super::world::{GOOD_AGENT, World, find, kill};

/// An agent that notes whether another one lives in its workspace, tells what it found there, and on its first try
/// does `first`; later it solves the issue.
fn agent(world: &World, first: &str) {
    let place = world.path("place");
    fs::create_dir_all(place.join("pids")).unwrap();
    world.agent(&format!(
        r#"
place={place}
for old in "$place"/pids/*; do
    [ -e "$old" ] || continue
    state=$(sed 's/.*) //' "/proc/${{old##*/}}/stat" 2>/dev/null | cut -c1 || true)
    case "$state" in ""|Z|X) ;; *) echo "$old lives" >> "$place/violations" ;; esac
done
: > "$place/pids/$$"
ls >> "$place/found"
echo "-- $(pwd)" >> "$place/found"
if [ ! -e "$place/tried" ]; then
    : > "$place/tried"
    {first}
fi
{GOOD_AGENT}
"#,
        place = place.display()
    ));
}

/// Everything the story is about, once it is over.
fn nothing_lives(world: &World) {
    assert!(!world.path("place/violations").exists(), "two agents at once");
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// How each turn of the newest run ended.
fn turns(world: &World) -> Vec<String> {
    let run = world.run_of("me/app#1");
    let state = rusqlite::Connection::open(world.state()).unwrap();
    let mut rows = state.prepare("SELECT ending FROM turns WHERE run = ?1 ORDER BY turn").unwrap();
    let endings =
        rows.query_map([run["run"].as_str().unwrap()], |row| row.get::<_, Option<String>>(0)).unwrap();
    endings.map(|e| e.unwrap().unwrap_or_else(|| "none".to_owned())).collect()
}

/// Names on the first try, the ending of the first turn's processes: what is killed while the agent hangs.
const HANGS: [(&str, &str, bool); 5] = [
    ("supervisor alone", "echo half > half.txt; : > \"$place/ready\"; sleep 600", false),
    ("supervisor and agent", "echo half > half.txt; : > \"$place/ready\"; sleep 600", true),
    (
        "session leader",
        "echo half > half.txt; setsid sh -c ': > \"$1/pids/$$\"; : > \"$1/ready\"; sleep 600' x \"$place\"; exit 3",
        false,
    ),
    (
        "deaf session leader, agent gone",
        "echo half > half.txt; setsid sh -c 'trap \"\" TERM HUP; : > \"$1/pids/$$\"; : > \"$1/ready\"; while :; do sleep 600; done' x \"$place\" & \
         while [ ! -e \"$place/ready\" ]; do :; done; sleep 600",
        true,
    ),
    (
        "many",
        "echo half > half.txt; for i in $(seq 100); do (: > \"$place/pids/$(exec sh -c 'echo $PPID')\"; sleep 600) & done; : > \"$place/ready\"; wait",
        false,
    ),
];

#[test]
fn a_killed_supervisor_costs_an_attempt_and_nothing_else() {
    for (name, first, agent_too) in HANGS {
        let world = World::new();
        agent(&world, first);
        world.ready("me/app", "Write a file", &[]);
        world.tick();
        world.wait_for("place/ready");
        let agents: Vec<i32> = fs::read_dir(world.path("place/pids"))
            .unwrap()
            .map(|e| e.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect();
        let supervisors = world.supervisors();
        assert_eq!(supervisors.len(), 1, "{name}");
        kill(supervisors[0]);
        if agent_too {
            // The agent itself is the one whose script it is: the first that came.
            let first = agents.iter().min().copied().unwrap();
            kill(first);
        }
        let told = world.until_idle();
        assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{name}: {told:?}");
        assert_eq!(world.run_of("me/app#1")["attempt"], 2, "{name}");
        assert_eq!(turns(&world), ["orphaned", "finished"], "{name}");
        let found = fs::read_to_string(world.path("place/found")).unwrap();
        assert!(
            found.contains("half.txt"),
            "{name}: the second try did not find the first one's file:\n{found}"
        );
        let places: Vec<&str> = found.lines().filter(|l| l.starts_with("-- ")).collect();
        assert_eq!(places.len(), 2, "{name}: {places:?}");
        assert_eq!(places[0], places[1], "{name}");
        nothing_lives(&world);
    }
}

#[test]
fn without_an_attempt_left_it_is_handed_back_with_the_work() {
    let world = World::new();
    world.configure(&["home:me/app"], "max_attempts_per_issue = 1\n---\n");
    agent(
        &world,
        "echo one > one.txt; git add one.txt; git commit -q -m One; echo half > half.txt; : > \"$place/ready\"; sleep 600",
    );
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("place/ready");
    kill(world.supervisors()[0]);
    world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "turn-orphaned");
    assert_eq!(turns(&world), ["orphaned"]);
    assert_eq!(world.labels("me/app", 1), ["needs-human"]);
    let salvage = world.path("one/salvage");
    assert_eq!(find(&salvage, "work.bundle").len(), 1);
    assert_eq!(find(&salvage, "files.tar").len(), 1);
    let comments = world.comments("me/app", 1);
    let last = comments.last().unwrap();
    assert!(last.contains("no attempt is left") && last.contains("work.bundle"), "{last}");
    assert!(!world.files("me/app").contains(&"one.txt".to_owned()));
    nothing_lives(&world);
}

/// The turn ends by itself; what it leaves behind has to go before anybody looks at the work.
#[test]
fn what_an_agent_leaves_running_ends_with_its_turn() {
    for (name, leave) in [
        ("background", "(sleep 600 &)"),
        ("session leader", "setsid sleep 600 & :"),
        ("without the cookie", "env -i setsid /bin/sh -c 'sleep 600' & :"),
        ("deaf", "(trap '' TERM HUP; while :; do sleep 600; done) & :"),
        ("holding the streams", "setsid sh -c 'while :; do echo x; sleep 1; done' & :"),
        ("many", "for i in $(seq 150); do setsid sleep 600 & done"),
        ("writing on", "(while :; do echo more >> more.txt; done) & :"),
    ] {
        let world = World::new();
        agent(&world, &format!("{GOOD_AGENT}\n{leave}\nexit 0"));
        world.ready("me/app", "Write a file", &[]);
        let told = world.until_idle();
        assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{name}: {told:?}");
        assert_eq!(turns(&world), ["finished"], "{name}");
        nothing_lives(&world);
    }
}

#[test]
fn a_supervisor_killed_while_it_tests_is_no_verdict() {
    let world = World::new();
    let place = world.path("place");
    world.configure(
        &["home:me/app"],
        &format!(
            "verify = [\"sh\", \"-c\", \"[ -e {0}/tested ] || {{ : > {0}/tested; sleep 600; }}\"]\n---\n",
            place.display()
        ),
    );
    agent(&world, ":");
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("place/tested");
    kill(world.supervisors()[0]);
    let told = world.until_idle();
    let reason = world.run_of("me/app#1")["reason"].clone();
    // The second turn has nothing to add: what the first one committed counts.
    assert_eq!(reason, "landed", "{told:?}");
    nothing_lives(&world);
}

/// Removed with its lock: nobody may take the free lock for a dead agent.
#[test]
fn an_agent_that_removes_its_whole_run_folder_is_ended() {
    let world = World::new();
    world.repo("me/other");
    world.configure(&["home:me/app", "home:me/other"], "");
    agent(
        &world,
        "case \"$prompt\" in *me/app*) rm -rf ../../*; : > \"$place/ready\"; sleep 600 ;; *) : ;; esac",
    );
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.wait_for("place/ready");
    world.ready("me/other", "Write a file", &[]);
    let told = world.until_idle();
    let reason = world.run_of("me/app#1")["reason"].clone();
    assert_eq!(reason, "workspace-unreadable", "{told:?}");
    assert_eq!(world.run_of("me/other#1")["reason"], "landed", "{told:?}");
    nothing_lives(&world);
}

#[test]
fn an_agent_that_never_ends_is_ended_by_its_limit() {
    let world = World::new();
    let script = world.path("agent.sh");
    world.configure(
        &["home:me/app"],
        &format!("[runner.agent]\nargv = [\"{}\"]\nturn_timeout_seconds = 1\n", script.display()),
    );
    agent(&world, "trap '' TERM; while :; do sleep 600; done");
    world.ready("me/app", "Write a file", &[]);
    let told = world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "turn-timeout", "{told:?}");
    assert_eq!(turns(&world), ["timed-out"]);
    nothing_lives(&world);
}

/// 100 MB on both streams: the logs stay small, and the supervisor's memory too.
#[test]
fn an_agent_that_prints_without_end_fills_nothing() {
    let world = World::new();
    let script = world.path("agent.sh");
    for profile in ["script", "claude"] {
        world.configure(
            &["home:me/app"],
            &format!("[runner.agent]\nargv = [\"{}\"]\nprofile = \"{profile}\"\n", script.display()),
        );
        drop(fs::remove_dir_all(world.path("place")));
        agent(
            &world,
            "head -c 50000000 /dev/zero | tr '\\0' x; yes lots | head -c 50000000; yes more | head -c 5000000 >&2
             : > \"$place/ready\"; while [ ! -e \"$place/go\" ]; do sleep 0.02; done",
        );
        world.ready("me/app", "Write a file", &[]);
        world.tick();
        world.wait_for("place/ready");
        let status = fs::read_to_string(format!("/proc/{}/status", world.supervisors()[0])).unwrap();
        let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak < 40_000, "the supervisor took {peak} kB");
        let kept: u64 = find(&world.path("one/work"), "stdout.log")
            .iter()
            .chain(&find(&world.path("one/work"), "stdout.log.1"))
            .map(|f| fs::metadata(f).unwrap().len())
            .sum();
        assert!(kept < 20 << 20, "{kept} bytes of log");
        fs::write(world.path("place/go"), "").unwrap();
        world.until_idle();
    }
    assert_eq!(world.run_of("me/app#1")["reason"], "landed");
    assert_eq!(world.run_of("me/app#2")["reason"], "landed");
    nothing_lives(&world);
}

/// A job's cookie tells two installations on one machine apart, also for the same commit.
#[test]
fn two_installations_do_not_end_each_others_checks() {
    let mut world = World::new();
    world.repo("me/b");
    let place = world.path("place");
    fs::create_dir_all(&place).unwrap();
    let script = world.script(
        "ci.sh",
        &format!("#!/bin/sh\necho \"$OFFHOURS_TURN\" >> {0}/cookies\nsleep 0.01\nexit 0\n", place.display()),
    );
    let stage = format!("[[ci.stage]]\nname = \"test\"\nargv = [\"{}\"]\n", script.display());
    for host in ["one", "two"] {
        host.clone_into(&mut world.host);
        world.configure(&[if host == "one" { "home:me/app" } else { "home:me/b" }], &stage);
        world.ready(if host == "one" { "me/app" } else { "me/b" }, "Write a file", &[]);
        world.until_idle();
    }
    let cookies = fs::read_to_string(place.join("cookies")).unwrap();
    let mut each: Vec<&str> = cookies.lines().collect();
    each.sort_unstable();
    each.dedup();
    assert_eq!(each.len(), cookies.lines().count(), "{cookies}");
    let of = |line: &str| line.rsplit('-').next().unwrap().to_owned();
    assert_ne!(of(each[0]), of(each[1]), "{cookies}");
    assert!(!Path::new(&world.path("place/violations")).exists());
}
