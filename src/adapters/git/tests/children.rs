use super::super::child::{Answer, Call, Children};
use super::*;
use crate::adapters::process;
use crate::ports::{PortError, PortResult};

/// Runs an alias, which is a line of shell.
fn run(alias: &'static str, timeout: Duration, cookie: &str) -> PortResult<Answer> {
    let dir = tempfile::tempdir().unwrap();
    let children = Children::new(dir.path().to_owned(), timeout);
    children.run(&Call::new("git.said", dir.path()).setting(alias).env(process::COOKIE, cookie))
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn both_pipes_are_read_to_their_ends_in_whatever_order_they_are_filled() {
    for alias in [
        "alias.said=!head -c 900000 /dev/zero >&2; head -c 900000 /dev/zero; echo end",
        "alias.said=!head -c 900000 /dev/zero; echo end; head -c 900000 /dev/zero >&2",
    ] {
        let answer = run(alias, LONG, "").unwrap();
        assert!(answer.good() && answer.stdout.ends_with(b"\0end\n"), "{alias}");
        assert_eq!(answer.stdout.len(), 900_004, "{alias}");
    }
    let answer = run("alias.said=!echo out; echo no >&2; exit 3", LONG, "").unwrap();
    assert_eq!((answer.code, answer.text().as_str(), answer.said().as_str()), (Some(3), "out\n", "no"));
}

#[test]
fn an_answer_that_is_too_large_is_refused_and_not_held() {
    let refused = run("alias.said=!head -c 70000000 /dev/zero", LONG, "").err().unwrap();
    assert!(
        matches!(&refused, PortError::Refused { what } if what.contains("larger than 64 MB")),
        "{refused}"
    );
}

#[test]
fn a_child_that_says_no_more_or_nothing_is_ended_with_all_that_it_started() {
    let aliases = [
        "alias.said=!exec sleep 600 > /dev/null 2>&1",
        "alias.said=!sleep 600 & exec > /dev/null 2>&1; wait",
        "alias.said=!sleep 600",
    ];
    for (n, alias) in aliases.into_iter().enumerate() {
        let cookie = format!("child-test-{}-{n}", std::process::id());
        let ended = run(alias, Duration::from_millis(300), &cookie).err().unwrap();
        assert!(
            matches!(&ended, PortError::Later { what, .. } if what.contains("gave no answer")),
            "{ended}"
        );
        assert!(soon(|| process::find_by_cookie(&cookie).is_empty()), "{alias}");
    }
}

#[test]
fn what_can_have_no_other_answer_is_asked_once() {
    let world = World::new();
    let first = world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let second = world.person_pushes("a.txt", "second\n");
    let asks = || {
        let rooms = &world.rooms;
        (
            rooms.is_ancestor(&world.repo, &first, &second),
            rooms.is_ancestor(&world.repo, &second, &first),
            rooms.new_commits(&world.repo, &second, &[&first]),
        )
    };
    assert!(matches!(asks(), (Err(_), Err(_), Err(_))), "a commit that is not here yet");
    world.rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    assert_eq!(asks(), (Ok(true), Ok(false), Ok(1)), "a complaint is not kept");
    // Nothing could be answered by git any more.
    let private = world.rooms.private(&world.repo).unwrap();
    fs::rename(private.join("objects"), private.join("gone")).unwrap();
    assert_eq!(asks(), (Ok(true), Ok(false), Ok(1)));
    let other = rooms(&world.path(), "host");
    assert!(other.is_ancestor(&world.repo, &first, &second).is_err(), "nothing is kept for another process");
}

#[test]
fn where_two_commits_parted() {
    let world = World::new();
    let rooms = &world.rooms;
    let first = rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    let second = world.person_pushes("a.txt", "second\n");
    let common = |one: &Oid, other: &Oid| rooms.common(&world.repo, one, other);
    assert_eq!(common(&first, &second), Ok(None), "a commit that is not here yet");
    assert_eq!(common(&second, &first), Ok(None));
    rooms.fetch_branch(&world.repo, &world.remote, "main").unwrap();
    assert_eq!(common(&first, &second), Ok(Some(first.clone())), "that it was not here is not kept");
    assert_eq!(common(&second, &second), Ok(Some(second.clone())));
    let private = rooms.private(&world.repo).unwrap();
    let tree = git(&private, &["rev-parse", &format!("{second}^{{tree}}")]);
    let other = Oid::parse(&git(&private, &["commit-tree", &tree, "-m", "Another beginning"])).unwrap();
    assert_eq!(common(&other, &second), Ok(None), "no history is shared");
}
