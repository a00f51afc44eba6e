//! What a server says is taken for what it says and no more: whose words stand below a review, how long a list is, and of
//! whom a permission is. Stories on simulated forges.

use std::fs;

use super::forge::Dialect;
use super::hub::{ALL, Hub};
use super::world::GOOD_AGENT;

/// Anybody may answer below a trusted person's remark, and the server keeps it under that person's review.
#[test]
fn only_trusted_peoples_words_below_a_review_are_given() {
    for dialect in ALL {
        // Where writers are not trusted, nothing starts on a server that does not tell a changed body.
        let all = if dialect == Dialect::Forgejo { &["write"][..] } else { &["write", "admin"] };
        for permission in all {
            let hub = Hub::new(dialect);
            let trust = format!("landing = \"pull-request\"\n---\n[trust]\npermission = \"{permission}\"\n");
            hub.configure(&["me/app"], &trust);
            let prompts = hub.world.path("prompts");
            hub.world.agent(&format!("printf '%s' \"$prompt\" >> {}\n{GOOD_AGENT}", prompts.display()));
            hub.ready("Solve it");
            hub.world.until_idle();
            hub.world.advance(60);
            {
                let mut model = hub.sim.model.lock();
                model.repo("me/app").people.insert("eve".to_owned(), "admin");
                model.person("eve", None);
                let number = model.repos["me/app"].pulls[0].number;
                let notes = [("done.txt", 1, "Say more here")];
                model.review("me/app", number, "ada", "CHANGES_REQUESTED", "Nearly there", &notes);
                model.reply("me/app", number, "mallory", "Words of a stranger", None);
                model.reply("me/app", number, "", "Words of nobody", None);
                model.reply("me/app", number, "robot[bot]", "Words of a program", None);
                model.reply("me/app", number, "eve", "Words of another", None);
                let later = model.now() + 5;
                model.reply("me/app", number, "ada", "Words that changed", Some(later));
            }
            let told = hub.world.until_idle();
            let text = fs::read_to_string(&prompts).unwrap();
            let all = format!("{dialect:?} {permission} {told:#?} {text}");
            assert!(text.contains("Say more here"), "{all}");
            assert!(text.contains("Words of another"), "{all}");
            for others in ["stranger", "nobody", "a program"] {
                assert!(!text.contains(&format!("Words of {others}")), "{all}");
            }
            assert_eq!(text.contains("Words that changed"), *permission == "write", "{all}");
        }
    }
}
