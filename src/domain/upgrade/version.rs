//! Image tags as versions: which of the tags of a registry is the one to go to, and why not a newer one.
//!
//! A tag is a version if it is `[v]N[.N]*[glued][-variant]`. The `v` is not compared. Only tags with the same count of
//! numbers and the same variant are compared with each other; what is glued to the last number makes a prerelease.
//! Hashes and bare dates are no versions, and neither is anything else.

use std::cmp::Ordering;

use crate::domain::model::UnixTime;
use crate::domain::moment::format_time;
use crate::domain::{escape, guard};
use strum::IntoStaticStr;

const DAY: i64 = 86_400;
/// Registries refuse longer tags.
const LONGEST_TAG: usize = 128;

/// A tag that could be read as a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub v: bool,
    pub numbers: Vec<u64>,
    /// What is glued to the last number: a prerelease.
    pub glued: Option<String>,
    /// What follows the first `-`.
    pub variant: Option<String>,
}

/// Why a tag cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unversioned {
    Date,
    Hash,
    Word,
}

impl Unversioned {
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Date => "it is a bare date, which says nothing about what changed",
            Self::Hash => "it is a hash, which has no order",
            Self::Word => "it is not a version number",
        }
    }
}

impl Version {
    pub fn parse(tag: &str) -> Result<Self, Unversioned> {
        let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if tag.is_empty() || tag.len() > LONGEST_TAG || !tag.chars().all(good) {
            return Err(Unversioned::Word);
        }
        let (v, rest) = match tag.strip_prefix('v') {
            Some(rest) => (true, rest),
            None => (false, tag),
        };
        if is_hash(rest) {
            return Err(if is_date(rest) { Unversioned::Date } else { Unversioned::Hash });
        }
        let (number, variant) = match rest.split_once('-') {
            Some((_, "")) => return Err(Unversioned::Word),
            Some((number, variant)) => (number, Some(variant.to_owned())),
            None => (rest, None),
        };
        if dashed_date(number, variant.as_deref()) {
            return Err(Unversioned::Date);
        }
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let (digits, glued) = number.split_at(end);
        // `1.2.rc1`: the dot belongs to what follows it.
        let (digits, glued) = match digits.strip_suffix('.') {
            Some(shorter) if !glued.is_empty() => (shorter, format!(".{glued}")),
            Some(_) | None => (digits, glued.to_owned()),
        };
        let numbers: Option<Vec<u64>> = digits.split('.').map(whole).collect();
        let numbers = numbers.ok_or(Unversioned::Word)?;
        if numbers.len() == 1 && glued.is_empty() && is_date(digits) {
            return Err(Unversioned::Date);
        }
        Ok(Self { v, numbers, glued: (!glued.is_empty()).then_some(glued), variant })
    }

    pub fn prerelease(&self) -> bool {
        self.glued.is_some()
    }

    /// Both may be compared: the same count of numbers, the same variant.
    pub fn comparable(&self, other: &Self) -> bool {
        self.numbers.len() == other.numbers.len() && self.variant == other.variant
    }

    /// The order of two comparable versions; a prerelease comes before what it leads to.
    pub fn order(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (&self.glued, &other.glued) {
            (None, None) => Ordering::Equal,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => pieces(a).cmp(&pieces(b)),
        })
    }

    /// Which part of the number differs first.
    pub fn change_to(&self, newer: &Self) -> Change {
        let differs = self.numbers.iter().zip(&newer.numbers).position(|(a, b)| a != b);
        match differs {
            Some(0) => Change::Major,
            Some(1) => Change::Minor,
            Some(_) | None => Change::Patch,
        }
    }
}

