//! The trigger bridge: a CI that no comment can start is started here, by a trigger that somebody trusted wrote.
//!
//! A comment is handled once: that it is in work is written down before the CI is started, under the comment's id, and the
//! job's id is made of it.

use serde_json::json;

use super::build::{Asked, tell};
use super::{BridgePolicy, RecipePolicy, UpgradeWorld, workflow};
use crate::domain::model::{JobState, Oid, Permission, PullRequest, TurnEnd, UnixTime};
use crate::domain::upgrade::verdict::is_trigger;
use crate::error::Error;
use crate::ports::{JobKind, JobSpec, PortError, PortResult, PullComment};

/// Since when the bridge is on: what was said before is not for it.
const SINCE: &str = "bridge:since";

/// Whether a comment starts CI. `permission`: what the forge says of its author; an error means no.
pub fn counts(
    comment: &PullComment,
    trigger: &str,
    people: &[String],
    permission: &dyn Fn() -> PortResult<Permission>,
) -> bool {
    let Some(author) = &comment.author else { return false };
    is_trigger(&comment.said.body, trigger)
        && !comment.edited
        && (people.contains(&author.login) || permission().is_ok_and(|p| p >= Permission::Write))
}

pub fn tick(world: &mut UpgradeWorld) -> Result<(), Error> {
    let Some(policy) = world.policy.bridge.clone() else { return Ok(()) };
    if world.host.dry {
        return Ok(());
    }
    let now = world.now();
    let since = if let Some(text) = world.store.upgrade_note(SINCE)? {
        UnixTime(text.parse().unwrap_or(now.0))
    } else {
        world.store.set_upgrade_note(SINCE, Some(&now.0.to_string()))?;
        now
    };
    for recipe in world.recipes.clone().into_iter().filter(|r| r.enrolled) {
        if let Err(error) = new_triggers(world, &policy, &recipe, since)? {
            world.log.failed(&world.env, &mut world.store, &format!("bridge {}", recipe.name), &error)?;
        }
    }
    for (key, value) in world.store.upgrade_notes("bridge:job:")? {
        if let Err(error) = one_job(world, &policy, &key, &value)? {
            world.log.failed(&world.env, &mut world.store, &key, &error)?;
        }
    }
    Ok(())
}

fn key(recipe: &RecipePolicy, pull: u64, comment: u64) -> String {
    format!("bridge:job:{}:{pull}:{comment}", recipe.mirror)
}

fn new_triggers(
    world: &mut UpgradeWorld,
    policy: &BridgePolicy,
    recipe: &RecipePolicy,
    since: UnixTime,
) -> Result<PortResult<()>, Error> {
    let repo = &recipe.mirror;
    let pulls = match world.forge(repo).and_then(|forge| forge.open_pulls(repo)) {
        Ok(pulls) => pulls,
        Err(error) => return Ok(Err(error)),
    };
    for pull in pulls {
        let comments = match world.forge(repo).and_then(|forge| forge.pull_comments(repo, pull.number)) {
            Ok(comments) => comments,
            Err(error) => return Ok(Err(error)),
        };
        let seen_key = format!("bridge:seen:{repo}:{}", pull.number);
        let seen: u64 = world.store.upgrade_note(&seen_key)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut newest = seen;
        for comment in comments.iter().filter(|c| c.said.id > seen && c.at >= since) {
            newest = newest.max(comment.said.id);
            let forge = world.forge(repo);
            let permission = || match (&forge, &comment.author) {
                (Ok(forge), Some(author)) => forge.permission(repo, author),
                (Ok(_) | Err(_), _) => Err(PortError::refused("nobody can be asked about")),
            };
            if counts(comment, &world.policy.trigger, &policy.people, &permission) {
                // The head as it stands now, and from here on.
                let job = json!({
                    "recipe": recipe.name, "head": pull.head.as_str(), "pull": pull.number, "comment": comment.said.id,
                    "url": address(recipe, &pull, comment.said.id),
                });
                let name = key(recipe, pull.number, comment.said.id);
                if world.store.upgrade_note(&name)?.is_none() {
                    world.store.set_upgrade_note(&name, Some(&job.to_string()))?;
                }
                begun(world, recipe, &pull);
            }
        }
        if newest > seen {
            world.store.set_upgrade_note(&seen_key, Some(&newest.to_string()))?;
        }
    }
    Ok(Ok(()))
}

/// Where a status of this build points to: a forge takes no address that a browser does not know.
fn address(recipe: &RecipePolicy, pull: &PullRequest, comment: u64) -> String {
    let name = format!("bridge-{}-{comment}", pull.number);
    match pull.link.as_deref().filter(|link| link.starts_with("https://") || link.starts_with("http://")) {
        Some(link) => format!("{link}#{name}"),
        None => format!("offhours://{}/{name}", recipe.name),
    }
}

fn begun(world: &mut UpgradeWorld, recipe: &RecipePolicy, pull: &PullRequest) {
    world.acted(&recipe.name, "bridge", &format!("CI for pull request {}", pull.number));
}

