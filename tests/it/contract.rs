//! What every forge has to do the same way, asked of each through the ports: the local one, and GitHub, Gitea and Forgejo
//! as simulated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use offhours::adapters::forge::gitea::{Flavour, Gitea};
use offhours::adapters::forge::github::{GitHub, Places};
use offhours::adapters::forge::local::LocalForge;
use offhours::adapters::http::{Client, Http, Server};
use offhours::adapters::secret::Token;
use offhours::domain::model::{Oid, PullState, RepoId, ReviewVerdict, Seen, UnixTime};
use offhours::domain::secret::Secret;
use offhours::ports::{
    Clock, Forge, Listing, MergeAnswer, Merging, NewPull, PortError, PortResult, RateLimit, RateLimitStore,
};

use super::forge::Dialect;
use super::network_forge::{ALL, Hub, TOKEN};
use super::world::{START, World, git};

struct At;

impl Clock for At {
    fn now(&self) -> UnixTime {
        UnixTime(START)
    }
}

#[derive(Default)]
struct Book(RefCell<BTreeMap<String, String>>);

impl RateLimitStore for Book {
    fn limit(&self, _: &str) -> PortResult<Option<RateLimit>> {
        Ok(None)
    }
    fn put_limit(&self, _: &str, _: Option<&RateLimit>) -> PortResult<()> {
        Ok(())
    }
    fn repo_identity(&self, repo: &RepoId) -> PortResult<Option<String>> {
        Ok(self.0.borrow().get(&repo.to_string()).cloned())
    }
    fn put_repo_identity(&self, repo: &RepoId, identity: &str) -> PortResult<()> {
        drop(self.0.borrow_mut().insert(repo.to_string(), identity.to_owned()));
        Ok(())
    }
}

/// A forge with the hand of a person in it.
enum Place {
    Local(World),
    Sim(Hub),
}

impl Place {
    fn world(&self) -> &World {
        match self {
            Self::Local(world) => world,
            Self::Sim(hub) => &hub.world,
        }
    }

    fn repo(&self) -> RepoId {
        let forge = match self {
            Self::Local(_) => "home",
            Self::Sim(_) => "hub",
        };
        RepoId::parse(&format!("{forge}:me/app"), None).unwrap()
    }

    fn forge(&self) -> Box<dyn Forge> {
        let hub = match self {
            Self::Local(world) => {
                return Box::new(LocalForge::new(world.path("tracker"), Rc::new(At), "offhours"));
            }
            Self::Sim(hub) => hub,
        };
        let http = Rc::new(Http::new(Rc::new(At), Rc::new(Book::default()), true, 10_000, |_| {}));
        let dialect = hub.sim.model.lock().dialect;
        let client = |base: String| {
            let headers = if dialect == Dialect::Github { GitHub::headers() } else { vec![] };
            let token = Rc::new(|| Ok(Some(Token::new(Secret::new(TOKEN.to_owned()), "Bearer"))));
            let write_gap = Duration::ZERO;
            Client::new(
                Rc::clone(&http),
                Server {
                    name: "hub".to_owned(),
                    base,
                    secret: "forge.hub.token".to_owned(),
                    headers,
                    authorization: token,
                    write_gap,
                },
            )
        };
        let (web, api) = (hub.sim.url.clone(), format!("{}{}", hub.sim.url, dialect.api()));
        let git = format!("{web}/{{owner}}/{{name}}.git");
        match dialect {
            Dialect::Github => {
                let graphql = client(format!("{web}/api/graphql"));
                Box::new(GitHub::new(client(api), graphql, Places { web, git }))
            }
            Dialect::Gitea => Box::new(Gitea::new(client(api), Flavour::Gitea, web, git)),
            Dialect::Forgejo => Box::new(Gitea::new(client(api), Flavour::Forgejo, web, git)),
        }
    }

    /// A person opens an issue.
    fn opens(&self, title: &str, labels: &[&str]) -> u64 {
        match self {
            Self::Sim(hub) => {
                let mut model = hub.sim.model.lock();
                let number = model.open("me/app", "ada", title, "Please.", &[]);
                for label in labels {
                    model.label("me/app", number, label, Some("ada"), true);
                }
                number
            }
            Self::Local(world) => {
                let mut args = vec!["issue", "new", "me/app", "--title", title, "--json"];
                for label in labels {
                    args.extend(["--label", label]);
                }
                world.offhours(&args).ok().json().pointer("/items/0/number").unwrap().as_u64().unwrap()
            }
        }
    }

    /// A person pushes a branch; its head.
    fn pushes(&self, branch: &str) -> Oid {
        let world = self.world();
        git(&world.bare("me/app"), &["branch", branch, "main"]);
        self.pushes_more(branch, branch)
    }

