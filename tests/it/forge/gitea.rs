//! The API of Gitea and Forgejo, as far as it is used, with what bites there and with what differs between the two.

use serde_json::{Value, json};

use super::github::moment;
use super::{Ask, CheckRun, Dialect, Issue, Model, Pull, Reply};

/// A page has no more entries, whatever was asked for.
const MOST: usize = 50;

fn user(model: &Model, login: &str) -> Value {
    if login.is_empty() {
        return actor(model, None);
    }
    let account = model.people.get(login).cloned().unwrap_or_default();
    let id = i64::try_from(account.id).unwrap();
    let email = format!("{}@noreply.example.test", login.trim_end_matches("[bot]"));
    json!({ "id": if account.bot { -2 } else { id }, "login": login, "full_name": "", "email": email })
}

fn actor(model: &Model, login: Option<&String>) -> Value {
    login.map_or_else(|| json!({ "id": -1, "login": "Ghost" }), |login| user(model, login))
}

fn label(model: &Model, repo: &str, name: &str) -> Value {
    let labels = &model.repos[repo].labels;
    let id = labels.iter().find(|(_, l)| l.eq_ignore_ascii_case(name)).map_or(0, |(id, _)| *id);
    let url = format!("https://forge.invalid/api/v1/repos/{repo}/labels/{id}");
    json!({ "id": id, "name": name, "color": "ededed", "url": url })
}

fn issue(model: &Model, repo: &str, issue: &Issue) -> Value {
    let labels: Vec<Value> = issue.labels.iter().map(|l| label(model, repo, l)).collect();
    let mut value = json!({
        "id": issue.id, "number": issue.number, "title": issue.title, "body": issue.body,
        "state": if issue.open { "open" } else { "closed" },
        "labels": if labels.is_empty() { Value::Null } else { json!(labels) },
        "user": user(model, &issue.by), "comments": issue.comments.len(), "pull_request": null,
        "created_at": moment(issue.created), "updated_at": moment(issue.updated),
        "repository": { "id": model.repos[repo].id, "full_name": repo },
    });
    if issue.pull {
        value["pull_request"] = json!({ "merged": false });
    }
    if model.content_version {
        value["content_version"] = json!(issue.edits.len());
    }
    value
}

fn comment(model: &Model, comment: &super::Comment) -> Value {
    json!({ "id": comment.id, "user": user(model, &comment.by), "body": comment.body,
        "created_at": moment(comment.at), "updated_at": moment(comment.edited.unwrap_or(comment.at)) })
}

/// One page, with the number of all entries, and a link that leads to the server's own idea of its address.
fn page(ask: &Ask<'_>, key: Option<&str>, entries: Vec<Value>) -> Reply {
    let per: usize =
        ask.query.get("limit").and_then(|p| p.parse().ok()).unwrap_or(30).min(MOST).min(ask.most);
    let number: usize = ask.query.get("page").and_then(|p| p.parse().ok()).unwrap_or(1);
    let total = entries.len();
    let some: Vec<Value> = entries.into_iter().skip((number - 1) * per).take(per).collect();
    let body = match key {
        None => json!(some),
        Some(key) => json!({ "total_count": total, key: some }),
    };
    let reply = Reply::json(200, &body).with("x-total-count", total.to_string());
    if total <= number * per {
        return reply;
    }
    reply.with("link", format!("<https://forge.invalid/api/v1/x?page={}>; rel=\"next\"", number + 1))
}

fn refused() -> Reply {
    Reply::error(403, "user should have a permission to write to a repo")
}

fn not_found() -> Reply {
    Reply::error(404, "The target couldn't be found.")
}

pub fn answer(model: &mut Model, ask: &Ask<'_>) -> Reply {
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["user"] => Reply::json(200, &user(model, ask.login)),
        ["repos", owner, name, rest @ ..] => {
            let repo = format!("{owner}/{name}");
            let Some(found) = model.repos.get(&repo) else { return not_found() };
            if found.renamed {
                return Reply::empty(301).with("location", format!("{}/repositories/{}", ask.base, found.id));
            }
            in_repo(model, ask, &repo, rest)
        }
        _ => not_found(),
    }
}

