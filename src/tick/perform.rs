//! Carries recorded effects out. Each looks whether it already happened where the first try may have been cut short.

use super::breaker::note_start_failure;
use super::env::Env;
use super::event::event;
use super::log::{Log, illegal};
use super::policy::{HostPolicy, RepoPolicy};
use super::{adopt, record, templates};
use crate::domain::effect::{Effect, Words};
use crate::domain::escape::plain;
use crate::domain::event::{EventKind, Happening};
use crate::domain::model::{JobState, Oid, Outcome};
use crate::domain::run::{self, Phase};
use crate::error::Error;
use crate::ports::{ClaimAnswer, ClaimRequest, JobKind, JobSpec, Merged, PortError, PortResult};
use crate::store::{Intent, IntentState, LedgerRow, RunRow, Store};
use land::land;
use out::{Out, done, remote};
use turn::{Next, start_turn};

mod comments;
mod ending;
mod land;
mod out;
mod pull;
mod turn;
mod undo;

pub(super) use comments::find_comment;

/// Ticks in which the world may say no to what people see of a run, before it is left out.
const MOST_NOS: u32 = 3;

/// Carries out what is pending for a run, in order. Returns whether nothing is left.
pub fn drive(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    id: &str,
) -> Result<bool, Error> {
    loop {
        let Some(row) = store.run(id)? else { return Ok(true) };
        let Some(intent) = store.pending(id)?.into_iter().next() else {
            return settled(env, store, &row);
        };
        let Some(policy) = (host.repo)(&row.run.issue.repo) else {
            let what = format!(
                "the forge of {} is not in the config any more; put it back so that the run can end",
                row.run.issue
            );
            log.failed(env, store, &format!("run {id}"), &PortError::refused(what))?;
            return Ok(false);
        };
        let policy = policy.with_runner(&row.runner);
        if host.dry {
            let lines = store
                .pending(id)?
                .iter()
                .map(|i| format!("{}: {}", row.run.issue, i.effect.line()))
                .collect::<Vec<_>>();
            log.effects.extend(lines);
            return Ok(false);
        }
        if starts_something(&intent.effect) && host.switch_on {
            if row.run.phase == Phase::Starting {
                let may_work = starts_agent(&intent.effect) && intent.tries > 0;
                fail_dispatch(
                    env,
                    store,
                    log,
                    &row,
                    Outcome::NotStarted,
                    "the kill switch was put on",
                    may_work,
                )?;
                continue;
            }
            return Ok(false);
        }
        store.trying(intent.id)?;
        let answer = perform(env, host, store, log, &row, &policy, &intent)?;
        let now = env.now();
        let subject = format!("run {id}");
        match answer {
            Ok(Out::Done(what)) => {
                store.settle(intent.id, IntentState::Done, &what, now)?;
                store.outage_over(&subject)?;
            }
            Ok(Out::UnderWay) => return Ok(false),
            Ok(Out::NotNow(what)) => {
                store.settle(intent.id, IntentState::Cancelled, &what, now)?;
                return Ok(false);
            }
            Ok(Out::Again(what)) => store.settle(intent.id, IntentState::Cancelled, &what, now)?,
            Err(error) => {
                let final_no = matches!(error, PortError::Refused { .. } | PortError::Gone { .. });
                if row.run.phase == Phase::Starting && before_the_agent(&intent.effect) {
                    let lost = intent.effect == Effect::Claim && final_no;
                    let outcome = if lost { Outcome::ClaimLost } else { Outcome::NotStarted };
                    if !lost {
                        log.failed(env, store, &subject, &error)?;
                    }
                    // A no of the runner's is heard; an answer that did not come says nothing, and neither does one after it.
                    let may_work = starts_agent(&intent.effect) && (intent.tries > 0 || !final_no);
                    fail_dispatch(env, store, log, &row, outcome, &error.to_string(), may_work)?;
                } else if final_no && !(may_be_mended(&intent.effect) && intent.tries + 1 < MOST_NOS) {
                    store.settle(intent.id, IntentState::Refused, &error.to_string(), now)?;
                    refused(env, host, store, log, &row, &intent.effect, &error)?;
                } else {
                    log.failed(env, store, &subject, &error)?;
                    return Ok(false);
                }
            }
        }
    }
}

/// Effects that the kill switch forbids: they start an agent or a check, or push.
fn starts_something(effect: &Effect) -> bool {
    match effect {
        Effect::Claim
        | Effect::Prepare
        | Effect::StartTurn { .. }
        | Effect::Verify { .. }
        | Effect::Land { .. }
        | Effect::BringUpToDate { .. }
        | Effect::PushBranch { .. }
        | Effect::OpenPull { .. }
        | Effect::Merge { .. }
        | Effect::TakeSlot { .. }
        | Effect::Undo { .. }
        | Effect::OpenUndo { .. }
        | Effect::StartCi { .. } => true,
        Effect::Reopen
        | Effect::EditPull { .. }
        | Effect::ReleaseSlot { .. }
        | Effect::WatchTarget
        | Effect::StopTurn { .. }
        | Effect::Label { .. }
        | Effect::Progress { .. }
        | Effect::Say { .. }
        | Effect::Salvage { .. }
        | Effect::Close
        | Effect::Release
        | Effect::RemoveWorkspace
        | Effect::Notify { .. } => false,
    }
}

