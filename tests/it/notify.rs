//! What leaves for people: each notifier against a receiver on the loopback that keeps what it got, quiet hours, rolling
//! alarms, heartbeats.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::world::World;

/// One request: its first line, its headers in small letters, its body.
#[derive(Clone, Debug)]
struct Got {
    line: String,
    head: String,
    body: Value,
}

/// A receiver that answers as it is told to. Ends with the tests' process.
struct Sink {
    port: u16,
    got: Arc<Mutex<Vec<Got>>>,
    answer: Arc<Mutex<(String, String)>>,
}

impl Sink {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(vec![]));
        let answer = Arc::new(Mutex::new(("200 OK".to_owned(), "ok".to_owned())));
        let (kept, told) = (Arc::clone(&got), Arc::clone(&answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let (mut line, mut head, mut length) = (String::new(), String::new(), 0);
                reader.read_line(&mut line).unwrap();
                loop {
                    let mut next = String::new();
                    if reader.read_line(&mut next).unwrap_or(0) == 0 || next == "\r\n" {
                        break;
                    }
                    let lower = next.to_lowercase();
                    if let Some(n) = lower.strip_prefix("content-length:") {
                        length = n.trim().parse().unwrap();
                    }
                    head.push_str(&lower);
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                kept.lock().unwrap().push(Got { line: line.trim().to_owned(), head, body });
                let (status, text) = told.lock().unwrap().clone();
                let text = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                    text.len()
                );
                drop(reader.get_mut().write_all(text.as_bytes()));
            }
        });
        Self { port, got, answer }
    }

    fn answers(&self, status: &str, text: &str) {
        *self.answer.lock().unwrap() = (status.to_owned(), text.to_owned());
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        self.got().into_iter().map(|g| g.line.replace(" HTTP/1.1", "")).collect()
    }

    /// A file with the URL in it, and the key that names it.
    fn url(&self, world: &World, path: &str) -> String {
        let file = world.path("url");
        fs::write(&file, format!("http://127.0.0.1:{}{path}\n", self.port)).unwrap();
        format!("{{ file = \"{}\" }}", file.display())
    }
}

/// A world that tells of an issue that it landed, through one more notifier.
fn landed(tables: &str) -> World {
    let world = World::new();
    world.configure(&["home:me/app"], tables);
    world.ready("me/app", "Greet <!channel> & all", &[]);
    world.until_idle();
    world
}

#[test]
fn slack_is_sent_blocks_and_believed_when_it_says_ok() {
    let sink = Sink::new();
    let world = World::new();
    let url = sink.url(&world, "/services/T/B/x");
    world.configure(&["home:me/app"], &format!("[notify.team]\nkind = \"slack\"\nurl = {url}\n"));
    sink.answers("200 OK", "no_service");
    world.ready("me/app", "Greet", &[]);
    world.until_idle();
    let answer = world.offhours(&["status"]).ok();
    assert!(!answer.stdout.contains("/services/"), "the URL is a secret");
    let tries = sink.got().len();
    assert!(tries >= 1, "not `ok` is no success: it is sent again");
    sink.answers("200 OK", "ok");
    world.advance(4000);
    world.tick();
    world.advance(4000);
    world.tick();
    let got = sink.got();
    assert_eq!(got.len(), tries + 1, "once it said ok");
    let last = got.last().unwrap();
    assert_eq!(last.line, "POST /services/T/B/x HTTP/1.1");
    assert_eq!(last.body["blocks"][0]["text"]["text"], ":white_check_mark: Done: me/app#1: landed");
    assert_eq!(last.body["blocks"][0]["text"]["type"], "plain_text");
}

#[test]
fn ntfy_is_sent_json_to_the_servers_root() {
    let sink = Sink::new();
    let world = World::new();
    let url = sink.url(&world, "/nights");
    fs::write(world.path("token"), "tk_planted\n").unwrap();
    world.configure(
        &["home:me/app"],
        &format!("[notify.phone]\nkind = \"ntfy\"\nurl = {url}\ntoken = {{ file = \"token\" }}\n"),
    );
    world.ready("me/app", "Greet", &[]);
    world.until_idle();
    let got = sink.got();
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(got[0].line, "POST / HTTP/1.1");
    assert!(got[0].head.contains("authorization: bearer tk_planted"), "{}", got[0].head);
    assert_eq!(got[0].body["topic"], "nights");
    assert_eq!(got[0].body["priority"], 2);
    assert_eq!(got[0].body["tags"][0], "white_check_mark");
    assert_eq!(got[0].body["title"], "Done: me/app#1: landed");
}

