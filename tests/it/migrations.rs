//! The state file through the binary: what a person sees when it is new, foreign, damaged, closed or in the way. The rows
//! themselves are tested beside the store, in `src/store/tests.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::world::{START, World};

/// A world whose state file has been made.
fn begun() -> World {
    let world = World::new();
    world.offhours(&["tick"]).ok();
    assert!(world.state().exists());
    world
}

fn version(path: &Path) -> i64 {
    Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn the_first_tick_makes_it_for_its_owner_only() {
    let world = begun();
    assert_eq!(fs::metadata(world.state()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(version(&world.state()) >= 1);
    let answer = world.offhours(&["state", "check"]).ok();
    assert!(answer.stdout.contains("is sound"), "{}", answer.stdout);
    let names: Vec<_> =
        fs::read_dir(world.state().parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(
        !names.iter().any(|n| n.to_string_lossy().contains("before")),
        "a new file needs no copy: {names:?}"
    );
}

#[test]
fn a_newer_format_is_refused() {
    let world = begun();
    let newer = version(&world.state()) + 1;
    Connection::open(world.state()).unwrap().pragma_update(None, "user_version", newer).unwrap();
    let before = fs::read(world.state()).unwrap();
    for args in [["tick"].as_slice(), &["poll"], &["status"], &["pause"], &["run", "list"]] {
        let answer = world.offhours(args);
        assert_eq!(answer.code, 78, "{args:?}: {}", answer.stderr);
        assert!(answer.stderr.contains("was written by a newer offhours"), "{}", answer.stderr);
    }
    assert_eq!(fs::read(world.state()).unwrap(), before, "what it cannot read it does not write");
}

#[test]
fn another_machine_is_refused() {
    let world = begun();
    let config = fs::read_to_string(world.path("config.toml")).unwrap();
    fs::write(world.path("config.toml"), config.replace("machine = \"test\"", "machine = \"other\""))
        .unwrap();
    let answer = world.offhours(&["tick"]);
    assert_eq!(answer.code, 78, "{}", answer.stderr);
    assert!(answer.stderr.contains("was made on another machine"), "{}", answer.stderr);
    assert!(answer.stderr.contains("machine = \"NAME\""), "it names the way out: {}", answer.stderr);
}

#[test]
fn a_damaged_file_is_set_aside_and_the_next_tick_goes_on() {
    let world = begun();
    for side in ["-wal", "-shm"] {
        drop(fs::remove_file(format!("{}{side}", world.state().display())));
    }
    let damage = [b"not a database ".as_slice(), &[7; 5000]].concat();
    fs::write(world.state(), &damage).unwrap();
    let answer = world.offhours(&["tick"]);
    assert_eq!(answer.code, 75, "{}", answer.stderr);
    let aside = world.path(&format!("one/state.corrupt-{START}"));
    assert!(answer.stderr.contains(&aside.display().to_string()), "{}", answer.stderr);
    assert!(answer.stderr.contains("Put a backup in its place"), "{}", answer.stderr);
    assert_eq!(fs::read(&aside).unwrap(), damage);
    // With an empty one: what is ready is still found, and starts once.
    world.ready("me/app", "Write a file", &[]);
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
    assert_eq!(fs::read(&aside).unwrap(), damage, "not a byte of it is changed");
}

/// A file that never was one of ours, named by mistake: what looks leaves it as it is, and so does a tick where it is a
/// database of another program.
#[test]
fn a_file_of_somebody_else_is_refused_and_not_touched() {
    let screens = [vec!["status"], vec!["why"], vec!["run", "list"], vec!["state", "check"], vec!["spend"]];
    for is_database in [false, true] {
        let world = World::new();
        let file = world.state();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        if is_database {
            let conn = Connection::open(&file).unwrap();
            let theirs = "CREATE TABLE customers (name TEXT); CREATE TABLE runs (id TEXT); INSERT INTO runs VALUES ('x')";
            conn.execute_batch(theirs).unwrap();
        } else {
            fs::write(&file, "somebody's words\n".repeat(900)).unwrap();
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let before = fs::read(&file).unwrap();
        let mut lines = screens.to_vec();
        if is_database {
            lines.extend([vec!["tick"], vec!["tick", "--dry-run"]]);
        }
        for line in lines {
            let answer = world.offhours(&line);
            assert!([75, 78].contains(&answer.code), "{line:?}: {} {}", answer.code, answer.stderr);
            assert!(answer.stderr.contains("name another"), "{line:?}: {}", answer.stderr);
            assert!(answer.stderr.lines().count() < 4, "{line:?}: {}", answer.stderr);
            assert_eq!(fs::read(&file).unwrap(), before, "{line:?}");
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644, "{line:?}");
        }
    }
}

#[test]
fn a_place_that_cannot_be_written_is_a_sentence() {
    let world = World::new();
    fs::write(world.path("one"), "a file where the folder should be").unwrap();
    let answer = world.offhours(&["tick"]);
    assert_eq!(answer.code, 75, "no folder, no switch in it: {}", answer.stderr);
    let answer = world.offhours(&["pause"]);
    assert_eq!(answer.code, 75, "{}", answer.stderr);
    assert!(answer.stderr.contains("has no folder, and making it failed"), "{}", answer.stderr);
    fs::remove_file(world.path("one")).unwrap();
    fs::create_dir_all(world.state()).unwrap();
    let answer = world.offhours(&["pause"]);
    assert_eq!(answer.code, 75, "{}", answer.stderr);
    assert!(answer.stderr.contains("is not a file; name another with --state"), "{}", answer.stderr);
}

#[test]
fn a_backup_put_in_its_place_is_gone_on_with() {
    let world = begun();
    world.ready("me/app", "Write a file", &[]);
    world.until_idle();
    let copy = world.path("copy.db");
    world.offhours(&["state", "backup", copy.to_str().unwrap()]).ok();
    let again = world.offhours(&["state", "backup", copy.to_str().unwrap()]);
    assert_eq!(again.code, 64, "a backup overwrites nothing: {}", again.stderr);
    world.lose_state();
    fs::copy(&copy, world.state()).unwrap();
    assert_eq!(world.tick(), Vec::<String>::new(), "nothing is done a second time");
    assert_eq!(
        world.run_of("me/app#1").pointer("/reason").and_then(serde_json::Value::as_str),
        Some("landed")
    );
}

#[test]
fn without_its_state_file_what_is_in_work_is_taken_up_and_not_started_twice() {
    let world = World::new();
    world.agent("sleep 600\n");
    world.ready("me/app", "Something long", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    let lost = world.path("lost");
    fs::create_dir(&lost).unwrap();
    for side in ["", "-wal", "-shm"] {
        drop(fs::rename(format!("{}{side}", world.state().display()), lost.join(format!("state.db{side}"))));
    }
    assert_eq!(world.tick(), ["me/app#1 taken-up"]);
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.reason("me/app#1"), "working");
    world.offhours(&["off", "--now"]).ok();
    world.jobs_end();
    assert_eq!(world.processes(), Vec::<String>::new());
}
