//! Why the work that an earlier run left is not gone on with.

use crate::domain::earlier::Why;
use crate::domain::escape::sanitize;

/// Goes on after a name of the work.
pub fn anew(why: &Why, target: &str) -> String {
    let target = sanitize(target, 60);
    match why {
        Why::OnTarget => format!("is on {target} already"),
        Why::Rewritten => format!("builds on commits that are on {target} no more"),
        Why::Conflict(paths) => format!("and {target} both changed {}", sanitize(&paths.join(", "), 400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_said_in_one_line() {
        let why = Why::Conflict(vec!["a\nb".to_owned(), "c".to_owned()]);
        let said = [Why::OnTarget, Why::Rewritten, why].map(|why| anew(&why, "main")).join("\n");
        insta::assert_snapshot!(said, @r"
        is on main already
        builds on commits that are on main no more
        and main both changed a b, c
        ");
    }
}
