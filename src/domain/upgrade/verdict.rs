//! The verdict of one trial: what CI said after this trigger about this commit, and never anything older.

use strum::IntoStaticStr;

use crate::domain::model::{Oid, UnixTime};

/// What was noted before the trigger, and the address that this trial was first seen under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub head: Oid,
    pub newest_comment: u64,
    pub newest_status: u64,
    pub url: Option<String>,
}

/// A commit status as the forge lists it. Every word is data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Rises with each new one of a repository.
    pub id: u64,
    pub commit: Oid,
    pub context: String,
    pub state: String,
    pub creator: Option<String>,
    pub url: Option<String>,
    pub at: UnixTime,
}

/// A comment on the pull request, as far as a result may stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub id: u64,
    pub author: Option<String>,
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VerdictPolicy {
    pub context: String,
    /// `None`: whoever may set statuses there.
    pub creator: Option<String>,
    /// Whose comment has to agree; `None`: none has to.
    pub result_author: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Verdict {
    Green { url: String },
    Red { url: String },
    Pending { url: Option<String> },
}

impl Verdict {
    pub fn word(&self) -> &'static str {
        self.into()
    }

    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Green { url } | Self::Red { url } => Some(url),
            Self::Pending { url } => url.as_deref(),
        }
    }
}

/// What a state word means. What is not known is pending, never green.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Light {
    Green,
    Red,
    Pending,
}

fn light(state: &str) -> Light {
    match state {
        "success" => Light::Green,
        "failure" | "error" | "warning" => Light::Red,
        _ => Light::Pending,
    }
}

/// The words before the commit, the state and the address in a result comment.
pub const RESULT_MARKER: &str = "ci-result:";

/// Reads the verdict.
///
/// A status counts only if it is of the trial's head, of the configured context and creator, newer than the one noted before
/// the trigger, and of the address first seen for this trial. The greatest id decides. Where a result comment is configured,
/// too, both have to agree.
pub fn read(
    mark: &Mark,
    trigger: u64,
    statuses: &[Status],
    said: &[Said],
    policy: &VerdictPolicy,
) -> Verdict {
    let mut counted: Vec<&Status> = statuses
        .iter()
        .filter(|s| s.commit == mark.head && s.context == policy.context && s.id > mark.newest_status)
        .filter(|s| policy.creator.is_none() || s.creator == policy.creator)
        .collect();
    counted.sort_by_key(|s| s.id);
    let first = counted.iter().find_map(|s| s.url.clone());
    let Some(url) = mark.url.clone().or(first) else { return Verdict::Pending { url: None } };
    let Some(last) = counted.iter().rev().find(|s| s.url.as_ref() == Some(&url)) else {
        return Verdict::Pending { url: Some(url) };
    };
    let by_status = light(&last.state);
    let agreed = match &policy.result_author {
        None => true,
        Some(author) => by_comment(mark, trigger, said, author, &url) == Some(by_status),
    };
    match (by_status, agreed) {
        (Light::Green, true) => Verdict::Green { url },
        (Light::Red, true) => Verdict::Red { url },
        (Light::Pending, _) | (_, false) => Verdict::Pending { url: Some(url) },
    }
}

/// The newest result comment of this trial: `ci-result: <commit> <state> <url>` on a line of its own.
fn by_comment(mark: &Mark, trigger: u64, said: &[Said], author: &str, url: &str) -> Option<Light> {
    let mut found: Vec<(u64, Light)> = said
        .iter()
        .filter(|s| s.id > trigger.max(mark.newest_comment) && s.author.as_deref() == Some(author))
        .filter_map(|s| {
            let words: Vec<&str> = s
                .body
                .lines()
                .find_map(|line| line.trim().strip_prefix(RESULT_MARKER))?
                .split_whitespace()
                .collect();
            let [commit, state, address] = words[..] else { return None };
            (commit == mark.head.as_str() && address == url).then(|| (s.id, light(state)))
        })
        .collect();
    found.sort_by_key(|(id, _)| *id);
    found.last().map(|(_, light)| *light)
}

/// A comment that is a trigger: nothing else in it.
pub fn is_trigger(body: &str, trigger: &str) -> bool {
    body.trim() == trigger
}

/// The first exact trigger after a noted id.
pub fn trigger_after(said: &[Said], newest_comment: u64, trigger: &str) -> Option<u64> {
    said.iter().filter(|s| s.id > newest_comment && is_trigger(&s.body, trigger)).map(|s| s.id).min()
}

