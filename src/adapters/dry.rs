//! A world that cannot be written, for dry runs: reads pass, everything else is refused, so that no code path can
//! forget the flag. Git fetches into a scratch repository.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::forge::AnyForge;
use super::git::GitRooms;
use super::runner::bench::JobBench;
use crate::domain::doctor::{Access, TokenFacts};
use crate::domain::model::{
    ApprovalEvidence, Blocker, Change, Comment, Issue, JobState, Oid, Permission, Person, PullRequest,
    RepoId, Review, StageReading,
};
use crate::domain::upgrade::verdict::Status;
use crate::ports::{
    Bench, Capabilities, Ci, ClaimAnswer, ClaimPlace, ClaimRequest, Claiming, Claims, Dispatched, Forge,
    ForgeAdmin, History, Hosting, JobSpec, Listing, LockFile, MergeAnswer, Merged, Merging, NewPull,
    NewStatus, PortError, PortResult, PullComment, PullRequests, Pushed, RecipePush, Remote, RunFolder,
    Runner, Salvaged, Trials, Wanted, Work, Workspaces,
};

fn refuse<T>() -> PortResult<T> {
    Err(PortError::refused("a dry run writes nothing"))
}

/// A folder that is gone with its owner.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> std::io::Result<Self> {
        let dir = std::env::temp_dir().join(format!("offhours-dry-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub struct DryForge(pub Rc<dyn AnyForge>);

impl Hosting for DryForge {
    fn remote(&self, repo: &RepoId) -> PortResult<Remote> {
        self.0.remote(repo)
    }
    fn locks(&self, repo: &RepoId) -> PortResult<Vec<LockFile>> {
        self.0.locks(repo)
    }
    fn permission(&self, repo: &RepoId, person: &Person) -> PortResult<Permission> {
        self.0.permission(repo, person)
    }
}

impl Forge for DryForge {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn place(&self, repo: &RepoId) -> PortResult<String> {
        self.0.place(repo)
    }
    fn read_ahead(&self, asked: &[(RepoId, Option<String>)], label: &str) {
        self.0.read_ahead(asked, label);
    }
    fn find_comment(&self, repo: &RepoId, number: u64, marker: &str) -> PortResult<Option<String>> {
        self.0.find_comment(repo, number, marker)
    }
    fn list(&self, repo: &RepoId, label: &str, etag: Option<&str>) -> PortResult<Listing> {
        self.0.list(repo, label, etag)
    }
    fn issue(&self, repo: &RepoId, number: u64) -> PortResult<Issue> {
        self.0.issue(repo, number)
    }
    fn approval(&self, repo: &RepoId, issue: &Issue, label: &str) -> PortResult<ApprovalEvidence> {
        self.0.approval(repo, issue, label)
    }
    fn blockers(&self, repo: &RepoId, issue: &Issue, also: &[u64]) -> PortResult<Vec<Blocker>> {
        self.0.blockers(repo, issue, also)
    }
    fn comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Comment>> {
        self.0.comments(repo, number)
    }
    fn put_comment(&self, _: &RepoId, _: u64, _: Option<&str>, _: &str) -> PortResult<String> {
        refuse()
    }
    fn set_label(&self, _: &RepoId, _: u64, _: &str, _: bool) -> PortResult<()> {
        refuse()
    }
    fn set_open(&self, _: &RepoId, _: u64, _: bool) -> PortResult<()> {
        refuse()
    }
    fn set_body(&self, _: &RepoId, _: u64, _: &str) -> PortResult<()> {
        refuse()
    }
    fn pulls(&self) -> Option<&dyn Merging> {
        self.0.pulls().map(|_| self as &dyn Merging)
    }
    fn admin(&self) -> Option<&dyn ForgeAdmin> {
        self.0.admin().map(|_| self as &dyn ForgeAdmin)
    }
    fn page(&self, repo: &RepoId, issue: Option<u64>) -> Option<String> {
        self.0.page(repo, issue)
    }
}

impl DryForge {
    fn real_desk(&self) -> PortResult<&dyn ForgeAdmin> {
        self.0.admin().ok_or_else(|| PortError::refused("this forge has no tokens and no labels of its own"))
    }
}

impl ForgeAdmin for DryForge {
    fn token(&self) -> PortResult<TokenFacts> {
        self.real_desk()?.token()
    }
    fn access(&self, repo: &RepoId) -> PortResult<Access> {
        self.real_desk()?.access(repo)
    }
    fn labels(&self, repo: &RepoId) -> PortResult<Vec<String>> {
        self.real_desk()?.labels(repo)
    }
    fn make_label(&self, _: &RepoId, _: &str, _: &str, _: &str) -> PortResult<()> {
        refuse()
    }
}

impl PullRequests for DryForge {
    fn pull_of(&self, repo: &RepoId, branch: &str) -> PortResult<Option<PullRequest>> {
        self.0.pull_of(repo, branch)
    }
    fn pull(&self, repo: &RepoId, number: u64) -> PortResult<PullRequest> {
        self.0.pull(repo, number)
    }
    fn open_pull(&self, _: &RepoId, _: &NewPull) -> PortResult<PullRequest> {
        refuse()
    }
    fn edit_pull(&self, _: &RepoId, _: u64, _: &str, _: &str) -> PortResult<()> {
        refuse()
    }
    fn reviews(&self, repo: &RepoId, number: u64) -> PortResult<Vec<Review>> {
        self.0.reviews(repo, number)
    }
    fn close_pull(&self, _: &RepoId, _: u64) -> PortResult<()> {
        refuse()
    }
}

impl Merging for DryForge {
    fn merge_pull(&self, _: &RepoId, _: u64, _: &Oid) -> PortResult<MergeAnswer> {
        refuse()
    }
}

impl Trials for DryForge {
    fn open_pulls(&self, repo: &RepoId) -> PortResult<Vec<PullRequest>> {
        self.0.open_pulls(repo)
    }
    fn pull_comments(&self, repo: &RepoId, number: u64) -> PortResult<Vec<PullComment>> {
        self.0.pull_comments(repo, number)
    }
    fn say(&self, _: &RepoId, _: u64, _: &str) -> PortResult<u64> {
        refuse()
    }
    fn react(&self, _: &RepoId, _: u64, _: u64) -> PortResult<()> {
        refuse()
    }
    fn statuses(&self, repo: &RepoId, commit: &Oid) -> PortResult<Vec<Status>> {
        self.0.statuses(repo, commit)
    }
    fn dispatch(&self, _: &RepoId, _: &str, _: &str) -> PortResult<()> {
        refuse()
    }
    fn dispatched(&self, repo: &RepoId, workflow: &str, commit: &Oid) -> PortResult<Vec<Dispatched>> {
        self.0.dispatched(repo, workflow, commit)
    }
    fn set_status(&self, _: &RepoId, _: &Oid, _: &NewStatus) -> PortResult<u64> {
        refuse()
    }
}

/// Git that only fetches, into a scratch repository, from the remote and from workspaces.
pub struct DryGit {
    rooms: GitRooms,
    _scratch: Scratch,
}

impl DryGit {
    /// `rooms` have to be [reading](GitRooms::reading) ones in that scratch folder.
    pub fn new(rooms: GitRooms, scratch: Scratch) -> Self {
        Self { rooms, _scratch: scratch }
    }
}

impl Claiming for DryGit {
    fn claim(&self, _: &RepoId, _: &Remote, _: &ClaimRequest) -> PortResult<ClaimAnswer> {
        refuse()
    }
    fn claims(&self, repo: &RepoId, remote: &Remote) -> PortResult<Claims> {
        self.rooms.claims(repo, remote)
    }
    fn release(&self, _: &RepoId, _: &Remote, _: u64, _: &Oid) -> PortResult<()> {
        refuse()
    }
    fn release_slot(&self, _: &RepoId, _: &Remote, _: &Oid) -> PortResult<()> {
        refuse()
    }
    fn take_slot(&self, _: &RepoId, _: &Remote, _: u64, _: &Oid) -> PortResult<ClaimAnswer> {
        refuse()
    }
    fn try_places(&self, _: &RepoId, _: &Remote) -> PortResult<ClaimPlace> {
        refuse()
    }
}

impl Workspaces for DryGit {
    fn prepare(&self, _: &RepoId, _: &RunFolder, _: &Oid, _: &str) -> PortResult<()> {
        refuse()
    }
    fn unlock(&self, _: &RepoId, _: &RunFolder) -> PortResult<()> {
        refuse()
    }
    fn work(&self, repo: &RepoId, folder: &RunFolder, run: &str, base: &Oid) -> PortResult<Work> {
        self.rooms.work(repo, folder, run, base)
    }
    fn bring_up_to_date(&self, _: &RepoId, _: &RunFolder, _: &Oid, _: &Oid, _: &str) -> PortResult<Merged> {
        refuse()
    }
    fn checkout(&self, _: &RepoId, _: &Oid, _: &Path) -> PortResult<()> {
        refuse()
    }
    fn salvage(&self, _: &RepoId, _: &RunFolder, _: &str, _: &Oid, _: &Path) -> PortResult<Salvaged> {
        refuse()
    }
    fn remove(&self, _: &RunFolder) -> PortResult<()> {
        refuse()
    }
}

impl History for DryGit {
    fn fetch_branch(&self, repo: &RepoId, remote: &Remote, branch: &str) -> PortResult<Oid> {
        self.rooms.fetch_branch(repo, remote, branch)
    }
    fn remote_head(&self, repo: &RepoId, remote: &Remote, branch: &str) -> PortResult<Option<Oid>> {
        self.rooms.remote_head(repo, remote, branch)
    }
    fn push(&self, _: &RepoId, _: &Remote, _: &str, _: Option<&Oid>, _: &Oid) -> PortResult<Pushed> {
        refuse()
    }
    fn is_ancestor(&self, repo: &RepoId, ancestor: &Oid, of: &Oid) -> PortResult<bool> {
        self.rooms.is_ancestor(repo, ancestor, of)
    }
    fn common(&self, repo: &RepoId, one: &Oid, other: &Oid) -> PortResult<Option<Oid>> {
        self.rooms.common(repo, one, other)
    }
    fn new_commits(&self, repo: &RepoId, head: &Oid, known: &[&Oid]) -> PortResult<u32> {
        self.rooms.new_commits(repo, head, known)
    }
    fn commits(&self, repo: &RepoId, after: &Oid, upto: &Oid, most: usize) -> PortResult<Vec<(Oid, String)>> {
        self.rooms.commits(repo, after, upto, most)
    }
    fn change(&self, repo: &RepoId, base: &Oid, head: &Oid) -> PortResult<Change> {
        self.rooms.change(repo, base, head)
    }
    fn conflicts(&self, repo: &RepoId, head: &Oid, target: &Oid) -> PortResult<Vec<String>> {
        self.rooms.conflicts(repo, head, target)
    }
    fn locks(&self, repo: &RepoId) -> PortResult<Vec<LockFile>> {
        self.rooms.locks(repo)
    }
    fn compact(&self, _: &RepoId) -> PortResult<()> {
        refuse()
    }
    fn carries(&self, repo: &RepoId, target: &Oid, from: &Oid, head: &Oid) -> PortResult<bool> {
        self.rooms.carries(repo, target, from, head)
    }
    fn undo(&self, repo: &RepoId, target: &Oid, from: &Oid, head: &Oid, message: &str) -> PortResult<Merged> {
        self.rooms.undo(repo, target, from, head, message)
    }
}

/// Reads jobs and starts none.
pub struct DryRunner(pub Box<dyn Runner>);

impl Runner for DryRunner {
    fn start(&self, _: &JobSpec) -> PortResult<()> {
        refuse()
    }
    fn state(&self, dir: &Path) -> PortResult<JobState> {
        self.0.state(dir)
    }
    fn stop(&self, _: &Path, _: &str) -> PortResult<()> {
        refuse()
    }
    fn wait(&self, _: &Path) -> PortResult<()> {
        refuse()
    }
}

pub struct DryCi(pub Box<dyn Ci>);

impl Ci for DryCi {
    fn read(&self, repo: &RepoId, stage: &str, oid: &Oid, wanted: Wanted<'_>) -> PortResult<StageReading> {
        self.0.read(repo, stage, oid, wanted)
    }
    fn start(&self, _: &RepoId, _: &str, _: &Oid, _: u32) -> PortResult<()> {
        refuse()
    }
}

/// No push of an upgrade.
pub struct DryPush;

impl RecipePush for DryPush {
    fn push_upgrade(&self, _: &RepoId, _: &Remote, _: &str, _: Option<&Oid>, _: &Oid) -> PortResult<Pushed> {
        refuse()
    }
    fn delete_upgrade(&self, _: &RepoId, _: &Remote, _: &str, _: &Oid) -> PortResult<Pushed> {
        refuse()
    }
    fn sync_mirror(&self, _: &RepoId, _: &Remote, _: &str, _: Option<&Oid>, _: &Oid) -> PortResult<Pushed> {
        refuse()
    }
    fn push_backup(&self, _: &RepoId, _: &Remote, _: &str, _: &Oid) -> PortResult<Pushed> {
        refuse()
    }
}

/// Reads what agents answered and asks none.
pub struct DryBench(pub JobBench);

impl Bench for DryBench {
    fn put(&self, _: &Path, _: &str, _: &str) -> PortResult<()> {
        refuse()
    }
    fn answer(&self, job: &Path) -> PortResult<Option<String>> {
        self.0.answer(job)
    }
    fn log_tail(&self, job: &Path) -> String {
        self.0.log_tail(job)
    }
}
