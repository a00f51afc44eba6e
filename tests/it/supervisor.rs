//! Supervised jobs with real processes. The supervisor is this test binary itself, told to run [`entry`] alone.
//!
//! Nothing here sleeps to wait: a job's end is waited for on its lock, and an agent says through a pipe that it lives.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests, which run real processes"
)]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use offhours::adapters::process;
use offhours::adapters::runner::command::{
    CommandRunner, Hooks, Profile, PromptPassing, RepoRunners, RunnerSettings, Settings, Surroundings,
};
use offhours::adapters::runner::supervise;
use offhours::domain::model::{Asked, Change, JobResult, JobState, Oid, RepoId, TurnEnd, UnixTime};
use offhours::ports::{
    ClaimAnswer, ClaimPlace, ClaimRequest, Claiming, Claims, Clock, History, JobKind, JobSpec, LockFile,
    Merged, PortError, PortResult, Pushed, Remote, RunFolder, Runner as _, Salvaged, TurnSpec, Work,
    Workspaces,
};

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        UnixTime(i64::try_from(since.as_secs()).unwrap())
    }
}

/// Only what a supervisor asks for: the workspace of the run is the only repository.
struct WorkspaceGit;

fn git(dir: &Path, args: &[&str]) -> PortResult<String> {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-C"]).arg(dir).args(args);
    let got = process::run(&mut command, Duration::from_secs(30), 1 << 20)
        .map_err(|error| PortError::broken(error.to_string()))?;
    if !got.success() {
        return Err(PortError::broken(String::from_utf8_lossy(&got.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&got.stdout).trim().to_owned())
}

fn no<T>() -> PortResult<T> {
    Err(PortError::refused("A supervisor does not ask for this."))
}

impl Claiming for WorkspaceGit {
    fn claim(&self, _: &RepoId, _: &Remote, _: &ClaimRequest) -> PortResult<ClaimAnswer> {
        no()
    }
    fn claims(&self, _: &RepoId, _: &Remote) -> PortResult<Claims> {
        no()
    }
    fn release(&self, _: &RepoId, _: &Remote, _: u64, _: &Oid) -> PortResult<()> {
        no()
    }
    fn release_slot(&self, _: &RepoId, _: &Remote, _: &Oid) -> PortResult<()> {
        no()
    }
    fn take_slot(&self, _: &RepoId, _: &Remote, _: u64, _: &Oid) -> PortResult<ClaimAnswer> {
        no()
    }
    fn try_places(&self, _: &RepoId, _: &Remote) -> PortResult<ClaimPlace> {
        no()
    }
}

impl Workspaces for WorkspaceGit {
    fn prepare(&self, _: &RepoId, _: &RunFolder, _: &Oid, _: &str) -> PortResult<()> {
        no()
    }
    fn unlock(&self, _: &RepoId, _: &RunFolder) -> PortResult<()> {
        no()
    }
    fn work(&self, _: &RepoId, folder: &RunFolder, _: &str, base: &Oid) -> PortResult<Work> {
        let work = folder.work();
        let head = git(&work, &["rev-parse", "HEAD"])?;
        let count = git(&work, &["rev-list", "--count", &format!("{base}..HEAD")])?;
        let new_commits = count.parse().unwrap();
        let head = Oid::parse(&head).unwrap();
        Ok(Work { head, new_commits, changes_tree: new_commits > 0, uncommitted: false })
    }
    fn bring_up_to_date(&self, _: &RepoId, _: &RunFolder, _: &Oid, _: &Oid, _: &str) -> PortResult<Merged> {
        no()
    }
    fn checkout(&self, _: &RepoId, oid: &Oid, dir: &Path) -> PortResult<()> {
        let run = dir.ancestors().nth(3).unwrap();
        git(run, &["clone", "-q", "--no-checkout", "work", &dir.to_string_lossy()])?;
        git(dir, &["checkout", "-q", oid.as_str()]).map(drop)
    }
    fn salvage(&self, _: &RepoId, _: &RunFolder, _: &str, _: &Oid, _: &Path) -> PortResult<Salvaged> {
        no()
    }
    fn remove(&self, _: &RunFolder) -> PortResult<()> {
        no()
    }
}

impl History for WorkspaceGit {
    fn locks(&self, _: &RepoId) -> PortResult<Vec<LockFile>> {
        no()
    }
    fn fetch_branch(&self, _: &RepoId, _: &Remote, _: &str) -> PortResult<Oid> {
        no()
    }
    fn remote_head(&self, _: &RepoId, _: &Remote, _: &str) -> PortResult<Option<Oid>> {
        no()
    }
    fn push(&self, _: &RepoId, _: &Remote, _: &str, _: Option<&Oid>, _: &Oid) -> PortResult<Pushed> {
        no()
    }
    fn is_ancestor(&self, _: &RepoId, _: &Oid, _: &Oid) -> PortResult<bool> {
        no()
    }
    fn common(&self, _: &RepoId, _: &Oid, _: &Oid) -> PortResult<Option<Oid>> {
        no()
    }
    fn new_commits(&self, _: &RepoId, _: &Oid, _: &[&Oid]) -> PortResult<u32> {
        no()
    }
    fn commits(&self, _: &RepoId, _: &Oid, _: &Oid, _: usize) -> PortResult<Vec<(Oid, String)>> {
        no()
    }
    fn change(&self, _: &RepoId, _: &Oid, _: &Oid) -> PortResult<Change> {
        no()
    }
    fn conflicts(&self, _: &RepoId, _: &Oid, _: &Oid) -> PortResult<Vec<String>> {
        no()
    }
    fn compact(&self, _: &RepoId) -> PortResult<()> {
        no()
    }
    fn carries(&self, _: &RepoId, _: &Oid, _: &Oid, _: &Oid) -> PortResult<bool> {
        no()
    }
    fn undo(&self, _: &RepoId, _: &Oid, _: &Oid, _: &Oid, _: &str) -> PortResult<Merged> {
        no()
    }
}

/// The supervisor's side. In an ordinary run of the tests it does nothing.
#[test]
fn entry() {
    let words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "supervise") {
        supervise::run(Path::new(&words[2]), &WorkspaceGit, &WallClock).unwrap();
    }
}

/// One run with its workspace, and a runner whose agent is a shell script.
struct World {
    root: tempfile::TempDir,
    settings: Settings,
    job: JobSpec,
}

impl World {
    fn new(script: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = RunFolder { dir: root.path().join("run") };
        std::fs::create_dir_all(folder.work()).unwrap();
        let made = Command::new("mkfifo").arg(root.path().join("fifo")).status().unwrap();
        assert!(made.success());
        let runner = RunnerSettings {
            profile: Profile::Script,
            argv: vec![
                "sh".into(),
                "-c".into(),
                script.replace("FIFO", &format!("{}/fifo", root.path().display())),
            ],
            session_args: None,
            budget_args: None,
            prompt: PromptPassing::Stdin,
            surroundings: Surroundings { env: vec!["AGENT_KEY".into()], ..Surroundings::default() },
            hooks: Hooks::default(),
            verify_timeout_seconds: 20,
            hook_timeout_seconds: 20,
            prices: None,
            tmux: false,
        };
        let mut environment: BTreeMap<_, _> = std::env::vars_os().collect();
        environment.insert("AGENT_KEY".into(), "agent-key".into());
        environment.insert("FORGE_TOKEN".into(), "planted-secret".into());
        environment.insert("SSH_AUTH_SOCK".into(), "planted-secret".into());
        let repo = RepoId::parse("local:me/thing", None).unwrap();
        let settings = Settings {
            executable: std::env::current_exe().unwrap(),
            supervisor_args: ["--exact", "supervisor::entry", "--nocapture", "--test-threads=1"]
                .map(Into::into)
                .to_vec(),
            state_dir: root.path().join("state"),
            repos: root.path().join("state/repos"),
            home: Some(root.path().to_owned()),
            environment,
            runners: BTreeMap::from([(repo.clone(), RepoRunners { own: runner, others: BTreeMap::new() })]),
            checks: Surroundings::default(),
        };
        let unique = root.path().file_name().unwrap().to_string_lossy().into_owned();
        let id = format!("run{unique}-t1");
        let turn = TurnSpec {
            run: "run1".into(),
            base: Oid::parse(&"0".repeat(40)).unwrap(),
            runner: "agent".into(),
            prompt: "do it\n".into(),
            session: None,
            budget_usd: 1.0,
            first: true,
            verify: Vec::new(),
            asked: Asked::Work,
            folder: folder.clone(),
        };
        let (dir, kind) = (folder.job(&id), JobKind::Turn(Box::new(turn)));
        let job = JobSpec { id, repo, dir, kind, timeout_seconds: 60, stall_seconds: None };
        Self { root, settings, job }
    }

    fn agent(&mut self) -> &mut RunnerSettings {
        &mut self.settings.runners.get_mut(&self.job.repo).unwrap().own
    }

    fn turn(&mut self) -> &mut TurnSpec {
        match &mut self.job.kind {
            JobKind::Turn(turn) => turn,
            JobKind::Check { .. } | JobKind::Command { .. } => unreachable!("the world's job is a turn"),
        }
    }

    fn work(&self) -> PathBuf {
        self.root.path().join("run/work")
    }

    /// A repository in the workspace with one commit, which is the turn's base.
    fn with_repository(mut self) -> Self {
        let work = self.work();
        git(&work, &["init", "-q"]).unwrap();
        git(&work, &["commit", "-q", "--allow-empty", "-m", "base"]).unwrap();
        self.turn().base = Oid::parse(&git(&work, &["rev-parse", "HEAD"]).unwrap()).unwrap();
        self
    }

    fn runner(&self) -> CommandRunner {
        CommandRunner::new(self.settings.clone())
    }

    fn state(&self) -> JobState {
        self.runner().state(&self.job.dir).unwrap()
    }

    fn start(&self) {
        self.runner().start(&self.job).unwrap();
    }

    fn result(&self) -> JobResult {
        self.runner().wait(&self.job.dir).unwrap();
        let supervisor = std::fs::read_to_string(self.job.dir.join("supervisor.log")).unwrap_or_default();
        match self.state() {
            JobState::Over(result) => *result,
            other @ (JobState::NotStarted | JobState::Running { .. } | JobState::Orphaned) => {
                panic!("the job is {other:?}; the supervisor said: {supervisor}")
            }
        }
    }

    fn run(&self) -> JobResult {
        self.start();
        self.result()
    }

    /// What the agent says first; it lives then.
    fn hear(&self) -> String {
        let mut said = String::new();
        std::fs::File::open(self.root.path().join("fifo")).unwrap().read_to_string(&mut said).unwrap();
        said.trim().to_owned()
    }

    fn hear_process(&self) -> process::Proc {
        process::find(self.hear().parse().unwrap()).expect("the agent told its own pid and waits")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.job.dir.join(name)).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.runner().stop(&self.job.dir, &self.job.id).unwrap();
    }
}

