//! Real git in folders of its own: claims that race, workspaces that lie, pushes that lose.

mod children;
mod claims;
mod compacting;
mod hostile;
mod landing;
mod locking;
mod patches;
mod salvaging;
mod slots;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::GitRooms;
use crate::domain::model::{Oid, RepoId, UnixTime};
use crate::ports::{ClaimRequest, Claiming as _, History as _, Remote, RunFolder, Workspaces as _};

/// A remote, a host's rooms, and a person's clone to push from.
struct World {
    root: tempfile::TempDir,
    repo: RepoId,
    remote: Remote,
    rooms: GitRooms,
}

impl World {
    /// A remote without a commit.
    fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        let url = path.join("remote.git");
        git(&path, &["init", "-q", "--bare", "-b", "main", url.to_str().unwrap()]);
        let rooms = rooms(&path, "host");
        Self {
            repo: RepoId { forge: "f".into(), owner: "o".into(), name: "n".into() },
            remote: Remote { url: url.to_str().unwrap().into(), default_branch: "main".into() },
            rooms,
            root,
        }
    }

    /// A remote with one commit on `main`: `a.txt`, `b.txt`, `.gitignore`.
    fn new() -> Self {
        let world = Self::empty();
        let person = world.person();
        fs::create_dir(&person).unwrap();
        git(&person, &["init", "-q", "-b", "main"]);
        fs::write(person.join("a.txt"), "a\n").unwrap();
        fs::write(person.join("b.txt"), "b\n").unwrap();
        fs::write(person.join(".gitignore"), "*.log\n").unwrap();
        commit(&person, "start");
        git(&person, &["push", "-q", &world.remote.url, "main"]);
        world
    }

    fn path(&self) -> PathBuf {
        self.root.path().canonicalize().unwrap()
    }

    fn person(&self) -> PathBuf {
        self.path().join("person")
    }

    /// The person changes a file on `main` and pushes.
    fn person_pushes(&self, file: &str, text: &str) -> Oid {
        fs::write(self.person().join(file), text).unwrap();
        let oid = commit(&self.person(), "by a person");
        git(&self.person(), &["push", "-q", &self.remote.url, "main"]);
        oid
    }

    fn folder(&self, run: &str) -> RunFolder {
        RunFolder { dir: self.path().join("host/work/n").join(run) }
    }

    /// A prepared workspace of run `r1` at the newest `main`.
    fn workspace(&self) -> (RunFolder, PathBuf, Oid) {
        let base = self.rooms.fetch_branch(&self.repo, &self.remote, "main").unwrap();
        let folder = self.folder("r1");
        self.rooms.prepare(&self.repo, &folder, &base, "offhours/issue-1-r1").unwrap();
        let work = folder.work();
        (folder, work, base)
    }

    fn remote_refs(&self) -> String {
        git(Path::new(&self.remote.url), &["for-each-ref", "--format=%(refname)"])
    }
}

fn rooms(root: &Path, host: &str) -> GitRooms {
    let host = root.join(host);
    GitRooms::new(host.join("private"), host.join("work"), Duration::from_secs(60))
}

/// A process that was killed is seen for a moment.
fn soon(gone: impl Fn() -> bool) -> bool {
    let enough = Instant::now() + Duration::from_secs(20);
    while !gone() {
        if Instant::now() > enough {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

fn request(number: u64, run: &str) -> ClaimRequest {
    ClaimRequest { number, run: run.into(), installation: "inst".into(), at: UnixTime(1_700_000_000) }
}

/// Git as a person or an agent runs it: the repository's own configuration counts.
fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=p", "-c", "user.email=p@localhost"])
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(dir: &Path, message: &str) -> Oid {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", message]);
    Oid::parse(&git(dir, &["rev-parse", "HEAD"])).unwrap()
}

/// An executable that leaves `canary` behind when it runs.
fn canary_script(path: &Path, canary: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\necho ran \"$0\" >> {}\ncat\n", canary.display())).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
