//! Which ready issues start now, and exactly why the others do not.
//!
//! [`select`] is called again after evidence was gathered, until no verdict is [`Reason::NeedsEvidence`].

mod reason;
mod seen;

pub use reason::{LockedBy, Reason, Scope};
pub use seen::{Candidate, ClaimSeen, Host, Labels, Limits, Parked, RepoState, RunSeen, RunnerSeen};

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::model::{IssueRef, RepoId, Seen};
use super::trust::Approval;

/// What is to be done with one candidate, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub issue: IssueRef,
    pub reason: Reason,
    /// The gates it passed, in order.
    pub passed: Vec<&'static str>,
}

/// What this selection has given out so far.
#[derive(Default)]
struct Given {
    runs: u32,
    usd: f64,
    by_runner: BTreeMap<String, u32>,
    /// The issue that has the repo's slot, and whether its evidence is still missing.
    slots: BTreeMap<RepoId, (u64, bool)>,
}

/// One verdict a candidate, in the order in which they were considered: by priority, then by fair rotation of the
/// repos, then by repo and number. The order of the arguments does not matter.
///
/// The gates, in order: `switch`, `hours`, `pause`, `allowlist`, `open`, `ready-label`, `run`, `claim`,
/// `label` (in-progress), `lock`, `trust`, `blockers`, `attempts`, `back-off`, `priority`, `runs-per-day`,
/// `daily-budget`, `monthly-budget`, `max-running`, `runner`, `review`, `quota`, `frozen`, `base`. The reason is
/// the first that fails. `priority` comes before whatever is shared, so that an issue behind another one of its
/// repo says so, and not that the other one took the last slot.
///
/// A candidate without evidence takes slot and budget while it is being asked, so that nothing goes ahead of it.
pub fn select(candidates: &[Candidate], repos: &[RepoState], host: &Host, labels: &Labels) -> Vec<Verdict> {
    let repos: BTreeMap<&RepoId, &RepoState> = repos.iter().map(|state| (&state.repo, state)).collect();
    let labelled: BTreeSet<&RepoId> = candidates
        .iter()
        .filter(|c| {
            c.issue.open && c.issue.has_label(&labels.ready) && c.issue.has_label(&labels.in_progress)
        })
        .map(|c| &c.repo)
        .collect();
    let mut order: Vec<&Candidate> = candidates.iter().collect();
    order.sort_by_key(|c| {
        let last = repos.get(&c.repo).and_then(|state| state.last_dispatch);
        (Reverse(c.priority), last, &c.repo, c.issue.number)
    });

    let mut given = Given::default();
    let mut verdicts = Vec::with_capacity(order.len());
    for candidate in order {
        let view = View {
            candidate,
            state: repos.get(&candidate.repo).copied(),
            host,
            labels,
            label_seen: labelled.contains(&candidate.repo),
        };
        let mut passed = Vec::new();
        let reason = view.reason(&given, &mut passed);
        if let (Reason::Dispatch | Reason::NeedsEvidence, Some(state)) = (&reason, view.state) {
            given.take(candidate, state, reason == Reason::NeedsEvidence);
        }
        verdicts.push(Verdict { issue: candidate.name(), reason, passed });
    }
    verdicts
}

/// Whether a dispatch that was recorded and cut short may still go on: the gates of [`select`], but for those that the
/// run itself shuts by being there and by being counted.
pub fn goes_on(candidate: &Candidate, state: Option<&RepoState>, host: &Host, labels: &Labels) -> Reason {
    let view = View { candidate, state, host, labels, label_seen: false };
    let Some(state) = state else { return Reason::NotAllowlisted };
    let [open, ready, ..] = view.issue_gates();
    let gates = [
        ("switch", fail_if(host.switch_on, Reason::SwitchOn)),
        ("hours", fail_if(!host.hours_open, Reason::OutsideHours)),
        ("pause", view.pause()),
        open,
        ready,
        ("trust", view.trust()),
        ("blockers", view.blockers()),
        ("quota", view.quota(state)),
        ("frozen", fail_if(state.frozen, Reason::Frozen)),
        ("base", fail_if(state.base_red, Reason::BaseRed)),
    ];
    let mut unknown = false;
    match walk(gates, &mut unknown, &mut vec![]) {
        Some(reason) => reason,
        None if unknown => Reason::NeedsEvidence,
        None => Reason::Dispatch,
    }
}

impl Given {
    /// Gives the repo's slot to the candidate, unless one that goes first has it.
    fn take(&mut self, candidate: &Candidate, state: &RepoState, unsure: bool) {
        if self.slots.contains_key(&candidate.repo) {
            return;
        }
        self.slots.insert(candidate.repo.clone(), (candidate.issue.number, unsure));
        self.runs = self.runs.saturating_add(1);
        self.usd += state.budget_usd;
        let name = candidate.runner.as_ref().unwrap_or(&state.runner).name.clone();
        let runner = self.by_runner.entry(name).or_default();
        *runner = runner.saturating_add(1);
    }
}

/// One candidate and all that is known around it.
struct View<'a> {
    candidate: &'a Candidate,
    state: Option<&'a RepoState>,
    host: &'a Host,
    labels: &'a Labels,
    label_seen: bool,
}

