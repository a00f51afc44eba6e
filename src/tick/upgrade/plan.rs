//! Reads the images of a recipe and what the registries have, and makes the one commit of an upgrade.

use super::{RecipePolicy, UpgradeWorld};
use crate::domain::escape::sanitize;
use crate::domain::model::{Oid, RepoId};
use crate::domain::upgrade::guard::{Bump, show};
use crate::domain::upgrade::recipe::{Edit, Manifest, ManifestFile, Pin};
use crate::domain::upgrade::version::{self, Change};
use crate::domain::upgrade::{Batch, Ending, Evidence, Plan, Recipe, Scanned, branch};
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::PullStanding;
use crate::text;

/// A registry that is away for longer than this makes the recipe unreadable instead of holding up the batch.
const PATIENCE_SECONDS: i64 = 1800;

/// The compose files at the top of a commit.
pub fn manifest_files(world: &UpgradeWorld, repo: &RepoId, commit: &Oid) -> PortResult<Vec<ManifestFile>> {
    let mut files = vec![];
    for path in world.git.tree(repo, commit)?.into_iter().filter(|path| is_manifest(path)) {
        if let Some(text) = world.git.read_file(repo, commit, &path)? {
            files.push(ManifestFile { path, text });
        }
    }
    Ok(files)
}

/// `compose.yml`, `compose.<anything>.yml`, and the same with `.yaml`.
fn is_manifest(path: &str) -> bool {
    let stem = path.strip_suffix(".yml").or_else(|| path.strip_suffix(".yaml"));
    stem.is_some_and(|stem| !path.contains('/') && (stem == "compose" || stem.starts_with("compose.")))
}

/// What the registries said, put together.
#[derive(Default)]
struct Found {
    bumps: Vec<Bump>,
    edits: Vec<Edit>,
    held: Vec<String>,
    reported: Vec<String>,
    unreadable: Vec<String>,
    change: Option<Change>,
    app_tag: Option<String>,
}

/// The plan of a recipe, or why there is none.
pub fn scan(world: &mut UpgradeWorld, batch: &Batch, recipe: &Recipe) -> Result<PortResult<Evidence>, Error> {
    let policy = match world.recipe(&recipe.name) {
        Ok(policy) => policy,
        Err(error) => return Ok(Err(error)),
    };
    let Some(base) = recipe.base.clone() else {
        return Ok(Err(PortError::refused("the commit to begin with is not known")));
    };
    let files = match manifest_files(world, &policy.mirror, &base) {
        Ok(files) => files,
        Err(error) => return Ok(Err(error)),
    };
    if files.is_empty() {
        return Ok(Err(PortError::refused("there is no compose.yml at the top of the recipe")));
    }
    let label = world.policy.version_label.clone();
    let manifest = match world.manifests.scan(&files, &label) {
        Ok(manifest) => manifest,
        Err(why) => return Ok(Err(PortError::refused(why))),
    };
    let mut found = match read_images(world, &policy, recipe, &manifest)? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let notes: Vec<String> =
        found.reported.iter().chain(&found.held).chain(&found.unreadable).cloned().collect();
    let Some(change) = found.change else {
        return Ok(Ok(Evidence::Scan(nothing(&found))));
    };
    let labels: Vec<_> = manifest.labels.iter().collect();
    let [one] = labels[..] else {
        let why =
            format!("the version label {label} stands in {} places, and has to stand in one", labels.len());
        return Ok(Err(PortError::refused(why)));
    };
    let app_tag = found.app_tag.clone().unwrap_or_default();
    if app_tag.is_empty() {
        let why = format!("the service `{}` has no image with a tag", policy.app_service);
        return Ok(Err(PortError::refused(why)));
    }
    let version = match version::next_recipe_version(&one.value, change, &app_tag) {
        Ok(version) => version,
        Err(why) => return Ok(Err(PortError::refused(why))),
    };
    found.edits.push(Edit {
        file: one.file.clone(),
        at: one.at,
        old: one.value.clone(),
        new: version.clone(),
    });
    if let Some(ending) = closed_before(world, &policy.mirror, &recipe.name, &version)? {
        return Ok(Ok(Evidence::Scan(Scanned::Refused(ending))));
    }
    let made = make(world, batch, recipe, &base, &files, &found, &version);
    let head = match made {
        Ok(Ok(head)) => head,
        Ok(Err(ending)) => return Ok(Ok(Evidence::Scan(Scanned::Refused(ending)))),
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(Evidence::Scan(Scanned::Plan(Plan { version, bumps: found.bumps, notes, head }))))
}

