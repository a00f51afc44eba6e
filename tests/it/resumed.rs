//! A dispatch that was cut short is looked at again: what held when it was recorded may hold no more.

use super::world::{World, git};

const AGENT: &str = "echo done > work; git add work; git commit -qm work";

/// The tick is ended at the first try of its `act`-th effect: the claim, the workspace, the turn.
fn cut_short(act: u32) -> World {
    let world = World::in_memory();
    world.configure(&["me/app"], "");
    world.agent(&format!("echo turn >> {}; {AGENT}", world.path("turns").display()));
    world.ready("me/app", "Solve it", &[]);
    let crash = format!("tick:state.trying#{act}");
    let killed = world.command(&["tick"]).env("OFFHOURS_CRASH", crash).output().unwrap();
    assert_eq!(killed.status.code(), None, "it is ended in the middle: {killed:?}");
    world.advance(60);
    world
}

fn turns(world: &World) -> usize {
    std::fs::read_to_string(world.path("turns")).unwrap_or_default().lines().count()
}

fn nothing_is_held(world: &World) {
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    let run = world.run_of("me/app#1");
    assert_eq!(run["reason"], "not-started", "{run:#}");
}

#[test]
fn what_still_holds_goes_on() {
    for act in 1..=3 {
        let world = cut_short(act);
        let told = world.until_idle();
        assert_eq!((world.reason("me/app#1").as_str(), turns(&world)), ("landed", 1), "{act}: {told:?}");
    }
}

fn edited(world: &World) {
    let path = world.path("tracker/me/app/issues/0001.md");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("Solve it", "Solve another")).unwrap();
}

/// One that was closed, taken back, changed, or that nothing may start for any more.
#[test]
fn what_changed_since_starts_no_agent() {
    type Change = (&'static str, fn(&World), &'static str);
    let changes: [Change; 6] = [
        ("closed", |w| drop(w.offhours(&["issue", "close", "me/app#1"]).ok()), "the issue is closed"),
        (
            "taken back",
            |w| drop(w.offhours(&["issue", "label", "me/app#1", "--remove", "ready-for-agent"]).ok()),
            "the ready label",
        ),
        ("edited", edited, "its text changed"),
        ("paused", |w| drop(w.offhours(&["pause", "me/app"]).ok()), "paused"),
        ("hours", |w| w.configure(&["me/app"], "dispatch_hours = [\"Mon 03:00-03:01\"]\n---\n"), "hours"),
        ("allowlist", |w| w.configure(&["me/other"], ""), "allowlist"),
    ];
    for (name, change, why) in changes {
        for act in [1, 3] {
            let world = cut_short(act);
            change(&world);
            let tick = world.offhours(&["tick"]);
            world.jobs_end();
            let said = format!("{name} {act}: {}{}", tick.stdout, tick.stderr);
            assert_eq!(turns(&world), 0, "{said}");
            nothing_is_held(&world);
            let shown =
                world.offhours(&["run", "show", world.run_of("me/app#1")["run"].as_str().unwrap()]).ok();
            assert!(shown.stdout.contains(why), "{said}\n{}", shown.stdout);
        }
    }
}

/// Another machine did it meanwhile: the issue is closed, and its commit is on the target.
#[test]
fn what_another_machine_has_landed_is_not_done_again() {
    let world = cut_short(1);
    world.person_pushes("me/app", "work", "theirs\n");
    world.offhours(&["issue", "close", "me/app#1"]).ok();
    world.until_idle();
    assert_eq!(turns(&world), 0);
    assert_eq!(git(&world.bare("me/app"), &["show", "main:work"]), "theirs\n");
    nothing_is_held(&world);
}

/// `watch` by itself goes on with it no less carefully.
#[test]
fn watch_looks_again_too() {
    let world = cut_short(2);
    world.offhours(&["issue", "close", "me/app#1"]).ok();
    world.offhours(&["watch"]);
    assert_eq!(turns(&world), 0);
    nothing_is_held(&world);
}

/// The switch undoes it, also while nobody can be asked about the issue.
#[test]
fn the_switch_undoes_it_without_the_forge() {
    let world = cut_short(3);
    let issues = world.path("tracker/me/app/issues");
    std::fs::rename(&issues, world.path("away")).unwrap();
    std::fs::write(&issues, "no folder").unwrap();
    world.offhours(&["off"]).ok();
    let tick = world.offhours(&["watch"]);
    let said = format!("{}{}", tick.stdout, tick.stderr);
    assert_eq!(turns(&world), 0, "{said}");
    assert_eq!(world.refs("me/app"), ["refs/heads/main"], "{said}");
}
