//! The story of a new user with a real crontab and a real cron daemon, on a simulated GitHub: the script is
//! `contrib/story/weekend.sh`, and this is the GitHub that it finds. It takes minutes and writes the crontab of whoever
//! runs it, so the test runs it only when asked to: `OFFHOURS_STORY=1`.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::forge::Dialect;
use super::network_forge::Hub;

#[test]
fn from_a_clean_clone_cron_brings_an_issue_to_its_end() {
    if std::env::var_os("OFFHOURS_STORY").is_none() {
        drop(
            std::io::stderr()
                .write_all(b"skipped: OFFHOURS_STORY is not set; this one writes a real crontab\n"),
        );
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/story/weekend.sh");
    // The forge's side is judged by the forge, below; its verdict is part of the script's.
    let status =
        Command::new("sh").arg(script).env("SIMULATOR", std::env::current_exe().unwrap()).status().unwrap();
    assert!(status.success(), "{status}");
}

/// The script's GitHub: it says in the file `FORGE_SAYS` where it is, serves until its standard input ends, then shows
/// the issue as people find it there, and fails if that is not how the story ends.
#[test]
#[ignore = "serves contrib/story/weekend.sh until its standard input ends"]
fn simulated_github() {
    let Some(says) = std::env::var_os("FORGE_SAYS").map(PathBuf::from) else {
        return;
    };
    let hub = Hub::new(Dialect::Github);
    // The server's clock is the machine's here: cron knows no other.
    let over = Arc::new(AtomicBool::new(false));
    let (clock, ended) = (hub.world.path("clock"), Arc::clone(&over));
    let set = move || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        fs::write(clock.with_extension("new"), now.to_string()).unwrap();
        fs::rename(clock.with_extension("new"), &clock).unwrap();
    };
    set();
    let ticking = std::thread::spawn(move || {
        while !ended.load(Ordering::SeqCst) {
            set();
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let number = hub.ready("Greet the world");
    // A repository that nobody prepared: people made the one label that they use.
    hub.sim.model.lock().repo("me/app").labels.retain(|(_, name)| name == "ready-for-agent");
    let text = format!(
        "REMOTE={}/me/app.git\nSOURCE={}\nTOKEN_FILE={}\n",
        hub.sim.url,
        hub.world.bare("me/app").display(),
        hub.world.path("token").display()
    );
    fs::write(says.with_extension("new"), text).unwrap();
    fs::rename(says.with_extension("new"), &says).unwrap();
    std::io::stdin().read_to_end(&mut vec![]).unwrap();
    over.store(true, Ordering::SeqCst);
    drop(ticking.join());

    fs::write(says.with_extension("issue"), shown(&hub, number)).unwrap();
    assert!(!hub.is_open(number));
    assert!(hub.world.files("me/app").contains(&"hello.txt".to_owned()));
    assert_eq!(hub.world.claims("me/app"), Vec::<String>::new());
    assert_eq!(hub.comments(number).len(), 2);
    let labels: Vec<String> =
        hub.sim.model.lock().repo("me/app").labels.iter().map(|(_, l)| l.clone()).collect();
    assert_eq!(labels.len(), 3, "doctor --fix made the others: {labels:?}");
}

/// The issue as its page would show it.
fn shown(hub: &Hub, number: u64) -> String {
    let mut model = hub.sim.model.lock();
    let issue = model.issue("me/app", number);
    let state = if issue.open { "open" } else { "closed" };
    let mut text = format!("me/app#{number} {}: {state}, labels: {}\n", issue.title, issue.labels.join(", "));
    for comment in &issue.comments {
        write!(text, "\n-- {}:\n{}\n", comment.by, comment.body).unwrap();
    }
    text
}
