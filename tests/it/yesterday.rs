//! What version 0.1.0 left behind goes on with this version: worlds that it made stand in `tests/fixtures/world-0.1.0`, with
//! the configurations of its `init` and its examples. Each is put up in a fresh folder, and nothing of it is lost.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use super::world::{GOOD_AGENT, World, git, git_program};

const DAY: i64 = 86_400;

fn fixture(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/world-0.1.0").join(below)
}

fn read(below: &str) -> String {
    fs::read_to_string(fixture(below)).unwrap()
}

/// A world as 0.1.0 left it.
struct Yesterday {
    world: World,
    /// Rows of each table.
    rows: BTreeMap<String, i64>,
}

impl Yesterday {
    fn new(name: &str) -> Self {
        let world = World::in_memory();
        let root = world.path("");
        let here = root.to_str().unwrap().trim_end_matches('/');
        world.clear();
        let table: toml::Table = read(&format!("{name}/world.toml")).parse().unwrap();
        for entry in table["entry"].as_array().unwrap() {
            let value = |key: &str| entry.get(key).and_then(toml::Value::as_str);
            let path = world.path(value("path").unwrap());
            let beside = |file: &str| fixture(&format!("{name}/{file}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(text) = value("text") {
                fs::write(&path, text.replace("<world>", here)).unwrap();
            } else if let Some(file) = value("bytes") {
                fs::copy(beside(file), &path).unwrap();
            } else {
                fs::create_dir_all(&path).unwrap();
            }
            fs::set_permissions(&path, Permissions::from_mode(octal(value("mode").unwrap()))).unwrap();
            if let Some(pack) = value("pack") {
                unpack(&path, &beside(pack));
            }
        }
        for dot_git in workspaces(&world.path("one")) {
            git(dot_git.parent().unwrap(), &["read-tree", "HEAD"]);
        }
        let schema = read("schema.sql");
        let (before, after) = schema.split_once("-- ROWS").unwrap();
        let rows = read(&format!("{name}/rows.sql")).replace("<world>", here);
        let conn = Connection::open(world.state()).unwrap();
        conn.execute_batch(&format!("BEGIN;{before}{rows}{after}COMMIT;")).unwrap();
        fs::set_permissions(world.state(), Permissions::from_mode(0o600)).unwrap();
        let rows = count(&conn);
        assert!(rows["meta"] > 0, "{rows:?}");
        Self { world, rows }
    }

    /// It opens, every screen answers, and opening it loses no row.
    #[track_caller]
    fn answers(&self, issues: &[&str]) {
        let world = &self.world;
        world.offhours(&["state", "check"]).ok();
        for screen in ["doctor", "status", "why", "spend"] {
            world.offhours(&[screen]).ok();
            world.offhours(&[screen, "--json"]).ok().json();
        }
        for words in
            [&["config", "check"][..], &["template", "list"], &["lessons", "list"], &["upgrade", "status"]]
        {
            world.offhours(words).ok();
        }
        let list = world.offhours(&["run", "list", "--all"]).ok().stdout;
        for issue in issues {
            assert!(list.contains(issue), "{list}");
            assert_eq!(world.run_of(issue)["issue"], format!("home:{issue}"));
            world.offhours(&["run", "show", issue]).ok();
            world.offhours(&["why", issue]).ok();
        }
        world.offhours(&["tick", "--dry-run"]).ok();
        let now = count(&Connection::open(world.state()).unwrap());
        for (table, rows) in &self.rows {
            assert!(now.get(table) >= Some(rows), "{table}: {rows} became {:?}", now.get(table));
        }
    }

    /// What happened is never less, whatever came after it.
    #[track_caller]
    fn nothing_is_lost(&self) {
        let conn = Connection::open(self.world.state()).unwrap();
        let format: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert!(format > 7, "{format}");
        let now = count(&conn);
        // These say what is so now.
        let present = ["alarms", "backoffs", "holds", "issues", "outages", "parks", "start_failures"];
        for (table, rows) in self.rows.iter().filter(|(table, _)| !present.contains(&table.as_str())) {
            assert!(now.get(table) >= Some(rows), "{table}: {rows} became {:?}", now.get(table));
        }
        assert!(self.world.processes().is_empty());
    }
}

fn octal(text: &str) -> u32 {
    u32::from_str_radix(text, 8).unwrap()
}

fn unpack(repository: &Path, pack: &Path) {
    fs::create_dir_all(repository.join("objects")).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let done = Command::new(git_program())
        .args(["--git-dir=.", "unpack-objects", "-q"])
        .current_dir(repository)
        .stdin(File::open(pack).unwrap())
        .status();
    assert!(done.unwrap().success(), "{}", pack.display());
}

/// Folders `.git` below.
fn workspaces(dir: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    folders.flat_map(|p| if p.ends_with(".git") { vec![p] } else { workspaces(&p) }).collect()
}

fn count(conn: &Connection) -> BTreeMap<String, i64> {
    let mut tables = conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows = |name: &str| {
        conn.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0)).unwrap()
    };
    names.iter().filter(|name| !name.starts_with("lessons_text")).map(|n| (n.clone(), rows(n))).collect()
}

