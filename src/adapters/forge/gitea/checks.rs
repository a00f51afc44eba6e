//! What CI says of a commit: its statuses, of which the list holds the whole history, and runs of Actions, which
//! know what a status does not: that a run was cancelled or wants a person, and what its jobs printed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Flavour, Gitea, PAGE};
use crate::adapters::forge::rest::repo_path;
use crate::adapters::forge::wire::{read, read_all};
use crate::adapters::forge::{Checks, cut_at_error, ended_as, red_check, twice};
use crate::adapters::http::{Method, encoded};
use crate::domain::checks::Required;
use crate::domain::escape::sanitize;
use crate::domain::model::{Check, CheckState, Oid, RepoId};
use crate::domain::workflow;
use crate::ports::{Dispatched, PortError, PortResult};

/// Logs that are fetched for one reading; the other failures are told by their descriptions.
const MAX_LOGS: usize = 3;

#[derive(Debug, Deserialize)]
struct Status {
    id: u64,
    #[serde(default)]
    context: String,
    #[serde(rename = "status")]
    word: String,
    target_url: Option<String>,
    description: Option<String>,
}

/// A run of Actions. Gitea names commit and result as GitHub does, Forgejo otherwise.
#[derive(Debug, Deserialize)]
struct Run {
    id: u64,
    #[serde(alias = "commit_sha", default)]
    head_sha: String,
    #[serde(default)]
    status: String,
    conclusion: Option<String>,
    #[serde(alias = "display_title", default)]
    title: String,
    #[serde(alias = "path", default)]
    workflow_id: String,
    html_url: Option<String>,
    #[serde(default)]
    need_approval: bool,
    #[serde(default)]
    event: String,
    #[serde(alias = "prettyref", default)]
    head_branch: Option<String>,
}

/// What Actions says of a job that was skipped where it knows no state for that (Forgejo, and Gitea before 1.25).
const SKIPPED: &str = "Has been skipped";

#[derive(Debug, Deserialize)]
struct Job {
    id: u64,
    #[serde(default)]
    name: String,
    #[serde(alias = "run_attempt", default)]
    attempt: u32,
}

/// What a branch tells everybody who may read it of its protection, whose own page is for administrators.
#[derive(Debug, Deserialize)]
struct Branch {
    #[serde(default)]
    enable_status_check: bool,
    #[serde(default)]
    status_check_contexts: Option<Vec<String>>,
}

impl Status {
    fn state(&self) -> CheckState {
        match self.word.as_str() {
            "skipped" => CheckState::Skipped,
            "success" if self.description.as_deref() == Some(SKIPPED) => CheckState::Skipped,
            "success" => CheckState::Green,
            // A warning is an end, and no success.
            "failure" | "error" | "warning" => CheckState::Red,
            _ => CheckState::Pending,
        }
    }

    fn is_of(&self, run: &Run) -> bool {
        let number = |url: &Option<String>| {
            let (_, rest) = url.as_deref()?.split_once("/actions/runs/")?;
            Some(rest.split('/').next().unwrap_or_default().to_owned())
        };
        number(&self.target_url).is_some_and(|own| number(&run.html_url) == Some(own))
    }

    /// The job's name in `workflow / job (event)`.
    fn job(&self) -> &str {
        let after = self.context.split_once(" / ").map_or(self.context.as_str(), |(_, job)| job);
        after.rsplit_once(" (").map_or(after, |(job, _)| job)
    }
}

impl Run {
    fn word(&self) -> &str {
        self.conclusion.as_deref().filter(|word| !word.is_empty()).unwrap_or(&self.status)
    }

    fn state(&self) -> CheckState {
        match self.word() {
            _ if self.need_approval => CheckState::NeedsPerson,
            "success" => CheckState::Green,
            "skipped" | "neutral" => CheckState::Skipped,
            "failure" | "timed_out" | "stale" | "startup_failure" => CheckState::Red,
            "cancelled" => CheckState::Superseded,
            "action_required" => CheckState::NeedsPerson,
            _ => CheckState::Pending,
        }
    }

