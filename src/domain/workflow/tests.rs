//! Every pair of runs, against the rule written down a second time.

use super::*;

const STATES: [CheckState; 6] = [
    CheckState::Pending,
    CheckState::Green,
    CheckState::Red,
    CheckState::Skipped,
    CheckState::Superseded,
    CheckState::NeedsPerson,
];
const EVENTS: [&str; 4] = ["push", "pull_request", "schedule", ""];

fn run(number: u64, workflow: &str, event: &str, branch: &str, state: CheckState) -> Run {
    Run { number, workflow: workflow.into(), event: event.into(), branch: branch.into(), state }
}

/// What an older run says beside a newer one of such a kind; `None`: nothing.
fn expected(older: CheckState, event: &str, newer: Option<(CheckState, &str, bool)>) -> Option<CheckState> {
    let own = |event: &str| event != "schedule";
    let newer = newer.filter(|(state, _, _)| *state != CheckState::Skipped);
    match (older, newer) {
        (CheckState::Pending, _) => Some(CheckState::Pending),
        (CheckState::Superseded, Some((_, by, _))) if own(event) && own(by) => None,
        (CheckState::Superseded, _) => own(event).then_some(CheckState::Red),
        (_, Some((_, by, true))) if by == event => None,
        (state, _) => Some(state),
    }
}

#[test]
fn every_pair_of_runs() {
    for (x, y) in STATES.iter().flat_map(|x| STATES.iter().map(move |y| (*x, *y))) {
        for (first, second) in EVENTS.iter().flat_map(|a| EVENTS.iter().map(move |b| (*a, *b))) {
            for workflow in ["ci.yml", "other.yml"] {
                for branch in ["main", "work"] {
                    let older = run(1, "ci.yml", first, "main", x);
                    let newer = run(2, workflow, second, branch, y);
                    let beside = (workflow == "ci.yml").then_some((y, second, branch == "main"));
                    let (old, new) = (expected(x, first, beside), expected(y, second, None));
                    let pick = |list: &[Run], number: u64| {
                        let found = standing(list);
                        found.iter().find(|(at, _)| list[*at].number == number).map(|(_, state)| *state)
                    };
                    for list in [vec![older.clone(), newer.clone()], vec![newer.clone(), older.clone()]] {
                        let why = format!("{list:?}");
                        assert_eq!(pick(&list, 1), old, "{why}");
                        assert_eq!(pick(&list, 2), new, "{why}");
                    }
                }
            }
        }
    }
}

/// Whatever else there is, the newest run that the commit caused says how it stands unless it was skipped, and nothing that
/// was cancelled is left as such.
#[test]
fn the_newest_always_speaks() {
    for state in STATES {
        for earlier in STATES {
            let runs = [
                run(7, "ci.yml", "push", "main", earlier),
                run(9, "ci.yml", "push", "main", state),
                run(8, "ci.yml", "push", "main", earlier),
            ];
            let found = standing(&runs);
            let wanted = if state == CheckState::Superseded { CheckState::Red } else { state };
            assert!(found.contains(&(1, wanted)), "{earlier:?} {state:?} {found:?}");
            assert!(found.iter().all(|(_, state)| *state != CheckState::Superseded), "{found:?}");
        }
    }
}

#[test]
fn an_event_that_nobody_knows_is_the_commits_own() {
    for event in ["push", "pull_request", "pull_request_target", "merge_group", "dynamic", "", "splendid"] {
        assert!(is_caused(event), "{event}");
    }
    for event in ["schedule", "workflow_dispatch", "issue_comment", "workflow_run"] {
        assert!(!is_caused(event), "{event}");
    }
}
