//! Green is positive evidence: stories about checks that say nothing, workflows that ended badly without a check, and
//! checks that are not each other's, on each simulated forge.

use super::forge::{Dialect, Own, Repo};
use super::network_forge::{ALL, Hub};
use super::world::git;

const REVIEWED: &str = "landing = \"pull-request\"\nmerge = \"when-green\"\n";
const PUSHED: &str = "landing = \"push\"\n";

/// A hub whose CI gives each new commit this, and an issue that is ready. `ci`: below `[ci]`.
fn hub(dialect: Dialect, landing: &str, ci: &str, prepare: impl Fn(&mut Repo)) -> Hub {
    let hub = Hub::new(dialect);
    hub.configure(&["me/app"], &format!("{landing}---\n[ci]\n{ci}"));
    let base = git(&hub.world.bare("me/app"), &["rev-parse", "main"]).trim().to_owned();
    {
        let mut model = hub.sim.model.lock();
        let repo = model.repo("me/app");
        repo.tested.insert(base);
        prepare(repo);
    }
    hub.ready("Solve it");
    hub
}

fn only(app: &'static str, conclusion: &'static str) -> Own {
    Own { checks: vec![(app, "ci.yml", conclusion)], ..Own::default() }
}

/// As it stands in a comment.
fn escaped(name: &str) -> String {
    name.replace('(', "\\(").replace(')', "\\)")
}

/// What became of it: the wait, or else how the run ended.
fn standing(hub: &Hub) -> String {
    let run = hub.world.run_of("hub:me/app#1");
    let ended = run["reason"].as_str().unwrap_or_default().to_owned();
    if ended.is_empty() { hub.reason(1) } else { ended }
}

/// The lines of requests that fit, in the order in which they were made.
fn acts(hub: &Hub) -> Vec<&'static str> {
    let acts = hub.sim.requests().into_iter().filter(|r| !r.starts_with("GET "));
    acts.filter_map(|r| {
        let is = |part: &str| r.contains(part);
        if is("/rerun") { Some("rerun") } else { is("/merge ").then_some("merge") }
    })
    .collect()
}

/// A word for each forge that stands for a check that did not run.
fn skips(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Github => &["skipped", "neutral"],
        Dialect::Gitea | Dialect::Forgejo => &["skipped"],
    }
}

/// The name of the one check there.
fn build(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Github => "build",
        Dialect::Gitea | Dialect::Forgejo => "ci.yml / build (push)",
    }
}

#[test]
fn checks_that_did_not_run_are_no_checks() {
    for dialect in ALL {
        for word in skips(dialect) {
            for landing in [REVIEWED, PUSHED] {
                let hub = hub(dialect, landing, "grace_seconds = 300\n", |repo| {
                    repo.own = only("github-actions", word);
                });
                let told = hub.rounds(5);
                let why = format!("{dialect:?} {word} {landing} {told:?} {:#?}", hub.sim.requests());
                assert_eq!(hub.reason(1), "ci", "{why}");
                hub.world.advance(300);
                hub.world.until_idle();
                assert_eq!(standing(&hub), "no-checks", "{why}");
                assert!(!hub.is_merged(), "{why}");
            }
        }
    }
}

/// Beside one that ran they neither help nor hurt, and the receipt names them for what they are.
#[test]
fn a_skipped_check_beside_a_green_one_is_told_as_skipped() {
    for dialect in ALL {
        let hub = hub(dialect, REVIEWED, "grace_seconds = 0\n", |repo| {
            repo.own = Own { statuses: vec!["lint"], ..only("github-actions", "skipped") };
        });
        let told = hub.world.until_idle();
        assert!(hub.is_merged(), "{dialect:?} {told:?} {:#?}", hub.sim.requests());
        let receipt = hub.comments(1).concat();
        assert!(receipt.contains(&format!("{}: skipped", escaped(build(dialect)))), "{receipt}");
        assert!(receipt.contains("lint: green"), "{receipt}");
    }
}

/// By the config, and by the rules of the branch.
#[test]
fn a_required_check_that_was_skipped_has_not_reported() {
    for dialect in ALL {
        for by_config in [true, false] {
            let name = build(dialect);
            let named = if by_config { format!("required = [\"{name}\"]\n") } else { String::new() };
            let hub = hub(
                dialect,
                REVIEWED,
                &format!("grace_seconds = 0\ntimeout_seconds = 600\n{named}"),
                |repo| {
                    repo.own = Own { statuses: vec!["lint"], ..only("github-actions", "skipped") };
                    if !by_config {
                        (repo.required, repo.protected) = (vec![name], true);
                    }
                },
            );
            let told = hub.rounds(5);
            let why = format!("{dialect:?} {by_config} {told:?} {:#?}", hub.sim.requests());
            assert_eq!(hub.reason(1), "ci", "{why}");
            hub.rounds(12);
            assert_eq!(standing(&hub), "ci-timeout", "{why}");
            assert!(!hub.is_merged(), "{why}");
        }
    }
}

