//! Who asked for the work, and for which text. What cannot be attributed or asked is not trusted.

use super::model::{ApprovalEvidence, Edit, EditHistory, Labelled, Permission, Person, Seen, UnixTime};

/// Whom the owner trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    /// This permission or better on the repository.
    pub permission: Permission,
    /// Logins trusted by name, whatever their permission; the only way for a bot.
    pub people: Vec<String>,
}

/// The text as it stood when an application of the label was first seen as trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstSight {
    pub event_id: String,
    pub text_hash: String,
}

/// Everything [`judge`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Read after the text that `current_hash` is of, so that no edit lies between.
    pub evidence: &'a Seen<ApprovalEvidence>,
    /// Of the person who labelled; not looked at where nobody did.
    pub permission: &'a Seen<Permission>,
    /// Permissions of the people in the edit history. Who is missing here counts as not readable.
    pub editors: &'a [(Person, Seen<Permission>)],
    /// The forge's own statement: whoever can write there is trusted.
    pub writers_are_trusted: bool,
    /// What was recorded for this issue before.
    pub first_sight: Option<&'a FirstSight>,
    /// Hash over title and body as they are now.
    pub current_hash: &'a str,
    pub policy: &'a TrustPolicy,
    /// The label may be older than the state file's memory: a missing first sight says nothing.
    pub installation_lost_state: bool,
}

/// The answer about one issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    Approved {
        event_id: String,
        at: UnixTime,
        /// `None` only where writers are trusted and the tracker does not say who labelled.
        by: Option<Person>,
        /// The current hash has to be stored as the first sight of `event_id`.
        record_first_sight: bool,
    },
    Not(TrustReason),
}

/// Why the text as it stands is not approved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TrustReason {
    EvidenceUnreadable {
        why: String,
    },
    NotLabelled,
    Unattributed,
    BotNotNamed {
        login: String,
    },
    PermissionUnreadable {
        login: String,
        why: String,
    },
    UntrustedLabeller {
        login: String,
    },
    /// Edited after the label by somebody who is not trusted.
    ApprovalVoid {
        login: String,
    },
    EditedUnattributed,
    ChangedSinceApproval,
    ApprovalUnknown,
}

impl TrustReason {
    /// The stable word for ledger and JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EvidenceUnreadable { .. } => "evidence-unreadable",
            Self::NotLabelled => "not-labelled",
            Self::Unattributed => "unattributed",
            Self::BotNotNamed { .. } => "bot-not-named",
            Self::PermissionUnreadable { .. } => "permission-unreadable",
            Self::UntrustedLabeller { .. } => "untrusted-labeller",
            Self::ApprovalVoid { .. } => "approval-void",
            Self::EditedUnattributed => "edited-unattributed",
            Self::ChangedSinceApproval => "changed-since-approval",
            Self::ApprovalUnknown => "approval-unknown",
        }
    }

    /// What it means, and what helps.
    pub fn sentence(&self) -> String {
        match self {
            Self::EvidenceUnreadable { why } => format!("who applied the ready label could not be read: {why}"),
            Self::NotLabelled => "no standing application of the ready label was found".to_owned(),
            Self::Unattributed => {
                "the forge does not say who applied the ready label; apply it again".to_owned()
            }
            Self::BotNotNamed { login } => {
                format!("{login} is a bot and is not named in trust.people")
            }
            Self::PermissionUnreadable { login, why } => {
                format!("the permission of {login} could not be read: {why}")
            }
            Self::UntrustedLabeller { login } => {
                format!("{login} applied the ready label and is not trusted; somebody trusted has to apply it")
            }
            Self::ApprovalVoid { login } => {
                format!("{login}, who is not trusted, edited the issue after it was labelled; read it and apply the label again")
            }
            Self::EditedUnattributed => {
                "the issue was edited after it was labelled and the forge does not say by whom; read it and apply the label again".to_owned()
            }
            Self::ChangedSinceApproval => {
                "title or body are not what was approved; read them and apply the label again".to_owned()
            }
            Self::ApprovalUnknown => {
                "the state file does not know which text was approved; read it and apply the label again".to_owned()
            }
        }
    }
}

