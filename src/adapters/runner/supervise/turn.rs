//! A turn: its hooks, its agent, what it used, and whether its work is worth testing.

use super::outcome::Outcome;
use crate::adapters::runner::answer::answer;
use crate::adapters::runner::child::{exit_code, how};
use crate::adapters::runner::folder::{SessionFile, TurnFile};
use crate::adapters::runner::job::Job;
use crate::adapters::runner::output::log_tail;
use crate::adapters::runner::usage::{ProcessEnd, Profile, conclude};
use crate::domain::model::{Asked, TurnEnd};
use crate::ports::{Clock, RunFolder};

impl Job<'_> {
    pub(super) fn turn(&self, turn: &TurnFile, clock: &dyn Clock) -> Outcome {
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
