//! The runner `command`, seen from a tick: start, read, stop and wait for supervised jobs.
//!
//! A job is unlocked only while nothing of it lives: `start` takes the lock and hands the very descriptor to the
//! supervisor as its standard input. So a free lock with a `started` file and no result means that the supervisor died.

mod home;
mod settings;
mod turn;

pub use super::folder::{Hooks, PromptPassing};
pub use super::usage::{Prices, Profile};
pub use settings::{RepoRunners, RunnerSettings, Settings, Surroundings, tmux_socket};

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::process::Signal;

use super::folder::{GivenUp, JobFiles, SCHEMA, SpecFile, TurnFile, WorkFile, try_lock};
use super::tmux::LONGEST_SOCKET;
use crate::adapters::git::borrowed_objects;
use crate::adapters::process;
use crate::boundary;
use crate::domain::model::{JobResult, JobState, RepoId, TurnEnd, UnixTime, Usage};
use crate::ports::{JobKind, JobSpec, PortError, PortResult, Runner};
use home::{copy_home_file, private_dir};
use turn::turn_file;

/// How long `stop` waits for the supervisor to end the job by itself.
const STOP_WAIT: Duration = Duration::from_secs(10);
/// Names that no configuration can pass on: they are the supervisor's own, or would make it look like a job.
const NEVER_PASSED: [&str; 5] = [process::COOKIE, "HOME", "PATH", "SSH_AUTH_SOCK", "OFFHOURS_KILL_SWITCH"];

/// Runs jobs under a supervisor of their own; see the module.
pub struct CommandRunner {
    settings: Settings,
}

fn refused<T>(what: String) -> PortResult<T> {
    Err(PortError::Refused { what })
}

fn later(doing: &str, error: &io::Error) -> PortError {
    PortError::later(format!("{doing} did not work: {error}. It is tried again by the next tick."))
}

