//! What starts the ticks: a crontab and units that are ours and nobody else's, installed once however often.

use std::fs;
use std::path::PathBuf;

use super::world::{Answer, World, answer};

/// Stands for cron's own program: keeps the crontab in a file, and says what the real one says where there is none.
const CRONTAB: &str = r#"#!/bin/sh
file="$HOME/crontab"
case "$1" in
  -l) [ -e "$HOME/broken" ] && { echo "crontab: disk on fire" >&2; exit 1; }
      [ -e "$file" ] || { echo "no crontab for me" >&2; exit 1; }; cat "$file" ;;
  -) cat > "$file.new" && mv "$file.new" "$file" ;;
esac
"#;

/// Stands for systemctl: writes down what it was told.
const SYSTEMCTL: &str = "#!/bin/sh\necho \"$*\" >> \"$HOME/systemctl\"\n";

struct ForgeAdmin {
    world: World,
}

impl ForgeAdmin {
    fn new() -> Self {
        let world = World::new();
        fs::create_dir_all(world.path("bin")).unwrap();
        world.script("bin/crontab", CRONTAB);
        world.script("bin/systemctl", SYSTEMCTL);
        Self { world }
    }

    fn offhours(&self, args: &[&str]) -> Answer {
        let path = format!("{}:/usr/bin:/bin", self.world.path("bin").display());
        answer(&self.world.command(args).env("PATH", path).output().unwrap())
    }

    fn crontab(&self) -> String {
        fs::read_to_string(self.world.path("home/crontab")).unwrap_or_default()
    }

    fn unit(&self, name: &str) -> PathBuf {
        self.world.path("home/.config/systemd/user").join(name)
    }
}

#[test]
fn a_crontab_block_is_installed_once_and_taken_out_whole() {
    let desk = ForgeAdmin::new();
    let mine = "MAILTO=me\n0 5 * * * backup # mine\n";
    fs::write(desk.world.path("home/crontab"), mine).unwrap();
    let missing = desk.offhours(&["schedule", "verify", "--exit-code"]);
    assert_eq!(missing.code, 1, "{}", missing.stdout);

    let dry = desk.offhours(&["schedule", "install", "--dry-run"]).ok();
    assert!(dry.stdout.contains("*/2 * * * * PATH="), "{}", dry.stdout);
    assert_eq!(desk.crontab(), mine, "a dry run writes nothing");

    desk.offhours(&["schedule", "install"]).ok();
    let once = desk.crontab();
    assert!(once.starts_with(mine) && once.contains(" tick\n"), "{once}");
    let line = once.lines().find(|l| l.ends_with(" tick")).unwrap();
    assert!(line.contains("--config /") && line.contains("--state /"), "whole paths: {line}");
    desk.offhours(&["schedule", "install"]).ok();
    assert_eq!(desk.crontab(), once, "twice is once");
    desk.offhours(&["schedule", "install", "--every", "15"]).ok();
    assert_eq!(desk.crontab().matches("# BEGIN offhours").count(), 1);
    assert!(desk.crontab().contains("*/15 * * * *"));
    assert_eq!(desk.offhours(&["schedule", "install", "--every", "7"]).code, 64);

    desk.offhours(&["schedule", "remove"]).ok();
    assert_eq!(desk.crontab(), mine);
    let nothing = desk.offhours(&["schedule", "remove"]).ok();
    assert!(nothing.stdout.contains("no schedule of this configuration was there"), "{}", nothing.stdout);
}

/// A crontab that cannot be read is never taken for an empty one.
#[test]
fn a_crontab_that_cannot_be_read_is_left_alone() {
    let desk = ForgeAdmin::new();
    fs::write(desk.world.path("home/crontab"), "0 5 * * * precious\n").unwrap();
    desk.world.touch("home/broken");
    let refused = desk.offhours(&["schedule", "install"]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("disk on fire"), "{}", refused.stderr);
    assert_eq!(desk.crontab(), "0 5 * * * precious\n");
}

#[test]
fn units_are_installed_and_removed_and_a_foreign_one_is_left_alone() {
    let desk = ForgeAdmin::new();
    let folder = desk.unit("");
    fs::create_dir_all(&folder).unwrap();
    fs::write(desk.unit("offhours.timer"), "[Timer]\n# somebody's own\n").unwrap();
    let refused = desk.offhours(&["schedule", "install", "systemd-user"]);
    assert_eq!(refused.code, 64, "{}", refused.stderr);
    assert!(refused.stderr.contains("was not made by offhours"), "{}", refused.stderr);
    fs::remove_file(desk.unit("offhours.timer")).unwrap();
    for _ in 0..2 {
        desk.offhours(&["schedule", "install", "systemd-user", "--every", "5"]).ok();
    }
    let service = fs::read_to_string(desk.unit("offhours.service")).unwrap();
    assert!(service.contains("KillMode=process"), "{service}");
    assert!(fs::read_to_string(desk.unit("offhours.timer")).unwrap().contains("OnCalendar=*:0/5"));
    let told = fs::read_to_string(desk.world.path("home/systemctl")).unwrap();
    assert!(told.contains("--user daemon-reload\n--user enable --now offhours.timer\n"), "{told}");
    let verify = desk.offhours(&["schedule", "verify"]).ok();
    assert!(verify.stdout.contains("systemd-user: a tick every 5 minutes"), "{}", verify.stdout);

    desk.offhours(&["schedule", "remove"]).ok();
    assert!(!desk.unit("offhours.service").exists() && !desk.unit("offhours.timer").exists());
    let told = fs::read_to_string(desk.world.path("home/systemctl")).unwrap();
    assert!(told.contains("--user disable --now offhours.timer"), "{told}");
}

