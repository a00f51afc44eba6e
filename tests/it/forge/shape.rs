//! What GitHub's answers have by its published description and nobody here reads: without it a simulated answer would be
//! of a kind that no real server gives.

use serde_json::{Value, json};

const NOWHERE: &str = "https://forge.invalid/x";

const USER: &str = "avatar_url events_url followers_url following_url gists_url html_url node_id organizations_url \
    received_events_url repos_url starred_url subscriptions_url url";
const REPO: &str = "archive_url assignees_url blobs_url branches_url collaborators_url comments_url commits_url \
    compare_url contents_url contributors_url deployments_url downloads_url events_url forks_url git_commits_url \
    git_refs_url git_tags_url hooks_url html_url node_id issue_comment_url issue_events_url issues_url keys_url \
    labels_url languages_url merges_url milestones_url notifications_url pulls_url releases_url stargazers_url \
    statuses_url subscribers_url subscription_url tags_url teams_url trees_url url clone_url git_url ssh_url svn_url";
const ISSUE: &str = "node_id comments_url events_url html_url labels_url url repository_url";
const PULL: &str = "node_id comments_url commits_url diff_url html_url issue_url patch_url review_comment_url \
    review_comments_url statuses_url url";
const RUN: &str =
    "node_id url html_url jobs_url logs_url check_suite_url cancel_url rerun_url artifacts_url workflow_url";

/// What is there stays; of the rest these names are given some address, and those in `rest` what they have there.
fn whole(mut value: Value, addresses: &str, rest: &Value) -> Value {
    let own = value.as_object_mut().unwrap();
    for name in addresses.split_whitespace() {
        own.entry(name).or_insert_with(|| json!(NOWHERE));
    }
    for (name, other) in rest.as_object().unwrap() {
        own.entry(name.clone()).or_insert_with(|| other.clone());
    }
    value
}

pub fn user(value: Value) -> Value {
    whole(value, USER, &json!({ "gravatar_id": "", "site_admin": false }))
}

