//! How answers leave: JSON on standard output and nothing else there, words for people, logs on standard error.

use std::io::{self, Write as _};

use serde_json::{Value, json};

use crate::cli::Global;
use crate::domain::escape::sanitize;
use crate::tick::log::Failure;
use crate::tick::{Item, Log, TickOutcome};

/// Writes to standard output; a closed pipe is nobody's failure.
pub fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    drop(stdout.write_all(text.as_bytes()));
    if !text.is_empty() && !text.ends_with('\n') {
        drop(stdout.write_all(b"\n"));
    }
    drop(stdout.flush());
}

/// Writes to standard error.
pub fn err(text: &str) {
    let mut stderr = io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()));
    if !text.ends_with('\n') {
        drop(stderr.write_all(b"\n"));
    }
}

/// The one envelope of every command that answers in JSON.
pub fn envelope(command: &str, outcome: TickOutcome, items: &[Value], errors: &[Value]) -> Value {
    json!({ "schema": 1, "command": command, "outcome": outcome.code(), "items": items, "errors": errors })
}

/// Prints text, or the envelope around items.
pub fn answer(global: &Global, command: &str, text: &str, items: &[Value]) {
    if global.json {
        out(&envelope(command, TickOutcome::Idle, items, &[]).to_string());
    } else {
        out(text);
    }
}

/// The same of what was done; in a dry run it was not, and the text says so first.
pub fn done(global: &Global, command: &str, text: &str, items: &[Value]) {
    if global.dry_run {
        answer(global, command, &format!("dry run, nothing of this is done:\n{text}"), items);
    } else {
        answer(global, command, text, items);
    }
}

fn say(global: &Global, command: &str, failures: &[Failure]) {
    for failure in failures.iter().filter(|f| !f.quiet || global.verbose > 0) {
        err(&format!("offhours {command}: {}: {}", sanitize(&failure.subject, 120), failure.what));
    }
}

/// What is only told.
pub fn logged(global: &Global, command: &str, report: &Log) {
    say(global, command, &report.logged);
}

fn item(item: &Item) -> Value {
    json!({ "issue": item.issue, "run": item.run, "handle": item.handle, "reason": item.reason, "sentence": item.sentence, "acted": item.acted })
}

/// Lines about what was done; about what was only found where everything is asked for.
fn lines(global: &Global, items: &[Item]) -> String {
    let mut text = String::new();
    if global.verbose > 0 || global.dry_run {
        for item in items.iter().filter(|i| i.acted || global.verbose > 1 || global.dry_run) {
            let sentence =
                if item.sentence.is_empty() { String::new() } else { format!(": {}", item.sentence) };
            text.push_str(&format!("{} {}{sentence}\n", item.issue, item.reason));
        }
    }
    text
}

/// The envelope of a tick around these items.
fn enveloped(global: &Global, command: &str, report: &Log, outcome: TickOutcome, items: &[Value]) -> Value {
    let errors = report
        .errors
        .iter()
        .map(|e| json!({ "subject": e.subject, "what": e.what, "exit_code": e.kind.exit_code() }))
        .collect::<Vec<_>>();
    let mut value = envelope(command, outcome, items, &errors);
    if let Value::Object(map) = &mut value {
        if global.dry_run {
            map.insert("effects".to_owned(), json!(report.effects));
        }
        if !report.left.is_empty() {
            map.insert("left".to_owned(), json!(report.left));
        }
        if !report.logged.is_empty() {
            let logged = report.logged.iter().map(|f| json!({ "subject": f.subject, "what": f.what }));
            map.insert("logged".to_owned(), logged.collect());
        }
    }
    value
}

/// What a tick tells. Without a reason to act it says nothing, because cron mails whatever is printed.
pub fn report(global: &Global, command: &str, report: &Log, outcome: TickOutcome) {
    if global.json {
        let mut items = report.items.iter().map(item).collect::<Vec<_>>();
        items.extend(report.canaries.iter().map(super::canary::canary));
        out(&enveloped(global, command, report, outcome, &items).to_string());
    } else {
        let mut text = lines(global, &report.items);
        if global.dry_run {
            text.push_str(if report.effects.is_empty() {
                "plan: nothing would be done\n"
            } else {
                "plan:\n"
            });
            for line in &report.effects {
                text.push_str(&format!("  {}\n", sanitize(line, 300)));
            }
        }
        if !text.is_empty() {
            out(&text);
        }
    }
    say(global, command, &report.errors);
    logged(global, command, report);
    left(global, command, report, "the deadline is near");
}

/// What is not done, and why.
pub fn left(global: &Global, command: &str, report: &Log, why: &str) {
    if !report.left.is_empty() && !global.quiet {
        err(&format!(
            "offhours {command}: {why}; left for the next tick: {}",
            sanitize(&report.left.join(", "), 400)
        ));
    }
}

/// Tells a log while it grows: lines, or one JSON document whose items are written when they come.
#[derive(Default)]
pub struct Teller {
    items: usize,
    errors: usize,
    logged: usize,
}

impl Teller {
    /// What came to the log since the last time.
    pub fn tell(&mut self, global: &Global, command: &str, log: &Log) {
        self.items(global, log);
        say(global, command, log.errors.get(self.errors..).unwrap_or_default());
        say(global, command, log.logged.get(self.logged..).unwrap_or_default());
        (self.errors, self.logged) = (log.errors.len(), log.logged.len());
    }

    pub fn items(&mut self, global: &Global, log: &Log) {
        let news = log.items.get(self.items..).unwrap_or_default();
        if global.json {
            self.json(news.iter().map(item));
        } else {
            out(&lines(global, news));
            self.items += news.len();
        }
    }

    fn json(&mut self, items: impl Iterator<Item = Value>) {
        for item in items {
            let before = if self.has_begun() { "," } else { "{\"items\":[" };
            out(&format!("{before}{item}"));
            self.items += 1;
        }
    }

    pub fn has_begun(&self) -> bool {
        self.items > 0
    }

    /// How it came out, after the last of the log.
    pub fn end(mut self, global: &Global, command: &str, log: &Log) {
        if global.json {
            self.json(log.canaries.iter().map(super::canary::canary));
            let mut rest = enveloped(global, command, log, log.outcome(), &[]);
            if !self.has_begun() {
                out(&rest.to_string());
                return;
            }
            if let Value::Object(map) = &mut rest {
                map.remove("items");
            }
            out(&format!("],{}", rest.to_string().trim_start_matches('{')));
        }
    }
}
