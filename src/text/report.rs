//! The look back as one page: what was run, what became of it, how long it took, what it cost. Pure: rows in, HTML out.
//! The page asks the network for nothing and runs no script; every word from outside is escaped.

mod draw;
mod evidence;
mod lessons;
mod look;

pub use look::{Look, Past, Tried, Upgraded};

use std::collections::BTreeMap;

use crate::domain::model::{Freeze, Outcome, UnixTime};
use crate::domain::moment::{format_duration, format_time};
use draw::{HEIGHT, LEFT, TOP, WIDTH, float, html, put, size};

/// The three ends that people tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Landed,
    Back,
    Frozen,
}

const ENDS: [(End, &str, &str); 3] =
    [(End::Landed, "landed", "a"), (End::Back, "handed back", "b"), (End::Frozen, "frozen", "c")];

impl Past {
    fn end(&self) -> Option<End> {
        Some(match self.outcome? {
            Outcome::Landed => End::Landed,
            Outcome::Frozen(
                Freeze::SameFailure
                | Freeze::TurnsUsed
                | Freeze::TimeUsed
                | Freeze::CorrectiveTurnFailed
                | Freeze::BudgetUsed,
            ) => End::Frozen,
            Outcome::HandedBack(_)
            | Outcome::Withdrawn
            | Outcome::Stopped
            | Outcome::ClaimLost
            | Outcome::NotStarted => End::Back,
        })
    }

    /// Ends at which nothing was done say nothing about the work.
    fn did_nothing(&self) -> bool {
        matches!(self.outcome, Some(Outcome::ClaimLost | Outcome::NotStarted))
    }

    fn lead(&self) -> Option<i64> {
        (self.end() == Some(End::Landed)).then(|| self.ended_at.map(|at| at.since(self.created_at)))?
    }
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5c636b; --line: #d9dde2; --page: #ffffff; --card: #f5f6f8;
  --a: #2563c9; --b: #d97706; --c: #7c6f9c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #9aa2ab; --line: #363b42; --page: #14161a; --card: #1d2026;
  --a: #6ea8fe; --b: #f0a54a; --c: #b3a4d6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 4rem; max-width: 62rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
p, .soft { color: var(--soft); margin: .2rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .6rem; margin-top: 1.2rem; }
.tile { background: var(--card); border-radius: .5rem; padding: .7rem .8rem; }
.tile b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 34rem; height: auto; }
svg text { fill: var(--soft); font-size: 11px; } .axis { stroke: var(--line); stroke-width: 1; }
.a { fill: var(--a); } .b { fill: var(--b); } .c { fill: var(--c); }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin: 0 .35em 0 1em; }
.key.a { background: var(--a); margin-left: 0; } .key.b { background: var(--b); } .key.c { background: var(--c); }
.path { fill: none; stroke: var(--a); stroke-width: 2; stroke-linejoin: round; } .path.b { stroke: var(--b); }
.bound { stroke: var(--a); stroke-width: 1.5; stroke-dasharray: 6 4; } .bound.b { stroke: var(--b); }
h3 { font-size: 1rem; margin: 1.2rem 0 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
.words th, .words td { text-align: left; white-space: normal; } .words .date { white-space: nowrap; }
.words .name { overflow-wrap: anywhere; min-width: 9rem; }
.bar { display: inline-block; width: 5rem; height: .55rem; background: var(--line); border-radius: .2rem; overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--a); }
@media (max-width: 40rem) { svg { min-width: 0; } svg text { font-size: 17px; } th, td { padding: .35rem .4rem; }
  .bar { display: none; } }
";

/// The whole page.
pub fn page(look: &Look) -> String {
    let runs: Vec<&Past> = look.runs.iter().filter(|run| !run.did_nothing()).collect();
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n");
    put(
        &mut out,
        format_args!(
            "<link rel=\"icon\" href=\"data:,\">\n<title>offhours, {} days</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
            look.days
        ),
    );
    put(
        &mut out,
        format_args!("<h1>offhours</h1>\n<p>{} days up to {}</p>\n", look.days, format_time(look.now)),
    );
    if runs.is_empty() {
        out.push_str("<p>No run was begun in this time.</p>\n");
    } else {
        tiles(&mut out, &runs);
        weeks(&mut out, look, &runs);
        leads(&mut out, look, &runs);
        table(&mut out, "By repo", "repo", &runs, |run| run.repo.clone());
        table(&mut out, "By template version", "template", &runs, |run| run.template.clone());
    }
    evidence::canaries(&mut out, look);
    evidence::upgrades(&mut out, look);
    alarms(&mut out, look);
    lessons::lessons(&mut out, look);
    out.push_str("</body>\n</html>\n");
    out
}

