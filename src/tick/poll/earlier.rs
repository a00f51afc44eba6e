//! Work of an earlier run on the same issue that a new one goes on from: a person asked for another attempt.

use super::super::env::Env;
use crate::domain::earlier::{self, Standing, Start};
use crate::domain::model::{HandBack, IssueRef, Landing, Oid, Outcome, PullState};
use crate::domain::run::{Continued, Run};
use crate::ports::{PortError, PortResult, Remote};
use crate::store::RunRow;
use crate::store::Store;
use crate::text;

/// Where the new run's work is to go.
pub(super) struct Onto<'a> {
    pub(super) landing: Landing,
    pub(super) remote: &'a Remote,
    pub(super) branch: &'a str,
    /// Where that branch stands.
    pub(super) target: &'a Oid,
}

/// What an earlier run left.
pub(super) enum Found {
    Nothing,
    GoOn(Box<Earlier>),
    /// It is there, and this is why the new run does not go on from it.
    Anew(String),
}

pub(super) struct Earlier {
    left: Left,
    /// What its work is counted from: the newest commit of the target that it contains.
    base: Oid,
    /// Where the target has gone on to: the branch, its commit, and the paths that conflict.
    moved: Option<(String, Oid, Vec<String>)>,
}

/// Earlier work as it stands on the remote.
struct Left {
    run: Run,
    /// The branch that it is on.
    branch: String,
    head: Oid,
    /// Its pull request, if that is open.
    pull: Option<u64>,
    /// It was never pushed as the run's own branch: only kept, and where the new run starts.
    only_kept: bool,
}

impl Found {
    /// The run begins on the earlier work. Where that is the branch of a pull request it goes on with it, whoever has
    /// pushed there since; work that was only kept is where it starts.
    pub(super) fn begun(&self, run: Run) -> Run {
        let Self::GoOn(earlier) = self else { return run };
        let Left { run: before, head, pull, only_kept, .. } = &earlier.left;
        let begun = Run { turn_head: head.clone(), ..run.counted_from(earlier.base.clone()) };
        if *only_kept {
            return begun;
        }
        Run {
            branch: before.branch.clone(),
            pushed: Some(head.clone()),
            pull: *pull,
            reviews_done: before.reviews_done.clone(),
            ..begun
        }
    }

    /// What the agent is told of it.
    pub(super) fn told(&self) -> Option<Continued> {
        let Self::GoOn(earlier) = self else { return None };
        let Left { run, .. } = &earlier.left;
        Some(Continued { outcome: run.outcome, failed: run.last_fix.clone(), moved: earlier.moved.clone() })
    }

    /// What people are told behind the run's name.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Nothing | Self::GoOn(_) => String::new(),
            Self::Anew(why) => format!(", begun anew: {why}"),
        }
    }
}

/// The work of the newest run that ended with something to go on from. What cannot be read is no reason to begin anew.
pub(super) fn find(env: &Env, store: &Store, issue: &IssueRef, onto: &Onto<'_>) -> PortResult<Found> {
    let rows = store.runs_of(issue).map_err(|e| PortError::later(e.to_string()))?;
    let Some(row) = rows.into_iter().find(|row| row.run.outcome != Some(Outcome::NotStarted)) else {
        return Ok(Found::Nothing);
    };
    if row.run.landing != onto.landing || !goes_on(&row.run) {
        return Ok(Found::Nothing);
    }
    let pushed = onto.landing == Landing::PullRequest && row.run.pushed.is_some();
    let left = if pushed { branch(env, &row, onto.remote)? } else { salvaged(env, &row, onto.remote)? };
    let Some(left) = left else { return Ok(Found::Nothing) };
    let standing = standing(env, &left, onto.target)?;
    let conflicts = standing.conflicts.clone();
    Ok(match earlier::start(onto.landing, standing) {
        Start::Anew(why) => {
            Found::Anew(format!("what is on {} {}", left.branch, text::anew(&why, onto.branch)))
        }
        Start::GoOn { base } => {
            let moved = base != *onto.target;
            let moved = moved.then(|| (onto.branch.to_owned(), onto.target.clone(), conflicts));
            Found::GoOn(Box::new(Earlier { left, base, moved }))
        }
    })
}

/// How the work stands to the target. Nothing is asked that no longer matters.
fn standing(env: &Env, left: &Left, target: &Oid) -> PortResult<Standing> {
    let (repo, head, up_to) = (&left.run.issue.repo, &left.head, &left.run.up_to);
    let common = env.git.common(repo, head, target)?;
    let mut standing = Standing { common: None, on_target: false, rewritten: false, conflicts: vec![] };
    let Some(common) = common else { return Ok(standing) };
    standing.on_target = common == *head || env.git.carries(repo, target, &common, head)?;
    standing.rewritten = common != *up_to
        // A commit that is not here any more is not in the work either.
        && env.git.common(repo, up_to, head)?.as_ref() == Some(up_to)
        && !env.git.is_ancestor(repo, up_to, target)?;
    if common != *target && !standing.on_target && !standing.rewritten {
        standing.conflicts = env.git.conflicts(repo, head, target)?;
    }
    Ok(Standing { common: Some(common), ..standing })
}

fn goes_on(run: &Run) -> bool {
    match &run.outcome {
        Some(Outcome::HandedBack(why)) => match why {
            HandBack::Moved | HandBack::PullClosed | HandBack::GuardRefused => false,
            // A salvaged change that cannot be merged is in the way; a branch with a person's merge is not.
            HandBack::Conflict => run.landing == Landing::PullRequest,
            HandBack::HumanTookOver
            | HandBack::Blocked
            | HandBack::ResultUnreadable
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
fn branch(env: &Env, row: &RunRow, remote: &Remote) -> PortResult<Option<Left>> {
    let run = &row.run;
    let repo = &run.issue.repo;
    if let Some(number) = run.pull {
        let open = match env.pulls(&run.issue.repo)?.pull(repo, number) {
            Ok(pull) => pull.state == PullState::Open,
            Err(PortError::Gone { .. }) => false,
            Err(error) => return Err(error),
        };
        if !open {
            return Ok(None);
        }
    }
    let head = fetched(env, row, remote, &run.branch)?;
    let (run, branch, pull) = (run.clone(), run.branch.clone(), run.pull);
    Ok(head.map(|head| Left { run, branch, head, pull, only_kept: false }))
}

/// What was kept when the run ended.
fn salvaged(env: &Env, row: &RunRow, remote: &Remote) -> PortResult<Option<Left>> {
    let (run, branch) = (row.run.clone(), row.run.salvage_branch());
    let head = fetched(env, row, remote, &branch)?;
    Ok(head.map(|head| Left { run, branch, head, pull: None, only_kept: true }))
}

fn fetched(env: &Env, row: &RunRow, remote: &Remote, branch: &str) -> PortResult<Option<Oid>> {
    let repo = &row.run.issue.repo;
    if env.git.remote_head(repo, remote, branch)?.is_none() {
        return Ok(None);
    }
    env.git.fetch_branch(repo, remote, branch).map(Some)
}
