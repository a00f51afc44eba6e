use super::*;

const TABLE: &str = include_str!("version_tags.txt");
const NOW: UnixTime = UnixTime(1_772_445_600);

fn seen(tags: &str, young: &[&str]) -> Vec<SeenTag> {
    let age = |tag: &str| if young.contains(&tag) { 0 } else { 400 };
    tags.split(' ')
        .map(|tag| SeenTag { tag: tag.to_owned(), first_seen: NOW.plus(-age(tag) * DAY) })
        .collect()
}

fn words(choice: Result<Choice, Unversioned>) -> (String, String) {
    let choice = match choice {
        Ok(choice) => choice,
        Err(Unversioned::Date) => return ("not date".to_owned(), "-".to_owned()),
        Err(Unversioned::Hash) => return ("not hash".to_owned(), "-".to_owned()),
        Err(Unversioned::Word) => return ("not word".to_owned(), "-".to_owned()),
    };
    let pick = choice.pick.map_or("-".to_owned(), |p| format!("{} {}", p.tag, p.change.word()));
    let held: Vec<String> = choice.held.iter().map(|h| format!("{}:{}", h.tag, h.why.code())).collect();
    (pick, if held.is_empty() { "-".to_owned() } else { held.join(" ") })
}

#[test]
fn real_tag_lists() {
    let mut wrong = vec![];
    let mut count = 0;
    for row in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [image, current, options, pick, held, why, tags] = cells[..] else { panic!("{row}") };
        assert!(why.len() > 5, "a row without a reason: {row}");
        let mut policy = Policy::default();
        let mut young = vec![];
        for option in options.split(',').filter(|o| *o != "-") {
            match option.split_once('=') {
                Some(("ignore", tag)) => policy.ignore.push(tag.to_owned()),
                Some(("young", tag)) => {
                    policy.minimum_age_days = 7;
                    young.push(tag);
                }
                _ if option == "major" => policy.allow_major = true,
                other => panic!("{other:?} in {row}"),
            }
        }
        count += 1;
        let mut list = seen(tags, &young);
        for _ in 0..2 {
            let got = words(choose(current, &list, &policy, NOW));
            if got != (pick.to_owned(), held.to_owned()) {
                wrong.push(format!("{image} {current}: {got:?}, wanted {pick} | {held}"));
            }
            // The order in which the registry lists its tags says nothing.
            list.reverse();
        }
    }
    assert!(count >= 150, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_young_tag_counts_from_its_day_on() {
    let policy = Policy { minimum_age_days: 7, ..Policy::default() };
    let at = |days: i64| {
        let list = [SeenTag { tag: "1.1".to_owned(), first_seen: NOW }];
        words(choose("1.0", &list, &policy, NOW.plus(days * DAY)))
    };
    assert_eq!(at(6), ("-".to_owned(), "1.1:too-young".to_owned()));
    assert_eq!(at(7), ("1.1 minor".to_owned(), "-".to_owned()));
    let wait = Hold::Young { until: NOW.plus(7 * DAY) };
    assert_eq!(wait.sentence(), "it is not old enough yet; it counts from 2026-03-09 10:00 UTC");
}

#[test]
fn a_pattern_ignores_a_whole_line() {
    let policy = Policy { ignore: vec!["1.2*".to_owned()], ..Policy::default() };
    let list = seen("1.0.0 1.1.0 1.2.0 1.2.1", &[]);
    assert_eq!(
        words(choose("1.0.0", &list, &policy, NOW)),
        ("1.1.0 minor".to_owned(), "1.2.1:ignored".to_owned())
    );
}

#[test]
fn recipe_versions_go_up_by_the_largest_change() {
    let next = |label, change, tag| next_recipe_version(label, change, tag).unwrap();
    assert_eq!(next("1.4.2+16.4", Change::Patch, "16.5"), "1.4.3+16.5");
    assert_eq!(next("1.4.2+16.4", Change::Minor, "16.5"), "1.5.0+16.5");
    assert_eq!(next("1.4.2+16.4", Change::Major, "17.0"), "2.0.0+17.0");
    assert_eq!(next("v0.1.0+v1.119.0", Change::Minor, "v1.120.0"), "v0.2.0+v1.120.0");
    assert_eq!(next("0.1.9", Change::Patch, "2"), "0.1.10+2");
    for bad in ["", "1.2+3", "a.b.c+1", "1.2.3.4+x", "-1.2.3+x", "1..3+x"] {
        assert!(next_recipe_version(bad, Change::Patch, "1").is_err(), "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic_and_a_choice_is_newer(current in "v?[0-9.]{1,12}[a-c0-9._-]{0,8}", tags in proptest::collection::vec("v?[0-9.]{1,20}[a-c0-9._-]{0,6}", 0..12)) {
        let list: Vec<SeenTag> =
            tags.iter().map(|t| SeenTag { tag: t.clone(), first_seen: NOW }).collect();
        let policy = Policy { allow_major: true, ..Policy::default() };
        if let Ok(choice) = choose(&current, &list, &policy, NOW) {
            let here = Version::parse(&current).unwrap();
            if let Some(pick) = choice.pick {
                let there = Version::parse(&pick.tag).unwrap();
                assert!(there.comparable(&here) && there.order(&here) == Ordering::Greater);
                // Chosen once, it is where we stay.
                assert_eq!(choose(&pick.tag, &list, &policy, NOW).unwrap().pick, None);
            }
        }
    }
}
