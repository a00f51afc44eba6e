//! The nouns: what the other rooms pass to each other. Plain data, no behaviour beyond reading itself.

mod change;
mod check;
mod issue;
mod job;
mod name;
mod pull;
mod run;
mod seen;

pub use change::{Change, FileChange};
pub use check::{Check, CheckState, StageReading};
pub use issue::{ApprovalEvidence, Blocker, Comment, Edit, EditHistory, Issue, Labelled, Permission, Person};
pub use job::{Asked, CutBy, CutOff, JobResult, JobState, TurnEnd, TurnEnding, Usage, VerifyResult};
pub use name::{IssueRef, Oid, RepoId, UnixTime};
pub use pull::{PullRequest, PullState, Review, ReviewNote, ReviewVerdict};
pub use run::{ClaimHolder, Freeze, HandBack, Landing, MergeBy, Outcome, RunText};
pub use seen::Seen;
