use strum::VariantArray as _;

use super::*;

const NOW: UnixTime = UnixTime(1_772_445_600);

fn oid(c: char) -> Oid {
    Oid::parse(&c.to_string().repeat(40)).unwrap()
}

fn policy(with_tests: bool) -> Policy {
    Policy { with_tests, wait_seconds: 7200 }
}

fn plan() -> Plan {
    Plan { version: "1.1.0+16.5".into(), bumps: vec![], notes: vec![], head: oid('b') }
}

fn trial(number: u32) -> Trial {
    let mark = Mark { head: oid('b'), newest_comment: 3, newest_status: 4, url: None };
    Trial { number, mark, at: NOW, trigger: Some(5), verdict: None, void: false }
}

/// A recipe at a step, with what it must have by then.
fn at(step: Step, trials: u32) -> Recipe {
    let mut recipe = Recipe::new("app", NOW);
    recipe.step = step;
    if step >= Step::Planned {
        recipe.plan = Some(plan());
        recipe.head = Some(oid('b'));
    }
    recipe.trials = (1..=trials).map(trial).collect();
    recipe
}

fn stale_answer() -> AgentAnswer {
    let test = StaleTest {
        repo: "t".into(),
        path: "tests/a.sh".into(),
        test: "a".into(),
        why: "the page has another title".into(),
        build_url: "u".into(),
    };
    AgentAnswer::Stale { summary: "s".into(), tests: vec![test], all_failures: vec!["a".into()], patch: None }
}

/// Everything that can be seen, once of each kind.
fn evidence() -> Vec<Evidence> {
    let jobs = [
        JobSeen::None,
        JobSeen::NotStarted,
        JobSeen::Running,
        JobSeen::Good,
        JobSeen::Bad("exit code 1".into()),
    ];
    let mut all = vec![
        Evidence::EffectRefused("no".into()),
        Evidence::Impossible("no".into()),
        Evidence::Scan(Scanned::Plan(plan())),
        Evidence::Scan(Scanned::UpToDate),
        Evidence::Scan(Scanned::Held(vec!["major".into()])),
        Evidence::Scan(Scanned::Unreadable("cut short".into())),
        Evidence::Scan(Scanned::Refused(Ending::Failed("tag exists".into()))),
        Evidence::Pushed,
        Evidence::Opened,
        Evidence::StaleChecked(None),
        Evidence::StaleChecked(Some("no".into())),
    ];
    for mirror in [
        Mirror::Equal(oid('a')),
        Mirror::Behind { seen: Some(oid('c')), upstream: oid('a') },
        Mirror::Diverged { seen: oid('c'), upstream: oid('a') },
    ] {
        for (settled, human) in [
            (vec![], None),
            (vec![(3, Settled::MergedUpstream), (4, Settled::Overtaken)], None),
            (vec![], Some(3)),
        ] {
            all.push(Evidence::Reconcile(Reconciled {
                settled,
                human,
                open: vec![7],
                mirror: mirror.clone(),
            }));
        }
    }
    for branch in [None, Some(oid('b')), Some(oid('d'))] {
        all.push(Evidence::Trigger(BeforeTrigger {
            branch: branch.clone(),
            newest_comment: 1,
            newest_status: 1,
        }));
        for verdict in [
            Verdict::Pending { url: None },
            Verdict::Pending { url: Some("u".into()) },
            Verdict::Green { url: "u".into() },
            Verdict::Red { url: "u".into() },
        ] {
            all.push(Evidence::Wait(WaitSeen::Reading { verdict, branch: branch.clone() }));
        }
    }
    let answers = [
        AgentAnswer::Repaired { summary: "s".into() },
        stale_answer(),
        AgentAnswer::Broken { summary: "s".into() },
        AgentAnswer::Infra { summary: "s".into() },
        AgentAnswer::GiveUp { summary: "s".into() },
    ];
    all.extend([TurnSeen::NoAgent, TurnSeen::NotStarted, TurnSeen::Running].map(Evidence::Turn));
    all.extend(answers.map(|answer| Evidence::Turn(TurnSeen::Over(answer))));
    for work in [WorkSeen::Nothing, WorkSeen::Refused("no".into()), WorkSeen::Commit(oid('e'))] {
        all.push(Evidence::Work(work.clone()));
        all.push(Evidence::Test(TestSeen::Work(work)));
    }
    for job in &jobs {
        all.push(Evidence::Environment(job.clone()));
        all.push(Evidence::Test(TestSeen::Verify(job.clone())));
        for check in &jobs {
            all.push(Evidence::Teardown { command: job.clone(), check: check.clone() });
        }
    }
    all
}

