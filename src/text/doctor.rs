//! What is wrong with an installation: pure checks over facts that were gathered before. Each finding that is not good
//! has one remedy. A further check is a function more in the list of checks.

use std::path::Path;

use super::lock::remove;
use crate::domain::escape::sanitize;
use crate::domain::lock::ALARM_SECONDS;
use crate::domain::moment::{format_duration, format_time};
use crate::domain::schedule::{Firing, firing, often};

mod finding;
mod forge;

use crate::domain::doctor::{DiskFacts, Facts, Namespace, RepoFacts, Start};
pub use finding::{Finding, Level};
use finding::{bad, good, note};
use forge::{clock, rights, tokens};

const CHECKS: &[fn(&Facts) -> Vec<Finding>] =
    &[switch, programs, runners, tokens, repos, secrets, state, disks, clock, schedule, people];

/// Every finding, in the order in which one would look.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(facts)).collect()
}

fn switch(facts: &Facts) -> Vec<Finding> {
    if facts.repos.is_empty() {
        return vec![note("switch", "no repo is on the allowlist: nothing starts", "offhours arm REPO")];
    }
    if facts.off.is_empty() {
        let n = facts.repos.len();
        return vec![good("switch", format!("armed for {n} repo{}", if n == 1 { "" } else { "s" }))];
    }
    vec![note(
        "switch",
        format!("it is off: {}", facts.off.join("; ")),
        "offhours arm REPO, or offhours resume",
    )]
}

fn where_looked(facts: &Facts) -> &'static str {
    if facts.as_cron { "on the PATH that cron has" } else { "on the PATH" }
}

fn programs(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![];
    match facts.git {
        None => found.push(bad(
            "git",
            format!("git is not {}", where_looked(facts)),
            "install git, or add its folder to the PATH",
        )),
        // `merge-tree --write-tree` is of 2.38.
        Some((major, minor)) if (major, minor) < (2, 38) => {
            found.push(bad("git", format!("git {major}.{minor} is too old"), "install git 2.38 or newer"));
        }
        Some((major, minor)) => found.push(good("git", format!("git {major}.{minor}"))),
    }
    for program in facts.programs.iter().filter(|p| !p.found) {
        found.push(bad(
            "program",
            format!(
                "`{}` ({}) is not {}",
                sanitize(&program.program, 80),
                program.purpose,
                where_looked(facts)
            ),
            "install it, write its whole path, or run `offhours schedule install` from a shell that finds it",
        ));
    }
    if facts.signs_commits {
        found.push(note(
            "git-signing",
            "the git configuration among the agents' home_files signs commits, and the agents have no key",
            "leave .gitconfig out of home_files, or give the agents one without commit.gpgsign",
        ));
    }
    found
}

fn runners(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![];
    if facts.runners.is_empty() {
        found.push(bad("runner", "no runner is configured", "add [runner.NAME] with the argv of your agent"));
    }
    for runner in &facts.runners {
        let (name, program) = (sanitize(&runner.name, 40), sanitize(&runner.program, 80));
        if !runner.found {
            found.push(bad(
                "runner",
                format!("{name}: `{program}` is not {}", where_looked(facts)),
                "write its whole path in argv, or run `offhours schedule install` from a shell that finds it",
            ));
            continue;
        }
        match &runner.start {
            Start::Good => found.push(good("runner", format!("{name}: `{program}` starts"))),
            Start::NotTried => found.push(good("runner", format!("{name}: `{program}` is there"))),
            Start::Failed(why) => found.push(bad(
                "runner",
                format!("{name}: `{program} --version` {}", sanitize(why, 200)),
                "start it by hand as the user that runs offhours",
            )),
        }
        if !runner.wrapped {
            found.push(note(
                "sandbox",
                format!("{name} has no sandbox: the agent can do whatever your user can"),
                format!(
                    "set `wrap` in [runner.{name}] (bwrap, systemd-run, docker run), or use a user of its own"
                ),
            ));
        }
        if !runner.unset.is_empty() {
            found.push(note(
                "runner-env",
                format!("{name} is to get {}, which is not set{}", runner.unset.join(", "), if facts.as_cron { " where cron starts it" } else { "" }),
                "set it where offhours is started (in the crontab line, the unit or the workflow), or use home_files",
            ));
        }
    }
    found
}

fn locked(repo: &RepoFacts, path: &str, age: i64) -> Finding {
    let what = format!("{}: {} locks it since {}", repo.name, sanitize(path, 300), format_duration(age));
    let remedy = format!("where no git is at work any more: {}", remove(Path::new(path)));
    if age < ALARM_SECONDS { note("lock", what, remedy) } else { bad("lock", what, remedy) }
}

