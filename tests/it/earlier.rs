//! A second attempt on work that an earlier one left: the target has moved on, conflicts, has the work already, or was
//! rewritten meanwhile. No attempt is paid for that is known to come to nothing before it begins.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use super::network_forge::{ALL, Hub};
use super::world::{World, git};

/// Knows in `$turn` how many turns there were, over all runs, and keeps what it was told.
fn counting(world: &World, body: &str) {
    world.counting(&format!(
        "echo \"$prompt\" > {}\n\
         into=$(echo \"$prompt\" | sed -n 's/.*`git merge \\([0-9a-f]*\\)`.*/\\1/p')\n\
         blocked() {{ echo '{{\"outcome\": \"blocked\", \"reason\": \"half done\"}}' > \"$OFFHOURS_RESULT\"; }}\n{body}",
        world.path("told").display()
    ));
}

/// One file a turn; the first turns end in the middle.
fn halves(world: &World, blocked: u32) {
    counting(
        world,
        &format!("echo $turn > work-$turn; commit work-$turn; [ $turn -gt {blocked} ] || blocked"),
    );
}

fn turns(world: &World) -> String {
    fs::read_to_string(world.path("count")).unwrap_or_default().trim().to_owned()
}

fn told(world: &World) -> String {
    fs::read_to_string(world.path("told")).unwrap()
}

fn by_push() -> World {
    World::in_memory()
}

/// Work that waits for a review as pull request 2 of issue 1, then stopped by a person: branch and pull request stay.
fn by_pull(agent: impl Fn(&World)) -> World {
    let world = World::in_memory();
    world.configure(&["home:me/app"], "landing = \"pull-request\"\n---\n");
    agent(&world);
    world.ready("me/app", "Two halves", &[]);
    world.until_idle();
    assert_eq!(world.reason("me/app#1"), "review");
    stop(&world);
    world
}

fn stop(world: &World) {
    world.offhours(&["run", "stop", "me/app#1"]).ok();
    world.until_idle();
    assert_eq!(world.reason("me/app#1"), "stopped");
}

fn again(world: &World) -> Vec<String> {
    world.offhours(&["run", "retry", "me/app#1"]).ok();
    world.until_idle()
}

fn run(world: &World) -> Value {
    world.run_of("me/app#1")
}

/// Blocked in its first turn, with its work kept on the salvage branch.
fn begun(world: &World) {
    world.ready("me/app", "Two halves", &[]);
    assert_eq!(world.until_idle(), ["me/app#1 dispatched", "me/app#1 agent-blocked"]);
}

#[test]
fn kept_work_is_gone_on_with_after_the_target_moved() {
    let world = by_push();
    halves(&world, 1);
    begun(&world);
    let left = world.app_git(&["rev-parse", "main"]);
    world.person_pushes("me/app", "other", "a person's\n");
    let done = again(&world);
    assert_eq!(done.last().map(String::as_str), Some("me/app#1 done"), "{done:?}");
    assert_eq!(world.files("me/app"), ["other", "test.sh", "work-1", "work-2"]);
    assert_eq!((turns(&world).as_str(), run(&world)["base"].as_str()), ("2", Some(left.as_str())));
    assert!(told(&world).contains("An earlier run began this work"), "{}", told(&world));
    // All that the run landed is its own, and is taken back whole.
    world.offhours(&["revert", "me/app#1"]).ok();
    world.offhours(&["pr", "merge", "me/app#2"]).ok();
    assert_eq!(world.files("me/app"), ["other", "test.sh"]);
}

#[test]
fn a_pull_request_is_gone_on_with_after_the_target_moved() {
    let world = by_pull(|world| halves(world, 0));
    let (left, branch) = (world.app_git(&["rev-parse", "main"]), world.our_branch("me/app"));
    world.person_pushes("me/app", "other", "a person's\n");
    world.person_pushes_to("me/app", &branch, "theirs", "a person's\n");
    let done = again(&world);
    assert_eq!(done.last().map(String::as_str), Some("me/app#1 await-review"), "{done:?}");
    assert_eq!((run(&world)["base"].as_str(), world.our_branch("me/app")), (Some(left.as_str()), branch));
    world.offhours(&["pr", "merge", "me/app#2"]).ok();
    assert_eq!(world.until_idle(), ["me/app#1 on-target"]);
    assert_eq!(world.files("me/app"), ["other", "test.sh", "theirs", "work-1", "work-2"]);
}

