//! What the machine of an upgrade wants done, as data.

use crate::domain::model::Oid;

/// What became of a pull request of ours before main moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Merging it into upstream changes nothing.
    MergedUpstream,
    /// Upstream is at or past every image of it.
    Overtaken,
}

/// An act on the world, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    StartCheck,
    Settle { pull: u64, how: Settled },
    Backup { head: Oid },
    SyncMirror { seen: Option<Oid>, upstream: Oid, force: bool },
    Push { branch: String, head: Oid, expected: Option<Oid> },
    OpenPull,
    Supersede { pull: u64 },
    Trigger { trial: u32 },
    SayTrial { trial: u32 },
    StartTurn { turn: u32 },
    SayStale,
    PushTests { head: Oid },
    OpenTestPull,
    StartVerify,
    CrossNotes { green: bool },
    StartTeardown,
    StartTeardownCheck,
}

impl Effect {
    /// Unique within a recipe of a batch: the same thing recorded twice is done once.
    pub fn key(&self) -> String {
        match self {
            Self::StartCheck => "check".to_owned(),
            Self::Settle { pull, .. } => format!("settle-{pull}"),
            Self::Backup { head } => format!("backup-{head}"),
            Self::SyncMirror { upstream, .. } => format!("sync-{upstream}"),
            Self::Push { head, .. } => format!("push-{head}"),
            Self::OpenPull => "open".to_owned(),
            Self::Supersede { pull } => format!("supersede-{pull}"),
            Self::Trigger { trial } => format!("trigger-{trial}"),
            Self::SayTrial { trial } => format!("trial-{trial}"),
            Self::StartTurn { turn } => format!("turn-{turn}"),
            Self::SayStale => "stale".to_owned(),
            Self::PushTests { head } => format!("push-tests-{head}"),
            Self::OpenTestPull => "open-tests".to_owned(),
            Self::StartVerify => "verify".to_owned(),
            Self::CrossNotes { .. } => "cross-notes".to_owned(),
            Self::StartTeardown => "teardown".to_owned(),
            Self::StartTeardownCheck => "teardown-check".to_owned(),
        }
    }

    /// For a plan that people read.
    pub fn line(&self) -> String {
        match self {
            Self::StartCheck => "ask whether the environment is clean".to_owned(),
            Self::Settle { pull, how } => {
                let why = match how {
                    Settled::MergedUpstream => "upstream has it",
                    Settled::Overtaken => "upstream is past it",
                };
                format!("close pull request {pull}: {why}")
            }
            Self::Backup { head } => format!("keep {} as a backup branch", head.short()),
            Self::SyncMirror { upstream, .. } => format!("bring the mirror's main to {}", upstream.short()),
            Self::Push { branch, head, .. } => format!("push {} to {branch}", head.short()),
            Self::OpenPull => "open the pull request".to_owned(),
            Self::Supersede { pull } => format!("close pull request {pull}, which is superseded"),
            Self::Trigger { trial } => format!("post the trigger of trial {trial}"),
            Self::SayTrial { trial } => format!("record trial {trial} on the pull request"),
            Self::StartTurn { turn } => format!("start turn {turn} of the agent"),
            Self::SayStale => "say which tests are stale".to_owned(),
            Self::PushTests { head } => format!("push the change of tests {}", head.short()),
            Self::OpenTestPull => "open the pull request for the tests".to_owned(),
            Self::StartVerify => "verify both together".to_owned(),
            Self::CrossNotes { .. } => "link both pull requests".to_owned(),
            Self::StartTeardown => "tear the environment down".to_owned(),
            Self::StartTeardownCheck => "ask whether it is down".to_owned(),
        }
    }
}
