//! Gathers what the machine decides on. Reads only; what a died supervisor left running is ended before anybody goes on.

use super::{Job, RecipePolicy, UpgradeWorld, agent, plan};
use crate::domain::escape::sanitize;
use crate::domain::guard;
use crate::domain::model::{JobState, Oid, PullState, RepoId, TurnEnd};
use crate::domain::upgrade::guard::{Bump, TestFile, judge_bumps, judge_repair, judge_tests, show};
use crate::domain::upgrade::recipe::Pin;
use crate::domain::upgrade::verdict::{self, Said};
use crate::domain::upgrade::version::Version;
use crate::domain::upgrade::{
    self, AgentAnswer, Batch, BeforeTrigger, Evidence, JobSeen, Mirror, Recipe, Reconciled, Settled, Step,
    TestSeen, TurnSeen, WaitSeen, WorkSeen,
};
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::{OwnPull, PullStanding};
use crate::text;

/// What came of a look.
pub enum Look {
    Seen(Evidence),
    /// Not now; asked again.
    Later(PortError),
}

/// What the step of a recipe wants to know.
pub fn evidence(world: &mut UpgradeWorld, batch: &Batch, recipe: &mut Recipe) -> Result<Look, Error> {
    if let Some(why) = world.store.upgrade_refusal(batch.id, &recipe.name)?
        && recipe.ending.is_none()
    {
        return Ok(Look::Seen(Evidence::EffectRefused(sanitize(&why, 400))));
    }
    Ok(match gather(world, batch, recipe)? {
        Ok(evidence) => Look::Seen(evidence),
        // What was refused is refused again.
        Err(PortError::Refused { what } | PortError::Gone { what }) if recipe.step != Step::Teardown => {
            Look::Seen(Evidence::Impossible(sanitize(&what, 400)))
        }
        Err(error) => Look::Later(error),
    })
}

fn gather(
    world: &mut UpgradeWorld,
    batch: &Batch,
    recipe: &mut Recipe,
) -> Result<PortResult<Evidence>, Error> {
    Ok(match recipe.step {
        Step::Queued => queued(world, batch, recipe)?.map(Evidence::Environment),
        Step::Reconcile => return reconcile(world, recipe),
        Step::Scan => return plan::scan(world, batch, recipe),
        Step::Planned => Ok(Evidence::Pushed),
        Step::PrOpen => Ok(Evidence::Opened),
        Step::Trigger => before_trigger(world, recipe),
        Step::Wait => wait(world, recipe),
        Step::Triage => turn(world, batch, recipe)?.map(Evidence::Turn),
        Step::Repair => repair(world, batch, recipe).map(Evidence::Work),
        Step::Stale => stale(world, batch, recipe),
        Step::TestPr => tests(world, batch, recipe).map(Evidence::Test),
        Step::Teardown => teardown(world, batch, recipe),
        Step::Done => Err(PortError::broken("a recipe that is done is not looked at")),
    })
}

