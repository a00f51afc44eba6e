//! What a recipe's manifest says: images with their tags, and the recipe's own version label.

use crate::domain::escape::sanitize;

/// A file of the manifest, by its path in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    pub path: String,
    pub text: String,
}

/// Bytes of a file: from, and up to but not including.
pub type Range = (usize, usize);

/// Where an image comes from, without its tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName {
    /// Host, and port where one is named; `None`: the registry that names without a host mean.
    pub registry: Option<String>,
    pub path: String,
}

/// What an image is pinned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// A tag, and where its bytes are.
    Tag { tag: String, at: Range },
    /// A digest: reported, because only a person knows which tag it stands for.
    Digest,
    /// The tag or the name is put together from variables: reported.
    Variable,
    /// No tag at all: it moves by itself. Reported.
    Untagged,
    /// Written in a way in which its bytes cannot be changed safely. Reported.
    Unwritable(String),
}

impl Pin {
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Tag { tag, .. } => Some(tag),
            Self::Digest | Self::Variable | Self::Untagged | Self::Unwritable(_) => None,
        }
    }

    /// Why it is left as it is; nothing where it has a tag.
    pub fn report(&self) -> Option<String> {
        match self {
            Self::Tag { .. } => None,
            Self::Digest => {
                Some("it is pinned to a digest; which tag that is only a person knows".to_owned())
            }
            Self::Variable => Some("its name or tag is put together from variables".to_owned()),
            Self::Untagged => Some("it has no tag, so it moves by itself".to_owned()),
            Self::Unwritable(why) => Some(why.clone()),
        }
    }
}

/// The image of one service. Services that share a YAML anchor share its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub file: String,
    pub service: String,
    /// As it is written. Data.
    pub reference: String,
    pub name: ImageName,
    pub pin: Pin,
}

/// The recipe's version label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub file: String,
    pub value: String,
    pub at: Range,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Manifest {
    pub images: Vec<Image>,
    /// Every place where the version label stands; an update needs exactly one.
    pub labels: Vec<Label>,
}

/// New bytes for one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub file: String,
    pub at: Range,
    pub old: String,
    pub new: String,
}

/// Splits `[host[:port]/]path[:tag][@digest]`. The range is within `reference`.
///
/// # Errors
/// A sentence where it is no image reference.
pub fn parse_reference(reference: &str) -> Result<(ImageName, Pin), String> {
    let nowhere = ImageName { registry: None, path: reference.to_owned() };
    if reference.contains('$') {
        return Ok((nowhere, Pin::Variable));
    }
    let bad = || format!("`{}` is no image reference", sanitize(reference, 120));
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    let (registry, path_and_tag, offset) = match rest.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(host.to_owned()), path, host.len() + 1)
        }
        Some(_) | None => (None, rest, 0),
    };
    let (path, tag) = match path_and_tag.rsplit_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (path_and_tag, None),
    };
    let good_host = registry.as_ref().is_none_or(|host| {
        let (name, port) = host.split_once(':').unwrap_or((host.as_str(), "0"));
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        let parts = name.split('.').all(|part| !part.is_empty() && !part.starts_with('-'));
        parts && name.chars().all(plain) && port.parse::<u16>().is_ok()
    });
    let part = |text: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        !text.is_empty() && text.chars().all(plain) && !text.starts_with(['.', '-']) && text != ".."
    };
    let good_tag = |tag: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        (1..=128).contains(&tag.len()) && tag.chars().all(plain) && !tag.starts_with(['.', '-'])
    };
    if !good_host || path.len() > 255 || !path.split('/').all(part) || tag.is_some_and(|tag| !good_tag(tag)) {
        return Err(bad());
    }
    let name = ImageName { registry, path: path.to_owned() };
    let pin = match (digest, tag) {
        (Some(_), _) => Pin::Digest,
        (None, None) => Pin::Untagged,
        (None, Some(tag)) => {
            let start = offset + path.len() + 1;
            Pin::Tag { tag: tag.to_owned(), at: (start, start + tag.len()) }
        }
    };
    Ok((name, pin))
}

