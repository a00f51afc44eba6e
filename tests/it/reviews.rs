//! Landing by pull request, as people live it: the work waits for a review, is answered, merged, closed, taken over.

use std::fs;

use super::world::{World, find, git};

/// A world whose work lands by pull requests; `more` are keys for the top of the config.
fn world(more: &str) -> World {
    let world = World::new();
    by_pull(&world, &["home:me/app"], more, "");
    world
}

fn by_pull(world: &World, repos: &[&str], more: &str, tables: &str) {
    world.configure(repos, &format!("landing = \"pull-request\"\n{more}---\n{tables}"));
}

/// An issue whose green work waits for a review as pull request 2.
fn waiting(world: &World) -> Vec<String> {
    world.ready("me/app", "Write a file", &[]);
    world.until_idle()
}

fn pr(world: &World, args: &[&str]) {
    let mut all = vec!["pr"];
    all.extend(args);
    world.offhours(&all).ok();
}

#[test]
fn green_work_waits_for_a_review_without_label_and_slot_and_is_merged_by_a_person() {
    let world = world("");
    let told = waiting(&world);
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
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

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    assert!(!world.refs("me/app").iter().any(|r| r.ends_with("/slot")), "the slot is free");
    assert_eq!(world.until_idle(), Vec::<String>::new(), "it waits, and says nothing");
    pr(&world, &["merge", "me/app#2"]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: on-target
    issue: closed []
    notices: me/app#1: review, me/app#1: landed

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    home:me/app#1: landed (run <run>)
      next: Nothing is to be done.
      because: landed
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: landed

    home:me/app#2  Write a file (#1)
    state:   merged as <commit> by ada
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    assert!(
        world.comments("me/app", 1).last().unwrap().contains("| on the target | yes, seen after the merge |")
    );
    assert!(world.claims("me/app").is_empty());
}

#[test]
fn a_squash_by_a_person_is_known_by_its_patch() {
    let world = world("");
    waiting(&world);
    pr(&world, &["merge", "me/app#2", "--squash"]);
    let told = world.until_idle();
    assert_eq!(told, ["me/app#1 on-target"]);
    assert!(
        world.comments("me/app", 1).last().unwrap().contains("| on the target | yes, seen after the merge |")
    );
}

#[test]
fn asked_for_changes_it_answers_in_the_same_run_and_workspace() {
    let world = world("");
    world.counting("echo $turn > work-$turn; commit work-$turn");
    waiting(&world);
    pr(
        &world,
        &["review", "me/app#2", "--request-changes", "-m", "Name it better.", "--on", "work-1:1", "Why one?"],
    );
    pr(&world, &["comment", "me/app#2", "And a test, please."]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: take-slot, review-turn, dispatched, push, pushed, update-pr, start-ci, await-review
    issue: open [ready-for-agent, agent-review]
    notices: me/app#1: review, me/app#1: review

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

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 2 (0 fix-forward, 1 review) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->

    -- review 0001 by ada: changes-requested
    Name it better.
    work-1:1: Why one?

    -- comment 0001 by ada
    And a test, please.
    ");
    let prompts = world.prompts();
    assert_eq!(prompts.len(), 2);
    for word in ["Name it better.", "work-1:1: Why one?", "And a test, please."] {
        assert!(prompts[1].contains(word), "{word} is not in\n{}", prompts[1]);
    }
    assert_eq!(world.until_idle(), Vec::<String>::new(), "the same request is answered once");
    pr(&world, &["review", "me/app#2", "--approve"]);
    pr(&world, &["merge", "me/app#2"]);
    assert_eq!(world.until_idle(), ["me/app#1 on-target"]);
    assert!(world.files("me/app").contains(&"work-2".to_owned()));
}

#[test]
fn reviews_are_answered_no_more_often_than_allowed() {
    let world = world("review_max_turns = 1\n");
    world.counting("echo $turn > work-$turn; commit work-$turn");
    waiting(&world);
    pr(&world, &["review", "me/app#2", "--request-changes", "-m", "Once."]);
    world.until_idle();
    pr(&world, &["review", "me/app#2", "--request-changes", "-m", "Twice."]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: review-turns-used
    issue: open [needs-human]
    notices: me/app#1: review, me/app#1: review, me/app#1: review-turns-used

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 review-turns-used <age> ago (run <run>)
        The pull request and its branch stay. Review and merge it, or apply the
          ready label again to have it continued.

    home:me/app#1: review-turns-used (run <run>)
      next: The pull request and its branch stay. Review and merge it, or apply the ready label again to have it continued.
      because: review-turns-used: changes are asked for, and all 1 review turns are used
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: review-turns-used

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 2 (0 fix-forward, 1 review) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->

    -- review 0001 by ada: changes-requested (taken back by a later one)
    Once.

    -- review 0002 by ada: changes-requested
    Twice.
    ");
}

/// It pushes by itself, with a way of its own: what carries the run's trailer is the run's, anything else is a person's.
#[test]
fn an_agent_that_pushes_by_itself_is_no_stranger_on_its_branch() {
    let push = |world: &World| {
        let to = world.bare("me/app");
        format!("git push -q {} HEAD:refs/heads/offhours/issue-$number-$OFFHOURS_RUN\n", to.display())
    };
    let mended = world("agent_pushes = true\n");
    mended.counting(&format!(
            "save() {{ git add \"$1\"; git commit -q -m \"Turn $turn\" -m \"Offhours-Run: $OFFHOURS_RUN\"; }}\n\
             if [ $turn = 1 ]; then echo half > red; save red; {0}elif [ $turn = 2 ]; then git rm -q red; echo x > a; save a; {0}\
             echo y > b; save b; else echo z > c; save c; {0}fi\n",
            push(&mended)
        ),
    );
    let told = waiting(&mended).concat();
    assert!(told.contains("fix-forward") && told.ends_with("await-review"), "{told}");
    let prompt = mended.prompts().remove(0);
    let run = mended.run_of("me/app#1");
    let branch = format!("offhours/issue-1-{}", run["run"].as_str().unwrap());
    assert!(prompt.contains(&format!("to the branch `{branch}` and to no other")), "{prompt}");
    let on_branch = git(&mended.bare("me/app"), &["ls-tree", "--name-only", &branch]);
    assert!(on_branch.contains("a\nb\n"), "what it did not push itself was pushed for it: {on_branch}");
    // A review is answered by a turn that pushes, too; then somebody pushes who is not the run.
    pr(&mended, &["review", "me/app#2", "--request-changes", "-m", "More."]);
    mended.until_idle();
    assert_eq!(
        mended.run_of("me/app#1")["pushed"].as_str(),
        Some(git(&mended.bare("me/app"), &["rev-parse", &branch]).trim())
    );
    mended.person_pushes_to("me/app", &branch, "mine", "a person's\n");
    assert_eq!(mended.until_idle(), ["me/app#1 human-took-over"]);
}

#[test]
fn a_pull_request_that_a_person_closes_is_handed_back_with_its_branch() {
    let world = world("");
    waiting(&world);
    pr(&world, &["close", "me/app#2"]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: pr-closed
    issue: open [needs-human]
    notices: me/app#1: review, me/app#1: pr-closed

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 pr-closed <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: pr-closed (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: pr-closed: pull request #2 was closed without being merged
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: pr-closed

    home:me/app#2  Write a file (#1)
    state:   closed
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    world.our_branch("me/app");
}

#[test]
fn a_review_that_nobody_gives_is_handed_back_after_its_days() {
    let world = world("review_max_age_days = 2\n");
    waiting(&world);
    for _ in 0..47 {
        world.advance(3600);
        assert_eq!(world.tick(), Vec::<String>::new());
    }
    world.advance(2 * 3600);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: review-too-old
    issue: open [needs-human]
    notices: me/app#1: review, me/app#1: review-too-old

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $0.00 reserved of $40.00; month $10.00 of $300.00; runs today 0 of 15

    NEEDS YOU
      home:me/app#1 review-too-old <age> ago (run <run>)
        The pull request and its branch stay. Review and merge it, or apply the
          ready label again to have it continued.

    home:me/app#1: review-too-old (run <run>)
      next: The pull request and its branch stay. Review and merge it, or apply the ready label again to have it continued.
      because: review-too-old: nobody reviewed pull request #2 within 2d 0h
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: review-too-old

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    world.our_branch("me/app");
}

#[test]
fn when_green_it_is_merged_at_exactly_that_head_within_the_hours() {
    // The world begins at 10:00 UTC.
    let world = world("merge = \"when-green\"\nmerge_hours = [\"12:00-14:00\"]\n");
    let early = waiting(&world);
    assert_eq!(world.reason("me/app#1"), "merge-hours", "{early:?}");
    assert!(!world.files("me/app").contains(&"done-1.txt".to_owned()));
    world.advance(2 * 3600);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: merge, merged, on-target
    issue: closed []
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

    home:me/app#2  Write a file (#1)
    state:   merged as <commit> by offhours
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    assert!(world.files("me/app").contains(&"done-1.txt".to_owned()));
}

#[test]
fn nothing_is_merged_over_a_request_for_changes() {
    let world = world("merge = \"when-green\"\nreview_max_turns = 1\n");
    world.counting("echo $turn > work-$turn; commit work-$turn");
    // CI waits for a person's word, so that the review is there before it is green.
    by_pull(
        &world,
        &["home:me/app"],
        "merge = \"when-green\"\n",
        &format!(
            "[[ci.stage]]\nname = \"gate\"\nargv = [\"sh\", \"-c\", \"[ -e {} ] || exit 75\"]\n",
            world.path("go").display()
        ),
    );
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.jobs_end();
    // Pushed, opened, and CI begun: its job goes on until it is let go.
    world.tick();
    pr(&world, &["review", "me/app#2", "--request-changes", "-m", "Not so."]);
    world.touch("go");
    world.until_idle();
    assert_eq!(world.reason("me/app#1"), "review", "answered, and the request stands");
    assert!(!world.files("me/app").contains(&"work-1".to_owned()));
    pr(&world, &["review", "me/app#2", "--approve"]);
    let told = world.until_idle();
    assert_eq!(told, ["me/app#1 merge", "me/app#1 merged", "me/app#1 on-target"]);
}

#[test]
fn a_person_who_pushes_to_the_branch_has_it() {
    let world = world("");
    waiting(&world);
    let branch = world.our_branch("me/app");
    world.person_pushes_to("me/app", &branch, "mine", "a person's\n");
    let theirs = git(&world.bare("me/app"), &["rev-parse", &branch]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: human-took-over
    issue: open [needs-human]
    notices: me/app#1: review, me/app#1: human-took-over

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 human-took-over <age> ago (run <run>)
        The branch is yours and stays as it is. Apply the ready label again if
          offhours shall go on from there.

    home:me/app#1: human-took-over (run <run>)
      next: The branch is yours and stays as it is. Apply the ready label again if offhours shall go on from there.
      because: human-took-over: somebody else committed to the run's branch
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: human-took-over

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    assert_eq!(git(&world.bare("me/app"), &["rev-parse", &branch]), theirs, "nothing is forced");
}

/// The turn that answers a review has work that the merge has not: it is kept, and the receipt says where.
#[test]
fn a_merge_by_a_person_keeps_what_a_turn_is_at_work_on() {
    let world = world("");
    world.counting(&format!(
        "echo $turn > done-$turn.txt; commit done-$turn.txt; [ $turn = 1 ] || {{ touch {}; sleep 600; }}",
        world.path("up").display()
    ));
    waiting(&world);
    pr(&world, &["review", "me/app#2", "--request-changes", "-m", "Make it two."]);
    world.advance(60);
    world.tick();
    world.wait_for("up");
    pr(&world, &["merge", "me/app#2"]);
    let told = world.until_idle();
    assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{told:?}");
    let bundles = find(&world.path("one/salvage"), "work.bundle");
    assert_eq!(bundles.len(), 1, "{told:?}");
    let heads = git(&world.bare("me/app"), &["bundle", "list-heads", bundles[0].to_str().unwrap()]);
    let commit = heads.split_whitespace().next().unwrap().to_owned();
    git(
        &world.bare("me/app"),
        &["fetch", "-q", bundles[0].to_str().unwrap(), "refs/offhours/work/*:refs/kept/*"],
    );
    let files = git(&world.bare("me/app"), &["ls-tree", "--name-only", &commit]);
    assert!(files.contains("done-2.txt"), "{files}");
    let receipt = world.comments("me/app", 1).pop().unwrap();
    assert!(receipt.contains("landed.") && receipt.contains("work.bundle"), "{receipt}");
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn a_merge_by_a_person_while_ci_is_pending_counts() {
    let world = world("");
    let go = world.path("go");
    by_pull(
        &world,
        &["home:me/app"],
        "",
        &format!(
            "[[ci.stage]]\nname = \"slow\"\nargv = [\"sh\", \"-c\", \"[ -e {} ] || exit 75\"]\n",
            go.display()
        ),
    );
    world.ready("me/app", "Write a file", &[]);
    world.tick();
    world.jobs_end();
    // Pushed, opened, and CI begun: its job goes on until it is let go.
    world.tick();
    assert_eq!(world.reason("me/app#1"), "ci");
    pr(&world, &["merge", "me/app#2"]);
    world.touch("go");
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: on-target
    issue: closed []
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

    home:me/app#2  Write a file (#1)
    state:   merged as <commit> by ada
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
}

#[test]
fn a_red_merge_by_a_person_lands_and_the_red_branch_is_told() {
    let world = world("");
    // CI has no word until the person has merged.
    let test = format!("[ -e {} ] || exit 75; [ ! -e broken ] || exit 1", world.path("go").display());
    let stage = format!("[[ci.stage]]\nname = \"deep\"\nargv = [\"sh\", \"-c\", \"{test}\"]\n");
    by_pull(&world, &["home:me/app"], "", &stage);
    world.agent("echo no > broken; git add broken; git commit -q -m \"Broken for $number\"\n");
    world.ready("me/app", "Break it", &[]);
    world.tick();
    world.jobs_end();
    world.tick();
    pr(&world, &["merge", "me/app#2"]);
    world.touch("go");
    let mut told = world.until_idle();
    world.ready("me/app", "Another", &[]);
    told.extend(world.until_idle());
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: on-target
    issue: closed []
    notices: me/app#1: landed, alarm: default-branch-red:home:me/app

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    WAITING
      home:me/app base-red: `offhours resume home:me/app` clears it by hand
      home:me/app#3 base-red: the default branch is red

    ALARM
      default-branch-red:home:me/app for 0s: the default branch of home:me/app is
        red at <commit> (deep) after run <run> was merged; mend it, or take the
        change back with `offhours revert`

    home:me/app#1: landed (run <run>)
      next: Nothing is to be done.
      because: landed
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: landed

    home:me/app#2  Break it (#1)
    state:   merged as <commit> by ada
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    assert_eq!(world.reason("me/app#3"), "base-red");
    world.person_pushes("me/app", "broken", "mended\n");
    git_removes(&world, "broken");
    let told = world.until_idle();
    assert!(told.iter().any(|line| line == "me/app#3 dispatched"), "{told:?}");
    assert!(world.notices().iter().any(|n| n["kind"] == "recovered"));
}

/// A CI stage that knows more than verify does: red while there is a file `broken`.
const RED_WITH_BROKEN: &str = "[[ci.stage]]\nname = \"deep\"\nargv = [\"sh\", \"-c\", \"[ ! -e broken ] || { cat broken; exit 1; }\"]\n";

fn git_removes(world: &World, file: &str) {
    let clone = world.path("person");
    git(&clone, &["rm", "-q", file]);
    git(&clone, &["commit", "-q", "-m", "Mended"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
}

#[test]
fn red_ci_on_the_pull_request_is_mended_and_its_text_follows() {
    let world = world("");
    by_pull(&world, &["home:me/app"], "ci.rerun = 0\n", RED_WITH_BROKEN);
    world.counting("if [ $turn = 1 ]; then echo 'expected 3' > broken; commit broken; else git rm -q broken; commit good 2>/dev/null || git commit -q -m mended; fi",
    );
    world.ready("me/app", "Write a file", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: dispatched, push, pushed, open-pr, pull-opened, start-ci, start-ci, fix-forward, dispatched, verify, push, pushed, update-pr, start-ci, await-review
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

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 2 (1 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    let head = git(&world.bare("me/app"), &["rev-parse", &world.our_branch("me/app")]);
    assert!(world.offhours(&["pr", "show", "me/app#2"]).ok().stdout.contains(head.trim()));
}

#[test]
fn a_frozen_pull_request_does_not_hold_the_repo() {
    let world = world("");
    by_pull(&world, &["home:me/app"], "ci.rerun = 0\nfix_forward.max_turns = 1\n", RED_WITH_BROKEN);
    world.counting("if [ $number = 1 ]; then echo same > broken; echo $turn > try; git add try broken; commit try; else echo x > fine; commit fine; fi",
    );
    world.ready("me/app", "Hopeless", &[]);
    let mut told = world.until_idle();
    world.ready("me/app", "Fine", &[]);
    told.extend(world.until_idle());
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: dispatched, push, pushed, open-pr, pull-opened, start-ci, start-ci, fix-forward, dispatched, push, pushed, update-pr, start-ci, same-failure, me/app#3 dispatched, me/app#3 push, me/app#3 pushed, me/app#3 open-pr, me/app#3 pull-opened, me/app#3 start-ci, me/app#3 await-review
    issue: open [needs-human]
    notices: me/app#1: same-failure, me/app#3: review

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $20.00 reserved of $40.00; month $20.00 of $300.00; runs today 2 of 15

    NEEDS YOU
      home:me/app#3 review of pull request #4 for 1m (run <run>)
      home:me/app#1 same-failure <age> ago (run <run>)
        Branch and workspace are kept as they are; apply the ready label again for
          another attempt. Where the work is on the default branch, nothing more
          starts in this repo until that is green or `offhours resume REPO` clears
          it.

    home:me/app#1: same-failure (run <run>)
      next: Branch and workspace are kept as they are; apply the ready label again for another attempt. Where the work is on the default branch, nothing more starts in this repo until that is green or `offhours resume REPO` clears it.
      because: same-failure: deep failed in the same way as before the last fix
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: same-failure

    home:me/app#2  Hopeless (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 2 (1 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
    assert_eq!(world.reason("me/app#3"), "review");
}

#[test]
fn work_that_conflicts_with_the_target_is_handed_back() {
    let world = world("");
    world.agent("echo agent > both; git add both; git commit -q -m \"Both for $number\"\n");
    waiting(&world);
    world.person_pushes("me/app", "both", "person\n");
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: take-slot, bring-up-to-date, conflict
    issue: open [needs-human]
    notices: me/app#1: review, me/app#1: conflict

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 conflict <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: conflict (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: conflict: the work and the target both changed both
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: conflict

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->
    ");
}

#[test]
fn another_commit_on_the_target_is_no_reason_to_do_anything() {
    let world = world("");
    waiting(&world);
    world.person_pushes("me/app", "other", "person\n");
    assert_eq!(world.until_idle(), Vec::<String>::new());
}

#[test]
fn taken_back_by_a_person_while_it_waits() {
    for (args, state) in [
        (&["issue", "close", "me/app#1"][..], "closed"),
        (&["issue", "label", "me/app#1", "--remove", "ready-for-agent"][..], "open"),
    ] {
        let world = world("");
        waiting(&world);
        world.offhours(args).ok();
        assert_eq!(world.until_idle(), ["me/app#1 withdrawn"], "{state}");
        let labels = world.labels("me/app", 1);
        assert!(!labels.iter().any(|label| label.starts_with("agent-")), "{labels:?}");
        assert!(world.claims("me/app").is_empty());
        assert!(world.pull("me/app#2").contains("state:   open"), "the pull request stays");
    }
}

#[test]
fn the_second_issue_starts_while_the_first_is_reviewed_and_its_review_goes_before_the_third() {
    let world = world("max_awaiting_review = 3\n");
    let hold = world.path("hold");
    world.counting(&format!(
        "echo $turn > work-$turn; commit work-$turn; [ $number != 3 ] || while [ -e {} ]; do sleep 0.1; done",
        hold.display()
    ));
    world.touch("hold");
    waiting(&world);
    world.ready("me/app", "Second", &[]);
    let told = world.tick();
    assert_eq!(told, ["me/app#3 dispatched"], "the first has given its slot up");
    world.ready("me/app", "Third", &[]);
    pr(&world, &["review", "me/app#2", "--request-changes", "-m", "More."]);
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.reason("me/app#1"), "slot", "the second still works");
    fs::remove_file(&hold).unwrap();
    let told = world.until_idle();
    let at = |what: &str| {
        told.iter().position(|line| line == what).unwrap_or_else(|| panic!("{what} in {told:?}"))
    };
    assert!(at("me/app#3 await-review") < at("me/app#1 take-slot"), "{told:?}");
    assert!(at("me/app#1 review-turn") < at("me/app#1 await-review"), "{told:?}");
    assert!(at("me/app#1 await-review") < at("me/app#4 dispatched"), "{told:?}");
}

#[test]
fn no_more_reviews_than_people_can_give() {
    let world = world("max_awaiting_review = 1\n");
    waiting(&world);
    let second = world.ready("me/app", "Second", &[]);
    assert_eq!(world.until_idle(), Vec::<String>::new());
    assert_eq!(world.reason(&format!("me/app#{second}")), "review-backpressure");
    pr(&world, &["merge", "me/app#2"]);
    let told = world.until_idle();
    assert!(told.contains(&format!("me/app#{second} dispatched")), "{told:?}");
}

#[test]
fn an_issue_that_is_marked_ready_again_goes_on_with_its_branch_and_pull_request() {
    let world = world("review_max_turns = 0\n");
    world.counting("echo $turn > work-$turn; commit work-$turn");
    waiting(&world);
    pr(&world, &["review", "me/app#2", "--request-changes", "-m", "More."]);
    assert_eq!(world.until_idle(), ["me/app#1 review-turns-used"]);
    let branch = world.our_branch("me/app");
    world.person_pushes_to("me/app", &branch, "theirs", "a person's\n");
    world.offhours(&["run", "retry", "me/app#1"]).ok();
    pr(&world, &["review", "me/app#2", "--approve"]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome_of("me/app#1", "me/app#2", &told), @r"
    done: dispatched, push, pushed, update-pr, start-ci, await-review
    issue: open [ready-for-agent, agent-review]
    notices: me/app#1: review, me/app#1: review-turns-used, me/app#1: review

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $20.00 reserved of $40.00; month $20.00 of $300.00; runs today 2 of 15

    NEEDS YOU
      home:me/app#1 review of pull request #2 for 1m (run <run>)

    home:me/app#1: review (run <run>)
      next: a person has to review the pull request and merge it, ask for changes, or close it
      because: dispatched: run <run>
      passed: switch, hours, pause, allowlist, open, ready-label, run, claim, label, lock, trust, blockers, attempts, back-off, priority, runs-per-day, daily-budget, monthly-budget, max-running, runner, review, quota, frozen, base
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: review-turns-used
        <moment>  dispatched: run <run>

    home:me/app#2  Write a file (#1)
    state:   open
    branch:  offhours/issue-1-<run> at <commit> into main
    author:  offhours
    file:    <world>/tracker/me/app/pulls/0002.md

    <!-- offhours:<run>:pull -->
    Closes #1

    | | |
    |---|---|
    | base | <commit> |
    | head | <commit> |
    | verify | green |
    | cost | not told by the agent |
    | turns | 1 (0 fix-forward) |
    | template | `implementer@1 (<commit>)` |
    | run | `<run>` |

    Asked for by ada. A review that asks for changes is answered by a further turn. To stop it: take the ready label off #1, close this, or `offhours run stop <run>`. To take it over: push to the branch; nothing is forced and nothing of yours is deleted.
    <!-- /offhours -->

    -- review 0001 by ada: changes-requested (taken back by a later one)
    More.

    -- review 0002 by ada: approved
    ");
    assert_eq!(world.our_branch("me/app"), branch);
    let files = git(&world.bare("me/app"), &["ls-tree", "--name-only", &branch]);
    for file in ["work-1", "work-2", "theirs"] {
        assert!(files.contains(file), "{file} is not in {files}");
    }
    assert!(world.prompts().last().unwrap().contains("An earlier run began this work"));
}
