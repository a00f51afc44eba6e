//! `offhours issue`: the local forge by hand.
//!
//! Every function takes plain values and answers with what to print, as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::hand::by_hand;
use super::target::IssueArg;
use crate::app::local::{LocalForge, NewIssue};
use crate::domain::model::{Blocker, Comment, Issue, RepoId, Seen};
use crate::error::Error;
use crate::ports::{BrokenIssue, Forge as _, PortError};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum IssueCommand {
    /// Open an issue
    New(IssueNew),
    /// List issues
    List {
        /// The repo, as NAME:owner/repo or owner/repo
        #[arg(value_name = "REPO")]
        repo: String,
        /// Only issues with this label; with several, all of them
        #[arg(long = "label", value_name = "L")]
        labels: Vec<String>,
        /// Also closed issues
        #[arg(long)]
        all: bool,
    },
    /// Show an issue with its comments
    Show(IssueArg),
    /// Put labels on an issue, or take them away
    Label(IssueLabel),
    /// Comment on an issue
    Comment {
        #[command(flatten)]
        issue: IssueArg,
        /// The comment; - reads it from standard input
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Close an issue
    Close(IssueArg),
    /// Open a closed issue again
    Reopen(IssueArg),
}

#[derive(Debug, Clone, Args)]
pub struct IssueNew {
    /// The repo, as NAME:owner/repo or owner/repo
    #[arg(value_name = "REPO")]
    pub repo: String,
    /// The title
    #[arg(long, value_name = "T")]
    pub title: String,
    /// File with the body; - reads it from standard input
    #[arg(long, value_name = "F")]
    pub body_file: Option<PathBuf>,
    /// A label; may be given more than once
    #[arg(long = "label", value_name = "L")]
    pub labels: Vec<String>,
    /// Priority; larger goes first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<i64>,
    /// Number of an issue that has to be closed first; may be given more than once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub blocked_by: Vec<u64>,
}

#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["add", "remove"]))]
pub struct IssueLabel {
    #[command(flatten)]
    pub issue: IssueArg,
    /// A label to put on; may be given more than once
    #[arg(long, value_name = "L")]
    pub add: Vec<String>,
    /// A label to take away; may be given more than once
    #[arg(long, value_name = "L")]
    pub remove: Vec<String>,
}

/// What a verb has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// For people; ends with a line end.
    pub text: String,
    /// One item of the envelope; `list` gives an array of them.
    pub json: Value,
}

/// `issue new`: writes an issue and tells its number.
#[expect(clippy::too_many_arguments, reason = "one a flag")]
pub fn new(
    forge: &LocalForge,
    repo: &RepoId,
    title: &str,
    body: &str,
    labels: &[String],
    priority: Option<i64>,
    blocked_by: &[u64],
    who: &str,
) -> Result<Answer, Error> {
    // A text file ends with a line end, so that people can go on writing below.
    let end = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
    let issue = NewIssue {
        title: title.to_owned(),
        body: format!("{body}{end}"),
        labels: labels.to_vec(),
        priority,
        blocked_by: blocked_by.to_vec(),
        by: who.to_owned(),
    };
    let number = forge.new_issue(repo, &issue).map_err(said)?;
    let path = forge.new_issue_path(repo, number).map_err(said)?;
    Ok(Answer {
        text: format!(
            "{repo}#{number} written: {}\n{}\n",
            printable(title),
            printable(&path.display().to_string())
        ),
        json: json!({ "issue": format!("{repo}#{number}"), "number": number, "path": path }),
    })
}

/// `issue list`: open issues, and closed ones with `all`. Files that cannot be read are told below.
pub fn list(forge: &LocalForge, repo: &RepoId, labels: &[String], all: bool) -> Result<Answer, Error> {
    let found = forge.list_all(repo).map_err(said)?;
    let mut text = String::new();
    let mut items = Vec::new();
    for issue in
        found.issues.iter().filter(|issue| (all || issue.open) && labels.iter().all(|l| issue.has_label(l)))
    {
        let state = if issue.open { "" } else { "  (closed)" };
        let labels = match issue.labels.join(", ") {
            labels if labels.is_empty() => labels,
            labels => format!("  [{}]", printable(&labels)),
        };
        line(&mut text, &format!("#{:<4} {}{labels}{state}", issue.number, printable(&issue.title)));
        items.push(issue_json(repo, issue));
    }
    for BrokenIssue { what, number } in &found.broken {
        line(&mut text, &format!("cannot be read: {}", printable(what)));
        items.push(json!({ "number": number, "error": what }));
    }
    if text.is_empty() {
        let kind = if all { "issues" } else { "open issues" };
        text = format!("{repo} has no {kind}.\n");
    }
    Ok(Answer { text, json: Value::Array(items) })
}

