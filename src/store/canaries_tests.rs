use strum::VariantArray as _;

use std::path::Path;
use std::sync::Barrier;
use std::thread;

use super::*;
use crate::domain::effect::NoticeKind;
use crate::domain::template::State;
use crate::ports::TemplateContent;

const NOW: UnixTime = UnixTime(1_772_409_600);

fn open(dir: &Path) -> Store {
    Store::open(&dir.join("state.db"), "m", "fresh", NOW).unwrap()
}

fn content(body: &str) -> TemplateContent {
    TemplateContent { body: body.to_owned(), hash: format!("hash of {body}") }
}

/// Version 2 is the canary beside version 1.
fn begun(store: &mut Store) -> CanaryRow {
    let mut add = |body| store.add_template("t", &content(body), "a file", State::Champion, NOW).unwrap().0;
    let (one, two) = (add("one"), add("two"));
    let params =
        Params { alpha_rollback: 0.05, alpha_graduate: 0.1, margin: 0.15, min_canary: 5, max_canary: 100 };
    let canary = store.start_canary(&two, &one, 0.2, params, NOW).unwrap().unwrap();
    assert_eq!(store.start_canary(&two, &one, 0.2, params, NOW).unwrap(), None, "a second one is refused");
    canary
}

fn end(store: &mut Store, canary: &CanaryRow, verdict: Verdict) -> bool {
    let notice = Notice {
        key: format!("canary:{}:{}", canary.id, verdict.code()),
        kind: NoticeKind::Graduated,
        title: "title".to_owned(),
        body: "body".to_owned(),
        link: None,
        topic: None,
        possible_repeat: false,
    };
    let notifiers = ["phone".to_owned()];
    store.end_canary(canary, verdict, "why", Some((&notifiers, &notice)), NOW).unwrap()
}

fn states(store: &Store) -> Vec<State> {
    store.templates(Some("t")).unwrap().iter().map(|t| t.state).collect()
}

fn count(store: &Store, query: &str) -> i64 {
    store.conn.query_row(query, [], |row| row.get(0)).unwrap()
}

/// Below the lock of the ticks: two connections that never heard of each other.
#[test]
fn two_connections_race_and_one_decides() {
    for verdicts in [
        [Verdict::RolledBack, Verdict::RolledBack],
        [Verdict::Graduated, Verdict::Graduated],
        [Verdict::Inconclusive, Verdict::Inconclusive],
        [Verdict::Graduated, Verdict::RolledBack],
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let canary = begun(&mut store);
        let barrier = Barrier::new(2);
        let won: Vec<(Verdict, bool)> = thread::scope(|scope| {
            let racers = verdicts.map(|verdict| {
                let (barrier, canary, dir) = (&barrier, &canary, dir.path());
                scope.spawn(move || {
                    let mut store = open(dir);
                    barrier.wait();
                    (verdict, end(&mut store, canary, verdict))
                })
            });
            racers.map(|r| r.join().unwrap()).to_vec()
        });
        let winners: Vec<Verdict> = won.iter().filter(|(_, first)| *first).map(|(v, _)| *v).collect();
        assert_eq!(winners.len(), 1, "{won:?}");
        for verdict in Verdict::VARIANTS.iter().copied() {
            assert!(!end(&mut store, &canary, verdict), "a second attempt changes nothing");
        }
        let left = match winners[0] {
            Verdict::Graduated => [State::Retired, State::Champion],
            Verdict::RolledBack => [State::Champion, State::Rejected],
            Verdict::Inconclusive => [State::Champion, State::Candidate],
        };
        assert_eq!(states(&store), left);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM events WHERE key = 'canary:c1:ended'"), 1);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM events WHERE key LIKE 'canary:%'"), 2);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox"), 1);
        assert_eq!(store.canaries(None).unwrap()[0].verdict, Some(winners[0]));
        assert_eq!(store.live_canary("t").unwrap(), None);
    }
}

#[test]
fn two_connections_begin_one_canary() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut add = |body| store.add_template("t", &content(body), "a file", State::Champion, NOW).unwrap().0;
    let (one, two, three) = (add("one"), add("two"), add("three"));
    let barrier = Barrier::new(2);
    let began = thread::scope(|scope| {
        let racers = [&two, &three].map(|version| {
            let (barrier, one, dir) = (&barrier, &one, dir.path());
            scope.spawn(move || {
                let mut store = open(dir);
                let params = Params {
                    alpha_rollback: 0.05,
                    alpha_graduate: 0.1,
                    margin: 0.15,
                    min_canary: 5,
                    max_canary: 100,
                };
                barrier.wait();
                store.start_canary(version, one, 0.2, params, NOW).unwrap().is_some()
            })
        });
        racers.map(|r| r.join().unwrap())
    });
    assert_eq!(began.iter().filter(|b| **b).count(), 1);
    assert_eq!(store.live_canaries().unwrap().len(), 1);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM events WHERE kind = 'canary_started'"), 1);
}

#[test]
fn a_version_never_changes_its_text() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    begun(&mut store);
    let changed = store.conn.execute("UPDATE templates SET body = 'other' WHERE version = 1", []);
    assert!(changed.unwrap_err().to_string().contains("never changes"));
    let again = store.add_template("t", &content("two"), "elsewhere", State::Champion, NOW).unwrap();
    assert_eq!((again.0.version, again.1, again.0.state), (2, false, State::Canary));
    let other = store.add_template("u", &content("two"), "elsewhere", State::Candidate, NOW).unwrap();
    assert_eq!((other.0.version, other.1), (1, true), "another name is another template");
}
