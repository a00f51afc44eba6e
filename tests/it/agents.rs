//! The real agent programs, pinned, against a scripted model on loopback: claude, codex and opencode as people run them.
//!
//! They are looked for in the folder that `OFFHOURS_AGENT_CLIS` names, else in `agents/node_modules/.bin` below cargo's
//! target folder, where `contrib/agents/install.sh` puts them. Where one is missing its tests say so and are skipped.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::model::{Act, Model};
use super::world::{BINARY, START, World, find};

#[derive(Clone, Copy, PartialEq)]
enum Agent {
    Claude,
    Codex,
    OpenCode,
}

impl Agent {
    fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::OpenCode => "opencode",
        }
    }

    fn program(self) -> Option<PathBuf> {
        let folder = std::env::var_os("OFFHOURS_AGENT_CLIS").map_or_else(
            || Path::new(BINARY).ancestors().nth(2).unwrap().join("agents/node_modules/.bin"),
            PathBuf::from,
        );
        let program = folder.join(self.name());
        if program.exists() {
            return Some(program);
        }
        let word =
            format!("skipped: {} is not in {}; run contrib/agents/install.sh", self.name(), folder.display());
        // Past the capture of the tests' output: whoever runs them is to see it.
        std::io::stderr().write_all(format!("{word}\n").as_bytes()).unwrap();
        None
    }
}

