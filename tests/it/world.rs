//! A whole small world in a temporary folder: a local forge with repositories, an agent that is a shell script, a clock
//! that only moves when told to, and the binary with a clean environment. No test waits for time to pass: jobs are
//! waited for by their locks.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use offhours::adapters::probe::on_path;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_offhours");
/// 2026-03-02 10:00 UTC, a Monday.
pub const START: i64 = 1_772_445_600;

/// Writes a file `done-<n>.txt` for issue n, commits it, and says nothing.
pub const GOOD_AGENT: &str = r#"
echo "solved $number" > "done-$number.txt"
git add "done-$number.txt"
git commit -q -m "Solve issue $number" -m "Closes #$number"
"#;

/// What every agent script begins with: the prompt is read, the issue's number is taken from it, commits have fixed
/// dates so that runs of a story can be compared.
const AGENT_HEAD: &str = r#"#!/bin/sh
set -eu
export GIT_AUTHOR_DATE="2026-03-02T10:00:00Z" GIT_COMMITTER_DATE="2026-03-02T10:00:00Z"
prompt=$(cat)
number=$(printf '%s\n' "$prompt" | sed -n '1s/.*#\([0-9][0-9]*\) .*/\1/p')
"#;

pub struct World {
    temp: TempDir,
    /// Two hosts on one forge are two of these names.
    pub host: String,
    /// Variables that the binary finds besides the usual few.
    pub env: Vec<(String, String)>,
}

/// What a command answered.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("not JSON ({e}): {}\n{}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