fn step(
    recipe: &Recipe,
    evidence: &Evidence,
    with_tests: bool,
    now: UnixTime,
) -> Option<(Recipe, Vec<Effect>)> {
    match next(recipe, evidence, &policy(with_tests), now).unwrap() {
        Next::Stay => None,
        Next::Go(to, effects) => Some((*to, effects)),
        Next::Halt(to, _) => Some((*to, vec![])),
    }
}

#[test]
fn every_evidence_at_every_step_is_decided_and_keeps_the_rules() {
    let mut decided = 0;
    for from in Step::VARIANTS.iter().copied() {
        for trials in 0..=3 {
            for with_tests in [false, true] {
                for seen in evidence() {
                    let recipe = at(from, trials);
                    for now in [NOW, NOW.plus(7200)] {
                        let Ok(next) = next(&recipe, &seen, &policy(with_tests), now) else { continue };
                        decided += 1;
                        rules(&recipe, &seen, &next, with_tests);
                    }
                }
            }
        }
    }
    assert!(decided > 1000, "{decided}");
}

fn rules(recipe: &Recipe, seen: &Evidence, next: &Next, with_tests: bool) {
    let (to, effects) = match next {
        Next::Stay => return,
        Next::Go(to, effects) => (to, effects.as_slice()),
        Next::Halt(to, _) => (to, [].as_slice()),
    };
    let context = format!("{:?} {seen:?} -> {:?} {effects:?}", recipe.step, to.step);
    assert!(to.trials.len() <= 3, "three triggers at most: {context}");
    let triggers = effects.iter().filter(|e| matches!(e, Effect::Trigger { .. })).count();
    assert_eq!(to.trials.len(), recipe.trials.len() + triggers, "each trigger is a counted trial: {context}");
    assert!(to.trials.iter().zip(1..).all(|(t, n)| t.number == n), "{context}");
    // Only a green verdict of CI, or of the command that tests both together, is a success; never an agent's word.
    let fresh = recipe.ending.is_none();
    if fresh && to.ending == Some(Ending::Success) {
        assert!(
            matches!(seen, Evidence::Wait(WaitSeen::Reading { verdict: Verdict::Green { .. }, .. })),
            "{context}"
        );
    }
    if fresh && to.ending == Some(Ending::SuccessTestPr) {
        assert_eq!(seen, &Evidence::Test(TestSeen::Verify(JobSeen::Good)), "{context}");
    }
    if fresh && to.ending == Some(Ending::SuccessPendingTests) {
        assert!(seen == &Evidence::StaleChecked(None) && !with_tests, "{context}");
        assert!(effects.contains(&Effect::SayStale), "{context}");
    }
    // What was triggered is taken down before it is over, unless its teardown failed and the batch halts.
    if to.step == Step::Done && recipe.step != Step::Teardown {
        assert!(to.trials.is_empty() && to.ending.is_some(), "{context}");
    }
    if to.step == Step::Teardown {
        assert!(to.ending.is_some() || recipe.step == Step::Teardown, "{context}");
    }
    if matches!(next, Next::Halt(..)) {
        assert_eq!(recipe.step, Step::Teardown, "{context}");
    }
    // A force is never without a backup right before it, and always with what was seen.
    if let Some(place) = effects.iter().position(|e| matches!(e, Effect::SyncMirror { force: true, .. })) {
        assert!(matches!(effects[place], Effect::SyncMirror { seen: Some(_), .. }), "{context}");
        assert!(matches!(effects[place - 1], Effect::Backup { .. }), "{context}");
    }
    // Nothing of a person's branch is written over.
    for effect in effects {
        if let Effect::Push { expected, .. } = effect {
            assert_eq!(expected.is_some(), recipe.step == Step::Repair, "{context}");
        }
    }
    let keys: std::collections::BTreeSet<String> = effects.iter().map(Effect::key).collect();
    assert_eq!(keys.len(), effects.len(), "{context}");
}

