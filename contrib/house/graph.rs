//! Reads the source as a map: which file names which, how long each is without its tests, and what takes a whole world.
//!
//! A file names another where a path of its code leads there: a `use`, a path that begins with `crate`, `super` or a module
//! below it. A re-export is no such use, and is followed to the file that has the item: a `mod.rs` may be a table of contents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A source file without its tests.
pub struct Source {
    /// Below `src/`.
    pub name: String,
    /// Line numbers from 1.
    pub lines: Vec<(usize, String)>,
}

impl Source {
    /// The first folder, or the file itself where it lies in none.
    #[allow(dead_code, reason = "asked by the rules of the house only")]
    pub fn room(&self) -> &str {
        self.name.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The lines without comments.
    #[allow(dead_code, reason = "asked by the rules of the house only")]
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().map(|(n, l)| (*n, l.split("//").next().unwrap_or("")))
    }

    pub fn text(&self) -> String {
        self.lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The module that the file is: `tick/mod.rs` is `tick`, `tick/poll.rs` is `tick::poll`, `lib.rs` is nothing.
    fn module(&self) -> Vec<String> {
        let path = self.name.trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        if path == "lib" || path == "main" {
            return vec![];
        }
        path.split('/').map(str::to_owned).collect()
    }
}

pub fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every source file of the crate, without tests.
pub fn sources(src: &Path) -> Vec<Source> {
    let mut files = vec![];
    walk(src, &mut files);
    let is_source = |path: &PathBuf| {
        let name = path.to_string_lossy();
        name.ends_with(".rs") && !name.ends_with("tests.rs") && !name.contains("/tests/")
    };
    files.iter().filter(|p| is_source(p)).map(|p| read(src, p)).collect()
}

/// Leaves out `#[cfg(test)] mod name { ... }`, and nothing else.
fn read(src: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = vec![];
    let mut all = (1usize..).zip(text.lines()).peekable();
    while let Some((number, line)) = all.next() {
        if line == "#[cfg(test)]" {
            let mut head = vec![(number, line)];
            while let Some(next) = all.next_if(|(_, l)| l.starts_with("#[") || l.starts_with("mod ")) {
                head.push(next);
            }
            if head.last().is_some_and(|(_, l)| l.starts_with("mod ") && l.ends_with('{')) {
                all.by_ref().find(|(_, l)| *l == "}");
                continue;
            }
            lines.extend(head.iter().map(|(n, l)| (*n, (*l).to_owned())));
            continue;
        }
        lines.push((number, line.to_owned()));
    }
    let name = path.strip_prefix(src).unwrap().to_string_lossy().into_owned();
    Source { name, lines }
}

/// What one file says: the paths that it names, and what it re-exports under which name.
#[derive(Default)]
struct Said {
    paths: Vec<Vec<String>>,
    exports: BTreeMap<String, Vec<String>>,
    children: BTreeSet<String>,
    takes_world: Vec<String>,
}

/// The files, and which names which.
pub struct Graph {
    /// Of each file the files that it names.
    pub names: BTreeMap<String, BTreeSet<String>>,
    /// Functions that take a whole world, as `file: function`.
    pub takes_world: Vec<String>,
}

impl Graph {
    pub fn of(sources: &[Source]) -> Self {
        let said: Vec<Said> = sources
            .iter()
            .map(|source| {
                let tokens: TokenStream = source
                    .text()
                    .parse()
                    .unwrap_or_else(|error| panic!("src/{} is no Rust: {error}", source.name));
                let mut said = Said::default();
                said.look(&tokens.into_iter().collect::<Vec<_>>(), &source.module());
                said
            })
            .collect();
        let modules: BTreeMap<Vec<String>, usize> = sources
            .iter()
            .enumerate()
            .filter(|(_, s)| s.name != "main.rs")
            .map(|(n, s)| (s.module(), n))
            .collect();
        let mut names = BTreeMap::new();
        for (source, one) in sources.iter().zip(&said) {
            let found: BTreeSet<String> = one
                .paths
                .iter()
                .filter_map(|path| resolve(path, &modules, &said, 0))
                .map(|at| sources[at].name.clone())
                .filter(|name| *name != source.name && name != "lib.rs")
                .collect();
            names.insert(source.name.clone(), found);
        }
        let takes_world = sources
            .iter()
            .zip(&said)
            .flat_map(|(source, one)| one.takes_world.iter().map(|f| format!("{}: {f}", source.name)))
            .collect();
        Self { names, takes_world }
    }

