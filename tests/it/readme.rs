//! The README is run: what it tells people to type works, in this order, in a fresh home.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use assert_cmd::Command;
use offhours::domain::dispatch::Reason;
use offhours::domain::model::Outcome;
use offhours::domain::run::Wait;
use offhours::domain::trust::TrustReason;
use strum::{VariantArray as _, VariantNames as _};

use super::forge::Dialect;
use super::network_forge::Hub;
use super::world::{World, git};

const README: &str = include_str!("../../README.md");
const GATE: &str = include_str!("../../.ci/run");
const BENCH: &str = include_str!("../../contrib/bench/run.sh");

const QUICKSTART: &str = "./examples/quickstart/run.sh";
const TESTS: &str = "cargo test --features testing";
const BUILD: &str = "cargo build --release";

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of a language, in their order.
fn blocks(language: &str) -> Vec<String> {
    let mut found = vec![];
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(word) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            if word == language {
                found.push(block.join("\n") + "\n");
            }
            assert!(
                ["sh", "sh github", "sh forgejo", "toml", "text"].contains(&word),
                "a block in `{word}` is run by nobody"
            );
        }
    }
    found
}

/// What a person has: git and a shell, a name, an empty home. The binary comes by the README's own `install` line.
fn shell(temp: &Path) -> Command {
    let home = temp.join("home");
    fs::create_dir_all(&home).unwrap();
    let mut command = Command::new("sh");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", &home)
        .env("TMPDIR", temp)
        .env("USER", "me")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("OFFHOURS", env!("CARGO_BIN_EXE_offhours"));
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Me").env(format!("GIT_{who}_EMAIL"), "me@example.test");
    }
    command
}

#[test]
fn the_first_screen_has_the_two_commands() {
    let first: Vec<&str> = README.lines().take(24).collect();
    for command in [QUICKSTART, TESTS] {
        assert!(first.contains(&command), "`{command}` is not on the first screen");
    }
    assert_eq!(blocks("sh")[..2], [format!("{QUICKSTART}\n"), format!("{TESTS}\n")]);
}

#[test]
fn the_gate_calls_the_commands_of_the_readme() {
    let calls = |script: &str, command: &str| {
        script.lines().any(|l| l.trim() == command || l.trim().starts_with(&format!("{command} 2>&1 |")))
    };
    assert!(calls(GATE, TESTS), ".ci/run does not call `{TESTS}`");
    assert!(calls(GATE, QUICKSTART), ".ci/run does not call `{QUICKSTART}`");
    assert!(BENCH.lines().any(|l| l.starts_with(BUILD)), "nothing builds a release");
}

