//! The receipt of a landed run.

use super::lessons;
use super::mark::{marker, mention};
use crate::domain::escape::{code, markdown};
use crate::domain::model::{CheckState, Landing};
use crate::domain::receipt::{Cost, ReceiptFacts, Reported, Verified};
use crate::domain::run::Run;

fn state(state: CheckState) -> &'static str {
    match state {
        CheckState::Pending => "pending",
        CheckState::Green => "green",
        CheckState::Red => "red",
        CheckState::Skipped => "skipped",
        CheckState::Superseded => "superseded",
        CheckState::NeedsPerson => "needs a person",
    }
}

/// What the checks said, `name: state` each. Data; escaped where it is shown.
pub fn checks(reported: &[Reported]) -> String {
    let told = |check: &Reported| format!("{}: {}", check.name, state(check.state));
    reported.iter().map(told).collect::<Vec<_>>().join(", ")
}

pub(super) fn verified(said: Verified) -> &'static str {
    match said {
        Verified::NotConfigured => "not configured",
        Verified::Green => "green",
        Verified::Red => "red",
        Verified::NotSeen => "not seen",
    }
}

pub fn cost(cost: Cost) -> String {
    let known = cost.known_usd;
    match (known > 0.0, cost.unknown) {
        (false, true) => "not told by the agent".to_owned(),
        (true, true) => format!("${known:.2} and turns that did not tell"),
        (_, false) => format!("${known:.2}"),
    }
}

/// What stands under a landed issue, and in the store.
pub(super) fn receipt(run: &Run, facts: &ReceiptFacts, note: &str) -> String {
    let head = run.pushed.as_ref().map_or("(unknown)", |oid| oid.as_str());
    let mut text = format!("{}\n{}landed.\n\n", marker(&run.id, "end"), mention(run));
    if !note.is_empty() {
        text.push_str(&format!("{}\n\n", markdown(note, 300)));
    }
    let checks = if facts.checks.is_empty() {
        if facts.none_required {
            "none (the config says that none are needed)".to_owned()
        } else {
            "none".to_owned()
        }
    } else {
        let told = facts
            .checks
            .iter()
            .map(|c| markdown(&format!("{}: {}", c.name, state(c.state)), 120))
            .collect::<Vec<_>>()
            .join(", ");
        if facts.none_required && !facts.ran() {
            format!("{told}; none ran (the config says that none are needed)")
        } else {
            told
        }
    };
    let on_target = match (facts.on_target, run.landing) {
        (true, Landing::Push) => "yes, seen after the push",
        (true, Landing::PullRequest) => "yes, seen after the merge",
        (false, Landing::Push) => "not seen yet",
        (false, Landing::PullRequest) => "not proved: merged, but not as the same patch",
    };
    let rows = [
        ("base", run.base.as_str().to_owned()),
        ("head", head.to_owned()),
        ("branch", markdown(&run.target_branch, 100)),
        ("checks", checks),
        ("verify", verified(facts.verify).to_owned()),
        ("cost", markdown(&cost(facts.cost), 120)),
        ("turns", turns_and_ends(run, &facts.turn_ends)),
        ("template", code(&facts.template)),
        ("lessons given", lessons::given(&facts.lessons)),
        ("on the target", on_target.to_owned()),
    ];
    text.push_str("| | |\n|---|---|\n");
    for (name, value) in rows {
        text.push_str(&format!("| {name} | {value} |\n"));
    }
    text
}

pub(super) fn turns(run: &Run) -> String {
    let review = if run.review_turns > 0 { format!(", {} review", run.review_turns) } else { String::new() };
    format!("{} ({} fix-forward{review})", run.turns, run.fix_forward)
}

fn turns_and_ends(run: &Run, ends: &[String]) -> String {
    let ends: Vec<String> = ends.iter().map(|end| markdown(end, 40)).collect();
    if ends.is_empty() { turns(run) } else { format!("{}: {}", turns(run), ends.join(", ")) }
}
