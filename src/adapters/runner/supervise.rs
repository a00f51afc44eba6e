//! The supervisor: the process that holds a job's lock, runs what the job says, ends all of it, and leaves a result.
//!
//! It is started by [`super::command`] and nothing else. It carries no cookie itself, so that ending a job by its
//! cookie does not end its supervisor; it collects every orphan below it (child subreaper), so that what an agent
//! left in the background is known and ended before anybody looks at the workspace.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::Pid;

use super::answer::answer;
use super::child::{Listener, Pumps, Step, exit_code, how};
use super::folder::{Folder, PromptPassing, SessionFile, SpecFile, TurnFile, WorkFile, try_lock};
use super::job::Job;
use super::output::{CappedLog, fingerprint, log_tail};
use super::usage::{ProcessEnd, Profile, Reader, conclude};
use crate::boundary;
use crate::domain::model::{Asked, JobResult, Oid, RepoId, TurnEnd, UnixTime, Usage, VerifyResult};
use crate::ports::{Clock, Git, RunFolder};

/// A check that exits with this has no verdict yet.
const EXIT_PENDING: i32 = 75;
/// And is asked again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Linux takes 32 pages for one argument, its end included.
const ARGUMENT_BYTES: usize = 32 * 4096 - 1;
/// Put where a prompt was cut.
const CUT: &str = "\n[cut here: the whole text is in the file that OFFHOURS_PROMPT_FILE names]";
/// What an agent printed last is read within this after it ended, while something it left may hold its streams.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs one job to its end. Returns quietly where the job was started before.
///
/// Standard input must be the job's locked file; anything else is an error, and nothing is touched.
pub fn run(dir: &Path, git: &dyn Git, clock: &dyn Clock) -> anyhow::Result<()> {
    let folder = Folder::new(dir);
    let _lock = take_over_lock(&folder)?;
    // Fails only where this process leads its group already, and then it has what it wants.
    rustix::process::setsid().ok();
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .context("becoming the collector of orphaned processes did not work")?;
    let started_at = clock.now();
    if !folder.mark_started(started_at).context("the started file could not be written")? {
        return Ok(());
    }
    let outcome = match folder.read_spec() {
        Err(sentence) => Outcome::failed_to_start(sentence),
        Ok(_) if folder.has("stop") => Outcome::of(TurnEnd::Stopped),
        Ok(spec) => work(&folder, &spec, git, clock),
    };
    for leftover in ["tmp", "checkout", "pane"] {
        std::fs::remove_dir_all(folder.path(leftover)).ok();
    }
    let result = outcome.into_result(started_at, clock.now());
    write_result(&folder, &result)
}

/// A full disk may have room again in a moment, and a lost result makes the job an orphan.
fn write_result(folder: &Folder, result: &JobResult) -> anyhow::Result<()> {
    let mut tries = 0;
    loop {
        match folder.write_result(result) {
            Ok(()) => return Ok(()),
            Err(error) if tries == 10 => return Err(error).context("the result could not be written"),
            Err(_) => std::thread::sleep(Duration::from_secs(1)),
        }
        tries += 1;
    }
}

/// Moves the lock from standard input to a descriptor that no child inherits.
fn take_over_lock(folder: &Folder) -> anyhow::Result<OwnedFd> {
    let stdin = rustix::stdio::stdin();
    let given = rustix::fs::fstat(stdin).context("standard input cannot be looked at")?;
    let path = folder.path("lock");
    let wanted = rustix::fs::stat(&path).with_context(|| format!("there is no lock {}", path.display()))?;
    if (given.st_dev, given.st_ino) != (wanted.st_dev, wanted.st_ino) {
        bail!(
            "Standard input is not the job's lock. `supervise` is started by offhours itself, not by hand."
        );
    }
    let own = rustix::io::fcntl_dupfd_cloexec(stdin, 3).context("the lock's descriptor cannot be kept")?;
    let file = File::from(own);
    if !try_lock(&file, true)? {
        bail!("The job's lock is held by another process.");
    }
    let null = File::open("/dev/null").context("/dev/null cannot be opened")?;
    rustix::stdio::dup2_stdin(&null).context("standard input cannot be replaced")?;
    Ok(file.into())
}

