//! After the landing, and beside it: a change taken back, everything stopped from an issue, work that is gone on with.

use std::fs;

use super::world::{World, git};

#[test]
fn what_was_landed_by_push_is_taken_back_by_a_pull_request() {
    let world = World::new();
    world.ready("me/app", "Write a file", &[]);
    world.until_idle();
    world.person_pushes("me/app", "later", "a person's\n");
    let plan = world.offhours(&["revert", "me/app#1", "--dry-run"]).ok();
    assert!(
        plan.stdout.contains("would open the pull request that takes the change back"),
        "{}",
        plan.stdout
    );
    let answer = world.offhours(&["revert", "me/app#1"]).ok();
    assert!(answer.stdout.contains("pull request #2 takes run"), "{}", answer.stdout);
    assert!(world.issue_text("me/app", 1).contains("state = \"open\""));
    let again = world.offhours(&["revert", "me/app#1"]).ok();
    assert!(again.stdout.contains("pull request #2"), "asked again it is the same one: {}", again.stdout);
    assert!(!world.bare("me/app").parent().unwrap().join("pulls/0003.md").exists());
    assert_eq!(world.until_idle(), Vec::<String>::new(), "it is not ready again by itself");
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &[]), @"
    done: 
    issue: open []
    notices: me/app#1: landed

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    home:me/app#1: landed (run <run>)
      next: Nothing is to be done.
      because: landed
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: landed

    home:me/app#2  Revert the work on #1
    state:   open
    branch:  offhours/revert-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:undo -->
    Takes back what run `<run>` landed for #1 (<commit>). The issue is open again.
    ");
    world.offhours(&["pr", "merge", "me/app#2"]).ok();
    assert_eq!(world.files("me/app"), ["later", "test.sh"], "only that change is gone");
}

#[test]
fn what_a_person_merged_is_taken_back_too() {
    let world = World::new();
    world.configure(&["home:me/app"], "landing = \"pull-request\"\n---\n");
    world.ready("me/app", "Write a file", &[]);
    world.until_idle();
    world.offhours(&["pr", "merge", "me/app#2", "--squash"]).ok();
    world.until_idle();
    world.offhours(&["revert", "home:me/app#1"]).ok();
    world.offhours(&["pr", "merge", "me/app#3"]).ok();
    assert_eq!(world.files("me/app"), ["test.sh"]);
}

#[test]
fn what_cannot_be_taken_back_is_said_and_changes_nothing() {
    let world = World::new();
    let never = world.offhours(&["revert", "me/app#1"]);
    assert_eq!(never.code, 64, "{}", never.stderr);
    assert!(never.stderr.contains("offhours landed nothing for home:me/app#1"), "{}", never.stderr);
    world.ready("me/app", "Write a file", &[]);
    world.until_idle();
    world.person_pushes("me/app", "done-1.txt", "a person made something else of it\n");
    let answer = world.offhours(&["revert", "me/app#1"]);
    assert_eq!(answer.code, 75, "{}", answer.stderr);
    assert!(answer.stderr.contains("later changes touch the same places (done-1.txt)"), "{}", answer.stderr);
    assert!(world.issue_text("me/app", 1).contains("state = \"closed\""));
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    world.edit_config("kill_switch = false", "kill_switch = true");
    let off = world.offhours(&["revert", "me/app#1"]);
    assert_eq!(off.code, 75, "{}", off.stderr);
    assert!(off.stderr.contains("is not reverted"), "{}", off.stderr);
}

const CONTROL: &str = "[control]\nissue = \"me/app#1\"\n";

