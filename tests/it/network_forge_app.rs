//! A GitHub App in place of a token: from a ready issue to landed code, what is said where it cannot be, and that neither
//! its key nor its tokens lie anywhere.

use std::fs;

use super::forge::app::{App, Installation, KEY, KEY_PKCS8, OTHER_KEY, pem};
use super::forge::{Dialect, Fault, Wrong};
use super::network_forge::Hub;
use super::secrets::holding;

const PKCS1: &str = "RSA PRIVATE KEY";

/// The account that offhours has is an app's.
fn with_app() -> Hub {
    let hub = Hub::new(Dialect::Github);
    {
        let mut model = hub.sim.model.lock();
        let app = App::new();
        model.person(&app.login(), None);
        model.repo("me/app").people.insert(app.login(), "write");
        model.repo("me/app").people.remove("helper");
        model.tokens.clear();
        model.app = Some(app);
    }
    configure(&hub, "");
    hub
}

/// `more`: lines of the forge's table.
fn configure(hub: &Hub, more: &str) {
    hub.configure(&["me/app"], "");
    fs::remove_file(hub.world.path("token")).unwrap();
    let key = hub.world.path("app.pem");
    fs::write(&key, pem(PKCS1, KEY)).unwrap();
    hub.world.edit_config(
        &format!("token = {{ file = \"{}\" }}", hub.world.path("token").display()),
        &format!("app_id = \"4321\"\napp_key = {{ file = \"{}\" }}\n{more}", key.display()),
    );
}

/// All that is asked as the app itself.
pub fn what_an_app_says() -> Hub {
    let hub = with_app();
    hub.ready("Solve it");
    hub.world.tick();
    hub.world.offhours(&["doctor"]);
    hub
}

fn minted(requests: &[String]) -> usize {
    requests.iter().filter(|r| r.contains("/access_tokens ")).count()
}

/// Issue, comments, labels, CI and git over HTTPS, with tokens that end in the middle: by the clock between two ticks, and
/// before their time within one. Neither the key nor a token nor a proof lies anywhere afterwards.
#[test]
fn an_app_takes_a_ready_issue_to_landed_code() {
    let hub = with_app();
    let number = hub.ready("Solve it");
    // Of the same name as the app, and no app.
    hub.sim.model.lock().person("night-shift", None);
    let mut said = String::new();
    let mut say = |args: &[&str]| {
        let told = hub.world.offhours(args);
        said.push_str(&format!("{args:?} {}\n{}{}", told.code, told.stdout, told.stderr));
        told
    };
    let mut renewed = false;
    for _ in 0..40 {
        let taken = hub.labels(number).contains(&"agent-in-progress".to_owned());
        if taken && !renewed {
            // Taken back before its end, after the first request with it.
            let gone = Wrong::Answer(401, vec![], "{\"message\":\"Bad credentials\"}".to_owned());
            let fault = Fault { at: "/repos/me/app/issues/1".to_owned(), skip: 1, times: 1, what: gone };
            hub.sim.model.lock().faults.push(fault);
            hub.sim.requests();
            assert_eq!(say(&["tick", "-vv"]).code, 0);
            let requests = hub.sim.requests();
            assert!(requests.iter().any(|r| r.ends_with(" 401")), "{requests:#?}");
            assert_eq!(minted(&requests), 2, "{requests:#?}");
            renewed = true;
        }
        say(&["tick", "-vv"]);
        hub.world.jobs_end();
        hub.world.advance(3700);
        if !hub.is_open(number) && hub.world.claims("me/app").is_empty() {
            break;
        }
    }
    let requests = hub.sim.requests();
    assert!(renewed && !hub.is_open(number), "{said}\n{requests:#?}");
    assert!(hub.world.files("me/app").contains(&"done-1.txt".to_owned()), "{said}");
    assert_eq!(hub.labels(number), Vec::<String>::new(), "{said}");
    let by: Vec<String> =
        hub.sim.model.lock().issue("me/app", number).comments.iter().map(|c| c.by.clone()).collect();
    assert_eq!(by, ["night-shift[bot]", "night-shift[bot]"], "{said}");
    assert!(!requests.iter().any(|r| r.contains("/user ")), "{requests:#?}");
    let doctor = say(&["doctor"]);
    assert!(
        doctor.stdout.contains(
            "hub: the token is night-shift[bot]'s, with contents write, issues write, pull_requests write, checks read, \
             statuses read, metadata read, actions write; without workflows: write"
        ),
        "{}",
        doctor.stdout
    );
    assert!(doctor.stdout.contains("access: hub:me/app can be written"), "{}", doctor.stdout);
    for args in [&["config", "show", "--effective"][..], &["status", "--json"], &["tick", "--dry-run", "-vv"]]
    {
        assert_eq!(say(args).code, 0, "{args:?}");
    }

    let tokens = hub.sim.model.lock().app.as_ref().unwrap().tokens.clone();
    assert!(tokens.len() > 3, "{tokens:?}");
    fs::remove_file(hub.world.path("app.pem")).unwrap();
    // A token, a part of the key, the beginning of every proof.
    let secrets = ["ghs_sim", &KEY[100..164], "eyJhbGciOiJSUzI1NiI"];
    for secret in secrets {
        assert!(!said.contains(secret), "{said}");
        let mut files = vec![];
        holding(&hub.world.path(""), secret, &mut files);
        assert_eq!(files, Vec::<String>::new(), "{secret}");
        let model = hub.sim.model.lock();
        assert!(model.log.iter().all(|seen| !seen.line.contains(secret)));
        let issues = &model.repos["me/app"].issues;
        assert!(issues.iter().flat_map(|i| &i.comments).all(|c| !c.body.contains(secret)));
    }
}

