//! The state file against the real database, in a folder of its own.

use strum::VariantArray as _;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::migrations::MIGRATIONS;
use super::*;
use crate::domain::effect::{Effect, Nature, NoticeKind, OnNo, Part, TurnKind, Words};
use crate::domain::event::{Event, EventKind, Facts, Happening};
use crate::domain::model::{HandBack, IssueRef, Landing, Oid, Outcome, RepoId, RunText, Usage};
use crate::domain::run::{Failure, Phase, Run, Wait};
use crate::ports::Notice;

/// 2026-03-02 00:00 UTC.
const MIDNIGHT: UnixTime = UnixTime(1_772_409_600);

/// What each migration ships: a row in every table that it made, written in its own words.
const SAMPLES: [&str; MIGRATIONS.len()] = ["
INSERT INTO meta VALUES ('installation', 'sample'), ('machine', 'm');
INSERT INTO runs (id, repo, number, asked_by, approval, title, body, comments, runner, account, template, budget_usd,
  attempt, phase, outcome, landing, target_branch, base, turns, turn_kind, turn_head, fix_forward, verifies,
  conflict_tries, reruns, pushed, last_fix, ci_stage, ci_seconds, fix_seconds, turn_seconds, last_seen, wait, created_at)
  VALUES ('r1', 'home:me/app', 7, 'ada', 'label-1', 'A title', 'A body', '', 'agent', 'agent', 'implementer@1', 10.0,
  1, 'active', NULL, 'push', 'main', '1111111111111111111111111111111111111111', 1, 'first',
  '1111111111111111111111111111111111111111', 0, 0, 0, 0, NULL,
  '{\"checks\":[\"test\"],\"fingerprint\":\"f\",\"log_tail\":\"l\"}', 0, 0, 0, 0, 100, 'working', 100);
INSERT INTO turns (run, turn, kind, started_at, cost_usd) VALUES ('r1', 1, 'first', 100, 0.5);
INSERT INTO intents (run, key, kind, payload, created_at) VALUES ('r1', 'claim', 'claim', '{\"do\":\"claim\"}', 100);
INSERT INTO outbox (key, notifier, kind, title, body, created_at) VALUES ('k', 'n', 'done', 't', 'b', 100);
INSERT INTO events (key, at, kind, repo, number, run, data) VALUES ('e', 100, 'chosen', 'home:me/app', 7, 'r1', '{}');
INSERT INTO ledger (repo, number, at, reason, sentence, passed) VALUES ('home:me/app', 7, 100, 'dispatched', 's', 'switch,hours');
INSERT INTO forge_cache VALUES ('home:me/app', 'url', 'id', 'etag', 100);
INSERT INTO issues (repo, number, title, body, open, labels, author, updated_at, text_hash)
  VALUES ('home:me/app', 7, 'A title', 'A body', 1, '[\"ready-for-agent\"]', 'ada', 100, 'h');
INSERT INTO approvals VALUES ('home:me/app', 7, 'label-1', 'h', 100);
INSERT INTO holds VALUES ('home:me/app', 'frozen', NULL, 'r1', 100);
INSERT INTO parks VALUES ('agent', 'quota', 'd', 100, 200);
INSERT INTO start_failures VALUES ('agent', 'd', 1);
INSERT INTO pauses VALUES ('*', 100, NULL);
INSERT INTO backoffs VALUES ('home:me/app', 7, 1, 200);
INSERT INTO alarms VALUES ('c', 100, 'd', 1);
INSERT INTO outages VALUES ('s', 100, 1, 100);
INSERT INTO ticks (command, started_at) VALUES ('tick', 100);
", "
INSERT INTO lessons (created_at, lesson_type, repo, root_cause, source, last_seen_at)
  VALUES (100, 'gate_failure', 'home:me/app', 'the tests were red', 'auto', 100);
INSERT INTO given VALUES ('r1', 'home:me/app', 100, 'told');
INSERT INTO given_lessons VALUES ('r1', 1, 1);
", "
INSERT INTO templates (id, name, version, hash, body, origin, state, created_at, changed_at)
  VALUES (1, 'implementer', 1, 'h', 'A text', 'built in', 'champion', 100, 100);
INSERT INTO routes VALUES ('r1', 1, 'champion', 'c1', 0.2);
", "
INSERT INTO runs (id, repo, number, asked_by, approval, title, body, comments, runner, account, template, budget_usd,
  attempt, phase, landing, target_branch, base, turns, turn_kind, turn_head, fix_forward, verifies, conflict_tries, reruns,
  pushed, ci_stage, ci_seconds, fix_seconds, turn_seconds, last_seen, wait, created_at, branch, up_to, pull, pull_head,
  holds_slot, reviewing, round, review_turns, reviews_done, asked, review_seconds)
  VALUES ('r2', 'home:me/web', 8, 'ada', 'label-1', 'A title', 'A body', '', 'agent', 'agent', 'implementer@1', 10.0,
  1, 'active', 'pull-request', 'main', '1111111111111111111111111111111111111111', 2, 'review',
  '1111111111111111111111111111111111111111', 0, 0, 0, 0, '2222222222222222222222222222222222222222', 0, 0, 0, 0, 100,
  'review', 100, 'offhours/issue-8-r2', '1111111111111111111111111111111111111111', 9,
  '2222222222222222222222222222222222222222', 0, 1, 2, 1, '[\"5\"]', 'more', 60);
", "
INSERT INTO upgrade_batches (state, with_tests, scheduled, started_at, progress_at) VALUES ('active', 0, 1, 100, 100);
INSERT INTO upgrade_recipes (batch, name, position, step, data) VALUES (1, 'app', 0, 'queued', '{}');
INSERT INTO upgrade_intents (batch, recipe, key, payload, created_at) VALUES (1, 'app', 'check', '{}', 100);
INSERT INTO upgrade_pulls VALUES ('home:r/app', 1, 'app', '1.0.0+1', 'upgrade/app/1.0.0+1', 'a', '[]', 0, 'open', 1);
INSERT INTO upgrade_commits VALUES ('home:r/app', 'a');
INSERT INTO upgrade_tags VALUES ('postgres', '16.4', 100);
INSERT INTO upgrade_turns (batch, recipe, turn, started_at, budget_usd) VALUES (1, 'app', 1, 100, 5);
INSERT INTO upgrade_notes VALUES ('schedule', '{}');
", "
INSERT INTO server_limits VALUES ('hub', 200, 'too many requests', 1);
INSERT INTO repo_identities VALUES ('hub:me/app', '7');
", "
INSERT INTO templates (id, name, version, hash, body, origin, state, created_at, changed_at)
  VALUES (2, 'implementer', 2, 'i', 'Another', 'a file', 'canary', 100, 100);
INSERT INTO canaries (id, name, template, champion, fraction, min_canary, max_canary, margin, alpha_rollback,
  alpha_graduate, history_sum, history_count, started_at)
  VALUES ('c1', 'implementer', 2, 1, 0.2, 5, 100, 0.15, 0.05, 0.1, 8.0, 10.0, 100);
INSERT INTO outcomes (run, source, template, canary, arm, subject, dispatched_at, state, why, first_seen_at, changed_at, look_at)
  VALUES ('r1', 'run', 1, 'c1', 'champion', 'home:me/app#7', 100, 'pending', 'working', 100, 100, 100);
INSERT INTO landed_commits VALUES ('home:me/app', '1111111111111111111111111111111111111111', 'r1');
INSERT INTO taken_back VALUES ('home:me/app', '2222222222222222222222222222222222222222', 100);
INSERT INTO read_branches VALUES ('home:me/app', 'main', '1111111111111111111111111111111111111111', 100, 200);
", "
INSERT INTO answers VALUES ('home:me/app', 7, NULL, 'A text', 1, 200);
", "
INSERT INTO tick_days VALUES (20514);
INSERT INTO kept VALUES ('/salvage/home/me/app/7-r1', 100, 1, 1);
"];

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("offhours-store-").tempdir().unwrap()
}

