//! This machine: its clock, its identity, the tick's lock, the folders of runs.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::adapters::files::write_whole;
use crate::domain::model::{IssueRef, RepoId, UnixTime};
use crate::domain::run::Run;
use crate::ports::{Clock, Folders, Kept, Marked, PortError, PortResult, RunFolder, SwitchFile};

/// The wall clock. With the feature `testing` a file may stand for it, shared with every child.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        #[cfg(feature = "testing")]
        if let Some(file) = std::env::var_os("OFFHOURS_CLOCK_FILE")
            && let Some(seconds) = fs::read_to_string(file).ok().and_then(|t| t.trim().parse().ok())
        {
            return UnixTime(seconds);
        }
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// Waits. Where the clock is a test's, time passes only when that test says so.
pub fn pause(time: Duration) {
    #[cfg(feature = "testing")]
    if std::env::var_os("OFFHOURS_CLOCK_FILE").is_some() {
        return;
    }
    std::thread::sleep(time);
}

/// How long a server may take. Tests of servers that take too long have no time to wait for it.
pub fn network_bound(usual: Duration) -> Duration {
    #[cfg(feature = "testing")]
    if let Some(millis) = std::env::var_os("OFFHOURS_NETWORK_MILLIS")
        && let Some(millis) = millis.to_str().and_then(|m| m.parse().ok())
    {
        return Duration::from_millis(millis);
    }
    usual
}

/// What this machine is known by: systemd's id, or its host name.
pub fn machine_id() -> String {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let id = id.trim();
    if id.is_empty() {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        return format!("host:{name}");
    }
    id.to_owned()
}

/// Held for the length of a tick: whoever changes runs has to show it.
#[derive(Debug)]
pub struct TickLock {
    _file: File,
}

/// How the lock was found.
#[derive(Debug)]
pub enum Locked {
    Ours(TickLock),
    /// The same command runs already, for so long.
    Same {
        held: Duration,
    },
    /// Another command held it for all of the wait.
    Other {
        holder: String,
        held: Duration,
    },
}

