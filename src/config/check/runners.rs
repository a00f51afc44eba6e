//! What a runner needs by its kind, which labels it may have, and what its agent may be given.

use std::collections::BTreeSet;

use super::super::schema::{RunnerKind, RunnerSettings};
use super::super::settings::{Config, Runner};
use super::names::no_program;
use crate::domain::secret::SecretSource;

/// Variables of our own environment that hold secrets.
pub(super) fn secret_variables(config: &Config) -> BTreeSet<&str> {
    let sources = config.secrets();
    let variables = sources.iter().filter_map(|(_, source)| match source {
        SecretSource::Env(name) => Some(name.as_str()),
        SecretSource::File(_) | SecretSource::Credential(_) | SecretSource::Command(_) => None,
    });
    variables.collect()
}

/// Each with the runner that it is about.
pub(super) fn label_problems(config: &Config) -> Vec<(&str, String)> {
    let g = &config.global;
    let ours = [&g.ready_label, &g.in_progress_label, &g.human_label];
    let mut wrong = Vec::new();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (name, runner) in &config.runners {
        for label in &runner.labels {
            if label.trim().is_empty() {
                wrong.push((name.as_str(), "`labels` holds an empty label: take it out".to_owned()));
            } else if ours.iter().any(|own| own.eq_ignore_ascii_case(label)) {
                let what =
                    format!("`labels` holds \"{label}\", which has a meaning of its own: choose another");
                wrong.push((name.as_str(), what));
            } else if let Some((other, _)) = seen.iter().find(|(_, known)| known.eq_ignore_ascii_case(label))
            {
                let what = format!(
                    "`labels` holds \"{label}\", and so does [runner.{other}]: give it to one of them"
                );
                wrong.push((name.as_str(), what));
            }
            seen.push((name, label));
        }
    }
    wrong
}

/// What one kind of runner needs and the other does not have.
pub(super) fn kind_problems(runner: &Runner) -> Vec<String> {
    let argv = &runner.settings.argv;
    match (runner.kind, &runner.t3) {
        (RunnerKind::Command, t3) => {
            let mut wrong = Vec::new();
            if no_program(argv) {
                wrong.push("`argv` names no program: write argv = [\"PROGRAM\", \"ARGUMENT\"]".to_owned());
            }
            if t3.is_some() {
                wrong.push("`url`, `token`, `instance` and `model` are for kind = \"t3\"".to_owned());
            }
            wrong
        }
        (RunnerKind::T3, t3) => {
            let t3 = t3.clone().unwrap_or_default();
            let url = t3.url.as_deref().unwrap_or_default();
            let missing = [
                ("url", t3.url.is_none()),
                ("token", t3.token.is_none()),
                ("instance", t3.instance.is_none()),
                ("model", t3.model.is_none()),
            ];
            let mut wrong: Vec<String> = missing
                .iter()
                .filter(|(_, missing)| *missing)
                .map(|(key, _)| format!("a runner of kind \"t3\" needs `{key}`"))
                .collect();
            let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
            let near = local.iter().any(|start| {
                url.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
            });
            if t3.url.is_some() && !near && !url.starts_with("https://") {
                wrong.push(
                    "`url` wants https://, or http:// on this machine (127.0.0.1, localhost)".to_owned(),
                );
            }
            let (own, usual) = (&runner.settings, RunnerSettings::default());
            let command_only = [
                ("argv", own.argv != usual.argv),
                ("profile", own.profile != usual.profile),
                ("prompt", own.prompt != usual.prompt),
                ("session", own.session != usual.session),
                ("stall_seconds", own.stall_seconds != usual.stall_seconds),
                ("price_input_usd_per_million", own.price_input_usd_per_million.is_some()),
                ("price_cached_input_usd_per_million", own.price_cached_input_usd_per_million.is_some()),
                ("price_output_usd_per_million", own.price_output_usd_per_million.is_some()),
            ];
            for (key, _) in command_only.iter().filter(|(_, set)| *set) {
                wrong.push(format!("`{key}` is for kind = \"command\": T3 Code starts the agent itself"));
            }
            wrong
        }
    }
}

pub(super) fn runner_problems(runner: &RunnerSettings, secrets: &BTreeSet<&str>) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in &runner.env {
        let plain = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain {
            wrong.push(format!("`env` holds \"{name}\": it wants names of variables, without values"));
        } else if secrets.contains(name.as_str()) {
            wrong.push(format!(
                "`env` hands {name} to the agent, and that is a secret of offhours: take it out"
            ));
        } else if matches!(name.as_str(), "HOME" | "PATH" | "SSH_AUTH_SOCK") || name.starts_with("OFFHOURS_")
        {
            wrong.push(format!("`env` names {name}, which the agent never gets from you: take it out"));
        }
    }
    for path in &runner.home_files {
        if path.is_empty() || path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..") {
            wrong.push(format!(
                "`home_files` holds \"{path}\": it wants paths below your home, like \".config/tool\""
            ));
        }
    }
    wrong
}
