//! What CI says of a commit: statuses and check runs, read both, since each knows nothing of the other; and where both
//! are green, whether Actions has more to come.

use serde::Deserialize;
use serde_json::Value;

use super::GitHub;
use crate::adapters::forge::{Checks, cut_at_error, red_check, twice};
use crate::adapters::http::{Answer, Client, Method, encoded};
use crate::domain::checks::Required;
use crate::domain::model::{Check, CheckState, Oid, RepoId};
use crate::ports::{PortError, PortResult};

/// Logs that are fetched for one reading; the other failures are told by their summaries.
const MOST_LOGS: usize = 3;

#[derive(Debug, Deserialize)]
struct CheckRun {
    id: u64,
    name: String,
    #[serde(default)]
    status: String,
    conclusion: Option<String>,
    html_url: Option<String>,
    details_url: Option<String>,
    app: Option<App>,
    output: Option<Output>,
}

#[derive(Debug, Deserialize)]
struct App {
    #[serde(default)]
    slug: String,
}

#[derive(Debug, Deserialize)]
struct Output {
    title: Option<String>,
    summary: Option<String>,
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Status {
    context: String,
    state: String,
    target_url: Option<String>,
    description: Option<String>,
}

/// A rule that holds for a branch, of whatever rule set.
#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(rename = "type", default)]
    kind: String,
    parameters: Option<Parameters>,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    required_status_checks: Vec<Context>,
}

#[derive(Debug, Deserialize)]
struct Context {
    context: String,
}

#[derive(Debug, Deserialize)]
struct Branch {
    protection: Option<Protection>,
}

/// Of a branch protection, the older way.
#[derive(Debug, Deserialize)]
struct Protection {
    required_status_checks: Option<Contexts>,
}

#[derive(Debug, Deserialize)]
struct Contexts {
    #[serde(default)]
    contexts: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct WorkflowRun {
    id: u64,
    name: Option<String>,
    #[serde(default)]
    status: String,
    conclusion: Option<String>,
    html_url: Option<String>,
    #[serde(default)]
    run_attempt: u32,
}

impl WorkflowRun {
    /// What its jobs do not tell: that more of them are to come, or that there is none because it could not be read or
    /// because somebody has to allow it first.
    fn beyond_its_jobs(self) -> Option<Check> {
        let state = match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("startup_failure")) => CheckState::Red,
            ("completed", Some("action_required")) => CheckState::NeedsPerson,
            ("completed", _) => return None,
            _ => CheckState::Pending,
        };
        let name = format!("workflow {}", self.name.unwrap_or_else(|| self.id.to_string()));
        Some(red_check(name, state, self.html_url, "the workflow could not be started"))
    }
}

