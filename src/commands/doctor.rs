//! `doctor`: gathers facts about the installation and says what is wrong, with one remedy each.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::{output, schedule};
use crate::app::{App, path_variable, probe, secret};
use crate::config::NotifyKind;
use crate::domain::doctor::{
    Access, DiskFacts, Facts, ForgeFacts, LabelFacts, Namespace, ProgramFacts, RepoFacts, RunnerFacts,
    ScheduleFacts, Start, StateFacts,
};
use crate::domain::model::RepoId;
use crate::error::Error;
use crate::ports::{Claiming as _, ForgeAdmin, PortResult};
use crate::text::doctor::{Finding, Level, examine, verdict};
use crate::tick::{Env, HostPolicy};
use clap::Args;
use serde_json::json;

#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Look with the PATH and the variables that cron gives
    #[arg(long)]
    pub as_cron: bool,
    /// Make the labels that a repo has not
    #[arg(long)]
    pub fix: bool,
}

/// What cron gives besides the line itself.
const CRON_PATH: &str = "/usr/bin:/bin";
const CRON_VARIABLES: [&str; 4] = ["HOME", "LOGNAME", "USER", "SHELL"];

pub fn run(app: &App, args: &DoctorArgs) -> Result<u8, Error> {
    let facts = gather(app, args)?;
    let findings = examine(&facts);
    let code = verdict(&findings);
    let items: Vec<_> = findings
        .iter()
        .map(|f| json!({ "check": f.check, "level": f.level.code(), "what": f.what, "remedy": f.remedy }))
        .collect();
    output::answer(&app.global, "doctor", &text(&findings), &items);
    Ok(if app.global.exit_code { code } else { 0 })
}

fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    // What is wrong stands last, where one reads.
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|f| f.level);
    for finding in sorted {
        let sign = match finding.level {
            Level::Good => "  ok  ",
            Level::Note => "note  ",
            Level::Bad => " BAD  ",
        };
        out.push_str(&format!("{sign}{}: {}\n", finding.check, finding.what));
        if let Some(remedy) = &finding.remedy {
            out.push_str(&format!("      -> {remedy}\n"));
        }
    }
    let of = |level: Level| findings.iter().filter(|f| f.level == level).count();
    let (bad, notes) = (of(Level::Bad), of(Level::Note));
    out.push_str(&match (bad, notes) {
        (0, 0) => "everything is well\n".to_owned(),
        (0, n) => format!("it works; {n} to know\n"),
        (b, n) => format!("{b} to mend, {n} to know\n"),
    });
    out
}

/// The environment in which a tick will be started.
struct Surroundings {
    path: String,
    variable: Box<dyn Fn(&str) -> Option<OsString>>,
}

fn surroundings(app: &App, as_cron: bool) -> Surroundings {
    if !as_cron {
        return Surroundings { path: path_variable(), variable: Box::new(crate::app::env) };
    }
    // The installed line brings a PATH of its own.
    let path = schedule::installed_path(app).unwrap_or_else(|| CRON_PATH.to_owned());
    Surroundings {
        path,
        variable: Box::new(|name| CRON_VARIABLES.contains(&name).then(|| crate::app::env(name)).flatten()),
    }
}

