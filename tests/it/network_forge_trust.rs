//! Whose text is worked on where the server keeps no history of bodies: stories on simulated forges.

use std::fs;

use super::forge::{Dialect, Fault, Model, Wrong};
use super::network_forge::Hub;
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

const ANSWER: &str = "<!-- offhours:answer -->";

impl Hub {
    /// A stranger's issue that the owner labelled, on a server that does not tell who changed its body.
    fn strange(dialect: Dialect, counted: bool) -> Self {
        let hub = hub(dialect, counted);
        let mut model = hub.sim.model.lock();
        labelled(&mut model, "mallory");
        ACTS[0].1(&mut model);
        drop(model);
        hub
    }

    /// The comments of ours that say why it does not start: their ids and their words.
    fn answers(&self, repo: &str, number: u64) -> Vec<(u64, String)> {
        let mut model = self.sim.model.lock();
        let comments = &model.issue(repo, number).comments;
        let ours = comments.iter().filter(|c| c.by == "helper" && c.body.starts_with(ANSWER));
        ours.map(|c| (c.id, c.body.clone())).collect()
    }

    /// What was written of comments, since the last look.
    fn comment_writes(&self) -> Vec<String> {
        let is_one = |line: &String| !line.starts_with("GET ") && line.contains("/comments");
        self.sim.requests().into_iter().filter(is_one).collect()
    }

    /// The same repositories, seen from another machine.
    fn on_another_machine(mut self) -> Self {
        "two".clone_into(&mut self.world.host);
        self
    }
}

#[test]
fn who_labelled_it_is_told_on_the_issue_how_to_go_on() {
    for (dialect, counted) in NO_HISTORY {
        let hub = Hub::strange(dialect, counted);
        hub.rounds(5);
        hub.world.offhours(&["poll"]);
        let answers = hub.answers("me/app", 1);
        assert_eq!(answers.len(), 1, "{dialect:?}: {answers:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(answers[0].1, @r"
            <!-- offhours:answer -->
            **offhours** does not start this issue.

            The forge does not say who changes a body, and mallory, who opened the issue and may change it, is not trusted.

            To go on, somebody trusted opens an issue of their own with the text and labels that one.
            ");
        }
        assert_eq!(hub.comment_writes().len(), 1, "{dialect:?}");
        // Nor is it said again when the label is, or when the issue is closed.
        {
            let mut model = hub.sim.model.lock();
            model.label("me/app", 1, "ready-for-agent", Some("ada"), false);
            model.label("me/app", 1, "ready-for-agent", Some("ada"), true);
        }
        hub.rounds(2);
        hub.sim.model.lock().issue("me/app", 1).open = false;
        hub.rounds(2);
        assert_eq!(hub.answers("me/app", 1), answers, "{dialect:?}");
        assert_eq!(hub.comment_writes(), Vec::<String>::new(), "{dialect:?}");
    }
}

/// Names are told as they are, and reach nobody.
#[test]
fn a_hostile_name_in_the_answer_does_nothing() {
    let hub = hub(Dialect::Forgejo, false);
    {
        let mut model = hub.sim.model.lock();
        model.person("@all](http:evil)<b>#1", None);
        labelled(&mut model, "@all](http:evil)<b>#1");
    }
    hub.rounds(1);
    let answers = hub.answers("me/app", 1);
    assert_eq!(answers.len(), 1, "{answers:?} {}", hub.reason(1));
    let text = &answers[0].1;
    for bad in ["@all", "](http", "<b>", "#1"] {
        assert!(!text.contains(bad), "{bad}: {text}");
    }
}

#[test]
fn the_answer_that_stands_is_found_again() {
    for (dialect, counted) in NO_HISTORY {
        for how in ["a lost state file", "a lost answer", "both", "another machine"] {
            let hub = Hub::strange(dialect, counted);
            // Somebody else's words are not ours, whatever they begin with.
            hub.sim.model.lock().comment("me/app", 1, "mallory", &format!("{ANSWER}\nAll is well."));
            if how != "a lost state file" {
                let at = "POST /api/v1/repos/me/app/issues/1/comments".to_owned();
                let at = if dialect == Dialect::Github { at.replace("/v1", "/v3") } else { at };
                let times = u32::from(how != "another machine");
                hub.sim.model.lock().faults.push(Fault { at, skip: 0, times, what: Wrong::LoseAnswer });
            }
            hub.rounds(1);
            let first = hub.answers("me/app", 1);
            assert_eq!(first.len(), 1, "{dialect:?} {how}: {first:?}");
            if matches!(how, "a lost state file" | "both") {
                hub.world.lose_state();
            }
            let hub = if how == "another machine" { hub.on_another_machine() } else { hub };
            hub.rounds(5);
            assert_eq!(hub.answers("me/app", 1), first, "{dialect:?} {how}");
            let forged = hub.comments(1).into_iter().filter(|c| c.ends_with("All is well.")).count();
            assert_eq!(forged, 1, "{dialect:?} {how}");
            let posts = hub.comment_writes().iter().filter(|w| w.starts_with("POST ")).count();
            assert_eq!(posts, 1, "{dialect:?} {how}");
        }
    }
}