/// One turn was over and nobody had looked; the other went down with its machine, with a commit made.
#[test]
fn runs_at_work_land() {
    let old = Yesterday::new("at-work");
    old.answers(&["me/app#1", "me/lib#1"]);
    let world = &old.world;
    let told = world.until_idle();
    assert_eq!(
        (world.reason("me/app#1"), world.reason("me/lib#1")),
        ("landed".into(), "landed".into()),
        "{told:?}"
    );
    assert_eq!(world.files("me/app"), ["done-1.txt", "test.sh"]);
    assert_eq!(world.files("me/lib"), ["done-1.txt", "half", "test.sh"]);
    assert_eq!((world.claims("me/app"), world.claims("me/lib")), (vec![], vec![]));
    assert_eq!(world.run_of("me/app#1")["turns"], 1);
    old.nothing_is_lost();
}

#[test]
fn a_run_in_review_lands_when_a_person_merges_it() {
    let old = Yesterday::new("in-review");
    old.answers(&["me/app#1"]);
    let world = &old.world;
    assert_eq!((world.tick(), world.reason("me/app#1").as_str()), (vec![], "review"));
    world.offhours(&["pr", "merge", "me/app#2"]).ok();
    assert_eq!(world.until_idle(), ["me/app#1 on-target"]);
    assert_eq!((world.reason("me/app#1").as_str(), world.claims("me/app")), ("landed", vec![]));
    assert!(world.issue_text("me/app", 1).contains("state = \"closed\""));
    old.nothing_is_lost();
}

/// The agent refuses any session but the one that ran into the quota.
#[test]
fn a_parked_run_goes_on_in_its_session() {
    let old = Yesterday::new("parked");
    old.answers(&["me/app#1"]);
    let world = &old.world;
    world.advance(7100);
    assert_eq!((world.tick(), world.reason("me/app#1").as_str()), (vec![], "parked"));
    world.advance(101);
    let told = world.until_idle();
    assert_eq!(world.reason("me/app#1"), "landed", "{told:?}");
    assert_eq!(world.run_of("me/app#1")["attempt"], 1);
    assert!(world.notices().iter().any(|n| n["kind"] == "recovered"));
    old.nothing_is_lost();
}

#[test]
fn a_frozen_run_stays_until_a_person_asks_again() {
    let old = Yesterday::new("frozen");
    old.answers(&["me/app#1"]);
    let world = &old.world;
    world.advance(2 * DAY);
    assert_eq!((world.until_idle(), world.reason("me/app#1").as_str()), (vec![], "same-failure"));
    world.agent(&format!("git rm -q --ignore-unmatch red\n{GOOD_AGENT}"));
    label_again(world);
    let told = world.until_idle();
    assert_eq!(world.reason("me/app#1"), "landed", "{told:?}");
    assert_eq!(world.files("me/app"), ["done-1.txt", "test.sh", "try"], "on top of what was frozen");
    old.nothing_is_lost();
}

fn label_again(world: &World) {
    world.offhours(&["issue", "label", "me/app#1", "--remove", "needs-human"]).ok();
    world.offhours(&["issue", "label", "me/app#1", "--add", "ready-for-agent"]).ok();
}