fn money(amount: f64) -> String {
    format!("${amount:.2}")
}

fn per_landed(cost: f64, landed: usize) -> String {
    if landed == 0 { "-".to_owned() } else { money(cost / size(landed)) }
}

fn tiles(out: &mut String, runs: &[&Past]) {
    let ended = |end: End| runs.iter().filter(|r| r.end() == Some(end)).count();
    let landed = ended(End::Landed);
    let cost: f64 = runs.iter().map(|r| r.cost_usd).sum();
    let unknown = runs.iter().filter(|r| r.cost_unknown).count();
    let lead = median(runs.iter().filter_map(|r| r.lead()).collect());
    out.push_str("<div class=\"tiles\">\n");
    for (value, name) in [
        (runs.len().to_string(), "runs".to_owned()),
        (landed.to_string(), "landed".to_owned()),
        (ended(End::Back).to_string(), "handed back".to_owned()),
        (ended(End::Frozen).to_string(), "frozen".to_owned()),
        (lead.map_or("-".to_owned(), format_duration), "median to landed".to_owned()),
        (money(cost), if unknown == 0 { "cost".to_owned() } else { format!("cost; {unknown} did not tell") }),
        (per_landed(cost, landed), "cost per landed".to_owned()),
    ] {
        put(
            out,
            format_args!("<div class=\"tile\"><b>{value}</b><span class=\"soft\">{name}</span></div>\n"),
        );
    }
    out.push_str("</div>\n");
}

const WEEK: i64 = 7 * 86_400;
/// The week of a moment, counted from the beginning of the period.
fn week(look: &Look, at: UnixTime) -> i64 {
    let from = look.now.plus(-i64::from(look.days) * 86_400);
    at.since(from).div_euclid(WEEK).max(0)
}

fn how_many_weeks(look: &Look) -> i64 {
    (i64::from(look.days) * 86_400).div_euclid(WEEK) + 1
}

/// The day a week begins, as `2 Mar` would be too clever: `03-02`.
fn week_day(look: &Look, week: i64) -> String {
    let from = look.now.plus(-i64::from(look.days) * 86_400 + week * WEEK);
    format_time(from).get(5..10).unwrap_or_default().to_owned()
}

/// A round number not below this one, for the top of an axis.
fn top(most: f64) -> f64 {
    let mut step = 1.0;
    while step < most {
        let next = [2.0, 5.0, 10.0].into_iter().map(|f| step * f).find(|n| *n >= most);
        if let Some(found) = next {
            return found;
        }
        step *= 10.0;
    }
    step
}

/// The frame of a chart: lines with their values, and the days below.
fn frame(out: &mut String, look: &Look, name: &str, most: f64, value: impl Fn(f64) -> String) {
    let full = TOP + HEIGHT;
    put(
        out,
        format_args!(
            "<div class=\"wide\"><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{name}\">\n",
            WIDTH + LEFT + 10.0,
            full + 26.0
        ),
    );
    for part in 0..=2 {
        let share = f64::from(part) / 2.0;
        let y = full - HEIGHT * share;
        put(
            out,
            format_args!(
                "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                LEFT + WIDTH,
                LEFT - 6.0,
                y + 4.0,
                value(most * share)
            ),
        );
    }
    let weeks = how_many_weeks(look);
    let every = (weeks / 8).max(1);
    for n in (0..weeks).step_by(usize::try_from(every).unwrap_or(1)) {
        let x = LEFT + WIDTH * float(n) / float(weeks);
        put(out, format_args!("<text x=\"{x:.1}\" y=\"{}\">{}</text>\n", full + 18.0, week_day(look, n)));
    }
}

fn weeks(out: &mut String, look: &Look, runs: &[&Past]) {
    let mut counts: BTreeMap<(i64, End), usize> = BTreeMap::new();
    for run in runs {
        if let (Some(end), Some(at)) = (run.end(), run.ended_at) {
            *counts.entry((week(look, at), end)).or_default() += 1;
        }
    }
    let weeks = how_many_weeks(look);
    let of = |n: i64, end: End| counts.get(&(n, end)).copied().unwrap_or(0);
    let most =
        (0..weeks).map(|n| ENDS.iter().map(|(end, _, _)| of(n, *end)).sum::<usize>()).max().unwrap_or(0);
    let most = top(size(most));
    out.push_str("<h2>What became of runs, by week</h2>\n<p>");
    for (_, name, class) in ENDS {
        put(out, format_args!("<span class=\"key {class}\"></span>{name}"));
    }
    out.push_str("</p>\n");
    frame(out, look, "Runs that ended in each week, by their end", most, |n| format!("{n}"));
    let wide = WIDTH / float(weeks);
    for n in 0..weeks {
        let mut y = TOP + HEIGHT;
        for (end, name, class) in ENDS {
            let count = of(n, end);
            if count == 0 {
                continue;
            }
            let tall = HEIGHT * size(count) / most;
            y -= tall;
            put(
                out,
                format_args!(
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1\"><title>week of {}: {count} {name}</title></rect>\n",
                    LEFT + wide * float(n) + wide * 0.12,
                    (wide * 0.76).min(36.0),
                    // A thin gap keeps the parts of a bar apart.
                    (tall - 1.0).max(1.0),
                    week_day(look, n)
                ),
            );
        }
    }
    out.push_str("</svg></div>\n");
}

