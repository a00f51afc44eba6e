//! Notices as people get them: for each kind its own lead, urgency and sign; and how each service wants them written.
//! Words from outside are data in every one of these forms.

use super::plain;

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

/// The manner of a kind; of one that is not known, the plainest.
pub fn manner(kind: &str) -> Manner {
    let of = |lead, urgency, sign| Manner { lead, urgency, sign };
    match kind {
        "done" => of("Done", 2, "white_check_mark"),
        "needs-human" => of("Needs you", 4, "raising_hand"),
        "frozen" => of("Frozen", 4, "snowflake"),
        "review" => of("For review", 3, "eyes"),
        "rolled_back" => of("Rolled back", 4, "rewind"),
        "graduated" => of("Graduated", 2, "mortar_board"),
        "upgrade_summary" => of("Upgrades", 3, "package"),
        "alarm" => of("Alarm", 5, "rotating_light"),
        "recovered" => of("Recovered", 2, "sunny"),
        _ => of("offhours", 3, "robot_face"),
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
pub fn told(kind: &str, title: &str, body: &str, possible_repeat: bool) -> Told {
    let manner = manner(kind);
    let title = plain(title, 200);
    // The title of an alarm begins with the word already.
    let rest = title.strip_prefix(&format!("{kind}: ")).unwrap_or(&title);
    let lines: Vec<String> = body.lines().map(|line| plain(line, 1000)).collect();
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

/// The value of a mail header: ASCII as it is, anything else as encoded words. Never more than one line of meaning.
pub fn header(text: &str) -> String {
    let text = plain(text, 200);
    if text.is_ascii() {
        return text;
    }
    // An encoded word has at most 75 characters: 45 bytes make 60 of them.
    let mut words = vec![];
    let mut part = String::new();
    for c in text.chars() {
        if part.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut part));
        }
        part.push(c);
    }
    words.push(part);
    let encoded: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", base64(word.as_bytes()))).collect();
    encoded.join("\r\n ")
}

/// Base64 in lines of 76 characters, for the body of a mail.
pub fn base64_lines(bytes: &[u8]) -> String {
    let all = base64(bytes);
    let mut out = String::new();
    let mut rest = all.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(76));
        out.push_str(line);
        out.push_str("\r\n");
        rest = next;
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            if i <= chunk.len() {
                let sign = (bits >> (18 - 6 * i)) & 63;
                out.push(char::from(SIGNS[usize::try_from(sign).unwrap_or(0)]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// A mail as `sendmail -t` reads it. `id` and `thread` are words of letters and digits.
pub fn mail(
    told: &Told,
    from: &str,
    to: &[String],
    link: Option<&str>,
    id: &str,
    thread: Option<&str>,
) -> String {
    let mut out = format!("From: {from}\r\n");
    out.push_str(&format!("To: {}\r\n", to.join(", ")));
    out.push_str(&format!("Subject: {}\r\n", header(&format!("[offhours] {}", told.headline))));
    out.push_str(&format!("Message-ID: <{id}@offhours.invalid>\r\n"));
    if let Some(thread) = thread {
        // Everything about one cause lies under one head.
        out.push_str(&format!(
            "References: <{thread}@offhours.invalid>\r\nIn-Reply-To: <{thread}@offhours.invalid>\r\n"
        ));
    }
    if told.manner.urgency >= 4 {
        out.push_str("X-Priority: 1\r\nImportance: high\r\n");
    }
    out.push_str(
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n",
    );
    let mut text = told.text.clone();
    if let Some(link) = link {
        text.push_str(&format!("\n\n{link}"));
    }
    text.push('\n');
    out.push_str(&base64_lines(text.replace('\n', "\r\n").as_bytes()));
    out
}

/// Whether a word is an address that can stand in a header line.
pub fn is_address(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty()
        && local.chars().all(good)
        && !domain.is_empty()
        && text.len() <= 254
        && domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_manner() {
        let kinds = [
            "done",
            "needs-human",
            "frozen",
            "review",
            "rolled_back",
            "graduated",
            "upgrade_summary",
            "alarm",
            "recovered",
        ];
        let mut leads: Vec<&str> = kinds.iter().map(|k| manner(k).lead).collect();
        leads.sort_unstable();
        leads.dedup();
        assert_eq!(leads.len(), kinds.len());
        assert!(kinds.iter().all(|k| (1..=5).contains(&manner(k).urgency)));
        assert_eq!(manner("alarm").urgency, 5);
        assert_eq!(told("alarm", "alarm: claims", "x", false).headline, "Alarm: claims");
        assert_eq!(told("done", "me/app#1: landed", "x", false).headline, "Done: me/app#1: landed");
        assert!(told("done", "t", "x", true).text.contains("before"));
    }

    #[test]
    fn words_from_outside_stay_data() {
        let evil = "<!channel> <https://evil|click>\r\nBcc: all@example.org\u{202e}";
        let told = told("needs-human", evil, "a\nb\u{1b}[31m", false);
        assert!(!told.headline.contains(['\r', '\n', '\u{202e}']));
        assert_eq!(
            slack(&told.headline),
            "Needs you: &lt;!channel&gt; &lt;https://evil|click&gt; Bcc: all@example.org"
        );
        let mail = mail(&told, "me@example.org", &["you@example.org".to_owned()], None, "id1", Some("t1"));
        let heads: Vec<&str> =
            mail.split("\r\n\r\n").next().unwrap().lines().filter(|l| l.starts_with("Bcc")).collect();
        assert!(heads.is_empty(), "{mail}");
        for bad in ["javascript:alert(1)", "https://a b", "https://a|b", "ftp://x", ""] {
            assert_eq!(link(Some(bad)), None, "{bad}");
        }
        assert_eq!(link(Some("https://x/y#1")), Some("https://x/y#1"));
    }

    #[test]
    fn headers_and_bodies_are_encoded() {
        assert_eq!(header("plain words"), "plain words");
        assert_eq!(header("Größe"), "=?utf-8?B?R3LDtsOfZQ==?=");
        let long = header(&"ü".repeat(120));
        assert!(long.lines().all(|l| l.trim().len() <= 75), "{long}");
        for (text, coded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("abcd", "YWJjZA==")]
        {
            assert_eq!(base64(text.as_bytes()), coded);
        }
        assert!(base64_lines(&[0; 200]).lines().all(|l| l.len() <= 76));
    }

    #[test]
    fn a_cut_is_between_characters() {
        assert_eq!(cut("short", 100), "short");
        for most in 3..20 {
            let text = cut("üüüüüüüüüüüüüü", most);
            assert!(text.len() <= most && text.ends_with('…'), "{most} {text}");
        }
    }

    #[test]
    fn addresses() {
        for good in ["me@example.org", "a+b@x.y", "root@localhost"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "me", "me@", "@x", "a b@x", "a@x\nBcc: b@y", "<a@x>", "a@x,b@y", "ä@x"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
