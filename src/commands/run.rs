//! `run list|show|log|stop|release|retry|once`.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};

use super::hold::EveryArg;
use super::target::{IssueArg, IssueTarget};
use super::{by_hand, once, output, tick};
use crate::app::App;
use crate::domain::escape::sanitize;
use crate::domain::model::{IssueRef, JobState, Outcome};
use crate::domain::moment::{format_duration, format_time};
use crate::domain::receipt::Cost;
use crate::domain::run::{Phase, Wait};
use crate::error::Error;
use crate::ports::PortError;
use crate::store::{RunRow, Store};
use crate::text;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum RunCommand {
    /// List runs, newest first
    List {
        /// Only runs of this repo
        #[arg(value_name = "REPO")]
        repo: Option<String>,
        /// Also runs that are over
        #[arg(long)]
        all: bool,
    },
    /// Show one run: its state, turns, checks and cost
    Show(RunArg),
    /// Print the output of a run's latest turn
    Log {
        #[command(flatten)]
        run: RunArg,
        /// Go on printing until the turn is over
        #[arg(short, long)]
        follow: bool,
    },
    /// End a run, keep its work and release the issue
    Stop(RunArg),
    /// Release a claim whose holder is gone
    Release(IssueArg),
    /// Take up a run again that was handed back or frozen
    Retry(RunArg),
    /// Work on one issue now, whatever else is ready
    Once {
        #[command(flatten)]
        issue: IssueArg,
        /// Hold the turns to their end
        #[arg(long)]
        foreground: bool,
        #[command(flatten)]
        every: EveryArg,
    },
}

#[derive(Debug, Clone, Args)]
pub struct RunArg {
    /// The run's id, or the issue's REPO#N for its latest run
    #[arg(value_name = "RUN")]
    pub run: String,
}

pub fn run(app: &App, command: &RunCommand) -> Result<u8, Error> {
    match command {
        RunCommand::List { repo, all } => list(app, repo.as_deref(), *all),
        RunCommand::Show(arg) => show(app, &arg.run),
        RunCommand::Log { run, follow } => log(app, &run.run, *follow),
        RunCommand::Stop(arg) => stop(app, &arg.run),
        RunCommand::Release(issue) => release(app, issue),
        RunCommand::Retry(arg) => retry(app, &arg.run),
        RunCommand::Once { issue, foreground, every } => once::run(app, issue, *foreground, every),
    }
}

fn store(app: &App) -> Result<Store, Error> {
    app.existing_store()?.ok_or_else(|| {
        Error::usage(format!("there are no runs: no state file at {}", app.state.display()))
            .hint("the first armed tick makes it; name another with --state")
    })
}

/// A run by its id, or an issue's newest.
fn find(app: &App, store: &Store, text: &str) -> Result<RunRow, Error> {
    let unknown = || {
        Error::usage(format!("there is no run `{}`", sanitize(text, 80)))
            .hint("`offhours run list --all` shows them")
    };
    if let Ok(target) = IssueTarget::parse(text) {
        let issue = IssueRef { repo: app.repo(&target.repo)?, number: target.number };
        return store.runs_of(&issue)?.into_iter().next().ok_or_else(unknown);
    }
    store.run(text)?.ok_or_else(unknown)
}

fn item(row: &RunRow) -> Value {
    let run = &row.run;
    json!({
        "issue": run.issue.to_string(),
        "run": run.id,
        "handle": run.turn_job(run.turns),
        "reason": row.state_word(),
        "phase": format!("{:?}", run.phase).to_lowercase(),
        "attempt": run.attempt,
        "turns": run.turns,
        "fix_forward": run.fix_forward,
        "base": run.base.as_str(),
        "pushed": run.pushed.as_ref().map(crate::domain::model::Oid::as_str),
        "runner": row.runner,
        "template": row.template,
        "asked_by": run.asked_by,
        "created_at": run.created_at.0,
        "ended_at": run.ended_at.map(|t| t.0),
    })
}