/// `issue show`: one issue with what it waits for and its comments.
pub fn show(forge: &LocalForge, repo: &RepoId, number: u64) -> Result<Answer, Error> {
    let whole = forge.show(repo, number).map_err(said)?;
    let issue = &whole.issue;
    let mut text = String::new();
    line(&mut text, &format!("{repo}#{number}  {}", printable(&issue.title)));
    line(&mut text, &format!("state:    {}", state(issue.open)));
    if !issue.labels.is_empty() {
        line(&mut text, &format!("labels:   {}", printable(&issue.labels.join(", "))));
    }
    if let Some(priority) = issue.priority {
        line(&mut text, &format!("priority: {priority}"));
    }
    for blocker in &whole.blockers {
        line(&mut text, &format!("blocked by {} ({})", blocker.name, printable(&blocker_state(blocker))));
    }
    if let Some(author) = &issue.author {
        line(&mut text, &format!("author:   {}", printable(&author.login)));
    }
    if !issue.body.trim().is_empty() {
        line(&mut text, &format!("\n{}", printable(issue.body.trim_end())));
    }
    for comment in &whole.comments {
        let by = comment.author.as_ref().map_or("(unknown)", |a| a.login.as_str());
        let by = printable(by);
        line(
            &mut text,
            &format!("\n-- {} by {by}\n{}", printable(&comment.id), printable(comment.body.trim_end())),
        );
    }
    let mut item = issue_json(repo, issue);
    if let Some(fields) = item.as_object_mut() {
        fields.insert("body".to_owned(), json!(issue.body));
        fields.insert("blocked_by".to_owned(), whole.blockers.iter().map(blocker_json).collect());
        fields.insert("comments".to_owned(), whole.comments.iter().map(comment_json).collect());
    }
    Ok(Answer { text, json: item })
}

/// `issue label`: puts labels on and takes labels off, in this order.
pub fn label(
    forge: &LocalForge,
    repo: &RepoId,
    number: u64,
    add: &[String],
    remove: &[String],
    who: &str,
) -> Result<Answer, Error> {
    if add.is_empty() && remove.is_empty() {
        return Err(Error::usage(format!("labelling {repo}#{number}: no label was named"))
            .hint("name labels to add or to remove"));
    }
    let mut text = String::new();
    let mut changed = false;
    let wanted = add.iter().map(|l| (l, true)).chain(remove.iter().map(|l| (l, false)));
    for (label, present) in wanted {
        let done = forge.label_as(repo, number, label, present, who).map_err(said)?;
        changed |= done;
        let what = match (done, present) {
            (true, true) => "is labelled",
            (true, false) => "is no longer labelled",
            (false, true) => "was labelled already:",
            (false, false) => "was not labelled",
        };
        line(&mut text, &format!("{repo}#{number} {what} {}", printable(label)));
    }
    Ok(Answer { text, json: json!({ "issue": format!("{repo}#{number}"), "changed": changed }) })
}

/// `issue comment`: adds a comment and tells its id.
pub fn comment(
    forge: &LocalForge,
    repo: &RepoId,
    number: u64,
    body: &str,
    who: &str,
) -> Result<Answer, Error> {
    if body.trim().is_empty() {
        return Err(Error::usage(format!("commenting on {repo}#{number}: the comment is empty"))
            .hint("give it some text"));
    }
    let end = if body.ends_with('\n') { "" } else { "\n" };
    let id = forge.comment_as(repo, number, &format!("{body}{end}"), who).map_err(said)?;
    Ok(Answer {
        text: format!("{repo}#{number} has comment {id}\n"),
        json: json!({ "issue": format!("{repo}#{number}"), "comment": id }),
    })
}

/// `issue close`.
pub fn close(forge: &LocalForge, repo: &RepoId, number: u64) -> Result<Answer, Error> {
    change_open(forge, repo, number, false)
}

/// `issue reopen`.
pub fn reopen(forge: &LocalForge, repo: &RepoId, number: u64) -> Result<Answer, Error> {
    change_open(forge, repo, number, true)
}

fn change_open(forge: &LocalForge, repo: &RepoId, number: u64, open: bool) -> Result<Answer, Error> {
    let changed = forge.change_open(repo, number, open).map_err(said)?;
    let verb = if changed { "is" } else { "was already" };
    Ok(Answer {
        text: format!("{repo}#{number} {verb} {}\n", state(open)),
        json: json!({ "issue": format!("{repo}#{number}"), "state": state(open), "changed": changed }),
    })
}

fn state(open: bool) -> &'static str {
    if open { "open" } else { "closed" }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
pub(super) fn said(error: PortError) -> Error {
    by_hand(&error)
}

