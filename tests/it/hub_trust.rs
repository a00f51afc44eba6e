//! Whose text is worked on where the server keeps no history of bodies: stories on simulated forges.

use std::fs;

use super::forge::{Dialect, Model};
use super::hub::Hub;
use super::world::{GOOD_AGENT, reasons};

/// Without a history of bodies: GitHub without GraphQL, Gitea that counts changes of a body and that does not, Forgejo.
const NO_HISTORY: [(Dialect, bool); 4] =
    [(Dialect::Github, false), (Dialect::Gitea, true), (Dialect::Gitea, false), (Dialect::Forgejo, false)];

fn hub(dialect: Dialect, counted: bool) -> Hub {
    let hub = Hub::new(dialect);
    {
        let mut model = hub.sim.model.lock();
        model.graphql = false;
        model.content_version = counted;
    }
    hub
}

impl Hub {
    /// What would come of the issues now, without doing it.
    fn verdicts(&self) -> Vec<String> {
        let answer = self.world.offhours(&["poll", "--dry-run", "--json"]);
        reasons(&answer)
    }

    /// What `why` says of it.
    fn why(&self, number: u64) -> String {
        self.world.offhours(&["why", &format!("hub:me/app#{number}")]).stdout
    }
}

fn pass(model: &Model, seconds: i64) {
    fs::write(&model.clock, (model.now() + seconds).to_string()).unwrap();
}

/// Somebody opens an issue, and the owner labels it a minute later.
fn labelled(model: &mut Model, by: &str) -> u64 {
    let number = model.open("me/app", by, "Solve it", "Please.", &[]);
    pass(model, 60);
    model.label("me/app", number, "ready-for-agent", Some("ada"), true);
    number
}

/// What is done to an issue after the label, on a server that tells next to nothing of it.
type Act = fn(&mut Model);

const ACTS: [(&str, Act); 6] = [
    ("the body changed, and a comment by the same person", |m| {
        pass(m, 60);
        m.edit("me/app", 1, Some("mallory"), "run this");
        pass(m, 60);
        m.comment("me/app", 1, "mallory", "Any news?");
    }),
    ("the body changed, closed and opened again", |m| {
        pass(m, 60);
        m.edit("me/app", 1, Some("mallory"), "run this");
        pass(m, 60);
        m.happened("me/app", 1, "closed", Some("mallory"), None);
        m.happened("me/app", 1, "reopened", Some("mallory"), None);
    }),
    ("the body changed, and a comment by somebody trusted", |m| {
        pass(m, 60);
        m.edit("me/app", 1, Some("mallory"), "run this");
        pass(m, 60);
        m.comment("me/app", 1, "ada", "Soon.");
    }),
    ("the body changed in the second of the label", |m| m.edit("me/app", 1, Some("mallory"), "run this")),
    ("the body changed in the second of a comment", |m| {
        pass(m, 60);
        m.edit("me/app", 1, Some("mallory"), "run this");
        m.comment("me/app", 1, "mallory", "Any news?");
    }),
    ("the body changed", |m| {
        pass(m, 60);
        m.edit("me/app", 1, Some("mallory"), "run this");
    }),
];

#[test]
fn what_a_stranger_wrote_after_the_label_is_not_worked_on() {
    for (dialect, counted) in NO_HISTORY {
        let hub = hub(dialect, counted);
        {
            let mut model = hub.sim.model.lock();
            labelled(&mut model, "mallory");
            ACTS[0].1(&mut model);
        }
        let told = hub.world.until_idle();
        let files = hub.world.files("me/app");
        assert!(!files.contains(&"done-1.txt".to_owned()), "{dialect:?}: {told:?} {files:?}");
        assert_eq!(hub.reason(1), "edited-unattributed", "{dialect:?}: {told:?}");
        assert_eq!(hub.world.claims("me/app"), Vec::<String>::new());
        // The label put on again does not help: between the reading and the label it could be changed, too.
        {
            let mut model = hub.sim.model.lock();
            model.label("me/app", 1, "ready-for-agent", Some("ada"), false);
            model.label("me/app", 1, "ready-for-agent", Some("ada"), true);
        }
        hub.world.until_idle();
        assert_eq!(hub.reason(1), "edited-unattributed");
        let why = hub.why(1);
        assert!(why.contains("mallory, who opened the issue and may change it, is not trusted"), "{why}");
        assert!(why.contains("somebody trusted opens an issue of their own with the text"), "{why}");
        assert!(!why.contains("/approve"), "{why}");
        // What the answer says to do is done.
        let own = hub.ready("Solve it");
        let told = hub.world.until_idle();
        assert!(!hub.is_open(own), "{dialect:?}: {told:?} {}", hub.reason(own));
        assert!(hub.is_open(1));
    }
}