fn list(app: &App, repo: Option<&str>, all: bool) -> Result<u8, Error> {
    let repo = repo.map(|r| app.repo(r)).transpose()?;
    let rows = match app.existing_store()? {
        Some(store) if all => store.recent_runs(200)?,
        Some(store) => store.runs_in_flight()?,
        None => vec![],
    };
    let rows: Vec<RunRow> =
        rows.into_iter().filter(|r| repo.as_ref().is_none_or(|id| r.run.issue.repo == *id)).collect();
    let mut text = String::new();
    for row in &rows {
        let at = format_time(row.run.created_at);
        text.push_str(&format!(
            "{}  {:<28} {:<18} {at}\n",
            row.run.id,
            row.run.issue.to_string(),
            row.state_word()
        ));
    }
    if text.is_empty() {
        text = if all {
            "no runs yet\n".to_owned()
        } else {
            "nothing is running; --all shows what is over\n".to_owned()
        };
    }
    output::answer(&app.global, "run list", &text, &rows.iter().map(item).collect::<Vec<_>>());
    Ok(0)
}

fn show(app: &App, name: &str) -> Result<u8, Error> {
    let started = app.now();
    loop {
        let store = store(app)?;
        let row = find(app, &store, name)?;
        let verdict = match &row.run.outcome {
            Some(Outcome::Landed) if row.run.phase == Phase::Ended => 0,
            Some(_) if row.run.phase == Phase::Ended => 1,
            Some(_) | None => 75,
        };
        let waited = u64::try_from(app.now().since(started)).unwrap_or(0);
        if verdict == 75 && app.global.wait.is_some_and(|most| waited < most) {
            drop(store);
            tick::pause();
            continue;
        }
        tell(app, &store, &row)?;
        return Ok(if app.global.exit_code { verdict } else { 0 });
    }
}

fn tell(app: &App, store: &Store, row: &RunRow) -> Result<(), Error> {
    let run = &row.run;
    let (known, unknown) = store.cost_of(&run.id)?;
    let turns = store.turns_of(&run.id)?;
    let events = store.events_of(&run.id)?;
    let mut text = format!("run {} on {}: {}\n", run.id, run.issue, row.state_word());
    if let Some(wait) = run.wait {
        text.push_str(&format!("  {}\n", wait.next_step()));
    }
    if let Some(stored) = store.run_text(&run.id)? {
        text.push_str(&format!("  title     {}\n", sanitize(&stored.title, 90)));
    }
    text.push_str(&format!(
        "  asked by  {}\n  begun     {}\n",
        sanitize(&run.asked_by, 60),
        format_time(run.created_at)
    ));
    text.push_str(&format!("  base      {} on {}\n", run.base.short(), sanitize(&run.target_branch, 60)));
    if let Some(head) = &run.pushed {
        text.push_str(&format!("  pushed    {}\n", head.short()));
    }
    text.push_str(&format!(
        "  runner    {}\n  template  {}\n  cost      {}\n",
        row.runner,
        row.template,
        text::cost(Cost { known_usd: known, unknown })
    ));
    let lessons = crate::tick::lessons::ids(store, &run.id);
    if !lessons.is_empty() {
        text.push_str(&format!("  lessons   {}\n", crate::text::lessons::given(&lessons)));
    }
    if let Some(canary) = store.route_of(&run.id)?.and_then(|route| route.canary) {
        text.push_str(&format!(
            "  canary    {}: arm {} at {}\n",
            canary.id,
            canary.arm.code(),
            canary.fraction
        ));
    }
    for turn in &turns {
        let ended = turn.ending.as_deref().unwrap_or("running");
        let took = turn
            .ended_at
            .map_or(String::new(), |end| format!(" after {}", format_duration(end.since(turn.started_at))));
        let detail = turn
            .detail
            .as_deref()
            .filter(|d| !d.is_empty())
            .map_or(String::new(), |d| format!(": {}", sanitize(d, 200)));
        text.push_str(&format!("  turn {}    {ended}{took}{detail}\n", turn.turn));
        if let Some(summary) = &turn.summary {
            text.push_str(&format!("            {}\n", sanitize(summary, 300)));
        }
    }
    let attach = app.attach(&run.turn_job(run.turns));
    if let Some(attach) = &attach {
        text.push_str(&format!("  attach    {attach}\n"));
    }
    if let Some(kept) = &row.salvage {
        text.push_str(kept.trim_start());
    }
    for event in &events {
        let words = &event.facts.detail;
        let words = if words.is_empty() { String::new() } else { format!(": {}", sanitize(words, 160)) };
        text.push_str(&format!("  {}  {}{words}\n", format_time(event.at), event.kind.code()));
    }
    let mut value = item(row);
    if let Value::Object(map) = &mut value {
        map.insert("cost_usd".to_owned(), json!(known));
        map.insert("cost_known".to_owned(), json!(!unknown));
        let canary = store.route_of(&run.id)?.and_then(|route| route.canary);
        let told = json!({
            "canary": canary.as_ref().map(|c| &c.id), "arm": canary.as_ref().map(|c| c.arm.code()),
            "fraction": canary.as_ref().map(|c| c.fraction),
        });
        map.insert("route".to_owned(), told);
        map.insert("lessons".to_owned(), json!(lessons));
        map.insert("attach".to_owned(), json!(attach));
        map.insert(
            "events".to_owned(),
            json!(events.iter().map(|e| json!({ "at": e.at.0, "kind": e.kind.code() })).collect::<Vec<_>>()),
        );
    }
    output::answer(&app.global, "run show", &text, &[value]);
    Ok(())
}

