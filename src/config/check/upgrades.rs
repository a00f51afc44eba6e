//! What upgrades and their recipes name, and what the bridge needs.

use super::super::schema::RunnerKind;
use super::super::settings::Config;
use super::names::{good_branch, no_program};

pub(super) fn upgrades(config: &Config, note: &mut impl FnMut(&[&str], String)) {
    let up = &config.upgrade;
    for name in up.enrolled.iter().filter(|name| !config.recipes.contains_key(*name)) {
        let what = format!("`enrolled` names the recipe \"{name}\", and there is no [recipe.{name}]: add it");
        note(&["upgrade", "enrolled"], what);
    }
    let trigger = up.trigger.as_str();
    if trigger.is_empty() || trigger.trim() != trigger || trigger.chars().any(char::is_control) {
        note(&["upgrade", "trigger"], "`trigger` wants one line of text without blanks around it".to_owned());
    }
    if up.status_context.is_empty() {
        note(
            &["upgrade", "status_context"],
            "`status_context` is empty: name the context that CI reports as".to_owned(),
        );
    }
    if up.version_label.is_empty() || up.version_label.contains(['=', '\n']) {
        note(
            &["upgrade", "version_label"],
            "`version_label` wants the name of a label, without its value".to_owned(),
        );
    }
    if let Some(name) = up.runner.as_ref().filter(|name| !config.runners.contains_key(*name)) {
        note(
            &["upgrade", "runner"],
            format!("`runner` in [upgrade] names \"{name}\": {}", config.no_runner()),
        );
    }
    let of_t3 =
        |name: &&String| config.runners.get(*name).is_some_and(|runner| runner.kind == RunnerKind::T3);
    if let Some(name) = up.runner.as_ref().filter(of_t3) {
        note(
            &["upgrade", "runner"],
            format!(
                "`runner` in [upgrade] names \"{name}\", which is of kind \"t3\": name one of kind \"command\""
            ),
        );
    }
    let bridge = &config.bridge;
    let wrong = match &bridge.workflow {
        _ if !bridge.enabled => None,
        None => no_program(&bridge.argv).then_some(
            "[upgrade.bridge] is enabled and has no `argv`: name the CI's program, or a `workflow` of the mirror",
        ),
        Some(_) if !bridge.argv.is_empty() => {
            Some("[upgrade.bridge] has `argv` and `workflow`: one of them starts the CI")
        }
        Some(name) => (name.is_empty() || name.contains(['/', '\\', '?', '#']))
            .then_some("`workflow` in [upgrade.bridge] is no file name; write it as \"test.yml\""),
    };
    if let Some(what) = wrong {
        note(&["upgrade", "bridge"], what.to_owned());
    }
    for (name, recipe) in &config.recipes {
        let repos = std::iter::once(&recipe.mirror).chain(&recipe.tests);
        for repo in repos {
            if let Err(why) = config.repo_id(repo) {
                note(&["recipe", name], format!("[recipe.{name}]: {why}"));
            }
        }
        if recipe.upstream.is_empty() || recipe.upstream.starts_with('-') {
            note(&["recipe", name, "upstream"], format!("[recipe.{name}]: `upstream` is no address"));
        }
        if !good_branch(&recipe.main_branch) {
            note(
                &["recipe", name, "main_branch"],
                format!("[recipe.{name}]: `main_branch` is no name of a branch"),
            );
        }
    }
}