#[test]
fn an_agent_that_is_done() {
    let world = World::new(
        r#"cat; echo "in $PWD" >&2; echo '{"outcome":"done","summary":"s"}' > "$OFFHOURS_RESULT""#,
    );
    assert_eq!(world.state(), JobState::NotStarted);
    let result = world.run();
    assert_eq!((&result.end, result.exit_code), (&TurnEnd::Finished, Some(0)));
    assert_eq!(result.summary.as_deref(), Some("s"));
    assert_eq!(world.read("stdout.log"), "do it\n");
    assert!(world.read("stderr.log").trim_end().ends_with("/run/work"));
    assert!(!world.job.dir.join("tmp").exists());
    // Asked again it is over still, and nothing runs a second time.
    world.start();
    assert_eq!(world.result(), result);
}

#[test]
fn an_agent_that_does_not_exist_is_refused_before_anything_starts() {
    let mut world = World::new("");
    world.agent().argv = vec!["no-such-agent".into()];
    let refused = world.runner().start(&world.job).unwrap_err();
    assert!(
        matches!(&refused, PortError::Refused { what } if what.contains("`no-such-agent` was not found"))
    );
    assert_eq!(world.state(), JobState::NotStarted);
}

#[test]
fn an_agent_that_exits_with_an_error() {
    let result = World::new("exit 3").run();
    assert_eq!(result.end, TurnEnd::Error { detail: "the agent exited with code 3".into() });
    assert_eq!(result.exit_code, Some(3));
}