fn leads(out: &mut String, look: &Look, runs: &[&Past]) {
    let mut by_week: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for run in runs {
        if let (Some(lead), Some(at)) = (run.lead(), run.ended_at) {
            by_week.entry(week(look, at)).or_default().push(lead);
        }
    }
    let points: Vec<(i64, i64)> =
        by_week.into_iter().filter_map(|(n, all)| Some((n, median(all)?))).collect();
    let Some(most) = points.iter().map(|(_, lead)| *lead).max() else { return };
    let hours = float(most) / 3600.0;
    let most = top(hours.max(1.0));
    out.push_str("<h2>From start to landed</h2>\n<p>median of each week, in hours</p>\n");
    frame(out, look, "Median hours from the start of a run to its landing, by week", most, |n| {
        format!("{n}")
    });
    let weeks = float(how_many_weeks(look));
    let place = |n: i64, lead: i64| {
        let x = LEFT + WIDTH * (float(n) + 0.5) / weeks;
        let y = TOP + HEIGHT - HEIGHT * (float(lead) / 3600.0) / most;
        (x, y)
    };
    let mut path = String::new();
    for (at, (n, lead)) in points.iter().enumerate() {
        let (x, y) = place(*n, *lead);
        put(&mut path, format_args!("{}{x:.1} {y:.1}", if at == 0 { "M" } else { " L" }));
    }
    put(out, format_args!("<path class=\"path\" d=\"{path}\"/>\n"));
    for (n, lead) in points {
        let (x, y) = place(n, lead);
        put(
            out,
            format_args!(
                "<circle class=\"a\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>week of {}: {}</title></circle>\n",
                week_day(look, n),
                format_duration(lead)
            ),
        );
    }
    out.push_str("</svg></div>\n");
}

fn table(out: &mut String, title: &str, head: &str, runs: &[&Past], name: impl Fn(&Past) -> String) {
    let mut groups: BTreeMap<String, Vec<&Past>> = BTreeMap::new();
    for run in runs {
        groups.entry(name(run)).or_default().push(run);
    }
    let mut rows: Vec<(String, Vec<&Past>)> = groups.into_iter().collect();
    rows.sort_by_key(|(name, runs)| (std::cmp::Reverse(runs.len()), name.clone()));
    put(
        out,
        format_args!(
            "<h2>{title}</h2>\n<div class=\"wide\"><table>\n<tr><th>{head}</th><th>runs</th><th>landed</th><th></th><th>median</th><th>turns</th><th>cost</th><th>per landed</th></tr>\n"
        ),
    );
    // Beyond that nobody reads on.
    for (name, runs) in rows.iter().take(50) {
        let landed = runs.iter().filter(|r| r.end() == Some(End::Landed)).count();
        let ended = runs.iter().filter(|r| r.end().is_some()).count();
        let share = if ended == 0 { 0.0 } else { 100.0 * size(landed) / size(ended) };
        let cost: f64 = runs.iter().map(|r| r.cost_usd).sum();
        let lead = median(runs.iter().filter_map(|r| r.lead()).collect());
        let turns: i64 = runs.iter().map(|r| i64::from(r.turns)).sum();
        put(
            out,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{share:.0}%</td><td><span class=\"bar\"><i style=\"width:{share:.0}%\"></i></span></td><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td></tr>\n",
                html(name),
                runs.len(),
                lead.map_or("-".to_owned(), format_duration),
                float(turns) / size(runs.len().max(1)),
                money(cost),
                per_landed(cost, landed)
            ),
        );
    }
    out.push_str("</table></div>\n");
}

