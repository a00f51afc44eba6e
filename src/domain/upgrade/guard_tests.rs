use super::*;

fn paths() -> Paths {
    Paths {
        tests: ["tests/", "test/", "spec/", "e2e/", "*_test.go", "*.bats", "*.test.js"]
            .map(str::to_owned)
            .to_vec(),
        denied: vec!["secrets/".to_owned(), "README.md".to_owned()],
    }
}

fn file(path: &str, old: u32, new: u32, added: &[&str]) -> FileChange {
    FileChange {
        path: path.to_owned(),
        odd_path: false,
        old_mode: old,
        new_mode: new,
        new_size: 10,
        link_target: (new == SYMLINK).then(|| "target".to_owned()),
        added_lines: added.iter().map(|l| (*l).to_owned()).collect(),
    }
}

const F: u32 = 0o100_644;
const X: u32 = 0o100_755;
const L: u32 = 0o120_000;
const S: u32 = 0o160_000;

fn codes(found: &[Refusal]) -> Vec<&'static str> {
    found.iter().map(|r| r.code).collect()
}

fn repair(files: Vec<FileChange>) -> Vec<Refusal> {
    let tree = ["compose.yml", "app.conf", "tests/health.sh", "README.md"].map(str::to_owned);
    judge_repair(&Change { files, messages: vec![] }, &tree, &paths())
}

#[test]
fn an_honest_repair_passes() {
    let found = repair(vec![
        file("compose.yml", F, F, &["    image: postgres:16.5"]),
        file("app.conf", F, F, &["listen = 8080", "max_connections = 10"]),
        file("entrypoint.sh", 0, X, &["#!/bin/sh", "exec app"]),
        file("old.conf", F, 0, &[]),
    ]);
    assert_eq!(found, []);
}

#[test]
fn hostile_repairs_are_refused_each_with_its_reason() {
    let table: Vec<(&str, Vec<FileChange>, &str)> = vec![
        ("a test edited", vec![file("tests/health.sh", F, F, &["true"])], "test-path"),
        ("a test deleted", vec![file("tests/health.sh", F, 0, &[])], "test-path"),
        ("a test added", vec![file("tests/other.sh", 0, F, &["true"])], "test-path"),
        (
            "renamed away",
            vec![file("tests/health.sh", F, 0, &[]), file("docs/health.sh", 0, F, &["x"])],
            "test-path",
        ),
        ("renamed in", vec![file("e2e/x.js", 0, F, &["x"])], "test-path"),
        ("a test deeper down", vec![file("a/b/tests/x.sh", F, F, &["x"])], "test-path"),
        ("a test by its name", vec![file("pkg/app_test.go", F, F, &["x"])], "test-path"),
        ("a test in other case", vec![file("TESTS/health.sh", 0, F, &["x"])], "test-path"),
        ("a test in wide letters", vec![file("ｔｅｓｔｓ/health.sh", 0, F, &["x"])], "test-path"),
        ("a test behind a soft hyphen", vec![file("te\u{ad}sts/health.sh", 0, F, &["x"])], "test-path"),
        ("a test that cannot be run any more", vec![file("tests/health.sh", X, F, &[])], "test-path"),
        ("a mode", vec![file("entrypoint.sh", F, X, &[])], "mode-change"),
        ("a mode taken away", vec![file("entrypoint.sh", X, F, &[])], "mode-change"),
        ("a link", vec![file("app.conf", 0, L, &["target"])], "symlink"),
        ("a file that becomes a link", vec![file("app.conf", F, L, &["target"])], "symlink"),
        ("a link taken away", vec![file("app.conf", L, 0, &[])], "symlink"),
        ("a submodule", vec![file("vendor", 0, S, &[])], "submodule"),
        ("a moved submodule", vec![file("vendor", S, S, &[])], "submodule"),
        ("which submodules there are", vec![file(".gitmodules", 0, F, &["x"])], "gitmodules"),
        ("a workflow", vec![file(".github/workflows/ci.yml", F, F, &["x"])], "ci-config"),
        ("a workflow of a forge", vec![file(".forgejo/workflows/ci.yml", 0, F, &["x"])], "ci-config"),
        ("drone", vec![file(".drone.yml", F, F, &["x"])], "ci-config"),
        ("a workflow in other case", vec![file(".GitHub/Workflows/ci.yml", 0, F, &["x"])], "ci-config"),
        ("woodpecker", vec![file(".woodpecker/test.yaml", F, 0, &[])], "ci-config"),
        ("only the case", vec![file("Compose.yml", 0, F, &["x"])], "case-only"),
        (
            "only the case, moved",
            vec![file("app.conf", F, 0, &[]), file("App.conf", 0, F, &["x"])],
            "case-only",
        ),
        ("two that differ in case", vec![file("new", 0, F, &[]), file("NEW", 0, F, &[])], "case-only"),
        ("git's own folder", vec![file(".git/config", 0, F, &["x"])], "git-path"),
        ("git's own folder below", vec![file("a/.GIT/config", 0, F, &["x"])], "git-path"),
        ("a name with a line end", vec![file("a\nb", 0, F, &[])], "odd-path"),
        ("a denied path", vec![file("secrets/key", 0, F, &[])], "denied-path"),
        ("a denied file", vec![file("README.md", F, F, &["x"])], "denied-path"),
        ("a key", vec![file("app.conf", F, F, &["-----BEGIN RSA PRIVATE KEY-----"])], "secret"),
        (
            "a check that may fail",
            vec![file("pipeline.yml", F, F, &["  continue-on-error: true"])],
            "skip-marker",
        ),
        ("a check left out", vec![file("pipeline.yml", F, F, &["allow_failure: true"])], "skip-marker"),
        (
            "a marker in a script",
            vec![file("run.sh", F, F, &["pytest --deselect tests/x.py"])],
            "skip-marker",
        ),
    ];
    for (name, files, code) in table {
        let found = repair(files);
        assert!(codes(&found).contains(&code), "{name}: {found:?}");
        assert!(found.iter().all(|r| !r.why.is_empty()), "{name}");
    }
}