#[test]
fn steps_take_only_their_own_evidence() {
    let illegal = |step: Step, seen: Evidence| {
        assert_eq!(next(&at(step, 1), &seen, &policy(false), NOW), Err(Illegal { step }));
    };
    illegal(Step::Done, Evidence::Pushed);
    illegal(Step::Wait, Evidence::Turn(TurnSeen::Over(AgentAnswer::Repaired { summary: String::new() })));
    illegal(
        Step::Teardown,
        Evidence::Wait(WaitSeen::Reading { verdict: Verdict::Green { url: "u".into() }, branch: None }),
    );
    illegal(Step::Queued, Evidence::Scan(Scanned::UpToDate));
}

#[test]
fn the_good_way() {
    let mut recipe = at(Step::Queued, 0);
    let mut told = vec![];
    let reading = |verdict| Evidence::Wait(WaitSeen::Reading { verdict, branch: Some(oid('b')) });
    let down = |command: JobSeen, check: JobSeen| Evidence::Teardown { command, check };
    for seen in [
        Evidence::Environment(JobSeen::NotStarted),
        Evidence::Environment(JobSeen::Good),
        Evidence::Reconcile(Reconciled {
            settled: vec![(3, Settled::MergedUpstream)],
            human: None,
            open: vec![],
            mirror: Mirror::Behind { seen: Some(oid('c')), upstream: oid('a') },
        }),
        Evidence::Reconcile(Reconciled {
            settled: vec![],
            human: None,
            open: vec![4],
            mirror: Mirror::Behind { seen: Some(oid('c')), upstream: oid('a') },
        }),
        Evidence::Reconcile(Reconciled {
            settled: vec![],
            human: None,
            open: vec![4],
            mirror: Mirror::Equal(oid('a')),
        }),
        Evidence::Scan(Scanned::Plan(plan())),
        Evidence::Pushed,
        Evidence::Opened,
        Evidence::Trigger(BeforeTrigger { branch: Some(oid('b')), newest_comment: 9, newest_status: 2 }),
        reading(Verdict::Pending { url: Some("u".into()) }),
        reading(Verdict::Green { url: "u".into() }),
        down(JobSeen::NotStarted, JobSeen::NotStarted),
        down(JobSeen::Good, JobSeen::NotStarted),
        down(JobSeen::Good, JobSeen::Good),
    ] {
        let (to, effects) = step(&recipe, &seen, false, NOW).unwrap();
        told.extend(effects.iter().map(Effect::key));
        recipe = to;
    }
    assert_eq!(recipe.step, Step::Done);
    assert_eq!(recipe.ending.unwrap().line(), "RESULT: SUCCESS");
    let (a, b) = (oid('a'), oid('b'));
    assert_eq!(
        told,
        [
            "check".to_owned(),
            "settle-3".to_owned(),
            format!("sync-{a}"),
            format!("push-{b}"),
            "open".to_owned(),
            "supersede-4".to_owned(),
            "trigger-1".to_owned(),
            "trial-1".to_owned(),
            "teardown".to_owned(),
            "teardown-check".to_owned()
        ]
    );
}

