//! CI servers of their own: Woodpecker and Drone. Both keep numbered pipelines of a repository; those of a commit are
//! looked for in the list, since neither can be asked for a commit.

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;

use crate::adapters::forge::{Checks, red_check};
use crate::adapters::http::{Client, Method, encoded};
use crate::domain::escape::sanitize;
use crate::domain::model::{Check, CheckState, Oid, RepoId};
use crate::ports::{PortError, PortResult};

/// Of the list only the newest pipelines are looked at: a commit of ours was pushed a moment ago.
const MAX_LISTED: usize = 50;
/// Logs that are fetched for one reading.
const MAX_LOGS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Woodpecker,
    Drone,
}

/// One server with one token.
pub struct Pipelines {
    client: Client,
    flavour: Flavour,
    /// Woodpecker's own numbers of repositories.
    ids: RefCell<BTreeMap<RepoId, u64>>,
}

/// A pipeline (Drone says build) in the list, and read for itself.
#[derive(Debug, Deserialize)]
struct Pipeline {
    number: u64,
    #[serde(default)]
    status: String,
    #[serde(default)]
    event: String,
    /// Woodpecker's commit.
    #[serde(default)]
    commit: String,
    /// Drone's.
    #[serde(default)]
    after: String,
    /// Woodpecker's parts.
    #[serde(default)]
    workflows: Option<Vec<Part>>,
    /// Drone's.
    #[serde(default)]
    stages: Option<Vec<Part>>,
}

/// A workflow with steps.
#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    number: u64,
    #[serde(default)]
    name: String,
    #[serde(alias = "state", default)]
    status: String,
    #[serde(alias = "children", default)]
    steps: Option<Vec<Step>>,
}

#[derive(Debug, Deserialize)]
struct Step {
    #[serde(default)]
    id: u64,
    #[serde(default)]
    number: u64,
    #[serde(alias = "state", default)]
    status: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    /// Woodpecker's, in base64.
    #[serde(default)]
    data: Option<String>,
    /// Drone's.
    #[serde(default)]
    out: Option<String>,
}

impl Line {
    fn text(self) -> String {
        let decoded = self.data.and_then(|data| base64::prelude::BASE64_STANDARD.decode(data).ok());
        match decoded {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => self.out.unwrap_or_default(),
        }
    }
}

fn state(word: &str) -> CheckState {
    match word {
        "success" => CheckState::Green,
        "failure" | "error" | "declined" => CheckState::Red,
        "killed" | "canceled" => CheckState::Superseded,
        "blocked" => CheckState::NeedsPerson,
        "skipped" => CheckState::Skipped,
        _ => CheckState::Pending,
    }
}

/// Each part is one of its own, also where others have its name: what was ended is replaced by a newer pipeline only, and
/// only the newest is looked at.
fn source(pipeline: u64, part: usize) -> String {
    format!("pipeline {pipeline} part {part}")
}

impl Pipelines {
    pub fn new(client: Client, flavour: Flavour) -> Self {
        Self { client, flavour, ids: RefCell::default() }
    }

    /// The path of a repository's pipelines.
    fn path(&self, repo: &RepoId) -> PortResult<String> {
        let name = format!("{}/{}", encoded(&repo.owner), encoded(&repo.name));
        if self.flavour == Flavour::Drone {
            return Ok(format!("/api/repos/{name}/builds"));
        }
        if let Some(id) = self.ids.borrow().get(repo) {
            return Ok(format!("/api/repos/{id}/pipelines"));
        }
        let doing = format!("looking for {repo} at its CI");
        let found: Value =
            self.client.owed().get(&doing, &format!("/api/repos/lookup/{name}"))?.json(&doing)?;
        let named = found.get("full_name").and_then(Value::as_str).unwrap_or_default();
        let id = found.get("id").and_then(Value::as_u64).filter(|_| named.eq_ignore_ascii_case(&repo.path()));
        let id = id.ok_or_else(|| {
            PortError::broken(format!("{doing}: it was told of another one. The next tick tries again."))
        })?;
        self.ids.borrow_mut().insert(repo.clone(), id);
        Ok(format!("/api/repos/{id}/pipelines"))
    }

    /// The commit's pipelines, oldest first.
    fn of(&self, repo: &RepoId, oid: &Oid, doing: &str) -> PortResult<Vec<Pipeline>> {
        let count = match self.flavour {
            Flavour::Woodpecker => "perPage",
            Flavour::Drone => "per_page",
        };
        let path = format!("{}?page=1&{count}={MAX_LISTED}", self.path(repo)?);
        let listed: Vec<Pipeline> = self.client.owed().get(doing, &path)?.json(doing)?;
        let mut own: Vec<Pipeline> =
            listed.into_iter().filter(|p| p.commit == oid.as_str() || p.after == oid.as_str()).collect();
        own.sort_by_key(|pipeline| pipeline.number);
        Ok(own)
    }