/// Nothing was pushed yet, and the work stands on the salvage branch: it is where the next attempt starts, on a branch of
/// its own.
#[test]
fn work_that_was_kept_before_its_pull_request_is_gone_on_with() {
    for moves in [false, true] {
        let world = World::in_memory();
        world.configure(&["home:me/app"], "landing = \"pull-request\"\n---\n");
        halves(&world, 1);
        begun(&world);
        let left = world.app_git(&["rev-parse", "main"]);
        if moves {
            world.person_pushes("me/app", "other", "a person's\n");
        }
        let done = again(&world);
        assert_eq!(done.last().map(String::as_str), Some("me/app#1 await-review"), "{done:?}");
        assert_eq!((turns(&world).as_str(), run(&world)["base"].as_str()), ("2", Some(left.as_str())));
        assert!(told(&world).contains("An earlier run began this work"), "{}", told(&world));
        let branch = world.our_branch("me/app");
        let pushed = world.app_git(&["ls-tree", "--name-only", &branch]);
        assert_eq!(pushed.split_whitespace().collect::<Vec<_>>(), ["test.sh", "work-1", "work-2"]);
        world.offhours(&["pr", "merge", "me/app#2"]).ok();
        assert_eq!(world.until_idle(), ["me/app#1 on-target"]);
        assert!(world.files("me/app").contains(&"work-1".to_owned()));
    }
}

/// On servers, both landings; who labels again is a person there.
#[test]
fn on_a_server_a_moved_target_is_no_obstacle_either() {
    for dialect in ALL {
        for landing in ["push", "pull-request"] {
            let hub = Hub::new(dialect);
            hub.configure(&["me/app"], &format!("landing = \"{landing}\"\n---\n"));
            let by_push = landing == "push";
            halves(&hub.world, u32::from(by_push));
            let number = hub.ready("Two halves");
            hub.world.until_idle();
            if !by_push {
                assert_eq!(hub.reason(number), "review", "{dialect:?}");
                hub.world.offhours(&["run", "stop", "hub:me/app#1"]).ok();
                hub.world.until_idle();
            }
            hub.world.person_pushes("me/app", "other", "a person's\n");
            {
                let mut model = hub.sim.model.lock();
                model.test_pushes();
                model.label("me/app", number, "needs-human", Some("ada"), false);
                model.label("me/app", number, "ready-for-agent", Some("ada"), true);
            }
            let done = hub.world.until_idle();
            if !by_push {
                assert_eq!(hub.reason(number), "review", "{dialect:?} {done:?}");
                assert!(hub.sim.model.lock().merge("me/app", 2, "ada"));
                hub.world.until_idle();
            }
            assert_eq!(hub.reason(number), "landed", "{dialect:?} {landing} {done:?}");
            assert_eq!(turns(&hub.world), "2");
            assert_eq!(hub.world.files("me/app"), ["other", "test.sh", "work-1", "work-2"]);
        }
    }
}

/// Each attempt ends in the middle, and each time the target moves.
#[test]
fn the_target_may_move_as_often_as_it_likes() {
    let world = by_push();
    halves(&world, 3);
    begun(&world);
    let left = world.app_git(&["rev-parse", "main"]);
    // What the target gained is not the run's: the guard would refuse this one.
    for file in ["other", ".woodpecker.yml"] {
        world.person_pushes("me/app", file, "a person's\n");
        assert_eq!(again(&world), ["me/app#1 dispatched", "me/app#1 agent-blocked"]);
    }
    // A person's commit on the kept work belongs to it.
    let kept = format!("offhours/salvage/1-{}", run(&world)["run"].as_str().unwrap());
    world.person_pushes_to("me/app", &kept, "theirs", "a person's\n");
    world.person_pushes("me/app", "third", "a person's\n");
    let done = again(&world);
    assert_eq!(done.last().map(String::as_str), Some("me/app#1 done"), "{done:?}");
    let files =
        [".woodpecker.yml", "other", "test.sh", "theirs", "third", "work-1", "work-2", "work-3", "work-4"];
    assert_eq!(world.files("me/app"), files);
    assert_eq!(run(&world)["base"].as_str(), Some(left.as_str()));
}

