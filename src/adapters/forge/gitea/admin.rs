//! What Gitea and Forgejo tell of a token and of a repository's labels. They name neither scopes nor an end of the
//! token: what may be read is tried, one small page each.

use serde_json::json;

use super::{Gitea, PAGE, wire};
use crate::adapters::forge::rest::repo_path;
use crate::adapters::forge::wire::{User, read_all};
use crate::adapters::forge::{http_date, rules_told};
use crate::adapters::http::{Method, encoded};
use crate::domain::doctor::{Access, TokenFacts};
use crate::domain::model::{Permission, RepoId};
use crate::ports::{ForgeAdmin, PortError, PortResult};

impl ForgeAdmin for Gitea {
    fn token(&self) -> PortResult<TokenFacts> {
        let doing = format!("asking {} whose token this is", self.rest.client.name());
        let answer = self.rest.client.get(&doing, "/user")?;
        let user: User = answer.json(&doing)?;
        Ok(TokenFacts {
            login: user.login,
            scopes: None,
            without: vec![],
            expires_at: None,
            server_time: answer.date.as_deref().and_then(http_date),
        })
    }

    fn access(&self, repo: &RepoId) -> PortResult<Access> {
        let found = self.rest.look(repo)?;
        let held = match &found.permissions {
            Some(rights) if rights.admin => Permission::Admin,
            Some(rights) if rights.push => Permission::Write,
            Some(rights) if rights.pull => Permission::Read,
            Some(_) | None => Permission::None,
        };
        let mut lacks = Vec::new();
        for (is_so, what) in [
            (found.archived, "it is archived, and takes nothing"),
            (found.mirror, "it is a mirror, which takes no pushes"),
            (!found.has_issues, "its issues are turned off"),
        ] {
            lacks.extend(is_so.then(|| what.to_owned()));
        }
        let base = repo_path(repo);
        let branch = encoded(&found.default_branch);
        let mut pages = vec![
            ("pull requests", format!("{base}/pulls?limit=1")),
            ("commit statuses", format!("{base}/commits/{branch}/statuses?limit=1")),
        ];
        if found.has_issues {
            pages.push(("issues", format!("{base}/issues?limit=1")));
        }
        for (what, path) in pages {
            lacks.extend(self.rest.locked(&format!("{what} of {repo}"), &path)?);
        }
        let requires = rules_told(self, repo, &found.default_branch, &mut lacks)?;
        Ok(Access { held, lacks, requires })
    }

    /// Of the repository, and of the organisation that it belongs to.
    fn labels(&self, repo: &RepoId) -> PortResult<Vec<String>> {
        Ok(self.known_labels(repo)?.into_iter().map(|label| label.name).collect())
    }

    fn make_label(&self, repo: &RepoId, name: &str, colour: &str, meaning: &str) -> PortResult<()> {
        // A second one of the same name would be made without a word.
        if self.known_labels(repo)?.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        let doing = format!("making the label {name} in {repo}");
        let path = format!("{}/labels", repo_path(repo));
        let body = json!({ "name": name, "color": format!("#{colour}"), "description": meaning });
        self.write(&doing, Method::Post, &path, &body).map(drop)
    }
}

impl Gitea {
    pub(super) fn known_labels(&self, repo: &RepoId) -> PortResult<Vec<wire::Label>> {
        let mut labels = self.own_labels(repo)?;
        labels.extend(self.shared_labels(repo)?);
        Ok(labels)
    }

    pub(super) fn own_labels(&self, repo: &RepoId) -> PortResult<Vec<wire::Label>> {
        let doing = format!("reading the labels of {repo}");
        let path = format!("{}/labels", repo_path(repo));
        let entries = self.rest.client.pages_counted(&doing, &path, PAGE)?;
        read_all(entries, &doing)
    }

    /// Those of the organisation. A person has none, and a server may not let us read them.
    pub(super) fn shared_labels(&self, repo: &RepoId) -> PortResult<Vec<wire::Label>> {
        let doing = format!("reading the labels of {}", repo.owner);
        let path = format!("/orgs/{}/labels", encoded(&repo.owner));
        match self.rest.client.pages_counted(&doing, &path, PAGE) {
            Ok(entries) => read_all(entries, &doing),
            Err(PortError::Gone { .. } | PortError::Refused { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
