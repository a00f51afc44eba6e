//! The runner `t3`: turns in threads of T3 Code, over HTTP, protocol 1. Everything else is the runner `command`'s.
//!
//! Every id is minted here and follows from the run and the turn, so that a command which is sent twice is done once. A
//! turn's folder has `t3.json` before anything is sent, `started` once the turn was taken, and `result.json` once it
//! was seen over. What T3 says of a turn is not believed to be success: the branch decides.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::answer::answer;
use super::command::CommandRunner;
use super::folder::{JobFiles, SCHEMA};
use super::output::{lower_hex, shorten};
use super::usage::{ProcessEnd, conclude};
use crate::adapters::http;
use crate::adapters::process;
use crate::boundary;
use crate::domain::model::{Asked, CutBy, JobResult, JobState, RepoId, TurnEnd, UnixTime, Usage};
use crate::domain::secret::Secret;
use crate::ports::{Clock, JobKind, JobSpec, PortError, PortResult, Runner, TurnSpec};

const TIMEOUT: Duration = Duration::from_secs(20);
const ANSWER_BYTES: u64 = 32 * 1024 * 1024;
/// What T3 takes as one message.
const MESSAGE_CHARS: usize = 119_000;
/// How long a stopped session may take to end.
const STOP_WAIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(500);

/// One T3 Code of the configuration.
pub struct T3Server {
    /// Without a slash at its end.
    pub url: String,
    /// Asked for at each request: it may be renewed.
    pub token: Box<dyn Fn() -> PortResult<Secret>>,
    /// The provider instance and its model that threads are made with.
    pub instance: String,
    pub model: String,
}

pub struct T3Runner {
    pub command: CommandRunner,
    /// By the name of the runner.
    pub servers: BTreeMap<String, T3Server>,
    /// Where the runs of all repos have their folders: each repo's is its project's.
    pub work: PathBuf,
    pub clock: Box<dyn Clock>,
    /// Looks only: nothing is sent and nothing written.
    pub dry: bool,
    /// What each server said of all its threads, asked for once.
    pub snapshots: RefCell<BTreeMap<String, Value>>,
}

/// `t3.json`, the intent of a turn.
#[derive(Serialize, Deserialize)]
struct Marker {
    schema: u32,
    runner: String,
    thread: String,
    /// The thread's latest turn before this one: while T3 still tells of it, ours has not begun.
    before: Option<String>,
    /// In T3's own writing of a time.
    at: String,
    #[serde(default)]
    of_upgrade: bool,
}

