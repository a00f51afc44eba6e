//! What no single key can know: names that must exist elsewhere, and settings that contradict each other.

mod canary;
mod names;
mod runners;
mod servers;
mod upgrades;

use std::collections::BTreeSet;

use toml_edit::TableLike;

use super::read::{Place, Reader};
use super::schema::RunSettings;
use super::settings::{Config, RepoConfig, Runner};
use crate::domain::model::{Landing, RepoId};
use canary::canary;
use names::{NAME_RULE, good_branch, good_name};
use runners::{kind_problems, label_problems, runner_problems, secret_variables};
use servers::{forge_problems, notify_problems, stage_problems};
use upgrades::upgrades;

/// Notes every contradiction. Called only when each key by itself is good.
pub(super) fn check(config: &Config, top: &dyn TableLike, reader: &mut Reader<'_>) {
    let mut note = |at: &[&str], what: String| {
        let line = line_of(top, at, reader);
        reader.problem(line, what);
    };
    for (group, names) in [
        ("forge", config.forges.keys().collect::<Vec<_>>()),
        ("runner", config.runners.keys().collect()),
        ("template", config.templates.keys().collect()),
        ("notify", config.notifiers.keys().collect()),
        ("recipe", config.recipes.keys().collect()),
    ] {
        for name in names.into_iter().filter(|name| !good_name(name)) {
            note(&[group, name], format!("\"{name}\" is no name for a {group}: {NAME_RULE}"));
        }
    }
    labels(config, &mut note);
    if let Some(name) =
        config.global.default_runner.as_ref().filter(|name| !config.runners.contains_key(*name))
    {
        note(&["default_runner"], format!("`default_runner` names \"{name}\": {}", config.no_runner()));
    }
    for (name, notify) in &config.notifiers {
        for wrong in notify_problems(notify) {
            note(&["notify", name], format!("[notify.{name}]: {wrong}"));
        }
    }
    if !good_name(&config.global.default_template) {
        let what = format!("`default_template` = \"{}\": {NAME_RULE}", config.global.default_template);
        note(&["default_template"], what);
    }
    if let (Some(issue), None) = (&config.control.issue, config.control_issue()) {
        let known = issue.rsplit_once('#').map(|(repo, _)| config.repo_id(repo));
        let what = match known {
            Some(Err(what)) => what,
            Some(Ok(_)) | None => "write NAME:owner/repo#N".to_owned(),
        };
        note(&["control", "issue"], format!("`issue` = \"{issue}\" is no issue: {what}"));
    }
    for (name, forge) in &config.forges {
        for what in forge_problems(forge) {
            note(&["forge", name], format!("[forge.{name}]: {what}"));
        }
    }
    canary(config, &mut note);
    let secrets = secret_variables(config);
    for (name, runner) in &config.runners {
        for what in kind_problems(runner).into_iter().chain(runner_problems(&runner.settings, &secrets)) {
            note(&["runner", name], format!("[runner.{name}]: {what}"));
        }
    }
    for (name, what) in label_problems(config) {
        note(&["runner", name, "labels"], format!("[runner.{name}]: {what}"));
    }
    for what in stage_problems(&config.stages) {
        note(&["ci", "stage"], what);
    }
    for what in run_problems(config) {
        note(&[what.0], what.1);
    }
    upgrades(config, &mut note);
    repos(config, top, &secrets, &mut note);
}

/// The line of the deepest of these keys that is there.
fn line_of(top: &dyn TableLike, at: &[&str], reader: &Reader<'_>) -> usize {
    let mut place = Place::top();
    let mut table = top;
    for key in at {
        place.line = reader.line_of(table, key, &place);
        match table.get(key).and_then(toml_edit::Item::as_table_like) {
            Some(below) => table = below,
            None => break,
        }
    }
    place.line
}

