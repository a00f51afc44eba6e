//! The runner `command`: starts a supervisor per job and reads what it leaves in the job's folder.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::files::{self, Profile, PromptBy, SCHEMA, Spec, SpecTurn, SpecWork};
use crate::adapters::process;
use crate::boundary;
use crate::domain::model::{JobResult, JobState, RepoId, TurnEnd, UnixTime, Usage};
use crate::ports::{JobKind, JobSpec, PortError, PortResult, Runner};

/// How turns of one repo are run; from the config.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnSettings {
    pub profile: Profile,
    pub argv: Vec<String>,
    pub prompt: PromptBy,
    /// Names of variables that are passed through to the agent, its tests and hooks.
    pub env: Vec<String>,
    /// Files and folders below the user's home that the agent finds in its own.
    pub home_files: Vec<String>,
    pub wrap: Vec<String>,
    pub verify_timeout_seconds: u64,
    pub after_create: Vec<String>,
    pub before_turn: Vec<String>,
    pub after_turn: Vec<String>,
    pub hook_timeout_seconds: u64,
    pub price_input: Option<f64>,
    pub price_output: Option<f64>,
}

pub struct CommandRunner {
    /// The offhours program, which is its own supervisor.
    pub exe: PathBuf,
    pub homes: PathBuf,
    /// The user's own home, for `home_files`.
    pub user_home: PathBuf,
    pub path: String,
    pub private_root: PathBuf,
    pub workspace_root: PathBuf,
    pub settings: Box<dyn Fn(&RepoId) -> Option<TurnSettings>>,
    /// Looks a variable up that is to be passed through.
    pub env: Box<dyn Fn(&str) -> Option<OsString>>,
}

/// Variables that only tests set, handed on so that a supervisor can be ended at a boundary, too.
#[cfg(feature = "testing")]
const TEST_VARIABLES: [&str; 3] = ["OFFHOURS_CRASH", "OFFHOURS_BOUNDARY_LOG", "OFFHOURS_CLOCK_FILE"];
#[cfg(not(feature = "testing"))]
const TEST_VARIABLES: [&str; 0] = [];

fn trouble(doing: &str, path: &Path) -> impl Fn(io::Error) -> PortError {
    let what = format!("{doing} {}", path.display());
    move |e| PortError::later(format!("{what} failed: {e}"))
}

/// Opens the lock file; it is never removed while its run lives.
fn open_lock(dir: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(dir.join("lock"))
}

/// Tries to take the lock for ourselves. Somebody who only looks holds it for an instant, so a few tries are made.
fn try_lock(lock: &File) -> bool {
    for _ in 0..25 {
        if flock(lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Whether somebody holds the lock. Looking takes a shared lock for an instant.
fn held(dir: &Path) -> io::Result<bool> {
    let lock = match OpenOptions::new().read(true).open(dir.join("lock")) {
        Ok(lock) => lock,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    Ok(flock(&lock, FlockOperation::NonBlockingLockShared).is_err())
}

/// Finds a program the way a shell would: a path as it is, a word on PATH.
fn find_program(word: &str, path: &str, cwd: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let runs = |p: &Path| fs::metadata(p).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    if word.contains('/') {
        let full = cwd.join(word);
        return runs(&full).then_some(full);
    }
    path.split(':').filter(|d| !d.is_empty()).map(|d| Path::new(d).join(word)).find(|p| runs(p))
}

impl CommandRunner {
    fn spec(&self, job: &JobSpec) -> PortResult<(Spec, String)> {
        let settings = (self.settings)(&job.repo)
            .ok_or_else(|| PortError::refused(format!("no runner is configured for {}", job.repo)))?;
        let home = self.homes.join(&job.repo.forge).join(&job.repo.owner).join(&job.repo.name);
        let mut prompt = String::new();
        let work = match &job.kind {
            JobKind::Turn(turn) => {
                prompt.clone_from(&turn.prompt);
                let mut argv = settings.wrap.clone();
                argv.extend(settings.argv.iter().cloned());
                let word = argv.first().cloned().unwrap_or_default();
                if find_program(&word, &self.path, &turn.folder.work()).is_none() {
                    return Err(PortError::refused(format!(
                        "the runner {} wants to start `{word}`, which is not on PATH ({}); install it, or name its path in \
                         `runner.{}.argv`",
                        turn.runner, self.path, turn.runner
                    )));
                }
                for file in &settings.home_files {
                    copy_home_file(&self.user_home, file, &home)?;
                }
                SpecWork::Turn(Box::new(SpecTurn {
                    run: turn.run.clone(),
                    folder: turn.folder.dir.clone(),
                    base: turn.base.to_string(),
                    argv,
                    prompt: settings.prompt,
                    profile: settings.profile,
                    session: turn.session.clone(),
                    budget_usd: turn.budget_usd,
                    first: turn.first,
                    verify: turn.verify.clone(),
                    verify_timeout_seconds: settings.verify_timeout_seconds,
                    after_create: settings.after_create.clone(),
                    before_turn: settings.before_turn.clone(),
                    after_turn: settings.after_turn.clone(),
                    hook_timeout_seconds: settings.hook_timeout_seconds,
                    price_input: settings.price_input,
                    price_output: settings.price_output,
                }))
            }
            JobKind::Check { oid, argv } => SpecWork::Check { oid: oid.to_string(), argv: argv.clone() },
            JobKind::Command { cwd, argv } => SpecWork::Command { cwd: cwd.clone(), argv: argv.clone() },
        };
        let spec = Spec {
            schema: SCHEMA,
            id: job.id.clone(),
            repo: job.repo.to_string(),
            timeout_seconds: job.timeout_seconds,
            stall_seconds: job.stall_seconds,
            home,
            path: self.path.clone(),
            pass: settings.env,
            private_root: self.private_root.clone(),
            workspace_root: self.workspace_root.clone(),
            work,
        };
        Ok((spec, prompt))
    }

    fn spawn(&self, dir: &Path, spec: &Spec, lock: File) -> PortResult<()> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("supervisor.log"))
            .map_err(trouble("opening the supervisor's log in", dir))?;
        let errors = log.try_clone().map_err(trouble("opening the supervisor's log in", dir))?;
        let mut command = Command::new(&self.exe);
        command.arg("supervise").arg(dir).current_dir(dir).env_clear().env("PATH", &self.path);
        for name in spec.pass.iter().map(String::as_str).chain(TEST_VARIABLES) {
            if let Some(value) = (self.env)(name) {
                command.env(name, value);
            }
        }
        // The locked descriptor becomes the supervisor's standard input: the lock passes on without a gap.
        command.stdin(Stdio::from(lock)).stdout(Stdio::from(log)).stderr(Stdio::from(errors));
        boundary::pass("process.start");
        let child = command.spawn().map_err(trouble("starting the supervisor", &self.exe))?;
        boundary::pass("process.start");
        // It lives on in its own session; this tick does not wait for it.
        drop(child);
        Ok(())
    }
}

/// Copies a file or folder of the user's home to the same place in the agent's. Links are not followed.
fn copy_home_file(from: &Path, name: &str, home: &Path) -> PortResult<()> {
    let below = Path::new(name);
    if below.components().any(|c| !matches!(c, std::path::Component::Normal(_))) {
        return Err(PortError::refused(format!("`{name}` in home_files is not a path below your home")));
    }
    let unreadable = |e: io::Error| {
        PortError::refused(format!("`{name}` in home_files could not be copied: {e}; mend it or take it out"))
    };
    copy_tree(&from.join(below), &home.join(below), 0).map_err(unreadable)
}

/// Deep enough for any agent's settings, and an end for anything else.
const DEEPEST_COPY: u32 = 12;

fn copy_tree(from: &Path, to: &Path, depth: u32) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?;
    if kind.is_dir() && depth < DEEPEST_COPY {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_tree(&entry.path(), &to.join(entry.file_name()), depth + 1)?;
        }
    } else if kind.is_file() {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(from, to)?;
    }
    Ok(())
}

