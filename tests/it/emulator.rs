//! Quickstart's story on a GitHub that nobody here wrote: the emulator `emulate`, stateful, over real HTTP, with real git
//! beside it. It is laxer than GitHub, so what is refused is tested on the simulated forges; this is about speaking the
//! protocol.
//!
//! Where it is not installed the test says so and is skipped.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::peers;
use super::world::{GOOD_AGENT, World};

const SEED: &str = "tokens:
  tok_owner: { login: owner, scopes: [repo, workflow, user] }
  tok_bot: { login: bot, scopes: [repo, workflow] }
  tok_mallory: { login: mallory, scopes: [repo] }
github:
  users:
    - { login: owner, name: Owner, email: owner@example.test }
    - { login: bot, name: Bot, email: bot@example.test }
    - { login: mallory, name: Mallory, email: mallory@example.test }
  repos:
    - { owner: owner, name: app, auto_init: true }
";

/// The running program; it ends with this value.
struct Emulator {
    child: Child,
    port: u16,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Emulator {
    fn start(world: &World) -> Option<Self> {
        let (node, program) = peers::installed("emulate/dist/index.js", "the emulator of GitHub")?;
        let seed = world.path("seed.yaml");
        fs::write(&seed, SEED).unwrap();
        // A port that was free a moment ago; the emulator takes no other's.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(node)
            .arg(program)
            .args([
                "start",
                "--service",
                "github",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--seed",
            ])
            .arg(&seed)
            .current_dir(world.path(""))
            .env_clear()
            .env("HOME", world.path("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let emulator = Self { child, port };
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(emulator);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the emulator did not answer on port {port}");
    }

    /// A person asks for something.
    fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let text = format!(
            "{method} {path} HTTP/1.0\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 ") || head.contains(" 201 "), "{method} {path}: {answer}");
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{method} {path}: {e}: {answer}"))
    }
}

#[test]
fn quickstart_on_a_github_of_somebody_else() {
    let world = World::in_memory();
    let Some(emulator) = Emulator::start(&world) else { return };
    world.repo("owner/app");
    world.agent(GOOD_AGENT);
    fs::write(world.path("token"), "tok_bot\n").unwrap();
    let text = format!(
        "kill_switch = false\nallowlist = [\"owner/app\"]\nlanding = \"push\"\nmachine = \"test\"\n\
         verify = [\"sh\", \"test.sh\"]\n\
         [forge.hub]\nkind = \"github\"\nurl = \"http://127.0.0.1:{0}\"\napi_url = \"http://127.0.0.1:{0}\"\n\
         git_url = \"{1}/{{owner}}/{{name}}/repo.git\"\ntoken = {{ file = \"{2}\" }}\n\
         [runner.agent]\nargv = [\"{3}\"]\n\
         [[ci.stage]]\nname = \"test\"\nargv = [\"sh\", \"test.sh\"]\n",
        emulator.port,
        world.path("tracker").display(),
        world.path("token").display(),
        world.path("agent.sh").display(),
    );
    fs::write(world.path("config.toml"), text).unwrap();
    let repo = "/repos/owner/app";
    emulator.ask("tok_owner", "PUT", &format!("{repo}/collaborators/bot"), &json!({ "permission": "push" }));
    for label in ["ready-for-agent", "agent-in-progress", "needs-human"] {
        let body = json!({ "name": label, "color": "ededed" });
        emulator.ask("tok_owner", "POST", &format!("{repo}/labels"), &body);
    }
    for (number, title) in [(1, "Solve it"), (2, "A stranger's wish")] {
        let author = if number == 1 { "tok_owner" } else { "tok_mallory" };
        emulator.ask(
            author,
            "POST",
            &format!("{repo}/issues"),
            &json!({ "title": title, "body": "Please." }),
        );
        let labels = json!({ "labels": ["ready-for-agent"] });
        emulator.ask(author, "POST", &format!("{repo}/issues/{number}/labels"), &labels);
    }
    let told = world.until_idle();
    let all = format!("{told:#?}\n{}", world.offhours(&["status"]).stdout);
    assert!(world.files("owner/app").contains(&"done-1.txt".to_owned()), "{all}");
    assert!(!world.files("owner/app").contains(&"done-2.txt".to_owned()), "{all}");
    let first = emulator.ask("tok_owner", "GET", &format!("{repo}/issues/1"), &Value::Null);
    assert_eq!((&first["state"], &first["labels"]), (&json!("closed"), &json!([])), "{all}");
    let comments = emulator.ask("tok_owner", "GET", &format!("{repo}/issues/1/comments"), &Value::Null);
    let by: Vec<&Value> = comments.as_array().unwrap().iter().map(|c| &c["user"]["login"]).collect();
    assert_eq!(by, ["bot", "bot"], "{comments:#}");
    assert!(comments[1]["body"].as_str().unwrap().contains("landed"), "{comments:#}");
    let second = emulator.ask("tok_owner", "GET", &format!("{repo}/issues/2"), &Value::Null);
    assert_eq!(second["state"], "open", "{all}");
    // GitHub tells what a stranger may do; here nobody knows a stranger, and who cannot be asked about is not trusted.
    assert_eq!(world.reason("hub:owner/app#2"), "permission-unreadable", "{all}");
    assert_eq!(world.claims("owner/app"), Vec::<String>::new(), "{all}");
}
