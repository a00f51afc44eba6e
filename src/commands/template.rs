//! `template`: keeps versions of prompts, and says which one is used. What changes which version runs get is under a
//! person's hand here and in `harvest`; a text by itself never becomes more than a candidate.

use super::{by_hand, history, output};
use crate::app::App;
use crate::app::read_template as read;
use crate::domain::canary::Params;
use crate::domain::escape::sanitize;
use crate::domain::moment::format_time;
use crate::domain::template::{self, Act, BUILT_IN, State, VersionName, good_name};
use crate::error::Error;
use crate::ports::Prompter as _;
use crate::store::{Store, TemplateRow, Verdict};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Keep the text of a file as a version; it becomes a candidate
    Add {
        /// The template's name
        #[arg(value_name = "NAME")]
        name: String,
        /// The file with the text
        #[arg(long, value_name = "F")]
        file: PathBuf,
    },
    /// List every version and its state
    List {
        /// Only this template
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Print the text of a version
    Show(VersionArg),
    /// Show what changed between two versions
    Diff {
        /// The one, as NAME@V; without @V the champion
        #[arg(value_name = "A")]
        old: String,
        /// The other
        #[arg(value_name = "B")]
        new: String,
    },
    /// Try a candidate out beside the champion, on a part of the new issues
    Canary {
        #[command(flatten)]
        version: VersionArg,
        /// The part of new issues that it gets, above 0 and below 1 [default: canary.fraction]
        #[arg(long, value_name = "F")]
        fraction: Option<f64>,
    },
    /// Show what became of each version's runs, and of each canary
    History {
        /// Only this template
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Make a version the champion
    Promote(VersionArg),
    /// Put a version away for good
    Reject(VersionArg),
}

#[derive(Debug, Clone, Args)]
pub struct VersionArg {
    /// The version, as NAME@NUMBER or NAME@HASH; without one the champion
    #[arg(value_name = "NAME@V")]
    pub version: String,
}

pub fn run(app: &App, command: &TemplateCommand) -> Result<u8, Error> {
    let mut store = app.store()?;
    take_built_in(app, &mut store)?;
    match command {
        TemplateCommand::Add { name, file } => add(app, &mut store, name, file),
        TemplateCommand::List { name } => list(app, &store, name.as_deref()),
        TemplateCommand::Show(arg) => show(app, &store, &arg.version),
        TemplateCommand::Diff { old, new } => diff(app, &store, old, new),
        TemplateCommand::Canary { version, fraction } => canary(app, &mut store, &version.version, *fraction),
        TemplateCommand::History { name } => history::run(app, &store, name.as_deref()),
        TemplateCommand::Promote(arg) => promote(app, &mut store, &arg.version),
        TemplateCommand::Reject(arg) => reject(app, &mut store, &arg.version),
    }
}

/// So that a new installation has its first champion before its first tick. Files of the configuration are left to the
/// ticks.
fn take_built_in(app: &App, store: &mut Store) -> Result<(), Error> {
    for source in app.prompts().sources().into_iter().filter(|s| s.name == BUILT_IN).take(1) {
        let content = source.content.map_err(|e| by_hand(&e))?;
        store.add_template(BUILT_IN, &content, &source.origin, State::Champion, app.now())?;
    }
    Ok(())
}

fn named(name: &str) -> Result<&str, Error> {
    if good_name(name) {
        Ok(name)
    } else {
        Err(Error::usage(format!(
            "\"{}\" is no name for a template: names have 1 to 40 letters, digits, - and _",
            sanitize(name, 60)
        )))
    }
}

/// The one version that a person's word fits.
fn find(store: &Store, text: &str) -> Result<TemplateRow, Error> {
    let wanted = VersionName::parse(text).map_err(Error::usage)?;
    let mut found = store.find_templates(&wanted)?;
    match (found.pop(), found.is_empty()) {
        (Some(row), true) => Ok(row),
        (Some(_), false) => Err(Error::usage(format!("{text} fits several versions"))
            .hint("write more of the hash, or the version's number")),
        (None, _) => {
            let what = if store.templates(Some(&wanted.name))?.is_empty() {
                format!("there is no template {}", wanted.name)
            } else if wanted.which == template::Which::Champion {
                format!("the template {} has no champion", wanted.name)
            } else {
                format!("there is no version {text}")
            };
            Err(Error::usage(what).hint("`offhours template list` shows what there is"))
        }
    }
}

fn item(row: &TemplateRow) -> Value {
    json!({
        "template": row.name, "version": row.version, "label": row.label(), "hash": row.hash, "state": row.state.code(),
        "origin": row.origin, "created_at": row.created_at.0, "changed_at": row.changed_at.0,
    })
}

fn add(app: &App, store: &mut Store, name: &str, file: &std::path::Path) -> Result<u8, Error> {
    let content = read(file).map_err(|e| by_hand(&e))?;
    let origin = file.display().to_string();
    let now = app.now();
    let (row, new) = store.add_template(named(name)?, &content, &origin, State::Candidate, now)?;
    let text = if new {
        let next = if store.champion(name)?.is_some() { "" } else { "; it has no champion yet" };
        format!("{} is kept as a candidate{next}\n", row.full_label())
    } else {
        format!("this is {} already, a {}; nothing was changed\n", row.full_label(), row.state.code())
    };
    let mut item = item(&row);
    if let Value::Object(map) = &mut item {
        map.insert("new".to_owned(), json!(new));
    }
    output::done(&app.global, "template add", &text, &[item]);
    Ok(0)
}

fn list(app: &App, store: &Store, name: Option<&str>) -> Result<u8, Error> {
    let rows = store.templates(name.map(named).transpose()?)?;
    if let (Some(name), true) = (name, rows.is_empty()) {
        return Err(Error::usage(format!("there is no template {name}"))
            .hint("`offhours template list` shows what there is"));
    }
    let line = |row: &TemplateRow| {
        format!(
            "{:24} {:10} since {}  {}\n",
            row.full_label(),
            row.state.code(),
            format_time(row.changed_at),
            sanitize(&row.origin, 60)
        )
    };
    let text: String = rows.iter().map(line).collect();
    output::answer(&app.global, "template list", &text, &rows.iter().map(item).collect::<Vec<_>>());
    Ok(0)
}

fn show(app: &App, store: &Store, version: &str) -> Result<u8, Error> {
    let row = find(store, version)?;
    let mut item = item(&row);
    if let Value::Object(map) = &mut item {
        map.insert("body".to_owned(), json!(row.body));
    }
    output::answer(&app.global, "template show", &row.body, &[item]);
    Ok(0)
}

fn diff(app: &App, store: &Store, old: &str, new: &str) -> Result<u8, Error> {
    let (old, new) = (find(store, old)?, find(store, new)?);
    let lines = template::diff(&old.body, &new.body);
    let changed = lines.iter().any(|(sign, _)| *sign != ' ');
    let mut text = if changed {
        format!("--- {}\n+++ {}\n", old.full_label(), new.full_label())
    } else {
        format!("{} and {} have the same text\n", old.full_label(), new.full_label())
    };
    if changed {
        for (sign, line) in &lines {
            text.push(*sign);
            text.push_str(line);
            text.push('\n');
        }
    }
    let lines: Vec<String> = lines.iter().map(|(sign, line)| format!("{sign}{line}")).collect();
    let item = json!({ "old": old.label(), "new": new.label(), "changed": changed, "lines": lines });
    output::answer(&app.global, "template diff", &text, &[item]);
    Ok(0)
}

/// What the configuration says of canaries, with a fraction given by hand.
fn canary(app: &App, store: &mut Store, version: &str, fraction: Option<f64>) -> Result<u8, Error> {
    let row = find(store, version)?;
    allowed(&row, Act::Canary)?;
    let settings = &app.config.canary;
    let fraction = fraction.unwrap_or(settings.fraction);
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::usage(format!(
            "a fraction of {fraction} is none: it has to be above 0 and below 1"
        )));
    }
    if !app.config.harvest.enabled {
        return Err(Error::usage("harvest is off: a canary would get no issue and never be decided")
            .hint("set `enabled = true` in [harvest]"));
    }
    let Some(champion) = store.champion(&row.name)? else {
        return Err(Error::usage(format!("{} has no champion to compare {} with", row.name, row.label()))
            .hint("`offhours template promote` makes a version champion"));
    };
    let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let params = Params {
        alpha_rollback: settings.alpha_rollback,
        alpha_graduate: settings.alpha_graduate,
        margin: settings.margin,
        min_canary: count(settings.min_canary),
        max_canary: count(settings.max_canary),
    };
    let Some(canary) = store.start_canary(&row, &champion, fraction, params, app.now())? else {
        let other = store.live_canary(&row.name)?;
        let who = other.map(|c| store.template(c.template)).transpose()?.flatten();
        let who = who.map_or_else(|| "another version".to_owned(), |t| t.label());
        return Err(Error::usage(format!("{} has a canary already: {who}", row.name))
            .hint("wait until `harvest` decides, or end it with `offhours template reject`"));
    };
    let text = format!(
        "{} is the canary {} beside {}: it gets {fraction} of new issues, for at most {} runs\n",
        row.label(),
        canary.id,
        champion.label(),
        canary.params.max_canary
    );
    moved(app, store, &row, "template canary", &text)
}

