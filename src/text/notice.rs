//! Notices as people get them: for each kind its own lead, urgency and sign; and how each service wants them written.
//! Words from outside are data in every one of these forms.

use crate::domain::effect::NoticeKind;
use crate::domain::escape::sanitize;

/// How a kind of notice is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Stands before the title.
    pub lead: &'static str,
    /// 1 to 5, as ntfy counts; 4 and 5 want somebody soon.
    pub urgency: u8,
    /// A sign by its short name.
    pub sign: &'static str,
}

pub fn manner(kind: NoticeKind) -> Manner {
    let of = |lead, urgency, sign| Manner { lead, urgency, sign };
    match kind {
        NoticeKind::Done => of("Done", 2, "white_check_mark"),
        NoticeKind::NeedsHuman => of("Needs you", 4, "raising_hand"),
        NoticeKind::Frozen => of("Frozen", 4, "snowflake"),
        NoticeKind::Review => of("For review", 3, "eyes"),
        NoticeKind::RolledBack => of("Rolled back", 4, "rewind"),
        NoticeKind::Graduated => of("Graduated", 2, "mortar_board"),
        NoticeKind::UpgradeSummary => of("Upgrades", 3, "package"),
        NoticeKind::Alarm => of("Alarm", 5, "rotating_light"),
        NoticeKind::Recovered => of("Recovered", 2, "sunny"),
    }
}

/// What a notice says, before a service's own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub headline: String,
    pub text: String,
    pub manner: Manner,
}

/// The headline and the text of a notice.
pub fn told(kind: NoticeKind, title: &str, body: &str, possible_repeat: bool) -> Told {
    let manner = manner(kind);
    let title = sanitize(title, 200);
    // The title of an alarm begins with the word already.
    let rest = title.strip_prefix(&format!("{}: ", kind.code())).unwrap_or(&title);
    let lines: Vec<String> = body.lines().map(|line| sanitize(line, 1000)).collect();
    let mut text = lines.join("\n").trim().to_owned();
    if possible_repeat {
        text.push_str("\n(You may have got this before: the answer to the first sending was lost.)");
    }
    Told { headline: format!("{}: {rest}", manner.lead), text, manner }
}

/// At most so many bytes, cut between characters.
pub fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let sign = "…";
    let mut end = bytes.saturating_sub(sign.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{sign}", &text[..end])
}

/// Text for Slack where markup is read: three characters mean something, and with them links and mentions.
pub fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link that may be put between a service's own brackets; anything else is left out.
pub fn link(url: Option<&str>) -> Option<&str> {
    url.filter(|u| u.starts_with("https://") || u.starts_with("http://")).filter(|u| {
        u.len() <= 2000 && !u.chars().any(|c| c.is_whitespace() || c.is_control() || "<>|\"".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn every_kind_has_its_own_manner() {
        let kinds = NoticeKind::VARIANTS;
        let mut leads: Vec<&str> = kinds.iter().map(|k| manner(*k).lead).collect();
        leads.sort_unstable();
        leads.dedup();
        assert_eq!(leads.len(), kinds.len());
        assert!(kinds.iter().all(|k| (1..=5).contains(&manner(*k).urgency)));
        assert_eq!(manner(NoticeKind::Alarm).urgency, 5);
        assert_eq!(told(NoticeKind::Alarm, "alarm: claims", "x", false).headline, "Alarm: claims");
        assert_eq!(told(NoticeKind::Done, "me/app#1: landed", "x", false).headline, "Done: me/app#1: landed");
        assert!(told(NoticeKind::Done, "t", "x", true).text.contains("before"));
    }

    #[test]
    fn words_from_outside_stay_data() {
        let evil = "<!channel> <https://evil|click>\r\nBcc: all@example.org\u{202e}";
        let told = told(NoticeKind::NeedsHuman, evil, "a\nb\u{1b}[31m", false);
        assert!(!told.headline.contains(['\r', '\n', '\u{202e}']));
        assert_eq!(
            slack(&told.headline),
            "Needs you: &lt;!channel&gt; &lt;https://evil|click&gt; Bcc: all@example.org"
        );
        for bad in ["javascript:alert(1)", "https://a b", "https://a|b", "ftp://x", ""] {
            assert_eq!(link(Some(bad)), None, "{bad}");
        }
        assert_eq!(link(Some("https://x/y#1")), Some("https://x/y#1"));
    }

    #[test]
    fn a_cut_is_between_characters() {
        assert_eq!(cut("short", 100), "short");
        for most in 3..20 {
            let text = cut("üüüüüüüüüüüüüü", most);
            assert!(text.len() <= most && text.ends_with('…'), "{most} {text}");
        }
    }
}
