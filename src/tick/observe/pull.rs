//! The run's pull request and what people say of it.

use super::super::env::Env;
use super::super::policy::{HostPolicy, RepoPolicy};
use super::super::trust::{changing_voids, trusted};
use crate::domain::model::{Landing, Oid, Person, PullState, Seen};
use crate::domain::review::{self, Judged};
use crate::domain::run::{PullSeen, ReviewSeen, Run};
use crate::ports::{PortError, PortResult};
use crate::store::RunRow;
use crate::text;

/// Commits that an agent may push between two looks.
const MAX_PUSHED: usize = 1000;

/// The pull request, and whether somebody else pushed to its branch.
pub(super) struct Pull {
    pub(super) seen: PullSeen,
    pub(super) foreign_commit: bool,
}

pub(super) fn look(env: &Env, row: &RunRow, policy: &RepoPolicy, notes: &mut Vec<PortError>) -> Pull {
    let run = &row.run;
    let nothing = Pull { seen: PullSeen::None, foreign_commit: false };
    let (Landing::PullRequest, Some(pushed)) = (run.landing, &run.pushed) else { return nothing };
    let read = match run.pull {
        Some(number) => {
            env.pulls(&run.issue.repo).and_then(|pulls| pulls.pull(&run.issue.repo, number)).map(|pull| {
                let seen = match pull.state {
                    PullState::Open => PullSeen::Open,
                    PullState::Closed => PullSeen::Closed,
                    PullState::Merged { .. } => PullSeen::Merged,
                };
                (seen, Some(pull.head))
            })
        }
        None => remote_head(env, run).map(|head| (PullSeen::None, head)),
    };
    // A branch that is gone has nobody's commit.
    let read = read.and_then(|(seen, head)| {
        let other = head.filter(|head| head != pushed);
        let foreign = match other {
            Some(_) if policy.agent_pushes => !pushed_by_agent(env, run, pushed)?,
            other => other.is_some(),
        };
        Ok(Pull { foreign_commit: foreign, seen })
    });
    match read {
        Ok(pull) => pull,
        // It was deleted with all that was said there.
        Err(PortError::Gone { .. })
            if env.forge(&run.issue.repo).is_ok_and(|f| f.remote(&run.issue.repo).is_ok()) =>
        {
            Pull { seen: PullSeen::Closed, foreign_commit: false }
        }
        Err(error) => {
            notes.push(error);
            Pull { seen: PullSeen::Unreadable, foreign_commit: false }
        }
    }
}

/// Whether everything on the run's branch since our last push carries the run's trailer. What came from the target with a
/// merge is the target's.
fn pushed_by_agent(env: &Env, run: &Run, pushed: &Oid) -> PortResult<bool> {
    let repo = &run.issue.repo;
    let remote = env.forge(repo)?.remote(repo)?;
    let head = env.git.fetch_branch(repo, &remote, &run.branch)?;
    if !env.git.is_ancestor(repo, pushed, &head)? {
        return Ok(false);
    }
    // One more than is looked at: a longer list is not known to be the run's.
    let commits = env.git.commits(repo, pushed, &head, MAX_PUSHED + 1)?;
    let is_known = commits.len() <= MAX_PUSHED;
    let mut others = commits.iter().filter(|(_, text)| !text::is_of_run(text, &run.id)).peekable();
    if !is_known || others.peek().is_none() {
        return Ok(is_known);
    }
    let target = env.git.fetch_branch(repo, &remote, &run.target_branch)?;
    for (commit, _) in others {
        if !env.git.is_ancestor(repo, commit, &target)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn remote_head(env: &Env, run: &Run) -> PortResult<Option<Oid>> {
    let repo = &run.issue.repo;
    let remote = env.forge(repo)?.remote(repo)?;
    env.git.remote_head(repo, &remote, &run.branch)
}

/// What trusted people ask for. Each author's permission is asked once.
pub(super) fn review(env: &Env, host: &HostPolicy, row: &RunRow, notes: &mut Vec<PortError>) -> ReviewSeen {
    let run = &row.run;
    let Some(number) = run.pull else { return ReviewSeen::Nothing };
    let repo = &run.issue.repo;
    let read = env.pulls(&run.issue.repo).and_then(|pulls| {
        let reviews = pulls.reviews(repo, number)?;
        // Without a review there is nothing that a comment could belong to.
        let mut comments =
            if reviews.is_empty() { vec![] } else { env.forge(repo)?.comments(repo, number)? };
        let voids = changing_voids(env, host, repo)?;
        comments.retain(|comment| !(voids && comment.edited));
        Ok((reviews, comments, voids))
    });
    let (mut reviews, comments, voids) = match read {
        Ok(read) => read,
        Err(error) => {
            notes.push(error);
            return ReviewSeen::Unreadable;
        }
    };
    let mut known: Vec<(Person, Seen<bool>)> = vec![];
    let mut ask = |author: &Option<Person>| {
        let Some(person) = author else { return Seen::Known(false) };
        if let Some((_, answer)) = known.iter().find(|(p, _)| p == person) {
            return answer.clone();
        }
        let answer = trusted(env, host, repo, person);
        known.push((person.clone(), answer.clone()));
        answer
    };
    for review in &mut reviews {
        // Whose review it stands below says nothing of who wrote it.
        review.notes.retain(|note| !(voids && note.edited) && ask(&note.author) == Seen::Known(true));
    }
    let reviews: Vec<_> =
        reviews.into_iter().map(|said| Judged { trusted: ask(&said.author), said }).collect();
    let comments: Vec<_> = comments
        .into_iter()
        .filter(|comment| !comment.body.starts_with(text::MARK))
        .map(|said| Judged { trusted: ask(&said.author), said })
        .collect();
    review::judge(&reviews, &comments, &run.reviews_done)
}