fn in_repo(model: &mut Model, ask: &Ask<'_>, repo: &str, path: &[&str]) -> Reply {
    let (method, writer) = (ask.method, model.may_write(repo, ask.login));
    match (method, path) {
        ("GET", []) => {
            let found = &model.repos[repo];
            let may = json!({ "admin": model.permission(repo, ask.login) == "admin", "push": writer, "pull": true });
            Reply::json(
                200,
                &json!({ "id": found.id, "full_name": repo, "default_branch": "main", "private": false,
                "archived": false, "mirror": false, "has_issues": true, "permissions": may }),
            )
        }
        ("GET", ["collaborators", who, "permission"]) => {
            let admin = model.permission(repo, ask.login) == "admin";
            if !(admin || *who == ask.login) || model.unreadable.contains(*who) {
                return Reply::error(
                    403,
                    "Only admins can query all permissions, repo admins can query all repo permissions, collaborators can query only their own",
                );
            }
            if !model.people.contains_key(*who) {
                return not_found();
            }
            let held =
                if repo.starts_with(&format!("{who}/")) { "owner" } else { model.permission(repo, who) };
            Reply::json(200, &json!({ "permission": held, "role_name": "", "user": user(model, who) }))
        }
        ("GET", ["branches", "main"]) if model.repos[repo].hides_rules => refused(),
        ("GET", ["branches", "main"]) => {
            let found = &model.repos[repo];
            Reply::json(
                200,
                &json!({ "name": "main", "protected": found.protected, "enable_status_check": found.protected,
                    "status_check_contexts": found.required, "effective_branch_protection_name": "" }),
            )
        }
        ("GET", ["labels"]) => {
            let names: Vec<String> = model.repos[repo].labels.iter().map(|(_, l)| l.clone()).collect();
            page(ask, None, names.iter().map(|l| label(model, repo, l)).collect())
        }
        ("POST", ["labels"]) => {
            if !writer {
                return refused();
            }
            let name = ask.body["name"].as_str().unwrap_or_default().to_owned();
            if !ask.body["color"].as_str().unwrap_or_default().starts_with('#') {
                return Reply::error(422, "color: invalid");
            }
            let id = model.id();
            model.repo(repo).labels.push((id, name.clone()));
            Reply::json(201, &label(model, repo, &name))
        }
        ("GET", ["issues"]) => {
            let known = |w: &String| model.repos[repo].labels.iter().any(|(_, l)| l.eq_ignore_ascii_case(w));
            // A name that no label has is left out of the filter.
            let wanted: Vec<String> = ask
                .query
                .get("labels")
                .map(|l| l.split(',').map(str::to_owned).filter(known).collect())
                .unwrap_or_default();
            let pulls = ask.query.get("type").is_none_or(|t| t != "issues");
            let fits = |i: &&Issue| {
                i.open
                    && !i.moved
                    && !i.deleted
                    && (pulls || !i.pull)
                    && wanted.iter().all(|w| i.labels.iter().any(|l| l.eq_ignore_ascii_case(w)))
            };
            page(
                ask,
                None,
                model.repos[repo].issues.iter().filter(fits).map(|i| issue(model, repo, i)).collect(),
            )
        }
        // A branch by its name, too.
        ("GET", ["commits", "main", "statuses"]) => page(ask, None, vec![]),
        ("GET", ["commits", sha, "statuses"]) => page(ask, None, statuses(model, repo, sha)),
        ("POST", ["statuses", sha]) => {
            if !writer {
                return refused();
            }
            let word = |key: &str| ask.body[key].as_str().unwrap_or_default().to_owned();
            let url = Some(word("target_url")).filter(|url| !url.is_empty());
            let id = model.status(repo, sha, &word("context"), &word("state"), ask.login, url.as_deref());
            let made = model.repos[repo].statuses.iter().find(|s| s.id == id).unwrap();
            Reply::json(201, &one_status(model, made))
        }
        ("POST", ["actions", "workflows", name, "dispatches"]) if writer => {
            let branch =
                ask.body["ref"].as_str().unwrap_or_default().trim_start_matches("refs/heads/").to_owned();
            if model.dispatch(repo, name, &branch) { Reply::empty(204) } else { not_found() }
        }
        ("POST", ["issues", "comments", id, "reactions"]) => {
            let id: u64 = id.parse().unwrap_or(0);
            let sign = ask.body["content"].as_str().unwrap_or_default().to_owned();
            let found = model.repo(repo).issues.iter_mut().flat_map(|i| &mut i.comments).find(|c| c.id == id);
            match found {
                None => not_found(),
                Some(c) => {
                    let new = c.reactions.insert((ask.login.to_owned(), sign.clone()));
                    Reply::json(if new { 201 } else { 200 }, &json!({ "content": sign }))
                }
            }
        }
        ("GET", ["actions", "runs"]) => {
            let sha = ask.query.get("head_sha").cloned().unwrap_or_default();
            let found = model.repos[repo].checks.iter().filter(|c| c.sha == sha);
            let quiet = model.repos[repo].quiet_failure;
            let ended = |c: &CheckRun| {
                let conclusion = if quiet { Some("failure") } else { c.conclusion };
                actions_run(model.dialect, repo, &CheckRun { conclusion, ..c.clone() })
            };
            let mut entries: Vec<Value> = found.map(ended).collect();
            for flow in model.repos[repo].flows.iter().filter(|f| f.sha == sha) {
                let mut entry = actions_run(model.dialect, repo, &as_check(flow));
                entry["event"] = json!(flow.event);
                entries.push(entry);
            }
            for asked in model.repos[repo].dispatches.iter().filter(|d| d.sha == sha) {
                let run = CheckRun {
                    id: asked.id,
                    sha: asked.sha.clone(),
                    name: "test".to_owned(),
                    status: if asked.green.is_some() { "completed" } else { "in_progress" },
                    conclusion: asked.green.map(|green| {
                        let good = if asked.skipped { "skipped" } else { "success" };
                        if green { good } else { "failure" }
                    }),
                    log: String::new(),
                    attempt: 1,
                    app: "",
                    workflow: "test.yml",
                };
                let mut entry = actions_run(model.dialect, repo, &run);
                entry["event"] = json!("workflow_dispatch");
                entries.push(entry);
            }
            page(ask, Some("workflow_runs"), entries)
        }
        ("GET", ["actions", "runs", id, "jobs"]) => {
            let flows: Vec<CheckRun> = model.repos[repo].flows.iter().map(as_check).collect();
            let found = model.repos[repo].checks.iter().chain(&flows).filter(|c| c.id.to_string() == *id);
            let jobs: Vec<Value> = found.map(|c| match model.dialect {
                Dialect::Forgejo => json!({ "id": c.id, "run_id": c.id, "name": c.name, "attempt": c.attempt, "status": forgejo_word(c) }),
                Dialect::Gitea | Dialect::Github => json!({ "id": c.id, "run_id": c.id, "name": c.name, "run_attempt": c.attempt,
                    "status": c.status, "conclusion": c.conclusion, "head_sha": c.sha }),
            }).collect();
            if model.dialect == Dialect::Forgejo {
                Reply::json(200, &json!(jobs))
            } else {
                page(ask, Some("jobs"), jobs)
            }
        }
        ("GET", ["actions", "jobs", id, "logs"]) => {
            let found = model.repos[repo].checks.iter().find(|c| c.id.to_string() == *id);
            found.map_or_else(not_found, |c| {
                Reply { body: c.log.clone().into(), ..Reply::empty(200) }.with("content-type", "text/plain")
            })
        }
        ("POST", ["actions", "runs", id, how]) => {
            if !writer {
                return refused();
            }
            let known = if model.dialect == Dialect::Forgejo { "rerun" } else { "rerun-failed-jobs" };
            if *how != known {
                return not_found();
            }
            model.rerun(repo, id.parse().unwrap());
            Reply::empty(if model.dialect == Dialect::Forgejo { 204 } else { 201 })
        }
        ("PATCH", ["issues", "comments", id]) => {
            let id: u64 = id.parse().unwrap_or(0);
            let text = ask.body["body"].as_str().unwrap_or_default().to_owned();
            let now = model.now();
            let found = model.repo(repo).issues.iter_mut().flat_map(|i| &mut i.comments).find(|c| c.id == id);
            match found {
                None => not_found(),
                Some(c) if c.by != ask.login && !writer => refused(),
                Some(c) => {
                    c.body = text;
                    c.edited = Some(now);
                    let c = c.clone();
                    Reply::json(200, &comment(model, &c))
                }
            }
        }
        ("GET", ["pulls"]) => {
            let state = ask.query.get("state").map_or("open", String::as_str);
            let fits = |p: &&Pull| match state {
                "open" => p.last_head.is_none(),
                "closed" => p.last_head.is_some(),
                _ => true,
            };
            let found: Vec<Pull> = model.repos[repo].pulls.iter().rev().filter(fits).cloned().collect();
            page(ask, None, found.iter().map(|p| pull(model, repo, p)).collect())
        }
        ("POST", ["pulls"]) => open_pull(model, ask, repo),
        (_, ["pulls", number, rest @ ..]) => {
            let number: u64 = number.parse().unwrap_or(0);
            match model.repos[repo].pulls.iter().find(|p| p.number == number).cloned() {
                None => not_found(),
                Some(found) => in_pull(model, ask, repo, &found, rest),
            }
        }
        (_, ["issues", number, rest @ ..]) => {
            let Ok(number) = number.parse::<u64>() else { return not_found() };
            match model.repos[repo].issues.iter().find(|i| i.number == number) {
                Some(i) if !i.moved && !i.deleted => in_issue(model, ask, repo, number, rest),
                Some(_) | None => not_found(),
            }
        }
        _ => not_found(),
    }
}

