//! One file per command. This file alone names concrete adapters: it builds the world a command works with.
#![allow(clippy::disallowed_methods, reason = "the composition root reads the environment and the clock")]

pub mod arm;
pub mod config;
pub mod doctor;
mod forges;
mod hand;
pub mod history;
pub mod init;
pub mod issue;
pub mod lessons;
pub mod manual;
pub mod once;
pub mod output;
pub mod pr;
pub mod prometheus;
pub mod prompt;
pub mod report;
pub mod revert;
pub mod run;
pub mod schedule;
mod senders;
pub mod spend;
pub mod state;
pub mod status;
pub mod supervise;
pub mod switch;
pub mod template;
pub mod tick;
pub mod uninstall;
pub mod upgrade;
mod upgrade_schedule;
mod upgrade_world;
pub mod why;

pub use hand::by_hand;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::adapters::ci::{CommandCi, CommandStage, StageCi};
use crate::adapters::dry::{DryCi, DryGit, DryRunner, Scratch};
use crate::adapters::forge::local::LocalForge;
use crate::adapters::git::{Credentials, GitRooms};
use crate::adapters::host::{KillFile, SystemClock, WorkFolders, machine_id, network_bound};
use crate::adapters::prompt::Prompts;
use crate::adapters::runner::command::{
    CommandRunner, Hooks, Prices, Profile, PromptPassing, RepoRunners, RunnerSettings, Settings,
    Surroundings, tmux_socket,
};
use crate::adapters::runner::t3::{T3Runner, T3Server};
use crate::adapters::schedule::Scheduler;
use crate::cli::desk::StatusFormat;
use crate::cli::{Cli, Command, Global};
use crate::config::{self as cfg, Config, Switch};
use crate::domain::dispatch::Labels;
use crate::domain::harvest;
use crate::domain::model::{RepoId, UnixTime};
use crate::domain::priority::Order;
use crate::domain::run::Policy;
use crate::domain::schedule::Plan;
use crate::domain::trust::TrustPolicy;
use crate::error::Error;
use crate::ports::{Ci, Clock, Folders as _, Forge, Git, Marked, PortError, PortResult, Runner};
use crate::store::{Adopted, Store};
use crate::tick::Report;
use crate::tick::world::{HarvestPolicy, HostPolicy, RepoPolicy, RunnerPolicy, StagePolicy, World};

/// Git commands of a tick are ended after this long; fetches of large repositories take their time.
const GIT_TIMEOUT: Duration = Duration::from_secs(120);
/// A failed dispatch is tried again after an hour at the latest.
const LONGEST_BACKOFF_SECONDS: i64 = 3600;
/// A turn's own limits and what ending it takes.
const TURN_MARGIN_SECONDS: u64 = 120;

/// Runs a command; the exit code where nothing failed.
pub fn run(cli: &Cli) -> Result<u8, Error> {
    let global = &cli.global;
    match &cli.command {
        Command::Supervise(args) => supervise::run(args),
        Command::Config(command) => config::run(global, command),
        Command::Poll(args) => tick::run(&App::load(global)?, tick::Parts::Poll, args.assume_armed, false),
        Command::Harvest => tick::run(&App::load(global)?, tick::Parts::Harvest, false, false),
        Command::Watch => tick::run(&App::load(global)?, tick::Parts::Watch, false, false),
        Command::Lessons(args) => match &args.command {
            Some(command) => lessons::run(&App::load(global)?, command),
            None => tick::run(&App::load(global)?, tick::Parts::Lessons, false, false),
        },
        Command::Tick(args) => {
            tick::run(&App::load(global)?, tick::Parts::All, args.assume_armed, args.foreground)
        }
        Command::Upgrade(args) => upgrade::run(&App::load(global)?, args),
        Command::Arm(args) => arm::run(&App::load(global)?, args),
        Command::Init(args) => init::run(global, args),
        Command::Off(args) => switch::off_whatever_happens(global, args.now),
        Command::Pause(args) => switch::pause(&App::load(global)?, args.repo.as_deref(), args.seconds),
        Command::Resume(args) => switch::resume(&App::load(global)?, args.repo.as_deref()),
        Command::Status(args) => match args.format {
            StatusFormat::Text => status::run(&App::load(global)?),
            StatusFormat::Prometheus => prometheus::run(&App::load(global)?),
        },
        Command::Report(args) => report::run(&App::load(global)?, args),
        Command::Doctor(args) => doctor::run(&App::load(global)?, args),
        Command::Spend(args) => spend::run(&App::load(global)?, args),
        Command::Why(args) => why::run(&App::load(global)?, args),
        Command::Run(command) => run::run(&App::load(global)?, command),
        Command::Prompt(args) => prompt::run(&App::load(global)?, args),
        Command::Template(command) => template::run(&App::load(global)?, command),
        Command::Revert(args) => revert::run(&App::load(global)?, args),
        Command::Issue(command) => issue::run(&App::load(global)?, command),
        Command::Pr(command) => pr::run(&App::load(global)?, command),
        Command::Schedule(command) => schedule::run(&App::load(global)?, command),
        Command::Uninstall(args) => uninstall::run(&App::load(global)?, args),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(global, args),
        Command::State(command) => state::run(&App::load(global)?, command),
    }
}

