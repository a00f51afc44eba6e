//! Opening hours: when work may start and when anything may be merged. Pure; the moment is handed in.

use std::fmt;
use std::path::Path;

use toml_edit::{Item, Value};

use super::value::{Bad, Element, Setting};
use crate::domain::model::UnixTime;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTES_OF_DAY: u16 = 24 * 60;

/// One stretch of the week. One that crosses midnight belongs to the day on which it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Monday first.
    pub days: [bool; 7],
    /// Minutes after midnight; `to` is not part of it and may be 1440.
    pub from: u16,
    pub to: u16,
}

/// All windows of one key, with the offset of the clock they are written in.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Hours {
    pub windows: Vec<Window>,
    pub offset: Offset,
}

/// A fixed distance to UTC, in seconds. It knows no summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Offset(pub i32);

/// Whether the moment lies in one of the windows; no window at all means always.
pub fn is_open(hours: &Hours, at: UnixTime) -> bool {
    let local = at.0.saturating_add(i64::from(hours.offset.0));
    let minute = local.rem_euclid(86_400) / 60;
    // 1970-01-01 was a Thursday.
    let today = usize::try_from((local.div_euclid(86_400) + 3).rem_euclid(7)).unwrap_or_default();
    let yesterday = (today + 6) % 7;
    let covers = |w: &Window| {
        let (from, to) = (i64::from(w.from), i64::from(w.to));
        if from < to {
            w.days[today] && (from..to).contains(&minute)
        } else {
            (w.days[today] && minute >= from) || (w.days[yesterday] && minute < to)
        }
    };
    hours.windows.is_empty() || hours.windows.iter().any(covers)
}

/// When the window that this moment lies in ends; `None` where it lies in none, or where no window is written at all.
pub fn window_end(hours: &Hours, at: UnixTime) -> Option<UnixTime> {
    if hours.windows.is_empty() || !is_open(hours, at) {
        return None;
    }
    let minute = UnixTime(at.0 - at.0.rem_euclid(60));
    // Windows that follow one another are one. A week that is open all the time is asked again after a day.
    let open = (1..=24 * 60).map(|n| minute.plus(n * 60)).find(|t| !is_open(hours, *t));
    Some(open.unwrap_or(minute.plus(86_400)))
}

impl Window {
    /// Reads `22:00-06:00`, `Mon-Fri 22:00-06:00` or `Sat,Sun 00:00-24:00`.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (first, second, None) = (words.next()?, words.next(), words.next()) else { return None };
        let (days, times) = match second {
            Some(times) => (parse_days(first)?, times),
            None => ([true; 7], first),
        };
        let (from, to) = times.split_once('-')?;
        let (from, to) = (parse_time(from)?, parse_time(to)?);
        (from != to && from < MINUTES_OF_DAY).then_some(Self { days, from, to })
    }
}

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let day = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(first)?, day(last)?);
        days[at] = true;
        while at != last {
            at = (at + 1) % 7;
            days[at] = true;
        }
    }
    Some(days)
}