/// The first attempt had merged the target in: what came by that is not its work.
#[test]
fn work_that_was_brought_up_to_date_is_counted_from_there() {
    let world = by_push();
    counting(
        &world,
        "case $turn in 1) echo 1 > work-1; commit work-1;; 2) blocked;; *) git merge -q $into; echo $turn > work-$turn; commit work-$turn;; esac",
    );
    world.ready("me/app", "Two halves", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.person_pushes("me/app", "red", "broken\n");
    let brought = world.app_git(&["rev-parse", "main"]);
    world.jobs_end();
    let done = world.until_idle();
    assert!(done.contains(&"me/app#1 bring-up-to-date".to_owned()), "{done:?}");
    assert_eq!(world.reason("me/app#1"), "agent-blocked", "{done:?}");
    let clone = world.path("person");
    git(&clone, &["rm", "-q", "red"]);
    git(&clone, &["commit", "-q", "-m", "Mended"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    let done = again(&world);
    assert_eq!(run(&world)["base"].as_str(), Some(brought.as_str()), "{done:?}");
    assert_eq!(world.files("me/app"), ["test.sh", "work-1", "work-3"], "{done:?}");
    assert_eq!(world.reason("me/app#1"), "landed");
}

/// Where pushes land it, kept work in conflict is in the way: the next attempt begins anew, before a turn is paid for it.
#[test]
fn kept_work_that_conflicts_is_left_and_said() {
    let world = by_push();
    counting(
        &world,
        "if [ $turn = 1 ]; then echo agent > both; commit both; blocked; else echo $turn > work; commit work; fi",
    );
    begun(&world);
    world.person_pushes("me/app", "both", "person\n");
    let done = again(&world);
    assert_eq!(done.last().map(String::as_str), Some("me/app#1 done"), "{done:?}");
    assert_eq!(
        (world.files("me/app").join(" ").as_str(), turns(&world).as_str()),
        ("both test.sh work", "2")
    );
    assert!(!told(&world).contains("An earlier run"), "{}", told(&world));
    let why = world.plain(&world.offhours(&["why", "me/app#1"]).ok().stdout);
    let said =
        "dispatched: run <run>, begun anew: what is on offhours/salvage/1-<run> and main both changed both";
    assert!(why.contains(said), "{why}");
}

/// A pull request in conflict is gone on with, and the agent knows what to merge.
#[test]
fn a_pull_request_that_conflicts_is_gone_on_with_by_merging() {
    let world = by_pull(|world| {
        counting(
            world,
            "if [ $turn = 1 ]; then echo agent > both; commit both; else\n\
             git merge -q $into || { echo settled > both; git add both; git commit -q -m Settled; }; fi",
        );
    });
    world.person_pushes("me/app", "both", "person\n");
    let target = world.app_git(&["rev-parse", "main"]);
    let done = again(&world);
    assert_eq!(done.last().map(String::as_str), Some("me/app#1 await-review"), "{done:?} {}", told(&world));
    let prompt = told(&world);
    let said = prompt.split("An earlier run").nth(1).unwrap().replace(&target, "<target>");
    insta::assert_snapshot!(said.split("\n\n").next().unwrap(), @r"
     began this work and ended before it was good (`stopped`). Go on from its commits.
    The branch `main` has gone on since, to the commit <target>, which is in this repository. The work cannot land without it: merge it first (`git merge <target>`). Both changed these files; settle what conflicts there:
    ```text
    both
    ```
    ");
    world.offhours(&["pr", "merge", "me/app#2"]).ok();
    assert_eq!(world.until_idle(), ["me/app#1 on-target"]);
    assert_eq!(world.app_git(&["show", "main:both"]), "settled");
    // What the agent merged is the target's own, and stays when the work is taken back.
    world.offhours(&["revert", "me/app#1"]).ok();
    world.offhours(&["pr", "merge", "me/app#3"]).ok();
    assert_eq!(world.app_git(&["show", "main:both"]), "person");
}

/// Red where it started: without what mended the target the work would stay red for ever.
#[test]
fn work_on_a_red_base_is_told_what_mended_it() {
    let world = World::in_memory();
    let deep = "[[ci.stage]]\nname = \"deep\"\nargv = [\"sh\", \"-c\", \"[ ! -e broken ]\"]\n";
    world.configure(&["home:me/app"], &format!("landing = \"pull-request\"\nci.rerun = 0\n---\n{deep}"));
    counting(&world, "[ -z \"$into\" ] || git merge -q $into\necho $turn > work-$turn; commit work-$turn");
    world.person_pushes("me/app", "broken", "red\n");
    world.ready("me/app", "Two halves", &[]);
    let done = world.until_idle();
    assert_eq!(done.last().map(String::as_str), Some("me/app#1 base-red"), "{done:?}");
    let clone = world.path("person");
    git(&clone, &["rm", "-q", "broken"]);
    git(&clone, &["commit", "-q", "-m", "Mended"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    let done = again(&world);
    assert_eq!(done.last().map(String::as_str), Some("me/app#1 await-review"), "{done:?}");
    assert_eq!(turns(&world), "2");
}

/// A person brought the kept work to the target: nothing of it is left to go on with.
#[test]
fn kept_work_that_was_merged_meanwhile_is_not_done_again() {
    for squashed in [false, true] {
        for landing in ["push", "pull-request"] {
            let world = if landing == "push" { by_push() } else { by_pull(|world| halves(world, 0)) };
            let kept = if landing == "push" {
                halves(&world, 1);
                begun(&world);
                format!("offhours/salvage/1-{}", run(&world)["run"].as_str().unwrap())
            } else {
                world.our_branch("me/app")
            };
            world.person_pushes("me/app", "other", "a person's\n");
            let clone = world.path("person");
            let how = if squashed { "--squash" } else { "--no-edit" };
            git(&clone, &["merge", "-q", how, &format!("origin/{kept}")]);
            if squashed {
                git(&clone, &["commit", "-q", "-m", "All of it"]);
            }
            git(&clone, &["push", "-q", "origin", "HEAD:main"]);
            let target = world.app_git(&["rev-parse", "main"]);
            let done = again(&world);
            assert_eq!(turns(&world), "2", "{landing} {squashed} {done:?}");
            assert_eq!(run(&world)["base"].as_str(), Some(target.as_str()), "{landing} {squashed} {done:?}");
            let good = if landing == "push" { "landed" } else { "review" };
            assert_eq!(world.reason("me/app#1"), good, "{landing} {squashed} {done:?}");
        }
    }
}

/// What a person took off the target by rewriting it does not come back with the kept work.
#[test]
fn kept_work_on_commits_that_were_taken_off_the_target_is_left() {
    for landing in ["push", "pull-request"] {
        for unrelated in [false, true] {
            let world = World::in_memory();
            let pulls = landing == "pull-request";
            world.configure(&["home:me/app"], &format!("landing = \"{landing}\"\n---\n"));
            halves(&world, u32::from(!pulls));
            world.person_pushes("me/app", "secret", "hunter2\n");
            world.ready("me/app", "Two halves", &[]);
            world.until_idle();
            if pulls {
                stop(&world);
            }
            let clone = world.path("person");
            git(&clone, &["rm", "-q", "secret"]);
            fs::write(clone.join("other"), "a person's\n").unwrap();
            git(&clone, &["add", "other"]);
            if unrelated {
                git(&clone, &["checkout", "-q", "--orphan", "anew"]);
            }
            git(
                &clone,
                &["commit", "-q", "--amend", "-m", "Without it"]
                    .map(|w| if unrelated && w == "--amend" { "-q" } else { w }),
            );
            git(&clone, &["push", "-q", "-f", "origin", "HEAD:main"]);
            let done = again(&world);
            let what = format!("{landing} {unrelated} {done:?}");
            assert_eq!(turns(&world), "2", "{what}");
            let why = world.plain(&world.offhours(&["why", "me/app#1"]).ok().stdout);
            assert!(why.contains("builds on commits that are on main no more"), "{what} {why}");
            if pulls {
                assert_eq!(world.reason("me/app#1"), "review", "{what}");
                world.offhours(&["pr", "merge", "me/app#3"]).ok();
                world.until_idle();
            }
            assert_eq!(world.reason("me/app#1"), "landed", "{what}");
            assert_eq!(world.files("me/app"), ["other", "test.sh", "work-2"], "{what}");
        }
    }
}

/// A run in flight that version 0.1.0 began: counted from a target that its work does not contain.
#[test]
fn a_run_that_was_begun_by_the_old_rule_is_counted_anew() {
    for landing in ["push", "pull-request"] {
        let pulls = landing == "pull-request";
        let world = if pulls { by_pull(|world| halves(world, 0)) } else { by_push() };
        if !pulls {
            halves(&world, 1);
            begun(&world);
        }
        let left = world.app_git(&["rev-parse", "main"]);
        world.person_pushes("me/app", "other", "a person's\n");
        world.offhours(&["run", "retry", "me/app#1"]).ok();
        assert_eq!(world.tick(), ["me/app#1 dispatched"]);
        world.jobs_end();
        let target = world.app_git(&["rev-parse", "main"]);
        let conn = Connection::open(world.state()).unwrap();
        let changed = "UPDATE runs SET base = ?1 WHERE phase <> 'ended'";
        assert_eq!(conn.execute(changed, [&target]).unwrap(), 1);
        drop(conn);
        let done = world.until_idle();
        let good = if pulls { "review" } else { "landed" };
        assert_eq!(world.reason("me/app#1"), good, "{done:?}");
        assert_eq!((run(&world)["base"].as_str(), turns(&world).as_str()), (Some(left.as_str()), "2"));
    }
}

/// An agent that rewrites what it was given is still found out.
#[test]
fn history_that_the_agent_rewrote_is_still_refused() {
    let world = by_push();
    counting(
        &world,
        "if [ $turn = 1 ]; then echo 1 > work-1; commit work-1; blocked; else\n\
         git checkout -q --orphan anew; git commit -q -m 'All new'; fi",
    );
    begun(&world);
    world.person_pushes("me/app", "other", "a person's\n");
    let done = again(&world);
    assert_eq!(done, ["me/app#1 dispatched", "me/app#1 workspace-unreadable"]);
}

/// Started by hand, and taken up after a lost state file: the same way.
#[test]
fn however_it_is_started_it_goes_on_with_what_was_left() {
    let world = by_push();
    halves(&world, 2);
    begun(&world);
    world.person_pushes("me/app", "other", "a person's\n");
    world.offhours(&["run", "retry", "me/app#1"]).ok();
    world.offhours(&["run", "once", "me/app#1", "--foreground"]).ok();
    assert_eq!((world.reason("me/app#1").as_str(), turns(&world).as_str()), ("agent-blocked", "2"));
    world.person_pushes("me/app", "another", "a person's\n");
    world.offhours(&["run", "retry", "me/app#1"]).ok();
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.jobs_end();
    world.lose_state();
    let done = world.until_idle();
    assert_eq!(
        world.files("me/app"),
        ["another", "other", "test.sh", "work-1", "work-2", "work-3"],
        "{done:?}"
    );
}

/// An agent that pushes by itself and merges what it was told to is no stranger on its branch; who merges there without
/// the run's trailer is.
#[test]
fn what_came_from_the_target_is_no_strangers_commit() {
    for trailer in ["Offhours-Run: $OFFHOURS_RUN", "By hand"] {
        let world = World::in_memory();
        world.configure(&["home:me/app"], "landing = \"pull-request\"\nagent_pushes = true\n---\n");
        let push = format!("git push -q {} HEAD:refs/heads/$branch", world.bare("me/app").display());
        counting(
            &world,
            &format!(
                "branch=$(git symbolic-ref --short HEAD)\n\
                 if [ $turn = 1 ]; then echo agent > both; git add both; git commit -q -m \"Offhours-Run: $OFFHOURS_RUN\"; else\n\
                 git merge -q $into || {{ echo settled > both; git add both; git commit -q -m \"{trailer}\"; }}; fi\n{push}"
            ),
        );
        world.ready("me/app", "Two halves", &[]);
        world.until_idle();
        stop(&world);
        world.person_pushes("me/app", "both", "person\n");
        again(&world);
        let wanted = if trailer == "By hand" { "human-took-over" } else { "review" };
        assert_eq!(world.reason("me/app#1"), wanted);
    }
}
