//! Keeping private repositories small in number of files, while workspaces borrow from them.
//!
//! Every fetch leaves a pack or loose objects. They are put together now and then, without a look at what is still
//! reachable: workspaces, checkouts of CI and supervisors at work read these objects, and nothing here knows all of them.
//! So no object ever goes; only what a fetch left half that was ended does. Large packs stay as they are.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::GitRooms;
use super::child::Call;
use super::places;
use crate::domain::model::RepoId;
use crate::ports::PortResult;

/// As many packs as git itself bears before it puts them together.
const PACKS: usize = 50;
/// Loose objects whose names begin with the same byte: 256 times as many are there in all, about what git bears.
const LOOSE_OF_ONE_BYTE: usize = 26;

/// What a killed git left; no git process of ours lives this long.
const STALE: Duration = Duration::from_secs(24 * 3600);

impl GitRooms {
    pub(super) fn pack_up(&self, repo: &RepoId) -> PortResult<()> {
        let Some(private) = places::existing(&self.private_root, repo)? else { return Ok(()) };
        let objects = private.join("objects");
        sweep(&objects.join("pack"));
        let packs =
            count(&objects.join("pack"), |name| Path::new(name).extension().is_some_and(|e| e == "pack"));
        let loose = count(&objects.join("17"), |_| true);
        if packs < PACKS && loose <= LOOSE_OF_ONE_BYTE {
            return Ok(());
        }
        // Without regard to reachability, in packs and loose ones alike.
        let call =
            Call::new("git.repack", &private).args(["--geometric=2", "-d", "-q", "--no-write-bitmap-index"]);
        self.children.run(&call)?.local(&format!("putting the objects of {repo} together"))?;
        Ok(())
    }
}

fn count(dir: &Path, wanted: impl Fn(&str) -> bool) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| wanted(&entry.file_name().to_string_lossy())).count()
}

/// Takes away packs that were never finished. What cannot be looked at or removed stays.
fn sweep(packs: &Path) {
    for entry in fs::read_dir(packs).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let half = [".tmp-", "tmp_"].iter().any(|start| name.to_string_lossy().starts_with(start));
        let age = entry.metadata().and_then(|m| m.modified()).map(|at| at.elapsed().unwrap_or_default());
        if half && age.is_ok_and(|age| age > STALE) {
            fs::remove_file(entry.path()).ok();
        }
    }
}
