//! The configuration: TOML types, refusals that name key and line, defaults, and the reference text.
//!
//! `schema` holds the one table of keys; everything else here is driven by it. `settings` is what comes of reading a file.

mod check;
mod find;
mod group;
mod hours;
mod read;
mod row;
mod schema;
mod settings;
mod show;
mod starter;
mod unknown;
mod value;

#[cfg(test)]
mod tests;

use std::path::Path;

use toml_edit::{Document, TableLike};

pub use find::{decode, find, place, read};
pub use hours::{Hours, Offset, Window, is_open, window_end};
pub use schema::{
    Bridge, Canary, Ci, Control, FixForward, Forge, ForgeKind, Global, Harvest, HeartBeat, Hooks, Lessons,
    Notify, NotifyKind, PriorityOrder, Profile, PromptBy, Recipe, Retention, RunSettings, RunnerKind,
    RunnerSettings, SessionKind, Stage, StageKind, Template, Trust, TrustPermission, Upgrade,
};
pub use settings::{APP_KEY, Config, RepoConfig, Runner, Switch, SwitchedBy, T3, switch};
pub use show::{complete, reference};
pub use starter::{Agent, RemoteGuess, Starter, Tracker, guess_kind, guess_remote, text as starter_text};
pub use value::LandingRule;

use crate::domain::model::RepoId;
use crate::error::Error;
use group::Group;
use read::{Place, Reader};
use schema::{RunnerBasics, RunnerChoice, WorkspaceRoot};
use value::Setting;

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