/// Whether one person is trusted: by name, or by permission unless a bot.
pub fn person(
    person: &Person,
    permission: &Seen<Permission>,
    policy: &TrustPolicy,
    writers_are_trusted: bool,
) -> Result<(), TrustReason> {
    let login = person.login.trim();
    if writers_are_trusted {
        return Ok(());
    }
    if login.is_empty() {
        return Err(TrustReason::Unattributed);
    }
    if policy.people.iter().any(|named| named.trim().eq_ignore_ascii_case(login)) {
        return Ok(());
    }
    if person.bot || login.to_ascii_lowercase().ends_with("[bot]") {
        return Err(TrustReason::BotNotNamed { login: login.to_owned() });
    }
    match permission {
        Seen::Known(Permission::None) => Err(TrustReason::UntrustedLabeller { login: login.to_owned() }),
        Seen::Known(held) if *held >= policy.permission => Ok(()),
        Seen::Known(_) => Err(TrustReason::UntrustedLabeller { login: login.to_owned() }),
        Seen::Unreadable(why) => {
            Err(TrustReason::PermissionUnreadable { login: login.to_owned(), why: why.clone() })
        }
    }
}

/// Whether the text as it stands is approved by somebody trusted.
///
/// Approval is of title and body as they stood when the ready label was applied, and of what trusted people made
/// of them since.
pub fn judge(q: &Question<'_>) -> Approval {
    let evidence = match q.evidence {
        Seen::Known(evidence) => evidence,
        Seen::Unreadable(why) => return Approval::Not(TrustReason::EvidenceUnreadable { why: why.clone() }),
    };
    let Some(labelled) = &evidence.labelled else { return Approval::Not(TrustReason::NotLabelled) };
    match labeller(q, labelled).and_then(|()| text(q, labelled, &evidence.edits)) {
        Ok(()) => Approval::Approved {
            event_id: labelled.event_id.clone(),
            at: labelled.at,
            by: labelled.by.clone(),
            record_first_sight: sight(q, labelled) != Sight::Same,
        },
        Err(reason) => Approval::Not(reason),
    }
}

fn labeller(q: &Question<'_>, labelled: &Labelled) -> Result<(), TrustReason> {
    match &labelled.by {
        Some(by) => person(by, q.permission, q.policy, q.writers_are_trusted),
        None if q.writers_are_trusted => Ok(()),
        None => Err(TrustReason::Unattributed),
    }
}

/// What is remembered of this application of the label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Never,
    Same,
    Changed,
}

fn sight(q: &Question<'_>, labelled: &Labelled) -> Sight {
    match q.first_sight {
        Some(first) if first.event_id != labelled.event_id => Sight::Never,
        Some(first) if first.text_hash == q.current_hash => Sight::Same,
        Some(_) => Sight::Changed,
        None => Sight::Never,
    }
}

fn text(q: &Question<'_>, labelled: &Labelled, edits: &EditHistory) -> Result<(), TrustReason> {
    if q.writers_are_trusted {
        return Ok(());
    }
    match (edits, sight(q, labelled)) {
        // A change that the history does not know of has no author.
        (EditHistory::Complete(edits), Sight::Changed) if edits.is_empty() => {
            Err(TrustReason::ChangedSinceApproval)
        }
        (EditHistory::Complete(edits), Sight::Never | Sight::Same | Sight::Changed) => {
            later_editors(q, labelled, edits)
        }
        (EditHistory::Titles { .. }, Sight::Same) => Ok(()),
        (EditHistory::Titles { .. }, Sight::Changed) => Err(TrustReason::ChangedSinceApproval),
        (EditHistory::Titles { renames, updated_at, newest_event_at }, Sight::Never) => {
            later_editors(q, labelled, renames)?;
            if q.installation_lost_state {
                Err(TrustReason::ApprovalUnknown)
            } else if *updated_at > labelled.at.max(*newest_event_at) {
                Err(TrustReason::EditedUnattributed)
            } else {
                Ok(())
            }
        }
    }
}

