//! Landing by pull request, as people live it: the work waits for a review, is answered, merged, closed, taken over.

use super::world::World;

const BY_PULL: &str = "landing = \"pull-request\"\n---\n";

fn world() -> World {
    let world = World::new();
    world.configure(&["home:me/app"], BY_PULL);
    world
}

#[test]
fn green_work_waits_for_a_review_without_label_and_slot() {
    let world = world();
    world.ready("me/app", "Write a file", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, push, pushed, open-pr, pull-opened, start-ci, await-review
    issue: open [ready-for-agent, agent-review]
    notices: me/app#1: review

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 review of pull request #2 for 1m (run <run>)

    home:me/app#1: review (run <run>)
      next: a person has to review the pull request and merge it, ask for changes, or close it
      because: dispatched: run <run>
      passed: switch, hours, pause, allowlist, open, ready-label, run, claim, label, lock, trust, blockers, attempts, back-off, priority, runs-per-day, daily-budget, monthly-budget, max-running, runner, review, quota, frozen, base
      history:
        <moment>  dispatched: run <run>
    ");
}