/// The configuration, and where things are.
pub struct App {
    pub global: Global,
    pub config: Rc<Config>,
    pub state: PathBuf,
    pub state_dir: PathBuf,
    pub switch: Switch,
    pub started: Instant,
}

fn switch_files(config: &Config, state_dir: &Path) -> Vec<PathBuf> {
    let mut files = vec![config.kill_switch_file(state_dir)];
    let usual = state_dir.join("off");
    if files.first() != Some(&usual) {
        files.push(usual);
    }
    files
}

fn env(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
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
        }
    }

    /// The same with another configuration, as a world that cannot be written.
    #[must_use]
    pub fn imagine(&self, config: Config) -> Self {
        let mut global = self.global.clone();
        global.dry_run = true;
        Self::of(&global, config, self.state.clone(), self.state_dir.clone())
    }

    /// A world to ask with, of this imagined one; `real` has the state file.
    pub fn world_to_look(&self, real: &Self) -> Result<World, Error> {
        let store = Store::open_copy(&real.state, SystemClock.now())?;
        self.world(store, false, false)
    }

    /// What `off` needs, out of a configuration that cannot be used or read.
    fn salvaged(global: &Global) -> Result<Self, Error> {
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
            kept: vec![self.state_dir.join("salvage"), self.state_dir.join("ci")],
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

    /// The forge of a repo, for a command by hand.
    pub fn forge(&self, repo: &RepoId) -> Result<Rc<dyn Forge>, Error> {
        let mut forges = forges::build(self, &self.store()?)?;
        forges
            .trackers
            .remove(&repo.forge)
            .ok_or_else(|| Error::usage(format!("the forge `{}` is not in the config", repo.forge)))
    }

    /// The same for a command that only looks: it cannot write there, and makes no state file.
    pub fn forge_to_look(&self, repo: &RepoId) -> Result<Rc<dyn Forge>, Error> {
        let mut world = self.imagine((*self.config).clone()).world_to_look(self)?;
        world
            .forges
            .remove(&repo.forge)
            .ok_or_else(|| Error::usage(format!("the forge `{}` is not in the config", repo.forge)))
    }

    fn harvest_policy(&self) -> HarvestPolicy {
        let h = &self.config.harvest;
        let days = |n: u32| i64::from(n) * 86_400;
        let rules =
            harvest::Rules { survival_seconds: days(h.survival_days), horizon_seconds: days(h.horizon_days) };
        HarvestPolicy { enabled: h.enabled, rules }
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
        let credentials = forges::build(&looking, &looking.store()?)?.credentials;
        let rooms = GitRooms::new(repos, work, network_bound(GIT_TIMEOUT)).with_credentials(credentials);
        Ok((rooms, scratch))
    }

    /// The same repositories and workspaces, to be looked at only.
    fn dry_git(&self, scratch: Scratch, credentials: Credentials) -> DryGit {
        let work = self.config.workspace_root(&self.state_dir);
        let fetched = scratch.path().join("repos");
        let rooms =
            GitRooms::reading(fetched, self.state_dir.join("repos"), work, network_bound(GIT_TIMEOUT));
        DryGit::new(rooms.with_credentials(credentials), scratch)
    }

    fn runner(&self) -> T3Runner {
        let server = |(name, runner): (&String, &cfg::Runner)| {
            let t3 = runner.t3.clone().filter(|_| runner.kind == cfg::RunnerKind::T3)?;
            let wanted = format!("runner.{name}.token");
            let token: Box<dyn Fn() -> PortResult<cfg::Secret>> = Box::new(move || {
                let missing = || PortError::refused(format!("{wanted} is not set"));
                let source = t3.token.as_ref().ok_or_else(missing)?;
                crate::adapters::secret::resolve(source, &wanted, &env)
                    .map_err(|e| PortError::Credentials { what: e.to_string() })
            });
            let url = t3.url?.trim_end_matches('/').to_owned();
            Some((name.clone(), T3Server { url, token, instance: t3.instance?, model: t3.model? }))
        };
        T3Runner {
            command: self.command_runner(),
            servers: self.config.runners.iter().filter_map(server).collect(),
            work: self.config.workspace_root(&self.state_dir),
            clock: Box::new(SystemClock),
            dry: self.global.dry_run,
            snapshots: RefCell::default(),
        }
    }

    fn command_runner(&self) -> CommandRunner {
        let private = self.state_dir.join("repos");
        let work = self.config.workspace_root(&self.state_dir);
        let args = ["--repos".into(), private.clone().into(), "--work".into(), work.into_os_string()];
        let repos = self.config.allowlist.iter();
        let mut runners: BTreeMap<RepoId, RepoRunners> =
            repos.map(|id| (id.clone(), repo_runners(&self.config, id))).collect();
        upgrade_world::add_agents(&self.config, &mut runners);
        CommandRunner::new(Settings {
            executable: Settings::own_executable().unwrap_or_else(|_gone| PathBuf::from("offhours")),
            supervisor_args: args.to_vec(),
            state_dir: self.state_dir.clone(),
            repos: private,
            home: env("HOME").map(PathBuf::from),
            environment: std::env::vars_os().collect(),
            runners,
            checks: Surroundings::default(),
        })
    }

    /// Everything a tick works with. With `--dry-run` it is a world that cannot be written.
    pub fn world(&self, store: Store, assume_armed: bool, foreground: bool) -> Result<World, Error> {
        let dry = self.global.dry_run;
        let now = SystemClock.now();
        let forges = forges::build(self, &store)?;
        let real = Rc::new(self.runner());
        let ci_config = Rc::clone(&self.config);
        let command = CommandCi {
            root: self.state_dir.join("ci"),
            runner: Rc::clone(&real) as Rc<dyn Runner>,
            stages: Box::new(move |repo| ci_stages(&ci_config, repo)),
        };
        let ci = StageCi {
            command: Box::new(command),
            elsewhere: forges::checks_elsewhere(Rc::clone(&self.config), forges.checks, forges.http),
            again: RefCell::default(),
        };
        let (git, runner, ci): (Box<dyn Git>, Box<dyn Runner>, Box<dyn Ci>) = if dry {
            let scratch =
                Scratch::new().map_err(|e| Error::later(format!("a scratch folder for the dry run: {e}")))?;
            (
                Box::new(self.dry_git(scratch, forges.credentials)),
                Box::new(DryRunner(Box::new(self.runner()))),
                Box::new(DryCi(Box::new(ci))),
            )
        } else {
            let rooms = self.git().with_credentials(forges.credentials);
            (Box::new(rooms), Box::new(self.runner()), Box::new(ci))
        };
        let host = self.host_policy(now, assume_armed);
        let policy_config = Rc::clone(&self.config);
        let (started, deadline) = (self.started, Duration::from_secs(self.global.deadline));
        Ok(World {
            clock: Box::new(SystemClock),
            forges: forges.trackers,
            git,
            runner,
            ci,
            senders: self.senders(),
            prompter: Box::new(self.prompts()),
            folders: Box::new(self.folders()),
            control: self.config.control_issue(),
            switch_file: Box::new(KillFile(self.config.kill_switch_file(&self.state_dir))),
            repos: self.config.allowlisted(),
            policy: Box::new(move |repo| repo_policy(&policy_config, repo)),
            new_id: Box::new(|| format!("r{}", &uuid::Uuid::new_v4().simple().to_string()[..7])),
            late: Box::new(move || !foreground && started.elapsed() >= deadline),
            host,
            harvest: self.harvest_policy(),
            lessons: self.lesson_rules(),
            dry,
            report: Report::default(),
            store,
        })
    }

    fn host_policy(&self, now: UnixTime, assume_armed: bool) -> HostPolicy {
        let g = &self.config.global;
        HostPolicy {
            labels: Labels { ready: g.ready_label.clone(), in_progress: g.in_progress_label.clone() },
            human_label: g.human_label.clone(),
            trust: TrustPolicy {
                permission: self.config.trust.permission.permission(),
                people: self.config.trust.people.clone(),
            },
            priority_words: g.priority.iter().map(|(word, n)| (word.clone(), *n)).collect(),
            priority_order: match g.priority_order {
                cfg::PriorityOrder::LargestFirst => Order::LargestFirst,
                cfg::PriorityOrder::SmallestFirst => Order::SmallestFirst,
            },
            max_running: g.max_running,
            max_runs_per_day: g.max_runs_per_day,
            daily_budget_usd: g.daily_budget_usd,
            monthly_budget_usd: g.monthly_budget_usd,
            max_attempts: self.config.run.max_attempts_per_issue,
            max_awaiting_review_total: g.max_awaiting_review_total,
            breaker: g.breaker,
            alarm_after_seconds: i64::from(g.alarm_after_minutes) * 60,
            schedule_alarm_seconds: i64::from(g.schedule_alarm_minutes) * 60,
            keep_seconds: i64::from(self.config.retention.salvage_keep_days) * 86_400,
            backoff_seconds: i64::try_from(g.retry_backoff_seconds).unwrap_or(LONGEST_BACKOFF_SECONDS),
            backoff_max_seconds: LONGEST_BACKOFF_SECONDS,
            salvage_dir: self.state_dir.join("salvage"),
            switch_on: self.switch.on && !assume_armed,
            switch_because: self.switch.because.iter().map(|b| b.sentence().to_owned()).collect(),
            dispatch_open: cfg::is_open(&g.dispatch_hours, now),
            merge_open: cfg::is_open(&g.merge_hours, now),
        }
    }
}

