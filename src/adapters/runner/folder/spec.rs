//! What the tick tells the supervisor, and a session that is gone on with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::adapters::runner::answer::session_name;
use crate::adapters::runner::usage::{Counted, Prices, Profile, Tokens};

/// Of every file here but the result. A reader knows this one and all before it.
pub(crate) const SCHEMA: u32 = 1;

/// How the prompt reaches the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptPassing {
    /// On standard input.
    Stdin,
    /// In the file that `OFFHOURS_PROMPT_FILE` and the placeholder `{prompt_file}` name.
    File,
    /// As the last word of the argv.
    Argument,
}

/// Commands of the config around turns; an empty argv is no hook.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hooks {
    pub after_create: Vec<String>,
    /// Its failure is fatal to the turn.
    pub before_turn: Vec<String>,
    pub after_turn: Vec<String>,
    /// Not run by the supervisor of a turn: it is a job of its own (`JobKind::Command`).
    pub before_remove: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SpecFile {
    pub(crate) schema: u32,
    pub(crate) id: String,
    pub(crate) repo: String,
    pub(crate) timeout_seconds: u64,
    pub(crate) stall_seconds: Option<u64>,
    pub(crate) home: PathBuf,
    /// Names of environment variables that are passed on; never values.
    pub(crate) env: Vec<String>,
    pub(crate) wrap: Vec<String>,
    /// The objects that the repo's workspaces borrow: a sandbox has to show them.
    #[serde(default)]
    pub(crate) objects: PathBuf,
    pub(crate) work: WorkFile,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum WorkFile {
    Turn(Box<TurnFile>),
    Check { oid: String, argv: Vec<String> },
    Command { cwd: PathBuf, argv: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TurnFile {
    pub(crate) run: String,
    pub(crate) folder: PathBuf,
    pub(crate) base: String,
    pub(crate) profile: ProfileFile,
    pub(crate) prices: Option<PricesFile>,
    pub(crate) argv: Vec<String>,
    pub(crate) prompt: PromptPassing,
    pub(crate) session: Option<String>,
    pub(crate) first: bool,
    pub(crate) hooks: Hooks,
    pub(crate) hook_timeout_seconds: u64,
    pub(crate) verify: Vec<String>,
    pub(crate) verify_timeout_seconds: u64,
    /// The agent was asked about a red upgrade: its result file may say other words.
    #[serde(default)]
    pub(crate) of_upgrade: bool,
    /// The argv without its session, for where that one is not there any more; empty: there is no other way.
    #[serde(default)]
    pub(crate) fresh_argv: Vec<String>,
    /// Variables of the profile, with their values; none of them is a secret.
    #[serde(default)]
    pub(crate) set: Vec<(String, String)>,
    /// What the session had counted before.
    #[serde(default)]
    pub(crate) before: Option<SessionFile>,
    /// The socket of the tmux server that the turn runs in, where it does.
    #[serde(default)]
    pub(crate) tmux: Option<PathBuf>,
}

/// `session.json`: written as soon as an agent has named its session, so that a later turn can continue it also where
/// this one's supervisor died, and once more with what was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SessionFile {
    schema: u32,
    pub(crate) profile: ProfileFile,
    session: String,
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
}

impl SessionFile {
    pub(crate) fn new(profile: Profile, Counted { session, tokens }: Counted) -> Self {
        Self {
            schema: SCHEMA,
            profile: profile.into(),
            session,
            input_tokens: tokens.input,
            cached_input_tokens: tokens.cached,
            output_tokens: tokens.output,
        }
    }

    /// `None` where the name is not one: an agent without a sandbox can write this file.
    pub(crate) fn counted(&self) -> Option<Counted> {
        let tokens =
            Tokens { input: self.input_tokens, cached: self.cached_input_tokens, output: self.output_tokens };
        Some(Counted { session: session_name(&self.session)?, tokens })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProfileFile {
    Script,
    Claude,
    Codex,
    OpenCode,
}

impl From<Profile> for ProfileFile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Script => Self::Script,
            Profile::Claude => Self::Claude,
            Profile::Codex => Self::Codex,
            Profile::OpenCode => Self::OpenCode,
        }
    }
}

impl From<ProfileFile> for Profile {
    fn from(profile: ProfileFile) -> Self {
        match profile {
            ProfileFile::Script => Self::Script,
            ProfileFile::Claude => Self::Claude,
            ProfileFile::Codex => Self::Codex,
            ProfileFile::OpenCode => Self::OpenCode,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PricesFile {
    input: f64,
    cached_input: Option<f64>,
    output: f64,
}

impl From<Prices> for PricesFile {
    fn from(Prices { input, cached_input, output }: Prices) -> Self {
        Self { input, cached_input, output }
    }
}

impl From<PricesFile> for Prices {
    fn from(PricesFile { input, cached_input, output }: PricesFile) -> Self {
        Self { input, cached_input, output }
    }
}