#[test]
fn three_reds_end_it_with_the_exact_line() {
    let mut recipe = at(Step::Trigger, 0);
    let mut heads = "bcdef".chars().map(oid);
    let mut triggers = 0;
    recipe.head = heads.next();
    for _ in 0..20 {
        let head = recipe.head.clone();
        let seen = match recipe.step {
            Step::Trigger => {
                Evidence::Trigger(BeforeTrigger { branch: head, newest_comment: 1, newest_status: 1 })
            }
            Step::Wait => {
                Evidence::Wait(WaitSeen::Reading { verdict: Verdict::Red { url: "u".into() }, branch: head })
            }
            Step::Triage => Evidence::Turn(TurnSeen::Over(AgentAnswer::Repaired { summary: "s".into() })),
            Step::Repair => Evidence::Work(WorkSeen::Commit(heads.next().unwrap())),
            Step::Queued
            | Step::Reconcile
            | Step::Scan
            | Step::Planned
            | Step::PrOpen
            | Step::Stale
            | Step::TestPr
            | Step::Teardown
            | Step::Done => break,
        };
        let (to, effects) = step(&recipe, &seen, false, NOW).unwrap();
        triggers += effects.iter().filter(|e| matches!(e, Effect::Trigger { .. })).count();
        recipe = to;
    }
    assert_eq!((triggers, recipe.step), (3, Step::Teardown));
    assert_eq!(recipe.ending.unwrap().line(), "RESULT: FAILED — upgrade not green after 3 !testme runs");
}

#[test]
fn red_without_an_agent_says_so_exactly() {
    let (to, _) = step(&at(Step::Triage, 1), &Evidence::Turn(TurnSeen::NoAgent), false, NOW).unwrap();
    assert_eq!(to.ending.unwrap().line(), "RESULT: FAILED — red, no repair command (1 of 3 runs used)");
    let moved = Evidence::Wait(WaitSeen::Reading {
        verdict: Verdict::Green { url: "u".into() },
        branch: Some(oid('d')),
    });
    let (to, _) = step(&at(Step::Wait, 2), &moved, false, NOW).unwrap();
    assert!(to.trials[1].void && to.trials.len() == 2, "the trial is void, and counted");
    assert_eq!(to.ending.unwrap().line(), "SKIPPED — human commits");
}

/// Under evidence that does not change, time alone leads every step to its end, or it waits for a job that has a limit of
/// its own.
#[test]
fn nothing_waits_for_ever() {
    for from in Step::VARIANTS.iter().copied().filter(|s| *s != Step::Done) {
        for trials in 0..=3 {
            for seen in evidence() {
                let recipe = at(from, trials);
                let bounded = matches!(
                    &seen,
                    Evidence::Environment(JobSeen::Running)
                        | Evidence::Turn(TurnSeen::Running)
                        | Evidence::Test(TestSeen::Verify(JobSeen::Running))
                        | Evidence::Teardown { command: JobSeen::Running, .. }
                        | Evidence::Teardown { check: JobSeen::Running, .. }
                );
                if bounded {
                    continue;
                }
                assert_ne!(
                    next(&recipe, &seen, &policy(true), NOW.plus(7200)),
                    Ok(Next::Stay),
                    "{from:?} {seen:?}"
                );
            }
        }
    }
}

#[test]
fn stale_tests_are_believed_only_with_everything_explained() {
    let AgentAnswer::Stale { tests, .. } = stale_answer() else { panic!() };
    let mut trial = trial(1);
    trial.mark.url = Some("u".into());
    let failures = vec!["a".to_owned()];
    let here = |_: &str| true;
    assert_eq!(doubt_stale(&tests, &failures, &trial, Some("t"), &here), None);
    let doubt = |tests: &[StaleTest], failures: &[String], repo: Option<&str>, exists: bool| {
        doubt_stale(tests, failures, &trial, repo, &|_| exists).unwrap()
    };
    assert!(doubt(&tests, &failures, None, true).contains("no repository"));
    assert!(doubt(&[], &failures, Some("t"), true).contains("no test is named"));
    assert!(doubt(&tests, &failures, Some("t"), false).contains("no such file"));
    assert!(doubt(&tests, &failures, Some("x"), true).contains("another repository"));
    assert!(doubt(&tests, &[], Some("t"), true).contains("not listed"));
    assert!(doubt(&tests, &["a".into(), "b".into()], Some("t"), true).contains("b failed as well"));
    let mut other = tests.clone();
    other[0].build_url = "v".into();
    assert!(doubt(&other, &failures, Some("t"), true).contains("not this red trial's"));
    other = tests;
    other[0].why = " ".into();
    assert!(doubt(&other, &failures, Some("t"), true).contains("why it is stale"));
}

