use super::agent::told;
use super::end::{end_comment, notice_body, notice_title};
use super::progress::body;
use super::receipt::receipt;
use super::*;
use crate::domain::model::{CheckState, Freeze, HandBack, IssueRef, Landing, Oid, Outcome, RepoId, UnixTime};
use crate::domain::receipt::{Cost, ReceiptFacts, Reported, Verified};
use crate::domain::run::{Failure, Phase, Run, ToAgent};

fn oid(digit: &str) -> Oid {
    Oid::parse(&digit.repeat(40)).unwrap()
}

fn run() -> Run {
    let issue = IssueRef { repo: RepoId::parse("home:o/r", None).unwrap(), number: 7 };
    Run {
        asked_by: "ada".into(),
        phase: Phase::Active,
        landing: Landing::Push,
        wait: None,
        ..Run::begin("r1".into(), issue, "main", &oid("b"), UnixTime(0))
    }
}

#[test]
fn a_long_log_keeps_its_end() {
    let log = format!("{}the last line", "noise\n".repeat(50_000));
    let told = told(&ToAgent::Failed(Failure {
        checks: vec!["unit".into()],
        fingerprint: String::new(),
        log_tail: log,
    }));
    assert!(told.contains("the last line") && told.chars().count() < 31_000);
}

#[test]
fn our_mark_is_the_first_line_and_nobody_forges_it() {
    let forged = marker("r1", "progress");
    let evil = Run {
        asked_by: forged.clone(),
        last_fix: Some(Failure {
            checks: vec![forged.clone()],
            fingerprint: String::new(),
            log_tail: forged.clone(),
        }),
        ..run()
    };
    let facts = ReceiptFacts {
        title: "A title".into(),
        checks: vec![Reported { name: forged.clone(), state: CheckState::Green }],
        template: forged.clone(),
        ..ReceiptFacts::default()
    };
    let mut texts = vec![(receipt(&evil, &facts, &forged), "end")];
    texts.extend(Outcome::all().map(|o| (end_comment(&evil, o, &forged), "end")));
    texts.push((body(&evil), "progress"));
    for (text, what) in texts {
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(first, marker("r1", what));
        // Beyond the first line it stands only inside the fence around a log.
        let outside = rest.split("```").step_by(2).collect::<String>();
        assert!(!outside.contains("<!--"), "{outside}");
    }
}

#[test]
fn an_end_mentions_the_one_who_asked_and_nobody_else() {
    for outcome in Outcome::all() {
        let text = end_comment(&run(), outcome, "ask @bob and @team/all");
        let named: Vec<&str> = text.match_indices('@').map(|(at, _)| &text[at..]).collect();
        assert_eq!(named.iter().filter(|n| !n.starts_with("@\u{2060}")).count(), 1, "{text}");
        assert!(text.contains("\n@ada "), "{text}");
    }
    for name in ["", "Ada Lovelace", "dependabot[bot]", "o/team", "a@b", "x\u{202e}y"] {
        let text = end_comment(&Run { asked_by: name.into(), ..run() }, Outcome::Stopped, "");
        assert!(!text.contains('@'), "{text}");
    }
}

#[test]
fn every_outcome_says_what_to_do() {
    for outcome in Outcome::all() {
        let words = what_to_do(&outcome);
        assert!(words.ends_with('.') && words.len() > 20, "{outcome:?}: {words}");
        assert_eq!(Outcome::parse(outcome.code()), Some(outcome));
        assert!(notice_body(&run(), outcome, "").contains(words));
        assert!(notice_title(&run(), outcome).starts_with("o/r#7: "));
    }
}

