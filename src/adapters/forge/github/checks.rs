//! What CI says of a commit: statuses and check runs, read both, since each knows nothing of the other; and where neither
//! holds it up, whether Actions has more to come, or ended a workflow without a check.

use serde::Deserialize;

use super::GitHub;
use crate::adapters::forge::rest::repo_path;
use crate::adapters::forge::wire::read_all;
use crate::adapters::forge::{Checks, cut_at_error, ended_as, red_check, twice};
use crate::adapters::http::{Answer, Client, Method, encoded};
use crate::domain::checks::Required;
use crate::domain::model::{Check, CheckState, Oid, RepoId};
use crate::domain::workflow;
use crate::ports::{PortError, PortResult};

/// Logs that are fetched for one reading; the other failures are told by their summaries.
const MAX_LOGS: usize = 3;

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
    check_suite: Option<Suite>,
    output: Option<Output>,
}

#[derive(Debug, Deserialize)]
struct App {
    id: Option<u64>,
    #[serde(default)]
    slug: String,
}

#[derive(Debug, Deserialize)]
struct Suite {
    id: u64,
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
    workflow_id: Option<u64>,
    #[serde(default)]
    event: String,
    head_branch: Option<String>,
    check_suite_id: Option<u64>,
}

impl WorkflowRun {
    /// A word that is not known is no end.
    fn state(&self) -> CheckState {
        match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("success")) => CheckState::Green,
            ("completed", Some("neutral" | "skipped")) => CheckState::Skipped,
            ("completed", Some("cancelled")) => CheckState::Superseded,
            ("completed", Some("failure" | "timed_out" | "stale" | "startup_failure")) => CheckState::Red,
            ("completed", Some("action_required")) => CheckState::NeedsPerson,
            _ => CheckState::Pending,
        }
    }

    /// One that its server does not number is a workflow of its own.
    fn workflow(&self) -> String {
        self.workflow_id.map_or_else(|| format!("run {}", self.id), |id| format!("workflow {id}"))
    }

    fn told(&self) -> workflow::Run {
        workflow::Run {
            number: self.id,
            workflow: self.workflow(),
            event: self.event.clone(),
            branch: self.head_branch.clone().unwrap_or_default(),
            state: self.state(),
        }
    }

    /// What its jobs do not tell: that more of them are to come, or how it ended without one that says so, because it could
    /// not be read, was cancelled before them, or because somebody has to allow it first.
    fn beyond_its_jobs(&self, state: CheckState) -> Option<Check> {
        let word = self.conclusion.as_deref().unwrap_or_default();
        let text = match (state, word) {
            (CheckState::Green | CheckState::Skipped, _) => return None,
            (_, "startup_failure") => "the workflow could not be started".to_owned(),
            (CheckState::Red, _) if !workflow::is_caused(&self.event) => return None,
            (_, word) => ended_as(word),
        };
        let name = format!("workflow {}", self.name.clone().unwrap_or_else(|| self.id.to_string()));
        Some(red_check(self.workflow(), name, state, self.html_url.clone(), &text))
    }
}

/// The runs of the workflows of a commit.
struct Flows(Vec<WorkflowRun>);

impl Flows {
    fn standing(&self) -> Vec<(&WorkflowRun, CheckState)> {
        let standing = workflow::standing(&self.told());
        standing.into_iter().filter_map(|(at, state)| Some((self.0.get(at)?, state))).collect()
    }

    fn told(&self) -> Vec<workflow::Run> {
        self.0.iter().map(WorkflowRun::told).collect()
    }

    /// The workflow of a check that Actions reports. Of one that was cancelled only where a newer run took its place.
    fn source(&self, check: &CheckRun) -> Option<String> {
        let suite = check.check_suite.as_ref()?.id;
        let run = self.0.iter().find(|run| run.check_suite_id == Some(suite))?.told();
        let over = check.state() != CheckState::Superseded || workflow::is_replaced(&self.told(), &run);
        over.then_some(run.workflow)
    }
}

