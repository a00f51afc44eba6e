use super::*;

fn packs(private: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(private.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "pack")).collect()
}

fn objects(private: &Path) -> Vec<String> {
    let all = git(private, &["cat-file", "--batch-all-objects", "--batch-check", "--unordered"]);
    let mut all: Vec<String> = all.lines().map(str::to_owned).collect();
    all.sort();
    all
}

/// Sixty packs and a loose object each, none of it named by any ref.
fn litter(private: &Path) {
    let text = private.join("text");
    for n in 0..60 {
        for kind in ["packed", "loose"] {
            fs::write(&text, format!("{kind} {n}\n")).unwrap();
            let oid = git(private, &["hash-object", "-w", "text"]);
            if kind == "packed" {
                fs::write(&text, format!("{oid}\n")).unwrap();
                let packed = Command::new("git")
                    .args(["pack-objects", "-q", "objects/pack/pack"])
                    .current_dir(private)
                    .stdin(fs::File::open(&text).unwrap())
                    .stdout(std::process::Stdio::null())
                    .status();
                assert!(packed.unwrap().success());
            }
        }
    }
    fs::remove_file(text).unwrap();
}

#[test]
fn many_small_packs_become_few_and_no_object_is_lost() {
    let world = World::new();
    let (folder, work, base) = world.workspace();
    let private = world.path().join("host/private/f/o/n.git");
    fs::write(work.join("x"), "x").unwrap();
    commit(&work, "x");
    // Few files are left as they are.
    let before = (packs(&private), objects(&private));
    world.rooms.compact(&world.repo).unwrap();
    assert_eq!((packs(&private), objects(&private)), before);

    litter(&private);
    let half = private.join("objects/pack/tmp_pack_old");
    let fresh = private.join("objects/pack/tmp_pack_new");
    for file in [&half, &fresh] {
        fs::write(file, "half").unwrap();
    }
    let old = std::time::SystemTime::now() - Duration::from_secs(25 * 3600);
    fs::File::options().write(true).open(&half).unwrap().set_modified(old).unwrap();
    let all = objects(&private);
    assert!(packs(&private).len() >= 60 && all.len() >= 120);
    world.rooms.compact(&world.repo).unwrap();
    assert!(packs(&private).len() < 5, "{:?}", packs(&private));
    assert_eq!(objects(&private), all, "no ref names them, and a workspace may");
    assert!(!half.exists() && fresh.exists());
    assert_eq!(git(&private, &["count-objects"]).split(' ').next(), Some("0"), "none is loose");
    assert_eq!(world.rooms.work(&world.repo, &folder, "r1", &base).unwrap().new_commits, 1);

    // Where there is no repository none is made.
    let other = RepoId { name: "other".into(), ..world.repo.clone() };
    world.rooms.compact(&other).unwrap();
    assert!(!world.path().join("host/private/f/o/other.git").exists());
}
