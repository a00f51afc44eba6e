//! Pull requests of the local forge by a person's commands, with real git: a review without a network, two merges in
//! one moment, an editor that saves all the while, and every command ended at every one of its boundaries.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::world::{Answer, World, answer, git};

/// A branch with one commit on the default branch, as a person would push it.
fn branch(world: &World, name: &str, file: &str, content: &str) {
    let clone = world.path("person");
    drop(fs::remove_dir_all(&clone));
    git(&world.path(""), &["clone", "-q", world.bare("me/app").to_str().unwrap(), clone.to_str().unwrap()]);
    fs::write(clone.join(file), content).unwrap();
    git(&clone, &["add", file]);
    git(&clone, &["commit", "-q", "-m", &format!("Write {file}")]);
    git(&clone, &["push", "-q", "origin", &format!("HEAD:refs/heads/{name}")]);
}

fn open(world: &World, name: &str) -> u64 {
    let title = format!("Take {name}");
    let told = world.offhours(&["pr", "new", "me/app", name, "--title", &title, "--json"]).ok();
    told.json().pointer("/items/0/number").and_then(Value::as_u64).unwrap()
}

fn all(world: &World) -> Vec<Value> {
    let told = world.offhours(&["pr", "list", "me/app", "--all", "--json"]).ok().json();
    told["items"].as_array().cloned().unwrap()
}

fn commits(world: &World) -> String {
    world.app_git(&["rev-list", "--count", "main"])
}

fn file(world: &World, number: u64) -> std::path::PathBuf {
    world.path(&format!("tracker/me/app/pulls/{number:04}.md"))
}

