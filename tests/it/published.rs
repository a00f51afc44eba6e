//! What is said on the wire fits what the forges publish of themselves: each request that is sent and each answer that a
//! simulated forge gives, by GitHub's API description and Forgejo's, with Prism as the checking proxy; the queries, their
//! variables and their answers by GitHub's schema of GraphQL.
//!
//! Whole stories are played first, with the simulated forge alone; what was said is then said once more through Prism.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::forge::{Dialect, Replay, Reply, Seen};
use super::network_forge::Hub;
use super::network_forge_app::what_an_app_says;
use super::peers;
use super::upgrade::a_whole_upgrade;
use super::world::World;

/// What does not fit and is right: the start of `METHOD /path status: where what`, and why.
const ALLOWED: [(Dialect, &str, &str); 3] = [
    (
        Dialect::Github,
        "GET /api/v3/repos/me/app/issues 304: response Unable to match the returned status code",
        "conditional requests are described in GitHub's words on limits, and not with each list",
    ),
    (
        Dialect::Github,
        "GET /api/v3/repos/me/app/collaborators/mallory/permission 403: response Unable to match",
        "who may not push may not ask either: GitHub's words say so, its description does not",
    ),
    (
        Dialect::Github,
        "GET /api/v3/app/installations 200: response.body.0.account Response body property 0.account must",
        "the description wants an account that is a user and an enterprise at once",
    ),
];
/// The description of Forgejo is in a language that has no word for `null`, which the server says where there is nothing.
const NO_NULL: Dialect = Dialect::Forgejo;