fn repos(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![];
    for repo in &facts.repos {
        if let Some(why) = &repo.unreadable {
            found.push(bad(
                "repo",
                format!("{}: {}", repo.name, sanitize(why, 300)),
                "correct the allowlist or the forge's path, URL or token",
            ));
            continue;
        }
        if let Some(why) = &repo.claims {
            found.push(bad(
                "claims",
                format!("{}: its claims cannot be read: {}", repo.name, sanitize(why, 300)),
                "check that git reaches the repository and may push to it",
            ));
        } else {
            found.push(good("repo", format!("{} can be read, its claims too", repo.name)));
            found.push(namespace(repo));
        }
        found.extend(repo.locks.iter().map(|(path, age)| locked(repo, path, *age)));
        found.extend(rights(repo));
        if !repo.checks {
            found.push(note(
                "checks",
                format!(
                    "{} has no CI stage: no checks is not green, and work comes back as no-checks",
                    repo.name
                ),
                "add [[ci.stage]], or say ci.required = [] for it",
            ));
        }
        if !repo.verify {
            found.push(note(
                "verify",
                format!("{} has no `verify`: what is pushed was tested by nobody before", repo.name),
                "set verify to the repo's own tests",
            ));
        }
    }
    found
}

fn namespace(repo: &RepoFacts) -> Finding {
    let name = &repo.name;
    match &repo.namespace {
        Namespace::NotTried(why) => {
            good("claims", format!("{name}: whether claims can be written was not tried: {why}"))
        }
        Namespace::At { place, refused: None } => {
            good("claims", format!("{name}: claims can be written to {place}/"))
        }
        Namespace::At { place, refused: Some(said) } => note(
            "claims",
            format!(
                "{name}: the server refuses refs/offhours/ ({}), so claims are written to {place}/ and show among \
                 the branches",
                sanitize(said, 120)
            ),
            "nothing has to be done; let the account push to refs/offhours/ if they are in the way",
        ),
        Namespace::Trouble(why) => bad(
            "claims",
            format!(
                "{name}: claims cannot be written, and nothing starts without one: {}",
                sanitize(why, 300)
            ),
            "let the account create and delete refs below refs/offhours/ or refs/heads/offhours/: look at the token, \
             the rules for branches, and the server's hooks",
        ),
    }
}

fn secrets(facts: &Facts) -> Vec<Finding> {
    facts
        .secrets
        .iter()
        .map(|(key, trouble)| match trouble {
            None => good("secret", format!("{key} can be had")),
            Some(why) => bad(
                "secret",
                sanitize(why, 300),
                "set it where offhours is started; a file or a credential is there for cron, too",
            ),
        })
        .collect()
}

fn state(facts: &Facts) -> Vec<Finding> {
    let state = &facts.state;
    let mut found = vec![match &state.trouble {
        Some(why) => bad("state", sanitize(why, 400), "see `offhours state check`, `restore` and `adopt`"),
        None if state.exists => good("state", format!("{} is sound", state.path)),
        None => good("state", format!("{} is made by the first armed tick", state.path)),
    }];
    if let Some(at) = state.adopted_at {
        found.push(note(
            "state-adopted",
            format!("the state file was put back or taken over at {}: money spent before may be more than it knows", format_time(at)),
            "nothing, if the budgets have room; it is over with the month",
        ));
    }
    found
}

/// Below this a clone, a build and a bundle may not fit.
const LITTLE_DISK: u64 = 2 * 1024 * 1024 * 1024;
/// Below this even the state file is in danger.
const NO_DISK: u64 = 200 * 1024 * 1024;

fn disks(facts: &Facts) -> Vec<Finding> {
    let judge = |disk: &DiskFacts| {
        let free = disk.free_bytes / (1024 * 1024);
        let what = format!("{free} MB are free for the {} ({})", disk.what, disk.path);
        if disk.free_bytes < NO_DISK {
            bad("disk", what, "make room; `offhours` keeps working at the next tick")
        } else if disk.free_bytes < LITTLE_DISK {
            note("disk", what, "make room, or lower retention.salvage_keep_days")
        } else {
            good("disk", what)
        }
    };
    facts.disks.iter().map(judge).collect()
}

