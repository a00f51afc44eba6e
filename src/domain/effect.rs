//! Acts on the world, as data. Each is recorded before it is tried and looked for before it is tried again; its
//! idempotency key is made of the run's id, the kind and, where a run may do it more than once, a number.

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::model::Oid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum TurnKind {
    /// The first turn of a run.
    First,
    /// Goes on where an earlier turn was ended from outside (quota, switch, a died supervisor).
    Continue,
    /// Told which checks failed and how.
    FixForward,
    /// Told what a trusted reviewer asked for.
    Review,
}

impl TurnKind {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// What a notice is about: the words that the configuration, the state file and the receivers know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum NoticeKind {
    Done,
    #[strum(serialize = "needs-human")]
    NeedsHuman,
    Frozen,
    /// A person is asked to look at a pull request.
    Review,
    RolledBack,
    Graduated,
    UpgradeSummary,
    Alarm,
    Recovered,
}

impl NoticeKind {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// What an effect says.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Words {
    /// Empty where there is none.
    pub title: String,
    pub body: String,
}

/// `S`: what it says. It is decided with facts, and recorded with the words that are made of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect<S = Words> {
    /// Take issue and slot.
    Claim,
    /// Make the run's clone.
    Prepare,
    /// Start the run's turn number `turn` (from 1). `told`: to the agent.
    StartTurn {
        turn: u32,
        kind: TurnKind,
        told: S,
    },
    /// End whatever runs of the turn.
    StopTurn {
        turn: u32,
    },
    /// `round` counts how often this label was set or taken away before by the run's going to review and back.
    Label {
        label: String,
        present: bool,
        round: u32,
    },
    /// Write the run's one progress comment, if it does not say so already.
    Progress {
        said: S,
    },
    /// A new comment, once per run.
    Say {
        said: S,
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
    /// Push `head` to the run's own branch, which is at `expected` (`None`: does not exist).
    PushBranch {
        head: Oid,
        expected: Option<Oid>,
    },
    /// Open the pull request, or adopt the one that is there.
    OpenPull {
        said: S,
    },
    /// Tell in the pull request's body what stands at `head` now.
    EditPull {
        pull: u64,
        head: Oid,
        said: S,
    },
    /// Merge the pull request at exactly this head.
    Merge {
        pull: u64,
        head: Oid,
    },
    /// Give up the repo's slot and keep the claim on the issue.
    ReleaseSlot {
        round: u32,
    },
    /// Take the repo's slot again.
    TakeSlot {
        round: u32,
    },
    /// Push a commit to a branch of its own that takes back what the run landed.
    Undo {
        branch: String,
    },
    /// Open the pull request for it.
    OpenUndo {
        branch: String,
        said: S,
    },
    /// Open the issue again.
    Reopen,
    /// Look at the target branch until it is green or red after what came to it.
    WatchTarget,
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
        /// Counts from 0 where a run may tell the same kind more than once.
        round: u32,
        said: S,
    },
}

/// Which part of a run's dispatch an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Takes what the run needs. Somebody else may have it.
    Claims,
    /// Makes what the agent needs.
    Prepares,
    /// From here on an agent may be at work.
    StartsAgent,
    /// Comes later, or belongs to no dispatch.
    After,
}

/// What the machine is told where the world says no for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnNo {
    /// The work may not be pushed, or not be asked to be merged.
    PushRefused,
    MergeRefused,
    /// The target cannot be merged into the work.
    Conflict,
    /// The run goes on as before.
    Nothing,
}

/// What kind of act an effect is, for those who carry it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nature {
    /// Starts an agent or a check, or pushes: what the kill switch forbids.
    pub starts_work: bool,
    /// People see it on the forge. A token's rights can be mended, and a server can say no in a moment of disorder: the
    /// first no is not the last word.
    pub is_retryable: bool,
    pub part: Part,
    pub on_no: OnNo,
}

impl Nature {
    /// Tidies up or tells.
    const QUIET: Self =
        Self { starts_work: false, is_retryable: false, part: Part::After, on_no: OnNo::Nothing };
    const SHOWN: Self = Self { is_retryable: true, ..Self::QUIET };
    const WORK: Self = Self { starts_work: true, ..Self::QUIET };
}

