//! Carries effects of upgrades out. Each was recorded before, is looked for before it is done, and is settled with what it
//! brought in one transaction with the recipe.

use super::{Job, RecipePolicy, UpgradeWorld, agent, look};
use crate::domain::model::{Asked, Oid, PullState, RepoId, UnixTime};
use crate::domain::upgrade::verdict::{Said, trigger_after};
use crate::domain::upgrade::{Batch, Effect, MAX_TRIALS, Recipe, Settled, Step};
use crate::error::Error;
use crate::ports::{JobKind, JobSpec, NewPull, PortError, PortResult, Pushed, TurnSpec};
use crate::store::{IntentState, OwnPull, PullStanding};
use crate::text::upgrade as text;

/// What came of the pending effects.
pub enum Acted {
    Done,
    /// The world moved while we looked: look again.
    Again,
    Later(PortError),
}

/// What one effect brought.
#[derive(Default)]
struct Brought {
    outcome: String,
    pull: Option<OwnPull>,
    raced: bool,
}

fn brought(outcome: impl Into<String>) -> Brought {
    Brought { outcome: outcome.into(), ..Brought::default() }
}

/// Carries out what is pending, in order.
pub fn pending(world: &mut UpgradeWorld, batch: &Batch, recipe: &mut Recipe) -> Result<Acted, Error> {
    for intent in world.store.upgrade_pending(batch.id, &recipe.name)? {
        if world.host.dry {
            let line = format!("{}: {}", recipe.name, intent.effect.line());
            world.log.effects.push(line);
            continue;
        }
        if (world.env.past_deadline)() {
            return Ok(Acted::Later(PortError::later("the deadline is near")));
        }
        world.store.upgrade_trying(intent.id)?;
        let answer = perform(world, batch, recipe, &intent.effect)?;
        let now = world.now();
        let store = &mut world.store;
        match answer {
            Ok(brought) if brought.raced => {
                store.upgrade_settle(
                    batch.id,
                    intent.id,
                    IntentState::Cancelled,
                    "raced",
                    recipe,
                    None,
                    now,
                )?;
                return Ok(Acted::Again);
            }
            Ok(brought) => {
                let pull = brought.pull.as_ref();
                store.upgrade_settle(
                    batch.id,
                    intent.id,
                    IntentState::Done,
                    &brought.outcome,
                    recipe,
                    pull,
                    now,
                )?;
                let subject = format!("recipe {}", recipe.name);
                world.store.outage_over(&subject)?;
            }
            Err(PortError::Refused { what } | PortError::Gone { what }) => {
                // A note that cannot be left is no reason to lose what was found out.
                let only_said = matches!(
                    intent.effect,
                    Effect::SayTrial { .. }
                        | Effect::SayStale
                        | Effect::CrossNotes { .. }
                        | Effect::Supersede { .. }
                );
                if recipe.step == Step::Teardown || recipe.step == Step::Done || only_said {
                    recipe.notes.push(format!(
                        "{}: {}",
                        intent.effect.line(),
                        crate::domain::escape::sanitize(&what, 300)
                    ));
                    store.upgrade_settle(
                        batch.id,
                        intent.id,
                        IntentState::Cancelled,
                        &what,
                        recipe,
                        None,
                        now,
                    )?;
                    continue;
                }
                store.upgrade_settle(batch.id, intent.id, IntentState::Refused, &what, recipe, None, now)?;
                return Ok(Acted::Again);
            }
            Err(error) => return Ok(Acted::Later(error)),
        }
    }
    Ok(Acted::Done)
}