#[test]
fn an_agent_that_prints_100_megabytes_does_not_fill_the_disk() {
    let mut world = World::new(
        r#"echo '{"type":"thread.started","thread_id":"first-line"}'; yes 0123456789012345678901234567890123456789012345678 | head -c 100000000; echo; echo '{"type":"turn.failed","error":{"message":"last line"}}'"#,
    );
    world.agent().profile = Profile::Codex;
    let result = world.run();
    assert_eq!(result.end, TurnEnd::Error { detail: "last line".into() });
    assert_eq!(result.usage.session.as_deref(), Some("first-line"));
    let log = world.read("stdout.log");
    assert!(log.len() < 18 << 20 && log.contains("bytes left out") && log.contains("last line"));
}

#[test]
fn an_agent_that_never_ends_is_ended() {
    let mut world = World::new("trap '' TERM; echo $$ > FIFO; while :; do sleep 60; done");
    world.job.timeout_seconds = 1;
    world.start();
    let agent = world.hear_process();
    assert_eq!(world.result().end, TurnEnd::TimedOut);
    assert!(!process::lives(agent));
}

#[test]
fn an_agent_without_output_or_change_has_stalled() {
    let mut world = World::new("sleep 60");
    world.job.stall_seconds = Some(1);
    assert_eq!(world.run().end, TurnEnd::Stalled);
}