    fn pushes_more(&self, branch: &str, file: &str) -> Oid {
        let world = self.world();
        world.person_pushes_to("me/app", branch, &file.replace('/', "-"), "x\n");
        Oid::parse(git(&world.bare("me/app"), &["rev-parse", branch]).trim()).unwrap()
    }

    /// A person asks for changes.
    fn asks_for_changes(&self, number: u64) {
        match self {
            Self::Sim(hub) => {
                let notes = [("a.txt", 3, "here")];
                hub.sim.model.lock().review("me/app", number, "ada", "CHANGES_REQUESTED", "No", &notes);
            }
            Self::Local(world) => {
                let name = format!("me/app#{number}");
                let args =
                    ["pr", "review", &name, "--request-changes", "-m", "No", "--on", "a.txt:3", "here"];
                world.offhours(&args).ok();
            }
        }
    }
}

fn places() -> Vec<(String, Place)> {
    let local = ("local".to_owned(), Place::Local(World::in_memory()));
    let sims = ALL.into_iter().map(|d| (format!("{d:?}"), Place::Sim(Hub::new(d))));
    std::iter::once(local).chain(sims).collect()
}

fn gone<T: std::fmt::Debug>(answer: &PortResult<T>, what: &str) {
    assert!(matches!(answer, Err(PortError::Gone { .. })), "{what}: {answer:?}");
}

#[test]
fn issues_labels_and_comments() {
    for (what, place) in places() {
        let (forge, repo) = (place.forge(), place.repo());
        let ready = place.opens("First", &["ready-for-agent", "other"]);
        let plain = place.opens("Second", &[]);
        let listed = |label: &str| -> Vec<u64> {
            let Listing::Issues { issues, .. } = forge.list(&repo, label, None).unwrap() else {
                panic!("{what}: nothing was known before")
            };
            issues.into_iter().map(|i| i.number).collect()
        };
        assert_eq!(listed("ready-for-agent"), [ready], "{what}");
        assert_eq!(listed("Ready-For-Agent"), [ready], "{what}: in any case");
        assert_eq!(listed("no-such-label"), Vec::<u64>::new(), "{what}: an unknown label is on no issue");
        gone(&forge.issue(&repo, 99), &what);
        let issue = forge.issue(&repo, ready).unwrap();
        assert_eq!((issue.title.as_str(), issue.open), ("First", true), "{what}");

        // Twice is once; a label that nobody made is made.
        for _ in 0..2 {
            forge.set_label(&repo, plain, "brand-new", true).unwrap();
            assert!(forge.issue(&repo, plain).unwrap().has_label("brand-new"), "{what}");
        }
        assert_eq!(listed("brand-new"), [plain], "{what}");
        for _ in 0..2 {
            forge.set_label(&repo, plain, "brand-new", false).unwrap();
            assert!(!forge.issue(&repo, plain).unwrap().has_label("brand-new"), "{what}");
        }
        forge.set_label(&repo, plain, "never-was", false).unwrap();
        gone(&forge.set_label(&repo, 99, "other", true), &what);

        let marker = "<!-- offhours:r1:progress -->";
        assert_eq!(forge.find_comment(&repo, ready, marker).unwrap(), None, "{what}");
        let id = forge.put_comment(&repo, ready, None, &format!("{marker}\none")).unwrap();
        assert_eq!(forge.find_comment(&repo, ready, marker).unwrap().as_deref(), Some(id.as_str()), "{what}");
        forge.put_comment(&repo, ready, Some(&id), &format!("{marker}\ntwo")).unwrap();
        let comments = forge.comments(&repo, ready).unwrap();
        assert_eq!(comments.len(), 1, "{what}");
        assert_eq!(comments[0].body.trim_end(), format!("{marker}\ntwo"), "{what}");

        let blockers = forge.blockers(&repo, &issue, &[plain, 99]).unwrap();
        assert_eq!(blockers.len(), 2, "{what}");
        assert_eq!(blockers[0].open, Seen::Known(true), "{what}");
        assert!(blockers[1].open != Seen::Known(false), "{what}: what is not there is not closed");
        for open in [false, false, true, true] {
            forge.set_open(&repo, plain, open).unwrap();
            assert_eq!(forge.issue(&repo, plain).unwrap().open, open, "{what}");
        }
        forge.set_body(&repo, plain, "Another text").unwrap();
        assert_eq!(forge.issue(&repo, plain).unwrap().body.trim_end(), "Another text", "{what}");
        forge.set_open(&repo, ready, false).unwrap();
        assert_eq!(listed("ready-for-agent"), Vec::<u64>::new(), "{what}: closed");

        let remote = forge.remote(&repo).unwrap();
        assert_eq!(remote.default_branch, "main", "{what}");
        assert!(!remote.url.contains(TOKEN), "{what}");
        let other = RepoId::parse(&format!("{}:me/nowhere", repo.forge), None).unwrap();
        gone(&forge.remote(&other), &what);
    }
}