impl World {
    /// A forge `home` with the repository `me/app`, armed, an agent that solves every issue.
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// The same, in memory where the system has such a folder: many worlds in a row wait for no disk.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    fn below(folder: &Path) -> Self {
        let world = Self {
            temp: tempfile::Builder::new().prefix("offhours-it-").tempdir_in(folder).unwrap(),
            host: "one".to_owned(),
            env: vec![],
        };
        fs::create_dir_all(world.path("home")).unwrap();
        fs::write(world.path("clock"), START.to_string()).unwrap();
        world.repo("me/app");
        world.agent(GOOD_AGENT);
        world.configure(&["home:me/app"], "");
        world
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.temp.path().join(below)
    }

    pub fn state(&self) -> PathBuf {
        self.path(&format!("{}/state.db", self.host))
    }

    /// Leaves nothing but the folder.
    pub fn clear(&self) {
        for path in fs::read_dir(self.temp.path()).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
    }

    /// Takes the state file away, with what SQLite keeps beside it.
    pub fn lose_state(&self) {
        for side in ["", "-wal", "-shm"] {
            let path = self.path(&format!("{}/state.db{side}", self.host));
            if path.exists() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// A repository with one commit: a test script that is green while no file `red` is there.
    pub fn repo(&self, name: &str) {
        let bare = self.bare(name);
        fs::create_dir_all(bare.parent().unwrap().join("issues")).unwrap();
        for (of, to) in [(Made::Bare, bare), (Made::Seed, self.path("seed"))] {
            drop(fs::remove_dir_all(&to));
            fs::create_dir(&to).unwrap();
            for (_, file, content) in beginning().iter().filter(|(whose, ..)| *whose == of) {
                match content {
                    Some((bytes, mode)) => {
                        fs::write(to.join(file), bytes).unwrap();
                        fs::set_permissions(to.join(file), fs::Permissions::from_mode(*mode)).unwrap();
                    }
                    None => fs::create_dir(to.join(file)).unwrap(),
                }
            }
        }
    }

    pub fn bare(&self, name: &str) -> PathBuf {
        self.path("tracker").join(name).join("repo.git")
    }

    /// What git says in the repository `me/app` on the forge.
    pub fn app_git(&self, args: &[&str]) -> String {
        git(&self.bare("me/app"), args).trim().to_owned()
    }

    /// A commit by a person, straight to the default branch.
    pub fn person_pushes(&self, name: &str, file: &str, content: &str) {
        let clone = self.path("person");
        drop(fs::remove_dir_all(&clone));
        git(self.temp.path(), &["clone", "-q", self.bare(name).to_str().unwrap(), clone.to_str().unwrap()]);
        fs::write(clone.join(file), content).unwrap();
        git(&clone, &["add", file]);
        git(&clone, &["commit", "-q", "-m", "A person's work"]);
        git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    }

    /// The agent's script; `$number` is the issue's number, `$prompt` what it was told.
    pub fn agent(&self, body: &str) {
        self.script("agent.sh", &format!("{AGENT_HEAD}{body}"));
    }

    /// The same; `$turn` says how many turns there were, over all runs, and `commit FILE` commits one.
    pub fn counting(&self, body: &str) {
        self.agent(&format!(
            "turn=$(($(cat {0} 2>/dev/null || echo 0) + 1)); echo $turn > {0}\n\
             commit() {{ git add \"$1\"; git commit -q -m \"Turn $turn for $number\"; }}\n{body}\n",
            self.path("count").display()
        ));
    }

    /// What agents were told, in the order of the names of their turns.
    pub fn prompts(&self) -> Vec<String> {
        let mut files = find(&self.path("one"), "prompt.md");
        files.sort();
        files.iter().map(|f| fs::read_to_string(f).unwrap()).collect()
    }

    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        // Written beside and renamed: a script that runs is not written to.
        let temp = self.path(&format!("{name}.new"));
        fs::write(&temp, text).unwrap();
        fs::set_permissions(&temp, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&temp, &path).unwrap();
        path
    }

    /// The usual config, armed for these repos; `extra` is appended (whole tables), and may hold top level keys above a
    /// line `---`.
    pub fn configure(&self, allowlist: &[&str], extra: &str) {
        let (top, tables) = extra.split_once("---\n").unwrap_or(("", extra));
        let agent = self.path("agent.sh");
        let sink = self.script(
            "notify.sh",
            &format!("#!/bin/sh\ncat >> {0}\necho >> {0}\n", self.path("notices").display()),
        );
        let verify = if top.contains("verify =") { "" } else { "verify = [\"sh\", \"test.sh\"]\n" };
        let stage = if tables.contains("[[ci.stage]]") || tables.contains("[ci]") {
            ""
        } else {
            "[[ci.stage]]\nname = \"test\"\nargv = [\"sh\", \"test.sh\"]\n"
        };
        let runner = if tables.contains("[runner.") {
            String::new()
        } else {
            format!("[runner.agent]\nargv = [\"{}\"]\n", agent.display())
        };
        let list: Vec<String> = allowlist.iter().map(|r| format!("\"{r}\"")).collect();
        let landing = if top.contains("landing =") { "" } else { "landing = \"push\"\n" };
        let kill = if top.contains("kill_switch") { "" } else { "kill_switch = false\n" };
        let text = format!(
            "{kill}allowlist = [{}]\n{landing}machine = \"test\"\n{verify}{top}\n[forge.home]\nkind = \"local\"\npath = \"tracker\"\n\
             {runner}[notify.sink]\nkind = \"command\"\nargv = [\"{}\"]\n{stage}{tables}",
            list.join(", "),
            sink.display()
        );
        fs::write(self.path("config.toml"), text).unwrap();
    }

    /// The binary, as cron would start it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .arg("--config")
            .arg(self.path("config.toml"))
            .arg("--state")
            .arg(self.state())
            .args(args)
            .current_dir(self.temp.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("USER", "ada")
            .env("OFFHOURS_CLOCK_FILE", self.path("clock"))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub fn offhours(&self, args: &[&str]) -> Answer {
        answer(&self.command(args).output().unwrap())
    }

    /// Opens an issue that is ready; returns its number.
    pub fn ready(&self, repo: &str, title: &str, more: &[&str]) -> u64 {
        let mut args = vec!["issue", "new", repo, "--title", title, "--label", "ready-for-agent", "--json"];
        args.extend(more);
        let answer = self.offhours(&args).ok();
        answer.json().pointer("/items/0/number").and_then(Value::as_u64).unwrap()
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: i64) {
        let now: i64 = fs::read_to_string(self.path("clock")).unwrap().trim().parse().unwrap();
        fs::write(self.path("clock"), (now + seconds).to_string()).unwrap();
    }

    /// Blocks until every supervised job has ended.
    pub fn jobs_end(&self) {
        for root in ["one", "two"] {
            for lock in find(&self.path(root), "lock") {
                if let Ok(file) = OpenOptions::new().read(true).open(&lock) {
                    flock(&file, FlockOperation::LockShared).unwrap();
                }
            }
        }
    }

    /// Ticks and waits for jobs until a tick finds nothing to do. Returns what was done, a line each.
    pub fn until_idle(&self) -> Vec<String> {
        let mut told = vec![];
        for _ in 0..40 {
            let lines = self.tick();
            let idle = lines.is_empty();
            told.extend(lines);
            self.jobs_end();
            if idle && !self.job_news() {
                return told;
            }
            self.advance(60);
        }
        panic!("it never came to rest:\n{}", told.join("\n"));
    }

    /// One tick; what it acted on, as `owner/name#n reason`.
    pub fn tick(&self) -> Vec<String> {
        let answer = self.offhours(&["tick", "--json"]);
        acted(&answer)
    }

    /// Whether a run waits for a job that has ended, so that the next tick has something to do.
    fn job_news(&self) -> bool {
        let list = self.offhours(&["run", "list", "--json"]).ok().json();
        let items = list.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
        items.iter().any(|i| matches!(i.get("reason").and_then(Value::as_str), Some("working" | "ci")))
    }

    /// The newest run of an issue, as `run show --json` tells it.
    pub fn run_of(&self, issue: &str) -> Value {
        self.offhours(&["run", "show", issue, "--json"]).ok().json().pointer("/items/0").cloned().unwrap()
    }

    /// Versions of the text that agents are told, as `label state`.
    pub fn versions(&self) -> Vec<String> {
        let json = self.offhours(&["template", "list", "--json"]).ok().json();
        let items = json.pointer("/items").and_then(Value::as_array).cloned().unwrap();
        let word = |item: &Value, key: &str| item[key].as_str().unwrap_or("").to_owned();
        items.iter().map(|i| format!("{} {}", word(i, "label"), word(i, "state"))).collect()
    }

    /// Why an issue stands where it stands: its reason's code.
    pub fn reason(&self, issue: &str) -> String {
        let json = self.offhours(&["why", issue, "--json"]).ok().json();
        json.pointer("/items/0/reason").and_then(Value::as_str).unwrap_or("").to_owned()
    }

    /// The issue's file.
    pub fn issue_text(&self, repo: &str, number: u64) -> String {
        fs::read_to_string(self.path("tracker").join(repo).join("issues").join(format!("{number:04}.md")))
            .unwrap()
    }

    pub fn labels(&self, repo: &str, number: u64) -> Vec<String> {
        let text = self.issue_text(repo, number);
        let front = text.split("+++").nth(1).unwrap();
        let table: toml::Table = front.parse().unwrap();
        let labels = table.get("labels").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        labels.iter().filter_map(|l| l.as_str().map(str::to_owned)).collect()
    }

    /// Bodies of an issue's comments, oldest first.
    pub fn comments(&self, repo: &str, number: u64) -> Vec<String> {
        let dir = self.path("tracker").join(repo).join("issues").join(format!("{number:04}.comments"));
        let mut files: Vec<PathBuf> =
            fs::read_dir(dir).map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
        files.retain(|f| f.extension().is_some_and(|e| e == "md"));
        files.sort();
        files
            .iter()
            .map(|f| fs::read_to_string(f).unwrap().splitn(3, "+++\n").nth(2).unwrap_or_default().to_owned())
            .collect()
    }

    /// Refs of the repository on the forge.
    pub fn refs(&self, repo: &str) -> Vec<String> {
        let out = git(&self.bare(repo), &["for-each-ref", "--format=%(refname)"]);
        out.lines().map(str::to_owned).collect()
    }

    /// Files on the default branch.
    pub fn files(&self, repo: &str) -> Vec<String> {
        git(&self.bare(repo), &["ls-tree", "-r", "--name-only", "main"]).lines().map(str::to_owned).collect()
    }

    /// Keys of the notices that went out, in order.
    pub fn notices(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("notices")).unwrap_or_default();
        text.lines().filter(|l| !l.is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// Processes that carry a cookie of this world's jobs or run in its folders, once what was killed had time to go: a
    /// killed process is still there for a moment. Those that are left after that stay.
    pub fn processes(&self) -> Vec<String> {
        for _ in 0..250 {
            if self.processes_now().is_empty() {
                return vec![];
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.processes_now()
    }

    fn processes_now(&self) -> Vec<String> {
        let here = self.temp.path().canonicalize().unwrap();
        let mut found = vec![];
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let dir = entry.path();
            let in_here = fs::read_link(dir.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&here));
            let environ = fs::read(dir.join("environ")).unwrap_or_default();
            let marked = String::from_utf8_lossy(&environ).contains(here.to_str().unwrap());
            if entry.file_name().to_string_lossy().parse::<u32>().is_ok() && (in_here || marked) {
                let line = fs::read(dir.join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line).replace('\0', " ");
                if !line.is_empty() {
                    found.push(line);
                }
            }
        }
        found
    }
}

/// What a tick acted on.
pub fn acted(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let items = json.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    items
        .iter()
        .filter(|i| i.get("acted") == Some(&Value::Bool(true)))
        .map(|i| {
            let word = |key: &str| i.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            format!("{} {}", word("issue").trim_start_matches("home:"), word("reason"))
        })
        .collect()
}

pub fn answer(output: &Output) -> Answer {
    Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Files of this name below a folder.
pub fn find(root: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let Ok(entries) = fs::read_dir(root) else { return found };
    for entry in entries.filter_map(Result::ok) {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && entry.file_name() != "work" {
            found.extend(find(&entry.path(), name));
        } else if kind.is_dir() {
            // A workspace has the same name as the folder of all of them.
            for inner in fs::read_dir(entry.path()).into_iter().flatten().filter_map(Result::ok) {
                if inner.file_type().is_ok_and(|k| k.is_dir()) && inner.file_name() != ".git" {
                    found.extend(find(&inner.path(), name));
                }
            }
        } else if entry.file_name() == name {
            found.push(entry.path());
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq)]
enum Made {
    Bare,
    Seed,
}

/// Folders before what is in them, and files with their rights.
type Files = Vec<(Made, PathBuf, Option<(Vec<u8>, u32)>)>;

/// A bare repository with one commit and the clone that it came from. Every world begins with them and git would make
/// the same each time, so it makes them once.
fn beginning() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let temp = TempDir::new().unwrap();
        let (bare, seed) = (temp.path().join("bare"), temp.path().join("seed"));
        for (words, dir) in [(&["--bare"][..], &bare), (&[], &seed)] {
            let init = ["init", "-q", "--template=", "--initial-branch=main", dir.to_str().unwrap()];
            git(temp.path(), &[&init[..], words].concat());
        }
        // Nothing here grows so large.
        git(&bare, &["config", "receive.autogc", "false"]);
        fs::write(seed.join("test.sh"), "#!/bin/sh\n[ ! -e red ] || { cat red; exit 1; }\n").unwrap();
        git(&seed, &["add", "test.sh"]);
        git(&seed, &["commit", "-q", "-m", "A beginning"]);
        git(&seed, &["push", "-q", bare.to_str().unwrap(), "main"]);
        let mut files = vec![];
        for (whose, root) in [(Made::Bare, bare), (Made::Seed, seed)] {
            let mut left = vec![root.clone()];
            while let Some(dir) = left.pop() {
                for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
                    let content = path.is_file().then(|| {
                        (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().permissions().mode())
                    });
                    files.push((whose, path.strip_prefix(&root).unwrap().to_owned(), content));
                    if path.is_dir() {
                        left.push(path);
                    }
                }
            }
        }
        files
    })
}

