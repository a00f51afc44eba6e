//! Work of an earlier run on the same issue that a new one goes on from: a person asked for another attempt.

use super::super::world::World;
use crate::domain::message;
use crate::domain::model::{HandBack, IssueRef, Landing, Oid, Outcome, PullState};
use crate::domain::run::Run;
use crate::ports::{PortError, PortResult, Remote};
use crate::store::RunRow;

/// Where the earlier work stands on the remote.
pub(super) struct Earlier {
    run: Run,
    head: Oid,
    /// Its pull request, if that is open.
    pull: Option<u64>,
}

impl Earlier {
    /// The run begins on the earlier work. With pull requests it goes on with that branch, whoever has pushed there
    /// since; with pushes the kept work is only where it starts.
    pub(super) fn continued_by(&self, run: Run) -> Run {
        let begun = Run { turn_head: self.head.clone(), up_to: self.run.up_to.clone(), ..run };
        match begun.landing {
            Landing::Push => begun,
            Landing::PullRequest => Run {
                branch: self.run.branch.clone(),
                pushed: Some(self.head.clone()),
                pull: self.pull,
                reviews_done: self.run.reviews_done.clone(),
                ..begun
            },
        }
    }

    /// What the agent is told of it.
    pub(super) fn told(&self) -> String {
        message::continued_for_agent(self.run.outcome.as_ref(), self.run.last_fix.as_ref())
    }
}

/// The work of the newest run that ended with something to go on from. What cannot be read is no reason to begin anew.
pub(super) fn find(
    world: &World,
    issue: &IssueRef,
    landing: Landing,
    remote: &Remote,
) -> PortResult<Option<Earlier>> {
    let rows = world.store.runs_of(issue).map_err(|e| PortError::later(e.to_string()))?;
    let Some(row) = rows.into_iter().find(|row| row.run.outcome != Some(Outcome::NotStarted)) else {
        return Ok(None);
    };
    if row.run.landing != landing || !goes_on(&row.run) {
        return Ok(None);
    }
    match landing {
        Landing::PullRequest => branch(world, &row, remote),
        Landing::Push => kept(world, &row, remote),
    }
}

fn goes_on(run: &Run) -> bool {
    match &run.outcome {
        Some(Outcome::HandedBack(why)) => match why {
            HandBack::Moved | HandBack::PullClosed | HandBack::GuardRefused => false,
            // A salvaged change that cannot be merged is in the way; a branch with a person's merge is not.
            HandBack::Conflict => run.landing == Landing::PullRequest,
            HandBack::HumanTookOver
            | HandBack::Blocked
            | HandBack::NothingDone
            | HandBack::Failed
            | HandBack::TimedOut
            | HandBack::Stalled
            | HandBack::PermissionDenied
            | HandBack::Orphaned
            | HandBack::PushRefused
            | HandBack::BaseRed
            | HandBack::NoChecks
            | HandBack::CiTimeout
            | HandBack::WorkspaceUnreadable
            | HandBack::MergeRefused
            | HandBack::ReviewTurnsUsed
            | HandBack::ReviewTooOld => true,
        },
        Some(Outcome::Frozen(_) | Outcome::Withdrawn | Outcome::Stopped) => true,
        Some(Outcome::Landed | Outcome::ClaimLost | Outcome::NotStarted) | None => false,
    }
}

/// The run's own branch with its open pull request; a closed or merged one is over, and so is its branch.
fn branch(world: &World, row: &RunRow, remote: &Remote) -> PortResult<Option<Earlier>> {
    let run = &row.run;
    let repo = &run.issue.repo;
    if run.pushed.is_none() {
        return Ok(None);
    }
    if let Some(number) = run.pull {
        let open = match super::observe::pulls(world, run)?.pull(repo, number) {
            Ok(pull) => pull.state == PullState::Open,
            Err(PortError::Gone { .. }) => false,
            Err(error) => return Err(error),
        };
        if !open {
            return Ok(None);
        }
    }
    let head = fetched(world, row, remote, &run.branch)?;
    Ok(head.map(|head| Earlier { run: run.clone(), head, pull: run.pull }))
}

/// The salvage branch, where the work is not on the target by now.
fn kept(world: &World, row: &RunRow, remote: &Remote) -> PortResult<Option<Earlier>> {
    let run = &row.run;
    let Some(head) = fetched(world, row, remote, &run.salvage_branch())? else { return Ok(None) };
    let repo = &run.issue.repo;
    let target = world.git.fetch_branch(repo, remote, &run.target_branch)?;
    let landed = world.git.is_ancestor(repo, &head, &target)?;
    Ok((!landed).then(|| Earlier { run: run.clone(), head, pull: None }))
}

fn fetched(world: &World, row: &RunRow, remote: &Remote, branch: &str) -> PortResult<Option<Oid>> {
    let repo = &row.run.issue.repo;
    if world.git.remote_head(repo, remote, branch)?.is_none() {
        return Ok(None);
    }
    world.git.fetch_branch(repo, remote, branch).map(Some)
}
