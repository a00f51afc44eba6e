//! Lock files of git: which of them nobody stands behind any more, and which have stood for too long.

use super::model::UnixTime;

/// Git holds the lock of a ref for milliseconds. One that is older is nobody's on another machine either.
pub const YOUNG_SECONDS: i64 = 2;
/// No git of ours lives longer: the last bound, a supervisor's, is ten minutes.
pub const LONGEST_SECONDS: i64 = 900;
/// One that is not ours to take away is an alarm after this.
pub const ALARM_SECONDS: i64 = 3600;

/// A lock file where only offhours writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The file belongs to our account.
    pub own: bool,
    /// Whether a git of ours is at work there; `None` where this cannot be told.
    pub git_lives: Option<bool>,
    /// Another machine may write there, whose processes nobody sees here.
    pub shared: bool,
    pub age_seconds: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    TakeAway,
    /// To be looked at again after so many seconds.
    Wait(i64),
    Leave,
}

pub fn fate(seen: Seen) -> Fate {
    let age = seen.age_seconds.max(0);
    match seen.git_lives {
        _ if !seen.own => Fate::Leave,
        Some(true) => Fate::Leave,
        None if age < LONGEST_SECONDS => Fate::Leave,
        Some(false) if seen.shared && age < YOUNG_SECONDS => Fate::Wait(YOUNG_SECONDS - age),
        Some(false) | None => Fate::TakeAway,
    }
}

/// A lock that stands and is not ours to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When a tick first met it.
    pub since: UnixTime,
    /// When its file was made: another one under the same name is another lock.
    pub made: UnixTime,
    pub path: String,
}

impl Standing {
    pub fn too_long(&self, now: UnixTime) -> bool {
        now.since(self.since) >= ALARM_SECONDS
    }
}

/// What was kept of [`kept`].
pub fn read(text: &str) -> Vec<Standing> {
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let mut at = || Some(UnixTime(words.next()?.parse().ok()?));
        let (since, made) = (at()?, at()?);
        Some(Standing { since, made, path: words.next()?.to_owned() })
    };
    text.lines().filter_map(line).collect()
}

/// As lines, to be kept for the next tick.
pub fn kept(standing: &[Standing]) -> String {
    let lines: Vec<String> =
        standing.iter().map(|one| format!("{} {} {}", one.since.0, one.made.0, one.path)).collect();
    lines.join("\n")
}

/// What stands now, each since it was first met; `found`: path and making of each.
pub fn standing(before: &[Standing], found: Vec<(String, UnixTime)>, now: UnixTime) -> Vec<Standing> {
    let since = |path: &str, made| {
        before.iter().find(|known| known.path == path && known.made == made).map_or(now, |known| known.since)
    };
    found.into_iter().map(|(path, made)| Standing { since: since(&path, made), made, path }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_stands_behind_is_taken_away() {
        let left = Seen { own: true, git_lives: Some(false), shared: false, age_seconds: 0 };
        let shared = Seen { shared: true, ..left };
        let dark = Seen { git_lives: None, ..left };
        for (seen, expected) in [
            (left, Fate::TakeAway),
            (Seen { own: false, age_seconds: 1_000_000, ..left }, Fate::Leave),
            (Seen { git_lives: Some(true), age_seconds: 1_000_000, ..left }, Fate::Leave),
            (shared, Fate::Wait(2)),
            (Seen { age_seconds: -50, ..shared }, Fate::Wait(2)),
            (Seen { age_seconds: 1, ..shared }, Fate::Wait(1)),
            (Seen { age_seconds: 2, ..shared }, Fate::TakeAway),
            (dark, Fate::Leave),
            (Seen { age_seconds: 899, ..dark }, Fate::Leave),
            (Seen { age_seconds: 900, ..dark }, Fate::TakeAway),
            (Seen { age_seconds: 900, shared: true, ..dark }, Fate::TakeAway),
        ] {
            assert_eq!(fate(seen), expected, "{seen:?}");
        }
    }

    #[test]
    fn a_lock_is_known_by_its_path_and_its_making() {
        let at = UnixTime;
        let first = standing(&[], vec![("a".to_owned(), at(5)), ("b".to_owned(), at(5))], at(100));
        let again = vec![("a".to_owned(), at(5)), ("b".to_owned(), at(6)), ("c".to_owned(), at(5))];
        let next = standing(&first, again, at(3700));
        let since: Vec<i64> = next.iter().map(|known| known.since.0).collect();
        assert_eq!(since, [100, 3700, 3700]);
        assert!(next[0].too_long(at(3700)) && !next[0].too_long(at(3699)) && !next[1].too_long(at(3700)));
        assert_eq!(standing(&next, vec![], at(3800)), []);
        assert_eq!(read(&kept(&next)), next);
        assert_eq!(
            read("x 5 a\n5 5\n7 -8 a b\n"),
            [Standing { since: at(7), made: at(-8), path: "a b".into() }]
        );
    }
}
