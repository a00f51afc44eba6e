//! The fault matrix: each fault at each request of a story, API and git, on GitHub, Gitea and Forgejo. Nothing wrong is done, and the story comes to
//! its end once the fault is gone.
//!
//! By default a fixed slice is tried: storms, in which every so many requests of one story fail, each in another way, and
//! lost answers where something was just done. `OFFHOURS_FULL_MATRIX=1` tries each fault alone at each request,
//! `OFFHOURS_MATRIX_ONLY=429@17` only those whose place begins so, `OFFHOURS_MATRIX_FROM=60` those from the 60th request on,
//! `OFFHOURS_MATRIX_AT=/actions/runs` those at requests with these words.

use std::fmt::Write as _;
use std::fs;

use super::forge::{Dialect, Fault, Wrong};
use super::network_forge::Hub;
use super::world::{START, git};

/// Rounds of ticks after which a story has ended, however it was disturbed; the longest limit is over by then.
const MAX_ROUNDS: usize = 24;
const ROUND_SECONDS: i64 = 310;
/// What is slow is given up after this long: far above what loopback takes on a busy machine.
const SLOW_MILLIS: &str = "4000";

#[derive(Clone, Copy)]
struct Story {
    name: &'static str,
    set_up: fn(&Hub),
    /// What a person does between rounds of ticks; does nothing twice.
    person: fn(&Hub),
}

/// Quickstart's: asked for, worked on, pushed, green, closed.
const LANDS: Story = Story { name: "lands", set_up: lands, person: nobody };
/// A pull request that is red twice, reviewed and merged by us; every list has a second page, and nothing but the
/// timeline tells who asked.
const PULLED: Story = Story { name: "pulled", set_up: pulled, person: reviews };

fn nobody(_: &Hub) {}

fn lands(hub: &Hub) {
    hub.world.agent(&format!(
        "echo started >> {}\necho \"solved $number\" > done.txt\ngit add done.txt\ngit commit -q -m Solve\n",
        hub.world.path("starts").display()
    ));
    hub.ready("Solve it");
}

fn pulled(hub: &Hub) {
    hub.world.agent(&format!(
        "echo started >> {}\n\
         if [ -e red ]; then git rm -q red; echo solved > done.txt; git add done.txt; git commit -q -m 'Mend it'; else \
         echo 'assertion failed' > red; git add red; git commit -q -m 'Break it'; fi\n",
        hub.world.path("starts").display()
    ));
    hub.configure(
        &["me/app"],
        "verify = []\nlanding = \"pull-request\"\nmerge = \"when-green\"\n---\n[ci]\ngrace_seconds = 0\n",
    );
    let mut model = hub.sim.model.lock();
    model.most_per_page = 1;
    model.graphql = false;
    for (title, label) in [("Solve it", true), ("An earlier one", false), ("Another earlier one", false)] {
        let number = model.open("me/app", "ada", title, "Please.", &[]);
        if label {
            model.comment("me/app", number, "mallory", "Me too.");
            model.comment("me/app", number, "ada", "Mind the gap.");
            model.label("me/app", number, "ready-for-agent", Some("ada"), true);
        } else {
            model.issue("me/app", number).open = false;
        }
    }
    model.issue("me/app", 1).blocked_by = vec![2, 3];
}

fn reviews(hub: &Hub) {
    let mut model = hub.sim.model.lock();
    let fresh = model.repos["me/app"].pulls.first().filter(|p| p.reviews.is_empty()).map(|p| p.number);
    if let Some(number) = fresh {
        model.review("me/app", number, "mallory", "CHANGES_REQUESTED", "Never!", &[("red", 1, "no")]);
        model.review("me/app", number, "ada", "COMMENTED", "Fine by me", &[("red", 1, "yes")]);
    }
}

