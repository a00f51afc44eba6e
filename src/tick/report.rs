//! What a tick tells: the items it acted on and what went wrong, kept apart per repo and run.

use crate::error::Kind;
use crate::ports::PortError;
use crate::store::StoreError;

/// One line of what was done or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// `forge:owner/name#n`, or a repo, or a runner account.
    pub issue: String,
    pub run: Option<String>,
    /// What a runner knows the work by: the turn's job.
    pub handle: Option<String>,
    /// A stable code.
    pub reason: String,
    /// For people; escaped.
    pub sentence: String,
    /// Something was done, not only found.
    pub acted: bool,
}

/// Something that failed; the others went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub subject: String,
    pub what: String,
    pub kind: Kind,
    /// Said before and lasting: not said again this time.
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickOutcome {
    Acted,
    Idle,
    Locked,
    Parked,
    Off,
    Partial,
}

impl TickOutcome {
    pub fn code(self) -> &'static str {
        match self {
            Self::Acted => "acted",
            Self::Idle => "idle",
            Self::Locked => "locked",
            Self::Parked => "parked",
            Self::Off => "off",
            Self::Partial => "partial",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Report {
    pub items: Vec<Item>,
    pub errors: Vec<Failure>,
    /// How canaries stand, where that was looked at.
    pub canaries: Vec<super::harvest::CanaryReport>,
    /// What is only told: it makes no tick a bad one.
    pub logged: Vec<Failure>,
    /// Dry run: what would be done, a line each.
    pub effects: Vec<String>,
    /// Left for the next tick because the deadline is near.
    pub left: Vec<String>,
    /// Everything that could start is parked.
    pub parked: bool,
    pub off: bool,
}

impl Report {
    pub fn outcome(&self) -> TickOutcome {
        if self.off {
            TickOutcome::Off
        } else if !self.errors.is_empty() || !self.left.is_empty() {
            TickOutcome::Partial
        } else if self.items.iter().any(|i| i.acted) || !self.effects.is_empty() {
            TickOutcome::Acted
        } else if self.parked {
            TickOutcome::Parked
        } else {
            TickOutcome::Idle
        }
    }

    /// Takes in what another part of the same tick tells.
    pub fn append(&mut self, other: Self) {
        self.items.extend(other.items);
        self.errors.extend(other.errors);
        self.canaries.extend(other.canaries);
        self.logged.extend(other.logged);
        self.effects.extend(other.effects);
        self.left.extend(other.left);
    }

    /// The largest exit code of what went wrong; 0 where nothing did.
    pub fn exit_code(&self) -> u8 {
        self.errors.iter().map(|e| e.kind.exit_code()).max().unwrap_or(0)
    }
}

/// The kind of failure that a port's answer is to the person at the other end.
pub fn kind_of(error: &PortError) -> Kind {
    match error {
        PortError::Later { .. }
        | PortError::Refused { .. }
        | PortError::Gone { .. }
        | PortError::Broken { .. } => Kind::TryLater,
        PortError::Credentials { .. } => Kind::Refused,
    }
}

impl From<StoreError> for crate::error::Error {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Foreign { .. } => Kind::Config,
            StoreError::Unusable { .. } | StoreError::Sql { .. } => Kind::TryLater,
            StoreError::Row { .. } => Kind::Internal,
        };
        let hint = match &error {
            StoreError::Sql { source, .. } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => {
                    Some("the disk is full: make room; nothing was lost, and the next tick goes on")
                }
                Some(
                    rusqlite::ErrorCode::ReadOnly
                    | rusqlite::ErrorCode::CannotOpen
                    | rusqlite::ErrorCode::PermissionDenied,
                ) => Some("check the owner and the rights of the state file and of its folder"),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                    Some("another process holds it; the next tick tries again")
                }
                _ => None,
            },
            StoreError::Unusable { .. } | StoreError::Foreign { .. } | StoreError::Row { .. } => None,
        };
        let out = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => out.hint(hint),
            None => out,
        }
    }
}
