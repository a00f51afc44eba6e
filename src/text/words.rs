//! What an effect says, in words: made when it is recorded, so that it says the same whenever it is carried out.

use super::{agent, end, progress, pull, receipt};
use crate::domain::effect::{Effect, Words};
use crate::domain::model::Outcome;
use crate::domain::receipt::ReceiptFacts;
use crate::domain::run::{Run, Said};

/// The effects of a step with their words. `run`: as the step leaves it.
pub fn worded(effects: Vec<Effect<Said>>, run: &Run, facts: &ReceiptFacts) -> Vec<Effect> {
    effects.into_iter().map(|effect| effect.map(|said| words(&said, run, facts))).collect()
}

fn words(said: &Said, run: &Run, facts: &ReceiptFacts) -> Words {
    let body = |body| Words { title: String::new(), body };
    let outcome = run.outcome.unwrap_or(Outcome::Withdrawn);
    match said {
        Said::ToAgent(told) => body(agent::told(told)),
        Said::Progress => body(progress::body(run)),
        Said::Landed(why) => body(receipt::receipt(run, facts, &super::why(why))),
        Said::Ended(why) => body(end::end_comment(run, outcome, &super::why(why))),
        Said::EndNotice(why) => Words {
            title: end::notice_title(run, outcome),
            body: end::notice_body(run, outcome, &super::why(why)),
        },
        Said::ReviewWanted => Words { title: pull::review_title(run), body: pull::review_body(run) },
        Said::Pull => Words { title: pull::pull_title(run, facts), body: pull::pull_body(run, facts) },
        Said::Undo => Words { title: pull::undo_title(run), body: pull::undo_body(run) },
    }
}
