//! The sandboxes of `examples/`, as they stand there, around an agent that looks for what is not its own.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::world::{GOOD_AGENT, World, find};

const TOKEN: &str = "s3cr3t-of-the-forge";

/// The `wrap` of an example, as TOML; `None` where its program does not work here, which is said.
fn wrap(example: &str, trial: &[&str]) -> Option<String> {
    let works = Command::new(trial[0]).args(&trial[1..]).output().is_ok_and(|o| o.status.success());
    if !works {
        let word = format!("skipped: {} does not work here, so examples/{example} is not tried\n", trial[0]);
        std::io::stderr().write_all(word.as_bytes()).unwrap();
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let table: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    Some(table["runner"]["agent"]["wrap"].to_string())
}

/// A world with a second repo, a token in a file and in offhours' environment, and an agent that takes what it can get
/// and leaves it in its result.
fn world(wrap: &str) -> World {
    let mut world = World::new();
    world.repo("me/other");
    world.person_pushes("me/other", "theirs.txt", "the other repo's code");
    fs::write(world.path("home/.token"), TOKEN).unwrap();
    world.env.push(("FORGE_TOKEN".to_owned(), TOKEN.to_owned()));
    world.configure(
        &["home:me/app", "home:me/other"],
        &format!("[runner.agent]\nargv = [\"/bin/sh\", \"-c\", \"sh ./agent\"]\n{wrap}"),
    );
    world.env.push(("HOME".to_owned(), world.path("home").to_str().unwrap().to_owned()));
    // Before the state file is there, such folders are what a lost one has left.
    world.tick();
    for theirs in ["repos", "work"] {
        fs::create_dir_all(world.path(&format!("one/{theirs}/home/me/other/thing"))).unwrap();
    }
    // The script comes with the repo: nothing outside of the workspace is there to be run.
    let here = world.path("");
    let here = here.to_str().unwrap().trim_end_matches('/');
    let script = format!(
        "#!/bin/sh\nset -u\nnumber=1\ncat > /dev/null\nloot=''\n\
         take() {{ if found=$(eval \"$2\" 2>/dev/null) && [ -n \"$found\" ]; then loot=\"$loot $1\"; fi; }}\n\
         take config 'cat {here}/config.toml'\n\
         take state 'head -c 6 {here}/one/state.db'\n\
         take tracker 'git -C {here}/tracker/me/other/repo.git show main:theirs.txt'\n\
         take private 'ls {here}/one/repos/home/me | grep other'\n\
         take clones 'ls {here}/one/work/home/me/other'\n\
         take file 'grep s3cr3t {here}/home/.token'\n\
         take home 'grep s3cr3t ~/.token'\n\
         take environ 'cat /proc/[0-9]*/environ | tr \"\\\\0\" \"\\\\n\" | grep ^FORGE_TOKEN'\n\
         echo x 2>/dev/null > {here}/planted || true\n\
         printf '{{\"outcome\":\"done\",\"summary\":\"loot:%s\",\"cost_usd\":0}}' \"$loot\" > \"$OFFHOURS_RESULT\"\n\
         set -e\ngit log -1 --format=%s > /dev/null\n{GOOD_AGENT}"
    );
    world.person_pushes("me/app", "agent", &script);
    world
}

/// What the agent got hold of; its work is landed all the same.
fn loot(world: &World) -> Vec<String> {
    world.ready("me/app", "Look around", &[]);
    // A process of ours that has the token in its environment while the agent looks.
    let mut keeper = Command::new("sleep").arg("600").env("FORGE_TOKEN", TOKEN).spawn().unwrap();
    let told = world.until_idle();
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    let log = find(&world.path("one/work"), "stderr.log");
    let log: String = log.iter().map(|f| fs::read_to_string(f).unwrap_or_default()).collect();
    assert!(told.contains(&"me/app#1 done".to_owned()), "{told:?}\n{log}\n{:?}", world.comments("me/app", 1));
    assert!(world.files("me/app").contains(&"done-1.txt".to_owned()));
    assert_eq!(world.processes(), Vec::<String>::new());
    let shown = world.offhours(&["run", "show", "me/app#1"]).ok().stdout;
    let words = shown.lines().find_map(|line| line.trim().strip_prefix("loot:"));
    let words = words.unwrap_or_else(|| panic!("{shown}")).split_whitespace();
    let mut loot: Vec<String> = words.map(str::to_owned).collect();
    // In the sandbox this name may be free: what counts is what lies out here.
    if world.path("planted").exists() {
        loot.push("planted".to_owned());
    }
    loot
}

#[test]
fn without_a_sandbox_an_agent_gets_at_everything() {
    // What the other tests would see if their sandbox were none.
    let got = loot(&world(""));
    assert_eq!(got, ["config", "state", "tracker", "private", "clones", "file", "environ", "planted"]);
}

#[test]
fn inside_bubblewrap_there_is_nothing_but_the_work() {
    let Some(wrap) = wrap("bubblewrap.toml", &["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"])
    else {
        return;
    };
    assert_eq!(loot(&world(&format!("wrap = {wrap}\n"))), Vec::<String>::new());
}

#[test]
fn inside_a_service_of_the_user_manager_files_of_others_are_not_there() {
    let trial = ["systemd-run", "--user", "--quiet", "--wait", "--pipe", "-p", "ProtectHome=tmpfs", "true"];
    let Some(wrap) = wrap("systemd-run.toml", &trial) else { return };
    let got = loot(&world(&format!("wrap = {wrap}\n")));
    // As it says: processes of the user can be seen there.
    assert!(got.iter().all(|what| what == "environ"), "{got:?}");
}
