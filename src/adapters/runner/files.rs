//! A job's folder: what stands in it and how it is read.
//!
//! `spec.json` what is to be done, `lock` held while its supervisor lives, `started` made exclusively before anything
//! runs, `verifying` while the tests run, `stop` asks for the end, `result.json` written by rename at the end;
//! `prompt.md`, `stdout.log`, `stderr.log`, `supervisor.log`; `agent/result.json` is the agent's own word.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::boundary;
use crate::domain::model::{JobResult, Oid, TurnEnd, UnixTime, Usage, VerifyResult};
use crate::ports::{PortError, PortResult};

/// The format of spec and result; a newer binary reads the one before it, too.
pub const SCHEMA: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    pub schema: u32,
    pub id: String,
    pub repo: String,
    pub timeout_seconds: u64,
    pub stall_seconds: Option<u64>,
    /// The environment of everything the job starts, but for the values that are passed through by name.
    pub home: PathBuf,
    pub path: String,
    pub pass: Vec<String>,
    pub private_root: PathBuf,
    pub workspace_root: PathBuf,
    pub work: SpecWork,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SpecWork {
    Turn(Box<SpecTurn>),
    Check { oid: String, argv: Vec<String> },
    Command { cwd: PathBuf, argv: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpecTurn {
    pub run: String,
    pub folder: PathBuf,
    pub base: String,
    pub argv: Vec<String>,
    pub prompt: PromptBy,
    pub profile: Profile,
    pub session: Option<String>,
    pub budget_usd: f64,
    pub first: bool,
    pub verify: Vec<String>,
    pub verify_timeout_seconds: u64,
    pub after_create: Vec<String>,
    pub before_turn: Vec<String>,
    pub after_turn: Vec<String>,
    pub hook_timeout_seconds: u64,
    /// Dollars per million tokens, where the agent tells no cost.
    pub price_input: Option<f64>,
    pub price_output: Option<f64>,
}

/// How the prompt reaches the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptBy {
    Stdin,
    /// The path of a file is the last argument.
    File,
    /// The text is the last argument.
    Argument,
}

/// Whose output is read for cost, session, quota and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    Script,
    Claude,
    Codex,
}

#[derive(Serialize, Deserialize)]
struct WireResult {
    schema: u32,
    started_at: i64,
    ended_at: i64,
    end: WireEnd,
    exit_code: Option<i32>,
    cost_usd: Option<f64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    session: Option<String>,
    verify: Option<WireVerify>,
    hook_notes: Vec<String>,
    summary: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WireVerify {
    oid: String,
    green: bool,
    log_tail: String,
    fingerprint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
enum WireEnd {
    Finished,
    Blocked { reason: String },
    Error { detail: String },
    TimedOut,
    Stalled,
    PermissionDenied { detail: String },
    Quota { resets_at: Option<i64>, detail: String },
    LoginRefused { detail: String },
    FailedToStart { detail: String },
    Stopped,
}

fn end_to_wire(end: &TurnEnd) -> WireEnd {
    match end.clone() {
        TurnEnd::Finished => WireEnd::Finished,
        TurnEnd::Blocked { reason } => WireEnd::Blocked { reason },
        TurnEnd::Error { detail } => WireEnd::Error { detail },
        TurnEnd::TimedOut => WireEnd::TimedOut,
        TurnEnd::Stalled => WireEnd::Stalled,
        TurnEnd::PermissionDenied { detail } => WireEnd::PermissionDenied { detail },
        TurnEnd::Quota { resets_at, detail } => WireEnd::Quota { resets_at: resets_at.map(|t| t.0), detail },
        TurnEnd::LoginRefused { detail } => WireEnd::LoginRefused { detail },
        TurnEnd::FailedToStart { detail } => WireEnd::FailedToStart { detail },
        TurnEnd::Stopped => WireEnd::Stopped,
    }
}

fn end_from_wire(end: WireEnd) -> TurnEnd {
    match end {
        WireEnd::Finished => TurnEnd::Finished,
        WireEnd::Blocked { reason } => TurnEnd::Blocked { reason },
        WireEnd::Error { detail } => TurnEnd::Error { detail },
        WireEnd::TimedOut => TurnEnd::TimedOut,
        WireEnd::Stalled => TurnEnd::Stalled,
        WireEnd::PermissionDenied { detail } => TurnEnd::PermissionDenied { detail },
        WireEnd::Quota { resets_at, detail } => TurnEnd::Quota { resets_at: resets_at.map(UnixTime), detail },
        WireEnd::LoginRefused { detail } => TurnEnd::LoginRefused { detail },
        WireEnd::FailedToStart { detail } => TurnEnd::FailedToStart { detail },
        WireEnd::Stopped => TurnEnd::Stopped,
    }
}

/// Writes a file so that it is there whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = path.with_extension("part");
    let mut file = File::create(&temp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    boundary::pass("file.rename");
    fs::rename(&temp, path)?;
    boundary::pass("file.rename");
    Ok(())
}

/// Reads a JSON file of ours. `Ok(None)`: not there.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> PortResult<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
            PortError::broken(format!(
                "{} is not what offhours writes there ({e}); it was changed or cut",
                path.display()
            ))
        }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(PortError::later(format!("{} could not be read: {e}", path.display()))),
    }
}

