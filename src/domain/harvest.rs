//! What became of a run, as a score; and the log that the decision about a canary reads. Pure.
//!
//! Every run has an outcome, the crashed and the silent too: that is what a bad prompt does. Only what says nothing about
//! the prompt is left out, and the reason is kept. What cannot be read decides nothing.

use strum::IntoStaticStr;

use super::canary::{Arm, History, Params, Reading, Sample, bound};
use super::model::{Outcome, UnixTime};

/// Landed, its checks really ran, and it survived.
const FULL: f64 = 1.0;
/// Taken off for each corrective turn, down to [`LEAST_LANDED`].
const CORRECTION: f64 = 0.15;
const LEAST_LANDED: f64 = 0.4;
/// Landed and survived, but no check ran: what it is worth is not known better.
const UNCHECKED: f64 = 0.6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Landed work counts once it stood for so long.
    pub survival_seconds: i64,
    /// A run that has come to no end after this is worth nothing.
    pub horizon_seconds: i64,
}

/// What is known of landed work after its landing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Something that would tell could not be read.
    Unreadable,
    Seen {
        /// The issue is open again.
        reopened: bool,
        /// The landed commit is red on its branch.
        red: bool,
    },
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Working,
    /// Waits for a person's review, which has a bound of its own.
    Review,
    /// Its account is parked: quota or login.
    Parked,
    /// The issue or the work could not be read.
    Unreadable,
    Ended {
        outcome: Outcome,
        at: UnixTime,
    },
}

/// Everything about one run that its score follows from.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read from somewhere else")]
pub struct Facts {
    pub dispatched_at: UnixTime,
    pub stage: Stage,
    /// The first turn came to an end of its own.
    pub first_turn_over: bool,
    /// Fix-forward and review turns.
    pub corrections: u32,
    /// Checks were seen green on the landed commit.
    pub checked: bool,
    /// Its version did not render for it.
    pub template_failed: bool,
    pub reverted: bool,
    pub after: After,
}

/// Why a run is where it is; the codes are stable words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Why {
    Working,
    Review,
    Surviving,
    Unreadable,
    Survived,
    #[strum(serialize = "survived-unchecked")]
    Unchecked,
    Reverted,
    Reopened,
    #[strum(serialize = "red-afterwards")]
    Red,
    Unresolved,
    TemplateFailed,
    /// The run's own end says it.
    #[strum(transparent)]
    Ended(Outcome),
    /// A person took it back before the agent had done anything.
    #[strum(serialize = "withdrawn-early")]
    Withdrawn,
    /// Quota, forge or runner: nothing could start, or go on.
    Outage,
    /// Another host had it.
    ClaimLost,
}

impl Why {
    /// Landed work that did not stand: nobody has told that yet. A run's own end was told by `watch`, and that work still
    /// stands is no news.
    pub fn after_landing(self) -> bool {
        match self {
            Self::Reverted | Self::Reopened | Self::Red => true,
            Self::Working
            | Self::Review
            | Self::Surviving
            | Self::Unreadable
            | Self::Survived
            | Self::Unchecked
            | Self::Unresolved
            | Self::TemplateFailed
            | Self::Ended(_)
            | Self::Withdrawn
            | Self::Outage
            | Self::ClaimLost => false,
        }
    }

    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The reason that has this code, as the store spells it.
    pub fn parse(code: &str) -> Option<Self> {
        let single = [
            Self::Working,
            Self::Review,
            Self::Surviving,
            Self::Unreadable,
            Self::Survived,
            Self::Unchecked,
            Self::Reverted,
            Self::Reopened,
            Self::Red,
            Self::Unresolved,
            Self::TemplateFailed,
            Self::Withdrawn,
            Self::Outage,
            Self::ClaimLost,
        ];
        let ended = || Outcome::parse(code).map(Self::Ended);
        single.into_iter().find(|why| why.code() == code).or_else(ended)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    Pending(Why),
    /// Frozen: nothing that happens later changes it.
    Resolved(f64, Why),
    Excluded(Why),
}

impl Standing {
    pub fn why(self) -> Why {
        match self {
            Self::Pending(why) | Self::Resolved(_, why) | Self::Excluded(why) => why,
        }
    }
}

/// The score of a run, as far as it can be told now.
pub fn settle(facts: &Facts, rules: Rules, now: UnixTime) -> Standing {
    let too_old = now.since(facts.dispatched_at) >= rules.horizon_seconds;
    match facts.stage {
        Stage::Working if too_old => Standing::Resolved(0.0, Why::Unresolved),
        Stage::Working => Standing::Pending(Why::Working),
        Stage::Review => Standing::Pending(Why::Review),
        Stage::Parked if too_old => Standing::Excluded(Why::Outage),
        Stage::Parked => Standing::Pending(Why::Outage),
        Stage::Unreadable => Standing::Pending(Why::Unreadable),
        Stage::Ended { outcome, at } => ended(facts, outcome, at, rules, now),
    }
}

fn ended(facts: &Facts, outcome: Outcome, at: UnixTime, rules: Rules, now: UnixTime) -> Standing {
    if facts.template_failed && outcome != Outcome::Landed {
        return Standing::Resolved(0.0, Why::TemplateFailed);
    }
    match outcome {
        Outcome::Landed => landed(facts, at, rules, now),
        Outcome::Withdrawn | Outcome::Stopped if !facts.first_turn_over => Standing::Excluded(Why::Withdrawn),
        Outcome::HandedBack(_) | Outcome::Frozen(_) | Outcome::Withdrawn | Outcome::Stopped => {
            Standing::Resolved(0.0, Why::Ended(outcome))
        }
        Outcome::NotStarted => Standing::Excluded(Why::Outage),
        Outcome::ClaimLost => Standing::Excluded(Why::ClaimLost),
    }
}

fn landed(facts: &Facts, at: UnixTime, rules: Rules, now: UnixTime) -> Standing {
    if facts.reverted {
        return Standing::Resolved(0.0, Why::Reverted);
    }
    match facts.after {
        After::Seen { reopened: true, .. } => Standing::Resolved(0.0, Why::Reopened),
        After::Seen { red: true, .. } => Standing::Resolved(0.0, Why::Red),
        After::Unreadable => Standing::Pending(Why::Unreadable),
        After::Seen { .. } if now.since(at) < rules.survival_seconds => Standing::Pending(Why::Surviving),
        After::Seen { .. } if !facts.checked => Standing::Resolved(UNCHECKED, Why::Unchecked),
        After::Seen { .. } => {
            let score = FULL - CORRECTION * f64::from(facts.corrections);
            Standing::Resolved(score.max(LEAST_LANDED), Why::Survived)
        }
    }
}

/// One recorded outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub run: String,
    /// `forge:owner/name#n`.
    pub subject: String,
    pub arm: Arm,
    pub dispatched_at: UnixTime,
    pub state: EntryState,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EntryState {
    Pending,
    Resolved(f64),
    Excluded,
}

/// The entries that count: of each subject the first that is not excluded, in dispatch order.
pub fn counted(entries: &[Entry]) -> Vec<&Entry> {
    let mut seen = std::collections::BTreeSet::new();
    entries.iter().filter(|e| e.state != EntryState::Excluded && seen.insert(e.subject.as_str())).collect()
}

pub fn log(counted: &[&Entry]) -> Vec<Sample> {
    let score = |state| match state {
        EntryState::Resolved(score) => Some(score),
        EntryState::Pending | EntryState::Excluded => None,
    };
    counted.iter().map(|e| Sample { arm: e.arm, score: score(e.state) }).collect()
}

/// Sum and count of the scores.
pub fn history(counted: &[&Entry]) -> History {
    let scores: Vec<f64> = log(counted).iter().filter_map(|s| s.score).collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of runs is far below 2^52")]
    let count = scores.len() as f64;
    History { sum: scores.iter().sum(), count }
}

/// How one arm stands.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Arms {
    pub runs: usize,
    pub resolved: usize,
    pub pending: usize,
    pub excluded: usize,
    pub sum: f64,
}