/// The whole history of a context, in no order that could be relied on.
fn one_status(model: &Model, status: &super::Status) -> Value {
    json!({ "id": status.id, "status": status.state, "context": status.context, "description": "a status",
        "target_url": status.url.as_deref().unwrap_or_default(), "creator": user(model, &status.by),
        "created_at": moment(status.at), "updated_at": moment(status.at) })
}

fn statuses(model: &Model, repo: &str, sha: &str) -> Vec<Value> {
    let mut entries = vec![];
    for check in model.repos[repo].checks.iter().filter(|c| c.sha == sha) {
        let skipped = check.conclusion == Some("skipped");
        let entry = |id: u64, word: &str| {
            json!({ "id": id, "status": word, "context": format!("ci.yml / {} (push)", check.name),
                "description": if skipped { "Has been skipped" } else { "Failing after 3s" },
                "target_url": format!("/{repo}/actions/runs/{}/jobs/0", check.id) })
        };
        let first = check.id * 100;
        for attempt in 1..u64::from(check.attempt) {
            entries.push(entry(first + attempt * 2 + 1, "failure"));
        }
        let last = first + u64::from(check.attempt) * 2;
        if check.status == "completed" {
            let word = match check.conclusion {
                // Gitea 1.25 has a word for it.
                Some("skipped") if model.dialect == Dialect::Gitea => "skipped",
                Some("success" | "skipped") => "success",
                _ => "failure",
            };
            entries.push(entry(last + 1, word));
        }
        entries.push(entry(last, "pending"));
    }
    for status in model.repos[repo].statuses.iter().filter(|s| s.sha == sha) {
        entries.push(one_status(model, status));
    }
    entries
}

