//! What went wrong, for whoever works there next. An observer: nothing here decides what starts or what a run does.
//!
//! [`detect`] reads one stored event and says which lessons it holds; [`decide`] says whether one is news or was met a
//! moment ago; [`choose`] says which go into a prompt. What a lesson says is in `words`.

mod record;
mod words;

pub use record::{Attribution, Record, Status};

use strum::{IntoStaticStr, VariantArray};

use super::event::{Ends, Event, EventKind, Happening, Red};
use super::model::{Freeze, HandBack, Outcome, UnixTime};
use super::run::{CONFLICT_TRIES, Wait};

/// What the configuration says about the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    pub enabled: bool,
    pub in_prompts: bool,
    /// 0: every one is a row of its own.
    pub window_seconds: i64,
    pub expire_seconds: i64,
}

/// A lesson that an event holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    pub kind: Kind,
    pub at: UnixTime,
    pub repo: Option<String>,
    pub work_item: Option<String>,
    pub task: Option<String>,
    pub turn: Option<u32>,
    pub stage: Option<String>,
    pub agent: Option<String>,
    pub root_cause: String,
    pub suggestion: Option<String>,
    pub detail: Option<String>,
    /// Its text came from words that nobody here wrote: not given to an agent until a person approves it.
    pub untrusted: bool,
}

/// What the detectors find. Lessons by hand are of any type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    GateFailure,
    MergeHold,
    TransientRetry,
    DeployDegraded,
    HandedBack,
    Frozen,
    Reverted,
    RolledBack,
    UpgradeFailed,
}

impl Kind {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// Every detector, each on its own: an event may hold several lessons.
const DETECTORS: [fn(&Event) -> Option<Lesson>; 9] = [
    gate_failure,
    deploy_degraded,
    merge_hold,
    transient_retry,
    handed_back,
    frozen,
    reverted,
    rolled_back,
    upgrade_failed,
];

/// The lessons of one event.
pub fn detect(event: &Event) -> Vec<Lesson> {
    DETECTORS.iter().filter_map(|detector| detector(event)).collect()
}

/// A lesson in our own words about what the event tells.
fn lesson(event: &Event, kind: Kind, said: words::Said) -> Lesson {
    let issue = event.repo.as_ref().zip(event.number).map(|(repo, number)| format!("{repo}#{number}"));
    Lesson {
        kind,
        at: event.at,
        repo: event.repo.clone(),
        work_item: issue.or_else(|| event.facts.subject.as_ref().map(|subject| subject.name().to_owned())),
        task: event.run.clone(),
        turn: event.facts.turn,
        stage: event.facts.red.as_ref().map(|red| red.stage.clone()),
        agent: event.facts.agent.clone(),
        root_cause: said.cause,
        suggestion: (!said.suggestion.is_empty()).then(|| said.suggestion.to_owned()),
        detail: None,
        untrusted: event.facts.red.as_ref().is_some_and(odd_names),
    }
}

/// Checks and stages are named by who may write to the repository or its CI. What does not look like a name is words.
fn odd_names(red: &Red) -> bool {
    red.checks.iter().chain([&red.stage]).any(|name| odd_name(name))
}

fn odd_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || " ._-/:()+,".contains(c);
    name.is_empty() || name.chars().count() > 60 || !name.chars().all(good)
}

/// The repo's own tests or CI said no.
fn gate_failure(event: &Event) -> Option<Lesson> {
    let red = event.facts.red.as_ref().filter(|red| !red.later)?;
    Some(lesson(event, Kind::GateFailure, words::gate_failure(red)))
}

/// What was built was good, and a later stage said no.
fn deploy_degraded(event: &Event) -> Option<Lesson> {
    let red = event.facts.red.as_ref().filter(|red| red.later)?;
    Some(lesson(event, Kind::DeployDegraded, words::deploy_degraded(red)))
}

/// A landing had to wait, or collided.
fn merge_hold(event: &Event) -> Option<Lesson> {
    let ended = event.facts.ends.is_some();
    let said = if event.is(Wait::MergeHours) {
        words::landing_waited()
    } else if event.is(Happening::BringUpToDate) {
        words::target_moved()
    } else if ended && event.is(HandBack::Conflict) {
        words::collided()
    } else if ended && event.is(HandBack::MergeRefused) {
        words::merge_refused()
    } else {
        return None;
    };
    Some(lesson(event, Kind::MergeHold, said))
}

/// Something was tried as often as it may be.
fn transient_retry(event: &Event) -> Option<Lesson> {
    event.facts.ends?;
    let said = if event.is(Freeze::TurnsUsed) {
        words::turns_used()
    } else if event.is(Freeze::TimeUsed) {
        words::time_used()
    } else if event.is(HandBack::Orphaned) {
        words::cut_off()
    } else if event.is(HandBack::Conflict) && event.facts.merges >= CONFLICT_TRIES {
        // Files that collide end a run at once; a target that moves away is tried against first.
        words::target_moved_away()
    } else {
        return None;
    };
    Some(lesson(event, Kind::TransientRetry, said))
}

fn handed_back(event: &Event) -> Option<Lesson> {
    match (event.facts.ends?, &event.kind) {
        (Ends::HandedBack, EventKind::Outcome(Outcome::HandedBack(why))) => {
            Some(end(event, Kind::HandedBack, words::handed_back(*why)))
        }
        (
            Ends::HandedBack,
            EventKind::Outcome(_) | EventKind::Wait(_) | EventKind::Happening(_) | EventKind::Other(_),
        ) => Some(end(event, Kind::HandedBack, words::handed_back_as(event.kind.code()))),
        (Ends::Frozen, _) => None,
    }
}