/// The one whose token it is.
pub fn own_user(value: Value) -> Value {
    let rest = json!({ "bio": null, "blog": null, "company": null, "email": null, "followers": 0, "following": 0,
        "hireable": null, "location": null, "name": null, "public_gists": 0, "public_repos": 1,
        "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "user_view_type": "public" });
    whole(user(value), "", &rest)
}

pub fn repo(full: &str, value: Value) -> Value {
    let (owner, name) = full.split_once('/').unwrap();
    let owner = user(json!({ "login": owner, "id": 1, "type": "User" }));
    let rest = json!({ "id": 1, "name": name, "full_name": full, "owner": owner, "private": false, "fork": false,
        "description": null, "default_branch": "main", "forks": 0, "forks_count": 0, "has_issues": true,
        "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true, "has_discussions": false,
        "homepage": null, "language": null, "archived": false, "disabled": false, "mirror_url": null,
        "open_issues": 0, "open_issues_count": 0, "license": null, "pushed_at": "2020-01-01T00:00:00Z", "size": 1,
        "stargazers_count": 0, "watchers": 0, "watchers_count": 0, "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z", "network_count": 0, "subscribers_count": 0 });
    whole(value, REPO, &rest)
}

pub fn label(value: Value) -> Value {
    whole(value, "node_id url", &json!({ "id": 1, "description": null, "color": "ededed", "default": false }))
}

pub fn issue(value: Value) -> Value {
    whole(value, ISSUE, &json!({ "assignee": null, "closed_at": null, "milestone": null, "locked": false }))
}

pub fn comment(value: Value) -> Value {
    whole(value, "node_id html_url issue_url url", &json!({}))
}

pub fn event(value: Value) -> Value {
    let rest = json!({ "commit_id": null, "commit_url": null, "performed_via_github_app": null });
    let addresses =
        if value["event"] == "commented" { "node_id url html_url issue_url" } else { "node_id url" };
    whole(value, addresses, &rest)
}

pub fn status(value: Value) -> Value {
    whole(value, "node_id url avatar_url", &json!({}))
}

pub fn check_run(value: Value) -> Value {
    let owner = user(json!({ "login": "github", "id": 9919, "type": "Organization" }));
    let app = json!({ "id": 15368, "owner": owner, "name": "GitHub Actions", "description": null,
        "created_at": "2018-07-30T09:30:17Z", "updated_at": "2019-12-10T19:04:12Z", "permissions": {}, "events": [] });
    let rest = json!({ "details_url": null, "started_at": null, "completed_at": null, "external_id": null,
        "check_suite": null, "pull_requests": [] });
    let mut run = whole(value, "node_id url html_url", &rest);
    run["app"] = whole(run["app"].take(), "node_id external_url html_url", &app);
    run["output"] =
        whole(run["output"].take(), "annotations_url", &json!({ "text": null, "annotations_count": 0 }));
    run
}

pub fn workflow_run(full: &str, value: Value) -> Value {
    let rest = json!({ "head_branch": "main", "run_number": 1, "display_title": "A push", "event": "push",
        "path": ".github/workflows/ci.yml@main", "workflow_id": 1, "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z", "head_commit": null, "head_repository": repo(full, json!({})),
        "repository": repo(full, json!({})), "pull_requests": [] });
    whole(value, RUN, &rest)
}

pub fn pull(value: Value, single: bool) -> Value {
    let link = json!({ "href": NOWHERE });
    let links = json!({ "comments": link, "commits": link, "statuses": link, "html": link, "issue": link,
        "review_comments": link, "review_comment": link, "self": link });
    let rest = json!({ "_links": links, "assignee": null, "labels": [], "closed_at": null, "milestone": null,
        "locked": false, "author_association": "NONE", "auto_merge": null });
    let mut pull = whole(value, PULL, &rest);
    for end in ["head", "base"] {
        let full = pull[end]["repo"]["full_name"].as_str().unwrap().to_owned();
        let of = repo(&full, pull[end]["repo"].take());
        let rest = json!({ "label": format!("{}:{}", of["owner"]["login"].as_str().unwrap(), pull[end]["ref"].as_str().unwrap()),
            "user": of["owner"] });
        pull[end] = whole(pull[end].take(), "", &rest);
        pull[end]["repo"] = of;
    }
    if single {
        let rest = json!({ "additions": 1, "changed_files": 1, "comments": 0, "commits": 1, "deletions": 0,
            "mergeable_state": "unknown", "maintainer_can_modify": false, "review_comments": 0 });
        pull = whole(pull, "", &rest);
    }
    pull
}

pub fn review(value: Value) -> Value {
    let link = json!({ "href": NOWHERE });
    let rest = json!({ "commit_id": null, "author_association": "NONE", "_links": { "html": link, "pull_request": link } });
    whole(value, "node_id html_url pull_request_url", &rest)
}

pub fn review_note(value: Value) -> Value {
    let link = json!({ "href": NOWHERE });
    let rest = json!({ "diff_hunk": "@@ -1 +1 @@", "commit_id": "0", "original_commit_id": "0",
        "author_association": "NONE", "_links": { "self": link, "html": link, "pull_request": link } });
    whole(value, "node_id url html_url pull_request_url", &rest)
}

pub fn app(value: Value) -> Value {
    let owner = user(json!({ "login": "ada", "id": 1, "type": "User" }));
    let rest = json!({ "owner": owner, "description": null, "permissions": {}, "events": [],
        "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z" });
    whole(value, "node_id external_url html_url", &rest)
}

/// Where an app is installed.
pub fn installation(value: Value) -> Value {
    let rest = json!({ "app_id": 1, "client_id": "Iv1", "target_id": 1, "target_type": "User", "permissions": {},
        "events": [], "single_file_name": null, "repository_selection": "selected", "app_slug": "x",
        "suspended_by": null, "suspended_at": null, "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z" });
    whole(value, "access_tokens_url repositories_url html_url", &rest)
}

pub fn branch(value: Value) -> Value {
    let inner = json!({ "author": null, "committer": null, "comment_count": 0, "message": "x", "url": NOWHERE,
        "tree": { "sha": "x", "url": NOWHERE } });
    let commit = json!({ "sha": "x", "commit": inner, "author": user(json!({ "login": "ada", "id": 1, "type": "User" })),
        "committer": user(json!({ "login": "ada", "id": 1, "type": "User" })), "parents": [] });
    let commit = whole(commit, "url node_id html_url comments_url", &json!({}));
    let rest = json!({ "commit": commit, "_links": { "html": NOWHERE, "self": NOWHERE } });
    whole(value, "protection_url", &rest)
}

pub fn reaction(value: Value) -> Value {
    whole(value, "node_id", &json!({}))
}
