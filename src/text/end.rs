//! What is said where a run ended.

use super::mark::{marker, mention};
use crate::domain::escape::{fenced_log, markdown, sanitize};
use crate::domain::model::{HandBack, Outcome};
use crate::domain::run::Run;

/// One sentence a person can act on, by outcome.
pub fn what_to_do(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::HandedBack(HandBack::Moved) => "Nothing more happens here.",
        Outcome::HandedBack(HandBack::BaseRed) => {
            "Mend the default branch first, then apply the ready label again (`offhours resume REPO` clears the hold by hand)."
        }
        Outcome::HandedBack(HandBack::GuardRefused) => {
            "Look at the work, and land it yourself or lift the rule with `landing.allow_paths`; then apply the ready label again."
        }
        Outcome::HandedBack(HandBack::NoChecks) => {
            "Configure a CI stage, or say `ci.required = []` for this repo; the work is on the target already."
        }
        Outcome::HandedBack(HandBack::HumanTookOver) => {
            "The branch is yours and stays as it is. Apply the ready label again if offhours shall go on from there."
        }
        Outcome::HandedBack(HandBack::MergeRefused) => {
            "See what the forge wants before it merges, and merge it yourself; or apply the ready label again."
        }
        Outcome::HandedBack(HandBack::ReviewTooOld | HandBack::ReviewTurnsUsed) => {
            "The pull request and its branch stay. Review and merge it, or apply the ready label again to have it continued."
        }
        Outcome::HandedBack(_) | Outcome::Stopped => {
            "Apply the ready label again for another attempt, or go on from the kept work."
        }
        Outcome::Frozen(_) => {
            "Branch and workspace are kept as they are; apply the ready label again for another attempt. Where the work is \
             on the default branch, nothing more starts in this repo until that is green or `offhours resume REPO` clears it."
        }
        Outcome::Withdrawn => "Apply the ready label again if offhours shall take it up once more.",
        Outcome::NotStarted => "It is tried again by itself, later each time.",
        Outcome::Landed | Outcome::ClaimLost => "Nothing is to be done.",
    }
}

/// The comment at a run's end. Where the work was kept is appended when that is known.
pub(super) fn end_comment(run: &Run, outcome: Outcome, why: &str) -> String {
    let verb = match outcome {
        Outcome::Frozen(_) => "frozen",
        Outcome::Withdrawn => "withdrawn",
        Outcome::Stopped => "stopped",
        Outcome::HandedBack(_) | Outcome::Landed | Outcome::ClaimLost | Outcome::NotStarted => "handed back",
    };
    let mut text = format!(
        "{}\n{}{verb} (`{}`) after {} turn{}.\n\n{}\n",
        marker(&run.id, "end"),
        mention(run),
        outcome.code(),
        run.turns,
        if run.turns == 1 { "" } else { "s" },
        markdown(why, 2000)
    );
    if let Some(last) = &run.last_fix {
        text.push_str(&format!(
            "\nLast failure ({}):\n\n{}\n",
            markdown(&last.checks.join(", "), 200),
            fenced_log(&last.log_tail)
        ));
    }
    text.push_str(&format!("\n{}\n", what_to_do(&outcome)));
    text
}

/// Where the work of an ended run is, appended to its end comment.
pub fn salvage_lines(
    bundle: Option<&str>,
    archive: Option<&str>,
    branch: Option<&str>,
    notes: &[String],
) -> String {
    let mut text = String::new();
    if bundle.is_none() && archive.is_none() && branch.is_none() && notes.is_empty() {
        return text;
    }
    text.push_str("\nKept work:\n");
    if let Some(branch) = branch {
        text.push_str(&format!("- branch `{branch}`\n"));
    }
    if let Some(path) = bundle {
        text.push_str(&format!("- commits: `git fetch {path}` (on the host)\n"));
    }
    if let Some(path) = archive {
        text.push_str(&format!("- files that were not committed: `{path}` (on the host)\n"));
    }
    for note in notes {
        text.push_str(&format!("- {}\n", markdown(note, 300)));
    }
    text
}

pub(super) fn notice_title(run: &Run, outcome: Outcome) -> String {
    format!("{}#{}: {}", run.issue.repo.path(), run.issue.number, outcome.code())
}

pub(super) fn notice_body(run: &Run, outcome: Outcome, why: &str) -> String {
    let why = if why.is_empty() { String::new() } else { format!("{}\n", sanitize(why, 500)) };
    format!("{why}{} (run {}, {} turns)", what_to_do(&outcome), run.id, run.turns)
}
