//! The agent of a turn: how it is started, listened to, and ended with all that it left.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Pid;

use crate::adapters::runner::child::{Listener, Pumps, Step, how};
use crate::adapters::runner::folder::{PromptPassing, SessionFile, TurnFile};
use crate::adapters::runner::job::Job;
use crate::adapters::runner::output::{CappedLog, log_tail};
use crate::adapters::runner::usage::{ProcessEnd, Profile, Reader};

/// Linux takes 32 pages for one argument, its end included.
const ARGUMENT_BYTES: usize = 32 * 4096 - 1;

/// Put where a prompt was cut.
const CUT: &str = "\n[cut here: the whole text is in the file that OFFHOURS_PROMPT_FILE names]";

/// What an agent printed last is read within this after it ended, while something it left may hold its streams.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
    /// The agent itself, and `after_turn`; on return nothing of the turn lives.
    pub(super) fn agent(
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
}

/// A reader as it stands, whoever still holds it.
fn taken(reader: &Mutex<Reader>) -> Reader {
    reader.lock().map_or_else(|broken| broken.into_inner().clone(), |reader| reader.clone())
}
