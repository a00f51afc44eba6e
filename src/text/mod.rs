//! Facts become words here, once: comments, receipts, notices, what an agent is told, and the sentences of screens.
//! Words from outside are escaped here.

mod agent;
mod answer;
pub mod canary;
mod control;
pub mod doctor;
mod earlier;
mod end;
pub mod lessons;
pub mod lock;
mod mark;
pub mod metrics;
pub mod notice;
mod progress;
mod pull;
mod receipt;
pub mod report;
pub mod upgrade;
mod why;
mod words;

pub use answer::{answer, answer_marker};
pub use control::{Standing, control_text};
pub use earlier::anew;
pub use end::{salvage_lines, what_to_do};
pub use mark::{MARK, marker};
pub use pull::{is_of_run, pull_text, push_yourself, undo_commit};
pub use receipt::{checks, cost};
pub use why::why;
pub use words::worded;

#[cfg(test)]
mod tests;
