//! What the machine of an upgrade decides on: what was seen, by the step that asked.

use super::effect::Settled;
use super::state::{AgentAnswer, Ending, Plan};
use super::verdict::Verdict;
use crate::domain::model::Oid;

/// Where a command of ours is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobSeen {
    /// None is configured: nothing to wait for.
    None,
    NotStarted,
    Running,
    Good,
    /// It said no, or could not be run to its end; why.
    Bad(String),
}

/// The mirror's main against upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    Equal(Oid),
    /// Upstream only went on.
    Behind {
        seen: Option<Oid>,
        upstream: Oid,
    },
    /// The mirror has what upstream has not.
    Diverged {
        seen: Oid,
        upstream: Oid,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    pub settled: Vec<(u64, Settled)>,
    /// A pull request of ours with commits that we did not record.
    pub human: Option<u64>,
    /// Own open pull requests that stay.
    pub open: Vec<u64>,
    pub mirror: Mirror,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    Plan(Plan),
    UpToDate,
    Held(Vec<String>),
    Unreadable(String),
    /// The new version cannot be: a git tag has it, or a person closed it.
    Refused(Ending),
}

/// What was found on the branch before a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeforeTrigger {
    /// The branch's head as the forge's git has it.
    pub branch: Option<Oid>,
    pub newest_comment: u64,
    pub newest_status: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitSeen {
    Reading { verdict: Verdict, branch: Option<Oid> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnSeen {
    /// No agent is configured.
    NoAgent,
    NotStarted,
    Running,
    Over(AgentAnswer),
}

/// What the guard and the commit say of an agent's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkSeen {
    Nothing,
    Refused(String),
    Commit(Oid),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestSeen {
    /// Not committed yet: what the guard says of the patch.
    Work(WorkSeen),
    /// Committed: both heads together.
    Verify(JobSeen),
}

/// What was seen, by the step that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// An effect of this step was refused by the other side, for good.
    EffectRefused(String),
    /// A newer offhours, a person or the clock: the recipe is to be ended now.
    Environment(JobSeen),
    Reconcile(Reconciled),
    /// What cannot be gone on with, and why.
    Impossible(String),
    Scan(Scanned),
    Pushed,
    Opened,
    Trigger(BeforeTrigger),
    Wait(WaitSeen),
    Turn(TurnSeen),
    /// Why stale tests are not believed; nothing where they are.
    StaleChecked(Option<String>),
    Work(WorkSeen),
    Test(TestSeen),
    Teardown {
        command: JobSeen,
        check: JobSeen,
    },
}
