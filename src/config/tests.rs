use super::*;
use crate::domain::model::{Landing, UnixTime};
use crate::error::Kind;
use row::Row;
use schema::{TABLES, rows};
use std::fmt::Write as _;

const GOOD: &str = r#"
kill_switch = false
allowlist = ["home:me/a", "me/b"]
landing = "push"
verify = ["make", "test"]

[forge.home]
kind = "local"
path = "forge"

[runner.main]
argv = ["agent"]

[runner.other]
argv = ["other"]
account = "shared"
turn_timeout_seconds = 60

[[ci.stage]]
name = "build"
argv = ["make"]

[repo."home:me/a"]
runner = "other"
budget_usd = 3
stall_seconds = 30
ci.required = []
fix_forward.max_turns = 0

[repo."me/b"]
runner = "main"
ci.stage = []
workspace.before_turn = ["true"]
"#;

fn load(text: &str) -> Result<Config, Error> {
    Config::load(Path::new("/etc/offhours/c.toml"), text, None)
}

fn refused(text: &str) -> String {
    let error = load(text).expect_err(text);
    assert_eq!(error.kind, Kind::Config);
    error.what
}

#[test]
fn an_empty_file_is_off_and_names_nothing() {
    let config = load("").unwrap();
    assert!(config.global.kill_switch);
    assert!(config.allowlisted().is_empty());
    assert_eq!(config.global.max_running, 2);
    assert_eq!(config.workspace_root(Path::new("/s")), Path::new("/s/work"));
    assert_eq!(config.kill_switch_file(Path::new("/s")), Path::new("/s/off"));
}

#[test]
fn a_repo_overrides_what_it_inherits() {
    let config = load(GOOD).unwrap();
    let [a, b] = <[RepoId; 2]>::try_from(config.allowlisted()).unwrap();
    assert_eq!((a.to_string().as_str(), b.to_string().as_str()), ("home:me/a", "home:me/b"));
    let a = config.repo(&a);
    assert_eq!(
        (a.runner_name.as_str(), a.account(), a.runner.argv[0].as_str()),
        ("other", "shared", "other")
    );
    assert_eq!((a.runner.turn_timeout_seconds, a.runner.stall_seconds), (60, 30));
    assert_eq!((a.ci.required, a.ci.rerun, a.fix_forward.max_turns), (Some(Vec::new()), 1, 0));
    assert_eq!((a.run.landing.mode, a.run.verify.len(), a.stages.len()), (Landing::Push, 2, 1));
    let b = config.repo(&b);
    assert_eq!((b.account(), b.stages.len(), b.hooks.before_turn.len()), ("main", 0, 1));
    // A repo without a table, which may be one whose run outlived its place on the list.
    let c = config.repo(&RepoId::parse("home:me/c", None).unwrap());
    assert_eq!((c.runner_name.as_str(), c.run, c.ci), ("main", config.run.clone(), config.ci.clone()));
    assert_eq!(config.forges["home"].path.as_deref(), Some(Path::new("/etc/offhours/forge")));
}

#[test]
fn hours_are_read_with_their_offset() {
    let text = "dispatch_hours = [\"08:00-09:00\"]\ntimezone_offset = \"+02:00\"\n";
    let hours = load(text).unwrap().global.dispatch_hours;
    assert!(is_open(&hours, UnixTime(6 * 3600 + 60)));
    assert!(!is_open(&hours, UnixTime(8 * 3600 + 60)));
}

