//! What forges, CI stages and notifiers need by their kind.

use super::super::schema::{Forge, ForgeKind, Notify, NotifyKind, Stage, StageKind};
use super::names::{NAME_RULE, good_name, no_program, safe_address};
use crate::domain::escape::is_address;

pub(super) fn forge_problems(forge: &Forge) -> Vec<String> {
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

/// What each kind of notifier needs, and what only another kind knows.
pub(super) fn notify_problems(notify: &Notify) -> Vec<String> {
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

pub(super) fn stage_problems(stages: &[Stage]) -> Vec<String> {
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