/// At most nineteen digits, and nothing else.
fn whole(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Seven or more hex digits without a dot; without letters it takes more digits than version numbers have.
fn is_hash(text: &str) -> bool {
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    hex && text.len() >= 7
}

/// `20260131`, and the same with the time of day behind it.
fn is_date(text: &str) -> bool {
    let part = |from: usize, to: usize| text.get(from..to).and_then(whole);
    text.bytes().all(|b| b.is_ascii_digit())
        && matches!(text.len(), 8 | 10 | 12 | 14)
        && plausible(part(0, 4), part(4, 6), part(6, 8))
}

/// `2026-01-31`, and the same with more behind it.
fn dashed_date(year: &str, rest: Option<&str>) -> bool {
    let Some(rest) = rest else { return false };
    let mut parts = rest.split('-');
    let two = |text: Option<&str>| text.filter(|t| t.len() >= 2).and_then(|t| t.get(..2)).and_then(whole);
    let (month, day) = (two(parts.next()), two(parts.next()));
    year.len() == 4 && plausible(whole(year), month, day)
}

fn plausible(year: Option<u64>, month: Option<u64>, day: Option<u64>) -> bool {
    year.is_some_and(|y| (1990..=2199).contains(&y))
        && month.is_some_and(|m| (1..=12).contains(&m))
        && day.is_some_and(|d| (1..=31).contains(&d))
}

/// A piece of what is glued to a number. Known words go in the order in which people release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Word(u8, String),
    Number(u64),
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut out = vec![];
    let mut rest = text.trim_start_matches(['.', '_']);
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        if digit {
            out.push(Piece::Number(piece.parse().unwrap_or(u64::MAX)));
            continue;
        }
        let word = piece.trim_matches(['.', '_']).to_ascii_lowercase();
        let rank = match word.as_str() {
            "dev" | "nightly" | "snapshot" => 0,
            "a" | "alpha" => 1,
            "b" | "beta" => 2,
            "m" | "pre" | "preview" => 3,
            "c" | "rc" | "cr" => 5,
            _ => 4,
        };
        if !word.is_empty() {
            out.push(Piece::Word(rank, word));
        }
    }
    out
}

/// How much an update changes, by the first number that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Change {
    Patch,
    Minor,
    Major,
}

impl Change {
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// What a recipe's owner wants of updates.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Policy {
    pub allow_major: bool,
    /// Tags that are never chosen; `*` stands for any run of characters.
    pub ignore: Vec<String>,
    /// A tag counts from this many days after it was first seen here.
    pub minimum_age_days: u32,
}

/// A tag of the registry and when this tool saw it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTag {
    pub tag: String,
    pub first_seen: UnixTime,
}

/// Why a newer tag was not chosen.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Hold {
    Major,
    Prerelease,
    Ignored,
    /// Seen for fewer than the wanted days; the moment from which it counts.
    #[strum(serialize = "too-young")]
    Young {
        until: UnixTime,
    },
    /// Its variant is another one.
    Variant,
    /// It has another count of numbers.
    Shape,
}

impl Hold {
    /// A stable word.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Major => "it is a new major version, and allow_major is off".to_owned(),
            Self::Prerelease => "it is a prerelease".to_owned(),
            Self::Ignored => "it is on the ignore list".to_owned(),
            Self::Young { until } => {
                format!("it is not old enough yet; it counts from {}", format_time(*until))
            }
            Self::Variant => "its variant is another one".to_owned(),
            Self::Shape => "it has another count of numbers".to_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub tag: String,
    pub why: Hold,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    pub tag: String,
    pub change: Change,
}

/// What is to be done about one image, and every newer tag that was held with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub pick: Option<Pick>,
    /// For each reason the newest tag that it holds, newest first.
    pub held: Vec<Held>,
}