fn open(dir: &Path) -> StoreResult<Store> {
    Store::open(&dir.join("state.db"), "m", "fresh", MIDNIGHT)
}

fn app() -> RepoId {
    RepoId::parse("home:me/app", None).unwrap()
}

fn issue(number: u64) -> IssueRef {
    IssueRef { repo: app(), number }
}

fn oid(digit: char) -> Oid {
    Oid::parse(&digit.to_string().repeat(40)).unwrap()
}

fn run(id: &str, number: u64, at: UnixTime) -> RunRow {
    let run = Run {
        asked_by: "ada".to_owned(),
        landing: Landing::Push,
        ..Run::begin(id.to_owned(), issue(number), "main", &oid('1'), at)
    };
    RunRow {
        run,
        approval: "label-1".to_owned(),
        runner: "agent".to_owned(),
        account: "agent".to_owned(),
        template: "implementer@1".to_owned(),
        budget_usd: 10.0,
        claim: None,
        comment_id: None,
        end_comment_id: None,
        salvage: None,
        stop_asked: false,
    }
}

fn event(key: &str, run: &str) -> Event {
    Event {
        key: key.to_owned(),
        at: MIDNIGHT,
        kind: Happening::Chosen.into(),
        repo: Some("home:me/app".to_owned()),
        number: Some(7),
        run: Some(run.to_owned()),
        facts: Facts::default(),
    }
}

fn chosen() -> LedgerRow {
    LedgerRow { at: UnixTime(0), reason: "dispatch".to_owned(), sentence: String::new(), passed: vec![] }
}

fn text_of(body: &str) -> crate::ports::TemplateContent {
    crate::ports::TemplateContent { body: body.to_owned(), hash: format!("hash of {body}") }
}

/// To the one champion there is.
fn route(store: &mut Store) -> Route {
    use crate::domain::template::State;
    let added = store.add_template("implementer", &text_of("Do it."), "built in", State::Champion, MIDNIGHT);
    Route { template: added.unwrap().0.id, canary: None, scored: true }
}

fn begin(store: &mut Store, row: &RunRow, effects: &[Effect]) {
    let text = RunText { title: "T".to_owned(), body: "B".to_owned(), comments: String::new() };
    let route = route(store);
    store
        .begin_run(
            row,
            &text,
            &route,
            effects,
            &event(&format!("chosen-{}", row.run.id), &row.run.id),
            &chosen(),
        )
        .unwrap();
}

/// A run that is over; each turn with what it cost, if that is known.
fn ended(store: &mut Store, id: &str, at: UnixTime, outcome: Outcome, costs: &[Option<f64>]) {
    let mut row = run(id, 7, at);
    begin(store, &row, &[]);
    for (number, cost) in (1u32..).zip(costs) {
        store.turn_started(id, number, TurnKind::First, at).unwrap();
        let turn = TurnRow {
            turn: number,
            kind: TurnKind::First,
            started_at: at,
            ended_at: Some(at.plus(1)),
            ending: Some("done".to_owned()),
            detail: None,
            usage: Usage { cost_usd: *cost, ..Usage::default() },
            summary: None,
        };
        assert!(store.turn_ended(id, &turn).unwrap(), "the first word about a turn's end is news");
        assert!(!store.turn_ended(id, &turn).unwrap(), "the second is not");
    }
    row.run.phase = Phase::Ended;
    row.run.outcome = Some(outcome);
    row.run.ended_at = Some(at.plus(1));
    store.step(&row.run, &[], &[]).unwrap();
}

