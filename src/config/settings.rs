//! A configuration that was read: what holds for the whole program, and for one repo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::schema::{
    Bridge, Canary, Ci, Control, FixForward, Forge, Global, Harvest, HeartBeat, Hooks, Lessons, Notify,
    Recipe, Retention, RunSettings, RunnerKind, RunnerSettings, Stage, Template, Trust, Upgrade,
};
use crate::domain::model::{IssueRef, RepoId};
use crate::domain::secret::SecretSource;

/// The end of the name of a secret that is a private key: it has lines.
pub const APP_KEY: &str = "app_key";

/// A configuration that was read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it came from.
    pub path: PathBuf,
    /// What `OFFHOURS_KILL_SWITCH` says, where it is set.
    pub env_kill_switch: Option<bool>,
    pub global: Global,
    /// Settings of every repo that does not have them otherwise; ask [`Config::repo`].
    pub run: RunSettings,
    pub control: Control,
    pub trust: Trust,
    /// See [`Config::workspace_root`].
    pub workspace_root: Option<PathBuf>,
    pub hooks: Hooks,
    pub ci: Ci,
    pub stages: Vec<Stage>,
    pub fix_forward: FixForward,
    pub retention: Retention,
    pub lessons: Lessons,
    pub harvest: Harvest,
    pub canary: Canary,
    pub templates: BTreeMap<String, Template>,
    pub heartbeat: HeartBeat,
    pub forges: BTreeMap<String, Forge>,
    pub runners: BTreeMap<String, Runner>,
    pub notifiers: BTreeMap<String, Notify>,
    pub upgrade: Upgrade,
    pub bridge: Bridge,
    pub recipes: BTreeMap<String, Recipe>,
    /// The repos with a table of their own, merged with what they inherit.
    pub repos: BTreeMap<RepoId, RepoConfig>,
    /// In the order of the file.
    pub allowlist: Vec<RepoId>,
}

/// A runner as `[runner.NAME]` describes it. `settings.account` is always set.
#[derive(Clone, Debug, PartialEq)]
pub struct Runner {
    pub kind: RunnerKind,
    pub max_running: Option<u32>,
    /// Labels of issues that ask for it.
    pub labels: Vec<String>,
    /// Set for the kind `t3`, and only there.
    pub t3: Option<T3>,
    pub settings: RunnerSettings,
}

/// Where a runner of the kind `t3` works; complete after the checks.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct T3 {
    pub url: Option<String>,
    pub token: Option<SecretSource>,
    pub instance: Option<String>,
    pub model: Option<String>,
}

/// What holds for one repo, after everything it overrides.
#[derive(Clone, Debug, PartialEq)]
pub struct RepoConfig {
    pub id: RepoId,
    pub run: RunSettings,
    /// Empty only where no runner is configured, which no allowlisted repo gets past the checks.
    pub runner_name: String,
    pub runner: RunnerSettings,
    /// The name of the template that its agents are told by.
    pub template: String,
    pub hooks: Hooks,
    pub ci: Ci,
    pub stages: Vec<Stage>,
    pub fix_forward: FixForward,
}

impl RepoConfig {
    /// Whose quota this repo's turns use.
    pub fn account(&self) -> &str {
        self.runner.account.as_deref().unwrap_or(&self.runner_name)
    }
}

/// Whether the kill switch is on, and which of the three said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    pub on: bool,
    /// Empty when it is off.
    pub because: Vec<SwitchedBy>,
}

/// One of the three places that can put the switch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchedBy {
    Config,
    Environment,
    File,
}

impl SwitchedBy {
    /// As words that follow "the kill switch is on: ".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Config => "`kill_switch` in the configuration is true or missing",
            Self::Environment => "OFFHOURS_KILL_SWITCH is on",
            Self::File => "the kill switch file exists; `offhours resume` removes it",
        }
    }
}

/// Any of the three means on.
pub fn switch(config: &Config, file_present: bool) -> Switch {
    let said = [
        (config.global.kill_switch, SwitchedBy::Config),
        (config.env_kill_switch == Some(true), SwitchedBy::Environment),
        (file_present, SwitchedBy::File),
    ];
    let because: Vec<SwitchedBy> = said.into_iter().filter(|(on, _)| *on).map(|(_, by)| by).collect();
    Switch { on: !because.is_empty(), because }
}

impl Config {
    pub(super) fn empty(path: &Path, env_kill_switch: Option<bool>) -> Self {
        Self {
            path: path.to_owned(),
            env_kill_switch,
            global: Global::default(),
            run: RunSettings::default(),
            control: Control::default(),
            trust: Trust::default(),
            workspace_root: None,
            hooks: Hooks::default(),
            ci: Ci::default(),
            stages: Vec::new(),
            fix_forward: FixForward::default(),
            retention: Retention::default(),
            lessons: Lessons::default(),
            harvest: Harvest::default(),
            canary: Canary::default(),
            templates: BTreeMap::new(),
            heartbeat: HeartBeat::default(),
            forges: BTreeMap::new(),
            runners: BTreeMap::new(),
            notifiers: BTreeMap::new(),
            upgrade: Upgrade::default(),
            bridge: Bridge::default(),
            recipes: BTreeMap::new(),
            repos: BTreeMap::new(),
            allowlist: Vec::new(),
        }
    }

    /// The forge that `owner/repo` without a name means.
    fn only_forge(&self) -> Option<&str> {
        let mut names = self.forges.keys();
        match (names.next(), names.next()) {
            (Some(name), None) => Some(name),
            _ => None,
        }
    }

