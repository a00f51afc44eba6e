//! Acts on the world, as data. Each is recorded before it is tried and looked for before it is tried again; its
//! idempotency key is made of the run's id, the kind and, where a run may do it more than once, a number.

use super::model::Oid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TurnKind {
    /// The first turn of a run.
    First,
    /// Goes on where an earlier turn was ended from outside (quota, switch, a died supervisor).
    Continue,
    /// Told which checks failed and how.
    FixForward,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    Done,
    NeedsHuman,
    Frozen,
    Alarm,
    Recovered,
}

impl NoticeKind {
    pub fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NeedsHuman => "needs-human",
            Self::Frozen => "frozen",
            Self::Alarm => "alarm",
            Self::Recovered => "recovered",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        [Self::Done, Self::NeedsHuman, Self::Frozen, Self::Alarm, Self::Recovered]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Take issue and slot.
    Claim,
    /// Make the run's clone.
    Prepare,
    /// Start the run's turn number `turn` (from 1). `failure` is told to the agent.
    StartTurn {
        turn: u32,
        kind: TurnKind,
        failure: String,
    },
    /// End whatever runs of the turn.
    StopTurn {
        turn: u32,
    },
    Label {
        label: String,
        present: bool,
    },
    /// Write the run's one progress comment, if `body` is not what it says already.
    Progress {
        body: String,
    },
    /// A new comment, once per run.
    Say {
        body: String,
    },
    /// Merge the target into the work.
    BringUpToDate {
        head: Oid,
        target: Oid,
        number: u32,
    },
    /// Run the repo's own tests on a clean checkout.
    Verify {
        oid: Oid,
        number: u32,
    },
    /// Fast-forward the target branch from `expected` to `head`.
    Land {
        head: Oid,
        expected: Oid,
    },
    /// Start a CI stage on a commit; `attempt` counts from 1.
    StartCi {
        stage: String,
        oid: Oid,
        attempt: u32,
    },
    /// Keep the work locally; push it to a salvage branch where that is allowed.
    Salvage {
        push: bool,
    },
    /// Close the issue.
    Close,
    /// Give up claim and slot.
    Release,
    RemoveWorkspace,
    Notify {
        kind: NoticeKind,
        title: String,
        body: String,
    },
}

impl Effect {
    /// What makes this effect the same one when it is met again; unique within the run.
    pub fn key(&self) -> String {
        match self {
            Self::Claim => "claim".to_owned(),
            Self::Prepare => "prepare".to_owned(),
            Self::StartTurn { turn, .. } => format!("turn-{turn}"),
            Self::StopTurn { turn } => format!("stop-{turn}"),
            Self::Label { label, present } => format!("label-{}{label}", if *present { '+' } else { '-' }),
            Self::Progress { body } => format!("progress-{body}"),
            Self::Say { .. } => "say".to_owned(),
            Self::BringUpToDate { number, .. } => format!("merge-{number}"),
            Self::Verify { number, .. } => format!("verify-{number}"),
            Self::Land { head, expected } => format!("land-{head}-on-{expected}"),
            Self::StartCi { stage, oid, attempt } => format!("ci-{stage}-{oid}-{attempt}"),
            Self::Salvage { .. } => "salvage".to_owned(),
            Self::Close => "close".to_owned(),
            Self::Release => "release".to_owned(),
            Self::RemoveWorkspace => "remove".to_owned(),
            Self::Notify { kind, .. } => format!("notify-{}", kind.code()),
        }
    }

    /// One line for a plan and a log.
    pub fn line(&self) -> String {
        match self {
            Self::Claim => "claim the issue and the repo's slot".to_owned(),
            Self::Prepare => "make a workspace".to_owned(),
            Self::StartTurn { turn, .. } => format!("start turn {turn}"),
            Self::StopTurn { turn } => format!("end turn {turn}"),
            Self::Label { label, present: true } => format!("add label {label}"),
            Self::Label { label, present: false } => format!("remove label {label}"),
            Self::Progress { .. } => "write the progress comment".to_owned(),
            Self::Say { .. } => "comment on the issue".to_owned(),
            Self::BringUpToDate { target, .. } => {
                format!("merge the target {} into the work", target.short())
            }
            Self::Verify { oid, .. } => format!("verify {}", oid.short()),
            Self::Land { head, .. } => format!("push {} to the target branch", head.short()),
            Self::StartCi { stage, oid, .. } => format!("start CI stage {stage} on {}", oid.short()),
            Self::Salvage { .. } => "keep the work".to_owned(),
            Self::Close => "close the issue".to_owned(),
            Self::Release => "release claim and slot".to_owned(),
            Self::RemoveWorkspace => "remove the workspace".to_owned(),
            Self::Notify { kind, .. } => format!("notify: {}", kind.code()),
        }
    }
}
