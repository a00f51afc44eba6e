//! Agents that leave traps in their workspace: none runs, none redirects a push, none is pushed, and everybody else
//! goes on. All of them work at the same time, in a repository each.

use std::fs;

use super::world::{GOOD_AGENT, World, find, git};

/// Repository, what the agent does after the prompt was read (`$canary` leaves a mark when it runs, `$evil` is a
/// repository that nothing may reach), and how the run ends.
const TRAPS: &[(&str, &str, &str)] = &[
    ("good", "solve", "landed"),
    (
        "hooks",
        "solve
        mkdir -p .git/hooks
        for hook in post-checkout reference-transaction pre-push post-index-change post-merge pre-commit update \
            pre-receive post-receive post-update fsmonitor-watchman post-rewrite pre-auto-gc; do
            cp \"$canary\" \".git/hooks/$hook\"
        done",
        "landed",
    ),
    ("hookspath", "solve; mkdir h; cp \"$canary\" h/reference-transaction; cp \"$canary\" h/pre-push; cp \"$canary\" h/post-checkout; git config core.hooksPath \"$PWD/h\"", "landed"),
    ("fsmonitor", "solve; git config core.fsmonitor \"$canary\"", "landed"),
    (
        "filters",
        "printf '* filter=evil diff=evil merge=evil\\n' > .gitattributes; git add .gitattributes; solve
        for key in clean smudge process; do git config \"filter.evil.$key\" \"$canary\"; done
        git config filter.evil.required true; git config diff.evil.textconv \"$canary\"; git config diff.external \"$canary\"
        git config merge.evil.driver \"$canary\"",
        "landed",
    ),
    (
        "insteadof",
        "solve; git config \"url.$evil.insteadOf\" \"$tracker\"; git config \"url.$evil.pushInsteadOf\" \"$tracker\"
        git config url.ext::\"$canary\".insteadOf /; git config protocol.allow always",
        "landed",
    ),
    (
        "homeconfig",
        "solve; git config --global core.hooksPath \"$PWD/.git\"; cp \"$canary\" .git/pre-push; cp \"$canary\" .git/reference-transaction
        git config --global core.fsmonitor \"$canary\"; git config --global \"url.$evil.pushInsteadOf\" \"$tracker\"
        git config --global core.sshCommand \"$canary\"; git config --global credential.helper \"$canary\"",
        "landed",
    ),
    ("sshcommand", "solve; git config core.sshCommand \"$canary\"; git config core.gitProxy \"$canary\"; git config core.askPass \"$canary\"; git config core.alternateRefsCommand \"$canary\"; git config uploadpack.packObjectsHook \"$canary\"", "landed"),
    ("remotes", "solve; git remote add origin \"$evil\"; git config remote.pushDefault origin; git config remote.origin.pushurl \"$evil\"; git config remote.origin.receivepack \"$canary\"", "landed"),
    ("nested", "solve; git init -q inner; cd inner; git -c user.name=x -c user.email=x@x commit -q --allow-empty -m inner; git config core.fsmonitor \"$canary\"; cp \"$canary\" .git/hooks/post-checkout", "landed"),
    ("gitlink", "git init -q inner; (cd inner; git -c user.name=x -c user.email=x@x commit -q --allow-empty -m inner); git add inner 2>/dev/null; solve", "guard-refused"),
    ("modules", "printf '[submodule \"x\"]\\n\\tpath = x\\n\\turl = ext::%s\\n' \"$canary\" > .gitmodules; git add .gitmodules; solve", "guard-refused"),
    ("gitfile", "solve; mv .git ../elsewhere; echo \"gitdir: $PWD/../elsewhere\" > .git", "workspace-unreadable"),
    ("gitlinked", "solve; mv .git ../elsewhere; ln -s ../elsewhere .git", "workspace-unreadable"),
    ("linkout", "ln -s /etc/passwd password; git add password; solve", "guard-refused"),
    ("linkup", "mkdir d; ln -s ../../.. d/up; git add d; solve", "guard-refused"),
    ("alternates", "solve; echo \"$evil/objects\" >> .git/objects/info/alternates", "workspace-unreadable"),
    ("deleted", "solve; rm -rf \"$PWD\"", "workspace-unreadable"),
    ("emptied", "solve; rm -rf .git *", "workspace-unreadable"),
    ("rewritten", "git checkout -q --orphan new; solve", "workspace-unreadable"),
    ("amended", "echo x > y; git add y; git commit -q --amend -m 'Another beginning'; solve", "workspace-unreadable"),
    ("detached", "git checkout -q --detach; solve", "landed"),
    ("branch", "git checkout -q -b feature/other; solve", "landed"),
    ("badhead", "solve; echo 'ref: refs/heads/../../../../x' > .git/HEAD", "workspace-unreadable"),
    ("fifohead", "solve; rm .git/HEAD; mkfifo .git/HEAD", "workspace-unreadable"),
    ("fifos", "mkfifo pipe; mkdir sub; mkfifo sub/pipe; solve; rm .git/index; mkfifo .git/index", "landed"),
    ("outside", "solve; echo stray > ../stray; echo stray > ../jobs/stray; echo stray > ../../stray; echo stray > \"$HOME/stray\"; ln -s / ../jobs/root", "landed"),
    ("workflow", "mkdir -p .github/workflows; echo 'on: push' > .github/workflows/x.yml; git add .github; solve", "guard-refused"),
    ("large", "head -c 22000000 /dev/zero > zero; git add zero; solve", "guard-refused"),
    ("closes", "echo x > x; git add x; git commit -q -m 'Work' -m 'Fixes other/repo#12'", "guard-refused"),
    ("oddname", "printf 'x' > \"$(printf 'a\\033[31m\\nb')\"; git add -A; solve", "guard-refused"),
    ("replaced", "solve; head=$(git rev-parse HEAD); mkdir -p .git/refs/replace; echo \"$head\" > \".git/refs/replace/$head\"; echo \"$head\" > .git/shallow; mkdir -p .git/info; echo \"$head $head\" > .git/info/grafts", "landed"),
    ("worktree", "solve; git config core.worktree /; git config core.bare true; git config extensions.worktreeConfig true; printf '[core]\\n\\thooksPath = /\\n' > .git/config.worktree", "landed"),
];