#[test]
fn nothing_that_happens_after_a_change_explains_it() {
    for (dialect, counted) in NO_HISTORY {
        for (what, act) in ACTS {
            let hub = hub(dialect, counted);
            {
                let mut model = hub.sim.model.lock();
                labelled(&mut model, "mallory");
                act(&mut model);
            }
            let wanted = ["hub:me/app#1 edited-unattributed"];
            assert_eq!(hub.verdicts(), wanted, "{what} on {dialect:?}, counted {counted}");
        }
    }
}

/// What nobody touched starts where the server says that nobody did, and nowhere else.
#[test]
fn a_strangers_issue_starts_where_the_server_counts_no_change() {
    for (dialect, counted) in NO_HISTORY {
        for by in ["mallory", "robot[bot]", ""] {
            let hub = hub(dialect, counted);
            labelled(&mut hub.sim.model.lock(), by);
            let wanted = if counted { "dispatch" } else { "edited-unattributed" };
            assert_eq!(hub.verdicts(), [format!("hub:me/app#1 {wanted}")], "by {by:?} on {dialect:?}");
        }
    }
}

/// Who is trusted may open an issue and change it: all that can be done to its text is theirs, or that of people who may
/// write.
#[test]
fn an_issue_of_somebody_trusted_starts_whatever_happened_since() {
    for (dialect, counted) in NO_HISTORY {
        for (what, act) in ACTS {
            for (by, people) in [("ada", ""), ("mallory", "mallory"), ("robot[bot]", "Robot[bot]")] {
                let hub = hub(dialect, counted);
                hub.configure(&["me/app"], &format!("---\n[trust]\npeople = [\"{people}\"]\n"));
                {
                    let mut model = hub.sim.model.lock();
                    labelled(&mut model, by);
                    act(&mut model);
                }
                assert_eq!(hub.verdicts(), ["hub:me/app#1 dispatch"], "{what}, by {by}, on {dialect:?}");
            }
        }
    }
}

/// A change that comes after the first look is no other one.
#[test]
fn an_issue_of_somebody_trusted_may_change_after_the_first_look() {
    for (dialect, counted) in NO_HISTORY {
        let hub = hub(dialect, counted);
        {
            let mut model = hub.sim.model.lock();
            labelled(&mut model, "ada");
            model.open("me/app", "mallory", "the other", "b", &[]);
            model.issue("me/app", 1).blocked_by = vec![2];
        }
        hub.world.offhours(&["poll"]);
        assert_eq!(hub.reason(1), "blocked");
        hub.world.advance(60);
        {
            let mut model = hub.sim.model.lock();
            model.issue("me/app", 2).open = false;
            model.edit("me/app", 1, Some("helper"), "Please, and mind the gap.");
        }
        let told = hub.world.until_idle();
        assert!(!hub.is_open(1), "{dialect:?}: {told:?} {}", hub.reason(1));
    }
}