impl CommandRunner {
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.settings.environment.get(OsStr::new(name))
    }

    fn runner(&self, repo: &RepoId, name: &str) -> PortResult<&RunnerSettings> {
        let runners = self.settings.runners.get(repo).ok_or_else(|| {
            PortError::refused(format!(
                "{repo} has no runner in the configuration. Put it back on the allowlist."
            ))
        })?;
        Ok(runners.others.get(name).unwrap_or(&runners.own))
    }

    fn surroundings(&self, job: &JobSpec) -> PortResult<&Surroundings> {
        match &job.kind {
            JobKind::Turn(turn) => Ok(&self.runner(&job.repo, &turn.runner)?.surroundings),
            // What a repo's agent wrote is tested in the same surroundings as the agent.
            JobKind::Check { .. } | JobKind::Command { .. } => {
                let of_repo = self.settings.runners.get(&job.repo);
                Ok(of_repo.map_or(&self.settings.checks, |runners| &runners.own.surroundings))
            }
        }
    }

    /// The supervisor's whole environment. The agent gets these and what the job adds.
    fn environment(&self, names: &[String]) -> BTreeMap<OsString, OsString> {
        let always = ["PATH", "LANG", "USER", "LOGNAME"];
        let chosen = names.iter().map(String::as_str).filter(|name| !NEVER_PASSED.contains(name));
        let mut env: BTreeMap<OsString, OsString> = always
            .into_iter()
            .chain(chosen)
            .filter_map(|name| Some((name.into(), self.variable(name)?.clone())))
            .collect();
        env.entry("PATH".into()).or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".into());
        env.entry("LANG".into()).or_insert_with(|| "C.UTF-8".into());
        if cfg!(feature = "testing") {
            for name in ["OFFHOURS_CRASH", "OFFHOURS_BOUNDARY_LOG", "OFFHOURS_CLOCK_FILE"] {
                if let Some(value) = self.variable(name) {
                    env.insert(name.into(), value.clone());
                }
            }
        }
        env
    }

    /// Whether the first word can be run at all; told before anything is started.
    fn check_program(&self, wrap: &[String], argv: &[String], cwd: Option<&Path>) -> PortResult<()> {
        let Some(program) = wrap.first().or(argv.first()) else {
            return refused("The command to run is empty. Name a program in the configuration.".to_owned());
        };
        let runs = |path: &Path| {
            path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        };
        let found = if program.contains('/') {
            match (Path::new(program).is_absolute(), cwd) {
                (true, _) => runs(Path::new(program)),
                (false, Some(cwd)) => runs(&cwd.join(program)),
                // Lies in a checkout that is made later.
                (false, None) => true,
            }
        } else {
            let path = self.environment(&[]).remove(OsStr::new("PATH")).unwrap_or_default();
            std::env::split_paths(&path).any(|dir| runs(&dir.join(program)))
        };
        if found {
            return Ok(());
        }
        refused(format!(
            "The program `{program}` was not found, or may not be executed. Install it, or name its full path in the configuration."
        ))
    }

    fn home(&self, repo: &RepoId, files: &[String]) -> PortResult<PathBuf> {
        let below = [&repo.forge, &repo.owner, &repo.name];
        let home = below.iter().fold(self.settings.state_dir.join("homes"), |path, part| path.join(part));
        private_dir(&home).map_err(|error| later("Making the home of the repository", &error))?;
        for name in files {
            let name = Path::new(name.strip_prefix("~/").unwrap_or(name));
            let Some(from) = &self.settings.home else {
                return refused(
                    "home_files are named, but offhours has no HOME to take them from. Set HOME.".into(),
                );
            };
            copy_home_file(from, &home, name).map_err(|error| {
                PortError::refused(format!(
                    "The home file `{}` could not be copied from {}: {error}. Correct home_files, or make the file.",
                    name.display(),
                    from.display()
                ))
            })?;
        }
        Ok(home)
    }

    fn tmux(&self, id: &str) -> PortResult<PathBuf> {
        self.check_program(&[], &["tmux".to_owned()], None)?;
        let socket = tmux_socket(&self.settings.state_dir, id);
        if socket.as_os_str().len() > LONGEST_SOCKET {
            return refused(format!(
                "The path {} is too long for a tmux socket, which has at most {LONGEST_SOCKET} bytes. Put the state file into \
                 a folder with a shorter path, or take `session` out.",
                socket.display()
            ));
        }
        private_dir(&self.settings.state_dir.join("tmux"))
            .map_err(|error| later("Making the folder for tmux", &error))?;
        Ok(socket)
    }

    fn spec_file(&self, job: &JobSpec) -> PortResult<SpecFile> {
        let around = self.surroundings(job)?;
        let work = match &job.kind {
            JobKind::Turn(turn) => {
                let runner = self.runner(&job.repo, &turn.runner)?;
                self.check_program(&around.wrap, &runner.argv, Some(&turn.folder.work()))?;
                // Told before a turn is paid for. A path in the repo is looked for when it is run.
                if turn.verify.first().is_some_and(|word| !word.contains('/') || word.starts_with('/')) {
                    self.check_program(&[], &turn.verify, None).map_err(|error| {
                        PortError::refused(format!("The repo's `verify` cannot be run. {error}"))
                    })?;
                }
                let tmux = runner.tmux.then(|| self.tmux(&job.id)).transpose()?;
                WorkFile::Turn(Box::new(TurnFile { tmux, ..turn_file(&job.id, turn, runner) }))
            }
            JobKind::Check { oid, argv } => {
                self.check_program(&around.wrap, argv, None)?;
                WorkFile::Check { oid: oid.as_str().to_owned(), argv: argv.clone() }
            }
            JobKind::Command { cwd, argv } => {
                self.check_program(&around.wrap, argv, Some(cwd))?;
                WorkFile::Command { cwd: cwd.clone(), argv: argv.clone() }
            }
        };
        let env = around.env.iter().filter(|name| !NEVER_PASSED.contains(&name.as_str()));
        Ok(SpecFile {
            schema: SCHEMA,
            id: job.id.clone(),
            repo: job.repo.to_string(),
            timeout_seconds: job.timeout_seconds,
            stall_seconds: job.stall_seconds,
            home: self.home(&job.repo, &around.home_files)?,
            env: env.cloned().collect(),
            wrap: around.wrap.clone(),
            objects: borrowed_objects(&self.settings.repos, &job.repo)?,
            work,
        })
    }

    /// Starts the supervisor with the locked file as its standard input. Our own descriptor goes with the command.
    fn spawn(&self, folder: &JobFiles, lock: File, env: BTreeMap<OsString, OsString>) -> PortResult<()> {
        let log = || File::options().create(true).append(true).open(folder.path("supervisor.log"));
        let doing = "Starting the supervisor";
        let (out, err) = match (log(), log()) {
            (Ok(out), Ok(err)) => (out, err),
            (Err(error), _) | (_, Err(error)) => return Err(later(doing, &error)),
        };
        let mut command = Command::new(&self.settings.executable);
        command.arg("supervise").arg(&folder.dir).args(&self.settings.supervisor_args);
        command.env_clear().envs(env).current_dir(&folder.dir).stdin(lock).stdout(out).stderr(err);
        boundary::pass("supervisor spawn: before");
        // Not waited for: a tick is shorter than its jobs, and what it leaves is collected by init.
        drop(command.spawn().map_err(|error| later(doing, &error))?);
        boundary::pass("supervisor spawn: after");
        Ok(())
    }
}

