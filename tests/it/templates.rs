//! Versions of prompts: kept, compared, promoted; and which run was told by which.

use std::fs;

use serde_json::Value;

use super::world::{World, acted};

/// What the agent of these stories is told: the first line names the issue, the second the version.
fn text(version: &str) -> String {
    format!(
        "You work on {{{{ issue.name }}}} in this repository.\nversion {version}, turn {{{{ run.turn }}}}\n{{{{ issue.body }}}}\n\
         {{% if failure %}}mend: {{{{ failure }}}}{{% endif %}}\n"
    )
}

fn word<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn file(world: &World, name: &str, text: &[u8]) -> String {
    fs::write(world.path(name), text).unwrap();
    world.path(name).display().to_string()
}

/// What an agent that writes the second line of its prompt into its work was told.
const TELLING_AGENT: &str = r#"
printf '%s\n' "$prompt" | sed -n '2p' >> "told-$number.txt"
git add "told-$number.txt"
git commit -q -m "Work on issue $number" -m "Closes #$number"
"#;

fn told(world: &World, number: u64) -> String {
    super::world::git(&world.bare("me/app"), &["show", &format!("main:told-{number}.txt")])
}

#[test]
fn the_built_in_one_is_version_one_and_on_the_receipt() {
    let world = World::new();
    world.ready("me/app", "Write a file", &[]);
    world.until_idle();
    assert_eq!(world.versions(), ["implementer@1 champion"]);
    let receipt = world.comments("me/app", 1).join("\n");
    assert!(
        receipt.contains("| template | implementer\u{2060}@") || receipt.contains("implementer@"),
        "{receipt}"
    );
    let run = world.run_of("me/app#1");
    assert!(word(&run, "/template").starts_with("implementer@1 ("), "{run}");
}