#[test]
fn mail_is_handed_to_sendmail_whole() {
    let world = World::new();
    let sendmail = world.script(
        "sendmail",
        &format!("#!/bin/sh\ncat > {0}/mail.$$\necho \"$@\" > {0}/arguments\n", world.path("").display()),
    );
    world.agent("exit 0\n");
    world.configure(
        &["home:me/app"],
        &format!(
            "[notify.mail]\nkind = \"email\"\nto = [\"ada@example.org\", \"bo@example.org\"]\nfrom = \"off@example.org\"\n\
             argv = [\"{}\", \"-t\", \"-i\"]\n",
            sendmail.display()
        ),
    );
    world.ready("me/app", "Grüße\\nBcc: x@y", &[]);
    world.until_idle();
    assert_eq!(fs::read_to_string(world.path("arguments")).unwrap(), "-t -i\n");
    let mail = fs::read_dir(world.path("")).unwrap().map(|e| e.unwrap().path());
    let mails: Vec<_> =
        mail.filter(|p| p.file_name().unwrap().to_string_lossy().starts_with("mail.")).collect();
    assert_eq!(mails.len(), 1);
    let text = fs::read_to_string(&mails[0]).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    for line in [
        "From: off@example.org",
        "To: ada@example.org, bo@example.org",
        "Subject: [offhours] Needs you: me/app#1: nothing-done",
        "X-Priority: 1",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(head.lines().any(|l| l == line), "{line}: {head}");
    }
    assert!(!head.lines().any(|l| l.starts_with("Bcc")), "{head}");
    let plain = std::process::Command::new("base64")
        .arg("-d")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            child.stdin.take().unwrap().write_all(body.as_bytes())?;
            child.wait_with_output()
        });
    let plain = String::from_utf8(plain.unwrap().stdout).unwrap();
    assert!(plain.contains("ended without a commit"), "{plain}");
}

/// A receiver that is away for an hour in which an alarm is raised, ends and is raised again: one message after.
#[test]
fn of_one_cause_only_the_newest_is_sent() {
    let sink = Sink::new();
    sink.answers("503 Service Unavailable", "");
    let world = World::new();
    let url = sink.url(&world, "/hook");
    world.configure(
        &["home:me/app"],
        &format!("[notify.far]\nkind = \"webhook\"\nurl = {url}\nkinds = [\"alarm\", \"recovered\"]\n"),
    );
    let number = world.ready("me/app", "Left over", &["--label", "agent-in-progress"]);
    let issue = format!("me/app#{number}");
    for step in ["--remove", "--add", "--remove"] {
        world.offhours(&["tick"]);
        world.advance(600);
        world.offhours(&["issue", "label", &issue, step, "agent-in-progress"]).ok();
        if step == "--add" {
            continue;
        }
        world.offhours(&["issue", "label", &issue, "--remove", "ready-for-agent"]).ok();
        world.offhours(&["tick"]);
        world.offhours(&["issue", "label", &issue, "--add", "ready-for-agent"]).ok();
        world.offhours(&["off"]).ok();
        world.offhours(&["resume"]).ok();
    }
    sink.answers("200 OK", "");
    let before = sink.got().len();
    world.advance(7200);
    world.offhours(&["tick"]);
    let after: Vec<Value> = sink.got()[before..].iter().map(|g| g.body.clone()).collect();
    let told: Vec<&str> =
        after.iter().filter_map(|b| b["title"].as_str()).filter(|t| t.contains("orphan")).collect();
    // What was tried while it was away may have arrived: of that there is one, marked; and the newest.
    assert!(told.len() <= 2, "{after:?}");
    assert_eq!(told.last().unwrap(), &"recovered: orphan-label:home:me/app#1", "{after:?}");
    world.jobs_end();
}

