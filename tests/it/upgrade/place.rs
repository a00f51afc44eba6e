//! A small place for upgrades: upstream, mirror and tests repositories, a registry on loopback, scripts for teardown, agent and
//! CI. A hook of the mirror logs every push.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use super::registry::Registry;
use crate::world::{Answer, World, git};

pub const LABEL: &str = "coop-cloud.${STACK_NAME}.version";

pub struct Place {
    pub world: World,
    pub registry: Registry,
}

/// A compose file of one service with its version label.
pub fn compose(host: &str, tag: &str, version: &str) -> String {
    format!(
        "# the blog\nservices:\n  app:\n    image: {host}/team/app:{tag} # keep\n    deploy:\n      labels:\n        - \"{LABEL}={version}\"\n"
    )
}

impl Place {
    /// The recipe `blog` at 1.0.0, with 1.1.0 on the second page of its registry.
    pub fn new() -> Self {
        let place = Self { world: World::in_memory(), registry: Registry::new() };
        place
            .registry
            .image("team/app", &["0.8.0", "0.9.0", "1.0.0", "1.1.0", "1.1.0-beta", "2.0.0", "latest"]);
        place.recipe("blog");
        place.world.repo("recipes/tests");
        place.world.person_pushes("recipes/tests", "blog.sh", "grep -q Old page\n");
        place.configure("", "");
        place
    }

    pub fn upstream(&self, name: &str) -> PathBuf {
        self.world.path(&format!("upstream/{name}.git"))
    }

