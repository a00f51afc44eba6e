//! Who asked for the work, and for which text. What cannot be attributed or asked is not trusted.

use strum::{IntoStaticStr, VariantNames};

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
    /// Permissions of the people who changed the text or may have. Who is missing here counts as not readable.
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
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
    EditedUnattributed(Untold),
    ChangedSinceApproval,
    /// As the one before, of an application of the label that a lost state file knew.
    ApprovalUnknown(Untold),
}

/// What keeps a text from being attributed to people who are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Untold {
    /// An edit in the history has no editor.
    Editor,
    /// Bodies have no history, and who opened the issue, and may change it, is not trusted or not named.
    Author { login: Option<String> },
    /// Bodies have no history, and not everybody who may write is trusted. `counted`: the server tells a body that was
    /// never changed.
    Writers { counted: bool },
}

impl Untold {
    /// What is not told.
    pub fn what(&self) -> String {
        match self {
            Self::Editor => {
                "the issue was edited after it was labelled and the forge does not say by whom".to_owned()
            }
            Self::Author { login: Some(login) } => format!(
                "the forge does not say who changes a body, and {login}, who opened the issue and may change it, is not trusted"
            ),
            Self::Author { login: None } => {
                "the forge says neither who changes a body nor who opened the issue and may change it".to_owned()
            }
            Self::Writers { counted: true } => {
                "the body was changed, the forge does not say by whom, and trust.permission = \"admin\" does not trust everybody \
                 who may".to_owned()
            }
            Self::Writers { counted: false } => {
                "the forge does not say who changes a body, and trust.permission = \"admin\" does not trust everybody who may"
                    .to_owned()
            }
        }
    }

    /// What helps.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Editor => "read it and apply the label again",
            Self::Author { .. } => {
                "to go on, somebody trusted opens an issue of their own with the text and labels that one"
            }
            Self::Writers { counted: true } => {
                "to go on, open a new issue with the text, leave its body as it is, and label that one"
            }
            Self::Writers { counted: false } => "no issue starts there before trust.permission is \"write\"",
        }
    }

    fn sentence(&self) -> String {
        format!("{}; {}", self.what(), self.help())
    }
}

impl TrustReason {
    /// What is not told of a text that somebody trusted labelled, where that is why.
    pub fn untold(&self) -> Option<&Untold> {
        match self {
            Self::EditedUnattributed(untold) | Self::ApprovalUnknown(untold) => Some(untold),
            Self::EvidenceUnreadable { .. }
            | Self::NotLabelled
            | Self::Unattributed
            | Self::BotNotNamed { .. }
            | Self::PermissionUnreadable { .. }
            | Self::UntrustedLabeller { .. }
            | Self::ApprovalVoid { .. }
            | Self::ChangedSinceApproval => None,
        }
    }

