//! What GitHub tells of a token and of a repository's labels.
//!
//! A classic token names its scopes in a header. A fine-grained one does not, and `permissions` of a repository is then
//! the account's, not the token's: what may be read is tried, one small page each.

use serde_json::{Value, json};

use super::{GitHub, wire};
use crate::adapters::forge::rest::repo_path;
use crate::adapters::forge::wire::{Repository, User};
use crate::adapters::forge::{http_date, moment, rules_told};
use crate::adapters::http::Method;
use crate::domain::doctor::{Access, TokenFacts};
use crate::domain::model::{Permission, RepoId, UnixTime};
use crate::ports::{ForgeAdmin, PortError, PortResult};

/// `2026-12-01 09:30:00 UTC`, or with `+0000` at its end.
fn expiry(text: &str) -> Option<UnixTime> {
    let mut words = text.split_whitespace();
    let (day, time, zone) = (words.next()?, words.next()?, words.next().unwrap_or("UTC"));
    let zone = match zone {
        "UTC" | "GMT" | "Z" => "Z".to_owned(),
        other => {
            let (hours, minutes) = other.split_at_checked(3)?;
            format!("{hours}:{minutes}")
        }
    };
    moment(&format!("{day}T{time}{zone}"))
}

/// The names in a header that has commas between them.
fn words(header: &str) -> Vec<String> {
    header.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

impl GitHub {
    /// Scopes of a classic token that are missing; nothing where the server tells none.
    fn missing_scopes(scopes: Option<&[String]>, private: bool) -> Option<String> {
        let scopes = scopes?;
        let has = |name: &str| scopes.iter().any(|s| s == name);
        let enough = has("repo") || (!private && has("public_repo"));
        let wanted = if private { "repo" } else { "repo, or public_repo" };
        (!enough).then(|| format!("the token has not the scope it needs there ({wanted})"))
    }
}

impl ForgeAdmin for GitHub {
    fn token(&self) -> PortResult<TokenFacts> {
        if let Some(app) = &self.app {
            let told = app.about()?;
            let (scopes, without) = app.rights()?;
            // The hour that a token of it is good for is nobody's concern.
            return Ok(TokenFacts {
                login: told.login,
                scopes: Some(scopes),
                without,
                expires_at: None,
                server_time: told.server_time,
            });
        }
        let doing = format!("asking {} whose token this is", self.rest.client.name());
        let answer = self.rest.client.get(&doing, "/user")?;
        let user: User = answer.json(&doing)?;
        Ok(TokenFacts {
            login: user.login,
            scopes: answer.scopes.as_deref().map(words),
            without: vec![],
            expires_at: answer.expires.as_deref().and_then(expiry),
            server_time: answer.date.as_deref().and_then(http_date),
        })
    }

    fn access(&self, repo: &RepoId) -> PortResult<Access> {
        let found = self.rest.look(repo)?;
        if let Some(app) = &self.app {
            return self.access_of_app(app, repo, &found);
        }
        let held = match &found.permissions {
            Some(rights) if rights.admin => Permission::Admin,
            Some(rights) if rights.push => Permission::Write,
            Some(rights) if rights.pull => Permission::Read,
            Some(_) => Permission::None,
            None => self.permission_of_ourselves(repo)?,
        };
        let mut lacks = Self::closed(&found);
        // Every answer names the scopes of a classic token.
        let scopes = self.rest.client.get(&format!("looking at {repo}"), &repo_path(repo))?.scopes;
        lacks.extend(Self::missing_scopes(scopes.as_deref().map(words).as_deref(), found.private));
        let base = repo_path(repo);
        let branch = crate::adapters::http::encoded(&found.default_branch);
        let pages = [
            ("issues", format!("{base}/issues?per_page=1")),
            ("pull requests", format!("{base}/pulls?per_page=1")),
            ("commit statuses", format!("{base}/commits/{branch}/status?per_page=1")),
            ("check runs", format!("{base}/commits/{branch}/check-runs?per_page=1")),
            ("workflow runs", format!("{base}/actions/runs?per_page=1")),
        ];
        for (what, path) in pages {
            if what == "issues" && !found.has_issues {
                continue;
            }
            lacks.extend(self.rest.locked(&format!("{what} of {repo}"), &path)?);
        }
        let requires = rules_told(self, repo, &found.default_branch, &mut lacks)?;
        Ok(Access { held, lacks, requires })
    }

    fn labels(&self, repo: &RepoId) -> PortResult<Vec<String>> {
        let doing = format!("reading the labels of {repo}");
        let path = format!("{}/labels?per_page=100", repo_path(repo));
        let name = |entry: Value| serde_json::from_value::<wire::LabelFacts>(entry).map(|label| label.name);
        let entries = self.rest.client.pages(&doing, &path)?.into_iter().map(name);
        entries
            .collect::<Result<_, _>>()
            .map_err(|error| PortError::broken(format!("{doing}: one of them cannot be understood: {error}")))
    }

    fn make_label(&self, repo: &RepoId, name: &str, colour: &str, meaning: &str) -> PortResult<()> {
        let doing = format!("making the label {name} in {repo}");
        let path = format!("{}/labels", repo_path(repo));
        let body = json!({ "name": name, "color": colour, "description": meaning });
        let answer = self.rest.client.write_any(&doing, Method::Post, &path, Some(&body))?;
        // Somebody made it meanwhile, or an answer of ours was lost.
        if answer.status == 422 && self.labels(repo)?.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        answer.good(&doing).map(drop)
    }
}

impl GitHub {
    fn closed(found: &Repository) -> Vec<String> {
        let mut lacks = Vec::new();
        if found.archived {
            lacks.push("it is archived, and takes nothing".to_owned());
        }
        if !found.has_issues {
            lacks.push("its issues are turned off".to_owned());
        }
        lacks
    }

    /// What stands with a repository is said of accounts only; an app is told its rights with each token.
    fn access_of_app(&self, app: &super::App, repo: &RepoId, found: &Repository) -> PortResult<Access> {
        let mut lacks = Self::closed(found);
        lacks.extend(app.not_installed(repo)?);
        let missing = app.missing()?;
        let held = if missing.iter().any(|right| right.ends_with("write")) {
            Permission::Read
        } else {
            Permission::Write
        };
        lacks.extend(missing.iter().map(|right| {
            format!(
                "the app has not {right}; add it in the app's settings, and accept it where it is installed"
            )
        }));
        let requires = rules_told(self, repo, &found.default_branch, &mut lacks)?;
        Ok(Access { held, lacks, requires })
    }

    /// An older server that does not say it with the repository.
    fn permission_of_ourselves(&self, repo: &RepoId) -> PortResult<Permission> {
        use crate::ports::Hosting as _;
        let login = self.login()?;
        self.permission(repo, &crate::domain::model::Person { login, bot: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_as_github_spells_it() {
        for (text, wanted) in [
            ("2026-12-01 09:30:00 UTC", Some(1_796_117_400)),
            ("2026-12-01 09:30:00 +0000", Some(1_796_117_400)),
            ("2026-12-01 10:30:00 +0100", Some(1_796_117_400)),
            ("tomorrow", None),
            ("", None),
            ("2026-12-01 09:30:00 ü", None),
        ] {
            assert_eq!(expiry(text), wanted.map(UnixTime), "{text}");
        }
    }

    #[test]
    fn a_classic_token_needs_a_scope_and_another_for_private_repositories() {
        let missing = |scopes: &[&str], private| {
            let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
            GitHub::missing_scopes(Some(&scopes), private).is_some()
        };
        assert!(!missing(&["repo"], true) && !missing(&["repo"], false) && !missing(&["public_repo"], false));
        assert!(
            missing(&["public_repo"], true) && missing(&[], false) && missing(&["gist", "read:org"], false)
        );
        assert_eq!(GitHub::missing_scopes(None, true), None, "a fine-grained token names none");
    }
}
