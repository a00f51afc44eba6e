//! A run's record lies beside its work, for the day on which the state file is lost or an older copy is put in its place:
//! runs whose folders lie here and that the state does not know are gone on with from their records, where these are ours
//! and the claims on the forge still say so; of the others people are told where the work lies.

use super::env::Env;
use super::log::{Failure, Log};
use super::policy::HostPolicy;
use super::templates;
use crate::domain::effect::NoticeKind;
use crate::domain::escape::sanitize;
use crate::domain::run::Phase;
use crate::error::{Error, Kind};
use crate::ports::{Marked, PortError, PortResult};
use crate::store::{RunRow, Store, StoreError};

/// Keeps a run's record beside its work. Without it all goes on as well, so that it is only told what went wrong.
pub fn record(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log, id: &str) -> Result<(), Error> {
    let subject = format!("record of {id}");
    match write(env, host, store, id, false) {
        Ok(()) => Ok(store.outage_over(&subject).map(drop)?),
        Err(error) => log.failed(env, store, &subject, &error),
    }
}

/// `begins`: the run's folder may have to be made.
pub(super) fn write(env: &Env, host: &HostPolicy, store: &Store, id: &str, begins: bool) -> PortResult<()> {
    if host.dry {
        return Ok(());
    }
    let trouble = |error: StoreError| PortError::later(error.to_string());
    let (row, record) = (store.run(id).map_err(trouble)?, store.record(id).map_err(trouble)?);
    match (row, record) {
        (Some(row), Some(record)) => env.folders.mark(&row.run, &record, begins),
        _ => Ok(()),
    }
}

enum Fate {
    TakenUp,
    /// The forge could not be asked; the next tick tries again.
    NotNow(PortError),
    /// Why it is not gone on with.
    Left(String),
    /// Why it may be somebody else's, who works with the same folder: told right after a loss only.
    NotOurs(String),
}

/// What became of runs that the state does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Runs were taken up: such a tick does nothing else.
    pub taken_up: bool,
    /// Some could not be looked at: until then nothing starts, since they are at work all the same.
    pub waiting: bool,
}

/// `first`: the tick right after a loss. Those that are not gone on with are its trouble; later people are told only of
/// what shows only then, each once.
pub fn tick(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    found: &[Marked],
    first: bool,
) -> Result<Looked, Error> {
    let mut looked = Looked::default();
    // A forge that does not answer is not asked for each of its runs.
    let mut silent: Vec<&str> = vec![];
    for marked in found {
        let forge = marked.issue.repo.forge.as_str();
        if silent.contains(&forge) || (env.past_deadline)() {
            looked.waiting = true;
            continue;
        }
        let subject = format!("taking up {}", marked.run);
        match one(env, host, store, log, marked)? {
            Fate::TakenUp => {
                store.outage_over(&subject)?;
                looked.taken_up = true;
            }
            Fate::NotNow(error) => {
                log.failed(env, store, &subject, &error)?;
                silent.push(forge);
                looked.waiting = true;
            }
            Fate::Left(why) => told(env, store, log, marked, &why, first)?,
            Fate::NotOurs(why) if first => told(env, store, log, marked, &why, first)?,
            Fate::NotOurs(_) => {}
        }
    }
    Ok(looked)
}

fn one(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    marked: &Marked,
) -> Result<Fate, Error> {
    let record = match &marked.record {
        Ok(record) => record,
        Err(why) => return Ok(Fate::NotOurs(why.clone())),
    };
    if (host.repo)(&marked.issue.repo).is_none() {
        return Ok(Fate::Left("its forge is not in the config any more".to_owned()));
    }
    let now = env.now();
    let row = match Store::try_record(record, &marked.issue, &marked.run, now) {
        Ok(row) => row,
        Err(error) => return Ok(Fate::Left(format!("its record cannot be used: {error}"))),
    };
    if row.run.phase != Phase::Ended {
        match still_claimed(env, &row) {
            Ok(true) => {}
            Ok(false) => return Ok(Fate::Left("its claim is not there any more".to_owned())),
            Err(PortError::Gone { what } | PortError::Refused { what }) => return Ok(Fate::Left(what)),
            Err(
                error @ (PortError::Credentials { .. } | PortError::Later { .. } | PortError::Broken { .. }),
            ) => {
                return Ok(Fate::NotNow(error));
            }
        }
    }
    // The built-in template is the first of its name, whatever this run was told by.
    templates::sync(env, store, log)?;
    store.take_up(record, &marked.issue, &marked.run, now)?;
    if row.run.phase != Phase::Ended {
        log.acted(&row.run, "taken-up", "the state file was lost; the next tick goes on with it");
    }
    Ok(Fate::TakenUp)
}

fn still_claimed(env: &Env, row: &RunRow) -> PortResult<bool> {
    let (repo, number) = (&row.run.issue.repo, row.run.issue.number);
    let remote = env.forge(repo)?.remote(repo)?;
    let claims = env.git.claims(repo, &remote)?;
    Ok(claims.issues.iter().any(|(n, holder)| {
        *n == number
            && holder.run.as_deref() == Some(row.run.id.as_str())
            && row.claim.as_ref().is_none_or(|claim| *claim == holder.oid)
    }))
}

/// Nothing is started because of it, and people are told where its work lies.
fn told(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    marked: &Marked,
    why: &str,
    first: bool,
) -> Result<(), Error> {
    let (issue, folder) = (&marked.issue, marked.dir.display());
    let what = format!(
        "it was in work when the state file was lost (run {}), and is not gone on with: {}. Its work lies in {folder}. As \
         long as its claim stands it is not started again; when nobody works on it any more, `offhours run release {issue}` \
         frees it",
        sanitize(&marked.run, 20),
        sanitize(why, 300)
    );
    let title = format!("{issue}: left behind by a state file that is gone");
    let link = env.page(&issue.repo, Some(issue.number));
    env.notify(store, &format!("left-behind:{}", marked.run), NoticeKind::NeedsHuman, &title, &what, link)?;
    if first {
        let subject = issue.to_string();
        log.errors.push(Failure { subject, what, kind: Kind::TryLater, quiet: false });
    }
    Ok(())
}
