//! `upgrade` and its subcommands.

use std::time::Duration;

use serde_json::{Value, json};

use super::upgrade_schedule::UpgradeSchedule;
use super::{by_hand, output};
use crate::app::App;
use crate::app::{self, Locked, TickLock};
use crate::domain::escape::sanitize;
use crate::domain::moment::format_duration;
use crate::domain::moment::format_time;
use crate::domain::upgrade::verdict::Verdict;
use crate::domain::upgrade::{Batch, BatchState, Ending, Standing, Start, Step, on_start, standing};
use crate::error::Error;
use crate::store::NewBatch;
use crate::tick::upgrade::{UpgradeWorld, candidates, cleanup, drive, testme};
use crate::tick::{Log, TickOutcome, outbox};
use clap::{Args, Subcommand};

#[derive(Debug, Clone, Args)]
pub struct UpgradeArgs {
    #[command(subcommand)]
    pub command: Option<UpgradeCommand>,
}

#[derive(Debug, Clone, Subcommand)]
pub enum UpgradeCommand {
    /// Begin a batch, unless one is at work
    Start(UpgradeStart),
    /// Begin a batch, and end the one that is at work
    Fresh(UpgradeStart),
    /// End the batch and take its environment down; pull requests stay open
    Stop,
    /// Say whether a batch is at work and where it is, and print the newest summary
    Status,
    /// Print CI's verdict on a pull request of a recipe
    Testme {
        /// The recipe's name
        #[arg(value_name = "RECIPE")]
        recipe: String,
        /// The pull request's number in the mirror
        #[arg(value_name = "PR", value_parser = clap::value_parser!(u64).range(1..))]
        pull: u64,
        /// Post the trigger first
        #[arg(long)]
        post: bool,
    },
    /// Print or install the weekly batch, and say whether it fired
    #[command(subcommand)]
    Schedule(UpgradeSchedule),
    /// Close what was opened, take environments down and remove the branches; may be repeated
    Cleanup {
        /// Only what this batch opened
        #[arg(long, value_name = "ID")]
        batch: Option<i64>,
    },
}

#[derive(Debug, Clone, Args)]
pub struct UpgradeStart {
    /// Only this recipe; may be given more than once
    #[arg(long = "only", value_name = "RECIPE")]
    pub only: Vec<String>,
    /// Also change tests that are stale, in a pull request of their own
    #[arg(long)]
    pub with_tests: bool,
    /// This is the scheduled batch
    #[arg(long)]
    pub scheduled: bool,
}

/// How long somebody else's tick of upgrades is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// Between two looks while a verdict is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(2);

pub fn run(app: &App, args: &UpgradeArgs) -> Result<u8, Error> {
    match &args.command {
        None => tick(app),
        Some(UpgradeCommand::Start(args)) => start(app, args, false),
        Some(UpgradeCommand::Fresh(args)) => start(app, args, true),
        Some(UpgradeCommand::Stop) => stop(app),
        Some(UpgradeCommand::Status) => status(app),
        Some(UpgradeCommand::Schedule(command)) => super::upgrade_schedule::run(app, command),
        Some(UpgradeCommand::Testme { recipe, pull, post }) => run_testme(app, recipe, *pull, *post),
        Some(UpgradeCommand::Cleanup { batch }) => run_cleanup(app, *batch),
    }
}

/// A lock of its own: the loop's ticks go on beside it.
fn lock(app: &App, command: &str, wait: Duration) -> Result<Option<TickLock>, Error> {
    let mut path = app.state.as_os_str().to_owned();
    path.push(".upgrade");
    let found = app::lock(std::path::Path::new(&path), command, wait);
    Ok(match found.map_err(|e| super::hand::lock_trouble(app, &e))? {
        Locked::Ours(lock) => Some(lock),
        Locked::Same { .. } | Locked::Other { .. } => None,
    })
}

fn locked_by_hand(app: &App, command: &str) -> Result<TickLock, Error> {
    lock(app, command, LOCK_WAIT)?.ok_or_else(|| {
        Error::later("another `upgrade` is at work and did not end in time")
            .hint("run it again in a moment; `offhours upgrade status` says what it does")
    })
}