fn schedule(facts: &Facts) -> Vec<Finding> {
    let schedule = &facts.schedule;
    let mut found = vec![];
    if let Some(why) = &schedule.trouble {
        found.push(note(
            "schedule",
            sanitize(why, 300),
            "see `offhours schedule print` for what can be used elsewhere",
        ));
    }
    let Some((_, every, _)) = schedule.installed.first() else {
        found.push(note("schedule", "nothing starts the ticks from here", "offhours schedule install"));
        return found;
    };
    for (kind, every, old) in &schedule.installed {
        if *old {
            found.push(bad(
                "schedule",
                format!("{kind}: installed, but the program, the configuration, the state file or the PATH moved since"),
                format!("offhours schedule install {kind}"),
            ));
        } else {
            found.push(good("schedule", format!("{kind}: a tick {}", often(*every))));
        }
    }
    if schedule.installed.len() > 1 {
        found.push(note(
            "schedule",
            "more than one of them starts ticks",
            "offhours schedule remove, then install the one you want",
        ));
    }
    found.push(match firing(schedule.last_tick_ago, *every) {
        Firing::Good { ago } => good("firing", format!("the last tick was {} ago", format_duration(ago))),
        Firing::Pending => {
            note("firing", "no tick was seen yet", "offhours schedule verify --wait 300 --exit-code")
        }
        Firing::Silent { ago } => bad(
            "firing",
            format!("the last tick was {} ago", format_duration(ago)),
            "look whether cron runs, or `systemctl status offhours.timer`",
        ),
    });
    found
}

fn people(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![];
    if facts.notifiers == 0 {
        found.push(note(
            "notify",
            "nobody is told of hand-backs and alarms, except by the issue and by `status`",
            "add [notify.NAME]",
        ));
    }
    if facts.heartbeats == 0 {
        found.push(note(
            "heartbeat",
            "if the ticks stop, nobody outside notices",
            "add [heartbeat] with the URL of a healthchecks server",
        ));
    }
    found
}