/// Every editor after the label has to be trusted. What is certain is told before what could not be read.
fn later_editors(q: &Question<'_>, labelled: &Labelled, edits: &[Edit]) -> Result<(), TrustReason> {
    let mut unattributed = false;
    let mut unreadable = None;
    for edit in edits {
        match edit.by.as_ref().map(|by| editor(q, labelled, by)) {
            Some(Ok(())) => {}
            None | Some(Err(TrustReason::Unattributed)) => unattributed = true,
            Some(Err(
                reason @ (TrustReason::PermissionUnreadable { .. } | TrustReason::EvidenceUnreadable { .. }),
            )) => {
                unreadable.get_or_insert(reason);
            }
            Some(Err(
                TrustReason::BotNotNamed { login }
                | TrustReason::UntrustedLabeller { login }
                | TrustReason::ApprovalVoid { login },
            )) => return Err(TrustReason::ApprovalVoid { login }),
            Some(Err(
                reason @ (TrustReason::NotLabelled
                | TrustReason::EditedUnattributed
                | TrustReason::ChangedSinceApproval
                | TrustReason::ApprovalUnknown),
            )) => return Err(reason),
        }
    }
    if unattributed {
        return Err(TrustReason::EditedUnattributed);
    }
    unreadable.map_or(Ok(()), Err)
}

