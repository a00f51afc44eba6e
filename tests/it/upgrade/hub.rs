//! Recipes on a forge over the network: the same upgrade, with real git over HTTP and a simulated API.

use std::fs;

use super::place::{LABEL, compose};
use super::registry::Registry;
use crate::forge::Dialect;
use crate::network_forge::{ALL, Hub, TOKEN};
use crate::world::{acted, git};

const REPO: &str = "recipes/blog";
const BRANCH: &str = "upgrade/blog/1.1.0+1.1.0";

struct Place {
    hub: Hub,
    registry: Registry,
}

impl Place {
    /// The recipe `blog` at 1.0.0 with its mirror on the forge, and 1.1.0 in the registry.
    fn new(dialect: Dialect, upgrade: &str, tables: &str) -> Self {
        let place = Self { hub: Hub::new(dialect), registry: Registry::new() };
        place.registry.image("team/app", &["1.0.0", "1.1.0", "2.0.0"]);
        let world = &place.hub.world;
        world.repo(REPO);
        world.person_pushes(REPO, "compose.yml", &compose(&place.registry.host(), "1.0.0", "1.0.0+1.0.0"));
        let upstream = world.path("upstream.git");
        git(
            &world.path(""),
            &["clone", "-q", "--bare", world.bare(REPO).to_str().unwrap(), upstream.to_str().unwrap()],
        );
        {
            let mut model = place.hub.sim.model.lock();
            model.person("ci", Some("ci-token"));
            model.add_repo(REPO, &[("ada", "admin"), ("helper", "admin"), ("ci", "write")]);
            model.repo(REPO).ci = false;
        }
        let text = format!(
            "[upgrade]\nenrolled = [\"blog\"]\nstatus_context = \"ci\"\nplain_http_registries = [\"{}\"]\n{upgrade}\n\
             [recipe.blog]\nmirror = \"hub:{REPO}\"\nupstream = \"{}\"\n{tables}",
            place.registry.host(),
            upstream.display()
        );
        place.hub.configure(&["me/app"], &text);
        place
    }

    fn settle(&self) -> Vec<String> {
        let (mut told, mut quiet) = (vec![], 0);
        for _ in 0..40 {
            let answer = self.hub.world.offhours(&["upgrade", "--json"]);
            assert_eq!(answer.code, 0, "{} {:#?}", answer.stderr, self.hub.sim.requests());
            let lines = acted(&answer);
            quiet = if lines.is_empty() { quiet + 1 } else { 0 };
            told.extend(lines);
            self.hub.world.jobs_end();
            self.hub.world.advance(60);
            if quiet == 2 {
                return told;
            }
        }
        panic!("it never came to rest: {told:#?}");
    }

    fn head(&self) -> String {
        git(&self.hub.world.bare(REPO), &["rev-parse", &format!("refs/heads/{BRANCH}")]).trim().to_owned()
    }

    fn said(&self, number: u64) -> Vec<String> {
        self.hub.sim.model.lock().issue(REPO, number).comments.iter().map(|c| c.body.clone()).collect()
    }

    fn writes(&self) -> Vec<String> {
        self.hub
            .sim
            .requests()
            .into_iter()
            .filter(|r| !r.starts_with("GET ") && !r.contains("/graphql "))
            .collect()
    }
}