fn perform(
    world: &mut UpgradeWorld,
    batch: &Batch,
    recipe: &mut Recipe,
    effect: &Effect,
) -> Result<PortResult<Brought>, Error> {
    let policy = match world.recipe(&recipe.name) {
        Ok(policy) => policy,
        Err(error) => return Ok(Err(error)),
    };
    let repo = policy.mirror.clone();
    Ok(match effect {
        Effect::StartCheck => command(world, batch, recipe, Job::Check),
        Effect::StartTeardown => command(world, batch, recipe, Job::Teardown),
        Effect::StartTeardownCheck => command(world, batch, recipe, Job::TeardownCheck),
        Effect::StartVerify => verify(world, batch, recipe, &policy),
        Effect::StartTurn { turn } => return start_turn(world, batch, recipe, &policy, *turn),
        Effect::Settle { pull, how } => return settle(world, batch, recipe, &repo, *pull, *how),
        Effect::Backup { head } => {
            pushed(world, &repo, |remote| world.push.push_backup(&repo, remote, &day(batch.started_at), head))
        }
        Effect::SyncMirror { seen, upstream, force: _ } => {
            let answer = pushed(world, &repo, |remote| {
                world.push.sync_mirror(&repo, remote, &policy.main_branch, seen.as_ref(), upstream)
            });
            answer.and_then(|brought| equal(world, &policy, upstream).map(|()| brought))
        }
        Effect::Push { branch, head, expected } => pushed(world, &repo, |remote| {
            world.push.push_upgrade(&repo, remote, branch, expected.as_ref(), head)
        }),
        Effect::OpenPull => open_pull(world, batch, recipe, &policy),
        Effect::Supersede { pull } => return supersede(world, batch, recipe, &repo, *pull),
        Effect::Trigger { trial } => trigger(world, recipe, &repo, *trial),
        Effect::SayTrial { trial } => {
            let found = recipe.trials.iter().find(|t| t.number == *trial);
            let body =
                found.map(|t| text::trial(batch.id, &recipe.name, t, MAX_TRIALS, &world.policy.trigger));
            say(world, batch, recipe, &repo, recipe.pull, &format!("trial-{trial}"), body)
        }
        Effect::SayStale => {
            let body = text::stale(batch.id, recipe, &world.policy.trigger);
            say(world, batch, recipe, &repo, recipe.pull, "stale", Some(body))
        }
        Effect::PushTests { head } => tests_repo(&policy).and_then(|tests| {
            let branch = recipe.branch().unwrap_or_default();
            pushed(world, &tests, |remote| world.push.push_upgrade(&tests, remote, &branch, None, head))
        }),
        Effect::OpenTestPull => open_test_pull(world, batch, recipe, &policy),
        Effect::CrossNotes { green } => cross(world, batch, recipe, &policy, *green),
    })
}

fn day(at: UnixTime) -> String {
    crate::domain::moment::format_time(at).chars().take(10).filter(char::is_ascii_digit).collect()
}

fn tests_repo(policy: &RecipePolicy) -> PortResult<RepoId> {
    policy.tests.clone().ok_or_else(|| PortError::refused("no repository of tests is configured"))
}

fn command(world: &UpgradeWorld, batch: &Batch, recipe: &Recipe, job: Job) -> PortResult<Brought> {
    let argv = match job {
        Job::Teardown => &world.policy.teardown,
        Job::Check | Job::TeardownCheck | Job::Verify | Job::Turn(_) => &world.policy.teardown_check,
    };
    world.start_command(batch.id, recipe, job, argv, &[])?;
    Ok(brought("started"))
}

