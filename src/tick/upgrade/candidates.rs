//! What a batch would do, without doing it: every recipe's candidates, by upstream as it is now.

use serde_json::{Value, json};

use super::{UpgradeWorld, plan};
use crate::domain::escape::sanitize;
use crate::domain::upgrade::{Batch, BatchState, Ending, Evidence, Recipe, Scanned};
use crate::error::Error;
use crate::ports::PortError;

/// The list as text and for scripts.
pub struct Found {
    pub text: String,
    pub items: Vec<Value>,
}

/// Looks at each recipe on its own. One that cannot be read says why, and the others go on.
pub fn list(world: &mut UpgradeWorld, recipes: &[String]) -> Result<Found, Error> {
    let now = world.now();
    let batch = Batch {
        id: 0,
        state: BatchState::Active,
        with_tests: false,
        scheduled: false,
        started_at: now,
        progress_at: now,
        backoff_until: None,
        ended_at: None,
        halted: None,
    };
    let mut found = Found { text: String::new(), items: vec![] };
    for name in recipes {
        let mut recipe = Recipe::new(name, now);
        let base = world.recipe(name).and_then(|policy| {
            let base = world.git.fetch_branch(&policy.mirror, &policy.upstream, &policy.main_branch, true)?;
            base.ok_or_else(|| PortError::refused(format!("upstream has no branch {}", policy.main_branch)))
        });
        let evidence = match base {
            Ok(base) => {
                recipe.base = Some(base);
                plan::scan(world, &batch, &recipe)?
            }
            Err(error) => Err(error),
        };
        tell(&mut found, name, evidence);
    }
    Ok(found)
}

fn tell(found: &mut Found, name: &str, evidence: Result<Evidence, PortError>) {
    let ended = |ending: &Ending| {
        (ending.line(), json!({ "recipe": name, "result": ending.code(), "line": ending.line() }))
    };
    let (line, item) = match evidence {
        Ok(Evidence::Scan(Scanned::Plan(plan))) => {
            let mut text = format!("would go to {}", plan.version);
            for bump in &plan.bumps {
                text.push_str(&format!("\n    {} {} {} -> {}", bump.service, bump.image, bump.from, bump.to));
            }
            for note in &plan.notes {
                text.push_str(&format!("\n    not changed: {}", sanitize(note, 300)));
            }
            let bumps: Vec<Value> = plan
                .bumps
                .iter()
                .map(|b| json!({ "service": b.service, "image": b.image, "from": b.from, "to": b.to }))
                .collect();
            (
                text,
                json!({ "recipe": name, "result": "plan", "version": plan.version, "bumps": bumps, "notes": plan.notes }),
            )
        }
        Ok(Evidence::Scan(Scanned::UpToDate)) => ended(&Ending::UpToDate),
        Ok(Evidence::Scan(Scanned::Held(why))) => ended(&Ending::Held(why.join("; "))),
        Ok(Evidence::Scan(Scanned::Unreadable(why))) => ended(&Ending::Unreadable(why)),
        Ok(Evidence::Scan(Scanned::Refused(ending))) => ended(&ending),
        Ok(_) => ended(&Ending::Unreadable("it was not scanned".to_owned())),
        Err(PortError::Refused { what } | PortError::Gone { what }) => ended(&Ending::Failed(what)),
        Err(error) => ended(&Ending::Unreadable(error.to_string())),
    };
    found.text.push_str(&format!("{name}: {}\n", plain_lines(&line)));
    found.items.push(item);
}

/// Each line for a terminal.
fn plain_lines(text: &str) -> String {
    text.lines()
        .map(|line| {
            let inner: String = line.chars().take_while(|c| *c == ' ').collect();
            format!("{inner}{}", sanitize(line.trim_start(), 400))
        })
        .collect::<Vec<_>>()
        .join("\n")
}
