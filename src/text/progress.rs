//! The progress comment.

use super::mark::marker;
use crate::domain::escape::markdown;
use crate::domain::model::Outcome;
use crate::domain::run::{Progress, Run};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Open,
    Current,
    Done,
}

pub(super) fn body(run: &Run) -> String {
    let shown = Progress::of(run);
    let landed = shown.over == Some(Outcome::Landed);
    let steps = [
        ("worktree", true),
        ("tests red", shown.verified || shown.pushed),
        ("green", shown.pushed),
        ("pushed", shown.pushed),
        ("CI", landed || shown.stage > 0 || shown.reviewing.is_some()),
        ("done", landed),
    ];
    let current = steps.iter().position(|(_, done)| !done);
    let mut text =
        format!("{}\n**offhours** works on this issue: run `{}`.\n\n", marker(&run.id, "progress"), run.id);
    for (at, (name, done)) in steps.iter().enumerate() {
        let mark = match (done, Some(at) == current && shown.over.is_none()) {
            (true, _) => Mark::Done,
            (false, true) => Mark::Current,
            (false, false) => Mark::Open,
        };
        let sign = match mark {
            Mark::Open => "[ ]",
            Mark::Current => "[~]",
            Mark::Done => "[x]",
        };
        text.push_str("- ");
        text.push_str(sign);
        text.push(' ');
        text.push_str(name);
        text.push('\n');
    }
    if shown.fix_forward > 0 {
        text.push_str(&format!("\nFix-forward turns: {}\n", shown.fix_forward));
    }
    if shown.review_turns > 0 {
        text.push_str(&format!("\nReview turns: {}\n", shown.review_turns));
    }
    if let Some(pull) = shown.pull {
        text.push_str(&format!("\nPull request: #{pull}\n"));
    }
    if let (Some(round), None) = (shown.reviewing, shown.over) {
        let times = if round > 1 { format!(" (review {round})") } else { String::new() };
        text.push_str(&format!("\nWaits for a person's review{times}.\n"));
    }
    if let Some(outcome) = shown.over
        && outcome != Outcome::Landed
    {
        text.push_str(&format!("\nEnded: `{}`\n", outcome.code()));
    }
    text.push_str(&format!(
        "\nAsked for by {}. Log: `offhours run log {}`. To stop it: take the ready label away, or \
         `offhours run stop {}`. To take it over: stop it; the work is kept and linked here.\n",
        markdown(&run.asked_by, 60),
        run.id,
        run.id
    ));
    text
}
