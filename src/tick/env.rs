//! What a tick touches: the ports, the clock, and how near the deadline is.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::domain::dispatch::{Parked, RunnerSeen};
use crate::domain::effect::NoticeKind;
use crate::domain::model::{RepoId, UnixTime};
use crate::domain::run::Run;
use crate::error::Error;
use crate::ports::{
    Ci, Clock, Folders, Forge, Git, Merging, Notice, Notifier, PortError, PortResult, Prompter, RunFolder,
    Runner, SwitchFile,
};
use crate::store::Store;

use super::policy::RunnerPolicy;

pub struct Sender {
    pub name: String,
    /// Kinds it is sent; empty: all.
    pub kinds: Vec<NoticeKind>,
    /// Until when a notice of a kind has to wait because of quiet hours, if it has to.
    pub quiet: Quiet,
    pub port: Box<dyn Notifier>,
}

/// Kind and moment to the end of the quiet hours.
pub type Quiet = Box<dyn Fn(NoticeKind, UnixTime) -> Option<UnixTime>>;

/// The ports, the clock and the deadline. Nothing here is state of a tick: that is the store's and the log's.
pub struct Env {
    pub clock: Box<dyn Clock>,
    pub forges: BTreeMap<String, Rc<dyn Forge>>,
    pub git: Box<dyn Git>,
    pub runner: Box<dyn Runner>,
    pub ci: Box<dyn Ci>,
    pub senders: Vec<Sender>,
    pub prompter: Box<dyn Prompter>,
    pub folders: Box<dyn Folders>,
    pub switch_file: Box<dyn SwitchFile>,
    pub new_id: Box<dyn Fn() -> String>,
    /// Whether the deadline is near: nothing new is begun then.
    pub past_deadline: Box<dyn Fn() -> bool>,
}

impl Env {
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub fn forge(&self, repo: &RepoId) -> PortResult<&dyn Forge> {
        self.forges.get(&repo.forge).map(AsRef::as_ref).ok_or_else(|| {
            PortError::refused(format!(
                "the forge `{}` of {repo} is not in the config any more; put it back",
                repo.forge
            ))
        })
    }

    /// The forge's pull requests; refused where it has none.
    pub fn pulls(&self, repo: &RepoId) -> PortResult<&dyn Merging> {
        self.forge(repo)?.pulls().ok_or_else(|| {
            PortError::refused(format!(
                "the forge `{}` has no pull requests; set landing = \"push\"",
                repo.forge
            ))
        })
    }

    pub fn folder(&self, run: &Run) -> RunFolder {
        self.folders.of(&run.issue, &run.id)
    }

    /// A runner as it stands now: its room, and whether its account is parked.
    pub fn runner_seen(&self, store: &Store, runner: &RunnerPolicy) -> Result<RunnerSeen, Error> {
        let parked = store.parked(&runner.account, self.now())?;
        let unfinished = store.runs_in_flight()?;
        // A run that waits for a person's review keeps nobody busy.
        let running =
            unfinished.iter().filter(|row| row.runner == runner.name && row.run.in_flight()).count();
        Ok(RunnerSeen {
            name: runner.name.clone(),
            parked: parked.map(|park| Parked { until: park.until, why: park.detail }),
            running: u32::try_from(running).unwrap_or(u32::MAX),
            max: runner.max_running,
        })
    }

    /// The cause of an alarm is gone: said once, if the alarm stood.
    pub fn recovered(&self, store: &mut Store, cause: &str) -> Result<(), Error> {
        let now = self.now();
        let wanted = self.wanted(NoticeKind::Recovered);
        let notice = self.about_cause(cause, String::new(), NoticeKind::Recovered, String::new());
        store.clear_alarm(cause, now, &wanted, |since| {
            let stood = crate::domain::moment::format_duration(now.since(since));
            Notice {
                key: format!("recovered:{cause}:{}", since.0),
                body: format!("the cause of the alarm is gone; it stood for {stood}"),
                ..notice
            }
        })?;
        Ok(())
    }

    /// The notifiers that are sent a kind.
    pub fn wanted(&self, kind: NoticeKind) -> Vec<String> {
        let asked = |s: &&Sender| s.kinds.is_empty() || s.kinds.contains(&kind);
        self.senders.iter().filter(asked).map(|s| s.name.clone()).collect()
    }

    /// Queues a notice for every notifier that is sent its kind; the same key twice is one.
    pub fn notify(
        &self,
        store: &mut Store,
        key: &str,
        kind: NoticeKind,
        title: &str,
        body: &str,
        link: Option<String>,
    ) -> Result<(), Error> {
        let wanted = self.wanted(kind);
        if wanted.is_empty() {
            return Ok(());
        }
        let notice = Notice {
            key: key.to_owned(),
            kind,
            title: title.to_owned(),
            body: body.to_owned(),
            link,
            topic: None,
            possible_repeat: false,
        };
        let now = self.now();
        store.enqueue(&wanted, &notice, now)?;
        Ok(())
    }

    /// A notice about the cause of an alarm, or about its end. The link leads to what it is about.
    pub(super) fn about_cause(&self, cause: &str, key: String, kind: NoticeKind, body: String) -> Notice {
        let (repo, issue) = subject_of(cause);
        Notice {
            key,
            kind,
            title: format!("{}: {cause}", kind.code()),
            body,
            link: repo.and_then(|repo| self.page(&repo, issue)),
            topic: Some(cause.to_owned()),
            possible_repeat: false,
        }
    }

    /// Where a person looks at it.
    pub fn page(&self, repo: &RepoId, issue: Option<u64>) -> Option<String> {
        self.forges.get(&repo.forge)?.page(repo, issue)
    }
}

/// The repo and the issue that a cause names, as `code:forge:owner/name#n`.
fn subject_of(cause: &str) -> (Option<RepoId>, Option<u64>) {
    let about = cause.split_once(':').map_or("", |(_, about)| about);
    match about.split_once('#') {
        Some((repo, number)) => (RepoId::parse(repo, None), number.parse().ok()),
        None => (RepoId::parse(about, None), None),
    }
}
