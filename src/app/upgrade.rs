//! What `upgrade` works with, beside the world of a tick.

use std::rc::Rc;

use super::runners::UPGRADE_AGENT;
use super::{App, GIT_TIMEOUT};
use crate::adapters::dry::{DryBench, DryGit, DryPush, Scratch};
use crate::adapters::git::GitRooms;
use crate::adapters::host::SystemClock;
use crate::adapters::manifest::ComposeFiles;
use crate::adapters::registry::OciRegistry;
use crate::adapters::runner::bench::JobBench;
use crate::config as cfg;
use crate::domain::upgrade::guard::Paths;
use crate::domain::upgrade::verdict::VerdictPolicy;
use crate::domain::upgrade::version;
use crate::error::Error;
use crate::ports::{Bench, RecipeGit, RecipePush};
use crate::store::Store;
use crate::tick::Log;
use crate::tick::upgrade::{AgentPolicy, BridgePolicy, RecipePolicy, UpgradePolicy, UpgradeWorld};

impl App {
    /// Everything an upgrade works with. With `--dry-run` it is a world that cannot be written.
    pub fn upgrade_world(&self, store: Store, assume_armed: bool) -> Result<UpgradeWorld, Error> {
        let (mut env, host) = self.equip(&store, assume_armed, None)?;
        let dry = self.global.dry_run;
        let work = self.config.workspace_root(&self.state_dir);
        let private = self.state_dir.join("repos");
        let forges = self.forges(&store)?;
        let credentials = Rc::clone(&forges.credentials);
        let (git, push): (Box<dyn RecipeGit>, Box<dyn RecipePush>) = if dry {
            let scratch =
                Scratch::new().map_err(|e| Error::later(format!("a scratch folder for the dry run: {e}")))?;
            let rooms = GitRooms::reading(scratch.path().join("repos"), private, work.clone(), GIT_TIMEOUT)
                .with_credentials(credentials);
            // Both look at the same repositories.
            env.git = Box::new(DryGit::new(rooms.clone(), scratch));
            (Box::new(rooms), Box::new(DryPush))
        } else {
            let rooms = GitRooms::new(private, work.clone(), GIT_TIMEOUT).with_credentials(credentials);
            (Box::new(rooms.clone()), Box::new(rooms))
        };
        let bench: Box<dyn Bench> = if dry { Box::new(DryBench(JobBench)) } else { Box::new(JobBench) };
        let jobs = self.state_dir.join("upgrade");
        if !dry {
            std::fs::create_dir_all(&jobs)
                .map_err(|e| Error::later(format!("making the folder {}: {e}", jobs.display())))?;
        }
        Ok(UpgradeWorld {
            env,
            host,
            log: Log::default(),
            store,
            forges: forges.mirrors(),
            git,
            push,
            registry: Box::new(OciRegistry::new(
                Box::new(SystemClock),
                &self.config.upgrade.plain_http_registries,
            )),
            manifests: Box::new(ComposeFiles),
            bench,
            policy: self.upgrade_policy(),
            recipes: self.recipe_policies()?,
            jobs,
            work: work.join("upgrade"),
            here: self
                .config
                .path
                .parent()
                .map_or_else(|| self.state_dir.clone(), std::path::Path::to_path_buf),
        })
    }

    fn upgrade_policy(&self) -> UpgradePolicy {
        let up = &self.config.upgrade;
        let runner = up.runner.as_ref().and_then(|name| self.config.runners.get(name));
        UpgradePolicy {
            trigger: up.trigger.clone(),
            verdict: VerdictPolicy {
                context: up.status_context.clone(),
                creator: up.status_creator.clone(),
                result_author: up.result_author.clone(),
            },
            version_label: up.version_label.clone(),
            paths: Paths { tests: up.test_paths.clone(), denied: up.denied_paths.clone() },
            wait_seconds: super::policy::seconds(up.ci_timeout_seconds),
            wedge_after_seconds: super::policy::seconds(up.wedge_after_seconds),
            teardown: up.teardown.clone(),
            teardown_check: up.teardown_check.clone(),
            verify_command: up.verify_command.clone(),
            command_timeout_seconds: up.command_timeout_seconds,
            agent: runner.map(|runner| AgentPolicy {
                runner: UPGRADE_AGENT.to_owned(),
                budget_usd: self.config.run.budget_usd,
                timeout_seconds: runner.settings.turn_timeout_seconds,
                // Only an agent that streams its output can be told to stand still.
                stall_seconds: (runner.settings.profile != cfg::Profile::Script)
                    .then_some(runner.settings.stall_seconds),
            }),
            bridge: self.config.bridge.enabled.then(|| BridgePolicy {
                argv: self.config.bridge.argv.clone(),
                workflow: self.config.bridge.workflow.clone(),
                people: self.config.bridge.people.clone(),
                timeout_seconds: self.config.bridge.timeout_seconds,
            }),
        }
    }

    fn recipe_policies(&self) -> Result<Vec<RecipePolicy>, Error> {
        let up = &self.config.upgrade;
        let mut all = vec![];
        for (name, recipe) in &self.config.recipes {
            all.push(RecipePolicy {
                name: name.clone(),
                enrolled: up.enrolled.contains(name),
                mirror: self.repo(&recipe.mirror)?,
                upstream: self.upstream(&recipe.upstream),
                main_branch: recipe.main_branch.clone(),
                app_service: recipe.app_service.clone(),
                versions: version::Policy {
                    allow_major: recipe.allow_major,
                    ignore: recipe.ignore.clone(),
                    minimum_age_days: recipe.minimum_age_days,
                },
                tests: recipe.tests.as_ref().map(|tests| self.repo(tests)).transpose()?,
            });
        }
        Ok(all)
    }

    /// A relative path starts at the folder of the configuration, like every other path in it.
    fn upstream(&self, text: &str) -> String {
        let folder = self.config.path.parent();
        let relative = !text.starts_with('/') && !text.contains(':');
        match folder {
            Some(folder) if relative => folder.join(text).display().to_string(),
            Some(_) | None => text.to_owned(),
        }
    }
}