fn tests(path: &str, old: Option<&str>, new: Option<&str>) -> Vec<Refusal> {
    let (from, to) = (if old.is_some() { F } else { 0 }, if new.is_some() { F } else { 0 });
    let before: Vec<&str> = old.unwrap_or("").lines().collect();
    let added: Vec<&str> = new.unwrap_or("").lines().filter(|l| !before.contains(l)).collect();
    let change = Change { files: vec![file(path, from, to, &added)], messages: vec![] };
    let known = TestFile { path: path.into(), old: old.map(Into::into), new: new.map(Into::into) };
    judge_tests(&change, &[], &[known], &paths())
}

#[test]
fn an_honest_change_of_a_test_passes() {
    for (path, old, new) in [
        (
            "tests/t.py",
            "def test_v():\n    assert version() == '16.4'\n",
            "def test_v():\n    assert version() == '16.5'\n",
        ),
        ("tests/t.sh", "curl -f http://app/old\n", "curl -f http://app/new\ngrep -q new out\n"),
        (
            "e2e/a.js",
            "it('works', () => {\n  expect(title).toBe('Old');\n});\n",
            "it('works', () => {\n  expect(title).toBe('New');\n});\n",
        ),
        (
            "spec/a_spec.rb",
            "it 'a' do\n  expect(x).to eq 1\nend\n",
            "it 'a' do\n  expect(x).to eq 2\nend\nit 'b' do\n  expect(y).to eq 2\nend\n",
        ),
    ] {
        assert_eq!(tests(path, Some(old), Some(new)), [], "{path}");
    }
    assert_eq!(tests("tests/new.py", None, Some("def test_n():\n    assert f() == 2\n")), []);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table is read row by row")]
fn hostile_changes_of_tests_are_refused_each_with_its_reason() {
    let py = "import pytest\n\ndef test_a():\n    assert a() == 1\n    assert b() == 2\n\ndef test_b():\n    assert c() == 3\n";
    let js = "describe('x', () => {\n  it('a', () => {\n    expect(a()).toBe(1);\n  });\n  it('b', () => {\n    expect(b()).toBe(2);\n  });\n});\n";
    let sh = "#!/bin/sh\nset -e\ncurl -f http://app/health\ncurl -s http://app | grep -q Welcome\n[ -e /data/ok ]\n";
    let go = "func TestA(t *testing.T) {\n\tif a() != 1 {\n\t\tt.Fatalf(\"no\")\n\t}\n}\n";
    let rs = "#[test]\nfn a() {\n    assert_eq!(a(), 1);\n}\n";
    let bats = "@test \"a\" {\n  run app\n  [ \"$status\" -eq 0 ]\n}\n";
    let table: Vec<(&str, &str, String, &str)> = vec![
        (
            "py: an assertion dropped",
            "tests/t.py",
            py.replace("    assert b() == 2\n", ""),
            "fewer-assertions",
        ),
        (
            "py: an assertion commented out",
            "tests/t.py",
            py.replace("    assert b", "    # assert b"),
            "fewer-assertions",
        ),
        (
            "py: a test dropped",
            "tests/t.py",
            py.split("\ndef test_b").next().unwrap().to_owned(),
            "fewer-tests",
        ),
        (
            "py: renamed so that it is not found",
            "tests/t.py",
            py.replace("test_b", "check_b_later").replace("def check", "def xcheck"),
            "fewer-tests",
        ),
        (
            "py: skipped",
            "tests/t.py",
            py.replace("def test_b", "@pytest.mark.skip\ndef test_b"),
            "skip-marker",
        ),
        (
            "py: skipped with a reason",
            "tests/t.py",
            py.replace("def test_b", "@pytest.mark.skipif(True, reason='x')\ndef test_b"),
            "skip-marker",
        ),
        (
            "py: expected to fail",
            "tests/t.py",
            py.replace("def test_b", "@pytest.mark.xfail\ndef test_b"),
            "skip-marker",
        ),
        (
            "py: skipped from within",
            "tests/t.py",
            py.replace("def test_b():\n", "def test_b():\n    pytest.skip('later')\n"),
            "skip-marker",
        ),
        (
            "py: unittest",
            "tests/t.py",
            py.replace("def test_b", "@unittest.skip('x')\ndef test_b"),
            "skip-marker",
        ),
        ("py: a module left out", "tests/t.py", format!("__test__ = False\n{py}"), "skip-marker"),
        ("py: always true", "tests/t.py", py.replace("assert c() == 3", "assert True"), "empty-assertion"),
        (
            "py: or true",
            "tests/t.py",
            py.replace("assert c() == 3", "assert c() == 3 or True"),
            "empty-assertion",
        ),
        (
            "py: failures pass",
            "tests/t.py",
            py.replace("    assert c() == 3", "    try:\n        assert c() == 3\n    except: pass"),
            "empty-assertion",
        ),
        (
            "py: in a text",
            "tests/t.py",
            py.replace("def test_b():\n", "def test_b():\n    \"\"\"\n") + "    \"\"\"\n",
            "fewer-assertions",
        ),
        (
            "py: returns early",
            "tests/t.py",
            py.replace("    assert c() == 3", "    return\n    assert c() == 3"),
            "skip-marker",
        ),
        ("js: skipped", "e2e/a.test.js", js.replace("it('b'", "it.skip('b'"), "skip-marker"),
        ("js: x", "e2e/a.test.js", js.replace("it('b'", "xit('b'"), "skip-marker"),
        ("js: only the other", "e2e/a.test.js", js.replace("it('a'", "it.only('a'"), "skip-marker"),
        ("js: the whole", "e2e/a.test.js", js.replace("describe(", "describe.skip("), "skip-marker"),
        (
            "js: to do",
            "e2e/a.test.js",
            js.replace("it('b', () => {\n    expect(b()).toBe(2);\n  }", "it.todo('b'"),
            "skip-marker",
        ),
        (
            "js: playwright",
            "e2e/a.test.js",
            js.replace("expect(b())", "test.fixme(); expect(b())"),
            "skip-marker",
        ),
        (
            "js: an assertion dropped",
            "e2e/a.test.js",
            js.replace("    expect(b()).toBe(2);\n", ""),
            "fewer-assertions",
        ),
        (
            "js: in a comment",
            "e2e/a.test.js",
            js.replace("    expect(b()).toBe(2);\n", "    /*\n    expect(b()).toBe(2);\n    */\n"),
            "fewer-assertions",
        ),
        (
            "js: true is true",
            "e2e/a.test.js",
            js.replace("expect(b()).toBe(2)", "expect(true).toBe(true)"),
            "empty-assertion",
        ),
        (
            "sh: a check dropped",
            "tests/t.sh",
            sh.replace("curl -s http://app | grep -q Welcome\n", ""),
            "fewer-assertions",
        ),
        (
            "sh: a check that may fail",
            "tests/t.sh",
            sh.replace("[ -e /data/ok ]", "[ -e /data/ok ] || true"),
            "empty-assertion",
        ),
        ("sh: leaves early", "tests/t.sh", sh.replace("set -e\n", "set -e\nexit 0\n"), "skip-marker"),
        ("sh: goes on after errors", "tests/t.sh", sh.replace("set -e\n", "set +e\n"), "empty-assertion"),
        ("sh: emptied", "tests/t.sh", "#!/bin/sh\n".to_owned(), "fewer-assertions"),
        (
            "go: skipped",
            "pkg/a_test.go",
            go.replace("{\n\tif", "{\n\tt.Skip(\"later\")\n\tif"),
            "skip-marker",
        ),
        ("go: skipped now", "pkg/a_test.go", go.replace("{\n\tif", "{\n\tt.SkipNow()\n\tif"), "skip-marker"),
        ("rust: ignored", "tests/a.rs", rs.replace("#[test]", "#[test]\n#[ignore]"), "skip-marker"),
        ("rust: attribute gone", "tests/a.rs", rs.replace("#[test]\n", ""), "fewer-tests"),
        (
            "java: disabled",
            "tests/A.java",
            "@Disabled\n@Test\nvoid a() { assertEquals(1, a()); }\n".to_owned(),
            "skip-marker",
        ),
        (
            "php: skipped",
            "tests/A.php",
            "public function testA() { $this->markTestSkipped(); }\n".to_owned(),
            "skip-marker",
        ),
        (
            "bats: skipped",
            "tests/a.bats",
            bats.replace("  run app", "  skip \"later\"\n  run app"),
            "skip-marker",
        ),
        (
            "ruby: pending",
            "spec/a_spec.rb",
            "it 'a' do\n  pending 'later'\n  expect(x).to eq 1\nend\n".to_owned(),
            "skip-marker",
        ),
        (
            "elixir: skipped",
            "test/a_test.exs",
            "@tag :skip\ntest \"a\" do\n  assert a()\nend\n".to_owned(),
            "skip-marker",
        ),
        (
            "robot: skipped",
            "tests/a.robot",
            "*** Test Cases ***\nA\n    [Tags]    robot:skip\n".to_owned(),
            "skip-marker",
        ),
        (
            "gherkin: put off",
            "spec/a.feature",
            "@wip\nScenario: a\n  Then the page loads\n".to_owned(),
            "skip-marker",
        ),
        ("not a test", "compose.yml", "x".to_owned(), "not-a-test"),
        ("not a test, by a trick", "tests/../compose.yml", "x".to_owned(), "git-path"),
        ("a workflow", ".github/workflows/tests/a.yml", "x".to_owned(), "ci-config"),
    ];
    for (name, path, new, code) in table {
        let old = match path.rsplit('.').next().unwrap() {
            "py" => Some(py),
            "js" => Some(js),
            "sh" => Some(sh),
            "go" => Some(go),
            "rs" => Some(rs),
            "bats" => Some(bats),
            _ => None,
        };
        let found = tests(path, old, Some(&new));
        assert!(codes(&found).contains(&code), "{name}: {found:?}");
    }
    assert!(codes(&tests("tests/t.py", Some(py), None)).contains(&"deleted"));
    let moved = Change {
        files: vec![file("tests/a.py", F, 0, &[]), file("tests/b.py", 0, F, &["x"])],
        messages: vec![],
    };
    assert!(codes(&judge_tests(&moved, &[], &[], &paths())).contains(&"deleted"));
    assert!(codes(&judge_tests(&moved, &[], &[], &paths())).contains(&"unread"));
    let linked = Change { files: vec![file("tests/a.py", F, L, &["b.py"])], messages: vec![] };
    assert!(codes(&judge_tests(&linked, &[], &[], &paths())).contains(&"symlink"));
}

fn image(service: &str, reference: &str) -> Image {
    let (name, pin) = super::super::recipe::parse_reference(reference).unwrap();
    Image { file: "compose.yml".into(), service: service.into(), reference: reference.into(), name, pin }
}

#[test]
fn a_repair_may_not_undo_the_upgrade() {
    let bump = [Bump {
        file: "compose.yml".into(),
        service: "app".into(),
        image: "postgres".into(),
        from: "16.4".into(),
        to: "16.6".into(),
    }];
    let judge = |images: &[Image]| codes(&judge_bumps(&bump, images));
    assert_eq!(judge(&[image("app", "postgres:16.6")]), Vec::<&str>::new());
    assert_eq!(judge(&[image("app", "postgres:16.5")]), Vec::<&str>::new());
    assert_eq!(judge(&[image("app", "postgres:16.4")]), ["image-undone"]);
    assert_eq!(judge(&[image("app", "postgres:latest")]), ["image-undone"]);
    assert_eq!(judge(&[image("app", "postgres:16")]), ["image-undone"]);
    assert_eq!(judge(&[image("app", "postgres")]), ["image-replaced"]);
    assert_eq!(judge(&[image("app", "mysql:17.0")]), ["image-replaced"]);
    assert_eq!(judge(&[image("app", "evil.example.org/postgres:16.6")]), ["image-replaced"]);
    assert_eq!(judge(&[image("db", "postgres:16.6")]), ["image-gone"]);
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(path in ".{0,30}", old in ".{0,120}", new in ".{0,120}", mode in 0u32..0o200_000) {
        let change = Change { files: vec![file(&path, mode, F, &[&new])], messages: vec![] };
        let known = TestFile { path: path.clone(), old: Some(old), new: Some(new) };
        judge_repair(&change, &[path], &paths());
        judge_tests(&change, &[], &[known], &paths());
    }
}
