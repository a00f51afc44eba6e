//! The story of a new user with a real crontab and a real cron daemon, on a simulated GitHub. It takes minutes and writes
//! the crontab of whoever runs it, so it is run only when asked for: `OFFHOURS_STORY=1`.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::forge::Dialect;
use super::hub::{Hub, TOKEN};
use super::world::BINARY;

#[test]
fn from_a_clean_clone_cron_brings_an_issue_to_its_end() {
    if std::env::var_os("OFFHOURS_STORY").is_none() {
        drop(
            std::io::stderr()
                .write_all(b"skipped: OFFHOURS_STORY is not set; this one writes a real crontab\n"),
        );
        return;
    }
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
    hub.sim.model.lock().repo("me/app").labels.retain(|(_, name)| name == "ready-for-agent");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/story/weekend.sh");
    let status = Command::new("sh")
        .arg(script)
        .env("OFFHOURS", BINARY)
        .env("WHERE", hub.world.path("friday"))
        .env("REMOTE", format!("{}/me/app.git", hub.sim.url))
        .env("SOURCE", hub.world.bare("me/app"))
        .env("FORGE", "github")
        .env("TOKEN_FILE", hub.world.path("token"))
        .status()
        .unwrap();
    over.store(true, Ordering::SeqCst);
    drop(ticking.join());
    assert!(status.success(), "{status}");
    assert!(!hub.is_open(number));
    assert!(hub.world.files("me/app").contains(&"hello.txt".to_owned()));
    let labels: Vec<String> =
        hub.sim.model.lock().repo("me/app").labels.iter().map(|(_, l)| l.clone()).collect();
    assert_eq!(labels.len(), 3, "doctor --fix made the others: {labels:?}");
    let crontab = Command::new("crontab").arg("-l").output().unwrap();
    let left = String::from_utf8_lossy(&crontab.stdout).into_owned();
    assert!(!left.contains("offhours") && !left.contains(TOKEN), "{left}");
}
