//! Where the private repositories and the workspaces lie, and how git is started there.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::child::Children;
use super::credentials::Credentials;

/// The port [`Git`](crate::ports::Git) on the git command line.
#[derive(Clone)]
pub struct GitRooms {
    pub(super) private_root: PathBuf,
    pub(super) workspace_root: PathBuf,
    /// Private repositories of the same host whose objects are read and that are never written.
    pub(super) lent: Option<PathBuf>,
    pub(super) children: Children,
    pub(super) credentials: Credentials,
}

impl GitRooms {
    /// Private repositories lie at `private_root/<forge>/<owner>/<name>.git`, runs' folders below `workspace_root`;
    /// both absolute, made when first needed. A git process is ended after `timeout`.
    pub fn new(private_root: PathBuf, workspace_root: PathBuf, timeout: Duration) -> Self {
        let children = Children::new(private_root.join(".home"), timeout);
        Self { private_root, workspace_root, lent: None, children, credentials: Rc::new(|_| Ok(None)) }
    }

    /// For a dry run: everything that is fetched goes below `scratch`, and workspaces that borrow from the repositories
    /// below `private_root` are read, while nothing is written to either.
    pub fn reading(
        scratch: PathBuf,
        private_root: PathBuf,
        workspace_root: PathBuf,
        timeout: Duration,
    ) -> Self {
        Self { lent: Some(private_root), ..Self::new(scratch, workspace_root, timeout) }
    }

    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }
}