fn batch(state: BatchState) -> Batch {
    Batch {
        id: 1,
        state,
        with_tests: false,
        scheduled: false,
        started_at: NOW,
        progress_at: NOW,
        backoff_until: None,
        ended_at: None,
        halted: None,
    }
}

#[test]
fn where_a_batch_stands_and_what_start_does() {
    let stands =
        |batch: Option<&Batch>, working: Working, after: i64| standing(batch, working, 7200, NOW.plus(after));
    let active = batch(BatchState::Active);
    let waiting = Working { waiting: true, ..Working::default() };
    let orphan = Working { turn_orphaned: true, ..Working::default() };
    let runs = Working { job_runs: true, ..Working::default() };
    let none = Working::default();
    for (batch, working, after, wanted) in [
        (None, none, 0, Standing::Idle),
        (Some(&batch(BatchState::Done)), none, 0, Standing::Idle),
        (Some(&batch(BatchState::Aborted)), none, 0, Standing::Idle),
        (Some(&batch(BatchState::Stopped)), none, 0, Standing::Stopped),
        (Some(&active), none, 7199, Standing::Running),
        (Some(&active), none, 7200, Standing::Wedged),
        (Some(&active), waiting, 7200, Standing::Running),
        (Some(&active), runs, 90_000, Standing::Running),
        (Some(&active), orphan, 0, Standing::Wedged),
        (
            Some(&Batch { backoff_until: Some(NOW.plus(8000)), ..active.clone() }),
            none,
            7200,
            Standing::Running,
        ),
        (
            Some(&Batch { backoff_until: Some(NOW.plus(7200)), ..active.clone() }),
            none,
            7200,
            Standing::Wedged,
        ),
    ] {
        assert_eq!(stands(batch, working, after), wanted, "{batch:?} {working:?} {after}");
    }
    assert_eq!(on_start(Standing::Running, true, false), Start::Leave);
    assert_eq!(on_start(Standing::Running, true, true), Start::AbortAndBegin);
    assert_eq!(on_start(Standing::Wedged, true, false), Start::AbortAndBegin);
    assert_eq!(on_start(Standing::Idle, false, false), Start::Begin);
    assert_eq!(on_start(Standing::Stopped, false, true), Start::Begin);
}

#[test]
fn codes_come_back() {
    for step in Step::VARIANTS.iter().copied() {
        assert_eq!(step.code().parse(), Ok(step));
    }
    for ending in [
        Ending::Success,
        Ending::SuccessPendingTests,
        Ending::SuccessTestPr,
        Ending::NotGreen,
        Ending::Failed("a".into()),
        Ending::Skipped("b".into()),
        Ending::UpToDate,
        Ending::Held("c".into()),
        Ending::Unreadable("d".into()),
    ] {
        assert_eq!(Ending::parse(ending.code(), ending.detail()), Some(ending));
    }
}

proptest::proptest! {
    /// Whatever comes in whatever order: three triggers at most, and no step is left without being told why.
    #[test]
    fn any_sequence_keeps_the_rules(picks in proptest::collection::vec(0usize..400, 1..60), with_tests: bool) {
        let all = evidence();
        let mut recipe = at(Step::Queued, 0);
        let mut triggers = 0;
        for pick in picks {
            if let Ok(Next::Go(to, effects)) = next(&recipe, &all[pick % all.len()], &policy(with_tests), NOW) {
                triggers += effects.iter().filter(|e| matches!(e, Effect::Trigger { .. })).count();
                recipe = *to;
            }
        }
        assert!(triggers <= 3);
        assert!(recipe.step != Step::Done || recipe.ending.is_some());
    }
}