/// What a job came to, without its times.
struct Outcome {
    end: TurnEnd,
    exit_code: Option<i32>,
    usage: Usage,
    verify: Option<VerifyResult>,
    notes: Vec<String>,
    summary: Option<String>,
}

impl Outcome {
    fn of(end: TurnEnd) -> Self {
        Self { end, exit_code: None, usage: Usage::default(), verify: None, notes: Vec::new(), summary: None }
    }

    fn failed_to_start(detail: impl Into<String>) -> Self {
        Self::of(TurnEnd::FailedToStart { detail: detail.into() })
    }

    fn into_result(self, started_at: UnixTime, ended_at: UnixTime) -> JobResult {
        JobResult {
            started_at,
            ended_at,
            end: self.end,
            exit_code: self.exit_code,
            usage: self.usage,
            verify: self.verify,
            hook_notes: self.notes,
            summary: self.summary,
        }
    }
}

fn work(folder: &Folder, spec: &SpecFile, git: &dyn Git, clock: &dyn Clock) -> Outcome {
    let Some(repo) = RepoId::parse(&spec.repo, None) else {
        return Outcome::failed_to_start("The job's spec names no repository.");
    };
    for dir in ["agent", "tmp"] {
        if let Err(error) = std::fs::create_dir_all(folder.path(dir)) {
            return Outcome::failed_to_start(format!("The job's folder `{dir}` could not be made: {error}."));
        }
    }
    let job = Job { folder, spec, repo, git };
    let outcome = match &spec.work {
        WorkFile::Turn(turn) => job.turn(turn, clock),
        WorkFile::Check { oid, argv } => job.check(oid, argv),
        WorkFile::Command { cwd, argv } => job.command(cwd, argv),
    };
    job.end_everything();
    outcome
}

/// A prompt that the kernel takes as one argument.
fn fit_argument(mut text: String) -> String {
    if text.len() > ARGUMENT_BYTES {
        let mut end = ARGUMENT_BYTES - CUT.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(CUT);
    }
    text
}

