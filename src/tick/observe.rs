//! Gathers the evidence about one run: the issue, the turn, the work, the target, CI. Reads only, but for one thing: what
//! a died supervisor left running is ended before anybody looks at its workspace.

use super::breaker::note_start_failure;
use super::env::Env;
use super::event::event;
use super::log::Log;
use super::policy::{HostPolicy, RepoPolicy, StagePolicy};
use super::templates;
use crate::store::Store;

mod pull;

use crate::domain::backoff::parked_until;
use crate::domain::checks::{self, CiVerdict, StageSeen};
use crate::domain::guard;
use crate::domain::message::{self, ReceiptFacts};
use crate::domain::model::{
    Check, CheckState, IssueRef, JobResult, JobState, Landing, Oid, Outcome, Seen, StageReading, TurnEnd,
    UnixTime,
};
use crate::domain::run::{
    BaseSeen, CiSeen, Evidence, Failure, GuardSeen, IssueSeen, PullSeen, ReviewSeen, Run, TargetSeen,
    TurnSeen, VerifySeen, WorkSeen,
};
use crate::error::Error;
use crate::ports::{PortError, PortResult, Wanted, Work};
use crate::store::{Event, Park, RunRow, TurnRow};

/// Verify jobs of a run before one that cannot be run counts as a broken workspace.
const MOST_VERIFIES: u32 = 6;

/// That checks really ran and were green on what landed, once it did: later nobody may be able to tell.
pub fn checked(run: &Run, seen: &Evidence, at: UnixTime) -> Option<Event> {
    let landed = run.outcome == Some(Outcome::Landed);
    (landed && seen.receipt.ran())
        .then(|| event(run, "checked", "checked", at, &seen.receipt.checks.join(", ")))
}

/// Everything [`crate::domain::run::next`] looks at.
pub fn evidence(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    policy: &RepoPolicy,
) -> Result<Evidence, Error> {
    let run = &row.run;
    let turn = turn(env, host, store, log, row)?;
    let over = matches!(turn, TurnSeen::Over(_) | TurnSeen::Orphaned);
    let mut notes = vec![];
    let pull = pull::look(env, row, policy, &mut notes);
    let mut aims = Aims::default();
    let mut work =
        if over { work(env, host, store, row, policy, &mut aims, &mut notes)? } else { WorkSeen::Unreadable };
    let review = if over && pull.seen == PullSeen::Open {
        pull::review(env, host, row, &mut notes)
    } else {
        ReviewSeen::Nothing
    };
    let contained = matches!(
        &work,
        WorkSeen::Commits { target: TargetSeen::Contains, head, .. } if run.pushed.as_ref() == Some(head)
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
    let verify = verify_words(&work, policy);
    let issue = issue(env, &run.issue, policy, &mut notes);
    for error in notes {
        log.failed(env, store, &format!("run {}", run.id), &error)?;
    }
    Ok(Evidence {
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
            checks: checks.iter().map(|c| format!("{}: {}", c.name, state_word(c.state))).collect(),
            verify,
            cost: cost_words(known, unknown),
            template: row.template.clone(),
            on_target,
            none_required: matches!(ci, CiSeen::Green { none_required: true }),
            lessons: super::lessons::ids(store, &run.id),
            turn_ends: store.turn_ends(&run.id)?,
        },
        ci,
    })
}

/// No other run of ours works in the repo.
fn slot_free(store: &Store, run: &Run) -> Result<bool, Error> {
    let unfinished = store.runs_in_flight()?;
    Ok(!unfinished.iter().any(|other| {
        other.run.id != run.id && other.run.issue.repo == run.issue.repo && other.run.in_flight()
    }))
}

/// How the work stands to the target where a pull request lands it.
#[derive(Default)]
struct Aims {
    patch_on_target: bool,
    conflicts: Vec<String>,
}

impl Aims {
    fn look(env: &Env, run: &Run, head: &Oid, target: &Oid, relation: TargetSeen) -> PortResult<Self> {
        let mut aims = Self::default();
        if run.landing == Landing::Push {
            return Ok(aims);
        }
        let repo = &run.issue.repo;
        if let Some(pushed) = &run.pushed {
            // What was merged into the work meanwhile is not in the pushed head yet.
            for from in [&run.up_to, &run.base] {
                if env.git.is_ancestor(repo, from, pushed)? {
                    aims.patch_on_target = env.git.carries(repo, target, from, pushed)?;
                    break;
                }
            }
        }
        if relation == TargetSeen::Diverged && !aims.patch_on_target {
            aims.conflicts = env.git.conflicts(repo, head, target)?;
        }
        Ok(aims)
    }
}