/// Text of ours that is to be posted: never a line equal to the trigger.
pub fn untriggering(body: &str, trigger: &str) -> String {
    let lines: Vec<String> = body
        .lines()
        .map(|line| if line.trim() == trigger { format!("`{}`", line.trim()) } else { line.to_owned() })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(c: char) -> Oid {
        Oid::parse(&c.to_string().repeat(40)).unwrap()
    }

    fn status(id: u64, commit: char, context: &str, state: &str, url: &str) -> Status {
        Status {
            id,
            commit: oid(commit),
            context: context.into(),
            state: state.into(),
            creator: Some("ci".into()),
            url: (!url.is_empty()).then(|| url.into()),
            at: UnixTime(0),
        }
    }

    fn mark() -> Mark {
        Mark { head: oid('a'), newest_comment: 10, newest_status: 5, url: None }
    }

    fn policy() -> VerdictPolicy {
        VerdictPolicy { context: "ci".into(), creator: Some("ci".into()), result_author: None }
    }

    fn word(statuses: &[Status]) -> &'static str {
        let forwards = read(&mark(), 11, statuses, &[], &policy()).word();
        let mut shuffled = statuses.to_vec();
        shuffled.reverse();
        assert_eq!(read(&mark(), 11, &shuffled, &[], &policy()).word(), forwards);
        forwards
    }

    #[test]
    fn every_state_word() {
        for (state, verdict) in [
            ("success", "GREEN"),
            ("failure", "RED"),
            ("error", "RED"),
            ("warning", "RED"),
            ("pending", "PENDING"),
            ("skipped", "PENDING"),
            ("neutral", "PENDING"),
            ("", "PENDING"),
            ("SUCCESS", "PENDING"),
        ] {
            assert_eq!(word(&[status(6, 'a', "ci", state, "u")]), verdict, "{state}");
        }
    }

    #[test]
    fn only_what_belongs_to_this_trial_counts() {
        assert_eq!(word(&[]), "PENDING");
        assert_eq!(
            word(&[status(5, 'a', "ci", "success", "u")]),
            "PENDING",
            "an old green on the same commit"
        );
        assert_eq!(word(&[status(6, 'b', "ci", "success", "u")]), "PENDING", "another commit");
        assert_eq!(word(&[status(6, 'a', "lint", "success", "u")]), "PENDING", "another context");
        assert_eq!(word(&[status(6, 'a', "ci", "success", "")]), "PENDING", "without an address");
        let mut foreign = status(6, 'a', "ci", "success", "u");
        foreign.creator = Some("mallory".into());
        assert_eq!(word(&[foreign.clone()]), "PENDING", "another creator");
        foreign.creator = None;
        assert_eq!(word(&[foreign]), "PENDING", "no creator");
        let two = [status(6, 'a', "ci", "pending", "u"), status(7, 'a', "ci", "success", "v")];
        assert_eq!(word(&two), "PENDING", "another address than the first seen");
        let late = [
            status(6, 'a', "ci", "pending", "u"),
            status(8, 'a', "ci", "failure", "u"),
            status(7, 'a', "ci", "success", "u"),
        ];
        assert_eq!(word(&late), "RED", "the greatest id decides");
        let known = Mark { url: Some("v".into()), ..mark() };
        assert_eq!(read(&known, 11, &two, &[], &policy()).word(), "GREEN", "the address noted before holds");
        let any = VerdictPolicy { creator: None, ..policy() };
        assert_eq!(read(&mark(), 11, &[status(6, 'a', "ci", "success", "u")], &[], &any).word(), "GREEN");
    }

    #[test]
    fn a_result_comment_has_to_agree() {
        let policy = VerdictPolicy { result_author: Some("bot".into()), ..policy() };
        let green = [status(6, 'a', "ci", "success", "u")];
        let said = |id: u64, author: &str, text: String| Said { id, author: Some(author.into()), body: text };
        let result = |state: &str| format!("Finished.\nci-result: {} {state} u\n", oid('a'));
        let word = |said: &[Said]| read(&mark(), 11, &green, said, &policy).word();
        assert_eq!(word(&[]), "PENDING");
        assert_eq!(word(&[said(12, "bot", result("success"))]), "GREEN");
        assert_eq!(word(&[said(12, "bot", result("failure"))]), "PENDING");
        assert_eq!(word(&[said(12, "mallory", result("success"))]), "PENDING");
        assert_eq!(word(&[said(11, "bot", result("success"))]), "PENDING", "not after the trigger");
        assert_eq!(word(&[said(12, "bot", format!("ci-result: {} success u", oid('b')))]), "PENDING");
        assert_eq!(word(&[said(12, "bot", format!("ci-result: {} success v", oid('a')))]), "PENDING");
        assert_eq!(
            word(&[said(13, "bot", result("failure")), said(12, "bot", result("success"))]),
            "PENDING"
        );
        assert_eq!(word(&[said(12, "bot", result("failure")), said(13, "bot", result("success"))]), "GREEN");
    }

    #[test]
    fn a_trigger_is_nothing_but_the_trigger() {
        for good in ["!testme", " !testme\n", "\n\n!testme  "] {
            assert!(is_trigger(good, "!testme"), "{good:?}");
        }
        for bad in [
            "!testmexyz",
            "> !testme",
            "`!testme`",
            "please !testme",
            "!testme now",
            "!testme\n!testme",
            "```\n!testme\n```",
            "!TestMe",
            "",
        ] {
            assert!(!is_trigger(bad, "!testme"), "{bad:?}");
        }
        let said = |id: u64, body: &str| Said { id, author: None, body: body.into() };
        let all = [said(9, "!testme"), said(14, "!testme"), said(12, "!testme"), said(11, "> !testme")];
        assert_eq!(trigger_after(&all, 10, "!testme"), Some(12));
        assert_eq!(trigger_after(&all, 14, "!testme"), None);
        let posted = untriggering("a log says\n  !testme  \nhere", "!testme");
        assert!(!posted.lines().any(|line| is_trigger(line, "!testme")), "{posted}");
    }

    proptest::proptest! {
        #[test]
        fn green_needs_a_green_status_of_this_very_trial(list in proptest::collection::vec((0u64..12, 0usize..2, 0usize..2, 0usize..4, 0usize..3), 0..8)) {
            let states = ["success", "failure", "pending", "odd"];
            let statuses: Vec<Status> = list.iter().map(|(id, commit, context, state, url)| {
                status(*id, ['a', 'b'][*commit], ["ci", "x"][*context], states[*state], ["", "u", "v"][*url])
            }).collect();
            if let Verdict::Green { url } = read(&mark(), 11, &statuses, &[], &policy()) {
                assert!(statuses.iter().any(|s| s.id > 5 && s.commit == oid('a') && s.context == "ci" && s.state == "success" && s.url.as_ref() == Some(&url)));
            }
        }
    }
}
