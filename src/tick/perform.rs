//! Carries recorded effects out. Each looks whether it already happened where the first try may have been cut short.

use super::env::Env;
use super::log::Log;
use super::policy::{HostPolicy, RepoPolicy};
use super::{adopt, record};
use crate::domain::effect::{Effect, Words};
use crate::domain::escape::sanitize;

use crate::domain::model::{JobState, Oid};
use crate::domain::run;

use crate::engine::EffectOutcome;
use crate::error::Error;
use crate::ports::{ClaimAnswer, ClaimRequest, JobKind, JobSpec, Merged, PortError, PortResult};
use crate::store::{Intent, RunRow, Store};
use land::land;
use out::{done, remote};
use turn::{Next, start_turn};

mod comments;
mod ending;
mod land;
mod out;
mod pull;
mod turn;
mod undo;

pub(super) use comments::find_comment;

pub(super) fn perform(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    policy: &RepoPolicy,
    intent: &Intent,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    Ok(match &intent.effect {
        Effect::Claim => match claim(env, store, row) {
            Ok(ClaimAnswer::Won(oid)) => {
                store.set_claim(&run.id, &oid)?;
                done(format!("won {}", oid.short()))
            }
            Ok(ClaimAnswer::Lost(who)) => Err(PortError::refused(who)),
            Err(error) => Err(error),
        },
        Effect::Prepare => prepare(env, host, store, row),
        Effect::StartTurn { turn, kind, told } => {
            return start_turn(
                env,
                host,
                store,
                log,
                row,
                policy,
                Next { turn: *turn, kind: *kind, told: &told.body },
            );
        }
        Effect::StopTurn { turn } => {
            let id = run.turn_job(*turn);
            let dir = env.folder(run).job(&id);
            if let Err(error) = env.runner.stop(&dir, &id) {
                return Ok(Err(error));
            }
            // What it told of itself until then, its cost among it.
            if let Ok(JobState::Over(result)) = env.runner.state(&dir) {
                record::turn_over(env, host, store, log, row, &result)?;
            }
            done("ended")
        }
        Effect::Label { label, present, .. } => match label_issue(env, row, label, *present) {
            Err(PortError::Gone { what }) => done(format!("issue gone: {what}")),
            other => other,
        },
        Effect::Progress { said } => {
            return comments::progress(env, store, row, &said.body, intent.tries > 0);
        }
        Effect::Say { said } => return comments::say(env, store, row, &said.body),
        Effect::BringUpToDate { head, target, .. } => return bring_up_to_date(env, store, row, head, target),
        Effect::Verify { oid, number } => {
            let id = run.verify_job(*number);
            let job = JobSpec {
                dir: env.folder(run).job(&id),
                id,
                repo: run.issue.repo.clone(),
                kind: JobKind::Check { oid: oid.clone(), argv: policy.verify.clone() },
                timeout_seconds: policy.verify_timeout_seconds,
                stall_seconds: None,
            };
            env.runner.start(&job).and_then(|()| done(job.id))
        }
        Effect::Land { head, expected } => {
            return land(env, store, log, row, head, expected, intent.tries > 0);
        }
        Effect::PushBranch { head, expected } => {
            return pull::push(env, store, log, row, policy, head, expected.as_ref());
        }
        Effect::OpenPull { said } => return pull::open(env, store, log, row, said),
        Effect::EditPull { pull, head, said } => {
            return pull::edit(env, store, row, *pull, head, &said.body);
        }
        Effect::Merge { pull, head } => return pull::merge(env, store, log, row, *pull, head),
        Effect::ReleaseSlot { .. } => pull::release_slot(env, row),
        Effect::TakeSlot { .. } => return pull::take_slot(env, store, row),
        Effect::Undo { branch } => {
            let answer = undo::push(env, store, row, branch)?;
            undo::or_give_up(env, store, log, run, answer)?
        }
        Effect::OpenUndo { branch, said } => {
            let answer = undo::open(env, row, branch, said);
            undo::or_give_up(env, store, log, run, answer)?
        }
        Effect::Reopen => set_open(env, row, true),
        Effect::WatchTarget => return ending::watch_target(env, store, row),
        Effect::StartCi { stage, oid, attempt } => {
            // A stage whose supervisor died is started anew under the same key; what runs or ran is left alone.
            let started = env.ci.start(&run.issue.repo, stage, oid, *attempt);
            started.map(|()| EffectOutcome::Again("started".to_owned()))
        }
        Effect::Salvage { push } => return ending::salvage(env, host, store, row, *push),
        Effect::Close => set_open(env, row, false),
        Effect::Release => return ending::release(env, host, store, row),
        Effect::RemoveWorkspace => return ending::remove(env, host, store, log, row, policy),
        Effect::Notify { kind, round, said: Words { title, body } } => {
            let times = if *round > 0 { format!(":{round}") } else { String::new() };
            let link = env.page(&run.issue.repo, Some(run.issue.number));
            env.notify(store, &format!("{}:{}{times}", run.id, kind.code()), *kind, title, body, link)?;
            done("queued")
        }
    })
}

fn bring_up_to_date(
    env: &Env,
    store: &mut Store,
    row: &RunRow,
    head: &Oid,
    target: &Oid,
) -> Result<PortResult<EffectOutcome>, Error> {
    let run = &row.run;
    let text = format!("Merge {} into {}\n", run.target_branch, run.branch);
    let folder = env.folder(run);
    Ok(match env.git.bring_up_to_date(&run.issue.repo, &folder, head, target, &text) {
        Ok(Merged::UpToDate(oid)) => {
            store.touch(&run::up_to_date(run.clone(), target.clone()))?;
            done(format!("now {oid}"))
        }
        Ok(Merged::Conflict(paths)) => Err(PortError::refused(format!(
            "the work and the target both changed {}",
            sanitize(&paths.join(", "), 400)
        ))),
        Err(error) => Err(error),
    })
}

fn claim(env: &Env, store: &Store, row: &RunRow) -> PortResult<ClaimAnswer> {
    let remote = remote(env, row)?;
    let request = ClaimRequest {
        number: row.run.issue.number,
        run: row.run.id.clone(),
        installation: store.installation.clone(),
        at: row.run.created_at,
    };
    env.git.claim(&row.run.issue.repo, &remote, &request)
}

fn prepare(env: &Env, host: &HostPolicy, store: &Store, row: &RunRow) -> PortResult<EffectOutcome> {
    let run = &row.run;
    adopt::write(env, host, store, &run.id, true)?;
    env.git.prepare(&run.issue.repo, &env.folder(run), &run.turn_head, &run.branch)?;
    done("made")
}

fn set_open(env: &Env, row: &RunRow, open: bool) -> PortResult<EffectOutcome> {
    let issue = &row.run.issue;
    match env.forge(&issue.repo).and_then(|f| f.set_open(&issue.repo, issue.number, open)) {
        Err(PortError::Gone { what }) => done(format!("issue gone: {what}")),
        other => other.and_then(|()| done(if open { "open again" } else { "closed" })),
    }
}

fn label_issue(env: &Env, row: &RunRow, label: &str, present: bool) -> PortResult<EffectOutcome> {
    let issue = &row.run.issue;
    env.forge(&issue.repo)?.set_label(&issue.repo, issue.number, label, present)?;
    done(if present { "added" } else { "removed" })
}