fn armed(world: &World) {
    let list: Vec<String> = TRAPS.iter().map(|(name, ..)| format!("home:me/{name}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    world.configure(
        &list,
        "max_running = 100\nmax_runs_per_day = 1000\ndaily_budget_usd = 10000.0\nmonthly_budget_usd = 10000.0\n---\n",
    );
    let mut script =
        String::from("repo=$(printf '%s\\n' \"$prompt\" | sed -n '1s/.*me\\/\\([a-z]*\\)#.*/\\1/p')\n");
    script.push_str(&format!(
        "canary={} evil={} tracker={}/\n",
        world.path("canary.sh").display(),
        world.path("evil.git").display(),
        world.path("tracker").display()
    ));
    script.push_str(&format!("solve() {{\n{GOOD_AGENT}\n}}\ncase \"$repo\" in\n"));
    for (name, act, _) in TRAPS {
        script.push_str(&format!("{name})\n{act}\n;;\n"));
    }
    script.push_str("*) exit 9 ;;\nesac\n");
    world.agent(&script);
}

#[test]
fn no_trap_in_a_workspace_springs() {
    let world = World::new();
    world.script(
        "canary.sh",
        &format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", world.path("sprung").display()),
    );
    git(&world.path("home"), &["init", "-q", "--bare", world.path("evil.git").to_str().unwrap()]);
    for (name, ..) in TRAPS {
        world.repo(&format!("me/{name}"));
    }
    armed(&world);
    for (name, ..) in TRAPS {
        world.ready(&format!("me/{name}"), "Write a file", &[]);
    }
    let told = world.until_idle();
    assert_eq!(fs::read_to_string(world.path("sprung")).unwrap_or_default(), "", "a trap sprang");
    assert_eq!(git(&world.path("evil.git"), &["for-each-ref"]), "");
    assert_eq!(git(&world.path("evil.git"), &["count-objects"]), "0 objects, 0 kilobytes\n");
    let mut wrong = vec![];
    for (name, _, expected) in TRAPS {
        let repo = format!("me/{name}");
        let run = world.run_of(&format!("{repo}#1"));
        let reason = run["reason"].as_str().unwrap().to_owned();
        let comments = world.comments(&repo, 1);
        let last = comments.last().cloned().unwrap_or_default();
        let told: Vec<&String> = told.iter().filter(|l| l.starts_with(&format!("{repo}#"))).collect();
        if reason != *expected {
            wrong.push(format!("{name}: {reason}, not {expected}: {told:?}\n{last}"));
            continue;
        }
        let refs = world.refs(&repo);
        let landed = world.files(&repo).contains(&"done-1.txt".to_owned());
        if *expected == "landed" {
            if !landed || refs != ["refs/heads/main"] {
                wrong.push(format!("{name}: landed is {landed}, refs {refs:?}"));
            }
            continue;
        }
        if refs != ["refs/heads/main"] || world.files(&repo) != ["test.sh"] {
            wrong.push(format!("{name}: refused, and yet pushed: {refs:?} {:?}", world.files(&repo)));
        }
        if world.labels(&repo, 1) != ["needs-human"] || last.len() < 80 {
            wrong.push(format!("{name}: {:?}, told as: {last}", world.labels(&repo, 1)));
        }
        // What can be kept is kept: commits as a bundle, or every file as an archive.
        let salvage = world.path("one/salvage/home").join(&repo);
        let kept = find(&salvage, "work.bundle").len() + find(&salvage, "files.tar").len();
        if kept == 0 && !["deleted", "emptied"].contains(name) {
            wrong.push(format!("{name}: nothing was kept"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let answer = world.offhours(&["tick"]).ok();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
    assert_eq!(world.processes(), Vec::<String>::new());
}