/// Ended at each boundary of the tick that answers, a slice of them on each kind of server.
#[test]
fn a_tick_that_is_ended_while_it_answers_does_not_answer_twice() {
    let ended_at = |dialect, counted, crash: &str, log: bool| {
        let hub = Hub::strange(dialect, counted);
        let mut command = hub.world.command(&["poll"]);
        command.env("OFFHOURS_CRASH", crash);
        if log {
            command.env("OFFHOURS_BOUNDARY_LOG", hub.world.path("log"));
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code().is_none(), !crash.is_empty(), "{crash}: {output:?}");
        hub
    };
    let full = std::env::var_os("OFFHOURS_FULL_MATRIX").is_some();
    for (at, (dialect, counted)) in NO_HISTORY.into_iter().enumerate() {
        let hub = ended_at(dialect, counted, "", true);
        let log = fs::read_to_string(hub.world.path("log")).unwrap();
        let places: Vec<&str> = log.lines().collect();
        let from = places.iter().position(|line| line.ends_with(" state.answer"));
        let from =
            from.unwrap_or_else(|| panic!("{dialect:?}: nothing was recorded before it was tried: {log}"));
        assert!(places[from..].iter().any(|line| line.ends_with(" http.write")), "{dialect:?}: {log}");
        let every = if full { 1 } else { NO_HISTORY.len() };
        for place in places[from..].iter().skip(if full { 0 } else { at }).step_by(every) {
            let crash = place.split_once(' ').unwrap().0;
            let hub = ended_at(dialect, counted, crash, false);
            hub.world.advance(60);
            hub.rounds(4);
            let answers = hub.answers("me/app", 1);
            assert_eq!(answers.len(), 1, "{dialect:?} ended at {place}: {answers:?}");
            assert!(answers[0].1.contains("To go on"), "{dialect:?} ended at {place}: {answers:?}");
        }
    }
}

#[test]
fn nobody_is_answered_where_nothing_would_start_anyway() {
    let untrusted: fn(&Hub) = |hub| {
        let mut model = hub.sim.model.lock();
        model.label("me/app", 1, "ready-for-agent", Some("ada"), false);
        model.label("me/app", 1, "ready-for-agent", Some("mallory"), true);
    };
    let cases: [(&str, fn(&Hub), &str); 6] = [
        ("labelled by a stranger", untrusted, "untrusted-labeller"),
        ("off", |hub| drop(hub.world.offhours(&["off"]).ok()), ""),
        ("paused", |hub| drop(hub.world.offhours(&["pause"]).ok()), "paused"),
        ("disarmed", |hub| hub.configure(&[], ""), ""),
        (
            "outside hours",
            |hub| hub.configure(&["me/app"], "dispatch_hours = [\"Mon 03:00-03:01\"]\n---\n"),
            "outside-hours",
        ),
        (
            "a dry run",
            |hub| {
                for _ in 0..2 {
                    let planned = hub.world.offhours(&["poll", "--dry-run"]);
                    let line = "hub:me/app#1: say on the issue why it does not start";
                    assert!(planned.stdout.contains(line), "{}", planned.stdout);
                }
                hub.configure(&[], "");
            },
            "",
        ),
    ];
    for (dialect, counted) in NO_HISTORY {
        for (what, prepare, reason) in cases {
            let hub = Hub::strange(dialect, counted);
            prepare(&hub);
            hub.rounds(3);
            let codes = reasons(&hub.world.offhours(&["poll", "--json"])).join(" ");
            assert!(
                codes.ends_with(reason) && (codes.is_empty() == reason.is_empty()),
                "{what} on {dialect:?}: {codes}"
            );
            assert_eq!(hub.comment_writes(), Vec::<String>::new(), "{what} on {dialect:?}");
        }
    }
}