fn frozen(event: &Event) -> Option<Lesson> {
    match (event.facts.ends?, &event.kind) {
        (Ends::Frozen, EventKind::Outcome(Outcome::Frozen(why))) => {
            Some(end(event, Kind::Frozen, words::frozen(*why)))
        }
        (
            Ends::Frozen,
            EventKind::Outcome(_) | EventKind::Wait(_) | EventKind::Happening(_) | EventKind::Other(_),
        ) => Some(end(event, Kind::Frozen, words::frozen_as(event.kind.code()))),
        (Ends::HandedBack, _) => None,
    }
}

/// A person took landed work back. The detail is the branch it was taken back on.
fn reverted(event: &Event) -> Option<Lesson> {
    event.is(Happening::Reverted).then(|| {
        let lesson = told(event, Kind::Reverted, words::reverted());
        Lesson { untrusted: odd_name(&event.facts.detail), ..lesson }
    })
}

fn rolled_back(event: &Event) -> Option<Lesson> {
    event.is(Happening::RolledBack).then(|| told(event, Kind::RolledBack, words::rolled_back()))
}

fn upgrade_failed(event: &Event) -> Option<Lesson> {
    event.is(Happening::UpgradeFailed).then(|| told(event, Kind::UpgradeFailed, words::upgrade_failed()))
}

/// The end of a run, with what was said about it.
fn end(event: &Event, kind: Kind, said: words::Said) -> Lesson {
    let lesson = told(event, kind, said);
    Lesson {
        untrusted: lesson.untrusted && !own_words(&event.kind)
            || event.facts.red.as_ref().is_some_and(odd_names),
        ..lesson
    }
}

/// Whether the reason of an end is a sentence of ours, with no more from outside than names of checks. Of every other end
/// it may be an agent's, a server's or a path: words that nobody here wrote.
fn own_words(kind: &EventKind) -> bool {
    match kind {
        EventKind::Outcome(Outcome::HandedBack(why)) => match why {
            HandBack::Moved
            | HandBack::HumanTookOver
            | HandBack::NothingDone
            | HandBack::TimedOut
            | HandBack::Stalled
            | HandBack::Orphaned
            | HandBack::BaseRed
            | HandBack::NoChecks
            | HandBack::CiTimeout
            | HandBack::PullClosed
            | HandBack::ReviewTurnsUsed
            | HandBack::ReviewTooOld => true,
            HandBack::Blocked
            | HandBack::ResultUnreadable
            | HandBack::Failed
            | HandBack::PermissionDenied
            | HandBack::GuardRefused
            | HandBack::PushRefused
            | HandBack::Conflict
            | HandBack::WorkspaceUnreadable
            | HandBack::MergeRefused => false,
        },
        EventKind::Outcome(Outcome::Frozen(why)) => match why {
            Freeze::SameFailure | Freeze::TurnsUsed | Freeze::TimeUsed | Freeze::BudgetUsed => true,
            Freeze::CorrectiveTurnFailed => false,
        },
        EventKind::Outcome(
            Outcome::Landed
            | Outcome::Withdrawn
            | Outcome::Stopped
            | Outcome::ClaimLost
            | Outcome::NotStarted,
        )
        | EventKind::Wait(_)
        | EventKind::Happening(_)
        | EventKind::Other(_) => false,
    }
}

/// With the words that came with the event: nobody here wrote them.
fn told(event: &Event, kind: Kind, said: words::Said) -> Lesson {
    let detail = Some(event.facts.detail.clone()).filter(|d| !d.is_empty());
    let lesson = lesson(event, kind, said);
    Lesson { untrusted: lesson.untrusted || detail.is_some(), detail, ..lesson }
}

/// What to do with a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    New,
    /// The same as this one, met again.
    Repeat(i64),
}

/// Whether a lesson is news. `alike` is the newest automatic one of the same type, repo, work item and stage, with the
/// time of the event that made it: the window begins there and does not move, so that the result does not depend on how
/// often a tick looks.
pub fn decide(alike: Option<(i64, UnixTime)>, at: UnixTime, rules: &Rules) -> Decision {
    match alike {
        Some((id, first)) if at.since(first) < rules.window_seconds => Decision::Repeat(id),
        Some(_) | None => Decision::New,
    }
}

/// Types and domains by hand: lower-case letters, digits, `_` and `-`.
pub fn is_slug(text: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    (1..=60).contains(&text.len()) && text.chars().all(good)
}

/// What goes into one prompt: as many as fit, in the order given. Those that are left out are not told of by halves.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Given {
    pub ids: Vec<i64>,
    /// Prepared for the prompt; empty where there is none.
    pub text: String,
}

/// A prompt holds at most this many lessons,
pub const MAX_GIVEN: u32 = 12;
/// and this many characters of them: what went wrong elsewhere must not crowd out the task.
pub const MAX_GIVEN_CHARS: usize = 4000;

/// Chooses from lessons that stand in the order of their weight.
pub fn choose(candidates: &[Record]) -> Given {
    let (mut ids, mut lines, mut used) = (vec![], vec![], 0);
    for record in candidates.iter().take(MAX_GIVEN as usize) {
        let line = words::for_agent(record);
        let size = line.chars().count() + 1;
        if used + size > MAX_GIVEN_CHARS {
            continue;
        }
        used += size;
        ids.push(record.id);
        lines.push(line);
    }
    let text = if lines.is_empty() { String::new() } else { words::block(&lines) };
    Given { ids, text }
}

#[cfg(test)]
mod tests;
