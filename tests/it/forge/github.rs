//! GitHub's API, as far as it is used.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Ask, CheckRun, Issue, Model, Pull, Reply, actions, shape};

pub fn moment(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at).unwrap().format(&Rfc3339).unwrap()
}

fn user(model: &Model, login: &str) -> Value {
    if login.is_empty() {
        return Value::Null;
    }
    let account = model.people.get(login).cloned().unwrap_or_default();
    shape::user(json!({ "login": login, "id": account.id, "type": if account.bot { "Bot" } else { "User" } }))
}

fn label(id: u64, name: &str) -> Value {
    shape::label(json!({ "id": id, "name": name }))
}

fn labels(model: &Model, repo: &str, of: &Issue) -> Vec<Value> {
    let known = &model.repos[repo].labels;
    let id = |name: &str| known.iter().find(|(_, l)| l.eq_ignore_ascii_case(name)).map_or(1, |(id, _)| *id);
    of.labels.iter().map(|name| label(id(name), name)).collect()
}

/// GraphQL names bots without the end that REST gives them.
fn actor(model: &Model, login: Option<&String>) -> Value {
    let Some(login) = login else { return Value::Null };
    let bot = model.people.get(login).is_some_and(|a| a.bot);
    json!({ "login": login.trim_end_matches("[bot]"), "__typename": if bot { "Bot" } else { "User" } })
}

fn issue(model: &Model, base: &str, repo: &str, issue: &Issue) -> Value {
    let state =
        |number: &u64| model.repos[repo].issues.iter().find(|i| i.number == *number).is_some_and(|i| i.open);
    let mut value = json!({
        "id": issue.id, "number": issue.number, "title": issue.title,
        "body": if issue.body.is_empty() { Value::Null } else { json!(issue.body) },
        "state": if issue.open { "open" } else { "closed" }, "state_reason": issue.reason,
        "labels": labels(model, repo, issue), "user": user(model, &issue.by),
        "created_at": moment(issue.created), "updated_at": moment(issue.updated),
        "repository_url": format!("{base}/repos/{repo}"), "comments": issue.comments.len(),
    });
    if model.dependencies {
        value["issue_dependencies_summary"] = json!({
            "blocked_by": issue.blocked_by.iter().filter(|n| state(n)).count(),
            "total_blocked_by": issue.blocked_by.len(), "blocking": 0, "total_blocking": 0,
        });
    }
    if issue.pull {
        let url = format!("{base}/repos/{repo}/pulls/{}", issue.number);
        value["pull_request"] = json!({ "url": url, "html_url": url, "diff_url": url, "patch_url": url });
    }
    shape::issue(value)
}

fn comment(model: &Model, comment: &super::Comment) -> Value {
    shape::comment(json!({ "id": comment.id, "user": user(model, &comment.by), "body": comment.body,
        "created_at": moment(comment.at), "updated_at": moment(comment.edited.unwrap_or(comment.at)), "author_association": "NONE" }))
}

/// One page, with a link to the next one.
fn page(ask: &Ask<'_>, key: Option<&str>, entries: Vec<Value>) -> Reply {
    let per: usize = ask.query.get("per_page").and_then(|p| p.parse().ok()).unwrap_or(30).min(ask.most);
    let number: usize = ask.query.get("page").and_then(|p| p.parse().ok()).unwrap_or(1);
    let total = entries.len();
    let some: Vec<Value> = entries.into_iter().skip((number - 1) * per).take(per).collect();
    let body = match key {
        None => json!(some),
        Some(key) => json!({ "total_count": total, key: some }),
    };
    let reply = Reply::json(200, &body);
    if total <= number * per {
        return reply;
    }
    let path = ask.raw.split_once("/api/v3").unwrap().1;
    let path = path.replace(&format!("&page={number}"), "");
    reply.with("link", format!("<{}{path}&page={}>; rel=\"next\", <x>; rel=\"last\"", ask.base, number + 1))
}

