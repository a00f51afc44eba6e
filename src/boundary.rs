//! The numbered instants at which a process may be ended in tests.
//!
//! Every act on the outside (a state transaction, a request sent, an answer got, a git command, a process start, a
//! rename) calls [`pass`] before and after. In a release build that is nothing. With the feature `testing`:
//! `OFFHOURS_CRASH=ROLE:N` kills the process at its N-th boundary, `ROLE:NAME#K` at the K-th one of that name;
//! `OFFHOURS_BOUNDARY_LOG=FILE` appends `ROLE:N NAME` a line each, and lets only the first of several processes be
//! ended. ROLE is `tick` or `supervisor`.

#[cfg(not(feature = "testing"))]
#[inline]
pub fn pass(_name: &'static str) {}

/// How long a locked state file is waited for: in tests what `OFFHOURS_BUSY_SECONDS` says.
#[cfg(not(feature = "testing"))]
#[inline]
pub fn busy(usual: std::time::Duration) -> std::time::Duration {
    usual
}

#[cfg(feature = "testing")]
pub use testing::{busy, pass};

#[cfg(feature = "testing")]
mod testing {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    static COUNT: AtomicU32 = AtomicU32::new(0);
    /// Boundaries of the name that `OFFHOURS_CRASH` asks for.
    static NAMED: AtomicU32 = AtomicU32::new(0);

    fn role() -> &'static str {
        let supervisor = std::env::args().nth(1).is_some_and(|a| a == "supervise");
        if supervisor { "supervisor" } else { "tick" }
    }

    /// Counts one boundary, and ends the process here if this is the one that was asked for.
    #[expect(clippy::disallowed_methods, reason = "the switch for tests lives in the environment")]
    pub fn pass(name: &'static str) {
        let number = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
        let here = format!("{}:{number}", role());
        if let Some(path) = std::env::var_os("OFFHOURS_BOUNDARY_LOG") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            if let Ok(mut file) = file {
                drop(file.write_all(format!("{here} {name}\n").as_bytes()));
            }
        }
        let asked = std::env::var("OFFHOURS_CRASH").unwrap_or_default();
        let by_name = asked.split_once('#').is_some_and(|(at, count)| {
            at == format!("{}:{name}", role())
                && (NAMED.fetch_add(1, Ordering::SeqCst) + 1).to_string() == count
        });
        if (asked == here || by_name) && first() {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the switch for tests lives in the environment")]
    pub fn busy(usual: std::time::Duration) -> std::time::Duration {
        let asked = std::env::var("OFFHOURS_BUSY_SECONDS").ok().and_then(|text| text.parse().ok());
        asked.map_or(usual, std::time::Duration::from_secs)
    }

    /// Whether no other process that shares the log was ended before. Without a log each is the first.
    #[expect(clippy::disallowed_methods, reason = "the switch for tests lives in the environment")]
    fn first() -> bool {
        let Some(mut path) = std::env::var_os("OFFHOURS_BOUNDARY_LOG") else { return true };
        path.push(".ended");
        std::fs::OpenOptions::new().write(true).create_new(true).open(path).is_ok()
    }
}