/// Where the config needs none, skipped ones are as good as none: the receipt says both, and nobody is scored for checks.
#[test]
fn where_none_is_needed_skipped_ones_say_nothing() {
    for dialect in ALL {
        let hub = hub(dialect, PUSHED, "grace_seconds = 0\nrequired = []\n", |repo| {
            repo.own = only("github-actions", "skipped");
        });
        let told = hub.world.until_idle();
        let why = format!("{dialect:?} {told:?} {:#?}", hub.sim.requests());
        assert_eq!(standing(&hub), "landed", "{why}");
        let receipt = hub.comments(1).concat();
        let says =
            format!("{}: skipped; none ran (the config says that none are needed)", escaped(build(dialect)));
        assert!(receipt.contains(&says), "{why} {receipt}");
        hub.world.advance(4 * 86_400);
        hub.world.tick();
        let history = hub.world.offhours(&["template", "history", "--json"]).ok().json();
        let outcome = history.pointer("/items/0/outcomes/0").cloned().unwrap_or_default();
        assert_eq!(outcome["why"], "survived-unchecked", "{history:#}");
        assert_eq!(outcome["score"].as_f64(), Some(0.6), "{history:#}");
    }
}

/// It is run again where it can be, and is not green before it was. However it ended; and however it lands or whatever is
/// needed, once a dialect.
#[test]
fn a_workflow_that_ended_badly_without_a_check_is_red() {
    for (dialect, words) in [
        (Dialect::Github, &["cancelled", "failure", "timed_out", "stale", "startup_failure"][..]),
        (Dialect::Gitea, &["cancelled", "failure"]),
        (Dialect::Forgejo, &["cancelled", "failure"]),
    ] {
        for word in words {
            let ways = [(REVIEWED, ""), (PUSHED, ""), (REVIEWED, "required = []\n")];
            for (landing, ci) in ways.into_iter().take(if *word == "cancelled" { 3 } else { 1 }) {
                let hub = hub(dialect, landing, &format!("grace_seconds = 0\n{ci}"), |repo| {
                    repo.own.flows = vec![("deploy.yml", "push", word)];
                    // Nothing is needed, and nothing but that workflow reports.
                    repo.own.checks =
                        vec![("github-actions", "ci.yml", if ci.is_empty() { "success" } else { "skipped" })];
                });
                let told = hub.world.until_idle();
                let acts = acts(&hub);
                let why = format!("{dialect:?} {word} {landing} {ci} {told:?} {acts:?}");
                if *word == "startup_failure" {
                    // What cannot be run again stays red.
                    assert!(!hub.is_merged() && standing(&hub) != "landed", "{why}");
                    assert!(told.iter().any(|t| t.ends_with("fix-forward")), "{why}");
                    continue;
                }
                assert_eq!(acts.first(), Some(&"rerun"), "{why}");
                assert_eq!(standing(&hub), "landed", "{why}");
                assert!(!told.iter().any(|t| t.ends_with("fix-forward")), "{why}");
            }
        }
    }
}