/// A build: started, its status set pending, read, its status set for good.
fn one_job(
    world: &mut UpgradeWorld,
    policy: &BridgePolicy,
    key: &str,
    value: &str,
) -> Result<PortResult<()>, Error> {
    let Ok(serde_json::Value::Object(job)) = serde_json::from_str(value) else {
        world.store.set_upgrade_note(key, None)?;
        return Ok(Ok(()));
    };
    let said = |name: &str| job.get(name).and_then(serde_json::Value::as_str).unwrap_or("");
    let number = |name: &str| job.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    if job.get("done").is_some() {
        return Ok(Ok(()));
    }
    let (Ok(recipe), Some(head)) = (world.recipe(said("recipe")), Oid::parse(said("head"))) else {
        world.store.set_upgrade_note(key, None)?;
        return Ok(Ok(()));
    };
    let asked = Asked { head, pull: number("pull"), comment: number("comment"), url: said("url").to_owned() };
    let mut done = job.clone();
    let seen = match &policy.workflow {
        None => build(world, policy, &recipe, &asked),
        Some(name) => {
            workflow::build(world, (name, policy.timeout_seconds), &recipe, &asked, (key, &mut done))?
        }
    };
    let state = match seen {
        Ok(state) => state,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(state) = state {
        done.insert("done".to_owned(), json!(state));
        world.store.set_upgrade_note(key, Some(&serde_json::Value::Object(done).to_string()))?;
        world.acted(&recipe.name, "bridge", &format!("CI of pull request {}: {state}", number("pull")));
    }
    Ok(Ok(()))
}

/// The final state, once there is one.
fn build(
    world: &UpgradeWorld,
    policy: &BridgePolicy,
    recipe: &RecipePolicy,
    asked: &Asked,
) -> PortResult<Option<&'static str>> {
    let (head, pull, comment) = (&asked.head, asked.pull, asked.comment);
    let repo = &recipe.mirror;
    let forge = world.forge(repo)?;
    let name = format!("bridge-{pull}-{comment}");
    let dir = world.jobs.join("bridge").join(&recipe.name).join(format!("{pull}-{comment}"));
    let installation: String =
        world.store.installation.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let id = format!("up-{installation}-{}-{name}", recipe.name);
    match world.env.runner.state(&dir)? {
        JobState::NotStarted => {
            forge.react(repo, pull, comment)?;
            tell(world, recipe, asked, "pending", "started")?;
            let remote = forge.remote(repo)?;
            let branch = forge.pull(repo, pull)?.branch;
            world.git.fetch_branch(repo, &remote.url, &branch, false)?;
            world.env.runner.start(&JobSpec {
                id,
                repo: repo.clone(),
                dir,
                kind: JobKind::Check { oid: head.clone(), argv: policy.argv.clone() },
                timeout_seconds: policy.timeout_seconds,
                stall_seconds: None,
            })?;
            Ok(None)
        }
        JobState::Running { .. } => Ok(None),
        JobState::Orphaned => {
            world.env.runner.stop(&dir, &id)?;
            tell(world, recipe, asked, "error", "its supervisor died")?;
            Ok(Some("error"))
        }
        JobState::Over(result) => {
            let state = match (&result.end, &result.verify) {
                (TurnEnd::Finished, Some(verify)) if verify.green => "success",
                (TurnEnd::Finished, Some(_)) => "failure",
                (_, Some(_) | None) => "error",
            };
            tell(world, recipe, asked, state, "finished")?;
            Ok(Some(state))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Person;
    use crate::domain::upgrade::verdict::Said;

    fn comment(body: &str, author: Option<&str>, edited: bool) -> PullComment {
        PullComment {
            said: Said { id: 1, author: author.map(str::to_owned), body: body.to_owned() },
            author: author.map(|login| Person { login: login.to_owned(), bot: false }),
            at: UnixTime(0),
            edited,
        }
    }

    #[test]
    fn only_a_trigger_by_somebody_trusted_starts_ci() {
        let people = ["friend".to_owned()];
        let is = |c: &PullComment, p: PortResult<Permission>| counts(c, "!testme", &people, &|| p.clone());
        let good = comment("!testme", Some("ann"), false);
        assert!(is(&good, Ok(Permission::Write)) && is(&good, Ok(Permission::Admin)));
        assert!(!is(&good, Ok(Permission::Read)) && !is(&good, Ok(Permission::None)));
        assert!(!is(&good, Err(PortError::later("away"))) && !is(&good, Err(PortError::refused("no"))));
        assert!(is(&comment(" !testme\n", Some("ann"), false), Ok(Permission::Write)));
        assert!(is(&comment("!testme", Some("friend"), false), Ok(Permission::None)));
        assert!(is(&comment("!testme", Some("friend"), false), Err(PortError::later("away"))));
        assert!(!is(&comment("!testme", Some("Friend"), false), Ok(Permission::Read)));
        assert!(!is(&comment("!testme", None, false), Ok(Permission::Admin)));
        assert!(!is(&comment("!testme", Some("ann"), true), Ok(Permission::Admin)));
        for body in ["!testmexyz", "> !testme", "```\n!testme\n```", "`!testme`", "!testme please", ""] {
            assert!(!is(&comment(body, Some("ann"), false), Ok(Permission::Admin)), "{body:?}");
        }
    }
}
