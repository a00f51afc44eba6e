//! What no single key can know: names that must exist elsewhere, and settings that contradict each other.

use std::collections::BTreeSet;

use toml_edit::TableLike;

use super::read::{Place, Reader};
use super::schema::{
    Forge, ForgeKind, Notify, NotifyKind, RunSettings, RunnerKind, RunnerSettings, Stage, StageKind,
};
use super::settings::{Config, RepoConfig, Runner};
use crate::domain::message::notice::is_address;
use crate::domain::model::{Landing, RepoId};
use crate::domain::secret::SecretSource;

/// Names become file names, parts of ids and words in messages.
const NAME_RULE: &str = "names have 1 to 40 letters, digits, - and _";

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

fn upgrades(config: &Config, note: &mut impl FnMut(&[&str], String)) {
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

/// What the ranges of single keys cannot say.
fn canary(config: &Config, note: &mut impl FnMut(&[&str], String)) {
    let c = &config.canary;
    for (key, value) in [
        ("fraction", c.fraction),
        ("margin", c.margin),
        ("alpha_rollback", c.alpha_rollback),
        ("alpha_graduate", c.alpha_graduate),
    ] {
        if !(value > 0.0 && value < 1.0) {
            note(
                &["canary", key],
                format!("`{key}` in [canary] is {value}: it has to be above 0 and below 1"),
            );
        }
    }
    if c.max_canary < c.min_canary {
        let what =
            format!("`max_canary` in [canary] is {}, below `min_canary`, {}", c.max_canary, c.min_canary);
        note(&["canary", "max_canary"], what);
    }
    let h = &config.harvest;
    if h.horizon_days < h.survival_days {
        let what = format!(
            "`horizon_days` in [harvest] is {}, below `survival_days`, {}",
            h.horizon_days, h.survival_days
        );
        note(&["harvest", "horizon_days"], what);
    }
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

fn good_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn no_program(argv: &[String]) -> bool {
    argv.first().is_none_or(String::is_empty)
}

fn forge_problems(forge: &Forge) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |what: &str| wrong.push(what.to_owned());
    match forge.kind {
        ForgeKind::Local => {
            if forge.path.is_none() {
                say("a local forge needs `path`, the directory that holds its trackers");
            }
            let network = [
                forge.url.is_some(),
                forge.token.is_some(),
                forge.app_id.is_some() || forge.app_key.is_some() || forge.app_installation.is_some(),
                forge.api_url.is_some(),
                forge.git_url.is_some(),
            ];
            if network.contains(&true) {
                say(
                    "a local forge has only `path`: take `url`, `token`, `app_...`, `api_url` and `git_url` out",
                );
            }
        }
        ForgeKind::Github | ForgeKind::Forgejo | ForgeKind::Gitea => {
            if forge.kind != ForgeKind::Github && forge.url.is_none() {
                say("`url` is missing: where the server is, such as https://codeberg.org");
            }
            if forge.path.is_some() {
                say("`path` is for a local forge: take it out");
            }
            let app = forge.app_id.is_some() || forge.app_key.is_some();
            if app && forge.kind != ForgeKind::Github {
                say("`app_id` and `app_key` are for kind = \"github\": write token = { env = \"NAME\" }");
            } else if app && forge.token.is_some() {
                say("either `token`, or `app_id` and `app_key`: take one of them out");
            } else if app && (forge.app_id.as_ref().is_none_or(String::is_empty) || forge.app_key.is_none()) {
                say("an app needs both, `app_id` and `app_key`");
            } else if !app && forge.app_installation.is_some() {
                say("`app_installation` goes with `app_id` and `app_key`");
            } else if !app && forge.token.is_none() {
                say("`token` is missing: write token = { env = \"NAME\" }");
            }
            for (key, url) in [("url", &forge.url), ("api_url", &forge.api_url)] {
                if url.as_ref().is_some_and(|url| !safe_address(url)) {
                    say(&format!(
                        "`{key}` has to begin with https:// (http:// only for this machine), without a name, a password or a slash at its end"
                    ));
                }
            }
            if let Some(git) = &forge.git_url {
                if !git.contains("{owner}") || !git.contains("{name}") {
                    say("`git_url` needs {owner} and {name} in it");
                }
                if git.starts_with("http") && !safe_address(git) {
                    say(
                        "`git_url` has to begin with https:// (http:// only for this machine), without a name or a password",
                    );
                }
            }
        }
    }
    wrong
}

/// An address that a token may be sent to.
fn safe_address(url: &str) -> bool {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return false,
    };
    let host = rest.split('/').next().unwrap_or_default();
    let bare = host.strip_prefix('[').map_or_else(
        || host.split(':').next().unwrap_or_default(),
        |rest| rest.split(']').next().unwrap_or_default(),
    );
    let here = matches!(bare, "localhost" | "::1")
        || bare.strip_prefix("127.").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'));
    let plain = !bare.is_empty()
        && !url.ends_with('/')
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || "@?#\\".contains(c));
    plain && (secure || here)
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

