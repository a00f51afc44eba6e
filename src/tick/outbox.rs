//! Notices on their way out. A receiver that cannot be asked gets a notice at least once, with the same key.

use super::world::World;
use crate::domain::backoff;
use crate::error::Error;
use crate::ports::{Notice, PortError};
use crate::store::topic_of;

/// A tick sends at most this many: a storm is not passed on as one.
const MOST_PER_TICK: u32 = 20;

/// Sends what is due. A failed one waits, longer each time; it never holds anything else up.
pub fn flush(world: &mut World) -> Result<(), Error> {
    if world.dry {
        return Ok(());
    }
    let now = world.now();
    for row in world.store.outbox_due(now, MOST_PER_TICK)? {
        if (world.late)() {
            world.report.left.push("notices".to_owned());
            break;
        }
        let sender = world.senders.iter().find(|s| s.name == row.notifier);
        if let Some(until) = sender.and_then(|s| (s.quiet)(&row.kind, now)) {
            world.store.outbox_postpone(row.id, until)?;
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
        let Some(at) = world.senders.iter().position(|s| s.name == row.notifier) else {
            // Its notifier was taken out of the config: nobody is left to send it to.
            world.store.outbox_sent(row.id, now)?;
            continue;
        };
        world.store.outbox_begin(row.id)?;
        let answer = world.senders.get(at).map_or(Ok(()), |s| s.port.send(&notice));
        let subject = format!("notifier {}", row.notifier);
        match answer {
            Ok(()) => {
                world.store.outbox_sent(row.id, now)?;
                world.answers(&subject)?;
            }
            Err(error) => {
                let clean = !matches!(error, PortError::Later { .. } | PortError::Broken { .. });
                let later = now.plus(backoff::delay(row.tries + 1, 60, 3600));
                world.store.outbox_failed(row.id, clean, later)?;
                world.failed(&subject, &error)?;
            }
        }
    }
    Ok(())
}
