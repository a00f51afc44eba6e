//! Moments and lengths of time, for people.

use super::model::UnixTime;

/// `2026-11-21 04:05 UTC`, for people.
pub fn moment(at: UnixTime) -> String {
    match time::OffsetDateTime::from_unix_timestamp(at.0) {
        Ok(t) => format!(
            "{:04}-{:02}-{:02} {:02}:{:02} UTC",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute()
        ),
        Err(_) => format!("@{}", at.0),
    }
}

/// `3d 4h`, `2h 5m`, `7m`, `12s`: how long, in the two largest units.
pub fn span(seconds: i64) -> String {
    let s = seconds.max(0);
    match (s / 86400, s / 3600 % 24, s / 60 % 60) {
        (0, 0, 0) => format!("{s}s"),
        (0, 0, m) => format!("{m}m"),
        (0, h, m) => format!("{h}h {m}m"),
        (d, h, _) => format!("{d}d {h}h"),
    }
}
