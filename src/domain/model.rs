//! The nouns: what the other rooms pass to each other. Plain data, no behaviour beyond reading itself.

use std::fmt;

/// Seconds since 1970-01-01 UTC. Handed in everywhere: the domain knows no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// The moment `seconds` later; saturates at the ends of the scale.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Whole seconds since `earlier`; never negative, because a clock may jump back.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// A repository: `forge:owner/name`. Compared exactly, as the allowlist names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoId {
    pub forge: String,
    pub owner: String,
    pub name: String,
}

impl RepoId {
    /// Reads `forge:owner/name`, or `owner/name` where `default_forge` is given.
    pub fn parse(text: &str, default_forge: Option<&str>) -> Option<Self> {
        let (forge, path) = match text.split_once(':') {
            Some((forge, path)) => (forge, path),
            None => (default_forge?, text),
        };
        let (owner, name) = path.split_once('/')?;
        let plain = |s: &str| {
            !s.is_empty()
                && s != "."
                && s != ".."
                && s.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        (plain(forge) && plain(owner) && plain(name)).then(|| Self {
            forge: forge.to_owned(),
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// `owner/name`, as people write it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.forge, self.owner, self.name)
    }
}

/// One issue of one repository. Shown as `forge:owner/name#n`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssueRef {
    pub repo: RepoId,
    pub number: u64,
}

impl fmt::Display for IssueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repo, self.number)
    }
}

/// A git object name: 40 or 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(String);

impl Oid {
    pub fn parse(text: &str) -> Option<Self> {
        let good = matches!(text.len(), 40 | 64)
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        good.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What could be read, or why it could not. What cannot be read is never taken for the harmless case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    Known(T),
    Unreadable(String),
}

impl<T> Seen<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unreadable(_) => None,
        }
    }
}

/// An account on a forge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Person {
    pub login: String,
    pub bot: bool,
}

/// What a person may do in a repository, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    None,
    Read,
    Write,
    Admin,
}

/// An issue as the forge told it. Every text is data from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub open: bool,
    pub labels: Vec<String>,
    pub author: Option<Person>,
    pub updated_at: UnixTime,
    /// A priority the forge keeps besides labels (the local forge does). Larger goes first.
    pub priority: Option<i64>,
    /// SHA-256 over title and body, lower-case hex: what an approval is of.
    pub text_hash: String,
}

impl Issue {
    /// Labels are compared without regard to case, as forges do.
    pub fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|l| l.eq_ignore_ascii_case(label))
    }
}

/// Who put the ready label on, and what is known of later edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalEvidence {
    /// The latest application of the label that was not followed by its removal.
    pub labelled: Option<Labelled>,
    pub edits: EditHistory,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Identifies this application of the label, so that a new one is known as new.
    pub event_id: String,
    pub by: Option<Person>,
    pub at: UnixTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditHistory {
    /// The forge keeps every edit of title and body: those after the label.
    Complete(Vec<Edit>),
    /// The forge keeps edits of the title only: those after the label. Who changed the body is not told; who may are
    /// its author and the people who may write. `counted`: the server counts changes of bodies, and of this one there
    /// were some.
    Titles { renames: Vec<Edit>, author: Option<Person>, counted: bool },
}

impl EditHistory {
    /// Everybody who changed the text or may have, as far as they are named.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        let (edits, author) = match self {
            Self::Complete(edits) => (edits, None),
            Self::Titles { renames, author, .. } => (renames, author.as_ref()),
        };
        edits.iter().filter_map(|edit| edit.by.as_ref()).chain(author)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub by: Option<Person>,
    pub at: UnixTime,
}

/// An issue that another one waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// As people would write it: `#7` or `owner/name#7`.
    pub name: String,
    pub open: Seen<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: String,
    pub author: Option<Person>,
    pub at: UnixTime,
    pub body: String,
    /// Its words are not, or may not be, those that its author wrote: it was changed later, nobody says by whom.
    pub edited: bool,
}