fn world(app: &App) -> Result<UpgradeWorld, Error> {
    app.upgrade_world(app.store()?, false)
}

fn off(app: &App) -> bool {
    app.switch.on || app.config.upgrade.enrolled.is_empty()
}

fn why_off(app: &App) -> String {
    if app.switch.on {
        app.switch.because.first().map_or_else(String::new, |b| b.sentence().to_owned())
    } else {
        "no recipe is enrolled; name them in `enrolled` of [upgrade]".to_owned()
    }
}

fn tick(app: &App) -> Result<u8, Error> {
    if off(app) {
        output::report(&app.global, "upgrade", &Log { off: true, ..Log::default() }, TickOutcome::Off);
        return Ok(0);
    }
    if app.global.dry_run {
        let mut world = world(app)?;
        drive::tick(&mut world)?;
        return Ok(finish(app, "upgrade", &mut world));
    }
    let Some(_lock) = lock(app, "upgrade", LOCK_WAIT)? else {
        output::report(&app.global, "upgrade", &Log::default(), TickOutcome::Locked);
        return Ok(0);
    };
    let mut world = world(app)?;
    let now = world.env.now();
    world.store.tick_started("upgrade", now)?;
    drive::tick(&mut world)?;
    outbox::flush(&world.env, &world.host, &mut world.store, &mut world.log)?;
    let (outcome, now) = (world.log.outcome(), world.env.now());
    world.store.tick_ended("upgrade", outcome.code(), now)?;
    Ok(finish(app, "upgrade", &mut world))
}

/// The last part of `tick`: what it did or, in a dry run, would do.
pub fn within_tick(app: &App, assume_armed: bool) -> Result<Log, Error> {
    let imagined = app.global.dry_run && assume_armed;
    if app.config.upgrade.enrolled.is_empty() || (app.switch.on && !imagined) {
        return Ok(Log::default());
    }
    let mut _held = None;
    if !app.global.dry_run {
        let Some(lock) = lock(app, "upgrade", Duration::ZERO)? else { return Ok(Log::default()) };
        _held = Some(lock);
    }
    let mut world = app.upgrade_world(app.store()?, assume_armed)?;
    drive::tick(&mut world)?;
    if !app.global.dry_run {
        outbox::flush(&world.env, &world.host, &mut world.store, &mut world.log)?;
    }
    let mut report = std::mem::take(&mut world.log);
    for failure in &mut report.errors {
        failure.subject = format!("upgrade: {}", failure.subject);
    }
    Ok(report)
}

fn finish(app: &App, command: &str, world: &mut UpgradeWorld) -> u8 {
    let outcome = world.log.outcome();
    output::report(&app.global, command, &world.log, outcome);
    world.log.exit_code()
}

/// The recipes of a new batch, in the order of `enrolled`.
fn chosen(app: &App, args: &UpgradeStart) -> Result<Vec<String>, Error> {
    let enrolled = &app.config.upgrade.enrolled;
    if let Some(unknown) = args.only.iter().find(|name| !enrolled.contains(name)) {
        return Err(Error::usage(format!("the recipe `{unknown}` is not enrolled"))
            .hint(format!("enrolled are: {}", enrolled.join(", "))));
    }
    Ok(enrolled.iter().filter(|name| args.only.is_empty() || args.only.contains(name)).cloned().collect())
}

