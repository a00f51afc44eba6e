//! Moments and lengths of time, for people.

use super::model::UnixTime;

/// `2026-11-21 04:05 UTC`, for people.
pub fn format_time(at: UnixTime) -> String {
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
pub fn format_duration(seconds: i64) -> String {
    let s = seconds.max(0);
    match (s / 86400, s / 3600 % 24, s / 60 % 60) {
        (0, 0, 0) => format!("{s}s"),
        (0, 0, m) => format!("{m}m"),
        (0, h, m) => format!("{h}h {m}m"),
        (d, h, _) => format!("{d}d {h}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans() {
        assert_eq!(format_time(UnixTime(0)), "1970-01-01 00:00 UTC");
        assert_eq!(format_time(UnixTime(i64::MAX)), format!("@{}", i64::MAX));
        for (s, want) in
            [(-5, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h 0m"), (86_400, "1d 0h")]
        {
            assert_eq!(format_duration(s), want);
        }
    }
}