impl<S> Effect<S> {
    /// The one table of what kind of act each effect is.
    pub fn nature(&self) -> Nature {
        match self {
            Self::Claim => Nature { part: Part::Claims, ..Nature::WORK },
            Self::Prepare => Nature { part: Part::Prepares, ..Nature::WORK },
            Self::StartTurn { .. } => Nature { part: Part::StartsAgent, ..Nature::WORK },
            Self::BringUpToDate { .. } => Nature { on_no: OnNo::Conflict, ..Nature::WORK },
            Self::Land { .. } | Self::PushBranch { .. } => {
                Nature { on_no: OnNo::PushRefused, ..Nature::WORK }
            }
            Self::OpenPull { .. } => Nature { is_retryable: true, on_no: OnNo::PushRefused, ..Nature::WORK },
            Self::Merge { .. } => Nature { on_no: OnNo::MergeRefused, ..Nature::WORK },
            Self::Verify { .. }
            | Self::TakeSlot { .. }
            | Self::Undo { .. }
            | Self::OpenUndo { .. }
            | Self::StartCi { .. } => Nature::WORK,
            Self::Label { .. }
            | Self::Progress { .. }
            | Self::Say { .. }
            | Self::EditPull { .. }
            | Self::Reopen
            | Self::Close => Nature::SHOWN,
            Self::StopTurn { .. }
            | Self::ReleaseSlot { .. }
            | Self::WatchTarget
            | Self::Salvage { .. }
            | Self::Release
            | Self::RemoveWorkspace
            | Self::Notify { .. } => Nature::QUIET,
        }
    }

    /// The same effect, saying something else.
    pub fn map<T>(self, say: impl FnOnce(S) -> T) -> Effect<T> {
        match self {
            Self::Claim => Effect::Claim,
            Self::Prepare => Effect::Prepare,
            Self::StartTurn { turn, kind, told } => Effect::StartTurn { turn, kind, told: say(told) },
            Self::StopTurn { turn } => Effect::StopTurn { turn },
            Self::Label { label, present, round } => Effect::Label { label, present, round },
            Self::Progress { said } => Effect::Progress { said: say(said) },
            Self::Say { said } => Effect::Say { said: say(said) },
            Self::BringUpToDate { head, target, number } => Effect::BringUpToDate { head, target, number },
            Self::Verify { oid, number } => Effect::Verify { oid, number },
            Self::Land { head, expected } => Effect::Land { head, expected },
            Self::PushBranch { head, expected } => Effect::PushBranch { head, expected },
            Self::OpenPull { said } => Effect::OpenPull { said: say(said) },
            Self::EditPull { pull, head, said } => Effect::EditPull { pull, head, said: say(said) },
            Self::Merge { pull, head } => Effect::Merge { pull, head },
            Self::ReleaseSlot { round } => Effect::ReleaseSlot { round },
            Self::TakeSlot { round } => Effect::TakeSlot { round },
            Self::Undo { branch } => Effect::Undo { branch },
            Self::OpenUndo { branch, said } => Effect::OpenUndo { branch, said: say(said) },
            Self::Reopen => Effect::Reopen,
            Self::WatchTarget => Effect::WatchTarget,
            Self::StartCi { stage, oid, attempt } => Effect::StartCi { stage, oid, attempt },
            Self::Salvage { push } => Effect::Salvage { push },
            Self::Close => Effect::Close,
            Self::Release => Effect::Release,
            Self::RemoveWorkspace => Effect::RemoveWorkspace,
            Self::Notify { kind, round, said } => Effect::Notify { kind, round, said: say(said) },
        }
    }