/// A first sight that was recorded under another rule does not stand for a text.
#[test]
fn an_old_first_sight_does_not_approve() {
    for (dialect, counted) in NO_HISTORY {
        let hub = hub(dialect, counted);
        hub.configure(&["me/app"], "---\n[trust]\npeople = [\"mallory\"]\n");
        {
            let mut model = hub.sim.model.lock();
            labelled(&mut model, "mallory");
            ACTS[0].1(&mut model);
            model.open("me/app", "ada", "the other", "b", &[]);
            model.issue("me/app", 1).blocked_by = vec![2];
        }
        hub.world.offhours(&["poll"]);
        assert_eq!(hub.reason(1), "blocked", "{dialect:?}: {}", hub.why(1));
        hub.world.advance(60);
        hub.configure(&["me/app"], "");
        hub.sim.model.lock().issue("me/app", 2).open = false;
        hub.world.until_idle();
        assert_eq!(hub.reason(1), "edited-unattributed", "{dialect:?}");
    }
}

/// People who may write are not trusted then, and they may change any body.
#[test]
fn where_writers_are_not_trusted_only_what_was_never_changed_starts() {
    for (dialect, counted) in NO_HISTORY {
        let hub = hub(dialect, counted);
        hub.configure(&["me/app"], "---\n[trust]\npermission = \"admin\"\npeople = [\"mallory\"]\n");
        {
            let mut model = hub.sim.model.lock();
            model.person("wes", None);
            model.repo("me/app").people.insert("wes".to_owned(), "write");
            labelled(&mut model, "ada");
        }
        let wanted = if counted { "dispatch" } else { "edited-unattributed" };
        assert_eq!(hub.verdicts(), [format!("hub:me/app#1 {wanted}")], "{dialect:?}");
        {
            let mut model = hub.sim.model.lock();
            pass(&model, 60);
            model.edit("me/app", 1, Some("wes"), "run this");
            model.comment("me/app", 1, "wes", "Any news?");
        }
        hub.world.until_idle();
        assert_eq!(hub.reason(1), "edited-unattributed", "{dialect:?}");
        let why = hub.why(1);
        let advice = if counted { "open a new issue with the text" } else { "before trust.permission is" };
        assert!(why.contains(advice), "{dialect:?}: {why}");
    }
}

/// What cannot be asked about the author is not taken for the harmless answer.
#[test]
fn an_author_who_cannot_be_asked_about_is_not_trusted() {
    for (dialect, counted) in NO_HISTORY {
        let hub = hub(dialect, counted);
        {
            let mut model = hub.sim.model.lock();
            model.unreadable.insert("mallory".into());
            labelled(&mut model, "mallory");
            ACTS[0].1(&mut model);
        }
        assert_eq!(hub.verdicts(), ["hub:me/app#1 permission-unreadable"], "{dialect:?}");
    }
}

/// People who may write may change others' comments. Where they are not trusted, a comment that was changed is nobody's.
#[test]
fn a_comment_that_was_changed_counts_where_writers_are_trusted() {
    for (dialect, permission) in [
        (Dialect::Github, "write"),
        (Dialect::Github, "admin"),
        (Dialect::Gitea, "write"),
        (Dialect::Gitea, "admin"),
    ] {
        let hub = Hub::new(dialect);
        hub.configure(&["me/app"], &format!("---\n[trust]\npermission = \"{permission}\"\n"));
        let prompts = hub.world.path("prompts");
        hub.world.agent(&format!("printf '%s' \"$prompt\" >> {}\n{GOOD_AGENT}", prompts.display()));
        {
            let mut model = hub.sim.model.lock();
            labelled(&mut model, "ada");
            model.comment("me/app", 1, "ada", "Mind the gap.");
            let changed = model.comment("me/app", 1, "ada", "Mind the step.");
            pass(&model, 60);
            let now = model.now();
            let comment = model.issue("me/app", 1).comments.iter_mut().find(|c| c.id == changed).unwrap();
            (comment.body, comment.edited) = ("Mind the door.".to_owned(), Some(now));
        }
        let told = hub.world.until_idle();
        let prompt = fs::read_to_string(prompts).unwrap_or_default();
        assert!(prompt.contains("Mind the gap."), "{dialect:?}: {told:?} {}", hub.reason(1));
        assert_eq!(prompt.contains("Mind the door."), permission == "write", "{dialect:?} {permission}");
    }
}
