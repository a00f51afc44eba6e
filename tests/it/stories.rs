//! The loop as people live it: an issue is marked ready, and becomes landed code or comes back with the work kept.

use std::fs;
use std::path::{Path, PathBuf};

use super::world::{GOOD_AGENT, START, World, find, git};

#[test]
fn a_ready_issue_lands_with_a_receipt() {
    let world = World::new();
    let number = world.ready("me/app", "Write a file", &[]);
    assert_eq!(
        world.until_idle(),
        ["me/app#1 dispatched", "me/app#1 land", "me/app#1 pushed", "me/app#1 start-ci", "me/app#1 done",]
    );
    assert!(world.files("me/app").contains(&"done-1.txt".to_owned()));
    assert!(world.labels("me/app", number).is_empty());
    assert!(world.issue_text("me/app", number).contains("state = \"closed\""));
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    let comments = world.comments("me/app", number);
    assert_eq!(comments.len(), 2, "{comments:?}");
    assert!(comments[0].contains("[x] done"), "{}", comments[0]);
    assert!(comments[1].contains("| checks | test: green |"), "{}", comments[1]);
    assert_eq!(world.notices().len(), 1);
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// A CI stage that knows more than verify does: red while there is a file `broken`.
const DEEPER_CI: &str = "[[ci.stage]]\nname = \"deep\"\nargv = [\"sh\", \"-c\", \"[ ! -e broken ] || { cat broken; exit 1; }\"]\n";

#[test]
fn red_tests_are_mended_in_the_same_run_and_workspace() {
    let world = World::new();
    world.counting("if [ $turn = 1 ]; then echo 'expected 3, got 4' > red; commit red\n\
         else [ \"$(git log --format=%s -1)\" = 'Turn 1 for 1' ]; git rm -q red; echo x > good; commit good; fi",
    );
    world.ready("me/app", "Twice", &[]);
    let mut told = world.tick();
    world.jobs_end();
    told.extend(world.tick());
    let prompts = world.prompts();
    assert_eq!(prompts.len(), 2);
    assert!(prompts[1].contains("expected 3, got 4"), "{}", prompts[1]);
    told.extend(world.until_idle());
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, fix-forward, dispatched, land, pushed, start-ci, done
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
    ");
}

#[test]
fn the_same_failure_twice_freezes() {
    let world = World::new();
    world.counting("echo 'always the same' > red; echo $turn > try; git add try; commit red");
    world.ready("me/app", "Hopeless", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, fix-forward, dispatched, same-failure
    issue: open [needs-human]
    notices: me/app#1: same-failure

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 same-failure <age> ago (run <run>)
        Branch and workspace are kept as they are; apply the ready label again for
          another attempt. Where the work is on the default branch, nothing more
          starts in this repo until that is green or `offhours resume REPO` clears
          it.

    home:me/app#1: same-failure (run <run>)
      next: Branch and workspace are kept as they are; apply the ready label again for another attempt. Where the work is on the default branch, nothing more starts in this repo until that is green or `offhours resume REPO` clears it.
      because: same-failure: verify failed in the same way as before the last fix
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: same-failure
    ");
    // The workspace stays for a person; the claim does not.
    assert_eq!(in_workspaces(&world, "try").len(), 1);
    assert_eq!(world.claims("me/app"), Vec::<String>::new());
    assert!(world.comments("me/app", 1).last().unwrap().contains("always the same"));
}

#[test]
fn red_ci_is_run_again_then_mended_then_green() {
    let world = World::new();
    world.configure(&["home:me/app"], DEEPER_CI);
    world.counting(
        "if [ $turn = 1 ]; then echo 'deep trouble' > broken; commit broken\n\
         else printf '%s' \"$prompt\" > seen; git add seen; git rm -q broken; commit seen; fi",
    );
    world.ready("me/app", "Deep", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, land, pushed, start-ci, start-ci, rerun, fix-forward, dispatched, land, pushed, start-ci, done
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
    ");
    assert!(world.files("me/app").contains(&"seen".to_owned()));
    let seen = git(&world.bare("me/app"), &["show", "main:seen"]);
    assert!(seen.contains("deep trouble") && seen.contains("deep."), "{seen}");
}

#[test]
fn a_frozen_repo_waits_for_a_green_branch_or_a_person() {
    let world = World::new();
    world.configure(&["home:me/app"], &format!("[ci]\nrerun = 0\n[fix_forward]\nmax_turns = 1\n{DEEPER_CI}"));
    world.counting(
        "echo \"trouble in words: $(seq $turn | tr -d '\\n' | tr 1-9 a-i)\" > broken; commit broken",
    );
    world.ready("me/app", "Breaks it", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, land, pushed, start-ci, start-ci, fix-forward, dispatched, land, pushed, start-ci, fix-turns-used
    issue: open [needs-human]
    notices: me/app#1: fix-turns-used

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 fix-turns-used <age> ago (run <run>)
        Branch and workspace are kept as they are; apply the ready label again for
          another attempt. Where the work is on the default branch, nothing more
          starts in this repo until that is green or `offhours resume REPO` clears
          it.

    WAITING
      home:me/app frozen: `offhours resume home:me/app` clears it by hand

    home:me/app#1: fix-turns-used (run <run>)
      next: Branch and workspace are kept as they are; apply the ready label again for another attempt. Where the work is on the default branch, nothing more starts in this repo until that is green or `offhours resume REPO` clears it.
      because: fix-turns-used: deep is red and all 1 fix-forward turns are used
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: fix-turns-used
    ");
    let next = world.ready("me/app", "Next", &[]);
    assert_eq!(world.poll(), ["me/app#2 frozen"]);
    // A person mends the branch; CI is asked, and then the repo is open again.
    world.person_pushes("me/app", "broken.md", "mended\n");
    let clone = world.path("person");
    git(&clone, &["rm", "-q", "broken"]);
    git(&clone, &["commit", "-q", "-m", "Mend it"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    assert_eq!(world.poll(), ["me/app#2 frozen"]);
    world.jobs_end();
    world.agent(GOOD_AGENT);
    assert_eq!(world.poll(), ["me/app#2 dispatched"]);
    world.jobs_end();
    world.until_idle();
    assert!(world.labels("me/app", next).is_empty());
}

#[test]
fn a_person_clears_a_frozen_repo_by_hand() {
    let world = World::new();
    world.configure(&["home:me/app"], &format!("[ci]\nrerun = 0\n[fix_forward]\nmax_turns = 0\n{DEEPER_CI}"));
    world.counting("echo no > broken; commit broken");
    world.ready("me/app", "Breaks it", &[]);
    world.until_idle();
    world.ready("me/app", "Next", &[]);
    assert_eq!(world.poll(), ["me/app#2 frozen"]);
    assert!(world.offhours(&["resume", "me/app"]).ok().stdout.contains("not held as frozen"));
    assert_ne!(world.poll(), ["me/app#2 frozen"]);
    world.jobs_end();
}

#[test]
fn an_agent_that_is_blocked_is_handed_back_with_its_commits() {
    let world = World::new();
    world.counting(
        "echo half > half; commit half; echo more > untracked\n\
         echo '{\"outcome\": \"blocked\", \"reason\": \"which colour?\"}' > \"$OFFHOURS_RESULT\"",
    );
    world.ready("me/app", "Unclear", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, agent-blocked
    issue: open [needs-human]
    notices: me/app#1: agent-blocked

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 agent-blocked <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: agent-blocked (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: agent-blocked: which colour?
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: agent-blocked
    ");
    let end = world.comments("me/app", 1).last().unwrap().clone();
    insta::assert_snapshot!(world.plain(&end), @"

    <!-- offhours:<run>:end -->
    @ada handed back (`agent-blocked`) after 1 turn.

    which colour?

    Apply the ready label again for another attempt, or go on from the kept work.

    Kept work:
    - branch `offhours/salvage/1-<run>`
    - commits: `git fetch <world>/one/salvage/home/me/app/1-<run>/work.bundle refs/offhours/work/<run>` (on the host)
    - files that were not committed: `<world>/one/salvage/home/me/app/1-<run>/files.tar` (on the host)
    ");
    salvage_has(&world, "half");
    let branch = world.refs("me/app").into_iter().find(|r| r.contains("salvage")).unwrap();
    assert_eq!(git(&world.bare("me/app"), &["show", &format!("{branch}:half")]), "half\n");
    assert_eq!(in_workspaces(&world, "half"), Vec::<PathBuf>::new());
}

/// The bundle of the only salvaged run has this file, and can be fetched into the repository it came from.
fn salvage_has(world: &World, file: &str) {
    let bundles: Vec<_> = walk(&world.path("one/salvage"))
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "bundle"))
        .collect();
    assert_eq!(bundles.len(), 1, "{bundles:?}");
    let clone = world.path("restore");
    git(&world.path(""), &["clone", "-q", world.bare("me/app").to_str().unwrap(), clone.to_str().unwrap()]);
    let told = world.offhours(&["run", "show", "me/app#1"]).ok().stdout;
    let (_, rest) = told.split_once("`git fetch ").unwrap();
    let words: Vec<&str> = rest.split('`').next().unwrap().split(' ').collect();
    assert_eq!(Path::new(words[0]), bundles[0].canonicalize().unwrap());
    git(&clone, &["fetch", "-q", words[0], words[1]]);
    let files = git(&clone, &["ls-tree", "--name-only", "FETCH_HEAD"]);
    assert!(files.lines().any(|f| f == file), "{files}");
}

/// Files of this name in workspaces that still stand.
fn in_workspaces(world: &World, name: &str) -> Vec<PathBuf> {
    let mut found = walk(&world.path("one/work"));
    found.retain(|p| p.file_name().is_some_and(|n| n == name));
    found
}

fn walk(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(root).into_iter().flatten().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn an_agent_that_does_nothing_is_handed_back() {
    let world = World::new();
    world.agent("exit 0");
    world.ready("me/app", "Nothing", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, nothing-done
    issue: open [needs-human]
    notices: me/app#1: nothing-done

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 nothing-done <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: nothing-done (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: nothing-done: the agent ended without a commit
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: nothing-done
    ");
}

#[test]
fn an_agent_that_fails_after_good_work_still_lands() {
    let world = World::new();
    world.agent(&format!("{GOOD_AGENT}\nexit 3\n"));
    world.ready("me/app", "Good, then a crash", &[]);
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
    assert!(world.files("me/app").contains(&"done-1.txt".to_owned()));
}

#[test]
fn an_agent_that_fails_without_a_commit_is_handed_back_with_its_words() {
    let world = World::new();
    world.agent("echo 'no licence found' >&2; exit 3");
    world.ready("me/app", "Fails", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, agent-failed
    issue: open [needs-human]
    notices: me/app#1: agent-failed

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 agent-failed <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: agent-failed (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: agent-failed: the agent exited with code 3: no licence found
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: agent-failed
    ");
    assert!(world.comments("me/app", 1).last().unwrap().contains("no licence found"));
}

/// An agent that commits `half` and then works until somebody ends it or makes the file `go`.
fn long_worker(world: &World) {
    world.agent(&format!(
        "if [ -e half ]; then echo rest > rest; git add rest; git commit -q -m Rest; exit 0; fi\n\
         echo half > half; git add half; git commit -q -m Half\n\
         touch {0}; while [ ! -e {1} ]; do sleep 0.02; done\n",
        world.path("begun").display(),
        world.path("go").display()
    ));
}

/// Ready, dispatched, and the agent has committed its first half.
fn in_the_middle(world: &World) {
    long_worker(world);
    world.ready("me/app", "Long", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.wait_for("begun");
}

#[test]
fn a_label_taken_away_withdraws_the_run() {
    let world = World::new();
    in_the_middle(&world);
    world.offhours(&["issue", "label", "me/app#1", "--remove", "ready-for-agent"]).ok();
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: withdrawn
    issue: open []
    notices: 

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    home:me/app#1: withdrawn (run <run>)
      next: Apply the ready label again if offhours shall take it up once more.
      because: withdrawn
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: withdrawn
    ");
    salvage_has(&world, "half");
    assert_eq!(world.claims("me/app"), Vec::<String>::new());
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn an_issue_closed_by_hand_withdraws_the_run() {
    let world = World::new();
    in_the_middle(&world);
    world.offhours(&["issue", "close", "me/app#1"]).ok();
    assert_eq!(world.until_idle(), ["me/app#1 withdrawn"]);
    assert_eq!(world.labels("me/app", 1), ["ready-for-agent"]);
    assert!(world.issue_text("me/app", 1).contains("closed"));
    salvage_has(&world, "half");
}

#[test]
fn a_deleted_issue_is_moved() {
    let world = World::new();
    in_the_middle(&world);
    fs::remove_file(world.path("tracker/me/app/issues/0001.md")).unwrap();
    assert_eq!(world.until_idle(), ["me/app#1 moved"]);
    salvage_has(&world, "half");
    assert_eq!(world.claims("me/app"), Vec::<String>::new());
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn a_repo_taken_off_the_allowlist_ends_its_run() {
    let world = World::new();
    in_the_middle(&world);
    world.configure(&[], "");
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: moved
    issue: open [needs-human]
    notices: me/app#1: moved

    off: the allowlist is empty; `offhours arm REPO` names a repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 moved <age> ago (run <run>)
        Nothing more happens here.

    home:me/app#1: moved (run <run>)
      next: Nothing more happens here.
      because: moved: the repo is not in the allowlist any more
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: moved
    ");
    salvage_has(&world, "half");
    assert_eq!(world.claims("me/app"), Vec::<String>::new());
}

#[test]
fn a_run_is_stopped_by_hand() {
    let world = World::new();
    in_the_middle(&world);
    world.offhours(&["run", "stop", "me/app#1"]).ok();
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: stopped
    issue: open [needs-human]
    notices: me/app#1: stopped

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 stopped <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: stopped (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: stopped
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: stopped
    ");
    salvage_has(&world, "half");
    assert_eq!(world.offhours(&["run", "stop", "me/app#1"]).code, 64);
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn off_now_ends_the_turn_and_resume_goes_on_with_it() {
    let world = World::new();
    in_the_middle(&world);
    assert!(world.offhours(&["off", "--now"]).ok().stdout.contains("ended: home:me/app#1 turn 1"));
    assert_eq!(world.processes(), Vec::<String>::new());
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.reason("me/app#1"), "switch");
    world.advance(86_400);
    assert_eq!(world.tick(), Vec::<String>::new());
    world.offhours(&["resume"]).ok();
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: continue, dispatched, land, pushed, start-ci, done
    issue: closed []
    notices: alarm: schedule:tick, recovered: schedule:tick, me/app#1: landed

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $0.00 reserved of $40.00; month $10.00 of $300.00; runs today 0 of 15

    home:me/app#1: landed (run <run>)
      next: Nothing is to be done.
      because: landed
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: landed
    ");
    assert_eq!(world.run_of("me/app#1")["attempt"], 1);
    assert!(world.files("me/app").contains(&"rest".to_owned()));
}

#[test]
fn work_that_is_done_waits_for_the_switch_and_lands_later() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    world.offhours(&["off"]).ok();
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.reason("me/app#1"), "switch");
    assert!(!world.files("me/app").contains(&"done-1.txt".to_owned()));
    world.offhours(&["resume"]).ok();
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}

#[test]
fn a_target_that_moved_is_merged_and_verified_again() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    world.person_pushes("me/app", "other.txt", "meanwhile\n");
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: bring-up-to-date, verify, land, pushed, start-ci, done
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
    ");
    let files = world.files("me/app");
    assert!(files.contains(&"other.txt".to_owned()) && files.contains(&"done-1.txt".to_owned()));
}

/// The tick dies between the agent's start and the record of it, and the switch is put on: the agent is ended, its work
/// kept, and only then the issue is free.
#[test]
fn an_agent_whose_start_was_not_recorded_ends_with_the_switch() {
    let world = World::new();
    world.agent(&format!(
        "echo half > half.txt\ngit add half.txt\ngit commit -q -m Half\ntouch {}\nsleep 600\n",
        world.path("half").display()
    ));
    world.ready("me/app", "Some", &[]);
    let crash =
        world.command(&["tick"]).env("OFFHOURS_CRASH", "tick:supervisor spawn: after#1").output().unwrap();
    assert_eq!(crash.status.code(), None, "it was ended there");
    world.wait_for("half");
    world.offhours(&["off"]).ok();
    world.until_idle();
    assert_eq!(world.processes(), Vec::<String>::new());
    assert!(world.claims("me/app").is_empty());
    let shown = world.offhours(&["run", "show", "me/app#1"]).ok().stdout;
    assert!(shown.contains("work.bundle"), "{shown}");
    world.agent(GOOD_AGENT);
    world.offhours(&["resume"]).ok();
    world.advance(120);
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}

/// An agent that costs nothing is corrected like any other, and is told of a test that says nothing, how it ended.
#[test]
fn a_free_agent_is_corrected_and_told_of_a_silent_test() {
    let world = World::new();
    world.counting(
        "if [ -e red ]; then git rm -q red; echo x > good; commit good; else echo x > red; commit red; fi\n\
         echo '{\"cost_usd\": 0}' > $OFFHOURS_RESULT",
    );
    let quiet = "verify = [\"sh\", \"-c\", \"! test -e red\"]\nbudget_usd = 0\n---\n";
    world.configure(&["home:me/app"], quiet);
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    let told = world.tick();
    assert!(told.contains(&"me/app#1 fix-forward".to_owned()), "{told:?}");
    let asked = &world.prompts()[1];
    assert!(asked.contains("[`sh -c ! test -e red` exited with code 1 and printed nothing]"), "{asked}");
    let told = world.until_idle();
    assert!(told.contains(&"me/app#1 done".to_owned()), "{told:?}");
}

/// What the archive cannot hold is in the workspace only: it stays, and the hand-back says where.
#[test]
fn a_workspace_stays_where_the_archive_cannot_hold_its_files() {
    let world = World::new();
    world.agent("truncate -s 201M a-download\necho mine > notes.txt\nexit 1\n");
    world.ready("me/app", "Some", &[]);
    let told = world.until_idle();
    let said = world.comments("me/app", 1).pop().unwrap();
    assert!(said.contains("the workspace stays"), "{told:?} {said}");
    let run = world.run_of("me/app#1")["run"].as_str().unwrap().to_owned();
    let work = world.path(&format!("one/work/home/me/app/{run}/work"));
    assert!(said.contains(work.to_str().unwrap()) && work.join("notes.txt").exists(), "{said}");
    assert_eq!(find(&world.path("one/salvage"), "files.tar").len(), 1, "what fits is in the archive, too");
}

#[test]
fn a_turn_that_is_stopped_is_over_on_every_screen() {
    let world = World::new();
    world.agent(&format!("touch {}\nsleep 600\n", world.path("up").display()));
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.wait_for("up");
    world.offhours(&["run", "stop", "me/app#1"]).ok();
    world.until_idle();
    let shown = world.offhours(&["run", "show", "me/app#1"]).ok().stdout;
    assert!(shown.contains("turn 1    stopped") && !shown.contains("running"), "{shown}");
}

#[test]
fn what_is_verified_for_a_run_that_is_stopped_ends_with_it() {
    let world = World::new();
    world.configure(
        &["home:me/app"],
        "verify = [\"sh\", \"-c\", \"if [ -e other.txt ]; then sleep 600; fi\"]\n---\n",
    );
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    world.person_pushes("me/app", "other.txt", "meanwhile\n");
    let mut told = vec![];
    for _ in 0..3 {
        told.extend(world.tick());
    }
    assert!(told.contains(&"me/app#1 verify".to_owned()), "{told:?}");
    world.offhours(&["run", "stop", "me/app#1"]).ok();
    world.until_idle();
    assert_eq!(world.processes(), Vec::<String>::new());
    assert!(world.claims("me/app").is_empty());
}

#[test]
fn a_conflict_is_handed_back() {
    let world = World::new();
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    world.person_pushes("me/app", "done-1.txt", "by hand\n");
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: bring-up-to-date, conflict
    issue: open [needs-human]
    notices: me/app#1: conflict

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 conflict <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: conflict (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: conflict: the work and the target both changed done-1.txt
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: conflict
    ");
    salvage_has(&world, "done-1.txt");
    assert_eq!(git(&world.bare("me/app"), &["show", "main:done-1.txt"]), "by hand\n");
}

#[test]
fn no_checks_are_not_green() {
    let world = World::new();
    world.configure(&["home:me/app"], "[ci]\ngrace_seconds = 600\n");
    world.ready("me/app", "Some", &[]);
    let mut told = world.tick();
    world.jobs_end();
    told.extend(world.tick());
    assert_eq!(world.reason("me/app#1"), "ci");
    world.advance(599);
    assert_eq!(world.tick(), Vec::<String>::new());
    world.advance(2);
    told.extend(world.tick());
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, land, pushed, no-checks
    issue: open [needs-human]
    notices: me/app#1: no-checks

    armed for 1 repo
    last tick: tick <age> ago (acted)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 no-checks <age> ago (run <run>)
        Configure a CI stage, or say `ci.required = []` for this repo; the work is
          on the target already.

    home:me/app#1: no-checks (run <run>)
      next: Configure a CI stage, or say `ci.required = []` for this repo; the work is on the target already.
      because: no-checks: no check reported on the pushed commit; no checks is not green (`ci.required = []` says that none are needed)
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: no-checks
    ");
}

#[test]
fn where_no_checks_are_required_the_grace_is_enough_and_the_receipt_says_so() {
    let world = World::new();
    world.configure(&["home:me/app"], "[ci]\ngrace_seconds = 60\nrequired = []\n");
    world.ready("me/app", "Some", &[]);
    let told = world.until_idle();
    assert_eq!(told.last().map(String::as_str), Some("me/app#1 done"));
    let receipt = world.comments("me/app", 1).last().unwrap().clone();
    assert!(receipt.contains("none (the config says that none are needed)"), "{receipt}");
}

#[test]
fn landing_waits_for_the_merge_hours() {
    let world = World::new();
    world.configure(&["home:me/app"], "merge_hours = [\"22:00-23:00\"]\n---\n");
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.reason("me/app#1"), "merge-hours");
    world.advance(12 * 3600 + 60);
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}

/// An agent whose first turn runs into the account's quota, in claude's words.
fn out_of_quota(world: &World, reset: i64) {
    let asked = world.path("asked");
    world.agent(&format!(
        "if [ ! -e {0} ]; then touch {0}\n\
         echo '{{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s-77\"}}'\n\
         echo '{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"session_id\":\"s-77\",\"total_cost_usd\":0.1,\"result\":\"Claude AI usage limit reached|{reset}\"}}'\n\
         exit 1; fi\n[ \"$OFFHOURS_SESSION\" = s-77 ] || exit 9\n{GOOD_AGENT}",
        asked.display()
    ));
}

#[test]
fn quota_parks_the_account_until_its_reset_and_the_session_goes_on() {
    let world = World::new();
    let runner = format!(
        "[runner.agent]\nargv = [\"{0}\"]\nprofile = \"claude\"\naccount = \"ours\"\n[runner.more]\nargv = [\"{0}\"]\naccount = \"ours\"\n\
         [repo.\"home:me/lib\"]\nrunner = \"more\"\n",
        world.path("agent.sh").display()
    );
    world.repo("me/lib");
    world.configure(&["home:me/app", "home:me/lib"], &format!("default_runner = \"agent\"\n---\n{runner}"));
    out_of_quota(&world, START + 7200);
    world.ready("me/app", "Some", &[]);
    let mut told = world.tick();
    world.jobs_end();
    world.ready("me/lib", "Same account", &[]);
    told.extend(world.tick());
    assert_eq!(world.reason("me/app#1"), "parked");
    assert_eq!(world.reason("me/lib#1"), "parked");
    world.advance(7100);
    assert_eq!(world.tick(), Vec::<String>::new());
    assert_eq!(world.notices().len(), 1);
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched
    issue: open [ready-for-agent, agent-in-progress]
    notices: alarm: runner-parked:ours

    armed for 2 repos
    last tick: tick <age> ago (idle)
    spend: today $0.10 + $9.90 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    RUNNING
      home:me/app#1 parked turn 1, 1h 58m (run <run>)

    WAITING
      home:me/lib#1 parked: the runner more is parked: Claude AI usage limit
        reached|1772452800

    PARKED
      ours until <moment> (quota)

    ALARM
      runner-parked:ours for 1h 58m: the runner ours is parked (quota: Claude AI
        usage limit reached|1772452800) until 2026-03-02 12:00 UTC; its runs go on
        then

    home:me/app#1: parked (run <run>)
      next: goes on in the same session when the runner is back
      because: dispatched: run <run>
      passed: switch, hours, pause, allowlist, open, ready-label, run, claim, label, lock, trust, blockers, attempts, back-off, priority, runs-per-day, daily-budget, monthly-budget, max-running, runner, review, quota, frozen, base
      history:
        <moment>  dispatched: run <run>
    ");
    world.advance(101);
    told.extend(world.tick());
    world.jobs_end();
    told.extend(world.until_idle());
    assert!(told.contains(&"me/app#1 done".to_owned()), "{told:?}");
    assert_eq!(world.run_of("me/app#1")["attempt"], 1);
    let kinds: Vec<_> = world.notices().iter().map(|n| n["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds.iter().filter(|k| *k == "alarm").count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|k| *k == "recovered").count(), 1, "{kinds:?}");
}

#[test]
fn a_refused_login_parks_the_account_and_is_tried_again() {
    let world = World::new();
    let runner =
        format!("[runner.agent]\nargv = [\"{}\"]\nprofile = \"claude\"\n", world.path("agent.sh").display());
    world.configure(&["home:me/app"], &runner);
    let asked = world.path("asked");
    world.agent(&format!(
        "if [ ! -e {0} ]; then touch {0}; echo '{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"result\":\"Invalid API key\"}}'; exit 1; fi\n{GOOD_AGENT}",
        asked.display()
    ));
    world.ready("me/app", "Some", &[]);
    world.tick();
    world.jobs_end();
    world.tick();
    assert_eq!(world.reason("me/app#1"), "parked");
    world.offhours(&["resume"]).ok();
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()));
}

#[test]
fn a_turn_that_never_ends_is_ended_by_its_time_out() {
    let world = World::new();
    let runner = format!(
        "[runner.agent]\nargv = [\"{}\"]\nturn_timeout_seconds = 1\n",
        world.path("agent.sh").display()
    );
    world.configure(&["home:me/app"], &runner);
    world.agent("while true; do sleep 0.1; done");
    world.ready("me/app", "Endless", &[]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
    done: dispatched, turn-timeout
    issue: open [needs-human]
    notices: me/app#1: turn-timeout

    armed for 1 repo
    last tick: tick <age> ago (idle)
    spend: today $0.00 + $10.00 reserved of $40.00; month $10.00 of $300.00; runs today 1 of 15

    NEEDS YOU
      home:me/app#1 turn-timeout <age> ago (run <run>)
        Apply the ready label again for another attempt, or go on from the kept
          work.

    home:me/app#1: turn-timeout (run <run>)
      next: Apply the ready label again for another attempt, or go on from the kept work.
      because: turn-timeout: the turn ran into its time-out
      history:
        <moment>  dispatched: run <run>
        <moment>  run <run> ended: turn-timeout
    ");
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn what_the_guard_refuses_is_not_pushed() {
    let world = World::new();
    world.counting("mkdir -p .github/workflows; echo 'on: push' > .github/workflows/x.yml; commit .github/workflows/x.yml",
    );
    world.ready("me/app", "Sly", &[]);
    let told = world.until_idle();
    assert_eq!(told.last().map(String::as_str), Some("me/app#1 guard-refused"));
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    assert_eq!(world.files("me/app"), ["test.sh"]);
}

#[test]
fn a_corrective_turn_without_a_commit_freezes() {
    let world = World::new();
    world.configure(&["home:me/app"], &format!("[ci]\nrerun = 0\n{DEEPER_CI}"));
    world.counting("if [ $turn = 1 ]; then echo no > broken; commit broken; fi");
    world.ready("me/app", "Gives up", &[]);
    let told = world.until_idle();
    assert_eq!(told.last().map(String::as_str), Some("me/app#1 fix-turn-failed"));
    assert_eq!(world.reason("me/app#1"), "fix-turn-failed");
}

#[test]
fn the_runs_budget_bounds_its_corrective_turns() {
    let world = World::new();
    world.configure(&["home:me/app"], "budget_usd = 1.0\n---\n");
    world.counting("echo '{\"cost_usd\": 0.6}' > \"$OFFHOURS_RESULT\"; seq $turn > red; echo $turn > try; git add try; commit red",
    );
    world.ready("me/app", "Dear", &[]);
    let told = world.until_idle();
    assert_eq!(told.iter().filter(|t| t.ends_with("fix-forward")).count(), 1, "{told:?}");
}

#[test]
fn a_landed_commit_by_a_person_ends_the_run() {
    let world = World::new();
    in_the_middle(&world);
    world.touch("go");
    world.jobs_end();
    // A person takes the work from the workspace and lands it before the tick does.
    let work = in_workspaces(&world, "half")[0].parent().unwrap().to_owned();
    git(&world.path(""), &["clone", "-q", world.bare("me/app").to_str().unwrap(), "person"]);
    git(&world.path("person"), &["pull", "-q", "--ff-only", work.to_str().unwrap(), "HEAD"]);
    git(&world.path("person"), &["push", "-q", "origin", "HEAD:main"]);
    let told = world.until_idle();
    insta::assert_snapshot!(world.outcome("me/app#1", &told), @"
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
    ");
}