#[test]
fn everything_is_stopped_from_an_issue_and_only_the_host_takes_it_back() {
    let world = World::new();
    fs::write(world.path("body"), "Stop here.\n").unwrap();
    world.offhours(&["issue", "new", "me/app", "--title", "The night shift", "--body-file", "body"]).ok();
    world.configure(&["home:me/app"], CONTROL);
    let second = world.ready("me/app", "Write a file", &[]);
    world.offhours(&["issue", "label", "me/app#1", "--add", "offhours-off"]).ok();
    assert_eq!(world.until_idle(), Vec::<String>::new());
    assert!(world.path("one/off").exists());
    assert!(world.notices().iter().any(|n| n["kind"] == "alarm"), "{:?}", world.notices());
    let text = world.issue_text("me/app", 1);
    assert!(
        text.contains("Stop here.") && text.contains("**offhours is off**: ada put offhours-off on"),
        "{text}"
    );
    world.offhours(&["issue", "label", "me/app#1", "--remove", "offhours-off"]).ok();
    assert_eq!(world.until_idle(), Vec::<String>::new(), "taking the label off there starts nothing");
    world.offhours(&["issue", "label", "me/app#1", "--add", "offhours-off"]).ok();
    let resumed = world.offhours(&["resume"]).ok();
    assert!(resumed.stdout.contains("the label offhours-off is off home:me/app#1"), "{}", resumed.stdout);
    assert!(!world.path("one/off").exists());
    let told = world.until_idle();
    assert!(told.contains(&format!("me/app#{second} dispatched")), "{told:?}");
    let text = world.issue_text("me/app", 1);
    assert!(text.contains("**offhours is on.**") && text.contains("Stop here."), "{text}");
    let before = world.issue_text("me/app", 1);
    world.tick();
    assert_eq!(world.issue_text("me/app", 1), before, "nothing changed: nothing is written");
}

#[test]
fn a_control_issue_that_is_none_is_refused_with_the_config() {
    let world = World::new();
    for wrong in ["me/app", "other:me/app#1", "me/app#0", "me/app#x"] {
        world.configure(&["home:me/app"], &format!("[control]\nissue = \"{wrong}\"\n"));
        let answer = world.offhours(&["tick"]);
        assert_eq!(answer.code, 78, "{wrong}: {}", answer.stderr);
        assert!(answer.stderr.contains("is no issue"), "{wrong}: {}", answer.stderr);
    }
}

#[test]
fn kept_work_is_gone_on_with_where_work_lands_by_push() {
    let world = World::new();
    let count = world.path("count");
    world.agent(&format!(
        "turn=$(($(cat {0} 2>/dev/null || echo 0) + 1)); echo $turn > {0}; echo \"$prompt\" > {1}\n\
         echo $turn > work-$turn; git add work-$turn; git commit -q -m \"Turn $turn for $number\"\n\
         [ $turn != 1 ] || echo '{{\"outcome\": \"blocked\", \"reason\": \"half done\"}}' > \"$OFFHOURS_RESULT\"\n",
        count.display(),
        world.path("told").display()
    ));
    world.ready("me/app", "Two halves", &[]);
    assert_eq!(world.until_idle(), ["me/app#1 dispatched", "me/app#1 agent-blocked"]);
    world.offhours(&["run", "retry", "me/app#1"]).ok();
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, land, pushed, start-ci, done
    issue: closed []
    notices: me/app#1: agent-blocked, me/app#1: landed

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $20.00 reserved of $40.00; month $20.00 of $300.00; runs today 2 of 15

    home:me/app#1: landed (run <run>)
      next: Nothing is to be done.
      because: landed
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: agent-blocked
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: landed
    ");
    assert_eq!(world.files("me/app"), ["test.sh", "work-1", "work-2"]);
    let told = fs::read_to_string(world.path("told")).unwrap();
    assert!(told.contains("An earlier run began this work"), "{told}");
}

#[test]
fn three_stages_go_in_order_each_with_its_own_time() {
    let world = World::new();
    let (build, rollout) = (world.path("build"), world.path("rollout"));
    let wait = |name: &str, file: &std::path::Path| {
        format!(
            "[[ci.stage]]\nname = \"{name}\"\nargv = [\"sh\", \"-c\", \"[ -e {} ] || exit 75\"]\n",
            file.display()
        )
    };
    let stages = format!(
        "{}[[ci.stage]]\nname = \"deploy\"\nargv = [\"sh\", \"test.sh\"]\n{}",
        wait("build", &build),
        wait("rollout", &rollout)
    );
    world.configure(&["home:me/app"], &stages);
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.jobs_end();
    world.tick();
    assert_eq!(world.reason("me/app#1"), "ci");
    world.advance(7000);
    world.touch("build");
    world.jobs_end();
    // Build is green, and deploy: the rollout has all of its own time.
    for _ in 0..3 {
        world.tick();
        std::thread::yield_now();
    }
    world.touch("rollout");
    world.jobs_end();
    world.advance(600);
    let told = world.until_idle();
    assert_eq!(told.last().map(String::as_str), Some("me/app#1 done"), "{told:?}");
    assert!(
        world.comments("me/app", 1).last().unwrap().contains("build: green, deploy: green, rollout: green")
    );
    git(&world.bare("me/app"), &["rev-parse", "main"]);
}
