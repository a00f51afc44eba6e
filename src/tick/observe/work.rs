//! The work: what is in the workspace, whether it may be pushed, and how it stands to the target.

use super::super::env::Env;
use super::super::policy::RepoPolicy;
use super::turn::end_words;
use crate::domain::escape::sanitize;
use crate::domain::guard;
use crate::domain::model::{JobResult, JobState, Landing, Oid, TurnEnd};
use crate::domain::run::{Failure, GuardSeen, Run, TargetComparison, VerifySeen, WorkSeen};
use crate::error::Error;
use crate::ports::{PortError, PortResult, Work};
use crate::store::{RunRow, Store};

/// Verify jobs of a run before one that cannot be run counts as a broken workspace.
const MAX_VERIFIES: u32 = 6;

/// How the work stands to the target where a pull request lands it.
#[derive(Default)]
pub(super) struct Aims {
    pub(super) patch_on_target: bool,
    pub(super) conflicts: Vec<String>,
}

impl Aims {
    fn look(env: &Env, run: &Run, head: &Oid, target: &Oid, relation: TargetComparison) -> PortResult<Self> {
        let mut aims = Self::default();
        if run.landing == Landing::Push {
            return Ok(aims);
        }
        let repo = &run.issue.repo;
        if let Some(pushed) = &run.pushed {
            // What was merged into the work meanwhile is not in the pushed head yet.
            for from in [&run.up_to, &run.base] {
                if env.git.is_ancestor(repo, from, pushed)? {
                    aims.patch_on_target = env.git.carries(repo, target, from, pushed)?;
                    break;
                }
            }
        }
        if relation == TargetComparison::Diverged && !aims.patch_on_target {
            aims.conflicts = env.git.conflicts(repo, head, target)?;
        }
        Ok(aims)
    }
}

pub(super) fn work(
    env: &Env,
    store: &Store,
    row: &RunRow,
    policy: &RepoPolicy,
    verify_job: Option<PortResult<JobState>>,
    aims: &mut Aims,
    notes: &mut Vec<PortError>,
) -> Result<WorkSeen, Error> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let folder = env.folder(run);
    let unreadable = |error: PortError, notes: &mut Vec<PortError>| {
        notes.push(error);
        WorkSeen::Unreadable
    };
    let work: Work = match env.git.work(repo, &folder, &run.id, &run.base) {
        Ok(work) => work,
        Err(error @ (PortError::Refused { .. } | PortError::Gone { .. })) => {
            return Ok(WorkSeen::Broken(error.to_string()));
        }
        Err(error) => return Ok(unreadable(error, notes)),
    };
    if work.new_commits == 0 || !work.changes_tree && run.pushed.is_none() {
        return Ok(WorkSeen::Nothing);
    }
    let target = env
        .forge(repo)
        .and_then(|forge| forge.remote(repo))
        .and_then(|remote| env.git.fetch_branch(repo, &remote, &run.target_branch));
    let target_oid = match target {
        Ok(oid) => oid,
        Err(error) => return Ok(unreadable(error, notes)),
    };
    let relation = if target_oid == work.head {
        Ok(TargetComparison::Contains)
    } else {
        env.git.is_ancestor(repo, &work.head, &target_oid).and_then(|inside| {
            if inside {
                return Ok(TargetComparison::Contains);
            }
            let ahead = env.git.is_ancestor(repo, &target_oid, &work.head)?;
            Ok(if ahead { TargetComparison::FastForward } else { TargetComparison::Diverged })
        })
    };
    let relation = match relation {
        Ok(relation) => relation,
        Err(error) => return Ok(unreadable(error, notes)),
    };
    match Aims::look(env, run, &work.head, &target_oid, relation) {
        Ok(seen) => *aims = seen,
        Err(error) => return Ok(unreadable(error, notes)),
    }
    let already = run.pushed.as_ref() == Some(&work.head);
    let guard = if already || relation == TargetComparison::Contains {
        GuardSeen::Passed
    } else {
        match env.git.change(repo, &target_oid, &work.head) {
            Ok(change) => judge(&change, run, policy),
            Err(error @ PortError::Refused { .. }) => GuardSeen::Refused(error.to_string()),
            Err(error) => return Ok(unreadable(error, notes)),
        }
    };
    let verify = match verify(env, store, row, policy, verify_job, &work.head)? {
        Ok(verify) => verify,
        // Its program is missing, or no checkout can be made: no agent can mend that.
        Err(PortError::Refused { what }) => return Ok(WorkSeen::Broken(what)),
        Err(error) => return Ok(unreadable(error, notes)),
    };
    Ok(WorkSeen::Commits { head: work.head, verify, guard, target: relation, target_oid })
}