/// Chooses the newest tag that may be gone to.
///
/// # Errors
/// Where the current tag itself is no version.
pub fn choose(
    current: &str,
    tags: &[SeenTag],
    policy: &Policy,
    now: UnixTime,
) -> Result<Choice, Unversioned> {
    let here = Version::parse(current)?;
    let mut newer: Vec<(&SeenTag, Version)> = tags
        .iter()
        .filter_map(|seen| Some((seen, Version::parse(&seen.tag).ok()?)))
        .filter(|(_, version)| is_newer(version, &here))
        .collect();
    // The newest first; among equals one that is written like the current one, so that a `v` stays or stays away.
    newer.sort_by(|(a, x), (b, y)| {
        let styled = |version: &Version| version.v == here.v;
        y.order(x)
            .then_with(|| styled(y).cmp(&styled(x)))
            .then_with(|| a.tag.len().cmp(&b.tag.len()))
            .then_with(|| a.tag.cmp(&b.tag))
    });
    let mut pick = None;
    let mut held: Vec<(Held, &Version)> = vec![];
    let mut like_ours: Vec<&Version> = vec![];
    for (seen, version) in &newer {
        let why = hold(seen, version, &here, policy, now);
        if version.comparable(&here) {
            like_ours.push(version);
        }
        let Some(why) = why else {
            pick = Some(Pick { tag: seen.tag.clone(), change: here.change_to(version) });
            break;
        };
        if !held.iter().any(|(held, _)| held.why.code() == why.code()) {
            held.push((Held { tag: seen.tag.clone(), why }, version));
        }
    }
    // A tag of another kind is news only where none of our kind is as new.
    let covered = |version: &Version| like_ours.iter().any(|ours| !ahead(&version.numbers, &ours.numbers));
    held.retain(|(held, version)| !matches!(held.why, Hold::Variant | Hold::Shape) || !covered(version));
    Ok(Choice { pick, held: held.into_iter().map(|(held, _)| held).collect() })
}

/// Newer than where we are, as far as the two can be compared at all.
fn is_newer(version: &Version, here: &Version) -> bool {
    if version.numbers.len() == here.numbers.len() {
        return version.order(here) == Ordering::Greater;
    }
    ahead(&version.numbers, &here.numbers)
}

/// Larger in what both have: `16.4` is not ahead of `16`, which stands for all of them.
fn ahead(numbers: &[u64], of: &[u64]) -> bool {
    let mut both = numbers.iter().zip(of).map(|(a, b)| a.cmp(b));
    both.find(|order| order.is_ne()) == Some(Ordering::Greater)
}

fn hold(seen: &SeenTag, version: &Version, here: &Version, policy: &Policy, now: UnixTime) -> Option<Hold> {
    if version.variant != here.variant {
        return Some(Hold::Variant);
    }
    if version.numbers.len() != here.numbers.len() {
        return Some(Hold::Shape);
    }
    if version.prerelease() && !here.prerelease() {
        return Some(Hold::Prerelease);
    }
    if policy.ignore.iter().any(|pattern| guard::matches(pattern, &seen.tag)) {
        return Some(Hold::Ignored);
    }
    if here.change_to(version) == Change::Major && !policy.allow_major {
        return Some(Hold::Major);
    }
    let until = seen.first_seen.plus(i64::from(policy.minimum_age_days) * DAY);
    (policy.minimum_age_days > 0 && until > now).then_some(Hold::Young { until })
}

/// The recipe's next version: the largest change raises the part before `+`, behind it stands the app's new tag.
///
/// # Errors
/// A sentence where the current label is not `N.N.N+tag` or `N.N.N`.
pub fn next_recipe_version(label: &str, change: Change, app_tag: &str) -> Result<String, String> {
    let number = label.split_once('+').map_or(label, |(number, _)| number);
    let (v, plain) = number.strip_prefix('v').map_or(("", number), |plain| ("v", plain));
    let parts: Option<Vec<u64>> = plain.split('.').map(whole).collect();
    let parts = parts.filter(|parts| parts.len() == 3);
    let [major, minor, patch] =
        parts.as_deref().and_then(|p| <[u64; 3]>::try_from(p).ok()).ok_or_else(|| {
            format!(
                "the version label `{}` is not three numbers, a plus and the app's tag, such as 1.2.3+16.4",
                escape::sanitize(label, 80)
            )
        })?;
    let (major, minor, patch) = match change {
        Change::Major => (major.saturating_add(1), 0, 0),
        Change::Minor => (major, minor.saturating_add(1), 0),
        Change::Patch => (major, minor, patch.saturating_add(1)),
    };
    Ok(format!("{v}{major}.{minor}.{patch}+{app_tag}"))
}

#[cfg(test)]
#[path = "version_tests.rs"]
mod tests;