    /// The stable word for ledger and JSON.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// What it means, and what helps.
    pub fn sentence(&self) -> String {
        match self {
            Self::EvidenceUnreadable { why } => {
                format!("who applied the ready label could not be read: {why}")
            }
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
                format!(
                    "{login} applied the ready label and is not trusted; somebody trusted has to apply it"
                )
            }
            Self::ApprovalVoid { login } => {
                format!(
                    "{login}, who is not trusted, edited the issue after it was labelled; read it and apply the label again"
                )
            }
            Self::EditedUnattributed(untold) => untold.sentence(),
            Self::ChangedSinceApproval => {
                "title or body are not what was approved; read them and apply the label again".to_owned()
            }
            Self::ApprovalUnknown(untold) => {
                format!("the state file does not know which text was approved: {}", untold.sentence())
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

/// Whether everybody who may write is trusted, so that what any of them may have changed needs no history.
pub fn writers(policy: &TrustPolicy, writers_are_trusted: bool) -> bool {
    writers_are_trusted || policy.permission <= Permission::Write
}

/// Whether the text as it stands is approved by somebody trusted.
///
/// Approval is of title and body as they stood when the ready label was applied, and of what trusted people made
/// of them since. Where the forge keeps no history of bodies, a body is only approved if all who may have changed it
/// are trusted. What was recorded at a first sight does not stand for that: it may have been recorded of a text that
/// was already another one.
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
    match edits {
        // A change that the history does not know of has no author.
        EditHistory::Complete(edits) if edits.is_empty() && sight(q, labelled) == Sight::Changed => {
            Err(TrustReason::ChangedSinceApproval)
        }
        EditHistory::Complete(edits) => later_editors(q, labelled, edits),
        EditHistory::Titles { renames, author, counted } => {
            later_editors(q, labelled, renames)?;
            body(q, labelled, author.as_ref(), *counted)
        }
    }
}

/// Whether everybody is trusted who may change a body that has no history: the author, and who may write.
fn body(
    q: &Question<'_>,
    labelled: &Labelled,
    author: Option<&Person>,
    counted: bool,
) -> Result<(), TrustReason> {
    let untold = if writers(q.policy, q.writers_are_trusted) {
        match author.map(|author| editor(q, labelled, author)) {
            Some(Ok(())) => return Ok(()),
            None | Some(Err(TrustReason::Unattributed)) => Untold::Author { login: None },
            Some(Err(
                TrustReason::BotNotNamed { login }
                | TrustReason::UntrustedLabeller { login }
                | TrustReason::ApprovalVoid { login },
            )) => Untold::Author { login: Some(login) },
            Some(Err(
                reason @ (TrustReason::PermissionUnreadable { .. }
                | TrustReason::EvidenceUnreadable { .. }
                | TrustReason::NotLabelled
                | TrustReason::EditedUnattributed(_)
                | TrustReason::ChangedSinceApproval
                | TrustReason::ApprovalUnknown(_)),
            )) => return Err(reason),
        }
    } else {
        Untold::Writers { counted }
    };
    let lost = q.installation_lost_state && sight(q, labelled) == Sight::Never;
    Err(if lost { TrustReason::ApprovalUnknown(untold) } else { TrustReason::EditedUnattributed(untold) })
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
                | TrustReason::EditedUnattributed(_)
                | TrustReason::ChangedSinceApproval
                | TrustReason::ApprovalUnknown(_)),
            )) => return Err(reason),
        }
    }
    if unattributed {
        return Err(TrustReason::EditedUnattributed(Untold::Editor));
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

    fn bodies_untold(author: Option<Person>) -> EditHistory {
        EditHistory::Titles { renames: vec![], author, counted: false }
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

    /// Where only titles are told, a rename counts like any edit, whoever opened the issue.
    #[test]
    fn renames_count_where_bodies_are_not_told() {
        let renamed = |by: Option<&str>, author: &str| EditHistory::Titles {
            renames: vec![Edit { by: by.map(who), at: UnixTime(150) }],
            author: Some(who(author)),
            counted: true,
        };
        for (by, author, want) in [
            (Some("eve"), "ann", "approval-void"),
            (Some("eve"), "eve", "approval-void"),
            (Some("ann"), "ann", "ok"),
            (Some("ann"), "eve", "edited-unattributed"),
            (None, "ann", "edited-unattributed"),
            (Some("dim"), "ann", "permission-unreadable"),
        ] {
            for (first, lost) in [(None, false), (Some(("e1", "now")), false), (Some(("e1", "then")), true)] {
                let mut c = case();
                c.edits = renamed(by, author);
                c.first = first;
                c.lost = lost;
                c.editors = vec![
                    (who("eve"), Seen::Known(Permission::Read)),
                    (who("dim"), Seen::Unreadable("500".into())),
                ];
                let want = if want == "ok" && first != Some(("e1", "now")) { "ok+record" } else { want };
                assert_eq!(c.word(), want, "{by:?} {author} {first:?}");
            }
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
    fn who_may_write() {
        for (asked, own) in [
            (Permission::None, true),
            (Permission::Read, true),
            (Permission::Write, true),
            (Permission::Admin, false),
        ] {
            let policy = TrustPolicy { permission: asked, people: vec!["Named".into()] };
            assert_eq!(writers(&policy, false), own);
            assert!(writers(&policy, true));
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

    /// Every kind of author, every first sight: only who may have changed the body counts.
    #[test]
    fn no_history() {
        let bot = |login: &str| Some(Person { login: login.to_owned(), bot: true });
        for (author, want) in [
            (Some(who("ANN")), "ok"),
            (Some(who("wes")), "ok"),
            (Some(who("named")), "ok"),
            (bot("Helper[bot]"), "ok"),
            (Some(who("rob")), "edited-unattributed"),
            (Some(who("gone")), "edited-unattributed"),
            (bot("wes"), "edited-unattributed"),
            (bot("x[bot]"), "edited-unattributed"),
            (Some(who("")), "edited-unattributed"),
            (None, "edited-unattributed"),
            (Some(who("dim")), "permission-unreadable"),
            (Some(who("unasked")), "permission-unreadable"),
        ] {
            for first in [None, Some(("e1", "now")), Some(("e1", "old")), Some(("e0", "now"))] {
                for lost in [false, true] {
                    let mut c = case();
                    c.edits = bodies_untold(author.clone());
                    c.first = first;
                    c.lost = lost;
                    c.editors = vec![
                        (who("wes"), Seen::Known(Permission::Write)),
                        (who("rob"), Seen::Known(Permission::Read)),
                        (who("gone"), Seen::Known(Permission::None)),
                        (who("x[bot]"), Seen::Known(Permission::Admin)),
                        (who("dim"), Seen::Unreadable("500".into())),
                    ];
                    let never = first.is_none_or(|(event, _)| event != "e1");
                    let want = match want {
                        "ok" if first != Some(("e1", "now")) => "ok+record",
                        "edited-unattributed" if lost && never => "approval-unknown",
                        other => other,
                    };
                    assert_eq!(c.word(), want, "{author:?} {first:?} {lost}");
                    c.permission = Seen::Known(Permission::Read);
                    assert_eq!(c.word(), "untrusted-labeller");
                    c.writers = true;
                    assert!(c.word().starts_with("ok"));
                }
            }
        }
    }

    /// A body that anybody may have changed who may write is approved where these are trusted.
    #[test]
    fn no_history_and_what_is_asked_of_writers() {
        for (asked, held, counted, want) in [
            (Permission::Read, Permission::Read, false, "ok+record"),
            (Permission::Write, Permission::Read, false, "edited-unattributed"),
            (Permission::Write, Permission::Write, false, "ok+record"),
            (Permission::Admin, Permission::Admin, false, "edited-unattributed"),
            (Permission::Admin, Permission::Admin, true, "edited-unattributed"),
        ] {
            let mut c = case();
            c.policy.permission = asked;
            c.permission = Seen::Known(Permission::Admin);
            c.edits = EditHistory::Titles { renames: vec![], author: Some(who("bob")), counted };
            c.editors = vec![(who("bob"), Seen::Known(held))];
            assert_eq!(c.word(), want, "{asked:?} {held:?}");
            c.edits = EditHistory::Titles { renames: vec![], author: Some(who("named")), counted };
            assert_eq!(c.word().starts_with("ok"), asked <= Permission::Write, "{asked:?}");
        }
    }

    /// The answer names what can be done: nothing that is in vain.
    #[test]
    fn an_answer_where_bodies_are_not_told() {
        let said = |untold: Untold| TrustReason::EditedUnattributed(untold).sentence();
        let login = Some("rob".to_owned());
        assert!(said(Untold::Editor).ends_with("read it and apply the label again"));
        assert!(said(Untold::Author { login: login.clone() }).contains("and rob, who opened the issue"));
        for untold in [Untold::Author { login }, Untold::Author { login: None }] {
            let said = said(untold);
            assert!(said.contains("somebody trusted opens an issue of their own with the text"), "{said}");
            assert!(!said.contains("again") && !said.contains("/approve"), "{said}");
        }
        assert!(said(Untold::Writers { counted: true }).contains("open a new issue with the text"));
        assert!(said(Untold::Writers { counted: false }).contains("trust.permission is \"write\""));
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
