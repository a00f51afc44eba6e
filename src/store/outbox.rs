//! Notices on their way out.

use rusqlite::{Row, params};

use super::ask::Ask as _;
use super::codes::word;
use super::{Store, StoreResult};
use crate::domain::effect::NoticeKind;
use crate::domain::model::UnixTime;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: i64,
    pub key: String,
    pub notifier: String,
    pub kind: NoticeKind,
    pub title: String,
    pub body: String,
    pub link: Option<String>,
    pub tries: u32,
    /// Was begun before without an answer that we know.
    pub begun: bool,
}

impl Store {
    /// Queues a notice for every notifier, once per key.
    pub fn enqueue(
        &mut self,
        notifiers: &[String],
        notice: &crate::ports::Notice,
        now: UnixTime,
    ) -> StoreResult<()> {
        self.transact("state.enqueue", |tx| insert_notice(tx, notifiers, notice, now))
    }

    /// Not now, but then.
    pub fn outbox_postpone(&mut self, id: i64, until: UnixTime) -> StoreResult<()> {
        self.conn.write("UPDATE outbox SET not_before = ?2 WHERE id = ?1", params![id, until.0])
    }

    /// Notices that are still to be sent.
    pub fn outbox_waiting(&self) -> StoreResult<u32> {
        self.conn
            .one("SELECT COUNT(*) FROM outbox WHERE state = 'pending'", [], |row| Ok(row.get::<_, i64>(0)?))
            .map(super::to_u32)
    }

    /// Notices that are due, oldest first.
    pub fn outbox_due(&self, now: UnixTime, limit: u32) -> StoreResult<Vec<OutboxRow>> {
        self.conn.rows(
            "SELECT id, key, notifier, kind, title, body, link, tries, begun FROM outbox \
                 WHERE state = 'pending' AND not_before <= ?1 ORDER BY id LIMIT ?2",
            params![now.0, limit],
            read,
        )
    }

    /// Marks a notice as begun, before it is sent: if the answer is lost, the next one is marked as a possible repeat.
    pub fn outbox_begin(&mut self, id: i64) -> StoreResult<()> {
        self.transact("state.outbox", |tx| tx.write("UPDATE outbox SET begun = 1 WHERE id = ?1", [id]))
    }

    pub fn outbox_sent(&mut self, id: i64, now: UnixTime) -> StoreResult<()> {
        self.transact("state.outbox", |tx| {
            tx.write("UPDATE outbox SET state = 'sent', done_at = ?2 WHERE id = ?1", params![id, now.0])
        })
    }

    /// The receiver said no or did not answer: later again; `clean` when it certainly did not get it.
    pub fn outbox_failed(&mut self, id: i64, clean: bool, not_before: UnixTime) -> StoreResult<()> {
        self.conn.write(
            "UPDATE outbox SET tries = tries + 1, not_before = ?2, begun = CASE WHEN ?3 THEN 0 ELSE begun END WHERE id = ?1",
            params![id, not_before.0, clean],
        )
    }
}

fn read(row: &Row<'_>) -> StoreResult<OutboxRow> {
    Ok(OutboxRow {
        id: row.get(0)?,
        key: row.get(1)?,
        notifier: row.get(2)?,
        kind: word("notice kind", &row.get::<_, String>(3)?)?,
        title: row.get(4)?,
        body: row.get(5)?,
        link: row.get(6)?,
        tries: row.get(7)?,
        begun: row.get(8)?,
    })
}

/// What the keys of notices about the cause of an alarm begin with.
const ABOUT_A_CAUSE: [NoticeKind; 2] = [NoticeKind::Alarm, NoticeKind::Recovered];

/// The keys of notices about one cause: their beginnings, before a number.
fn topic_keys(topic: &str) -> [String; 2] {
    ABOUT_A_CAUSE.map(|kind| format!("{}:{topic}:", kind.code()))
}

/// What a notice's key says that it is about, where it is about the cause of an alarm.
pub fn topic_of(key: &str) -> Option<&str> {
    let (kind, rest) = key.split_once(':')?;
    let (topic, number) = rest.rsplit_once(':').filter(|_| ABOUT_A_CAUSE.iter().any(|k| k.code() == kind))?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(topic)
}

/// Queues a notice once per key and receiver. One about the same cause that was not sent yet is not of interest any more.
pub(super) fn insert_notice(
    tx: &rusqlite::Connection,
    notifiers: &[String],
    notice: &crate::ports::Notice,
    now: UnixTime,
) -> StoreResult<()> {
    for notifier in notifiers {
        for begins in notice.topic.iter().flat_map(|topic| topic_keys(topic)) {
            tx.write(
                "UPDATE outbox SET state = 'given-up', done_at = ?3 WHERE notifier = ?1 AND state = 'pending' AND begun = 0 \
                 AND substr(key, 1, length(?2)) = ?2 AND substr(key, length(?2) + 1) NOT GLOB '*[^0-9]*' AND key <> ?4",
                params![notifier, begins, now.0, notice.key],
            )?;
        }
        tx.write(
            "INSERT OR IGNORE INTO outbox (key, notifier, kind, title, body, link, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![notice.key, notifier, notice.kind.code(), notice.title, notice.body, notice.link, now.0],
        )?;
    }
    Ok(())
}
