//! What CI says of a commit.

/// One check of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    /// Who reports it, as plain data: an app and its workflow, or a kind of report. Checks of one name and one source
    /// are one check, and only a newer one of these takes an older one's place.
    pub source: String,
    pub state: CheckState,
    /// Where people read about it: a URL or a path.
    pub link: Option<String>,
    /// The end of its log, cleaned of control characters; empty where there is none.
    pub log_tail: String,
    /// Hash over the log with numbers and times taken out, so that the same failure is known as the same.
    pub fingerprint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckState {
    Pending,
    /// It really ran, and succeeded.
    Green,
    Red,
    /// It did not run, or says that it has nothing to say (skipped, neutral): it neither helps nor hurts.
    Skipped,
    /// Cancelled: neither red nor green, until a newer one takes its place.
    Superseded,
    /// A person has to act before it goes on.
    NeedsPerson,
}

/// What one CI stage says of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageReading {
    /// A stage that offhours has to start itself (kind `command`) and that was not started for this commit.
    NotStarted,
    Checks(Vec<Check>),
}
