//! `--foreground`: a command that holds its turns to their end sleeps until a job of ours is over or the forge is due.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::output::{self, Teller};
use crate::app::{App, Waker, Woken};
use crate::domain::run::Wait;
use crate::error::{Error, Kind};
use crate::store::{RunRow, Store};
use crate::tick::{Item, Log};

#[derive(Debug, Clone, Args)]
pub struct EveryArg {
    /// While turns are held to their end: ask the forge, and runners elsewhere, this often
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: u64,
}

pub struct Hold {
    pub waker: Waker,
    every: Duration,
    command: &'static str,
    teller: Teller,
    looks: Looks,
}

/// One look after the other, of which the changes are told.
#[derive(Default)]
struct Looks {
    last: BTreeSet<Found>,
}

/// By these two looks found the same.
type Found = (String, Option<String>, String);

fn found(item: &Item) -> Found {
    (item.issue.clone(), item.run.clone(), item.reason.clone())
}

impl Looks {
    /// Takes in one more look: what was done, and what it found that the look before did not.
    fn add(&mut self, log: &mut Log, look: Log) {
        let before = std::mem::take(&mut self.last);
        self.last = look.items.iter().map(found).collect();
        log.items.extend(look.items.into_iter().filter(|item| item.acted || !before.contains(&found(item))));
        for (all, new) in [(&mut log.errors, look.errors), (&mut log.logged, look.logged)] {
            for failure in new {
                if !all.iter().any(|told| (&told.subject, &told.what) == (&failure.subject, &failure.what)) {
                    all.push(failure);
                }
            }
        }
        (log.canaries, log.left, log.parked, log.off) = (look.canaries, look.left, look.parked, look.off);
    }
}

impl Hold {
    pub fn new(command: &'static str, every: &EveryArg) -> Result<Self, Error> {
        let waker = Waker::new()
            .map_err(|e| Error::later(format!("preparing to hold the turns to their end: {e}")))?;
        let every = Duration::from_secs(every.every);
        Ok(Self { waker, every, command, teller: Teller::default(), looks: Looks::default() })
    }

    /// Sleeps, `most` at the longest. `false`: there is nothing more to wait for, and what is left is told.
    pub fn wait(&mut self, log: &mut Log, working: &[RunRow], most: Option<Duration>) -> bool {
        match self.waker.wait(most.map_or(self.every, |most| most.min(self.every))) {
            Woken::Job | Woken::Due => true,
            Woken::Ended => {
                let left =
                    |row: &RunRow| format!("run {} of {} ({})", row.run.id, row.run.issue, row.state_word());
                log.left = working.iter().map(left).collect();
                false
            }
        }
    }

    pub fn look(&mut self, log: &mut Log, look: Log) {
        self.looks.add(log, look);
    }

    pub fn tell(&mut self, app: &App, log: &Log) {
        self.teller.tell(&app.global, self.command, log);
    }

    /// What a command that answers in words of its own tells meanwhile.
    pub fn tell_lines(&mut self, app: &App, log: &Log) {
        if !app.global.json {
            self.teller.items(&app.global, log);
        }
    }

    /// Something is on standard output that only [`Hold::end`] makes a whole document.
    pub fn is_open(&self, app: &App) -> bool {
        app.global.json && self.teller.has_begun()
    }

    /// The rest. The exit code says so where the turns were not held to their end.
    pub fn end(mut self, app: &App, log: &Log) -> u8 {
        self.tell(app, log);
        self.left(app, log);
        let code = self.code(log).max(log.exit_code());
        self.teller.end(&app.global, self.command, log);
        code
    }

    pub fn left(&self, app: &App, log: &Log) {
        let why = if self.waker.has_ended() { "ended by a signal" } else { "the deadline is near" };
        output::left(&app.global, self.command, log, why);
    }

    pub fn code(&self, log: &Log) -> u8 {
        if self.waker.has_ended() && !log.left.is_empty() { Kind::TryLater.exit_code() } else { 0 }
    }
}

/// The runs that a turn or CI is at work for.
pub fn working(rows: Vec<RunRow>) -> Vec<RunRow> {
    rows.into_iter().filter(|row| matches!(row.run.wait, Some(Wait::Working | Wait::Ci))).collect()
}

/// The same of all that the state file knows.
pub fn at_work(store: &Store) -> Result<Vec<RunRow>, Error> {
    Ok(working(store.runs_in_flight()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tick::log::Failure;

    fn look(items: &[(&str, bool)], errors: &[&str]) -> Log {
        let item = |(reason, acted): &(&str, bool)| Item {
            issue: "home:me/app#1".to_owned(),
            run: None,
            handle: None,
            reason: (*reason).to_owned(),
            sentence: String::new(),
            acted: *acted,
        };
        let failure = |what: &&str| Failure {
            subject: "home".to_owned(),
            what: (*what).to_owned(),
            kind: Kind::TryLater,
            quiet: false,
        };
        Log {
            items: items.iter().map(item).collect(),
            errors: errors.iter().map(failure).collect(),
            ..Log::default()
        }
    }

    #[test]
    fn one_item_a_change_and_each_failure_once() {
        let (mut looks, mut log) = (Looks::default(), Log::default());
        for one in [
            look(&[("slot", false), ("young", false)], &["away"]),
            look(&[("slot", false), ("young", false)], &["away"]),
            look(&[("slot", false), ("continue", true)], &["away", "odd"]),
            look(&[("continue", true), ("young", false)], &[]),
        ] {
            looks.add(&mut log, one);
        }
        let told: Vec<&str> = log.items.iter().map(|item| item.reason.as_str()).collect();
        assert_eq!(told, ["slot", "young", "continue", "continue", "young"]);
        let failed: Vec<&str> = log.errors.iter().map(|failure| failure.what.as_str()).collect();
        assert_eq!(failed, ["away", "odd"], "one that is over was one all the same");
    }
}