#[test]
fn any_of_the_three_puts_the_switch_on() {
    let at = Path::new("c.toml");
    for text in ["on", "ON", "true", "1", "yes", " yes "] {
        let config = Config::load(at, "kill_switch = false", Some(text)).unwrap();
        assert_eq!(switch(&config, false).because, [SwitchedBy::Environment], "{text}");
    }
    for text in ["off", "false", "0", "No"] {
        let config = Config::load(at, "kill_switch = false", Some(text)).unwrap();
        assert!(!switch(&config, false).on, "{text}");
        assert_eq!(switch(&config, true).because, [SwitchedBy::File]);
        // Off in one place does not outweigh on in another.
        let config = Config::load(at, "", Some(text)).unwrap();
        assert_eq!(switch(&config, false), Switch { on: true, because: vec![SwitchedBy::Config] });
    }
    for text in ["", "maybe", "2", "offf", "\u{1b}[2J"] {
        let error = Config::load(at, "kill_switch = false", Some(text)).unwrap_err();
        assert!(error.what.contains("OFFHOURS_KILL_SWITCH"), "{error}");
        assert!(!error.what.contains('\u{1b}'));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn bad_input_is_a_sentence_with_its_line() {
    let forge = "[forge.home]\nkind = \"local\"\npath = \"f\"\n";
    let runner = "[runner.main]\nargv = [\"a\"]\n";
    let armed = |list: &str| format!("allowlist = {list}\nlanding = \"push\"\n{forge}{runner}");
    let table: Vec<(String, &[&str])> = vec![
        // Unknown keys.
        (
            "\nmax_runing = 3".into(),
            &["line 2: `max_runing` is not a key that is known: did you mean `max_running`?"],
        ),
        ("rerun = 1".into(), &["line 1: `rerun` is not a key at the top: it belongs under [ci]"]),
        ("salvage_keep_days = 1".into(), &["it belongs under [retention]"]),
        (
            "[trust]\nallowlist = []".into(),
            &[
                "line 2: `allowlist` is not a key in [trust]: it belongs at the top of the file, above the first [table]",
            ],
        ),
        ("[notifiy.x]\nkind = \"command\"".into(), &["line 1: `notifiy`", "did you mean `notify`?"]),
        ("[trust]\nmax_turn = 1".into(), &["did you mean `max_turns`, which belongs under [fix_forward]?"]),
        (
            "[retention]\nqqqq = 1".into(),
            &["line 2: `qqqq` in [retention] is not a key that is known: here are salvage_keep_days"],
        ),
        ("[agent]\nargv = [\"a\"]".into(), &["line 1: `agent` is not a key that is known: here are ", "runner"]),
        (format!("{forge}\n[forge.home.deep]\nx = 1"), &["line 5: `deep` in [forge.home]"]),
        ("[forge]\nkind = \"local\"".into(), &["line 2: `kind` stands directly in [forge]"]),
        ("runner = \"x\"".into(), &["line 1: `runner` wants a table [runner], and this is a string"]),
        // Wrong types and values.
        (
            "\n\nmax_running = \"two\"".into(),
            &["line 3: `max_running` wants a whole number, and this is a string"],
        ),
        ("kill_switch = \"off\"".into(), &["`kill_switch` wants true or false, and this is a string"]),
        ("allowlist = \"me/a\"".into(), &["`allowlist` wants an array of strings, and this is a string"]),
        ("verify = [\"make\", 3]".into(), &["`verify` wants an array of strings"]),
        (
            "max_running = 0".into(),
            &["`max_running` is out of bounds: it wants a whole number from 1 to 1000"],
        ),
        ("max_running = -1".into(), &["`max_running` cannot be -1"]),
        ("budget_usd = -0.5".into(), &["`budget_usd` is out of bounds"]),
        ("budget_usd = nan".into(), &["`budget_usd` is out of bounds"]),
        ("daily_budget_usd = inf".into(), &["out of bounds"]),
        ("budget_usd = 99999999999".into(), &["`budget_usd` cannot be 99999999999"]),
        ("ci = 3".into(), &["`ci` wants a table [ci], and this is a whole number"]),
        ("[ci]\nstage = 3".into(), &["`stage` in [ci] wants tables, each below [[ci.stage]]"]),
        ("[[ci.stage]]\nname = \"x\"".into(), &["line 1: the CI stage \"x\" needs `argv`"]),
        (
            "[[ci.stage]]\nname = \"x\"\nkind = \"forge\"\nargv = [\"a\"]".into(),
            &["the CI stage \"x\" is the forge's own and has no `argv`"],
        ),
        ("[forge.x]\nkind = \"local\"".into(), &["line 1: [forge.x]: a local forge needs `path`"]),
        (
            "[forge.x]\nkind = \"local\"\npath = \"f\"\nurl = \"https://h\"".into(),
            &["a local forge has only `path`"],
        ),
        (
            "[forge.x]\nkind = \"github\"\npath = \"f\"".into(),
            &["`path` is for a local forge", "`token` is missing"],
        ),
        ("[forge.x]\nkind = \"github\"\napp_id = \"1\"".into(), &["an app needs both, `app_id` and `app_key`"]),
        (
            "[forge.x]\nkind = \"github\"\ntoken = { env = \"T\" }\napp_id = \"1\"\napp_key = { env = \"K\" }".into(),
            &["either `token`, or `app_id` and `app_key`: take one of them out"],
        ),
        (
            "[forge.x]\nkind = \"gitea\"\nurl = \"https://h\"\napp_id = \"1\"\napp_key = { env = \"K\" }".into(),
            &["`app_id` and `app_key` are for kind = \"github\""],
        ),
        (
            "[forge.x]\nkind = \"github\"\ntoken = { env = \"T\" }\napp_installation = 7".into(),
            &["`app_installation` goes with `app_id` and `app_key`"],
        ),
        (
            "[priority]\nurgent = \"high\"".into(),
            &["`priority` gives `urgent` something that is not a whole number"],
        ),
        (
            "priority_order = \"biggest\"".into(),
            &["wants \"largest-first\" or \"smallest-first\", and \"biggest\" is not that"],
        ),
        ("dispatch_hours = [\"25:00-26:00\"]".into(), &["`dispatch_hours` cannot read \"25:00-26:00\""]),
        ("timezone_offset = \"Europe/Berlin\"".into(), &["`timezone_offset` cannot read"]),
        ("ready_label = \" \"".into(), &["`ready_label` is empty"]),
        (
            "human_label = \"Ready-For-Agent\"".into(),
            &["line 1: `human_label` and `ready_label` are the same label"],
        ),
        ("[workspace]\nroot = \"~/work\"".into(), &["not expanded here"]),
        ("branch = \"--force\"".into(), &["line 1: `branch` = \"--force\" is no name of a branch"]),
        ("agent_pushes = true\nlanding = \"push\"".into(), &["`agent_pushes` goes with landing = \"pull-request\""]),
        ("landing = { mode = \"push\", allow_paths = [\"../x\"] }".into(), &["allows the path \"../x\""]),
        // Not TOML, or not once.
        ("a = 1\nb = = 2".into(), &["line 2: this is not TOML"]),
        ("max_running = 1\nmax_running = 2".into(), &["line 2: this is not TOML", "duplicate key"]),
        // Of a later version.
        (
            "landing = \"merge\"".into(),
            &["`landing` knows no landing \"merge\": write \"pull-request\" or \"push\""],
        ),
        (
            "[forge.fj]\nkind = \"forgejo\"\ntoken = { env = \"X\" }".into(),
            &["`url` is missing: where the server is, such as https://codeberg.org"],
        ),
        (
            "[runner.x]\nkind = \"t3\"\nargv = [\"a\"]\nurl = \"http://far.example\"".into(),
            &["needs `token`", "`url` wants https://", "`argv` is for kind = \"command\""],
        ),
        ("[runner.x]\nargv = [\"a\"]\nmodel = \"m\"".into(), &["`model` are for kind = \"t3\""]),
        (
            "[runner.x]\nkind = \"t3\"\nurl = \"http://127.0.0.1.evil.example\"\ntoken = { env = \"T\" }\ninstance = \"i\"\nmodel = \"m\"\nenv = [\"T\"]"
                .into(),
            &["`url` wants https://", "hands T to the agent"],
        ),
        (
            "[runner.x]\nargv = [\"a\"]\nsession = \"screen\"".into(),
            &["`session` in [runner.x] wants \"background\" or \"tmux\""],
        ),
        ("[runner.x]\nargv = [\"a\"]\nprofile = \"aider\"".into(), &["and \"aider\" is not that"]),
        (
            "[runner.x]\nargv = [\"a\"]\nlabels = [\"big\"]\n[runner.y]\nargv = [\"a\"]\nlabels = [\"Big\"]"
                .into(),
            &["line 6", "`labels` holds \"Big\", and so does [runner.x]"],
        ),
        (
            "[runner.x]\nargv = [\"a\"]\nlabels = [\"Needs-Human\", \" \"]".into(),
            &["\"Needs-Human\", which has a meaning of its own", "an empty label"],
        ),
        (
            "[[ci.stage]]\nname = \"a\"\nkind = \"drone\"".into(),
            &["the CI stage \"a\" needs `url` and `token`", "`url` of the CI stage \"a\" has to begin with https"],
        ),
        (
            "[[ci.stage]]\nname = \"a\"\nkind = \"forge\"\nurl = \"https://h\"".into(),
            &["the CI stage \"a\" has no server"],
        ),
        ("[notify.x]\nkind = \"slack\"".into(), &["slack needs `url`, which is a secret"]),
        ("[notify.x]\nkind = \"email\"".into(), &["email needs `to`"]),
        ("[notify.x]\nkind = \"email\"\nto = [\"a@b\\nBcc: c@d\"]".into(), &["is no mail address"]),
        (
            "[notify.x]\nkind = \"slack\"\nurl = { env = \"A\" }\ntoken = { env = \"B\" }".into(),
            &["slack has no `token`"],
        ),
        ("[heartbeat]\ntick = \"https://h\"".into(), &["`tick` in [heartbeat] is a secret"]),
        // Secrets.
        (
            "[notify.x]\nkind = \"webhook\"\nurl = \"https://h/x\"".into(),
            &["line 3: `url` in [notify.x] is a secret", "{ env = \"NAME\" }"],
        ),
        (
            "[notify.x]\nkind = \"webhook\"\nurl = { env = \"A\", file = \"b\" }".into(),
            &["exactly one source"],
        ),
        ("[notify.x]\nkind = \"webhook\"\nurl = { vault = \"A\" }".into(), &["knows no source `vault`"]),
        (
            "[notify.x]\nkind = \"webhook\"\nurl = { credential = \"../A\" }".into(),
            &["names a credential by a path"],
        ),
        ("[notify.x]\nkind = \"webhook\"".into(), &["[notify.x]: a webhook needs `url`"]),
        ("[notify.x]\nkind = \"command\"".into(), &["[notify.x]: a command needs `argv`"]),
        ("[notify.x]\nargv = [\"a\"]".into(), &["`kind` is missing in [notify.x]"]),
        (
            format!("{runner}env = [\"HOOK\"]\n[notify.x]\nkind = \"webhook\"\nurl = {{ env = \"HOOK\" }}"),
            &["that is a secret of offhours"],
        ),
        (format!("{runner}env = [\"SSH_AUTH_SOCK\"]"), &["which the agent never gets from you"]),
        (format!("{runner}home_files = [\"../x\"]"), &["paths below your home"]),
        ("[runner.main]\nargv = []".into(), &["[runner.main]: `argv` names no program"]),
        // Names that must exist.
        (
            armed("[\"home:me/*\"]"),
            &["line 1: `allowlist`: \"home:me/*\" is a pattern: name each repo exactly"],
        ),
        (armed("[\"hub:me/a\"]"), &["on the forge \"hub\", which is not configured (configured: home)"]),
        (armed("[\"me\"]"), &["\"me\" is not a repo: write NAME:owner/repo"]),
        (armed("[\"me/a\", \"home:me/a\"]"), &["names home:me/a twice"]),
        (
            armed("[\"me/a*\", \"me\", \"hub:me/a\"]"),
            &["is a pattern", "\"me\" is not a repo", "the forge \"hub\""],
        ),
        ("allowlist = [\"me/a\"]".into(), &["names no forge, and not exactly one is configured (none)"]),
        (format!("allowlist = [\"me/a\"]\nlanding = \"push\"\n{forge}"), &["no runner is configured"]),
        (format!("{}[runner.two]\nargv = [\"b\"]", armed("[\"me/a\"]")), &["set `default_runner`"]),
        (
            format!("default_runner = \"x\"\n{runner}"),
            &["line 1: `default_runner` names \"x\": there is no such runner; configured: main"],
        ),
        (
            format!("{forge}{runner}[repo.\"me/a\"]\nrunner = \"x\""),
            &["line 7: `runner` in [repo.\"me/a\"] names \"x\""],
        ),
        (format!("{forge}[repo.\"me/a\"]\n[repo.\"home:me/a\"]"), &["is the second table of home:me/a"]),
        (format!("{forge}[repo.\"x:me/a\"]"), &["[repo.\"x:me/a\"]:", "the forge \"x\""]),
        (
            format!("{forge}{runner}[repo.\"me/a\"]\nargv = []"),
            &["line 6: [repo.\"me/a\"]: `argv` names no program"],
        ),
        (
            format!("{forge}[repo.\"me/a\"]\nmax_running = 1"),
            &["`max_running` is not a key in [repo.\"me/a\"]: it belongs at the top"],
        ),
        ("[runner.\"a b\"]\nargv = [\"a\"]".into(), &["line 1: \"a b\" is no name for a runner"]),
        ("[[ci.stage]]\nname = \"../x\"\nargv = [\"a\"]".into(), &["\"../x\" is no name for a CI stage"]),
        (
            "ci.stage = [{ name = \"x\", argv = [\"a\"] }, { name = \"x\", argv = [\"a\"] }]".into(),
            &["two CI stages are called \"x\""],
        ),
    ];
    for (text, parts) in &table {
        let what = refused(text);
        for part in *parts {
            assert!(what.contains(part), "{text}\n  gives: {what}\n  lacks: {part}");
        }
    }
}

#[test]
fn every_problem_is_told_at_once_up_to_a_bound() {
    let what = refused("max_running = 0\nmax_runing = 1\n[ci]\nrerun = true\n");
    assert_eq!(what.matches("line ").count(), 3, "{what}");
    let mut text = String::new();
    for i in 0..1000 {
        writeln!(text, "key{i} = 1").unwrap();
    }
    let what = refused(&text);
    assert!(what.lines().count() == 22 && what.ends_with("and 980 more"), "{what}");
}

#[test]
fn strange_bytes_never_panic() {
    let deep = format!("a = {}", "[".repeat(100_000));
    let long = format!("{} = 1", "k".repeat(100_000));
    let huge = "#".repeat(5 * 1024 * 1024);
    let texts = [
        "\u{feff}",
        "\0",
        "=",
        "[",
        "[[ci]]",
        "[ci]\n[ci]",
        "\"\" = 1",
        "a.b.c.d = 1",
        "[[forge]]\nx = 1",
        "[repo]\n\"\" = {}",
        "[[repo.\"a/b\".ci.stage]]",
        "forge = []",
        "ci.stage = [1]",
        "allowlist = [\"\"]",
    ];
    for text in texts.into_iter().chain([deep.as_str(), long.as_str(), huge.as_str()]) {
        if let Err(error) = load(text) {
            assert_eq!(error.kind, Kind::Config);
            assert!(!error.what.is_empty());
        }
    }
    // Every beginning of a good file, so that each kind of value is cut in the middle.
    for end in (0..GOOD.len()).filter(|end| GOOD.is_char_boundary(*end)) {
        drop(load(&GOOD[..end]));
    }
}

#[test]
fn a_thousand_repos_are_read_in_a_moment() {
    let mut text = String::from(GOOD);
    for i in 0..3000 {
        writeln!(text, "[repo.\"home:many/r{i}\"]\nbudget_usd = {i}").unwrap();
    }
    assert_eq!(load(&text).unwrap().repos.len(), 3002);
}

/// A value for the key that differs from its default: from the example, or made from the default.
fn other_value(table: &str, tables: &[&str], row: &Row) -> String {
    let default = (row.default)().map(|value| value.decorated("", "").to_string());
    let example = |table: &&str| show::any_example(table, row.name).map(str::to_owned);
    let example = example(&table).or_else(|| tables.iter().find_map(example));
    if let Some(value) = example.filter(|value| Some(value) != default.as_ref()) {
        return value;
    }
    let default = default.unwrap_or_else(|| "\"\"".to_owned());
    match default.as_str() {
        "true" => "false".to_owned(),
        "false" => "true".to_owned(),
        "[]" if row.name == "to" => "[\"me@x\"]".to_owned(),
        _ if row.name == "from" => "\"me@x\"".to_owned(),
        "[]" => "[\"changed\"]".to_owned(),
        "\"\"" => "\"changed\"".to_owned(),
        "\"largest-first\"" => "\"smallest-first\"".to_owned(),
        "\"stdin\"" => "\"file\"".to_owned(),
        "\"command\"" => "\"t3\"".to_owned(),
        "\"background\"" => "\"tmux\"".to_owned(),
        "\"script\"" => "\"codex\"".to_owned(),
        "\"write\"" => "\"admin\"".to_owned(),
        text if text.starts_with('"') => "\"changed\"".to_owned(),
        number => {
            let value: f64 = number.parse().expect(row.name);
            if number.contains('.') && value < 1.0 {
                format!("{}", value / 2.0)
            } else if number.contains('.') {
                format!("{:.1}", value + 1.0)
            } else {
                format!("{}", value - 1.0)
            }
        }
    }
}

/// A token is sent nowhere but over TLS, or to this machine.
#[test]
fn addresses_that_a_token_may_go_to() {
    for (url, good) in [
        ("https://github.example.com", true),
        ("https://github.example.com:8443/git", true),
        ("http://127.0.0.1:3000", true),
        ("http://localhost", true),
        ("http://[::1]:3000", true),
        ("http://github.example.com", false),
        ("http://127.0.0.1.evil.example", false),
        ("http://127.evil.example", false),
        ("http://localhost.evil.example", false),
        ("https://me:secret@github.example.com", false),
        ("https://github.example.com/", false),
        ("https://", false),
        ("https://a b", false),
        ("https://a?b", false),
        ("ftp://github.example.com", false),
        ("github.example.com", false),
    ] {
        let text = format!("[forge.x]\nkind = \"github\"\ntoken = {{ env = \"X\" }}\nurl = \"{url}\"");
        assert_eq!(load(&text).is_ok(), good, "{url}");
    }
    for (url, good) in [
        ("git@h:{owner}/{name}.git", true),
        ("ssh://git@h/{owner}/{name}.git", true),
        ("https://h/{owner}/{name}.git", true),
        ("/srv/{owner}/{name}.git", true),
        ("https://u:p@h/{owner}/{name}.git", false),
        ("http://h/{owner}/{name}.git", false),
        ("https://h/fixed.git", false),
    ] {
        let text = format!("[forge.x]\nkind = \"github\"\ntoken = {{ env = \"X\" }}\ngit_url = \"{url}\"");
        assert_eq!(load(&text).is_ok(), good, "{url}");
    }
}

#[test]
fn every_key_is_read_and_shown() {
    // Kinds with a single word have no other value.
    let single = [("forge.*", "kind"), ("ci.stage", "kind"), ("repo.*.ci.stage", "kind")];
    for (row, tables) in rows() {
        for table in tables.iter().filter(|table| !single.contains(&(table, row.name))) {
            let mut base: toml_edit::DocumentMut = SKELETON.parse().unwrap();
            if *table == "forge.*" {
                // It is of another kind here, and recipes want a local one.
                base.remove("recipe");
            }
            let before = load(&base.to_string()).unwrap().effective();
            let value: toml_edit::Value = other_value(table, tables, row).parse().unwrap();
            let mut at = base.as_item_mut();
            for part in table.split('.').filter(|part| !part.is_empty()) {
                let name = match (part, *table) {
                    ("*", "forge.*") => "home",
                    ("*", "runner.*") => "main",
                    ("*", "notify.*") => "phone",
                    ("*", "template.*") => "careful",
                    ("*", "recipe.*") => "blog",
                    ("*", _) => "home:me/a",
                    (part, _) => part,
                };
                at = match &mut at[name] {
                    toml_edit::Item::ArrayOfTables(_) => &mut at[name][0],
                    toml_edit::Item::None => {
                        at[name] = toml_edit::table();
                        &mut at[name]
                    }
                    toml_edit::Item::Table(_) | toml_edit::Item::Value(_) => &mut at[name],
                };
            }
            at[row.name] = toml_edit::Item::Value(value);
            if *table == "runner.*" && ["kind", "url", "token", "instance", "model"].contains(&row.name) {
                let more = [("kind", "\"t3\""), ("url", "\"https://h\""), ("token", "{ env = \"X\" }")];
                for (key, value) in more.into_iter().chain([("instance", "\"i\""), ("model", "\"m\"")]) {
                    at[key] = toml_edit::Item::Value(value.parse().unwrap());
                }
                at.as_table_like_mut().unwrap().remove("argv");
            }
            if table.ends_with("ci.stage") && ["url", "token"].contains(&row.name) {
                for (key, value) in
                    [("kind", "\"drone\""), ("url", "\"https://h\""), ("token", "{ env = \"X\" }")]
                {
                    at[key] = toml_edit::Item::Value(value.parse().unwrap());
                }
                at.as_table_like_mut().unwrap().remove("argv");
            }
            // What only one kind of notifier knows.
            let kind = match (*table, row.name) {
                ("notify.*", "kind" | "url" | "token") => "ntfy",
                ("notify.*", "to" | "from") => "email",
                _ => "",
            };
            if !kind.is_empty() {
                at["kind"] = toml_edit::value(kind);
                at.as_table_like_mut().unwrap().remove("argv");
            }
            if *table == "forge.*" && row.name != "path" {
                at["kind"] = toml_edit::value("github");
                at.as_table_like_mut().unwrap().remove("path");
                let more: &[(&str, &str)] = if row.name.starts_with("app_") {
                    &[("app_id", "\"1\""), ("app_key", "{ env = \"X\" }")]
                } else {
                    &[("token", "{ env = \"X\" }")]
                };
                for (key, value) in more.iter().filter(|(key, _)| *key != row.name) {
                    at[key] = toml_edit::Item::Value(value.parse().unwrap());
                }
            }
            if kind == "ntfy" && row.name != "url" {
                at["url"] = toml_edit::Item::Value("{ env = \"X\" }".parse().unwrap());
            }
            if kind == "email" && row.name != "to" {
                at["to"] = toml_edit::Item::Value("[\"other@x\"]".parse().unwrap());
            }
            let text = base.to_string();
            let after = load(&text).unwrap_or_else(|e| panic!("{e}\n{text}")).effective();
            assert_ne!(before, after, "`{}` in [{table}] is not read:\n{text}", row.name);
            let shown = after.lines().any(|line| line.starts_with(&format!("{} = ", row.name)));
            assert!(shown, "`{}` in [{table}] is not shown:\n{after}", row.name);
        }
    }
}

/// Everything that a key may need around it.
const SKELETON: &str = r#"
landing = { mode = "pull-request", allow_paths = ["x"] }
default_runner = "main"
[upgrade.bridge]
argv = ["a"]
[recipe.blog]
mirror = "home:me/b"
upstream = "u"
[workspace]
[trust]
[retention]
[fix_forward]
[ci]
[[ci.stage]]
name = "first"
argv = ["a"]
[forge.home]
kind = "local"
path = "f"
[runner.main]
argv = ["a"]
[runner.claude]
argv = ["b"]
[notify.phone]
kind = "command"
argv = ["a"]
[repo."home:me/a"]
runner = "main"
[[repo."home:me/a".ci.stage]]
name = "own"
argv = ["c"]
"#;

#[test]
fn the_effective_configuration_loads_to_itself() {
    for text in ["", GOOD, SKELETON, &complete()] {
        let config = load(text).unwrap();
        let shown = config.effective();
        let again = load(&shown).unwrap_or_else(|e| panic!("{e}\n{shown}"));
        assert_eq!(again.effective(), shown);
        // The allowlist may have been written short.
        for id in config.allowlisted() {
            assert_eq!(again.repo(&id), config.repo(&id));
        }
    }
}

#[test]
fn a_secret_is_shown_as_its_source() {
    let text = "[notify.x]\nkind = \"webhook\"\nurl = { env = \"HOOK\" }\n";
    assert!(load(text).unwrap().effective().contains("url = { env = \"HOOK\" }"));
}

#[test]
fn the_reference_has_every_key() {
    let reference = reference();
    for (row, _) in rows() {
        assert!(reference.contains(row.name) && !row.doc.trim().is_empty(), "{}", row.name);
    }
    for (table, _) in TABLES {
        assert!(reference.contains(&format!("[{table}]")), "{table}");
    }
    assert!(reference.lines().all(|line| line.len() <= 120), "{reference}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the switch that regenerates lives in the environment")]
fn the_complete_example_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/complete.toml");
    let text = complete();
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "examples/complete.toml is old: run `REGENERATE=1 cargo test --lib config`");
    let config = load(&text).unwrap_or_else(|e| panic!("{e}"));
    assert!(config.global.kill_switch, "an example is off until somebody arms it");
    assert_eq!(config.allowlisted().len(), 2);
    // What the example sets beside `[repo]` is written out for every key: nothing may be left as "not set".
    assert!(!text.lines().any(|line| line.starts_with("# ") && line.ends_with(" =")), "{text}");
}
