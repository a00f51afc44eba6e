//! How the numbers of a canary and of scoring have to lie to each other.

use super::super::settings::Config;

/// What the ranges of single keys cannot say.
pub(super) fn canary(config: &Config, note: &mut impl FnMut(&[&str], String)) {
    let c = &config.canary;
    for (key, value) in [
        ("fraction", c.fraction),
        ("margin", c.margin),
        ("alpha_rollback", c.alpha_rollback),
        ("alpha_graduate", c.alpha_graduate),
    ] {
        if !(value > 0.0 && value < 1.0) {
            note(
                &["canary", key],
                format!("`{key}` in [canary] is {value}: it has to be above 0 and below 1"),
            );
        }
    }
    if c.max_canary < c.min_canary {
        let what =
            format!("`max_canary` in [canary] is {}, below `min_canary`, {}", c.max_canary, c.min_canary);
        note(&["canary", "max_canary"], what);
    }
    let h = &config.harvest;
    if h.horizon_days < h.survival_days {
        let what = format!(
            "`horizon_days` in [harvest] is {}, below `survival_days`, {}",
            h.horizon_days, h.survival_days
        );
        note(&["harvest", "horizon_days"], what);
    }
}
