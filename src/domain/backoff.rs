//! How long to wait: after failures, and for a runner whose account is used up.

use super::model::UnixTime;

/// A limit that names no end, or one that makes no sense, is tried again after this long.
pub const PROBE_SECONDS: i64 = 3600;
/// No limit is believed to last longer than this.
pub const LONGEST_PARK_SECONDS: i64 = 40 * 86_400;

/// Until when an account is left alone. A reset that is past already is no reset: an agent that names one again and
/// again would be started again and again.
pub fn parked_until(resets_at: Option<UnixTime>, now: UnixTime) -> UnixTime {
    let believed = now.plus(1)..=now.plus(LONGEST_PARK_SECONDS);
    resets_at.filter(|at| believed.contains(at)).unwrap_or(now.plus(PROBE_SECONDS))
}

/// Seconds to wait after `failures` failures in a row: none after none, then `base`, doubling, never over `max`.
///
/// A base or a bound below zero counts as zero; nothing overflows.
pub fn delay(failures: u32, base: i64, max: i64) -> i64 {
    if failures == 0 {
        return 0;
    }
    let factor = 1_i64.checked_shl(failures - 1).filter(|f| *f > 0).unwrap_or(i64::MAX);
    base.max(0).saturating_mul(factor).min(max.max(0))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PARK_SECONDS, PROBE_SECONDS, delay, parked_until};
    use crate::domain::model::UnixTime;
    use proptest::prelude::*;

    #[test]
    fn a_reset_in_the_past_or_far_ahead_is_a_probe() {
        let now = UnixTime(1_000_000);
        let probe = now.plus(PROBE_SECONDS);
        assert_eq!(parked_until(Some(now.plus(60)), now), now.plus(60));
        assert_eq!(parked_until(None, now), probe);
        for odd in [i64::MIN, 0, now.0, now.0 + LONGEST_PARK_SECONDS + 1, i64::MAX] {
            assert_eq!(parked_until(Some(UnixTime(odd)), now), probe, "{odd}");
        }
    }

    #[test]
    fn doubles_up_to_the_bound() {
        let waits: Vec<i64> = (0..8).map(|n| delay(n, 60, 1000)).collect();
        assert_eq!(waits, [0, 60, 120, 240, 480, 960, 1000, 1000]);
    }

    #[test]
    fn saturates_at_every_end() {
        for failures in [1, 2, 61, 62, 63, 64, 65, 66, 1000, u32::MAX] {
            assert_eq!(delay(failures, i64::MAX, i64::MAX), i64::MAX);
            assert_eq!(delay(failures, 0, i64::MAX), 0);
            assert_eq!(delay(failures, -5, 100), 0);
            assert_eq!(delay(failures, 5, -1), 0);
        }
        assert_eq!(delay(63, 1, i64::MAX), 1 << 62);
        assert_eq!(delay(64, 1, i64::MAX), i64::MAX);
    }

    proptest! {
        #[test]
        fn never_shorter_after_one_more_failure(n in 0_u32..200, base in 0_i64.., max in 0_i64..) {
            prop_assert!(delay(n, base, max) <= delay(n + 1, base, max));
            prop_assert!((0..=max).contains(&delay(n, base, max)));
        }
    }
}
