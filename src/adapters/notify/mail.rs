//! A mail as `sendmail` takes it. Words from outside are data in its head and in its body.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::domain::escape::sanitize;
use crate::text::notice::Told;

/// The value of a mail header: ASCII as it is, anything else as encoded words. Never more than one line of meaning.
fn header(text: &str) -> String {
    let text = sanitize(text, 200);
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
        words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word))).collect();
    encoded.join("\r\n ")
}

/// Base64 in lines of 76 characters, for the body of a mail.
fn base64_lines(bytes: &[u8]) -> String {
    let all = BASE64_STANDARD.encode(bytes);
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

/// A mail as `sendmail -t` reads it. `id` and `thread` are words of letters and digits.
pub(super) fn mail(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::effect::NoticeKind;
    use crate::text::notice::told;

    #[test]
    fn words_from_outside_stay_data() {
        let evil = "<!channel> <https://evil|click>\r\nBcc: all@example.org\u{202e}";
        let told = told(NoticeKind::NeedsHuman, evil, "a\nb\u{1b}[31m", false);
        let mail = mail(&told, "me@example.org", &["you@example.org".to_owned()], None, "id1", Some("t1"));
        let heads: Vec<&str> =
            mail.split("\r\n\r\n").next().unwrap().lines().filter(|l| l.starts_with("Bcc")).collect();
        assert!(heads.is_empty(), "{mail}");
    }

    #[test]
    fn headers_and_bodies_are_encoded() {
        assert_eq!(header("plain words"), "plain words");
        assert_eq!(header("Größe"), "=?utf-8?B?R3LDtsOfZQ==?=");
        let long = header(&"ü".repeat(120));
        assert!(long.lines().all(|l| l.trim().len() <= 75), "{long}");
        assert!(base64_lines(&[0; 200]).lines().all(|l| l.len() <= 76));
    }
}
