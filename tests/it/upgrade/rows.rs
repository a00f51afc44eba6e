//! The rows of the contract's table, through the binary.

use super::place::{Place, compose};
use super::registry::Mood;
use crate::world::git;

/// Sets a status for the newest trial of the recipe `blog`.
fn ci_says(place: &Place, number: u64, state: &str, url: &str) {
    let branch = "upgrade/blog/1.1.0+1.1.0";
    place.status_of("recipes/blog", &place.head("recipes/blog", branch), number, state, url);
}

#[test]
fn v3_the_newer_tag_is_on_page_two() {
    let place = Place::new();
    place.start(&[]);
    place.settle();
    assert_eq!(place.recipe_of("blog")["step"], "wait", "{}", place.status());
    assert_eq!(place.triggers("recipes/blog", 1), 1);
    ci_says(&place, 1, "success", "https://ci.example/1");
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: SUCCESS");
    let branch = "upgrade/blog/1.1.0+1.1.0";
    let diff = git(&place.world.bare("recipes/blog"), &["diff", "-U0", "main", branch]);
    let changed: Vec<&str> = diff
        .lines()
        .filter(|l| l.starts_with(['+', '-']) && !l.starts_with("+++") && !l.starts_with("---"))
        .collect();
    let host = place.registry.host();
    assert_eq!(
        changed,
        [
            format!("-    image: {host}/team/app:1.0.0 # keep").as_str(),
            &format!("+    image: {host}/team/app:1.1.0 # keep"),
            "-        - \"coop-cloud.${STACK_NAME}.version=1.0.0+1.0.0\"",
            "+        - \"coop-cloud.${STACK_NAME}.version=1.1.0+1.1.0\"",
        ]
    );
    assert_eq!(place.pushes(), [format!("blog refs/heads/{branch}")]);
    assert_eq!(place.branches("recipes/blog").len(), 2);
    let upstream = git(&place.upstream("blog"), &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(upstream.trim(), "refs/heads/main", "upstream is only read");
    assert!(place.pull_is_open("recipes/blog", 1), "nobody merges");
    assert!(place.pull_text("recipes/blog", 1).contains("2.0.0 of"), "the held major is told");
    let comments = place.comments("recipes/blog", 1);
    assert!(comments.iter().any(|c| c.contains("Trial 1 of 3: GREEN")), "{comments:?}");
    let status = place.status();
    assert_eq!(status["standing"], "IDLE");
    assert!(
        status["summary"]
            .as_str()
            .unwrap()
            .contains("PULL REQUESTS\n  blog 1.1.0+1.1.0: recipes/blog#1 — RESULT: SUCCESS"),
        "{status}"
    );
    assert_eq!(place.world.notices().iter().filter(|n| n["kind"] == "upgrade_summary").count(), 1);
    let asked = place.registry.asked();
    assert!(asked.iter().any(|path| path.contains("last=")), "{asked:?}");
}

fn testme(place: &Place, more: &[&str]) -> String {
    let args: Vec<&str> = ["upgrade", "testme", "blog", "1"].iter().chain(more).copied().collect();
    place.offhours(&args).ok().stdout
}

const BRANCH: &str = "upgrade/blog/1.1.0+1.1.0";

/// A place whose batch waits for the verdict of its first trial.
fn waiting(upgrade: &str, tables: &str) -> Place {
    let place = Place::new();
    place.configure(upgrade, tables);
    place.start(&[]);
    place.settle();
    assert_eq!(place.recipe_of("blog")["step"], "wait", "{}", place.status());
    place
}

#[test]
fn v2_testme_reads_and_posts_exactly_once() {
    let place = waiting("", "");
    place.offhours(&["upgrade", "stop"]).ok();
    let head = place.head("recipes/blog", BRANCH);
    assert_eq!(testme(&place, &[]), "VERDICT=PENDING\nBUILD=\n");
    assert_eq!(place.triggers("recipes/blog", 1), 1, "without --post nothing is posted");
    place.status_of("recipes/blog", &head, 1, "success", "https://ci.example/1");
    assert_eq!(testme(&place, &[]), "VERDICT=GREEN\nBUILD=https://ci.example/1\n");
    place.world.advance(60);
    assert_eq!(
        testme(&place, &["--post"]),
        "VERDICT=PENDING\nBUILD=\n",
        "an old green on the same commit is no answer"
    );
    assert_eq!(place.triggers("recipes/blog", 1), 2);
    // Another run's status of the same commit, then ours, in an order that says nothing.
    place.world.advance(60);
    place.status_of("recipes/blog", &head, 4, "failure", "https://ci.example/2");
    place.status_of("recipes/blog", &head, 3, "pending", "https://ci.example/2");
    place.status_of("recipes/blog", &head, 5, "success", "https://ci.example/other");
    assert_eq!(testme(&place, &[]), "VERDICT=RED\nBUILD=https://ci.example/2\n");
    for (name, code) in [("failure", 1), ("pending", 75), ("success", 0)] {
        let number = match name {
            "failure" => 6,
            "pending" => 7,
            _ => 8,
        };
        place.status_of("recipes/blog", &head, number, name, "https://ci.example/2");
        assert_eq!(place.offhours(&["upgrade", "testme", "blog", "1", "--exit-code"]).code, code, "{name}");
    }
    // A person's trigger is the newest: what was green before it says nothing any more.
    place.world.advance(60);
    place.says("recipes/blog", 1, "ann", "!testme", false);
    assert_eq!(testme(&place, &[]), "VERDICT=PENDING\nBUILD=\n");
    place.world.advance(60);
    place.status_of("recipes/blog", &head, 9, "success", "https://ci.example/3");
    assert_eq!(testme(&place, &[]), "VERDICT=GREEN\nBUILD=https://ci.example/3\n");
    let json = place.offhours(&["upgrade", "testme", "blog", "1", "--json"]).ok().json();
    assert_eq!(json.pointer("/items/0/verdict").unwrap(), "GREEN");
    // Ended right after the comment was written: the next one finds it.
    let mut command = place.world.command(&["upgrade", "testme", "blog", "1", "--post"]);
    command.env("OFFHOURS_CRASH", "tick:state.note#3");
    assert!(!command.status().unwrap().success());
    let before = place.triggers("recipes/blog", 1);
    testme(&place, &["--post"]);
    assert_eq!(place.triggers("recipes/blog", 1), before);
    assert_eq!(before, 4);
    assert_eq!(place.offhours(&["upgrade", "testme", "blog", "9"]).code, 64);
    assert_eq!(place.offhours(&["upgrade", "testme", "nobody", "1"]).code, 64);
}

/// Repairs by writing a config file, and counts its turns.
const FIXES: &str = "echo \"fixed $(field attempt)\" >> fixed.conf\nreply '\"outcome\":\"repaired\",\"summary\":\"a config\"'\n";

#[test]
fn v4_red_repaired_green() {
    let place = Place::new();
    let agent = place.agent(FIXES);
    place.configure(&format!("runner = \"fixer\"\n{}", place.teardown()), &agent);
    place.start(&[]);
    place.settle();
    ci_says(&place, 1, "failure", "https://ci.example/1");
    place.settle();
    assert_eq!(place.recipe_of("blog")["step"], "wait", "{}", place.status());
    assert_eq!(place.triggers("recipes/blog", 1), 2);
    ci_says(&place, 2, "success", "https://ci.example/2");
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: SUCCESS");
    let files = git(&place.world.bare("recipes/blog"), &["ls-tree", "--name-only", BRANCH]);
    assert!(files.contains("fixed.conf"), "{files}");
    let author = git(&place.world.bare("recipes/blog"), &["log", "-1", "--format=%an %s", BRANCH]);
    assert!(author.starts_with("offhours Repair"), "the tool commits: {author}");
    let torn = std::fs::read_to_string(place.world.path("torn")).unwrap();
    assert_eq!(torn, "check blog\ndown blog\ncheck blog\n");
    assert!(place.world.processes().is_empty());
}

#[test]
fn v4_never_repaired_is_three_triggers_and_the_exact_line() {
    let place = Place::new();
    let agent = place.agent(FIXES);
    place.configure("runner = \"fixer\"\n", &agent);
    place.start(&[]);
    for trial in 1..=4u64 {
        place.settle();
        if place.recipe_of("blog")["step"] == "wait" {
            ci_says(&place, trial, "failure", &format!("https://ci.example/{trial}"));
        }
    }
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: FAILED — upgrade not green after 3 !testme runs");
    assert_eq!(place.triggers("recipes/blog", 1), 3);
    assert!(place.pull_is_open("recipes/blog", 1));
    assert_eq!(place.pulls("recipes/blog"), 1);
    let comments = place.comments("recipes/blog", 1).join("\n");
    for trial in 1..=3 {
        assert!(comments.contains(&format!("Trial {trial} of 3: RED")), "{comments}");
    }
}

#[test]
fn v4_red_without_an_agent_and_without_a_verdict() {
    let place = waiting("", "");
    ci_says(&place, 1, "failure", "https://ci.example/1");
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: FAILED — red, no repair command (1 of 3 runs used)");
    assert!(place.pull_is_open("recipes/blog", 1));
    // The journal has it, once; its reason may be somebody's words, and waits for a person.
    place.offhours(&["lessons"]).ok();
    let lessons = place.offhours(&["lessons", "list", "--json"]).ok().json();
    let told = |key: &str| lessons.pointer(&format!("/lessons/0/{key}")).cloned().unwrap_or_default();
    assert_eq!(lessons.pointer("/lessons/1"), None, "{lessons}");
    assert_eq!((told("lesson_type"), told("work_item_id")), ("upgrade_failed".into(), "blog".into()));
    assert_eq!(
        (told("detail"), told("untrusted")),
        ("red, no repair command (1 of 3 runs used)".into(), true.into())
    );
    let place = waiting("ci_timeout_seconds = 600\n", "");
    place.world.advance(700);
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: FAILED — no verdict within 10m (trial 1 of 3)");
}

/// The repository of tests has a check for the old title; the page has a new one.
fn stale_reply(extra: &str, failures: &str) -> String {
    format!(
        "reply \"\\\"outcome\\\":\\\"stale_test\\\",\\\"summary\\\":\\\"the title changed\\\",\\\"all_failures\\\":[{failures}],\
         \\\"stale_tests\\\":[{{\\\"repo\\\":\\\"recipes/tests\\\",\\\"path\\\":\\\"tests/blog.sh\\\",\\\"test\\\":\\\"title\\\",\\\"why\\\":\\\"the page says New\\\",\
         \\\"build_url\\\":\\\"$build\\\"}}]{extra}\"\n"
    )
}

fn with_tests_repo(place: &Place) {
    let clone = place.world.path("tests-clone");
    let here = place.world.path("");
    git(
        &here,
        &["clone", "-q", place.world.bare("recipes/tests").to_str().unwrap(), clone.to_str().unwrap()],
    );
    std::fs::create_dir_all(clone.join("tests")).unwrap();
    std::fs::write(clone.join("tests/blog.sh"), "#!/bin/sh\ngrep -q Old page\ngrep -q Foot page\n").unwrap();
    git(&clone, &["add", "tests"]);
    git(&clone, &["commit", "-q", "-m", "A test of the blog"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
}

#[test]
fn v5_a_stale_test_is_told_once_and_left_alone() {
    let place = Place::new();
    with_tests_repo(&place);
    let before = place.head("recipes/tests", "main");
    let agent = place.agent(&stale_reply("", "\\\"title\\\""));
    place.configure("runner = \"fixer\"\n", &agent);
    place.start(&[]);
    place.settle();
    ci_says(&place, 1, "failure", "https://ci.example/1");
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: SUCCESS-PENDING-TESTS", "{}", place.status());
    let told: Vec<String> =
        place.comments("recipes/blog", 1).into_iter().filter(|c| c.contains("stale")).collect();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("title") && told[0].contains("ci.example/1") && told[0].contains("--with-tests"),
        "{}",
        told[0]
    );
    assert_eq!(place.head("recipes/tests", "main"), before);
    assert_eq!(place.branches("recipes/tests"), ["main"]);
    assert!(place.status()["summary"].as_str().unwrap().contains("Tests look stale"));
}

#[test]
fn v5_hostile_and_unexplained_answers_are_no_success() {
    let edits = [
        ("mkdir -p tests; echo true > tests/x.sh\nreply '\"outcome\":\"repaired\"'\n", "test-path"),
        (
            "mkdir -p .github/workflows; echo x > .github/workflows/ci.yml\nreply '\"outcome\":\"repaired\"'\n",
            "ci-config",
        ),
        ("ln -s /etc/passwd link\nreply '\"outcome\":\"repaired\"'\n", "symlink"),
        ("sed -i s/1.1.0/1.0.0/ compose.yml\nreply '\"outcome\":\"repaired\"'\n", "image-undone"),
        ("reply '\"outcome\":\"repaired\"'\n", "changed nothing"),
        ("reply '\"outcome\":\"green\"'\n", "unknown outcome"),
        ("echo '{}' > \"$OFFHOURS_RESULT\"\n", "gave up"),
        ("exit 3\n", "gave up"),
    ];
    let place = waiting("", "");
    let stale = [
        (stale_reply("", "\\\"title\\\",\\\"login\\\""), "login failed as well"),
        (stale_reply("", "").replace("\\\"all_failures\\\":[],", ""), "not listed"),
        (stale_reply("", "\\\"title\\\"").replace("tests/blog.sh", "tests/gone.sh"), "no such file"),
        (stale_reply("", "\\\"title\\\"").replace("$build", "https://ci.example/0"), "not this red trial's"),
    ];
    drop(place);
    let all = edits.iter().map(|(body, why)| ((*body).to_owned(), *why)).chain(stale);
    for (body, why) in all {
        let place = Place::new();
        with_tests_repo(&place);
        let agent = place.agent(&body);
        place.configure("runner = \"fixer\"\n", &agent);
        place.start(&[]);
        place.settle();
        let head = place.head("recipes/blog", BRANCH);
        ci_says(&place, 1, "failure", "https://ci.example/1");
        place.settle();
        let line = place.line("blog");
        assert!(line.starts_with("RESULT: FAILED") && line.contains(why), "{body}: {line}");
        assert_eq!(place.head("recipes/blog", BRANCH), head, "nothing of it was pushed: {body}");
        assert_eq!(place.branches("recipes/tests"), ["main"]);
    }
}

const PATCH: &str = ",\\\"test_patch\\\":\\\"--- a/tests/blog.sh\\\\n+++ b/tests/blog.sh\\\\n@@ -1,3 +1,3 @@\\\\n #!/bin/sh\\\\n-grep -q Old page\\\\n+grep -q New page\\\\n grep -q Foot page\\\\n\\\"";

fn with_tests(patch: &str, verify: &str) -> Place {
    let place = Place::new();
    with_tests_repo(&place);
    let agent = place.agent(&stale_reply(patch, "\\\"title\\\""));
    let both = place.world.script(
        "both.sh",
        &format!("#!/bin/sh\n[ -e \"$1/compose.yml\" ] && grep -q New \"$2/tests/blog.sh\" && echo \"$3 $4\" > {} && {verify}\n", place.world.path("both").display()),
    );
    let command = format!(
        "runner = \"fixer\"\nverify_command = [\"{}\", \"{{recipe_dir}}\", \"{{tests_dir}}\", \"{{recipe_head}}\", \"{{tests_head}}\"]\n",
        both.display()
    );
    place.configure(&command, &agent);
    place.start(&["--with-tests"]);
    place.settle();
    ci_says(&place, 1, "failure", "https://ci.example/1");
    place.settle();
    place
}

#[test]
fn v6_two_linked_pull_requests_verified_together() {
    let place = with_tests(PATCH, "true");
    assert_eq!(place.line("blog"), "RESULT: SUCCESS+TESTPR", "{}", place.status());
    assert_eq!((place.pulls("recipes/blog"), place.pulls("recipes/tests")), (1, 1));
    let on_recipe = place.comments("recipes/blog", 1).join("\n");
    let on_tests = place.comments("recipes/tests", 1).join("\n");
    assert!(on_recipe.contains("recipes/tests#1: GREEN"), "{on_recipe}");
    assert!(on_tests.contains("recipes/blog#1: GREEN"), "{on_tests}");
    let both = std::fs::read_to_string(place.world.path("both")).unwrap();
    let heads = format!("{} {}", place.head("recipes/blog", BRANCH), place.head("recipes/tests", BRANCH));
    assert_eq!(both.trim(), heads, "both heads were seen");
    let diff = git(&place.world.bare("recipes/tests"), &["diff", "--stat", "main", BRANCH]);
    assert!(diff.contains("tests/blog.sh") && diff.contains("1 file changed"), "{diff}");
}

#[test]
fn v6_a_dropped_assertion_is_refused_and_not_green_together_fails() {
    let dropped = PATCH
        .replace("@@ -1,3 +1,3 @@", "@@ -1,3 +1,2 @@")
        .replace(" grep -q Foot page", "-grep -q Foot page");
    let place = with_tests(&dropped, "true");
    assert!(place.line("blog").contains("fewer-assertions"), "{}", place.line("blog"));
    assert_eq!(place.branches("recipes/tests"), ["main"]);
    let outside = PATCH
        .replace("tests/blog.sh", "blog.sh")
        .replace("#!/bin/sh\\\\n", "")
        .replace("-1,3 +1,3", "-1,1 +1,1")
        .replace(" grep -q Foot page\\\\n", "")
        .replace(" \\\\n", "");
    let place = with_tests(&outside, "true");
    assert!(place.line("blog").starts_with("RESULT: FAILED"), "{}", place.line("blog"));
    assert_eq!(place.branches("recipes/tests"), ["main"]);
    let place = with_tests(PATCH, "false");
    assert!(
        place.line("blog").starts_with("RESULT: FAILED — upgrade and tests are not green together"),
        "{}",
        place.line("blog")
    );
    let place = with_tests("", "true");
    assert!(place.line("blog").contains("the change of tests is empty"), "{}", place.line("blog"));
}

/// A green upgrade whose pull request is open, and nothing at work.
fn upgraded() -> Place {
    let place = waiting("", "");
    ci_says(&place, 1, "success", "https://ci.example/1");
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: SUCCESS");
    place
}

#[test]
fn v7_merged_upstream_by_fast_forward_and_by_squash() {
    for squash in [false, true] {
        let place = upgraded();
        if squash {
            place.upstream_commit("blog", "README", "something else first");
            place.upstream_commit(
                "blog",
                "compose.yml",
                &compose(&place.registry.host(), "1.1.0", "1.1.0+1.1.0"),
            );
        } else {
            let mirror = place.world.bare("recipes/blog");
            git(
                &mirror,
                &["push", "-q", place.upstream("blog").to_str().unwrap(), &format!("{BRANCH}:main")],
            );
        }
        place.start(&[]);
        place.settle();
        assert!(!place.pull_is_open("recipes/blog", 1), "{squash}");
        assert_eq!(
            place.comments("recipes/blog", 1).iter().filter(|c| c.contains("merged-upstream")).count(),
            1,
            "{squash}"
        );
        let upstream = git(&place.upstream("blog"), &["rev-parse", "main"]);
        assert_eq!(place.head("recipes/blog", "main"), upstream.trim(), "{squash}");
        let line = place.line("blog");
        assert!(line.starts_with("HELD — 2.0.0"), "{squash}: {line}");
        assert_eq!(place.pulls("recipes/blog"), 1);
    }
}

#[test]
fn v7_overtaken_superseded_and_closed_by_a_person() {
    let place = upgraded();
    place.registry.image("team/app", &["1.0.0", "1.1.0", "1.2.0"]);
    place.upstream_commit("blog", "compose.yml", &compose(&place.registry.host(), "1.2.0", "1.2.0+1.2.0"));
    place.start(&[]);
    place.settle();
    assert!(place.comments("recipes/blog", 1).iter().any(|c| c.contains("overtaken")));
    assert!(!place.pull_is_open("recipes/blog", 1));
    assert_eq!(place.line("blog"), "UP TO DATE");

    let place = upgraded();
    place.registry.image("team/app", &["1.0.0", "1.1.0", "1.2.0"]);
    place.start(&[]);
    place.settle();
    assert_eq!(place.recipe_of("blog")["pull"], "2", "{}", place.status());
    assert!(!place.pull_is_open("recipes/blog", 1) && place.pull_is_open("recipes/blog", 2));
    assert!(place.comments("recipes/blog", 1).iter().any(|c| c.contains("superseded: #2")));

    let place = upgraded();
    let file = place.world.path("tracker/recipes/blog/pulls/0001.md");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("state = \"open\"") || !text.contains("state ="), "{text}");
    let closed = if text.contains("state = \"open\"") {
        text.replace("state = \"open\"", "state = \"closed\"")
    } else {
        text.replacen("+++\n", "+++\nstate = \"closed\"\n", 1)
    };
    std::fs::write(&file, closed).unwrap();
    place.start(&[]);
    place.settle();
    assert_eq!(place.line("blog"), "SKIPPED — a person closed 1.1.0+1.1.0");
    assert_eq!(place.pulls("recipes/blog"), 1);
}

#[test]
fn v7_commits_of_a_person_a_diverged_mirror_and_a_racing_push() {
    let place = upgraded();
    let clone = place.world.path("person");
    drop(std::fs::remove_dir_all(&clone));
    git(
        &place.world.path(""),
        &[
            "clone",
            "-q",
            "-b",
            BRANCH,
            place.world.bare("recipes/blog").to_str().unwrap(),
            clone.to_str().unwrap(),
        ],
    );
    std::fs::write(clone.join("mine"), "by hand").unwrap();
    git(&clone, &["add", "mine"]);
    git(&clone, &["commit", "-q", "-m", "By hand"]);
    git(&clone, &["push", "-q", "origin", &format!("HEAD:{BRANCH}")]);
    let head = place.head("recipes/blog", BRANCH);
    place.start(&[]);
    place.settle();
    assert_eq!(place.line("blog"), "SKIPPED — human commits");
    assert!(place.pull_is_open("recipes/blog", 1));
    assert_eq!(place.head("recipes/blog", BRANCH), head);
    // Cleanup leaves it alone as well.
    place.offhours(&["upgrade", "cleanup"]).ok();
    assert!(place.pull_is_open("recipes/blog", 1));
    assert_eq!(place.head("recipes/blog", BRANCH), head);

    let place = Place::new();
    place.world.person_pushes("recipes/blog", "local", "only here");
    let dropped = place.head("recipes/blog", "main");
    place.upstream_commit("blog", "README", "upstream went on");
    place.start(&[]);
    place.settle();
    let upstream = git(&place.upstream("blog"), &["rev-parse", "main"]);
    assert_eq!(place.head("recipes/blog", "main"), upstream.trim());
    let backup = format!("upgrade-backup/20260302-{}", &dropped[..8]);
    assert_eq!(place.head("recipes/blog", &backup), dropped, "what is dropped is kept");
    assert_eq!(place.recipe_of("blog")["step"], "wait");

    // Somebody pushes to the upgrade's branch while its trial runs: it is theirs from then on.
    let place = waiting("", "");
    drop(std::fs::remove_dir_all(place.world.path("person")));
    let clone = place.world.path("person");
    git(
        &place.world.path(""),
        &[
            "clone",
            "-q",
            "-b",
            BRANCH,
            place.world.bare("recipes/blog").to_str().unwrap(),
            clone.to_str().unwrap(),
        ],
    );
    std::fs::write(clone.join("mine"), "by hand").unwrap();
    git(&clone, &["add", "mine"]);
    git(&clone, &["commit", "-q", "-m", "By hand"]);
    git(&clone, &["push", "-q", "origin", &format!("HEAD:{BRANCH}")]);
    place.settle();
    assert_eq!(place.line("blog"), "SKIPPED — human commits");
    assert_eq!(place.recipe_of("blog")["trials"][0]["void"], true);
}

#[test]
fn v8_dry_run_two_recipes_and_the_order_of_things() {
    let place = Place::new();
    place.recipe("wiki");
    place.configure_for(&["blog", "wiki"], &place.teardown(), "");
    let before = (place.head("recipes/blog", "main"), place.branches("recipes/blog"));
    let dry = place.offhours(&["upgrade", "start", "--dry-run"]).ok();
    assert!(
        dry.stdout.contains("blog: would go to 1.1.0+1.1.0") && dry.stdout.contains("wiki: would go to"),
        "{}",
        dry.stdout
    );
    assert!(dry.stdout.contains("not changed: 2.0.0"), "{}", dry.stdout);
    let json = place.offhours(&["upgrade", "start", "--dry-run", "--json"]).ok().json();
    assert_eq!(json.pointer("/items/0/bumps/0/to").unwrap(), "1.1.0");
    assert_eq!((place.head("recipes/blog", "main"), place.branches("recipes/blog")), before);
    assert!(place.pushes().is_empty() && !place.world.state().exists());
    assert_eq!(place.offhours(&["upgrade", "start", "--scheduled", "--with-tests"]).code, 64);
    assert_eq!(place.offhours(&["upgrade", "start", "--only", "nobody"]).code, 64);

    place.start(&[]);
    place.settle();
    assert_eq!(place.recipe_of("wiki")["step"], "queued", "one after another");
    ci_says(&place, 1, "success", "https://ci.example/1");
    place.settle();
    let torn = std::fs::read_to_string(place.world.path("torn")).unwrap();
    assert_eq!(torn, "check blog\ndown blog\ncheck blog\ncheck wiki\n");
    let pushes = place.pushes();
    assert_eq!(pushes.len(), 2, "{pushes:?}");
    place.status_of(
        "recipes/wiki",
        &place.head("recipes/wiki", "upgrade/wiki/1.1.0+1.1.0"),
        1,
        "failure",
        "https://ci.example/2",
    );
    place.settle();
    let summary = place.status()["summary"].as_str().unwrap().to_owned();
    let at = |text: &str| summary.find(text).unwrap_or_else(|| panic!("{text} in {summary}"));
    assert!(at("PULL REQUESTS") < at("FAILED") && at("FAILED") < at("MIRRORS"), "{summary}");
}

#[test]
fn v8_a_teardown_that_fails_halts_the_batch() {
    let place = Place::new();
    place.recipe("wiki");
    place.configure_for(&["blog", "wiki"], &place.teardown(), "");
    place.start(&[]);
    place.settle();
    std::fs::write(place.world.path("dirty"), "").unwrap();
    ci_says(&place, 1, "success", "https://ci.example/1");
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: SUCCESS");
    assert_eq!(place.line("wiki"), "SKIPPED — environment not clean");
    assert_eq!(place.pulls("recipes/wiki"), 0);
    assert!(place.status()["summary"].as_str().unwrap().contains("HALTED"));
    place.start(&[]);
    place.settle();
    assert_eq!(place.line("blog"), "SKIPPED — environment not clean", "nothing begins in it");
}

#[test]
fn v8a_start_while_busy_idle_wedged_and_backing_off() {
    let place = waiting("", "");
    let answer = place.start(&[]);
    assert!(answer.stdout.contains("is at work and is left alone"), "{}", answer.stdout);
    assert!(place.offhours(&["upgrade", "status"]).ok().stdout.starts_with("RUNNING\n"));
    assert_eq!(place.offhours(&["upgrade", "status", "--exit-code"]).code, 75);
    // Without ticks for longer than a verdict may take: it stands still.
    place.world.advance(8000);
    assert!(place.offhours(&["upgrade", "status"]).ok().stdout.starts_with("WEDGED\n"));
    assert_eq!(place.offhours(&["upgrade", "status", "--exit-code"]).code, 1);
    let answer = place.start(&[]);
    assert!(answer.stdout.contains("batch 2 begins"), "{}", answer.stdout);
    place.settle();
    assert_eq!(
        (place.pulls("recipes/blog"), place.triggers("recipes/blog", 1)),
        (1, 2),
        "the open one is gone on with"
    );
    place.offhours(&["upgrade", "stop"]).ok();
    assert!(place.offhours(&["upgrade", "status"]).ok().stdout.starts_with("STOPPED\n"));
    assert!(place.pull_is_open("recipes/blog", 1));
    assert!(place.tick().is_empty(), "a stopped batch does nothing");
    let fresh = place.offhours(&["upgrade", "fresh"]).ok();
    assert!(fresh.stdout.contains("batch 3 begins"), "{}", fresh.stdout);

    // A limit that the registry names is waited for, and is not standing still.
    let place = Place::new();
    place.registry.mood(Mood::Limited { seconds: 10_000 });
    place.start(&[]);
    assert_eq!(place.offhours(&["upgrade"]).code, 75);
    place.world.advance(9000);
    assert!(place.offhours(&["upgrade", "status"]).ok().stdout.starts_with("RUNNING\n"));
    assert!(place.start(&[]).stdout.contains("left alone"));
    place.registry.mood(Mood::IgnoresN);
    place.world.advance(1100);
    place.settle();
    assert_eq!(place.recipe_of("blog")["step"], "wait");
}

#[test]
fn v8a_a_registry_that_cannot_be_read_is_never_up_to_date() {
    let place = Place::new();
    place.registry.mood(Mood::Circle);
    place.start(&[]);
    place.offhours(&["upgrade"]);
    assert_eq!(place.recipe_of("blog")["step"], "scan", "it is tried again for a while");
    place.world.advance(2000);
    place.offhours(&["upgrade"]);
    assert!(place.line("blog").starts_with("UNREADABLE — "), "{}", place.line("blog"));
    let off = Place::new();
    off.world.configure(&[], "---\n");
    assert!(off.offhours(&["upgrade", "start"]).ok().stdout.starts_with("off: "));
}

#[test]
fn v9_cleanup_leaves_nothing_of_ours_and_all_of_theirs() {
    let place = waiting("", "");
    // Somebody else's pull request.
    git(&place.world.bare("recipes/blog"), &["branch", "feature", "main"]);
    let clone = place.world.path("person");
    drop(std::fs::remove_dir_all(&clone));
    git(
        &place.world.path(""),
        &[
            "clone",
            "-q",
            "-b",
            "feature",
            place.world.bare("recipes/blog").to_str().unwrap(),
            clone.to_str().unwrap(),
        ],
    );
    std::fs::write(clone.join("mine"), "x").unwrap();
    git(&clone, &["add", "mine"]);
    git(&clone, &["commit", "-q", "-m", "Mine"]);
    git(&clone, &["push", "-q", "origin", "feature"]);
    std::fs::write(
        place.world.path("tracker/recipes/blog/pulls/0002.md"),
        "+++\ntitle = \"Mine\"\nstate = \"open\"\nbranch = \"feature\"\ntarget = \"main\"\nauthor = \"ann\"\n+++\n\nMine.\n",
    )
    .unwrap();
    let first = place.offhours(&["upgrade", "cleanup"]).ok();
    assert!(first.stdout.contains("pull request 1"), "{}", first.stdout);
    assert!(!place.pull_is_open("recipes/blog", 1) && place.pull_is_open("recipes/blog", 2));
    assert_eq!(place.branches("recipes/blog"), ["feature", "main"]);
    assert!(place.world.processes().is_empty());
    let comments = place.comments("recipes/blog", 1);
    let again = place.offhours(&["upgrade", "cleanup"]).ok();
    assert_eq!(again.stdout, "there is nothing to clean up\n");
    assert_eq!(place.comments("recipes/blog", 1), comments);
    assert!(place.comments("recipes/blog", 2).is_empty());
}

#[test]
fn v1_the_bridge_starts_one_build_for_a_members_trigger() {
    let place = waiting("", "");
    let ci = place.world.script(
        "ci.sh",
        &format!(
            "#!/bin/sh\necho build >> {}\ngrep -q 1.1.0 compose.yml\n",
            place.world.path("builds").display()
        ),
    );
    place.configure(
        "",
        &format!("[upgrade.bridge]\nenabled = true\nargv = [\"{}\"]\npeople = [\"friend\"]\n", ci.display()),
    );
    std::fs::write(place.world.path("tracker/recipes/blog/members"), "ann\noffhours\n").unwrap();
    let builds = || std::fs::read_to_string(place.world.path("builds")).unwrap_or_default().lines().count();
    let head = place.head("recipes/blog", BRANCH);
    place.tick();
    assert_eq!(builds(), 0, "what was said before the bridge was there is not for it");
    place.world.advance(10);
    for (who, body, edited) in [
        ("ann", "!testmexyz", false),
        ("ann", "> !testme", false),
        ("ann", "```\n!testme\n```", false),
        ("ann", "!testme", true),
        ("mallory", "!testme", false),
    ] {
        place.says("recipes/blog", 1, who, body, edited);
    }
    place.tick();
    place.world.jobs_end();
    assert_eq!(builds(), 0);
    std::fs::remove_file(place.world.path("tracker/recipes/blog/members")).unwrap();
    std::fs::create_dir(place.world.path("tracker/recipes/blog/members")).unwrap();
    place.says("recipes/blog", 1, "ann", "!testme", false);
    place.tick();
    place.world.jobs_end();
    assert_eq!(builds(), 0, "an error while asking means no");
    std::fs::remove_dir(place.world.path("tracker/recipes/blog/members")).unwrap();
    std::fs::write(place.world.path("tracker/recipes/blog/members"), "ann\n").unwrap();
    place.world.advance(10);
    place.says("recipes/blog", 1, "ann", "!testme", false);
    place.tick();
    place.world.jobs_end();
    place.settle();
    assert_eq!(builds(), 1);
    let dir = place.world.path("tracker/recipes/blog/statuses").join(&head);
    let mut states: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap())
        .collect();
    states.sort();
    assert_eq!(states.len(), 2, "{states:?}");
    assert!(
        states.iter().any(|s| s.contains("\"pending\"")) && states.iter().any(|s| s.contains("\"success\"")),
        "{states:?}"
    );
    let seen = std::fs::read_dir(place.world.path("tracker/recipes/blog/pulls/0001.comments"))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|x| x == "seen"))
        .count();
    assert_eq!(seen, 1, "it answers with a sign");
}