/// Known and reserved together.
fn cents(store: &Store, since: UnixTime) -> u64 {
    let total = format!("{:.0}", store.spend_since(since).unwrap().total() * 100.0);
    total.parse().unwrap()
}

fn count(store: &Store, table: &str) -> i64 {
    store.conn.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn tables(conn: &Connection) -> BTreeSet<String> {
    let mut names = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn each_migration_goes_over_the_rows_of_those_before_it() {
    for applied in 1..=MIGRATIONS.len() {
        let dir = folder();
        let path = dir.path().join("state.db");
        let conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "foreign_keys", true).unwrap();
        for (number, (text, sample)) in (1usize..).zip(MIGRATIONS.iter().zip(SAMPLES)).take(applied) {
            let before = tables(&conn);
            conn.execute_batch(text).unwrap_or_else(|e| panic!("migration {number}: {e}"));
            conn.execute_batch(sample).unwrap_or_else(|e| panic!("the sample of migration {number}: {e}"));
            for made in tables(&conn).difference(&before) {
                let rows: i64 =
                    conn.query_row(&format!("SELECT COUNT(*) FROM {made}"), [], |row| row.get(0)).unwrap();
                assert!(rows > 0, "migration {number} made {made}; its sample has no row for it");
            }
            conn.pragma_update(None, "user_version", i64::try_from(number).unwrap()).unwrap();
        }
        drop(conn);
        // The rest is applied when it is opened, and the rows of the first day are still read.
        let store = open(dir.path()).unwrap();
        assert_eq!(store.installation, "sample");
        let row = store.run("r1").unwrap().unwrap();
        assert_eq!(
            (row.run.phase, row.run.issue, row.run.wait),
            (Phase::Active, issue(7), Some(Wait::Working))
        );
        assert_eq!(row.run.last_fix.unwrap().checks, ["test"]);
        assert_eq!((row.run.branch.as_str(), row.run.up_to), ("offhours/issue-7-r1", row.run.base));
        if let Some(row) = store.run("r2").unwrap() {
            assert_eq!((row.run.pull, row.run.holds_slot, row.run.reviewing), (Some(9), false, true));
            assert_eq!((row.run.reviews_done, row.run.turn_kind), (vec!["5".to_owned()], TurnKind::Review));
        }
        assert_eq!(store.turns_of("r1").unwrap()[0].usage.cost_usd, Some(0.5));
        assert_eq!(store.pending("r1").unwrap()[0].effect, Effect::Claim);
        assert_eq!(store.listing(&app()).unwrap()[0].labels, ["ready-for-agent"]);
        assert_eq!(store.ledger_of(&issue(7), 5).unwrap()[0].passed, ["switch", "hours"]);
        assert_eq!(store.holds(&app()).unwrap()[0].kind, HoldKind::Frozen);
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn opening_twice_changes_nothing() {
    let dir = folder();
    let dump = |store: &Store| {
        let mut all = vec![];
        let mut rows = store
            .conn
            .prepare("SELECT sql FROM sqlite_master UNION ALL SELECT key || value FROM meta")
            .unwrap();
        for row in rows.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap() {
            all.push(row.unwrap());
        }
        all
    };
    let first = dump(&open(dir.path()).unwrap());
    let again = Store::open(&dir.path().join("state.db"), "m", "another", MIDNIGHT.plus(9)).unwrap();
    assert_eq!(dump(&again), first);
    assert_eq!(again.installation, "fresh", "an installation keeps its name");
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().all(|n| !n.to_string_lossy().contains("before")), "{names:?}");
}

#[test]
fn only_the_owner_may_read_it() {
    let dir = folder();
    let path = dir.path().join("deep/er/state.db");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut store = Store::open(&path, "m", "fresh", MIDNIGHT).unwrap();
    store.pause("*", MIDNIGHT, None).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&dir.path().join("deep/er/state.db-wal")), 0o600);
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _open = Store::open(&path, "m", "fresh", MIDNIGHT).unwrap();
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        assert_eq!(mode(&dir.path().join("deep/er").join(file)), 0o600, "{file} is closed to others");
    }
}

#[test]
fn a_newer_format_and_another_machine_are_refused() {
    let dir = folder();
    drop(open(dir.path()).unwrap());
    let refused = Store::open(&dir.path().join("state.db"), "other", "fresh", MIDNIGHT).err().unwrap();
    assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");
    assert!(refused.to_string().contains("was made on another machine"), "{refused}");

    let newer = i64::try_from(MIGRATIONS.len()).unwrap() + 1;
    let conn = Connection::open(dir.path().join("state.db")).unwrap();
    conn.pragma_update(None, "user_version", newer).unwrap();
    drop(conn);
    let refused = open(dir.path()).err().unwrap();
    assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");
    assert!(refused.to_string().contains("was written by a newer offhours"), "{refused}");
}

#[test]
fn a_damaged_file_is_set_aside_as_it_was() {
    for damage in [b"this is not a database, and never was one".as_slice(), &[0xff; 8192]] {
        let dir = folder();
        let path = dir.path().join("state.db");
        fs::write(&path, damage).unwrap();
        let told = open(dir.path()).err().unwrap();
        assert!(matches!(told, StoreError::Unusable { .. }), "{told}");
        let aside = dir.path().join(format!("state.corrupt-{}", MIDNIGHT.0));
        assert!(told.to_string().contains(&aside.display().to_string()), "{told}");
        assert_eq!(fs::read(&aside).unwrap(), damage, "not a byte of it is changed");
        assert!(!path.exists());
        drop(open(dir.path()).unwrap());
        assert_eq!(fs::read(&aside).unwrap(), damage, "also not by the next one");
    }
}