fn gather(app: &App, args: &DoctorArgs) -> Result<Facts, Error> {
    let as_cron = args.as_cron;
    let around = surroundings(app, as_cron);
    let installed = schedule::installed(app);
    let (installed, trouble) = match installed {
        Ok(found) => (found, None),
        Err(error) => (vec![], Some(error.what)),
    };
    let state = state(app);
    let usable = state.trouble.is_none();
    let beats = &app.config.heartbeat;
    // Each repo is asked in a world that cannot be written.
    let asked = if state.trouble.is_none() {
        Some(app.imagine((*app.config).clone()).equip_to_look(app)?)
    } else {
        None
    };
    let asked = asked.as_ref().map(|(env, host, _)| (env, host));
    let forges = forges(app, asked.map(|(env, _)| env));
    Ok(Facts {
        now: app.now(),
        off: app.switch.because.iter().map(|b| b.sentence().to_owned()).collect(),
        repos: repos(app, asked, args.fix)?,
        runners: runners(app, &around),
        programs: programs(app, &around.path),
        git: git_version(&around.path),
        disks: disks(app),
        forges,
        schedule: ScheduleFacts {
            installed: installed.iter().map(|i| (i.kind.to_owned(), i.every, i.old)).collect(),
            trouble,
            last_tick_ago: if usable { schedule::last_tick_ago(app)? } else { None },
        },
        state,
        secrets: app
            .config
            .secrets()
            .into_iter()
            .map(|(name, source)| {
                let had = if name.ends_with(crate::config::APP_KEY) {
                    secret::resolve_key(source, &name, &around.variable)
                } else {
                    secret::resolve(source, &name, &around.variable)
                };
                (name, had.err().map(|e| e.what))
            })
            .collect(),
        notifiers: app.config.notifiers.len(),
        heartbeats: [&beats.tick, &beats.poll, &beats.watch].into_iter().filter(|b| b.is_some()).count(),
        signs_commits: signs_commits(app, &around),
        as_cron,
    })
}

fn state(app: &App) -> StateFacts {
    let mut facts = StateFacts { path: app.state.display().to_string(), ..StateFacts::default() };
    facts.exists = app.state.exists();
    if !facts.exists {
        return facts;
    }
    let looked = app.store().and_then(|store| Ok((store.check()?, store.adopted_at()?)));
    match looked {
        Ok((damage, adopted)) => {
            facts.trouble = (!damage.is_empty()).then(|| format!("it is damaged: {}", damage.join("; ")));
            facts.adopted_at = adopted;
        }
        Err(error) => facts.trouble = Some(error.what),
    }
    facts
}

/// Every forge with a token, used by an armed repo or not.
fn forges(app: &App, env: Option<&Env>) -> Vec<ForgeFacts> {
    let Some(env) = env else { return vec![] };
    let with_token = env.forges.iter().filter_map(|(name, forge)| Some((name, forge.admin()?)));
    with_token
        .map(|(name, desk)| ForgeFacts {
            name: name.clone(),
            app: app.config.forges.get(name).is_some_and(|forge| forge.app_id.is_some()),
            token: desk.token().map_err(|e| e.to_string()),
            asked_at: env.now(),
        })
        .collect()
}

/// The labels that a repo has not; `fix` makes them, with the real forge.
fn labels(
    app: &App,
    host: &HostPolicy,
    id: &RepoId,
    desk: &dyn ForgeAdmin,
    fix: bool,
) -> Result<LabelFacts, Error> {
    let mut facts = LabelFacts::default();
    let wanted = (host.repo)(id).map(|policy| policy.labels()).unwrap_or_default();
    let have = match desk.labels(id) {
        Ok(have) => have,
        Err(error) => {
            facts.trouble = Some(error.to_string());
            return Ok(facts);
        }
    };
    let missing = crate::domain::silence::missing(&wanted, &have);
    let real = if fix && !app.global.dry_run && !missing.is_empty() { Some(app.forge(id)?) } else { None };
    for name in missing {
        match real.as_ref().and_then(|forge| forge.admin()) {
            None => facts.missing.push(name),
            Some(desk) => {
                let (colour, meaning) = look_of(app, &name);
                match desk.make_label(id, &name, colour, meaning) {
                    Ok(()) => facts.made.push(name),
                    Err(error) => {
                        facts.trouble = Some(error.to_string());
                        facts.missing.push(name);
                    }
                }
            }
        }
    }
    facts.ready_missing = facts.missing.iter().any(|name| *name == app.config.global.ready_label);
    Ok(facts)
}

