//! `upgrade schedule`: what is printed is accepted, what is installed is tried before, and a fire that does not come is missed.

use std::fs;
use std::process::Command;

use super::place::Place;
use crate::world::answer;

fn clock(place: &Place, at: i64) {
    fs::write(place.world.path("clock"), at.to_string()).unwrap();
}

fn fires(place: &Place, zone: &str) -> String {
    let printed = place.offhours(&["upgrade", "schedule", "print", "crontab", "--zone", zone]).ok().stdout;
    let line = printed.lines().find(|l| l.contains("upgrade start --scheduled")).unwrap().to_owned();
    line.split(" PATH=").next().unwrap().to_owned()
}

#[test]
fn the_hour_is_added_before_the_zone_over_midnight_sunday_and_summer_time() {
    let place = Place::new();
    let berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    for (at, zone, line) in [
        (1_772_445_600, "UTC0", "00 11 * * 1"),
        (1_772_445_659, "UTC0", "00 11 * * 1"),
        (1_772_445_600 + 13 * 3600 + 1800, "UTC0", "30 00 * * 2"),
        (1_772_445_600 + 6 * 86_400 - 10 * 3600 - 1800, "UTC0", "30 00 * * 0"),
        // 2026-03-29 00:30 UTC: an hour later the clocks have gone forward.
        (1_774_744_200, berlin, "30 03 * * 0"),
        // 2026-10-25 00:30 UTC: an hour later they have gone back.
        (1_792_888_200, berlin, "30 02 * * 0"),
    ] {
        clock(&place, at);
        assert_eq!(fires(&place, zone), line, "{at} {zone}");
    }
}

#[test]
fn systemd_accepts_the_units() {
    let place = Place::new();
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return;
    }
    let printed = place.offhours(&["upgrade", "schedule", "print", "systemd-user"]).ok().stdout;
    assert!(
        printed.contains("OnCalendar=Mon *-*-* 11:00:00 UTC\nPersistent=true\nAccuracySec=1s\n"),
        "{printed}"
    );
    let dir = place.world.path("units");
    fs::create_dir_all(&dir).unwrap();
    let mut files = vec![];
    for part in printed.split("# offhours-upgrade").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        let file = dir.join(format!("offhours-upgrade{name}"));
        fs::write(&file, text).unwrap();
        files.push(file);
    }
    assert_eq!(files.len(), 4);
    let checked = Command::new("systemd-analyze").arg("verify").arg("--user").args(&files).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    let ours: Vec<&str> =
        said.lines().filter(|l| l.contains("offhours") && !l.contains("not executable")).collect();
    assert!(ours.is_empty(), "{said}");
}

#[test]
fn install_tries_it_first_and_verify_tells_a_fire_from_a_missed_one() {
    let place = Place::new();
    let bin = place.world.path("bin");
    fs::create_dir_all(&bin).unwrap();
    let table = place.world.path("table");
    // Stands in for Debian's: it keeps one table, and takes only lines of five fields and a command.
    place.world.script(
        "bin/crontab",
        &format!(
            "#!/bin/sh\nif [ \"$1\" = -l ]; then cat {0} 2>/dev/null || {{ echo 'no crontab for ada' >&2; exit 1; }}; exit; fi\n\
             cat > {0}.new\ngrep -v '^#' {0}.new | grep -vE '^[0-9*/]+ [0-9*/]+ [*] [*] [0-6*] .' && exit 1\nmv {0}.new {0}\n",
            table.display()
        ),
    );
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run = |args: &[&str]| answer(&place.world.command(args).env("PATH", &path).output().unwrap());
    assert_eq!(run(&["upgrade", "schedule", "verify"]).code, 64, "nothing is installed");
    place.configure("version_label = \"nowhere\"\nenrolled_twice = 1\n", "");
    assert_ne!(run(&["upgrade", "schedule", "install"]).code, 0);
    assert!(!table.exists());
    place.configure("", "");
    let first = run(&["upgrade", "schedule", "install"]).ok();
    assert!(first.stdout.contains("2026-03-02 11:00 UTC"), "{}", first.stdout);
    run(&["upgrade", "schedule", "install"]).ok();
    let text = fs::read_to_string(&table).unwrap();
    assert_eq!(text.matches("upgrade start --scheduled").count(), 1, "{text}");
    assert!(text.contains("*/5 * * * *"), "{text}");
    assert!(place.pushes().is_empty(), "a rehearsal does nothing");
    assert!(run(&["upgrade", "status"]).ok().stdout.contains("next fire: 2026-03-02 11:00 UTC"));
    assert_eq!(run(&["upgrade", "schedule", "verify", "--exit-code"]).code, 75);
    place.world.advance(3600 + 120);
    run(&["upgrade", "start", "--scheduled"]).ok();
    assert_eq!(run(&["upgrade", "schedule", "verify", "--exit-code"]).code, 75, "no summary yet");
    place.settle();
    let branch = "upgrade/blog/1.1.0+1.1.0";
    place.status_of("recipes/blog", &place.head("recipes/blog", branch), 1, "success", "u");
    place.settle();
    assert_eq!(run(&["upgrade", "schedule", "verify", "--exit-code"]).code, 0);

    let place = Place::new();
    let run = |args: &[&str]| answer(&place.world.command(args).env("PATH", &path).output().unwrap());
    run(&["upgrade", "schedule", "install"]).ok();
    place.world.advance(3600 + 301);
    let missed = run(&["upgrade", "schedule", "verify"]);
    assert_eq!(missed.code, 1);
    assert!(missed.stdout.contains("does not fire"), "{}", missed.stdout);
}

#[test]
fn it_starts_under_an_empty_environment() {
    let place = Place::new();
    let mut command = Command::new(crate::world::BINARY);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", place.world.path("home"))
        .env("OFFHOURS_CLOCK_FILE", place.world.path("clock"))
        .arg("--config")
        .arg(place.world.path("config.toml"))
        .arg("--state")
        .arg(place.world.state())
        .args(["upgrade", "start", "--scheduled"]);
    let started = answer(&command.output().unwrap()).ok();
    assert!(started.stdout.contains("batch 1 begins"), "{}", started.stdout);
}
