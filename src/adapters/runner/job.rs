//! The job that a supervisor holds to its end.

use std::io::Write as _;

use super::folder::{JobFiles, SpecFile};
use crate::domain::model::RepoId;
use crate::ports::Git;

pub(super) struct Job<'a> {
    pub(super) folder: &'a JobFiles,
    pub(super) spec: &'a SpecFile,
    pub(super) repo: RepoId,
    pub(super) git: &'a dyn Git,
}

/// Standard error is the job's `supervisor.log`.
pub(super) fn log(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}
