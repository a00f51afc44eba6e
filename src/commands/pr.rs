//! `offhours pr`: pull requests of the local forge by hand.
//!
//! Every function takes plain values and answers with what to print, as text and as JSON.

use serde_json::{Value, json};

use super::issue::{Answer, Verb, line, planned, print, printable, said, text_from, who, words};
use super::target::IssueTarget;
use crate::app::local::{LocalForge, Method, NewReview};
use crate::domain::model::{Oid, Person, PullRequest, PullState, RepoId, Review, ReviewNote, ReviewVerdict};
use crate::error::Error;
use crate::ports::{BrokenIssue, MergeAnswer, NewPull};
use clap::{ArgAction, Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum PullCommand {
    /// Ask for a branch to be taken into another
    New(PullNew),
    /// List pull requests
    List {
        /// The repo, as NAME:owner/repo or owner/repo
        #[arg(value_name = "REPO")]
        repo: String,
        /// Also closed and merged ones
        #[arg(long)]
        all: bool,
    },
    /// Show a pull request with its reviews and comments
    Show {
        #[command(flatten)]
        pull: PullTarget,
        /// Also what it would change
        #[arg(long)]
        diff: bool,
    },
    /// Approve a pull request, ask for changes, or remark on it
    Review(PullReview),
    /// Take a pull request's branch into its target
    Merge {
        #[command(flatten)]
        pull: PullTarget,
        /// As one commit [default: by a merge commit]
        #[arg(long, conflicts_with = "rebase")]
        squash: bool,
        /// Commit by commit on top of the target
        #[arg(long)]
        rebase: bool,
        /// Only if its branch is at this commit
        #[arg(long, value_name = "COMMIT")]
        head: Option<String>,
    },
    /// Comment on a pull request
    Comment {
        #[command(flatten)]
        pull: PullTarget,
        /// The comment; - reads it from standard input
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Close a pull request without merging it
    Close(PullTarget),
    /// Open a closed pull request again
    Reopen(PullTarget),
}

#[derive(Debug, Clone, Args)]
pub struct PullTarget {
    /// The pull request, as NAME:owner/repo#N or owner/repo#N
    #[arg(value_name = "REPO#N", value_parser = IssueTarget::parse)]
    pub pull: IssueTarget,
}

#[derive(Debug, Clone, Args)]
pub struct PullNew {
    /// The repo, as NAME:owner/repo or owner/repo
    #[arg(value_name = "REPO")]
    pub repo: String,
    /// The branch
    #[arg(value_name = "BRANCH")]
    pub branch: String,
    /// The title
    #[arg(long, value_name = "T")]
    pub title: String,
    /// File with the body; - reads it from standard input
    #[arg(long, value_name = "F")]
    pub body_file: Option<PathBuf>,
    /// The branch that it is to be taken into [default: the repository's own]
    #[arg(long, value_name = "BRANCH")]
    pub into: Option<String>,
}

#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("verdict").required(true).args(["approve", "request_changes", "comment"]))]
pub struct PullReview {
    #[command(flatten)]
    pub pull: PullTarget,
    /// It is good as it is
    #[arg(long)]
    pub approve: bool,
    /// It has to be changed
    #[arg(long)]
    pub request_changes: bool,
    /// Neither; only remarks
    #[arg(long)]
    pub comment: bool,
    /// What is to be said; - reads it from standard input
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,
    /// A remark on one place; may be given more than once
    #[arg(long, num_args = 2, value_names = ["FILE:LINE", "TEXT"], action = ArgAction::Append)]
    pub on: Vec<String>,
}

/// `pr new`: asks for a branch to be taken into another.
pub fn new(forge: &LocalForge, repo: &RepoId, new: &NewPull, who: &str) -> Result<Answer, Error> {
    let pull = forge.open_pull_as(repo, new, who).map_err(said)?;
    let link = pull.link.clone().unwrap_or_default();
    Ok(Answer {
        text: format!("{repo}#{} opened: {}\n{}\n", pull.number, printable(&pull.title), printable(&link)),
        json: pull_json(repo, &pull),
    })
}

/// `pr list`: open pull requests, and the others with `all`. Files that cannot be read are told below.
pub fn list(forge: &LocalForge, repo: &RepoId, all: bool) -> Result<Answer, Error> {
    let found = forge.list_pulls(repo).map_err(said)?;
    let mut text = String::new();
    let mut items = Vec::new();
    for pull in found.pulls.iter().filter(|pull| all || pull.state == PullState::Open) {
        let state = match &pull.state {
            PullState::Open => String::new(),
            PullState::Closed | PullState::Merged { .. } => format!("  ({})", state_word(&pull.state)),
        };
        line(
            &mut text,
            &format!(
                "#{:<4} {}  [{} -> {}]{state}",
                pull.number,
                printable(&pull.title),
                pull.branch,
                pull.target
            ),
        );
        items.push(pull_json(repo, pull));
    }
    for BrokenIssue { what, number } in &found.broken {
        line(&mut text, &format!("cannot be read: {}", printable(what)));
        items.push(json!({ "number": number, "error": what }));
    }
    if text.is_empty() {
        let kind = if all { "pull requests" } else { "open pull requests" };
        text = format!("{repo} has no {kind}.\n");
    }
    Ok(Answer { text, json: Value::Array(items) })
}

/// `pr show`: one pull request with its reviews and comments, and with `diff` what it would change.
pub fn show(forge: &LocalForge, repo: &RepoId, number: u64, diff: bool) -> Result<Answer, Error> {
    let whole = forge.show_pull(repo, number).map_err(said)?;
    let pull = &whole.pull;
    let changes = if diff { Some(forge.pull_diff(repo, pull).map_err(said)?) } else { None };
    let mut text = String::new();
    line(&mut text, &format!("{repo}#{number}  {}", printable(&pull.title)));
    line(&mut text, &format!("state:   {}", state_sentence(&pull.state)));
    line(&mut text, &format!("branch:  {} at {} into {}", pull.branch, pull.head.short(), pull.target));
    if let Some(author) = &whole.author {
        line(&mut text, &format!("author:  {}", printable(author)));
    }
    if let Some(link) = &pull.link {
        line(&mut text, &format!("file:    {}", printable(link)));
    }
    if !pull.body.trim().is_empty() {
        line(&mut text, &format!("\n{}", printable(pull.body.trim_end())));
    }
    for (at, review) in whole.reviews.iter().enumerate() {
        let over = if overruled(&whole.reviews, at) { " (taken back by a later one)" } else { "" };
        let (id, by) = (printable(&review.id), person(review.author.as_ref()));
        line(&mut text, &format!("\n-- review {id} by {by}: {}{over}", verdict_word(review.verdict)));
        if !review.body.trim().is_empty() {
            line(&mut text, &printable(review.body.trim_end()));
        }
        for note in &review.notes {
            line(&mut text, &format!("{}: {}", place(note), printable(note.body.trim_end())));
        }
    }
    for comment in &whole.comments {
        let (id, by) = (printable(&comment.id), person(comment.author.as_ref()));
        line(&mut text, &format!("\n-- comment {id} by {by}\n{}", printable(comment.body.trim_end())));
    }
    if let Some(changes) = &changes {
        line(&mut text, &format!("\n{}", printable(changes.trim_end())));
    }
    let mut item = pull_json(repo, pull);
    if let Some(fields) = item.as_object_mut() {
        let reviews = whole.reviews.iter().enumerate();
        let reviews = reviews.map(|(at, review)| review_json(review, !overruled(&whole.reviews, at)));
        fields.insert("author".to_owned(), json!(whole.author));
        fields.insert("body".to_owned(), json!(pull.body));
        fields.insert("reviews".to_owned(), reviews.collect());
        fields.insert("comments".to_owned(), whole.comments.iter().map(super::issue::comment_json).collect());
        if let Some(changes) = changes {
            fields.insert("diff".to_owned(), json!(changes));
        }
    }
    Ok(Answer { text, json: item })
}

/// Whether a later review of the same author takes this verdict back. Remarks stay, and take nothing back.
fn overruled(reviews: &[Review], at: usize) -> bool {
    let Some(this) = reviews.get(at).filter(|r| r.verdict != ReviewVerdict::Commented) else { return false };
    this.author.is_some()
        && reviews
            .iter()
            .skip(at + 1)
            .any(|later| later.author == this.author && later.verdict != ReviewVerdict::Commented)
}

/// `pr review`: says something of a pull request in one go.
pub fn review(
    forge: &LocalForge,
    repo: &RepoId,
    number: u64,
    review: &NewReview,
    who: &str,
) -> Result<Answer, Error> {
    if review.verdict != ReviewVerdict::Approved && review.body.trim().is_empty() && review.notes.is_empty() {
        return Err(Error::usage(format!("reviewing {repo}#{number}: the review says nothing"))
            .hint("say it with -m TEXT or --on FILE:LINE TEXT"));
    }
    let id = forge.review_as(repo, number, review, who).map_err(said)?;
    Ok(Answer {
        text: format!("{repo}#{number} has review {id}: {}\n", verdict_word(review.verdict)),
        json: json!({ "pull": format!("{repo}#{number}"), "review": id, "verdict": verdict_word(review.verdict) }),
    })
}

/// `FILE:LINE` or `FILE`, with what is to be said there.
pub fn note(place: &str, text: &str) -> ReviewNote {
    let split = place.rsplit_once(':').and_then(|(path, number)| Some((path, number.parse::<u64>().ok()?)));
    let (path, line) = split.map_or((place, None), |(path, number)| (path, Some(number)));
    ReviewNote { path: Some(path.to_owned()), line, body: text.to_owned(), author: None, edited: false }
}

/// `pr merge`: takes the branch into its target.
pub fn merge(
    forge: &LocalForge,
    repo: &RepoId,
    number: u64,
    head: Option<&Oid>,
    method: Method,
    who: &str,
) -> Result<Answer, Error> {
    match forge.merge_as(repo, number, head, method, who).map_err(said)? {
        MergeAnswer::Merged(commit) => {
            let by = commit.as_ref().map(|c| format!(" by {}", c.short())).unwrap_or_default();
            Ok(Answer {
                text: format!("{repo}#{number} is merged{by}\n"),
                json: json!({
                    "pull": format!("{repo}#{number}"),
                    "state": "merged",
                    "commit": commit.as_ref().map(Oid::as_str),
                }),
            })
        }
        MergeAnswer::HeadMoved => Err(Error::later(format!(
            "merging {repo}#{number}: its branch is not where it was; nothing was done"
        ))
        .hint("look at it again with `offhours pr show`")),
    }
}

/// `pr close`.
pub fn close(forge: &LocalForge, repo: &RepoId, number: u64, who: &str) -> Result<Answer, Error> {
    let changed = forge.close_as(repo, number, who).map_err(said)?;
    told(forge, repo, number, changed)
}

/// `pr reopen`.
pub fn reopen(forge: &LocalForge, repo: &RepoId, number: u64) -> Result<Answer, Error> {
    let changed = forge.reopen_pull(repo, number).map_err(said)?;
    told(forge, repo, number, changed)
}

fn told(forge: &LocalForge, repo: &RepoId, number: u64, changed: bool) -> Result<Answer, Error> {
    let pull = forge.show_pull(repo, number).map_err(said)?.pull;
    let (verb, state) = (if changed { "is" } else { "was already" }, state_word(&pull.state));
    Ok(Answer {
        text: format!("{repo}#{number} {verb} {state}\n"),
        json: json!({ "pull": format!("{repo}#{number}"), "state": state, "changed": changed }),
    })
}

/// `pr comment`. An issue's number is an issue's: `offhours issue comment` is for that.
pub fn comment(
    forge: &LocalForge,
    repo: &RepoId,
    number: u64,
    body: &str,
    who: &str,
) -> Result<Answer, Error> {
    forge.show_pull(repo, number).map_err(said)?;
    super::issue::comment(forge, repo, number, body, who)
}

fn state_word(state: &PullState) -> &'static str {
    match state {
        PullState::Open => "open",
        PullState::Closed => "closed",
        PullState::Merged { .. } => "merged",
    }
}

fn state_sentence(state: &PullState) -> String {
    match state {
        PullState::Open | PullState::Closed => state_word(state).to_owned(),
        PullState::Merged { commit, by } => {
            let commit = commit.as_ref().map(|c| format!(" as {}", c.short())).unwrap_or_default();
            let by = by.as_ref().map(|by| format!(" by {}", printable(&by.login))).unwrap_or_default();
            format!("merged{commit}{by}")
        }
    }
}

fn verdict_word(verdict: ReviewVerdict) -> &'static str {
    match verdict {
        ReviewVerdict::Approved => "approved",
        ReviewVerdict::ChangesRequested => "changes-requested",
        ReviewVerdict::Commented => "commented",
        ReviewVerdict::Dismissed => "dismissed",
    }
}