#[test]
fn a_place_that_cannot_be_written_gets_a_sentence() {
    let dir = folder();
    fs::write(dir.path().join("file"), "").unwrap();
    let told = Store::open(&dir.path().join("file/state.db"), "m", "fresh", MIDNIGHT).err().unwrap();
    assert!(told.to_string().contains("has no folder, and making it failed"), "{told}");
    assert!(told.to_string().contains("name another with --state"), "{told}");

    fs::create_dir(dir.path().join("state.db")).unwrap();
    let told = open(dir.path()).err().unwrap();
    assert!(told.to_string().contains("is not a file; name another with --state"), "{told}");

    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    // The superuser writes everywhere but into what the kernel itself makes.
    let mine = fs::write(closed.join("probe"), "").is_err();
    let place = if mine { closed.as_path() } else { Path::new("/proc") };
    let told = Store::open(&place.join("state.db"), "m", "fresh", MIDNIGHT).err().unwrap();
    assert!(told.to_string().contains("cannot be made"), "{told}");
    assert!(told.to_string().contains("check the folder's owner and the disk"), "{told}");
}

#[test]
fn an_event_happens_once() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let first = event("k", "r1");
    store.event(&first).unwrap();
    store.event(&Event { kind: EventKind::Other("other".to_owned()), ..first.clone() }).unwrap();
    assert_eq!(store.events_of("r1").unwrap(), [first]);
}

#[test]
fn a_step_is_all_or_nothing() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let row = run("r1", 7, MIDNIGHT);
    begin(&mut store, &row, &[Effect::Claim]);
    let before = store.run("r1").unwrap();
    let mut next = row.run.clone();
    next.phase = Phase::Active;
    next.pushed = Some(oid('2'));
    for (table, when) in [("intents", "NEW.key = 'close'"), ("events", "NEW.key = 'second'")] {
        store
            .conn
            .execute_batch(&format!(
                "CREATE TEMP TRIGGER full BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE(FAIL, 'no room'); END"
            ))
            .unwrap();
        let failed = store.step(
            &next,
            &[Effect::Release, Effect::Close],
            &[event("first", "r1"), event("second", "r1")],
        );
        assert!(failed.unwrap_err().to_string().contains("could not be written"));
        store.conn.execute_batch("DROP TRIGGER full").unwrap();
        assert_eq!(store.run("r1").unwrap(), before);
        assert_eq!(store.pending("r1").unwrap().len(), 1);
        assert_eq!(store.events_of("r1").unwrap().len(), 1);
    }
    store
        .step(&next, &[Effect::Release, Effect::Close], &[event("first", "r1"), event("second", "r1")])
        .unwrap();
    assert_eq!(store.run("r1").unwrap().unwrap().run, next);
    let pending: Vec<Effect> = store.pending("r1").unwrap().into_iter().map(|i| i.effect).collect();
    assert_eq!(pending, [Effect::Claim, Effect::Release, Effect::Close], "in the order they were decided");
    assert_eq!(store.events_of("r1").unwrap().len(), 3);
}

#[test]
fn a_beginning_is_all_or_nothing() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    store
        .conn
        .execute_batch(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(FAIL, 'no room'); END",
        )
        .unwrap();
    let text = RunText { title: "T".to_owned(), body: "B".to_owned(), comments: String::new() };
    let row = run("r1", 7, MIDNIGHT);
    let route = route(&mut store);
    assert!(store.begin_run(&row, &text, &route, &[Effect::Claim], &event("e", "r1"), &chosen()).is_err());
    for table in ["runs", "intents", "events"] {
        assert_eq!(count(&store, table), 0, "{table}");
    }
}

#[test]
fn money_and_runs_are_counted_from_midnight() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let landed = Outcome::Landed;
    ended(&mut store, "before", MIDNIGHT.plus(-1), landed, &[Some(1.0)]);
    assert_eq!(store.runs_since(MIDNIGHT).unwrap(), 0);
    assert_eq!(store.spend_since(MIDNIGHT).unwrap(), Spend::default());
    ended(&mut store, "at", MIDNIGHT, landed, &[Some(2.0), Some(0.5)]);
    assert_eq!(store.runs_since(MIDNIGHT).unwrap(), 1);
    assert_eq!(store.spend_since(MIDNIGHT).unwrap(), Spend { known_usd: 2.5, reserved_usd: 0.0 });
    // A turn that does not tell its cost: the run counts as what was reserved for it.
    ended(&mut store, "silent", MIDNIGHT.plus(1), landed, &[Some(4.0), None]);
    assert_eq!(store.spend_since(MIDNIGHT).unwrap(), Spend { known_usd: 6.5, reserved_usd: 6.0 });
    assert_eq!(store.cost_of("silent").unwrap(), (4.0, true));
    // More than was reserved: nothing is left of the reservation, and nothing is given back.
    ended(&mut store, "dear", MIDNIGHT.plus(2), landed, &[Some(25.0), None]);
    assert_eq!(store.spend_since(MIDNIGHT).unwrap(), Spend { known_usd: 31.5, reserved_usd: 6.0 });
    // One in flight reserves.
    begin(&mut store, &run("open", 8, MIDNIGHT.plus(3)), &[]);
    assert_eq!(cents(&store, MIDNIGHT), 4750);
    assert_eq!(store.runs_since(MIDNIGHT).unwrap(), 4);
    // What never started costs nothing and is no run.
    ended(&mut store, "lost", MIDNIGHT.plus(4), Outcome::ClaimLost, &[]);
    ended(&mut store, "not", MIDNIGHT.plus(5), Outcome::NotStarted, &[]);
    assert_eq!(cents(&store, MIDNIGHT), 4750);
    assert_eq!(store.runs_since(MIDNIGHT).unwrap(), 4);
    assert_eq!(cents(&store, MIDNIGHT.plus(-1)), 4850);
    assert_eq!(store.runs_since(MIDNIGHT.plus(-1)).unwrap(), 5);
}

