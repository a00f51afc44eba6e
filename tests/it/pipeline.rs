//! In a pipeline: the steps of the workflows in `contrib/ci/` on machines that are gone with the job, a dry run that a
//! script compares, and verdicts as exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::world::{Answer, BINARY, World, answer};

/// The script of a workflow's step, out of its file.
fn step(workflow: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/ci").join(workflow);
    let text = fs::read_to_string(file).unwrap();
    let block = text.split("run: |\n").nth(1).unwrap();
    let lines: Vec<&str> = block.lines().take_while(|l| l.starts_with("          ")).map(str::trim).collect();
    assert!(lines.iter().any(|l| l.contains("tick --foreground --json")), "{lines:?}");
    lines.join("\n")
}

/// A machine of a CI: a checkout with the configuration and the program, and what the cache gave back.
struct Job<'w> {
    world: &'w World,
    workspace: PathBuf,
}

impl<'w> Job<'w> {
    fn new(world: &'w World, name: &str, cache: Option<&Job<'_>>) -> Self {
        let workspace = world.path(name);
        fs::create_dir_all(workspace.join("bin")).unwrap();
        // By another process: one that is forked here meanwhile must not hold it open, or it could not be run.
        let copied = Command::new("cp").arg(BINARY).arg(workspace.join("bin/offhours")).status().unwrap();
        assert!(copied.success());
        let config = fs::read_to_string(world.path("config.toml")).unwrap();
        // Relative paths in it would start at its folder.
        let tracker = format!("path = \"{}\"", world.path("tracker").display());
        let config = config.replace("machine = \"test\"", "machine = \"ci\"");
        let config = config.replace("path = \"tracker\"", &tracker);
        fs::write(workspace.join("offhours.toml"), config).unwrap();
        if let Some(earlier) = cache {
            let from = earlier.workspace.join(".offhours");
            let copied =
                Command::new("cp").arg("-a").arg(from).arg(workspace.join(".offhours")).status().unwrap();
            assert!(copied.success());
            // The machine before is gone, with everything on it.
            fs::remove_dir_all(&earlier.workspace).unwrap();
        } else {
            fs::create_dir_all(workspace.join(".offhours")).unwrap();
        }
        Self { world, workspace }
    }

    fn sh(&self, script: &str) -> Answer {
        let home = self.workspace.join("home");
        fs::create_dir_all(&home).unwrap();
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(&self.workspace)
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.workspace.join("bin").display()))
            .env("HOME", home)
            .env("OFFHOURS_CONFIG", self.workspace.join("offhours.toml"))
            .env("STATE_DIRECTORY", self.workspace.join(".offhours"))
            .env("OFFHOURS_CLOCK_FILE", self.world.path("clock"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        answer(&output)
    }
}

/// Each job is a new machine that has the state file of the one before, and nothing else.
#[test]
fn a_workflow_brings_issues_to_their_end_with_the_state_carried_from_job_to_job() {
    for workflow in ["github.yml", "forgejo.yml"] {
        let tick = step(workflow);
        let world = World::in_memory();
        world.repo("me/lib");
        world.configure(&["home:me/app", "home:me/lib"], "");
        let first = world.ready("me/app", "One", &[]);
        let one = Job::new(&world, "job-1", None);
        let told = one.sh(&tick).ok();
        let json = told.json();
        assert_eq!(
            (&json["schema"], &json["command"]),
            (&1.into(), &"tick".into()),
            "{workflow}: {}",
            told.stdout
        );
        assert!(
            world.issue_text("me/app", first).contains("state = \"closed\""),
            "{workflow}: {}",
            told.stdout
        );

        let second = world.ready("me/lib", "Two", &[]);
        let two = Job::new(&world, "job-2", Some(&one));
        let told = two.sh(&tick).ok();
        assert!(!told.stderr.contains("another machine"), "{workflow}: {}", told.stderr);
        assert!(
            world.issue_text("me/lib", second).contains("state = \"closed\""),
            "{workflow}: {}",
            told.stdout
        );
        let runs = two.sh("offhours run list --all").ok();
        assert_eq!(runs.stdout.matches(" landed ").count(), 2, "the history was carried: {}", runs.stdout);
        assert_eq!(world.claims("me/app").len() + world.claims("me/lib").len(), 0);
        assert_eq!(two.sh(&tick).ok().json()["outcome"], "idle");
    }
}

