//! The configuration: TOML types, refusals that name key and line, defaults, and the reference text.
//!
//! `schema` holds the one table of keys; everything else here is driven by it.

mod check;
mod find;
mod hours;
mod read;
mod schema;
mod show;
mod starter;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml_edit::{Document, TableLike};

pub use find::{decode, find, place, read};
pub use hours::{Hours, Offset, Window, is_open, window_end};
pub use schema::{
    Bridge, Canary, Ci, Control, FixForward, Forge, ForgeKind, Global, Harvest, Heartbeat, Hooks, Lessons,
    NoticeKind, Notify, NotifyKind, PriorityOrder, Profile, PromptBy, Recipe, Retention, RunSettings,
    RunnerKind, RunnerSettings, SessionKind, Stage, StageKind, Template, Trust, TrustPermission, Upgrade,
};
pub use show::{complete, reference};
pub use starter::{Agent, RemoteGuess, Starter, Tracker, guess_kind, guess_remote, text as starter_text};
pub use value::LandingRule;

use crate::domain::model::{IssueRef, RepoId};
use crate::domain::secret::SecretSource;
use crate::error::Error;
use read::{Place, Reader};
use schema::{Group, RunnerBasics, RunnerChoice, WorkspaceRoot};
use value::Setting;

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
    pub heartbeat: Heartbeat,
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
    /// Reads and checks a configuration. Relative paths in it start at the folder of `path`; `env_kill_switch` is the
    /// value of `OFFHOURS_KILL_SWITCH` where it is set.
    ///
    /// # Errors
    /// Kind `Config`, with every problem that was found, each with its line.
    pub fn load(path: &Path, text: &str, env_kill_switch: Option<&str>) -> Result<Self, Error> {
        find::refuse_too_large(path, text.len())?;
        let document = Document::parse(text).map_err(|e| {
            let line = e.span().map_or(1, |span| read::line_at(text, span.start));
            let message = e.message().trim().replace('\n', ", ");
            unusable(path, vec![(line, format!("this is not TOML: {message}"))])
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut reader = Reader { text, folder, problems: Vec::new() };
        let env_kill_switch = env_kill_switch.map(parse_switch).transpose().map_err(Error::config)?;
        let mut config = Self::empty(path, env_kill_switch);
        config.fill(document.as_table(), &mut reader);
        if reader.problems.is_empty() {
            check::check(&config, document.as_table(), &mut reader);
        }
        if reader.problems.is_empty() { Ok(config) } else { Err(unusable(path, reader.problems)) }
    }

    /// What can still be read of a configuration that cannot be used: where the switch file and the runs' folders are.
    /// Everything has to be able to be switched off, whatever the file looks like.
    pub fn salvaged(path: &Path, text: &str) -> Self {
        let mut config = Self::empty(path, None);
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut table = "";
        // Line by line: a file that is no TOML as a whole has most of its lines whole.
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                table = line;
            }
            let Ok(document) = Document::parse(line) else { continue };
            let word = |key: &str| {
                document
                    .get(key)
                    .and_then(toml_edit::Item::as_str)
                    .filter(|w| !w.is_empty())
                    .map(str::to_owned)
            };
            if table.is_empty() {
                if let Some(file) = word("kill_switch_file") {
                    config.global.kill_switch_file = Some(folder.join(file));
                }
                config.global.machine = word("machine").or(config.global.machine);
            } else if table.starts_with("[workspace]")
                && let Some(root) = word("root")
            {
                config.workspace_root = Some(folder.join(root));
            }
        }
        config
    }

    fn empty(path: &Path, env_kill_switch: Option<bool>) -> Self {
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
            heartbeat: Heartbeat::default(),
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

    fn fill(&mut self, top: &dyn TableLike, reader: &mut Reader<'_>) {
        let place = Place::top();
        self.global.read(top, &place, reader);
        self.global.dispatch_hours.offset = self.global.timezone_offset;
        self.global.merge_hours.offset = self.global.timezone_offset;
        self.run.read(top, &place, reader);
        reader.unknown(top, &place);
        if let Some((table, place)) = reader.table(top, &place, "control", "control") {
            self.control.read(table, &place, reader);
        }
        if let Some((table, place)) = reader.table(top, &place, "trust", "trust") {
            self.trust.read(table, &place, reader);
            reader.unknown(table, &place);
        }
        if let Some((table, place)) = reader.table(top, &place, "retention", "retention") {
            self.retention.read(table, &place, reader);
            reader.unknown(table, &place);
        }
        if let Some((table, place)) = reader.table(top, &place, "lessons", "lessons") {
            self.lessons.read(table, &place, reader);
            reader.unknown(table, &place);
        }
        if let Some((table, place)) = reader.table(top, &place, "upgrade", "upgrade") {
            self.upgrade.read(table, &place, reader);
            reader.unknown(table, &place);
            if let Some((table, place)) = reader.table(table, &place, "bridge", "upgrade.bridge") {
                self.bridge.read(table, &place, reader);
                reader.unknown(table, &place);
            }
        }
        for (name, table, place) in reader.named(top, "recipe", "recipe.*") {
            let mut recipe = Recipe::default();
            recipe.read(table, &place, reader);
            reader.unknown(table, &place);
            self.recipes.insert(name, recipe);
        }
        if let Some((table, place)) = reader.table(top, &place, "heartbeat", "heartbeat") {
            self.heartbeat.read(table, &place, reader);
            reader.unknown(table, &place);
        }
        if let Some((table, place)) = reader.table(top, &place, "harvest", "harvest") {
            self.harvest.read(table, &place, reader);
            reader.unknown(table, &place);
        }
        if let Some((table, place)) = reader.table(top, &place, "canary", "canary") {
            self.canary.read(table, &place, reader);
            reader.unknown(table, &place);
        }
        let mut root = WorkspaceRoot { root: None };
        if let Some((table, place)) = reader.table(top, &place, "workspace", "workspace") {
            root.read(table, &place, reader);
        }
        self.workspace_root = root.root;
        let patterns = ["workspace", "ci", "ci.stage", "fix_forward"];
        read_shared(
            (&mut self.hooks, &mut self.ci, &mut self.stages, &mut self.fix_forward),
            top,
            &place,
            patterns,
            reader,
        );
        self.fill_named(top, reader);
        self.allowlist = self.read_allowlist(top, reader);
        self.fill_repos(top, reader);
    }

    fn fill_named(&mut self, top: &dyn TableLike, reader: &mut Reader<'_>) {
        for (name, table, place) in reader.named(top, "template", "template.*") {
            let mut template = Template::default();
            template.read(table, &place, reader);
            reader.unknown(table, &place);
            self.templates.insert(name, template);
        }
        for (name, table, place) in reader.named(top, "forge", "forge.*") {
            if kind_is_there::<ForgeKind>(table, &place, reader) {
                let mut forge = Forge::default();
                forge.read(table, &place, reader);
                reader.unknown(table, &place);
                self.forges.insert(name, forge);
            }
        }
        for (name, table, place) in reader.named(top, "runner", "runner.*") {
            if kind_is_there::<RunnerKind>(table, &place, reader) {
                let (mut basics, mut settings) = (RunnerBasics::default(), RunnerSettings::default());
                settings.account = Some(name.clone());
                basics.read(table, &place, reader);
                settings.read(table, &place, reader);
                reader.unknown(table, &place);
                let RunnerBasics { kind, max_running, labels, url, token, instance, model } = basics;
                let t3 = T3 { url, token, instance, model };
                let t3 = (kind == RunnerKind::T3 || t3 != T3::default()).then_some(t3);
                self.runners.insert(name, Runner { kind, max_running, labels, t3, settings });
            }
        }
        for (name, table, place) in reader.named(top, "notify", "notify.*") {
            if kind_is_there::<NotifyKind>(table, &place, reader) {
                let mut notify = Notify::default();
                notify.read(table, &place, reader);
                notify.quiet_hours.offset = self.global.timezone_offset;
                reader.unknown(table, &place);
                self.notifiers.insert(name, notify);
            }
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

    /// Whether a forge of the file was refused, so that repos on it cannot be told from repos with a wrong name.
    fn refused_forge(&self, top: &dyn TableLike) -> bool {
        let named = top.get("forge").and_then(toml_edit::Item::as_table_like);
        named.is_some_and(|forges| forges.len() != self.forges.len())
    }

    fn read_allowlist(&self, top: &dyn TableLike, reader: &mut Reader<'_>) -> Vec<RepoId> {
        let mut ids = Vec::new();
        let line = reader.line_of(top, "allowlist", &Place::top());
        for text in &self.global.allowlist {
            match self.repo_id(text) {
                Ok(id) if ids.contains(&id) => {
                    reader.problem(line, format!("`allowlist` names {id} twice: take one out"));
                }
                Ok(id) => ids.push(id),
                // Where a forge was refused already, that it is missing is no news.
                Err(_) if self.refused_forge(top) => {}
                Err(why) => reader.problem(line, format!("`allowlist`: {why}")),
            }
        }
        ids
    }

    fn fill_repos(&mut self, top: &dyn TableLike, reader: &mut Reader<'_>) {
        for (name, table, place) in reader.named(top, "repo", "repo.*") {
            let place = Place { overriding: true, ..place };
            let id = match self.repo_id(&name) {
                Ok(id) => id,
                Err(why) => {
                    if !self.refused_forge(top) {
                        reader.problem(place.line, format!("[{}]: {why}", place.shown));
                    }
                    continue;
                }
            };
            let mut choice = RunnerChoice::default();
            choice.read(table, &place, reader);
            if let Some(runner) = choice.runner.as_ref().filter(|runner| !self.runners.contains_key(*runner))
            {
                let line = reader.line_of(table, "runner", &place);
                reader.problem(
                    line,
                    format!("`runner` in [{}] names \"{runner}\": {}", place.shown, self.no_runner()),
                );
            }
            let mut repo = self.inherited(&id, choice.runner.as_deref());
            if let Some(template) = choice.template {
                repo.template = template;
            }
            repo.run.read(table, &place, reader);
            repo.runner.read(table, &place, reader);
            reader.unknown(table, &place);
            let patterns = ["repo.*.workspace", "repo.*.ci", "repo.*.ci.stage", "repo.*.fix_forward"];
            let shared = (&mut repo.hooks, &mut repo.ci, &mut repo.stages, &mut repo.fix_forward);
            read_shared(shared, table, &place, patterns, reader);
            if self.repos.insert(id.clone(), repo).is_some() {
                reader.problem(
                    place.line,
                    format!("[{}] is the second table of {id}: make them one", place.shown),
                );
            }
        }
    }

    /// As words that follow the name of a runner that does not exist.
    fn no_runner(&self) -> String {
        let names: Vec<&str> = self.runners.keys().map(String::as_str).collect();
        if names.is_empty() {
            "no runner is configured; add [runner.NAME]".to_owned()
        } else {
            format!("there is no such runner; configured: {}", names.join(", "))
        }
    }

    /// What a repo has before its own table is read.
    fn inherited(&self, id: &RepoId, runner: Option<&str>) -> RepoConfig {
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
        let Heartbeat { tick, poll, watch, lessons } = &self.heartbeat;
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

    /// The effective configuration as TOML that can be loaded again. Secrets are shown as their source.
    pub fn effective(&self) -> String {
        show::effective(self)
    }
}

/// Reads the tables that stand at the top and, with the same keys, in `[repo]` tables.
fn read_shared(
    (hooks, ci, stages, fix_forward): (&mut Hooks, &mut Ci, &mut Vec<Stage>, &mut FixForward),
    parent: &dyn TableLike,
    place: &Place,
    [hooks_at, ci_at, stage_at, fix_at]: [&'static str; 4],
    reader: &mut Reader<'_>,
) {
    if let Some((table, place)) = reader.table(parent, place, "workspace", hooks_at) {
        hooks.read(table, &place, reader);
        reader.unknown(table, &place);
    }
    if let Some((table, place)) = reader.table(parent, place, "ci", ci_at) {
        ci.read(table, &place, reader);
        reader.unknown(table, &place);
        if let Some(tables) = reader.array(table, &place, "stage", stage_at) {
            stages.clear();
            for (table, place) in tables {
                if kind_is_there::<StageKind>(table, &place, reader) {
                    let mut stage = Stage::default();
                    stage.read(table, &place, reader);
                    reader.unknown(table, &place);
                    stages.push(stage);
                }
            }
        }
    }
    if let Some((table, place)) = reader.table(parent, place, "fix_forward", fix_at) {
        fix_forward.read(table, &place, reader);
        reader.unknown(table, &place);
    }
}

/// A table of a kind that is refused has keys that only that kind knows: one sentence about it is enough.
fn kind_is_there<K: Setting>(table: &dyn TableLike, place: &Place, reader: &mut Reader<'_>) -> bool {
    let Some(Err(value::Bad::Says(what))) = table.get("kind").map(|item| K::read(item, Path::new(""))) else {
        return true;
    };
    let line = reader.line_of(table, "kind", place);
    reader.problem(line, format!("`kind` in [{}] {what}", place.shown));
    false
}

/// `OFFHOURS_KILL_SWITCH`: what cannot be read is an error, never a guess.
fn parse_switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "1" | "yes" => Ok(true),
        "off" | "false" | "0" | "no" => Ok(false),
        _ => Err(format!(
            "OFFHOURS_KILL_SWITCH is \"{}\", which says neither on nor off: set it to on or off, or unset it",
            text.escape_debug()
        )),
    }
}

fn unusable(path: &Path, mut problems: Vec<(usize, String)>) -> Error {
    // Beyond that nobody reads on, and a wrong file (a log, a dump) would give thousands.
    const SHOWN: usize = 20;
    problems.sort();
    problems.dedup();
    let more = problems.len().saturating_sub(SHOWN);
    let mut lines = vec![format!("{} cannot be used", path.display())];
    lines.extend(problems.iter().take(SHOWN).map(|(line, problem)| format!("  line {line}: {problem}")));
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    let what = lines.join("\n");
    Error::config(what).hint("`offhours config reference` explains every key")
}
