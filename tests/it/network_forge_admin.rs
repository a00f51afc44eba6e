//! The desk of a forge over the network: `doctor` and `arm` about tokens, rights, labels and clocks; labels that vanish and
//! tokens that end; links in what people are told.

use std::fs;

use serde_json::Value;

use super::forge::Dialect;
use super::network_forge::{ALL, Hub};
use super::world::{START, World, git};

/// The findings that are not good, as `check level`.
fn wrong(hub: &Hub, args: &[&str]) -> Vec<String> {
    let json = hub.world.offhours(args).json();
    let word = |f: &Value, key: &str| f[key].as_str().unwrap().to_owned();
    let items = json["items"].as_array().unwrap();
    let network = ["token", "access", "labels", "clock", "repo", "claims"];
    let bad =
        items.iter().filter(|f| f["level"] != "good" && network.contains(&f["check"].as_str().unwrap()));
    bad.map(|f| format!("{} {}", word(f, "check"), word(f, "level"))).collect()
}

fn alarms(hub: &Hub) -> Vec<(String, String)> {
    let notices = hub.world.notices();
    let word = |n: &Value, key: &str| n[key].as_str().unwrap_or("").to_owned();
    let about = notices.iter().filter(|n| ["alarm", "recovered"].contains(&n["kind"].as_str().unwrap()));
    about.map(|n| (word(n, "title"), word(n, "link"))).collect()
}

#[test]
fn doctor_looks_at_the_token_the_rights_the_labels_and_the_clock() {
    let hub = Hub::new(Dialect::Github);
    {
        let mut model = hub.sim.model.lock();
        model.scopes = Some("repo, workflow");
        model.token_ends = Some(START + 90 * 86_400);
    }
    let doctor = ["doctor", "--json"];
    assert_eq!(wrong(&hub, &doctor), Vec::<String>::new());
    let text = hub.world.offhours(&["doctor"]).ok().stdout;
    assert!(
        text.contains("hub: the token is helper's, with repo, workflow, good until 2026-05-31"),
        "{text}"
    );
    assert!(text.contains("access: hub:me/app can be written"), "{text}");

    // Each fault alone.
    hub.sim.model.lock().scopes = Some("gist");
    assert_eq!(wrong(&hub, &doctor), ["access bad"]);
    hub.sim.model.lock().scopes = None;
    hub.sim.model.lock().token_ends = Some(START + 3 * 86_400);
    assert_eq!(wrong(&hub, &doctor), ["token note"]);
    hub.sim.model.lock().token_ends = None;
    hub.sim.model.lock().slow_clock = 3600;
    assert_eq!(wrong(&hub, &doctor), ["clock bad"]);
    hub.sim.model.lock().slow_clock = 0;
    hub.sim.model.lock().repo("me/app").people.insert("helper".into(), "read");
    assert_eq!(wrong(&hub, &doctor), ["access bad"]);
    hub.sim.model.lock().repo("me/app").people.insert("helper".into(), "write");
    hub.sim.model.lock().repo("me/app").labels.retain(|(_, l)| l != "needs-human");
    assert_eq!(wrong(&hub, &doctor), ["labels note"]);

    // Made only when asked to, and not in a dry run.
    hub.sim.model.lock().repo("me/app").labels.retain(|(_, l)| l != "ready-for-agent");
    assert_eq!(wrong(&hub, &doctor), ["labels bad"]);
    assert_eq!(wrong(&hub, &["doctor", "--json", "--fix", "--dry-run"]), ["labels bad"]);
    let writes =
        |lines: &[String]| lines.iter().filter(|r| r.starts_with("POST") && r.contains("/labels")).count();
    assert_eq!(writes(&hub.sim.requests()), 0);
    assert_eq!(wrong(&hub, &["doctor", "--json", "--fix"]), Vec::<String>::new());
    assert_eq!(writes(&hub.sim.requests()), 2);
    assert_eq!(wrong(&hub, &["doctor", "--json", "--fix"]), Vec::<String>::new());
    assert_eq!(writes(&hub.sim.requests()), 0, "twice is once");

    fs::write(hub.world.path("token"), "another\n").unwrap();
    let refused = hub.world.offhours(&["doctor", "--json", "--exit-code"]);
    assert_eq!(refused.code, 1);
    assert!(wrong(&hub, &doctor).contains(&"token bad".to_owned()));
    assert!(!refused.stdout.contains("another"), "{}", refused.stdout);
}