/// Colour and meaning of a label of ours.
fn look_of(app: &App, name: &str) -> (&'static str, &'static str) {
    let global = &app.config.global;
    if name == global.ready_label {
        ("0e8a16", "Ready to be worked on by an agent")
    } else if name == global.in_progress_label {
        ("1d76db", "An agent is at work")
    } else if name == global.review_label {
        ("fbca04", "Waits for a person's review")
    } else {
        ("d93f0b", "An agent could not go on: over to a person")
    }
}

fn repos(app: &App, asked: Option<(&Env, &HostPolicy)>, fix: bool) -> Result<Vec<RepoFacts>, Error> {
    let told = |answer: PortResult<()>| answer.err().map(|e| e.to_string());
    let mut found = vec![];
    for id in &app.config.allowlist {
        let config = app.config.repo(id);
        let ask = |look: &dyn Fn(&Env) -> PortResult<()>| asked.and_then(|(env, _)| told(look(env)));
        let unreadable = ask(&|w| w.forge(id)?.remote(id).map(drop));
        let claims = if unreadable.is_some() {
            None
        } else {
            ask(&|w| {
                let remote = w.forge(id)?.remote(id)?;
                w.git.claims(id, &remote).map(drop)
            })
        };
        let readable = asked.filter(|_| unreadable.is_none());
        let desk = readable.and_then(|(env, host)| Some((host, env.forge(id).ok()?.admin()?)));
        let access = desk.map(|(_, desk)| desk.access(id).map_err(|e| e.to_string()));
        let may = access.as_ref().is_none_or(|told| told.as_ref().is_ok_and(Access::enough));
        let namespace = match readable.filter(|_| claims.is_none()) {
            None => Namespace::NotTried("they cannot be read"),
            Some(_) if !may => Namespace::NotTried("the token may not write there"),
            Some((env, _)) => namespace(app, env, id)?,
        };
        let locks = readable.map_or_else(Vec::new, |(env, _)| locks(env, id));
        found.push(RepoFacts {
            name: id.to_string(),
            locks,
            access,
            labels: desk.map(|(host, desk)| labels(app, host, id, desk, fix)).transpose()?,
            unreadable,
            claims,
            namespace,
            verify: !config.run.verify.is_empty(),
            checks: !config.stages.is_empty() || config.ci.required.as_ref().is_some_and(Vec::is_empty),
        });
    }
    Ok(found)
}

/// What cannot be looked at is told by what needs it.
fn locks(env: &Env, id: &RepoId) -> Vec<(String, i64)> {
    let on_forge = env.forge(id).and_then(|forge| forge.locks(id));
    let found = on_forge.into_iter().chain(env.git.locks(id)).flatten();
    found.map(|lock| (lock.path.display().to_string(), env.now().since(lock.made))).collect()
}

/// Written to and wiped again, by a git of its own that leaves nothing here either.
fn namespace(app: &App, env: &Env, id: &RepoId) -> Result<Namespace, Error> {
    if app.switch.on {
        return Ok(Namespace::NotTried("it is switched off"));
    }
    if app.global.dry_run {
        return Ok(Namespace::NotTried("a dry run writes nothing"));
    }
    let (git, _gone_with_it) = app.git_to_try()?;
    let tried =
        env.forge(id).and_then(|forge| forge.remote(id)).and_then(|remote| git.try_places(id, &remote));
    Ok(match tried {
        Ok(found) => Namespace::At { place: found.place, refused: found.refused },
        Err(error) => Namespace::Trouble(error.to_string()),
    })
}

