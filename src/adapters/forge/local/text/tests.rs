use proptest::prelude::*;

use super::*;
use crate::domain::model::UnixTime;

fn hand() -> Hand {
    Hand { by: "owner".to_owned(), at: UnixTime(1_000) }
}

fn change(label: &str, added: bool) -> Applied {
    Applied { label: label.to_owned(), by: "offhours".to_owned(), at: UnixTime(2_000), added }
}

fn parse(text: &str) -> IssueFile {
    IssueFile::parse(text.as_bytes().to_vec()).map_err(|flaw| flaw.sentence("f")).unwrap()
}

fn labelled(text: &str, label: &str, present: bool) -> String {
    let file = parse(text);
    let new = file.with_label(present, &change(label, present), &hand()).unwrap();
    let read = parse(&new);
    assert_eq!(read.has(label), present, "{new}");
    assert_eq!(read.body(), file.body());
    assert_eq!((&read.title, read.open, read.priority), (&file.title, file.open, file.priority));
    let kept = |f: &IssueFile| -> Vec<String> {
        f.labels.iter().filter(|l| !l.eq_ignore_ascii_case(label)).cloned().collect()
    };
    assert_eq!(kept(&read), kept(&file), "{new}");
    new
}

#[test]
fn every_broken_file_gets_its_sentence() {
    let table: &[(&[u8], &str)] = &[
        (b"", "f: the file is empty; give it a line +++, a line title = \"...\" and a line +++"),
        (b"Fix it please\n", "f, line 1: there is no front matter; begin the file with a line +++, a line title = \"...\" and a line +++"),
        (b"---\ntitle: x\n---\n", "f, line 1: this looks like YAML; begin the file with a line +++, a line title = \"...\" and a line +++"),
        (b"+++\ntitle = \"x\"\n", "f, line 1: the front matter is not closed; put a line +++ after it"),
        (b"+++\n+++\nbody\n", "f, line 1: there is no title; add a line title = \"what is to be done\" to the front matter"),
        (b"+++\ntitle = 3\n+++\n", "f, line 2: title is an integer; write it as title = \"what is to be done\""),
        (b"+++\n\ntitle = \" \"\n+++\n", "f, line 3: title is not one line of text; write one line that says the task"),
        (b"+++\ntitle = \"a\\nb\"\n+++\n", "f, line 2: title is not one line of text; write one line that says the task"),
        (b"+++\ntitle = \"x\"\nstate = \"opne\"\n+++\n", "f, line 3: state is \"opne\"; write \"open\" or \"closed\""),
        (b"+++\ntitle = \"x\"\nstate = true\n+++\n", "f, line 3: state is a boolean; write it as state = \"open\""),
        (b"+++\ntitle = \"x\"\nlabels = \"ready\"\n+++\n", "f, line 3: labels is a string; write it as labels = [\"a-label\"]"),
        (b"+++\ntitle = \"x\"\nlabels = [\n  \"a\",\n  7,\n]\n+++\n", "f, line 5: a label is not a string; put it in double quotes"),
        (b"+++\ntitle = \"x\"\npriority = \"5\"\n+++\n", "f, line 3: priority is a string; write a whole number without quotes"),
        (b"+++\ntitle = \"x\"\nblocked_by = 1\n+++\n", "f, line 3: blocked_by is an integer; write it as blocked_by = [1, 2]"),
        (b"+++\ntitle = \"x\"\nblocked_by = [1, -2]\n+++\n", "f, line 3: blocked_by holds something else than issue numbers; write it as [1, 2]"),
        (b"+++\ntitle = \"x\"\nblocked_by = [\"#1\"]\n+++\n", "f, line 3: blocked_by holds something else than issue numbers; write it as [1, 2]"),
        (b"+++\ntitle = \"x\"\nauthor = [\"ann\"]\n+++\n", "f, line 3: author is a list; write it as author = \"a-name\""),
        (b"+++\ntitle = \"x\"\n[labelled]\nlabel = \"a\"\n+++\n", "f, line 3: labelled is no list of tables; write each entry under a line [[labelled]]"),
        (b"+++\ntitle = \"x\"\nlabelled = [1]\n+++\n", "f, line 3: labelled is no list of tables; write each entry under a line [[labelled]]"),
        (b"+++\ntitle = \"x\"\n\n[[labelled]]\nlabel = \"a\"\nby = \"b\"\n+++\n", "f, line 4: this [[labelled]] entry has no at; add it or delete the entry"),
        (b"+++\ntitle = \"x\"\n[[labelled]]\nlabel = \"a\"\nby = \"b\"\nat = \"yesterday\"\n+++\n", "f, line 6: at is no moment with date, time and zone; write it as at = 2026-07-01T12:00:00Z"),
        (b"+++\ntitle = \"x\"\n[[labelled]]\nlabel = \"a\"\nby = \"b\"\nat = 2026-07-01T12:00:00\n+++\n", "f, line 6: at is no moment with date, time and zone; write it as at = 2026-07-01T12:00:00Z"),
        (b"+++\ntitle = \"x\"\n[[labelled]]\nlabel = \"a\"\nby = \"b\"\nat = 2026-07-01T12:00:00Z\nadded = 1\n+++\n", "f, line 7: added is an integer; write it as true or false"),
        (b"+++\ntitle = \"x\"\n+++\nbody\n\xff\n", "f, line 5: there are bytes that are not UTF-8; save the file as UTF-8"),
    ];
    for (bytes, sentence) in table {
        let told = IssueFile::parse(bytes.to_vec()).err().map(|flaw| flaw.sentence("f"));
        assert_eq!(told.as_deref(), Some(*sentence), "{}", String::from_utf8_lossy(bytes));
    }
    for bad in ["title = \"x\ny\"", "title = x", "title = \"x\"\ntitle = \"y\"", "title = \"x\"\n[[["] {
        let flaw = IssueFile::parse(format!("+++\n{bad}\n+++\n").into_bytes()).err().unwrap();
        assert!(flaw.what.starts_with("the front matter is not valid TOML ("), "{flaw:?}");
        assert!(flaw.line.is_some_and(|l| (2..=3).contains(&l)), "{flaw:?}");
    }
}

