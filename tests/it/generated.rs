//! Files in `contrib/` that are made from the program: each is compared, and made anew with `REGENERATE=1`.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use offhours::commands::Cli;
use offhours::commands::manual;
use offhours::domain::schedule::{self, Actions, Plan};

/// Compares a file with what the program says; with `REGENERATE=1` writes it.
#[track_caller]
fn same(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("REGENERATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == text,
        "{path} is old: run `REGENERATE=1 cargo test --features testing --test it generated::`"
    );
}

#[test]
fn what_schedule_prints_lies_in_contrib() {
    let plan = Plan::usual();
    for (path, text) in [
        ("contrib/cron/crontab", schedule::crontab_block(&plan)),
        ("contrib/systemd/user/offhours.service", schedule::user_service(&plan)),
        ("contrib/systemd/user/offhours.timer", schedule::timer(&plan, "systemd-user")),
        ("contrib/systemd/system/offhours.service", schedule::system_service(&plan)),
        ("contrib/systemd/system/offhours.timer", schedule::timer(&plan, "systemd-system")),
        ("contrib/kubernetes/cronjob.yaml", schedule::kubernetes(&plan)),
        ("contrib/ci/github.yml", schedule::workflow(&plan, Actions::Github)),
        ("contrib/ci/forgejo.yml", schedule::workflow(&plan, Actions::Forgejo)),
    ] {
        same(path, &text);
    }
}

#[test]
fn completions_and_manual_pages_lie_in_contrib() {
    use clap_complete::Shell;
    for (shell, name) in
        [(Shell::Bash, "offhours.bash"), (Shell::Zsh, "_offhours"), (Shell::Fish, "offhours.fish")]
    {
        same(&format!("contrib/completions/{name}"), &manual::completion_script(shell, Cli::command()));
    }
    let pages = manual::pages(Cli::command()).unwrap();
    for (name, text) in &pages {
        same(&format!("contrib/man/{name}"), text);
    }
    // A page of a command that is gone goes, too.
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/man");
    for entry in fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            pages.iter().any(|(page, _)| *page == name),
            "contrib/man/{name} is of no command: remove it"
        );
    }
}
