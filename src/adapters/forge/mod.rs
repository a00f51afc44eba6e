//! The trackers.

use sha2::{Digest as _, Sha256};

pub mod local;

/// SHA-256 over title, an empty line and body, as lower-case hex: the text that an approval is of.
///
/// Every forge uses this one, so that an approval means the same text everywhere.
pub fn text_hash(title: &str, body: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(title);
    hash.update("\n\n");
    hash.update(body);
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).collect()
}

#[cfg(test)]
mod tests {
    use super::text_hash;

    #[test]
    fn the_text_hash_is_that_of_the_written_out_text() {
        // printf 'a title\n\na body' | sha256sum
        assert_eq!(
            text_hash("a title", "a body"),
            "cac2d37de35be0180458a35026b10ad69c78fffea9d51e7a984a4d741f37fbd8"
        );
        assert_ne!(text_hash("a", "b"), text_hash("a", "b\n"));
    }
}
