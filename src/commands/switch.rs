//! `off`, `pause`, `resume`. Their markers are written first and wait for nothing.

use std::fs;

use super::output;
use crate::app::App;
use crate::cli::Global;
use crate::domain::control::OFF_LABEL;
use crate::domain::model::{IssueRef, UnixTime};
use crate::domain::moment::format_time;
use crate::domain::run::Phase;
use crate::error::Error;
use crate::ports::PortResult;
use crate::store::{HoldKind, Store};
use clap::Args;
use serde_json::json;

#[derive(Debug, Clone, Args)]
pub struct OffArgs {
    /// Also end the turns that run
    #[arg(long)]
    pub now: bool,
}

#[derive(Debug, Clone, Args)]
pub struct PauseArgs {
    /// Only this repo [default: all]
    #[arg(value_name = "REPO")]
    pub repo: Option<String>,
    /// End by itself after this time: 30m, 12h, 2d
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub seconds: Option<u64>,
}

#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// Only this repo [default: all, and the kill switch file]
    #[arg(value_name = "REPO")]
    pub repo: Option<String>,
}

/// Reads `30m`, `12h` or `2d` as seconds.
///
/// # Errors
/// A sentence where it is none of these, zero, or longer than ten years.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let units = [('m', 60), ('h', 3600), ('d', 86_400)];
    let seconds = units.into_iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?;
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        digits.then_some(())?;
        number.parse::<u64>().ok()?.checked_mul(seconds)
    });
    let ten_years = 3650 * 86_400;
    seconds
        .filter(|seconds| (1..=ten_years).contains(seconds))
        .ok_or_else(|| "write a time like 30m, 12h or 2d, up to 3650d".to_owned())
}

/// `off` works with any configuration: first the file is made, then what is wrong is said.
pub fn off_whatever_happens(global: &Global, now: bool) -> Result<u8, Error> {
    let error = match App::load(global) {
        Ok(app) => return off(&app, now),
        Err(error) => error,
    };
    let app = App::salvaged(global)?;
    off(&app, now)?;
    output::err(&format!(
        "offhours off: it is off, but the configuration cannot be used: {error}\n  if its `kill_switch_file` names a place other than {}, make that file, too",
        app.config.kill_switch_file(&app.state_dir).display()
    ));
    Ok(error.kind.exit_code())
}

/// Puts the kill switch on for good; `now` ends running turns, too.
fn off(app: &App, now: bool) -> Result<u8, Error> {
    let file = app.config.kill_switch_file(&app.state_dir);
    if app.global.dry_run {
        output::answer(&app.global, "off", &format!("would make {}\n", file.display()), &[]);
        return Ok(0);
    }
    let made = file
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::OpenOptions::new().create(true).append(true).open(&file).map(drop));
    made.map_err(|e| {
        Error::later(format!("the kill switch file {} could not be made: {e}", file.display()))
            .hint("set `kill_switch = true` in the config, or OFFHOURS_KILL_SWITCH=on")
    })?;
    let mut text = format!("off: {} stands; `offhours resume` removes it\n", file.display());
    let mut ended = vec![];
    if now {
        // A copy: it waits for nothing, and asks nobody whose the file is. Without one, the records beside the work say what
        // runs.
        let store = app.store_copy()?;
        let (env, _) = app.equip(&store, false, None)?;
        let mut running = store.runs_in_flight()?;
        for found in app.left_behind(Some(&store))? {
            let row = found.record.ok().map(|r| Store::try_record(&r, &found.issue, &found.run, env.now()));
            running.extend(row.and_then(Result::ok).filter(|row| row.run.phase != Phase::Ended));
        }
        for row in running {
            let id = row.run.turn_job(row.run.turns);
            let dir = env.folders.of(&row.run.issue, &row.run.id).job(&id);
            match env.runner.stop(&dir, &id) {
                Ok(()) => {
                    text.push_str(&format!("ended: {} turn {}\n", row.run.issue, row.run.turns));
                    ended.push(id);
                }
                Err(error) => output::err(&format!("offhours off: {}: {error}", row.run.issue)),
            }
        }
    }
    if now && app.state.exists() {
        // The switch stands already: what fails here is said, and the rest is done.
        match super::upgrade::end_now(app) {
            Ok(Some(batch)) => text.push_str(&format!("ended: upgrade batch {batch}\n")),
            Ok(None) => {}
            Err(error) => output::err(&format!("offhours off: the upgrade batch: {error}")),
        }
    }
    output::answer(&app.global, "off", &text, &[json!({ "file": file, "ended": ended })]);
    Ok(0)
}

