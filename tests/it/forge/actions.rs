//! What the simulated Actions give a commit besides its one check.

use serde_json::{Value, json};

use super::{Model, shape};

/// A run of a workflow that has no check: it ended before any job began.
#[derive(Clone, Debug)]
pub struct Flow {
    pub id: u64,
    pub sha: String,
    pub workflow: &'static str,
    pub event: &'static str,
    pub conclusion: &'static str,
    pub attempt: u32,
}

/// What CI gives each commit that it sees.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Checks instead of the usual one, oldest first: by which app, of which workflow, and how they ended.
    pub checks: Vec<(&'static str, &'static str, &'static str)>,
    /// Runs of workflows without a check, oldest first: of which workflow, by which event, and how they ended.
    pub flows: Vec<(&'static str, &'static str, &'static str)>,
    /// Contexts of statuses that are good.
    pub statuses: Vec<&'static str>,
}

impl Model {
    pub(super) fn give(&mut self, repo: &str, sha: &str) {
        let own = self.repo(repo).own.clone();
        for (workflow, event, conclusion) in own.flows {
            let id = self.id();
            let sha = sha.to_owned();
            self.repo(repo).flows.push(Flow { id, sha, workflow, event, conclusion, attempt: 1 });
        }
        for context in own.statuses {
            self.status(repo, sha, context, "success", "ada", None);
        }
    }
}

/// The number of a workflow.
pub fn number(workflow: &str) -> u64 {
    workflow.bytes().map(u64::from).sum()
}

/// As GitHub shows it.
pub fn hub_run(repo: &str, flow: &Flow) -> Value {
    let run = json!({ "id": flow.id, "name": flow.workflow, "head_sha": flow.sha, "status": "completed",
        "conclusion": flow.conclusion, "run_attempt": flow.attempt, "event": flow.event, "check_suite_id": flow.id,
        "workflow_id": number(flow.workflow), "path": format!(".github/workflows/{}@main", flow.workflow) });
    shape::workflow_run(repo, run)
}
