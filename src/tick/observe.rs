//! Gathers the evidence about one run: the issue, the turn, the work, the target, CI. Reads only: what of it is to be
//! written down is handed back as [`Found`].

use super::env::Env;
use super::event::event;
use super::policy::{HostPolicy, RepoPolicy};
use crate::store::{RunRow, Store};

mod ci;
mod found;
mod pull;
mod turn;
mod work;

pub use ci::stages;
pub use found::Found;
pub use turn::end_words;
pub(super) use turn::turn;

use ci::ci;
use work::{Aims, work};

use crate::domain::event::{Event, Happening};
use crate::domain::model::{IssueRef, JobState, Outcome, UnixTime};
use crate::domain::receipt::{Cost, ReceiptFacts, Reported, Verified};
use crate::domain::run::{
    CiSeen, Evidence, IssueSeen, PullSeen, ReviewSeen, Run, TargetComparison, TurnSeen, VerifySeen, WorkSeen,
};
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::text;

/// That checks really ran and were green on what landed, once it did: later nobody may be able to tell.
pub fn checked(run: &Run, seen: &Evidence, at: UnixTime) -> Option<Event> {
    let landed = run.outcome == Some(Outcome::Landed);
    (landed && seen.receipt.ran())
        .then(|| event(run, "checked", Happening::Checked, at, &text::checks(&seen.receipt.checks)))
}

/// What a look at a run brought.
pub struct Seen {
    pub evidence: Evidence,
    pub found: Vec<Found>,
}

/// Everything [`crate::domain::run::next`] looks at. What was found about the turn stands in the state file by then.
pub fn evidence(
    env: &Env,
    host: &HostPolicy,
    store: &Store,
    row: &RunRow,
    policy: &RepoPolicy,
    turn: TurnSeen,
    verify_job: Option<PortResult<JobState>>,
) -> Result<Seen, Error> {
    let run = &row.run;
    let over = matches!(turn, TurnSeen::Over(_) | TurnSeen::Orphaned);
    let mut notes = vec![];
    let pull = pull::look(env, row, policy, &mut notes);
    let mut aims = Aims::default();
    let mut work = if over {
        work(env, store, row, policy, verify_job, &mut aims, &mut notes)?
    } else {
        WorkSeen::Unreadable
    };
    let review = if over && pull.seen == PullSeen::Open {
        pull::review(env, host, row, &mut notes)
    } else {
        ReviewSeen::Nothing
    };
    let contained = matches!(
        &work,
        WorkSeen::Commits { target: TargetComparison::Contains, head, .. } if run.pushed.as_ref() == Some(head)
    );
    let on_target = contained || aims.patch_on_target;
    let (ci, ci_stage, checks) = if over && run.pushed.is_some() {
        ci(env, store, row, policy, &mut notes)
    } else {
        (CiSeen::NotPushed, 0, vec![])
    };
    if run.pushed.is_some() && !over {
        // What CI says of an older head does not count while a turn works on the next.
        work = WorkSeen::Unreadable;
    }
    let now = env.now();
    let parked = store.parked(&row.account, now)?.is_some();
    let (known, unknown) = store.cost_of(&run.id)?;
    let verify = verified(&work, policy);
    let issue = issue(env, &run.issue, policy, &mut notes);
    let evidence = Evidence {
        issue,
        allowed: policy.allowed,
        stop_asked: row.stop_asked,
        foreign_commit: pull.foreign_commit,
        pull: pull.seen,
        patch_on_target: aims.patch_on_target,
        conflicts: aims.conflicts,
        review,
        slot_free: slot_free(store, run)?,
        turn,
        work,
        ci_stage,
        switch_on: host.switch_on,
        merge_open: host.merge_open,
        parked,
        // Nothing is for runs that cost nothing.
        budget_left: row.budget_usd <= 0.0 || known < row.budget_usd,
        receipt: ReceiptFacts {
            title: store.run_text(&run.id)?.map_or_else(String::new, |text| text.title),
            checks: checks.iter().map(|c| Reported { name: c.name.clone(), state: c.state }).collect(),
            verify,
            cost: Cost { known_usd: known, unknown },
            template: row.template.clone(),
            on_target,
            none_required: matches!(ci, CiSeen::Green { none_required: true }),
            lessons: super::lessons::ids(store, &run.id),
            turn_ends: store.turn_ends(&run.id)?,
        },
        ci,
    };
    Ok(Seen { evidence, found: notes.into_iter().map(Found::Failed).collect() })
}

/// No other run of ours works in the repo.
fn slot_free(store: &Store, run: &Run) -> Result<bool, Error> {
    let unfinished = store.runs_in_flight()?;
    Ok(!unfinished.iter().any(|other| {
        other.run.id != run.id && other.run.issue.repo == run.issue.repo && other.run.in_flight()
    }))
}

fn issue(env: &Env, issue: &IssueRef, policy: &RepoPolicy, notes: &mut Vec<PortError>) -> IssueSeen {
    let forge = match env.forge(&issue.repo) {
        Ok(forge) => forge,
        Err(error) => {
            notes.push(error);
            return IssueSeen::Unreadable;
        }
    };
    match forge.issue(&issue.repo, issue.number) {
        Ok(seen) if seen.open => IssueSeen::Open { ready: seen.has_label(&policy.run.ready_label) },
        Ok(_) => IssueSeen::Closed,
        // Gone only counts while its repo can be read: else the whole forge may be away.
        // A forge that refuses the repo itself says that it stands under another name now.
        Err(PortError::Gone { .. })
            if matches!(forge.remote(&issue.repo), Ok(_) | Err(PortError::Refused { .. })) =>
        {
            IssueSeen::Gone
        }
        Err(error) => {
            notes.push(error);
            IssueSeen::Unreadable
        }
    }
}

fn verified(work: &WorkSeen, policy: &RepoPolicy) -> Verified {
    if policy.verify.is_empty() {
        return Verified::NotConfigured;
    }
    match work {
        WorkSeen::Commits { verify: VerifySeen::Green, .. } => Verified::Green,
        WorkSeen::Commits { verify: VerifySeen::Red(_), .. } => Verified::Red,
        WorkSeen::Commits { .. } | WorkSeen::Unreadable | WorkSeen::Broken(_) | WorkSeen::Nothing => {
            Verified::NotSeen
        }
    }
}