#[test]
fn quiet_hours_hold_back_all_but_the_urgent() {
    // 10:00 UTC is in them.
    let quiet = "[notify.phone]\nkind = \"command\"\nargv = [\"./phone.sh\"]\nquiet_hours = [\"09:00-12:00\"]\nurgent = [\"needs-human\"]\n";
    let world = World::new();
    let phone = world.path("phone.sh");
    world.script(
        "phone.sh",
        &format!("#!/bin/sh\ncat >> {0}/phone\necho >> {0}/phone\n", world.path("").display()),
    );
    world.configure(&["home:me/app"], &quiet.replace("./phone.sh", phone.to_str().unwrap()));
    let told = || fs::read_to_string(world.path("phone")).unwrap_or_default();
    world.ready("me/app", "Lands", &[]);
    world.until_idle();
    assert_eq!(told(), "", "nothing in quiet hours");
    world.agent("exit 0\n");
    world.ready("me/app", "Does nothing", &[]);
    world.until_idle();
    assert!(told().contains("nothing-done") && !told().contains("landed"), "{}", told());
    world.advance(2 * 3600);
    world.tick();
    assert!(told().contains("me/app#1: landed"), "when they are over: {}", told());
    assert_eq!(told().matches("landed").count(), 1);
}

#[test]
fn a_heartbeat_is_pinged_and_its_answer_read() {
    let sink = Sink::new();
    let world = World::new();
    let url = sink.url(&world, "/uuid");
    world.configure(&["home:me/app"], &format!("[heartbeat]\ntick = {url}\npoll = {url}\n"));
    sink.answers("200 OK", "OK");
    world.offhours(&["tick"]).ok();
    let lines = sink.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let id = lines[0].split("rid=").nth(1).unwrap();
    assert_eq!(lines, [format!("GET /uuid/start?rid={id}"), format!("GET /uuid?rid={id}")]);

    // A dry run pings nothing, nor does `poll` while it is off.
    world.offhours(&["tick", "--dry-run"]).ok();
    world.offhours(&["off"]).ok();
    world.offhours(&["poll"]).ok();
    assert_eq!(sink.lines().len(), 2);
    world.offhours(&["resume"]).ok();

    // 200 may mean no.
    sink.answers("200 OK", "OK (not found)");
    let unknown = world.offhours(&["tick"]);
    assert_eq!(unknown.code, 75);
    assert!(unknown.stderr.contains("no such check is known there"), "{}", unknown.stderr);
    assert!(!unknown.stderr.contains("/uuid"), "the URL is a secret: {}", unknown.stderr);
    let again = world.offhours(&["tick"]);
    assert!(!again.stderr.is_empty(), "said a second time");
    assert!(world.offhours(&["tick"]).stderr.is_empty(), "and then at doubling intervals");

    // A tick that cannot work says so.
    sink.answers("200 OK", "OK");
    let before = sink.lines().len();
    fs::rename(world.state(), world.path("aside")).unwrap();
    fs::create_dir(world.state()).unwrap();
    assert_ne!(world.offhours(&["tick"]).code, 0);
    let lines = sink.lines()[before..].to_vec();
    assert!(lines.last().unwrap().starts_with("GET /uuid/fail?rid="), "{lines:?}");
}

#[test]
fn a_heartbeat_that_cannot_be_reached_holds_nothing_up() {
    let world = landed("[heartbeat]\ntick = { env = \"NOT_SET\" }\n");
    assert_eq!(world.run_of("me/app#1")["reason"], "landed");
    let answer = world.offhours(&["tick"]);
    assert_eq!(answer.code, 77, "{}", answer.stderr);
}