/// A comment whose answer was lost is found again as the app's own, and only as the app's own; with a warm cache a
/// dispatch stays at twelve requests, the token among them.
#[test]
fn an_app_knows_its_own_comments_and_keeps_to_its_requests() {
    let hub = with_app();
    configure(&hub, "app_installation = 77\n");
    hub.ready("The first");
    let lost = Fault {
        at: "POST /api/v3/repos/me/app/issues/1/comments".into(),
        skip: 0,
        times: 1,
        what: Wrong::LoseAnswer,
    };
    hub.sim.model.lock().faults.push(lost);
    hub.world.until_idle();
    assert!(!hub.is_open(1));
    assert_eq!(hub.comments(1).len(), 2, "{:#?}", hub.comments(1));
    hub.ready("The second");
    hub.sim.requests();
    hub.world.advance(600);
    let polled = hub.world.offhours(&["poll", "--json"]);
    let requests = hub.sim.requests();
    assert_eq!(polled.code, 0, "{} {requests:#?}", polled.stdout);
    assert!(requests.iter().any(|r| r.starts_with("POST ") && r.contains("/comments ")), "{requests:#?}");
    assert_eq!(minted(&requests), 1, "{requests:#?}");
    assert!(requests.len() <= 12, "{} requests: {requests:#?}", requests.len());
    // What did not change is not sent again, though each tick has a token of its own.
    hub.world.until_idle();
    hub.world.advance(600);
    hub.world.offhours(&["poll"]).ok();
    hub.sim.requests();
    hub.world.advance(600);
    hub.world.offhours(&["poll"]).ok();
    let requests = hub.sim.requests();
    assert!(requests.len() == 2 && requests[1].ends_with(" 304"), "{requests:#?}");
}

