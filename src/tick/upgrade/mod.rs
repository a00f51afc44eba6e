//! Upgrades: the batch is led on by as much as can be done now.
//!
//! `drive` is the straight line over the recipes, `look` gathers the evidence, `plan` reads images and makes the commit, `act`
//! carries effects out, `agent` speaks with the agent, `bridge` starts a CI that no comment can start.

pub mod act;
pub mod agent;
pub mod bridge;
mod build;
pub mod candidates;
pub mod cleanup;
pub mod drive;
pub mod look;
pub mod plan;
pub mod testme;
mod workflow;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::domain::model::{JobState, TurnEnd};
use crate::domain::model::{RepoId, UnixTime};
use crate::domain::upgrade::guard::Paths;
use crate::domain::upgrade::verdict::VerdictPolicy;
use crate::domain::upgrade::version;
use crate::domain::upgrade::{Batch, Effect, JobSeen, Policy, Recipe, Step, Working};
use crate::error::Error;
use crate::ports::{
    Bench, JobKind, JobSpec, Manifests, PortError, PortResult, RecipeForge, RecipeGit, RecipePush, Registry,
    RunFolder,
};
use crate::store::Store;
use crate::tick::log::Item;
use crate::tick::{Env, HostPolicy, Log};

/// A recipe as the configuration has it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipePolicy {
    pub name: String,
    pub enrolled: bool,
    pub mirror: RepoId,
    pub upstream: String,
    pub main_branch: String,
    pub app_service: String,
    pub versions: version::Policy,
    pub tests: Option<RepoId>,
}

/// What holds for all upgrades.
#[derive(Clone, Debug, PartialEq)]
pub struct UpgradePolicy {
    pub trigger: String,
    pub verdict: VerdictPolicy,
    pub version_label: String,
    pub paths: Paths,
    pub wait_seconds: i64,
    pub wedge_after_seconds: i64,
    pub teardown: Vec<String>,
    pub teardown_check: Vec<String>,
    pub verify_command: Vec<String>,
    pub command_timeout_seconds: u64,
    /// The agent's runner, where one is configured.
    pub agent: Option<AgentPolicy>,
    pub bridge: Option<BridgePolicy>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AgentPolicy {
    /// By which the runner knows its settings.
    pub runner: String,
    pub budget_usd: f64,
    pub timeout_seconds: u64,
    pub stall_seconds: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BridgePolicy {
    pub argv: Vec<String>,
    /// Instead of `argv`: a workflow of the forge.
    pub workflow: Option<String>,
    pub people: Vec<String>,
    pub timeout_seconds: u64,
}

/// Everything an upgrade works with: the tick's world, and what it needs besides.
pub struct UpgradeWorld {
    pub env: Env,
    pub host: HostPolicy,
    pub store: Store,
    pub log: Log,
    pub forges: BTreeMap<String, Rc<dyn RecipeForge>>,
    pub git: Box<dyn RecipeGit>,
    pub push: Box<dyn RecipePush>,
    pub registry: Box<dyn Registry>,
    pub manifests: Box<dyn Manifests>,
    pub bench: Box<dyn Bench>,
    pub policy: UpgradePolicy,
    pub recipes: Vec<RecipePolicy>,
    /// Jobs lie below `jobs`, workspaces and checkouts below `work`.
    pub jobs: PathBuf,
    pub work: PathBuf,
    /// Where the commands of the configuration are run: its own folder.
    pub here: PathBuf,
}

/// A command or turn of a recipe in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Check,
    Turn(u32),
    Verify,
    Teardown,
    TeardownCheck,
}

impl Job {
    fn name(self) -> String {
        match self {
            Self::Check => "check".to_owned(),
            Self::Turn(n) => format!("turn-{n}"),
            Self::Verify => "verify".to_owned(),
            Self::Teardown => "teardown".to_owned(),
            Self::TeardownCheck => "teardown-check".to_owned(),
        }
    }
}

impl UpgradeWorld {
    pub fn now(&self) -> UnixTime {
        self.env.now()
    }

    pub fn recipe(&self, name: &str) -> PortResult<RecipePolicy> {
        self.recipes.iter().find(|r| r.name == name).cloned().ok_or_else(|| {
            PortError::refused(format!(
                "the recipe `{name}` is not in the configuration any more; put it back"
            ))
        })
    }

    pub fn forge(&self, repo: &RepoId) -> PortResult<&dyn RecipeForge> {
        self.forges.get(&repo.forge).map(AsRef::as_ref).ok_or_else(|| {
            PortError::refused(format!(
                "the forge `{}` of {repo} is not in the configuration any more",
                repo.forge
            ))
        })
    }

    /// The batch's part of the machine's policy.
    pub fn machine(&self, batch: &Batch) -> Policy {
        Policy { with_tests: batch.with_tests, wait_seconds: self.policy.wait_seconds }
    }