/// The cache is lost in the middle of a run: the next machine sees the claim, and starts nothing twice.
#[test]
fn a_lost_cache_starts_nothing_twice() {
    let world = World::in_memory();
    world.agent("sleep 600\n");
    world.ready("me/app", "One", &[]);
    let one = Job::new(&world, "job-1", None);
    one.sh("offhours tick --json").ok();
    assert_eq!(world.claims("me/app").len(), 2);
    let two = Job::new(&world, "job-2", None);
    let told = two.sh(&step("github.yml")).ok();
    assert!(told.stdout.contains("\"claimed\""), "{}", told.stdout);
    assert_eq!(two.sh("offhours run list --all --json").ok().json()["items"], serde_json::json!([]));
    one.sh("offhours off --now").ok();
    world.jobs_end();
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// A gate before arming: the plan is compared with the one that was agreed on, and nothing is written anywhere.
#[test]
fn a_script_compares_the_plan_of_a_dry_run() {
    let world = World::in_memory();
    world.edit_config("kill_switch = false", "kill_switch = true");
    world.ready("me/app", "Goes first", &["--priority", "5"]);
    world.ready("me/app", "Goes second", &[]);
    let job = Job::new(&world, "job", None);
    let plan = "offhours poll --dry-run --assume-armed > plan.txt\n";
    job.sh(plan).ok();
    let agreed = fs::read_to_string(job.workspace.join("plan.txt")).unwrap();
    insta::assert_snapshot!(world.plain(&agreed), @"
    home:me/app#1 dispatch: it would start now
    home:me/app#2 lower-priority: #1 goes first in this repository
    plan:
      home:me/app#1: claim the issue and the repo's slot
      home:me/app#1: make a workspace
      home:me/app#1: start turn 1
      home:me/app#1: add label agent-in-progress
      home:me/app#1: write the progress comment
    ");
    fs::write(job.workspace.join("agreed.txt"), &agreed).unwrap();
    let compare = format!("{plan}diff -u agreed.txt plan.txt\n");
    for _ in 0..2 {
        assert_eq!(job.sh(&compare).ok().stdout, "", "the same world, the same words");
    }
    world.ready("me/app", "Jumps the queue", &["--priority", "9"]);
    let changed = job.sh(&compare);
    assert_eq!(changed.code, 1, "{}", changed.stderr);
    assert!(changed.stdout.contains('+') && changed.stdout.contains("#3"), "{}", changed.stdout);

    // For programs: effects as data, on standard output and nowhere else.
    let json = job.sh("offhours poll --dry-run --assume-armed --json").ok().json();
    assert_eq!(
        json["items"].as_array().unwrap().iter().filter(|i| i["reason"] == "dispatch").count(),
        1,
        "{json}"
    );
    assert!(json["effects"].as_array().is_some_and(|e| !e.is_empty()), "{json}");
    assert_eq!(fs::read_dir(job.workspace.join(".offhours")).unwrap().count(), 0, "no state was made");
    assert_eq!(world.claims("me/app"), Vec::<String>::new());
}

/// Verdicts as exit codes: good, bad, pending; and waiting for one.
#[test]
fn a_step_waits_for_a_verdict() {
    let world = World::in_memory();
    world.ready("me/app", "Good", &[]);
    let job = Job::new(&world, "job", None);
    let good = job.sh("offhours run once me/app#1 --json --exit-code --wait 600").ok();
    assert_eq!(good.json()["items"][0]["state"], "landed", "{}", good.stdout);
    world.agent("exit 0\n");
    world.ready("me/app", "Bad", &[]);
    assert_eq!(job.sh("offhours run once me/app#2 --json --exit-code --wait 600").code, 1);
    world.agent("sleep 600\n");
    world.ready("me/app", "Pending", &[]);
    let pending = job.sh("offhours run once me/app#3 --json --exit-code");
    assert_eq!(pending.code, 75, "{}", pending.stdout);
    assert_eq!(job.sh("offhours run show me/app#1 --json --exit-code --wait 600").code, 0);
    assert_eq!(job.sh("offhours run show me/app#2 --json --exit-code --wait 600").code, 1);
    job.sh("offhours off --now").ok();
    world.jobs_end();
}