#[test]
fn the_answer_is_edited_when_there_is_another_one() {
    for (dialect, counted) in NO_HISTORY {
        let hub = Hub::strange(dialect, counted);
        hub.rounds(1);
        let first = hub.answers("me/app", 1);
        hub.configure(&["me/app"], "---\n[trust]\npermission = \"admin\"\n");
        hub.rounds(3);
        let second = hub.answers("me/app", 1);
        assert_eq!((first.len(), second.len()), (1, 1), "{dialect:?}: {first:?} {second:?}");
        assert_eq!(first[0].0, second[0].0, "{dialect:?}");
        assert!(!first[0].1.contains("permission") && second[0].1.contains("trust.permission"), "{second:?}");
        let wrote = hub.comment_writes();
        assert_eq!(wrote.len(), 2, "{dialect:?}: {wrote:?}");
        // Whoever takes it away does not want to read it.
        hub.sim.model.lock().issue("me/app", 1).comments.retain(|c| c.id != first[0].0);
        hub.configure(&["me/app"], "");
        hub.rounds(3);
        assert_eq!(hub.answers("me/app", 1), vec![], "{dialect:?}");
        assert_eq!(hub.comment_writes().len(), 1, "{dialect:?}");
    }
}

/// One repository where nobody may comment is no trouble of the others, and is not tried for ever.
#[test]
fn an_answer_that_is_refused_stops_nothing() {
    let refusals = [(403, "POST"), (404, "POST"), (403, "GET"), (422, "POST")];
    for ((dialect, counted), (status, of)) in NO_HISTORY.into_iter().zip(refusals) {
        let hub = Hub::strange(dialect, counted);
        hub.add("me/web");
        hub.configure(&["me/app", "me/web"], "");
        {
            let mut model = hub.sim.model.lock();
            model.open("me/web", "mallory", "Solve it", "Please.", &[]);
            pass(&model, 60);
            model.label("me/web", 1, "ready-for-agent", Some("ada"), true);
            model.edit("me/web", 1, Some("mallory"), "run this");
            let what = Wrong::Answer(status, vec![], r#"{"message":"no"}"#.to_owned());
            let version = if dialect == Dialect::Github { "v3" } else { "v1" };
            let at = format!("{of} /api/{version}/repos/me/app/issues/1/comments");
            model.faults.push(Fault { at, skip: 0, times: 1000, what });
        }
        hub.ready_in("me/web", "Another one");
        let context = format!("{dialect:?} {of} {status}");
        let polled = hub.world.offhours(&["poll"]);
        assert_eq!(polled.code, 75, "{context}: {}", polled.stderr);
        assert!(polled.stderr.contains("answer on hub:me/app#1"), "{context}: {}", polled.stderr);
        hub.rounds(3);
        assert_eq!(hub.answers("me/web", 1).len(), 1, "{context}");
        assert!(!hub.sim.model.lock().issue("me/web", 2).open, "{context}: {}", hub.reason(1));
        // Later ticks try again, and fewer than there are.
        for _ in 0..14 {
            hub.world.advance(43_200);
            hub.world.offhours(&["poll"]);
        }
        let refused = |line: &String| line.contains("/1/comments") && line.ends_with(&status.to_string());
        let refused = hub.sim.requests().into_iter().filter(refused).count();
        assert!((5..=10).contains(&refused), "{context}: {refused}");
        assert_eq!(hub.answers("me/app", 1), vec![], "{context}");
    }
}

#[test]
fn an_answer_that_was_refused_is_given_later() {
    for (dialect, counted) in NO_HISTORY {
        let hub = Hub::strange(dialect, counted);
        let what = Wrong::Answer(403, vec![], r#"{"message":"no"}"#.to_owned());
        hub.sim.model.lock().faults.push(Fault { at: "/1/comments".into(), skip: 0, times: 3, what });
        hub.rounds(12);
        assert_eq!(hub.answers("me/app", 1).len(), 1, "{dialect:?}");
    }
}

/// The account that offhours has may write, so that its words would count; those that it wrote itself are no task.
#[test]
fn the_answer_is_not_what_the_agent_is_told() {
    for (dialect, counted) in NO_HISTORY {
        for lost in [false, true] {
            let hub = Hub::strange(dialect, counted);
            let prompts = hub.world.path("prompts");
            hub.world.agent(&format!("printf '%s' \"$prompt\" >> {}\n{GOOD_AGENT}", prompts.display()));
            hub.rounds(1);
            let answers = hub.answers("me/app", 1);
            hub.sim.model.lock().comment("me/app", 1, "ada", "Mind the gap.");
            if lost {
                hub.world.lose_state();
                hub.rounds(1);
            }
            hub.configure(&["me/app"], "---\n[trust]\npeople = [\"mallory\", \"helper\"]\n");
            hub.world.until_idle();
            assert!(!hub.is_open(1), "{dialect:?}: {}", hub.reason(1));
            let prompt = fs::read_to_string(prompts).unwrap();
            assert!(prompt.contains("Mind the gap.") && !prompt.contains("does not start"), "{prompt}");
            assert_eq!((answers.len(), hub.answers("me/app", 1)), (1, answers), "{dialect:?}");
        }
    }
}
