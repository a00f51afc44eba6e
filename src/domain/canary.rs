//! Whether the canary stays, goes or takes over, and which issues it gets. Pure functions of the log.
//!
//! The decision is a block-wise 2x2 safe e-test (after Turner, Ly and Gruenwald): ln E may be looked at after every run,
//! as often as one likes, and the chance that it ever crosses its bound wrongly stays below alpha. What is pending
//! counts as the worst that it could become, so that fast failures do not outrun slow successes.

use strum::{EnumString, IntoStaticStr};

use std::collections::BTreeMap;

/// The probabilities of success that the test puts its bets on.
pub const GRID: [f64; 12] = [0.01, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 0.99];
/// A block closes once it holds at least so many runs of the champion, and so many of the canary.
const BLOCK: (usize, usize) = (2, 1);
/// The champion's earlier scores weigh at most as much as this many runs.
const HISTORY_CAP: f64 = 10.0;
/// Halvings of the interval in which the null point lies: beyond the precision of the numbers.
const BISECTIONS: u32 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Arm {
    Champion,
    Canary,
}

impl Arm {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// What the decision goes by; frozen when the canary begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    pub alpha_rollback: f64,
    pub alpha_graduate: f64,
    /// How much worse than the champion a canary may be and still graduate.
    pub margin: f64,
    /// Resolved canary runs before anything is decided.
    pub min_canary: usize,
    /// Canary runs after which it has to be decided.
    pub max_canary: usize,
}

/// Sum and count of the champion's scores before the canary began.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct History {
    pub sum: f64,
    pub count: f64,
}

/// One run of the log. The score is between 0 and 1; `None`: pending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub arm: Arm,
    pub score: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    Hold,
    RollBack,
    Graduate,
    Inconclusive,
}

/// What the log says. The lists have one entry a closed block.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub decision: Decision,
    /// Place in the log of the run that decided it.
    pub decided_at: Option<usize>,
    /// Places in the log of the runs that closed the blocks.
    pub closed_at: Vec<usize>,
    pub ln_e_rollback: Vec<f64>,
    pub ln_e_graduate: Vec<f64>,
}

/// A pair of probabilities, champion's and canary's, with the logarithm of what is bet on it so far.
struct Component {
    champion: f64,
    canary: f64,
    ln_weight: f64,
}

/// One of the two questions that are asked of the same log.
struct Test {
    components: Vec<Component>,
    /// Distance between the arms on the border of what is to be refuted.
    distance: f64,
    /// What a pending run counts as, champion's and canary's.
    pending: (f64, f64),
    /// Null points by shape of block.
    known: BTreeMap<(usize, usize), Vec<f64>>,
}

impl Test {
    fn new(
        pairs: impl Iterator<Item = (f64, f64, f64)>,
        history: History,
        distance: f64,
        pending: (f64, f64),
    ) -> Self {
        let k = if history.count > 0.0 { (HISTORY_CAP / history.count).min(1.0) } else { 0.0 };
        let weigh = |(champion, canary, base): (f64, f64, f64)| {
            let told = history.sum * champion.ln() + (history.count - history.sum) * (1.0 - champion).ln();
            Component { champion, canary, ln_weight: base.ln() + k * told }
        };
        let mut components: Vec<Component> = pairs.map(weigh).collect();
        let all = log_sum_exp(components.iter().map(|c| c.ln_weight));
        for component in &mut components {
            component.ln_weight -= all;
        }
        Self { components, distance, pending, known: BTreeMap::new() }
    }

    /// Takes a closed block in and returns ln E after it.
    fn close(&mut self, block: &[Sample]) -> f64 {
        let count = |arm| block.iter().filter(|s| s.arm == arm).count();
        let shape = (count(Arm::Champion), count(Arm::Canary));
        let (components, d) = (&mut self.components, self.distance);
        let points = self.known.entry(shape).or_insert_with(|| {
            components.iter().map(|c| null_point(c.champion, c.canary, shape.0, shape.1, d)).collect()
        });
        for (component, x) in components.iter_mut().zip(points) {
            for sample in block {
                let (bet, null, worst) = match sample.arm {
                    Arm::Champion => (component.champion, *x, self.pending.0),
                    Arm::Canary => (component.canary, *x - d, self.pending.1),
                };
                let y = sample.score.unwrap_or(worst).clamp(0.0, 1.0);
                component.ln_weight += (y * bet / null + (1.0 - y) * (1.0 - bet) / (1.0 - null)).ln();
            }
        }
        log_sum_exp(self.components.iter().map(|c| c.ln_weight))
    }
}

fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    most + values.map(|v| (v - most).exp()).sum::<f64>().ln()
}

#[expect(clippy::cast_precision_loss, reason = "a count of runs is far below 2^52")]
fn float(count: usize) -> f64 {
    count as f64
}

