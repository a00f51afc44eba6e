//! A planted token: whatever is started, written or said, it is nowhere in it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::world::{GOOD_AGENT, World};

const TOKEN: &str = "s3cr3t-t0k3n-0f-the-f0rge";

/// A receiver on the loopback that answers as it is told to, and keeps what it got.
struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<(String, Value)>>>,
    answer: Arc<Mutex<String>>,
}

impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(vec![]));
        let answer = Arc::new(Mutex::new("200 OK".to_owned()));
        let (kept, status) = (Arc::clone(&got), Arc::clone(&answer));
        // Ends with the tests' process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                        break;
                    }
                    let lower = line.to_lowercase();
                    if let Some(n) = lower.strip_prefix("content-length:") {
                        length = n.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                kept.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap()));
                let status = status.lock().unwrap().clone();
                let location =
                    if status.starts_with('3') { "location: http://127.0.0.1:1/elsewhere\r\n" } else { "" };
                let text =
                    format!("HTTP/1.1 {status}\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n");
                drop(reader.get_mut().write_all(text.as_bytes()));
            }
        });
        Self { port, got, answer }
    }

    fn answers(&self, status: &str) {
        status.clone_into(&mut self.answer.lock().unwrap());
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook/{TOKEN}", self.port)
    }
}

fn configure(world: &World, extra: &str) {
    let place = world.path("place");
    fs::create_dir_all(&place).unwrap();
    let dump = |name: &str| {
        let out = place.join(name).display().to_string();
        world.script(
            &format!("{name}.sh"),
            &format!("#!/bin/sh\n{{ env; cat /proc/$$/environ /proc/$PPID/environ /proc/$PPID/cmdline; }} | tr '\\0' '\\n' > {out}\n"),
        )
    };
    let (verify, hook, check) = (dump("verify"), dump("hook"), dump("check"));
    world.configure(
        &["home:me/app"],
        &format!(
            "verify = [\"{v}\"]\n---\n[runner.agent]\nargv = [\"{a}\"]\nenv = [\"AGENT_KEY\"]\n\
             [notify.phone]\nkind = \"webhook\"\nurl = {{ env = \"WEBHOOK\" }}\n\
             [workspace]\nafter_create = [\"{h}\"]\nbefore_turn = [\"{h}\"]\nafter_turn = [\"{h}\"]\nbefore_remove = [\"{h}\"]\n\
             [[ci.stage]]\nname = \"test\"\nargv = [\"{c}\"]\n{extra}",
            v = verify.display(),
            a = world.path("agent.sh").display(),
            h = hook.display(),
            c = check.display(),
        ),
    );
    world.agent(&format!(
        "tr '\\0' '\\n' < /proc/$PPID/environ > {0}/supervisor; tr '\\0' '\\n' < /proc/self/environ > {0}/agent\n{GOOD_AGENT}",
        place.display()
    ));
}

/// Runs a command with secrets in its environment; answers with everything it printed.
fn say(world: &World, url: &str, args: &[&str]) -> (i32, String) {
    let output = world
        .command(args)
        .env("FORGE_TOKEN", TOKEN)
        .env("GITHUB_TOKEN", TOKEN)
        .env("WEBHOOK", url)
        .env("AGENT_KEY", "named-so-it-passes")
        .env("SSH_AUTH_SOCK", format!("/run/{TOKEN}/agent.sock"))
        .output()
        .unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), text)
}

/// Every file below a folder that holds the token.
fn holding(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            holding(&entry.path(), found);
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            if bytes.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes()) {
                found.push(entry.path().display().to_string());
            }
        }
    }
}

