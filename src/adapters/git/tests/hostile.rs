use std::os::unix::fs::symlink;

use super::*;
use crate::ports::{Merged, PortError};

/// Everything offhours does with a workspace, one after the other, on work that is fit to land.
fn full_round(world: &World, folder: &RunFolder, base: &Oid) {
    let head = world.rooms.work(&world.repo, folder, "r1", base).unwrap().head;
    world.rooms.change(&world.repo, base, &head).unwrap();
    world.person_pushes("theirs.txt", "theirs\n");
    let target = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let merged = world.rooms.bring_up_to_date(&world.repo, folder, &head, &target, "m").unwrap();
    let Merged::UpToDate(head) = merged else { panic!("no conflict") };
    world.rooms.push(&world.repo, &world.remote, "offhours/issue-1", None, &head).unwrap();
    let tree = folder.dir.join("jobs/v/tree");
    world.rooms.checkout(&world.repo, &head, &tree).unwrap();
    world.rooms.salvage(&world.repo, folder, "r1", base, &folder.dir.join("salvage")).unwrap();
    world.rooms.remove(folder).unwrap();
}

type Plant = fn(&Path, &Path);

/// Name, and what the agent plants: given its clone and a script that leaves the canary.
const TRAPS: &[(&str, Plant)] = &[
    ("hooks", |work, script| {
        for hook in [
            "post-checkout",
            "reference-transaction",
            "pre-push",
            "post-index-change",
            "post-merge",
            "pre-commit",
            "fsmonitor-watchman",
            "post-rewrite",
            "pre-auto-gc",
            "update",
            "pre-receive",
            "post-update",
        ] {
            fs::create_dir_all(work.join(".git/hooks")).unwrap();
            fs::copy(script, work.join(".git/hooks").join(hook)).unwrap();
        }
    }),
    ("hooks path", |work, script| {
        let dir = work.join("hooks");
        fs::create_dir(&dir).unwrap();
        for hook in ["post-checkout", "reference-transaction", "post-index-change", "pre-push"] {
            fs::copy(script, dir.join(hook)).unwrap();
        }
        append_config(work, &format!("[core]\n\thooksPath = {}\n", dir.display()));
    }),
    ("fsmonitor", |work, script| {
        append_config(work, &format!("[core]\n\tfsmonitor = {}\n", script.display()));
    }),
    ("commands in the config", |work, script| {
        let s = script.display();
        append_config(
            work,
            &format!(
                "[core]\n\tsshCommand = {s}\n\talternateRefsCommand = {s}\n\tgitProxy = {s}\n\taskPass = {s}\n\
                 \tpager = {s}\n\teditor = {s}\n[uploadpack]\n\tpackObjectsHook = {s}\n\
                 [credential]\n\thelper = {s}\n[diff]\n\texternal = {s}\n[gpg]\n\tprogram = {s}\n\
                 [extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n\
                 \turl = ext::{s}\n\tuploadpack = {s}\n"
            ),
        );
    }),
    ("filter", |work, script| {
        fs::write(work.join(".gitattributes"), "* filter=evil diff=evil merge=evil\n").unwrap();
        fs::write(work.join(".git/info-attributes"), "").unwrap();
        let s = script.display();
        append_config(
            work,
            &format!(
                "[filter \"evil\"]\n\tclean = {s}\n\tsmudge = {s}\n\tprocess = {s}\n[diff \"evil\"]\n\
                 \ttextconv = {s}\n\tcommand = {s}\n[merge \"evil\"]\n\tdriver = {s}\n"
            ),
        );
    }),
    ("insteadOf", |work, script| {
        let s = script.display();
        append_config(
            work,
            &format!(
                "[protocol]\n\tallow = always\n[url \"ext::{s} \"]\n\tinsteadOf = /\n\tpushInsteadOf = /\n"
            ),
        );
    }),
    ("include", |work, script| {
        let s = script.display();
        fs::write(work.join("more"), format!("[core]\n\tfsmonitor = {s}\n\thooksPath = {s}\n")).unwrap();
        append_config(work, &format!("[include]\n\tpath = {}\n", work.join("more").display()));
    }),
    ("nested repository", |work, script| {
        let nested = work.join("nested");
        fs::create_dir(&nested).unwrap();
        git(&nested, &["init", "-q"]);
        fs::write(nested.join("f"), "f").unwrap();
        commit(&nested, "nested");
        append_config(&nested, &format!("[core]\n\tfsmonitor = {0}\n\thooksPath = {0}\n", script.display()));
    }),
    ("broken config", |work, _| fs::write(work.join(".git/config"), "[[[ this is no config").unwrap()),
    ("redirecting work tree", |work, _| {
        append_config(work, "[core]\n\tworktree = /\n\tbare = true\n");
    }),
    ("replaced objects", |work, _| {
        let head = git(work, &["rev-parse", "HEAD"]);
        fs::create_dir_all(work.join(".git/refs/replace")).unwrap();
        fs::write(work.join(".git/refs/replace").join(&head), format!("{head}\n")).unwrap();
        fs::write(work.join(".git/shallow"), format!("{head}\n")).unwrap();
        fs::create_dir_all(work.join(".git/info")).unwrap();
        fs::write(work.join(".git/info/grafts"), format!("{head}\n")).unwrap();
    }),
    ("git programs in the tree", |work, script| {
        for name in ["git", "ssh", "sh", "git-upload-pack"] {
            fs::copy(script, work.join(name)).unwrap();
        }
    }),
];