#[test]
fn what_an_agent_leaves_in_the_background_is_ended() {
    let world =
        World::new("setsid sh -c 'echo $$ > FIFO; exec sleep 60' > /dev/null 2>&1 & cat FIFO > pid; exit 0");
    assert_eq!(world.run().end, TurnEnd::Finished);
    let pid: i32 = std::fs::read_to_string(world.work().join("pid")).unwrap().trim().parse().unwrap();
    assert_eq!(process::find(pid), None);
    assert_eq!(process::find_by_cookie(&world.job.id), []);
}

#[test]
fn even_without_its_cookie_and_its_parent_a_process_is_ended() {
    let world = World::new(
        "(env -i setsid sh -c 'echo $$ > FIFO; exec sleep 60' > /dev/null 2>&1 &) ; cat FIFO > pid; exit 0",
    );
    assert_eq!(world.run().end, TurnEnd::Finished);
    let pid: i32 = std::fs::read_to_string(world.work().join("pid")).unwrap().trim().parse().unwrap();
    assert_eq!(process::find(pid), None);
}

#[test]
fn a_supervisor_that_was_killed_leaves_an_orphan_that_stop_ends() {
    let world = World::new("echo $$ > FIFO; sleep 60");
    world.start();
    let agent = world.hear_process();
    assert!(matches!(world.state(), JobState::Running { verifying: false, .. }));
    let [supervisor] = process::supervisors(&world.job.dir)[..] else { panic!("not one supervisor") };
    process::signal(supervisor, rustix::process::Signal::KILL);
    world.runner().wait(&world.job.dir).unwrap();
    assert_eq!(world.state(), JobState::Orphaned);
    assert!(process::lives(agent));
    world.start();
    assert_eq!(world.state(), JobState::Orphaned, "an orphan is not started again");
    world.runner().stop(&world.job.dir, &world.job.id).unwrap();
    assert!(!process::lives(agent));
    assert_eq!(world.state(), JobState::Orphaned);
}

#[test]
fn starting_at_once_from_several_sides_starts_once() {
    let world = World::new("echo x >> ran; echo up > FIFO; cat FIFO");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| world.start());
            scope.spawn(|| world.state());
        }
    });
    assert_eq!(world.hear(), "up");
    std::fs::write(world.root.path().join("fifo"), "go").unwrap();
    assert_eq!(world.result().end, TurnEnd::Finished);
    assert_eq!(std::fs::read_to_string(world.work().join("ran")).unwrap(), "x\n");
}

#[test]
fn no_environment_holds_a_secret() {
    let world = World::new("env > environment; echo $$ > FIFO; cat FIFO");
    world.start();
    let agent = world.hear_process();
    let [supervisor] = process::supervisors(&world.job.dir)[..] else { panic!("not one supervisor") };
    let environ = |pid| {
        let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        String::from_utf8(bytes).unwrap().replace('\0', "\n")
    };
    let (above, below) = (environ(supervisor.pid), environ(agent.pid));
    std::fs::write(world.root.path().join("fifo"), "go").unwrap();
    assert_eq!(world.result().end, TurnEnd::Finished);
    for seen in [&above, &below] {
        assert!(!seen.contains("planted-secret") && seen.contains("AGENT_KEY=agent-key"), "{seen}");
        assert!(!seen.contains("CARGO"), "the environment of the tests leaks: {seen}");
    }
    assert!(
        !above.contains("OFFHOURS_TURN=") && below.contains(&format!("OFFHOURS_TURN={}\n", world.job.id))
    );
    assert!(below.contains("/state/homes/local/me/thing\n") && below.contains("TERM=dumb\n"));
    assert!(!world.read("spec.json").contains("agent-key"), "values of the environment stay out of files");
}

#[test]
fn an_agent_that_stops_on_purpose_is_blocked_whatever_it_committed() {
    let script = r#"git -c user.name=t -c user.email=t@t commit -q --allow-empty -m x; echo '{"outcome":"blocked","reason":"no key"}' > "$OFFHOURS_RESULT""#;
    let mut world = World::new(script).with_repository();
    world.turn().verify = vec!["false".into()];
    let result = world.run();
    assert_eq!(result.end, TurnEnd::Blocked { reason: "no key".into() });
    assert_eq!(result.verify, None);
}