fn log(app: &App, name: &str, follow: bool) -> Result<u8, Error> {
    let store = store(app)?;
    let row = find(app, &store, name)?;
    let (env, _) = app.equip(&store, false, None)?;
    let dir = env.folders.output(&row.run, &row.run.turn_job(row.run.turns));
    if !dir.exists() {
        let text = "the run printed nothing, or ended longer ago than output is kept (retention.salvage_keep_days)\n";
        output::answer(&app.global, "run log", text, &[]);
        return Ok(0);
    }
    if app.global.json {
        let read = |name: &str| fs::read(dir.join(name)).unwrap_or_default();
        let text = |name: &str| String::from_utf8_lossy(&read(name)).into_owned();
        let item = json!({ "handle": row.run.turn_job(row.run.turns), "stdout": text("stdout.log"), "stderr": text("stderr.log") });
        output::answer(&app.global, "run log", "", &[item]);
        return Ok(0);
    }
    let mut at = [0u64; 2];
    loop {
        let running = matches!(env.runner.state(&dir), Ok(JobState::Running { .. }));
        for (name, at) in ["stdout.log", "stderr.log"].iter().zip(at.iter_mut()) {
            let Ok(mut file) = fs::File::open(dir.join(name)) else { continue };
            // A log that was begun anew is shorter than what was shown.
            if file.metadata().is_ok_and(|m| m.len() < *at) {
                *at = 0;
            }
            let mut bytes = vec![];
            if file.seek(SeekFrom::Start(*at)).is_ok() && file.read_to_end(&mut bytes).is_ok() {
                *at += u64::try_from(bytes.len()).unwrap_or(0);
            }
            let text: String = String::from_utf8_lossy(&bytes)
                .chars()
                .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
                .collect();
            output::out(&text);
        }
        if !follow || !running {
            return Ok(0);
        }
        tick::pause();
    }
}

fn stop(app: &App, name: &str) -> Result<u8, Error> {
    let mut store = store(app)?;
    let row = find(app, &store, name)?;
    if !store.ask_stop(&row.run.id)? {
        return Err(Error::usage(format!("run {} is over already ({})", row.run.id, row.state_word())));
    }
    let text = format!(
        "run {} ends with the next tick: its work is kept, and {} is handed back\n",
        row.run.id, row.run.issue
    );
    output::answer(&app.global, "run stop", &text, &[item(&row)]);
    Ok(0)
}