fn append_config(dir: &Path, text: &str) {
    let path = dir.join(".git/config");
    let old = fs::read_to_string(&path).unwrap();
    fs::write(path, old + text).unwrap();
}

#[test]
fn nothing_that_an_agent_plants_runs() {
    for (name, plant) in TRAPS {
        let world = World::new();
        let (folder, work, base) = world.workspace();
        fs::write(work.join("x"), "x").unwrap();
        commit(&work, "x");
        let canary = world.path().join("canary");
        let script = world.path().join("script");
        canary_script(&script, &canary);
        plant(&work, &script);
        fs::write(work.join("a.txt"), "loose\n").unwrap();
        full_round(&world, &folder, &base);
        assert!(!canary.exists(), "{name}: {}", fs::read_to_string(&canary).unwrap_or_default());
        assert!(world.remote_refs().contains("refs/heads/offhours/issue-1"), "{name}");
        assert!(!folder.dir.exists(), "{name}");
    }
}

#[test]
fn the_traps_are_real() {
    // Git as an agent runs it springs them; else the test above would prove nothing.
    for trap in ["hooks", "hooks path", "fsmonitor", "filter"] {
        let world = World::new();
        let (_, work, _) = world.workspace();
        let canary = world.path().join("canary");
        let script = world.path().join("script");
        canary_script(&script, &canary);
        let (_, plant) = TRAPS.iter().find(|(name, _)| *name == trap).unwrap();
        plant(&work, &script);
        fs::write(work.join("a.txt"), "loose\n").unwrap();
        let run = |args: &[&str]| {
            let mut command = Command::new("git");
            drop(command.args(args).current_dir(&work).output());
        };
        run(&["status"]);
        run(&["add", "a.txt"]);
        run(&["checkout", "-q", "-b", "other"]);
        assert!(canary.exists(), "{trap}");
    }
}

type Tamper = (&'static str, fn(&World, &Path), &'static str);

/// Name, what the agent did, and a word of the sentence it is refused with.
const TAMPERED: &[Tamper] = &[
    (
        "git file",
        |world, work| {
            fs::remove_dir_all(work.join(".git")).unwrap();
            let other = world.person().join(".git");
            fs::write(work.join(".git"), format!("gitdir: {}\n", other.display())).unwrap();
        },
        "`.git` is not",
    ),
    (
        "git symlink",
        |world, work| {
            fs::remove_dir_all(work.join(".git")).unwrap();
            symlink(world.person().join(".git"), work.join(".git")).unwrap();
        },
        "`.git` is not",
    ),
    ("no git", |_, work| fs::remove_dir_all(work.join(".git")).unwrap(), "`.git` is not"),
    (
        "objects elsewhere",
        |world, work| {
            fs::remove_dir_all(work.join(".git/objects")).unwrap();
            symlink(world.person().join(".git/objects"), work.join(".git/objects")).unwrap();
        },
        "`.git/objects`",
    ),
    (
        "refs elsewhere",
        |world, work| {
            fs::remove_dir_all(work.join(".git/refs")).unwrap();
            symlink(world.person().join(".git/refs"), work.join(".git/refs")).unwrap();
        },
        "`.git/refs`",
    ),
    (
        "head elsewhere",
        |world, work| {
            fs::remove_file(work.join(".git/HEAD")).unwrap();
            symlink(world.person().join(".git/HEAD"), work.join(".git/HEAD")).unwrap();
        },
        "HEAD",
    ),
    (
        "common folder",
        |world, work| {
            let other = world.person().join(".git");
            fs::write(work.join(".git/commondir"), other.to_str().unwrap()).unwrap();
        },
        "commondir",
    ),
    (
        "planted alternates",
        |world, work| {
            let path = work.join(".git/objects/info/alternates");
            let old = fs::read_to_string(&path).unwrap();
            let other = world.person().join(".git/objects");
            fs::write(path, format!("{old}{}\n", other.display())).unwrap();
        },
        "alternates",
    ),
    (
        "alternates link",
        |world, work| {
            let path = work.join(".git/objects/info/alternates");
            let copy = world.path().join("copy");
            fs::copy(&path, &copy).unwrap();
            fs::remove_file(&path).unwrap();
            symlink(copy, path).unwrap();
        },
        "alternates",
    ),
    (
        "http alternates",
        |_, work| {
            fs::write(work.join(".git/objects/info/http-alternates"), "http://localhost/x\n").unwrap();
        },
        "http-alternates",
    ),
    (
        "a pack that lies elsewhere",
        |world, work| {
            fs::create_dir_all(work.join(".git/objects/pack")).unwrap();
            symlink(world.path().join("x.pack"), work.join(".git/objects/pack/x.pack")).unwrap();
        },
        "x.pack",
    ),
    (
        "a branch that lies elsewhere",
        |world, work| {
            let branch = work.join(".git/refs/heads/offhours");
            fs::remove_dir_all(&branch).unwrap();
            symlink(world.path(), branch).unwrap();
        },
        "leads elsewhere",
    ),
    (
        "head names no branch",
        |_, work| {
            fs::write(work.join(".git/HEAD"), "ref: refs/heads/../../../../etc/passwd\n").unwrap();
        },
        "HEAD",
    ),
    (
        "work is a link",
        |world, work| {
            fs::rename(work, world.path().join("moved")).unwrap();
            symlink(world.path().join("moved"), work).unwrap();
        },
        "not a folder",
    ),
];

