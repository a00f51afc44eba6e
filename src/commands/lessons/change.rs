//! `lessons add|update|approve`: what a person writes into the journal.

use super::args::{LessonsAdd, LessonsChange};
use super::journal::{MAX_CHARS, repo, say, slug, unknown, work_item, write};
use crate::app::App;
use crate::error::Error;
use crate::store::{ByHand, LessonChange};
use serde_json::json;

fn short(name: &str, text: Option<&String>) -> Result<(), Error> {
    match text.map(|t| t.chars().count()) {
        Some(many) if many > MAX_CHARS => Err(Error::usage(format!(
            "--{name} has {many} characters, and {MAX_CHARS} are the most; nothing was written"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn changed(app: &App, change: &LessonsChange) -> Result<LessonChange, Error> {
    let texts = [
        ("root-cause", &change.root_cause),
        ("suggestion", &change.suggestion),
        ("detail", &change.detail),
        ("related-task", &change.related_task),
        ("target-repo", &change.target_repo),
    ];
    for (name, text) in texts {
        short(name, text.as_ref())?;
    }
    change.target_domain.as_deref().filter(|d| !d.is_empty()).map_or(Ok(()), |d| slug("domain", d))?;
    let named = |text: &String| if text.is_empty() { String::new() } else { repo(app, text) };
    Ok(LessonChange {
        status: change.status,
        root_cause: change.root_cause.clone(),
        suggestion: change.suggestion.clone(),
        detail: change.detail.clone(),
        related_task: change.related_task.clone(),
        attribution: change.attribution,
        target_repo: change.target_repo.as_ref().map(named),
        target_domain: change.target_domain.clone(),
    })
}

pub(super) fn add(app: &App, args: &LessonsAdd) -> Result<(), Error> {
    slug("type", &args.lesson_type)?;
    let names = [
        ("repo", &args.repo),
        ("work-item", &args.work_item),
        ("task", &args.task),
        ("stage", &args.stage),
        ("agent", &args.agent),
    ];
    for (name, text) in names {
        short(name, text.as_ref())?;
    }
    let new = ByHand {
        lesson_type: args.lesson_type.clone(),
        work_item_id: args.work_item.as_deref().map(|w| work_item(app, w)),
        task_id: args.task.clone(),
        turn: args.turn,
        stage: args.stage.clone(),
        agent: args.agent.clone(),
        repo: args.repo.as_deref().map(|r| repo(app, r)),
        change: changed(app, &args.change)?,
    };
    let now = app.now();
    let id = write(app, |store| store.add_lesson(&new, now))?;
    done(app, id, "is written down");
    Ok(())
}

pub(super) fn update(app: &App, id: i64, change: &LessonsChange) -> Result<(), Error> {
    let change = changed(app, change)?;
    if change == LessonChange::default() {
        return Err(Error::usage(format!("no field is named; lesson {id} is as it was"))
            .hint("`offhours lessons update --help` names them"));
    }
    let now = app.now();
    if !write(app, |store| store.update_lesson(id, &change, now))? {
        return Err(unknown(id));
    }
    done(app, id, "is changed");
    Ok(())
}

pub(super) fn done(app: &App, id: i64, what: &str) {
    let dry = if app.global.dry_run { "dry run, nothing is kept: " } else { "" };
    say(app, &format!("{dry}lesson {id} {what}\n"), &json!({ "enabled": true, "id": id }));
}
