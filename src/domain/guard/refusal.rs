//! What the guard is told, and what it answers.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardPolicy {
    /// Exact paths, `dir/` for all below it, and `*` for any run of characters within one name.
    pub allow_paths: Vec<String>,
    /// The only issue that commit messages may close.
    pub own_issue: u64,
    pub max_file_bytes: u64,
    /// `owner/name`: how the own issue may be named in full.
    pub repo: String,
}

/// One thing that was refused. `why` never repeats what looked like a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    /// A path, `path:line`, or which commit message. Data.
    pub place: String,
    pub why: &'static str,
}