impl CheckRun {
    fn state(&self) -> CheckState {
        match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("success")) => CheckState::Green,
            ("completed", Some("neutral" | "skipped")) => CheckState::Skipped,
            ("completed", Some("failure" | "timed_out" | "startup_failure")) => CheckState::Red,
            ("completed", Some("cancelled")) => CheckState::Superseded,
            (_, Some("action_required")) => CheckState::NeedsPerson,
            // `stale` was given up by GitHub itself: nothing is known, and the time-out will say so.
            _ => CheckState::Pending,
        }
    }

    fn is_by_actions(&self) -> bool {
        self.app.as_ref().is_some_and(|app| app.slug == "github-actions")
    }

    /// Who reports it. What cannot be attributed is nobody's but its own.
    fn source(&self, flows: Option<&Flows>) -> String {
        let own = || format!("check {}", self.id);
        let Some(app) = self.app.as_ref().and_then(|app| app.id) else { return own() };
        let part = if self.is_by_actions() {
            flows.and_then(|flows| flows.source(self))
        } else {
            self.check_suite.as_ref().map(|suite| format!("suite {}", suite.id))
        };
        format!("app {app} {}", part.unwrap_or_else(own))
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

/// A server of a plan or an age that knows no rules has none.
fn knows_rules(answer: &Answer) -> bool {
    answer.status != 404 && !(answer.status == 403 && answer.said().contains("Upgrade to"))
}

impl GitHub {
    fn names_required(&self, repo: &RepoId, branch: &str) -> PortResult<Vec<String>> {
        let doing = format!(
            "reading what the rules of {} in {repo} require (ci.required says it in their place)",
            crate::domain::escape::sanitize(branch, 60)
        );
        let (base, branch) = (repo_path(repo), encoded(branch));
        let client = self.rest.client.owed();
        let path = format!("{base}/rules/branches/{branch}?per_page=100");
        let first = client.settled(&doing, &path)?;
        let mut names = vec![];
        if knows_rules(&first) {
            let first = client.judged(first, &doing)?;
            let rules: Vec<Rule> = read_all(client.rest(&doing, &first, "")?, &doing)?;
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
        let path = format!("{}/actions/runs?head_sha={oid}&per_page=100", repo_path(repo));
        read_all(client.whole_of(doing, &path, "workflow_runs")?, doing)
    }

    fn flows(client: &Client, repo: &RepoId, oid: &Oid, doing: &str) -> PortResult<Flows> {
        match Self::workflow_runs(client, repo, oid, doing) {
            Ok(runs) => Ok(Flows(runs)),
            // A server without Actions.
            Err(PortError::Gone { .. }) => Ok(Flows(vec![])),
            Err(error) => Err(error),
        }
    }

    /// The end of an Actions job's log; empty where it cannot be had.
    fn job_log(&self, repo: &RepoId, run: &CheckRun) -> String {
        if !run.is_by_actions() {
            return String::new();
        }
        let doing =
            format!("reading the log of {} in {repo}", crate::domain::escape::sanitize(&run.name, 60));
        let path = format!("{}/actions/jobs/{}/logs", repo_path(repo), run.id);
        let log = self.rest.client.get_any(&doing, &path).and_then(|answer| match answer.location.clone() {
            Some(place) if answer.status == 302 => self.rest.client.get_elsewhere(&doing, &place),
            Some(_) | None => answer.good(&doing),
        });
        // A log that cannot be had changes no decision: the summary stands for it.
        log.map(|answer| cut_at_error(&String::from_utf8_lossy(&answer.body))).unwrap_or_default()
    }
}

impl Checks for GitHub {
    fn checks(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>> {
        let doing = format!("reading the checks of {} in {repo}", oid.short());
        let client = self.rest.client.owed();
        let commit = format!("{}/commits/{oid}", repo_path(repo));
        let path = format!("{commit}/check-runs?filter=latest&per_page=100");
        let mut runs: Vec<CheckRun> = read_all(client.whole_of(&doing, &path, "check_runs")?, &doing)?;
        runs.sort_by_key(|run| run.id);
        let path = format!("{commit}/status?per_page=100");
        let statuses: Vec<Status> = read_all(client.whole_of(&doing, &path, "statuses")?, &doing)?;
        // Only where something was cancelled does it matter which workflow a check is of.
        let cancelled = runs.iter().any(|run| run.is_by_actions() && run.state() == CheckState::Superseded);
        let flows = if cancelled { Some(Self::flows(&client, repo, oid, &doing)?) } else { None };
        let mut logs = 0;
        let mut checks = Vec::new();
        for run in runs {
            let (state, source) = (run.state(), run.source(flows.as_ref()));
            let mut text = String::new();
            if state == CheckState::Red {
                if logs < MAX_LOGS {
                    text = self.job_log(repo, &run);
                    logs += 1;
                }
                if text.is_empty() {
                    text = run.words();
                }
            }
            checks.push(red_check(source, run.name, state, run.html_url.or(run.details_url), &text));
        }
        for status in statuses {
            let state = status.state();
            let text = status.description.unwrap_or_default();
            checks.push(red_check("status".to_owned(), status.context, state, status.target_url, &text));
        }
        Ok(checks)
    }

    /// A job that needs others has no check run before they are over: what is green may be half of it.
    fn to_come(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>> {
        let doing = format!("reading whether more checks of {} in {repo} are to come", oid.short());
        let flows = Self::flows(&self.rest.client.owed(), repo, oid, &doing)?;
        Ok(flows.standing().into_iter().filter_map(|(run, state)| run.beyond_its_jobs(state)).collect())
    }

    fn required(&self, repo: &RepoId, branch: &str) -> PortResult<Vec<Required>> {
        let names = self.names_required(repo, branch)?;
        Ok(names.into_iter().map(|name| Required { name, pattern: false }).collect())
    }

    fn rerun(&self, repo: &RepoId, oid: &Oid, attempt: u32) -> PortResult<bool> {
        let doing = format!("having the failed checks of {} in {repo} run again", oid.short());
        let flows = Flows(twice(|| Self::workflow_runs(&self.rest.client, repo, oid, &doing))?);
        let standing = flows.standing();
        // One that was given up has no job that failed: it is run as a whole, where it is red.
        let is_red = |run: &WorkflowRun| {
            let red = standing.iter().any(|(other, state)| other.id == run.id && *state == CheckState::Red);
            red && workflow::is_caused(&run.event)
        };
        let mut begun = false;
        for run in &flows.0 {
            let how = match run.conclusion.as_deref() {
                Some("failure" | "timed_out" | "startup_failure") => "rerun-failed-jobs",
                Some("cancelled" | "stale") if is_red(run) => "rerun",
                Some(_) | None => continue,
            };
            // Once more than it ran already: a repeat after a lost answer starts nothing.
            if run.run_attempt < attempt {
                let path = format!("{}/actions/runs/{}/{how}", repo_path(repo), run.id);
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