fn forgejo_word(run: &CheckRun) -> &'static str {
    match run.status {
        "completed" => run.conclusion.unwrap_or("unknown"),
        _ => "running",
    }
}

/// A run without a check, as one with it.
fn as_check(flow: &super::Flow) -> CheckRun {
    CheckRun {
        id: flow.id,
        sha: flow.sha.clone(),
        name: "deploy".to_owned(),
        status: "completed",
        conclusion: Some(flow.conclusion),
        log: String::new(),
        attempt: flow.attempt,
        app: "",
        workflow: flow.workflow,
    }
}

fn actions_run(dialect: Dialect, repo: &str, run: &CheckRun) -> Value {
    let url = format!("https://forge.invalid/{repo}/actions/runs/{}", run.id);
    if dialect == Dialect::Forgejo {
        return json!({ "id": run.id, "index_in_repo": run.id, "title": "A push", "workflow_id": run.workflow,
            "commit_sha": run.sha, "status": forgejo_word(run), "html_url": url, "need_approval": false });
    }
    json!({ "id": run.id, "run_number": run.id, "display_title": "A push", "path": format!("{}@refs/heads/main", run.workflow),
        "head_sha": run.sha, "status": run.status, "conclusion": run.conclusion, "html_url": url,
        "run_attempt": 0 })
}

