//! What an agent is told: a template's text, rendered strictly. Nothing half is ever sent.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior, context};
use sha2::{Digest as _, Sha256};

use crate::adapters::runner::output::lower_hex;
use crate::domain::escape::fenced;
use crate::domain::escape::sanitize;
use crate::domain::model::RunText;
use crate::domain::run::Run;
use crate::domain::template::{BUILT_IN, MAX_BYTES};
use crate::ports::{PortError, PortResult, Prompter, TemplateContent, TemplateSource, TemplateText};

/// The text of the built-in template.
pub const IMPLEMENTER: &str = include_str!("implementer.md");

/// Everything that a template may name.
const VARIABLES: [&str; 12] = [
    "issue.number",
    "issue.name",
    "issue.title",
    "issue.body",
    "issue.comments",
    "repo.name",
    "repo.branch",
    "run.id",
    "run.turn",
    "attempt",
    "lessons",
    "failure",
];

/// Renders templates, and knows the built-in one and the files that the configuration lists.
pub struct Prompts {
    pub files: Vec<(String, PathBuf)>,
}

/// What a template is rendered with.
struct Words<'a> {
    number: u64,
    repo: &'a str,
    branch: &'a str,
    run: &'a str,
    turn: u32,
    attempt: u32,
    title: &'a str,
    body: &'a str,
    comments: &'a str,
    lessons: &'a str,
    failure: &'a str,
}

impl Prompter for Prompts {
    fn render(
        &self,
        template: &TemplateText,
        run: &Run,
        text: &RunText,
        lessons: &str,
        failure: &str,
    ) -> PortResult<String> {
        let words = Words {
            number: run.issue.number,
            repo: &run.issue.repo.path(),
            branch: &run.target_branch,
            run: &run.id,
            turn: run.turns,
            attempt: run.attempt,
            title: &text.title,
            body: &text.body,
            comments: &text.comments,
            lessons,
            failure,
        };
        render(&template.label, &template.body, &words)
    }

    fn sources(&self) -> Vec<TemplateSource> {
        let built_in = TemplateSource {
            name: BUILT_IN.to_owned(),
            origin: "built in".to_owned(),
            built_in: true,
            content: Ok(content(IMPLEMENTER.to_owned())),
        };
        let listed = self.files.iter().map(|(name, path)| TemplateSource {
            name: name.clone(),
            origin: path.display().to_string(),
            built_in: false,
            content: read(path),
        });
        std::iter::once(built_in).chain(listed).collect()
    }
}