    /// A recipe with its upstream, and a mirror that is equal to it.
    pub fn recipe(&self, name: &str) {
        let mirror = format!("recipes/{name}");
        self.world.repo(&mirror);
        let upstream = self.upstream(name);
        fs::create_dir_all(&upstream).unwrap();
        git(&upstream, &["init", "-q", "--bare", "--template=", "--initial-branch=main", "."]);
        git(&self.world.bare(&mirror), &["push", "-q", upstream.to_str().unwrap(), "main"]);
        self.upstream_commit(name, "compose.yml", &compose(&self.registry.host(), "1.0.0", "1.0.0+1.0.0"));
        git(&upstream, &["push", "-q", self.world.bare(&mirror).to_str().unwrap(), "main:main"]);
        let hook = self.world.bare(&mirror).join("hooks/post-receive");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        let log = self.world.path("pushes");
        let text = format!(
            "#!/bin/sh\nwhile read old new ref; do echo \"{name} $ref\" >> {}; done\n",
            log.display()
        );
        fs::write(&hook, text).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Commits a file to upstream's main.
    pub fn upstream_commit(&self, name: &str, file: &str, text: &str) {
        let clone = self.world.path("upstream-clone");
        drop(fs::remove_dir_all(&clone));
        let here = self.world.path("");
        git(&here, &["clone", "-q", self.upstream(name).to_str().unwrap(), clone.to_str().unwrap()]);
        fs::write(clone.join(file), text).unwrap();
        git(&clone, &["add", file]);
        git(&clone, &["commit", "-q", "-m", "Upstream's work"]);
        git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    }

    /// The configuration: `upgrade` is put into `[upgrade]`, `tables` behind everything.
    pub fn configure(&self, upgrade: &str, tables: &str) {
        self.configure_for(&["blog"], upgrade, tables);
    }

    pub fn configure_for(&self, recipes: &[&str], upgrade: &str, tables: &str) {
        let list: Vec<String> = recipes.iter().map(|r| format!("\"{r}\"")).collect();
        let mut text = format!(
            "[upgrade]\nenrolled = [{}]\nstatus_context = \"ci\"\nplain_http_registries = [\"{}\"]\n{upgrade}\n",
            list.join(", "),
            self.registry.host()
        );
        for name in recipes {
            text.push_str(&format!(
                "[recipe.{name}]\nmirror = \"home:recipes/{name}\"\nupstream = \"{}\"\ntests = \"home:recipes/tests\"\n",
                self.upstream(name).display()
            ));
        }
        self.world.configure(&[], &format!("{text}{tables}"));
    }

    /// Commands that log what they were called for.
    pub fn teardown(&self) -> String {
        let log = self.world.path("torn");
        let down =
            self.world.script("down.sh", &format!("#!/bin/sh\necho \"down $1\" >> {}\n", log.display()));
        let check = self.world.script(
            "check.sh",
            &format!(
                "#!/bin/sh\necho \"check $1\" >> {}\n[ ! -e {} ]\n",
                log.display(),
                self.world.path("dirty").display()
            ),
        );
        format!(
            "teardown = [\"{}\", \"{{recipe}}\"]\nteardown_check = [\"{}\", \"{{recipe}}\"]\n",
            down.display(),
            check.display()
        )
    }

    /// An agent for upgrades that is a script; `$request` holds request.json.
    pub fn agent(&self, body: &str) -> String {
        let head = "#!/bin/sh\nset -eu\ncat > /dev/null\nrequest=$(cat \"$(dirname \"$OFFHOURS_RESULT\")/request.json\")\n\
            field() { printf '%s' \"$request\" | sed -n \"s/.*\\\"$1\\\":\\\"\\{0,1\\}\\([^,\\\"}]*\\).*/\\1/p\"; }\n\
            reply() { printf '{\"schema\":1,\"attempt\":%s,\"head\":\"%s\",%s}' \"$(field attempt)\" \"$(field head)\" \"$1\" > \"$OFFHOURS_RESULT\"; }\n\
            build=$(field build_url)\n";
        self.world.script("fixer.sh", &format!("{head}{body}"));
        format!("[runner.fixer]\nargv = [\"{}\"]\n", self.world.path("fixer.sh").display())
    }

    pub fn offhours(&self, args: &[&str]) -> Answer {
        self.world.offhours(args)
    }

    /// One tick of the batch; what it acted on.
    pub fn tick(&self) -> Vec<String> {
        crate::world::acted(&self.offhours(&["upgrade", "--json"]))
    }

    /// Ticks and lets jobs end until nothing is done any more.
    pub fn settle(&self) -> Vec<String> {
        let mut told = vec![];
        let mut quiet = 0;
        for _ in 0..60 {
            let lines = self.tick();
            quiet = if lines.is_empty() { quiet + 1 } else { 0 };
            told.extend(lines);
            self.world.jobs_end();
            self.world.advance(60);
            if quiet == 2 {
                return told;
            }
        }
        panic!("it never came to rest:\n{}", told.join("\n"));
    }

    pub fn start(&self, more: &[&str]) -> Answer {
        let args: Vec<&str> = ["upgrade", "start"].iter().chain(more).copied().collect();
        self.offhours(&args).ok()
    }

    /// `upgrade status --json`.
    pub fn status(&self) -> Value {
        self.offhours(&["upgrade", "status", "--json"]).ok().json().pointer("/items/0").cloned().unwrap()
    }

    pub fn recipe_of(&self, name: &str) -> Value {
        let status = self.status();
        let all = status["recipes"].as_array().unwrap().clone();
        all.into_iter().find(|r| r["recipe"] == name).unwrap()
    }

    pub fn line(&self, name: &str) -> String {
        self.recipe_of(name)["line"].as_str().unwrap_or("").to_owned()
    }

    /// A status as CI would set it; numbers rise.
    pub fn status_of(&self, repo: &str, commit: &str, number: u64, state: &str, url: &str) {
        let dir = self.world.path("tracker").join(repo).join("statuses").join(commit);
        fs::create_dir_all(&dir).unwrap();
        let now: i64 = fs::read_to_string(self.world.path("clock")).unwrap().trim().parse().unwrap();
        let text =
            format!("context = \"ci\"\nstate = \"{state}\"\nby = \"ci\"\nurl = \"{url}\"\nat = {now}\n");
        fs::write(dir.join(format!("{number:04}.toml")), text).unwrap();
    }

    pub fn head(&self, repo: &str, branch: &str) -> String {
        git(&self.world.bare(repo), &["rev-parse", &format!("refs/heads/{branch}")]).trim().to_owned()
    }

    pub fn branches(&self, repo: &str) -> Vec<String> {
        let refs = git(&self.world.bare(repo), &["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
        refs.lines().map(str::to_owned).collect()
    }

    /// Bodies of a pull request's comments.
    pub fn comments(&self, repo: &str, number: u64) -> Vec<String> {
        let dir = self.world.path("tracker").join(repo).join(format!("pulls/{number:04}.comments"));
        let mut files: Vec<PathBuf> =
            fs::read_dir(dir).map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
        files.retain(|f| f.extension().is_some_and(|e| e == "md"));
        files.sort();
        files
            .iter()
            .map(|f| {
                fs::read_to_string(f).unwrap().splitn(3, "+++\n").nth(2).unwrap_or_default().trim().to_owned()
            })
            .collect()
    }

    pub fn triggers(&self, repo: &str, number: u64) -> usize {
        self.comments(repo, number).iter().filter(|c| *c == "!testme").count()
    }

    /// A person's comment on a pull request.
    pub fn says(&self, repo: &str, number: u64, who: &str, body: &str, edited: bool) {
        let dir = self.world.path("tracker").join(repo).join(format!("pulls/{number:04}.comments"));
        fs::create_dir_all(&dir).unwrap();
        let count = fs::read_dir(&dir)
            .unwrap()
            .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|x| x == "md"))
            .count();
        let now: i64 = fs::read_to_string(self.world.path("clock")).unwrap().trim().parse().unwrap();
        let at = time::OffsetDateTime::from_unix_timestamp(now).unwrap();
        let at = at.format(&time::format_description::well_known::Rfc3339).unwrap();
        let mark = if edited { "edited = true\n" } else { "" };
        fs::write(
            dir.join(format!("{:04}.md", count + 1)),
            format!("+++\nby = \"{who}\"\nat = {at}\n{mark}+++\n\n{body}"),
        )
        .unwrap();
    }

    pub fn pull_text(&self, repo: &str, number: u64) -> String {
        let path = self.world.path("tracker").join(repo).join(format!("pulls/{number:04}.md"));
        fs::read_to_string(path).unwrap()
    }

    pub fn pull_is_open(&self, repo: &str, number: u64) -> bool {
        !self.pull_text(repo, number).contains("state = \"closed\"")
            && !self.pull_text(repo, number).contains("state = \"merged\"")
    }

    pub fn pulls(&self, repo: &str) -> usize {
        let dir = self.world.path("tracker").join(repo).join("pulls");
        fs::read_dir(dir).map_or(0, |d| {
            d.filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|x| x == "md")).count()
        })
    }

    /// The pushes to the mirrors, in order.
    pub fn pushes(&self) -> Vec<String> {
        fs::read_to_string(self.world.path("pushes")).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
