//! The weekly batch: its first fire is an hour from now, and every further one a week later.
//!
//! The hour is added to the instant, then it is converted to the zone of the scheduler, then cut to the minute: so neither
//! midnight, nor the end of a week, nor a change of clocks moves it.

use crate::domain::model::UnixTime;
use crate::domain::schedule::{self, Damaged, Plan, UNIT_MARK, replaced, shell, unit_assignment, unit_word};

const HOUR: i64 = 3600;
const WEEK: i64 = 7 * 86_400;
/// A batch that began so long after its time is the scheduled one.
pub const SLACK_SECONDS: i64 = 300;
/// How often the batch is led on.
const EVERY_MINUTES: u32 = 5;
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// The instant of the first fire, not cut yet: it is converted as it is.
pub fn first_instant(now: UnixTime) -> UnixTime {
    now.plus(HOUR)
}

/// The moment at which the schedule fires first: cut to the minute.
pub fn first_fire(now: UnixTime) -> UnixTime {
    let at = first_instant(now);
    UnixTime(at.0 - at.0.rem_euclid(60))
}

/// The next fire at or after `now`.
pub fn next_fire(first: UnixTime, now: UnixTime) -> UnixTime {
    if now <= first {
        return first;
    }
    let weeks = (now.since(first) + WEEK - 1) / WEEK;
    first.plus(weeks * WEEK)
}

/// An instant in the scheduler's zone; Sunday is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    pub minute: u8,
    pub hour: u8,
    pub weekday: u8,
}

impl LocalTime {
    /// Reads `MM HH D`.
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<u8> = text.split_whitespace().map(|w| w.parse().ok()).collect::<Option<_>>()?;
        let [minute, hour, weekday] = words[..] else { return None };
        (minute < 60 && hour < 24 && weekday < 7).then_some(Self { minute, hour, weekday })
    }

    /// The same instant in UTC.
    pub fn utc(at: UnixTime) -> Self {
        let small = |n: i64| u8::try_from(n).unwrap_or(0);
        // 1970-01-01 was a Thursday.
        Self {
            minute: small(at.0.div_euclid(60).rem_euclid(60)),
            hour: small(at.0.div_euclid(3600).rem_euclid(24)),
            weekday: small((at.0.div_euclid(86_400) + 4).rem_euclid(7)),
        }
    }

    /// `MM HH * * DOW`. The day of the month stays free: with both, a crontab fires on either.
    pub fn cron(&self) -> String {
        format!("{:02} {:02} * * {}", self.minute, self.hour, self.weekday)
    }

    /// `Mon *-*-* HH:MM:00 UTC`, for an instant in UTC.
    pub fn on_calendar(&self) -> String {
        let day = DAYS.get(usize::from(self.weekday)).copied().unwrap_or("Mon");
        format!("{day} *-*-* {:02}:{:02}:00 UTC", self.hour, self.minute)
    }
}

/// By this the block of upgrades is told from the block of ticks.
fn key(plan: &Plan) -> String {
    format!("{} upgrade", plan.config)
}

/// The two lines of a crontab, with their marks.
pub fn crontab_block(plan: &Plan, home: &str, at: &LocalTime) -> String {
    let command = |words: &str| {
        let text = format!(
            "PATH={} HOME={} {} --config {} --state {} {words}",
            shell(&plan.path),
            shell(home),
            shell(&plan.program),
            shell(&plan.config),
            shell(&plan.state)
        );
        text.replace('%', "\\%")
    };
    format!(
        "# BEGIN offhours {0}\n{1} {2}\n*/{EVERY_MINUTES} * * * * {3}\n# END offhours {0}\n",
        key(plan),
        at.cron(),
        command("upgrade start --scheduled"),
        command("upgrade")
    )
}

/// The crontab with the block in it, once.
///
/// # Errors
/// Where the marks do not stand in pairs.
pub fn with_block(crontab: &str, plan: &Plan, home: &str, at: &LocalTime) -> Result<String, Damaged> {
    replaced(crontab, &key(plan), &crontab_block(plan, home, at))
}

/// The crontab without the block; everything else byte for byte.
///
/// # Errors
/// Where the marks do not stand in pairs.
pub fn without_block(crontab: &str, plan: &Plan) -> Result<String, Damaged> {
    schedule::without_block(crontab, &key(plan))
}