pub fn write_result(dir: &Path, result: &JobResult) -> io::Result<()> {
    let wire = WireResult {
        schema: SCHEMA,
        started_at: result.started_at.0,
        ended_at: result.ended_at.0,
        end: end_to_wire(&result.end),
        exit_code: result.exit_code,
        cost_usd: result.usage.cost_usd.filter(|c| c.is_finite() && *c >= 0.0),
        input_tokens: result.usage.input_tokens,
        output_tokens: result.usage.output_tokens,
        session: result.usage.session.clone(),
        verify: result.verify.as_ref().map(|v| WireVerify {
            oid: v.oid.to_string(),
            green: v.green,
            log_tail: v.log_tail.clone(),
            fingerprint: v.fingerprint.clone(),
        }),
        hook_notes: result.hook_notes.clone(),
        summary: result.summary.clone(),
    };
    write_whole(&dir.join("result.json"), &serde_json::to_vec_pretty(&wire)?)
}

pub fn read_result(dir: &Path) -> PortResult<Option<JobResult>> {
    let Some(wire) = read_json::<WireResult>(&dir.join("result.json"))? else { return Ok(None) };
    if wire.schema > SCHEMA {
        let what =
            format!("{}/result.json was written by a newer offhours (format {})", dir.display(), wire.schema);
        return Err(PortError::broken(what));
    }
    let verify = wire
        .verify
        .map(|v| {
            let oid = Oid::parse(&v.oid)
                .ok_or_else(|| PortError::broken(format!("`{}` is not a commit", v.oid)))?;
            Ok(VerifyResult { oid, green: v.green, log_tail: v.log_tail, fingerprint: v.fingerprint })
        })
        .transpose()?;
    Ok(Some(JobResult {
        started_at: UnixTime(wire.started_at),
        ended_at: UnixTime(wire.ended_at),
        end: end_from_wire(wire.end),
        exit_code: wire.exit_code,
        usage: Usage {
            cost_usd: wire.cost_usd,
            input_tokens: wire.input_tokens,
            output_tokens: wire.output_tokens,
            session: wire.session,
        },
        verify,
        hook_notes: wire.hook_notes,
        summary: wire.summary,
    }))
}

/// What an agent may write into `agent/result.json`. Words of an agent: they choose nothing but these.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct AgentWord {
    #[serde(default)]
    pub outcome: Option<String>,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub summary: Option<String>,
    #[serde(default)]
    pub cost_usd: Option<f64>,
    #[serde(default)]
    pub session: Option<String>,
}

/// An agent's result file is read up to here.
const MOST_AGENT_BYTES: u64 = 256 * 1024;

/// Reads the agent's own result file: no links followed, bounded. `Err`: what was wrong with it, as a sentence.
pub fn read_agent_word(dir: &Path) -> Result<Option<AgentWord>, String> {
    let path = dir.join("agent").join("result.json");
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let opened =
        OpenOptions::new().read(true).custom_flags(i32::try_from(flags.bits()).unwrap_or(0)).open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("the agent's result file could not be opened: {e}")),
    };
    if !file.metadata().is_ok_and(|m| m.is_file()) {
        return Err("the agent's result file is not a file".to_owned());
    }
    let mut bytes = vec![];
    file.take(MOST_AGENT_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("the agent's result file: {e}"))?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|e| format!("the agent's result file is not as described: {e}"))
}