fn judge(change: &crate::domain::model::Change, run: &Run, policy: &RepoPolicy) -> GuardSeen {
    let refusals = guard::judge(
        change,
        &guard::GuardPolicy {
            allow_paths: policy.allow_paths.clone(),
            own_issue: run.issue.number,
            max_file_bytes: guard::MAX_FILE_BYTES,
            repo: run.issue.repo.path(),
        },
    );
    if refusals.is_empty() {
        return GuardSeen::Passed;
    }
    let lines: Vec<String> = refusals
        .iter()
        .take(20)
        .map(|r| format!("{} ({}): {}", r.code, sanitize(&r.place, 200), r.why))
        .collect();
    GuardSeen::Refused(lines.join("; "))
}

/// What the repo's own tests said of exactly this commit: in its turn, or in a job of their own.
fn verify(
    env: &Env,
    store: &Store,
    row: &RunRow,
    policy: &RepoPolicy,
    job: Option<PortResult<JobState>>,
    head: &Oid,
) -> Result<PortResult<VerifySeen>, Error> {
    let run = &row.run;
    if policy.verify.is_empty() {
        return Ok(Ok(VerifySeen::NotConfigured));
    }
    if let Some(job) = job {
        let key = format!("verify-{}", run.verifies);
        let of = match store.effect(&run.id, &key)? {
            Some(crate::domain::effect::Effect::Verify { oid, .. }) => Some(oid),
            Some(_) | None => None,
        };
        if of.as_ref() == Some(head) {
            if let Some(why) = store.refusal(&run.id, &key)? {
                return Ok(Err(PortError::refused(format!("verify could not be started: {why}"))));
            }
            return Ok(job.and_then(|state| match state {
                JobState::Running { .. } => Ok(VerifySeen::Running),
                JobState::Over(result) => verify_job(run, &result, head),
                JobState::NotStarted | JobState::Orphaned => Ok(VerifySeen::Missing),
            }));
        }
    }
    let dir = env.folder(run).job(&run.turn_job(run.turns));
    Ok(env.runner.state(&dir).map(|state| match state {
        JobState::Over(result) if result.verify.as_ref().is_some_and(|v| v.oid == *head) => {
            verify_result(&result, head)
        }
        JobState::Over(_) | JobState::NotStarted | JobState::Running { .. } | JobState::Orphaned => {
            VerifySeen::Missing
        }
    }))
}

/// A verify job that never ran (a full disk, a missing program) is tried again a few times; one that was ended from
/// outside is run again.
fn verify_job(run: &Run, result: &JobResult, head: &Oid) -> PortResult<VerifySeen> {
    match &result.end {
        TurnEnd::Stopped => Ok(VerifySeen::Missing),
        TurnEnd::FailedToStart { .. } if run.verifies < MAX_VERIFIES => Ok(VerifySeen::Missing),
        TurnEnd::FailedToStart { detail } => {
            Err(PortError::refused(format!("verify could not be run: {detail}")))
        }
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Error { .. }
        | TurnEnd::TimedOut
        | TurnEnd::Stalled
        | TurnEnd::CutOff { .. }
        | TurnEnd::PermissionDenied { .. }
        | TurnEnd::Quota { .. }
        | TurnEnd::LoginRefused { .. } => Ok(verify_result(result, head)),
    }
}

fn verify_result(result: &JobResult, head: &Oid) -> VerifySeen {
    match &result.verify {
        Some(v) if v.oid == *head && v.green => VerifySeen::Green,
        Some(v) if v.oid == *head => VerifySeen::Red(Failure {
            checks: vec!["verify".to_owned()],
            fingerprint: v.fingerprint.clone(),
            log_tail: v.log_tail.clone(),
        }),
        Some(_) | None => {
            let (word, detail) = end_words(&result.end);
            VerifySeen::Red(Failure {
                checks: vec!["verify".to_owned()],
                fingerprint: format!("{word} {detail}"),
                log_tail: format!("verify did not come to a result: {word} {detail}"),
            })
        }
    }
}
