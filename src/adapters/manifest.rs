//! Compose files: where the tags of images and the version label stand, to the byte.
//!
//! A YAML parser says which scalar is the image of which service; aliases and merge keys are followed to the place where
//! the bytes really are. Nothing is ever written by a YAML library: only the bytes of a token change, and the result is
//! read again to prove it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::domain::escape::sanitize;
use crate::domain::upgrade::recipe::{
    Edit, Image, Label, Manifest, ManifestFile, Pin, Range, apply, parse_reference,
};
use crate::ports::Manifests;

/// No compose file is larger; what is, is refused.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 64;
/// Merge keys that lead through merge keys.
const MAX_MERGES: usize = 16;

/// The port [`Manifests`] for compose files.
#[derive(Clone, Copy, Debug, Default)]
pub struct ComposeFiles;

impl Manifests for ComposeFiles {
    fn scan(&self, files: &[ManifestFile], label: &str) -> Result<Manifest, String> {
        let mut manifest = Manifest::default();
        for file in files {
            scan_file(file, label, &mut manifest)
                .map_err(|why| format!("reading {}: {why}", sanitize(&file.path, 200)))?;
        }
        Ok(manifest)
    }

    fn edit(&self, files: &[ManifestFile], label: &str, edits: &[Edit]) -> Result<Vec<ManifestFile>, String> {
        let before = self.scan(files, label)?;
        let changed = apply(files, edits)?;
        let after = self.scan(&changed, label)?;
        let broken =
            |what: &str| Err(format!("the change would alter more than the tag and the label: {what}"));
        if before.images.len() != after.images.len() || before.labels.len() != after.labels.len() {
            return broken("images or labels would come or go");
        }
        let wanted = |file: &str, at: Range| edits.iter().find(|e| e.file == file && e.at == at);
        for (old, new) in before.images.iter().zip(&after.images) {
            let edit = match &old.pin {
                Pin::Tag { at, .. } => wanted(&old.file, *at),
                Pin::Digest | Pin::Variable | Pin::Untagged | Pin::Unwritable(_) => None,
            };
            let tag = edit.map_or(old.pin.tag(), |edit| Some(edit.new.as_str()));
            let same = old.file == new.file && old.service == new.service && old.name == new.name;
            if !same || new.pin.tag() != tag {
                return broken(&format!("the image of {}", sanitize(&old.service, 80)));
            }
        }
        for (old, new) in before.labels.iter().zip(&after.labels) {
            let value = wanted(&old.file, old.at).map_or(old.value.as_str(), |edit| edit.new.as_str());
            if old.file != new.file || new.value != value {
                return broken("the version label");
            }
        }
        Ok(changed)
    }
}

#[derive(Debug)]
enum Node {
    Scalar { text: String, at: Range, plain: bool },
    Map(Vec<(Rc<Self>, Rc<Self>)>),
    List(Vec<Rc<Self>>),
}

impl Node {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } => Some(text),
            Self::Map(_) | Self::List(_) => None,
        }
    }

    fn entries(&self) -> &[(Rc<Self>, Rc<Self>)] {
        match self {
            Self::Map(entries) => entries,
            Self::Scalar { .. } | Self::List(_) => &[],
        }
    }

    /// The value of a key, also where a merge key brings it in.
    fn get(&self, key: &str, merges: usize) -> Option<&Rc<Self>> {
        let own = self.entries().iter().find(|(name, _)| name.text() == Some(key));
        if let Some((_, value)) = own {
            return Some(value);
        }
        if merges == 0 {
            return None;
        }
        let (_, brought) = self.entries().iter().find(|(name, _)| name.text() == Some("<<"))?;
        match brought.as_ref() {
            Self::List(maps) => maps.iter().find_map(|map| map.get(key, merges - 1)),
            Self::Map(_) => brought.get(key, merges - 1),
            Self::Scalar { .. } => None,
        }
    }
}

/// What is open while the events come in.
struct Open {
    anchor: usize,
    list: bool,
    items: Vec<Rc<Node>>,
}

