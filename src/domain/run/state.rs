//! What a run is, and by which bounds it is worked on.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::effect::TurnKind;
use crate::domain::model::{IssueRef, Landing, MergeBy, Oid, Outcome, UnixTime};

/// No single gap between two ticks counts for more than this: a machine that slept, or a clock that jumped, must not
/// run out a run's time.
pub const LONGEST_GAP_SECONDS: i64 = 3600;
/// The same for the days that a person has for a review: ticks may be far apart there.
pub const LONGEST_REVIEW_GAP_SECONDS: i64 = 86_400;
/// How often the target may move away under a landing before a person is asked.
pub const CONFLICT_TRIES: u32 = 3;
/// How often a run may go on where a turn was ended from outside (quota, a start that failed, `off --now`): an agent
/// that names a reset in the past, or fails to start with another sentence each time, is parked by nobody.
pub const MAX_CONTINUES: u32 = 20;
/// How many verify jobs a run may start beyond one for each turn and each merge: those lost a supervisor.
pub const SPARE_VERIFIES: u32 = 3;
/// A CI stage that cannot be got to start, or a base that gives no answer, is not waited for longer than this.
pub const CI_START_SECONDS: i64 = 4 * 3600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Phase {
    /// The effects of the dispatch are under way.
    Starting,
    Active,
    /// The outcome is decided; its effects are under way.
    Ending,
    Ended,
}

impl Phase {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// What a run waits for. Every wait has a name that people see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Wait {
    Working,
    NeedsInput,
    Ci,
    CheckNeedsPerson,
    Parked,
    Switch,
    MergeHours,
    Unreadable,
    Review,
    /// For the repo's slot, which another run holds.
    Slot,
}

impl Wait {
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// What happens next by itself, or who has to do what.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::Working => "the agent works; its time-out ends it at the latest",
            Self::NeedsInput => "a person has to answer the agent",
            Self::Ci => "CI decides; its time-out ends the wait at the latest",
            Self::CheckNeedsPerson => "a person has to act on the check",
            Self::Parked => "goes on in the same session when the runner is back",
            Self::Switch => "goes on when the kill switch is cleared (`offhours resume`)",
            Self::MergeHours => "lands when the merge hours begin",
            Self::Unreadable => "tried again each tick; nothing is concluded from what cannot be read",
            Self::Review => {
                "a person has to review the pull request and merge it, ask for changes, or close it"
            }
            Self::Slot => {
                "goes on, before any new issue, when the run that works in the repo gives the slot up"
            }
        }
    }
}

/// A red check or verify, as it is remembered to know it again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// Names of the failed checks, sorted.
    pub checks: Vec<String>,
    pub fingerprint: String,
    /// For the next turn's prompt and for people; data.
    pub log_tail: String,
}

