//! What the page says of versions that were tried out, against the bounds that decide about them, and of upgrades.

use super::draw::{HEIGHT, LEFT, TOP, WIDTH, html, put, size};
use super::look::{Look, Tried};
use crate::domain::moment::format_time;

/// Newer ones first; beyond that nobody reads on.
const MAX_TRIED: usize = 8;
const MAX_UPGRADED: usize = 20;

pub(super) fn canaries(out: &mut String, look: &Look) {
    if look.canaries.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Versions that were tried out</h2>\n<p>Evidence after each block of runs. It decides where it reaches its own \
         dashed line: <span class=\"key a\"></span>as good <span class=\"key b\"></span>worse</p>\n",
    );
    for tried in look.canaries.iter().rev().take(MAX_TRIED) {
        put(
            out,
            format_args!(
                "<h3>{}</h3>\n<p>since {}: {}</p>\n",
                html(&tried.title),
                format_time(tried.since),
                html(&tried.sentence)
            ),
        );
        chart(out, tried);
    }
}

/// So many times its largest bound is drawn.
const BEYOND: f64 = 4.0;

/// The lines of evidence with their bounds; none as long as no block is closed.
fn chart(out: &mut String, tried: &Tried) {
    let blocks = tried.graduate.len().max(tried.rollback.len());
    if blocks == 0 {
        out.push_str("<p>No block of runs is complete yet.</p>\n");
        return;
    }
    let bounds = [tried.graduate_bound, tried.rollback_bound, 0.0];
    // Far beyond its bound a line goes along the edge: the bounds stay apart.
    let most = bounds.iter().fold(1.0, |most: f64, bound| most.max(bound.abs())) * BEYOND;
    let all = || {
        let values = tried.graduate.iter().chain(&tried.rollback).copied().chain(bounds);
        values.filter(|v| v.is_finite()).map(|v| v.clamp(-most, most))
    };
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let high = high + (high - low).max(1.0) * 0.05;
    let full = TOP + HEIGHT;
    let y = |value: f64| full - HEIGHT * (value.clamp(low, high) - low) / (high - low);
    let x = |block: usize| LEFT + WIDTH * size(block) / size(blocks);
    put(
        out,
        format_args!(
            "<div class=\"wide\"><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Evidence after each block, against its bounds: {}\">\n\
             <line class=\"axis\" x1=\"{LEFT}\" y1=\"{zero:.1}\" x2=\"{end}\" y2=\"{zero:.1}\"/><text x=\"{edge}\" y=\"{below:.1}\" text-anchor=\"end\">0</text>\n",
            WIDTH + LEFT + 10.0,
            full + 26.0,
            html(&tried.title),
            zero = y(0.0),
            below = y(0.0) + 4.0,
            end = LEFT + WIDTH,
            edge = LEFT - 6.0,
        ),
    );
    let near = (y(tried.graduate_bound) - y(tried.rollback_bound)).abs() < 12.0;
    for (values, bound, class, name, numbered) in [
        (&tried.graduate, tried.graduate_bound, "a", "as good", true),
        (&tried.rollback, tried.rollback_bound, "b", "worse", !near),
    ] {
        put(
            out,
            format_args!(
                "<line class=\"bound {class}\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{end}\" y2=\"{at:.1}\"><title>{name}: decided at {bound:.2}</title></line>\n",
                at = y(bound),
                end = LEFT + WIDTH,
            ),
        );
        if numbered {
            put(
                out,
                format_args!(
                    "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{bound:.1}</text>\n",
                    LEFT - 6.0,
                    y(bound) + 4.0
                ),
            );
        }
        let mut path = format!("M{LEFT:.1} {:.1}", y(0.0));
        for (n, value) in values.iter().enumerate() {
            put(&mut path, format_args!(" L{:.1} {:.1}", x(n + 1), y(*value)));
        }
        let last = values.last().copied().unwrap_or(0.0);
        put(
            out,
            format_args!(
                "<path class=\"path {class}\" d=\"{path}\"><title>{name}: {last:.2} of {bound:.2}</title></path>\n"
            ),
        );
    }
    put(
        out,
        format_args!(
            "<text x=\"{LEFT}\" y=\"{low}\">start</text><text x=\"{}\" y=\"{low}\" text-anchor=\"end\">{blocks} block{}</text>\n</svg></div>\n",
            LEFT + WIDTH,
            if blocks == 1 { "" } else { "s" },
            low = full + 18.0,
        ),
    );
}

