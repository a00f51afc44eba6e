//! What an agent is asked, and how its answer is read. Its words are data: an answer that is missing, does not echo or makes
//! no sense is one that gives up.

use serde::Deserialize;
use serde_json::json;

use super::UpgradeWorld;
use crate::domain::escape::sanitize;
use crate::domain::model::UnixTime;
use crate::domain::upgrade::{AgentAnswer, Recipe, StaleTest};

const SCHEMA: u32 = 1;
/// Larger texts are cut; more tests than that are no judgement.
const MAX_WORDS: usize = 2000;
const MAX_PATCH_BYTES: usize = 200_000;
const MAX_TESTS: usize = 100;

/// `request.json`.
pub fn request(
    world: &UpgradeWorld,
    recipe: &Recipe,
    with_tests: bool,
    log: &str,
    deadline: UnixTime,
) -> String {
    let bumps: Vec<serde_json::Value> = recipe
        .plan
        .iter()
        .flat_map(|p| &p.bumps)
        .map(
            |b| json!({ "file": b.file, "service": b.service, "image": b.image, "from": b.from, "to": b.to }),
        )
        .collect();
    let tests = world.recipe(&recipe.name).ok().and_then(|p| p.tests).map(|t| t.path());
    let denied: Vec<&String> = world.policy.paths.tests.iter().chain(&world.policy.paths.denied).collect();
    json!({
        "schema": SCHEMA,
        "attempt": recipe.turns,
        "recipe": recipe.name,
        "mode": if with_tests { "with-tests" } else { "default" },
        "head": recipe.head.as_ref().map(ToString::to_string),
        "bumps": bumps,
        "build_url": recipe.trial().and_then(|t| t.mark.url.clone()),
        "log": log,
        "tests_repo": tests,
        "allowed_paths": ["*"],
        "denied_paths": denied,
        "runs_left": recipe.left(),
        "deadline": deadline.0,
    })
    .to_string()
}

#[derive(Deserialize)]
struct Wire {
    schema: u32,
    attempt: u32,
    head: String,
    outcome: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    all_failures: Vec<String>,
    #[serde(default)]
    stale_tests: Vec<StaleWire>,
    #[serde(default)]
    test_patch: Option<String>,
}

#[derive(Deserialize)]
struct StaleWire {
    repo: String,
    path: String,
    test: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    build_url: String,
}

/// Reads `result.json`, which has to echo the attempt and the head.
pub fn parse(text: Option<&str>, attempt: u32, head: &str) -> AgentAnswer {
    let give_up = |why: &str| AgentAnswer::GiveUp { summary: why.to_owned() };
    let Some(text) = text else { return give_up("it left no answer") };
    let wire: Wire = match serde_json::from_str(text) {
        Ok(wire) => wire,
        Err(error) => {
            return give_up(&format!("its answer could not be read: {}", sanitize(&error.to_string(), 200)));
        }
    };
    if wire.schema != SCHEMA || wire.attempt != attempt || wire.head != head {
        return give_up("its answer is to another question: schema, attempt or head are not the request's");
    }
    let summary = sanitize(&wire.summary, 300);
    match wire.outcome.trim().to_ascii_lowercase().as_str() {
        "repaired" => AgentAnswer::Repaired { summary },
        "upgrade_broken" => AgentAnswer::Broken { summary },
        "infra" => AgentAnswer::Infra { summary },
        "stale_test" => {
            let large = wire.stale_tests.len() > MAX_TESTS
                || wire.all_failures.len() > MAX_TESTS
                || wire.test_patch.as_ref().is_some_and(|p| p.len() > MAX_PATCH_BYTES);
            if large {
                return give_up("its answer is larger than a judgement can be");
            }
            let one = |t: StaleWire| StaleTest {
                repo: sanitize(&t.repo, MAX_WORDS),
                path: t.path,
                test: sanitize(&t.test, MAX_WORDS),
                why: sanitize(&t.why, MAX_WORDS),
                build_url: t.build_url,
            };
            AgentAnswer::Stale {
                summary,
                tests: wire.stale_tests.into_iter().map(one).collect(),
                all_failures: wire.all_failures.iter().map(|f| sanitize(f, MAX_WORDS)).collect(),
                patch: wire.test_patch,
            }
        }
        "give_up" => AgentAnswer::GiveUp { summary },
        other => give_up(&format!("its answer has the unknown outcome {}", sanitize(other, 40))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(outcome: &str, more: &str) -> AgentAnswer {
        let text = format!(
            "{{\"schema\":1,\"attempt\":2,\"head\":\"h\",\"outcome\":\"{outcome}\",\"summary\":\"s\"{more}}}"
        );
        parse(Some(&text), 2, "h")
    }

    #[test]
    fn answers() {
        let summary = || "s".to_owned();
        assert_eq!(answer("repaired", ""), AgentAnswer::Repaired { summary: summary() });
        assert_eq!(answer("upgrade_broken", ""), AgentAnswer::Broken { summary: summary() });
        assert_eq!(answer("infra", ""), AgentAnswer::Infra { summary: summary() });
        assert_eq!(answer("give_up", ""), AgentAnswer::GiveUp { summary: summary() });
        let stale = answer(
            "stale_test",
            ",\"all_failures\":[\"a\"],\"stale_tests\":[{\"repo\":\"r\",\"path\":\"p\",\"test\":\"a\"}]",
        );
        assert!(matches!(stale, AgentAnswer::Stale { tests, .. } if tests.len() == 1));
    }

    #[test]
    fn what_does_not_echo_or_makes_no_sense_gives_up() {
        let gives_up =
            |answer: AgentAnswer| assert!(matches!(answer, AgentAnswer::GiveUp { .. }), "{answer:?}");
        gives_up(parse(None, 1, "h"));
        gives_up(parse(Some("{"), 1, "h"));
        gives_up(parse(Some("[]"), 1, "h"));
        gives_up(answer("green", ""));
        gives_up(answer("success", ""));
        let text = "{\"schema\":1,\"attempt\":1,\"head\":\"h\",\"outcome\":\"repaired\"}";
        gives_up(parse(Some(text), 2, "h"));
        gives_up(parse(Some(text), 1, "other"));
        gives_up(parse(Some(&text.replace("\"schema\":1", "\"schema\":2")), 1, "h"));
    }
}
