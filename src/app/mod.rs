//! The composition root: the one room that names concrete adapters. It reads the configuration and the environment, and
//! builds what commands and ticks work with.
#![allow(clippy::disallowed_methods, reason = "the composition root reads the environment and the clock")]

mod forges;
mod policy;
mod runners;
mod senders;
mod surroundings;
mod upgrade;
mod world;

pub use policy::seconds;
pub use runners::supervise;
pub use senders::Heart;
pub use surroundings::{env, path_variable};

// What commands by hand reach of this machine and of the local forge, beside what a tick works with.
pub use crate::adapters::forge::local;
pub use crate::adapters::host::{Locked, TickLock, lock};
pub use crate::adapters::prompt::read as read_template;
pub use crate::adapters::schedule::Scheduler;
pub use crate::adapters::wake::{Waker, Woken};
pub use crate::adapters::{files, probe, secret};

use std::cell::OnceCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use forges::Forges;

use crate::adapters::dry::Scratch;
use crate::adapters::forge::local::LocalForge;
use crate::adapters::git::GitRooms;
use crate::adapters::host::{SystemClock, WorkFolders, machine_id, network_bound};
use crate::adapters::prompt::Prompts;
use crate::adapters::runner::command::tmux_socket;
use crate::cli::Global;
use crate::config::{self as cfg, Config, Switch};
use crate::domain::model::{RepoId, UnixTime};
use crate::domain::schedule::Plan;
use crate::error::Error;
use crate::ports::{Clock, Folders as _, Forge, Marked};
use crate::store::{Adopted, Store};
use crate::tick::{Env, HostPolicy};

/// Git commands of a tick are ended after this long; fetches of large repositories take their time.
const GIT_TIMEOUT: Duration = Duration::from_secs(120);

/// The configuration, and where things are.
pub struct App {
    pub global: Global,
    pub config: Rc<Config>,
    pub state: PathBuf,
    pub state_dir: PathBuf,
    pub switch: Switch,
    pub started: Instant,
    /// One client and one budget of requests for everything that a process asks.
    forges: OnceCell<Forges>,
}

fn switch_files(config: &Config, state_dir: &Path) -> Vec<PathBuf> {
    let mut files = vec![config.kill_switch_file(state_dir)];
    let usual = state_dir.join("off");
    if files.first() != Some(&usual) {
        files.push(usual);
    }
    files
}

/// Where the state file is: the flag, systemd's folder, the user's.
fn state_path(global: &Global) -> Result<PathBuf, Error> {
    if let Some(path) = &global.state {
        return std::path::absolute(path)
            .map_err(|e| Error::usage(format!("--state {}: {e}", path.display())));
    }
    let full = |dir: std::ffi::OsString| Some(PathBuf::from(dir)).filter(|d| d.is_absolute());
    let user = || env("HOME").and_then(full).map(|home| home.join(".local/state"));
    if let Some(dir) = env("STATE_DIRECTORY").and_then(full) {
        return Ok(dir.join("offhours.db"));
    }
    env("XDG_STATE_HOME")
        .and_then(full)
        .or_else(user)
        .map(|dir| dir.join("offhours").join("offhours.db"))
        .ok_or_else(|| {
            Error::config("there is no place for the state file: HOME is not set")
                .hint("name one with --state FILE")
        })
}

impl App {
    pub fn load(global: &Global) -> Result<Self, Error> {
        let path = cfg::find(global.config.as_deref(), &env)?;
        let text = cfg::read(&path)?;
        let switch_word = match env("OFFHOURS_KILL_SWITCH") {
            None => None,
            Some(word) => Some(word.into_string().map_err(|_odd| {
                Error::config("OFFHOURS_KILL_SWITCH is not a word that can be read")
                    .hint("set it to on or off, or unset it")
            })?),
        };
        let config = Config::load(&path, &text, switch_word.as_deref())?;
        let state = state_path(global)?;
        let state_dir = state.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Ok(Self::of(global, config, state, state_dir))
    }

    fn of(global: &Global, config: Config, state: PathBuf, state_dir: PathBuf) -> Self {
        // A file that cannot be looked for may be there: the switch is on.
        let there = |file: &Path| file.try_exists().unwrap_or_else(|e| e.kind() != ErrorKind::NotADirectory);
        let file = switch_files(&config, &state_dir).iter().any(|f| there(f));
        let switch = cfg::switch(&config, file);
        Self {
            global: global.clone(),
            config: Rc::new(config),
            state,
            state_dir,
            switch,
            started: Instant::now(),
            forges: OnceCell::new(),
        }
    }

