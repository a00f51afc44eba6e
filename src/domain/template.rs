//! Versions of a prompt: their names, and which may become what.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// The template that is built in; its first version is the first champion.
pub const BUILT_IN: &str = "implementer";
/// A prompt beyond this is a file that was named by mistake.
pub const MAX_BYTES: usize = 100_000;

/// Where in its life a version stands. Exactly one of a template is the champion, at most one the canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum State {
    /// Kept, and used by nobody.
    Candidate,
    /// Gets a part of the new issues until it is decided.
    Canary,
    Champion,
    /// Was champion.
    Retired,
    /// Nothing leaves this state.
    Rejected,
}

impl State {
    pub fn code(self) -> &'static str {
        self.into()
    }
}

/// What a person may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Canary,
    Promote,
    Reject,
}

/// The state that a person's act leads to.
///
/// # Errors
/// Why it does not, as words that follow the version's name.
pub fn by_hand(state: State, act: Act) -> Result<State, &'static str> {
    match (act, state) {
        (Act::Canary, State::Candidate) => Ok(State::Canary),
        (Act::Canary, State::Canary) => Err("is the canary already"),
        (Act::Canary, State::Champion) => Err("is the champion: there is nothing to try out"),
        (Act::Canary, State::Retired) => {
            Err("was champion before: `template promote` makes it champion again")
        }
        (Act::Promote, State::Candidate | State::Retired) => Ok(State::Champion),
        (Act::Promote, State::Champion) => Err("is the champion already"),
        (Act::Promote, State::Canary) => {
            Err("is the canary: `harvest` decides about it, and `template reject` ends it")
        }
        (Act::Reject, State::Candidate | State::Canary | State::Retired) => Ok(State::Rejected),
        (Act::Reject, State::Champion) => Err("is the champion: promote another version first"),
        (Act::Reject, State::Rejected) => Err("was rejected before"),
        (Act::Canary | Act::Promote, State::Rejected) => {
            Err("was rejected, and nothing leaves that state: add a changed text")
        }
    }
}

/// `NAME@VERSION`; the version is a number or the beginning of the content's hash. Without one: the champion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionName {
    pub name: String,
    pub which: Which,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    Champion,
    Number(u32),
    /// At least six hex digits.
    Hash(String),
}

impl VersionName {
    /// # Errors
    /// A sentence that says how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, version) = text.split_once('@').map_or((text, None), |(name, v)| (name, Some(v)));
        let which = match version {
            None => Some(Which::Champion),
            Some(word) => which(word),
        };
        match which {
            Some(which) if good_name(name) => Ok(Self { name: name.to_owned(), which }),
            Some(_) | None => Err(format!(
                "write a version as NAME@NUMBER or NAME@HASH, for example {BUILT_IN}@1; a name has 1 to 40 letters, \
                 digits, - and _"
            )),
        }
    }
}

fn which(word: &str) -> Option<Which> {
    let number = word.strip_prefix('v').unwrap_or(word);
    let hex = word.len() >= 6 && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !number.is_empty() && number.len() < 6 && number.bytes().all(|b| b.is_ascii_digit()) {
        number.parse().ok().filter(|n| *n > 0).map(Which::Number)
    } else {
        (hex && word.len() <= 64).then(|| Which::Hash(word.to_owned()))
    }
}

/// Names are parts of file names, of messages and of what decides about an issue's arm.
pub fn good_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The lines of two texts side by side: ` ` in both, `-` in the first only, `+` in the second only.
pub fn diff<'a>(old: &'a str, new: &'a str) -> Vec<(char, &'a str)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Length of the longest common part of what follows each pair of lines.
    let wide = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * wide];
    let at = |i: usize, j: usize| i * wide + j;
    let get = |common: &[u32], i, j| common.get(at(i, j)).copied().unwrap_or(0);
    for (i, left) in old.iter().enumerate().rev() {
        for (j, right) in new.iter().enumerate().rev() {
            let value = if left == right {
                get(&common, i + 1, j + 1) + 1
            } else {
                get(&common, i + 1, j).max(get(&common, i, j + 1))
            };
            if let Some(place) = common.get_mut(at(i, j)) {
                *place = value;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = vec![];
    loop {
        match (old.get(i), new.get(j)) {
            (Some(left), Some(right)) if left == right => {
                lines.push((' ', *left));
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right) if right.is_none() || get(&common, i + 1, j) >= get(&common, i, j + 1) => {
                lines.push(('-', *left));
                i += 1;
            }
            (_, Some(right)) => {
                lines.push(('+', *right));
                j += 1;
            }
            (Some(left), None) => {
                lines.push(('-', *left));
                i += 1;
            }
            (None, None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_version() {
        use Act::{Canary as Try, Promote, Reject};
        use State::{Canary, Candidate, Champion, Rejected, Retired};
        let good = [
            (Candidate, Try, Canary),
            (Candidate, Promote, Champion),
            (Retired, Promote, Champion),
            (Candidate, Reject, Rejected),
            (Canary, Reject, Rejected),
            (Retired, Reject, Rejected),
        ];
        for state in State::VARIANTS.iter().copied() {
            assert_eq!(state.code().parse(), Ok(state));
            for act in [Try, Promote, Reject] {
                let wanted = good.iter().find(|(s, a, _)| (*s, *a) == (state, act)).map(|g| g.2);
                assert_eq!(by_hand(state, act).ok(), wanted, "{state:?} {act:?}");
            }
        }
        assert!(by_hand(Rejected, Promote).unwrap_err().contains("nothing leaves"));
    }

    #[test]
    fn names_of_versions() {
        let good = |text: &str| VersionName::parse(text).unwrap().which;
        assert_eq!(good("implementer@12"), Which::Number(12));
        assert_eq!(good("a-b_c@v3"), Which::Number(3));
        assert_eq!(good("a@123456"), Which::Hash("123456".to_owned()));
        assert_eq!(good("a@deadbeef"), Which::Hash("deadbeef".to_owned()));
        assert_eq!(good("a"), Which::Champion);
        let long = format!("a@{}", "0".repeat(65));
        for text in
            ["", "@1", "a@", "a@0", "a@v", "a@-1", "a@1.5", "a b@1", "a@dead", "a@DEADBEEF", "../x@1", &long]
        {
            assert!(VersionName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_changed_between_two_texts() {
        let lines: Vec<String> =
            diff("a\nb\nc\nd", "a\nx\nc\nd\ne").iter().map(|(sign, line)| format!("{sign}{line}")).collect();
        assert_eq!(lines, [" a", "-b", "+x", " c", " d", "+e"]);
        assert_eq!(diff("", "a"), [('+', "a")]);
        assert_eq!(diff("a", ""), [('-', "a")]);
        assert_eq!(diff("same\ntext", "same\ntext").iter().filter(|(sign, _)| *sign != ' ').count(), 0);
    }
}
