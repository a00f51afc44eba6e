//! `upgrade schedule`: the weekly batch, and the line that leads it on.

use serde_json::{Value, json};

use super::{by_hand, output};
use crate::app::App;
use crate::app::Scheduler;
use crate::app::env;
use crate::domain::model::UnixTime;
use crate::domain::moment::format_time;
use crate::domain::schedule::Plan;
use crate::domain::upgrade::schedule::{self, Fired, LocalTime};
use crate::error::Error;
use crate::store::Store;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Clone, Subcommand)]
pub enum UpgradeSchedule {
    /// Print the lines
    Print(UpgradeScheduleArgs),
    /// Run the command once as a dry run, then put the lines in their place
    Install(UpgradeScheduleArgs),
    /// Say whether the first batch began in time and has a summary
    Verify,
}

#[derive(Debug, Clone, Args)]
pub struct UpgradeScheduleArgs {
    /// What starts it
    #[arg(value_name = "KIND", value_enum, default_value_t = UpgradeScheduler::Crontab)]
    pub kind: UpgradeScheduler,
    /// The cron daemon's time zone [default: the system's]
    #[arg(long, value_name = "TZ")]
    pub zone: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UpgradeScheduler {
    Crontab,
    SystemdUser,
}

/// Under which the first fire is remembered.
const NOTE: &str = "schedule";

pub(super) fn run(app: &App, command: &UpgradeSchedule) -> Result<u8, Error> {
    match command {
        UpgradeSchedule::Print(args) => print(app, args),
        UpgradeSchedule::Install(args) => install(app, args),
        UpgradeSchedule::Verify => verify(app),
    }
}

struct Made {
    plan: Plan,
    home: String,
    at: LocalTime,
    first: UnixTime,
}

fn made(app: &App, args: &UpgradeScheduleArgs) -> Result<Made, Error> {
    let plan = app.plan(2)?;
    let home = env("HOME").and_then(|home| home.into_string().ok()).filter(|home| home.starts_with('/'));
    let home = home.ok_or_else(|| Error::config("HOME is not set, and the schedule has to name it"))?;
    let all = [&plan.program, &plan.config, &plan.state, &plan.path, &home];
    if all.iter().any(|word| word.chars().any(char::is_control)) {
        return Err(Error::usage("a path has a control character in its name; no schedule can name it"));
    }
    let instant = schedule::first_instant(app.now());
    let at = match args.kind {
        UpgradeScheduler::SystemdUser => LocalTime::utc(instant),
        UpgradeScheduler::Crontab => {
            let text = app.scheduler().local_time(instant, args.zone.as_deref()).map_err(|e| by_hand(&e))?;
            LocalTime::parse(&text)
                .ok_or_else(|| Error::later("`date` did not tell the time in a way that can be read"))?
        }
    };
    Ok(Made { plan, home, at, first: schedule::first_fire(app.now()) })
}

fn text(made: &Made, kind: UpgradeScheduler) -> String {
    match kind {
        UpgradeScheduler::Crontab => schedule::crontab_block(&made.plan, &made.home, &made.at),
        UpgradeScheduler::SystemdUser => schedule::units(&made.plan, &made.home, &made.at)
            .iter()
            .map(|(name, text)| format!("# {name}\n{text}\n"))
            .collect::<Vec<_>>()
            .concat(),
    }
}

fn print(app: &App, args: &UpgradeScheduleArgs) -> Result<u8, Error> {
    let made = made(app, args)?;
    let text = text(&made, args.kind);
    output::answer(
        &app.global,
        "upgrade schedule",
        &text,
        &[json!({ "text": text, "first_fire": made.first.0 })],
    );
    Ok(0)
}

fn install(app: &App, args: &UpgradeScheduleArgs) -> Result<u8, Error> {
    let made = made(app, args)?;
    if app.global.dry_run {
        let text = format!("would install\n{}", text(&made, args.kind));
        output::answer(&app.global, "upgrade schedule", &text, &[]);
        return Ok(0);
    }
    let scheduler = app.scheduler();
    let plan = &made.plan;
    let words = [
        plan.program.as_str(),
        "--config",
        &plan.config,
        "--state",
        &plan.state,
        "upgrade",
        "start",
        "--scheduled",
        "--dry-run",
    ];
    // Tests hand their clock on.
    let clock: Vec<(&str, std::ffi::OsString)> = if cfg!(feature = "testing") {
        env("OFFHOURS_CLOCK_FILE").map(|file| ("OFFHOURS_CLOCK_FILE", file)).into_iter().collect()
    } else {
        vec![]
    };
    scheduler.rehearse(&words, &plan.path, &made.home, &clock).map_err(|e| by_hand(&e))?;
    // Written down before it is in place: a fire that is not known of would never be looked for.
    let mut store = app.store()?;
    let note = json!({ "first": made.first.0, "installed_at": app.now().0 }).to_string();
    store.set_upgrade_note(NOTE, Some(&note))?;
    match args.kind {
        UpgradeScheduler::Crontab => {
            let before = scheduler.crontab().map_err(|e| by_hand(&e))?;
            let after = schedule::with_block(&before, plan, &made.home, &made.at).map_err(|_damaged| {
                Error::later(
                    "the marks of an older schedule do not stand in a pair in your crontab: it is left alone",
                )
                .hint("take them out with `crontab -e`, then run this again")
            })?;
            scheduler.set_crontab(&after).map_err(|e| by_hand(&e))?;
        }
        UpgradeScheduler::SystemdUser => install_units(&scheduler, &made)?,
    }
    let text = format!(
        "the first batch begins {}; `offhours upgrade schedule verify` says whether it did\n",
        format_time(made.first)
    );
    output::answer(&app.global, "upgrade schedule", &text, &[json!({ "first_fire": made.first.0 })]);
    Ok(0)
}

fn install_units(scheduler: &Scheduler, made: &Made) -> Result<(), Error> {
    let folder = scheduler.unit_folder(false).map_err(|e| by_hand(&e))?;
    let units = schedule::units(&made.plan, &made.home, &made.at);
    for (name, text) in &units {
        Scheduler::write(&folder.join(name), text).map_err(|e| by_hand(&e))?;
    }
    scheduler.systemctl(false, &["daemon-reload"]).map_err(|e| by_hand(&e))?;
    for name in ["offhours-upgrade-start.timer", "offhours-upgrade.timer"] {
        scheduler.systemctl(false, &["enable", "--now", name]).map_err(|e| by_hand(&e))?;
    }
    Ok(())
}

/// The first fire that was installed.
fn first(store: &Store) -> Result<Option<UnixTime>, Error> {
    let note = store.upgrade_note(NOTE)?;
    let value: Option<Value> = note.and_then(|text| serde_json::from_str(&text).ok());
    Ok(value.and_then(|v| v.get("first").and_then(Value::as_i64)).map(UnixTime))
}

/// The schedule was taken out: no fire is expected any more.
pub(super) fn forget(store: &mut Store) -> Result<(), Error> {
    if first(store)?.is_some() {
        store.set_upgrade_note(NOTE, None)?;
    }
    Ok(())
}

/// The next fire, for `upgrade status`.
pub(super) fn next(store: &Store, now: UnixTime) -> Result<Option<UnixTime>, Error> {
    Ok(first(store)?.map(|first| schedule::next_fire(first, now)))
}

fn verify(app: &App) -> Result<u8, Error> {
    let store = app.existing_store()?;
    let installed = match &store {
        Some(store) => first(store)?,
        None => None,
    };
    let (Some(store), Some(first)) = (store, installed) else {
        return Err(Error::usage("no weekly batch is installed").hint("`offhours upgrade schedule install`"));
    };
    let batches = store.scheduled_batches(first, first.plus(schedule::SLACK_SECONDS))?;
    let summaries: Vec<bool> = batches.iter().map(|(_, summary)| *summary).collect();
    let fired = schedule::fired(first, &summaries, app.now());
    let (text, word, code) = match fired {
        Fired::Yes => {
            (format!("a batch began {} as scheduled, and has a summary\n", format_time(first)), "fired", 0)
        }
        Fired::NotYet => (format!("the batch of {} has no summary yet\n", format_time(first)), "not-yet", 75),
        Fired::Missed => (
            format!(
                "no batch began within five minutes of {}: the schedule does not fire\n",
                format_time(first)
            ),
            "missed",
            1,
        ),
    };
    let mut store = store;
    if !app.global.dry_run {
        let note = json!({ "first": first.0, "verified_at": app.now().0, "verdict": word }).to_string();
        store.set_upgrade_note("schedule:verified", Some(&note))?;
    }
    output::answer(
        &app.global,
        "upgrade schedule",
        &text,
        &[
            json!({ "verdict": word, "first_fire": first.0, "batches": batches.iter().map(|(id, _)| id).collect::<Vec<_>>() }),
        ],
    );
    // A fire that was missed is a failure also where nobody asked for exit codes.
    Ok(if app.global.exit_code || fired == Fired::Missed { code } else { 0 })
}