fn in_issue(model: &mut Model, ask: &Ask<'_>, repo: &str, number: u64, path: &[&str]) -> Reply {
    let writer = model.may_write(repo, ask.login);
    let found = model.issue(repo, number).clone();
    match (ask.method, path) {
        ("GET", []) => Reply::json(200, &issue(model, repo, &found)),
        ("PATCH", []) => {
            if !writer && found.by != ask.login {
                return refused();
            }
            let state = ask.body["state"].as_str();
            let open = |n: &u64| model.repos[repo].issues.iter().any(|i| i.number == *n && i.open);
            if state == Some("closed") && found.blocked_by.iter().any(open) {
                return Reply::error(
                    412,
                    "cannot close this issue or pull request because it still has open dependencies",
                );
            }
            if let Some(text) = ask.body["body"].as_str() {
                model.edit(repo, number, Some(ask.login), text);
            }
            if let Some(open) = state.map(|state| state == "open")
                && found.open != open
            {
                model.issue(repo, number).open = open;
                model.happened(repo, number, if open { "reopened" } else { "closed" }, Some(ask.login), None);
            }
            let found = model.issue(repo, number).clone();
            Reply::json(201, &issue(model, repo, &found))
        }
        ("GET", ["comments"]) => {
            let entries: Vec<Value> = found.comments.iter().map(|c| comment(model, c)).collect();
            Reply::json(200, &json!(entries)).with("x-total-count", entries.len().to_string())
        }
        ("POST", ["comments"]) => {
            let text = ask.body["body"].as_str().unwrap_or_default();
            if text.is_empty() {
                return Reply::error(422, "[Body]: Required");
            }
            let id = model.comment(repo, number, ask.login, text);
            let made = model.issue(repo, number).comments.iter().find(|c| c.id == id).unwrap().clone();
            Reply::json(201, &comment(model, &made))
        }
        ("POST", ["labels"]) => {
            if !writer {
                return refused();
            }
            for wanted in ask.body["labels"].as_array().cloned().unwrap_or_default() {
                // By id or by name; what does not exist is left out without a word.
                let same = |(id, name): &&(u64, String)| {
                    wanted.as_u64() == Some(*id) || wanted.as_str().is_some_and(|w| w == name.as_str())
                };
                if let Some((_, name)) = model.repos[repo].labels.iter().find(same).cloned() {
                    model.label(repo, number, &name, Some(ask.login), true);
                }
            }
            let labels = model.issue(repo, number).labels.clone();
            let labels: Vec<Value> = labels.iter().map(|l| label(model, repo, l)).collect();
            Reply::json(200, &json!(labels))
        }
        ("DELETE", ["labels", which]) => {
            if !writer {
                return refused();
            }
            let by_name = model.dialect == Dialect::Forgejo;
            let same = |(id, name): &&(u64, String)| id.to_string() == *which || by_name && name == which;
            let Some((_, name)) = model.repos[repo].labels.iter().find(same).cloned() else {
                return Reply::error(
                    if which.parse::<u64>().is_ok() { 422 } else { 404 },
                    "label does not exist",
                );
            };
            model.label(repo, number, &name, Some(ask.login), false);
            Reply::empty(204)
        }
        ("GET", ["dependencies"]) if model.dependencies => {
            let all = &model.repos[repo].issues;
            let of = |n: &u64| all.iter().find(|i| i.number == *n).map(|i| issue(model, repo, i));
            page(ask, None, found.blocked_by.iter().filter_map(of).collect())
        }
        ("GET", ["timeline"]) => timeline(model, ask, repo, &found),
        _ => not_found(),
    }
}

