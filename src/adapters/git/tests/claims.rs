use std::sync::Barrier;

use super::super::claim::Rejection;
use super::*;
use crate::adapters::process;
use crate::ports::{ClaimAnswer, PortError};

#[test]
fn of_two_hosts_exactly_one_wins() {
    let world = World::new();
    let names = ["one", "two"];
    let (path, hosts) = (world.path(), names.map(|name| rooms(&world.path(), name)));
    for round in 0..20 {
        let barrier = Barrier::new(2);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(n, host)| {
                    let (path, repo, remote, barrier) = (&path, &world.repo, &world.remote, &barrier);
                    // Also for different issues: the slot is one.
                    let request = request(7 + (round % 2) * n as u64, &format!("r{round}-{n}"));
                    scope.spawn(move || {
                        barrier.wait();
                        (rooms(path, host).claim(repo, remote, &request).unwrap(), request)
                    })
                })
                .collect();
            tries.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let won: Vec<_> = answers
            .iter()
            .filter_map(|(answer, request)| match answer {
                ClaimAnswer::Won(oid) => Some((oid, request)),
                ClaimAnswer::Lost(_) => None,
            })
            .collect();
        assert_eq!(won.len(), 1, "round {round}: {answers:?}");
        let (oid, request) = won[0];
        let claims = hosts[1].claims(&world.repo, &world.remote).unwrap();
        assert_eq!(claims.slot.as_ref().unwrap().run.as_deref(), Some(request.run.as_str()));
        assert_eq!(claims.issues.len(), 1);
        hosts[0].release(&world.repo, &world.remote, request.number, oid).unwrap();
        assert_eq!(world.remote_refs(), "refs/heads/main");
    }
}

#[test]
fn a_claim_is_created_and_never_overwritten() {
    // Somebody claimed between our look and our push.
    let world = World::new();
    world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap();
    let host = rooms(&world.path(), "two");
    let oid = host.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    for number in [3, 4] {
        let pushed = host.push_claim(&world.repo, &world.remote, "refs/offhours", number, &oid, "x").unwrap();
        assert!(matches!(pushed, Some(Rejection::Contended(_))), "issue {number}");
    }
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/offhours/claim/3\nrefs/offhours/slot");
    let claims = host.claims(&world.repo, &world.remote).unwrap();
    assert_eq!(claims.slot.unwrap().run.as_deref(), Some("r1"));
}

#[test]
fn a_claim_whose_answer_was_lost_is_found_again() {
    let world = World::new();
    let won = world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap();
    // The tick was killed before it wrote that down; the next one runs later, on an empty private repository.
    let again = ClaimRequest { at: UnixTime(1_700_000_999), ..request(3, "r1") };
    let fresh = rooms(&world.path(), "fresh");
    assert_eq!(fresh.claim(&world.repo, &world.remote, &again).unwrap(), won);
    let other = fresh.claim(&world.repo, &world.remote, &request(3, "r2")).unwrap();
    assert!(matches!(other, ClaimAnswer::Lost(why) if why.contains("run r1 of installation inst")));
    let elsewhere = ClaimRequest { installation: "other".into(), ..request(3, "r1") };
    let answer = fresh.claim(&world.repo, &world.remote, &elsewhere).unwrap();
    assert!(matches!(answer, ClaimAnswer::Lost(_)), "the same run id of another installation is not ours");
}

#[test]
fn claims_tell_who_holds_what() {
    let world = World::new();
    let none = world.rooms.claims(&world.repo, &world.remote).unwrap();
    assert_eq!(none, crate::ports::Claims::default());
    world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap();
    git(&world.person(), &["push", "-q", &world.remote.url, "main:refs/offhours/claim/9"]);
    git(&world.person(), &["push", "-q", &world.remote.url, "main:refs/offhours/claim/x"]);
    let claims = rooms(&world.path(), "fresh").claims(&world.repo, &world.remote).unwrap();
    assert_eq!(claims.slot.unwrap().at, Some(UnixTime(1_700_000_000)));
    assert_eq!(claims.issues.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3, 9]);
    assert_eq!(claims.issues[0].1.installation.as_deref(), Some("inst"));
    assert_eq!(claims.issues[1].1.run, None, "a commit that is no claim names nobody");
}

#[test]
fn a_release_leaves_what_is_not_its_own() {
    let world = World::new();
    let ClaimAnswer::Won(oid) = world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap()
    else {
        panic!("the first claim wins");
    };
    let other = Oid::parse(&"1".repeat(40)).unwrap();
    world.rooms.release(&world.repo, &world.remote, 3, &other).unwrap();
    world.rooms.release(&world.repo, &world.remote, 4, &other).unwrap();
    assert!(world.remote_refs().contains("refs/offhours/claim/3\nrefs/offhours/slot"));
    // The slot went to somebody else meanwhile: only the claim is ours.
    git(&world.person(), &["push", "-q", "-f", &world.remote.url, "main:refs/offhours/slot"]);
    world.rooms.release(&world.repo, &world.remote, 3, &oid).unwrap();
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/offhours/slot");
    world.rooms.release(&world.repo, &world.remote, 3, &oid).unwrap();
}