/// `hh:mm` as minutes; 24:00 is the end of the day.
fn parse_time(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    (minutes < 60 && hours * 60 + minutes <= MINUTES_OF_DAY).then_some(hours * 60 + minutes)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != [true; 7] {
            let names: Vec<&str> =
                DAYS.iter().zip(self.days).filter(|(_, on)| *on).map(|(name, _)| *name).collect();
            write!(f, "{} ", names.join(","))?;
        }
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl Element for Window {
    fn accepts_many() -> String {
        "times like \"22:00-06:00\" or \"Mon-Fri 22:00-06:00\"".to_owned()
    }
    fn read_one(value: &Value) -> Result<Self, Bad> {
        let text = value.as_str().ok_or(Bad::Type)?;
        Self::parse(text).ok_or_else(|| {
            Bad::Says(format!(
                "cannot read \"{text}\": write \"22:00-06:00\" or \"Mon-Fri 22:00-06:00\", with two different times"
            ))
        })
    }
    fn show_one(&self) -> Value {
        Value::from(self.to_string())
    }
}

impl Setting for Hours {
    fn accepts() -> String {
        Vec::<Window>::accepts()
    }
    fn read(item: &Item, folder: &Path) -> Result<Self, Bad> {
        // The offset is a key of its own and is filled in when all keys are read.
        Ok(Self { windows: Vec::read(item, folder)?, offset: Offset::default() })
    }
    fn show(&self) -> Option<Value> {
        self.windows.show()
    }
}

impl Setting for Offset {
    fn accepts() -> String {
        "\"UTC\" or an offset like \"+02:00\"".to_owned()
    }
    fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
        let text = item.as_str().ok_or(Bad::Type)?;
        if text.eq_ignore_ascii_case("utc") {
            return Ok(Self(0));
        }
        let seconds = text
            .strip_prefix('+')
            .map(|rest| (rest, 60))
            .or_else(|| text.strip_prefix('-').map(|rest| (rest, -60)))
            .and_then(|(rest, sign)| parse_time(rest).map(|minutes| i32::from(minutes) * sign))
            // No clock on earth is further off.
            .filter(|seconds| seconds.abs() <= 14 * 3600);
        seconds.map(Self).ok_or_else(|| {
            Bad::Says(format!(
                "cannot read \"{text}\": write \"UTC\" or an offset like \"+02:00\" (names of zones are not known)"
            ))
        })
    }
    fn show(&self) -> Option<Value> {
        if self.0 == 0 {
            return Some(Value::from("UTC"));
        }
        let minutes = self.0.abs() / 60;
        let sign = if self.0 < 0 { '-' } else { '+' };
        Some(Value::from(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(windows: &[&str], offset: i32) -> Hours {
        let windows = windows.iter().map(|text| Window::parse(text).expect(text)).collect();
        Hours { windows, offset: Offset(offset) }
    }

    /// 2026-01-05 was a Monday.
    fn monday_plus(days: i64, hour: i64, minute: i64) -> UnixTime {
        UnixTime(1_767_571_200 + days * 86_400 + hour * 3600 + minute * 60)
    }

    #[test]
    fn no_window_is_always_open() {
        assert!(is_open(&hours(&[], 0), UnixTime(-1)));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_starts() {
        let nights = hours(&["Mon-Fri 22:00-06:00"], 0);
        let table = [
            (0, 21, 59, false),
            (0, 22, 0, true),
            (1, 5, 59, true),
            (1, 6, 0, false),
            (0, 3, 0, false), // the night of Sunday
            (4, 23, 0, true),
            (5, 3, 0, true), // Saturday morning is Friday's night
            (5, 23, 0, false),
            (6, 3, 0, false),
        ];
        for (day, hour, minute, open) in table {
            assert_eq!(is_open(&nights, monday_plus(day, hour, minute)), open, "{day} {hour}:{minute}");
        }
    }

    #[test]
    fn the_offset_moves_the_clock() {
        let day = hours(&["08:00-09:00"], 2 * 3600);
        assert!(is_open(&day, monday_plus(0, 6, 30)));
        assert!(!is_open(&day, monday_plus(0, 8, 30)));
    }

    #[test]
    fn times_before_1970_and_at_the_ends_do_not_panic() {
        let weekend = hours(&["Sat,Sun 00:00-24:00", "Fri-Mon 01:00-02:00"], -3600);
        for at in [i64::MIN, -1, 0, i64::MAX] {
            is_open(&weekend, UnixTime(at));
        }
        assert!(is_open(&weekend, monday_plus(6, 0, 30)));
    }

    #[test]
    fn what_is_no_window_is_not_guessed() {
        for text in [
            "",
            "22-6",
            "25:00-26:00",
            "22:00",
            "Mon",
            "Mon 22:00",
            "Mom 22:00-23:00",
            "22:00-22:00",
            "a b c",
        ] {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_window_is_shown_as_it_can_be_read() {
        for text in ["22:00-06:00", "Mon,Tue 01:05-24:00"] {
            assert_eq!(hours(&[text], 0).windows[0].to_string(), text);
        }
    }
}
