//! How long the work of ended runs is kept: by days on which ticks were seen, and while an open issue's comment names it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::world::{START, World, find};

const DAY: i64 = 86_400;

/// A folder among the kept work, last written so many days before the clock.
fn kept(world: &World, name: &str, days: i64) -> PathBuf {
    let dir = world.path(&format!("one/salvage/home/me/app/{name}"));
    fs::create_dir_all(&dir).unwrap();
    written(&dir, days);
    dir
}

fn written(dir: &PathBuf, days: i64) {
    let when = format!("@{}", START - days * DAY);
    assert!(Command::new("touch").args(["-d", &when]).arg(dir).status().unwrap().success());
}

/// An issue that is over.
fn closed(world: &World) {
    let number = world.offhours(&["issue", "new", "me/app", "--title", "Over", "--json"]).ok().json();
    let number = number.pointer("/items/0/number").unwrap().to_string();
    world.offhours(&["issue", "close", &format!("me/app#{number}")]).ok();
}

/// A tick on each of the days that come.
fn days(world: &World, count: u32) {
    for _ in 0..count {
        world.advance(DAY);
        world.offhours(&["tick"]);
    }
}

/// An issue whose run was handed back with its work kept, as its comment says.
fn handed_back(world: &World) -> PathBuf {
    world.agent(
        "echo half > half.txt\ngit add half.txt\ngit commit -q -m Half\n\
         echo '{\"outcome\": \"blocked\", \"reason\": \"half done\"}' > \"$OFFHOURS_RESULT\"\n",
    );
    world.ready("me/app", "Some", &[]);
    world.until_idle();
    let bundles = find(&world.path("one/salvage"), "work.bundle");
    let said = world.comments("me/app", 1).pop().unwrap();
    assert!(said.contains(bundles[0].to_str().unwrap()), "{said}");
    let dir = bundles[0].parent().unwrap().to_owned();
    written(&dir, 0);
    dir
}

#[test]
fn kept_work_outlives_a_clock_that_jumps() {
    // Ahead by a year over a midnight, and back; behind by sixty days, and corrected.
    for jumps in [[365 * DAY, DAY, -366 * DAY, DAY], [-60 * DAY, DAY, 60 * DAY, DAY]] {
        let world = World::in_memory();
        closed(&world);
        let dir = kept(&world, "1-young", 1);
        world.tick();
        for jump in jumps {
            world.advance(jump);
            world.tick();
            world.advance(120);
            world.tick();
            assert!(dir.exists(), "{jumps:?}: after {jump}");
        }
    }
}

/// A clock that does not know what day it is counts each of its days once.
#[test]
fn a_clock_that_goes_to_and_fro_ages_nothing() {
    let world = World::in_memory();
    closed(&world);
    let dir = kept(&world, "1-young", 1);
    for _ in 0..40 {
        world.advance(365 * DAY);
        world.tick();
        world.advance(-365 * DAY);
        world.tick();
    }
    assert!(dir.exists());
}

#[test]
fn what_is_kept_goes_after_so_many_days_with_ticks() {
    let world = World::in_memory();
    world.configure(&["home:me/app"], "[retention]\nsalvage_keep_days = 5\n");
    // As old as it may be: what an earlier version kept begins to count at the first tick.
    closed(&world);
    closed(&world);
    let (old, log) = (kept(&world, "1-old", 400), world.path("one/logs/home/me/app/r1"));
    fs::create_dir_all(&log).unwrap();
    let stray = kept(&world, "not-ours", 400);
    world.tick();
    days(&world, 4);
    // A month without a tick is none of these days.
    world.advance(30 * DAY);
    assert!(old.exists() && log.exists());
    let again = kept(&world, "2-again", 0);
    world.tick();
    assert!(!old.exists() && !log.exists());
    assert!(again.exists() && stray.exists(), "a name that offhours does not give is not its to remove");
    // What is written anew counts anew.
    days(&world, 4);
    written(&again, 3);
    days(&world, 5);
    assert!(again.exists());
    days(&world, 1);
    assert!(!again.exists());
}

#[test]
fn what_an_open_issue_names_stays() {
    let world = World::in_memory();
    world.configure(&["home:me/app"], "[retention]\nsalvage_keep_days = 3\n");
    let dir = handed_back(&world);
    days(&world, 8);
    assert!(dir.join("work.bundle").exists(), "its issue is open");
    // What cannot be read is not known to be closed.
    let issues = world.path("tracker/me/app/issues");
    fs::rename(&issues, world.path("away")).unwrap();
    days(&world, 2);
    assert!(dir.join("work.bundle").exists(), "nobody can say whether its issue is open");
    fs::rename(world.path("away"), &issues).unwrap();
    world.offhours(&["issue", "close", "me/app#1"]).ok();
    days(&world, 1);
    assert!(!dir.exists());
}
