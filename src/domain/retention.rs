//! How long the work of ended runs is kept.

/// What is known of the issue whose last comment says where the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Open,
    Closed,
    /// Also one that is gone: it may have been moved, and its comments with it.
    Unreadable,
}

/// Whether it was kept long enough. Both are counts of days on which ticks were seen: a clock that jumps counts one.
pub fn is_due(since: u32, today: u32, keep_days: u32) -> bool {
    today.checked_sub(since).is_some_and(|kept| kept >= keep_days)
}

/// Whether nobody is told any more where it is.
pub fn is_forgotten(naming: Naming) -> bool {
    match naming {
        Naming::Open | Naming::Unreadable => false,
        Naming::Closed => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Naming, is_due, is_forgotten};

    #[test]
    fn it_is_kept_for_whole_days() {
        assert!(!is_due(7, 7, 1) && is_due(7, 8, 1) && is_due(7, 7, 0));
        assert!(!is_due(7, 36, 30) && is_due(7, 37, 30));
        assert!(!is_due(0, u32::MAX - 1, u32::MAX) && is_due(0, u32::MAX, u32::MAX));
    }

    #[test]
    fn what_was_seen_later_than_today_is_not_due() {
        assert!(!is_due(9, 8, 0), "the count is of another state file");
    }

    #[test]
    fn only_what_is_known_not_to_be_named_is_forgotten() {
        let named = [Naming::Open, Naming::Closed, Naming::Unreadable];
        assert_eq!(named.map(is_forgotten), [false, true, false]);
    }
}
