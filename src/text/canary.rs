//! What people are told about canaries and scores.

use crate::domain::canary::Decision;
use crate::domain::harvest::{Arms, Distance, Standing};

/// What a sentence about a canary is made of.
pub struct Told<'a> {
    pub version: &'a str,
    pub champion: &'a str,
    pub canary: &'a str,
    pub decision: Decision,
    pub fails: bool,
    pub champion_arm: &'a Arms,
    pub canary_arm: &'a Arms,
    pub rollback: Distance,
    pub graduate: Distance,
    pub max_canary: usize,
}

fn arm(name: &str, arm: &Arms) -> String {
    let mean = arm.mean().map_or("none scored".to_owned(), |m| format!("mean {m:.2} of {}", arm.resolved));
    let pending = if arm.pending > 0 { format!(", {} pending", arm.pending) } else { String::new() };
    let excluded = if arm.excluded > 0 { format!(", {} left out", arm.excluded) } else { String::new() };
    format!("{name} {} run{} ({mean}{pending}{excluded})", arm.runs, if arm.runs == 1 { "" } else { "s" })
}

/// One sentence: what is decided or why not yet, by which numbers, and how far it is.
pub fn standing(told: &Told<'_>) -> String {
    let numbers = format!(
        "{}; {}; ln E {:.2} of {:.2} to roll back, {:.2} of {:.2} to graduate",
        arm(told.version, told.canary_arm),
        arm(told.champion, told.champion_arm),
        told.rollback.ln_e,
        told.rollback.bound,
        told.graduate.ln_e,
        told.graduate.bound,
    );
    let (version, champion) = (told.version, told.champion);
    match told.decision {
        Decision::RollBack if told.fails => {
            format!("{version} does not render: it is rolled back at once, and {champion} stays champion")
        }
        Decision::RollBack => {
            format!("{version} is worse and is rolled back; {champion} stays champion. {numbers}")
        }
        Decision::Graduate => {
            format!("{version} is as good and is champion now; {champion} is retired. {numbers}")
        }
        Decision::Inconclusive => format!(
            "nothing can be said after {} canary runs: {version} is a candidate again, and {champion} stays champion. \
             {numbers}",
            told.max_canary
        ),
        Decision::Hold => format!("{} is undecided. {numbers}; {}", told.canary, outlook(told)),
    }
}

fn outlook(told: &Told<'_>) -> String {
    let left = told.max_canary.saturating_sub(told.canary_arm.runs);
    let nearer = [(told.rollback.runs_needed, "roll back"), (told.graduate.runs_needed, "graduate")];
    let nearest = nearer.into_iter().filter_map(|(runs, what)| runs.map(|n| (n, what))).min();
    match nearest {
        Some((0, what)) => format!("enough to {what} once what is pending is known"),
        Some((runs, what)) => format!("at this pace about {runs} more canary runs to {what}, {left} left"),
        None => format!("too early to say how many more runs it takes, {left} left"),
    }
}

pub fn title(version: &str, verdict: &str) -> String {
    format!("{version}: {}", verdict.replace('_', " "))
}

/// A score as words; none while there is none.
pub fn scored(standing: Standing) -> Option<String> {
    match standing {
        Standing::Pending(_) => None,
        Standing::Resolved(score, _) => Some(format!("score {score:.2}")),
        Standing::Excluded(_) => Some("not counted".to_owned()),
    }
}

pub fn late_revert(version: &str, issue: &str) -> String {
    format!(
        "work of {version}, which graduated, was taken back after it was scored ({issue}); look whether it is as good as \
         it seemed. `offhours template promote` makes another version champion"
    )
}

pub fn unlisted(version: &str, name: &str, canary: &str) -> String {
    format!(
        "[template.{name}] is not in the config any more; the canary {canary} goes on with the text that was kept, and \
         `offhours template reject {version}` ends it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(decision: Decision, fails: bool, canary_arm: &Arms, needed: [Option<u64>; 2]) -> String {
        let distance = |ln_e, bound, runs_needed| Distance { ln_e, bound, runs_needed };
        standing(&Told {
            version: "a@2",
            champion: "a@1",
            canary: "c1",
            decision,
            fails,
            champion_arm: &Arms { runs: 9, resolved: 8, pending: 1, excluded: 2, sum: 6.0 },
            canary_arm,
            rollback: distance(1.0, 3.0, needed[0]),
            graduate: distance(-0.5, 2.3, needed[1]),
            max_canary: 100,
        })
    }

    #[test]
    fn what_people_read() {
        let few = Arms { runs: 1, ..Arms::default() };
        let some = Arms { runs: 4, resolved: 4, sum: 1.0, ..Arms::default() };
        insta::assert_snapshot!(told(Decision::Hold, false, &few, [None, None]), @"c1 is undecided. a@2 1 run (none scored); a@1 9 runs (mean 0.75 of 8, 1 pending, 2 left out); ln E 1.00 of 3.00 to roll back, -0.50 of 2.30 to graduate; too early to say how many more runs it takes, 99 left");
        insta::assert_snapshot!(told(Decision::Hold, false, &some, [Some(8), None]), @"c1 is undecided. a@2 4 runs (mean 0.25 of 4); a@1 9 runs (mean 0.75 of 8, 1 pending, 2 left out); ln E 1.00 of 3.00 to roll back, -0.50 of 2.30 to graduate; at this pace about 8 more canary runs to roll back, 96 left");
        insta::assert_snapshot!(told(Decision::RollBack, false, &some, [Some(0), None]), @"a@2 is worse and is rolled back; a@1 stays champion. a@2 4 runs (mean 0.25 of 4); a@1 9 runs (mean 0.75 of 8, 1 pending, 2 left out); ln E 1.00 of 3.00 to roll back, -0.50 of 2.30 to graduate");
        insta::assert_snapshot!(told(Decision::RollBack, true, &few, [None, None]), @"a@2 does not render: it is rolled back at once, and a@1 stays champion");
        assert!(
            told(Decision::Graduate, false, &some, [None, Some(0)])
                .starts_with("a@2 is as good and is champion now; a@1 is retired. ")
        );
        assert!(
            told(Decision::Inconclusive, false, &some, [None, None])
                .starts_with("nothing can be said after 100 canary runs")
        );
        assert_eq!(title("a@2", "rolled_back"), "a@2: rolled back");
    }
}