/// What people see of a run on the forge. A token's rights can be mended, and a server can say no in a moment of
/// disorder: the first no is not the last word.
fn may_be_mended(effect: &Effect) -> bool {
    match effect {
        Effect::Label { .. }
        | Effect::Progress { .. }
        | Effect::Say { .. }
        | Effect::OpenPull { .. }
        | Effect::EditPull { .. }
        | Effect::Reopen
        | Effect::Close => true,
        Effect::Claim
        | Effect::Prepare
        | Effect::StartTurn { .. }
        | Effect::StopTurn { .. }
        | Effect::Verify { .. }
        | Effect::Land { .. }
        | Effect::BringUpToDate { .. }
        | Effect::PushBranch { .. }
        | Effect::Merge { .. }
        | Effect::TakeSlot { .. }
        | Effect::ReleaseSlot { .. }
        | Effect::Undo { .. }
        | Effect::OpenUndo { .. }
        | Effect::StartCi { .. }
        | Effect::WatchTarget
        | Effect::Salvage { .. }
        | Effect::Release
        | Effect::RemoveWorkspace
        | Effect::Notify { .. } => false,
    }
}

fn before_the_agent(effect: &Effect) -> bool {
    matches!(effect, Effect::Claim | Effect::Prepare) || starts_agent(effect)
}

fn starts_agent(effect: &Effect) -> bool {
    matches!(effect, Effect::StartTurn { .. })
}

/// Nothing is pending: a dispatch is complete, an end is over.
fn settled(env: &Env, store: &mut Store, row: &RunRow) -> Result<bool, Error> {
    let now = env.now();
    match row.run.phase {
        Phase::Starting => {
            let run = run::started(row.run.clone(), now).map_err(illegal)?;
            store.step(&run, &[], &[])?;
        }
        Phase::Ending => {
            let run = run::ended(row.run.clone(), now).map_err(illegal)?;
            let kind = run.outcome.map_or(Happening::Ended.into(), EventKind::Outcome);
            let event = event(&run, &format!("ended:{}", kind.code()), kind.clone(), now, "");
            store.step(&run, &[], &[event])?;
        }
        Phase::Active | Phase::Ended => {}
    }
    Ok(true)
}

/// A dispatch that did not come to an agent: everything is undone, and the issue is ready again after a back-off.
fn fail_dispatch(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    outcome: Outcome,
    why: &str,
    may_work: bool,
) -> Result<(), Error> {
    let now = env.now();
    let (run, effects) = run::dispatch_failed(row.run.clone(), outcome, may_work, now).map_err(illegal)?;
    let code = outcome.code();
    let event = event(&run, "dispatch-failed", outcome, now, why);
    store.step_instead(&run, &effects, &[event])?;
    let passed = store.ledger_of(&run.issue, 1)?.pop().map_or_else(Vec::new, |row| row.passed);
    let sentence = format!("run {} did not start; see `offhours run show {}`", run.id, run.id);
    let row = LedgerRow { at: now, reason: code.to_owned(), sentence, passed };
    store.ledger(&run.issue, &row)?;
    log.acted(&run, code, why);
    Ok(())
}

/// The world said no to an effect of a run that goes on: the machine is told.
fn refused(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    effect: &Effect,
    error: &PortError,
) -> Result<(), Error> {
    let run = &row.run;
    if let Some(told) = run::refused(run.clone(), effect, &error.to_string()) {
        return Ok(store.touch(&told)?);
    }
    let Effect::StartTurn { turn, .. } = effect else {
        return log.failed(env, store, &format!("run {}", run.id), error);
    };
    // That a template does not render is no fault of the runner's.
    if templates::failed(store, &run.id, *turn)? {
        return Ok(());
    }
    note_start_failure(env, host, store, log, row, &error.to_string())
}

fn perform(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    policy: &RepoPolicy,
    intent: &Intent,
) -> Result<PortResult<Out>, Error> {
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
            started.map(|()| Out::Again("started".to_owned()))
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
) -> Result<PortResult<Out>, Error> {
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
            plain(&paths.join(", "), 400)
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

fn prepare(env: &Env, host: &HostPolicy, store: &Store, row: &RunRow) -> PortResult<Out> {
    let run = &row.run;
    adopt::write(env, host, store, &run.id, true)?;
    env.git.prepare(&run.issue.repo, &env.folder(run), &run.turn_head, &run.branch)?;
    done("made")
}

fn set_open(env: &Env, row: &RunRow, open: bool) -> PortResult<Out> {
    let issue = &row.run.issue;
    match env.forge(&issue.repo).and_then(|f| f.set_open(&issue.repo, issue.number, open)) {
        Err(PortError::Gone { what }) => done(format!("issue gone: {what}")),
        other => other.and_then(|()| done(if open { "open again" } else { "closed" })),
    }
}

fn label_issue(env: &Env, row: &RunRow, label: &str, present: bool) -> PortResult<Out> {
    let issue = &row.run.issue;
    env.forge(&issue.repo)?.set_label(&issue.repo, issue.number, label, present)?;
    done(if present { "added" } else { "removed" })
}
