//! `status --format prometheus`: for a textfile collector.

use std::collections::BTreeMap;

use super::output;
use crate::app::App;
use crate::domain::model::IssueRef;
use crate::error::Error;
use crate::store::Store;
use crate::text::metrics::{Metric, exposition};
use crate::tick::poll::day_and_month;

pub fn run(app: &App) -> Result<u8, Error> {
    let flag = |is: bool| if is { 1.0 } else { 0.0 };
    let mut metrics = vec![
        Metric::gauge("offhours_switch_on", "1 while the kill switch is on.").with(&[], flag(app.switch.on)),
        Metric::gauge("offhours_repos", "Repos on the allowlist.")
            .with(&[], count(app.config.allowlist.len())),
    ];
    if let Some(store) = app.existing_store()? {
        metrics.extend(of_store(app, &store)?);
    }
    output::out(&exposition(&metrics));
    Ok(0)
}

#[expect(clippy::cast_precision_loss, reason = "counts and moments are far below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts and moments are far below 2^52")]
fn seconds(at: i64) -> f64 {
    at as f64
}

fn of_store(app: &App, store: &Store) -> Result<Vec<Metric>, Error> {
    let now = app.now();
    let (day, month) = day_and_month(now);
    let g = &app.config.global;
    let ticks = store.ticks()?;
    let flying = store.runs_in_flight()?;
    let mut waits: BTreeMap<String, usize> = BTreeMap::new();
    for row in &flying {
        *waits.entry(row.state_word().to_owned()).or_default() += 1;
    }
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for repo in &app.config.allowlist {
        for issue in store.listing(repo)? {
            let name = IssueRef { repo: repo.clone(), number: issue.number };
            if let Some(last) = store.ledger_of(&name, 1)?.into_iter().next() {
                *reasons.entry(last.reason).or_default() += 1;
            }
        }
    }
    let mut spend = Metric::gauge("offhours_spend_usd", "Money of the runs begun in the period.");
    for (period, since) in [("day", day), ("month", month)] {
        let sum = store.spend_since(since)?;
        spend = spend
            .with(&[("period", period), ("kind", "known")], sum.known_usd)
            .with(&[("period", period), ("kind", "reserved")], sum.reserved_usd);
    }
    let parked = store.parks()?.into_iter().filter(|(_, park)| park.until.is_none_or(|until| until > now));
    Ok(vec![
        Metric::gauge("offhours_last_tick_timestamp_seconds", "When each command was last started.")
            .all(ticks.iter().map(|(command, at, _, _)| ("command", command.clone(), seconds(at.0)))),
        Metric::gauge("offhours_runs_in_flight", "Runs in flight.").with(&[], count(flying.len())),
        Metric::gauge("offhours_runs_waiting", "Runs in flight by what they wait for.")
            .all(waits.into_iter().map(|(wait, n)| ("wait", wait, count(n)))),
        Metric::counter("offhours_runs_ended_total", "Runs that are over, by their end.")
            .all(store.outcomes()?.into_iter().map(|(outcome, n)| ("outcome", outcome, f64::from(n)))),
        Metric::gauge("offhours_ready_issues", "Ready issues by the reason why they start or do not.")
            .all(reasons.into_iter().map(|(reason, n)| ("reason", reason, count(n)))),
        spend,
        Metric::gauge("offhours_budget_usd", "The limits.")
            .with(&[("period", "day")], g.daily_budget_usd)
            .with(&[("period", "month")], g.monthly_budget_usd),
        Metric::gauge("offhours_runner_parked", "Runner accounts that are not used now.")
            .all(parked.map(|(account, _)| ("account", account, 1.0))),
        Metric::gauge("offhours_alarm_since_timestamp_seconds", "Alarms that stand, and since when.")
            .all(store.alarms()?.into_iter().map(|(cause, since, _)| ("cause", cause, seconds(since.0)))),
        Metric::gauge("offhours_notices_waiting", "Notices that are still to be sent.")
            .with(&[], f64::from(store.outbox_waiting()?)),
    ])
}