#[test]
fn attempts_belong_to_an_approval() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    assert_eq!(store.attempts(&issue(7), "label-1").unwrap(), 0);
    ended(&mut store, "a", MIDNIGHT.plus(-1), Outcome::HandedBack(HandBack::NothingDone), &[]);
    ended(&mut store, "b", MIDNIGHT, Outcome::NotStarted, &[]);
    ended(&mut store, "c", MIDNIGHT, Outcome::ClaimLost, &[]);
    assert_eq!(store.attempts(&issue(7), "label-1").unwrap(), 1, "what never started is no attempt");
    let mut second = run("d", 7, MIDNIGHT.plus(1));
    second.run.attempt = 2;
    begin(&mut store, &second, &[]);
    assert_eq!(store.attempts(&issue(7), "label-1").unwrap(), 2, "on both sides of midnight");
    assert_eq!(store.attempts(&issue(7), "label-2").unwrap(), 0, "a fresh label starts anew");
    assert_eq!(store.attempts(&issue(8), "label-1").unwrap(), 0);
}

#[test]
fn every_outcome_and_wait_is_read_back() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    for (number, outcome) in (1u64..).zip(Outcome::all()) {
        let mut row = run(&format!("o{number}"), number, MIDNIGHT);
        begin(&mut store, &row, &[]);
        row.run.phase = Phase::Ended;
        row.run.outcome = Some(outcome);
        row.run.wait = None;
        row.run.ended_at = Some(MIDNIGHT.plus(1));
        store.step(&row.run, &[], &[]).unwrap();
        assert_eq!(store.run(&row.run.id).unwrap().unwrap(), row);
    }
    assert_eq!(store.runs_in_flight().unwrap(), []);
    let mut row = run("w", 99, MIDNIGHT);
    begin(&mut store, &row, &[]);
    for wait in Wait::VARIANTS.iter().copied() {
        row.run.wait = Some(wait);
        row.run.turn_kind = TurnKind::FixForward;
        row.run.last_fix = Some(Failure {
            checks: vec!["a".to_owned(), "b, \"c\"".to_owned()],
            fingerprint: "f".to_owned(),
            log_tail: "line\nline\u{1f4a5}".to_owned(),
        });
        store.touch(&row.run).unwrap();
        assert_eq!(store.run("w").unwrap().unwrap().run, row.run);
    }
}

#[test]
fn the_ledger_has_one_row_a_change() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let row = |at: i64, reason: &str, sentence: &str| LedgerRow {
        at: MIDNIGHT.plus(at),
        reason: reason.to_owned(),
        sentence: sentence.to_owned(),
        passed: vec!["switch".to_owned(), "hours".to_owned()],
    };
    for (at, reason, sentence) in [
        (0, "blocked", "by #1"),
        (1, "blocked", "by #1"),
        (2, "blocked", "by #2"),
        (3, "frozen", "x"),
        (4, "blocked", "by #2"),
    ] {
        store.ledger(&issue(7), &row(at, reason, sentence)).unwrap();
        store.ledger(&issue(8), &row(0, "paused", "x")).unwrap();
    }
    let told = store.ledger_of(&issue(7), 10).unwrap();
    let wanted = [
        row(4, "blocked", "by #2"),
        row(3, "frozen", "x"),
        row(2, "blocked", "by #2"),
        row(0, "blocked", "by #1"),
    ];
    assert_eq!(told, wanted);
    assert_eq!(store.ledger_of(&issue(8), 10).unwrap().len(), 1);
    assert_eq!(store.ledger_of(&issue(7), 1).unwrap().len(), 1);
}

