//! The numbered instants at which a process may be ended in tests.
//!
//! Every act on the outside (a state transaction, a request sent, an answer got, a git command, a process start, a
//! rename) calls [`pass`] before and after. In a release build that is nothing. With the feature `testing`:
//! `OFFHOURS_CRASH=ROLE:N` kills the process at its N-th boundary, `OFFHOURS_BOUNDARY_LOG=FILE` appends
//! `ROLE:N NAME` a line each. ROLE is `tick` or `supervisor`.

#[cfg(not(feature = "testing"))]
#[inline]
pub fn pass(_name: &'static str) {}

#[cfg(feature = "testing")]
pub use testing::pass;

#[cfg(feature = "testing")]
mod testing {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    static COUNT: AtomicU32 = AtomicU32::new(0);

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
        if std::env::var("OFFHOURS_CRASH").is_ok_and(|at| at == here) {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .unwrap_or_default();
        }
    }
}