/// Both heads as checkouts beside each other, for the command that tests them together.
fn verify(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    policy: &RecipePolicy,
) -> PortResult<Brought> {
    let tests = tests_repo(policy)?;
    let (Some(head), Some(change)) = (&recipe.head, &recipe.test) else {
        return Err(PortError::refused("the heads that are to be verified are not known"));
    };
    let place = world.work.join(&recipe.name).join(format!("b{}-verify", batch.id));
    let (recipe_dir, tests_dir) = (place.join("recipe"), place.join("tests"));
    let (dir, _) = world.job(batch.id, &recipe.name, Job::Verify);
    // Once it runs, what it runs on stays as it is.
    if world.env.runner.state(&dir)? == crate::domain::model::JobState::NotStarted {
        world.env.git.checkout(&policy.mirror, head, &recipe_dir)?;
        world.env.git.checkout(&tests, &change.head, &tests_dir)?;
    }
    let words = [
        ("{recipe_dir}", recipe_dir.display().to_string()),
        ("{tests_dir}", tests_dir.display().to_string()),
        ("{recipe_head}", head.to_string()),
        ("{tests_head}", change.head.to_string()),
    ];
    world.start_command(batch.id, recipe, Job::Verify, &world.policy.verify_command, &words)?;
    Ok(brought("started"))
}

fn start_turn(
    world: &mut UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    policy: &RecipePolicy,
    turn: u32,
) -> Result<PortResult<Brought>, Error> {
    let Some(settings) = world.policy.agent.clone() else {
        return Ok(Err(PortError::refused("no agent is configured any more")));
    };
    let now = world.now();
    world.store.upgrade_turn(batch.id, &recipe.name, turn, settings.budget_usd, now)?;
    Ok(begin_turn(world, batch, recipe, policy, turn, &settings))
}

fn begin_turn(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    policy: &RecipePolicy,
    turn: u32,
    settings: &super::AgentPolicy,
) -> PortResult<Brought> {
    let repo = &policy.mirror;
    let Some(head) = &recipe.head else { return Err(PortError::refused("the head to repair is not known")) };
    let folder = world.turn_folder(batch.id, &recipe.name, turn);
    world.env.git.prepare(repo, &folder, head, &recipe.branch().unwrap_or_default())?;
    let (dir, id) = world.job(batch.id, &recipe.name, Job::Turn(turn));
    // What CI and people said on the pull request since the trigger is the log that we have.
    let mark = recipe.trial().map_or(0, |t| t.mark.newest_comment);
    let said = look::said(world, repo, recipe.pull.unwrap_or_default())?;
    let log: Vec<String> = said.iter().filter(|s| s.id > mark).map(|s| s.body.clone()).collect();
    let log: String = log.join("\n\n").chars().take(30_000).collect();
    let seconds = i64::try_from(settings.timeout_seconds).unwrap_or(3600);
    let request = agent::request(world, recipe, batch.with_tests, &log, world.now().plus(seconds));
    world.bench.put(&dir, "request.json", &request)?;
    world.env.runner.start(&JobSpec {
        id,
        repo: repo.clone(),
        dir,
        kind: JobKind::Turn(Box::new(TurnSpec {
            run: format!("upgrade-{}-{}", batch.id, recipe.name),
            folder,
            base: head.clone(),
            runner: settings.runner.clone(),
            prompt: text::agent_prompt(&recipe.name, recipe.left()),
            session: None,
            budget_usd: settings.budget_usd,
            first: true,
            verify: vec![],
            asked: Asked::Upgrade,
        })),
        timeout_seconds: settings.timeout_seconds,
        stall_seconds: settings.stall_seconds,
    })?;
    Ok(brought("started"))
}

fn pushed(
    world: &UpgradeWorld,
    repo: &RepoId,
    push: impl Fn(&crate::ports::Remote) -> PortResult<Pushed>,
) -> PortResult<Brought> {
    let remote = world.forge(repo)?.remote(repo)?;
    match push(&remote)? {
        Pushed::Done => Ok(brought("pushed")),
        Pushed::Raced => Ok(Brought { raced: true, ..Brought::default() }),
    }
}

/// Afterwards the two have to be equal.
fn equal(world: &UpgradeWorld, policy: &RecipePolicy, upstream: &Oid) -> PortResult<()> {
    let remote = world.forge(&policy.mirror)?.remote(&policy.mirror)?;
    let now = world.env.git.remote_head(&policy.mirror, &remote, &policy.main_branch)?;
    if now.as_ref() == Some(upstream) {
        return Ok(());
    }
    Err(PortError::later(format!(
        "{} of {} moved right after it was synced",
        policy.main_branch, policy.mirror
    )))
}