    /// The end of a step's output; empty where it cannot be had, for the check is red without it.
    fn log(&self, repo: &RepoId, pipeline: u64, part: &Part, step: &Step) -> String {
        let doing = format!("reading the log of {} in {repo}", sanitize(&part.name, 60));
        let read = || -> PortResult<Vec<Line>> {
            let path = match self.flavour {
                Flavour::Woodpecker => {
                    let base = self.path(repo)?.replace("/pipelines", "/logs");
                    format!("{base}/{pipeline}/{}", step.id)
                }
                Flavour::Drone => {
                    format!("{}/{pipeline}/logs/{}/{}", self.path(repo)?, part.number, step.number)
                }
            };
            Ok(self.client.get(&doing, &path)?.json::<Option<Vec<Line>>>(&doing)?.unwrap_or_default())
        };
        let lines = read().unwrap_or_default();
        lines.into_iter().map(|line| line.text().trim_end().to_owned() + "\n").collect()
    }
}

impl Checks for Pipelines {
    fn checks(&self, repo: &RepoId, oid: &Oid) -> PortResult<Vec<Check>> {
        let doing = format!("reading the pipelines of {} in {repo}", oid.short());
        let mut newest: BTreeMap<String, u64> = BTreeMap::new();
        for pipeline in self.of(repo, oid, &doing)? {
            newest.insert(pipeline.event, pipeline.number);
        }
        let mut checks = Vec::new();
        let mut logs = 0;
        for (event, number) in newest {
            let path = format!("{}/{number}", self.path(repo)?);
            let pipeline: Pipeline = self.client.owed().get(&doing, &path)?.json(&doing)?;
            let parts = pipeline.workflows.or(pipeline.stages).unwrap_or_default();
            // What is over as a whole is over in each part; a part can be red while others run.
            let whole = state(&pipeline.status);
            let as_whole = |state| red_check(source(number, 0), event.clone(), state, None, &pipeline.status);
            if parts.is_empty() || matches!(whole, CheckState::NeedsPerson | CheckState::Superseded) {
                checks.push(as_whole(whole));
                continue;
            }
            let mut told = vec![];
            for (at, part) in (1..).zip(&parts) {
                let state = state(&part.status);
                told.push(state);
                let mut text = String::new();
                let failed =
                    part.steps.iter().flatten().filter(|s| matches!(s.status.as_str(), "failure" | "error"));
                for step in failed {
                    if state == CheckState::Red && logs < MAX_LOGS {
                        text.push_str(&self.log(repo, number, part, step));
                        logs += 1;
                    }
                }
                let name = format!("{event}/{}", part.name);
                checks.push(red_check(source(number, at), name, state, None, &text));
            }
            // A configuration that cannot be read has no parts that say so, and parts may be over before all are there.
            let is_good = |state: CheckState| matches!(state, CheckState::Green | CheckState::Skipped);
            let is_told = match whole {
                CheckState::Red => told.contains(&CheckState::Red),
                CheckState::Pending => !told.iter().all(|state| is_good(*state)),
                CheckState::Green
                | CheckState::Skipped
                | CheckState::Superseded
                | CheckState::NeedsPerson => true,
            };
            if !is_told {
                checks.push(as_whole(whole));
            }
        }
        Ok(checks)
    }

    fn rerun(&self, repo: &RepoId, oid: &Oid, attempt: u32) -> PortResult<bool> {
        let doing = format!("having the failed pipelines of {} in {repo} run again", oid.short());
        let mut newest: BTreeMap<String, (u32, Pipeline)> = BTreeMap::new();
        for pipeline in self.of(repo, oid, &doing)? {
            let ran = newest.get(&pipeline.event).map_or(0, |(ran, _)| *ran);
            newest.insert(pipeline.event.clone(), (ran + 1, pipeline));
        }
        let mut begun = false;
        for (ran, pipeline) in newest.into_values() {
            // Each run is a pipeline of its own: one more than it ran already, so that a repeat starts nothing.
            if state(&pipeline.status) == CheckState::Red && ran < attempt {
                let path = format!("{}/{}", self.path(repo)?, pipeline.number);
                match self.client.write(&doing, Method::Post, &path, None) {
                    Ok(_) => begun = true,
                    // The token may not: it stays red.
                    Err(PortError::Refused { .. } | PortError::Gone { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(begun)
    }
}