#[test]
fn a_promoted_version_tells_the_next_run_and_no_run_in_flight() {
    let world = World::new();
    world.agent(TELLING_AGENT);
    let two = file(&world, "two.md", text("two").as_bytes());
    let three = file(&world, "three.md", text("three").as_bytes());
    let added = world.offhours(&["template", "add", "implementer", "--file", &two]).ok();
    assert!(added.stdout.contains("is kept as a candidate"), "{}", added.stdout);
    let again = world.offhours(&["template", "add", "implementer", "--file", &two]).ok();
    assert!(again.stdout.contains("already, a candidate; nothing was changed"), "{}", again.stdout);
    assert_eq!(world.versions(), ["implementer@1 champion", "implementer@2 candidate"]);
    world.offhours(&["template", "promote", "implementer@2"]).ok();
    world.offhours(&["template", "add", "implementer", "--file", &three]).ok();
    assert_eq!(
        world.versions(),
        ["implementer@1 retired", "implementer@2 champion", "implementer@3 candidate"]
    );
    let shown = world.offhours(&["template", "show", "implementer"]).ok();
    assert_eq!(shown.stdout, text("two"));
    let diff = world.offhours(&["template", "diff", "implementer@2", "implementer@3"]).ok();
    assert!(
        diff.stdout.contains("\n-version two,") && diff.stdout.contains("\n+version three,"),
        "{}",
        diff.stdout
    );
    let same = world.offhours(&["template", "diff", "implementer@2", "implementer"]).ok();
    assert!(same.stdout.contains("have the same text"), "{}", same.stdout);

    // The first turn leaves the tests red, and another version is promoted before the corrective turn.
    world.agent(&format!("{TELLING_AGENT}\nif [ ! -e once ]; then echo x > once; echo bad > red; else git rm -q red; fi\ngit add -A .\ngit commit -q -m 'More' -m 'Closes #1'\n"));
    world.ready("me/app", "Write a file", &[]);
    assert_eq!(world.tick(), ["me/app#1 dispatched"]);
    world.jobs_end();
    world.offhours(&["template", "promote", "implementer@3"]).ok();
    world.until_idle();
    assert_eq!(told(&world, 1), "version two, turn 1\nversion two, turn 2\n", "a run keeps its version");
    assert!(word(&world.run_of("me/app#1"), "/template").starts_with("implementer@2 ("));
    world.agent(TELLING_AGENT);
    world.ready("me/app", "Write another", &[]);
    world.until_idle();
    assert_eq!(told(&world, 2), "version three, turn 1\n");

    // Back to the first one; and nothing leaves the rejected.
    world.offhours(&["template", "promote", "implementer@v1"]).ok();
    world.offhours(&["template", "reject", "implementer@3"]).ok();
    assert_eq!(
        world.versions(),
        ["implementer@1 champion", "implementer@2 retired", "implementer@3 rejected"]
    );
    for (line, wanted) in [
        (["template", "promote", "implementer@3"], "nothing leaves that state"),
        (["template", "promote", "implementer@1"], "is the champion already"),
        (["template", "reject", "implementer@1"], "promote another version first"),
        (["template", "reject", "implementer@9"], "there is no version implementer@9"),
        (["template", "show", "nobody@1"], "there is no template nobody"),
        (["template", "show", "a b"], "write a version as NAME@NUMBER"),
        (["template", "show", "implementer@ffffff"], "there is no version"),
    ] {
        let answer = world.offhours(&line);
        assert_eq!(answer.code, 64, "{line:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(wanted), "{line:?}: {}", answer.stderr);
    }
}

#[test]
fn what_is_no_template_is_refused_and_nothing_is_kept() {
    let world = World::new();
    let huge = vec![b'x'; 100_001];
    for (name, bytes, wanted) in [
        ("empty.md", b"".as_slice(), "it is empty"),
        ("huge.md", &huge, "a template may have 100000"),
        ("odd.md", b"\xff\xfe\x00", "it is not UTF-8 text"),
        (
            "unknown.md",
            b"{{ issue.colour }}",
            "it names issue.colour, which is not known; there are: issue.number",
        ),
    ] {
        let path = file(&world, name, bytes);
        let answer = world.offhours(&["template", "add", "implementer", "--file", &path]);
        assert_eq!(answer.code, 64, "{}", answer.stderr);
        assert!(answer.stderr.contains(wanted), "{}", answer.stderr);
    }
    let bad = world.offhours(&["template", "add", "no/name", "--file", "x"]);
    assert_eq!(bad.code, 64, "{}", bad.stderr);
    assert_eq!(world.versions(), ["implementer@1 champion"]);
}

#[test]
fn a_changed_file_of_the_config_becomes_a_candidate_and_never_more() {
    let world = World::new();
    world.agent(TELLING_AGENT);
    file(&world, "careful.md", text("one").as_bytes());
    world.configure(
        &["home:me/app"],
        "[template.careful]\nfile = \"careful.md\"\n[repo.\"me/app\"]\ntemplate = \"careful\"\n",
    );
    world.ready("me/app", "Write a file", &[]);
    let first = world.offhours(&["tick", "--json"]).ok();
    assert_eq!(acted(&first), ["careful@1 template-candidate"], "kept once, and nothing starts");
    assert_eq!(world.reason("me/app#1"), "no-template");
    assert_eq!(world.tick(), Vec::<String>::new());
    world.offhours(&["template", "promote", "careful@1"]).ok();
    file(&world, "careful.md", text("two").as_bytes());
    let told_so = world.tick();
    assert!(told_so.contains(&"careful@2 template-candidate".to_owned()), "{told_so:?}");
    world.until_idle();
    assert_eq!(told(&world, 1), "version one, turn 1\n");
    assert_eq!(world.versions(), ["careful@1 champion", "careful@2 candidate", "implementer@1 champion"]);
    // A file that cannot be used is said, and the kept versions go on.
    file(&world, "careful.md", b"{{ nobody }}");
    world.ready("me/app", "Write another", &[]);
    let answer = world.offhours(&["tick"]);
    assert_eq!(answer.code, 75);
    assert!(answer.stderr.contains("it names nobody, which is not known"), "{}", answer.stderr);
    world.jobs_end();
    for _ in 0..6 {
        world.advance(60);
        world.offhours(&["tick"]);
        world.jobs_end();
    }
    assert_eq!(told(&world, 2), "version one, turn 1\n");
}

#[test]
fn a_version_that_does_not_render_sends_nothing_and_blames_no_runner() {
    let world = World::new();
    let path = file(
        &world,
        "odd.md",
        b"You work on {{ issue.name }} in it.\n{% if issue.number == 2 %}{{ issue.title|nope }}{% endif %}",
    );
    world.offhours(&["template", "add", "implementer", "--file", &path]).ok();
    world.offhours(&["template", "promote", "implementer@2"]).ok();
    world.ready("me/app", "One", &[]);
    world.until_idle();
    assert!(world.files("me/app").contains(&"done-1.txt".to_owned()));
    world.ready("me/app", "Two", &[]);
    for _ in 0..4 {
        let answer = world.offhours(&["tick"]);
        assert!(
            answer.stderr.is_empty() || answer.stderr.contains("implementer@2 does not render"),
            "{}",
            answer.stderr
        );
        world.advance(4000);
    }
    let status = world.offhours(&["status"]).ok().stdout;
    assert!(!status.contains("PARKED"), "{status}");
    assert!(status.contains("template-failed:implementer@2"), "{status}");
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    assert_eq!(world.processes(), Vec::<String>::new());
    // Another champion, and it goes on by itself.
    world.offhours(&["template", "promote", "implementer@1"]).ok();
    world.advance(4000);
    world.until_idle();
    assert!(world.files("me/app").contains(&"done-2.txt".to_owned()));
    assert!(!world.offhours(&["status"]).ok().stdout.contains("template-failed"));
}