fn state_word(state: CheckState) -> &'static str {
    match state {
        CheckState::Pending => "pending",
        CheckState::Green => "green",
        CheckState::Red => "red",
        CheckState::Skipped => "skipped",
        CheckState::Superseded => "superseded",
        CheckState::NeedsPerson => "needs a person",
    }
}

pub fn cost_words(known: f64, unknown: bool) -> String {
    match (known > 0.0, unknown) {
        (false, true) => "not told by the agent".to_owned(),
        (true, true) => format!("${known:.2} and turns that did not tell"),
        (_, false) => format!("${known:.2}"),
    }
}

fn verify_words(work: &WorkSeen, policy: &RepoPolicy) -> String {
    if policy.verify.is_empty() {
        return "not configured".to_owned();
    }
    match work {
        WorkSeen::Commits { verify: VerifySeen::Green, .. } => "green".to_owned(),
        WorkSeen::Commits { verify: VerifySeen::Red(_), .. } => "red".to_owned(),
        WorkSeen::Commits { .. } | WorkSeen::Unreadable | WorkSeen::Broken(_) | WorkSeen::Nothing => {
            "not seen".to_owned()
        }
    }
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

fn turn(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
) -> Result<TurnSeen, Error> {
    let run = &row.run;
    let id = run.turn_job(run.turns);
    if let Some(detail) = store.refusal(&run.id, &format!("turn-{}", run.turns))? {
        // What does not render now will not render at the next try.
        let end = if templates::failed(store, &run.id, run.turns)? {
            TurnEnd::Error { detail }
        } else {
            TurnEnd::FailedToStart { detail }
        };
        return Ok(TurnSeen::Over(end));
    }
    let dir = env.folder(run).job(&id);
    let state = match env.runner.state(&dir) {
        Ok(state) => state,
        Err(error) => {
            log.failed(env, store, &format!("run {}", run.id), &error)?;
            return Ok(TurnSeen::Unreadable);
        }
    };
    Ok(match state {
        JobState::Running { asks: Some(link), .. } => {
            let title = format!("{}: the agent asks", run.issue);
            let text = format!("Answer it in {link}");
            env.notify(store, &format!("{id}:asks"), "needs-human", &title, &text, Some(link))?;
            TurnSeen::NeedsInput
        }
        JobState::Running { verifying: false, .. } => TurnSeen::Running,
        JobState::Running { verifying: true, .. } => TurnSeen::Verifying,
        JobState::Over(result) => {
            turn_over(env, host, store, log, row, &result)?;
            TurnSeen::Over(result.end)
        }
        JobState::NotStarted | JobState::Orphaned => match end_leftovers(env, host, &dir, &id) {
            Ok(()) => {
                let ended = TurnRow {
                    turn: run.turns,
                    kind: run.turn_kind,
                    started_at: run.created_at,
                    ended_at: Some(env.now()),
                    ending: Some("orphaned".to_owned()),
                    detail: Some("the supervisor died".to_owned()),
                    usage: crate::domain::model::Usage::default(),
                    summary: None,
                };
                store.turn_ended(&run.id, &ended)?;
                TurnSeen::Orphaned
            }
            Err(error) => {
                log.failed(env, store, &format!("run {}", run.id), &error)?;
                TurnSeen::Unreadable
            }
        },
    })
}

fn end_leftovers(env: &Env, host: &HostPolicy, dir: &std::path::Path, id: &str) -> PortResult<()> {
    if host.dry {
        return Ok(());
    }
    env.runner.stop(dir, id)
}

/// Records a turn's end once: usage, and what it says about the runner's account.
pub(super) fn turn_over(
    env: &Env,
    host: &HostPolicy,
    store: &mut Store,
    log: &mut Log,
    row: &RunRow,
    result: &JobResult,
) -> Result<(), Error> {
    let run = &row.run;
    let (ending, detail) = end_words(&result.end);
    let ended = TurnRow {
        turn: run.turns,
        kind: run.turn_kind,
        started_at: result.started_at,
        ended_at: Some(result.ended_at),
        ending: Some(ending.to_owned()),
        detail: Some(detail.clone()),
        usage: result.usage.clone(),
        summary: result.summary.clone(),
    };
    if !store.turn_ended(&run.id, &ended)? {
        return Ok(());
    }
    let now = env.now();
    match &result.end {
        TurnEnd::Quota { resets_at, .. } => {
            park(env, store, log, &row.account, "quota", &detail, parked_until(*resets_at, now))?;
        }
        TurnEnd::LoginRefused { .. } => {
            park(env, store, log, &row.account, "login", &detail, parked_until(None, now))?;
        }
        TurnEnd::FailedToStart { detail } => {
            note_start_failure(env, host, store, log, row, detail)?;
        }
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Error { .. }
        | TurnEnd::TimedOut
        | TurnEnd::Stalled
        | TurnEnd::CutOff { .. }
        | TurnEnd::PermissionDenied { .. }
        | TurnEnd::Stopped => {
            store.start_worked(&row.account)?;
            store.clear_backoff(&run.issue)?;
            env.recovered(store, &format!("runner-parked:{}", row.account))?;
        }
    }
    Ok(())
}

fn park(
    env: &Env,
    store: &mut Store,
    log: &mut Log,
    account: &str,
    kind: &str,
    detail: &str,
    until: UnixTime,
) -> Result<(), Error> {
    let now = env.now();
    let detail = message::plain(detail, 300);
    store.park(
        account,
        &Park { kind: kind.to_owned(), detail: detail.clone(), since: now, until: Some(until) },
    )?;
    let text = format!(
        "the runner {account} is parked ({kind}: {detail}) until {}; its runs go on then",
        message::moment(until)
    );
    log.alarm(env, store, &format!("runner-parked:{account}"), &text)
}

/// A stable word and the detail of a turn's end.
pub fn end_words(end: &TurnEnd) -> (&'static str, String) {
    match end {
        TurnEnd::Finished => ("finished", String::new()),
        TurnEnd::Blocked { reason } => ("blocked", reason.clone()),
        TurnEnd::ResultUnreadable { why } => ("result-unreadable", format!("the result file {why}")),
        TurnEnd::Error { detail } => ("error", detail.clone()),
        TurnEnd::TimedOut => ("timed-out", String::new()),
        TurnEnd::Stalled => ("stalled", String::new()),
        TurnEnd::CutOff { by, detail } => (by.code(), detail.clone()),
        TurnEnd::PermissionDenied { detail } => ("permission-denied", detail.clone()),
        TurnEnd::Quota { detail, .. } => ("quota", detail.clone()),
        TurnEnd::LoginRefused { detail } => ("login-refused", detail.clone()),
        TurnEnd::FailedToStart { detail } => ("failed-to-start", detail.clone()),
        TurnEnd::Stopped => ("stopped", String::new()),
    }
}

fn work(
    env: &Env,
    host: &HostPolicy,
    store: &Store,
    row: &RunRow,
    policy: &RepoPolicy,
    aims: &mut Aims,
    notes: &mut Vec<PortError>,
) -> Result<WorkSeen, Error> {
    let run = &row.run;
    let repo = &run.issue.repo;
    let folder = env.folder(run);
    let unreadable = |error: PortError, notes: &mut Vec<PortError>| {
        notes.push(error);
        WorkSeen::Unreadable
    };
    let work: Work = match env.git.work(repo, &folder, &run.id, &run.base) {
        Ok(work) => work,
        Err(error @ (PortError::Refused { .. } | PortError::Gone { .. })) => {
            return Ok(WorkSeen::Broken(error.to_string()));
        }
        Err(error) => return Ok(unreadable(error, notes)),
    };
    if work.new_commits == 0 || !work.changes_tree && run.pushed.is_none() {
        return Ok(WorkSeen::Nothing);
    }
    let target = env
        .forge(repo)
        .and_then(|forge| forge.remote(repo))
        .and_then(|remote| env.git.fetch_branch(repo, &remote, &run.target_branch));
    let target_oid = match target {
        Ok(oid) => oid,
        Err(error) => return Ok(unreadable(error, notes)),
    };
    let relation = if target_oid == work.head {
        Ok(TargetSeen::Contains)
    } else {
        env.git.is_ancestor(repo, &work.head, &target_oid).and_then(|inside| {
            if inside {
                return Ok(TargetSeen::Contains);
            }
            let ahead = env.git.is_ancestor(repo, &target_oid, &work.head)?;
            Ok(if ahead { TargetSeen::FastForward } else { TargetSeen::Diverged })
        })
    };
    let relation = match relation {
        Ok(relation) => relation,
        Err(error) => return Ok(unreadable(error, notes)),
    };
    match Aims::look(env, run, &work.head, &target_oid, relation) {
        Ok(seen) => *aims = seen,
        Err(error) => return Ok(unreadable(error, notes)),
    }
    let already = run.pushed.as_ref() == Some(&work.head);
    let guard = if already || relation == TargetSeen::Contains {
        GuardSeen::Passed
    } else {
        match env.git.change(repo, &target_oid, &work.head) {
            Ok(change) => judge(&change, run, policy),
            Err(error @ PortError::Refused { .. }) => GuardSeen::Refused(error.to_string()),
            Err(error) => return Ok(unreadable(error, notes)),
        }
    };
    let verify = match verify(env, host, store, row, policy, &work.head)? {
        Ok(verify) => verify,
        // Its program is missing, or no checkout can be made: no agent can mend that.
        Err(PortError::Refused { what }) => return Ok(WorkSeen::Broken(what)),
        Err(error) => return Ok(unreadable(error, notes)),
    };
    Ok(WorkSeen::Commits { head: work.head, verify, guard, target: relation, target_oid })
}

fn judge(change: &crate::domain::model::Change, run: &Run, policy: &RepoPolicy) -> GuardSeen {
    let refusals = guard::judge(
        change,
        &guard::GuardPolicy {
            allow_paths: policy.allow_paths.clone(),
            own_issue: run.issue.number,
            max_file_bytes: guard::MAX_FILE_BYTES,
            repo: run.issue.repo.path(),
        },
    );
    if refusals.is_empty() {
        return GuardSeen::Passed;
    }
    let lines: Vec<String> = refusals
        .iter()
        .take(20)
        .map(|r| format!("{} ({}): {}", r.code, message::plain(&r.place, 200), r.why))
        .collect();
    GuardSeen::Refused(lines.join("; "))
}

/// What the repo's own tests said of exactly this commit: in its turn, or in a job of their own.
fn verify(
    env: &Env,
    host: &HostPolicy,
    store: &Store,
    row: &RunRow,
    policy: &RepoPolicy,
    head: &Oid,
) -> Result<PortResult<VerifySeen>, Error> {
    let run = &row.run;
    if policy.verify.is_empty() {
        return Ok(Ok(VerifySeen::NotConfigured));
    }
    let folder = env.folder(run);
    if run.verifies > 0 {
        let id = run.verify_job(run.verifies);
        let of = match store.effect(&run.id, &format!("verify-{}", run.verifies))? {
            Some(crate::domain::effect::Effect::Verify { oid, .. }) => Some(oid),
            Some(_) | None => None,
        };
        if of.as_ref() == Some(head) {
            if let Some(why) = store.refusal(&run.id, &format!("verify-{}", run.verifies))? {
                return Ok(Err(PortError::refused(format!("verify could not be started: {why}"))));
            }
            let dir = folder.job(&id);
            return Ok(env.runner.state(&dir).and_then(|state| {
                Ok(match state {
                    JobState::Running { .. } => VerifySeen::Running,
                    JobState::Over(result) => return verify_job(run, &result, head),
                    JobState::NotStarted => VerifySeen::Missing,
                    JobState::Orphaned => {
                        end_leftovers(env, host, &dir, &id)?;
                        VerifySeen::Missing
                    }
                })
            }));
        }
    }
    let dir = folder.job(&run.turn_job(run.turns));
    Ok(env.runner.state(&dir).map(|state| match state {
        JobState::Over(result) if result.verify.as_ref().is_some_and(|v| v.oid == *head) => {
            verify_result(&result, head)
        }
        JobState::Over(_) | JobState::NotStarted | JobState::Running { .. } | JobState::Orphaned => {
            VerifySeen::Missing
        }
    }))
}

/// A verify job that never ran (a full disk, a missing program) is tried again a few times; one that was ended from
/// outside is run again.
fn verify_job(run: &Run, result: &JobResult, head: &Oid) -> PortResult<VerifySeen> {
    match &result.end {
        TurnEnd::Stopped => Ok(VerifySeen::Missing),
        TurnEnd::FailedToStart { .. } if run.verifies < MOST_VERIFIES => Ok(VerifySeen::Missing),
        TurnEnd::FailedToStart { detail } => {
            Err(PortError::refused(format!("verify could not be run: {detail}")))
        }
        TurnEnd::Finished
        | TurnEnd::Blocked { .. }
        | TurnEnd::ResultUnreadable { .. }
        | TurnEnd::Error { .. }
        | TurnEnd::TimedOut
        | TurnEnd::Stalled
        | TurnEnd::CutOff { .. }
        | TurnEnd::PermissionDenied { .. }
        | TurnEnd::Quota { .. }
        | TurnEnd::LoginRefused { .. } => Ok(verify_result(result, head)),
    }
}

fn verify_result(result: &JobResult, head: &Oid) -> VerifySeen {
    match &result.verify {
        Some(v) if v.oid == *head && v.green => VerifySeen::Green,
        Some(v) if v.oid == *head => VerifySeen::Red(Failure {
            checks: vec!["verify".to_owned()],
            fingerprint: v.fingerprint.clone(),
            log_tail: v.log_tail.clone(),
        }),
        Some(_) | None => {
            let (word, detail) = end_words(&result.end);
            VerifySeen::Red(Failure {
                checks: vec!["verify".to_owned()],
                fingerprint: format!("{word} {detail}"),
                log_tail: format!("verify did not come to a result: {word} {detail}"),
            })
        }
    }
}

/// CI's stages as they are read for one commit, up to the first that is not green. `at`: the stage that was waited for
/// last, and for how many seconds; a later one has only just come up.
pub fn stages(
    env: &Env,
    policy: &RepoPolicy,
    oid: &Oid,
    at: (u32, i64),
    wanted: Wanted<'_>,
) -> Vec<StageSeen> {
    stages_or_why(env, policy, oid, at, wanted).0
}

/// The same, and what kept the last one from being read.
fn stages_or_why(
    env: &Env,
    policy: &RepoPolicy,
    oid: &Oid,
    at: (u32, i64),
    aim: Wanted<'_>,
) -> (Vec<StageSeen>, Option<PortError>) {
    let (current, waited) = at;
    // Where the config names what is required, what else is to come decides nothing.
    let named = policy.required.as_ref().is_some_and(|names| !names.is_empty());
    let aim = if named { Wanted::Reported } else { aim };
    if policy.stages.is_empty() {
        let reading = Seen::Known(StageReading::Checks(vec![]));
        let required = policy.required.clone();
        let none = StageSeen { name: "ci".to_owned(), reading, required, waited_seconds: waited };
        return (vec![none], None);
    }
    let (mut seen, mut why) = (vec![], None);
    for (number, stage) in (0_u32..).zip(&policy.stages) {
        let reading = match env.ci.read(&policy.repo, &stage.name, oid, aim) {
            Ok(reading) => Seen::Known(reading),
            Err(error) => {
                let told = Seen::Unreadable(error.to_string());
                why = Some(error);
                told
            }
        };
        let required = required(policy, stage);
        let waited_seconds = if number > current { 0 } else { waited };
        let one = StageSeen { name: stage.name.clone(), reading, required, waited_seconds };
        let (grace, timeout) = (policy.ci_grace_seconds, policy.ci_timeout_seconds);
        let green =
            matches!(checks::fold(std::slice::from_ref(&one), grace, timeout), CiVerdict::Green { .. });
        seen.push(one);
        if !green {
            break;
        }
    }
    (seen, why)
}

/// The checks that decide in one stage. A stage that offhours runs has one check, of its own name; the names that are
/// required have to show up in the other stages.
fn required(policy: &RepoPolicy, stage: &StagePolicy) -> Option<Vec<String>> {
    let names = policy.required.as_ref()?;
    if names.is_empty() {
        return Some(vec![]);
    }
    if stage.ours {
        return None;
    }
    let ours = |name: &String| policy.stages.iter().any(|s| s.ours && s.name == *name);
    Some(names.iter().filter(|name| !ours(name)).cloned().collect())
}

fn ci(
    env: &Env,
    store: &Store,
    row: &RunRow,
    policy: &RepoPolicy,
    notes: &mut Vec<PortError>,
) -> (CiSeen, u32, Vec<Check>) {
    let run = &row.run;
    let Some(head) = &run.pushed else { return (CiSeen::NotPushed, 0, vec![]) };
    // The config says what is required, or the rules of the branch that a pull request is for do. Of other commits, also of
    // those that are pushed to it past its rules, no rule is kept: a
    // workflow for pull requests never reports on the branch itself.
    let ruled = policy.required.is_none() && run.landing == Landing::PullRequest;
    let wanted = Wanted::Verdict { rules_of: ruled.then_some(run.target_branch.as_str()) };
    let at = (run.ci_stage, run.ci_seconds);
    let (stages, error) = stages_or_why(env, policy, head, at, wanted);
    let index =
        |name: &str| u32::try_from(stages.iter().position(|s| s.name == name).unwrap_or(0)).unwrap_or(0);
    match checks::fold(&stages, policy.ci_grace_seconds, policy.ci_timeout_seconds) {
        CiVerdict::Unreadable { stage, why } => {
            let at = index(&stage);
            let what = format!("CI stage {stage} could not be read: {why}");
            // Only a refused token is anybody's to mend.
            notes.push(match error {
                Some(PortError::Credentials { .. }) => PortError::Credentials { what },
                Some(PortError::Later { after, .. }) => PortError::Later { what, after },
                Some(PortError::Refused { .. } | PortError::Gone { .. } | PortError::Broken { .. })
                | None => PortError::later(what),
            });
            (CiSeen::Unreadable, at, vec![])
        }
        CiVerdict::NotStarted { stage } => {
            let at = index(&stage);
            // The stage's program does not exist: no check will ever report.
            match start_refused(store, run, &stage, head) {
                Some(why) => {
                    notes.push(PortError::refused(format!("CI stage {stage} could not be started: {why}")));
                    (CiSeen::NoChecks, at, vec![])
                }
                None => (CiSeen::NotStarted { stage }, at, vec![]),
            }
        }
        CiVerdict::Pending { stage } => (CiSeen::Pending, index(&stage), vec![]),
        CiVerdict::NoChecks { stage } => (CiSeen::NoChecks, index(&stage), vec![]),
        CiVerdict::NeedsPerson { stage, .. } => (CiSeen::NeedsPerson, index(&stage), vec![]),
        CiVerdict::TimedOut { stage } => (CiSeen::TimedOut, index(&stage), vec![]),
        CiVerdict::Red { stage, checks } => {
            let at = index(&stage);
            let failure = failure(&checks);
            let base = base(env, store, run, policy, &stage, &failure);
            (CiSeen::Red { stage, failure, base }, at, vec![])
        }
        CiVerdict::Green { checks, none_required } => {
            let last = u32::try_from(policy.stages.len().saturating_sub(1)).unwrap_or(0);
            (CiSeen::Green { none_required }, last, checks)
        }
    }
}

fn start_refused(store: &Store, run: &Run, stage: &str, oid: &Oid) -> Option<String> {
    let attempts = 1..=run.reruns + 1;
    attempts.rev().find_map(|k| store.refusal(&run.id, &format!("ci-{stage}-{oid}-{k}")).ok().flatten())
}

fn failure(red: &[Check]) -> Failure {
    let mut checks: Vec<String> = red.iter().map(|c| c.name.clone()).collect();
    checks.sort();
    let prints: Vec<&str> = red.iter().map(|c| c.fingerprint.as_str()).collect();
    let logs: Vec<String> = red.iter().map(|c| format!("== {} ==\n{}", c.name, c.log_tail)).collect();
    Failure { checks, fingerprint: prints.join(" "), log_tail: logs.join("\n") }
}

/// What the same checks say of the commit the run started from.
fn base(
    env: &Env,
    store: &Store,
    run: &Run,
    policy: &RepoPolicy,
    stage: &str,
    failure: &Failure,
) -> BaseSeen {
    match env.ci.read(&policy.repo, stage, &run.base, Wanted::Everything) {
        Err(_) => BaseSeen::Unreadable,
        Ok(StageReading::NotStarted) if start_refused(store, run, stage, &run.base).is_some() => {
            BaseSeen::CannotTell
        }
        Ok(StageReading::NotStarted) => BaseSeen::NotStarted,
        Ok(StageReading::Checks(checks)) => {
            let same: Vec<&Check> = checks.iter().filter(|c| failure.checks.contains(&c.name)).collect();
            if same.iter().any(|c| c.state == CheckState::Pending) {
                BaseSeen::Pending
            } else if !same.is_empty()
                && same.iter().all(|c| c.state == CheckState::Red)
                && same.len() == failure.checks.len()
            {
                BaseSeen::Red
            } else {
                BaseSeen::Green
            }
        }
    }
}
