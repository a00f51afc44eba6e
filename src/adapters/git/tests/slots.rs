use std::sync::Barrier;

use super::*;
use crate::ports::{ClaimAnswer, PortError};

fn won(answer: ClaimAnswer) -> Oid {
    match answer {
        ClaimAnswer::Won(oid) => oid,
        ClaimAnswer::Lost(why) => panic!("{why}"),
    }
}

fn lost(answer: ClaimAnswer) -> String {
    match answer {
        ClaimAnswer::Lost(why) => why,
        ClaimAnswer::Won(oid) => panic!("won with {oid}"),
    }
}

/// A world in which run `r1` holds issue 1 and gave up the slot.
fn awaiting_review() -> (World, Oid) {
    let world = World::new();
    let first = won(world.rooms.claim(&world.repo, &world.remote, &request(1, "r1")).unwrap());
    world.rooms.release_slot(&world.repo, &world.remote, &first).unwrap();
    (world, first)
}

#[test]
fn a_run_without_the_slot_keeps_its_issue_and_makes_room() {
    let (world, first) = awaiting_review();
    let (repo, remote, rooms) = (&world.repo, &world.remote, &world.rooms);
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/offhours/claim/1");
    rooms.release_slot(repo, remote, &first).unwrap();
    let other = super::rooms(&world.path(), "two");
    let held = lost(other.claim(repo, remote, &request(1, "r9")).unwrap());
    assert!(held.contains("the issue is held by run r1 of installation inst"), "{held}");

    // The same host and another one: the slot is free for another issue.
    for host in [rooms, &other] {
        let second = won(host.claim(repo, remote, &request(2, "r2")).unwrap());
        let claims = rooms.claims(repo, remote).unwrap();
        assert_eq!(claims.slot.as_ref().unwrap().run.as_deref(), Some("r2"));
        assert_eq!(claims.issues.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2]);

        let why = lost(rooms.take_slot(repo, remote, 1, &first).unwrap());
        assert!(why.contains("the slot is held by run r2 of installation inst"), "{why}");
        rooms.release_slot(repo, remote, &first).unwrap();
        assert!(world.remote_refs().contains("refs/offhours/slot"), "another's slot is left");

        host.release(repo, remote, 2, &second).unwrap();
        assert_eq!(won(rooms.take_slot(repo, remote, 1, &first).unwrap()), first);
        assert_eq!(won(rooms.take_slot(repo, remote, 1, &first).unwrap()), first, "a repeat finds it");
        assert_eq!(rooms.claims(repo, remote).unwrap().slot.unwrap().run.as_deref(), Some("r1"));
        rooms.release_slot(repo, remote, &first).unwrap();
    }
    // The way out while another works.
    won(other.claim(repo, remote, &request(2, "r2")).unwrap());
    rooms.release(repo, remote, 1, &first).unwrap();
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/offhours/claim/2\nrefs/offhours/slot");
    let gone = lost(rooms.take_slot(repo, remote, 1, &first).unwrap());
    assert!(gone.contains("was released"), "{gone}");
}

#[test]
fn of_two_that_want_the_slot_exactly_one_has_it() {
    let (world, first) = awaiting_review();
    let (repo, remote) = (&world.repo, &world.remote);
    let second = won(world.rooms.claim(repo, remote, &request(2, "r2")).unwrap());
    world.rooms.release_slot(repo, remote, &second).unwrap();
    let names = ["one", "two", "three"];
    let (path, hosts) = (world.path(), names.map(|name| rooms(&world.path(), name)));
    for round in 0..15 {
        let barrier = Barrier::new(3);
        let answers: Vec<ClaimAnswer> = std::thread::scope(|scope| {
            let (barrier, path) = (&barrier, &path);
            let take = |host: usize, number, oid| {
                scope.spawn(move || {
                    barrier.wait();
                    rooms(path, names[host]).take_slot(repo, remote, number, oid).unwrap()
                })
            };
            let third = scope.spawn(move || {
                barrier.wait();
                rooms(path, names[2]).claim(repo, remote, &request(3, "r3")).unwrap()
            });
            [take(0, 1, &first), take(1, 2, &second), third].map(|t| t.join().unwrap()).into()
        });
        let winners: Vec<&Oid> = answers
            .iter()
            .filter_map(|answer| match answer {
                ClaimAnswer::Won(oid) => Some(oid),
                ClaimAnswer::Lost(_) => None,
            })
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {answers:?}");
        let claims = hosts[0].claims(repo, remote).unwrap();
        assert_eq!(&claims.slot.as_ref().unwrap().oid, winners[0]);
        assert!(claims.issues.len() >= 2, "no claim is lost: {claims:?}");
        if answers[2] == ClaimAnswer::Won(winners[0].clone()) {
            hosts[2].release(repo, remote, 3, winners[0]).unwrap();
        } else {
            hosts[2].release_slot(repo, remote, winners[0]).unwrap();
        }
    }
}