/// A request to take one branch into another, as the forge told it. Every text is data from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub title: String,
    pub body: String,
    /// The branch that is to be taken over; of this very repository, never of a fork.
    pub branch: String,
    /// The branch it is to be taken into.
    pub target: String,
    /// The newest commit of `branch` as the forge has it; of a merged or closed one, as it was then.
    pub head: Oid,
    pub state: PullState,
    /// Where people read it: a URL or a path.
    pub link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullState {
    Open,
    /// Closed without being merged.
    Closed,
    Merged {
        /// The commit by which it came to the target, where the forge says so.
        commit: Option<Oid>,
        by: Option<Person>,
    },
}

/// What one person said of a pull request in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Never used again by the forge for another review.
    pub id: String,
    pub author: Option<Person>,
    pub at: UnixTime,
    pub verdict: ReviewVerdict,
    pub body: String,
    /// Remarks on single places.
    pub notes: Vec<ReviewNote>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewVerdict {
    Approved,
    ChangesRequested,
    Commented,
    /// Was taken back: counts for nothing.
    Dismissed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewNote {
    /// The path as the forge told it; shown, never opened.
    pub path: Option<String>,
    pub line: Option<u64>,
    pub body: String,
}

/// One file as a diff between two commits shows it; input of the push guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path in the repository, lossy UTF-8; a path that is not UTF-8 has `odd_path` set.
    pub path: String,
    pub odd_path: bool,
    /// Git modes, octal as git prints them; 0 where the side does not exist.
    pub old_mode: u32,
    pub new_mode: u32,
    /// Size of the new blob in bytes; 0 for a deletion.
    pub new_size: u64,
    /// For a symlink (mode 120000): its target.
    pub link_target: Option<String>,
    /// Lines that the change adds, without the `+`, lossy UTF-8; binary files give none.
    pub added_lines: Vec<String>,
}

/// What a push would bring to the target; input of the push guard.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Change {
    pub files: Vec<FileChange>,
    /// Whole commit messages, oldest first.
    pub messages: Vec<String>,
}

/// One check of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    /// Who reports it, as plain data: an app and its workflow, or a kind of report. Checks of one name and one source
    /// are one check, and only a newer one of these takes an older one's place.
    pub source: String,
    pub state: CheckState,
    /// Where people read about it: a URL or a path.
    pub link: Option<String>,
    /// The end of its log, cleaned of control characters; empty where there is none.
    pub log_tail: String,
    /// Hash over the log with numbers and times taken out, so that the same failure is known as the same.
    pub fingerprint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckState {
    Pending,
    /// It really ran, and succeeded.
    Green,
    Red,
    /// It did not run, or says that it has nothing to say (skipped, neutral): it neither helps nor hurts.
    Skipped,
    /// Cancelled: neither red nor green, until a newer one takes its place.
    Superseded,
    /// A person has to act before it goes on.
    NeedsPerson,
}

/// What one CI stage says of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageReading {
    /// A stage that offhours has to start itself (kind `command`) and that was not started for this commit.
    NotStarted,
    Checks(Vec<Check>),
}

/// What the agent used, as far as its output tells. `None`: not told, which counts as the reservation.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Usage {
    pub cost_usd: Option<f64>,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub session: Option<String>,
}

/// How a turn's agent ended. Exit 0 alone is not success: agents exit 0 after doing nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TurnEnd {
    /// The process ended by itself with success.
    Finished,
    /// The result file says that the agent stopped on purpose.
    Blocked {
        reason: String,
    },
    /// There is a result file, and nobody can say what it means: it may have been to stop on purpose.
    ResultUnreadable {
        /// Goes on from "the result file"; quotes the agent.
        why: String,
    },
    /// Ended with an error: exit code, signal, or an error told in its output.
    Error {
        detail: String,
    },
    TimedOut,
    Stalled,
    /// Cut off before it was done, and not by a limit of ours.
    CutOff {
        by: CutBy,
        detail: String,
    },
    PermissionDenied {
        detail: String,
    },
    Quota {
        resets_at: Option<UnixTime>,
        detail: String,
    },
    LoginRefused {
        detail: String,
    },
    /// The argv could not be started at all, or a fatal hook failed: nothing was tried.
    FailedToStart {
        detail: String,
    },
    /// Ended by `run stop`, `off --now`, or a step of the run machine.
    Stopped,
}

