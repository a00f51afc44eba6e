//! A whole upgrade (red, repaired, green, taken down), ended at its boundaries: still exactly one pull request, two triggers, one
//! summary. A small slice by default; `OFFHOURS_FULL_MATRIX=1` tries every boundary,
//! `OFFHOURS_TICK=9` only those of one tick.

use std::fs;

use super::place::Place;

/// By default every so many boundaries one is tried.
const EVERY: usize = 53;
const MAX_TICKS: usize = 30;

fn place() -> Place {
    let place = Place::new();
    let ci = place.world.script("ci.sh", "#!/bin/sh\ngrep -q 1.1.0 compose.yml && [ -e fixed.conf ]\n");
    let agent =
        place.agent("echo fixed > fixed.conf\nreply '\"outcome\":\"repaired\",\"summary\":\"a config\"'\n");
    let bridge = format!("[upgrade.bridge]\nenabled = true\nargv = [\"{}\"]\n", ci.display());
    place.configure(&format!("runner = \"fixer\"\n{}", place.teardown()), &format!("{agent}{bridge}"));
    place
}

/// One tick; ended at a boundary where one is named. Its boundaries, in order.
fn tick(place: &Place, args: &[&str], kill: Option<usize>) -> Vec<String> {
    let log = place.world.path("log");
    drop(fs::remove_file(&log));
    drop(fs::remove_file(place.world.path("log.ended")));
    let mut command = place.world.command(args);
    command.env("OFFHOURS_BOUNDARY_LOG", &log);
    if let Some(number) = kill {
        command.env("OFFHOURS_CRASH", format!("tick:{number}"));
    }
    command.output().unwrap();
    place.world.jobs_end();
    let text = fs::read_to_string(&log).unwrap_or_default();
    text.lines().filter(|l| l.starts_with("tick:")).map(str::to_owned).collect()
}

/// Leads the batch on to its end. What was ended between the summary and its delivery takes one more tick.
fn finish(place: &Place) {
    for n in 0..MAX_TICKS {
        if n > 0 && place.status()["standing"] == "IDLE" && place.status()["summary"].is_string() {
            return;
        }
        tick(place, &["upgrade"], None);
        place.world.advance(30);
    }
    panic!("it never ended: {}", place.status());
}

/// What has to hold, however often it was ended.
fn judge(place: &Place, context: &str) {
    assert_eq!(place.line("blog"), "RESULT: SUCCESS", "{context}: {}", place.status());
    assert_eq!(place.pulls("recipes/blog"), 1, "{context}");
    // A number that was taken right before the end is not given again.
    let number: u64 = place.recipe_of("blog")["pull"].as_str().unwrap().parse().unwrap();
    let comments = place.comments("recipes/blog", number);
    assert_eq!(place.triggers("recipes/blog", number), 2, "{context}: {comments:?}");
    for trial in ["Trial 1 of 3: RED", "Trial 2 of 3: GREEN"] {
        assert_eq!(comments.iter().filter(|c| c.contains(trial)).count(), 1, "{context}: {comments:?}");
    }
    let summaries = place.world.notices();
    let told: Vec<_> = summaries.iter().filter(|n| n["kind"] == "upgrade_summary").collect();
    // One that was ended while it was told is told again, and says so.
    let first = told.iter().filter(|n| n["possible_repeat"] == false).count();
    assert!(!told.is_empty() && told.len() <= 2 && first <= 1, "{context}: {told:?}");
    assert!(told.iter().all(|n| n["key"] == told[0]["key"]), "{context}: {told:?}");
    assert_eq!(place.branches("recipes/blog"), ["main", "upgrade/blog/1.1.0+1.1.0"], "{context}");
    assert_eq!(place.pushes().len(), 2, "{context}: {:?}", place.pushes());
    let torn = fs::read_to_string(place.world.path("torn")).unwrap();
    assert_eq!(torn, "check blog\ndown blog\ncheck blog\n", "{context}");
    assert!(place.world.processes().is_empty(), "{context}");
    let state = rusqlite::Connection::open(place.world.state()).unwrap();
    let pending: i64 = state
        .query_row("SELECT COUNT(*) FROM upgrade_intents WHERE state = 'pending'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(pending, 0, "{context}");
}

/// The ticks of a whole upgrade, each with its boundaries.
fn reference() -> Vec<Vec<String>> {
    let place = place();
    let mut ticks = vec![tick(&place, &["upgrade", "start"], None)];
    for _ in 0..MAX_TICKS {
        ticks.push(tick(&place, &["upgrade"], None));
        place.world.advance(30);
        if place.status()["summary"].is_string() {
            break;
        }
    }
    judge(&place, "undisturbed");
    assert_eq!(place.world.notices().iter().filter(|n| n["kind"] == "upgrade_summary").count(), 1);
    ticks
}

#[test]
fn a_whole_upgrade_survives_being_ended() {
    let full = std::env::var_os("OFFHOURS_FULL_MATRIX").is_some();
    let only: Option<usize> = std::env::var("OFFHOURS_TICK").ok().map(|at| at.parse().unwrap());
    let ticks = reference();
    let all: Vec<(usize, usize)> = (0..ticks.len())
        .flat_map(|at| (1..=ticks[at].len()).map(move |number| (at, number)))
        .filter(|(at, _)| only.is_none_or(|only| only == *at))
        .collect();
    assert!(only.is_some() || all.len() > 100, "{}", all.len());
    let every = if full { 1 } else { EVERY };
    let mut wrong = vec![];
    for (at, number) in all.iter().copied().step_by(every) {
        let context = format!("tick {at} ended at {}", ticks[at][number - 1]);
        let result = std::panic::catch_unwind(|| {
            let place = place();
            for (n, _) in ticks.iter().enumerate().take(at + 1) {
                let args: &[&str] = if n == 0 { &["upgrade", "start"] } else { &["upgrade"] };
                tick(&place, args, (n == at).then_some(number));
                if n > 0 {
                    place.world.advance(30);
                }
            }
            // Where the very beginning was ended nothing began.
            if place.status()["batch"].is_null() {
                tick(&place, &["upgrade", "start"], None);
            }
            finish(&place);
            judge(&place, &context);
        });
        if result.is_err() {
            wrong.push(context.clone());
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