/// 0 where nothing is bad, else 1.
pub fn verdict(findings: &[Finding]) -> u8 {
    u8::from(findings.iter().any(|f| f.level == Level::Bad))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::doctor::{
        Access, ForgeFacts, LabelFacts, ProgramFacts, RunnerFacts, ScheduleFacts, StateFacts, TokenFacts,
    };
    use crate::domain::model::{Permission, UnixTime};

    fn fine() -> Facts {
        Facts {
            now: UnixTime(1_772_445_600),
            repos: vec![RepoFacts {
                name: "home:me/app".to_owned(),
                access: Some(Ok(Access { held: Permission::Write, lacks: vec![], requires: None })),
                labels: Some(LabelFacts::default()),
                unreadable: None,
                locks: vec![],
                claims: None,
                namespace: Namespace::At { place: "refs/offhours".to_owned(), refused: None },
                verify: true,
                checks: true,
            }],
            runners: vec![RunnerFacts {
                name: "agent".to_owned(),
                program: "agent".to_owned(),
                found: true,
                start: Start::Good,
                wrapped: true,
                unset: vec![],
            }],
            git: Some((2, 43)),
            disks: vec![DiskFacts { what: "state", path: "/s".to_owned(), free_bytes: 1 << 40 }],
            forges: vec![ForgeFacts {
                name: "hub".to_owned(),
                app: false,
                token: Ok(TokenFacts {
                    login: "helper".to_owned(),
                    scopes: Some(vec!["repo".to_owned()]),
                    without: vec![],
                    expires_at: Some(UnixTime(1_772_445_600 + 30 * 86_400)),
                    server_time: Some(UnixTime(1_772_445_600)),
                }),
                asked_at: UnixTime(1_772_445_602),
            }],
            state: StateFacts { path: "/s/db".to_owned(), exists: true, trouble: None, adopted_at: None },
            schedule: ScheduleFacts {
                installed: vec![("crontab".to_owned(), 2, false)],
                trouble: None,
                last_tick_ago: Some(60),
            },
            secrets: vec![("notify.phone.url".to_owned(), None)],
            notifiers: 1,
            heartbeats: 1,
            ..Facts::default()
        }
    }

    #[test]
    fn a_healthy_installation_has_nothing_but_good_findings() {
        let found = examine(&fine());
        assert!(found.iter().all(|f| f.level == Level::Good && f.remedy.is_none()), "{found:#?}");
        assert_eq!(verdict(&found), 0);
    }

    /// Each fault alone: found under its own word, with a remedy, and by nothing else.
    #[test]
    fn each_fault_is_found_and_has_a_remedy() {
        type Fault = (&'static str, Level, fn(&mut Facts));
        let faults: Vec<Fault> = vec![
            ("switch", Level::Note, |f| f.off = vec!["the kill switch file exists".to_owned()]),
            ("git", Level::Bad, |f| f.git = None),
            ("git", Level::Bad, |f| f.git = Some((2, 30))),
            ("git-signing", Level::Note, |f| f.signs_commits = true),
            ("program", Level::Bad, |f| {
                f.programs = vec![ProgramFacts {
                    program: "make".to_owned(),
                    purpose: "verify".to_owned(),
                    found: false,
                }];
            }),
            ("runner", Level::Bad, |f| f.runners.clear()),
            ("runner", Level::Bad, |f| f.runners[0].found = false),
            ("runner", Level::Bad, |f| f.runners[0].start = Start::Failed("exited with code 1".to_owned())),
            ("sandbox", Level::Note, |f| f.runners[0].wrapped = false),
            ("runner-env", Level::Note, |f| f.runners[0].unset = vec!["KEY".to_owned()]),
            ("repo", Level::Bad, |f| f.repos[0].unreadable = Some("404".to_owned())),
            ("lock", Level::Note, |f| f.repos[0].locks.push(("/x/main.lock".to_owned(), 3599))),
            ("lock", Level::Bad, |f| f.repos[0].locks.push(("/x/main.lock".to_owned(), 3600))),
            ("claims", Level::Bad, |f| f.repos[0].claims = Some("403".to_owned())),
            ("claims", Level::Bad, |f| f.repos[0].namespace = Namespace::Trouble("declined".to_owned())),
            ("claims", Level::Note, |f| {
                f.repos[0].namespace = Namespace::At {
                    place: "refs/heads/offhours".to_owned(),
                    refused: Some("hidden".to_owned()),
                };
            }),
            ("checks", Level::Note, |f| f.repos[0].checks = false),
            ("verify", Level::Note, |f| f.repos[0].verify = false),
            ("secret", Level::Bad, |f| f.secrets[0].1 = Some("X is not set".to_owned())),
            ("state", Level::Bad, |f| f.state.trouble = Some("made on another machine".to_owned())),
            ("state-adopted", Level::Note, |f| f.state.adopted_at = Some(f.now)),
            ("disk", Level::Bad, |f| f.disks[0].free_bytes = 1),
            ("disk", Level::Note, |f| f.disks[0].free_bytes = 1 << 30),
            ("clock", Level::Bad, |f| f.forges[0].asked_at = UnixTime(1_772_442_000)),
            ("token", Level::Bad, |f| f.forges[0].token = Err("401".to_owned())),
            ("token", Level::Note, |f| {
                if let Ok(token) = &mut f.forges[0].token {
                    token.expires_at = Some(f.now.plus(13 * 86_400));
                }
            }),
            ("access", Level::Bad, |f| {
                f.repos[0].access =
                    Some(Ok(Access { held: Permission::Read, lacks: vec![], requires: None }));
            }),
            ("access", Level::Bad, |f| {
                let lacks = vec!["its issues are turned off".to_owned()];
                f.repos[0].access = Some(Ok(Access { held: Permission::Write, lacks, requires: None }));
            }),
            ("access", Level::Bad, |f| f.repos[0].access = Some(Err("500".to_owned()))),
            ("labels", Level::Note, |f| {
                f.repos[0].labels =
                    Some(LabelFacts { missing: vec!["needs-human".to_owned()], ..LabelFacts::default() });
            }),
            ("labels", Level::Bad, |f| {
                let missing = vec!["ready-for-agent".to_owned()];
                f.repos[0].labels =
                    Some(LabelFacts { missing, ready_missing: true, ..LabelFacts::default() });
            }),
            ("labels", Level::Bad, |f| {
                f.repos[0].labels =
                    Some(LabelFacts { trouble: Some("403".to_owned()), ..LabelFacts::default() });
            }),
            ("schedule", Level::Note, |f| f.schedule.installed.clear()),
            ("schedule", Level::Bad, |f| f.schedule.installed[0].2 = true),
            ("schedule", Level::Note, |f| f.schedule.trouble = Some("no crontab program".to_owned())),
            ("firing", Level::Note, |f| f.schedule.last_tick_ago = None),
            ("firing", Level::Bad, |f| f.schedule.last_tick_ago = Some(86_400)),
            ("notify", Level::Note, |f| f.notifiers = 0),
            ("heartbeat", Level::Note, |f| f.heartbeats = 0),
        ];
        for (check, level, fault) in faults {
            let mut facts = fine();
            fault(&mut facts);
            let wrong: Vec<Finding> =
                examine(&facts).into_iter().filter(|f| f.level != Level::Good).collect();
            assert_eq!(wrong.len(), 1, "{check}: {wrong:#?}");
            assert_eq!((wrong[0].check, wrong[0].level), (check, level), "{wrong:#?}");
            assert!(wrong[0].remedy.as_ref().is_some_and(|r| !r.is_empty()), "{wrong:#?}");
            assert_eq!(verdict(&wrong), u8::from(level == Level::Bad));
        }
    }
}
