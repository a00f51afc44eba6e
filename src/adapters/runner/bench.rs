//! The folder of an upgrade's job, as a tick uses it: the request to an agent, its answer, the end of a log.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::answer::unwrapped;
use super::folder::JobFiles;
use super::output::log_tail;
use crate::adapters::files::write_whole;
use crate::boundary;
use crate::ports::{Bench, PortError, PortResult};

/// The port [`Bench`] on the folders of supervised jobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobBench;

impl Bench for JobBench {
    fn put(&self, job: &Path, name: &str, text: &str) -> PortResult<()> {
        let dir = job.join("agent");
        let trouble = |error: std::io::Error| {
            PortError::later(format!("writing {}: {error}", dir.join(name).display()))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(trouble)?;
        boundary::pass("request file");
        write_whole(&dir.join(name), text.as_bytes()).map_err(trouble)?;
        boundary::pass("request file");
        Ok(())
    }

    fn answer(&self, job: &Path) -> PortResult<Option<String>> {
        // What is no plain file, or no text, is no answer.
        let bytes = JobFiles::new(job).read_agent_file().unwrap_or(None);
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(text.map(|text| unwrapped(&text).to_owned()))
    }

    fn log_tail(&self, job: &Path) -> String {
        log_tail(&job.join("stdout.log"))
    }
}
