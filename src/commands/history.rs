//! `template history`: what became of each version's runs, and of each canary; the numbers behind what `harvest` decides.

use super::canary::{canary, entry};
use super::output;
use crate::app::App;
use crate::domain::harvest::{self, EntryState};
use crate::domain::moment::format_time;
use crate::error::Error;
use crate::store::{Store, TemplateRow};
use crate::tick::harvest::look;
use serde_json::{Value, json};

pub fn run(app: &App, store: &Store, name: Option<&str>) -> Result<u8, Error> {
    let rows = store.templates(name)?;
    if let (Some(name), true) = (name, rows.is_empty()) {
        return Err(Error::usage(format!(
            "there is no template {}",
            crate::domain::escape::sanitize(name, 60)
        ))
        .hint("`offhours template list` shows what there is"));
    }
    let (mut text, mut items) = (String::new(), vec![]);
    for row in &rows {
        version(store, row, &mut text, &mut items)?;
    }
    for row in store.canaries(name)? {
        let seen = look(store, &row)?;
        let end = match (&row.verdict, &row.detail) {
            (Some(verdict), Some(detail)) => {
                let ended = row.ended_at.map_or_else(String::new, |at| format!(", {}", format_time(at)));
                format!("{}{ended}: {detail}", verdict.code())
            }
            (_, _) => seen.sentence.clone(),
        };
        text.push_str(&format!(
            "canary {} since {}, {} of new issues: {end}\n",
            row.id,
            format_time(row.started_at),
            row.fraction
        ));
        for entry in &seen.pending {
            text.push_str(&format!(
                "  pending: {} {} (run {}, {}, since {})\n",
                entry.subject,
                entry.why.code(),
                entry.run,
                entry.arm.code(),
                format_time(entry.dispatched_at)
            ));
        }
        items.push(canary(&seen));
    }
    if !app.config.harvest.enabled {
        text.push_str("harvest is off: nothing is routed, scored or decided\n");
    }
    output::answer(&app.global, "template history", &text, &items);
    Ok(0)
}

/// What became of the runs of one version.
fn version(store: &Store, row: &TemplateRow, text: &mut String, items: &mut Vec<Value>) -> Result<(), Error> {
    let entries = store.template_entries(row.id)?;
    let counted = harvest::counted(&entries);
    let scores = harvest::history(&counted);
    let count = |state: fn(&EntryState) -> bool| counted.iter().filter(|e| state(&e.state)).count();
    let pending = count(|s| *s == EntryState::Pending);
    let late = store.late_reverts_of(row.id)?;
    let mean = (scores.count > 0.0).then(|| scores.sum / scores.count);
    let told = mean.map_or("none scored".to_owned(), |m| format!("mean {m:.2} of {}", scores.count));
    let taken = if late.is_empty() {
        String::new()
    } else {
        format!(", {} taken back after they were scored", late.len())
    };
    text.push_str(&format!(
        "{} {}: {} issues, {told}, {pending} pending, {} left out{taken}\n",
        row.full_label(),
        row.state.code(),
        counted.len(),
        entries.iter().filter(|e| e.state == EntryState::Excluded).count()
    ));
    items.push(json!({
        "kind": "version", "label": row.label(), "hash": row.hash, "state": row.state.code(), "issues": counted.len(),
        "mean": mean, "pending": pending, "taken_back_later": late,
        "outcomes": entries.iter().map(entry).collect::<Vec<_>>(),
    }));
    Ok(())
}