    /// The run as a whole, as a check.
    fn check(&self, state: CheckState, text: &str) -> Check {
        let source = format!("workflow {}", self.name());
        red_check(source, self.name(), state, self.html_url.clone(), text)
    }

    fn name(&self) -> String {
        let file = self.workflow_id.split('@').next().unwrap_or_default();
        let file = file.rsplit('/').next().unwrap_or_default();
        if file.is_empty() { self.title.clone() } else { file.to_owned() }
    }
}

/// How the runs stand that still say something.
fn standing(runs: &[Run]) -> impl Iterator<Item = (&Run, CheckState)> {
    let told: Vec<workflow::Run> = runs
        .iter()
        .map(|run| workflow::Run {
            number: run.id,
            workflow: run.name(),
            event: run.event.clone(),
            branch: run.head_branch.clone().unwrap_or_default(),
            state: run.state(),
        })
        .collect();
    let standing = workflow::standing(&told);
    standing.into_iter().filter_map(|(at, state)| Some((runs.get(at)?, state)))
}

impl Gitea {
    /// The runs of a commit; none where the server has no such list.
    fn runs(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Run>> {
        let doing = format!("reading the runs of {} in {repo}", oid.short());
        let path = format!("{}/actions/runs?head_sha={oid}", repo_path(repo));
        let entries = match self.rest.client.whole_counted(&doing, &path, "workflow_runs", PAGE) {
            Ok(entries) => entries,
            // Not known to this version, or switched off for this repository: the statuses say what there is.
            Err(PortError::Gone { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut runs: Vec<Run> = Vec::new();
        for entry in entries {
            let run: Run = read(entry, &doing)?;
            // A filter that is not known is left out; a run that moved to the next page meanwhile comes twice.
            if run.head_sha == oid.as_str() && runs.iter().all(|known| known.id != run.id) {
                runs.push(run);
            }
        }
        Ok(runs)
    }

    /// The runs of a workflow on a commit that were asked for by its name.
    pub(super) fn asked_for(&self, repo: &RepoId, workflow: &str, oid: &Oid) -> PortResult<Vec<Dispatched>> {
        let runs = self.runs(repo, oid)?;
        let own = runs.iter().filter(|run| run.event == "workflow_dispatch" && run.name() == workflow);
        Ok(own
            .map(|run| Dispatched {
                id: run.id,
                green: match run.state() {
                    CheckState::Green => Some(true),
                    // One without a job that ran has tested nothing.
                    CheckState::Red | CheckState::Superseded | CheckState::Skipped => Some(false),
                    CheckState::Pending | CheckState::NeedsPerson => None,
                },
            })
            .collect())
    }

    /// A run's jobs: a list on Forgejo, below `jobs` on Gitea.
    fn jobs(&self, repo: &RepoId, run: &Run) -> PortResult<Vec<Job>> {
        let doing = format!("reading the jobs of run {} in {repo}", run.id);
        let path = format!("{}/actions/runs/{}/jobs?limit={PAGE}", repo_path(repo), run.id);
        let mut told: Value = self.rest.client.get(&doing, &path)?.json(&doing)?;
        let entries = match told.get_mut("jobs").map(Value::take) {
            Some(jobs) => jobs,
            None => told,
        };
        let entries = entries.as_array().cloned().unwrap_or_default();
        read_all(entries, &doing)
    }

    /// The end of a job's log; empty where it cannot be had, which changes no decision.
    fn log(&self, repo: &RepoId, run: &Run, job: &str) -> String {
        let doing = format!("reading the log of {} in {repo}", sanitize(job, 60));
        let found = self.jobs(repo, run).ok().and_then(|jobs| {
            let only = jobs.len() == 1;
            jobs.into_iter().find(|j| only || j.name == job)
        });
        let Some(found) = found else { return String::new() };
        let path = format!("{}/actions/jobs/{}/logs", repo_path(repo), found.id);
        let log = self.rest.client.get(&doing, &path);
        log.map(|answer| cut_at_error(&String::from_utf8_lossy(&answer.body))).unwrap_or_default()
    }
}

impl Checks for Gitea {
    fn checks(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>> {
        let doing = format!("reading the checks of {} in {repo}", oid.short());
        let path = format!("{}/commits/{oid}/statuses", repo_path(repo));
        // The newest of each context, by its number: moments are equal within a second.
        let mut latest: BTreeMap<String, Status> = BTreeMap::new();
        for entry in self.rest.client.owed().whole_counted(&doing, &path, "", PAGE)? {
            let status: Status = read(entry, &doing)?;
            if latest.get(&status.context).is_none_or(|known| known.id < status.id) {
                latest.insert(status.context.clone(), status);
            }
        }
        let runs = self.runs(repo, oid)?;
        let mut logs = 0;
        let mut log = |run: Option<&Run>, job: &str| match run {
            Some(run) if logs < MAX_LOGS => {
                logs += 1;
                self.log(repo, run, job)
            }
            Some(_) | None => String::new(),
        };
        let mut checks = Vec::new();
        for status in latest.values() {
            let run = runs.iter().find(|run| status.is_of(run));
            let mut state = status.state();
            let mut text = String::new();
            if state == CheckState::Red {
                // A job that was ended for a newer one leaves the status of a failure.
                if run.is_some_and(|run| run.word() == "cancelled") {
                    state = CheckState::Superseded;
                } else {
                    text = log(run, status.job());
                    if text.is_empty() {
                        text = status.description.clone().unwrap_or_default();
                    }
                }
            }
            let source = "status".to_owned();
            checks.push(red_check(source, status.context.clone(), state, status.target_url.clone(), &text));
        }
        for (run, state) in standing(&runs) {
            let told = latest.values().any(|status| status.is_of(run));
            // What was cancelled is looked at once nothing else holds the commit up.
            let later = run.state() == CheckState::Superseded;
            if later || told && state != CheckState::NeedsPerson {
                continue;
            }
            let text = if state == CheckState::Red { log(Some(run), "") } else { String::new() };
            checks.push(run.check(state, &text));
        }
        Ok(checks)
    }

    /// A run can end badly although each status of it is good, or without one.
    fn to_come(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>> {
        let runs = self.runs(repo, oid)?;
        let told = standing(&runs).filter(|(run, state)| match state {
            CheckState::Red => workflow::is_caused(&run.event),
            CheckState::Pending | CheckState::NeedsPerson | CheckState::Superseded => true,
            CheckState::Green | CheckState::Skipped => false,
        });
        Ok(told.map(|(run, state)| run.check(state, &ended_as(run.word()))).collect())
    }

    fn required(&self, repo: &RepoId, branch: &str) -> PortResult<Vec<Required>> {
        let doing = format!(
            "reading what the protection of {} in {repo} requires (ci.required says it in its place)",
            sanitize(branch, 60)
        );
        let path = format!("{}/branches/{}", repo_path(repo), encoded(branch));
        let client = self.rest.client.owed();
        let answer = client.settled(&doing, &path)?;
        if answer.status == 404 {
            return Ok(vec![]);
        }
        let found: Branch = client.judged(answer, &doing)?.json(&doing)?;
        let names = found.status_check_contexts.filter(|_| found.enable_status_check).unwrap_or_default();
        Ok(names.into_iter().map(|name| Required { name, pattern: true }).collect())
    }

    fn rerun(&self, repo: &RepoId, oid: &Oid, attempt: u32) -> PortResult<bool> {
        let doing = format!("having the failed checks of {} in {repo} run again", oid.short());
        let how = match self.flavour {
            Flavour::Gitea => "rerun-failed-jobs",
            Flavour::Forgejo => "rerun",
        };
        let mut begun = false;
        let runs = twice(|| self.runs(repo, oid))?;
        let red = |(run, state): &(&Run, CheckState)| {
            run.state() == CheckState::Red || *state == CheckState::Red && workflow::is_caused(&run.event)
        };
        for (run, _) in standing(&runs).filter(red) {
            // Once more than it ran already: a repeat after a lost answer starts nothing. A server that does not count
            // the attempts is not asked.
            let ran = match twice(|| self.jobs(repo, run)) {
                Ok(jobs) => jobs.iter().map(|job| job.attempt).max().unwrap_or_default(),
                Err(PortError::Refused { .. } | PortError::Gone { .. }) => 0,
                Err(error) => return Err(error),
            };
            if ran == 0 || ran >= attempt {
                continue;
            }
            let path = format!("{}/actions/runs/{}/{how}", repo_path(repo), run.id);
            match twice(|| self.write_silent(&doing, Method::Post, &path, None)) {
                Ok(_) => begun = true,
                // Not known to this version, or the token may not: it stays red.
                Err(PortError::Refused { .. } | PortError::Gone { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(begun)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(word: &str, context: &str, url: &str) -> Status {
        let entry = json!({ "id": 1, "status": word, "context": context, "target_url": url });
        read(entry, "reading it").unwrap()
    }

    fn run(entry: Value) -> Run {
        read(entry, "reading it").unwrap()
    }

    #[test]
    fn a_word_that_is_not_known_is_never_green() {
        let red = ["failure", "error", "warning"];
        for word in ["success", "skipped", "failure", "error", "warning", "pending", "", "splendid"] {
            let state = status(word, "c", "").state();
            let want = if word == "success" {
                CheckState::Green
            } else if word == "skipped" {
                CheckState::Skipped
            } else if red.contains(&word) {
                CheckState::Red
            } else {
                CheckState::Pending
            };
            assert_eq!(state, want, "{word}");
        }
        // A job that was skipped, as told by a server without a word for it.
        let entry =
            json!({ "id": 1, "status": "success", "context": "c", "description": "Has been skipped" });
        let skipped: Status = read(entry, "reading it").unwrap();
        assert_eq!(skipped.state(), CheckState::Skipped);
    }

    /// As Gitea tells a run, and as Forgejo does.
    #[test]
    fn runs_of_both() {
        let gitea = |status: &str, conclusion: Option<&str>| {
            run(json!({ "id": 7, "head_sha": "a", "status": status, "conclusion": conclusion,
                "path": "ci.yml@refs/heads/main", "display_title": "t", "html_url": "https://x/o/r/actions/runs/3" }))
        };
        let forgejo = |status: &str, approval: bool| {
            run(json!({ "id": 7, "commit_sha": "a", "status": status, "workflow_id": "ci.yml", "title": "t",
                "need_approval": approval, "html_url": "https://x/o/r/actions/runs/3" }))
        };
        for (run, want) in [
            (gitea("completed", Some("success")), CheckState::Green),
            (gitea("completed", Some("failure")), CheckState::Red),
            (gitea("completed", Some("cancelled")), CheckState::Superseded),
            (gitea("completed", Some("skipped")), CheckState::Skipped),
            (gitea("completed", Some("startup_failure")), CheckState::Red),
            (gitea("in_progress", None), CheckState::Pending),
            (gitea("in_progress", Some("")), CheckState::Pending),
            (gitea("completed", Some("splendid")), CheckState::Pending),
            (forgejo("success", false), CheckState::Green),
            (forgejo("failure", false), CheckState::Red),
            (forgejo("cancelled", false), CheckState::Superseded),
            (forgejo("skipped", false), CheckState::Skipped),
            (forgejo("unknown", false), CheckState::Pending),
            (forgejo("running", false), CheckState::Pending),
            (forgejo("waiting", true), CheckState::NeedsPerson),
        ] {
            assert_eq!(run.state(), want, "{run:?}");
            assert_eq!((run.head_sha.as_str(), run.name().as_str()), ("a", "ci.yml"));
            let mine = "/o/r/actions/runs/3/jobs/0";
            assert!(status("failure", "c", mine).is_of(&run));
            for other in ["/o/r/actions/runs/33/jobs/0", "https://ci.example/3", ""] {
                assert!(!status("failure", "c", other).is_of(&run), "{other}");
            }
        }
    }

    #[test]
    fn a_jobs_name_stands_in_its_context() {
        for (context, job) in [
            ("ci.yml / build (push)", "build"),
            ("CI / test (a, b) (pull_request)", "test (a, b)"),
            ("woodpecker", "woodpecker"),
        ] {
            assert_eq!(status("failure", context, "").job(), job);
        }
    }
}