#[test]
fn least_and_most_that_a_file_says() {
    let least = parse("+++\ntitle = \"x\"\n+++");
    assert_eq!((least.open, least.labels.len(), least.body(), least.priority), (true, 0, "", None));
    let most = parse(
        "\u{feff}+++ \r\ntitle = 'Grüße'\r\nstate = \"closed\"\r\nlabels = ['A']\r\npriority = -4\r\nblocked_by = [2]\r\n\
         author = \"ann\"\r\nmine = { a = 1 }\r\n+++\r\n\r\n\r\nbody\r\n",
    );
    assert_eq!((most.title.as_str(), most.open, most.has("a")), ("Grüße", false, true));
    assert_eq!(
        (most.priority, most.blocked_by.as_slice(), most.author.as_deref()),
        (Some(-4), &[2][..], Some("ann"))
    );
    assert_eq!(most.body(), "\r\nbody\r\n");
}

#[test]
fn only_what_changes_is_changed() {
    let text = "+++\n# mine\ntitle  =  'x'   # why\nlabels = [ \"a\", \"B\" ] # these\n\n[extra]\nz = 1\n+++\nbody  \n\n";
    let entry = |label: &str, by: &str, at: &str, added: bool| {
        format!("\n[[labelled]]\nlabel = \"{label}\"\nby = \"{by}\"\nat = {at}\nadded = {added}\n")
    };
    let by_hand = entry("a", "owner", "1970-01-01T00:16:40Z", true)
        + &entry("B", "owner", "1970-01-01T00:16:40Z", true);
    let with = |labels: &str, last: &str| {
        text.replace("[ \"a\", \"B\" ]", labels).replace("z = 1\n", &format!("z = 1\n{by_hand}{last}"))
    };
    let added = entry("c", "offhours", "1970-01-01T00:33:20Z", true);
    assert_eq!(labelled(text, "c", true), with("[ \"a\", \"B\", \"c\" ]", &added));
    let removed = entry("b", "offhours", "1970-01-01T00:33:20Z", false);
    assert_eq!(labelled(text, "b", false), with("[ \"a\" ]", &removed));
    let closed = parse(text).with_open(false, &hand()).unwrap();
    assert!(closed.starts_with(
        "+++\n# mine\ntitle  =  'x'   # why\nstate = \"closed\"\nlabels = [ \"a\", \"B\" ] # these\n"
    ));
}