/// Reads the one document of a file; `None` where it has none.
fn tree(text: &str) -> Result<Option<Rc<Node>>, String> {
    if text.len() > MAX_BYTES {
        return Err("it is larger than 1 MB".to_owned());
    }
    // The parser counts characters, and bytes are changed.
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let range = |span: Span| -> Result<Range, String> {
        match (bytes.get(span.start.index()), bytes.get(span.end.index())) {
            (Some(from), Some(to)) if from <= to => Ok((*from, *to)),
            _ => Err("a place in it could not be told".to_owned()),
        }
    };
    let mut anchors: BTreeMap<usize, Rc<Node>> = BTreeMap::new();
    let (mut open, mut root, mut documents, mut nodes): (Vec<Open>, Option<Rc<Node>>, usize, usize) =
        (vec![], None, 0, 0);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| format!("it is no YAML: {}", sanitize(&e.to_string(), 200)))?;
        nodes += 1;
        if nodes > MAX_NODES || open.len() > MAX_DEPTH {
            return Err("it is larger or deeper than a compose file can be".to_owned());
        }
        let (node, anchor) = match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            Event::DocumentStart(_) => {
                documents += 1;
                continue;
            }
            Event::Alias(of) => {
                let node = anchors.get(&of).ok_or("an alias in it leads into itself")?;
                (Rc::clone(node), 0)
            }
            Event::Scalar(value, style, anchor, _) => {
                let at = range(span)?;
                let plain = !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                (Rc::new(Node::Scalar { text: value.into_owned(), at, plain }), anchor)
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                let list = matches!(event, Event::SequenceStart(..));
                open.push(Open { anchor, list, items: vec![] });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(done) = open.pop() else { return Err("its structure makes no sense".to_owned()) };
                let node = if done.list {
                    Node::List(done.items)
                } else {
                    let mut pairs = vec![];
                    let mut items = done.items.into_iter();
                    while let (Some(key), Some(value)) = (items.next(), items.next()) {
                        pairs.push((key, value));
                    }
                    let mut seen = BTreeSet::new();
                    if !pairs.iter().filter_map(|(key, _)| key.text()).all(|key| seen.insert(key.to_owned()))
                    {
                        return Err(
                            "a key stands twice in one mapping, and which one counts is not defined".into()
                        );
                    }
                    Node::Map(pairs)
                };
                (Rc::new(node), done.anchor)
            }
        };
        if anchor != 0 {
            anchors.insert(anchor, Rc::clone(&node));
        }
        match open.last_mut() {
            Some(parent) => parent.items.push(node),
            None => root = Some(node),
        }
    }
    if documents > 1 {
        return Err("it holds more than one document".to_owned());
    }
    Ok(root)
}

fn scan_file(file: &ManifestFile, label: &str, manifest: &mut Manifest) -> Result<(), String> {
    let Some(root) = tree(&file.text)? else { return Ok(()) };
    let Some(services) = root.get("services", MAX_MERGES) else { return Ok(()) };
    let mut labels: BTreeMap<Range, Label> = BTreeMap::new();
    for (name, service) in services.entries() {
        let Some(name) = name.text() else { continue };
        if let Some(image) = service.get("image", MAX_MERGES) {
            manifest.images.push(image_of(file, name, image)?);
        }
        let direct = service.get("labels", MAX_MERGES);
        let deployed = service.get("deploy", MAX_MERGES).and_then(|d| d.get("labels", MAX_MERGES));
        for list in [direct, deployed].into_iter().flatten() {
            for found in labels_in(file, list, label)? {
                labels.insert(found.at, found);
            }
        }
    }
    manifest.labels.extend(labels.into_values());
    Ok(())
}

fn image_of(file: &ManifestFile, service: &str, node: &Rc<Node>) -> Result<Image, String> {
    let Node::Scalar { text, at, plain } = node.as_ref() else {
        return Err(format!("the image of {service} is no text"));
    };
    let (name, pin) = parse_reference(text)?;
    let pin = match pin {
        Pin::Tag { tag, at: within } => match token(&file.text, *at, *plain, text) {
            Some(start) => Pin::Tag { tag, at: (start + within.0, start + within.1) },
            None => Pin::Unwritable(
                "it is written with escapes or over several lines, so its tag cannot be changed in place"
                    .to_owned(),
            ),
        },
        other @ (Pin::Digest | Pin::Variable | Pin::Untagged | Pin::Unwritable(_)) => other,
    };
    Ok(Image { file: file.path.clone(), service: service.to_owned(), reference: text.clone(), name, pin })
}

/// Where in the file the very bytes of a scalar's value begin, if they stand there as they are, once.
fn token(text: &str, at: Range, plain: bool, value: &str) -> Option<usize> {
    let source = text.get(at.0..at.1)?;
    let mut found = source.match_indices(value);
    let (first, _) = found.next()?;
    (plain && !value.is_empty() && found.next().is_none()).then_some(at.0 + first)
}

/// The version label in a list `- key=value` or in a mapping.
fn labels_in(file: &ManifestFile, node: &Rc<Node>, label: &str) -> Result<Vec<Label>, String> {
    let unwritable = || {
        "the version label is written with escapes or over several lines, so it cannot be changed in place"
            .to_owned()
    };
    let mut found = vec![];
    let mut push = |at: Range, plain: bool, whole: &str, value: &str| {
        let start = token(&file.text, at, plain, whole).ok_or_else(unwritable)?;
        let from = start + whole.len() - value.len();
        found.push(Label {
            file: file.path.clone(),
            value: value.to_owned(),
            at: (from, from + value.len()),
        });
        Ok::<(), String>(())
    };
    match node.as_ref() {
        Node::List(items) => {
            for item in items {
                let Node::Scalar { text, at, plain } = item.as_ref() else { continue };
                if let Some(value) = text.strip_prefix(label).and_then(|rest| rest.strip_prefix('=')) {
                    push(*at, *plain, text, value)?;
                }
            }
        }
        Node::Map(_) => {
            if let Some(value) = node.get(label, MAX_MERGES) {
                let Node::Scalar { text, at, plain } = value.as_ref() else {
                    return Err("the version label is no text".to_owned());
                };
                push(*at, *plain, text, text)?;
            }
        }
        Node::Scalar { .. } => {}
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