pub(super) fn upgrades(out: &mut String, look: &Look) {
    if look.upgrades.is_empty() {
        return;
    }
    out.push_str(
        "<h2>Upgrades</h2>\n<div class=\"wide\"><table class=\"words\">\n<tr><th>recipe</th><th>version</th><th>result</th><th></th><th>when</th></tr>\n",
    );
    for done in look.upgrades.iter().rev().take(MAX_UPGRADED) {
        put(
            out,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"date\">{}</td></tr>\n",
                html(&done.recipe),
                html(&done.version),
                html(&done.result),
                html(&done.line),
                format_time(done.at).get(..10).unwrap_or_default()
            ),
        );
    }
    out.push_str("</table></div>\n");
}

#[cfg(test)]
mod tests {
    use super::super::look::Upgraded;
    use super::*;
    use crate::domain::model::UnixTime;

    fn tried(rollback: Vec<f64>, graduate: Vec<f64>) -> Tried {
        Tried {
            title: "c1: implementer@2 <x> against implementer@1".to_owned(),
            since: UnixTime(1_772_445_600),
            sentence: "it is as good".to_owned(),
            rollback,
            graduate,
            rollback_bound: 3.0,
            graduate_bound: 2.0,
        }
    }

    fn page(tried: Tried) -> String {
        let mut out = String::new();
        canaries(&mut out, &Look { canaries: vec![tried], ..Look::default() });
        out
    }

    /// Every point lies inside the frame, whatever the evidence; the line of 2.0 is below that of 3.0.
    #[test]
    fn evidence_is_drawn_against_its_bounds() {
        for values in
            [vec![0.4, 1.0, 2.2], vec![-9.0, -12.5], vec![1e6], vec![f64::INFINITY, f64::NEG_INFINITY]]
        {
            let page = page(tried(values.iter().map(|v| -v).collect(), values.clone()));
            let numbers = page.split("d=\"M").skip(1).flat_map(|path| {
                let path = path.split('"').next().unwrap_or_default();
                path.replace(['L', 'M'], " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            });
            for (n, number) in numbers.enumerate() {
                let value: f64 = number.parse().unwrap();
                let most = if n % 2 == 0 { LEFT + WIDTH } else { TOP + HEIGHT };
                assert!((0.0..=most + 0.1).contains(&value), "{value} of {values:?}\n{page}");
            }
            assert_eq!(page.matches("class=\"bound ").count(), 2);
            let at = |class: &str| -> f64 {
                let line = page.split(&format!("class=\"bound {class}\"")).nth(1).unwrap();
                line.split("y1=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
            };
            assert!(at("a") > at("b"), "{page}");
            assert!(!page.contains("<x>"));
        }
        assert!(page(tried(vec![], vec![])).contains("No block"));
    }

    #[test]
    fn upgrades_are_told_newest_first() {
        let done = |recipe: &str, day: i64| Upgraded {
            at: UnixTime(day * 86_400),
            recipe: recipe.to_owned(),
            version: "1.2 -> 1.3".to_owned(),
            result: "green".to_owned(),
            line: "<b>".to_owned(),
        };
        let mut out = String::new();
        upgrades(&mut out, &Look { upgrades: vec![done("older", 1), done("newer", 8)], ..Look::default() });
        assert!(out.find("newer").unwrap() < out.find("older").unwrap() && !out.contains("<b>"), "{out}");
    }
}
