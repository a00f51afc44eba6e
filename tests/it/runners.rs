//! Several runners in one configuration: who works on what, how many at once, and what happens when one is down.

use std::fs;

use super::world::{GOOD_AGENT, World, kill};

/// The usual agent says its name first.
fn world(tables: &str) -> World {
    let world = World::new();
    for repo in ["me/lib", "me/web"] {
        world.repo(repo);
    }
    world.agent(&format!("echo \"$WHO\" > who; git add who\n{GOOD_AGENT}"));
    let one = |name: &str| {
        world.script(
            &format!("{name}.sh"),
            &format!("#!/bin/sh\nexport WHO={name}\nexec {}\n", world.path("agent.sh").display()),
        )
    };
    let (small, big) = (one("small"), one("big"));
    let all = ["home:me/app", "home:me/lib", "home:me/web"];
    let text = format!(
        "max_running = 3\ndefault_runner = \"small\"\n---\n[runner.small]\nargv = [\"{}\"]\n[runner.big]\nargv = [\"{}\"]\n{tables}",
        small.display(),
        big.display()
    );
    world.configure(&all, &text);
    world
}

fn who(world: &World, repo: &str) -> String {
    super::world::git(&world.bare(repo), &["show", "main:who"]).trim().to_owned()
}

#[test]
fn a_repo_has_its_runner_and_a_label_asks_for_another() {
    let world = world("labels = [\"agent:big\"]\n[repo.\"home:me/lib\"]\nrunner = \"big\"\n");
    world.ready("me/app", "Small work", &[]);
    world.ready("me/lib", "Work of this repo", &[]);
    world.ready("me/web", "Big work", &["--label", "agent:BIG"]);
    world.until_idle();
    assert_eq!(["me/app", "me/lib", "me/web"].map(|repo| who(&world, repo)), ["small", "big", "big"]);
    assert_eq!(world.run_of("me/web#1")["runner"], "big");
}

#[test]
fn a_runner_has_a_room_of_its_own() {
    let world = world("max_running = 1\nlabels = [\"big\"]\n[repo.\"home:me/lib\"]\nrunner = \"big\"\n");
    world.ready("me/app", "Big work", &["--label", "big", "--priority", "9"]);
    world.ready("me/lib", "Work of this repo", &[]);
    world.ready("me/web", "Small work", &[]);
    assert_eq!(world.poll(), ["me/app#1 dispatched", "me/lib#1 runner-full", "me/web#1 dispatched"]);
    world.jobs_end();
    let told = world.until_idle();
    assert!(told.contains(&"me/lib#1 done".to_owned()), "{told:?}");
}

/// The program of one is gone: its account is parked after the second try, and the others' work goes on.
#[test]
fn one_that_is_down_holds_up_only_its_own() {
    let world = world("labels = [\"big\"]\n[repo.\"home:me/lib\"]\nrunner = \"big\"\n");
    fs::remove_file(world.path("big.sh")).unwrap();
    world.ready("me/lib", "Work of this repo", &[]);
    world.ready("me/web", "Big work", &["--label", "big"]);
    world.ready("me/app", "Small work", &[]);
    world.tick();
    world.jobs_end();
    world.advance(120);
    let mut told = world.until_idle();
    told.extend(world.until_idle());
    assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{told:?}");
    assert_eq!([world.reason("me/lib#1"), world.reason("me/web#1")], ["parked", "parked"]);
    // Back, and cleared by a person.
    world.script("big.sh", &format!("#!/bin/sh\nWHO=big exec {}\n", world.path("agent.sh").display()));
    world.offhours(&["resume"]).ok();
    world.advance(7200);
    world.until_idle();
    assert_eq!(["me/lib", "me/web"].map(|repo| who(&world, repo)), ["big", "big"]);
}

/// The supervisor dies before the turn's end is told: the session that the agent had named is gone on with.
#[test]
fn a_session_outlives_the_supervisor_of_its_turn() {
    let world = World::new();
    let script = world.path("agent.sh");
    let tables = format!("[runner.agent]\nprofile = \"claude\"\nargv = [\"{}\"]\n", script.display());
    world.configure(&["home:me/app"], &tables);
    let (asked, said) = (world.path("asked"), world.path("said"));
    world.agent(&format!(
        "echo \"$*\" >> {1}\nif [ ! -e {0} ]; then\n\
         echo '{{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s-77\"}}'\n\
         while [ ! -e {2}/jobs/*/session.json ]; do sleep 0.02; done\ntouch {0}; while :; do sleep 600; done; fi\n{GOOD_AGENT}",
        asked.display(),
        said.display(),
        "\"$PWD/..\""
    ));
    world.ready("me/app", "Some work", &[]);
    world.tick();
    world.wait_for("asked");
    for supervisor in world.supervisors() {
        kill(supervisor);
    }
    world.jobs_end();
    let told = world.until_idle();
    assert!(told.contains(&"me/app#1 done".to_owned()), "{told:?}");
    let said = fs::read_to_string(said).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines, ["--max-budget-usd 10.00", "--resume s-77 --max-budget-usd 10.00"]);
}
