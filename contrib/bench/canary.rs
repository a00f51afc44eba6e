//! What the decision about a canary promises, checked by simulation through the real code:
//!
//!     cargo run --release --example canary [CANARIES]
//!
//! Prints the table, and fails where a promise does not hold. 4,000 canaries a line take a few minutes.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::float_cmp,
    unreachable_pub,
    reason = "a bench talks, and looks at the clock"
)]

mod simulation;

use std::process::ExitCode;
use std::time::Instant;

use offhours::domain::canary::{Arm, History, Params, Sample, decide};
use simulation::{DEFAULTS, Scenario, Tally, compare_means, false_alarms, simulate};

/// What was promised and does not hold.
struct Promises(Vec<String>);

impl Promises {
    fn keep(&mut self, holds: bool, what: &str) {
        if !holds {
            self.0.push(what.to_owned());
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

fn line(name: &str, tally: &Tally) {
    println!(
        "{name:44} {:>7} {:>7} {:>7}   {:>3} ({}-{}) of {}",
        percent(tally.rolled_back),
        percent(tally.graduated),
        percent(tally.inconclusive),
        tally.canaries[1],
        tally.canaries[0],
        tally.canaries[2],
        tally.runs[1],
    );
}

fn with(champion: f64, canary: f64, count: u64) -> Tally {
    simulate(Scenario { champion, canary, params: DEFAULTS, delay: None }, count)
}

fn table(count: u64, promises: &mut Promises) {
    println!("{count} canaries a line, fraction 0.2, defaults of [canary]");
    println!("{:44} {:>7} {:>7} {:>7}   canary runs of all", "", "rolled", "gradu-", "incon-");
    println!("{:44} {:>7} {:>7} {:>7}   until roll back", "champion at 0.8 and", "back", "ated", "clusive");
    let twin = with(0.8, 0.8, count);
    line("a twin", &twin);
    promises.keep(twin.rolled_back <= 0.05, "a twin is rolled back more often than alpha_rollback");
    promises.keep(twin.graduated >= 0.75, "a twin graduates too seldom");
    let worse = with(0.8, 0.5, count);
    line("a canary worse by 0.3", &worse);
    promises.keep(worse.rolled_back >= 0.97, "a canary worse by 0.3 is not found");
    promises.keep(worse.canaries[1] <= 30, "a canary worse by 0.3 is found too late (median above 30)");
    line("a canary worse by 0.2", &with(0.8, 0.6, count));
    let never = with(0.8, 0.0, count);
    line("a canary that always fails", &never);
    promises.keep(never.rolled_back == 1.0, "a canary that always fails is not rolled back");
    line("a canary better by 0.1", &with(0.8, 0.9, count));
    let late = Scenario { champion: 0.8, canary: 0.8, params: DEFAULTS, delay: Some((10, 20)) };
    let late = simulate(late, count);
    line("a twin, successes known 20 ticks later", &late);
    promises.keep(late.rolled_back <= 0.05, "a twin with late successes is rolled back too often");
    println!();
    println!("a twin crosses the bound for roll back at any peek up to 500 canary runs");
    for champion in [0.6, 0.8, 0.9] {
        let share = false_alarms(champion, 500, count);
        println!("{:44} {:>7}", format!("champion at {champion}"), percent(share));
        promises.keep(share <= 0.05, &format!("a twin at {champion} is rolled back more often than 5%"));
    }
    let (one, any) = compare_means(0.8, count);
    println!("\nfor comparison: ten samples, then comparing means, rolls a twin back");
    println!(
        "{:44} {:>7}\n{:44} {:>7}",
        "at one look",
        percent(one),
        "at any look up to 50 canary runs",
        percent(any)
    );
}

fn speed(promises: &mut Promises) {
    let sample = |n: u32| Sample {
        arm: if n % 5 == 4 { Arm::Canary } else { Arm::Champion },
        score: Some([1.0, 0.85, 0.0, 0.6, 1.0, 0.7, 0.4][n as usize % 7]),
    };
    let log: Vec<Sample> = (0..2500).map(sample).collect();
    let params = Params { max_canary: 1000, ..DEFAULTS };
    let began = Instant::now();
    let reading = decide(&params, History { sum: 32.0, count: 40.0 }, &log);
    let took = began.elapsed().as_secs_f64() * 1000.0;
    println!("\none decision over 2,500 runs, {} blocks: {took:.1} ms (limit 20)", reading.closed_at.len());
    promises.keep(took < 20.0, "the decision takes too long");
}

fn main() -> ExitCode {
    let count = match std::env::args().nth(1).map(|word| word.parse()) {
        None => 4000,
        Some(Ok(count)) if count > 0 => count,
        Some(_) => {
            println!("usage: canary [CANARIES], a number above 0");
            return ExitCode::from(64);
        }
    };
    let mut promises = Promises(vec![]);
    table(count, &mut promises);
    speed(&mut promises);
    for what in &promises.0 {
        println!("does not hold: {what}");
    }
    ExitCode::from(u8::from(!promises.0.is_empty()))
}