fn start(app: &App, args: &UpgradeStart, fresh: bool) -> Result<u8, Error> {
    let command = if fresh { "upgrade fresh" } else { "upgrade start" };
    if args.scheduled && args.with_tests {
        return Err(Error::usage("a scheduled batch changes no tests: leave --with-tests out")
            .hint("start that one by hand, with --only"));
    }
    if off(app) {
        let text = format!("off: {}\n", why_off(app));
        output::answer(&app.global, command, &text, &[json!({ "reason": "off", "sentence": why_off(app) })]);
        return Ok(0);
    }
    let recipes = chosen(app, args)?;
    if app.global.dry_run {
        let mut world = world(app)?;
        let found = candidates::list(&mut world, &recipes)?;
        output::answer(&app.global, command, &found.text, &found.items);
        return Ok(world.log.exit_code());
    }
    let _lock = locked_by_hand(app, command)?;
    let mut world = world(app)?;
    let before = world.store.newest_batch()?;
    let stands = stands(&world, before.as_ref())?;
    let active = before.as_ref().is_some_and(|b| b.state == BatchState::Active);
    let mut leftovers = vec![];
    match on_start(stands, active, fresh) {
        Start::Leave => {
            let id = before.map_or(0, |b| b.id);
            let text = format!(
                "batch {id} is at work and is left alone; `offhours upgrade status` says where it is\n"
            );
            output::answer(&app.global, command, &text, &[json!({ "batch": id, "reason": "busy" })]);
            return Ok(0);
        }
        Start::Begin => {}
        Start::AbortAndBegin => {
            if let Some(batch) = &before {
                leftovers = cleanup::end(&mut world, batch)?;
            }
        }
    }
    let now = world.env.now();
    let new = NewBatch {
        with_tests: args.with_tests,
        scheduled: args.scheduled,
        recipes: recipes.clone(),
        leftovers,
    };
    let id = world.store.begin_batch(&new, now)?;
    let text = format!("batch {id} begins: {}\n", recipes.join(", "));
    output::answer(
        &app.global,
        command,
        &text,
        &[json!({ "batch": id, "reason": "begun", "recipes": recipes })],
    );
    Ok(0)
}

fn stands(world: &UpgradeWorld, batch: Option<&Batch>) -> Result<Standing, Error> {
    let working = match batch {
        Some(batch) if batch.state == BatchState::Active => world.working(batch)?,
        Some(_) | None => crate::domain::upgrade::Working::default(),
    };
    Ok(standing(batch, working, world.policy.wedge_after_seconds, world.env.now()))
}

fn stop(app: &App) -> Result<u8, Error> {
    let command = "upgrade stop";
    if app.global.dry_run {
        output::answer(&app.global, command, "would end the batch, and take its environment down\n", &[]);
        return Ok(0);
    }
    let mut world = world(app)?;
    let Some(batch) = world.store.newest_batch()?.filter(|b| b.state == BatchState::Active) else {
        output::answer(&app.global, command, "no batch is at work\n", &[]);
        return Ok(0);
    };
    // The word first: whoever drives the batch sees it and lets go.
    let recipes = world.store.recipes(batch.id)?;
    let (text, json) = drive::summarize(&world, &batch, &recipes);
    let now = world.env.now();
    world.store.end_batch(batch.id, BatchState::Stopped, &text, &json, now)?;
    let _lock = locked_by_hand(app, command)?;
    cleanup::end(&mut world, &batch)?;
    let text = format!("batch {} is stopped; its pull requests stay open\n", batch.id);
    output::answer(&app.global, command, &text, &[json!({ "batch": batch.id, "reason": "stopped" })]);
    Ok(said_errors(command, &world))
}

/// For `off --now`: the active batch is over, whatever of it runs is ended, and its environment is taken down.
pub(super) fn end_now(app: &App) -> Result<Option<i64>, Error> {
    let enrolled = !app.config.recipes.is_empty();
    let active = |store: &crate::store::Store| -> Result<Option<Batch>, Error> {
        Ok(store.newest_batch()?.filter(|b| b.state == BatchState::Active))
    };
    if !enrolled || active(&app.store_copy()?)?.is_none() {
        return Ok(None);
    }
    let mut world = world(app)?;
    let Some(batch) = active(&world.store)? else { return Ok(None) };
    let recipes = world.store.recipes(batch.id)?;
    let (text, json) = drive::summarize(&world, &batch, &recipes);
    let now = world.env.now();
    world.store.end_batch(batch.id, BatchState::Stopped, &text, &json, now)?;
    cleanup::end(&mut world, &batch)?;
    said_errors("off", &world);
    Ok(Some(batch.id))
}