/// Whether a person may do this to the version, in words where not.
fn allowed(row: &TemplateRow, act: Act) -> Result<State, Error> {
    template::by_hand(row.state, act).map_err(|why| Error::usage(format!("{} {why}", row.label())))
}

fn promote(app: &App, store: &mut Store, version: &str) -> Result<u8, Error> {
    let row = find(store, version)?;
    allowed(&row, Act::Promote)?;
    let before = store.champion(&row.name)?;
    if !store.promote_template(&row, app.now())? {
        return Err(Error::usage(format!(
            "the champion of {} is being compared with a canary, and cannot be changed meanwhile",
            row.name
        ))
        .hint("`offhours template history` shows it; `offhours template reject` of the canary ends it"));
    }
    let retired = before.as_ref().map_or(String::new(), |b| format!("; {} is retired", b.label()));
    moved(app, store, &row, "template promote", &format!("{} is the champion now{retired}\n", row.label()))
}

fn reject(app: &App, store: &mut Store, version: &str) -> Result<u8, Error> {
    let row = find(store, version)?;
    allowed(&row, Act::Reject)?;
    if row.state == State::Canary
        && let Some(canary) = store.live_canary(&row.name)?
    {
        let why = format!("{} was rejected by hand", row.label());
        if !store.end_canary(&canary, Verdict::RolledBack, &why, None, app.now())? {
            return Err(Error::later(format!("{} was decided in this moment; look again", row.label())));
        }
        let text = format!("{} is rejected; the canary {} is over\n", row.label(), canary.id);
        return moved(app, store, &row, "template reject", &text);
    }
    if !store.reject_template(&row, app.now())? {
        return Err(Error::later(format!("{} changed in this moment; try again", row.label())));
    }
    moved(app, store, &row, "template reject", &format!("{} is rejected\n", row.label()))
}

fn moved(app: &App, store: &Store, row: &TemplateRow, command: &str, text: &str) -> Result<u8, Error> {
    let now = store.template(row.id)?;
    output::done(&app.global, command, text, &now.iter().map(item).collect::<Vec<_>>());
    Ok(0)
}