#[test]
fn a_server_without_such_refs_gets_branches() {
    let world = World::new();
    git(Path::new(&world.remote.url), &["config", "receive.hideRefs", "refs/offhours"]);
    let ClaimAnswer::Won(oid) = world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap()
    else {
        panic!("the claim is taken as a branch");
    };
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/heads/offhours/claim/3\nrefs/heads/offhours/slot");
    let claims = world.rooms.claims(&world.repo, &world.remote).unwrap();
    assert_eq!(claims.slot.unwrap().run.as_deref(), Some("r1"));
    // A host that the server allows the first place still sees the second.
    git(Path::new(&world.remote.url), &["config", "--unset", "receive.hideRefs"]);
    let other = rooms(&world.path(), "two").claim(&world.repo, &world.remote, &request(4, "r2")).unwrap();
    assert!(matches!(other, ClaimAnswer::Lost(_)));
    world.rooms.release(&world.repo, &world.remote, 3, &oid).unwrap();
    assert_eq!(world.remote_refs(), "refs/heads/main");
}

#[test]
fn hosts_that_chose_different_places_do_not_both_win() {
    let world = World::new();
    let ClaimAnswer::Won(ours) = world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap()
    else {
        panic!("the first claim wins");
    };
    git(&world.person(), &["push", "-q", &world.remote.url, "main:refs/heads/offhours/slot"]);
    let answer = world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap();
    assert!(matches!(answer, ClaimAnswer::Lost(_)));
    assert!(!world.remote_refs().contains("claim/3"), "{ours} is given back");
}

#[test]
fn a_server_that_takes_no_claims_at_all_says_why() {
    let world = World::new();
    canary_script(&Path::new(&world.remote.url).join("hooks/pre-receive"), &world.path().join("ran"));
    let hook = Path::new(&world.remote.url).join("hooks/pre-receive");
    fs::write(&hook, "#!/bin/sh\necho not here >&2\nexit 1\n").unwrap();
    let error = world.rooms.claim(&world.repo, &world.remote, &request(3, "r1")).unwrap_err();
    assert!(matches!(&error, PortError::Refused { what } if what.contains("hook declined")), "{error}");
}

#[test]
fn an_unreachable_remote_is_later_and_never_no() {
    let mut world = World::new();
    world.remote.url = world.path().join("nowhere.git").to_str().unwrap().into();
    let (repo, remote) = (&world.repo, &world.remote);
    let oid = Oid::parse(&"1".repeat(40)).unwrap();
    let errors = [
        world.rooms.claim(repo, remote, &request(3, "r1")).unwrap_err(),
        world.rooms.claims(repo, remote).unwrap_err(),
        world.rooms.release(repo, remote, 3, &oid).unwrap_err(),
        world.rooms.fetch_branch(repo, remote, "main").unwrap_err(),
        world.rooms.remote_head(repo, remote, "main").unwrap_err(),
        world.rooms.push(repo, remote, "x", None, &oid).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, PortError::Later { .. }), "{error}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn a_repository_without_commits_is_told_what_it_needs() {
    let world = World::empty();
    let error = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap_err();
    assert!(matches!(&error, PortError::Gone { what } if what.contains("Push a first commit")), "{error}");
    assert_eq!(world.rooms.remote_head(&world.repo, &world.remote, "main").unwrap(), None);
    let won = world.rooms.claim(&world.repo, &world.remote, &request(1, "r1")).unwrap();
    assert!(matches!(won, ClaimAnswer::Won(_)));
}

#[test]
fn a_git_that_hangs_is_ended_with_what_it_started() {
    let world = World::new();
    let begun = world.path().join("begun");
    let script =
        format!("#!/bin/sh\necho $$ > {0}.new && mv {0}.new {0} && exec sleep 600\n", begun.display());
    let hook = Path::new(&world.remote.url).join("hooks/pre-receive");
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let base = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    // Where the machine is busy, git does not get as far as its hook in less.
    let hook = [300, 3_000, 30_000].into_iter().find_map(|bound| {
        let host = world.path().join("host");
        let rooms = GitRooms::new(host.join("private"), host.join("work"), Duration::from_millis(bound));
        let error = rooms.push(&world.repo, &world.remote, "new", None, &base).unwrap_err();
        assert!(matches!(error, PortError::Later { .. }), "{error}");
        fs::read_to_string(&begun).ok()
    });
    let pid = hook.expect("the hook was begun").trim().parse().unwrap();
    assert!(soon(|| process::find(pid).is_none()));
}

#[test]
fn names_are_refused_before_git_sees_them() {
    let world = World::new();
    for bad in ["--upload-pack=x", "a..b", "", "a b", "HEAD"] {
        let error = world.rooms.fetch_branch(&world.repo, &world.remote, bad).unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }), "{bad}");
    }
    let canary = world.path().join("ran");
    for url in [format!("ext::sh -c touch% {}", canary.display()), "--upload-pack=x".into(), String::new()] {
        let remote = Remote { url, default_branch: "main".into() };
        assert!(world.rooms.fetch_branch(&world.repo, &remote, "main").is_err());
    }
    assert!(!canary.exists());
}