/// Reads a template's file and tries it out.
///
/// # Errors
/// `Refused` with a sentence where it cannot be read, is empty, too large, not UTF-8, or does not render.
pub fn read(path: &Path) -> PortResult<TemplateContent> {
    let doing = format!("reading the template {}", path.display());
    let refused = |what: String| PortError::refused(format!("{doing}: {what}"));
    let meta = std::fs::metadata(path).map_err(|e| refused(e.to_string()))?;
    if !meta.is_file() {
        return Err(refused("it is not a file".to_owned()));
    }
    let too_large = |bytes: u64| {
        refused(format!("it has {bytes} bytes, and a template may have {MAX_BYTES}; is it the right file?"))
    };
    if meta.len() > MAX_BYTES as u64 {
        return Err(too_large(meta.len()));
    }
    let bytes = std::fs::read(path).map_err(|e| refused(e.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_odd| refused("it is not UTF-8 text; save it as UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Err(refused("it is empty".to_owned()));
    }
    try_out(&text).map_err(refused)?;
    Ok(content(text))
}

fn content(body: String) -> TemplateContent {
    let hash = lower_hex(&Sha256::digest(body.as_bytes()));
    TemplateContent { body, hash }
}

/// Names every unknown variable, then renders it as first and as corrective turns would.
fn try_out(body: &str) -> Result<(), String> {
    let mut environment = strict();
    environment.add_template("template", body).map_err(|e| one_line(&e))?;
    let template = environment.get_template("template").map_err(|e| one_line(&e))?;
    let known: BTreeSet<&str> = VARIABLES.into_iter().collect();
    // A function of the template language is no variable.
    let functions = ["range", "dict", "debug", "namespace"];
    let mut unknown: Vec<String> = template
        .undeclared_variables(true)
        .into_iter()
        .filter(|name| !known.contains(name.as_str()) && !functions.contains(&name.as_str()))
        .filter(|name| !known.iter().any(|k| k.split('.').next() == Some(name.as_str())))
        .collect();
    unknown.sort();
    if !unknown.is_empty() {
        let list = VARIABLES.join(", ");
        return Err(format!("it names {}, which is not known; there are: {list}", unknown.join(", ")));
    }
    for (lessons, failure, comments) in [
        ("", "", ""),
        ("Something went wrong.", "", "ada wrote: yes"),
        ("", "These checks failed: test.", ""),
    ] {
        let words = Words {
            number: 1,
            repo: "owner/name",
            branch: "main",
            run: "r0000000",
            turn: if failure.is_empty() { 1 } else { 2 },
            attempt: 1,
            title: "A title",
            body: "A text",
            comments,
            lessons,
            failure,
        };
        render("it", body, &words).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn strict() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// What is wrong, with its line, in one.
fn one_line(error: &minijinja::Error) -> String {
    let line = error.line().map_or(String::new(), |line| format!(" (line {line})"));
    let detail =
        error.detail().map_or_else(|| error.kind().to_string(), |d| format!("{}: {d}", error.kind()));
    format!("{}{line}", sanitize(&detail, 400))
}

fn render(label: &str, body: &str, words: &Words<'_>) -> PortResult<String> {
    let trouble = |e: minijinja::Error| {
        PortError::refused(format!("the template {label} does not render: {}", one_line(&e)))
    };
    let rendered = strict()
        .render_str(
            body,
            context! {
                issue => context! {
                    number => words.number,
                    name => format!("{}#{}", words.repo, words.number),
                    title => fenced(words.title),
                    body => fenced(words.body),
                    comments => words.comments,
                },
                repo => context! { name => words.repo, branch => words.branch },
                run => context! { id => words.run, turn => words.turn },
                attempt => words.attempt,
                lessons => words.lessons,
                failure => words.failure,
            },
        )
        .map_err(trouble)?;
    if rendered.trim().is_empty() {
        return Err(PortError::refused(format!("the template {label} renders to nothing")));
    }
    Ok(rendered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.md");
        std::fs::write(&path, body).unwrap();
        read(&path).map(|c| c.hash).map_err(|e| e.to_string()).unwrap_or_else(|e| e)
    }

    #[test]
    fn the_built_in_template_is_good() {
        try_out(IMPLEMENTER).unwrap();
        assert_eq!(said(IMPLEMENTER.as_bytes()), content(IMPLEMENTER.to_owned()).hash);
        assert_eq!(said(IMPLEMENTER.as_bytes()).len(), 64);
    }

    #[test]
    fn what_is_no_template_is_a_sentence() {
        let huge = vec![b'a'; MAX_BYTES + 1];
        for (body, wanted) in [
            (b"".as_slice(), "it is empty"),
            (b" \n\t", "it is empty"),
            (&huge, "100001 bytes"),
            (b"\xff\xfe", "not UTF-8"),
            (b"{{ nobody }} {{ issue.colour }}", "it names issue.colour, nobody, which is not known"),
            (b"{% if false %}{{ secret }}{% endif %}x", "it names secret"),
            (b"{% if attempt %}", "syntax error"),
            (b"{{ issue.title|nope }}", "unknown filter"),
            (b"{% if failure %}x{% endif %}", "renders to nothing"),
            (b"{% include 'other' %}", "syntax error"),
        ] {
            let said = said(body);
            assert!(said.contains(wanted), "{said}");
            assert!(!said.contains('\n'), "{said}");
        }
        let gone = read(Path::new("/nowhere/t.md")).unwrap_err().to_string();
        assert!(gone.starts_with("reading the template /nowhere/t.md: "), "{gone}");
        assert!(read(Path::new("/")).unwrap_err().to_string().contains("not a file"));
    }

    #[test]
    fn words_of_the_issue_are_not_rendered_again() {
        let words = Words {
            number: 7,
            repo: "o/r",
            branch: "main",
            run: "r1",
            turn: 1,
            attempt: 1,
            title: "{{ lessons }}",
            body: "{% raw %}",
            comments: "{{ failure }}",
            lessons: "LESSON",
            failure: "",
        };
        let told = render("t", "{{ issue.title }}{{ issue.body }}{{ issue.comments }}", &words).unwrap();
        assert!(
            told.contains("{{ lessons }}") && told.contains("{% raw %}") && !told.contains("LESSON"),
            "{told}"
        );
    }
}
