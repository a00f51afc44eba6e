//! The report over a year of history, in a browser: nothing is asked of the network, nothing is said on the console, and
//! nothing is wider than the screen. Where `OFFHOURS_SHOTS` names a folder, the pictures are left there to be looked at.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::{Connection, params};

use super::world::{START, World};

const DAY: i64 = 86_400;

/// A year, made from one real run: copies of its row that differ in time, repo, version, end and cost.
fn year(world: &World) {
    world.ready("me/app", "Lands", &[]);
    world.until_idle();
    let db = Connection::open(world.state()).unwrap();
    let mut columns = db.prepare("SELECT name FROM pragma_table_info('runs')").unwrap();
    let columns: Vec<String> = columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let ends = ["landed", "landed", "nothing-done", "landed", "landed", "same-failure", "landed", "conflict"];
    let copy = |id: &str, repo: &str, template: &str, end: &str, at: i64, took: i64, cost: f64| {
        let values: Vec<String> = columns
            .iter()
            .map(|name| match name.as_str() {
                "id" => format!("'{id}'"),
                "repo" => format!("'{repo}'"),
                "template" => format!("'{template}'"),
                "outcome" => format!("'{end}'"),
                "created_at" => at.to_string(),
                "ended_at" => (at + took).to_string(),
                other => other.to_owned(),
            })
            .collect();
        let text = format!(
            "INSERT INTO runs ({}) SELECT {} FROM runs WHERE rowid = 1",
            columns.join(","),
            values.join(",")
        );
        assert_eq!(db.execute(&text, []).unwrap(), 1);
        db.execute(
            "INSERT INTO turns (run, turn, kind, started_at, ended_at, cost_usd) VALUES (?1, 1, 'implement', ?2, ?2, ?3)",
            params![id, at, cost],
        )
        .unwrap();
    };
    db.execute_batch("BEGIN").unwrap();
    db.execute(
        "INSERT INTO templates (name, version, hash, body, origin, state, created_at, changed_at) \
         SELECT name, 2, 'second', body, origin, 'candidate', created_at, changed_at FROM templates WHERE version = 1",
        [],
    )
    .unwrap();
    for (n, id, verdict) in [(0, "c1", Some("rolled_back")), (1, "c2", Some("graduated")), (2, "c3", None)] {
        db.execute(
            "INSERT INTO canaries SELECT ?1, 'implementer', a.id, b.id, 0.35, 5, 100, 0.1, 0.05, 0.1, 8.0, 10.0, ?2, ?3, ?4, ?5 \
             FROM templates a, templates b WHERE a.version = 2 AND b.version = 1",
            params![
                id,
                START - (300 - n * 120) * DAY,
                verdict.map(|_| START - (220 - n * 120) * DAY),
                verdict,
                verdict.map(|_| "after 31 runs the bound was reached")
            ],
        )
        .unwrap();
    }
    for n in 0..700_i64 {
        let at = START - 360 * DAY + n * 44_000 + (n * n) % 3600;
        let id = format!("r{n:07x}");
        let end = ends[usize::try_from((n * 7 + n / 3) % 8).unwrap()];
        let repo = ["home:me/app", "home:me/library-with-a-long-name", "home:team/site"]
            [usize::try_from(n % 3).unwrap()];
        let cost = 0.4 + f64::from(u32::try_from(n % 17).unwrap()) * 0.21;
        copy(&id, repo, &format!("implementer@{}", 1 + n / 400), end, at, 900 + (n * 131) % 9000, cost);
        let canary = match n {
            100..200 => "c1",
            300..400 => "c2",
            600..640 => "c3",
            _ => continue,
        };
        let tried = n % 3 == 0;
        let good = match (tried, canary) {
            (true, "c1") => n % 4 == 0,
            (true, "c2") => true,
            _ => n % 9 != 0,
        };
        db.execute(
            "INSERT INTO outcomes (run, source, template, canary, arm, subject, dispatched_at, state, score, why, first_seen_at, changed_at) \
             SELECT ?1, 'run', id, ?2, ?3, ?4, ?5, 'resolved', ?6, 'landed', ?5, ?5 FROM templates WHERE version = ?7",
            params![
                id,
                canary,
                if tried { "canary" } else { "champion" },
                format!("{repo}#{n}"),
                at,
                if good { 1.0 } else { 0.0 },
                if tried { 2 } else { 1 }
            ],
        )
        .unwrap();
    }
    for week in 0..20_i64 {
        let summary = format!(
            r#"{{"batch":{week},"recipes":[{{"recipe":"blog","version":"1.{week}.0","result":"green","line":"a pull request waits for you"}},{{"recipe":"forum","version":"3.{week}","result":"red","line":"the tests <b>failed</b>"}}]}}"#
        );
        db.execute(
            "INSERT INTO upgrade_batches (state, with_tests, scheduled, started_at, progress_at, ended_at, summary_json) VALUES ('done', 0, 1, ?1, ?1, ?1, ?2)",
            params![START - (150 - week * 7) * DAY, summary],
        )
        .unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
}

/// Lessons that a person wrote down.
fn lessons(world: &World) {
    for (n, kind) in
        ["slow_tests", "slow_tests", "no_fixture", "slow_tests", "wrong_branch"].iter().enumerate()
    {
        let repo = ["me/app", "me/app", "me/library-with-a-long-name"][n % 3];
        let suggestion =
            format!("Run only the tests of what you change <b>({n})</b>, and the rest once at the end");
        world.offhours(&["lessons", "add", "--type", kind, "--repo", repo, "--suggestion", &suggestion]).ok();
    }
}

/// The browser, where there is one.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|dir| ["chromium", "chromium-browser", "google-chrome"].map(|name| dir.join(name)))
        .find(|file| file.is_file())
}

