//! What an agent leaves in its result file, and what follows: one that cannot be understood lands nothing.

use super::world::{GOOD_AGENT, World};

/// Repo, what the agent leaves, how its run ends, and what of it the comment quotes. One of each kind: all spellings are
/// beside what reads them.
const SPELLINGS: &[(&str, &str, &str, &str)] = &[
    (
        "fenced",
        r#"printf '```json\n{"outcome": "blocked", "reason": "no key"}\n```\n' > "$file""#,
        "agent-blocked",
        "no key",
    ),
    ("failed", r#"say '{"outcome": "failed", "reason": "no key"}'"#, "result-unreadable", "\"failed\""),
    ("hollow", "say '{}'", "result-unreadable", "no outcome"),
    (
        "latin",
        r#"printf '{"outcome": "blocked", "reason": "caf\351"}' > "$file""#,
        "result-unreadable",
        "UTF-8",
    ),
    (
        "large",
        r#"(printf '{"outcome": "blocked", "reason": "'; head -c 300000 /dev/zero | tr '\0' x; printf '"}') > "$file""#,
        "result-unreadable",
        "256 KB",
    ),
    ("good", r#"say '{"outcome": "DONE", "cost_usd": 1e999}'"#, "landed", ""),
];

#[test]
fn a_result_file_that_cannot_be_understood_lands_nothing() {
    let world = World::new();
    let list: Vec<String> = SPELLINGS.iter().map(|(name, ..)| format!("home:me/{name}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    world.configure(&list, "max_running = 40\nmax_runs_per_day = 100\ndaily_budget_usd = 9999.0\n---\n");
    let mut script =
        "file=\"$OFFHOURS_RESULT\"; say() { printf '%s\\n' \"$1\" > \"$file\"; }\ncase \"$prompt\" in\n"
            .to_owned();
    for (name, act, ..) in SPELLINGS {
        world.repo(&format!("me/{name}"));
        script.push_str(&format!("*me/{name}#*) {act} ;;\n"));
    }
    world.agent(&format!("{script}esac\n{GOOD_AGENT}"));
    for (name, ..) in SPELLINGS {
        world.ready(&format!("me/{name}"), "Write a file", &[]);
    }
    world.until_idle();
    let mut wrong = vec![];
    for (name, _, expected, quoted) in SPELLINGS {
        let repo = format!("me/{name}");
        let run = world.run_of(&format!("{repo}#1"));
        if run["reason"] != *expected {
            wrong.push(format!("{name}: {} and not {expected}", run["reason"]));
            continue;
        }
        let landed = *expected == "landed";
        assert_eq!(world.files(&repo).contains(&"done-1.txt".to_owned()), landed, "{name}");
        if landed {
            // An odd cost is an unknown one.
            assert_eq!(run["cost_known"], false, "{name}: {run}");
            continue;
        }
        assert_eq!(world.labels(&repo, 1), ["needs-human"], "{name}");
        let said = world.comments(&repo, 1).pop().unwrap();
        assert!(said.contains(quoted) && said.contains("Kept work:"), "{name}: {said}");
        assert!(world.refs(&repo).iter().any(|r| r.contains("offhours/salvage/1-")), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let why = world.offhours(&["why", "me/failed#1"]).ok().stdout;
    assert!(why.contains("result-unreadable") && why.contains("\"failed\""), "{why}");
    let shown = world.offhours(&["run", "show", "me/failed#1"]).ok().stdout;
    assert!(shown.contains("result-unreadable") && shown.contains("\"failed\""), "{shown}");
}
