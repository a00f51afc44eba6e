//! The loop as people live it: an issue is marked ready, and becomes landed code or comes back with the work kept.

use super::world::World;

#[test]
fn a_ready_issue_lands_with_a_receipt() {
    let world = World::new();
    let number = world.ready("me/app", "Write a file", &[]);
    assert_eq!(
        world.until_idle(),
        ["me/app#1 dispatched", "me/app#1 land", "me/app#1 pushed", "me/app#1 start-ci", "me/app#1 done",]
    );
    assert!(world.files("me/app").contains(&"done-1.txt".to_owned()));
    assert!(world.labels("me/app", number).is_empty());
    assert!(world.issue_text("me/app", number).contains("state = \"closed\""));
    assert_eq!(world.refs("me/app"), ["refs/heads/main"]);
    let comments = world.comments("me/app", number);
    assert_eq!(comments.len(), 2, "{comments:?}");
    assert!(comments[0].contains("[x] done"), "{}", comments[0]);
    assert!(comments[1].contains("| checks | test: green |"), "{}", comments[1]);
    assert_eq!(world.notices().len(), 1);
    assert_eq!(world.processes(), Vec::<String>::new());
}
