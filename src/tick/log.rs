//! What a tick tells: the items it acted on and what went wrong, kept apart per repo and run.

use strum::IntoStaticStr;

use super::env::Env;
use crate::domain::effect::NoticeKind;
use crate::domain::run::{IllegalTransition, Run};
use crate::error::{Error, Kind};
use crate::ports::PortError;
use crate::store::Store;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
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
        self.into()
    }
}

/// What one tick did, found and failed at.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub items: Vec<Item>,
    pub errors: Vec<Failure>,
    /// How canaries stand, where that was looked at.
    pub canaries: Vec<super::canary::CanaryReport>,
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

impl Log {
    /// Something was done for a run. The sentence is escaped here.
    pub fn acted(&mut self, run: &Run, reason: &str, sentence: &str) {
        let handle = (run.turns > 0).then(|| run.turn_job(run.turns));
        self.items.push(Item {
            issue: run.issue.to_string(),
            run: Some(run.id.clone()),
            handle,
            reason: reason.to_owned(),
            sentence: crate::domain::escape::sanitize(sentence, 300),
            acted: true,
        });
    }

    /// A failure that concerns one subject only. A lasting one is said at doubling intervals.
    pub fn failed(
        &mut self,
        env: &Env,
        store: &mut Store,
        subject: &str,
        error: &PortError,
    ) -> Result<(), Error> {
        let now = env.now();
        let quiet = !store.outage(subject, now)?;
        self.errors.push(Failure {
            subject: subject.to_owned(),
            what: crate::domain::escape::sanitize(&error.to_string(), 600),
            kind: kind_of(error),
            quiet,
        });
        Ok(())
    }

    /// Raises an alarm once: the first time its cause is met, a notice goes out.
    pub fn alarm(&mut self, env: &Env, store: &mut Store, cause: &str, detail: &str) -> Result<(), Error> {
        let now = env.now();
        let key = format!("alarm:{cause}:{}", now.0);
        let notice = env.about_cause(cause, key, NoticeKind::Alarm, detail.to_owned());
        let wanted = env.wanted(NoticeKind::Alarm);
        if store.raise(cause, detail, now, &wanted, &notice)? {
            self.errors.push(Failure {
                subject: cause.to_owned(),
                what: crate::domain::escape::sanitize(detail, 600),
                kind: Kind::TryLater,
                quiet: false,
            });
        }
        Ok(())
    }

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

/// A step that a run's machine forbids was asked for by us.
#[expect(clippy::needless_pass_by_value, reason = "what a result is mapped by takes its error whole")]
pub(super) fn illegal(error: IllegalTransition) -> Error {
    Error::internal(error.to_string())
}