fn labels(config: &Config, note: &mut impl FnMut(&[&str], String)) {
    let g = &config.global;
    let labels = [
        ("ready_label", &g.ready_label),
        ("in_progress_label", &g.in_progress_label),
        ("human_label", &g.human_label),
        ("review_label", &g.review_label),
    ];
    for (i, (key, label)) in labels.iter().enumerate() {
        if let Some((other, _)) = labels[..i].iter().find(|(_, earlier)| earlier.eq_ignore_ascii_case(label))
        {
            note(&[key], format!("`{key}` and `{other}` are the same label \"{label}\": give each its own"));
        }
    }
}

fn run_problems(config: &Config) -> Vec<(&'static str, String)> {
    let bad = config.run.branch.as_ref().filter(|branch| !good_branch(branch));
    let branch = bad.map(|branch| ("branch", format!("`branch` = \"{branch}\" is no name of a branch")));
    let pushes = pushes_problem(&config.run).map(|what| ("agent_pushes", what));
    branch.into_iter().chain(pushes).collect()
}

/// Where offhours itself lands the work, nobody else may be at it.
fn pushes_problem(run: &RunSettings) -> Option<String> {
    (run.agent_pushes && run.landing.mode == Landing::Push).then(|| {
        "`agent_pushes` goes with landing = \"pull-request\": with \"push\" only offhours reaches the target branch"
            .to_owned()
    })
}

/// The repo's own table and the name it has in the file.
fn own_table<'t>(top: &'t dyn TableLike, id: &RepoId) -> Option<(String, &'t dyn TableLike)> {
    let tables = top.get("repo")?.as_table_like()?;
    let names = [id.to_string(), id.path()];
    names.into_iter().find_map(|name| tables.get(&name)?.as_table_like().map(|table| (name, table)))
}

fn repos(
    config: &Config,
    top: &dyn TableLike,
    secrets: &BTreeSet<&str>,
    note: &mut impl FnMut(&[&str], String),
) {
    for (id, repo) in &config.repos {
        let name = own_table(top, id).map_or_else(|| id.to_string(), |(name, _)| name);
        let mut say = |what: String| note(&["repo", &name], format!("[repo.\"{name}\"]: {what}"));
        if repo.runner != config.inherited(id, Some(&repo.runner_name)).runner {
            runner_problems(&repo.runner, secrets).into_iter().for_each(&mut say);
            if let Some(runner) = config.runners.get(&repo.runner_name) {
                let runner = Runner { settings: repo.runner.clone(), ..runner.clone() };
                kind_problems(&runner).into_iter().for_each(&mut say);
            }
        }
        if !good_name(&repo.template) {
            say(format!("`template` = \"{}\": {NAME_RULE}", repo.template));
        }
        if repo.stages != config.stages {
            stage_problems(&repo.stages).into_iter().for_each(&mut say);
        }
        if let Some(branch) = repo.run.branch.as_ref().filter(|branch| !good_branch(branch)) {
            say(format!("`branch` = \"{branch}\" is no name of a branch"));
        }
        if repo.run != config.run {
            pushes_problem(&repo.run).into_iter().for_each(&mut say);
        }
    }
    for id in &config.allowlist {
        let repo = config.repo(id);
        let named = own_table(top, id).is_some_and(|(_, table)| table.contains_key("runner"));
        if let Some(what) = runner_choice(config, &repo, named) {
            note(&["allowlist"], what);
        }
    }
}

fn runner_choice(config: &Config, repo: &RepoConfig, named: bool) -> Option<String> {
    let id = &repo.id;
    if config.runners.is_empty() {
        return Some(format!("`allowlist` names {id}, and {}", config.no_runner()));
    }
    let chosen = named || config.global.default_runner.is_some() || config.runners.len() == 1;
    (!chosen).then(|| {
        format!(
            "`allowlist` names {id}, and which of the runners works on it is not said: set `default_runner` at the \
             top, or `runner` in [repo.\"{id}\"]"
        )
    })
}