/// What each kind of notifier needs, and what only another kind knows.
fn notify_problems(notify: &Notify) -> Vec<String> {
    let kind = notify.kind;
    let http = matches!(kind, NotifyKind::Webhook | NotifyKind::Slack | NotifyKind::Ntfy);
    let mail = kind == NotifyKind::Email;
    let mut wrong = vec![];
    let word = match kind {
        NotifyKind::Command => "a command",
        NotifyKind::Webhook => "a webhook",
        NotifyKind::Slack => "slack",
        NotifyKind::Ntfy => "ntfy",
        NotifyKind::Email => "email",
    };
    if kind == NotifyKind::Command && no_program(&notify.argv) {
        wrong.push("a command needs `argv`, with a program first".to_owned());
    }
    if mail && notify.argv.first().is_some_and(String::is_empty) {
        wrong.push("email has an `argv` without a program".to_owned());
    }
    if http && notify.url.is_none() {
        wrong.push(format!("{word} needs `url`, which is a secret"));
    }
    if mail && notify.to.is_empty() {
        wrong.push("email needs `to`, a list of addresses".to_owned());
    }
    for (key, given, wanted) in [
        ("url", notify.url.is_some(), http),
        ("argv", !notify.argv.is_empty(), kind == NotifyKind::Command || mail),
        ("token", notify.token.is_some(), kind == NotifyKind::Ntfy),
        ("to", !notify.to.is_empty(), mail),
        ("from", notify.from != Notify::default().from, mail),
    ] {
        if given && !wanted {
            wrong.push(format!("{word} has no `{key}`: take it out"));
        }
    }
    for address in notify.to.iter().chain([&notify.from]).filter(|a| !is_address(a)) {
        wrong.push(format!("\"{}\" is no mail address", address.escape_debug()));
    }
    wrong
}

/// Variables of our own environment that hold secrets.
fn secret_variables(config: &Config) -> BTreeSet<&str> {
    let sources = config.secrets();
    let variables = sources.iter().filter_map(|(_, source)| match source {
        SecretSource::Env(name) => Some(name.as_str()),
        SecretSource::File(_) | SecretSource::Credential(_) | SecretSource::Command(_) => None,
    });
    variables.collect()
}

/// Each with the runner that it is about.
fn label_problems(config: &Config) -> Vec<(&str, String)> {
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
fn kind_problems(runner: &Runner) -> Vec<String> {
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

fn runner_problems(runner: &RunnerSettings, secrets: &BTreeSet<&str>) -> Vec<String> {
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

fn stage_problems(stages: &[Stage]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (i, stage) in stages.iter().enumerate() {
        let name = &stage.name;
        if !good_name(name) {
            wrong.push(format!("\"{name}\" is no name for a CI stage: {NAME_RULE}"));
        }
        if stages[..i].iter().any(|earlier| earlier.name == *name) {
            wrong.push(format!("two CI stages are called \"{name}\": give each its own name"));
        }
        match stage.kind {
            StageKind::Command if no_program(&stage.argv) => {
                wrong.push(format!("the CI stage \"{name}\" needs `argv`, with a program first"));
            }
            StageKind::Forge if !stage.argv.is_empty() => {
                wrong.push(format!(
                    "the CI stage \"{name}\" is the forge's own and has no `argv`: take it out"
                ));
            }
            StageKind::Command | StageKind::Forge | StageKind::Woodpecker | StageKind::Drone => {}
        }
        let server = matches!(stage.kind, StageKind::Woodpecker | StageKind::Drone);
        if !server && (stage.url.is_some() || stage.token.is_some()) {
            wrong.push(format!("the CI stage \"{name}\" has no server: take `url` and `token` out"));
        }
        if server && (stage.token.is_none() || !stage.argv.is_empty()) {
            wrong.push(format!("the CI stage \"{name}\" needs `url` and `token`, and no `argv`"));
        }
        if server && !stage.url.as_ref().is_some_and(|url| safe_address(url)) {
            wrong.push(format!(
                "`url` of the CI stage \"{name}\" has to begin with https:// (http:// only for this machine), without a \
                 name, a password or a slash at its end"
            ));
        }
    }
    wrong
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

/// The part of git's rules that keeps a name from being an option, a range or a path out of `refs/heads`.
fn good_branch(name: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.chars().any(strange)
        && !["..", "//", "@{", "/."].iter().any(|part| name.contains(part))
        && name.rsplit('.').next() != Some("lock")
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
