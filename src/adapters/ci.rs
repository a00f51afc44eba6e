//! CI stages. Of kind `command`: supervised jobs on a clean checkout of the commit, a folder per attempt. Of kind `forge`:
//! what the forge's own CI reports. Of kinds `woodpecker` and `drone`: what such a server reports.

pub mod pipelines;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use crate::adapters::forge::Checks;
use crate::domain::checks;
use crate::domain::model::{Check, CheckState, JobState, Oid, RepoId, StageReading, TurnEnd};
use crate::ports::{Ci, JobKind, JobSpec, PortError, PortResult, Runner, Wanted};

/// A stage as the config describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandStage {
    pub name: String,
    pub argv: Vec<String>,
    pub timeout_seconds: u64,
}

pub struct CommandCi {
    pub root: PathBuf,
    pub runner: Rc<dyn Runner>,
    pub stages: Box<dyn Fn(&RepoId) -> Vec<CommandStage>>,
}

/// More reruns than any config may ask for.
const MAX_ATTEMPTS: u32 = 11;

impl CommandCi {
    fn dir(&self, repo: &RepoId, stage: &str, oid: &Oid, attempt: u32) -> PathBuf {
        let commit = self.root.join(&repo.forge).join(&repo.owner).join(&repo.name).join(oid.as_str());
        commit.join(format!("{stage}-{attempt}"))
    }

    /// By it a job's processes are known again, so it tells two installations on one machine apart, too: both may
    /// check the same commit at the same time.
    fn id(&self, repo: &RepoId, stage: &str, oid: &Oid, attempt: u32) -> String {
        let place = Sha256::digest(self.root.as_os_str().as_encoded_bytes());
        let place = place.iter().take(6).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        format!("ci-{}-{}-{}-{oid}-{stage}-{attempt}-{place:012x}", repo.forge, repo.owner, repo.name)
    }

    fn stage(&self, repo: &RepoId, name: &str) -> PortResult<CommandStage> {
        (self.stages)(repo).into_iter().find(|s| s.name == name).ok_or_else(|| {
            PortError::refused(format!("the CI stage `{name}` of {repo} is not in the config any more"))
        })
    }
}

impl Ci for CommandCi {
    fn read(&self, repo: &RepoId, stage: &str, oid: &Oid, _wanted: Wanted<'_>) -> PortResult<StageReading> {
        self.stage(repo, stage)?;
        let newest =
            (1..=MAX_ATTEMPTS).rev().find(|k| self.dir(repo, stage, oid, *k).join("spec.json").exists());
        let Some(attempt) = newest else { return Ok(StageReading::NotStarted) };
        let dir = self.dir(repo, stage, oid, attempt);
        let (verdict, log_tail, fingerprint) = match self.runner.state(&dir)? {
            JobState::NotStarted | JobState::Orphaned => return Ok(StageReading::NotStarted),
            JobState::Running { .. } => (CheckState::Pending, String::new(), String::new()),
            JobState::Over(result) => match result.verify {
                Some(said) if said.green => (CheckState::Green, said.log_tail, said.fingerprint),
                Some(said) => (CheckState::Red, said.log_tail, said.fingerprint),
                // It was asked for as long as it may take, and is not decided.
                None if result.exit_code == Some(75) => (CheckState::Pending, String::new(), String::new()),
                // It could not be run, or not to its end: that is its answer, and says why.
                None if result.end != TurnEnd::Stopped => {
                    let (word, detail) = (end_word(&result.end), end_detail(&result.end));
                    (CheckState::Red, format!("{word}: {detail}"), format!("{word} {detail}"))
                }
                // Ended from outside before it came to a verdict: it says nothing.
                None => return Ok(StageReading::NotStarted),
            },
        };
        let link = Some(dir.display().to_string());
        Ok(StageReading::Checks(vec![Check {
            name: stage.to_owned(),
            source: "command".to_owned(),
            state: verdict,
            link,
            log_tail,
            fingerprint,
        }]))
    }