#[test]
fn a_result_file_that_makes_no_sense_is_no_end() {
    let result = World::new(r#"echo '{"outcome"' > "$OFFHOURS_RESULT""#).run();
    let end = &result.end;
    assert!(matches!(end, TurnEnd::ResultUnreadable { why } if why.contains("is no JSON")), "{end:?}");
    assert_eq!((result.exit_code, result.verify), (Some(0), None));
}

#[test]
fn stop_ends_a_running_job() {
    let world = World::new("echo $$ > FIFO; sleep 60");
    world.start();
    let agent = world.hear_process();
    world.runner().stop(&world.job.dir, &world.job.id).unwrap();
    assert!(!process::lives(agent));
    assert_eq!(world.result().end, TurnEnd::Stopped);
}

#[test]
fn what_was_stopped_before_it_began_never_begins() {
    let world = World::new("touch ran");
    world.runner().stop(&world.job.dir, &world.job.id).unwrap();
    world.start();
    assert_eq!(world.result().end, TurnEnd::Stopped);
    assert!(!world.work().join("ran").exists());
}

const COMMITS: &str =
    "echo x > file; git add file; git -c user.name=t -c user.email=t@t commit -q -m x; echo dirt > dirt";

#[test]
fn verify_sees_the_commit_and_nothing_else() {
    let mut world = World::new(COMMITS).with_repository();
    world.turn().verify =
        vec!["sh".into(), "-c".into(), "test -e file && test ! -e dirt && echo fine".into()];
    let result = world.run();
    let verify = result.verify.unwrap();
    let head = git(&world.work(), &["rev-parse", "HEAD"]).unwrap();
    assert_eq!((verify.green, verify.oid.as_str(), verify.log_tail.as_str()), (true, &*head, "fine"));
}

#[test]
fn a_red_verify_has_a_log_and_the_same_fingerprint_each_time() {
    let verdict = |time: &str| {
        let mut world = World::new(COMMITS).with_repository();
        let script = format!("echo \"test a failed in {time}: $PWD/file\"; exit 1");
        world.turn().verify = vec!["sh".into(), "-c".into(), script];
        world.run().verify.unwrap()
    };
    let (one, two) = (verdict("1.23s"), verdict("17ms"));
    assert!(!one.green && one.log_tail.starts_with("test a failed in 1.23s"));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_eq!(one.fingerprint.len(), 64);
}

#[test]
fn hooks_run_around_the_turn_and_the_first_ones_are_fatal() {
    let hook = |script: &str| vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let mut world = World::new("echo agent >> order");
    world.agent().hooks = Hooks {
        after_create: hook("echo created >> order"),
        before_turn: hook("echo before >> order"),
        after_turn: hook("echo after >> order; exit 4"),
        before_remove: Vec::new(),
    };
    let result = world.run();
    let order = std::fs::read_to_string(world.work().join("order")).unwrap();
    assert_eq!(order, "created\nbefore\nagent\nafter\n");
    assert_eq!(result.end, TurnEnd::Finished);
    assert_eq!(result.hook_notes, ["The hook `after_turn` failed: it exited with code 4."]);

    let mut world = World::new("echo agent >> order");
    world.agent().hooks.before_turn = hook("echo no database; exit 1");
    let end = world.run().end;
    assert!(matches!(&end, TurnEnd::FailedToStart { detail } if detail.contains("no database")), "{end:?}");
    assert!(!world.work().join("order").exists());
}

#[test]
fn a_check_is_green_red_or_pending() {
    for (script, code, green) in
        [("exit 0", 0, Some(true)), ("exit 1", 1, Some(false)), ("exit 75", 75, None)]
    {
        let mut world = World::new("").with_repository();
        let oid = world.turn().base.clone();
        world.job.kind = JobKind::Check { oid, argv: vec!["sh".into(), "-c".into(), script.into()] };
        // Shorter than the time after which an undecided check is asked again.
        world.job.timeout_seconds = 4;
        let result = world.run();
        assert_eq!((&result.end, result.exit_code), (&TurnEnd::Finished, Some(code)));
        assert_eq!(result.verify.map(|verify| verify.green), green);
    }
}

#[test]
fn a_command_runs_where_it_is_told() {
    let mut world = World::new("");
    let cwd = world.work();
    world.job.kind =
        JobKind::Command { cwd, argv: vec!["sh".into(), "-c".into(), "touch here; exit 5".into()] };
    let result = world.run();
    assert_eq!((&result.end, result.exit_code), (&TurnEnd::Finished, Some(5)));
    assert!(world.work().join("here").exists());
}