fn person(person: Option<&Person>) -> String {
    person.map_or_else(|| "(unknown)".to_owned(), |p| printable(&p.login))
}

fn place(note: &ReviewNote) -> String {
    let path = note.path.as_deref().map_or_else(|| "(somewhere)".to_owned(), printable);
    note.line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"))
}

fn pull_json(repo: &RepoId, pull: &PullRequest) -> Value {
    let (commit, by) = match &pull.state {
        PullState::Merged { commit, by } => (commit.as_ref(), by.as_ref()),
        PullState::Open | PullState::Closed => (None, None),
    };
    json!({
        "pull": format!("{repo}#{}", pull.number),
        "number": pull.number,
        "title": pull.title,
        "state": state_word(&pull.state),
        "branch": pull.branch,
        "target": pull.target,
        "head": pull.head.as_str(),
        "commit": commit.map(Oid::as_str),
        "merged_by": by.map(|p| &p.login),
        "path": pull.link,
    })
}

fn review_json(review: &Review, stands: bool) -> Value {
    let notes = review.notes.iter().map(|n| json!({ "path": n.path, "line": n.line, "text": n.body }));
    json!({
        "id": review.id,
        "author": review.author.as_ref().map(|a| &a.login),
        "at": review.at.0,
        "verdict": verdict_word(review.verdict),
        "stands": stands,
        "body": review.body,
        "notes": notes.collect::<Vec<_>>(),
    })
}