/// Makes a folder and its parents so that nobody else can look into them: prompts and logs lie below.
fn make_private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Takes the lock of a state file, waiting for another command up to `wait`. The descriptor is close-on-exec.
pub fn lock(state: &Path, command: &str, wait: Duration) -> io::Result<Locked> {
    let mut path = state.as_os_str().to_owned();
    path.push(".lock");
    if let Some(parent) = state.parent() {
        make_private(parent)?;
    }
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
    let started = Instant::now();
    loop {
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(command.as_bytes())?;
            return Ok(Locked::Ours(TickLock { _file: file }));
        }
        let mut holder = String::new();
        file.rewind()?;
        drop((&file).take(64).read_to_string(&mut holder));
        // The holder wrote its name when it took the lock.
        let held = || {
            file.metadata()
                .and_then(|m| m.modified())
                .ok()
                .and_then(|at| at.elapsed().ok())
                .unwrap_or_default()
        };
        if holder == command {
            return Ok(Locked::Same { held: held() });
        }
        if started.elapsed() >= wait {
            return Ok(Locked::Other { holder, held: held() });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Run folders below the workspace root: `<forge>/<owner>/<name>/<run>`.
/// Of an agent that printed more than this nothing is kept: the disk is for work.
const MAX_LOG_BYTES: u64 = 50 * 1024 * 1024;

pub struct WorkFolders {
    pub root: PathBuf,
    /// Where salvaged work and CI jobs lie: `<forge>/<owner>/<name>/<one>` each.
    pub salvage: PathBuf,
    pub ci: PathBuf,
    /// Where what turns printed stays, in the same way.
    pub logs: PathBuf,
    /// Whose runs they are: this machine's, by this state file. Another state file's runs are not ours to go on with.
    pub machine: String,
    pub state: String,
}

impl WorkFolders {
    fn below(root: &Path, issue: &IssueRef, run: &str) -> PathBuf {
        let repo = &issue.repo;
        root.join(&repo.forge).join(&repo.owner).join(&repo.name).join(run)
    }
}

impl Folders for WorkFolders {
    fn of(&self, issue: &IssueRef, run: &str) -> RunFolder {
        RunFolder { dir: Self::below(&self.root, issue, run) }
    }

    fn keep_logs(&self, run: &Run) {
        let (from, to) = (self.of(&run.issue, &run.id), Self::below(&self.logs, &run.issue, &run.id));
        for turn in (1..=run.turns).map(|n| run.turn_job(n)) {
            let (from, to) = (from.job(&turn), to.join(&turn));
            for name in ["stdout.log", "stderr.log"] {
                let source = from.join(name);
                if !fs::symlink_metadata(&source).is_ok_and(|m| m.is_file() && m.len() <= MAX_LOG_BYTES)
                    || make_private(&to).is_err()
                {
                    continue;
                }
                // Workspaces may lie on another disk.
                let target = to.join(name);
                if fs::rename(&source, &target).is_err() {
                    drop(fs::copy(&source, &target));
                }
            }
        }
    }

    fn output(&self, run: &Run, turn: &str) -> PathBuf {
        let own = self.of(&run.issue, &run.id).job(turn);
        if own.exists() { own } else { Self::below(&self.logs, &run.issue, &run.id).join(turn) }
    }

    fn mark(&self, run: &Run, record: &str, begins: bool) -> PortResult<()> {
        let folder = self.of(&run.issue, &run.id);
        let trouble =
            |e: io::Error| PortError::later(format!("writing {}/run.json failed: {e}", folder.dir.display()));
        if begins {
            make_private(&folder.dir).map_err(trouble)?;
        } else if !folder.dir.is_dir() {
            return Ok(());
        }
        let text = serde_json::to_string(&Marker {
            schema: MARKER_SCHEMA,
            run: run.id.clone(),
            issue: run.issue.to_string(),
            machine: self.machine.clone(),
            state: self.state.clone(),
            record: record.to_owned(),
        })
        .map_err(|e| PortError::refused(format!("{}/run.json: {e}", folder.dir.display())))?;
        let path = folder.dir.join("run.json");
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        write_whole(&path, text.as_bytes()).map_err(trouble)
    }

    fn kept(&self) -> Vec<Kept> {
        let one = |path: PathBuf, issue: Option<IssueRef>| {
            let written = fs::symlink_metadata(&path).map(|m| std::os::unix::fs::MetadataExt::mtime(&m));
            Some(Kept { path, written: UnixTime(written.ok()?), issue })
        };
        // Under a name that no run's work has it is not ours to remove.
        let work = below_repos(&self.salvage).into_iter().filter_map(|dir| {
            let issue = salvaged_of(&self.salvage, &dir)?;
            one(dir, Some(issue))
        });
        let rest = [&self.ci, &self.logs].into_iter().flat_map(|root| below_repos(root));
        work.chain(rest.filter_map(|dir| one(dir, None))).collect()
    }

    fn discard(&self, kept: &Kept) -> PortResult<()> {
        fs::remove_dir_all(&kept.path)
            .map_err(|e| PortError::later(format!("removing {}: {e}", kept.path.display())))
    }
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    entries.filter(|e| e.file_type().is_ok_and(|k| k.is_dir())).map(|e| e.path()).collect()
}

/// `<forge>/<owner>/<name>/<one>` below a root.
fn below_repos(root: &Path) -> Vec<PathBuf> {
    let below = |dirs: Vec<PathBuf>| -> Vec<PathBuf> { dirs.iter().flat_map(|dir| folders(dir)).collect() };
    below(below(below(folders(root))))
}

/// The issue whose run's work lies in `<forge>/<owner>/<name>/<number>-<run>`.
fn salvaged_of(root: &Path, dir: &Path) -> Option<IssueRef> {
    let mut names = dir.strip_prefix(root).ok()?.iter().map(|name| name.to_str());
    let mut next = || names.next().flatten().map(str::to_owned);
    let repo = RepoId { forge: next()?, owner: next()?, name: next()? };
    let number = next()?.split_once('-')?.0.parse().ok()?;
    Some(IssueRef { repo, number })
}

/// `run.json`. The first kind had no record: by it a run is known, and not gone on with.
#[derive(serde::Deserialize, serde::Serialize)]
struct Marker {
    schema: u32,
    run: String,
    issue: String,
    #[serde(default)]
    machine: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    record: String,
}

const MARKER_SCHEMA: u32 = 2;

/// More folders than a machine can have work in.
const MAX_MARKED: usize = 1000;

impl WorkFolders {
    /// The runs whose folders lie below the workspace root: what a state file that is gone knew of.
    pub fn marked(&self) -> Vec<Marked> {
        let runs = below_repos(&self.root).into_iter().take(MAX_MARKED);
        let mut found: Vec<Marked> = runs.filter_map(|dir| self.read(dir)).collect();
        found.sort_by(|a, b| a.issue.cmp(&b.issue));
        found
    }

    fn read(&self, dir: PathBuf) -> Option<Marked> {
        let marker: Marker = serde_json::from_slice(&fs::read(dir.join("run.json")).ok()?).ok()?;
        let (repo, number) = marker.issue.split_once('#')?;
        let issue = IssueRef { repo: RepoId::parse(repo, None)?, number: number.parse().ok()? };
        let refused = if marker.schema != MARKER_SCHEMA || marker.record.is_empty() {
            Some("another version of offhours wrote it")
        } else if marker.machine != self.machine {
            Some("it is of another machine")
        } else if marker.state != self.state {
            Some("it is of another state file")
        } else if self.of(&issue, &marker.run).dir != dir {
            Some("its folder was moved")
        } else {
            None
        };
        let record = refused.map_or(Ok(marker.record), |why| Err(why.to_owned()));
        Some(Marked { run: marker.run, issue, dir, record })
    }
}

/// The kill switch's file.
pub struct KillFile(pub PathBuf);

impl SwitchFile for KillFile {
    fn put_on(&self) -> PortResult<()> {
        crate::boundary::pass("switch");
        let made = self
            .0
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::OpenOptions::new().create(true).append(true).open(&self.0).map(drop));
        made.map_err(|e| {
            PortError::later(format!(
                "the kill switch file {} could not be made: {e}; set `kill_switch = true` in the config",
                self.0.display()
            ))
        })
    }
}