    /// The control issue; checked when the file was read.
    pub fn control_issue(&self) -> Option<IssueRef> {
        let (repo, number) = self.control.issue.as_ref()?.rsplit_once('#')?;
        let number = number.parse().ok().filter(|n| *n > 0)?;
        Some(IssueRef { repo: self.repo_id(repo).ok()?, number })
    }

    /// Reads a repo as people name it: `NAME:owner/repo`, or `owner/repo` where exactly one forge is configured.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the name.
    pub fn repo_id(&self, text: &str) -> Result<RepoId, String> {
        if text.chars().any(|c| "*?[]{}!".contains(c)) {
            return Err(format!("\"{text}\" is a pattern: name each repo exactly, as NAME:owner/repo"));
        }
        let forges: Vec<&str> = self.forges.keys().map(String::as_str).collect();
        let forges = if forges.is_empty() { "none".to_owned() } else { forges.join(", ") };
        let Some(id) = RepoId::parse(text, self.only_forge()) else {
            return Err(if RepoId::parse(text, Some("x")).is_some() {
                format!(
                    "\"{text}\" names no forge, and not exactly one is configured ({forges}): write NAME:{text}"
                )
            } else {
                format!("\"{text}\" is not a repo: write NAME:owner/repo")
            });
        };
        if self.forges.contains_key(&id.forge) {
            Ok(id)
        } else {
            Err(format!(
                "\"{text}\" is on the forge \"{0}\", which is not configured (configured: {forges}): add [forge.{0}] or \
                 correct the name",
                id.forge
            ))
        }
    }

    /// As words that follow the name of a runner that does not exist.
    pub(super) fn no_runner(&self) -> String {
        let names: Vec<&str> = self.runners.keys().map(String::as_str).collect();
        if names.is_empty() {
            "no runner is configured; add [runner.NAME]".to_owned()
        } else {
            format!("there is no such runner; configured: {}", names.join(", "))
        }
    }

    /// What a repo has before its own table is read.
    pub(super) fn inherited(&self, id: &RepoId, runner: Option<&str>) -> RepoConfig {
        let named = runner.or(self.global.default_runner.as_deref());
        let (runner_name, runner) = named
            .and_then(|name| self.runners.get_key_value(name))
            .or_else(|| self.runners.first_key_value())
            .map(|(name, runner)| (name.clone(), runner.settings.clone()))
            .unwrap_or_default();
        RepoConfig {
            id: id.clone(),
            run: self.run.clone(),
            runner_name,
            runner,
            template: self.global.default_template.clone(),
            hooks: self.hooks.clone(),
            ci: self.ci.clone(),
            stages: self.stages.clone(),
            fix_forward: self.fix_forward.clone(),
        }
    }

    /// What holds for this repo, allowlisted or not (a run may outlive its repo's place on the list).
    pub fn repo(&self, id: &RepoId) -> RepoConfig {
        self.repos.get(id).cloned().unwrap_or_else(|| self.inherited(id, None))
    }

    /// The repos that offhours may work on, in the order of the file.
    pub fn allowlisted(&self) -> Vec<RepoId> {
        self.allowlist.clone()
    }

    /// The folder of all run folders; `state_dir` is the state file's folder.
    pub fn workspace_root(&self, state_dir: &Path) -> PathBuf {
        self.workspace_root.clone().unwrap_or_else(|| state_dir.join("work"))
    }

    /// The file whose presence puts the switch on; `state_dir` is the state file's folder.
    pub fn kill_switch_file(&self, state_dir: &Path) -> PathBuf {
        self.global.kill_switch_file.clone().unwrap_or_else(|| state_dir.join("off"))
    }

    /// Every secret that is configured: the key that wants it, and where it comes from.
    pub fn secrets(&self) -> Vec<(String, &SecretSource)> {
        let mut found = vec![];
        for (name, forge) in &self.forges {
            found.extend(forge.token.as_ref().map(|source| (format!("forge.{name}.token"), source)));
            found.extend(forge.app_key.as_ref().map(|source| (format!("forge.{name}.{APP_KEY}"), source)));
        }
        for (name, notify) in &self.notifiers {
            found.extend(notify.url.as_ref().map(|source| (format!("notify.{name}.url"), source)));
            found.extend(notify.token.as_ref().map(|source| (format!("notify.{name}.token"), source)));
        }
        let own = self.repos.values().flat_map(|repo| &repo.stages);
        for stage in self.stages.iter().chain(own) {
            found.extend(
                stage.token.as_ref().map(|source| (format!("ci.stage.{}.token", stage.name), source)),
            );
        }
        for (name, runner) in &self.runners {
            let token = runner.t3.as_ref().and_then(|t3| t3.token.as_ref());
            found.extend(token.map(|source| (format!("runner.{name}.token"), source)));
        }
        let HeartBeat { tick, poll, watch, lessons } = &self.heartbeat;
        for (name, source) in [("tick", tick), ("poll", poll), ("watch", watch), ("lessons", lessons)] {
            found.extend(source.as_ref().map(|source| (format!("heartbeat.{name}"), source)));
        }
        found
    }

    /// Names of the credentials that secrets are read from: systemd has to be told of them.
    pub fn credentials(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .secrets()
            .into_iter()
            .filter_map(|(_, source)| match source {
                SecretSource::Credential(name) => Some(name.clone()),
                SecretSource::Env(_) | SecretSource::File(_) | SecretSource::Command(_) => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }
}