/// Who gets JSON gets the same by either way: what happened, its key, and where to look.
#[test]
fn a_webhook_and_a_command_are_sent_the_same_json() {
    let sink = Sink::new();
    let world = World::new();
    let url = sink.url(&world, "/hook?x=1");
    let file = world.path("told.json").display().to_string();
    let program =
        world.script("tell.sh", &format!("#!/bin/sh\n[ \"$OFFHOURS_KIND\" = done ] && cat > {file}\n"));
    world.configure(
        &["home:me/app"],
        &format!(
            "[notify.hook]\nkind = \"webhook\"\nurl = {url}\n[notify.tell]\nkind = \"command\"\nargv = [\"{}\"]\n",
            program.display()
        ),
    );
    world.ready("me/app", "Greet <!channel> & all", &[]);
    world.until_idle();
    let got = sink.got();
    assert_eq!(got.len(), 1, "{got:?}");
    assert!(
        got[0].line.starts_with("POST /hook?x=1 ") && got[0].head.contains("application/json"),
        "{got:?}"
    );
    let body = &got[0].body;
    assert_eq!((&body["kind"], &body["title"]), (&"done".into(), &"me/app#1: landed".into()), "{body}");
    assert!(body["key"].as_str().unwrap().ends_with(":done") && body["link"].is_null(), "{body}");
    let told: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(&told, body);
}

/// Ended with this value.
struct Maildev {
    child: std::process::Child,
    web: u16,
}

impl Drop for Maildev {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Maildev {
    fn start(smtp: u16, web: u16) -> Option<Self> {
        let child = std::process::Command::new("maildev")
            .args(["--ip", "127.0.0.1", "--web-ip", "127.0.0.1", "--silent"])
            .args(["-s", &smtp.to_string(), "-w", &web.to_string()])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .ok()?;
        let server = Self { child, web };
        for _ in 0..400 {
            let both =
                [smtp, web].iter().all(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok());
            if both {
                return Some(server);
            }
            thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("maildev did not open its ports");
    }

    /// Every mail, as a mail program would read it.
    fn mails(&self) -> Vec<Value> {
        let url = format!("http://127.0.0.1:{}/email", self.web);
        let text = ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A real mail server reads what we write; and while it is away for an hour nothing is lost and nothing is sent twice.
#[test]
fn mail_arrives_once_at_a_server_that_was_away_for_an_hour() {
    let there = |name: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(name).is_file())
    };
    if !there("maildev") || !there("curl") {
        let word = b"skipped: maildev or curl is not on PATH, so no mail is sent (npm install -g maildev)\n";
        drop(std::io::stderr().write_all(word));
        return;
    }
    let (smtp, web) = (free_port(), free_port());
    let world = World::new();
    // What `sendmail -t` does: takes the people out of the header, and asks to be tried later where it cannot send.
    let sendmail = world.script(
        "sendmail",
        &format!(
            "#!/bin/sh\ncat > {0}/mail\nto=$(sed -n 's/^To: //p' {0}/mail | tr -d '\\r')\n\
             exec 2> {0}/curl.log\ncurl -sS --url smtp://127.0.0.1:{smtp} --mail-from off@example.org --mail-rcpt \"$to\" \
             --upload-file {0}/mail || exit 75\n",
            world.path("").display()
        ),
    );
    world.agent("exit 0\n");
    world.configure(
        &["home:me/app"],
        &format!(
            "[notify.mail]\nkind = \"email\"\nto = [\"ada@example.org\"]\nfrom = \"off@example.org\"\nargv = [\"{}\"]\n",
            sendmail.display()
        ),
    );
    world.ready("me/app", "Grüße", &[]);
    world.until_idle();
    for _ in 0..12 {
        world.advance(300);
        world.offhours(&["tick"]);
    }
    let Some(server) = Maildev::start(smtp, web) else { panic!("maildev cannot be started") };
    for _ in 0..3 {
        world.advance(3600);
        world.offhours(&["tick"]).ok();
    }
    let mails = server.mails();
    assert_eq!(
        mails.len(),
        1,
        "{mails:#?}\n{}",
        fs::read_to_string(world.path("curl.log")).unwrap_or_default()
    );
    let mail = &mails[0];
    assert_eq!(mail["subject"], "[offhours] Needs you: me/app#1: nothing-done", "{mail:#}");
    assert_eq!(
        (&mail["from"][0]["address"], &mail["to"][0]["address"]),
        (&"off@example.org".into(), &"ada@example.org".into())
    );
    assert_eq!(mail["priority"], "high", "{mail:#}");
    assert!(mail["text"].as_str().unwrap().contains("ended without a commit"), "{mail:#}");
}