/// The world as it stands, without what differs from run to run.
fn outcome(hub: &Hub) -> String {
    let mut out = String::new();
    let starts = fs::read_to_string(hub.world.path("starts")).unwrap_or_default().lines().count();
    let model = hub.sim.model.lock();
    let repo = &model.repos["me/app"];
    writeln!(out, "turns: {starts}").unwrap();
    for issue in &repo.issues {
        writeln!(out, "#{} open {} {:?} {:?}", issue.number, issue.open, issue.reason, issue.labels).unwrap();
        for comment in &issue.comments {
            let first = comment.body.lines().find(|l| !l.starts_with("<!--")).unwrap_or_default();
            writeln!(out, "  {}: {first}", comment.by).unwrap();
        }
        let mut events: Vec<_> = issue.events.iter().map(|e| (e.kind, &e.label, &e.by)).collect();
        // A forge that forbids the label that shows others a run is at work hinders no run: the claim decides.
        for kind in ["labeled", "unlabeled"] {
            let shows = |e: &(&str, &Option<String>, &Option<String>)| {
                e.0 == kind && e.1.as_deref() == Some("agent-in-progress")
            };
            if let Some(at) = events.iter().position(shows) {
                events.remove(at);
            }
        }
        events.sort();
        writeln!(out, "  {events:?}").unwrap();
    }
    for pull in &repo.pulls {
        let merged = pull.merged.as_ref().map(|m| &m.0);
        writeln!(out, "pull {} into {} merged by {merged:?}", pull.number, pull.target).unwrap();
    }
    let attempts: Vec<_> = repo.checks.iter().map(|c| (&c.name, c.conclusion, c.attempt)).collect();
    writeln!(out, "checks {attempts:?}").unwrap();
    let bare = hub.world.bare("me/app");
    let log = git(&bare, &["log", "--format=%s", "--topo-order", "main"]);
    writeln!(out, "main {:?} {log}", hub.world.files("me/app")).unwrap();
    let refs: Vec<String> = hub.world.refs("me/app").into_iter().filter(|r| !r.contains("/issue-")).collect();
    writeln!(out, "refs {refs:?} of {}", hub.world.refs("me/app").len()).unwrap();
    // Where a fault is told, that it is over is told as well.
    let mut titles: Vec<String> =
        hub.world.notices().iter().map(|n| n["title"].as_str().unwrap_or_default().to_owned()).collect();
    let told: Vec<String> =
        titles.iter().filter_map(|t| t.strip_prefix("alarm: ")).map(str::to_owned).collect();
    for alarm in told {
        if let Some(at) = titles.iter().position(|t| t.strip_prefix("recovered: ") == Some(&alarm)) {
            titles.remove(at);
            titles.retain(|t| t.strip_prefix("alarm: ") != Some(&alarm));
        }
    }
    titles.sort();
    write!(out, "notices {titles:?}").unwrap();
    hub.world.plain(&out)
}