impl Runner for CommandRunner {
    fn start(&self, job: &JobSpec) -> PortResult<()> {
        let dir = &job.dir;
        let (spec, prompt) = self.spec(job)?;
        fs::create_dir_all(dir.join("agent")).map_err(trouble("making the job's folder", dir))?;
        let lock = open_lock(dir).map_err(trouble("opening the lock in", dir))?;
        if !try_lock(&lock) {
            return Ok(());
        }
        if dir.join("started").exists() || dir.join("result.json").exists() {
            return Ok(());
        }
        files::write_whole(&dir.join("prompt.md"), prompt.as_bytes())
            .map_err(trouble("writing the prompt in", dir))?;
        let text = serde_json::to_vec_pretty(&spec)
            .map_err(|e| PortError::broken(format!("writing a job down: {e}")))?;
        files::write_whole(&dir.join("spec.json"), &text).map_err(trouble("writing the job in", dir))?;
        self.spawn(dir, &spec, lock)
    }

    fn state(&self, dir: &Path) -> PortResult<JobState> {
        if let Some(result) = files::read_result(dir)? {
            return Ok(JobState::Over(Box::new(result)));
        }
        if held(dir).map_err(trouble("looking at the lock in", dir))? {
            let started = fs::read_to_string(dir.join("started")).ok().and_then(|t| t.trim().parse().ok());
            return Ok(JobState::Running {
                started_at: UnixTime(started.unwrap_or(0)),
                verifying: dir.join("verifying").exists(),
            });
        }
        // It may have ended between the two looks.
        if let Some(result) = files::read_result(dir)? {
            return Ok(JobState::Over(Box::new(result)));
        }
        Ok(if dir.join("started").exists() { JobState::Orphaned } else { JobState::NotStarted })
    }

    fn stop(&self, dir: &Path, id: &str) -> PortResult<()> {
        if !dir.exists() {
            return Ok(());
        }
        files::write_whole(&dir.join("stop"), b"").map_err(trouble("asking for the end in", dir))?;
        let lock = open_lock(dir).map_err(trouble("opening the lock in", dir))?;
        let asked = Instant::now();
        let mut killed = false;
        while flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            if asked.elapsed() > Duration::from_secs(12) && !killed {
                process::kill(&process::supervisors_of(dir));
                killed = true;
            }
            if asked.elapsed() > Duration::from_secs(20) {
                return Err(PortError::later(format!("the supervisor of {id} does not end")));
            }
            std::thread::sleep(Duration::from_millis(15));
        }
        if !process::end_all(&|| process::carrying(id)) {
            return Err(PortError::later(format!("something that {id} started does not end")));
        }
        if !dir.join("started").exists() && !dir.join("result.json").exists() {
            let never = JobResult {
                started_at: UnixTime(0),
                ended_at: UnixTime(0),
                end: TurnEnd::Stopped,
                exit_code: None,
                usage: Usage { cost_usd: Some(0.0), ..Usage::default() },
                verify: None,
                hook_notes: vec![],
                summary: None,
            };
            files::write_result(dir, &never).map_err(trouble("writing the end in", dir))?;
        }
        Ok(())
    }

    fn wait(&self, dir: &Path) -> PortResult<()> {
        let lock = open_lock(dir).map_err(trouble("opening the lock in", dir))?;
        flock(&lock, FlockOperation::LockShared)
            .map_err(|e| trouble("waiting for the lock in", dir)(e.into()))
    }
}