/// Each thing that can be wrong: exit code 77 (78 where the file itself is), a sentence with what to do, and no part of
/// the key.
#[expect(clippy::too_many_lines, reason = "a table")]
#[test]
fn an_app_that_cannot_be_is_a_sentence() {
    type Prepare = fn(&Hub);
    let cases: [(Prepare, &str); 11] = [
        (
            |hub| fs::remove_file(hub.world.path("app.pem")).unwrap(),
            "reading the secret forge.hub.app_key from",
        ),
        (
            |hub| fs::write(hub.world.path("app.pem"), "hunter2").unwrap(),
            "forge.hub.app_key is no private key in PEM form",
        ),
        (
            |hub| fs::write(hub.world.path("app.pem"), &pem(PKCS1, KEY)[..900]).unwrap(),
            "forge.hub.app_key is a private key that was cut off: download a new private key",
        ),
        (
            |hub| fs::write(hub.world.path("app.pem"), pem(PKCS1, &KEY[..400])).unwrap(),
            "forge.hub.app_key is no RSA private key that can be used",
        ),
        (
            |hub| fs::write(hub.world.path("app.pem"), pem("ENCRYPTED PRIVATE KEY", KEY)).unwrap(),
            "protected by a pass phrase",
        ),
        (
            |hub| fs::write(hub.world.path("app.pem"), pem(PKCS1, OTHER_KEY)).unwrap(),
            "refused the app's signature: A JSON web token could not be decoded. Check that forge.hub.app_id is the app's",
        ),
        (
            |hub| hub.world.edit_config("app_id = \"4321\"", "app_id = \"1234\""),
            "Integration not found. Check that forge.hub.app_id is the app's",
        ),
        (
            |hub| hub.sim.model.lock().slow_clock = 3600,
            "The clock here is 1h 0m ahead of the server's: let the machine set it by the network",
        ),
        (
            |hub| hub.sim.model.lock().slow_clock = -3600,
            "The clock here is 1h 0m behind the server's: let the machine set it by the network",
        ),
        (
            |hub| {
                let mut model = hub.sim.model.lock();
                let all = &mut model.app.as_mut().unwrap().installations;
                let second = Installation { id: 78, ..all[0].clone() };
                all.push(second);
            },
            "2 fit (77 for me, 78 for me). Name one as forge.hub.app_installation",
        ),
        (
            |hub| hub.sim.model.lock().app.as_mut().unwrap().installations[0].owner = "you".into(),
            "is installed: nowhere for me. Install it for the repositories that agents shall work in",
        ),
    ];
    let hub = with_app();
    hub.ready("Solve it");
    let config = fs::read_to_string(hub.world.path("config.toml")).unwrap();
    for (number, (prepare, wanted)) in cases.into_iter().enumerate() {
        hub.sim.model.lock().app = Some(App::new());
        hub.sim.model.lock().slow_clock = 0;
        fs::write(hub.world.path("config.toml"), &config).unwrap();
        fs::write(hub.world.path("app.pem"), pem(PKCS1, KEY)).unwrap();
        prepare(&hub);
        hub.world.advance(86_400);
        let told = hub.world.offhours(&["poll", "--json"]);
        let plain = format!("{}{}", told.stdout, told.stderr);
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(told.code, 77, "{number} {plain}");
        assert!(plain.contains(wanted), "{number} {plain}");
        assert!(!plain.contains("hunter2") && !plain.contains(&KEY[100..120]), "{number} {plain}");
        assert_eq!(hub.comments(1), Vec::<String>::new(), "{number}");
        if [1, 5, 7].contains(&number) {
            let doctor = hub.world.offhours(&["doctor"]).stdout;
            assert!(doctor.contains(" BAD  token: hub: "), "{number} {doctor}");
        }
    }

    // Suspended; a right that is missing; a repository that it is not installed for.
    hub.sim.model.lock().app = Some(App::new());
    fs::write(hub.world.path("config.toml"), &config).unwrap();
    hub.world.edit_config("app_id = \"4321\"", "app_id = \"Iv23liSimulated\"\napp_installation = 77");
    fs::write(hub.world.path("app.pem"), pem("PRIVATE KEY", KEY_PKCS8)).unwrap();
    hub.sim.model.lock().app.as_mut().unwrap().installations[0].suspended = true;
    let told = hub.world.offhours(&["poll", "--json"]);
    assert!(
        told.code == 77 && told.stdout.contains("This installation has been suspended"),
        "{}",
        told.stdout
    );
    {
        let mut model = hub.sim.model.lock();
        let of = &mut model.app.as_mut().unwrap().installations[0];
        of.suspended = false;
        of.rights.insert("issues", "read");
        of.rights.remove("checks");
    }
    let doctor = hub.world.offhours(&["doctor"]).stdout;
    for wanted in
        ["the app has not issues: write", "the app has not checks: read", "may read there, and not write"]
    {
        assert!(doctor.contains(wanted), "{wanted}: {doctor}");
    }
    let refused = hub.world.offhours(&["doctor", "--json", "--exit-code"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    hub.sim.model.lock().app = Some(App::new());
    // The key of the other form, a client id and a named installation do as well.
    hub.world.until_idle();
    assert!(!hub.is_open(1), "{:?}", hub.world.offhours(&["why", "me/app#1"]).stdout);
}

/// What an app labels nobody asked for, so that it does not say it did.
#[test]
fn an_app_does_not_ask_for_another_attempt_itself() {
    let hub = with_app();
    hub.world.agent("exit 1\n");
    let number = hub.ready("Solve it");
    hub.world.until_idle();
    assert_eq!(hub.labels(number), ["needs-human"]);
    let refused = hub.world.offhours(&["run", "retry", "hub:me/app#1"]);
    assert_eq!(refused.code, 64, "{}", refused.stdout);
    assert!(refused.stderr.contains("put the label ready-for-agent on it yourself"), "{}", refused.stderr);
    assert_eq!(hub.labels(number), ["needs-human"]);
}