fn wrongs() -> Vec<(&'static str, Wrong)> {
    let answer = |status, headers, body: &str| Wrong::Answer(status, headers, body.to_owned());
    let json = r#"{"message":"not now"}"#;
    vec![
        ("500", answer(500, vec![], "")),
        ("502", answer(502, vec![], "<html><h1>Bad gateway</h1></html>")),
        ("403", answer(403, vec![], r#"{"message":"Resource not accessible"}"#)),
        (
            "403-limit",
            answer(
                403,
                vec![
                    ("x-ratelimit-remaining", "0".to_owned()),
                    ("x-ratelimit-reset", (START + 900).to_string()),
                ],
                json,
            ),
        ),
        ("403-secondary", answer(403, vec![], r#"{"message":"You have exceeded a secondary rate limit"}"#)),
        ("429", answer(429, vec![("retry-after", "30".to_owned())], json)),
        ("401", answer(401, vec![], r#"{"message":"Bad credentials"}"#)),
        ("404", answer(404, vec![], r#"{"message":"Not Found"}"#)),
        ("html", answer(200, vec![], "<html>maintenance</html>")),
        ("empty", answer(200, vec![], "")),
        ("lost", Wrong::LoseAnswer),
        ("truncated", Wrong::Truncate),
        ("slow", Wrong::Slow),
    ]
}

/// A story with these faults, to its end: what it came to, and every request.
fn play(dialect: Dialect, story: Story, faults: Vec<Fault>) -> (String, Vec<String>) {
    let mut hub = Hub::new(dialect);
    if faults.iter().any(|f| matches!(f.what, Wrong::Slow)) {
        hub.world.env.push(("OFFHOURS_NETWORK_MILLIS".to_owned(), SLOW_MILLIS.to_owned()));
    }
    (story.set_up)(&hub);
    hub.sim.model.lock().faults = faults;
    for _ in 0..MAX_ROUNDS {
        for _ in 0..4 {
            hub.world.tick();
            hub.world.jobs_end();
            (story.person)(&hub);
        }
        hub.world.until_idle();
        let over = !hub.is_open(1) && hub.world.claims("me/app").is_empty();
        let gone = hub.sim.model.lock().faults.iter().all(|f| f.times == 0);
        hub.world.advance(ROUND_SECONDS);
        if over && gone {
            hub.world.tick();
            break;
        }
    }
    let requests =
        hub.sim.model.lock().log.iter().map(|seen| format!("{} {}", seen.line, seen.status)).collect();
    (outcome(&hub), requests)
}

fn alone(at: usize, what: &Wrong) -> Vec<Fault> {
    vec![Fault { at: " /".to_owned(), skip: u32::try_from(at).unwrap(), times: 1, what: what.clone() }]
}

/// The lines in which two worlds differ.
fn differences(want: &str, got: &str) -> String {
    let lines = |a: &str, b: &str, sign: char| -> String {
        let gone = a.lines().filter(|l| !b.lines().any(|o| o == *l));
        gone.fold(String::new(), |sum, line| sum + &format!("    {sign} {line}\n"))
    };
    lines(want, got, '-') + &lines(got, want, '+')
}

/// Each fault alone at each request.
fn matrix(dialect: Dialect, story: Story) {
    let (want, requests) = play(dialect, story, vec![]);
    let only = std::env::var("OFFHOURS_MATRIX_ONLY").unwrap_or_default();
    let mut cases = vec![];
    let from = std::env::var("OFFHOURS_MATRIX_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let words = std::env::var("OFFHOURS_MATRIX_AT").unwrap_or_default();
    for at in (from..requests.len()).filter(|at| requests[*at].contains(&words)) {
        cases.extend(wrongs().into_iter().map(|(name, what)| (format!("{name}@{at}"), at, what)));
    }
    cases.retain(|(name, ..)| name.starts_with(&only));
    let started = std::time::Instant::now();
    let share = |mine: usize| -> Vec<String> {
        let mut wrong = vec![];
        for (name, at, what) in cases.iter().skip(mine).step_by(2) {
            let (got, seen) = play(dialect, story, alone(*at, what));
            if got != want {
                let line = seen.get(*at).cloned().unwrap_or_default();
                println!("{} on {dialect:?} {name} ({line}):\n{}", story.name, differences(&want, &got));
                wrong.push(format!("{name} ({line})"));
            }
        }
        wrong
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let other = scope.spawn(|| share(1));
        let mut wrong = share(0);
        wrong.extend(other.join().unwrap());
        wrong
    });
    println!("{} on {dialect:?}: {} cases in {} s", story.name, cases.len(), started.elapsed().as_secs());
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}\nwant {want}", wrong.len(), cases.len());
}

fn is_full() -> bool {
    std::env::var_os("OFFHOURS_FULL_MATRIX").is_some()
}

/// Every so many requests fail, each in another way; what is slow would cost the slice its time.
fn storm(every: u32, first: u32, turn: usize) -> Vec<Fault> {
    let mut kinds = wrongs();
    kinds.retain(|(name, _)| *name != "slow");
    let count = kinds.len();
    let kinds = kinds.into_iter().cycle().skip(turn).take(count);
    kinds
        .enumerate()
        .map(|(index, (_, what))| {
            let skip = if index == 0 { first } else { every - 1 };
            Fault { at: " /".to_owned(), skip, times: 1, what }
        })
        .collect()
}

fn slice(dialect: Dialect, story: Story) {
    if is_full() {
        return matrix(dialect, story);
    }
    let (want, requests) = play(dialect, story, vec![]);
    assert!(requests.len() > 20, "{requests:#?}");
    for (every, first, turn) in [(7, 1, 0), (11, 6, 7)] {
        let (got, seen) = play(dialect, story, storm(every, first, turn));
        assert_eq!(got, want, "{}: every {every}th from {first} in turn {turn}: {seen:#?}", story.name);
    }
}

#[test]
fn a_landing_survives_every_fault() {
    slice(Dialect::Github, LANDS);
}

#[test]
fn a_landing_on_gitea_survives_every_fault() {
    slice(Dialect::Gitea, LANDS);
}

#[test]
fn a_pull_request_survives_every_fault() {
    slice(Dialect::Github, PULLED);
}

#[test]
fn a_pull_request_on_forgejo_survives_every_fault() {
    slice(Dialect::Forgejo, PULLED);
}
