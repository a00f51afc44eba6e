//! What the tick asks of the world. One trait a counterpart; everything that comes back is plain domain data.
//!
//! An answer is one of three things: it worked, it was refused (asking again will not help), or it has to be tried
//! later. Nobody may take "later" for "no".

mod ci;
mod error;
mod forge;
mod git;
mod host;
mod job;
mod notify;
mod prompt;
mod recipe;

pub use ci::{Ci, Wanted};
pub use error::{PortError, PortResult};
pub use forge::{
    BrokenIssue, Capabilities, Forge, ForgeAdmin, Hosting, Listing, LockFile, MergeAnswer, Merging, NewPull,
    PullRequests, Remote,
};
pub use git::{
    ClaimAnswer, ClaimPlace, ClaimRequest, Claiming, Claims, Git, History, Merged, Pushed, Salvaged, Work,
    Workspaces,
};
pub use host::{Clock, RateLimit, RateLimitStore, SwitchFile};
pub use job::{Folders, JobKind, JobSpec, Kept, Marked, RunFolder, Runner, TurnSpec};
pub use notify::{Notice, Notifier};
pub use prompt::{Prompter, TemplateContent, TemplateSource, TemplateText};
pub use recipe::{
    Bench, Dispatched, Manifests, NewStatus, PullComment, RecipeForge, RecipeGit, RecipePush, Registry,
    Trials,
};