/// What one gate says.
enum Gate {
    Pass,
    /// Cannot be said before evidence was gathered.
    Unknown,
    Fail(Reason),
}

fn fail_if(failed: bool, reason: Reason) -> Gate {
    if failed { Gate::Fail(reason) } else { Gate::Pass }
}

impl View<'_> {
    fn reason(&self, given: &Given, passed: &mut Vec<&'static str>) -> Reason {
        let host = self.host;
        let first = [
            ("switch", fail_if(host.switch_on, Reason::SwitchOn)),
            ("hours", fail_if(!host.hours_open, Reason::OutsideHours)),
            ("pause", self.pause()),
        ];
        let mut unknown = false;
        if let Some(reason) = walk(first, &mut unknown, passed) {
            return reason;
        }
        let Some(state) = self.state else { return Reason::NotAllowlisted };
        passed.push("allowlist");
        let issue = self.issue_gates();
        let lock = [("lock", self.lock(state))];
        let evidence = [("trust", self.trust()), ("blockers", self.blockers())];
        let own = [("attempts", self.attempts()), ("back-off", self.back_off())];
        let gates = issue.into_iter().chain(lock).chain(evidence).chain(own);
        if let Some(reason) = walk(gates, &mut unknown, passed) {
            return reason;
        }
        match given.slots.get(&self.candidate.repo) {
            // Both are asked: the one that goes first may turn out not to be eligible.
            Some((_, true)) if unknown => return Reason::NeedsEvidence,
            Some((first, _)) => return Reason::LowerPriority { first: *first },
            None => passed.push("priority"),
        }
        let shared = [
            ("runs-per-day", self.runs_per_day(given)),
            ("daily-budget", self.daily(state, given)),
            ("monthly-budget", self.monthly(state, given)),
            ("max-running", self.max_running(given)),
            ("runner", self.runner_room(state, given)),
            ("review", self.review(state)),
            ("quota", self.quota(state)),
            ("frozen", fail_if(state.frozen, Reason::Frozen)),
            ("base", fail_if(state.base_red, Reason::BaseRed)),
        ];
        match walk(shared, &mut unknown, passed) {
            Some(reason) => reason,
            None if unknown => Reason::NeedsEvidence,
            None => Reason::Dispatch,
        }
    }

    fn pause(&self) -> Gate {
        if self.host.paused {
            return Gate::Fail(Reason::Paused(Scope::Host));
        }
        fail_if(self.state.is_some_and(|state| state.paused), Reason::Paused(Scope::Repo))
    }

    fn issue_gates(&self) -> [(&'static str, Gate); 5] {
        let issue = &self.candidate.issue;
        let run = match self.candidate.own_run {
            RunSeen::Unfinished => Gate::Fail(Reason::AlreadyRunning),
            RunSeen::None | RunSeen::Finished => Gate::Pass,
        };
        let claim = match self.candidate.claim {
            ClaimSeen::Ours => Gate::Fail(Reason::StaleClaim),
            ClaimSeen::Other => Gate::Fail(Reason::Claimed),
            ClaimSeen::Free | ClaimSeen::NotAsked => Gate::Pass,
        };
        let labelled = issue.has_label(&self.labels.in_progress);
        let label = match self.candidate.claim {
            ClaimSeen::Free => fail_if(labelled, Reason::OrphanLabel),
            // Whether it is an orphan is not known; the repo is locked all the same.
            ClaimSeen::NotAsked | ClaimSeen::Ours | ClaimSeen::Other => {
                fail_if(labelled, Reason::RepoLocked(LockedBy::Label))
            }
        };
        [
            ("open", fail_if(!issue.open, Reason::Closed)),
            ("ready-label", fail_if(!issue.has_label(&self.labels.ready), Reason::LabelMissing)),
            ("run", run),
            ("claim", claim),
            ("label", label),
        ]
    }

    fn lock(&self, state: &RepoState) -> Gate {
        if state.in_flight {
            return Gate::Fail(Reason::RepoLocked(LockedBy::OwnRun));
        }
        if state.wants_slot {
            return Gate::Fail(Reason::RepoLocked(LockedBy::ReviewFirst));
        }
        match state.slot {
            ClaimSeen::Ours => Gate::Fail(Reason::RepoLocked(LockedBy::OwnSlot)),
            ClaimSeen::Other => Gate::Fail(Reason::RepoLocked(LockedBy::OtherHost)),
            ClaimSeen::Free | ClaimSeen::NotAsked => {
                let labelled = state.in_progress_label_seen || self.label_seen;
                fail_if(labelled, Reason::RepoLocked(LockedBy::Label))
            }
        }
    }

    fn trust(&self) -> Gate {
        match &self.candidate.approval {
            None => Gate::Unknown,
            Some(Approval::Approved { .. }) => Gate::Pass,
            Some(Approval::Not(why)) => Gate::Fail(Reason::NotTrusted(why.clone())),
        }
    }

    fn blockers(&self) -> Gate {
        let Some(blockers) = &self.candidate.blockers else { return Gate::Unknown };
        let (mut by, mut which) = (Vec::new(), Vec::new());
        for blocker in blockers {
            match &blocker.open {
                Seen::Known(true) => by.push(blocker.name.clone()),
                Seen::Known(false) => {}
                Seen::Unreadable(_) => which.push(blocker.name.clone()),
            }
        }
        if !by.is_empty() {
            return Gate::Fail(Reason::Blocked { by });
        }
        fail_if(!which.is_empty(), Reason::BlockerUnreadable { which })
    }

    fn attempts(&self) -> Gate {
        let (used, max) = (self.candidate.attempts_used, self.host.limits.max_attempts_per_issue);
        fail_if(used >= max, Reason::AttemptsUsed { used, max })
    }

    fn back_off(&self) -> Gate {
        match self.candidate.backoff_until {
            Some(until) => fail_if(self.host.now < until, Reason::BackOff { until }),
            None => Gate::Pass,
        }
    }

    fn runs_per_day(&self, given: &Given) -> Gate {
        let max = self.host.limits.max_runs_per_day;
        fail_if(self.host.runs_today.saturating_add(given.runs) >= max, Reason::RunsPerDay { max })
    }

    fn daily(&self, state: &RepoState, given: &Given) -> Gate {
        let (budget_usd, reserve_usd) = (self.host.limits.daily_budget_usd, state.budget_usd);
        let spent_usd = self.host.spent_today_usd + given.usd;
        let reason = Reason::DailyBudget { spent_usd, reserve_usd, budget_usd };
        fail_if(!fits(spent_usd, reserve_usd, budget_usd), reason)
    }

    fn monthly(&self, state: &RepoState, given: &Given) -> Gate {
        let (budget_usd, reserve_usd) = (self.host.limits.monthly_budget_usd, state.budget_usd);
        let spent_usd = self.host.spent_month_usd + given.usd;
        let reason = Reason::MonthlyBudget { spent_usd, reserve_usd, budget_usd };
        fail_if(!fits(spent_usd, reserve_usd, budget_usd), reason)
    }

    fn max_running(&self, given: &Given) -> Gate {
        let max = self.host.limits.max_running;
        fail_if(self.host.running.saturating_add(given.runs) >= max, Reason::MaxRunning { max })
    }

    fn runner<'a>(&'a self, state: &'a RepoState) -> &'a RunnerSeen {
        self.candidate.runner.as_ref().unwrap_or(&state.runner)
    }

    fn runner_room(&self, state: &RepoState, given: &Given) -> Gate {
        let runner = self.runner(state);
        let Some(max) = runner.max else { return Gate::Pass };
        let started = given.by_runner.get(&runner.name).copied().unwrap_or(0);
        let full = runner.running.saturating_add(started) >= max;
        fail_if(full, Reason::RunnerFull { runner: runner.name.clone(), max })
    }

    fn review(&self, state: &RepoState) -> Gate {
        let (waiting, max) = (state.awaiting_review, state.max_awaiting_review);
        if waiting >= max {
            return Gate::Fail(Reason::ReviewBackpressure { scope: Scope::Repo, waiting, max });
        }
        let (waiting, max) = (self.host.awaiting_review_total, self.host.limits.max_awaiting_review_total);
        fail_if(waiting >= max, Reason::ReviewBackpressure { scope: Scope::Host, waiting, max })
    }

    fn quota(&self, state: &RepoState) -> Gate {
        let runner = self.runner(state);
        let Some(Parked { until, why }) = &runner.parked else { return Gate::Pass };
        let still = until.is_none_or(|until| self.host.now < until);
        let runner = runner.name.clone();
        fail_if(still, Reason::Parked { runner, until: *until, why: why.clone() })
    }
}

