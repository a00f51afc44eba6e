//! The control issue: read before anything else, so that a stop counts in the same tick, and written after it.

use super::env::Env;
use super::log::Log;
use super::policy::HostPolicy;
use crate::domain::control::{self, Asked, OFF_LABEL, Order};
use crate::domain::escape::sanitize;
use crate::domain::model::{Issue, IssueRef, Outcome, Permission, Seen, UnixTime};
use crate::domain::run::Wait;
use crate::error::Error;
use crate::ports::PortResult;
use crate::store::Store;
use crate::text::{self, Standing};

const CAUSE: &str = "control-issue";
/// An ended run needs somebody for this long, then it is history.
const NEEDS_YOU_SECONDS: i64 = 14 * 86_400;

/// Puts the kill switch on where the label asks for it. What cannot be read asks for nothing, and is said.
pub fn apply_control(
    env: &Env,
    host: &mut HostPolicy,
    store: &mut Store,
    log: &mut Log,
) -> Result<(), Error> {
    let Some(at) = host.control.clone() else { return Ok(()) };
    let subject = format!("control issue {at}");
    let asked = match asked(env, &at) {
        Ok(asked) => asked,
        Err(error) => return log.failed(env, store, &subject, &error),
    };
    store.outage_over(&subject)?;
    match control::judge(&asked, &host.trust) {
        Order::Nothing => env.recovered(store, CAUSE),
        Order::Ignored(who) => {
            let who = sanitize(&who, 60);
            let detail = format!("{who} put {OFF_LABEL} on {at} and may not write there: it is not heard");
            log.alarm(env, store, CAUSE, &detail)
        }
        Order::Off(who) => put_on(env, host, store, log, &at, &who),
    }
}

fn put_on(
    env: &Env,
    host: &mut HostPolicy,
    store: &mut Store,
    log: &mut Log,
    at: &IssueRef,
    who: &str,
) -> Result<(), Error> {
    if host.dry {
        log.effects.push(format!("{at}: would put the kill switch on"));
        return Ok(());
    }
    if let Err(error) = env.switch_file.put_on() {
        log.failed(env, store, "kill switch", &error)?;
    }
    let because = format!("{} put {OFF_LABEL} on {at}", sanitize(who, 60));
    host.switch_on = true;
    if !host.switch_because.contains(&because) {
        host.switch_because.push(because.clone());
    }
    log.alarm(env, store, CAUSE, &format!("off: {because}; `offhours resume` on the host takes it back"))
}

fn asked(env: &Env, at: &IssueRef) -> PortResult<Asked> {
    let forge = env.forge(&at.repo)?;
    let issue = forge.issue(&at.repo, at.number)?;
    let nobody = Seen::Known(None);
    let mut asked = Asked {
        present: issue.has_label(OFF_LABEL),
        by: nobody,
        permission: Seen::Known(Permission::None),
        writers_are_trusted: forge.capabilities().writers_are_trusted,
    };
    if asked.present {
        asked.by = match forge.approval(&at.repo, &issue, OFF_LABEL) {
            Ok(evidence) => Seen::Known(evidence.labelled.and_then(|l| l.by)),
            Err(error) => Seen::Unreadable(error.to_string()),
        };
        if let Seen::Known(Some(person)) = &asked.by {
            asked.permission = match forge.permission(&at.repo, person) {
                Ok(held) => Seen::Known(held),
                Err(error) => Seen::Unreadable(error.to_string()),
            };
        }
    }
    Ok(asked)
}

/// Shows how things stand in the issue's text, if that changed.
pub fn show(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    let Some(at) = host.control.clone() else { return Ok(()) };
    if host.dry {
        return Ok(());
    }
    let standing = standing(env, host, store)?;
    let written = env.forge(&at.repo).and_then(|forge| {
        let issue: Issue = forge.issue(&at.repo, at.number)?;
        let text = text::control_text(&issue.body, &standing, OFF_LABEL);
        if text == issue.body { Ok(()) } else { forge.set_body(&at.repo, at.number, &text) }
    });
    let subject = format!("control issue {at}");
    match written {
        Ok(()) => Ok(store.outage_over(&subject).map(drop)?),
        Err(error) => log.failed(env, store, &subject, &error),
    }
}

fn standing(env: &Env, host: &HostPolicy, store: &Store) -> Result<Standing, Error> {
    let now = env.now();
    let mut standing = Standing { off: host.switch_because.clone(), ..Standing::default() };
    for row in store.runs_in_flight()? {
        let run = &row.run;
        let state = run.wait.map_or("in step", Wait::code);
        if run.wait == Some(Wait::Review) {
            let pull = run.pull.map_or_else(String::new, |n| format!(" of pull request #{n}"));
            standing.needs_you.push(format!("{}: review{pull}", run.issue));
        } else {
            standing.working.push(format!("{}: {state}, turn {}", run.issue, run.turns));
        }
    }
    standing.needs_you.extend(ended(store, now)?);
    standing.alarms =
        store.alarms()?.into_iter().map(|(cause, _, detail)| format!("{cause}: {detail}")).collect();
    Ok(standing)
}

/// Runs that ended with something for a person; only the newest of an issue says how it stands.
fn ended(store: &Store, now: UnixTime) -> Result<Vec<String>, Error> {
    let mut seen: Vec<IssueRef> = vec![];
    let mut lines = vec![];
    for row in store.recent_runs(100)? {
        let run = row.run;
        if seen.contains(&run.issue) {
            continue;
        }
        seen.push(run.issue.clone());
        let (Some(outcome), Some(at)) = (&run.outcome, run.ended_at) else { continue };
        let needs = matches!(outcome, Outcome::HandedBack(_) | Outcome::Frozen(_) | Outcome::Stopped);
        if needs && now.since(at) < NEEDS_YOU_SECONDS {
            lines.push(format!("{}: {}", run.issue, outcome.code()));
        }
    }
    Ok(lines)
}