    /// The same with another configuration, as a world that cannot be written.
    #[must_use]
    pub fn imagine(&self, config: Config) -> Self {
        let mut global = self.global.clone();
        global.dry_run = true;
        Self::of(&global, config, self.state.clone(), self.state_dir.clone())
    }

    /// What to ask with, of this imagined one; `real` has the state file.
    pub fn equip_to_look(&self, real: &Self) -> Result<(Env, HostPolicy, Store), Error> {
        let store = Store::open_copy(&real.state, SystemClock.now())?;
        let (env, host) = self.equip(&store, false, None)?;
        Ok((env, host, store))
    }

    /// What `off` needs, out of a configuration that cannot be used or read.
    pub fn salvaged(global: &Global) -> Result<Self, Error> {
        let path = cfg::find(global.config.as_deref(), &env).unwrap_or_default();
        let text = cfg::read(&path).unwrap_or_default();
        let state = state_path(global)?;
        let state_dir = state.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Ok(Self::of(global, Config::salvaged(&path, &text), state, state_dir))
    }

    /// Every file whose presence puts the switch on: `off` beside the state file always does, so that it can be made
    /// while the configuration cannot be read.
    pub fn switch_files(&self) -> Vec<PathBuf> {
        switch_files(&self.config, &self.state_dir)
    }

    /// Read once at a command's edge.
    pub fn now(&self) -> UnixTime {
        SystemClock.now()
    }

    pub fn machine(&self) -> String {
        self.config.global.machine.clone().map_or_else(machine_id, |name| format!("named:{name}"))
    }

    /// Opens the state file, or a copy of it in memory for a dry run.
    pub fn store(&self) -> Result<Store, Error> {
        let now = SystemClock.now();
        let fresh = uuid::Uuid::new_v4().to_string();
        Ok(if self.global.dry_run {
            Store::open_copy(&self.state, now)?
        } else {
            // Folders of runs, or what was fetched for some, without a state file: the one that knew of them is gone.
            let lost = self.state_is_gone()
                && (self.state_dir.join("repos").is_dir() || !self.marked_runs().is_empty());
            let mut store = Store::open(&self.state, &self.machine(), &fresh, now)?;
            if lost {
                store.begin_after_loss(now)?;
            }
            store
        })
    }

    /// There is no state file, or nothing in it: made by a disk that was full, or by somebody's `>`.
    fn state_is_gone(&self) -> bool {
        let mut log = self.state.clone().into_os_string();
        log.push("-wal");
        [Path::new(&log), &self.state].iter().all(|f| std::fs::metadata(f).map_or(true, |m| m.len() == 0))
    }

    /// Runs whose folders lie on this machine and of which the state file knows nothing: it was lost.
    pub fn left_behind(&self, store: Option<&Store>) -> Result<Vec<Marked>, Error> {
        let mut found = vec![];
        for marked in self.marked_runs() {
            if store.map_or(Ok(None), |store| store.run(&marked.run))?.is_none() {
                found.push(marked);
            }
        }
        Ok(found)
    }

    /// Runs whose folders lie on this machine.
    pub fn marked_runs(&self) -> Vec<Marked> {
        self.folders().marked()
    }

