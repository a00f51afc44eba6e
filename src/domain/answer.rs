//! What was said on an issue that does not start, and whether it is said now: one comment an issue, ever.

use super::model::UnixTime;

/// What keeps being refused is let go after so many tries.
pub const MAX_TRIES: u32 = 10;

/// What is known of the comment on an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its id; `None`: none was made, or its making was not told.
    pub comment: Option<String>,
    /// What it was to say when it was last written.
    pub text: String,
    /// How often in a row writing that was tried and did not come to an end; 0: it says so.
    pub tries: u32,
    /// It is not tried again before.
    pub not_before: UnixTime,
}

/// Which try of saying this it would be now; `None`: it is said, or not to be tried now.
pub fn due(given: Option<&Given>, text: &str, now: UnixTime) -> Option<u32> {
    let Some(given) = given else { return Some(1) };
    let waits = given.tries > 0 && now < given.not_before;
    match (waits, given.text == text, given.tries) {
        (true, _, _) | (false, true, 0 | MAX_TRIES..) => None,
        (false, true, tries) => Some(tries + 1),
        (false, false, _) => Some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str, tries: u32) -> Given {
        Given { comment: None, text: text.to_owned(), tries, not_before: UnixTime(100) }
    }

    #[test]
    fn what_is_said_is_not_said_again() {
        let (before, then) = (UnixTime(99), UnixTime(100));
        for now in [before, then] {
            assert_eq!(due(None, "a", now), Some(1), "never tried");
            assert_eq!(due(Some(&given("a", 0)), "a", now), None, "said");
            assert_eq!(due(Some(&given("a", 0)), "b", now), Some(1), "something else is to be said");
        }
        for tries in (1..=MAX_TRIES + 1).chain([u32::MAX]) {
            let told = given("a", tries);
            assert_eq!(due(Some(&told), "a", before), None, "too early after {tries}");
            assert_eq!(due(Some(&told), "b", before), None, "too early after {tries}");
            let again = (tries < MAX_TRIES).then(|| tries + 1);
            assert_eq!(due(Some(&told), "a", then), again, "after {tries}");
            assert_eq!(due(Some(&told), "b", then), Some(1), "after {tries}");
        }
    }
}
