//! What an agent is told.

use super::error::PortResult;
use crate::domain::model::RunText;
use crate::domain::run::Run;

/// The version of a template by which a run's agent is told what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateText {
    /// `name@version`, for people.
    pub label: String,
    pub body: String,
}

/// A template as it stands in its file now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateContent {
    pub body: String,
    /// SHA-256 of the body, lower-case hex.
    pub hash: String,
}

/// Where a template comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSource {
    pub name: String,
    /// The path of its file, or that it is built in.
    pub origin: String,
    pub built_in: bool,
    pub content: PortResult<TemplateContent>,
}

/// Renders what an agent is told; strict, so that nothing half is ever sent.
pub trait Prompter {
    /// `lessons` and `failure` are prepared; each may be empty. `Refused` where it does not render, or to nothing.
    fn render(
        &self,
        template: &TemplateText,
        run: &Run,
        text: &RunText,
        lessons: &str,
        failure: &str,
    ) -> PortResult<String>;
    /// The built-in template, and those whose files the configuration lists.
    fn sources(&self) -> Vec<TemplateSource>;
}