/// Its pages run short, what comes with them counts the page only, and the end is `null`.
fn timeline(model: &Model, ask: &Ask<'_>, repo: &str, of: &Issue) -> Reply {
    let number: usize = ask.query.get("page").and_then(|p| p.parse().ok()).unwrap_or(1);
    let some: Vec<Value> = of
        .events
        .iter()
        .skip((number - 1) * 3)
        .take(3)
        .map(|e| {
            let kind = match e.kind {
                "labeled" | "unlabeled" => "label",
                "renamed" => "change_title",
                "commented" => "comment",
                "closed" => "close",
                _ => "reopen",
            };
            json!({ "id": e.id, "type": kind, "user": actor(model, e.by.as_ref()), "created_at": moment(e.at),
            "updated_at": moment(e.at), "body": if e.kind == "labeled" { "1" } else { "" },
            "label": e.label.as_ref().map(|l| label(model, repo, l)) })
        })
        .collect();
    let count = some.len().to_string();
    let body = if some.is_empty() { Value::Null } else { json!(some) };
    Reply::json(200, &body).with("x-total-count", count)
}

fn pull(model: &Model, repo: &str, of: &Pull) -> Value {
    let issue = model.repos[repo].issues.iter().find(|i| i.number == of.number).unwrap();
    let full = if of.fork { format!("mallory/{}", repo.split_once('/').unwrap().1) } else { repo.to_owned() };
    let bare = model.git.join(repo).join("repo.git");
    let known = super::tip(&bare, &of.branch).is_some();
    let head = if known { of.branch.clone() } else { format!("refs/pull/{}/head", of.number) };
    let target = super::tip(&bare, &of.target).unwrap();
    json!({
        "id": issue.id, "number": of.number, "title": issue.title, "body": issue.body,
        "state": if issue.open { "open" } else { "closed" }, "user": user(model, &issue.by),
        "html_url": format!("https://forge.invalid/{repo}/pulls/{}", of.number),
        "merged": of.merged.is_some(), "mergeable": of.checked,
        "merged_at": of.merged.as_ref().map(|(_, _, at)| moment(*at)),
        "merged_by": of.merged.as_ref().map(|(by, _, _)| user(model, by)),
        "merge_commit_sha": of.merged.as_ref().map(|(_, sha, _)| sha),
        "head": { "label": of.branch, "ref": head, "sha": model.head_of(repo, of), "repo": { "full_name": full } },
        "base": { "label": of.target, "ref": of.target, "sha": target, "repo": { "full_name": repo } },
    })
}

fn open_pull(model: &mut Model, ask: &Ask<'_>, repo: &str) -> Reply {
    if !model.may_write(repo, ask.login) {
        return refused();
    }
    let word = |key: &str| ask.body[key].as_str().unwrap_or_default().to_owned();
    let (branch, target) = (word("head"), word("base"));
    let bare = model.git.join(repo).join("repo.git");
    if super::tip(&bare, &branch).is_none() {
        return not_found();
    }
    let open = |p: &&Pull| p.branch == branch && p.target == target && !p.fork && p.last_head.is_none();
    if let Some(other) = model.repos[repo].pulls.iter().find(open) {
        let text =
            format!("pull request already exists for these targets [id: {}, issue_id: 1]", other.number);
        return Reply::error(409, &text);
    }
    let number = model.open_pull(repo, ask.login, &branch, &target, &word("title"), &word("body"));
    let made = model.repos[repo].pulls.iter().find(|p| p.number == number).unwrap().clone();
    Reply::json(201, &pull(model, repo, &made))
}