fn release(app: &App, args: &IssueArg) -> Result<u8, Error> {
    let issue = IssueRef { repo: app.repo(&args.issue.repo)?, number: args.issue.number };
    let store = app.store()?;
    if let Some(row) = store.runs_of(&issue)?.into_iter().find(|r| r.run.phase != Phase::Ended) {
        return Err(Error::usage(format!("run {} of {issue} is in flight here", row.run.id))
            .hint("`offhours run stop` ends it"));
    }
    let left: Vec<_> =
        app.left_behind(Some(&store))?.into_iter().filter(|found| found.issue == issue).collect();
    let (env, _) = app.equip(&store, false, None)?;
    let label = &app.config.global.in_progress_label;
    let released = env.forge(&issue.repo).and_then(|forge| {
        // The label says that somebody works on it, and without a run nobody does. An issue that is gone has none.
        let labelled = match forge.issue(&issue.repo, issue.number) {
            Ok(seen) => seen.has_label(label),
            Err(PortError::Gone { .. }) => false,
            Err(error) => return Err(error),
        };
        let remote = forge.remote(&issue.repo)?;
        let claims = env.git.claims(&issue.repo, &remote)?;
        let claim = claims.issues.into_iter().find(|(n, _)| *n == issue.number);
        if let Some((_, holder)) = &claim {
            env.git.release(&issue.repo, &remote, issue.number, &holder.oid)?;
        }
        if labelled {
            forge.set_label(&issue.repo, issue.number, label, false)?;
        }
        Ok((claim, labelled))
    });
    let (claim, labelled) = released.map_err(|e| by_hand(&e))?;
    let mut text = match claim {
        Some((_, holder)) => format!(
            "the claim on {issue} (run {}) is released\n",
            sanitize(holder.run.as_deref().unwrap_or("unknown"), 60)
        ),
        None => format!("nobody claims {issue}\n"),
    };
    for found in left {
        // Without its marker the folder is only kept work.
        let marker = found.dir.join("run.json");
        if app.global.dry_run || fs::rename(&marker, marker.with_extension("released.json")).is_err() {
            continue;
        }
        text.push_str(&format!(
            "its work stays in {}; remove it when you want it no more\n",
            found.dir.display()
        ));
    }
    if labelled {
        text.push_str(&format!("the label {} is taken away\n", sanitize(label, 60)));
    }
    output::answer(&app.global, "run release", &text, &[json!({ "issue": issue.to_string() })]);
    Ok(0)
}

/// Applies the ready label again, as the person at the keyboard: a fresh approval.
fn retry(app: &App, name: &str) -> Result<u8, Error> {
    let store = store(app)?;
    let row = find(app, &store, name)?;
    if row.run.phase != Phase::Ended {
        return Err(Error::usage(format!(
            "run {} is in flight ({})",
            row.run.id,
            row.run.wait.map_or("in-step", Wait::code)
        )));
    }
    if row.run.outcome == Some(Outcome::Landed) {
        return Err(Error::usage(format!("run {} landed", row.run.id))
            .hint("open a new issue for what is still wanted"));
    }
    let issue = row.run.issue.clone();
    let forge = app.config.forges.get(&issue.repo.forge);
    if forge.is_some_and(|forge| forge.app_id.is_some()) {
        return Err(Error::usage(format!(
            "offhours is a GitHub App there: a label that it puts on {issue} is a bot's, and asks for nothing"
        ))
        .hint(format!(
            "put the label {} on it yourself, as its page lets you",
            app.config.global.ready_label
        )));
    }
    if app.global.dry_run {
        return Ok(super::issue::planned(app, "run retry", "make ready again", &issue.to_string()));
    }
    let (ready, human) = (&app.config.global.ready_label, &app.config.global.human_label);
    let (env, _) = app.equip(&store, false, None)?;
    let changed = env.forge(&issue.repo).and_then(|forge| {
        forge.set_open(&issue.repo, issue.number, true)?;
        forge.set_label(&issue.repo, issue.number, human, false)?;
        // Only a label that was put on anew is a fresh approval.
        forge.set_label(&issue.repo, issue.number, ready, false)?;
        // A local forge writes down who is at the keyboard; others know only whose token it was.
        let who = super::issue::who();
        match app.local_forge(&issue.repo) {
            Ok(local) => local.label_as(&issue.repo, issue.number, ready, true, &who).map(|_| Some(who)),
            Err(_other) => forge.set_label(&issue.repo, issue.number, ready, true).map(|()| None),
        }
    });
    let by = match changed.map_err(|e| by_hand(&e))? {
        Some(who) => sanitize(&who, 60),
        None => "the account that offhours has there".to_owned(),
    };
    let text = format!("{issue} is ready again, approved by {by}; the next poll takes it up\n");
    output::answer(&app.global, "run retry", &text, &[item(&row)]);
    Ok(0)
}