#[test]
fn carriage_returns_stay_and_are_used() {
    let text =
        "+++\r\ntitle = \"x\"\r\nlabels = [\r\n  \"a\", # first\r\n  \"b\"\r\n]\r\n+++\r\nbody\r\nno end";
    for new in [labelled(text, "c", true), labelled(text, "a", false), labelled(text, "b", false)] {
        assert!(!new.replace("\r\n", "").contains(['\r', '\n']), "{new:?}");
        assert!(new.contains("# first") && new.ends_with("+++\r\nbody\r\nno end"), "{new:?}");
    }
}

#[test]
fn every_style_of_list_takes_and_loses_labels() {
    let styles = [
        "",
        "labels = []\n",
        "labels = [ ]\n",
        "labels = [\n]\n",
        "labels = [\n  # none yet\n]\n",
        "labels = [\"a\"]\n",
        "labels = [\"a\",]\n",
        "labels = [\"a\", \"b\", \"c\"]\n",
        "labels = [\"a\" , \"b\" , \"c\" , ]\n",
        "labels = [\n  \"a\",\n  \"b\",\n  \"c\",\n]\n",
        "labels = [\n  \"a\", # one\n  \"b\", # two\n  \"c\" # three\n]\n",
        "labels = [\n  \"a\" # one, with a comma\n  , \"b\"\n  , \"c\" # three\n]\n",
        "labels = [\"a\", \"A\", \"b\", \"a\"]\n",
        "labels = ['a', \"\"\"b\"\"\", '''c''']\n",
        "labelled = []\nlabels = [\"a\"]\n",
        "labelled = [{ label = \"a\", by = \"x\", at = 2026-01-01T00:00:00Z }]\nlabels = [\"a\", \"b\"]\n",
    ];
    for style in styles {
        let text = format!("+++\ntitle = \"x\"\n{style}+++\nbody");
        let file = parse(&text);
        let grown = labelled(&text, "new \"one\"", true);
        for comment in ["# one", "# two", "# three", "# none yet"] {
            assert_eq!(grown.contains(comment), style.contains(comment), "{grown}");
        }
        assert!(!parse(&labelled(&grown, "new \"one\"", false)).has("new \"one\""));
        for label in &file.labels {
            let shrunk = labelled(&text, label, false);
            for comment in ["# one", "# two", "# three"] {
                assert_eq!(shrunk.contains(comment), style.contains(comment), "{shrunk}");
            }
        }
        let mut all = text.clone();
        for label in ["a", "b", "c"] {
            if parse(&all).has(label) {
                all = labelled(&all, label, false);
            }
        }
        assert!(parse(&all).labels.is_empty(), "{all}");
    }
}

#[test]
fn a_label_by_hand_is_called_the_same_before_and_after_it_is_recorded() {
    let text = "+++\ntitle = \"x\"\nlabels = [\"ready\"]\n+++\n";
    let (before, applied) = parse(text).labelled("Ready", &hand()).unwrap();
    assert_eq!((applied.by.as_str(), applied.at), ("owner", UnixTime(1_000)));
    let later = Hand { by: "offhours".to_owned(), at: UnixTime(9_000) };
    let ours = labelled(text, "busy", true);
    assert_eq!(parse(&ours).labelled("ready", &later).unwrap(), (before.clone(), applied.clone()));
    let closed = parse(text).with_open(false, &hand()).unwrap();
    assert_eq!(parse(&closed).labelled("ready", &later).unwrap(), (before.clone(), applied));

    let off = labelled(&ours, "ready", false);
    assert_eq!(parse(&off).labelled("ready", &later), None);
    // Put on again by hand: a new application, by the owner of then.
    let again = off.replace("labels = [\"busy\"]", "labels = [\"busy\", \"READY\"]");
    let (second, applied) = parse(&again).labelled("ready", &later).unwrap();
    assert_ne!(second, before);
    assert_eq!((applied.by.as_str(), applied.at), ("offhours", UnixTime(9_000)));
    // Taken off by hand: recorded with our next change.
    let gone = ours.replace("\"ready\", ", "");
    assert_eq!(parse(&gone).labelled("ready", &later), None);
    let recorded = parse(&gone).with_open(false, &later).unwrap();
    assert!(
        recorded.contains("label = \"ready\"\nby = \"offhours\"\nat = 1970-01-01T02:30:00Z\nadded = false\n"),
        "{recorded}"
    );
}

