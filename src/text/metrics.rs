//! Numbers for a Prometheus textfile collector. Names of repos and causes of alarms are data, and escaped as such.

use std::fmt::Write as _;

/// One metric: what it is called, what it means, and its values by label.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: &'static str,
    pub help: &'static str,
    /// `true` for what only grows.
    pub counter: bool,
    pub rows: Vec<Sample>,
}

/// A value with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

impl Metric {
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, counter: false, rows: vec![] }
    }

    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, counter: true, rows: vec![] }
    }

    #[must_use]
    pub fn with(mut self, labels: &[(&'static str, &str)], value: f64) -> Self {
        let labels = labels.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        self.rows.push(Sample { labels, value });
        self
    }

    #[must_use]
    pub fn all(mut self, rows: impl IntoIterator<Item = (&'static str, String, f64)>) -> Self {
        let rows = rows.into_iter().map(|(name, text, value)| Sample { labels: vec![(name, text)], value });
        self.rows.extend(rows);
        self
    }
}

/// The exposition format: escaped, in the order given, a metric without values left out.
pub fn exposition(metrics: &[Metric]) -> String {
    let mut out = String::new();
    for metric in metrics.iter().filter(|m| !m.rows.is_empty()) {
        let kind = if metric.counter { "counter" } else { "gauge" };
        out.push_str(&format!("# HELP {0} {1}\n# TYPE {0} {kind}\n", metric.name, metric.help));
        for row in &metric.rows {
            out.push_str(metric.name);
            for (at, (name, value)) in row.labels.iter().enumerate() {
                let before = if at == 0 { '{' } else { ',' };
                // Writing to a string cannot fail.
                write!(out, "{before}{name}=\"{}\"", escaped(value)).unwrap_or_default();
            }
            let close = if row.labels.is_empty() { "" } else { "}" };
            writeln!(out, "{close} {}", row.value).unwrap_or_default();
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_end_their_quotes() {
        let metric =
            Metric::gauge("offhours_x", "What it is.").with(&[("cause", "a\"b\\c\nd")], 1.5).with(&[], 2.0);
        let empty = Metric::counter("offhours_none", "Nothing.");
        assert_eq!(
            exposition(&[metric, empty]),
            "# HELP offhours_x What it is.\n# TYPE offhours_x gauge\noffhours_x{cause=\"a\\\"b\\\\c\\nd\"} 1.5\noffhours_x 2\n"
        );
    }
}