fn iso(at: UnixTime) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (day, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
        day.year(),
        u8::from(day.month()),
        day.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn project_id(repo: &RepoId) -> String {
    format!("offhours-{}", &lower_hex(&Sha256::digest(repo.to_string()))[..32])
}

fn thread_id(run: &str) -> String {
    format!("offhours-{run}")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn files(error: std::io::Error) -> PortError {
    PortError::later(format!("Writing the folder of a T3 turn did not work: {error}. It is tried again."))
}

impl T3Server {
    /// One request; the answer is JSON, or a sentence.
    fn ask(&self, path: &str, body: Option<&Value>) -> PortResult<Value> {
        let doing = format!("T3 Code at {}{path}", self.url);
        let agent = http::agent(TIMEOUT);
        let token = (self.token)()?;
        let bearer = format!("Bearer {}", token.reveal());
        let url = format!("{}{path}", self.url);
        boundary::pass("t3.request");
        let answer = match body {
            None => agent.get(&url).header("authorization", &bearer).call(),
            Some(body) => agent
                .post(&url)
                .header("authorization", &bearer)
                .header("content-type", "application/json")
                .send(body.to_string().as_bytes()),
        };
        boundary::pass("t3.request");
        // The error of the client may name a header, and one is a secret.
        let mut answer = answer.map_err(|_unreached| {
            PortError::later(format!(
                "{doing} could not be reached. Is it running? The next tick tries again."
            ))
        })?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_string().map_err(|_cut| {
            PortError::later(format!("{doing}: the answer was cut short. The next tick tries again."))
        })?;
        let value: Option<Value> = serde_json::from_str(&text).ok();
        let said = value
            .as_ref()
            .and_then(|v| v["error"].as_str().or(v["reason"].as_str()).or(v["message"].as_str()));
        let said = said.map_or(String::new(), |words| format!(" ({})", shorten(words, 300)));
        match status {
            200..=299 => value.ok_or_else(|| {
                PortError::broken(format!("{doing} answered with something that is not JSON. Is it T3 Code?"))
            }),
            401 | 403 => {
                let what = format!(
                    "{doing} refused the token{said}. Issue a new one with the scope orchestration:operate."
                );
                Err(PortError::Credentials { what })
            }
            404 => Err(PortError::gone(format!("{doing} is not there{said}"))),
            429 | 500..=599 => Err(PortError::later(format!(
                "{doing} answered {status}{said}. Without a valid token it says 500, too; the next tick tries again."
            ))),
            _ => Err(PortError::refused(format!("{doing} answered {status}{said}"))),
        }
    }

    fn dispatch(&self, command: &Value) -> PortResult<()> {
        self.ask("/api/orchestration/dispatch", Some(command)).map(drop)
    }

    /// Protocol 2 looks alike and means other things: it is refused before anything is sent.
    fn environment(&self) -> PortResult<String> {
        let told = self.ask("/.well-known/t3/environment", None)?;
        let version = &told["orchestrationProtocolVersion"];
        if version.is_null() || version.as_u64() == Some(1) {
            return Ok(told["environmentId"].as_str().unwrap_or_default().to_owned());
        }
        Err(PortError::refused(format!(
            "T3 Code at {} speaks orchestration protocol {}, and this offhours speaks protocol 1. Use a T3 Code of that \
             protocol, or another runner.",
            self.url,
            shorten(&version.to_string(), 20)
        )))
    }
}

impl T3Runner {
    fn server(&self, name: &str) -> PortResult<&T3Server> {
        self.servers.get(name).ok_or_else(|| {
            PortError::later(format!(
                "The runner `{name}` of kind t3 is not in the configuration any more. Put it back."
            ))
        })
    }

    fn marker(folder: &JobFiles) -> PortResult<Option<Marker>> {
        match std::fs::read(folder.path("t3.json")) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(files(error)),
            Ok(bytes) => serde_json::from_slice::<Marker>(&bytes)
                .ok()
                .filter(|marker| marker.schema == SCHEMA)
                .map(Some)
                .ok_or_else(|| {
                    PortError::broken(format!("{} makes no sense", folder.path("t3.json").display()))
                }),
        }
    }

    /// All threads of a server: asked for once, and once more after something was sent.
    fn snapshot(&self, name: &str, fresh: bool) -> PortResult<Value> {
        if let Some(known) = self.snapshots.borrow().get(name).filter(|_| !fresh) {
            return Ok(known.clone());
        }
        let told = self.server(name)?.ask("/api/orchestration/shell", None)?;
        if !told["threads"].is_array() || !told["projects"].is_array() {
            return Err(PortError::broken(
                "T3 Code answered with something that is no list of threads".to_owned(),
            ));
        }
        self.snapshots.borrow_mut().insert(name.to_owned(), told.clone());
        Ok(told)
    }

    fn thread(&self, name: &str, id: &str, fresh: bool) -> PortResult<Option<Value>> {
        let snapshot = self.snapshot(name, fresh)?;
        Ok(snapshot["threads"].as_array().into_iter().flatten().find(|thread| thread["id"] == id).cloned())
    }

    fn begin(&self, job: &JobSpec, turn: &TurnSpec) -> PortResult<()> {
        let folder = JobFiles::new(&job.dir);
        std::fs::create_dir_all(folder.path("agent")).map_err(files)?;
        if folder.has("started") || folder.has("result.json") {
            return Ok(());
        }
        let server = self.server(&turn.runner)?;
        server.environment()?;
        let (project, thread) = (project_id(&job.repo), thread_id(&turn.run));
        let snapshot = self.snapshot(&turn.runner, true)?;
        let known =
            |list: &str, id: &str| snapshot[list].as_array().into_iter().flatten().any(|one| one["id"] == id);
        // The first intent stands: a later try must not take our own turn for an earlier one.
        let marker = if let Some(marker) = Self::marker(&folder)? {
            marker
        } else {
            let latest = self.thread(&turn.runner, &thread, false)?;
            let marker = Marker {
                schema: SCHEMA,
                runner: turn.runner.clone(),
                thread: thread.clone(),
                before: latest.and_then(|t| t["latestTurn"]["turnId"].as_str().map(str::to_owned)),
                at: iso(self.clock.now()),
                of_upgrade: turn.asked == Asked::Upgrade,
            };
            let bytes = serde_json::to_vec(&marker).map_err(|error| files(error.into()))?;
            folder.replace("t3.json", &bytes).map_err(files)?;
            marker
        };
        self.snapshots.borrow_mut().remove(&turn.runner);
        let selection = json!({ "instanceId": server.instance, "model": server.model });
        if !known("projects", &project) {
            let root = [&job.repo.forge, &job.repo.owner, &job.repo.name];
            let root = root.iter().fold(self.work.clone(), |path, part| path.join(part));
            server.dispatch(&json!({
                "type": "project.create", "commandId": format!("{project}-create"), "projectId": project,
                "title": format!("offhours {}", job.repo.path()), "workspaceRoot": root,
                "createWorkspaceRootIfMissing": true, "createdAt": marker.at,
            }))?;
        }
        if !known("threads", &thread) {
            server.dispatch(&json!({
                "type": "thread.create", "commandId": format!("{thread}-create"), "threadId": thread,
                "projectId": project, "title": format!("{} {}", job.repo.path(), turn.run),
                "modelSelection": selection, "runtimeMode": "full-access", "interactionMode": "default",
                "branch": branch(&turn.folder.work()), "worktreePath": turn.folder.work(), "createdAt": marker.at,
            }))?;
        }
        let mut text: String = turn.prompt.chars().take(MESSAGE_CHARS).collect();
        // The agent's environment is T3's, so that the name of the file is told.
        text.push_str(&format!(
            "\n\n`$OFFHOURS_RESULT` is `{}`; you work in `{}`.\n",
            folder.path("agent/result.json").display(),
            turn.folder.work().display()
        ));
        folder.replace("prompt.md", text.as_bytes()).map_err(files)?;
        server.dispatch(&json!({
            "type": "thread.turn.start", "commandId": job.id, "threadId": thread,
            "message": { "messageId": format!("{}-message", job.id), "role": "user", "text": text, "attachments": [] },
            "modelSelection": selection, "runtimeMode": "full-access", "interactionMode": "default",
            "createdAt": marker.at,
        }))?;
        folder.mark_started(self.clock.now()).map_err(files)?;
        Ok(())
    }

    fn look(&self, folder: &JobFiles, marker: &Marker, fresh: bool) -> PortResult<JobState> {
        if let Some(result) = folder.read_result().map_err(PortError::broken)? {
            return Ok(JobState::Over(Box::new(result)));
        }
        if !folder.has("started") {
            return Ok(JobState::NotStarted);
        }
        let thread = self.thread(&marker.runner, &marker.thread, fresh)?;
        let asked = thread.as_ref().is_some_and(|t| {
            t["hasPendingApprovals"].as_bool() == Some(true)
                || t["hasPendingUserInput"].as_bool() == Some(true)
        });
        let told = match thread {
            None => Some(Err(cut_off("the thread is not in T3 Code any more"))),
            Some(thread) => self.told(marker, &thread)?,
        };
        let Some(told) = told else {
            let server = self.server(&marker.runner)?;
            let asks = if asked {
                let environment = server.environment()?;
                Some(format!("{}/{environment}/{}", server.url, marker.thread))
            } else {
                None
            };
            return Ok(JobState::Running { started_at: folder.started_at(), verifying: false, asks });
        };
        let result = self.result(folder, marker, told.err());
        if !self.dry {
            folder.write_result(&result).map_err(files)?;
        }
        Ok(JobState::Over(Box::new(result)))
    }

    /// What became of our turn: `None` while it runs or has still to begin; then the trouble, in T3's words.
    fn told(&self, marker: &Marker, thread: &Value) -> PortResult<Option<Result<(), TurnEnd>>> {
        let latest = &thread["latestTurn"];
        let error = || shorten(thread["session"]["lastError"].as_str().unwrap_or_default(), 500);
        let ours = latest["turnId"].as_str().filter(|id| Some(*id) != marker.before.as_deref());
        if ours.is_some() {
            return Ok(match latest["state"].as_str() {
                Some("completed") => Some(Ok(())),
                // An interrupt ends as `error`, too: either way the agent did not come to an end of its own.
                Some("error" | "interrupted") => Some(Err(if error().is_empty() {
                    cut_off("T3 Code ended the turn with an error")
                } else {
                    cut_off(&error())
                })),
                Some(_) | None => None,
            });
        }
        match thread["session"]["status"].as_str() {
            Some("stopped") => return Ok(Some(Err(cut_off("the session was stopped in T3 Code")))),
            Some("running" | "starting") => return Ok(None),
            Some(_) | None => {}
        }
        // Taken and never begun: only the thread's own page says why.
        let path = format!("/api/orchestration/threads/{}", marker.thread);
        let detail = self.server(&marker.runner)?.ask(&path, None)?;
        let activities = detail["thread"]["activities"].as_array().cloned().unwrap_or_default();
        let failed = activities.iter().rev().find(|activity| {
            activity["kind"] == "provider.turn.start.failed"
                && activity["createdAt"].as_str().is_none_or(|at| at >= marker.at.as_str())
        });
        Ok(failed.map(|activity| {
            let why =
                activity["payload"]["detail"].as_str().or(activity["summary"].as_str()).unwrap_or_default();
            let detail = format!("T3 Code could not start the turn: {}", shorten(why, 400));
            Err(TurnEnd::FailedToStart { detail })
        }))
    }

    fn result(&self, folder: &JobFiles, marker: &Marker, told: Option<TurnEnd>) -> JobResult {
        let asked = if marker.of_upgrade { Asked::Upgrade } else { Asked::Work };
        let answer = answer(folder.read_agent_file(), asked);
        let file = answer.file();
        let process = if folder.has("stop") { ProcessEnd::Stopped } else { ProcessEnd::Exit(0) };
        JobResult {
            started_at: folder.started_at(),
            ended_at: self.clock.now(),
            end: conclude(&process, told, &answer),
            exit_code: None,
            usage: Usage {
                // T3 Code tells no cost.
                cost_usd: file.and_then(|file| file.cost_usd),
                session: Some(marker.thread.clone()),
                ..Usage::default()
            },
            verify: None,
            hook_notes: Vec::new(),
            summary: file.and_then(|file| file.summary.clone()),
        }
    }

    fn end(&self, folder: &JobFiles, marker: &Marker, id: &str) -> PortResult<()> {
        std::fs::File::options().create(true).append(true).open(folder.path("stop")).map_err(files)?;
        if !folder.has("result.json") {
            let server = self.server(&marker.runner)?;
            let at = iso(self.clock.now());
            if self.thread(&marker.runner, &marker.thread, true)?.is_some() {
                for (kind, word) in [("thread.turn.interrupt", "interrupt"), ("thread.session.stop", "stop")]
                {
                    server.dispatch(&json!({
                        "type": kind, "commandId": format!("{id}-{word}"), "threadId": marker.thread, "createdAt": at,
                    }))?;
                }
                self.gone(marker)?;
            }
            folder.write_result(&self.result(folder, marker, Some(TurnEnd::Stopped))).map_err(files)?;
            folder.mark_started(self.clock.now()).map_err(files)?;
        }
        process::end_by_cookie(id);
        Ok(())
    }

    /// Waits until the session is seen to have ended.
    fn gone(&self, marker: &Marker) -> PortResult<()> {
        let begun = Instant::now();
        loop {
            let thread = self.thread(&marker.runner, &marker.thread, true)?;
            let alive = thread.is_some_and(|t| {
                t["latestTurn"]["state"] == "running"
                    || matches!(t["session"]["status"].as_str(), Some("running" | "starting"))
            });
            if !alive {
                return Ok(());
            }
            if begun.elapsed() >= STOP_WAIT {
                return Err(PortError::later(format!(
                    "T3 Code has not ended the session of {} yet; the next tick looks again.",
                    marker.thread
                )));
            }
            std::thread::sleep(POLL);
        }
    }
}

/// Something in T3 ended the turn.
fn cut_off(detail: &str) -> TurnEnd {
    TurnEnd::CutOff { by: CutBy::Outside, detail: detail.to_owned() }
}

/// The branch that the clone stands on, by its HEAD; for T3's own display.
fn branch(work: &Path) -> Option<String> {
    let head = std::fs::read_to_string(work.join(".git/HEAD")).ok()?;
    Some(shorten(head.strip_prefix("ref: refs/heads/")?, 200)).filter(|name| !name.is_empty())
}

impl Runner for T3Runner {
    fn start(&self, job: &JobSpec) -> PortResult<()> {
        match &job.kind {
            JobKind::Turn(turn) if self.servers.contains_key(&turn.runner) => self.begin(job, turn),
            JobKind::Turn(_) | JobKind::Check { .. } | JobKind::Command { .. } => self.command.start(job),
        }
    }

    fn state(&self, dir: &Path) -> PortResult<JobState> {
        let folder = JobFiles::new(dir);
        match Self::marker(&folder)? {
            Some(marker) => self.look(&folder, &marker, false),
            None => self.command.state(dir),
        }
    }

    fn stop(&self, dir: &Path, id: &str) -> PortResult<()> {
        let folder = JobFiles::new(dir);
        match Self::marker(&folder)? {
            Some(marker) => self.end(&folder, &marker, id),
            None => self.command.stop(dir, id),
        }
    }

    fn wait(&self, dir: &Path) -> PortResult<()> {
        let folder = JobFiles::new(dir);
        let Some(marker) = Self::marker(&folder)? else { return self.command.wait(dir) };
        while matches!(self.look(&folder, &marker, true)?, JobState::Running { asks: None, .. }) {
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_t3_writes_them() {
        assert_eq!(iso(UnixTime(1_772_445_600)), "2026-03-02T10:00:00.000Z");
    }

    #[test]
    fn a_project_belongs_to_one_repo_for_ever() {
        let id = |text: &str| project_id(&RepoId::parse(text, None).unwrap());
        assert_eq!(id("home:me/app"), id("home:me/app"));
        assert_ne!(id("home:me/app"), id("home:me/app2"));
        assert_eq!(id("home:me/app").len(), "offhours-".len() + 32);
    }
}