/// The champion's probability in the border case (canary worse by exactly `d`) that explains a block best which
/// `na` champion runs at `a` and `nb` canary runs at `b` explain.
pub fn null_point(a: f64, b: f64, na: usize, nb: usize, d: f64) -> f64 {
    let (na, nb) = (float(na), float(nb));
    if d == 0.0 {
        return (na * a + nb * b) / (na + nb);
    }
    let slope = |x: f64| na * (a - x) / (x * (1.0 - x)) + nb * (b - x + d) / ((x - d) * (1.0 - x + d));
    let (mut low, mut high) = (d.max(a.min(b + d)), a.max(b + d).min(1.0));
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if slope(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Reads the log, which is in dispatch order and has one run a subject.
pub fn decide(params: &Params, history: History, log: &[Sample]) -> Reading {
    let pairs = GRID.iter().flat_map(|a| GRID.iter().filter(move |b| *b < a).map(move |b| (*a, *b)));
    let mut rollback = Test::new(pairs.map(|(a, b)| (a, b, 1.0 / (a - b))), history, 0.0, (0.0, 1.0));
    let mut graduate = Test::new(GRID.iter().map(|a| (*a, *a, 1.0)), history, params.margin, (1.0, 0.0));
    let (mut closed_at, mut ln_e_rollback, mut ln_e_graduate) = (vec![], vec![], vec![]);
    let (mut begun, mut champions, mut canaries) = (0, 0, 0);
    for (at, sample) in log.iter().enumerate() {
        match sample.arm {
            Arm::Champion => champions += 1,
            Arm::Canary => canaries += 1,
        }
        if champions >= BLOCK.0 && canaries >= BLOCK.1 {
            let block = log.get(begun..=at).unwrap_or_default();
            closed_at.push(at);
            ln_e_rollback.push(rollback.close(block));
            ln_e_graduate.push(graduate.close(block));
            (begun, champions, canaries) = (at + 1, 0, 0);
        }
    }
    let (decision, decided_at) = judge(params, log, &closed_at, &ln_e_rollback, &ln_e_graduate);
    Reading { decision, decided_at, closed_at, ln_e_rollback, ln_e_graduate }
}

fn judge(
    params: &Params,
    log: &[Sample],
    closed_at: &[usize],
    ln_e_rollback: &[f64],
    ln_e_graduate: &[f64],
) -> (Decision, Option<usize>) {
    let is_canary = |s: &Sample| s.arm == Arm::Canary;
    // The run beyond which nothing counts.
    let last = (0..log.len())
        .filter(|at| log.get(*at).is_some_and(is_canary))
        .nth(params.max_canary.saturating_sub(1));
    let mut resolved = 0;
    let mut before = 0;
    let enough: Vec<bool> = closed_at
        .iter()
        .map(|at| {
            let block = log.get(before..=*at).unwrap_or_default();
            resolved += block.iter().filter(|s| is_canary(s) && s.score.is_some()).count();
            before = at + 1;
            resolved >= params.min_canary && last.is_none_or(|last| *at <= last)
        })
        .collect();
    let first = |ln_e: &[f64], alpha: f64| {
        let crossed = |(at, ln_e): &(usize, &f64)| enough.get(*at) == Some(&true) && **ln_e >= bound(alpha);
        ln_e.iter().enumerate().find(crossed).and_then(|(at, _)| closed_at.get(at).copied())
    };
    let (r, g) = (first(ln_e_rollback, params.alpha_rollback), first(ln_e_graduate, params.alpha_graduate));
    match (r, g) {
        (Some(r), Some(g)) if r > g => (Decision::Graduate, Some(g)),
        (Some(r), _) => (Decision::RollBack, Some(r)),
        (None, Some(g)) => (Decision::Graduate, Some(g)),
        (None, None) => match last {
            Some(last) if log.iter().take(last + 1).all(|s| s.score.is_some()) => {
                (Decision::Inconclusive, Some(last))
            }
            Some(_) | None => (Decision::Hold, None),
        },
    }
}

/// What ln E has to reach.
pub fn bound(alpha: f64) -> f64 {
    (1.0 / alpha).ln()
}

/// Where between 0 and 1 an issue falls under this canary: it is the canary's if that is below the fraction. The same at
/// every turn, retry and later run, and another for another canary.
pub fn place(canary: &str, template: &str, subject: &str) -> f64 {
    const TWO_TO_53: f64 = 9_007_199_254_740_992.0;
    let key = ["canary-v1", canary, template, subject].join("\u{1f}");
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what fits")]
    let top = (mix(fnv1a64(key.as_bytes())) >> 11) as f64;
    top / TWO_TO_53
}

/// FNV-1a: a hash that is the same everywhere and for ever.
fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of `SplitMix64`: raw FNV puts consecutive issue numbers in the same arm.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