/// The units of a user: for the start of a batch, and for leading it on. Names and texts.
pub fn units(plan: &Plan, home: &str, at: &LocalTime) -> [(&'static str, String); 4] {
    let service = |words: &str| {
        format!(
            "{UNIT_MARK}: upgrade schedule`\n[Unit]\nDescription=offhours {words}\n\n[Service]\nType=oneshot\nKillMode=process\n\
             TimeoutStartSec=15min\n{}\n{}\nExecStart={} --config {} --state {} {words}\n",
            unit_assignment("PATH", &plan.path),
            unit_assignment("HOME", home),
            unit_word(&plan.program),
            unit_word(&plan.config),
            unit_word(&plan.state)
        )
    };
    let timer = |calendar: &str, unit: &str| {
        format!(
            "{UNIT_MARK}: upgrade schedule`\n[Unit]\nDescription=starts {unit}\n\n[Timer]\nOnCalendar={calendar}\nPersistent=true\n\
             AccuracySec=1s\nUnit={unit}\n\n[Install]\nWantedBy=timers.target\n"
        )
    };
    [
        ("offhours-upgrade-start.service", service("upgrade start --scheduled")),
        ("offhours-upgrade-start.timer", timer(&at.on_calendar(), "offhours-upgrade-start.service")),
        ("offhours-upgrade.service", service("upgrade")),
        ("offhours-upgrade.timer", timer(&format!("*:0/{EVERY_MINUTES}"), "offhours-upgrade.service")),
    ]
}

/// Whether the first fire came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fired {
    /// Its time has not come, or a batch that began in time is still at work.
    NotYet,
    Yes,
    Missed,
}

/// `batches`: the scheduled ones that began in the slack, each with whether it has a summary.
pub fn fired(first: UnixTime, batches: &[bool], now: UnixTime) -> Fired {
    if batches.contains(&true) {
        Fired::Yes
    } else if !batches.is_empty() || now <= first.plus(SLACK_SECONDS) {
        Fired::NotYet
    } else {
        Fired::Missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_from_now_over_midnight_sunday_and_the_minute() {
        // 2026-03-02 is a Monday.
        let monday = 1_772_409_600;
        for (now, cron, calendar) in [
            (monday, "00 01 * * 1", "Mon *-*-* 01:00:00 UTC"),
            (monday + 59, "00 01 * * 1", "Mon *-*-* 01:00:00 UTC"),
            (monday + 60, "01 01 * * 1", "Mon *-*-* 01:01:00 UTC"),
            (monday + 23 * 3600 + 59 * 60, "59 00 * * 2", "Tue *-*-* 00:59:00 UTC"),
            (monday + 6 * 86_400 - 1800, "30 00 * * 0", "Sun *-*-* 00:30:00 UTC"),
            (monday + 7 * 86_400 - 1, "59 00 * * 1", "Mon *-*-* 00:59:00 UTC"),
        ] {
            let at = LocalTime::utc(first_instant(UnixTime(now)));
            assert_eq!((at.cron().as_str(), at.on_calendar().as_str()), (cron, calendar), "{now}");
            let fire = first_fire(UnixTime(now));
            assert!(fire.0 % 60 == 0 && (0..60).contains(&(now + 3600 - fire.0)));
        }
        assert_eq!(LocalTime::parse("05 23 6\n").unwrap().cron(), "05 23 * * 6");
        for bad in ["", "5 23", "60 0 0", "0 24 0", "0 0 7", "a b c", "1 2 3 4"] {
            assert_eq!(LocalTime::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn fires_are_a_week_apart() {
        let first = UnixTime(600);
        assert_eq!(next_fire(first, UnixTime(0)), first);
        assert_eq!(next_fire(first, first), first);
        assert_eq!(next_fire(first, UnixTime(601)), UnixTime(600 + WEEK));
        assert_eq!(next_fire(first, UnixTime(600 + WEEK)), UnixTime(600 + WEEK));
        assert_eq!(next_fire(first, UnixTime(601 + WEEK)), UnixTime(600 + 2 * WEEK));
    }

    #[test]
    fn a_missed_fire_is_missed() {
        let first = UnixTime(1000);
        assert_eq!(fired(first, &[], UnixTime(1300)), Fired::NotYet);
        assert_eq!(fired(first, &[], UnixTime(1301)), Fired::Missed);
        assert_eq!(fired(first, &[false], UnixTime(90_000)), Fired::NotYet);
        assert_eq!(fired(first, &[false, true], UnixTime(90_000)), Fired::Yes);
    }

    #[test]
    fn the_block_is_put_in_once_beside_that_of_ticks() {
        let plan = Plan::usual();
        let at = LocalTime { minute: 5, hour: 3, weekday: 1 };
        let before = schedule::with_block("MAILTO=me\n", &plan).unwrap();
        let once = with_block(&before, &plan, "/home/me", &at).unwrap();
        assert_eq!(with_block(&once, &plan, "/home/me", &at).unwrap(), once);
        assert!(once.starts_with(&before) && once.contains("\n05 03 * * 1 PATH="), "{once}");
        assert_eq!(once.matches("upgrade start --scheduled").count(), 1);
        assert!(once.contains("\n*/5 * * * * PATH="), "it is led on: {once}");
    }
}