pub(super) fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Text from files, fit for a terminal: control characters besides line end and tab are shown escaped.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            // Writing to a String does not fail.
            write!(out, "{}", c.escape_default()).ok();
        } else {
            out.push(c);
        }
    }
    out
}

fn issue_json(repo: &RepoId, issue: &Issue) -> Value {
    json!({
        "issue": format!("{repo}#{}", issue.number),
        "number": issue.number,
        "title": issue.title,
        "state": state(issue.open),
        "labels": issue.labels,
        "priority": issue.priority,
        "author": issue.author.as_ref().map(|a| &a.login),
        "updated_at": issue.updated_at.0,
    })
}

fn blocker_state(blocker: &Blocker) -> String {
    match &blocker.open {
        Seen::Known(open) => state(*open).to_owned(),
        Seen::Unreadable(why) => why.clone(),
    }
}

fn blocker_json(blocker: &Blocker) -> Value {
    match &blocker.open {
        Seen::Known(open) => json!({ "issue": blocker.name, "state": state(*open) }),
        Seen::Unreadable(why) => json!({ "issue": blocker.name, "state": null, "error": why }),
    }
}

pub(super) fn comment_json(comment: &Comment) -> Value {
    json!({
        "id": comment.id,
        "author": comment.author.as_ref().map(|a| &a.login),
        "at": comment.at.0,
        "body": comment.body,
    })
}

/// The person at the keyboard, as the tracker names them.
pub fn who() -> String {
    #[expect(clippy::disallowed_methods, reason = "who labels is who is logged in")]
    let named = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    named.ok().filter(|n| !n.is_empty()).unwrap_or_else(|| "owner".to_owned())
}

/// Text given on the command line, from a file, or (`-`) from standard input.
pub(super) fn text_from(path: &std::path::Path) -> Result<String, Error> {
    let unreadable = |e: std::io::Error| Error::usage(format!("{} could not be read: {e}", path.display()));
    if path.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).map_err(unreadable);
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// The same given in words, where they are not `-`.
pub(super) fn words(text: &str) -> Result<String, Error> {
    if text == "-" { text_from(std::path::Path::new("-")) } else { Ok(text.to_owned()) }
}

/// What a verb does with one issue or pull request.
pub(super) type Verb<'a> = &'a dyn Fn(&LocalForge, &RepoId, u64) -> Result<Answer, Error>;

pub(super) fn print(app: &crate::app::App, command: &str, answer: &Answer) -> u8 {
    let items = answer.json.as_array().cloned().unwrap_or_else(|| vec![answer.json.clone()]);
    super::output::answer(&app.global, command, &answer.text, &items);
    0
}

/// Prints what a verb would do that writes at once.
pub(super) fn planned(app: &crate::app::App, command: &str, what: &str, of: &str) -> u8 {
    let text = format!("dry run: would {what} {of}\n");
    super::output::answer(&app.global, command, &text, &[json!({ "would": what, "of": of })]);
    0
}

