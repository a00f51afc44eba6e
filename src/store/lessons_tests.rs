//! The journal against the real database: what it costs, and what it does not do twice.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::trace::TraceEventCodes;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::events::NEWS;
use super::learning::{BESIDE, STALE, to_give_query};
use super::lessons::{ALIKE, SEARCH};
use super::migrations::MIGRATIONS;
use super::*;
use crate::domain::lesson::{Given, Rules, Status};

const NOW: UnixTime = UnixTime(1_772_409_600);
const RULES: Rules =
    Rules { enabled: true, in_prompts: true, window_seconds: 3600, expire_seconds: 90 * 86_400 };

fn open() -> (TempDir, Store) {
    let dir = tempfile::Builder::new().prefix("offhours-lessons-").tempdir().unwrap();
    let store = Store::open(&dir.path().join("state.db"), "m", "fresh", NOW).unwrap();
    (dir, store)
}

/// As many lessons as that, over ten repos, in one statement: a minute apart, the newest now.
fn seed(store: &Store, many: i64) {
    store
        .conn
        .execute(
            "INSERT INTO lessons (created_at, lesson_type, work_item_id, stage, repo, root_cause, status, source, occurrences, \
             last_seen_at, untrusted) \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
             SELECT ?2 - i * 60, CASE i % 3 WHEN 0 THEN 'gate_failure' WHEN 1 THEN 'frozen' ELSE 'handed_back' END, \
             'home:me/r' || (i % 10) || '#' || (i % 50), 'verify', 'home:me/r' || (i % 10), 'cause ' || i, \
             CASE i % 2 WHEN 0 THEN 'new' ELSE 'closed' END, 'auto', 1 + i % 7, ?2 - i * 60, i % 5 = 0 FROM n",
            [many, NOW.0],
        )
        .unwrap();
}

fn red_event(store: &mut Store, key: &str, at: i64) {
    let data =
        r#"{"detail":"","turns":1,"agent":"a","red":{"stage":"verify","later":false,"checks":["verify"]}}"#;
    put(store, key, NOW.plus(at), "fix-forward", Some("home:me/r1"), Some(777), data);
}

/// An event as it stands in the file, of whatever version wrote it.
fn put(
    store: &Store,
    key: &str,
    at: UnixTime,
    kind: &str,
    repo: Option<&str>,
    number: Option<u64>,
    data: &str,
) {
    store
        .conn
        .execute(
            "INSERT INTO events (key, at, kind, repo, number, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![key, at.0, kind, repo, number.map(to_i64), data],
        )
        .unwrap();
}

thread_local! {
    static STATEMENTS: Cell<u64> = const { Cell::new(0) };
}

/// Statements that were run, and steps that the database took for them.
fn cost(store: &mut Store, work: impl Fn(&mut Store)) -> (u64, u64) {
    // Once before, so that nothing is prepared or read for the first time.
    work(store);
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    store.conn.progress_handler(
        1,
        Some(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        }),
    );
    STATEMENTS.set(0);
    let each = TraceEventCodes::SQLITE_TRACE_STMT;
    store.conn.trace_v2(each, Some(|_| STATEMENTS.set(STATEMENTS.get() + 1)));
    work(store);
    store.conn.trace_v2(each, None);
    store.conn.progress_handler(1, None::<fn() -> bool>);
    (STATEMENTS.get(), steps.load(Ordering::Relaxed))
}

