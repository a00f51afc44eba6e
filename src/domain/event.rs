//! What happened, once: a kind, where it was, and what is told with it.

use std::convert::Infallible;
use std::str::FromStr;

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::model::{Freeze, HandBack, Outcome, UnixTime};
use super::run::Wait;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Makes it one: the same thing recorded twice is one row.
    pub key: String,
    pub at: UnixTime,
    pub kind: EventKind,
    pub repo: Option<String>,
    pub number: Option<u64>,
    pub run: Option<String>,
    pub facts: Facts,
}

impl Event {
    pub fn is(&self, kind: impl Into<EventKind>) -> bool {
        self.kind == kind.into()
    }
}

/// The word of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The decision that ends a run, and the later note that its end is complete.
    Outcome(Outcome),
    /// A run began to wait.
    Wait(Wait),
    Happening(Happening),
    /// Of another version of offhours.
    Other(String),
}

/// What is no end of a run and no wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Happening {
    Chosen,
    TakenUp,
    LeftBehind,
    OnTarget,
    Continue,
    FixForward,
    BringUpToDate,
    Verify,
    ReviewTurn,
    TakeSlot,
    Land,
    Push,
    Pushed,
    OpenPr,
    PullOpened,
    UpdatePr,
    Merge,
    Merged,
    AwaitReview,
    StartCi,
    Rerun,
    Checked,
    Done,
    Ended,
    EndedBefore,
    TemplateFailed,
    /// Landed work is red on its branch.
    RedAfterwards,
    /// Landed work was taken back.
    Reverted,
    #[strum(serialize = "canary_started")]
    CanaryStarted,
    Graduated,
    #[strum(serialize = "rolled_back")]
    RolledBack,
    Inconclusive,
    /// By hand.
    #[strum(serialize = "template_champion")]
    TemplateChampion,
    /// By hand.
    #[strum(serialize = "template_rejected")]
    TemplateRejected,
    #[strum(serialize = "upgrade_failed")]
    UpgradeFailed,
}

impl EventKind {
    pub fn code(&self) -> &str {
        match self {
            Self::Outcome(outcome) => outcome.code(),
            Self::Wait(wait) => wait.code(),
            Self::Happening(happening) => happening.into(),
            Self::Other(word) => word,
        }
    }
}

impl FromStr for EventKind {
    type Err = Infallible;

    fn from_str(code: &str) -> Result<Self, Infallible> {
        let known = Outcome::parse(code).map(Self::Outcome);
        let known = known.or_else(|| code.parse().ok().map(Self::Wait));
        let known = known.or_else(|| code.parse().ok().map(Self::Happening));
        Ok(known.unwrap_or_else(|| Self::Other(code.to_owned())))
    }
}

impl From<Outcome> for EventKind {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

impl From<HandBack> for EventKind {
    fn from(why: HandBack) -> Self {
        Self::Outcome(Outcome::HandedBack(why))
    }
}

impl From<Freeze> for EventKind {
    fn from(why: Freeze) -> Self {
        Self::Outcome(Outcome::Frozen(why))
    }
}

impl From<Wait> for EventKind {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

impl From<Happening> for EventKind {
    fn from(happening: Happening) -> Self {
        Self::Happening(happening)
    }
}

/// What is told with an event.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    /// Words for people; often from outside.
    pub detail: String,
    pub turn: Option<u32>,
    pub attempt: Option<u32>,
    /// The runner.
    pub agent: Option<String>,
    pub red: Option<Red>,
    /// The decision that ends a run, and how; not the later note that the end is complete.
    pub ends: Option<Ends>,
    pub subject: Option<Subject>,
    /// How often the target was merged into the work.
    pub merges: u32,
}

/// What is worked on, where that is no issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Recipe(String),
    /// A version of a template, and the canary that tries it out.
    Version {
        template: String,
        label: String,
        canary: Option<String>,
    },
}

impl Subject {
    pub fn name(&self) -> &str {
        match self {
            Self::Recipe(name) | Self::Version { label: name, .. } => name,
        }
    }
}

/// A red verdict that the decision was made over.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Red {
    /// `verify`, or the CI stage.
    pub stage: String,
    /// The stage comes after one that was green.
    pub later: bool,
    pub checks: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Ends {
    HandedBack,
    Frozen,
}

impl Ends {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        let outcomes = Outcome::all().map(EventKind::from);
        let waits = Wait::VARIANTS.iter().copied().map(EventKind::from);
        let others = Happening::VARIANTS.iter().copied().map(EventKind::from);
        for kind in outcomes.chain(waits).chain(others).chain([EventKind::Other("of-tomorrow".to_owned())]) {
            assert_eq!(kind.code().parse(), Ok(kind.clone()));
        }
    }

    /// They stand in the state files of earlier versions.
    #[test]
    fn words_that_are_not_their_variant() {
        let words = [
            (Happening::CanaryStarted, "canary_started"),
            (Happening::RolledBack, "rolled_back"),
            (Happening::TemplateChampion, "template_champion"),
            (Happening::TemplateRejected, "template_rejected"),
            (Happening::UpgradeFailed, "upgrade_failed"),
            (Happening::OpenPr, "open-pr"),
            (Happening::RedAfterwards, "red-afterwards"),
        ];
        for (happening, word) in words {
            assert_eq!(EventKind::from(happening).code(), word);
        }
    }
}