    /// Sets of files that name one another in a circle, the largest first.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let reaches: BTreeMap<&String, BTreeSet<&String>> =
            self.names.keys().map(|from| (from, self.reached(from))).collect();
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut circles = vec![];
        for (from, reached) in &reaches {
            if !reached.contains(*from) || seen.contains(*from) {
                continue;
            }
            let circle: Vec<String> = reached
                .iter()
                .filter(|to| reaches.get(**to).is_some_and(|back| back.contains(*from)))
                .map(|name| (*name).clone())
                .collect();
            seen.extend(reached.iter().filter(|n| circle.contains(**n)));
            circles.push(circle);
        }
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    fn reached<'a>(&'a self, from: &'a String) -> BTreeSet<&'a String> {
        let mut found = BTreeSet::new();
        let mut left: Vec<&String> = self.names[from].iter().collect();
        while let Some(next) = left.pop() {
            if found.insert(next) {
                left.extend(self.names.get(next).into_iter().flatten());
            }
        }
        found
    }
}

/// The file that a path from the crate's root leads to.
fn resolve(
    path: &[String],
    modules: &BTreeMap<Vec<String>, usize>,
    said: &[Said],
    depth: usize,
) -> Option<usize> {
    let longest = (0..=path.len()).rev().find(|n| modules.contains_key(&path[..*n]))?;
    let at = modules[&path[..longest]];
    if let Some(export) = path.get(longest).and_then(|item| said[at].exports.get(item))
        && depth < 8
    {
        let mut further = export.clone();
        further.extend(path[longest + 1..].iter().cloned());
        return resolve(&further, modules, said, depth + 1).or(Some(at));
    }
    Some(at)
}

impl Said {
    fn look(&mut self, tokens: &[TokenTree], module: &[String]) {
        self.children.extend(tokens.windows(3).filter_map(child));
        let mut at = 0;
        while at < tokens.len() {
            if is_test(&tokens[at..]) {
                at += 2;
                while at < tokens.len() && !ends_item(&tokens[at]) {
                    at += 1;
                }
                at += 1;
                continue;
            }
            match &tokens[at] {
                TokenTree::Ident(word) if word == "use" => {
                    let end =
                        tokens[at..].iter().position(|t| is_punct(t, ';')).map_or(tokens.len(), |n| at + n);
                    let public = matches!(at.checked_sub(1).map(|n| &tokens[n]), Some(TokenTree::Ident(w)) if w == "pub")
                        || matches!(at.checked_sub(1).map(|n| &tokens[n]), Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Parenthesis);
                    self.import(&tokens[at + 1..end], &[], module, public);
                    at = end;
                }
                TokenTree::Ident(word) if word == "fn" => {
                    let name = tokens.get(at + 1).map(ToString::to_string).unwrap_or_default();
                    let arguments = tokens[at..].iter().find_map(|t| match t {
                        TokenTree::Group(g) if g.delimiter() == Delimiter::Parenthesis => Some(g.stream()),
                        TokenTree::Group(_)
                        | TokenTree::Ident(_)
                        | TokenTree::Punct(_)
                        | TokenTree::Literal(_) => None,
                    });
                    if arguments.is_some_and(|a| a.into_iter().any(|t| t.to_string() == "World")) {
                        self.takes_world.push(name);
                    }
                    at += 1;
                }
                TokenTree::Ident(_) => {
                    let (path, next) = path_at(tokens, at);
                    if path.len() > 1 {
                        self.name(&path, module);
                    }
                    at = next;
                }
                TokenTree::Group(group) => {
                    self.look(&group.stream().into_iter().collect::<Vec<_>>(), module);
                    at += 1;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => at += 1,
            }
        }
    }

    /// A use tree, with what stands before it.
    fn import(&mut self, tree: &[TokenTree], before: &[String], module: &[String], public: bool) {
        let mut path = before.to_vec();
        let mut at = 0;
        while at < tree.len() {
            match &tree[at] {
                TokenTree::Ident(word) if word == "as" => {
                    let other = tree.get(at + 1).map(ToString::to_string).unwrap_or_default();
                    return self.imported(&path, &other, module, public);
                }
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Group(group) => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    for part in inside.split(|t| is_punct(t, ',')).filter(|part| !part.is_empty()) {
                        self.import(part, &path, module, public);
                    }
                    return;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = path.last().cloned().unwrap_or_default();
        self.imported(&path, &name, module, public);
    }

    fn imported(&mut self, path: &[String], name: &str, module: &[String], public: bool) {
        let Some(whole) = self.absolute(path, module) else { return };
        if public {
            self.exports.insert(name.to_owned(), whole);
        } else {
            self.paths.push(whole);
        }
    }

    fn name(&mut self, path: &[String], module: &[String]) {
        if let Some(whole) = self.absolute(path, module) {
            self.paths.push(whole);
        }
    }

    /// A path of this crate from its root.
    fn absolute(&self, path: &[String], module: &[String]) -> Option<Vec<String>> {
        let first = path.first()?;
        let mut base = match first.as_str() {
            "crate" | "offhours" => return Some(path[1..].to_vec()),
            "self" => return Some([module, &path[1..]].concat()),
            "super" => module.to_vec(),
            child if self.children.contains(child) => return Some([module, path].concat()),
            _ => return None,
        };
        let ups = path.iter().take_while(|word| *word == "super").count();
        base.truncate(base.len().saturating_sub(ups));
        base.extend(path[ups..].iter().cloned());
        Some(base)
    }
}

/// The module that `mod name;` declares.
fn child(three: &[TokenTree]) -> Option<String> {
    let [TokenTree::Ident(word), TokenTree::Ident(name), end] = three else { return None };
    (word == "mod" && is_punct(end, ';')).then(|| name.to_string())
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == sign)
}

fn is_test(tokens: &[TokenTree]) -> bool {
    let [hash, TokenTree::Group(group), ..] = tokens else { return false };
    is_punct(hash, '#') && group.stream().to_string().replace(' ', "") == "cfg(test)"
}

fn ends_item(token: &TokenTree) -> bool {
    is_punct(token, ';') || matches!(token, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace)
}

/// The words of a path that begins here, and where it ends.
fn path_at(tokens: &[TokenTree], start: usize) -> (Vec<String>, usize) {
    let mut path = vec![];
    let mut at = start;
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        at += 1;
        if tokens.get(at).is_some_and(|t| is_punct(t, ':'))
            && tokens.get(at + 1).is_some_and(|t| is_punct(t, ':'))
        {
            at += 2;
        } else {
            break;
        }
    }
    (path, at.max(start + 1))
}