#[test]
fn a_clone_that_is_no_longer_ours_is_not_read() {
    for (name, tamper, word) in TAMPERED {
        let world = World::new();
        let (folder, work, base) = world.workspace();
        fs::write(work.join("kept.txt"), "kept").unwrap();
        tamper(&world, &work);
        let refused = |error: PortError| {
            let PortError::Refused { what } = error else { panic!("{name}: {error}") };
            assert!(what.contains(word), "{name}: {what}");
        };
        refused(world.rooms.work(&world.repo, &folder, "r1", &base).unwrap_err());
        refused(world.rooms.bring_up_to_date(&world.repo, &folder, &base, &base, "m").unwrap_err());
        let refs = git(&world.rooms.private(&world.repo).unwrap(), &["for-each-ref", "refs/offhours/work"]);
        assert_eq!(refs, "", "{name}");
        let kept = world.rooms.salvage(&world.repo, &folder, "r1", &base, &folder.dir.join("s")).unwrap();
        assert!(kept.bundle.is_none() && !kept.notes.is_empty(), "{name}");
        assert_eq!(kept.archive.is_some(), *name != "work is a link", "{name}");
    }
}

#[test]
fn a_missing_workspace_is_gone() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    fs::remove_dir_all(work).unwrap();
    let error = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap_err();
    assert!(matches!(error, PortError::Gone { .. }), "{error}");
}

#[test]
fn objects_that_git_would_refuse_are_not_taken() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    // A tree with an entry named `.git`.
    let blob = git(&work, &["hash-object", "-w", "a.txt"]);
    let mut tree = b"100644 .git\0".to_vec();
    tree.extend((0..20).map(|n| u8::from_str_radix(&blob[n * 2..n * 2 + 2], 16).unwrap()));
    fs::write(work.join("tree"), tree).unwrap();
    let tree = git(&work, &["hash-object", "-w", "-t", "tree", "--literally", "tree"]);
    let head = git(&work, &["commit-tree", "-p", "HEAD", "-m", "evil", &tree]);
    git(&work, &["update-ref", "HEAD", &head]);
    let error = world.rooms.work(&world.repo, &folder, "r1", &base).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("would not take")), "{error}");
}

#[test]
fn folders_outside_of_the_root_are_refused() {
    let world = World::new();
    let (_, _, base) = world.workspace();
    let root = world.path().join("host/work");
    let outside = world.path().join("outside");
    fs::create_dir_all(outside.join("r")).unwrap();
    fs::write(outside.join("r/file"), "x").unwrap();
    symlink(&outside, root.join("link")).unwrap();
    symlink(root.join("n/r1"), root.join("alias")).unwrap();
    let bad = [
        outside.join("r"),
        root.clone(),
        root.join("link/r"),
        root.join("link"),
        root.join("alias"),
        root.join("alias/"),
        root.join("n/../../../outside/r"),
        PathBuf::from("/"),
        PathBuf::from("relative"),
        world.path().join("host/work-too"),
    ];
    for dir in bad {
        let folder = RunFolder { dir };
        let error = world.rooms.remove(&folder).unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }), "{}: {error}", folder.dir.display());
        if !folder.dir.ends_with("alias") && folder.dir != root {
            let prepared = world.rooms.prepare(&world.repo, &folder, &base, "b");
            assert!(matches!(prepared, Err(PortError::Refused { .. })), "{}", folder.dir.display());
        }
    }
    assert!(outside.join("r/file").exists());
    assert!(world.folder("r1").work().join("a.txt").exists());
}

#[test]
fn a_folder_is_removed_whatever_an_agent_did_to_it() {
    let world = World::new();
    let (folder, work, _) = world.workspace();
    let outside = world.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "x").unwrap();
    symlink(&outside, work.join("out")).unwrap();
    fs::create_dir_all(work.join("closed/deeper")).unwrap();
    fs::write(work.join("closed/deeper/f"), "f").unwrap();
    fs::set_permissions(work.join("closed/deeper"), fs::Permissions::from_mode(0o500)).unwrap();
    fs::set_permissions(work.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    world.rooms.remove(&folder).unwrap();
    world.rooms.remove(&folder).unwrap();
    assert!(!folder.dir.exists() && outside.join("file").exists());
}
