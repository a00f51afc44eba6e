//! The rules of the house, as tests: who may know whom, what may not be in the code, how long a file may be, and what
//! may lie in the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use graph::{Graph, Source, walk};

#[path = "../../contrib/house/graph.rs"]
mod graph;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    graph::sources(&top().join("src"))
}

/// The rooms that a line names: the word after each `crate::`.
fn rooms_in(line: &str) -> Vec<&str> {
    let word =
        |rest: &'_ str| rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    line.split("crate::").skip(1).map(|rest| &rest[..word(rest)]).collect()
}

/// A file that names a room which is not below its own.
struct Exception {
    file: &'static str,
    room: &'static str,
    why: &'static str,
}

/// At most five, each with its reason.
const EXCEPTIONS: [Exception; 0] = [];

#[test]
fn a_room_names_only_the_rooms_below_it() {
    // Besides these, anything but the domain may name `error` and `boundary`, which know nobody. `app` builds everything
    // out of everything; it alone names `adapters`.
    let may: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("domain", ["domain"].as_slice()),
        ("text", &["text", "domain"]),
        ("ports", &["domain"]),
        ("store", &["store", "domain", "ports"]),
        ("adapters", &["adapters", "domain", "ports", "text"]),
        ("engine", &["engine", "domain", "ports", "store"]),
        ("tick", &["tick", "engine", "text", "domain", "ports", "store"]),
        ("config", &["config", "domain"]),
        ("commands", &["commands", "app", "cli", "config", "domain", "ports", "store", "text", "tick"]),
        ("main", &["commands"]),
        ("error", &[]),
        ("boundary", &[]),
        ("cli", &[]),
    ]);
    let mut used = BTreeSet::new();
    let mut wrong = vec![];
    for source in sources() {
        let Some(allowed) = may.get(source.room()) else {
            assert!(["app", "lib"].contains(&source.room()), "src/{} is in no room", source.name);
            continue;
        };
        for (number, line) in source.code() {
            assert!(
                !line.contains("crate::{"),
                "src/{}:{number}: name each room on a line of its own",
                source.name
            );
            for room in rooms_in(line) {
                let neutral = source.room() != "domain" && ["error", "boundary"].contains(&room);
                let excepted = EXCEPTIONS.iter().find(|e| e.file == source.name && e.room == room);
                used.extend(excepted.map(|e| (e.file, e.room)));
                if !allowed.contains(&room) && !neutral && excepted.is_none() {
                    wrong.push(format!("src/{}:{number} names crate::{room}", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "see src/lib.rs for who may know whom:\n{}", wrong.join("\n"));
    assert!(EXCEPTIONS.len() <= 5, "five exceptions are a rule that is wrong");
    for Exception { file, room, why } in EXCEPTIONS {
        assert!(
            used.contains(&(file, room)),
            "src/{file} does not name crate::{room} any more ({why}): take the exception out"
        );
    }
}

/// A circle that comes back is named here, file by file.
#[test]
fn no_files_name_one_another_in_a_circle() {
    let circles = Graph::of(&sources()).circles();
    let list: Vec<String> = circles.iter().map(|circle| circle.join(" ")).collect();
    assert!(circles.is_empty(), "these files name one another in a circle:\n{}", list.join("\n"));
}

/// What a function touches stands in its signature.
#[test]
fn functions_name_what_they_touch() {
    let whole = Graph::of(&sources()).takes_world;
    assert!(whole.is_empty(), "these take a whole world:\n{}", whole.join("\n"));
}

/// Two crates are let in besides `time`, for what they derive: `thiserror` an error's words, `strum` the words of a closed
/// enum. Nothing else of them is there when the program runs.
#[test]
fn the_domain_knows_std_and_time_only() {
    let manifest: toml::Table = fs::read_to_string(top().join("Cargo.toml")).unwrap().parse().unwrap();
    let let_in = ["time", "thiserror", "strum"];
    let crates: Vec<String> = manifest["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .filter(|name| !let_in.contains(&name.as_str()))
        .map(|name| name.replace('-', "_"))
        .collect();
    assert!(crates.len() > 15, "{crates:?}");
    let rooms = [
        "std::fs",
        "std::process",
        "std::env",
        "std::net",
        "std::thread",
        "std::io",
        "SystemTime",
        "Instant",
        "now_utc",
    ];
    for source in sources().iter().filter(|s| s.room() == "domain") {
        for (number, line) in source.code() {
            for name in rooms.map(str::to_owned).into_iter().chain(crates.iter().map(|c| format!("{c}::"))) {
                let named = line
                    .match_indices(&name)
                    .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
                assert!(!named, "src/{}:{number}: the domain is pure, and names {name}", source.name);
            }
        }
    }
}

/// Files of the domain, the texts and the tick that read text from outside, where a word is all that there is.
const PARSERS: [&str; 15] = [
    "domain/escape.rs",
    "domain/guard/message.rs",
    "domain/guard/path.rs",
    "domain/guard/secret.rs",
    "text/notice.rs",
    "domain/model/name.rs",
    "domain/priority.rs",
    "domain/trust.rs",
    "domain/upgrade/guard.rs",
    "domain/upgrade/recipe.rs",
    "domain/upgrade/verdict.rs",
    "domain/upgrade/version.rs",
    "tick/upgrade/agent.rs",
    "tick/upgrade/bridge.rs",
    "tick/upgrade/plan.rs",
];

/// What else compares words: the file, the word, and why. At most ten.
const WORDS: [(&str, &str, &str); 7] = [
    (
        "domain/lesson/words.rs",
        "\"verify\"",
        "a stage has the name that the configuration gives it, or this one",
    ),
    ("domain/silence.rs", "\"tick\"", "commands are known by their names on the command line"),
    ("domain/silence.rs", "\"poll\"", "commands are known by their names on the command line"),
    ("tick/poll.rs", "\"orphan-label:\"", "the cause of an alarm is a key of the state file"),
    ("tick/poll.rs", "\"stale-claim:\"", "the cause of an alarm is a key of the state file"),
    ("tick/silence.rs", "\"locked:\"", "the cause of an alarm is a key of the state file"),
    ("tick/silence.rs", "\"schedule:\"", "the cause of an alarm is a key of the state file"),
];

/// Nothing decides on a word that has a type: what compares one is named above.
#[test]
fn nothing_decides_on_a_string() {
    let compares = ["== \"", "!= \"", "starts_with(\"", "ends_with(\"", "strip_prefix(\"", "contains(&\""];
    let mut met = BTreeSet::new();
    let mut wrong = vec![];
    for source in sources().iter().filter(|s| ["domain", "text", "engine", "tick"].contains(&s.room())) {
        let parser = PARSERS.iter().find(|file| **file == source.name);
        for (number, line) in source.code() {
            let trimmed = line.trim_start();
            let arm = trimmed.starts_with('"') && trimmed.contains("\" =>");
            let over = trimmed.contains("match ") && trimmed.contains(".as_str() {");
            if !arm && !over && !compares.iter().any(|word| line.contains(word)) {
                continue;
            }
            met.extend(parser.copied());
            let named: Vec<&str> = WORDS
                .iter()
                .filter(|(file, word, _)| *file == source.name && line.contains(word))
                .map(|(_, word, _)| *word)
                .collect();
            if parser.is_none() && named.is_empty() {
                wrong.push(format!("src/{}:{number}: {trimmed}", source.name));
            }
            met.extend(named);
        }
    }
    assert!(wrong.is_empty(), "these decide on a string; give it a type:\n{}", wrong.join("\n"));
    assert!(WORDS.len() <= 10, "more than ten are a type that is missing");
    for (file, word, why) in WORDS {
        assert!(met.contains(word), "src/{file} does not ask for {word} any more ({why}): take it out");
    }
    for file in PARSERS {
        assert!(met.contains(file), "src/{file} reads no words any more: take it out");
    }
}

#[test]
fn selection_and_the_run_machine_do_not_know_lessons() {
    let mut files = vec![];
    walk(&top().join("src/domain"), &mut files);
    let name =
        |path: &Path| path.strip_prefix(top().join("src/domain")).unwrap().to_string_lossy().into_owned();
    files.retain(|path| ["dispatch", "run.", "run/"].iter().any(|start| name(path).starts_with(start)));
    assert!(files.len() >= 3, "{files:?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(
            !text.contains(&["les", "son"].concat()),
            "src/domain/{}: lessons are an observer, never a gate",
            name(&path)
        );
    }
}

/// What a look at a run found is written down by `tick/record.rs`, before anything is decided by it.
#[test]
fn observing_writes_nothing() {
    let sources = sources();
    let observing: Vec<&Source> = sources.iter().filter(|s| s.name.starts_with("tick/observe")).collect();
    assert!(observing.len() >= 5, "{}", observing.len());
    for source in observing {
        for (number, line) in source.code() {
            for word in ["&mut Store", "&mut Log"] {
                assert!(!line.contains(word), "src/{}:{number}: observing only reads: {word}", source.name);
            }
        }
    }
}

/// In which phase a run is, what it waits for and how it ended is changed by the transitions of `domain/run` only.
#[test]
fn a_run_changes_by_its_transitions_only() {
    let words = [
        ".phase = ",
        ".outcome = ",
        ".wait = ",
        "phase: Phase::",
        "outcome: Some(",
        "outcome: None",
        "wait: Some(",
        "wait: None",
        "SET phase",
        "SET outcome",
        "SET wait",
    ];
    let mut wrong = vec![];
    for source in sources() {
        if source.name.starts_with("domain/run") {
            continue;
        }
        for (number, line) in source.code() {
            // In SQL it is a comparison.
            let changes = |word: &str| line.split(word).skip(1).any(|value| !value.starts_with('\''));
            for word in words.iter().filter(|w| changes(w)) {
                wrong.push(format!("src/{}:{number}: {word}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "a transition in src/domain/run does that:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_in_the_code_gives_up_or_is_left_over() {
    let words = [".unwrap()", "todo!", "unimplemented!", "dbg!", "FIXME", "XXX"];
    let mut wrong = vec![];
    for source in sources() {
        for (number, line) in &source.lines {
            for word in words.iter().filter(|w| line.contains(*w)) {
                wrong.push(format!("src/{}:{number}: {word}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "say what went wrong instead:\n{}", wrong.join("\n"));
}

#[test]
fn a_file_can_be_read_in_one_sitting() {
    let mut long: Vec<(usize, String)> = sources().into_iter().map(|s| (s.lines.len(), s.name)).collect();
    long.retain(|(lines, _)| *lines > 400);
    long.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let list: Vec<String> = long.iter().map(|(n, name)| format!("  {n} src/{name}")).collect();
    assert!(
        long.iter().all(|(n, _)| *n <= 500),
        "a file has at most 500 lines without its tests, and is better under 400. Over 400 are:\n{}",
        list.join("\n")
    );
    let main = sources().into_iter().find(|s| s.name == "main.rs").unwrap();
    assert!(main.lines.len() < 60, "main.rs parses, runs, and turns the error into an exit code");
}

/// What git has; everything, where this is not a clone.
fn tracked() -> Vec<String> {
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(top())
        .output();
    if let Ok(list) = list
        && list.status.success()
    {
        let text = String::from_utf8(list.stdout).unwrap();
        return text.split('\0').filter(|f| top().join(f).is_file()).map(str::to_owned).collect();
    }
    let mut all = vec![];
    for room in ["src", "tests", "contrib", "examples"] {
        walk(&top().join(room), &mut all);
    }
    all.iter().map(|p| p.strip_prefix(top()).unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn the_top_of_the_repository_is_tidy() {
    let allowed = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE", "src", "tests", "contrib", "examples"];
    for file in tracked() {
        let first = file.split('/').next().unwrap();
        assert!(
            first.starts_with('.') || allowed.contains(&first),
            "{first} does not belong on top of the repository"
        );
    }
}

/// Whether a path that starts like this stands in the line, and not as the end of another path.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let part = |c: char| c.is_alphanumeric() || "._-~}>*$)/".contains(c);
        !before.is_some_and(part) && !after.is_some_and(|c| c.is_alphanumeric() || "_-".contains(c))
    })
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    // Written apart, so that this file does not name them.
    let paths = [["/wo", "rk"], ["/ro", "ot"], ["/tmp", "/wt"]].map(|p| p.concat());
    let hosts = [
        ["crates", ".io"],
        ["npmjs", ".org"],
        ["pypi", ".org"],
        ["proxy.", "golang"],
        ["docker", ".io"],
        ["ghcr", ".io"],
    ]
    .map(|p| p.concat());
    let makers = [["generated", " with"], ["generated", " by a"]].map(|p| p.concat());
    let mut wrong = vec![];
    for file in tracked() {
        let Ok(text) = fs::read_to_string(top().join(&file)) else { continue };
        for (number, line) in (1usize..).zip(text.lines()) {
            let lower = line.to_lowercase();
            let found = paths.iter().filter(|p| names_path(line, p));
            // Which registry image names without a host mean is a fact of the world, like the host of a forge.
            let means = file == "src/adapters/registry.rs" && line.starts_with("const DEFAULT_HOST");
            let found =
                found.chain(hosts.iter().filter(|h| file != "Cargo.lock" && !means && line.contains(*h)));
            for word in found.chain(makers.iter().filter(|m| lower.contains(*m))) {
                wrong.push(format!("{file}:{number}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "this means something on one machine only:\n{}", wrong.join("\n"));
}

/// Keys of a table and of the tables in it; names that people choose are left out.
fn keys(table: &toml::Table, chosen: bool, found: &mut BTreeSet<String>) {
    for (key, value) in table {
        if !chosen {
            found.insert(key.clone());
        }
        // [forge.NAME], [runner.NAME], [notify.NAME], [template.NAME], [repo.NAME], [recipe.NAME] and the words of
        // `priority`.
        let chosen_names = ["forge", "runner", "notify", "template", "repo", "recipe", "priority"];
        let names = chosen_names.contains(&key.as_str()) && !chosen;
        let inside = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for inner in inside.iter().filter_map(toml::Value::as_table) {
            keys(inner, names, found);
        }
    }
}

#[test]
fn reference_example_and_readme_are_in_step() {
    let told = Command::new(env!("CARGO_BIN_EXE_offhours"))
        .env_clear()
        .args(["config", "reference"])
        .output()
        .unwrap();
    let reference = String::from_utf8(told.stdout).unwrap();
    let known: BTreeSet<&str> = reference.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let headings: BTreeSet<&str> =
        reference.lines().filter_map(|l| l.strip_prefix("  ")).filter(|l| !l.contains(' ')).collect();
    let example = fs::read_to_string(top().join("examples/complete.toml")).unwrap();
    let complete: toml::Table = example.parse().unwrap();
    let mut shown = BTreeSet::new();
    keys(&complete, false, &mut shown);
    // What does not go together with the rest is shown as a comment.
    let aside = example.lines().filter_map(|l| l.strip_prefix("# ")?.split_once(" = "));
    shown.extend(aside.map(|(key, _)| key.to_owned()).filter(|key| !key.contains(' ')));
    assert!(shown.len() > 60, "{}", shown.len());
    let missing: Vec<&String> = shown.iter().filter(|k| !known.contains(k.as_str())).collect();
    assert!(
        missing.is_empty(),
        "in examples/complete.toml, and not in `offhours config reference`: {missing:?}"
    );
    let missing: Vec<&&str> = headings.iter().filter(|k| !shown.contains(**k)).collect();
    assert!(
        missing.is_empty(),
        "in `offhours config reference`, and not in examples/complete.toml: {missing:?}"
    );

    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    let part = readme.split("## Configuration").nth(1).unwrap().split("\n## ").next().unwrap();
    for row in part.lines().filter(|l| l.starts_with("| `")) {
        for key in row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            let last = key.trim_matches(['[', ']']).rsplit('.').next().unwrap();
            assert!(known.contains(last), "the README tells of `{key}`, which is no key");
        }
    }
}

/// Merging is impossible in an upgrade, not asked for; and nothing pushes but what is named here.
#[test]
fn an_upgrade_has_no_way_to_merge_and_four_ways_to_push() {
    let of_upgrades = |name: &str| {
        name.starts_with("tick/upgrade/")
            || name.starts_with("store/upgrade/")
            || ["commands/upgrade.rs", "app/upgrade.rs", "adapters/git/recipe.rs", "store/upgrade.rs"]
                .contains(&name)
            || name.starts_with("domain/upgrade")
    };
    let mut pushes = vec![];
    for source in sources() {
        for (number, line) in source.code() {
            if of_upgrades(&source.name) {
                for word in
                    ["merge_pull", "MergeAnswer", "Merging", "--force\"", "--tags\", \"origin", "refs/tags/{"]
                {
                    assert!(!line.contains(word), "src/{}:{number}: {word}", source.name);
                }
                assert!(
                    !line.contains(".git.push("),
                    "src/{}:{number}: a push that is not one of the four",
                    source.name
                );
            }
            // What upgrades know of a forge.
            if source.name.starts_with("adapters/forge/") && source.name.ends_with("/trials.rs") {
                assert!(!line.contains("merge"), "src/{}:{number}: an upgrade merges nothing", source.name);
            }
            if line.contains("\"git.push\"") {
                pushes.push(source.name.clone());
            }
        }
    }
    pushes.sort();
    pushes.dedup();
    let known = ["adapters/git/claim.rs", "adapters/git/land.rs", "adapters/git/recipe.rs"];
    assert!(pushes.iter().all(|file| known.contains(&file.as_str())), "{pushes:?}");
    let text = fs::read_to_string(top().join("src/adapters/git/recipe.rs")).unwrap();
    assert_eq!(text.matches("\"git.push\"").count(), 1, "the four share one guarded push");
    let ports = fs::read_to_string(top().join("src/ports/recipe.rs")).unwrap();
    let part = |from: &str| ports.split(from).nth(1).unwrap().split("\n}").next().unwrap().to_owned();
    assert!(ports.contains("pub trait RecipeForge: Hosting + PullRequests + Trials {}"));
    assert!(!part("pub trait Trials {").contains("merge"));
    let forge = fs::read_to_string(top().join("src/ports/forge.rs")).unwrap();
    let pulls = forge.split("pub trait PullRequests {").nth(1).unwrap().split("\n}").next().unwrap();
    assert!(!pulls.contains("fn merge"));
    assert_eq!(part("pub trait RecipePush {").matches("    fn ").count(), 4);
}
