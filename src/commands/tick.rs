//! `poll`, `watch`, `harvest`, `lessons`, `tick`: one step over everything, under the lock of the state file.

use std::time::Duration;

use super::hold::{self, EveryArg, Hold};
use super::{output, upgrade};
use crate::app::{self, App, Heart, Locked};

use crate::error::{Error, Kind};
use crate::ports::PortResult;
use crate::store::Store;
use crate::tick::log::Failure;
use crate::tick::{
    Env, HostPolicy, Log, TickOutcome, adopt, control, harvest, lessons, outbox, poll, retention, silence,
    watch,
};
use clap::Args;

#[derive(Debug, Clone, Args)]
pub struct PollArgs {
    /// With --dry-run: plan as if the kill switch were off
    #[arg(long, requires = "dry_run")]
    pub assume_armed: bool,
}

#[derive(Debug, Clone, Args)]
pub struct TickArgs {
    /// With --dry-run: plan as if the kill switch were off
    #[arg(long, requires = "dry_run")]
    pub assume_armed: bool,
    /// Hold the turns to their end, for places where a background process is ended with its job: sleep until one is over
    /// or the forge is due, and tell what happens as it happens
    #[arg(long)]
    pub foreground: bool,
    #[command(flatten)]
    pub every: EveryArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    Poll,
    Watch,
    Harvest,
    Lessons,
    All,
}

impl Parts {
    fn command(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Watch => "watch",
            Self::Harvest => "harvest",
            Self::Lessons => "lessons",
            Self::All => "tick",
        }
    }
}

/// How long another command's tick is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(30);
/// How often a command that waits for a verdict looks into the state file.
const LOOK_EVERY: Duration = Duration::from_millis(50);

fn is_off(app: &App) -> bool {
    app.switch.on || app.config.allowlist.is_empty()
}

/// `every`: how often the forge is asked, where the turns are held to their end.
pub fn run(app: &App, parts: Parts, assume_armed: bool, every: Option<&EveryArg>) -> Result<u8, Error> {
    let command = parts.command();
    let off = is_off(app) && !(app.global.dry_run && assume_armed);
    if off && (parts == Parts::Poll || !app.state.exists()) {
        return Ok(finish(app, parts, Log { off: true, ..Log::default() }, false, assume_armed));
    }
    if app.global.dry_run {
        let (mut store, mut log) = (app.store()?, Log::default());
        let (env, mut host) = app.equip(&store, assume_armed, None)?;
        step(&env, &mut host, &mut store, &mut log, parts, off)?;
        return Ok(finish(app, parts, log, false, assume_armed));
    }
    let found = app::lock(&app.state, command, LOCK_WAIT).map_err(|e| super::hand::lock_trouble(app, &e))?;
    let lock = match found {
        Locked::Ours(lock) => lock,
        Locked::Same { held } => {
            return Ok(finish(app, parts, locked(app, command, held, None)?, true, assume_armed));
        }
        Locked::Other { holder, held } => {
            return Ok(finish(app, parts, locked(app, command, held, Some(&holder))?, true, assume_armed));
        }
    };
    let mut hold = every.map(|every| Hold::new(command, every)).transpose()?;
    let heart = app.heart(command);
    let begun = heart.start();
    let mut log = Log::default();
    let done = under_lock(app, parts, hold.as_mut(), off, (&heart, begun), &mut log);
    if done.is_err() {
        // Whoever watches is told that it did not work; here the error itself is.
        drop(heart.end(false));
    }
    // Upgrades have a lock of their own: whatever they do, nobody else waits for it.
    drop(lock);
    match (done, &hold) {
        // What was told so far is completed, with this.
        (Err(error), Some(hold)) if hold.is_open(app) => log.errors.push(Failure {
            subject: command.to_owned(),
            what: error.to_string(),
            kind: error.kind,
            quiet: false,
        }),
        (done, _) => done?,
    }
    let Some(hold) = hold else { return Ok(finish(app, parts, log, false, assume_armed)) };
    upgrades(app, parts, &mut log, assume_armed);
    Ok(hold.end(app, &log))
}

fn under_lock(
    app: &App,
    parts: Parts,
    hold: Option<&mut Hold>,
    off: bool,
    (heart, begun): (&Heart, PortResult<()>),
    log: &mut Log,
) -> Result<(), Error> {
    let command = parts.command();
    let mut store = app.store()?;
    let (env, mut host) = app.equip(&store, false, hold.as_deref().map(|hold| &hold.waker))?;
    let before = store.ticks()?;
    store.tick_started(command, env.now())?;
    env.recovered(&mut store, "lock-held")?;
    silence::schedule(&env, &host, &mut store, log, command, &before)?;
    // What was taken over is looked at before anything starts because of it.
    let adopting = store.first_after_adoption()?;
    let lost = if host.dry { vec![] } else { app.left_behind(Some(&store))? };
    let looked = adopt::tick(&env, &host, &mut store, log, &lost, adopting)?;
    if !looked.taken_up {
        step(&env, &mut host, &mut store, log, parts, off || adopting || looked.waiting)?;
    }
    if let Some(hold) = hold.filter(|_| !adopting) {
        hold_on(app, hold, (&env, &host), &mut store, log, parts)?;
    }
    silence::ci(&env, &mut store, log)?;
    silence::locks(&env, &host, &mut store, log)?;
    if !off {
        silence::forges(&env, &host, &mut store, log)?;
    }
    daily_maintenance(&env, &host, &mut store, log)?;
    outbox::flush(&env, &host, &mut store, log)?;
    beat(&env, &mut store, log, heart, begun)?;
    store.tick_ended(command, log.outcome().code(), env.now())?;
    Ok(())
}

