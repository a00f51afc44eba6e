//! What a push would bring.

/// One file as a diff between two commits shows it; input of the push guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path in the repository, lossy UTF-8; a path that is not UTF-8 has `odd_path` set.
    pub path: String,
    pub odd_path: bool,
    /// Git modes, octal as git prints them; 0 where the side does not exist.
    pub old_mode: u32,
    pub new_mode: u32,
    /// Size of the new blob in bytes; 0 for a deletion.
    pub new_size: u64,
    /// For a symlink (mode 120000): its target.
    pub link_target: Option<String>,
    /// Lines that the change adds, without the `+`, lossy UTF-8; binary files give none.
    pub added_lines: Vec<String>,
}

/// What a push would bring to the target; input of the push guard.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Change {
    pub files: Vec<FileChange>,
    /// Whole commit messages, oldest first.
    pub messages: Vec<String>,
}