#[test]
fn the_bridge_is_a_whole_ci_for_a_whole_upgrade() {
    let place = Place::new();
    let ci = place.world.script("ci.sh", "#!/bin/sh\ngrep -q 1.1.0 compose.yml && [ -e fixed.conf ]\n");
    let agent = place.agent(FIXES);
    place.configure(
        "runner = \"fixer\"\n",
        &format!("{agent}[upgrade.bridge]\nenabled = true\nargv = [\"{}\"]\n", ci.display()),
    );
    // The context is the bridge's own.
    place.start(&[]);
    place.settle();
    assert_eq!(place.line("blog"), "RESULT: SUCCESS", "{}", place.status());
    assert_eq!(place.triggers("recipes/blog", 1), 2, "red, repaired, green");
}

#[test]
fn off_now_ends_the_batch_and_its_agent() {
    let place = Place::new();
    let agent = place.agent("sleep 600\n");
    place.configure(&format!("runner = \"fixer\"\n{}", place.teardown()), &agent);
    place.start(&[]);
    place.settle();
    ci_says(&place, 1, "failure", "https://ci.example/1");
    for _ in 0..3 {
        place.tick();
    }
    assert_eq!(place.recipe_of("blog")["step"], "triage", "{}", place.status());
    let said = place.offhours(&["off", "--now"]).ok().stdout;
    assert!(said.contains("ended: upgrade batch 1"), "{said}");
    place.world.jobs_end();
    assert!(place.world.processes().is_empty());
    assert!(std::fs::read_to_string(place.world.path("torn")).unwrap().contains("down blog"));
    assert!(place.offhours(&["upgrade", "status"]).ok().stdout.starts_with("STOPPED\n"));
    assert!(place.start(&[]).stdout.starts_with("off: "), "nothing begins while it is off");
    assert!(place.tick().is_empty());
    assert!(place.pull_is_open("recipes/blog", 1));
}