impl Arms {
    pub fn of(arm: Arm, entries: &[Entry], counted: &[&Entry]) -> Self {
        let excluded = entries.iter().filter(|e| e.arm == arm && e.state == EntryState::Excluded).count();
        let samples: Vec<Sample> = log(counted).into_iter().filter(|s| s.arm == arm).collect();
        let scores: Vec<f64> = samples.iter().filter_map(|s| s.score).collect();
        Self {
            runs: samples.len(),
            resolved: scores.len(),
            pending: samples.len() - scores.len(),
            excluded,
            sum: scores.iter().sum(),
        }
    }

    pub fn mean(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a count of runs is far below 2^52")]
        let count = self.resolved as f64;
        (self.resolved > 0).then(|| self.sum / count)
    }
}

/// One of the two questions: where ln E stands, what it has to reach, and how many canary runs that may still take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    pub ln_e: f64,
    pub bound: f64,
    /// At the pace so far; none where it does not get nearer.
    pub runs_needed: Option<u64>,
}

/// Where the two questions stand: roll back, graduate.
pub fn distances(params: &Params, reading: &Reading, log: &[Sample]) -> (Distance, Distance) {
    let inside = reading.closed_at.last().map_or(0, |at| at + 1);
    let canaries = log.iter().take(inside).filter(|s| s.arm == Arm::Canary).count();
    let distance = |list: &[f64], alpha| {
        let ln_e = list.last().copied().unwrap_or(0.0);
        let missing = bound(alpha) - ln_e;
        #[expect(clippy::cast_precision_loss, reason = "a count of runs is far below 2^52")]
        let pace = if canaries > 0 { ln_e / canaries as f64 } else { 0.0 };
        let gate = params.min_canary.saturating_sub(canaries) as u64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is not negative"
        )]
        let runs_needed = match missing {
            m if m <= 0.0 => Some(gate),
            m if pace > 0.0 => Some(((m / pace).ceil() as u64).max(gate)),
            _ => None,
        };
        Distance { ln_e, bound: bound(alpha), runs_needed }
    };
    (
        distance(&reading.ln_e_rollback, params.alpha_rollback),
        distance(&reading.ln_e_graduate, params.alpha_graduate),
    )
}

/// What a commit message says that it takes back: names of commits, and `#n` of a pull request of the same repository
/// (`path` is `owner/name`). The words are git's and the forges' own; what a person writes otherwise is not guessed at.
pub fn takes_back(message: &str, path: &str) -> Vec<String> {
    let lower = message.to_ascii_lowercase();
    let mut found = vec![];
    for (words, is_pull) in [("reverts commit ", false), ("reverts ", true)] {
        for (at, _) in lower.match_indices(words) {
            let rest = lower.get(at + words.len()..).unwrap_or_default();
            let word =
                rest.split(|c: char| c.is_whitespace() || ",;.()".contains(c)).next().unwrap_or_default();
            let name = if is_pull {
                let number = word.strip_prefix(&path.to_ascii_lowercase()).unwrap_or(word).strip_prefix('#');
                number
                    .filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
                    .map(|n| format!("#{n}"))
            } else {
                let hex = word.bytes().all(|b| b.is_ascii_hexdigit());
                (hex && matches!(word.len(), 40 | 64)).then(|| word.to_owned())
            };
            found.extend(name);
        }
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
