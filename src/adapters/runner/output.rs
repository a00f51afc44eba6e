//! What jobs print: kept bounded, cleaned for people and prompts, and hashed so that the same failure is known again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// Kept from the beginning of a stream, and from its end.
const HEAD: u64 = 1024 * 1024;
const TAIL: u64 = 8 * 1024 * 1024;

const TAIL_LINES: usize = 60;
const TAIL_BYTES: usize = 8 * 1024;

/// A log file that never grows beyond `head + 2 * tail`: the beginning and the end stay, the middle is left out.
pub(super) struct CappedLog {
    file: Option<File>,
    len: u64,
    left_out: u64,
    head: u64,
    tail: u64,
}

impl CappedLog {
    /// Begins the file afresh, or goes on behind what is there.
    pub(super) fn open(path: &Path, append: bool) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).read(true).write(true).truncate(!append).open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file: Some(file), len, left_out: 0, head: HEAD, tail: TAIL })
    }

    /// Writing ends at the first failure: a full disk must not stop the reading of the stream.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.try_write(bytes).is_err() {
            self.file = None;
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file.write_all_at(bytes, self.len)?;
        self.len += bytes.len() as u64;
        if self.len <= self.head + 2 * self.tail {
            return Ok(());
        }
        let mut end = vec![0; usize::try_from(self.tail).unwrap_or(0)];
        let from = self.len - self.tail;
        file.read_exact_at(&mut end, from)?;
        let marker = |left_out: u64| format!("\n[... {left_out:>20} bytes left out ...]\n");
        let resume = self.head + if self.left_out == 0 { 0 } else { marker(0).len() as u64 };
        self.left_out += from - resume;
        let marker = marker(self.left_out);
        file.write_all_at(marker.as_bytes(), self.head)?;
        file.write_all_at(&end, self.head + marker.len() as u64)?;
        self.len = self.head + marker.len() as u64 + self.tail;
        file.set_len(self.len)
    }
}

/// The end of a log as people and prompts get it: at most 60 lines and 8 KB, without control characters.
pub(super) fn log_tail(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(64 * 1024)))?;
        let mut bytes = Vec::new();
        file.take(64 * 1024).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    tail(&clean(&String::from_utf8_lossy(&read().unwrap_or_default())))
}

pub(in crate::adapters) fn tail(text: &str) -> String {
    let text = text.trim_end();
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
    let mut from = kept.len().saturating_sub(TAIL_BYTES);
    while !kept.is_char_boundary(from) {
        from += 1;
    }
    kept[from..].to_owned()
}

/// Takes out terminal sequences, control characters (but newline and tab), and characters that turn text round.
/// Of a line that was rewritten with carriage returns the last state stays.
pub(in crate::adapters) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                Some(']') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\r' if chars.peek().is_some_and(|next| !matches!(next, '\n' | '\r')) => out.truncate(line),
            '\n' => {
                out.push('\n');
                line = out.len();
            }
            '\t' => out.push('\t'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// At most `bytes` of a cleaned text, cut at a character.
pub(super) fn shorten(text: &str, bytes: usize) -> String {
    let text = clean(text);
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim().to_owned()
}

/// SHA-256 over a failure's log with everything taken out that differs from run to run: numbers, hex runs, durations,
/// temporary paths, and `roots`, the folders of this one job.
pub(in crate::adapters) fn fingerprint(log: &str, roots: &[&Path]) -> String {
    let mut text = log.to_owned();
    for root in roots {
        text = text.replace(&*root.to_string_lossy(), "");
    }
    let normal: Vec<String> = text.lines().map(normalise).collect();
    lower_hex(&Sha256::digest(normal.join("\n")))
}

pub(in crate::adapters) fn lower_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

fn normalise(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.split_whitespace() {
        let temporary = ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().find_map(|root| word.find(root));
        match temporary {
            // Up to the last component, which names the file and tells failures apart.
            Some(at) => {
                let name = word.rsplit('/').next().unwrap_or_default();
                words.push(format!("{}<tmp>/{}", numbers(&word[..at]), numbers(name)));
            }
            None => words.push(numbers(word)),
        }
    }
    words.join(" ")
}

/// Runs of letters and digits that are a number, a duration or hex become `#`.
fn numbers(word: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        let digits = run.bytes().any(|b| b.is_ascii_digit());
        let all_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
        let hex = run.strip_prefix("0x").map_or(run.len() >= 7 && all_hex(run), all_hex);
        let number = run.trim_end_matches(|c: char| c.is_alphabetic());
        let unit = &run[number.len()..];
        let numeric = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let duration = matches!(unit, "" | "ns" | "us" | "\u{b5}s" | "ms" | "s" | "m" | "h");
        if digits && (hex || (numeric && duration)) {
            if !out.ends_with("#.") && !out.ends_with("#:") {
                out.push('#');
            } else {
                out.pop();
            }
        } else {
            for c in run.chars() {
                if !c.is_ascii_digit() {
                    out.push(c);
                } else if !out.ends_with('#') {
                    out.push('#');
                }
            }
        }
        run.clear();
    };
    for c in word.chars() {
        if c.is_alphanumeric() {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = CappedLog::open(&path, false).unwrap();
        (log.head, log.tail) = (100, 1000);
        for number in 0..2000 {
            log.write(format!("line {number}\n").as_bytes());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let total: u64 = (0..2000).map(|n| format!("line {n}\n").len() as u64).sum();
        assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("line 1999\n"));
        assert!(text.len() <= 100 + 2 * 1000 && text.contains("bytes left out"));
        let marker = format!("\n[... {:>20} bytes left out ...]\n", 0).len() as u64;
        assert_eq!(text.len() as u64 - marker + log.left_out, total);
    }

    #[test]
    fn terminal_sequences_and_control_characters_go() {
        let raw = "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}x\u{0}\r\n10%\r50%\rdone\ta\u{202e}b\n";
        assert_eq!(clean(raw), "red x\ndone\tab\n");
    }

    #[test]
    fn the_tail_is_bounded_in_lines_and_bytes() {
        let many: Vec<String> = (0..100).map(|n| format!("l{n}")).collect();
        let kept = tail(&many.join("\n"));
        assert_eq!((kept.lines().count(), kept.lines().next()), (60, Some("l40")));
        assert_eq!(tail(&"\u{e4}".repeat(10_000)).len(), TAIL_BYTES);
    }

    #[test]
    fn the_same_failure_has_the_same_fingerprint() {
        let same = [
            ("test a::b failed in 1.23s (0x7ffe12)", "test a::b failed in 12.9ms (0x8ab)"),
            ("panicked at /tmp/abc/src/x.rs:12:3", "panicked at /tmp/zzz.q/src/x.rs:240:11"),
            ("commit 0123456789abcdef", "commit fedcba9876543210"),
            ("pid 17 at 12:30:01", "pid 4 at 09:01:59"),
        ];
        for (one, two) in same {
            assert_eq!(
                fingerprint(one, &[]),
                fingerprint(two, &[]),
                "{} / {}",
                normalise(one),
                normalise(two)
            );
        }
        assert_ne!(fingerprint("test a failed", &[]), fingerprint("test b failed", &[]));
        let (a, b) = (Path::new("/x/job1/checkout"), Path::new("/x/job2/checkout"));
        assert_eq!(
            fingerprint("/x/job1/checkout/a.rs bad", &[a]),
            fingerprint("/x/job2/checkout/a.rs bad", &[b])
        );
    }
}