/// Whether it can be merged may be worked out first: asked again, it is known.
fn merge(pulls: &dyn Merging, repo: &RepoId, number: u64, head: &Oid) -> PortResult<MergeAnswer> {
    match pulls.merge_pull(repo, number, head) {
        Err(PortError::Later { .. }) => pulls.merge_pull(repo, number, head),
        other => other,
    }
}

#[test]
fn pull_requests() {
    for (what, place) in places() {
        let (forge, repo) = (place.forge(), place.repo());
        let pulls = forge.pulls().unwrap();
        let branch = "offhours/issue-1-r1";
        assert_eq!(pulls.pull_of(&repo, branch).unwrap(), None, "{what}");
        let head = place.pushes(branch);
        let new = NewPull {
            title: "Title".into(),
            body: "Body".into(),
            branch: branch.into(),
            target: "main".into(),
        };
        let made = pulls.open_pull(&repo, &new).unwrap();
        let seen = (made.branch.as_str(), made.target.as_str(), &made.head, &made.state);
        assert_eq!(seen, (branch, "main", &head, &PullState::Open), "{what}");
        let again = pulls.open_pull(&repo, &new);
        assert!(matches!(again, Err(PortError::Refused { .. })), "{what}: {again:?}");
        assert_eq!(pulls.pull_of(&repo, branch).unwrap().map(|p| p.number), Some(made.number), "{what}");
        gone(&pulls.pull(&repo, 99), &what);
        gone(&forge.issue(&repo, made.number), &format!("{what}: a pull request is no issue"));
        pulls.edit_pull(&repo, made.number, "Other", "Text").unwrap();
        let now = pulls.pull(&repo, made.number).unwrap();
        assert_eq!((now.title.as_str(), now.body.trim_end()), ("Other", "Text"), "{what}");

        assert!(pulls.reviews(&repo, made.number).unwrap().is_empty(), "{what}");
        place.asks_for_changes(made.number);
        let reviews = pulls.reviews(&repo, made.number).unwrap();
        assert_eq!(reviews.len(), 1, "{what}");
        assert_eq!(reviews[0].verdict, ReviewVerdict::ChangesRequested, "{what}");
        let note = &reviews[0].notes[0];
        assert_eq!((note.path.as_deref(), note.line, note.body.trim_end()), (Some("a.txt"), Some(3), "here"));

        // Only at exactly that head.
        let newer = place.pushes_more(branch, "second");
        let main = || git(&place.world().bare("me/app"), &["rev-parse", "main"]);
        let before = main();
        assert_eq!(merge(pulls, &repo, made.number, &head).unwrap(), MergeAnswer::HeadMoved, "{what}");
        assert_eq!(main(), before, "{what}");
        let answer = merge(pulls, &repo, made.number, &newer).unwrap();
        assert!(matches!(answer, MergeAnswer::Merged(_)), "{what}: {answer:?}");
        git(&place.world().bare("me/app"), &["merge-base", "--is-ancestor", newer.as_str(), "main"]);
        let after = main();
        assert!(matches!(merge(pulls, &repo, made.number, &newer), Ok(MergeAnswer::Merged(_))), "{what}");
        pulls.close_pull(&repo, made.number).unwrap();
        assert_eq!(main(), after, "{what}: twice is once");
        let now = pulls.pull(&repo, made.number).unwrap();
        let PullState::Merged { commit, by } = now.state else { panic!("{what}: {:?}", now.state) };
        assert_eq!(
            (commit.map(|c| c.to_string()), by.is_some()),
            (Some(after.trim().to_owned()), true),
            "{what}"
        );

        // Another one of the same branch, closed unmerged; its branch is gone.
        let last = place.pushes_more(branch, "third");
        let second = pulls.open_pull(&repo, &new).unwrap();
        for _ in 0..2 {
            pulls.close_pull(&repo, second.number).unwrap();
        }
        let refused = merge(pulls, &repo, second.number, &last);
        assert!(refused.is_err(), "{what}: {refused:?}");
        git(&place.world().bare("me/app"), &["branch", "-D", branch]);
        let found = pulls.pull_of(&repo, branch).unwrap().unwrap();
        assert_eq!((found.number, found.state), (second.number, PullState::Closed), "{what}");
        assert_eq!((found.branch.as_str(), found.head), (branch, last), "{what}");
    }
}