/// What cut a turn off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CutBy {
    /// The bound on money that the agent's program keeps.
    Budget,
    /// The bound on steps that it keeps.
    Steps,
    /// A signal, or somebody who interrupted it where it ran.
    Outside,
}

impl CutBy {
    /// A stable word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Budget => "budget-used",
            Self::Steps => "steps-used",
            Self::Outside => "interrupted",
        }
    }
}

impl TurnEnd {
    /// How the turn was cut off before it was done, where it was: what it had committed by then is a beginning.
    pub fn cut_off(&self) -> Option<&'static str> {
        match self {
            Self::TimedOut => Some("it ran into its time-out"),
            Self::Stalled => Some("it stood still for longer than the stall limit"),
            Self::CutOff { by: CutBy::Budget, .. } => Some("the agent used up its budget"),
            Self::CutOff { by: CutBy::Steps, .. } => Some("the agent used up the steps it may take"),
            Self::CutOff { by: CutBy::Outside, .. } => Some("it was ended from outside"),
            Self::Finished
            | Self::Blocked { .. }
            | Self::ResultUnreadable { .. }
            | Self::Error { .. }
            | Self::PermissionDenied { .. }
            | Self::Quota { .. }
            | Self::LoginRefused { .. }
            | Self::FailedToStart { .. }
            | Self::Stopped => None,
        }
    }
}

/// What a turn's agent was asked, and so the words that its result file may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To work on an issue.
    Work,
    /// To repair a red upgrade, or to judge it.
    Upgrade,
}

/// The repo's own tests on a clean checkout of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyResult {
    pub oid: Oid,
    pub green: bool,
    /// Cleaned end of the output, for the next turn's prompt.
    pub log_tail: String,
    pub fingerprint: String,
}

/// A finished job as its result file tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobResult {
    pub started_at: UnixTime,
    pub ended_at: UnixTime,
    /// For turns; a job without an agent (verify, CI stage, hook) has `Finished` or `FailedToStart`.
    pub end: TurnEnd,
    pub exit_code: Option<i32>,
    pub usage: Usage,
    pub verify: Option<VerifyResult>,
    /// Hooks that failed, as lines for the log.
    pub hook_notes: Vec<String>,
    /// What an agent wrote into its result file as summary; data, shown escaped.
    pub summary: Option<String>,
}

/// What is known of a job from its folder and its lock.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// No `started` file and the lock is free: nothing ran; it may be started.
    NotStarted,
    /// The lock is held.
    Running {
        started_at: UnixTime,
        verifying: bool,
        /// It waits for a person's answer: where that is given.
        asks: Option<String>,
    },
    Over(Box<JobResult>),
    /// Started, the lock is free, and there is no result: the supervisor died.
    Orphaned,
}

/// A claim that was read from the forge's git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHolder {
    pub oid: Oid,
    /// From the claim commit's message; `None` where it cannot be read.
    pub run: Option<String>,
    pub installation: Option<String>,
    pub at: Option<UnixTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Landing {
    Push,
    PullRequest,
}

/// Who merges a pull request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MergeBy {
    Person,
    /// offhours does, as soon as CI is green and no trusted person asks for changes.
    WhenGreen,
}

