//! The rules about paths: git's own, CI configuration, submodules, links and sizes; and what lifts them.

use super::{GuardPolicy, Refusal};
use crate::domain::model::FileChange;

pub(crate) const SYMLINK: u32 = 0o120_000;
pub(super) const SUBMODULE: u32 = 0o160_000;

pub(super) fn about_path(file: &FileChange, policy: &GuardPolicy, found: &mut Vec<Refusal>) {
    let mut refuse = |code, why| found.push(Refusal { code, place: file.path.clone(), why });
    if file.odd_path || file.path.chars().any(char::is_control) {
        refuse("odd-path", "its name is not plain text");
        return;
    }
    let folded: Vec<String> = file.path.split(['/', '\\']).map(fold).collect();
    if folded.iter().any(|part| part.is_empty() || is_git(part)) {
        refuse("git-path", "it would lie inside git's own folder, or outside of the tree");
        return;
    }
    if allowed(&file.path, &policy.allow_paths) {
        return;
    }
    if is_ci(&folded, file.new_mode == SYMLINK) {
        refuse("ci-config", "it changes CI configuration");
    }
    if folded.last().is_some_and(|name| name == ".gitmodules" || name.starts_with("gitmod~")) {
        refuse("gitmodules", "it changes which submodules there are");
    }
    if file.old_mode == SUBMODULE || file.new_mode == SUBMODULE {
        refuse("submodule", "it adds, changes or removes a submodule");
    }
    if file.new_mode == SYMLINK && file.link_target.as_deref().is_none_or(|to| leaves(&file.path, to)) {
        refuse("symlink", "it is a link that leaves the tree");
    }
    if file.new_size > policy.max_file_bytes {
        refuse("too-large", "it is larger than 20 MB");
    }
}

/// As a file system that ignores case, widths, invisible characters and trailing dots would see the name. `.` and
/// `..` become empty.
pub(crate) fn fold(part: &str) -> String {
    part.chars()
        .filter(|c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
        .map(|c| match c {
            // Compatibility forms of ASCII, and the letters that fold into it.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{17f}' => 's',
            '\u{130}' | '\u{131}' => 'i',
            _ => c,
        })
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .trim_end_matches(['.', ' '])
        .to_owned()
}

/// git's own folder under any of its names: as it is, its short name, or a stream of it.
fn is_git(folded: &str) -> bool {
    matches!(folded.split(':').next(), Some(".git" | "git~1"))
}

/// Folders of CI configuration, at the top of the tree.
const CI_FOLDERS: [&str; 14] = [
    ".azure-pipelines",
    ".buildkite",
    ".builds",
    ".ci",
    ".circleci",
    ".codefresh",
    ".drone",
    ".forgejo",
    ".gitea",
    ".harness",
    ".semaphore",
    ".teamcity",
    ".tekton",
    ".woodpecker",
];

/// Files of CI configuration without their extension. CI servers look for them at the top; a copy elsewhere may be
/// what an include names.
const CI_FILES: [&str; 18] = [
    ".appveyor",
    ".build",
    ".cirrus",
    ".drone",
    ".gitlab-ci",
    ".gocd",
    ".mergify",
    ".semaphore",
    ".travis",
    ".woodpecker",
    "appveyor",
    "azure-pipelines",
    "bitbucket-pipelines",
    "bitrise",
    "buildspec",
    "cloudbuild",
    "codemagic",
    "wercker",
];

/// Extensions under which CI servers read them.
const CI_EXTENSIONS: [&str; 5] = ["yml", "yaml", "star", "jsonnet", "json"];

/// Below `.github`, what runs or decides something; the rest of it is prose.
const GITHUB: [&str; 5] = ["workflows", "actions", "dependabot.yml", "dependabot.yaml", "codeowners"];

fn is_ci(parts: &[String], link: bool) -> bool {
    let part = |at: usize| parts.get(at).map_or("", String::as_str);
    let (top, name) = (part(0), parts.last().map_or("", String::as_str));
    let whole = parts.len() == 1 && link;
    if top == ".github" && (whole || GITHUB.contains(&part(1))) {
        return true;
    }
    if (top == ".gitlab" && part(1) == "ci") || top == ".ci" {
        return true;
    }
    // A link in place of such a folder brings in all that it points to.
    if CI_FOLDERS.contains(&top) && (whole || parts.len() > 1) {
        return true;
    }
    if name == "jenkinsfile" || name.ends_with(".jenkinsfile") {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    // `azure-pipelines-release.yml`, `.woodpecker-test.yml` and the like are read by the same servers.
    let known = |file: &str| {
        stem.strip_prefix(file).is_some_and(|more| more.is_empty() || more.starts_with(['-', '.', '_']))
    };
    CI_EXTENSIONS.contains(&extension) && CI_FILES.iter().any(|file| known(file))
        || (stem == "jenkinsfile" && matches!(extension, "groovy" | "yml" | "yaml"))
}

/// Whether a link at `path` points out of the tree, into `.git`, or nowhere that can be told.
///
/// `..` counts only at the start, where it climbs real folders: after a name it may climb from wherever another
/// link leads, and what that is cannot be told from the text.
pub(super) fn leaves(path: &str, to: &str) -> bool {
    if to.is_empty() || to.starts_with('/') || to.contains(['\\', ':']) || to.chars().any(char::is_control) {
        return true;
    }
    let depth = path.split('/').count() - 1;
    let parts: Vec<&str> = to.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let climbs = parts.iter().take_while(|part| **part == "..").count();
    let down = parts.get(climbs..).unwrap_or_default();
    climbs > depth || down.iter().any(|part| *part == ".." || is_git(&fold(part)))
}

pub(crate) fn allowed(path: &str, patterns: &[String]) -> bool {
    let have: Vec<&str> = path.split('/').collect();
    patterns.iter().any(|pattern| {
        let dir = pattern.strip_suffix('/');
        let want: Vec<&str> = dir.unwrap_or(pattern).split('/').collect();
        let deep = if dir.is_some() { have.len() > want.len() } else { have.len() == want.len() };
        deep && want.iter().zip(&have).all(|(w, h)| matches(w, h))
    })
}

/// One name against one with `*`.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}