/// Each folder once, where it stands first.
fn path_variable() -> String {
    let Some(path) = env("PATH").and_then(|p| p.into_string().ok()) else {
        return "/usr/local/bin:/usr/bin:/bin".to_owned();
    };
    let mut seen = BTreeSet::new();
    path.split(':').filter(|dir| seen.insert(*dir)).collect::<Vec<_>>().join(":")
}

fn repo_runners(config: &Config, id: &RepoId) -> RepoRunners {
    let repo = config.repo(id);
    let others = config.runners.iter().filter(|(name, runner)| asked_for(&repo, name, runner));
    RepoRunners {
        own: runner_settings(&repo, &repo.runner),
        others: others.map(|(name, r)| (name.clone(), runner_settings(&repo, &r.settings))).collect(),
    }
}

/// Whether a label can bring this runner into the repo, beside the repo's own.
fn asked_for(repo: &cfg::RepoConfig, name: &str, runner: &cfg::Runner) -> bool {
    *name != repo.runner_name && !runner.labels.is_empty()
}

fn runner_settings(repo: &cfg::RepoConfig, runner: &cfg::RunnerSettings) -> RunnerSettings {
    let r = runner.clone();
    RunnerSettings {
        profile: match r.profile {
            cfg::Profile::Script => Profile::Script,
            cfg::Profile::Claude => Profile::Claude,
            cfg::Profile::Codex => Profile::Codex,
            cfg::Profile::OpenCode => Profile::OpenCode,
        },
        argv: r.argv,
        session_args: None,
        budget_args: None,
        prompt: match r.prompt {
            cfg::PromptBy::Stdin => PromptPassing::Stdin,
            cfg::PromptBy::File => PromptPassing::File,
            cfg::PromptBy::Argument => PromptPassing::Argument,
        },
        surroundings: Surroundings { env: r.env, home_files: r.home_files, wrap: r.wrap },
        hooks: Hooks {
            after_create: repo.hooks.after_create.clone(),
            before_turn: repo.hooks.before_turn.clone(),
            after_turn: repo.hooks.after_turn.clone(),
            before_remove: repo.hooks.before_remove.clone(),
        },
        verify_timeout_seconds: repo.run.verify_timeout_seconds,
        hook_timeout_seconds: repo.hooks.hook_timeout_seconds,
        tmux: r.session == cfg::SessionKind::Tmux,
        prices: match (r.price_input_usd_per_million, r.price_output_usd_per_million) {
            (Some(input), Some(output)) => {
                Some(Prices { input, cached_input: r.price_cached_input_usd_per_million, output })
            }
            (None, _) | (_, None) => None,
        },
    }
}

