//! What a push would bring, for the push guard: every file, every added line, every commit message.
//!
//! Attributes of the tree are not looked at (the private repository has no work tree), so a `.gitattributes` that
//! calls a file binary hides nothing. What is too large to be read whole is refused: a guard that has seen half of a
//! change has not seen it.

use std::path::Path;

use super::GitRooms;
use super::child::Call;
use super::names;
use crate::domain::model::{Change, FileChange, Oid, RepoId};
use crate::ports::{PortError, PortResult};

const ADDED_LINES: usize = 200_000;
const ADDED_BYTES: usize = 5 * 1024 * 1024;

const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;
/// The part of a mode that says file, symlink or submodule.
const KIND: u32 = 0o170_000;

/// An object's kind and bytes.
pub(super) type Object = (String, Vec<u8>);

impl GitRooms {
    pub(super) fn read_change(&self, repo: &RepoId, base: &Oid, head: &Oid) -> PortResult<Change> {
        let doing = format!("reading what {} would change in {repo}", head.short());
        let private = self.private(repo)?;
        let Some(from) = self.parted(&private, base, head, &doing)? else {
            return Err(PortError::refused(format!(
                "{doing}: it shares no history with {}. The work has to start from the target branch.",
                base.short()
            )));
        };

        let call = Call::new("git.diff-tree", &private)
            .args(["-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-commit-id"])
            .args([from.as_str(), head.as_str()])
            .lasting();
        let raw = self.children.run(&call)?.local(&doing)?.stdout;
        let mut files = raw_entries(&raw).ok_or_else(|| unreadable(&doing, "the list of files"))?;
        self.fill_sizes(repo, &mut files, &doing)?;
        self.fill_links(repo, &mut files, &doing)?;

        let call = Call::new("git.diff-tree", &private)
            .args(["-r", "-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"])
            .args(["--full-index", "--no-commit-id", "--src-prefix=a/", "--dst-prefix=b/"])
            .args([from.as_str(), head.as_str()])
            .lasting();
        let patch = self.children.run(&call)?.local(&doing)?.stdout;
        fill_lines(&mut files, &patch, &doing)?;

        let call = Call::new("git.log", &private)
            .args(["--reverse", "--topo-order", "--no-show-signature", "--encoding=UTF-8", "--format=%B%x00"])
            .arg(format!("{base}..{head}"))
            .lasting();
        let log = self.children.run(&call)?.local(&doing)?.text();
        let mut messages: Vec<String> =
            log.split('\0').map(|m| m.strip_prefix('\n').unwrap_or(m).to_owned()).collect();
        // Behind the last separator there is nothing but a line end.
        messages.pop();
        Ok(Change { files: files.into_iter().map(|entry| entry.file).collect(), messages })
    }

    /// Where two commits that are here parted; `None` where they share no history.
    pub(super) fn parted(
        &self,
        private: &Path,
        one: &Oid,
        other: &Oid,
        doing: &str,
    ) -> PortResult<Option<Oid>> {
        let call = Call::new("git.merge-base", private).args([one.as_str(), other.as_str()]).lasting();
        let answer = self.children.run(&call)?;
        if answer.code == Some(1) {
            return Ok(None);
        }
        names::oid(&answer.local(doing)?.text(), doing).map(Some)
    }

    pub(super) fn read_commits(
        &self,
        repo: &RepoId,
        after: &Oid,
        upto: &Oid,
        most: usize,
    ) -> PortResult<Vec<(Oid, String)>> {
        let doing = format!("reading the commits of {repo} from {} to {}", after.short(), upto.short());
        let call = Call::new("git.log", self.private(repo)?)
            .args(["--topo-order", "--no-show-signature", "--encoding=UTF-8", "--format=%H%x00%B%x00"])
            .arg(format!("--max-count={most}"))
            .arg(format!("{after}..{upto}"))
            .lasting();
        let log = self.children.run(&call)?.local(&doing)?.text();
        let mut parts = log.split('\0').map(str::trim);
        let mut commits = vec![];
        while let (Some(name), Some(message)) = (parts.next(), parts.next()) {
            commits.push((names::oid(name, &doing)?, message.to_owned()));
        }
        Ok(commits)
    }

    /// The objects in order; `None` for one that is not here.
    pub(super) fn objects<'a>(
        &self,
        repo: &RepoId,
        oids: impl Iterator<Item = &'a Oid>,
        doing: &str,
    ) -> PortResult<Vec<Option<Object>>> {
        let list = lines(oids);
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let call = Call::new("git.cat-file", self.private(repo)?).arg("--batch").stdin(list.as_str());
        let bytes = self.children.run(&call)?.local(doing)?.stdout;
        let mut rest = bytes.as_slice();
        let mut objects = Vec::new();
        for _ in list.lines() {
            let (object, after) = one_object(rest).ok_or_else(|| unreadable(doing, "an object"))?;
            objects.push(object);
            rest = after;
        }
        Ok(objects)
    }

    fn fill_sizes(&self, repo: &RepoId, files: &mut [Entry], doing: &str) -> PortResult<()> {
        let blob = |entry: &&mut Entry| !matches!(entry.file.new_mode & KIND, 0 | SUBMODULE);
        let mut blobs: Vec<&mut Entry> = files.iter_mut().filter(blob).collect();
        let list = lines(blobs.iter().map(|entry| &entry.new));
        if list.is_empty() {
            return Ok(());
        }
        let call = Call::new("git.cat-file", self.private(repo)?)
            .arg("--batch-check=%(objectsize)")
            .stdin(list.as_str())
            .lasting();
        let text = self.children.run(&call)?.local(doing)?.text();
        let mut sizes = text.lines();
        for entry in &mut blobs {
            let size = sizes.next().and_then(|size| size.parse().ok());
            entry.file.new_size = size.ok_or_else(|| unreadable(doing, "the size of a file"))?;
        }
        Ok(())
    }

    fn fill_links(&self, repo: &RepoId, files: &mut [Entry], doing: &str) -> PortResult<()> {
        let mut links: Vec<&mut Entry> =
            files.iter_mut().filter(|entry| entry.file.new_mode & KIND == LINK).collect();
        let oids: Vec<Oid> = links.iter().map(|entry| entry.new.clone()).collect();
        for (entry, object) in links.iter_mut().zip(self.objects(repo, oids.iter(), doing)?) {
            let (_, bytes) = object.ok_or_else(|| unreadable(doing, "the target of a symlink"))?;
            entry.file.link_target = Some(String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(())
    }
}

/// One a line, as `cat-file` reads them.
pub(super) fn lines<'a>(oids: impl Iterator<Item = &'a Oid>) -> String {
    let mut list = String::new();
    for oid in oids {
        list.push_str(oid.as_str());
        list.push('\n');
    }
    list
}