/// `offhours issue ...`, from the command line.
pub fn run(app: &crate::app::App, command: &IssueCommand) -> Result<u8, Error> {
    use IssueCommand as C;
    let target = |issue: &IssueArg| -> Result<(LocalForge, RepoId, u64), Error> {
        let repo = app.repo(&issue.issue.repo)?;
        Ok((app.local_forge(&repo)?, repo, issue.issue.number))
    };
    if app.global.dry_run {
        let (what, issue) = match command {
            C::New(new) => {
                return Ok(planned(app, "issue", "open an issue in", &app.repo(&new.repo)?.to_string()));
            }
            C::Label(args) => ("label", Some(&args.issue)),
            C::Comment { issue, .. } => ("comment on", Some(issue)),
            C::Close(issue) => ("close", Some(issue)),
            C::Reopen(issue) => ("open again", Some(issue)),
            C::List { .. } | C::Show(_) => ("", None),
        };
        if let Some(issue) = issue {
            let (forge, repo, number) = target(issue)?;
            forge.issue(&repo, number).map_err(said)?;
            return Ok(planned(app, "issue", what, &format!("{repo}#{number}")));
        }
    }
    let at =
        |issue: &IssueArg, verb: Verb<'_>| target(issue).and_then(|(forge, repo, n)| verb(&forge, &repo, n));
    let answer = match command {
        C::New(new_issue) => {
            let repo = app.repo(&new_issue.repo)?;
            let body = new_issue.body_file.as_deref().map(text_from).transpose()?.unwrap_or_default();
            let n = new_issue;
            new(
                &app.local_forge(&repo)?,
                &repo,
                &n.title,
                &body,
                &n.labels,
                n.priority,
                &n.blocked_by,
                &who(),
            )?
        }
        C::List { repo, labels, all } => {
            let repo = app.repo(repo)?;
            list(&app.local_forge(&repo)?, &repo, labels, *all)?
        }
        C::Show(issue) => at(issue, &show)?,
        C::Label(args) => at(&args.issue, &|forge, repo, number| {
            label(forge, repo, number, &args.add, &args.remove, &who())
        })?,
        C::Comment { issue, text } => {
            at(issue, &|forge, repo, number| comment(forge, repo, number, &words(text)?, &who()))?
        }
        C::Close(issue) => at(issue, &close)?,
        C::Reopen(issue) => at(issue, &reopen)?,
    };
    Ok(print(app, "issue", &answer))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::rc::Rc;

    use super::*;
    use crate::app::local::init_repo;
    use crate::domain::model::UnixTime;
    use crate::error::Kind;
    use crate::ports::Clock;

    struct At(i64);
    impl Clock for At {
        fn now(&self) -> UnixTime {
            UnixTime(self.0)
        }
    }

    fn world(root: &Path) -> (LocalForge, RepoId) {
        init_repo(root, "ann", "tool").unwrap();
        let forge = LocalForge::new(root.to_owned(), Rc::new(At(1_782_907_200)), "offhours");
        (forge, RepoId::parse("here:ann/tool", None).unwrap())
    }

    #[test]
    fn a_persons_day() {
        let root = tempfile::tempdir().unwrap();
        let (forge, repo) = world(root.path());
        assert_eq!(list(&forge, &repo, &[], false).unwrap().text, "here:ann/tool has no open issues.\n");
        let written = new(&forge, &repo, "First", "", &[], None, &[], "ann").unwrap();
        assert_eq!(written.json["number"], 1);
        new(&forge, &repo, "Second", "Do \u{1b}[2J it.", &["ready".to_owned()], Some(4), &[1, 8], "ann")
            .unwrap();
        let said = label(&forge, &repo, 2, &["Ready".to_owned()], &["no".to_owned()], "bob").unwrap();
        assert_eq!(
            said.text,
            "here:ann/tool#2 was labelled already: Ready\nhere:ann/tool#2 was not labelled no\n"
        );
        assert_eq!(said.json["changed"], false);
        comment(&forge, &repo, 2, "Please hurry.", "bob").unwrap();
        assert_eq!(close(&forge, &repo, 1).unwrap().text, "here:ann/tool#1 is closed\n");
        assert_eq!(close(&forge, &repo, 1).unwrap().text, "here:ann/tool#1 was already closed\n");
        insta::assert_snapshot!(show(&forge, &repo, 2).unwrap().text, @r"
        here:ann/tool#2  Second
        state:    open
        labels:   ready
        priority: 4
        blocked by #1 (closed)
        blocked by #8 (ann/tool has no issue 8: there is no file ann/tool/issues/0008.md)
        author:   ann

        Do \u{1b}[2J it.

        -- 0001 by bob
        Please hurry.
        ");
        insta::assert_snapshot!(list(&forge, &repo, &[], true).unwrap().text, @r"
        #1    First  (closed)
        #2    Second  [ready]
        ");
        assert_eq!(reopen(&forge, &repo, 1).unwrap().json["state"], "open");
        let shown = show(&forge, &repo, 2).unwrap().json;
        assert_eq!(shown["blocked_by"][0], json!({ "issue": "#1", "state": "open" }));
        assert_eq!(shown["comments"][0]["author"], "bob");
    }

    #[test]
    fn mistakes_get_a_sentence_and_a_code() {
        let root = tempfile::tempdir().unwrap();
        let (forge, repo) = world(root.path());
        let kind = |answer: Result<Answer, Error>| answer.unwrap_err().kind;
        assert_eq!(kind(show(&forge, &repo, 9)), Kind::Usage);
        assert_eq!(kind(comment(&forge, &repo, 9, "x", "ann")), Kind::Usage);
        assert_eq!(kind(comment(&forge, &repo, 1, " ", "ann")), Kind::Usage);
        assert_eq!(kind(label(&forge, &repo, 1, &[], &[], "ann")), Kind::Usage);
        assert_eq!(kind(new(&forge, &repo, " ", "", &[], None, &[], "ann")), Kind::Usage);
        let other = RepoId::parse("here:ann/none", None).unwrap();
        assert_eq!(kind(list(&forge, &other, &[], true)), Kind::Usage);
        std::fs::write(root.path().join("ann/tool/issues/0001.md"), "hello").unwrap();
        assert_eq!(kind(show(&forge, &repo, 1)), Kind::TryLater);
        assert!(
            list(&forge, &repo, &[], true)
                .unwrap()
                .text
                .starts_with("cannot be read: ann/tool/issues/0001.md, line 1")
        );
    }
}