/// By a newer run of the same workflow for the same head; not by one of another workflow, by an older one, or by one that
/// somebody asked for. Every pair of runs is in the domain's table.
#[test]
fn a_cancelled_run_is_replaced_by_a_newer_one_of_its_workflow() {
    type Flows = Vec<(&'static str, &'static str, &'static str)>;
    let cases: [(Flows, bool); 4] = [
        (vec![("deploy.yml", "push", "cancelled"), ("deploy.yml", "push", "success")], true),
        (vec![("triage.yml", "issue_comment", "cancelled"), ("nightly.yml", "schedule", "cancelled")], true),
        (vec![("deploy.yml", "push", "success"), ("deploy.yml", "push", "cancelled")], false),
        (vec![("deploy.yml", "push", "cancelled"), ("deploy.yml", "workflow_dispatch", "success")], false),
    ];
    for dialect in ALL {
        for (flows, replaced) in &cases {
            let hub = hub(dialect, REVIEWED, "grace_seconds = 0\n", |repo| repo.own.flows.clone_from(flows));
            let told = hub.world.until_idle();
            let acts = acts(&hub);
            let why = format!("{dialect:?} {flows:?} {told:?} {acts:?}");
            let wanted: &[&str] = if *replaced { &["merge"] } else { &["rerun", "merge"] };
            let mut seen = acts.clone();
            seen.dedup();
            assert_eq!(seen, wanted, "{why}");
            assert_eq!(standing(&hub), "landed", "{why}");
        }
    }
}

/// By a newer one of its name, its app and its workflow; a status of that name is of a third kind.
#[test]
fn a_cancelled_check_is_replaced_by_a_newer_one_of_its_identity() {
    let cancelled = ("github-actions", "ci.yml", "cancelled");
    for (second, status, wanted) in [
        (Some(("github-actions", "ci.yml", "success")), None, "landed"),
        (Some(("github-actions", "other.yml", "success")), None, "ci"),
        (Some(("another-app", "ci.yml", "success")), None, "ci"),
        (None, Some("build"), "ci"),
        (Some(("github-actions", "ci.yml", "skipped")), Some("lint"), "ci"),
    ] {
        let make = |named: &str| {
            hub(Dialect::Github, REVIEWED, &format!("grace_seconds = 0\n{named}"), |repo| {
                repo.own.checks = [Some(cancelled), second].into_iter().flatten().collect();
                repo.own.statuses = status.into_iter().collect();
            })
        };
        // What is required is the domain's to tell: here once.
        for named in ["", "required = [\"build\"]\n"].into_iter().take(if wanted == "landed" { 2 } else { 1 })
        {
            let hub = make(named);
            let told = hub.rounds(5);
            let why = format!("{second:?} {status:?} {named} {told:?}");
            assert_eq!(standing(&hub), wanted, "{why}");
            assert_eq!(hub.is_merged(), wanted == "landed", "{why}");
        }
    }
    // The newer one was cancelled: what the older one said is over.
    let hub = hub(Dialect::Github, REVIEWED, "grace_seconds = 0\n", |repo| {
        repo.own.checks = vec![("github-actions", "ci.yml", "success"), cancelled];
    });
    hub.rounds(5);
    assert_eq!(standing(&hub), "ci");
}

/// Two workflow files with the same names in them make statuses of one context: the red one stays red.
#[test]
fn a_red_status_is_not_hidden_by_another_workflows() {
    for dialect in [Dialect::Gitea, Dialect::Forgejo] {
        let hub = hub(dialect, REVIEWED, "grace_seconds = 0\n", |repo| {
            repo.own.checks = vec![("", "ci.yml", "failure"), ("", "other.yml", "success")];
        });
        let told = hub.world.until_idle();
        assert_eq!(acts(&hub).first(), Some(&"rerun"), "{dialect:?} {told:?}");
    }
}

/// A run whose statuses are all good, and which failed all the same.
#[test]
fn a_run_that_failed_under_good_statuses_is_red() {
    for dialect in [Dialect::Gitea, Dialect::Forgejo] {
        let hub = hub(dialect, REVIEWED, "grace_seconds = 0\n", |_| {});
        hub.sim.model.lock().repo("me/app").quiet_failure = true;
        let told = hub.rounds(6);
        assert!(!hub.is_merged(), "{dialect:?} {told:?}");
        assert!(
            told.iter().any(|t| t.ends_with("fix-forward") || t.ends_with("rerun")),
            "{dialect:?} {told:?}"
        );
    }
}

/// A workflow that cannot start on the base either is the base's: no turn is paid for it.
#[test]
fn a_workflow_that_is_broken_on_the_base_costs_no_turn() {
    for dialect in ALL {
        let hub = Hub::new(dialect);
        hub.configure(&["me/app"], &format!("{REVIEWED}---\n[ci]\ngrace_seconds = 0\nrerun = 0\n"));
        hub.sim.model.lock().repo("me/app").own.flows = vec![("deploy.yml", "push", "cancelled")];
        hub.sim.model.lock().test_pushes();
        hub.ready("Solve it");
        let told = hub.world.until_idle();
        let why = format!("{dialect:?} {told:?}");
        assert_eq!(standing(&hub), "base-red", "{why}");
        assert!(!told.iter().any(|t| t.ends_with("fix-forward")), "{why}");
    }
}

#[test]
fn a_dry_run_reads_it_and_writes_nothing() {
    for dialect in ALL {
        let hub = hub(dialect, REVIEWED, "grace_seconds = 6000\n", |repo| {
            repo.own =
                Own { flows: vec![("deploy.yml", "push", "skipped")], ..only("github-actions", "skipped") };
        });
        hub.rounds(3);
        assert_eq!(hub.reason(1), "ci", "{dialect:?}");
        // Now it would be red, and run again.
        hub.sim.model.lock().repo("me/app").flows[0].conclusion = "cancelled";
        hub.sim.requests();
        hub.world.offhours(&["watch", "--dry-run", "--json"]).ok();
        let requests = hub.sim.requests();
        assert!(requests.iter().any(|r| r.contains("/actions/runs?")), "{dialect:?} {requests:#?}");
        let writes = requests.iter().filter(|r| !r.starts_with("GET ") && !r.contains("/graphql "));
        assert_eq!(writes.count(), 0, "{requests:#?}");
        hub.rounds(2);
        assert_eq!(acts(&hub).first(), Some(&"rerun"), "{dialect:?}");
    }
}
