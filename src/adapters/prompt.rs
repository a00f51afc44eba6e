//! What an agent is told: the built-in template, rendered strictly. Nothing half is ever sent.

use minijinja::{Environment, UndefinedBehavior, context};
use sha2::{Digest as _, Sha256};

use crate::domain::message::fenced;
use crate::domain::model::RunText;
use crate::domain::run::Run;
use crate::ports::{PortError, PortResult, Prompter};

/// The built-in template `implementer`.
pub const IMPLEMENTER: &str = include_str!("implementer.md");

pub struct BuiltIn;

impl Prompter for BuiltIn {
    fn render(&self, run: &Run, text: &RunText, lessons: &str, failure: &str) -> PortResult<String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let trouble = |e: minijinja::Error| {
            PortError::refused(format!("the template implementer does not render: {e}"))
        };
        environment.add_template("implementer", IMPLEMENTER).map_err(trouble)?;
        let template = environment.get_template("implementer").map_err(trouble)?;
        let rendered = template
            .render(context! {
                issue => context! {
                    number => run.issue.number,
                    name => format!("{}#{}", run.issue.repo.path(), run.issue.number),
                    title => fenced(&text.title),
                    body => fenced(&text.body),
                    comments => text.comments,
                },
                repo => context! { name => run.issue.repo.path(), branch => run.target_branch },
                run => context! { id => run.id, turn => run.turns },
                attempt => run.attempt,
                lessons => lessons,
                failure => failure,
            })
            .map_err(trouble)?;
        if rendered.trim().is_empty() {
            return Err(PortError::refused("the template implementer renders to nothing"));
        }
        Ok(rendered)
    }

    fn template(&self) -> String {
        let hash = Sha256::digest(IMPLEMENTER.as_bytes());
        let digits = hash.iter().take(4).map(|b| format!("{b:02x}")).collect::<Vec<_>>().concat();
        format!("implementer@{digits}")
    }
}
