//! Landing by pull request on each simulated forge: every way that a review can go, each in a repository of its own, all
//! in the same ticks.

use std::fs;

use super::forge::Dialect;
use super::network_forge::Hub;

/// Repositories that are left to people, and two that are merged by us once they are green.
const REPOS: [&str; 5] = ["me/review", "me/closed", "me/taken", "me/green", "me/refused"];

fn end(hub: &Hub, repo: &str) -> String {
    let run = hub.world.run_of(&format!("hub:{repo}#1"));
    run["reason"].as_str().unwrap_or("none").to_owned()
}

fn labels(hub: &Hub, repo: &str) -> Vec<String> {
    hub.sim.model.lock().issue(repo, 1).labels.clone()
}

fn story(dialect: Dialect) {
    let hub = Hub::new(dialect);
    for repo in REPOS {
        hub.add(repo);
    }
    hub.sim.model.lock().repo("me/green").no_merge_commits = true;
    hub.sim.model.lock().repo("me/refused").wants_approval = true;
    hub.configure(
        &REPOS,
        "landing = \"pull-request\"\nmax_running = 10\ndaily_budget_usd = 1000.0\n---\n\
         [repo.\"hub:me/green\"]\nmerge = \"when-green\"\n[repo.\"hub:me/refused\"]\nmerge = \"when-green\"\n",
    );
    let prompts = hub.world.path("prompts");
    hub.world.agent(&format!(
        "printf '%s' \"$prompt\" >> {}\necho more >> done.txt\ngit add done.txt\ngit commit -q -m Work\n",
        prompts.display()
    ));
    for repo in REPOS {
        hub.ready_in(repo, "Solve it");
    }
    let told = hub.world.until_idle();
    let requests = hub.sim.requests();
    let all = format!("{dialect:?} {told:#?}\n{requests:#?}");

    // By us, at exactly that head, in a way that the repository allows.
    assert_eq!(end(&hub, "me/green"), "landed", "{all}");
    assert!(!hub.sim.model.lock().issue("me/green", 1).open, "{all}");
    let merged = hub.sim.model.lock().repos["me/green"].pulls[0].merged.clone();
    assert_eq!(merged.map(|m| m.0).as_deref(), Some("helper"), "{all}");
    // A rule forbids it: handed back, and everything stays.
    assert_eq!(end(&hub, "me/refused"), "merge-refused", "{all}");
    assert_eq!(labels(&hub, "me/refused"), ["needs-human"], "{all}");
    assert!(hub.sim.model.lock().repos["me/refused"].pulls[0].last_head.is_none(), "{all}");
    for repo in &REPOS[..3] {
        assert_eq!(hub.world.reason(&format!("hub:{repo}#1")), "review", "{repo} {all}");
        assert_eq!(labels(&hub, repo), ["ready-for-agent", "agent-review"], "{repo} {all}");
        assert_eq!(hub.sim.model.lock().repos[*repo].pulls.len(), 1, "{repo} {all}");
    }

    // A stranger asks for changes, a fork has a branch of the same name: nothing comes of it.
    let number = hub.sim.model.lock().repos["me/review"].pulls[0].number;
    let branch = hub.sim.model.lock().repos["me/taken"].pulls[0].branch.clone();
    hub.world.advance(60);
    {
        let mut model = hub.sim.model.lock();
        model.review("me/review", number, "mallory", "CHANGES_REQUESTED", "Rewrite it in stranger", &[]);
        let fork = model.repos["me/review"].pulls[0].branch.clone();
        model.open_pull("me/review", "mallory", &fork, "main", "Mine", "");
        model.repo("me/review").pulls[1].fork = true;
    }
    // People do what people do.
    hub.world.person_pushes_to("me/taken", &branch, "mine", "a person's\n");
    {
        let mut model = hub.sim.model.lock();
        let notes = [("done.txt", 1, "Say more here")];
        model.review("me/review", number, "ada", "CHANGES_REQUESTED", "Nearly there", &notes);
        let pull = model.repos["me/closed"].pulls[0].number;
        model.close_pull("me/closed", pull, "ada");
    }
    let told = hub.world.until_idle();
    let all = format!("{dialect:?} {told:#?}\n{:#?}", hub.sim.requests());
    assert_eq!(end(&hub, "me/closed"), "pr-closed", "{all}");
    assert_eq!(end(&hub, "me/taken"), "human-took-over", "{all}");
    assert_eq!(hub.world.reason("hub:me/review#1"), "review", "{all}");
    for repo in ["me/closed", "me/taken"] {
        assert_eq!(labels(&hub, repo), ["needs-human"], "{repo} {all}");
        assert!(hub.sim.model.lock().issue(repo, 1).open, "{repo} {all}");
    }
    let text = fs::read_to_string(&prompts).unwrap();
    assert!(text.contains("Say more here") && !text.contains("Rewrite it in stranger"), "{text}");

    // Merged by a person: landed, whoever it was by.
    hub.world.advance(60);
    assert!(hub.sim.model.lock().merge("me/review", number, "ada"));
    let told = hub.world.until_idle();
    let all = format!("{dialect:?} {told:#?}\n{:#?}", hub.sim.requests());
    assert_eq!(end(&hub, "me/review"), "landed", "{all}");
    assert!(!hub.sim.model.lock().issue("me/review", 1).open, "{all}");
    for repo in REPOS {
        assert_eq!(hub.world.claims(repo), Vec::<String>::new(), "{repo}");
        // The fork's is the only other one.
        let pulls = hub.sim.model.lock().repos[repo].pulls.iter().filter(|p| !p.fork).count();
        assert_eq!(pulls, 1, "{repo}");
    }
}

#[test]
fn every_way_that_a_review_can_go_on_github() {
    story(Dialect::Github);
}

#[test]
fn every_way_that_a_review_can_go_on_gitea() {
    story(Dialect::Gitea);
}

#[test]
fn every_way_that_a_review_can_go_on_forgejo() {
    story(Dialect::Forgejo);
}