fn nowhere(world: &World) {
    let mut found = vec![];
    holding(&world.path(""), &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_secret_of_ours_is_nowhere() {
    let world = World::new();
    let receiver = Receiver::new();
    configure(&world, "");
    let number = world.ready("me/app", "Write a file", &[]);
    let mut said = String::new();
    for _ in 0..8 {
        let (code, text) = say(&world, &receiver.url(), &["tick", "-vv"]);
        assert_eq!(code, 0, "{text}");
        said.push_str(&text);
        world.jobs_end();
        nowhere(&world);
        world.advance(60);
    }
    assert_eq!(world.run_of("me/app#1")["reason"], "landed", "{said}");
    for args in [
        &["config", "show", "--effective"][..],
        &["config", "show"],
        &["config", "check"],
        &["status", "--json"],
        &["why", "me/app#1", "--json"],
        &["run", "show", "me/app#1"],
        &["prompt", "me/app#1"],
        &["tick", "--dry-run", "-vv", "--json"],
    ] {
        said.push_str(&say(&world, &receiver.url(), args).1);
    }
    assert!(!said.contains(TOKEN), "{said}");
    for who in ["agent", "supervisor", "verify", "hook", "check"] {
        let seen = fs::read_to_string(world.path("place").join(who)).unwrap();
        assert!(seen.contains("PATH="), "{who} was not asked");
        assert!(!seen.contains(TOKEN) && !seen.contains("SSH_AUTH_SOCK"), "{who}: {seen}");
        assert!(!seen.contains("FORGE_TOKEN") && !seen.contains("WEBHOOK"), "{who}: {seen}");
        assert!(seen.contains("AGENT_KEY=named-so-it-passes"), "{who}: {seen}");
    }
    for comment in world.comments("me/app", number) {
        assert!(!comment.contains(TOKEN));
    }
    let got = receiver.got.lock().unwrap();
    assert_eq!(got.len(), 1);
    let (head, body) = &got[0];
    let mut fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["body", "key", "kind", "link", "possible_repeat", "schema", "title", "topic"]);
    assert_eq!(
        (&body["schema"], &body["kind"], &body["possible_repeat"]),
        (&1.into(), &"done".into(), &false.into())
    );
    let key = body["key"].as_str().unwrap();
    assert!(head.to_lowercase().contains(&format!("idempotency-key: {key}")), "{head}");
    nowhere(&world);
}

#[test]
fn a_webhook_that_fails_gets_one_message_later_and_its_url_is_not_told() {
    let world = World::new();
    let receiver = Receiver::new();
    configure(&world, "");
    world.ready("me/app", "Write a file", &[]);
    let mut said = String::new();
    let closed = format!("http://127.0.0.1:1/hook/{TOKEN}");
    let odd = format!("no url {TOKEN}");
    let mut tick = |url: &str, most: i32| {
        let (code, text) = say(&world, url, &["tick", "-vv"]);
        assert!(code == 0 || code == most, "{code} {text}");
        world.jobs_end();
        world.advance(7200);
        said.push_str(&text);
        code
    };
    receiver.answers("500 Internal Server Error");
    let mut codes = vec![];
    for _ in 0..5 {
        codes.push(tick(&receiver.url(), 75));
    }
    receiver.answers("302 Found");
    codes.push(tick(&receiver.url(), 75));
    codes.push(tick(&closed, 75));
    codes.push(tick(&odd, 75));
    assert!(codes.contains(&75), "{codes:?}");
    let failed = receiver.got.lock().unwrap().len();
    assert!(failed >= 2, "{failed} tries");
    receiver.answers("200 OK");
    for _ in 0..3 {
        assert_eq!(tick(&receiver.url(), 0), 0);
    }
    let got = receiver.got.lock().unwrap();
    assert_eq!(got.len(), failed + 1, "one message, once");
    let keys: Vec<&Value> = got.iter().map(|(_, body)| &body["key"]).collect();
    assert!(keys.iter().all(|k| *k == keys[0]), "{keys:?}");
    assert!(!said.contains(TOKEN), "{said}");
    assert!(said.contains("500") && said.contains("302") && said.contains("could not be reached"), "{said}");
    nowhere(&world);
}

#[test]
fn a_secret_that_is_not_there_is_told_by_its_name() {
    let world = World::new();
    configure(&world, "");
    world.ready("me/app", "Write a file", &[]);
    let mut last = (0, String::new());
    for _ in 0..6 {
        let output = world.command(&["tick"]).output().unwrap();
        world.jobs_end();
        world.advance(7200);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if !text.is_empty() {
            last = (output.status.code().unwrap(), text);
        }
    }
    assert_eq!(last.0, 77, "{}", last.1);
    assert!(last.1.contains("notify.phone.url") && last.1.contains("WEBHOOK"), "{}", last.1);
    assert_eq!(world.run_of("me/app#1")["reason"], "landed");
}
