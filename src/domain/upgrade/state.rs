//! What is known of one recipe in a batch: the step it is at, its plan, its trials, and how it ended.

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::guard::Bump;
use super::verdict::{Mark, Verdict};
use crate::domain::model::{Oid, UnixTime};

/// Triggers posted for one recipe in a batch, whatever came of them.
pub const MAX_TRIALS: u32 = 3;

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Step {
    Queued,
    Reconcile,
    Scan,
    Planned,
    PrOpen,
    Trigger,
    Wait,
    Triage,
    Repair,
    Stale,
    TestPr,
    Teardown,
    Done,
}

impl Step {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// How a recipe ended. The lines are exact: scripts read them.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Ending {
    Success,
    SuccessPendingTests,
    SuccessTestPr,
    /// Three triggers, none green.
    NotGreen,
    Failed(String),
    Skipped(String),
    UpToDate,
    Held(String),
    Unreadable(String),
}

impl Ending {
    pub fn line(&self) -> String {
        match self {
            Self::Success => "RESULT: SUCCESS".to_owned(),
            Self::SuccessPendingTests => "RESULT: SUCCESS-PENDING-TESTS".to_owned(),
            Self::SuccessTestPr => "RESULT: SUCCESS+TESTPR".to_owned(),
            Self::NotGreen => format!("RESULT: FAILED — upgrade not green after {MAX_TRIALS} !testme runs"),
            Self::Failed(reason) => format!("RESULT: FAILED — {reason}"),
            Self::Skipped(reason) => format!("SKIPPED — {reason}"),
            Self::UpToDate => "UP TO DATE".to_owned(),
            Self::Held(why) => format!("HELD — {why}"),
            Self::Unreadable(why) => format!("UNREADABLE — {why}"),
        }
    }

    /// A stable word for JSON, the store and scripts.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    pub fn detail(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Skipped(why) | Self::Held(why) | Self::Unreadable(why) => why,
            Self::Success
            | Self::SuccessPendingTests
            | Self::SuccessTestPr
            | Self::NotGreen
            | Self::UpToDate => "",
        }
    }

    pub fn parse(code: &str, detail: &str) -> Option<Self> {
        let detail = detail.to_owned();
        Some(match code.parse().ok()? {
            Self::Failed(_) => Self::Failed(detail),
            Self::Skipped(_) => Self::Skipped(detail),
            Self::Held(_) => Self::Held(detail),
            Self::Unreadable(_) => Self::Unreadable(detail),
            bare @ (Self::Success
            | Self::SuccessPendingTests
            | Self::SuccessTestPr
            | Self::NotGreen
            | Self::UpToDate) => bare,
        })
    }
}

/// What a scan decided: one commit on one branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub version: String,
    pub bumps: Vec<Bump>,
    /// What was held or only reported, a sentence each.
    pub notes: Vec<String>,
    pub head: Oid,
}

impl Plan {
    pub fn branch(&self, recipe: &str) -> String {
        branch(recipe, &self.version)
    }
}

/// `upgrade/<recipe>/<version>`; a plus is not allowed in every forge's addresses, so it stays as it is only in the name.
pub fn branch(recipe: &str, version: &str) -> String {
    format!("upgrade/{recipe}/{version}")
}

/// One triggered test run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    pub number: u32,
    pub mark: Mark,
    pub at: UnixTime,
    /// The comment that triggered it; not known until it was posted.
    pub trigger: Option<u64>,
    pub verdict: Option<Verdict>,
    /// The branch moved meanwhile: it says nothing, and counts.
    pub void: bool,
}

/// A test that an agent calls stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleTest {
    pub repo: String,
    pub path: String,
    pub test: String,
    pub why: String,
    pub build_url: String,
}

/// What an agent answered; data, each word of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentAnswer {
    Repaired { summary: String },
    Stale { summary: String, tests: Vec<StaleTest>, all_failures: Vec<String>, patch: Option<String> },
    Broken { summary: String },
    Infra { summary: String },
    GiveUp { summary: String },
}

/// The change of tests that goes with an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestChange {
    pub head: Oid,
    pub pull: Option<u64>,
}

/// One recipe in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    pub name: String,
    pub step: Step,
    pub ending: Option<Ending>,
    pub since: UnixTime,
    /// Upstream's main, once the mirror's is equal to it.
    pub base: Option<Oid>,
    pub plan: Option<Plan>,
    /// The head that we pushed last.
    pub head: Option<Oid>,
    pub pull: Option<u64>,
    /// Own open pull requests that the new one replaces.
    pub supersedes: Vec<u64>,
    pub trials: Vec<Trial>,
    pub turns: u32,
    pub stale: Vec<StaleTest>,
    pub patch: Option<String>,
    pub test: Option<TestChange>,
    /// The environment's check was started when queued; teardown and its check.
    pub checked: bool,
    pub torn_down: bool,
    pub notes: Vec<String>,
}

impl Recipe {
    pub fn new(name: &str, now: UnixTime) -> Self {
        Self {
            name: name.to_owned(),
            step: Step::Queued,
            ending: None,
            since: now,
            base: None,
            plan: None,
            head: None,
            pull: None,
            supersedes: vec![],
            trials: vec![],
            turns: 0,
            stale: vec![],
            patch: None,
            test: None,
            checked: false,
            torn_down: false,
            notes: vec![],
        }
    }

    pub fn used(&self) -> u32 {
        u32::try_from(self.trials.len()).unwrap_or(u32::MAX)
    }

    pub fn left(&self) -> u32 {
        MAX_TRIALS.saturating_sub(self.used())
    }

    pub fn trial(&self) -> Option<&Trial> {
        self.trials.last()
    }

    pub fn branch(&self) -> Option<String> {
        self.plan.as_ref().map(|plan| plan.branch(&self.name))
    }
}