fn alarms(out: &mut String, look: &Look) {
    out.push_str("<h2>Alarms that stand</h2>\n");
    if look.alarms.is_empty() {
        out.push_str("<p>None.</p>\n");
        return;
    }
    out.push_str("<div class=\"wide\"><table class=\"words\">\n");
    for (cause, since, detail) in &look.alarms {
        put(
            out,
            format_args!(
                "<tr><td>{}</td><td>for {}</td><td>{}</td></tr>\n",
                html(cause),
                format_duration(look.now.since(*since)),
                html(detail)
            ),
        );
    }
    out.push_str("</table></div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A year of made-up history: steady numbers, no randomness.
    fn year() -> Look {
        let now = UnixTime(1_772_445_600);
        let ends =
            ["landed", "landed", "landed", "nothing-done", "landed", "same-failure", "landed", "conflict"];
        let runs = (0..700_i64)
            .map(|n| {
                let created_at = now.plus(-n * 45_000 - (n * n) % 3600);
                let which = usize::try_from((n * 7 + n / 3) % 8).unwrap();
                Past {
                    repo: format!("home:me/repo-{}", n % 4),
                    template: format!("implementer@{}", 1 + n / 250),
                    outcome: (n > 0).then(|| Outcome::parse(ends[which]).unwrap()),
                    created_at,
                    ended_at: (n > 0).then(|| created_at.plus(900 + (n * 131) % 9000)),
                    turns: u32::try_from(1 + n % 3).unwrap(),
                    cost_usd: 0.4 + f64::from(u32::try_from(n % 17).unwrap()) * 0.21,
                    cost_unknown: n % 40 == 0,
                }
            })
            .collect();
        Look {
            now,
            days: 365,
            runs,
            alarms: vec![(
                "orphan-label:home:me/a#1".to_owned(),
                now.plus(-7200),
                "somebody <b>left</b> it".to_owned(),
            )],
            lessons: Some(vec![("gate_failure".to_owned(), 12)]),
            ..Look::default()
        }
    }

    #[test]
    fn the_page_asks_the_network_for_nothing() {
        let page = page(&year());
        for word in ["http://", "https://", "<script", "@import", "url(", "src="] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
        assert!(page.contains("prefers-color-scheme: dark") && page.contains("name=\"viewport\""));
        if let Some(file) = option_env!("OFFHOURS_REPORT_SAMPLE") {
            std::fs::write(file, &page).unwrap();
        }
    }

    #[test]
    fn words_from_outside_are_no_markup() {
        let mut look = year();
        look.runs[1].repo = "home:me/<img src=x onerror=alert(1)>".to_owned();
        look.runs[1].template = "\"><b>x".to_owned();
        let page = page(&look);
        assert!(!page.contains("<img") && !page.contains("<b>left") && !page.contains("\"><b>x"), "escaped");
        assert!(page.contains("somebody &lt;b&gt;left&lt;/b&gt; it"));
    }

    /// Tags open and close in pairs: the page is whole.
    #[test]
    fn every_tag_is_closed() {
        for look in [year(), Look { now: UnixTime(1_772_445_600), days: 30, ..Look::default() }] {
            let page = page(&look);
            for tag in [
                "div", "svg", "table", "tr", "td", "th", "h2", "p", "span", "rect", "circle", "title",
                "style", "body",
            ] {
                let opened =
                    page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
                let closed = page.matches(&format!("</{tag}>")).count();
                assert_eq!(opened, closed, "{tag}");
            }
        }
    }

    #[test]
    fn figures_are_counted_as_the_end_says() {
        let run = |outcome: &str, cost: f64| Past {
            repo: "home:me/a".to_owned(),
            template: "t@1".to_owned(),
            outcome: Outcome::parse(outcome),
            created_at: UnixTime(1_772_000_000),
            ended_at: Some(UnixTime(1_772_003_600)),
            turns: 2,
            cost_usd: cost,
            cost_unknown: false,
        };
        let look = Look {
            now: UnixTime(1_772_445_600),
            days: 30,
            runs: vec![
                run("landed", 3.0),
                run("guard-refused", 1.0),
                run("fix-turns-used", 2.0),
                run("claim-lost", 9.0),
            ],
            ..Look::default()
        };
        let page = page(&look);
        for tile in [
            "<b>3</b><span class=\"soft\">runs",
            "<b>1</b><span class=\"soft\">landed",
            "<b>$6.00</b>",
            "<b>1h 0m</b>",
        ] {
            assert!(page.contains(tile), "{tile}");
        }
        assert!(page.contains("<td>33%</td>"), "one of three landed");
        assert!(super::page(&Look::default()).contains("No run was begun"));
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (most, expected) in
            [(0.0, 1.0), (1.0, 1.0), (1.5, 2.0), (3.0, 5.0), (7.0, 10.0), (13.0, 20.0), (480.0, 500.0)]
        {
            assert!((top(most) - expected).abs() < 1e-9, "{most}");
        }
    }
}