#[test]
fn every_command_works_in_this_order() {
    let temp = tempfile::Builder::new().prefix("offhours-readme-").tempdir().unwrap();
    // What stands for a clone in which the build has been made.
    let clone = temp.path().join("clone");
    fs::create_dir_all(clone.join("target/release")).unwrap();
    symlink(top().join("examples"), clone.join("examples")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_offhours"), clone.join("target/release/offhours")).unwrap();
    let all = blocks("sh").concat();
    // The gate runs these two; here they would build inside the test of the build.
    let lines: Vec<&str> = all.lines().filter(|line| ![TESTS, BUILD].contains(line)).collect();
    let script = lines.join(
        "
",
    ) + "
";
    assert!(!script.contains("cargo "), "a cargo command that nobody runs");
    let output = shell(temp.path()).arg("-eux").current_dir(&clone).write_stdin(script).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "a command of the README failed:\n{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The story that it tells.
    for line in [
        "2 landed, 1 handed back with its work kept",
        "config.toml is good: off (the kill switch is on), 0 repos on the allowlist",
        "home:me/project is armed in",
        "home:me/project#1 done",
        "armed for 1 repo",
        "home:me/project#1: landed",
    ] {
        assert!(told.contains(line), "`{line}` is not in:\n{told}");
    }
    assert!(told.ends_with("Hello, world\n") || told.contains("\nHello, world\n"), "{told}");
    let landed = fs::read_to_string(temp.path().join("home/project/hello.txt")).unwrap();
    assert_eq!(landed, "Hello, world\n");
    let present = |name: &str| temp.path().join("home/.local/state/offhours").join(name).exists();
    for name in ["offhours.db", "offhours.db.lock", "repos", "work", "ci", "homes"] {
        assert!(present(name), "the README says that {name} lies in the state folder");
    }
}

/// In a clone of a repository on a simulated server, whose name does not say what it is.
fn five_minutes(dialect: Dialect) {
    let (hub, kind) = (Hub::new(dialect), dialect.kind());
    hub.sim.model.lock().repo("me/app").labels.clear();
    let temp = hub.world.path("new-user");
    let (home, bin) = (temp.join("home"), temp.join("bin"));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(home.join("app")).unwrap();
    symlink(env!("CARGO_BIN_EXE_offhours"), bin.join("offhours")).unwrap();
    fs::copy(hub.world.path("agent.sh"), bin.join("claude")).unwrap();
    let crontab = "#!/bin/sh\ncase \"$1\" in -l) cat \"$HOME/cron\" 2>/dev/null || { echo no crontab for me >&2; exit 1; } ;; -) cat > \"$HOME/cron\" ;; esac\n";
    let crontab = hub.world.script("crontab", crontab);
    fs::rename(crontab, bin.join("crontab")).unwrap();
    fs::copy(hub.world.path("token"), home.join("token")).unwrap();
    git(&home.join("app"), &["init", "-q", "--initial-branch=main"]);
    git(&home.join("app"), &["remote", "add", "origin", &format!("{}/me/app.git", hub.sim.url)]);
    let block = blocks(&format!("sh {kind}")).concat();
    assert!(block.contains("offhours init "));
    // github.com says what it is by its name.
    let named = block.contains("--forge ");
    let script = if named { block } else { block.replace("offhours init ", "offhours init --forge github ") };
    let run = |script: &str| {
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = shell(&temp);
        command.arg("-eux").env("PATH", path).env("OFFHOURS_CLOCK_FILE", hub.world.path("clock"));
        let output = command.write_stdin(script.to_owned()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        told
    };
    let told = run(&script);
    let token = format!("{kind}: the token is helper's");
    for line in [&token, "me/app is armed in", "made ready-for-agent", "your crontab starts"] {
        assert!(told.contains(line), "`{line}` is not in:\n{told}");
    }
    assert!(fs::read_to_string(home.join("cron")).unwrap().contains(" tick\n"));
    // And then it works: a pull request, as the text says.
    let number = hub.ready("Solve it");
    run("for n in 1 2 3 4; do offhours tick --foreground; done\n");
    let labels = hub.labels(number);
    assert!(labels.contains(&"agent-review".to_owned()), "{labels:?} {}", run("offhours why me/app\n"));
}

#[test]
fn the_five_minutes_of_github_are_true() {
    five_minutes(Dialect::Github);
}

#[test]
fn the_five_minutes_of_forgejo_are_true() {
    five_minutes(Dialect::Forgejo);
}

#[test]
fn every_command_of_the_program_is_told() {
    let help = Command::new(env!("CARGO_BIN_EXE_offhours")).env_clear().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    for name in commands.lines().filter_map(|l| l.strip_prefix("  ")).filter_map(|l| l.split(' ').next()) {
        let told = [format!("`{name}`"), format!("`{name} "), format!("`{name}[")];
        assert!(
            name.is_empty() || told.iter().any(|t| README.contains(t)),
            "the README does not tell of `{name}`"
        );
    }
}

#[test]
fn every_code_is_told() {
    // What is not trusted is told by why.
    let reasons = Reason::VARIANTS.iter().filter(|code| **code != "not-trusted");
    let mut all: Vec<&str> = reasons.chain(TrustReason::VARIANTS).copied().collect();
    all.extend(Wait::VARIANTS.iter().map(|wait| wait.code()));
    all.extend(Outcome::all().map(|outcome| outcome.code()));
    let missing: BTreeSet<&&str> = all.iter().filter(|c| !README.contains(&format!("`{c}`"))).collect();
    assert!(missing.is_empty(), "codes that the README does not explain: {missing:?}");
}

#[test]
fn the_guard_is_there_as_it_says() {
    assert!(README.contains("hands back as `guard-refused`: changes to CI configuration"));
    let world = World::new();
    world.agent("mkdir -p .github/workflows\necho x > .github/workflows/ci.yml\ngit add .github\ngit commit -qm work\n");
    world.ready("me/app", "Change what judges you", &[]);
    let told = world.until_idle();
    assert!(told.contains(&"me/app#1 guard-refused".to_owned()), "{told:?}");
    assert!(!world.files("me/app").iter().any(|f| f.starts_with(".github")), "nothing of it is pushed");
}

#[test]
fn the_configurations_that_it_shows_are_good() {
    let temp = tempfile::Builder::new().prefix("offhours-readme-").tempdir().unwrap();
    let shown = blocks("toml");
    assert!(!shown.is_empty());
    let file = temp.path().join("config.toml");
    let check = |file: &Path| {
        Command::new(env!("CARGO_BIN_EXE_offhours"))
            .env_clear()
            .env("HOME", temp.path())
            .args(["config", "check", "--config"])
            .arg(file)
            .assert()
            .success();
    };
    for text in shown {
        let landing = if text.contains("landing =") { "" } else { "landing = \"push\"\n" };
        let forge =
            if text.contains("[forge.") { "" } else { "\n[forge.home]\nkind = \"local\"\npath = \"x\"\n" };
        let top = if text.contains("kill_switch") { "" } else { "kill_switch = true\n" };
        fs::write(&file, format!("{top}{landing}{text}{forge}")).unwrap();
        check(&file);
    }
    check(&top().join("examples/complete.toml"));
}