/// At least one of each variant. The match has no catch-all: a new variant stops the build until it stands here.
fn every_effect() -> Vec<Effect> {
    let known = |effect: &Effect| match effect {
        Effect::Claim
        | Effect::Prepare
        | Effect::StartTurn { .. }
        | Effect::StopTurn { .. }
        | Effect::Label { .. }
        | Effect::Progress { .. }
        | Effect::Say { .. }
        | Effect::BringUpToDate { .. }
        | Effect::Verify { .. }
        | Effect::Land { .. }
        | Effect::PushBranch { .. }
        | Effect::OpenPull { .. }
        | Effect::EditPull { .. }
        | Effect::Merge { .. }
        | Effect::ReleaseSlot { .. }
        | Effect::TakeSlot { .. }
        | Effect::Undo { .. }
        | Effect::OpenUndo { .. }
        | Effect::Reopen
        | Effect::WatchTarget
        | Effect::StartCi { .. }
        | Effect::Salvage { .. }
        | Effect::Close
        | Effect::Release
        | Effect::RemoveWorkspace
        | Effect::Notify { .. } => 26,
    };
    let text = "quotes \" \\ and\nlines, \u{1f319}, a nul-free tab\t".to_owned();
    let words = Words { title: String::new(), body: text.clone() };
    let titled = Words { title: text.clone(), body: text.clone() };
    let mut all = vec![
        Effect::Claim,
        Effect::Prepare,
        Effect::StopTurn { turn: 2 },
        Effect::Label { label: "a, b".to_owned(), present: true, round: 0 },
        Effect::Label { label: "a, b".to_owned(), present: false, round: 0 },
        Effect::Label { label: "a, b".to_owned(), present: false, round: 2 },
        Effect::PushBranch { head: oid('a'), expected: None },
        Effect::PushBranch { head: oid('a'), expected: Some(oid('b')) },
        Effect::OpenPull { said: titled.clone() },
        Effect::EditPull { pull: 9, head: oid('c'), said: words.clone() },
        Effect::Merge { pull: 9, head: oid('c') },
        Effect::ReleaseSlot { round: 1 },
        Effect::TakeSlot { round: 1 },
        Effect::Undo { branch: "b".to_owned() },
        Effect::OpenUndo { branch: "b".to_owned(), said: titled.clone() },
        Effect::Reopen,
        Effect::WatchTarget,
        Effect::Progress { said: words.clone() },
        Effect::Say { said: words.clone() },
        Effect::BringUpToDate { head: oid('a'), target: oid('b'), number: 3 },
        Effect::Verify { oid: oid('c'), number: 1 },
        Effect::Land { head: oid('d'), expected: oid('e') },
        Effect::StartCi { stage: "test".to_owned(), oid: oid('f'), attempt: 2 },
        Effect::Salvage { push: true },
        Effect::Close,
        Effect::Release,
        Effect::RemoveWorkspace,
    ];
    for (turn, kind) in
        (1u32..).zip([TurnKind::First, TurnKind::Continue, TurnKind::FixForward, TurnKind::Review])
    {
        all.push(Effect::StartTurn { turn, kind, told: words.clone() });
    }
    for kind in NoticeKind::VARIANTS.iter().copied() {
        all.push(Effect::Notify { kind, round: 0, said: titled.clone() });
    }
    let kinds: BTreeSet<String> = all.iter().map(|e| format!("{:?}", std::mem::discriminant(e))).collect();
    assert!(all.iter().all(|e| known(e) == kinds.len()));
    all
}

#[test]
fn every_effect_is_read_back_as_it_was_decided() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let all = every_effect();
    begin(&mut store, &run("r1", 7, MIDNIGHT), &all);
    let read: Vec<Effect> = store.pending("r1").unwrap().into_iter().map(|i| i.effect).collect();
    assert_eq!(read, all);
    for effect in &all {
        assert_eq!(store.effect("r1", &effect.key()).unwrap().as_ref(), Some(effect));
    }
    assert_eq!(store.effect("r1", "nothing").unwrap(), None);
}

#[test]
fn what_kind_of_act_each_effect_is() {
    let named = |is: &dyn Fn(Nature) -> bool| {
        let all = every_effect().into_iter().filter(|effect| is(effect.nature()));
        let names = all.map(|effect| format!("{effect:?}").split([' ', '{']).next().unwrap().to_owned());
        names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
    };
    insta::assert_snapshot!(named(&|n| n.starts_work), @"BringUpToDate Claim Land Merge OpenPull OpenUndo Prepare PushBranch StartCi StartTurn TakeSlot Undo Verify");
    insta::assert_snapshot!(named(&|n| n.is_retryable), @"Close EditPull Label OpenPull Progress Reopen Say");
    insta::assert_snapshot!(named(&|n| n.part == Part::Claims), @"Claim");
    insta::assert_snapshot!(named(&|n| n.part == Part::Prepares), @"Prepare");
    insta::assert_snapshot!(named(&|n| n.part == Part::StartsAgent), @"StartTurn");
    insta::assert_snapshot!(named(&|n| n.on_no == OnNo::PushRefused), @"Land OpenPull PushBranch");
    insta::assert_snapshot!(named(&|n| n.on_no == OnNo::MergeRefused), @"Merge");
    insta::assert_snapshot!(named(&|n| n.on_no == OnNo::Conflict), @"BringUpToDate");
}

#[test]
fn a_step_in_the_place_of_what_is_pending_gives_that_up_with_it() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let row = run("r1", 7, MIDNIGHT);
    begin(&mut store, &row, &[Effect::Claim, Effect::Prepare, Effect::Release]);
    store.step_instead(&row.run, &[Effect::Release, Effect::RemoveWorkspace], &[]).unwrap();
    let pending: Vec<Effect> = store.pending("r1").unwrap().into_iter().map(|i| i.effect).collect();
    assert_eq!(pending, [Effect::Release, Effect::RemoveWorkspace]);
}

#[test]
fn an_effect_is_recorded_once_and_again_only_when_it_was_cancelled() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let row = run("r1", 7, MIDNIGHT);
    begin(&mut store, &row, &[Effect::Claim, Effect::Close]);
    store.step(&row.run, &[Effect::Claim, Effect::Close], &[]).unwrap();
    let pending = store.pending("r1").unwrap();
    assert_eq!(pending.len(), 2);
    store.trying(pending[0].id).unwrap();
    assert_eq!(store.pending("r1").unwrap()[0].tries, 1, "it may have happened");
    store.settle(pending[0].id, IntentState::Refused, "because", MIDNIGHT).unwrap();
    store.settle(pending[1].id, IntentState::Cancelled, "", MIDNIGHT).unwrap();
    assert_eq!(store.refusal("r1", "claim").unwrap().as_deref(), Some("because"));
    assert_eq!(store.refusal("r1", "close").unwrap(), None);
    assert_eq!(store.pending("r1").unwrap(), []);
    store.step(&row.run, &[Effect::Claim, Effect::Close], &[]).unwrap();
    let again = store.pending("r1").unwrap();
    assert_eq!(again.iter().map(|i| &i.effect).collect::<Vec<_>>(), [&Effect::Close]);
    store.cancel_pending("r1", MIDNIGHT).unwrap();
    assert_eq!(store.pending("r1").unwrap(), []);
    let orphan = store.conn.execute(
        "INSERT INTO intents (run, key, kind, payload, created_at) VALUES ('nobody', 'k', 'k', '{}', 1)",
        [],
    );
    assert!(orphan.is_err(), "foreign keys hold");
}

