//! Canaries that never were, put through the real decision.

use std::thread;

use offhours::domain::canary::{Arm, Decision, History, Params, Sample, decide};

/// The defaults of `[canary]`.
pub const DEFAULTS: Params =
    Params { alpha_rollback: 0.05, alpha_graduate: 0.1, margin: 0.15, min_canary: 5, max_canary: 100 };
/// Runs of the champion that are scored before a canary begins.
const HISTORY_RUNS: u32 = 40;
const FRACTION: f64 = 0.2;

/// What kind of canary, and how soon its runs are scored.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Chance that a run of the champion succeeds.
    pub champion: f64,
    pub canary: f64,
    pub params: Params,
    /// Runs dispatched in a tick, and ticks until a success is known; a failure is known at once. `None`: every run is
    /// scored before the next one.
    pub delay: Option<(usize, usize)>,
}

/// How one canary ended.
#[derive(Clone, Copy)]
pub struct End {
    pub decision: Decision,
    /// Its runs until then, and all runs.
    pub canaries: usize,
    pub runs: usize,
}

/// How many canaries of a scenario ended in which way.
pub struct Tally {
    pub rolled_back: f64,
    pub graduated: f64,
    pub inconclusive: f64,
    /// Canary runs and all runs of those that were rolled back: the 5th, 50th and 95th of a hundred.
    pub canaries: [usize; 3],
    pub runs: [usize; 3],
}

/// `SplitMix64`: the same canaries every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn success(&mut self, chance: f64) -> f64 {
        f64::from(u8::from(self.roll() < chance))
    }
}

fn history(dice: &mut Dice, champion: f64) -> History {
    let sum = (0..HISTORY_RUNS).map(|_| dice.success(champion)).sum();
    History { sum, count: f64::from(HISTORY_RUNS) }
}

fn run(dice: &mut Dice, scenario: &Scenario) -> Sample {
    let (arm, chance) = if dice.roll() < FRACTION {
        (Arm::Canary, scenario.canary)
    } else {
        (Arm::Champion, scenario.champion)
    };
    Sample { arm, score: Some(dice.success(chance)) }
}

fn canaries(log: &[Sample]) -> usize {
    log.iter().filter(|s| s.arm == Arm::Canary).count()
}

fn one(scenario: &Scenario, seed: u64) -> End {
    let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let history = history(&mut dice, scenario.champion);
    let mut log = vec![];
    let mut canary_runs = 0;
    let reading = match scenario.delay {
        // Every peek at a log that is scored at once finds the same first decision as one look at all of it.
        None => {
            while canary_runs < scenario.params.max_canary {
                let sample = run(&mut dice, scenario);
                canary_runs += usize::from(sample.arm == Arm::Canary);
                log.push(sample);
            }
            decide(&scenario.params, history, &log)
        }
        Some((per_tick, delay)) => {
            let mut tick = 0;
            loop {
                for _ in 0..per_tick {
                    if canary_runs < scenario.params.max_canary {
                        let sample = run(&mut dice, scenario);
                        canary_runs += usize::from(sample.arm == Arm::Canary);
                        log.push(sample);
                    }
                }
                let known = |at: usize, s: &Sample| s.score == Some(0.0) || at / per_tick + delay <= tick;
                let shown: Vec<Sample> = log
                    .iter()
                    .enumerate()
                    .map(|(at, s)| Sample { score: s.score.filter(|_| known(at, s)), ..*s })
                    .collect();
                let reading = decide(&scenario.params, history, &shown);
                if reading.decision != Decision::Hold {
                    break reading;
                }
                tick += 1;
            }
        }
    };
    let upto = reading.decided_at.map_or(log.len(), |at| at + 1);
    End { decision: reading.decision, canaries: canaries(&log[..upto]), runs: upto }
}

/// Simulates `count` canaries, on every core.
pub fn simulate(scenario: Scenario, count: u64) -> Tally {
    let cores = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let ends: Vec<End> = thread::scope(|scope| {
        let part = |core| {
            scope.spawn(move || {
                (0..count).filter(|n| n % cores == core).map(|n| one(&scenario, n)).collect::<Vec<_>>()
            })
        };
        let parts: Vec<_> = (0..cores).map(part).collect();
        parts.into_iter().flat_map(|p| p.join().unwrap_or_default()).collect()
    });
    assert_eq!(ends.len() as u64, count, "a part of the simulation came to no end");
    let share = |decision| ends.iter().filter(|e| e.decision == decision).count() as f64 / count as f64;
    let spread = |of: fn(&End) -> usize| {
        let mut all: Vec<usize> = ends.iter().filter(|e| e.decision == Decision::RollBack).map(of).collect();
        all.sort_unstable();
        let at = |n: usize| all.get(n).copied().unwrap_or(0);
        [at(all.len() / 20), at(all.len() / 2), at(all.len() * 19 / 20)]
    };
    Tally {
        rolled_back: share(Decision::RollBack),
        graduated: share(Decision::Graduate),
        inconclusive: share(Decision::Inconclusive),
        canaries: spread(|e| e.canaries),
        runs: spread(|e| e.runs),
    }
}

/// How often ln E of a twin of the champion crosses the bound for roll back, at any peek until `max_canary` canary runs,
/// also after it has graduated.
pub fn false_alarms(champion: f64, max_canary: usize, count: u64) -> f64 {
    // A graduation would end the looking: its bound is put out of reach.
    let params = Params { max_canary, alpha_graduate: f64::MIN_POSITIVE, ..DEFAULTS };
    simulate(Scenario { champion, canary: champion, params, delay: None }, count).rolled_back
}

/// What "ten samples, then compare means" does to a twin: at one look, and at every look until 50 canary runs.
pub fn compare_means(champion: f64, count: u64) -> (f64, f64) {
    let scenario = Scenario { champion, canary: champion, params: DEFAULTS, delay: None };
    let (mut one_look, mut any_look) = (0_u64, 0_u64);
    for seed in 0..count {
        let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let mut sums = [0.0; 2];
        let mut counts = [0.0_f64; 2];
        let mut worse = false;
        while counts[1] < 50.0 {
            let sample = run(&mut dice, &scenario);
            let at = usize::from(sample.arm == Arm::Canary);
            sums[at] += sample.score.unwrap_or(0.0);
            counts[at] += 1.0;
            if at == 1 && counts[1] >= 10.0 && counts[0] >= 10.0 {
                let now = sums[1] / counts[1] < sums[0] / counts[0] - 0.1;
                one_look += u64::from(now && counts[1] == 10.0);
                worse |= now;
            }
        }
        any_look += u64::from(worse);
    }
    (one_look as f64 / count as f64, any_look as f64 / count as f64)
}
