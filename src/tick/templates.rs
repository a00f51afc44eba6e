//! By which text an agent is told what to do: texts are taken into the store, a version is chosen at a run's dispatch, and
//! the run keeps it through every turn.

use super::env::Env;
use super::event::event;
use super::log::Log;
use super::policy::HostPolicy;
use crate::domain::canary::{Arm, place};
use crate::domain::escape::sanitize;
use crate::domain::event::Happening;
use crate::domain::model::IssueRef;
use crate::domain::run::Run;
use crate::domain::template::{BUILT_IN, State};
use crate::error::Error;
use crate::ports::{PortError, TemplateText};
use crate::store::{Route, Store, TemplateRow};

/// The origin of a text from a file that the configuration lists begins so.
pub const LISTED: &str = "config: ";

/// The cause of the alarm about a champion that does not render begins so.
const ALARM: &str = "template-failed:";

/// Takes over the built-in text and the files that the configuration lists. A changed file becomes a candidate, never
/// more; only where the built-in template has no version yet, its text is the champion.
pub fn sync(env: &Env, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    for source in env.prompter.sources() {
        let subject = format!("template {}", source.name);
        match source.content {
            Ok(content) => {
                let origin = if source.built_in {
                    source.origin.clone()
                } else {
                    format!("{LISTED}{}", source.origin)
                };
                let first = if source.name == BUILT_IN { State::Champion } else { State::Candidate };
                let now = env.now();
                let (row, new) = store.add_template(&source.name, &content, &origin, first, now)?;
                if new && row.state == State::Candidate {
                    log.items.push(super::Item {
                        issue: row.label(),
                        run: None,
                        handle: None,
                        reason: "template-candidate".to_owned(),
                        sentence: sanitize(&format!("a new text in {}", source.origin), 300),
                        acted: true,
                    });
                }
                store.outage_over(&subject)?;
            }
            Err(error) => log.failed(env, store, &subject, &error)?,
        }
    }
    // An alarm about a version is over when that version tells nobody any more.
    for (cause, _, _) in store.alarms()? {
        if let Some(label) = cause.strip_prefix(ALARM)
            && !store.templates(None)?.iter().any(|t| t.state == State::Champion && t.label() == label)
        {
            env.recovered(store, &cause)?;
        }
    }
    Ok(())
}

/// The version for a new run on an issue; or why there is none. While a canary lives an issue keeps its arm.
pub fn route(
    host: &HostPolicy,
    store: &Store,
    name: &str,
    issue: &IssueRef,
) -> Result<Result<(TemplateRow, Route), String>, Error> {
    let Some(champion) = store.champion(name)? else {
        return Ok(Err(format!(
            "the template {name} has no champion; `offhours template list` shows its versions, and `offhours template \
             promote {name}@1` makes one champion"
        )));
    };
    let scored = host.harvest.enabled;
    let alive = if scored { store.live_canary(name)? } else { None };
    let Some(canary) = alive else {
        let route = Route { template: champion.id, canary: None, scored };
        return Ok(Ok((champion, route)));
    };
    let subject = issue.to_string();
    let arm = match store.arm_of(&canary.id, &subject)? {
        Some(arm) => arm,
        None if store.canary_subjects(&canary.id)? >= canary.params.max_canary => Arm::Champion,
        None if place(&canary.id, name, &subject) < canary.fraction => Arm::Canary,
        None => Arm::Champion,
    };
    let id = canary.version_of(arm);
    let version = store.template(id)?;
    let version =
        version.ok_or_else(|| Error::internal(format!("the canary {} has no version", canary.id)))?;
    Ok(Ok((version, Route { template: id, canary: Some(canary.route(arm)), scored })))
}

/// What a run is told by. A run from before texts were kept was begun with the built-in one.
pub fn of(env: &Env, store: &Store, run: &Run) -> Result<TemplateText, Error> {
    if let Some(text) = store.template_of(&run.id)? {
        return Ok(text);
    }
    let built_in = env.prompter.sources().into_iter().find(|s| s.name == BUILT_IN);
    match built_in.map(|s| s.content) {
        Some(Ok(content)) => Ok(TemplateText { label: BUILT_IN.to_owned(), body: content.body }),
        Some(Err(error)) => Err(Error::internal(error.to_string())),
        None => Err(Error::internal("the built-in template is missing")),
    }
}

/// Writes down that a run's version does not render: it will not at the next try either.
pub fn does_not_render(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    run: &Run,
    turn: u32,
    error: PortError,
) -> Result<PortError, Error> {
    let now = env.now();
    let event = event(run, &key(turn), Happening::TemplateFailed, now, &error.to_string());
    store.event(&event)?;
    let route = store.route_of(&run.id)?;
    let version = route.map(|r| store.template(r.template)).transpose()?.flatten();
    if let Some(version) = version.filter(|v| v.state == State::Champion) {
        let detail = format!(
            "{error}. Runs that need it do not start; promote another version with `offhours template promote`"
        );
        log.alarm(env, store, &format!("{ALARM}{}", version.label()), &detail)?;
    }
    Ok(error)
}

/// Whether this turn of a run could not be told what to do, because its version does not render.
pub fn failed(store: &Store, run: &str, turn: u32) -> Result<bool, Error> {
    Ok(store.has_event(&format!("{run}:{}", key(turn)))?)
}

fn key(turn: u32) -> String {
    format!("template-failed:{turn}")
}
