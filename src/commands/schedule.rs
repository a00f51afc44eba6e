//! `schedule print|install|remove|verify`: what starts the ticks.

use std::path::{Path, PathBuf};

use super::{by_hand, output, tick};
use crate::app::App;
use crate::app::Scheduler;
use crate::domain::moment::format_duration;
use crate::domain::schedule::{self, Actions, Firing, Plan};
use crate::domain::upgrade::schedule as upgrade_schedule;
use crate::error::Error;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Print what would be installed, and what can be used elsewhere
    Print(ScheduleArgs),
    /// Install it, once: what is there already is brought up to date
    Install(ScheduleArgs),
    /// Take out what was installed, and nothing else
    Remove,
    /// Say whether it is installed, up to date and firing
    Verify,
}

#[derive(Debug, Clone, Args)]
pub struct ScheduleArgs {
    /// What starts the ticks
    #[arg(value_name = "KIND", value_enum, default_value_t = ScheduleKind::Crontab)]
    pub kind: ScheduleKind,
    /// Minutes between ticks: a number that divides an hour
    #[arg(long, value_name = "MINUTES", default_value_t = 2)]
    pub every: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScheduleKind {
    /// A marked block in your crontab
    Crontab,
    /// A service and a timer of your user
    SystemdUser,
    /// A service and a timer of the system, for a user `offhours`
    SystemdSystem,
    /// A Kubernetes CronJob, to print
    Kubernetes,
    /// A GitHub workflow, to print
    Github,
    /// A Forgejo workflow, to print
    Forgejo,
}

pub fn run(app: &App, command: &ScheduleCommand) -> Result<u8, Error> {
    match command {
        ScheduleCommand::Print(args) => print(app, args),
        ScheduleCommand::Install(args) => install(app, args),
        ScheduleCommand::Remove => {
            let lines = remove(app)?;
            let told = if lines.is_empty() {
                vec!["no schedule of this configuration was there".to_owned()]
            } else {
                lines
            };
            let text = format!("{}\n", told.join("\n"));
            output::answer(&app.global, "schedule", &text, &[json!({ "done": told })]);
            Ok(0)
        }
        ScheduleCommand::Verify => verify(app),
    }
}

fn plan(app: &App, args: &ScheduleArgs) -> Result<Plan, Error> {
    if !schedule::EVERY.contains(&args.every) {
        let good: Vec<String> = schedule::EVERY.iter().map(ToString::to_string).collect();
        return Err(Error::usage(format!("--every {} does not divide an hour", args.every))
            .hint(format!("one of {}", good.join(", "))));
    }
    let plan = app.plan(args.every)?;
    for (what, word) in [
        ("program", &plan.program),
        ("configuration", &plan.config),
        ("state file", &plan.state),
        ("PATH", &plan.path),
    ] {
        if word.chars().any(char::is_control) {
            return Err(Error::usage(format!(
                "the {what} has a control character in its name; no schedule can name it"
            )));
        }
    }
    Ok(plan)
}

/// Files that a kind consists of: their names and texts.
fn units(plan: &Plan, system: bool) -> [(&'static str, String); 2] {
    let (service, kind) = if system {
        (schedule::system_service(plan), "systemd-system")
    } else {
        (schedule::user_service(plan), "systemd-user")
    };
    [("offhours.service", service), ("offhours.timer", schedule::timer(plan, kind))]
}

fn print(app: &App, args: &ScheduleArgs) -> Result<u8, Error> {
    let plan = plan(app, args)?;
    let both = |system: bool| units(&plan, system).map(|(name, text)| format!("# {name}\n{text}")).join("\n");
    let text = match args.kind {
        ScheduleKind::Crontab => schedule::crontab_block(&plan),
        ScheduleKind::SystemdUser => both(false),
        ScheduleKind::SystemdSystem => both(true),
        ScheduleKind::Kubernetes => schedule::kubernetes(&plan),
        ScheduleKind::Github => schedule::workflow(&plan, Actions::Github),
        ScheduleKind::Forgejo => schedule::workflow(&plan, Actions::Forgejo),
    };
    output::answer(&app.global, "schedule", &text, &[json!({ "text": text })]);
    Ok(0)
}

fn damaged(plan_config: &str) -> Error {
    Error::later(format!(
        "the lines `# BEGIN offhours {plan_config}` and `# END offhours {plan_config}` do not stand in a pair in your crontab: \
         it is left alone"
    ))
    .hint("take them out with `crontab -e`, then run this again")
}

fn install(app: &App, args: &ScheduleArgs) -> Result<u8, Error> {
    let plan = plan(app, args)?;
    let scheduler = app.scheduler();
    let lines = match args.kind {
        ScheduleKind::Crontab => install_crontab(app, &scheduler, &plan)?,
        ScheduleKind::SystemdUser => install_units(app, &scheduler, &plan, false)?,
        ScheduleKind::SystemdSystem => install_units(app, &scheduler, &plan, true)?,
        ScheduleKind::Kubernetes | ScheduleKind::Github | ScheduleKind::Forgejo => {
            return Err(Error::usage(
                "this kind is not installed from here: print it and put it in its place",
            )
            .hint("`offhours schedule print kubernetes`, `github` or `forgejo`"));
        }
    };
    let text = format!("{}\n", lines.join("\n"));
    output::answer(&app.global, "schedule", &text, &[json!({ "done": lines })]);
    Ok(0)
}

fn install_crontab(app: &App, scheduler: &Scheduler, plan: &Plan) -> Result<Vec<String>, Error> {
    let before = scheduler.crontab().map_err(|e| by_hand(&e))?;
    let after = schedule::with_block(&before, plan).map_err(|_damaged| damaged(&plan.config))?;
    if before == after {
        return Ok(vec!["your crontab has it already".to_owned()]);
    }
    if app.global.dry_run {
        return Ok(vec![format!("your crontab would have\n{}", schedule::crontab_block(plan))]);
    }
    scheduler.set_crontab(&after).map_err(|e| by_hand(&e))?;
    Ok(vec![
        format!("your crontab starts a tick {}", schedule::often(plan.every)),
        "`offhours schedule verify` says whether it fires".to_owned(),
    ])
}

/// A file of that name that is not ours is left alone.
fn refuse_foreign(path: &Path) -> Result<Option<String>, Error> {
    let there = Scheduler::read(path).map_err(|e| by_hand(&e))?;
    match there {
        Some(text) if !text.starts_with(schedule::UNIT_MARK) => {
            Err(Error::usage(format!("{} was not made by offhours, and is left alone", path.display()))
                .hint("move it away, then run this again"))
        }
        other => Ok(other),
    }
}

fn install_units(app: &App, scheduler: &Scheduler, plan: &Plan, system: bool) -> Result<Vec<String>, Error> {
    let folder = scheduler.unit_folder(system).map_err(|e| by_hand(&e))?;
    let mut lines = vec![];
    let wanted = units(plan, system).map(|(name, text)| (folder.join(name), text));
    for (path, text) in &wanted {
        if refuse_foreign(path)?.as_ref() == Some(text) {
            lines.push(format!("{} is up to date", path.display()));
            continue;
        }
        if app.global.dry_run {
            lines.push(format!("{} would be written", path.display()));
            continue;
        }
        Scheduler::write(path, text).map_err(|e| by_hand(&e))?;
        lines.push(format!("{} is written", path.display()));
    }
    if !app.global.dry_run {
        scheduler.systemctl(system, &["daemon-reload"]).map_err(|e| by_hand(&e))?;
        scheduler.systemctl(system, &["enable", "--now", "offhours.timer"]).map_err(|e| by_hand(&e))?;
        lines.push("the timer runs; `offhours schedule verify` says whether it fires".to_owned());
    }
    if !system {
        lines.push("so that it runs while you are logged out: loginctl enable-linger".to_owned());
    }
    Ok(lines)
}

/// Takes out whatever of this configuration is there; what could not be looked at is said.
pub fn remove(app: &App) -> Result<Vec<String>, Error> {
    let scheduler = app.scheduler();
    let plan = app.plan(2)?;
    let dry = app.global.dry_run;
    let mut lines = vec![];
    match scheduler.crontab() {
        Ok(before) => {
            let after =
                schedule::without_block(&before, &plan.config).map_err(|_damaged| damaged(&plan.config))?;
            let upgrades = format!("{} upgrade", plan.config);
            let after =
                upgrade_schedule::without_block(&after, &plan).map_err(|_damaged| damaged(&upgrades))?;
            if before != after {
                if !dry {
                    scheduler.set_crontab(&after).map_err(|e| by_hand(&e))?;
                }
                lines.push("taken out of your crontab".to_owned());
            }
        }
        // Without cron there is no crontab to take anything out of.
        Err(error) => output::err(&format!("offhours schedule: {error}")),
    }
    for system in [false, true] {
        let Ok(folder) = scheduler.unit_folder(system) else { continue };
        let mut ours = ours_of(&folder, &plan)?;
        if !system {
            ours.extend(upgrades_of(&folder, &plan)?);
        }
        if ours.is_empty() {
            continue;
        }
        if !dry {
            let timers = ours.iter().filter(|path| path.extension().is_some_and(|end| end == "timer"));
            for timer in timers.filter_map(|path| path.file_name()?.to_str()) {
                if let Err(error) = scheduler.systemctl(system, &["disable", "--now", timer]) {
                    output::err(&format!("offhours schedule: {error}"));
                }
            }
            for path in &ours {
                Scheduler::remove(path).map_err(|e| by_hand(&e))?;
            }
            if let Err(error) = scheduler.systemctl(system, &["daemon-reload"]) {
                output::err(&format!("offhours schedule: {error}"));
            }
        }
        lines.extend(ours.iter().map(|path| format!("{} is removed", path.display())));
    }
    // A fire that nothing starts any more is not waited for.
    if let (false, false, Some(mut store)) = (dry, lines.is_empty(), app.existing_store()?) {
        super::upgrade_schedule::forget(&mut store)?;
    }
    Ok(lines)
}

/// The same for the units of upgrades: each service with the timer of its name.
fn upgrades_of(folder: &Path, plan: &Plan) -> Result<Vec<PathBuf>, Error> {
    let read = |name: String| Scheduler::read(&folder.join(name)).map_err(|e| by_hand(&e));
    let config = format!("--config {} ", unit_config(plan));
    let mut ours = vec![];
    for name in ["offhours-upgrade-start", "offhours-upgrade"] {
        let is_ours = |text: &String| text.starts_with(schedule::UNIT_MARK);
        let service = read(format!("{name}.service"))?.filter(is_ours);
        if service.is_some_and(|text| text.contains(&config)) {
            ours.push(folder.join(format!("{name}.service")));
            if read(format!("{name}.timer"))?.as_ref().is_some_and(is_ours) {
                ours.push(folder.join(format!("{name}.timer")));
            }
        }
    }
    Ok(ours)
}

/// Units in a folder that we made, and for this configuration.
fn ours_of(folder: &Path, plan: &Plan) -> Result<Vec<PathBuf>, Error> {
    let read = |name: &str| Scheduler::read(&folder.join(name)).map_err(|e| by_hand(&e));
    let service = read("offhours.service")?;
    let names_us = |text: &String| {
        text.starts_with(schedule::UNIT_MARK) && text.contains(&format!("--config {}", unit_config(plan)))
    };
    if !service.as_ref().is_some_and(names_us) {
        return Ok(vec![]);
    }
    let mut ours = vec![folder.join("offhours.service")];
    if read("offhours.timer")?.is_some_and(|text| text.starts_with(schedule::UNIT_MARK)) {
        ours.push(folder.join("offhours.timer"));
    }
    Ok(ours)
}

fn unit_config(plan: &Plan) -> String {
    // As the service writes it, between its words.
    let text = schedule::user_service(plan);
    let after = text.split(" --config ").nth(1).unwrap_or_default();
    after.split(" --state ").next().unwrap_or_default().to_owned()
}

/// What is installed, as words, and the minutes between its ticks; `old` where it is not what would be installed now.
pub struct Installed {
    pub kind: &'static str,
    pub every: u32,
    pub old: bool,
}

/// Looks for what starts this configuration's ticks.
pub fn installed(app: &App) -> Result<Vec<Installed>, Error> {
    let scheduler = app.scheduler();
    let usual = app.plan(2)?;
    let plans: Vec<Plan> =
        schedule::EVERY.iter().map(|every| Plan { every: *every, ..usual.clone() }).collect();
    let mut found = vec![];
    if let Ok(crontab) = scheduler.crontab() {
        let block =
            schedule::find_block(&crontab, &usual.config).map_err(|_damaged| damaged(&usual.config))?;
        if let Some(block) = block {
            let same = plans.iter().find(|plan| schedule::crontab_block(plan) == block);
            found.push(Installed {
                kind: "crontab",
                every: same.map_or(60, |p| p.every),
                old: same.is_none(),
            });
        }
    }
    for (system, kind) in [(false, "systemd-user"), (true, "systemd-system")] {
        let Ok(folder) = scheduler.unit_folder(system) else { continue };
        if ours_of(&folder, &usual)?.is_empty() {
            continue;
        }
        let same = plans.iter().find(|plan| {
            units(plan, system)
                .iter()
                .all(|(name, text)| Scheduler::read(&folder.join(name)).ok().flatten().as_ref() == Some(text))
        });
        found.push(Installed { kind, every: same.map_or(60, |p| p.every), old: same.is_none() });
    }
    Ok(found)
}

/// The PATH that the installed crontab line brings with it.
pub fn installed_path(app: &App) -> Option<String> {
    let plan = app.plan(2).ok()?;
    let crontab = app.scheduler().crontab().ok()?;
    let block = schedule::find_block(&crontab, &plan.config).ok()??;
    schedule::path_in(block)
}

/// Seconds since the last tick of any command; `None` where there was none.
pub fn last_tick_ago(app: &App) -> Result<Option<i64>, Error> {
    let Some(store) = app.existing_store()? else { return Ok(None) };
    Ok(store.ticks()?.first().map(|(_, at, _, _)| app.now().since(*at)))
}

fn verify(app: &App) -> Result<u8, Error> {
    let begun = app.now();
    loop {
        let found = installed(app)?;
        let (mut code, mut text) = judge(app, &found)?;
        let waited = u64::try_from(app.now().since(begun)).unwrap_or(0);
        let wait = app.global.wait.is_some_and(|most| waited < most);
        if code != 0 && wait && !found.is_empty() && found.iter().all(|f| !f.old) {
            tick::pause();
            continue;
        }
        if app.global.exit_code && app.global.wait.is_some() && code == 75 && app.existing_store()?.is_some()
        {
            // It was waited for, and did not come.
            code = 1;
            text.push_str("no tick came in the time that was waited\n");
        }
        let item = json!({
            "installed": found.iter().map(|f| json!({ "kind": f.kind, "every_minutes": f.every, "up_to_date": !f.old })).collect::<Vec<_>>(),
            "verdict": match code { 0 => "good", 75 => "pending", _ => "bad" },
        });
        output::answer(&app.global, "schedule", &text, &[item]);
        return Ok(if app.global.exit_code { code } else { 0 });
    }
}

fn judge(app: &App, found: &[Installed]) -> Result<(u8, String), Error> {
    let Some(first) = found.first() else {
        return Ok((1, "no schedule is installed; `offhours schedule install` installs one\n".to_owned()));
    };
    let mut text = String::new();
    let mut code = 0;
    for one in found {
        if one.old {
            code = 1;
            text.push_str(&format!(
                "{}: installed, but not as it would be now (the program, the configuration, the state file or the PATH moved); \
                 `offhours schedule install {}` brings it up to date\n",
                one.kind, one.kind
            ));
        } else {
            text.push_str(&format!("{}: a tick {}\n", one.kind, schedule::often(one.every)));
        }
    }
    match schedule::firing(last_tick_ago(app)?, first.every) {
        Firing::Good { ago } => {
            text.push_str(&format!("it fires: the last tick was {} ago\n", format_duration(ago)));
        }
        Firing::Pending => {
            code = code.max(if code == 1 { 1 } else { 75 });
            text.push_str("no tick has been seen yet; while it is switched off, ticks leave no trace\n");
        }
        Firing::Silent { ago } => {
            code = 1;
            text.push_str(&format!(
                "it does not fire: the last tick was {} ago. Is cron running, or the timer enabled?\n",
                format_duration(ago)
            ));
        }
    }
    Ok((code, text))
}
