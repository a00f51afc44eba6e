//! Notices on their way out. A receiver that cannot be asked gets a notice at least once, with the same key.

use super::env::Env;
use super::log::Log;
use super::policy::HostPolicy;
use crate::domain::backoff;
use crate::error::Error;
use crate::ports::{Notice, PortError};
use crate::store::{Store, topic_of};

/// A tick sends at most this many: a storm is not passed on as one.
const MAX_PER_TICK: u32 = 20;

/// Sends what is due. A failed one waits, longer each time; it never holds anything else up.
pub fn flush(env: &Env, host: &HostPolicy, store: &mut Store, log: &mut Log) -> Result<(), Error> {
    if host.dry {
        return Ok(());
    }
    let now = env.now();
    for row in store.outbox_due(now, MAX_PER_TICK)? {
        if (env.past_deadline)() {
            log.left.push("notices".to_owned());
            break;
        }
        let sender = env.senders.iter().find(|s| s.name == row.notifier);
        if let Some(until) = sender.and_then(|s| (s.quiet)(row.kind, now)) {
            store.outbox_postpone(row.id, until)?;
            continue;
        }
        let notice = Notice {
            topic: topic_of(&row.key).map(str::to_owned),
            key: row.key,
            kind: row.kind,
            title: row.title,
            body: row.body,
            link: row.link,
            possible_repeat: row.begun,
        };
        let Some(at) = env.senders.iter().position(|s| s.name == row.notifier) else {
            // Its notifier was taken out of the config: nobody is left to send it to.
            store.outbox_sent(row.id, now)?;
            continue;
        };
        store.outbox_begin(row.id)?;
        let answer = env.senders.get(at).map_or(Ok(()), |s| s.port.send(&notice));
        let subject = format!("notifier {}", row.notifier);
        match answer {
            Ok(()) => {
                store.outbox_sent(row.id, now)?;
                store.outage_over(&subject)?;
            }
            Err(error) => {
                let clean = !matches!(error, PortError::Later { .. } | PortError::Broken { .. });
                let later = now.plus(backoff::delay(row.tries + 1, 60, 3600));
                store.outbox_failed(row.id, clean, later)?;
                log.failed(env, store, &subject, &error)?;
            }
        }
    }
    Ok(())
}