fn editor(q: &Question<'_>, labelled: &Labelled, by: &Person) -> Result<(), TrustReason> {
    let same = |other: &Person| other.login.eq_ignore_ascii_case(&by.login);
    if !by.login.is_empty() && labelled.by.as_ref().is_some_and(same) {
        return labeller(q, labelled);
    }
    let missing = Seen::Unreadable("it was not asked".to_owned());
    let permission = q.editors.iter().find(|(other, _)| same(other)).map_or(&missing, |(_, seen)| seen);
    person(by, permission, q.policy, q.writers_are_trusted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn who(login: &str) -> Person {
        Person { login: login.to_owned(), bot: false }
    }

    fn policy() -> TrustPolicy {
        TrustPolicy { permission: Permission::Write, people: vec!["Named".into(), "helper[bot]".into()] }
    }

    struct Case {
        by: Option<Person>,
        permission: Seen<Permission>,
        editors: Vec<(Person, Seen<Permission>)>,
        edits: EditHistory,
        writers: bool,
        first: Option<(&'static str, &'static str)>,
        lost: bool,
        policy: TrustPolicy,
    }

    fn case() -> Case {
        Case {
            by: Some(who("ann")),
            permission: Seen::Known(Permission::Write),
            editors: vec![],
            edits: EditHistory::Complete(vec![]),
            writers: false,
            first: None,
            lost: false,
            policy: policy(),
        }
    }

    fn none_at(updated: i64, newest: i64) -> EditHistory {
        EditHistory::Titles {
            renames: vec![],
            updated_at: UnixTime(updated),
            newest_event_at: UnixTime(newest),
        }
    }

    fn edited(by: &[Option<&str>]) -> EditHistory {
        let edit = |b: Option<&str>| Edit { by: b.map(who), at: UnixTime(150) };
        EditHistory::Complete(by.iter().copied().map(edit).collect())
    }

    impl Case {
        fn judge(&self) -> Approval {
            let evidence = Seen::Known(ApprovalEvidence {
                labelled: Some(Labelled { event_id: "e1".into(), by: self.by.clone(), at: UnixTime(100) }),
                edits: self.edits.clone(),
            });
            let first =
                self.first.map(|(e, h)| FirstSight { event_id: e.to_owned(), text_hash: h.to_owned() });
            judge(&Question {
                evidence: &evidence,
                permission: &self.permission,
                editors: &self.editors,
                writers_are_trusted: self.writers,
                first_sight: first.as_ref(),
                current_hash: "now",
                policy: &self.policy,
                installation_lost_state: self.lost,
            })
        }

        /// `ok`, `ok+record`, or the reason's code.
        fn word(&self) -> &'static str {
            match self.judge() {
                Approval::Approved { record_first_sight: true, event_id, at, by } => {
                    assert_eq!((event_id.as_str(), at, by), ("e1", UnixTime(100), self.by.clone()));
                    "ok+record"
                }
                Approval::Approved { .. } => "ok",
                Approval::Not(reason) => {
                    assert!(!reason.sentence().is_empty());
                    reason.code()
                }
            }
        }
    }

    /// Where only titles are told, a rename counts like any edit before the text was first seen as trusted, and the
    /// hash decides after.
    #[test]
    fn renames_count_where_bodies_are_not_told() {
        let renamed = |by: Option<&str>| EditHistory::Titles {
            renames: vec![Edit { by: by.map(who), at: UnixTime(150) }],
            updated_at: UnixTime(150),
            newest_event_at: UnixTime(150),
        };
        for (by, first, want) in [
            (Some("eve"), None, "approval-void"),
            (Some("ann"), None, "ok+record"),
            (None, None, "edited-unattributed"),
            (Some("eve"), Some(("e1", "now")), "ok"),
            (Some("eve"), Some(("e1", "then")), "changed-since-approval"),
        ] {
            let mut c = case();
            c.edits = renamed(by);
            c.first = first;
            c.editors = vec![(who("eve"), Seen::Known(Permission::Read))];
            assert_eq!(c.word(), want, "{by:?} {first:?}");
        }
    }

    #[test]
    fn without_evidence_nothing_is_approved() {
        let (permission, policy) = (Seen::Known(Permission::Admin), policy());
        let none = ApprovalEvidence { labelled: None, edits: EditHistory::Complete(vec![]) };
        for (evidence, code) in
            [(Seen::Unreadable("down".into()), "evidence-unreadable"), (Seen::Known(none), "not-labelled")]
        {
            for writers_are_trusted in [false, true] {
                let answer = judge(&Question {
                    evidence: &evidence,
                    permission: &permission,
                    editors: &[],
                    writers_are_trusted,
                    first_sight: None,
                    current_hash: "now",
                    policy: &policy,
                    installation_lost_state: false,
                });
                assert!(matches!(answer, Approval::Not(reason) if reason.code() == code));
            }
        }
    }

    /// Every permission asked for, held, every kind of person.
    #[test]
    fn the_labeller() {
        let ranks = [Permission::None, Permission::Read, Permission::Write, Permission::Admin];
        for asked in ranks {
            for held in ranks.map(Seen::Known).into_iter().chain([Seen::Unreadable("500".into())]) {
                for (login, bot, named) in [
                    ("ann", false, false),
                    ("ann", true, false),
                    ("ann[BOT]", false, false),
                    ("nAMEd", false, true),
                    ("named", true, true),
                    ("Helper[bot]", true, true),
                ] {
                    let mut c = case();
                    c.policy.permission = asked;
                    c.permission = held.clone();
                    c.by = Some(Person { login: login.to_owned(), bot });
                    let is_bot = bot || login.ends_with("[BOT]");
                    let want = match &held {
                        _ if named => "ok+record",
                        _ if is_bot => "bot-not-named",
                        Seen::Unreadable(_) => "permission-unreadable",
                        Seen::Known(h) if *h != Permission::None && *h >= asked => "ok+record",
                        Seen::Known(_) => "untrusted-labeller",
                    };
                    assert_eq!(c.word(), want, "{login} {bot} {held:?} {asked:?}");
                    c.writers = true;
                    assert_eq!(c.word(), "ok+record");
                }
            }
        }
    }

    #[test]
    fn nobody_is_not_trusted_unless_writers_are() {
        for by in [None, Some(who("")), Some(who(" "))] {
            let mut c = case();
            c.by = by;
            c.policy.people.push(String::new());
            c.permission = Seen::Known(Permission::Admin);
            assert_eq!(c.word(), "unattributed");
            c.writers = true;
            assert_eq!(c.word(), "ok+record");
        }
    }

    #[test]
    fn complete_history() {
        let known = |login: &str, p| (who(login), Seen::Known(p));
        let rows: Vec<(&[Option<&str>], Option<(&'static str, &'static str)>, &str)> = vec![
            (&[], None, "ok+record"),
            (&[], Some(("e1", "now")), "ok"),
            (&[], Some(("e0", "old")), "ok+record"),
            (&[], Some(("e1", "old")), "changed-since-approval"),
            (&[Some("ANN")], Some(("e1", "old")), "ok+record"),
            (&[Some("named")], None, "ok+record"),
            (&[Some("Wes")], None, "ok+record"),
            (&[Some("rob")], None, "approval-void"),
            (&[Some("rob")], Some(("e1", "now")), "approval-void"),
            (&[Some("x[bot]")], None, "approval-void"),
            (&[Some("helper[bot]")], None, "ok+record"),
            (&[Some("wes"), Some("rob"), Some("wes")], None, "approval-void"),
            (&[None], None, "edited-unattributed"),
            (&[Some("")], None, "edited-unattributed"),
            (&[None, Some("rob")], None, "approval-void"),
            (&[Some("stranger")], None, "permission-unreadable"),
            (&[Some("dim")], None, "permission-unreadable"),
            (&[Some("dim"), None], None, "edited-unattributed"),
            (&[Some("dim"), Some("rob")], None, "approval-void"),
        ];
        for (by, first, want) in rows {
            for lost in [false, true] {
                let mut c = case();
                c.edits = edited(by);
                c.first = first;
                c.lost = lost;
                c.editors = vec![
                    known("wes", Permission::Write),
                    known("rob", Permission::Read),
                    known("x[bot]", Permission::Admin),
                    (who("dim"), Seen::Unreadable("500".into())),
                ];
                assert_eq!(c.word(), want, "{by:?} {first:?}");
                c.writers = true;
                assert!(c.word().starts_with("ok"));
            }
        }
    }

    #[test]
    fn no_history() {
        let same = Some(("e1", "now"));
        let changed = Some(("e1", "old"));
        let other = Some(("e0", "now"));
        let (late, even) = (none_at(101, 100), none_at(100, 100));
        for (edits, first, lost, want) in [
            (&even, None, false, "ok+record"),
            (&none_at(150, 150), None, false, "ok+record"),
            (&none_at(100, 0), None, false, "ok+record"),
            (&late, None, false, "edited-unattributed"),
            (&late, None, true, "approval-unknown"),
            (&even, None, true, "approval-unknown"),
            (&even, other, false, "ok+record"),
            (&late, other, false, "edited-unattributed"),
            (&even, other, true, "approval-unknown"),
            (&even, same, false, "ok"),
            (&late, same, false, "ok"),
            (&late, same, true, "ok"),
            (&even, changed, false, "changed-since-approval"),
            (&late, changed, true, "changed-since-approval"),
        ] {
            let mut c = case();
            c.edits = edits.clone();
            c.first = first;
            c.lost = lost;
            assert_eq!(c.word(), want, "{edits:?} {first:?} {lost}");
            c.permission = Seen::Known(Permission::Read);
            assert_eq!(c.word(), "untrusted-labeller");
            c.writers = true;
            assert!(c.word().starts_with("ok"));
        }
    }

    proptest! {
        #[test]
        fn one_untrusted_editor_is_enough(mut by in prop::collection::vec(prop_oneof![
            Just(Some("ann")), Just(Some("named")), Just(None), Just(Some("unasked"))], 0..6), at in 0_usize..7) {
            by.insert(at.min(by.len()), Some("rob"));
            let mut c = case();
            c.edits = edited(&by);
            c.editors = vec![(who("ROB"), Seen::Known(Permission::Read))];
            prop_assert_eq!(c.word(), "approval-void");
        }
    }
}
