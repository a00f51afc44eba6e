//! What a tick touches and what it decides by, built out of concrete adapters and the configuration.
#![allow(clippy::disallowed_methods, reason = "part of the composition root: it reads the clock")]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::runners::ci_stages;
use super::{App, GIT_TIMEOUT, forges};
use crate::adapters::ci::{CommandCi, StageCi};
use crate::adapters::dry::{DryCi, DryGit, DryRunner, Scratch};
use crate::adapters::git::{Credentials, GitRooms};
use crate::adapters::host::{KillFile, SystemClock, network_bound};
use crate::adapters::wake::{AtWork, Noting, Waker};
use crate::error::Error;
use crate::ports::{Ci, Clock as _, Git, Runner};
use crate::store::Store;
use crate::tick::{Env, HostPolicy};

impl App {
    /// The same repositories and workspaces, to be looked at only.
    fn dry_git(&self, scratch: Scratch, credentials: Credentials) -> DryGit {
        let work = self.config.workspace_root(&self.state_dir);
        let fetched = scratch.path().join("repos");
        let rooms =
            GitRooms::reading(fetched, self.state_dir.join("repos"), work, network_bound(GIT_TIMEOUT));
        DryGit::new(rooms.with_credentials(credentials), scratch)
    }

    /// Everything a tick works with; `held`: what wakes it where it holds its turns to their end. With `--dry-run` it is a world that cannot be written.
    pub fn equip(
        &self,
        store: &Store,
        assume_armed: bool,
        held: Option<&Waker>,
    ) -> Result<(Env, HostPolicy), Error> {
        let dry = self.global.dry_run;
        let now = SystemClock.now();
        let forges = self.forges(store)?;
        let at_work = held.map_or_else(AtWork::default, Waker::at_work);
        let noting = || Noting { runner: self.runner(), at_work: Rc::clone(&at_work) };
        let real = Rc::new(noting());
        let ci_config = Rc::clone(&self.config);
        let command = CommandCi {
            root: self.state_dir.join("ci"),
            runner: Rc::clone(&real) as Rc<dyn Runner>,
            stages: Box::new(move |repo| ci_stages(&ci_config, repo)),
        };
        let ci = StageCi {
            command: Box::new(command),
            elsewhere: forges::checks_elsewhere(
                Rc::clone(&self.config),
                forges.checks.clone(),
                Rc::clone(&forges.http),
            ),
            again: RefCell::default(),
        };
        let (git, runner, ci): (Box<dyn Git>, Box<dyn Runner>, Box<dyn Ci>) = if dry {
            let scratch =
                Scratch::new().map_err(|e| Error::later(format!("a scratch folder for the dry run: {e}")))?;
            (
                Box::new(self.dry_git(scratch, Rc::clone(&forges.credentials))),
                Box::new(DryRunner(Box::new(self.runner()))),
                Box::new(DryCi(Box::new(ci))),
            )
        } else {
            let rooms = self.git().with_credentials(Rc::clone(&forges.credentials));
            (Box::new(rooms), Box::new(noting()), Box::new(ci))
        };
        let (started, deadline) = (self.started, Duration::from_secs(self.global.deadline));
        let env = Env {
            clock: Box::new(SystemClock),
            forges: forges.trackers(),
            git,
            runner,
            ci,
            senders: self.senders(),
            prompter: Box::new(self.prompts()),
            folders: Box::new(self.folders()),
            switch_file: Box::new(KillFile(self.config.kill_switch_file(&self.state_dir))),
            new_id: Box::new(|| format!("r{}", &uuid::Uuid::new_v4().simple().to_string()[..7])),
            past_deadline: match held.map(Waker::ended) {
                Some(ended) => Box::new(move || ended.load(Ordering::SeqCst)),
                None => Box::new(move || started.elapsed() >= deadline),
            },
        };
        Ok((env, self.host_policy(now, assume_armed)))
    }
}