fn unreadable(doing: &str, what: &str) -> PortError {
    PortError::broken(format!(
        "{doing}: git's answer about {what} could not be read. Look with `git fsck` in the private repository; the \
         next tick tries again."
    ))
}

/// Splits `<oid> <kind> <size>\n<bytes>\n` or `<oid> missing\n` off the front.
fn one_object(bytes: &[u8]) -> Option<(Option<Object>, &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let header = std::str::from_utf8(&bytes[..end]).ok()?;
    let rest = &bytes[end + 1..];
    let mut words = header.split(' ').skip(1);
    let kind = words.next()?;
    if kind == "missing" {
        return Some((None, rest));
    }
    let size: usize = words.next()?.parse().ok()?;
    let body = rest.get(..size)?.to_vec();
    Some((Some((kind.to_owned(), body)), rest.get(size + 1..)?))
}

struct Entry {
    file: FileChange,
    new: Oid,
    /// How many sections of the patch are about it: a change of kind is a deletion and a creation.
    sections: usize,
}

/// Reads `:<mode> <mode> <oid> <oid> <status>\0<path>\0` repeated.
fn raw_entries(raw: &[u8]) -> Option<Vec<Entry>> {
    let mut parts = raw.split(|b| *b == 0);
    let mut entries = Vec::new();
    while let Some(head) = parts.next().filter(|head| !head.is_empty()) {
        let mut words = std::str::from_utf8(head).ok()?.strip_prefix(':')?.split(' ');
        let mut mode = || u32::from_str_radix(words.next()?, 8).ok();
        let (old_mode, new_mode) = (mode()?, mode()?);
        let new = Oid::parse(words.nth(1)?)?;
        let path = parts.next()?;
        let text = String::from_utf8_lossy(path).into_owned();
        let file = FileChange {
            odd_path: std::str::from_utf8(path).is_err(),
            path: text,
            old_mode,
            new_mode,
            new_size: 0,
            link_target: None,
            added_lines: Vec::new(),
        };
        let turned = old_mode != 0 && new_mode != 0 && old_mode & KIND != new_mode & KIND;
        entries.push(Entry { file, new, sections: if turned { 2 } else { 1 } });
    }
    Some(entries)
}

/// Gives each file the lines that the patch adds to it.
///
/// Sections come in the order of the raw list; hunks are counted through by their headers, so that no line of a file
/// can pass for a header.
fn fill_lines(files: &mut [Entry], patch: &[u8], doing: &str) -> PortResult<()> {
    let mut order = files.iter_mut().flat_map(|entry| {
        let sections = entry.sections;
        let mut entry = Some(entry);
        // Of two sections the second one creates the new side.
        (0..sections).map(move |n| if n + 1 == sections { entry.take() } else { None })
    });
    let mut current: Option<&mut Entry> = None;
    let (mut removed, mut added) = (0_usize, 0_usize);
    let (mut lines, mut bytes) = (0_usize, 0_usize);
    for line in patch.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if removed + added > 0 {
            match line.first() {
                Some(b'-') if removed > 0 => removed -= 1,
                Some(b'+') if added > 0 => {
                    added -= 1;
                    lines += 1;
                    bytes += line.len();
                    if lines > ADDED_LINES || bytes > ADDED_BYTES {
                        return Err(too_large(doing));
                    }
                    if let Some(entry) = &mut current {
                        entry.file.added_lines.push(String::from_utf8_lossy(&line[1..]).into_owned());
                    }
                }
                Some(b'\\') => {}
                _ => return Err(unreadable(doing, "a hunk")),
            }
        } else if line.starts_with(b"diff --git ") {
            current = order.next().ok_or_else(|| unreadable(doing, "the order of files"))?;
        } else if line.starts_with(b"@@ ") {
            (removed, added) = hunk(line).ok_or_else(|| unreadable(doing, "a hunk's header"))?;
        }
    }
    if order.next().is_some() || removed + added > 0 {
        return Err(unreadable(doing, "the end of the patch"));
    }
    Ok(())
}

fn too_large(doing: &str) -> PortError {
    PortError::refused(format!(
        "{doing}: it adds more than {ADDED_LINES} lines or {} MB of text, more than the guard reads. Split the work, \
         or push it by hand.",
        ADDED_BYTES / 1024 / 1024
    ))
}

/// `@@ -a,b +c,d @@` as (b, d); a missing count is one.
fn hunk(line: &[u8]) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(line.get(3..)?.split(|b| *b == b'@').next()?).ok()?;
    let mut counts = text.split_whitespace().map(|range| match range.split_once(',') {
        Some((_, count)) => count.parse().ok(),
        None => Some(1),
    });
    Some((counts.next()??, counts.next()??))
}