#[test]
fn a_slot_whose_answer_was_lost_is_found_and_one_that_came_between_is_not_taken() {
    let (world, first) = awaiting_review();
    let (repo, remote) = (&world.repo, &world.remote);
    let hook = Path::new(&remote.url).join("hooks/post-receive");
    // The push arrives, and the client is told nothing good.
    fs::write(&hook, "#!/bin/sh\nkill -9 $PPID\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let fresh = rooms(&world.path(), "fresh");
    assert_eq!(won(fresh.take_slot(repo, remote, 1, &first).unwrap()), first);
    fs::remove_file(&hook).unwrap();
    world.rooms.release_slot(repo, remote, &first).unwrap();

    // Somebody takes it between our look and our push.
    let theirs = git(&world.person(), &["rev-parse", "main"]);
    let hook = Path::new(&remote.url).join("hooks/pre-receive");
    let script = "#!/bin/sh\nenv -u GIT_QUARANTINE_PATH git update-ref refs/offhours/slot THEIRS\n";
    fs::write(&hook, script.replace("THEIRS", &theirs)).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let why = lost(fresh.take_slot(repo, remote, 1, &first).unwrap());
    assert!(why.contains("the slot is held by run unknown"), "{why}");
    assert_eq!(fresh.claims(repo, remote).unwrap().slot.unwrap().oid.as_str(), theirs);
}

#[test]
fn the_slot_is_given_back_where_it_may_not_be_ours() {
    let (world, first) = awaiting_review();
    let (repo, remote) = (&world.repo, &world.remote);
    won(world.rooms.take_slot(repo, remote, 1, &first).unwrap());
    // Another host chose the other place.
    git(&world.person(), &["push", "-q", &remote.url, "main:refs/heads/offhours/slot"]);
    lost(world.rooms.take_slot(repo, remote, 1, &first).unwrap());
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/heads/offhours/slot\nrefs/offhours/claim/1");
    git(&world.person(), &["push", "-q", &remote.url, ":refs/heads/offhours/slot"]);
    // A person released the claim, and our push of the slot came after it.
    won(world.rooms.take_slot(repo, remote, 1, &first).unwrap());
    git(&world.person(), &["push", "-q", &remote.url, ":refs/offhours/claim/1"]);
    lost(world.rooms.take_slot(repo, remote, 1, &first).unwrap());
    assert_eq!(world.remote_refs(), "refs/heads/main");
    // Another run has the issue by now.
    won(world.rooms.claim(repo, remote, &request(1, "r2")).unwrap());
    let why = lost(world.rooms.take_slot(repo, remote, 1, &first).unwrap());
    assert!(why.contains("the issue is held by run r2"), "{why}");
}

#[test]
fn the_slot_is_taken_where_the_claim_stands() {
    let world = World::new();
    let (repo, remote) = (&world.repo, &world.remote);
    git(Path::new(&remote.url), &["config", "receive.hideRefs", "refs/offhours"]);
    let first = won(world.rooms.claim(repo, remote, &request(1, "r1")).unwrap());
    git(Path::new(&remote.url), &["config", "--unset", "receive.hideRefs"]);
    world.rooms.release_slot(repo, remote, &first).unwrap();
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/heads/offhours/claim/1");
    won(world.rooms.take_slot(repo, remote, 1, &first).unwrap());
    assert_eq!(world.remote_refs(), "refs/heads/main\nrefs/heads/offhours/claim/1\nrefs/heads/offhours/slot");
    world.rooms.release_slot(repo, remote, &first).unwrap();

    git(Path::new(&remote.url), &["config", "receive.hideRefs", "refs/heads/offhours/slot"]);
    let error = world.rooms.take_slot(repo, remote, 1, &first).unwrap_err();
    assert!(
        matches!(&error, PortError::Refused { what } if what.contains("Allow the account to push")),
        "{error}"
    );
}