    /// One line for a plan and a log.
    pub fn line(&self) -> String {
        match self {
            Self::Claim => "claim the issue and the repo's slot".to_owned(),
            Self::Prepare => "make a workspace".to_owned(),
            Self::StartTurn { turn, .. } => format!("start turn {turn}"),
            Self::StopTurn { turn } => format!("end turn {turn}"),
            Self::Label { label, present: true, .. } => format!("add label {label}"),
            Self::Label { label, present: false, .. } => format!("remove label {label}"),
            Self::Progress { .. } => "write the progress comment".to_owned(),
            Self::Say { .. } => "comment on the issue".to_owned(),
            Self::BringUpToDate { target, .. } => {
                format!("merge the target {} into the work", target.short())
            }
            Self::Verify { oid, .. } => format!("verify {}", oid.short()),
            Self::Land { head, .. } => format!("push {} to the target branch", head.short()),
            Self::PushBranch { head, .. } => format!("push {} to the run's branch", head.short()),
            Self::OpenPull { .. } => "open the pull request".to_owned(),
            Self::EditPull { pull, .. } => format!("update the text of pull request {pull}"),
            Self::Merge { pull, head } => format!("merge pull request {pull} at {}", head.short()),
            Self::ReleaseSlot { .. } => "give up the repo's slot".to_owned(),
            Self::TakeSlot { .. } => "take the repo's slot again".to_owned(),
            Self::Undo { branch } => format!("push what takes the change back to {branch}"),
            Self::OpenUndo { .. } => "open the pull request that takes the change back".to_owned(),
            Self::Reopen => "open the issue again".to_owned(),
            Self::WatchTarget => "watch the target branch".to_owned(),
            Self::StartCi { stage, oid, .. } => format!("start CI stage {stage} on {}", oid.short()),
            Self::Salvage { .. } => "keep the work".to_owned(),
            Self::Close => "close the issue".to_owned(),
            Self::Release => "release claim and slot".to_owned(),
            Self::RemoveWorkspace => "remove the workspace".to_owned(),
            Self::Notify { kind, .. } => format!("notify: {}", kind.code()),
        }
    }
}

impl Effect {
    /// What makes this effect the same one when it is met again; unique within the run.
    pub fn key(&self) -> String {
        match self {
            Self::Claim => "claim".to_owned(),
            Self::Prepare => "prepare".to_owned(),
            Self::StartTurn { turn, .. } => format!("turn-{turn}"),
            Self::StopTurn { turn } => format!("stop-{turn}"),
            Self::Label { label, present, round } => {
                format!("label-{}{label}{}", if *present { '+' } else { '-' }, again(*round))
            }
            Self::Progress { said } => format!("progress-{}", said.body),
            Self::Say { .. } => "say".to_owned(),
            Self::BringUpToDate { number, .. } => format!("merge-{number}"),
            Self::Verify { number, .. } => format!("verify-{number}"),
            Self::Land { head, expected } => format!("land-{head}-on-{expected}"),
            Self::PushBranch { head, expected } => {
                format!("push-{head}-on-{}", expected.as_ref().map_or("nothing", Oid::as_str))
            }
            Self::OpenPull { .. } => "pull".to_owned(),
            Self::EditPull { head, .. } => format!("pull-body-{head}"),
            Self::Merge { head, .. } => format!("merge-at-{head}"),
            Self::ReleaseSlot { round } => format!("slot-{round}"),
            Self::TakeSlot { round } => format!("slot+{round}"),
            Self::Undo { .. } => "undo".to_owned(),
            Self::OpenUndo { .. } => "undo-pull".to_owned(),
            Self::Reopen => "reopen".to_owned(),
            Self::WatchTarget => "watch-target".to_owned(),
            Self::StartCi { stage, oid, attempt } => format!("ci-{stage}-{oid}-{attempt}"),
            Self::Salvage { .. } => "salvage".to_owned(),
            Self::Close => "close".to_owned(),
            Self::Release => "release".to_owned(),
            Self::RemoveWorkspace => "remove".to_owned(),
            Self::Notify { kind, round, .. } => format!("notify-{}{}", kind.code(), again(*round)),
        }
    }
}

/// The first time needs no number, so that keys of earlier versions stay what they were.
fn again(round: u32) -> String {
    if round == 0 { String::new() } else { format!("-{round}") }
}
