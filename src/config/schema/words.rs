//! The words that a key may have where only some are allowed.

use std::path::Path;

use strum::VariantArray as _;
use toml_edit::{Item, Value};

use super::super::value::{Bad, Element, Setting, words};
use crate::domain::effect::NoticeKind;
use crate::domain::model::{MergeBy, Permission};

words! {
    /// Which end of the priority numbers goes first.
    PriorityOrder { LargestFirst = "largest-first", SmallestFirst = "smallest-first", } not yet []
}
words! {
    /// Who merges a pull request.
    MergeRule { Person = "person", WhenGreen = "when-green", } not yet []
}

impl MergeRule {
    pub fn by(self) -> MergeBy {
        match self {
            Self::Person => MergeBy::Person,
            Self::WhenGreen => MergeBy::WhenGreen,
        }
    }
}

words! {
    /// What kind of issue tracker.
    ForgeKind { Local = "local", Github = "github", Forgejo = "forgejo", Gitea = "gitea", } not yet []
}
words! {
    /// How turns are started.
    RunnerKind { Command = "command", T3 = "t3", } not yet []
}
words! {
    /// Whose output is read for usage, session and errors.
    Profile { Script = "script", Claude = "claude", Codex = "codex", OpenCode = "opencode", } not yet []
}
words! {
    /// How the agent is handed its prompt.
    PromptBy { Stdin = "stdin", File = "file", Argument = "argument", } not yet []
}
words! {
    /// Where a turn runs.
    SessionKind { Background = "background", Tmux = "tmux", } not yet []
}
words! {
    /// What runs a CI stage.
    StageKind { Command = "command", Forge = "forge", Woodpecker = "woodpecker", Drone = "drone", } not yet []
}
words! {
    /// What sends messages.
    NotifyKind { Command = "command", Webhook = "webhook", Slack = "slack", Ntfy = "ntfy", Email = "email", } not yet []
}
/// The kinds of messages: a closed list.
impl Element for NoticeKind {
    fn accepts_many() -> String {
        listed(", ")
    }
    fn read_one(value: &Value) -> Result<Self, Bad> {
        let text = value.as_str().ok_or(Bad::Type)?;
        let odd = |_unknown| Bad::Says(format!("wants {}, and \"{text}\" is not that", listed(" or ")));
        text.parse().map_err(odd)
    }
    fn show_one(&self) -> Value {
        Value::from(self.code())
    }
}

fn listed(between: &str) -> String {
    let words = NoticeKind::VARIANTS.iter().map(|kind| format!("\"{}\"", kind.code()));
    words.collect::<Vec<_>>().join(between)
}

words! {
    /// The least permission that makes somebody's label count.
    TrustPermission { Write = "write", Admin = "admin", } not yet []
}

impl TrustPermission {
    pub fn permission(self) -> Permission {
        match self {
            Self::Write => Permission::Write,
            Self::Admin => Permission::Admin,
        }
    }
}
