//! What a forge tells of our token, of what it may do in a repo, of the labels there, and of its clock.

use super::finding::{Finding, bad, good, note};
use crate::domain::doctor::{Facts, RepoFacts, near};
use crate::domain::escape::sanitize;
use crate::domain::model::Permission;
use crate::domain::moment::format_duration;
use crate::domain::moment::format_time;

pub(super) fn tokens(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![];
    for forge in &facts.forges {
        let name = &forge.name;
        let token = match &forge.token {
            Ok(token) => token,
            Err(why) => {
                found.push(bad(
                    "token",
                    format!("{name}: {}", sanitize(why, 400)),
                    if forge.app {
                        format!("forge.{name}.app_id and app_key say which app it is; the README tells what it needs")
                    } else {
                        format!("make a new token there, and put it where forge.{name}.token points")
                    },
                ));
                continue;
            }
        };
        let scopes = match token.scopes.as_deref() {
            None => String::new(),
            Some([]) => ", without any scope".to_owned(),
            Some(scopes) => format!(", with {}", sanitize(&scopes.join(", "), 160)),
        };
        let without = if token.without.is_empty() {
            String::new()
        } else {
            format!(
                "; without {}, which only reruns of failed checks and changed workflows need",
                token.without.join(", ")
            )
        };
        let whose = format!("{name}: the token is {}'s{scopes}{without}", sanitize(&token.login, 60));
        found.push(match token.expires_at {
            None => good("token", whose),
            Some(at) if near(at, facts.now) => note(
                "token",
                format!("{whose}; it ends on {}", format_time(at)),
                format!("renew it before then, and put it where forge.{name}.token points"),
            ),
            Some(at) => good("token", format!("{whose}, good until {}", format_time(at))),
        });
    }
    found
}

pub(super) fn rights(repo: &RepoFacts) -> Vec<Finding> {
    let mut found = vec![];
    match &repo.access {
        None => {}
        Some(Err(why)) => found.push(bad(
            "access",
            format!("{}: what the token may do there cannot be told: {}", repo.name, sanitize(why, 300)),
            "try again; if it stays so, check the token",
        )),
        Some(Ok(access)) => {
            if access.held < Permission::Write {
                found.push(bad(
                    "access",
                    format!("{}: the account may read there, and not write", repo.name),
                    "give it write permission: it comments, labels, claims and pushes",
                ));
            }
            found.extend(access.lacks.iter().map(|why| {
                bad(
                    "access",
                    format!("{}: {}", repo.name, sanitize(why, 300)),
                    "the README tells for each kind of forge what the token needs",
                )
            }));
            if found.is_empty() {
                let rules = access.requires.as_ref().map(|what| format!("; {}", sanitize(what, 200)));
                found.push(good(
                    "access",
                    format!("{} can be written{}", repo.name, rules.unwrap_or_default()),
                ));
            }
        }
    }
    let Some(labels) = &repo.labels else { return found };
    if let Some(why) = &labels.trouble {
        found.push(bad(
            "labels",
            format!("{}: {}", repo.name, sanitize(why, 300)),
            "make them by hand, or give the token the right to",
        ));
    }
    if !labels.made.is_empty() {
        found.push(good("labels", format!("{}: made {}", repo.name, labels.made.join(", "))));
    }
    if !labels.missing.is_empty() {
        let what = format!("{} has no label {}", repo.name, labels.missing.join(", "));
        let remedy = "offhours doctor --fix makes them";
        // The others are made when they are first put on.
        found.push(if labels.ready_missing {
            bad("labels", what, remedy)
        } else {
            note("labels", what, remedy)
        });
    } else if labels.trouble.is_none() && labels.made.is_empty() {
        found.push(good("labels", format!("{} has every label", repo.name)));
    }
    found
}

pub(super) fn clock(facts: &Facts) -> Vec<Finding> {
    let told = facts.forges.iter().filter_map(|forge| {
        let theirs = forge.token.as_ref().ok()?.server_time?;
        Some(forge.asked_at.0.saturating_sub(theirs.0))
    });
    let Some(ahead) = told.max_by_key(|ahead| ahead.abs()) else { return vec![] };
    if ahead.abs() < 60 {
        return vec![good("clock", "the clock agrees with the forge's")];
    }
    let word = if ahead > 0 { "ahead of" } else { "behind" };
    vec![bad(
        "clock",
        format!(
            "the clock is {} {word} the forge's: approvals and edits are compared by time",
            format_duration(ahead.abs())
        ),
        "let the machine set its clock by the network (timedatectl set-ntp true)",
    )]
}
