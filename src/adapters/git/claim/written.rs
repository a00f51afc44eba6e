//! What a claim says: the message of its commit, which other hosts read.

use crate::domain::model::UnixTime;
use crate::ports::{ClaimRequest, PortError, PortResult};

/// A claim commit is a few lines; whatever is larger was not written by us.
const MESSAGE_BYTES: usize = 4096;

/// What a claim commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) run: String,
    pub(super) installation: String,
    pub(super) issue: u64,
    pub(super) at: UnixTime,
}

impl Written {
    /// Reads a raw commit object. The message is data from outside: anything but our exact lines is nothing.
    pub(super) fn parse(commit: &str) -> Option<Self> {
        if commit.len() > MESSAGE_BYTES {
            return None;
        }
        let (_, message) = commit.split_once("\n\n")?;
        let mut lines = message.strip_prefix("offhours claim\n\n")?.strip_suffix('\n')?.split('\n');
        let mut field =
            |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ").filter(|v| plain(v));
        let written = Self {
            run: field("run")?.to_owned(),
            installation: field("installation")?.to_owned(),
            issue: field("issue")?.parse().ok()?,
            at: UnixTime(field("time")?.parse().ok()?),
        };
        lines.next().is_none().then_some(written)
    }

    pub(super) fn is(&self, request: &ClaimRequest) -> bool {
        self.run == request.run && self.installation == request.installation && self.issue == request.number
    }
}

/// A value that fits on its line and is one word.
fn plain(value: &str) -> bool {
    !value.is_empty() && value.len() <= 200 && !value.chars().any(|c| c.is_control() || c.is_whitespace())
}

pub(super) fn message(request: &ClaimRequest, doing: &str) -> PortResult<String> {
    let ClaimRequest { number, run, installation, at } = request;
    if !plain(run) || !plain(installation) {
        return Err(PortError::broken(format!(
            "{doing}: the ids of run and installation have to be one word each. The state file holds a damaged row; \
             see `state check`."
        )));
    }
    Ok(format!(
        "offhours claim\n\nrun: {run}\ninstallation: {installation}\nissue: {number}\ntime: {}\n",
        at.0
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_strictly() {
        let request = ClaimRequest {
            number: 7,
            run: "r1".into(),
            installation: "i1".into(),
            at: UnixTime(1_700_000_000),
        };
        let text = message(&request, "x").unwrap();
        let commit = |message: &str| format!("tree 4b\nauthor a <b> 1 +0000\n\n{message}");
        let written = Written::parse(&commit(&text)).unwrap();
        assert!(written.is(&request));
        assert_eq!(written.at, request.at);
        let bad = [
            text.replace("run: r1", "run: r1 r2"),
            text.replace("run: r1", "run: "),
            text.replace("issue: 7", "issue: seven"),
            format!("{text}run: r2\n"),
            format!("x{text}"),
            text.replace("time", "Time"),
            String::new(),
            text.trim_end().to_owned(),
        ];
        for bad in bad {
            assert_eq!(Written::parse(&commit(&bad)), None, "{bad}");
        }
        let two_lines = ClaimRequest { run: "r1\nissue: 8".into(), ..request };
        assert!(message(&two_lines, "x").is_err());
    }
}
