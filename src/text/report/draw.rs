//! How the page is written and drawn: words escaped, and the size of a chart.

use std::fmt::Write as _;

use crate::domain::escape::sanitize;

pub(super) const WIDTH: f64 = 720.0;
pub(super) const HEIGHT: f64 = 170.0;
pub(super) const LEFT: f64 = 44.0;
pub(super) const TOP: f64 = 10.0;

pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitize(text, 300).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    out.write_fmt(text).unwrap_or_default();
}

#[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^52")]
pub(super) fn float(n: i64) -> f64 {
    n as f64
}

pub(super) fn size(n: usize) -> f64 {
    float(i64::try_from(n).unwrap_or(i64::MAX))
}