/// Posts a comment once: one that carries its mark is it.
fn say(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    repo: &RepoId,
    pull: Option<u64>,
    what: &str,
    body: Option<String>,
) -> PortResult<Brought> {
    let (Some(pull), Some(body)) = (pull, body) else { return Ok(brought("nothing to say")) };
    let mark = text::marker(batch.id, &recipe.name, what);
    if let Some(there) = marked(&look::said(world, repo, pull)?, &mark) {
        return Ok(brought(there.to_string()));
    }
    let id = world.forge(repo)?.say(repo, pull, &body)?;
    Ok(brought(id.to_string()))
}

fn marked(said: &[Said], mark: &str) -> Option<u64> {
    said.iter().find(|s| s.body.lines().next().is_some_and(|line| line.trim() == mark)).map(|s| s.id)
}

/// Says why and closes; both only once.
pub fn closing(world: &UpgradeWorld, repo: &RepoId, pull: u64, mark: &str, body: &str) -> PortResult<()> {
    if marked(&look::said(world, repo, pull)?, mark).is_none() {
        world.forge(repo)?.say(repo, pull, body)?;
    }
    world.forge(repo)?.close_pull(repo, pull)
}

/// The own pull request of a number, as the store has it.
fn own(world: &UpgradeWorld, repo: &RepoId, number: u64) -> Result<Option<OwnPull>, Error> {
    Ok(world.store.own_pulls(None)?.into_iter().find(|p| p.repo == *repo && p.number == number))
}

fn settle(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    repo: &RepoId,
    number: u64,
    how: Settled,
) -> Result<PortResult<Brought>, Error> {
    let Some(mut pull) = own(world, repo, number)? else {
        return Ok(Err(PortError::refused(format!("pull request {number} is not ours"))));
    };
    pull.state = if how == Settled::MergedUpstream { PullStanding::Merged } else { PullStanding::Closed };
    let body = text::settled(batch.id, &recipe.name, number, how, &world.policy.trigger);
    let done = say(world, batch, recipe, repo, Some(number), &format!("settled-{number}"), Some(body))
        .and_then(|_| world.forge(repo)?.close_pull(repo, number));
    Ok(done.map(|()| Brought { outcome: "closed".to_owned(), pull: Some(pull), raced: false }))
}

fn supersede(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    repo: &RepoId,
    number: u64,
) -> Result<PortResult<Brought>, Error> {
    let Some(by) = recipe.pull.filter(|by| *by != number) else { return Ok(Ok(brought("it is this one"))) };
    let Some(mut pull) = own(world, repo, number)? else {
        return Ok(Err(PortError::refused(format!("pull request {number} is not ours"))));
    };
    pull.state = PullStanding::Closed;
    let body = text::superseded(batch.id, &recipe.name, number, by, &world.policy.trigger);
    let done = say(world, batch, recipe, repo, Some(number), &format!("superseded-{number}"), Some(body))
        .and_then(|_| world.forge(repo)?.close_pull(repo, number));
    Ok(done.map(|()| Brought { outcome: "closed".to_owned(), pull: Some(pull), raced: false }))
}

/// Opens a pull request, or takes up the open one of this branch, which only we push.
fn opened(world: &UpgradeWorld, repo: &RepoId, new: &NewPull, head: &Oid) -> PortResult<u64> {
    let forge = world.forge(repo)?;
    if let Some(there) = forge.pull_of(repo, &new.branch)?
        && there.state == PullState::Open
    {
        if there.head != *head {
            return Err(PortError::later(format!(
                "pull request {} does not show our push yet; it is looked at again",
                there.number
            )));
        }
        return Ok(there.number);
    }
    Ok(forge.open_pull(repo, new)?.number)
}

