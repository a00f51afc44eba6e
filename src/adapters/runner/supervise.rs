//! The supervisor: the process that holds a job's lock, runs what the job says, ends all of it, and leaves a result.
//!
//! It is started by [`super::command`] and nothing else. It carries no cookie itself, so that ending a job by its
//! cookie does not end its supervisor; it collects every orphan below it (child subreaper), so that what an agent
//! left in the background is known and ended before anybody looks at the workspace.

mod agent;
mod check;
mod outcome;
mod step;
mod turn;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::folder::{JobFiles, SpecFile, WorkFile, try_lock};
use super::job::Job;
use crate::domain::model::{JobResult, RepoId, TurnEnd};
use crate::ports::{Clock, Git};
use outcome::Outcome;

/// Runs one job to its end. Returns quietly where the job was started before.
///
/// Standard input must be the job's locked file; anything else is an error, and nothing is touched.
pub fn run(dir: &Path, git: &dyn Git, clock: &dyn Clock) -> anyhow::Result<()> {
    let folder = JobFiles::new(dir);
    let _lock = take_over_lock(&folder)?;
    // Fails only where this process leads its group already, and then it has what it wants.
    rustix::process::setsid().ok();
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .context("becoming the collector of orphaned processes did not work")?;
    let started_at = clock.now();
    if !folder.mark_started(started_at).context("the started file could not be written")? {
        return Ok(());
    }
    let outcome = match folder.read_spec() {
        Err(sentence) => Outcome::failed_to_start(sentence),
        Ok(_) if folder.has("stop") => Outcome::of(TurnEnd::Stopped),
        Ok(spec) => work(&folder, &spec, git, clock),
    };
    for leftover in ["tmp", "checkout", "pane"] {
        std::fs::remove_dir_all(folder.path(leftover)).ok();
    }
    let result = outcome.into_result(started_at, clock.now());
    write_result(&folder, &result)
}

/// A full disk may have room again in a moment, and a lost result makes the job an orphan.
fn write_result(folder: &JobFiles, result: &JobResult) -> anyhow::Result<()> {
    let mut tries = 0;
    loop {
        match folder.write_result(result) {
            Ok(()) => return Ok(()),
            Err(error) if tries == 10 => return Err(error).context("the result could not be written"),
            Err(_) => std::thread::sleep(Duration::from_secs(1)),
        }
        tries += 1;
    }
}

/// Moves the lock from standard input to a descriptor that no child inherits.
fn take_over_lock(folder: &JobFiles) -> anyhow::Result<OwnedFd> {
    let stdin = rustix::stdio::stdin();
    let given = rustix::fs::fstat(stdin).context("standard input cannot be looked at")?;
    let path = folder.path("lock");
    let wanted = rustix::fs::stat(&path).with_context(|| format!("there is no lock {}", path.display()))?;
    if (given.st_dev, given.st_ino) != (wanted.st_dev, wanted.st_ino) {
        bail!(
            "Standard input is not the job's lock. `supervise` is started by offhours itself, not by hand."
        );
    }
    let own = rustix::io::fcntl_dupfd_cloexec(stdin, 3).context("the lock's descriptor cannot be kept")?;
    let file = File::from(own);
    if !try_lock(&file, true)? {
        bail!("The job's lock is held by another process.");
    }
    let null = File::open("/dev/null").context("/dev/null cannot be opened")?;
    rustix::stdio::dup2_stdin(&null).context("standard input cannot be replaced")?;
    Ok(file.into())
}

fn work(folder: &JobFiles, spec: &SpecFile, git: &dyn Git, clock: &dyn Clock) -> Outcome {
    let Some(repo) = RepoId::parse(&spec.repo, None) else {
        return Outcome::failed_to_start("The job's spec names no repository.");
    };
    for dir in ["agent", "tmp"] {
        if let Err(error) = std::fs::create_dir_all(folder.path(dir)) {
            return Outcome::failed_to_start(format!("The job's folder `{dir}` could not be made: {error}."));
        }
    }
    let job = Job { folder, spec, repo, git };
    let outcome = match &spec.work {
        WorkFile::Turn(turn) => job.turn(turn, clock),
        WorkFile::Check { oid, argv } => job.check(oid, argv),
        WorkFile::Command { cwd, argv } => job.command(cwd, argv),
    };
    job.end_everything();
    outcome
}
