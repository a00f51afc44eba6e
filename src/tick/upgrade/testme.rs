//! `upgrade testme`: the verdict on a pull request, and where it is asked for the trigger, exactly once.

use serde_json::json;

use super::UpgradeWorld;
use crate::domain::model::{Oid, Permission};
use crate::domain::upgrade::verdict::{self, Mark, Said, Verdict, is_trigger, trigger_after};
use crate::error::Error;
use crate::ports::{PortError, PortResult, PullComment};

/// A mark with the trigger that goes with it.
struct Asked {
    mark: Mark,
    trigger: Option<u64>,
}

/// Reads the verdict of the newest trigger; posts one before, if asked.
pub fn ask(
    world: &mut UpgradeWorld,
    recipe: &str,
    pull: u64,
    post: bool,
) -> Result<PortResult<Verdict>, Error> {
    let policy = match world.recipe(recipe) {
        Ok(policy) => policy,
        Err(error) => return Ok(Err(error)),
    };
    let repo = policy.mirror;
    let read = world.forge(&repo).and_then(|forge| {
        let there = forge.pull(&repo, pull)?;
        let comments = forge.pull_comments(&repo, pull)?;
        let statuses = forge.statuses(&repo, &there.head)?;
        Ok((there.head, comments, statuses))
    });
    let (head, comments, statuses) = match read {
        Ok(read) => read,
        Err(error) => return Ok(Err(error)),
    };
    let said: Vec<Said> = comments.iter().map(|c| c.said.clone()).collect();
    let key = format!("testme:{repo}:{pull}");
    let mut ours = world.store.upgrade_note(&key)?.as_deref().and_then(parse);
    if post {
        // One that was about to be posted, and nobody knows whether it was, is gone on with.
        let unfinished = ours.as_ref().is_some_and(|a| a.trigger.is_none() && a.mark.head == head);
        if !unfinished {
            ours = Some(Asked {
                mark: Mark {
                    head: head.clone(),
                    newest_comment: said.iter().map(|s| s.id).max().unwrap_or(0),
                    newest_status: statuses.iter().map(|s| s.id).max().unwrap_or(0),
                    url: None,
                },
                trigger: None,
            });
        }
        if let Some(asked) = &mut ours {
            world.store.set_upgrade_note(&key, Some(&text(asked)))?;
            let known = trigger_after(&said, asked.mark.newest_comment, &world.policy.trigger);
            let id = match known {
                Some(id) => Ok(id),
                None => world.forge(&repo).and_then(|forge| forge.say(&repo, pull, &world.policy.trigger)),
            };
            match id {
                Ok(id) => asked.trigger = Some(id),
                Err(error) => return Ok(Err(error)),
            }
            world.store.set_upgrade_note(&key, Some(&text(asked)))?;
        }
    }
    // Of all that may have asked the newest counts.
    let batch = world.store.newest_batch()?;
    let trials = match batch {
        Some(batch) => world.store.recipes(batch.id)?,
        None => vec![],
    };
    let of_batch = trials
        .into_iter()
        .filter(|r| r.name == recipe && r.pull == Some(pull))
        .filter_map(|r| r.trials.last().cloned())
        .map(|t| Asked { mark: t.mark, trigger: t.trigger });
    let by_people = newest_by_member(world, &repo, &comments).map(|comment| Asked {
        mark: Mark {
            head: head.clone(),
            newest_comment: comment.said.id.saturating_sub(1),
            // Statuses and comments have ids of their own: which came first only their times say.
            newest_status: statuses.iter().filter(|s| s.at <= comment.at).map(|s| s.id).max().unwrap_or(0),
            url: None,
        },
        trigger: Some(comment.said.id),
    });
    let asked: Vec<Asked> = of_batch.chain(ours).filter(|a| a.trigger.is_some()).collect();
    let newest = asked.into_iter().chain(by_people).fold(None::<Asked>, |best, next| match best {
        // Our own mark is better than a reading of times, where both are of the same comment.
        Some(best) if best.trigger >= next.trigger => Some(best),
        Some(_) | None => Some(next),
    });
    let Some(asked) = newest.filter(|a| a.mark.head == head) else {
        return Ok(Ok(Verdict::Pending { url: None }));
    };
    let trigger = asked.trigger.unwrap_or(asked.mark.newest_comment);
    Ok(Ok(verdict::read(&asked.mark, trigger, &statuses, &said, &world.policy.verdict)))
}

/// The newest trigger that a member wrote.
fn newest_by_member<'a>(
    world: &UpgradeWorld,
    repo: &crate::domain::model::RepoId,
    comments: &'a [PullComment],
) -> Option<&'a PullComment> {
    let member = |comment: &&PullComment| {
        let asked: PortResult<Permission> = match &comment.author {
            Some(author) => world.forge(repo).and_then(|forge| forge.permission(repo, author)),
            None => Err(PortError::refused("nobody wrote it")),
        };
        asked.is_ok_and(|permission| permission >= Permission::Write)
    };
    comments
        .iter()
        .filter(|c| is_trigger(&c.said.body, &world.policy.trigger) && !c.edited)
        .filter(member)
        .max_by_key(|c| c.said.id)
}

fn text(asked: &Asked) -> String {
    json!({
        "head": asked.mark.head.as_str(),
        "newest_comment": asked.mark.newest_comment,
        "newest_status": asked.mark.newest_status,
        "trigger": asked.trigger,
    })
    .to_string()
}

fn parse(text: &str) -> Option<Asked> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let number = |name: &str| value.get(name).and_then(serde_json::Value::as_u64);
    let mark = Mark {
        head: Oid::parse(value.get("head")?.as_str()?)?,
        newest_comment: number("newest_comment")?,
        newest_status: number("newest_status")?,
        url: None,
    };
    Some(Asked { mark, trigger: number("trigger") })
}