#[test]
fn what_is_so_already_is_not_written() {
    let file = parse("+++\ntitle = \"x\"\nlabels = [\"Ready\"]\n+++\n");
    assert_eq!(file.with_label(true, &change("ready", true), &hand()), None);
    assert_eq!(file.with_label(false, &change("other", false), &hand()), None);
    assert_eq!(file.with_open(true, &hand()), None);
}

#[test]
fn comments_keep_their_bytes() {
    let bodies = ["", "x", "\n\nx\n", "+++\nx\n+++\n", "\r\nx\r\n", "a <!-- offhours:run:7 -->\n"];
    for body in bodies {
        let text = new_comment(body, "a \"b\"", UnixTime(5));
        let file = CommentFile::parse(text.into_bytes()).ok().unwrap();
        assert_eq!((file.body(), file.by.as_deref(), file.at), (body, Some("a \"b\""), Some(UnixTime(5))));
        assert_eq!(file.with_body(body, "z", UnixTime(6)), None);
        for other in bodies.iter().filter(|b| **b != body) {
            let text = file.with_body(other, "z", UnixTime(6)).unwrap();
            let read = CommentFile::parse(text.into_bytes()).ok().unwrap();
            assert_eq!(
                (read.body(), read.by.as_deref(), read.at),
                (*other, Some("a \"b\""), Some(UnixTime(5)))
            );
        }
    }
    let by_hand = CommentFile::parse(b"just words\n".to_vec()).ok().unwrap();
    assert_eq!((by_hand.body(), by_hand.by.as_deref()), ("just words\n", None));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(IssueFile::parse(bytes.clone()));
        drop(CommentFile::parse(bytes.clone()));
        let mut framed = b"+++\ntitle = \"x\"\n".to_vec();
        framed.extend(bytes);
        framed.extend(b"\n+++\n");
        drop(IssueFile::parse(framed));
    }

    #[test]
    fn texts_go_round(title in "[^\\p{C}]{0,20}x", body in any::<String>(), labels in proptest::collection::vec(any::<String>(), 0..4)) {
        let new = NewIssue { title, body, labels, by: "a\u{1}\\\"b".to_owned(), priority: Some(i64::MIN), blocked_by: vec![3] };
        let file = parse(&new_issue(&new, UnixTime(7)));
        prop_assert_eq!(&file.title, &new.title);
        prop_assert_eq!(file.body(), &new.body);
        for label in &new.labels {
            prop_assert!(file.has(label));
            prop_assert_eq!(file.labelled(label, &hand()).unwrap().1.by, new.by.clone());
        }
        prop_assert!(file.unrecorded(&hand()).is_empty());
    }

    #[test]
    fn plausible_files_are_changed_without_loss(
        lines in proptest::collection::vec(
            proptest::sample::select(vec![
                "state = \"open\"", "priority = 3", "# words, more", "", "labels = [", "\"a\"", ",", "\"b\",", "]", "[t]",
                "k = \"+\"", "[[labelled]]", "label = \"a\"", "by = \"b\"", "at = 2026-01-01T00:00:00Z",
                "labels = [\"a\", \"b\"]", "labelled = []",
            ]), 0..12),
    ) {
        let text = format!("+++\ntitle = \"x\"\n{}\n+++\nbody", lines.join("\n"));
        if let Ok(file) = IssueFile::parse(text.clone().into_bytes()) {
            for label in ["a", "b", "c"] {
                let present = !file.has(label);
                labelled(&text, label, present);
            }
            parse(&file.with_open(!file.open, &hand()).unwrap());
        }
    }
}
