//! The guards of an upgrade: what an agent's repair may touch, and what a change of tests may never do.
//!
//! A test is never weakened here. A repair keeps away from tests and CI altogether; a change of tests touches nothing else,
//! takes nothing away, skips nothing, and asserts as much as before. What is refused is left for a person.

use std::collections::BTreeMap;

use super::recipe::{Image, Pin};
use super::version::Version;
use crate::domain::guard::{self, GuardPolicy, Refusal, SYMLINK};
use crate::domain::model::{Change, FileChange};

/// Which paths are tests, and which an agent may never touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Patterns as in [`guard`]: exact, `dir/`, `*` within one name. A pattern without a slash holds in every folder.
    pub tests: Vec<String>,
    pub denied: Vec<String>,
}

/// A file of a test change as it was and as it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFile {
    pub path: String,
    /// `None`: it was not there.
    pub old: Option<String>,
    pub new: Option<String>,
}

/// A bump of one image, as the tool itself made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bump {
    pub file: String,
    pub service: String,
    pub image: String,
    pub from: String,
    pub to: String,
}

/// Everything that is refused about an agent's repair. `tree`: every path that the base has.
pub fn judge_repair(change: &Change, tree: &[String], paths: &Paths) -> Vec<Refusal> {
    let mut found = common(change, tree);
    for file in &change.files {
        let mut refuse = |code, why| found.push(Refusal { code, place: file.path.clone(), why });
        if is_test(&file.path, paths) {
            refuse("test-path", "it changes, adds or takes away a test");
        }
        if matches_any(&file.path, &paths.denied) {
            refuse("denied-path", "its path is denied to agents");
        }
        if file.added_lines.iter().any(|line| skip_marker(line)) {
            refuse("skip-marker", "it adds a word by which tests or checks are skipped");
        }
    }
    found
}

/// Everything that is refused about a change of tests.
pub fn judge_tests(change: &Change, tree: &[String], files: &[TestFile], paths: &Paths) -> Vec<Refusal> {
    let mut found = common(change, tree);
    for file in &change.files {
        let mut refuse = |code, why| found.push(Refusal { code, place: file.path.clone(), why });
        if !is_test(&file.path, paths) {
            refuse("not-a-test", "a change of tests may touch nothing but tests");
        }
        if file.new_mode == 0 {
            refuse("deleted", "it takes a test file away, or renames it");
        }
        match files.iter().find(|known| known.path == file.path) {
            Some(known) => about_tests(known, &mut refuse),
            None if file.new_mode != 0 => refuse("unread", "what is in it could not be compared"),
            None => {}
        }
    }
    found
}

/// What holds for both kinds of change: the push guard, and no links, submodules, modes or names that only differ in case.
fn common(change: &Change, tree: &[String]) -> Vec<Refusal> {
    let policy = GuardPolicy {
        allow_paths: vec![],
        own_issue: 0,
        max_file_bytes: guard::MAX_FILE_BYTES,
        repo: String::new(),
    };
    let mut found = guard::judge(change, &policy);
    let key = |path: &str| path.split('/').map(guard::fold).collect::<Vec<_>>().join("/");
    let mut known: BTreeMap<String, &str> = tree.iter().map(|path| (key(path), path.as_str())).collect();
    for file in &change.files {
        let mut refuse = |code, why| found.push(Refusal { code, place: file.path.clone(), why });
        if is_link(file) {
            refuse("symlink", "it adds, changes or removes a symbolic link");
        }
        if file.old_mode != 0 && file.new_mode != 0 && file.old_mode != file.new_mode {
            refuse("mode-change", "it changes what kind of file this is, or whether it can be run");
        }
        let same_but_for_case = known.get(&key(&file.path)).is_some_and(|other| *other != file.path);
        if same_but_for_case {
            refuse("case-only", "its name differs from another one only in case or in what is not seen");
        }
        known.entry(key(&file.path)).or_insert(&file.path);
    }
    found
}

fn is_link(file: &FileChange) -> bool {
    file.old_mode == SYMLINK || file.new_mode == SYMLINK
}

/// Whether a path is a test by the configuration, however it is spelled.
pub fn is_test(path: &str, paths: &Paths) -> bool {
    matches_any(path, &paths.tests)
}

fn matches_any(path: &str, patterns: &[String]) -> bool {
    let folded = path.split('/').map(guard::fold).collect::<Vec<_>>().join("/");
    let patterns: Vec<String> = patterns.iter().map(|p| p.to_lowercase()).collect();
    let (anywhere, rooted): (Vec<String>, Vec<String>) =
        patterns.into_iter().partition(|p| !p.trim_end_matches('/').contains('/'));
    let below: Vec<&str> = folded.match_indices('/').filter_map(|(at, _)| folded.get(at + 1..)).collect();
    guard::allowed(&folded, &rooted)
        || guard::allowed(&folded, &anywhere)
        || below.iter().any(|tail| guard::allowed(tail, &anywhere))
}