fn queued(world: &UpgradeWorld, batch: &Batch, recipe: &Recipe) -> Result<PortResult<JobSeen>, Error> {
    let policy = match world.recipe(&recipe.name) {
        Ok(policy) => policy,
        Err(error) => return Ok(Err(error)),
    };
    if !policy.enrolled {
        return Ok(Err(PortError::refused("it is not enrolled any more")));
    }
    // What an aborted batch was taking down comes first.
    for (dir, id) in world.store.leftovers(batch.id)? {
        let dir = std::path::PathBuf::from(dir);
        match world.env.runner.state(&dir) {
            Ok(JobState::Running { .. }) => return Ok(Ok(JobSeen::Running)),
            Ok(JobState::Orphaned) if !world.host.dry => {
                if let Err(error) = world.env.runner.stop(&dir, &id) {
                    return Ok(Err(error));
                }
                return Ok(Ok(JobSeen::Bad("a teardown died".to_owned())));
            }
            Ok(JobState::Over(result)) if result.end != TurnEnd::Finished || result.exit_code != Some(0) => {
                return Ok(Ok(JobSeen::Bad("a teardown failed".to_owned())));
            }
            Ok(JobState::NotStarted | JobState::Over(_) | JobState::Orphaned) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(world.command_seen(batch.id, &recipe.name, Job::Check, &world.policy.teardown_check))
}

/// Own pull requests of a recipe that the store has as open.
fn own_open(world: &UpgradeWorld, policy: &RecipePolicy) -> Result<Vec<OwnPull>, Error> {
    let all = world.store.own_pulls(None)?;
    let ours = |p: &OwnPull| p.repo == policy.mirror && p.recipe == policy.name && !p.tests;
    Ok(all.into_iter().filter(|p| ours(p) && p.state == PullStanding::Open).collect())
}

fn reconcile(world: &mut UpgradeWorld, recipe: &Recipe) -> Result<PortResult<Evidence>, Error> {
    let policy = match world.recipe(&recipe.name) {
        Ok(policy) => policy,
        Err(error) => return Ok(Err(error)),
    };
    let pulls = own_open(world, &policy)?;
    let mut standing = vec![];
    let answer = settle(world, &policy, pulls, &mut standing);
    for pull in standing {
        world.store.set_own_pull(&pull)?;
    }
    let (settled, human, open, upstream, seen) = match answer {
        Ok(answer) => answer?,
        Err(error) => return Ok(Err(error)),
    };
    let mirror = match seen {
        Some(seen) if seen == upstream => Mirror::Equal(upstream),
        None => Mirror::Behind { seen: None, upstream },
        Some(seen) => match world.env.git.is_ancestor(&policy.mirror, &seen, &upstream) {
            Ok(true) => Mirror::Behind { seen: Some(seen), upstream },
            Ok(false) => Mirror::Diverged { seen, upstream },
            Err(error) => return Ok(Err(error)),
        },
    };
    Ok(Ok(Evidence::Reconcile(Reconciled { settled, human, open, mirror })))
}

type Judged = (Vec<(u64, Settled)>, Option<u64>, Vec<u64>, Oid, Option<Oid>);

/// Judges own pull requests before main moves. `standing` gets those whose state was found to be another one.
fn settle(
    world: &UpgradeWorld,
    policy: &RecipePolicy,
    pulls: Vec<OwnPull>,
    standing: &mut Vec<OwnPull>,
) -> PortResult<Result<Judged, Error>> {
    let repo = &policy.mirror;
    let forge = world.forge(repo)?;
    let remote = forge.remote(repo)?;
    let upstream = world.git.fetch_branch(repo, &policy.upstream, &policy.main_branch, true)?;
    let upstream = upstream.ok_or_else(|| {
        PortError::refused(format!("upstream of {} has no branch {}", policy.name, policy.main_branch))
    })?;
    let seen = world.git.fetch_branch(repo, &remote.url, &policy.main_branch, false)?;
    let (mut settled, mut human, mut open) = (vec![], None, vec![]);
    for mut pull in pulls {
        let there = forge.pull(repo, pull.number)?;
        match there.state {
            PullState::Open => {}
            PullState::Closed => {
                // Not by us: our own closing was written down. Its version stays closed.
                pull.state = PullStanding::Refused;
                standing.push(pull);
                continue;
            }
            PullState::Merged { .. } => {
                pull.state = PullStanding::Merged;
                standing.push(pull);
                continue;
            }
        }
        let Some(head) = world.git.fetch_branch(repo, &remote.url, &pull.branch, false)? else { continue };
        let from = seen.as_ref().unwrap_or(&upstream);
        for commit in world.git.commits(repo, from, &head)? {
            let in_upstream = world.env.git.is_ancestor(repo, &commit, &upstream)?;
            match world.store.is_own_commit(repo, &commit) {
                Ok(true) => {}
                Ok(false) if in_upstream => {}
                Ok(false) => human = Some(pull.number),
                Err(error) => return Ok(Err(error.into())),
            }
        }
        if human.is_some() {
            continue;
        }
        if world.git.adds_nothing(repo, &upstream, &head)? {
            settled.push((pull.number, Settled::MergedUpstream));
        } else if overtaken(world, repo, &upstream, &pull)? {
            settled.push((pull.number, Settled::Overtaken));
        } else {
            open.push(pull.number);
        }
    }
    Ok(Ok((settled, human, open, upstream, seen)))
}

/// Every image of a pull request is in upstream at the same or a newer tag.
fn overtaken(world: &UpgradeWorld, repo: &RepoId, upstream: &Oid, pull: &OwnPull) -> PortResult<bool> {
    let files = plan::manifest_files(world, repo, upstream)?;
    let manifest = world.manifests.scan(&files, &world.policy.version_label).map_err(PortError::refused)?;
    let past = |bump: &Bump| {
        manifest.images.iter().any(|image| {
            let same = image.file == bump.file && image.service == bump.service && show(image) == bump.image;
            let (Pin::Tag { tag, .. }, Ok(ours)) = (&image.pin, Version::parse(&bump.to)) else {
                return false;
            };
            same && Version::parse(tag)
                .is_ok_and(|there| there.comparable(&ours) && !there.order(&ours).is_lt())
        })
    };
    Ok(!pull.bumps.is_empty() && pull.bumps.iter().all(past))
}

/// Comments of the pull request of a recipe.
pub fn said(world: &UpgradeWorld, repo: &RepoId, pull: u64) -> PortResult<Vec<Said>> {
    Ok(world.forge(repo)?.pull_comments(repo, pull)?.into_iter().map(|c| c.said).collect())
}

fn pull_of(recipe: &Recipe) -> PortResult<u64> {
    recipe.pull.ok_or_else(|| PortError::refused("its pull request is not known"))
}

fn before_trigger(world: &UpgradeWorld, recipe: &Recipe) -> PortResult<Evidence> {
    let policy = world.recipe(&recipe.name)?;
    let repo = &policy.mirror;
    let remote = world.forge(repo)?.remote(repo)?;
    let branch = world.env.git.remote_head(repo, &remote, &recipe.branch().unwrap_or_default())?;
    let comments = said(world, repo, pull_of(recipe)?)?;
    let statuses = match &branch {
        Some(head) => world.forge(repo)?.statuses(repo, head)?,
        None => vec![],
    };
    Ok(Evidence::Trigger(BeforeTrigger {
        branch,
        newest_comment: comments.iter().map(|c| c.id).max().unwrap_or(0),
        newest_status: statuses.iter().map(|s| s.id).max().unwrap_or(0),
    }))
}

fn wait(world: &UpgradeWorld, recipe: &Recipe) -> PortResult<Evidence> {
    let policy = world.recipe(&recipe.name)?;
    let repo = &policy.mirror;
    let Some(trial) = recipe.trial() else { return Err(PortError::refused("there is no trial to wait for")) };
    let remote = world.forge(repo)?.remote(repo)?;
    let branch = world.env.git.remote_head(repo, &remote, &recipe.branch().unwrap_or_default())?;
    let statuses = world.forge(repo)?.statuses(repo, &trial.mark.head)?;
    let comments = if world.policy.verdict.result_author.is_some() {
        said(world, repo, pull_of(recipe)?)?
    } else {
        vec![]
    };
    let trigger = trial.trigger.unwrap_or(trial.mark.newest_comment);
    let verdict = verdict::read(&trial.mark, trigger, &statuses, &comments, &world.policy.verdict);
    Ok(Evidence::Wait(WaitSeen::Reading { verdict, branch }))
}

fn turn(world: &mut UpgradeWorld, batch: &Batch, recipe: &Recipe) -> Result<PortResult<TurnSeen>, Error> {
    if world.policy.agent.is_none() {
        return Ok(Ok(TurnSeen::NoAgent));
    }
    // A turn belongs to a trial: the one of an earlier trial is over and used.
    if recipe.turns < recipe.used() {
        return Ok(budget(world)?.map(|()| TurnSeen::NotStarted));
    }
    let (dir, id) = world.job(batch.id, &recipe.name, Job::Turn(recipe.turns));
    let state = match world.env.runner.state(&dir) {
        Ok(state) => state,
        Err(error) => return Ok(Err(error)),
    };
    Ok(match state {
        JobState::NotStarted => Ok(TurnSeen::NotStarted),
        JobState::Running { .. } => Ok(TurnSeen::Running),
        JobState::Orphaned => {
            if !world.host.dry
                && let Err(error) = world.env.runner.stop(&dir, &id)
            {
                return Ok(Err(error));
            }
            Ok(TurnSeen::Over(AgentAnswer::GiveUp { summary: "its supervisor died".to_owned() }))
        }
        JobState::Over(result) => {
            world.store.upgrade_turn_cost(
                batch.id,
                &recipe.name,
                recipe.turns,
                result.usage.cost_usd,
                result.ended_at,
            )?;
            let head = recipe.head.as_ref().map(ToString::to_string).unwrap_or_default();
            let parsed =
                || world.bench.answer(&dir).map(|text| agent::parse(text.as_deref(), recipe.turns, &head));
            let answer = match result.end {
                TurnEnd::Finished | TurnEnd::Error { .. } => parsed(),
                // What is wrong with it the stricter reading says better, where that finds it too.
                TurnEnd::ResultUnreadable { ref why } => parsed().map(|answer| match answer {
                    AgentAnswer::GiveUp { .. } => answer,
                    AgentAnswer::Repaired { .. }
                    | AgentAnswer::Broken { .. }
                    | AgentAnswer::Infra { .. }
                    | AgentAnswer::Stale { .. } => {
                        AgentAnswer::GiveUp { summary: sanitize(&format!("its answer {why}"), 300) }
                    }
                }),
                TurnEnd::Blocked { ref reason } => Ok(AgentAnswer::GiveUp { summary: sanitize(reason, 300) }),
                ref end @ (TurnEnd::TimedOut
                | TurnEnd::Stalled
                | TurnEnd::CutOff { .. }
                | TurnEnd::PermissionDenied { .. }
                | TurnEnd::Quota { .. }
                | TurnEnd::LoginRefused { .. }
                | TurnEnd::FailedToStart { .. }
                | TurnEnd::Stopped) => {
                    let (how, detail) = crate::tick::observe::end_words(end);
                    Ok(AgentAnswer::GiveUp { summary: sanitize(&format!("{how} {detail}"), 300) })
                }
            };
            answer.map(TurnSeen::Over)
        }
    })
}

/// Turns of upgrades cost like any other: without budget they wait for the next day.
fn budget(world: &UpgradeWorld) -> Result<PortResult<()>, Error> {
    let Some(agent) = &world.policy.agent else { return Ok(Ok(())) };
    let (day, month) = crate::tick::poll::day_and_month(world.now());
    let host = &world.host;
    let over = |spent: f64, limit: f64| spent + agent.budget_usd > limit;
    let today = world.store.spend_since(day)?.total();
    let this_month = world.store.spend_since(month)?.total();
    if over(today, host.daily_budget_usd) || over(this_month, host.monthly_budget_usd) {
        let what = "the budget for agents is used up; a turn starts when there is room again".to_owned();
        return Ok(Err(PortError::Later { what, after: Some(day.plus(86_400)) }));
    }
    Ok(Ok(()))
}

fn reasons(refusals: &[guard::Refusal]) -> String {
    let lines: Vec<String> = refusals
        .iter()
        .take(10)
        .map(|r| format!("{} ({}): {}", r.code, sanitize(&r.place, 120), r.why))
        .collect();
    lines.join("; ")
}

fn repair(world: &UpgradeWorld, batch: &Batch, recipe: &Recipe) -> PortResult<WorkSeen> {
    let policy = world.recipe(&recipe.name)?;
    let repo = &policy.mirror;
    let (Some(head), Some(base), Some(plan)) = (&recipe.head, &recipe.base, &recipe.plan) else {
        return Err(PortError::refused("what was to be repaired is not known"));
    };
    let folder = world.turn_folder(batch.id, &recipe.name, recipe.turns);
    let message = text::upgrade::repair_commit(&recipe.name, recipe.turns);
    let made = match world.git.commit_work(repo, &folder, head, &message, batch.started_at) {
        Ok(made) => made,
        Err(PortError::Refused { what } | PortError::Gone { what }) => return Ok(WorkSeen::Refused(what)),
        Err(error) => return Err(error),
    };
    let Some(oid) = made else { return Ok(WorkSeen::Nothing) };
    let tree = world.git.tree(repo, head)?;
    let change = match world.env.git.change(repo, head, &oid) {
        Ok(change) => change,
        Err(PortError::Refused { what }) => return Ok(WorkSeen::Refused(what)),
        Err(error) => return Err(error),
    };
    let mut refused = judge_repair(&strip_messages(change), &tree, &world.policy.paths);
    // All of the branch against its base as well: two repairs together are one change.
    let whole = world.env.git.change(repo, base, &oid)?;
    let tree = world.git.tree(repo, base)?;
    for refusal in judge_repair(&strip_messages(whole), &tree, &world.policy.paths) {
        if !refused.contains(&refusal) {
            refused.push(refusal);
        }
    }
    let files = plan::manifest_files(world, repo, &oid)?;
    match world.manifests.scan(&files, &world.policy.version_label) {
        Ok(manifest) => refused.extend(judge_bumps(&plan.bumps, &manifest.images)),
        Err(why) => return Ok(WorkSeen::Refused(why)),
    }
    Ok(if refused.is_empty() { WorkSeen::Commit(oid) } else { WorkSeen::Refused(reasons(&refused)) })
}

/// The messages are ours; only what is in the files is judged.
fn strip_messages(mut change: crate::domain::model::Change) -> crate::domain::model::Change {
    change.messages.clear();
    change
}

fn stale(world: &UpgradeWorld, batch: &Batch, recipe: &Recipe) -> PortResult<Evidence> {
    let policy = world.recipe(&recipe.name)?;
    let Some(trial) = recipe.trial() else { return Err(PortError::refused("there is no trial")) };
    let tree = match &policy.tests {
        Some(repo) => {
            let main = tests_main(world, repo)?;
            world.git.tree(repo, &main)?
        }
        None => vec![],
    };
    let (dir, _) = world.job(batch.id, &recipe.name, Job::Turn(recipe.turns));
    let head = recipe.head.as_ref().map(ToString::to_string).unwrap_or_default();
    let failures = match agent::parse(world.bench.answer(&dir)?.as_deref(), recipe.turns, &head) {
        AgentAnswer::Stale { all_failures, .. } => all_failures,
        AgentAnswer::Repaired { .. }
        | AgentAnswer::Broken { .. }
        | AgentAnswer::Infra { .. }
        | AgentAnswer::GiveUp { .. } => vec![],
    };
    let name = policy.tests.as_ref().map(RepoId::path);
    let wrong = upgrade::doubt_stale(&recipe.stale, &failures, trial, name.as_deref(), &|path| {
        tree.iter().any(|p| p == path)
    });
    Ok(Evidence::StaleChecked(wrong))
}

/// The newest commit of the repository of tests.
pub fn tests_main(world: &UpgradeWorld, repo: &RepoId) -> PortResult<Oid> {
    let remote = world.forge(repo)?.remote(repo)?;
    world
        .git
        .fetch_branch(repo, &remote.url, &remote.default_branch, false)?
        .ok_or_else(|| PortError::refused(format!("{repo} has no branch {}", remote.default_branch)))
}

fn tests(world: &UpgradeWorld, batch: &Batch, recipe: &Recipe) -> PortResult<TestSeen> {
    if recipe.test.is_some() {
        let argv = &world.policy.verify_command;
        return Ok(TestSeen::Verify(world.command_seen(batch.id, &recipe.name, Job::Verify, argv)?));
    }
    let policy = world.recipe(&recipe.name)?;
    let (Some(repo), Some(plan)) = (&policy.tests, &recipe.plan) else {
        return Err(PortError::refused("no repository of tests is configured"));
    };
    if world.policy.verify_command.is_empty() {
        return Ok(TestSeen::Verify(JobSeen::None));
    }
    let refused = |what: String| Ok(TestSeen::Work(WorkSeen::Refused(what)));
    let Some(patch) = &recipe.patch else { return Ok(TestSeen::Work(WorkSeen::Nothing)) };
    let main = tests_main(world, repo)?;
    let message = text::upgrade::tests_commit(&recipe.name, &plan.version);
    let made = match world.git.commit_patch(repo, &main, patch, &message, batch.started_at) {
        Ok(made) => made,
        Err(PortError::Refused { what }) => return refused(what),
        Err(error) => return Err(error),
    };
    let Some(oid) = made else { return Ok(TestSeen::Work(WorkSeen::Nothing)) };
    let change = match world.env.git.change(repo, &main, &oid) {
        Ok(change) => strip_messages(change),
        Err(PortError::Refused { what }) => return refused(what),
        Err(error) => return Err(error),
    };
    let mut files = vec![];
    for file in &change.files {
        // What cannot be read as text is not compared, and so it is refused.
        let (old, new) =
            (world.git.read_file(repo, &main, &file.path), world.git.read_file(repo, &oid, &file.path));
        if let (Ok(old), Ok(new)) = (old, new) {
            files.push(TestFile { path: file.path.clone(), old, new });
        }
    }
    let tree = world.git.tree(repo, &main)?;
    let found = judge_tests(&change, &tree, &files, &world.policy.paths);
    Ok(TestSeen::Work(if found.is_empty() {
        WorkSeen::Commit(oid)
    } else {
        WorkSeen::Refused(reasons(&found))
    }))
}

fn teardown(world: &UpgradeWorld, batch: &Batch, recipe: &Recipe) -> PortResult<Evidence> {
    let seen = |job, argv: &[String]| world.command_seen(batch.id, &recipe.name, job, argv);
    let command = seen(Job::Teardown, &world.policy.teardown)?;
    let check = seen(Job::TeardownCheck, &world.policy.teardown_check)?;
    Ok(Evidence::Teardown { command, check })
}
