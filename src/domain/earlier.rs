//! Whether a new run goes on from the work that an earlier one left, and from which commit that work is counted.

use super::model::{Landing, Oid};

/// How the work that was left stands to the target as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The newest commit of the target that the work contains; `None` where the two share no history.
    pub common: Option<Oid>,
    /// The target has all of it, however it was merged.
    pub on_target: bool,
    /// It contains a commit that was on the target and is there no more.
    pub rewritten: bool,
    /// The paths that both changed, where they do not merge cleanly.
    pub conflicts: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// On top of the work, which is counted from `base`.
    GoOn {
        base: Oid,
    },
    Anew(Why),
}

/// Why what was left is not gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    OnTarget,
    Rewritten,
    Conflict(Vec<String>),
}

/// Decided before an agent is paid for. A pull request in conflict is gone on with, since its branch is where people
/// look: the agent is told what to merge. Kept work in conflict is only in the way.
pub fn start(landing: Landing, standing: Standing) -> Start {
    let Some(base) = standing.common else { return Start::Anew(Why::Rewritten) };
    if standing.on_target {
        Start::Anew(Why::OnTarget)
    } else if standing.rewritten {
        // What was taken off the target must not come back with the work.
        Start::Anew(Why::Rewritten)
    } else if landing == Landing::Push && !standing.conflicts.is_empty() {
        Start::Anew(Why::Conflict(standing.conflicts))
    } else {
        Start::GoOn { base }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid() -> Oid {
        Oid::parse(&"1".repeat(40)).unwrap()
    }

    /// Every combination has one answer, and only work that can still land is gone on with.
    #[test]
    fn every_standing_is_decided() {
        for bits in 0..16_u8 {
            let standing = Standing {
                common: (bits & 1 == 0).then(oid),
                on_target: bits & 2 != 0,
                rewritten: bits & 4 != 0,
                conflicts: if bits & 8 == 0 { vec![] } else { vec!["both".to_owned()] },
            };
            let (by_push, by_pull) =
                (start(Landing::Push, standing.clone()), start(Landing::PullRequest, standing));
            let anew = |why| Start::Anew(why);
            let go_on = Start::GoOn { base: oid() };
            let wanted = match bits {
                0 => [go_on.clone(), go_on],
                8 => [anew(Why::Conflict(vec!["both".to_owned()])), go_on],
                2 | 6 | 10 | 14 => [anew(Why::OnTarget), anew(Why::OnTarget)],
                _ => [anew(Why::Rewritten), anew(Why::Rewritten)],
            };
            assert_eq!([by_push, by_pull], wanted, "{bits:04b}");
        }
    }
}