fn runners(app: &App, around: &Surroundings) -> Vec<RunnerFacts> {
    let mut found = vec![];
    for (name, runner) in &app.config.runners {
        let settings = &runner.settings;
        // With a wrapper in front that one is started.
        let program = settings.wrap.first().or_else(|| settings.argv.first()).cloned().unwrap_or_default();
        let at = probe::on_path(&program, around.path.as_ref());
        let start = match &at {
            Some(file) if settings.wrap.is_empty() => started(file, around),
            Some(_) | None => Start::NotTried,
        };
        found.push(RunnerFacts {
            name: name.clone(),
            program,
            found: at.is_some(),
            start,
            wrapped: !settings.wrap.is_empty(),
            unset: settings.env.iter().filter(|name| (around.variable)(name).is_none()).cloned().collect(),
        });
    }
    found
}

/// Programs that print their version are known; of any other it is enough that it can be run.
fn started(file: &Path, around: &Surroundings) -> Start {
    let known = ["claude", "codex", "opencode"];
    let named = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    if !known.contains(&named) {
        return Start::NotTried;
    }
    let mut command = probe::quietly(file, &around.path, (around.variable)("HOME"));
    match probe::answer(command.arg("--version")) {
        Ok(()) => Start::Good,
        Err(why) => Start::Failed(why),
    }
}

fn programs(app: &App, path: &str) -> Vec<ProgramFacts> {
    let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
    let mut want = |argv: &[String], purpose: &str| {
        if let Some(program) = argv.first().filter(|p| !p.is_empty()) {
            wanted.insert((program.clone(), purpose.to_owned()));
        }
    };
    for id in &app.config.allowlist {
        let repo = app.config.repo(id);
        want(&repo.run.verify, "verify");
        for stage in &repo.stages {
            want(&stage.argv, "a CI stage");
        }
        for hook in [
            &repo.hooks.after_create,
            &repo.hooks.before_turn,
            &repo.hooks.after_turn,
            &repo.hooks.before_remove,
        ] {
            want(hook, "a hook");
        }
    }
    for notify in app.config.notifiers.values() {
        match notify.kind {
            NotifyKind::Command => want(&notify.argv, "a notifier"),
            NotifyKind::Email if notify.argv.is_empty() => want(&["/usr/sbin/sendmail".to_owned()], "mail"),
            NotifyKind::Email => want(&notify.argv, "mail"),
            NotifyKind::Webhook | NotifyKind::Slack | NotifyKind::Ntfy => {}
        }
    }
    wanted
        .into_iter()
        // What lies in the repository is looked for there, not here.
        .filter(|(program, _)| !program.contains('/') || program.starts_with('/'))
        .map(|(program, purpose)| {
            let found = probe::on_path(&program, path.as_ref()).is_some();
            ProgramFacts { program, purpose, found }
        })
        .collect()
}

/// `git version 2.43.0` and its like.
fn git_version(path: &str) -> Option<(u32, u32)> {
    let file = probe::on_path("git", path.as_ref())?;
    let mut command: Command = probe::quietly(&file, path, None);
    let told = probe::tell(command.arg("--version"))?;
    let mut numbers = told.split_whitespace().nth(2)?.split('.').map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn disks(app: &App) -> Vec<DiskFacts> {
    let root = app.config.workspace_root(&app.state_dir);
    [("state file", app.state_dir.as_path()), ("workspaces", root.as_path())]
        .into_iter()
        .filter_map(|(what, path)| {
            // What is not there yet will lie on the disk of the folder above it.
            let there = path.ancestors().find(|p| p.exists())?;
            Some(DiskFacts { what, path: path.display().to_string(), free_bytes: probe::free_bytes(there)? })
        })
        .collect()
}

fn signs_commits(app: &App, around: &Surroundings) -> bool {
    let handed = app.config.runners.values().any(|r| r.settings.home_files.iter().any(|f| f == ".gitconfig"));
    let Some(git) = probe::on_path("git", around.path.as_ref()).filter(|_| handed) else { return false };
    let mut command = probe::quietly(&git, &around.path, (around.variable)("HOME"));
    let told = probe::tell(command.args(["config", "--global", "--type=bool", "--get", "commit.gpgsign"]));
    told.is_some_and(|word| word.trim() == "true")
}