impl CheckRun {
    fn state(&self) -> CheckState {
        match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("success" | "neutral" | "skipped")) => CheckState::Green,
            ("completed", Some("failure" | "timed_out" | "startup_failure")) => CheckState::Red,
            ("completed", Some("cancelled")) => CheckState::Superseded,
            (_, Some("action_required")) => CheckState::NeedsPerson,
            // `stale` was given up by GitHub itself: nothing is known, and the time-out will say so.
            _ => CheckState::Pending,
        }
    }

    fn words(&self) -> String {
        let Some(output) = &self.output else { return String::new() };
        let parts = [&output.title, &output.summary, &output.text];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl Status {
    fn state(&self) -> CheckState {
        match self.state.as_str() {
            "success" => CheckState::Green,
            "failure" | "error" => CheckState::Red,
            _ => CheckState::Pending,
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(entries: Vec<Value>, doing: &str) -> PortResult<Vec<T>> {
    entries.into_iter().map(serde_json::from_value).collect::<Result<_, _>>().map_err(|error| {
        PortError::broken(format!(
            "{doing}: an entry cannot be understood: {error}. The next tick tries again."
        ))
    })
}

/// A server of a plan or an age that knows no rules has none.
fn knows_rules(answer: &Answer) -> bool {
    answer.status != 404 && !(answer.status == 403 && answer.said().contains("Upgrade to"))
}

impl GitHub {
    fn names_required(&self, repo: &RepoId, branch: &str) -> PortResult<Vec<String>> {
        let doing = format!(
            "reading what the rules of {} in {repo} require (ci.required says it in their place)",
            crate::domain::message::plain(branch, 60)
        );
        let (base, branch) = (Self::repo_path(repo), encoded(branch));
        let client = self.client.owed();
        let path = format!("{base}/rules/branches/{branch}?per_page=100");
        let first = client.settled(&doing, &path)?;
        let mut names = vec![];
        if knows_rules(&first) {
            let first = client.judged(first, &doing)?;
            let rules: Vec<Rule> = read(client.rest(&doing, &first, "")?, &doing)?;
            let ours = rules.into_iter().filter(|rule| rule.kind == "required_status_checks");
            let contexts = ours.filter_map(|rule| rule.parameters).flat_map(|p| p.required_status_checks);
            names.extend(contexts.map(|one| one.context));
        }
        let path = format!("{base}/branches/{branch}");
        let answer = client.settled(&doing, &path)?;
        if knows_rules(&answer) {
            let found: Branch = client.judged(answer, &doing)?.json(&doing)?;
            let contexts = found.protection.and_then(|protection| protection.required_status_checks);
            names.extend(contexts.map(|one| one.contexts).unwrap_or_default());
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn workflow_runs(client: &Client, repo: &RepoId, oid: &Oid, doing: &str) -> PortResult<Vec<WorkflowRun>> {
        let path = format!("{}/actions/runs?head_sha={oid}&per_page=100", Self::repo_path(repo));
        read(client.pages_of(doing, &path, "workflow_runs")?, doing)
    }

    /// The end of an Actions job's log; empty where it cannot be had.
    fn job_log(&self, repo: &RepoId, run: &CheckRun) -> String {
        if run.app.as_ref().is_none_or(|app| app.slug != "github-actions") {
            return String::new();
        }
        let doing = format!("reading the log of {} in {repo}", crate::domain::message::plain(&run.name, 60));
        let path = format!("{}/actions/jobs/{}/logs", Self::repo_path(repo), run.id);
        let log = self.client.get_any(&doing, &path).and_then(|answer| match answer.location.clone() {
            Some(place) if answer.status == 302 => self.client.get_elsewhere(&doing, &place),
            Some(_) | None => answer.good(&doing),
        });
        // A log that cannot be had changes no decision: the summary stands for it.
        log.map(|answer| cut_at_error(&String::from_utf8_lossy(&answer.body))).unwrap_or_default()
    }
}

impl Checks for GitHub {
    fn checks(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>> {
        let doing = format!("reading the checks of {} in {repo}", oid.short());
        let client = self.client.owed();
        let commit = format!("{}/commits/{oid}", Self::repo_path(repo));
        let path = format!("{commit}/check-runs?filter=latest&per_page=100");
        let runs: Vec<CheckRun> = read(client.pages_of(&doing, &path, "check_runs")?, &doing)?;
        let path = format!("{commit}/status?per_page=100");
        let statuses: Vec<Status> = read(client.pages_of(&doing, &path, "statuses")?, &doing)?;
        let mut logs = 0;
        let mut checks = Vec::new();
        for run in runs {
            let state = run.state();
            let mut text = String::new();
            if state == CheckState::Red {
                if logs < MOST_LOGS {
                    text = self.job_log(repo, &run);
                    logs += 1;
                }
                if text.is_empty() {
                    text = run.words();
                }
            }
            checks.push(red_check(run.name, state, run.html_url.or(run.details_url), &text));
        }
        for status in statuses {
            let state = status.state();
            let text = status.description.unwrap_or_default();
            checks.push(red_check(status.context, state, status.target_url, &text));
        }
        Ok(checks)
    }

    /// A job that needs others has no check run before they are over: what is green may be half of it.
    fn to_come(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>> {
        let doing = format!("reading whether more checks of {} in {repo} are to come", oid.short());
        match Self::workflow_runs(&self.client.owed(), repo, oid, &doing) {
            Ok(runs) => Ok(runs.into_iter().filter_map(WorkflowRun::beyond_its_jobs).collect()),
            // A server without Actions.
            Err(PortError::Gone { .. }) => Ok(vec![]),
            Err(error) => Err(error),
        }
    }

    fn required(&self, repo: &RepoId, branch: &str) -> PortResult<Vec<Required>> {
        let names = self.names_required(repo, branch)?;
        Ok(names.into_iter().map(|name| Required { name, pattern: false }).collect())
    }

    fn rerun(&self, repo: &RepoId, oid: &Oid, attempt: u32) -> PortResult<bool> {
        let doing = format!("having the failed checks of {} in {repo} run again", oid.short());
        let runs = twice(|| Self::workflow_runs(&self.client, repo, oid, &doing))?;
        let mut begun = false;
        for run in runs {
            let failed =
                matches!(run.conclusion.as_deref(), Some("failure" | "timed_out" | "startup_failure"));
            // Once more than it ran already: a repeat after a lost answer starts nothing.
            if failed && run.run_attempt < attempt {
                let path = format!("{}/actions/runs/{}/rerun-failed-jobs", Self::repo_path(repo), run.id);
                match twice(|| self.write(&doing, Method::Post, &path, None)) {
                    Ok(_) => begun = true,
                    // Too old, or the token may not: it stays red.
                    Err(PortError::Refused { .. } | PortError::Gone { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(begun)
    }
}
