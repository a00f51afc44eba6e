//! What a look at a run hands back beside the evidence.

use crate::domain::model::JobResult;
use crate::ports::PortError;

/// What the state file has to have before anything is decided by it.
#[derive(Debug)]
pub enum Found {
    /// The turn is over.
    Over(Box<JobResult>),
    /// The agent asks, and where it is to be answered.
    Asks { link: String },
    /// The supervisor of the turn died.
    Orphaned,
    /// Something could not be read.
    Failed(PortError),
}