#[test]
fn kept_work_that_was_handed_back_is_gone_on_with() {
    let old = Yesterday::new("handed-back");
    old.answers(&["me/app#1"]);
    let world = &old.world;
    assert_eq!((world.until_idle(), world.reason("me/app#1").as_str()), (vec![], "agent-blocked"));
    label_again(world);
    let told = world.until_idle();
    assert_eq!(world.reason("me/app#1"), "landed", "{told:?}");
    assert_eq!(world.files("me/app"), ["test.sh", "work-1", "work-2"]);
    old.nothing_is_lost();
}

/// The numbers that 0.1.0 told, and what they come to by the rules that the canary began with, whatever the
/// configuration says now.
#[test]
fn a_canary_keeps_its_numbers_and_its_rules() {
    let old = Yesterday::new("canary");
    old.answers(&["me/app#1", "me/app#2", "me/app#3"]);
    let world = &old.world;
    world.edit_config("min_canary = 2", "min_canary = 20");
    world.edit_config("max_canary = 4", "max_canary = 40");
    world.edit_config("alpha_graduate = 0.5", "alpha_graduate = 0.01");
    let items = |text: &str| serde_json::from_str::<Value>(text).unwrap()["items"].clone();
    for (words, name) in
        [(["harvest", "--json"].as_slice(), "harvest"), (&["template", "history", "--json"], "history")]
    {
        let told = world.plain(&world.offhours(words).ok().stdout);
        assert_eq!(items(&told), items(&read(&format!("canary/{name}.json"))), "{name}");
    }
    for number in 4..=6 {
        assert_eq!(world.ready("me/app", "Write a file", &[]), number);
        world.until_idle();
    }
    let arm = |number: u64| world.run_of(&format!("me/app#{number}"))["route"]["arm"].clone();
    assert_eq!([4, 5, 6].map(arm), ["champion", "champion", "canary"]);
    world.advance(3 * DAY);
    world.until_idle();
    let history = world.offhours(&["template", "history", "implementer"]).ok().stdout;
    assert!(history.contains("graduated"), "{history}");
    old.nothing_is_lost();
}

/// The batch waits for CI's verdict on its first trial. Its registry is gone, and not asked again.
#[test]
fn a_batch_goes_on_to_its_result() {
    let old = Yesterday::new("batch");
    old.answers(&[]);
    let world = &old.world;
    let status = || world.offhours(&["upgrade", "status", "--json"]).ok().json()["items"][0].clone();
    assert_eq!(status()["recipes"][0]["step"], "wait");
    let branch = "refs/heads/upgrade/blog/1.1.0+1.1.0";
    let head = git(&world.bare("recipes/blog"), &["rev-parse", branch]);
    let dir = world.path("tracker/recipes/blog/statuses").join(head.trim());
    fs::create_dir_all(&dir).unwrap();
    let now = fs::read_to_string(world.path("clock")).unwrap();
    let text = format!(
        "context = \"ci\"\nstate = \"success\"\nby = \"ci\"\nurl = \"https://ci.example/1\"\nat = {now}\n"
    );
    fs::write(dir.join("0001.toml"), text).unwrap();
    for _ in 0..4 {
        world.offhours(&["upgrade"]).ok();
        world.advance(60);
    }
    let after = status();
    assert_eq!(
        (&after["recipes"][0]["line"], &after["standing"]),
        (&"RESULT: SUCCESS".into(), &"IDLE".into()),
        "{after}"
    );
    assert_eq!(world.notices().iter().filter(|n| n["kind"] == "upgrade_summary").count(), 1);
    old.nothing_is_lost();
}

/// What `init` wrote and what stood in the examples; no key of them was taken away.
#[test]
fn every_configuration_still_holds() {
    let world = World::new();
    let mut names: Vec<PathBuf> =
        fs::read_dir(fixture("configs")).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 13, "{names:?}");
    let root = world.path("");
    for name in names {
        let text = fs::read_to_string(&name).unwrap();
        fs::write(world.path("config.toml"), text.replace("<world>", root.to_str().unwrap())).unwrap();
        let check = world.offhours(&["config", "check"]);
        assert_eq!(check.code, 0, "{}: {}", name.display(), check.stderr);
    }
}
