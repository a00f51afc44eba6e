//! A planted token: whatever is started, written or said, it is nowhere in it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use serde_json::Value;

use super::forge::{Dialect, Fault, Wrong};
use super::network_forge::Hub;
use super::world::{GOOD_AGENT, World, answer};

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

/// Every file below a folder that holds a secret.
pub fn holding(dir: &Path, secret: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            holding(&entry.path(), secret, found);
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            if bytes.windows(secret.len()).any(|w| w == secret.as_bytes()) {
                found.push(entry.path().display().to_string());
            }
        }
    }
}

fn nowhere(world: &World) {
    let mut found = vec![];
    holding(&world.path(""), TOKEN, &mut found);
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

/// Every git that offhours starts writes down whether it knows what `looks` looks for.
fn git_that_tells(hub: &mut Hub, looks: &str) {
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|d| d.join("git")).find(|g| g.is_file()).unwrap();
    let bin = hub.world.path("bin");
    fs::create_dir(&bin).unwrap();
    hub.world.script(
        "bin/git",
        &format!(
            "#!/bin/sh\nif tr '\\0' '\\n' < /proc/$$/environ | {looks}; then knows=yes; else knows=no; fi\n\
             echo \"$knows $*\" >> {}\nexec {} \"$@\"\n",
            hub.world.path("gits").display(),
            real.display()
        ),
    );
    hub.world.env.push(("PATH".to_owned(), format!("{}:{path}", bin.display())));
}

/// A network forge's token is in offhours' own environment and in that of the private repository's git, nowhere else:
/// what else runs, whatever its rights, does not find it in /proc, in a file, in a word or on the forge.
#[test]
fn the_token_of_a_network_forge_is_nowhere_else() {
    let mut hub = Hub::new(Dialect::Github);
    let token = "planted-9b1e77c0d2";
    let encoded = base64::prelude::BASE64_STANDARD.encode(format!("x-access-token:{token}"));
    hub.sim.model.lock().tokens.insert(token.to_owned(), "helper".to_owned());
    let place = |name: &str| hub.world.path(name).display().to_string();
    // Patterns that do not hold what they look for, so that they are not found themselves.
    let tail = &encoded[1..];
    let looks = format!("grep -q -e 'plante[d]-9b1e77c0d2' -e '[{}]{tail}'", &encoded[..1]);
    let look = |who: &str| {
        format!(
            "for p in /proc/[0-9]*; do if cat $p/environ $p/cmdline 2>/dev/null | tr '\\0' '\\n' | {looks}; then \
             echo \"{who}: $(tr '\\0' ' ' < $p/cmdline 2>/dev/null)\" >> {0}; fi; done\necho '{who} looked' >> {0}\n",
            place("found")
        )
    };
    hub.world.agent(&format!("{}{GOOD_AGENT}", look("agent")));
    let verify = hub.world.script("verify.sh", &format!("#!/bin/sh\n{}", look("verify")));
    hub.configure(&["me/app"], &format!("verify = [\"{}\"]\n---\n", verify.display()));
    hub.world.script("notify.sh", &format!("#!/bin/sh\ncat > /dev/null\n{}", look("notify")));
    let file = format!("token = {{ file = \"{}\" }}", place("token"));
    hub.world.edit_config(&file, "token = { env = \"HUB_TOKEN\" }");
    fs::remove_file(hub.world.path("token")).unwrap();
    git_that_tells(&mut hub, &looks);
    hub.ready("Solve it");
    // A server that repeats what it was shown, in answers of the API and of git.
    let echo = format!("Bearer {token} and Basic {encoded} may not");
    for (at, status) in
        [("/collaborators/", 500), ("/comments", 422), ("/info/refs", 500), ("?state=open", 200)]
    {
        let what = Wrong::Answer(status, vec![("content-type", "text/plain".to_owned())], echo.clone());
        hub.sim.model.lock().faults.push(Fault { at: at.to_owned(), skip: 0, times: 1, what });
    }
    let mut said = String::new();
    let mut say = |args: &[&str]| {
        let told = answer(&hub.world.command(args).env("HUB_TOKEN", token).output().unwrap());
        said.push_str(&format!("{args:?}\n{}{}", told.stdout, told.stderr));
    };
    for _ in 0..40 {
        say(&["tick", "-vv"]);
        hub.world.jobs_end();
        hub.world.advance(60);
        if !hub.is_open(1) && hub.world.claims("me/app").is_empty() {
            break;
        }
    }
    for args in [
        &["config", "show", "--effective"][..],
        &["status", "--json"],
        &["why", "me/app#1", "--live"],
        &["run", "show", "me/app#1"],
        &["run", "log", "me/app#1"],
        &["doctor"],
        &["tick", "--dry-run", "-vv", "--json"],
    ] {
        say(args);
    }
    assert!(!hub.is_open(1), "{said}");
    assert!(said.contains("may not"), "the server's words are told: {said}");
    let gits = fs::read_to_string(hub.world.path("gits")).unwrap();
    let repos = hub.world.state().parent().unwrap().join("repos").display().to_string();
    for needed in [" push ", " fetch ", " ls-remote "] {
        assert!(gits.lines().any(|l| l.starts_with("yes ") && l.contains(needed)), "{needed}: {gits}");
    }
    assert!(gits.lines().any(|l| l.starts_with("no ") && l.contains(" --work-tree ")), "{gits}");
    for line in gits.lines().filter(|l| l.starts_with("yes ")) {
        let dir = line.split_once("--git-dir ").map_or("", |(_, dir)| dir);
        let scratch = dir.contains("/offhours-dry-") && !dir.contains(" --work-tree ");
        assert!(dir.starts_with(&repos) || scratch, "{line}");
    }
    let found = fs::read_to_string(hub.world.path("found")).unwrap();
    for who in ["agent", "verify", "notify"] {
        assert!(found.contains(&format!("{who} looked")), "{who}: {found}");
    }
    for line in found.lines().filter(|l| !l.ends_with(" looked")) {
        let own = line.contains("offhours --config") && line.contains(" tick ");
        let git =
            line.contains(&repos) || line.contains("git-remote-http") || line.contains("git remote-http");
        assert!(own || git, "the token is known to {line}");
    }
    for secret in [token, &encoded] {
        assert!(
            !said.contains(secret) && !gits.contains(secret) && !found.contains(secret),
            "{said}\n{gits}"
        );
        let mut files = vec![];
        holding(&hub.world.path(""), secret, &mut files);
        assert_eq!(files, Vec::<String>::new());
        let model = hub.sim.model.lock();
        assert!(model.log.iter().all(|seen| !seen.line.contains(secret)), "in an address");
        let issues = &model.repos["me/app"].issues;
        assert!(issues.iter().flat_map(|i| &i.comments).all(|c| !c.body.contains(secret)), "in a comment");
    }
}