/// Doctor tries where claims can stand, says it, and leaves nothing: not where it works, nor where it is refused.
#[test]
fn doctor_says_where_claims_can_be_written() {
    let (hub, local) = (Hub::new(Dialect::Github), World::in_memory());
    for world in [&hub.world, &local] {
        let before = world.refs("me/app");
        let look = |args: &[&str]| -> (String, String) {
            let json = world.offhours(&[&["doctor", "--json"], args].concat()).json();
            let items = json["items"].as_array().unwrap();
            let found = items.iter().find(|f| f["check"] == "claims").unwrap_or_else(|| panic!("{json:#}"));
            assert_eq!(world.refs("me/app"), before, "nothing is left: {found}");
            assert_eq!(found["level"] == "good", found["remedy"].is_null(), "{found}");
            (found["level"].as_str().unwrap().to_owned(), found["what"].as_str().unwrap().to_owned())
        };
        let told = |(level, what): (String, String), wanted: &str, words: &str| {
            assert!(level == wanted && what.contains(words), "{level}: {what}");
        };
        told(look(&[]), "good", "claims can be written to refs/offhours/");
        told(look(&["--dry-run"]), "good", "not tried: a dry run writes nothing");
        world.edit_config("kill_switch = false", "kill_switch = true");
        told(look(&[]), "good", "not tried: it is switched off");
        world.edit_config("kill_switch = true", "kill_switch = false");

        let bare = world.bare("me/app");
        git(&bare, &["config", "receive.hideRefs", "refs/offhours"]);
        told(look(&[]), "note", "claims are written to refs/heads/offhours/");
        // Where nothing may be deleted no claim could ever be released; once it may, the probe that stayed goes, too.
        git(&bare, &["config", "receive.denyDeletes", "true"]);
        let json = world.offhours(&["doctor", "--json"]).stdout;
        assert!(json.contains("does not let us delete") && world.refs("me/app") != before, "{json}");
        git(&bare, &["config", "receive.denyDeletes", "false"]);
        told(look(&[]), "note", "claims are written to refs/heads/offhours/");

        git(&bare, &["config", "--add", "receive.hideRefs", "refs/heads/offhours"]);
        told(look(&[]), "bad", "nothing starts without one");
    }
}

/// Shown, checked, and refused where it could not work; the file keeps its comments.
#[test]
fn a_repo_of_a_server_is_armed_after_a_look_at_it() {
    for dialect in ALL {
        let hub = Hub::new(dialect);
        hub.world.edit_config("kill_switch = false", "kill_switch = true # mine");
        hub.world.edit_config("allowlist = [\"me/app\"]", "allowlist = []");
        hub.sim.model.lock().repo("me/app").people.insert("helper".into(), "read");
        let refused = hub.world.offhours(&["arm", "me/app"]);
        assert_eq!(refused.code, 77, "{}", refused.stderr);
        assert!(refused.stderr.contains("may read hub:me/app, and not write there"), "{}", refused.stderr);

        hub.sim.model.lock().repo("me/app").people.insert("helper".into(), dialect.tool_permission());
        hub.sim.model.lock().repo("me/app").labels.retain(|(_, l)| l != "needs-human");
        hub.ready("Old");
        assert_eq!(hub.world.offhours(&["arm", "me/app"]).code, 64, "it would start at once");
        hub.sim.requests();
        let armed = hub.world.offhours(&["arm", "me/app", "--include-existing"]).ok();
        assert!(armed.stdout.contains("starts with the next tick: #1 Old"), "{}", armed.stdout);
        assert!(armed.stdout.contains("it has no label needs-human"), "{}", armed.stdout);
        let text = fs::read_to_string(hub.world.path("config.toml")).unwrap();
        assert!(
            text.contains("kill_switch = false # mine") && text.contains("allowlist = [\"hub:me/app\"]"),
            "{text}"
        );
        let writes: Vec<String> = hub
            .sim
            .requests()
            .into_iter()
            .filter(|r| !r.starts_with("GET ") && !r.contains("/graphql "))
            .collect();
        assert_eq!(writes, Vec::<String>::new(), "arming writes nothing there");
        let prompt = hub.world.offhours(&["prompt", "me/app#1"]).ok();
        assert!(prompt.stdout.contains("Please."), "{}", prompt.stdout);
        hub.world.offhours(&["doctor", "--json", "--fix"]);
        let made = hub.sim.requests().into_iter().filter(|r| r.starts_with("POST") && r.contains("/labels"));
        assert_eq!(made.count(), 1);
        assert_eq!(wrong(&hub, &["doctor", "--json"]), Vec::<String>::new(), "{dialect:?}");
    }
}

