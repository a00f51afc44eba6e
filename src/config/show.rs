//! The key table as text: the reference, the complete example, and the effective values of a configuration.

use std::fmt::Write as _;

use toml_edit::Value;

use super::group::Group;
use super::row::Row;
use super::schema::{RunnerBasics, RunnerSettings, Stage, TABLES, WorkspaceRoot, rows};
use super::settings::{Config, RepoConfig, Runner, T3};

/// Values for the complete example, where the default says little or is nothing. TOML on the right.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("", "kill_switch_file", r#""/var/lib/offhours/off""#),
    ("", "allowlist", r#"["home:me/project", "home:me/website"]"#),
    ("", "machine", r#""nightshift""#),
    ("", "dispatch_hours", r#"["Mon-Fri 22:00-06:00", "Sat,Sun 00:00-24:00"]"#),
    ("", "merge_hours", r#"["08:00-20:00"]"#),
    ("", "timezone_offset", r#""+02:00""#),
    ("", "priority", "{ urgent = 100, someday = -10 }"),
    ("", "default_runner", r#""claude""#),
    ("", "merge", r#""when-green""#),
    ("", "verify", r#"["cargo", "test"]"#),
    ("", "branch", r#""main""#),
    ("control", "issue", r#""home:me/project#1""#),
    ("trust", "people", r#"["me", "release-bot"]"#),
    ("workspace", "root", r#""/var/lib/offhours/work""#),
    ("workspace", "after_create", r#"["npm", "ci"]"#),
    ("workspace", "before_turn", r#"["git", "status"]"#),
    ("workspace", "after_turn", r#"["git", "log", "-5"]"#),
    ("workspace", "before_remove", r#"["make", "clean"]"#),
    ("ci", "required", r#"["build"]"#),
    ("ci.stage", "name", r#""build""#),
    ("ci.stage", "argv", r#"["make", "ci"]"#),
    ("", "default_template", r#""careful""#),
    ("template.*", "file", r#""careful.md""#),
    ("forge.*", "kind", r#""local""#),
    ("forge.*", "path", r#""/srv/offhours/forge""#),
    (
        "runner.*",
        "argv",
        r#"["claude", "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions"]"#,
    ),
    ("runner.*", "profile", r#""claude""#),
    ("runner.*", "max_running", "1"),
    ("runner.*", "labels", r#"["agent:claude"]"#),
    ("runner.*", "env", r#"["ANTHROPIC_API_KEY", "LANG"]"#),
    ("runner.*", "home_files", r#"[".gitconfig"]"#),
    ("runner.*", "wrap", r#"["nice", "-n", "10"]"#),
    ("runner.*", "account", r#""team""#),
    ("runner.*", "price_input_usd_per_million", "3.0"),
    ("runner.*", "price_cached_input_usd_per_million", "0.3"),
    ("runner.*", "price_output_usd_per_million", "15.0"),
    ("notify.*", "kind", r#""ntfy""#),
    ("notify.*", "url", r#"{ env = "OFFHOURS_NTFY_URL" }"#),
    ("notify.*", "token", r#"{ env = "OFFHOURS_NTFY_TOKEN" }"#),
    ("heartbeat", "tick", r#"{ file = "heartbeat-url" }"#),
    ("heartbeat", "poll", r#"{ env = "OFFHOURS_HEARTBEAT_POLL" }"#),
    ("heartbeat", "watch", r#"{ env = "OFFHOURS_HEARTBEAT_WATCH" }"#),
    ("heartbeat", "lessons", r#"{ env = "OFFHOURS_HEARTBEAT_LESSONS" }"#),
    ("notify.*", "quiet_hours", r#"["22:00-07:00"]"#),
    ("notify.*", "urgent", r#"["alarm"]"#),
    ("notify.*", "kinds", r#"["needs-human", "frozen", "alarm", "recovered"]"#),
    ("repo.*", "runner", r#""claude""#),
    ("repo.*", "template", r#""terse""#),
    ("repo.*", "landing", r#"{ mode = "push", allow_paths = [".ci/"] }"#),
    ("repo.*", "verify", r#"["npm", "test"]"#),
    ("repo.*", "budget_usd", "5.0"),
    ("repo.*", "turn_timeout_seconds", "1800"),
    ("repo.*.workspace", "after_create", r#"["npm", "ci"]"#),
    ("repo.*.ci", "required", "[]"),
    ("repo.*.ci.stage", "name", r#""deploy""#),
    ("repo.*.ci.stage", "argv", r#"["make", "deploy"]"#),
    ("repo.*.fix_forward", "max_turns", "1"),
    ("upgrade", "enrolled", r#"["blog"]"#),
    ("upgrade", "status_creator", r#""ci""#),
    ("upgrade", "result_author", r#""ci-bot""#),
    ("upgrade", "test_paths", r#"["tests/", "e2e/", "*.bats"]"#),
    ("upgrade", "runner", r#""claude""#),
    ("upgrade", "teardown", r#"["abra", "app", "undeploy", "test.{recipe}.example.org"]"#),
    ("upgrade", "teardown_check", r#"["sh", "is-clean.sh"]"#),
    ("upgrade", "verify_command", r#"["sh", "both.sh", "{recipe_dir}", "{tests_dir}"]"#),
    ("upgrade", "denied_paths", r#"["secrets/"]"#),
    ("upgrade", "plain_http_registries", r#"["localhost:5000"]"#),
    ("upgrade.bridge", "argv", r#"["sh", "ci.sh"]"#),
    ("upgrade.bridge", "people", r#"["me"]"#),
    ("recipe.*", "mirror", r#""home:recipes/blog""#),
    ("recipe.*", "upstream", r#""https://git.example.org/recipes/blog.git""#),
    ("recipe.*", "ignore", r#"["2.0.0", "*-beta*"]"#),
    ("recipe.*", "minimum_age_days", "3"),
    ("recipe.*", "tests", r#""home:recipes/tests""#),
];

/// Examples that do not go together with the others: shown as comments.
const ASIDE: &[(&str, &str, &str)] = &[
    ("forge.*", "url", r#""https://github.example.com""#),
    ("forge.*", "token", r#"{ env = "OFFHOURS_TOKEN" }"#),
    ("forge.*", "app_id", r#""1234567""#),
    ("forge.*", "app_key", r#"{ file = "/home/me/.config/offhours/app.pem" }"#),
    ("forge.*", "app_installation", "12345678"),
    ("forge.*", "api_url", r#""https://github.example.com/api/v3""#),
    ("forge.*", "git_url", r#""git@github.example.com:{owner}/{name}.git""#),
    ("ci.stage", "url", r#""https://ci.example.com""#),
    ("ci.stage", "token", r#"{ env = "CI_TOKEN" }"#),
    ("repo.*.ci.stage", "url", r#""https://ci.example.com""#),
    ("repo.*.ci.stage", "token", r#"{ env = "CI_TOKEN" }"#),
    ("runner.*", "url", r#""http://127.0.0.1:3773""#),
    ("runner.*", "token", r#"{ file = "/home/me/.config/offhours/t3-token" }"#),
    ("runner.*", "instance", r#""codex""#),
    ("runner.*", "model", r#""gpt-5""#),
    ("upgrade.bridge", "workflow", "\"test.yml\""),
];

/// The names that stand for the stars in the complete example.
const STARS: &[(&str, &str)] = &[
    ("forge.*", "home"),
    ("runner.*", "claude"),
    ("template.*", "careful"),
    ("notify.*", "phone"),
    ("repo.*", "\"home:me/website\""),
    ("recipe.*", "blog"),
];

pub(super) fn example(table: &str, key: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(t, k, _)| *t == table && *k == key).map(|(_, _, value)| *value)
}

/// The example of a key, also where it stands aside.
#[cfg(test)]
pub(super) fn any_example(table: &str, key: &str) -> Option<&'static str> {
    EXAMPLES.iter().chain(ASIDE).find(|(t, k, _)| *t == table && *k == key).map(|(_, _, value)| *value)
}

fn is_array(table: &str) -> bool {
    table.rsplit('.').next() == Some("stage")
}

fn header(table: &str, name: &str) -> String {
    if is_array(table) { format!("[[{name}]]") } else { format!("[{name}]") }
}

fn rows_of(table: &'static str) -> impl Iterator<Item = &'static Row> {
    rows().filter(move |(_, tables)| tables.contains(&table)).map(|(row, _)| row)
}

/// Words filled into lines of at most 100 characters, each behind `before`.
fn paragraph(out: &mut String, before: &str, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && before.len() + line.len() + 1 + word.len() > 100 {
            write_into(out, format_args!("{before}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    write_into(out, format_args!("{before}{line}\n"));
}

/// What a key accepts and what holds without it.
fn facts(row: &Row) -> String {
    let mut facts = (row.accepts)();
    if let Some((low, high)) = row.bounds {
        write_into(&mut facts, format_args!(" from {low} to {high}"));
    }
    match (row.default)() {
        _ if row.required => facts.push_str("; required"),
        Some(value) => write_into(&mut facts, format_args!("; default {}", plain(value))),
        None => facts.push_str("; not set by default"),
    }
    facts
}

fn write_into(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    out.write_fmt(text).unwrap_or_default();
}

/// A value without the blanks that its place in a document gave it.
fn plain(value: Value) -> String {
    value.decorated("", "").to_string()
}

/// Every key with its type, default and meaning: `offhours config reference`.
pub fn reference() -> String {
    let mut out = String::from("Keys at the top of the file\n");
    rows_of("").for_each(|row| reference_row(&mut out, row));
    for (table, doc) in TABLES {
        write_into(&mut out, format_args!("\n{}\n", header(table, table)));
        paragraph(&mut out, "", doc);
        if table.starts_with("repo.") {
            // The same rows a second time would be read by nobody; the names are enough.
            let names: Vec<&str> = rows_of(table).map(|row| row.name).collect();
            paragraph(&mut out, "  ", &names.join(", "));
        } else {
            rows_of(table).for_each(|row| reference_row(&mut out, row));
        }
    }
    out
}

fn reference_row(out: &mut String, row: &Row) {
    write_into(out, format_args!("  {}\n", row.name));
    paragraph(out, "      ", row.doc);
    paragraph(out, "      ", &format!("({})", facts(row)));
}

/// A configuration with every key, commented: `examples/complete.toml`.
pub fn complete() -> String {
    let mut out = String::new();
    paragraph(
        &mut out,
        "# ",
        "Every key of offhours, each with its meaning and its default. Copy what you need: a key that is left out \
         keeps its default. Made from the source of `offhours config reference`.",
    );
    for row in rows_of("") {
        example_row(&mut out, "", row);
    }
    for (table, doc) in TABLES {
        let name = STARS.iter().fold((*table).to_owned(), |name, (star, with)| {
            let (before, _) = star.split_at(star.len() - 1);
            name.strip_prefix(star).map_or(name.clone(), |rest| format!("{before}{with}{rest}"))
        });
        out.push('\n');
        paragraph(&mut out, "# ", doc);
        write_into(&mut out, format_args!("{}\n", header(table, &name)));
        for row in rows_of(table) {
            if !table.starts_with("repo.") {
                example_row(&mut out, table, row);
            } else if let Some(value) = example(table, row.name) {
                write_into(&mut out, format_args!("{} = {value}\n", row.name));
            }
        }
    }
    out
}

fn example_row(out: &mut String, table: &str, row: &Row) {
    out.push('\n');
    paragraph(out, "# ", row.doc);
    paragraph(out, "# ", &format!("({})", facts(row)));
    if let Some(value) = example(table, row.name).map(str::to_owned).or_else(|| (row.default)().map(plain)) {
        return write_into(out, format_args!("{} = {value}\n", row.name));
    }
    let aside = ASIDE.iter().find(|(t, key, _)| *t == table && *key == row.name);
    let value = aside.map_or_else(String::new, |(_, _, value)| format!(" {value}"));
    write_into(out, format_args!("# {} ={value}\n", row.name));
}

pub(super) fn effective(config: &Config) -> String {
    let mut out = String::new();
    lines(&mut out, &config.global);
    lines(&mut out, &config.run);
    section(&mut out, "control", &config.control);
    section(&mut out, "trust", &config.trust);
    section(&mut out, "workspace", &WorkspaceRoot { root: config.workspace_root.clone() });
    lines(&mut out, &config.hooks);
    section(&mut out, "ci", &config.ci);
    stages(&mut out, "ci", &config.stages, &[]);
    section(&mut out, "fix_forward", &config.fix_forward);
    section(&mut out, "retention", &config.retention);
    section(&mut out, "lessons", &config.lessons);
    section(&mut out, "harvest", &config.harvest);
    section(&mut out, "canary", &config.canary);
    for (name, template) in &config.templates {
        section(&mut out, &path("template", name), template);
    }
    section(&mut out, "heartbeat", &config.heartbeat);
    for (name, forge) in &config.forges {
        section(&mut out, &path("forge", name), forge);
    }
    for (name, Runner { kind, max_running, labels, t3, settings }) in &config.runners {
        let T3 { url, token, instance, model } = t3.clone().unwrap_or_default();
        let (kind, max_running, labels) = (*kind, *max_running, labels.clone());
        let basics = RunnerBasics { kind, max_running, labels, url, token, instance, model };
        section(&mut out, &path("runner", name), &basics);
        lines(&mut out, settings);
    }
    for (name, notify) in &config.notifiers {
        section(&mut out, &path("notify", name), notify);
    }
    section(&mut out, "upgrade", &config.upgrade);
    section(&mut out, "upgrade.bridge", &config.bridge);
    for (name, recipe) in &config.recipes {
        section(&mut out, &path("recipe", name), recipe);
    }
    for repo in config.repos.values() {
        repo_section(&mut out, config, repo);
    }
    out
}

/// Only what differs from what the repo inherits: the rest follows the tables above.
fn repo_section(out: &mut String, config: &Config, repo: &RepoConfig) {
    let at = path("repo", &repo.id.to_string());
    write_into(out, format_args!("\n[{at}]\n"));
    if !repo.runner_name.is_empty() {
        write_into(out, format_args!("runner = {}\n", plain(Value::from(repo.runner_name.as_str()))));
    }
    if repo.template != config.global.default_template {
        write_into(out, format_args!("template = {}\n", plain(Value::from(repo.template.as_str()))));
    }
    let base = config.inherited(&repo.id, Some(&repo.runner_name));
    out.push_str(&differing(&repo.run, &base.run));
    out.push_str(&differing::<RunnerSettings>(&repo.runner, &base.runner));
    let below = |out: &mut String, table: &str, lines: String| {
        if !lines.is_empty() {
            write_into(out, format_args!("\n[{at}.{table}]\n{lines}"));
        }
    };
    below(out, "workspace", differing(&repo.hooks, &base.hooks));
    let mut ci = differing(&repo.ci, &base.ci);
    if repo.stages.is_empty() && !base.stages.is_empty() {
        // An empty list is a value of its own: this repo has no stages.
        ci.push_str("stage = []\n");
    }
    below(out, "ci", ci);
    stages(out, &format!("{at}.ci"), &repo.stages, &base.stages);
    below(out, "fix_forward", differing(&repo.fix_forward, &base.fix_forward));
}

fn path(group: &str, name: &str) -> String {
    format!("{group}.{}", toml_edit::Key::new(name))
}

fn section(out: &mut String, name: &str, group: &impl Group) {
    write_into(out, format_args!("\n[{name}]\n"));
    lines(out, group);
}

fn lines(out: &mut String, group: &impl Group) {
    for (key, value) in group.show() {
        match value {
            Some(value) => write_into(out, format_args!("{key} = {}\n", plain(value))),
            None => write_into(out, format_args!("# {key} is not set\n")),
        }
    }
}

fn differing<G: Group>(group: &G, base: &G) -> String {
    let mut out = String::new();
    for ((key, value), (_, inherited)) in group.show().into_iter().zip(base.show()) {
        let (value, inherited) = (value.map(plain), inherited.map(plain));
        if let Some(value) = value.filter(|value| Some(value) != inherited.as_ref()) {
            write_into(&mut out, format_args!("{key} = {value}\n"));
        }
    }
    out
}

fn stages(out: &mut String, parent: &str, stages: &[Stage], inherited: &[Stage]) {
    if stages == inherited {
        return;
    }
    for stage in stages {
        section(out, &format!("[{parent}.stage]"), stage);
    }
}
