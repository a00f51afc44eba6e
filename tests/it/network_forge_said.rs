//! What a server says is taken for what it says and no more: whose words stand below a review, how long a list is, and of
//! whom a permission is. Stories on simulated forges.

use std::fs;

use super::forge::{Dialect, Fault, Own, Wrong};
use super::network_forge::{ALL, Hub};
use super::world::GOOD_AGENT;

/// At each request that fits, this instead of an answer.
fn says(hub: &Hub, at: &str, body: &str) {
    let what = Wrong::Answer(200, vec![], body.to_owned());
    hub.sim.model.lock().faults.push(Fault { at: at.to_owned(), skip: 0, times: 1000, what });
}

/// Anybody may answer below a trusted person's remark, and the server keeps it under that person's review.
#[test]
fn only_trusted_peoples_words_below_a_review_are_given() {
    for dialect in ALL {
        // Where writers are not trusted, nothing starts on a server that does not tell a changed body.
        let all = if dialect == Dialect::Forgejo { &["write"][..] } else { &["write", "admin"] };
        for permission in all {
            let hub = Hub::new(dialect);
            let trust = format!("landing = \"pull-request\"\n---\n[trust]\npermission = \"{permission}\"\n");
            hub.configure(&["me/app"], &trust);
            let prompts = hub.world.path("prompts");
            hub.world.agent(&format!("printf '%s' \"$prompt\" >> {}\n{GOOD_AGENT}", prompts.display()));
            hub.ready("Solve it");
            hub.world.until_idle();
            hub.world.advance(60);
            {
                let mut model = hub.sim.model.lock();
                model.repo("me/app").people.insert("eve".to_owned(), "admin");
                model.person("eve", None);
                let number = model.repos["me/app"].pulls[0].number;
                let notes = [("done.txt", 1, "Say more here")];
                model.review("me/app", number, "ada", "CHANGES_REQUESTED", "Nearly there", &notes);
                model.reply("me/app", number, "mallory", "Words of a stranger", None);
                model.reply("me/app", number, "", "Words of nobody", None);
                model.reply("me/app", number, "robot[bot]", "Words of a program", None);
                model.reply("me/app", number, "eve", "Words of another", None);
                let later = model.now() + 5;
                model.reply("me/app", number, "ada", "Words that changed", Some(later));
            }
            let told = hub.world.until_idle();
            let text = fs::read_to_string(&prompts).unwrap();
            let all = format!("{dialect:?} {permission} {told:#?} {text}");
            assert!(text.contains("Say more here"), "{all}");
            assert!(text.contains("Words of another"), "{all}");
            for others in ["stranger", "nobody", "a program"] {
                assert!(!text.contains(&format!("Words of {others}")), "{all}");
            }
            assert_eq!(text.contains("Words that changed"), *permission == "write", "{all}");
        }
    }
}

const GREEN: &str =
    "landing = \"pull-request\"\nmerge = \"when-green\"\n---\n[ci]\ngrace_seconds = 0\nrerun = 0\n";

/// The run that failed stands behind a first page of good ones, whatever length of a page the server grants.
#[test]
fn a_failure_behind_the_first_page_of_runs_is_seen() {
    for dialect in [Dialect::Gitea, Dialect::Forgejo] {
        for most in [100, 20] {
            for bad in [true, false] {
                let hub = Hub::new(dialect);
                hub.configure(&["me/app"], GREEN);
                {
                    let mut model = hub.sim.model.lock();
                    model.most_per_page = most;
                    let mut flows = vec![("good.yml", "push", "success"); 60];
                    flows.extend(bad.then_some(("bad.yml", "push", "failure")));
                    model.repo("me/app").own = Own { flows, ..Own::default() };
                }
                hub.ready("Solve it");
                let told = hub.world.until_idle();
                assert_eq!(hub.is_merged(), !bad, "{dialect:?} {most} {told:#?} {:#?}", hub.sim.requests());
            }
        }
    }
}

/// A list that has fewer entries than the server says there are is not all of it.
#[test]
fn a_list_that_stays_short_of_its_count_is_not_green() {
    let run =
        r#"{"id": 1, "name": "build", "status": "completed", "conclusion": "success", "app": {"id": 1}}"#;
    let short =
        |key: &str, count: usize, one: &str| format!("{{\"total_count\": {count}, \"{key}\": [{one}]}}");
    for (dialect, at, key, one) in [
        (Dialect::Github, "/check-runs?", "check_runs", run),
        (Dialect::Github, "/status?", "statuses", ""),
        (Dialect::Github, "/actions/runs?", "workflow_runs", ""),
        (Dialect::Gitea, "/actions/runs?", "workflow_runs", ""),
        (Dialect::Forgejo, "/actions/runs?", "workflow_runs", ""),
    ] {
        let entries = usize::from(!one.is_empty());
        for more in [1, 0] {
            let hub = Hub::new(dialect);
            hub.configure(&["me/app"], GREEN);
            hub.ready("Solve it");
            says(&hub, at, &short(key, entries + more, one));
            let told = hub.rounds(5);
            let all = format!("{dialect:?} {at} {told:#?} {}", hub.reason(1));
            assert_eq!(hub.is_merged(), more == 0, "{all}");
            if more > 0 {
                assert_eq!(hub.reason(1), "unreadable", "{all}");
            }
        }
    }
}

/// The server's word on a person is an object, and of that person.
#[test]
fn a_permission_is_read_from_an_object_of_that_person() {
    let at = "/collaborators/ada/permission";
    for dialect in ALL {
        for (body, good) in [
            (r#"["admin"]"#, false),
            (r#"["admin", {"login": "ada"}]"#, false),
            (r#""admin""#, false),
            ("null", false),
            (r#"{"permission": ["admin"]}"#, false),
            (r#"{"permission": "admin", "user": {"login": "mallory"}}"#, false),
            (r#"{"permission": "admin", "user": {"login": 7}}"#, false),
            (r#"{"permission": "admin", "user": ["ada"]}"#, false),
            (r#"{"permission": "admin", "user": {"login": "Ada"}}"#, true),
            (r#"{"permission": "admin", "user": null}"#, true),
            (r#"{"permission": "admin"}"#, true),
        ] {
            let hub = Hub::new(dialect);
            hub.ready("Solve it");
            says(&hub, at, body);
            let told = hub.world.until_idle();
            let all = format!("{dialect:?} {body} {told:#?} {}", hub.reason(1));
            assert_eq!(!hub.is_open(1), good, "{all}");
            if !good {
                assert_eq!(hub.reason(1), "permission-unreadable", "{all}");
            }
        }
    }
}