fn about_tests(file: &TestFile, refuse: &mut impl FnMut(&'static str, &'static str)) {
    let Some(new) = &file.new else { return };
    let old = file.old.as_deref().unwrap_or_default();
    let (before, after) = (Counted::of(old), Counted::of(new));
    if after.skips > before.skips {
        refuse("skip-marker", "it adds a word by which tests are skipped");
    }
    if after.tests < before.tests {
        refuse("fewer-tests", "it has fewer tests than before");
    }
    if after.assertions < before.assertions {
        refuse("fewer-assertions", "it asserts less than before");
    }
    if after.trivial > before.trivial {
        refuse("empty-assertion", "it adds an assertion that is always true, or lets failures pass");
    }
    let weight = |text: &str| text.lines().filter(|line| code(line).is_some()).count();
    if weight(new) == 0 && weight(old) > 0 {
        refuse("fewer-tests", "nothing of it is left");
    }
}

/// What a test file has of what makes it one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    tests: usize,
    assertions: usize,
    skips: usize,
    trivial: usize,
}

impl Counted {
    fn of(text: &str) -> Self {
        let mut counted = Self::default();
        let mut block_comment = false;
        let mut docstring = false;
        for line in text.lines() {
            let trimmed = line.trim();
            if block_comment {
                block_comment = !trimmed.contains("*/");
                continue;
            }
            // A text over several lines holds no code of the test.
            let quotes = trimmed.matches("\"\"\"").count() + trimmed.matches("'''").count();
            if docstring {
                docstring = quotes % 2 == 0;
                continue;
            }
            if quotes % 2 == 1 && (trimmed.starts_with("\"\"\"") || trimmed.starts_with("'''")) {
                docstring = true;
                continue;
            }
            if trimmed.starts_with("/*") && !trimmed.contains("*/") {
                block_comment = true;
                continue;
            }
            // Markers of skipping count also where they stand in what some frameworks take for a comment.
            counted.skips += usize::from(skip_marker(line));
            let Some(line) = code(line) else { continue };
            counted.tests += usize::from(begins_test(line));
            counted.assertions += usize::from(asserts(line));
            counted.trivial += usize::from(is_trivial(line));
        }
        counted
    }
}

/// The line where it is not a comment as a whole.
fn code(line: &str) -> Option<&str> {
    let line = line.trim();
    let attribute = line.starts_with("#[");
    let comment = ["#", "//", "--", "/*", "*", ";", "%", "rem "].iter().any(|mark| line.starts_with(mark));
    let pragma = line.starts_with("--") && line.len() > 2 && !line.starts_with("-- ");
    (!line.is_empty() && (attribute || pragma || !comment)).then_some(line)
}

fn begins_test(line: &str) -> bool {
    let line = line.trim_start_matches("async ").trim_start_matches("pub ");
    let starts = [
        "def test",
        "async def test",
        "class Test",
        "it(",
        "it (",
        "it \"",
        "it '",
        "test(",
        "test (",
        "test \"",
        "test '",
        "describe(",
        "describe \"",
        "describe '",
        "context(",
        "context \"",
        "specify ",
        "scenario ",
        "#[test]",
        "#[tokio::test",
        "#[rstest",
        "#[test_case",
        "func Test",
        "func test",
        "@Test",
        "@ParameterizedTest",
        "@RepeatedTest",
        "[Test",
        "[Fact",
        "[Theory",
        "@test ",
        "Scenario:",
        "Scenario Outline:",
        "Example:",
        "public function test",
        "function test",
        "fun `",
        "it.each",
        "test.each",
        "t.Run(",
        "subtest ",
        "test_",
        "check_",
        "- name:",
    ];
    starts.iter().any(|start| line.starts_with(start))
}

fn asserts(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let words = [
        "assert",
        "expect",
        "should",
        "require.",
        "must_",
        "refute",
        "verify(",
        "t.error",
        "t.fatal",
        "fail(",
        "fail \"",
        "panic!",
        "raise ",
        "throw ",
        "cy.",
        "tobe",
        "toequal",
        "tohave",
        "to_have",
        "is_equal",
        "curl -f",
        "curl --fail",
        "curl -sf",
        "curl -fs",
        "grep -q",
        "cmp ",
        "diff ",
        "exit 1",
        "return 1",
        "|| exit",
        "|| die",
        "|| fail",
        "status_code",
        "then the",
        "run ",
        "[ \"$status\"",
    ];
    let starts = ["[ ", "[[ ", "test ", "! ", "then ", "ok ", "ok(", "is(", "is ", "like(", "cmp_ok("];
    words.iter().any(|word| lower.contains(word)) || starts.iter().any(|start| lower.starts_with(start))
}

