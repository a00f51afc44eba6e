//! Jobs without an agent, and the tests on what an agent did.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::outcome::{Outcome, plain_outcome};
use crate::adapters::runner::child::{Step, how};
use crate::adapters::runner::folder::TurnFile;
use crate::adapters::runner::job::Job;
use crate::adapters::runner::output::{fingerprint, log_tail};
use crate::adapters::runner::usage::ProcessEnd;
use crate::boundary;
use crate::domain::model::{Oid, TurnEnd, VerifyResult};
use crate::ports::RunFolder;

/// A check that exits with this has no verdict yet.
const EXIT_PENDING: i32 = 75;

/// And is asked again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl Job<'_> {
    pub(super) fn verify_work(&self, turn: &TurnFile, workspace: &RunFolder, outcome: &mut Outcome) {
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

    pub(super) fn check(&self, oid: &str, argv: &[String]) -> Outcome {
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

    pub(super) fn command(&self, cwd: &Path, argv: &[String]) -> Outcome {
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