#[test]
fn a_notice_goes_out_once_a_key_and_receiver() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let notice = Notice {
        key: "done:r1".to_owned(),
        kind: NoticeKind::Done,
        title: "t".to_owned(),
        body: "b".to_owned(),
        link: None,
        topic: None,
        possible_repeat: false,
    };
    let both = ["phone".to_owned(), "mail".to_owned()];
    store.enqueue(&both, &notice, MIDNIGHT).unwrap();
    store.enqueue(&both, &notice, MIDNIGHT).unwrap();
    let due = store.outbox_due(MIDNIGHT, 10).unwrap();
    assert_eq!(due.iter().map(|r| r.notifier.as_str()).collect::<Vec<_>>(), ["phone", "mail"]);
    // Sent: it does not come again, also not when it is asked for again.
    store.outbox_begin(due[0].id).unwrap();
    store.outbox_sent(due[0].id, MIDNIGHT).unwrap();
    store.enqueue(&both, &notice, MIDNIGHT).unwrap();
    // Begun without an answer: marked, and later again. Certainly not received: later again, unmarked.
    store.outbox_begin(due[1].id).unwrap();
    assert!(store.outbox_due(MIDNIGHT, 10).unwrap()[0].begun);
    store.outbox_failed(due[1].id, false, MIDNIGHT.plus(60)).unwrap();
    assert_eq!(store.outbox_due(MIDNIGHT.plus(59), 10).unwrap(), []);
    let due = store.outbox_due(MIDNIGHT.plus(60), 10).unwrap();
    assert_eq!((due.len(), due[0].tries, due[0].begun), (1, 1, true));
    store.outbox_failed(due[0].id, true, MIDNIGHT.plus(60)).unwrap();
    assert!(!store.outbox_due(MIDNIGHT.plus(60), 10).unwrap()[0].begun);
}

#[test]
fn an_outage_is_said_at_doubling_intervals_and_an_alarm_once() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    let said: Vec<u32> = (1..=20).filter(|_| store.outage("forge", MIDNIGHT).unwrap()).collect();
    assert_eq!(said, [1, 2, 4, 8, 16]);
    assert!(store.outage_over("forge").unwrap());
    assert!(!store.outage_over("forge").unwrap());
    assert!(store.outage("forge", MIDNIGHT).unwrap());

    let phone = ["phone".to_owned()];
    let told = |kind: NoticeKind, cause: &str, at: i64| Notice {
        key: format!("{}:{cause}:{at}", kind.code()),
        kind,
        title: format!("{}: {cause}", kind.code()),
        body: String::new(),
        link: None,
        topic: Some(cause.to_owned()),
        possible_repeat: false,
    };
    assert!(store.raise("c", "d", MIDNIGHT, &phone, &told(NoticeKind::Alarm, "c", 1)).unwrap());
    assert!(!store.raise("c", "more", MIDNIGHT.plus(9), &phone, &told(NoticeKind::Alarm, "c", 2)).unwrap());
    assert_eq!(store.alarms().unwrap(), [("c".to_owned(), MIDNIGHT, "more".to_owned())]);
    assert!(store.raise("c:d", "d", MIDNIGHT, &phone, &told(NoticeKind::Alarm, "c:d", 1)).unwrap());
    let recovered = |at: UnixTime| told(NoticeKind::Recovered, "c", at.0);
    assert_eq!(store.clear_alarm("c", MIDNIGHT, &phone, recovered).unwrap(), Some(MIDNIGHT));
    assert_eq!(store.clear_alarm("c", MIDNIGHT, &phone, recovered).unwrap(), None);
    // Of one cause only the newest is still to be sent; another cause is another matter.
    let waiting = |store: &Store| -> Vec<String> {
        store.outbox_due(MIDNIGHT.plus(99), 10).unwrap().into_iter().map(|r| r.title).collect()
    };
    assert_eq!(waiting(&store), ["alarm: c:d", "recovered: c"]);
    assert_eq!(topic_of("alarm:c:d:17"), Some("c:d"));
    for key in ["alarm:c", "alarm:c:x", "r1:done", "recovered::"] {
        assert_eq!(topic_of(key), None, "{key}");
    }
    // What may have been received is not taken back.
    let begun = store.outbox_due(MIDNIGHT.plus(99), 10).unwrap()[1].id;
    store.outbox_begin(begun).unwrap();
    assert!(store.raise("c", "again", MIDNIGHT, &phone, &told(NoticeKind::Alarm, "c", 3)).unwrap());
    assert_eq!(waiting(&store), ["alarm: c:d", "recovered: c", "alarm: c"]);
}

