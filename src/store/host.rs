//! What concerns the host or a repo as a whole: holds, parks, pauses, back-offs, alarms, outages, ticks.

use super::ask::Ask as _;
use super::codes::word;
use super::outbox::insert_notice;
use super::{Store, StoreResult, to_i64, to_u32};
use crate::domain::model::{IssueRef, Oid, RepoId, UnixTime};
use crate::ports::Notice;
use rusqlite::params;
use strum::{EnumString, IntoStaticStr};

/// Nothing starts in the repo until it is cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub kind: HoldKind,
    /// For `base-red`: the red commit; another one on the branch lifts the hold.
    pub oid: Option<Oid>,
    pub run: Option<String>,
    pub since: UnixTime,
}

/// What a repo is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum HoldKind {
    Frozen,
    BaseRed,
    /// Keeps nothing back: what came to the branch by other hands than our push is looked at until CI has decided.
    Watched,
}

impl HoldKind {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// A runner account that is not to be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Park {
    /// `quota`, `login` or `breaker`.
    pub kind: String,
    pub detail: String,
    pub since: UnixTime,
    /// `None`: until a person resumes it.
    pub until: Option<UnixTime>,
}

impl Store {
    pub fn put_hold(&mut self, repo: &RepoId, hold: &Hold) -> StoreResult<()> {
        self.conn.write(
            "INSERT OR REPLACE INTO holds (repo, kind, oid, run, since) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                repo.to_string(),
                hold.kind.code(),
                hold.oid.as_ref().map(Oid::as_str),
                hold.run,
                hold.since.0
            ],
        )
    }

    pub fn holds(&self, repo: &RepoId) -> StoreResult<Vec<Hold>> {
        self.conn.rows(
            "SELECT kind, oid, run, since FROM holds WHERE repo = ?1 ORDER BY kind",
            [repo.to_string()],
            |row| {
                Ok(Hold {
                    kind: word("hold", &row.get::<_, String>(0)?)?,
                    oid: row.get::<_, Option<String>>(1)?.as_deref().and_then(Oid::parse),
                    run: row.get(2)?,
                    since: UnixTime(row.get(3)?),
                })
            },
        )
    }

    pub fn clear_hold(&mut self, repo: &RepoId, kind: HoldKind) -> StoreResult<bool> {
        let gone = self
            .conn
            .change("DELETE FROM holds WHERE repo = ?1 AND kind = ?2", [&repo.to_string(), kind.code()])?;
        Ok(gone > 0)
    }

    pub fn park(&mut self, account: &str, park: &Park) -> StoreResult<()> {
        self.conn.write(
            "INSERT OR REPLACE INTO parks (account, kind, detail, since, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![account, park.kind, park.detail, park.since.0, park.until.map(|t| t.0)],
        )
    }

    /// The account's park, if it is one now.
    pub fn parked(&self, account: &str, now: UnixTime) -> StoreResult<Option<Park>> {
        let park = self.conn.row(
            "SELECT kind, detail, since, until FROM parks WHERE account = ?1",
            [account],
            read_park,
        )?;
        Ok(park.filter(|p| p.until.is_none_or(|until| until > now)))
    }

    pub fn parks(&self) -> StoreResult<Vec<(String, Park)>> {
        self.conn.rows("SELECT kind, detail, since, until, account FROM parks ORDER BY account", [], |row| {
            Ok((row.get::<_, String>(4)?, read_park(row)?))
        })
    }

    pub fn unpark(&mut self, account: &str) -> StoreResult<bool> {
        self.conn.write("DELETE FROM start_failures WHERE account = ?1", [account])?;
        let gone = self.conn.change("DELETE FROM parks WHERE account = ?1", [account])?;
        Ok(gone > 0)
    }

    /// Counts a failure to start; equal ones in a row add up. Returns how many there are now.
    pub fn start_failed(&mut self, account: &str, detail: &str) -> StoreResult<u32> {
        self.conn.write(
            "INSERT INTO start_failures (account, detail, count) VALUES (?1, ?2, 1) ON CONFLICT (account) DO UPDATE SET \
             count = CASE WHEN detail = excluded.detail THEN count + 1 ELSE 1 END, detail = excluded.detail",
            [account, detail],
        )?;
        self.conn
            .one("SELECT count FROM start_failures WHERE account = ?1", [account], |row| {
                Ok(row.get::<_, i64>(0)?)
            })
            .map(to_u32)
    }

    /// A turn really began: the count of failures to start begins anew.
    pub fn start_worked(&mut self, account: &str) -> StoreResult<()> {
        self.conn.write("DELETE FROM start_failures WHERE account = ?1", [account])
    }

    /// `scope` is `*` or a repo.
    pub fn pause(&mut self, scope: &str, now: UnixTime, until: Option<UnixTime>) -> StoreResult<()> {
        self.conn.write(
            "INSERT OR REPLACE INTO pauses (scope, since, until) VALUES (?1, ?2, ?3)",
            params![scope, now.0, until.map(|t| t.0)],
        )
    }

    pub fn unpause(&mut self, scope: &str) -> StoreResult<bool> {
        let gone = self.conn.change("DELETE FROM pauses WHERE scope = ?1", [scope])?;
        Ok(gone > 0)
    }

    /// Whether the scope is paused now, and until when.
    pub fn paused(&self, scope: &str, now: UnixTime) -> StoreResult<Option<Option<UnixTime>>> {
        let until = self.conn.row("SELECT until FROM pauses WHERE scope = ?1", [scope], |row| {
            Ok(row.get::<_, Option<i64>>(0)?)
        })?;
        Ok(until.map(|u| u.map(UnixTime)).filter(|u| u.is_none_or(|until| until > now)))
    }

    /// Another failed dispatch of an issue. Returns how many there were.
    pub fn put_backoff(&mut self, issue: &IssueRef, failures: u32, until: UnixTime) -> StoreResult<()> {
        self.conn.write(
            "INSERT OR REPLACE INTO backoffs (repo, number, failures, until) VALUES (?1, ?2, ?3, ?4)",
            params![issue.repo.to_string(), to_i64(issue.number), failures, until.0],
        )
    }

    /// `(failures, until)` of an issue whose dispatch failed.
    pub fn backoff(&self, issue: &IssueRef) -> StoreResult<Option<(u32, UnixTime)>> {
        self.conn.row(
            "SELECT failures, until FROM backoffs WHERE repo = ?1 AND number = ?2",
            params![issue.repo.to_string(), to_i64(issue.number)],
            |row| Ok((to_u32(row.get(0)?), UnixTime(row.get(1)?))),
        )
    }

    pub fn clear_backoff(&mut self, issue: &IssueRef) -> StoreResult<()> {
        self.conn.write(
            "DELETE FROM backoffs WHERE repo = ?1 AND number = ?2",
            params![issue.repo.to_string(), to_i64(issue.number)],
        )
    }

    /// Raises an alarm and queues what is to be told of it, in one step. Returns whether it is news; one that stands
    /// already only gets the new detail.
    pub fn raise(
        &mut self,
        cause: &str,
        detail: &str,
        now: UnixTime,
        notifiers: &[String],
        notice: &Notice,
    ) -> StoreResult<bool> {
        self.transact("state.alarm", |tx| {
            let news = tx.change(
                "INSERT INTO alarms (cause, since, detail, raised) VALUES (?1, ?2, ?3, 1) ON CONFLICT (cause) DO NOTHING",
                params![cause, now.0, detail],
            )?
                > 0;
            if news {
                insert_notice(tx, notifiers, notice, now)?;
            } else {
                tx.write("UPDATE alarms SET detail = ?2 WHERE cause = ?1 AND detail <> ?2", [cause, detail])?;
            }
            Ok(news)
        })
    }

    /// Clears an alarm and queues what is to be told of it, in one step. Returns since when it stood, if it did.
    pub fn clear_alarm(
        &mut self,
        cause: &str,
        now: UnixTime,
        notifiers: &[String],
        notice: impl FnOnce(UnixTime) -> Notice,
    ) -> StoreResult<Option<UnixTime>> {
        let stands = "SELECT since FROM alarms WHERE cause = ?1";
        let since = self.conn.row(stands, [cause], |row| Ok(row.get::<_, i64>(0)?))?;
        let Some(since) = since.map(UnixTime) else { return Ok(None) };
        let notice = notice(since);
        self.transact("state.alarm", |tx| {
            tx.write("DELETE FROM alarms WHERE cause = ?1", [cause])?;
            insert_notice(tx, notifiers, &notice, now)
        })?;
        Ok(Some(since))
    }

    /// `(cause, since, detail)` of every standing alarm.
    pub fn alarms(&self) -> StoreResult<Vec<(String, UnixTime, String)>> {
        self.conn.rows("SELECT cause, since, detail FROM alarms ORDER BY since, cause", [], |row| {
            Ok((row.get(0)?, UnixTime(row.get(1)?), row.get(2)?))
        })
    }

    /// An outage was met again. Returns whether it is to be said: the 1st, 2nd, 4th, 8th... time.
    pub fn outage(&mut self, subject: &str, now: UnixTime) -> StoreResult<bool> {
        self.conn.write(
            "INSERT INTO outages (subject, since, times, last_said) VALUES (?1, ?2, 1, ?2) \
                 ON CONFLICT (subject) DO UPDATE SET times = times + 1",
            params![subject, now.0],
        )?;
        let times = self.conn.one("SELECT times FROM outages WHERE subject = ?1", [subject], |row| {
            Ok(row.get::<_, i64>(0)?)
        })?;
        Ok(u64::try_from(times).is_ok_and(u64::is_power_of_two))
    }

    /// Remembers since when something has been so; `None` once it is not.
    pub fn standing(&mut self, subject: &str, stands: bool, now: UnixTime) -> StoreResult<Option<UnixTime>> {
        if !stands {
            self.outage_over(subject)?;
            return Ok(None);
        }
        self.outage(subject, now)?;
        self.conn
            .one("SELECT since FROM outages WHERE subject = ?1", [subject], |row| Ok(row.get::<_, i64>(0)?))
            .map(|at| Some(UnixTime(at)))
    }

    /// Marks a day's work as done. Returns whether it was not.
    pub fn first_today(&mut self, what: &str, now: UnixTime) -> StoreResult<bool> {
        let day = (now.0.div_euclid(86_400)).to_string();
        let changed = self.conn.change(
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value \
             WHERE value <> excluded.value",
            [what, &day],
        )?;
        Ok(changed > 0)
    }

    /// The subject answers again. Returns whether it had not.
    pub fn outage_over(&mut self, subject: &str) -> StoreResult<bool> {
        let gone = self.conn.change("DELETE FROM outages WHERE subject = ?1", [subject])?;
        Ok(gone > 0)
    }

    pub fn tick_started(&mut self, command: &str, now: UnixTime) -> StoreResult<()> {
        self.conn.write(
            "INSERT INTO ticks (command, started_at) VALUES (?1, ?2) ON CONFLICT (command) DO UPDATE SET \
                 started_at = excluded.started_at, ended_at = NULL, lock_misses = 0",
            params![command, now.0],
        )
    }

    pub fn tick_ended(&mut self, command: &str, outcome: &str, now: UnixTime) -> StoreResult<()> {
        self.conn.write(
            "UPDATE ticks SET ended_at = ?2, outcome = ?3 WHERE command = ?1",
            params![command, now.0, outcome],
        )
    }

    /// Another tick held the lock for all of the wait. Returns how often in a row.
    pub fn lock_missed(&mut self, command: &str, now: UnixTime) -> StoreResult<u32> {
        self.conn.write(
            "INSERT INTO ticks (command, started_at, lock_misses) VALUES (?1, ?2, 1) ON CONFLICT (command) DO UPDATE SET \
             lock_misses = lock_misses + 1",
            params![command, now.0],
        )?;
        self.conn
            .one("SELECT lock_misses FROM ticks WHERE command = ?1", [command], |row| {
                Ok(row.get::<_, i64>(0)?)
            })
            .map(to_u32)
    }

    /// `(command, started, ended, outcome)` of each command's last tick.
    pub fn ticks(&self) -> StoreResult<Vec<(String, UnixTime, Option<UnixTime>, Option<String>)>> {
        self.conn.rows(
            "SELECT command, started_at, ended_at, outcome FROM ticks ORDER BY started_at DESC",
            [],
            |row| {
                Ok((
                    row.get(0)?,
                    UnixTime(row.get(1)?),
                    row.get::<_, Option<i64>>(2)?.map(UnixTime),
                    row.get(3)?,
                ))
            },
        )
    }
}

fn read_park(row: &rusqlite::Row<'_>) -> StoreResult<Park> {
    Ok(Park {
        kind: row.get(0)?,
        detail: row.get(1)?,
        since: UnixTime(row.get(2)?),
        until: row.get::<_, Option<i64>>(3)?.map(UnixTime),
    })
}