/// Runs the browser on a page; what it printed.
fn look(browser: &Path, world: &World, page: &Path, args: &[&str]) -> (String, String) {
    let out = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--log-level=0"])
        .arg(format!("--user-data-dir={}", world.path("browser").display()))
        .args(args)
        .arg(format!("file://{}", page.display()))
        .env("HOME", world.path("home"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    (String::from_utf8_lossy(&out.stdout).into_owned(), String::from_utf8_lossy(&out.stderr).into_owned())
}

#[test]
fn a_year_of_history_reads_well_in_a_browser() {
    let world = World::in_memory();
    year(&world);
    lessons(&world);
    world.offhours(&["report", "--html", "page.html"]).ok();
    let page = world.path("page.html");
    let text = fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("class=\"bound ").count(), 6, "three canaries, two bounds each");
    assert!(
        text.contains("c1: implementer@2 against implementer@1")
            && text.contains("rolled back: after 31 runs")
    );
    assert!(text.contains("<td>blog</td><td>1.19.0</td><td>green</td>") && !text.contains("<b>failed"));
    assert!(
        text.contains("slow_tests: 3 written down") && text.contains("you change &lt;b&gt;(3)"),
        "{text}"
    );
    for word in ["http://", "https://", "<script", "src="] {
        assert!(!text.contains(word), "{word}");
    }
    let Some(browser) = browser() else {
        drop(std::io::stderr().write_all(b"skipped: no chromium on PATH, so the page is not looked at\n"));
        return;
    };
    // As written the page runs no script. A copy that may is asked how wide it is and whether anything sticks out.
    let probe = "<script>onload=()=>{const w=document.documentElement;let out=[];for(const e of document.querySelectorAll('body *'))\
        {if(!e.closest('.wide')&&e.getBoundingClientRect().right>innerWidth+1)out.push(e.tagName)};\
        document.title='wide:'+(w.scrollWidth<=innerWidth)+' out:'+out.join(',')}</script></body>";
    let probed = world.path("probed.html");
    let open = text.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'");
    fs::write(&probed, open.replace("</body>", probe)).unwrap();
    let shots = std::env::var_os("OFFHOURS_SHOTS").map_or_else(|| world.path("shots"), PathBuf::from);
    fs::create_dir_all(&shots).unwrap();
    for (size, width) in [("1280,900", "wide"), ("500,900", "narrow")] {
        let (dom, said) = look(&browser, &world, &probed, &["--dump-dom", &format!("--window-size={size}")]);
        assert!(dom.contains("<title>wide:true out:</title>"), "{width}: {:?}", dom.split("</title>").next());
        assert!(!said.contains("CONSOLE"), "{said}");
    }
    // The pictures: a test of every width and light takes a while, and is for eyes.
    if std::env::var_os("OFFHOURS_SHOTS").is_some() {
        for (size, width) in [("1280,4200", "wide"), ("500,6200", "narrow")] {
            for (light, settings) in [("light", "0"), ("dark", "1")] {
                let shot = shots.join(format!("report-{width}-{light}.png"));
                // The scheme is forced in a copy: headless has no setting for it.
                let scheme = if settings == "1" { "all" } else { "not all" };
                let copy = world.path("shot.html");
                fs::write(&copy, text.replace("(prefers-color-scheme: dark)", scheme)).unwrap();
                let (_, said) = look(
                    &browser,
                    &world,
                    &copy,
                    &[&format!("--screenshot={}", shot.display()), &format!("--window-size={size}")],
                );
                assert!(!said.contains("CONSOLE"), "{said}");
                assert!(fs::metadata(&shot).unwrap().len() > 20_000);
            }
        }
    }
}