impl Job<'_> {
    fn turn(&self, turn: &TurnFile, clock: &dyn Clock) -> Outcome {
        let workspace = RunFolder { dir: turn.folder.clone() };
        if !workspace.work().is_dir() {
            // Not a failure of the runner, and not to be counted as one.
            let detail = format!("the workspace {} is not there any more", workspace.work().display());
            return Outcome::of(TurnEnd::Error { detail });
        }
        let mut notes = Vec::new();
        let mut before = Vec::new();
        if turn.first {
            before.push(("after_create", &turn.hooks.after_create));
        }
        before.push(("before_turn", &turn.hooks.before_turn));
        for (name, argv) in before {
            match self.hook(name, argv, &workspace.work(), turn) {
                Ok(()) => {}
                Err(ProcessEnd::Stopped) => return Outcome::of(TurnEnd::Stopped),
                Err(end) => {
                    let what = format!("The hook `{name}` failed: it {}.", how(&end));
                    let tail = log_tail(&self.folder.path("hooks.log"));
                    return Outcome::failed_to_start(format!("{what} Its output ends: {tail}"));
                }
            }
        }
        let profile: Profile = turn.profile.into();
        let (end, reader) = self.agent(turn, profile, &workspace.work(), &mut notes);
        if let Some(counted) = reader.counted() {
            self.folder.write_session(&SessionFile::new(profile, counted)).ok();
        }
        let reading = reader.finish(clock.now());
        let asked = if turn.of_upgrade { Asked::Upgrade } else { Asked::Work };
        let answer = answer(self.folder.read_agent_file(), asked);
        let file = answer.file();
        let mut usage = reading.usage;
        usage.cost_usd = usage.cost_usd.or(file.and_then(|file| file.cost_usd));
        usage.session = usage.session.or(file.and_then(|file| file.session.clone()));
        let mut outcome = Outcome {
            exit_code: exit_code(&end),
            end: conclude(&end, reading.end, &answer),
            usage,
            verify: None,
            notes,
            summary: file.and_then(|file| file.summary.clone()),
        };
        // What a program says last before it gives up is what a person wants to know.
        if let (TurnEnd::Error { detail }, ProcessEnd::Exit(_)) = (&mut outcome.end, &end) {
            let tail = log_tail(&self.folder.path("stderr.log"));
            if let Some(last) = tail.lines().rev().find(|line| !line.trim().is_empty()) {
                *detail = format!("{detail}: {}", last.trim().chars().take(300).collect::<String>());
            }
        }
        if worth_verifying(&outcome.end) && !turn.verify.is_empty() {
            self.verify_work(turn, &workspace, &mut outcome);
        }
        outcome
    }

    /// The agent itself, and `after_turn`; on return nothing of the turn lives.
    fn agent(
        &self,
        turn: &TurnFile,
        profile: Profile,
        work: &Path,
        notes: &mut Vec<String>,
    ) -> (ProcessEnd, Reader) {
        let before = turn.before.as_ref().and_then(SessionFile::counted);
        let (mut end, mut pumps, mut reader) =
            self.run_agent(turn, &turn.argv, work, Reader::new(profile, turn.prices.map(Into::into), before));
        if turn.session.is_some() && matches!(end, ProcessEnd::Exit(code) if code != 0) {
            pumps.finish(LAST_WORDS);
            let said = format!("{}\n{}", taken(&reader).said(), log_tail(&self.folder.path("stderr.log")));
            if profile.lost_its_session(&said) && !turn.fresh_argv.is_empty() {
                notes.push("The agent's session was not there any more; it began a new one.".to_owned());
                let fresh = TurnFile { session: None, ..turn.clone() };
                let anew = Reader::new(profile, turn.prices.map(Into::into), None);
                (end, pumps, reader) = self.run_agent(&fresh, &turn.fresh_argv, work, anew);
            }
        }
        if matches!(end, ProcessEnd::TimedOut | ProcessEnd::Stalled | ProcessEnd::Stopped) {
            self.end_everything();
        }
        if !matches!(end, ProcessEnd::Stopped | ProcessEnd::NotStarted(_))
            && let Err(end) = self.hook("after_turn", &turn.hooks.after_turn, work, turn)
        {
            notes.push(format!("The hook `after_turn` failed: it {}.", how(&end)));
        }
        self.end_everything();
        pumps.finish(Duration::from_secs(10));
        if let Some(socket) = &turn.tmux {
            std::fs::remove_file(socket).ok();
        }
        let reader = taken(&reader);
        // Everybody who could want a stop has asked by now, or comes too late for this turn.
        if self.folder.has("stop") && !matches!(end, ProcessEnd::NotStarted(_)) {
            return (ProcessEnd::Stopped, reader);
        }
        (end, reader)
    }

    /// One process of the agent, to its end; what it left in the background may still live.
    fn run_agent(
        &self,
        turn: &TurnFile,
        argv: &[String],
        work: &Path,
        reader: Reader,
    ) -> (ProcessEnd, Pumps, Arc<Mutex<Reader>>) {
        let listens = reader.listens();
        let reader = Arc::new(Mutex::new(reader));
        let mut pumps = Pumps::new();
        let step = match self.agent_step(turn, argv, work) {
            Ok(step) => step,
            Err(error) => {
                return (
                    ProcessEnd::NotStarted(format!("The prompt cannot be read: {error}.")),
                    pumps,
                    reader,
                );
            }
        };
        let listener = listens.then(|| self.listener(turn.profile.into(), &reader));
        let end = if let Some(socket) = &turn.tmux {
            let prompt = self.folder.path("prompt.md");
            let input = (turn.prompt == PromptPassing::Stdin).then_some(prompt.as_path());
            self.run_in_tmux(socket, &step, input, listener, &mut pumps)
        } else {
            self.run_here(step, listener, &mut pumps)
        };
        (end, pumps, reader)
    }

    fn run_here(&self, step: Step<'_>, listener: Option<Listener>, pumps: &mut Pumps) -> ProcessEnd {
        let spawned = (|| -> anyhow::Result<Pid> {
            let out_log = CappedLog::open(&self.folder.path("stdout.log"), false)?;
            let err_log = CappedLog::open(&self.folder.path("stderr.log"), false)?;
            let ((out, out_end), (err, err_end)) = (std::io::pipe()?, std::io::pipe()?);
            let pid =
                self.spawn(&step.argv, step.cwd, step.stdin, &step.env, out_end.into(), err_end.into())?;
            pumps.add(out, out_log, listener);
            pumps.add(err, err_log, None);
            Ok(pid)
        })();
        match spawned {
            Err(error) => ProcessEnd::NotStarted(format!("The agent could not be started: {error:#}.")),
            Ok(pid) => self.watch(pid, step.timeout, step.stall.map(|stall| (stall, step.cwd)), pumps),
        }
    }

    fn agent_step<'a>(&self, turn: &TurnFile, argv: &[String], work: &'a Path) -> std::io::Result<Step<'a>> {
        let prompt = self.folder.path("prompt.md");
        let mut argv = self.wrapped(argv, work);
        let stdin = match turn.prompt {
            PromptPassing::File => Stdio::null(),
            PromptPassing::Stdin => File::open(&prompt)?.into(),
            PromptPassing::Argument => {
                // An argument can hold no NUL; one that is too long ends where the kernel takes no more.
                argv.push(fit_argument(std::fs::read_to_string(&prompt)?.replace('\0', " ")));
                Stdio::null()
            }
        };
        Ok(Step {
            argv,
            cwd: work,
            stdin,
            env: self.turn_env(turn),
            timeout: Duration::from_secs(self.spec.timeout_seconds),
            stall: self.spec.stall_seconds.map(Duration::from_secs),
        })
    }

    /// Reads the agent's lines; its session is written down as soon as it is named.
    fn listener(&self, profile: Profile, reader: &Arc<Mutex<Reader>>) -> Listener {
        let (reader, folder) = (Arc::clone(reader), self.folder.clone());
        let mut known = None;
        Box::new(move |line| {
            let Ok(mut reader) = reader.lock() else { return };
            reader.line(line);
            if let Some(counted) = reader.counted()
                && known.as_ref() != Some(&counted.session)
            {
                known = Some(counted.session.clone());
                folder.write_session(&SessionFile::new(profile, counted)).ok();
            }
        })
    }

    fn hook(&self, name: &str, argv: &[String], cwd: &Path, turn: &TurnFile) -> Result<(), ProcessEnd> {
        if argv.is_empty() {
            return Ok(());
        }
        let mut env = self.turn_env(turn);
        env.push(("OFFHOURS_HOOK".to_owned(), name.into()));
        let step = Step {
            argv: self.filled(argv, cwd),
            cwd,
            stdin: Stdio::null(),
            env,
            timeout: Duration::from_secs(turn.hook_timeout_seconds),
            stall: None,
        };
        // What a hook leaves in the background (a database for the tests, say) lives as long as the turn.
        match self.run_logged(step, "hooks.log", true) {
            ProcessEnd::Exit(0) => Ok(()),
            end @ (ProcessEnd::Exit(_)
            | ProcessEnd::Signal(_)
            | ProcessEnd::TimedOut
            | ProcessEnd::Stalled
            | ProcessEnd::Stopped
            | ProcessEnd::NotStarted(_)) => Err(end),
        }
    }

    /// Runs a step with both streams in one log. Processes it left are not ended here unless it had to be ended.
    fn run_logged(&self, step: Step<'_>, log: &str, append: bool) -> ProcessEnd {
        let mut pumps = Pumps::new();
        let spawned = (|| -> anyhow::Result<Pid> {
            let log = CappedLog::open(&self.folder.path(log), append)?;
            let (pipe, out) = std::io::pipe()?;
            let err = out.try_clone()?;
            let pid = self.spawn(&step.argv, step.cwd, step.stdin, &step.env, out.into(), err.into())?;
            pumps.add(pipe, log, None);
            Ok(pid)
        })();
        let end = match spawned {
            Err(error) => return ProcessEnd::NotStarted(format!("could not be started: {error:#}")),
            Ok(pid) => self.watch(pid, step.timeout, None, &pumps),
        };
        let keeps_running = append && matches!(end, ProcessEnd::Exit(_) | ProcessEnd::Signal(_));
        if !keeps_running {
            self.end_everything();
        }
        pumps.finish(Duration::from_millis(if keeps_running { 300 } else { 10_000 }));
        end
    }

    fn turn_env(&self, turn: &TurnFile) -> Vec<(String, OsString)> {
        let mut env: Vec<(String, OsString)> =
            turn.set.iter().map(|(name, value)| (name.clone(), value.into())).collect();
        env.push(("OFFHOURS_RUN".to_owned(), turn.run.clone().into()));
        env.push(("OFFHOURS_RESULT".to_owned(), self.folder.path("agent/result.json").into()));
        env.push(("OFFHOURS_PROMPT_FILE".to_owned(), self.folder.path("prompt.md").into()));
        if let Some(session) = &turn.session {
            env.push(("OFFHOURS_SESSION".to_owned(), session.into()));
        }
        env
    }

    fn wrapped(&self, argv: &[String], cwd: &Path) -> Vec<String> {
        let words: Vec<String> = self.spec.wrap.iter().chain(argv).cloned().collect();
        self.filled(&words, cwd)
    }

    /// Puts paths into the placeholders. Everything else in braces stays as it is.
    fn filled(&self, words: &[String], cwd: &Path) -> Vec<String> {
        let paths: [(&str, PathBuf); 8] = [
            ("{workspace}", cwd.to_owned()),
            ("{objects}", self.spec.objects.clone()),
            ("{job}", self.folder.dir.clone()),
            ("{agent}", self.folder.path("agent")),
            ("{home}", self.spec.home.clone()),
            ("{tmp}", self.folder.path("tmp")),
            ("{prompt_file}", self.folder.path("prompt.md")),
            ("{result_file}", self.folder.path("agent/result.json")),
        ];
        let fill = |word: &String| {
            paths.iter().fold(word.clone(), |word, (name, path)| word.replace(name, &path.to_string_lossy()))
        };
        words.iter().map(fill).collect()
    }

    fn verify_work(&self, turn: &TurnFile, workspace: &RunFolder, outcome: &mut Outcome) {
        let Some(base) = Oid::parse(&turn.base) else {
            outcome.notes.push("Verify was not run: the turn's base is no git object.".to_owned());
            return;
        };
        boundary::pass("verify: before");
        let work = match self.git.work(&self.repo, workspace, &turn.run, &base) {
            Ok(work) if work.new_commits > 0 && work.changes_tree => work,
            Ok(_) => return,
            Err(error) => {
                outcome.notes.push(format!("Verify was not run: the workspace could not be read. {error}"));
                return;
            }
        };
        File::create(self.folder.path("verifying")).ok();
        let timeout = Duration::from_secs(turn.verify_timeout_seconds);
        match self.verify(&work.head, &turn.verify, timeout, "verify.log") {
            Ok((ProcessEnd::Stopped, _)) => outcome.end = TurnEnd::Stopped,
            Ok((_, result)) => outcome.verify = Some(result),
            Err(sentence) => outcome.notes.push(format!("Verify was not run: {sentence}")),
        }
        std::fs::remove_file(self.folder.path("verifying")).ok();
        boundary::pass("verify: after");
    }

    /// Runs a command on a clean checkout of a commit.
    fn verify(
        &self,
        oid: &Oid,
        argv: &[String],
        timeout: Duration,
        log: &str,
    ) -> Result<(ProcessEnd, VerifyResult), String> {
        let checkout = self.folder.path("checkout");
        self.git
            .checkout(&self.repo, oid, &checkout)
            .map_err(|error| format!("the checkout of {} did not work. {error}", oid.short()))?;
        let step = Step {
            argv: self.wrapped(argv, &checkout),
            cwd: &checkout,
            stdin: Stdio::null(),
            env: vec![("OFFHOURS_OID".to_owned(), oid.as_str().into())],
            timeout,
            stall: None,
        };
        let end = self.run_logged(step, log, false);
        let green = end == ProcessEnd::Exit(0);
        let mut tail = log_tail(&self.folder.path(log));
        if !matches!(end, ProcessEnd::Exit(_)) {
            tail = format!("{tail}\n[the command {}]", how(&end));
        } else if !green && tail.trim().is_empty() {
            tail = format!("[`{}` {} and printed nothing]", argv.join(" "), how(&end));
        }
        let fingerprint =
            if green { String::new() } else { fingerprint(&tail, &[&checkout, &self.folder.dir]) };
        Ok((end, VerifyResult { oid: oid.clone(), green, log_tail: tail, fingerprint }))
    }

    fn check(&self, oid: &str, argv: &[String]) -> Outcome {
        let Some(oid) = Oid::parse(oid) else {
            return Outcome::failed_to_start("The job's spec names no git object.");
        };
        File::create(self.folder.path("verifying")).ok();
        let timeout = Duration::from_secs(self.spec.timeout_seconds);
        let started = Instant::now();
        // Not decided yet: asked again, for as long as the check may take.
        let verified = loop {
            let left = timeout.saturating_sub(started.elapsed());
            let verified = self.verify(&oid, argv, left, "stdout.log");
            let pending = matches!(&verified, Ok((ProcessEnd::Exit(EXIT_PENDING), _)));
            if !pending || self.folder.has("stop") || started.elapsed() + ASK_AGAIN > timeout {
                break verified;
            }
            std::fs::remove_dir_all(self.folder.path("checkout")).ok();
            std::thread::sleep(ASK_AGAIN);
        };
        std::fs::remove_file(self.folder.path("verifying")).ok();
        match verified {
            Err(sentence) => Outcome::failed_to_start(sentence),
            Ok((end, result)) => {
                let pending = end == ProcessEnd::Exit(EXIT_PENDING);
                let decided = !pending && !matches!(end, ProcessEnd::Stopped | ProcessEnd::NotStarted(_));
                Outcome { verify: decided.then_some(result), ..plain_outcome(&end) }
            }
        }
    }

    fn command(&self, cwd: &Path, argv: &[String]) -> Outcome {
        let step = Step {
            argv: self.wrapped(argv, cwd),
            cwd,
            stdin: Stdio::null(),
            env: Vec::new(),
            timeout: Duration::from_secs(self.spec.timeout_seconds),
            stall: None,
        };
        let end = self.run_logged(step, "stdout.log", false);
        plain_outcome(&end)
    }
}