fn ci_stages(config: &Config, repo: &RepoId) -> Vec<CommandStage> {
    let stages = config.repo(repo).stages;
    let own = |s: cfg::Stage| CommandStage { name: s.name, argv: s.argv, timeout_seconds: s.timeout_seconds };
    stages.into_iter().filter(|s| s.kind == cfg::StageKind::Command).map(own).collect()
}

fn seconds(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn repo_policy(config: &Config, repo: &RepoId) -> Option<RepoPolicy> {
    config.forges.get(&repo.forge)?;
    let g = &config.global;
    let r = config.repo(repo);
    let others = config.runners.iter().filter(|(name, runner)| asked_for(&r, name, runner));
    let others = others.map(|(name, runner)| runner_policy(config, &r, name, &runner.settings)).collect();
    let own = runner_policy(config, &r, &r.runner_name, &r.runner);
    Some(RepoPolicy {
        allowed: config.allowlist.contains(repo),
        landing: r.run.landing.mode,
        agent_pushes: r.run.agent_pushes,
        branch: r.run.branch.clone(),
        verify: r.run.verify.clone(),
        verify_timeout_seconds: r.run.verify_timeout_seconds,
        stages: r
            .stages
            .iter()
            .map(|s| StagePolicy { name: s.name.clone(), ours: s.kind == cfg::StageKind::Command })
            .collect(),
        required: r.ci.required.clone(),
        ci_grace_seconds: seconds(r.ci.grace_seconds),
        ci_timeout_seconds: seconds(r.ci.timeout_seconds),
        allow_paths: r.run.landing.allow_paths.clone(),
        max_awaiting_review: r.run.max_awaiting_review,
        budget_usd: r.run.budget_usd,
        before_remove: r.hooks.before_remove.clone(),
        template: r.template.clone(),
        hook_timeout_seconds: r.hooks.hook_timeout_seconds,
        run: Policy {
            ready_label: g.ready_label.clone(),
            in_progress_label: g.in_progress_label.clone(),
            human_label: g.human_label.clone(),
            review_label: g.review_label.clone(),
            merge: r.run.merge.by(),
            review_max_turns: r.run.review_max_turns,
            review_max_seconds: i64::from(r.run.review_max_age_days) * 86_400,
            max_attempts: r.run.max_attempts_per_issue,
            ci_rerun: r.ci.rerun,
            fix_max_turns: r.fix_forward.max_turns,
            fix_max_seconds: seconds(r.fix_forward.max_seconds),
            turn_limit_seconds: own.turn_limit_seconds,
        },
        runner: own,
        others,
        repo: repo.clone(),
    })
}

fn runner_policy(
    config: &Config,
    repo: &cfg::RepoConfig,
    name: &str,
    settings: &cfg::RunnerSettings,
) -> RunnerPolicy {
    let turn = settings.turn_timeout_seconds
        + repo.run.verify_timeout_seconds
        + 3 * repo.hooks.hook_timeout_seconds
        + TURN_MARGIN_SECONDS;
    let basics = config.runners.get(name);
    RunnerPolicy {
        name: name.to_owned(),
        account: settings.account.clone().unwrap_or_else(|| name.to_owned()),
        max_running: basics.and_then(|runner| runner.max_running),
        labels: basics.map(|runner| runner.labels.clone()).unwrap_or_default(),
        turn_timeout_seconds: settings.turn_timeout_seconds,
        // Only an agent that streams its output can be told to stand still.
        stall_seconds: (settings.profile != cfg::Profile::Script).then_some(settings.stall_seconds),
        turn_limit_seconds: seconds(turn),
    }
}
