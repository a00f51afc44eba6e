//! Why a run ends or a row fits, as facts; words are made of them where they are shown.

use super::Failure;
use crate::domain::model::{CutOff, HandBack, Oid, Outcome};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The code says it all.
    Plain,
    /// Words from outside: of a forge, a runner, an agent.
    Said(String),
    NoIssue,
    NotAllowed,
    TakenBack,
    StoppedByHand,
    PullMerged(u64),
    PutThere,
    PullClosed(u64),
    NotReviewed {
        pull: u64,
        seconds: i64,
    },
    ReviewTurnsUsed(u32),
    ReviewBudgetUsed,
    SomebodyCommitted,
    /// Goes on from "the result file".
    ResultFile(String),
    NoCommit,
    TimedOut,
    Stalled,
    TurnTooLong,
    TestsTooLong,
    /// The tests were started so often.
    NoResult(u32),
    /// The turn went on so often.
    WentOn(u32),
    NoAttempt,
    /// Cut off with no commit to show.
    Broken {
        how: CutOff,
        detail: String,
    },
    /// Cut off in the middle of its work, and it cannot go on.
    CutOff {
        how: CutOff,
        end: Used,
    },
    /// A corrective turn.
    CorrectiveCutOff {
        code: HandBack,
        how: CutOff,
        end: Used,
    },
    CorrectiveNothing {
        code: HandBack,
        why: Box<Self>,
    },
    /// The target moved so often.
    TargetMoved(u32),
    /// These checks are red where the run started, too.
    BaseRed {
        checks: Vec<String>,
        base: Oid,
    },
    /// These checks failed.
    Red(Vec<String>),
    SameFailure(Vec<String>),
    FixTurnsUsed {
        checks: Vec<String>,
        turns: u32,
    },
    FixTimeUsed(Vec<String>),
    FixBudgetUsed(Vec<String>),
    NoChecks,
    /// This stage could not be got to start.
    StageNotStarted(String),
    CiSilent,
}

/// What a turn that was cut off has none left of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Used {
    Attempts,
    Budget,
}

/// What an effect says, as facts of the run that it is decided for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    ToAgent(ToAgent),
    Progress,
    /// The receipt.
    Landed(Why),
    Ended(Why),
    EndNotice(Why),
    ReviewWanted,
    Pull,
    Undo,
}

/// What a turn's agent is told beside its task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToAgent {
    Nothing,
    /// It goes on with earlier work.
    Continued(Box<Continued>),
    Failed(Failure),
    /// What reviewers wrote, fenced.
    Asked(String),
    /// How the last turn was cut off, and what that one was to correct.
    CutOff(CutOff, Box<Self>),
}

/// An earlier run whose work is continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continued {
    pub outcome: Option<Outcome>,
    /// The last checks that failed.
    pub failed: Option<Failure>,
    /// The target branch and its commit, where it has gone on since, and the paths that both changed.
    pub moved: Option<(String, Oid, Vec<String>)>,
}