    /// The folder and the id of a job. The id tells installations apart: both may work on the same recipe.
    pub fn job(&self, batch: i64, recipe: &str, job: Job) -> (PathBuf, String) {
        let installation: String =
            self.store.installation.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let dir = self.jobs.join(format!("b{batch}")).join(recipe).join(job.name());
        (dir, format!("up-{installation}-b{batch}-{recipe}-{}", job.name()))
    }

    /// The workspace of one turn.
    pub fn turn_folder(&self, batch: i64, recipe: &str, turn: u32) -> RunFolder {
        RunFolder { dir: self.work.join(recipe).join(format!("b{batch}-t{turn}")) }
    }

    /// Starts a command of the configuration with the recipe's words filled in. Starting twice starts once.
    pub fn start_command(
        &self,
        batch: i64,
        recipe: &Recipe,
        job: Job,
        argv: &[String],
        more: &[(&str, String)],
    ) -> PortResult<()> {
        let policy = self.recipe(&recipe.name)?;
        let (dir, id) = self.job(batch, &recipe.name, job);
        let mut words = vec![
            ("{recipe}", recipe.name.clone()),
            ("{pull}", recipe.pull.map(|n| n.to_string()).unwrap_or_default()),
            ("{head}", recipe.head.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("{branch}", recipe.branch().unwrap_or_default()),
        ];
        words.extend(more.iter().map(|(name, value)| (*name, value.clone())));
        let fill = |word: &String| words.iter().fold(word.clone(), |w, (name, value)| w.replace(name, value));
        let argv: Vec<String> = argv.iter().map(fill).collect();
        self.env.runner.start(&JobSpec {
            id,
            repo: policy.mirror,
            kind: JobKind::Command { cwd: self.here.clone(), argv },
            dir,
            timeout_seconds: self.policy.command_timeout_seconds,
            stall_seconds: None,
        })
    }

    /// Where a command is. One whose supervisor died is ended and counts as failed.
    pub fn command_seen(&self, batch: i64, recipe: &str, job: Job, argv: &[String]) -> PortResult<JobSeen> {
        if argv.is_empty() {
            return Ok(JobSeen::None);
        }
        let (dir, id) = self.job(batch, recipe, job);
        Ok(match self.env.runner.state(&dir)? {
            JobState::NotStarted => JobSeen::NotStarted,
            JobState::Running { .. } => JobSeen::Running,
            JobState::Orphaned => {
                if !self.host.dry {
                    self.env.runner.stop(&dir, &id)?;
                }
                JobSeen::Bad("its supervisor died".to_owned())
            }
            JobState::Over(result) => match (&result.end, result.exit_code) {
                (TurnEnd::Finished, Some(0)) => JobSeen::Good,
                (TurnEnd::Finished, code) => {
                    let code = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                    let said = self.bench.log_tail(&dir);
                    let last =
                        said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("").trim().to_owned();
                    let said = if last.is_empty() { last } else { format!(": {last}") };
                    JobSeen::Bad(crate::domain::escape::sanitize(&format!("it ended with {code}{said}"), 300))
                }
                (end, _) => {
                    let (word, detail) = crate::tick::observe::end_words(end);
                    JobSeen::Bad(crate::domain::escape::sanitize(&format!("{word} {detail}"), 300))
                }
            },
        })
    }

    /// Something was done for a recipe, for the report.
    pub fn acted(&mut self, recipe: &str, reason: &str, sentence: &str) {
        self.log.items.push(Item {
            issue: format!("recipe {recipe}"),
            run: None,
            handle: None,
            reason: reason.to_owned(),
            sentence: crate::domain::escape::sanitize(sentence, 300),
            acted: true,
        });
    }

    /// What is known of the recipe that an active batch works on.
    pub fn working(&self, batch: &Batch) -> Result<Working, Error> {
        let mut working = Working::default();
        for recipe in self.store.recipes(batch.id)?.iter().filter(|r| r.step != Step::Done) {
            if let (Step::Wait, Some(trial)) = (recipe.step, recipe.trial()) {
                working.waiting |= self.now().since(trial.at) < self.policy.wait_seconds;
            }
            for job in [Job::Check, Job::Verify, Job::Teardown, Job::TeardownCheck, Job::Turn(recipe.turns)] {
                let (dir, _) = self.job(batch.id, &recipe.name, job);
                match self.env.runner.state(&dir) {
                    Ok(JobState::Running { .. }) => working.job_runs = true,
                    Ok(JobState::Orphaned) => working.turn_orphaned |= matches!(job, Job::Turn(_)),
                    Ok(JobState::NotStarted | JobState::Over(_)) | Err(_) => {}
                }
            }
        }
        Ok(working)
    }

    /// The effects that would come next, for a dry run.
    pub fn told(&mut self, recipe: &str, effects: &[Effect]) {
        for effect in effects {
            self.log.effects.push(format!("{recipe}: {}", effect.line()));
        }
    }
}
