//! What is particular to each agent's command line: how a session is continued, how a budget is given, what keeps it from
//! asking, updating or retrying without end. Seen on claude 2.1, codex 0.169 and opencode 1.18.

/// Which agent stands behind an argv, and so how its standard output is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Not at all; only the result file speaks.
    Script,
    /// `claude -p --output-format stream-json --verbose`, or `json`.
    Claude,
    /// `codex exec --json`.
    Codex,
    /// `opencode run --format json`.
    OpenCode,
}

impl Profile {
    /// Put behind the argv to continue a session.
    pub(super) fn session_args(self) -> &'static [&'static str] {
        match self {
            Self::Script => &[],
            Self::Claude => &["--resume", "{session}"],
            Self::Codex => &["resume", "{session}"],
            Self::OpenCode => &["--session", "{session}"],
        }
    }

    /// Put behind the argv of agents that keep to a budget themselves.
    pub(super) fn budget_args(self) -> &'static [&'static str] {
        match self {
            Self::Script | Self::Codex | Self::OpenCode => &[],
            Self::Claude => &["--max-budget-usd", "{budget_usd}"],
        }
    }

    /// Variables that an agent working alone is given, unless the configuration passes on its own.
    ///
    /// claude retries a refused login and an overloaded provider for minutes without a word; six tries are half a minute,
    /// and well below any stall limit.
    pub(super) fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Script | Self::Codex => &[],
            Self::Claude => &[
                ("CLAUDE_CODE_MAX_RETRIES", "6"),
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
            ],
            Self::OpenCode => &[("OPENCODE_DISABLE_AUTOUPDATE", "1")],
        }
    }

    /// Whether the agent says that the session it was to continue does not exist (any more): its home was lost, or it
    /// was ended before it had written anything.
    pub(super) fn lost_its_session(self, said: &str) -> bool {
        let words: &[&str] = match self {
            Self::Script => &[],
            Self::Claude => &["No conversation found with session ID"],
            Self::Codex => &["no rollout found for thread id"],
            Self::OpenCode => &["Session not found"],
        };
        words.iter().any(|word| said.contains(word))
    }
}