pub fn answer(model: &mut Model, ask: &Ask<'_>) -> Reply {
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["user"] => with_token(model, Reply::json(200, &shape::own_user(user(model, ask.login)))),
        ["api", "graphql"] if model.graphql => graphql(model, ask),
        ["repos", owner, name, rest @ ..] => {
            let repo = format!("{owner}/{name}");
            let Some(found) = model.repos.get(&repo) else { return Reply::error(404, "Not Found") };
            if found.renamed {
                let to = format!("{}/repositories/{}", ask.base, found.id);
                return Reply::error(301, "Moved Permanently").with("location", to);
            }
            in_repo(model, ask, &repo, rest)
        }
        _ => Reply::error(404, "Not Found"),
    }
}

/// What GitHub says of the token with each answer.
fn with_token(model: &Model, mut reply: Reply) -> Reply {
    if let Some(scopes) = model.scopes {
        reply = reply.with("x-oauth-scopes", scopes);
    }
    if let Some(end) = model.token_ends {
        let end = moment(end).replace('T', " ").replace('Z', " UTC");
        reply = reply.with("github-authentication-token-expiration", end);
    }
    reply
}

fn in_repo(model: &mut Model, ask: &Ask<'_>, repo: &str, path: &[&str]) -> Reply {
    let (method, writer) = (ask.method, model.may_write(repo, ask.login));
    match (method, path) {
        ("GET", []) => {
            let found = &model.repos[repo];
            let may = json!({ "admin": model.permission(repo, ask.login) == "admin", "push": writer, "pull": true });
            let reply = Reply::json(200, &shape::repo(repo, json!({ "id": found.id, "permissions": may })));
            with_token(model, reply)
        }
        ("GET", ["rules", "branches", "main"] | ["branches", "main"]) if model.repos[repo].hides_rules => {
            Reply::error(403, "Resource not accessible by personal access token")
        }
        ("GET", ["rules", "branches", "main"]) => {
            let found = &model.repos[repo];
            let contexts =
                found.required.iter().map(|name| json!({ "context": name, "integration_id": 15368 }));
            let parameters = json!({ "strict_required_status_checks_policy": false,
                "required_status_checks": contexts.collect::<Vec<_>>() });
            let rules = [
                json!({ "type": "deletion", "ruleset_source_type": "Repository", "ruleset_source": repo, "ruleset_id": 1 }),
                json!({ "type": "required_status_checks", "ruleset_source_type": "Repository", "ruleset_source": repo,
                    "ruleset_id": 1, "parameters": parameters }),
            ];
            let some = if found.required.is_empty() || found.protected { 1 } else { 2 };
            page(ask, None, rules.into_iter().take(some).collect())
        }
        ("GET", ["branches", "main"]) => {
            let found = &model.repos[repo];
            let contexts: &[&str] = if found.protected { &found.required } else { &[] };
            let checks = json!({ "enforcement_level": if found.protected { "everyone" } else { "off" },
                "contexts": contexts, "checks": [] });
            Reply::json(
                200,
                &shape::branch(json!({ "name": "main", "protected": found.protected,
                    "protection": { "enabled": found.protected, "required_status_checks": checks } })),
            )
        }
        ("GET", ["labels"]) => {
            let labels = &model.repos[repo].labels;
            page(ask, None, labels.iter().map(|(id, name)| label(*id, name)).collect())
        }
        ("POST", ["labels"]) => {
            if !writer {
                return Reply::error(403, "Resource not accessible by personal access token");
            }
            let name = ask.body["name"].as_str().unwrap_or_default().to_owned();
            if model.repos[repo].labels.iter().any(|(_, l)| l.eq_ignore_ascii_case(&name)) {
                let flaw = json!([{ "resource": "Label", "code": "already_exists", "field": "name" }]);
                return Reply::json(422, &json!({ "message": "Validation Failed", "errors": flaw }));
            }
            let colour = ask.body["color"].as_str().unwrap_or_default();
            assert!(colour.len() == 6 && colour.bytes().all(|b| b.is_ascii_hexdigit()), "{colour}");
            let id = model.id();
            model.repo(repo).labels.push((id, name.clone()));
            Reply::json(201, &label(id, &name))
        }
        ("GET", ["collaborators", who, "permission"]) => {
            if !writer || model.unreadable.contains(*who) {
                return Reply::error(403, "Must have push access to view collaborator permission.");
            }
            if !model.people.contains_key(*who) {
                return Reply::error(404, &format!("{who} is not a user"));
            }
            // A bot that is no collaborator reads as `none`.
            let bot = model.people[*who].bot && !model.repos[repo].people.contains_key(*who);
            let held = if bot { "none" } else { model.permission(repo, who) };
            let mut user = user(model, who);
            user["role_name"] = json!(held);
            Reply::json(200, &json!({ "permission": held, "role_name": held, "user": user }))
        }
        ("GET", ["issues"]) => {
            let wanted: Vec<String> = ask
                .query
                .get("labels")
                .map(|l| l.split(',').map(str::to_owned).collect())
                .unwrap_or_default();
            let fits = |i: &&Issue| {
                i.open
                    && !i.moved
                    && !i.deleted
                    && wanted.iter().all(|w| i.labels.iter().any(|l| l.eq_ignore_ascii_case(w)))
            };
            let found = model.repos[repo].issues.iter().filter(fits);
            let entries = found.map(|i| issue(model, &ask.base, repo, i)).collect();
            page(ask, None, entries)
        }
        // A branch by its name, too.
        ("GET", ["commits", "main", rest @ ("check-runs" | "status")]) => {
            let sha = super::tip(&model.git.join(repo).join("repo.git"), "main").unwrap();
            in_repo(model, ask, repo, &["commits", &sha, rest])
        }
        ("GET", ["commits", sha, "check-runs"]) => {
            let runs = model.repos[repo].checks.iter().filter(|c| c.sha == *sha);
            page(ask, Some("check_runs"), runs.map(check_run).collect())
        }
        ("GET", ["commits", sha, "status"]) => {
            let statuses = model.repos[repo].statuses.iter().filter(|s| s.sha == *sha);
            let entries: Vec<Value> = statuses
                .map(|s| {
                    shape::status(json!({ "id": s.id, "context": s.context, "state": s.state,
                        "description": "a status", "target_url": null, "created_at": moment(s.at),
                        "updated_at": moment(s.at) }))
                })
                .collect();
            let mut reply = page(ask, Some("statuses"), entries);
            let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
            body["state"] = json!("pending");
            body["sha"] = json!(sha);
            body["repository"] = shape::repo(repo, json!({}));
            body["url"] = json!(format!("{}/repos/{repo}/commits/{sha}/status", ask.base));
            body["commit_url"] = json!(format!("{}/repos/{repo}/commits/{sha}", ask.base));
            reply.body = body.to_string().into_bytes();
            reply
        }
        ("GET", ["commits", sha, "statuses"]) => {
            // Newest first, each one that was ever set.
            let statuses = model.repos[repo].statuses.iter().rev().filter(|s| s.sha == *sha);
            let entries = statuses.map(|s| status(model, s)).collect();
            page(ask, None, entries)
        }
        ("POST", ["statuses", sha]) => {
            if !writer {
                return Reply::error(403, "Resource not accessible by personal access token");
            }
            let word = |key: &str| ask.body[key].as_str().unwrap_or_default().to_owned();
            let (state, url) = (word("state"), word("target_url"));
            let known = ["pending", "success", "failure", "error"].contains(&state.as_str());
            if !known || !(url.is_empty() || url.starts_with("http")) || word("description").len() > 140 {
                return Reply::error(422, "Validation Failed");
            }
            let url = (!url.is_empty()).then_some(url);
            let id = model.status(repo, sha, &word("context"), &state, ask.login, url.as_deref());
            let made = model.repos[repo].statuses.iter().find(|s| s.id == id).unwrap();
            Reply::json(201, &status(model, made))
        }
        ("POST", ["actions", "workflows", name, "dispatches"]) if writer => {
            let branch = ask.body["ref"].as_str().unwrap_or_default().to_owned();
            if model.dispatch(repo, name, &branch) {
                Reply::empty(204)
            } else {
                Reply::error(404, "Not Found")
            }
        }
        ("GET", ["actions", "workflows", "test.yml", "runs"]) => {
            let runs = model.repos[repo].dispatches.iter().rev();
            let entries = runs.map(|r| {
                let status = if r.green.is_some() { "completed" } else { "in_progress" };
                let good = if r.skipped { "skipped" } else { "success" };
                let conclusion = r.green.map(|green| if green { good } else { "failure" });
                let run = json!({ "id": r.id, "head_sha": r.sha, "event": "workflow_dispatch", "status": status,
                    "conclusion": conclusion, "path": ".github/workflows/test.yml@main" });
                shape::workflow_run(repo, run)
            });
            page(ask, Some("workflow_runs"), entries.collect())
        }
        ("POST", ["issues", "comments", id, "reactions"]) => {
            let id: u64 = id.parse().unwrap_or(0);
            let sign = ask.body["content"].as_str().unwrap_or_default().to_owned();
            if !["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]
                .contains(&sign.as_str())
            {
                return Reply::error(422, "Validation Failed");
            }
            let found = model.repo(repo).issues.iter_mut().flat_map(|i| &mut i.comments).find(|c| c.id == id);
            match found {
                None => Reply::error(404, "Not Found"),
                Some(c) => {
                    let new = c.reactions.insert((ask.login.to_owned(), sign.clone()));
                    let made = json!({ "id": id, "content": sign, "user": user(model, ask.login),
                        "created_at": moment(model.now()) });
                    Reply::json(if new { 201 } else { 200 }, &shape::reaction(made))
                }
            }
        }
        ("GET", ["actions", "jobs", id, "logs"]) => {
            let at = ask.base.trim_end_matches("/api/v3");
            Reply::empty(302).with("location", format!("{at}/logs/{id}"))
        }
        ("GET", ["actions", "runs"]) => {
            let sha = ask.query.get("head_sha").cloned().unwrap_or_default();
            let (more, asks) = (model.repos[repo].more_to_come, model.repos[repo].asks_first);
            let runs = model.repos[repo].checks.iter().filter(|c| c.sha == sha && c.app == "github-actions");
            let flows = model.repos[repo].flows.iter().filter(|f| f.sha == sha);
            let entries = runs
                .map(|c| {
                    let status = if more { "in_progress" } else { c.status };
                    let conclusion =
                        if asks { Some("action_required") } else { c.conclusion.filter(|_| !more) };
                    let run = json!({ "id": c.id, "name": "CI", "head_sha": c.sha, "status": status,
                        "conclusion": conclusion, "run_attempt": c.attempt, "check_suite_id": c.id,
                        "workflow_id": actions::number(c.workflow) });
                    shape::workflow_run(repo, run)
                })
                .chain(flows.map(|f| actions::hub_run(repo, f)))
                .collect();
            page(ask, Some("workflow_runs"), entries)
        }
        ("POST", ["actions", "runs", id, how @ ("rerun-failed-jobs" | "rerun")]) => {
            if !writer {
                return Reply::error(403, "Resource not accessible by personal access token");
            }
            let id: u64 = id.parse().unwrap();
            let flow = model.repos[repo].flows.iter().find(|f| f.id == id).map(|f| f.conclusion);
            if flow == Some("startup_failure") || (flow == Some("cancelled") && *how != "rerun") {
                return Reply::error(403, "This workflow run cannot be retried");
            }
            model.rerun(repo, id);
            Reply::json(201, &json!({}))
        }
        (_, ["issues", "comments", id]) if method == "PATCH" => {
            let id: u64 = id.parse().unwrap_or(0);
            let text = ask.body["body"].as_str().unwrap_or_default().to_owned();
            let now = model.now();
            let found = model.repo(repo).issues.iter_mut().flat_map(|i| &mut i.comments).find(|c| c.id == id);
            match found {
                None => Reply::error(404, "Not Found"),
                Some(c) if c.by != ask.login && !writer => {
                    Reply::error(403, "Must have admin rights to Repository.")
                }
                Some(c) => {
                    c.body = text;
                    c.edited = Some(now);
                    let c = c.clone();
                    Reply::json(200, &comment(model, &c))
                }
            }
        }
        ("GET", ["pulls"]) => {
            let wanted = ask.query.get("head").cloned().unwrap_or_default();
            let branch = wanted.split_once(':').map_or("", |(_, b)| b).to_owned();
            let wanted = |p: &&Pull| {
                let open = ask.query.get("state").is_some_and(|s| s == "all") || p.last_head.is_none();
                open && (wanted.is_empty() || p.branch == branch)
            };
            let found: Vec<Pull> = model.repos[repo].pulls.iter().rev().filter(wanted).cloned().collect();
            let entries = found.iter().map(|p| pull(model, repo, p, false)).collect();
            page(ask, None, entries)
        }
        ("POST", ["pulls"]) => {
            if !writer {
                return Reply::error(403, "Resource not accessible by personal access token");
            }
            let word = |key: &str| ask.body[key].as_str().unwrap_or_default().to_owned();
            let (branch, target) = (word("head"), word("base"));
            let open = |p: &&Pull| p.branch == branch && !p.fork && p.last_head.is_none();
            if model.repos[repo].pulls.iter().any(|p| open(&p)) {
                return Reply::json(
                    422,
                    &json!({ "message": "Validation Failed",
                    "errors": [{ "message": format!("A pull request already exists for {branch}.") }] }),
                );
            }
            let bare = model.git.join(repo).join("repo.git");
            if super::tip(&bare, &branch).is_none() {
                return Reply::json(
                    422,
                    &json!({ "message": "Validation Failed", "errors": [{ "field": "head", "code": "invalid" }] }),
                );
            }
            let number = model.open_pull(repo, ask.login, &branch, &target, &word("title"), &word("body"));
            let made = model.repos[repo].pulls.iter().find(|p| p.number == number).unwrap().clone();
            Reply::json(201, &pull(model, repo, &made, true))
        }
        (_, ["pulls", number, rest @ ..]) => {
            let number: u64 = number.parse().unwrap_or(0);
            match model.repos[repo].pulls.iter().find(|p| p.number == number).cloned() {
                None => Reply::error(404, "Not Found"),
                Some(found) => in_pull(model, ask, repo, &found, rest),
            }
        }
        (_, ["issues", number, rest @ ..]) => {
            let Ok(number) = number.parse::<u64>() else { return Reply::error(404, "Not Found") };
            match model.repos[repo].issues.iter().find(|i| i.number == number) {
                None => Reply::error(404, "Not Found"),
                Some(i) if i.deleted => Reply::error(410, "This issue was deleted"),
                Some(i) if i.moved => Reply::error(301, "Moved Permanently")
                    .with("location", format!("{}/repositories/1/issues/{}", ask.base, i.number)),
                Some(_) => in_issue(model, ask, repo, number, rest),
            }
        }
        _ => Reply::error(404, "Not Found"),
    }
}

fn status(model: &Model, s: &super::Status) -> Value {
    shape::status(
        json!({ "id": s.id, "context": s.context, "state": s.state, "description": null, "target_url": s.url,
        "creator": user(model, &s.by), "created_at": moment(s.at), "updated_at": moment(s.at) }),
    )
}

fn check_run(run: &CheckRun) -> Value {
    shape::check_run(json!({ "id": run.id, "name": run.name, "head_sha": run.sha, "status": run.status,
        "conclusion": run.conclusion, "html_url": format!("https://forge.invalid/runs/{}", run.id),
        "app": { "slug": run.app, "id": actions::number(run.app) }, "check_suite": { "id": run.id }, "output": { "title": null, "summary": null, "text": null } }))
}

fn in_issue(model: &mut Model, ask: &Ask<'_>, repo: &str, number: u64, path: &[&str]) -> Reply {
    let writer = model.may_write(repo, ask.login);
    let refused = || Reply::error(403, "Must have admin rights to Repository.");
    let found = model.issue(repo, number).clone();
    match (ask.method, path) {
        ("GET", []) => Reply::json(200, &issue(model, &ask.base, repo, &found)),
        ("PATCH", []) => {
            if !writer && found.by != ask.login {
                return refused();
            }
            if let Some(text) = ask.body["body"].as_str() {
                model.edit(repo, number, Some(ask.login), text);
            }
            if let Some(state) = ask.body["state"].as_str() {
                let open = state == "open";
                let changed = found.open != open;
                let target = model.issue(repo, number);
                target.open = open;
                target.reason = ask.body["state_reason"].as_str().map(str::to_owned);
                if changed {
                    let kind = if open { "reopened" } else { "closed" };
                    model.happened(repo, number, kind, Some(ask.login), None);
                }
            }
            let found = model.issue(repo, number).clone();
            Reply::json(200, &issue(model, &ask.base, repo, &found))
        }
        ("GET", ["comments"]) => page(ask, None, found.comments.iter().map(|c| comment(model, c)).collect()),
        ("POST", ["comments"]) => {
            let text = ask.body["body"].as_str().unwrap_or_default();
            if text.is_empty() || text.chars().count() > 65_536 {
                return Reply::error(422, "Validation Failed");
            }
            let id = model.comment(repo, number, ask.login, text);
            let made = model.issue(repo, number).comments.iter().find(|c| c.id == id).unwrap().clone();
            Reply::json(201, &comment(model, &made))
        }
        ("POST", ["labels"]) => {
            if !writer {
                return refused();
            }
            for label in ask.body["labels"].as_array().cloned().unwrap_or_default() {
                let label = label.as_str().unwrap_or_default();
                // A label that is not there yet is made.
                if !model.repos[repo].labels.iter().any(|(_, l)| l.eq_ignore_ascii_case(label)) {
                    let id = model.id();
                    model.repo(repo).labels.push((id, label.to_owned()));
                }
                model.label(repo, number, label, Some(ask.login), true);
            }
            let now = model.issue(repo, number).clone();
            Reply::json(200, &json!(labels(model, repo, &now)))
        }
        ("DELETE", ["labels", label]) => {
            if !writer {
                return refused();
            }
            if !found.labels.iter().any(|l| l.eq_ignore_ascii_case(label)) {
                return Reply::error(404, "Label does not exist");
            }
            model.label(repo, number, label, Some(ask.login), false);
            let now = model.issue(repo, number).clone();
            Reply::json(200, &json!(labels(model, repo, &now)))
        }
        ("GET", ["dependencies", "blocked_by"]) if model.dependencies => {
            let all = &model.repos[repo].issues;
            let of = |n: &u64| all.iter().find(|i| i.number == *n).map(|i| issue(model, &ask.base, repo, i));
            page(ask, None, found.blocked_by.iter().filter_map(of).collect())
        }
        ("GET", ["timeline" | "events"]) => {
            let entries = found.events.iter().map(|e| {
                let mut entry = json!({ "id": e.id, "event": e.kind, "created_at": moment(e.at),
                    "actor": e.by.as_ref().map(|by| user(model, by)) });
                if let Some(label) = &e.label {
                    entry["label"] = json!({ "name": label, "color": "ededed" });
                }
                if e.kind == "commented" {
                    entry["user"] = entry["actor"].clone();
                    entry["updated_at"] = json!(moment(e.at));
                    entry["author_association"] = json!("NONE");
                }
                if e.kind == "renamed" {
                    entry["rename"] = json!({ "from": "before", "to": "after" });
                }
                shape::event(entry)
            });
            page(ask, None, entries.collect())
        }
        _ => Reply::error(404, "Not Found"),
    }
}

fn pull(model: &Model, repo: &str, of: &Pull, single: bool) -> Value {
    let issue = model.repos[repo].issues.iter().find(|i| i.number == of.number).unwrap();
    let full = if of.fork { format!("mallory/{}", repo.split_once('/').unwrap().1) } else { repo.to_owned() };
    let base = super::tip(&model.git.join(repo).join("repo.git"), &of.target).unwrap();
    let mut value = json!({
        "id": issue.id, "number": of.number, "title": issue.title, "body": issue.body, "user": user(model, &issue.by),
        "created_at": moment(issue.created), "updated_at": moment(issue.updated),
        "state": if issue.open { "open" } else { "closed" },
        "html_url": format!("https://forge.invalid/{repo}/pull/{}", of.number),
        "merged_at": of.merged.as_ref().map(|(_, _, at)| moment(*at)),
        "merge_commit_sha": of.merged.as_ref().map(|(_, sha, _)| sha),
        "head": { "ref": of.branch, "sha": model.head_of(repo, of), "repo": { "full_name": full } },
        "base": { "ref": of.target, "sha": base, "repo": { "full_name": repo } },
    });
    if single {
        value["merged_by"] = of.merged.as_ref().map_or(Value::Null, |(by, _, _)| user(model, by));
        value["merged"] = json!(of.merged.is_some());
        value["mergeable"] = Value::Null;
    }
    shape::pull(value, single)
}

fn in_pull(model: &mut Model, ask: &Ask<'_>, repo: &str, of: &Pull, path: &[&str]) -> Reply {
    let writer = model.may_write(repo, ask.login);
    match (ask.method, path) {
        ("GET", []) => Reply::json(200, &pull(model, repo, of, true)),
        ("PATCH", []) if writer => {
            let head = model.head_of(repo, of);
            for key in ["title", "body"] {
                if let Some(text) = ask.body[key].as_str() {
                    let issue = model.issue(repo, of.number);
                    text.clone_into(if key == "title" { &mut issue.title } else { &mut issue.body });
                }
            }
            if ask.body["state"] == "closed" && of.last_head.is_none() {
                model.issue(repo, of.number).open = false;
                model.repo(repo).pulls.iter_mut().find(|p| p.number == of.number).unwrap().last_head =
                    Some(head);
            }
            let now = model.repos[repo].pulls.iter().find(|p| p.number == of.number).unwrap().clone();
            Reply::json(200, &pull(model, repo, &now, true))
        }
        ("GET", ["reviews"]) => {
            let entries = of
                .reviews
                .iter()
                .map(|r| {
                    shape::review(
                        json!({ "id": r.id, "user": user(model, &r.by), "state": r.state, "body": r.body,
                    "submitted_at": moment(r.at) }),
                    )
                })
                .collect();
            page(ask, None, entries)
        }
        ("GET", ["comments"]) => {
            let entries = of.reviews.iter().flat_map(|r| {
                let replies = r.replies.iter().map(|reply| {
                    let mut entry = comment(model, reply);
                    entry["pull_request_review_id"] = json!(r.id);
                    entry["path"] = json!("done.txt");
                    entry["line"] = json!(1);
                    shape::review_note(entry)
                });
                let notes = r.notes.iter().map(|(path, line, body)| {
                    shape::review_note(json!({ "id": r.id, "pull_request_review_id": r.id, "path": path,
                        "line": line, "body": body, "user": user(model, &r.by), "created_at": moment(r.at),
                        "updated_at": moment(r.at) }))
                });
                notes.chain(replies).collect::<Vec<_>>()
            });
            page(ask, None, entries.collect())
        }
        ("PUT", ["merge"]) if writer => {
            if of.last_head.is_some() {
                return Reply::error(405, "Pull Request is not mergeable");
            }
            if model.repos[repo].wants_approval {
                return Reply::error(
                    405,
                    "At least 1 approving review is required by reviewers with write access.",
                );
            }
            if ask.body["merge_method"] == "merge" && model.repos[repo].no_merge_commits {
                return Reply::error(405, "Merge commits are not allowed on this repository.");
            }
            if ask.body["sha"].as_str() != Some(&model.head_of(repo, of)) {
                return Reply::error(409, "Head branch was modified. Review and try the merge again.");
            }
            if !model.merge(repo, of.number, ask.login) {
                return Reply::error(405, "Pull Request is not mergeable");
            }
            let now = model.repos[repo].pulls.iter().find(|p| p.number == of.number).unwrap();
            let sha = now.merged.as_ref().map(|(_, sha, _)| sha.clone());
            Reply::json(200, &json!({ "sha": sha, "merged": true, "message": "merged" }))
        }
        ("PATCH" | "PUT", _) => Reply::error(403, "Resource not accessible by personal access token"),
        _ => Reply::error(404, "Not Found"),
    }
}

fn graphql(model: &Model, ask: &Ask<'_>) -> Reply {
    let variables = &ask.body["variables"];
    let word = |key: &str| variables[key].as_str().unwrap_or_default().to_owned();
    let repo = format!("{}/{}", word("owner"), word("name"));
    let number = variables["number"].as_u64().unwrap_or(0);
    let found = model.repos.get(&repo).and_then(|r| r.issues.iter().find(|i| i.number == number));
    let Some(found) = found.filter(|i| !i.deleted && !i.moved) else {
        let flaw = json!([{ "type": "NOT_FOUND", "message": "Could not resolve to an Issue" }]);
        return Reply::json(200, &json!({ "data": { "repository": null }, "errors": flaw }));
    };
    let kind = |k: &str| match k {
        "labeled" => Some("LabeledEvent"),
        "unlabeled" => Some("UnlabeledEvent"),
        "renamed" => Some("RenamedTitleEvent"),
        _ => None,
    };
    let items: Vec<Value> = found
        .events
        .iter()
        .filter_map(|e| {
            let kind = kind(e.kind)?;
            let mut item =
                json!({ "__typename": kind, "id": format!("N{}", e.id), "createdAt": moment(e.at) });
            if kind != "UnlabeledEvent" {
                item["actor"] = actor(model, e.by.as_ref());
            }
            if let Some(label) = &e.label {
                item["label"] = json!({ "name": label });
            }
            Some(item)
        })
        .collect();
    // Cursors are positions; at most a hundred before one.
    let end = variables["before"].as_str().and_then(|b| b.parse().ok()).unwrap_or(items.len());
    let start = end.saturating_sub(100);
    let mut edits: Vec<Value> = found
        .edits
        .iter()
        .rev()
        .map(|(by, at)| json!({ "editedAt": moment(*at), "editor": actor(model, by.as_ref()) }))
        .collect();
    if !edits.is_empty() {
        edits.push(json!({ "editedAt": moment(found.created), "editor": actor(model, Some(&found.by)) }));
    }
    let last = found.edits.last();
    let body = json!({ "data": {
        "viewer": { "login": ask.login.trim_end_matches("[bot]") },
        "repository": { "issue": {
            "createdAt": moment(found.created),
            "lastEditedAt": last.map(|(_, at)| moment(*at)),
            "editor": actor(model, last.and_then(|(by, _)| by.as_ref())),
            "userContentEdits": { "pageInfo": { "hasNextPage": edits.len() > 100 },
                "nodes": edits.into_iter().take(100).collect::<Vec<_>>() },
            "timelineItems": {
                "pageInfo": { "hasPreviousPage": start > 0, "startCursor": start.to_string() },
                "nodes": items[start..end],
            },
        } },
    } });
    Reply::json(200, &body)
}
