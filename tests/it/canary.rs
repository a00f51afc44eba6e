//! The promises of the decision, on a slice of the simulation. All of it: `cargo run --release --example canary`.
#![allow(
    dead_code,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "shared with the bench, which shows more of it"
)]

#[path = "../../contrib/bench/simulation.rs"]
mod simulation;

use simulation::{DEFAULTS, Scenario, false_alarms, simulate};

/// So few canaries leave room for chance: at a true 5%, 15 of 150 is more than two and a half deviations off.
const CANARIES: u64 = 150;

#[test]
fn a_twin_is_seldom_rolled_back_at_any_peek() {
    for champion in [0.6, 0.9] {
        let share = false_alarms(champion, 60, CANARIES);
        assert!(share <= 0.1, "{champion}: {share}");
    }
}

#[test]
fn a_worse_canary_is_found_soon_and_a_twin_graduates() {
    let with = |canary| simulate(Scenario { champion: 0.8, canary, params: DEFAULTS, delay: None }, CANARIES);
    let worse = with(0.5);
    assert!(worse.rolled_back >= 0.95, "{}", worse.rolled_back);
    assert!(worse.canaries[1] <= 30, "{:?}", worse.canaries);
    let twin = with(0.8);
    assert!(twin.graduated >= 0.7 && twin.rolled_back <= 0.1, "{} {}", twin.graduated, twin.rolled_back);
}

#[test]
fn fast_failures_do_not_outrun_slow_successes() {
    let late = Scenario { champion: 0.8, canary: 0.8, params: DEFAULTS, delay: Some((10, 20)) };
    let share = simulate(late, 40).rolled_back;
    assert!(share <= 0.125, "{share}");
}