fn in_pull(model: &mut Model, ask: &Ask<'_>, repo: &str, of: &Pull, path: &[&str]) -> Reply {
    let writer = model.may_write(repo, ask.login);
    match (ask.method, path) {
        ("GET", []) => Reply::json(200, &pull(model, repo, of)),
        ("PATCH", []) if writer => {
            let head = model.head_of(repo, of);
            for key in ["title", "body"] {
                if let Some(text) = ask.body[key].as_str() {
                    let issue = model.issue(repo, of.number);
                    text.clone_into(if key == "title" { &mut issue.title } else { &mut issue.body });
                }
            }
            let own = |p: &&mut Pull| p.number == of.number;
            if ask.body["state"] == "closed" {
                if of.merged.is_some() {
                    return Reply::error(
                        412,
                        "cannot change state of this pull request, it was already merged",
                    );
                }
                model.issue(repo, of.number).open = false;
                model.repo(repo).pulls.iter_mut().find(own).unwrap().last_head = Some(head);
            }
            let now = model.repos[repo].pulls.iter().find(|p| p.number == of.number).unwrap().clone();
            Reply::json(201, &pull(model, repo, &now))
        }
        ("GET", ["reviews"]) => {
            let entries = of.reviews.iter().map(|r| {
                let state = match r.state {
                    "CHANGES_REQUESTED" => "REQUEST_CHANGES",
                    "COMMENTED" => "COMMENT",
                    other => other,
                };
                json!({ "id": r.id, "user": user(model, &r.by), "state": state, "body": r.body, "dismissed": false,
                    "submitted_at": moment(r.at), "comments_count": r.notes.len() + r.replies.len() })
            });
            page(ask, None, entries.collect())
        }
        ("GET", ["reviews", id, "comments"]) => {
            let mut entries = vec![];
            for review in of.reviews.iter().filter(|r| r.id.to_string() == *id) {
                entries.extend(review.notes.iter().map(|(path, line, body)| {
                    json!({ "id": 1, "path": path, "position": line, "body": body, "user": user(model, &review.by),
                        "created_at": moment(review.at), "updated_at": moment(review.at) })
                }));
                // Whoever answers, the answer is of this review.
                entries.extend(review.replies.iter().map(|reply| {
                    let mut entry = comment(model, reply);
                    entry["path"] = json!("done.txt");
                    entry["position"] = json!(1);
                    if reply.by.is_empty() {
                        entry["user"] = Value::Null;
                    }
                    entry
                }));
            }
            Reply::json(200, &json!(entries))
        }
        ("POST", ["merge"]) if writer => {
            if of.merged.is_some() {
                return Reply::error(405, "");
            }
            if of.last_head.is_some() {
                return not_found();
            }
            let styles = ["merge", "squash", "rebase", "rebase-merge", "fast-forward-only"];
            if !styles.contains(&ask.body["Do"].as_str().unwrap_or_default()) {
                return Reply::error(422, "[Do]: Required");
            }
            if !of.checked {
                model.repo(repo).pulls.iter_mut().find(|p| p.number == of.number).unwrap().checked = true;
                return Reply::error(405, "Please try again later");
            }
            if model.repos[repo].wants_approval {
                return Reply::error(405, "Does not have enough approvals");
            }
            if ask.body["Do"] == "merge" && model.repos[repo].no_merge_commits {
                return Reply::error(405, "merge is not allowed an allowed merge style for this repository");
            }
            if ask.body["head_commit_id"].as_str() != Some(&model.head_of(repo, of)) {
                return Reply::error(409, "head out of date");
            }
            if !model.merge(repo, of.number, ask.login) {
                return Reply::json(409, &json!({ "Style": "merge", "StdOut": "CONFLICT" }));
            }
            Reply::empty(200)
        }
        ("PATCH" | "POST", _) => refused(),
        _ => not_found(),
    }
}