fn open_pull(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &mut Recipe,
    policy: &RecipePolicy,
) -> PortResult<Brought> {
    let (Some(plan), Some(head)) = (recipe.plan.clone(), recipe.head.clone()) else {
        return Err(PortError::refused("there is no plan to open a pull request for"));
    };
    let branch = plan.branch(&recipe.name);
    let new = NewPull {
        title: text::title(&recipe.name, &plan.version),
        body: text::pull_body(batch.id, recipe, &world.policy.trigger),
        branch: branch.clone(),
        target: policy.main_branch.clone(),
    };
    let number = opened(world, &policy.mirror, &new, &head)?;
    recipe.pull = Some(number);
    let pull = OwnPull {
        repo: policy.mirror.clone(),
        number,
        recipe: recipe.name.clone(),
        version: plan.version,
        branch,
        head,
        bumps: plan.bumps,
        tests: false,
        state: PullStanding::Open,
        batch: batch.id,
    };
    Ok(Brought { outcome: number.to_string(), pull: Some(pull), raced: false })
}

fn open_test_pull(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &mut Recipe,
    policy: &RecipePolicy,
) -> PortResult<Brought> {
    let tests = tests_repo(policy)?;
    let (Some(plan), Some(mut change)) = (recipe.plan.clone(), recipe.test.clone()) else {
        return Err(PortError::refused("there is no change of tests to open a pull request for"));
    };
    let remote = world.forge(&tests)?.remote(&tests)?;
    let branch = plan.branch(&recipe.name);
    let new = NewPull {
        title: format!("Tests of {} for {}", recipe.name, plan.version),
        body: text::test_pull_body(batch.id, recipe, &policy.mirror.path(), &world.policy.trigger),
        branch: branch.clone(),
        target: remote.default_branch,
    };
    let number = opened(world, &tests, &new, &change.head)?;
    change.pull = Some(number);
    recipe.test = Some(change.clone());
    let pull = OwnPull {
        repo: tests,
        number,
        recipe: recipe.name.clone(),
        version: plan.version,
        branch,
        head: change.head,
        bumps: vec![],
        tests: true,
        state: PullStanding::Open,
        batch: batch.id,
    };
    Ok(Brought { outcome: number.to_string(), pull: Some(pull), raced: false })
}

/// Posts the trigger, unless an exact one stands there after the noted id already.
fn trigger(world: &UpgradeWorld, recipe: &mut Recipe, repo: &RepoId, trial: u32) -> PortResult<Brought> {
    let Some(pull) = recipe.pull else { return Err(PortError::refused("its pull request is not known")) };
    let Some(found) = recipe.trials.iter_mut().find(|t| t.number == trial) else {
        return Err(PortError::refused(format!("trial {trial} is not known")));
    };
    let said = look::said(world, repo, pull)?;
    let id = match trigger_after(&said, found.mark.newest_comment, &world.policy.trigger) {
        Some(id) => id,
        None => world.forge(repo)?.say(repo, pull, &world.policy.trigger)?,
    };
    found.trigger = Some(id);
    Ok(brought(id.to_string()))
}

fn cross(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    policy: &RecipePolicy,
    green: bool,
) -> PortResult<Brought> {
    let tests = tests_repo(policy)?;
    let (Some(pull), Some(other)) = (recipe.pull, recipe.test.as_ref().and_then(|t| t.pull)) else {
        return Ok(brought("there are not two"));
    };
    let trigger = &world.policy.trigger;
    let on_recipe =
        text::cross_note(batch.id, &recipe.name, &format!("{}#{other}", tests.path()), green, trigger);
    let on_tests =
        text::cross_note(batch.id, &recipe.name, &format!("{}#{pull}", policy.mirror.path()), green, trigger);
    say(world, batch, recipe, &policy.mirror, Some(pull), "cross", Some(on_recipe))?;
    say(world, batch, recipe, &tests, Some(other), "cross", Some(on_tests))
}