/// The running proxy; it ends with this value.
struct Prism {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Drop for Prism {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Prism {
    fn start(world: &World, description: &str, upstream: &str) -> Option<Self> {
        let called = "the checking proxy Prism";
        let (node, program) = peers::installed("@stoplight/prism-cli/dist/index.js", called)?;
        let description = peers::folder().join(description);
        if !description.exists() {
            let skipped =
                format!("skipped: {} is not there; run contrib/peers/install.sh\n", description.display());
            std::io::stderr().write_all(skipped.as_bytes()).unwrap();
            return None;
        }
        // A port that was free a moment ago; Prism takes no other's.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(node)
            .arg(program)
            .args(["proxy", "--host", "127.0.0.1", "--verboseLevel", "error", "--port", &port.to_string()])
            .arg(description)
            .arg(upstream)
            .current_dir(world.path(""))
            .env_clear()
            .env("HOME", world.path("home"))
            .stdin(Stdio::null())
            .stdout(fs::File::create(world.path("prism.log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { child, port, log: world.path("prism.log") })
    }

    /// It reads its description first.
    fn ready(&self) {
        for _ in 0..1200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("Prism did not answer: {}", fs::read_to_string(&self.log).unwrap());
    }

    /// Says one thing again: the violations that Prism finds in it and in its answer.
    fn check(&self, index: usize, seen: &Seen, nulls: bool) -> Vec<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let typed = if seen.body.is_empty() { "" } else { "content-type: application/json\r\n" };
        let head = format!(
            "{} HTTP/1.0\r\nhost: 127.0.0.1\r\nauthorization: token x\r\naccept: application/json\r\n\
             {}: {index}\r\n{typed}content-length: {}\r\n\r\n",
            seen.line,
            Replay::HEADER,
            seen.body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&seen.body).unwrap();
        let mut answer = vec![];
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap_or_default();
        let mut found: Vec<String> = vec![];
        if status != seen.status.to_string() {
            found.push(format!("Prism answered {status}: {body}"));
        }
        for line in head.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("sl-violations") {
                // With too many of them it is no whole JSON.
                let Ok(violations) = serde_json::from_str::<Vec<Value>>(value) else {
                    found.push(value.to_owned());
                    continue;
                };
                let reply: Value = serde_json::from_slice(&seen.reply.body).unwrap_or_default();
                for violation in violations {
                    let place =
                        violation["location"].as_array().map_or(vec![], |all| all.iter().map(word).collect());
                    let said = violation["message"].as_str().unwrap_or_default();
                    let there = place.strip_prefix(&["response".to_owned(), "body".to_owned()]);
                    let nothing =
                        there.is_some_and(|path| reply.pointer(&pointer(path)) == Some(&Value::Null));
                    if !(nulls && nothing && said.contains(" must be ")) {
                        found.push(format!("{} {said}", place.join(".")));
                    }
                }
            }
        }
        found
    }
}

fn word(part: &Value) -> String {
    part.as_str().map_or_else(|| part.to_string(), str::to_owned)
}

fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |sum, part| sum + "/" + part)
}

/// A pull request that is red first, reviewed, mended and merged by us; an issue that waits for another; one that is handed back.
fn a_whole_pull_request(dialect: Dialect) -> Hub {
    let hub = Hub::new(dialect);
    hub.world.agent(&format!(
        "echo started >> {}\n\
         if [ $number = 3 ]; then exit 1; fi\n\
         if [ -e red ]; then git rm -q red; echo solved > done.txt; git add done.txt; git commit -q -m 'Mend it'; else \
         echo 'assertion failed' > red; git add red; git commit -q -m 'Break it'; fi\n",
        hub.world.path("starts").display()
    ));
    hub.configure(
        &["me/app"],
        "verify = []\nlanding = \"pull-request\"\nmerge = \"when-green\"\n---\n[ci]\ngrace_seconds = 0\n",
    );
    {
        let mut model = hub.sim.model.lock();
        model.repo("me/app").labels.retain(|(_, name)| name == "ready-for-agent");
        model.repo("me/app").no_merge_commits = true;
    }
    hub.ready("Solve it");
    {
        let mut model = hub.sim.model.lock();
        model.open("me/app", "mallory", "An earlier one", "", &[]);
        model.issue("me/app", 2).open = false;
        model.issue("me/app", 1).blocked_by = vec![2];
        model.comment("me/app", 1, "mallory", "Me too.");
    }
    hub.ready("Break it");
    {
        let mut model = hub.sim.model.lock();
        let later = model.now() + 60;
        fs::write(&model.clock, later.to_string()).unwrap();
        model.edit("me/app", 3, Some("ada"), "Please, please.");
        model.rename("me/app", 3, "ada", "Break it all");
        model.label("me/app", 3, "ready-for-agent", Some("ada"), false);
        model.label("me/app", 3, "ready-for-agent", Some("ada"), true);
    }
    hub.world.offhours(&["doctor", "--fix"]);
    for _ in 0..40 {
        hub.world.tick();
        hub.world.jobs_end();
        let mut model = hub.sim.model.lock();
        let fresh = model.repos["me/app"].pulls.first().filter(|p| p.reviews.is_empty()).cloned();
        if let Some(pull) = fresh {
            model.review(
                "me/app",
                pull.number,
                "mallory",
                "CHANGES_REQUESTED",
                "Never!",
                &[("red", 1, "no")],
            );
            model.review("me/app", pull.number, "ada", "COMMENTED", "Fine by me", &[("red", 1, "yes")]);
            let sha = model.head_of("me/app", &pull);
            model.status("me/app", &sha, "lint", "success", "ada", None);
        }
        if !model.issue("me/app", 1).open
            && model.issue("me/app", 3).labels.contains(&"needs-human".to_owned())
        {
            break;
        }
    }
    hub.world.until_idle();
    assert!(!hub.is_open(1), "{}", hub.world.offhours(&["status"]).stdout);
    hub
}

/// Who asked is read from the timeline, and a token that may do little.
fn without_queries(dialect: Dialect) -> Hub {
    let hub = Hub::new(dialect);
    {
        let mut model = hub.sim.model.lock();
        model.graphql = false;
        model.open("me/app", "ada", "Solve it", "Please.", &["ready-for-agent"]);
        model.comment("me/app", 1, "mallory", "Me too.");
        model.rename("me/app", 1, "ada", "Solve it all");
        model.label("me/app", 1, "ready-for-agent", Some("ada"), false);
        model.label("me/app", 1, "ready-for-agent", Some("ada"), true);
        model.open("me/app", "ada", "Solve this", "Please.", &["ready-for-agent"]);
        model.issue("me/app", 2).blocked_by = vec![1];
        model.unreadable.insert("mallory".to_owned());
        model.open("me/app", "mallory", "My wish", "Please.", &["ready-for-agent"]);
    }
    hub.world.offhours(&["poll", "--dry-run"]);
    hub
}

/// Prism follows where a redirect leads, which is nowhere any more.
fn stays(reply: &Reply) -> Reply {
    let mut reply = reply.clone();
    reply.headers.retain(|(name, _)| name != "location");
    reply
}

/// What was said to the API, each thing once.
fn said(hubs: &[&Hub]) -> Vec<Seen> {
    let mut known = BTreeSet::new();
    let mut all = vec![];
    for hub in hubs {
        let log = std::mem::take(&mut hub.sim.model.lock().log);
        let api = log.into_iter().filter(|seen| !seen.git && !seen.line.contains(" /logs/"));
        all.extend(api.filter(|seen| {
            known.insert((seen.line.clone(), seen.status, seen.body.clone(), seen.reply.body.clone()))
        }));
    }
    all
}

/// Whether it is one of those: `METHOD /path/{with}/{names}`.
fn is_of(line: &str, pattern: &str) -> bool {
    let (method, path) = line.split_once(" /api/v").unwrap();
    let path = path.split('?').next().unwrap_or_default().split('/').skip(1);
    let (of, parts) = pattern.split_once(" /").unwrap();
    let parts: Vec<&str> = parts.split('/').collect();
    let path: Vec<&str> = path.collect();
    let fits = |(part, own): (&&str, &&str)| part.starts_with('{') || part == own;
    method == of && parts.len() == path.len() && parts.iter().zip(&path).all(fits)
}

/// A path without what stands for names and numbers.
fn kind(line: &str) -> String {
    let line = line.split('?').next().unwrap_or_default();
    let plain = |part: &str| {
        let number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let commit = part.len() == 40 && part.bytes().all(|b| b.is_ascii_hexdigit());
        if number || commit { "_".to_owned() } else { part.to_owned() }
    };
    line.split('/').map(plain).collect::<Vec<_>>().join("/")
}

fn check(dialect: Dialect, description: &str, requests: &str) {
    if peers::installed("@stoplight/prism-cli/dist/index.js", "the checking proxy Prism").is_none() {
        return;
    }
    let scratch = World::in_memory();
    let again = Replay::start();
    let Some(prism) = Prism::start(&scratch, description, &again.url) else { return };
    let pulled = a_whole_pull_request(dialect);
    let plain = without_queries(dialect);
    let upgraded = a_whole_upgrade(dialect);
    let app = (dialect == Dialect::Github).then(what_an_app_says);
    let mut hubs = vec![&pulled, &plain, &upgraded];
    hubs.extend(&app);
    let mut all = said(&hubs);
    let queries: Vec<Seen> = all.extract_if(.., |seen| seen.line.ends_with("/graphql")).collect();
    let silent: Vec<&str> = requests.lines().filter(|l| !all.iter().any(|s| is_of(&s.line, l))).collect();
    assert!(silent.is_empty(), "the stories have none of {silent:#?}");
    // Prism is silent where it cannot read a description: of each kind one answer is spoiled, and has to be found.
    let mut spoiled: Vec<Seen> = vec![];
    for line in requests.lines() {
        let good = |s: &&Seen| is_of(&s.line, line) && s.status < 300 && s.reply.body.starts_with(b"{\"");
        let list = |s: &&Seen| is_of(&s.line, line) && s.status < 300 && s.reply.body.starts_with(b"[{");
        if let Some(seen) = all.iter().find(good).or_else(|| all.iter().find(list)) {
            let body = if seen.reply.body.starts_with(b"[") { "[7]" } else { "7" };
            let reply = Reply { body: body.into(), ..seen.reply.clone() };
            spoiled.push(Seen { reply, ..seen.clone() });
        }
    }
    assert!(spoiled.len() > 20, "{spoiled:#?}");
    *again.replies.lock().unwrap() = all.iter().chain(&spoiled).map(|seen| stays(&seen.reply)).collect();
    prism.ready();
    let mut wrong: BTreeMap<String, u32> = BTreeMap::new();
    for (index, seen) in all.iter().enumerate() {
        let name = format!("{} {}", kind(&seen.line), seen.status);
        for flaw in prism.check(index, seen, dialect == NO_NULL) {
            let flaw = format!("{name}: {flaw}");
            if !ALLOWED.iter().any(|(of, start, _)| *of == dialect && flaw.starts_with(start)) {
                *wrong.entry(flaw).or_default() += 1;
            }
        }
        if !again.asked.lock().unwrap().contains(&index) {
            *wrong.entry(format!("{name}: Prism did not pass it on")).or_default() += 1;
        }
    }
    for (index, seen) in spoiled.iter().enumerate() {
        if prism.check(all.len() + index, seen, false).is_empty() {
            *wrong.entry(format!("{}: a spoiled answer is not found", kind(&seen.line))).or_default() += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {} things said do not fit: {wrong:#?}", wrong.len(), all.len());
    if dialect == Dialect::Github {
        check_queries(&queries);
    }
}

fn check_queries(queries: &[Seen]) {
    let Some((node, _)) = peers::installed("@octokit/graphql-schema/schema.graphql", "GitHub's schema")
    else {
        return;
    };
    let asked: Vec<Value> = queries
        .iter()
        .filter(|seen| seen.status == 200)
        .map(|seen| {
            let body: Value = serde_json::from_slice(&seen.body).unwrap();
            let reply: Value = serde_json::from_slice(&seen.reply.body).unwrap();
            json!({ "query": body["query"], "variables": body["variables"], "data": reply["data"] })
        })
        .collect();
    assert!(asked.len() > 1, "{queries:#?}");
    let mut child = Command::new(node)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/peers/graphql.js"))
        .arg(peers::folder())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(asked).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "[]");
}

#[test]
fn what_is_said_to_github_fits_its_description() {
    check(Dialect::Github, "github.json", include_str!("../../contrib/peers/github.requests"));
}

#[test]
fn what_is_said_to_forgejo_fits_its_description() {
    check(Dialect::Forgejo, "forgejo.json", include_str!("../../contrib/peers/forgejo.requests"));
}