#[test]
fn a_review_without_a_network() {
    let world = World::new();
    branch(&world, "work", "greet.txt", "helo\n");
    assert_eq!(open(&world, "work"), 1);
    let said = |args: &[&str]| world.plain(&world.offhours(args).ok().stdout);
    assert_eq!(said(&["pr", "list", "me/app"]), "#1    Take work  [work -> main]\n");
    let asked = said(&[
        "pr",
        "review",
        "me/app#1",
        "--request-changes",
        "-m",
        "One letter is missing.",
        "--on",
        "greet.txt:1",
        "hello",
        "--on",
        "test.sh",
        "say so here",
    ]);
    assert_eq!(asked, "home:me/app#1 has review 0001: changes-requested\n");
    said(&["pr", "comment", "me/app#1", "Tomorrow, please."]);
    branch(&world, "more", "greet.txt", "hello\n");
    git(&world.path("person"), &["push", "-q", "-f", "origin", "HEAD:work"]);
    said(&["pr", "review", "me/app#1", "--approve"]);
    insta::assert_snapshot!(said(&["pr", "show", "me/app#1", "--diff"]), @r"
    home:me/app#1  Take work
    state:   open
    branch:  work at <commit> into main
    author:  ada
    file:    <world>/tracker/me/app/pulls/0001.md

    -- review 0001 by ada: changes-requested (taken back by a later one)
    One letter is missing.
    greet.txt:1: hello
    test.sh: say so here

    -- review 0002 by ada: approved

    -- comment 0001 by ada
    Tomorrow, please.

    diff --git a/greet.txt b/greet.txt
    new file mode 100644
    index 0000000..ce01362
    --- /dev/null
    +++ b/greet.txt
    @@ -0,0 +1 @@
    +hello
    ");
    for _ in 0..2 {
        assert_eq!(said(&["pr", "merge", "me/app#1"]), "home:me/app#1 is merged by <commit>\n");
    }
    assert_eq!(world.files("me/app"), ["greet.txt", "test.sh"]);
    assert_eq!(said(&["pr", "list", "me/app"]), "home:me/app has no open pull requests.\n");
    assert_eq!(said(&["pr", "list", "me/app", "--all"]), "#1    Take work  [work -> main]  (merged)\n");
    let shown = said(&["pr", "show", "me/app#1", "--diff"]);
    assert!(shown.contains("\nstate:   merged as <commit> by ada\n"), "{shown}");
    assert!(shown.ends_with("\n+hello\n"), "what it brought is still shown: {shown}");
}

#[test]
fn mistakes_get_a_sentence_and_a_code() {
    let world = World::new();
    branch(&world, "work", "a.txt", "a\n");
    open(&world, "work");
    world.ready("me/app", "An issue", &[]);
    let wrong = |args: &[&str]| {
        let Answer { code, stdout, stderr } = world.offhours(args);
        assert!(code != 0 && stdout.is_empty(), "{args:?}: {code} {stdout}");
        format!("{code} {}", world.plain(stderr.lines().next().unwrap_or_default()))
    };
    let told = [
        wrong(&["pr", "new", "me/app", "work", "--title", "again"]),
        wrong(&["pr", "new", "me/app", "main", "--title", "nothing"]),
        wrong(&["pr", "new", "me/app", "--title", "x", "--", "--upload-pack=touch x"]),
        wrong(&["pr", "new", "me/app", "work", "--title", "two\nlines"]),
        wrong(&["pr", "show", "me/app#2"]),
        wrong(&["pr", "comment", "me/app#2", "text"]),
        wrong(&["pr", "comment", "me/app#1", " "]),
        wrong(&["issue", "show", "me/app#1"]),
        wrong(&["pr", "review", "me/app#1", "--request-changes"]),
        wrong(&["pr", "merge", "me/app#1", "--head", "abc"]),
        wrong(&["pr", "merge", "me/app#1", "--head", "0123456789012345678901234567890123456789"]),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    64 offhours: opening a pull request in home:me/app: home:me/app#1 from the branch work is open already
    64 offhours: opening a pull request in home:me/app: main has nothing that main has not
    64 offhours: opening a pull request in home:me/app: --upload-pack=touch x is no name that git allows a branch; choose another one
    64 offhours: opening a pull request in home:me/app, line 2: title is not one line of text; write one line that says the task
    64 offhours: me/app has no pull request 2: that is the number of the issue me/app/issues/0002.md
    64 offhours: me/app has no pull request 2: that is the number of the issue me/app/issues/0002.md
    64 offhours: commenting on home:me/app#1: the comment is empty
    64 offhours: me/app has no issue 1: that is the number of the pull request me/app/pulls/0001.md
    64 offhours: reviewing home:me/app#1: the review says nothing
    64 offhours: --head is no whole name of a commit
    75 offhours: merging home:me/app#1: its branch is not where it was; nothing was done
    ");
    assert_eq!(wrong(&["pr", "review", "me/app#1", "--approve", "--comment"]).split(' ').next(), Some("64"));
    assert_eq!(wrong(&["pr", "merge", "me/app#1", "--squash", "--rebase"]).split(' ').next(), Some("64"));
    // A conflict, and one that is closed.
    world.person_pushes("me/app", "a.txt", "b\n");
    let told = wrong(&["pr", "merge", "me/app#1"]);
    assert!(told.contains("work and main conflict in a.txt"), "{told}");
    world.offhours(&["pr", "close", "me/app#1"]).ok();
    assert!(wrong(&["pr", "merge", "me/app#1"]).contains("it is closed"));
    assert_eq!(world.offhours(&["pr", "reopen", "me/app#1"]).ok().stdout, "home:me/app#1 is open\n");
}

#[test]
fn a_dry_run_of_a_persons_command_writes_nothing() {
    let world = World::in_memory();
    branch(&world, "work", "a.txt", "a\n");
    open(&world, "work");
    world.ready("me/app", "An issue", &[]);
    let before = snapshot(&world);
    for args in [
        ["pr", "new", "me/app", "work", "--title=x"].as_slice(),
        &["pr", "list", "me/app"],
        &["pr", "show", "me/app#1"],
        &["pr", "review", "me/app#1", "--approve"],
        &["pr", "merge", "me/app#1"],
        &["pr", "comment", "me/app#1", "x"],
        &["pr", "close", "me/app#1"],
        &["pr", "reopen", "me/app#1"],
        &["issue", "new", "me/app", "--title=x"],
        &["issue", "label", "me/app#2", "--add=x"],
        &["issue", "comment", "me/app#2", "x"],
        &["issue", "close", "me/app#2"],
        &["issue", "reopen", "me/app#2"],
    ] {
        let told = world.offhours(&[args, &["--dry-run"]].concat()).ok().stdout;
        assert!(
            told.starts_with("dry run: would ") || args[1] == "list" || args[1] == "show",
            "{args:?}: {told}"
        );
        assert_eq!(snapshot(&world), before, "{args:?}");
    }
    let missing = world.offhours(&["pr", "merge", "me/app#9", "--dry-run"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (64, ""));
}

/// Every file of the forge with its content.
fn snapshot(world: &World) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut folders = vec![world.path("tracker")];
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn words_from_files_are_escaped() {
    let world = World::new();
    branch(&world, "work", "a.txt", "a\n");
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2Jx";
    fs::create_dir_all(file(&world, 1).parent().unwrap()).unwrap();
    fs::write(
        file(&world, 1),
        format!("+++\ntitle = \"$(touch owned) `x` <b>\"\nbranch = \"work\"\ntarget = \"main\"\nauthor = \"\\u001b[1m\"\n+++\n{evil}\n"),
    )
    .unwrap();
    world
        .offhours(&["pr", "review", "me/app#1", "--comment", "-m", evil, "--on", "../../etc/passwd:1", evil])
        .ok();
    world.offhours(&["pr", "comment", "me/app#1", evil]).ok();
    fs::write(file(&world, 2), format!("+++\ntitle = \"x\"\nbranch = \"--exec=touch owned{evil}\"\n"))
        .unwrap();
    for args in
        [["pr", "show", "me/app#1"].as_slice(), &["pr", "list", "me/app"], &["pr", "show", "me/app#2"]]
    {
        let told = world.offhours(args);
        assert!(!told.stdout.contains('\u{1b}') && !told.stderr.contains('\u{1b}'), "{args:?}");
        assert!(!told.stdout.contains('\u{7}') && !told.stderr.contains('\u{7}'), "{args:?}");
    }
    world.offhours(&["pr", "merge", "me/app#1"]).ok();
    let message = world.app_git(&["log", "-1", "--format=%B", "main"]);
    assert_eq!(message, "Merge pull request #1 from work\n\n$(touch owned) `x` <b>");
    assert!(!world.path("owned").exists() && !world.bare("me/app").join("owned").exists());
}

#[test]
fn two_merges_at_once_are_one_and_two_others_both_land() {
    let world = World::in_memory();
    branch(&world, "work", "a.txt", "a\n");
    branch(&world, "other", "b.txt", "b\n");
    let (one, two) = (open(&world, "work"), open(&world, "other"));
    let start = |number: u64| {
        let mut command = world.command(&["pr", "merge", &format!("me/app#{number}"), "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children = [one, one, two, one, two].map(start);
    let told =
        children.map(|c| answer(&c.wait_with_output().unwrap()).ok().json()["items"][0]["commit"].clone());
    assert!(told[0] == told[1] && told[1] == told[3] && told[2] == told[4] && told[0] != told[2], "{told:?}");
    assert!(told.iter().all(Value::is_string), "{told:?}");
    assert_eq!(commits(&world), "5", "the first, two of people, two merges");
    assert_eq!(world.files("me/app"), ["a.txt", "b.txt", "test.sh"]);
}

#[test]
fn an_editor_that_saves_all_the_while_loses_nothing() {
    let world = World::in_memory();
    branch(&world, "work", "a.txt", "a\n");
    open(&world, "work");
    let path = file(&world, 1);
    let over = AtomicBool::new(false);
    let (written, done) = std::thread::scope(|scope| {
        let person = scope.spawn(|| {
            let mut written = 0;
            while !over.load(Ordering::SeqCst) {
                let mut file = OpenOptions::new().append(true).open(&path).unwrap();
                file.write_all(format!("line {written} of a person\n").as_bytes()).unwrap();
                written += 1;
                std::thread::sleep(std::time::Duration::from_millis(4));
            }
            written
        });
        let done = (0..12)
            .filter(|n| {
                let verb = if n % 2 == 0 { "close" } else { "reopen" };
                let told = world.offhours(&["pr", verb, "me/app#1"]);
                assert!([0, 75].contains(&told.code), "{}", told.stderr);
                told.code == 0
            })
            .count();
        over.store(true, Ordering::SeqCst);
        (person.join().unwrap(), done)
    });
    let mut text = String::new();
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        text.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
    }
    for number in 0..written {
        assert!(text.contains(&format!("line {number} of a person\n")), "line {number} of {written}");
    }
    assert!(done > 0, "no change got through beside {written} lines");
}

fn copy(from: &Path, to: &Path) {
    drop(fs::remove_dir_all(to));
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Ends a command at each of its boundaries in turn, each time in the same world, and gives it again. `check` looks at
/// what came of both. Returns at how many boundaries it was ended.
fn ended_everywhere(world: &World, args: &[&str], check: &dyn Fn(u32, &Answer)) -> u32 {
    let (tracker, aside) = (world.path("tracker"), world.path("aside"));
    copy(&tracker, &aside);
    for boundary in 1.. {
        copy(&aside, &tracker);
        let mut command = world.command(args);
        let ended = answer(&command.env("OFFHOURS_CRASH", format!("tick:{boundary}")).output().unwrap());
        if ended.code != -1 {
            ended.ok();
            check(boundary, &world.offhours(args));
            return boundary - 1;
        }
        check(boundary, &world.offhours(args));
    }
    0
}

/// Nothing half is left in the folders after the command that came next.
fn nothing_is_left(world: &World, boundary: u32) {
    let left = super::world::find(&world.path("tracker"), ".offhours.tmp");
    assert!(left.is_empty(), "boundary {boundary}: {left:?}");
}

#[test]
fn an_opening_that_is_ended_anywhere_opens_one() {
    let world = World::in_memory();
    branch(&world, "work", "a.txt", "a\n");
    let args = ["pr", "new", "me/app", "work", "--title", "Take work"];
    let ended = ended_everywhere(&world, &args, &|boundary, again| {
        assert!(again.code == 0 || again.stderr.contains("is open already"), "{boundary}: {}", again.stderr);
        let pulls = all(&world);
        assert_eq!(pulls.len(), 1, "boundary {boundary}: {pulls:?}");
        assert_eq!((&pulls[0]["state"], &pulls[0]["branch"]), (&"open".into(), &"work".into()));
        let number = pulls[0]["number"].as_u64().unwrap();
        assert!(world.refs("me/app").contains(&format!("refs/pull/{number}/head")), "boundary {boundary}");
        nothing_is_left(&world, boundary);
    });
    assert!(ended > 8, "{ended}");
}

#[test]
fn a_merge_that_is_ended_anywhere_merges_once() {
    for way in ["--squash", "--rebase", "--head"] {
        let world = World::in_memory();
        branch(&world, "work", "a.txt", "a\n");
        world.person_pushes("me/app", "b.txt", "b\n");
        open(&world, "work");
        let head = world.app_git(&["rev-parse", "work"]);
        let mut args = vec!["pr", "merge", "me/app#1", way];
        if way == "--head" {
            args.push(&head);
        }
        let ended = ended_everywhere(&world, &args, &|boundary, again| {
            assert_eq!(again.code, 0, "boundary {boundary}: {}", again.stderr);
            let pulls = all(&world);
            let main = world.app_git(&["rev-parse", "main"]);
            assert_eq!((&pulls[0]["state"], &pulls[0]["commit"]), (&"merged".into(), &main.into()));
            assert_eq!((&pulls[0]["merged_by"], &pulls[0]["head"]), (&"ada".into(), &head.clone().into()));
            let wanted = if way == "--head" { "4" } else { "3" };
            assert_eq!(commits(&world), wanted, "boundary {boundary} of {way}");
            assert!(fs::read_to_string(file(&world, 1)).unwrap().contains("state = \"merged\""));
            nothing_is_left(&world, boundary);
        });
        assert!(ended > 16, "{ended}");
    }
}

#[test]
fn a_review_that_is_ended_anywhere_is_whole_or_not_there() {
    let world = World::in_memory();
    branch(&world, "work", "a.txt", "a\n");
    open(&world, "work");
    let args = ["pr", "review", "me/app#1", "--request-changes", "-m", "No.", "--on", "a.txt:1", "why"];
    let ended = ended_everywhere(&world, &args, &|boundary, again| {
        assert_eq!(again.code, 0, "boundary {boundary}: {}", again.stderr);
        let told = world.offhours(&["pr", "show", "me/app#1", "--json"]).ok().json();
        let reviews = told.pointer("/items/0/reviews").and_then(Value::as_array).cloned().unwrap();
        assert!([1, 2].contains(&reviews.len()), "boundary {boundary}: {reviews:?}");
        for review in &reviews {
            assert_eq!((&review["body"], &review["author"]), (&"No.\n".into(), &"ada".into()));
            assert_eq!(review["notes"][0]["text"], "why");
        }
        nothing_is_left(&world, boundary);
    });
    assert!(ended > 8, "{ended}");
}