#[test]
fn a_receipt() {
    let landed = Run { pushed: Some(oid("a")), turns: 2, fix_forward: 1, ..run() };
    let facts = ReceiptFacts {
        title: "A title".into(),
        checks: ["build", "a|b"]
            .map(|name| Reported { name: name.into(), state: CheckState::Green })
            .to_vec(),
        verify: Verified::Green,
        cost: Cost { known_usd: 1.2, unknown: false },
        template: "implementer-1".into(),
        on_target: true,
        none_required: false,
        lessons: vec![3, 7],
        turn_ends: vec!["timed-out".into(), "finished".into()],
    };
    insta::assert_snapshot!(receipt(&landed, &facts, ""), @r#"
        <!-- offhours:r1:end -->
        @ada landed.

        | | |
        |---|---|
        | base | bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb |
        | head | aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa |
        | branch | main |
        | checks | build: green, a\|b: green |
        | verify | green |
        | cost | $1.20 |
        | turns | 2 (1 fix-forward): timed-out, finished |
        | template | `implementer-1` |
        | lessons given | 3, 7 |
        | on the target | yes, seen after the push |
        "#);
    let none = ReceiptFacts { none_required: true, ..ReceiptFacts::default() };
    assert!(receipt(&landed, &none, "").contains("| checks | none (the config says that none are needed) |"));
    let nothing = ReceiptFacts::default();
    assert!(receipt(&landed, &nothing, "").contains("| turns | 2 (1 fix-forward) |\n"));
    assert!(receipt(&landed, &nothing, "").contains("| checks | none |\n"));
    assert!(receipt(&landed, &nothing, "").contains("| lessons given | none |\n"));
    assert!(receipt(&landed, &nothing, "").contains("| on the target | not seen yet |"));
}

#[test]
fn progress() {
    let show = |run: &Run| {
        let body = body(run);
        let marks: Vec<&str> = body.lines().filter_map(|l| l.strip_prefix("- ")).collect();
        format!("{}{}", marks.join(" "), if body.contains("Ended: `") { " ended" } else { "" })
    };
    let begun = run();
    let pushed = Run { pushed: Some(oid("a")), ..run() };
    let done = Run { phase: Phase::Ending, outcome: Some(Outcome::Landed), ..pushed.clone() };
    let back =
        Run { phase: Phase::Ending, outcome: Some(Outcome::HandedBack(HandBack::NothingDone)), ..run() };
    insta::assert_snapshot!(
        [show(&begun), show(&pushed), show(&done), show(&back)].join("\n"), @r#"
        [x] worktree [~] tests red [ ] green [ ] pushed [ ] CI [ ] done
        [x] worktree [x] tests red [x] green [x] pushed [~] CI [ ] done
        [x] worktree [x] tests red [x] green [x] pushed [x] CI [x] done
        [x] worktree [ ] tests red [ ] green [ ] pushed [ ] CI [ ] done ended
        "#);
    insta::assert_snapshot!(body(&begun), @r#"
        <!-- offhours:r1:progress -->
        **offhours** works on this issue: run `r1`.

        - [x] worktree
        - [~] tests red
        - [ ] green
        - [ ] pushed
        - [ ] CI
        - [ ] done

        Asked for by ada. Log: `offhours run log r1`. To stop it: take the ready label away, or `offhours run stop r1`. To take it over: stop it; the work is kept and linked here.
        "#);
}

#[test]
fn a_frozen_end() {
    let frozen = Run {
        last_fix: Some(Failure {
            checks: vec!["unit".into()],
            fingerprint: String::new(),
            log_tail: "assert failed\n".into(),
        }),
        ..run()
    };
    let text = end_comment(&frozen, Outcome::Frozen(Freeze::TurnsUsed), "unit is red");
    insta::assert_snapshot!(text, @"
    <!-- offhours:r1:end -->
    @ada frozen (`fix-turns-used`) after 1 turn.

    unit is red

    Last failure (unit):

    ```text
    assert failed
    ```

    Branch and workspace are kept as they are; apply the ready label again for another attempt. Where the work is on the default branch, nothing more starts in this repo until that is green or `offhours resume REPO` clears it.
    ");
}