/// Always true, or a failure that is let pass.
fn is_trivial(line: &str) -> bool {
    let packed: String = line.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let whole = [
        "asserttrue",
        "assert1",
        "assert(true)",
        "assert!(true)",
        "asserttrue;",
        "expect(true)",
        "expect(1)",
        "asserttrue(true)",
        "self.asserttrue(true)",
        "ok(1)",
        "[1=1]",
        "[[1=1]]",
        "expect(true).tobe(true)",
        "assert_eq!(1,1)",
        "assertequals(1,1)",
        "assert(1)",
    ];
    let parts = [
        "||true",
        "||:",
        "||exit0",
        "orelsetrue",
        "iffalse",
        "if(false)",
        "except:pass",
        "catch{}",
        "catch(e){}",
        "set+e",
        "assert.ok(true)",
        "expect(true).",
        "assert.true(t,true)",
        "or1==1",
        "ortrue",
        "||1)",
    ];
    let packed = packed.trim_end_matches(';');
    whole.iter().any(|text| packed.trim_end_matches(';') == text.trim_end_matches(';'))
        || parts.iter().any(|part| packed.contains(part))
}

/// Words by which the common frameworks leave a test or a check out, in lower case without spaces.
const SKIPS: [&str; 74] = [
    "pytest.mark.skip",
    "mark.xfail",
    "mark.skipif",
    "pytest.skip(",
    "pytest.xfail(",
    "importorskip",
    "unittest.skip",
    "@skip",
    "skiptest",
    "expectedfailure",
    "collect_ignore",
    "pytest_ignore",
    "__test__=false",
    "nottest",
    "--deselect",
    "--ignore=",
    "it.skip",
    "test.skip",
    "describe.skip",
    "context.skip",
    "suite.skip",
    "specify.skip",
    "it.only",
    "test.only",
    "describe.only",
    "context.only",
    ".todo(",
    "test.fixme",
    "test.fail(",
    "this.skip(",
    "xit(",
    "xit\"",
    "xit'",
    "xdescribe",
    "xtest(",
    "xcontext",
    "xspecify",
    "fdescribe",
    "fit(",
    "#[ignore",
    "should_panic",
    "t.skip",
    "b.skip",
    "testing.short()",
    "@disabled",
    "@ignore",
    "assumetrue(",
    "assumefalse(",
    "assumethat(",
    "assume.",
    "marktestskipped",
    "marktestincomplete",
    "@group",
    "[ignore",
    "skip=\"",
    "skip=true",
    "skip:true",
    "@tag:skip",
    "@moduletag:skip",
    "@wip",
    "@pending",
    "robot:skip",
    "skipif",
    "todo_skip",
    "skip_all",
    "xctskip",
    "allow_failure",
    "continue-on-error",
    "[skipci]",
    "[ciskip]",
    "skip-checks:true",
    "***no_ci***",
    "when:manual",
    "enabled:false",
];

/// Whether a line has a word by which tests or checks are left out.
pub fn skip_marker(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let trimmed = lower.trim_start();
    let packed: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    // Statements of their own: bats, RSpec, minitest, Perl, Robot.
    let alone = ["skip", "pending", "skip:", "return 0", "exit 0", "return", "exit"];
    let begins = [
        "skip ",
        "skip(",
        "skip\"",
        "skip'",
        "pending ",
        "pending(",
        "pending\"",
        "exit 0",
        "return 0",
        "xit ",
    ];
    alone.contains(&trimmed.trim_end_matches(';').trim_end())
        || begins.iter().any(|word| trimmed.starts_with(word))
        || SKIPS.iter().any(|word| packed.contains(word))
}

/// What a repair did to the images that were bumped: undone, replaced or taken away is not repaired.
pub fn judge_bumps(bumps: &[Bump], images: &[Image]) -> Vec<Refusal> {
    let mut found = vec![];
    for bump in bumps {
        let mut refuse = |code, why| {
            found.push(Refusal { code, place: format!("{} ({})", bump.file, bump.service), why });
        };
        let image = images.iter().find(|i| i.file == bump.file && i.service == bump.service);
        let Some(image) = image else {
            refuse("image-gone", "the service whose image was brought up to date is gone");
            continue;
        };
        if show(image) != bump.image {
            refuse("image-replaced", "the image is another one now");
            continue;
        }
        let Pin::Tag { tag, .. } = &image.pin else {
            refuse("image-replaced", "the image has no tag any more");
            continue;
        };
        let forward = match (Version::parse(&bump.from), Version::parse(tag)) {
            (Ok(old), Ok(new)) => new.comparable(&old) && new.order(&old).is_gt(),
            (Err(_), _) | (_, Err(_)) => false,
        };
        if !forward {
            refuse("image-undone", "the image is not newer than before the upgrade");
        }
    }
    found
}

/// `host/path` of an image without its tag.
pub fn show(image: &Image) -> String {
    match &image.name.registry {
        Some(host) => format!("{host}/{}", image.name.path),
        None => image.name.path.clone(),
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