/// Why a run ended. The codes are stable words: they stand in the ledger, in JSON and in comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Landed,
    HandedBack(HandBack),
    Frozen(Freeze),
    /// A person took the issue back (closed it, or took the ready label away).
    Withdrawn,
    /// `run stop` or `off --now`.
    Stopped,
    /// Another host holds the claim.
    ClaimLost,
    /// Nothing started; the issue is ready again after a back-off.
    NotStarted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandBack {
    Moved,
    HumanTookOver,
    Blocked,
    ResultUnreadable,
    NothingDone,
    Failed,
    TimedOut,
    Stalled,
    PermissionDenied,
    Orphaned,
    GuardRefused,
    PushRefused,
    Conflict,
    BaseRed,
    NoChecks,
    CiTimeout,
    WorkspaceUnreadable,
    PullClosed,
    MergeRefused,
    ReviewTurnsUsed,
    ReviewTooOld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freeze {
    SameFailure,
    TurnsUsed,
    TimeUsed,
    CorrectiveTurnFailed,
    BudgetUsed,
}

impl HandBack {
    pub const ALL: [Self; 21] = [
        Self::Moved,
        Self::HumanTookOver,
        Self::Blocked,
        Self::ResultUnreadable,
        Self::NothingDone,
        Self::Failed,
        Self::TimedOut,
        Self::Stalled,
        Self::PermissionDenied,
        Self::Orphaned,
        Self::GuardRefused,
        Self::PushRefused,
        Self::Conflict,
        Self::BaseRed,
        Self::NoChecks,
        Self::CiTimeout,
        Self::WorkspaceUnreadable,
        Self::PullClosed,
        Self::MergeRefused,
        Self::ReviewTurnsUsed,
        Self::ReviewTooOld,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::HumanTookOver => "human-took-over",
            Self::Blocked => "agent-blocked",
            Self::ResultUnreadable => "result-unreadable",
            Self::NothingDone => "nothing-done",
            Self::Failed => "agent-failed",
            Self::TimedOut => "turn-timeout",
            Self::Stalled => "turn-stalled",
            Self::PermissionDenied => "permission-denied",
            Self::Orphaned => "turn-orphaned",
            Self::GuardRefused => "guard-refused",
            Self::PushRefused => "push-refused",
            Self::Conflict => "conflict",
            Self::BaseRed => "base-red",
            Self::NoChecks => "no-checks",
            Self::CiTimeout => "ci-timeout",
            Self::WorkspaceUnreadable => "workspace-unreadable",
            Self::PullClosed => "pr-closed",
            Self::MergeRefused => "merge-refused",
            Self::ReviewTurnsUsed => "review-turns-used",
            Self::ReviewTooOld => "review-too-old",
        }
    }
}

impl Freeze {
    pub const ALL: [Self; 5] =
        [Self::SameFailure, Self::TurnsUsed, Self::TimeUsed, Self::CorrectiveTurnFailed, Self::BudgetUsed];

    pub fn code(self) -> &'static str {
        match self {
            Self::SameFailure => "same-failure",
            Self::TurnsUsed => "fix-turns-used",
            Self::TimeUsed => "fix-time-used",
            Self::CorrectiveTurnFailed => "fix-turn-failed",
            Self::BudgetUsed => "budget-used",
        }
    }
}

impl Outcome {
    /// The outcome that has this code, as the store and JSON spell it.
    pub fn parse(code: &str) -> Option<Self> {
        let single =
            [Self::Landed, Self::Withdrawn, Self::Stopped, Self::ClaimLost, Self::NotStarted].into_iter();
        let handed = HandBack::ALL.into_iter().map(Self::HandedBack);
        let frozen = Freeze::ALL.into_iter().map(Self::Frozen);
        single.chain(handed).chain(frozen).find(|outcome| outcome.code() == code)
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::Landed => "landed",
            Self::HandedBack(why) => why.code(),
            Self::Frozen(why) => why.code(),
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::ClaimLost => "claim-lost",
            Self::NotStarted => "not-started",
        }
    }
}

/// The approved text, as the agent is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunText {
    pub title: String,
    pub body: String,
    /// Comments by trusted people, prepared for the prompt.
    pub comments: String,
}