fn said_errors(command: &str, world: &UpgradeWorld) -> u8 {
    for failure in &world.log.errors {
        output::err(&format!("offhours {command}: {}: {}", sanitize(&failure.subject, 120), failure.what));
    }
    world.log.exit_code()
}

fn status(app: &App) -> Result<u8, Error> {
    let command = "upgrade status";
    let Some(store) = app.existing_store()? else {
        output::answer(
            &app.global,
            command,
            "IDLE\nno batch was begun yet\n",
            &[json!({ "standing": "IDLE" })],
        );
        return Ok(0);
    };
    let world = app.upgrade_world(store, false)?;
    let batch = world.store.newest_batch()?;
    let stands = stands(&world, batch.as_ref())?;
    let mut text = format!("{}\n", stands.word());
    if off(app) {
        text.push_str(&format!("off: {}\n", why_off(app)));
    }
    let mut items = vec![];
    let mut bad = stands == Standing::Wedged;
    match &batch {
        None => {
            text.push_str("no batch was begun yet\n");
            items.push(json!({ "standing": stands.word() }));
        }
        Some(batch) => {
            let recipes = world.store.recipes(batch.id)?;
            bad |= recipes.iter().any(|r| matches!(r.ending, Some(Ending::Failed(_) | Ending::NotGreen)));
            text.push_str(&batch_text(batch, &recipes, world.env.now()));
            let summary = world.store.summary(batch.id)?;
            items.push(json!({
                "standing": stands.word(),
                "batch": batch.id,
                "state": batch.state.code(),
                "started_at": batch.started_at.0,
                "ended_at": batch.ended_at.map(|at| at.0),
                "backoff_until": batch.backoff_until.map(|at| at.0),
                "halted": batch.halted,
                "summary": summary.as_ref().map(|(text, _)| text.clone()),
                "recipes": recipes.iter().map(|r| drive::recipe_json(r, r.pull.map(|n| n.to_string()).as_deref(), r.test.as_ref().and_then(|t| t.pull).map(|n| n.to_string()).as_deref())).collect::<Vec<_>>(),
            }));
            if let Some((summary, _)) = summary {
                text.push_str(&format!("\n{summary}"));
            }
        }
    }
    if let Some(next) = super::upgrade_schedule::next(&world.store, world.env.now())? {
        text.push_str(&format!("\nnext fire: {}\n", format_time(next)));
        if let Some(map) = items.first_mut().and_then(Value::as_object_mut) {
            map.insert("next_fire".to_owned(), json!(next.0));
        }
    }
    output::answer(&app.global, command, &text, &items);
    let pending = stands == Standing::Running;
    Ok(match (app.global.exit_code, pending, bad) {
        (false, _, _) | (true, false, false) => 0,
        (true, true, _) => 75,
        (true, false, true) => 1,
    })
}

fn batch_text(
    batch: &Batch,
    recipes: &[crate::domain::upgrade::Recipe],
    now: crate::domain::model::UnixTime,
) -> String {
    let mut text = format!(
        "batch {} ({}) begun {}, {} ago\n",
        batch.id,
        batch.state.code(),
        format_time(batch.started_at),
        format_duration(now.since(batch.started_at))
    );
    if let Some(until) = batch.backoff_until.filter(|until| *until > now) {
        text.push_str(&format!("waits until {}\n", format_time(until)));
    }
    if let Some(why) = &batch.halted {
        text.push_str(&format!("halted: {}\n", sanitize(why, 300)));
    }
    for recipe in recipes {
        let ending =
            recipe.ending.as_ref().map(|e| format!(": {}", sanitize(&e.line(), 400))).unwrap_or_default();
        let trial = match (recipe.step, recipe.trial()) {
            (Step::Wait, Some(trial)) => {
                format!(", trial {} for {}", trial.number, format_duration(now.since(trial.at)))
            }
            (_, Some(_) | None) => String::new(),
        };
        text.push_str(&format!("  {} {}{trial}{ending}\n", recipe.name, recipe.step.code()));
    }
    text
}

