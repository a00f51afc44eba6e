//! Runners and CI commands out of their tables in the configuration.
#![allow(clippy::disallowed_methods, reason = "part of the composition root: it reads the environment")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::App;
use super::policy::asked_for;
use super::surroundings::env;
use crate::adapters::ci::CommandStage;
use crate::adapters::git::GitRooms;
use crate::adapters::host::SystemClock;
use crate::adapters::runner;
use crate::adapters::runner::command::{
    CommandRunner, Hooks, Prices, Profile, PromptPassing, RepoRunners, RunnerSettings, Settings, Surroundings,
};
use crate::adapters::runner::t3::{T3Runner, T3Server};
use crate::config::{self as cfg, Config};
use crate::domain::model::RepoId;
use crate::domain::secret::Secret;
use crate::ports::{PortError, PortResult};

/// A supervisor is not held to a tick's deadline.
const SUPERVISED_GIT_TIMEOUT: Duration = Duration::from_secs(600);

/// Holds a job to its end.
pub fn supervise(job: &Path, repos: PathBuf, work: PathBuf) -> anyhow::Result<()> {
    let git = GitRooms::new(repos, work, SUPERVISED_GIT_TIMEOUT);
    runner::supervise::run(job, &git, &SystemClock)
}

impl App {
    pub(super) fn runner(&self) -> T3Runner {
        let server = |(name, runner): (&String, &cfg::Runner)| {
            let t3 = runner.t3.clone().filter(|_| runner.kind == cfg::RunnerKind::T3)?;
            let wanted = format!("runner.{name}.token");
            let token: Box<dyn Fn() -> PortResult<Secret>> = Box::new(move || {
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
        add_upgrade_agents(&self.config, &mut runners);
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
}

fn repo_runners(config: &Config, id: &RepoId) -> RepoRunners {
    let repo = config.repo(id);
    let others = config.runners.iter().filter(|(name, runner)| asked_for(&repo, name, runner));
    RepoRunners {
        own: runner_settings(&repo, &repo.runner),
        others: others.map(|(name, r)| (name.clone(), runner_settings(&repo, &r.settings))).collect(),
    }
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

pub(super) fn ci_stages(config: &Config, repo: &RepoId) -> Vec<CommandStage> {
    let stages = config.repo(repo).stages;
    let own = |s: cfg::Stage| CommandStage { name: s.name, argv: s.argv, timeout_seconds: s.timeout_seconds };
    stages.into_iter().filter(|s| s.kind == cfg::StageKind::Command).map(own).collect()
}

/// By this name the runner knows the agent of upgrades. No repo is called so: theirs have a colon and a slash.
pub(super) const UPGRADE_AGENT: &str = "upgrade";

/// Makes the agent of upgrades known for every mirror, where one is configured. What else runs for a mirror (its CI, its
/// teardown) gets nothing that only the agent may have.
fn add_upgrade_agents(config: &Config, runners: &mut BTreeMap<RepoId, RepoRunners>) {
    let Some(agent) = config.upgrade.runner.as_ref().and_then(|name| config.runners.get(name)) else {
        return;
    };
    for mirror in config.recipes.values().filter_map(|recipe| config.repo_id(&recipe.mirror).ok()) {
        let settings = runner_settings(&config.repo(&mirror), &agent.settings);
        let settings = RunnerSettings { hooks: Hooks::default(), tmux: false, ..settings };
        let own = RunnerSettings { surroundings: Surroundings::default(), ..settings.clone() };
        let known = runners.entry(mirror).or_insert_with(|| RepoRunners { own, others: BTreeMap::new() });
        known.others.insert(UPGRADE_AGENT.to_owned(), settings);
    }
}