#[test]
fn a_label_that_vanished_is_an_alarm_until_it_is_back() {
    let hub = Hub::new(Dialect::Github);
    hub.world.offhours(&["tick"]).ok();
    assert_eq!(alarms(&hub), []);
    hub.sim.model.lock().repo("me/app").labels.retain(|(_, l)| l != "needs-human");
    hub.world.advance(86_400);
    for _ in 0..3 {
        hub.world.offhours(&["tick"]);
    }
    let page = format!("{}/me/app", hub.sim.url);
    let schedule = |told: Vec<(String, String)>| -> Vec<(String, String)> {
        told.into_iter().filter(|(title, _)| !title.contains("schedule")).collect()
    };
    let raised = ("alarm: label-gone:hub:me/app".to_owned(), page.clone());
    assert_eq!(schedule(alarms(&hub)), std::slice::from_ref(&raised), "once");
    hub.world.offhours(&["doctor", "--fix"]).ok();
    hub.world.advance(120);
    hub.world.offhours(&["tick"]);
    let over = ("recovered: label-gone:hub:me/app".to_owned(), page);
    assert_eq!(schedule(alarms(&hub)), [raised, over]);
}

/// A label that offhours never saw is made when it is first needed; without the ready one nobody can ask for anything.
#[test]
fn a_ready_label_that_never_was_is_an_alarm_and_others_are_none() {
    for (label, raised) in [("agent-in-progress", 0), ("ready-for-agent", 1)] {
        let hub = Hub::new(Dialect::Github);
        hub.sim.model.lock().repo("me/app").labels.retain(|(_, l)| l != label);
        hub.world.offhours(&["tick"]);
        assert_eq!(alarms(&hub).len(), raised, "{label}");
    }
}

#[test]
fn a_token_that_ends_soon_is_an_alarm_until_it_is_renewed() {
    let hub = Hub::new(Dialect::Github);
    hub.sim.model.lock().token_ends = Some(START + 15 * 86_400 - 60);
    hub.world.edit_config("landing =", "schedule_alarm_minutes = 0\nlanding =");
    hub.world.offhours(&["tick"]).ok();
    assert_eq!(alarms(&hub), [], "fifteen days are enough");
    hub.world.advance(86_400);
    for _ in 0..3 {
        hub.world.offhours(&["tick"]);
        hub.world.advance(60);
    }
    let titles = |hub: &Hub| alarms(hub).into_iter().map(|(title, _)| title).collect::<Vec<_>>();
    assert_eq!(titles(&hub), ["alarm: token-ends:hub"]);
    hub.sim.model.lock().token_ends = Some(START + 400 * 86_400);
    hub.world.offhours(&["tick"]);
    assert_eq!(titles(&hub), ["alarm: token-ends:hub", "recovered: token-ends:hub"]);
}

/// What people are told leads to the issue that it is about.
#[test]
fn notices_have_a_link_to_the_issue() {
    let hub = Hub::new(Dialect::Github);
    let number = hub.ready("Solve it");
    hub.world.until_idle();
    let notices = hub.world.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0]["link"], format!("{}/me/app/issues/{number}", hub.sim.url));
}