/// The tick's end, for whoever watches from outside. That something is tried again later is no failure of the tick.
fn beat(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    heart: &Heart,
    begun: PortResult<()>,
) -> Result<(), Error> {
    if !heart.is_set() {
        return Ok(());
    }
    let good = matches!(log.exit_code(), 0 | 75);
    match begun.and(heart.end(good)) {
        Ok(()) => Ok(store.outage_over(&heart.subject).map(drop)?),
        Err(error) => log.failed(env, store, &heart.subject, &error),
    }
}

/// Once a day: what was kept long enough goes, and what lies in many small files is put together.
fn daily_maintenance(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    if store.first_today("pruned", env.now())? {
        retention::tick(env, host, store, log)?;
        for repo in host.repos.clone() {
            if (env.past_deadline)() {
                break;
            }
            let subject = format!("packing {repo}");
            match env.git.compact(&repo) {
                Ok(()) => drop(store.outage_over(&subject)?),
                Err(error) => log.failed(env, store, &subject, &error)?,
            }
        }
    }
    Ok(())
}

fn step(
    env: &Env,
    host: &mut HostPolicy,
    store: &mut Store,
    log: &mut Log,
    parts: Parts,
    off: bool,
) -> Result<(), Error> {
    let watches = matches!(parts, Parts::Watch | Parts::All);
    if watches {
        control::apply_control(env, host, store, log)?;
        watch::tick(env, host, store, log)?;
    }
    if matches!(parts, Parts::Harvest | Parts::All) {
        harvest::tick(env, host, store, log)?;
        log.off |= parts == Parts::Harvest && !host.harvest.enabled;
    }
    journal(env, host, store, log, parts);
    if matches!(parts, Parts::Poll | Parts::All) && !off && !host.switch_on {
        poll::tick(env, host, store, log)?;
    }
    if watches {
        control::show(env, host, store, log)?;
    }
    Ok(())
}

/// The journal's part. Its failure is a failure of `lessons` only: for every other tick it is a line in the log.
fn journal(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log, parts: Parts) {
    let result = match parts {
        Parts::Lessons | Parts::All => {
            lessons::stand_still(env, host, store, log).and_then(|()| lessons::tick(env, host, store, log))
        }
        Parts::Poll | Parts::Watch | Parts::Harvest => lessons::stand_still(env, host, store, log),
    };
    if parts == Parts::Lessons {
        for item in &mut log.items {
            item.acted = true;
        }
        log.off = !host.lessons.enabled;
        log.errors.extend(result.err());
    } else {
        log.logged.extend(result.err());
    }
}

/// Goes on until nothing runs any more: for places where a background process would be ended with the job. Each look is
/// a tick's, by the configuration and the switch as they are then.
fn hold_on(
    app: &App,
    hold: &mut Hold,
    first: (&Env, &HostPolicy),
    store: &mut Store,
    log: &mut Log,
    parts: Parts,
) -> Result<(), Error> {
    let look = std::mem::take(log);
    hold.look(log, look);
    outbox::flush(first.0, first.1, store, log)?;
    loop {
        hold.tell(app, log);
        let working = hold::at_work(store)?;
        if working.is_empty() || !hold.wait(log, &working, None) {
            return Ok(());
        }
        let now = App::load(&app.global)?;
        let (env, mut host) = now.equip(store, false, Some(&hold.waker))?;
        let mut look = Log::default();
        let done = step(&env, &mut host, store, &mut look, parts, is_off(&now));
        hold.look(log, look);
        done?;
        outbox::flush(&env, &host, store, log)?;
    }
}

#[expect(clippy::disallowed_methods, reason = "a command waits for a verdict")]
pub(super) fn pause() {
    std::thread::sleep(LOOK_EVERY);
}

/// What is told at the end.
fn finish(app: &App, parts: Parts, mut log: Log, locked: bool, assume_armed: bool) -> u8 {
    upgrades(app, parts, &mut log, assume_armed);
    let outcome = if locked { TickOutcome::Locked } else { log.outcome() };
    output::report(&app.global, parts.command(), &log, outcome);
    log.exit_code()
}

/// The last part of `tick` is told with it; its failure is one of its own.
fn upgrades(app: &App, parts: Parts, log: &mut Log, assume_armed: bool) {
    if parts == Parts::All {
        let more = upgrade::within_tick(app, assume_armed).unwrap_or_else(|error| {
            let failure =
                Failure { subject: "upgrade".to_owned(), what: error.what, kind: error.kind, quiet: false };
            Log { errors: vec![failure], ..Log::default() }
        });
        // Recipes are enrolled in a list of their own: without an allowlist they are at work all the same.
        log.off &= more.outcome() == TickOutcome::Idle;
        log.append(more);
    }
}

/// Somebody else holds the lock. The same command: nothing to do. Another, for all of the wait: noted.
fn locked(app: &App, command: &str, held: Duration, holder: Option<&str>) -> Result<Log, Error> {
    let mut log = Log::default();
    let too_long = held > 3 * Duration::from_secs(app.global.deadline);
    let who = holder.unwrap_or(command);
    if let Some(holder) = holder {
        let mut store = app.store()?;
        let (env, _) = app.equip(&store, false, None)?;
        let missed = store.lock_missed(command, env.now())?;
        if missed >= app.config.global.lock_alarm_ticks {
            let detail =
                format!("`{command}` could not run {missed} times in a row because `{holder}` held the lock");
            log.alarm(&env, &mut store, "lock-held", &detail)?;
        }
    }
    if too_long {
        log.errors.push(Failure {
            subject: "lock".to_owned(),
            what: format!(
                "`{who}` has held the lock for {} seconds, more than three deadlines; look for a process that hangs",
                held.as_secs()
            ),
            kind: Kind::TryLater,
            quiet: false,
        });
    }
    Ok(log)
}