    /// The machine's cron and systemd, as the person at the keyboard reaches them.
    pub fn scheduler(&self) -> Scheduler {
        let names = ["XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "USER", "LOGNAME"];
        Scheduler {
            path: env("PATH").unwrap_or_default(),
            home: env("HOME").map(PathBuf::from).filter(|h| h.is_absolute()),
            session: names.into_iter().filter_map(|name| Some((name, env(name)?))).collect(),
        }
    }

    /// What a schedule has to know: whole paths, because cron starts in a folder and an environment of its own.
    pub fn plan(&self, every: u32) -> Result<Plan, Error> {
        let whole = |path: &Path| {
            std::path::absolute(path)
                .map(|p| p.display().to_string())
                .map_err(|e| Error::later(format!("{}: {e}", path.display())))
        };
        let program = std::env::current_exe()
            .map_err(|e| Error::later(format!("where this program is cannot be told: {e}")))?;
        Ok(Plan {
            every,
            program: whole(&program)?,
            config: whole(&self.config.path)?,
            state: whole(&self.state)?,
            path: path_variable(),
            credentials: self.config.credentials(),
        })
    }

    /// A copy of the state file in memory, whoever the file belongs to.
    pub fn store_copy(&self) -> Result<Store, Error> {
        Ok(Store::open_copy(&self.state, SystemClock.now())?)
    }

    /// Makes the state file this machine's own.
    pub fn adopt(&self) -> Result<(Store, Adopted), Error> {
        let fresh = uuid::Uuid::new_v4().to_string();
        let folders = self.folders();
        let here = |row: &crate::store::RunRow| folders.of(&row.run.issue, &row.run.id).dir.exists();
        Ok(Store::adopt(&self.state, &self.machine(), &fresh, SystemClock.now(), &here)?)
    }

    fn folders(&self) -> WorkFolders {
        WorkFolders {
            root: self.config.workspace_root(&self.state_dir),
            salvage: self.state_dir.join("salvage"),
            ci: self.state_dir.join("ci"),
            logs: self.state_dir.join("logs"),
            machine: self.machine(),
            state: std::path::absolute(&self.state)
                .unwrap_or_else(|_| self.state.clone())
                .display()
                .to_string(),
        }
    }

    /// A store to read from; none where no tick has made one yet.
    pub fn existing_store(&self) -> Result<Option<Store>, Error> {
        Ok(if self.state_is_gone() {
            None
        } else if self.global.dry_run {
            Some(self.store()?)
        } else {
            Some(Store::open_to_look(&self.state, &self.machine(), SystemClock.now())?)
        })
    }

    /// How a person gets at the session of a turn that runs in one.
    pub fn attach(&self, turn: &str) -> Option<String> {
        let socket = tmux_socket(&self.state_dir, turn);
        socket.exists().then(|| format!("tmux -S {} attach", socket.display()))
    }

    pub fn repo(&self, text: &str) -> Result<RepoId, Error> {
        self.config.repo_id(text).map_err(Error::usage)
    }

    pub fn local_forge(&self, repo: &RepoId) -> Result<LocalForge, Error> {
        let path =
            self.config.forges.get(&repo.forge).and_then(|forge| forge.path.clone()).ok_or_else(|| {
                Error::usage(format!("`{}` is no local forge of the config", repo.forge))
                    .hint("issues on other forges are written there; this command is for a local one")
            })?;
        let local = LocalForge::new(path, Rc::new(SystemClock), "offhours");
        Ok(if self.global.dry_run { local.looking_only() } else { local })
    }

    fn forges(&self, store: &Store) -> Result<&Forges, Error> {
        if let Some(forges) = self.forges.get() {
            return Ok(forges);
        }
        let built = forges::build(&self.config, self.global.dry_run, store)?;
        Ok(self.forges.get_or_init(|| built))
    }

    /// The forge of a repo, for a command by hand.
    pub fn forge(&self, repo: &RepoId) -> Result<Rc<dyn Forge>, Error> {
        self.forges(&self.store()?)?
            .trackers()
            .remove(&repo.forge)
            .ok_or_else(|| Error::usage(format!("the forge `{}` is not in the config", repo.forge)))
    }

    /// The same for a command that only looks: it cannot write there, and makes no state file.
    pub fn forge_to_look(&self, repo: &RepoId) -> Result<Rc<dyn Forge>, Error> {
        let (mut env, _, _) = self.imagine((*self.config).clone()).equip_to_look(self)?;
        env.forges
            .remove(&repo.forge)
            .ok_or_else(|| Error::usage(format!("the forge `{}` is not in the config", repo.forge)))
    }

    pub fn prompts(&self) -> Prompts {
        let files = self.config.templates.iter().map(|(name, t)| (name.clone(), t.file.clone())).collect();
        Prompts { files }
    }

    fn git(&self) -> GitRooms {
        let work = self.config.workspace_root(&self.state_dir);
        GitRooms::new(self.state_dir.join("repos"), work, network_bound(GIT_TIMEOUT))
    }

    /// Git that really pushes, out of a folder that is gone with it.
    pub fn git_to_try(&self) -> Result<(GitRooms, Scratch), Error> {
        let scratch = Scratch::new().map_err(|e| Error::later(format!("a scratch folder: {e}")))?;
        let (repos, work) = (scratch.path().join("repos"), scratch.path().join("work"));
        let looking = self.imagine((*self.config).clone());
        let credentials = looking.forges(&looking.store()?)?.credentials.clone();
        let rooms = GitRooms::new(repos, work, network_bound(GIT_TIMEOUT)).with_credentials(credentials);
        Ok((rooms, scratch))
    }
}
