//! The crash matrix: every story is ended with SIGKILL at every numbered boundary of every tick and of every
//! supervisor, goes on undisturbed, and has to end in the same world.
//!
//! A story runs once undisturbed; before each of its ticks the whole world is copied aside. A case puts one of those
//! copies back in place, ends the next tick at one boundary, and goes on until nothing moves. By default a fixed slice
//! is tried (see [`Story::every`]); `OFFHOURS_FULL_MATRIX=1` tries every boundary, and `OFFHOURS_MATRIX_ONLY=tick:7@2` or `=supervisor` only those
//! whose place begins so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rusqlite::{Connection, OpenFlags};

use super::world::{World, acted, answer, git};

/// No story takes more ticks than this, however it is disturbed.
const MAX_TICKS: usize = 80;
/// Cases of one story are shared out to so many threads in the full matrix, where one story is tried at a time. Each plays it
/// first, so that a slice is quicker with one.
const THREADS: usize = 2;

#[derive(Clone, Copy)]
struct Story {
    name: &'static str,
    set_up: fn(&World),
    /// What a person does between ticks; called before each, and does nothing twice.
    person: fn(&World),
    /// Of the boundaries, one in so many is tried unless the whole matrix is asked for.
    every: usize,
    /// What the undisturbed story comes to, so that a matrix of nothing is not taken for a success.
    outcome: &'static str,
    /// Commits made by offhours carry the time of day: their names differ from run to run.
    own_commits: bool,
}

const LANDS: Story = Story {
    name: "lands",
    set_up: set_up_lands,
    person: nobody,
    every: 15,
    outcome: "landed",
    own_commits: false,
};
const BLOCKED: Story = Story {
    name: "blocked",
    set_up: set_up_blocked,
    person: nobody,
    every: 15,
    outcome: "agent-blocked",
    own_commits: false,
};
const RED: Story = Story {
    name: "red",
    set_up: set_up_red,
    person: nobody,
    every: 47,
    outcome: "landed",
    own_commits: false,
};
const MOVED: Story = Story {
    name: "moved",
    set_up: set_up_moved,
    person: nobody,
    every: 43,
    outcome: "landed",
    own_commits: true,
};

const GREEN_PULL: Story = Story {
    name: "green-pull",
    set_up: set_up_green_pull,
    person: nobody,
    every: 37,
    outcome: "landed",
    own_commits: true,
};
const REVIEWED: Story = Story {
    name: "reviewed",
    set_up: set_up_reviewed,
    person: reviews,
    every: 131,
    outcome: "landed",
    own_commits: true,
};
const TAKEN_BACK: Story = Story {
    name: "taken-back",
    set_up: set_up_lands,
    person: takes_back,
    every: 23,
    outcome: "landed",
    own_commits: true,
};

fn nobody(_: &World) {}

/// Merged by offhours as soon as it is green.
fn set_up_green_pull(world: &World) {
    agent(world, SOLVE);
    world.configure(&["home:me/app"], "landing = \"pull-request\"\nmerge = \"when-green\"\n---\n");
}