/// Puts new bytes in the place of old ones; everything else stays.
///
/// # Errors
/// A sentence where a token is not what it was said to be, or two edits touch.
pub fn apply(files: &[ManifestFile], edits: &[Edit]) -> Result<Vec<ManifestFile>, String> {
    let mut out = files.to_vec();
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by(|a, b| (&a.file, b.at).cmp(&(&b.file, a.at)));
    // Services with a shared anchor ask for the same change twice.
    ordered.dedup();
    let touching = ordered.windows(2).any(|pair| match pair {
        [later, earlier] => later.file == earlier.file && earlier.at.1 > later.at.0,
        _ => false,
    });
    if touching {
        return Err("two changes touch the same bytes of the manifest".to_owned());
    }
    for edit in ordered {
        let file = out.iter_mut().find(|file| file.path == edit.file);
        let there = file.as_ref().and_then(|file| file.text.get(edit.at.0..edit.at.1));
        if there != Some(edit.old.as_str()) {
            return Err(format!(
                "{} does not have `{}` where it was read",
                sanitize(&edit.file, 200),
                sanitize(&edit.old, 120)
            ));
        }
        if let Some(file) = file {
            file.text.replace_range(edit.at.0..edit.at.1, &edit.new);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, String, Option<String>) {
        let (name, pin) = parse_reference(text).unwrap();
        if let Pin::Tag { tag, at } = &pin {
            assert_eq!(&text[at.0..at.1], tag);
        }
        (name.registry, name.path, pin.tag().map(str::to_owned))
    }

    #[test]
    fn references() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("postgres:16.4"), (None, "postgres".into(), some("16.4")));
        assert_eq!(read("library/postgres"), (None, "library/postgres".into(), None));
        assert_eq!(
            read("git.example.org:5000/a/b/c:v1.2-x"),
            (some("git.example.org:5000"), "a/b/c".into(), some("v1.2-x"))
        );
        assert_eq!(read("localhost/x:1"), (some("localhost"), "x".into(), some("1")));
        assert_eq!(read("localhost:5000/x"), (some("localhost:5000"), "x".into(), None));
        assert_eq!(parse_reference("a:1@sha256:abc").unwrap().1, Pin::Digest);
        assert_eq!(parse_reference("a@sha256:abc").unwrap().1, Pin::Digest);
        assert_eq!(parse_reference("a:${TAG:-1}").unwrap().1, Pin::Variable);
        for bad in [
            "",
            "A/b:1",
            "a:",
            "a//b:1",
            "../a:1",
            "a b:1",
            "a:-1",
            "http://x/a:1",
            "host.x:99999/a:1",
            "a/../b:1",
        ] {
            assert!(parse_reference(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_token_changes_or_nothing_does() {
        let files = [ManifestFile { path: "c.yml".into(), text: "image: a:1 # a:1\nx: b:22\n".into() }];
        let edit = |at: Range, old: &str, new: &str| Edit {
            file: "c.yml".into(),
            at,
            old: old.into(),
            new: new.into(),
        };
        let one = edit((9, 10), "1", "100");
        let two = edit((22, 24), "22", "3");
        let done = apply(&files, &[one.clone(), two, one.clone()]).unwrap();
        assert_eq!(done[0].text, "image: a:100 # a:1\nx: b:3\n");
        assert!(apply(&files, &[edit((9, 10), "2", "3")]).is_err());
        assert!(apply(&files, &[one.clone(), edit((9, 10), "1", "5")]).is_err());
        assert!(apply(&files, &[edit((900, 901), "1", "5")]).is_err());
        assert!(apply(&files, &[Edit { file: "d.yml".into(), ..one }]).is_err());
    }
}