impl Runner for CommandRunner {
    fn start(&self, job: &JobSpec) -> PortResult<()> {
        let folder = JobFiles::new(&job.dir);
        let files = |error: io::Error| later("Making the job's folder", &error);
        private_dir(&job.dir).map_err(files)?;
        let lock = folder.open_lock().map_err(files)?;
        // A look at the state holds the lock for a moment; a supervisor holds it for good.
        let mut tries = 0;
        while !try_lock(&lock, true).map_err(files)? {
            tries += 1;
            if tries > 40 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if folder.has("started") || folder.has("result.json") {
            drop(GivenUp(&lock));
            return Ok(());
        }
        let spec = self.spec_file(job)?;
        let bytes = serde_json::to_vec_pretty(&spec).map_err(|error| {
            PortError::refused(format!("The job {} cannot be written down: {error}.", job.id))
        })?;
        if let JobKind::Turn(turn) = &job.kind {
            folder.replace("prompt.md", turn.prompt.as_bytes()).map_err(files)?;
        }
        folder.replace("spec.json", &bytes).map_err(files)?;
        self.spawn(&folder, lock, self.environment(&spec.env))
    }

    fn state(&self, dir: &Path) -> PortResult<JobState> {
        let folder = JobFiles::new(dir);
        let trouble = |error: io::Error| later("Looking at the job's lock", &error);
        // Held while the files are read, so that nobody starts in between.
        let lock = match File::open(folder.path("lock")) {
            Ok(lock) => Some(lock),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(trouble(error)),
        };
        let _held = lock.as_ref().map(GivenUp);
        if let Some(lock) = &lock
            && !try_lock(lock, false).map_err(trouble)?
        {
            return Ok(JobState::Running {
                started_at: folder.started_at(),
                verifying: folder.has("verifying"),
                asks: None,
            });
        }
        match folder.read_result().map_err(PortError::broken)? {
            Some(result) => Ok(JobState::Over(Box::new(result))),
            None if folder.has("started") => Ok(JobState::Orphaned),
            None => Ok(JobState::NotStarted),
        }
    }

    fn stop(&self, dir: &Path, id: &str) -> PortResult<()> {
        let folder = JobFiles::new(dir);
        let files = |error: io::Error| later("Stopping the job", &error);
        private_dir(dir).map_err(files)?;
        boundary::pass("stop marker: before");
        File::options().create(true).append(true).open(folder.path("stop")).map_err(files)?;
        boundary::pass("stop marker: after");
        let lock = folder.open_lock().map_err(files)?;
        let _held = GivenUp(&lock);
        let mut ours = lock_within(&lock, STOP_WAIT).map_err(files)?;
        if !ours {
            for supervisor in process::supervisors(dir) {
                process::signal(supervisor, Signal::KILL);
            }
            ours = lock_within(&lock, Duration::from_secs(2)).map_err(files)?;
        }
        // Where an agent removed the folder with the lock in it, the new one's being free says nothing.
        for supervisor in process::supervisors(dir) {
            process::signal(supervisor, Signal::KILL);
        }
        let left = process::end_by_cookie(id);
        if !process::readable() {
            return Err(PortError::later(format!(
                "Nobody can say whether something of the job {id} lives, because /proc does not show this process. \
                 Mount it; until then the workspace is left alone."
            )));
        }
        if !left.is_empty() || !ours {
            return Err(PortError::later(format!(
                "The job {id} could not be ended: {} of its processes are still there, and its lock is {}.",
                left.len(),
                if ours { "free" } else { "held" }
            )));
        }
        std::fs::remove_file(tmux_socket(&self.settings.state_dir, id)).ok();
        // It never began, and so it never shall: whoever starts it now finds it over.
        if !folder.has("started") && !folder.has("result.json") {
            let at = UnixTime(folder.started_at().0);
            folder.write_result(&never_began(at)).map_err(files)?;
            folder.mark_started(at).map_err(files)?;
        }
        Ok(())
    }

    fn wait(&self, dir: &Path) -> PortResult<()> {
        let lock = match File::open(dir.join("lock")) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(later("Opening the job's lock", &error)),
        };
        loop {
            match rustix::fs::flock(&lock, FlockOperation::LockShared) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(later("Waiting for the job's lock", &error.into())),
            }
        }
    }
}

fn never_began(at: UnixTime) -> JobResult {
    JobResult {
        started_at: at,
        ended_at: at,
        end: TurnEnd::Stopped,
        exit_code: None,
        usage: Usage { cost_usd: Some(0.0), ..Usage::default() },
        verify: None,
        hook_notes: Vec::new(),
        summary: None,
    }
}

fn lock_within(lock: &File, bound: Duration) -> io::Result<bool> {
    let begun = Instant::now();
    loop {
        if try_lock(lock, true)? {
            return Ok(true);
        }
        if begun.elapsed() >= bound {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