/// A reader as it stands, whoever still holds it.
fn taken(reader: &Mutex<Reader>) -> Reader {
    reader.lock().map_or_else(|broken| broken.into_inner().clone(), |reader| reader.clone())
}

/// For jobs without an agent: their exit code says all, so an exit is `Finished` whatever the code.
fn plain_outcome(end: &ProcessEnd) -> Outcome {
    let turn_end = match end {
        ProcessEnd::Exit(_) => TurnEnd::Finished,
        ProcessEnd::Signal(_) => TurnEnd::Error { detail: format!("the command {}", how(end)) },
        ProcessEnd::TimedOut => TurnEnd::TimedOut,
        ProcessEnd::Stalled => TurnEnd::Stalled,
        ProcessEnd::Stopped => TurnEnd::Stopped,
        ProcessEnd::NotStarted(_) => TurnEnd::FailedToStart { detail: format!("The command {}.", how(end)) },
    };
    Outcome { exit_code: exit_code(end), ..Outcome::of(turn_end) }
}

/// Verify costs minutes; it is for ends after which the work may be landed.
fn worth_verifying(end: &TurnEnd) -> bool {
    match end {
        TurnEnd::Finished | TurnEnd::Error { .. } | TurnEnd::PermissionDenied { .. } => true,
        TurnEnd::TimedOut
        | TurnEnd::Stalled
        | TurnEnd::CutOff { .. }
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Quota { .. }
        | TurnEnd::LoginRefused { .. }
        | TurnEnd::FailedToStart { .. }
        | TurnEnd::Stopped => false,
    }
}
