//! Messages for people.

use super::error::PortResult;
use crate::domain::effect::NoticeKind;

/// A message for people, on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub key: String,
    pub kind: NoticeKind,
    pub title: String,
    pub body: String,
    pub link: Option<String>,
    /// The cause that an alarm and its end are about: of one cause only the newest is of interest.
    pub topic: Option<String>,
    /// Sent before, perhaps, without an answer: the receiver cannot be asked.
    pub possible_repeat: bool,
}

pub trait Notifier {
    fn send(&self, notice: &Notice) -> PortResult<()>;
}