fn run_testme(app: &App, recipe: &str, pull: u64, post: bool) -> Result<u8, Error> {
    let command = "upgrade testme";
    if post && off(app) {
        return Err(Error::usage(format!("nothing is posted while it is off: {}", why_off(app))));
    }
    let _lock = if post && !app.global.dry_run { Some(locked_by_hand(app, command)?) } else { None };
    let mut world = world(app)?;
    let wait = Duration::from_secs(app.global.wait.unwrap_or(0));
    let mut post = post;
    let verdict = loop {
        let answer = testme::ask(&mut world, recipe, pull, post)?;
        let verdict = answer.map_err(|error| by_hand(&error))?;
        post = false;
        let decided = !matches!(verdict, Verdict::Pending { .. });
        if decided || app.started.elapsed() >= wait {
            break verdict;
        }
        pause();
    };
    let url = verdict.url().unwrap_or("");
    let text = format!("VERDICT={}\nBUILD={}\n", verdict.word(), sanitize(url, 500));
    output::answer(
        &app.global,
        command,
        &text,
        &[json!({ "verdict": verdict.word(), "build": verdict.url(), "recipe": recipe, "pull": pull })],
    );
    Ok(match (app.global.exit_code, &verdict) {
        (false, _) | (true, Verdict::Green { .. }) => 0,
        (true, Verdict::Red { .. }) => 1,
        (true, Verdict::Pending { .. }) => 75,
    })
}

#[expect(clippy::disallowed_methods, reason = "somebody asked to wait for a verdict")]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}

fn run_cleanup(app: &App, batch: Option<i64>) -> Result<u8, Error> {
    let command = "upgrade cleanup";
    if app.global.dry_run {
        let world = world(app)?;
        let open: Vec<Value> = world
            .store
            .own_pulls(batch)?
            .iter()
            .filter(|p| p.state == crate::store::PullStanding::Open)
            .map(|p| json!({ "repo": p.repo.to_string(), "pull": p.number, "branch": p.branch }))
            .collect();
        let lines: Vec<String> = open.iter().map(|item| format!("would close {item}\n")).collect();
        output::answer(&app.global, command, &lines.concat(), &open);
        return Ok(0);
    }
    if app.switch.on {
        return Err(Error::usage(format!("nothing is closed or removed while it is off: {}", why_off(app))));
    }
    let mut world = world(app)?;
    if let Some(id) = batch
        && world.store.batch(id)?.is_none()
    {
        return Err(Error::usage(format!("there is no batch {id}")));
    }
    let newest = world.store.newest_batch()?;
    if let Some(active) =
        newest.filter(|b| b.state == BatchState::Active && batch.is_none_or(|id| id == b.id))
    {
        let recipes = world.store.recipes(active.id)?;
        let (text, json) = drive::summarize(&world, &active, &recipes);
        let now = world.env.now();
        world.store.end_batch(active.id, BatchState::Stopped, &text, &json, now)?;
    }
    let _lock = locked_by_hand(app, command)?;
    let which = match batch {
        Some(id) => world.store.batch(id)?,
        None => world.store.newest_batch()?,
    };
    if let Some(batch) = which {
        for (dir, _) in cleanup::end(&mut world, &batch)? {
            world.env.runner.wait(std::path::Path::new(&dir)).map_err(|error| by_hand(&error))?;
        }
    }
    cleanup::clean(&mut world, batch)?;
    let lines: Vec<String> =
        world.log.items.iter().map(|i| format!("{} {}: {}\n", i.issue, i.reason, i.sentence)).collect();
    let items: Vec<Value> = world
        .log
        .items
        .iter()
        .map(|i| json!({ "recipe": i.issue, "reason": i.reason, "sentence": i.sentence }))
        .collect();
    let text = if lines.is_empty() { "there is nothing to clean up\n".to_owned() } else { lines.concat() };
    output::answer(&app.global, command, &text, &items);
    Ok(said_errors(command, &world))
}