/// Agents ask for more than their model: for plugins, packages, new versions of themselves. All of that goes to a proxy
/// on loopback that is not there.
const NO_NETWORK: [(&str, &str); 2] =
    [("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "127.0.0.1,localhost")];

/// What the program finds in its home and environment, so that it asks the model and nobody else.
fn settings(agent: Agent, model: &Model, home: &Path, permission: &str) -> Vec<(String, String)> {
    let url = model.url();
    let write = |file: &str, text: String| {
        fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
        fs::write(home.join(file), text).unwrap();
    };
    let variables: &[(&str, &str)] = match agent {
        Agent::Claude => &[
            ("ANTHROPIC_BASE_URL", url.as_str()),
            ("ANTHROPIC_API_KEY", "stub"),
            ("IS_SANDBOX", "1"),
            ("CLAUDE_CODE_MAX_RETRIES", "1"),
        ],
        Agent::Codex => {
            write(
                ".codex/config.toml",
                format!(
                    "model = \"stub\"\nmodel_provider = \"stub\"\ncheck_for_update_on_startup = false\n\
                     [model_providers.stub]\nname = \"stub\"\nbase_url = \"{url}/v1\"\nwire_api = \"responses\"\n\
                     env_key = \"OPENAI_API_KEY\"\nrequest_max_retries = 0\nstream_max_retries = 0\n\
                     [analytics]\nenabled = false\n"
                ),
            );
            &[("OPENAI_API_KEY", "stub")]
        }
        Agent::OpenCode => {
            let config = json!({
                "share": "disabled", "model": "stub/m", "small_model": "stub/m",
                "permission": { "bash": permission, "edit": permission },
                "provider": { "stub": { "npm": "@ai-sdk/anthropic", "name": "stub",
                    "options": { "baseURL": format!("{url}/v1"), "apiKey": "x" },
                    "models": { "m": { "name": "m", "tool_call": true, "cost": { "input": 10, "output": 50 },
                        "limit": { "context": 100_000, "output": 8000 } } } } },
            });
            write(".config/opencode/opencode.json", config.to_string());
            &[("OPENCODE_DISABLE_MODELS_FETCH", "1")]
        }
    };
    let variables = variables.iter().chain(&NO_NETWORK);
    variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A world whose agent is the real program, told to ask the model. `more` are further lines of its runner.
fn world(agent: Agent, model: &Model, words: &[&str], more: &str) -> Option<World> {
    let program = agent.program()?;
    let mut world = World::new();
    let permission = if words.contains(&"ask") { "ask" } else { "allow" };
    world.env = settings(agent, model, &world.path("home"), permission);
    let mut argv = vec![program.to_str().unwrap()];
    let files = match agent {
        Agent::Claude => {
            argv.extend(["-p", "--output-format", "stream-json", "--verbose"]);
            if !words.contains(&"--permission-mode") {
                argv.extend(["--permission-mode", "bypassPermissions"]);
            }
            ""
        }
        Agent::Codex => {
            argv.extend(["exec", "--json", "--dangerously-bypass-approvals-and-sandbox"]);
            "home_files = [\".codex/config.toml\"]\nprice_input_usd_per_million = 10.0\nprice_output_usd_per_million = 50.0\n"
        }
        Agent::OpenCode => {
            argv.extend(["run", "--format", "json"]);
            "home_files = [\".config/opencode/opencode.json\"]\n"
        }
    };
    argv.extend(words.iter().filter(|word| **word != "ask"));
    let quoted = |words: Vec<&str>| words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
    let mut env: Vec<&str> = world.env.iter().map(|(name, _)| name.as_str()).collect();
    env.push("CLAUDE_CODE_OAUTH_TOKEN");
    let tables = format!(
        "[runner.agent]\nprofile = \"{}\"\nargv = [{}]\nenv = [{}]\n{files}{more}\n",
        agent.name(),
        quoted(argv),
        quoted(env)
    );
    world.configure(&["home:me/app"], &tables);
    Some(world)
}

const RED: &str = "echo 'expected 3, got 4' > red && git add red && git commit -q -m 'Turn one'";
const GREEN: &str = "git rm -q red && echo solved > done.txt && git add done.txt && git commit -q -m 'Turn two' -m 'Closes #1'";
const GOOD: &str = "echo solved > done.txt && git add done.txt && git commit -q -m 'Solve it' -m 'Closes #1'";

fn run(command: &str) -> Act {
    Act::Run(command.to_owned())
}

/// Red tests, mended in the same session by a second turn, landed; the receipt knows what it cost.
fn story(agent: Agent, cost: &str) {
    let model = Model::new([run(RED), run(GREEN)]);
    let Some(world) = world(agent, &model, &[], "") else { return };
    world.ready("me/app", "Do the sum right", &[]);
    let told = world.until_idle();
    assert_eq!(
        told,
        [
            "me/app#1 dispatched",
            "me/app#1 fix-forward",
            "me/app#1 dispatched",
            "me/app#1 land",
            "me/app#1 pushed",
            "me/app#1 start-ci",
            "me/app#1 done"
        ],
        "{}",
        logs(&world)
    );
    let prompts = model.prompts();
    assert_eq!(prompts.len(), 2);
    assert!(prompts[0].contains("Do the sum right"));
    // The second request of one conversation holds the first, and what the agent was told since.
    assert!(prompts[1].contains("Turn one") && prompts[1].contains("expected 3, got 4"), "{}", prompts[1]);
    assert!(world.files("me/app").contains(&"done.txt".to_owned()));
    let receipt = world.comments("me/app", 1).pop().unwrap();
    assert!(receipt.contains(&format!("| cost | {cost} |")), "{receipt}");
    assert_eq!(world.processes(), Vec::<String>::new());
}

/// The agent's output, for a test that fails.
fn logs(world: &World) -> String {
    let mut text = String::new();
    for file in
        ["stdout.log", "stderr.log", "supervisor.log"].iter().flat_map(|n| find(&world.path("one"), n))
    {
        text += &format!("== {}\n{}\n", file.display(), fs::read_to_string(&file).unwrap_or_default());
    }
    text
}

/// The one turn of a story, and what became of the run.
fn ends(world: &World) -> (String, Value) {
    world.ready("me/app", "Some work", &[]);
    world.until_idle();
    let run = world.run_of("me/app#1");
    (run["reason"].as_str().unwrap().to_owned(), run)
}

#[test]
fn claude_mends_red_tests_in_one_session() {
    // Four answers of the model: 1000 tokens in and 200 out, at claude's own prices.
    story(Agent::Claude, "$0.04");
}

#[test]
fn codex_mends_red_tests_in_one_session_and_is_priced_by_the_config() {
    // It counts the tokens of the whole session in each turn: 4000 in, 800 out, not 6000 and 1200.
    story(Agent::Codex, "$0.08");
}

#[test]
fn opencode_mends_red_tests_in_one_session() {
    story(Agent::OpenCode, "$0.08");
}

#[test]
fn exit_0_with_nothing_done_is_no_success() {
    for (agent, words) in
        [(Agent::Claude, vec!["--permission-mode", "default"]), (Agent::OpenCode, vec!["ask"])]
    {
        let model = Model::new([run(GOOD)]);
        let Some(world) = world(agent, &model, &words, "") else { continue };
        assert_eq!(ends(&world).0, "permission-denied", "{}", logs(&world));
    }
    for agent in [Agent::Claude, Agent::Codex] {
        let model = Model::new([Act::Say("I looked at it and it is fine.")]);
        let Some(world) = world(agent, &model, &[], "") else { continue };
        assert_eq!(ends(&world).0, "nothing-done", "{}", logs(&world));
    }
}

#[test]
fn an_error_of_the_provider_is_handed_back_in_its_words() {
    // claude says `subtype: success` here, with `is_error`.
    for agent in [Agent::Claude, Agent::Codex] {
        let model = Model::new([Act::Refuse(400, &[], "the stub is out of order")]);
        let Some(world) = world(agent, &model, &[], "") else { continue };
        assert_eq!(ends(&world).0, "agent-failed", "{}", logs(&world));
        let told = world.comments("me/app", 1).pop().unwrap();
        assert!(told.contains("the stub is out of order"), "{told}");
    }
}

#[test]
fn a_refused_login_parks_the_runner() {
    for agent in [Agent::Claude, Agent::Codex] {
        // claude asks a second time by itself.
        let refusals = if agent == Agent::Claude { 2 } else { 1 };
        let refused = vec![Act::Refuse(401, &[], "who are you"); refusals];
        let model = Model::new(refused.into_iter().chain([run(GOOD)]));
        let Some(world) = world(agent, &model, &[], "") else { continue };
        // Without a time for it, an hour later it is tried again.
        parked_until(&world, 3600);
    }
}

#[test]
fn a_quota_parks_the_runner_until_its_reset() {
    const RESET: &[(&str, &str)] = &[
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", "1772456400"),
        ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
        ("x-should-retry", "false"),
    ];
    assert_eq!(RESET[1].1, (START + 3 * 3600).to_string());
    let model = Model::new([Act::Refuse(429, RESET, "too much"), run(GOOD)]);
    if let Some(mut world) = world(Agent::Claude, &model, &[], "") {
        world.env.retain(|(name, _)| name != "ANTHROPIC_API_KEY");
        world.env.push(("CLAUDE_CODE_OAUTH_TOKEN".to_owned(), "sk-ant-oat01-stub".to_owned()));
        parked_until(&world, 3 * 3600);
    }
    // codex tells no time: an hour is the probe.
    let model = Model::new([Act::Refuse(429, &[], "too much"), run(GOOD)]);
    if let Some(world) = world(Agent::Codex, &model, &[], "") {
        parked_until(&world, 3600);
    }
}

/// Works again only after so many seconds.
fn parked_until(world: &World, seconds: i64) {
    world.ready("me/app", "Some work", &[]);
    world.tick();
    world.jobs_end();
    world.tick();
    assert_eq!(world.reason("me/app#1"), "parked", "{}", logs(world));
    world.advance(seconds - 60);
    assert_eq!(world.tick(), Vec::<String>::new());
    world.advance(61);
    assert!(world.until_idle().contains(&"me/app#1 done".to_owned()), "{}", logs(world));
    assert_eq!(world.run_of("me/app#1")["attempt"], 1);
}

#[test]
fn a_limit_reached_keeps_what_was_committed_before() {
    // After one answer claude ends with `error_max_turns` and exit 1; the commit was made. Whether that is all nobody knows:
    // it goes on in its session, and lands once it says that it is done.
    let model = Model::new([run(GOOD), Act::Say("All of it is done.")]);
    if let Some(world) = world(Agent::Claude, &model, &["--max-turns", "1"], "") {
        let (end, run) = ends(&world);
        assert_eq!((end.as_str(), &run["turns"]), ("landed", &json!(2)), "{}", logs(&world));
    }
    // Without one there is nothing to keep. The budget is given to claude itself.
    let model = Model::new([run("true"), run("true")]);
    if let Some(world) = world(Agent::Claude, &model, &[], "") {
        world.edit_config("landing =", "budget_usd = 0.01\nlanding =");
        assert_eq!(ends(&world).0, "agent-failed", "{}", logs(&world));
        let told = world.comments("me/app", 1).pop().unwrap();
        assert!(told.contains("Reached maximum budget"), "{told}");
    }
}

#[test]
fn a_model_that_hangs_is_a_stall() {
    for agent in [Agent::Claude, Agent::Codex] {
        let model = Model::new([Act::Hang]);
        let Some(world) = world(agent, &model, &[], "stall_seconds = 2\n") else { continue };
        assert_eq!(ends(&world).0, "turn-stalled", "{}", logs(&world));
        assert_eq!(world.processes(), Vec::<String>::new());
    }
}

#[test]
fn a_session_that_is_lost_is_begun_anew() {
    for agent in [Agent::Claude, Agent::Codex] {
        let model = Model::new([run(RED), run(GREEN)]);
        let Some(world) = world(agent, &model, &[], "") else { continue };
        world.ready("me/app", "Some work", &[]);
        world.tick();
        world.jobs_end();
        fs::remove_dir_all(world.path("one/homes")).unwrap();
        assert!(world.until_idle().contains(&"me/app#1 done".to_owned()), "{}", logs(&world));
    }
}

/// `AGENT=... ./examples/quickstart/run.sh`, where the model has the scripted agent's wits.
#[test]
fn the_quickstart_runs_with_each_of_them() {
    for agent in [Agent::Claude, Agent::Codex, Agent::OpenCode] {
        let Some(program) = agent.program() else { continue };
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
        let solve = format!("sh {} < \"$OFFHOURS_PROMPT_FILE\"", example.join("agent.sh").display());
        let model = Model::new([run(&solve)]);
        let temp = tempfile::tempdir().unwrap();
        let home = temp.path().join("home");
        let path = std::env::var("PATH").unwrap();
        let output = Command::new(example.join("run.sh"))
            .env_clear()
            .envs(settings(agent, &model, &home, "allow"))
            .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
            .env("HOME", &home)
            .env("AGENT", agent.name())
            .env("OFFHOURS", BINARY)
            .env("WHERE", temp.path().join("quickstart"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}\n{errors}");
        assert!(told.contains("2 landed, 1 handed back with its work kept (1 bundle)"), "{told}\n{errors}");
    }
}