#[test]
fn a_hundred_thousand_lessons_cost_what_a_hundred_cost() {
    type Work = (&'static str, fn(&mut Store));
    let works: [Work; 8] = [
        ("a quiet tick", |store| {
            assert_eq!(store.learn(&RULES, 500).unwrap(), Learned::default());
            assert_eq!(store.expire_lessons(&RULES, NOW).unwrap(), 0);
        }),
        ("a tick with news", |store| {
            let key = format!("k{}", STATEMENTS.get());
            let last: i64 = store
                .conn
                .query_row("SELECT COALESCE(MAX(id), 0) FROM events", [], |row| row.get(0))
                .unwrap();
            red_event(store, &format!("{key}-{last}"), 7200 * last);
            assert_eq!(store.learn(&RULES, 500).unwrap().new.len(), 1);
        }),
        ("list --limit 20", |store| {
            assert_eq!(store.lessons(&LessonFilter::default(), None, 20).unwrap().len(), 20);
        }),
        ("list --type", |store| {
            let filter = LessonFilter { lesson_type: Some("frozen".to_owned()), ..LessonFilter::default() };
            assert_eq!(store.lessons(&filter, None, 20).unwrap().len(), 20);
        }),
        ("list --status", |store| {
            let filter = LessonFilter { status: Some(Status::Closed), ..LessonFilter::default() };
            assert_eq!(store.lessons(&filter, None, 20).unwrap().len(), 20);
        }),
        ("list --repo", |store| {
            let filter = LessonFilter { repo: Some("home:me/r3".to_owned()), ..LessonFilter::default() };
            assert!(store.lessons(&filter, None, 10).unwrap().len() == 10);
        }),
        ("list --work-item", |store| {
            let filter =
                LessonFilter { work_item_id: Some("home:me/r3#3".to_owned()), ..LessonFilter::default() };
            assert_eq!(store.lessons(&filter, None, 2).unwrap().len(), 2);
        }),
        ("what a run is given", |store| {
            assert!(!store.lessons_to_give("home:me/r4", &RULES, NOW, 5).unwrap().is_empty());
        }),
    ];
    let measured: Vec<Vec<(u64, u64)>> = [100, 100_000]
        .into_iter()
        .map(|many| {
            let mut store = Store::open_copy(Path::new("/nonexistent/state.db"), NOW).unwrap();
            seed(&store, many);
            works.iter().map(|(_, work)| cost(&mut store, work)).collect()
        })
        .collect();
    for (at, (name, _)) in works.iter().enumerate() {
        let ((few_statements, few), (many_statements, many)) = (measured[0][at], measured[1][at]);
        assert_eq!(few_statements, many_statements, "{name}: statements");
        // Trees are a level or two deeper, and the search of words merges now and then; no row is walked past.
        assert!(many <= few + 20, "{name}: {few} steps over 100 lessons, {many} over 100,000");
    }
}

fn plan(conn: &Connection, query: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let many = statement.parameter_count();
    let values = vec![rusqlite::types::Value::Null; many];
    let rows =
        statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_query_goes_by_an_index_and_sorts_nothing() {
    let (_dir, store) = open();
    let named = |lesson_type: bool, status: bool, repo: bool, item: bool| LessonFilter {
        lesson_type: lesson_type.then(|| "frozen".to_owned()),
        status: status.then_some(Status::New),
        repo: repo.then(|| "r".to_owned()),
        work_item_id: item.then(|| "w".to_owned()),
    };
    let mut queries = vec![NEWS.to_owned(), ALIKE.to_owned(), STALE.to_owned(), to_give_query()];
    for bits in 0..16_u8 {
        let filter = named(bits & 1 > 0, bits & 2 > 0, bits & 4 > 0, bits & 8 > 0);
        queries.push(filter.query(None, 20).0);
        queries.push(filter.query(Some((NOW, 7)), 20).0);
    }
    for query in queries {
        let plan = plan(&store.conn, &query);
        let by_time = plan == "SCAN lessons USING INDEX lessons_by_time";
        assert!(plan.starts_with("SEARCH ") || by_time, "{plan}\n  {query}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}\n  {query}");
    }
    let plan = |query: &str| plan(&store.conn, query);
    assert!(plan(&to_give_query()).contains("lessons_to_give"), "{}", plan(&to_give_query()));
    assert!(plan(BESIDE).contains("given_by_repo"), "{}", plan(BESIDE));
    assert!(plan(ALIKE).contains("lessons_alike"), "{}", plan(ALIKE));
    assert!(plan(STALE).contains("lessons_to_expire"), "{}", plan(STALE));
    assert!(plan(SEARCH).contains("VIRTUAL TABLE INDEX"), "{}", plan(SEARCH));
    let counts = plan("SELECT lesson_type, status, COUNT(*) FROM lessons GROUP BY lesson_type, status");
    assert_eq!(counts, "SCAN lessons USING COVERING INDEX lessons_counted");
}

#[test]
fn the_migration_may_be_applied_over_itself() {
    let (_dir, mut store) = open();
    seed(&store, 30);
    red_event(&mut store, "k", 0);
    store.learn(&RULES, 10).unwrap();
    let dump = |store: &Store| {
        let all = store.lessons(&LessonFilter::default(), None, 100).unwrap();
        let schema: Vec<String> = {
            let mut rows = store
                .conn
                .prepare("SELECT name || COALESCE(sql, '') FROM sqlite_master ORDER BY name")
                .unwrap();
            rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        (
            all,
            schema,
            store.meta("lessons_cursor").unwrap(),
            store.search_lessons("cause", 100).unwrap().unwrap().len(),
        )
    };
    let before = dump(&store);
    let text = MIGRATIONS.iter().find(|m| m.contains("TABLE IF NOT EXISTS lessons")).unwrap();
    for _ in 0..2 {
        store.conn.execute_batch(text).unwrap();
        assert_eq!(dump(&store), before);
    }
    // Over what is left of it, too.
    store.conn.execute_batch("DROP TABLE lessons").unwrap();
    store.conn.execute_batch(text).unwrap();
    assert_eq!(store.search_lessons("cause", 100).unwrap().unwrap().len(), 0);
    seed(&store, 3);
    assert_eq!(store.search_lessons("cause", 100).unwrap().unwrap().len(), 3);
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

/// Two hosts cannot share a state file, but two ticks that meet below the lock can read the same events.
#[test]
fn events_are_learned_from_once() {
    let (dir, mut store) = open();
    red_event(&mut store, "a", 0);
    red_event(&mut store, "b", 60);
    let mut other = Store::open(&dir.path().join("state.db"), "m", "x", NOW).unwrap();
    assert_eq!(store.learn(&RULES, 500).unwrap().events, 2);
    assert_eq!(other.learn(&RULES, 500).unwrap().events, 0);
    let all = store.lessons(&LessonFilter::default(), None, 10).unwrap();
    assert_eq!((all.len(), all[0].occurrences, all[0].last_seen_at), (1, 2, NOW.plus(60)));
    assert_eq!((all[0].created_at, all[0].updated_at), (NOW, None));
}

#[test]
fn events_are_kept_until_they_were_read_and_while_it_is_on() {
    let (_dir, mut store) = open();
    let left = |store: &Store| {
        store.conn.execute("DELETE FROM events", []).unwrap();
        store.conn.query_row("SELECT COUNT(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    red_event(&mut store, "a", 0);
    red_event(&mut store, "b", 60);
    assert_eq!(left(&store), 2, "nobody has read them");
    store.learn(&RULES, 1).unwrap();
    assert_eq!(left(&store), 1, "one was read");
    store.lessons_are_off().unwrap();
    assert_eq!(left(&store), 0, "nobody is going to read it");
    red_event(&mut store, "c", 0);
    assert_eq!(store.lessons_are_on().unwrap(), Some(1));
    assert_eq!(store.lessons_are_on().unwrap(), None);
    assert_eq!(store.learn(&RULES, 10).unwrap().events, 0, "it skipped to now");
    red_event(&mut store, "d", 0);
    assert_eq!(store.learn(&RULES, 10).unwrap().events, 1);
}

/// Events that are about no issue: a canary's end, an upgrade's.
#[test]
fn an_event_without_an_issue_is_about_its_subject() {
    let (_dir, mut store) = open();
    for (kind, repo, data) in [
        (
            "rolled_back",
            None,
            r#"{"detail":"ln E 3.2","canary":"c1","template":"implementer","version":"implementer@2"}"#,
        ),
        ("graduated", None, r#"{"detail":"","version":"implementer@3"}"#),
        ("upgrade_failed", Some("home:me/recipes"), r#"{"detail":"not green","subject":"curl"}"#),
        ("rolled_back", None, "not JSON"),
    ] {
        put(&store, &format!("{kind}{}", data.len()), NOW, kind, repo, None, data);
    }
    store.learn(&RULES, 10).unwrap();
    let all = store.lessons(&LessonFilter::default(), None, 10).unwrap();
    let told: Vec<_> = all
        .iter()
        .rev()
        .map(|l| (l.lesson_type.as_str(), l.work_item_id.as_deref(), l.repo.as_deref(), l.untrusted))
        .collect();
    assert_eq!(
        told,
        [
            ("rolled_back", Some("implementer@2"), None, true),
            ("upgrade_failed", Some("curl"), Some("home:me/recipes"), true),
            ("rolled_back", None, None, false),
        ]
    );
}

#[test]
fn an_old_one_expires_and_is_given_again_once_approved() {
    let (_dir, mut store) = open();
    red_event(&mut store, "a", 0);
    store.learn(&RULES, 10).unwrap();
    let ids = |store: &Store, at: UnixTime| -> Vec<i64> {
        store.lessons_to_give("home:me/r1", &RULES, at, 5).unwrap().iter().map(|r| r.id).collect()
    };
    let (last, late) = (NOW.plus(RULES.expire_seconds - 1), NOW.plus(RULES.expire_seconds));
    assert_eq!(ids(&store, last), [1]);
    assert_eq!(ids(&store, late), Vec::<i64>::new(), "also where no tick has stamped it yet");
    assert_eq!(store.expire_lessons(&RULES, last).unwrap(), 0);
    assert_eq!(store.expire_lessons(&RULES, late.plus(5)).unwrap(), 1);
    assert_eq!(store.expire_lessons(&RULES, late.plus(5)).unwrap(), 0);
    let record = store.lesson(1).unwrap().unwrap();
    assert_eq!((record.expires_at, record.status, record.updated_at), (Some(late), Status::New, None));
    assert!(store.approve_lesson(1, late).unwrap());
    assert_eq!(ids(&store, late.plus(9)), [1]);
    assert_eq!(store.lesson(1).unwrap().unwrap().expires_at, None);
    let closed = LessonChange { status: Some(Status::Closed), ..LessonChange::default() };
    assert!(store.update_lesson(1, &closed, late).unwrap());
    assert_eq!(ids(&store, late.plus(9)), Vec::<i64>::new());
}

#[test]
fn a_run_is_given_what_was_chosen_first() {
    let (_dir, mut store) = open();
    assert_eq!(store.given("r1").unwrap(), None);
    let first = Given { ids: vec![5, 3], text: "told".to_owned() };
    store.give("r1", "home:me/app", &first, true, NOW).unwrap();
    store.give("r1", "home:me/app", &Given { ids: vec![9], text: "other".to_owned() }, true, NOW).unwrap();
    assert_eq!(store.given("r1").unwrap(), Some(first));
    store.give("r2", "home:me/app", &Given::default(), true, NOW).unwrap();
    assert_eq!(store.given("r2").unwrap(), Some(Given::default()), "chosen, and nothing was there");
}

/// While a canary lives both arms are told the same.
#[test]
fn both_arms_of_a_canary_are_given_the_same() {
    let (_dir, mut store) = open();
    store.conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    let route = |store: &Store, run: &str, arm: Option<&str>, canary: Option<&str>| {
        let values = rusqlite::params![run, arm, canary];
        store
            .conn
            .execute(
                "INSERT INTO routes (run, template, arm, canary, fraction) VALUES (?1, 1, ?2, ?3, 0.2)",
                values,
            )
            .unwrap();
    };
    route(&store, "r0", None, None);
    route(&store, "r1", Some("champion"), Some("c1"));
    route(&store, "r2", Some("canary"), Some("c1"));
    route(&store, "r3", Some("canary"), Some("c2"));
    route(&store, "r4", None, None);
    let set = |id: i64| Given { ids: vec![id], text: format!("told {id}") };
    store.give("r0", "home:me/app", &set(1), true, NOW).unwrap();
    assert_eq!(store.given_beside("r1", "home:me/app").unwrap(), None, "the first of its canary");
    store.give("r1", "home:me/app", &set(2), false, NOW.plus(1)).unwrap();
    assert_eq!(store.given("r1").unwrap(), Some(Given::default()), "its text had no place for it");
    assert_eq!(store.given_beside("r2", "home:me/app").unwrap(), Some(set(2)), "what was chosen counts");
    assert_eq!(store.given_beside("r2", "home:me/lib").unwrap(), None, "lessons are a repo's own");
    assert_eq!(store.given_beside("r3", "home:me/app").unwrap(), None, "another canary begins anew");
    assert_eq!(store.given_beside("r4", "home:me/app").unwrap(), None, "no canary lives");
    assert_eq!(store.given_beside("unknown", "home:me/app").unwrap(), None);
}

/// None of it is a query language, and nothing that people type is an error of the database.
#[test]
fn a_search_takes_words_as_they_are() {
    let (_dir, mut store) = open();
    let add = |store: &mut Store, detail: &str| {
        let change = LessonChange { detail: Some(detail.to_owned()), ..LessonChange::default() };
        store
            .add_lesson(&ByHand { lesson_type: "note".to_owned(), change, ..ByHand::default() }, NOW)
            .unwrap()
    };
    let tests = add(&mut store, "the integration tests are slow");
    let paths = add(&mut store, "src/main.rs: don't panic; OR else");
    let find = |text: &str| -> Option<Vec<i64>> {
        store.search_lessons(text, 10).unwrap().map(|found| found.iter().map(|r| r.id).collect())
    };
    assert_eq!(find("slow test"), Some(vec![tests]));
    assert_eq!(find("SLOW"), Some(vec![tests]));
    assert_eq!(find("slow panic"), Some(vec![]));
    assert_eq!(find("main.rs"), Some(vec![paths]));
    assert_eq!(find("OR"), Some(vec![paths]));
    assert_eq!(find("don't"), Some(vec![paths]));
    for odd in ["\"", "*", "^", "-- ; ( ) {", ""] {
        assert_eq!(find(odd), None, "{odd}");
    }
    for odd in ["detail:slow", "NEAR(slow, 2)", "slow AND NOT x\"y", "a*b", "(slow", "note^"] {
        assert!(find(odd).is_some(), "{odd}");
    }
    // A change is found under its new words only.
    let change = LessonChange { detail: Some("quick now".to_owned()), ..LessonChange::default() };
    store.update_lesson(tests, &change, NOW).unwrap();
    let find = |text: &str| store.search_lessons(text, 10).unwrap().unwrap().len();
    assert_eq!((find("slow"), find("quick")), (0, 1));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 40, ..Default::default() })]

    /// However the events are cut into ticks, and wherever a clock jumped, the same lessons are written.
    #[test]
    fn the_same_events_give_the_same_lessons(
        events in proptest::collection::vec((-4000_i64..9000, 0_u64..3, 0_usize..3), 1..40),
        batches in proptest::collection::vec(1_u32..7, 40),
        window in proptest::sample::select(vec![0_i64, 1, 600, 3600]),
    ) {
        let rules = Rules { window_seconds: window, ..RULES };
        let stages = ["verify", "build", "deploy"];
        let rows = |batches: &[u32]| {
            let mut store = Store::open_copy(Path::new("/nonexistent/state.db"), NOW).unwrap();
            for (key, (at, number, stage)) in events.iter().enumerate() {
                let stage = stages[*stage];
                let red = serde_json::json!({ "stage": stage, "later": stage == "deploy", "checks": [stage] });
                let data = serde_json::json!({ "detail": "", "red": red }).to_string();
                let (key, at) = (format!("k{key}"), NOW.plus(*at));
                put(&store, &key, at, "fix-forward", Some("home:me/r1"), Some(*number), &data);
            }
            for most in batches {
                store.learn(&rules, *most).unwrap();
            }
            store.lessons(&LessonFilter::default(), None, 100).unwrap()
        };
        let at_once = rows(&[1000]);
        proptest::prop_assert_eq!(rows(&batches), at_once.clone());
        let met: u32 = at_once.iter().map(|l| l.occurrences).sum();
        proptest::prop_assert_eq!(met as usize, events.len());
        if window == 0 {
            proptest::prop_assert_eq!(at_once.len(), events.len());
        }
    }
}