/// systemd's own judge, where this machine has it.
#[test]
fn the_units_are_good_in_the_eyes_of_systemd() {
    let desk = ForgeAdmin::new();
    let folder = desk.world.path("units");
    fs::create_dir_all(&folder).unwrap();
    for kind in ["systemd-user", "systemd-system"] {
        let text = desk.offhours(&["schedule", "print", kind]).ok().stdout;
        let (service, timer) = text.split_once("# offhours.timer\n").unwrap();
        fs::write(folder.join("offhours.service"), service).unwrap();
        fs::write(folder.join("offhours.timer"), timer).unwrap();
        let judged = std::process::Command::new("systemd-analyze")
            .args(["verify", "--man=no", "offhours.timer", "offhours.service"])
            .current_dir(&folder)
            .output();
        let Ok(judged) = judged else { return };
        let said = String::from_utf8_lossy(&judged.stderr).into_owned();
        // Other units of the machine, and a user that is not there yet, are not our text.
        let ours: Vec<&str> = said
            .lines()
            .filter(|l| l.contains("offhours") && !l.contains("User") && !l.contains("not running"))
            .filter(|l| l.contains("nknown") || l.contains("nvalid") || l.contains("ailed to parse"))
            .collect();
        assert!(ours.is_empty(), "{kind}: {said}");
    }
}

#[test]
fn verify_says_whether_it_fires() {
    let desk = ForgeAdmin::new();
    desk.offhours(&["schedule", "install"]).ok();
    let pending = desk.offhours(&["schedule", "verify", "--exit-code"]);
    assert_eq!(pending.code, 75, "{}", pending.stdout);
    desk.world.tick();
    let good = desk.offhours(&["schedule", "verify", "--exit-code"]);
    assert_eq!(good.code, 0, "{}", good.stdout);
    desk.world.advance(3600);
    let silent = desk.offhours(&["schedule", "verify", "--exit-code"]);
    assert_eq!(silent.code, 1, "{}", silent.stdout);
    assert!(silent.stdout.contains("it does not fire: the last tick was 1h 0m ago"), "{}", silent.stdout);
    desk.world.tick();
    // What is installed is not what would be installed now.
    let text = desk.crontab().replace("--state ", "--state /elsewhere");
    fs::write(desk.world.path("home/crontab"), text).unwrap();
    let old = desk.offhours(&["schedule", "verify", "--exit-code", "--json"]);
    assert_eq!(old.code, 1);
    assert_eq!(old.json()["items"][0]["installed"][0]["up_to_date"], false);
}

#[test]
fn every_kind_can_be_printed() {
    let desk = ForgeAdmin::new();
    for (kind, word) in [
        ("crontab", "# BEGIN offhours"),
        ("systemd-user", "[Timer]"),
        ("systemd-system", "StateDirectory=offhours"),
        ("kubernetes", "kind: CronJob"),
        ("github", "actions/cache/restore"),
        ("forgejo", "code.forgejo.org"),
    ] {
        let told = desk.offhours(&["schedule", "print", kind]).ok().stdout;
        assert!(told.contains(word), "{kind}: {told}");
    }
    assert_eq!(desk.offhours(&["schedule", "install", "kubernetes"]).code, 64);
}

#[test]
fn uninstall_takes_the_schedule_out_and_leaves_what_is_yours() {
    let desk = ForgeAdmin::new();
    desk.offhours(&["schedule", "install"]).ok();
    desk.world.agent("sleep 600\n");
    desk.world.ready("me/app", "Long", &[]);
    desk.world.tick();
    let refused = desk.offhours(&["uninstall"]);
    assert_eq!(refused.code, 64, "{}", refused.stdout);
    assert!(refused.stderr.contains("home:me/app#1"), "{}", refused.stderr);
    assert!(desk.crontab().contains("offhours"), "nothing was taken out");
    desk.offhours(&["run", "stop", "me/app#1"]).ok();
    for _ in 0..4 {
        desk.world.tick();
        desk.world.jobs_end();
    }
    let done = desk.offhours(&["uninstall"]).ok();
    assert!(!desk.crontab().contains("offhours"), "{}", desk.crontab());
    assert!(done.stdout.contains("left, because it is yours"), "{}", done.stdout);
    assert!(desk.world.state().exists() && desk.world.path("config.toml").exists());
    desk.offhours(&["uninstall", "--purge", "--dry-run"]).ok();
    assert!(desk.world.state().exists());
    desk.offhours(&["uninstall", "--purge"]).ok();
    let left: Vec<_> =
        fs::read_dir(desk.world.path("one")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!desk.world.path("config.toml").exists());
    assert!(desk.world.path("tracker/me/app/repo.git").exists(), "the forge is not ours to remove");
}

#[test]
fn completions_and_manual_pages_come_from_the_commands() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.offhours(&["completions", shell]).ok().stdout;
        assert!(script.contains("schedule"), "{shell}");
    }
    let page = world.offhours(&["man"]).ok().stdout;
    assert!(page.contains(".TH offhours 1") && page.contains("kill switch"), "{page}");
    world.offhours(&["man", "--dir", "pages"]).ok();
    for name in ["offhours.1", "offhours-schedule-install.1", "offhours-run-log.1"] {
        assert!(world.path("pages").join(name).exists(), "{name}");
    }
}
