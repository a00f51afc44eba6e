//! How git shows a server who we are, and to which.

use std::rc::Rc;

use crate::domain::model::RepoId;
use crate::domain::secret::Secret;
use crate::ports::PortResult;

/// How git shows a server who we are.
#[derive(Clone, Debug)]
pub struct GitCredentials {
    /// Scheme, host and a slash: to no other server is the header sent.
    pub origin: String,
    /// Value of the header `Authorization`.
    pub header: Secret,
    /// The token in it, for it may not be told in any form.
    pub token: Secret,
}

/// The credentials for a repo's remote, asked for at each use.
pub type Credentials = Rc<dyn Fn(&RepoId) -> PortResult<Option<GitCredentials>>>;