/// Where git is: by its path it is started without a copy of the whole test process, threads and all, being made first.
pub fn git_program() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| on_path("git", &std::env::var_os("PATH").unwrap()).unwrap())
}

/// Runs git in a folder as a person would, with a fixed identity and date.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(git_program())
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.test")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.test")
        .env("GIT_AUTHOR_DATE", "2026-03-01T09:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-03-01T09:00:00Z")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl World {
    /// Supervisors of this world's jobs that live: their process ids.
    pub fn supervisors(&self) -> Vec<i32> {
        let here = self.temp.path().to_str().unwrap().to_owned();
        let mut found = vec![];
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            let words: Vec<&str> = line.split('\0').collect();
            if words.get(1) == Some(&"supervise") && words.get(2).is_some_and(|d| d.starts_with(&here)) {
                found.push(pid);
            }
        }
        found
    }

    /// A ready issue with a text.
    pub fn ready_saying(&self, repo: &str, title: &str, body: &str) -> u64 {
        let file = self.path("body.md");
        fs::write(&file, body).unwrap();
        self.ready(repo, title, &["--body-file", file.to_str().unwrap()])
    }

    /// One poll; every issue it looked at with its reason, in the order of the names.
    pub fn poll(&self) -> Vec<String> {
        reasons(&self.offhours(&["poll", "--json"]))
    }

    /// Claims and slots that stand on the forge.
    pub fn claims(&self, repo: &str) -> Vec<String> {
        self.refs(repo).into_iter().filter(|r| r.starts_with("refs/offhours/")).collect()
    }

    /// Changes words of the config.
    #[track_caller]
    pub fn edit_config(&self, from: &str, to: &str) {
        let path = self.path("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in the config:\n{text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    /// Blocks until a process of the story has made this file.
    #[track_caller]
    pub fn wait_for(&self, below: &str) {
        let path = self.path(below);
        for _ in 0..1500 {
            if path.exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("{} was never made", path.display());
    }

    pub fn touch(&self, below: &str) {
        fs::write(self.path(below), "").unwrap();
    }

    /// Folders and words that differ from run to run, by names that do not.
    pub fn plain(&self, text: &str) -> String {
        let here = self.temp.path().to_str().unwrap();
        let text = text.replace(here, "<world>");
        let mut out = String::new();
        let mut word = String::new();
        for c in text.chars().chain(['\0']) {
            if c.is_ascii_alphanumeric() {
                word.push(c);
                continue;
            }
            out.push_str(&plain_word(&word));
            word.clear();
            if c != '\0' {
                out.push(c);
            }
        }
        out
    }

    /// What a story comes to: what was done, how the issue stands, what people are told.
    pub fn outcome(&self, issue: &str, told: &[String]) -> String {
        let (repo, number) = issue.split_once('#').unwrap();
        let state = if self.issue_text(repo, number.parse().unwrap()).contains("state = \"closed\"") {
            "closed"
        } else {
            "open"
        };
        let labels = self.labels(repo, number.parse().unwrap()).join(", ");
        // How many ticks a job outlives differs from run to run.
        let steady = |text: &str| -> String {
            let lines = text.lines().filter(|l| !l.contains("  already-running:"));
            lines.map(|l| timeless(l) + "\n").collect()
        };
        let told: Vec<&str> =
            told.iter().map(|t| t.strip_prefix(issue).map_or(t.as_str(), str::trim_start)).collect();
        let notices: Vec<String> =
            self.notices().iter().map(|n| n["title"].as_str().unwrap_or_default().to_owned()).collect();
        self.plain(&format!(
            "done: {}\nissue: {state} [{labels}]\nnotices: {}\n\n{}\n{}",
            told.join(", "),
            notices.join(", "),
            steady(&self.offhours(&["status"]).ok().stdout),
            steady(&self.offhours(&["why", issue]).ok().stdout),
        ))
    }
}

impl World {
    /// A pull request as `pr show` tells it, without times.
    pub fn pull(&self, pull: &str) -> String {
        let text = self.offhours(&["pr", "show", pull]).ok().stdout;
        self.plain(&text.lines().map(|l| timeless(l) + "\n").collect::<String>())
    }

    /// What a story with a pull request comes to: that one, too.
    pub fn outcome_of(&self, issue: &str, pull: &str, told: &[String]) -> String {
        format!("{}\n{}", self.outcome(issue, told), self.pull(pull))
    }

    /// A commit by a person on any branch, on top of what is there.
    pub fn person_pushes_to(&self, name: &str, branch: &str, file: &str, content: &str) {
        let clone = self.path("person");
        drop(fs::remove_dir_all(&clone));
        let bare = self.bare(name);
        let bare = bare.to_str().unwrap();
        git(self.temp.path(), &["clone", "-q", "-b", branch, bare, clone.to_str().unwrap()]);
        fs::write(clone.join(file), content).unwrap();
        git(&clone, &["add", file]);
        git(&clone, &["commit", "-q", "-m", "A person's work"]);
        git(&clone, &["push", "-q", "origin", &format!("HEAD:{branch}")]);
    }

    /// The only branch of ours that stands on the forge.
    pub fn our_branch(&self, repo: &str) -> String {
        let refs = self.refs(repo);
        let ours: Vec<&String> =
            refs.iter().filter(|r| r.starts_with("refs/heads/offhours/issue-")).collect();
        assert_eq!(ours.len(), 1, "{refs:?}");
        ours[0].trim_start_matches("refs/heads/").to_owned()
    }
}

/// Ages and moments by names.
fn timeless(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    for at in 0..words.len() {
        if words.get(at + 1) == Some(&"ago") {
            words[at] = "<age>";
        } else if words.get(at + 2) == Some(&"UTC") {
            words[at] = "<moment>";
            words.drain(at + 1..at + 3);
        }
    }
    words.join(" ")
}

/// Ids of runs and commits are not to be compared.
fn plain_word(word: &str) -> String {
    let hex = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match word.len() {
        8 if word.starts_with('r') && hex(&word[1..]) => "<run>".to_owned(),
        8 if hex(word) && word.bytes().any(|b| b.is_ascii_digit()) => "<commit>".to_owned(),
        40 if hex(word) => "<commit>".to_owned(),
        _ => word.to_owned(),
    }
}

/// Every item of an answer as `owner/name#n reason`, in the order of the names.
pub fn reasons(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let items = json.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines: Vec<String> = items
        .iter()
        .map(|i| {
            let word = |key: &str| i.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            format!("{} {}", word("issue").trim_start_matches("home:"), word("reason"))
        })
        .collect();
    lines.sort();
    lines
}

/// Ends one process that the test knows by its id.
pub fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