#[test]
fn pauses_and_parks_end_by_themselves_at_their_time() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    store.pause("*", MIDNIGHT, Some(MIDNIGHT.plus(60))).unwrap();
    assert!(store.paused("*", MIDNIGHT.plus(59)).unwrap().is_some());
    assert!(store.paused("*", MIDNIGHT.plus(60)).unwrap().is_none());
    store.pause("*", MIDNIGHT, None).unwrap();
    assert_eq!(store.paused("*", MIDNIGHT.plus(1 << 40)).unwrap(), Some(None));
    let park = Park {
        kind: "quota".to_owned(),
        detail: "d".to_owned(),
        since: MIDNIGHT,
        until: Some(MIDNIGHT.plus(60)),
    };
    store.park("agent", &park).unwrap();
    assert_eq!(store.parked("agent", MIDNIGHT.plus(59)).unwrap(), Some(park));
    assert_eq!(store.parked("agent", MIDNIGHT.plus(60)).unwrap(), None);
    assert_eq!(store.parked("other", MIDNIGHT).unwrap(), None);
    assert_eq!(store.start_failed("agent", "x").unwrap(), 1);
    assert_eq!(store.start_failed("agent", "x").unwrap(), 2);
    assert_eq!(store.start_failed("agent", "y").unwrap(), 1, "only equal ones add up");
    store.start_worked("agent").unwrap();
    assert_eq!(store.start_failed("agent", "y").unwrap(), 1);
}

#[test]
fn a_copy_in_memory_leaves_the_file_alone() {
    let dir = folder();
    let path = dir.path().join("state.db");
    let mut empty = Store::open_copy(&path, MIDNIGHT).unwrap();
    empty.pause("*", MIDNIGHT, None).unwrap();
    assert!(!path.exists(), "a dry run makes no state file");
    drop(open(dir.path()).unwrap());
    let before = fs::read(&path).unwrap();
    let mut copy = Store::open_copy(&path, MIDNIGHT).unwrap();
    assert_eq!(copy.installation, "fresh");
    copy.pause("*", MIDNIGHT, None).unwrap();
    drop(copy);
    assert_eq!(fs::read(&path).unwrap(), before);
    let names = || fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(), ["state.db"], "nothing is left beside it");
    assert!(open(dir.path()).unwrap().paused("*", MIDNIGHT).unwrap().is_none());

    // While a tick has it open, what stands in its log alone is copied, too.
    let mut tick = open(dir.path()).unwrap();
    tick.pause("*", MIDNIGHT, None).unwrap();
    assert!(names().len() > 1);
    assert!(Store::open_copy(&path, MIDNIGHT).unwrap().paused("*", MIDNIGHT).unwrap().is_some());
    drop(tick);
    assert!(Store::open_copy(&path, MIDNIGHT).unwrap().paused("*", MIDNIGHT).unwrap().is_some());
    let odd = dir.path().join("a b?#%\u{e9}.db");
    std::os::unix::fs::symlink(&path, &odd).unwrap();
    assert!(Store::open_copy(&odd, MIDNIGHT).unwrap().paused("*", MIDNIGHT).unwrap().is_some());
    assert_eq!(names().len(), 2);
    fs::remove_file(&odd).unwrap();
    fs::rename(&path, &odd).unwrap();
    assert!(Store::open_copy(&odd, MIDNIGHT).unwrap().paused("*", MIDNIGHT).unwrap().is_some());
    assert_eq!(names().len(), 1);
}

#[test]
fn a_backup_is_a_whole_state_file() {
    let dir = folder();
    let mut store = open(dir.path()).unwrap();
    begin(&mut store, &run("r1", 7, MIDNIGHT), &[Effect::Claim]);
    let copy = dir.path().join("copy.db");
    store.backup(&copy).unwrap();
    let copy = Store::open(&copy, "m", "other", MIDNIGHT).unwrap();
    assert_eq!(copy.installation, "fresh");
    assert_eq!(copy.run("r1").unwrap(), store.run("r1").unwrap());
    assert_eq!(copy.check().unwrap(), Vec::<String>::new());
}

/// Another state takes each run up from its record as it was, but for its clocks and its template's number there; what was
/// still to be done may have been tried.
#[test]
fn a_run_taken_up_from_its_record_is_the_run_it_was() {
    let (dir, other) = (folder(), folder());
    let store = open(dir.path()).unwrap();
    store.conn.execute_batch(&SAMPLES.concat().replace("INSERT INTO", "INSERT OR IGNORE INTO")).unwrap();
    // As the migration does.
    store.conn.execute_batch("UPDATE runs SET up_to = base WHERE up_to = ''").unwrap();
    let mut fresh = open(other.path()).unwrap();
    let web = IssueRef { repo: RepoId::parse("home:me/web", None).unwrap(), number: 8 };
    for (id, of) in [("r1", issue(7)), ("r2", web)] {
        let record = store.record(id).unwrap().unwrap();
        fresh.take_up(&record, &of, id, UnixTime(5000)).unwrap();
        let (was, is) = (store.run(id).unwrap().unwrap(), fresh.run(id).unwrap().unwrap());
        let run = Run {
            last_seen: UnixTime(5000),
            ci_seconds: 0,
            fix_seconds: 0,
            turn_seconds: 0,
            review_seconds: 0,
            ..was.run
        };
        assert_eq!(is, crate::store::RunRow { run, template: is.template.clone(), ..was });
        assert_eq!(fresh.turns_of(id).unwrap(), store.turns_of(id).unwrap());
        assert_eq!(fresh.run_text(id).unwrap(), store.run_text(id).unwrap());
        let todo =
            |store: &Store| store.pending(id).unwrap().into_iter().map(|i| i.effect).collect::<Vec<_>>();
        assert_eq!(todo(&fresh), todo(&store));
        assert!(fresh.pending(id).unwrap().iter().all(|intent| intent.tries > 0));
        assert!(fresh.take_up(&record, &of, id, UnixTime(5000)).is_err(), "it is known by now");
    }
    assert_eq!(fresh.pending("r1").unwrap().len(), 1);
    assert_eq!(fresh.template_of("r1").unwrap().unwrap().body, "A text");
    assert_eq!(fresh.holds(&app()).unwrap(), store.holds(&app()).unwrap());
    assert_eq!(store.record("r9").unwrap(), None);
}
