//! What the configuration says of runners, as plain data.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::{Hooks, Prices, Profile, PromptPassing};
use crate::domain::model::RepoId;

/// What surrounds a process that a job runs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Names of environment variables that are passed on, besides the fixed few.
    pub env: Vec<String>,
    /// Files below the parent's home that are copied into the job's, by relative path (a leading `~/` is taken off).
    pub home_files: Vec<String>,
    /// Put before the argv: a sandbox. Placeholders as in [`RunnerSettings::argv`].
    pub wrap: Vec<String>,
}

/// One runner of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct RunnerSettings {
    pub profile: Profile,
    /// The agent. Placeholders in words: `{workspace}` `{objects}` `{job}` `{agent}` `{home}` `{tmp}`
    /// `{prompt_file}` `{result_file}` `{session}` `{budget_usd}`.
    pub argv: Vec<String>,
    /// Put behind the argv where a session is continued; `None`: what the profile's CLI wants.
    pub session_args: Option<Vec<String>>,
    /// Put behind the argv always; `None`: what the profile's CLI wants.
    pub budget_args: Option<Vec<String>>,
    pub prompt: PromptPassing,
    /// Of the agent, of verify and of the hooks (hooks are not wrapped).
    pub surroundings: Surroundings,
    pub hooks: Hooks,
    pub verify_timeout_seconds: u64,
    pub hook_timeout_seconds: u64,
    pub prices: Option<Prices>,
    /// In a tmux session that a person can attach to.
    pub tmux: bool,
}

/// The socket of a turn's tmux server, in a state folder: short, because a socket's path has few bytes.
pub fn tmux_socket(state_dir: &Path, turn: &str) -> PathBuf {
    state_dir.join("tmux").join(turn)
}

/// The runners that may work in a repo.
#[derive(Clone, Debug, PartialEq)]
pub struct RepoRunners {
    /// Its own, which it may have otherwise than the others have it.
    pub own: RunnerSettings,
    /// Those that a label can ask for, by name.
    pub others: BTreeMap<String, RunnerSettings>,
}

/// Everything the runner needs to know, as plain data. Holds values of the environment, so it is never shown.
#[derive(Clone)]
pub struct Settings {
    /// The offhours executable; see [`Settings::own_executable`].
    pub executable: PathBuf,
    /// Words behind `supervise <dir>`, for what the supervisor's own composition needs (such as `--state FILE`).
    pub supervisor_args: Vec<OsString>,
    /// Homes are made below `<state_dir>/homes`.
    pub state_dir: PathBuf,
    /// The root of all private repositories.
    pub repos: PathBuf,
    /// The parent's home, where `home_files` come from.
    pub home: Option<PathBuf>,
    /// The parent's environment, of which only allowed names are used.
    pub environment: BTreeMap<OsString, OsString>,
    pub runners: BTreeMap<RepoId, RepoRunners>,
    /// Of jobs of other repos.
    pub checks: Surroundings,
}

impl Settings {
    /// Asked once, before an upgrade may replace the file.
    pub fn own_executable() -> io::Result<PathBuf> {
        std::env::current_exe()
    }
}