fn given(args: &PullReview) -> Result<NewReview, Error> {
    let body = args.message.as_deref().map(words).transpose()?.unwrap_or_default();
    let end = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
    let verdict = if args.approve {
        ReviewVerdict::Approved
    } else if args.request_changes {
        ReviewVerdict::ChangesRequested
    } else {
        ReviewVerdict::Commented
    };
    let pairs = args.on.chunks_exact(2);
    let notes = pairs.filter_map(|pair| Some(note(pair.first()?, pair.get(1)?))).collect();
    Ok(NewReview { verdict, body: format!("{body}{end}"), notes })
}

/// `offhours pr ...`, from the command line.
pub fn run(app: &crate::app::App, command: &PullCommand) -> Result<u8, Error> {
    use PullCommand as C;
    let target = |pull: &PullTarget| -> Result<(LocalForge, RepoId, u64), Error> {
        let repo = app.repo(&pull.pull.repo)?;
        Ok((app.local_forge(&repo)?, repo, pull.pull.number))
    };
    if app.global.dry_run {
        let (what, pull) = match command {
            C::New(new) => {
                let repo = app.repo(&new.repo)?.to_string();
                return Ok(planned(app, "pr", "open a pull request in", &repo));
            }
            C::Review(args) => ("review", Some(&args.pull)),
            C::Merge { pull, .. } => ("merge", Some(pull)),
            C::Comment { pull, .. } => ("comment on", Some(pull)),
            C::Close(pull) => ("close", Some(pull)),
            C::Reopen(pull) => ("open again", Some(pull)),
            C::List { .. } | C::Show { .. } => ("", None),
        };
        if let Some(pull) = pull {
            let (forge, repo, number) = target(pull)?;
            forge.show_pull(&repo, number).map_err(said)?;
            return Ok(planned(app, "pr", what, &format!("{repo}#{number}")));
        }
    }
    let at =
        |pull: &PullTarget, verb: Verb<'_>| target(pull).and_then(|(forge, repo, n)| verb(&forge, &repo, n));
    let answer = match command {
        C::New(args) => {
            let repo = app.repo(&args.repo)?;
            let forge = app.local_forge(&repo)?;
            let body = args.body_file.as_deref().map(text_from).transpose()?.unwrap_or_default();
            let target = match &args.into {
                Some(target) => target.clone(),
                None => forge.default_branch(&repo).map_err(said)?,
            };
            let wanted = NewPull { title: args.title.clone(), body, branch: args.branch.clone(), target };
            new(&forge, &repo, &wanted, &who())?
        }
        C::List { repo, all } => {
            let repo = app.repo(repo)?;
            list(&app.local_forge(&repo)?, &repo, *all)?
        }
        C::Show { pull, diff } => at(pull, &|forge, repo, number| show(forge, repo, number, *diff))?,
        C::Review(args) => {
            at(&args.pull, &|forge, repo, number| review(forge, repo, number, &given(args)?, &who()))?
        }
        C::Merge { pull, squash, rebase, head } => at(pull, &|forge, repo, number| {
            let method = match (squash, rebase) {
                (true, _) => Method::Squash,
                (false, true) => Method::Rebase,
                (false, false) => Method::MergeCommit,
            };
            let head = head.as_deref().map(oid).transpose()?;
            merge(forge, repo, number, head.as_ref(), method, &who())
        })?,
        C::Comment { pull, text } => {
            at(pull, &|forge, repo, number| comment(forge, repo, number, &words(text)?, &who()))?
        }
        C::Close(pull) => at(pull, &|forge, repo, number| close(forge, repo, number, &who()))?,
        C::Reopen(pull) => at(pull, &reopen)?,
    };
    Ok(print(app, "pr", &answer))
}

fn oid(text: &str) -> Result<Oid, Error> {
    Oid::parse(text).ok_or_else(|| {
        Error::usage("--head is no whole name of a commit").hint("`offhours pr show --json` tells the head")
    })
}