    fn start(&self, repo: &RepoId, stage: &str, oid: &Oid, attempt: u32) -> PortResult<()> {
        let found = self.stage(repo, stage)?;
        let dir = self.dir(repo, stage, oid, attempt);
        let id = self.id(repo, stage, oid, attempt);
        let said_nothing = match self.runner.state(&dir)? {
            JobState::Orphaned => true,
            JobState::Over(result) => result.verify.is_none() && result.end == TurnEnd::Stopped,
            JobState::NotStarted | JobState::Running { .. } => false,
        };
        if said_nothing {
            self.runner.stop(&dir, &id)?;
            fs::remove_dir_all(&dir).map_err(|e| {
                PortError::later(format!("clearing {} for a new try failed: {e}", dir.display()))
            })?;
        }
        let kind = JobKind::Check { oid: oid.clone(), argv: found.argv };
        let timeout_seconds = found.timeout_seconds;
        self.runner.start(&JobSpec {
            id,
            repo: repo.clone(),
            dir,
            kind,
            timeout_seconds,
            stall_seconds: None,
        })
    }
}

/// What else than a command says whether a stage is green: the forge, or a CI server. `None`: a command.
pub type Elsewhere = Box<dyn Fn(&RepoId, &str) -> PortResult<Option<Rc<dyn Checks>>>>;

/// Each stage where it is run: ours here, the others where they are.
pub struct StageCi {
    pub command: Box<dyn Ci>,
    pub elsewhere: Elsewhere,
    /// Commits whose failed checks this process had run again: the server may show the old answer for a moment.
    pub again: RefCell<BTreeSet<(RepoId, String, Oid)>>,
}

impl Ci for StageCi {
    fn read(&self, repo: &RepoId, stage: &str, oid: &Oid, wanted: Wanted<'_>) -> PortResult<StageReading> {
        let Some(found) = (self.elsewhere)(repo, stage)? else {
            return self.command.read(repo, stage, oid, wanted);
        };
        let mut checks = found.checks(repo, oid)?;
        // Only what nothing holds up so far can be held up: nobody is asked before.
        let (more, rules_of) = match wanted {
            Wanted::Reported => (false, None),
            Wanted::Everything => (true, None),
            Wanted::Verdict { rules_of } => (checks::hold_nothing_up(&checks), rules_of),
        };
        if more {
            checks.extend(found.to_come(repo, oid)?);
        }
        if let Some(branch) = rules_of.filter(|_| checks::is_green(&checks)) {
            let missing = checks::missing(&checks, found.required(repo, branch)?);
            checks.extend(missing);
        }
        if self.again.borrow().contains(&(repo.clone(), stage.to_owned(), oid.clone())) {
            for check in checks.iter_mut().filter(|c| c.state == CheckState::Red) {
                check.state = CheckState::Pending;
            }
        }
        Ok(StageReading::Checks(checks))
    }

    fn start(&self, repo: &RepoId, stage: &str, oid: &Oid, attempt: u32) -> PortResult<()> {
        let Some(found) = (self.elsewhere)(repo, stage)? else {
            return self.command.start(repo, stage, oid, attempt);
        };
        // What cannot be run again stays red, which is an answer, too.
        if found.rerun(repo, oid, attempt)? {
            self.again.borrow_mut().insert((repo.clone(), stage.to_owned(), oid.clone()));
        }
        Ok(())
    }
}

fn end_word(end: &TurnEnd) -> &'static str {
    match end {
        TurnEnd::TimedOut => "the check ran into its time-out",
        TurnEnd::FailedToStart { .. } => "the check could not be started",
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Error { .. }
        | TurnEnd::Stalled
        | TurnEnd::CutOff { .. }
        | TurnEnd::PermissionDenied { .. }
        | TurnEnd::Quota { .. }
        | TurnEnd::LoginRefused { .. }
        | TurnEnd::Stopped => "the check did not come to its end",
    }
}

fn end_detail(end: &TurnEnd) -> &str {
    match end {
        TurnEnd::FailedToStart { detail } | TurnEnd::Error { detail } => detail,
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::TimedOut
        | TurnEnd::Stalled
        | TurnEnd::CutOff { .. }
        | TurnEnd::PermissionDenied { .. }
        | TurnEnd::Quota { .. }
        | TurnEnd::LoginRefused { .. }
        | TurnEnd::Stopped => "",
    }
}
