//! Why a run ended, in words.

use crate::domain::model::{CutBy, CutOff};
use crate::domain::moment::format_duration;
use crate::domain::run::{Used, Why};

/// For people; not escaped. Empty where the code says it all.
pub fn why(why: &Why) -> String {
    match why {
        Why::Plain => String::new(),
        Why::Said(said) => said.clone(),
        Why::NoIssue => "the issue is not there any more".to_owned(),
        Why::NotAllowed => "the repo is not in the allowlist any more".to_owned(),
        Why::TakenBack => "a person took the issue back".to_owned(),
        Why::StoppedByHand => "stopped by `offhours run stop`".to_owned(),
        Why::PullMerged(pull) => format!("pull request #{pull} is merged"),
        Why::PutThere => "the work is on the target, put there by somebody else".to_owned(),
        Why::PullClosed(pull) => format!("pull request #{pull} was closed without being merged"),
        Why::NotReviewed { pull, seconds } => {
            format!("nobody reviewed pull request #{pull} within {}", format_duration(*seconds))
        }
        Why::ReviewTurnsUsed(turns) => {
            format!("changes are asked for, and all {turns} review turns are used")
        }
        Why::ReviewBudgetUsed => {
            "changes are asked for in the review and the run's budget is used".to_owned()
        }
        Why::SomebodyCommitted => "somebody else committed to the run's branch".to_owned(),
        Why::ResultFile(said) => format!("the agent's result file {said}"),
        Why::NoCommit => "the agent ended without a commit".to_owned(),
        Why::TimedOut => "the turn ran into its time-out".to_owned(),
        Why::Stalled => "the agent stood still for longer than the stall limit".to_owned(),
        Why::TurnTooLong => "the turn did not end within its own limits".to_owned(),
        Why::TestsTooLong => "the tests did not end within their own limit".to_owned(),
        Why::NoResult(times) => format!("the tests were started {times} times and came to no result"),
        Why::WentOn(times) => format!("the agent was ended from outside and went on {times} times"),
        Why::NoAttempt => "the supervisor of the turn died and no attempt is left".to_owned(),
        Why::Broken { how, detail } => format!("the turn was cut off ({}): {detail}", cut_off(*how)),
        Why::CutOff { how, end } => format!("the turn was cut off ({}), and {}", cut_off(*how), used(*end)),
        Why::CorrectiveCutOff { code, how, end } => {
            let (code, how) = (code.code(), cut_off(*how));
            format!("the corrective turn was cut off ({code}: {how}), and {}", used(*end))
        }
        Why::CorrectiveNothing { code, why } => {
            format!("the corrective turn brought nothing ({}: {})", code.code(), self::why(why))
        }
        Why::TargetMoved(times) => format!("the target moved {times} times while the work was to land"),
        Why::BaseRed { checks, base } => {
            format!("{} is red on {} too, where the run started", checks.join(", "), base.short())
        }
        Why::Red(checks) => checks.join(", "),
        Why::SameFailure(checks) => {
            format!("{} failed in the same way as before the last fix", checks.join(", "))
        }
        Why::FixTurnsUsed { checks, turns } => {
            format!("{} is red and all {turns} fix-forward turns are used", checks.join(", "))
        }
        Why::FixTimeUsed(checks) => {
            format!("{} is red and the time for fix-forward is used", checks.join(", "))
        }
        Why::FixBudgetUsed(checks) => format!("{} is red and the run's budget is used", checks.join(", ")),
        Why::NoChecks => {
            "no check reported on the pushed commit; no checks is not green (`ci.required = []` says that \
                          none are needed)"
                .to_owned()
        }
        Why::StageNotStarted(stage) => format!("the CI stage {stage} could not be got to start"),
        Why::CiSilent => "CI did not answer within `ci.timeout_seconds`".to_owned(),
    }
}

fn used(end: Used) -> &'static str {
    match end {
        Used::Attempts => "no attempt is left",
        Used::Budget => "the run's budget is used",
    }
}

/// How a turn was cut off.
pub(super) fn cut_off(how: CutOff) -> &'static str {
    match how {
        CutOff::TimedOut => "it ran into its time-out",
        CutOff::Stalled => "it stood still for longer than the stall limit",
        CutOff::By(CutBy::Budget) => "the agent used up its budget",
        CutOff::By(CutBy::Steps) => "the agent used up the steps it may take",
        CutOff::By(CutBy::Outside) => "it was ended from outside",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{HandBack, Oid};

    #[test]
    fn each_is_a_sentence() {
        let checks = || vec!["unit".to_owned(), "lint".to_owned()];
        let base = Oid::parse(&"b".repeat(40)).unwrap();
        let (code, how) = (HandBack::TimedOut, CutOff::TimedOut);
        let all = [
            Why::Plain,
            Why::Said("as it was said".to_owned()),
            Why::NoIssue,
            Why::PullMerged(7),
            Why::NotReviewed { pull: 7, seconds: 14 * 86_400 },
            Why::ReviewTurnsUsed(3),
            Why::ResultFile("is no JSON".to_owned()),
            Why::NoResult(6),
            Why::Broken { how: CutOff::By(CutBy::Budget), detail: "5 USD".to_owned() },
            Why::CutOff { how, end: Used::Attempts },
            Why::CorrectiveCutOff { code, how, end: Used::Budget },
            Why::CorrectiveNothing { code: HandBack::NothingDone, why: Box::new(Why::NoCommit) },
            Why::BaseRed { checks: checks(), base },
            Why::Red(checks()),
            Why::SameFailure(checks()),
            Why::FixTurnsUsed { checks: checks(), turns: 3 },
        ];
        insta::assert_snapshot!(all.iter().map(why).collect::<Vec<_>>().join("\n"), @r"

        as it was said
        the issue is not there any more
        pull request #7 is merged
        nobody reviewed pull request #7 within 14d 0h
        changes are asked for, and all 3 review turns are used
        the agent's result file is no JSON
        the tests were started 6 times and came to no result
        the turn was cut off (the agent used up its budget): 5 USD
        the turn was cut off (it ran into its time-out), and no attempt is left
        the corrective turn was cut off (turn-timeout: it ran into its time-out), and the run's budget is used
        the corrective turn brought nothing (nothing-done: the agent ended without a commit)
        unit, lint is red on bbbbbbbb too, where the run started
        unit, lint
        unit, lint failed in the same way as before the last fix
        unit, lint is red and all 3 fix-forward turns are used
        ");
    }
}
