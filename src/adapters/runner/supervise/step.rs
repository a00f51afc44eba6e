//! One process of a job that is no agent, and what every one is given: its words and its environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;

use crate::adapters::runner::child::{Pumps, Step};
use crate::adapters::runner::folder::TurnFile;
use crate::adapters::runner::job::Job;
use crate::adapters::runner::output::CappedLog;
use crate::adapters::runner::usage::ProcessEnd;

impl Job<'_> {
    pub(super) fn hook(
        &self,
        name: &str,
        argv: &[String],
        cwd: &Path,
        turn: &TurnFile,
    ) -> Result<(), ProcessEnd> {
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
    pub(super) fn run_logged(&self, step: Step<'_>, log: &str, append: bool) -> ProcessEnd {
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

    pub(super) fn turn_env(&self, turn: &TurnFile) -> Vec<(String, OsString)> {
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

    pub(super) fn wrapped(&self, argv: &[String], cwd: &Path) -> Vec<String> {
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
}