/// The first gate that fails; what is passed before it is noted.
fn walk(
    gates: impl IntoIterator<Item = (&'static str, Gate)>,
    unknown: &mut bool,
    passed: &mut Vec<&'static str>,
) -> Option<Reason> {
    for (name, gate) in gates {
        match gate {
            Gate::Pass => passed.push(name),
            Gate::Unknown => *unknown = true,
            Gate::Fail(reason) => return Some(reason),
        }
    }
    None
}

/// Whether `more` fits into the budget. What is not a number, or negative, fits into nothing.
fn fits(spent: f64, more: f64, budget: f64) -> bool {
    spent >= 0.0 && more >= 0.0 && spent + more <= budget
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{Blocker, Issue, UnixTime};
    use crate::domain::trust::TrustReason;
    use proptest::prelude::*;

    fn repo(name: &str) -> RepoId {
        RepoId { forge: "f".into(), owner: "o".into(), name: name.into() }
    }

    fn labels() -> Labels {
        Labels { ready: "ready".into(), in_progress: "working".into() }
    }

    fn approved() -> Approval {
        Approval::Approved { event_id: "e".into(), at: UnixTime(1), by: None, record_first_sight: false }
    }

    fn not_trusted() -> Approval {
        Approval::Not(TrustReason::ChangedSinceApproval)
    }

    fn candidate(name: &str, number: u64, priority: i64) -> Candidate {
        Candidate {
            repo: repo(name),
            runner: None,
            issue: Issue {
                number,
                title: "t".into(),
                body: String::new(),
                open: true,
                labels: vec!["Ready".into()],
                author: None,
                updated_at: UnixTime(0),
                priority: None,
                text_hash: String::new(),
            },
            priority,
            own_run: RunSeen::None,
            claim: ClaimSeen::Free,
            approval: Some(approved()),
            blockers: Some(vec![]),
            attempts_used: 1,
            backoff_until: Some(UnixTime(1000)),
        }
    }

    fn state(name: &str) -> RepoState {
        RepoState {
            repo: repo(name),
            in_flight: false,
            wants_slot: false,
            slot: ClaimSeen::Free,
            paused: false,
            frozen: false,
            base_red: false,
            in_progress_label_seen: false,
            awaiting_review: 1,
            max_awaiting_review: 2,
            runner: RunnerSeen {
                name: "r".into(),
                parked: Some(Parked { until: Some(UnixTime(1000)), why: "quota".into() }),
                running: 1,
                max: Some(2),
            },
            budget_usd: 10.0,
            last_dispatch: None,
        }
    }

    /// Everything stands one step below its bound.
    fn host() -> Host {
        Host {
            now: UnixTime(1000),
            switch_on: false,
            hours_open: true,
            paused: false,
            running: 1,
            runs_today: 14,
            spent_today_usd: 30.0,
            spent_month_usd: 290.0,
            awaiting_review_total: 9,
            limits: Limits {
                max_running: 2,
                max_runs_per_day: 15,
                daily_budget_usd: 40.0,
                monthly_budget_usd: 300.0,
                max_awaiting_review_total: 10,
                max_attempts_per_issue: 2,
            },
        }
    }

    fn roomy() -> Host {
        let mut host = host();
        host.limits.max_running = 1000;
        host.limits.max_runs_per_day = 1000;
        host.limits.daily_budget_usd = f64::INFINITY;
        host.limits.monthly_budget_usd = 1e9;
        host
    }

    fn open_state(name: &str) -> RepoState {
        let mut state = state(name);
        state.runner.max = None;
        state
    }

    #[derive(Clone)]
    struct World {
        candidate: Candidate,
        state: RepoState,
        allowlisted: bool,
        host: Host,
    }

    fn world() -> World {
        World { candidate: candidate("a", 7, 0), state: state("a"), allowlisted: true, host: host() }
    }

    impl World {
        fn verdict(&self) -> Verdict {
            let states: &[RepoState] = if self.allowlisted { std::slice::from_ref(&self.state) } else { &[] };
            let mut all = select(std::slice::from_ref(&self.candidate), states, &self.host, &labels());
            assert_eq!(all.len(), 1);
            all.remove(0)
        }

        fn code(&self) -> &'static str {
            self.verdict().reason.code()
        }
    }

    type Break = fn(&mut World);

    /// One way for every gate to fail, in the documented order; the gates before it are passed.
    const GATES: [(&str, &str, Break); 24] = [
        ("switch", "switch-on", |w| w.host.switch_on = true),
        ("hours", "outside-hours", |w| w.host.hours_open = false),
        ("pause", "paused", |w| w.host.paused = true),
        ("allowlist", "not-allowlisted", |w| w.allowlisted = false),
        ("open", "closed", |w| w.candidate.issue.open = false),
        ("ready-label", "label-missing", |w| w.candidate.issue.labels.retain(|l| l != "Ready")),
        ("run", "already-running", |w| w.candidate.own_run = RunSeen::Unfinished),
        ("claim", "claimed", |w| w.candidate.claim = ClaimSeen::Other),
        ("label", "orphan-label", |w| w.candidate.issue.labels.push("WORKING".into())),
        ("lock", "repo-locked", |w| w.state.in_flight = true),
        ("trust", "changed-since-approval", |w| w.candidate.approval = Some(not_trusted())),
        ("blockers", "blocked", |w| w.candidate.blockers = Some(vec![blocker("#3", Seen::Known(true))])),
        ("attempts", "attempts-used", |w| w.candidate.attempts_used = 2),
        ("back-off", "back-off", |w| w.candidate.backoff_until = Some(UnixTime(1001))),
        ("priority", "", |_| {}),
        ("runs-per-day", "runs-per-day", |w| w.host.runs_today = 15),
        ("daily-budget", "daily-budget", |w| w.host.spent_today_usd = 30.01),
        ("monthly-budget", "monthly-budget", |w| w.host.spent_month_usd = 290.01),
        ("max-running", "max-running", |w| w.host.running = 2),
        ("runner", "runner-full", |w| w.state.runner.running = 2),
        ("review", "review-backpressure", |w| w.state.awaiting_review = 2),
        ("quota", "parked", |w| w.state.runner.parked = Some(Parked { until: None, why: String::new() })),
        ("frozen", "frozen", |w| w.state.frozen = true),
        ("base", "base-red", |w| w.state.base_red = true),
    ];

    fn blocker(name: &str, open: Seen<bool>) -> Blocker {
        Blocker { name: name.into(), open }
    }

    /// Breaks the chosen gates and expects the first of them as the reason, with all before it passed.
    fn expect_first(broken: impl Fn(usize) -> bool) {
        let mut w = world();
        let mut first = None;
        for (i, (_, code, spoil)) in GATES.iter().enumerate() {
            if !code.is_empty() && broken(i) {
                spoil(&mut w);
                first.get_or_insert(i);
            }
        }
        let verdict = w.verdict();
        let want = first.map_or("dispatch", |i| GATES[i].1);
        assert_eq!(verdict.reason.code(), want);
        let passed: Vec<&str> = GATES.iter().take(first.unwrap_or(GATES.len())).map(|g| g.0).collect();
        assert_eq!(verdict.passed, passed, "{want}");
        assert!(!verdict.reason.sentence().is_empty());
    }

    /// What the run itself shuts by being there does not keep it; everything that came up since does.
    #[test]
    fn a_dispatch_that_was_cut_short_goes_on_by_the_gates_that_are_not_its_own() {
        let (labels, good) = (labels(), candidate("h:a/b", 1, 0));
        let own = Candidate { own_run: RunSeen::Unfinished, claim: ClaimSeen::Ours, ..good.clone() };
        let taken = RepoState { in_flight: true, slot: ClaimSeen::Ours, ..state("h:a/b") };
        assert_eq!(goes_on(&own, Some(&taken), &host(), &labels), Reason::Dispatch);
        let closed = Candidate { issue: Issue { open: false, ..good.issue.clone() }, ..good.clone() };
        assert_eq!(goes_on(&closed, Some(&taken), &host(), &labels), Reason::Closed);
        let unasked = Candidate { approval: None, ..good.clone() };
        assert_eq!(goes_on(&unasked, Some(&taken), &host(), &labels), Reason::NeedsEvidence);
        assert_eq!(goes_on(&own, None, &host(), &labels), Reason::NotAllowlisted);
        for (shut, reason) in [
            (RepoState { paused: true, ..state("h:a/b") }, Reason::Paused(Scope::Repo)),
            (RepoState { frozen: true, ..state("h:a/b") }, Reason::Frozen),
            (RepoState { base_red: true, ..state("h:a/b") }, Reason::BaseRed),
        ] {
            assert_eq!(goes_on(&own, Some(&shut), &host(), &labels), reason);
        }
        let late = Host { hours_open: false, ..host() };
        assert_eq!(goes_on(&own, Some(&taken), &late, &labels), Reason::OutsideHours);
    }

    #[test]
    fn the_first_gate_that_fails_is_the_reason() {
        // Every combination within either half, and every three gates of all.
        for mask in 0..1_usize << 12 {
            expect_first(|i| i < 12 && mask >> i & 1 == 1);
            expect_first(|i| i >= 12 && mask >> (i - 12) & 1 == 1);
        }
        for a in 0..GATES.len() {
            for b in a..GATES.len() {
                for c in b..GATES.len() {
                    expect_first(|i| i == a || i == b || i == c);
                }
            }
        }
    }

    /// Every combination of what may be known of run, claim, slot, label, lock, approval and blockers.
    #[test]
    fn every_combination_of_the_enums() {
        let claims = [ClaimSeen::Free, ClaimSeen::Ours, ClaimSeen::Other, ClaimSeen::NotAsked];
        let open = || blocker("#3", Seen::Known(true));
        let dim = || blocker("o/x#4", Seen::Unreadable("404".into()));
        let done = || blocker("#5", Seen::Known(false));
        let waits = [
            (None, None),
            (Some(vec![done()]), Some("")),
            (Some(vec![done(), open()]), Some("blocked")),
            (Some(vec![dim(), open()]), Some("blocked")),
            (Some(vec![dim(), done()]), Some("blocker-unreadable")),
        ];
        let approvals = [None, Some(approved()), Some(not_trusted())];
        for run in [RunSeen::None, RunSeen::Unfinished, RunSeen::Finished] {
            for (claim, slot) in claims.iter().flat_map(|c| claims.iter().map(move |s| (*c, *s))) {
                for (bits, approval) in (0..8).flat_map(|b| approvals.iter().map(move |a| (b, a))) {
                    for (blockers, waiting) in &waits {
                        let mut w = world();
                        let (label, in_flight, seen) = (bits & 1 == 1, bits & 2 == 2, bits & 4 == 4);
                        if label {
                            w.candidate.issue.labels.push("working".into());
                        }
                        w.state.in_flight = in_flight;
                        w.state.in_progress_label_seen = seen;
                        w.state.slot = slot;
                        w.candidate.own_run = run;
                        w.candidate.claim = claim;
                        w.candidate.approval = approval.clone();
                        w.candidate.blockers = blockers.clone();
                        let slot_taken = slot == ClaimSeen::Ours || slot == ClaimSeen::Other;
                        let want = if run == RunSeen::Unfinished {
                            "already-running"
                        } else if claim == ClaimSeen::Ours {
                            "stale-claim"
                        } else if claim == ClaimSeen::Other {
                            "claimed"
                        } else if label && claim == ClaimSeen::Free {
                            "orphan-label"
                        } else if label || in_flight || seen || slot_taken {
                            "repo-locked"
                        } else if *approval == Some(not_trusted()) {
                            "changed-since-approval"
                        } else if waiting.is_some_and(|code| !code.is_empty()) {
                            waiting.unwrap_or_default()
                        } else if approval.is_none() || waiting.is_none() {
                            "needs-evidence"
                        } else {
                            "dispatch"
                        };
                        assert_eq!(
                            w.code(),
                            want,
                            "{run:?} {claim:?} {slot:?} {bits} {approval:?} {blockers:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn both_sides_of_every_bound() {
        let rows: Vec<(Break, &str)> = vec![
            (|w| w.candidate.backoff_until = None, "dispatch"),
            (|w| w.candidate.attempts_used = 3, "attempts-used"),
            (|w| w.host.limits.max_attempts_per_issue = 0, "attempts-used"),
            (|w| w.host.runs_today = u32::MAX, "runs-per-day"),
            (|w| w.host.spent_today_usd = f64::NAN, "daily-budget"),
            (|w| w.host.spent_today_usd = -1.0, "daily-budget"),
            (|w| w.host.spent_today_usd = f64::INFINITY, "daily-budget"),
            (|w| w.host.limits.daily_budget_usd = f64::NAN, "daily-budget"),
            (|w| w.host.limits.daily_budget_usd = f64::INFINITY, "dispatch"),
            (|w| w.state.budget_usd = f64::NAN, "daily-budget"),
            (|w| w.state.budget_usd = -1.0, "daily-budget"),
            (|w| w.state.budget_usd = 0.0, "dispatch"),
            (|w| w.state.budget_usd = 10.01, "daily-budget"),
            (|w| w.host.spent_month_usd = f64::NAN, "monthly-budget"),
            (|w| w.host.limits.monthly_budget_usd = f64::NAN, "monthly-budget"),
            (|w| w.host.limits.monthly_budget_usd = 299.99, "monthly-budget"),
            (|w| w.host.running = u32::MAX, "max-running"),
            (|w| w.host.limits.max_running = 0, "max-running"),
            (|w| w.state.runner.max = Some(0), "runner-full"),
            (|w| w.state.runner.max = Some(1), "runner-full"),
            (|w| w.state.runner.max = None, "dispatch"),
            (|w| w.host.awaiting_review_total = 10, "review-backpressure"),
            (|w| w.state.runner.parked = None, "dispatch"),
            (
                |w| w.state.runner.parked = Some(Parked { until: Some(UnixTime(1001)), why: "q".into() }),
                "parked",
            ),
            (|w| w.state.paused = true, "paused"),
            (|w| w.candidate.own_run = RunSeen::Finished, "dispatch"),
            (|w| w.candidate.issue.labels = vec!["ready-for".into()], "label-missing"),
        ];
        assert_eq!(world().code(), "dispatch");
        for (i, (change, want)) in rows.iter().enumerate() {
            let mut w = world();
            change(&mut w);
            assert_eq!(w.code(), *want, "row {i}");
        }
    }

    fn told(candidates: &[Candidate], states: &[RepoState], host: &Host) -> Vec<String> {
        select(candidates, states, host, &labels())
            .iter()
            .map(|v| {
                if let Reason::LowerPriority { first } = &v.reason {
                    return format!("{} behind {first}", v.issue.number);
                }
                format!("{} {}", v.issue.number, v.reason.code())
            })
            .collect()
    }

    #[test]
    fn of_one_five_and_nine_the_nine() {
        let all = [candidate("a", 1, 1), candidate("a", 2, 9), candidate("a", 3, 5)];
        assert_eq!(told(&all, &[state("a")], &host()), ["2 dispatch", "3 behind 2", "1 behind 2"]);
    }

    #[test]
    fn ties_go_to_the_lower_number() {
        let all = [candidate("a", 12, 0), candidate("a", 4, 0)];
        assert_eq!(told(&all, &[state("a")], &host()), ["4 dispatch", "12 behind 4"]);
    }

    #[test]
    fn an_ineligible_issue_takes_no_slot() {
        let mut first = candidate("a", 1, 9);
        first.approval = Some(not_trusted());
        let mut second = candidate("a", 2, 8);
        second.blockers = Some(vec![blocker("#1", Seen::Known(true))]);
        let all = [first, second, candidate("a", 3, 0)];
        assert_eq!(
            told(&all, &[state("a")], &host()),
            ["1 changed-since-approval", "2 blocked", "3 dispatch"]
        );
    }

    #[test]
    fn a_locked_repo_does_not_hold_the_others() {
        let mut working = candidate("a", 1, 0);
        working.issue.labels.push("working".into());
        working.own_run = RunSeen::Unfinished;
        let all = [working, candidate("a", 2, 9), candidate("b", 3, 0)];
        let states = [state("a"), state("b")];
        assert_eq!(told(&all, &states, &host()), ["2 repo-locked", "1 already-running", "3 dispatch"]);
    }

    #[test]
    fn a_closed_or_unready_issue_with_the_label_locks_nothing() {
        let mut closed = candidate("a", 1, 9);
        closed.issue.labels.push("working".into());
        let mut unready = closed.clone();
        closed.issue.open = false;
        unready.issue.number = 2;
        unready.issue.labels.retain(|l| l == "working");
        let all = [closed, unready, candidate("a", 3, 0)];
        assert_eq!(told(&all, &[state("a")], &host()), ["1 closed", "2 label-missing", "3 dispatch"]);
    }

    #[test]
    fn the_last_slot_goes_by_priority_then_to_who_waited_longest_then_by_name() {
        let mut states: Vec<RepoState> = ["a", "b", "c", "d"].map(open_state).into();
        states[0].last_dispatch = Some(UnixTime(900));
        states[1].last_dispatch = Some(UnixTime(800));
        let all = [
            candidate("a", 1, 0),
            candidate("b", 2, 0),
            candidate("c", 3, 0),
            candidate("d", 4, 0),
            candidate("a", 5, 1),
        ];
        assert_eq!(
            told(&all, &states, &host()),
            ["5 dispatch", "3 runs-per-day", "4 runs-per-day", "2 runs-per-day", "1 behind 5"]
        );
        assert_eq!(
            told(&all[..4], &states, &roomy()),
            ["3 dispatch", "4 dispatch", "2 dispatch", "1 dispatch"]
        );
    }

    #[test]
    fn what_is_shared_is_given_out_once() {
        let all = [candidate("a", 1, 0), candidate("b", 2, 0), candidate("c", 3, 0)];
        let mut states = ["a", "b", "c"].map(open_state);
        let rows: Vec<(fn(&mut Host, &mut [RepoState; 3]), &str)> = vec![
            (|h, _| h.limits.max_running = 3, "max-running"),
            (|h, _| h.limits.max_runs_per_day = 16, "runs-per-day"),
            (|h, _| h.limits.daily_budget_usd = 50.0, "daily-budget"),
            (|h, _| h.limits.daily_budget_usd = 59.99, "daily-budget"),
            (|h, _| h.limits.monthly_budget_usd = 310.0, "monthly-budget"),
            (|_, s| s.iter_mut().for_each(|s| s.runner.max = Some(3)), "runner-full"),
        ];
        for (bound, code) in rows {
            let mut host = roomy();
            let mut states = states.clone();
            bound(&mut host, &mut states);
            assert_eq!(told(&all, &states, &host), ["1 dispatch", "2 dispatch", &format!("3 {code}")]);
        }
        states[1].runner.name = "other".into();
        for s in &mut states {
            s.runner.max = Some(2);
        }
        assert_eq!(told(&all, &states, &roomy()), ["1 dispatch", "2 dispatch", "3 runner-full"]);
    }

    #[test]
    fn a_runner_that_a_label_asks_for_counts_instead_of_the_repos() {
        let big = |running, max, parked: bool| RunnerSeen {
            name: "big".into(),
            parked: parked.then(|| Parked { until: None, why: "quota".into() }),
            running,
            max,
        };
        let states = ["a", "b", "c"].map(open_state);
        let mut all = [candidate("a", 1, 0), candidate("b", 2, 0), candidate("c", 3, 0)];
        // One that is down holds up only who asks for it.
        all[0].runner = Some(big(0, None, true));
        assert_eq!(told(&all, &states, &roomy()), ["1 parked", "2 dispatch", "3 dispatch"]);
        // Its room is given out once, by whatever way its work comes.
        all[0].runner = Some(big(1, Some(2), false));
        all[2].runner = Some(big(1, Some(2), false));
        assert_eq!(told(&all, &states, &roomy()), ["1 dispatch", "2 dispatch", "3 runner-full"]);
        // The repo's own may be down meanwhile.
        let mut down = states.clone();
        down[0].runner.parked = Some(Parked { until: None, why: "q".into() });
        down[1].runner.parked = Some(Parked { until: None, why: "q".into() });
        assert_eq!(told(&all, &down, &roomy()), ["1 dispatch", "2 parked", "3 runner-full"]);
    }

    #[test]
    fn nothing_overtakes_what_is_still_being_asked() {
        let mut unsure = candidate("a", 1, 9);
        unsure.approval = None;
        let mut also = candidate("a", 2, 5);
        also.blockers = None;
        let mut all = vec![unsure, also, candidate("a", 3, 0), candidate("b", 4, 0)];
        let states = [state("a"), state("b")];
        assert_eq!(
            told(&all, &states, &host()),
            ["1 needs-evidence", "2 needs-evidence", "3 behind 1", "4 runs-per-day"]
        );
        all[0].approval = Some(approved());
        assert_eq!(
            told(&all, &states, &host()),
            ["1 dispatch", "2 behind 1", "3 behind 1", "4 runs-per-day"]
        );
        all[0].approval = Some(not_trusted());
        assert_eq!(
            told(&all, &states, &host()),
            ["1 changed-since-approval", "2 needs-evidence", "3 behind 2", "4 runs-per-day"]
        );
    }

    #[test]
    fn without_candidates_there_is_nothing_to_say() {
        assert_eq!(select(&[], &[state("a")], &host(), &labels()), []);
    }

    prop_compose! {
        fn some_candidate()(
            repo in prop::sample::select(vec!["a", "b", "c", "d"]),
            priority in -1_i64..3,
            flaw in 0_usize..40,
            claim in prop::sample::select(vec![ClaimSeen::Free, ClaimSeen::NotAsked]),
            evidence in prop::option::weighted(0.8, prop::bool::weighted(0.8)),
        ) -> Candidate {
            let mut c = candidate(repo, 0, priority);
            c.claim = claim;
            c.approval = evidence.map(|good| if good { approved() } else { not_trusted() });
            match flaw {
                0 => c.issue.open = false,
                1 => c.issue.labels.push("working".into()),
                2 => c.own_run = RunSeen::Unfinished,
                3 => c.attempts_used = 2,
                4 => c.blockers = None,
                5 => c.backoff_until = Some(UnixTime(5000)),
                _ => {}
            }
            c
        }
    }

    prop_compose! {
        fn some_state(name: &'static str)(
            flaw in 0_usize..12,
            budget_usd in prop::sample::select(vec![0.0, 0.1, 3.3, 10.0, f64::NAN]),
            runner in prop::sample::select(vec!["r", "s"]),
            runner_max in prop::option::of(1_u32..4),
            last in prop::option::of(0_i64..3),
        ) -> RepoState {
            let mut s = state(name);
            s.budget_usd = budget_usd;
            s.runner.name = runner.to_owned();
            s.runner.max = runner_max;
            s.last_dispatch = last.map(UnixTime);
            match flaw {
                0 => s.frozen = true,
                1 => s.in_flight = true,
                2 => s.slot = ClaimSeen::Other,
                _ => {}
            }
            s
        }
    }

    prop_compose! {
        fn some_host()(
            switch_on in prop::bool::weighted(0.1),
            max_running in 0_u32..6,
            max_runs_per_day in 13_u32..19,
            daily_budget_usd in 25.0..70.0_f64,
        ) -> Host {
            let mut h = host();
            h.switch_on = switch_on;
            h.limits.max_running = max_running;
            h.limits.max_runs_per_day = max_runs_per_day;
            h.limits.daily_budget_usd = daily_budget_usd;
            h
        }
    }

    fn some_world() -> impl Strategy<Value = (Vec<Candidate>, Vec<RepoState>, Host)> {
        let numbered = prop::collection::vec(some_candidate(), 0..12).prop_map(|mut all| {
            for (candidate, number) in all.iter_mut().zip(1..) {
                candidate.issue.number = number;
            }
            all
        });
        let states = (some_state("a"), some_state("b"), some_state("c")).prop_map(|(a, b, c)| vec![a, b, c]);
        (numbered, states, some_host())
    }

    proptest! {
        #[test]
        fn input_order_never_matters((candidates, states, host) in some_world(), seed in any::<u64>()) {
            let told = |c: &[Candidate], s: &[RepoState]| {
                select(c, s, &host, &labels()).iter().map(|v| (v.issue.clone(), v.reason.sentence(), v.passed.clone())).collect::<Vec<_>>()
            };
            let mut shuffled = candidates.clone();
            shuffled.sort_by_key(|c| (c.issue.number ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let mut turned = states.clone();
            turned.reverse();
            prop_assert_eq!(told(&candidates, &states), told(&shuffled, &turned));
        }

        #[test]
        fn no_bound_is_passed((candidates, states, host) in some_world()) {
            let verdicts = select(&candidates, &states, &host, &labels());
            prop_assert_eq!(verdicts.len(), candidates.len());
            let started: Vec<&Verdict> = verdicts.iter().filter(|v| v.reason == Reason::Dispatch).collect();
            if host.switch_on {
                prop_assert!(verdicts.iter().all(|v| v.reason == Reason::SwitchOn));
            }
            let repos: BTreeSet<&RepoId> = started.iter().map(|v| &v.issue.repo).collect();
            prop_assert_eq!(repos.len(), started.len());
            let of = |v: &Verdict| states.iter().find(|s| s.repo == v.issue.repo).unwrap();
            let count = u32::try_from(started.len()).unwrap();
            prop_assert!(count == 0 || host.running + count <= host.limits.max_running);
            prop_assert!(count == 0 || host.runs_today + count <= host.limits.max_runs_per_day);
            let money = started.iter().fold(host.spent_today_usd, |sum, v| sum + of(v).budget_usd);
            prop_assert!(count == 0 || money <= host.limits.daily_budget_usd + 1e-9);
            let mut turns: BTreeMap<&str, u32> = BTreeMap::new();
            for v in &started {
                let running = turns.entry(&of(v).runner.name).or_insert(1);
                prop_assert!(of(v).runner.max.is_none_or(|max| *running < max));
                *running += 1;
                let c = candidates.iter().find(|c| c.issue.number == v.issue.number).unwrap();
                prop_assert!(c.approval == Some(approved()) && c.blockers.is_some() && c.issue.open);
            }
        }

        /// Asking for evidence again and again comes to an end. What would start is taken back by an answer only where
        /// one before it fits into the money now: a dear issue does not fit while a cheap one before it is asked about.
        #[test]
        fn gathering_ends((mut candidates, states, host) in some_world(), good in any::<u16>()) {
            for _ in 0..=2 * candidates.len() {
                let verdicts = select(&candidates, &states, &host, &labels());
                let Some(asked) = verdicts.iter().find(|v| v.reason == Reason::NeedsEvidence) else { return Ok(()) };
                let c = candidates.iter_mut().find(|c| c.issue.number == asked.issue.number).unwrap();
                if c.approval.is_none() {
                    c.approval = Some(if good >> c.issue.number & 1 == 1 { approved() } else { not_trusted() });
                }
                c.blockers.get_or_insert_default();
                let before: Vec<u64> = verdicts.iter().filter(|v| v.reason == Reason::Dispatch).map(|v| v.issue.number).collect();
                let after = select(&candidates, &states, &host, &labels());
                let stands = |v: &&Verdict| {
                    matches!(v.reason, Reason::Dispatch | Reason::DailyBudget { .. } | Reason::MonthlyBudget { .. })
                };
                for number in before {
                    prop_assert!(after.iter().filter(stands).any(|v| v.issue.number == number));
                }
            }
            prop_assert!(false, "still asking");
        }
    }
}