/// Waits for a person, who asks for one more thing and then merges.
fn set_up_reviewed(world: &World) {
    agent(
        world,
        r#"
rm -f .git/index.lock .git/HEAD.lock .git/refs/heads/offhours/*.lock
case "$prompt" in *"One more."*) name="more-$number.txt" ;; *) name="done-$number.txt" ;; esac
if ! git cat-file -e "HEAD:$name" 2>/dev/null; then
    echo "solved $number" > "$name"
    git add "$name"
    git commit -q -m "Work on $number: $name"
fi
"#,
    );
    world.configure(&["home:me/app"], "landing = \"pull-request\"\n---\n");
}

/// The numbers of the pull requests there are.
fn pulls(world: &World) -> Vec<u64> {
    let folder = fs::read_dir(world.path("tracker/me/app/pulls")).into_iter().flatten();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut numbers: Vec<u64> = names.filter_map(|name| name.strip_suffix(".md")?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

fn reviews(world: &World) {
    if !world.labels("me/app", 1).contains(&"agent-review".to_owned()) {
        return;
    }
    let [number] = pulls(world)[..] else { panic!("there is one pull request: {:?}", pulls(world)) };
    let pull = format!("me/app#{number}");
    let reviewed = world.path(&format!("tracker/me/app/pulls/{number:04}.reviews")).is_dir();
    let ours = world.refs("me/app").into_iter().find(|r| r.starts_with("refs/heads/offhours/issue-"));
    let files = ours.map(|r| git(&world.bare("me/app"), &["ls-tree", "--name-only", &r])).unwrap_or_default();
    if !reviewed {
        world.offhours(&["pr", "review", &pull, "--request-changes", "-m", "One more."]).ok();
    } else if files.contains("more-1.txt") && world.pull(&pull).contains("state:   open") {
        world.offhours(&["pr", "merge", &pull]).ok();
    }
}

/// Asks once for what was landed to be taken back. The tick that follows ends what the command began.
fn takes_back(world: &World) {
    let landed = "SELECT id FROM runs WHERE phase = 'ended' AND outcome = 'landed'";
    let landed = world.state().exists() && !rows(&world.state(), landed).is_empty();
    let asked = world.path("asked");
    if landed && !asked.exists() {
        fs::write(&asked, "").unwrap();
        // Ended after its intents stand in the state file, before any of them is carried out.
        let mut command = world.command(&["revert", "me/app#1"]);
        command.env("OFFHOURS_CRASH", "tick:state.trying#1").output().unwrap();
    }
}

/// Writes down when a second agent is met in the same workspace, and waits a little, so that one whose supervisor died
/// is met alive.
fn agent(world: &World, body: &str) {
    let here = world.path("agents");
    let violations = world.path("violations");
    world.agent(&format!(
        r#"
if ! mkdir "{here}" 2>/dev/null; then
    # Of a process that is dead and not yet waited for, no command line is left.
    other=$(cat "{here}/pid" 2>/dev/null || echo none)
    alive=$(tr -d '\0' < "/proc/$other/cmdline" 2>/dev/null || true)
    case "$alive" in *agent.sh*) echo "two agents at once: $alive" >> "{violations}" ;; esac
fi
echo $$ > "{here}/pid"
echo "turn" >> "{turns}"
sleep 0.03
{body}
rm -rf "{here}"
"#,
        here = here.display(),
        violations = violations.display(),
        turns = world.path("agent-turns").display(),
    ));
}

/// What any agent has to do that goes on after one that was ended: nothing twice.
const SOLVE: &str = r#"
rm -f .git/index.lock .git/HEAD.lock .git/refs/heads/offhours/*.lock
if ! git cat-file -e "HEAD:done-$number.txt" 2>/dev/null; then
    echo "solved $number" > "done-$number.txt"
    git add "done-$number.txt"
    git commit -q -m "Solve issue $number" -m "Closes #$number"
fi
"#;

fn set_up_lands(world: &World) {
    agent(world, SOLVE);
}

fn set_up_blocked(world: &World) {
    agent(
        world,
        &format!(
            "{SOLVE}\necho left > untracked.txt\n\
             echo '{{\"outcome\": \"blocked\", \"reason\": \"the words are unclear\"}}' > \"$OFFHOURS_RESULT\""
        ),
    );
}

/// Green in verify, red in CI until the agent is told so.
fn set_up_red(world: &World) {
    agent(
        world,
        r#"
rm -f .git/index.lock .git/HEAD.lock .git/refs/heads/offhours/*.lock
case "$prompt" in
*"a flaw is here"*)
    if git cat-file -e "HEAD:flaw" 2>/dev/null; then
        git rm -q -f flaw
        git commit -q -m "Mend the flaw"
    fi ;;
*)
    if ! git cat-file -e "HEAD:done-$number.txt" 2>/dev/null; then
        echo "solved $number" > "done-$number.txt"
        echo bad > flaw
        git add "done-$number.txt" flaw
        git commit -q -m "Solve issue $number" -m "Closes #$number"
    fi ;;
esac
"#,
    );
    let ci = world.script("ci.sh", "#!/bin/sh\n[ ! -e flaw ] || { echo a flaw is here; exit 1; }\n");
    world.configure(
        &["home:me/app"],
        &format!("[[ci.stage]]\nname = \"test\"\nargv = [\"sh\", \"{}\"]\n", ci.display()),
    );
}

/// Verify is red first, and somebody else's commit lands meanwhile: fix-forward, merge, verify again, land.
fn set_up_moved(world: &World) {
    let bare = world.bare("me/app");
    let other = world.path("other-clone");
    agent(
        world,
        &format!(
            r#"
rm -f .git/index.lock .git/HEAD.lock .git/refs/heads/offhours/*.lock
if ! git --git-dir "{bare}" cat-file -e main:other.txt 2>/dev/null; then
    rm -rf "{other}"
    git clone -q "{bare}" "{other}"
    echo other > "{other}/other.txt"
    git -C "{other}" add other.txt
    git -C "{other}" -c user.name=Bob -c user.email=bob@example.test commit -q -m "Other work"
    git -C "{other}" push -q origin HEAD:main
    rm -rf "{other}"
fi
case "$prompt" in
*"red because"*)
    if git cat-file -e "HEAD:red" 2>/dev/null; then
        git rm -q -f red
        git commit -q -m "Mend"
    fi ;;
*)
    if ! git cat-file -e "HEAD:done-$number.txt" 2>/dev/null; then
        echo "solved $number" > "done-$number.txt"
        echo "red because" > red
        git add "done-$number.txt" red
        git commit -q -m "Solve issue $number" -m "Closes #$number"
    fi ;;
esac
"#,
            bare = bare.display(),
            other = other.display(),
        ),
    );
}

/// Where a process is to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kill {
    tick: usize,
    /// As `OFFHOURS_CRASH` takes it.
    at: String,
    /// What the boundary is called, for people.
    name: String,
}

impl Kill {
    fn supervisor(&self) -> bool {
        self.at.starts_with("supervisor")
    }
}

/// A story that ran undisturbed, and what is needed to run it again from any of its ticks.
struct Played {
    story: Story,
    world: World,
    before: Vec<PathBuf>,
    boundaries: Vec<Kill>,
    end: Picture,
    _aside: tempfile::TempDir,
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

fn copy_into(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    copy(&from.join("."), to);
}

fn put_back(from: &Path, world: &World) {
    world.clear();
    copy_into(from, &world.path(""));
}

/// One tick, perhaps ended. Returns what it acted on; nothing where it was ended.
fn tick(world: &World, crash: Option<&str>, log: Option<&Path>) -> Vec<String> {
    let mut command = world.command(&["tick", "--json"]);
    if let Some(at) = crash {
        command.env("OFFHOURS_CRASH", at);
    }
    if let Some(log) = log {
        command.env("OFFHOURS_BOUNDARY_LOG", log);
    }
    let answered = answer(&command.output().unwrap());
    if answered.stdout.is_empty() { vec![] } else { acted(&answered) }
}

/// Whether a tick that did nothing was the last one needed: no run is in flight and no notice is on its way.
fn at_rest(world: &World) -> bool {
    let open = "SELECT id FROM runs WHERE phase <> 'ended' UNION ALL SELECT key FROM outbox WHERE state = 'pending' \
         UNION ALL SELECT key FROM intents WHERE state = 'pending' \
         UNION ALL SELECT repo FROM holds WHERE kind = 'watched'";
    rows(&world.state(), open).is_empty()
}

/// Ticks until nothing moves any more.
fn to_rest(world: &World, story: Story) {
    to_rest_with(world, story, &|_| None);
}

/// The same, with every tick ended where `crash` says.
fn to_rest_with(world: &World, story: Story, crash: &dyn Fn(usize) -> Option<&'static str>) {
    for at in 0..MAX_TICKS {
        (story.person)(world);
        let nothing = tick(world, crash(at), None).is_empty();
        world.jobs_end();
        world.advance(60);
        if nothing && at_rest(world) {
            // Nothing moves, unless a person has something to say now.
            (story.person)(world);
            if at_rest(world) {
                return;
            }
        }
    }
    let open = "SELECT id || ' ' || phase || ' ' || COALESCE(wait, '') FROM runs";
    let told = world.offhours(&["tick", "--json"]).stdout;
    panic!("it never came to rest: {}\n{told}", rows(&world.state(), open));
}

fn play(story: Story) -> Played {
    let world = World::in_memory();
    (story.set_up)(&world);
    world.ready("me/app", "Write a file", &[]);
    let aside = tempfile::tempdir_in(world.path("").parent().unwrap()).unwrap();
    let (mut before, mut boundaries, mut rest) = (vec![], vec![], false);
    while !rest {
        let at = before.len();
        assert!(at < MAX_TICKS, "{}: never came to rest", story.name);
        (story.person)(&world);
        let kept = aside.path().join(format!("before-{at}"));
        copy_into(&world.path(""), &kept);
        before.push(kept);
        let log = aside.path().join(format!("log-{at}"));
        let nothing = tick(&world, None, Some(&log)).is_empty();
        world.jobs_end();
        world.advance(60);
        rest = nothing && at_rest(&world);
        for line in fs::read_to_string(&log).unwrap().lines() {
            let (place, name) = line.split_once(' ').unwrap();
            let kill = Kill { tick: at, at: place.to_owned(), name: name.to_owned() };
            if !boundaries.contains(&kill) {
                boundaries.push(kill);
            }
        }
    }
    let end = Picture::of(&world, story);
    assert!(end.parts["runs"].contains(&format!("outcome={}", story.outcome)), "{end:#?}");
    Played { story, world, before, boundaries, end, _aside: aside }
}

/// Everything that can be seen of a world, as words that do not depend on time and chance.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Picture {
    parts: BTreeMap<&'static str, String>,
}

impl Picture {
    fn of(world: &World, story: Story) -> Self {
        let mut parts = BTreeMap::new();
        let issues = world.path("tracker/me/app/issues");
        parts.insert("issues", tree(&issues));
        // As the forge tells it: what the repository says of a merge need not stand in the file.
        let pulls = pulls(world);
        parts.insert("pulls", pulls.iter().map(|n| world.pull(&format!("me/app#{n}"))).collect());
        let refs = git(&world.bare("me/app"), &["for-each-ref", "--format=%(refname) %(tree) %(objectname)"]);
        parts.insert("refs", refs);
        parts.insert("log", git(&world.bare("me/app"), &["log", "--format=%s", "main"]));
        let files = git(&world.bare("me/app"), &["ls-tree", "-r", "main"]);
        parts.insert("files", files);
        for (name, query) in QUERIES {
            parts.insert(name, rows(&world.state(), query));
        }
        parts.insert("notices", notices(world));
        parts.insert("work", names(&world.path("one/work"), 5));
        parts.insert("salvage", names(&world.path("one/salvage"), 6));
        parts.insert("processes", world.processes().join("\n"));
        let turns = fs::read_to_string(world.path("agent-turns")).unwrap_or_default();
        parts.insert("agent-turns", turns);
        parts.insert("violations", fs::read_to_string(world.path("violations")).unwrap_or_default());
        let ids = ids(&world.state());
        let place = world.path("").display().to_string();
        for text in parts.values_mut() {
            for (id, word) in &ids {
                *text = text.replace(id, word);
            }
            // A number that was taken right before the end is not given again: the next one is as good.
            if let [number @ 3..10] = pulls[..] {
                for with in ["#%", "#\u{2060}%", ":pull:% ", "refs/pull/%/", "/000%."] {
                    let of = |number: u64| with.replace('%', &number.to_string());
                    *text = text.replace(&of(number), &of(2));
                }
            }
            *text = plain(&text.replace(place.trim_end_matches('/'), "WORLD"), story.own_commits);
        }
        Self { parts }
    }

    /// What differs, in words.
    fn against(&self, other: &Self) -> String {
        let mut text = String::new();
        for (name, was) in &self.parts {
            let is = &other.parts[name];
            if was != is {
                let (was, is): (Vec<&str>, Vec<&str>) = (was.lines().collect(), is.lines().collect());
                writeln!(text, "  {name}:").unwrap();
                for line in was.iter().filter(|l| !is.contains(l)) {
                    writeln!(text, "    - {line}").unwrap();
                }
                for line in is.iter().filter(|l| !was.contains(l)) {
                    writeln!(text, "    + {line}").unwrap();
                }
                if was.len() != is.len() {
                    writeln!(text, "    {} lines became {}", was.len(), is.len()).unwrap();
                }
            }
        }
        text
    }

    fn without(&self, names: &[&str]) -> Self {
        let mut parts = self.parts.clone();
        parts.retain(|name, _| !names.contains(name));
        Self { parts }
    }
}

/// What of the state file has to be the same, however a story was disturbed. Times are not in it.
const QUERIES: [(&str, &str); 10] = [
    (
        "runs",
        "SELECT 'run ' || id || ' #' || number || ' attempt=' || attempt || ' phase=' || phase || ' outcome=' || \
         COALESCE(outcome, '') || ' turns=' || turns || ' fix_forward=' || fix_forward || ' verifies=' || verifies || \
         ' conflict_tries=' || conflict_tries || ' reruns=' || reruns || ' pushed=' || COALESCE(pushed, '') || \
         ' turn_head=' || turn_head || ' claim=' || (claim IS NOT NULL) || ' comment=' || COALESCE(comment_id, '') || \
         ' end_comment=' || COALESCE(end_comment_id, '') || ' salvage=' || COALESCE(salvage, '') || ' last_fix=' || \
         COALESCE(last_fix, '') || ' conflict=' || COALESCE(conflict, '') || COALESCE(push_refused, '') \
         FROM runs ORDER BY created_at, rowid",
    ),
    (
        "turns",
        "SELECT turn || ' ' || kind || ' ' || COALESCE(ending, 'open') || ' ' || COALESCE(detail, '') || \
         ' cost=' || COALESCE(cost_usd, '') FROM turns ORDER BY run, turn",
    ),
    ("intents", "SELECT replace(key, char(10), ' ') || ' ' || state FROM intents ORDER BY run, key"),
    ("pending", "SELECT key FROM intents WHERE state = 'pending'"),
    (
        "outbox",
        "SELECT key || ' ' || notifier || ' ' || kind || ' ' || state || ' ' || title || ' ' || body FROM outbox ORDER BY key",
    ),
    ("events", "SELECT key || ' ' || kind || ' ' || data FROM events ORDER BY key"),
    ("holds", "SELECT repo || ' ' || kind FROM holds UNION ALL SELECT 'park ' || account || kind FROM parks"),
    ("backoffs", "SELECT repo || number || ' ' || failures FROM backoffs"),
    (
        "alarms",
        "SELECT 'alarm ' || cause FROM alarms UNION ALL SELECT 'outage ' || subject FROM outages UNION ALL SELECT 'starts ' || account FROM start_failures",
    ),
    (
        "ledger",
        "SELECT DISTINCT number || ' ' || reason FROM ledger WHERE reason <> 'already-running' ORDER BY number, id",
    ),
];

fn rows(state: &Path, query: &str) -> String {
    let conn = Connection::open_with_flags(state, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let mut statement = conn.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|r| r.unwrap() + "\n").collect()
}

/// Names that chance chose, and what stands for them.
fn ids(state: &Path) -> Vec<(String, String)> {
    let runs = rows(state, "SELECT id FROM runs ORDER BY created_at, rowid");
    let mut found: Vec<(String, String)> =
        runs.lines().zip(1..).map(|(id, n)| (id.to_owned(), format!("RUN{n}"))).collect();
    let installation = rows(state, "SELECT value FROM meta WHERE key = 'installation'");
    found.push((installation.trim().to_owned(), "INSTALLATION".to_owned()));
    found
}

/// Times become a word; so do names of commits where they depend on the time.
fn plain(text: &str, commits: bool) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let close = |word: &mut String, out: &mut String| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let time = word.starts_with("2026-0") && word.len() >= 10;
        let hex = word.len() >= 7 && digits > 0 && word.chars().all(|c| c.is_ascii_hexdigit());
        if time {
            out.push_str("TIME");
        } else if hex && commits {
            out.push_str("COMMIT");
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || (c == '-' || c == ':') && word.starts_with("2026") {
            word.push(c);
        } else {
            close(&mut word, &mut out);
            out.push(c);
        }
    }
    close(&mut word, &mut out);
    out
}

/// Every file below a folder with what is in it.
fn tree(root: &Path) -> String {
    let mut text = String::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(root).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            writeln!(text, "{name}/\n{}", tree(&path)).unwrap();
        } else if name != ".lock" && name != ".offhours.tmp" {
            // The second is an unfinished write: hidden, and its name is taken again by the next one.
            let content = fs::read_to_string(&path).unwrap();
            for line in content.lines() {
                writeln!(text, "{name}: {line}").unwrap();
            }
        }
    }
    text
}

/// Names below a folder, so deep.
fn names(root: &Path, depth: usize) -> String {
    let mut text = String::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(root).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        writeln!(text, "{}", path.display()).unwrap();
        if path.is_dir() && depth > 1 {
            text.push_str(&names(&path, depth - 1));
        }
    }
    text
}

/// The notices that arrived, without repeats that say that they may be one. Any other repeat stays in.
fn notices(world: &World) -> String {
    let mut seen: Vec<String> = vec![];
    for notice in world.notices() {
        let mut told = notice.clone();
        let repeat = told.as_object_mut().unwrap().remove("possible_repeat").unwrap();
        let line = told.to_string();
        if repeat == serde_json::Value::Bool(false) || !seen.contains(&line) {
            seen.push(line);
        }
    }
    seen.join("\n")
}

impl Played {
    /// What is wrong after this kill, in words; nothing where all is well.
    fn case(&self, kill: &Kill) -> Option<String> {
        put_back(&self.before[kill.tick], &self.world);
        // With a log, only one supervisor of this tick is ended: it may start another one in its place.
        tick(&self.world, Some(&kill.at), Some(&self.world.path("log")));
        self.world.jobs_end();
        self.world.advance(60);
        to_rest(&self.world, self.story);
        let end = Picture::of(&self.world, self.story);
        let wrong = if kill.supervisor() { self.after_supervisor(&end) } else { self.end.against(&end) };
        let place = format!("{}: tick {} at {} ({})", self.story.name, kill.tick, kill.at, kill.name);
        (!wrong.is_empty()).then(|| format!("{place}\n{wrong}"))
    }

    /// A supervisor that died costs an attempt: one more turn may have been taken, and is told of. The rest is as it was.
    fn after_supervisor(&self, end: &Picture) -> String {
        // These tell of the turn that was ended.
        let told =
            ["runs", "turns", "intents", "events", "agent-turns", "issues", "pulls", "outbox", "notices"];
        let mut wrong = self.end.without(&told).against(&end.without(&told));
        let count = |picture: &Picture, part: &str| picture.parts[part].lines().count();
        for part in ["turns", "agent-turns"] {
            let (was, is) = (count(&self.end, part), count(end, part));
            if is > was + 1 || is + 1 < was {
                writeln!(wrong, "  {part}: {was} became {is}").unwrap();
            }
        }
        for part in ["runs", "notices", "outbox"] {
            let (was, is) = (count(&self.end, part), count(end, part));
            if was != is {
                writeln!(wrong, "  {part}: {was} became {is}: {}", end.parts[part]).unwrap();
            }
        }
        let outcome = format!("outcome={}", self.story.outcome);
        if !end.parts["runs"].contains(&outcome) {
            writeln!(wrong, "  runs: {}", end.parts["runs"]).unwrap();
        }
        let heads = |picture: &Picture| {
            let lines = picture.parts["issues"].lines();
            let keep = |l: &&str| {
                let word = l.split_once(": ").map_or(*l, |(_, rest)| rest);
                l.ends_with('/') || ["labels", "state", "label ="].iter().any(|w| word.starts_with(w))
            };
            lines.filter(keep).map(str::to_owned).collect::<Vec<_>>()
        };
        if heads(&self.end) != heads(end) {
            writeln!(wrong, "  issues: {} became {}", heads(&self.end).join("\n"), heads(end).join("\n"))
                .unwrap();
        }
        let comments = |p: &Picture| p.parts["issues"].matches("<!-- offhours").count();
        if comments(&self.end) != comments(end) || comments(end) != 2 {
            writeln!(wrong, "  comments: {}", end.parts["issues"]).unwrap();
        }
        wrong
    }
}

/// Nothing outside changes at these, so being ended there is being ended at the boundary before. Only the full matrix
/// tries them.
const READS: [&str; 10] = [
    "local forge: read",
    "local forge: list",
    "git.ls-remote",
    "git.rev-parse",
    "git.rev-list",
    "git.merge-base",
    "git.cat-file",
    "git.diff-tree",
    "git.log",
    "git.patch-id",
];

/// One whole matrix at a time: each uses all cores.
static TURN: Mutex<()> = Mutex::new(());

/// Tries the boundaries of a story; panics with every case that ended in another world.
fn matrix(story: Story) {
    let full = std::env::var_os("OFFHOURS_FULL_MATRIX").is_some();
    let _turn = full.then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner));
    let (every, threads) = if full { (1, THREADS) } else { (story.every, 1) };
    let only = std::env::var("OFFHOURS_MATRIX_ONLY").ok();
    let share = move |mine: usize| {
        let played = play(story);
        let mut tried = 0;
        let mut wrong = vec![];
        for (at, kill) in played.boundaries.iter().enumerate() {
            let asked = only.as_ref().is_none_or(|o| format!("{}@{}", kill.at, kill.tick).starts_with(o));
            if at % every == 0
                && at / every % threads == mine
                && asked
                && (full || !READS.contains(&&*kill.name))
            {
                tried += 1;
                wrong.extend(played.case(kill));
            }
        }
        (tried, played.boundaries.len(), wrong)
    };
    let started = std::time::Instant::now();
    let shares: Vec<_> = (0..threads)
        .map(|mine| {
            let share = share.clone();
            thread::spawn(move || share(mine))
        })
        .collect();
    let (mut tried, mut all, mut wrong) = (0, 0, vec![]);
    for thread in shares {
        let (n, of, found) = thread.join().unwrap();
        tried += n;
        all = of;
        wrong.extend(found);
    }
    println!("{}: {tried} of {all} boundaries in {} s", story.name, started.elapsed().as_secs());
    assert!(wrong.is_empty(), "{} of {tried} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_landing_survives_every_kill() {
    matrix(LANDS);
}

#[test]
fn a_hand_back_survives_every_kill() {
    matrix(BLOCKED);
}

#[test]
fn a_fix_forward_survives_every_kill() {
    matrix(RED);
}

#[test]
fn a_merge_survives_every_kill() {
    matrix(MOVED);
}

#[test]
fn a_pull_request_merged_when_green_survives_every_kill() {
    matrix(GREEN_PULL);
}

#[test]
fn a_review_survives_every_kill() {
    matrix(REVIEWED);
}

#[test]
fn a_change_taken_back_survives_every_kill() {
    matrix(TAKEN_BACK);
}

/// Ends every tick right before an effect's outcome is recorded: the next one performs that effect again, records it,
/// and is ended after the effect that follows. So each effect is performed exactly twice.
#[test]
fn every_effect_performed_twice_changes_nothing() {
    for story in [LANDS, BLOCKED, RED, MOVED, GREEN_PULL] {
        let played = play(story);
        put_back(&played.before[0], &played.world);
        to_rest_with(&played.world, story, &|at| {
            Some(if at == 0 { "tick:state.settle#1" } else { "tick:state.settle#3" })
        });
        // A boundary stands before and after each commit, so the third is the one before the second effect's.
        let tries = rows(
            &played.world.state(),
            "SELECT kind || ' ' || tries FROM intents WHERE state <> 'cancelled'",
        );
        assert!(tries.lines().all(|n| n.ends_with(" 2")), "{}: {tries}", story.name);
        let wrong = played.end.against(&Picture::of(&played.world, story));
        assert!(wrong.is_empty(), "{}:\n{wrong}", story.name);
    }
}

/// `tick`, `watch` and `poll` started together, every time: the lock and the claim let one of them act.
#[test]
fn commands_at_the_same_time_act_once() {
    let played = play(LANDS);
    let world = &played.world;
    put_back(&played.before[0], world);
    for _ in 0..MAX_TICKS {
        let children: Vec<_> =
            [["tick", "--json"], ["watch", "--json"], ["poll", "--json"], ["tick", "--json"]]
                .iter()
                .map(|args| world.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
                .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        world.jobs_end();
        world.advance(60);
        if at_rest(world) && !rows(&world.state(), "SELECT id FROM runs").is_empty() {
            break;
        }
    }
    let wrong = played.end.against(&Picture::of(world, LANDS));
    assert!(wrong.is_empty(), "{wrong}");
}

fn keys_sent(world: &World) -> Vec<String> {
    world.notices().iter().map(|n| n["key"].as_str().unwrap().to_owned()).collect()
}

fn repeats(world: &World) -> Vec<String> {
    let mut keys = keys_sent(world);
    keys.sort();
    let mut twice: Vec<String> = keys.windows(2).filter(|p| p[0] == p[1]).map(|p| p[0].clone()).collect();
    twice.dedup();
    twice
}

/// The state file is deleted between any two ticks: a run in flight is gone on with from the record beside its work, to
/// the same end; nothing is started, said or sent a second time, and nothing that is over begins again.
#[test]
fn a_deleted_state_file_loses_no_run() {
    for story in [LANDS, RED, REVIEWED] {
        let played = play(story);
        let world = &played.world;
        let mut wrong = String::new();
        for (at, before) in played.before.iter().enumerate().skip(1) {
            put_back(before, world);
            let in_flight = world.refs("me/app").iter().any(|r| r.ends_with("claim/1"));
            world.lose_state();
            let (comments, sent, refs) =
                (world.comments("me/app", 1), keys_sent(world), world.refs("me/app"));
            to_rest(world, story);
            let end = Picture::of(world, story);
            let mut parts = vec!["agent-turns", "violations", "files", "processes", "work"];
            if in_flight {
                parts.extend([
                    "log", "refs", "issues", "pulls", "notices", "turns", "intents", "runs", "pending",
                ]);
            } else {
                // It is over: there is nothing more to say of it.
                assert_eq!(world.comments("me/app", 1), comments, "{} before tick {at}", story.name);
                assert_eq!(keys_sent(world), sent, "{} before tick {at}", story.name);
                assert_eq!(world.refs("me/app"), refs, "{} before tick {at}", story.name);
            }
            let only = |p: &Picture| Picture {
                parts: parts.iter().map(|part| (*part, p.parts[part].clone())).collect(),
            };
            let found = only(&played.end).against(&only(&end));
            if !found.is_empty() {
                writeln!(wrong, "{}: before tick {at}\n{found}", story.name).unwrap();
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// A record that cannot be used, because another offhours, machine or state file wrote it or because it is damaged,
/// starts nothing: the claim keeps the issue, people are told once where the work lies, and can free it.
#[test]
fn a_run_that_cannot_be_taken_up_is_told_and_stays_claimed() {
    let played = play(LANDS);
    let world = &played.world;
    for (from, to, why) in [
        ("\"schema\":2", "\"schema\":1", "another version of offhours wrote it"),
        ("\"machine\":\"", "\"machine\":\"not-", "it is of another machine"),
        ("/state.db\"", "/other.db\"", "it is of another state file"),
        ("\"issue\":\"home:me/app#1", "\"issue\":\"home:me/lib#1", "its folder was moved"),
        ("\\\"phase\\\":\\\"active", "\\\"phase\\\":\\\"asleep", "its record cannot be used"),
        ("\\\"attempt\\\":1", "\\\"attempt\\\":\\\"x\\\"", "its record cannot be used"),
        ("\"record\":\"{", "\"record\":\"[", "its record cannot be used"),
        ("\\\"claim\\\":\\\"", "\\\"claim\\\":\\\"0000000", "its record cannot be used"),
    ] {
        put_back(&played.before[1], world);
        let folders = world.path("one/work/home/me/app");
        let folder = fs::read_dir(&folders).unwrap().next().unwrap().unwrap().path();
        let marker = fs::read_to_string(folder.join("run.json")).unwrap();
        assert!(marker.contains(from), "{from}: {marker}");
        fs::write(folder.join("run.json"), marker.replacen(from, to, 1)).unwrap();
        let turns = fs::read_to_string(world.path("agent-turns")).unwrap();
        let (comments, sent) = (world.comments("me/app", 1), keys_sent(world));
        world.lose_state();
        let said = world.offhours(&["tick"]).stderr;
        assert!(said.contains(why), "{why}: {said}");
        let screen = world.offhours(&["status"]).stdout.replace("\n    ", " ");
        assert!(screen.contains("left behind by a state file"), "{why}: {screen}");
        for _ in 0..3 {
            tick(world, None, None);
            world.jobs_end();
            world.advance(60);
        }
        assert_eq!(fs::read_to_string(world.path("agent-turns")).unwrap(), turns, "{why}");
        assert_eq!(world.comments("me/app", 1), comments, "{why}");
        // People are told of the work that was left behind, once, and of nothing that they were told before.
        let mut told = keys_sent(world).split_off(sent.len());
        assert!(told.iter().any(|key| key.starts_with("left-behind:")), "{why}: {told:?}");
        told.retain(|key| !key.starts_with("left-behind:"));
        assert_eq!(told, Vec::<String>::new(), "{why}");
        assert_eq!(repeats(world), Vec::<String>::new(), "{why}");
        assert_eq!(world.reason("me/app#1"), "claimed", "{why}");
        world.offhours(&["run", "release", "me/app#1"]).ok();
        assert_eq!(world.refs("me/app"), ["refs/heads/main"], "{why}");
    }
    to_rest(world, LANDS);
    assert_eq!(fs::read_to_string(world.path("agent-turns")).unwrap().lines().count(), 2);
    // Somebody released its claim, and may have given the issue to another machine.
    put_back(&played.before[1], world);
    for name in world.refs("me/app").iter().filter(|name| name.starts_with("refs/offhours/")) {
        git(&world.bare("me/app"), &["update-ref", "-d", name]);
    }
    world.lose_state();
    let said = world.offhours(&["tick"]).stderr;
    assert!(said.contains("its claim is not there any more"), "{said}");
    world.jobs_end();
    for _ in 0..3 {
        assert_eq!(tick(world, None, None), Vec::<String>::new());
    }
    assert_eq!(fs::read_to_string(world.path("agent-turns")).unwrap().lines().count(), 1);
}

/// A state file from before, put back at every later time: nothing is started, said or sent a second time, and it comes
/// to rest.
#[test]
fn an_older_state_file_repeats_nothing() {
    for story in [LANDS, BLOCKED] {
        let played = play(story);
        let world = &played.world;
        let mut wrong = String::new();
        let label_and_state = |world: &World| {
            (world.labels("me/app", 1), world.issue_text("me/app", 1).contains("state = \"closed\""))
        };
        let wanted = label_and_state(world);
        for later in 2..played.before.len() {
            for older in 1..later {
                put_back(&played.before[later], world);
                world.lose_state();
                for suffix in ["", "-wal", "-shm"] {
                    let name = format!("one/state.db{suffix}");
                    let kept = played.before[older].join(&name);
                    if kept.exists() {
                        fs::copy(kept, world.path(&name)).unwrap();
                    }
                }
                to_rest(world, LANDS);
                let end = Picture::of(world, story);
                let parts = ["agent-turns", "violations", "files", "log", "processes", "work", "pending"];
                let only = |p: &Picture| Picture {
                    parts: parts.iter().map(|part| (*part, p.parts[part].clone())).collect(),
                };
                let mut found = only(&played.end).against(&only(&end));
                // The receipt may say that somebody else put the work there: the copy does not know of its own push.
                if label_and_state(world) != wanted {
                    writeln!(found, "  issue: {}", world.issue_text("me/app", 1)).unwrap();
                }
                let comments = world.comments("me/app", 1);
                if comments.len() != 2 {
                    writeln!(found, "  comments: {}", comments.join("\n")).unwrap();
                }
                if !repeats(world).is_empty() {
                    writeln!(found, "  sent twice: {}", repeats(world).join(" ")).unwrap();
                }
                if keys_sent(world).len() != 1 {
                    writeln!(found, "  sent: {}", keys_sent(world).join(" ")).unwrap();
                }
                if !found.is_empty() {
                    writeln!(wrong, "{}: before tick {later}, as before tick {older}\n{found}", story.name)
                        .unwrap();
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }
}