#[test]
fn an_upgrade_on_the_forge_of_a_company() {
    for dialect in ALL {
        let place = Place::new(dialect, "", "");
        let world = &place.hub.world;
        let dry = world.offhours(&["upgrade", "start", "--dry-run"]).ok();
        assert!(dry.stdout.contains("blog: would go to 1.1.0+1.1.0"), "{}", dry.stdout);
        assert_eq!(place.writes(), Vec::<String>::new(), "a dry run writes nothing");
        world.offhours(&["upgrade", "start"]).ok();
        place.settle();
        let head = place.head();
        let diff = git(&world.bare(REPO), &["diff", "-U0", &format!("main..{BRANCH}")]);
        let changed: Vec<&str> = diff
            .lines()
            .filter(|l| l.starts_with(['+', '-']) && !l.starts_with("+++") && !l.starts_with("---"))
            .collect();
        let image = format!("    image: {}/team/app", place.registry.host());
        let label = format!("        - \"{LABEL}");
        assert_eq!(
            changed,
            [
                format!("-{image}:1.0.0 # keep"),
                format!("+{image}:1.1.0 # keep"),
                format!("-{label}=1.0.0+1.0.0\""),
                format!("+{label}=1.1.0+1.1.0\"")
            ]
        );
        assert_eq!(place.said(1).iter().filter(|c| *c == "!testme").count(), 1);
        let verdict = |more: &[&str]| {
            let args: Vec<&str> = ["upgrade", "testme", "blog", "1"].iter().chain(more).copied().collect();
            world.offhours(&args).ok().stdout
        };
        assert!(verdict(&[]).starts_with("VERDICT=PENDING\n"), "{}", verdict(&[]));
        // What is of another context, of nobody's trial or not final is no answer.
        place.hub.sim.model.lock().status(REPO, &head, "lint", "success", "ci", Some("https://ci.invalid/1"));
        place.hub.sim.model.lock().status(REPO, &head, "ci", "pending", "ci", Some("https://ci.invalid/2"));
        place.settle();
        assert!(
            verdict(&[]).starts_with("VERDICT=PENDING\nBUILD=https://ci.invalid/2\n"),
            "{}",
            verdict(&[])
        );
        place.hub.sim.model.lock().status(REPO, &head, "ci", "success", "ci", Some("https://ci.invalid/2"));
        place.settle();
        assert_eq!(verdict(&[]), "VERDICT=GREEN\nBUILD=https://ci.invalid/2\n");
        let status = world.offhours(&["upgrade", "status"]).ok().stdout;
        assert!(
            status.contains("blog 1.1.0+1.1.0: recipes/blog#1") && status.contains("RESULT: SUCCESS"),
            "{status}"
        );
        // An old green on the same commit is never an answer.
        assert!(verdict(&["--post"]).starts_with("VERDICT=PENDING"));
        assert_eq!(place.said(1).iter().filter(|c| *c == "!testme").count(), 2);
        world.offhours(&["upgrade", "cleanup"]).ok();
        assert!(!place.hub.sim.model.lock().issue(REPO, 1).open);
        assert_eq!(world.refs(REPO), ["refs/heads/main"]);
        let merges = place.writes().into_iter().filter(|r| r.contains("/merge"));
        assert_eq!(merges.count(), 0, "{:#?}", place.writes());
        for folder in ["one", "upstream.git"] {
            assert!(!holds(&world.path(folder), TOKEN), "the token lies in {folder}");
        }
    }
}

/// Whether a file below the folder has these bytes.
fn holds(folder: &std::path::Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).any(|path| {
        if path.is_dir() {
            holds(&path, text)
        } else {
            fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|w| w == text.as_bytes()))
        }
    })
}

#[test]
fn the_bridge_answers_members_there() {
    for dialect in [Dialect::Github, Dialect::Forgejo] {
        let bridge =
            "[upgrade.bridge]\nenabled = true\nargv = [\"sh\", \"-c\", \"grep -q 1.1.0 compose.yml\"]\n";
        let place = Place::new(dialect, "", bridge);
        let world = &place.hub.world;
        place.settle();
        world.offhours(&["upgrade", "start"]).ok();
        place.settle();
        let head = place.head();
        let set = |place: &Place| -> Vec<(String, String)> {
            let model = place.hub.sim.model.lock();
            model.repos[REPO]
                .statuses
                .iter()
                .filter(|s| s.sha == head)
                .map(|s| (s.context.clone(), s.state.clone()))
                .collect()
        };
        let said = |state: &str| ("ci".to_owned(), state.to_owned());
        assert_eq!(set(&place), [said("pending"), said("success")], "{:#?}", place.hub.sim.requests());
        let status = world.offhours(&["upgrade", "status"]).ok().stdout;
        assert!(status.contains("RESULT: SUCCESS"), "{status}");
        // Strangers, more words and edited ones start nothing; a member does, once.
        {
            let mut model = place.hub.sim.model.lock();
            model.comment(REPO, 1, "mallory", "!testme");
            model.comment(REPO, 1, "ada", "!testmexyz");
            model.comment(REPO, 1, "ada", "> !testme");
            let edited = model.comment(REPO, 1, "ada", "!testme");
            let now = model.now();
            model.issue(REPO, 1).comments.iter_mut().find(|c| c.id == edited).unwrap().edited =
                Some(now + 60);
        }
        place.settle();
        assert_eq!(set(&place).len(), 2);
        let good = place.hub.sim.model.lock().comment(REPO, 1, "ada", "!testme");
        place.settle();
        assert_eq!(set(&place).len(), 4);
        let mut model = place.hub.sim.model.lock();
        let signs = &model.issue(REPO, 1).comments.iter().find(|c| c.id == good).unwrap().reactions;
        assert_eq!(
            signs.iter().map(|(by, sign)| (by.as_str(), sign.as_str())).collect::<Vec<_>>(),
            [("helper", "eyes")]
        );
    }
}