pub fn pause(app: &App, repo: Option<&str>, seconds: Option<u64>) -> Result<u8, Error> {
    let repo = repo.map(|name| app.repo(name)).transpose()?;
    // A pause of a name that is mistyped holds nothing up.
    if let Some(id) = repo.as_ref().filter(|id| !app.config.allowlist.contains(id)) {
        return Err(Error::usage(format!("{id} is not in the allowlist: nothing starts there anyway"))
            .hint("`offhours status` shows what runs; `offhours pause` alone pauses everything"));
    }
    let scope = repo.map_or("*".to_owned(), |id| id.to_string());
    let now = app.now();
    let until = seconds.map(|s| now.plus(i64::try_from(s).unwrap_or(i64::MAX)));
    let mut store = app.store()?;
    store.pause(&scope, now, until)?;
    let what = if scope == "*" { "everything".to_owned() } else { scope.clone() };
    let end = until.map_or("until `offhours resume`".to_owned(), |u| format!("until {}", format_time(u)));
    let text = format!("paused: {what}, {end}; what runs is brought to its end\n");
    output::done(
        &app.global,
        "pause",
        &text,
        &[json!({ "scope": scope, "until": until.map(|u: UnixTime| u.0) })],
    );
    Ok(0)
}

/// Ends a pause. For a repo: its holds, too. For the host: the kill switch file and parked runners, too.
pub fn resume(app: &App, repo: Option<&str>) -> Result<u8, Error> {
    let mut lines = vec![];
    if let Some(name) = repo {
        let id = app.repo(name)?;
        if let Some(mut store) = app.existing_store()? {
            if store.unpause(&id.to_string())? {
                lines.push(format!("{id} is not paused any more"));
            }
            store.forget_repo_identity(&id)?;
            for kind in [HoldKind::Frozen, HoldKind::BaseRed] {
                if store.clear_hold(&id, kind)? {
                    lines.push(format!("{id} is not held as {} any more", kind.code()));
                }
            }
        }
    } else {
        if let Some(issue) = unlabel(app)? {
            lines.push(format!("the label {OFF_LABEL} is off {issue}"));
        }
        for file in app.switch_files() {
            if file.exists() {
                if !app.global.dry_run {
                    fs::remove_file(&file)
                        .map_err(|e| Error::later(format!("{} could not be removed: {e}", file.display())))?;
                }
                lines.push(format!("{} is removed", file.display()));
            }
        }
        if let Some(mut store) = app.existing_store()? {
            if store.unpause("*")? {
                lines.push("the pause of everything is over".to_owned());
            }
            let parked: Vec<String> = store.parks()?.into_iter().map(|(account, _)| account).collect();
            for account in &parked {
                if store.unpark(account)? {
                    lines.push(format!("runner {account} is not parked any more"));
                }
            }
            // Its alarm is over with the park: were it parked again, that would be news.
            let (env, _) = app.equip(&store, false, None)?;
            for account in &parked {
                env.recovered(&mut store, &format!("runner-parked:{account}"))?;
            }
            let alive = store.runs_in_flight()?.iter().filter(|r| r.run.phase == Phase::Active).count();
            if alive > 0 && !lines.is_empty() {
                lines.push(format!("{alive} run(s) go on with the next tick"));
            }
            for repo in &app.config.allowlist {
                if store.paused(&repo.to_string(), app.now())?.is_some() {
                    lines.push(format!("{repo} is still paused: `offhours resume {repo}` ends that"));
                }
            }
        }
        let app = App::load(&app.global)?;
        for by in &app.switch.because {
            lines.push(format!("still off: {}", by.sentence()));
        }
    }
    if lines.is_empty() {
        lines.push("there was nothing to resume".to_owned());
    }
    output::done(&app.global, "resume", &format!("{}\n", lines.join("\n")), &[json!({ "done": lines })]);
    Ok(0)
}

/// Takes the label off the control issue; before the file goes, or the next tick would make it again.
fn unlabel(app: &App) -> Result<Option<IssueRef>, Error> {
    let Some(issue) = app.config.control_issue().filter(|_| !app.global.dry_run) else { return Ok(None) };
    let forge = app.forge(&issue.repo)?;
    let label = || -> PortResult<bool> {
        let there = forge.issue(&issue.repo, issue.number)?.has_label(OFF_LABEL);
        if there {
            forge.set_label(&issue.repo, issue.number, OFF_LABEL, false)?;
        }
        Ok(there)
    };
    match label() {
        Ok(there) => Ok(there.then_some(issue)),
        Err(error) => Err(Error::later(format!("the control issue {issue} could not be cleared: {error}")).hint(
            "it would be off again with the next tick: take the label off by hand, or take [control] out of the config",
        )),
    }
}
