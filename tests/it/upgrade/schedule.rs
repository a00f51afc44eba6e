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

/// Debian's own judge, where this machine has it; nobody's crontab is touched.
#[test]
fn cron_accepts_the_lines() {
    let Ok(usage) = Command::new("crontab").arg("-h").output() else { return };
    let usage = String::from_utf8_lossy(&[usage.stdout, usage.stderr].concat()).into_owned();
    if !usage.contains("dry run") {
        // Elsewhere the same letter means something else.
        return;
    }
    let place = Place::new();
    let file = place.world.path("lines");
    let judged = |text: &str| {
        fs::write(&file, text).unwrap();
        Command::new("crontab").arg("-n").arg(&file).output().unwrap()
    };
    assert!(!judged("61 * * * * false\n").status.success(), "a judge that accepts everything is none");
    for (at, zone) in
        [(1_772_445_600, "UTC0"), (1_774_744_200, "CET-1CEST,M3.5.0,M10.5.0/3"), (1_772_492_400, "UTC0")]
    {
        clock(&place, at);
        for args in [
            ["upgrade", "schedule", "print", "crontab", "--zone", zone].as_slice(),
            &["schedule", "print", "crontab"],
        ] {
            let text = place.offhours(args).ok().stdout;
            let said = judged(&text);
            assert!(said.status.success(), "{text}\n{}", String::from_utf8_lossy(&said.stderr));
        }
    }
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

/// `schedule remove` and `uninstall` take out what starts upgrades, too.
#[test]
fn what_was_installed_is_taken_out_again() {
    let place = Place::new();
    let home = place.world.path("home");
    fs::create_dir_all(place.world.path("bin")).unwrap();
    place.world.script(
        "bin/crontab",
        "#!/bin/sh\nif [ \"$1\" = -l ]; then cat \"$HOME/table\"; else cat > \"$HOME/new\"; mv \"$HOME/new\" \"$HOME/table\"; fi\n",
    );
    place.world.script("bin/systemctl", "#!/bin/sh\necho \"$*\" >> \"$HOME/told\"\n");
    let path = format!("{}:{}", place.world.path("bin").display(), std::env::var("PATH").unwrap());
    let run = |args: &[&str]| answer(&place.world.command(args).env("PATH", &path).output().unwrap());
    let mine = "0 5 * * * backup\n";
    fs::write(home.join("table"), mine).unwrap();
    let table = || fs::read_to_string(home.join("table")).unwrap();
    let units = home.join(".config/systemd/user");
    fs::create_dir_all(&units).unwrap();
    fs::write(units.join("other.timer"), "[Timer]\n").unwrap();
    let names = || {
        let mut names: Vec<String> = fs::read_dir(&units)
            .map(|d| d.map(|e| e.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    };
    for (take_out, both) in
        [(["schedule", "remove"].as_slice(), true), (&["uninstall"], true), (&["schedule", "remove"], false)]
    {
        if both {
            run(&["schedule", "install"]).ok();
            run(&["schedule", "install", "systemd-user"]).ok();
        }
        run(&["upgrade", "schedule", "install"]).ok();
        run(&["upgrade", "schedule", "install", "systemd-user"]).ok();
        assert_eq!(table().matches("# BEGIN offhours").count(), if both { 2 } else { 1 }, "{}", table());
        assert_eq!(names().len(), if both { 7 } else { 5 });
        drop(fs::remove_file(home.join("told")));
        let dry: Vec<&str> = take_out.iter().copied().chain(["--dry-run"]).collect();
        run(&dry).ok();
        assert_eq!(names().len(), if both { 7 } else { 5 }, "a dry run takes nothing out");
        run(take_out).ok();
        assert_eq!((table(), names()), (mine.to_owned(), vec!["other.timer".to_owned()]), "{take_out:?}");
        let told = fs::read_to_string(home.join("told")).unwrap();
        for timer in ["offhours-upgrade-start.timer", "offhours-upgrade.timer"] {
            assert!(told.contains(&format!("--user disable --now {timer}\n")), "{told}");
        }
        assert_eq!(run(&["upgrade", "schedule", "verify"]).code, 64, "no fire is expected any more");
    }
    // Not while a batch is at work.
    place.start(&[]);
    let refused = run(&["uninstall"]);
    assert_eq!(refused.code, 64, "{}", refused.stdout);
    assert!(refused.stderr.contains("the batch 1 of upgrades is at work"), "{}", refused.stderr);
    run(&["upgrade", "stop"]).ok();
    run(&["upgrade", "cleanup"]).ok();
    run(&["uninstall", "--purge"]).ok();
    let left: Vec<_> =
        fs::read_dir(place.world.path("one")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_tick_tells_of_upgrades() {
    let place = Place::new();
    let dry = place.offhours(&["tick", "--dry-run", "--json"]).ok().json();
    assert_eq!(dry["effects"], serde_json::json!([]));
    place.start(&[]);
    let dry = place.offhours(&["tick", "--dry-run", "--json"]).ok().json();
    let effects = dry["effects"].as_array().unwrap();
    assert!(
        !effects.is_empty() && effects.iter().all(|e| e.as_str().unwrap().starts_with("blog: ")),
        "{dry}"
    );
    assert!(place.pushes().is_empty());
    let told = place.offhours(&["tick", "--json"]).ok();
    assert_eq!(told.json()["command"], "tick");
    assert_eq!(told.json()["outcome"], "acted");
    let acted = crate::world::acted(&told);
    assert!(acted.iter().all(|line| line.starts_with("recipe blog ")) && !acted.is_empty(), "{acted:?}");
    assert_eq!(told.stdout.lines().count(), 1, "one envelope: {}", told.stdout);
}