impl Failure {
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.checks == other.checks && self.fingerprint == other.fingerprint
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: String,
    pub issue: IssueRef,
    /// Who applied the ready label: is told of the end.
    pub asked_by: String,
    pub attempt: u32,
    pub phase: Phase,
    pub outcome: Option<Outcome>,
    pub landing: Landing,
    pub target_branch: String,
    /// The run's branch, in the workspace and, with pull requests, on the remote. A run that continues earlier work
    /// has that run's branch.
    pub branch: String,
    /// The commit of the target that the run started from; of a run that continues earlier work, the newest one that
    /// this work contains. The work always contains it.
    pub base: Oid,
    /// The newest commit of the target that the work contains: what the work changed is counted from it.
    pub up_to: Oid,
    pub turns: u32,
    pub turn_kind: TurnKind,
    /// The work's head when the last turn began: without a newer one that turn brought nothing.
    pub turn_head: Oid,
    pub fix_forward: u32,
    pub verifies: u32,
    pub conflict_tries: u32,
    /// Reruns asked for on the pushed head.
    pub reruns: u32,
    pub pushed: Option<Oid>,
    pub last_fix: Option<Failure>,
    /// Paths or words of a merge conflict or refused push, when one was met.
    pub conflict: Option<String>,
    /// Words of a refused push or of a pull request that could not be opened.
    pub push_refused: Option<String>,
    pub merge_refused: Option<String>,
    pub pull: Option<u64>,
    /// The head that the pull request's text tells of.
    pub pull_head: Option<Oid>,
    /// Holds the repo's slot; a run that waits for a review gave it up.
    pub holds_slot: bool,
    /// Waits for a review, and the issue's labels say so.
    pub reviewing: bool,
    /// How often a review was waited for.
    pub round: u32,
    pub review_turns: u32,
    /// Ids of the reviews that a review turn was told of.
    pub reviews_done: Vec<String>,
    /// What the last review turn was told.
    pub asked: Option<String>,
    /// Seconds waited for the current review.
    pub review_seconds: i64,
    pub ci_stage: u32,
    /// Seconds waited for the current CI stage of the pushed head.
    pub ci_seconds: i64,
    /// Seconds in fix-forward without the time that CI took.
    pub fix_seconds: i64,
    /// Seconds the current turn was seen working.
    pub turn_seconds: i64,
    pub last_seen: UnixTime,
    pub wait: Option<Wait>,
    pub created_at: UnixTime,
    pub ended_at: Option<UnixTime>,
}

impl Run {
    /// A run at its very beginning: its first turn is about to be started on `base`.
    pub fn begin(id: String, issue: IssueRef, target_branch: &str, base: &Oid, now: UnixTime) -> Self {
        Self {
            branch: format!("offhours/issue-{}-{id}", issue.number),
            id,
            issue,
            asked_by: String::new(),
            attempt: 1,
            phase: Phase::Starting,
            outcome: None,
            landing: Landing::PullRequest,
            target_branch: target_branch.to_owned(),
            base: base.clone(),
            up_to: base.clone(),
            turns: 1,
            turn_kind: TurnKind::First,
            turn_head: base.clone(),
            fix_forward: 0,
            verifies: 0,
            conflict_tries: 0,
            reruns: 0,
            pushed: None,
            last_fix: None,
            conflict: None,
            push_refused: None,
            merge_refused: None,
            pull: None,
            pull_head: None,
            holds_slot: true,
            reviewing: false,
            round: 0,
            review_turns: 0,
            reviews_done: vec![],
            asked: None,
            review_seconds: 0,
            ci_stage: 0,
            ci_seconds: 0,
            fix_seconds: 0,
            turn_seconds: 0,
            last_seen: now,
            wait: Some(Wait::Working),
            created_at: now,
            ended_at: None,
        }
    }

    pub fn salvage_branch(&self) -> String {
        format!("offhours/salvage/{}-{}", self.issue.number, self.id)
    }

    pub fn turn_job(&self, turn: u32) -> String {
        format!("{}-t{turn}", self.id)
    }

    pub fn verify_job(&self, number: u32) -> String {
        format!("{}-v{number}", self.id)
    }

    /// May be counted from a commit that its work does not contain: version 0.1.0 counted a run that continues earlier
    /// work from the target as it was by then.
    pub fn base_is_in_doubt(&self) -> bool {
        self.phase != Phase::Ended && self.up_to != self.base && self.turn_head != self.base
    }

    /// The same run, with its work counted from this commit of the target.
    #[must_use]
    pub fn counted_from(self, base: Oid) -> Self {
        Self { up_to: base.clone(), base, ..self }
    }

    /// Holds the repo's slot.
    pub fn in_flight(&self) -> bool {
        self.phase != Phase::Ended && self.holds_slot
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub ready_label: String,
    pub in_progress_label: String,
    pub human_label: String,
    pub review_label: String,
    pub merge: MergeBy,
    pub review_max_turns: u32,
    pub review_max_seconds: i64,
    pub max_attempts: u32,
    pub ci_rerun: u32,
    pub fix_max_turns: u32,
    pub fix_max_seconds: i64,
    /// The longest a turn with its hooks and verify can take by its own limits.
    pub turn_limit_seconds: i64,
}