/// An upgrade whose bridge starts a workflow for a member, from its start to its clearing up.
pub fn a_whole_upgrade(dialect: Dialect) -> Hub {
    let place = Place::new(dialect, "", "[upgrade.bridge]\nenabled = true\nworkflow = \"test.yml\"\n");
    place.settle();
    place.hub.world.offhours(&["upgrade", "start"]).ok();
    place.settle();
    place.hub.sim.model.lock().repo(REPO).dispatches[0].green = Some(true);
    place.hub.sim.model.lock().comment(REPO, 1, "ada", "!testme");
    place.settle();
    place.hub.world.offhours(&["upgrade", "cleanup"]).ok();
    place.hub
}

/// A workflow of which no job was to run has tested nothing.
#[test]
fn a_workflow_that_skipped_all_its_jobs_is_no_success() {
    for dialect in ALL {
        let place = Place::new(dialect, "", "[upgrade.bridge]\nenabled = true\nworkflow = \"test.yml\"\n");
        place.settle();
        place.hub.world.offhours(&["upgrade", "start"]).ok();
        place.settle();
        {
            let mut model = place.hub.sim.model.lock();
            let asked = &mut model.repo(REPO).dispatches[0];
            (asked.green, asked.skipped) = (Some(true), true);
        }
        place.settle();
        let head = place.head();
        let model = place.hub.sim.model.lock();
        let states: Vec<&str> =
            model.repos[REPO].statuses.iter().filter(|s| s.sha == head).map(|s| s.state.as_str()).collect();
        assert_eq!(states, ["pending", "failure"], "{dialect:?}");
    }
}

/// The CI is a workflow of the forge: asked for once, at the head as it stood, and never again when it is not heard of.
#[test]
fn the_bridge_starts_a_workflow_once() {
    for dialect in [Dialect::Github, Dialect::Gitea] {
        let place = Place::new(dialect, "", "[upgrade.bridge]\nenabled = true\nworkflow = \"test.yml\"\n");
        let world = &place.hub.world;
        place.settle();
        world.offhours(&["upgrade", "start"]).ok();
        place.settle();
        let head = place.head();
        let states = || -> Vec<String> {
            let model = place.hub.sim.model.lock();
            model.repos[REPO].statuses.iter().filter(|s| s.sha == head).map(|s| s.state.clone()).collect()
        };
        // Since it was asked last.
        let asked = || place.writes().iter().filter(|r| r.contains("/dispatches")).count();
        assert_eq!((states(), asked()), (vec!["pending".to_owned()], 1));
        place.hub.sim.model.lock().repo(REPO).dispatches[0].green = Some(true);
        place.settle();
        assert_eq!((states(), asked()), (vec!["pending".to_owned(), "success".to_owned()], 0));
        assert!(world.offhours(&["upgrade", "status"]).ok().stdout.contains("RESULT: SUCCESS"));
        // A request that is answered well and forgotten, by a tick that is ended right after it; the old run is no answer.
        place.hub.sim.model.lock().repo(REPO).deaf = true;
        place.hub.sim.model.lock().comment(REPO, 1, "ada", "!testme");
        let kill = if dialect == Dialect::Github { "tick:http.write#6" } else { "" };
        let ended = world.command(&["upgrade"]).env("OFFHOURS_CRASH", kill).output().unwrap();
        assert!(kill.is_empty() || ended.status.code().is_none(), "it was not ended");
        for _ in 0..3 {
            world.offhours(&["upgrade"]);
            world.advance(120);
        }
        assert_eq!(states().last().map(String::as_str), Some("pending"));
        world.advance(601);
        place.settle();
        assert_eq!(states().last().map(String::as_str), Some("error"));
        assert_eq!(asked(), 1, "not a second time");
        place.hub.sim.model.lock().repo(REPO).deaf = false;
        place.hub.sim.model.lock().comment(REPO, 1, "mallory", "!testme");
        place.settle();
        assert_eq!(asked(), 0, "a stranger starts nothing");
    }
    let place = Place::new(
        Dialect::Github,
        "",
        "[upgrade.bridge]\nenabled = true\nworkflow = \"test.yml\"\nargv = [\"true\"]\n",
    );
    let refused = place.hub.world.offhours(&["config", "check"]);
    assert_eq!(refused.code, 78);
    assert!(refused.stderr.contains("one of them starts the CI"), "{}", refused.stderr);
}
