//! Turns that were cut off: what was committed by then is a beginning, and lands only once a turn has brought it to its end.

use super::world::{World, git};

/// A turn that finds no `first.txt` makes the first commit and is cut off, each repo's in its own way; the next one ends
/// the work.
fn cut_off(world: &World, ways: &[(&str, &str)], extra: &str) {
    let list: Vec<String> = ways.iter().map(|(name, _)| format!("home:me/{name}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let runner = format!(
        "[runner.agent]\nprofile = \"claude\"\nargv = [\"{}\"]\nturn_timeout_seconds = 6\n",
        world.path("agent.sh").display()
    );
    world.configure(
        &list,
        &format!("max_running = 40\nmax_runs_per_day = 100\ndaily_budget_usd = 9999.0\n{extra}---\n{runner}"),
    );
    let mut script = "result() { echo '{\"type\":\"result\",\"session_id\":\"aa-1\",'\"$1\"'}'; }\n\
                      echo '{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"aa-1\"}'\n\
                      if [ -e first.txt ]; then\n\
                      printf '%s\\n' \"$*\" \"$prompt\" > given.txt; echo whole > second.txt; git add given.txt second.txt; git commit -qm 'The rest'\n\
                      result '\"subtype\":\"success\",\"is_error\":false,\"total_cost_usd\":0.5'; exit 0\nfi\n\
                      echo half > first.txt; git add first.txt; git commit -qm 'A beginning'\ncase \"$prompt\" in\n"
        .to_owned();
    for (name, way) in ways {
        world.repo(&format!("me/{name}"));
        script.push_str(&format!("*me/{name}#*) {way} ;;\n"));
    }
    world.agent(&format!("{script}esac\n"));
    for (name, _) in ways {
        world.ready(&format!("me/{name}"), "Two files", &[]);
    }
}

fn receipt_of(world: &World, repo: &str) -> String {
    world.comments(repo, 1).pop().unwrap()
}

#[test]
fn a_turn_that_was_cut_off_goes_on_in_its_session_and_lands_when_it_is_done() {
    let world = World::new();
    let hangs = "echo '{\"outcome\": \"done\"}' > \"$OFFHOURS_RESULT\"; sleep 60";
    let budget =
        "result '\"subtype\":\"error_max_budget_usd\",\"is_error\":true,\"total_cost_usd\":0.5'; exit 1";
    let steps = "result '\"subtype\":\"error_max_turns\",\"is_error\":true,\"total_cost_usd\":0.5'; exit 1";
    let ways = [
        ("hangs", hangs, "timed-out", "time-out"),
        ("budget", budget, "budget-used", "budget"),
        ("steps", steps, "steps-used", "steps"),
        ("killed", "kill -KILL $$", "interrupted", "ended from outside"),
        // As a shell or a sandbox around the agent tells of it.
        ("inside", "sh -c 'kill -KILL $$'; exit $?", "interrupted", "ended from outside"),
    ];
    cut_off(&world, &ways.map(|(name, way, ..)| (name, way)), "");
    let told = world.until_idle();
    for (name, _, ending, words) in ways {
        let repo = format!("me/{name}");
        let run = world.run_of(&format!("{repo}#1"));
        assert_eq!(run["reason"], "landed", "{name}: {told:?}");
        assert_eq!(
            world.files(&repo),
            ["first.txt", "given.txt", "second.txt", "test.sh"],
            "{name}: {told:?}"
        );
        let of: Vec<&str> = told.iter().filter_map(|t| t.strip_prefix(&format!("{repo}#1 "))).collect();
        assert_eq!(of[..4], ["dispatched", "continue", "dispatched", "land"], "{name}");
        let receipt = receipt_of(&world, &repo);
        assert!(receipt.contains(&format!("| turns | 2 (0 fix-forward): {ending}, finished |")), "{receipt}");
        // The session goes on, and the agent is told what happened to it.
        let given = git(&world.bare(&repo), &["show", "main:given.txt"]);
        assert!(given.contains("--resume aa-1"), "{name}: {given}");
        assert!(given.contains("was cut off") && given.contains(words), "{name}: {given}");
    }
    assert_eq!(world.processes(), Vec::<String>::new());
}

#[test]
fn without_a_try_or_a_budget_what_was_cut_off_is_handed_back_with_its_work() {
    let world = World::new();
    let dear =
        "result '\"subtype\":\"error_max_budget_usd\",\"is_error\":true,\"total_cost_usd\":10.2'; exit 1";
    cut_off(&world, &[("hangs", "sleep 60")], "max_attempts_per_issue = 1\n");
    let told = world.until_idle();
    cut_off(&world, &[("dear", dear)], "");
    let more = world.until_idle();
    for (name, code, words) in [
        ("hangs", "turn-timeout", "no attempt is left"),
        ("dear", "agent-failed", "the run's budget is used"),
    ] {
        let repo = format!("me/{name}");
        assert_eq!(world.run_of(&format!("{repo}#1"))["reason"], code, "{name}: {told:?} {more:?}");
        assert_eq!(world.files(&repo), ["test.sh"], "{name}");
        assert_eq!(world.labels(&repo, 1), ["needs-human"], "{name}");
        let said = receipt_of(&world, &repo);
        assert!(said.contains("cut off") && said.contains(words) && said.contains("after 1 turn."), "{said}");
        assert!(world.refs(&repo).iter().any(|r| r.contains("offhours/salvage/1-")), "{name}: {said}");
    }
}

/// Red CI after a push, and the turn that is to mend it is cut off: nothing of it is pushed on top.
#[test]
fn a_corrective_turn_that_was_cut_off_is_not_pushed() {
    let world = World::new();
    let deep = "[[ci.stage]]\nname = \"deep\"\nargv = [\"sh\", \"-c\", \"[ ! -e broken ] || { cat broken; exit 1; }\"]\n";
    let runner = format!(
        "[runner.agent]\nargv = [\"{}\"]\nturn_timeout_seconds = 6\n",
        world.path("agent.sh").display()
    );
    world.configure(&["home:me/app"], &format!("max_attempts_per_issue = 1\n---\n{runner}{deep}"));
    world.agent(
        "if [ ! -e broken ]; then echo 'deep trouble' > broken; git add broken; git commit -qm 'Broken'\n\
         else echo half > half.txt; git add half.txt; git commit -qm 'Half'; sleep 60; fi\n",
    );
    world.ready("me/app", "Deep", &[]);
    let told = world.until_idle();
    let run = world.run_of("me/app#1");
    assert_eq!(run["reason"], "fix-turn-failed", "{told:?}");
    assert!(!world.files("me/app").contains(&"half.txt".to_owned()));
    let said = receipt_of(&world, "me/app");
    assert!(said.contains("was cut off") && said.contains("turn-timeout"), "{said}");
}
