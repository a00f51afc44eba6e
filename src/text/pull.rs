//! Texts about pull requests and reviews.

use super::mark::marker;
use super::receipt::{cost, turns, verified};
use crate::domain::escape::{code, markdown, sanitize};
use crate::domain::model::Oid;
use crate::domain::receipt::ReceiptFacts;
use crate::domain::run::Run;

/// Ends the part of a pull request's text that is ours; what a person writes around it is kept.
const END: &str = "<!-- /offhours -->";

/// Ends each commit message of a run whose agent pushes by itself.
const TRAILER: &str = "Offhours-Run: ";

/// What an agent is told that pushes by itself.
pub fn push_yourself(run: &Run) -> String {
    format!(
        "\n\nOther than said above, here you push your commits yourself, to the branch `{}` and to no other, without force. \
         Each commit message ends with the line `{TRAILER}{}`; a commit without it is taken for a person's, and the work \
         is handed over.\n",
        run.branch, run.id
    )
}

/// Whether a commit message says that it is this run's: in its last paragraph, where trailers stand.
pub fn is_of_run(text: &str, run: &str) -> bool {
    let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
    last.lines().any(|line| line.trim_end().strip_prefix(TRAILER) == Some(run))
}

/// The issue's title, with its number so that the two are found together.
pub(super) fn pull_title(run: &Run, facts: &ReceiptFacts) -> String {
    let title = sanitize(&facts.title, 180);
    let title = title.trim();
    if title.is_empty() {
        format!("Work on #{}", run.issue.number)
    } else {
        format!("{title} (#{})", run.issue.number)
    }
}

/// Our part of a pull request's text: what it is for, the receipt so far, and who to turn to.
pub(super) fn pull_body(run: &Run, facts: &ReceiptFacts) -> String {
    let head = run.pushed.as_ref().map_or("(unknown)", |oid| oid.as_str());
    let mut text = format!("{}\nCloses #{}\n\n", marker(&run.id, "pull"), run.issue.number);
    text.push_str("| | |\n|---|---|\n");
    for (name, value) in [
        ("base", run.base.as_str().to_owned()),
        ("head", head.to_owned()),
        ("verify", verified(facts.verify).to_owned()),
        ("cost", markdown(&cost(facts.cost), 120)),
        ("turns", turns(run)),
        ("template", code(&facts.template)),
        ("run", format!("`{}`", run.id)),
    ] {
        text.push_str(&format!("| {name} | {value} |\n"));
    }
    text.push_str(&format!(
        "\nAsked for by {}. A review that asks for changes is answered by a further turn. To stop it: take the ready \
         label off #{}, close this, or `offhours run stop {}`. To take it over: push to the branch; nothing is forced \
         and nothing of yours is deleted.\n{END}\n",
        markdown(&run.asked_by, 60),
        run.issue.number,
        run.id
    ));
    text
}

/// The whole text with our part brought up to date: `None` where nothing is to be changed, be it that it says so already
/// or that a person took our part out.
pub fn pull_text(run: &Run, current: &str, ours: &str) -> Option<String> {
    let begin = current.find(&marker(&run.id, "pull"))?;
    let (before, rest) = current.split_at(begin);
    let after = rest.find(END).and_then(|end| rest.get(end + END.len()..)).unwrap_or_default();
    let after = after.strip_prefix('\n').unwrap_or(after);
    let text = format!("{before}{ours}{after}");
    (text != current).then_some(text)
}

pub(super) fn review_title(run: &Run) -> String {
    format!("{}#{}: review", run.issue.repo.path(), run.issue.number)
}

pub(super) fn review_body(run: &Run) -> String {
    let pull = run.pull.map_or_else(String::new, |n| format!("#{n} "));
    format!("pull request {pull}is green and waits for a review (run {}, {} turns)", run.id, run.turns)
}

pub(super) fn undo_title(run: &Run) -> String {
    format!("Revert the work on #{}", run.issue.number)
}

pub(super) fn undo_body(run: &Run) -> String {
    let head = run.pushed.as_ref().map_or("(unknown)", |oid| oid.as_str());
    format!(
        "{}\nTakes back what run `{}` landed for #{} ({head}). The issue is open again.\n",
        marker(&run.id, "undo"),
        run.id,
        run.issue.number
    )
}

pub fn undo_commit(run: &Run, head: &Oid) -> String {
    format!("Revert {}\n\nTakes back what run {} landed for #{}.\n", head.short(), run.id, run.issue.number)
}