/// Asks the registries for every image, and chooses.
fn read_images(
    world: &mut UpgradeWorld,
    policy: &RecipePolicy,
    recipe: &Recipe,
    manifest: &Manifest,
) -> Result<PortResult<Found>, Error> {
    let patient = world.now().since(recipe.since) < PATIENCE_SECONDS;
    let mut found = Found::default();
    for image in &manifest.images {
        let name = format!("{} ({})", show(image), image.service);
        if let Some(why) = image.pin.report() {
            found.reported.push(format!("{name}: {why}"));
            continue;
        }
        let Pin::Tag { tag, at } = &image.pin else { continue };
        let is_app = image.service == policy.app_service;
        if is_app {
            found.app_tag = Some(tag.clone());
        }
        if let Err(why) = version::Version::parse(tag) {
            found.reported.push(format!("{name}:{tag}: {}", why.sentence()));
            continue;
        }
        let tags = match world.registry.tags(&image.name) {
            Ok(tags) => tags,
            Err(error @ PortError::Later { after: Some(_), .. }) => return Ok(Err(error)),
            Err(error @ (PortError::Later { .. } | PortError::Broken { .. })) if patient => {
                return Ok(Err(error));
            }
            Err(error) => {
                found.unreadable.push(format!("{name}: {error}"));
                continue;
            }
        };
        let now = world.now();
        let seen = world.store.see_tags(&show(image), &tags, now)?;
        let Ok(choice) = version::choose(tag, &seen, &policy.versions, now) else { continue };
        for held in &choice.held {
            found.held.push(format!("{} of {name}: {}", sanitize(&held.tag, 130), held.why.sentence()));
        }
        if let Some(pick) = choice.pick {
            if is_app {
                found.app_tag = Some(pick.tag.clone());
            }
            found.change = found.change.max(Some(pick.change));
            found.edits.push(Edit {
                file: image.file.clone(),
                at: *at,
                old: tag.clone(),
                new: pick.tag.clone(),
            });
            found.bumps.push(Bump {
                file: image.file.clone(),
                service: image.service.clone(),
                image: show(image),
                from: tag.clone(),
                to: pick.tag,
            });
        }
    }
    Ok(Ok(found))
}

fn nothing(found: &Found) -> Scanned {
    if !found.unreadable.is_empty() {
        return Scanned::Unreadable(found.unreadable.join("; "));
    }
    let all: Vec<String> = found.held.iter().chain(&found.reported).cloned().collect();
    if all.is_empty() { Scanned::UpToDate } else { Scanned::Held(all) }
}

/// A version that a person closed stays closed.
fn closed_before(
    world: &UpgradeWorld,
    repo: &RepoId,
    name: &str,
    version: &str,
) -> Result<Option<Ending>, Error> {
    let pulls = world.store.own_pulls(None)?;
    let refused = pulls.iter().any(|p| {
        p.repo == *repo
            && p.recipe == name
            && p.version == version
            && !p.tests
            && p.state == PullStanding::Refused
    });
    Ok(refused.then(|| Ending::Skipped(format!("a person closed {version}"))))
}

/// The commit of the upgrade: made anew, or the one of ours that the branch has already.
fn make(
    world: &UpgradeWorld,
    batch: &Batch,
    recipe: &Recipe,
    base: &Oid,
    files: &[ManifestFile],
    found: &Found,
    version: &str,
) -> PortResult<Result<Oid, Ending>> {
    let policy = world.recipe(&recipe.name)?;
    let repo = &policy.mirror;
    let branch = branch(&recipe.name, version);
    if world.git.remote_tags(repo, &policy.upstream)?.iter().any(|tag| tag == version) {
        return Ok(Err(Ending::Failed(format!("the git tag {version} exists already"))));
    }
    let remote = world.forge(repo)?.remote(repo)?;
    if let Some(head) = world.git.fetch_branch(repo, &remote.url, &branch, false)? {
        for commit in world.git.commits(repo, base, &head)? {
            let ours = world
                .store
                .is_own_commit(repo, &commit)
                .map_err(|error| PortError::later(error.to_string()))?;
            if !ours {
                return Ok(Err(Ending::Skipped("human commits".to_owned())));
            }
        }
        // Ours, on the same base: gone on with as it is, with the repairs that it has.
        if world.env.git.is_ancestor(repo, base, &head)? && head != *base {
            return Ok(Ok(head));
        }
        return Ok(Err(Ending::Failed(format!(
            "the branch {branch} is of an older main; `offhours upgrade cleanup` removes it"
        ))));
    }
    let changed =
        world.manifests.edit(files, &world.policy.version_label, &found.edits).map_err(PortError::refused)?;
    let message = text::upgrade::commit(&recipe.name, version, &found.bumps);
    let head = world.git.commit_files(repo, base, &changed, &message, batch.started_at)?;
    let head = head.ok_or_else(|| PortError::refused("the commit would be empty"))?;
    // Only manifests may differ: what we push is looked at like anybody's work.
    let change = world.env.git.change(repo, base, &head)?;
    let strange = change.files.iter().any(|file| {
        !is_manifest(&file.path) || file.old_mode != file.new_mode || file.new_mode & 0o170_000 != 0o100_000
    });
    if strange {
        return Err(PortError::refused("the commit would change more than the manifest"));
    }
    Ok(Ok(head))
}

#[cfg(test)]
mod tests {
    use super::is_manifest;

    #[test]
    fn manifests_are_at_the_top() {
        for good in ["compose.yml", "compose.db.yml", "compose.yaml", "compose.a.b.yml"] {
            assert!(is_manifest(good), "{good}");
        }
        for bad in [
            "docker-compose.yml",
            "a/compose.yml",
            "compose.txt",
            "composer.yml",
            "compose",
            "compose.yml.bak",
        ] {
            assert!(!is_manifest(bad), "{bad}");
        }
    }
}
